// Compares answers: one line of JSON in, {"gold", "pred"}, one verdict out, in the same order.
//
//     $ echo '{"gold": "1/2", "pred": "So it is \\boxed{0.5}."}' | build/r1_verify
//     {"verdict":"equal","reason":"..."}
//
// Gold and prediction are whole texts to extract the answer from, or bare answers with --bare. The
// verdict is "equal", "different" or "undecided"; the last one means that nobody knows, and a
// reward must not take it for a 0.
#include "r1.h"
#include "tool_rows.h"

static struct options {
    bool bare, after_think, ordered, json, answers;
    long long threads, digits;
} given;
static const tool_option options[] = {
    {"--bare", NULL, "gold and pred are bare answers: extract nothing", .flag = &given.bare},
    {"--after-think", NULL, "only what follows </think> counts", .flag = &given.after_think},
    {"--ordered", NULL, "lists are compared in order", .flag = &given.ordered},
    {"--digits", "N", "digits that make a decimal an approximation; default 3, -1 = never",
     .whole = &given.digits, .low = -1, .high = 100},
    {"--answers", NULL, "add the two answers that were compared", .flag = &given.answers},
    {"--threads", "N", "workers, 1 .. 256; default: one per core", .whole = &given.threads,
     .low = 1, .high = 256},
    {"--json", NULL, "JSON lines, which is the only form there is", .flag = &given.json},
};
static tool self = {
    "r1_verify",
    "[FILE]",
    "Reads lines {\"gold\", \"pred\"} and writes {\"verdict\", \"reason\"} for each, in order.\n"
    "Without FILE, or with -, it reads standard input.",
    options,
    sizeof options / sizeof *options,
    .most_files = 1};

static void write_slice(r1_json_writer *out, const char *key, r1_slice text) {
    if (text.data)
        r1_json_write_text(out, key, text.data, text.size);
    else
        r1_json_write_null(out, key);
}
static void verify(void *user, tool_row *row) {
    r1_slice gold = tool_row_text(row, "gold", true), pred = tool_row_text(row, "pred", true);
    r1_answer_desc desc = {.ordered = given.ordered, .digits = (int)given.digits};
    r1_equality verdict = R1_UNDECIDED;
    unsigned modes = given.after_think ? R1_EXTRACT_AFTER_THINK : 0;
    char reason[192] = "";
    (void)user;
    if (!row->worker->own) row->worker->own = r1_answer_new(row->worker->ctx);
    r1_answer_work *work = (r1_answer_work *)row->worker->own;
    if (row->problem[0])
        snprintf(reason, sizeof reason, "%s", row->problem);
    else if (work && given.bare)
        verdict = r1_answer_equal(work, gold, pred, &desc, reason, sizeof reason);
    else if (work)
        verdict = r1_answer_check(work, gold, pred, modes, &desc, reason, sizeof reason);
    r1_json_begin_object(row->out, NULL);
    const char *name = r1_equality_name(verdict);
    r1_json_write_text(row->out, "verdict", name, strlen(name));
    r1_json_write_text(row->out, "reason", reason, strlen(reason));
    if (given.answers) {
        write_slice(row->out, "gold", given.bare ? gold : r1_answer_extract(gold, 0));
        write_slice(row->out, "pred", given.bare ? pred : r1_answer_extract(pred, modes));
    }
    r1_json_end_object(row->out);
}
int main(int argc, char **argv) {
    int code = tool_options(&self, argc, argv);
    return code == TOOL_GO ? tool_map(&self, given.threads, verify, NULL) : code;
}
