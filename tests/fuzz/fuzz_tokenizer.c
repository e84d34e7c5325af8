// Fuzzes the readers of tokenizer files, and encoding with whatever they let through. The first
// byte of an input picks the file that the rest is: tokenizer.json, merges.txt, .tiktoken or
// tokenizer_config.json, or a text for a good tokenizer.
//
//     clang -g -O1 -fsanitize=fuzzer,address,undefined -DFUZZ_ENGINE -I. \
//         tests/fuzz/fuzz_tokenizer.c -o build/fuzz_tokenizer -lm -lpthread
//     build/fuzz_tokenizer -max_len=4096 CORPUS
//
// Without FUZZ_ENGINE any compiler makes a program that runs over files, or makes inputs itself:
//
//     build/fuzz_tokenizer FILE...
//     build/fuzz_tokenizer --rounds 100000
#define R1_IMPLEMENTATION
#include "r1.h"

static const char good[] =
    "{\"added_tokens\":[{\"id\":9,\"content\":\"<e>\"}],\"normalizer\":null,\"pre_tokenizer\":"
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
    "\"\\\\p{N}{1,3}\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\","
    "\"add_prefix_space\":false,\"use_regex\":true}]},\"decoder\":{\"type\":\"ByteLevel\"},"
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"\\u0120\":2,\"ab\":3,\"\\u0120ab\":4,"
    "\"abab\":5,\"<\":6,\"e\":7,\">\":8},\"merges\":[\"a b\",\"\\u0120 ab\",[\"ab\",\"ab\"]]}}";
static const char vocab[] = "{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3,\"\\u0120\":4}";

static r1_slice slice(const char *text) { return (r1_slice){text, strlen(text)}; }
// A promise that is broken ends the program, which is what a fuzzer looks for.
static void promise(bool kept, const char *what) {
    if (!kept) fprintf(stderr, "fuzz_tokenizer: broken: %s\n", what), abort();
}
static void round_trip(const r1_tokenizer *tok, const char *text, size_t size) {
    int32_t *ids = (int32_t *)malloc((size + 1) * sizeof *ids);
    char *back = (char *)malloc(size + 1);
    size_t n = ids && back ? r1_encode(tok, text, size, ids, size) : SIZE_MAX;
    if (n != SIZE_MAX) {
        promise(n <= size, "no more ids than bytes");
        promise(r1_decode(tok, ids, n, back, size + 1) == size, "the size comes back");
        promise(memcmp(back, text, size) == 0, "the text comes back");
    }
    free(ids), free(back);
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    static r1_context *ctx; // kept, since its making takes longer than a run
    size_t before, after;
    if (!ctx) ctx = r1_context_new(NULL);
    r1_memory_used(ctx, &before, NULL);
    r1_slice text = {(const char *)data + 1, size - 1};
    r1_tokenizer_desc desc = {.split = (r1_split)(data[0] / 8 % R1_SPLIT_COUNT)};
    switch (data[0] % 8) {
    case 0:
    case 1:
        desc.json = text;
        break;
    case 2:
        desc.vocab = slice(vocab), desc.merges = text;
        break;
    case 3:
        desc.ranks = text;
        break;
    case 4:
        desc.json = slice(good), desc.config = text;
        break;
    default:
        desc.json = slice(good);
        break;
    }
    r1_tokenizer *tok = r1_tokenizer_new(ctx, &desc);
    promise((tok != NULL) == (r1_status_of(ctx) == R1_OK), "a tokenizer or a reason");
    if (tok) round_trip(tok, text.data, text.size);
    if (tok) round_trip(tok, "ab abab<e>12345\xe4\xbd ab", 21);
    if (data[0] % 8 > 5) { // any text trains a tokenizer that gives it back
        r1_bpe_desc train = {.vocab = 280, .split = desc.split};
        r1_tokenizer *trained = r1_tokenizer_train(ctx, &text, 1, &train);
        promise(trained != NULL, "training works");
        round_trip(trained, text.data, text.size);
        r1_tokenizer_free(trained);
    }
    r1_tokenizer_free(tok);
    r1_error_clear(ctx);
    r1_memory_used(ctx, &after, NULL);
    promise(after == before, "no memory stays");
    return 0;
}

#ifndef FUZZ_ENGINE
static int run_file(const char *path) {
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof data, file) : 0;
    if (!file) return perror(path), 1;
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    return 0;
}
// Good files with a few bytes changed, cut and doubled.
static void run_rounds(long rounds) {
    static const char *const seeds[] = {good, "#version: 0.2\na b\nab a\n",
                                        "YQ== 0\nYg== 1\nYWI= 2\n",
                                        "{\"bos_token\":\"<e>\",\"chat_template\":\"x\"}"};
    static const uint8_t kinds[] = {0, 2, 3, 4};
    uint8_t data[2048];
    r1_random at = {.seed = 1, .stream = R1_STREAM_USER};
    for (long i = 0; i < rounds; i++) {
        uint32_t seed = r1_random_below(&at, 4), changes = r1_random_below(&at, 6);
        size_t size = strlen(seeds[seed]);
        memcpy(data + 1, seeds[seed], size);
        data[0] = (uint8_t)((r1_random_u32(&at) & 0xf8u) | (i % 8 < 5 ? kinds[seed] : i % 8));
        for (; changes; changes--)
            data[1 + r1_random_below(&at, (uint32_t)size)] =
                i & 64 ? (uint8_t)r1_random_u32(&at)
                       : data[1 + r1_random_below(&at, (uint32_t)size)];
        LLVMFuzzerTestOneInput(data, i & 3 ? size + 1 : 1 + r1_random_below(&at, (uint32_t)size));
    }
}
int main(int argc, char **argv) {
    int code = 0;
    if (argc == 3 && !strcmp(argv[1], "--rounds")) return run_rounds(strtol(argv[2], NULL, 10)), 0;
    for (int i = 1; i < argc; i++) code |= run_file(argv[i]);
    return code;
}
#endif
