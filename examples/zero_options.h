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
    long long seed, threads, steps, pretrain_steps, problems, step, prompt;
    double base_wait;
    bool resume, no_gate, quiet, json, help, replay, diff;
} options;

typedef enum option_kind { FLAG, TEXT, NUMBER, FRACTION } option_kind;
typedef struct option_row {
    const char *name, *value, *text;
    option_kind kind;
    size_t place; // in struct options
    long long low, high;
} option_row;

#define AT(field) offsetof(options, field)
static const option_row option_table[] = {
    {"--task", "NAME", "countdown (the default) or parity", TEXT, AT(task), 0, 0},
    {"--seed", "N", "seed of everything random; 0 .. 2^63 - 1, default 1", NUMBER, AT(seed), 0,
     INT64_MAX},
    {"--threads", "N",
     "workers, 1 .. 256; default 1, for a model this small. The result does not depend on it",
     NUMBER, AT(threads), 1, 256},
    {"--steps", "N", "rollouts of the RL stage, 1 .. 100000; default: the task's", NUMBER,
     AT(steps), 1, MOST_STEPS},
    {"--pretrain-steps", "N", "steps of pre-training, 1 .. 1000000; default: the task's", NUMBER,
     AT(pretrain_steps), 1, MOST_PRETRAIN_STEPS},
    {"--base", "FOLDER", "start from this base model instead of pre-training", TEXT, AT(base), 0,
     0},
    {"--base-wait", "P", "chance that a text of the base corpus goes on after a failed try",
     FRACTION, AT(base_wait), 0, 1},
    {"--problems", "N", "held-out problems of an evaluation, 1 .. 128; default 128", NUMBER,
     AT(problems), 1, MOST_PROBLEMS},
    {"--no-gate", NULL, "start RL even from a base that fails its gate", FLAG, AT(no_gate), 0, 0},
    {"--out", "FOLDER", "where the results go; default out/r1_zero", TEXT, AT(out), 0, 0},
    {"--resume", NULL, "go on with the run in --out from its newest checkpoint", FLAG, AT(resume),
     0, 0},
    {"--step", "N", "replay: which rollout, from 1", NUMBER, AT(step), 1, MOST_STEPS},
    {"--prompt", "N", "replay: which of its prompts, from 0; default 0", NUMBER, AT(prompt), 0,
     100000},
    {"--quiet", NULL, "print the last line only", FLAG, AT(quiet), 0, 0},
    {"--json", NULL, "print the result as one JSON object instead of the last line", FLAG, AT(json),
     0, 0},
    {"--help", NULL, "print this and exit", FLAG, AT(help), 0, 0},
};
enum { OPTION_COUNT = sizeof option_table / sizeof *option_table };

static void print_help(void) {
    puts("usage: r1_zero [options]\n"
         "       r1_zero replay --step N [--prompt N] [--out FOLDER]\n"
         "       r1_zero diff FOLDER FOLDER\n"
         "Pre-trains a small DeepSeek-V3-style model, then trains it by GRPO with accuracy and\n"
         "format rewards. Writes metrics.jsonl, metrics.csv, samples.jsonl, eval_base.jsonl,\n"
         "eval_final.jsonl, the weights (base/ and the folder itself), checkpoints/, report.html\n"
         "and curve.svg. replay draws one group of answers again; diff finds the first step at\n"
         "which two runs differ.\n");
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
    *o = (options){.task = "countdown",
                   .out = "out/r1_zero",
                   .seed = 1,
                   .problems = MOST_PROBLEMS,
                   .base_wait = R1_OFF};
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
    return FINE;
}
#endif
