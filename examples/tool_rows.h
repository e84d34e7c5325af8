// tool_rows.h - one line of JSON out for each line of JSON in: the order is kept while all cores
// work. Lines that come through a pipe are answered without waiting for more, so that a program can
// keep a tool running and talk to it.
//
//     static void check(void *user, tool_row *row) {
//         r1_slice gold = tool_field(row->json, "gold");
//         if (!gold.data) tool_problem(row, "\"gold\" is missing");
//         r1_json_begin_object(row->out, NULL), ..., r1_json_end_object(row->out);
//     }
//     return tool_map(&self, 0, check, NULL);
#ifndef R1_TOOL_ROWS_H
#define R1_TOOL_ROWS_H
#include "tool.h"

enum { TOOL_ROWS = 512 }; // lines that are in work at a time, at most

// What one worker owns. `own` is NULL at first and belongs to the tool: a work area, say, that was
// made with the worker's context and dies with it.
typedef struct tool_worker {
    r1_context *ctx;
    r1_json_writer out;
    void *own;
} tool_worker;

// A line on its way. The handler reads `json` and writes one JSON value to `out`. It runs on several
// threads at once, and uses no context but this one.
typedef struct tool_row {
    const r1_json *json; // NULL when the line is no JSON object
    r1_json_writer *out;
    tool_worker *worker;
    char problem[192]; // "" = none, see tool_problem
    char *text;        // the line, and later what was written for it
    size_t size, capacity, number;
} tool_row;
typedef void tool_row_fn(void *user, tool_row *row);

// Says what is wrong with a row. An answer is written as for any other; an error line with the
// number of the line is printed, and the tool ends with TOOL_INPUT. The first problem stays.
static inline void tool_problem(tool_row *row, const char *problem) {
    if (!row->problem[0]) snprintf(row->problem, sizeof row->problem, "%s", problem);
}

// A text of a row, "" when there is none. What is neither text nor a number is a problem of the row,
// and so is a text that is needed and not there; null is the same as nothing.
static inline r1_slice tool_row_text(tool_row *row, const char *key, bool needed) {
    char problem[128];
    const r1_json *node = r1_json_find(row->json, key);
    r1_slice text = tool_field(row->json, key);
    bool missing = !node || node->kind == R1_JSON_NULL;
    if (text.data) return text;
    snprintf(problem, sizeof problem, "\"%s\" is %s", key,
             missing ? "missing" : "neither text nor a number");
    if (needed || !missing) tool_problem(row, problem);
    return (r1_slice){"", 0};
}
// A string as it is, or the numbers of an array with spaces between them; "" for anything else.
static inline r1_slice tool_numbers(const r1_json *node, char *text, size_t capacity) {
    r1_slice none = {"", 0};
    size_t size = 0;
    if (!node || node->kind != R1_JSON_ARRAY) return node ? r1_json_text(node) : none;
    for (const r1_json *item = node->child; item; item = item->next) {
        if (item->kind != R1_JSON_NUMBER || item->text.size + 1 >= capacity - size) return none;
        memcpy(text + size, item->text.data, item->text.size);
        size += item->text.size, text[size++] = ' ';
    }
    return (r1_slice){text, size};
}

typedef struct tool_job {
    tool_row_fn *fn;
    void *user;
    size_t workers;
    tool_worker *worker;
    tool_row rows[TOOL_ROWS];
} tool_job;

static inline void tool_keep(tool_row *row, const char *text, size_t size) {
    if (row->capacity < size || !row->text) {
        free(row->text);
        row->text = (char *)malloc(size + 1), row->capacity = size;
        if (!row->text) fputs("out of memory\n", stderr), exit(TOOL_FAILED);
    }
    if (size) memcpy(row->text, text, size);
    row->size = size;
}
static inline void tool_work(void *arg, size_t begin, size_t end, int worker) {
    tool_job *job = (tool_job *)arg;
    tool_worker *w = &job->worker[worker];
    for (tool_row *row = job->rows + begin; row < job->rows + end; row++) {
        r1_json *json =
            r1_json_try(w->ctx, row->text, row->size, row->problem, sizeof row->problem);
        row->json = json && json->kind == R1_JSON_OBJECT ? json : NULL;
        if (json && !row->json) tool_problem(row, "the line is no JSON object");
        row->worker = w, row->out = &w->out;
        job->fn(job->user, row);
        tool_keep(row, w->out.text, w->out.size);
        r1_json_writer_reset(&w->out), r1_json_free(w->ctx, json);
    }
}
// Makes a context and a writer for each worker.
static inline bool tool_workers(tool_job *job, size_t workers) {
    job->worker = (tool_worker *)calloc(workers, sizeof *job->worker);
    for (size_t i = 0; job->worker && i < workers; i++, job->workers++) {
        r1_context_desc desc = {.threads = 1};
        job->worker[i].ctx = r1_context_new(&desc);
        job->worker[i].out.ctx = job->worker[i].ctx;
        if (r1_status_of(job->worker[i].ctx) != R1_OK) return false;
    }
    return job->worker != NULL;
}
// Reads a batch: at least one line, and those that are there already.
static inline size_t tool_batch(tool_job *job, tool_lines *lines) {
    size_t n = 0;
    r1_slice line;
    while (n < TOOL_ROWS && (!n || tool_ready(lines)) && tool_next(lines, &line)) {
        job->rows[n].problem[0] = 0, job->rows[n].number = lines->number;
        tool_keep(&job->rows[n++], line.data, line.size);
    }
    return n;
}
// Runs fn on every line of the tool's only file (none = standard input) on `threads` workers (0 =
// one per core) and prints what it wrote. Returns the code to exit with.
static inline int tool_map(const tool *self, long long threads, tool_row_fn *fn, void *user) {
    tool_lines lines;
    int code = TOOL_DONE;
    r1_context_desc desc = {.threads = (int)threads};
    if (!tool_open(self, self->files[0], &lines)) return TOOL_INPUT;
    r1_context *ctx = r1_context_new(&desc);
    tool_job *job = (tool_job *)calloc(1, sizeof *job);
    bool good = job && tool_workers(job, (size_t)r1_thread_count(ctx));
    if (good) job->fn = fn, job->user = user;
    for (size_t n; good && (n = tool_batch(job, &lines)) > 0;) {
        r1_parallel_for(ctx, n, 4, tool_work, job);
        for (size_t i = 0; i < n; i++) {
            const tool_row *row = &job->rows[i];
            fwrite(row->text, 1, row->size, stdout), putchar('\n');
            if (!row->problem[0]) continue;
            code = tool_fail(self, TOOL_INPUT, "%s:%zu: %s", lines.path, row->number, row->problem);
        }
        good = !fflush(stdout);
        for (size_t i = 0; i < job->workers; i++)
            good = good && r1_status_of(job->worker[i].ctx) == R1_OK;
    }
    if (tool_close(&lines)) code = TOOL_INPUT;
    for (size_t i = 0; job && i < job->workers; i++) {
        if (r1_status_of(job->worker[i].ctx) != R1_OK && code != TOOL_FAILED)
            code = tool_fail(self, TOOL_FAILED, "%s", r1_message_of(job->worker[i].ctx));
        r1_context_free(job->worker[i].ctx);
    }
    for (size_t i = 0; job && i < TOOL_ROWS; i++) free(job->rows[i].text);
    if (!job || !job->worker) code = tool_fail(self, TOOL_FAILED, "out of memory");
    if (job) free(job->worker);
    free(job);
    code = tool_end(self, ctx, code);
    r1_context_free(ctx);
    return code;
}
#endif
