// Tests of the rooms [kernel], [simd], [backend], [tensor], [tape] and [optimizer] in float: every
// op against double, every CPU level and thread count against the scalar code bit for bit.
#include "golden.h"
#include "op_cases.h"

// What a case computed: output, kept results, gradients.
typedef struct ops_bytes {
    char *data;
    size_t size, capacity;
} ops_bytes;
static void ops_append(ops_bytes *to, const void *data, size_t bytes) {
    if (to->size + bytes > to->capacity) {
        to->capacity = 2 * (to->size + bytes);
        to->data = (char *)realloc(to->data, to->capacity);
        CHECK(to->data);
    }
    if (bytes) memcpy(to->data + to->size, data, bytes);
    to->size += bytes;
}
enum { OPS_GUARD = 300, OPS_PLAIN = 0, OPS_GUARDED = 1 };
// n floats with NaN before and behind them.
static float *ops_guarded(const float *from, size_t n) {
    float *memory = (float *)malloc((n + 2 * OPS_GUARD) * sizeof *memory);
    CHECK(memory);
    for (size_t i = 0; i < n + 2 * OPS_GUARD; i++) memory[i] = NAN;
    if (n) memcpy(memory + OPS_GUARD, from, n * sizeof *from);
    return memory + OPS_GUARD;
}
static bool ops_guard_intact(const float *data, size_t n) {
    bool intact = true;
    for (size_t i = 1; i <= OPS_GUARD; i++)
        intact = intact && isnan(*(data - i)) && isnan(data[n + i - 1]);
    return intact;
}
static void ops_guard_parameters(r1_context *ctx, op_run *run) {
    for (size_t p = 0; p < run->n; p++) {
        size_t n = r1_tensor_count(run->p[p]);
        run->p[p]->data = ops_guarded(run->p[p]->data, n);
        run->p[p]->grad = ops_guarded(run->p[p]->grad, n);
    }
    for (int w = 0; w < ctx->threads; w++)
        if (ctx->scratch[w])
            memset(ctx->scratch[w], 0xff, ctx->scratch_bytes); // NaN in every float
}
// The largest number of pieces that an op of the tape was cut into.
static size_t ops_pieces(r1_context *ctx, r1_op op) {
    size_t most = 0;
    for (size_t i = 0; ctx->tape && i < ctx->tape->count; i++) {
        const r1i_record *record = &ctx->tape->records[i];
        for (int d = 0; d < R1_DIRECTION_COUNT && record->op == op; d++) {
            r1i_plan plan = r1i_op_rows[op].plan(record->args, (r1_direction)d);
            size_t pieces = (plan.units + plan.grain - 1) / plan.grain;
            most = pieces > most ? pieces : most;
        }
    }
    return most;
}
// Runs a case forward and backward. Gradients start from other numbers than 0, because they add.
static ops_bytes ops_run(const op_case *what, r1_cpu_level level, int threads, int mode,
                         size_t *pieces) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = threads, .cpu_level = level});
    op_run run = {.what = what};
    ops_bytes out = {0};
    for (int pass = 0; pass < 1 + (mode == OPS_GUARDED); pass++) {
        r1_step_begin(ctx);
        if (pass) ops_guard_parameters(ctx, &run);
        out.size = 0, run.kept_n = 0;
        r1_tensor *y = what->build(ctx, &run, what->n);
        if (!y) test_stop(TEST_FAILED, "%s: %s", op_case_text(what), r1_message_of(ctx));
        for (size_t p = 0; p < run.n; p++) {
            r1_tensor grad = *run.p[p];
            grad.data = grad.grad;
            op_fill(&grad, 3000 + (uint32_t)p);
        }
        r1_tensor *dy = r1_tensor_new(ctx, y->rank, y->shape);
        op_fill(dy, 2000);
        r1_backward_from(ctx, y, dy->data);
        CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
        if (pieces) *pieces = ops_pieces(ctx, what->op);
        ops_append(&out, y->data, r1_tensor_count(y) * sizeof(float));
        for (size_t k = 0; k < run.kept_n; k++)
            ops_append(&out, run.kept[k].data, run.kept[k].bytes);
        for (size_t p = 0; p < run.n; p++)
            ops_append(&out, run.p[p]->grad, r1_tensor_count(run.p[p]) * sizeof(float));
        r1_step_end(ctx);
    }
    for (size_t p = 0; p < run.n && mode == OPS_GUARDED; p++) {
        CHECK(ops_guard_intact(run.p[p]->data, r1_tensor_count(run.p[p])));
        CHECK(ops_guard_intact(run.p[p]->grad, r1_tensor_count(run.p[p])));
        free(run.p[p]->data - OPS_GUARD), free(run.p[p]->grad - OPS_GUARD);
    }
    free(run.ids);
    r1_context_free(ctx);
    return out;
}
static void ops_same(const op_case *what, const ops_bytes *a, ops_bytes b, const char *how, int k) {
    size_t at = 0;
    CHECK_EQUAL_SIZE(b.size, a->size);
    while (at < a->size && a->data[at] == b.data[at]) at++;
    if (at < a->size)
        test_stop(TEST_FAILED, "%s: %s %d differs from scalar at float %zu of %zu",
                  op_case_text(what), how, k, at / sizeof(float), a->size / sizeof(float));
    free(b.data);
}

TEST(ops_levels_are_bitwise_scalar) {
    for (size_t i = 0; i < OP_CASES; i++) {
        ops_bytes scalar = ops_run(&op_cases[i], R1_CPU_SCALAR, 1, OPS_PLAIN, NULL);
        for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++)
            ops_same(&op_cases[i], &scalar,
                     ops_run(&op_cases[i], (r1_cpu_level)level, 1, OPS_PLAIN, NULL), "level",
                     level);
        free(scalar.data);
    }
}
// What lies behind an operand, behind a gradient or in the scratch memory is never read or written.
TEST(ops_garbage_does_not_leak) {
    for (size_t i = 0; i < OP_CASES; i++) {
        ops_bytes clean = ops_run(&op_cases[i], R1_CPU_SCALAR, 1, OPS_PLAIN, NULL);
        for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++)
            ops_same(&op_cases[i], &clean,
                     ops_run(&op_cases[i], (r1_cpu_level)level, 1, OPS_GUARDED, NULL),
                     "with garbage around, level", level);
        free(clean.data);
    }
}

// Sizes that are cut into several pieces.
static const op_case ops_big[] = {
    {R1_OP_EMBED, "embed", op_embed, {600, 17, 513}},
    {R1_OP_MATMUL, "matmul", op_matmul, {300, 33, 300, 1}},
    {R1_OP_MATMUL, "matmul, long", op_matmul, {7, 1100, 35, 0}},
    {R1_OP_HEAD_MATMUL, "head_matmul up", op_head, {300, 3, 20, 33, 1, 17, 1}},
    {R1_OP_HEAD_MATMUL, "head_matmul down", op_head, {300, 3, 20, 33, 1, 17, 0}},
    {R1_OP_EXPERT_MATMUL, "expert_matmul", op_expert, {400, 33, 65, 9, 2}},
    {R1_OP_ADD, "add", op_add, {600, 513, 0}},
    {R1_OP_MUL, "mul", op_mul, {600, 513, 0}},
    {R1_OP_SUM, "sum", op_sum, {600, 513}},
    {R1_OP_SLICE, "slice", op_slice, {600, 600, 1, 513}},
    {R1_OP_JOIN, "join", op_join, {600, 9, 33, 33, 1}},
    {R1_OP_RMSNORM, "rmsnorm", op_rmsnorm, {600, 513}},
    {R1_OP_ROPE, "rope", op_rope, {600, 9, 34, 0}},
    {R1_OP_SWIGLU, "swiglu", op_swiglu, {100, 513}},
    {R1_OP_ATTENTION, "attention", op_attention, {EIGHT, 4, 2, 17, 33}},
    {R1_OP_ROUTE, "route", op_route, {600, 65, 3, 5, 2, NORMALISE}},
    {R1_OP_DISPATCH, "dispatch", op_dispatch, {600, 9, 3, 170}},
    {R1_OP_COMBINE, "combine", op_combine, {600, 9, 3, 170}},
    {R1_OP_BALANCE, "balance", op_balance, {MANY, 65, 3}},
    {R1_OP_LOGPROB, "logprob", op_logprob, {200, 33, 300}},
};
TEST(ops_threads_do_not_show) {
    static const int threads[] = {1, 2, 3, 8};
    bool cut[R1_OP_COUNT] = {false};
    for (size_t i = 0; i < sizeof ops_big / sizeof ops_big[0]; i++) {
        size_t pieces = 0;
        ops_bytes scalar = ops_run(&ops_big[i], R1_CPU_SCALAR, 1, OPS_PLAIN, &pieces);
        cut[ops_big[i].op] = cut[ops_big[i].op] || pieces > 1;
        for (int k = 0; k < 4; k++)
            ops_same(&ops_big[i], &scalar,
                     ops_run(&ops_big[i], r1_cpu_best(), threads[k], OPS_PLAIN, NULL), "threads",
                     threads[k]);
        free(scalar.data);
    }
    for (int op = 0; op < R1_OP_COUNT; op++)
        if (!cut[op] && op != R1_OP_SAMPLE && op != R1_OP_ADAMW)
            test_stop(TEST_FAILED, "op %s was not cut; its case is too small",
                      r1i_op_rows[op].name);
}

// ---- float against a plain double computation ----
static double *ops_doubles(size_t n) { return (double *)golden_memory(n * sizeof(double)); }
// max |got - want| <= limit * max |want|
static void ops_close(const char *what, const float *got, const double *want, size_t n,
                      double limit) {
    double most = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - want[i]);
        most = fmax(most, fabs(want[i]));
        if (!(d <= off)) off = d;
    }
    printf("%-30s %.2g\n", what, off / most);
    if (!(off <= limit * most) || most == 0)
        test_stop(TEST_FAILED, "%s: off by %g of %g, limit %g", what, off, most, limit);
}
// Every element within `limit` units in the last place of its own value.
static void ops_ulps(const char *what, const float *got, const double *want, size_t n,
                     double limit) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        int exponent;
        frexp(want[i], &exponent);
        double ulps =
            fabs((double)got[i] - want[i]) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
        if (!(ulps <= worst)) worst = ulps;
    }
    printf("%-30s %.2f ulp\n", what, worst);
    if (!(worst <= limit)) test_stop(TEST_FAILED, "%s: %g ulp, limit %g", what, worst, limit);
}
static r1_context *ops_context(void) { return r1_context_new(&(r1_context_desc){.threads = 1}); }
static r1_tensor *ops_filled(r1_context *ctx, uint32_t k, size_t a, size_t b, size_t c) {
    r1_tensor *x = op_shaped(ctx, true, a, b, c);
    CHECK(x);
    op_fill(x, 100 + k);
    return x;
}
static void ops_back(r1_context *ctx, r1_tensor *y, float *dy) {
    r1_tensor seed = *y;
    seed.data = dy;
    op_fill(&seed, 200);
    r1_backward_from(ctx, y, dy);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
}
// c[m,n] += sum_k a(m,k) b(k,n) with any strides.
static void ops_product(double *c, const float *a, size_t am, size_t ak, const float *b, size_t bk,
                        size_t bn, size_t M, size_t N, size_t K, size_t ldc) {
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++)
            for (size_t k = 0; k < K; k++)
                c[m * ldc + n] += (double)a[m * am + k * ak] * (double)b[k * bk + n * bn];
}
TEST(ops_matmul_against_double) {
    enum { T = 17, I = 65, O = 33 };
    r1_context *ctx = ops_context();
    r1_tensor *x = ops_filled(ctx, 0, T, I, 0), *w = ops_filled(ctx, 1, O, I, 0);
    r1_tensor *bias = ops_filled(ctx, 2, O, 0, 0), *y = r1_matmul(ctx, x, w, bias);
    double *want = ops_doubles(T * O), *dx = ops_doubles(T * I), *dw = ops_doubles(O * I);
    double *db = ops_doubles(O);
    float dy[T * O];
    CHECK(y);
    ops_back(ctx, y, dy);
    for (size_t i = 0; i < T * O; i++)
        want[i] = (double)bias->data[i % O], db[i % O] += (double)dy[i];
    ops_product(want, x->data, I, 1, w->data, 1, I, T, O, I, O);
    ops_product(dx, dy, O, 1, w->data, I, 1, T, I, O, I);
    ops_product(dw, dy, 1, O, x->data, I, 1, O, I, T, I);
    ops_close("matmul y", y->data, want, T * O, 1e-6);
    ops_close("matmul dx", x->grad, dx, T * I, 1e-6);
    ops_close("matmul dw", w->grad, dw, O * I, 1e-6);
    ops_close("matmul dbias", bias->grad, db, O, 1e-6);
    r1_context_free(ctx);
}
TEST(ops_head_matmul_against_double) {
    enum { T = 5, H = 3, P = 21, Q = 17, FROM = 2, N = 18 };
    for (int up = 0; up < 2; up++) {
        r1_context *ctx = ops_context();
        size_t in = up ? N : Q, out = up ? Q : N;
        r1_tensor *x = ops_filled(ctx, 0, T, H, in), *w = ops_filled(ctx, 1, H, P, Q);
        r1_tensor *y = r1_head_matmul(ctx, x, w, FROM, N, up);
        double *want = ops_doubles(T * H * out), *dx = ops_doubles(T * H * in);
        double *dw = ops_doubles(H * P * Q);
        float dy[T * H * (N + Q)];
        CHECK(y && y->shape[2] == out);
        ops_back(ctx, y, dy);
        for (size_t h = 0; h < H; h++) {
            const float *part = w->data + (h * P + FROM) * Q;
            size_t wi = up ? Q : 1, wo = up ? 1 : Q; // strides of the input and the output index
            ops_product(want + h * out, x->data + h * in, H * in, 1, part, wi, wo, T, out, in,
                        H * out);
            ops_product(dx + h * in, dy + h * out, H * out, 1, part, wo, wi, T, in, out, H * in);
            const float *narrow = up ? x->data + h * in : dy + h * out;
            const float *wide = up ? dy + h * out : x->data + h * in;
            ops_product(dw + (h * P + FROM) * Q, narrow, 1, H * N, wide, H * Q, 1, N, Q, T, Q);
        }
        ops_close("head_matmul y", y->data, want, T * H * out, 1e-6);
        ops_close("head_matmul dx", x->grad, dx, T * H * in, 1e-6);
        ops_close("head_matmul dw", w->grad, dw, H * P * Q, 1e-6);
        r1_context_free(ctx);
    }
}
TEST(ops_experts_against_double) { // dispatch, expert_matmul and combine from their definitions
    enum { T = 17, E = 7, K = 3, I = 33, O = 19 };
    r1_context *ctx = ops_context();
    r1_routing *routing = op_routing(ctx, ops_filled(ctx, 0, T, E, 0), K);
    r1_tensor *x = ops_filled(ctx, 1, T, I, 0), *w = ops_filled(ctx, 2, E, O, I);
    r1_tensor *y =
        r1_combine(ctx, r1_expert_matmul(ctx, r1_dispatch(ctx, x, routing), w, routing), routing);
    double *want = ops_doubles(T * O), *dx = ops_doubles(T * I), *dw = ops_doubles(E * O * I);
    float dy[T * O];
    CHECK(y);
    ops_back(ctx, y, dy);
    for (size_t t = 0; t < T; t++)
        for (size_t k = 0; k < K; k++) {
            size_t e = (size_t)routing->choice[t * K + k];
            double gate = (double)routing->gates->data[t * K + k];
            for (size_t o = 0; o < O; o++)
                for (size_t i = 0; i < I; i++) {
                    double weight = (double)w->data[(e * O + o) * I + i];
                    want[t * O + o] += gate * weight * (double)x->data[t * I + i];
                    dx[t * I + i] += gate * weight * (double)dy[t * O + o];
                    dw[(e * O + o) * I + i] +=
                        gate * (double)x->data[t * I + i] * (double)dy[t * O + o];
                }
        }
    ops_close("experts y", y->data, want, T * O, 1e-6);
    ops_close("experts dx", x->grad, dx, T * I, 1e-6);
    ops_close("experts dw", w->grad, dw, E * O * I, 1e-6);
    r1_context_free(ctx);
}
TEST(ops_rows_against_double) { // rmsnorm, rope, swiglu
    enum { T = 17, C = 65, H = 3, D = 6 };
    r1_context *ctx = ops_context();
    r1_tensor *x = ops_filled(ctx, 0, T, C, 0), *gain = ops_filled(ctx, 1, C, 0, 0);
    double *norm = ops_doubles(T * C), *glu = ops_doubles(T * C), *rope = ops_doubles(T * H * D);
    for (size_t t = 0; t < T; t++) {
        double square = 0;
        for (size_t c = 0; c < C; c++)
            square += (double)x->data[t * C + c] * (double)x->data[t * C + c];
        for (size_t c = 0; c < C; c++)
            norm[t * C + c] =
                (double)x->data[t * C + c] * (double)gain->data[c] / sqrt(square / C + 1e-6);
    }
    ops_ulps("rmsnorm y", r1_rmsnorm(ctx, x, gain, 1e-6)->data, norm, T * C, 4);
    r1_tensor *up = ops_filled(ctx, 2, T, C, 0);
    for (size_t i = 0; i < T * C; i++) {
        x->data[i] *= 20; // also where the sigmoid is nearly 0 or 1
        glu[i] = (double)x->data[i] / (1 + exp(-(double)x->data[i])) * (double)up->data[i];
    }
    ops_ulps("swiglu y", r1_swiglu(ctx, x, up)->data, glu, T * C, 4);
    r1_tensor *z = ops_filled(ctx, 3, T, H, D);
    float cosine[T * D / 2], sine[T * D / 2];
    int32_t positions[T];
    for (size_t i = 0; i < T * D / 2; i++) {
        double angle = (double)(i / (D / 2)) * pow(10000, -2.0 * (double)(i % (D / 2)) / D);
        cosine[i] = (float)cos(angle), sine[i] = (float)sin(angle);
    }
    for (int t = 0; t < T; t++) positions[t] = T - 1 - t;
    r1_rope_table table = {cosine, sine, T, D};
    for (int halves = 0; halves < 2; halves++) {
        for (size_t i = 0; i < T * H * D / 2; i++) {
            size_t pair = i % (D / 2), row = i / (D / 2), t = row / H;
            size_t one = row * D + (halves ? pair : 2 * pair), two = one + (halves ? D / 2 : 1);
            double angle = (double)positions[t] * pow(10000, -2.0 * (double)pair / D);
            rope[one] = (double)z->data[one] * cos(angle) - (double)z->data[two] * sin(angle);
            rope[two] = (double)z->data[one] * sin(angle) + (double)z->data[two] * cos(angle);
        }
        ops_close("rope y", r1_rope(ctx, z, positions, &table, halves)->data, rope, T * H * D,
                  2e-7);
    }
    r1_context_free(ctx);
}
TEST(ops_attention_against_double) {
    enum { H = 6, HK = 2, D = 9, W = 5 };
    const op_layout *layout = &op_layouts[EIGHT];
    size_t T = layout->starts[layout->B];
    r1_context *ctx = ops_context();
    r1_tensor *q = ops_filled(ctx, 0, T, H, D), *k = ops_filled(ctx, 1, T, HK, D);
    r1_tensor *v = ops_filled(ctx, 2, T, HK, W);
    r1_tensor *y = r1_attention(ctx, q, k, v, layout->starts, layout->B, 0.7);
    double *want = ops_doubles(T * H * W), p[100];
    CHECK(y);
    for (size_t b = 0; b < layout->B; b++)
        for (size_t t = layout->starts[b]; t < layout->starts[b + 1]; t++)
            for (size_t h = 0; h < H; h++) {
                double sum = 0;
                for (size_t j = layout->starts[b]; j <= t; j++) {
                    double s = 0;
                    for (size_t d = 0; d < D; d++)
                        s += (double)q->data[(t * H + h) * D + d] *
                             (double)k->data[(j * HK + h / (H / HK)) * D + d];
                    sum += p[j - layout->starts[b]] = exp(0.7 * s);
                }
                for (size_t j = layout->starts[b]; j <= t; j++)
                    for (size_t c = 0; c < W; c++)
                        want[(t * H + h) * W + c] +=
                            p[j - layout->starts[b]] / sum *
                            (double)v->data[(j * HK + h / (H / HK)) * W + c];
            }
    ops_close("attention y", y->data, want, T * H * W, 1e-6);
    r1_context_free(ctx);
}
// The experts that equations 12 to 16 of V3 choose, from double scores; ascending.
static void ops_choose(const double *biased, size_t E, size_t K, size_t groups, size_t kept,
                       bool group_max, int32_t *choice) {
    bool open[65], taken[13] = {false}, chosen[65] = {false};
    size_t size = E / groups, n = 0;
    for (size_t e = 0; e < E; e++) open[e] = kept == groups;
    for (size_t k = 0; k < kept && kept < groups; k++) {
        double most = -HUGE_VAL;
        size_t best = 0;
        for (size_t g = 0; g < groups; g++) {
            double one = -HUGE_VAL, two = -HUGE_VAL;
            for (size_t e = g * size; e < (g + 1) * size; e++) {
                two = fmax(two, fmin(one, biased[e]));
                one = fmax(one, biased[e]);
            }
            double score = group_max ? one : one + two;
            if (!taken[g] && score > most) most = score, best = g;
        }
        taken[best] = true;
        for (size_t e = best * size; e < (best + 1) * size; e++) open[e] = true;
    }
    for (size_t k = 0; k < K; k++) {
        size_t best = E;
        for (size_t e = 0; e < E; e++)
            if (open[e] && !chosen[e] && (best == E || biased[e] > biased[best])) best = e;
        chosen[best] = true;
    }
    for (size_t e = 0; e < E; e++)
        if (chosen[e]) choice[n++] = (int32_t)e;
}
static void ops_route_check(size_t groups, size_t kept, bool normalise, bool softmax,
                            bool group_max, double shift) {
    enum { T = 65, E = 24, K = 5 };
    r1_context *ctx = ops_context();
    r1_tensor *logits = ops_filled(ctx, 0, T, E, 0), *bias = ops_filled(ctx, 1, E, 0, 0);
    for (size_t e = 0; e < E; e++) bias->data[e] = bias->data[e] * 0.2f + (float)shift;
    r1_route_desc desc = {.chosen = K,
                          .groups = groups,
                          .kept = kept,
                          .scale = 2.5,
                          .normalise = normalise,
                          .softmax = softmax,
                          .group_max = group_max};
    r1_routing *routing = r1_route(ctx, logits, bias->data, &desc, NULL);
    CHECK(routing);
    double scores[T * E], gates[T * K], biased[E];
    for (size_t t = 0; t < T; t++) {
        double total = 0, sum = 0;
        int32_t choice[K];
        for (size_t e = 0; e < E; e++) total += exp((double)logits->data[t * E + e]);
        for (size_t e = 0; e < E; e++) {
            double z = (double)logits->data[t * E + e];
            scores[t * E + e] = softmax ? exp(z) / total : 1 / (1 + exp(-z));
            biased[e] = scores[t * E + e] + (double)bias->data[e];
        }
        ops_choose(biased, E, K, groups, kept, group_max, choice);
        for (size_t k = 0; k < K; k++) {
            CHECK_EQUAL_SIZE((size_t)routing->choice[t * K + k], (size_t)choice[k]);
            sum += scores[t * E + (size_t)choice[k]];
        }
        for (size_t k = 0; k < K; k++)
            gates[t * K + k] = 2.5 * scores[t * E + (size_t)choice[k]] / (normalise ? sum : 1);
    }
    // a softmax rounds logit - maximum, which is several units in the last place of the result
    ops_ulps("route scores", routing->scores->data, scores, T * E, softmax ? 10 : 4);
    ops_ulps("route gates", routing->gates->data, gates, T * K, softmax ? 12 : 5);
    for (size_t e = 0; e <= E; e++) { // the sorted order is what the choices say
        size_t before = 0;
        for (size_t i = 0; i < T * K; i++) before += (size_t)routing->choice[i] < e;
        CHECK_EQUAL_SIZE(routing->offsets[e], before);
    }
    for (size_t i = 0; i < T * K; i++) {
        size_t row = (size_t)routing->row[i], e = (size_t)routing->choice[i];
        CHECK(row >= routing->offsets[e] && row < routing->offsets[e + 1]);
        CHECK_EQUAL_SIZE((size_t)routing->token[row], i / K);
    }
    r1_context_free(ctx);
}
// With a shift of -3 every biased score is negative: a mask of 0 in place of -inf would win.
TEST(ops_route_against_double) {
    for (int normalise = 0; normalise < 2; normalise++)
        for (int shift = 0; shift < 2; shift++) {
            ops_route_check(1, 1, normalise, false, false, -3 * shift);
            ops_route_check(6, 2, normalise, false, false, -3 * shift);
            ops_route_check(4, 3, normalise, true, true, -3 * shift);
            ops_route_check(4, 2, normalise, true, false, -3 * shift);
            ops_route_check(4, 2, normalise, false, true, -3 * shift);
            ops_route_check(3, 1, normalise, false, false, -3 * shift);
        }
}
TEST(ops_route_ties_go_to_the_lower_index) {
    r1_context *ctx = ops_context();
    r1_tensor *logits = r1_tensor_new(ctx, 2, (size_t[]){3, 8});
    r1_route_desc desc = {.chosen = 3, .groups = 4, .kept = 2};
    r1_routing *routing = r1_route(ctx, logits, NULL, &desc, NULL);
    CHECK(routing);
    for (int i = 0; i < 9; i++) CHECK_EQUAL_SIZE((size_t)routing->choice[i], (size_t)(i % 3));
    r1_context_free(ctx);
}
TEST(ops_logprob_against_double) {
    enum { T = 9, C = 17, V = 131 };
    static const int32_t targets[T] = {0, 130, 64, 65, 63, 1, 100, 7, 7};
    r1_context *ctx = ops_context();
    r1_tensor *hidden = ops_filled(ctx, 0, T, C, 0), *head = ops_filled(ctx, 1, V, C, 0);
    r1_logprobs *out = r1_logprob(ctx, hidden, head, targets, 0.6);
    double logp[T], entropy[T], z[V];
    double *dhidden = ops_doubles(T * C), *dhead = ops_doubles(V * C);
    float dy[T];
    CHECK(out);
    ops_back(ctx, out->logp, dy);
    for (size_t t = 0; t < T; t++) {
        double sum = 0, mean = 0;
        size_t best = 0;
        for (size_t i = 0; i < V; i++) {
            z[i] = 0;
            for (size_t c = 0; c < C; c++)
                z[i] += (double)hidden->data[t * C + c] * (double)head->data[i * C + c] / 0.6;
            if (z[i] > z[best]) best = i;
            sum += exp(z[i]);
        }
        for (size_t i = 0; i < V; i++) {
            double p = exp(z[i]) / sum;
            double dz = ((i == (size_t)targets[t]) - p) * (double)dy[t] / 0.6;
            mean += p * z[i];
            for (size_t c = 0; c < C; c++) {
                dhidden[t * C + c] += dz * (double)head->data[i * C + c];
                dhead[i * C + c] += dz * (double)hidden->data[t * C + c];
            }
        }
        logp[t] = z[targets[t]] - log(sum), entropy[t] = log(sum) - mean;
        CHECK_EQUAL_SIZE((size_t)out->best[t], best);
    }
    ops_close("logprob", out->logp->data, logp, T, 5e-7);
    ops_close("entropy", out->entropy->data, entropy, T, 2e-6);
    ops_close("logprob dhidden", hidden->grad, dhidden, T * C, 2e-6);
    ops_close("logprob dhead", head->grad, dhead, V * C, 2e-6);
    r1_context_free(ctx);
}
TEST(ops_balance_against_double) {
    enum { E = 9, K = 3 };
    const op_layout *layout = &op_layouts[EMPTIES];
    r1_context *ctx = ops_context();
    r1_routing *routing = op_routing(ctx, ops_filled(ctx, 0, 21, E, 0), K);
    float weight[6] = {1, 2, 3, 4, 5, 6};
    r1_tensor *y = r1_balance(ctx, routing, layout->starts, layout->B, weight);
    double want[6] = {0};
    CHECK(y);
    for (size_t b = 0; b < layout->B; b++) {
        size_t first = layout->starts[b], n = layout->starts[b + 1] - first;
        for (size_t e = 0; e < E && n; e++) {
            double f = 0, p = 0;
            for (size_t i = first * K; i < (first + n) * K; i++)
                f += routing->choice[i] == (int32_t)e;
            for (size_t t = first; t < first + n; t++) {
                double sum = 0;
                for (size_t i = 0; i < E; i++) sum += (double)routing->scores->data[t * E + i];
                p += (double)routing->scores->data[t * E + e] / sum / (double)n;
            }
            want[b] += (double)weight[b] * f * E / (double)(K * n) * p;
        }
    }
    ops_close("balance", y->data, want, layout->B, 1e-6);
    r1_context_free(ctx);
}

// ---- the optimizer ----
typedef struct ops_weights {
    float w[40000], m[40000], v[40000], g[40000];
} ops_weights;
static void ops_weights_fill(ops_weights *x) {
    r1_random at = {.seed = 12, .stream = OP_STREAM};
    memset(x, 0, sizeof *x);
    for (int i = 0; i < 40000; i++) {
        x->w[i] = i < 2000 ? r1_random_normal(&at) : x->w[i - 1999];
        x->g[i] = i < 2000 ? r1_random_normal(&at) : x->g[i - 1999];
    }
}
// Three steps over two ranges of n and 65 numbers, of which one decays.
static double ops_weights_step(r1_context *ctx, ops_weights *x, size_t n, uint64_t step) {
    r1_range range[2] = {{x->w, x->g, x->m, x->v, n, true},
                         {x->w + n, x->g + n, x->m + n, x->v + n, 65, false}};
    r1_adamw_desc desc = {.beta2 = 0.99, .decay = 0.2, .clip_norm = 2};
    return r1_adamw_step(ctx, range, 2, &desc, 0.01, step);
}
TEST(ops_adamw_against_double) {
    enum { N = 17 };
    ops_weights *x = (ops_weights *)malloc(sizeof *x);
    CHECK(x);
    ops_weights_fill(x);
    r1_context *ctx = ops_context();
    double w[N + 65], m[N + 65] = {0}, v[N + 65] = {0}, square = 0;
    for (int i = 0; i < N + 65; i++)
        w[i] = (double)x->w[i], square += (double)x->g[i] * (double)x->g[i];
    for (int step = 1; step <= 3; step++) {
        CHECK_NEAR(ops_weights_step(ctx, x, N, (uint64_t)step), sqrt(square), 1e-12 * sqrt(square));
        for (int i = 0; i < N + 65; i++) {
            double g = (double)x->g[i] * 2 / sqrt(square); // the norm is about 9, the limit 2
            m[i] = 0.9 * m[i] + 0.1 * g, v[i] = 0.99 * v[i] + 0.01 * g * g;
            double update =
                m[i] / (1 - pow(0.9, step)) / (sqrt(v[i] / (1 - pow(0.99, step))) + 1e-8);
            w[i] -= 0.01 * (update + (i < N ? 0.2 : 0) * w[i]);
        }
    }
    ops_close("adamw w", x->w, w, N + 65, 2e-7);
    ops_close("adamw m", x->m, m, N + 65, 1e-6);
    ops_close("adamw v", x->v, v, N + 65, 2e-6);
    r1_context_free(ctx);
    free(x);
}
TEST(ops_adamw_levels_and_threads) {
    static const size_t sizes[] = {1, 3, 17, 65, 39900};
    ops_weights *want = (ops_weights *)malloc(sizeof *want), *x = (ops_weights *)malloc(sizeof *x);
    CHECK(x && want);
    for (int s = 0; s < 5; s++)
        for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++)
            for (int threads = 1; threads <= 8; threads += threads < 3 ? 1 : 5) {
                r1_context_desc desc = {.threads = threads, .cpu_level = (r1_cpu_level)level};
                bool first = level == R1_CPU_SCALAR && threads == 1;
                ops_weights *now = first ? want : x;
                r1_context *ctx = r1_context_new(&desc);
                ops_weights_fill(now);
                for (uint64_t step = 1; step <= 3; step++)
                    ops_weights_step(ctx, now, sizes[s], step);
                CHECK(memcmp(want, now, sizeof *now) == 0);
                r1_context_free(ctx);
            }
    free(want), free(x);
}
TEST(ops_adamw_is_all_or_nothing) {
    ops_weights *x = (ops_weights *)malloc(sizeof *x), *old = (ops_weights *)malloc(sizeof *old);
    CHECK(x && old);
    ops_weights_fill(x);
    x->g[40] = NAN; // in the second range: the first must not move either
    memcpy(old, x, sizeof *x);
    r1_context *ctx = ops_context();
    ops_weights_step(ctx, x, 17, 1);
    CHECK(r1_status_of(ctx) == R1_ERROR_NUMBER && memcmp(x, old, sizeof *x) == 0);
    r1_error_clear(ctx);
    x->g[40] = old->g[40] = 1;
    ops_weights_step(ctx, x, 17, 0); // steps count from 1: 1 - beta^0 would divide by zero
    CHECK(r1_status_of(ctx) == R1_ERROR_ARGUMENT && memcmp(x, old, sizeof *x) == 0);
    r1_error_clear(ctx);
    r1_range bare = {.w = x->w, .g = x->g, .n = 17};
    r1_adamw_step(ctx, &bare, 1, NULL, 0.01, 1); // no moments yet
    CHECK(r1_status_of(ctx) == R1_ERROR_ARGUMENT && memcmp(x, old, sizeof *x) == 0);
    r1_context_free(ctx);
    free(x), free(old);
}

// ---- shapes of products, at the edges of tiles ----
TEST(ops_levels_agree_on_tile_edges) {
    static const size_t rows[] = {1, 2, 5, 6, 7, 8, 9, 13}, inner[] = {1, 7, 513};
    static const size_t columns[] = {1, 15, 16, 17, 31, 32, 33, 48, 65};
    for (size_t i = 0; i < 8 * 9 * 3; i++) {
        op_case what = {
            R1_OP_MATMUL, "matmul", op_matmul, {rows[i % 8], inner[i / 72], columns[i / 8 % 9], 1}};
        ops_bytes scalar = ops_run(&what, R1_CPU_SCALAR, 1, OPS_PLAIN, NULL);
        for (int level = R1_CPU_AVX2; level <= (int)r1_cpu_best(); level++)
            ops_same(&what, &scalar, ops_run(&what, (r1_cpu_level)level, 1, OPS_PLAIN, NULL),
                     "level", level);
        free(scalar.data);
    }
}
TEST(ops_levels_agree_on_attention) {
    static const size_t widths[] = {1, 3, 15, 16, 17, 33, 65};
    for (size_t i = 0; i < 7; i++) {
        op_case what = {R1_OP_ATTENTION,
                        "attention",
                        op_attention,
                        {EIGHT, 2, 1, widths[i], widths[(i + 3) % 7]}};
        ops_bytes scalar = ops_run(&what, R1_CPU_SCALAR, 1, OPS_PLAIN, NULL);
        for (int level = R1_CPU_AVX2; level <= (int)r1_cpu_best(); level++)
            ops_same(&what, &scalar, ops_run(&what, (r1_cpu_level)level, 1, OPS_PLAIN, NULL),
                     "level", level);
        free(scalar.data);
    }
}

// ---- rows do not know their batch ----
static r1_tensor *ops_view(r1_context *ctx, r1_tensor *x, size_t from, size_t rows) {
    size_t shape[3] = {rows, x->shape[1], x->rank > 2 ? x->shape[2] : 0};
    size_t width = r1_tensor_count(x) / x->shape[0];
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_tensor *view = r1_tensor_new(ctx, x->rank, shape);
    CHECK(view);
    memcpy(view->data, x->data + from * width, rows * width * sizeof(float));
    return view;
}
static void ops_row_is(const char *what, const r1_tensor *one, const r1_tensor *all, size_t row) {
    size_t width = r1_tensor_count(all) / all->shape[0];
    CHECK(one && r1_tensor_count(one) == width);
    if (memcmp(one->data, all->data + row * width, width * sizeof(float)))
        test_stop(TEST_FAILED, "%s: row %zu alone differs from the batch", what, row);
}
TEST(ops_rows_do_not_know_their_batch) {
    enum { T = 64, I = 70, O = 67 };
    for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++) {
        r1_context *ctx =
            r1_context_new(&(r1_context_desc){.threads = 1, .cpu_level = (r1_cpu_level)level});
        r1_tensor *x = ops_filled(ctx, 0, T, I, 0), *w = ops_filled(ctx, 1, O, I, 0);
        r1_tensor *bias = ops_filled(ctx, 2, O, 0, 0), *gain = ops_filled(ctx, 3, I, 0, 0);
        r1_tensor *product = r1_matmul(ctx, x, w, bias), *norm = r1_rmsnorm(ctx, x, gain, 1e-6);
        int32_t targets[T];
        for (int t = 0; t < T; t++) targets[t] = t * 7 % O;
        r1_logprobs *all = r1_logprob(ctx, x, w, targets, 0.8);
        CHECK(all);
        for (size_t t = 0; t < T; t++) {
            r1_step_begin(ctx);
            r1_tensor *row = ops_view(ctx, x, t, 1);
            ops_row_is("matmul", r1_matmul(ctx, row, w, bias), product, t);
            ops_row_is("rmsnorm", r1_rmsnorm(ctx, row, gain, 1e-6), norm, t);
            r1_logprobs *one = r1_logprob(ctx, row, w, targets + t, 0.8);
            CHECK(one && one->best[0] == all->best[t]);
            ops_row_is("logprob", one->logp, all->logp, t);
            ops_row_is("entropy", one->entropy, all->entropy, t);
            r1_step_end(ctx);
        }
        r1_context_free(ctx);
    }
}
// A sequence alone, its prefixes, and one query against a cache whose blocks hold NaN behind the
// used rows: all give the bits of the packed batch.
static void ops_cached_row(r1_context *ctx, r1_tensor *q, r1_tensor *k, r1_tensor *v,
                           const r1_tensor *all, size_t first, size_t t) {
    enum { BLOCK = 64, BLOCKS = 2 };
    size_t HK = k->shape[1], D = k->shape[2], W = v->shape[2], H = q->shape[1];
    float *keys[BLOCKS], *values[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        keys[i] = (float *)r1i_step_alloc(ctx, BLOCK * HK * D, sizeof(float));
        values[i] = (float *)r1i_step_alloc(ctx, BLOCK * HK * W, sizeof(float));
        CHECK(keys[i] && values[i]);
        for (size_t j = 0; j < BLOCK * HK * D; j++) keys[i][j] = NAN;
        for (size_t j = 0; j < BLOCK * HK * W; j++) values[i][j] = NAN;
    }
    for (size_t j = 0; j <= t; j++) {
        memcpy(keys[j / BLOCK] + j % BLOCK * HK * D, k->data + (first + j) * HK * D,
               HK * D * sizeof(float));
        memcpy(values[j / BLOCK] + j % BLOCK * HK * W, v->data + (first + j) * HK * W,
               HK * W * sizeof(float));
    }
    const float *const key_blocks[BLOCKS] = {keys[0], keys[1]};
    const float *const value_blocks[BLOCKS] = {values[0], values[1]};
    r1_rows_view key_view = {key_blocks, BLOCK, HK * D, D};
    r1_rows_view value_view = {value_blocks, BLOCK, HK * W, W};
    size_t starts[2] = {0, 1}, past = t;
    r1_tensor *y = r1_tensor_new(ctx, 3, (size_t[]){1, H, W});
    float stats[64];
    r1_attention_args args = {.B = 1,
                              .H = H,
                              .Hk = HK,
                              .D = D,
                              .W = W,
                              .starts = starts,
                              .scale = 0.7f,
                              .q = q->data + (first + t) * H * D,
                              .y = y->data,
                              .stats = stats,
                              .cached = true,
                              .past = &past,
                              .keys = &key_view,
                              .values = &value_view};
    CHECK(r1i_run(ctx, R1_OP_ATTENTION, R1_FORWARD, &args));
    ops_row_is("attention with a cache", y, all, first + t);
}
TEST(ops_attention_does_not_know_its_batch) {
    const op_layout *layout = &op_layouts[EIGHT];
    size_t T = layout->starts[layout->B];
    for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++) {
        r1_context *ctx =
            r1_context_new(&(r1_context_desc){.threads = 1, .cpu_level = (r1_cpu_level)level});
        r1_tensor *q = ops_filled(ctx, 0, T, 4, 9), *k = ops_filled(ctx, 1, T, 2, 9);
        r1_tensor *v = ops_filled(ctx, 2, T, 2, 5);
        r1_tensor *all = r1_attention(ctx, q, k, v, layout->starts, layout->B, (double)0.7f);
        CHECK(all);
        for (size_t b = 0; b < layout->B; b++)
            for (size_t n = 1; n <= layout->starts[b + 1] - layout->starts[b]; n++) {
                size_t starts[2] = {0, n}, first = layout->starts[b];
                r1_step_begin(ctx);
                r1_tensor *y =
                    r1_attention(ctx, ops_view(ctx, q, first, n), ops_view(ctx, k, first, n),
                                 ops_view(ctx, v, first, n), starts, 1, (double)0.7f);
                CHECK(y);
                ops_row_is("attention of a prefix", ops_view(ctx, y, n - 1, 1), all, first + n - 1);
                ops_cached_row(ctx, q, k, v, all, first, n - 1);
                r1_step_end(ctx);
            }
        r1_context_free(ctx);
    }
}
// Gradients of what rows share: micro-batches in order continue the chain of one pass.
TEST(ops_shared_gradients_continue) {
    enum { T = 64, I = 19, O = 35 };
    int32_t ids[T];
    for (int t = 0; t < T; t++) ids[t] = t * t % O;
    for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++) {
        ops_bytes want = {0};
        for (size_t micro = 0; micro <= 7; micro++) { // 0: all rows at once
            r1_context *ctx =
                r1_context_new(&(r1_context_desc){.threads = 1, .cpu_level = (r1_cpu_level)level});
            r1_tensor *x = ops_filled(ctx, 0, T, I, 0), *p[5] = {0};
            p[0] = ops_filled(ctx, 1, O, I, 0), p[1] = ops_filled(ctx, 2, O, 0, 0);
            p[2] = ops_filled(ctx, 3, I, 0, 0), p[3] = ops_filled(ctx, 4, O, I, 0);
            p[4] = ops_filled(ctx, 5, O, I, 0);
            float *dy = ops_filled(ctx, 6, T, O, 0)->data;
            ops_bytes got = {0};
            for (size_t from = 0, n; from < T; from += n) {
                n = micro && from + micro < T ? micro : micro ? T - from : T;
                r1_step_begin(ctx);
                r1_tensor *rows = ops_view(ctx, x, from, n);
                r1_seed(ctx, r1_matmul(ctx, rows, p[0], p[1]), dy + from * O);
                r1_backward_from(ctx, r1_rmsnorm(ctx, rows, p[2], 1e-6), dy + from * I);
                r1_step_end(ctx);
                r1_step_begin(ctx);
                rows = ops_view(ctx, x, from, n);
                r1_logprobs *out = r1_logprob(ctx, rows, p[3], ids + from, 0);
                CHECK(out);
                r1_backward_from(ctx, out->logp, dy + from);
                r1_step_end(ctx);
                r1_step_begin(ctx);
                r1_backward_from(ctx, r1_embed(ctx, p[4], ids + from, n), dy + from * I);
                r1_step_end(ctx);
            }
            CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
            for (int i = 0; i < 5; i++)
                ops_append(&got, p[i]->grad, r1_tensor_count(p[i]) * sizeof(float));
            if (!micro) want = got;
            if (got.size != want.size || memcmp(got.data, want.data, got.size))
                test_stop(TEST_FAILED, "level %d, micro-batches of %zu rows differ", level, micro);
            if (micro) free(got.data);
            r1_context_free(ctx);
        }
        free(want.data);
    }
}

// ---- experts ----
static size_t ops_counted;
static const r1i_rows *ops_counted_rows;
static void ops_counting_gemm(const r1i_gemm *job, size_t m0, size_t m1, size_t n0, size_t n1,
                              float *scratch) {
    ops_counted += (m1 - m0) * (n1 - n0) * job->K;
    ops_counted_rows->gemm(job, m0, m1, n0, n1, scratch);
}
// The multiply-adds of expert products are those of T K rows, whatever E is; the weights of an
// expert that nobody chose may be NaN.
TEST(ops_unchosen_experts_cost_nothing) {
    enum { T = 21, K = 2, I = 17, O = 9 };
    for (size_t E = 4; E <= 64; E *= 4)
        for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++) {
            r1_context *ctx =
                r1_context_new(&(r1_context_desc){.threads = 1, .cpu_level = (r1_cpu_level)level});
            CHECK(strcmp(r1_cpu_name(ctx), "none"));
            r1i_rows counting = *(ops_counted_rows = ctx->rows);
            counting.gemm = ops_counting_gemm;
            ctx->rows = &counting;
            r1_routing *routing = op_routing(ctx, ops_filled(ctx, 0, T, E, 0), K);
            CHECK_EQUAL_SIZE(routing->offsets[E], T * K);
            r1_tensor *x = ops_filled(ctx, 1, T * K, I, 0), *w = ops_filled(ctx, 2, E, O, I);
            size_t idle = 0;
            for (size_t e = 0; e < E; e++) {
                if (routing->offsets[e + 1] > routing->offsets[e]) continue;
                for (size_t i = 0; i < O * I; i++) w->data[e * O * I + i] = NAN;
                idle++;
            }
            CHECK(idle > 0);
            ops_counted = 0;
            r1_tensor *y = r1_expert_matmul(ctx, x, w, routing);
            CHECK(y);
            CHECK_EQUAL_SIZE(ops_counted, T * K * I * O);
            CHECK_EQUAL_SIZE(r1_tensor_check(y), r1_tensor_count(y));
            float dy[T * K * O];
            ops_counted = 0;
            ops_back(ctx, y, dy);
            CHECK_EQUAL_SIZE(ops_counted, 2 * T * K * I * O);
            for (size_t e = 0; e < E; e++)
                for (size_t i = 0; i < O * I; i++) {
                    float d = w->grad[e * O * I + i];
                    CHECK(routing->offsets[e + 1] > routing->offsets[e] ? isfinite(d) : d == 0);
                }
            for (size_t i = 0; i < T * K * I; i++) CHECK(isfinite(x->grad[i]));
            ctx->rows = ops_counted_rows;
            r1_context_free(ctx);
        }
}
TEST(ops_replayed_choices_are_taken) {
    static const int32_t replay[6] = {1, 4, 0, 2, 3, 4};
    r1_context *ctx = ops_context();
    r1_tensor *logits = ops_filled(ctx, 0, 3, 5, 0);
    r1_route_desc desc = {.chosen = 2, .normalise = true};
    r1_routing *free_choice = r1_route(ctx, logits, NULL, &desc, NULL);
    r1_routing *same = r1_route(ctx, logits, NULL, &desc, free_choice->choice);
    r1_routing *other = r1_route(ctx, logits, NULL, &desc, replay);
    CHECK(same && other && !memcmp(other->choice, replay, sizeof replay));
    CHECK(!memcmp(same->gates->data, free_choice->gates->data, 6 * sizeof(float)));
    for (int t = 0; t < 3; t++) {
        double a = 1 / (1 + exp(-(double)logits->data[t * 5 + replay[t * 2]]));
        double b = 1 / (1 + exp(-(double)logits->data[t * 5 + replay[t * 2 + 1]]));
        CHECK_NEAR((double)other->gates->data[t * 2], a / (a + b), 1e-6);
    }
    int32_t bad[6] = {1, 4, 0, 5, 3, 4};
    CHECK(!r1_route(ctx, logits, NULL, &desc, bad) && r1_status_of(ctx) == R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "route"));
    r1_context_free(ctx);
}

// ---- errors ----
static void ops_shape_error(r1_context *ctx, const void *result, const char *name) {
    if (result || r1_status_of(ctx) != R1_ERROR_SHAPE || !strstr(r1_message_of(ctx), name))
        test_stop(TEST_FAILED, "%s with a wrong shape: %s, \"%s\"", name,
                  r1_status_name(r1_status_of(ctx)), r1_message_of(ctx));
    r1_error_clear(ctx);
}
TEST(ops_wrong_shapes_name_the_op) {
    r1_context *ctx = ops_context();
    r1_tensor *a = ops_filled(ctx, 0, 6, 4, 0), *b = ops_filled(ctx, 1, 6, 5, 0);
    r1_tensor *h = ops_filled(ctx, 2, 6, 2, 4), *w = ops_filled(ctx, 3, 3, 2, 5);
    r1_tensor *gain = ops_filled(ctx, 4, 3, 0, 0);
    size_t starts[3] = {0, 4, 6}, falling[3] = {0, 7, 6}, few[3] = {0, 2, 5};
    float table[40] = {0}, weight[2] = {1, 1};
    int32_t ids[6] = {0};
    r1_rope_table rope = {table, table, 5, 6};
    r1_route_desc desc = {.chosen = 2}, bad = {.chosen = 2, .groups = 3};
    r1_routing *routing = r1_route(ctx, a, NULL, &desc, NULL);
    CHECK(routing);
    ops_shape_error(ctx, r1_embed(ctx, h, ids, 6), "embed");
    ops_shape_error(ctx, r1_matmul(ctx, a, b, NULL), "matmul");
    ops_shape_error(ctx, r1_matmul(ctx, a, a, gain), "matmul");
    ops_shape_error(ctx, r1_add(ctx, a, b), "add");
    ops_shape_error(ctx, r1_mul(ctx, a, b), "mul");
    ops_shape_error(ctx, r1_columns(ctx, a, 2, 3), "columns");
    ops_shape_error(ctx, r1_columns(ctx, a, SIZE_MAX, 2), "columns");
    ops_shape_error(ctx, r1_join(ctx, h, w), "join");
    ops_shape_error(ctx, r1_rmsnorm(ctx, a, gain, 0), "rmsnorm");
    ops_shape_error(ctx, r1_swiglu(ctx, a, b), "swiglu");
    ops_shape_error(ctx, r1_rope(ctx, h, ids, &rope, false), "rope");
    ops_shape_error(ctx, r1_attention(ctx, h, h, w, starts, 2, 1), "attention");
    ops_shape_error(ctx, r1_attention(ctx, h, h, h, falling, 2, 1), "attention");
    ops_shape_error(ctx, r1_attention(ctx, h, h, h, few, 2, 1), "attention");
    ops_shape_error(ctx, r1_attention(ctx, h, h, h, starts, 0, 1), "attention");
    ops_shape_error(ctx, r1_head_matmul(ctx, h, w, 0, 2, true), "head_matmul");
    ops_shape_error(ctx, r1_route(ctx, a, NULL, &bad, NULL), "route");
    ops_shape_error(ctx, r1_dispatch(ctx, gain, routing), "dispatch");
    ops_shape_error(ctx, r1_expert_matmul(ctx, a, w, routing), "expert_matmul");
    ops_shape_error(ctx, r1_combine(ctx, a, routing), "combine");
    ops_shape_error(ctx, r1_balance(ctx, routing, few, 2, weight), "balance");
    ops_shape_error(ctx, r1_balance(ctx, routing, falling, 2, weight), "balance");
    ops_shape_error(ctx, r1_logprob(ctx, a, b, ids, 1), "logprob");
    ops_shape_error(ctx, r1_tensor_reshape(ctx, a, 1, (size_t[]){23}), "reshape");
    r1_backward(ctx, a);
    ops_shape_error(ctx, NULL, "backward");
    ids[3] = 6;
    CHECK(!r1_embed(ctx, a, ids, 6) && r1_status_of(ctx) == R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "embed") && strstr(r1_message_of(ctx), "6"));
    r1_error_clear(ctx);
    CHECK(!r1_logprob(ctx, a, a, ids, 1) && r1_status_of(ctx) == R1_ERROR_ARGUMENT);
    CHECK(strstr(r1_message_of(ctx), "logprob"));
    r1_context_free(ctx);
}
TEST(ops_given_null_return_null) {
    r1_context *ctx = ops_context();
    r1_tensor *a = ops_filled(ctx, 0, 6, 4, 0), *h = ops_filled(ctx, 2, 6, 2, 4);
    size_t starts[2] = {0, 6}, shape[1] = {24};
    float table[40] = {0}, weight[2] = {1, 1};
    int32_t ids[6] = {0};
    r1_rope_table rope = {table, table, 5, 4};
    r1_route_desc desc = {.chosen = 2};
    r1_routing *routing = r1_route(ctx, a, NULL, &desc, NULL);
    r1_tensor *x = NULL;
    CHECK(routing);
    CHECK(!r1_embed(ctx, x, ids, 6) && !r1_matmul(ctx, x, a, NULL) && !r1_matmul(ctx, a, x, NULL));
    CHECK(!r1_add(ctx, x, a) && !r1_add(ctx, a, x) && !r1_mul(ctx, a, x) && !r1_mul(ctx, x, a));
    CHECK(!r1_sum(ctx, x) && !r1_columns(ctx, x, 0, 0) && !r1_join(ctx, x, h) &&
          !r1_join(ctx, h, x));
    CHECK(!r1_rmsnorm(ctx, x, a, 0) && !r1_rmsnorm(ctx, a, x, 0));
    CHECK(!r1_swiglu(ctx, a, x) && !r1_swiglu(ctx, x, a) && !r1_rope(ctx, x, ids, &rope, false));
    CHECK(!r1_rope(ctx, h, ids, NULL, false) && !r1_tensor_reshape(ctx, x, 1, shape));
    CHECK(!r1_attention(ctx, x, h, h, starts, 1, 1) && !r1_attention(ctx, h, x, h, starts, 1, 1));
    CHECK(!r1_attention(ctx, h, h, x, starts, 1, 1));
    CHECK(!r1_head_matmul(ctx, x, h, 0, 1, true) && !r1_head_matmul(ctx, h, x, 0, 1, true));
    CHECK(!r1_route(ctx, x, NULL, &desc, NULL) && !r1_route(ctx, a, NULL, NULL, NULL));
    CHECK(!r1_dispatch(ctx, x, routing) && !r1_dispatch(ctx, a, NULL));
    CHECK(!r1_expert_matmul(ctx, x, h, routing) && !r1_expert_matmul(ctx, a, x, routing));
    CHECK(!r1_expert_matmul(ctx, a, h, NULL) && !r1_combine(ctx, x, routing));
    CHECK(!r1_combine(ctx, a, NULL) && !r1_balance(ctx, NULL, starts, 1, weight));
    CHECK(!r1_logprob(ctx, x, a, ids, 1) && !r1_logprob(ctx, a, x, ids, 1));
    r1_backward(ctx, x), r1_backward_from(ctx, x, weight);
    r1_tensor *chain = r1_rmsnorm(ctx, r1_matmul(ctx, r1_add(ctx, x, a), a, NULL), a, 1e-6);
    CHECK(!chain && r1_tensor_count(x) == 0);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), ""); // what was NULL had its error before
    CHECK(!r1_add(NULL, a, a) && !r1_tensor_new(NULL, 1, shape));
    r1_context_free(ctx);
}
// Arrays that are missing where rows need them: an error or NULL, no crash.
TEST(ops_missing_arrays) {
    r1_context *ctx = ops_context();
    r1_tensor *a = ops_filled(ctx, 0, 6, 4, 0), *h = ops_filled(ctx, 2, 6, 2, 4);
    float table[40] = {0}, weight[1] = {1};
    size_t starts[2] = {0, 6};
    r1_rope_table rope = {table, table, 5, 4};
    r1_route_desc desc = {.chosen = 2};
    r1_routing *routing = r1_route(ctx, a, NULL, &desc, NULL);
    CHECK(routing && !r1_balance(ctx, routing, NULL, 1, weight));
    r1_error_clear(ctx);
    CHECK(!r1_balance(ctx, routing, starts, 1, NULL));
    r1_error_clear(ctx);
    CHECK(!r1_embed(ctx, a, NULL, 6));
    r1_error_clear(ctx);
    CHECK(!r1_rope(ctx, h, NULL, &rope, false));
    r1_error_clear(ctx);
    CHECK(!r1_logprob(ctx, a, a, NULL, 1));
    r1_error_clear(ctx);
    CHECK(!r1_attention(ctx, h, h, h, NULL, 1, 1));
    r1_context_free(ctx);
}
TEST(ops_errors_stick) {
    r1_context *ctx = ops_context();
    r1_tensor *a = ops_filled(ctx, 0, 6, 4, 0), *b = ops_filled(ctx, 1, 6, 5, 0);
    CHECK(!r1_add(ctx, a, b));
    char first[512];
    snprintf(first, sizeof first, "%s", r1_message_of(ctx));
    CHECK(!r1_add(ctx, a, a) && !r1_swiglu(ctx, a, b) && !r1_tensor_new(ctx, 1, (size_t[]){3}));
    CHECK(!r1_tensor_parameter(ctx, 1, (size_t[]){3}));
    CHECK_EQUAL_TEXT(r1_message_of(ctx), first);
    r1_error_clear(ctx);
    CHECK(r1_add(ctx, a, a) && r1_status_of(ctx) == R1_OK);
    CHECK(!r1_tensor_new(ctx, 5, (size_t[]){1, 1, 1, 1, 1}));
    CHECK(r1_status_of(ctx) == R1_ERROR_SHAPE);
    r1_context_free(ctx);
}

// ---- steps ----
TEST(ops_steps_reuse_their_memory) {
    const op_case what = {R1_OP_BALANCE, "whole layer", op_moe, {EIGHT, 9, 2, 65, 33}};
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 2});
    op_run run = {.what = &what};
    size_t now = 0, steady = 0;
    for (int step = 0; step < 100; step++) {
        r1_step_begin(ctx);
        run.kept_n = 0;
        r1_backward(ctx, what.build(ctx, &run, what.n));
        r1_step_end(ctx);
        r1_memory_used(ctx, &now, NULL);
        if (step == 3) steady = now;
        if (step > 3) CHECK_EQUAL_SIZE(now, steady);
    }
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_context_free(ctx);
}
// An outer step and an inner one for each micro-batch, where the inner ones outgrow the arena.
TEST(ops_steps_nest) {
    r1_context *ctx = ops_context();
    r1_step_begin(ctx);
    CHECK(r1_tensor_new(ctx, 1, (size_t[]){4}));
    r1_step_end(ctx);
    for (size_t round = 1; round <= 3; round++) {
        r1_step_begin(ctx);
        r1_tensor *kept = round == 3 ? r1_tensor_new(ctx, 1, (size_t[]){4}) : NULL;
        if (kept) kept->data[3] = 5;
        for (size_t micro = 1; micro <= 3; micro++) {
            r1_step_begin(ctx);
            for (int i = 0; i < 4; i++)
                CHECK(r1_tensor_new(ctx, 1, (size_t[]){100000 * micro * round}));
            r1_step_end(ctx);
        }
        CHECK(!kept || (kept->data[3] == 5 && kept->data[0] == 0));
        r1_step_end(ctx);
    }
    for (int i = 0; i < 40; i++) r1_step_begin(ctx);
    CHECK(r1_status_of(ctx) == R1_ERROR_ARGUMENT); // and not a write behind an array
    for (int i = 0; i < 40; i++) r1_step_end(ctx);
    r1_error_clear(ctx);
    CHECK(r1_tensor_new(ctx, 1, (size_t[]){4}));
    r1_context_free(ctx);
}
// A tensor that outlives a step must not keep the memory of that step as its gradient.
TEST(ops_constants_outlive_steps) {
    r1_context *ctx = ops_context();
    r1_tensor *constant = r1_tensor_new(ctx, 2, (size_t[]){3, 5});
    r1_tensor *p = ops_filled(ctx, 0, 3, 5, 0);
    CHECK(constant);
    op_fill(constant, 1);
    for (int step = 0; step < 2; step++) {
        r1_step_begin(ctx);
        r1_tensor *other = step ? r1_tensor_new(ctx, 1, (size_t[]){2000}) : NULL;
        r1_tensor *y = r1_add(ctx, r1_swiglu(ctx, p, constant), r1_swiglu(ctx, constant, p));
        r1_backward(ctx, r1_sum(ctx, r1_add(ctx, r1_mul(ctx, y, constant), y)));
        for (size_t i = 0; other && i < 2000; i++) CHECK(other->data[i] == 0);
        CHECK(!constant->wants_grad && !constant->grad);
        r1_step_end(ctx);
    }
    r1_context_free(ctx);
}
// Gradients of intermediate tensors stay in a step, so a second pass would count them twice: it is
// refused, and several outputs are seeded before the one pass.
TEST(ops_one_backward_a_step) {
    r1_context *ctx = ops_context();
    r1_tensor *p = ops_filled(ctx, 0, 3, 5, 0);
    float one = 1, three = 3;
    for (int pass = 1; pass <= 2; pass++) {
        r1_step_begin(ctx);
        r1_tensor *square = r1_mul(ctx, p, p), *sum = r1_sum(ctx, square);
        r1_seed(ctx, sum, &one), r1_seed(ctx, sum, &one);
        r1_backward_from(ctx, r1_sum(ctx, r1_mul(ctx, square, square)), &three);
        CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
        if (pass == 2) {
            r1_backward(ctx, r1_sum(ctx, square));
            CHECK(r1_status_of(ctx) == R1_ERROR_ARGUMENT);
            r1_error_clear(ctx);
        }
        r1_step_end(ctx);
        for (int i = 0; i < 15; i++) {
            double x = (double)p->data[i], slope = pass * (4 * x + 12 * x * x * x);
            CHECK_NEAR((double)p->grad[i], slope, 1e-5 * (1 + fabs(slope)));
        }
    }
    r1_seed(ctx, NULL, &one), r1_seed(ctx, p, NULL);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_context_free(ctx);
}
TEST(ops_no_grad_leaves_no_record) {
    r1_context *ctx = ops_context();
    r1_tensor *p = ops_filled(ctx, 0, 3, 5, 0);
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx), r1_no_grad_begin(ctx), r1_no_grad_end(ctx);
    r1_tensor *y = r1_sum(ctx, r1_mul(ctx, p, p));
    r1_no_grad_end(ctx);
    CHECK(y && !y->wants_grad && ctx->tape->count == 0);
    r1_backward(ctx, y);
    for (int i = 0; i < 15; i++) CHECK(p->grad[i] == 0);
    r1_backward(ctx, r1_sum(ctx, r1_add(ctx, y, r1_sum(ctx, p))));
    for (int i = 0; i < 15; i++) CHECK(p->grad[i] == 1);
    r1_step_end(ctx);
    r1_context_free(ctx);
}

// ---- golden numbers of PyTorch for single ops ----
typedef struct ops_golden {
    r1_context *ctx;
    r1_tensors *file;
    const char *op;
} ops_golden;
static const char *ops_golden_name(const ops_golden *g, const char *what) {
    static char name[80];
    snprintf(name, sizeof name, "%s/%s", g->op, what);
    return name;
}
static ops_golden ops_golden_open(const char *op) {
    ops_golden g = {ops_context(), NULL, op};
    g.file = golden_open(g.ctx, "extras");
    return g;
}
static r1_tensor *ops_golden_input(const ops_golden *g, const char *what) {
    return golden_parameter(g->ctx, g->file, ops_golden_name(g, what));
}
static void ops_golden_equal(const ops_golden *g, const float *got, size_t n, const char *what) {
    size_t count;
    const char *name = ops_golden_name(g, what);
    float *want = golden_floats(g->file, name, &count);
    CHECK_EQUAL_SIZE(n, count);
    golden_close(name, got, want, n, 2e-6);
}
// Runs the backward pass from the stored dy, and compares y and the gradients named in `inputs`.
static void ops_golden_back(const ops_golden *g, r1_tensor *y, const char *dy, r1_tensor *const *x,
                            const char *const *gradients, size_t n) {
    float *seed = golden_floats(g->file, ops_golden_name(g, dy), NULL);
    if (!y) test_stop(TEST_FAILED, "%s: %s", g->op, r1_message_of(g->ctx));
    r1_backward_from(g->ctx, y, seed);
    for (size_t i = 0; i < n; i++)
        ops_golden_equal(g, x[i]->grad, r1_tensor_count(x[i]), gradients[i]);
    CHECK_EQUAL_TEXT(r1_message_of(g->ctx), "");
}
static void ops_golden_close(ops_golden *g) {
    r1_tensors_close(g->file);
    r1_context_free(g->ctx);
}
TEST(ops_golden_rows) {
    ops_golden g = ops_golden_open("rmsnorm");
    r1_tensor *x[2] = {ops_golden_input(&g, "x"), ops_golden_input(&g, "gain")};
    r1_tensor *y = r1_rmsnorm(g.ctx, x[0], x[1], 1e-6);
    ops_golden_equal(&g, y->data, r1_tensor_count(y), "y");
    ops_golden_back(&g, y, "dy", x, (const char *const[]){"dx", "dgain"}, 2);
    ops_golden_close(&g);
    g = ops_golden_open("swiglu");
    x[0] = ops_golden_input(&g, "gate"), x[1] = ops_golden_input(&g, "up");
    y = r1_swiglu(g.ctx, x[0], x[1]);
    ops_golden_equal(&g, y->data, r1_tensor_count(y), "y");
    ops_golden_back(&g, y, "dy", x, (const char *const[]){"dgate", "dup"}, 2);
    ops_golden_close(&g);
}
TEST(ops_golden_rope) { // the library's own table, as models use it: GQA rotates halves, MLA pairs
    for (int halves = 0; halves < 2; halves++) {
        ops_golden g = ops_golden_open(halves ? "rope_half" : "rope_interleaved");
        r1_model_config config = {.vocab = 2,
                                  .width = 6,
                                  .layers = 1,
                                  .heads = 1,
                                  .max_tokens = 1001,
                                  .attention = R1_GQA,
                                  .head_dim = 6,
                                  .dense_width = 1};
        r1_model *model = r1_model_new(g.ctx, &config);
        r1_tensor *x = ops_golden_input(&g, "x");
        int32_t *positions = golden_ints(g.file, ops_golden_name(&g, "position"), NULL);
        CHECK(model);
        r1_tensor *y = r1_rope(g.ctx, x, positions, &model->rope, halves);
        ops_golden_equal(&g, y->data, r1_tensor_count(y), "y");
        ops_golden_back(&g, y, "dy", &x, (const char *const[]){"dx"}, 1);
        ops_golden_close(&g);
    }
}
TEST(ops_golden_attention) {
    for (int shared = 0; shared < 2; shared++) {
        ops_golden g = ops_golden_open(shared ? "attention_kv1" : "attention_kv3");
        r1_tensor *x[3] = {ops_golden_input(&g, "q"), ops_golden_input(&g, "k"),
                           ops_golden_input(&g, "v")};
        size_t B, *starts = golden_starts(g.file, ops_golden_name(&g, "starts"), &B);
        r1_tensor *y = r1_attention(g.ctx, x[0], x[1], x[2], starts, B, 1 / sqrt(7.0));
        ops_golden_equal(&g, y->data, r1_tensor_count(y), "y");
        ops_golden_back(&g, y, "dy", x, (const char *const[]){"dq", "dk", "dv"}, 3);
        ops_golden_close(&g);
    }
}
TEST(ops_golden_logprob) {
    ops_golden g = ops_golden_open("logprob");
    size_t T;
    r1_tensor *x[2] = {ops_golden_input(&g, "hidden"), ops_golden_input(&g, "head")};
    int32_t *targets = golden_ints(g.file, ops_golden_name(&g, "target"), &T);
    int32_t *best = golden_ints(g.file, ops_golden_name(&g, "argmax"), NULL);
    r1_logprobs *out = r1_logprob(g.ctx, x[0], x[1], targets, 0.7);
    CHECK(out && !memcmp(out->best, best, T * sizeof *best));
    ops_golden_equal(&g, out->logp->data, T, "logprob");
    ops_golden_equal(&g, out->entropy->data, T, "entropy");
    g.op = "logprob_only";
    ops_golden_back(&g, out->logp, "dlogprob", x, (const char *const[]){"dhidden", "dhead"}, 2);
    ops_golden_close(&g);
}
TEST(ops_golden_balance) {
    ops_golden g = ops_golden_open("balance");
    size_t B, *starts = golden_starts(g.file, ops_golden_name(&g, "starts"), &B);
    r1_tensor *s = ops_golden_input(&g, "s");
    float weight[8], ones[8], *loss = golden_floats(g.file, ops_golden_name(&g, "loss"), NULL);
    r1_routing routing = {.scores = s,
                          .T = s->shape[0],
                          .E = s->shape[1],
                          .K = 3,
                          .choice = golden_ints(g.file, ops_golden_name(&g, "chosen"), NULL)};
    for (size_t b = 0; b < B; b++) weight[b] = 0.01f / (float)B, ones[b] = 1;
    r1_tensor *y = r1_balance(g.ctx, &routing, starts, B, weight);
    CHECK(y && B == 3);
    r1_backward_from(g.ctx, y, ones);
    ops_golden_equal(&g, s->grad, r1_tensor_count(s), "ds");
    CHECK_NEAR((double)y->data[0] + (double)y->data[1] + (double)y->data[2], (double)*loss, 1e-8);
    for (size_t b = 0; b < B; b++) y->data[b] *= (float)B;
    ops_golden_equal(&g, y->data, B, "loss_per_sequence");
    ops_golden_close(&g);
}
TEST(ops_golden_bias_update) {
    ops_golden g = ops_golden_open("bias_update");
    r1_model_config config = {.vocab = 2,
                              .width = 4,
                              .layers = 1,
                              .heads = 1,
                              .max_tokens = 4,
                              .kv_rank = 2,
                              .nope_dim = 2,
                              .rope_dim = 2,
                              .value_dim = 2,
                              .experts = 7,
                              .chosen = 1,
                              .expert_width = 2};
    r1_model *model = r1_model_new(g.ctx, &config);
    CHECK(model);
    float *start = golden_floats(g.file, "bias_update/bias0", NULL);
    float *want = golden_floats(g.file, "bias_update/bias", NULL);
    int32_t *loads = golden_ints(g.file, "bias_update/loads", NULL);
    memcpy(r1_model_router_bias(model, 0), start, 7 * sizeof *start);
    for (int step = 0; step < 3; step++) {
        uint64_t load[7];
        for (int e = 0; e < 7; e++) load[e] = (uint64_t)loads[step * 7 + e];
        r1_model_balance_bias(model, load, 0.001);
        golden_close("bias", r1_model_router_bias(model, 0), want + step * 7, 7, 2e-7);
    }
    ops_golden_close(&g);
}
TEST(ops_golden_optimizer) {
    ops_golden g = ops_golden_open("adamw");
    float *p = golden_floats(g.file, "adamw/p0", NULL), m[17] = {0}, v[17] = {0};
    float *grads = golden_floats(g.file, "adamw/grads", NULL);
    float *want[3] = {golden_floats(g.file, "adamw/p", NULL),
                      golden_floats(g.file, "adamw/m", NULL),
                      golden_floats(g.file, "adamw/v", NULL)};
    r1_adamw_desc desc = {
        .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .decay = 0.1, .clip_norm = R1_OFF};
    for (int step = 0; step < 3; step++) {
        r1_range range = {p, grads + step * 17, m, v, 17, true};
        r1_adamw_step(g.ctx, &range, 1, &desc, 0.01, (uint64_t)step + 1);
        golden_close("adamw p", p, want[0] + step * 17, 17, 2e-7);
        golden_close("adamw m", m, want[1] + step * 17, 17, 5e-7);
        golden_close("adamw v", v, want[2] + step * 17, 17, 1e-6);
    }
    // Clipping shows in the first moment, which is (1 - beta1) of the clipped gradient.
    float *clipped = golden_floats(g.file, "clip/y", NULL);
    float *norm = golden_floats(g.file, "clip/norm", NULL);
    r1_range range = {p, golden_floats(g.file, "clip/g", NULL), m, v, 17, true};
    memset(m, 0, sizeof m);
    desc.clip_norm = 1;
    CHECK_NEAR(r1_adamw_step(g.ctx, &range, 1, &desc, 0, 1), (double)*norm, 1e-6);
    for (int i = 0; i < 17; i++) m[i] *= 10;
    golden_close("clip", m, clipped, 17, 2e-6);
    ops_golden_close(&g);
}
TEST(ops_golden_schedule) {
    ops_golden g = ops_golden_open("cosine");
    float *zero = golden_floats(g.file, "cosine/lr_from_zero", NULL);
    float *first = golden_floats(g.file, "cosine/lr_from_first", NULL);
    r1_schedule s = {.kind = R1_COSINE, .peak = 3e-4, .floor = 0.1, .warmup = 5, .steps = 23};
    for (uint64_t t = 0; t < 27; t++) {
        CHECK_NEAR(r1_schedule_value(&s, t), (double)zero[t], 2e-11);
        if (t < 5) CHECK_NEAR(r1_schedule_value(&s, t + 1), (double)first[t], 2e-11);
    }
    s = (r1_schedule){
        .kind = R1_LINEAR, .peak = 2, .floor = 0.5, .warmup = 2, .hold = 4, .steps = 8};
    static const double linear[] = {0, 1, 2, 2, 2, 1.75, 1.5, 1.25, 1, 1, 1};
    for (uint64_t t = 0; t < 11; t++) CHECK_NEAR(r1_schedule_value(&s, t), linear[t], 1e-15);
    s.kind = R1_CONSTANT;
    CHECK(r1_schedule_value(&s, 1) == 1 && r1_schedule_value(&s, 1000) == 2);
    s = (r1_schedule){.peak = 3};
    CHECK(r1_schedule_value(&s, 0) == 3);
    ops_golden_close(&g);
}
