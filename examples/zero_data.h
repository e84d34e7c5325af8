// The task of r1_zero --model: the questions are rows of a file, the model comes from a folder, and
// rules judge the answers. Everything else (loop, checkpoints, evaluation, report) is that of the
// toy tasks.
//
//   rows       {"question": "2 + 2 = ?", "answer": "4"} and the other shapes of tool_data.h
//   reward     1 for the right answer by r1_answer_check, 1 for <think>..</think><answer>..</answer>
//              (for <think>..</think> and a summary, where the chat format opens <think>)
#ifndef ZERO_DATA_H
#define ZERO_DATA_H
#include "task.h"
#include "tool_data.h"
#include "tool_rows.h"
#include "zero_options.h"

typedef struct data_row {
    int32_t *ids; // of the prompt
    size_t n;
    r1_slice answer;
    char *numbers; // of a countdown, or NULL
    r1_task task;
} data_row;
typedef struct data_set {
    data_row *rows;
    size_t n, room, held_out, too_long; // rows 0 .. held_out - 1 are never trained on
} data_set;

// What the functions of the task look at: a task has no data of its own.
static struct {
    tool_folder folder;
    data_set set;
    r1_rewarder *rewarder;
    uint64_t seed, hash;
    char about[400];
} data;
static const tool data_tool = {.name = "r1_zero"};

// ---- rows ----
static void data_hash(const char *text, size_t size) { // FNV-1a, with a zero byte behind each text
    for (size_t i = 0; i <= size; i++)
        data.hash = (data.hash ^ (i < size ? (unsigned char)text[i] : 0u)) * 1099511628211u;
}
static int data_no_memory(void) { return tool_fail(&data_tool, FAILED, "out of memory"); }

// The prompt of a row with the instruction behind it. NULL and the reason; free the ids.
static int32_t *data_ids(const options *o, const r1_json *row, size_t *n, char *why, size_t size) {
    r1_message messages[TOOL_MESSAGES];
    size_t count = tool_question(row, messages);
    if (!count)
        return snprintf(why, size, "no question (prompt, problem, question or messages)"), NULL;
    r1_message *last = &messages[count - 1];
    char *text = NULL;
    if (o->instruction) {
        size_t room = last->size + strlen(o->instruction) + 3;
        text = (char *)malloc(room);
        if (!text) return snprintf(why, size, "out of memory"), NULL;
        memcpy(text, last->content, last->size);
        snprintf(text + last->size, room - last->size, "\n\n%s", o->instruction);
        last->content = text, last->size = room - 1;
    }
    int32_t *ids = tool_prompt_ids(&data.folder, messages, count, n, why, size);
    free(text);
    return ids;
}
// Takes one row in. False and the reason when it is none.
static bool data_add(const options *o, const r1_json *json, char *why, size_t size) {
    char list[256];
    data_set *set = &data.set;
    r1_slice task = tool_field(json, "task");
    data_row row = {.answer = tool_answer(json)};
    int kind = task.data ? r1_task_find(task) : (int)R1_TASK_MATH;
    if (!row.answer.data)
        return snprintf(why, size, "no answer (answer, solution, ground_truth or label)"), false;
    row.task = kind < 0 ? R1_TASK_MATH : (r1_task)kind;
    row.ids = data_ids(o, json, &row.n, why, size);
    if (!row.ids) return false;
    r1_slice numbers = tool_numbers(r1_json_find(json, "numbers"), list, sizeof list);
    if (set->n == set->room) {
        size_t room = 2 * set->room + 256;
        data_row *grown = (data_row *)realloc(set->rows, room * sizeof *grown);
        if (!grown) return free(row.ids), snprintf(why, size, "out of memory"), false;
        set->rows = grown, set->room = room;
    }
    if (numbers.size && (row.numbers = (char *)malloc(numbers.size + 1)) != NULL)
        memcpy(row.numbers, numbers.data, numbers.size), row.numbers[numbers.size] = 0;
    data_hash((const char *)row.ids, row.n * sizeof *row.ids);
    data_hash(row.answer.data, row.answer.size);
    set->rows[set->n++] = row;
    return true;
}
// Reads a file of rows; prompts that the model cannot answer are left out. FINE, or a code after
// error lines.
static int data_read(const options *o, const char *path) {
    enum { TOLD = 5 };
    r1_context *ctx = data.folder.ctx;
    tool_lines lines;
    r1_slice line;
    size_t bad = 0, before = data.set.n;
    if (!tool_open(&data_tool, path, &lines)) return BAD_FILE;
    while (tool_next(&lines, &line)) {
        char why[TOOL_PROBLEM];
        if (!line.size) continue;
        r1_json *json = r1_json_try(ctx, line.data, line.size, why, sizeof why);
        bool object = json && json->kind == R1_JSON_OBJECT;
        if (json && !object) snprintf(why, sizeof why, "the line is no JSON object");
        bool good = object && data_add(o, json, why, sizeof why);
        if (!good && ++bad <= TOLD)
            tool_fail(&data_tool, BAD_FILE, "%s:%zu: %s", lines.path, lines.number, why);
        if (r1_status_of(ctx) != R1_OK) break;
        data_row *last = data.set.n ? &data.set.rows[data.set.n - 1] : NULL;
        if (!good) {
            r1_json_free(ctx, json);
        } else if (!tool_prompt_fits(&data.folder, last->ids, last->n, why, sizeof why)) {
            free(last->ids), free(last->numbers);
            data.set.n--, data.set.too_long++;
        }
    }
    int code = tool_close(&lines) ? BAD_FILE : FINE;
    if (bad > TOLD) fprintf(stderr, "r1_zero: and %zu more bad rows\n", bad - TOLD);
    if (bad) code = BAD_FILE;
    if (!code && data.set.n == before)
        code = tool_fail(&data_tool, BAD_FILE, "%s: no rows", lines.path);
    return code;
}
// A permutation of 0 .. n - 1 as a function: four rounds of a Feistel network over the next power
// of four, applied again while the result is beyond n.
static size_t data_shuffled(size_t place, size_t n, uint32_t epoch) {
    uint32_t half = 1;
    while ((uint64_t)1 << 2 * half < n) half++;
    uint32_t mask = (1u << half) - 1;
    do {
        uint32_t left = (uint32_t)(place >> half), right = (uint32_t)place & mask;
        for (uint32_t round = 0; round < 4; round++) {
            uint32_t counter[4] = {STREAM_PROMPT << 24, epoch, round, right}, out[4];
            r1_random_block(data.seed, counter, out);
            uint32_t next = left ^ (out[0] & mask);
            left = right, right = next;
        }
        place = (size_t)left << half | right;
    } while (place >= n);
    return place;
}
// Brings the held-out rows to the front: all of --test, or as many as an evaluation asks, from
// anywhere in the file.
static int data_hold_out(const options *o, size_t tests) {
    data_set *set = &data.set;
    size_t wanted = (size_t)o->problems;
    if (o->test && tests < wanted)
        return tool_fail(&data_tool, BAD_FILE, "%s has %zu rows for --problems %lld", o->test,
                         tests, o->problems);
    set->held_out = o->test ? tests : wanted;
    if (set->n <= set->held_out)
        return tool_fail(&data_tool, BAD_FILE,
                         "%s: %zu rows are too few beside %zu held-out ones; see --problems",
                         o->data, set->n, set->held_out);
    if (o->test) return FINE;
    data_row *rows = (data_row *)malloc(set->n * sizeof *rows);
    if (!rows) return data_no_memory();
    for (size_t i = 0; i < set->n; i++) rows[i] = set->rows[data_shuffled(i, set->n, UINT32_MAX)];
    free(set->rows);
    set->rows = rows, set->room = set->n;
    return FINE;
}

// ---- the task ----
// The row of a problem. Training goes through all rows in a new order in each epoch.
static const data_row *data_row_of(uint32_t number, bool held_out) {
    const data_set *set = &data.set;
    size_t n = set->n - set->held_out;
    if (held_out) return &set->rows[number % set->held_out];
    return &set->rows[set->held_out + data_shuffled(number % n, n, (uint32_t)(number / n))];
}
static void data_problem(r1_random *at, split which, writer *w) {
    const data_row *row = data_row_of(w->number, which != TRAINING);
    (void)at;
    for (size_t i = 0; i < row->n; i++) put(w, row->ids[i]);
}
// The text of an answer, or NULL; free it.
static char *data_answer(const r1_sample *s, r1_slice *text) {
    char *copy = tool_answer_text(&data.folder, s, &text->size);
    text->data = copy;
    return copy;
}
static void data_reward(void *user, const r1_sample *s, r1_verdict *out) {
    r1_reward_input input = {.length = (double)(s->n - s->n_prompt)};
    r1_reward reward;
    char *text = data_answer(s, &input.completion);
    const data_row *row = data_row_of(s->key & ~HELD_OUT_KEY, s->key & HELD_OUT_KEY);
    (void)user;
    out->judged = false;
    if (!text) return;
    input.gold = row->answer, input.task = row->task;
    if (row->numbers) input.numbers = (r1_slice){row->numbers, strlen(row->numbers)};
    r1_reward_text(data.rewarder, &input, &reward);
    for (size_t i = 0; i < reward.count; i++) out->parts[i] = reward.parts[i].value;
    out->judged = reward.judged;
    free(text);
}
// Votes are for the text of an answer: a hash of it.
static int data_vote(const r1_sample *s) {
    r1_slice text;
    uint32_t hash = 2166136261u;
    char *copy = data_answer(s, &text);
    r1_slice answer = copy ? r1_answer_extract(text, 0) : (r1_slice){NULL, 0};
    for (size_t i = 0; i < answer.size; i++)
        hash = (hash ^ (unsigned char)answer.data[i]) * 16777619u;
    bool none = !answer.data;
    free(copy);
    return none ? R1_OFF : (int)(hash & INT32_MAX);
}
static const char *const data_measures[] = {"answered"};
static void data_measure(const r1_sample *s, tally *measures) {
    count(&measures[0], data_vote(s) != R1_OFF);
}
static const task data_task = {.name = "data",
                               .prompt_gap = "",
                               .write_problem = data_problem,
                               .reward = data_reward,
                               .rl_steps = 100,
                               .questions = 8,
                               .group = 16,
                               .mini_batches = 1,
                               .format_weight = 1,
                               .splits = 1,
                               .vote = data_vote,
                               .measures = data_measures,
                               .n_measures = 1,
                               .measure = data_measure};

// Opens the folder, with or without the weights, and reads the rows into `t`, which is a copy of data_task. FINE, or a code after
// error lines.
static int data_open(r1_context *ctx, const options *o, bool weights, task *t) {
    tool_drawing drawing = {.chat = o->chat};
    data.seed = (uint64_t)o->seed, data.hash = 1469598103934665603u;
    int code = tool_folder_open(&data_tool, ctx, o->model, &drawing,
                                weights ? TOOL_TO_TRAIN : TOOL_CONFIG_ALONE, &data.folder);
    if (code != TOOL_GO) return code;
    code = o->test ? data_read(o, o->test) : FINE;
    size_t tests = data.set.n;
    if (!code) code = data_read(o, o->data);
    if (!code) code = data_hold_out(o, tests);
    if (code) return code;
    if (data.set.too_long)
        fprintf(stderr, "r1_zero: %zu rows are too long for the model and left out\n",
                data.set.too_long);
    r1_reward_desc desc = {.opened = data.folder.opened,
                           .format = data.folder.opened ? R1_FORMAT_SUMMARY : R1_FORMAT_ANSWER};
    data.rewarder = r1_rewarder_new(ctx, &desc);
    snprintf(data.about, sizeof data.about,
             "The model of %.120s answers the questions of %.120s, %zu rows, of which %zu are held "
             "out.",
             o->model, o->data, data.set.n, data.set.held_out);
    t->about = data.about;
    for (size_t i = 0; i < data.set.n; i++)
        if (data.set.rows[i].n > t->longest_prompt) t->longest_prompt = data.set.rows[i].n;
    return data.rewarder ? FINE : tool_refuse(&data_tool, ctx);
}
static void data_close(void) {
    for (size_t i = 0; i < data.set.n; i++)
        free(data.set.rows[i].ids), free(data.set.rows[i].numbers);
    free(data.set.rows);
}
#endif
