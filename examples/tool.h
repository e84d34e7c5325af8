// tool.h - what the command-line tools share: options from a table, --help, lines of any length from
// a file or "-", fields of JSON, error lines and exit codes. tool_rows.h is for tools that turn one
// line of JSON into one line of JSON.
//
//     static bool bare;
//     static const tool_option options[] = {{"--bare", NULL, "skip extraction", .flag = &bare}};
//     static tool self = {"r1_verify", "[FILE]", "Compares answers.", options, 1, .most_files = 1};
//
//     int main(int argc, char **argv) {
//         int code = tool_options(&self, argc, argv);
//         return code == TOOL_GO ? work() : code;
//     }
//
// Functions are inline so that a tool need not use all of them. Include r1.h before.
#ifndef R1_TOOL_H
#define R1_TOOL_H
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

// Exit codes of every tool. GO is none: the options are read and the work can begin.
enum {
    TOOL_GO = -1,
    TOOL_DONE,
    TOOL_FAILED,
    TOOL_USAGE,
    TOOL_INPUT,
    TOOL_LEVEL,
    TOOL_AGAIN = 75,
    TOOL_INTERRUPTED = 130
};
enum { TOOL_FILES = 8, TOOL_READ = 64 << 10, TOOL_LINE = 64 << 20 };

// One option. Exactly one of the four pointers is set and receives the value; a `flag` takes none.
typedef struct tool_option {
    const char *name, *value, *text; // "--seed", "N", "what it means; its default"
    bool *flag;
    const char **word;
    long long *whole; // of low .. high
    double *real;     // of low .. high
    double low, high;
} tool_option;

// A tool: what --help prints, and the files that the command line named. "-" is standard input.
typedef struct tool {
    const char *name, *usage, *about;
    const tool_option *options;
    size_t n_options, least_files, most_files;
    const char *files[TOOL_FILES];
    size_t n_files;
} tool;

// Prints "NAME: message" and returns `code`, so that main can end with it.
__attribute__((format(printf, 3, 4))) static inline int tool_fail(const tool *self, int code,
                                                                  const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", self->name), vfprintf(stderr, format, args), fputc('\n', stderr);
    va_end(args);
    if (code == TOOL_USAGE) fprintf(stderr, "%s: try --help\n", self->name);
    return code;
}
// Refuses the name of a chat format, with those that there are; `more` stands in front of them.
static inline int tool_unknown_chat(const tool *self, const char *name, const char *more) {
    char list[256];
    snprintf(list, sizeof list, "%s%s", more, r1_chat_name((r1_chat)1));
    for (int i = 2; i < R1_CHAT_COUNT; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), ", %s", r1_chat_name((r1_chat)i));
    return tool_fail(self, TOOL_USAGE, "unknown chat format: %s; known are %s", name, list);
}
static inline int tool_help(const tool *self) {
    printf("usage: %s [options] %s\n%s\n\n", self->name, self->usage, self->about);
    for (size_t i = 0; i <= self->n_options; i++) {
        tool_option help = {.name = "--help", .text = "print this and exit"};
        const tool_option *o = i < self->n_options ? &self->options[i] : &help;
        printf("  %-14s %-6s %s\n", o->name, o->value ? o->value : "", o->text);
    }
    puts("\nexit status: 0 done, 1 failed, 2 wrong usage, 3 bad input or file,\n130 interrupted");
    return fflush(stdout) ? tool_fail(self, TOOL_INPUT, "standard output: %s", strerror(errno))
                          : TOOL_DONE;
}
// Stores a value. False when the text is not a number of the option's range.
static inline bool tool_store(const tool_option *o, const char *value) {
    char *end = NULL;
    errno = 0;
    if (o->flag) return *o->flag = true;
    if (o->word) return *o->word = value, true;
    double real = o->real ? strtod(value, &end) : 0;
    long long whole = o->whole ? strtoll(value, &end, 10) : 0;
    if (!*value || *end || errno) return false;
    if (o->real) *o->real = real;
    if (o->whole) *o->whole = whole, real = (double)whole;
    return real >= o->low && real <= o->high;
}
// Reads the command line: "--name value", "--name=value", files, and "--" before files that begin
// with a dash. Returns TOOL_GO, or the code to exit with.
static inline int tool_options(tool *self, int argc, char **argv) {
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *equals = strchr(word, '='),
                   *value = equals ? equals + 1 : NULL;
        const tool_option *o = NULL;
        size_t length = equals ? (size_t)(equals - word) : strlen(word);
        if (only_files || word[0] != '-' || !word[1]) {
            if (self->n_files == self->most_files)
                return tool_fail(self, TOOL_USAGE, "one file too many: %s", word);
            self->files[self->n_files++] = word;
            continue;
        }
        if (!strcmp(word, "--help")) return tool_help(self);
        if ((only_files = !strcmp(word, "--"))) continue;
        for (size_t k = 0; k < self->n_options; k++)
            if (strlen(self->options[k].name) == length &&
                !strncmp(word, self->options[k].name, length))
                o = &self->options[k];
        if (!o) return tool_fail(self, TOOL_USAGE, "unknown option: %s", word);
        if (o->flag && value) return tool_fail(self, TOOL_USAGE, "%s takes no value", o->name);
        if (!o->flag && !value) value = i + 1 < argc ? argv[++i] : NULL;
        if (!o->flag && !value) return tool_fail(self, TOOL_USAGE, "%s needs a value", o->name);
        if (!tool_store(o, value))
            return tool_fail(self, TOOL_USAGE, "%s does not take \"%s\": %s", o->name, value,
                             o->text);
    }
    if (self->n_files < self->least_files)
        return tool_fail(self, TOOL_USAGE, "a file is missing: %s", self->usage);
    return TOOL_GO;
}

// A file that is read line by line. `number` counts lines from 1, for messages.
typedef struct tool_lines {
    const tool *self;
    const char *path;
    int file, code; // code: TOOL_INPUT once a read has failed
    char *text;     // text[from .. to] is read and not yet given out
    size_t from, to, capacity, number;
    bool ended;
} tool_lines;

// Opens a path; "-" and NULL are standard input. False and an error line when it cannot be read.
static inline bool tool_open(const tool *self, const char *path, tool_lines *l) {
    bool standard = !path || !strcmp(path, "-");
    *l = (tool_lines){.self = self, .path = standard ? "-" : path};
    l->file = standard ? 0 : open(path, O_RDONLY);
    if (l->file < 0) l->code = tool_fail(self, TOOL_INPUT, "%s: %s", path, strerror(errno));
    return l->file >= 0;
}
// Closes the file and returns the code of its reading.
static inline int tool_close(tool_lines *l) {
    if (l->file > 0) close(l->file);
    free(l->text);
    return l->code;
}
// Makes room for one more read behind text[0 .. to].
static inline bool tool_grow(tool_lines *l) {
    size_t size = 2 * l->to + 2 * TOOL_READ;
    if (l->capacity - l->to >= TOOL_READ) return true;
    char *grown = l->to > TOOL_LINE ? NULL : (char *)realloc(l->text, size);
    if (!grown)
        l->code =
            tool_fail(l->self, TOOL_INPUT, "%s:%zu: the line is too long", l->path, l->number + 1);
    else
        l->text = grown, l->capacity = size;
    return grown != NULL;
}
// The next line without its end, valid until the next call. False at the end of the file and after
// an error: look at `code`. A line above 64 MiB is one, so that a wrong file cannot eat the memory.
static inline bool tool_next(tool_lines *l, r1_slice *line) {
    for (size_t searched = 0; !l->code;) {
        size_t size = l->to - l->from;
        char *begin = l->text ? l->text + l->from : NULL, *end = NULL;
        if (size > searched) end = (char *)memchr(begin + searched, '\n', size - searched);
        if (end || (l->ended && size)) {
            *line = (r1_slice){begin, end ? (size_t)(end - begin) : size};
            l->from += line->size + (end != NULL), l->number++;
            if (line->size && begin[line->size - 1] == '\r') line->size--;
            if (l->number == 1 && line->size >= 3 && !memcmp(begin, "\xef\xbb\xbf", 3))
                line->data += 3, line->size -= 3; // the mark that some editors begin UTF-8 with
            return true;
        }
        if (l->ended) return false;
        if (l->from) memmove(l->text, begin, size), l->from = 0, l->to = size;
        searched = size;
        if (!tool_grow(l)) return false;
        long long got = read(l->file, l->text + l->to, TOOL_READ); // what a pipe has by now
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) l->code = tool_fail(l->self, TOOL_INPUT, "%s: %s", l->path, strerror(errno));
        if (got > 0) l->to += (size_t)got;
        l->ended = got == 0;
    }
    return false;
}
// Whether tool_next has a whole line without waiting for the file.
static inline bool tool_ready(const tool_lines *l) {
    return l->to > l->from && memchr(l->text + l->from, '\n', l->to - l->from) != NULL;
}

// The whole of a file, or of standard input for "-" and NULL, with a zero byte behind it; free it.
// NULL after an error line, and the code to exit with.
static inline char *tool_read_all(const tool *self, const char *path, size_t *size, int *code) {
    tool_lines in;
    if (!tool_open(self, path, &in)) return *code = TOOL_INPUT, NULL;
    for (*size = 0; tool_grow(&in); in.to += *size) {
        long long got = read(in.file, in.text + in.to, TOOL_READ - 1);
        if (got < 0) in.code = tool_fail(self, TOOL_INPUT, "%s: %s", in.path, strerror(errno));
        if (got <= 0) break;
        *size = (size_t)got;
    }
    char *text = in.code ? NULL : in.text;
    *size = in.to;
    if (text) in.text = NULL, text[*size] = 0;
    *code = tool_close(&in);
    return text;
}

// A member of a row of JSON: the content of a string, or a number as it was written. The data is
// NULL when the row has none.
static inline r1_slice tool_field(const r1_json *row, const char *key) {
    const r1_json *node = r1_json_find(row, key);
    bool good = node && (node->kind == R1_JSON_STRING || node->kind == R1_JSON_NUMBER);
    return good ? node->text : (r1_slice){NULL, 0};
}
// Ends main: standard output must have taken everything, and the context must be without error.
static inline int tool_end(const tool *self, const r1_context *ctx, int code) {
    if (r1_status_of(ctx) != R1_OK && code <= TOOL_DONE)
        code = tool_fail(self, r1_status_of(ctx) == R1_ERROR_FILE ? TOOL_INPUT : TOOL_FAILED, "%s",
                         r1_message_of(ctx));
    if (fflush(stdout) || ferror(stdout))
        code = tool_fail(self, TOOL_INPUT, "standard output: %s", strerror(errno));
    return code;
}
#endif
