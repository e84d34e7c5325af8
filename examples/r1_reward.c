// Rewards of completions: one line of JSON in, the components and their sum out, in the same order.
//
//     $ echo '{"completion": "<think>6 * 7</think><answer>42</answer>", "gold": "42"}' |
//           build/r1_reward --parts accuracy,format
//     {"accuracy":{"value":1,"judged":true,"reason":"..."},"format":{...},"total":2,"judged":true}
//
// A component that could not judge has "judged": false; its value is then no 0 but nothing, and the
// total is null unless the component may be left out. docs/rewards.md has the formulas.
#include "r1.h"
#include "tool_rows.h"
#include "tool_tests.h"

static struct options {
    const char *parts, *format, *end, *language, *code;
    bool opened, strict, leave_out, json;
    long long threads, gram;
    double limit, margin, repeated;
} given = {.parts = "accuracy,format", .format = "answer"};
static char part_names[512];    // the text of --parts, cut into names
static r1_context *judge_owner; // of desc.judge
static r1_reward_desc desc;

static const tool_option options[] = {
    {"--parts", "LIST", "components, \"name\" or \"name:weight\"; default accuracy,format",
     .word = &given.parts},
    {"--format", "NAME", "answer: <think> and <answer>; summary: <think> and free text",
     .word = &given.format},
    {"--opened", NULL, "completions begin inside <think>: the prompt wrote it",
     .flag = &given.opened},
    {"--strict", NULL, "no answer counts without <think> ... </think>", .flag = &given.strict},
    {"--end", "TEXT", "what ends a completion and is no part of it", .word = &given.end},
    {"--language", "CODE", "target language where a row has none, such as en or zh",
     .word = &given.language},
    {"--code", "NAME", "language of the code block, such as python", .word = &given.code},
    {"--gram", "N", "words of an n-gram of repetition, 1 .. 64; default 3", .whole = &given.gram,
     .low = 1, .high = 64},
    {"--repeated", "X", "value of nothing but repetition; default -1", .real = &given.repeated,
     .low = -1e6, .high = 1e6},
    {"--limit", "N", "longest completion; default 32768", .real = &given.limit, .low = 1,
     .high = 1e9},
    {"--margin", "N", "where overlong begins to fall below the limit; default 4096",
     .real = &given.margin, .low = 1, .high = 1e9},
    {"--leave-out", NULL, "a countdown need not use all numbers", .flag = &given.leave_out},
    {"--threads", "N", "workers, 1 .. 256; default: one per core", .whole = &given.threads,
     .low = 1, .high = 256},
    {"--json", NULL, "JSON lines, which is the only form there is", .flag = &given.json},
};
static tool self = {
    "r1_reward",
    "[FILE]",
    "Reads lines {\"completion\", \"gold\", \"task\", \"numbers\", \"question\", \"language\", "
    "\"length\",\n"
    "\"program\"}, all but the first optional, and writes the reward's components for each, in\n"
    "order. Components: accuracy format language repetition overlong cosine tags steps code "
    "tests.\n"
    "The last runs the program in a completion: \"program\" has \"tests\" and the rest of a task "
    "of\n"
    "r1_judge (exit status 4: this system cannot confine programs), e.g.\n"
    "{\"language\": \"python\", \"tests\": [{\"input\": \"2\", \"output\": \"4\"}]}\n"
    "Tasks: math (the default), choice, logic, countdown. Without FILE, or with -, it reads\n"
    "standard input.",
    options,
    sizeof options / sizeof *options,
    .most_files = 1};

// Reads "name:weight,name,..." into the desc.
static int read_parts(void) {
    char *at = part_names, *end;
    if (strlen(given.parts) >= sizeof part_names)
        return tool_fail(&self, TOOL_USAGE, "--parts is too long");
    memcpy(part_names, given.parts, strlen(given.parts) + 1);
    for (int i = 0; at; i++) {
        char *comma = strchr(at, ','), *colon;
        if (comma) *comma++ = 0;
        if ((colon = strchr(at, ':'))) *colon++ = 0;
        if (i == R1_MAX_PARTS)
            return tool_fail(&self, TOOL_USAGE, "--parts has more than %d components",
                             R1_MAX_PARTS);
        desc.parts[i] = r1_reward_find(at);
        if (!desc.parts[i].judge)
            return tool_fail(&self, TOOL_USAGE, "--parts: no component \"%s\"", at);
        if (colon) desc.parts[i].weight = strtod(colon, &end);
        if (colon && (!*colon || *end))
            return tool_fail(&self, TOOL_USAGE, "--parts: no weight \"%s\"", colon);
        if (colon && !desc.parts[i].weight) desc.parts[i].unrewarded = true;
        at = comma;
    }
    return TOOL_GO;
}
// The judge that the component tests needs. Its zygote is forked before there are workers.
static int open_judge(void) {
    bool wanted = false;
    for (int i = 0; i < R1_MAX_PARTS && desc.parts[i].judge; i++)
        wanted |= strcmp(desc.parts[i].name, "tests") == 0;
    if (!wanted) return TOOL_GO;
#ifdef R1_NO_JUDGE
    return tool_fail(&self, TOOL_LEVEL, "this system has no judge; it needs Linux");
#else
    judge_owner = r1_context_new(&(r1_context_desc){.fork_first = r1_judge_fork});
    desc.judge = r1_judge_open(judge_owner);
    return desc.judge ? TOOL_GO : tool_fail(&self, TOOL_LEVEL, "%s", r1_message_of(judge_owner));
#endif
}
static int read_desc(void) {
    bool summary = !strcmp(given.format, "summary");
    if (!summary && strcmp(given.format, "answer") != 0)
        return tool_fail(&self, TOOL_USAGE, "--format is answer or summary");
    desc.format = summary ? R1_FORMAT_SUMMARY : R1_FORMAT_ANSWER;
    desc.opened = given.opened, desc.strict = given.strict, desc.leave_out = given.leave_out;
    desc.end = given.end, desc.code = given.code, desc.gram = (size_t)given.gram;
    desc.repeated = given.repeated, desc.limit = given.limit, desc.margin = given.margin;
    if (given.language && !r1_script_find((r1_slice){given.language, strlen(given.language)}))
        return tool_fail(&self, TOOL_USAGE, "--language: \"%s\" is not known", given.language);
    int code = read_parts();
    if (code == TOOL_GO) code = open_judge();
    r1_context *ctx = r1_context_new(NULL); // so that options that do not fit are found at once
    if (code == TOOL_GO && !r1_rewarder_new(ctx, &desc))
        code = tool_fail(&self, TOOL_USAGE, "%s", r1_message_of(ctx));
    r1_context_free(ctx);
    return code;
}
static r1_reward_input read_input(tool_row *row, char *numbers, size_t capacity) {
    r1_slice language = tool_row_text(row, "language", false);
    r1_slice task = tool_row_text(row, "task", false);
    const r1_json *list = r1_json_find(row->json, "numbers");
    const r1_json *length = r1_json_find(row->json, "length");
    r1_reward_input input = {.completion = tool_row_text(row, "completion", true),
                             .gold = tool_row_text(row, "gold", false),
                             .question = tool_row_text(row, "question", false)};
    if (!language.size && given.language)
        language = (r1_slice){given.language, strlen(given.language)};
    input.language = r1_script_find(language);
    if (language.size && !input.language) tool_problem(row, "\"language\" is not known");
    int number = task.size ? r1_task_find(task) : R1_TASK_MATH;
    if (number < 0) tool_problem(row, "\"task\" is not known");
    input.task = number < 0 ? R1_TASK_MATH : (r1_task)number;
    input.numbers = tool_numbers(list, numbers, capacity);
    if (list && list->kind != R1_JSON_NULL && !input.numbers.size)
        tool_problem(row, "\"numbers\" is no list of numbers");
    input.length = r1_json_number(length, 0);
    if (length && length->kind != R1_JSON_NULL && !(r1_json_number(length, -1) >= 0))
        tool_problem(row, "\"length\" is no number from 0 on");
    return input;
}
static void write_part(r1_json_writer *out, const char *name, const r1_reward_part *part) {
    r1_json_begin_object(out, name);
    if (part->judged)
        r1_json_write_number(out, "value", part->value);
    else
        r1_json_write_null(out, "value");
    r1_json_write_bool(out, "judged", part->judged);
    r1_json_write_text(out, "reason", part->reason, strlen(part->reason));
    r1_json_end_object(out);
}
#ifndef R1_NO_JUDGE
static void read_program(tool_row *row, r1_judge_task *task, tool_tests *tests) {
    const r1_json *object = r1_json_find(row->json, "program");
    r1_slice language = tool_field(object, "language");
    task->language = r1_judge_language_find(desc.judge, language);
    if (task->language < 0)
        tool_problem(row, "\"program\": \"language\" is not known or not installed");
    const char *problem = tool_tests_read(row->worker->ctx, object, tests, task);
    if (problem) tool_problem(row, problem);
}
#endif
static void handle_row(void *user, tool_row *row) {
    char numbers[1024];
    r1_reward reward;
    r1_reward_input input = read_input(row, numbers, sizeof numbers);
    (void)user;
    memset(&reward, 0, sizeof reward);
    if (!row->worker->own) row->worker->own = r1_rewarder_new(row->worker->ctx, &desc);
#ifndef R1_NO_JUDGE
    r1_judge_task program = {.language = R1_OFF};
    tool_tests tests = {NULL, NULL, 0};
    if (desc.judge && r1_json_find(row->json, "program")) {
        read_program(row, &program, &tests);
        input.program = &program;
    }
#endif
    if (!row->problem[0]) r1_reward_text((r1_rewarder *)row->worker->own, &input, &reward);
    r1_json_begin_object(row->out, NULL);
    for (size_t i = 0; i < reward.count; i++)
        write_part(row->out, desc.parts[i].name, &reward.parts[i]);
    if (reward.judged)
        r1_json_write_number(row->out, "total", reward.total);
    else
        r1_json_write_null(row->out, "total");
    r1_json_write_bool(row->out, "judged", reward.judged);
    if (row->problem[0])
        r1_json_write_text(row->out, "problem", row->problem, strlen(row->problem));
    r1_json_end_object(row->out);
#ifndef R1_NO_JUDGE
    tool_tests_free(&tests);
#endif
}
int main(int argc, char **argv) {
    int code = tool_options(&self, argc, argv);
    if (code == TOOL_GO) code = read_desc();
    if (code == TOOL_GO) code = tool_map(&self, given.threads, handle_row, NULL);
    r1_context_free(judge_owner);
    return code;
}
