// Keeps a training set clean of evaluation sets: prints the rows that share no 10-gram with them.
//
//     $ build/r1_clean train.jsonl math500.jsonl aime24.jsonl > clean.jsonl
//     r1_clean: 7474 rows, 450 share 10 words in a row with the evaluation sets: 7024 kept
//
// All texts of a row count, also those in lists and objects, as messages. --hits shows how many
// n-grams each row shares, to look at before anything is thrown away.
#include "r1.h"
#include "tool.h"

static bool hits, json; // rows are JSON in any case
static long long words = 10;
static const tool_option options[] = {
    {"--words", "N", "of an n-gram, 1 .. 64; default 10", .whole = &words, .low = 1, .high = 64},
    {"--hits", NULL, "print {\"line\", \"hits\"} for each row instead", .flag = &hits},
    {"--json", NULL, "JSON lines, which is the only form there is", .flag = &json},
};
static tool self = {
    "r1_clean",
    "TRAINING EVALUATION...",
    "Prints the rows (lines of JSON) of TRAINING that share no n-gram of words with "
    "any row of\nthe files behind it. One of the files may be - for standard "
    "input.",
    options,
    sizeof options / sizeof *options,
    .least_files = 2,
    .most_files = TOOL_FILES};

// Adds the texts of a value to the set, or counts their n-grams that are in it.
static size_t walk(r1_decontaminator *set, const r1_json *value, bool add) {
    size_t found = 0;
    if (value->kind == R1_JSON_STRING && add) r1_decontaminator_add(set, value->text);
    if (value->kind == R1_JSON_STRING && !add) found = r1_decontaminator_count(set, value->text);
    for (const r1_json *child = value->child; child; child = child->next)
        found += walk(set, child, add);
    return found;
}
// Goes through a file. A line that is no JSON is told, and in no output: nobody knows what it has.
static int read_file(r1_context *ctx, r1_decontaminator *set, const char *path, bool add) {
    char problem[160];
    size_t rows = 0, dirty = 0;
    int code = TOOL_DONE;
    tool_lines lines;
    r1_slice line;
    if (!tool_open(&self, path, &lines)) return TOOL_INPUT;
    while (r1_status_of(ctx) == R1_OK && tool_next(&lines, &line)) {
        r1_json *row =
            line.size ? r1_json_try(ctx, line.data, line.size, problem, sizeof problem) : NULL;
        if (line.size && !row && r1_status_of(ctx) == R1_OK)
            code = tool_fail(&self, TOOL_INPUT, "%s:%zu: %s", lines.path, lines.number, problem);
        if (!row) continue;
        size_t found = walk(set, row, add);
        rows++, dirty += found > 0;
        if (!add && hits) printf("{\"line\":%zu,\"hits\":%zu}\n", lines.number, found);
        if (!add && !hits && !found) fwrite(line.data, 1, line.size, stdout), putchar('\n');
        r1_json_free(ctx, row);
    }
    if (!add)
        fprintf(stderr,
                "r1_clean: %zu rows, %zu share %lld words in a row with the evaluation sets: %zu "
                "kept\n",
                rows, dirty, words, rows - dirty);
    return tool_close(&lines) == TOOL_DONE ? code : TOOL_INPUT;
}
int main(int argc, char **argv) {
    int code = tool_options(&self, argc, argv), worst = TOOL_DONE;
    if (code != TOOL_GO) return code;
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_decontaminator *set = r1_decontaminator_new(ctx, (size_t)words);
    for (size_t i = 1; set && i <= self.n_files && worst == TOOL_DONE; i++) // the training set last
        worst = read_file(ctx, set, self.files[i % self.n_files], i < self.n_files);
    r1_decontaminator_free(set);
    code = tool_end(&self, ctx, worst);
    r1_context_free(ctx);
    return code;
}
