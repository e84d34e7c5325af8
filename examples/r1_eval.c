// Evaluates completions, or a model that writes them here, against a benchmark: accuracy with
// intervals, overall and by level.
//
//     $ build/r1_eval --model out/r1_zero --bench countdown.jsonl -n 16 --out samples.jsonl
//     $ build/r1_eval completions.jsonl benchmark.jsonl --k 4 --html eval.html
//     level        problems  samples  pass@1                 pass@4                 cons@8    ...
//     all               100      800  0.781 [0.706, 0.851]   0.902 [0.850, 0.951]   0.860 ...
//
// The unit of chance is the problem: its samples are averaged first, then problems are resampled.
// A sample that could not be judged is neither right nor wrong; its share has a column of its own.
//
// A run with a model can be killed at any moment; the same command goes on where it stopped and
// ends with the same samples.
#include "r1.h"
#include "tool_data.h"
#include "tool_rows.h"
#include <signal.h>

static struct options {
    const char *model, *bench, *out, *instruction, *html, *verdicts, *by;
    bool json, opened, strict, quiet;
    tool_drawing drawing;
    long long n, k, resamples;
} given = {.by = "level", .out = "samples.jsonl", .n = 16, .drawing = TOOL_DRAWING};
static const tool_option options[] = {
    {"--model", "FOLDER", "draw the completions from this model", .word = &given.model},
    {"--bench", "FILE", "the benchmark, with --model", .word = &given.bench},
    {"-n", "N", "completions of each problem, 1 .. 4096; default 16", .whole = &given.n, .low = 1,
     .high = 4096},
    {"--out", "FILE", "where they are kept; default samples.jsonl", .word = &given.out},
    {"--instruction", "TEXT", "stands behind each question, such as where to put the answer",
     .word = &given.instruction},
    TOOL_DRAWING_OPTIONS(given.drawing),
    {"--quiet", NULL, "no line of progress", .flag = &given.quiet},
    {"--k", "K", "adds pass@K for this K, 2 .. 4096", .whole = &given.k, .low = 2, .high = 4096},
    {"--by", "FIELD", "field of the benchmark that groups problems; default level",
     .word = &given.by},
    {"--opened", NULL, "completions begin inside <think>: the prompt wrote it",
     .flag = &given.opened},
    {"--strict", NULL, "no answer counts without <think> ... </think>", .flag = &given.strict},
    {"--resamples", "N", "of the bootstrap, 100 .. 100000; default 2000", .whole = &given.resamples,
     .low = 100, .high = 100000},
    {"--html", "FILE", "writes a page with the table and samples to look at", .word = &given.html},
    {"--verdicts", "FILE", "writes one line of JSON for each sample", .word = &given.verdicts},
    {"--json", NULL, "prints JSON instead of the table", .flag = &given.json},
};
static tool self = {
    "r1_eval",
    "COMPLETIONS BENCHMARK | --model FOLDER --bench BENCHMARK",
    "Completions: lines {\"completion\" or \"completions\": [..]} with the \"id\" of a problem, "
    "its\n"
    "\"question\" or its \"index\" (line of the benchmark, from 0). Benchmark: lines {\"answer\"}\n"
    "with \"id\", \"question\", \"level\", \"task\" and \"numbers\" as far as there are any. One "
    "of the\n"
    "files may be - for standard input. \"output\", \"problem\" and \"gold\" are understood, too.",
    options,
    sizeof options / sizeof *options,
    .most_files = 2};

enum { GROUPS = 64, SHOWN = 60 };

// A problem of the benchmark. Slices point into rows that stay in memory until the end.
typedef struct problem {
    const r1_json *row;
    r1_slice id, question, gold, numbers;
    r1_task task;
    int group;
    size_t first, count, right, judged, empty; // samples[first ..], sorted by problem
    double vote;                               // of the majority: 1, 0, or -1 = not judged
    char list[256];
} problem;
typedef struct sample {
    size_t problem, order;
    r1_slice text;
    r1_reward_part part;
    int vote; // the first sample with an equal answer; R1_OFF = no answer
} sample;
typedef struct key {
    r1_slice text;
    size_t problem;
} key;
// One line of the table.
typedef struct line {
    const char *name;
    size_t problems, samples, judged, empty;
    r1_score pass_1, pass_k, cons;
} line;
typedef struct evaluation {
    r1_context *ctx;
    problem *problems;
    sample *samples;
    key *ids, *questions;
    size_t n_problems, n_samples, n_ids, n_questions, problem_room, sample_room, most;
    r1_slice groups[GROUPS];
    int n_groups;
    r1_rewarder *rewarder;
    r1_answer_work *works[256];
    line lines[GROUPS + 1];
    bool bad;
} evaluation;

static void *grow(void *array, size_t *room, size_t wanted, size_t size) {
    if (wanted <= *room) return array;
    *room = 2 * wanted + 64;
    array = realloc(array, *room * size);
    if (!array) fputs("r1_eval: out of memory\n", stderr), exit(TOOL_FAILED);
    return array;
}
static r1_slice text_of(const r1_json *row, const char *const *names) {
    return tool_text(tool_first(row, names));
}
static const char *const id_names[] = {"id", "task_id", "idx", NULL};
static const char *const question_names[] = {"question", "problem", "quiz", "prompt", NULL};
static const char *const text_names[] = {"completion", "output", "text", NULL};
static const char *const list_names[] = {"completions", "outputs", NULL};

static void complain(evaluation *e, const tool_lines *lines, const char *problem) {
    tool_fail(&self, TOOL_INPUT, "%s:%zu: %s", lines->path, lines->number, problem);
    e->bad = true;
}
// The next line as an object; NULL at the end. Lines that are none are told and passed over.
static r1_json *next_row(evaluation *e, tool_lines *lines) {
    char problem[160];
    r1_slice text;
    while (tool_next(lines, &text)) {
        if (!text.size) continue;
        r1_json *row = r1_json_try(e->ctx, text.data, text.size, problem, sizeof problem);
        if (row && row->kind == R1_JSON_OBJECT) return row;
        if (r1_status_of(e->ctx) != R1_OK) return NULL;
        complain(e, lines, row ? "the line is no JSON object" : problem);
        r1_json_free(e->ctx, row);
    }
    return NULL;
}
// The number of a group by its name; the last one takes what is too much.
static int group_of(evaluation *e, r1_slice name) {
    for (int i = 0; i < e->n_groups; i++)
        if (name.size == e->groups[i].size && !memcmp(name.data, e->groups[i].data, name.size))
            return i;
    if (e->n_groups == GROUPS) return GROUPS - 1;
    e->groups[e->n_groups] = name;
    return e->n_groups++;
}
static bool read_benchmark(evaluation *e) {
    const char *const by[] = {given.by, NULL};
    tool_lines lines;
    if (!tool_open(&self, self.files[1], &lines)) return false;
    for (r1_json *row; (row = next_row(e, &lines));) {
        r1_slice gold = tool_answer(row), task = tool_field(row, "task");
        int number = task.size ? r1_task_find(task) : R1_TASK_MATH;
        if (!gold.data) complain(e, &lines, "\"answer\" is missing");
        if (number < 0) complain(e, &lines, "\"task\" is not known");
        e->problems =
            (problem *)grow(e->problems, &e->problem_room, e->n_problems + 1, sizeof *e->problems);
        problem *p = &e->problems[e->n_problems++];
        memset(p, 0, sizeof *p);
        p->row = row, p->gold = gold, p->task = number < 0 ? R1_TASK_MATH : (r1_task)number;
        p->id = text_of(row, id_names), p->question = text_of(row, question_names);
        r1_slice group = text_of(row, by);
        p->group = group.data ? group_of(e, group) : R1_OFF;
        p->numbers = tool_numbers(r1_json_find(row, "numbers"), p->list, sizeof p->list);
        if (p->numbers.data == p->list) p->numbers.data = NULL; // the array moves: see judge
    }
    if (tool_close(&lines) != TOOL_DONE) return false;
    if (!e->n_problems) tool_fail(&self, TOOL_INPUT, "%s: no problems", self.files[1]);
    return e->n_problems > 0;
}
static int compare_slices(r1_slice a, r1_slice b) {
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}
static int compare_keys(const void *a, const void *b) {
    const key *x = (const key *)a, *y = (const key *)b;
    int order = compare_slices(x->text, y->text);
    return order ? order : (x->problem > y->problem) - (x->problem < y->problem);
}
static void index_problems(evaluation *e) {
    size_t rooms[2] = {0, 0};
    e->ids = (key *)grow(NULL, &rooms[0], e->n_problems, sizeof(key));
    e->questions = (key *)grow(NULL, &rooms[1], e->n_problems, sizeof(key));
    for (size_t i = 0; i < e->n_problems; i++) {
        const problem *p = &e->problems[i];
        if (p->id.data) e->ids[e->n_ids++] = (key){p->id, i};
        if (p->question.data) e->questions[e->n_questions++] = (key){p->question, i};
    }
    qsort(e->ids, e->n_ids, sizeof(key), compare_keys);
    qsort(e->questions, e->n_questions, sizeof(key), compare_keys);
}
// The first problem with this text; SIZE_MAX when there is none.
static size_t find_key(const key *keys, size_t n, r1_slice text) {
    size_t low = 0, high = n;
    while (text.data && low < high) {
        size_t middle = (low + high) / 2;
        if (compare_slices(keys[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = text.data && low < n && compare_slices(keys[low].text, text) == 0;
    return found ? keys[low].problem : SIZE_MAX;
}
// By id, else by question, else by index.
static size_t find_problem(const evaluation *e, const r1_json *row) {
    size_t found = find_key(e->ids, e->n_ids, text_of(row, id_names));
    if (found == SIZE_MAX)
        found = find_key(e->questions, e->n_questions, text_of(row, question_names));
    double index = r1_json_number(r1_json_find(row, "index"), -1);
    if (found == SIZE_MAX && index >= 0 && index < (double)e->n_problems) found = (size_t)index;
    return found;
}
static void add_sample(evaluation *e, size_t problem, r1_slice text) {
    e->samples = (sample *)grow(e->samples, &e->sample_room, e->n_samples + 1, sizeof *e->samples);
    sample *s = &e->samples[e->n_samples];
    memset(s, 0, sizeof *s);
    s->problem = problem, s->order = e->n_samples++, s->text = text;
}
static int compare_samples(const void *a, const void *b) {
    const sample *x = (const sample *)a, *y = (const sample *)b;
    if (x->problem != y->problem) return x->problem < y->problem ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}
static bool read_completions(evaluation *e) {
    tool_lines lines;
    if (!tool_open(&self, self.files[0], &lines)) return false;
    for (r1_json *row; (row = next_row(e, &lines));) {
        size_t at = find_problem(e, row), before = e->n_samples;
        if (r1_json_find(row, "settings")) continue; // the first row of what a model has written
        const r1_json *list = tool_first(row, list_names), *one = tool_first(row, text_names);
        if (at == SIZE_MAX) {
            complain(e, &lines, "no problem with this id, question or index");
            continue;
        }
        for (list = list ? list->child : NULL; list; list = list->next)
            if (list->kind == R1_JSON_STRING) add_sample(e, at, list->text);
        if (one && one->kind == R1_JSON_STRING) add_sample(e, at, one->text);
        if (e->n_samples == before) complain(e, &lines, "\"completion\" is missing");
    }
    if (e->n_samples) qsort(e->samples, e->n_samples, sizeof *e->samples, compare_samples);
    return tool_close(&lines) == TOOL_DONE;
}

// ---- drawing completions from a model ----
enum { RUNNING = 64 }; // completions that are drawn at a time, about

static volatile sig_atomic_t stop_asked;
static void ask_to_stop(int number) {
    stop_asked = 1;
    signal(number, SIG_DFL); // a second one kills
}
typedef struct drawing {
    evaluation *e;
    tool_folder folder;
    r1_log_file *log;
    r1_rollout *rollout;
    size_t first, done, tokens; // problems of earlier runs, of all runs; tokens of this run
    double begin;
    bool live;
    int tenth;
} drawing;

static void show_progress(drawing *d, size_t extra) {
    size_t problems = d->e->n_problems, left = problems - d->done;
    double seconds = tool_seconds() - d->begin;
    int tenth = (int)(d->done * 10 / problems);
    if (given.quiet || (!d->live && tenth == d->tenth)) return;
    fprintf(stderr, d->live ? "\r\033[K" : "");
    fprintf(stderr, "%zu/%zu problems  %zu completions  %.0f tokens/s", d->done, problems,
            d->done * (size_t)given.n, (double)(d->tokens + extra) / (seconds + 1e-9));
    if (d->done > d->first)
        fprintf(stderr, "  %.0f s left", seconds / (double)(d->done - d->first) * (double)left);
    if (!d->live) fputc('\n', stderr);
    d->tenth = tenth;
}
static bool while_drawing(void *user, size_t finished, size_t total, size_t tokens) {
    drawing *d = (drawing *)user;
    (void)finished, (void)total;
    if (d->live) show_progress(d, tokens);
    return !stop_asked;
}
// The ids of a problem's question. NULL and the reason when it has none or the model cannot take
// it; free them.
static int32_t *question_ids(drawing *d, const problem *p, size_t *n, char *why, size_t size) {
    r1_message messages[TOOL_MESSAGES];
    size_t count = tool_question(p->row, messages);
    char *text = NULL;
    if (!count) return snprintf(why, size, "no question"), NULL;
    if (given.instruction) {
        r1_message *last = &messages[count - 1];
        size_t room = last->size + strlen(given.instruction) + 3;
        text = (char *)malloc(room);
        if (!text) return snprintf(why, size, "out of memory"), NULL;
        int length =
            snprintf(text, room, "%.*s\n\n%s", (int)last->size, last->content, given.instruction);
        last->content = text, last->size = (size_t)length;
    }
    int32_t *ids = tool_prompt_ids(&d->folder, messages, count, n, why, size);
    free(text);
    if (ids && tool_prompt_fits(&d->folder, ids, *n, why, size)) return ids;
    return free(ids), NULL;
}
// The row that the samples begin with: they belong together only if all of it is the same.
static void write_settings(drawing *d, r1_json_writer *out) {
    const r1_sampler_desc *s = &d->folder.sampler;
    char hash[40];
    uint64_t bench = 1469598103934665603u; // FNV-1a, over questions and answers
    for (size_t i = 0; i < d->e->n_problems; i++) {
        const r1_slice texts[] = {d->e->problems[i].question, d->e->problems[i].gold};
        for (int k = 0; k < 2; k++)
            for (size_t j = 0; j <= texts[k].size; j++) // with the zero byte that ends each
                bench = (bench ^ (j < texts[k].size ? (unsigned char)texts[k].data[j] : 0u)) *
                        1099511628211u;
    }
    r1_json_begin_object(out, NULL), r1_json_begin_object(out, "settings");
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r1_model_hash(d->folder.model));
    r1_json_write_text(out, "weights", hash, strlen(hash));
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)bench);
    r1_json_write_text(out, "benchmark", hash, strlen(hash));
    r1_json_write_integer(out, "problems", (int64_t)d->e->n_problems);
    r1_json_write_integer(out, "n", given.n);
    const char *chat = r1_chat_name(d->folder.chat);
    r1_json_write_text(out, "chat", chat ? chat : "none", strlen(chat ? chat : "none"));
    const char *text = given.instruction ? given.instruction : "";
    r1_json_write_text(out, "instruction", text, strlen(text));
    r1_json_write_bool(out, "greedy", s->greedy);
    r1_json_write_number(out, "temperature", s->temperature);
    r1_json_write_number(out, "top_p", s->top_p);
    r1_json_write_integer(out, "top_k", (int64_t)s->top_k);
    r1_json_write_integer(out, "max_new", given.drawing.max_new);
    r1_json_write_integer(out, "seed", given.drawing.seed);
    r1_json_end_object(out), r1_json_end_object(out);
}
// Finds the end of the last problem whose samples are all there, and how many problems that are.
// False when the file is of another run.
static bool find_end(drawing *d, const char *text, size_t size, r1_slice settings, size_t *bytes) {
    size_t rows = 0, at = 0;
    if (size <= settings.size || memcmp(text, settings.data, settings.size) != 0 ||
        text[settings.size] != '\n')
        return false;
    *bytes = at = settings.size + 1;
    while (at < size) {
        const char *line = text + at, *end = (const char *)memchr(line, '\n', size - at);
        if (!end) break; // a torn row
        r1_json *row = r1_json_try(d->e->ctx, line, (size_t)(end - line), NULL, 0);
        double index = r1_json_number(r1_json_find(row, "index"), -1);
        double sample = r1_json_number(r1_json_find(row, "sample"), -1);
        r1_json_free(d->e->ctx, row);
        rows = sample == 0 ? 1 : rows + 1;
        if (index < (double)d->done || index >= (double)d->e->n_problems ||
            sample != (double)(rows - 1))
            return false;
        at = (size_t)(end - text) + 1;
        if (rows == (size_t)given.n) *bytes = at, d->done = (size_t)index + 1;
    }
    return true;
}
// Opens the file of samples, to go on in it where it is of the same run.
static int open_samples(drawing *d) {
    r1_context *ctx = d->e->ctx;
    r1_json_writer out = {.ctx = ctx};
    size_t size = 0, bytes = 0;
    char *text = tool_file_there(given.out) ? r1_file_read(ctx, given.out, &size) : NULL;
    write_settings(d, &out);
    int code = TOOL_GO;
    r1_slice settings = {out.text, out.size};
    if (size && !out.failed && !find_end(d, text, size, settings, &bytes))
        code = tool_fail(&self, TOOL_INPUT,
                         "%s: samples of another run (weights, benchmark or options differ); name "
                         "another file with --out",
                         given.out);
    if (code == TOOL_GO && size) r1_log_cut(ctx, given.out, bytes);
    d->first = d->done;
    if (code == TOOL_GO && !size && !out.failed) { // the row as it will be compared
        out.text[out.size] = '\n';
        r1_file_write(ctx, given.out, out.text, out.size + 1);
    }
    if (code == TOOL_GO) d->log = r1_log_open(ctx, given.out, true);
    r1_file_free(ctx, text), r1_json_writer_free(&out);
    return r1_status_of(ctx) == R1_OK ? code : tool_refuse(&self, ctx);
}
static bool log_completions(drawing *d, const size_t *numbers) {
    for (size_t i = 0; i < d->rollout->n; i++) {
        const r1_sample *s = &d->rollout->samples[i];
        size_t size = 0;
        char *text = tool_answer_text(&d->folder, s, &size);
        if (!text) return tool_fail(&self, TOOL_FAILED, "out of memory"), false;
        r1_log_integer(d->log, "index", (int64_t)numbers[s->prompt]);
        r1_log_integer(d->log, "sample", (int64_t)s->index);
        r1_log_text(d->log, "completion", text, size);
        r1_log_integer(d->log, "tokens", (int64_t)(s->n - s->n_prompt));
        r1_log_bool(d->log, "truncated", s->truncated);
        r1_log_row(d->log);
        free(text);
    }
    return r1_status_of(d->e->ctx) == R1_OK;
}
// The next problems, as many as make one call. What a problem's completions are depends on its
// number and the seed alone, so the cut between calls cannot show.
static bool draw_some(drawing *d) {
    r1_prompt prompts[RUNNING];
    size_t numbers[RUNNING], n = 0, most = given.n < RUNNING ? RUNNING / (size_t)given.n : 1;
    size_t at = d->done;
    for (; at < d->e->n_problems && n < most; at++) {
        char why[TOOL_PROBLEM];
        r1_prompt *prompt = &prompts[n];
        int32_t *ids = question_ids(d, &d->e->problems[at], &prompt->n, why, sizeof why);
        if (ids) {
            prompt->tokens = ids, prompt->key = (uint32_t)at, numbers[n++] = at;
            continue;
        }
        tool_fail(&self, TOOL_INPUT, "%s: problem %zu: %s", given.bench, at + 1, why);
        d->e->bad = true;
    }
    r1_generate_desc desc = {.sampler = d->folder.sampler,
                             .max_new = (size_t)given.drawing.max_new,
                             .batch = RUNNING,
                             .stops = d->folder.stops,
                             .n_stops = d->folder.n_stops,
                             .progress = while_drawing,
                             .user = d};
    bool good = r1_status_of(d->e->ctx) == R1_OK;
    if (good && n)
        good =
            r1_generate(d->folder.model, d->rollout, prompts, n, (size_t)given.n, &desc) == R1_OK &&
            !stop_asked && log_completions(d, numbers);
    for (size_t i = 0; i < n; i++) free((void *)(uintptr_t)prompts[i].tokens);
    if (good) d->done = at, d->tokens += n ? d->rollout->tokens : 0;
    return good;
}
static int draw_completions(evaluation *e) {
    drawing d = {.e = e, .tenth = -1};
    int code =
        tool_folder_open(&self, e->ctx, given.model, &given.drawing, TOOL_TO_ANSWER, &d.folder);
    if (code == TOOL_GO) code = open_samples(&d);
    if (code != TOOL_GO) return code;
    if (d.folder.opened) given.opened = true;
    if (d.folder.sampler.greedy && given.n > 1 && !given.quiet)
        fprintf(stderr, "r1_eval: note: greedy, all %lld completions of a problem are the same\n",
                given.n);
#ifndef _WIN32
    d.live = isatty(2);
#endif
    d.rollout = r1_rollout_new(e->ctx), d.begin = tool_seconds();
    signal(SIGINT, ask_to_stop), signal(SIGTERM, ask_to_stop);
    bool good = d.rollout != NULL;
    while (good && d.done < e->n_problems && !stop_asked)
        if ((good = draw_some(&d))) show_progress(&d, 0);
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    if (d.live && !given.quiet) fputs("\r\033[K", stderr);
    r1_log_close(d.log), r1_rollout_free(d.rollout), r1_model_free(d.folder.model);
    if (stop_asked)
        return tool_fail(&self, TOOL_INTERRUPTED, "interrupted; the same command goes on");
    return good                            ? TOOL_GO
           : r1_status_of(e->ctx) == R1_OK ? TOOL_FAILED
                                           : tool_refuse(&self, e->ctx);
}

// ---- judging, on workers ----
static void judge_samples(void *arg, size_t begin, size_t end, int worker) {
    evaluation *e = (evaluation *)arg;
    (void)worker;
    for (sample *s = e->samples + begin; s < e->samples + end; s++) {
        const problem *p = &e->problems[s->problem];
        r1_reward_input input = {.completion = s->text, .gold = p->gold, .task = p->task};
        r1_reward reward;
        input.numbers = p->numbers;
        if (!input.numbers.data && p->list[0]) input.numbers = (r1_slice){p->list, p->numbers.size};
        r1_reward_text(e->rewarder, &input, &reward);
        s->part = reward.parts[0];
    }
}
// Gives each sample of a problem the number of the first one with an equal answer.
static void vote_problems(void *arg, size_t begin, size_t end, int worker) {
    evaluation *e = (evaluation *)arg;
    r1_answer_work *work = e->works[worker];
    unsigned modes = given.opened || given.strict ? R1_EXTRACT_AFTER_THINK : 0;
    for (problem *p = e->problems + begin; p < e->problems + end; p++)
        for (size_t i = 0; i < p->count; i++) {
            sample *s = &e->samples[p->first + i];
            unsigned letter = p->task == R1_TASK_CHOICE ? R1_EXTRACT_LETTER : 0;
            unsigned where = modes | (letter ? letter | R1_EXTRACT_TAG : 0);
            r1_slice mine = r1_answer_extract(s->text, where);
            s->vote = mine.data ? (int)i : R1_OFF;
            for (size_t j = 0; j < i && s->vote == (int)i; j++) {
                const sample *other = &e->samples[p->first + j];
                if (other->vote != (int)j) continue;
                r1_slice his = r1_answer_extract(other->text, where);
                bool same = mine.size == his.size && !memcmp(mine.data, his.data, mine.size);
                if (same || r1_answer_equal(work, his, mine, NULL, NULL, 0) == R1_EQUAL)
                    s->vote = (int)j;
            }
        }
}
static void count_problem(evaluation *e, problem *p) {
    int *votes = (int *)calloc(p->count + 1, sizeof *votes);
    if (!votes) fputs("r1_eval: out of memory\n", stderr), exit(TOOL_FAILED);
    for (size_t i = 0; i < p->count; i++) {
        const sample *s = &e->samples[p->first + i];
        p->judged += s->part.judged, p->right += s->part.value == 1;
        p->empty += s->vote == R1_OFF;
        votes[i] = s->vote;
    }
    size_t winner = r1_score_vote_classes(votes, p->count);
    if (winner < p->count) {
        const r1_reward_part *part = &e->samples[p->first + winner].part;
        p->vote = part->judged ? part->value : -1;
    }
    free(votes);
}
static void judge(evaluation *e) {
    r1_reward_desc desc = {.opened = given.opened, .strict = given.strict};
    desc.parts[0] = r1_reward_find("accuracy");
    e->rewarder = r1_rewarder_new(e->ctx, &desc);
    for (int i = 0; i < r1_thread_count(e->ctx); i++) e->works[i] = r1_answer_new(e->ctx);
    if (r1_status_of(e->ctx) != R1_OK) return;
    for (size_t i = 0; i < e->n_samples; i++) {
        problem *p = &e->problems[e->samples[i].problem];
        if (!p->count++) p->first = i;
        if (p->count > e->most) e->most = p->count;
    }
    r1_parallel_for(e->ctx, e->n_samples, 8, judge_samples, e);
    r1_parallel_for(e->ctx, e->n_problems, 2, vote_problems, e);
    for (size_t i = 0; i < e->n_problems; i++) count_problem(e, &e->problems[i]);
}

// ---- scores ----
// The scores of one group, or of all problems with group = R1_OFF. A problem without a judged
// sample is in no mean.
static void score(evaluation *e, int group, line *l) {
    double *values = (double *)calloc(3 * e->n_problems + 1, sizeof *values);
    double *passed = values + e->n_problems, *cons = passed + e->n_problems;
    size_t n = 0, n_cons = 0;
    if (!values) fputs("r1_eval: out of memory\n", stderr), exit(TOOL_FAILED);
    for (size_t i = 0; i < e->n_problems; i++) {
        const problem *p = &e->problems[i];
        if (!p->count || (group != R1_OFF && p->group != group)) continue;
        l->problems++, l->samples += p->count, l->judged += p->judged, l->empty += p->empty;
        if (p->vote >= 0) cons[n_cons++] = p->vote;
        if (!p->judged) continue;
        values[n] = (double)p->right / (double)p->judged;
        passed[n++] = r1_score_pass_k(p->judged, p->right, given.k ? (size_t)given.k : 1);
    }
    for (int i = 0; i < 3; i++) { // each score with the same draws
        r1_random random = {(uint64_t)given.drawing.seed, R1_STREAM_USER, 0, 0, 0};
        r1_score *dst = i == 0 ? &l->pass_1 : i == 1 ? &l->pass_k : &l->cons;
        *dst = r1_score_bootstrap(e->ctx, values + (size_t)i * e->n_problems, i == 2 ? n_cons : n,
                                  (size_t)given.resamples, &random);
    }
    free(values);
}
static double share(size_t part, size_t all) { return all ? (double)part / (double)all : 0; }

static void print_score(const r1_score *score) {
    printf("  %.3f [%.3f, %.3f]", score->mean, score->low, score->high);
}
static void print_table(const evaluation *e) {
    char pass_k[32], cons[32];
    snprintf(pass_k, sizeof pass_k, "pass@%lld", given.k);
    snprintf(cons, sizeof cons, "cons@%zu", e->most);
    printf("%-14s %8s %8s  %-20s", given.by, "problems", "samples", "pass@1");
    if (given.k) printf("  %-20s", pass_k);
    printf("  %-20s  %9s  %9s\n", cons, "undecided", "no answer");
    for (int i = 0; i <= e->n_groups; i++) {
        const line *l = &e->lines[i];
        printf("%-14.14s %8zu %8zu", l->name, l->problems, l->samples);
        print_score(&l->pass_1);
        if (given.k) print_score(&l->pass_k);
        print_score(&l->cons);
        printf("  %9.4f  %9.4f\n", share(l->samples - l->judged, l->samples),
               share(l->empty, l->samples));
    }
}
static void write_score(r1_json_writer *out, const char *name, const r1_score *score) {
    r1_json_begin_object(out, name);
    r1_json_write_number(out, "mean", score->mean);
    r1_json_write_number(out, "low", score->low);
    r1_json_write_number(out, "high", score->high);
    r1_json_write_integer(out, "problems", (int64_t)score->problems);
    r1_json_end_object(out);
}
static void print_json(const evaluation *e) {
    r1_json_writer out = {.ctx = e->ctx};
    char name[32];
    r1_json_begin_object(&out, NULL);
    r1_json_write_text(&out, "by", given.by, strlen(given.by));
    r1_json_begin_array(&out, "rows");
    for (int i = 0; i <= e->n_groups; i++) {
        const line *l = &e->lines[i];
        r1_json_begin_object(&out, NULL);
        r1_json_write_text(&out, "name", l->name, strlen(l->name));
        r1_json_write_integer(&out, "problems", (int64_t)l->problems);
        r1_json_write_integer(&out, "samples", (int64_t)l->samples);
        write_score(&out, "pass@1", &l->pass_1);
        snprintf(name, sizeof name, "pass@%lld", given.k);
        if (given.k) write_score(&out, name, &l->pass_k);
        snprintf(name, sizeof name, "cons@%zu", e->most);
        write_score(&out, name, &l->cons);
        r1_json_write_number(&out, "undecided", share(l->samples - l->judged, l->samples));
        r1_json_write_number(&out, "no_answer", share(l->empty, l->samples));
        r1_json_end_object(&out);
    }
    r1_json_end_array(&out), r1_json_end_object(&out);
    if (!out.failed) puts(out.text);
    r1_json_writer_free(&out);
}
static const char *verdict_of(const sample *s) {
    return !s->part.judged ? "undecided" : s->part.value == 1 ? "right" : "wrong";
}
static void write_verdicts(const evaluation *e) {
    r1_log_file *log = r1_log_open(e->ctx, given.verdicts, false);
    for (size_t i = 0; i < e->n_samples && log; i++) {
        const sample *s = &e->samples[i];
        const problem *p = &e->problems[s->problem];
        r1_log_integer(log, "index", (int64_t)s->problem);
        if (p->id.data) r1_log_text(log, "id", p->id.data, p->id.size);
        r1_log_integer(log, "sample", (int64_t)(i - p->first));
        r1_log_text(log, "verdict", verdict_of(s), strlen(verdict_of(s)));
        r1_log_text(log, "reason", s->part.reason, strlen(s->part.reason));
        r1_log_row(log);
    }
    r1_log_close(log);
}

// ---- the page ----
typedef struct page {
    char *text;
    size_t size, room;
} page;
__attribute__((format(printf, 2, 3))) static void put(page *p, const char *format, ...) {
    va_list args;
    p->text = (char *)grow(p->text, &p->room, p->size + 1024, 1);
    va_start(args, format);
    int n = vsnprintf(p->text + p->size, p->room - p->size, format, args);
    va_end(args);
    if (n > 0) p->size += (size_t)n < p->room - p->size ? (size_t)n : p->room - p->size - 1;
}
// Text of others: escaped, and cut to its last `most` bytes.
static void put_text(page *p, r1_slice text, size_t most) {
    if (text.size > most) text.data += text.size - most, text.size = most, put(p, "... ");
    while (text.size && (text.data[0] & 0xc0) == 0x80) text.data++, text.size--;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '<' || c == '>' || c == '&' || c == '"')
            put(p, "&#%d;", c);
        else if (c >= ' ' || c == '\n' || c == '\t' || (c & 0x80))
            put(p, "%c", c);
    }
}
// A bar from 0 to 1 with its interval.
static void put_bar(page *p, const r1_score *s) {
    put(p,
        "<td><svg width=\"160\" height=\"14\"><rect width=\"160\" height=\"14\" fill=\"#eee\"/>"
        "<rect width=\"%.1f\" height=\"14\" fill=\"#7aa6da\"/><line x1=\"%.1f\" x2=\"%.1f\" "
        "y1=\"7\" y2=\"7\" stroke=\"#222\" stroke-width=\"2\"/></svg> %.3f [%.3f, %.3f]</td>",
        160 * s->mean, 160 * s->low, 160 * s->high, s->mean, s->low, s->high);
}
static void put_samples(const evaluation *e, page *p, const char *verdict) {
    size_t shown = 0;
    put(p, "<h2>Samples: %s</h2>\n", verdict);
    for (size_t i = 0; i < e->n_samples && shown < SHOWN; i++) {
        const sample *s = &e->samples[i];
        if (strcmp(verdict_of(s), verdict) != 0) continue;
        const problem *q = &e->problems[s->problem];
        put(p, "<details><summary>%zu. expected <code>", ++shown);
        put_text(p, q->gold, 80);
        put(p, "</code>: ");
        put_text(p, (r1_slice){s->part.reason, strlen(s->part.reason)}, R1_REASON_BYTES);
        put(p, "</summary><p>");
        put_text(p, q->question, 600);
        put(p, "</p><pre>");
        put_text(p, s->text, 1500);
        put(p, "</pre></details>\n");
    }
    if (!shown) put(p, "<p>none</p>\n");
}
static void write_page(const evaluation *e) {
    page p = {NULL, 0, 0};
    put(&p, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<title>evaluation</title><style>body{font:15px sans-serif;margin:2em;max-width:75em}"
            "td,th{padding:.2em .8em;text-align:left}pre{white-space:pre-wrap;background:#f6f6f6;"
            "padding:.6em}</style></head><body>\n<h1>Evaluation</h1>\n<table><tr><th>");
    put_text(&p, (r1_slice){given.by, strlen(given.by)}, 40);
    put(&p, "</th><th>problems</th><th>samples</th><th>pass@1</th>");
    if (given.k) put(&p, "<th>pass@%lld</th>", given.k);
    put(&p, "<th>cons@%zu</th><th>undecided</th><th>no answer</th></tr>\n", e->most);
    for (int i = 0; i <= e->n_groups; i++) {
        const line *l = &e->lines[i];
        put(&p, "<tr><td>");
        put_text(&p, (r1_slice){l->name, strlen(l->name)}, 60);
        put(&p, "</td><td>%zu</td><td>%zu</td>", l->problems, l->samples);
        put_bar(&p, &l->pass_1);
        if (given.k) put_bar(&p, &l->pass_k);
        put_bar(&p, &l->cons);
        put(&p, "<td>%.2f %%</td><td>%.2f %%</td></tr>\n",
            100 * share(l->samples - l->judged, l->samples), 100 * share(l->empty, l->samples));
    }
    put(&p, "</table>\n<p>Brackets: 95 %% of the bootstrap over problems.</p>\n");
    put_samples(e, &p, "undecided"), put_samples(e, &p, "wrong"), put_samples(e, &p, "right");
    put(&p, "</body></html>\n");
    r1_file_write(e->ctx, given.html, p.text, p.size);
    free(p.text);
}

// ---- the run ----
// Groups in rising order, numbers before words.
static int compare_groups(const void *a, const void *b) {
    r1_slice x = *(const r1_slice *)a, y = *(const r1_slice *)b;
    double p = strtod(x.data, NULL), q = strtod(y.data, NULL); // texts of JSON end with a zero
    return p != q ? (p > q) - (p < q) : compare_slices(x, y);
}
static void sort_groups(evaluation *e) {
    r1_slice old[GROUPS];
    int place[GROUPS] = {0};
    memcpy(old, e->groups, sizeof old);
    qsort(e->groups, (size_t)e->n_groups, sizeof *e->groups, compare_groups);
    for (int i = 0; i < e->n_groups; i++)
        for (int j = 0; j < e->n_groups; j++)
            if (old[i].data == e->groups[j].data) place[i] = j;
    for (size_t i = 0; i < e->n_problems; i++)
        if (e->problems[i].group >= 0) e->problems[i].group = place[e->problems[i].group];
}
static int evaluate(evaluation *e) {
    if (!read_benchmark(e)) return TOOL_INPUT;
    index_problems(e);
    int code = given.model ? draw_completions(e) : TOOL_GO;
    if (code != TOOL_GO) return code;
    if (!read_completions(e)) return TOOL_INPUT;
    if (!e->n_samples) return tool_fail(&self, TOOL_INPUT, "%s: no completions", self.files[0]);
    sort_groups(e);
    judge(e);
    if (r1_status_of(e->ctx) != R1_OK) return TOOL_DONE; // tool_end says what happened
    for (int i = 0; i <= e->n_groups; i++) {
        e->lines[i].name = i ? e->groups[i - 1].data : "all";
        score(e, i ? i - 1 : R1_OFF, &e->lines[i]);
    }
    if (given.json)
        print_json(e);
    else
        print_table(e);
    if (given.html) write_page(e);
    if (given.verdicts) write_verdicts(e);
    return e->bad ? TOOL_INPUT : TOOL_DONE;
}
int main(int argc, char **argv) {
    static evaluation e;
    int code = tool_options(&self, argc, argv);
    if (code != TOOL_GO) return code;
    if (given.model ? !given.bench || self.n_files : given.bench || self.n_files != 2)
        return tool_fail(&self, TOOL_USAGE, "give two files, or --model and --bench");
    if (given.model) self.files[0] = given.out, self.files[1] = given.bench;
    if (!strcmp(self.files[0], "-") && (given.model || !strcmp(self.files[1], "-")))
        return tool_fail(&self, TOOL_USAGE,
                         given.model ? "--out must be a file" : "only one file can be -");
    r1_context_desc desc = {.seed = (uint64_t)given.drawing.seed,
                            .threads = (int)given.drawing.threads};
    e.ctx = r1_context_new(&desc);
    code = tool_end(&self, e.ctx, evaluate(&e));
    free(e.problems), free(e.samples), free(e.ids), free(e.questions);
    r1_context_free(e.ctx);
    return code;
}
