// The countdown task of the demo: what is held out stays out of every training text, and the reward
// reads answers as it says.
#include "../examples/task_countdown.h"

// Marks problems as (sorted numbers, target), and sets of numbers alone, without asking split_of.
typedef struct test_demo_marks {
    uint8_t problems[10][10][10][100], sets[10][10][10];
} test_demo_marks;

static void test_demo_mark(test_demo_marks *marks, const int numbers[3], int target) {
    int n[3] = {numbers[0], numbers[1], numbers[2]};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            if (n[k] > n[k + 1]) {
                int swap = n[k];
                n[k] = n[k + 1];
                n[k + 1] = swap;
            }
    marks->problems[n[0]][n[1]][n[2]][target] = 1;
    marks->sets[n[0]][n[1]][n[2]] = 1;
}
static void test_demo_mark_problem(test_demo_marks *marks, const int32_t *t) {
    int numbers[3];
    for (int i = 0; i < 3; i++) {
        CHECK(is_operand(t[i]));
        numbers[i] = t[i] - DIGIT;
    }
    CHECK(t[3] > RESULT && t[3] <= RESULT + LARGEST);
    test_demo_mark(marks, numbers, t[3] - RESULT);
}
// Every three numbers of a text, with the target of its head: the head, each try, the answer.
static void test_demo_mark_document(test_demo_marks *marks, const int32_t *t, size_t n) {
    bool page = t[0] == PAGE, sums = page && t[1] >= RESULT;
    size_t head = page ? 1 : 0, target = sums ? 1 : head + 3;
    int numbers[3], found = 0;
    CHECK(t[n - 1] == END);
    CHECK(t[target] > RESULT);
    if (!sums) test_demo_mark_problem(marks, t + head);
    for (size_t i = target + 1; i < n; i++) {
        if (is_operand(t[i])) {
            CHECK(found < 3);
            numbers[found++] = t[i] - DIGIT;
        }
        // These end a line, a try or an answer.
        bool ends = t[i] == LINE || t[i] == LOW || t[i] == HIGH || t[i] == YES || t[i] == END ||
                    t[i] == ANSWERED;
        if (!ends || !found) continue;
        CHECK(found == (sums ? 1 : 3));
        if (!sums) test_demo_mark(marks, numbers, t[target] - RESULT);
        found = 0;
    }
}
// Bitmaps of what is trained on and of what is asked have nothing in common: no problem of either
// kind, and no set of numbers of the second kind.
TEST(demo_countdown_held_out_problems_are_never_seen) {
    static test_demo_marks seen, asked, asked_sets;
    static int32_t ids[COUNTDOWN_TOKENS];
    size_t texts = test_full() ? 200000 : 20000;
    size_t loss_from, problems = 0, sets = 0;
    corpus corpus = countdown_task.corpus;
    for (size_t i = 0; i < texts; i++) {
        r1_random at = {.seed = 7, .stream = STREAM_DOCUMENT, .sample = (uint32_t)i};
        writer w = {.ids = ids, .capacity = COUNTDOWN_TOKENS};
        countdown_task.write_document(&corpus, &at, &w, &loss_from);
        test_demo_mark_document(&seen, ids, w.n);
        for (int which = TRAINING; which <= HELD_OUT_SETS; which++) {
            w.n = 0;
            at = (r1_random){.seed = 7, .stream = STREAM_PROMPT + 8, .sample = (uint32_t)i};
            countdown_task.write_problem(&at, (split)which, &w);
            CHECK_EQUAL_SIZE(w.n, COUNTDOWN_PROMPT);
            test_demo_mark_problem(which == TRAINING   ? &seen
                                   : which == HELD_OUT ? &asked
                                                       : &asked_sets,
                                   ids);
        }
    }
    for (size_t i = 0; i < sizeof seen.problems; i++) {
        const uint8_t *known = (const uint8_t *)seen.problems;
        CHECK(!known[i] || !((const uint8_t *)asked.problems)[i]);
        CHECK(!known[i] || !((const uint8_t *)asked_sets.problems)[i]);
        problems += ((const uint8_t *)asked.problems)[i];
    }
    for (size_t i = 0; i < sizeof seen.sets; i++) {
        CHECK(!((const uint8_t *)seen.sets)[i] || !((const uint8_t *)asked_sets.sets)[i]);
        sets += ((const uint8_t *)asked_sets.sets)[i];
    }
    CHECK(problems > 200); // of about 1860 problems, and of 165 sets
    CHECK(sets > 20);
}
// Encodes a text by the pieces of the task, as an answer to 4 8 9 =44, and asks for its reward.
static r1_sample test_demo_answer(const char *completion) {
    static int32_t ids[COUNTDOWN_TOKENS];
    r1_context *ctx = r1_context_new(NULL);
    r1_tokenizer *pieces = r1_tokenizer_pieces(ctx, countdown_pieces, COUNTDOWN_PIECES);
    r1_verdict verdict = {.judged = true};
    const int32_t prompt[] = {DIGIT + 4, DIGIT + 8, DIGIT + 9, RESULT + 44};
    memcpy(ids, prompt, sizeof prompt);
    size_t n = r1_encode(pieces, completion, strlen(completion), ids + 4, COUNTDOWN_TOKENS - 4);
    CHECK(n < COUNTDOWN_TOKENS - 4);
    r1_sample sample = {.tokens = ids, .n_prompt = 4, .n = n + 4};
    countdown_task.reward(NULL, &sample, &verdict);
    memcpy(sample.parts, verdict.parts, sizeof sample.parts);
    r1_context_free(ctx);
    return sample;
}
TEST(demo_countdown_reward_reads_the_answer_only) {
    static const struct {
        const char *text;
        int accuracy, format;
    } rows[] = {
        {"<think>9*4=36+8=44 yes</think><answer>(9*4)+8</answer><end>", 1, 1},
        {"<think>9*4=36+8=12 low</think><answer>(9*4)+8</answer><end>", 1, 1}, // thought is free
        {"<think></think><answer>(4*9)+8</answer><end>", 1, 1},
        {"<think>9*4=36+8=44 yes</think><answer>(9*4)-8</answer><end>", 0, 1},
        {"<think>9*4=36+8=44 yes</think><answer>(9*5)-1</answer><end>", 0, 1}, // other numbers
        {"<think>9*4=36+8=44 yes</think><answer>(9*4)+8</answer>", 0, 0},
        {"<think>9*4=36+8=44 yes<answer>(9*4)+8</answer><end>", 0, 0},
        {"<think>9*4=36+8=44 yes</think>(9*4)+8</answer><end>", 0, 0},
        {"<think><think>9*4=36</think><answer>(9*4)+8</answer><end>", 0, 0},
        {"<think>9*4=36</think><answer>(9*4)+8<end>", 0, 0},
        {"<think>9*4=36</think><answer>9*4+8</answer><end>", 0, 1},
        {"<end>", 0, 0},
        {"</answer><end>", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r1_sample sample = test_demo_answer(rows[i].text);
        CHECK_NEAR(sample.parts[0], rows[i].accuracy, 0);
        CHECK_NEAR(sample.parts[1], rows[i].format, 0);
    }
}
// Counted by hand: three tries, of which the second has a wrong sum and a wrong verdict, and the
// third hits.
TEST(demo_countdown_measures_what_is_inside_think) {
    tally m[MAX_MEASURES] = {{0, 0}};
    mark mistake = {0, 0, NULL}, correction = {0, 0, NULL};
    r1_sample sample = test_demo_answer("<think>8*4=32-9=23 low wait 8*4=32-9=24 high wait "
                                        "9*4=36+8=44 yes</think><answer>(9*4)+8</answer><end>");
    countdown_task.measure(&sample, m);
    CHECK_NEAR(m[M_WAIT].sum, 2, 0);
    CHECK_NEAR(m[M_PER_TRY].sum, 1, 0);
    CHECK_NEAR(m[M_PER_TRY].of, 3, 0);
    CHECK_NEAR(m[M_FIRST_TRY].sum, 0, 0);
    CHECK_NEAR(m[M_CORRECTED].sum, 1, 0);
    CHECK_NEAR(m[M_SUMS].sum, 5, 0);
    CHECK_NEAR(m[M_SUMS].of, 6, 0);
    CHECK_NEAR(m[M_VERDICTS].sum, 2, 0); // low, and yes; 24 is not high
    CHECK_NEAR(m[M_REPEATED].sum, 0, 0); // the result differs
    CHECK_NEAR(m[M_FALSE_YES].sum, 0, 0);
    countdown_task.find_marks(&sample, &mistake, &correction);
    CHECK_EQUAL_SIZE(mistake.from, 1);
    CHECK_EQUAL_SIZE(mistake.to, 9);
    CHECK_EQUAL_SIZE(correction.from, 19);
    CHECK_EQUAL_SIZE(correction.to, 27);
}
