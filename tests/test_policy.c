// Tests of the room [policy]: advantages, the loss and its switches, against the published formulas
// written out again here in double, and against the exact gradient of an enumerable policy. Also
// the small published numbers for optimizer and schedule.

// ---- advantages ----
TEST(policy_advantages_by_formula) {
    enum { G = 6, GROUPS = 40 };
    double rewards[G * GROUPS], out[G * GROUPS];
    r1_random at = {.seed = 4, .stream = R1_STREAM_USER};
    for (int i = 0; i < G * GROUPS; i++) rewards[i] = (double)r1_random_below(&at, 3) - 0.7;
    for (int kind = 0; kind < 3; kind++) {
        r1_policy_desc desc = {.advantage = (r1_advantage_kind)kind};
        size_t informative = r1_advantages(&desc, GROUPS, G, rewards, NULL, out), differ = 0;
        for (int g = 0; g < GROUPS; g++) {
            const double *r = rewards + g * G, *a = out + g * G;
            double sum = 0, square = 0, total = 0;
            for (int i = 0; i < G; i++) sum += r[i], total += a[i];
            for (int i = 0; i < G; i++) square += (r[i] - sum / G) * (r[i] - sum / G);
            differ += square > 1e-9;
            CHECK_NEAR(total, 0, 1e-12);
            for (int i = 0; i < G; i++) {
                double mean = r[i] - sum / G, want = mean / (sqrt(square / G) + 1e-4);
                if (kind == R1_ADVANTAGE_MEAN) want = mean;
                if (kind == R1_ADVANTAGE_LEAVE_OUT) want = r[i] - (sum - r[i]) / (G - 1);
                CHECK_NEAR(a[i], square > 1e-9 ? want : 0, 1e-12);
            }
        }
        CHECK_EQUAL_SIZE(informative, differ);
        CHECK(differ > 10 && r1_advantages(&desc, GROUPS, G, rewards, NULL, rewards) == differ);
        CHECK(memcmp(rewards, out, sizeof out) == 0); // in place is fine
        for (int i = 0; i < G * GROUPS; i++) rewards[i] = (double)r1_random_below(&at, 3) - 0.7;
    }
}
TEST(policy_equal_rewards_give_exactly_zero) {
    static const double values[] = {0, 1, 0.1, 1e300, -7.3, 1.0 / 3};
    for (int kind = 0; kind < 3; kind++)
        for (int v = 0; v < 6; v++)
            for (size_t G = 2; G < 20; G++) {
                r1_policy_desc desc = {.advantage = (r1_advantage_kind)kind};
                double rewards[20], out[20];
                for (size_t i = 0; i < G; i++) rewards[i] = values[v], out[i] = 5;
                CHECK(r1_advantages(&desc, 1, G, rewards, NULL, out) == 0);
                for (size_t i = 0; i < G; i++) CHECK(out[i] == 0);
            }
}
TEST(policy_unjudged_answers_leave_their_group) {
    enum { G = 5 };
    for (int kind = 0; kind < 3; kind++)
        for (int mask = 0; mask < 1 << G; mask++) {
            r1_policy_desc desc = {.advantage = (r1_advantage_kind)kind, .advantage_eps = 0.5};
            double rewards[G] = {0.25, 1, -2, 1, 7}, out[G], few[G], want[G];
            bool judged[G];
            size_t n = 0;
            for (int i = 0; i < G; i++) {
                judged[i] = mask >> i & 1;
                if (judged[i]) few[n++] = rewards[i];
            }
            size_t informative = r1_advantages(&desc, 1, G, rewards, judged, out);
            size_t alone = n ? r1_advantages(&desc, 1, n, few, NULL, want) : 0;
            CHECK_EQUAL_SIZE(informative, n < 2 ? 0 : alone);
            for (size_t i = 0, j = 0; i < G; i++) {
                double expected = judged[i] && n >= 2 ? want[j] : 0;
                j += judged[i];
                CHECK_NEAR(out[i], expected, 1e-12);
            }
        }
}

// ---- the loss against published formulas ----
enum { POLICY_GROUPS = 3, POLICY_G = 4, POLICY_OUTPUTS = 12, POLICY_LONGEST = 9 };
// A batch of outputs whose ratios fall on both sides of every clip bound.
typedef struct policy_batch {
    size_t n[POLICY_OUTPUTS];
    float logp[POLICY_OUTPUTS][POLICY_LONGEST], sampled[POLICY_OUTPUTS][POLICY_LONGEST];
    float reference[POLICY_OUTPUTS][POLICY_LONGEST];
    double reward[POLICY_OUTPUTS], advantage[POLICY_OUTPUTS];
} policy_batch;
// Numbers with few digits, so that a change by 2^-10 is exact in float. `wide` scales the ratios.
static policy_batch policy_make(uint32_t sample, double wide) {
    policy_batch b = {{0}, {{0}}, {{0}}, {{0}}, {0}, {0}};
    r1_random at = {.seed = 2, .stream = R1_STREAM_USER, .sample = sample};
    for (int i = 0; i < POLICY_OUTPUTS; i++) {
        b.n[i] = 1 + r1_random_below(&at, POLICY_LONGEST);
        b.reward[i] = (double)r1_random_below(&at, 5) / 4;
        for (size_t t = 0; t < b.n[i]; t++) {
            float *logp = &b.logp[i][t];
            *logp = -(float)(1 + r1_random_below(&at, 4096)) / 1024;
            b.sampled[i][t] = *logp + (float)wide *
                                          (float)floor(0.4 * 4096 * (double)r1_random_normal(&at)) /
                                          4096;
            b.reference[i][t] =
                *logp + (float)floor(0.5 * 4096 * (double)r1_random_normal(&at)) / 4096;
        }
    }
    return b;
}
static double policy_ratio(const policy_batch *b, int i, size_t t) {
    return exp((double)b->logp[i][t] - (double)b->sampled[i][t]);
}
// The library's loss of the whole batch and its gradient, by its three calls.
static r1_policy_sums policy_library(const r1_policy_desc *desc, policy_batch *b, bool advantages,
                                     float dlogp[][POLICY_LONGEST]) {
    bool included[POLICY_OUTPUTS];
    double weights[POLICY_OUTPUTS];
    r1_policy_sums sums = {0};
    for (int i = 0; i < POLICY_OUTPUTS; i++) included[i] = true;
    if (advantages) r1_advantages(desc, POLICY_GROUPS, POLICY_G, b->reward, NULL, b->advantage);
    r1_policy_weights(desc, b->n, included, POLICY_OUTPUTS, POLICY_LONGEST, weights);
    for (int i = 0; i < POLICY_OUTPUTS; i++) {
        r1_policy_sample sample = {.n = b->n[i],
                                   .logp = b->logp[i],
                                   .sampled = b->sampled[i],
                                   .reference = b->reference[i],
                                   .advantage = b->advantage[i],
                                   .weight = weights[i],
                                   .number = (size_t)i};
        r1_policy_loss(desc, &sample, dlogp[i], &sums);
    }
    return sums;
}
// What an algorithm's paper says: loss and gradient of every token.
typedef struct policy_paper {
    double loss, grad[POLICY_OUTPUTS][POLICY_LONGEST];
} policy_paper;
typedef void policy_paper_fn(const policy_batch *b, policy_paper *out);

static void policy_group_advantages(const policy_batch *b, bool divided, double *a) {
    for (int g = 0; g < POLICY_OUTPUTS; g += POLICY_G) {
        double mean = 0, variance = 0;
        for (int i = g; i < g + POLICY_G; i++) mean += b->reward[i] / POLICY_G;
        for (int i = g; i < g + POLICY_G; i++) variance += pow(b->reward[i] - mean, 2) / POLICY_G;
        for (int i = g; i < g + POLICY_G; i++)
            a[i] = (b->reward[i] - mean) / (divided ? sqrt(variance) + 1e-4 : 1);
    }
}
static double policy_tokens(const policy_batch *b) {
    double tokens = 0;
    for (int i = 0; i < POLICY_OUTPUTS; i++) tokens += (double)b->n[i];
    return tokens;
}
// min(r A, clip(r) A) as an objective to be maximised; *live tells whether the gradient passes.
static double policy_clip(double r, double a, double low, double high, bool *live) {
    double bounded = fmin(fmax(r, 1 - low), 1 + high);
    *live = r * a <= bounded * a;
    return fmin(r * a, bounded * a);
}
// DeepSeekMath, equation 3: 1/G sum 1/|o| sum (min(...) - beta D), D = e^d - d - 1.
static void policy_grpo(const policy_batch *b, policy_paper *out) {
    double a[POLICY_OUTPUTS];
    policy_group_advantages(b, true, a);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b->n[i]; t++) {
            double r = policy_ratio(b, i, t), share = 1.0 / POLICY_OUTPUTS / (double)b->n[i];
            double d = (double)b->reference[i][t] - (double)b->logp[i][t];
            bool live;
            out->loss -= share * (policy_clip(r, a[i], 0.2, 0.2, &live) - 0.04 * (exp(d) - d - 1));
            out->grad[i][t] = -share * ((live ? r * a[i] : 0) + 0.04 * (exp(d) - 1));
        }
}
// PPO's clipped objective, mean over tokens; the advantages are the caller's.
static void policy_ppo(const policy_batch *b, policy_paper *out) {
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b->n[i]; t++) {
            double r = policy_ratio(b, i, t), share = 1 / policy_tokens(b);
            bool live;
            out->loss -= share * policy_clip(r, b->advantage[i], 0.2, 0.2, &live);
            out->grad[i][t] = live ? -share * r * b->advantage[i] : 0;
        }
}
// Dr.GRPO: no deviation, and a constant instead of the length.
static void policy_dr_grpo(const policy_batch *b, policy_paper *out) {
    double a[POLICY_OUTPUTS];
    policy_group_advantages(b, false, a);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b->n[i]; t++) {
            double r = policy_ratio(b, i, t), share = 1.0 / POLICY_OUTPUTS / POLICY_LONGEST;
            bool live;
            out->loss -= share * policy_clip(r, a[i], 0.2, 0.2, &live);
            out->grad[i][t] = live ? -share * r * a[i] : 0;
        }
}
// DAPO: token mean, and more room upwards.
static void policy_dapo(const policy_batch *b, policy_paper *out) {
    double a[POLICY_OUTPUTS];
    policy_group_advantages(b, true, a);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b->n[i]; t++) {
            double r = policy_ratio(b, i, t), share = 1 / policy_tokens(b);
            bool live;
            out->loss -= share * policy_clip(r, a[i], 0.2, 0.28, &live);
            out->grad[i][t] = live ? -share * r * a[i] : 0;
        }
}
// GSPO: one ratio a sequence, the geometric mean of the token ratios.
static void policy_gspo(const policy_batch *b, policy_paper *out) {
    double a[POLICY_OUTPUTS];
    policy_group_advantages(b, true, a);
    for (int i = 0; i < POLICY_OUTPUTS; i++) {
        double product = 1, n = (double)b->n[i];
        bool live;
        for (size_t t = 0; t < b->n[i]; t++) product *= policy_ratio(b, i, t);
        double s = pow(product, 1 / n);
        out->loss -= policy_clip(s, a[i], 0.03, 0.04, &live) / POLICY_OUTPUTS;
        for (size_t t = 0; t < b->n[i]; t++)
            out->grad[i][t] = live ? -s * a[i] / n / POLICY_OUTPUTS : 0;
    }
}
// CISPO: the ratio, bounded from above, is a constant weight of REINFORCE.
static void policy_cispo(const policy_batch *b, policy_paper *out) {
    double a[POLICY_OUTPUTS];
    policy_group_advantages(b, true, a);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b->n[i]; t++) {
            double weight = fmin(policy_ratio(b, i, t), 1.3) / policy_tokens(b);
            out->loss -= weight * a[i] * (double)b->logp[i][t];
            out->grad[i][t] = -weight * a[i];
        }
}
// RLOO: the reward minus the mean of the others, times the log-probability of the whole output.
static void policy_rloo(const policy_batch *b, policy_paper *out) {
    for (int i = 0; i < POLICY_OUTPUTS; i++) {
        double others = 0;
        for (int j = i - i % POLICY_G; j < i - i % POLICY_G + POLICY_G; j++)
            others += j == i ? 0 : b->reward[j] / (POLICY_G - 1);
        for (size_t t = 0; t < b->n[i]; t++) {
            out->loss -= (b->reward[i] - others) * (double)b->logp[i][t] / POLICY_OUTPUTS;
            out->grad[i][t] = -(b->reward[i] - others) / POLICY_OUTPUTS;
        }
    }
}
static void policy_compare(const char *name, r1_policy_desc desc, double wide,
                           policy_paper_fn *paper) {
    size_t clipped = 0, tokens = 0;
    for (uint32_t k = 0; k < 20; k++) {
        policy_batch b = policy_make(k, wide);
        float dlogp[POLICY_OUTPUTS][POLICY_LONGEST];
        static policy_paper want;
        bool given = paper == policy_ppo;
        for (int i = 0; i < POLICY_OUTPUTS; i++) b.advantage[i] = b.reward[i] - 0.6;
        r1_policy_sums sums = policy_library(&desc, &b, !given, dlogp);
        memset(&want, 0, sizeof want);
        paper(&b, &want);
        CHECK_NEAR(sums.loss, want.loss, 1e-9 * (1 + fabs(want.loss)));
        for (int i = 0; i < POLICY_OUTPUTS; i++)
            for (size_t t = 0; t < b.n[i]; t++)
                CHECK_NEAR((double)dlogp[i][t], want.grad[i][t],
                           1e-7 * (1 + fabs(want.grad[i][t])));
        clipped += sums.clipped, tokens += sums.tokens;
    }
    printf("%s: %zu of %zu tokens clipped\n", name, clipped, tokens);
    CHECK(desc.objective == R1_REINFORCE ? clipped == 0 : clipped > 20 && clipped < tokens / 2);
}
TEST(policy_switches_give_the_named_algorithms) {
    policy_compare("GRPO", (r1_policy_desc){.kl = R1_KL_K3, .kl_weight = 0.04}, 1, policy_grpo);
    policy_compare("PPO", (r1_policy_desc){.aggregation = R1_PER_TOKEN}, 1, policy_ppo);
    policy_compare("Dr.GRPO",
                   (r1_policy_desc){.aggregation = R1_PER_CONSTANT, .advantage = R1_ADVANTAGE_MEAN},
                   1, policy_dr_grpo);
    policy_compare(
        "DAPO", (r1_policy_desc){.aggregation = R1_PER_TOKEN, .clip_low = 0.2, .clip_high = 0.28},
        1, policy_dapo);
    policy_compare(
        "GSPO", (r1_policy_desc){.ratio = R1_RATIO_SEQUENCE, .clip_low = 0.03, .clip_high = 0.04},
        0.2, policy_gspo);
    policy_compare("CISPO",
                   (r1_policy_desc){.objective = R1_CISPO,
                                    .aggregation = R1_PER_TOKEN,
                                    .clip_low = R1_OFF,
                                    .clip_high = 0.3},
                   1, policy_cispo);
    policy_compare("RLOO",
                   (r1_policy_desc){.objective = R1_REINFORCE,
                                    .aggregation = R1_PER_CONSTANT,
                                    .constant_length = 1,
                                    .advantage = R1_ADVANTAGE_LEAVE_OUT},
                   1, policy_rloo);
}

// ---- single switches ----
// The gradient is the derivative of the loss, wherever the ratio is not held constant by design.
TEST(policy_gradients_by_finite_differences) {
    static const double step = 1.0 / 1024;
    for (int kl = 0; kl < 4; kl++)
        for (int k = 0; k < 6; k++) {
            r1_policy_desc desc = {
                .kl = (r1_kl_kind)kl, .kl_weight = 0.3, .aggregation = (r1_aggregation)(k % 3)};
            if (k >= 3) desc.ratio = R1_RATIO_SEQUENCE, desc.clip_low = desc.clip_high = 0.05;
            if (k == 5) desc.objective = R1_REINFORCE;
            if (k == 4) desc.clip_dual = 1.02;
            policy_batch b = policy_make(30, k >= 3 ? 0.2 : 1);
            float dlogp[POLICY_OUTPUTS][POLICY_LONGEST], other[POLICY_OUTPUTS][POLICY_LONGEST];
            size_t bad = 0, seen = 0;
            policy_library(&desc, &b, true, dlogp);
            for (int i = 0; i < POLICY_OUTPUTS; i++)
                for (size_t t = 0; t < b.n[i]; t++, seen++) {
                    float kept = b.logp[i][t];
                    b.logp[i][t] = kept + (float)step;
                    double up = policy_library(&desc, &b, true, other).loss;
                    b.logp[i][t] = kept - (float)step;
                    double slope = (up - policy_library(&desc, &b, true, other).loss) / (2 * step);
                    b.logp[i][t] = kept;
                    bad += fabs(slope - (double)dlogp[i][t]) > 1e-5 * (1 + fabs(slope));
                }
            // one that a step carries over a clip bound has no derivative there
            if (bad > 1) test_stop(TEST_FAILED, "kl %d, case %d: %zu of %zu", kl, k, bad, seen);
        }
}
TEST(policy_dual_clip_by_formula) {
    policy_batch b = policy_make(3, 2.5);
    r1_policy_desc desc = {.clip_dual = 3, .aggregation = R1_PER_CONSTANT, .constant_length = 1};
    float dlogp[POLICY_OUTPUTS][POLICY_LONGEST];
    size_t capped = 0;
    policy_library(&desc, &b, true, dlogp);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b.n[i]; t++) {
            double r = policy_ratio(&b, i, t), a = b.advantage[i];
            bool live, dual;
            double value = policy_clip(r, a, 0.2, 0.2, &live); // Ye et al.: max(min(...), c A)
            dual = a < 0 && value < 3 * a;
            capped += dual;
            CHECK_NEAR((double)dlogp[i][t], live && !dual ? -r * a / POLICY_OUTPUTS : 0, 1e-6);
        }
    CHECK(capped > 2);
}
// DeepSeekMath, equation 20: where the policy is the one that drew, the coefficient of the gradient
// of log pi is A + beta (pi_ref / pi - 1).
TEST(policy_gradient_coefficient_of_deepseekmath) {
    policy_batch b = policy_make(6, 0);
    r1_policy_desc desc = {.kl = R1_KL_K3, .kl_weight = 0.04, .clip_low = 10, .clip_high = 10};
    float dlogp[POLICY_OUTPUTS][POLICY_LONGEST];
    r1_policy_sums sums = policy_library(&desc, &b, true, dlogp);
    CHECK(sums.ratio_error == 0 && sums.clipped == 0);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b.n[i]; t++) {
            double quotient = exp((double)b.reference[i][t] - (double)b.logp[i][t]);
            double coefficient = b.advantage[i] + 0.04 * (quotient - 1);
            CHECK_NEAR(-(double)dlogp[i][t] * POLICY_OUTPUTS * (double)b.n[i], coefficient,
                       2e-6 * (1 + fabs(coefficient)));
        }
    for (int i = 0; i < POLICY_OUTPUTS; i++) b.reward[i] = 1; // and equal rewards leave nothing
    desc.kl = R1_KL_NONE;
    sums = policy_library(&desc, &b, true, dlogp);
    CHECK(sums.loss == 0);
    for (int i = 0; i < POLICY_OUTPUTS; i++)
        for (size_t t = 0; t < b.n[i]; t++) CHECK(dlogp[i][t] == 0);
}
// The weights make the loss a sum, so that parts of a batch add up to the whole.
TEST(policy_weights_do_not_see_splits) {
    static const r1_aggregation kinds[] = {R1_PER_OUTPUT, R1_PER_TOKEN, R1_PER_CONSTANT};
    for (int k = 0; k < 3; k++) {
        size_t n[] = {3, 1, 8, 5, 0, 2};
        bool included[] = {true, false, true, true, true, true};
        double weights[6], sum = 0, outputs = 4, tokens = 18;
        r1_policy_desc desc = {.aggregation = kinds[k]};
        r1_policy_weights(&desc, n, included, 6, 40, weights);
        for (int i = 0; i < 6; i++) {
            double want = k == 0   ? 1 / (outputs * (double)n[i])
                          : k == 1 ? 1 / tokens
                                   : 1 / (outputs * 40);
            CHECK_NEAR(weights[i], included[i] && n[i] ? want : 0, 1e-15);
            sum += weights[i] * (double)n[i];
        }
        CHECK_NEAR(sum, k == 2 ? tokens / outputs / 40 : 1, 1e-15);
        desc.constant_length = 5;
        r1_policy_weights(&desc, n, included, 6, 40, weights);
        CHECK_NEAR(weights[0], k == 0 ? 1.0 / 12 : k == 1 ? 1.0 / 18 : 1.0 / 20, 1e-15);
        memset(included, 0, sizeof included); // nothing at all is no division by zero
        r1_policy_weights(&desc, n, included, 6, 40, weights);
        for (int i = 0; i < 6; i++) CHECK(weights[i] == 0);
    }
    policy_batch b = policy_make(9, 1);
    float whole[POLICY_OUTPUTS][POLICY_LONGEST], part[POLICY_LONGEST];
    r1_policy_desc desc = {.kl = R1_KL_K3, .kl_weight = 0.1};
    r1_policy_sums all = policy_library(&desc, &b, true, whole), halves[2] = {{0}};
    for (int j = 0; j < POLICY_OUTPUTS; j++) {
        int i = (j * 5 + 3) % POLICY_OUTPUTS; // in another order, in two sums
        r1_policy_sample s = {.n = b.n[i],
                              .logp = b.logp[i],
                              .sampled = b.sampled[i],
                              .reference = b.reference[i],
                              .advantage = b.advantage[i],
                              .weight = 1.0 / POLICY_OUTPUTS / (double)b.n[i]};
        r1_policy_loss(&desc, &s, part, &halves[j % 2]);
        for (size_t t = 0; t < b.n[i]; t++) CHECK_NEAR((double)part[t], (double)whole[i][t], 1e-9);
    }
    CHECK_NEAR(halves[0].loss + halves[1].loss, all.loss, 1e-12);
    CHECK_NEAR(halves[0].kl + halves[1].kl, all.kl, 1e-9);
    CHECK(halves[0].tokens + halves[1].tokens == all.tokens);
    CHECK(halves[0].clipped + halves[1].clipped == all.clipped);
    CHECK(fmax(halves[0].ratio_error, halves[1].ratio_error) == all.ratio_error);
}

// ---- published numbers ----
static r1_policy_sums policy_tokens_alone(const r1_policy_desc *desc, const float *logp,
                                          const float *sampled, const float *reference,
                                          const double *advantage, double *per_token) {
    r1_policy_sums sums = {0};
    for (size_t t = 0; t < 3;
         t++) { // one output of one token each, since advantages are per output
        float dlogp;
        double before = sums.loss;
        r1_policy_sample s = {.n = 1,
                              .logp = logp + t,
                              .sampled = sampled + t,
                              .reference = reference ? reference + t : NULL,
                              .advantage = advantage[t],
                              .weight = 1.0 / 3};
        r1_policy_loss(desc, &s, &dlogp, &sums);
        per_token[t] = 3 * (sums.loss - before);
    }
    return sums;
}
// Source of both: NVIDIA-NeMo/RL, tests/unit/algorithms/test_loss_functions.py.
TEST(policy_facts_of_nemo) {
    static const float one[] = {-1, -1, -1}, clip[] = {-1.69315f, -1, -0.59453f},
                       kl[] = {0, -1, -2};
    static const double advantages[] = {1, -1, 2}, zero[3] = {0}, want[] = {-0.5, 1, -2.4};
    static const double want_kl[] = {0.368, 0, 0.718};
    double got[3];
    r1_policy_desc desc = {.aggregation = R1_PER_TOKEN, .clip_low = 0.2, .clip_high = 0.2};
    r1_policy_sums sums = policy_tokens_alone(&desc, clip, one, NULL, advantages, got);
    CHECK_NEAR(sums.loss, -0.6333, 1e-3);
    CHECK_EQUAL_SIZE(sums.clipped, 1); // the first ratio is below the bound, but its gain counts
    for (int t = 0; t < 3; t++) CHECK_NEAR(got[t], want[t], 1e-3);
    desc.kl = R1_KL_K3, desc.kl_weight = 0.1;
    sums = policy_tokens_alone(&desc, kl, kl, one, zero, got);
    CHECK_NEAR(sums.loss, 0.0362, 1e-4);
    CHECK_NEAR(sums.kl / 3, 0.362, 1e-3);
    for (int t = 0; t < 3; t++) CHECK_NEAR(got[t], 0.1 * want_kl[t], 1e-4);
}
// A mask that keeps the most uncertain tokens is a callback, not a flag.
typedef struct policy_mask {
    const double (*entropy)[6];
    const int *n;
    double threshold; // quantile
} policy_mask;
static double policy_mask_weight(void *user, size_t sample, size_t t) {
    const policy_mask *mask = (const policy_mask *)user;
    double sorted[12];
    int n = 0;
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < mask->n[s]; i++) {
            int at = n++;
            for (; at > 0 && sorted[at - 1] > mask->entropy[s][i]; at--)
                sorted[at] = sorted[at - 1];
            sorted[at] = mask->entropy[s][i];
        }
    double place = mask->threshold * (n - 1), below = floor(place);
    int low = (int)below, high = low + 1 < n ? low + 1 : low;
    double bound = sorted[low] + (place - below) * (sorted[high] - sorted[low]);
    return mask->entropy[sample][t] >= bound ? 1 : 0;
}
// Source: huggingface/trl, tests/test_grpo_trainer.py, test_compute_entropy_mask_0 and threshold_1.
TEST(policy_facts_of_trl) {
    static const double entropy[2][6] = {{0.1, 0.2, 0.3, 0.4, 0.5, 0.6},
                                         {0.7, 0.8, 0.9, 1.0, 1.1, 1.2}};
    static const int n[] = {6, 4};
    static const int want[2][2][6] = {{{0}, {0, 0, 1, 1}}, {{0}, {0, 0, 0, 1}}};
    for (int k = 0; k < 2; k++)
        for (size_t s = 0; s < 2; s++) {
            policy_mask mask = {entropy, n, k ? 1.0 : 0.8};
            r1_policy_desc desc = {.token_weight = policy_mask_weight, .user = &mask};
            float logp[6] = {-1, -1, -1, -1, -1, -1}, dlogp[6];
            r1_policy_sums sums = {0};
            r1_policy_sample sample = {.n = (size_t)n[s],
                                       .logp = logp,
                                       .sampled = logp,
                                       .advantage = 2,
                                       .weight = 0.25,
                                       .number = s};
            r1_policy_loss(&desc, &sample, dlogp, &sums);
            double total = 0;
            for (int t = 0; t < n[s]; t++) {
                CHECK_NEAR((double)dlogp[t], -0.5 * want[k][s][t], 1e-7);
                total += want[k][s][t];
            }
            CHECK_NEAR(sums.loss, -0.5 * total, 1e-12);
        }
}
// Source: stanford-cs336/assignment1-basics, test_get_lr_cosine_schedule.
TEST(policy_schedule_of_cs336) {
    static const double want[25] = {0,           0.142857143, 0.285714286, 0.428571429, 0.571428571,
                                    0.714285714, 0.857142857, 1,           0.98871756,  0.955435991,
                                    0.901824167, 0.830570411, 0.745247683, 0.65013442,  0.55,
                                    0.44986558,  0.354752317, 0.269429589, 0.198175833, 0.144564009,
                                    0.11128244,  0.1,         0.1,         0.1,         0.1};
    r1_schedule schedule = {R1_COSINE, 1, 0.1, 7, 7, 21};
    for (uint64_t step = 0; step < 25; step++)
        CHECK_NEAR(r1_schedule_value(&schedule, step), want[step], 1e-9);
    schedule = (r1_schedule){R1_LINEAR, 2, 0.5, 2, 4, 8};
    static const double linear[] = {0, 1, 2, 2, 2, 1.75, 1.5, 1.25, 1, 1};
    for (uint64_t step = 0; step < 10; step++)
        CHECK_NEAR(r1_schedule_value(&schedule, step), linear[step], 1e-12);
    schedule = (r1_schedule){.peak = 3};
    CHECK(r1_schedule_value(&schedule, 0) == 3 && r1_schedule_value(&schedule, 1000) == 3);
}

// ---- cases from a file ----
// The numbers of one array of a case, flattened.
static size_t policy_numbers(const r1_json *node, double *out, size_t n) {
    if (node->kind == R1_JSON_NUMBER) {
        out[n] = node->number;
        return n + 1;
    }
    for (const r1_json *child = node->child; child; child = child->next)
        n = policy_numbers(child, out, n);
    return n;
}
static double *policy_array(const r1_json *root, const char *part, const char *name, size_t n) {
    const r1_json *data = r1_json_find(r1_json_find(r1_json_find(root, part), name), "data");
    double *out = (double *)test_keep(100000, sizeof *out);
    CHECK(data && out);
    CHECK_EQUAL_SIZE(policy_numbers(data, out, 0), n);
    return out;
}
static void policy_adamw_case(r1_context *ctx, const r1_json *root) {
    double *start = policy_array(root, "inputs", "W0", 6),
           *x = policy_array(root, "inputs", "x", 3000);
    double *want = policy_array(root, "expected", "array", 6);
    float w[16] = {0}, g[16] = {0}, m[16] = {0}, v[16] = {0};
    r1_range range = {w, g, m, v, 6, true};
    r1_adamw_desc desc = {.beta1 = 0.9, .beta2 = 0.999, .decay = 0.01, .clip_norm = R1_OFF};
    for (int i = 0; i < 6; i++) w[i] = (float)start[i];
    for (uint64_t step = 0; step < 1000; step++) {
        const double *at = x + 3 * step, y[2] = {at[0] + at[1], -at[2]};
        for (int o = 0; o < 2; o++) {
            double error = -y[o];
            for (int i = 0; i < 3; i++) error += (double)w[o * 3 + i] * at[i];
            for (int i = 0; i < 3; i++) g[o * 3 + i] = (float)(2 * error * at[i]);
        }
        r1_adamw_step(ctx, &range, 1, &desc, 1e-3, step + 1);
    }
    for (int i = 0; i < 6; i++) CHECK_NEAR((double)w[i], want[i], 1e-3);
}
// Attention without a mask is attention of the last row of a sequence: each query gets its own.
static void policy_attention_case(r1_context *ctx, const r1_json *root, size_t A, size_t T,
                                  size_t D, const r1_json *mask) {
    double *in[3], *want = policy_array(root, "expected", "array", A * T * D);
    static const char *const names[] = {"q", "k", "v"};
    double *allowed = (double *)test_keep(A * T * T + 1, sizeof *allowed);
    size_t per = T; // rows of k and v of a head
    CHECK(allowed);
    for (int i = 0; i < 3; i++) {
        const r1_json *data =
            r1_json_find(r1_json_find(r1_json_find(root, "inputs"), names[i]), "data");
        in[i] = (double *)test_keep(100000, sizeof(double));
        CHECK(data && in[i]);
        size_t n = policy_numbers(data, in[i], 0);
        if (i) per = n / (A * D);
    }
    const r1_json *bits = r1_json_find(mask, "data");
    bool masked = bits != NULL;
    size_t n_mask = 0;
    if (masked) {
        allowed = (double *)test_keep(100000, sizeof *allowed);
        CHECK(allowed);
        for (const r1_json *head = bits->child; head; head = head->next)
            for (const r1_json *row = head->child; row; row = row->next)
                for (const r1_json *bit = row->child; bit; bit = bit->next)
                    allowed[n_mask++] = bit->kind == R1_JSON_BOOL ? bit->boolean : bit->number;
        CHECK_EQUAL_SIZE(n_mask, A * T * per);
    }
    for (size_t a = 0; a < A; a++)
        for (size_t t = 0; t < T; t++) {
            size_t n = 0, starts[2] = {0, 0};
            r1_step_begin(ctx);
            r1_tensor *x[3];
            for (int i = 0; i < 3; i++) x[i] = r1_tensor_new(ctx, 3, (size_t[]){per, 1, D});
            for (size_t j = 0; j < per; j++) {
                if (masked && allowed[(a * T + t) * per + j] == 0) continue;
                for (size_t d = 0; d < D; d++) {
                    x[0]->data[n * D + d] = (float)in[0][(a * T + t) * D + d];
                    x[1]->data[n * D + d] = (float)in[1][(a * per + j) * D + d];
                    x[2]->data[n * D + d] = (float)in[2][(a * per + j) * D + d];
                }
                n++;
            }
            for (int i = 0; i < 3; i++)
                x[i] = r1_tensor_reshape(ctx, x[i], 3, (size_t[]){per, 1, D});
            starts[1] = per; // rows behind n stay zero and are never looked at by row n - 1
            r1_tensor *y = r1_attention(ctx, x[0], x[1], x[2], starts, 1, 1 / sqrt((double)D));
            CHECK(y && n);
            for (size_t d = 0; d < D; d++)
                CHECK_NEAR((double)y->data[(n - 1) * D + d], want[(a * T + t) * D + d], 1e-5);
            r1_step_end(ctx);
        }
}
TEST(policy_numeric_cases) {
    const char *path = test_data("numeric_cases.jsonl.gz");
    char command[1200];
    static char line[1 << 21];
    int seen = 0;
    snprintf(command, sizeof command, "gzip -dc '%s' 2>/dev/null", path);
    FILE *pipe = popen(command, "r");
    r1_context *ctx = r1_context_new(NULL);
    while (pipe && fgets(line, sizeof line, pipe)) {
        r1_json *root = r1_json_read(ctx, line, strlen(line));
        if (!root) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
        r1_slice name = r1_json_text(r1_json_find(root, "name"));
        printf("%s\n", name.data);
        seen++;
        if (!strcmp(name.data, "test_adamw"))
            policy_adamw_case(ctx, root);
        else if (!strcmp(name.data, "test_scaled_dot_product_attention"))
            policy_attention_case(ctx, root, 4, 12, 64,
                                  r1_json_find(r1_json_find(root, "inputs"), "mask"));
        else if (strcmp(name.data, "test_get_lr_cosine_schedule"))
            test_stop(TEST_FAILED, "unknown case %s", name.data);
        r1_json_free(ctx, root);
    }
    if (pipe) pclose(pipe);
    if (!seen) SKIP("gzip: not installed");
    CHECK_EQUAL_SIZE((size_t)seen, 3);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_context_free(ctx);
}

// ---- the exact gradient ----
// A policy that can be enumerated: two tokens out of three, logits theta[0] for the first and
// theta[1 + first] for the second. Its twelve parameters have an exact gradient of the mean reward.
enum { TABLE_V = 3, TABLE_TEXTS = 9, TABLE_SIZE = 12 };
typedef struct table_policy {
    double logits[4][TABLE_V], logp[4][TABLE_V], rewards[TABLE_TEXTS];
} table_policy;

static table_policy table_make(void) {
    table_policy t = {{{0.3, -0.4, 0.9}, {1, 0, -1}, {-0.2, 0.5, 0.1}, {0.7, 0.7, -1.5}},
                      {{0}},
                      {1, 0, 0.5, -1, 2, 0, 0, 1, 0.25}};
    for (int r = 0; r < 4; r++) {
        double sum = 0;
        for (int v = 0; v < TABLE_V; v++) sum += exp(t.logits[r][v]);
        for (int v = 0; v < TABLE_V; v++) t.logp[r][v] = t.logits[r][v] - log(sum);
    }
    return t;
}
static double table_probability(const table_policy *t, int text) {
    return exp(t->logp[0][text / 3] + t->logp[1 + text / 3][text % 3]);
}
// Adds weight[k] * gradient of the log-probability of token k of a text.
static void table_add(const table_policy *t, int text, const double weight[2], double *grad) {
    for (int k = 0; k < 2; k++) {
        int row = k ? 1 + text / 3 : 0, token = k ? text % 3 : text / 3;
        for (int v = 0; v < TABLE_V; v++)
            grad[row * TABLE_V + v] += weight[k] * ((v == token) - exp(t->logp[row][v]));
    }
}
static void table_exact(const table_policy *t, double *grad) {
    memset(grad, 0, TABLE_SIZE * sizeof *grad);
    for (int text = 0; text < TABLE_TEXTS; text++) {
        double w = table_probability(t, text) * t->rewards[text];
        table_add(t, text, (double[]){w, w}, grad);
    }
}
// Minus the gradient of the library's loss for one group of texts.
static void table_group(const table_policy *t, const r1_policy_desc *desc, const int *texts,
                        size_t G, double *grad) {
    double rewards[8] = {0}, advantages[8], weights[8];
    size_t n[8] = {0};
    bool included[8] = {false};
    for (size_t i = 0; i < G; i++) rewards[i] = t->rewards[texts[i]], n[i] = 2, included[i] = true;
    r1_advantages(desc, 1, G, rewards, NULL, advantages);
    r1_policy_weights(desc, n, included, G, 2, weights);
    memset(grad, 0, TABLE_SIZE * sizeof *grad);
    for (size_t i = 0; i < G; i++) {
        int first = texts[i] / 3, second = texts[i] % 3;
        float logp[2] = {(float)t->logp[0][first], (float)t->logp[1 + first][second]}, dlogp[2];
        r1_policy_sample s = {.n = 2,
                              .logp = logp,
                              .sampled = logp,
                              .advantage = advantages[i],
                              .weight = weights[i]};
        r1_policy_loss(desc, &s, dlogp, NULL);
        table_add(t, texts[i], (double[]){-(double)dlogp[0], -(double)dlogp[1]}, grad);
    }
}
static r1_policy_desc table_desc(bool leave_out, bool clipped) {
    return (r1_policy_desc){.aggregation = R1_PER_CONSTANT,
                            .constant_length = 1,
                            .advantage = leave_out ? R1_ADVANTAGE_LEAVE_OUT : R1_ADVANTAGE_MEAN,
                            .objective = clipped ? R1_CLIPPED : R1_REINFORCE};
}
// All groups of three, weighted by their probability: no noise at all. With the group mean as
// baseline the expectation is short by (G - 1) / G; leaving the own reward out mends that.
TEST(policy_expected_gradient_is_exact) {
    table_policy t = table_make();
    double want[TABLE_SIZE];
    table_exact(&t, want);
    for (int kind = 0; kind < 4; kind++) {
        r1_policy_desc desc = table_desc(kind & 1, kind & 2);
        double sum[TABLE_SIZE] = {0}, grad[TABLE_SIZE];
        for (int k = 0; k < 729; k++) {
            int texts[3] = {k / 81, k / 9 % 9, k % 9};
            double p = 1;
            for (int i = 0; i < 3; i++) p *= table_probability(&t, texts[i]);
            table_group(&t, &desc, texts, 3, grad);
            for (int j = 0; j < TABLE_SIZE; j++) sum[j] += p * grad[j];
        }
        for (int j = 0; j < TABLE_SIZE; j++)
            CHECK_NEAR(sum[j], kind & 1 ? want[j] : want[j] * 2 / 3, 1e-7);
    }
}
// The mean over drawn groups is within three standard errors of the exact gradient, in every
// parameter.
TEST(policy_expected_gradient_by_monte_carlo) {
    enum { G = 4, GROUPS = 20000 };
    table_policy t = table_make();
    double want[TABLE_SIZE];
    table_exact(&t, want);
    for (int kind = 0; kind < 4; kind++) {
        r1_policy_desc desc = table_desc(kind & 1, kind & 2);
        double sum[TABLE_SIZE] = {0}, square[TABLE_SIZE] = {0}, grad[TABLE_SIZE];
        r1_random at = {.seed = 77, .stream = R1_STREAM_USER, .sample = (uint32_t)kind};
        for (int g = 0; g < GROUPS; g++) {
            int texts[G];
            for (int i = 0; i < G; i++) {
                double u = (double)r1_random_unit(&at);
                for (texts[i] = 0; texts[i] < 8 && (u -= table_probability(&t, texts[i])) > 0;)
                    texts[i]++;
            }
            table_group(&t, &desc, texts, G, grad);
            for (int j = 0; j < TABLE_SIZE; j++) sum[j] += grad[j], square[j] += grad[j] * grad[j];
        }
        for (int j = 0; j < TABLE_SIZE; j++) {
            double mean = sum[j] / GROUPS,
                   error = sqrt((square[j] / GROUPS - mean * mean) / GROUPS);
            double exact = kind & 1 ? want[j] : want[j] * (G - 1) / G;
            printf("%d %2d: %9.5f, exact %9.5f, %5.2f errors\n", kind, j, mean, exact,
                   (mean - exact) / error);
            CHECK_NEAR(mean, exact, 3 * error);
        }
    }
}
// Expected over the policy, the k2 term in the loss is the gradient of KL(policy || reference), the
// k3 term that of KL(reference || policy), and k1 gives nothing.
TEST(policy_expected_kl_gradients) {
    static const double policy[] = {0.2, 0.5, 0.3}, reference[] = {0.6, 0.15, 0.25};
    for (int kind = R1_KL_K1; kind <= R1_KL_K3; kind++) {
        double got[3] = {0}, kl = 0;
        for (int v = 0; v < 3; v++) kl += policy[v] * log(policy[v] / reference[v]);
        for (int a = 0; a < 3; a++) {
            r1_policy_desc desc = {.kl = (r1_kl_kind)kind, .kl_weight = 1};
            float logp = (float)log(policy[a]), ref = (float)log(reference[a]), dlogp;
            r1_policy_sample s = {
                .n = 1, .logp = &logp, .sampled = &logp, .reference = &ref, .weight = 1};
            r1_policy_loss(&desc, &s, &dlogp, NULL);
            for (int v = 0; v < 3; v++)
                got[v] += policy[a] * (double)dlogp * ((v == a) - policy[v]);
        }
        for (int v = 0; v < 3; v++) {
            double reverse = policy[v] * (log(policy[v] / reference[v]) - kl);
            double forward = policy[v] - reference[v];
            CHECK_NEAR(got[v], kind == R1_KL_K1 ? 0 : kind == R1_KL_K2 ? reverse : forward, 1e-6);
        }
    }
}

// ---- the same through a model, its sampler and its backward pass ----
typedef struct policy_small {
    r1_context *ctx;
    r1_model *model;
    size_t floats;
} policy_small;
static policy_small policy_small_make(void) {
    policy_small s = {.ctx = r1_context_new(&(r1_context_desc){.seed = 31, .threads = 1})};
    r1_model_config config = {.vocab = 3,
                              .width = 8,
                              .layers = 1,
                              .heads = 2,
                              .max_tokens = 4,
                              .attention = R1_GQA,
                              .dense_width = 8};
    s.model = r1_model_new(s.ctx, &config);
    if (!s.model) test_stop(TEST_FAILED, "%s", r1_message_of(s.ctx));
    r1_tensor *head = r1_model_head(s.model);
    for (size_t i = 0; i < r1_tensor_count(head); i++) head->data[i] *= 8;
    size_t n;
    r1_range *ranges = r1_model_ranges(s.model, &n);
    for (size_t r = 0; r < n; r++) s.floats += ranges[r].n;
    return s;
}
// Gradient of weight[0] * logp(first) + weight[1] * logp(second) into grad, logp as well.
static void policy_small_gradient(const policy_small *s, int text, const float *weight, float *logp,
                                  double *grad) {
    int32_t tokens[2] = {1, text / 3}, targets[2] = {text / 3, text % 3};
    size_t starts[2] = {0, 2}, n, at = 0;
    r1_range *ranges = r1_model_ranges(s->model, &n);
    r1_batch batch = {.tokens = tokens, .starts = starts, .B = 1};
    CHECK(r1_model_train_ready(s->model) == R1_OK);
    for (size_t r = 0; r < n; r++) memset(ranges[r].g, 0, ranges[r].n * sizeof(float));
    r1_step_begin(s->ctx);
    r1_logprobs *out =
        r1_logprob(s->ctx, r1_model_forward(s->model, &batch), r1_model_head(s->model), targets, 1);
    CHECK(out);
    memcpy(logp, out->logp->data, 2 * sizeof *logp);
    r1_backward_from(s->ctx, out->logp, weight);
    r1_step_end(s->ctx);
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < ranges[r].n; i++) grad[at++] = (double)ranges[r].g[i];
}
TEST(policy_expected_gradient_through_the_sampler) {
    enum { G = 4, GROUPS = 3000 };
    policy_small s = policy_small_make();
    table_policy t = table_make(); // for its rewards
    double *jacobian[9][2], *want = (double *)test_keep(s.floats, sizeof *want), total = 0;
    double *sum = (double *)test_keep(s.floats, sizeof *sum),
           *square = (double *)test_keep(s.floats, sizeof *sum);
    float logp[9][2];
    CHECK(want && sum && square);
    for (int text = 0; text < 9; text++)
        for (int k = 0; k < 2; k++) {
            jacobian[text][k] = (double *)test_keep(s.floats, sizeof(double));
            CHECK(jacobian[text][k]);
            policy_small_gradient(&s, text, k ? (float[]){0, 1} : (float[]){1, 0}, logp[text],
                                  jacobian[text][k]);
        }
    for (int text = 0; text < 9; text++) {
        double p = exp((double)logp[text][0] + (double)logp[text][1]);
        total += p;
        for (size_t i = 0; i < s.floats; i++)
            want[i] += p * t.rewards[text] * (jacobian[text][0][i] + jacobian[text][1][i]);
    }
    CHECK_NEAR(total, 1, 1e-6);
    r1_rollout *rollout = r1_rollout_new(s.ctx);
    int32_t one = 1;
    r1_prompt *prompts = (r1_prompt *)test_keep(GROUPS, sizeof *prompts);
    r1_generate_desc generate = {.max_new = 2};
    r1_policy_desc desc = table_desc(true, true);
    CHECK(prompts);
    for (uint32_t g = 0; g < GROUPS; g++) prompts[g] = (r1_prompt){&one, 1, g};
    CHECK(r1_generate(s.model, rollout, prompts, GROUPS, G, &generate) == R1_OK);
    for (size_t g = 0; g < GROUPS; g++) {
        double rewards[G], advantages[G], coefficient[9][2] = {{0}};
        for (size_t i = 0; i < G; i++) {
            const r1_sample *a = &rollout->samples[g * G + i];
            rewards[i] = t.rewards[a->tokens[1] * 3 + a->tokens[2]];
        }
        r1_advantages(&desc, 1, G, rewards, NULL, advantages);
        for (size_t i = 0; i < G; i++) {
            const r1_sample *a = &rollout->samples[g * G + i];
            int text = a->tokens[1] * 3 + a->tokens[2];
            float dlogp[2];
            CHECK(memcmp(a->logp + 1, logp[text], sizeof logp[text]) == 0);
            r1_policy_sample sample = {.n = 2,
                                       .logp = logp[text],
                                       .sampled = a->logp + 1,
                                       .advantage = advantages[i],
                                       .weight = 1.0 / G};
            r1_policy_loss(&desc, &sample, dlogp, NULL);
            for (int k = 0; k < 2; k++) coefficient[text][k] -= (double)dlogp[k];
        }
        for (size_t i = 0; i < s.floats; i++) {
            double x = 0;
            for (int text = 0; text < 9; text++)
                x += coefficient[text][0] * jacobian[text][0][i] +
                     coefficient[text][1] * jacobian[text][1][i];
            sum[i] += x, square[i] += x * x;
        }
    }
    double worst = 0, chi = 0, counted = 0;
    for (size_t i = 0; i < s.floats; i++) {
        double mean = sum[i] / GROUPS,
               error = sqrt(fmax(0, square[i] / GROUPS - mean * mean) / GROUPS);
        double off = error > 1e-9 ? fabs(mean - want[i]) / error : 0;
        CHECK(error > 1e-9 || fabs(mean - want[i]) < 1e-6);
        worst = fmax(worst, off), chi += off * off, counted += error > 1e-9;
    }
    printf("%g parameters, mean square %.2f, worst %.2f standard errors\n", counted, chi / counted,
           worst);
    CHECK(worst < 3 && counted > 100); // they all depend on six numbers, so none may be far off
    r1_context_free(s.ctx);
}
