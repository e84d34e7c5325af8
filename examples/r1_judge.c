// r1_judge - runs programs that nobody trusts, in boxes, and says whether they solve their tasks.
//
//     r1_judge [options] [FILE]                 one task a line of JSON; "-" is standard input
//     r1_judge [options] --source FILE FOLDER   one program; pairs NAME.in, NAME.ans in FOLDER
//
// A task:   {"language": "cpp", "source": "...", "tests": [{"input": "1 2", "output": "3"}],
//            "limits": {"cpu_seconds": 2, "wall_seconds": 5, "memory_bytes": 268435456}}
// A function test is {"call": [1, 2], "returns": 3} beside "entry": "add", or {"code": "assert
// add(1, 2) == 3"}; "setup" holds trusted Python for both. Beside "source" there may be "exact",
// "ignore_case", "keep_space", "absolute" and "relative": how outputs are compared. In place of
// "language" and "source", "text" may hold a model's whole answer.
// A result, in the order of the tasks: {"verdict": "AC", "passed": 1, "ran": 1, ...}
#include "r1.h"

#include "tool_tests.h"

#ifdef R1_NO_JUDGE
int main(void) {
    fputs("r1_judge: this system has no judge; it needs Linux\n", stderr);
    return TOOL_LEVEL;
}
#else
#include <dirent.h>
#include <poll.h>

static const char *language_name = "", *source_path, *level_name = "", *min_level_name = "";
static long long jobs, memory_mib, output_kib, processes;
static double cpu_seconds, wall_seconds, absolute, relative;
static bool all_tests, exact, json, site_packages;
static const tool_option options[] = {
    {"--source", "FILE", "judge this program with the pairs of FOLDER", .word = &source_path},
    {"--language", "NAME", "of --source; default: by the file's ending", .word = &language_name},
    {"--all-tests", NULL, "go on behind the first test that fails", .flag = &all_tests},
    {"--cpu", "S", "seconds of processor time; default 5", .real = &cpu_seconds, .high = 1e6},
    {"--wall", "S", "seconds of time; default 2 cpu + 1", .real = &wall_seconds, .high = 1e6},
    {"--memory", "MIB", "default 512", .whole = &memory_mib, .high = 1 << 20},
    {"--output", "KIB", "default 4096", .whole = &output_kib, .high = 65536},
    {"--processes", "N", "and threads; default 32", .whole = &processes, .high = 1000},
    {"--absolute", "X", "tolerance of numbers; default none", .real = &absolute, .high = 1e300},
    {"--relative", "X", "the same, of the expected number", .real = &relative, .high = 1e300},
    {"--exact", NULL, "compare byte by byte", .flag = &exact},
    {"--jobs", "N", "programs at once; default one per core", .whole = &jobs, .high = 64},
    {"--level", "NAME", "NS, LANDLOCK6, LANDLOCK1 or SECCOMP, and no other", .word = &level_name},
    {"--min-level", "NAME", "refuse a lower one; default LANDLOCK6", .word = &min_level_name},
    {"--site-packages", NULL, "Python may import what is installed", .flag = &site_packages},
    {"--json", NULL, "with --source: print one JSON object", .flag = &json},
};
static tool self = {.name = "r1_judge",
                    .usage = "[FILE | --source FILE FOLDER]",
                    .about = "Runs programs in boxes and judges them. A task is a line of JSON:\n"
                             "{\"language\": \"python\", \"source\": \"print(int(input()) * 2)\", "
                             "\"tests\": [{\"input\": \"2\", \"output\": \"4\"}],\n"
                             " \"limits\": {\"cpu_seconds\": 2, \"wall_seconds\": 5, "
                             "\"memory_bytes\": 268435456}}\n"
                             "exit status 4: the level of isolation is too low; with --source "
                             "75: it could not be judged",
                    .options = options,
                    .n_options = sizeof options / sizeof *options,
                    .most_files = 1};

enum { WINDOW = 128 }; // tasks under way

// One task under way, with all that must live until its verdict is there.
typedef struct row {
    r1_json *document;
    r1_judge_task task;
    r1_judge_result result;
    tool_tests tests;
    const char *problem; // why it is no task
    size_t number;       // of its line
} row;

static r1_judge_level level_of(const char *name) {
    for (int level = 1; level < R1_JUDGE_LEVEL_COUNT; level++)
        if (strcmp(name, r1_judge_level_name((r1_judge_level)level)) == 0)
            return (r1_judge_level)level;
    return R1_JUDGE_NONE;
}
static r1_slice slice_of(const char *text) { return (r1_slice){text, strlen(text)}; }

// Fills the task of a line; returns why it is none, or NULL.
static const char *read_task(r1_context *ctx, const r1_judge *judge, row *r) {
    const r1_json *object = r->document;
    r1_judge_task *task = &r->task;
    r1_slice tag = tool_field(object, "language"), text = tool_field(object, "text");
    if (!object || object->kind != R1_JSON_OBJECT) return "it is not a JSON object";
    task->source = tool_field(object, "source");
    if (text.data) task->source = r1_judge_code(text, &tag);
    if (text.data && !task->source.data) r->result.verdict = R1_JUDGE_CE; // judged: it has none
    if (!task->source.data) return text.data ? "its text has no code" : "it has no \"source\"";
    task->language = r1_judge_language_find(judge, tag);
    if (task->language < 0) return "its language is not known or not installed";
    task->all_tests = all_tests;
    const char *problem = tool_tests_read(ctx, object, &r->tests, task);
    if (!r1_json_find(object, "exact")) task->checker.exact = exact;
    if (!r1_json_find(object, "absolute")) task->checker.absolute = absolute;
    if (!r1_json_find(object, "relative")) task->checker.relative = relative;
    return problem;
}
static void print_result(r1_context *ctx, const r1_judge *judge, const row *r) {
    r1_json_writer writer = {.ctx = ctx};
    const r1_judge_result *result = &r->result;
    const char *message = r->problem ? r->problem : result->message;
    r1_json_begin_object(&writer, NULL);
    const r1_json *id = r1_json_find(r->document, "id");
    if (id) r1_json_write_value(&writer, "id", id);
    r1_slice verdict = slice_of(r1_judge_verdict_name(result->verdict));
    r1_slice level = slice_of(r1_judge_level_name(r1_judge_level_of(judge)));
    r1_json_write_text(&writer, "verdict", verdict.data, verdict.size);
    r1_json_write_integer(&writer, "passed", (int64_t)result->passed);
    r1_json_write_integer(&writer, "ran", (int64_t)result->ran);
    r1_json_write_integer(&writer, "tests", (int64_t)r->task.n_tests);
    r1_json_write_number(&writer, "cpu_seconds", result->cpu_seconds);
    r1_json_write_number(&writer, "wall_seconds", result->wall_seconds);
    r1_json_write_integer(&writer, "memory_bytes", (int64_t)result->memory_bytes);
    r1_json_write_text(&writer, "message", message, strlen(message));
    r1_json_write_text(&writer, "level", level.data, level.size);
    r1_json_end_object(&writer);
    if (!writer.failed) puts(writer.text);
    r1_json_writer_free(&writer);
}
// Waits for a task, prints it and frees what it had. A line that was no task sets *code.
static void finish(r1_context *ctx, r1_judge *judge, row *r, const char *path, int *code) {
    bool judged = !r->problem || r->result.verdict == R1_JUDGE_CE;
    if (!r->problem) r1_judge_wait(judge, &r->result);
    print_result(ctx, judge, r);
    if (!judged) *code = tool_fail(&self, TOOL_INPUT, "%s:%zu: %s", path, r->number, r->problem);
    tool_tests_free(&r->tests);
    r1_json_free(ctx, r->document);
    memset(r, 0, sizeof *r);
}
// Whether the next line would have to be waited for; then verdicts go out, so that a program can
// keep this one running and talk to it.
static bool nothing_to_read(const tool_lines *lines) {
    struct pollfd file = {lines->file, POLLIN, 0};
    return !tool_ready(lines) && poll(&file, 1, 0) == 0;
}
// Tasks in, verdicts out in the same order; up to WINDOW are under way. A line that is no task gets
// SANDBOX_ERROR and a message, so that line N out belongs to line N in, and the tool ends with
// TOOL_INPUT.
static int judge_lines(r1_context *ctx, r1_judge *judge) {
    static row rows[WINDOW];
    tool_lines lines;
    r1_slice line;
    size_t first = 0, next = 0;
    int code = TOOL_DONE;
    if (!tool_open(&self, self.n_files ? self.files[0] : "-", &lines)) return TOOL_INPUT;
    while (tool_next(&lines, &line)) {
        if (next - first == WINDOW) finish(ctx, judge, &rows[first++ % WINDOW], lines.path, &code);
        row *r = &rows[next++ % WINDOW];
        r->number = lines.number;
        r->document = r1_json_try(ctx, line.data, line.size, NULL, 0);
        r->problem = r->document ? read_task(ctx, judge, r) : "it is not JSON";
        if (!r->problem) r1_judge_begin(judge, &r->task, &r->result);
        while (first < next && nothing_to_read(&lines))
            finish(ctx, judge, &rows[first++ % WINDOW], lines.path, &code), fflush(stdout);
    }
    while (first < next) finish(ctx, judge, &rows[first++ % WINDOW], lines.path, &code);
    return tool_close(&lines) ? TOOL_INPUT : code;
}
static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}
// The names before ".in" of a folder, sorted; SIZE_MAX and an error line when there are none, too
// many, or the folder cannot be read.
static size_t pair_names(const char *folder, char **names) {
    DIR *list = opendir(folder);
    size_t n = 0;
    if (!list) return tool_fail(&self, TOOL_INPUT, "%s: %s", folder, strerror(errno)), SIZE_MAX;
    for (struct dirent *entry; (entry = readdir(list));) {
        size_t size = strlen(entry->d_name);
        if (size < 4 || strcmp(entry->d_name + size - 3, ".in") != 0) continue;
        char *name = n < TOOL_TESTS ? (char *)malloc(size) : NULL;
        if (!name) {
            closedir(list);
            tool_fail(&self, TOOL_INPUT, "%s: more than %d pairs", folder, TOOL_TESTS);
            return SIZE_MAX;
        }
        snprintf(name, size, "%.*s", (int)size - 3, entry->d_name);
        names[n++] = name;
    }
    closedir(list);
    if (!n) tool_fail(&self, TOOL_INPUT, "%s: no files NAME.in", folder);
    qsort(names, n, sizeof *names, by_name);
    return n ? n : SIZE_MAX;
}
static char *read_pair(r1_context *ctx, const char *name, const char *ending, r1_slice *text) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", self.files[0], name, ending);
    char *data = r1_file_read(ctx, path, &text->size);
    text->data = data;
    return data;
}
// One program and a folder of pairs.
static int judge_folder(r1_context *ctx, r1_judge *judge) {
    static char *names[TOOL_TESTS];
    static r1_judge_test tests[TOOL_TESTS];
    static r1_judge_outcome outcomes[TOOL_TESTS];
    row r;
    memset(&r, 0, sizeof r);
    const char *ending = strrchr(source_path, '.');
    if (!*language_name && ending) language_name = ending + 1;
    char *source = r1_file_read(ctx, source_path, &r.task.source.size);
    if (!source) return tool_fail(&self, TOOL_INPUT, "%s", r1_message_of(ctx));
    size_t n = pair_names(self.files[0], names);
    if (n == SIZE_MAX) return TOOL_INPUT;
    for (size_t i = 0; i < n; i++)
        if (!read_pair(ctx, names[i], ".in", &tests[i].input) ||
            !read_pair(ctx, names[i], ".ans", &tests[i].expected))
            return tool_fail(&self, TOOL_INPUT, "%s", r1_message_of(ctx));
    r.task.source.data = source;
    r.task.language = r1_judge_language_find(judge, slice_of(language_name));
    if (r.task.language < 0)
        return tool_fail(&self, TOOL_USAGE, "language \"%s\": not known or not installed",
                         language_name);
    r.task.tests = tests, r.task.n_tests = n, r.task.outcomes = outcomes;
    r.task.checker.exact = exact;
    r.task.checker.absolute = absolute, r.task.checker.relative = relative;
    r.task.all_tests = all_tests;
    r1_judge_verdict verdict = r1_judge_run(judge, &r.task, &r.result);
    for (size_t i = 0; i < r.result.ran && !json; i++)
        printf("%-20s %-9s %6.3f s cpu %6.3f s wall %5zu MiB\n", names[i],
               r1_judge_verdict_name(outcomes[i].verdict), outcomes[i].cpu_seconds,
               outcomes[i].wall_seconds, outcomes[i].memory_bytes >> 20);
    if (json)
        print_result(ctx, judge, &r);
    else
        printf("%s: %zu of %zu tests passed, level %s%s%s\n", r1_judge_verdict_name(verdict),
               r.result.passed, n, r1_judge_level_name(r1_judge_level_of(judge)),
               r.result.message[0] ? "; " : "", r.result.message);
    return verdict == R1_JUDGE_AC              ? TOOL_DONE
           : verdict == R1_JUDGE_SANDBOX_ERROR ? TOOL_AGAIN
                                               : TOOL_FAILED;
}
int main(int argc, char **argv) {
    int code = tool_options(&self, argc, argv);
    if (code != TOOL_GO) return code;
    if (source_path && !self.n_files) return tool_fail(&self, TOOL_USAGE, "--source needs FOLDER");
    r1_judge_desc desc = {.level = level_of(level_name),
                          .min_level = level_of(min_level_name),
                          .jobs = (int)jobs,
                          .limits = {cpu_seconds, wall_seconds, (size_t)memory_mib << 20,
                                     (size_t)output_kib << 10, (int)processes},
                          .site_packages = site_packages};
    if ((*level_name && !desc.level) || (*min_level_name && !desc.min_level))
        return tool_fail(&self, TOOL_USAGE, "no such level: %s%s", level_name, min_level_name);
    if (desc.level && !desc.min_level) desc.min_level = desc.level;
    r1_context *ctx =
        r1_context_new(&(r1_context_desc){.fork_first = r1_judge_fork, .fork_first_desc = &desc});
    r1_judge *judge = r1_judge_open(ctx);
    if (!judge) {
        code = tool_fail(&self, TOOL_LEVEL, "%s", r1_message_of(ctx));
    } else {
        code = source_path ? judge_folder(ctx, judge) : judge_lines(ctx, judge);
        code = tool_end(&self, ctx, code);
    }
    r1_context_free(ctx);
    return code;
}
#endif
