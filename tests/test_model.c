// Tests of the room [model]: configs, parameters, files, scoring, routers.

enum { MODEL_T = 27, MODEL_B = 5 };
static const size_t model_starts[MODEL_B + 1] = {0, 7, 8, 8, 19, 27};

static r1_model_config model_mla(void) {
    return (r1_model_config){.vocab = 13,
                             .width = 20,
                             .layers = 3,
                             .heads = 2,
                             .max_tokens = 32,
                             .mla_form = R1_MLA_EXPANDED,
                             .q_rank = 7,
                             .kv_rank = 6,
                             .nope_dim = 5,
                             .rope_dim = 4,
                             .value_dim = 3,
                             .dense_width = 17,
                             .dense_layers = 1,
                             .experts = 8,
                             .chosen = 3,
                             .shared = 2,
                             .expert_width = 9,
                             .groups = 4,
                             .kept_groups = 2,
                             .normalise_gates = true,
                             .routed_scale = 2.5};
}
static r1_model_config model_gqa(void) {
    return (r1_model_config){.vocab = 13,
                             .width = 24,
                             .layers = 2,
                             .heads = 6,
                             .max_tokens = 32,
                             .attention = R1_GQA,
                             .kv_heads = 2,
                             .head_dim = 4,
                             .qkv_bias = true,
                             .dense_width = 17,
                             .tied_head = true};
}
// Kinds of models: with and without query compression, tied or not, softmax router, no expert at
// all, nothing but experts, GQA as in Qwen2, V2, Llama, Qwen3 and Qwen3-MoE, and between V2 and V3.
static r1_model_config model_kind(int k) {
    r1_model_config config = k < 6 || k == 8 || k > 11 ? model_mla() : model_gqa();
    if (k == 1) config.q_rank = 0, config.tied_head = true;
    if (k == 2) config.softmax_scores = true, config.groups = config.kept_groups = 0;
    if (k == 3) config.mla_form = R1_MLA_ABSORBED, config.normalise_gates = false;
    if (k == 4) config.experts = config.chosen = config.shared = config.groups = 0;
    if (k == 4) config.kept_groups = config.expert_width = 0;
    if (k == 5) config.dense_layers = config.dense_width = config.shared = 0;
    if (k == 7) config.tied_head = false;
    if (k == 8) config.softmax_scores = config.greedy_choice = true, config.normalise_gates = false;
    if (k >= 12) config.greedy_choice = true, config.softmax_scores = k == 13;
    if (k >= 12) config.normalise_gates = k == 13;
    if (k == 9) config.out_bias = true, config.rope.kind = R1_ROPE_LLAMA3, config.rope.factor = 8;
    if (k == 10 || k == 11) config.qkv_bias = false, config.qk_norm = true, config.head_dim = 6;
    if (k == 11) {
        config.experts = 5, config.chosen = 2, config.expert_width = 9, config.layers = 4;
        config.dense_layers = 1, config.dense_mask[0] = 4;
        config.softmax_scores = config.greedy_choice = config.normalise_gates = true;
    }
    return config;
}
static const int32_t *model_tokens(void) {
    static int32_t tokens[MODEL_T];
    for (int t = 0; t < MODEL_T; t++) tokens[t] = (t * t + 3 * t) % 13;
    return tokens;
}
static r1_batch model_batch(void) {
    return (r1_batch){.tokens = model_tokens(), .starts = model_starts, .B = MODEL_B};
}
static r1_context *model_context(r1_cpu_level level, int threads) {
    r1_context_desc desc = {.seed = 3, .threads = threads, .cpu_level = level};
    return r1_context_new(&desc);
}
// A model whose gains and biases are not at their starting values.
static r1_model *model_make(r1_context *ctx, const r1_model_config *config) {
    r1_model *model = r1_model_new(ctx, config);
    size_t n;
    if (!model) test_stop(TEST_FAILED, "no model: %s", r1_message_of(ctx));
    const r1_parameter *p = r1_model_parameters(model, &n);
    r1_random at = {.seed = 11, .stream = R1_STREAM_USER};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; p[i].initial <= 0 && j < r1_tensor_count(p[i].tensor); j++)
            p[i].tensor->data[j] += 0.3f * r1_random_normal(&at);
    for (size_t l = 0; l < r1_model_config_of(model)->layers; l++)
        for (size_t e = 0; r1_model_router_bias(model, l) && e < config->experts; e++)
            r1_model_router_bias(model, l)[e] = 0.2f * r1_random_normal(&at) - 0.7f;
    return model;
}

static void model_refuses(const char *field, r1_model_config config) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    if (r1_model_new(ctx, &config) || r1_status_of(ctx) != R1_ERROR_ARGUMENT ||
        !strstr(r1_message_of(ctx), field))
        test_stop(TEST_FAILED, "%s: %s \"%s\"", field, r1_status_name(r1_status_of(ctx)),
                  r1_message_of(ctx));
    r1_context_free(ctx);
}
#define MODEL_REFUSES(base, field, value)                                                          \
    do {                                                                                           \
        r1_model_config config = base;                                                             \
        config.field = value;                                                                      \
        model_refuses(#field, config);                                                             \
    } while (0)
TEST(model_config_errors_name_the_field) {
    MODEL_REFUSES(model_mla(), vocab, 0);
    MODEL_REFUSES(model_mla(), width, 0);
    MODEL_REFUSES(model_mla(), layers, 0);
    MODEL_REFUSES(model_mla(), heads, 0);
    MODEL_REFUSES(model_mla(), max_tokens, 0);
    MODEL_REFUSES(model_mla(), kv_rank, 0);
    MODEL_REFUSES(model_mla(), nope_dim, 0);
    MODEL_REFUSES(model_mla(), rope_dim, 0);
    MODEL_REFUSES(model_mla(), rope_dim, 5);
    MODEL_REFUSES(model_mla(), value_dim, 0);
    MODEL_REFUSES(model_mla(), dense_layers, 4);
    MODEL_REFUSES(model_mla(), dense_width, 0);
    MODEL_REFUSES(model_mla(), expert_width, 0);
    MODEL_REFUSES(model_mla(), chosen, 0);
    MODEL_REFUSES(model_mla(), chosen, 5); // two groups of two
    MODEL_REFUSES(model_mla(), groups, 3);
    MODEL_REFUSES(model_mla(), vocab, (size_t)1 << 40);
    MODEL_REFUSES(model_gqa(), kv_heads, 4);
    MODEL_REFUSES(model_gqa(), head_dim, 3);
    MODEL_REFUSES(model_gqa(), dense_width, 0);
    MODEL_REFUSES(model_mla(), rope_theta, -1);
    MODEL_REFUSES(model_mla(), rope_theta, NAN);
    MODEL_REFUSES(model_mla(), norm_eps, -1);
    MODEL_REFUSES(model_gqa(), mtp_layers, 1); // no format joins these
    MODEL_REFUSES(model_kind(11), qk_norm, false);
    MODEL_REFUSES(model_kind(11), shared, 1);
    MODEL_REFUSES(model_kind(11), greedy_choice, false);
    MODEL_REFUSES(model_kind(9), qkv_bias, false);
    r1_model_config odd = model_mla(), ramp = model_kind(9);
    odd.dense_mask[0] = 4, ramp.rope.beta_fast = 1;
    model_refuses("dense_mask", odd), model_refuses("beta_fast", ramp);
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    CHECK(!r1_model_new(ctx, NULL) && r1_status_of(ctx) == R1_ERROR_ARGUMENT);
    r1_error_clear(ctx);
    r1_model_config huge = model_mla(); // a size that fits no memory is an error, not a crash
    huge.width = (size_t)1 << 30, huge.vocab = (size_t)1 << 30;
    CHECK(!r1_model_new(ctx, &huge) && r1_status_of(ctx) == R1_ERROR_MEMORY);
    r1_context_free(ctx);
}
TEST(model_config_read_errors) {
    static const char *const texts[] = {"{\"model_type\": \"gpt2\"}", "{}", "[1]", "{"};
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    for (int i = 0; i < 4; i++) {
        r1_model_config config;
        CHECK(r1_model_config_read(ctx, texts[i], strlen(texts[i]), &config) == R1_ERROR_FORMAT);
        CHECK(i || strstr(r1_message_of(ctx), "gpt2"));
        r1_error_clear(ctx);
    }
    r1_context_free(ctx);
}

// Keys that change what a model computes, and that this library does not compute, are refused: the
// logits would be wrong without a word.
TEST(model_config_read_refuses_what_it_cannot_do) {
    static const char *const keys[][2] = {
        {"rope_scaling", "{\"type\": \"longrope\", \"factor\": 40}"},
        {"attention_bias", "true"},
        {"hidden_act", "\"gelu\""},
        {"rope_interleave", "false"},
        {"mlp_bias", "true"},
        {"use_sliding_window", "true"},
        {"scoring_func", "\"tanh\""},
        {"topk_method", "\"sinkhorn\""},
    };
    for (int i = -1; i < 8; i++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 1);
        r1_model_config config;
        char text[700];
        snprintf(text, sizeof text,
                 "{\"model_type\": \"deepseek_v3\", \"vocab_size\": 8, \"hidden_size\": 8, "
                 "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"kv_lora_rank\": 4, "
                 "\"max_position_embeddings\": 64, \"qk_nope_head_dim\": 2, \"v_head_dim\": 2, "
                 "\"qk_rope_head_dim\": 2, \"intermediate_size\": 8, \"%s\": %s}",
                 i < 0 ? "rope_scaling" : keys[i][0], i < 0 ? "null" : keys[i][1]);
        r1_status status = r1_model_config_read(ctx, text, strlen(text), &config);
        if (i < 0)
            CHECK(status == R1_OK && r1_model_new(ctx, &config));
        else if (status != R1_ERROR_FORMAT || !strstr(r1_message_of(ctx), keys[i][0]))
            test_stop(TEST_FAILED, "%s: %s", keys[i][0], r1_message_of(ctx));
        r1_context_free(ctx);
    }
}

// The number of parameters by the formulas of the paper's section on the architecture.
static size_t model_count(const r1_model_config *c) {
    size_t attention, dense = 3 * c->width * c->dense_width, head = c->vocab * c->width;
    size_t moe = c->experts * c->width + 3 * c->width * c->expert_width * (c->experts + c->shared);
    size_t query = c->heads * (c->nope_dim + c->rope_dim);
    attention = c->q_rank ? c->q_rank * (c->width + 1 + query) : c->width * query;
    attention += (c->kv_rank + c->rope_dim) * c->width + c->kv_rank;
    attention += c->heads * (c->nope_dim + c->value_dim) * c->kv_rank;
    attention += c->heads * c->value_dim * c->width;
    if (c->attention == R1_GQA) {
        size_t wide = c->heads * c->head_dim, narrow = c->kv_heads * c->head_dim;
        attention = 2 * wide * c->width + 2 * narrow * c->width;
        attention += (c->qkv_bias ? wide + 2 * narrow : 0) + (c->out_bias ? c->width : 0);
        attention += c->qk_norm ? 2 * c->head_dim : 0;
    }
    size_t dense_layers = c->experts ? c->dense_layers : c->layers;
    for (size_t l = c->dense_layers; c->experts && l < c->layers; l++)
        dense_layers += c->dense_mask[0] >> l & 1;
    return (c->tied_head ? 1 : 2) * head + c->layers * (attention + 2 * c->width) + c->width +
           dense_layers * dense + (c->layers - dense_layers) * moe;
}
TEST(model_parameter_count) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    for (int k = 0; k < 14; k++) {
        r1_model_config config = model_kind(k);
        r1_model *model = r1_model_new(ctx, &config);
        r1_model_plan plan;
        size_t n, ranges, sum = 0, bytes = 0;
        CHECK(model);
        CHECK_EQUAL_SIZE(r1_model_size(model), model_count(&config));
        CHECK(r1_model_plan_of(ctx, &config, &plan) == R1_OK);
        CHECK_EQUAL_SIZE(plan.parameters, r1_model_size(model));
        const r1_parameter *p = r1_model_parameters(model, &n);
        const r1_range *range = r1_model_ranges(model, &ranges);
        for (size_t i = 0; i < n; i++) {
            r1_tensor *x = p[i].tensor;
            const r1_range *home = &range[p[i].range];
            sum += r1_tensor_count(x);
            CHECK(r1_model_find(model, p[i].name) == x && (uintptr_t)x->data % 64 == 0);
            CHECK(x->data >= home->w && x->data + r1_tensor_count(x) <= home->w + home->n);
            CHECK(!x->grad && !x->wants_grad);     // before anybody trains
            CHECK(home->decayed == (x->rank > 1)); // weight decay acts on matrices only
        }
        for (size_t r = 0; r < ranges; r++) bytes += range[r].n * sizeof *range[r].w;
        CHECK_EQUAL_SIZE(plan.weight_bytes, bytes);
        CHECK_EQUAL_SIZE(plan.moment_bytes, 2 * bytes);
        CHECK(r1_model_train_ready(model) == R1_OK);
        for (size_t i = 0; i < n; i++) {
            const r1_range *home = &range[p[i].range];
            CHECK(p[i].tensor->grad - home->g == p[i].tensor->data - home->w);
        }
        size_t again = config.tied_head ? config.vocab * config.width * sizeof(float) : 0;
        CHECK_EQUAL_SIZE(plan.gradient_bytes, bytes + again);
        CHECK_EQUAL_SIZE(plan.embedding + plan.head + plan.attention + plan.dense + plan.experts +
                             plan.shared + plan.routers + plan.norms + plan.mtp,
                         plan.parameters);
        CHECK_EQUAL_SIZE(sum, r1_model_size(model));
        r1_model_free(model);
    }
    r1_context_free(ctx);
}
TEST(model_draws_of_one_seed_differ) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *first = model_make(ctx, &config), *same = model_make(ctx, &config);
    config.init_draw = 1;
    r1_model *other = model_make(ctx, &config);
    CHECK(r1_model_hash(first) == r1_model_hash(same));
    CHECK(r1_model_hash(first) != r1_model_hash(other));
    r1_context_free(ctx);
}
TEST(model_find_gives_single_experts) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    r1_tensor *all = r1_model_find(model, "model.layers.1.mlp.experts.down_proj.weight");
    r1_tensor *last = r1_model_find(model, "model.layers.1.mlp.experts.7.down_proj.weight");
    CHECK(all && last && all->rank == 3 && last->rank == 2);
    CHECK(last->data == all->data + 7 * 20 * 9 && !last->grad);
    CHECK(r1_model_train_ready(model) == R1_OK);
    last = r1_model_find(model, "model.layers.1.mlp.experts.7.down_proj.weight");
    CHECK(last->wants_grad && last->grad == all->grad + 7 * 20 * 9);
    CHECK(!r1_model_find(model, "model.layers.1.mlp.experts.8.down_proj.weight"));
    CHECK(!r1_model_find(model, "model.layers.0.mlp.experts.0.down_proj.weight"));
    CHECK(!r1_model_find(model, "model.layers.3.input_layernorm.weight") &&
          !r1_model_find(model, ""));
    CHECK(!r1_model_router_bias(model, 0) && r1_model_router_bias(model, 2));
    CHECK(!r1_model_router_bias(model, 3));
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_context_free(ctx);
}

// ---- files ----
static bool model_same_file(r1_context *ctx, const char *a, const char *b) {
    size_t n, m;
    char *x = r1_file_read(ctx, a, &n), *y = r1_file_read(ctx, b, &m);
    bool same = x && y && n == m && memcmp(x, y, n) == 0;
    r1_file_free(ctx, x), r1_file_free(ctx, y);
    return same;
}
static const char *model_path(const char *folder, const char *file) {
    return test_path(test_join(folder, file));
}
TEST(model_save_and_load) {
    for (int k = 0; k < 14; k++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 1);
        r1_model_config config = model_kind(k);
        printf("kind %d\n", k);
        r1_model *model = model_make(ctx, &config), *loaded;
        CHECK(r1_model_save(model, test_path("one/deep")) == R1_OK);
        loaded = r1_model_load(ctx, test_path("one/deep"));
        if (!loaded) test_stop(TEST_FAILED, "load: %s", r1_message_of(ctx));
        CHECK(r1_model_hash(loaded) == r1_model_hash(model));
        CHECK(r1_model_save(loaded, test_path("two")) == R1_OK);
        CHECK(model_same_file(ctx, model_path("one/deep", "config.json"),
                              model_path("two", "config.json")));
        CHECK(model_same_file(ctx, model_path("one/deep", "model.safetensors"),
                              model_path("two", "model.safetensors")));
        float logp[2][MODEL_T];
        r1_batch batch = model_batch();
        CHECK(r1_model_score(model, &batch, 1, 0, logp[0], NULL) == R1_OK);
        CHECK(r1_model_score(loaded, &batch, 1, 0, logp[1], NULL) == R1_OK);
        CHECK(memcmp(logp[0], logp[1], sizeof logp[0]) == 0); // the form of MLA came along, too
        CHECK(r1_model_copy(loaded, model) == R1_OK);
        r1_context_free(ctx);
    }
}
static void model_load_fails(r1_context *ctx, r1_status status, const char *one, const char *two) {
    size_t before, after;
    r1_memory_used(ctx, &before, NULL);
    r1_model *model = r1_model_load(ctx, test_path("m"));
    if (model || r1_status_of(ctx) != status || !strstr(r1_message_of(ctx), one) ||
        !strstr(r1_message_of(ctx), two))
        test_stop(TEST_FAILED, "want %s, %s, %s; have %s: %s", r1_status_name(status), one, two,
                  r1_status_name(r1_status_of(ctx)), r1_message_of(ctx));
    r1_error_clear(ctx);
    r1_memory_used(ctx, &after, NULL);
    CHECK(after <= before); // what was built before the error is freed
}
// Writes the weights of `folder` again without the tensor at `skip`.
static void model_drop_tensor(r1_context *ctx, const char *path, const char *skip) {
    r1_tensors *file = r1_tensors_open(ctx, path);
    size_t n = r1_tensors_count(file), kept = 0;
    r1_entry *entries = (r1_entry *)malloc((n + 1) * sizeof *entries);
    CHECK(file && entries);
    for (size_t i = 0; i < n; i++)
        if (strcmp(r1_tensors_at(file, i)->name, skip)) entries[kept++] = *r1_tensors_at(file, i);
    CHECK_EQUAL_SIZE(kept, n - 1);
    CHECK(r1_tensors_save(ctx, path, entries, kept, NULL, 0) == R1_OK);
    r1_tensors_close(file);
    free(entries);
}
TEST(model_load_errors_name_the_thing) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    const char *weights = model_path("m", "model.safetensors");
    char path[600], settings[600];
    snprintf(path, sizeof path, "%s", weights);
    snprintf(settings, sizeof settings, "%s", model_path("m", "config.json"));
    CHECK(r1_model_save(model, test_path("m")) == R1_OK);
    r1_model_free(r1_model_load(ctx, test_path("m"))); // the arenas have their size now
    struct stat info;
    CHECK(stat(path, &info) == 0);
    CHECK(truncate(path, info.st_size / 2) == 0);
    model_load_fails(ctx, R1_ERROR_FORMAT, "model.safetensors", "");
    CHECK(truncate(path, 0) == 0);
    model_load_fails(ctx, R1_ERROR_FORMAT, "model.safetensors", "");
    CHECK(remove(path) == 0);
    model_load_fails(ctx, R1_ERROR_FILE, "model.safetensors", "");
    static const char *const missing[] = {"model.layers.2.mlp.experts.5.up_proj.weight",
                                          "model.layers.1.mlp.gate.e_score_correction_bias",
                                          "lm_head.weight"};
    for (int i = 0; i < 3; i++) {
        CHECK(r1_model_save(model, test_path("m")) == R1_OK);
        model_drop_tensor(ctx, path, missing[i]);
        model_load_fails(ctx, R1_ERROR_FORMAT, "model.safetensors", missing[i]);
    }
    CHECK(r1_model_save(model, test_path("m")) == R1_OK);
    size_t size;
    char *text = r1_file_read(ctx, settings, &size), *at;
    CHECK(text && (at = strstr(text, "\"vocab_size\"")) && (at = strstr(at, "13")));
    at[1] = '4';
    CHECK(r1_file_write(ctx, settings, text, size) == R1_OK);
    model_load_fails(ctx, R1_ERROR_FORMAT, "model.embed_tokens.weight", "[14,20]");
    model_load_fails(ctx, R1_ERROR_FORMAT, "model.embed_tokens.weight", "[13,20]");
    CHECK(r1_file_write(ctx, settings, text, size / 2) == R1_OK);
    model_load_fails(ctx, R1_ERROR_FORMAT, "", "");
    r1_file_free(ctx, text);
    CHECK(remove(settings) == 0);
    model_load_fails(ctx, R1_ERROR_FILE, "config.json", "");
    CHECK(!r1_model_load(ctx, test_path("nowhere")) && r1_status_of(ctx) == R1_ERROR_FILE);
    CHECK(strstr(r1_message_of(ctx), "nowhere"));
    r1_error_clear(ctx);
    CHECK(r1_model_save(model, "/proc/no/such") == R1_ERROR_FILE);
    CHECK(strstr(r1_message_of(ctx), "/proc/no"));
    r1_context_free(ctx);
}

// ---- copies and hashes ----
// Weights, cosines and sines, and little else: a reference costs no gradients, and neither does a
// model that answers and scores. The first pass with gradients makes them.
TEST(model_gradients_are_made_late) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    config.vocab = 4000, config.mtp_layers = 1, config.tied_head = true;
    r1_model *model = model_make(ctx, &config);
    r1_model_plan plan;
    size_t before, after, n;
    float logp[4];
    int32_t tokens[] = {1, 5, 2, 6};
    r1_batch batch = {.tokens = tokens, .starts = (size_t[]){0, 4}, .B = 1};
    CHECK(r1_model_plan_of(ctx, &config, &plan) == R1_OK);
    r1_memory_used(ctx, &before, NULL);
    r1_model *clone = r1_model_clone(model);
    r1_memory_used(ctx, &after, NULL);
    CHECK(after - before >= plan.weight_bytes + plan.table_bytes);
    CHECK(after - before < plan.weight_bytes + plan.table_bytes + plan.weight_bytes / 10);
    CHECK(r1_model_score(clone, &batch, 1, 0, logp, NULL) == R1_OK);
    const r1_range *range = r1_model_ranges(clone, &n);
    for (size_t r = 0; r < n; r++) CHECK(!range[r].g && !range[r].m);
    r1_step_begin(ctx); // the copy can be trained like any model
    CHECK(r1_model_forward(clone, &batch));
    r1_step_end(ctx);
    r1_memory_used(ctx, &before, NULL);
    for (size_t r = 0; r < n; r++) CHECK(range[r].g && !range[r].m);
    CHECK(r1_model_train_ready(clone) == R1_OK);
    r1_memory_used(ctx, &after, NULL);
    CHECK(after - before >= plan.moment_bytes && after - before < plan.moment_bytes + 4096);
    size_t gradients = 0;
    for (size_t r = 0; r < n; r++) gradients += range[r].n * sizeof *range[r].g;
    for (size_t i = 0; i < clone->n_aliases; i++)
        gradients += r1_tensor_count(clone->aliases[i].tensor) * sizeof(r1i_real);
    CHECK_EQUAL_SIZE(gradients, plan.gradient_bytes);
    r1_context_free(ctx);
}
TEST(model_clone_copy_and_hash) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config), *clone = r1_model_clone(model);
    uint64_t hash = r1_model_hash(model);
    size_t n;
    CHECK(clone && r1_model_hash(clone) == hash);
    const r1_parameter *p = r1_model_parameters(model, &n);
    for (size_t i = 0; i < n; i++) // one bit of the last number of every parameter
        for (int bit = 0; bit < 32; bit += 31) {
            r1_tensor *x = p[i].tensor;
            unsigned char *byte = (unsigned char *)&x->data[r1_tensor_count(x) - 1] + bit / 8;
            *byte ^= (unsigned char)(1u << bit % 8);
            CHECK(r1_model_hash(model) != hash);
            *byte ^= (unsigned char)(1u << bit % 8);
            CHECK(r1_model_hash(model) == hash);
        }
    r1_model_router_bias(model, 2)[7] += 0.25f;
    CHECK(r1_model_hash(model) != hash && r1_model_hash(clone) == hash);
    r1_model_find(model, "lm_head.weight")->data[3] = 9;
    CHECK(r1_model_find(clone, "lm_head.weight")->data[3] != 9);
    CHECK(r1_model_copy(clone, model) == R1_OK && r1_model_hash(clone) == r1_model_hash(model));
    r1_model_config other = model_gqa();
    r1_model *gqa = model_make(ctx, &other);
    CHECK(r1_model_copy(gqa, model) != R1_OK && r1_status_of(ctx) == R1_ERROR_SHAPE);
    r1_error_clear(ctx);
    r1_context *second = model_context(R1_CPU_AUTO, 1); // the same seed draws the same weights
    r1_model *again = model_make(second, &config);
    CHECK(r1_model_hash(again) == hash);
    r1_context_free(second), r1_context_free(ctx);
}

// ---- forward and score ----
// Log-probs of a training forward pass: records on, all sequences together.
static void model_training_logp(r1_model *model, double temperature, float *logp) {
    r1_context *ctx = r1_model_context(model);
    int32_t targets[MODEL_T];
    for (int t = 0; t < MODEL_T; t++) targets[t] = model_tokens()[t + 1 < MODEL_T ? t + 1 : t];
    r1_step_begin(ctx);
    r1_batch batch = model_batch();
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_logprobs *out = r1_logprob(ctx, hidden, r1_model_head(model), targets, temperature);
    CHECK(out);
    for (size_t b = 0; b < MODEL_B; b++)
        for (size_t t = model_starts[b]; t < model_starts[b + 1]; t++)
            logp[t] = t == model_starts[b] ? 0 : out->logp->data[t - 1];
    r1_step_end(ctx);
}
TEST(model_score_is_one_arithmetic) {
    static const size_t micro[] = {0, 1, 7, 12, 1000};
    for (int form = R1_MLA_AUTO; form <= R1_MLA_ABSORBED; form++) {
        float want[MODEL_T], want_entropy[MODEL_T];
        for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++) {
            r1_context *ctx = model_context((r1_cpu_level)level, level);
            r1_model_config config = form ? model_mla() : model_gqa();
            if (form) config.mla_form = (r1_mla_form)form;
            r1_model *model = model_make(ctx, &config);
            float logp[MODEL_T], entropy[MODEL_T], training[MODEL_T];
            r1_batch batch = model_batch();
            for (int k = 0; k < 5; k++) {
                memset(logp, 1, sizeof logp), memset(entropy, 1, sizeof entropy);
                CHECK(r1_model_score(model, &batch, 0.8, micro[k], logp, entropy) == R1_OK);
                if (level == R1_CPU_SCALAR && !k) {
                    memcpy(want, logp, sizeof want);
                    memcpy(want_entropy, entropy, sizeof want_entropy);
                }
                CHECK(memcmp(want, logp, sizeof want) == 0);
                CHECK(memcmp(want_entropy, entropy, sizeof want_entropy) == 0);
            }
            model_training_logp(model, 0.8, training);
            CHECK(memcmp(want, training, sizeof want) == 0);
            CHECK(want[0] == 0 && want[7] == 0 && want[1] < 0 && want_entropy[1] > 0);
            r1_context_free(ctx);
        }
    }
}
TEST(model_forms_agree) {
    float logp[2][MODEL_T];
    for (int k = 0; k < 2; k++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 1);
        r1_model_config config = model_mla();
        config.mla_form = k ? R1_MLA_ABSORBED : R1_MLA_EXPANDED;
        model_training_logp(model_make(ctx, &config), 1, logp[k]);
        r1_context_free(ctx);
    }
    for (int t = 0; t < MODEL_T; t++)
        CHECK_NEAR((double)logp[0][t], (double)logp[1][t], 1e-4 * (1 + fabs((double)logp[0][t])));
}
TEST(model_forward_refuses_bad_batches) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    int32_t tokens[40] = {0};
    size_t falling[3] = {0, 400000, 5}, late[2] = {1, 5}, fine[2] = {0, 5}, long_one[2] = {0, 33};
    r1_batch bad[] = {
        {.tokens = tokens, .starts = falling, .B = 2},  {.tokens = tokens, .starts = late, .B = 1},
        {.tokens = tokens, .starts = long_one, .B = 1}, {.tokens = NULL, .starts = fine, .B = 1},
        {.tokens = tokens, .starts = NULL, .B = 1},     {.tokens = tokens, .starts = fine, .B = 0}};
    for (int k = 0; k < 6; k++) {
        CHECK(!r1_model_forward(model, &bad[k]) && r1_status_of(ctx) != R1_OK);
        CHECK(k != 2 || strstr(r1_message_of(ctx), "max_tokens"));
        r1_error_clear(ctx);
    }
    tokens[3] = 13;
    r1_batch outside = {.tokens = tokens, .starts = fine, .B = 1};
    CHECK(!r1_model_forward(model, &outside) && strstr(r1_message_of(ctx), "13"));
    r1_error_clear(ctx);
    tokens[3] = -1;
    CHECK(!r1_model_forward(model, &outside) && r1_status_of(ctx) == R1_ERROR_ARGUMENT);
    r1_error_clear(ctx);
    CHECK(!r1_model_forward(NULL, &outside) && !r1_model_forward(model, NULL));
    r1_context_free(ctx);
}

// ---- routers ----
static float *model_hidden(r1_model *model, r1_batch *batch) {
    static float out[3][MODEL_T * 20];
    static int turn;
    r1_context *ctx = r1_model_context(model);
    r1_step_begin(ctx);
    r1_tensor *hidden = r1_model_forward(model, batch);
    CHECK(hidden && r1_tensor_count(hidden) == MODEL_T * 20);
    turn = (turn + 1) % 3;
    memcpy(out[turn], hidden->data, sizeof out[turn]);
    r1_step_end(ctx);
    return out[turn];
}
TEST(model_loads_and_replay) {
    enum { LAYERS = 2, E = 8, K = 3 };
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    int32_t routes[MODEL_T * LAYERS * K], again[MODEL_T * LAYERS * K];
    uint64_t loads[LAYERS * E] = {0};
    r1_batch batch = model_batch();
    batch.routes = routes, batch.loads = loads;
    CHECK_EQUAL_SIZE(r1_model_moe_layers(model), LAYERS);
    float *first = model_hidden(model, &batch);
    for (size_t l = 0; l < LAYERS; l++) {
        uint64_t sum = 0, count[E] = {0};
        for (size_t t = 0; t < MODEL_T; t++)
            for (size_t k = 0; k < K; k++) {
                int32_t e = routes[(t * LAYERS + l) * K + k];
                CHECK(e >= 0 && e < E && (!k || e > routes[(t * LAYERS + l) * K + k - 1]));
                count[e]++;
            }
        for (size_t e = 0; e < E; e++) {
            sum += loads[l * E + e];
            CHECK(loads[l * E + e] == count[e]);
        }
        CHECK(sum == MODEL_T * K);
    }
    // The replay gives the same bits even when the router would now choose others.
    for (size_t l = 1; l <= LAYERS; l++)
        for (size_t e = 0; e < E; e++) r1_model_router_bias(model, l)[e] = (float)e;
    r1_batch replay = model_batch();
    replay.replay = routes, replay.routes = again, replay.loads = loads;
    CHECK(memcmp(first, model_hidden(model, &replay), MODEL_T * 20 * sizeof(float)) == 0);
    CHECK(memcmp(routes, again, sizeof routes) == 0);
    uint64_t both = 0; // loads are added to, never reset
    for (size_t e = 0; e < LAYERS * E; e++) both += loads[e];
    CHECK(both == 2 * LAYERS * MODEL_T * K);
    r1_batch chosen = model_batch();
    CHECK(memcmp(first, model_hidden(model, &chosen), MODEL_T * 20 * sizeof(float)) != 0);
    r1_context_free(ctx);
}
TEST(model_balance_bias_moves_as_v3_says) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = r1_model_new(ctx, &config);
    // mean 81 / 8 in the first layer: 10 is below; mean 8 in the second: 8 stays
    const uint64_t loads[16] = {81, 0, 0, 0, 0, 0, 0, 0, 8, 9, 7, 8, 16, 0, 8, 8};
    const int moves[16] = {-1, 1, 1, 1, 1, 1, 1, 1, 0, -1, 1, 0, -1, 1, 0, 0};
    CHECK(model);
    for (int round = 1; round <= 3; round++) {
        r1_model_balance_bias(model, loads, 0.001);
        for (size_t i = 0; i < 16; i++)
            CHECK_NEAR((double)r1_model_router_bias(model, 1 + i / 8)[i % 8],
                       0.001 * round * moves[i], 1e-9);
    }
    r1_model_balance_bias(model, loads, 0); // rate 0 changes nothing
    CHECK_NEAR((double)r1_model_router_bias(model, 1)[0], -0.003, 1e-9);
    r1_context_free(ctx);
}
// The bias moves choices only: the gates, and so the output for given choices, do not know it.
TEST(model_unchosen_expert_may_be_nan) {
    static const char *const parts[] = {"gate_proj", "up_proj", "down_proj"};
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    float sum[2] = {0};
    for (int pass = 0; pass < 2; pass++) {
        r1_step_begin(ctx);
        for (int k = 0; k < 3; k++) {
            char name[96];
            snprintf(name, sizeof name, "model.layers.1.mlp.experts.5.%s.weight", parts[k]);
            r1_tensor *x = r1_model_find(model, name);
            for (size_t i = 0; pass && i < r1_tensor_count(x); i++) x->data[i] = NAN;
        }
        r1_model_router_bias(model, 1)[5] = -100;
        r1_batch batch = model_batch();
        r1_tensor *hidden = r1_model_forward(model, &batch),
                  *y = r1_sum(ctx, r1_mul(ctx, hidden, hidden));
        CHECK(y);
        sum[pass] = y->data[0];
        r1_backward(ctx, y);
        r1_step_end(ctx);
    }
    CHECK(isfinite(sum[0]) && memcmp(&sum[0], &sum[1], sizeof(float)) == 0);
    size_t n;
    const r1_range *range = r1_model_ranges(model, &n);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < range[r].n; i++) CHECK(isfinite(range[r].g[i]));
    r1_tensor *idle = r1_model_find(model, "model.layers.1.mlp.experts.5.down_proj.weight");
    for (size_t i = 0; i < r1_tensor_count(idle); i++) CHECK(idle->grad[i] == 0);
    r1_context_free(ctx);
}
