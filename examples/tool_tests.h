// tool_tests.h - the tests of a program as JSON, which r1_judge and r1_reward read:
//
//     {"tests": [{"input": "1 2", "output": "3"}], "limits": {"cpu_seconds": 2}, "absolute": 1e-6}
//     {"entry": "add", "tests": [{"call": [1, 2], "returns": 3}], "setup": "trusted Python"}
//     {"entry": "add", "tests": [{"code": "assert add(1, 2) == 3"}]}
//
// "limits" may have cpu_seconds, wall_seconds, memory_bytes, output_bytes and processes; outputs are
// compared by "exact", "ignore_case", "keep_space", "absolute" and "relative".
#ifndef R1_TOOL_TESTS_H
#define R1_TOOL_TESTS_H
#include "tool.h"
#ifndef R1_NO_JUDGE

enum { TOOL_TESTS = 4096 }; // of one program, at most

// What a task points to beside the JSON itself.
typedef struct tool_tests {
    r1_judge_test *tests;
    char **texts; // JSON that was written again, for calls
    size_t n_texts;
} tool_tests;

// Arguments and results go into the box as JSON.
static inline r1_slice tool_tests_text(r1_context *ctx, tool_tests *all, const r1_json *value) {
    r1_json_writer writer = {.ctx = ctx};
    r1_slice none = {NULL, 0};
    if (!value) return none;
    r1_json_write_value(&writer, NULL, value);
    char *copy = writer.failed ? NULL : (char *)malloc(writer.size + 1);
    if (copy) memcpy(copy, writer.text, writer.size + 1);
    r1_slice text = {copy, copy ? writer.size : 0};
    r1_json_writer_free(&writer);
    if (copy) all->texts[all->n_texts++] = copy;
    return text;
}
// A text that may be left out; what is neither text nor a number must not count as nothing.
static inline bool tool_tests_field(const r1_json *object, const char *key, r1_slice *text) {
    const r1_json *node = r1_json_find(object, key);
    *text = tool_field(object, key);
    return text->data || !node || node->kind == R1_JSON_NULL;
}
static inline const char *tool_tests_list(r1_context *ctx, const r1_json *tests, tool_tests *all,
                                          r1_judge_task *task) {
    if (!tests || tests->kind != R1_JSON_ARRAY || !tests->count) return "it has no \"tests\"";
    if (tests->count > TOOL_TESTS) return "it has too many tests";
    all->tests = (r1_judge_test *)calloc(tests->count, sizeof *all->tests);
    all->texts = (char **)calloc(tests->count, 2 * sizeof *all->texts);
    if (!all->tests || !all->texts) return "there is no memory for its tests";
    for (const r1_json *t = tests->child; t; t = t->next) {
        r1_judge_test *test = &all->tests[task->n_tests];
        r1_judge_kind kind = r1_json_find(t, "call")   ? R1_JUDGE_CALL
                             : r1_json_find(t, "code") ? R1_JUDGE_CODE
                                                       : R1_JUDGE_STDIO;
        if (task->n_tests++ && kind != task->kind) return "its tests are of several kinds";
        task->kind = kind;
        if (kind == R1_JUDGE_CALL) {
            if (r1_json_find(t, "call")->kind != R1_JSON_ARRAY) return "a \"call\" is no array";
            test->input = tool_tests_text(ctx, all, r1_json_find(t, "call"));
            test->expected = tool_tests_text(ctx, all, r1_json_find(t, "returns"));
            if (!test->input.data || !test->expected.data) return "a call needs \"returns\"";
            continue;
        }
        const char *input = kind == R1_JUDGE_CODE ? "code" : "input";
        if (!tool_tests_field(t, input, &test->input)) return "a test's \"input\" is no text";
        if (kind == R1_JUDGE_CODE && !test->input.size) return "a test's \"code\" is empty";
        test->expected = tool_field(t, "output");
        if (kind == R1_JUDGE_STDIO && !test->expected.data) return "a test needs \"output\"";
    }
    task->tests = all->tests;
    return NULL;
}
// How outputs are compared. A word where a number or a truth belongs must not be the default.
static inline const char *tool_tests_checker(const r1_json *object, r1_judge_checker *checker) {
    static const char *const keys[] = {"exact", "ignore_case", "keep_space"};
    const char *const tolerances[] = {"absolute", "relative"};
    bool *flags[] = {&checker->exact, &checker->ignore_case, &checker->keep_space};
    double *values[] = {&checker->absolute, &checker->relative};
    for (int i = 0; i < 3; i++) {
        const r1_json *node = r1_json_find(object, keys[i]);
        if (node && node->kind != R1_JSON_BOOL)
            return "its \"exact\", \"ignore_case\" or \"keep_space\" is not true or false";
        *flags[i] = r1_json_bool(node, false);
    }
    for (int i = 0; i < 2; i++) {
        const r1_json *node = r1_json_find(object, tolerances[i]);
        if (node && !(r1_json_number(node, -1) >= 0))
            return "its \"absolute\" or \"relative\" is no number from 0 on";
        *values[i] = r1_json_number(node, 0);
    }
    return NULL;
}
// A limit that is misspelt must not be the default instead.
static inline const char *tool_tests_limits(const r1_json *node, r1_judge_limits *limits) {
    static const char *const keys[] = {"cpu_seconds", "wall_seconds", "memory_bytes",
                                       "output_bytes", "processes"};
    enum { KEYS = sizeof keys / sizeof *keys };
    double values[KEYS] = {0};
    if (node && node->kind != R1_JSON_OBJECT) return "its \"limits\" are no object";
    for (const r1_json *limit = node ? node->child : NULL; limit; limit = limit->next) {
        int i = 0;
        while (i < KEYS && strcmp(keys[i], limit->key.data) != 0) i++;
        if (i == KEYS) return "its \"limits\" have an unknown key";
        values[i] = r1_json_number(limit, -1);
        if (values[i] < 0 || values[i] > (i < KEYS - 1 ? 1e15 : 4096))
            return "its \"limits\" have a value out of range";
    }
    *limits = (r1_judge_limits){values[0], values[1], (size_t)values[2], (size_t)values[3],
                                (int)values[4]};
    return NULL;
}
// Fills all of a task but its language and source; returns why the object has none, or NULL.
static inline const char *tool_tests_read(r1_context *ctx, const r1_json *object, tool_tests *all,
                                          r1_judge_task *task) {
    const char *problem = tool_tests_limits(r1_json_find(object, "limits"), &task->limits);
    if (!problem) problem = tool_tests_checker(object, &task->checker);
    if (problem) return problem;
    r1_slice entry;
    if (!tool_tests_field(object, "setup", &task->setup)) return "its \"setup\" is no text";
    if (!tool_tests_field(object, "entry", &entry)) return "its \"entry\" is no text";
    task->entry = entry.data;
    return tool_tests_list(ctx, r1_json_find(object, "tests"), all, task);
}
static inline void tool_tests_free(tool_tests *all) {
    for (size_t i = 0; i < all->n_texts; i++) free(all->texts[i]);
    free(all->texts), free(all->tests);
    memset(all, 0, sizeof *all);
}
#endif
#endif
