/* r1.h - the DeepSeek-R1 system in one C header */
#ifndef R1I_SIMD_PASS // the [simd] room includes this file again, once per instruction set
#ifndef R1_H
#define R1_H
// ==== [config] ===================================================================================
// What a user may change at compile time: linkage, assertions, features. Everything else is a field
// of a desc. Calls nothing. Few macros, because a macro makes two libraries out of one.
#define R1_VERSION_MAJOR 0
#define R1_VERSION_MINOR 1
#define R1_VERSION_PATCH 0

#if defined R1_IMPLEMENTATION && !defined _GNU_SOURCE && !defined _DARWIN_C_SOURCE
#if defined _FEATURES_H || defined _CDEFS_H_
#error "r1.h: the file with R1_IMPLEMENTATION must include r1.h before any other header"
#endif
#define _GNU_SOURCE 1
#define _DARWIN_C_SOURCE 1
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef R1_DEF // linkage of every public function; R1_STATIC makes a private copy
#ifdef R1_STATIC
#if defined __GNUC__
#define R1_DEF static __attribute__((unused))
#else
#define R1_DEF static
#endif
#else
#define R1_DEF extern
#endif
#endif

#if defined __GNUC__
#define R1I_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define R1I_PRINTF(text, first)
#endif

// The number type of tensors. It is float; one test compiles the whole library as double, which
// turns every formula into its own oracle for finite differences.
#ifndef R1I_REAL
#define R1I_REAL float
#endif
#ifdef __cplusplus
extern "C" {
#endif
typedef R1I_REAL r1i_real;

#define R1_OFF (-1)    // "none" for a numeric field whose zero means "the default"
#define R1_MAX_RANK 4  // dimensions of a tensor
// ==== [base] =====================================================================================
// Status codes, the context (opaque here), memory hook, string slices. Calls only libc.
// Errors stick to the context and the first one wins, so straight-line code checks once at its end.

// X(code, text). One list makes the enum, the names and the texts.
#define R1_STATUS_LIST(X)                                                                          \
    X(R1_OK, "ok")                                                                                 \
    X(R1_ERROR_ARGUMENT, "an argument or a desc field is not valid")                               \
    X(R1_ERROR_SHAPE, "shapes do not fit together")                                                \
    X(R1_ERROR_MEMORY, "out of memory")                                                            \
    X(R1_ERROR_FILE, "a file or folder cannot be read or written")                                 \
    X(R1_ERROR_FORMAT, "the content of a file is not valid")                                       \
    X(R1_ERROR_NUMBER, "a number is not finite")                                                   \
    X(R1_ERROR_BACKEND, "the backend has no kernel for this op")                                   \
    X(R1_ERROR_ARITHMETIC, "the compiler changed the arithmetic")                                  \
    X(R1_ERROR_GROUP, "another rank failed or left")                                               \
    X(R1_ERROR_SIGNAL, "a training run carries no learning signal")

#define R1I_STATUS_ENUM(code, text) code,
typedef enum r1_status { R1_STATUS_LIST(R1I_STATUS_ENUM) R1_STATUS_COUNT } r1_status;

// Everything that a program owns in r1.h hangs on a context. One thread at a time per context.
typedef struct r1_context r1_context;

// Memory hook: alloc gives `bytes` at a multiple of `align` (a power of two) or NULL; free gets the
// same size back. Zero-filled struct = the C library's allocator.
typedef struct r1_allocator {
    void *(*alloc)(void *user, size_t bytes, size_t align);
    void (*free)(void *user, void *memory, size_t bytes);
    void *user;
} r1_allocator;

// A run of bytes inside somebody else's memory; not zero-terminated.
typedef struct r1_slice {
    const char *data;
    size_t size;
} r1_slice;

// The identifier of a status, e.g. "R1_ERROR_SHAPE"; "R1_STATUS_UNKNOWN" outside the list.
R1_DEF const char *r1_status_name(r1_status status);
// What the status means in general; r1_message_of says what happened.
R1_DEF const char *r1_status_text(r1_status status);
// The first error of the context, R1_OK if none. A NULL context is R1_ERROR_MEMORY.
R1_DEF r1_status r1_status_of(const r1_context *ctx);
// The first error in words: the thing, its sizes and the remedy; "" if none. Lives as the context.
R1_DEF const char *r1_message_of(const r1_context *ctx);
// Forgets the error, so that the context works again. Objects made before the error stay valid.
R1_DEF void r1_error_clear(r1_context *ctx);
// Bytes that the context holds now, and the most it ever held; either may be NULL.
R1_DEF void r1_memory_used(const r1_context *ctx, size_t *now_bytes, size_t *peak_bytes);
// ==== [random] ===================================================================================
// Counter-based random numbers: Philox4x32-10. Calls nothing above [base].
// A number is a pure function of (seed, stream, step, sample, token), so there is no generator state
// to save, and neither threads nor batch sizes nor ranks can change what is drawn.

// A place in the sequence. Copy it freely; every draw advances `token`.
typedef struct r1_random {
    uint64_t seed;
    uint32_t stream, step, sample, token;
} r1_random;

// Streams of the library itself; programs use R1_STREAM_USER and above (up to 255).
enum { R1_STREAM_INIT = 1, R1_STREAM_SAMPLE = 2, R1_STREAM_SHUFFLE = 3, R1_STREAM_USER = 16 };

// The raw block function: four 32-bit words from key `seed` and a 128-bit counter.
//   Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011), Philox4x32-10.
R1_DEF void r1_random_block(uint64_t seed, const uint32_t counter[4], uint32_t out[4]);
// 32 uniform bits.
R1_DEF uint32_t r1_random_u32(r1_random *at);
// Uniform in (0, 1): (k + 1/2) / 2^23, never 0 or 1.
R1_DEF float r1_random_unit(r1_random *at);
// Uniform integer in [0, n), without bias; n = 0 gives 0.
R1_DEF uint32_t r1_random_below(r1_random *at, uint32_t n);
// Standard normal, by the Box-Muller formula on the library's own log, sin and cos.
R1_DEF float r1_random_normal(r1_random *at);
// ==== [thread] ===================================================================================
// A pool of workers that starts at its first use. Calls [base].
// Work is cut by shape, never by core count, and every output element belongs to one task: so the
// number of threads cannot show in the result.

// A task: the half-open range [begin, end) of the work, on worker 0 .. r1_thread_count - 1.
typedef void r1_task_fn(void *arg, size_t begin, size_t end, int worker);

// Runs fn over [0, n) in pieces of `grain` (0 = 1) and returns when all are done. Nested calls and
// calls with one piece run on the caller. fn must not call into the same context.
R1_DEF void r1_parallel_for(r1_context *ctx, size_t n, size_t grain, r1_task_fn *fn, void *arg);
// Workers of the context, the caller included; at least 1.
R1_DEF int r1_thread_count(const r1_context *ctx);
// ==== [group] ====================================================================================
// A table of collectives between ranks; engines `self` (one rank) and `threads` (ranks are threads
// of this process, each with its own context). Calls [base] and [thread].
// Sums go along a fixed binary tree over ranks, so a result does not depend on who arrives first.

typedef struct r1_group r1_group;
struct r1_group {
    int rank, size;
    // Each returns R1_OK, or R1_ERROR_GROUP once any rank has failed. Counts are equal on all ranks.
    r1_status (*all_reduce)(r1_group *group, float *values, size_t count);
    r1_status (*all_gather)(r1_group *group, const void *mine, void *all, size_t bytes_each);
    r1_status (*reduce_scatter)(r1_group *group, const float *values, float *mine, size_t count_each);
    r1_status (*broadcast)(r1_group *group, void *values, size_t bytes, int root);
    r1_status (*all_to_all)(r1_group *group, const void *out, void *in, size_t bytes_each);
    r1_status (*barrier)(r1_group *group);
    void (*abort)(r1_group *group); // makes every waiting and later call of every rank fail
    void *state;
};

// What one rank does; its status is R1_OK or the reason why the others should stop.
typedef r1_status r1_rank_fn(r1_group *group, void *arg);

// The group of one rank: collectives are copies. Needs no freeing.
R1_DEF r1_group r1_group_self(void);
// Runs fn on `size` threads, each with its own group, and joins them. A rank that returns an error
// aborts the others. Returns the error of the lowest failed rank. 1 <= size <= 64.
R1_DEF r1_status r1_group_threads(int size, r1_rank_fn *fn, void *arg);
// ==== [number] ===================================================================================
// Number formats and elementary functions. Calls [base].
// exp, log, sin and cos are our own, built from fused multiply-adds only: libm differs between
// systems, and one different last bit would break the promise that a token has one log-prob.

typedef enum r1_dtype {
    R1_F32 = 0, R1_F64, R1_F16, R1_BF16, R1_F8_E4M3, R1_I32, R1_I64, R1_U8, R1_DTYPE_COUNT
} r1_dtype;

// Bytes of one element; 0 for an unknown dtype.
R1_DEF size_t r1_dtype_bytes(r1_dtype dtype);
// The name that safetensors uses, e.g. "BF16"; NULL for an unknown dtype.
R1_DEF const char *r1_dtype_name(r1_dtype dtype);
// Round to nearest, ties to even; NaN stays NaN. f8 saturates at +-448 as the V3 kernels do.
//   Source: V3 section 3.3 for e4m3.
R1_DEF uint16_t r1_to_bf16(float x);
R1_DEF uint16_t r1_to_f16(float x);
R1_DEF uint8_t r1_to_f8(float x);
// Exact.
R1_DEF float r1_from_bf16(uint16_t bits);
R1_DEF float r1_from_f16(uint16_t bits);
R1_DEF float r1_from_f8(uint8_t bits);
// e^x and ln x in float: at most 1 ulp off, the same 32 bits on every CPU level and compiler.
R1_DEF float r1_exp(float x);
R1_DEF float r1_log(float x);
// ==== [context] ==================================================================================
// Makes and frees contexts. Calls the rooms above.
// A context is born by proving its arithmetic: a known-answer test of a few microseconds compares
// bits, and fails with the compiler flag to remove.

// CPU levels. Every level gives the same bits; a higher one is faster.
typedef enum r1_cpu_level {
    R1_CPU_AUTO = 0, R1_CPU_SCALAR, R1_CPU_AVX2, R1_CPU_AVX512, R1_CPU_LEVEL_COUNT
} r1_cpu_level;

typedef struct r1_context_desc {
    uint64_t seed;          // key of every random number; 0 is a seed like any other
    int threads;            // workers, the caller included;   0 = one per core
    r1_cpu_level cpu_level; // the highest level to use;       0 = the best that this CPU has
    r1_allocator allocator; // zero = the C library's
    void (*on_error)(r1_status status, const char *message, void *user); // called at the first error
    void *user;             // for on_error
} r1_context_desc;

// A new context, or NULL when not even its own memory could be had. desc may be NULL. Look at
// r1_status_of: R1_ERROR_ARITHMETIC means that compiler flags broke the arithmetic.
R1_DEF r1_context *r1_context_new(const r1_context_desc *desc);
// Frees the context and everything that was made with it. NULL is fine.
R1_DEF void r1_context_free(r1_context *ctx);
// The level in use: "scalar", "avx2" or "avx512".
R1_DEF const char *r1_cpu_name(const r1_context *ctx);
// The highest level that this machine can run.
R1_DEF r1_cpu_level r1_cpu_best(void);
// The seed that the context was made with.
R1_DEF uint64_t r1_seed_of(const r1_context *ctx);
#ifdef __cplusplus
}
#endif
#endif // R1_H
#endif // R1I_SIMD_PASS

// =================================================================================================
// IMPLEMENTATION
// =================================================================================================
#if defined R1_IMPLEMENTATION && !defined R1I_SIMD_PASS && !defined R1I_FLOOR_OPEN
#define R1I_FLOOR_OPEN

// ==== [config] ===================================================================================
// What a user may change at compile time. Calls nothing. The flags of the user's compiler are not
// ours: some are refused here, the rest is fenced by pragmas, barriers and the check in [context].
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__ + 0 > 0)
#error "r1.h: -ffast-math changes results; compile the file with R1_IMPLEMENTATION without it"
#endif
#if defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__
#error "r1.h: remove -fassociative-math and -freciprocal-math for the file with R1_IMPLEMENTATION"
#endif
#if defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "r1.h: floats must be rounded to float (FLT_EVAL_METHOD 0): use SSE2, not -mfpmath=387"
#endif

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
#ifdef R1_STATIC
#define R1I_BODY static
#else
#define R1I_BODY
#endif
#if defined __wasm__ || (defined _WIN32 && !defined R1_THREADS)
#define R1_NO_THREADS
#endif
#ifndef R1_NO_THREADS
#include <pthread.h>
#include <stdatomic.h>
#endif
#if !defined R1_NO_SIMD && defined __x86_64__ && defined __GNUC__
#define R1I_X86 1
#include <immintrin.h>
#else
#define R1I_X86 0
#endif
#ifndef R1_ASSERT
#include <assert.h>
#define R1_ASSERT(condition) assert(condition)
#endif

// The pragmas come after the system headers, whose inline functions they must not touch. "O2" also
// makes a user's -O0 build run the kernels at full speed.
#if defined __clang__
#pragma float_control(push)
#pragma float_control(precise, on)
#pragma clang fp contract(off)
#elif defined __GNUC__
#pragma GCC push_options
#pragma GCC optimize("O2", "no-fast-math", "fp-contract=off")
#endif

#if defined __GNUC__
#define R1I_NOINLINE __attribute__((noinline))
#define R1I_INLINE static inline __attribute__((always_inline))
#define R1I_UNUSED __attribute__((unused))
#else
#define R1I_NOINLINE
#define R1I_INLINE static inline
#define R1I_UNUSED
#endif

// Hides a value from the optimizer, so that no flag can fuse, split or reorder what made it.
#if defined __GNUC__ && defined __SSE2__
#define R1I_KEEP(value) __asm__("" : "+x"(value))
#elif defined __GNUC__ && defined __aarch64__
#define R1I_KEEP(value) __asm__("" : "+w"(value))
#elif defined __GNUC__ && !defined __i386__
#define R1I_KEEP(value) __asm__("" : "+r"(value))
#else
#define R1I_KEEP(value) (void)0
#endif

// The float environment that the arithmetic is defined in: round to nearest, denormals kept. A
// library linked with -Ofast flushes denormals for the whole process, and threads inherit it.
typedef uint64_t r1i_float_state;

static r1i_float_state r1i_float_enter(void) {
#if defined __SSE2__
    unsigned state;
    __asm__ volatile("stmxcsr %0" : "=m"(state));
    if ((state & 0xffc0u) != 0x1f80u) {
        unsigned wanted = 0x1f80u;
        __asm__ volatile("ldmxcsr %0" : : "m"(wanted));
    }
    return state;
#elif defined __aarch64__ && defined __GNUC__
    uint64_t state, wanted = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(state));
    if (state != wanted) __asm__ volatile("msr fpcr, %0" : : "r"(wanted));
    return state;
#else
    return 0;
#endif
}
static void r1i_float_leave(r1i_float_state state) {
#if defined __SSE2__
    unsigned old = (unsigned)state;
    if ((old & 0xffc0u) != 0x1f80u) __asm__ volatile("ldmxcsr %0" : : "m"(old));
#elif defined __aarch64__ && defined __GNUC__
    if (state != 0) __asm__ volatile("msr fpcr, %0" : : "r"(state));
#else
    (void)state;
#endif
}

// ==== [base] =====================================================================================
// Status codes, the context's memory, sizes that are checked. Calls only libc. Every block of a
// context is on one list, so that freeing the context can never leak.
#define R1I_MESSAGE_BYTES 512

typedef struct r1i_block {
    struct r1i_block *previous, *next;
    size_t bytes;                // of the whole block, header included
    void (*close)(void *object); // frees an object that holds more than memory
} r1i_block;

typedef struct r1i_chunk {
    struct r1i_chunk *next;
    size_t used, bytes; // of the space behind the header
} r1i_chunk;

// Memory with one lifetime. It grows by chunks; after the first reset it is one chunk that holds
// all, so a loop that repeats itself allocates nothing.
typedef struct r1i_arena {
    r1i_chunk *chunk; // the newest; older ones behind it
    size_t peak_bytes;
} r1i_arena;

typedef struct r1i_mark {
    r1i_chunk *chunk;
    size_t used;
} r1i_mark;

#define R1I_MAX_THREADS 256

struct r1_context {
    r1_status status;
    char message[R1I_MESSAGE_BYTES];
    uint64_t seed;
    int threads, cpu_level;
    r1_allocator allocator;
    void (*on_error)(r1_status status, const char *message, void *user);
    void *user;
    r1i_block *blocks;            // everything that the context owns
    size_t now_bytes, peak_bytes;
    r1i_arena step;               // tensors and the tape
    void *pool;                   // [thread]
    void *scratch[R1I_MAX_THREADS]; // [backend]: one per worker
    size_t scratch_bytes;
    const struct r1i_rows *rows;  // [backend]: the inner kernels of the CPU level
    struct r1i_tape *tape;        // [tape]
};

R1I_BODY const char *r1_status_name(r1_status status) {
#define R1I_STATUS_NAME(code, text) #code,
    static const char *const names[] = {R1_STATUS_LIST(R1I_STATUS_NAME)};
    return (unsigned)status < R1_STATUS_COUNT ? names[status] : "R1_STATUS_UNKNOWN";
}
R1I_BODY const char *r1_status_text(r1_status status) {
#define R1I_STATUS_TEXT(code, text) text,
    static const char *const texts[] = {R1_STATUS_LIST(R1I_STATUS_TEXT)};
    return (unsigned)status < R1_STATUS_COUNT ? texts[status] : "not a status of this library";
}
R1I_BODY r1_status r1_status_of(const r1_context *ctx) {
    return ctx ? ctx->status : R1_ERROR_MEMORY;
}
R1I_BODY const char *r1_message_of(const r1_context *ctx) {
    return ctx ? ctx->message : "no memory for the context itself";
}
R1I_BODY void r1_error_clear(r1_context *ctx) {
    if (!ctx) return;
    ctx->status = R1_OK;
    ctx->message[0] = 0;
}
R1I_BODY void r1_memory_used(const r1_context *ctx, size_t *now_bytes, size_t *peak_bytes) {
    if (now_bytes) *now_bytes = ctx ? ctx->now_bytes : 0;
    if (peak_bytes) *peak_bytes = ctx ? ctx->peak_bytes : 0;
}

// Records the first error. Returns the status, so that a caller can return it on.
static R1I_PRINTF(3, 4) r1_status r1i_fail(r1_context *ctx, r1_status status, const char *format,
                                           ...) {
    if (!ctx || ctx->status != R1_OK) return status; // the first error is the useful one
    va_list args;
    va_start(args, format);
    vsnprintf(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    ctx->status = status;
    if (ctx->on_error) ctx->on_error(status, ctx->message, ctx->user);
    return status;
}

// a * b and a + b for sizes; SIZE_MAX when they do not fit, which no allocation grants.
static size_t r1i_size_mul(size_t a, size_t b) {
    return a && b > SIZE_MAX / a ? SIZE_MAX : a * b;
}
static size_t r1i_size_add(size_t a, size_t b) { return b > SIZE_MAX - a ? SIZE_MAX : a + b; }
static size_t r1i_round_up(size_t n, size_t multiple) {
    return n > SIZE_MAX - multiple ? SIZE_MAX : (n + multiple - 1) / multiple * multiple;
}
static size_t r1i_min(size_t a, size_t b) { return a < b ? a : b; }
static size_t r1i_max(size_t a, size_t b) { return a > b ? a : b; }
static size_t r1i_ceil_div(size_t a, size_t b) { return a / b + (a % b != 0); }

static void *r1i_libc_alloc(void *user, size_t bytes, size_t align) {
    (void)user;
#ifdef _WIN32
    return _aligned_malloc(bytes, align);
#else
    void *memory = NULL;
    return posix_memalign(&memory, align, bytes) == 0 ? memory : NULL;
#endif
}
static void r1i_libc_free(void *user, void *memory, size_t bytes) {
    (void)user, (void)bytes;
#ifdef _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

enum { R1I_ALIGN = 64 }; // a cache line, and the widest vector

// A zeroed block that belongs to the context; NULL and a sticky error when there is none.
static void *r1i_alloc(r1_context *ctx, size_t bytes) {
    if (ctx->status != R1_OK) return NULL;
    size_t total = r1i_size_add(r1i_round_up(bytes, R1I_ALIGN), R1I_ALIGN);
    r1i_block *block = NULL;
    if (total < SIZE_MAX / 2)
        block = (r1i_block *)ctx->allocator.alloc(ctx->allocator.user, total, R1I_ALIGN);
    if (!block) {
        r1i_fail(ctx, R1_ERROR_MEMORY, "no memory for %zu bytes (%zu bytes are in use)", bytes,
                 ctx->now_bytes);
        return NULL;
    }
    memset(block, 0, total);
    block->bytes = total;
    block->next = ctx->blocks;
    if (ctx->blocks) ctx->blocks->previous = block;
    ctx->blocks = block;
    ctx->now_bytes += total;
    if (ctx->now_bytes > ctx->peak_bytes) ctx->peak_bytes = ctx->now_bytes;
    return (char *)block + R1I_ALIGN;
}
// An array of n elements of `size` bytes.
static void *r1i_alloc_array(r1_context *ctx, size_t n, size_t size) {
    return r1i_alloc(ctx, r1i_size_mul(n, size));
}
// An object whose `close` runs when the context dies first.
static void *r1i_alloc_object(r1_context *ctx, size_t bytes, void (*close)(void *object)) {
    char *object = (char *)r1i_alloc(ctx, bytes);
    if (object) ((r1i_block *)(void *)(object - R1I_ALIGN))->close = close;
    return object;
}
static void r1i_free(r1_context *ctx, void *memory) {
    if (!memory) return;
    r1i_block *block = (r1i_block *)(void *)((char *)memory - R1I_ALIGN);
    if (block->previous)
        block->previous->next = block->next;
    else
        ctx->blocks = block->next;
    if (block->next) block->next->previous = block->previous;
    ctx->now_bytes -= block->bytes;
    ctx->allocator.free(ctx->allocator.user, block, block->bytes);
}
static char *r1i_copy_text(r1_context *ctx, const char *text, size_t size) {
    char *copy = (char *)r1i_alloc(ctx, r1i_size_add(size, 1));
    if (copy && size) memcpy(copy, text, size);
    return copy;
}

// Grows a block to at least `wanted` elements, by doubling; the content stays. On failure the old
// block stays valid and false is returned.
static bool r1i_grow(r1_context *ctx, void **array, size_t *capacity, size_t wanted, size_t size) {
    if (wanted <= *capacity) return true;
    size_t n = r1i_max(wanted, r1i_max(*capacity * 2, 16));
    void *bigger = r1i_alloc_array(ctx, n, size);
    if (!bigger) return false;
    if (*array) memcpy(bigger, *array, *capacity * size);
    r1i_free(ctx, *array);
    *array = bigger;
    *capacity = n;
    return true;
}

static char *r1i_chunk_space(r1i_chunk *chunk) { return (char *)chunk + R1I_ALIGN; }

// Space that is not zeroed: whoever asks for it writes it first.
static void *r1i_arena_alloc(r1_context *ctx, r1i_arena *arena, size_t bytes) {
    bytes = r1i_round_up(bytes ? bytes : 1, R1I_ALIGN);
    r1i_chunk *chunk = arena->chunk;
    if (!chunk || chunk->bytes - chunk->used < bytes) {
        size_t least = chunk ? chunk->bytes : (size_t)1 << 16;
        size_t size = r1i_max(bytes, least);
        chunk = (r1i_chunk *)r1i_alloc(ctx, r1i_size_add(size, R1I_ALIGN));
        if (!chunk) return NULL;
        chunk->bytes = size;
        chunk->next = arena->chunk;
        arena->chunk = chunk;
    }
    void *space = r1i_chunk_space(chunk) + chunk->used;
    chunk->used += bytes;
    return space;
}
static size_t r1i_arena_used(const r1i_arena *arena) {
    size_t used = 0;
    for (const r1i_chunk *c = arena->chunk; c; c = c->next) used += c->used;
    return used;
}
static r1i_mark r1i_arena_mark(r1i_arena *arena) {
    return (r1i_mark){arena->chunk, arena->chunk ? arena->chunk->used : 0};
}
static void r1i_arena_free(r1_context *ctx, r1i_arena *arena) {
    while (arena->chunk) {
        r1i_chunk *next = arena->chunk->next;
        r1i_free(ctx, arena->chunk);
        arena->chunk = next;
    }
}
// Back to a mark. When the arena becomes empty its chunks are melted into one.
static void r1i_arena_release(r1_context *ctx, r1i_arena *arena, r1i_mark mark) {
    size_t used = r1i_arena_used(arena), chunks = 0, total = 0;
    if (used > arena->peak_bytes) arena->peak_bytes = used;
    bool empty = !mark.chunk || (!mark.chunk->next && !mark.used);
    if (empty) {
        for (r1i_chunk *c = arena->chunk; c; c = c->next) chunks++, total += c->bytes;
        if (chunks > 1) {
            r1i_arena_free(ctx, arena);
            r1_status before = ctx->status;
            if (before == R1_OK && r1i_arena_alloc(ctx, arena, total)) arena->chunk->used = 0;
        } else if (arena->chunk) {
            arena->chunk->used = 0;
        }
        return;
    }
    while (arena->chunk != mark.chunk) { // a step that outgrew the arena in the middle
        r1i_chunk *next = arena->chunk->next;
        r1i_free(ctx, arena->chunk);
        arena->chunk = next;
    }
    arena->chunk->used = mark.used;
}

// 64-bit FNV-1a over 8-byte words: the hash that names weights in logs and guards checkpoints.
static uint64_t r1i_hash(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *p = (const unsigned char *)data;
    if (!hash) hash = 0xcbf29ce484222325u;
    for (; bytes >= 8; bytes -= 8, p += 8) {
        uint64_t word = 0;
        for (int i = 0; i < 8; i++) word |= (uint64_t)p[i] << (8 * i);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; bytes; bytes--, p++) hash = (hash ^ *p) * 0x100000001b3u;
    return hash;
}

static double r1i_seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ==== [random] ===================================================================================
// Counter-based random numbers: Philox4x32-10. Calls nothing above [base]. Integer arithmetic only,
// so every machine draws the same.
R1I_BODY void r1_random_block(uint64_t seed, const uint32_t counter[4], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}
R1I_BODY uint32_t r1_random_u32(r1_random *at) {
    uint32_t counter[4] = {at->stream << 24, at->step, at->sample, at->token++}, out[4];
    r1_random_block(at->seed, counter, out);
    return out[0];
}
// The 23 high bits, so that the half-step is exact and the result is never 0 or 1.
static float r1i_unit(uint32_t bits) { return ((float)(bits >> 9) + 0.5f) * 0x1p-23f; }

R1I_BODY float r1_random_unit(r1_random *at) { return r1i_unit(r1_random_u32(at)); }

R1I_BODY uint32_t r1_random_below(r1_random *at, uint32_t n) {
    if (n == 0) return 0;
    uint32_t limit = (uint32_t)(-n) % n; // the first 2^32 mod n values would favour low results
    for (;;) {
        uint64_t product = (uint64_t)r1_random_u32(at) * n;
        if ((uint32_t)product >= limit) return (uint32_t)(product >> 32);
    }
}

// ==== [thread] ===================================================================================
// A pool of workers that starts at its first use. Calls [base]. Waiting blocks after a short spin:
// a machine shared with other work must not pay for idle workers.
R1I_BODY int r1_thread_count(const r1_context *ctx) { return ctx ? ctx->threads : 1; }

#ifdef R1_NO_THREADS
R1I_BODY void r1_parallel_for(r1_context *ctx, size_t n, size_t grain, r1_task_fn *fn, void *arg) {
    (void)ctx, (void)grain;
    if (n) fn(arg, 0, n, 0);
}
static void r1i_pool_free(r1_context *ctx) { (void)ctx; }
#else
typedef struct r1i_worker_start {
    struct r1i_pool *pool;
    int worker;
} r1i_worker_start;

typedef struct r1i_pool {
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    pthread_t threads[R1I_MAX_THREADS];
    r1i_worker_start starts[R1I_MAX_THREADS];
    int started;           // workers that exist, the caller not counted
    bool quit, busy;
    uint64_t job;          // counts jobs; a worker waits until it changes
    int running;           // workers that have not finished the job
    atomic_uint_fast64_t seen_job; // what spinning workers look at
    atomic_size_t next;
    size_t n, grain;
    r1_task_fn *fn;
    void *arg;
} r1i_pool;

static void r1i_pool_work(r1i_pool *pool, int worker) {
    r1i_float_state state = r1i_float_enter();
    for (;;) {
        size_t begin = atomic_fetch_add(&pool->next, pool->grain);
        if (begin >= pool->n) break;
        pool->fn(pool->arg, begin, r1i_min(begin + pool->grain, pool->n), worker);
    }
    r1i_float_leave(state);
}
static void *r1i_pool_main(void *arg) {
    r1i_pool *pool = ((r1i_worker_start *)arg)->pool;
    int worker = ((r1i_worker_start *)arg)->worker;
    uint64_t job = 0;
    for (;;) {
        for (int spin = 0; spin < 2000 && atomic_load(&pool->seen_job) == job; spin++) {
#if defined __x86_64__ && defined __GNUC__
            __builtin_ia32_pause();
#endif
        }
        pthread_mutex_lock(&pool->mutex);
        while (pool->job == job && !pool->quit) pthread_cond_wait(&pool->wake, &pool->mutex);
        job = pool->job;
        bool quit = pool->quit;
        pthread_mutex_unlock(&pool->mutex);
        if (quit) return NULL;
        r1i_pool_work(pool, worker);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->running == 0) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->mutex);
    }
}
// Starts what can be started: fewer workers than asked for only cost time.
static r1i_pool *r1i_pool_of(r1_context *ctx) {
    if (ctx->pool) return (r1i_pool *)ctx->pool;
    r1i_pool *pool = (r1i_pool *)r1i_alloc(ctx, sizeof *pool);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 1; i < ctx->threads; i++) {
        pool->starts[i] = (r1i_worker_start){pool, i};
        pthread_t *thread = &pool->threads[pool->started];
        if (pthread_create(thread, NULL, r1i_pool_main, &pool->starts[i]) != 0) break;
        pool->started++;
    }
    ctx->pool = pool;
    return pool;
}
static void r1i_pool_free(r1_context *ctx) {
    r1i_pool *pool = (r1i_pool *)ctx->pool;
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->mutex);
    ctx->pool = NULL;
    r1i_free(ctx, pool);
}
R1I_BODY void r1_parallel_for(r1_context *ctx, size_t n, size_t grain, r1_task_fn *fn, void *arg) {
    if (!n) return;
    if (!grain) grain = 1;
    r1i_pool *pool = NULL;
    if (ctx && ctx->threads > 1 && n > grain) pool = r1i_pool_of(ctx);
    if (!pool || pool->busy || !pool->started) {
        fn(arg, 0, n, 0);
        return;
    }
    pool->busy = true;
    pool->n = n, pool->grain = grain, pool->fn = fn, pool->arg = arg;
    atomic_store(&pool->next, 0);
    pthread_mutex_lock(&pool->mutex);
    pool->running = pool->started;
    pool->job++;
    atomic_store(&pool->seen_job, pool->job);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    r1i_pool_work(pool, 0);
    pthread_mutex_lock(&pool->mutex);
    while (pool->running) pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    pool->busy = false;
}
#endif

// ==== [group] ====================================================================================
// Collectives between ranks: engines `self` and `threads`. Calls [base] and [thread]. The threads
// engine is real use on one machine, and what every test of several ranks runs on.
static r1_status r1i_self_reduce(r1_group *group, float *values, size_t count) {
    (void)group, (void)values, (void)count;
    return R1_OK;
}
static r1_status r1i_self_copy(r1_group *group, const void *from, void *to, size_t bytes) {
    (void)group;
    if (bytes) memmove(to, from, bytes);
    return R1_OK;
}
static r1_status r1i_self_scatter(r1_group *group, const float *from, float *to, size_t count) {
    return r1i_self_copy(group, from, to, count * sizeof *to);
}
static r1_status r1i_self_broadcast(r1_group *group, void *values, size_t bytes, int root) {
    (void)group, (void)values, (void)bytes, (void)root;
    return R1_OK;
}
static r1_status r1i_self_barrier(r1_group *group) {
    (void)group;
    return R1_OK;
}
static void r1i_self_abort(r1_group *group) { (void)group; }

R1I_BODY r1_group r1_group_self(void) {
    return (r1_group){.size = 1,
                      .all_reduce = r1i_self_reduce,
                      .all_gather = r1i_self_copy,
                      .reduce_scatter = r1i_self_scatter,
                      .broadcast = r1i_self_broadcast,
                      .all_to_all = r1i_self_copy,
                      .barrier = r1i_self_barrier,
                      .abort = r1i_self_abort};
}

enum { R1I_MAX_RANKS = 64 };

#ifdef R1_NO_THREADS
R1I_BODY r1_status r1_group_threads(int size, r1_rank_fn *fn, void *arg) {
    if (size != 1) return R1_ERROR_ARGUMENT;
    r1_group group = r1_group_self();
    return fn(&group, arg);
}
#else
typedef struct r1i_ranks {
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    int size, waiting;
    uint64_t round;
    bool failed;
    const void *posted[R1I_MAX_RANKS]; // what each rank offers in the present collective
    r1_rank_fn *fn;
    void *arg;
} r1i_ranks;

typedef struct r1i_rank_start {
    r1i_ranks *ranks;
    int rank;
    r1_status status;
} r1i_rank_start;

static r1_status r1i_ranks_barrier(r1_group *group) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    pthread_mutex_lock(&ranks->mutex);
    uint64_t round = ranks->round;
    if (++ranks->waiting == ranks->size) {
        ranks->waiting = 0;
        ranks->round++;
        pthread_cond_broadcast(&ranks->turn);
    }
    while (round == ranks->round && !ranks->failed) pthread_cond_wait(&ranks->turn, &ranks->mutex);
    bool failed = ranks->failed;
    pthread_mutex_unlock(&ranks->mutex);
    return failed ? R1_ERROR_GROUP : R1_OK;
}
static void r1i_ranks_abort(r1_group *group) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    pthread_mutex_lock(&ranks->mutex);
    ranks->failed = true;
    pthread_cond_broadcast(&ranks->turn);
    pthread_mutex_unlock(&ranks->mutex);
}
// Offers `mine` to the others and waits until all have offered theirs.
static r1_status r1i_ranks_post(r1_group *group, const void *mine) {
    ((r1i_ranks *)group->state)->posted[group->rank] = mine;
    return r1i_ranks_barrier(group);
}
static r1_status r1i_ranks_all_gather(r1_group *group, const void *mine, void *all, size_t bytes) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, mine);
    for (int r = 0; r < group->size && status == R1_OK; r++) {
        char *to = (char *)all + (size_t)r * bytes;
        if (bytes && to != ranks->posted[r]) memmove(to, ranks->posted[r], bytes);
    }
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
static r1_status r1i_ranks_all_to_all(r1_group *group, const void *out, void *in, size_t bytes) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, out);
    for (int r = 0; r < group->size && status == R1_OK; r++) {
        const char *from = (const char *)ranks->posted[r] + (size_t)group->rank * bytes;
        if (bytes) memcpy((char *)in + (size_t)r * bytes, from, bytes);
    }
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
static r1_status r1i_ranks_broadcast(r1_group *group, void *values, size_t bytes, int root) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, values);
    if (status == R1_OK && group->rank != root && bytes)
        memcpy(values, ranks->posted[root], bytes);
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// The sum of one element over ranks lo .. hi-1, along the tree that halves the range.
static float r1i_tree_sum(const void *const *posted, size_t index, int lo, int hi) {
    if (hi - lo == 1) return ((const float *)posted[lo])[index];
    int middle = lo + (hi - lo + 1) / 2;
    return r1i_tree_sum(posted, index, lo, middle) + r1i_tree_sum(posted, index, middle, hi);
}
static r1_status r1i_ranks_reduce_scatter(r1_group *group, const float *values, float *mine,
                                          size_t count) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, values);
    size_t first = (size_t)group->rank * count;
    for (size_t i = 0; i < count && status == R1_OK; i++)
        mine[i] = r1i_tree_sum(ranks->posted, first + i, 0, group->size);
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// In place needs two phases: all ranks read, then all ranks write.
static r1_status r1i_ranks_all_reduce(r1_group *group, float *values, size_t count) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, values);
    float *sum = status == R1_OK ? (float *)malloc(count * sizeof *sum + 1) : NULL;
    if (!sum) {
        r1i_ranks_abort(group);
        return status == R1_OK ? R1_ERROR_MEMORY : status;
    }
    for (size_t i = 0; i < count; i++)
        sum[i] = r1i_tree_sum(ranks->posted, i, 0, group->size);
    status = r1i_ranks_barrier(group);
    if (status == R1_OK && count) memcpy(values, sum, count * sizeof *sum);
    free(sum);
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
static void *r1i_rank_main(void *arg) {
    r1i_rank_start *start = (r1i_rank_start *)arg;
    r1_group group = {.rank = start->rank,
                      .size = start->ranks->size,
                      .all_reduce = r1i_ranks_all_reduce,
                      .all_gather = r1i_ranks_all_gather,
                      .reduce_scatter = r1i_ranks_reduce_scatter,
                      .broadcast = r1i_ranks_broadcast,
                      .all_to_all = r1i_ranks_all_to_all,
                      .barrier = r1i_ranks_barrier,
                      .abort = r1i_ranks_abort,
                      .state = start->ranks};
    start->status = start->ranks->fn(&group, start->ranks->arg);
    if (start->status != R1_OK) r1i_ranks_abort(&group);
    return NULL;
}
R1I_BODY r1_status r1_group_threads(int size, r1_rank_fn *fn, void *arg) {
    if (size < 1 || size > R1I_MAX_RANKS || !fn) return R1_ERROR_ARGUMENT;
    r1i_ranks ranks = {.size = size, .fn = fn, .arg = arg};
    r1i_rank_start starts[R1I_MAX_RANKS];
    pthread_t threads[R1I_MAX_RANKS];
    pthread_mutex_init(&ranks.mutex, NULL);
    pthread_cond_init(&ranks.turn, NULL);
    int started = 0;
    r1_status status = R1_OK;
    for (int r = 0; r < size; r++) starts[r] = (r1i_rank_start){&ranks, r, R1_ERROR_GROUP};
    for (; started < size; started++)
        if (pthread_create(&threads[started], NULL, r1i_rank_main, &starts[started]) != 0) break;
    if (started < size) { // the ranks that run must not wait for those that never will
        r1_group group = {.state = &ranks};
        r1i_ranks_abort(&group);
    }
    for (int r = 0; r < started; r++) pthread_join(threads[r], NULL);
    for (int r = size - 1; r >= 0; r--) // a rank that failed on its own tells more than a survivor
        if (starts[r].status != R1_OK && (status == R1_OK || starts[r].status != R1_ERROR_GROUP))
            status = starts[r].status;
    pthread_cond_destroy(&ranks.turn);
    pthread_mutex_destroy(&ranks.mutex);
    return status;
}
#endif

// ==== [number] ===================================================================================
// Number formats and elementary functions. Calls [base]. Every rounding below is explicit: fma is
// fma, a lone multiply or add is guarded by R1I_KEEP, so all compilers give the same bits.
static const struct {
    const char *name;
    size_t bytes;
} r1i_dtypes[R1_DTYPE_COUNT] = {
    [R1_F32] = {"F32", 4},         [R1_F64] = {"F64", 8}, [R1_F16] = {"F16", 2},
    [R1_BF16] = {"BF16", 2},       [R1_I32] = {"I32", 4}, [R1_I64] = {"I64", 8},
    [R1_F8_E4M3] = {"F8_E4M3", 1}, [R1_U8] = {"U8", 1},
};
R1I_BODY size_t r1_dtype_bytes(r1_dtype dtype) {
    return (unsigned)dtype < R1_DTYPE_COUNT ? r1i_dtypes[dtype].bytes : 0;
}
R1I_BODY const char *r1_dtype_name(r1_dtype dtype) {
    return (unsigned)dtype < R1_DTYPE_COUNT ? r1i_dtypes[dtype].name : NULL;
}

static uint32_t r1i_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static float r1i_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

R1I_BODY uint16_t r1_to_bf16(float x) {
    uint32_t bits = r1i_bits(x);
    if (x != x) return (uint16_t)((bits >> 16) | 0x40u); // rounding could carry NaN to infinity
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
R1I_BODY float r1_from_bf16(uint16_t bits) { return r1i_float((uint32_t)bits << 16); }

// Rounds x to a format with `mantissa` bits whose smallest normal exponent is `least`; the result is
// still a float. Adding and subtracting a power of two rounds at the wanted bit.
static float r1i_round_to(float x, int mantissa, int least) {
    uint32_t exponent = (r1i_bits(x) >> 23) & 255u;
    int e = exponent ? (int)exponent - 127 : -126;
    if (e < least) e = least;
    float magic = r1i_float((uint32_t)(e + 23 - mantissa + 127) << 23) * 1.5f;
    float up = x + magic;
    R1I_KEEP(up);
    float down = up - magic;
    R1I_KEEP(down);
    return down;
}
R1I_BODY uint16_t r1_to_f16(float x) {
    uint32_t sign = (r1i_bits(x) >> 16) & 0x8000u;
    if (x != x) return (uint16_t)(sign | 0x7e00u);
    float magnitude = r1i_float(r1i_bits(x) & 0x7fffffffu);
    if (magnitude >= 65520.0f) return (uint16_t)(sign | 0x7c00u);
    float rounded = r1i_round_to(magnitude, 10, -14);
    if (rounded < 0x1p-14f) return (uint16_t)(sign | (uint32_t)(rounded * 0x1p24f));
    uint32_t bits = r1i_bits(rounded);
    return (uint16_t)(sign | (((bits >> 23) - 112u) << 10) | ((bits >> 13) & 0x3ffu));
}
R1I_BODY float r1_from_f16(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u;
    uint32_t mantissa = bits & 0x3ffu;
    if (exponent == 31) return r1i_float(sign | 0x7f800000u | (mantissa << 13));
    if (exponent == 0) { // a denormal is mantissa * 2^-24
        float x = (float)mantissa * 0x1p-24f;
        return r1i_float(sign | r1i_bits(x));
    }
    return r1i_float(sign | ((exponent + 112u) << 23) | (mantissa << 13));
}
R1I_BODY uint8_t r1_to_f8(float x) {
    uint32_t sign = (r1i_bits(x) >> 24) & 0x80u;
    if (x != x) return (uint8_t)(sign | 0x7fu);
    float magnitude = r1i_float(r1i_bits(x) & 0x7fffffffu);
    if (magnitude > 448.0f) magnitude = 448.0f;
    float rounded = r1i_round_to(magnitude, 3, -6);
    if (rounded < 0x1p-6f) return (uint8_t)(sign | (uint32_t)(rounded * 0x1p9f));
    uint32_t bits = r1i_bits(rounded);
    return (uint8_t)(sign | (((bits >> 23) - 120u) << 3) | ((bits >> 20) & 7u));
}
R1I_BODY float r1_from_f8(uint8_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x80u) << 24, exponent = (bits >> 3) & 15u;
    uint32_t mantissa = bits & 7u;
    if (exponent == 15 && mantissa == 7) return r1i_float(sign | 0x7fc00000u);
    if (exponent == 0) return r1i_float(sign | r1i_bits((float)mantissa * 0x1p-9f));
    return r1i_float(sign | ((exponent + 120u) << 23) | (mantissa << 20));
}

// Fused multiply-add, exact in every build: hardware where the compiler may use it, else libm's,
// which the C standard defines to round once.
R1I_INLINE float r1i_fmaf(float a, float b, float c) { return fmaf(a, b, c); }

// e^x. x = k ln 2 + r with k found by adding 1.5 * 2^23; a polynomial of degree 6 on |r| < 0.35; the
// scaling by 2^k in two factors, so that results below 2^-126 round once and correctly.
static float r1i_expf(float x) {
    float floor_x = -104.0f < x ? x : -104.0f; // operand order: a NaN x must survive both lines
    if (x != x) floor_x = x;
    x = floor_x > 89.0f ? 89.0f : floor_x;
    float shifted = r1i_fmaf(x, 1.44269504f, 12582912.0f);
    R1I_KEEP(shifted);
    float k = shifted - 12582912.0f;
    R1I_KEEP(k);
    float r = r1i_fmaf(k, -0x1.62e4p-1f, x); // ln 2 in two parts; the first ends in 9 zero bits
    r = r1i_fmaf(k, -1.42860677e-6f, r);
    float p = r1i_fmaf(r, 0.0013813143596053123f, 0.008369418792426586f);
    p = r1i_fmaf(p, r, 0.04166845604777336f);
    p = r1i_fmaf(p, r, 0.16666515171527863f);
    p = r1i_fmaf(p, r, 0.4999999403953552f);
    float square = r * r;
    R1I_KEEP(square);
    p = r1i_fmaf(p, square, r);
    p = p + 1.0f;
    R1I_KEEP(p);
    if (p != p) return p;
    int32_t n = (int32_t)(r1i_bits(shifted) - 0x4b400000u), half = n >> 1;
    p = p * r1i_float((uint32_t)(half + 127) << 23);
    R1I_KEEP(p);
    p = p * r1i_float((uint32_t)(n - half + 127) << 23);
    R1I_KEEP(p);
    return p;
}
// ln x. x = 2^e m with m in [sqrt(1/2), sqrt(2)); a polynomial of degree 8 in m - 1.
static float r1i_logf(float x) {
    if (x != x) return x;
    if (x < 0.0f) return r1i_float(0x7fc00000u);
    if (x == 0.0f) return r1i_float(0xff800000u);
    if (x > 3.40282347e38f) return x;
    bool tiny = x < 0x1p-126f;
    float y = tiny ? x * 0x1p23f : x;
    R1I_KEEP(y);
    uint32_t bits = r1i_bits(y);
    int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23;
    float m = r1i_float(bits - ((uint32_t)e << 23));
    float exponent = (float)(e - (tiny ? 23 : 0));
    float f = m - 1.0f;
    R1I_KEEP(f);
    float p = r1i_fmaf(f, 0.06746627390384674f, -0.11675648391246796f);
    p = r1i_fmaf(p, f, 0.11888166517019272f);
    p = r1i_fmaf(p, f, -0.1240558996796608f);
    p = r1i_fmaf(p, f, 0.14219552278518677f);
    p = r1i_fmaf(p, f, -0.1666799634695053f);
    p = r1i_fmaf(p, f, 0.2000211924314499f);
    p = r1i_fmaf(p, f, -0.25000008940696716f);
    p = r1i_fmaf(p, f, 0.3333331346511841f);
    float square = f * f;
    R1I_KEEP(square);
    float g = r1i_fmaf(p, f, -0.5f);
    float low = r1i_fmaf(exponent, 1.42860677e-6f, f);
    float sum = r1i_fmaf(g, square, low);
    return r1i_fmaf(exponent, 0x1.62e4p-1f, sum);
}
R1I_BODY float r1_exp(float x) { return r1i_expf(x); }
R1I_BODY float r1_log(float x) { return r1i_logf(x); }

// The same in double, for tables and schedules: series to the last bit or two, no libm.
static double r1i_exp_double(double x) {
    if (x != x) return x;
    if (x > 709.0) return HUGE_VAL;
    if (x < -740.0) return 0;
    double k = (double)(int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = fma(-k, 1.90821492927058770002e-10, fma(-k, 6.93147180369123816490e-01, x));
    double p = 1;
    for (int i = 14; i > 0; i--) p = fma(p, r / i, 1.0);
    return ldexp(p, (int)k);
}
static double r1i_log_double(double x) {
    if (!(x > 0)) return x == 0 ? -HUGE_VAL : NAN;
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) m *= 2, e--;
    double s = (m - 1) / (m + 1), square = s * s, p = 0;
    for (int i = 39; i > 0; i -= 2) p = fma(p, square, 1.0 / i);
    return fma((double)e, 6.93147180369123816490e-01,
               fma((double)e, 1.90821492927058770002e-10, 2 * s * p));
}
// sin and cos by reduction to [-pi/4, pi/4] with pi/2 in three parts (good up to about 10^9).
static void r1i_sin_cos(double x, double *sine, double *cosine) {
    double turns = x * 0.63661977236758134308;
    double k = (double)(int64_t)(turns + (turns < 0 ? -0.5 : 0.5));
    double r = fma(-k, 1.57079632673412561417e+00, x);
    r = fma(-k, 6.07710050630396597660e-11, r);
    r = fma(-k, 2.02226624879595063154e-21, r);
    double square = r * r, s = 0, c = 0;
    for (int i = 8; i > 0; i--) s = fma(s, square, 1.0) * -1.0 / (2.0 * i * (2.0 * i + 1)) ;
    for (int i = 8; i > 0; i--) c = fma(c, square, 1.0) * -1.0 / (2.0 * i * (2.0 * i - 1));
    s = fma(s * square, r, r), c = fma(c, square, 1.0);
    switch ((int)((int64_t)k & 3)) {
    case 0: *sine = s, *cosine = c; break;
    case 1: *sine = c, *cosine = -s; break;
    case 2: *sine = -s, *cosine = -c; break;
    default: *sine = -c, *cosine = s; break;
    }
}
R1I_BODY float r1_random_normal(r1_random *at) {
    double s, c, a = r1_random_unit(at), b = r1_random_unit(at);
    r1i_sin_cos(6.28318530717958647693 * b, &s, &c);
    return (float)(sqrt(-2.0 * r1i_log_double(a)) * c);
}

// ==== [context] ==================================================================================
// Makes and frees contexts. Calls the rooms above. The known-answer test catches what no macro
// shows, such as clang's -funsafe-math-optimizations or a compiler that does not exist yet.
static uint32_t r1i_volatile_bits(volatile float *x) {
    float copy = *x;
    return r1i_bits(copy);
}
// The name of the first arithmetic fact that this build gets wrong, or NULL. Inputs are volatile, so
// nothing is computed at compile time.
static R1I_NOINLINE const char *r1i_arithmetic_fault(void) {
    volatile float a = 1.0f + 0x1p-12f, sum = -1.0f - 0x1p-11f;
    volatile float one = -1.0f, third = 3.0f, tiny = 0x1p-130f;
    volatile float result, quiet = r1i_float(0x7fc00000u), big = 12582912.0f, small = 0.3f;
    float x = a, c = sum, product = x * x;
    R1I_KEEP(product);
    result = product + c; // exactly 0 when the product is rounded first; fused it is 2^-24
    if (r1i_volatile_bits(&result) != 0) return "a * b + c is fused (-ffp-contract=fast)";
    result = r1i_fmaf(x, x, c);
    if (r1i_volatile_bits(&result) != 0x33800000u) return "fma does not round once";
    float shifted = small + big;
    R1I_KEEP(shifted);
    result = shifted - big;
    if (r1i_volatile_bits(&result) != 0) return "(a + b) - b is folded (-fassociative-math)";
    result = one / third;
    if (r1i_volatile_bits(&result) != 0xbeaaaaabu) return "division is not exact (-freciprocal-math)";
    result = 1.0f / sqrtf(third);
    if (r1i_volatile_bits(&result) != 0x3f13cd3au) return "1/sqrt is an estimate (-mrecip)";
    result = tiny * 0.5f;
    if (r1i_volatile_bits(&result) != 0x00040000u) return "denormals are flushed (-ffast-math)";
    float q = quiet;
    if (q == q) return "NaN compares equal to itself (-ffinite-math-only)";
    result = r1i_expf(small);
    if (r1i_volatile_bits(&result) != 0x3facc82cu) return "exp has other bits";
    result = r1i_logf(small);
    if (r1i_volatile_bits(&result) != 0xbf9a1bc8u) return "log has other bits";
    return NULL;
}
static int r1i_core_count(void) {
#if defined _SC_NPROCESSORS_ONLN && !defined R1_NO_THREADS
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > R1I_MAX_THREADS ? R1I_MAX_THREADS : (int)n;
#else
    return 1;
#endif
}
R1I_BODY r1_context *r1_context_new(const r1_context_desc *given) {
    r1_context_desc desc = {0};
    if (given) desc = *given;
    if (!desc.allocator.alloc || !desc.allocator.free)
        desc.allocator = (r1_allocator){r1i_libc_alloc, r1i_libc_free, NULL};
    r1_context *ctx =
        (r1_context *)desc.allocator.alloc(desc.allocator.user, sizeof *ctx, R1I_ALIGN);
    if (!ctx) return NULL;
    memset(ctx, 0, sizeof *ctx);
    ctx->allocator = desc.allocator;
    ctx->on_error = desc.on_error;
    ctx->user = desc.user;
    ctx->seed = desc.seed;
    ctx->cpu_level = desc.cpu_level;
    ctx->threads = desc.threads ? desc.threads : r1i_core_count();
    if (ctx->threads < 1 || ctx->threads > R1I_MAX_THREADS || desc.cpu_level < 0 ||
        desc.cpu_level >= R1_CPU_LEVEL_COUNT) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "context: threads %d is not in 0..%d, or cpu_level %d in 0..%d",
                 desc.threads, R1I_MAX_THREADS, (int)desc.cpu_level, R1_CPU_LEVEL_COUNT - 1);
        ctx->threads = 1, ctx->cpu_level = R1_CPU_SCALAR;
    }
    r1i_float_state state = r1i_float_enter();
    const char *fault = r1i_arithmetic_fault();
    r1i_float_leave(state);
    if (fault)
        r1i_fail(ctx, R1_ERROR_ARITHMETIC,
                 "context: this build breaks the arithmetic: %s; compile the file with "
                 "R1_IMPLEMENTATION without that flag",
                 fault);
    return ctx;
}
R1I_BODY void r1_context_free(r1_context *ctx) {
    if (!ctx) return;
    while (ctx->blocks) { // newest first: an object is younger than what it stands on
        r1i_block *block = ctx->blocks;
        void *object = (char *)block + R1I_ALIGN;
        void (*close)(void *) = block->close;
        if (object == ctx->pool) {
            r1i_pool_free(ctx);
        } else if (close) {
            block->close = NULL;
            close(object);
        } else {
            r1i_free(ctx, object);
        }
    }
    r1_allocator allocator = ctx->allocator;
    allocator.free(allocator.user, ctx, sizeof *ctx);
}
R1I_BODY uint64_t r1_seed_of(const r1_context *ctx) { return ctx ? ctx->seed : 0; }

#if defined __clang__
#pragma float_control(pop)
#elif defined __GNUC__
#pragma GCC pop_options
#endif
#endif // R1_IMPLEMENTATION
