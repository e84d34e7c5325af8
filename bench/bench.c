// bench.c - measures the speed of r1.h. CSV on standard output, one section per subject:
//
//     bench [--only SECTION] [--json] [--quick] [--help]
//
// The matmul section needs the inner kernels, so this file holds the implementation. Everything is
// timed with the CPU clock of the thread, and compared with a peak that is measured beside it: on a
// shared machine only ratios within one run mean something.
#define R1_IMPLEMENTATION
#include "r1.h"

#include <dlfcn.h>
#ifndef R1_NO_JUDGE
#include <spawn.h>
#endif

static bool bench_json, bench_quick;

// ---- time ----
static double bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static int bench_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double bench_median(double *values, size_t n) {
    qsort(values, n, sizeof *values, bench_compare);
    return values[n / 2];
}

// ---- one row of results, as CSV or as a JSON object per line ----
static void bench_row(const char *section, const char *const *names, const char *const *values,
                      size_t n) {
    if (bench_json) {
        printf("{\"section\": \"%s\"", section);
        for (size_t i = 0; i < n; i++) {
            bool number = values[i][0] >= '0' && values[i][0] <= '9';
            printf(number ? ", \"%s\": %s" : ", \"%s\": \"%s\"", names[i], values[i]);
        }
        printf("}\n");
    } else {
        printf("%s", section);
        for (size_t i = 0; i < n; i++) printf(",%s", values[i]);
        printf("\n");
    }
    fflush(stdout);
}
static const char *bench_text(const char *format, ...) {
    static char ring[16][32];
    static unsigned turn;
    char *text = ring[turn++ % 16];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof ring[0], format, args);
    va_end(args);
    return text;
}

// ---- data ----
static float *bench_floats(size_t n, uint32_t sample) {
    float *p = (float *)aligned_alloc(64, (n * sizeof *p + 127) / 64 * 64);
    r1_random at = {.seed = 7, .stream = R1_STREAM_USER, .sample = sample};
    if (!p) fprintf(stderr, "bench: out of memory\n"), exit(1);
    for (size_t i = 0; i < n; i++) p[i] = 2 * r1_random_unit(&at) - 1;
    return p;
}

// ---- the peak: independent fused multiply-adds on registers ----
#if R1I_X86
// Registers are zeroed first: what they hold may be denormal, which would be many times slower.
#define BENCH_ZERO(z, i) "vxorps %%ymm" #i ",%%ymm" #i ",%%ymm" #i "\n\t"
#define BENCH_FMA(z, i)  "vfmadd231ps %%" z "14,%%" z "15,%%" z #i "\n\t"
#define BENCH_TWELVE(X, z)                                                                         \
    X(z, 0)                                                                                        \
    X(z, 1) X(z, 2) X(z, 3) X(z, 4) X(z, 5) X(z, 6) X(z, 7) X(z, 8) X(z, 9) X(z, 10) X(z, 11)
#define BENCH_LOOP(z)                                                                              \
    __asm__ volatile(BENCH_TWELVE(BENCH_ZERO, z) BENCH_ZERO(z, 14)                                 \
                         BENCH_ZERO(z, 15) ".p2align 5\n1:\n\t" BENCH_TWELVE(                      \
                             BENCH_FMA, z) "dec %0\n\tjnz 1b\n\t"                                  \
                                           "vzeroupper"                                            \
                     : "+r"(count)::"cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",  \
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15")
static double bench_peak(int level) {
    long count = 200000;
    double begin = bench_now();
    if (level == R1_CPU_AVX512)
        BENCH_LOOP("zmm");
    else
        BENCH_LOOP("ymm");
    return 200000.0 * 12 * 2 * (level == R1_CPU_AVX512 ? 16 : 8) / (bench_now() - begin) * 1e-9;
}
#else
static double bench_peak(int level) {
    float s[12] = {0};
    double begin = bench_now();
    (void)level;
    for (int i = 0; i < 1000000; i++)
        for (int j = 0; j < 12; j++) {
            s[j] = fmaf(s[j], 0.5f, 1.0f);
            R1I_KEEP(s[j]);
        }
    return 1000000.0 * 12 * 2 / (bench_now() - begin) * 1e-9;
}
#endif

// ---- matmul ----
typedef void bench_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);
// OpenBLAS, when it is installed: the reference that everybody knows.
static bench_sgemm *bench_openblas(void) {
    static bench_sgemm *found;
    static bool looked;
    if (!looked) {
        setenv("OPENBLAS_NUM_THREADS", "1", 1);
        void *library = dlopen("libopenblas.so.0", RTLD_NOW);
        void *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
        memcpy(&found, &symbol, sizeof found);
        looked = true;
        if (!found) fprintf(stderr, "bench: no OpenBLAS, its columns stay empty\n");
    }
    return found;
}

// One product of a matmul op: y = x w^T, dx += dy w, dw += dy^T x, cut as the op cuts it.
typedef struct bench_matmul {
    r1_matmul_args args;
    r1_direction direction;
    r1i_real *scratch;
} bench_matmul;

static void bench_ours(const bench_matmul *m, const r1i_rows *rows) {
    r1i_plan plan = r1i_matmul_plan(&m->args, m->direction);
    r1i_matmul(&m->args, m->direction, 0, plan.units, m->scratch, rows);
}
static void bench_theirs(const bench_matmul *m) {
    const r1_matmul_args *a = &m->args;
    int T = (int)a->T, O = (int)a->O, I = (int)a->I;
    bench_sgemm *sgemm = bench_openblas();
    enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
    if (m->direction == R1_FORWARD)
        sgemm(ROW_MAJOR, PLAIN, TRANSPOSED, T, O, I, 1, a->x, I, a->w, I, 0, a->y, O);
    else if (m->direction == R1_BACKWARD)
        sgemm(ROW_MAJOR, PLAIN, PLAIN, T, I, O, 1, a->dy, O, a->w, I, 1, a->dx, I);
    else
        sgemm(ROW_MAJOR, TRANSPOSED, PLAIN, O, I, T, 1, a->dy, O, a->x, I, 1, a->dw, I);
}
// Median GFLOP/s of ours (rows) or OpenBLAS (NULL).
static double bench_speed(const bench_matmul *m, const r1i_rows *rows) {
    double work = 2.0 * (double)m->args.T * (double)m->args.O * (double)m->args.I, speed[9];
    size_t calls = (size_t)r1i_max(1, (size_t)((bench_quick ? 5e7 : 3e8) / work)), tries = 5;
    for (size_t i = 0; i < tries; i++) {
        double begin = bench_now();
        for (size_t j = 0; j < calls; j++) {
            if (rows)
                bench_ours(m, rows);
            else
                bench_theirs(m);
        }
        speed[i] = work * (double)calls / (bench_now() - begin) * 1e-9;
    }
    return bench_median(speed, tries);
}
// Prints one row; returns the ratio to OpenBLAS, or 0.
static double bench_matmul_row(const char *name, size_t T, size_t O, size_t I, int level,
                               r1_direction direction) {
    static const char *const names[] = {
        "product", "T", "O", "I", "level", "gflops", "percent_of_peak", "openblas_gflops", "ratio"};
    const r1i_rows *rows = r1i_rows_of(level);
    float *x = bench_floats(T * I, 1), *w = bench_floats(O * I, 2), *y = bench_floats(T * O, 3);
    bench_matmul m = {.direction = direction, .scratch = bench_floats(R1I_GEMM_SCRATCH, 4)};
    m.args =
        (r1_matmul_args){.T = T, .I = I, .O = O, .x = x, .w = w, .dy = y, .y = y, .dx = x, .dw = w};
    double peak = 0, ours = bench_speed(&m, rows);
    double theirs = bench_openblas() ? bench_speed(&m, NULL) : 0;
    for (int i = 0; i < 5; i++) peak = fmax(peak, bench_peak(r1i_cpu_best()));
    const char *values[] = {name,
                            bench_text("%zu", T),
                            bench_text("%zu", O),
                            bench_text("%zu", I),
                            rows->name,
                            bench_text("%.1f", ours),
                            bench_text("%.0f", 100 * ours / peak),
                            bench_text("%.1f", theirs),
                            bench_text("%.2f", theirs > 0 ? ours / theirs : 0)};
    bench_row("matmul", names, values, sizeof names / sizeof *names);
    free(x), free(w), free(y), free(m.scratch);
    return theirs > 0 ? ours / theirs : 0;
}
static void bench_matmul_section(void) {
    static const size_t shapes[][3] = {{64, 64, 64},       {256, 256, 256},    {512, 512, 512},
                                       {1024, 1024, 1024}, {2048, 2048, 2048}, {4096, 256, 256},
                                       {4096, 512, 256},   {1024, 256, 128},   {256, 256, 4096},
                                       {64, 512, 256},     {64, 1024, 1024},   {16, 1024, 1024},
                                       {8, 1024, 1024},    {1, 1024, 1024}};
    static const char *const products[] = {"y", "dx", "dw"};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    if (!bench_json)
        printf("section,product,T,O,I,level,gflops,percent_of_peak,openblas_gflops,ratio\n");
    for (int direction = 0; direction < 3; direction++)
        for (int level = r1i_cpu_best(); level > R1_CPU_SCALAR; level--) {
            if (!r1i_rows_of(level)) continue;
            double logs = 0;
            for (size_t i = 0; i < SHAPES; i++) {
                const size_t *s = shapes[i];
                double ratio = bench_matmul_row(products[direction], s[0], s[1], s[2], level,
                                                (r1_direction)direction);
                if (ratio > 0) logs += log(ratio);
            }
            static const char *const names[] = {"product", "level", "geomean_ratio"};
            const char *values[] = {products[direction], r1i_rows_of(level)->name,
                                    bench_text("%.2f", exp(logs / SHAPES))};
            bench_row("matmul_geomean", names, values, 3);
        }
    for (size_t T = 1; T <= 512; T *= 2)
        for (int level = r1i_cpu_best(); level > R1_CPU_SCALAR; level--)
            if (r1i_rows_of(level)) bench_matmul_row("y", T, 1024, 1024, level, R1_FORWARD);
}

// ---- small products: the cost of a call ----
static void bench_small_section(void) {
    static const size_t shapes[][3] = {{1, 16, 1},  {1, 64, 1},  {1, 16, 64},  {1, 64, 64},
                                       {2, 16, 16}, {4, 32, 32}, {16, 64, 64}, {15, 64, 1}};
    static const char *const names[] = {"level", "M", "N", "K", "b_transposed", "ns"};
    float *a = bench_floats(4096, 1), *b = bench_floats(8192, 2), *c = bench_floats(4096, 3);
    float *scratch = bench_floats(R1I_GEMM_SCRATCH, 4);
    if (!bench_json) printf("section,level,M,N,K,b_transposed,ns\n");
    for (int level = R1_CPU_SCALAR; level <= r1i_cpu_best(); level++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            for (int turned = 0; turned < 2; turned++) {
                const size_t *s = shapes[i];
                r1i_gemm job = {.M = s[0],
                                .N = s[1],
                                .K = s[2],
                                .a = a,
                                .lda = s[2],
                                .b = b,
                                .ldb = turned ? s[2] : s[1],
                                .b_transposed = turned,
                                .c = c,
                                .ldc = s[1]};
                double times[5];
                for (size_t t = 0; t < 5; t++) {
                    double begin = bench_now();
                    for (int j = 0; j < 20000; j++)
                        r1i_rows_of(level)->gemm(&job, 0, s[0], 0, s[1], scratch);
                    times[t] = (bench_now() - begin) / 20000 * 1e9;
                }
                const char *values[] = {
                    r1i_rows_of(level)->name, bench_text("%zu", s[0]),
                    bench_text("%zu", s[1]),  bench_text("%zu", s[2]),
                    bench_text("%d", turned), bench_text("%.0f", bench_median(times, 5))};
                bench_row("small", names, values, 6);
            }
    free(a), free(b), free(c), free(scratch);
}

// ---- row kernels: nanoseconds per number ----
enum { BENCH_ROWS = 64, BENCH_WIDTH = 1024, BENCH_NUMBERS = BENCH_ROWS * BENCH_WIDTH };
typedef struct bench_rows {
    float *x, *dy, *gain, *y, *dx, *dgain, *scale;
} bench_rows;

static void bench_row_kernel(const bench_rows *b, const r1i_rows *rows, size_t kernel) {
    r1_rmsnorm_args norm = {.T = BENCH_ROWS,
                            .C = BENCH_WIDTH,
                            .eps = 1e-6f,
                            .x = b->x,
                            .gain = b->gain,
                            .dy = b->dy,
                            .y = b->y,
                            .scale = b->scale,
                            .dx = b->dx,
                            .dgain = b->dgain};
    r1_swiglu_args swiglu = {.n = BENCH_NUMBERS,
                             .gate = b->x,
                             .up = b->dy,
                             .dy = b->dy,
                             .y = b->y,
                             .dgate = b->dx,
                             .dup = b->y};
    r1_adamw_args adamw = {.n = BENCH_NUMBERS,
                           .w = b->y,
                           .m = b->dx,
                           .v = b->scale,
                           .g = b->dy,
                           .lr = 1e-3f,
                           .beta1 = 0.9f,
                           .beta2 = 0.95f,
                           .eps = 1e-8f,
                           .clip = 1,
                           .correction1 = 1,
                           .correction2 = 1};
    const uint32_t counter[4] = {0};
    float out[3];
    switch (kernel) {
    case 0:
        rows->norm_forward(&norm, 0, BENCH_ROWS);
        break;
    case 1:
        rows->norm_backward(&norm, 0, BENCH_ROWS);
        break;
    case 2:
        rows->norm_gain(&norm, 0, BENCH_WIDTH);
        break;
    case 3:
        rows->swiglu_forward(&swiglu, 0, BENCH_NUMBERS);
        break;
    case 4:
        rows->swiglu_backward(&swiglu, 0, BENCH_NUMBERS);
        break;
    case 5:
        rows->softmax(b->y, BENCH_NUMBERS, out);
        break;
    case 6:
        rows->logits(b->y, BENCH_NUMBERS, 0.99f, out);
        break;
    case 7:
        rows->gumbel(b->y, BENCH_NUMBERS, 1, counter);
        break;
    default:
        rows->adamw(&adamw, 0, BENCH_NUMBERS);
        break;
    }
}
static void bench_rows_section(void) {
    static const char *const kernels[] = {"norm_forward",   "norm_backward",   "norm_gain",
                                          "swiglu_forward", "swiglu_backward", "softmax",
                                          "logits",         "gumbel",          "adamw"};
    static const char *const names[] = {"kernel", "level", "ns_per_number"};
    bench_rows b = {bench_floats(BENCH_NUMBERS, 1), bench_floats(BENCH_NUMBERS, 2),
                    bench_floats(BENCH_NUMBERS, 3), bench_floats(BENCH_NUMBERS, 4),
                    bench_floats(BENCH_NUMBERS, 5), bench_floats(BENCH_NUMBERS, 6),
                    bench_floats(BENCH_NUMBERS, 7)};
    if (!bench_json) printf("section,kernel,level,ns_per_number\n");
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        for (int level = R1_CPU_SCALAR; level <= r1i_cpu_best(); level++) {
            double times[5];
            if (!r1i_rows_of(level)) continue; // of another processor
            for (size_t t = 0; t < 5; t++) {
                double begin = bench_now();
                for (int i = 0; i < 10; i++) bench_row_kernel(&b, r1i_rows_of(level), k);
                times[t] = (bench_now() - begin) / 10 / BENCH_NUMBERS * 1e9;
            }
            const char *values[] = {kernels[k], r1i_rows_of(level)->name,
                                    bench_text("%.3f", bench_median(times, 5))};
            bench_row("rows", names, values, 3);
        }
    free(b.x), free(b.dy), free(b.gain), free(b.y), free(b.dx), free(b.dgain), free(b.scale);
}

// ---- the demo's model: training and rollout ----
enum { BENCH_BATCH = 64, BENCH_LENGTH = 30 };

static r1_model *bench_model(r1_context *ctx) {
    return r1_model_new(ctx, &(r1_model_config){.vocab = 16,
                                                .width = 64,
                                                .layers = 2,
                                                .heads = 4,
                                                .max_tokens = 40,
                                                .kv_rank = 32,
                                                .nope_dim = 16,
                                                .rope_dim = 16,
                                                .value_dim = 16,
                                                .dense_layers = 1,
                                                .dense_width = 128,
                                                .experts = 8,
                                                .chosen = 2,
                                                .shared = 1,
                                                .expert_width = 32,
                                                .normalise_gates = true});
}
// Tokens per second of r1_sft_step and of r1_generate on random tokens, one thread.
static void bench_model_speed(int level, size_t chunks, double *train, double *rollout) {
    static int32_t tokens[BENCH_BATCH][BENCH_LENGTH];
    r1_document documents[BENCH_BATCH];
    r1_prompt prompts[BENCH_BATCH];
    r1_context *ctx =
        r1_context_new(&(r1_context_desc){.threads = 1, .cpu_level = (r1_cpu_level)level});
    r1_model *model = bench_model(ctx);
    r1_train_desc desc = {.schedule = {.peak = 1e-3}, .chunks = chunks};
    r1_trainer *trainer = r1_trainer_new(model, &desc);
    r1_rollout *drawn = r1_rollout_new(ctx);
    r1_random at = {.stream = R1_STREAM_USER};
    for (int b = 0; b < BENCH_BATCH; b++) {
        for (int t = 0; t < BENCH_LENGTH; t++) tokens[b][t] = (int32_t)r1_random_below(&at, 16);
        documents[b] = (r1_document){tokens[b], BENCH_LENGTH, 1};
        prompts[b] = (r1_prompt){tokens[b], 10, (uint32_t)b};
    }
    double times[2][5];
    size_t rounds = bench_quick ? 3 : 5, sampled = 0;
    for (size_t i = 0; i < rounds; i++) {
        double start = bench_now();
        for (int k = 0; k < 4; k++) r1_sft_step(trainer, documents, BENCH_BATCH, NULL);
        times[0][i] = (bench_now() - start) / 4, start = bench_now();
        r1_generate(model, drawn, prompts, BENCH_BATCH, 4, NULL);
        times[1][i] = bench_now() - start, sampled = drawn->tokens;
    }
    *train = BENCH_BATCH * (BENCH_LENGTH - 1) / bench_median(times[0], rounds);
    *rollout = (double)sampled / bench_median(times[1], rounds);
    if (r1_status_of(ctx)) fprintf(stderr, "bench: %s\n", r1_message_of(ctx));
    r1_context_free(ctx);
}
static void bench_model_section(void) {
    static const char *const names[] = {"level", "train_tokens_per_second",
                                        "rollout_tokens_per_second"};
    if (!bench_json) printf("section,level,train_tokens_per_second,rollout_tokens_per_second\n");
    for (int level = R1_CPU_SCALAR + 1; level <= r1i_cpu_best(); level++) {
        double train, rollout;
        if (!r1i_rows_of(level)) continue;
        bench_model_speed(level, 0, &train, &rollout);
        const char *values[] = {r1i_rows_of(level)->name, bench_text("%.0f", train),
                                bench_text("%.0f", rollout)};
        bench_row("model", names, values, 3);
    }
}

// ---- the price of one arithmetic ----
// Nanoseconds a number of a loop over 4096 numbers, the best of some rounds.
static double bench_exp(bool ours) {
    enum { N = 4096 };
    static float x[N], y[N];
    double best = 1e9;
    for (int i = 0; i < N; i++) x[i] = -(float)i / 300;
    for (int round = 0; round < (bench_quick ? 20 : 200); round++) {
        double start = bench_now();
        for (int i = 0; i < N; i++) y[i] = ours ? r1i_expf(x[i]) : expf(x[i]);
        double seconds = bench_now() - start;
        best = seconds < best ? seconds : best;
    }
    return y[7] > 0 ? best / N * 1e9 : 0;
}
static void bench_price_row(const char *what, const char *unit, double here, double elsewhere) {
    static const char *const names[] = {"what", "unit", "one_arithmetic", "free", "ratio"};
    const char *values[] = {what, unit, bench_text("%.4g", here), bench_text("%.4g", elsewhere),
                            bench_text("%.3f", here / elsewhere)};
    bench_row("price", names, values, 5);
}
// What the fixed orders cost beside the freer thing: the tree of chunks beside plain accumulation,
// our exp beside libm's, both one number at a time. The chain over k of a product stands beside
// OpenBLAS in the section of matmul.
static void bench_price_section(void) {
    if (!bench_json) printf("section,what,unit,one_arithmetic,free,ratio\n");
    double tree, plain, rollout;
    bench_model_speed(r1i_cpu_best(), 8, &tree, &rollout);
    bench_model_speed(r1i_cpu_best(), 1, &plain, &rollout);
    bench_price_row("training in 8 chunks beside 1", "tokens/s", tree, plain);
    bench_price_row("exp beside libm", "ns", bench_exp(true), bench_exp(false));
}

// A packed file of the data folder, unpacked below build/.
static bool bench_unpack(const char *folder, const char *name, char path[512]) {
    char command[1600];
    snprintf(path, 512, "build/bench_%.200s", name);
    path[strlen(path) - 3] = 0; // without .gz
    snprintf(command, sizeof command, "gzip -dc '%s/%s' > '%s'", folder, name, path);
    return system(command) == 0;
}
// ---- answers ----
// The expected and the given answer of a row, whatever its file calls them; false without them.
static bool bench_answer_pair(const r1_json *row, r1_slice *gold, r1_slice *pred) {
    static const char *const golds[] = {"gold", "latex"}, *const preds[] = {"output", "pred",
                                                                            "sympy"};
    *gold = *pred = (r1_slice){NULL, 0};
    for (int i = 0; i < 2 && !gold->size; i++) *gold = r1_json_text(r1_json_find(row, golds[i]));
    for (int i = 0; i < 3 && !pred->size; i++) *pred = r1_json_text(r1_json_find(row, preds[i]));
    return gold->size && pred->size;
}
// Microseconds of each row's comparison, extraction included; the least of three.
static void bench_answer_file(const char *folder, const char *name) {
    static const char *const names[] = {"what", "rows", "median", "percentile_99", "most"};
    enum { MOST = 5000 };
    static double times[MOST];
    char path[512];
    size_t length = strlen(name), count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (strcmp(name + length - 3, ".gz") == 0 && !bench_unpack(folder, name, path)) return;
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    r1_slice rows = {NULL, 0}, line, gold, pred;
    rows.data = r1_file_read(ctx, path, &rows.size);
    while (rows.data && count < MOST && r1i_next_line(&rows, &line)) {
        r1_json *row = r1_json_read(ctx, line.data, line.size);
        if (bench_answer_pair(row, &gold, &pred)) {
            times[count] = 1e9;
            for (int turn = 0; turn < 3; turn++) {
                double begin = bench_now();
                r1_answer_check(work, gold, pred, 0, NULL, NULL, 0);
                times[count] = fmin(times[count], 1e6 * (bench_now() - begin));
            }
            count++;
        }
        r1_json_free(ctx, row);
    }
    r1_context_free(ctx);
    if (!count) return;
    double median = bench_median(times, count);
    const char *values[] = {bench_text("%.31s", name), bench_text("%zu", count),
                            bench_text("%.1f", median), bench_text("%.1f", times[count * 99 / 100]),
                            bench_text("%.1f", times[count - 1])};
    bench_row("answer", names, values, 5);
}
// Doubling a text: the ratio of times should be near 2.
static void bench_answer_growth(const char *what, const char *piece, const char *end, size_t most) {
    static const char *const names[] = {"text", "bytes", "microseconds", "ratio"};
    char *text = (char *)malloc(most + strlen(end) + 1);
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    double before = 0;
    for (size_t size = most / 8; text && size <= most; size *= 2) {
        size_t step = strlen(piece), at = 0;
        for (; at + step <= size; at += step) memcpy(text + at, piece, step);
        memcpy(text + at, end, strlen(end) + 1);
        r1_slice gold = {"3/14", 4}, pred = {text, strlen(text)};
        double best = 1e9;
        for (int turn = 0; turn < 9; turn++) {
            double begin = bench_now();
            r1_answer_check(work, gold, pred, 0, NULL, NULL, 0);
            best = fmin(best, 1e6 * (bench_now() - begin));
        }
        const char *values[] = {what, bench_text("%zu", pred.size), bench_text("%.1f", best),
                                before > 0 ? bench_text("%.2f", best / before) : ""};
        bench_row("answer_growth", names, values, 4);
        before = best;
    }
    free(text);
    r1_context_free(ctx);
}
// The goal is a median of 50 microseconds. Rows come from R1_TEST_DATA; without it only the growth
// is measured, of whole completions and of answers that are long themselves.
static void bench_answer_section(void) {
    const char *folder = getenv("R1_TEST_DATA");
    if (!bench_json) printf("section,what,rows,median,percentile_99,most\n");
    if (!folder) fprintf(stderr, "bench: answer: R1_TEST_DATA is not set, no rows to compare\n");
    if (folder) {
        bench_answer_file(folder, "math_equiv_cases.jsonl");
        bench_answer_file(folder, "gsm8k_model_outputs.jsonl.gz");
        bench_answer_file(folder, "math_model_outputs.jsonl.gz");
        bench_answer_file(folder, "latex_sympy_pairs.jsonl");
    }
    if (!bench_json) printf("section,text,bytes,microseconds,ratio\n");
    bench_answer_growth("a long completion", "So $x^2 + 1$ is 5, we wait, ",
                        "The answer is \\boxed{3/14}.", 1 << 20);
    bench_answer_growth("no box and no words", "7 (1, 2) $ ", "3/14", 1 << 20);
    bench_answer_growth("open braces", "\\frac{", "3", 1 << 12);
    bench_answer_growth("a sum of numbers", "12+", "3", 512);
    bench_answer_growth("a product of names", "a b c ", "x", 512);
}

// ---- rewards ----
// A chain of thought of `words` words with formulas, and its answer.
static size_t bench_thoughts(char *text, size_t capacity, size_t words) {
    static const char *const pieces[] = {"so",    "the",    "value",   "$x^2 + 1$",
                                         "is",    "larger", "than",    "seven,",
                                         "wait,", "check",  "\\(y\\)", "again."};
    size_t at = (size_t)snprintf(text, capacity, "<think>");
    for (size_t i = 0; i < words && at + 100 < capacity; i++)
        at += (size_t)snprintf(text + at, capacity - at, "%s ", pieces[(i * i + i / 7) % 12]);
    return at + (size_t)snprintf(text + at, capacity - at,
                                 "</think><answer>\\frac{%d}{14}</answer>", 3 + (int)words % 2);
}
// One thread, one component at a time, on short, long and very long completions.
static void bench_reward_section(void) {
    static const char *const parts[] = {"accuracy", "format", "language", "repetition"};
    static const char *const names[] = {"component", "bytes", "microseconds",
                                        "megabytes_per_second"};
    static const size_t lengths[] = {20, 1000, 20000};
    static char text[200000];
    if (!bench_json) printf("section,component,bytes,microseconds,megabytes_per_second\n");
    for (size_t p = 0; p < 4; p++)
        for (size_t l = 0; l < 3; l++) {
            r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
            r1_reward_desc desc = {.gram = 3};
            r1_reward reward;
            desc.parts[0] = r1_reward_find(parts[p]);
            r1_rewarder *rewarder = r1_rewarder_new(ctx, &desc);
            size_t size = bench_thoughts(text, sizeof text, lengths[l]);
            r1_reward_input input = {.completion = {text, size}, .gold = {"3/14", 4}};
            input.language = R1_SCRIPT_LATIN;
            double times[9];
            size_t calls = (bench_quick ? 100000 : 1000000) / size + 2;
            for (int i = 0; i < 9; i++) {
                double start = bench_now();
                for (size_t c = 0; c < calls; c++) r1_reward_text(rewarder, &input, &reward);
                times[i] = (bench_now() - start) / (double)calls;
            }
            double seconds = bench_median(times, 9);
            const char *values[] = {parts[p], bench_text("%zu", size),
                                    bench_text("%.2f", 1e6 * seconds),
                                    bench_text("%.0f", 1e-6 * (double)size / seconds)};
            bench_row("reward", names, values, 4);
            r1_context_free(ctx);
        }
}

// ---- the tokenizer: megabytes per second of one thread, beside Hugging Face's library ----
// Texts and vocabulary come from R1_TEST_DATA; PYTHON names the interpreter that has the library.
// The "text" of all rows of a JSONL file, in its place.
static bool bench_texts(const char *path) {
    r1_context *ctx = r1_context_new(NULL);
    r1_slice rows = {NULL, 0}, line;
    rows.data = r1_file_read(ctx, path, &rows.size);
    FILE *file = rows.data ? fopen(path, "w") : NULL;
    while (file && r1i_next_line(&rows, &line)) {
        r1_json *row = r1_json_read(ctx, line.data, line.size);
        r1_slice text = r1_json_text(r1_json_find(row, "text"));
        fwrite(text.data, 1, text.size, file), putc('\n', file);
        r1_json_free(ctx, row);
    }
    bool good = file && r1_status_of(ctx) == R1_OK;
    if (file && fclose(file) != 0) good = false;
    r1_context_free(ctx);
    return good;
}
// Seconds for a whole text in one call, or for its lines; the best of three.
static double bench_encode(const r1_tokenizer *tok, const char *text, size_t size, bool lines,
                           int32_t *ids, size_t *count) {
    double least = 1e9;
    for (int turn = 0; turn < 3; turn++) {
        double begin = bench_now();
        *count = 0;
        for (size_t at = 0, step; at < size; at += step + 1) {
            const char *end = (const char *)memchr(text + at, '\n', size - at);
            step = lines && end ? (size_t)(end - text) - at : size - at;
            *count += r1_encode(tok, text + at, step, ids, size);
        }
        least = fmin(least, bench_now() - begin);
    }
    return least;
}
static void bench_tokenizer_row(const r1_tokenizer *tok, const char *name, const char *path,
                                const double *theirs) {
    static const char *const names[] = {
        "text", "form", "mb", "tokens", "ours_mb_per_second", "hf_mb_per_second", "ratio"};
    size_t size = 0, count = 0;
    r1_context *ctx = r1_context_new(NULL);
    char *text = r1_file_read(ctx, path, &size);
    int32_t *ids = (int32_t *)malloc((size + 1) * sizeof *ids);
    for (int lines = 0; text && ids && lines < 2; lines++) {
        double ours = bench_encode(tok, text, size, lines, ids, &count);
        double mb = (double)size * 1e-6;
        const char *values[] = {name,
                                lines ? "lines" : "whole",
                                bench_text("%.2f", mb),
                                bench_text("%zu", count),
                                bench_text("%.1f", mb / ours),
                                theirs[lines] > 0 ? bench_text("%.1f", mb / theirs[lines]) : "",
                                theirs[lines] > 0 ? bench_text("%.1f", theirs[lines] / ours) : ""};
        bench_row("tokenizer", names, values, 7);
    }
    free(ids);
    r1_context_free(ctx);
}
// Doubling a text that is one piece, the worst there is: the ratio of times should be near 2.
static void bench_tokenizer_growth(const r1_tokenizer *tok) {
    static const char *const names[] = {"text", "mb", "seconds", "ratio"};
    static const char *const kinds[] = {"a", " ", "\xe4\xb8\xad", "ab"};
    enum { MOST = 1 << 21 };
    char *text = (char *)malloc(MOST);
    int32_t *ids = (int32_t *)malloc(MOST * sizeof *ids);
    for (size_t k = 0; text && ids && k < sizeof kinds / sizeof *kinds; k++) {
        double before = 0;
        for (size_t i = 0; i < MOST; i++) text[i] = kinds[k][i % strlen(kinds[k])];
        for (size_t size = MOST / 8; size <= MOST; size *= 2) {
            size_t count = 0;
            double seconds = bench_encode(tok, text, size, false, ids, &count);
            const char *values[] = {bench_text("one piece %zu", k),
                                    bench_text("%.2f", (double)size * 1e-6),
                                    bench_text("%.4f", seconds),
                                    before > 0 ? bench_text("%.2f", seconds / before) : ""};
            bench_row("tokenizer_growth", names, values, 4);
            before = seconds;
        }
    }
    free(text), free(ids);
}
static void bench_tokenizer_section(void) {
    const char *folder = getenv("R1_TEST_DATA");
    char json[512], english[512], chinese[512], command[2100];
    double theirs[2][2] = {{0, 0}, {0, 0}};
    if (!folder || !bench_unpack(folder, "tok_deepseek_v3.tokenizer.json.gz", json) ||
        !bench_unpack(folder, "tinyshakespeare.txt.gz", english) ||
        !bench_unpack(folder, "zh_classics.jsonl.gz", chinese) || !bench_texts(chinese)) {
        fprintf(stderr, "bench: tokenizer: R1_TEST_DATA has no vocabulary and texts\n");
        return;
    }
    snprintf(command, sizeof command, "${PYTHON:-python3} bench/hf_tokenizers.py '%s' '%s' '%s'",
             json, english, chinese);
    FILE *pipe = popen(command, "r");
    for (int i = 0; pipe && i < 4; i++)
        if (fscanf(pipe, "%lf", &theirs[i / 2][i % 2]) != 1) break;
    if (!pipe || pclose(pipe) != 0)
        fprintf(stderr, "bench: no Hugging Face tokenizers in $PYTHON, their columns stay empty\n");
    r1_context *ctx = r1_context_new(NULL);
    double begin = bench_now();
    r1_tokenizer *tok = r1_tokenizer_load(ctx, json, NULL);
    fprintf(stderr, "bench: the vocabulary was read in %.3f s\n", bench_now() - begin);
    if (!bench_json)
        printf("section,text,form,mb,tokens,ours_mb_per_second,hf_mb_per_second,ratio\n");
    if (tok) bench_tokenizer_row(tok, "english", english, theirs[0]);
    if (tok) bench_tokenizer_row(tok, "chinese", chinese, theirs[1]);
    if (tok) bench_tokenizer_growth(tok);
    if (r1_status_of(ctx)) fprintf(stderr, "bench: %s\n", r1_message_of(ctx));
    r1_context_free(ctx);
}

// ---- compile time ----
static void bench_compile_section(void) {
    static const char *const flags[] = {"-O0", "-O2", "-O3"};
    static const char *const names[] = {"flags", "seconds"};
    if (!bench_json) printf("section,flags,seconds\n");
    for (size_t i = 0; i < 3; i++) {
        char command[160];
        double start = r1i_seconds();
        snprintf(command, sizeof command,
                 "${CC:-cc} -std=c11 %s -DR1_IMPLEMENTATION -x c -c r1.h -o build/bench_compile.o",
                 flags[i]);
        bool built = system(command) == 0;
        const char *values[] = {flags[i], built ? bench_text("%.1f", r1i_seconds() - start) : ""};
        bench_row("compile", names, values, 2);
    }
    remove("build/bench_compile.o");
}

// ---- the judge ----
#ifndef R1_NO_JUDGE
static const char bench_program[] = "n = int(input())\ns = 0\nfor i in range(n): s += i * i % 7\n"
                                    "print(s)\n";
enum { BENCH_PROGRAMS = 40, BENCH_PARALLEL = 2, BENCH_ROUNDS = 11 };

// The same programs without a box: a new process each, at most so many at once.
static double bench_bare(const char *python, size_t n) {
    char source[] = "build/bench_judge.py", input[] = "build/bench_judge.in";
    char *arguments[] = {(char *)"python3", (char *)"-s", (char *)"-S", (char *)"-B", source, NULL};
    FILE *file = fopen(source, "w");
    if (!file || fputs(bench_program, file) < 0 || fclose(file) != 0) return 0;
    file = fopen(input, "w");
    if (!file || fputs("2000\n", file) < 0 || fclose(file) != 0) return 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    double begin = r1i_seconds();
    size_t running = 0;
    for (size_t i = 0; i < n || running; running--) {
        pid_t pid;
        char *none[] = {NULL};
        while (i < n && running < BENCH_PARALLEL) {
            if (posix_spawn(&pid, python, &actions, NULL, arguments, none) == 0) running++;
            i++;
        }
        waitpid(-1, NULL, 0);
    }
    double seconds = r1i_seconds() - begin;
    posix_spawn_file_actions_destroy(&actions);
    remove(source), remove(input);
    return (double)n / seconds;
}
static double bench_boxed(r1_judge *judge, size_t n) {
    static r1_judge_result results[BENCH_PROGRAMS];
    r1_judge_test test = {{"2000\n", 5}, {NULL, 0}};
    r1_judge_task task = {.language = 0,
                          .source = {bench_program, sizeof bench_program - 1},
                          .tests = &test,
                          .n_tests = 1};
    double begin = r1i_seconds();
    for (size_t i = 0; i < n; i++) r1_judge_begin(judge, &task, &results[i]);
    for (size_t i = 0; i < n; i++) {
        r1_judge_wait(judge, &results[i]);
        if (results[i].verdict != R1_JUDGE_AC) return 0;
    }
    return (double)n / (r1i_seconds() - begin);
}
// How long after its limit a program has ended, in milliseconds, of programs that try to stay.
static void bench_wall(r1_judge *judge, double *late, size_t n) {
    static const char *const sources[] = {
        "import time\ntime.sleep(60)", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "import os\nos.closerange(0, 9)\nwhile True: pass",
        "import os, time\nfor i in range(20): os.fork() or time.sleep(60)\ntime.sleep(60)"};
    for (size_t i = 0; i < n; i++) {
        r1_judge_result result;
        r1_judge_test test = {{"", 0}, {"", 0}};
        r1_judge_task task = {.source = {sources[i % 4], strlen(sources[i % 4])},
                              .tests = &test,
                              .n_tests = 1,
                              .limits = {9, 0.3, 0, 0, 64}};
        r1_judge_run(judge, &task, &result);
        late[i] = result.verdict == R1_JUDGE_TLE_WALL ? (result.wall_seconds - 0.3) * 1e3 : 1e9;
    }
    qsort(late, n, sizeof *late, bench_compare);
}
static void bench_judge_level(r1_judge_level level, double gigabytes) {
    static const char *const names[] = {"level", "parent_gib",  "boxed_per_s", "bare_per_s",
                                        "ratio", "late_p50_ms", "late_p95_ms", "late_max_ms"};
    size_t n = BENCH_PROGRAMS, m = bench_quick ? 20 : 100;
    int rounds = bench_quick ? 1 : BENCH_ROUNDS;
    double late[100], ratios[BENCH_ROUNDS], boxed[BENCH_ROUNDS], bare[BENCH_ROUNDS];
    r1_judge_desc desc = {.level = level, .jobs = BENCH_PARALLEL};
    r1_context *ctx =
        r1_context_new(&(r1_context_desc){.fork_first = r1_judge_fork, .fork_first_desc = &desc});
    r1_judge *judge = r1_judge_open(ctx);
    // What a trainer holds beside the judge: it must not be copied with each program.
    size_t bytes = (size_t)(gigabytes * (1 << 30));
    char *weights = bytes ? (char *)malloc(bytes) : NULL;
    if (weights) memset(weights, 1, bytes);
    if (judge && (weights || !bytes) &&
        r1_judge_language_find(judge, (r1_slice){"python", 6}) == 0) {
        for (int i = 0; i < rounds; i++) { // in turn, so that both see the same noise
            boxed[i] = bench_boxed(judge, n);
            bare[i] = bench_bare(judge->zygote.languages[0].runner, n);
            ratios[i] = boxed[i] / bare[i];
        }
        bench_wall(judge, late, m);
        const char *values[] = {r1_judge_level_name(level),
                                bench_text("%.0f", gigabytes),
                                bench_text("%.1f", bench_median(boxed, rounds)),
                                bench_text("%.1f", bench_median(bare, rounds)),
                                bench_text("%.2f", bench_median(ratios, rounds)),
                                bench_text("%.1f", late[m / 2]),
                                bench_text("%.1f", late[m * 95 / 100]),
                                bench_text("%.1f", late[m - 1])};
        bench_row("judge", names, values, 8);
    } else {
        fprintf(stderr, "judge %s: %s\n", r1_judge_level_name(level), r1_message_of(ctx));
    }
    free(weights);
    r1_context_free(ctx);
}
static void bench_judge_section(void) {
    if (!bench_json)
        printf("section,level,parent_gib,boxed_per_s,bare_per_s,ratio,late_p50_ms,late_p95_ms,"
               "late_max_ms\n");
    for (int level = R1_JUDGE_NS; level >= R1_JUDGE_LANDLOCK6; level--) {
        bench_judge_level((r1_judge_level)level, 0);
        if (!bench_quick) bench_judge_level((r1_judge_level)level, 8);
    }
}
#else
static void bench_judge_section(void) {}
#endif

// ---- the program ----
static const struct {
    const char *name, *text;
    void (*run)(void);
} bench_sections[] = {
    {"matmul", "f32 products of many shapes beside OpenBLAS", bench_matmul_section},
    {"small", "the cost of one call of the product kernel", bench_small_section},
    {"rows", "the kernels that work row by row or number by number", bench_rows_section},
    {"model", "tokens per second of the demo's model, trained and drawn", bench_model_section},
    {"price", "what the fixed orders of one arithmetic cost", bench_price_section},
    {"answer", "microseconds of a comparison, and how it grows with the text",
     bench_answer_section},
    {"reward", "microseconds of a completion, by component and length", bench_reward_section},
    {"tokenizer", "encoding beside Hugging Face's library; needs R1_TEST_DATA",
     bench_tokenizer_section},
    {"judge", "programs per second in boxes and bare, and how late limits are",
     bench_judge_section},
    {"compile", "seconds to compile the implementation", bench_compile_section},
};
enum { BENCH_SECTIONS = sizeof bench_sections / sizeof *bench_sections };

static int bench_usage(FILE *file) {
    fprintf(file, "usage: bench [--only SECTION] [--json] [--quick] [--help]\nsections:\n");
    for (size_t i = 0; i < BENCH_SECTIONS; i++)
        fprintf(file, "  %-10s %s\n", bench_sections[i].name, bench_sections[i].text);
    return file == stderr ? 2 : 0;
}
int main(int argc, char **argv) {
    const char *only = NULL;
    size_t ran = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) return bench_usage(stdout);
        if (strcmp(argv[i], "--json") == 0)
            bench_json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            bench_quick = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else
            return bench_usage(stderr);
    }
    for (size_t i = 0; i < BENCH_SECTIONS; i++)
        if (!only || strcmp(only, bench_sections[i].name) == 0) bench_sections[i].run(), ran++;
    return ran ? 0 : bench_usage(stderr);
}
