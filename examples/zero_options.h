// The command line of r1_zero: a table of options, and a reader that refuses what it does not know.
#ifndef ZERO_OPTIONS_H
#define ZERO_OPTIONS_H
#include "r1.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 0, FAILED = 1, WRONG_USAGE = 2, BAD_FILE = 3, INTERRUPTED = 130 }; // exit statuses
enum { MOST_STEPS = 100000, MOST_PRETRAIN_STEPS = 1000000, MOST_PROBLEMS = 128 };
enum { PATH_BYTES = 1200, LONGEST_PATH = 1000 };

typedef struct options {
    const char *task, *out, *base, *folders[2]; // folders: of diff
    const char *model, *data, *test, *chat, *instruction;
    long long seed, threads, steps, pretrain_steps, problems, step, prompt;
    long long questions, group, max_new;
    double base_wait, rate, kl;
    bool second_base; // no option: the log says that the first one was not fit
    bool resume, no_gate, quiet, json, help, replay, diff, dry_run, recompute;
} options;

typedef enum option_kind { FLAG, TEXT, NUMBER, FRACTION } option_kind;
typedef struct option_row {
    const char *name, *value, *text;
    option_kind kind;
    size_t place; // in struct options
    long long low, high;
    bool kept; // with --model: noted in the log, and read back by --resume and replay
} option_row;

#define AT(field) offsetof(options, field)
static const option_row option_table[] = {
    {"--task", "NAME", "countdown (the default) or parity", TEXT, AT(task), 0, 0, false},
    {"--seed", "N", "seed of everything random; 0 .. 2^63 - 1, default 1", NUMBER, AT(seed), 0,
     INT64_MAX, false},
    {"--threads", "N",
     "workers, 1 .. 256; default 1, for a model this small. The result does not depend on it",
     NUMBER, AT(threads), 1, 256, false},
    {"--steps", "N", "rollouts of the RL stage, 1 .. 100000; default: the task's", NUMBER,
     AT(steps), 1, MOST_STEPS, false},
    {"--pretrain-steps", "N", "steps of pre-training, 1 .. 1000000; default: the task's", NUMBER,
     AT(pretrain_steps), 1, MOST_PRETRAIN_STEPS, false},
    {"--base", "FOLDER", "start from this base model instead of pre-training", TEXT, AT(base), 0, 0,
     false},
    {"--base-wait", "P", "chance that a text of the base corpus goes on after a failed try",
     FRACTION, AT(base_wait), 0, 1, false},
    {"--problems", "N",
     "held-out problems of an evaluation, 1 .. 128; default 128, or 32 of --data", NUMBER,
     AT(problems), 1, MOST_PROBLEMS, false},
    {"--model", "FOLDER", "reinforce this model on the rows of --data", TEXT, AT(model), 0, 0,
     true},
    {"--data", "FILE", "lines of JSON with a question and an answer; - is standard input", TEXT,
     AT(data), 0, 0, true},
    {"--test", "FILE", "held-out rows; default: some of --data, which are then not trained on",
     TEXT, AT(test), 0, 0, true},
    {"--chat", "NAME", "chat format such as deepseek-r1-zero, or none; default: the folder's", TEXT,
     AT(chat), 0, 0, true},
    {"--instruction", "TEXT", "stands behind each question", TEXT, AT(instruction), 0, 0, true},
    {"--questions", "N", "of --data in a rollout, 1 .. 65536; default 8", NUMBER, AT(questions), 1,
     65536, true},
    {"--group", "N", "answers to each question, 2 .. 4096; default 16", NUMBER, AT(group), 2, 4096,
     true},
    {"--max-new", "N", "longest answer in tokens; default 512", NUMBER, AT(max_new), 1, 1 << 24,
     true},
    {"--rate", "R", "learning rate, 0 .. 1; default 3e-6", FRACTION, AT(rate), 0, 1, true},
    {"--kl", "B", "weight of the KL term, 0 = none; default 0.001", FRACTION, AT(kl), 0, 1, true},
    {"--recompute", NULL,
     "keep less of a pass for the gradient and compute it again: the same bits", FLAG,
     AT(recompute), 0, 0, true},
    {"--dry-run", NULL, "with --model: print the memory that the run needs, and exit", FLAG,
     AT(dry_run), 0, 0, false},
    {"--no-gate", NULL, "start RL even from a base that fails its gate", FLAG, AT(no_gate), 0, 0,
     false},
    {"--out", "FOLDER", "where the results go; default out/r1_zero", TEXT, AT(out), 0, 0, false},
    {"--resume", NULL, "go on with the run in --out from its newest checkpoint", FLAG, AT(resume),
     0, 0, false},
    {"--step", "N", "replay: which rollout, from 1", NUMBER, AT(step), 1, MOST_STEPS, false},
    {"--prompt", "N", "replay: which of its prompts, from 0; default 0", NUMBER, AT(prompt), 0,
     100000, false},
    {"--quiet", NULL, "print the last line only", FLAG, AT(quiet), 0, 0, false},
    {"--json", NULL, "print the result as one JSON object instead of the last line", FLAG, AT(json),
     0, 0, false},
    {"--help", NULL, "print this and exit", FLAG, AT(help), 0, 0, false},
};
enum { OPTION_COUNT = sizeof option_table / sizeof *option_table };

static void print_help(void) {
    puts("usage: r1_zero [options]\n"
         "       r1_zero --model FOLDER --data FILE [options]\n"
         "       r1_zero replay --step N [--prompt N] [--out FOLDER]\n"
         "       r1_zero diff FOLDER FOLDER\n"
         "Pre-trains a small DeepSeek-V3-style model, then trains it by GRPO with accuracy and\n"
         "format rewards. Writes metrics.jsonl, metrics.csv, samples.jsonl, eval_base.jsonl,\n"
         "eval_final.jsonl, the weights (base/ and the folder itself), checkpoints/, report.html\n"
         "and curve.svg. --model does the same to a model from its Hugging Face folder; it takes\n"
         "the paper's numbers where no option says else, and pre-trains nothing. replay draws one\n"
         "group of answers again; diff finds the first step at which two runs differ.\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[32];
        const option_row *row = &option_table[i];
        snprintf(left, sizeof left, "%s%s%s", row->name, row->value ? " " : "",
                 row->value ? row->value : "");
        printf("  %-18s %s\n", left, row->text);
    }
    puts("\nexit status: 0 done, 1 failed, 2 wrong usage, 3 a file cannot be read or written,\n"
         "130 interrupted: --resume goes on");
}
static int usage_error(const char *what, const char *thing) {
    fprintf(stderr, "r1_zero: %s: %s\nr1_zero: try --help\n", what, thing);
    return WRONG_USAGE;
}
// Writes the value to its place; false when it is no such value.
static bool set_option(options *o, const option_row *row, const char *value) {
    void *place = (char *)o + row->place;
    char *end = NULL;
    if (row->kind == FLAG) {
        *(bool *)place = true;
        return true;
    }
    if (row->kind == TEXT) {
        *(const char **)place = value;
        return *value && strlen(value) <= LONGEST_PATH;
    }
    if (row->kind == FRACTION) {
        double fraction = strtod(value, &end);
        *(double *)place = fraction;
        return *value && !*end && fraction >= 0 && fraction <= 1;
    }
    long long number = strtoll(value, &end, 10);
    *(long long *)place = number;
    return *value && !*end && number >= row->low && number <= row->high;
}
static int parse_options(int argc, char **argv, options *o) {
    int first = 1, folders = 0;
    *o = (options){
        .out = "out/r1_zero", .seed = 1, .base_wait = R1_OFF, .rate = R1_OFF, .kl = R1_OFF};
    if (argc > 1 && !strcmp(argv[1], "replay")) o->replay = true, first = 2;
    if (argc > 1 && !strcmp(argv[1], "diff")) o->diff = true, first = 2;
    for (int i = first; i < argc; i++) {
        const option_row *row = NULL;
        for (int k = 0; k < OPTION_COUNT; k++)
            if (!strcmp(argv[i], option_table[k].name)) row = &option_table[k];
        if (!row && o->diff && argv[i][0] != '-' && folders < 2) {
            o->folders[folders++] = argv[i];
            continue;
        }
        if (!row) return usage_error("unknown option", argv[i]);
        const char *value = row->value ? argv[++i] : NULL;
        if (row->value && !value) return usage_error("a value is missing after", row->name);
        if (!set_option(o, row, value)) {
            fprintf(stderr, "r1_zero: %s does not take \"%s\": %s\n", row->name, value, row->text);
            return WRONG_USAGE;
        }
    }
    if (o->help) return FINE;
    if (o->diff && folders < 2) return usage_error("diff needs two folders", "diff");
    if (o->replay && !o->step) return usage_error("replay needs a rollout", "--step N");
    bool goes_on = o->resume || o->replay || o->diff;
    if (o->model && !o->data) return usage_error("--model needs rows", "--data FILE");
    if (o->data && !o->model) return usage_error("--data needs a model", "--model FOLDER");
    if (o->model && (o->task || o->base || o->base_wait >= 0 || o->pretrain_steps))
        return usage_error("--model goes without the options of the toy tasks", o->model);
    if (o->rate == 0) return usage_error("--rate must be above", "0");
    if (o->recompute && !o->model) return usage_error("--recompute needs", "--model FOLDER");
    if (o->dry_run && !o->model) return usage_error("--dry-run needs", "--model FOLDER");
    if (!o->task && !o->model && !goes_on) o->task = "countdown";
    return FINE;
}
#endif
