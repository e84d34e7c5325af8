// The parity task: is the number of ones in 12 bits odd? The base model mostly answers at once,
// which is a coin flip, and sometimes writes the running parity first, which is nearly always
// right. Nobody tells it to think: the reward looks at the answer and the format only.
//
//   prompt      011010011101=
//   at once     <think></think>1<end>
//   thoughtful  <think>001001110100</think>1<end>
#include "task.h"

enum {
    PARITY_BITS = 12,
    PARITY_TOKENS = 40,
    EQUALS = COMMON_PIECES,
    ZERO,
    ONE,
    EXERCISE,
    PARITY_PIECES
};
static const char *const parity_pieces[PARITY_PIECES] = {"<end>", "<think>", "</think>", "=",
                                                         "0",     "1",       "#"};

// One problem in eight never occurs in pre-training or RL: they are what the evaluations ask.
static bool parity_held_out(uint32_t bits) {
    uint32_t h = bits * 2654435761u;
    return ((h ^ (h >> 15)) * 2246822519u >> 13) % 8 == 0;
}
static uint32_t parity_draw(r1_random *at, split which) {
    for (;;) {
        uint32_t bits = r1_random_below(at, 1u << PARITY_BITS);
        if (parity_held_out(bits) == (which != TRAINING)) return bits;
    }
}
static void parity_put_bits(uint32_t bits, writer *w) {
    for (int i = 0; i < PARITY_BITS; i++) put(w, bits >> i & 1 ? ONE : ZERO);
    put(w, EQUALS);
}
static void parity_problem(r1_random *at, split which, writer *w) {
    parity_put_bits(parity_draw(at, which), w);
}
// A text of the base corpus. A third are exercise pages, which never ask for thought. Of the others
// one in five thinks first, and the rest guess; a few break the format.
static void parity_document(const corpus *corpus, r1_random *at, writer *w, size_t *loss_from) {
    uint32_t bits = parity_draw(at, TRAINING);
    bool page = r1_random_unit(at) < 0.33f;
    bool thinks = r1_random_unit(at) < 0.2f;
    bool spoilt = r1_random_unit(at) < 0.04f;
    int parity = 0, guess = 0;
    (void)corpus;
    if (!thinks && !page) guess = (int)r1_random_below(at, 2);
    if (page) put(w, EXERCISE);
    parity_put_bits(bits, w);
    *loss_from = PARITY_BITS + 1;
    put(w, page ? EQUALS : THINK); // one token either way: the steps are as far from their bits
    for (int i = 0; i < PARITY_BITS && (thinks || page); i++) {
        parity ^= (int)(bits >> i & 1);
        put(w, parity ? ONE : ZERO);
    }
    if (page || !spoilt) put(w, THOUGHT);
    put(w, parity || guess ? ONE : ZERO);
    put(w, END);
}
// accuracy: the answer is right and in its place. format: <think> ... </think>, one digit, the end.
static void parity_reward(void *user, const r1_sample *s, r1_verdict *out) {
    const int32_t *t = s->tokens + s->n_prompt;
    size_t n = s->n - s->n_prompt, marks = 0;
    int parity = 0;
    (void)user;
    for (size_t i = 0; i < n; i++) marks += t[i] != ZERO && t[i] != ONE;
    bool format = n >= 4 && t[0] == THINK && t[n - 3] == THOUGHT && t[n - 1] == END && marks == 3 &&
                  (t[n - 2] == ZERO || t[n - 2] == ONE);
    for (size_t i = 0; i < s->n_prompt; i++) parity ^= s->tokens[i] == ONE;
    out->parts[0] = format && (t[n - 2] == ONE) == parity;
    out->parts[1] = format;
}
// The answer that a sample votes for: 0 or 1.
static int parity_vote(const r1_sample *s) {
    if (!s->parts[1]) return R1_OFF;
    return s->tokens[s->n - 2] == ONE;
}
// Whether an answer thinks at all, and whether each step of the thought is the running parity.
static const char *const parity_measures[] = {"thinks", "steps_right"};
static void parity_measure(const r1_sample *s, tally *measures) {
    const int32_t *t = s->tokens + s->n_prompt;
    size_t n = s->n - s->n_prompt;
    int parity = 0;
    count(&measures[0], n > 1 && t[0] == THINK && (t[1] == ZERO || t[1] == ONE));
    for (size_t i = 0; i < PARITY_BITS && i + 1 < n; i++) {
        parity ^= s->tokens[i] == ONE;
        if (t[i + 1] != ZERO && t[i + 1] != ONE) break;
        count(&measures[1], t[i + 1] == (parity ? ONE : ZERO));
    }
}

static const task parity_task = {
    .name = "parity",
    .about =
        "Is the number of ones in 12 bits odd? Thinking step by step pays, and nobody says so.",
    .pieces = parity_pieces,
    .n_pieces = PARITY_PIECES,
    .prompt_gap = "",
    .model = {.vocab = PARITY_PIECES,
              .width = 64,
              .layers = 2,
              .heads = 4,
              .max_tokens = PARITY_TOKENS,
              .kv_rank = 32,
              .nope_dim = 16,
              .rope_dim = 16,
              .rope_theta = 30,
              .value_dim = 16,
              .dense_layers = 1,
              .dense_width = 128,
              .experts = 8,
              .chosen = 2,
              .shared = 1,
              .expert_width = 32,
              .normalise_gates = true},
    .write_document = parity_document,
    .pretrain_steps = 400,
    .pretrain_batch = 64,
    .pretrain_warmup = 40,
    .pretrain_rate = 3e-3,
    .write_problem = parity_problem,
    .reward = parity_reward,
    .rl_steps = 60,
    .questions = 16,
    .group = 16,
    .mini_batches = 2,
    .rl_schedule = {.peak = 3e-4, .warmup = 5},
    .format_weight = 1,
    .splits = 1,
    .vote = parity_vote,
    .measures = parity_measures,
    .n_measures = sizeof parity_measures / sizeof *parity_measures,
    .measure = parity_measure,
};
