// What r1_zero needs to know of a task. A task is one header, task_NAME.h, which fills the struct
// below: its tokens, the texts of its base corpus, its problems, its reward and its sizes. The
// program that pre-trains, reinforces and evaluates is the same for all of them.
#ifndef TASK_H
#define TASK_H
#include "r1.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The first pieces of every task. An answer begins with THINK and ends with END.
enum { END, THINK, THOUGHT, COMMON_PIECES };

// Streams of random numbers, so that texts, problems and evaluations never share a draw.
enum { STREAM_DOCUMENT = R1_STREAM_USER, STREAM_PROMPT, STREAM_EVAL };

// Which problems to draw: those of corpus and RL, or held-out ones of the first or second kind.
typedef enum split { TRAINING, HELD_OUT, HELD_OUT_SETS } split;

// Keys of held-out problems; those of training count up from 0. The draws of 16 answers to a problem
// do not see it: keys are multiplied by 16, modulo 2^32.
#define HELD_OUT_KEY 0x80000000u

// Tokens that are being written. What does not fit is left out, and the text is then too short.
typedef struct writer {
    int32_t *ids;
    size_t n, capacity;
    uint32_t number; // of the problem, counted in its split
} writer;

static inline void put(writer *w, int32_t id) {
    if (w->n < w->capacity) w->ids[w->n++] = id;
}

// A share that is collected over many answers: `sum` of `of`.
typedef struct tally {
    double sum, of;
} tally;

static inline void count(tally *t, double value) {
    t->sum += value;
    t->of += 1;
}
static inline double share(const tally *t) { return t->of > 0 ? t->sum / t->of : 0; }

enum { MAX_MEASURES = 12, MAX_SPLITS = 2 };

// What an evaluation of one split found.
typedef struct evaluation {
    double pass, cons, length, format, truncated;
    double drafts; // share of drafted tokens that were right; 0 without drafts
    tally measures[MAX_MEASURES];
} evaluation;

// A stretch of tokens of an answer that the report points out; empty when from == to.
typedef struct mark {
    size_t from, to;
    const char *label;
} mark;

// Settings of the base corpus that the command line can change.
typedef struct corpus {
    double wait; // chance that a failed try is followed by another one
} corpus;

// A task. Sizes and rates are written out in the task's header.
typedef struct task {
    const char *name;
    const char *about;         // one sentence, for the report
    const char *const *pieces; // the text of every token id
    size_t n_pieces;
    const char *prompt_gap; // printed between the tokens of a prompt
    size_t longest_prompt;  // tokens; 0 = 32
    r1_model_config model;

    // Base corpus and pre-training. write_document gives one text; tokens from *loss_from on are
    // learnt.
    corpus corpus;
    void (*write_document)(const corpus *corpus, r1_random *at, writer *w, size_t *loss_from);
    size_t pretrain_steps, pretrain_batch, pretrain_warmup;
    double pretrain_rate; // at its peak

    // Reinforcement learning.
    void (*write_problem)(r1_random *at, split which, writer *w);
    r1_reward_fn *reward; // parts: accuracy, format
    size_t rl_steps, questions, group, mini_batches;
    r1_schedule rl_schedule;
    double format_weight; // accuracy has weight 1

    // Evaluation: the splits that it asks (from HELD_OUT on), who votes for what (R1_OFF: does not
    // vote), what else is counted in an answer, and whether RL may start from this base.
    int splits;
    int (*vote)(const r1_sample *s);
    const char *const *measures;
    size_t n_measures;
    void (*measure)(const r1_sample *s, tally *measures);
    // A mistake of the answer and its correction, or NULL for tasks without.
    void (*find_marks)(const r1_sample *s, mark *mistake, mark *correction);
    bool (*gate)(const corpus *corpus, const evaluation *base, char *reason, size_t size);
} task;

#endif
