// Multi-token prediction and YaRN against PyTorch in float64. Uses the helpers of test_golden.c.

// What these tests need of the private parts of r1.h stands in the first two functions.

// Log-probs of the targets of every row of one sequence t_0 .. t_(n-1) at a depth, 0 = the main
// model: row i predicts t_(i+depth+1). Returns how many rows there are, 0 for a short sequence.
static size_t mtp_logprobs(r1_model *model, const int32_t *tokens, size_t n, size_t depth,
                           r1i_real *out) {
    r1_context *ctx = r1_model_context(model);
    size_t starts[] = {0, n - 1}, rows = n > depth + 1 ? n - 1 - depth : 0;
    if (!rows) return 0;
    int32_t *kept = (int32_t *)golden_memory(n * sizeof *kept);
    for (size_t i = 0; i < n; i++) kept[i] = (int32_t)i;
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx);
    r1_batch batch = {.tokens = tokens, .starts = starts, .B = 1};
    r1_tensor *hidden = r1_model_forward(model, &batch);
    for (size_t k = 1; k <= depth; k++) { // a depth has all rows of the one below but the last
        batch.tokens = tokens + k, starts[1] = n - 1 - k;
        hidden = r1i_mtp_forward(model, &batch, k, r1_embed(ctx, hidden, kept, starts[1]));
    }
    r1_tensor *read = depth ? r1i_mtp_norm(model, depth, hidden) : hidden;
    r1_logprobs *logp = r1_logprob(ctx, read, r1_model_head(model), tokens + depth + 1, 1);
    CHECK(logp && r1_tensor_count(logp->logp) == rows);
    memcpy(out, logp->logp->data, rows * sizeof *out);
    r1_no_grad_end(ctx);
    r1_step_end(ctx);
    return rows;
}
typedef struct yarn_numbers {
    double low, high, m, amplitude, scale, frequency[32];
} yarn_numbers;
// First and last pair of the ramp, m(mscale_all_dim), the factor on cos and sin, the factor on the
// scores, and the frequencies of an MLA config.
static yarn_numbers yarn_numbers_of(const r1_model_config *c) {
    yarn_numbers y = {.low = floor(r1i_yarn_pair(c, c->rope_dim, c->rope.beta_fast)),
                      .high = ceil(r1i_yarn_pair(c, c->rope_dim, c->rope.beta_slow)),
                      .m = r1i_yarn_mscale(c->rope.factor, c->rope.mscale_all),
                      .amplitude = r1i_yarn_amplitude(&c->rope),
                      .scale = r1i_mla_scale(c)};
    for (size_t i = 0; i < c->rope_dim / 2 && i < 32; i++)
        y.frequency[i] = r1i_rope_frequency(c, c->rope_dim, i);
    return y;
}

// A number of the object that a golden file's metadata has under `adamw`.
static double mtp_setting(const r1_json *adamw, const char *key) {
    const r1_json *node = r1_json_find(adamw, key);
    CHECK(node);
    return r1_json_number(node, 0);
}
// One chunk, so that all texts are packed into one pass.
static r1_trainer *mtp_trainer(golden_case *g) {
    r1_slice text = r1_tensors_metadata(g->file, "adamw");
    r1_json *adamw = r1_json_read(g->ctx, text.data, text.size);
    r1_train_desc desc = {.adamw = {.beta1 = mtp_setting(adamw, "beta1"),
                                    .beta2 = mtp_setting(adamw, "beta2"),
                                    .eps = mtp_setting(adamw, "eps"),
                                    .decay = mtp_setting(adamw, "weight_decay"),
                                    .clip_norm = mtp_setting(adamw, "max_norm")},
                          .schedule = {.peak = mtp_setting(adamw, "lr")},
                          .chunks = 1,
                          .mtp_weight = mtp_setting(adamw, "mtp_weight"),
                          .balance_weight = R1_OFF,
                          .bias_rate = R1_OFF};
    r1_json_free(g->ctx, adamw);
    r1_trainer *trainer = r1_trainer_new(g->model, &desc);
    CHECK_EQUAL_TEXT(r1_message_of(g->ctx), "");
    return trainer;
}
static r1_document *mtp_documents(const golden_case *g) {
    size_t B;
    int32_t *from = golden_ints(g->file, "loss_from", &B);
    r1_document *documents = (r1_document *)golden_memory(B * sizeof *documents);
    CHECK_EQUAL_SIZE(B, g->B);
    for (size_t b = 0; b < B; b++)
        documents[b] = (r1_document){.tokens = g->tokens + g->starts[b],
                                     .n = g->starts[b + 1] - g->starts[b],
                                     .loss_from = (size_t)from[b]};
    return documents;
}
static void mtp_depths(const golden_case *g) {
    static const char *const names[] = {"logp/0", "logp/1", "logp/2"};
    CHECK_EQUAL_SIZE(r1_model_config_of(g->model)->mtp_layers, 2);
    for (size_t depth = 0; depth < 3; depth++) {
        size_t n, at = 0;
        float *want = golden_floats(g->file, names[depth], &n);
        r1i_real *have = (r1i_real *)golden_memory(g->T * sizeof *have);
        for (size_t b = 0; b < g->B; b++)
            at += mtp_logprobs(g->model, g->tokens + g->starts[b], g->starts[b + 1] - g->starts[b],
                               depth, have + at);
        CHECK_EQUAL_SIZE(at, n);
        golden_close(names[depth], have, want, n, 1e-5);
    }
    CHECK_EQUAL_TEXT(r1_message_of(g->ctx), "");
}
// The gradient of the whole loss lies in the model when the step is done.
static void mtp_gradients(const golden_case *g) {
    size_t seen = 0;
    r1_step_begin(g->ctx);
    for (size_t i = 0; i < r1_tensors_count(g->file); i++) {
        const r1_entry *entry = r1_tensors_at(g->file, i);
        if (strncmp(entry->name, "g/", 2)) continue;
        size_t n;
        float *want = golden_floats(g->file, entry->name, &n);
        r1_tensor *x = r1_model_find(g->model, entry->name + 2);
        CHECK(x && r1_tensor_count(x) == n);
        golden_close(entry->name, x->grad, want, n, 1e-4);
        seen += n;
    }
    CHECK_EQUAL_SIZE(seen, r1_model_size(g->model)); // every parameter was compared
    r1_step_end(g->ctx);
}
// losses [steps + 1, 1 + depths]: of the main model, then of each depth over the same count of
// tokens, before every step and after the last.
static void mtp_train(golden_case *g) {
    size_t n, steps;
    float *losses = golden_floats(g->file, "losses", &n);
    float *norms = golden_floats(g->file, "grad_norms", &steps);
    r1_document *documents = mtp_documents(g);
    r1_trainer *trainer = mtp_trainer(g);
    CHECK(steps == 5 && n == 3 * (steps + 1));
    for (size_t step = 0; step <= steps; step++) {
        const float *want = losses + 3 * step;
        double later = ((double)want[1] + (double)want[2]) / 2;
        r1_step_metrics m;
        CHECK(r1_sft_step(trainer, documents, g->B, &m) == R1_OK);
        printf("step %zu: %.6f and %.6f, want %.6f and %.6f\n", step, m.loss, m.mtp_loss,
               (double)want[0], later);
        CHECK_NEAR(m.loss, (double)want[0], 1e-4 * (double)want[0]);
        CHECK_NEAR(m.mtp_loss, later, 1e-4 * later);
        if (step == 0) mtp_gradients(g);
        if (step < steps) CHECK_NEAR(m.grad_norm, (double)norms[step], 1e-3 * (double)norms[step]);
    }
    r1_trainer_free(trainer);
}
static void mtp_check(const char *name, r1_mla_form form, r1_cpu_level level) {
    printf("%s form %d level %d\n", name, (int)form, (int)level);
    golden_case g = golden_load(name, form, level);
    mtp_depths(&g);
    mtp_train(&g);
    CHECK_EQUAL_TEXT(r1_message_of(g.ctx), "");
    r1_tensors_close(g.file);
    r1_context_free(g.ctx);
}
static void mtp_levels(const char *name, r1_mla_form form) {
    mtp_check(name, form, R1_CPU_SCALAR);
    if (r1_cpu_best() != R1_CPU_SCALAR) mtp_check(name, form, r1_cpu_best());
}
TEST(mtp_golden_expanded_form) { mtp_levels("dsv3_mtp", R1_MLA_EXPANDED); }
TEST(mtp_golden_absorbed_form) { mtp_levels("dsv3_mtp", R1_MLA_ABSORBED); }
TEST(mtp_golden_tied_expanded_form) { mtp_levels("dsv3_mtp_tied", R1_MLA_EXPANDED); }
TEST(mtp_golden_tied_absorbed_form) { mtp_levels("dsv3_mtp_tied", R1_MLA_ABSORBED); }

// Two layers, factor 4 from 64 tokens on, mscale other than mscale_all_dim: cos and sin are scaled,
// too. Logits, gradients and ten AdamW steps as for every golden model.
TEST(yarn_golden_expanded_form) { golden_levels("dsv3_yarn", R1_MLA_EXPANDED, 0); }
TEST(yarn_golden_absorbed_form) { golden_levels("dsv3_yarn", R1_MLA_ABSORBED, 0); }
// As Qwen2.5 has it: neither mscale, so cos and sin grow by m(1) and the scores have no factor.
TEST(yarn_golden_qwen2) { golden_levels("qwen2_yarn", R1_MLA_AUTO, 0); }

// The settings of V3, up to position 5199 behind an original length of 4096.
static void yarn_long(const char *name, r1_mla_form form) {
    size_t rows, n;
    golden_case g = golden_load(name, form, r1_cpu_best());
    int32_t *row = golden_ints(g.file, "rows", &rows);
    float *want = golden_floats(g.file, "logits", &n);
    r1_step_begin(g.ctx);
    r1_no_grad_begin(g.ctx);
    r1_tensor *hidden = r1_embed(g.ctx, golden_hidden(&g, NULL), row, rows);
    r1_tensor *logits = r1_matmul(g.ctx, hidden, r1_model_head(g.model), NULL);
    CHECK_EQUAL_TEXT(r1_message_of(g.ctx), "");
    CHECK(row[rows - 1] == 5199 && r1_tensor_count(logits) == n);
    for (size_t i = 0; i < rows; i++) {
        size_t V = n / rows;
        printf("position %d: ", row[i]);
        golden_close("logits", logits->data + i * V, want + i * V, V, 1e-5);
    }
    r1_no_grad_end(g.ctx);
    r1_step_end(g.ctx);
    r1_tensors_close(g.file);
    r1_context_free(g.ctx);
}
TEST(yarn_golden_beyond_the_original_length) {
    yarn_long("dsv3_yarn_long", R1_MLA_EXPANDED);
    yarn_long("dsv3_yarn_long", R1_MLA_ABSORBED);
    yarn_long("qwen2_yarn_long", R1_MLA_AUTO);
    yarn_long("llama3_long", R1_MLA_AUTO);
}
// Numbers that follow from the config of V3 by hand: low = floor(64 ln(4096 / (64 pi)) / (2 ln
// 10000)), high = ceil(64 ln(4096 / (2 pi)) / (2 ln 10000)), m = 0.1 ln 40 + 1, scale = m^2 /
// sqrt(192).
TEST(yarn_numbers_of_v3) {
    static const char text[] =
        "{\"model_type\":\"deepseek_v3\",\"vocab_size\":129280,\"hidden_size\":7168,"
        "\"num_hidden_layers\":61,\"num_attention_heads\":128,\"num_key_value_heads\":128,"
        "\"q_lora_rank\":1536,\"kv_lora_rank\":512,\"qk_nope_head_dim\":128,"
        "\"qk_rope_head_dim\":64,\"v_head_dim\":128,\"max_position_embeddings\":163840,"
        "\"num_nextn_predict_layers\":1,\"rope_theta\":10000,\"rope_scaling\":{\"beta_fast\":32,"
        "\"beta_slow\":1,\"factor\":40,\"mscale\":1.0,\"mscale_all_dim\":1.0,"
        "\"original_max_position_embeddings\":4096,\"type\":\"yarn\"}}";
    r1_context *ctx = r1_context_new(NULL);
    r1_model_config config;
    CHECK(r1_model_config_read(ctx, text, sizeof text - 1, &config) == R1_OK);
    CHECK(config.mtp_layers == 1);
    yarn_numbers y = yarn_numbers_of(&config);
    CHECK(y.low == 10 && y.high == 23);
    CHECK_NEAR(y.m, 1.36889, 5e-6);
    CHECK_NEAR(y.scale, 0.135234, 5e-7);
    CHECK_NEAR(y.amplitude, 1, 1e-15);
    for (size_t i = 0; i < 32; i++) {
        double plain = pow(10000, -(double)i / 32), ramp = ((double)i - 10) / 13;
        ramp = fmin(fmax(ramp, 0), 1);
        CHECK_NEAR(y.frequency[i], plain * (1 - ramp) + plain / 40 * ramp, 1e-14 * plain);
    }
    config.rope.mscale = 0.707, config.rope.factor = 4; // cos and sin by m(mscale) / m(all)
    y = yarn_numbers_of(&config);
    CHECK_NEAR(y.amplitude, (0.0707 * log(4) + 1) / (0.1 * log(4) + 1), 1e-14);
    config.rope.mscale = 0; // without both: by m(1), and the scores are as without YaRN
    config.rope.mscale_all = 0;
    y = yarn_numbers_of(&config);
    CHECK_NEAR(y.amplitude, 0.1 * log(4) + 1, 1e-14);
    CHECK_NEAR(y.scale, 1 / sqrt(192), 1e-15);
    r1_context_free(ctx);
}
