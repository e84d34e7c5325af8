// Turns text into token ids and back, with the tokenizer of a model's folder.
//
//     $ printf 'Hello world' | build/r1_tokenize --tokenizer base/
//     17464 1843
//     $ echo '{"text": "Hello world"}' | build/r1_tokenize --tokenizer base/ --jsonl
//     {"n":2,"ids":[17464,1843]}
//     $ echo 17464 1843 | build/r1_tokenize --tokenizer base/ --decode
//     Hello world
//     $ build/r1_tokenize --train 4096 --tokenizer new.json corpus.txt
//
// Rows of JSON may have "text", "ids" or "messages" (a conversation, by the tokenizer's chat format
// or by --chat); each row gives {"n", "ids"} or {"text"}.
#include "r1.h"
#include "tool_rows.h"

static struct options {
    const char *tokenizer, *split, *chat;
    bool jsonl, json, decode, plain, prompt, count;
    long long threads, train;
} given;
static const tool_option options[] = {
    {"--tokenizer", "PATH", "folder, tokenizer.json or .tiktoken file; needed",
     .word = &given.tokenizer},
    {"--jsonl", NULL, "lines of JSON in and out", .flag = &given.jsonl},
    {"--json", NULL, "text or ids in, one JSON object out", .flag = &given.json},
    {"--decode", NULL, "ids in, text out", .flag = &given.decode},
    {"--plain", NULL, "special tokens in the text are spelled out", .flag = &given.plain},
    {"--count", NULL, "only the number of ids", .flag = &given.count},
    {"--chat", "NAME", "chat format, such as deepseek-r1; default: the tokenizer's own",
     .word = &given.chat},
    {"--prompt", NULL, "conversations end with the head of the next answer", .flag = &given.prompt},
    {"--split", "NAME", "how text is cut, such as deepseek-v3; for .tiktoken and --train",
     .word = &given.split},
    {"--train", "N", "learn N ids from FILE and write them to PATH", .whole = &given.train,
     .low = 256, .high = 1 << 24},
    {"--threads", "N", "workers for --jsonl, 1 .. 256; default: one per core",
     .whole = &given.threads, .low = 1, .high = 256},
};
static tool self = {
    "r1_tokenize",
    "--tokenizer PATH [FILE]",
    "Turns text into token ids and back. Without FILE, or with -, it reads standard input.",
    options,
    sizeof options / sizeof *options,
    .most_files = 1};

// As enum r1_split counts them.
static const char *const splits[R1_SPLIT_COUNT] = {"file",           "deepseek-v3", "deepseek-llm",
                                                   "deepseek-coder", "qwen2",       "cl100k",
                                                   "gpt2",           "starcoder"};

static void write_ids(r1_json_writer *out, const int32_t *ids, size_t n) {
    r1_json_begin_object(out, NULL);
    r1_json_write_integer(out, "n", (int64_t)n);
    if (!given.count) {
        r1_json_begin_array(out, "ids");
        for (size_t i = 0; i < n; i++) r1_json_write_integer(out, NULL, ids[i]);
        r1_json_end_array(out);
    }
    r1_json_end_object(out);
}
static void write_text(r1_json_writer *out, const char *text, size_t size) {
    r1_json_begin_object(out, NULL);
    r1_json_write_text(out, "text", text, size);
    r1_json_end_object(out);
}
static void print_json(r1_json_writer *out) {
    if (!out->failed) puts(out->text);
    r1_json_writer_free(out);
}
static int out_of_memory(void) { return tool_fail(&self, TOOL_FAILED, "out of memory"); }

static int encode_text(r1_context *ctx, const r1_tokenizer *tokenizer) {
    r1_json_writer out = {.ctx = ctx};
    int code = TOOL_DONE;
    size_t size = 0, n;
    char *text = tool_read_all(&self, self.files[0], &size, &code);
    int32_t *ids = text ? (int32_t *)malloc((3 * size + 1) * sizeof *ids) : NULL;
    if (!text) return code;
    if (!ids) return free(text), out_of_memory();
    n = given.plain ? r1_encode_plain(tokenizer, text, size, ids, 3 * size)
                    : r1_encode(tokenizer, text, size, ids, 3 * size);
    if (n == SIZE_MAX)
        code = tool_fail(&self, TOOL_INPUT, "the vocabulary lacks a byte of the text");
    else if (given.json)
        write_ids(&out, ids, n), print_json(&out);
    else if (given.count)
        printf("%zu\n", n);
    else
        for (size_t i = 0; i < n; i++) printf(i + 1 < n ? "%d " : "%d\n", (int)ids[i]);
    free(ids), free(text);
    return code;
}
// Adds to a text that grows. False without memory.
static bool keep(char **text, size_t *used, size_t *room, const char *piece, size_t n) {
    if (*used + n >= *room) {
        char *grown = (char *)realloc(*text, *room = 2 * (*used + n) + 64);
        if (!grown) return false;
        *text = grown;
    }
    if (n) memcpy(*text + *used, piece, n);
    *used += n;
    return true;
}
// Ids as they come, and their text in whole characters.
static int decode_text(r1_context *ctx, const r1_tokenizer *tokenizer) {
    int code = TOOL_DONE;
    size_t size = 0, longest = 8, used = 0, room = 0;
    r1_json_writer out = {.ctx = ctx};
    char *text = tool_read_all(&self, self.files[0], &size, &code), *at = text;
    if (!text) return code;
    for (size_t id = 0; id < r1_tokenizer_count(tokenizer); id++) {
        size_t bytes = r1_tokenizer_text(tokenizer, (int32_t)id).size;
        if (bytes + 8 > longest) longest = bytes + 8;
    }
    char *piece = (char *)malloc(longest), *all = NULL;
    r1_text_stream stream = {.tokenizer = tokenizer};
    text[size] = 0; // tool_grow leaves room for it
    for (char *end; piece; at = end) {
        long long id = strtoll(at, &end, 10);
        if (end == at) break;
        if (id < 0 || (size_t)id >= r1_tokenizer_count(tokenizer)) {
            code = tool_fail(&self, TOOL_INPUT, "%lld is no id of this vocabulary", id);
            break;
        }
        int32_t next = (int32_t)id;
        size_t n = r1_text_next(&stream, &next, 1, piece, longest);
        if (given.json && !keep(&all, &used, &room, piece, n)) code = out_of_memory();
        if (!given.json) fwrite(piece, 1, n, stdout);
        if (code) break;
    }
    size_t n = piece ? r1_text_end(&stream, piece, longest) : 0;
    if (given.json && !code && !keep(&all, &used, &room, piece, n)) code = out_of_memory();
    if (!given.json) fwrite(piece, 1, n, stdout);
    at += strspn(at, " \t\r\n,");
    if (piece && !code && *at)
        code = tool_fail(&self, TOOL_INPUT, "byte %zu is no number", (size_t)(at - text));
    if (given.json && !code) write_text(&out, all, used), print_json(&out);
    free(piece), free(text), free(all);
    return code;
}

static bool row_decode(const r1_tokenizer *tokenizer, tool_row *row, const r1_json *list) {
    int32_t *ids = (int32_t *)malloc((list->count + 1) * sizeof *ids);
    size_t n = 0;
    for (const r1_json *id = list->child; ids && id; id = id->next) {
        double value = r1_json_number(id, -1);
        bool good = value >= 0 && value < (double)r1_tokenizer_count(tokenizer);
        if (!good) tool_problem(row, "an id that the vocabulary has not");
        if (good) ids[n++] = (int32_t)value;
    }
    size_t size = ids ? r1_decode(tokenizer, ids, n, NULL, 0) : 0;
    char *text = (char *)malloc(size + 1);
    bool good = ids && text;
    if (good) {
        r1_decode(tokenizer, ids, n, text, size + 1);
        write_text(row->out, text, size);
    }
    free(ids), free(text);
    return good;
}
static bool row_encode(const r1_tokenizer *tokenizer, tool_row *row, r1_slice text) {
    size_t n = SIZE_MAX, room = 3 * text.size;
    int32_t *ids = (int32_t *)malloc((room + 1) * sizeof *ids);
    if (ids)
        n = given.plain ? r1_encode_plain(tokenizer, text.data, text.size, ids, room)
                        : r1_encode(tokenizer, text.data, text.size, ids, room);
    if (ids && n == SIZE_MAX) tool_problem(row, "the vocabulary lacks a byte of the text");
    if (ids) write_ids(row->out, ids, n == SIZE_MAX ? 0 : n);
    free(ids);
    return ids != NULL;
}
static bool row_chat(const r1_tokenizer *tokenizer, tool_row *row, const r1_json *list) {
    r1_message *messages = (r1_message *)calloc(list->count + 1, sizeof *messages);
    r1_chat_desc desc = {.chat = given.chat ? r1_chat_find(given.chat) : R1_CHAT_FILE,
                         .messages = messages,
                         .n = list->count,
                         .prompt = given.prompt};
    size_t at = 0, n = SIZE_MAX;
    for (const r1_json *node = list->child; messages && node; node = node->next, at++) {
        r1_slice content = tool_field(node, "content");
        messages[at].role = tool_field(node, "role").data;
        messages[at].content = content.data, messages[at].size = content.size;
        if (!content.data) messages[at].role = NULL; // no format holds that
    }
    int32_t *ids = NULL;
    if (messages) n = r1_chat_encode(row->worker->ctx, tokenizer, &desc, NULL, 0);
    if (messages && n == SIZE_MAX)
        tool_problem(row, "a conversation that the chat format does not hold");
    if (messages) ids = (int32_t *)malloc((n == SIZE_MAX ? 1 : n + 1) * sizeof *ids);
    if (ids && n != SIZE_MAX) r1_chat_encode(row->worker->ctx, tokenizer, &desc, ids, n);
    if (ids) write_ids(row->out, ids, n == SIZE_MAX ? 0 : n);
    bool good = ids != NULL;
    free(ids), free(messages);
    return good;
}
static void tokenize_row(void *user, tool_row *row) {
    const r1_tokenizer *tokenizer = (const r1_tokenizer *)user;
    const r1_json *ids = r1_json_find(row->json, "ids");
    const r1_json *messages = r1_json_find(row->json, "messages");
    r1_slice text = tool_field(row->json, "text");
    bool good;
    if (ids && ids->kind == R1_JSON_ARRAY)
        good = row_decode(tokenizer, row, ids);
    else if (messages && messages->kind == R1_JSON_ARRAY)
        good = row_chat(tokenizer, row, messages);
    else {
        if (!text.data) tool_problem(row, "\"text\", \"ids\" or \"messages\" is missing");
        good = row_encode(tokenizer, row, text);
    }
    if (!good) tool_problem(row, "out of memory");
}

static int train(r1_context *ctx, r1_split split) {
    int code = TOOL_DONE;
    size_t size = 0;
    char *text = tool_read_all(&self, self.files[0], &size, &code);
    if (!text) return code;
    r1_slice corpus = {text, size};
    r1_bpe_desc desc = {.vocab = (size_t)given.train, .split = split};
    r1_tokenizer *tokenizer = r1_tokenizer_train(ctx, &corpus, 1, &desc);
    if (tokenizer && r1_tokenizer_save(tokenizer, given.tokenizer) == R1_OK) {
        r1_json_writer out = {.ctx = ctx};
        given.count = true;
        if (given.json)
            write_ids(&out, NULL, r1_tokenizer_count(tokenizer)), print_json(&out);
        else
            printf("%s: %zu ids\n", given.tokenizer, r1_tokenizer_count(tokenizer));
    }
    free(text);
    return tool_end(&self, ctx, TOOL_DONE);
}
int main(int argc, char **argv) {
    int code = tool_options(&self, argc, argv), split = 0;
    if (code != TOOL_GO) return code;
    if (!given.tokenizer) return tool_fail(&self, TOOL_USAGE, "--tokenizer is missing");
    if (given.chat && !r1_chat_find(given.chat)) return tool_unknown_chat(&self, given.chat, "");
    while (given.split && split < R1_SPLIT_COUNT && strcmp(given.split, splits[split]) != 0)
        split++;
    if (split == R1_SPLIT_COUNT)
        return tool_fail(&self, TOOL_USAGE, "unknown split: %s", given.split);
    r1_context *ctx = r1_context_new(NULL);
    if (given.train) {
        code = train(ctx, (r1_split)split);
        return r1_context_free(ctx), code;
    }
    r1_tokenizer_desc desc = {.split = (r1_split)split};
    r1_tokenizer *tokenizer = r1_tokenizer_load(ctx, given.tokenizer, &desc);
    if (!tokenizer)
        code = tool_fail(&self, TOOL_INPUT, "%s", r1_message_of(ctx));
    else if (given.jsonl)
        code = tool_map(&self, given.threads, tokenize_row, tokenizer);
    else
        code = given.decode ? decode_text(ctx, tokenizer) : encode_text(ctx, tokenizer);
    if (tokenizer && !given.jsonl) code = tool_end(&self, ctx, code);
    r1_context_free(ctx);
    return code;
}
