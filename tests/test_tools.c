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

// ---- folders ----
static void tools_write(r1_context *ctx, const char *name, const char *text) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", test_path("m"), name);
    CHECK(r1_file_write(ctx, path, text, strlen(text)) == R1_OK);
}
// A folder with a config, ids for the bytes and for the marks of ChatML and Llama-3.
static r1_context *tools_folder(void) {
    static const char *const marks[] = {"<|im_start|>", "<|im_end|>", "<|endoftext|>",
                                        "<|eot_id|>"};
    r1_context *ctx = r1_context_new(NULL);
    r1_bpe_desc desc = {.vocab = 260, .specials = marks, .n_specials = 4};
    r1_tokenizer *tokenizer = r1_tokenizer_train(ctx, NULL, 0, &desc);
    CHECK(r1_folder_make(ctx, test_path("m")) == R1_OK);
    char path[600];
    snprintf(path, sizeof path, "%s/tokenizer.json", test_path("m"));
    CHECK(r1_tokenizer_save(tokenizer, path) == R1_OK);
    tools_write(ctx, "config.json",
                "{\"model_type\": \"llama\", \"vocab_size\": 260, \"hidden_size\": 4, "
                "\"num_hidden_layers\": 1, \"num_attention_heads\": 1, \"intermediate_size\": 4, "
                "\"max_position_embeddings\": 9, \"eos_token_id\": 7}");
    return ctx;
}
static const tool tools_self = {.name = "tools"};
// What generation_config.json says is how tools draw, unless the command line says else.
TEST(tools_draw_as_the_folder_says) {
    static const struct {
        const char *file; // NULL: none
        double line;      // --temperature; 0: not said
        double temperature, top_p;
        size_t top_k;
        bool greedy, good;
    } rows[] = {
        {NULL, 0, 0.6, 0.95, 0, false, true},
        {"{\"bos_token_id\": 1}", 0, 0.6, 0.95, 0, false, true},
        {"{\"do_sample\": true, \"temperature\": 0.7, \"top_p\": 0.8, \"top_k\": 20, "
         "\"repetition_penalty\": 1.1}",
         0, 0.7, 0.8, 20, false, true},
        {"{\"do_sample\": true}", 0, 1, 0, 0, false, true},
        {"{\"top_k\": 5, \"top_p\": null}", 0, 1, 0, 5, false, true},
        {"{\"do_sample\": false, \"max_new_tokens\": 9}", 0, 0.6, 0.95, 0, true, true},
        {"{\"temperature\": 0.0}", 0, 1, 0, 0, true, true},
        {"{\"do_sample\": false, \"top_p\": 0.5}", 0.3, 0.3, 0.5, 0, false, true},
        {"{\"temperature\": -1}", 0, 0, 0, 0, false, false},
        {"{\"top_p\": 1.5}", 0, 0, 0, 0, false, false},
        {"{", 0, 0, 0, 0, false, false},
    };
    r1_context *ctx = tools_folder();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tool_drawing d = TOOL_DRAWING;
        tool_folder f;
        if (rows[i].file) tools_write(ctx, "generation_config.json", rows[i].file);
        if (rows[i].line > 0) d.temperature = rows[i].line;
        int code = tool_folder_open(&tools_self, ctx, test_path("m"), &d, TOOL_CONFIG_ALONE, &f);
        printf("%s\n", rows[i].file ? rows[i].file : "none");
        CHECK(code == (rows[i].good ? TOOL_GO : TOOL_INPUT) && r1_status_of(ctx) == R1_OK);
        if (!rows[i].good) continue;
        CHECK(f.sampler.greedy == rows[i].greedy && f.sampler.top_k == rows[i].top_k);
        CHECK(f.sampler.temperature == rows[i].temperature && f.sampler.top_p == rows[i].top_p);
    }
    r1_context_free(ctx);
}
// All ids that a list names end an answer, those of both files and the end of a turn.
TEST(tools_every_end_of_an_answer_counts) {
    r1_context *ctx = tools_folder();
    tool_drawing d = TOOL_DRAWING;
    tool_folder f;
    d.chat = "qwen3";
    tools_write(ctx, "generation_config.json", "{\"eos_token_id\": [9, 11, 7]}");
    CHECK(tool_folder_open(&tools_self, ctx, test_path("m"), &d, TOOL_CONFIG_ALONE, &f) == TOOL_GO);
    int32_t turn = r1_tokenizer_find(f.tokenizer, "<|im_end|>");
    CHECK(f.n_stops == 4 && f.stops[0] == 9 && f.stops[1] == 11 && f.stops[2] == 7);
    CHECK(turn >= 0 && f.stops[3] == turn);
    r1_context_free(ctx);
}
// A template that is not known by its text is one of the formats by its marks; without marks it is
// none, and prompts are bare text.
TEST(tools_guess_the_format_of_a_template) {
    static const struct {
        const char *text;
        r1_chat chat;
    } rows[] = {
        {"{{ '<|im_start|>' }} {% if enable_thinking %}", R1_CHAT_QWEN3},
        {"<|im_start|>system You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
         R1_CHAT_QWEN25},
        {"<|im_start|>system\nYou are a helpful assistant.", R1_CHAT_QWEN2},
        {"<|start_header_id|> x", R1_CHAT_LLAMA3},
        {"<|start_header_id|> Cutting Knowledge Date: December 2023", R1_CHAT_LLAMA31},
        {"<\xef\xbd\x9c"
         "Assistant\xef\xbd\x9c><think>\n",
         R1_CHAT_R1},
        {"<\xef\xbd\x9c"
         "Assistant\xef\xbd\x9c> </think>",
         R1_CHAT_V3},
        {"{{ 'User: ' + x }} {{ 'Assistant: ' + y }}", R1_CHAT_V2},
        {"[INST] x [/INST]", R1_CHAT_FILE},
        {"", R1_CHAT_FILE},
    };
    r1_context *ctx = tools_folder();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tool_drawing d = TOOL_DRAWING;
        tool_folder f;
        tools_write(ctx, "chat_template.jinja", rows[i].text);
        CHECK(tool_folder_open(&tools_self, ctx, test_path("m"), &d, TOOL_CONFIG_ALONE, &f) ==
              TOOL_GO);
        if (f.chat != rows[i].chat) test_stop(TEST_FAILED, "%s is %d", rows[i].text, f.chat);
        CHECK(f.opened == (f.chat == R1_CHAT_R1));
        d.chat = "none";
        CHECK(tool_folder_open(&tools_self, ctx, test_path("m"), &d, TOOL_CONFIG_ALONE, &f) ==
              TOOL_GO);
        CHECK(f.chat == R1_CHAT_FILE);
    }
    r1_context_free(ctx);
}
// A base model's text begins with the begin token, unless its folder says that it does not.
TEST(tools_bare_text_begins_as_the_folder_says) {
    static const char *const rows[] = {
        "{\"bos_token\": \"<|endoftext|>\"}",
        "{\"bos_token\": \"<|endoftext|>\", \"add_bos_token\": true}",
        "{\"bos_token\": \"<|endoftext|>\", \"add_bos_token\": false}",
        "{\"bos_token\": null, \"add_bos_token\": true}"};
    r1_context *ctx = tools_folder();
    for (int i = 0; i < 4; i++) {
        tool_drawing d = TOOL_DRAWING;
        tool_folder f;
        char problem[TOOL_PROBLEM];
        size_t n;
        tools_write(ctx, "tokenizer_config.json", rows[i]);
        CHECK(tool_folder_open(&tools_self, ctx, test_path("m"), &d, TOOL_CONFIG_ALONE, &f) ==
              TOOL_GO);
        int32_t *ids = tool_bare_ids(&f, (r1_slice){"ab", 2}, &n, problem, sizeof problem);
        CHECK(ids && n == (i < 2 ? 3 : 2));
        if (i < 2) CHECK(ids[0] == r1_tokenizer_find(f.tokenizer, "<|endoftext|>"));
        free(ids);
    }
    r1_context_free(ctx);
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
