// Tests of what the library does when memory is refused: the n-th allocation, every allocation from
// the n-th on, and every piece of an arena, in every public function. Files and kills are in
// test_faults_io.c.
//
// A scenario is a straight line of units, written without a look at errors:
//
//     DO((model = r1_model_new(f->ctx, &config)) != NULL);
//     DO_VOID(r1_backward(f->ctx, y));
//
// DO runs the call, asks whether it succeeded, compares that with the status of the context, and
// notes the names of the public functions in it: the last test compares them with the
// declarations of r1.h. A scenario runs
//   once undisturbed, which counts the allocations and the bits that come out;
//   with the n-th allocation refused: the unit fails, r1_error_clear, the unit again, and the
//     scenario ends with the same bits on the objects that were made before the error;
//   with all from the n-th on refused: the rest of the line runs on the context with the error,
//     and nothing but errors comes of it; then memory is back, and the whole scenario has the same
//     bits;
//   with an arena that has k lines of 64 bytes left in unit u, for every u and k, which refuses
//     each of the small pieces that a hook does not see.
// After each run nothing that the scenario has freed is left on the context.
#include <ctype.h>

typedef enum fault_mode { FAULT_NONE, FAULT_ONE, FAULT_REST, FAULT_ARENA } fault_mode;

enum { FAULT_UNITS = 64 }; // of a scenario
typedef struct fault {
    r1_context *ctx;
    fault_mode mode;
    // The memory hook: calls so far, those that find no memory (from 1, of `least` bytes), what is
    // refused, and what is out.
    size_t calls, first, last, least, denied;
    size_t denied_call, denied_bytes; // the first refusal
    const char *denied_text;
    size_t blocks, bytes;
    // Units so far; the one whose arena is cut, and to how many lines.
    size_t units, target, lines;
    const char *texts[FAULT_UNITS];
    // The present unit.
    const char *text;
    int tries;
    bool good, anyway;
    bool failed; // an error stays on the context: the rest of the line must fail too
    uint64_t hash;
} fault;
typedef void fault_scenario(fault *f);

// ---- the memory hook ----
// A line in front of each block keeps its size, because the contract says that it comes back.
static void *fault_alloc(void *user, size_t bytes, size_t align) {
    fault *f = (fault *)user;
    f->calls++;
    if (f->calls >= f->first && f->calls <= f->last && bytes >= f->least) {
        if (!f->denied++)
            f->denied_call = f->calls, f->denied_bytes = bytes, f->denied_text = f->text;
        return NULL;
    }
    size_t *block = (size_t *)r1i_libc_alloc(NULL, bytes + R1I_ALIGN, R1I_ALIGN);
    CHECK(block && align <= R1I_ALIGN);
    *block = bytes;
    f->blocks++, f->bytes += bytes;
    return (char *)block + R1I_ALIGN;
}
static void fault_free(void *user, void *memory, size_t bytes) {
    fault *f = (fault *)user;
    size_t *block = (size_t *)(void *)((char *)memory - R1I_ALIGN);
    CHECK_EQUAL_SIZE(bytes, *block);
    f->blocks--, f->bytes -= bytes;
    r1i_libc_free(NULL, block, 0);
}
// Leaves `lines` of 64 bytes in the newest chunk of the step arena, and nothing to make another:
// blocks of the size of a chunk are refused.
static void fault_squeeze(fault *f) {
    r1i_arena *arena = &f->ctx->step;
    f->first = f->last = 0;
    if (!arena->chunk) CHECK(r1i_arena_alloc(f->ctx, arena, 1));
    size_t left = f->lines * R1I_ALIGN;
    if (left < arena->chunk->bytes - arena->chunk->used)
        arena->chunk->used = arena->chunk->bytes - left;
    f->first = f->calls + 1, f->last = SIZE_MAX, f->least = (1 << 16) + 2 * R1I_ALIGN;
}

// ---- units ----
enum { FAULT_SEEN = 1 << 14 };
static char *fault_seen; // names of public functions in units, each between two spaces
static void fault_called(const char *text) {
    if (!fault_seen) return;
    for (const char *at = text; (at = strstr(at, "r1_")) != NULL;) {
        size_t n = 0;
        bool whole = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        while (isalnum((unsigned char)at[n]) || at[n] == '_') n++;
        if (whole && at[n] == '(') {
            char name[80];
            snprintf(name, sizeof name, " %.*s ", (int)n, at);
            size_t used = strlen(fault_seen);
            if (!strstr(fault_seen, name))
                snprintf(fault_seen + used, FAULT_SEEN - used, "%s", name);
        }
        at += n;
    }
}
// Notes a call inside a function that is a unit.
#define CALL(...) (fault_called(#__VA_ARGS__), __VA_ARGS__)
// A unit. The second form is for calls without a result, the third for those that may succeed on a
// context that has an error.
#define DO(...)                                                                                    \
    for (fault_enter(f, #__VA_ARGS__, false); fault_again(f);) fault_note(f, (__VA_ARGS__))
#define DO_VOID(...) DO((__VA_ARGS__), r1_status_of(f->ctx) == R1_OK)
#define DO_ANYWAY(...)                                                                             \
    for (fault_enter(f, #__VA_ARGS__, true); fault_again(f);) fault_note(f, (__VA_ARGS__))

__attribute__((noreturn)) static void fault_stop(const fault *f, const char *what) {
    static const char *const modes[] = {"none", "one", "rest", "arena"};
    test_stop(TEST_FAILED,
              "%s: %.300s (mode %s, refused first: call %zu, %zu bytes in unit %.300s; cut in unit "
              "%zu to %zu lines; context: %s)",
              what, f->text, modes[f->mode], f->denied_call, f->denied_bytes,
              f->denied_text ? f->denied_text : "-", f->target, f->lines, r1_message_of(f->ctx));
}
static void fault_enter(fault *f, const char *text, bool anyway) {
    f->text = text, f->tries = 0, f->anyway = anyway, f->units++;
    CHECK(f->units < FAULT_UNITS);
    f->texts[f->units] = text;
    fault_called(text);
}
// Whether the unit shall run (again).
static bool fault_again(fault *f) {
    if (f->tries == 0) {
        if (f->mode == FAULT_ARENA && f->units == f->target) fault_squeeze(f);
    } else {
        if (f->mode == FAULT_ARENA) f->first = f->last = 0;
        if (f->tries == 2 || f->good || f->mode == FAULT_REST) return false;
        f->first = f->last = 0;
        r1_error_clear(f->ctx);
    }
    f->tries++;
    return true;
}
// What came of it.
static void fault_note(fault *f, bool good) {
    r1_status status = r1_status_of(f->ctx);
    f->good = good;
    if (good && f->failed && f->anyway) return;
    if (good && status != R1_OK) fault_stop(f, "success, but the context has an error");
    if (!good && status == R1_OK) fault_stop(f, "failure, but the context has no error");
    if (good) return;
    if (f->tries == 2) fault_stop(f, "fails again after r1_error_clear");
    if (!f->denied) fault_stop(f, "fails without a refusal");
    if (status != R1_ERROR_MEMORY || !*r1_message_of(f->ctx)) fault_stop(f, "another error");
    if (f->mode == FAULT_REST) f->failed = true;
}
// Takes bits into the result of the scenario.
static void fault_keep(fault *f, const void *data, size_t bytes) {
    f->hash = r1i_hash(f->hash, data, bytes);
}
static void fault_keep_text(fault *f, const char *text) { fault_keep(f, text, strlen(text)); }
static void fault_keep_tensor(fault *f, const r1_tensor *x) {
    if (x) fault_keep(f, x->data, r1_tensor_count(x) * sizeof *x->data);
}

// ---- runs ----
// What stays on a context by design: the pool, scratch of the workers, the tape and its arena.
static bool fault_cached(const r1_context *ctx, const void *object) {
    bool kept =
        object == ctx->pool || object == ctx->tape || (ctx->tape && object == ctx->tape->records);
    for (int i = 0; i < ctx->threads; i++) kept = kept || object == ctx->scratch[i];
    for (const r1i_chunk *c = ctx->step.chunk; c; c = c->next) kept = kept || object == c;
    return kept;
}
static void fault_no_leak(fault *f) {
    for (const r1i_block *block = f->ctx ? f->ctx->blocks : NULL; block; block = block->next)
        if (!fault_cached(f->ctx, (const char *)block + R1I_ALIGN)) {
            char what[80];
            snprintf(what, sizeof what, "a block of %zu bytes is left", block->bytes);
            fault_stop(f, what);
        }
    if (f->ctx && f->ctx->tape && (f->ctx->tape->depth || f->ctx->tape->no_grad))
        fault_stop(f, "a step or a no-grad segment is left open");
}
static void fault_line(fault *f, fault_scenario *scenario, int threads) {
    r1_context_desc desc = {
        .seed = 5, .threads = threads, .allocator = {fault_alloc, fault_free, f}};
    f->units = 0, f->hash = 0;
    if (!f->ctx) DO((f->ctx = r1_context_new(&desc)) != NULL);
    scenario(f);
    fault_no_leak(f);
}
static void fault_close(fault *f) {
    r1_context_free(f->ctx);
    if (f->blocks || f->bytes) fault_stop(f, "the context did not free all");
}
// One run whose result must be that of the undisturbed one.
static void fault_once(fault *f, fault_scenario *scenario, int threads, uint64_t hash) {
    fault_line(f, scenario, threads);
    if (f->hash != hash) fault_stop(f, "other bits after r1_error_clear");
    fault_close(f);
}
// Every size of the arena in one unit. A unit whose first refusal does not depend on that size has
// found all that it needs in the arena. Returns the runs.
static size_t fault_arena(fault_scenario *scenario, int threads, uint64_t hash, size_t unit) {
    fault whole = {.mode = FAULT_ARENA, .target = unit, .lines = SIZE_MAX / R1I_ALIGN};
    fault_once(&whole, scenario, threads, hash);
    for (size_t lines = 0;; lines++) {
        fault cut = {.mode = FAULT_ARENA, .target = unit, .lines = lines};
        fault_once(&cut, scenario, threads, hash);
        if (cut.denied_call == whole.denied_call && cut.denied_bytes == whole.denied_bytes)
            return lines;
    }
}
// The arena is cut in the first of units that read alike: the others find its memory made.
static bool fault_repeated(const fault *f, size_t unit) {
    for (size_t i = 1; i < unit; i++)
        if (!strcmp(f->texts[i], f->texts[unit])) return true;
    return false;
}
static void fault_prove(fault_scenario *scenario, int threads) {
    fault good = {0};
    fault_line(&good, scenario, threads);
    uint64_t hash = good.hash;
    size_t n_calls = good.calls, n_units = good.units, arenas = 0;
    fault_close(&good);
    for (size_t n = 1; n <= n_calls; n++) {
        fault one = {.mode = FAULT_ONE, .first = n, .last = n};
        fault_once(&one, scenario, threads, hash);
        CHECK(one.denied == 1);
        fault rest = {.mode = FAULT_REST, .first = n, .last = SIZE_MAX};
        fault_line(&rest, scenario, threads);
        CHECK(rest.denied);
        rest.mode = FAULT_NONE, rest.first = rest.last = 0, rest.failed = false;
        r1_error_clear(rest.ctx);
        fault_once(&rest, scenario, threads, hash);
    }
    for (size_t u = 2; u <= n_units; u++) // the first makes the context
        if (!fault_repeated(&good, u)) arenas += fault_arena(scenario, threads, hash, u);
    printf("%zu allocations, %zu units, %zu arenas cut\n", n_calls, n_units, arenas);
}

// ---- scenarios: context, threads, tensors ----
static void fault_count_task(void *arg, size_t begin, size_t end, int worker) {
    (void)worker;
    for (size_t i = begin; i < end; i++) ((uint8_t *)arg)[i]++;
}
static void fault_context(fault *f) {
    uint8_t seen[40] = {0};
    DO(strcmp(r1_cpu_name(f->ctx), "none") != 0);
    r1_parallel_for(f->ctx, 40, 1, fault_count_task, seen); // a pool it cannot have costs only time
    for (int i = 0; i < 40; i++) CHECK(seen[i] == 1);
    DO_VOID(r1_step_begin(f->ctx));
    DO_VOID(r1_step_end(f->ctx));
    DO_VOID(r1_no_grad_begin(f->ctx));
    r1_no_grad_end(f->ctx);
}

static const size_t fault_shape[] = {2, 3, 4};
static void fault_fill(r1_tensor *x, int salt) {
    for (size_t i = 0; x && i < r1_tensor_count(x); i++)
        x->data[i] = (r1i_real)((int)(i * 7 + (size_t)salt * 5) % 11 - 5) / 8;
}
// A parameter has no function that frees it: it lives as long as its context.
static void fault_parameter_free(fault *f, r1_tensor *x) {
    if (!x) return;
    r1i_free(f->ctx, x->data), r1i_free(f->ctx, x->grad), r1i_free(f->ctx, x);
}
static void fault_tensors(fault *f) {
    r1_tensor *w = NULL, *x = NULL, *y = NULL;
    const size_t wide[] = {700, 30}; // beyond one chunk of an arena
    DO((w = r1_tensor_parameter(f->ctx, 3, fault_shape)) != NULL);
    DO_VOID(r1_step_begin(f->ctx));
    DO((x = r1_tensor_new(f->ctx, 2, wide)) != NULL);
    DO((y = r1_tensor_reshape(f->ctx, w, 2, (size_t[]){6, 4})) != NULL);
    if (y) CHECK(y->grad == w->grad);
    // The gradient of what is not a parameter is made when its second name is.
    if (x) x->wants_grad = true;
    DO((y = r1_tensor_reshape(f->ctx, x, 1, (size_t[]){21000})) != NULL);
    if (y) CHECK(y->grad && y->grad == x->grad);
    r1_step_end(f->ctx);
    fault_parameter_free(f, w);
}

// ---- scenarios: ops ----
enum { FAULT_T = 5 };
static const int32_t fault_ids[FAULT_T] = {1, 0, 2, 2, 3}, fault_places[FAULT_T] = {0, 1, 2, 0, 1};
static const size_t fault_starts[] = {0, 3, 5};
static const r1i_real fault_angles[] = {1, 0.5f, 0.25f, 0, 0.75f, 0.125f};
static const r1i_real fault_weights[] = {0.5f, 0.25f};

// What the ops work on: a few matrices that want gradients, and some that do not.
typedef struct fault_inputs {
    r1_tensor *table, *w, *gain, *heads, *experts, *router; // parameters
} fault_inputs;
static r1_tensor *fault_matrix(fault *f, int rank, size_t a, size_t b, size_t c) {
    r1_tensor *x = NULL;
    DO((x = r1_tensor_parameter(f->ctx, rank, (size_t[]){a, b, c})) != NULL);
    fault_fill(x, (int)(a + b));
    return x;
}
static fault_inputs fault_inputs_make(fault *f) {
    fault_inputs in = {0};
    in.table = fault_matrix(f, 2, 4, 8, 0), in.w = fault_matrix(f, 2, 8, 8, 0);
    in.gain = fault_matrix(f, 1, 8, 0, 0), in.heads = fault_matrix(f, 3, 2, 6, 3);
    in.experts = fault_matrix(f, 3, 4, 8, 8), in.router = fault_matrix(f, 2, 4, 8, 0);
    return in;
}
static void fault_inputs_free(fault *f, fault_inputs *in) {
    r1_tensor *all[] = {in->table, in->w, in->gain, in->heads, in->experts, in->router};
    for (int i = 0; i < 6; i++) fault_parameter_free(f, all[i]);
}
// Every op as a unit of its own, in one step.
static void fault_ops(fault *f) {
    fault_inputs in = fault_inputs_make(f);
    const r1_rope_table rope = {fault_angles, fault_angles + 3, 3, 2};
    const r1_route_desc top = {.chosen = 2, .normalise = true};
    r1_tensor *x = NULL, *y[19] = {NULL};
    r1_routing *routing = NULL;
    r1_logprobs *out = NULL;
    DO_VOID(r1_step_begin(f->ctx));
    DO((x = r1_embed(f->ctx, in.table, fault_ids, FAULT_T)) != NULL);
    DO((y[0] = r1_matmul(f->ctx, x, in.w, in.gain)) != NULL);
    DO((y[1] = r1_add(f->ctx, x, y[0])) != NULL);
    DO((y[2] = r1_mul(f->ctx, x, y[1])) != NULL);
    DO((y[3] = r1_rmsnorm(f->ctx, y[2], in.gain, 1e-6)) != NULL);
    DO((y[4] = r1_swiglu(f->ctx, y[3], x)) != NULL);
    DO((y[5] = r1_columns(f->ctx, y[4], 2, 4)) != NULL);
    DO((y[6] = r1_tensor_reshape(f->ctx, y[5], 3, (size_t[]){FAULT_T, 2, 2})) != NULL);
    DO((y[7] = r1_rope(f->ctx, y[6], fault_places, &rope, false)) != NULL);
    DO((y[8] = r1_join(f->ctx, y[6], y[7])) != NULL); // [T,2,4]
    DO((y[9] = r1_attention(f->ctx, y[8], y[8], y[8], fault_starts, 2, 0.5)) != NULL);
    DO((y[10] = r1_head_matmul(f->ctx, y[9], in.heads, 1, 4, true)) != NULL);
    DO((y[11] = r1_head_matmul(f->ctx, y[10], in.heads, 1, 4, false)) != NULL);
    DO((y[12] = r1_tensor_reshape(f->ctx, y[11], 2, (size_t[]){FAULT_T, 8})) != NULL);
    DO((y[13] = r1_matmul(f->ctx, y[12], in.router, NULL)) != NULL);
    DO((routing = r1_route(f->ctx, y[13], NULL, &top, NULL)) != NULL);
    DO((y[14] = r1_dispatch(f->ctx, y[12], routing)) != NULL);
    DO((y[15] = r1_expert_matmul(f->ctx, y[14], in.experts, routing)) != NULL);
    DO((y[16] = r1_combine(f->ctx, y[15], routing)) != NULL);
    DO((y[17] = r1_balance(f->ctx, routing, fault_starts, 2, fault_weights)) != NULL);
    DO((out = r1_logprob(f->ctx, y[16], in.table, fault_ids, 0.5)) != NULL);
    if (out) fault_keep_tensor(f, out->logp), fault_keep_tensor(f, out->entropy);
    DO((y[18] = r1_sum(f->ctx, out ? out->logp : NULL)) != NULL);
    for (int i = 0; i < 19; i++) fault_keep_tensor(f, y[i]);
    r1_step_end(f->ctx);
    fault_inputs_free(f, &in);
}
// A whole step with gradients is one unit: what a backward pass has added it does not take back,
// so that the caller begins with zeros again.
static bool fault_gradient_step(fault *f, fault_inputs *in) {
    static const r1i_real ones[FAULT_T] = {1, 1, 1, 1, 1};
    r1_tensor *all[] = {in->table, in->w, in->gain, in->heads, in->experts, in->router};
    const r1_route_desc top = {.chosen = 2, .normalise = true};
    for (int i = 0; i < 6; i++)
        if (all[i]) memset(all[i]->grad, 0, r1_tensor_count(all[i]) * sizeof(r1i_real));
    r1_step_begin(f->ctx);
    r1_tensor *x = r1_embed(f->ctx, in->table, fault_ids, FAULT_T);
    r1_tensor *c = r1_tensor_new(f->ctx, 2, (size_t[]){FAULT_T, 8}); // wants no gradient
    fault_fill(c, 1);
    r1_tensor *y = r1_swiglu(f->ctx, r1_matmul(f->ctx, x, in->w, in->gain), c);
    r1_tensor *h = r1_rmsnorm(f->ctx, y, in->gain, 1e-6);
    h = h ? r1_tensor_reshape(f->ctx, r1_columns(f->ctx, h, 0, 6), 3, (size_t[]){FAULT_T, 2, 3})
          : NULL;
    r1_tensor *z = r1_head_matmul(f->ctx, r1_attention(f->ctx, h, h, h, fault_starts, 2, 0.5),
                                  in->heads, 0, 4, false);
    z = z ? r1_tensor_reshape(f->ctx, z, 2, (size_t[]){FAULT_T, 8}) : NULL;
    r1_routing *routing =
        r1_route(f->ctx, r1_matmul(f->ctx, z, in->router, NULL), NULL, &top, NULL);
    h = r1_expert_matmul(f->ctx, r1_dispatch(f->ctx, z, routing), in->experts, routing);
    h = r1_combine(f->ctx, h, routing);
    r1_tensor *loss = r1_balance(f->ctx, routing, fault_starts, 2, fault_weights);
    r1_logprobs *out =
        r1_logprob(f->ctx, r1_add(f->ctx, h, r1_mul(f->ctx, y, x)), in->table, fault_ids, 1);
    CALL(r1_seed(f->ctx, loss, fault_weights));
    CALL(r1_backward_from(f->ctx, out ? out->logp : NULL, ones));
    r1_step_end(f->ctx);
    return r1_status_of(f->ctx) == R1_OK;
}
static void fault_gradients(fault *f) {
    fault_inputs in = fault_inputs_make(f);
    r1_tensor *all[] = {in.table, in.w, in.gain, in.heads, in.experts, in.router};
    for (int step = 0; step < 2; step++) { // the second finds the memory of the first
        DO(fault_gradient_step(f, &in));
        for (int i = 0; i < 6; i++)
            if (all[i]) fault_keep(f, all[i]->grad, r1_tensor_count(all[i]) * sizeof(r1i_real));
    }
    fault_inputs_free(f, &in);
}
static r1_tensor *fault_loss(r1_context *ctx, void *arg) {
    r1_tensor *w = (r1_tensor *)arg;
    return r1_sum(ctx, r1_mul(ctx, w, w));
}
static bool fault_backward_step(fault *f, r1_tensor *w) {
    if (w) memset(w->grad, 0, r1_tensor_count(w) * sizeof *w->grad);
    r1_step_begin(f->ctx);
    CALL(r1_backward(f->ctx, fault_loss(f->ctx, w)));
    r1_step_end(f->ctx);
    return r1_status_of(f->ctx) == R1_OK;
}
// Enough inside of a segment that its second run needs more memory than the first.
static bool fault_segment(r1_context *ctx, void *arg, r1_tensor *x, r1_tensor **y) {
    r1_tensor *h = r1_mul(ctx, x, (r1_tensor *)arg);
    for (int i = 0; i < 3; i++) h = r1_add(ctx, h, x);
    y[0] = h, y[1] = r1_sum(ctx, h);
    return h != NULL;
}
static bool fault_segment_step(fault *f, r1_tensor *w) {
    if (w) memset(w->grad, 0, r1_tensor_count(w) * sizeof *w->grad);
    r1_step_begin(f->ctx);
    r1_tensor *y[2] = {w ? r1_tensor_new(f->ctx, 2, w->shape) : NULL,
                       r1_tensor_new(f->ctx, 1, (size_t[]){1})};
    r1_tensor *x = r1_add(f->ctx, w, w), *sum = NULL;
    if (CALL(r1_recompute(f->ctx, fault_segment, w, x, y, 2))) sum = r1_sum(f->ctx, y[0]);
    r1_backward(f->ctx, r1_add(f->ctx, sum, y[1]));
    r1_step_end(f->ctx);
    return r1_status_of(f->ctx) == R1_OK;
}
static void fault_backward(fault *f) {
    r1_tensor *w = fault_matrix(f, 2, 2, 3, 0);
    double off = 0;
    DO(fault_backward_step(f, w));
    if (w) fault_keep(f, w->grad, r1_tensor_count(w) * sizeof *w->grad);
    DO(fault_segment_step(f, w));
    if (w) fault_keep(f, w->grad, r1_tensor_count(w) * sizeof *w->grad);
    DO((off = r1_grad_check(f->ctx, fault_loss, w, &w, w ? 1 : 0, 0.25)) != HUGE_VAL);
    fault_keep(f, &off, sizeof off);
    fault_parameter_free(f, w);
}
// Enough numbers for two workers, so that the pool is made in the middle of an update.
enum { FAULT_N = 40000 };
static void fault_adamw(fault *f) {
    static r1i_real w[2][FAULT_N], g[2][FAULT_N], m[2][FAULT_N], v[2][FAULT_N];
    r1_range ranges[2];
    for (int r = 0; r < 2; r++) {
        memset(m[r], 0, sizeof m[r]), memset(v[r], 0, sizeof v[r]);
        for (int i = 0; i < FAULT_N; i++) w[r][i] = (r1i_real)(i % 5), g[r][i] = (r1i_real)(i % 3);
        ranges[r] = (r1_range){w[r], g[r], m[r], v[r], FAULT_N, r == 0};
    }
    uint64_t before = r1i_hash(r1i_hash(0, w, sizeof w), m, sizeof m);
    DO_VOID(r1_adamw_step(f->ctx, ranges, 2, NULL, 0.1, 1));
    uint64_t after = r1i_hash(r1i_hash(0, w, sizeof w), m, sizeof m);
    if (!f->good && before != after) fault_stop(f, "half an update");
    fault_keep(f, &after, sizeof after);
}

// ---- scenarios: JSON, files, logs, tokenizer ----
static const char fault_text[] = "{\"a\":1,\"b\":[1,2,{\"c\":null}],\"d\":\"x\",\"e\":true,\"f\":2,"
                                 "\"g\":3,\"h\":4,\"i\":5,\"j\":6,\"k\":[0,1,2,3,4,5,6,7,8,9]}";
static void fault_json(fault *f) {
    r1_json *root = NULL;
    char problem[80];
    size_t size = sizeof fault_text - 1;
    DO((root = r1_json_read(f->ctx, fault_text, size)) != NULL);
    if (root) CHECK(r1_json_number(r1_json_find(root, "j"), 0) == 6 && root->count == 10);
    r1_json_free(f->ctx, root);
    DO((root = r1_json_try(f->ctx, fault_text, size, problem, sizeof problem)) != NULL);
    CHECK(problem[0] == 0); // what is missing is memory: nothing is wrong with the text
    r1_json_free(f->ctx, root);
}
// A writer that has failed stays failed until its reset, so a text is one unit.
static bool fault_write(r1_json_writer *w) {
    static const char longer[] = "a text that makes the writer grow more than once \"\\\n\xff";
    r1_json_writer_reset(w);
    CALL(r1_json_begin_object(w, NULL));
    CALL(r1_json_begin_array(w, "array"));
    for (int i = 0; i < 9; i++) CALL(r1_json_write_number(w, NULL, i + 0.5));
    CALL(r1_json_end_array(w));
    CALL(r1_json_write_integer(w, "integer", -7));
    CALL(r1_json_write_text(w, longer, longer, sizeof longer - 1));
    CALL(r1_json_write_bool(w, "bool", true));
    CALL(r1_json_write_null(w, "null"));
    CALL(r1_json_write_value(w, "value", &(r1_json){.kind = R1_JSON_NULL}));
    CALL(r1_json_end_object(w));
    return !w->failed;
}
static void fault_writer(fault *f) {
    r1_json_writer w = {.ctx = f->ctx};
    DO(fault_write(&w));
    CHECK(w.failed == !f->good);
    if (f->good) fault_keep(f, w.text, w.size);
    r1_json_writer_free(&w);
}

// A path of the test's folder that stays while others are made.
static void fault_path(char path[600], const char *name) {
    snprintf(path, 600, "%s", test_path(name));
}
static void fault_keep_file(fault *f, const char *path) {
    FILE *file = fopen(path, "rb");
    char part[4096];
    for (size_t n; file && (n = fread(part, 1, sizeof part, file)) > 0;) fault_keep(f, part, n);
    if (file) fclose(file);
}
static void fault_files(fault *f) {
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    r1_entry entries[] = {{"a", R1_F32, 2, {2, 3}, numbers, sizeof numbers},
                          {"b", R1_F32, 1, {2}, numbers, 8}};
    const r1_pair pair = {"key", "value"};
    char folder[600], path[600], weights[600], *text = NULL;
    r1_tensors *tensors = NULL;
    size_t size = 0;
    fault_path(folder, "deep/er"), fault_path(path, "deep/er/text"),
        fault_path(weights, "deep/er/weights");
    DO(r1_folder_make(f->ctx, folder) == R1_OK);
    DO(r1_file_write(f->ctx, path, "some text", 9) == R1_OK);
    DO((text = r1_file_read(f->ctx, path, &size)) != NULL);
    if (text) fault_keep(f, text, size);
    r1_file_free(f->ctx, text);
    DO(r1_tensors_save(f->ctx, weights, entries, 2, &pair, 1) == R1_OK);
    DO((tensors = r1_tensors_open(f->ctx, weights)) != NULL);
    const r1_entry *entry = r1_tensors_find(tensors, "b");
    if (tensors) fault_keep(f, entry->data, entry->bytes);
    r1_tensors_close(tensors);
    fault_keep_file(f, weights);
    static const float scale[1] = {0.5f};
    r1_entry f8[] = {{"a", R1_F8_E4M3, 2, {2, 3}, numbers, 6},
                     {"a_scale_inv", R1_F32, 2, {1, 1}, scale, 4}};
    r1_shards_desc shards = {.max_bytes = 6};
    r1i_real out[6] = {0};
    DO(r1_tensors_save_with(f->ctx, weights, f8, 2, &pair, 1, NULL) == R1_OK);
    DO(r1_tensors_save_folder(f->ctx, folder, f8, 2, &pair, 1, &shards) == R1_OK);
    DO((tensors = r1_tensors_open_folder(f->ctx, folder)) != NULL);
    entry = r1_tensors_find(tensors, "a");
    if (tensors) DO(r1_tensors_numbers(tensors, entry, 0, 6, out) == R1_OK);
    if (tensors) fault_keep(f, out, sizeof out);
    r1_tensors_close(tensors);
    nftw(test_path("deep"), test_remove, 16, FTW_DEPTH | FTW_PHYS);
}
// A row with its fields. `wide` is more than the 64 KiB that an open log has.
static r1_status fault_row(r1_log_file *log, bool wide) {
    static char text[70000];
    memset(text, 'x', sizeof text);
    CALL(r1_log_number(log, "number", 0.5));
    CALL(r1_log_integer(log, "integer", 3));
    CALL(r1_log_text(log, "text", text, wide ? sizeof text : 3));
    CALL(r1_log_bool(log, "bool", false));
    CALL(r1_log_begin_array(log, "array"));
    CALL(r1_log_begin_object(log, NULL));
    CALL(r1_log_end_object(log));
    CALL(r1_log_end_array(log));
    return CALL(r1_log_row(log));
}
static void fault_log(fault *f) {
    r1_log_file *log = NULL;
    char path[600];
    fault_path(path, "log.jsonl");
    remove(path);
    DO((log = r1_log_open(f->ctx, path, false)) != NULL);
    DO_ANYWAY(fault_row(log, false) == R1_OK); // a log can say why a run ended
    DO_ANYWAY(r1_log_sync(log) == R1_OK);
    size_t at = r1_log_bytes(log);
    if (log) DO(fault_row(log, true) == R1_OK);
    r1_log_close(log);
    if (f->failed) return;
    DO(r1_log_cut(f->ctx, path, at) == R1_OK);
    DO((log = r1_log_open(f->ctx, path, true)) != NULL);
    if (log) DO_ANYWAY(fault_row(log, false) == R1_OK);
    r1_log_close(log);
    fault_keep_file(f, path);
}
static const char *const fault_pieces[] = {"a", "ab", "b", "c"};
static void fault_tokenizer(fault *f) {
    r1_tokenizer *tokenizer = NULL;
    int32_t ids[8];
    DO((tokenizer = r1_tokenizer_pieces(f->ctx, fault_pieces, 4)) != NULL);
    if (tokenizer) CHECK(r1_encode(tokenizer, "abcab", 5, ids, 8) == 3);
    r1_tokenizer_free(tokenizer);
}

// A vocabulary that is learnt, saved, read back and used.
static void fault_bpe(fault *f) {
    static const r1_slice text = {"the cat sat on the mat, the cat sat", 35};
    static const r1_message question = {"user", "the cat?", 0};
    const r1_bpe_desc desc = {.vocab = 262, .split = R1_SPLIT_GPT2};
    const r1_chat_desc chat = {.chat = R1_CHAT_ZERO, .messages = &question, .n = 1, .prompt = true};
    r1_tokenizer *learnt = NULL, *read = NULL, *made = NULL;
    char path[600], out[4096];
    int32_t ids[1024];
    size_t size = 0;
    fault_path(path, "bpe.json");
    DO((learnt = r1_tokenizer_train(f->ctx, &text, 1, &desc)) != NULL);
    if (learnt) DO(r1_tokenizer_save(learnt, path) == R1_OK);
    DO((read = r1_tokenizer_load(f->ctx, path, NULL)) != NULL);
    if (read) CHECK(r1_tokenizer_count(read) == r1_tokenizer_count(learnt));
    char *json = f->good ? r1_file_read(f->ctx, path, &size) : NULL;
    const r1_tokenizer_desc texts = {.json = {json, size}};
    if (json) DO((made = r1_tokenizer_new(f->ctx, &texts)) != NULL);
    r1_file_free(f->ctx, json);
    DO(r1_chat_text(f->ctx, learnt, &chat, out, sizeof out) < sizeof out);
    DO(r1_chat_encode(f->ctx, learnt, &chat, ids, 1024) < 1024);
    if (f->good) fault_keep(f, ids, 16 * sizeof *ids);
    r1_tokenizer_free(learnt), r1_tokenizer_free(read), r1_tokenizer_free(made);
    remove(path);
}

// ---- scenarios: model, generation ----
static r1_model_config fault_config(bool gqa) {
    r1_model_config mla = {.vocab = 7,
                           .width = 8,
                           .layers = 2,
                           .heads = 2,
                           .max_tokens = 12,
                           .q_rank = 4,
                           .kv_rank = 4,
                           .nope_dim = 2,
                           .rope_dim = 2,
                           .value_dim = 3,
                           .dense_width = 8,
                           .dense_layers = 1,
                           .experts = 4,
                           .chosen = 2,
                           .shared = 1,
                           .expert_width = 4,
                           .normalise_gates = true};
    r1_model_config dense = {.vocab = 7,
                             .width = 8,
                             .layers = 1,
                             .heads = 2,
                             .max_tokens = 12,
                             .attention = R1_GQA,
                             .kv_heads = 1,
                             .qkv_bias = true,
                             .dense_width = 8,
                             .tied_head = true};
    return gqa ? dense : mla;
}
static const int32_t fault_tokens[] = {1, 5, 2, 6, 3, 3, 0};
static const size_t fault_rows[] = {0, 4, 7};
// A forward and backward pass whose gradient the caller has zeroed, as in fault_gradient_step.
static bool fault_model_step(fault *f, r1_model *model, r1_tensor *head) {
    size_t n = 0;
    r1_batch batch = {.tokens = fault_tokens, .starts = fault_rows, .B = 2};
    r1_range *ranges = model ? r1_model_ranges(model, &n) : NULL;
    for (size_t r = 0; r < n; r++) // none before the first pass
        if (ranges[r].g) memset(ranges[r].g, 0, ranges[r].n * sizeof(r1i_real));
    r1_step_begin(f->ctx);
    r1_tensor *hidden = CALL(r1_model_forward(model, &batch));
    r1_logprobs *out = r1_logprob(f->ctx, hidden, head, fault_tokens, 1);
    r1_tensor *y = r1_sum(f->ctx, out ? out->logp : NULL);
    r1_backward(f->ctx, y);
    r1_step_end(f->ctx);
    return r1_status_of(f->ctx) == R1_OK;
}
static void fault_model_of(fault *f, bool gqa) {
    r1_model_config config = fault_config(gqa);
    r1_model *model = NULL, *copy = NULL;
    r1_batch batch = {.tokens = fault_tokens, .starts = fault_rows, .B = 2};
    float logp[7] = {0};
    size_t n = 0;
    r1_model_plan plan;
    DO(r1_model_plan_of(f->ctx, &config, &plan) == R1_OK);
    DO((model = r1_model_new(f->ctx, &config)) != NULL);
    DO((copy = r1_model_clone(model)) != NULL);
    if (copy) DO_ANYWAY(r1_model_copy(model, copy) == R1_OK);
    if (model) {
        DO_VOID(r1_step_begin(f->ctx));
        if (!gqa) DO(r1_model_find(model, "model.layers.1.mlp.experts.2.up_proj.weight") != NULL);
        r1_step_end(f->ctx);
        DO(r1_model_train_ready(model) == R1_OK);
        DO(r1_model_score(model, &batch, 0.5, 3, logp, NULL) == R1_OK);
        fault_keep(f, logp, sizeof logp);
        for (int step = 0; step < 2; step++) DO(fault_model_step(f, model, r1_model_head(model)));
        r1_range *ranges = r1_model_ranges(model, &n);
        for (size_t r = 0; r < n; r++)
            if (ranges[r].g) fault_keep(f, ranges[r].g, ranges[r].n * sizeof(r1i_real));
    }
    r1_model_free(copy), r1_model_free(model);
}
static void fault_model(fault *f) { fault_model_of(f, false); }
static void fault_model_tied(fault *f) { fault_model_of(f, true); }

static void fault_folder(fault *f) {
    r1_model_config config = fault_config(false), stored;
    r1_model *model = NULL, *loaded = NULL;
    char folder[600], path[600];
    fault_path(folder, "model"), fault_path(path, "model/config.json");
    DO((model = r1_model_new(f->ctx, &config)) != NULL);
    if (model) DO(r1_model_save(model, folder) == R1_OK);
    DO((loaded = r1_model_load(f->ctx, folder)) != NULL);
    if (loaded) CHECK(r1_model_hash(loaded) == r1_model_hash(model));
    r1_save_desc shards = {.max_shard_bytes = 1000, .dtype = R1_BF16};
    if (model) DO(r1_model_save_with(model, folder, &shards) == R1_OK);
    if (loaded) r1_model_free(loaded);
    r1_load_desc keep = {.keep_bf16 = true};
    DO((loaded = r1_model_load_with(f->ctx, folder, &keep)) != NULL);
    char *text = NULL;
    size_t size = 0;
    DO((text = r1_file_read(f->ctx, path, &size)) != NULL);
    DO(r1_model_config_read(f->ctx, text ? text : "", size, &stored) == R1_OK);
    if (f->good) fault_keep(f, text, size);
    r1_file_free(f->ctx, text);
    r1_model_free(loaded), r1_model_free(model);
    nftw(folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
}
// Whatever has happened, a rollout can be walked from its first sample to its last.
static void fault_walk(fault *f, const r1_rollout *rollout) {
    for (size_t i = 0; rollout && i < rollout->n; i++) {
        const r1_sample *s = &rollout->samples[i];
        uint64_t sum = 0;
        for (size_t t = 0; t < s->n; t++) sum += (uint64_t)s->tokens[t] + (s->logp[t] < 0);
        fault_keep(f, &sum, sizeof sum);
    }
}
static void fault_generate(fault *f) {
    static const int32_t stops[] = {3};
    const r1_prompt prompts[] = {{fault_tokens, 3, 4}, {fault_tokens + 2, 2, 9}};
    r1_generate_desc desc = {
        .max_new = 4, .batch = 3, .stops = stops, .n_stops = 1, .routes = true};
    r1_model_config config = fault_config(false);
    r1_model *model = NULL;
    r1_rollout *rollout = NULL;
    DO((model = r1_model_new(f->ctx, &config)) != NULL);
    DO((rollout = r1_rollout_new(f->ctx)) != NULL);
    if (model && rollout) {
        DO(r1_generate(model, rollout, prompts, 1, 2, &desc) == R1_OK);
        fault_walk(f, rollout);
        desc.max_new = 0; // longer and more: every array grows
        DO(r1_generate(model, rollout, prompts, 2, 9, &desc) == R1_OK);
        fault_walk(f, rollout);
    }
    r1_rollout_free(rollout), r1_model_free(model);
}

// ---- scenarios: answers, scores ----
static r1_slice fault_slice(const char *text) { return (r1_slice){text, strlen(text)}; }
static void fault_answer(fault *f) {
    r1_answer_work *work = NULL;
    DO((work = r1_answer_new(f->ctx)) != NULL);
    r1_equality verdict =
        r1_answer_equal(work, fault_slice("1/2"), fault_slice("0.5"), NULL, NULL, 0);
    CHECK(verdict == (work ? R1_EQUAL : R1_UNDECIDED)); // not judged is not wrong
    verdict = r1_answer_check(work, fault_slice("2"), fault_slice("\\boxed{3}"), 0, NULL, NULL, 0);
    CHECK(verdict == (work ? R1_DIFFERENT : R1_UNDECIDED));
    r1_answer_free(work);
}
static void fault_rewarder(fault *f) {
    r1_rewarder *rewarder = NULL;
    r1_reward reward;
    const r1_reward_input input = {.completion = fault_slice("<think>so</think>\\boxed{3}"),
                                   .gold = fault_slice("3")};
    memset(&reward, 0, sizeof reward);
    DO((rewarder = r1_rewarder_new(f->ctx, NULL)) != NULL);
    r1_reward_text(rewarder, &input, &reward);
    CHECK(reward.judged == (rewarder != NULL)); // not judged is not wrong
    fault_keep(f, &reward.total, sizeof reward.total);
    r1_rewarder_free(rewarder);
}
static void fault_score(fault *f) {
    const r1_score_problem problems[] = {{4, 1, 1}, {4, 3, 2}, {4, 4, 2}};
    const double a[] = {0.25, 0.5, 1}, b[] = {0.5, 0.5, 0.75};
    r1_score score = {0}, levels[4] = {{0}};
    r1_score_test test = {0};
    r1_random at;
    size_t n = 0;
#define FRESH(call) (at = (r1_random){.seed = 3, .stream = R1_STREAM_USER}, call)
    DO_VOID(FRESH(score = r1_score_bootstrap(f->ctx, a, 3, 50, &at)));
    DO((n = FRESH(r1_score_levels(f->ctx, problems, 3, 2, 50, &at, levels, 4))) > 0);
    DO_VOID(FRESH(test = r1_score_compare(f->ctx, a, b, 3, 50, &at)));
#undef FRESH
    fault_keep(f, &score.low, sizeof score.low), fault_keep(f, &n, sizeof n);
    fault_keep(f, &levels[1].high, sizeof(double)), fault_keep(f, &test.high, sizeof test.high);
}
static void fault_decontaminator(fault *f) {
    r1_decontaminator *set = NULL;
    char text[6000]; // more n-grams than the first table has places
    size_t count = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 4 == 3 ? ' ' : (char)('a' + i * i % 23 % (3 + i / 997));
    r1_slice all = {text, sizeof text};
    DO((set = r1_decontaminator_new(f->ctx, 3)) != NULL);
    DO(r1_decontaminator_add(set, all));
    if (set) count = r1_decontaminator_count(set, all);
    fault_keep(f, &count, sizeof count);
    r1_decontaminator_free(set);
}

// ---- scenarios: trainers ----
static const r1_document fault_documents[] = {{fault_tokens, 6, 0}, {fault_tokens + 2, 5, 2}};
static void fault_keep_model(fault *f, r1_model *model) {
    size_t n = 0;
    r1_range *ranges = model ? r1_model_ranges(model, &n) : NULL;
    for (size_t r = 0; r < n; r++) {
        fault_keep(f, ranges[r].w, ranges[r].n * sizeof(r1i_real));
        if (ranges[r].m) fault_keep(f, ranges[r].m, ranges[r].n * sizeof(r1i_real));
        if (ranges[r].v) fault_keep(f, ranges[r].v, ranges[r].n * sizeof(r1i_real));
    }
}
static size_t fault_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    CHECK(!user && capacity > 3);
    for (size_t t = 0; t < 2; t++) tokens[t] = (int32_t)((index * 3 + t * 2) % 7);
    return 2;
}
static void fault_reward(void *user, const r1_sample *sample, r1_verdict *out) {
    (void)user;
    out->parts[0] = sample->tokens[sample->n - 1] < 4; // often equal: groups are replaced
}
static r1_grpo_desc fault_grpo_desc(void) {
    return (r1_grpo_desc){
        .questions = 2,
        .group = 2,
        .steps = 5,
        .refresh = 1,
        .policy = {.kl = R1_KL_K3, .kl_weight = 0.1, .no_signal = R1_NO_SIGNAL_RESAMPLE},
        .train = {.chunks = 2, .micro_tokens = 6},
        .generate = {.max_new = 3},
        .replay_routes = true,
        .next_prompt = fault_prompt,
        .reward = fault_reward,
        .parts = {"small"}};
}
static void fault_trainer(fault *f) {
    r1_train_desc desc = {.chunks = 2, .micro_tokens = 5, .recompute = true};
    r1_model_config config = fault_config(false);
    r1_model *model = NULL;
    r1_trainer *trainer = NULL;
    r1_step_metrics metrics = {0};
    char folder[600], note[8] = "";
    fault_path(folder, "run");
    DO((model = r1_model_new(f->ctx, &config)) != NULL);
    DO((trainer = r1_trainer_new(model, &desc)) != NULL);
    r1_train_plan plan = {.total = 0};
    r1_grpo_desc grpo = fault_grpo_desc();
    DO(r1_train_plan_of(f->ctx, &config, &desc, 9, &plan) == R1_OK);
    fault_keep(f, &plan.total, sizeof plan.total);
    DO(r1_grpo_plan_of(f->ctx, &config, &grpo, 2, &plan) == R1_OK);
    fault_keep(f, &plan.total, sizeof plan.total);
    if (trainer) {
        for (int step = 0; step < 2; step++)
            DO(r1_sft_step(trainer, fault_documents, 2, &metrics) == R1_OK);
        for (int step = 0; step < 3; step++) { // the third save prunes
            DO(r1_trainer_save(trainer, folder, "note") == R1_OK);
            if (step < 2) DO(r1_sft_step(trainer, fault_documents, 2, &metrics) == R1_OK);
        }
        DO(r1_trainer_resume(trainer, folder, note, sizeof note));
        uint64_t steps = r1_trainer_steps(trainer);
        fault_keep(f, &steps, sizeof steps), fault_keep_text(f, note);
    }
    fault_keep_model(f, model);
    r1_trainer_free(trainer), r1_model_free(model);
    nftw(folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
}
static void fault_grpo(fault *f) {
    r1_grpo_desc desc = fault_grpo_desc();
    r1_model_config config = fault_config(false);
    r1_model *model = NULL;
    r1_grpo *run = NULL;
    const char *settings = "";
    DO((model = r1_model_new(f->ctx, &config)) != NULL);
    DO((run = r1_grpo_new(model, &desc)) != NULL);
    if (run) {
        DO((settings = r1_grpo_settings(run)) != NULL && r1_status_of(f->ctx) == R1_OK);
        fault_keep_text(f, settings);
        size_t size = strlen(settings);
        CHECK(settings[0] == '{' && settings[size - 1] == '}'); // never half of it
        for (int step = 0; step < 2; step++) {
            DO(r1_grpo_step(run));
            fault_keep(f, &r1_grpo_metrics_of(run)->weight_hash, sizeof(uint64_t));
        }
        fault_walk(f, r1_grpo_rollout_of(run));
        DO(r1_grpo_rollout(run) == R1_OK); // the four calls of a step, one by one
        DO(r1_grpo_judge(run) == R1_OK);
        DO(r1_grpo_advantage(run) == R1_OK);
        DO(r1_grpo_update(run) == R1_OK);
        fault_walk(f, r1_grpo_rollout_of(run));
    }
    fault_keep_model(f, model);
    r1_grpo_free(run), r1_model_free(model);
}
static void fault_grpo_files(fault *f) {
    r1_grpo_desc desc = fault_grpo_desc();
    r1_model_config config = fault_config(true);
    r1_model *model = NULL;
    r1_grpo *run = NULL;
    r1_rollout *rollout = NULL;
    r1_log_file *log = NULL;
    char folder[600], path[600];
    desc.replay_routes = false;
    fault_path(folder, "grpo"), fault_path(path, "grpo.jsonl");
    DO((model = r1_model_new(f->ctx, &config)) != NULL);
    DO((run = r1_grpo_new(model, &desc)) != NULL);
    DO((rollout = r1_rollout_new(f->ctx)) != NULL);
    DO((log = r1_log_open(f->ctx, path, false)) != NULL);
    if (run && rollout) {
        DO(r1_grpo_step(run));
        CALL(r1_grpo_log(run, log));
        DO_ANYWAY(r1_log_row(log) == R1_OK);
        DO(r1_grpo_save(run, folder, "note") == R1_OK);
        DO(r1_grpo_step(run));
        DO(r1_grpo_resume(run, folder, NULL, 0));
        DO(r1_grpo_replay(run, 2, run->next_prompt, rollout) == R1_OK);
        fault_walk(f, rollout);
    }
    fault_keep_model(f, model);
    r1_log_close(log), r1_rollout_free(rollout), r1_grpo_free(run), r1_model_free(model);
    nftw(folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
}
static void fault_report(fault *f) {
    static const char rows[] = "{\"stage\":\"settings\",\"seed\":1}\n"
                               "{\"stage\":\"eval\",\"at\":\"base\",\"accuracy\":0.25}\n"
                               "{\"stage\":\"rl\",\"step\":1,\"accuracy\":0.5,\"length\":9}\n"
                               "{\"stage\":\"rl\",\"step\":2,\"accuracy\":0.75,\"length\":12}\n";
    char folder[600], figure[600];
    fault_path(folder, "report"), fault_path(figure, "report/curve.svg");
    CHECK(mkdir(folder, 0777) == 0);
    file_put(test_join(folder, "metrics.jsonl"), rows, sizeof rows - 1);
    DO(r1_report_write(f->ctx, folder) == R1_OK);
    DO(r1_report_curve(f->ctx, folder, figure) == R1_OK);
    DO(r1_report_csv(f->ctx, folder) == R1_OK);
    DO(r1_report_events(f->ctx, folder) == R1_OK);
    fault_keep_file(f, test_join(folder, "report.html"));
    fault_keep_file(f, test_join(folder, "metrics.csv")), fault_keep_file(f, figure);
    nftw(folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
}
#ifndef R1_NO_JUDGE
// Only the fork takes memory of the context. A task takes none, and without a judge its verdict is
// that it could not be judged.
static void fault_judge(fault *f) {
    static const char *const run[] = {"sh", "main.sh", NULL};
    static const r1_judge_language shell = {"shell", "main.sh", NULL, NULL, run, 0};
    static bool offered;
    r1_judge_desc desc = {.min_level = R1_JUDGE_SECCOMP, .jobs = 1, .n_languages = 1};
    desc.languages = &shell;
    if (!offered) {
        r1_context *ctx = judge_context(&desc);
        judge_open(ctx); // skips the test where the machine offers no level
        r1_context_free(ctx);
        offered = true;
    }
    void *made = NULL;
    r1_judge *judge = NULL;
    DO((made = r1_judge_fork(f->ctx, &desc)) != NULL);
    if (f->ctx) f->ctx->judge = made;
    DO((judge = r1_judge_open(f->ctx)) != NULL);
    r1_judge_test test = {{"1\n", 2}, {"2\n", 2}};
    r1_judge_task task = {.source = {"read a; echo $((a + 1))", 23}, .tests = &test, .n_tests = 1};
    r1_judge_result results[2];
    task.language = CALL(r1_judge_language_find(judge, (r1_slice){"shell", 5}));
    CALL(r1_judge_begin(judge, &task, &results[0]));
    CALL(r1_judge_run(judge, &task, &results[1]));
    CALL(r1_judge_wait(judge, &results[0]));
    CHECK(CALL(r1_judge_done(judge, &results[0])));
    for (int i = 0; i < 2; i++)
        CHECK(results[i].verdict == (judge ? R1_JUDGE_AC : R1_JUDGE_SANDBOX_ERROR));
    fault_keep(f, &results[0].verdict, sizeof results[0].verdict);
    if (made) r1i_judge_close(made);
}
#define FAULT_JUDGE(X) X(judge, 1)
#else
#define FAULT_JUDGE(X)
#endif
// The ten lines of the title, without a look at anything before the end.
static void fault_ten_lines(fault *f) {
    r1_grpo_desc desc = fault_grpo_desc();
    char folder[600];
    fault_path(folder, "ten");
    r1_model_config config = fault_config(true);
    r1_model *base = NULL, *policy = NULL;
    DO((base = r1_model_new(f->ctx, &config)) != NULL);
    DO(r1_model_save(base, folder) == R1_OK);
    DO((policy = r1_model_load(f->ctx, folder)) != NULL);
    r1_grpo *run = NULL;
    DO((run = r1_grpo_new(policy, &desc)) != NULL);
    DO(r1_grpo_step(run));
    DO(r1_grpo_step(run));
    DO(r1_model_save(policy, folder) == R1_OK);
    fault_keep_model(f, policy);
    r1_grpo_free(run), r1_model_free(policy), r1_model_free(base);
    nftw(folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
}

// X(scenario, threads)
#define FAULT_SCENARIOS(X)                                                                         \
    X(context, 2)                                                                                  \
    X(tensors, 1)                                                                                  \
    X(ops, 1)                                                                                      \
    X(gradients, 1)                                                                                \
    X(backward, 1)                                                                                 \
    X(adamw, 2)                                                                                    \
    X(json, 1)                                                                                     \
    X(writer, 1)                                                                                   \
    X(files, 1)                                                                                    \
    X(log, 1)                                                                                      \
    X(tokenizer, 1)                                                                                \
    X(bpe, 1)                                                                                      \
    X(model, 1)                                                                                    \
    X(model_tied, 1)                                                                               \
    X(folder, 1)                                                                                   \
    X(generate, 1)                                                                                 \
    X(answer, 1)                                                                                   \
    X(rewarder, 2)                                                                                 \
    X(score, 1)                                                                                    \
    X(decontaminator, 1)                                                                           \
    X(trainer, 1)                                                                                  \
    X(grpo, 1)                                                                                     \
    X(grpo_files, 2)                                                                               \
    X(report, 1)                                                                                   \
    FAULT_JUDGE(X)                                                                                 \
    X(ten_lines, 1)
#define FAULT_TEST(name, threads)                                                                  \
    TEST(faults_memory_##name) { fault_prove(fault_##name, threads); }
FAULT_SCENARIOS(FAULT_TEST)

// ---- NULL ----
// What follows a call that failed gets NULL as its object: it says so and does nothing.
static void fault_quiet_model(void) {
    size_t n = 1;
    r1_batch batch = {.tokens = fault_tokens, .starts = fault_rows, .B = 2};
    CHECK(!r1_model_new(NULL, NULL) && !r1_model_clone(NULL) && !r1_model_load(NULL, "x"));
    CHECK(r1_model_copy(NULL, NULL) == R1_ERROR_ARGUMENT);
    CHECK(!r1_model_context(NULL) && !r1_model_config_of(NULL) && !r1_model_find(NULL, "x"));
    CHECK(!r1_model_parameters(NULL, &n) && n == 0);
    CHECK(n == 0 && (n = 1) && !r1_model_ranges(NULL, &n) && n == 0);
    CHECK(r1_model_train_ready(NULL) == R1_ERROR_ARGUMENT);
    CHECK(!r1_model_size(NULL) && !r1_model_hash(NULL) && !r1_model_head(NULL));
    CHECK(!r1_model_router_bias(NULL, 0) && !r1_model_moe_layers(NULL) && !r1_model_routers(NULL));
    r1_model_balance_bias(NULL, NULL, 1);
    CHECK(!r1_model_forward(NULL, &batch));
    CHECK(r1_model_score(NULL, &batch, 1, 0, NULL, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_model_save(NULL, "x") == R1_ERROR_ARGUMENT);
    CHECK(r1_model_save_with(NULL, "x", NULL) == R1_ERROR_ARGUMENT);
    CHECK(!r1_model_load_with(NULL, "x", NULL));
    CHECK(!r1_rollout_new(NULL));
    CHECK(r1_generate(NULL, NULL, NULL, 1, 1, NULL) == R1_ERROR_ARGUMENT);
}
static void fault_quiet_run(void) {
    char note[4];
    r1_grpo_desc desc = fault_grpo_desc();
    CHECK(!r1_trainer_new(NULL, NULL) && !r1_trainer_steps(NULL));
    r1_trainer_reset(NULL, NULL);
    CHECK(r1_sft_step(NULL, fault_documents, 2, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_trainer_save(NULL, "x", NULL) == R1_ERROR_ARGUMENT);
    CHECK(!r1_trainer_resume(NULL, "x", note, 4) && !r1_grpo_resume(NULL, "x", note, 4));
    CHECK(!r1_grpo_new(NULL, &desc) && !r1_grpo_step(NULL));
    CHECK(r1_grpo_rollout(NULL) == R1_ERROR_ARGUMENT && r1_grpo_judge(NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_grpo_advantage(NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_grpo_update(NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_grpo_save(NULL, "x", NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_grpo_replay(NULL, 1, 0, NULL) == R1_ERROR_ARGUMENT);
    CHECK(!r1_grpo_metrics_of(NULL) && !r1_grpo_rollout_of(NULL));
    CHECK_EQUAL_TEXT(r1_grpo_settings(NULL), "{}");
    r1_grpo_log(NULL, NULL);
}
static void fault_quiet_rest(void) {
    char text[4];
    int32_t id = 0;
    r1_slice slice = fault_slice("x");
    CHECK(!r1_tokenizer_pieces(NULL, fault_pieces, 1) && !r1_tokenizer_count(NULL));
    CHECK(r1_tokenizer_find(NULL, "a") == -1 && r1_encode(NULL, "a", 1, &id, 1) == SIZE_MAX);
    CHECK(r1_decode(NULL, &id, 1, text, 4) == 0 && !text[0]);
    CHECK(!r1_answer_new(NULL) && !r1_decontaminator_new(NULL, 1));
    CHECK(!r1_rewarder_new(NULL, NULL) && r1_reward_repeated(NULL, &id, 1, 1) == 0);
    CHECK(!r1_decontaminator_add(NULL, slice) && !r1_decontaminator_count(NULL, slice));
    CHECK(!r1_file_read(NULL, "x", NULL) && !r1_tensors_open(NULL, "x"));
    CHECK(!r1_tensors_open_folder(NULL, "x"));
    CHECK(r1_tensors_numbers(NULL, NULL, 0, 0, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_tensors_save_folder(NULL, "x", NULL, 0, NULL, 0, NULL) == R1_ERROR_MEMORY);
    CHECK(!r1_log_open(NULL, "x", false) && r1_log_row(NULL) == R1_OK);
    CHECK(r1_file_write(NULL, "x", "", 0) == R1_ERROR_MEMORY);
    CHECK(r1_tensors_save(NULL, "x", NULL, 0, NULL, 0) == R1_ERROR_MEMORY);
    CHECK(r1_folder_make(NULL, "x") == R1_ERROR_MEMORY);
    CHECK(r1_log_cut(NULL, "x", 0) == R1_ERROR_MEMORY);
    CHECK(r1_report_write(NULL, "x") == R1_ERROR_MEMORY);
    CHECK(r1_report_csv(NULL, "x") == R1_ERROR_MEMORY);
    CHECK(r1_report_curve(NULL, "x", "x") == R1_ERROR_MEMORY);
#ifndef R1_NO_JUDGE
    r1_judge_result result;
    CHECK(!r1_judge_open(NULL) && r1_judge_level_of(NULL) == R1_JUDGE_NONE);
    CHECK(r1_judge_reason(NULL)[0] == 0);
    CHECK(r1_judge_language_find(NULL, (r1_slice){"c", 1}) == R1_OFF);
    CHECK(r1_judge_run(NULL, NULL, &result) == R1_JUDGE_SANDBOX_ERROR && result.message[0]);
    CHECK(r1_judge_done(NULL, &result));
#endif
    r1_tokenizer_free(NULL), r1_answer_free(NULL), r1_decontaminator_free(NULL);
    r1_rewarder_free(NULL);
    r1_tensors_close(NULL), r1_log_close(NULL), r1_file_free(NULL, NULL), r1_json_free(NULL, NULL);
    r1_model_free(NULL), r1_rollout_free(NULL), r1_trainer_free(NULL), r1_grpo_free(NULL);
}
TEST(faults_null_objects_are_quiet) { fault_quiet_model(), fault_quiet_run(), fault_quiet_rest(); }

// ---- the table of all public functions ----
// Those that cannot fail for want of memory or a file, and why.
static const struct {
    const char *reason, *names;
} fault_exempt[] = {
    {"reads and writes only what it is given",
     " r1_status_name r1_status_text r1_random_block r1_random_u32 r1_random_unit r1_random_below"
     " r1_random_normal r1_dtype_bytes r1_dtype_name r1_to_bf16 r1_to_f16 r1_to_f8 r1_from_bf16"
     " r1_from_f16 r1_from_f8 r1_exp r1_log r1_cpu_best r1_schedule_value r1_answer_extract"
     " r1_chat_name r1_chat_find r1_equality_name r1_task_find r1_words_count r1_words_script "
     "r1_words_share r1_script_find"
     " r1_reward_find r1_reward_overlong r1_reward_cosine r1_reward_lengths r1_score_pass_1 "
     "r1_score_pass_k r1_score_g_pass_k r1_score_mean_g_pass_k"
     " r1_score_vote r1_score_vote_classes r1_advantages r1_policy_weights r1_policy_loss"
     " r1_grpo_paper r1_grad_norm r1_group_self r1_judge_level_name r1_judge_verdict_name"
     " r1_judge_verdict_text r1_judge_code r1_judge_compare r1_plan_name "},
    {"looks at an object",
     " r1_status_of r1_message_of r1_memory_used r1_thread_count r1_seed_of r1_tensor_count"
     " r1_tensor_check r1_json_find r1_json_at r1_json_number r1_json_text r1_json_bool"
     " r1_tensors_count r1_tensors_at r1_tensors_find r1_tensors_metadata r1_log_bytes"
     " r1_tokenizer_count r1_tokenizer_find r1_tokenizer_text r1_tokenizer_is_special"
     " r1_tokenizer_begin r1_tokenizer_end r1_tokenizer_pad r1_tokenizer_chat r1_model_context "
     "r1_model_config_of"
     " r1_model_parameters r1_model_ranges r1_model_size r1_model_hash r1_model_head"
     " r1_model_router_bias r1_model_moe_layers r1_model_routers r1_decontaminator_count "
     "r1_trainer_steps"
     " r1_grpo_metrics_of r1_grpo_rollout_of r1_reward_input_of r1_reward_thoughts"
     " r1_reward_answer r1_judge_level_of r1_judge_reason "},
    {"takes memory for a long piece only, and lacking it is a value",
     " r1_encode r1_encode_plain r1_decode r1_text_next r1_text_end "},
    {"changes memory that is there",
     " r1_error_clear r1_step_end r1_no_grad_end r1_json_writer_reset r1_model_balance_bias"
     " r1_trainer_reset "},
    {"works in memory that r1_answer_new took", " r1_answer_equal r1_answer_check "},
    {"works in memory that r1_rewarder_new took",
     " r1_reward_text r1_reward_check r1_reward_repeated "},
    {"frees, and every scenario frees what it made",
     " r1_context_free r1_json_free r1_json_writer_free r1_file_free r1_tensors_close r1_log_close"
     " r1_tokenizer_free r1_model_free r1_rollout_free r1_answer_free r1_decontaminator_free"
     " r1_rewarder_free r1_trainer_free r1_grpo_free "},
    {"has no context; a rank that fails is in the tests of [group]", " r1_group_threads "},
    {"without its pool the caller does all, see the scenario of the context", " r1_parallel_for "},
};
// The next name that R1_DEF declares; NULL at the end.
static const char *fault_declared(const char *at, char name[80]) {
    while (at && (at = strstr(at, "\nR1_DEF ")) != NULL) {
        const char *end = at = at + 8;
        size_t n = 0;
        while (*end && *end != '(' && *end != ';') end++;
        while (end - n > at &&
               (isalnum((unsigned char)end[-1 - (int)n]) || end[-1 - (int)n] == '_'))
            n++;
        if (*end != '(' || n + 3 > 80) continue;
        snprintf(name, 80, " %.*s ", (int)n, end - n);
        return end;
    }
    return NULL;
}
// A new public function turns this red until a scenario has it, or a line above.
TEST(faults_cover_every_public_function) {
    static char seen[FAULT_SEEN] = " ";
    static const struct {
        fault_scenario *scenario;
        int threads;
    } scenarios[] = {
#define FAULT_ROW(name, threads) {fault_##name, threads},
        FAULT_SCENARIOS(FAULT_ROW)};
    fault_seen = seen;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        fault f = {0};
        fault_line(&f, scenarios[i].scenario, scenarios[i].threads);
        fault_close(&f);
    }
    r1_context *ctx = r1_context_new(NULL);
    char *header = r1_file_read(ctx, "r1.h", NULL), name[80];
    if (!header) SKIP("r1.h is not in the working folder");
    size_t found = 0, missing = 0;
    for (const char *at = header; (at = fault_declared(at, name)) != NULL; found++) {
        bool exempt = false, run = strstr(seen, name) != NULL;
        for (size_t i = 0; i < sizeof fault_exempt / sizeof *fault_exempt; i++)
            exempt = exempt || strstr(fault_exempt[i].names, name);
#ifdef R1_NO_JUDGE
        exempt = exempt || strstr(name, " r1_judge_");
#endif
        if (!run && !exempt) printf("%s is in no scenario\n", name), missing++;
    }
    // The list has no name that is gone.
    for (size_t i = 0; i < sizeof fault_exempt / sizeof *fault_exempt; i++)
        for (const char *at = fault_exempt[i].names + 1; *at; at += strcspn(at, " ") + 1) {
            snprintf(name, sizeof name, "%.*s(", (int)strcspn(at, " "), at);
            if (!strstr(header, name)) printf("%s is declared nowhere\n", name), missing++;
        }
    if (missing) test_stop(TEST_FAILED, "%zu functions are not covered", missing);
    CHECK(found > 150);
    r1_context_free(ctx);
}
