// Lesson 5: a task and a reward of your own.
//
// The task: three digits go in, the same digits in rising order come out, such as 412=124. Two
// functions are all that GRPO needs to know of it: one writes prompt number i, one judges answers.
// GRPO draws 16 answers to a question; those that are better than their group's mean become
// likelier, the others less likely. It never sees how a right answer is found.
// Where no answer of a group is right there is nothing to learn from, so a model must get it right
// now and then by itself. First it therefore reads examples that have the form and not the skill:
// their digits are in random order, and in one of four that order happens to be right.
//
// Expected output:
//   after reading: loss 0.45
//   step   1: sorted 0.16  digits 0.73
//     some answers: 142=414 no, 400=040 no, 442=244 yes, 222=222 yes, 522=225 yes
//   step  20: sorted 0.53  digits 0.86
//   step  40: sorted 0.84  digits 0.91
//   step  60: sorted 0.85  digits 0.92
//   step  80: sorted 0.93  digits 0.97
//   step 100: sorted 1.00  digits 1.00
//     some answers: 004=004 yes, 312=123 yes, 220=022 yes, 300=003 yes, 020=002 yes
#include "r1.h"
#include <stdio.h>

enum { DIGITS = 6, EQUALS = DIGITS, END, VOCAB, PROMPT = 4, ANSWER = 4, LENGTH = PROMPT + ANSWER };
enum {
    READ_STEPS = 150,
    READ_BATCH = 32,
    RL_STEPS = 100,
    STREAM_PROMPT = R1_STREAM_USER,
    STREAM_READ
};

// Prompt number `index` must be a function of index alone: then a run that is stopped and resumed,
// or drawn again, asks the same questions. r1_random gives numbers by place, not by history.
static size_t next_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    r1_random at = {.seed = 1, .stream = STREAM_PROMPT, .sample = (uint32_t)index};
    (void)user;
    if (capacity < PROMPT) return 0; // 0 = there is no such prompt
    for (int i = 0; i < 3; i++) tokens[i] = (int32_t)r1_random_below(&at, DIGITS);
    tokens[3] = EQUALS;
    return PROMPT;
}
// A reward reads one answer and nothing else; answers are judged in parallel. It has parts, which
// are added, and logged apart so that one can see which of them is earned.
//   digits: the answer is three digits, each as often as in the question, and the end
//   sorted: it is that, and the digits rise
static void reward(void *user, const r1_sample *s, r1_verdict *out) {
    const int32_t *question = s->tokens, *answer = s->tokens + s->n_prompt;
    int count[DIGITS] = {0};
    (void)user;
    bool digits = s->n - s->n_prompt == ANSWER && answer[3] == END, rises = true;
    for (int i = 0; i < 3 && digits; i++) { // as many of each going in as coming out
        if (answer[i] >= DIGITS)
            digits = false;
        else
            count[question[i]]++, count[answer[i]]--;
        if (i && answer[i] < answer[i - 1]) rises = false;
    }
    for (int i = 0; i < DIGITS; i++) digits = digits && count[i] == 0;
    out->parts[0] = digits && rises;
    out->parts[1] = digits;
}
// Examples of the form: the digits of the question, shuffled.
static bool read_examples(r1_model *model) {
    static int32_t ids[READ_BATCH][LENGTH];
    r1_document documents[READ_BATCH];
    r1_trainer *trainer =
        r1_trainer_new(model, &(r1_train_desc){.schedule = {.peak = 5e-3, .warmup = 5}});
    r1_status status = trainer ? R1_OK : R1_ERROR_MEMORY;
    r1_step_metrics m = {0};
    for (uint32_t step = 1; step <= READ_STEPS && status == R1_OK; step++) {
        for (uint32_t b = 0; b < READ_BATCH; b++) {
            r1_random at = {.seed = 1, .stream = STREAM_READ, .step = step, .sample = b};
            int32_t *t = ids[b], *a = ids[b] + PROMPT;
            for (int i = 0; i < 3; i++) a[i] = t[i] = (int32_t)r1_random_below(&at, DIGITS);
            for (uint32_t i = 2; i > 0; i--) { // swap with a place before it, or with itself
                uint32_t j = r1_random_below(&at, i + 1);
                int32_t swapped = a[i];
                a[i] = a[j], a[j] = swapped;
            }
            t[3] = EQUALS, a[3] = END;
            documents[b] = (r1_document){.tokens = t, .n = LENGTH, .loss_from = PROMPT};
        }
        status = r1_sft_step(trainer, documents, READ_BATCH, &m);
    }
    if (status == R1_OK) printf("after reading: loss %.2f\n", m.loss);
    r1_trainer_free(trainer);
    return status == R1_OK;
}
static void print_answers(const r1_rollout *rollout) {
    printf("  some answers:");
    for (size_t i = 0; i < 5; i++) {
        const r1_sample *s = &rollout->samples[i * rollout->group];
        printf(" ");
        for (size_t t = 0; t < s->n; t++)
            if (s->tokens[t] <= EQUALS) putchar("012345="[s->tokens[t]]);
        printf(s->parts[0] > 0 ? " yes" : " no");
        printf(i < 4 ? "," : "\n");
    }
}
static void reinforce(r1_model *model) {
    const int32_t stop = END;
    r1_grpo_desc desc = {.questions = 16, // each with a group of 16 answers
                         .steps = RL_STEPS,
                         .train = {.schedule = {.peak = 1e-3, .warmup = 5}},
                         .generate = {.max_new = ANSWER, .stops = &stop, .n_stops = 1},
                         .next_prompt = next_prompt,
                         .reward = reward,
                         .parts = {"sorted", "digits"},
                         .weights = {1, 0.5}};
    r1_grpo *run = r1_grpo_new(model, &desc);
    while (r1_grpo_step(run)) {
        const r1_grpo_metrics *m = r1_grpo_metrics_of(run);
        if (m->step > 1 && m->step % 20) continue;
        printf("step %3d: sorted %.2f  digits %.2f\n", (int)m->step, m->parts[0], m->parts[1]);
        if (m->step == 1 || m->step == RL_STEPS) print_answers(r1_grpo_rollout_of(run));
    }
    r1_grpo_free(run);
}
int main(void) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.seed = 1, .threads = 2});
    r1_model_config config = {.vocab = VOCAB,
                              .width = 32,
                              .layers = 2,
                              .heads = 4,
                              .max_tokens = LENGTH,
                              .kv_rank = 16,
                              .nope_dim = 8,
                              .rope_dim = 8,
                              .value_dim = 8,
                              .dense_layers = 1,
                              .dense_width = 64,
                              .experts = 4,
                              .chosen = 2,
                              .shared = 1,
                              .expert_width = 32,
                              .normalise_gates = true};
    r1_model *model = r1_model_new(ctx, &config);
    if (model && read_examples(model)) reinforce(model);
    r1_status status = r1_status_of(ctx);
    if (status) fprintf(stderr, "05_my_reward: %s\n", r1_message_of(ctx));
    r1_context_free(ctx);
    return status ? 1 : 0;
}
