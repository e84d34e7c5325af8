// Whole models against PyTorch and transformers in float64: logits, gradients, ten AdamW steps.
#include "golden.h"

typedef struct golden_case {
    r1_context *ctx;
    r1_tensors *file;
    r1_model *model;
    int32_t *tokens, *targets;
    size_t *starts, B, T;
} golden_case;

static void golden_copy_weights(golden_case *g) {
    for (size_t i = 0; i < r1_tensors_count(g->file); i++) {
        const r1_entry *entry = r1_tensors_at(g->file, i);
        if (strncmp(entry->name, "w/", 2)) continue;
        size_t layer = 0, bytes = entry->bytes;
        r1i_real *to = NULL;
        if (strstr(entry->name, ".e_score_correction_bias")) {
            layer = (size_t)strtoul(entry->name + strlen("w/model.layers."), NULL, 10);
            to = r1_model_router_bias(g->model, layer);
            bytes = r1_model_config_of(g->model)->experts * sizeof(r1i_real);
        } else {
            r1_tensor *x = r1_model_find(g->model, entry->name + 2);
            if (!x) test_stop(TEST_FAILED, "no parameter %s", entry->name + 2);
            CHECK_EQUAL_SIZE((size_t)x->rank, (size_t)entry->rank);
            for (int d = 0; d < x->rank; d++) CHECK_EQUAL_SIZE(x->shape[d], entry->shape[d]);
            to = x->data, bytes = r1_tensor_count(x) * sizeof(r1i_real);
        }
        CHECK(to && bytes == entry->bytes);
        memcpy(to, entry->data, bytes);
    }
}
static golden_case golden_load(const char *name, r1_mla_form form, r1_cpu_level level) {
    golden_case g = {.ctx = r1_context_new(&(r1_context_desc){.threads = 1, .cpu_level = level})};
    r1_model_config config;
    g.file = golden_open(g.ctx, name);
    r1_slice text = r1_tensors_metadata(g.file, "config");
    CHECK(r1_model_config_read(g.ctx, text.data, text.size, &config) == R1_OK);
    config.mla_form = form;
    g.model = r1_model_new(g.ctx, &config);
    CHECK_EQUAL_TEXT(r1_message_of(g.ctx), "");
    golden_copy_weights(&g);
    g.tokens = golden_ints(g.file, "tokens", &g.T);
    g.starts = golden_starts(g.file, "starts", &g.B);
    g.targets = (int32_t *)golden_memory(g.T * sizeof *g.targets);
    for (size_t t = 0; t < g.T; t++) g.targets[t] = g.tokens[t + 1 < g.T ? t + 1 : t];
    return g;
}
static r1_tensor *golden_hidden(golden_case *g, uint64_t *loads) {
    r1_batch batch = {.tokens = g->tokens, .starts = g->starts, .B = g->B, .loads = loads};
    return r1_model_forward(g->model, &batch);
}
// Mean cross-entropy of the next tokens; the last row of a sequence has weight 0.
static r1_tensor *golden_loss(golden_case *g) {
    r1_tensor *hidden = golden_hidden(g, NULL);
    r1_logprobs *out = r1_logprob(g->ctx, hidden, r1_model_head(g->model), g->targets, 0);
    r1_tensor *weights = r1_tensor_new(g->ctx, 1, &g->T);
    CHECK(out && weights);
    for (size_t b = 0; b < g->B; b++)
        for (size_t t = g->starts[b]; t + 1 < g->starts[b + 1]; t++)
            weights->data[t] = (r1i_real)(-1.0 / (double)(g->T - g->B));
    return r1_sum(g->ctx, r1_mul(g->ctx, out->logp, weights));
}
static void golden_logits(golden_case *g) {
    size_t n;
    float *want = golden_floats(g->file, "logits", &n);
    r1_step_begin(g->ctx);
    r1_no_grad_begin(g->ctx);
    r1_tensor *logits = r1_matmul(g->ctx, golden_hidden(g, NULL), r1_model_head(g->model), NULL);
    CHECK(logits && r1_tensor_count(logits) == n);
    golden_close("logits", logits->data, want, n, 1e-5);
    r1_no_grad_end(g->ctx);
    r1_step_end(g->ctx);
}
static size_t golden_gradients(golden_case *g) {
    size_t idle = 0, seen = 0;
    r1_step_begin(g->ctx);
    r1_backward(g->ctx, golden_loss(g));
    CHECK_EQUAL_TEXT(r1_message_of(g->ctx), "");
    for (size_t i = 0; i < r1_tensors_count(g->file); i++) {
        const r1_entry *entry = r1_tensors_at(g->file, i);
        if (strncmp(entry->name, "g/", 2)) continue;
        size_t n, zeros = 0;
        float *want = golden_floats(g->file, entry->name, &n);
        r1_tensor *x = r1_model_find(g->model, entry->name + 2);
        CHECK(x && r1_tensor_count(x) == n);
        golden_close(entry->name, x->grad, want, n, 1e-4);
        for (size_t j = 0; j < n; j++) zeros += x->grad[j] == 0 && want[j] == 0;
        idle += zeros == n && strstr(entry->name, ".experts.") && strstr(entry->name, "down_proj");
        seen += n;
    }
    CHECK_EQUAL_SIZE(seen, r1_model_size(g->model)); // every parameter was compared
    r1_step_end(g->ctx);
    return idle;
}
static void golden_train(golden_case *g) {
    size_t n, ranges;
    float *losses = golden_floats(g->file, "losses", &n);
    float *norms = golden_floats(g->file, "grad_norms", NULL);
    r1_slice text = r1_tensors_metadata(g->file, "adamw");
    r1_json *adamw = r1_json_read(g->ctx, text.data, text.size);
    CHECK(adamw && n == 11 && r1_model_train_ready(g->model) == R1_OK);
    r1_adamw_desc desc = {.beta1 = r1_json_number(r1_json_find(adamw, "beta1"), 0),
                          .beta2 = r1_json_number(r1_json_find(adamw, "beta2"), 0),
                          .eps = r1_json_number(r1_json_find(adamw, "eps"), 0),
                          .decay = r1_json_number(r1_json_find(adamw, "weight_decay"), 0),
                          .clip_norm = r1_json_number(r1_json_find(adamw, "max_norm"), 0)};
    double lr = r1_json_number(r1_json_find(adamw, "lr"), 0);
    r1_range *range = r1_model_ranges(g->model, &ranges);
    for (size_t step = 0; step < n; step++) {
        for (size_t r = 0; r < ranges; r++) memset(range[r].g, 0, range[r].n * sizeof(r1i_real));
        r1_step_begin(g->ctx);
        r1_tensor *loss = golden_loss(g);
        CHECK(loss);
        printf("step %zu: %.6f, want %.6f\n", step, (double)loss->data[0], (double)losses[step]);
        CHECK_NEAR((double)loss->data[0], (double)losses[step], 1e-4 * (double)losses[step]);
        r1_backward(g->ctx, loss);
        r1_step_end(g->ctx);
        if (step + 1 == n) break;
        double norm = r1_adamw_step(g->ctx, range, ranges, &desc, lr, step + 1);
        CHECK_NEAR(norm, (double)norms[step], 1e-3 * (double)norms[step]);
    }
    r1_json_free(g->ctx, adamw);
}
static void golden_check(const char *name, r1_mla_form form, r1_cpu_level level, size_t idle) {
    printf("%s form %d level %d\n", name, (int)form, (int)level);
    golden_case g = golden_load(name, form, level);
    golden_logits(&g);
    CHECK_EQUAL_SIZE(golden_gradients(&g), idle);
    golden_train(&g);
    CHECK_EQUAL_TEXT(r1_message_of(g.ctx), "");
    r1_tensors_close(g.file);
    r1_context_free(g.ctx);
}
static void golden_levels(const char *name, r1_mla_form form, size_t idle) {
    golden_check(name, form, R1_CPU_SCALAR, idle);
    if (r1_cpu_best() != R1_CPU_SCALAR) golden_check(name, form, r1_cpu_best(), idle);
}
TEST(golden_dsv3_expanded_form) { golden_levels("dsv3_expanded", R1_MLA_EXPANDED, 0); }
TEST(golden_dsv3_absorbed_form) { golden_levels("dsv3_expanded", R1_MLA_ABSORBED, 0); }
// One expert is chosen by no token: its gradient is exactly 0.
TEST(golden_dsv3_noq_expanded_form) { golden_levels("dsv3_noq", R1_MLA_EXPANDED, 1); }
TEST(golden_dsv3_noq_absorbed_form) { golden_levels("dsv3_noq", R1_MLA_ABSORBED, 1); }
TEST(golden_qwen2) { golden_levels("qwen2", R1_MLA_AUTO, 0); }
TEST(golden_qwen2_untied) { golden_levels("qwen2_untied", R1_MLA_AUTO, 0); }
TEST(golden_deepseek_v2_expanded_form) { golden_levels("dsv2", R1_MLA_EXPANDED, 0); }
TEST(golden_deepseek_v2_absorbed_form) { golden_levels("dsv2", R1_MLA_ABSORBED, 0); }
TEST(golden_deepseek_v2_lite) { golden_levels("dsv2_lite", R1_MLA_AUTO, 0); }
TEST(golden_llama) { golden_levels("llama", R1_MLA_AUTO, 0); }
TEST(golden_llama3) { golden_levels("llama3", R1_MLA_AUTO, 0); }
TEST(golden_qwen3) { golden_levels("qwen3", R1_MLA_AUTO, 0); }
TEST(golden_qwen3_moe) { golden_levels("qwen3_moe", R1_MLA_AUTO, 0); }
