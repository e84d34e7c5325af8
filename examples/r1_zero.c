// R1-Zero in miniature: pre-trains a small DeepSeek-V3-style model on text that this program makes,
// then teaches it to think by reinforcement learning with a rule reward, and draws the curve.
//
//   build/r1_zero --task parity        some seconds; look at out/r1_zero/report.html
//
// The task: is the number of ones in 12 bits odd? The base model mostly answers at once, which is a
// coin flip, and sometimes writes the running parity first, which is nearly always right. Nobody
// tells it to think: the reward looks at the answer and the format only.
#include "r1.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifndef _WIN32
#include <unistd.h>
#endif

// ---- options ----
typedef struct options {
    const char *task, *out;
    uint64_t seed;
    int threads, steps;
    bool quiet, json, help;
} options;

typedef struct option_row {
    const char *name, *value, *text;
} option_row;

static const option_row option_table[] = {
    {"--task", "NAME", "what to learn: parity (the default)"},
    {"--seed", "N", "seed of everything random; 0 .. 2^63 - 1, default 1"},
    {"--threads", "N",
     "workers, 1 .. 256; default: one per core. The result does not depend on it"},
    {"--steps", "N", "rollouts of the RL stage, 1 .. 100000; default: the task's"},
    {"--out", "FOLDER", "where the results go; default out/r1_zero"},
    {"--quiet", NULL, "print the last line only"},
    {"--json", NULL, "print the result as one JSON object instead of the last line"},
    {"--help", NULL, "print this and exit"},
};
enum { OPTION_COUNT = sizeof option_table / sizeof *option_table };

static void print_help(void) {
    puts("usage: r1_zero [options]\n"
         "Pre-trains a small DeepSeek-V3-style model, then trains it by GRPO with accuracy and "
         "format\n"
         "rewards. Writes metrics.jsonl, samples.jsonl, eval_base.jsonl, eval_final.jsonl, the "
         "weights\n"
         "and report.html.\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[32];
        const option_row *row = &option_table[i];
        snprintf(left, sizeof left, "%s%s%s", row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        printf("  %-16s %s\n", left, row->text);
    }
    puts("\nexit status: 0 done, 1 failed, 2 wrong usage, 3 a file cannot be read or written");
}
static int usage_error(const char *what, const char *thing) {
    fprintf(stderr, "r1_zero: %s: %s\nr1_zero: try --help\n", what, thing);
    return 2;
}
// A whole number in a range; false for anything else.
static bool parse_number(const char *text, long long low, long long high, long long *value) {
    char *end = NULL;
    if (!text || !*text) return false;
    *value = strtoll(text, &end, 10);
    return *end == 0 && *value >= low && *value <= high;
}
static int parse_options(int argc, char **argv, options *o) {
    *o = (options){.task = "parity", .out = "out/r1_zero", .seed = 1};
    for (int i = 1; i < argc; i++) {
        const option_row *row = NULL;
        long long number = 0;
        for (int k = 0; k < OPTION_COUNT; k++)
            if (!strcmp(argv[i], option_table[k].name)) row = &option_table[k];
        if (!row) return usage_error("unknown option", argv[i]);
        const char *value = row->value ? argv[++i] : NULL;
        if (row->value && !value) return usage_error("a value is missing after", row->name);
        bool good = true;
        if (!strcmp(row->name, "--task"))
            o->task = value;
        else if (!strcmp(row->name, "--out"))
            o->out = value;
        else if (!strcmp(row->name, "--seed"))
            good = parse_number(value, 0, INT64_MAX, &number), o->seed = (uint64_t)number;
        else if (!strcmp(row->name, "--threads"))
            good = parse_number(value, 1, 256, &number), o->threads = (int)number;
        else if (!strcmp(row->name, "--steps"))
            good = parse_number(value, 1, 100000, &number), o->steps = (int)number;
        else if (!strcmp(row->name, "--quiet"))
            o->quiet = true;
        else if (!strcmp(row->name, "--json"))
            o->json = true;
        else
            o->help = true;
        if (!good) {
            fprintf(stderr, "r1_zero: %s does not take \"%s\": %s\n", row->name, value, row->text);
            return 2;
        }
    }
    return 0;
}

// ---- the parity task ----
enum { BITS = 12, MAX_TOKENS = 40, END = 0, THINK, THOUGHT, EQUALS, ZERO, ONE, PAGE, PIECES };
static const char *const pieces[PIECES] = {"<end>", "<think>", "</think>", "=", "0", "1", "#"};

enum { STREAM_DOCUMENT = R1_STREAM_USER, STREAM_PROMPT, STREAM_EVAL };

// One problem in eight never occurs in pre-training or RL: they are what the evaluations ask.
static bool held_out(uint32_t bits) {
    uint32_t h = bits * 2654435761u;
    return ((h ^ (h >> 15)) * 2246822519u >> 13) % 8 == 0;
}
static uint32_t draw_problem(r1_random *at, bool held) {
    for (;;) {
        uint32_t bits = r1_random_below(at, 1u << BITS);
        if (held_out(bits) == held) return bits;
    }
}
static size_t write_prompt(uint32_t bits, char *text) {
    for (int i = 0; i < BITS; i++) text[i] = (char)('0' + (bits >> i & 1));
    text[BITS] = '=', text[BITS + 1] = 0;
    return BITS + 1;
}
static int parity_of(uint32_t bits, int n) {
    int parity = 0;
    for (int i = 0; i < n; i++) parity ^= (int)(bits >> i & 1);
    return parity;
}
// A text of the base corpus. A third are exercise pages, which never ask for thought. Of the others
// one in five thinks first, and the rest guess; a few break the format.
static void write_document(r1_random *at, char *text, size_t capacity, size_t *prompt_length) {
    uint32_t bits = draw_problem(at, false);
    char steps[BITS + 1] = "";
    bool page = r1_random_unit(at) < 0.33f, thinks = r1_random_unit(at) < 0.2f;
    bool spoilt = r1_random_unit(at) < 0.04f;
    int answer = thinks || page ? parity_of(bits, BITS) : (int)r1_random_below(at, 2);
    for (int i = 0; (thinks || page) && i < BITS; i++)
        steps[i] = (char)('0' + parity_of(bits, i + 1));
    char prompt[BITS + 2];
    *prompt_length = write_prompt(bits, prompt);
    if (page) // the second = puts the steps as far from their bits as <think> does
        snprintf(text, capacity, "#%s=%s</think>%d<end>", prompt, steps, answer);
    else
        snprintf(text, capacity, "%s<think>%s%s%d<end>", prompt, steps, spoilt ? "" : "</think>",
                 answer);
}
// accuracy: the answer is right and in its place. format: <think> ... </think>, one digit, the end.
static void judge_parity(void *user, const r1_sample *s, r1_verdict *out) {
    const int32_t *t = s->tokens + s->n_prompt;
    size_t n = s->n - s->n_prompt, marks = 0;
    int parity = 0;
    (void)user;
    for (size_t i = 0; i < n; i++) marks += t[i] != ZERO && t[i] != ONE;
    bool format = n >= 4 && t[0] == THINK && t[n - 3] == THOUGHT && t[n - 1] == END && marks == 3 &&
                  (t[n - 2] == ZERO || t[n - 2] == ONE);
    for (size_t i = 0; i < s->n_prompt; i++) parity ^= s->tokens[i] == ONE;
    out->parts[0] = format && (t[n - 2] == ONE) == parity;
    out->parts[1] = format;
}

// ---- the run ----
typedef struct run {
    options options;
    r1_context *ctx;
    r1_tokenizer *tokenizer;
    r1_model *model;
    r1_log_file *metrics, *samples;
    bool live; // standard error is a terminal
    double start, stage_start;
    int last_tenth;
} run;

typedef struct evaluation {
    double pass, cons, length, format;
} evaluation;

enum { PRETRAIN_STEPS = 400, PRETRAIN_BATCH = 64, RL_STEPS = 60, EVAL_PROBLEMS = 128, VOTES = 16 };

static double seconds_now(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
static size_t encode(const run *r, const char *text, int32_t *ids, size_t capacity) {
    size_t n = r1_encode(r->tokenizer, text, strlen(text), ids, capacity);
    return n <= capacity ? n : 0;
}
// One live line on a terminal, a plain line every tenth of a stage elsewhere. The report follows.
static void progress(run *r, const char *stage, int step, int steps, const char *text,
                     double tokens) {
    double now = seconds_now();
    int tenth = step * 10 / steps;
    if (step == 1) r->stage_start = now, r->last_tenth = 0;
    double left = step > 1 ? (now - r->stage_start) / (step - 1) * (steps - step) : 0;
    bool due = tenth != r->last_tenth || step == 1;
    r->last_tenth = tenth;
    if (due) r1_report_write(r->ctx, r->options.out);
    if (r->options.quiet || !(r->live || due)) return;
    fprintf(stderr, r->live ? "\r\033[K" : "");
    fprintf(stderr, "%-8s %4d/%d  %s  %5.1fk tok/s  %3.0f s left", stage, step, steps, text,
            tokens * 1e-3, left);
    if (!r->live) fputc('\n', stderr);
}
static void end_line(const run *r) {
    if (r->live && !r->options.quiet) fputs("\r\033[K", stderr);
}
static r1_model_config model_config(void) {
    return (r1_model_config){.vocab = PIECES,
                             .width = 64,
                             .layers = 2,
                             .heads = 4,
                             .max_tokens = MAX_TOKENS,
                             .kv_rank = 32,
                             .nope_dim = 16,
                             .rope_dim = 16,
                             .rope_theta = 30,
                             .value_dim = 16,
                             .dense_layers = 1,
                             .dense_width = 128,
                             .experts = 8,
                             .chosen = 2,
                             .shared = 1,
                             .expert_width = 32,
                             .normalise_gates = true};
}
static bool pretrain(run *r) {
    r1_train_desc desc = {.schedule = {.kind = R1_LINEAR,
                                       .peak = 3e-3,
                                       .floor = 0.05,
                                       .warmup = 40,
                                       .hold = PRETRAIN_STEPS / 2,
                                       .steps = PRETRAIN_STEPS},
                          .adamw = {.beta2 = 0.99, .decay = R1_OFF}};
    r1_trainer *trainer = r1_trainer_new(r->model, &desc);
    static int32_t ids[PRETRAIN_BATCH][MAX_TOKENS];
    r1_document documents[PRETRAIN_BATCH];
    for (int step = 1; step <= PRETRAIN_STEPS && trainer; step++) {
        double before = seconds_now();
        for (int b = 0; b < PRETRAIN_BATCH; b++) {
            char text[160];
            size_t prompt;
            r1_random at = {.seed = r->options.seed,
                            .stream = STREAM_DOCUMENT,
                            .step = (uint32_t)step,
                            .sample = (uint32_t)b};
            write_document(&at, text, sizeof text, &prompt);
            documents[b] = (r1_document){ids[b], encode(r, text, ids[b], MAX_TOKENS), prompt};
        }
        r1_step_metrics m;
        if (r1_sft_step(trainer, documents, PRETRAIN_BATCH, &m) != R1_OK) break;
        double elapsed = seconds_now() - before;
        char text[96];
        snprintf(text, sizeof text, "loss %.4f  load %.2f", m.loss, m.load_max);
        progress(r, "pretrain", step, PRETRAIN_STEPS, text, (double)m.tokens / elapsed);
        if (step % 10 && step != 1) continue;
        r1_log_text(r->metrics, "stage", "pretrain", 8), r1_log_integer(r->metrics, "step", step);
        r1_log_number(r->metrics, "loss", m.loss),
            r1_log_number(r->metrics, "grad_norm", m.grad_norm);
        r1_log_number(r->metrics, "learning_rate", m.lr);
        r1_log_number(r->metrics, "expert_load", m.load_max);
        r1_log_integer(r->metrics, "tokens", (int64_t)m.tokens);
        r1_log_row(r->metrics);
    }
    r1_trainer_free(trainer);
    return r1_status_of(r->ctx) == R1_OK;
}
static void log_sample(run *r, r1_log_file *log, const char *stage, int step, const r1_sample *s) {
    char text[512];
    r1_log_text(log, "stage", stage, strlen(stage)), r1_log_integer(log, "step", step);
    size_t n = r1_decode(r->tokenizer, s->tokens, s->n_prompt, text, sizeof text);
    r1_log_text(log, "prompt", text, n);
    n = r1_decode(r->tokenizer, s->tokens + s->n_prompt, s->n - s->n_prompt, text, sizeof text);
    r1_log_text(log, "completion", text, n);
    r1_log_number(log, "reward", s->parts[0] + s->parts[1]);
    r1_log_number(log, "accuracy", s->parts[0]), r1_log_number(log, "format", s->parts[1]);
    r1_log_bool(log, "truncated", s->truncated);
    r1_log_row(log);
}
// The answer that a sample votes for: 0 or 1, R1_OFF when it has none.
static int vote_of(const r1_sample *s) {
    if (!s->parts[1]) return R1_OFF;
    return s->tokens[s->n - 2] == ONE;
}
// Held-out problems, 16 answers each at temperature 1: the mean, and the majority (ties: first
// drawn).
static bool evaluate(run *r, const char *stage, int step, const char *file, evaluation *e) {
    static int32_t ids[EVAL_PROBLEMS][BITS + 1];
    r1_prompt prompts[EVAL_PROBLEMS];
    char path[1100], text[BITS + 2];
    int32_t stop = END;
    r1_generate_desc desc = {.stops = &stop, .n_stops = 1, .sampler = {.stream = STREAM_EVAL}};
    r1_random at = {.seed = r->options.seed, .stream = STREAM_EVAL, .step = 1};
    for (int i = 0; i < EVAL_PROBLEMS; i++) {
        write_prompt(draw_problem(&at, true), text);
        prompts[i] = (r1_prompt){ids[i], encode(r, text, ids[i], BITS + 1), (uint32_t)i};
    }
    snprintf(path, sizeof path, "%s/%s", r->options.out, file ? file : "");
    r1_log_file *log = file ? r1_log_open(r->ctx, path, false) : NULL; // NULL takes no rows
    r1_rollout *rollout = r1_rollout_new(r->ctx);
    *e = (evaluation){0};
    if (rollout && r1_generate(r->model, rollout, prompts, EVAL_PROBLEMS, VOTES, &desc) == R1_OK)
        for (size_t i = 0; i < rollout->n; i++) {
            r1_sample *s = &rollout->samples[i];
            r1_verdict verdict = {.judged = true};
            judge_parity(NULL, s, &verdict);
            memcpy(s->parts, verdict.parts, sizeof s->parts);
            e->pass += s->parts[0] / (double)rollout->n,
                e->format += s->parts[1] / (double)rollout->n;
            e->length += (double)(s->n - s->n_prompt) / (double)rollout->n;
            log_sample(r, log, stage, step, s);
            if (file && i % VOTES == 0 && i < 12 * VOTES) log_sample(r, r->samples, stage, step, s);
        }
    for (size_t p = 0; rollout && p < rollout->prompts && r1_status_of(r->ctx) == R1_OK; p++) {
        const r1_sample *group = &rollout->samples[p * VOTES];
        int votes[VOTES];
        for (int i = 0; i < VOTES; i++) votes[i] = vote_of(&group[i]);
        size_t winner = r1_score_vote_classes(votes, VOTES);
        if (winner < VOTES) e->cons += group[winner].parts[0] / (double)rollout->prompts;
    }
    r1_rollout_free(rollout);
    r1_log_close(log);
    r1_log_text(r->metrics, "stage", "eval", 4);
    r1_log_text(r->metrics, "at", stage, strlen(stage));
    r1_log_integer(r->metrics, "step", step);
    r1_log_number(r->metrics, "pass_at_1", e->pass),
        r1_log_number(r->metrics, "cons_at_k", e->cons);
    r1_log_integer(r->metrics, "k", VOTES), r1_log_number(r->metrics, "length", e->length);
    r1_log_number(r->metrics, "format", e->format);
    r1_log_row(r->metrics);
    return r1_status_of(r->ctx) == R1_OK;
}
static size_t next_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    const run *r = (const run *)user;
    char text[BITS + 2];
    r1_random at = {.seed = r->options.seed, .stream = STREAM_PROMPT, .sample = (uint32_t)index};
    write_prompt(draw_problem(&at, false), text);
    return encode(r, text, tokens, capacity);
}
static bool reinforce(run *r) {
    int steps = r->options.steps;
    evaluation now;
    int32_t stop = END;
    r1_grpo_desc desc = {.questions = 16,
                         .group = 16,
                         .mini_batches = 2,
                         .steps = (size_t)steps,
                         .train = {.schedule = {.peak = 3e-4, .warmup = 5},
                                   .adamw = {.beta2 = 0.99, .decay = R1_OFF}},
                         .generate = {.stops = &stop, .n_stops = 1},
                         .next_prompt = next_prompt,
                         .reward = judge_parity,
                         .parts = {"accuracy", "format"},
                         .user = r};
    r1_grpo *grpo = r1_grpo_new(r->model, &desc);
    if (!grpo) return false;
    const char *settings = r1_grpo_settings(grpo);
    r1_log_text(r->metrics, "stage", "settings", 8);
    r1_log_text(r->metrics, "task", r->options.task, strlen(r->options.task));
    r1_log_integer(r->metrics, "parameters", (int64_t)r1_model_size(r->model));
    r1_log_text(r->metrics, "grpo", settings, strlen(settings));
    r1_log_row(r->metrics);
    while (r1_grpo_step(grpo)) {
        const r1_grpo_metrics *m = r1_grpo_metrics_of(grpo);
        double elapsed = m->rollout_seconds + m->judge_seconds + m->update_seconds;
        char text[96];
        snprintf(text, sizeof text, "reward %.2f  accuracy %.2f  length %4.1f  signal %.2f",
                 m->reward, m->parts[0], m->length, m->informative);
        progress(r, "rl", (int)m->step, steps, text, (double)m->tokens / elapsed);
        r1_log_text(r->metrics, "stage", "rl", 2);
        r1_grpo_log(grpo, r->metrics);
        r1_log_number(r->metrics, "seconds", elapsed);
        r1_log_row(r->metrics);
        const r1_rollout *rollout = r1_grpo_rollout_of(grpo);
        for (size_t i = 0; i < rollout->n; i += 4 * rollout->group)
            log_sample(r, r->samples, "rl", (int)m->step, &rollout->samples[i]);
        bool due = m->step % 10 == 0 && (int)m->step < steps;
        if (due && !evaluate(r, "step", (int)m->step, NULL, &now)) break;
    }
    r1_grpo_free(grpo);
    return r1_status_of(r->ctx) == R1_OK;
}
static bool open_outputs(run *r) {
    char path[1100];
    if (strlen(r->options.out) > 1000 || r1_folder_make(r->ctx, r->options.out) != R1_OK)
        return false;
    snprintf(path, sizeof path, "%s/metrics.jsonl", r->options.out);
    r->metrics = r1_log_open(r->ctx, path, false);
    snprintf(path, sizeof path, "%s/samples.jsonl", r->options.out);
    r->samples = r1_log_open(r->ctx, path, false);
    return r1_status_of(r->ctx) == R1_OK;
}
// The two panels of the report as a picture of their own.
static bool draw_curve(const run *r) {
    char path[1100];
    snprintf(path, sizeof path, "%s/curve.svg", r->options.out);
    return r1_report_curve(r->ctx, r->options.out, path) == R1_OK;
}
static void print_result(const run *r, const evaluation *base, const evaluation *final) {
    double seconds = seconds_now() - r->start;
    end_line(r);
    if (r->options.json)
        printf(
            "{\"task\":\"%s\",\"seed\":%llu,\"pass_at_1\":[%.4f,%.4f],\"cons_at_16\":[%.4f,%.4f],"
            "\"length\":[%.2f,%.2f],\"seconds\":%.1f}\n",
            r->options.task, (unsigned long long)r->options.seed, base->pass, final->pass,
            base->cons, final->cons, base->length, final->length, seconds);
    else
        printf("r1-zero: task %s  pass@1 %.2f -> %.2f  cons@16 %.2f -> %.2f  length %.1f -> %.1f  "
               "(%.0f s)\n",
               r->options.task, base->pass, final->pass, base->cons, final->cons, base->length,
               final->length, seconds);
}
int main(int argc, char **argv) {
    run r = {.start = seconds_now()};
    int code = parse_options(argc, argv, &r.options);
    if (code) return code;
    if (!r.options.steps) r.options.steps = RL_STEPS;
    if (r.options.help) return print_help(), 0;
    if (strcmp(r.options.task, "parity"))
        return usage_error("there is no such task", r.options.task);
#ifndef _WIN32
    r.live = isatty(2);
#endif
    r.ctx =
        r1_context_new(&(r1_context_desc){.seed = r.options.seed, .threads = r.options.threads});
    evaluation base = {0}, final = {0};
    r1_model_config config = model_config();
    bool done = open_outputs(&r);
    r.tokenizer = r1_tokenizer_pieces(r.ctx, pieces, PIECES);
    r.model = r1_model_new(r.ctx, &config);
    done = done && r.model && pretrain(&r) && evaluate(&r, "base", 0, "eval_base.jsonl", &base) &&
           reinforce(&r) && evaluate(&r, "final", r.options.steps, "eval_final.jsonl", &final) &&
           r1_model_save(r.model, r.options.out) == R1_OK &&
           r1_report_write(r.ctx, r.options.out) == R1_OK && draw_curve(&r);
    if (done) print_result(&r, &base, &final);
    r1_status status = r1_status_of(r.ctx);
    if (status) end_line(&r), fprintf(stderr, "r1_zero: %s\n", r1_message_of(r.ctx));
    r1_context_free(r.ctx);
    return done ? 0 : status == R1_ERROR_FILE || status == R1_ERROR_FORMAT ? 3 : 1;
}
