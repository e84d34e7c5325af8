// Fuzzes the readers of tokenizer files, and encoding with whatever they let through. The first
// byte of an input picks the file that the rest is: tokenizer.json, vocab.json, merges.txt,
// .tiktoken, tokenizer_config.json, chat_template.jinja, or a text for a good tokenizer; its upper
// bits pick the split.
#include "fuzz.h"

#define GOOD                                                                                       \
    "{\"added_tokens\":[{\"id\":9,\"content\":\"<e>\"}],\"normalizer\":null,\"pre_tokenizer\":"    \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"        \
    "\"\\\\p{N}{1,3}\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\","      \
    "\"add_prefix_space\":false,\"use_regex\":true}]},\"decoder\":{\"type\":\"ByteLevel\"},"       \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"\\u0120\":2,\"ab\":3,\"\\u0120ab\":" \
    "4,"                                                                                           \
    "\"abab\":5,\"<\":6,\"e\":7,\">\":8},\"merges\":[\"a b\",\"\\u0120 ab\",[\"ab\",\"ab\"]]}}"
#define VOCAB "{\"a\":0,\"b\":1,\"ab\":2,\"aba\":3,\"\\u0120\":4}"
fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT("\x00" GOOD),
    FUZZ_TEXT("\x08" GOOD),
    FUZZ_TEXT("\x09" VOCAB),
    FUZZ_TEXT("\x02#version: 0.2\na b\nab a\n"),
    FUZZ_TEXT("\x03YQ== 0\nYg== 1\nYWI= 2\n"),
    FUZZ_TEXT("\x04{\"bos_token\":\"<e>\",\"chat_template\":\"x\"}"),
    FUZZ_TEXT("\x05"
              "ab abab<e> \xe4\xbd\xa0 12345"),
    FUZZ_TEXT("\x05"
              "a\xcc\x81\xcc\xa3\xcd\x84 \xe1\x84\x80\xe1\x85\xa1 b"),
    FUZZ_TEXT("\x0eIt's a b, it's an ab: 123 abab\r\n\t x\xc3\xa9y"),
    FUZZ_TEXT("\x07{% if true %}x\\n{% endif %}\n"),
    FUZZ_TEXT("\x16"
              "12345 \xe4\xbd\xa0\xe5\xa5\xbd ABC'll\n\n  x"),
    {NULL, 0},
};
static r1_slice slice(const char *text) { return (r1_slice){text, strlen(text)}; }
// With NFC another text may come back, and a longer one.
static void round_trip(const r1_tokenizer *tok, const char *text, size_t size, bool nfc) {
    size_t room = nfc ? 3 * size : size;
    int32_t *ids = (int32_t *)malloc((room + 1) * sizeof *ids);
    char *back = (char *)malloc(size + 1);
    size_t n = ids && back ? r1_encode(tok, text, size, ids, room) : SIZE_MAX;
    promise(n <= room || n == SIZE_MAX, "no more ids than bytes, with NFC 3 a byte");
    if (n != SIZE_MAX && !nfc) {
        promise(r1_decode(tok, ids, n, back, size + 1) == size, "the size comes back");
        promise(memcmp(back, text, size) == 0, "the text comes back");
    }
    free(ids), free(back);
}
void fuzz_begin(r1_context *ctx) { (void)ctx; }
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    static const char good[] = GOOD;
    if (!size) return;
    r1_slice text = {(const char *)data + 1, size - 1};
    r1_tokenizer_desc desc = {.split = (r1_split)(data[0] / 8 % R1_SPLIT_COUNT)};
    bool nfc = false;
    switch (data[0] % 8) {
    case 0:
        desc.json = text;
        for (size_t i = 0; i + 3 <= text.size; i++) // as it stands, or escaped
            nfc |= !memcmp(text.data + i, "NFC", 3) || !memcmp(text.data + i, "\\u0", 3);
        break;
    case 1:
        desc.vocab = text, desc.merges = slice("#version: 0.2\na b\nab a\n");
        break;
    case 2:
        desc.vocab = slice(VOCAB), desc.merges = text;
        break;
    case 3:
        desc.ranks = text;
        break;
    case 4:
        desc.json = slice(good), desc.config = text;
        break;
    case 7:
        desc.json = slice(good), desc.chat_template = text;
        break;
    default:
        desc.json = slice(good), nfc = desc.nfc = data[0] % 8 == 5;
        break;
    }
    r1_tokenizer *tok = r1_tokenizer_new(ctx, &desc);
    promise((tok != NULL) == (r1_status_of(ctx) == R1_OK), "a tokenizer or a reason");
    if (tok) round_trip(tok, text.data, text.size, nfc);
    if (tok) round_trip(tok, "ab abab<e>12345\xe4\xbd ab", 21, nfc);
    if (data[0] % 8 == 6) { // any text trains a tokenizer that gives it back
        r1_bpe_desc train = {.vocab = 280, .split = desc.split};
        r1_tokenizer *trained = r1_tokenizer_train(ctx, &text, 1, &train);
        promise(trained != NULL, "training works");
        round_trip(trained, text.data, text.size, false);
        r1_tokenizer_free(trained);
    }
    r1_tokenizer_free(tok);
}
