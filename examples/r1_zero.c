// R1-Zero in miniature: pre-trains a small DeepSeek-V3-style model on text that this program makes,
// then teaches it to think by reinforcement learning with a rule reward, and draws the curve.
//
//   build/r1_zero                      countdown, some minutes; look at out/r1_zero/report.html
//   build/r1_zero --task parity        some seconds
//   build/r1_zero --resume             goes on where Ctrl-C stopped it, to the same bits
//   build/r1_zero --model FOLDER --data gsm8k.jsonl       the same RL on a model of yours
//   build/r1_zero replay --step 40 --prompt 3      draws one group of answers again
//   build/r1_zero diff RUN_A RUN_B                 where two runs part
//
// Read it from the end: main, then train, which has the steps in order. pretrain makes the base
// model, evaluate_all asks it held-out problems, reinforce is GRPO with rewards for accuracy and
// format and nothing else (section 2 of the paper), and evaluate_all asks the same problems again.
// What a task is says task.h; the toy tasks are task_countdown.h and task_parity.h, and zero_data.h
// is the one of --model.
#include "r1.h"
#include "task_countdown.h"
#include "task_parity.h"
#include "zero_data.h"
#include "zero_diff.h"
#include "zero_options.h"
#include <dirent.h>
#include <signal.h>
#include <time.h>
#ifndef _WIN32
#include <unistd.h>
#endif

static const task *const tasks[] = {&countdown_task, &parity_task};
enum { TASK_COUNT = sizeof tasks / sizeof *tasks };

// ---- the run ----
enum { EVAL_EVERY = 20, VOTES = 16, SHOWN = 12 };    // evaluations
enum { PRETRAIN_SAVE_EVERY = 500, SAVE_EVERY = 10 }; // checkpoints
enum { DATA_PROBLEMS = 32, DATA_MAX_NEW = 512 };     // defaults of --model

typedef enum stage { PRETRAINING, REINFORCING } stage;

typedef struct run {
    options options;
    task task; // with the options worked in
    r1_context *ctx;
    r1_tokenizer *tokenizer;
    r1_model *model;
    const int32_t *stops; // ids that end an answer
    size_t n_stops;
    r1_log_file *metrics, *samples;
    bool live;        // standard error is a terminal
    bool interrupted; // a step was finished and saved after Ctrl-C
    stage from;       // where --resume goes on
    uint64_t from_step;
    evaluation base[MAX_SPLITS], final[MAX_SPLITS];
    double start, stage_start;
    size_t first_step;      // of this stage in this call
    char rejected[160];     // what was wrong with a base that came before this one
    int last_tenth, silent; // silent: rollouts in a row without any signal
} run;

// Set by Ctrl-C. The step that is running is finished and saved; a second Ctrl-C kills.
static volatile sig_atomic_t stop_asked;
static void ask_to_stop(int number) {
    stop_asked = 1;
    signal(number, SIG_DFL);
}
static double seconds_now(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
static bool fine(const run *r) { return r1_status_of(r->ctx) == R1_OK; }

// folder/name of the results; the text lives until the next call.
static const char *path_in(const run *r, const char *name) {
    static char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", r->options.out, name);
    return path;
}
// One live line on a terminal, a plain line every tenth of a stage elsewhere. The report follows.
static void progress(run *r, const char *stage, size_t step, size_t steps, const char *text,
                     double tokens) {
    double now = seconds_now();
    int tenth = (int)(step * 10 / steps);
    bool begins = r->stage_start == 0;
    if (begins) r->stage_start = now, r->last_tenth = tenth, r->first_step = step;
    double done = (double)(step - r->first_step), left = 0;
    if (done > 0) left = (now - r->stage_start) / done * (double)(steps - step);
    bool due = tenth != r->last_tenth || begins;
    r->last_tenth = tenth;
    if (due) r1_report_write(r->ctx, r->options.out);
    if (r->options.quiet || !(r->live || due)) return;
    fprintf(stderr, r->live ? "\r\033[K" : "");
    fprintf(stderr, "%-8s %4zu/%zu  %s  %5.1fk tok/s  %3.0f s left", stage, step, steps, text,
            tokens * 1e-3, left);
    if (!r->live) fputc('\n', stderr);
}
static void end_line(const run *r) {
    if (r->live && !r->options.quiet) fputs("\r\033[K", stderr);
}
static void log_word(r1_log_file *log, const char *key, const char *text) {
    r1_log_text(log, key, text, strlen(text));
}

// ---- settings, logs and checkpoints ----
// What --resume and replay need to know of a run with --model, and a hash of its rows.
static void log_options(run *r) {
    char hash[24];
    r1_log_begin_object(r->metrics, "options");
    for (int i = 0; i < OPTION_COUNT; i++) {
        const option_row *row = &option_table[i];
        const void *place = (const char *)&r->options + row->place;
        if (!row->kept) continue;
        if (row->kind == TEXT && *(const char *const *)place)
            log_word(r->metrics, row->name, *(const char *const *)place);
        if (row->kind == NUMBER) r1_log_integer(r->metrics, row->name, *(const long long *)place);
        if (row->kind == FLAG && *(const bool *)place) log_word(r->metrics, row->name, "on");
        if (row->kind == FRACTION && *(const double *)place >= 0)
            r1_log_number(r->metrics, row->name, *(const double *)place);
    }
    r1_log_end_object(r->metrics);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)data.hash);
    log_word(r->metrics, "rows", hash);
}
// The row that a run begins with; --resume, replay and diff read it. `grpo` may be NULL.
static void log_settings(run *r, r1_grpo *grpo) {
    r1_log_file *log = r->metrics;
    log_word(log, "stage", "settings");
    log_word(log, "task", r->task.name);
    log_word(log, "about", r->task.about);
    r1_log_integer(log, "seed", r->options.seed);
    r1_log_integer(log, "init_draw", r->task.model.init_draw);
    if (r->rejected[0]) log_word(log, "rejected_base", r->rejected);
    r1_log_integer(log, "pretrain_steps", (int64_t)r->task.pretrain_steps);
    r1_log_integer(log, "rl_steps", (int64_t)r->task.rl_steps);
    r1_log_integer(log, "problems", r->options.problems);
    r1_log_number(log, "base_wait", r->task.corpus.wait);
    if (r->options.base) log_word(log, "base", r->options.base);
    r1_log_begin_object(log, "reward_weights");
    r1_log_number(log, "accuracy", 1);
    r1_log_number(log, "format", r->task.format_weight);
    r1_log_end_object(log);
    r1_log_integer(log, "parameters", (int64_t)r1_model_size(r->model));
    if (r->options.model) log_options(r);
    if (grpo) log_word(log, "grpo", r1_grpo_settings(grpo));
    r1_log_row(log);
}
static bool open_logs(run *r, bool append) {
    if (r1_folder_make(r->ctx, r->options.out) != R1_OK) return false;
    r->metrics = r1_log_open(r->ctx, path_in(r, "metrics.jsonl"), append);
    r->samples = r1_log_open(r->ctx, path_in(r, "samples.jsonl"), append);
    return fine(r);
}
// A checkpoint notes how long the logs were, and they are cut back to that on resume.
static const char *write_note(run *r) {
    static char note[64];
    r1_log_sync(r->metrics);
    r1_log_sync(r->samples);
    snprintf(note, sizeof note, "%zu %zu", r1_log_bytes(r->metrics), r1_log_bytes(r->samples));
    return note;
}
static bool reopen_logs(run *r, const char *note) {
    char *end = NULL;
    size_t metrics = (size_t)strtoull(note, &end, 10);
    size_t samples = (size_t)strtoull(end, NULL, 10);
    return r1_log_cut(r->ctx, path_in(r, "metrics.jsonl"), metrics) == R1_OK &&
           r1_log_cut(r->ctx, path_in(r, "samples.jsonl"), samples) == R1_OK && open_logs(r, true);
}
// The library keeps the newest two checkpoints of a folder. Those of RL have a folder each, so that
// replay never has far to go.
static const char *pretrain_folder(const run *r) { return path_in(r, "checkpoints/pretrain"); }
static const char *rl_folder(const run *r, uint64_t step) {
    char name[64];
    snprintf(name, sizeof name, "checkpoints/rl-%06llu", (unsigned long long)step);
    return path_in(r, name);
}
static bool has_rl_checkpoint(const run *r, uint64_t step) {
    char path[PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s/checkpoint-%08llu.safetensors", rl_folder(r, step),
             (unsigned long long)step);
    return file_exists(path);
}
// The newest RL checkpoint at or before a step; false when there is none.
static bool find_rl_checkpoint(const run *r, uint64_t step, uint64_t *found) {
    for (*found = step; !has_rl_checkpoint(r, *found); --*found)
        if (!*found) return false;
    return true;
}

// Checkpoints of a loaded model are large: those before the newest two go.
static void prune_checkpoints(const run *r, uint64_t step) {
    uint64_t newer = 0;
    char path[PATH_BYTES + 64];
    if (!step || !find_rl_checkpoint(r, step - 1, &newer)) return;
    for (uint64_t old; newer && find_rl_checkpoint(r, newer - 1, &old); newer = old) {
        snprintf(path, sizeof path, "%s/checkpoint-%08llu.safetensors", rl_folder(r, old),
                 (unsigned long long)old);
        remove(path);
    }
}

// A new run in an old folder: its checkpoints must not be taken for those of the new one.
static void remove_checkpoints(const run *r) {
    char folder[PATH_BYTES], path[2 * PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path_in(r, "checkpoints"));
    DIR *folders = opendir(folder);
    for (struct dirent *entry; folders && (entry = readdir(folders)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        DIR *files = opendir(path);
        for (struct dirent *file; files && (file = readdir(files)) != NULL;) {
            snprintf(path, sizeof path, "%s/%s/%s", folder, entry->d_name, file->d_name);
            if (!strncmp(file->d_name, "checkpoint-", 11)) remove(path);
        }
        if (files) closedir(files);
    }
    if (folders) closedir(folders);
}

// A model of --model, with the other files of its folder as they are.
static bool save_data_model(const run *r, const char *folder) {
    static const char *const files[] = {"tokenizer.json",
                                        "tokenizer_config.json",
                                        "vocab.json",
                                        "merges.txt",
                                        "chat_template.jinja",
                                        "special_tokens_map.json",
                                        "generation_config.json"};
    char path[2 * PATH_BYTES];
    bool good = r1_model_save(r->model, folder) == R1_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && good; i++) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", r->options.model, files[i]);
        if (!file_exists(path)) continue;
        char *text = r1_file_read(r->ctx, path, &size);
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        good = text && r1_file_write(r->ctx, path, text, size) == R1_OK;
        r1_file_free(r->ctx, text);
    }
    return good;
}
// The model as a folder that other programs know what to do with: build/r1_chat, transformers.
static bool save_model(const run *r, const char *folder) {
    static const char *const files[][2] = {
        {"tokenizer_config.json",
         "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"eos_token\":\"<end>\","
         "\"clean_up_tokenization_spaces\":false}\n"},
        {"generation_config.json",
         "{\"do_sample\":true,\"temperature\":1.0,\"top_k\":0,\"eos_token_id\":0}\n"}};
    char name[PATH_BYTES], path[PATH_BYTES + 32];
    snprintf(name, sizeof name, "%s", folder); // it may be a text of path_in
    if (r->options.model) return save_data_model(r, name);
    snprintf(path, sizeof path, "%s/tokenizer.json", name);
    bool good =
        r1_model_save(r->model, name) == R1_OK && r1_tokenizer_save(r->tokenizer, path) == R1_OK;
    for (int i = 0; i < 2 && good; i++) {
        snprintf(path, sizeof path, "%s/%s", name, files[i][0]);
        good = r1_file_write(r->ctx, path, files[i][1], strlen(files[i][1])) == R1_OK;
    }
    return good;
}

// ---- pre-training ----
static bool log_pretraining(run *r, size_t step, const r1_step_metrics *m, double seconds) {
    r1_log_file *log = r->metrics;
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r1_model_hash(r->model));
    log_word(log, "stage", "pretrain");
    r1_log_integer(log, "step", (int64_t)step);
    r1_log_number(log, "loss", m->loss);
    if (r->task.model.mtp_layers) r1_log_number(log, "mtp_loss", m->mtp_loss);
    r1_log_number(log, "grad_norm", m->grad_norm);
    r1_log_number(log, "learning_rate", m->lr);
    r1_log_number(log, "expert_load", m->load_max);
    r1_log_integer(log, "tokens", (int64_t)m->tokens);
    log_word(log, "weight_hash", hash);
    r1_log_number(log, "seconds", seconds);
    return r1_log_row(log) == R1_OK;
}
// One batch of fresh documents. They are a function of (seed, step, place), so nothing about them
// needs to be saved.
static bool pretrain_step(run *r, r1_trainer *trainer, size_t step) {
    enum { MOST_BATCH = 64, MOST_TOKENS = 256 };
    static int32_t ids[MOST_BATCH][MOST_TOKENS];
    r1_document documents[MOST_BATCH];
    double before = seconds_now();
    for (size_t b = 0; b < r->task.pretrain_batch; b++) {
        r1_random at = {.seed = (uint64_t)r->options.seed,
                        .stream = STREAM_DOCUMENT,
                        .step = (uint32_t)step,
                        .sample = (uint32_t)b};
        writer w = {.ids = ids[b], .capacity = r->task.model.max_tokens};
        size_t loss_from;
        r->task.write_document(&r->task.corpus, &at, &w, &loss_from);
        documents[b] = (r1_document){w.ids, w.n, loss_from};
    }
    r1_step_metrics m;
    if (r1_sft_step(trainer, documents, r->task.pretrain_batch, &m) != R1_OK) return false;
    double elapsed = seconds_now() - before;
    char text[96];
    snprintf(text, sizeof text, "loss %.4f  load %.2f", m.loss, m.load_max);
    if ((step % 10 == 0 || step == 1) && !log_pretraining(r, step, &m, elapsed)) return false;
    progress(r, "pretrain", step, r->task.pretrain_steps, text, (double)m.tokens / elapsed);
    return true;
}
// The weight of multi-token prediction is that of V3's last part: a small model pays for 0.3 with
// worse verdicts.
static bool pretrain(run *r) {
    size_t steps = r->task.pretrain_steps;
    r1_train_desc desc = {.schedule = {.kind = R1_LINEAR,
                                       .peak = r->task.pretrain_rate,
                                       .floor = 0.05,
                                       .warmup = r->task.pretrain_warmup,
                                       .hold = steps / 2,
                                       .steps = steps},
                          .adamw = {.beta2 = 0.99, .decay = R1_OFF},
                          .mtp_weight = 0.1};
    r1_trainer *trainer = r1_trainer_new(r->model, &desc);
    char note[64];
    if (!trainer) return false;
    if (r->options.resume) {
        if (!r1_trainer_resume(trainer, pretrain_folder(r), note, sizeof note)) return false;
        if (!reopen_logs(r, note)) return false;
    } else {
        log_settings(r, NULL);
    }
    bool going = true;
    for (size_t step = r1_trainer_steps(trainer) + 1; step <= steps && going; step++) {
        going = pretrain_step(r, trainer, step);
        r->interrupted = stop_asked;
        bool due = step % PRETRAIN_SAVE_EVERY == 0 || step == steps || r->interrupted;
        if (going && due)
            going = r1_trainer_save(trainer, pretrain_folder(r), write_note(r)) == R1_OK;
        going = going && !r->interrupted;
    }
    r1_trainer_free(trainer);
    return going && save_model(r, path_in(r, "base"));
}

// ---- evaluation ----
// The text of tokens, with `gap` between them, and "" without memory; free it with free_text.
static char no_text[] = "";
static void free_text(char *text) {
    if (text != no_text) free(text);
}
static char *new_text(const run *r, const int32_t *ids, size_t n, const char *gap) {
    size_t at = 0, capacity = r1_decode(r->tokenizer, ids, n, NULL, 0) + n * strlen(gap) + 1;
    char *text = (char *)malloc(capacity);
    if (!text) return no_text;
    text[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (i) at += (size_t)snprintf(text + at, capacity - at, "%s", gap);
        at += r1_decode(r->tokenizer, ids + i, 1, text + at, capacity - at);
    }
    return text;
}
static char *prompt_text(const run *r, const r1_sample *s) {
    return new_text(r, s->tokens, s->n_prompt, r->task.prompt_gap);
}
static char *completion_text(const run *r, const r1_sample *s) {
    return new_text(r, s->tokens + s->n_prompt, s->n - s->n_prompt, "");
}
// Marks are tokens of the answer, and bytes of its text in the log.
static void log_mark(const run *r, r1_log_file *log, const r1_sample *s, const mark *m,
                     const char *const keys[3]) {
    const int32_t *answer = s->tokens + s->n_prompt;
    if (m->from == m->to) return;
    r1_log_integer(log, keys[0], (int64_t)r1_decode(r->tokenizer, answer, m->from, NULL, 0));
    r1_log_integer(log, keys[1], (int64_t)r1_decode(r->tokenizer, answer, m->to, NULL, 0));
    log_word(log, keys[2], m->label);
}
static void log_marks(const run *r, r1_log_file *log, const r1_sample *s) {
    static const char *const mistakes[] = {"mark_from", "mark_to", "mark_label"};
    static const char *const corrections[] = {"fix_from", "fix_to", "fix_label"};
    mark mistake = {0, 0, NULL}, correction = {0, 0, NULL};
    if (!r->task.find_marks) return;
    r->task.find_marks(s, &mistake, &correction);
    log_mark(r, log, s, &mistake, mistakes);
    log_mark(r, log, s, &correction, corrections);
}
// A row for one answer: its texts, its reward, and what the task counts in it.
static void log_sample(run *r, r1_log_file *log, const char *stage, uint64_t step, const char *of,
                       size_t question, const r1_sample *s) {
    char *prompt = prompt_text(r, s), *completion = completion_text(r, s);
    tally measures[MAX_MEASURES] = {{0, 0}};
    log_word(log, "stage", stage);
    r1_log_integer(log, "step", (int64_t)step);
    log_word(log, "of", of);
    r1_log_integer(log, "question", (int64_t)question);
    log_word(log, "prompt", prompt);
    log_word(log, "completion", completion);
    free_text(prompt), free_text(completion);
    r1_log_number(log, "reward", s->parts[0] + r->task.format_weight * s->parts[1]);
    r1_log_number(log, "accuracy", s->parts[0]);
    r1_log_number(log, "format", s->parts[1]);
    r1_log_integer(log, "length", (int64_t)(s->n - s->n_prompt));
    r1_log_bool(log, "truncated", s->truncated);
    r1_log_integer(log, "vote", r->task.vote(s));
    r->task.measure(s, measures);
    for (size_t i = 0; i < r->task.n_measures; i++)
        if (measures[i].of > 0) r1_log_number(log, r->task.measures[i], share(&measures[i]));
    log_marks(r, log, s);
    r1_log_row(log);
}
static void add_measures(const run *r, const r1_rollout *rollout, tally *measures) {
    for (size_t i = 0; i < rollout->n; i++) r->task.measure(&rollout->samples[i], measures);
}
// The share of problems whose majority is right (ties: the answer that was drawn first).
static double count_majorities(const run *r, const r1_rollout *rollout) {
    double right = 0;
    for (size_t p = 0; p < rollout->prompts; p++) {
        const r1_sample *group = &rollout->samples[p * VOTES];
        int votes[VOTES];
        for (int i = 0; i < VOTES; i++) votes[i] = r->task.vote(&group[i]);
        size_t winner = r1_score_vote_classes(votes, VOTES);
        if (winner < VOTES) right += group[winner].parts[0];
    }
    return right / (double)rollout->prompts;
}
static void score_rollout(const run *r, r1_rollout *rollout, evaluation *e) {
    double n = (double)rollout->n;
    for (size_t i = 0; i < rollout->n; i++) {
        r1_sample *s = &rollout->samples[i];
        r1_verdict verdict = {.judged = true};
        r->task.reward(NULL, s, &verdict);
        memcpy(s->parts, verdict.parts, sizeof s->parts);
        e->pass += s->parts[0] / n;
        e->format += s->parts[1] / n;
        e->length += (double)(s->n - s->n_prompt) / n;
        e->truncated += s->truncated / n;
    }
    e->cons = count_majorities(r, rollout);
    add_measures(r, rollout, e->measures);
}
static const char *const split_names[MAX_SPLITS] = {"held_out", "held_out_sets"};

// Held-out problems of one kind, 16 answers each at temperature 1, always the same problems and
// the same draws. `log` takes a row for every answer.
static bool evaluate_split(run *r, const char *at, uint64_t step, int which, size_t problems,
                           r1_log_file *log, evaluation *e) {
    size_t longest = r->task.longest_prompt ? r->task.longest_prompt : 32;
    int32_t *ids = (int32_t *)malloc(problems * longest * sizeof *ids);
    r1_prompt prompts[MOST_PROBLEMS];
    if (!ids) return false;
    // Drafts change no text; here they show what the layer of multi-token prediction is worth.
    r1_generate_desc desc = {.stops = r->stops,
                             .n_stops = r->n_stops,
                             .max_new = (size_t)r->options.max_new,
                             .batch = r->options.model ? r->task.questions * r->task.group : 0,
                             .speculate = r1_model_config_of(r->model)->mtp_layers,
                             .sampler = {.stream = STREAM_EVAL}};
    r1_random random = {
        .seed = (uint64_t)r->options.seed, .stream = STREAM_EVAL, .step = 1 + (uint32_t)which};
    for (size_t i = 0; i < problems; i++) {
        writer w = {.ids = ids + i * longest, .capacity = longest, .number = (uint32_t)i};
        r->task.write_problem(&random, HELD_OUT + which, &w);
        uint32_t key = HELD_OUT_KEY + (uint32_t)(i + (size_t)which * MOST_PROBLEMS);
        prompts[i] = (r1_prompt){w.ids, w.n, key};
    }
    *e = (evaluation){0};
    r1_rollout *rollout = r1_rollout_new(r->ctx);
    bool done = rollout && r1_generate(r->model, rollout, prompts, problems, VOTES, &desc) == R1_OK;
    if (done) score_rollout(r, rollout, e);
    if (done && rollout->drafted) e->drafts = (double)rollout->accepted / (double)rollout->drafted;
    for (size_t i = 0; done && log && i < rollout->n; i++) {
        const r1_sample *s = &rollout->samples[i];
        log_sample(r, log, at, step, split_names[which], i / VOTES, s);
        if (which == 0 && i % VOTES == 0 && i < SHOWN * VOTES)
            log_sample(r, r->samples, at, step, split_names[which], i / VOTES, s);
    }
    r1_rollout_free(rollout), free(ids);
    return fine(r);
}
static void log_evaluation(run *r, const char *at, uint64_t step, const evaluation *e, int splits) {
    r1_log_file *log = r->metrics;
    log_word(log, "stage", "eval");
    log_word(log, "at", at);
    r1_log_integer(log, "step", (int64_t)step);
    r1_log_number(log, "pass_at_1", e[0].pass);
    r1_log_number(log, "cons_at_k", e[0].cons);
    r1_log_integer(log, "k", VOTES);
    r1_log_number(log, "length", e[0].length);
    r1_log_number(log, "format", e[0].format);
    r1_log_number(log, "truncated", e[0].truncated);
    for (size_t i = 0; i < r->task.n_measures; i++)
        r1_log_number(log, r->task.measures[i], share(&e[0].measures[i]));
    if (e[0].drafts > 0) r1_log_number(log, "draft_acceptance", e[0].drafts);
    if (splits > 1) {
        r1_log_number(log, "sets_pass_at_1", e[1].pass);
        r1_log_number(log, "sets_cons_at_k", e[1].cons);
        r1_log_number(log, "sets_length", e[1].length);
    }
    r1_log_row(log);
}
// Base and final model get all problems of all kinds and a file with every answer.
static bool evaluate_all(run *r, const char *at, uint64_t step, evaluation *e) {
    char name[32];
    snprintf(name, sizeof name, "eval_%s.jsonl", at);
    r1_log_file *log = r1_log_open(r->ctx, path_in(r, name), false);
    bool done = log != NULL;
    for (int which = 0; which < r->task.splits && done; which++)
        done = evaluate_split(r, at, step, which, (size_t)r->options.problems, log, &e[which]);
    r1_log_close(log);
    if (done) log_evaluation(r, at, step, e, r->task.splits);
    return done && fine(r);
}
// In between, half the problems of the first kind do for the curve.
static bool evaluate_some(run *r, uint64_t step) {
    evaluation e;
    size_t problems = ((size_t)r->options.problems + 1) / 2;
    if (!evaluate_split(r, "step", step, 0, problems, NULL, &e)) return false;
    log_evaluation(r, "step", step, &e, 1);
    return fine(r);
}
// RL from a base that cannot add, or that is always or never right, wastes minutes.
static bool pass_gate(run *r) {
    if (!r->task.gate || r->options.no_gate) return true;
    return r->task.gate(&r->task.corpus, &r->base[0], r->rejected, sizeof r->rejected);
}

// ---- reinforcement learning ----
static size_t next_prompt(void *user, uint64_t index, int32_t *tokens, size_t capacity) {
    const run *r = (const run *)user;
    r1_random at = {
        .seed = (uint64_t)r->options.seed, .stream = STREAM_PROMPT, .sample = (uint32_t)index};
    writer w = {.ids = tokens, .capacity = capacity, .number = (uint32_t)index};
    r->task.write_problem(&at, TRAINING, &w);
    return w.n;
}
// A toy's numbers are those of its task; a loaded model gets the paper's, on one device: no sum of
// chunks, and a reference only if the KL term asks for it.
static r1_grpo_desc toy_settings(const run *r) {
    return (r1_grpo_desc){
        .train = {.schedule = r->task.rl_schedule, .adamw = {.beta2 = 0.99, .decay = R1_OFF}}};
}
static r1_grpo_desc data_settings(const run *r) {
    const options *o = &r->options;
    r1_grpo_desc desc = r1_grpo_paper(R1_ZERO);
    desc.train.chunks = 1, desc.train.recompute = o->recompute;
    desc.generate.max_new = (size_t)o->max_new;
    if (o->rate > 0) desc.train.schedule.peak = o->rate;
    if (o->kl >= 0) desc.policy.kl_weight = o->kl;
    if (o->kl == 0) desc.policy.kl = R1_KL_NONE;
    return desc;
}
static r1_grpo_desc grpo_settings(run *r) {
    r1_grpo_desc desc = r->options.model ? data_settings(r) : toy_settings(r);
    desc.questions = r->task.questions, desc.group = r->task.group;
    desc.mini_batches = r->task.mini_batches, desc.steps = r->task.rl_steps;
    desc.generate.stops = r->stops, desc.generate.n_stops = r->n_stops;
    desc.next_prompt = next_prompt, desc.reward = r->task.reward, desc.user = r;
    desc.parts[0] = "accuracy", desc.weights[0] = 1;
    desc.parts[1] = "format", desc.weights[1] = r->task.format_weight;
    return desc;
}
static r1_grpo *new_grpo(run *r) {
    r1_grpo_desc desc = grpo_settings(r);
    return r1_grpo_new(r->model, &desc);
}
static void log_rollout(run *r, const r1_grpo *grpo, double seconds) {
    const r1_grpo_metrics *m = r1_grpo_metrics_of(grpo);
    const r1_rollout *rollout = r1_grpo_rollout_of(grpo);
    tally measures[MAX_MEASURES] = {{0, 0}};
    log_word(r->metrics, "stage", "rl");
    r1_grpo_log(grpo, r->metrics);
    add_measures(r, rollout, measures);
    for (size_t i = 0; i < r->task.n_measures; i++)
        r1_log_number(r->metrics, r->task.measures[i], share(&measures[i]));
    r1_log_number(r->metrics, "seconds", seconds);
    r1_log_row(r->metrics);
    for (size_t q = 0; q < rollout->prompts; q += 4)
        log_sample(r, r->samples, "rl", m->step, "training", q,
                   &rollout->samples[q * rollout->group]);
}
// What follows each step: rows, the live line with the signal panel, evaluation, checkpoint.
static bool after_step(run *r, r1_grpo *grpo) {
    const r1_grpo_metrics *m = r1_grpo_metrics_of(grpo);
    double seconds = m->rollout_seconds + m->judge_seconds + m->update_seconds;
    size_t steps = r->task.rl_steps;
    char text[160];
    r->silent = m->informative > 0 ? 0 : r->silent + 1;
    log_rollout(r, grpo, seconds);
    snprintf(text, sizeof text,
             "reward %.2f  accuracy %.2f  length %4.1f  signal %.2f  unjudged %.2f  dropped %zu  "
             "silent %d",
             m->reward, m->parts[0], m->length, m->informative, m->unjudged, m->dropped, r->silent);
    progress(r, "rl", (size_t)m->step, steps, text, (double)m->tokens / seconds);
    if (m->step % EVAL_EVERY == 0 && m->step < steps && !evaluate_some(r, m->step)) return false;
    r->interrupted = stop_asked;
    if (m->step % SAVE_EVERY == 0 || m->step == steps || r->interrupted) {
        r1_grpo_save(grpo, rl_folder(r, m->step), write_note(r));
        if (r->options.model && fine(r)) prune_checkpoints(r, m->step);
    }
    return fine(r);
}
static bool reinforce(run *r) {
    r1_grpo *grpo = new_grpo(r);
    char note[64];
    if (!grpo) return false;
    r->stage_start = 0;
    bool going = true;
    if (r->options.resume && r->from == REINFORCING) {
        going = r1_grpo_resume(grpo, rl_folder(r, r->from_step), note, sizeof note) &&
                reopen_logs(r, note);
    } else {
        log_settings(r, grpo);
        going = r1_grpo_save(grpo, rl_folder(r, 0), write_note(r)) == R1_OK;
    }
    while (going && !r->interrupted && r1_grpo_step(grpo)) going = after_step(r, grpo);
    r1_grpo_free(grpo);
    return going && !r->interrupted && fine(r);
}

// ---- reading a run back ----
static char rows_hash[24]; // of the run that is resumed, when it has rows

// A whole number of the settings within the limits of the option; 0 when it is none.
static long long read_setting(const r1_json *row, const char *key, long long most) {
    double value = number_in(row, key);
    return value >= 1 && value <= (double)most ? (long long)value : 0;
}
// Takes back what log_options wrote. The texts stay for the whole program.
static bool read_options(options *o, const r1_json *row) {
    static char texts[OPTION_COUNT][PATH_BYTES];
    bool good = true;
    const r1_json *node = r1_json_find(row, "options");
    for (node = node ? node->child : NULL; node && good; node = node->next) {
        good = false;
        for (int i = 0; i < OPTION_COUNT; i++) {
            if (!option_table[i].kept || strcmp(node->key.data, option_table[i].name) != 0)
                continue;
            if (node->text.size >= PATH_BYTES) break;
            memcpy(texts[i], node->text.data, node->text.size + 1);
            good = set_option(o, &option_table[i], texts[i]);
        }
    }
    return good;
}
// Takes the settings of an earlier run over: task, seed, sizes. Options of this call that would
// change its numbers are overruled.
static bool read_settings(r1_context *ctx, options *o, char *task, size_t task_bytes) {
    char path[PATH_BYTES];
    rows rows;
    snprintf(path, sizeof path, "%s/metrics.jsonl", o->out);
    if (!open_rows(&rows, ctx, path)) return false;
    r1_json *row = next_row(&rows);
    r1_slice name = r1_json_text(r1_json_find(row, "task"));
    r1_slice hash = r1_json_text(r1_json_find(row, "rows"));
    const r1_json *seed = r1_json_find(row, "seed"); // its text: a double has too few digits
    o->pretrain_steps = read_setting(row, "pretrain_steps", MOST_PRETRAIN_STEPS);
    o->steps = read_setting(row, "rl_steps", MOST_STEPS);
    o->problems = read_setting(row, "problems", MOST_PROBLEMS);
    o->base_wait = number_in(row, "base_wait");
    o->second_base = number_in(row, "init_draw") > 0;
    bool found = says(row, "stage", "settings") && name.size && name.size < task_bytes && seed &&
                 seed->kind == R1_JSON_NUMBER && o->steps && o->problems && read_options(o, row);
    found = found && (o->pretrain_steps || o->model);
    if (found) {
        memcpy(task, name.data, name.size);
        o->task = task;
        o->seed = strtoll(seed->text.data, NULL, 10);
        snprintf(rows_hash, sizeof rows_hash, "%.*s", (int)hash.size, hash.data ? hash.data : "");
    } else {
        fprintf(stderr, "r1_zero: %s does not begin with the settings of a run\n", path);
    }
    r1_json_free(ctx, row);
    close_rows(&rows);
    return found;
}
// The figures of the base, for a run that is resumed after they were measured.
static bool read_base_evaluation(run *r) {
    rows rows;
    bool found = false;
    if (!open_rows(&rows, r->ctx, path_in(r, "metrics.jsonl"))) return false;
    for (r1_json *row; !found && (row = next_row(&rows)) != NULL; r1_json_free(r->ctx, row)) {
        found = says(row, "stage", "eval") && says(row, "at", "base");
        if (!found) continue;
        r->base[0] = (evaluation){.pass = number_in(row, "pass_at_1"),
                                  .cons = number_in(row, "cons_at_k"),
                                  .length = number_in(row, "length"),
                                  .format = number_in(row, "format"),
                                  .truncated = number_in(row, "truncated")};
        for (size_t i = 0; i < r->task.n_measures; i++)
            count(&r->base[0].measures[i], number_in(row, r->task.measures[i]));
        r->base[1] = (evaluation){.pass = number_in(row, "sets_pass_at_1"),
                                  .cons = number_in(row, "sets_cons_at_k"),
                                  .length = number_in(row, "sets_length")};
    }
    close_rows(&rows);
    return found;
}

// ---- the results ----
static void print_json(const run *r, double seconds) {
    const evaluation *base = &r->base[0], *final = &r->final[0];
    printf("{\"task\":\"%s\",\"seed\":%lld,\"pass_at_1\":[%.4f,%.4f],\"cons_at_16\":[%.4f,%.4f],"
           "\"length\":[%.2f,%.2f]",
           r->task.name, r->options.seed, base->pass, final->pass, base->cons, final->cons,
           base->length, final->length);
    for (size_t i = 0; i < r->task.n_measures; i++)
        printf(",\"%s\":[%.4f,%.4f]", r->task.measures[i], share(&base->measures[i]),
               share(&final->measures[i]));
    if (r->task.splits > 1)
        printf(",\"sets_pass_at_1\":[%.4f,%.4f]", r->base[1].pass, r->final[1].pass);
    size_t peak = 0;
    r1_memory_used(r->ctx, NULL, &peak);
    printf(",\"peak_bytes\":%zu,\"seconds\":%.1f}\n", peak, seconds);
}
static void print_row(const char *name, double before, double after) {
    printf("    %-22s %8.3f %8.3f\n", name, before, after);
}
// What changed inside the answers, and on problems of the second kind.
static void print_table(const run *r) {
    const evaluation *base = r->base, *final = r->final;
    printf("    %-22s %8s %8s\n", "", "base", "final");
    print_row("format", base->format, final->format);
    print_row("truncated", base->truncated, final->truncated);
    for (size_t i = 0; i < r->task.n_measures; i++)
        print_row(r->task.measures[i], share(&base->measures[i]), share(&final->measures[i]));
    if (r->task.splits < 2) return;
    print_row("unseen_sets_pass_at_1", base[1].pass, final[1].pass);
    print_row("unseen_sets_cons_at_16", base[1].cons, final[1].cons);
}
static void print_change(const char *name, int digits, double before, double after) {
    printf("  %s %.*f -> %.*f", name, digits, before, digits, after);
}
// A measure that the last line has a place for, if the task counts it.
static void print_measure(const run *r, const char *measure, const char *name, int digits) {
    for (size_t i = 0; i < r->task.n_measures; i++)
        if (!strcmp(r->task.measures[i], measure))
            print_change(name, digits, share(&r->base[0].measures[i]),
                         share(&r->final[0].measures[i]));
}
static void print_result(run *r) {
    const evaluation *base = &r->base[0], *final = &r->final[0];
    double seconds = seconds_now() - r->start;
    end_line(r);
    if (r->options.json) {
        print_json(r, seconds);
        return;
    }
    if (!r->options.quiet) print_table(r);
    printf("r1-zero: task %s", r->task.name);
    print_change("pass@1", 2, base->pass, final->pass);
    print_change("cons@16", 2, base->cons, final->cons);
    print_measure(r, "per_try", "per-try", 2);
    print_change("length", final->length < 20 ? 1 : 0, base->length, final->length);
    print_measure(r, "wait", "wait", 1);
    printf("  (%.0f s)\n", seconds);
}
static bool write_results(run *r) {
    char curve[PATH_BYTES];
    snprintf(curve, sizeof curve, "%s", path_in(r, "curve.svg"));
    return save_model(r, r->options.out) && r1_report_write(r->ctx, r->options.out) == R1_OK &&
           r1_report_csv(r->ctx, r->options.out) == R1_OK &&
           r1_report_events(r->ctx, r->options.out) == R1_OK &&
           r1_report_curve(r->ctx, r->options.out, curve) == R1_OK;
}

// ---- commands ----
static int status_of(const run *r, bool done) {
    r1_status status = r1_status_of(r->ctx);
    if (status) end_line(r), fprintf(stderr, "r1_zero: %s\n", r1_message_of(r->ctx));
    if (done) return FINE;
    return status == R1_ERROR_FILE || status == R1_ERROR_FORMAT ? BAD_FILE : FAILED;
}
// Works the options into the task; false when there is no such task.
static bool choose_task(run *r) {
    options *o = &r->options;
    bool found = o->model != NULL;
    if (found) r->task = data_task;
    for (int i = 0; i < TASK_COUNT && !found; i++) {
        found = !strcmp(o->task, tasks[i]->name);
        if (found) r->task = *tasks[i];
    }
    if (!found) return false;
    if (o->steps) r->task.rl_steps = (size_t)o->steps;
    if (o->pretrain_steps) r->task.pretrain_steps = (size_t)o->pretrain_steps;
    if (o->base_wait >= 0) r->task.corpus.wait = o->base_wait;
    r->task.model.init_draw = o->second_base;
    if (!o->problems) o->problems = o->model ? DATA_PROBLEMS : MOST_PROBLEMS;
    if (!o->model) return true;
    if (!o->max_new) o->max_new = DATA_MAX_NEW;
    if (o->questions) r->task.questions = (size_t)o->questions;
    if (o->group) r->task.group = (size_t)o->group;
    o->questions = (long long)r->task.questions, o->group = (long long)r->task.group;
    return true;
}
// The model of --model, its tokenizer and the rows. On resume its weights are those of a
// checkpoint, but the rows must be the same.
static int open_data(run *r) {
    char hash[24];
    int code = data_open(r->ctx, &r->options, !r->options.dry_run, &r->task);
    r->model = data.folder.model, r->tokenizer = data.folder.tokenizer;
    r->stops = data.folder.stops, r->n_stops = data.folder.n_stops;
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)data.hash);
    if (!code && (r->options.resume || r->options.replay) && strcmp(hash, rows_hash) != 0) {
        fprintf(stderr, "r1_zero: %s has other rows than the run began with\n", r->options.data);
        code = BAD_FILE;
    }
    return code;
}
// The model that a run of a toy task starts with: new, given by --base, or the one that it saved.
static bool open_model(run *r) {
    static const int32_t stop = END;
    const char *folder = r->options.base;
    if (r->options.model) return true; // open_data had it
    if (r->from == REINFORCING) folder = path_in(r, "base");
    r->stops = &stop, r->n_stops = 1;
    r->tokenizer = r1_tokenizer_pieces(r->ctx, r->task.pieces, r->task.n_pieces);
    r->model = folder ? r1_model_load(r->ctx, folder) : r1_model_new(r->ctx, &r->task.model);
    if (!r->model) return false;
    if (r1_model_config_of(r->model)->vocab == r->task.n_pieces) return true;
    fprintf(stderr, "r1_zero: %s: the model is not one for this task\n", folder);
    return false;
}
static bool pretrain_or_copy(run *r) {
    if (!r->options.base && !r->options.model) return pretrain(r);
    log_settings(r, NULL);
    return r->options.model || save_model(r, path_in(r, "base"));
}
// Another base: the logs begin again, and say what was wrong with the first one.
static bool begin_again(run *r) {
    r->task.model.init_draw++;
    r->options.resume = false;
    remove_checkpoints(r);
    r1_log_close(r->metrics), r1_log_close(r->samples);
    r1_model_free(r->model);
    r->model = r1_model_new(r->ctx, &r->task.model);
    return open_logs(r, false) && r->model;
}
// A base that fails its gate has got stuck. A longer training leaves it where it is, other first
// weights seldom lead there: one more base is made, and its failure is final.
static bool make_base(run *r) {
    for (;;) {
        if (!pretrain_or_copy(r) || !evaluate_all(r, "base", 0, r->base)) return false;
        if (pass_gate(r)) return true;
        bool again = !r->options.base && !r->task.model.init_draw;
        end_line(r);
        fprintf(stderr, "r1_zero: the base model is not fit for RL: %s; %s\n", r->rejected,
                again ? "another one is made, from other first weights"
                      : "pre-train it longer (--pretrain-steps), or go on all the same with "
                        "--no-gate");
        if (!again || !begin_again(r)) return false;
    }
}
// A context, and for --resume and replay the settings of the run in the folder.
static int open_run(run *r) {
    static char task_name[32];
    bool continues = r->options.resume || r->options.replay;
    if (continues) {
        r1_context *ctx = r1_context_new(NULL);
        bool found = read_settings(ctx, &r->options, task_name, sizeof task_name);
        if (r1_status_of(ctx)) fprintf(stderr, "r1_zero: %s\n", r1_message_of(ctx));
        r1_context_free(ctx);
        if (!found) return BAD_FILE;
    }
    if (!choose_task(r)) return usage_error("there is no such task", r->options.task);
    int threads = r->options.threads ? (int)r->options.threads : r->options.model ? 0 : 1;
    r->ctx =
        r1_context_new(&(r1_context_desc){.seed = (uint64_t)r->options.seed, .threads = threads});
    if (continues && find_rl_checkpoint(r, r->task.rl_steps, &r->from_step)) r->from = REINFORCING;
    return r->options.model ? open_data(r) : FINE;
}
static int train(run *r) {
    int code = open_run(r);
    if (code) return code;
    bool done = true, begins = r->options.model && r->from != REINFORCING;
    if (!r->options.resume || begins) {
        remove_checkpoints(r);
        done = open_logs(r, false);
    }
    done = done && open_model(r);
    if (r->options.resume && r->from == REINFORCING)
        done = done && read_base_evaluation(r);
    else
        done = done && make_base(r);
    done = done && reinforce(r) && evaluate_all(r, "final", r->task.rl_steps, r->final) &&
           write_results(r);
    if (done) print_result(r);
    if (r->interrupted && fine(r)) {
        end_line(r);
        r1_report_write(r->ctx, r->options.out);
        fprintf(stderr, "r1_zero: interrupted; go on with --resume --out %s\n", r->options.out);
        return INTERRUPTED;
    }
    return status_of(r, done);
}
// The memory of a run with --model by kind, from the config and the longest prompt of the rows; the
// weights stay where they are. An evaluation has a cache of its own beside the run's.
static int dry_run(run *r) {
    r1_train_plan plan;
    int code = open_run(r);
    if (code) return code;
    r1_grpo_desc desc = grpo_settings(r);
    if (r1_grpo_plan_of(r->ctx, &data.folder.config, &desc, r->task.longest_prompt, &plan) != R1_OK)
        return status_of(r, false);
    size_t cache = plan.bytes[R1_PLAN_CACHE], total = plan.total + cache;
    if (r->options.json) {
        printf("{\"parameters\":%zu,\"bytes\":{", plan.model.parameters);
        for (int i = 0; i < R1_PLAN_KINDS; i++)
            printf("\"%s\":%zu,", r1_plan_name((r1_plan_kind)i), plan.bytes[i]);
        printf("\"evaluation\":%zu},\"total\":%zu}\n", cache, total);
        return FINE;
    }
    printf("%zu parameters, %zu rows, prompts of up to %zu tokens\n", plan.model.parameters,
           data.set.n, r->task.longest_prompt);
    for (int i = 0; i < R1_PLAN_KINDS; i++)
        if (plan.bytes[i])
            printf("    %-12s %12.3f MiB\n", r1_plan_name((r1_plan_kind)i),
                   (double)plan.bytes[i] / 1048576);
    printf("    %-12s %12.3f MiB\n    %-12s %12.3f MiB\n", "evaluation", (double)cache / 1048576,
           "total", (double)total / 1048576);
    if (!r->options.recompute)
        printf("activations with --recompute: %.3f MiB\n", (double)plan.recomputed / 1048576);
    return FINE;
}
// Whether samples.jsonl, where every fourth prompt has its first answer, says the same.
static bool compare_with_log(const run *r, const char *completion) {
    rows rows;
    bool found = false, same = true;
    if (!open_rows(&rows, r->ctx, path_in(r, "samples.jsonl"))) return false;
    for (r1_json *row; !found && (row = next_row(&rows)) != NULL; r1_json_free(r->ctx, row)) {
        found = says(row, "stage", "rl") && number_in(row, "step") == (double)r->options.step &&
                number_in(row, "question") == (double)r->options.prompt;
        if (found) same = says(row, "completion", completion);
    }
    close_rows(&rows);
    if (!found) puts("samples.jsonl has no answer to this prompt");
    if (found) puts(same ? "the first answer is that of samples.jsonl" : "samples.jsonl differs");
    return same;
}
static bool print_answers(const run *r, r1_rollout *rollout) {
    const r1_sample *s = rollout->samples;
    char *text = prompt_text(r, s), *first = completion_text(r, s);
    printf("rollout %lld, prompt %lld: %s\n", r->options.step, r->options.prompt, text);
    for (size_t i = 0; i < rollout->n; i++, s++) {
        r1_verdict verdict = {.judged = true};
        r->task.reward(NULL, s, &verdict);
        free_text(text), text = completion_text(r, s);
        printf("%2zu  accuracy %.0f  format %.0f  %s\n", i, verdict.parts[0], verdict.parts[1],
               text);
    }
    bool same = compare_with_log(r, first);
    free_text(text), free_text(first);
    return same;
}
// Loads the nearest checkpoint before a rollout, repeats the steps in between, and draws the
// answers to one prompt again.
static int replay(run *r) {
    int code = open_run(r);
    if (code) return code;
    uint64_t step = (uint64_t)r->options.step, from, Q = r->task.questions;
    if (step > r->task.rl_steps) return usage_error("the run has no such rollout", "--step");
    if ((uint64_t)r->options.prompt >= Q) return usage_error("no such prompt", "--prompt");
    if (!find_rl_checkpoint(r, step - 1, &from)) {
        fprintf(stderr, "r1_zero: %s has no checkpoint of RL before rollout %llu\n", r->options.out,
                (unsigned long long)step);
        return BAD_FILE;
    }
    r1_grpo *grpo = open_model(r) ? new_grpo(r) : NULL;
    r1_rollout *rollout = r1_rollout_new(r->ctx);
    bool done = grpo && rollout && r1_grpo_resume(grpo, rl_folder(r, from), NULL, 0);
    for (; done && from + 1 < step; from++) done = r1_grpo_step(grpo);
    uint64_t prompt = (step - 1) * Q + (uint64_t)r->options.prompt;
    done = done && r1_grpo_replay(grpo, step, prompt, rollout) == R1_OK;
    done = done && print_answers(r, rollout);
    r1_rollout_free(rollout);
    r1_grpo_free(grpo);
    return status_of(r, done);
}
static int diff(run *r) {
    char path[PATH_BYTES];
    rows logs[2] = {{0}};
    r->ctx = r1_context_new(NULL);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/metrics.jsonl", r->options.folders[i]);
        if (!open_rows(&logs[i], r->ctx, path)) return status_of(r, false);
    }
    int code = compare_runs(r->ctx, &r->options, logs);
    for (int i = 0; i < 2; i++) close_rows(&logs[i]);
    return fine(r) ? code : status_of(r, false);
}
int main(int argc, char **argv) {
    static run r;
    r.start = seconds_now();
    int code = parse_options(argc, argv, &r.options);
    if (code) return code;
    if (r.options.help) {
        print_help();
        return FINE;
    }
#ifndef _WIN32
    r.live = isatty(2);
#endif
    signal(SIGINT, ask_to_stop);
    signal(SIGTERM, ask_to_stop);
    code = r.options.dry_run  ? dry_run(&r)
           : r.options.diff   ? diff(&r)
           : r.options.replay ? replay(&r)
                              : train(&r);
    r1_context_free(r.ctx);
    data_close();
    return code;
}
