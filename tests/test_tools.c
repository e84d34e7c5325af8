// Tests of what the command-line tools are made of; tests/run has those of whole programs.
#include "../examples/tool_data.h"
#include "../examples/tool_think.h"

// ---- thoughts ----
static void tools_show(void *user, tool_part part, const char *text, size_t size) {
    char *line = (char *)user;
    size_t used = strlen(line);
    for (size_t i = 0; i < size; i++) {
        const char *mark = part == TOOL_THINKING ? "t" : "a"; // before each byte
        used += (size_t)snprintf(line + used, 4096 - used, "%s%c", mark, text[i]);
    }
}
// The parts of a text that comes in pieces of `step` bytes: each byte behind a t or an a.
static const char *tools_parts(const char *text, size_t step, tool_part begin) {
    static char line[4096];
    tool_thoughts thoughts = {.part = begin, .show = tools_show, .user = line};
    line[0] = 0;
    for (size_t at = 0, size = strlen(text); at < size; at += step)
        tool_think(&thoughts, text + at, step < size - at ? step : size - at);
    tool_think_end(&thoughts);
    return line;
}
TEST(tools_thoughts_are_told_from_the_answer) {
    static const struct {
        const char *text;
        tool_part begin;
        const char *parts;
    } cases[] = {
        {"<think>x</think>y", TOOL_BEFORE, "txay"},
        {" \n<think>a<b</think>c</think>", TOOL_BEFORE, "tat<tbaca<a/atahaianaka>"},
        {"x</think>y", TOOL_THINKING, "txay"},
        {"x</thi", TOOL_THINKING, "txt<t/ttthti"},
        {"<</think>", TOOL_THINKING, "t<"},
        {"hm <think>", TOOL_BEFORE, "ahama a<atahaianaka>"},
        {"<thing>", TOOL_BEFORE, "a<atahaianaga>"},
        {"<thi", TOOL_BEFORE, "a<atahai"},
        {"", TOOL_BEFORE, ""},
        {"<think>", TOOL_BEFORE, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 12; step++)
            CHECK_EQUAL_TEXT(tools_parts(cases[i].text, step, cases[i].begin), cases[i].parts);
}
// What is certain is shown at once, and a character of several bytes in one piece.
static void tools_count(void *user, tool_part part, const char *text, size_t size) {
    size_t *seen = (size_t *)user;
    (void)part;
    seen[0] += size;
    if (size && ((unsigned char)text[0] & 0xc0) == 0x80) seen[1]++; // begins inside a character
}
TEST(tools_thoughts_are_shown_at_once) {
    size_t seen[2] = {0, 0};
    tool_thoughts thoughts = {.part = TOOL_THINKING, .show = tools_count, .user = seen};
    tool_think(&thoughts, "so <", 4);
    CHECK_EQUAL_SIZE(seen[0], 3);
    tool_think(&thoughts, "b", 1);
    CHECK_EQUAL_SIZE(seen[0], 5);
    char text[999];
    for (size_t i = 0; i < sizeof text; i += 3) memcpy(text + i, "\xe4\xbd\xa0", 3);
    tool_think(&thoughts, text, sizeof text);
    CHECK(seen[0] == 5 + sizeof text && !seen[1]);
}

// ---- rows of data ----
TEST(tools_rows_of_other_projects_are_read) {
    static const struct {
        const char *row, *roles, *question,
            *answer; // roles: first letters; question: the last text
    } cases[] = {
        {"{\"question\":\"2+2?\",\"answer\":\"2+2=<<2+2=4>>4\\n#### 4\"}", "u", "2+2?", "4"},
        {"{\"problem\":\"p\",\"solution\":\"so \\\\boxed{4}\"}", "u", "p", "so \\boxed{4}"},
        {"{\"question\":\"q\",\"solution\":\"long\",\"answer\":3}", "u", "q", "3"},
        {"{\"prompt\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
         "\"u\"}],"
         "\"data_source\":\"x\",\"reward_model\":{\"style\":\"rule\",\"ground_truth\":\"7\"}}",
         "su", "u", "7"},
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\","
         "\"content\":\"a\"}],\"label\":\"1\"}",
         "u", "u", "1"},
        {"{\"conversations\":[{\"from\":\"human\",\"value\":\"u\"},{\"from\":\"gpt\",\"value\":"
         "\"a\"},"
         "{\"from\":\"human\",\"value\":\"v\"}],\"target\":[\"5\"]}",
         "uau", "v", "5"},
        {"{\"prompt\":[{\"role\":\"tool\",\"content\":\"u\"}]}", "", "", NULL},
        {"{\"prompt\":\"\",\"answer\":[1,2]}", "", "", NULL},
        {"{\"instruction\":\"i\",\"ground_truth\":\"####\"}", "u", "i", ""},
    };
    r1_context *ctx = r1_context_new(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        r1_message messages[TOOL_MESSAGES];
        r1_json *row = r1_json_read(ctx, cases[i].row, strlen(cases[i].row));
        size_t n = tool_question(row, messages);
        r1_slice answer = tool_answer(row);
        CHECK(row && n == strlen(cases[i].roles));
        for (size_t k = 0; k < n; k++) CHECK(messages[k].role[0] == cases[i].roles[k]);
        if (n) CHECK_EQUAL_TEXT(messages[n - 1].content, cases[i].question);
        CHECK(cases[i].answer ? tool_is(answer, cases[i].answer) : !answer.data);
    }
    r1_context_free(ctx);
}
