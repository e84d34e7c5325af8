// Lesson 4: drawing tokens, and why the ratio is exactly 1.
//
// GRPO compares two probabilities of a token: under the model that learns, and under the one that
// drew it. Before the first update these are one model, so their ratio should be 1. In most systems
// it is not: sampler and trainer add the same numbers in another order. Here both are one
// arithmetic, whatever the batch and the number of threads, and this lesson compares bits.
// Then: what temperature, top-k, top-p and greedy do to one distribution.
//
// Expected output:
//   sampler against scorer in passes of 4096: 0 of 1344 log-probs differ, 0 ratios are not 1
//   sampler against scorer in passes of  100: 0 of 1344 log-probs differ, 0 ratios are not 1
//   1 thread, 64 answers at a time, against 2 threads, 5 at a time: 0 texts and 0 log-probs differ
//   probability      0.179 0.079 0.104 0.013 0.045 0.207 0.293 0.079
//   temperature 1      180    90   106    14    49   186   291    84
//   temperature 0.5    168    37    62     0    14   226   466    27
//   top-k 3            271     0     0     0     0   297   432     0
//   top-p 0.8          210   102   123     0     0   221   344     0
//   greedy               0     0     0     0     0     0  1000     0
#include "r1.h"
#include <stdio.h>
#include <string.h>

enum { VOCAB = 8, LENGTH = 24, PROMPTS = 4, GROUP = 16, ANSWERS = PROMPTS * GROUP, DRAWS = 1000 };

static const int32_t prompt_tokens[PROMPTS][3] = {{1, 2, 3}, {4, 0, 4}, {7, 7, 7}, {2, 6, 5}};

static r1_model *model_in(r1_context *ctx) {
    r1_model_config config = {.vocab = VOCAB,
                              .width = 32,
                              .layers = 2,
                              .heads = 2,
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
                              .expert_width = 16,
                              .init_std = 0.25, // an untrained model that has opinions
                              .normalise_gates = true};
    return r1_model_new(ctx, &config);
}
// 16 answers to each of 4 prompts. A key names a prompt: the draw depends on the key, and not on
// the place of the prompt in the call.
static r1_rollout *draw(r1_model *model, size_t batch) {
    r1_prompt prompts[PROMPTS];
    for (uint32_t i = 0; i < PROMPTS; i++)
        prompts[i] = (r1_prompt){.tokens = prompt_tokens[i], .n = 3, .key = i};
    r1_generate_desc desc = {.batch = batch};
    r1_rollout *rollout = r1_rollout_new(r1_model_context(model));
    if (rollout) r1_generate(model, rollout, prompts, PROMPTS, GROUP, &desc);
    return rollout;
}
static size_t differing(const float *a, const float *b, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += memcmp(&a[i], &b[i], sizeof *a) != 0; // bits, not ==
    return count;
}
// The sampler works token by token with a cache, many answers at a time. The scorer sees each
// answer whole, as training does.
static void compare_with_scorer(r1_model *model, const r1_rollout *rollout, size_t micro_tokens) {
    static int32_t tokens[ANSWERS * LENGTH];
    static float logp[ANSWERS * LENGTH];
    size_t starts[ANSWERS + 1] = {0}, n = 0, other = 0, not_one = 0;
    for (size_t i = 0; i < rollout->n; i++) {
        const r1_sample *s = &rollout->samples[i];
        memcpy(tokens + n, s->tokens, s->n * sizeof *tokens);
        starts[i + 1] = n += s->n;
    }
    r1_batch batch = {.tokens = tokens, .starts = starts, .B = rollout->n};
    if (r1_model_score(model, &batch, 1, micro_tokens, logp, NULL) != R1_OK) return;
    for (size_t i = 0; i < rollout->n; i++) {
        const r1_sample *s = &rollout->samples[i];
        const float *scored = logp + starts[i] + s->n_prompt, *drawn = s->logp + s->n_prompt;
        other += differing(scored, drawn, s->n - s->n_prompt);
        for (size_t t = 0; t < s->n - s->n_prompt; t++)
            not_one += r1_exp(scored[t] - drawn[t]) != 1.0f;
    }
    printf("sampler against scorer in passes of %4zu: %zu of %zu log-probs differ, %zu ratios "
           "are not 1\n",
           micro_tokens, other, rollout->tokens, not_one);
}
static void compare_rollouts(const r1_rollout *a, const r1_rollout *b) {
    size_t ids = 0, logps = 0;
    for (size_t i = 0; i < a->n; i++) {
        const r1_sample *x = &a->samples[i], *y = &b->samples[i];
        ids += x->n != y->n || memcmp(x->tokens, y->tokens, x->n * sizeof *x->tokens) != 0;
        if (x->n == y->n) logps += differing(x->logp, y->logp, x->n);
    }
    printf("1 thread, 64 answers at a time, against 2 threads, 5 at a time: %zu texts and %zu "
           "log-probs differ\n",
           ids, logps);
}
// How often each token comes first after one prompt, in 1000 draws.
static void print_draws(r1_model *model, const char *name, const r1_sampler_desc *sampler) {
    size_t counts[VOCAB] = {0};
    r1_prompt prompt = {.tokens = prompt_tokens[0], .n = 3};
    r1_generate_desc desc = {.sampler = *sampler, .max_new = 1};
    r1_rollout *rollout = r1_rollout_new(r1_model_context(model));
    if (!rollout || r1_generate(model, rollout, &prompt, 1, DRAWS, &desc) != R1_OK) return;
    for (size_t i = 0; i < rollout->n; i++) counts[rollout->samples[i].tokens[3]]++;
    printf("%-16s", name);
    for (int v = 0; v < VOCAB; v++) printf(" %5zu", counts[v]);
    printf("\n");
    r1_rollout_free(rollout);
}
// The probability of each token is that of a text which ends with it.
static void print_probabilities(r1_model *model) {
    int32_t tokens[VOCAB * 4];
    size_t starts[VOCAB + 1];
    float logp[VOCAB * 4];
    for (int v = 0; v < VOCAB; v++) {
        memcpy(tokens + 4 * v, prompt_tokens[0], 3 * sizeof *tokens);
        tokens[4 * v + 3] = v;
    }
    for (size_t b = 0; b <= VOCAB; b++) starts[b] = 4 * b;
    r1_batch batch = {.tokens = tokens, .starts = starts, .B = VOCAB};
    if (r1_model_score(model, &batch, 1, 0, logp, NULL) != R1_OK) return;
    printf("probability     ");
    for (int v = 0; v < VOCAB; v++) printf(" %5.3f", r1_exp(logp[4 * v + 3]));
    printf("\n");
}
int main(void) {
    // The seed gives the weights and every draw, so both contexts hold the same model.
    r1_context *one = r1_context_new(&(r1_context_desc){.seed = 5, .threads = 1});
    r1_context *two = r1_context_new(&(r1_context_desc){.seed = 5, .threads = 2});
    r1_model *model = model_in(one), *twin = model_in(two);
    r1_rollout *a = draw(model, 64), *b = draw(twin, 5); // of NULL, NULL: see lesson 1
    if (a && b && !r1_status_of(one) && !r1_status_of(two)) {
        compare_with_scorer(model, a, 4096);
        compare_with_scorer(model, a, 100);
        compare_rollouts(a, b);
        print_probabilities(model);
        print_draws(model, "temperature 1", &(r1_sampler_desc){.temperature = 1});
        print_draws(model, "temperature 0.5", &(r1_sampler_desc){.temperature = 0.5});
        print_draws(model, "top-k 3", &(r1_sampler_desc){.top_k = 3});
        print_draws(model, "top-p 0.8", &(r1_sampler_desc){.top_p = 0.8});
        print_draws(model, "greedy", &(r1_sampler_desc){.greedy = true});
    }
    r1_context *failed = r1_status_of(one) ? one : two;
    r1_status status = r1_status_of(failed);
    if (status) fprintf(stderr, "04_sampling: %s\n", r1_message_of(failed));
    r1_context_free(one), r1_context_free(two);
    return status ? 1 : 0;
}
