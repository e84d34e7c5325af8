// Talks with a model from its Hugging Face folder: tokens appear as they are drawn, thoughts apart
// from the answer.
//
//     $ build/r1_chat models/DeepSeek-R1-Distill-Qwen-1.5B
//     > How many r are in strawberry?
//
//     $ build/r1_chat out/r1_zero --prompt '4 8 9 =44'      the model that `make demo` trains
//     Thinking:
//     8*4=32-9=23 low wait 9*4=36+8=44 yes
//     Answer:
//     <answer>(9*4)+8</answer>
//
// A folder without a chat format gets each prompt as bare text and remembers nothing, as a base
// model does. Ctrl-C ends an answer; at the prompt it ends the program.
#include "r1.h"
#include "tool_model.h"
#include "tool_think.h"
#include <signal.h>

static struct options {
    const char *prompt, *system;
    tool_drawing drawing;
    long long speculate;
    bool json, quiet, answer_only;
} given = {.drawing = TOOL_DRAWING};
static const tool_option options[] = {
    {"--prompt", "TEXT", "one question instead of a conversation; - reads it from standard input",
     .word = &given.prompt},
    {"--system", "TEXT", "a system message in front of the conversation", .word = &given.system},
    TOOL_DRAWING_OPTIONS(given.drawing),
    {"--speculate", "N", "draft N tokens by multi-token prediction: faster, the same text",
     .whole = &given.speculate, .low = 1, .high = 16},
    {"--answer-only", NULL, "do not show the thoughts", .flag = &given.answer_only},
    {"--json", NULL, "one object for each answer, when it is whole", .flag = &given.json},
    {"--quiet", NULL, "no line about speed", .flag = &given.quiet},
};
static tool self = {
    "r1_chat",
    "FOLDER",
    "Talks with a model from its Hugging Face folder (config.json, model.safetensors,\n"
    "tokenizer.json). In a conversation each line is a message; /new forgets what was said,\n"
    "/quit or Ctrl-D ends.",
    options,
    sizeof options / sizeof *options,
    .least_files = 1,
    .most_files = 1};

// ---- the screen ----
typedef struct display {
    bool terminal, colour, shown[TOOL_PARTS]; // shown: something of this part has been printed
    char *texts[TOOL_PARTS];                  // all of each part, for the next turn and for JSON
    size_t sizes[TOOL_PARTS], rooms[TOOL_PARTS];
    bool failed; // out of memory
} display;

static void keep(display *d, tool_part part, const char *text, size_t size) {
    if (d->sizes[part] + size >= d->rooms[part]) {
        size_t room = 2 * (d->sizes[part] + size) + 64;
        char *grown = (char *)realloc(d->texts[part], room);
        if (!grown) {
            d->failed = true;
            return;
        }
        d->texts[part] = grown, d->rooms[part] = room;
    }
    memcpy(d->texts[part] + d->sizes[part], text, size);
    d->texts[part][d->sizes[part] += size] = 0;
}
// A model's text may hold anything: on a terminal, control characters are left out.
static void print_safe(const display *d, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool control = (c < ' ' && c != '\n' && c != '\t') || c == 127 ||
                       (c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0);
        if (!d->terminal || !control) putchar(c);
        if (d->terminal && control && c == 0xc2) i++;
    }
}
// Text of one part. White space at its begin is not printed.
static void show(void *user, tool_part part, const char *text, size_t size) {
    display *d = (display *)user;
    while (size && !d->sizes[part] && tool_think_blank(text[0])) text++, size--;
    if (!size) return;
    keep(d, part, text, size);
    if (given.json || (part == TOOL_THINKING && given.answer_only)) return;
    if (!d->shown[part]) {
        bool second = part == TOOL_ANSWERING && d->shown[TOOL_THINKING];
        if (second && d->colour) printf("\033[0m");
        if (second) printf(d->terminal ? "\n\n" : "\n");
        if (part == TOOL_THINKING) printf(d->colour ? "\033[2m" : "Thinking:\n");
        if (second && !d->colour) puts("Answer:");
    }
    d->shown[part] = true;
    print_safe(d, text, size);
}
// ---- one answer ----
static volatile sig_atomic_t stop_asked;
static void ask_to_stop(int number) {
    stop_asked = 1;
    signal(number, SIG_DFL); // a second one kills
}
typedef struct chat {
    tool_folder folder;
    r1_rollout *rollout;
    display display;
    tool_thoughts thoughts;
    r1_text_stream stream;
    size_t told; // tokens of the answer that were handed to the display
    char *piece; // room for the text of one token
    size_t piece_bytes;
    double first;       // when the first tokens had come
    size_t first_count; // and how many
    uint32_t turn;
    bool interrupted;
    r1_message *messages;
    size_t n_messages, room;
} chat;

static bool is_stop(const chat *c, int32_t id) {
    for (size_t i = 0; i < c->folder.n_stops; i++)
        if (c->folder.stops[i] == id) return true;
    return false;
}
// For r1_generate, after each pass: shows what is new.
static bool show_tokens(void *user, size_t finished, size_t total, size_t tokens) {
    chat *c = (chat *)user;
    const r1_sample *s = c->rollout->samples;
    (void)finished, (void)total;
    if (!c->first_count) c->first = tool_seconds(), c->first_count = tokens;
    for (; c->told < s->n - s->n_prompt; c->told++) {
        int32_t id = s->tokens[s->n_prompt + c->told];
        if (is_stop(c, id)) continue;
        size_t n = r1_text_next(&c->stream, &id, 1, c->piece, c->piece_bytes);
        tool_think(&c->thoughts, c->piece, n);
    }
    fflush(stdout);
    return !stop_asked && !ferror(stdout) && !c->display.failed;
}
static void write_part(r1_json_writer *out, const char *key, const display *d, tool_part part) {
    r1_json_write_text(out, key, d->texts[part] ? d->texts[part] : "", d->sizes[part]);
}
static void print_json(const chat *c, const char *prompt, const char *end, double seconds,
                       double speed) {
    const r1_sample *s = c->rollout->samples;
    r1_json_writer out = {.ctx = c->folder.ctx};
    r1_json_begin_object(&out, NULL);
    r1_json_write_text(&out, "prompt", prompt, strlen(prompt));
    write_part(&out, "thinking", &c->display, TOOL_THINKING);
    write_part(&out, "answer", &c->display, TOOL_ANSWERING);
    r1_json_write_text(&out, "end", end, strlen(end));
    r1_json_write_integer(&out, "prompt_tokens", (int64_t)s->n_prompt);
    r1_json_write_integer(&out, "tokens", (int64_t)(s->n - s->n_prompt));
    r1_json_write_number(&out, "seconds", seconds);
    r1_json_write_number(&out, "tokens_per_second", speed);
    r1_json_end_object(&out);
    if (!out.failed) puts(out.text);
    r1_json_writer_free(&out);
}
// What follows an answer: its end on the screen, and a line about the speed.
static void end_answer(chat *c, const char *prompt, double begin) {
    display *d = &c->display;
    const r1_sample *s = c->rollout->samples;
    size_t n = s->n - s->n_prompt;
    double end = tool_seconds(), speed = 0;
    const char *why = stop_asked ? "interrupted" : s->truncated ? "limit" : "stop";
    tool_think(&c->thoughts, c->piece, r1_text_end(&c->stream, c->piece, c->piece_bytes));
    tool_think_end(&c->thoughts);
    if (n > c->first_count && end > c->first)
        speed = (double)(n - c->first_count) / (end - c->first);
    else if (end > begin)
        speed = (double)n / (end - begin);
    if (given.json) {
        print_json(c, prompt, why, end - begin, speed);
        return;
    }
    if (d->colour && d->shown[TOOL_THINKING] && !d->shown[TOOL_ANSWERING]) printf("\033[0m");
    putchar('\n'), fflush(stdout);
    if (given.quiet) return;
    fprintf(stderr, d->colour ? "\033[2m" : "");
    fprintf(stderr, "[%zu tokens of prompt, %zu of answer, %.1f tokens/s%s%s]", s->n_prompt, n,
            speed, stop_asked ? ", interrupted" : "",
            s->truncated && !stop_asked ? ", cut at the limit" : "");
    fprintf(stderr, d->colour ? "\033[0m\n" : "\n");
}
static void start_display(chat *c) {
    display *d = &c->display;
    for (int i = 0; i < TOOL_PARTS; i++) free(d->texts[i]);
    display empty = {.terminal = d->terminal, .colour = d->colour};
    *d = empty;
    c->thoughts = (tool_thoughts){.show = show, .user = d};
    if (c->folder.opened) c->thoughts.part = TOOL_THINKING;
    c->stream = (r1_text_stream){.tokenizer = c->folder.tokenizer};
    c->told = c->first_count = 0;
}
// Answers the conversation so far. TOOL_DONE, or a code after an error line; a prompt that cannot
// be answered is TOOL_INPUT.
static int answer(chat *c) {
    char problem[TOOL_PROBLEM];
    const tool_folder *f = &c->folder;
    const char *text = c->messages[c->n_messages - 1].content;
    r1_prompt prompt = {.key = c->turn++};
    int32_t *ids =
        tool_prompt_ids(f, c->messages, c->n_messages, &prompt.n, problem, sizeof problem);
    if (!ids || !tool_prompt_fits(f, ids, prompt.n, problem, sizeof problem))
        return free(ids), tool_fail(&self, TOOL_INPUT, "%s", problem);
    r1_generate_desc desc = {.sampler = f->sampler,
                             .max_new = (size_t)given.drawing.max_new,
                             .batch = 1,
                             .stops = f->stops,
                             .n_stops = f->n_stops,
                             .speculate = (size_t)given.speculate,
                             .progress = show_tokens,
                             .user = c};
    double begin = tool_seconds();
    prompt.tokens = ids, stop_asked = 0;
    start_display(c);
    signal(SIGINT, ask_to_stop);
    r1_status status = r1_generate(f->model, c->rollout, &prompt, 1, 1, &desc);
    signal(SIGINT, SIG_DFL);
    c->interrupted = stop_asked;
    if (status == R1_OK) end_answer(c, text, begin);
    if (c->display.failed) status = R1_ERROR_MEMORY, tool_fail(&self, TOOL_FAILED, "out of memory");
    free(ids);
    return status == R1_OK ? TOOL_DONE : TOOL_FAILED;
}

// ---- the conversation ----
// Adds a copy of a message. False without memory.
static bool say(chat *c, const char *role, const char *text, size_t size) {
    if (c->n_messages == c->room) {
        size_t room = 2 * c->room + 16;
        r1_message *grown = (r1_message *)realloc(c->messages, room * sizeof *grown);
        if (!grown) return false;
        c->messages = grown, c->room = room;
    }
    char *copy = (char *)malloc(size + 1);
    if (!copy) return false;
    memcpy(copy, text, size), copy[size] = 0;
    c->messages[c->n_messages++] = (r1_message){role, copy, size};
    return true;
}
static void forget(chat *c, size_t from) {
    while (c->n_messages > from) free((char *)c->messages[--c->n_messages].content);
}
// One message and its answer, which becomes part of the conversation.
static int turn(chat *c, const char *text, size_t size) {
    const display *d = &c->display;
    size_t before = c->n_messages;
    if (!say(c, "user", text, size)) return tool_fail(&self, TOOL_FAILED, "out of memory");
    int code = answer(c);
    if (code == TOOL_DONE &&
        !say(c, "assistant", d->texts[TOOL_ANSWERING] ? d->texts[TOOL_ANSWERING] : "",
             d->sizes[TOOL_ANSWERING]))
        code = tool_fail(&self, TOOL_FAILED, "out of memory");
    if (code != TOOL_DONE || !c->folder.chat || c->folder.chat == R1_CHAT_ZERO) forget(c, before);
    return code;
}
static int converse(chat *c) {
    tool_lines lines;
    r1_slice line;
    bool typed = false;
    int code = TOOL_DONE;
    if (!tool_open(&self, "-", &lines)) return TOOL_INPUT;
#ifndef _WIN32
    typed = isatty(0);
#endif
    size_t system = c->n_messages;
    if (typed && !c->folder.chat)
        fputs("No chat format is known for this folder: each line is a prompt of its own.\n",
              stderr);
    for (;;) {
        if (typed) fputs("> ", stderr);
        if (!tool_next(&lines, &line)) break;
        char *text = (char *)malloc(line.size + 1); // the answer may outlive the line
        if (!text) return tool_close(&lines), tool_fail(&self, TOOL_FAILED, "out of memory");
        memcpy(text, line.data, line.size), text[line.size] = 0;
        bool quit = !strcmp(text, "/quit"), fresh = !strcmp(text, "/new");
        int problem = TOOL_DONE;
        if (fresh) forget(c, system);
        if (line.size && !quit && !fresh) problem = turn(c, text, line.size);
        free(text);
        // A prompt that does not fit is no reason to end a conversation, but its exit code tells.
        if (problem != TOOL_DONE) code = problem;
        if (quit || problem == TOOL_FAILED || ferror(stdout)) break;
    }
    if (typed) fputc('\n', stderr);
    return tool_close(&lines) ? TOOL_INPUT : code;
}
// The text of --prompt, or all of standard input.
static int ask_once(chat *c) {
    if (strcmp(given.prompt, "-") != 0) return turn(c, given.prompt, strlen(given.prompt));
    size_t size = 0;
    int code = TOOL_DONE;
    char *text = tool_read_all(&self, "-", &size, &code);
    if (!text) return code;
    while (size && strchr("\r\n", text[size - 1])) text[--size] = 0;
    code = size ? turn(c, text, size) : tool_fail(&self, TOOL_INPUT, "-: the prompt is empty");
    free(text);
    return code;
}
static int open_chat(chat *c, r1_context *ctx) {
    int code =
        tool_folder_open(&self, ctx, self.files[0], &given.drawing, TOOL_TO_ANSWER, &c->folder);
    if (code != TOOL_GO) return code;
    size_t depths = r1_model_config_of(c->folder.model)->mtp_layers;
    if ((size_t)given.speculate > depths)
        return tool_fail(
            &self, TOOL_USAGE,
            "--speculate %lld: with %zu layers of multi-token prediction the model drafts "
            "no more tokens than that",
            given.speculate, depths);
    c->piece_bytes = 8;
    for (size_t id = 0; id < r1_tokenizer_count(c->folder.tokenizer); id++) {
        size_t bytes = r1_tokenizer_text(c->folder.tokenizer, (int32_t)id).size;
        if (bytes + 8 > c->piece_bytes) c->piece_bytes = bytes + 8;
    }
    c->piece = (char *)malloc(c->piece_bytes);
    c->rollout = r1_rollout_new(ctx);
#ifndef _WIN32
    c->display.terminal = isatty(1);
    c->display.colour = c->display.terminal && !getenv("NO_COLOR");
#endif
    bool good = c->piece && c->rollout;
    if (good && given.system) good = say(c, "system", given.system, strlen(given.system));
    return good ? TOOL_GO : tool_fail(&self, TOOL_FAILED, "out of memory");
}
int main(int argc, char **argv) {
    static chat c;
    int code = tool_options(&self, argc, argv);
    if (code != TOOL_GO) return code;
    if (given.prompt && !*given.prompt) return tool_fail(&self, TOOL_USAGE, "--prompt is empty");
    r1_context_desc desc = {.seed = (uint64_t)given.drawing.seed,
                            .threads = (int)given.drawing.threads};
    r1_context *ctx = r1_context_new(&desc);
    code = open_chat(&c, ctx);
    if (code == TOOL_GO) {
        code = given.prompt ? ask_once(&c) : converse(&c);
        code = tool_end(&self, ctx, code);
        if (given.prompt && c.interrupted && code == TOOL_DONE) code = TOOL_INTERRUPTED;
    }
    forget(&c, 0), free(c.messages), free(c.piece);
    for (int i = 0; i < TOOL_PARTS; i++) free(c.display.texts[i]);
    r1_context_free(ctx);
    return code;
}
