// Tests of memory that is bounded and planned: segments that run again in the backward pass leave
// the bits alone and the memory small, micro-batches bound a pass, and the plan of a run says what
// the allocator then hands out.

// ---- segments of the tape ----
// Two outputs of x and two parameters: enough ops to show an order.
typedef struct plan_segment {
    r1_tensor *w, *gain, *outer;
    size_t runs;
    int wrong; // what it does wrong
} plan_segment;

static bool plan_run(r1_context *ctx, void *arg, r1_tensor *x, r1_tensor **y) {
    plan_segment *s = (plan_segment *)arg;
    r1_tensor *h = r1_matmul(ctx, r1_rmsnorm(ctx, x, s->gain, 1e-6), s->w, NULL);
    h = r1_swiglu(ctx, h, x);
    if (s->outer) h = r1_mul(ctx, h, s->outer);
    s->runs++;
    y[0] = r1_add(ctx, h, x);
    y[1] = r1_sum(ctx, r1_mul(ctx, h, h));
    if (s->wrong == 1) y[0] = r1_columns(ctx, y[0], 0, 2);
    if (s->wrong == 2) y[1] = NULL;
    if (s->wrong == 3) return false;
    if (s->wrong == 4) y[0] = x;
    return true;
}
static r1_tensor *plan_parameter(r1_context *ctx, size_t rows, size_t columns, uint32_t sample) {
    r1_tensor *p = r1_tensor_parameter(ctx, 2, (size_t[]){rows, columns});
    r1_random at = {.seed = 5, .sample = sample};
    CHECK(p);
    for (size_t i = 0; i < rows * columns; i++) p->data[i] = (float)r1_random_normal(&at);
    return p;
}
enum { PLAN_T = 5, PLAN_C = 8, PLAN_DEEP = 4 };
typedef struct plan_case {
    bool recompute, nested, no_gradient; // x is a constant
    int wrong;
} plan_case;
static bool plan_nested(r1_context *ctx, void *arg, r1_tensor *x, r1_tensor **y) {
    r1_tensor *middle = r1_tensor_new(ctx, 2, x->shape), *last = r1_tensor_new(ctx, 2, x->shape);
    r1_tensor *sum = r1_tensor_new(ctx, 1, (size_t[]){1});
    bool fine = r1_recompute(ctx, plan_run, arg, x, (r1_tensor *[]){middle, NULL}, 1) &&
                r1_recompute(ctx, plan_run, arg, middle, (r1_tensor *[]){last, sum}, 2);
    y[0] = last, y[1] = sum;
    return fine;
}
static bool plan_twice(r1_context *ctx, void *arg, r1_tensor *x, r1_tensor **y) {
    return plan_run(ctx, arg, x, y) && plan_run(ctx, arg, y[0], y);
}
// A row of segments on one set of parameters, with a second use of the middle one's input. Returns
// a hash of the output and of all gradients.
static uint64_t plan_gradients(plan_case c) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 2});
    plan_segment s = {.w = plan_parameter(ctx, PLAN_C, PLAN_C, 1),
                      .gain = plan_parameter(ctx, 1, PLAN_C, 2),
                      .wrong = c.wrong};
    r1_tensor *x = plan_parameter(ctx, PLAN_T, PLAN_C, 3), *kept = NULL, *losses = NULL;
    x->wants_grad = !c.no_gradient;
    r1_segment_fn *run = c.nested ? plan_nested : plan_run;
    r1_step_begin(ctx);
    r1_tensor *at = x;
    for (int i = 0; i < PLAN_DEEP; i++) {
        r1_tensor *y[2] = {r1_tensor_new(ctx, 2, x->shape), r1_tensor_new(ctx, 1, (size_t[]){1})};
        if (i == 2) kept = at;
        if (c.recompute)
            CHECK(r1_recompute(ctx, run, &s, at, y, 2));
        else
            CHECK((c.nested ? plan_twice : plan_run)(ctx, &s, at, y));
        at = y[0];
        losses = losses ? r1_add(ctx, losses, y[1]) : y[1];
    }
    r1_tensor *both = r1_sum(ctx, r1_mul(ctx, at, kept));
    r1_backward(ctx, r1_add(ctx, both, losses));
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    uint64_t hash = r1i_hash(0, at->data, PLAN_T * PLAN_C * sizeof(float));
    hash = r1i_hash(hash, both->data, sizeof(float));
    r1_step_end(ctx);
    r1_tensor *all[] = {s.w, s.gain, x};
    float most = 0;
    for (int i = 0; i < 3; i++) {
        hash = r1i_hash(hash, all[i]->grad, r1_tensor_count(all[i]) * sizeof(float));
        for (size_t j = 0; j < r1_tensor_count(all[i]); j++)
            most = fmaxf(most, fabsf(all[i]->grad[j]));
    }
    CHECK(most > 0 && ctx->tape->depth == 0 && ctx->tape->no_grad == 0);
    CHECK(s.runs == (size_t)PLAN_DEEP * (c.nested ? (c.recompute ? 6 : 2) : c.recompute ? 2 : 1));
    r1_context_free(ctx);
    return hash;
}
TEST(plan_segments_keep_the_bits) {
    uint64_t want = plan_gradients((plan_case){0});
    CHECK(plan_gradients((plan_case){.recompute = true}) == want);
    CHECK(plan_gradients((plan_case){.no_gradient = true}) != want);
    CHECK(plan_gradients((plan_case){.no_gradient = true}) ==
          plan_gradients((plan_case){.no_gradient = true, .recompute = true}));
    want = plan_gradients((plan_case){.nested = true});
    CHECK(plan_gradients((plan_case){.nested = true, .recompute = true}) == want);
}
// What would give a wrong gradient is an error, in the pass that finds it, and leaves no step open.
TEST(plan_segments_refuse_wrong_numbers) {
    static const struct {
        int wrong; // of the segment; 5: a tensor that is not the input, 6: other weights
        r1_status status;
        const char *word;
    } cases[] = {{0, R1_OK, ""},
                 {1, R1_ERROR_SHAPE, "[5,2]"},
                 {2, R1_ERROR_ARGUMENT, "no output"},
                 {3, R1_ERROR_ARGUMENT, "no output"},
                 {4, R1_OK, ""}, // the input is an output too
                 {5, R1_ERROR_ARGUMENT, "not its input"},
                 {6, R1_ERROR_ARGUMENT, "other numbers"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
        plan_segment s = {.w = plan_parameter(ctx, PLAN_C, PLAN_C, 1),
                          .gain = plan_parameter(ctx, 1, PLAN_C, 2),
                          .wrong = cases[i].wrong};
        r1_tensor *x = plan_parameter(ctx, PLAN_T, PLAN_C, 3);
        r1_step_begin(ctx);
        r1_tensor *y[2] = {r1_tensor_new(ctx, 2, x->shape), r1_tensor_new(ctx, 1, (size_t[]){1})};
        if (cases[i].wrong == 5) s.outer = r1_add(ctx, x, x);
        bool ran = r1_recompute(ctx, plan_run, &s, x, y, 2);
        CHECK(ran == (cases[i].wrong < 1 || cases[i].wrong > 3));
        if (cases[i].wrong == 6) s.w->data[3] += 1;
        if (ran) r1_backward(ctx, r1_sum(ctx, r1_add(ctx, y[0], y[0])));
        CHECK(r1_status_of(ctx) == cases[i].status);
        CHECK(strstr(r1_message_of(ctx), cases[i].word));
        CHECK(ctx->tape->depth == 1 && ctx->tape->no_grad == 0);
        for (size_t j = 0; j < PLAN_T * PLAN_C && cases[i].wrong == 4; j++) CHECK(x->grad[j] == 2);
        r1_step_end(ctx);
        r1_context_free(ctx);
    }
    CHECK(!r1_recompute(NULL, plan_run, NULL, NULL, NULL, 1));
}
// Without gradients a segment runs once and leaves no record.
TEST(plan_segments_without_gradients) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    plan_segment s = {.w = plan_parameter(ctx, PLAN_C, PLAN_C, 1),
                      .gain = plan_parameter(ctx, 1, PLAN_C, 2)};
    r1_tensor *x = plan_parameter(ctx, PLAN_T, PLAN_C, 3);
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx);
    r1_tensor *y[2] = {r1_tensor_new(ctx, 2, x->shape), r1_tensor_new(ctx, 1, (size_t[]){1})};
    CHECK(r1_recompute(ctx, plan_run, &s, x, y, 2) && s.runs == 1 && ctx->tape->count == 0);
    CHECK(!y[0]->wants_grad && y[1]->data[0] > 0);
    r1_no_grad_end(ctx);
    r1_step_end(ctx);
    r1_context_free(ctx);
}

// ---- models ----
// The models of the trainers' tests, and one like Qwen3 with experts in every other layer.
enum { PLAN_KINDS = TRAIN_KINDS + 1 };
static r1_model_config plan_config(int kind, size_t scale) {
    r1_model_config config = train_config(kind < TRAIN_KINDS ? kind : 2);
    config.vocab = 50 * scale, config.width = 16 * scale, config.dense_width = 24 * scale;
    config.layers = 3, config.max_tokens = 64;
    if (kind < 2) config.expert_width = 8 * scale, config.q_rank = kind ? 8 * scale : 0;
    if (kind < TRAIN_KINDS) return config;
    config.qkv_bias = false, config.qk_norm = true, config.dense_mask[0] = 2;
    config.experts = 6, config.chosen = 2, config.expert_width = 8 * scale;
    config.softmax_scores = config.greedy_choice = config.normalise_gates = true;
    return config;
}
static r1_model *plan_model(r1_context *ctx, int kind) {
    if (kind < TRAIN_KINDS) return train_model(ctx, kind);
    r1_model_config config = plan_config(kind, 1);
    r1_model *model = r1_model_new(ctx, &config);
    if (!model) test_stop(TEST_FAILED, "no model: %s", r1_message_of(ctx));
    return model;
}
// Gradients, hidden states, router choices and loads of one forward and backward pass.
typedef struct plan_pass {
    uint64_t gradients, hidden, routes, loads;
    float balance;
    size_t peak_bytes;
} plan_pass;
static plan_pass plan_model_pass(r1_model *model, size_t T, bool recompute) {
    r1_context *ctx = r1_model_context(model);
    const r1_model_config *c = r1_model_config_of(model);
    size_t starts[] = {0, T / 3, T}, stride = r1_model_moe_layers(model) * c->chosen;
    size_t n_loads = r1_model_routers(model) * c->experts, n;
    int32_t *tokens = (int32_t *)test_keep(T, sizeof *tokens);
    int32_t *routes = (int32_t *)test_keep(T * stride + 1, sizeof *routes);
    uint64_t *loads = (uint64_t *)test_keep(n_loads + 1, sizeof *loads);
    float weight[2] = {0.01f, 0.02f}, ones[2] = {1, 1};
    for (size_t t = 0; t < T; t++) tokens[t] = (int32_t)((t * t + 3 * t) % c->vocab);
    r1_batch batch = {.tokens = tokens,
                      .starts = starts,
                      .B = 2,
                      .routes = routes,
                      .loads = loads,
                      .balance_weight = stride ? weight : NULL,
                      .recompute = recompute};
    r1_range *ranges = r1_model_ranges(model, &n);
    CHECK(r1_model_train_ready(model) == R1_OK);
    for (size_t r = 0; r < n; r++) memset(ranges[r].g, 0, ranges[r].n * sizeof(float));
    plan_pass pass = {0};
    ctx->step.peak_bytes = 0;
    r1_step_begin(ctx);
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_logprobs *out = r1_logprob(ctx, hidden, r1_model_head(model), tokens, 1);
    weight[0] = weight[1] = 5; // the array is the caller's again
    r1_seed(ctx, batch.balance, ones);
    r1_backward(ctx, r1_sum(ctx, out ? out->logp : NULL));
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    pass.hidden = r1i_hash(0, hidden->data, r1_tensor_count(hidden) * sizeof(float));
    pass.balance = batch.balance ? batch.balance->data[1] : 0;
    r1_step_end(ctx);
    for (size_t r = 0; r < n; r++)
        pass.gradients = r1i_hash(pass.gradients, ranges[r].g, ranges[r].n * sizeof(float));
    pass.routes = r1i_hash(0, routes, T * stride * sizeof *routes);
    pass.loads = r1i_hash(0, loads, n_loads * sizeof *loads);
    pass.peak_bytes = ctx->step.peak_bytes;
    uint64_t total = 0;
    for (size_t i = 0; i < n_loads; i++) total += loads[i];
    CHECK(total == T * stride); // each choice is counted once
    return pass;
}
// The absorbed and the expanded form, experts, a table that is used three times, GQA.
TEST(plan_recompute_keeps_the_bits_of_a_pass) {
    for (int kind = 0; kind < PLAN_KINDS; kind++)
        for (int threads = 1; threads <= 3; threads++) {
            r1_context *ctx = train_context(threads);
            r1_model *model = plan_model(ctx, kind);
            plan_pass want = plan_model_pass(model, 30, false);
            plan_pass got = plan_model_pass(model, 30, true);
            CHECK(got.gradients == want.gradients && got.hidden == want.hidden);
            CHECK(got.routes == want.routes && got.loads == want.loads);
            CHECK(got.balance == want.balance && (want.balance > 0) == (kind != 2));
            CHECK(got.peak_bytes < want.peak_bytes);
            r1_context_free(ctx);
        }
}
// Every trainer, multi-token prediction and the moments included.
TEST(plan_recompute_keeps_the_bits_of_a_run) {
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        train_setup s = {.kind = kind, .sft_steps = 3, .grpo_steps = 2, .kl_weight = 0.05};
        train_state want = train_run(s);
        for (int k = 1; k <= 3; k++) {
            s.recompute = true, s.threads = k, s.micro_tokens = k == 2 ? 30 : 0;
            train_state got = train_run(s);
            if (!train_equal(&want, &got))
                test_stop(TEST_FAILED, "kind %d, %d threads: recompute shows", kind, k);
        }
    }
}
// The loads of a batch, which move the router biases, and the balance loss are those of one run.
TEST(plan_recompute_counts_once) {
    uint64_t loads[2][64];
    r1_step_metrics metrics[2];
    for (int recompute = 0; recompute < 2; recompute++) {
        r1_context *ctx = train_context(2);
        r1_model *model = train_model(ctx, 1);
        r1_trainer *trainer = r1_trainer_new(model, &(r1_train_desc){.recompute = recompute});
        r1_document documents[TRAIN_DOCUMENTS];
        train_documents(1, documents);
        r1_sft_step(trainer, documents, TRAIN_DOCUMENTS, &metrics[recompute]);
        train_fine(ctx);
        size_t n = r1_model_routers(model) * r1_model_config_of(model)->experts;
        CHECK(n > 0 && n <= 64);
        memset(loads[recompute], 0, sizeof loads[0]);
        memcpy(loads[recompute], trainer->loads, n * sizeof *trainer->loads);
        r1_trainer_free(trainer), r1_context_free(ctx);
    }
    CHECK(!memcmp(loads[0], loads[1], sizeof loads[0]) && loads[0][0] > 0);
    CHECK(!memcmp(&metrics[0], &metrics[1], sizeof metrics[0]) && metrics[0].balance > 0);
}
static size_t plan_peak(int kind, size_t layers, size_t T, bool recompute) {
    r1_context *ctx = train_context(2);
    r1_model_config config = train_config(kind);
    config.layers = layers, config.max_tokens = T, config.width = 32;
    r1_model *model = r1_model_new(ctx, &config);
    CHECK(model);
    size_t peak = plan_model_pass(model, T, recompute).peak_bytes;
    r1_context_free(ctx);
    return peak;
}
// With recomputation each further layer costs one hidden state (and a few hundred bytes of names),
// with or without a gradient; otherwise all that the layer computes, twice.
TEST(plan_recompute_keeps_a_hidden_state_a_layer) {
    enum { T = 200, C = 32, MORE = 8 };
    size_t hidden = T * C * sizeof(float);
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        size_t plain = (plan_peak(kind, 4 + MORE, T, false) - plan_peak(kind, 4, T, false)) / MORE;
        size_t bounded = (plan_peak(kind, 4 + MORE, T, true) - plan_peak(kind, 4, T, true)) / MORE;
        printf("kind %d: a layer keeps %zu bytes, with recomputation %zu; a hidden state is %zu\n",
               kind, plain, bounded, hidden);
        CHECK(bounded >= hidden && bounded <= hidden + 1024);
        CHECK(plain > 10 * hidden);
    }
}
// The most that a supervised step of n equal documents has in its arena.
static size_t plan_step_peak(size_t n, size_t micro_tokens, bool recompute) {
    enum { LENGTH = 33, MOST = 16 };
    r1_context *ctx = train_context(2);
    r1_model *model = train_model(ctx, 1);
    r1_train_desc desc = {.micro_tokens = micro_tokens, .chunks = 2, .recompute = recompute};
    r1_trainer *trainer = r1_trainer_new(model, &desc);
    int32_t tokens[LENGTH];
    r1_document documents[MOST];
    for (int t = 0; t < LENGTH; t++) tokens[t] = t % TRAIN_VOCAB;
    for (size_t i = 0; i < n; i++) documents[i] = (r1_document){tokens, LENGTH, 0};
    r1_sft_step(trainer, documents, n, NULL);
    train_fine(ctx);
    size_t peak = ctx->step.peak_bytes;
    r1_trainer_free(trainer), r1_context_free(ctx);
    return peak;
}
// A batch of any size needs the memory of one pass; with room for two documents in a pass, of two.
TEST(plan_micro_batches_bound_a_step) {
    for (int recompute = 0; recompute < 2; recompute++) {
        size_t one = plan_step_peak(2, 1, recompute);
        CHECK_EQUAL_SIZE(plan_step_peak(16, 1, recompute), one);
        CHECK_EQUAL_SIZE(plan_step_peak(16, 63, recompute), one);
        size_t two = plan_step_peak(16, 64, recompute);
        CHECK(two > one + one / 2 && two < 2 * one);
        CHECK_EQUAL_SIZE(plan_step_peak(4, 100000, recompute), two);
        CHECK(plan_step_peak(16, 100000, recompute) > 3 * two);
    }
}
// A step that repeats itself allocates nothing, though its inner steps come and go.
TEST(plan_recompute_allocates_nothing_later) {
    for (int recompute = 0; recompute < 2; recompute++) {
        counting_allocator counter = {0};
        r1_context_desc desc = counting_desc(&counter);
        desc.threads = 1;
        r1_context *ctx = r1_context_new(&desc);
        r1_model *model = train_model(ctx, 1);
        size_t before = 0;
        for (int step = 0; step < 4; step++) {
            if (step == 2) before = counter.calls;
            plan_model_pass(model, 30, recompute);
        }
        CHECK_EQUAL_SIZE(counter.calls, before);
        r1_context_free(ctx);
    }
}

// ---- plans ----
static double plan_off(size_t got, size_t want) {
    return fabs((double)got - (double)want) / (double)want;
}
// What is exact, and what the context holds beside it. `used` was there before the model.
static void plan_compare(r1_context *ctx, r1_model *model, const r1_train_plan *plan, size_t used) {
    const size_t *bytes = plan->bytes;
    size_t now, peak, weights = 0, moments = 0, gradients = 0, sum = 0, n;
    r1_range *ranges = r1_model_ranges(model, &n);
    r1_memory_used(ctx, &now, &peak);
    for (size_t r = 0; r < n; r++) {
        weights += ranges[r].n * sizeof *ranges[r].w, gradients += ranges[r].n * sizeof(r1i_real);
        moments += ranges[r].n * (sizeof *ranges[r].m + sizeof *ranges[r].v);
    }
    for (size_t i = 0; i < model->n_aliases; i++)
        gradients += r1_tensor_count(model->aliases[i].base) * sizeof(r1i_real);
    weights += plan->model.router_biases * sizeof(r1i_real);
    CHECK_EQUAL_SIZE(bytes[R1_PLAN_WEIGHTS], weights);
    CHECK_EQUAL_SIZE(bytes[R1_PLAN_GRADIENTS], gradients);
    CHECK_EQUAL_SIZE(bytes[R1_PLAN_MOMENTS], moments);
    CHECK_EQUAL_SIZE(bytes[R1_PLAN_SCRATCH], 2 * ctx->scratch_bytes);
    for (int kind = 0; kind < R1_PLAN_KINDS; kind++) {
        sum += bytes[kind];
        printf("%s %zu, ", r1_plan_name((r1_plan_kind)kind), bytes[kind]);
    }
    CHECK_EQUAL_SIZE(plan->total, sum);
    printf("sum %zu; the arena %zu, now %zu, peak %zu\n", sum, ctx->step.peak_bytes, now - used,
           peak - used);
    if (plan_off(bytes[R1_PLAN_ACTIVATIONS], ctx->step.peak_bytes) > 0.01)
        test_stop(TEST_FAILED, "activations: %zu planned, %zu in the arena",
                  bytes[R1_PLAN_ACTIVATIONS], ctx->step.peak_bytes);
    if (plan_off(sum, now - used) > 0.03 || plan_off(sum, peak - used) > 0.03)
        test_stop(TEST_FAILED, "%zu planned; %zu now, %zu at the most", sum, now - used,
                  peak - used);
}
// Supervised steps whose passes are full, multi-token prediction included.
TEST(plan_of_a_supervised_run) {
    enum { LENGTH = 33, MOST = 16 };
    for (int kind = 0; kind < PLAN_KINDS; kind++)
        for (size_t scale = 1; scale <= 4; scale *= 4)
            for (int recompute = 0; recompute < 2; recompute++) {
                r1_context *ctx = train_context(2);
                r1_model_config config = plan_config(kind, scale);
                r1_train_desc desc = {
                    .micro_tokens = 4 * (LENGTH - 1), .chunks = 4, .recompute = recompute};
                r1_train_plan plan;
                size_t used, after;
                r1_memory_used(ctx, &used, NULL);
                CHECK(r1_train_plan_of(ctx, &config, &desc, LENGTH, &plan) == R1_OK);
                r1_memory_used(ctx, &after, NULL);
                CHECK_EQUAL_SIZE(after, used);
                CHECK(plan.pass_tokens == 128 && plan.recomputed < plan.kept);
                r1_model *model = r1_model_new(ctx, &config);
                r1_trainer *trainer = r1_trainer_new(model, &desc);
                int32_t tokens[LENGTH];
                r1_document documents[MOST];
                for (int t = 0; t < LENGTH; t++) tokens[t] = t % 50;
                for (size_t i = 0; i < MOST; i++) documents[i] = (r1_document){tokens, LENGTH, 0};
                for (int step = 0; step < 2; step++) r1_sft_step(trainer, documents, MOST, NULL);
                train_fine(ctx);
                plan_compare(ctx, model, &plan, used);
                if (kind == 2) // nothing is estimated in a dense model
                    CHECK_EQUAL_SIZE(plan.bytes[R1_PLAN_ACTIVATIONS], ctx->step.peak_bytes);
                r1_context_free(ctx);
            }
}
static size_t plan_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    CHECK(!user && capacity >= 8);
    for (size_t t = 0; t < 8; t++) tokens[t] = (int32_t)((index + t * 4) % TRAIN_VOCAB);
    return 8;
}
// A run with a reference, whose answers all reach their limit.
TEST(plan_of_a_reinforced_run) {
    for (int kind = 0; kind < PLAN_KINDS; kind++)
        for (size_t scale = 1; scale <= 4; scale *= 4)
            for (int recompute = 0; recompute < 2; recompute++) {
                train_setup s = {.kl_weight = kind ? 0.05 : 0, .micro_tokens = 5 * 39, .chunks = 2};
                r1_context *ctx = train_context(2);
                r1_model_config config = plan_config(kind, scale);
                r1_grpo_desc desc = train_grpo(&s);
                desc.questions = 4, desc.next_prompt = plan_prompt, desc.generate.n_stops = 0;
                desc.generate.max_new = 32, desc.train.recompute = recompute;
                desc.replay_routes = kind == 0, desc.generate.speculate = kind == 1 ? 2 : 0;
                r1_train_plan plan;
                size_t used;
                r1_memory_used(ctx, &used, NULL);
                CHECK(r1_grpo_plan_of(ctx, &config, &desc, 8, &plan) == R1_OK);
                CHECK(plan.pass_tokens == 5 * 39 && plan.recomputed < plan.kept);
                r1_model *model = r1_model_new(ctx, &config);
                r1_grpo *run = r1_grpo_new(model, &desc);
                for (int step = 0; step < 2; step++) CHECK(r1_grpo_step(run));
                train_fine(ctx);
                CHECK_EQUAL_SIZE(plan.bytes[R1_PLAN_CACHE],
                                 run->rollout->engine->cache_floats * sizeof(r1i_real));
                plan_compare(ctx, model, &plan, used);
                r1_context_free(ctx);
            }
}
// The largest model of the paper is planned without taking memory for it.
static r1_model_config plan_v3(void) {
    return (r1_model_config){.vocab = 129280,
                             .width = 7168,
                             .layers = 61,
                             .heads = 128,
                             .max_tokens = 33000,
                             .q_rank = 1536,
                             .kv_rank = 512,
                             .nope_dim = 128,
                             .rope_dim = 64,
                             .value_dim = 128,
                             .dense_width = 18432,
                             .dense_layers = 3,
                             .experts = 256,
                             .chosen = 8,
                             .shared = 1,
                             .expert_width = 2048,
                             .groups = 8,
                             .kept_groups = 4,
                             .mtp_layers = 1};
}
TEST(plan_of_deepseek_v3_takes_nothing) {
    r1_context *ctx = train_context(2);
    r1_model_config config = plan_v3();
    r1_grpo_desc desc = r1_grpo_paper(R1_ZERO);
    r1_train_plan plan;
    size_t before, after, peak;
    desc.next_prompt = plan_prompt, desc.reward = train_reward, desc.parts[0] = "accuracy";
    r1_memory_used(ctx, &before, NULL);
    CHECK(r1_grpo_plan_of(ctx, &config, &desc, 200, &plan) == R1_OK);
    r1_memory_used(ctx, &after, &peak);
    CHECK(after == before && peak < before + (1 << 20));
    for (int kind = 0; kind < R1_PLAN_KINDS; kind++)
        printf("%-12s %18zu\n", r1_plan_name((r1_plan_kind)kind), plan.bytes[kind]);
    printf("pass of %zu rows: %zu, with recomputation %zu\n", plan.pass_tokens, plan.kept,
           plan.recomputed);
    CHECK_EQUAL_SIZE(plan.bytes[R1_PLAN_WEIGHTS] + plan.bytes[R1_PLAN_MOMENTS],
                     12 * plan.model.parameters + 4 * plan.model.router_biases);
    CHECK(plan.pass_tokens == 200 + 32768 - 1 && plan.recomputed < plan.kept / 20);
    // Expanded keys and values of 256 answers and one prompt, in blocks of 64 tokens.
    size_t blocks = (32968 + 63) / 64;
    CHECK_EQUAL_SIZE(plan.bytes[R1_PLAN_CACHE],
                     (257 * blocks + 256) * 64 * 61 * plan.model.cache * sizeof(r1i_real));
    r1_context_free(ctx);
}
// Sizes that do not fit are an error, and so is what r1_trainer_new and r1_grpo_new refuse.
TEST(plan_errors) {
    enum { HUGE = 2147483647 };
    r1_context *ctx = train_context(1);
    for (int fault = 0; fault < 9; fault++) {
        r1_model_config config = plan_v3();
        r1_train_desc desc = {.chunks = fault == 4 ? 3 : 0};
        r1_grpo_desc grpo = train_grpo(&(train_setup){0});
        r1_train_plan plan;
        r1_status want =
            fault == 3 || fault == 4 || fault > 6 ? R1_ERROR_ARGUMENT : R1_ERROR_MEMORY;
        if (fault == 0) config.vocab = HUGE, config.width = HUGE;
        if (fault == 1) desc.micro_tokens = SIZE_MAX;
        if (fault == 2) desc.micro_tokens = SIZE_MAX / 4096;
        if (fault == 3) config.heads = 0;
        if (fault == 5) grpo.questions = (size_t)1 << 40, grpo.group = (size_t)1 << 40;
        if (fault == 6) grpo.questions = HUGE / 4, config.max_tokens = HUGE;
        if (fault == 7) grpo.reward = NULL;
        if (fault == 8) grpo.train.chunks = 6;
        r1_status status = fault < 5 ? r1_train_plan_of(ctx, &config, &desc, 0, &plan)
                                     : r1_grpo_plan_of(ctx, &config, &grpo, 0, &plan);
        if (status != want || r1_status_of(ctx) != want)
            test_stop(TEST_FAILED, "fault %d: %s: %s", fault, r1_status_name(status),
                      r1_message_of(ctx));
        r1_error_clear(ctx);
    }
    CHECK(r1_train_plan_of(NULL, NULL, NULL, 0, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_grpo_plan_of(ctx, NULL, NULL, 0, NULL) == R1_ERROR_ARGUMENT);
    CHECK_EQUAL_TEXT(r1_plan_name(R1_PLAN_KINDS), "");
    r1_context_free(ctx);
}
