// Lesson 6: another algorithm is another row of switches.
//
// GRPO, Dr.GRPO, DAPO, GSPO, CISPO and RLOO differ in a few decisions about one loss: what the
// ratio belongs to (token or answer), where it is clipped, how tokens are averaged, what is taken
// from a reward, whether a KL term pulls towards the first model, and what becomes of groups whose
// answers are all equally good. r1_policy_desc has a field for each, and zero means GRPO's choice.
// Here all six start from the same weights, on the task of lesson 5 with two digits. All of them
// learn. Which is best the table does not say: with one seed and 30 steps of a tiny model most
// differences are noise, and another seed orders the rows anew. DAPO is often ahead for a plain
// reason: replacing groups without signal, it draws more answers than the others.
//
// Expected output:
//   start     0.47  examples with random order
//   GRPO      0.94  mean and deviation of the group, clip 0.2
//   Dr.GRPO   0.93  no deviation, tokens over a constant
//   DAPO      0.95  wider clip upwards, groups without signal drawn anew
//   GSPO      0.92  one ratio for the whole answer
//   CISPO     0.90  the clipped ratio is a factor: no token is silenced
//   RLOO      0.91  against the mean of the others, no ratio at all
#include "r1.h"
#include <stdio.h>

enum { DIGITS = 8, EQUALS = DIGITS, END, VOCAB, PROMPT = 3, ANSWER = 3, LENGTH = PROMPT + ANSWER };
enum { READ_STEPS = 60, BATCH = 32, RL_STEPS = 30, STREAM_PROMPT = R1_STREAM_USER, STREAM_READ };

// The rows of the table in [policy]. Clips matter from the second mini-batch of a rollout on: in
// the first the model is still the one that drew the answers, and every ratio is exactly 1.
static const struct {
    const char *name, *what;
    r1_policy_desc policy;
} algorithms[] = {
    {"GRPO", "mean and deviation of the group, clip 0.2", {.kl = R1_KL_K3, .kl_weight = 0.001}},
    {"Dr.GRPO",
     "no deviation, tokens over a constant",
     {.advantage = R1_ADVANTAGE_MEAN, .aggregation = R1_PER_CONSTANT}},
    {"DAPO",
     "wider clip upwards, groups without signal drawn anew",
     {.clip_low = 0.2,
      .clip_high = 0.28,
      .aggregation = R1_PER_TOKEN,
      .no_signal = R1_NO_SIGNAL_RESAMPLE}},
    {"GSPO", "one ratio for the whole answer", {.ratio = R1_RATIO_SEQUENCE}},
    {"CISPO",
     "the clipped ratio is a factor: no token is silenced",
     {.objective = R1_CISPO,
      .clip_low = R1_OFF,
      .clip_high = 0.28,
      .aggregation = R1_PER_TOKEN,
      .no_signal = R1_NO_SIGNAL_DROP}},
    {"RLOO",
     "against the mean of the others, no ratio at all",
     {.objective = R1_REINFORCE,
      .advantage = R1_ADVANTAGE_LEAVE_OUT,
      .aggregation = R1_PER_CONSTANT,
      .constant_length = 1,
      .kl = R1_KL_K1,
      .kl_weight = 0.001,
      .kl_in_reward = true}},
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

static size_t next_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    r1_random at = {.seed = 1, .stream = STREAM_PROMPT, .sample = (uint32_t)index};
    (void)user;
    if (capacity < PROMPT) return 0;
    for (int i = 0; i < 2; i++) tokens[i] = (int32_t)r1_random_below(&at, DIGITS);
    tokens[2] = EQUALS;
    return PROMPT;
}
static void reward(void *user, const r1_sample *s, r1_verdict *out) {
    const int32_t *q = s->tokens, *a = s->tokens + s->n_prompt;
    (void)user;
    int32_t low = q[0] < q[1] ? q[0] : q[1], high = q[0] + q[1] - low;
    out->parts[0] = s->n == LENGTH && a[0] == low && a[1] == high && a[2] == END;
}
// Examples of the form, with the two digits in random order.
static void read_examples(r1_model *model) {
    static int32_t ids[BATCH][LENGTH];
    r1_document documents[BATCH];
    r1_trainer *trainer =
        r1_trainer_new(model, &(r1_train_desc){.schedule = {.peak = 5e-3, .warmup = 5}});
    for (uint32_t step = 1; step <= READ_STEPS && trainer; step++) {
        for (uint32_t b = 0; b < BATCH; b++) {
            r1_random at = {.seed = 1, .stream = STREAM_READ, .step = step, .sample = b};
            int32_t x = (int32_t)r1_random_below(&at, DIGITS);
            int32_t y = (int32_t)r1_random_below(&at, DIGITS);
            bool swap = r1_random_below(&at, 2) == 1;
            int32_t *t = ids[b];
            t[0] = x, t[1] = y, t[2] = EQUALS, t[3] = swap ? y : x, t[4] = x + y - t[3], t[5] = END;
            documents[b] = (r1_document){.tokens = t, .n = LENGTH, .loss_from = PROMPT};
        }
        if (r1_sft_step(trainer, documents, BATCH, NULL) != R1_OK) break;
    }
    r1_trainer_free(trainer);
}
// Prints the accuracy over all 64 questions, 16 answers each; nothing on an error.
static void print_row(const char *name, r1_model *model, const char *what) {
    static int32_t ids[DIGITS * DIGITS][PROMPT];
    r1_prompt prompts[DIGITS * DIGITS];
    const int32_t stop = END;
    for (int32_t i = 0; i < DIGITS * DIGITS; i++) {
        ids[i][0] = i / DIGITS, ids[i][1] = i % DIGITS, ids[i][2] = EQUALS;
        prompts[i] = (r1_prompt){.tokens = ids[i], .n = PROMPT, .key = (uint32_t)i};
    }
    r1_generate_desc desc = {.max_new = ANSWER, .stops = &stop, .n_stops = 1};
    r1_rollout *rollout = r1_rollout_new(r1_model_context(model));
    double right = 0;
    if (!rollout) return;
    if (r1_generate(model, rollout, prompts, DIGITS * DIGITS, 16, &desc) == R1_OK) {
        for (size_t i = 0; i < rollout->n; i++) {
            r1_verdict verdict;
            reward(NULL, &rollout->samples[i], &verdict);
            right += verdict.parts[0];
        }
        printf("%-8s  %.2f  %s\n", name, right / (double)rollout->n, what);
    }
    r1_rollout_free(rollout);
}
static void reinforce(r1_model *base, int row) {
    r1_model *model = r1_model_new(r1_model_context(base), r1_model_config_of(base));
    const int32_t stop = END;
    r1_grpo_desc desc = {.questions = 8,
                         .mini_batches = 2,
                         .steps = RL_STEPS,
                         .policy = algorithms[row].policy,
                         .train = {.schedule = {.peak = 1e-3, .warmup = 5}},
                         .generate = {.max_new = ANSWER, .stops = &stop, .n_stops = 1},
                         .next_prompt = next_prompt,
                         .reward = reward,
                         .parts = {"sorted"}};
    if (!model || r1_model_copy(model, base) != R1_OK) return;
    r1_grpo *run = r1_grpo_new(model, &desc);
    while (r1_grpo_step(run)) continue;
    print_row(algorithms[row].name, model, algorithms[row].what);
    r1_grpo_free(run), r1_model_free(model);
}
int main(void) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.seed = 1, .threads = 2});
    r1_model_config config = {.vocab = VOCAB, .width = 32, .layers = 2, .heads = 4};
    config.max_tokens = LENGTH, config.kv_rank = 16, config.dense_width = 64;
    config.nope_dim = config.rope_dim = config.value_dim = 8; // no experts: a dense model
    r1_model *base = r1_model_new(ctx, &config);
    if (base) read_examples(base), print_row("start", base, "examples with random order");
    for (int row = 0; row < ALGORITHMS && base; row++) reinforce(base, row);
    r1_status status = r1_status_of(ctx);
    if (status) fprintf(stderr, "06_one_switch: %s\n", r1_message_of(ctx));
    r1_context_free(ctx);
    return status ? 1 : 0;
}
