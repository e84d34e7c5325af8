// Tests of the room [generate]. The first invariant: a token, its log-probability, its entropy and
// its router choices are the same bits whoever computes them. One baseline (batch 64, cache, one
// thread, scalar code) is compared with runs that differ in one factor each.

enum { GEN_PROMPTS = 8, GEN_VOCAB = 23, GEN_MOST = 150, GEN_K = 2, GEN_EXPERTS = 6 };
// Around the 64 tokens of a cache block, and the shortest possible one.
static const size_t gen_lengths[GEN_PROMPTS] = {1, 63, 64, 65, 70, 2, 17, 120};

typedef enum gen_kind {
    GEN_EXPANDED,
    GEN_ABSORBED,
    GEN_GQA,
    GEN_LLAMA,
    GEN_QWEN3_MOE,
    GEN_V2,
    GEN_KINDS
} gen_kind;
static const char *const gen_kind_names[] = {"expanded", "absorbed",  "gqa",
                                             "llama",    "qwen3_moe", "deepseek_v2"};

typedef struct gen_setup {
    gen_kind kind;
    r1_cpu_level level;
    int threads;
    size_t batch, cache_tokens, group, max_new, speculate;
    double temperature;
    bool reversed; // prompts in another order, with the same keys
    r1_sampler_desc sampler;
} gen_setup;
static size_t gen_stride; // router choices of a token in the last model that was made

// Zeroed memory that stays until the test's process ends, without being a leak.
static void *test_keep(size_t n, size_t each) {
    static struct test_kept {
        struct test_kept *next;
        max_align_t data[];
    } * first;
    struct test_kept *kept = (struct test_kept *)calloc(1, sizeof *kept + n * each);
    CHECK(kept);
    kept->next = __atomic_exchange_n(&first, kept, __ATOMIC_ACQ_REL); // ranks are threads
    return kept->data;
}
// What a run drew, copied out of its context, in the order of (key, index).
typedef struct gen_drawn {
    r1_sample *samples;
    size_t n, tokens, prefill_tokens, steps, evicted, drafted, accepted;
} gen_drawn;

static r1_model_config gen_config(gen_kind kind) {
    r1_model_config config = {.vocab = GEN_VOCAB,
                              .width = 20,
                              .layers = 2,
                              .heads = 2,
                              .max_tokens = GEN_MOST,
                              .kv_rank = 9,
                              .nope_dim = 5,
                              .rope_dim = 4,
                              .value_dim = 7,
                              .q_rank = 11,
                              .dense_width = 21,
                              .dense_layers = 1,
                              .experts = GEN_EXPERTS,
                              .chosen = GEN_K,
                              .shared = 1,
                              .expert_width = 10,
                              .normalise_gates = true,
                              .routed_scale = 1.5,
                              .mtp_layers = 2};
    config.mla_form = kind == GEN_ABSORBED ? R1_MLA_ABSORBED : R1_MLA_EXPANDED;
    if (kind == GEN_GQA || kind == GEN_LLAMA || kind == GEN_QWEN3_MOE) {
        config.attention = R1_GQA, config.heads = 4, config.kv_heads = 2, config.head_dim = 6;
        config.qkv_bias = true, config.out_bias = kind != GEN_GQA;
        config.shared = config.mtp_layers = 0, config.routed_scale = 0;
    }
    if (kind == GEN_GQA || kind == GEN_LLAMA) config.experts = config.chosen = 0;
    if (kind == GEN_LLAMA)
        config.rope = (r1_rope_scaling){.kind = R1_ROPE_LLAMA3, .factor = 8, .original = 32};
    if (kind == GEN_QWEN3_MOE) config.qk_norm = true, config.dense_mask[0] = 2;
    if (kind == GEN_V2)
        config.groups = 3, config.kept_groups = 2, config.mtp_layers = 0, config.norm_eps = 1e-3;
    config.dense_layers = kind != GEN_QWEN3_MOE; // dense_mask swaps its two layers
    config.softmax_scores = config.greedy_choice = kind == GEN_QWEN3_MOE || kind == GEN_V2;
    config.normalise_gates = kind != GEN_V2;
    return config;
}
static gen_setup gen_baseline(int kind) {
    return (gen_setup){.kind = (gen_kind)kind,
                       .level = R1_CPU_SCALAR,
                       .threads = 1,
                       .batch = 64,
                       .group = test_full() ? 64 : 8,
                       .temperature = 1};
}
static r1_context *gen_context(const gen_setup *setup) {
    r1_context_desc desc = {.seed = 7, .threads = setup->threads, .cpu_level = setup->level};
    r1_context *ctx = r1_context_new(&desc);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    return ctx;
}
// Gains, biases and the head are moved, so that the next token is neither certain nor even.
static r1_model *gen_model(r1_context *ctx, gen_kind kind) {
    r1_model_config config = gen_config(kind);
    r1_model *model = r1_model_new(ctx, &config);
    size_t n;
    if (!model) test_stop(TEST_FAILED, "no model: %s", r1_message_of(ctx));
    const r1_parameter *p = r1_model_parameters(model, &n);
    r1_random at = {.seed = 12, .stream = R1_STREAM_USER};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; p[i].initial <= 0 && j < r1_tensor_count(p[i].tensor); j++)
            p[i].tensor->data[j] += 0.2f * r1_random_normal(&at);
    gen_stride = r1_model_moe_layers(model) * config.chosen;
    for (size_t e = 0; e < config.experts && r1_model_router_bias(model, 1); e++)
        r1_model_router_bias(model, 1)[e] = 0.05f * r1_random_normal(&at);
    r1_tensor *head = r1_model_head(model);
    for (size_t j = 0; j < r1_tensor_count(head); j++) head->data[j] = 0.3f * r1_random_normal(&at);
    return model;
}
static const int32_t *gen_prompt_tokens(size_t key) {
    static int32_t tokens[GEN_PROMPTS][GEN_MOST];
    for (size_t t = 0; t < GEN_MOST; t++)
        tokens[key][t] = (int32_t)((t * t + 3 * t * key + 5 * key) % GEN_VOCAB);
    return tokens[key];
}
static void gen_prompts(bool reversed, r1_prompt *prompts) {
    for (size_t i = 0; i < GEN_PROMPTS; i++) {
        size_t key = reversed ? GEN_PROMPTS - 1 - i : i;
        prompts[i] = (r1_prompt){gen_prompt_tokens(key), gen_lengths[key], (uint32_t)key};
    }
}
static void *gen_copy(const void *from, size_t n, size_t each) {
    void *to = test_keep(n + 1, each);
    CHECK(to);
    if (n && from) memcpy(to, from, n * each);
    return to;
}
static r1_sample gen_copy_sample(const r1_sample *s) {
    r1_sample copy = *s;
    copy.tokens = (int32_t *)gen_copy(s->tokens, s->n, sizeof *s->tokens);
    copy.logp = (float *)gen_copy(s->logp, s->n, sizeof *s->logp);
    copy.entropy = (float *)gen_copy(s->entropy, s->n, sizeof *s->entropy);
    copy.routes = (int32_t *)gen_copy(s->routes, (s->n - 1) * gen_stride, sizeof *s->routes);
    return copy;
}
static const int32_t gen_stops[] = {0, 4};

static r1_generate_desc gen_desc(const gen_setup *setup) {
    r1_generate_desc desc = {.sampler = setup->sampler,
                             .batch = setup->batch,
                             .cache_tokens = setup->cache_tokens,
                             .max_new = setup->max_new,
                             .stops = gen_stops,
                             .n_stops = 1,
                             .routes = true,
                             .speculate = setup->speculate};
    desc.sampler.temperature = setup->temperature;
    return desc;
}
static gen_drawn gen_take(const r1_rollout *rollout) {
    gen_drawn drawn = {.n = rollout->n,
                       .tokens = rollout->tokens,
                       .prefill_tokens = rollout->prefill_tokens,
                       .steps = rollout->steps,
                       .evicted = rollout->evicted,
                       .drafted = rollout->drafted,
                       .accepted = rollout->accepted};
    drawn.samples = (r1_sample *)test_keep(drawn.n, sizeof *drawn.samples);
    CHECK(drawn.samples);
    for (size_t i = 0; i < rollout->n; i++) {
        const r1_sample *s = &rollout->samples[i];
        CHECK(s->prompt == i / rollout->group && s->index == i % rollout->group);
        drawn.samples[s->key * rollout->group + s->index] = gen_copy_sample(s);
    }
    return drawn;
}
static gen_drawn gen_draw(const gen_setup *setup) {
    r1_context *ctx = gen_context(setup);
    r1_prompt prompts[GEN_PROMPTS];
    r1_generate_desc desc = gen_desc(setup);
    r1_model *model = gen_model(ctx, setup->kind);
    r1_rollout *rollout = r1_rollout_new(ctx);
    gen_prompts(setup->reversed, prompts);
    if (r1_generate(model, rollout, prompts, GEN_PROMPTS, setup->group, &desc) != R1_OK)
        test_stop(TEST_FAILED, "generate: %s", r1_message_of(ctx));
    gen_drawn drawn = gen_take(rollout);
    r1_context_free(ctx);
    return drawn;
}
static void gen_same_bits(const char *what, const r1_sample *s, const void *a, const void *b,
                          size_t bytes) {
    if (memcmp(a, b, bytes))
        test_stop(TEST_FAILED, "%s of prompt %u, answer %zu differ", what, s->key, s->index);
}
static void gen_same(const gen_drawn *a, const gen_drawn *b) {
    CHECK_EQUAL_SIZE(a->n, b->n);
    CHECK_EQUAL_SIZE(a->tokens, b->tokens);
    for (size_t i = 0; i < a->n; i++) {
        const r1_sample *x = &a->samples[i], *y = &b->samples[i];
        if (x->n != y->n)
            test_stop(TEST_FAILED, "prompt %u, answer %zu: %zu and %zu tokens", x->key, x->index,
                      x->n, y->n);
        CHECK(x->n_prompt == y->n_prompt && x->truncated == y->truncated && x->key == y->key);
        gen_same_bits("tokens", x, x->tokens, y->tokens, x->n * sizeof *x->tokens);
        gen_same_bits("log-probs", x, x->logp, y->logp, x->n * sizeof *x->logp);
        gen_same_bits("entropies", x, x->entropy, y->entropy, x->n * sizeof *x->entropy);
        gen_same_bits("router choices", x, x->routes, y->routes,
                      (x->n - 1) * gen_stride * sizeof *x->routes);
    }
}

// ---- I1: who draws ----
// Draws the baseline of every kind of model, changes one factor and draws again.
static void gen_vary(void (*change)(gen_setup *setup)) {
    for (int kind = 0; kind < GEN_KINDS; kind++) {
        gen_setup setup = gen_baseline(kind);
        printf("%s\n", gen_kind_names[kind]);
        gen_drawn base = gen_draw(&setup);
        change(&setup);
        gen_drawn other = gen_draw(&setup);
        gen_same(&base, &other);
        CHECK(!base.evicted && !other.evicted);
    }
}
static void gen_change_avx2(gen_setup *s) { s->level = R1_CPU_AVX2; }
static void gen_change_avx512(gen_setup *s) { s->level = R1_CPU_AVX512; }
static void gen_change_batch_1(gen_setup *s) { s->batch = 1, s->level = R1_CPU_AUTO; }
static void gen_change_batch_7(gen_setup *s) { s->batch = 7; }
static void gen_change_threads_2(gen_setup *s) { s->threads = 2; }
static void gen_change_threads_3(gen_setup *s) { s->threads = 3; }
static void gen_change_order(gen_setup *s) { s->reversed = true, s->batch = 11; }

// Drafts by multi-token prediction: another way to the same text, whatever the sampler, batch or
// the cache. Hot sampling is mostly noise, which drafts share: most of them are right there.
static void gen_speculate(gen_setup setup, size_t *drafted, size_t *accepted) {
    for (int kind = 0; kind < GEN_GQA; kind++) {
        setup.kind = (gen_kind)kind, setup.speculate = 0;
        gen_drawn base = gen_draw(&setup);
        for (setup.speculate = 1; setup.speculate <= 2; setup.speculate++) {
            gen_drawn other = gen_draw(&setup);
            gen_same(&base, &other);
            CHECK(setup.cache_tokens || other.steps <= base.steps);
            CHECK(setup.temperature < 4 || other.steps < base.steps);
            CHECK(base.drafted == 0 && other.drafted > other.accepted && other.accepted > 0);
            *drafted += other.drafted, *accepted += other.accepted;
        }
    }
}
TEST(generate_bits_speculation) {
    static const double temperatures[] = {0.4, 1, 4};
    for (size_t i = 0; i < 4; i++) {
        gen_setup setup = gen_baseline(0);
        size_t drafted = 0, accepted = 0;
        setup.temperature = i < 3 ? temperatures[i] : 1, setup.sampler.greedy = i == 3;
        setup.group = i == 3 ? 1 : 8;
        gen_speculate(setup, &drafted, &accepted);
        printf("temperature %g: %zu of %zu\n", setup.temperature, accepted, drafted);
        if (i == 2) CHECK(accepted * 2 > drafted);
    }
}
TEST(generate_bits_speculation_in_small_batches_and_caches) {
    size_t drafted = 0, accepted = 0;
    gen_setup setup = gen_baseline(0);
    setup.temperature = 2, setup.batch = 7, setup.group = 3, setup.threads = 2;
    gen_speculate(setup, &drafted, &accepted);
    setup.cache_tokens = 12 * 64, setup.level = R1_CPU_AUTO;
    gen_speculate(setup, &drafted, &accepted);
    setup.cache_tokens = 0, setup.batch = 1, setup.group = 1;
    gen_speculate(setup, &drafted, &accepted);
    setup.batch = 7, setup.group = 3, setup.max_new = 3; // room for one draft
    gen_speculate(setup, &drafted, &accepted);
    setup.sampler.top_k = 5, setup.max_new = 0;
    gen_speculate(setup, &drafted, &accepted);
}
TEST(generate_speculation_needs_the_layers) {
    r1_context *ctx = r1_context_new(NULL);
    r1_model *model = gen_model(ctx, GEN_EXPANDED);
    r1_rollout *rollout = r1_rollout_new(ctx);
    r1_prompt prompt = {gen_prompt_tokens(1), 5, 1};
    CHECK(r1_generate(model, rollout, &prompt, 1, 1, &(r1_generate_desc){.speculate = 3}) ==
          R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "speculate is 3"));
    r1_context_free(ctx);
}

// The baseline is worth comparing with: answers end in both ways, cross block borders and use all
// experts.
TEST(generate_baseline_is_varied) {
    for (int kind = 0; kind < GEN_KINDS; kind++) {
        gen_setup setup = gen_baseline(kind);
        gen_drawn base = gen_draw(&setup);
        size_t truncated = 0, crossing = 0, used[GEN_EXPERTS] = {0};
        double entropy = 0, tokens = 0;
        for (size_t i = 0; i < base.n; i++) {
            const r1_sample *s = &base.samples[i];
            truncated += s->truncated;
            crossing += s->n_prompt % 64 + (s->n - s->n_prompt) > 64;
            for (size_t j = 0; j < (s->n - 1) * gen_stride; j++) used[s->routes[j]]++;
            for (size_t t = s->n_prompt; t < s->n; t++) entropy += (double)s->entropy[t], tokens++;
        }
        printf("%s: %zu tokens, %zu truncated, %zu cross a block, entropy %.2f, %zu passes\n",
               gen_kind_names[kind], base.tokens, truncated, crossing, entropy / tokens,
               base.steps);
        CHECK(truncated && truncated < base.n && crossing > 4);
        CHECK(entropy / tokens > 1 && entropy / tokens < 3);
        for (int e = 0; e < GEN_EXPERTS; e++) CHECK(!gen_stride || used[e] > 20);
    }
}
TEST(generate_bits_avx2) {
    if (r1_cpu_best() < R1_CPU_AVX2) SKIP("avx2: this CPU does not have it");
    gen_vary(gen_change_avx2);
}
TEST(generate_bits_avx512) {
    if (r1_cpu_best() < R1_CPU_AVX512) SKIP("avx512: this CPU does not have it");
    gen_vary(gen_change_avx512);
}
TEST(generate_bits_batch_1) { gen_vary(gen_change_batch_1); }
TEST(generate_bits_batch_7) { gen_vary(gen_change_batch_7); }
TEST(generate_bits_2_threads) { gen_vary(gen_change_threads_2); }
TEST(generate_bits_3_threads) { gen_vary(gen_change_threads_3); }
TEST(generate_bits_order_of_prompts) { gen_vary(gen_change_order); }
// Whatever the cache sends back to the queue is drawn again as it was.
TEST(generate_bits_small_cache_evicts) {
    for (int kind = 0; kind <= GEN_GQA; kind++) {
        gen_setup setup = gen_baseline(kind);
        gen_drawn base = gen_draw(&setup);
        size_t evicted = 0;
        for (size_t blocks = 7; blocks < 12; blocks++) { // the smallest holds one prompt and answer
            setup.cache_tokens = 64 * blocks, setup.level = R1_CPU_AUTO;
            gen_drawn other = gen_draw(&setup);
            gen_same(&base, &other);
            evicted += other.evicted;
        }
        printf("%s: %zu evicted\n", gen_kind_names[kind], evicted);
        CHECK(evicted > 2);
    }
}
// Every combination, in the long run only.
TEST(generate_bits_cross) {
    static const size_t batches[] = {1, 7, 300};
    if (!test_full()) SKIP("full: runs with R1_TEST_FULL=1");
    for (int kind = 0; kind < GEN_KINDS; kind++)
        for (int cold = 0; cold < 2; cold++) {
            gen_setup setup = gen_baseline(kind);
            if (cold) setup.temperature = 0.7;
            gen_drawn base = gen_draw(&setup);
            for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++)
                for (int b = 0; b < 3; b++)
                    for (int small = 0; small < 2; small++) {
                        setup.level = (r1_cpu_level)level, setup.threads = 1 + (level + b) % 3;
                        setup.batch = batches[b], setup.cache_tokens = small ? 64 * 7 : 0;
                        setup.reversed = (b + small) % 2;
                        gen_drawn other = gen_draw(&setup);
                        gen_same(&base, &other);
                    }
        }
}

// ---- I1: who scores ----
// The drawn sequences, packed in the order `order`; only tokens are read from them.
typedef struct gen_packed {
    int32_t *tokens, *targets;
    size_t *starts, B, T;
} gen_packed;
static gen_packed gen_pack(const gen_drawn *drawn, const size_t *order) {
    gen_packed p = {.B = drawn->n};
    for (size_t i = 0; i < drawn->n; i++) p.T += drawn->samples[i].n;
    p.tokens = (int32_t *)test_keep(p.T, sizeof *p.tokens);
    p.targets = (int32_t *)test_keep(p.T, sizeof *p.targets);
    p.starts = (size_t *)test_keep(p.B + 1, sizeof *p.starts);
    CHECK(p.tokens && p.targets && p.starts);
    for (size_t b = 0; b < p.B; b++) {
        const r1_sample *s = &drawn->samples[order[b]];
        p.starts[b + 1] = p.starts[b] + s->n;
        memcpy(p.tokens + p.starts[b], s->tokens, s->n * sizeof *p.tokens);
        memcpy(p.targets + p.starts[b], s->tokens + 1, (s->n - 1) * sizeof *p.tokens);
    }
    return p;
}
static size_t *gen_order(size_t n, bool shuffled) {
    size_t *order = (size_t *)test_keep(n, sizeof *order);
    r1_random at = {.seed = 5, .stream = R1_STREAM_USER};
    CHECK(order);
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n; shuffled && i > 1; i--) {
        size_t j = r1_random_below(&at, (uint32_t)i), swap = order[i - 1];
        order[i - 1] = order[j], order[j] = swap;
    }
    return order;
}
static void gen_compare(const gen_drawn *drawn, const gen_packed *p, const size_t *order,
                        const float *logp, const float *entropy, const int32_t *routes) {
    for (size_t b = 0; b < p->B; b++) {
        const r1_sample *s = &drawn->samples[order[b]];
        size_t at = p->starts[b] + s->n_prompt, n = s->n - s->n_prompt;
        gen_same_bits("log-probs", s, s->logp + s->n_prompt, logp + at, n * sizeof *logp);
        gen_same_bits("entropies", s, s->entropy + s->n_prompt, entropy + at, n * sizeof *logp);
        gen_same_bits("router choices", s, s->routes, routes + p->starts[b] * gen_stride,
                      (s->n - 1) * gen_stride * sizeof *routes);
    }
}
// The forward pass of training, with records, and the backward pass behind it.
static void gen_training(r1_model *model, const gen_packed *p, double temperature, float *logp,
                         float *entropy, int32_t *routes) {
    r1_context *ctx = r1_model_context(model);
    r1_batch batch = {.tokens = p->tokens, .starts = p->starts, .B = p->B, .routes = routes};
    r1_step_begin(ctx);
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_logprobs *out = r1_logprob(ctx, hidden, r1_model_head(model), p->targets, temperature);
    if (!out) test_stop(TEST_FAILED, "training: %s", r1_message_of(ctx));
    for (size_t t = 1; t < p->T; t++)
        logp[t] = out->logp->data[t - 1], entropy[t] = out->entropy->data[t - 1];
    r1_backward(ctx, r1_sum(ctx, out->logp));
    size_t n;
    r1_range *ranges = r1_model_ranges(model, &n);
    CHECK(r1_grad_norm(ctx, ranges, n) > 0); // so the records were there
    r1_step_end(ctx);
}
typedef struct gen_scorer {
    bool training, shuffled;
    size_t micro_tokens;
    r1_cpu_level level;
    int threads;
} gen_scorer;
// Draws with the baseline and scores with fresh objects.
static void gen_score(gen_scorer scorer, double temperature) {
    for (int kind = 0; kind < GEN_KINDS; kind++) {
        gen_setup setup = gen_baseline(kind);
        setup.temperature = temperature;
        gen_drawn drawn = gen_draw(&setup);
        size_t *order = gen_order(drawn.n, scorer.shuffled);
        gen_packed p = gen_pack(&drawn, order);
        setup.level = scorer.level, setup.threads = scorer.threads ? scorer.threads : 1;
        r1_context *ctx = gen_context(&setup);
        r1_model *model = gen_model(ctx, setup.kind);
        float *logp = (float *)test_keep(p.T, sizeof *logp);
        float *entropy = (float *)test_keep(p.T, sizeof *entropy);
        int32_t *routes = (int32_t *)test_keep(p.T * GEN_K, sizeof *routes);
        CHECK(logp && entropy && routes);
        printf("%s\n", gen_kind_names[kind]);
        r1_batch batch = {.tokens = p.tokens, .starts = p.starts, .B = p.B, .routes = routes};
        if (scorer.training)
            gen_training(model, &p, temperature, logp, entropy, routes);
        else
            CHECK(r1_model_score(model, &batch, temperature, scorer.micro_tokens, logp, entropy) ==
                  R1_OK);
        gen_compare(&drawn, &p, order, logp, entropy, routes);
        r1_context_free(ctx);
    }
}
TEST(generate_bits_of_training_forward) {
    gen_score((gen_scorer){.training = true, .level = R1_CPU_SCALAR}, 1);
    gen_score((gen_scorer){.training = true, .threads = 3}, 1);
}
TEST(generate_bits_of_score_micro_1) {
    gen_score((gen_scorer){.micro_tokens = 1, .level = R1_CPU_SCALAR}, 1);
}
TEST(generate_bits_of_score_micro_7) { gen_score((gen_scorer){.micro_tokens = 7}, 1); }
TEST(generate_bits_of_score_default) { gen_score((gen_scorer){.threads = 2}, 1); }
TEST(generate_bits_of_score_shuffled) {
    gen_score((gen_scorer){.shuffled = true, .micro_tokens = 500}, 1);
    gen_score((gen_scorer){.shuffled = true, .training = true}, 1);
}
TEST(generate_bits_at_temperature) {
    gen_score((gen_scorer){.micro_tokens = 300}, 0.7);
    gen_score((gen_scorer){.training = true, .level = R1_CPU_SCALAR}, 0.7);
}
// The forms of MLA are two arithmetics of one function.
TEST(generate_forms_agree) {
    gen_setup setup = gen_baseline(GEN_EXPANDED);
    gen_drawn drawn = gen_draw(&setup);
    size_t *order = gen_order(drawn.n, false);
    gen_packed p = gen_pack(&drawn, order);
    float *logp[2];
    for (int kind = 0; kind < 2; kind++) {
        r1_context *ctx = gen_context(&setup);
        r1_batch batch = {.tokens = p.tokens, .starts = p.starts, .B = p.B};
        logp[kind] = (float *)test_keep(p.T, sizeof(float));
        CHECK(logp[kind]);
        CHECK(r1_model_score(gen_model(ctx, (gen_kind)kind), &batch, 1, 0, logp[kind], NULL) ==
              R1_OK);
        r1_context_free(ctx);
    }
    CHECK(memcmp(logp[0], logp[1], p.T * sizeof(float)) != 0);
    for (size_t t = 0; t < p.T; t++)
        CHECK_NEAR((double)logp[0][t], (double)logp[1][t], 1e-4 * (1 + fabs((double)logp[0][t])));
}

// ---- what the fields do ----
TEST(generate_stops_and_limits) {
    for (int kind = 0; kind <= GEN_GQA; kind++) {
        gen_setup setup = gen_baseline(kind);
        r1_context *ctx = gen_context(&setup);
        r1_model *model = gen_model(ctx, setup.kind);
        r1_rollout *rollout = r1_rollout_new(ctx);
        r1_prompt prompts[GEN_PROMPTS];
        gen_prompts(false, prompts);
        for (size_t most = 0; most < 10; most += 3) {
            r1_generate_desc desc = {.max_new = most, .stops = gen_stops, .n_stops = 2};
            CHECK(r1_generate(model, rollout, prompts, GEN_PROMPTS, 6, &desc) == R1_OK);
            size_t stopped = 0, drawn = 0;
            for (size_t i = 0; i < rollout->n; i++) {
                const r1_sample *s = &rollout->samples[i];
                int32_t last = s->tokens[s->n - 1];
                size_t limit = most ? s->n_prompt + most : GEN_MOST;
                bool stop = last == gen_stops[0] || last == gen_stops[1];
                CHECK(s->n > s->n_prompt && s->n <= limit && s->n <= GEN_MOST);
                CHECK(s->truncated == !stop && (stop || s->n == limit));
                for (size_t t = s->n_prompt; t + 1 < s->n; t++)
                    CHECK(s->tokens[t] != gen_stops[0] && s->tokens[t] != gen_stops[1]);
                for (size_t t = 0; t < s->n_prompt; t++)
                    CHECK(s->tokens[t] == prompts[s->prompt].tokens[t] && s->logp[t] == 0 &&
                          s->entropy[t] == 0);
                stopped += stop, drawn += s->n - s->n_prompt;
            }
            CHECK(stopped && (!most || stopped < rollout->n));
            CHECK_EQUAL_SIZE(rollout->tokens, drawn);
        }
        r1_context_free(ctx);
    }
}
// A shorter limit gives the beginning of the longer answer.
TEST(generate_limit_keeps_the_text) {
    gen_setup setup = gen_baseline(GEN_ABSORBED);
    gen_drawn whole = gen_draw(&setup);
    setup.max_new = 9;
    gen_drawn cut = gen_draw(&setup);
    for (size_t i = 0; i < whole.n; i++) {
        const r1_sample *a = &whole.samples[i], *b = &cut.samples[i];
        CHECK(b->n <= a->n && b->n <= b->n_prompt + 9);
        gen_same_bits("tokens", a, a->tokens, b->tokens, b->n * sizeof *a->tokens);
        gen_same_bits("log-probs", a, a->logp, b->logp, b->n * sizeof *a->logp);
    }
}
static bool gen_progress(void *user, size_t finished, size_t total, size_t tokens) {
    size_t *last = (size_t *)user;
    CHECK(finished >= last[0] && finished <= total);
    last[0] = finished, last[1] = total, last[2] = tokens, last[3]++;
    return true;
}
static bool gen_three_passes(void *user, size_t finished, size_t total, size_t tokens) {
    size_t *passes = (size_t *)user;
    (void)finished, (void)total, (void)tokens;
    return ++*passes < 3;
}
// What has been drawn when progress says no is the begin of what a whole call draws, and the
// rollout serves again.
TEST(generate_is_ended_by_progress) {
    gen_setup setup = gen_baseline(0);
    size_t passes = 0;
    r1_context *ctx = gen_context(&setup);
    r1_model *model = gen_model(ctx, setup.kind);
    r1_rollout *whole = r1_rollout_new(ctx), *cut = r1_rollout_new(ctx);
    r1_prompt prompts[GEN_PROMPTS];
    r1_generate_desc desc = {.max_new = 8, .batch = 8};
    gen_prompts(false, prompts);
    CHECK(r1_generate(model, whole, prompts, 2, 8, &desc) == R1_OK);
    desc.progress = gen_three_passes, desc.user = &passes;
    CHECK(r1_generate(model, cut, prompts, 2, 8, &desc) == R1_OK);
    CHECK(passes == 3 && cut->n == 16);
    for (size_t i = 0; i < 16; i++) { // 8 of them have begun: one token of the prefill, 3 passes
        const r1_sample *s = &cut->samples[i];
        CHECK_EQUAL_SIZE(s->n - s->n_prompt, i < 8 ? 4 : 0);
        CHECK(s->truncated &&
              !memcmp(s->tokens, whole->samples[i].tokens, s->n * sizeof *s->tokens));
    }
    desc.progress = NULL;
    CHECK(r1_generate(model, cut, prompts, 2, 8, &desc) == R1_OK);
    for (size_t i = 0; i < 16; i++) CHECK_EQUAL_SIZE(cut->samples[i].n, whole->samples[i].n);
    r1_context_free(ctx);
}
TEST(generate_group_shares_its_prompt) {
    static const size_t batches[] = {1, 5, 8, 64};
    for (int kind = 0; kind <= GEN_GQA; kind++)
        for (int k = 0; k < 4; k++) {
            gen_setup setup = gen_baseline(kind);
            size_t sum = 0, seen[4] = {0};
            r1_context *ctx = gen_context(&setup);
            r1_rollout *rollout = r1_rollout_new(ctx);
            r1_prompt prompts[GEN_PROMPTS];
            r1_generate_desc desc = {
                .max_new = 4, .batch = batches[k], .progress = gen_progress, .user = seen};
            gen_prompts(false, prompts);
            for (size_t i = 0; i < GEN_PROMPTS; i++) sum += gen_lengths[i];
            CHECK(r1_generate(gen_model(ctx, setup.kind), rollout, prompts, GEN_PROMPTS, 8,
                              &desc) == R1_OK);
            CHECK_EQUAL_SIZE(rollout->prefill_tokens, sum);
            CHECK_EQUAL_SIZE(rollout->tokens, 8 * GEN_PROMPTS * 4);
            // the first token of each answer comes from the prefill
            CHECK_EQUAL_SIZE(rollout->steps, 3 * 64 / batches[k] + (batches[k] == 5 ? 1 : 0));
            CHECK(seen[0] == rollout->n && seen[1] == rollout->n && seen[2] == rollout->tokens);
            CHECK(seen[3] > 0);
            r1_context_free(ctx);
        }
}
// A rollout serves many calls: nothing of an earlier, larger or failed one may show.
TEST(generate_rollout_is_used_again) {
    gen_setup setup = gen_baseline(GEN_ABSORBED);
    setup.group = 4;
    gen_drawn want = gen_draw(&setup);
    r1_context *ctx = gen_context(&setup);
    r1_model *model = gen_model(ctx, setup.kind), *other = gen_model(ctx, GEN_GQA);
    r1_rollout *rollout = r1_rollout_new(ctx);
    r1_prompt prompts[GEN_PROMPTS];
    gen_prompts(false, prompts);
    for (int k = 0; k < 4; k++) {
        r1_generate_desc desc = gen_desc(&setup);
        size_t before = k == 2 ? 0 : k == 0 ? 1 : GEN_PROMPTS;
        if (k == 3) desc.cache_tokens = 64;
        r1_status status = r1_generate(k == 1 ? other : model, rollout, prompts, before, 9, &desc);
        CHECK(status == (k == 2 ? R1_ERROR_ARGUMENT : k == 3 ? R1_ERROR_MEMORY : R1_OK));
        r1_error_clear(ctx);
        desc = gen_desc(&setup);
        CHECK(r1_generate(model, rollout, prompts, GEN_PROMPTS, setup.group, &desc) == R1_OK);
        gen_drawn again = gen_take(rollout);
        gen_same(&want, &again);
    }
    r1_rollout_free(rollout);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_context_free(ctx);
}
// Prompts that hold the whole cache between them must not keep each other waiting for ever.
TEST(generate_full_cache_ends) {
    static int32_t tokens[2][140];
    alarm(20);
    for (size_t blocks = 7; blocks < 10; blocks++) {
        gen_setup setup = gen_baseline(GEN_ABSORBED);
        r1_context *ctx = gen_context(&setup);
        r1_model_config config = gen_config(GEN_ABSORBED);
        config.max_tokens = 192;
        r1_prompt prompts[2];
        for (int p = 0; p < 2; p++) {
            for (int t = 0; t < 140; t++) tokens[p][t] = (t * 7 + p) % GEN_VOCAB;
            prompts[p] = (r1_prompt){tokens[p], 140, (uint32_t)p};
        }
        r1_rollout *rollout = r1_rollout_new(ctx);
        r1_generate_desc desc = {.max_new = 20, .cache_tokens = blocks * 64};
        CHECK(r1_generate(r1_model_new(ctx, &config), rollout, prompts, 2, 3, &desc) == R1_OK);
        CHECK_EQUAL_SIZE(rollout->tokens, 6 * 20);
        r1_context_free(ctx);
    }
}
TEST(generate_seeds_and_steps_draw_anew) {
    gen_setup setup = gen_baseline(GEN_EXPANDED);
    setup.group = 2, setup.max_new = 12;
    gen_drawn base = gen_draw(&setup);
    for (int k = 0; k < 3; k++) {
        gen_setup other = setup;
        if (k == 0) other.sampler.step = 1;
        if (k == 1) other.sampler.stream = R1_STREAM_USER;
        if (k == 2) other.sampler.stream = R1_STREAM_SAMPLE; // what 0 means
        gen_drawn drawn = gen_draw(&other);
        size_t same = 0;
        for (size_t i = 0; i < base.n; i++)
            same += base.samples[i].n == drawn.samples[i].n &&
                    !memcmp(base.samples[i].tokens, drawn.samples[i].tokens, base.samples[i].n * 4);
        CHECK(k == 2 ? same == base.n : same <= 2);
    }
    for (size_t i = 0; i + 1 < base.n; i += 2) // the answers of a group differ, too
        CHECK(base.samples[i].n != base.samples[i + 1].n ||
              memcmp(base.samples[i].tokens, base.samples[i + 1].tokens, base.samples[i].n * 4));
}

// ---- the sampler ----
// Greedy takes the id that the scorer calls the best one.
TEST(generate_greedy_and_top_1) {
    for (int kind = 0; kind <= GEN_GQA; kind++) {
        gen_setup setup = gen_baseline(kind);
        setup.group = 2, setup.max_new = 30, setup.sampler.greedy = true, setup.temperature = 0.7;
        gen_drawn greedy = gen_draw(&setup);
        setup.sampler.greedy = false, setup.sampler.top_k = 1, setup.level = R1_CPU_AUTO;
        gen_drawn top = gen_draw(&setup);
        gen_same(&greedy, &top);
        setup.sampler.top_k = 0, setup.sampler.top_p = 1e-9;
        top = gen_draw(&setup);
        gen_same(&greedy, &top);
        size_t *order = gen_order(greedy.n, false);
        gen_packed p = gen_pack(&greedy, order);
        r1_context *ctx = gen_context(&setup);
        r1_model *model = gen_model(ctx, setup.kind);
        r1_batch batch = {.tokens = p.tokens, .starts = p.starts, .B = p.B};
        r1_tensor *hidden = r1_model_forward(model, &batch);
        r1_logprobs *out = r1_logprob(ctx, hidden, r1_model_head(model), p.targets, 0.7);
        CHECK(out);
        for (size_t b = 0; b < p.B; b++)
            for (size_t t = p.starts[b] + greedy.samples[b].n_prompt; t < p.starts[b + 1]; t++)
                CHECK(out->best[t - 1] == p.tokens[t]);
        r1_context_free(ctx);
    }
}
enum { GEN_ROWS = 20000, GEN_IDS = 9 };
typedef struct gen_draws {
    float logits[GEN_ROWS * GEN_IDS], logp[GEN_ROWS], entropy[GEN_ROWS];
    uint32_t sample[GEN_ROWS], token[GEN_ROWS];
    int32_t chosen[GEN_ROWS];
} gen_draws;
static const float gen_logits[GEN_IDS] = {0.3f, -1.2f, 1.9f, 0.25f, -3, 1.1f, 0, -0.4f, 0.7f};

// Draws from the same logits with counters that differ from row to row.
static gen_draws *gen_sample_rows(r1_cpu_level level, r1_sampler_desc d, bool by_token) {
    gen_draws *rows = (gen_draws *)test_keep(1, sizeof *rows);
    r1_context_desc desc = {.seed = 21, .threads = 1, .cpu_level = level};
    r1_context *ctx = r1_context_new(&desc);
    CHECK(rows);
    for (size_t b = 0; b < GEN_ROWS; b++) {
        memcpy(rows->logits + b * GEN_IDS, gen_logits, sizeof gen_logits);
        rows->sample[b] = by_token ? 3 : (uint32_t)b, rows->token[b] = by_token ? (uint32_t)b : 3;
    }
    r1_sample_args args = {.B = GEN_ROWS,
                           .V = GEN_IDS,
                           .top_k = d.top_k,
                           .top_p = (float)d.top_p,
                           .greedy = d.greedy,
                           .seed = 21,
                           .stream = R1_STREAM_SAMPLE,
                           .step = 1,
                           .sample = rows->sample,
                           .token = rows->token,
                           .inverse_temperature = (float)(1 / d.temperature),
                           .logits = rows->logits,
                           .chosen = rows->chosen,
                           .logp = rows->logp,
                           .entropy = rows->entropy};
    CHECK(r1i_run(ctx, R1_OP_SAMPLE, R1_FORWARD, &args));
    r1_context_free(ctx);
    return rows;
}
// Probabilities of the ids, those outside the kept set 0; and the kept ids by a plain sort.
static void gen_expected(r1_sampler_desc d, double *p, bool *kept) {
    int order[GEN_IDS];
    double sum = 0, held = 0, left = 0;
    for (int i = 0; i < GEN_IDS; i++) sum += p[i] = exp((double)gen_logits[i] / d.temperature);
    for (int i = 0; i < GEN_IDS; i++) order[i] = i, p[i] /= sum;
    for (int i = 1; i < GEN_IDS; i++)
        for (int j = i; j > 0 && p[order[j - 1]] < p[order[j]]; j--) {
            int swap = order[j];
            order[j] = order[j - 1], order[j - 1] = swap;
        }
    for (int i = 0; i < GEN_IDS; i++) {
        bool by_k = !d.top_k || (size_t)i < d.top_k, by_p = d.top_p <= 0 || held < d.top_p;
        held += p[order[i]];
        kept[order[i]] = by_k && by_p;
        if (kept[order[i]]) left += p[order[i]];
    }
    for (int i = 0; i < GEN_IDS; i++) p[i] = kept[i] ? p[i] / left : 0;
}
// Chi-square of the counts: its mean is the degrees of freedom, its variance twice that.
static void gen_check_counts(const gen_draws *rows, const double *p, const char *what) {
    double counts[GEN_IDS] = {0}, square = 0, freedom = -1;
    for (size_t b = 0; b < GEN_ROWS; b++) counts[rows->chosen[b]]++;
    for (int i = 0; i < GEN_IDS; i++) {
        double want = p[i] * GEN_ROWS;
        if (want == 0 && counts[i] != 0) test_stop(TEST_FAILED, "%s: id %d was dropped", what, i);
        if (want == 0) continue;
        square += (counts[i] - want) * (counts[i] - want) / want, freedom++;
    }
    printf("%s: chi-square %.2f of %g degrees of freedom\n", what, square, freedom);
    if (square > freedom + 3 * sqrt(2 * freedom))
        test_stop(TEST_FAILED, "%s: chi-square %g, %g degrees", what, square, freedom);
}
TEST(generate_sample_frequencies) {
    static const double temperatures[] = {1, 0.7, 3};
    for (int k = 0; k < 3; k++)
        for (int by_token = 0; by_token < 2; by_token++) {
            r1_sampler_desc d = {.temperature = temperatures[k]};
            double p[GEN_IDS], entropy = 0;
            bool kept[GEN_IDS];
            gen_draws *rows = gen_sample_rows(R1_CPU_AUTO, d, by_token);
            gen_expected(d, p, kept);
            gen_check_counts(rows, p, "all ids");
            for (int i = 0; i < GEN_IDS; i++) entropy -= p[i] * log(p[i]);
            for (size_t b = 0; b < GEN_ROWS; b++) {
                CHECK_NEAR((double)rows->logp[b], log(p[rows->chosen[b]]), 2e-6);
                CHECK_NEAR((double)rows->entropy[b], entropy, 2e-6);
            }
        }
}
// Dropped ids are never drawn, the others in their proportions and with the same noise; the
// log-probability stays that of all ids.
TEST(generate_top_k_and_top_p) {
    static const double masses[] = {0, 0.05, 0.5, 0.83, 0.97, 1};
    r1_sampler_desc d = {.temperature = 1};
    gen_draws *all = gen_sample_rows(R1_CPU_AUTO, d, true);
    for (d.top_k = 0; d.top_k <= GEN_IDS + 1; d.top_k++)
        for (int m = 0; m < 6; m++) {
            double p[GEN_IDS];
            bool kept[GEN_IDS];
            d.top_p = masses[m];
            char what[64];
            snprintf(what, sizeof what, "top_k %zu, top_p %g", d.top_k, d.top_p);
            gen_draws *rows = gen_sample_rows(R1_CPU_AUTO, d, true);
            gen_expected(d, p, kept);
            gen_check_counts(rows, p, what);
            for (size_t b = 0; b < GEN_ROWS; b++) {
                CHECK(kept[rows->chosen[b]]);
                if (kept[all->chosen[b]])
                    CHECK(rows->chosen[b] == all->chosen[b] && rows->logp[b] == all->logp[b]);
            }
        }
}
// Equal logits: the lower id wins the arg-max, and top_k = 1 is still greedy.
TEST(generate_ties_go_to_the_lower_id) {
    gen_setup setup = gen_baseline(GEN_EXPANDED);
    for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++)
        for (int k = 0; k < 2; k++) {
            float logits[5 * 40], logp[5], entropy[5];
            uint32_t zero[5] = {0}, token[5] = {0, 1, 2, 3, 4};
            int32_t chosen[5];
            setup.level = (r1_cpu_level)level;
            r1_context *ctx = gen_context(&setup);
            for (int i = 0; i < 200; i++) logits[i] = i % 40 % 7 == 3 ? 2.5f : 0.5f;
            r1_sample_args args = {.B = 5,
                                   .V = 40,
                                   .greedy = k == 0,
                                   .top_k = k == 1,
                                   .seed = 1,
                                   .sample = zero,
                                   .token = token,
                                   .inverse_temperature = 1,
                                   .logits = logits,
                                   .chosen = chosen,
                                   .logp = logp,
                                   .entropy = entropy};
            CHECK(r1i_run(ctx, R1_OP_SAMPLE, R1_FORWARD, &args));
            for (int b = 0; b < 5; b++) CHECK_EQUAL_SIZE((size_t)chosen[b], 3);
            r1_context_free(ctx);
        }
}

// ---- bad input ----
typedef struct gen_refusal {
    size_t prompt_length, n, group, cache_tokens;
    double temperature, top_p;
    int32_t token;
    r1_status status;
    const char *word;
} gen_refusal;
TEST(generate_refuses_bad_input) {
    static const gen_refusal cases[] = {
        {.prompt_length = 0, .n = 1, .group = 1, .status = R1_ERROR_ARGUMENT, .word = "prompt 0"},
        {.prompt_length = GEN_MOST, .n = 1, .group = 1, .status = R1_ERROR_ARGUMENT, .word = "150"},
        {.prompt_length = 3, .n = 0, .group = 1, .status = R1_ERROR_ARGUMENT, .word = "0 prompts"},
        {.prompt_length = 3, .n = 1, .group = 0, .status = R1_ERROR_ARGUMENT, .word = "0 answers"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .temperature = -1,
         .status = R1_ERROR_ARGUMENT,
         .word = "temperature -1"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .temperature = NAN,
         .status = R1_ERROR_ARGUMENT,
         .word = "temperature"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .top_p = 1.5,
         .status = R1_ERROR_ARGUMENT,
         .word = "top_p"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .top_p = -1,
         .status = R1_ERROR_ARGUMENT,
         .word = "top_p"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .cache_tokens = 64,
         .status = R1_ERROR_MEMORY,
         .word = "cache_tokens"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .token = GEN_VOCAB,
         .status = R1_ERROR_ARGUMENT,
         .word = "23"},
        {.prompt_length = 3,
         .n = 1,
         .group = 1,
         .token = -1,
         .status = R1_ERROR_ARGUMENT,
         .word = "-1"}};
    gen_setup setup = gen_baseline(GEN_EXPANDED);
    r1_context *ctx = gen_context(&setup);
    r1_model *model = gen_model(ctx, GEN_EXPANDED);
    r1_rollout *rollout = r1_rollout_new(ctx);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gen_refusal *c = &cases[i];
        int32_t tokens[GEN_MOST] = {1, 2, c->token};
        r1_prompt prompt = {tokens, c->prompt_length, 0};
        r1_generate_desc desc = {.sampler = {.temperature = c->temperature, .top_p = c->top_p},
                                 .cache_tokens = c->cache_tokens,
                                 .max_new = 2};
        r1_status status = r1_generate(model, rollout, &prompt, c->n, c->group, &desc);
        if (status != c->status || !strstr(r1_message_of(ctx), c->word))
            test_stop(TEST_FAILED, "case %zu: %s \"%s\", expected \"%s\"", i,
                      r1_status_name(status), r1_message_of(ctx), c->word);
        CHECK(r1_generate(model, rollout, &prompt, 1, 1, NULL) == c->status); // errors stick
        r1_error_clear(ctx);
        tokens[2] = 3, prompt.n = 3, desc = (r1_generate_desc){.max_new = 2};
        CHECK(r1_generate(model, rollout, &prompt, 1, 1, &desc) == R1_OK && rollout->tokens == 2);
    }
    CHECK(r1_generate(NULL, rollout, NULL, 0, 0, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_generate(model, NULL, NULL, 0, 0, NULL) == R1_ERROR_ARGUMENT);
    r1_context_free(ctx);
}
TEST(generate_reports_numbers_that_are_not_finite) {
    gen_setup setup = gen_baseline(GEN_EXPANDED);
    r1_context *ctx = gen_context(&setup);
    r1_model *model = gen_model(ctx, GEN_EXPANDED);
    r1_rollout *rollout = r1_rollout_new(ctx);
    r1_prompt prompt = {gen_prompt_tokens(1), 5, 0};
    float *head = r1_model_head(model)->data, kept = head[30];
    head[30] = NAN;
    CHECK(r1_generate(model, rollout, &prompt, 1, 2, NULL) == R1_ERROR_NUMBER);
    CHECK(strstr(r1_message_of(ctx), "not finite"));
    r1_error_clear(ctx);
    head[30] = kept;
    CHECK(r1_generate(model, rollout, &prompt, 1, 2, NULL) == R1_OK);
    r1_context_free(ctx);
}
