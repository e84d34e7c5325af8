// tool_think.h - tells the thoughts of a text from its answer while the text comes in pieces of any
// size. A tag may be cut anywhere, so what could be its begin is held back.
//
//     tool_thoughts t = {.part = TOOL_BEFORE, .show = show, .user = me};
//     tool_think(&t, piece, size), ...;
//     tool_think_end(&t);
#ifndef R1_TOOL_THINK_H
#define R1_TOOL_THINK_H
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// A text that does not begin with <think>, apart from white space, is all answer. Start with
// THINKING where the prompt has opened the tag.
typedef enum tool_part { TOOL_BEFORE = 0, TOOL_THINKING, TOOL_ANSWERING, TOOL_PARTS } tool_part;

// `show` gets whole UTF-8 characters if tool_think does.
typedef struct tool_thoughts {
    tool_part part;
    void (*show)(void *user, tool_part part, const char *text, size_t size);
    void *user;
    char held[8], run[256];
    size_t n_held, n_run;
} tool_thoughts;

static inline void tool_think_flush(tool_thoughts *t) {
    if (t->n_run) t->show(t->user, t->part, t->run, t->n_run);
    t->n_run = 0;
}
static inline void tool_think_put(tool_thoughts *t, char byte) {
    bool begins = ((unsigned char)byte & 0xc0) != 0x80; // a character
    if (begins && t->n_run > sizeof t->run - 8) tool_think_flush(t);
    if (t->n_run == sizeof t->run) tool_think_flush(t);
    t->run[t->n_run++] = byte;
}
static inline bool tool_think_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
// One more byte: held[] is always the begin of the tag that is looked for.
static inline void tool_think_byte(tool_thoughts *t, char byte) {
    const char *tag = t->part == TOOL_BEFORE ? "<think>" : "</think>";
    if (t->part == TOOL_ANSWERING) {
        tool_think_put(t, byte);
        return;
    }
    if (t->part == TOOL_BEFORE && !t->n_held && tool_think_blank(byte)) return;
    t->held[t->n_held++] = byte;
    if (t->n_held == strlen(tag) && !memcmp(t->held, tag, t->n_held)) {
        tool_think_flush(t);
        t->part = t->part == TOOL_BEFORE ? TOOL_THINKING : TOOL_ANSWERING;
        t->n_held = 0;
        return;
    }
    while (t->n_held && memcmp(t->held, tag, t->n_held) != 0) {
        if (t->part == TOOL_BEFORE) { // no tag, so no thoughts
            t->part = TOOL_ANSWERING;
            for (size_t i = 0; i < t->n_held; i++) tool_think_put(t, t->held[i]);
            t->n_held = 0;
            return;
        }
        tool_think_put(t, t->held[0]);
        memmove(t->held, t->held + 1, --t->n_held);
    }
}
// Takes the next piece, and shows as much as is certain.
static inline void tool_think(tool_thoughts *t, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) tool_think_byte(t, text[i]);
    tool_think_flush(t);
}
// Shows what was held back: the text is over.
static inline void tool_think_end(tool_thoughts *t) {
    if (t->part == TOOL_BEFORE && t->n_held) t->part = TOOL_ANSWERING;
    for (size_t i = 0; i < t->n_held; i++) tool_think_put(t, t->held[i]);
    t->n_held = 0;
    tool_think_flush(t);
}
#endif
