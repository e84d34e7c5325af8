// tool_data.h - rows of prompts and answers in the shapes that people have: TRL, verl, open-r1,
// GSM8K, MATH, ShareGPT, and r1_eval's own.
//
//     question  prompt | problem | question | quiz | instruction, a text
//               prompt | messages, a list of {role, content}; conversations, of {from, value}
//     answer    answer | solution | ground_truth | reward_model.ground_truth | label | gold |
//               target | solution_text; what stands behind the last "####" where there is one
//
// An answer at the end of a list of messages is no part of the question.
#ifndef R1_TOOL_DATA_H
#define R1_TOOL_DATA_H
#include "tool_model.h"

enum { TOOL_MESSAGES = 64 }; // of one row

// The first of several members that a row has.
static inline const r1_json *tool_first(const r1_json *row, const char *const *names) {
    const r1_json *node = NULL;
    while (*names && !node) node = r1_json_find(row, *names++);
    return node;
}
// A string, a number as it was written, or the only element of an array of them.
static inline r1_slice tool_text(const r1_json *node) {
    if (node && node->kind == R1_JSON_ARRAY && node->count == 1) node = node->child;
    bool text = node && (node->kind == R1_JSON_STRING || node->kind == R1_JSON_NUMBER);
    return text ? node->text : (r1_slice){NULL, 0};
}
static inline r1_slice tool_behind(r1_slice text, const char *mark) {
    size_t n = strlen(mark);
    for (size_t at = text.size; text.data && at >= n; at--)
        if (!memcmp(text.data + at - n, mark, n)) {
            text.data += at, text.size -= at;
            break;
        }
    while (text.size && strchr(" \t\r\n", text.data[0])) text.data++, text.size--;
    return text;
}
// The expected answer; the data is NULL when the row has none.
static inline r1_slice tool_answer(const r1_json *row) {
    static const char *const names[] = {"answer", "solution", "ground_truth", "gold", NULL};
    static const char *const others[] = {"label", "target", "solution_text", NULL};
    const r1_json *node = tool_first(row, names);
    if (!node) node = r1_json_find(r1_json_find(row, "reward_model"), "ground_truth");
    if (!node) node = tool_first(row, others);
    r1_slice text = tool_text(node);
    return text.data ? tool_behind(text, "####") : text;
}
static inline bool tool_is(r1_slice text, const char *word) {
    return text.size == strlen(word) && !memcmp(text.data, word, text.size);
}
// A role as chat formats name it; NULL for another one.
static inline const char *tool_role(r1_slice role) {
    static const char *const names[][2] = {{"user", "user"},           {"human", "user"},
                                           {"assistant", "assistant"}, {"gpt", "assistant"},
                                           {"system", "system"},       {NULL, NULL}};
    for (int i = 0; names[i][0]; i++)
        if (role.data && tool_is(role, names[i][0])) return names[i][1];
    return NULL;
}
// The conversation that asks the question, at most TOOL_MESSAGES; 0 when the row has none. The
// texts are those of the row.
static inline size_t tool_question(const r1_json *row, r1_message *messages) {
    static const char *const texts[] = {"prompt", "problem",     "question",
                                        "quiz",   "instruction", NULL};
    static const char *const lists[] = {"prompt", "messages", "conversations", NULL};
    const r1_json *node = tool_first(row, texts);
    r1_slice text = r1_json_text(node);
    if (text.size) {
        messages[0] = (r1_message){"user", text.data, text.size};
        return 1;
    }
    size_t n = 0;
    node = tool_first(row, lists);
    if (!node || node->kind != R1_JSON_ARRAY || node->count > TOOL_MESSAGES) return 0;
    for (const r1_json *turn = node->child; turn; turn = turn->next) {
        static const char *const roles[] = {"role", "from", NULL};
        static const char *const contents[] = {"content", "value", NULL};
        r1_slice content = tool_text(tool_first(turn, contents));
        const char *role = tool_role(tool_text(tool_first(turn, roles)));
        if (!role || !content.data) return 0;
        messages[n++] = (r1_message){role, content.size ? content.data : "", content.size};
    }
    while (n && !strcmp(messages[n - 1].role, "assistant")) n--;
    return n && !strcmp(messages[n - 1].role, "user") ? n : 0;
}
#endif
