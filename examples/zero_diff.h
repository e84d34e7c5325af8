// Reads the log of a run back, and finds where two runs part: the first step whose weights have
// another hash, and the first tensor that differs in a checkpoint behind it.
#ifndef ZERO_DIFF_H
#define ZERO_DIFF_H
#include "zero_options.h"

static bool file_exists(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

// ---- rows ----
// The rows of a log, one at a time. A torn last row is passed over.
typedef struct rows {
    r1_context *ctx;
    char *text;
    size_t size, at;
} rows;

static bool open_rows(rows *rows, r1_context *ctx, const char *path) {
    *rows = (struct rows){.ctx = ctx};
    rows->text = r1_file_read(ctx, path, &rows->size);
    return rows->text != NULL;
}
// The next row, NULL at the end. Free it with r1_json_free.
static r1_json *next_row(rows *rows) {
    while (rows->at < rows->size) {
        const char *line = rows->text + rows->at;
        const char *end = (const char *)memchr(line, '\n', rows->size - rows->at);
        size_t size = end ? (size_t)(end - line) : rows->size - rows->at;
        rows->at += size + 1;
        r1_json *row = r1_json_try(rows->ctx, line, size, NULL, 0);
        if (row) return row;
    }
    return NULL;
}
static void close_rows(rows *rows) { r1_file_free(rows->ctx, rows->text); }
static bool says(const r1_json *row, const char *key, const char *text) {
    r1_slice found = r1_json_text(r1_json_find(row, key));
    return found.size == strlen(text) && !memcmp(found.data, text, found.size);
}
static double number_in(const r1_json *row, const char *key) {
    return r1_json_number(r1_json_find(row, key), 0);
}

// ---- comparison ----
// The next row that has a hash of the weights.
static r1_json *next_hash(rows *rows) {
    r1_json *row;
    while ((row = next_row(rows)) != NULL && !r1_json_find(row, "weight_hash"))
        r1_json_free(rows->ctx, row);
    return row;
}
static bool same_text(const r1_json *a, const r1_json *b, const char *key) {
    r1_slice x = r1_json_text(r1_json_find(a, key)), y = r1_json_text(r1_json_find(b, key));
    return x.size == y.size && !memcmp(x.data, y.data, x.size);
}
// Prints the first tensor that differs between two checkpoints. They hold flat ranges; a model of
// the same config knows which tensor lies where.
static void compare_checkpoints(r1_context *ctx, r1_model *model, const char *const paths[2]) {
    r1_tensors *files[2] = {r1_tensors_open(ctx, paths[0]), r1_tensors_open(ctx, paths[1])};
    size_t n = 0;
    const r1_parameter *parameters = r1_model_parameters(model, &n);
    const r1_range *ranges = r1_model_ranges(model, NULL);
    for (size_t i = 0; i < n && files[0] && files[1]; i++) {
        char name[32];
        const r1_parameter *p = &parameters[i];
        size_t from = (size_t)(p->tensor->data - ranges[p->range].w);
        size_t count = r1_tensor_count(p->tensor);
        snprintf(name, sizeof name, "policy.%d.w", p->range);
        const r1_entry *a = r1_tensors_find(files[0], name), *b = r1_tensors_find(files[1], name);
        if (!a || !b || a->bytes != b->bytes || a->bytes < (from + count) * sizeof(float)) break;
        const char *x = (const char *)a->data + from * sizeof(float);
        const char *y = (const char *)b->data + from * sizeof(float);
        size_t at = 0;
        while (at < count && !memcmp(x + at * sizeof(float), y + at * sizeof(float), sizeof(float)))
            at++;
        if (at == count) continue;
        float values[2];
        memcpy(&values[0], x + at * sizeof(float), sizeof(float));
        memcpy(&values[1], y + at * sizeof(float), sizeof(float));
        printf("first tensor that differs, in %s: %s, element %zu: %.9g and %.9g\n", paths[0],
               p->name, at, (double)values[0], (double)values[1]);
        break;
    }
    r1_tensors_close(files[0]);
    r1_tensors_close(files[1]);
}
// The first checkpoint at or after a step that both runs have.
static void find_and_compare(r1_context *ctx, const options *o, const char *stage, uint64_t step) {
    enum { FAR = 20000 };
    bool rl = !strcmp(stage, "rl");
    char paths[2][PATH_BYTES], base[PATH_BYTES];
    for (uint64_t last = step + FAR; step <= last; step++) {
        bool both = true;
        for (int i = 0; i < 2; i++) {
            char folder[64] = "pretrain";
            if (rl) snprintf(folder, sizeof folder, "rl-%06llu", (unsigned long long)step);
            snprintf(paths[i], PATH_BYTES, "%s/checkpoints/%s/checkpoint-%08llu.safetensors",
                     o->folders[i], folder, (unsigned long long)step);
            both = both && file_exists(paths[i]);
        }
        if (!both) continue;
        // The results of a run with --model are a model too, and it has no base of its own.
        snprintf(base, sizeof base, "%s/base/config.json", o->folders[0]);
        snprintf(base, sizeof base, file_exists(base) ? "%s/base" : "%s", o->folders[0]);
        r1_model *model = r1_model_load(ctx, base);
        if (model) compare_checkpoints(ctx, model, (const char *const[]){paths[0], paths[1]});
        return;
    }
    puts("no checkpoint behind that step is in both folders");
}
// Compares the hashes of the weights, row by row.
static int compare_runs(r1_context *ctx, const options *o, rows *logs) {
    for (uint64_t equal = 0;; equal++) {
        r1_json *a = next_hash(&logs[0]), *b = next_hash(&logs[1]);
        if (!a || !b) {
            if (a || b)
                printf("equal for %llu rows, then %s ends\n", (unsigned long long)equal,
                       o->folders[a ? 1 : 0]);
            else
                printf("the runs are equal: %llu rows\n", (unsigned long long)equal);
            bool same = !a && !b;
            r1_json_free(ctx, a);
            r1_json_free(ctx, b);
            return same ? FINE : FAILED;
        }
        bool rl = says(a, "stage", "rl");
        double step = number_in(a, "step");
        bool place = same_text(a, b, "stage") && step == number_in(b, "step");
        bool same = place && same_text(a, b, "weight_hash");
        if (!same) {
            printf("first difference: %s step %.0f%s: weights %.*s and %.*s\n",
                   rl ? "rl" : "pretrain", step, place ? "" : " (the other has another step)", 16,
                   r1_json_text(r1_json_find(a, "weight_hash")).data, 16,
                   r1_json_text(r1_json_find(b, "weight_hash")).data);
            if (place && step >= 0 && step < 1e6)
                find_and_compare(ctx, o, rl ? "rl" : "pretrain", (uint64_t)step);
        }
        r1_json_free(ctx, a);
        r1_json_free(ctx, b);
        if (!same) return FAILED;
    }
}
#endif
