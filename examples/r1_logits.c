// What a model thinks of a text: the log-probability of each token given those before it, the
// likeliest next tokens at each place, or all logits. One sequence a line.
//
//     $ echo '4 8 9 =44<think>' | build/r1_logits out/r1_zero --text --top 2
//      place     id      logp  entropy  token       likeliest next
//          0     20    0.0000   0.0000  "4"         "7" -0.861  "1" -2.015
//     ...
//     $ echo '{"text": "1 2 3 =6"}' | build/r1_logits out/r1_zero --json
//     {"ids":[17,18,19,32],"logp":[0,...],"entropy":[0,...],"total":-11.9}
//
// A line is a list of ids, text with --text, or a JSON object with "ids" or "text". The sampler,
// the trainer and this tool compute the same 32 bits for the log-probability of a token.
#include "r1.h"
#include "tool_model.h"
#include <math.h>

static struct options {
    const char *logits;
    double temperature;
    long long top, threads;
    bool text, json;
} given = {.temperature = 1};
static const tool_option options[] = {
    {"--text", NULL, "lines are text; a begin token is added where the folder wants one",
     .flag = &given.text},
    {"--top", "K", "show the K likeliest next tokens at each place, 1 .. 1000", .whole = &given.top,
     .low = 1, .high = 1000},
    {"--logits", "FILE", "write all logits to a safetensors file: logits.N [T,V] for line N",
     .word = &given.logits},
    {"--temperature", "T", "log-probabilities are those of softmax(logits / T); default 1",
     .real = &given.temperature, .low = 1e-3, .high = 1000},
    {"--threads", "N", "workers, 1 .. 256; default: one per core", .whole = &given.threads,
     .low = 1, .high = 256},
    {"--json", NULL, "one JSON object a line instead of a table", .flag = &given.json},
};
static tool self = {
    "r1_logits",
    "FOLDER [FILE]",
    "Prints the log-probability of each token of a sequence. FOLDER is a model's Hugging Face\n"
    "folder; FILE has a sequence a line. Without FILE, or with -, it reads standard input.",
    options,
    sizeof options / sizeof *options,
    .least_files = 1,
    .most_files = 2};

typedef struct sequence {
    int32_t *ids;
    size_t n;
    float *logp, *entropy; // [n]
    float *logits;         // [n,V]; NULL when nobody needs them
    size_t number;         // its line
} sequence;
typedef struct work {
    tool_folder folder;
    sequence *sequences; // those whose logits wait for the file
    size_t n_sequences, room, V;
} work;

static void free_sequence(sequence *s) {
    free(s->ids), free(s->logp), free(s->entropy), free(s->logits);
    *s = (sequence){0};
}

// ---- reading ----
// "1 2 3" or "[1, 2, 3]". False for anything else.
static bool read_ids(r1_slice line, sequence *s) {
    const char *at = line.data, *end = line.data + line.size;
    s->ids = (int32_t *)malloc((line.size / 2 + 1) * sizeof *s->ids);
    while (s->ids && at < end) {
        long long id = 0;
        if (strchr(" \t,[]", *at)) {
            at++;
            continue;
        }
        if (*at < '0' || *at > '9') return false;
        for (; at < end && *at >= '0' && *at <= '9' && id < INT32_MAX; at++)
            id = 10 * id + (*at - '0');
        if (id > INT32_MAX) return false;
        s->ids[s->n++] = (int32_t)id;
    }
    return s->ids != NULL;
}
static bool read_text(work *w, r1_slice text, sequence *s, char *problem, size_t size) {
    if (!w->folder.tokenizer) {
        w->folder.tokenizer = r1_tokenizer_load(w->folder.ctx, self.files[0], NULL);
        if (!w->folder.tokenizer)
            return snprintf(problem, size, "%s", r1_message_of(w->folder.ctx)), false;
        w->folder.self = &self, tool_find_begin(&w->folder, self.files[0]);
    }
    s->ids = tool_bare_ids(&w->folder, text, &s->n, problem, size);
    return s->ids != NULL;
}
static bool read_row(work *w, r1_slice line, sequence *s, char *problem, size_t size) {
    r1_json *row = r1_json_try(w->folder.ctx, line.data, line.size, problem, size);
    const r1_json *ids = r1_json_find(row, "ids");
    r1_slice text = tool_field(row, "text");
    bool good = row != NULL;
    if (ids && ids->kind == R1_JSON_ARRAY) {
        s->ids = (int32_t *)malloc((ids->count + 1) * sizeof *s->ids);
        for (const r1_json *id = ids->child; s->ids && good && id; id = id->next) {
            double value = r1_json_number(id, -1);
            good = value >= 0 && value <= INT32_MAX && value == floor(value);
            if (good) s->ids[s->n++] = (int32_t)value;
        }
        if (!good) snprintf(problem, size, "an id that is none");
    } else if (text.data) {
        good = read_text(w, text, s, problem, size);
    } else if (row) {
        good = false, snprintf(problem, size, "\"ids\" or \"text\" is missing");
    }
    r1_json_free(w->folder.ctx, row);
    return good && s->ids;
}
static bool read_sequence(work *w, r1_slice line, sequence *s, char *problem, size_t size) {
    bool good;
    if (!given.text && line.data[0] == '{')
        good = read_row(w, line, s, problem, size);
    else if (given.text)
        good = read_text(w, line, s, problem, size);
    else if (!(good = read_ids(line, s)))
        snprintf(problem, size, "the line is no list of ids; for text give --text");
    if (good && !s->n) return snprintf(problem, size, "there are no ids"), false;
    if (!good) return false;
    const r1_model_config *config = r1_model_config_of(w->folder.model);
    for (size_t i = 0; i < s->n; i++)
        if ((size_t)s->ids[i] >= config->vocab)
            return snprintf(problem, size, "id %d is beyond the model's vocabulary of %zu",
                            (int)s->ids[i], config->vocab),
                   false;
    if (s->n <= config->max_tokens) return true;
    snprintf(problem, size, "%zu tokens are too many: the model holds %zu", s->n,
             config->max_tokens);
    return false;
}

// ---- computing ----
static bool compute_logits(work *w, const r1_batch *batch, sequence *s) {
    r1_context *ctx = w->folder.ctx;
    r1_batch copy = *batch;
    r1_no_grad_begin(ctx), r1_step_begin(ctx);
    r1_tensor *hidden = r1_model_forward(w->folder.model, &copy);
    r1_tensor *logits = r1_matmul(ctx, hidden, r1_model_head(w->folder.model), NULL);
    if (logits) memcpy(s->logits, logits->data, s->n * w->V * sizeof *s->logits);
    r1_step_end(ctx), r1_no_grad_end(ctx);
    return logits != NULL;
}
static bool compute(work *w, sequence *s) {
    size_t starts[2] = {0, s->n};
    r1_batch batch = {.tokens = s->ids, .starts = starts, .B = 1};
    bool all = given.top || given.logits;
    s->logp = (float *)malloc(s->n * sizeof *s->logp);
    s->entropy = (float *)malloc(s->n * sizeof *s->entropy);
    if (all && s->n <= SIZE_MAX / w->V / sizeof *s->logits)
        s->logits = (float *)malloc(s->n * w->V * sizeof *s->logits);
    if (!s->logp || !s->entropy || (all && !s->logits))
        return tool_fail(&self, TOOL_FAILED, "out of memory"), false;
    return r1_model_score(w->folder.model, &batch, given.temperature, 0, s->logp, s->entropy) ==
               R1_OK &&
           (!all || compute_logits(w, &batch, s));
}
// The k-th likeliest id of a row: that with the largest logit below those before it; of equals the
// lower id comes first.
static size_t next_likely(const float *row, size_t V, size_t last) {
    size_t best = V;
    for (size_t i = 0; i < V; i++) {
        bool later = last == V || row[i] < row[last] || (row[i] == row[last] && i > last);
        if (later && (best == V || row[i] > row[best])) best = i;
    }
    return best;
}
// log of the sum of e^(logit / T).
static double log_sum(const float *row, size_t V) {
    double sum = 0;
    size_t top = next_likely(row, V, V);
    for (size_t i = 0; i < V; i++)
        sum += exp(((double)row[i] - (double)row[top]) / given.temperature);
    return (double)row[top] / given.temperature + log(sum);
}

// ---- printing ----
static void print_token(const work *w, size_t id) {
    r1_slice text = r1_tokenizer_text(w->folder.tokenizer, (int32_t)id);
    int width = 2;
    if (!text.data) {
        printf("%-11zu", id);
        return;
    }
    putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = c >= ' ' && c != 127 && c != '"' && c != '\\';
        width += plain ? (printf("%c", c), (c & 0xc0) != 0x80) : printf("\\x%02x", c);
    }
    printf("\"%*s", width < 11 ? 11 - width : 0, "");
}
static void print_table(const work *w, const sequence *s) {
    double total = 0;
    printf(" place     id      logp  entropy  token      %s\n", given.top ? " likeliest next" : "");
    for (size_t i = 0; i < s->n; i++) {
        printf("%6zu %6d %9.4f %8.4f  ", i, (int)s->ids[i], (double)s->logp[i],
               (double)s->entropy[i]);
        print_token(w, (size_t)s->ids[i]);
        total += (double)s->logp[i];
        const float *row = s->logits ? s->logits + i * w->V : NULL;
        double sum = given.top ? log_sum(row, w->V) : 0;
        size_t id = w->V;
        for (long long k = 0; k < given.top && (size_t)k < w->V; k++) {
            id = next_likely(row, w->V, id);
            putchar(' '), print_token(w, id);
            printf("%7.3f", (double)row[id] / given.temperature - sum);
        }
        putchar('\n');
    }
    printf(" total        %9.4f over %zu tokens, perplexity %.4f\n\n", total, s->n - 1,
           s->n > 1 ? exp(-total / (double)(s->n - 1)) : 1);
}
static void write_floats(r1_json_writer *out, const char *key, const float *values, size_t n) {
    r1_json_begin_array(out, key);
    for (size_t i = 0; i < n; i++) r1_json_write_number(out, NULL, (double)values[i]);
    r1_json_end_array(out);
}
static void write_top(const work *w, r1_json_writer *out, const sequence *s) {
    r1_json_begin_array(out, "top");
    for (size_t i = 0; i < s->n; i++) {
        const float *row = s->logits + i * w->V;
        double sum = log_sum(row, w->V);
        size_t id = w->V;
        r1_json_begin_array(out, NULL);
        for (long long k = 0; k < given.top && (size_t)k < w->V; k++) {
            id = next_likely(row, w->V, id);
            r1_json_begin_object(out, NULL);
            r1_json_write_integer(out, "id", (int64_t)id);
            r1_json_write_number(out, "logp", (double)row[id] / given.temperature - sum);
            r1_json_end_object(out);
        }
        r1_json_end_array(out);
    }
    r1_json_end_array(out);
}
static void print_json(const work *w, const sequence *s) {
    r1_json_writer out = {.ctx = w->folder.ctx};
    double total = 0;
    r1_json_begin_object(&out, NULL);
    r1_json_begin_array(&out, "ids");
    for (size_t i = 0; i < s->n; i++)
        r1_json_write_integer(&out, NULL, s->ids[i]), total += (double)s->logp[i];
    r1_json_end_array(&out);
    write_floats(&out, "logp", s->logp, s->n);
    write_floats(&out, "entropy", s->entropy, s->n);
    if (given.top) write_top(w, &out, s);
    r1_json_write_number(&out, "total", total);
    r1_json_end_object(&out);
    if (!out.failed) puts(out.text);
    r1_json_writer_free(&out);
}
static void write_file(const work *w) {
    r1_entry *entries = (r1_entry *)calloc(w->n_sequences + 1, sizeof *entries);
    char(*names)[32] = (char(*)[32])calloc(w->n_sequences + 1, sizeof *names);
    for (size_t i = 0; entries && names && i < w->n_sequences; i++) {
        const sequence *s = &w->sequences[i];
        snprintf(names[i], sizeof names[i], "logits.%zu", s->number);
        entries[i] = (r1_entry){.name = names[i],
                                .dtype = R1_F32,
                                .rank = 2,
                                .shape = {s->n, w->V},
                                .data = s->logits,
                                .bytes = s->n * w->V * sizeof(float)};
    }
    if (entries && names)
        r1_tensors_save(w->folder.ctx, given.logits, entries, w->n_sequences, NULL, 0);
    free(entries), free(names);
}

static bool keep(work *w, sequence *s) {
    if (w->n_sequences == w->room) {
        size_t room = 2 * w->room + 16;
        sequence *grown = (sequence *)realloc(w->sequences, room * sizeof *grown);
        if (!grown) return tool_fail(&self, TOOL_FAILED, "out of memory"), false;
        w->sequences = grown, w->room = room;
    }
    w->sequences[w->n_sequences++] = *s;
    *s = (sequence){0};
    return true;
}
static int run(work *w) {
    tool_lines lines;
    r1_slice line;
    int code = TOOL_DONE;
    if (!tool_open(&self, self.n_files > 1 ? self.files[1] : NULL, &lines)) return TOOL_INPUT;
    while (tool_next(&lines, &line)) {
        char problem[TOOL_PROBLEM] = "out of memory";
        sequence s = {.number = lines.number};
        if (!line.size) continue;
        bool good = read_sequence(w, line, &s, problem, sizeof problem);
        if (!good)
            code = tool_fail(&self, TOOL_INPUT, "%s:%zu: %s", lines.path, lines.number, problem);
        bool going = !good || compute(w, &s);
        if (good && going && given.json) print_json(w, &s);
        if (good && going && !given.json) print_table(w, &s);
        if (good && going && given.logits) going = keep(w, &s);
        free_sequence(&s);
        if (!going || r1_status_of(w->folder.ctx) != R1_OK || fflush(stdout)) {
            if (code == TOOL_DONE) code = TOOL_FAILED;
            break;
        }
    }
    if (tool_close(&lines)) code = TOOL_INPUT;
    if (given.logits && r1_status_of(w->folder.ctx) == R1_OK) write_file(w);
    return code;
}
int main(int argc, char **argv) {
    static work w;
    int code = tool_options(&self, argc, argv);
    if (code != TOOL_GO) return code;
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = (int)given.threads});
    const r1_load_desc keep = {.keep_bf16 = true}; // the same numbers from half the memory
    w.folder.ctx = ctx, w.folder.model = r1_model_load_with(ctx, self.files[0], &keep);
    if (!w.folder.model) {
        code = tool_refuse(&self, ctx);
        return r1_context_free(ctx), code;
    }
    w.V = r1_model_config_of(w.folder.model)->vocab;
    code = run(&w);
    if (code == TOOL_FAILED && r1_status_of(ctx) != R1_OK) code = tool_refuse(&self, ctx);
    code = tool_end(&self, ctx, code);
    for (size_t i = 0; i < w.n_sequences; i++) free_sequence(&w.sequences[i]);
    free(w.sequences);
    r1_context_free(ctx);
    return code;
}
