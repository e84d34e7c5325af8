// Gradients of whole models in double on a few elements of every parameter, and the two MLA forms
// against each other.

enum { DOUBLE_TOKENS = 13, DOUBLE_SEQUENCES = 4 };
static const size_t double_starts[DOUBLE_SEQUENCES + 1] = {0, 7, 7, 8, 13};
static const int32_t double_tokens[DOUBLE_TOKENS] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9};
static const int32_t double_targets[DOUBLE_TOKENS] = {1, 4, 1, 5, 9, 2, 2, 6, 3, 5, 8, 9, 9};
static const double double_balance[DOUBLE_SEQUENCES] = {0.3, 0.5, 0.2, 0.7};

static r1_model_config double_mla(r1_mla_form form, size_t q_rank, bool tied) {
    return (r1_model_config){.vocab = 11,
                             .width = 9,
                             .layers = 3,
                             .heads = 2,
                             .max_tokens = 16,
                             .mla_form = form,
                             .q_rank = q_rank,
                             .kv_rank = 5,
                             .nope_dim = 3,
                             .rope_dim = 4,
                             .value_dim = 3,
                             .dense_width = 7,
                             .dense_layers = 1,
                             .experts = 6,
                             .chosen = 2,
                             .shared = 1,
                             .expert_width = 5,
                             .groups = 3,
                             .kept_groups = 2,
                             .normalise_gates = true,
                             .routed_scale = 2.5,
                             .tied_head = tied};
}
static r1_model_config double_gqa(bool tied) {
    return (r1_model_config){.vocab = 11,
                             .width = 12,
                             .layers = 2,
                             .heads = 6,
                             .max_tokens = 16,
                             .attention = R1_GQA,
                             .kv_heads = 2,
                             .head_dim = 4,
                             .qkv_bias = true,
                             .dense_width = 7,
                             .tied_head = tied};
}
// Random gains, biases and router biases too: their starting values hide mistakes.
static void double_fill(r1_model *model) {
    size_t n;
    const r1_parameter *parameters = r1_model_parameters(model, &n);
    r1_random at = {.seed = 8, .stream = R1_STREAM_USER};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < r1_tensor_count(parameters[i].tensor); j++)
            parameters[i].tensor->data[j] += 0.4 * (double)r1_random_normal(&at);
    for (size_t l = 0; l < r1_model_config_of(model)->layers; l++)
        for (size_t e = 0; r1_model_router_bias(model, l) && e < 6; e++)
            r1_model_router_bias(model, l)[e] = 0.4 * (double)r1_random_normal(&at) - 1;
}
static r1_tensor *double_model_loss(r1_context *ctx, r1_model *model) {
    bool moe = r1_model_moe_layers(model) > 0;
    r1_batch batch = {.tokens = double_tokens,
                      .starts = double_starts,
                      .B = DOUBLE_SEQUENCES,
                      .balance_weight = moe ? double_balance : NULL};
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_logprobs *out = r1_logprob(ctx, hidden, r1_model_head(model), double_targets, 0.8);
    if (!out) return NULL;
    r1_tensor *weights = r1_tensor_new(ctx, 1, out->logp->shape);
    for (size_t t = 0; weights && t < DOUBLE_TOKENS; t++) weights->data[t] = 0.1 * (double)t - 0.4;
    r1_tensor *loss = r1_sum(ctx, r1_mul(ctx, out->logp, weights));
    if (moe) loss = r1_add(ctx, loss, r1_sum(ctx, batch.balance));
    for (size_t depth = 1; depth <= r1_model_config_of(model)->mtp_layers; depth++) {
        // any tokens do: the loss is a function of the weights, and that is what is checked
        hidden = r1i_mtp_forward(model, &batch, depth, hidden);
        r1_tensor *head = model->layers[model->config.layers + depth - 1].head;
        if (!r1i_alias_use(model, head)) return NULL;
        out = r1_logprob(ctx, r1i_mtp_norm(model, depth, hidden), head, double_targets, 1);
        loss = r1_add(ctx, loss, r1_sum(ctx, r1_mul(ctx, out ? out->logp : NULL, weights)));
        if (moe) loss = r1_add(ctx, loss, r1_sum(ctx, batch.balance));
    }
    return loss;
}
static double double_model_value(r1_context *ctx, r1_model *model) {
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx);
    r1_tensor *loss = double_model_loss(ctx, model);
    double value = loss ? loss->data[0] : NAN;
    r1_no_grad_end(ctx);
    r1_step_end(ctx);
    return value;
}
static void double_model_check(const r1_model_config *config) {
    const double h = 1e-5;
    size_t n;
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_model *model = r1_model_new(ctx, config);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    double_fill(model);
    const r1_parameter *parameters = r1_model_parameters(model, &n);
    r1_step_begin(ctx);
    r1_backward(ctx, double_model_loss(ctx, model));
    r1_step_end(ctx);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_random at = {.seed = 9, .stream = R1_STREAM_USER};
    for (size_t i = 0; i < n; i++) {
        r1_tensor *x = parameters[i].tensor;
        for (int k = 0; k < 6; k++) {
            size_t j = r1_random_below(&at, (uint32_t)r1_tensor_count(x));
            double old = x->data[j];
            x->data[j] = old + h;
            double slope = double_model_value(ctx, model);
            x->data[j] = old - h;
            slope = (slope - double_model_value(ctx, model)) / (2 * h);
            x->data[j] = old;
            if (!(fabs(slope - x->grad[j]) <= 1e-6 * (1 + fabs(slope))))
                test_stop(TEST_FAILED, "%s element %zu: gradient %.9g, slope %.9g",
                          parameters[i].name, j, x->grad[j], slope);
        }
    }
    r1_context_free(ctx);
}
TEST(double_model_gradients_mla) {
    for (int q_rank = 0; q_rank <= 5; q_rank += 5)
        for (int tied = 0; tied < 2; tied++)
            for (int form = R1_MLA_EXPANDED; form <= R1_MLA_ABSORBED; form++) {
                r1_model_config config = double_mla((r1_mla_form)form, (size_t)q_rank, tied);
                double_model_check(&config);
            }
}
TEST(double_model_gradients_multi_token_prediction) {
    for (int tied = 0; tied < 2; tied++) {
        r1_model_config config = double_mla(R1_MLA_EXPANDED, 0, tied);
        config.mtp_layers = 2;
        double_model_check(&config);
        config.experts = config.chosen = 0, config.groups = config.kept_groups = 0;
        double_model_check(&config);
    }
}
TEST(double_model_gradients_yarn) {
    r1_model_config config = double_mla(R1_MLA_ABSORBED, 0, false);
    config.rope = (r1_rope_scaling){R1_ROPE_YARN, 4, 8, 0, 0, 0.7, 1};
    double_model_check(&config);
}
TEST(double_model_gradients_gqa) {
    for (int tied = 0; tied < 2; tied++) {
        r1_model_config config = double_gqa(tied);
        double_model_check(&config);
    }
}
TEST(double_model_gradients_softmax_router) {
    r1_model_config config = double_mla(R1_MLA_AUTO, 0, true);
    config.softmax_scores = true, config.normalise_gates = false, config.shared = 0;
    config.groups = config.kept_groups = 0, config.dense_layers = 0;
    double_model_check(&config);
}

// The other architectures: what V2, Llama, Qwen3 and Qwen3-MoE have that the models above have not.
TEST(double_model_gradients_greedy_groups) {
    r1_model_config config = double_mla(R1_MLA_AUTO, 5, false);
    config.softmax_scores = config.greedy_choice = true, config.normalise_gates = false;
    config.routed_scale = 4, config.norm_eps = 1e-3;
    double_model_check(&config);
}
TEST(double_model_gradients_biases_and_llama3) {
    r1_model_config config = double_gqa(false);
    config.out_bias = true;
    config.rope = (r1_rope_scaling){.kind = R1_ROPE_LLAMA3, .factor = 8, .original = 8};
    double_model_check(&config);
}
TEST(double_model_gradients_qk_norm) {
    r1_model_config config = double_gqa(true);
    config.qkv_bias = false, config.qk_norm = true;
    double_model_check(&config);
    config.layers = 4, config.dense_mask[0] = 5; // dense, experts, dense, experts
    config.experts = 6, config.chosen = 2, config.expert_width = 5;
    config.softmax_scores = config.greedy_choice = config.normalise_gates = true;
    double_model_check(&config);
}

// Absorbed and expanded compute one function: outputs and gradients agree as far as double goes.
TEST(double_model_absorbed_equals_expanded) {
    for (int q_rank = 0; q_rank <= 5; q_rank += 5) {
        r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
        r1_model *model[2];
        double loss[2];
        size_t n;
        for (int k = 0; k < 2; k++) {
            r1_model_config config =
                double_mla(k ? R1_MLA_ABSORBED : R1_MLA_EXPANDED, (size_t)q_rank, false);
            model[k] = r1_model_new(ctx, &config);
            CHECK(model[k]);
            double_fill(model[k]);
            r1_step_begin(ctx);
            r1_tensor *y = double_model_loss(ctx, model[k]);
            CHECK(y);
            loss[k] = y->data[0];
            r1_backward(ctx, y);
            r1_step_end(ctx);
        }
        CHECK_NEAR(loss[0], loss[1], 1e-10 * fabs(loss[0]));
        CHECK(loss[0] != 0);
        const r1_parameter *a = r1_model_parameters(model[0], &n);
        const r1_parameter *b = r1_model_parameters(model[1], &n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < r1_tensor_count(a[i].tensor); j++) {
                double x = a[i].tensor->grad[j], y = b[i].tensor->grad[j];
                CHECK_NEAR(x, y, 1e-10 * (1 + fabs(x)));
            }
        r1_context_free(ctx);
    }
}
