// Tests of the [report] room.
static const char *report_folder(void) {
    static char folder[1024]; // the buffers of test_path are used in turn
    snprintf(folder, sizeof folder, "%s", test_path("run"));
    CHECK(mkdir(folder, 0777) == 0);
    return folder;
}
static double report_noise(unsigned i) { // -0.5 to 0.5, the same in every run
    i = (i + 1u) * 2654435761u;
    i = (i ^ (i >> 15)) * 2246822519u;
    return (double)((i ^ (i >> 13)) % 1000u) / 1000.0 - 0.5;
}
static void report_stage(r1_log_file *log, const char *stage, int step) {
    r1_log_text(log, "stage", stage, strlen(stage));
    r1_log_integer(log, "step", step);
}
static void report_settings(r1_log_file *log, const char *task) {
    r1_log_text(log, "stage", "settings", 8);
    r1_log_text(log, "task", task, strlen(task));
    r1_log_integer(log, "seed", 1);
    r1_log_integer(log, "threads", 2);
    r1_log_bool(log, "tied_head", true);
    r1_log_number(log, "temperature", 1);
    r1_log_begin_object(log, "grpo");
    r1_log_integer(log, "group", 16);
    r1_log_number(log, "clip_low", 0.2);
    r1_log_begin_array(log, "betas");
    r1_log_number(log, NULL, 0.9);
    r1_log_number(log, NULL, 0.95);
    r1_log_end_array(log);
    r1_log_begin_object(log, "reward_weights");
    r1_log_number(log, "accuracy", 1);
    r1_log_number(log, "format", 1);
    r1_log_end_object(log);
    r1_log_end_object(log);
    r1_log_row(log);
}
static void report_pretrain(r1_log_file *log, int step, int steps) {
    double t = (double)step / steps, noise = report_noise((unsigned)step);
    report_stage(log, "pretrain", step);
    r1_log_number(log, "loss", 0.52 + 2.6 / (1 + 30 * t) + 0.04 * noise);
    r1_log_number(log, "grad_norm", 0.4 + 2 / (1 + 20 * t) + 0.3 * noise);
    r1_log_number(log, "expert_load", 1.15 + 0.8 / (1 + 9 * t) + 0.1 * noise);
    r1_log_number(log, "learning_rate", 2e-3);
    r1_log_integer(log, "tokens", step * 1000);
    r1_log_number(log, "seconds", step * 0.02);
    r1_log_row(log);
}
// The curves of parity: a slow start, a steep middle, a flat end.
static double report_progress(double t) { return 1 / (1 + exp(-14 * (t - 0.38))); }
static void report_eval(r1_log_file *log, const char *at, int step, int steps) {
    double p = steps ? report_progress((double)step / steps) : 0;
    report_stage(log, "eval", step);
    r1_log_text(log, "at", at, strlen(at));
    r1_log_number(log, "pass_at_1", 0.60 + 0.39 * p);
    r1_log_number(log, "cons_at_k", 0.63 + 0.37 * p);
    r1_log_integer(log, "k", 16);
    r1_log_number(log, "length", 5.6 + 10.4 * p);
    r1_log_number(log, "format", 0.9 + 0.1 * p);
    r1_log_row(log);
}
static void report_rl(r1_log_file *log, int step, int steps) {
    double p = report_progress((double)step / steps), noise = report_noise((unsigned)step);
    double accuracy = 0.59 + 0.4 * p + 0.06 * noise * (1.1 - p), format = 0.88 + 0.12 * p;
    report_stage(log, "rl", step);
    r1_log_number(log, "reward", accuracy + format);
    r1_log_number(log, "accuracy", accuracy);
    r1_log_number(log, "format", format);
    r1_log_number(log, "length", 5.7 + 10.2 * p + noise);
    r1_log_number(log, "truncated", 0);
    r1_log_number(log, "entropy", 0.46 - 0.28 * p + 0.03 * noise);
    r1_log_number(log, "kl", 0.03 * p * p + 0.002 * (noise + 0.5));
    r1_log_number(log, "clip_fraction", 0.012 + 0.01 * noise);
    r1_log_number(log, "ratio_error", 0);
    r1_log_number(log, "informative_groups", 0.97 - 0.75 * p + 0.05 * noise);
    r1_log_number(log, "unjudged", 0);
    r1_log_number(log, "grad_norm", 0.35 - 0.2 * p + 0.1 * noise);
    r1_log_number(log, "loss", 0.002 * noise);
    r1_log_number(log, "learning_rate", 3e-4);
    r1_log_number(log, "expert_load", 1.2 + 0.1 * noise);
    r1_log_integer(log, "tokens", 4000 * step);
    r1_log_number(log, "seconds", 9 + 0.4 * step);
    r1_log_number(log, "wait", 0.4 + 5 * p + noise);
    r1_log_number(log, "judge_queue", 3 + noise);
    r1_log_number(log, "no_number", NAN);
    r1_log_text(log, "weight_hash", "91af00c2d4e8b7a1", 16);
    r1_log_row(log);
}
static void report_sample(r1_log_file *log, const char *stage, const char *prompt,
                          const char *completion, int right) {
    report_stage(log, stage, 50);
    r1_log_text(log, "prompt", prompt, strlen(prompt));
    r1_log_text(log, "completion", completion, strlen(completion));
    r1_log_integer(log, "reward", right + 1);
    r1_log_integer(log, "accuracy", right);
    r1_log_integer(log, "format", 1);
    r1_log_row(log);
}
static void report_samples(r1_context *ctx, const char *folder) {
    static const char *const bits[] = {"101100111010", "001011010011", "111000101101",
                                       "010101010110", "100110010001", "011110001011"};
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "samples.jsonl"), false);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 6; i++) {
            char prompt[32], completion[64] = "<";
            size_t n = 1;
            int parity = 0;
            snprintf(prompt, sizeof prompt, "%s=", bits[i]);
            for (int b = 0; b < 12; b++) {
                parity ^= bits[i][b] - '0';
                if (side || i == 3) completion[n++] = (char)('0' + parity);
            }
            int answer = side || i % 2 ? parity : !parity;
            snprintf(completion + n, sizeof completion - n, ">%d", answer);
            report_sample(log, side ? "final" : "base", prompt, completion, answer == parity);
        }
    }
    report_sample(log, "base", "8 4 9 =41", "<think>8*4=32+9=41 low wait </think>", 0);
    report_sample(log, "final", "8 4 9 =41",
                  "<think>9*4=36+8=44 high Wait, 8*4=32+9=41 yes</think><answer>(8*4)+9</answer>",
                  1);
    r1_log_close(log);
}
// A whole run: pre-training, evaluation, RL, evaluation.
static void report_run(r1_context *ctx, const char *folder, const char *task, int steps) {
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), false);
    report_settings(log, task);
    for (int step = 10; step <= 450; step += 10) report_pretrain(log, step, 450);
    report_eval(log, "base", 0, 0);
    for (int step = 1; step <= steps; step++) {
        report_rl(log, step, steps);
        if (step % (steps < 50 ? 5 : steps / 10) == 0 && step < steps)
            report_eval(log, "step", step, steps);
    }
    report_eval(log, "final", steps, steps);
    r1_log_close(log);
}
static char *report_page(r1_context *ctx, const char *folder, size_t *size) {
    CHECK(r1_report_write(ctx, folder) == R1_OK);
    char *page = r1_file_read(ctx, test_join(folder, "report.html"), size);
    CHECK(page && strlen(page) == *size);
    return page;
}
static size_t report_count(const char *text, const char *word) {
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word)) n++;
    return n;
}

// Whether tags nest and are closed, attributes are quoted, and texts hold no bare < or &.
static bool report_balanced(const char *p) {
    static const char *const alone[] = {"meta", "!DOCTYPE"}; // without an end
    char open[32][16];
    int depth = 0;
    for (; *p; p++) {
        if ((unsigned char)*p < 32 && *p != '\n' && *p != '\t') return false;
        if (*p == '&' && strcspn(p, ";") > 8) return false;
        if (*p != '<') continue;
        bool end = p[1] == '/', single = false;
        char name[16];
        size_t n = strspn(p + 1 + end, "!abcdefghijklmnopqrstuvwxyzDOCTYPE0123456789");
        if (n == 0 || n >= sizeof name) return false;
        memcpy(name, p + 1 + end, n), name[n] = 0;
        p += 1 + end + n;
        for (; *p != '>'; p++) {
            if (*p == '"') p = strchr(p + 1, '"');
            if (!p || !*p || *p == '<') return false;
            single = p[0] == '/' && p[1] == '>';
        }
        for (size_t i = 0; i < 2; i++) single = single || strcmp(name, alone[i]) == 0;
        if (end && (depth == 0 || strcmp(open[--depth], name) != 0)) return false;
        if (!end && !single) {
            if (depth == 32) return false;
            memcpy(open[depth++], name, sizeof name);
        }
        if (!end && strcmp(name, "style") == 0) p = strstr(p, "</style") - 1;
    }
    return depth == 0;
}

TEST(report_of_an_empty_log) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    CHECK(r1_report_write(ctx, folder) == R1_ERROR_FILE);
    CHECK(strstr(r1_message_of(ctx), "metrics.jsonl"));
    r1_error_clear(ctx);
    r1_file_write(ctx, test_join(folder, "metrics.jsonl"), "", 0);
    char *page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "Nothing is logged yet") && report_balanced(page));
    CHECK(r1_report_curve(ctx, folder, test_join(folder, "curve.svg")) == R1_OK);
    CHECK(r1_report_csv(ctx, folder) == R1_OK);
    CHECK_EQUAL_TEXT(r1_file_read(ctx, test_join(folder, "metrics.csv"), &size), "");
    CHECK(r1_report_write(ctx, NULL) == R1_ERROR_ARGUMENT);
    r1_context_free(ctx);
}

TEST(report_of_one_row) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), false);
    report_pretrain(log, 10, 450);
    char *page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "Pre-training step 10") && strstr(page, "Pre-training loss"));
    CHECK(report_balanced(page));
    report_eval(log, "base", 0, 0);
    page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "Response length") && strstr(page, "<b>0.60</b>") && report_balanced(page));
    r1_context_free(ctx);
}

TEST(report_of_a_run) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    report_run(ctx, folder, "parity", 50);
    report_samples(ctx, folder);
    char *page = report_page(ctx, folder, &size);
    CHECK(report_balanced(page));
    CHECK(strstr(page, "<title>R1-Zero: parity</title>") && strstr(page, "cons@16"));
    CHECK(strstr(page, "0.60 &#8594; <b>0.99</b>") && strstr(page, "5.6 &#8594; <b>16.0</b>"));
    CHECK(strstr(page, "Finished after 50 RL steps."));
    CHECK(strstr(page, "grpo.reward_weights.format") && strstr(page, "0.9, 0.95"));
    CHECK(strstr(page, "judge queue") && !strstr(page, "no number")); // unknown keys, and null
    CHECK(strstr(page, "91af00c2d4e8b7a1"));
    CHECK_EQUAL_SIZE(report_count(page, "class=\"pair\""), 7);
    CHECK(strstr(page, "<mark>Wait</mark>, 8*4") && report_count(page, "<svg ") >= 15);
    CHECK_EQUAL_SIZE(report_count(page, "role=\"img\" aria-label=\""), report_count(page, "<svg "));
    CHECK(!strstr(page, "http") && !strstr(page, "<script") && !strstr(page, "nan"));
    CHECK(r1_report_curve(ctx, folder, test_join(folder, "curve.svg")) == R1_OK);
    page = r1_file_read(ctx, test_join(folder, "curve.svg"), &size);
    CHECK(report_balanced(page) && report_count(page, "http") == 1);
    CHECK(strstr(page, "xmlns=\"http://www.w3.org/2000/svg\"") && strstr(page, "Response length"));
    r1_context_free(ctx);
}

TEST(report_is_bounded) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    static const char *const words[] = {"language", "mistake", "however", "but",   "retry",
                                        "error",    "verify",  "wrong",   "check", "evaluate"};
    char *hard = (char *)malloc(30000);
    size_t size, before, after;
    CHECK(hard != NULL);
    memset(hard, '"', 29999), hard[29999] = 0; // six bytes each when escaped
    report_run(ctx, folder, "a long run", 5000);
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), true);
    for (int step = 5001; step < 5600; step++) { // more keys than there are charts
        report_stage(log, "rl", step);
        for (int i = 0; i < 300; i++) {
            char key[16];
            snprintf(key, sizeof key, "key_%d", i);
            if (i < 10) snprintf(key, sizeof key, "%s", words[i]);
            r1_log_number(log, key, report_noise((unsigned)(step * 300 + i)) * 1e6);
        }
        r1_log_row(log);
    }
    r1_log_text(log, "stage", "settings", 8);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof key, "key_%d", i);
        r1_log_text(log, key, hard, 200);
    }
    r1_log_row(log), r1_log_close(log);
    log = r1_log_open(ctx, test_join(folder, "samples.jsonl"), false);
    for (int i = 0; i < 40; i++)
        report_sample(log, i < 20 ? "base" : "final", hard + 28000, hard + 27000, 0);
    r1_log_close(log);
    r1_memory_used(ctx, &before, NULL);
    CHECK(r1_report_write(ctx, folder) == R1_OK && r1_report_csv(ctx, folder) == R1_OK);
    r1_memory_used(ctx, &after, NULL);
    CHECK(before == after);
    char *page = report_page(ctx, folder, &size);
    CHECK(size > 150000 && size <= 300000 && report_balanced(page));
    for (char *line = page; (line = strstr(line, "points=\"")) != NULL; line++) {
        size_t points = 0;
        for (char *p = line + 8; *p != '"'; p++) points += *p == ',';
        CHECK(points >= 2 && points <= 400);
    }
    free(hard);
    r1_context_free(ctx);
}

TEST(report_escapes_the_log) {
    static const char bad[] = "<script>alert('1')</script> \"quoted\" & \x01\x1b[31m\x7f";
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    report_run(ctx, folder, bad, 5);
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), true);
    report_stage(log, "rl", 6);
    r1_log_number(log, "\"><script>", 1);
    r1_log_number(log, "huge", 1e300);
    r1_log_number(log, "tiny", -1e-300);
    r1_log_number(log, "large", -1e30);
    r1_log_row(log), r1_log_close(log);
    log = r1_log_open(ctx, test_join(folder, "samples.jsonl"), false);
    report_sample(log, "base", bad, "bad utf-8 \xff\xc0\x80, turned \xe2\x80\xae text", 0);
    report_sample(log, "final", bad, "</pre></div><b onclick=\"1\">\xc2\x85\xef\xbf\xbe", 1);
    r1_log_close(log);
    char *page = report_page(ctx, folder, &size);
    CHECK(report_balanced(page) && !strstr(page, "<script") && !strstr(page, "<b on"));
    CHECK(strstr(page, "&lt;script&gt;alert(&#39;1&#39;)") &&
          strstr(page, "&quot;quoted&quot; &amp;"));
    CHECK(!strstr(page, "\xe2\x80\xae") && !strstr(page, "\xc2\x85") && r1i_utf8_valid(page, size));
    CHECK(strstr(page, "large") && !strstr(page, "huge"));
    CHECK(r1_report_curve(ctx, folder, test_join(folder, "curve.svg")) == R1_OK);
    r1_context_free(ctx);
}

TEST(report_passes_over_bad_rows) {
    static const char rows[] =
        "{\"stage\":\"rl\",\"step\":1,\"accuracy\":0.5}\n"
        "not a row\n[1,2]\n\n"
        "{\"stage\":\"rl\",\"step\":2,\"accuracy\":0.75,\"kl\":null}\n"
        "{\"stage\":\"rl\",\"step\":2,\"accuracy\":0.875}\n"
        "{\"stage\":7}\n{\"stage\":\"eval\",\"at\":\"sets\",\"pass_at_1\":0.123}\n"
        "{\"stage\":\"rl\",\"step\":3,\"accur";
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    r1_file_write(ctx, test_join(folder, "metrics.jsonl"), rows, sizeof rows - 1);
    char *page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "RL step 2;") && strstr(page, "train: 0.50 to 0.88")); // the later row holds
    CHECK(!strstr(page, "0.12") && report_balanced(page));
    r1_context_free(ctx);
}

TEST(report_csv_round_trip) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    report_run(ctx, folder, "parity", 20);
    CHECK(r1_report_csv(ctx, folder) == R1_OK);
    char *csv = r1_file_read(ctx, test_join(folder, "metrics.csv"), &size);
    char *log = r1_file_read(ctx, test_join(folder, "metrics.jsonl"), &size), *line = log;
    CHECK(strncmp(csv, "step,reward,accuracy,format,length,", 35) == 0);
    CHECK_EQUAL_SIZE(report_count(csv, "\n"), 21);
    char *row = strchr(csv, '\n') + 1;
    for (; (line = strstr(line, "{\"stage\":\"rl\"")) != NULL; line++) {
        r1_json *json = r1_json_read(ctx, line, strcspn(line, "\n"));
        char *key = csv;
        for (bool more = true; more; key++, row++) {
            char name[64];
            size_t n = strcspn(key, ",\n");
            memcpy(name, key, n), name[n] = 0;
            CHECK(r1_json_find(json, name) &&
                  strtod(row, &row) == r1_json_number(r1_json_find(json, name), NAN));
            more = *row == ',';
            key += n;
        }
    }
    CHECK(!*row);
    static const char odd[] = "{\"stage\":\"rl\",\"a,\\\"b\":1}\n{\"stage\":\"rl\",\"c\":1e-7}\n";
    r1_file_write(ctx, test_join(folder, "metrics.jsonl"), odd, sizeof odd - 1);
    CHECK(r1_report_csv(ctx, folder) == R1_OK);
    CHECK_EQUAL_TEXT(r1_file_read(ctx, test_join(folder, "metrics.csv"), &size),
                     "\"a,\"\"b\",c\n1,\n,1e-7\n");
    r1_context_free(ctx);
}

// An allocator whose n-th call finds no memory.
static size_t report_calls, report_fails_at;
static void *report_alloc(void *user, size_t bytes, size_t align) {
    return ++report_calls == report_fails_at ? NULL : r1i_libc_alloc(user, bytes, align);
}
TEST(report_without_memory) {
    r1_allocator allocator = {report_alloc, r1i_libc_free, NULL};
    r1_context *ctx = r1_context_new(&(r1_context_desc){.allocator = allocator});
    const char *folder = report_folder();
    size_t size, before, after, n = 1;
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), false);
    report_settings(log, "parity");
    report_pretrain(log, 10, 450);
    report_eval(log, "base", 0, 0);
    report_rl(log, 1, 50);
    r1_log_close(log);
    log = r1_log_open(ctx, test_join(folder, "samples.jsonl"), false);
    report_sample(log, "base", "1+1=", "3", 0);
    report_sample(log, "final", "1+1=", "2", 1);
    r1_log_close(log);
    char *whole = report_page(ctx, folder, &size);
    r1_memory_used(ctx, &before, NULL);
    for (r1_status status = R1_ERROR_MEMORY; status == R1_ERROR_MEMORY; n++) {
        report_calls = 0, report_fails_at = n;
        status = r1_report_write(ctx, folder);
        if (status == R1_OK) status = r1_report_csv(ctx, folder);
        if (status == R1_OK) status = r1_report_curve(ctx, folder, test_join(folder, "curve.svg"));
        report_fails_at = 0;
        r1_memory_used(ctx, &after, NULL);
        CHECK(before == after && (status == R1_OK || status == R1_ERROR_MEMORY));
        r1_error_clear(ctx);
    }
    CHECK(n > 100);
    CHECK_EQUAL_TEXT(r1_file_read(ctx, test_join(folder, "report.html"), &size), whole);
    r1_context_free(ctx);
}
