// Prints one line `name hash` for each thing that the library computes. The lines are the same on
// every CPU level, compiler, optimization level and machine: they are compared with
// golden/bits.txt.
//
// usage: bits [scalar|avx2|avx512|auto] [threads]
//
// Nothing here computes with floats itself, because the compiler's flags for this file are
// anybody's.
#define R1_IMPLEMENTATION
#include "../r1.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The little of test.h that op_cases.h needs.
#define TEST_FAILED 1
#define TEST(title) static __attribute__((unused)) void bits_unused_##title(void)
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) test_stop(TEST_FAILED, "%s:%d: %s", __FILE__, __LINE__, #condition);     \
    } while (0)
__attribute__((noreturn, format(printf, 2, 3))) static void test_stop(int code, const char *format,
                                                                      ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(code);
}
#include "op_cases.h"

static r1_cpu_level bits_level;
static int bits_threads = 2;

// FNV-1a over 32-bit words. The sign of a NaN is the machine's own affair.
static uint64_t bits_hash(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *at = (const unsigned char *)data;
    if (!hash) hash = 14695981039346656037u;
    for (size_t i = 0; i + 4 <= bytes; i += 4) {
        uint32_t word;
        memcpy(&word, at + i, 4);
        if ((word & 0x7fffffffu) > 0x7f800000u) word = 0x7fc00000u;
        hash = (hash ^ word) * 1099511628211u;
    }
    return hash;
}
static void bits_print(const char *name, const char *part, uint64_t hash) {
    char whole[200];
    int n = snprintf(whole, sizeof whole, "%s %s", name, part);
    for (int i = 0; i < n; i++) whole[i] = whole[i] == ' ' || whole[i] == ',' ? '_' : whole[i];
    while (n > 0 && whole[n - 1] == '_') whole[--n] = 0;
    printf("%s %016llx\n", whole, (unsigned long long)hash);
}
static r1_context *bits_context(void) {
    r1_context_desc desc = {.seed = 9, .threads = bits_threads, .cpu_level = bits_level};
    r1_context *ctx = r1_context_new(&desc);
    if (r1_status_of(ctx) != R1_OK) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
    return ctx;
}

// ---- numbers ----
static void bits_numbers(void) {
    uint64_t hash[5] = {0};
    for (uint32_t k = 0; k < 1 << 18; k++) { // bit patterns all over the range
        uint32_t pattern = k * 16411u;
        float x, y;
        memcpy(&x, &pattern, 4);
        y = r1_exp(x), hash[0] = bits_hash(hash[0], &y, 4);
        y = r1_log(x), hash[1] = bits_hash(hash[1], &y, 4);
    }
    bits_print("exp", "", hash[0]), bits_print("log", "", hash[1]);
    r1_random at = {.seed = 123456789, .stream = R1_STREAM_USER, .step = 4, .sample = 5};
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t counter[4] = {i, i * 7, ~i, 3}, block[4];
        float x = r1_random_normal(&at);
        hash[2] = bits_hash(hash[2], &x, 4);
        x = r1_random_unit(&at), hash[3] = bits_hash(hash[3], &x, 4);
        uint32_t below = r1_random_below(&at, 1 + i);
        hash[3] = bits_hash(hash[3], &below, 4);
        r1_random_block(at.seed, counter, block);
        hash[4] = bits_hash(hash[4], block, sizeof block);
    }
    bits_print("random", "normal", hash[2]), bits_print("random", "uniform", hash[3]);
    bits_print("random", "block", hash[4]);
}

// ---- ops ----
// Left out: rope, whose cases make their table with the C library (the models have tables of their
// own), and op_views, which records two ops within the arguments of one call, in an order that is
// the compiler's choice.
static void bits_op(const op_case *what) {
    r1_context *ctx = bits_context();
    op_run run = {.what = what};
    uint64_t hash[2] = {0, 0};
    r1_step_begin(ctx);
    r1_tensor *y = what->build(ctx, &run, what->n);
    if (!y) test_stop(TEST_FAILED, "%s: %s", op_case_text(what), r1_message_of(ctx));
    r1_tensor *dy = r1_tensor_new(ctx, y->rank, y->shape);
    CHECK(dy);
    op_fill(dy, 2000);
    r1_backward_from(ctx, y, dy->data);
    hash[0] = bits_hash(hash[0], y->data, r1_tensor_count(y) * 4);
    for (size_t k = 0; k < run.kept_n; k++)
        hash[0] = bits_hash(hash[0], run.kept[k].data, run.kept[k].bytes);
    for (size_t p = 0; p < run.n; p++)
        hash[1] = bits_hash(hash[1], run.p[p]->grad, r1_tensor_count(run.p[p]) * 4);
    r1_step_end(ctx);
    free(run.ids);
    if (r1_status_of(ctx) != R1_OK) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
    bits_print(op_case_text(what), "forward", hash[0]);
    bits_print(op_case_text(what), "backward", hash[1]);
    r1_context_free(ctx);
}

// ---- models ----
static r1_model_config bits_config(int kind) {
    r1_model_config config = {.vocab = 21,
                              .width = 20,
                              .layers = 2,
                              .heads = 2,
                              .max_tokens = 80,
                              .kv_rank = 9,
                              .nope_dim = 5,
                              .rope_dim = 4,
                              .value_dim = 7,
                              .q_rank = 11,
                              .dense_width = 21,
                              .dense_layers = 1,
                              .experts = 6,
                              .chosen = 2,
                              .shared = 1,
                              .expert_width = 10,
                              .normalise_gates = true,
                              .routed_scale = 1.5,
                              .mla_form = kind ? R1_MLA_ABSORBED : R1_MLA_EXPANDED};
    if (kind == 2)
        config = (r1_model_config){.vocab = 21,
                                   .width = 20,
                                   .layers = 2,
                                   .heads = 4,
                                   .max_tokens = 80,
                                   .attention = R1_GQA,
                                   .kv_heads = 2,
                                   .head_dim = 6,
                                   .qkv_bias = true,
                                   .dense_width = 21,
                                   .tied_head = true};
    return config;
}
enum { BITS_TOKENS = 110, BITS_TEXTS = 4 };
static const size_t bits_starts[BITS_TEXTS + 1] = {0, 1, 18, 83, 110};
static int32_t bits_tokens[BITS_TOKENS + 1];

static uint64_t bits_model_hash(r1_model *model, bool gradients) {
    size_t n;
    uint64_t hash = 0;
    r1_range *range = r1_model_ranges(model, &n);
    for (size_t r = 0; r < n; r++) {
        const float *parts[] = {range[r].w, range[r].m, range[r].v};
        if (gradients) hash = bits_hash(hash, range[r].g, range[r].n * 4);
        for (int p = 0; p < 3 && !gradients; p++)
            if (parts[p]) hash = bits_hash(hash, parts[p], range[r].n * 4);
    }
    for (size_t l = 0; l < 2; l++)
        if (r1_model_router_bias(model, l))
            hash = bits_hash(hash, r1_model_router_bias(model, l), 6 * 4);
    return hash;
}
static void bits_gradients(const char *name, r1_model *model) {
    r1_context *ctx = r1_model_context(model);
    float weight[BITS_TEXTS] = {0.5f, 0.25f, 1, 2};
    r1_batch batch = {.tokens = bits_tokens, .starts = bits_starts, .B = BITS_TEXTS};
    if (r1_model_moe_layers(model)) batch.balance_weight = weight;
    r1_step_begin(ctx);
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_tensor *logits = r1_matmul(ctx, hidden, r1_model_head(model), NULL);
    r1_logprobs *out = r1_logprob(ctx, hidden, r1_model_head(model), bits_tokens + 1, 0.7);
    if (!logits || !out) test_stop(TEST_FAILED, "%s: %s", name, r1_message_of(ctx));
    bits_print(name, "logits", bits_hash(0, logits->data, r1_tensor_count(logits) * 4));
    uint64_t hash = bits_hash(0, out->logp->data, BITS_TOKENS * 4);
    bits_print(name, "log-probs", bits_hash(hash, out->entropy->data, BITS_TOKENS * 4));
    if (batch.balance) r1_seed(ctx, batch.balance, weight);
    r1_backward(ctx, r1_sum(ctx, out->logp));
    bits_print(name, "gradients", bits_model_hash(model, true));
    r1_step_end(ctx);
}
static void bits_supervised(const char *name, r1_model *model) {
    r1_document documents[BITS_TEXTS];
    r1_train_desc desc = {.schedule = {R1_COSINE, 0.01, 0.1, 1, 1, 4}};
    r1_trainer *trainer = r1_trainer_new(model, &desc);
    for (int i = 0; i < BITS_TEXTS; i++)
        documents[i] = (r1_document){bits_tokens + bits_starts[i],
                                     bits_starts[i + 1] - bits_starts[i], (size_t)i};
    for (int step = 0; step < 3; step++) {
        r1_step_metrics m;
        if (r1_sft_step(trainer, documents, BITS_TEXTS, &m) != R1_OK)
            test_stop(TEST_FAILED, "%s: %s", name, r1_message_of(r1_model_context(model)));
        double numbers[] = {m.loss, m.grad_norm, m.lr, m.balance, m.load_max};
        uint64_t hash = bits_hash(bits_model_hash(model, false), numbers, sizeof numbers);
        char part[20];
        snprintf(part, sizeof part, "step %d", step + 1);
        bits_print(name, part, hash);
    }
    r1_trainer_free(trainer);
}
static const int32_t bits_stops[] = {0};
static void bits_rollout(const char *name, r1_model *model) {
    r1_rollout *rollout = r1_rollout_new(r1_model_context(model));
    r1_prompt prompts[3] = {
        {bits_tokens, 1, 0}, {bits_tokens + 3, 17, 5}, {bits_tokens + 20, 65, 9}};
    for (int k = 0; k < 3; k++) {
        r1_generate_desc desc = {.sampler = {.temperature = k ? 0.5 : 1,
                                             .top_k = k == 1 ? 5 : 0,
                                             .top_p = k == 2 ? 0.75 : 0},
                                 .max_new = 20,
                                 .batch = 7,
                                 .stops = bits_stops,
                                 .n_stops = 1,
                                 .routes = true};
        if (r1_generate(model, rollout, prompts, 3, 4, &desc) != R1_OK)
            test_stop(TEST_FAILED, "%s: %s", name, r1_message_of(r1_model_context(model)));
        uint64_t tokens = 0, logp = 0;
        for (size_t i = 0; i < rollout->n; i++) {
            const r1_sample *s = &rollout->samples[i];
            tokens = bits_hash(tokens, s->tokens, s->n * 4);
            if (r1_model_moe_layers(model)) tokens = bits_hash(tokens, s->routes, (s->n - 1) * 8);
            logp = bits_hash(logp, s->logp, s->n * 4);
            logp = bits_hash(logp, s->entropy, s->n * 4);
        }
        static const char *const parts[] = {"sampled", "top-k", "top-p"};
        char part[40];
        snprintf(part, sizeof part, "%s tokens", parts[k]);
        bits_print(name, part, tokens);
        snprintf(part, sizeof part, "%s log-probs", parts[k]);
        bits_print(name, part, logp);
    }
    r1_rollout_free(rollout);
}
static size_t bits_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    (void)user, (void)capacity;
    for (size_t t = 0; t < 3 + index; t++) tokens[t] = (int32_t)((index * 5 + t * 3) % 21);
    return (size_t)(3 + index);
}
static void bits_reward(void *user, const r1_sample *sample, r1_verdict *out) {
    (void)user;
    out->parts[0] = sample->tokens[sample->n - 1] % 3;
    out->parts[1] = sample->tokens[sample->n_prompt] % 2;
    out->judged = sample->n % 7 != 3;
}
static void bits_grpo(const char *name, r1_model *model) {
    r1_grpo_desc desc = {.questions = 5,
                         .group = 4,
                         .mini_batches = 2,
                         .epochs = 2,
                         .steps = 1,
                         .policy = {.kl = R1_KL_K3, .kl_weight = 0.05},
                         .generate = {.max_new = 9,
                                      .stops = bits_stops,
                                      .n_stops = 1,
                                      .sampler = {.temperature = 0.9}},
                         .next_prompt = bits_prompt,
                         .reward = bits_reward,
                         .parts = {"one", "two"},
                         .weights = {0.3, 0.7}};
    r1_grpo *run = r1_grpo_new(model, &desc);
    if (!run || !r1_grpo_step(run))
        test_stop(TEST_FAILED, "%s: %s", name, r1_message_of(r1_model_context(model)));
    const r1_grpo_metrics *m = r1_grpo_metrics_of(run);
    double numbers[] = {m->reward,        m->length,      m->entropy,     m->kl,
                        m->clip_fraction, m->ratio_error, m->informative, m->unjudged,
                        m->grad_norm,     m->loss,        m->lr,          m->load_max};
    bits_print(name, "grpo weights", bits_model_hash(model, false));
    bits_print(name, "grpo metrics", bits_hash(0, numbers, sizeof numbers));
    r1_grpo_free(run);
}
static void bits_model(int kind) {
    static const char *const names[] = {"expanded", "absorbed", "gqa"};
    r1_context *ctx = bits_context();
    r1_model_config config = bits_config(kind);
    r1_model *model = r1_model_new(ctx, &config);
    if (!model) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
    r1_tensor *head = r1_model_head(model);
    float factor = kind == 2 ? 0.5f : 4; // a power of two: exact
    for (size_t i = 0; i < r1_tensor_count(head); i++) head->data[i] *= factor;
    bits_print(names[kind], "weights", bits_model_hash(model, false));
    bits_gradients(names[kind], model);
    bits_rollout(names[kind], model);
    bits_supervised(names[kind], model);
    bits_grpo(names[kind], model);
    r1_context_free(ctx);
}
int main(int argc, char **argv) {
    static const char *const levels[] = {"auto", "scalar", "avx2", "avx512"};
    int level = 0;
    for (int i = 0; argc > 1 && i < 4; i++)
        if (!strcmp(argv[1], levels[i])) level = i;
    if (argc > 3 || (argc > 1 && strcmp(argv[1], levels[level])))
        return fprintf(stderr, "usage: bits [scalar|avx2|avx512|auto] [threads]\n"), 2;
    if (argc > 2) bits_threads = (int)strtol(argv[2], NULL, 10);
    if (level > (int)r1_cpu_best())
        return fprintf(stderr, "bits: this CPU has no %s\n", levels[level]), 2;
    bits_level = (r1_cpu_level)level;
    for (int t = 0; t <= BITS_TOKENS; t++) bits_tokens[t] = (t * t + 3 * t) % 21;
    bits_numbers();
    for (size_t i = 0; i < OP_CASES; i++)
        if (op_cases[i].op != R1_OP_ROPE && op_cases[i].build != op_views) bits_op(&op_cases[i]);
    for (int kind = 0; kind < 3; kind++) bits_model(kind);
    return 0;
}
