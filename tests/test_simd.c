// Every inner kernel of every level that this machine can run, against the scalar room, bit by bit.

// Operands live between guards of NaN: a lane that uses or writes what lies past an edge shows.
// Under the address sanitizer there is no guard, so that reading past an edge is enough to fail.
#if defined __SANITIZE_ADDRESS__
enum { SIMD_GUARD = 0 };
#elif defined __has_feature
#if __has_feature(address_sanitizer)
enum { SIMD_GUARD = 0 };
#else
enum { SIMD_GUARD = 48 };
#endif
#else
enum { SIMD_GUARD = 48 };
#endif
typedef struct simd_buffer {
    float *block, *at;
    size_t n;
} simd_buffer;

static r1_random simd_random = {.seed = 11, .stream = R1_STREAM_USER};

static simd_buffer simd_new(size_t n, size_t shift) {
    simd_buffer b = {.n = n};
    b.block = (float *)malloc((n + 2 * SIMD_GUARD + shift) * sizeof(float));
    b.at = b.block + SIMD_GUARD + shift; // shift breaks the alignment
    for (size_t i = 0; i < n + 2 * SIMD_GUARD + shift; i++) b.block[i] = r1i_float(0x7fc12345u);
    for (size_t i = 0; i < n; i++) b.at[i] = 2 * r1_random_unit(&simd_random) - 1;
    return b;
}
static simd_buffer simd_copy(const simd_buffer *a) {
    simd_buffer b = simd_new(a->n, 1);
    memcpy(b.at, a->at, a->n * sizeof(float));
    return b;
}
static bool simd_guards_hold(const simd_buffer *b) {
    for (const float *p = b->block; p < b->at; p++)
        if (r1i_bits(*p) != 0x7fc12345u) return false;
    const float *end = b->at + b->n;
    for (const float *p = end; p < end + SIMD_GUARD; p++)
        if (r1i_bits(*p) != 0x7fc12345u) return false;
    return true;
}
// Equal bits everywhere, except that any NaN equals any other.
static bool simd_same(const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (r1i_bits(a[i]) != r1i_bits(b[i]) && (a[i] == a[i] || b[i] == b[i])) return false;
    return true;
}
static bool simd_equal(const simd_buffer *a, const simd_buffer *b) {
    return simd_same(a->at, b->at, a->n) && simd_guards_hold(a) && simd_guards_hold(b);
}
static void simd_free(simd_buffer *b) { free(b->block); }

// The levels above scalar that can run here, one after the other. NEON is what AUTO means on ARM.
static const r1i_rows *simd_next(int *level) {
    for (++*level; *level < R1_CPU_LEVEL_COUNT; ++*level) {
        const r1i_rows *rows = r1i_rows_of(*level);
        if (rows && rows != &r1i_rows_scalar) return rows;
    }
    return NULL;
}
#define SIMD_EACH_LEVEL(rows)                                                                      \
    int level = R1I_NEON ? R1_CPU_AUTO - 1 : R1_CPU_SCALAR;                                        \
    for (const r1i_rows *rows; (rows = simd_next(&level)) != NULL;)

static const size_t simd_sizes[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 65, 100, 257};
enum { SIMD_SIZES = sizeof simd_sizes / sizeof *simd_sizes };

// Numbers that go wrong when anything does: specials, denormals, ties, large and small values.
static void simd_fill_special(float *p, size_t n) {
    static const uint32_t special[] = {
        0x00000000u, 0x80000000u, 0x7f800000u, 0xff800000u, 0x7fc00000u, 0x00000001u,
        0x80000001u, 0x007fffffu, 0x00800000u, 0x7f7fffffu, 0xff7fffffu, 0x3f800000u,
        0x42b17218u, 0xc2cff1b5u, 0xc2aeac50u, 0x42d00000u, 0xc2d00000u, 0x3f3504f3u};
    for (size_t i = 0; i < n; i++) {
        uint32_t draw = r1_random_u32(&simd_random);
        p[i] = draw % 3 == 0 ? r1i_float(special[draw / 3 % 18])
                             : r1i_float(r1_random_u32(&simd_random));
    }
}

// ---- gemm ----
typedef struct simd_case {
    size_t M, N, K, m0, m1, n0, n1, pad;
    bool a_transposed, b_transposed, accumulate, bias;
} simd_case;

static void simd_check_gemm(const r1i_rows *rows, const simd_case *s) {
    size_t lda = (s->a_transposed ? s->M : s->K) + s->pad;
    size_t ldb = (s->b_transposed ? s->K : s->N) + s->pad, ldc = s->N + s->pad;
    simd_buffer a = simd_new(s->a_transposed ? s->K * lda : s->M * lda, 3);
    simd_buffer b = simd_new(s->b_transposed ? s->N * ldb : s->K * ldb, 1);
    simd_buffer bias = simd_new(s->N, 2), c = simd_new(s->M * ldc, 5), other = simd_copy(&c);
    // What lies between the rows must not matter.
    for (size_t i = 0; i < a.n; i++)
        if (i % lda >= lda - s->pad) a.at[i] = r1i_float(0x7fc00000u);
    for (size_t i = 0; i < b.n; i++)
        if (i % ldb >= ldb - s->pad) b.at[i] = r1i_float(0x7fc00000u);
    float *scratch = (float *)aligned_alloc(64, R1I_GEMM_SCRATCH * sizeof(float));
    for (size_t i = 0; i < R1I_GEMM_SCRATCH; i++) scratch[i] = r1i_float(0x7fc00000u);
    r1i_gemm job = {.M = s->M,
                    .N = s->N,
                    .K = s->K,
                    .lda = lda,
                    .ldb = ldb,
                    .ldc = ldc,
                    .a = a.at,
                    .b = b.at,
                    .bias = s->bias ? bias.at : NULL,
                    .c = c.at,
                    .a_transposed = s->a_transposed,
                    .b_transposed = s->b_transposed,
                    .accumulate = s->accumulate};
    r1i_gemm_scalar(&job, s->m0, s->m1, s->n0, s->n1, NULL);
    job.c = other.at;
    rows->gemm(&job, s->m0, s->m1, s->n0, s->n1, scratch);
    if (!simd_equal(&c, &other) || !simd_guards_hold(&a) || !simd_guards_hold(&b))
        test_stop(TEST_FAILED,
                  "%s gemm %zux%zux%zu rows %zu..%zu columns %zu..%zu a^T %d b^T %d "
                  "accumulate %d bias %d pad %zu",
                  rows->name, s->M, s->N, s->K, s->m0, s->m1, s->n0, s->n1, s->a_transposed,
                  s->b_transposed, s->accumulate, s->bias, s->pad);
    simd_free(&a), simd_free(&b), simd_free(&bias), simd_free(&c), simd_free(&other);
    free(scratch);
}
static void simd_check_kinds(const r1i_rows *rows, simd_case s) {
    for (int kind = 0; kind < 12; kind++) {
        s.a_transposed = kind & 1, s.b_transposed = kind & 2;
        s.accumulate = kind / 4 == 1, s.bias = kind / 4 == 2;
        simd_check_gemm(rows, &s);
    }
}
TEST(simd_gemm_equals_scalar) {
    SIMD_EACH_LEVEL(rows) {
        for (int i = 0; i < 150; i++) {
            simd_case s = {.M = 1 + r1_random_below(&simd_random, i % 3 ? 20 : 80),
                           .N = 1 + r1_random_below(&simd_random, i % 4 ? 40 : 270),
                           .K = r1_random_below(&simd_random, i % 5 ? 40 : 150),
                           .pad = r1_random_below(&simd_random, 3) * 3};
            s.m0 = r1_random_below(&simd_random, (uint32_t)s.M);
            s.m1 = s.m0 + 1 + r1_random_below(&simd_random, (uint32_t)(s.M - s.m0));
            s.n0 = r1_random_below(&simd_random, (uint32_t)s.N);
            s.n1 = s.n0 + 1 + r1_random_below(&simd_random, (uint32_t)(s.N - s.n0));
            s.n1 = r1i_min(s.n1, s.n0 + R1I_GEMM_NC);
            simd_check_kinds(rows, s);
        }
    }
}
TEST(simd_gemm_every_row_count) {
    SIMD_EACH_LEVEL(rows)
    for (size_t M = 1; M <= 64; M++)
        simd_check_kinds(rows, (simd_case){.M = M, .N = 49, .K = 35, .m1 = M, .n1 = 49});
}
TEST(simd_gemm_deep_and_full_tiles) {
    SIMD_EACH_LEVEL(rows) {
        const size_t depth = 2 * R1I_GEMM_KC + 5;
        simd_check_kinds(rows, (simd_case){.M = 3, .N = 19, .K = depth, .m1 = 3, .n1 = 19});
        simd_check_kinds(rows, (simd_case){.M = 40, .N = 19, .K = depth, .m1 = 40, .n1 = 19});
        simd_check_kinds(rows, (simd_case){.M = 90,
                                           .N = R1I_GEMM_NC + 20,
                                           .K = 33,
                                           .m0 = 2,
                                           .m1 = 90,
                                           .n0 = 20,
                                           .n1 = R1I_GEMM_NC + 20,
                                           .pad = 7});
        simd_check_kinds(rows,
                         (simd_case){.M = 5, .N = R1I_GEMM_NC, .K = 0, .m1 = 5, .n1 = R1I_GEMM_NC});
    }
}
TEST(simd_gemm_keeps_special_values) {
    SIMD_EACH_LEVEL(rows) {
        float a[4 * 5], b[5 * 20], c[80], other[80], *scratch;
        scratch = (float *)aligned_alloc(64, R1I_GEMM_SCRATCH * sizeof(float));
        for (int i = 0; i < 50; i++) {
            simd_fill_special(a, 20), simd_fill_special(b, 100), simd_fill_special(c, 80);
            memcpy(other, c, sizeof c);
            r1i_gemm job = {.M = 4,
                            .N = 20,
                            .K = 5,
                            .lda = 5,
                            .ldb = 20,
                            .ldc = 20,
                            .a = a,
                            .b = b,
                            .c = c,
                            .accumulate = true};
            r1i_gemm_scalar(&job, 0, 4, 0, 20, NULL);
            job.c = other;
            rows->gemm(&job, 0, 4, 0, 20, scratch);
            CHECK(simd_same(c, other, 80));
        }
        free(scratch);
    }
}

// ---- norm ----
static void simd_check_norm(const r1i_rows *rows, size_t T, size_t C, bool special) {
    simd_buffer x = simd_new(T * C, 1), gain = simd_new(C, 2), dy = simd_new(T * C, 3);
    simd_buffer y[2], scale[2], dx[2], dgain[2];
    if (special) simd_fill_special(x.at, x.n), simd_fill_special(dy.at, dy.n);
    dx[0] = simd_new(T * C, 0), dgain[0] = simd_new(C, 0), y[0] = simd_new(T * C, 0);
    scale[0] = simd_new(T, 0);
    dx[1] = simd_copy(dx), dgain[1] = simd_copy(dgain), y[1] = simd_copy(y);
    scale[1] = simd_copy(scale);
    for (int i = 0; i < 2; i++) {
        const r1i_rows *one = i ? rows : &r1i_rows_scalar;
        r1_rmsnorm_args args = {.T = T,
                                .C = C,
                                .eps = 1e-6f,
                                .x = x.at,
                                .gain = gain.at,
                                .dy = dy.at,
                                .y = y[i].at,
                                .scale = scale[i].at,
                                .dx = dx[i].at,
                                .dgain = dgain[i].at};
        one->norm_forward(&args, T / 3, T), one->norm_forward(&args, 0, T / 3);
        one->norm_backward(&args, 0, T), one->norm_gain(&args, C / 4, C);
    }
    CHECK(simd_equal(y, y + 1) && simd_equal(scale, scale + 1));
    CHECK(simd_equal(dx, dx + 1) && simd_equal(dgain, dgain + 1));
    for (int i = 0; i < 2; i++)
        simd_free(y + i), simd_free(scale + i), simd_free(dx + i), simd_free(dgain + i);
    simd_free(&x), simd_free(&gain), simd_free(&dy);
}
TEST(simd_norm_equals_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < SIMD_SIZES; i++)
        for (size_t T = 1; T <= 11; T += 2) simd_check_norm(rows, T, simd_sizes[i], T == 5);
}

// ---- elementwise ----
static void simd_check_swiglu(const r1i_rows *rows, size_t n, bool special) {
    simd_buffer gate = simd_new(n, 1), up = simd_new(n, 2), dy = simd_new(n, 3), y[2], dgate[2];
    simd_buffer dup[2];
    if (special) simd_fill_special(gate.at, n), simd_fill_special(up.at, n);
    if (!special)
        for (size_t i = 0; i < n; i++) gate.at[i] *= 100;
    y[0] = simd_new(n, 0), dgate[0] = simd_new(n, 0), dup[0] = simd_new(n, 0);
    y[1] = simd_copy(y), dgate[1] = simd_copy(dgate), dup[1] = simd_copy(dup);
    for (int i = 0; i < 2; i++) {
        const r1i_rows *one = i ? rows : &r1i_rows_scalar;
        r1_swiglu_args args = {.n = n,
                               .gate = gate.at,
                               .up = up.at,
                               .dy = dy.at,
                               .y = y[i].at,
                               .dgate = dgate[i].at,
                               .dup = dup[i].at};
        one->swiglu_forward(&args, n / 5, n), one->swiglu_backward(&args, n / 7, n);
    }
    CHECK(simd_equal(y, y + 1) && simd_equal(dgate, dgate + 1) && simd_equal(dup, dup + 1));
    for (int i = 0; i < 2; i++) simd_free(y + i), simd_free(dgate + i), simd_free(dup + i);
    simd_free(&gate), simd_free(&up), simd_free(&dy);
}
TEST(simd_swiglu_equals_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < 2 * SIMD_SIZES; i++) simd_check_swiglu(rows, simd_sizes[i / 2], i % 2);
}

// y = factor x + z: into a third place, in place, and without z, where a zero keeps its sign.
static void simd_check_axpy(const r1i_rows *rows, size_t n, float factor, bool special) {
    simd_buffer x = simd_new(n, 3), z = simd_new(n, 2);
    if (special) simd_fill_special(x.at, n), simd_fill_special(z.at, n);
    for (int form = 0; form < 3; form++) {
        simd_buffer a = simd_copy(&z), b = simd_copy(&z);
        r1i_rows_scalar.axpy(a.at, factor, x.at, form == 0 ? z.at : form == 1 ? a.at : NULL, n);
        rows->axpy(b.at, factor, x.at, form == 0 ? z.at : form == 1 ? b.at : NULL, n);
        if (!simd_equal(&a, &b))
            test_stop(TEST_FAILED, "%s axpy n %zu form %d", rows->name, n, form);
        simd_free(&a), simd_free(&b);
    }
    simd_free(&x), simd_free(&z);
}
TEST(simd_axpy_equals_scalar) {
    static const float factors[] = {1, 0.37f, -0.0f, 3e38f};
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < 8 * SIMD_SIZES; i++)
        simd_check_axpy(rows, simd_sizes[i / 8], factors[i % 4], i % 8 < 4);
}

static void simd_check_rope(const r1i_rows *rows, size_t D, bool halves) {
    enum { T = 5, H = 3, POSITIONS = 9 };
    static const int32_t positions[T] = {0, 1, 8, 3, 3};
    simd_buffer x = simd_new(T * H * D, 1), dy = simd_new(T * H * D, 0);
    simd_buffer cosine = simd_new(POSITIONS * D / 2, 3), sine = simd_new(POSITIONS * D / 2, 2);
    simd_buffer y = simd_new(T * H * D, 0), dx = simd_new(T * H * D, 2);
    simd_buffer other_y = simd_copy(&y), other_dx = simd_copy(&dx);
    for (int i = 0; i < 2; i++) {
        r1_rope_args args = {.T = T,
                             .H = H,
                             .D = D,
                             .halves = halves,
                             .positions = positions,
                             .cosine = cosine.at,
                             .sine = sine.at,
                             .x = x.at,
                             .y = i ? other_y.at : y.at,
                             .dy = dy.at,
                             .dx = i ? other_dx.at : dx.at};
        const r1i_rows *one = i ? rows : &r1i_rows_scalar;
        one->rope(&args, R1_FORWARD, 1, T), one->rope(&args, R1_BACKWARD, 1, T);
    }
    if (!simd_equal(&y, &other_y) || !simd_equal(&dx, &other_dx))
        test_stop(TEST_FAILED, "%s rope D %zu halves %d", rows->name, D, halves);
    simd_free(&x), simd_free(&dy), simd_free(&cosine), simd_free(&sine);
    simd_free(&y), simd_free(&dx), simd_free(&other_y), simd_free(&other_dx);
}
TEST(simd_rope_equals_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < 24; i++) simd_check_rope(rows, 2 + i / 2 * 6, i % 2);
}
TEST(simd_adamw_equals_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < SIMD_SIZES; i++) {
        size_t n = simd_sizes[i];
        simd_buffer g = simd_new(n, 1), w[2], m[2], v[2];
        w[0] = simd_new(n, 1), m[0] = simd_new(n, 2), v[0] = simd_new(n, 3);
        for (size_t j = 0; j < n; j++) v[0].at[j] *= v[0].at[j];
        g.at[0] = 1e-25f, v[0].at[0] = 0;
        w[1] = simd_copy(w), m[1] = simd_copy(m), v[1] = simd_copy(v);
        for (int k = 0; k < 2; k++) {
            r1_adamw_args args = {.n = n,
                                  .w = w[k].at,
                                  .m = m[k].at,
                                  .v = v[k].at,
                                  .g = g.at,
                                  .lr = 1e-3f,
                                  .beta1 = 0.9f,
                                  .beta2 = 0.95f,
                                  .eps = 1e-8f,
                                  .decay = 0.1f,
                                  .clip = 0.37f,
                                  .correction1 = 0.271f,
                                  .correction2 = 0.1426f};
            (k ? rows : &r1i_rows_scalar)->adamw(&args, n / 6, n);
        }
        CHECK(simd_equal(w, w + 1) && simd_equal(m, m + 1) && simd_equal(v, v + 1));
        for (int k = 0; k < 2; k++) simd_free(w + k), simd_free(m + k), simd_free(v + k);
        simd_free(&g);
    }
}
TEST(simd_gumbel_equals_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < SIMD_SIZES; i++) {
        simd_buffer a = simd_new(simd_sizes[i], 1), b = simd_copy(&a);
        const uint32_t counter[4] = {2u << 24, 5, 0xffffffffu, (uint32_t)i};
        r1i_rows_scalar.gumbel(a.at, a.n, 0x123456789abcdefu, counter);
        rows->gumbel(b.at, b.n, 0x123456789abcdefu, counter);
        CHECK(simd_equal(&a, &b));
        simd_free(&a), simd_free(&b);
    }
}

// ---- softmax and logits ----
// Rows of kinds: ordinary, ties, a NaN somewhere, all specials.
static simd_buffer simd_scores(size_t n, int kind) {
    simd_buffer s = simd_new(n, 1);
    for (size_t j = 0; j < n; j++) s.at[j] *= 20;
    if (kind == 1)
        for (size_t j = 0; j < n; j++) s.at[j] = (float)r1_random_below(&simd_random, 3);
    if (kind == 2) s.at[r1_random_below(&simd_random, (uint32_t)n)] = r1i_float(0x7fc00000u);
    if (kind == 3) simd_fill_special(s.at, n);
    if (kind == 4) // zeros of both signs: the first one is the maximum
        for (size_t j = 0; j < n; j++) s.at[j] = r1_random_below(&simd_random, 2) ? 0.0f : -0.0f;
    return s;
}
static void simd_check_softmax(const r1i_rows *rows, size_t n, int kind) {
    simd_buffer s = simd_scores(n, kind), p = simd_copy(&s), dp = simd_new(n, 1);
    simd_buffer other = simd_copy(&dp), a = simd_copy(&s), b = simd_copy(&s);
    float one[2], two[2];
    r1i_rows_scalar.softmax(s.at, n, one), rows->softmax(p.at, n, two);
    CHECK(simd_equal(&s, &p) && simd_same(one, two, 2));
    r1i_rows_scalar.softmax_grad(a.at, dp.at, n, one, 0.25f);
    rows->softmax_grad(b.at, other.at, n, one, 0.25f);
    CHECK(simd_equal(&a, &b) && simd_equal(&dp, &other));
    simd_free(&s), simd_free(&p), simd_free(&dp), simd_free(&other), simd_free(&a), simd_free(&b);
}
static void simd_check_logits(const r1i_rows *rows, size_t n, int kind) {
    simd_buffer z = simd_scores(n, kind), other = simd_copy(&z), a = simd_copy(&z);
    simd_buffer b = simd_copy(&z);
    float one[3], two[3];
    size_t best = r1i_rows_scalar.logits(z.at, n, 0.7f, one);
    CHECK_EQUAL_SIZE(rows->logits(other.at, n, 0.7f, two), best);
    CHECK(simd_equal(&z, &other) && simd_same(one, two, 3));
    size_t target = kind == 2 ? SIZE_MAX - 3 : r1_random_below(&simd_random, (uint32_t)n);
    r1i_rows_scalar.logits_grad(a.at, n, target, 0.7f, one, -0.3f);
    rows->logits_grad(b.at, n, target, 0.7f, one, -0.3f);
    CHECK(simd_equal(&a, &b));
    simd_free(&z), simd_free(&other), simd_free(&a), simd_free(&b);
}
TEST(simd_softmax_and_logits_equal_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (int i = 0; i < 20 * SIMD_SIZES; i++) {
        simd_check_softmax(rows, simd_sizes[i % SIMD_SIZES], i / SIMD_SIZES % 5);
        simd_check_logits(rows, simd_sizes[i % SIMD_SIZES], i / SIMD_SIZES % 5);
    }
}
TEST(simd_dot_equals_scalar) {
    SIMD_EACH_LEVEL(rows)
    for (size_t i = 0; i < 2 * SIMD_SIZES; i++) {
        simd_buffer a = simd_new(simd_sizes[i / 2], 1), b = simd_new(simd_sizes[i / 2], 2);
        if (i % 2) // tiny negative products: a lane may end as -0, which must stay -0
            for (size_t j = 0; j < a.n; j++) a.at[j] = -1e-30f, b.at[j] = 1e-30f;
        float one = r1i_rows_scalar.dot(a.at, b.at, a.n), two = rows->dot(a.at, b.at, a.n);
        CHECK(simd_same(&one, &two, 1));
        simd_free(&a), simd_free(&b);
    }
}

// ---- exp and log over the whole range, through the kernels that use them ----
// softmax_grad with maximum 0 and sum 1 gives exp itself.
TEST(simd_exp_over_all_floats) {
    static const float zero_one[2] = {0, 1};
    uint32_t step = test_full() ? 7 : 97;
    enum { N = 1024 };
    float s[N], dp[N] = {0};
    SIMD_EACH_LEVEL(rows)
    for (uint64_t first = 0; first < 0x100000000u; first += (uint64_t)N * step) {
        for (uint64_t i = 0; i < N; i++) s[i] = r1i_float((uint32_t)(first + i * step));
        rows->softmax_grad(s, dp, N, zero_one, 0);
        for (uint64_t i = 0; i < N; i++) {
            float expected = r1i_expf(r1i_float((uint32_t)(first + i * step)));
            if (!simd_same(s + i, &expected, 1))
                test_stop(TEST_FAILED, "%s exp of %08x", rows->name, (unsigned)(first + i * step));
        }
        memset(dp, 0, sizeof dp);
    }
}
// No kernel gives log all floats, so this one calls the vector functions themselves.
#if R1I_X86 || R1I_NEON
#define SIMD_LOG(level, features)                                                                  \
    features static void simd_log_##level(float *x) {                                              \
        r1i_v_store_##level(x, r1i_v_log_##level(r1i_v_load_##level(x)));                          \
    }
#if R1I_X86
SIMD_LOG(avx2, __attribute__((target("avx2,fma"))))
SIMD_LOG(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2"))))
#else
SIMD_LOG(neon, )
#endif

TEST(simd_log_over_all_floats) {
    uint32_t step = test_full() ? 7 : 97;
    SIMD_EACH_LEVEL(rows)
    for (uint64_t first = 0; first < 0x100000000u; first += (uint64_t)R1I_LANES * step) {
        float x[R1I_LANES];
        for (uint64_t i = 0; i < R1I_LANES; i++) x[i] = r1i_float((uint32_t)(first + i * step));
#if R1I_X86
        if (rows == &r1i_rows_avx2) simd_log_avx2(x);
        if (rows == &r1i_rows_avx512) simd_log_avx512(x);
#else
        if (rows == &r1i_rows_neon) simd_log_neon(x);
#endif
        for (uint64_t i = 0; i < R1I_LANES; i++) {
            float expected = r1i_logf(r1i_float((uint32_t)(first + i * step)));
            if (!simd_same(x + i, &expected, 1))
                test_stop(TEST_FAILED, "%s log of %08x", rows->name, (unsigned)(first + i * step));
        }
    }
}
#endif
