// tool_model.h - the folder of a model as the tools that generate use it: weights, tokenizer, chat
// format, the ids that end an answer, and how its makers draw from it. Text goes in, ids come out.
//
//     static tool_drawing drawing = TOOL_DRAWING;
//     static const tool_option options[] = {TOOL_DRAWING_OPTIONS(drawing)};
//     tool_folder folder;
//     int code = tool_folder_open(&self, ctx, path, &drawing, TOOL_TO_ANSWER, &folder);
//     int32_t *ids = tool_prompt_ids(&folder, &message, 1, &n, problem, sizeof problem);
#ifndef R1_TOOL_MODEL_H
#define R1_TOOL_MODEL_H
#include "tool.h"
#include <time.h>

enum { TOOL_STOPS = 16, TOOL_PATH = 4096, TOOL_PROBLEM = 192 };
// What of the weights a tool opens: none; as the file has them, for answers; or as training needs.
typedef enum tool_weights { TOOL_CONFIG_ALONE, TOOL_TO_ANSWER, TOOL_TO_TRAIN } tool_weights;

// How answers are drawn: what the command line says, R1_OFF = not said.
typedef struct tool_drawing {
    const char *chat;
    bool greedy;
    double temperature, top_p;
    long long top_k, max_new, seed, threads;
} tool_drawing;
#define TOOL_DRAWING                                                                               \
    { .temperature = R1_OFF, .top_p = R1_OFF, .top_k = R1_OFF, .max_new = 4096, .seed = 1 }

// Rows of a table of options.
#define TOOL_DRAWING_OPTIONS(d)                                                                    \
    {"--chat", "NAME",                                                                             \
     "chat format such as deepseek-r1, or none for bare text; default: the folder's",              \
     .word = &(d).chat},                                                                           \
        {"--temperature",                                                                          \
         "T",                                                                                      \
         "above 0 .. 100, for 0 see --greedy; default: the folder's, else 0.6",                    \
         .real = &(d).temperature,                                                                 \
         .low = 1e-3,                                                                              \
         .high = 100},                                                                             \
        {"--top-p",          "P",         "above 0 .. 1; default: the folder's, else 0.95",        \
         .real = &(d).top_p, .low = 1e-6, .high = 1},                                              \
        {"--top-k",                                                                                \
         "K",                                                                                      \
         "keep the K most likely ids; default: the folder's, else all",                            \
         .whole = &(d).top_k,                                                                      \
         .low = 0,                                                                                 \
         .high = 1 << 24},                                                                         \
        {"--max-new",           "N",      "longest answer in tokens; default 4096",                \
         .whole = &(d).max_new, .low = 1, .high = 1 << 24},                                        \
        {"--greedy", NULL, "always the most likely id", .flag = &(d).greedy},                      \
        {"--seed", "N", "of the draws; default 1", .whole = &(d).seed, .low = 0, .high = 1e15}, {  \
        "--threads", "N", "workers, 1 .. 256; default: one per core", .whole = &(d).threads,       \
                                                                      .low = 1, .high = 256        \
    }

// An open folder. All of it belongs to the context.
typedef struct tool_folder {
    r1_context *ctx;
    r1_model *model;        // NULL when it was opened without weights
    r1_model_config config; // of the model
    r1_tokenizer *tokenizer;
    r1_chat chat; // R1_CHAT_FILE = none: a prompt is text as it stands
    bool opened;  // the format begins the thoughts, so an answer begins inside <think>
    bool begins;  // bare text gets the begin token
    int32_t stops[TOOL_STOPS];
    size_t n_stops;
    r1_sampler_desc sampler;
    const tool *self;
    bool bad; // an error line has been printed
} tool_folder;

static inline double tool_seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---- opening ----
static inline bool tool_file_there(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}
// A file of JSON of the folder; NULL when there is none, and after an error.
static inline r1_json *tool_folder_json(tool_folder *f, const char *folder, const char *name) {
    char path[TOOL_PATH], problem[TOOL_PROBLEM];
    size_t size = 0;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (f->bad || length < 0 || length >= TOOL_PATH || !tool_file_there(path)) return NULL;
    char *text = r1_file_read(f->ctx, path, &size);
    r1_json *json = text ? r1_json_try(f->ctx, text, size, problem, sizeof problem) : NULL;
    r1_file_free(f->ctx, text);
    if (!text || json || r1_status_of(f->ctx) != R1_OK) return json;
    f->bad = tool_fail(f->self, TOOL_INPUT, "%s: %s", path, problem) != TOOL_DONE;
    return NULL;
}
static inline void tool_add_stop(tool_folder *f, int32_t id) {
    for (size_t i = 0; i < f->n_stops; i++)
        if (f->stops[i] == id) return;
    if (id >= 0 && f->n_stops < TOOL_STOPS) f->stops[f->n_stops++] = id;
}
static inline void tool_add_stops(tool_folder *f, const r1_json *node) {
    const r1_json *item = node && node->kind == R1_JSON_ARRAY ? node->child : node;
    for (; item; item = node == item ? NULL : item->next) {
        double id = r1_json_number(item, -1);
        if (id >= 0 && id < 2147483648.0) tool_add_stop(f, (int32_t)id);
    }
}
// What ends an answer: the ids that the folder names, and the end of a turn of the chat format.
static inline void tool_find_stops(tool_folder *f, const char *path) {
    static const char *const files[] = {"generation_config.json", "config.json"};
    static const char *const ends[R1_CHAT_COUNT] = {[R1_CHAT_QWEN2] = "<|im_end|>",
                                                    [R1_CHAT_QWEN25] = "<|im_end|>",
                                                    [R1_CHAT_QWEN3] = "<|im_end|>",
                                                    [R1_CHAT_LLAMA3] = "<|eot_id|>",
                                                    [R1_CHAT_LLAMA31] = "<|eot_id|>"};
    for (int i = 0; i < 2; i++) {
        r1_json *json = tool_folder_json(f, path, files[i]);
        tool_add_stops(f, r1_json_find(json, "eos_token_id"));
        r1_json_free(f->ctx, json);
    }
    tool_add_stop(f, r1_tokenizer_end(f->tokenizer));
    if (ends[f->chat]) tool_add_stop(f, r1_tokenizer_find(f->tokenizer, ends[f->chat]));
}
// The command line first, then generation_config.json, then what DeepSeek advises for R1. A file
// that names a temperature, top_p or top_k leaves the others open; "do_sample": false without a word
// of the command line is --greedy.
static inline void tool_find_sampler(tool_folder *f, const char *path, const tool_drawing *d) {
    static const char *const left_out[] = {"repetition_penalty", "no_repeat_ngram_size", "min_p",
                                           "typical_p"};
    static const double without[] = {1, 0, 0, 1}; // what changes nothing
    r1_json *json = tool_folder_json(f, path, "generation_config.json");
    const r1_json *heat = r1_json_find(json, "temperature"), *p = r1_json_find(json, "top_p");
    const r1_json *sample = r1_json_find(json, "do_sample"), *k = r1_json_find(json, "top_k");
    bool said = r1_json_bool(sample, false) || (heat && heat->kind == R1_JSON_NUMBER) ||
                (p && p->kind == R1_JSON_NUMBER) || (k && k->kind == R1_JSON_NUMBER);
    double temperature = r1_json_number(heat, said ? 1 : 0.6);
    double top_p = r1_json_number(p, said ? 1 : 0.95), top_k = r1_json_number(k, 0);
    bool known = temperature >= 0 && temperature <= 100 && top_p > 0 && top_p <= 1 && top_k >= 0 &&
                 top_k < 1 << 24;
    bool asked = d->temperature > 0 || d->top_p > 0 || d->top_k >= 0;
    f->sampler.greedy = d->greedy || (!asked && (temperature == 0 || !r1_json_bool(sample, true)));
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
        double value = r1_json_number(r1_json_find(json, left_out[i]), without[i]);
        if (value != without[i] && !f->sampler.greedy)
            fprintf(stderr, "%s: note: %s of generation_config.json, %g, is not applied\n",
                    f->self->name, left_out[i], value);
    }
    if (d->temperature > 0) temperature = d->temperature;
    if (d->top_p > 0) top_p = d->top_p;
    if (d->top_k >= 0) top_k = (double)d->top_k;
    r1_json_free(f->ctx, json);
    f->sampler.temperature = temperature > 0 ? temperature : 1;
    if (known) {
        f->sampler.top_p = top_p < 1 ? top_p : 0, f->sampler.top_k = (size_t)top_k;
        return;
    }
    f->bad = true;
    tool_fail(f->self, TOOL_INPUT,
              "%s/generation_config.json: temperature must be 0 .. 100, top_p above 0 .. 1 and "
              "top_k 0 .. 16777215",
              path);
}
static inline bool tool_text_has(r1_slice text, const char *word) {
    size_t n = strlen(word);
    for (size_t at = 0; at + n <= text.size; at++)
        if (!memcmp(text.data + at, word, n)) return true;
    return false;
}
// The format that a template which nobody knows by its text is most like, by marks in it.
static inline r1_chat tool_like_chat(r1_slice text) {
    static const struct {
        const char *marks[3]; // the first two must be there, the last one must not
        r1_chat chat;
    } rows[] = {
        {{"<|im_start|>", "enable_thinking", ""}, R1_CHAT_QWEN3},
        {{"<|im_start|>", "You are Qwen, created by Alibaba Cloud", ""}, R1_CHAT_QWEN25},
        {{"<|im_start|>", "You are a helpful assistant", ""}, R1_CHAT_QWEN2},
        {{"<|im_start|>", "", "system_message"}, R1_CHAT_QWEN3},
        {{"<|start_header_id|>", "Cutting Knowledge Date", ""}, R1_CHAT_LLAMA31},
        {{"<|start_header_id|>", "", ""}, R1_CHAT_LLAMA3},
        {{"\xef\xbd\x9c"
          "Assistant"
          "\xef\xbd\x9c><think>",
          "", "thinking"},
         R1_CHAT_R1},
        {{"\xef\xbd\x9c"
          "Assistant"
          "\xef\xbd\x9c>",
          "", "thinking"},
         R1_CHAT_V3},
        {{"'User: '", "'Assistant: '", ""}, R1_CHAT_V2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const *marks = rows[i].marks;
        if (tool_text_has(text, marks[0]) && tool_text_has(text, marks[1]) &&
            (!*marks[2] || !tool_text_has(text, marks[2])))
            return rows[i].chat;
    }
    return R1_CHAT_FILE;
}
// The chat format: the one that was asked for, else the tokenizer's, else the one that the folder's
// template is like, and a line that says so. An answer is inside <think> from its begin on when the
// format has opened it.
static inline void tool_find_chat(tool_folder *f, const char *path, const char *name) {
    char file[TOOL_PATH];
    size_t size = 0;
    f->chat = name ? r1_chat_find(name) : r1_tokenizer_chat(f->tokenizer);
    if (!name && !f->chat) {
        snprintf(file, sizeof file, "%s/chat_template.jinja", path);
        char *text = tool_file_there(file) ? r1_file_read(f->ctx, file, &size) : NULL;
        r1_json *json = text ? NULL : tool_folder_json(f, path, "tokenizer_config.json");
        r1_slice template = r1_json_text(r1_json_find(json, "chat_template"));
        if (text) template = (r1_slice){text, size};
        f->chat = tool_like_chat(template);
        if (template.size)
            fprintf(stderr,
                    "%s: note: the folder's chat template is not known%s%s; --chat NAME chooses a "
                    "format, --chat none bare text\n",
                    f->self->name,
                    f->chat ? ", but is much like " : "; prompts are given as bare text",
                    f->chat ? r1_chat_name(f->chat) : "");
        r1_file_free(f->ctx, text), r1_json_free(f->ctx, json);
    }
    f->opened = f->chat == R1_CHAT_R1;
}
// Whether bare text begins with the begin token: as the tokenizer's config says, else where it names
// one.
static inline void tool_find_begin(tool_folder *f, const char *path) {
    r1_json *json = tool_folder_json(f, path, "tokenizer_config.json");
    f->begins = r1_tokenizer_begin(f->tokenizer) >= 0 &&
                r1_json_bool(r1_json_find(json, "add_bos_token"), true);
    r1_json_free(f->ctx, json);
}
// The config alone, for a plan. False after an error of the context.
static inline bool tool_read_config(tool_folder *f, const char *path) {
    char name[TOOL_PATH];
    size_t size = 0;
    snprintf(name, sizeof name, "%s/config.json", path);
    char *text = r1_file_read(f->ctx, name, &size);
    bool good = text && r1_model_config_read(f->ctx, text, size, &f->config) == R1_OK;
    r1_file_free(f->ctx, text);
    return good;
}
// Ends a tool that could not open something: the code, and the words of the context.
static inline int tool_refuse(const tool *self, r1_context *ctx) {
    bool memory = r1_status_of(ctx) == R1_ERROR_MEMORY;
    return tool_fail(self, memory ? TOOL_FAILED : TOOL_INPUT, "%s", r1_message_of(ctx));
}
// Opens the tokenizer and the model, or its config alone. TOOL_GO, or the code to exit with after
// an error line.
static inline int tool_folder_open(const tool *self, r1_context *ctx, const char *path,
                                   const tool_drawing *d, tool_weights weights, tool_folder *f) {
    *f = (tool_folder){.ctx = ctx, .self = self};
    if (d->chat && strcmp(d->chat, "none") != 0 && !r1_chat_find(d->chat))
        return tool_unknown_chat(self, d->chat, "none, ");
    const r1_load_desc keep = {.keep_bf16 = weights == TOOL_TO_ANSWER};
    f->model = weights ? r1_model_load_with(ctx, path, &keep) : NULL;
    if (f->model) f->config = *r1_model_config_of(f->model);
    if (weights ? !f->model : !tool_read_config(f, path)) return tool_refuse(self, ctx);
    f->tokenizer = r1_tokenizer_load(ctx, path, NULL);
    if (!f->tokenizer) return tool_refuse(self, ctx);
    tool_find_chat(f, path, d->chat), tool_find_stops(f, path);
    tool_find_begin(f, path), tool_find_sampler(f, path, d);
    if (r1_status_of(ctx) != R1_OK) return tool_refuse(self, ctx);
    return f->bad ? TOOL_INPUT : TOOL_GO;
}

// ---- text to ids ----
// Ids of plain text, special tokens in it included. A vocabulary without blanks, such as that of a
// toy, gets the text without them. NULL and the reason when it cannot be spelled; free the ids.
static inline int32_t *tool_text_ids(const tool_folder *f, r1_slice text, size_t *n, char *problem,
                                     size_t problem_bytes) {
    char *copy = (char *)malloc(text.size + 1);
    size_t room = 3 * text.size;
    int32_t *ids = (int32_t *)malloc((room + 1) * sizeof *ids);
    *n = SIZE_MAX;
    if (copy && ids) *n = r1_encode(f->tokenizer, text.data, text.size, ids, room);
    if (copy && ids && *n == SIZE_MAX) {
        size_t size = 0;
        for (size_t i = 0; i < text.size; i++)
            if (!strchr(" \t\r\n", text.data[i])) copy[size++] = text.data[i];
        *n = r1_encode(f->tokenizer, copy, size, ids, room);
    }
    free(copy);
    if (ids && *n != SIZE_MAX && *n) return ids;
    snprintf(problem, problem_bytes, "%s",
             !copy || !ids ? "out of memory"
             : *n == 0     ? "the prompt is empty"
                           : "the model's vocabulary cannot spell the prompt");
    free(ids);
    return NULL;
}
// Ids of a bare prompt: the begin token, where the folder wants one, and the text.
static inline int32_t *tool_bare_ids(const tool_folder *f, r1_slice text, size_t *n, char *problem,
                                     size_t problem_bytes) {
    int32_t begin = r1_tokenizer_begin(f->tokenizer);
    int32_t *ids = tool_text_ids(f, text, n, problem, problem_bytes);
    if (!ids || !f->begins || ids[0] == begin) return ids;
    int32_t *longer = (int32_t *)realloc(ids, (*n + 1) * sizeof *ids);
    if (!longer) return free(ids), snprintf(problem, problem_bytes, "out of memory"), NULL;
    memmove(longer + 1, longer, *n * sizeof *ids);
    longer[0] = begin, ++*n;
    return longer;
}
// Ids of a conversation and the head of the next answer, by the chat format. Without a format the
// last message stands alone. NULL and the reason when that cannot be; free the ids.
static inline int32_t *tool_prompt_ids(const tool_folder *f, const r1_message *messages,
                                       size_t n_messages, size_t *n, char *problem,
                                       size_t problem_bytes) {
    if (!f->chat) {
        const r1_message *last = &messages[n_messages - 1];
        r1_slice text = {last->content, last->size ? last->size : strlen(last->content)};
        return tool_bare_ids(f, text, n, problem, problem_bytes);
    }
    r1_chat_desc desc = {.chat = f->chat, .messages = messages, .n = n_messages, .prompt = true};
    *n = r1_chat_encode(f->ctx, f->tokenizer, &desc, NULL, 0);
    int32_t *ids = *n == SIZE_MAX ? NULL : (int32_t *)malloc((*n + 1) * sizeof *ids);
    if (ids) r1_chat_encode(f->ctx, f->tokenizer, &desc, ids, *n);
    if (!ids)
        snprintf(problem, problem_bytes, "%s",
                 r1_status_of(f->ctx) != R1_OK ? r1_message_of(f->ctx)
                 : *n == SIZE_MAX ? "a conversation that the chat format or the vocabulary lacks "
                                    "words for"
                                  : "out of memory");
    return ids;
}
// Whether the model can take a prompt and answer it; else the reason.
static inline bool tool_prompt_fits(const tool_folder *f, const int32_t *ids, size_t n,
                                    char *problem, size_t problem_bytes) {
    const r1_model_config *config = &f->config;
    int32_t highest = 0;
    for (size_t i = 0; i < n; i++) highest = ids[i] > highest ? ids[i] : highest;
    if ((size_t)highest >= config->vocab)
        snprintf(problem, problem_bytes, "id %d is beyond the model's vocabulary of %zu",
                 (int)highest, config->vocab);
    else if (n >= config->max_tokens)
        snprintf(problem, problem_bytes, "%zu tokens are too many: the model holds %zu", n,
                 config->max_tokens);
    else
        return true;
    return false;
}
// The text of an answer without the id that ended it; free it. NULL without memory.
static inline char *tool_answer_text(const tool_folder *f, const r1_sample *s, size_t *size) {
    size_t n = s->n - s->n_prompt;
    for (size_t i = 0; n && !s->truncated && i < f->n_stops; i++)
        if (s->tokens[s->n - 1] == f->stops[i]) {
            n--;
            break;
        }
    *size = r1_decode(f->tokenizer, s->tokens + s->n_prompt, n, NULL, 0);
    char *text = (char *)malloc(*size + 1);
    if (text) r1_decode(f->tokenizer, s->tokens + s->n_prompt, n, text, *size + 1);
    return text;
}
#endif
