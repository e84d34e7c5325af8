// The countdown task: reach a target with three numbers, each used once, by two of + - *. The base
// model has read searches that try, check each try, sometimes say " wait " and try again, and
// mostly give up. RL rewards the answer and its format, and finds that patience pays.
//
//   prompt    4 8 9 =44
//   answer    <think>8*4=32-9=23 low wait 9*4=36+8=44 yes</think><answer>(9*4)+8</answer><end>
//
// Inside <think> a try is a chain from left to right, and each result is one token. The verdict
// says low or high, not just no: a near miss then teaches more than one bit. Results and the
// target share their tokens, so that a check compares equal things.
#include "task.h"

enum {
    ANSWER = COMMON_PIECES, // <answer>
    ANSWERED,               // </answer>
    LOW,
    HIGH,
    YES,
    WAIT,
    PLUS,
    MINUS,
    TIMES,
    OPEN,
    CLOSE,
    PAGE,
    LINE,
    DIGIT,               // + 1 .. 9, an operand
    RESULT = DIGIT + 10, // + 0 .. 99, a result or the target
    LARGEST = 99,        // result that has a token
    COUNTDOWN_PIECES = RESULT + LARGEST + 1,
    COUNTDOWN_TOKENS = 224, // 24 tries and the answer
    COUNTDOWN_PROMPT = 4,
    TRY_TOKENS = 7,    // x op y =r op z =s
    ANSWER_TOKENS = 7, // ( x op y ) op z
    MAX_CANDIDATES = 27
};
// DIGIT + 0 stands for no operand and is never written.
static const char *const countdown_pieces[COUNTDOWN_PIECES] = {
    "<end>", "<think>", "</think>", "<answer>", "</answer>", " low", " high", " yes", " wait ",
    "+",     "-",       "*",        "(",        ")",         "#",    ";",     "0",    "1",
    "2",     "3",       "4",        "5",        "6",         "7",    "8",     "9",    "=0",
    "=1",    "=2",      "=3",       "=4",       "=5",        "=6",   "=7",    "=8",   "=9",
    "=10",   "=11",     "=12",      "=13",      "=14",       "=15",  "=16",   "=17",  "=18",
    "=19",   "=20",     "=21",      "=22",      "=23",       "=24",  "=25",   "=26",  "=27",
    "=28",   "=29",     "=30",      "=31",      "=32",       "=33",  "=34",   "=35",  "=36",
    "=37",   "=38",     "=39",      "=40",      "=41",       "=42",  "=43",   "=44",  "=45",
    "=46",   "=47",     "=48",      "=49",      "=50",       "=51",  "=52",   "=53",  "=54",
    "=55",   "=56",     "=57",      "=58",      "=59",       "=60",  "=61",   "=62",  "=63",
    "=64",   "=65",     "=66",      "=67",      "=68",       "=69",  "=70",   "=71",  "=72",
    "=73",   "=74",     "=75",      "=76",      "=77",       "=78",  "=79",   "=80",  "=81",
    "=82",   "=83",     "=84",      "=85",      "=86",       "=87",  "=88",   "=89",  "=90",
    "=91",   "=92",     "=93",      "=94",      "=95",       "=96",  "=97",   "=98",  "=99"};

// Three numbers in the order of the prompt, and the target.
typedef struct problem {
    int numbers[3], target;
} problem;

// (x first y) second z, with middle = x first y.
typedef struct expression {
    int x, y, z;
    int32_t first, second; // PLUS, MINUS or TIMES
    int middle, value;
} expression;

// ---- problems ----
static int apply(int32_t op, int a, int b) {
    return op == PLUS ? a + b : op == MINUS ? a - b : a * b;
}
static int32_t verdict_on(int value, int target) {
    return value == target ? YES : value < target ? LOW : HIGH;
}
static bool same_expression(const expression *a, const expression *b) {
    return a->x == b->x && a->y == b->y && a->z == b->z && a->first == b->first &&
           a->second == b->second;
}
// What can be made of three numbers: each pair, the larger one first, then the third. Results that
// have no token are left out, and so are repetitions, which equal numbers make.
static int list_candidates(const int numbers[3], expression *list) {
    static const int orders[3][3] = {{0, 1, 2}, {0, 2, 1}, {1, 2, 0}};
    int n = 0;
    for (int i = 0; i < 3 * 9; i++) {
        const int *order = orders[i / 9];
        expression e = {.x = numbers[order[0]], .y = numbers[order[1]], .z = numbers[order[2]]};
        if (e.x < e.y) e.x = e.y, e.y = numbers[order[0]];
        e.first = PLUS + i % 9 / 3;
        e.second = PLUS + i % 3;
        e.middle = apply(e.first, e.x, e.y);
        e.value = apply(e.second, e.middle, e.z);
        if (e.middle > LARGEST || e.value < 0 || e.value > LARGEST) continue;
        bool known = false;
        for (int k = 0; k < n && !known; k++) known = same_expression(&list[k], &e);
        if (!known) list[n++] = e;
    }
    return n;
}
// A hash of the sorted numbers and the target; target 0 stands for the set of numbers itself.
static bool one_in_five(const int numbers[3], int target) {
    int low = numbers[0], middle = numbers[1], high = numbers[2], swap;
    if (low > middle) swap = low, low = middle, middle = swap;
    if (middle > high) swap = middle, middle = high, high = swap;
    if (low > middle) swap = low, low = middle, middle = swap;
    uint32_t h = (uint32_t)((low * 31 + middle) * 31 + high) * 131u + (uint32_t)target;
    h *= 2654435761u;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    return h % 5 == 0;
}
// A fifth of all sets of numbers is never seen, with any target. Of the problems over the other
// sets a fifth is never seen either, though their numbers are seen with other targets.
static split split_of(const problem *p) {
    if (one_in_five(p->numbers, 0)) return HELD_OUT_SETS;
    return one_in_five(p->numbers, p->target) ? HELD_OUT : TRAINING;
}
static void draw_numbers(r1_random *at, int numbers[3]) {
    for (int i = 0; i < 3; i++) numbers[i] = 1 + (int)r1_random_below(at, 9);
}
// The target is the value of some candidate, so that every problem has a solution.
static problem draw_problem(r1_random *at, split which) {
    expression list[MAX_CANDIDATES];
    for (;;) {
        problem p;
        draw_numbers(at, p.numbers);
        uint32_t n = (uint32_t)list_candidates(p.numbers, list);
        p.target = list[r1_random_below(at, n)].value;
        if (p.target >= 1 && split_of(&p) == which) return p;
    }
}
static void put_problem(writer *w, const problem *p) {
    for (int i = 0; i < 3; i++) put(w, DIGIT + p->numbers[i]);
    put(w, RESULT + p->target);
}
static void countdown_problem(r1_random *at, split which, writer *w) {
    problem p = draw_problem(at, which);
    put_problem(w, &p);
}

// ---- the base corpus ----
static void put_try(writer *w, const expression *e, int target) {
    put(w, DIGIT + e->x);
    put(w, e->first);
    put(w, DIGIT + e->y);
    put(w, RESULT + e->middle);
    put(w, e->second);
    put(w, DIGIT + e->z);
    put(w, RESULT + e->value);
    put(w, verdict_on(e->value, target));
}
static void put_answer(writer *w, const expression *e) {
    put(w, OPEN);
    put(w, DIGIT + e->x);
    put(w, e->first);
    put(w, DIGIT + e->y);
    put(w, CLOSE);
    put(w, e->second);
    put(w, DIGIT + e->z);
}
// The better one of two guesses, and it leaves the list: a trace never repeats a try.
static expression take_guess(r1_random *at, expression *list, int *n, int target) {
    int a = (int)r1_random_below(at, (uint32_t)*n);
    int b = (int)r1_random_below(at, (uint32_t)*n);
    int best = abs(list[b].value - target) < abs(list[a].value - target) ? b : a;
    expression taken = list[best];
    list[best] = list[--*n];
    return taken;
}
// Try, check, and mostly give up: seven failed tries in ten are followed by an answer all the same.
// A few texts break the format.
static void write_trace(const corpus *corpus, r1_random *at, writer *w, size_t *loss_from) {
    enum { ROOM = 22, WHOLE = 0, CUT, NO_THOUGHT, NO_ANSWERED }; // tokens of a try and the end
    problem p = draw_problem(at, TRAINING);
    expression list[MAX_CANDIDATES], e;
    int n = list_candidates(p.numbers, list);
    put_problem(w, &p);
    *loss_from = w->n;
    put(w, THINK);
    for (;;) {
        e = take_guess(at, list, &n, p.target);
        put_try(w, &e, p.target);
        if (e.value == p.target || !n || w->n + ROOM > w->capacity) break;
        if ((double)r1_random_unit(at) >= corpus->wait) break;
        put(w, WAIT);
    }
    int form = r1_random_unit(at) < 0.15f ? 1 + (int)r1_random_below(at, 3) : WHOLE;
    if (form != CUT) {
        if (form != NO_THOUGHT) put(w, THOUGHT);
        put(w, ANSWER);
        put_answer(w, &e);
        if (form != NO_ANSWERED) put(w, ANSWERED);
    }
    put(w, END);
}
// A page of tries at one problem, in any order and past any hit. It has no words of search: it
// keeps sums and checks right at distances that traces do not reach, and never repeats a line. On
// every other page each line ends with its expression in brackets, which is how answers are copied.
static void write_tries_page(r1_random *at, writer *w, size_t *loss_from) {
    problem p = draw_problem(at, TRAINING);
    expression list[MAX_CANDIDATES];
    int n = list_candidates(p.numbers, list);
    bool brackets = r1_random_below(at, 2);
    int most = brackets ? 13 : 20; // what fits
    put(w, PAGE);
    put_problem(w, &p);
    *loss_from = w->n;
    for (int lines = 0; lines < most && n; lines++) {
        int i = (int)r1_random_below(at, (uint32_t)n);
        put(w, LINE);
        put_try(w, &list[i], p.target);
        if (brackets) put_answer(w, &list[i]);
        list[i] = list[--n];
    }
    put(w, END);
}
// A page of single sums, checked against a target: =72-4=68 low. A line has a result and one
// number, never three numbers, so that it is no problem and cannot be a held-out one; and yet all
// second sums are seen, those of unseen sets of numbers too.
static void write_sums_page(r1_random *at, writer *w, size_t *loss_from) {
    int target = draw_problem(at, TRAINING).target;
    put(w, PAGE);
    put(w, RESULT + target);
    *loss_from = w->n;
    for (int lines = 0; lines < 30;) {
        int numbers[3];
        draw_numbers(at, numbers);
        int x = numbers[0] > numbers[1] ? numbers[0] : numbers[1];
        int left = apply(PLUS + (int)r1_random_below(at, 3), x, numbers[0] + numbers[1] - x);
        int32_t op = PLUS + (int)r1_random_below(at, 3);
        int value = apply(op, left, numbers[2]);
        if (value < 0 || value > LARGEST) continue;
        put(w, LINE);
        put(w, RESULT + left);
        put(w, op);
        put(w, DIGIT + numbers[2]);
        put(w, RESULT + value);
        put(w, verdict_on(value, target));
        lines++;
    }
    put(w, END);
}
static void countdown_document(const corpus *corpus, r1_random *at, writer *w, size_t *loss_from) {
    float kind = r1_random_unit(at);
    if (kind < 0.2f)
        write_tries_page(at, w, loss_from);
    else if (kind < 0.26f)
        write_sums_page(at, w, loss_from);
    else
        write_trace(corpus, at, w, loss_from);
}

// ---- reward and vote ----
static bool is_operand(int32_t id) { return id > DIGIT && id < RESULT; }
static bool is_operator(int32_t id) { return id >= PLUS && id <= TIMES; }

static problem problem_of(const r1_sample *s) {
    problem p;
    for (int i = 0; i < 3; i++) p.numbers[i] = s->tokens[i] - DIGIT;
    p.target = s->tokens[3] - RESULT;
    return p;
}
// Whether the expression has exactly the numbers of the problem.
static bool uses_numbers(const problem *p, const expression *e) {
    int left[3] = {p->numbers[0], p->numbers[1], p->numbers[2]};
    const int used[3] = {e->x, e->y, e->z};
    for (int i = 0; i < 3; i++) {
        int k = 0;
        while (k < 3 && left[k] != used[i]) k++;
        if (k == 3) return false;
        left[k] = 0;
    }
    return true;
}
// <think> ... </think><answer> ... </answer> and the end, each tag once.
static bool has_format(const int32_t *t, size_t n) {
    size_t tags[ANSWERED + 1] = {0}, answer = 0;
    for (size_t i = 0; i < n; i++) {
        if (t[i] >= THINK && t[i] <= ANSWERED) tags[t[i]]++;
        if (t[i] == ANSWER) answer = i;
    }
    for (int tag = THINK; tag <= ANSWERED; tag++)
        if (tags[tag] != 1) return false;
    return t[0] == THINK && answer && t[answer - 1] == THOUGHT && t[n - 2] == ANSWERED &&
           t[n - 1] == END;
}
// The expression between <answer> and </answer>; false when there is none with these numbers.
static bool read_answer(const r1_sample *s, expression *e) {
    const int32_t *t = s->tokens + s->n_prompt;
    size_t n = s->n - s->n_prompt;
    if (n < ANSWER_TOKENS + 5 || !has_format(t, n)) return false;
    const int32_t *a = t + n - 2 - ANSWER_TOKENS;
    bool formed = a[-1] == ANSWER && a[0] == OPEN && is_operand(a[1]) && is_operator(a[2]) &&
                  is_operand(a[3]) && a[4] == CLOSE && is_operator(a[5]) && is_operand(a[6]);
    if (!formed) return false;
    *e = (expression){a[1] - DIGIT, a[3] - DIGIT, a[6] - DIGIT, a[2], a[5], 0, 0};
    e->middle = apply(e->first, e->x, e->y);
    e->value = apply(e->second, e->middle, e->z);
    problem p = problem_of(s);
    return uses_numbers(&p, e);
}
// accuracy: the expression in the answer uses the three numbers and is worth the target. Nothing
// inside <think> counts. format: see has_format; an answer that was cut at the limit has none.
static void countdown_reward(void *user, const r1_sample *s, r1_verdict *out) {
    expression e;
    (void)user;
    size_t n = s->n - s->n_prompt;
    out->parts[0] = read_answer(s, &e) && e.value == problem_of(s).target;
    out->parts[1] = n >= 5 && has_format(s->tokens + s->n_prompt, n);
}
// Answers vote for their value. The voter does not ask whether that is the target.
static int countdown_vote(const r1_sample *s) {
    enum { BIAS = 1000 }; // values can be negative, votes cannot
    expression e;
    return read_answer(s, &e) ? e.value + BIAS : R1_OFF;
}

// ---- what happens inside <think> ----
enum {
    M_PER_TRY,
    M_FIRST_TRY,
    M_WAIT,
    M_CORRECTED,
    M_REPEATED,
    M_SUMS,
    M_LATE_SUMS,
    M_VERDICTS,
    M_FALSE_YES,
    M_COUNT
};
static const char *const countdown_measures[M_COUNT] = {
    "per_try",    "first_try_right", "wait",           "corrected", "repeated_tries",
    "sums_right", "late_sums_right", "verdicts_right", "false_yes"};

// One try as it was written. A try that is not well formed has `formed` false.
typedef struct attempt {
    const int32_t *tokens;
    size_t at;        // its place in the answer
    bool formed, hit; // hit: its true value is the target, whatever was written
} attempt;
enum { MOST_TRIES = 32 };

static attempt read_try(const int32_t *t, size_t at, size_t n, const problem *p) {
    attempt a = {.tokens = t + at, .at = at};
    t += at, n -= at;
    a.formed = n > TRY_TOKENS && is_operand(t[0]) && is_operator(t[1]) && is_operand(t[2]) &&
               t[3] >= RESULT && is_operator(t[4]) && is_operand(t[5]) && t[6] >= RESULT;
    if (!a.formed) return a;
    expression e = {t[0] - DIGIT, t[2] - DIGIT, t[5] - DIGIT, t[1], t[4], 0, 0};
    e.value = apply(e.second, apply(e.first, e.x, e.y), e.z);
    a.hit = e.value == p->target && uses_numbers(p, &e);
    return a;
}
// Tries begin after <think> and after each wait. One that was cut off at the limit does not count.
static size_t list_tries(const r1_sample *s, const problem *p, attempt *tries) {
    const int32_t *t = s->tokens + s->n_prompt;
    size_t n = s->n - s->n_prompt, found = 0;
    for (size_t i = 0; i + 1 + TRY_TOKENS < n && found < MOST_TRIES; i++)
        if ((i == 0 && t[i] == THINK) || t[i] == WAIT) tries[found++] = read_try(t, i + 1, n, p);
    return found;
}
// Both sums as written, the second one from the written result of the first; and the verdict on
// the written result.
static void measure_try(const attempt *a, const problem *p, bool late, tally *m) {
    const int32_t *t = a->tokens;
    bool first = a->formed && apply(t[1], t[0] - DIGIT, t[2] - DIGIT) == t[3] - RESULT;
    bool second = a->formed && apply(t[4], t[3] - RESULT, t[5] - DIGIT) == t[6] - RESULT;
    count(&m[M_PER_TRY], a->hit);
    count(&m[M_SUMS], first);
    count(&m[M_SUMS], second);
    if (late) count(&m[M_LATE_SUMS], first), count(&m[M_LATE_SUMS], second);
    count(&m[M_VERDICTS],
          a->formed && t[TRY_TOKENS] == verdict_on(t[TRY_TOKENS - 1] - RESULT, p->target));
}
static void countdown_measure(const r1_sample *s, tally *m) {
    enum { LATE = 100 }; // tokens of an answer, longer than nearly all of the base
    attempt tries[MOST_TRIES];
    problem p = problem_of(s);
    size_t n = list_tries(s, &p, tries), waits = 0;
    bool right = s->parts[0] > 0, said_yes = false;
    for (size_t i = s->n_prompt; i < s->n; i++) {
        waits += s->tokens[i] == WAIT;
        said_yes = said_yes || s->tokens[i] == YES;
    }
    for (size_t i = 0; i < n; i++) {
        bool repeated = false;
        for (size_t k = 0; k < i && !repeated; k++)
            repeated = !memcmp(tries[k].tokens, tries[i].tokens, TRY_TOKENS * sizeof(int32_t));
        measure_try(&tries[i], &p, tries[i].at > LATE, m);
        count(&m[M_REPEATED], repeated);
    }
    count(&m[M_WAIT], (double)waits);
    if (n) count(&m[M_FIRST_TRY], tries[0].hit);
    count(&m[M_CORRECTED], right && n > 1 && !tries[0].hit);
    count(&m[M_FALSE_YES], said_yes && !right && !s->truncated);
}
// The first try when it misses; and in a right answer, the last one.
static void countdown_marks(const r1_sample *s, mark *mistake, mark *correction) {
    attempt tries[MOST_TRIES];
    problem p = problem_of(s);
    size_t n = list_tries(s, &p, tries);
    if (!n || tries[0].hit) return;
    *mistake = (mark){tries[0].at, tries[0].at + TRY_TOKENS + 1, "misses"};
    const attempt *last = &tries[n - 1];
    if (s->parts[0] > 0 && n > 1 && last->hit)
        *correction = (mark){last->at, last->at + TRY_TOKENS + 1, "corrected"};
}

// RL can only amplify what the base shows. Each line is a way in which a base can be useless.
static bool countdown_gate(const corpus *corpus, const evaluation *base, char *reason,
                           size_t size) {
    double sums = share(&base->measures[M_SUMS]);
    double verdicts = share(&base->measures[M_VERDICTS]);
    double waits = share(&base->measures[M_WAIT]);
    const struct {
        const char *what;
        double value, low, high;
    } rows[] = {{"right sums inside <think>", sums, 0.97, 1},
                {"right verdicts inside <think>", verdicts, 0.98, 1},
                {"pass@1", base->pass, 0.08, 0.25},
                {"cons@16", base->cons, 0.15, 1},
                {"waits per answer", waits, corpus->wait > 0 ? 0.1 : 0, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].value >= rows[i].low && rows[i].value <= rows[i].high) continue;
        snprintf(reason, size, "%s: %.3f, wanted %.2f to %.2f", rows[i].what, rows[i].value,
                 rows[i].low, rows[i].high);
        return false;
    }
    return true;
}

static const task countdown_task = {
    .name = "countdown",
    .about = "Reach a number with three others and two of + - *. The base model tries, checks and "
             "mostly gives up; the reward looks at the answer and its format only.",
    .pieces = countdown_pieces,
    .n_pieces = COUNTDOWN_PIECES,
    .prompt_gap = " ",
    .model = {.vocab = COUNTDOWN_PIECES,
              .width = 64,
              .layers = 2,
              .heads = 4,
              .max_tokens = COUNTDOWN_TOKENS,
              .kv_rank = 64,
              .nope_dim = 16,
              .rope_dim = 16,
              .value_dim = 16,
              .dense_layers = 1,
              .dense_width = 128,
              .experts = 8,
              .chosen = 2,
              .shared = 1,
              .expert_width = 64,
              .normalise_gates = true,
              .mtp_layers = 1},
    .corpus = {.wait = 0.3},
    .write_document = countdown_document,
    .pretrain_steps = 3000,
    .pretrain_batch = 32,
    .pretrain_warmup = 100,
    .pretrain_rate = 6e-3,
    .write_problem = countdown_problem,
    .reward = countdown_reward,
    .rl_steps = 80,
    .questions = 16,
    .group = 16,
    .mini_batches = 4,
    .rl_schedule = {.peak = 5e-4, .warmup = 20},
    .format_weight = 1,
    .splits = 2,
    .vote = countdown_vote,
    .measures = countdown_measures,
    .n_measures = M_COUNT,
    .measure = countdown_measure,
    .find_marks = countdown_marks,
    .gate = countdown_gate,
};
