// What the fuzz targets share: each is one function over bytes that must not crash, read what is
// not there, keep memory, or break a promise of its own.
//
//     make fuzz                  every target for a minute under libFuzzer and sanitizers
//     make fuzz SECONDS=600      for longer; new inputs stay in build/fuzz/NAME.in/
//     tests/fuzz/keep NAME       makes corpus/NAME.hex of them, one input a line
//
// Without FUZZ_ENGINE any compiler makes a program for one input, the corpus, or changed seeds:
//
//     build/fuzz/NAME FILE...
//     build/fuzz/NAME --corpus tests/fuzz/corpus/NAME.hex
//     build/fuzz/NAME --rounds 100000
//     build/fuzz/NAME --damage                                       every cut and bit of the seeds
//     build/fuzz/NAME --unpack tests/fuzz/corpus/NAME.hex FOLDER     with the seeds
#include "r1.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A good input, which changes begin with: a small file of each kind that the target reads. Targets
// define them, and may make their text in fuzz_begin.
typedef struct fuzz_seed {
    const char *text;
    size_t size;
} fuzz_seed;
#define FUZZ_TEXT(text)                                                                            \
    { text, sizeof text - 1 }
extern fuzz_seed fuzz_seeds[]; // the last one has no text
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size);
void fuzz_begin(r1_context *ctx); // once, before the first input

// A promise that is broken ends the program, which is what a fuzzer looks for.
static void promise(bool kept, const char *what) {
    if (!kept) fprintf(stderr, "fuzz: broken: %s\n", what), abort();
}
// One context for all inputs, since its making takes longer than a run.
static r1_context *fuzz_context(void) {
    static r1_context *ctx;
    if (!ctx) fuzz_begin(ctx = r1_context_new(NULL));
    return ctx;
}
// The number that the next file would get: the same before and after when none stays open.
static int next_file(void) {
    int file = dup(2);
    if (file >= 0) close(file);
    return file;
}
// An input leaves nothing behind.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    r1_context *ctx = fuzz_context();
    size_t before, after;
    int file = next_file();
    r1_memory_used(ctx, &before, NULL);
    fuzz_target(ctx, data, size);
    r1_error_clear(ctx);
    r1_memory_used(ctx, &after, NULL);
    promise(after == before, "no memory stays");
    promise(next_file() == file, "no file stays open");
    return 0;
}

#ifndef FUZZ_ENGINE
enum { FUZZ_MOST = 1 << 16 };
// A block of exactly this size: a sanitizer then sees a read behind its end.
static void run_bytes(const uint8_t *data, size_t size) {
    uint8_t *exact = (uint8_t *)malloc(size ? size : 1);
    promise(exact != NULL, "there is memory");
    memcpy(exact, data, size), LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}
static int run_file(const char *path) {
    static uint8_t data[FUZZ_MOST];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof data, file) : 0;
    if (!file) return perror(path), 1;
    fclose(file), run_bytes(data, size);
    return 0;
}
// A seed with a few bytes changed or copied from elsewhere in it, and every fourth one cut.
static void run_rounds(long rounds) {
    static uint8_t data[FUZZ_MOST];
    r1_random at = {.seed = 1, .stream = R1_STREAM_USER};
    uint32_t count = 0;
    while (fuzz_seeds[count].text) count++;
    for (long i = 0; i < rounds; i++) {
        const fuzz_seed *seed = &fuzz_seeds[r1_random_below(&at, count)];
        uint32_t size = (uint32_t)seed->size, changes = r1_random_below(&at, 6);
        memcpy(data, seed->text, size);
        for (; changes; changes--) {
            uint8_t *place = data + r1_random_below(&at, size);
            *place = i & 64 ? (uint8_t)r1_random_u32(&at) : data[r1_random_below(&at, size)];
        }
        run_bytes(data, i & 3 ? size : r1_random_below(&at, size));
    }
}
// Each seed cut after every byte, and with every single bit flipped.
static void run_damage(void) {
    static uint8_t data[FUZZ_MOST];
    for (const fuzz_seed *seed = fuzz_seeds; seed->text; seed++) {
        memcpy(data, seed->text, seed->size);
        for (size_t cut = 0; cut <= seed->size; cut++) run_bytes(data, cut);
        for (size_t bit = 0; bit < 8 * seed->size; bit++) {
            data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            run_bytes(data, seed->size);
            data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}
static int write_bytes(const char *folder, const char *kind, int number, const void *data,
                       size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%03d", folder, kind, number);
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(data, 1, size, file) == size;
    if (!file || fclose(file) || !good) return perror(path), 1;
    return 0;
}
// Lines of hexadecimal digits, an input each: runs them, or writes each into a file of `folder`.
static int run_corpus(const char *path, const char *folder) {
    static uint8_t data[FUZZ_MOST];
    FILE *file = fopen(path, "r");
    int code = 0, number = 0;
    size_t size = 0;
    unsigned byte;
    if (!file) return perror(path), 1;
    for (int end; !code && size < FUZZ_MOST && fscanf(file, "%2x", &byte) == 1;) {
        data[size++] = (uint8_t)byte;
        if ((end = getc(file)) != '\n') {
            ungetc(end, file);
            continue;
        }
        if (folder)
            code = write_bytes(folder, "kept", number, data, size);
        else
            run_bytes(data, size);
        size = 0, number++;
    }
    if ((!feof(file) || !number) && !code)
        code = 1, fprintf(stderr, "%s: not lines of hex\n", path);
    fclose(file);
    for (int i = 0; folder && !code && fuzz_seeds[i].text; i++)
        code = write_bytes(folder, "seed", i, fuzz_seeds[i].text, fuzz_seeds[i].size);
    return code;
}
int main(int argc, char **argv) {
    int code = 0;
    fuzz_context(); // makes the seeds
    if (argc == 2 && !strcmp(argv[1], "--damage")) return run_damage(), 0;
    if (argc == 3 && !strcmp(argv[1], "--rounds")) return run_rounds(strtol(argv[2], NULL, 10)), 0;
    if (argc == 3 && !strcmp(argv[1], "--corpus")) return run_corpus(argv[2], NULL);
    if (argc == 4 && !strcmp(argv[1], "--unpack")) return run_corpus(argv[2], argv[3]);
    for (int i = 1; i < argc; i++) code |= run_file(argv[i]);
    return code;
}
#endif
