// Fuzzes the answer checker. An input is a gold answer and a prediction with a zero byte between
// them.
#include "fuzz.h"

fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT("\\frac{1}{2}\0The answer is \\boxed{0.5}."),
    FUZZ_TEXT("(-\\infty,2]\\cup[3,5)\0x \\le 2 or 3 \\le x < 5"),
    FUZZ_TEXT("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}\0[[1,2],[3,4]]"),
    FUZZ_TEXT("\\sqrt{2}+\\sqrt[3]{5}\\pi e^{i}\0<think>x</think><answer>2^{1/2}</answer>"),
    FUZZ_TEXT("x^2-4x+\\log_2 8-\\sin 30^\\circ\0(x-2)^{2} - 1.5 \\text{ cm}"),
    FUZZ_TEXT("\\{1,-1\\}\0\\pm 1, 12:00, 3 1/2, 1{,}000 \\%, $5.00, 2.5e-3"),
    FUZZ_TEXT("y=2x+1\0Answer: (B) \\binom{5}{2} 10! \\lfloor 2.5 \\rfloor \\overline{3}"),
    {NULL, 0},
};

static r1_answer_work *work;
void fuzz_begin(r1_context *ctx) {
    promise((work = r1_answer_new(ctx)) != NULL, "there is memory");
}
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    char reason[192];
    const char *text = (const char *)data;
    const char *end = size ? (const char *)memchr(text, 0, size) : NULL;
    r1_slice gold = {text, end ? (size_t)(end - text) : size};
    r1_slice pred = {end ? end + 1 : text, end ? size - gold.size - 1 : size};
    r1_answer_desc desc = {0};
    r1_equality itself = r1_answer_equal(work, gold, gold, &desc, reason, sizeof reason);
    promise(itself != R1_DIFFERENT, "nothing differs from itself");
    promise(strlen(reason) < sizeof reason, "the reason ends");
    r1_answer_equal(work, gold, pred, &desc, reason, sizeof reason);
    r1_answer_check(work, gold, pred, 0, &desc, reason, sizeof reason);
    promise(r1_status_of(ctx) == R1_OK, "an answer is never an error of the context");
}
