// Tests of the room [train]: threads, micro-batches, ranks and interruptions must not show in the
// weights (I2, I3, I4); a run without a signal or with bad input says so and changes nothing.

enum { TRAIN_VOCAB = 11, TRAIN_DOCUMENTS = 13, TRAIN_QUESTIONS = 6, TRAIN_G = 4, TRAIN_KINDS = 3 };

static r1_model_config train_config(int kind) {
    r1_model_config config = {.vocab = TRAIN_VOCAB,
                              .width = 12,
                              .layers = 2,
                              .heads = 2,
                              .max_tokens = 40,
                              .mla_form = kind == 1 ? R1_MLA_ABSORBED : R1_MLA_EXPANDED,
                              .kv_rank = 5,
                              .nope_dim = 3,
                              .rope_dim = 4,
                              .value_dim = 5,
                              .dense_width = 13,
                              .dense_layers = 1,
                              .experts = 4,
                              .chosen = 2,
                              .shared = 1,
                              .expert_width = 7,
                              .normalise_gates = true};
    if (kind == 1) // every use of one table; smaller numbers, as logits of a tied head are sharp
        config.tied_head = true, config.mtp_layers = 2, config.init_std = 0.02;
    if (kind == 2)
        config = (r1_model_config){.vocab = TRAIN_VOCAB,
                                   .width = 12,
                                   .layers = 2,
                                   .heads = 4,
                                   .max_tokens = 40,
                                   .attention = R1_GQA,
                                   .kv_heads = 2,
                                   .head_dim = 4,
                                   .qkv_bias = true,
                                   .dense_width = 13};
    return config;
}
// What a run is made of; zero = the baseline.
typedef struct train_setup {
    int kind, threads, sft_steps, grpo_steps;
    size_t micro_tokens, chunks, documents, questions, mini_batches, epochs;
    double kl_weight, temperature;
    bool permuted; // the groups of a rollout in another order
    bool recompute;
    r1_group *group;
} train_setup;

static r1_context *train_context(int threads) {
    r1_context_desc desc = {.seed = 17, .threads = threads ? threads : 1};
    return r1_context_new(&desc);
}
static r1_model *train_model(r1_context *ctx, int kind) {
    r1_model_config config = train_config(kind);
    r1_model *model = r1_model_new(ctx, &config);
    if (!model) test_stop(TEST_FAILED, "no model: %s", r1_message_of(ctx));
    r1_tensor *head = r1_model_head(model);
    for (size_t i = 0; i < r1_tensor_count(head); i++) head->data[i] *= 8;
    return model;
}
static void train_fine(r1_context *ctx) {
    if (r1_status_of(ctx) != R1_OK) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
}
// Weights, moments and biases.
typedef struct train_state {
    size_t n;
    float *data;
    uint64_t hash;
} train_state;
static train_state train_state_of(r1_model *model) {
    size_t n, experts = r1_model_config_of(model)->experts;
    r1_range *range = r1_model_ranges(model, &n);
    train_state state = {.hash = r1_model_hash(model)};
    for (size_t r = 0; r < n; r++) state.n += 3 * range[r].n;
    state.data = (float *)test_keep(state.n + experts, sizeof(float));
    CHECK(state.data);
    float *to = state.data;
    for (size_t r = 0; r < n; r++) {
        const float *parts[] = {range[r].w, range[r].m, range[r].v};
        for (int p = 0; p < 3; p++, to += range[r].n)
            if (parts[p]) memcpy(to, parts[p], range[r].n * sizeof(float));
    }
    for (size_t e = 0; e < experts; e++) to[e] = r1_model_router_bias(model, 1)[e];
    state.n += experts;
    return state;
}
static bool train_equal(const train_state *a, const train_state *b) {
    bool equal = a->n == b->n && memcmp(a->data, b->data, a->n * sizeof(float)) == 0;
    CHECK(!equal || a->hash == b->hash);
    return equal;
}
// max |a - b| / max |b|
static double train_distance(const train_state *a, const train_state *b) {
    double most = 0, off = 0;
    CHECK_EQUAL_SIZE(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        most = fmax(most, fabs((double)b->data[i]));
        off = fmax(off, fabs((double)a->data[i] - (double)b->data[i]));
    }
    return off / most;
}

// ---- data ----
static void train_documents(int step, r1_document *documents) {
    static _Thread_local int32_t tokens[TRAIN_DOCUMENTS][24];
    for (size_t i = 0; i < TRAIN_DOCUMENTS; i++) {
        for (size_t t = 0; t < 24; t++)
            tokens[i][t] = (int32_t)((t * t + i * t + 5 * i + (size_t)step) % TRAIN_VOCAB);
        documents[i] = (r1_document){tokens[i], 2 + i * 7 % 20, i % 4};
    }
}
static size_t train_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    size_t n = 1 + (size_t)(index * 3 % 7);
    CHECK(!user && capacity >= 39);
    for (size_t t = 0; t < n; t++) tokens[t] = (int32_t)((index + t * 4) % TRAIN_VOCAB);
    return n;
}
// Likes answers full of small ids; now and then it has no verdict.
static void train_reward(void *user, const r1_sample *sample, r1_verdict *out) {
    (void)user;
    size_t small = 0;
    for (size_t t = sample->n_prompt; t < sample->n; t++) small += sample->tokens[t] < 4;
    out->parts[0] = (double)small / (double)(sample->n - sample->n_prompt);
    out->parts[1] = sample->truncated ? 0 : 1;
    out->judged = (sample->key * 5 + sample->index * 3) % 11 != 4;
}
static const int32_t train_stops[] = {7};

static r1_grpo_desc train_grpo(const train_setup *s) {
    return (r1_grpo_desc){
        .questions = s->questions ? s->questions : TRAIN_QUESTIONS,
        .group = TRAIN_G,
        .steps = 100,
        .mini_batches = s->mini_batches,
        .epochs = s->epochs,
        .policy = {.kl = s->kl_weight > 0 ? R1_KL_K3 : R1_KL_NONE, .kl_weight = s->kl_weight},
        .train = {.schedule = {.peak = 0.01},
                  .micro_tokens = s->micro_tokens,
                  .chunks = s->chunks,
                  .recompute = s->recompute,
                  .group = s->group},
        .generate = {.max_new = 8,
                     .stops = train_stops,
                     .n_stops = 1,
                     .sampler = {.temperature = s->temperature}},
        .next_prompt = train_prompt,
        .reward = train_reward,
        .parts = {"small", "ended"},
        .weights = {1, 0.5}};
}
static void train_supervised(r1_model *model, const train_setup *s) {
    r1_train_desc desc = {.schedule = {.peak = 0.01},
                          .micro_tokens = s->micro_tokens,
                          .chunks = s->chunks,
                          .recompute = s->recompute,
                          .group = s->group};
    r1_trainer *trainer = r1_trainer_new(model, &desc);
    for (int step = 0; step < s->sft_steps; step++) {
        r1_document documents[TRAIN_DOCUMENTS];
        r1_step_metrics m;
        train_documents(step, documents);
        r1_sft_step(trainer, documents, s->documents ? s->documents : TRAIN_DOCUMENTS, &m);
        train_fine(r1_model_context(model));
        CHECK(m.loss > 0 && m.grad_norm > 0 && m.lr > 0 && m.tokens > 0);
    }
    if (trainer) CHECK(r1_trainer_steps(trainer) == (uint64_t)s->sft_steps);
    r1_trainer_free(trainer);
}
// Turns the order of the groups round.
static void train_permute(r1_grpo *run) {
    r1_rollout *rollout = run->rollout;
    for (size_t q = 0; q < rollout->prompts / 2; q++) {
        size_t other = rollout->prompts - 1 - q;
        for (size_t i = 0; i < rollout->group; i++) {
            r1_sample swap = rollout->samples[q * rollout->group + i];
            rollout->samples[q * rollout->group + i] = rollout->samples[other * rollout->group + i];
            rollout->samples[other * rollout->group + i] = swap;
        }
    }
}
static void train_reinforce(r1_model *model, const train_setup *s) {
    r1_grpo_desc desc = train_grpo(s);
    r1_grpo *run = r1_grpo_new(model, &desc);
    train_fine(r1_model_context(model));
    for (int step = 0; step < s->grpo_steps; step++) {
        r1_grpo_rollout(run);
        if (s->permuted) train_permute(run);
        r1_grpo_judge(run), r1_grpo_advantage(run), r1_grpo_update(run);
        train_fine(r1_model_context(model));
        const r1_grpo_metrics *m = r1_grpo_metrics_of(run);
        CHECK(m->informative > 0.5 && m->grad_norm > 0 && m->weight_hash == r1_model_hash(model));
        CHECK(m->updates == (s->mini_batches ? s->mini_batches : 1) * (s->epochs ? s->epochs : 1));
    }
    r1_grpo_free(run);
}
static train_state train_run(train_setup s) {
    r1_context *ctx = train_context(s.threads);
    r1_model *model = train_model(ctx, s.kind);
    uint64_t before = r1_model_hash(model);
    train_supervised(model, &s);
    if (s.grpo_steps) train_reinforce(model, &s);
    CHECK(r1_model_hash(model) != before);
    train_state state = train_state_of(model);
    r1_context_free(ctx);
    return state;
}

// ---- I2 ----
TEST(train_threads_do_not_show) {
    static const int threads[] = {2, 3, 8};
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        train_setup s = {.kind = kind, .sft_steps = 3, .grpo_steps = 2, .kl_weight = 0.05};
        train_state want = train_run(s);
        for (int k = 0; k < 3; k++) {
            s.threads = threads[k];
            train_state got = train_run(s);
            if (!train_equal(&want, &got))
                test_stop(TEST_FAILED, "kind %d: %d threads show", kind, threads[k]);
        }
    }
}

// ---- I4 ----
TEST(train_micro_batches_do_not_show) {
    static const size_t micro[] = {1, 50, 100000};
    for (int kind = 0; kind < TRAIN_KINDS; kind++)
        for (int many = 0; many < 2; many++) {
            train_setup s = {.kind = kind, .sft_steps = 2, .grpo_steps = 2, .kl_weight = 0.05};
            if (many) s.mini_batches = 2, s.epochs = 2, s.chunks = 4;
            train_state want = train_run(s);
            for (int k = 0; k < 3; k++) {
                s.micro_tokens = micro[k];
                train_state got = train_run(s);
                if (!train_equal(&want, &got))
                    test_stop(TEST_FAILED, "kind %d: micro_tokens %zu shows", kind, micro[k]);
            }
        }
}
TEST(train_order_of_groups_does_not_show) {
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        train_setup s = {.kind = kind, .grpo_steps = 3, .kl_weight = 0.05};
        train_state want = train_run(s);
        s.permuted = true;
        train_state got = train_run(s);
        CHECK(train_equal(&want, &got));
    }
}
TEST(train_order_of_groups_does_not_show_in_mini_batches) {
    train_setup s = {.grpo_steps = 2, .mini_batches = 3};
    train_state want = train_run(s);
    s.permuted = true;
    train_state got = train_run(s);
    CHECK(train_equal(&want, &got));
}
// The number of chunks is part of the arithmetic, but only rounding depends on it.
TEST(train_chunks_agree) {
    static const size_t chunks[] = {1, 2, 4, 16, 64};
    train_setup s = {.sft_steps = 2};
    train_state want = train_run(s);
    for (int k = 0; k < 5; k++) {
        s.chunks = chunks[k];
        train_state got = train_run(s);
        printf("%zu chunks: off by %.2g\n", chunks[k], train_distance(&got, &want));
        CHECK(train_distance(&got, &want) < 1e-5);
        if (k == 0) CHECK(!train_equal(&want, &got));
    }
    s.chunks = 8; // the default
    train_state got = train_run(s);
    CHECK(train_equal(&want, &got));
}
typedef struct train_ranks {
    train_setup setup;
    train_state states[8];
} train_ranks;
static r1_status train_rank(r1_group *group, void *arg) {
    train_ranks *ranks = (train_ranks *)arg;
    train_setup s = ranks->setup;
    s.group = group;
    ranks->states[group->rank] = train_run(s);
    return R1_OK;
}
// 1, 2, 4 and 8 ranks give the same bits; 3 cut the tree elsewhere.
static void train_rank_counts(train_setup s, double tolerance) {
    static const int sizes[] = {1, 2, 4, 8, 3};
    train_state want = train_run(s);
    for (int k = 0; k < 5; k++) {
        train_ranks ranks = {.setup = s};
        CHECK(r1_group_threads(sizes[k], train_rank, &ranks) == R1_OK);
        for (int r = 0; r < sizes[k]; r++) {
            double off = train_distance(&ranks.states[r], &want);
            CHECK(train_equal(&ranks.states[r], &ranks.states[0]));
            if (sizes[k] == 3 ? off > tolerance : !train_equal(&ranks.states[r], &want))
                test_stop(TEST_FAILED, "%d ranks: off by %g", sizes[k], off);
        }
    }
}
TEST(train_ranks_do_not_show) {
    for (int kind = 0; kind < TRAIN_KINDS; kind++)
        train_rank_counts(
            (train_setup){.kind = kind, .sft_steps = 2, .grpo_steps = 2, .kl_weight = 0.05}, 1e-4);
    train_rank_counts((train_setup){.sft_steps = 1}, 1e-6);
}
// Fewer groups than chunks, chunks of unequal groups, ranks without work.
TEST(train_ranks_and_few_groups) {
    for (size_t n = 2; n < 6; n++) {
        train_setup s = {.sft_steps = 1, .documents = n, .grpo_steps = 1, .questions = n - 1};
        train_rank_counts(s, 1e-4);
        train_state want = train_run(s);
        s.micro_tokens = 1;
        train_state got = train_run(s);
        CHECK(train_equal(&want, &got));
    }
}

// ---- I3 ----
enum { TRAIN_STEPS = 6 };
typedef struct train_log {
    r1_grpo_metrics rows[TRAIN_STEPS];
} train_log;
static r1_grpo_metrics train_row(const r1_grpo *run) {
    r1_grpo_metrics row = *r1_grpo_metrics_of(run);
    row.rollout_seconds = row.judge_seconds = row.reference_seconds = row.update_seconds = 0;
    return row;
}
static r1_grpo_desc train_resume_desc(int kind) {
    train_setup s = {.kind = kind, .kl_weight = 0.05, .mini_batches = 2, .temperature = 0.8};
    r1_grpo_desc desc = train_grpo(&s);
    desc.refresh = 4, desc.steps = TRAIN_STEPS;
    desc.train.schedule = (r1_schedule){R1_COSINE, 0.01, 0.1, 3, 3, 12};
    desc.policy.no_signal = kind == 2 ? R1_NO_SIGNAL_RESAMPLE : R1_NO_SIGNAL_KEEP;
    return desc;
}
static train_state train_interrupted(int kind, uint64_t stop, train_log *log) {
    r1_grpo_desc desc = train_resume_desc(kind);
    r1_context *ctx = train_context(1);
    r1_model *model = train_model(ctx, kind);
    r1_grpo *run = r1_grpo_new(model, &desc);
    char note[40] = "", folder[20];
    snprintf(folder, sizeof folder, "k%d_%d", kind, (int)stop);
    while (r1_grpo_metrics_of(run)->step < stop && r1_grpo_step(run))
        log->rows[r1_grpo_metrics_of(run)->step - 1] = train_row(run);
    if (stop < TRAIN_STEPS) { // as if the program had been killed here
        CHECK(r1_grpo_save(run, test_path(folder), "12345 bytes") == R1_OK);
        r1_context_free(ctx);
        ctx = train_context(2);
        r1_model_config config = train_config(kind);
        model = r1_model_new(ctx, &config); // other weights
        run = r1_grpo_new(model, &desc);
        CHECK(r1_grpo_resume(run, test_path(folder), note, sizeof note));
        CHECK_EQUAL_TEXT(note, "12345 bytes");
        while (r1_grpo_step(run)) log->rows[r1_grpo_metrics_of(run)->step - 1] = train_row(run);
    }
    train_fine(ctx);
    train_state state = train_state_of(model);
    r1_context_free(ctx);
    return state;
}
TEST(train_grpo_resumes_to_the_same_bits) {
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        train_log want = {0};
        train_state whole = train_interrupted(kind, TRAIN_STEPS, &want);
        for (uint64_t stop = 1; stop < TRAIN_STEPS; stop++) {
            train_log log = {0};
            train_state state = train_interrupted(kind, stop, &log);
            CHECK(train_equal(&whole, &state));
            CHECK(memcmp(&want, &log, sizeof log) == 0);
        }
        for (int k = 0; k < TRAIN_STEPS; k++) CHECK(want.rows[k].step == (uint64_t)k + 1);
    }
}
static train_state train_sft_interrupted(int kind, int stop) {
    r1_train_desc desc = {.schedule = {R1_LINEAR, 0.02, 0.1, 2, 2, 9}};
    r1_context *ctx = train_context(1);
    r1_model *model = train_model(ctx, kind);
    r1_trainer *trainer = r1_trainer_new(model, &desc);
    r1_document documents[TRAIN_DOCUMENTS];
    char note[8], folder[20];
    snprintf(folder, sizeof folder, "s%d_%d", kind, stop);
    for (int step = 0; step < 5; step++) {
        if (step == stop) {
            CHECK(r1_trainer_save(trainer, test_path(folder), NULL) == R1_OK);
            r1_context_free(ctx);
            ctx = train_context(3);
            r1_model_config config = train_config(kind);
            model = r1_model_new(ctx, &config);
            trainer = r1_trainer_new(model, &desc);
            memset(note, 'x', sizeof note);
            CHECK(r1_trainer_resume(trainer, test_path(folder), note, sizeof note));
            CHECK(note[0] == 0 && r1_trainer_steps(trainer) == (uint64_t)stop);
        }
        train_documents(step, documents);
        CHECK(r1_sft_step(trainer, documents, TRAIN_DOCUMENTS, NULL) == R1_OK);
    }
    train_state state = train_state_of(model);
    r1_context_free(ctx);
    return state;
}
TEST(train_supervised_resumes_to_the_same_bits) {
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        train_state whole = train_sft_interrupted(kind, -1);
        for (int stop = 0; stop < 5; stop++) {
            train_state state = train_sft_interrupted(kind, stop);
            CHECK(train_equal(&whole, &state));
        }
    }
}
// A run that stops for want of a signal stops at the same step when it was interrupted before.
static void train_dull(void *user, const r1_sample *sample, r1_verdict *out) {
    (void)user, (void)sample;
    out->parts[0] = 1;
}
TEST(train_resume_keeps_the_patience) {
    train_setup s = {0};
    r1_grpo_desc desc = train_grpo(&s);
    desc.reward = train_dull, desc.patience = 4, desc.parts[1] = NULL;
    r1_context *ctx = train_context(1);
    r1_grpo *run = r1_grpo_new(train_model(ctx, 0), &desc);
    for (int k = 0; k < 3; k++) CHECK(r1_grpo_step(run));
    CHECK(r1_grpo_save(run, test_path("dull"), NULL) == R1_OK);
    r1_context *second = train_context(1);
    r1_grpo *again = r1_grpo_new(train_model(second, 0), &desc);
    CHECK(r1_grpo_resume(again, test_path("dull"), NULL, 0));
    CHECK(!r1_grpo_step(run) && r1_status_of(ctx) == R1_ERROR_SIGNAL);
    CHECK(!r1_grpo_step(again) && r1_status_of(second) == R1_ERROR_SIGNAL);
    r1_context_free(ctx), r1_context_free(second);
}
// One group of an earlier rollout, from the checkpoint before it.
TEST(train_replay_of_a_group) {
    for (int kind = 0; kind < TRAIN_KINDS; kind++) {
        train_setup s = {.kind = kind, .temperature = 0.9};
        r1_grpo_desc desc = train_grpo(&s);
        r1_context *ctx = train_context(1), *second = train_context(2);
        r1_grpo *run = r1_grpo_new(train_model(ctx, kind), &desc);
        r1_grpo *other = r1_grpo_new(train_model(second, kind), &desc);
        r1_rollout *again = r1_rollout_new(second);
        char folder[20];
        snprintf(folder, sizeof folder, "r%d", kind);
        CHECK(r1_grpo_step(run) && r1_grpo_step(run));
        CHECK(r1_grpo_save(run, test_path(folder), NULL) == R1_OK && r1_grpo_step(run));
        const r1_rollout *rollout = r1_grpo_rollout_of(run);
        CHECK(r1_grpo_resume(other, test_path(folder), NULL, 0));
        for (size_t q = TRAIN_QUESTIONS; q-- > 0;) {
            CHECK(r1_grpo_replay(other, 3, 2 * TRAIN_QUESTIONS + q, again) == R1_OK);
            CHECK_EQUAL_SIZE(again->n, TRAIN_G);
            for (size_t i = 0; i < TRAIN_G; i++) {
                const r1_sample *a = &rollout->samples[q * TRAIN_G + i], *b = &again->samples[i];
                CHECK(a->n == b->n && a->key == b->key && a->n_prompt == b->n_prompt);
                CHECK(!memcmp(a->tokens, b->tokens, a->n * sizeof *a->tokens));
                CHECK(!memcmp(a->logp, b->logp, a->n * sizeof *a->logp));
            }
        }
        CHECK(r1_grpo_step(other)); // and a replay does not disturb the run
        CHECK(r1_grpo_metrics_of(other)->weight_hash == r1_grpo_metrics_of(run)->weight_hash);
        r1_context_free(ctx), r1_context_free(second);
    }
}

// ---- checkpoint files ----
typedef struct train_files {
    r1_context *ctx;
    r1_model *model;
    r1_trainer *trainer;
    r1_document documents[TRAIN_DOCUMENTS];
    char folder[300];
} train_files;
static train_files train_files_make(const char *name) {
    train_files f = {.ctx = train_context(1)};
    f.model = train_model(f.ctx, 0);
    f.trainer = r1_trainer_new(f.model, NULL);
    train_documents(0, f.documents);
    snprintf(f.folder, sizeof f.folder, "%s", test_path(name));
    return f;
}
static void train_files_step(train_files *f, bool save) {
    CHECK(r1_sft_step(f->trainer, f->documents, TRAIN_DOCUMENTS, NULL) == R1_OK);
    if (save) CHECK(r1_trainer_save(f->trainer, f->folder, "n") == R1_OK);
}
static const char *train_file(const train_files *f, int step) {
    char name[60];
    snprintf(name, sizeof name, "checkpoint-%08d.safetensors", step);
    return test_join(f->folder, name);
}
TEST(train_newest_two_checkpoints_are_kept) {
    train_files f = train_files_make("keep");
    for (int step = 1; step < 12; step++) {
        train_files_step(&f, true);
        for (int old = 1; old <= step; old++)
            CHECK((access(train_file(&f, old), R_OK) == 0) == (old > step - 2));
    }
    r1_context_free(f.ctx);
}
TEST(train_damaged_checkpoint_is_passed_over) {
    train_files f = train_files_make("passed");
    struct stat info;
    train_files_step(&f, true);
    uint64_t first = r1_model_hash(f.model);
    train_files_step(&f, true);
    uint64_t second = r1_model_hash(f.model);
    CHECK(r1_trainer_resume(f.trainer, f.folder, NULL, 0) && r1_model_hash(f.model) == second);
    CHECK(stat(train_file(&f, 2), &info) == 0);
    CHECK(truncate(train_file(&f, 2), info.st_size - 1) == 0);
    CHECK(r1_trainer_resume(f.trainer, f.folder, NULL, 0));
    CHECK(r1_trainer_steps(f.trainer) == 1 && r1_model_hash(f.model) == first);
    CHECK_EQUAL_TEXT(r1_message_of(f.ctx), "");
    train_files_step(&f, true); // the run goes on, over the damaged file
    CHECK(r1_model_hash(f.model) == second);
    CHECK(r1_trainer_resume(f.trainer, f.folder, NULL, 0) && r1_trainer_steps(f.trainer) == 2);
    r1_context_free(f.ctx);
}
static void train_refused(train_files *f, const char *how, size_t at) {
    uint64_t hash = r1_model_hash(f->model);
    bool resumed = r1_trainer_resume(f->trainer, f->folder, NULL, 0);
    if (resumed || !strstr(r1_message_of(f->ctx), "checkpoint-00000001.safetensors"))
        test_stop(TEST_FAILED, "%s %zu: %s", how, at, resumed ? "taken" : r1_message_of(f->ctx));
    CHECK(r1_status_of(f->ctx) == R1_ERROR_FORMAT || r1_status_of(f->ctx) == R1_ERROR_FILE);
    CHECK(r1_model_hash(f->model) == hash); // nothing is lost
    r1_error_clear(f->ctx);
}
TEST(train_every_damage_is_found) {
    train_files f = train_files_make("damage");
    train_files_step(&f, true);
    train_files_step(&f, false);
    size_t size;
    char *data = r1_file_read(f.ctx, train_file(&f, 1), &size);
    CHECK(data);
    for (size_t n = 0; n < size; n += n < 300 ? 7 : n + 999 < size ? 997 : 1) {
        CHECK(r1_file_write(f.ctx, train_file(&f, 1), data, n) == R1_OK);
        train_refused(&f, "cut to bytes", n);
        if (size - n < 900 && size - n > 3) n = size - 3;
    }
    for (size_t n = 0; n < size; n += n < 200 ? 9 : 1301) {
        data[n] ^= (char)(1 << n % 8);
        CHECK(r1_file_write(f.ctx, train_file(&f, 1), data, size) == R1_OK);
        train_refused(&f, "bit flipped in byte", n);
        data[n] ^= (char)(1 << n % 8);
    }
    CHECK(r1_file_write(f.ctx, train_file(&f, 1), data, size) == R1_OK);
    CHECK(r1_trainer_resume(f.trainer, f.folder, NULL, 0) && r1_trainer_steps(f.trainer) == 1);
    r1_file_free(f.ctx, data);
    r1_context_free(f.ctx);
}
TEST(train_other_checkpoints_are_refused) {
    train_files f = train_files_make("other");
    train_files_step(&f, true);
    r1_context *ctx = train_context(1);
    r1_model_config config = train_config(0);
    config.rope_theta = 500; // the same sizes, another model
    r1_trainer *trainer = r1_trainer_new(r1_model_new(ctx, &config), NULL);
    CHECK(!r1_trainer_resume(trainer, f.folder, NULL, 0) && r1_status_of(ctx) == R1_ERROR_FORMAT);
    CHECK(strstr(r1_message_of(ctx), "checkpoint-00000001.safetensors"));
    r1_error_clear(ctx);
    CHECK(!r1_trainer_resume(trainer, test_path("nowhere"), NULL, 0));
    CHECK(r1_status_of(ctx) == R1_ERROR_FILE && strstr(r1_message_of(ctx), "nowhere"));
    r1_error_clear(ctx);
    CHECK(r1_trainer_save(trainer, "/proc/no/such", NULL) == R1_ERROR_FILE);
    CHECK(strstr(r1_message_of(ctx), "/proc/no"));
    r1_error_clear(ctx);
    train_setup s = {.kl_weight = 0.1}; // a run with a reference needs one in the file
    r1_grpo_desc desc = train_grpo(&s);
    r1_model *model = train_model(ctx, 0);
    r1_grpo *run = r1_grpo_new(model, &desc);
    uint64_t hash = r1_model_hash(model);
    CHECK(!r1_grpo_resume(run, f.folder, NULL, 0) && strstr(r1_message_of(ctx), "reference"));
    CHECK(r1_model_hash(model) == hash);
    r1_context_free(ctx), r1_context_free(f.ctx);
}

// ---- one rollout ----
typedef struct train_one {
    r1_context *ctx;
    r1_model *model;
    r1_grpo *run;
    const r1_grpo_metrics *m;
} train_one;
static train_one train_one_make(const r1_grpo_desc *desc, int kind) {
    train_one o = {.ctx = train_context(1)};
    o.model = train_model(o.ctx, kind);
    o.run = r1_grpo_new(o.model, desc);
    if (!o.run) test_stop(TEST_FAILED, "%s", r1_message_of(o.ctx));
    o.m = r1_grpo_metrics_of(o.run);
    return o;
}
TEST(train_ratio_is_one_on_policy) {
    static const double temperatures[] = {1, 0.7, 1.9};
    for (int kind = 0; kind < TRAIN_KINDS; kind++)
        for (int k = 0; k < 3; k++) {
            train_setup s = {.kind = kind, .temperature = temperatures[k]};
            r1_grpo_desc desc = train_grpo(&s);
            train_one o = train_one_make(&desc, kind);
            for (int step = 0; step < 3; step++) {
                CHECK(r1_grpo_step(o.run));
                CHECK(o.m->ratio_error == 0 && o.m->clip_fraction == 0 && o.m->grad_norm > 0);
            }
            r1_context_free(o.ctx);
            desc.mini_batches = k == 1 ? 1 : 3, desc.epochs = k == 1 ? 2 : 1;
            o = train_one_make(&desc, kind);
            CHECK(r1_grpo_step(o.run) && o.m->ratio_error > 0.001);
            r1_context_free(o.ctx);
        }
}
TEST(train_without_signal_stops) {
    for (int kl = 0; kl < 2; kl++) {
        train_setup s = {.kl_weight = kl ? 0.1 : 0};
        r1_grpo_desc desc = train_grpo(&s);
        desc.reward = train_dull, desc.patience = 3, desc.parts[1] = NULL;
        train_one o = train_one_make(&desc, 0);
        train_state before = train_state_of(o.model);
        for (int step = 0; step < 2; step++) {
            CHECK(r1_grpo_step(o.run) && o.m->informative == 0 && o.m->reward == 1);
            CHECK(o.m->updates == (kl ? 1u : 0u) && (o.m->loss == 0 || (kl && step)));
            for (size_t i = 0; i < r1_grpo_rollout_of(o.run)->n; i++)
                CHECK(r1_grpo_rollout_of(o.run)->samples[i].advantage == 0);
            train_state after = train_state_of(o.model);
            CHECK(kl || train_equal(&before, &after));
        }
        CHECK(!r1_grpo_step(o.run) && r1_status_of(o.ctx) == R1_ERROR_SIGNAL);
        CHECK(strstr(r1_message_of(o.ctx), "3 rollouts") && strstr(r1_message_of(o.ctx), "reward"));
        r1_context_free(o.ctx);
    }
}
TEST(train_numbers_that_are_not_finite) {
    static const float bad[] = {NAN, INFINITY};
    for (int k = 0; k < 2; k++)
        for (int where = 0; where < 2; where++) {
            train_setup s = {0};
            r1_grpo_desc desc = train_grpo(&s);
            train_one o = train_one_make(&desc, 0);
            r1_document documents[TRAIN_DOCUMENTS];
            const char *name = where ? "model.layers.1.mlp.shared_experts.up_proj.weight"
                                     : "model.embed_tokens.weight";
            r1_tensor *x = r1_model_find(o.model, name);
            CHECK(x);
            x->data[3] = bad[k]; // of token 0, or for all tokens
            r1_trainer *trainer = r1_trainer_new(o.model, NULL);
            train_state before = train_state_of(o.model);
            train_documents(0, documents);
            CHECK(r1_sft_step(trainer, documents, TRAIN_DOCUMENTS, NULL) == R1_ERROR_NUMBER);
            train_state after = train_state_of(o.model);
            CHECK(train_equal(&before, &after) && r1_trainer_steps(trainer) == 0);
            r1_error_clear(o.ctx);
            CHECK(!r1_grpo_step(o.run) && r1_status_of(o.ctx) == R1_ERROR_NUMBER);
            after = train_state_of(o.model);
            CHECK(train_equal(&before, &after));
            r1_context_free(o.ctx);
        }
}
// A group of which some always agree: prompts whose number is a multiple of three.
static void train_some_agree(void *user, const r1_sample *sample, r1_verdict *out) {
    train_reward(user, sample, out);
    out->judged = true;
    if (sample->key % 3 == 0) out->parts[0] = out->parts[1] = 0.5;
}
TEST(train_groups_without_signal) {
    double norms[2];
    for (int k = 0; k < 2;
         k++) { // the gradient is a mean over all groups, or over informative ones
        train_setup s = {0};
        r1_grpo_desc desc = train_grpo(&s);
        desc.reward = train_some_agree, desc.train.balance_weight = R1_OFF;
        desc.policy.no_signal = k ? R1_NO_SIGNAL_DROP : R1_NO_SIGNAL_KEEP;
        train_one o = train_one_make(&desc, 0);
        CHECK(r1_grpo_step(o.run) && o.m->resampled == 0);
        CHECK_NEAR(o.m->informative, 4.0 / 6, 1e-12);
        norms[k] = o.m->grad_norm;
        r1_context_free(o.ctx);
    }
    CHECK_NEAR(norms[1] / norms[0], 6.0 / 4, 1e-5);
    train_setup s = {.kl_weight = 0.02};
    r1_grpo_desc desc = train_grpo(&s);
    desc.reward = train_some_agree, desc.policy.no_signal = R1_NO_SIGNAL_RESAMPLE;
    train_one o = train_one_make(&desc, 0);
    for (int step = 0; step < 3; step++) {
        CHECK(r1_grpo_step(o.run) && o.m->informative == 1 && o.m->resampled >= 1);
        CHECK(o.m->ratio_error == 0);
        const r1_rollout *rollout = r1_grpo_rollout_of(o.run);
        for (size_t i = 0; i < rollout->n; i++) {
            const r1_sample *a = &rollout->samples[i];
            CHECK(a->key % 3 != 0 && a->prompt == i / TRAIN_G && a->index == i % TRAIN_G);
            CHECK(a->key == rollout->samples[i - i % TRAIN_G].key);
        }
    }
    r1_context_free(o.ctx);
}
static void train_one_verdict(void *user, const r1_sample *sample, r1_verdict *out) {
    train_reward(user, sample, out);
    out->judged = sample->key != 1 || sample->index == 2;
}
// A group with fewer than two verdicts is dropped: it must not thin the mean of the others.
TEST(train_group_with_one_verdict_is_dropped) {
    for (int kl = 0; kl < 2; kl++) {
        train_setup s = {.questions = 2, .kl_weight = kl ? 0.1 : 0};
        r1_grpo_desc desc = train_grpo(&s);
        desc.reward = train_one_verdict;
        train_one o = train_one_make(&desc, 0);
        CHECK(r1_grpo_step(o.run) && o.m->informative == 0.5 && o.m->unjudged == 0.375);
        for (size_t i = 0; i < 2 * TRAIN_G; i++) {
            const r1_sample *a = &r1_grpo_rollout_of(o.run)->samples[i];
            double n = (double)(a->n - a->n_prompt);
            CHECK_NEAR(o.run->weights[i], i < TRAIN_G ? 1 / (TRAIN_G * n) : 0, 1e-12);
        }
        r1_context_free(o.ctx);
    }
}
TEST(train_masked_answers_teach_nothing) {
    train_setup s = {0};
    r1_grpo_desc desc = train_grpo(&s);
    desc.generate.n_stops = 0, desc.policy.mask_truncated = true; // all are cut
    train_one o = train_one_make(&desc, 0);
    uint64_t hash = r1_model_hash(o.model);
    CHECK(r1_grpo_step(o.run) && o.m->updates == 0 && r1_model_hash(o.model) == hash);
    CHECK_NEAR(o.m->truncated, 1, 1e-12);
    r1_context_free(o.ctx);
    desc.policy.mask_truncated = false;
    o = train_one_make(&desc, 0);
    CHECK(r1_grpo_step(o.run) && o.m->updates == 1 && r1_model_hash(o.model) != hash);
    r1_context_free(o.ctx);
}
TEST(train_reference_and_its_refresh) {
    for (uint64_t refresh = 0; refresh < 3; refresh++) {
        train_setup s = {.kl_weight = 0.1};
        r1_grpo_desc desc = train_grpo(&s);
        desc.refresh = refresh;
        train_one o = train_one_make(&desc, 0);
        for (uint64_t step = 1; step < 6; step++) {
            bool same = step == 1 || (refresh && (step - 1) % refresh == 0);
            CHECK(r1_grpo_step(o.run));
            if (same != (o.m->kl == 0) || o.m->kl < 0)
                test_stop(TEST_FAILED, "refresh %d, step %d: KL %g", (int)refresh, (int)step,
                          o.m->kl);
        }
        r1_context_free(o.ctx);
    }
}
// Recorded router choices are used when asked for, and only then.
TEST(train_replays_routes) {
    train_state states[2];
    for (int replay = 0; replay < 2; replay++)
        for (int spoiled = 0; spoiled < 2; spoiled++) {
            train_setup s = {0};
            r1_grpo_desc desc = train_grpo(&s);
            desc.replay_routes = replay, desc.generate.routes = true;
            train_one o = train_one_make(&desc, 0);
            CHECK(r1_grpo_rollout(o.run) == R1_OK && r1_grpo_judge(o.run) == R1_OK);
            for (size_t i = 0; i < o.run->rollout->n && spoiled; i++) {
                r1_sample *a = &o.run->rollout->samples[i];
                for (size_t t = 0; t + 1 < a->n; t++)
                    a->routes[2 * t] = 0, a->routes[2 * t + 1] = 1;
            }
            CHECK(r1_grpo_advantage(o.run) == R1_OK && r1_grpo_update(o.run) == R1_OK);
            CHECK((o.m->ratio_error > 0) == (replay && spoiled));
            if (!spoiled) states[replay] = train_state_of(o.model);
            CHECK(!(replay && spoiled) || o.m->load_max == 2); // half of the experts take all
            r1_context_free(o.ctx);
        }
    CHECK(train_equal(&states[0], &states[1])); // on policy both mean the same
}
TEST(train_loads_drive_router_biases) {
    for (int off = 0; off < 2; off++) {
        r1_context *ctx = train_context(1);
        r1_model *model = train_model(ctx, 0);
        r1_train_desc desc = {.bias_rate = off ? R1_OFF : 0.25};
        r1_trainer *trainer = r1_trainer_new(model, &desc);
        r1_document documents[TRAIN_DOCUMENTS];
        float want[4] = {0};
        for (int step = 0; step < 4; step++) {
            int32_t tokens[TRAIN_DOCUMENTS * 24];
            size_t starts[TRAIN_DOCUMENTS + 1] = {0}, B = 0, total = 0;
            uint64_t loads[4] = {0};
            train_documents(step, documents);
            for (size_t i = 0; i < TRAIN_DOCUMENTS; i++) { // the rows that are fed, see loss_from
                if (documents[i].n < 2 || documents[i].loss_from >= documents[i].n) continue;
                size_t n = documents[i].n - 1;
                memcpy(tokens + starts[B], documents[i].tokens, n * sizeof *tokens);
                starts[B + 1] = starts[B] + n, B++;
            }
            r1_batch batch = {.tokens = tokens, .starts = starts, .B = B, .loads = loads};
            CHECK(r1_model_score(model, &batch, 1, 0, NULL, NULL) == R1_OK);
            for (int e = 0; e < 4; e++) total += loads[e];
            CHECK_EQUAL_SIZE(total, 2 * starts[B]);
            for (int e = 0; e < 4 && !off; e++)
                want[e] += loads[e] * 4 > total ? -0.25f : loads[e] * 4 < total ? 0.25f : 0;
            CHECK(r1_sft_step(trainer, documents, TRAIN_DOCUMENTS, NULL) == R1_OK);
            CHECK(memcmp(want, r1_model_router_bias(model, 1), sizeof want) == 0);
        }
        r1_context_free(ctx);
    }
}

// ---- descs ----
static size_t train_no_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    (void)user, (void)capacity;
    tokens[0] = 1;
    return index < 3;
}
static void train_desc_refused(const char *word, r1_grpo_desc desc) {
    r1_context *ctx = train_context(1);
    r1_model *model = train_model(ctx, 0);
    uint64_t hash = r1_model_hash(model);
    r1_grpo *run = r1_grpo_new(model, &desc);
    bool stepped = run && r1_grpo_step(run);
    if (stepped || r1_status_of(ctx) != R1_ERROR_ARGUMENT || !strstr(r1_message_of(ctx), word))
        test_stop(TEST_FAILED, "%s: %s \"%s\"", word, r1_status_name(r1_status_of(ctx)),
                  r1_message_of(ctx));
    CHECK(r1_model_hash(model) == hash);
    r1_error_clear(ctx);
    train_setup s = {0};
    desc = train_grpo(&s);
    CHECK((run = r1_grpo_new(model, &desc)) && r1_grpo_step(run)); // the context still works
    r1_context_free(ctx);
}
#define TRAIN_REFUSES(word, field, value)                                                          \
    do {                                                                                           \
        train_setup s = {0};                                                                       \
        r1_grpo_desc desc = train_grpo(&s);                                                        \
        desc.field = value;                                                                        \
        train_desc_refused(word, desc);                                                            \
    } while (0)
TEST(train_desc_errors_name_the_field) {
    TRAIN_REFUSES("group", group, 1);
    TRAIN_REFUSES("next_prompt", next_prompt, NULL);
    TRAIN_REFUSES("next_prompt", next_prompt, train_no_prompt);
    TRAIN_REFUSES("reward", reward, NULL);
    TRAIN_REFUSES("parts", parts[0], NULL);
    TRAIN_REFUSES("top_k", generate.sampler.top_k, 5);
    TRAIN_REFUSES("top_p", generate.sampler.top_p, 0.5);
    TRAIN_REFUSES("greedy", generate.sampler.greedy, true);
    TRAIN_REFUSES("temperature", generate.sampler.temperature, -1);
    TRAIN_REFUSES("temperature", generate.sampler.temperature, NAN);
    TRAIN_REFUSES("mini_batches", mini_batches, TRAIN_QUESTIONS + 1);
    TRAIN_REFUSES("kl_weight", policy.kl_weight, -0.5);
    TRAIN_REFUSES("chunks", train.chunks, 3);
    TRAIN_REFUSES("chunks", train.chunks, (size_t)1 << 40);
    r1_context *ctx = train_context(1);
    CHECK(!r1_grpo_new(train_model(ctx, 0), NULL) && !r1_grpo_new(NULL, NULL));
    r1_context_free(ctx);
}
TEST(train_supervised_errors_name_the_thing) {
    r1_context *ctx = train_context(1);
    r1_model *model = train_model(ctx, 0);
    static int32_t tokens[60];
    r1_document none[] = {{tokens, 5, 5}, {tokens, 1, 0}, {tokens, 0, 0}, {tokens, 3, 9}};
    r1_document longest = {tokens, 41, 40}, over = {tokens, 42, 0}, wrong = {tokens, 5, 0};
    CHECK(!r1_trainer_new(model, &(r1_train_desc){.chunks = 12}));
    CHECK(strstr(r1_message_of(ctx), "chunks is 12"));
    r1_error_clear(ctx);
    r1_trainer *trainer = r1_trainer_new(model, NULL);
    uint64_t hash = r1_model_hash(model);
    CHECK(r1_sft_step(trainer, none, 4, NULL) == R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "4 documents") && strstr(r1_message_of(ctx), "loss"));
    r1_error_clear(ctx);
    CHECK(r1_sft_step(trainer, NULL, 0, NULL) == R1_ERROR_ARGUMENT);
    r1_error_clear(ctx);
    CHECK(r1_sft_step(trainer, &over, 1, NULL) == R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "document 0") && strstr(r1_message_of(ctx), "42"));
    r1_error_clear(ctx);
    tokens[2] = TRAIN_VOCAB;
    CHECK(r1_sft_step(trainer, &wrong, 1, NULL) == R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "11"));
    r1_error_clear(ctx);
    tokens[2] = 1;
    CHECK(r1_model_hash(model) == hash && r1_trainer_steps(trainer) == 0);
    r1_step_metrics m;
    CHECK(r1_sft_step(trainer, &longest, 1, &m) == R1_OK && m.tokens == 1);
    CHECK(r1_sft_step(NULL, &longest, 1, NULL) == R1_ERROR_ARGUMENT);
    r1_context_free(ctx);
}
// Values of the paper's table on GRPO; 16 updates a rollout.   Source: N Methods.
TEST(train_paper_presets) {
    for (int stage = R1_ZERO; stage <= R1_STAGE2; stage++) {
        r1_grpo_desc d = r1_grpo_paper((r1_stage)stage);
        CHECK(d.group == 16 && d.mini_batches == 16 && d.epochs == 1);
        CHECK(d.questions * d.group == 8192);                 // outputs of a rollout
        CHECK(d.questions * d.group / d.mini_batches == 512); // outputs of a step
        CHECK(d.refresh * d.mini_batches == 400);             // steps
        CHECK(d.train.schedule.peak == 3e-6 && d.train.schedule.kind == R1_CONSTANT);
        CHECK(d.policy.kl == R1_KL_K3 && d.policy.kl_weight == 0.001 && !d.policy.kl_in_reward);
        CHECK(d.policy.clip_high == 10 && d.policy.ratio == R1_RATIO_TOKEN);
        CHECK(d.policy.advantage == R1_ADVANTAGE_STD && d.policy.objective == R1_CLIPPED);
        CHECK(d.generate.sampler.temperature == (stage == R1_STAGE2 ? 0.7 : 1));
        CHECK(d.generate.max_new == 32768);
        CHECK(stage != R1_ZERO || d.steps * d.mini_batches == 10400);
        CHECK(stage != R1_STAGE2 || (d.steps * 16 <= 1700 && (d.steps + 1) * 16 > 1700));
    }
}
TEST(train_settings_are_json) {
    train_setup s = {.kl_weight = 0.25};
    r1_grpo_desc desc = train_grpo(&s);
    desc.parts[0] = "a \"quoted\" part\n";
    train_one o = train_one_make(&desc, 0);
    for (int k = 0; k < 2; k++) {
        const char *text = r1_grpo_settings(o.run);
        r1_json *root = r1_json_read(o.ctx, text, strlen(text));
        if (!root) test_stop(TEST_FAILED, "%s", r1_message_of(o.ctx));
        CHECK(r1_json_number(r1_json_find(root, "questions"), 0) == TRAIN_QUESTIONS);
        CHECK(r1_json_number(r1_json_find(root, "chunks"), 0) == 8); // defaults are filled in
        CHECK(r1_json_number(r1_json_find(root, "clip_high"), 0) == 0.2);
        CHECK(r1_json_number(r1_json_find(root, "kl_weight"), 0) == 0.25);
        CHECK(r1_json_number(r1_json_find(root, "bias_rate"), 0) == 1e-3);
        CHECK_EQUAL_TEXT(r1_json_text(r1_json_find(root, "kl")).data, "k3");
        const r1_json *weights = r1_json_find(root, "reward_weights");
        CHECK(weights && weights->count == 2 && weights->child->number == 1);
        CHECK_EQUAL_TEXT(weights->child->key.data, desc.parts[0]);
        r1_json_free(o.ctx, root);
        CHECK(r1_grpo_step(o.run));
    }
    r1_context_free(o.ctx);
}
// A run ends after its steps, without an error.
TEST(train_run_ends) {
    train_setup s = {0};
    r1_grpo_desc desc = train_grpo(&s);
    desc.steps = 2;
    train_one o = train_one_make(&desc, 0);
    CHECK(r1_grpo_step(o.run) && r1_grpo_step(o.run) && !r1_grpo_step(o.run));
    CHECK(r1_status_of(o.ctx) == R1_OK && o.m->step == 2);
    r1_grpo_free(o.run);
    r1_context_free(o.ctx);
}
