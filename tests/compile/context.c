// Makes contexts of one and two threads, computes a little and prints status and hash. Compiled
// with many sets of flags: as it is, it holds the implementation; with DECLARATIONS_ONLY it is
// linked against one. FLUSH_DENORMALS first puts the CPU into the mode that a library linked with
// -Ofast leaves behind.
#ifndef DECLARATIONS_ONLY
#define R1_IMPLEMENTATION
#endif
#include "../../r1.h"
#include "../../r1.h" // twice is once
#include <stdio.h>
#ifdef FLUSH_DENORMALS
#include <immintrin.h>
#endif

static void fill(void *arg, size_t begin, size_t end, int worker) {
    float *values = (float *)arg;
    (void)worker;
    for (size_t i = begin; i < end; i++) values[i] = r1_exp(-87.0f - 0.25f * (float)i);
}

// The hash of values down to e^-102.75, denormal from the third on.
static unsigned long long hash_with(r1_context *ctx) {
    static float values[64];
    unsigned long long hash = 0;
    r1_parallel_for(ctx, 64, 4, fill, values);
    for (int i = 0; i < 64; i++) {
        union {
            float value;
            uint32_t bits;
        } word = {values[i]};
        hash = (hash ^ word.bits) * 0x100000001b3ull;
    }
    return hash;
}

int main(void) {
#ifdef FLUSH_DENORMALS
    _mm_setcsr(_mm_getcsr() | 0x8040u);
#endif
    for (int threads = 1; threads <= 2; threads++) {
        r1_context_desc desc = {0};
        desc.threads = threads;
        r1_context *ctx = r1_context_new(&desc);
        const char *name = r1_status_name(r1_status_of(ctx));
        printf("%s %016llx %s\n", name, hash_with(ctx), r1_message_of(ctx));
        r1_context_free(ctx);
    }
    return 0;
}
