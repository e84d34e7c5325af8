// Tests of the [reward] room.
static r1_slice reward_slice(const char *text) { return (r1_slice){text, strlen(text)}; }

// Judges by one component, with gold and a task.
static r1_reward_part reward_part(const char *name, r1_reward_desc desc, r1_reward_input input) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_reward reward;
    desc.parts[0] = r1_reward_find(name);
    r1_rewarder *rewarder = r1_rewarder_new(ctx, &desc);
    CHECK(rewarder != NULL);
    r1_reward_text(rewarder, &input, &reward);
    CHECK(reward.count == 1 && r1_status_of(ctx) == R1_OK);
    CHECK(reward.judged == (reward.parts[0].judged || desc.parts[0].optional));
    r1_context_free(ctx);
    return reward.parts[0];
}
static r1_reward_input reward_input(const char *completion, const char *gold) {
    return (r1_reward_input){.completion = reward_slice(completion), .gold = reward_slice(gold)};
}
// The value of a component, -9 when it could not judge.
static double reward_value(const char *name, r1_reward_desc desc, r1_reward_input input) {
    r1_reward_part part = reward_part(name, desc, input);
    printf("%s: %g %s: %.*s\n", name, part.value, part.reason, (int)input.completion.size,
           input.completion.data);
    CHECK(part.judged || part.value == 0);
    CHECK(part.reason[0] != 0);
    return part.judged ? part.value : -9;
}

// ---- format ----
typedef struct reward_row {
    const char *text;
    double value;
} reward_row;

static void reward_table(const char *part, r1_reward_desc desc, const char *gold,
                         const reward_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double value = reward_value(part, desc, reward_input(rows[i].text, gold));
        if (fabs(value - rows[i].value) > 1e-12)
            test_stop(TEST_FAILED, "%s of \"%s\" is %g, expected %g", part, rows[i].text, value,
                      rows[i].value);
    }
}
#define REWARD_TABLE(part, desc, gold, rows)                                                       \
    reward_table(part, desc, gold, rows, sizeof rows / sizeof *rows)

TEST(reward_format_of_tagged_answers) {
    static const reward_row rows[] = {
        {"<think>a</think><answer>b</answer>", 1},
        {" <think>\na\n</think>\n\n<answer> b </answer> \n", 1},
        {"<think>a</think><answer>b</answer> c", 0},
        {"x <think>a</think><answer>b</answer>", 0},
        {"<think>a</think> so <answer>b</answer>", 0},
        {"<think> </think><answer>b</answer>", 0},
        {"<think>a</think><answer>\n</answer>", 0},
        {"<think>a</think><answer>b", 0},
        {"<think>a<answer>b</answer>", 0},
        {"<think>a</think>b</think><answer>b</answer>", 0},
        {"<think><think>a</think><answer>b</answer>", 0},
        {"<think>a</think><answer>b</answer><answer>b</answer>", 0},
        {"<think>a <answer>1</answer></think><answer>b</answer>", 0},
        {"<answer>b</answer><think>a</think>", 0},
        {"a</think><answer>b</answer>", 0},
        {"</think><think>a<answer>b</answer>", 0},
        {"", 0},
    };
    static const reward_row opened[] = {
        {"a</think><answer>b</answer>", 1},      {"<think>a</think><answer>b</answer>", 0},
        {"</think><answer>b</answer>", 0},       {"a<answer>b</answer>", 0},
        {"a</think><answer>b</answer><end>", 0},
    };
    static const reward_row ended[] = {{"a</think><answer>b</answer><end>", 1},
                                       {"a</think><answer>b</answer> <end><end>\n", 1},
                                       {"a</think><answer>b</answer>", 1},
                                       {"a</think><answer>b<end></answer>", 1},
                                       {"a</think><answer><end>", 0}};
    REWARD_TABLE("format", (r1_reward_desc){0}, "", rows);
    REWARD_TABLE("format", (r1_reward_desc){.opened = true}, "", opened);
    r1_reward_desc desc = {.opened = true, .end = "<end>"};
    REWARD_TABLE("format", desc, "", ended);
}
TEST(reward_format_of_summaries) {
    static const reward_row rows[] = {{"<think>a</think>b", 1},        {"<think>a</think> ", 0},
                                      {"<think></think>b", 0},         {"a</think>b", 0},
                                      {"<think>a</think>b<think>", 0}, {"<think>a", 0}};
    static const reward_row opened[] = {{"a</think>b", 1}, {"a", 0}, {"<think>a</think>b", 0}};
    r1_reward_desc desc = {.format = R1_FORMAT_SUMMARY};
    REWARD_TABLE("format", desc, "", rows);
    desc.opened = true;
    REWARD_TABLE("format", desc, "", opened);
}
TEST(reward_accuracy_counts_behind_the_thoughts) {
    static const reward_row rows[] = {
        {"<think>\\boxed{7}</think> \\boxed{8}", 0},
        {"<think>\\boxed{8}</think> \\boxed{7}", 1},
        {"<think>\\boxed{7}", 0},
        {"<think>7</think>", 0},
        {"<think>7</think><answer>7</answer>", 1},
        {"\\boxed{7}", 1},
        {"thus \\boxed{8}</think>\\boxed{7}", 1},
        {"", 0},
        {"\\boxed{\\frac{14}{2}}", 1},
        {"\\boxed{\\int_0^1 f}", -9},
    };
    static const reward_row strict[] = {
        {"\\boxed{7}", 0}, {"<think>a</think>7", 1}, {"a</think>7", 0}, {"<think>a 7", 0}};
    static const reward_row opened[] = {{"\\boxed{7}", 0}, {"a</think>\\boxed{7}", 1}};
    REWARD_TABLE("accuracy", (r1_reward_desc){0}, "7", rows);
    REWARD_TABLE("accuracy", (r1_reward_desc){.strict = true}, "7", strict);
    REWARD_TABLE("accuracy", (r1_reward_desc){.opened = true}, "7", opened);
    static const reward_row none[] = {{"\\boxed{7}", -9}};
    REWARD_TABLE("accuracy", (r1_reward_desc){0}, " ", none);
}

// ---- tasks ----
static void reward_tasks(r1_task task, const char *gold, const char *numbers, r1_reward_desc desc,
                         const reward_row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        r1_reward_input input = reward_input(rows[i].text, gold);
        input.task = task, input.numbers = reward_slice(numbers);
        double value = reward_value("accuracy", desc, input);
        if (value != rows[i].value)
            test_stop(TEST_FAILED, "\"%s\" is %g, expected %g", rows[i].text, value, rows[i].value);
    }
}
#define REWARD_TASKS(task, gold, numbers, desc, rows)                                              \
    reward_tasks(task, gold, numbers, desc, rows, sizeof rows / sizeof *rows)

TEST(reward_choices) {
    static const reward_row rows[] = {
        {"<think>A or B?</think><answer>B</answer>", 1},
        {"Answer: B", 1},
        {"<think>B</think> The answer is (C).", 0},
        {"\\boxed{B}", 1},
        {"\\boxed{\\text{(B)}}", 1},
        {"it is 42", 0},
        {"<think>B", 0},
    };
    static const reward_row bad[] = {{"B", -9}};
    REWARD_TASKS(R1_TASK_CHOICE, "B", "", (r1_reward_desc){0}, rows);
    REWARD_TASKS(R1_TASK_CHOICE, "42", "", (r1_reward_desc){0}, bad);
}
TEST(reward_knights_and_knaves) {
    static const reward_row rows[] = {
        {"<answer>(1) Ann is a knight\n(2) Bob is a knave\n(3) Zoe is a knave</answer>", 1},
        {"<answer>Ann: Knight, Bob: Knave, Zoe: Knave</answer>", 1},
        {"Bob and Zoe are knaves, while Ann is a knight.", 1},
        {"Knights: Ann. Knaves: Bob, Zoe", 1},
        {"The knight is Ann, and the knaves are Bob and Zoe.", 1},
        {"| Ann | knight |\n| Bob | knave |\n| Zoe | knave |", 1},
        {"{\"Ann\": \"knight\", \"Bob\": \"knave\", \"Zoe\": \"knave\"}", 1},
        {"Ann isn't a knave; Bob is not a knight. Neither is Zoe a knight", 1},
        {"Ann isn\xe2\x80\x99t a knave; Bob isn\xe2\x80\x99t a knight. Zoe's role: knave", 1},
        {"**Ann** is a **knight**, not a knave, **Bob** is a **knave**, *Zoe* a knave", 1},
        {"Ann is a knight, Bob is a knave", 0},
        {"Ann is a knight, Bob is a knave, Zoe is a knight", 0},
        {"Annabel is a knight, Bob is a knave, Zoe is a knave", 0},
        {"<answer>Ann is a knight. Ann is a knave. Bob and Zoe are knaves.</answer>", 0},
        {"If Ann is a knave, no. So Ann is a knight. Bob and Zoe are knaves.", 1},
        {"<think>Ann is a knight, Bob and Zoe are knaves</think>", 0},
        {"", 0},
    };
    static const char gold[] = "(1) Ann is a knight\n(2) Bob is a knave\n(3) Zoe is a knave";
    static const reward_row one[] = {{"Ann is a knight", -9}};
    REWARD_TASKS(R1_TASK_LOGIC, gold, "", (r1_reward_desc){0}, rows);
    REWARD_TASKS(R1_TASK_LOGIC, "Ann, Bob", "", (r1_reward_desc){0}, one);
}
TEST(reward_countdown) {
    static const reward_row rows[] = {
        {"<think>x</think><answer>(25 - 3) * 7</answer>", 1},
        {"<answer>(25 - 3) * 7 = 154</answer>", 1},
        {"<answer>154 = 7 * (25 - 3)</answer>", 1},
        {"\\boxed{7 \\times (25 - 3)}", 1},
        {"\\boxed{\\frac{7}{1}\\cdot(25-3)}", 0},
        {"The answer is $7(25-3)$.", 1},
        {"7\xc3\x97(25\xe2\x88\x92"
         "3)",
         1},
        {"25 * 7 - 3 * 7", 0},
        {"25 - 3 = 22, 22 * 7 = 154", 0},
        {"154", 0},
        {"154 = 154", 0},
        {"(25 - 3) * 7 = 153", 0},
        {"25 * 7 - 3", 0},
        {"(25 - 3) * 7 * 1", 0},
        {"(25 - 3) * 7)", 0},
        {"25 3 7", 0},
        {"(25 - 3) ** 7", 0},
        {"2 5 - 3 * 7", 0},
        {"<think>(25 - 3) * 7", 0},
    };
    static const reward_row some[] = {{"25 * 7", 1}, {"25 * 3 + 100", 0}, {"7 * 7 * 25 / 7", 0}};
    static const reward_row thirds[] = {{"8 / (3 - 8 / 3)", 1}, {"8 / 3 - 8 / 3 + 24", 0}};
    static const reward_row none[] = {{"1 + 1", -9}};
    REWARD_TASKS(R1_TASK_COUNTDOWN, "154", "[3, 7, 25]", (r1_reward_desc){0}, rows);
    REWARD_TASKS(R1_TASK_COUNTDOWN, "175", "3 7 25", (r1_reward_desc){.leave_out = true}, some);
    REWARD_TASKS(R1_TASK_COUNTDOWN, "24", "3, 3, 8, 8", (r1_reward_desc){0}, thirds);
    REWARD_TASKS(R1_TASK_COUNTDOWN, "2", "", (r1_reward_desc){0}, none);
}

// ---- language ----
static double reward_share(const char *text, r1_script target) {
    r1_word_count count = r1_words_count(reward_slice(text));
    return r1_words_share(&count, target);
}
#define ZH "\xe8\xbf\x99\xe4\xb8\xaa" // two Han characters
TEST(reward_language_counts_words) {
    CHECK(reward_share("All of this is English.", R1_SCRIPT_LATIN) == 1);
    CHECK(reward_share(ZH ZH " one two three four", R1_SCRIPT_HAN) == 0.5);
    CHECK(reward_share(ZH "one" ZH, R1_SCRIPT_LATIN) == 0.2);
    CHECK(reward_share("a = b + c, 12, \xf0\x9f\x98\x80 !", R1_SCRIPT_LATIN) == -1);
    CHECK(reward_share(ZH " x + y " ZH, R1_SCRIPT_HAN) == 1); // single letters are symbols
    CHECK(reward_share("don't we\xe2\x80\x99ll", R1_SCRIPT_LATIN) == 1);
    r1_word_count count = r1_words_count(reward_slice("don't stop at caf\xc3\xa9, e\xcc\x81lan"));
    CHECK_EQUAL_SIZE(count.all, 5);
    CHECK(reward_share("", R1_SCRIPT_LATIN) == -1 && reward_share("word", R1_SCRIPT_NONE) == -1);
    CHECK(reward_share("\xe3\x81\x93\xe3\x82\x8c" ZH, R1_SCRIPT_KANA) == 1);
    CHECK(reward_share("\xd1\x8d\xd1\x82\xd0\xbe yes", R1_SCRIPT_CYRILLIC) == 0.5);
}
TEST(reward_language_leaves_out_code_and_formulas) {
    static const char *const neutral[] = {
        "```python\nfor item in range(10): print(item)\n```",
        "```\nan open block of words",
        "`inline code here`",
        "$speed = way / time$",
        "$$ \\text{some words} $$",
        "\\(speed\\) \\[ \\sin speed \\]",
        "\\frac \\alpha \\text",
        "\\begin{align} speed &= way \\end{align}",
    };
    for (size_t i = 0; i < sizeof neutral / sizeof *neutral; i++) {
        char text[200];
        snprintf(text, sizeof text, ZH " %s", neutral[i]);
        printf("%s\n", text);
        CHECK(reward_share(text, R1_SCRIPT_HAN) == 1);
    }
    CHECK(reward_share("it costs $5 today", R1_SCRIPT_LATIN) == 1); // a price opens no formula
    r1_word_count count = r1_words_count(reward_slice("$5 each day\n\nand $6 more ` quote"));
    CHECK_EQUAL_SIZE(count.all, 5);
}
TEST(reward_language_finds_the_target) {
    r1_reward_desc none = {0};
    r1_reward_input input = reward_input("<think>" ZH " one two</think> three four five", "");
    CHECK(reward_value("language", none, input) == -9);
    input.question = reward_slice(ZH ZH "ABC?");
    CHECK(reward_value("language", none, input) == 0.5);
    input.language = R1_SCRIPT_LATIN;
    CHECK(reward_value("language", none, input) == 0.5);
    input.completion = reward_slice("no tags here");
    CHECK(reward_value("language", none, input) == 1);
    input.completion = reward_slice("<think>12 + 30</think> forty-two");
    CHECK(reward_value("language", none, input) == -9);
    CHECK(r1_script_find(reward_slice("en-GB")) == R1_SCRIPT_LATIN);
    CHECK(r1_script_find(reward_slice("zh")) == R1_SCRIPT_HAN);
    CHECK(r1_script_find(reward_slice("uk")) == R1_SCRIPT_CYRILLIC);
    CHECK(r1_script_find(reward_slice("xx")) == R1_SCRIPT_NONE);
    CHECK(r1_script_find(reward_slice("")) == R1_SCRIPT_NONE);
    CHECK(r1_script_find(reward_slice("e")) == R1_SCRIPT_NONE);
}
// Letters of ten scripts are theirs, and no punctuation, symbol, digit or space is a letter.
static void reward_ranges(const r1_json *ranges, r1_script wanted, const r1_json *letters,
                          size_t *seen) {
    for (const r1_json *range = ranges->child; range; range = range->next) {
        uint32_t first = (uint32_t)range->child->number,
                 last = (uint32_t)range->child->next->number;
        for (uint32_t code = first; code <= last; code++) {
            bool letter = !letters;
            for (const r1_json *l = letters ? letters->child : NULL; l && !letter; l = l->next)
                letter = code >= l->child->number && code <= l->child->next->number;
            if (!letter) continue;
            if (r1i_script_of(code) != wanted)
                test_stop(TEST_FAILED, "U+%04X is %d, expected %d", code, r1i_script_of(code),
                          wanted);
            ++*seen;
        }
    }
}
TEST(reward_data_scripts) {
    static const struct {
        const char *name;
        r1_script script;
    } scripts[] = {{"Latin", R1_SCRIPT_LATIN},       {"Han", R1_SCRIPT_HAN},
                   {"Hiragana", R1_SCRIPT_KANA},     {"Katakana", R1_SCRIPT_KANA},
                   {"Hangul", R1_SCRIPT_HANGUL},     {"Greek", R1_SCRIPT_GREEK},
                   {"Cyrillic", R1_SCRIPT_CYRILLIC}, {"Arabic", R1_SCRIPT_ARABIC},
                   {"Thai", R1_SCRIPT_THAI},         {"Devanagari", R1_SCRIPT_DEVANAGARI}};
    static const char *const others[] = {"P", "S", "Z"};
    const char *path = test_data("unicode_ranges.json");
    r1_context *ctx = r1_context_new(NULL);
    size_t size = 0, seen = 0;
    char *text = r1_file_read(ctx, path, &size);
    r1_json *root = r1_json_read(ctx, text, size);
    const r1_json *groups = r1_json_find(root, "groups");
    CHECK(groups != NULL);
    r1_json plane[1] = {*r1_json_find(groups, "L")};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        // Living letters: below U+2000, and the blocks of East Asia; the rest is history and style.
        const r1_json *ranges = r1_json_find(r1_json_find(root, "scripts"), scripts[i].name);
        for (r1_json *range = ranges->child; range; range = range->next) {
            r1_json one = *ranges, copy = *range;
            bool living = range->child->number < 0x1d00 || scripts[i].script == R1_SCRIPT_HAN;
            one.child = &copy, copy.next = NULL;
            if (living) reward_ranges(&one, scripts[i].script, plane, &seen);
        }
    }
    printf("%zu letters\n", seen);
    CHECK(seen > 90000);
    for (size_t i = 0; i < 3; i++)
        for (r1_json *range = r1_json_find(groups, others[i])->child; range; range = range->next)
            for (uint32_t code = (uint32_t)range->child->number;
                 code <= range->child->next->number && code < 0x10000; code++) {
                r1_script script = r1i_script_of(code);
                if (script != R1_SCRIPT_NONE && script != R1_SCRIPT_OTHER)
                    test_stop(TEST_FAILED, "U+%04X is a letter of script %d", code, script);
            }
    r1_context_free(ctx);
}
TEST(reward_utf8_reads_what_was_written) {
    char text[8];
    for (uint32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 37) {
        if (code >= 0xd800 && code < 0xe000) continue;
        size_t size = r1i_utf8_write(code, text), at = 0;
        CHECK(r1i_utf8_read((r1_slice){text, size}, &at) == code && at == size);
        at = 0;
        if (size > 1) CHECK(r1i_utf8_read((r1_slice){text, size - 1}, &at) == 0xfffd && at == 1);
    }
}

// ---- repetition and length ----
TEST(reward_repetition_counts_ngrams) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_rewarder *rewarder = r1_rewarder_new(ctx, NULL);
    r1_random random = {11, R1_STREAM_USER, 0, 0, 0};
    int32_t ids[200];
    for (int round = 0; round < 300; round++) {
        size_t n = r1_random_below(&random, 200), gram = 1 + r1_random_below(&random, 5);
        uint32_t kinds = 1 + r1_random_below(&random, 12);
        size_t all = n >= gram ? n - gram + 1 : 0, old = 0;
        for (size_t i = 0; i < n; i++) ids[i] = (int32_t)r1_random_below(&random, kinds) - 3;
        for (size_t i = 0; i < all; i++) {
            bool before = false;
            for (size_t j = 0; j < i && !before; j++)
                before = memcmp(&ids[i], &ids[j], gram * sizeof *ids) == 0;
            old += before;
        }
        double wanted = all ? (double)old / (double)all : 0;
        CHECK_NEAR(r1_reward_repeated(rewarder, ids, n, gram), wanted, 1e-12);
    }
    CHECK(r1_reward_repeated(rewarder, ids, 200, 0) == 0);
    CHECK(r1_reward_repeated(rewarder, ids, 200, 65) == 0);
    CHECK(r1_reward_repeated(NULL, ids, 200, 2) == 0);
    r1_context_free(ctx);
}
TEST(reward_repetition_of_texts) {
    r1_reward_desc desc = {.gram = 2};
    static const reward_row rows[] = {{"One two. one TWO.", -1.0 / 3},
                                      {"", 0},
                                      {"one", 0},
                                      {"a b c d e f", 0},
                                      {"x x x x x", -0.75},
                                      {ZH ZH ZH ZH ZH, -0.75}, // two characters, one word
                                      {"\xe6\x88\x91" ZH "\xe4\xbd\xa0", 0}};
    REWARD_TABLE("repetition", desc, "", rows);
    // Any number of Han characters fits, also more than the pairs are kept for.
    static char text[3 * 60000];
    size_t at = 0;
    for (uint32_t code = 0x4e00; at + 3 < sizeof text; code = code < 0x9fff ? code + 1 : 0x3400)
        at += r1i_utf8_write(code, text + at);
    r1_reward_input input = {.completion = {text, at}};
    CHECK(reward_part("repetition", desc, input).value > -0.6);
}
TEST(reward_lengths_and_penalties) {
    CHECK(r1_reward_overlong(80, 100, 20) == 0 && r1_reward_overlong(0, 100, 20) == 0);
    CHECK(r1_reward_overlong(90, 100, 20) == -0.5 && r1_reward_overlong(100, 100, 20) == -1);
    CHECK(r1_reward_overlong(1e9, 100, 20) == -1);
    CHECK_NEAR(r1_reward_cosine(0, 100, 1, 0.5), 1, 1e-9);
    CHECK_NEAR(r1_reward_cosine(50, 100, 1, 0.5), 0.75, 1e-9);
    CHECK_NEAR(r1_reward_cosine(100, 100, -1, -0.5), -0.5, 1e-9);
    CHECK_NEAR(r1_reward_cosine(500, 100, -1, -0.5), -0.5, 1e-9);
    double lengths[] = {10, 20, 30, 10}, dst[4];
    bool right[] = {true, true, true, false};
    r1_reward_lengths(lengths, right, 4, dst);
    CHECK(dst[0] == 0.5 && dst[1] == 0 && dst[2] == -0.5 && dst[3] == 0);
    r1_reward_lengths(lengths, right, 1, dst);
    CHECK(dst[0] == 0);
    r1_reward_lengths(lengths, right, 0, dst);
    r1_reward_desc desc = {.limit = 100, .margin = 20};
    r1_reward_input input = reward_input("\\boxed{1}", "1");
    input.length = 90;
    CHECK(reward_value("overlong", desc, input) == -0.5);
    input.length = 100;
    CHECK_NEAR(reward_value("cosine", desc, input), 0.5, 1e-9);
    input.gold = reward_slice("2");
    CHECK_NEAR(reward_value("cosine", desc, input), -0.5, 1e-9);
    input.gold = reward_slice("");
    CHECK(reward_value("cosine", desc, input) == -9);
    input.length = 0; // then characters count
    input.completion = reward_slice(ZH "\\boxed{2}"), input.gold = reward_slice("2");
    desc.limit = 11, desc.margin = 1;
    CHECK_NEAR(reward_value("cosine", desc, input), 0.5, 1e-9);
}

// ---- sums ----
static void reward_own(void *user, r1_reward_call *call, r1_reward_part *out) {
    CHECK(r1_reward_input_of(call)->completion.size > 0);
    out->value = (double)r1_reward_answer(call).size + (double)r1_reward_thoughts(call).size;
    out->judged = r1_reward_check(call, NULL) != R1_UNDECIDED;
    if (user) out->value = NAN;
}
TEST(reward_totals_and_verdicts) {
    static const char text[] = "<think>one two</think><answer>\\boxed{3}</answer>";
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_reward_desc desc = {.format = R1_FORMAT_ANSWER};
    r1_reward reward;
    r1_reward_input input = reward_input(text, "3");
    r1_rewarder *usual = r1_rewarder_new(ctx, NULL);
    r1_reward_text(usual, &input, &reward); // accuracy + format, equal weights
    CHECK(reward.count == 2 && reward.judged && reward.total == 2);
    desc.parts[0] = r1_reward_find("accuracy"), desc.parts[1] = r1_reward_find("format");
    desc.parts[2] = r1_reward_find("language"), desc.parts[3] = r1_reward_find("steps");
    desc.parts[4] = (r1_reward_component){"own", reward_own, 0, false, false, NULL};
    desc.parts[0].weight = 2, desc.parts[1].weight = -0.5;
    desc.parts[4].unrewarded = true;
    r1_rewarder *rewarder = r1_rewarder_new(ctx, &desc);
    r1_reward_text(rewarder, &input, &reward);
    CHECK(reward.count == 5 && reward.judged && reward.total == 1.5);
    CHECK(!reward.parts[2].judged); // no target language: left out, and said so
    CHECK(reward.parts[4].value == 7 + 26);
    input.language = R1_SCRIPT_LATIN;
    r1_reward_text(rewarder, &input, &reward);
    CHECK(reward.total == 2.5 && reward.parts[2].judged);
    input.gold = reward_slice("\\int_0^1 f(x) dx");
    r1_reward_text(rewarder, &input, &reward);
    CHECK(!reward.judged && !reward.parts[0].judged && reward.parts[1].value == 1);
    desc.parts[0].unrewarded = true, desc.parts[4].unrewarded = false, desc.parts[4].user = ctx;
    r1_rewarder *broken = r1_rewarder_new(ctx, &desc);
    input.gold = reward_slice("3");
    r1_reward_text(broken, &input, &reward); // not a number is not a verdict
    CHECK(!reward.judged && !reward.parts[4].judged && reward.parts[4].value == 0);
    r1_reward_text(NULL, &input, &reward);
    CHECK(!reward.judged && reward.count == 0);
    r1_rewarder_free(usual);
    r1_rewarder_free(NULL);
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_context_free(ctx); // takes the others along
}
TEST(reward_descs_are_checked) {
    r1_reward_desc bad[6];
    memset(bad, 0, sizeof bad);
    for (int i = 0; i < 6; i++) bad[i].parts[0] = r1_reward_find("format");
    bad[0].parts[0].name = NULL, bad[1].gram = 65, bad[2].format = (r1_format)7;
    bad[3].limit = 10, bad[3].margin = 11;
    bad[4].parts[0].weight = NAN, bad[5].limit = -1;
    for (int i = 0; i < 6; i++) {
        r1_context *ctx = r1_context_new(NULL);
        CHECK(!r1_rewarder_new(ctx, &bad[i]) && r1_status_of(ctx) == R1_ERROR_ARGUMENT);
        printf("%s\n", r1_message_of(ctx));
        r1_context_free(ctx);
    }
    CHECK(!r1_rewarder_new(NULL, NULL) && !r1_reward_find("none").judge);
    CHECK(!r1_reward_find(NULL).judge);
}
static void *reward_no_memory(void *user, size_t bytes, size_t align) {
    int *left = (int *)user;
    return (*left)-- > 0 ? r1i_libc_alloc(NULL, bytes, align) : NULL;
}
TEST(reward_without_memory) {
    for (int n = 0; n < 9; n++) {
        int left = 1;
        r1_context_desc desc = {.threads = 2,
                                .allocator = {reward_no_memory, r1i_libc_free, &left}};
        r1_context *ctx = r1_context_new(&desc);
        left = n;
        r1_rewarder *rewarder = r1_rewarder_new(ctx, NULL);
        CHECK((rewarder != NULL) == (r1_status_of(ctx) == R1_OK));
        CHECK(n != 0 || !rewarder);
        if (n == 8) CHECK(rewarder != NULL);
        r1_context_free(ctx);
    }
}

// ---- workers ----
enum { REWARD_TEXTS = 64 };
typedef struct reward_job {
    r1_rewarder *rewarder;
    r1_reward rewards[REWARD_TEXTS];
} reward_job;
static void reward_task(void *arg, size_t begin, size_t end, int worker) {
    reward_job *job = (reward_job *)arg;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        char text[200], gold[32];
        int n =
            snprintf(text, sizeof text,
                     "<think>%zu words " ZH " again and again</think><answer>%zu + %zu</answer>", i,
                     i, i % 7);
        snprintf(gold, sizeof gold, "%zu", i + i % 5);
        r1_reward_input input = {.completion = {text, (size_t)n}, .gold = reward_slice(gold)};
        input.language = R1_SCRIPT_LATIN;
        r1_reward_text(job->rewarder, &input, &job->rewards[i]);
    }
}
// More callers than work areas: the second job's workers share the area of a context with one
// thread. Verdicts are the same, whoever came first.
TEST(reward_workers_agree) {
    static reward_job one, many;
    r1_reward_desc desc = {.gram = 1};
    static const char *const names[] = {"accuracy", "format", "language", "repetition"};
    for (int i = 0; i < 4; i++) desc.parts[i] = r1_reward_find(names[i]);
    r1_context *small = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_context *large = r1_context_new(&(r1_context_desc){.threads = 8});
    one.rewarder = many.rewarder = r1_rewarder_new(small, &desc);
    r1_parallel_for(small, REWARD_TEXTS, 1, reward_task, &one);
    for (int round = 0; round < 20; round++) {
        r1_parallel_for(large, REWARD_TEXTS, 1, reward_task, &many);
        CHECK(memcmp(one.rewards, many.rewards, sizeof one.rewards) == 0);
    }
    many.rewarder = r1_rewarder_new(large, &desc);
    r1_parallel_for(large, REWARD_TEXTS, 1, reward_task, &many);
    CHECK(memcmp(one.rewards, many.rewards, sizeof one.rewards) == 0);
    r1_context_free(large);
    r1_context_free(small);
}
// The reward function of a trainer is this long: decode, call, copy.
static r1_tokenizer *reward_tokenizer;
static void reward_of_sample(void *user, const r1_sample *sample, r1_verdict *out) {
    char text[256];
    r1_reward reward;
    size_t n = r1_decode(reward_tokenizer, sample->tokens + sample->n_prompt,
                         sample->n - sample->n_prompt, text, sizeof text);
    r1_reward_input input = {.completion = {text, n}, .gold = {"7", 1}};
    r1_reward_text((r1_rewarder *)user, &input, &reward);
    for (size_t i = 0; i < reward.count; i++) out->parts[i] = reward.parts[i].value;
    out->judged = reward.judged;
}
TEST(reward_serves_a_trainer) {
    static const char *const pieces[] = {"<end>",     "<think>", "</think>", "<answer>",
                                         "</answer>", "7",       "8",        "\\int x"};
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_reward_desc desc = {.end = "<end>"};
    r1_rewarder *rewarder = r1_rewarder_new(ctx, &desc);
    reward_tokenizer = r1_tokenizer_pieces(ctx, pieces, 8);
    r1_reward_fn *reward = reward_of_sample;
    int32_t tokens[] = {6, 1, 8 - 2, 2, 3, 5, 4, 0};
    r1_sample sample = {.tokens = tokens, .n_prompt = 1, .n = 8};
    r1_verdict verdict = {.judged = true};
    reward(rewarder, &sample, &verdict);
    CHECK(verdict.judged && verdict.parts[0] == 1 && verdict.parts[1] == 1);
    tokens[5] = 6;
    reward(rewarder, &sample, &verdict);
    CHECK(verdict.judged && verdict.parts[0] == 0 && verdict.parts[1] == 1);
    tokens[5] = 7;
    reward(rewarder, &sample, &verdict);
    CHECK(!verdict.judged);
    r1_context_free(ctx);
}

// ---- hostile texts ----
TEST(reward_survives_random_text) {
    static const char *const pieces[] = {
        "<think>", "</think>", "<answer>", "</answer>", "$", "`",      "```", "\\(",
        "\\)",     "\\begin{", "\\end{",   "\n\n",      " ", "knight", "Ann", "not",
        "12",      "+",        "(",        ")",         "=", "\xff",   ZH,    "\xe8\xbf",
        "<end>",   "Step 1:",  "3/",       "\\frac",    "{", "}"};
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_reward_desc desc = {.end = "<end>", .gram = 2};
    static const char *const names[] = {"accuracy", "format", "language", "repetition",
                                        "tags",     "steps",  "code",     "cosine"};
    for (int i = 0; i < 8; i++) desc.parts[i] = r1_reward_find(names[i]);
    r1_rewarder *rewarder = r1_rewarder_new(ctx, &desc);
    r1_random random = {12, R1_STREAM_USER, 0, 0, 0};
    char text[400];
    for (int i = 0; i < (test_full() ? 200000 : 4000); i++) {
        size_t at = 0;
        for (uint32_t n = r1_random_below(&random, 40); n--;) {
            const char *piece = pieces[r1_random_below(&random, sizeof pieces / sizeof *pieces)];
            memcpy(text + at, piece, strlen(piece));
            at += strlen(piece);
        }
        char *exact = (char *)malloc(at + 1); // so that a sanitizer sees a read behind the end
        memcpy(exact, text, at);
        r1_reward_input input = {.completion = {exact, at},
                                 .gold = reward_slice("Ann is a knight")};
        input.task = (r1_task)r1_random_below(&random, 5), input.numbers = reward_slice("12 3");
        if (input.task == R1_TASK_COUNTDOWN) input.gold = reward_slice("15");
        r1_reward reward;
        r1_reward_text(rewarder, &input, &reward);
        for (size_t p = 0; p < reward.count; p++) {
            double value = reward.parts[p].value;
            CHECK(value >= -1 && value <= 1 && (reward.parts[p].judged || value == 0));
        }
        free(exact);
    }
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_context_free(ctx);
}
// The marks of prose are searched once, however many of them stay open.
TEST(reward_prose_walk_is_linear) {
    static char text[1 << 20];
    static const char *const opens[] = {"\\(", "$ \n\n", "\\begin{", "`\n\n", "\\["};
    for (size_t k = 0; k < sizeof opens / sizeof *opens; k++) {
        size_t at = 0, step = strlen(opens[k]);
        for (; at + step <= sizeof text; at += step) memcpy(text + at, opens[k], step);
        CHECK(r1_words_count((r1_slice){text, at}).all <= at);
    }
}

// ---- the data ----
static FILE *reward_open(const char *name) {
    char command[1200];
    const char *path = test_data(name);
    bool packed = strstr(name, ".gz") != NULL;
    snprintf(command, sizeof command, "%s '%s' 2>/dev/null", packed ? "gzip -dc" : "cat", path);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    return pipe;
}
static size_t reward_count_of(const r1_json *array, int32_t *ids, size_t capacity) {
    size_t n = 0;
    for (const r1_json *id = array ? array->child : NULL; id && n < capacity; id = id->next)
        ids[n++] = (int32_t)id->number;
    return n;
}
// One completion of a row by the function that the row names.
static double reward_case(const char *func, const r1_json *row, size_t index,
                          r1_rewarder *rewarder) {
    const r1_json *params = r1_json_find(row, "params"), *input = r1_json_find(row, "input");
    int32_t ids[512];
    const r1_json *list = r1_json_find(input, "completion_ids");
    size_t n = reward_count_of(r1_json_at(list, index), ids, 512);
    r1_reward_input one = {
        .completion = r1_json_text(r1_json_at(r1_json_find(input, "completions"), index)),
        .gold = r1_json_text(r1_json_at(r1_json_find(input, "solution"), index))};
    r1_reward_desc desc = {.limit = r1_json_number(r1_json_find(params, "max_len"), 0)};
    size_t gram = (size_t)r1_json_number(r1_json_find(params, "ngram_size"), 0);
    double worst = r1_json_number(r1_json_find(params, "max_penalty"), 0);
    desc.gram = gram, desc.repeated = worst;
    if (!strcmp(func, "repetition_penalty_reward") && list)
        return r1_reward_repeated(rewarder, ids, n, gram) * worst;
    if (!strcmp(func, "soft_overlong_punishment"))
        return r1_reward_overlong((double)n,
                                  r1_json_number(r1_json_find(params, "max_completion_len"), 0),
                                  r1_json_number(r1_json_find(params, "soft_punish_cache"), 0));
    if (!strcmp(func, "cosine_scaled_reward") && list) {
        CHECK(reward_part("accuracy", desc, one).value == 1);
        return r1_reward_cosine((double)n, desc.limit, 1, 0.5);
    }
    desc.strict = !strcmp(func, "reasoning_accuracy_reward");
    if (!strcmp(func, "think_format_reward")) desc.format = R1_FORMAT_SUMMARY;
    if (!strcmp(func, "code_format_reward")) desc.code = "python";
    static const char *const parts[][2] = {{"accuracy_reward", "accuracy"},
                                           {"reasoning_accuracy_reward", "accuracy"},
                                           {"format_reward", "format"},
                                           {"think_format_reward", "format"},
                                           {"cosine_scaled_reward", "cosine"},
                                           {"reasoning_steps_reward", "steps"},
                                           {"repetition_penalty_reward", "repetition"},
                                           {"tag_count_reward", "tags"},
                                           {"code_format_reward", "code"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strcmp(func, parts[i][0])) return reward_value(parts[i][1], desc, one);
    test_stop(TEST_FAILED, "no component for %s", func);
}
static size_t reward_values(const r1_json *row, r1_rewarder *rewarder, double *values) {
    char func[64];
    r1_slice name = r1_json_text(r1_json_find(row, "func"));
    const r1_json *input = r1_json_find(row, "input"), *texts = r1_json_find(input, "completions");
    const r1_json *all = texts ? texts : r1_json_find(input, "completion_ids");
    snprintf(func, sizeof func, "%.*s", (int)name.size, name.data);
    CHECK(all && all->count <= 8);
    if (strcmp(func, "len_reward") != 0) {
        for (size_t i = 0; i < all->count; i++) values[i] = reward_case(func, row, i, rewarder);
        return all->count;
    }
    double lengths[8];
    bool right[8];
    for (size_t i = 0; i < all->count; i++) { // a reward of the whole group
        r1_reward_input one = {.completion = r1_json_text(r1_json_at(texts, i)),
                               .gold =
                                   r1_json_text(r1_json_at(r1_json_find(input, "solution"), i))};
        right[i] = reward_part("accuracy", (r1_reward_desc){0}, one).value == 1;
        lengths[i] = (double)one.completion.size;
    }
    r1_reward_lengths(lengths, right, all->count, values);
    return all->count;
}
static bool reward_holds(r1_slice op, double a, double b, double tolerance) {
    bool equal = fabs(a - b) <= tolerance;
    bool may = op.size == 2; // ==, >=, <=
    if (op.data[0] == '=') return equal;
    return (op.data[0] == '>' ? a > b : a < b) || (may && equal);
}
TEST(reward_data_cases) {
    FILE *file = reward_open("reward_cases.jsonl");
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_rewarder *rewarder = r1_rewarder_new(ctx, NULL);
    char *line = NULL;
    size_t size = 0, rows = 0, checks = 0, failed = 0;
    for (ssize_t got; (got = getline(&line, &size, file)) > 0; rows++) {
        r1_json *row = r1_json_read(ctx, line, (size_t)got);
        double values[8];
        size_t n = reward_values(row, rewarder, values);
        r1_slice source = r1_json_text(r1_json_find(row, "src"));
        double tolerance = memcmp(source.data, "open-r1", 7) == 0 ? 0.01 : 1e-4;
        for (r1_json *want = r1_json_find(row, "expect")->child; want; want = want->next) {
            size_t i = (size_t)r1_json_number(r1_json_find(want, "i"), 99);
            const r1_json *other = r1_json_find(want, "other");
            CHECK(i < n);
            double against = other ? values[(size_t)other->number]
                                   : r1_json_number(r1_json_find(want, "value"), NAN);
            r1_slice op = r1_json_text(r1_json_find(want, "op"));
            bool good = reward_holds(op, values[i], against, tolerance);
            checks++, failed += !good;
            if (!good)
                printf("MISS %.*s: %g %.*s %g\n", (int)source.size, source.data, values[i],
                       (int)op.size, op.data, against);
        }
        r1_json_free(ctx, row);
    }
    printf("%zu rows, %zu checks, %zu failed\n", rows, checks, failed);
    CHECK(rows == 48 && checks >= 60 && failed == 0);
    free(line);
    pclose(file);
    r1_context_free(ctx);
}
// Every published solution is right, in three wordings; with one role turned round it is wrong.
static size_t reward_puzzle(r1_rewarder *rewarder, const r1_json *row, r1_random *random) {
    const r1_json *names = r1_json_find(row, "names"), *roles = r1_json_find(row, "solution");
    size_t flip = r1_random_below(random, (uint32_t)names->count), wrong = 0;
    for (int wording = 0; wording < 6; wording++) {
        char text[1000] = "<think>x</think>";
        size_t at = strlen(text);
        const r1_json *name = names->child, *role = roles->child;
        for (size_t i = 0; name; i++, name = name->next, role = role->next) {
            bool knight = role->boolean != (wording >= 3 && i == flip);
            static const char *const forms[] = {"(%zu) %.*s is a %s\n", "%zu. **%.*s**: %s, ",
                                                "%zu) \"%.*s\": \"%s\"\n"};
            at += (size_t)snprintf(text + at, sizeof text - at, forms[wording % 3], i + 1,
                                   (int)name->text.size, name->text.data,
                                   knight ? "knight" : "knave");
        }
        r1_reward_input input = {.completion = {text, at}, .task = R1_TASK_LOGIC};
        input.gold = r1_json_text(r1_json_find(row, "solution_text"));
        r1_reward reward;
        r1_reward_text(rewarder, &input, &reward);
        wrong += !reward.judged || reward.parts[0].value != (wording < 3);
    }
    return wrong;
}
TEST(reward_data_puzzles) {
    FILE *file = reward_open("kk_logic_train.jsonl.gz");
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_rewarder *rewarder = r1_rewarder_new(ctx, NULL);
    r1_random random = {13, R1_STREAM_USER, 0, 0, 0};
    char *line = NULL;
    size_t size = 0, rows = 0, wrong = 0;
    for (ssize_t got; (got = getline(&line, &size, file)) > 0; rows++) {
        r1_json *row = r1_json_read(ctx, line, (size_t)got);
        wrong += reward_puzzle(rewarder, row, &random);
        r1_json_free(ctx, row);
    }
    if (!rows) SKIP("gzip: not installed");
    printf("%zu puzzles, %zu wrong verdicts\n", rows, wrong);
    CHECK(rows >= 4500 && wrong == 0);
    free(line);
    pclose(file);
    r1_context_free(ctx);
}
