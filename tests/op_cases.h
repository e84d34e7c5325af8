// op_cases.h - one list of cases for every op that has a gradient. The double build checks their
// gradients by finite differences, the float build compares CPU levels and threads bit for bit: an
// op gets both with one line here. Needs r1.h with its implementation and test.h.
#ifndef R1_OP_CASES_H
#define R1_OP_CASES_H

enum { OP_PARAMETERS = 6, OP_NUMBERS = 7, OP_KEPT = 4, OP_STREAM = R1_STREAM_USER + 7 };

// A case at work: its parameters, made at the first build and used again at the later ones.
typedef struct op_run {
    const struct op_case *what;
    r1_tensor *p[OP_PARAMETERS];
    size_t n;
    struct {
        const void *data;
        size_t bytes;
    } kept[OP_KEPT]; // results besides the output, to be compared as well
    size_t kept_n;
    int32_t *ids; // an array that must outlive the backward pass
} op_run;

typedef struct op_case {
    r1_op op;
    const char *name;
    r1_tensor *(*build)(r1_context *ctx, op_run *run, const size_t *n);
    size_t n[OP_NUMBERS];
} op_case;

// Normal numbers that depend on the place only, so that two contexts get the same. They repeat
// after a prime number of elements, because drawing them would cost more than the ops.
static void op_fill(r1_tensor *x, uint32_t sample) {
    enum { PERIOD = 3001 };
    r1_random at = {.seed = 5, .stream = OP_STREAM, .sample = sample};
    size_t n = r1_tensor_count(x);
    for (size_t i = 0; i < n; i++)
        x->data[i] = i < PERIOD ? (r1i_real)r1_random_normal(&at) : x->data[i - PERIOD];
}
static r1_tensor *op_shaped(r1_context *ctx, bool parameter, size_t a, size_t b, size_t c) {
    size_t shape[3] = {a, b, c};
    int rank = c ? 3 : b ? 2 : 1;
    return parameter ? r1_tensor_parameter(ctx, rank, shape) : r1_tensor_new(ctx, rank, shape);
}
// Parameter `i` of a case; c = 0 and b = 0 leave dimensions out.
static r1_tensor *op_parameter(r1_context *ctx, op_run *run, size_t i, size_t a, size_t b,
                               size_t c) {
    if (run->p[i]) return run->p[i];
    run->p[i] = op_shaped(ctx, true, a, b, c);
    CHECK(run->p[i]);
    op_fill(run->p[i], (uint32_t)i);
    if (run->n < i + 1) run->n = i + 1;
    return run->p[i];
}
// A tensor without gradient.
static r1_tensor *op_constant(r1_context *ctx, uint32_t sample, size_t a, size_t b, size_t c) {
    r1_tensor *x = op_shaped(ctx, false, a, b, c);
    CHECK(x);
    op_fill(x, 1000 + sample);
    return x;
}
static void op_keep(op_run *run, const void *data, size_t bytes) {
    CHECK(run->kept_n < OP_KEPT);
    run->kept[run->kept_n].data = data;
    run->kept[run->kept_n++].bytes = bytes;
}
// n ids below `below`, with repeats.
static const int32_t *op_ids(op_run *run, size_t n, size_t below) {
    if (run->ids) return run->ids;
    r1_random at = {.seed = 6, .stream = OP_STREAM};
    run->ids = (int32_t *)malloc((n + 1) * sizeof *run->ids);
    CHECK(run->ids);
    for (size_t i = 0; i < n; i++) run->ids[i] = (int32_t)r1_random_below(&at, (uint32_t)below);
    return run->ids;
}

// Ways to pack sequences: alone, with empty ones, with ones of length 1, many long ones.
typedef struct op_layout {
    size_t B, starts[13];
} op_layout;
enum { ALONE_1, ALONE_3, ALONE_17, ALONE_65, EMPTIES, ONES, MIXED, MANY, EIGHT };
static const op_layout op_layouts[] = {
    [ALONE_1] = {1, {0, 1}},
    [ALONE_3] = {1, {0, 3}},
    [ALONE_17] = {1, {0, 17}},
    [ALONE_65] = {1, {0, 65}},
    [EMPTIES] = {6, {0, 0, 1, 4, 4, 21, 21}},
    [ONES] = {5, {0, 1, 2, 3, 4, 5}},
    [MIXED] = {4, {0, 17, 18, 35, 38}},
    [MANY] = {11, {0, 100, 200, 300, 301, 420, 520, 520, 640, 800, 970, 1100}},
    [EIGHT] = {8, {0, 65, 130, 180, 245, 310, 311, 376, 441}},
};

static r1_tensor *op_embed(r1_context *ctx, op_run *run, const size_t *n) { // T V C
    return r1_embed(ctx, op_parameter(ctx, run, 0, n[1], n[2], 0), op_ids(run, n[0], n[1]), n[0]);
}
static r1_tensor *op_matmul(r1_context *ctx, op_run *run, const size_t *n) { // T I O bias
    r1_tensor *x = op_parameter(ctx, run, 0, n[0], n[1], 0);
    r1_tensor *w = op_parameter(ctx, run, 1, n[2], n[1], 0);
    return r1_matmul(ctx, x, w, n[3] ? op_parameter(ctx, run, 2, n[2], 0, 0) : NULL);
}
static r1_tensor *op_tied(r1_context *ctx, op_run *run, const size_t *n) { // T V C: one table twice
    r1_tensor *table = op_parameter(ctx, run, 0, n[1], n[2], 0);
    r1_tensor *x = r1_embed(ctx, table, op_ids(run, n[0], n[1]), n[0]);
    return r1_matmul(ctx, x, table, NULL);
}
static r1_tensor *op_head(r1_context *ctx, op_run *run, const size_t *n) { // T H P Q from count up
    r1_tensor *x = op_parameter(ctx, run, 0, n[0], n[1], n[6] ? n[5] : n[3]);
    return r1_head_matmul(ctx, x, op_parameter(ctx, run, 1, n[1], n[2], n[3]), n[4], n[5],
                          n[6] != 0);
}
// A routing whose choices are given: expert e with e mod 3 == 1 gets no row when there is room.
static r1_routing *op_routing(r1_context *ctx, r1_tensor *logits, size_t K) {
    size_t T = logits->shape[0], E = logits->shape[1], used = 0, open[80];
    int32_t *replay = (int32_t *)r1i_step_alloc(ctx, T * K, sizeof *replay);
    r1_random at = {.seed = 7, .stream = OP_STREAM};
    CHECK(replay && E < 80);
    for (size_t e = 0; e < E; e++)
        if (e % 3 != 1 || E < 2 * K) open[used++] = e;
    for (size_t t = 0; t < T; t++) { // K different ones, ascending
        size_t left = K, k = 0;
        for (size_t i = 0; i < used && left; i++)
            if (used - i == left || r1_random_below(&at, (uint32_t)(used - i)) < left)
                replay[t * K + k++] = (int32_t)open[i], left--;
    }
    r1_route_desc desc = {.chosen = K, .scale = 2.5, .normalise = true};
    return r1_route(ctx, logits, NULL, &desc, replay);
}
static r1_tensor *op_expert(r1_context *ctx, op_run *run, const size_t *n) { // T I O E K
    r1_routing *routing = op_routing(ctx, op_constant(ctx, 1, n[0], n[3], 0), n[4]);
    r1_tensor *x = op_parameter(ctx, run, 0, n[0] * n[4], n[1], 0);
    return r1_expert_matmul(ctx, x, op_parameter(ctx, run, 1, n[3], n[2], n[1]), routing);
}
static r1_tensor *op_add(r1_context *ctx, op_run *run, const size_t *n) { // T C same
    r1_tensor *a = op_parameter(ctx, run, 0, n[0], n[1], 0);
    return r1_add(ctx, a, n[2] ? a : op_parameter(ctx, run, 1, n[0], n[1], 0));
}
static r1_tensor *op_mul(r1_context *ctx, op_run *run, const size_t *n) { // T C same
    r1_tensor *a = op_parameter(ctx, run, 0, n[0], n[1], 0);
    return r1_mul(ctx, a, n[2] ? a : op_parameter(ctx, run, 1, n[0], n[1], 0));
}
static r1_tensor *op_sum(r1_context *ctx, op_run *run, const size_t *n) { // T C
    r1_tensor *a = op_parameter(ctx, run, 0, n[0], n[1], 0), *y = r1_sum(ctx, a);
    return r1_mul(ctx, y, y);
}
static r1_tensor *op_slice(r1_context *ctx, op_run *run, const size_t *n) { // T C from count
    return r1_columns(ctx, op_parameter(ctx, run, 0, n[0], n[1], 0), n[2], n[3]);
}
static r1_tensor *op_join(r1_context *ctx, op_run *run, const size_t *n) { // T H A W b_heads
    r1_tensor *a = op_parameter(ctx, run, 0, n[0], n[1], n[2]);
    return r1_join(ctx, a, op_parameter(ctx, run, 1, n[0], n[4], n[3]));
}
static r1_tensor *op_rmsnorm(r1_context *ctx, op_run *run, const size_t *n) { // T C
    r1_tensor *x = op_parameter(ctx, run, 0, n[0], n[1], 0);
    return r1_rmsnorm(ctx, x, op_parameter(ctx, run, 1, n[1], 0, 0), 1e-2);
}
static r1_tensor *op_swiglu(r1_context *ctx, op_run *run, const size_t *n) { // T C
    r1_tensor *gate = op_parameter(ctx, run, 0, n[0], n[1], 0);
    return r1_swiglu(ctx, gate, op_parameter(ctx, run, 1, n[0], n[1], 0));
}
static r1_tensor *op_rope(r1_context *ctx, op_run *run, const size_t *n) { // T H D halves
    enum { POSITIONS = 50 };
    r1i_real *table = (r1i_real *)r1i_step_alloc(ctx, 2 * POSITIONS * n[2], sizeof *table);
    CHECK(table);
    r1i_real *sine = table + POSITIONS * n[2];
    for (size_t i = 0; i < POSITIONS * n[2] / 2; i++) {
        double angle =
            (double)(i / (n[2] / 2)) * pow(100, -(double)(i % (n[2] / 2)) / (double)n[2]);
        table[i] = (r1i_real)cos(angle), sine[i] = (r1i_real)sin(angle);
    }
    r1_rope_table rope = {table, sine, POSITIONS, n[2]};
    r1_tensor *x = op_parameter(ctx, run, 0, n[0], n[1], n[2]);
    return r1_rope(ctx, x, op_ids(run, n[0], POSITIONS), &rope, n[3] != 0);
}
static r1_tensor *op_attention(r1_context *ctx, op_run *run, const size_t *n) { // layout H Hk D W
    const op_layout *layout = &op_layouts[n[0]];
    size_t T = layout->starts[layout->B];
    r1_tensor *q = op_parameter(ctx, run, 0, T, n[1], n[3]);
    r1_tensor *k = op_parameter(ctx, run, 1, T, n[2], n[3]);
    r1_tensor *v = op_parameter(ctx, run, 2, T, n[2], n[4]);
    return r1_attention(ctx, q, k, v, layout->starts, layout->B, 0.6);
}
static r1_tensor *op_self(r1_context *ctx, op_run *run, const size_t *n) { // layout H D: q = k = v
    const op_layout *layout = &op_layouts[n[0]];
    r1_tensor *x = op_parameter(ctx, run, 0, layout->starts[layout->B], n[1], n[2]);
    return r1_attention(ctx, x, x, x, layout->starts, layout->B, 0.5);
}
static r1_tensor *op_views(r1_context *ctx, op_run *run, const size_t *n) { // T H D: reshaped twice
    r1_tensor *x = op_parameter(ctx, run, 0, n[0], n[1] * n[2], 0);
    r1_tensor *y = r1_mul(ctx, x, x);
    r1_tensor *heads = r1_tensor_reshape(ctx, y, 3, (size_t[]){n[0], n[1], n[2]});
    r1_tensor *flat = r1_tensor_reshape(ctx, heads, 2, (size_t[]){n[0], n[1] * n[2]});
    return r1_add(ctx, r1_mul(ctx, flat, y), r1_swiglu(ctx, x, flat));
}
enum { NORMALISE = 1, SOFTMAX = 2 };
static r1_tensor *op_route(r1_context *ctx, op_run *run,
                           const size_t *n) { // T E K groups kept flags
    r1_tensor *logits = op_parameter(ctx, run, 0, n[0], n[1], 0);
    r1_tensor *bias = op_constant(ctx, 2, n[1], 0, 0);
    for (size_t e = 0; e < n[1]; e++) bias->data[e] = bias->data[e] * (r1i_real)0.3 - 1;
    r1_route_desc desc = {.chosen = n[2],
                          .groups = n[3],
                          .kept = n[4],
                          .scale = 2.5,
                          .normalise = n[5] & NORMALISE,
                          .softmax = n[5] & SOFTMAX};
    r1_routing *routing = r1_route(ctx, logits, bias->data, &desc, NULL);
    if (!routing) return NULL;
    op_keep(run, routing->choice, n[0] * n[2] * sizeof(int32_t));
    op_keep(run, routing->scores->data, n[0] * n[1] * sizeof(r1i_real));
    return routing->gates;
}
static r1_tensor *op_dispatch(r1_context *ctx, op_run *run, const size_t *n) { // T E K C
    r1_routing *routing = op_routing(ctx, op_constant(ctx, 3, n[0], n[1], 0), n[2]);
    return r1_dispatch(ctx, op_parameter(ctx, run, 0, n[0], n[3], 0), routing);
}
static r1_tensor *op_combine(r1_context *ctx, op_run *run, const size_t *n) { // T E K C
    r1_routing *routing = op_routing(ctx, op_parameter(ctx, run, 0, n[0], n[1], 0), n[2]);
    return r1_combine(ctx, op_parameter(ctx, run, 1, n[0] * n[2], n[3], 0), routing);
}
static r1_tensor *op_balance(r1_context *ctx, op_run *run, const size_t *n) { // layout E K
    const op_layout *layout = &op_layouts[n[0]];
    r1i_real weight[16];
    for (size_t b = 0; b < layout->B; b++) weight[b] = (r1i_real)(0.3 + 0.2 * (double)b);
    r1_tensor *logits = op_parameter(ctx, run, 0, layout->starts[layout->B], n[1], 0);
    r1_routing *routing = op_routing(ctx, logits, n[2]);
    return r1_balance(ctx, routing, layout->starts, layout->B, weight);
}
static r1_tensor *op_logprob(r1_context *ctx, op_run *run, const size_t *n) { // T C V
    r1_tensor *hidden = op_parameter(ctx, run, 0, n[0], n[1], 0);
    r1_tensor *head = op_parameter(ctx, run, 1, n[2], n[1], 0);
    r1_logprobs *out = r1_logprob(ctx, hidden, head, op_ids(run, n[0], n[2]), 0.7);
    if (!out) return NULL;
    op_keep(run, out->entropy->data, n[0] * sizeof(r1i_real));
    op_keep(run, out->best, n[0] * sizeof(int32_t));
    return out->logp;
}
// Everything of a mixture-of-experts layer at once, the balance loss included.
static r1_tensor *op_moe(r1_context *ctx, op_run *run, const size_t *n) { // layout E K C W
    const op_layout *layout = &op_layouts[n[0]];
    r1i_real weight[16];
    for (size_t b = 0; b < layout->B; b++) weight[b] = (r1i_real)0.7;
    r1_tensor *x = op_parameter(ctx, run, 0, layout->starts[layout->B], n[3], 0);
    r1_tensor *logits = r1_matmul(ctx, x, op_parameter(ctx, run, 1, n[1], n[3], 0), NULL);
    r1_routing *routing = op_routing(ctx, logits, n[2]);
    r1_tensor *rows = r1_dispatch(ctx, x, routing);
    r1_tensor *gate =
        r1_expert_matmul(ctx, rows, op_parameter(ctx, run, 2, n[1], n[4], n[3]), routing);
    r1_tensor *up =
        r1_expert_matmul(ctx, rows, op_parameter(ctx, run, 3, n[1], n[4], n[3]), routing);
    r1_tensor *down = op_parameter(ctx, run, 4, n[1], n[3], n[4]);
    r1_tensor *y = r1_expert_matmul(ctx, r1_swiglu(ctx, gate, up), down, routing);
    y = r1_sum(ctx, r1_mul(ctx, r1_combine(ctx, y, routing), x));
    return r1_add(ctx, y, r1_sum(ctx, r1_balance(ctx, routing, layout->starts, layout->B, weight)));
}

static const op_case op_cases[] = {
    {R1_OP_EMBED, "embed", op_embed, {17, 3, 1}},
    {R1_OP_EMBED, "embed", op_embed, {3, 65, 17}},
    {R1_OP_MATMUL, "matmul", op_matmul, {1, 1, 1, 1}},
    {R1_OP_MATMUL, "matmul", op_matmul, {3, 65, 17, 1}},
    {R1_OP_MATMUL, "matmul", op_matmul, {17, 3, 65, 0}},
    {R1_OP_MATMUL, "matmul", op_matmul, {65, 17, 3, 1}},
    {R1_OP_MATMUL, "tied", op_tied, {17, 5, 3}},
    {R1_OP_HEAD_MATMUL, "head_matmul up", op_head, {3, 1, 1, 1, 0, 1, 1}},
    {R1_OP_HEAD_MATMUL, "head_matmul up", op_head, {17, 3, 5, 17, 1, 3, 1}},
    {R1_OP_HEAD_MATMUL, "head_matmul up", op_head, {1, 2, 67, 3, 2, 65, 1}},
    {R1_OP_HEAD_MATMUL, "head_matmul down", op_head, {17, 3, 5, 17, 2, 3, 0}},
    {R1_OP_HEAD_MATMUL, "head_matmul down", op_head, {3, 2, 66, 3, 1, 65, 0}},
    {R1_OP_EXPERT_MATMUL, "expert_matmul", op_expert, {1, 3, 1, 5, 1}},
    {R1_OP_EXPERT_MATMUL, "expert_matmul", op_expert, {17, 3, 17, 7, 2}},
    {R1_OP_EXPERT_MATMUL, "expert_matmul", op_expert, {3, 17, 3, 9, 3}},
    {R1_OP_EXPERT_MATMUL, "expert_matmul", op_expert, {65, 3, 5, 4, 1}},
    {R1_OP_ADD, "add", op_add, {3, 17, 0}},
    {R1_OP_ADD, "add, same twice", op_add, {1, 65, 1}},
    {R1_OP_MUL, "mul", op_mul, {17, 3, 0}},
    {R1_OP_MUL, "mul, same twice", op_mul, {65, 1, 1}},
    {R1_OP_SUM, "sum", op_sum, {1, 1}},
    {R1_OP_SUM, "sum", op_sum, {3, 17}},
    {R1_OP_SUM, "sum", op_sum, {65, 1}},
    {R1_OP_SLICE, "slice", op_slice, {1, 3, 2, 1}},
    {R1_OP_SLICE, "slice", op_slice, {3, 65, 1, 17}},
    {R1_OP_SLICE, "slice", op_slice, {17, 17, 0, 17}},
    {R1_OP_JOIN, "join", op_join, {3, 3, 17, 1, 3}},
    {R1_OP_JOIN, "join, shared part", op_join, {17, 3, 1, 3, 1}},
    {R1_OP_JOIN, "join, one head", op_join, {1, 1, 3, 65, 1}},
    {R1_OP_RMSNORM, "rmsnorm", op_rmsnorm, {3, 1}},
    {R1_OP_RMSNORM, "rmsnorm", op_rmsnorm, {17, 3}},
    {R1_OP_RMSNORM, "rmsnorm", op_rmsnorm, {3, 17}},
    {R1_OP_RMSNORM, "rmsnorm", op_rmsnorm, {1, 65}},
    {R1_OP_RMSNORM, "rmsnorm, rows by four", op_rmsnorm, {17, 65}},
    {R1_OP_RMSNORM, "rmsnorm, rows by four", op_rmsnorm, {7, 17}},
    {R1_OP_ROPE, "rope, pairs", op_rope, {1, 1, 2, 0}},
    {R1_OP_ROPE, "rope, pairs", op_rope, {17, 3, 6, 0}},
    {R1_OP_ROPE, "rope, halves", op_rope, {3, 1, 66, 1}},
    {R1_OP_ROPE, "rope, halves", op_rope, {17, 3, 6, 1}},
    {R1_OP_SWIGLU, "swiglu", op_swiglu, {1, 1}},
    {R1_OP_SWIGLU, "swiglu", op_swiglu, {3, 17}},
    {R1_OP_SWIGLU, "swiglu", op_swiglu, {1, 65}},
    {R1_OP_ATTENTION, "attention", op_attention, {ALONE_1, 1, 1, 1, 1}},
    {R1_OP_ATTENTION, "attention", op_attention, {ALONE_3, 3, 3, 17, 3}},
    {R1_OP_ATTENTION, "attention, shared", op_attention, {ALONE_17, 3, 1, 3, 5}},
    {R1_OP_ATTENTION, "attention", op_attention, {ALONE_65, 1, 1, 3, 1}},
    {R1_OP_ATTENTION, "attention, empty ones", op_attention, {EMPTIES, 4, 2, 3, 1}},
    {R1_OP_ATTENTION, "attention, length 1", op_attention, {ONES, 6, 2, 1, 17}},
    {R1_OP_ATTENTION, "attention, mixed", op_attention, {MIXED, 2, 1, 1, 3}},
    {R1_OP_ATTENTION, "attention, same thrice", op_self, {MIXED, 2, 3}},
    {R1_OP_ATTENTION, "views", op_views, {3, 3, 5}},
    {R1_OP_ROUTE, "route", op_route, {1, 1, 1, 1, 1, 0}},
    {R1_OP_ROUTE, "route", op_route, {17, 17, 3, 1, 1, NORMALISE}},
    {R1_OP_ROUTE, "route, not normalised", op_route, {3, 65, 3, 1, 1, 0}},
    {R1_OP_ROUTE, "route, groups", op_route, {17, 12, 3, 4, 2, NORMALISE}},
    {R1_OP_ROUTE, "route, groups of one", op_route, {3, 3, 1, 3, 2, 0}},
    {R1_OP_ROUTE, "route, softmax", op_route, {17, 17, 3, 1, 1, SOFTMAX}},
    {R1_OP_ROUTE, "route, softmax groups", op_route, {3, 12, 2, 3, 1, SOFTMAX | NORMALISE}},
    {R1_OP_DISPATCH, "dispatch", op_dispatch, {1, 3, 1, 1}},
    {R1_OP_DISPATCH, "dispatch", op_dispatch, {17, 9, 3, 3}},
    {R1_OP_COMBINE, "combine", op_combine, {1, 1, 1, 1}},
    {R1_OP_COMBINE, "combine", op_combine, {17, 9, 3, 17}},
    {R1_OP_COMBINE, "combine", op_combine, {3, 17, 2, 65}},
    {R1_OP_BALANCE, "balance", op_balance, {ALONE_1, 3, 1}},
    {R1_OP_BALANCE, "balance, empty ones", op_balance, {EMPTIES, 9, 3}},
    {R1_OP_BALANCE, "balance", op_balance, {MIXED, 17, 2}},
    {R1_OP_BALANCE, "whole layer", op_moe, {EMPTIES, 5, 2, 3, 3}},
    {R1_OP_LOGPROB, "logprob", op_logprob, {1, 1, 1}},
    {R1_OP_LOGPROB, "logprob", op_logprob, {3, 17, 65}},
    {R1_OP_LOGPROB, "logprob", op_logprob, {17, 3, 17}},
    {R1_OP_LOGPROB, "logprob", op_logprob, {65, 1, 3}},
    {R1_OP_LOGPROB, "logprob", op_logprob, {1, 3, 131}},
};
enum { OP_CASES = sizeof op_cases / sizeof op_cases[0] };

// Ops without a case, and where they are tested instead.
typedef struct op_exception {
    r1_op op;
    const char *reason;
} op_exception;
static const op_exception op_exceptions[] = {
    {R1_OP_SAMPLE, "draws a token, has no gradient: tests of [generate]"},
    {R1_OP_ADAMW, "an update, has no gradient: against a double reference in test_ops.c"},
};
static const char *op_case_text(const op_case *what) {
    static char text[160];
    int at = snprintf(text, sizeof text, "%s", what->name);
    for (int i = 0; i < OP_NUMBERS && at > 0 && at < 140; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " %zu", what->n[i]);
    return text;
}
TEST(ops_all_have_a_case) {
    for (int op = 0; op < R1_OP_COUNT; op++) {
        bool found = false;
        for (size_t i = 0; i < OP_CASES; i++) found = found || (int)op_cases[i].op == op;
        for (size_t i = 0; i < sizeof op_exceptions / sizeof op_exceptions[0]; i++)
            found = found || ((int)op_exceptions[i].op == op && *op_exceptions[i].reason);
        if (!found) test_stop(TEST_FAILED, "op %s has no case", r1i_op_rows[op].name);
    }
}
#endif // R1_OP_CASES_H
