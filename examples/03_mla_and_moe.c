// Lesson 3: latent attention and experts, by the numbers.
//
// Attention looks back at every earlier token, so a model keeps something of each: the cache. MLA
// keeps one short latent instead of the keys and values of all heads. It has two forms. Expanded
// makes keys and values from the latent and keeps them; absorbed moves that product to the side of
// the query, and keeps the latent only. Both compute the same function.
// Experts: a router sends each token to a few of many small networks. Left alone it may overload
// some of them, so each expert has a bias that falls while its load is above the mean. The bias
// moves the choice and nothing else: no loss term pulls at the weights.
//
// Expected output:
//   here       cache per token and layer: expanded    80, absorbed  20
//   V3         cache per token and layer: expanded 40960, absorbed 576
//   two forms, equal weights: yes
//   log-probs of 512 tokens differ by less than 1e-5: yes
//   token 0 goes to experts 2 and 5
//   token 1 goes to experts 2 and 4
//   token 2 goes to experts 5 and 7
//   step  0: tokens of each expert  79  70 105 172 132 162 105 199   busiest / mean 1.55
//   step 15: tokens of each expert 108  87 127 141 127 128 120 186   busiest / mean 1.45
//   step 30: tokens of each expert 126 106 125 126 127 127 129 158   busiest / mean 1.23
//   step 45: tokens of each expert 128 126 124 129 127 129 128 133   busiest / mean 1.04
//   step 60: tokens of each expert 129 129 127 128 127 128 128 128   busiest / mean 1.01
//   biases +0.07 +0.09 +0.04 -0.04 +0.02 -0.01 +0.05 -0.10
#include "r1.h"
#include <stdio.h>

enum { VOCAB = 64, SEQUENCES = 16, LENGTH = 32, TOKENS = SEQUENCES * LENGTH };
enum { EXPERTS = 8, CHOSEN = 2, STEPS = 60 };

static r1_model_config config_with(r1_mla_form form) {
    return (r1_model_config){.vocab = VOCAB,
                             .width = 32,
                             .layers = 2,
                             .heads = 4,
                             .max_tokens = LENGTH,
                             .mla_form = form,
                             .kv_rank = 16,
                             .nope_dim = 8,
                             .rope_dim = 4,
                             .value_dim = 8,
                             .dense_layers = 1, // so one layer has experts
                             .dense_width = 64,
                             .experts = EXPERTS,
                             .chosen = CHOSEN,
                             .shared = 1,
                             .expert_width = 16,
                             .init_std = 0.2,
                             .normalise_gates = true};
}
// Numbers that one token leaves in the cache of one layer.
static size_t cached_expanded(const r1_model_config *c) {
    return c->heads * (c->nope_dim + c->rope_dim + c->value_dim); // a key and a value per head
}
static size_t cached_absorbed(const r1_model_config *c) {
    return c->kv_rank + c->rope_dim; // the latent, and one rotated key that all heads share
}
static void print_cache(const char *name, const r1_model_config *c) {
    printf("%-10s cache per token and layer: expanded %5zu, absorbed %3zu\n", name,
           cached_expanded(c), cached_absorbed(c));
}
// Weights are drawn from the seed alone, so two new models of one context are equal. Their
// log-probs agree to rounding and not to the bit, because sums are taken in another order: a run
// chooses one form and keeps it for everything.
static void compare_forms(r1_context *ctx, const r1_batch *batch) {
    r1_model_config expanded = config_with(R1_MLA_EXPANDED),
                    absorbed = config_with(R1_MLA_ABSORBED);
    r1_model *a = r1_model_new(ctx, &expanded), *b = r1_model_new(ctx, &absorbed);
    static float logp_a[TOKENS], logp_b[TOKENS];
    if (!a || !b) return;
    r1_model_score(a, batch, 1, 0, logp_a, NULL);
    r1_model_score(b, batch, 1, 0, logp_b, NULL);
    float largest = 0;
    for (int i = 0; i < TOKENS; i++) {
        float difference = logp_a[i] > logp_b[i] ? logp_a[i] - logp_b[i] : logp_b[i] - logp_a[i];
        if (difference > largest) largest = difference;
    }
    printf("two forms, equal weights: %s\n", r1_model_hash(a) == r1_model_hash(b) ? "yes" : "no");
    printf("log-probs of %d tokens differ by less than 1e-5: %s\n", TOKENS,
           largest < 1e-5f ? "yes" : "no");
    r1_model_free(a), r1_model_free(b);
}
// One forward pass. `routes` receives each token's experts in ascending order, `loads` counts the
// tokens of each expert.
static void count_loads(r1_model *model, const r1_batch *batch, int32_t *routes, uint64_t *loads) {
    r1_context *ctx = r1_model_context(model);
    r1_batch with = *batch;
    with.routes = routes, with.loads = loads;
    for (int e = 0; e < EXPERTS; e++) loads[e] = 0;
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx);
    r1_model_forward(model, &with);
    r1_no_grad_end(ctx);
    r1_step_end(ctx);
}
static void print_loads(int step, const uint64_t *loads) {
    uint64_t most = 0;
    printf("step %2d: tokens of each expert", step);
    for (int e = 0; e < EXPERTS; e++) {
        printf(" %3llu", (unsigned long long)loads[e]);
        if (loads[e] > most) most = loads[e];
    }
    printf("   busiest / mean %.2f\n", (double)most * EXPERTS / (TOKENS * CHOSEN));
}
// No weight learns here, only the biases move. In training r1_sft_step and r1_grpo_step do this
// after each optimizer step, with the loads of the whole batch.
static void balance(r1_context *ctx, const r1_batch *batch) {
    static int32_t routes[TOKENS * CHOSEN];
    uint64_t loads[EXPERTS];
    r1_model_config config = config_with(R1_MLA_AUTO);
    r1_model *model = r1_model_new(ctx, &config);
    if (!model) return;
    for (int step = 0; step <= STEPS && r1_status_of(ctx) == R1_OK; step++) {
        count_loads(model, batch, routes, loads);
        if (step == 0)
            for (int t = 0; t < 3; t++)
                printf("token %d goes to experts %d and %d\n", t, (int)routes[t * CHOSEN],
                       (int)routes[t * CHOSEN + 1]);
        if (step % 15 == 0) print_loads(step, loads);
        r1_model_balance_bias(model, loads, 0.002);
    }
    const float *bias = r1_model_router_bias(model, 1); // layer 0 is dense and has none
    printf("biases");
    for (int e = 0; e < EXPERTS; e++) printf(" %+.2f", bias[e]);
    printf("\n");
}
int main(void) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.seed = 3, .threads = 2});
    // Sixteen sequences of random tokens, one after the other. Sequence b is tokens[starts[b]] and
    // on; no token sees another sequence.
    static int32_t tokens[TOKENS];
    size_t starts[SEQUENCES + 1];
    r1_random at = {.seed = 3, .stream = R1_STREAM_USER};
    for (int t = 0; t < TOKENS; t++) tokens[t] = (int32_t)r1_random_below(&at, VOCAB);
    for (size_t b = 0; b <= SEQUENCES; b++) starts[b] = b * LENGTH;
    r1_batch batch = {.tokens = tokens, .starts = starts, .B = SEQUENCES};

    r1_model_config small = config_with(R1_MLA_AUTO);
    r1_model_config v3 = {
        .heads = 128, .kv_rank = 512, .nope_dim = 128, .rope_dim = 64, .value_dim = 128};
    print_cache("here", &small);
    print_cache("V3", &v3);
    compare_forms(ctx, &batch);
    balance(ctx, &batch);

    r1_status status = r1_status_of(ctx);
    if (status) fprintf(stderr, "03_mla_and_moe: %s\n", r1_message_of(ctx));
    r1_context_free(ctx);
    return status ? 1 : 0;
}
