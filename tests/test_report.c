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
// A run of the countdown task as its log would be, so that the page can be looked at: a base model
// that tries at random, then one that tries with care and comes back from its errors.
static void report_countdown_settings(r1_log_file *log, int pretrain_steps, int steps) {
    static const char grpo[] = "{\"group\":16,\"clip_low\":0.2,\"kl\":\"k3\",\"temperature\":1,"
                               "\"reward_weights\":{\"accuracy\":1,\"format\":0.5}}";
    report_stage(log, "settings", 0);
    r1_log_text(log, "task", "countdown", 9);
    r1_log_integer(log, "pretrain_steps", pretrain_steps);
    r1_log_integer(log, "rl_steps", steps);
    r1_log_text(log, "grpo", grpo, sizeof grpo - 1);
    r1_log_row(log);
}
// What training and evaluations have in common; p is how much has been learned, 0 to 1.
static void report_countdown_answers(r1_log_file *log, double p, double noise) {
    r1_log_number(log, "length", 24 + 46 * p + 3 * noise);
    r1_log_number(log, "format", 0.93 + 0.06 * p + 0.01 * noise);
    r1_log_number(log, "truncated", 0.02 + 0.05 * p * (1 - p) + 0.01 * noise);
    r1_log_number(log, "wait", 0.31 + 2.6 * p + 0.2 * noise);
    r1_log_number(log, "per_try", 0.13 + 0.16 * p + 0.02 * noise);
    r1_log_number(log, "first_try_right", 0.12 + 0.17 * p + 0.03 * noise);
    r1_log_number(log, "corrected", 0.04 + 0.5 * p + 0.02 * noise);
    r1_log_number(log, "sums_right", 0.86 + 0.13 * p + 0.01 * noise);
    r1_log_number(log, "verdicts_right", 0.88 + 0.11 * p + 0.01 * noise);
    r1_log_number(log, "repeated_tries", 0.30 - 0.2 * p + 0.04 * noise);
}
static void report_countdown_eval(r1_log_file *log, const char *at, int step, double p) {
    double noise = report_noise((unsigned)step + 77);
    report_stage(log, "eval", step);
    r1_log_text(log, "at", at, strlen(at));
    r1_log_number(log, "pass_at_1", 0.17 + 0.6 * p + 0.03 * noise);
    r1_log_number(log, "cons_at_k", 0.31 + 0.58 * p + 0.03 * noise);
    r1_log_number(log, "sets_pass_at_1", 0.16 + 0.52 * p + 0.03 * noise);
    r1_log_number(log, "sets_cons_at_k", 0.29 + 0.53 * p + 0.04 * noise);
    r1_log_integer(log, "k", 16);
    report_countdown_answers(log, p, 0.5 * noise);
    r1_log_row(log);
}
static void report_countdown_rl(r1_log_file *log, int step, double p) {
    double noise = report_noise((unsigned)step), more = report_noise((unsigned)step + 5000);
    double accuracy = 0.17 + 0.6 * p + 0.08 * noise, format = 0.93 + 0.06 * p;
    report_stage(log, "rl", step);
    r1_log_number(log, "time", 1.75e9 + 40 + 2 * step);
    r1_log_number(log, "reward", accuracy + 0.5 * format);
    r1_log_number(log, "accuracy", accuracy);
    report_countdown_answers(log, p, noise);
    r1_log_number(log, "word_low", 0.5 + 1.2 * p + 0.2 * more);
    r1_log_number(log, "word_high", 0.4 + 1.3 * p - 0.2 * more);
    r1_log_number(log, "word_no", 0.1 + 0.1 * more);
    r1_log_number(log, "entropy", 0.61 - 0.33 * p + 0.03 * noise);
    r1_log_number(log, "kl", 0.06 * p * p + 0.002 * (noise + 0.5));
    r1_log_number(log, "clip_fraction", 0.006 + 0.004 * noise);
    r1_log_number(log, "ratio_error", 0.2 + 0.1 * more);
    r1_log_number(log, "informative_groups", 0.74 + 0.2 * p * (1 - p) - 0.2 * p + 0.08 * noise);
    r1_log_number(log, "unjudged", 0);
    r1_log_number(log, "grad_norm", 0.3 + 0.1 * more);
    r1_log_number(log, "loss", 1e-3 * more);
    r1_log_number(log, "learning_rate", step < 10 ? 3e-5 * step : 3e-4);
    r1_log_number(log, "expert_load", 1.3 + 0.1 * noise);
    r1_log_integer(log, "dropped_groups", 0);
    r1_log_integer(log, "tokens", 4000 + step);
    r1_log_number(log, "seconds", 1.9);
    r1_log_text(log, "weight_hash", "c0ffee0000000001", 16);
    r1_log_row(log);
}
// A sample with the first of two tries pointed at as the error and the second as its correction.
static void report_countdown_sample(r1_log_file *log, const char *stage, int step,
                                    const char *prompt, const char *completion, const char *error,
                                    const char *fix) {
    const char *at = error ? strstr(completion, error) : NULL;
    report_stage(log, stage, step);
    r1_log_text(log, "prompt", prompt, strlen(prompt));
    r1_log_text(log, "completion", completion, strlen(completion));
    r1_log_number(log, "reward", strstr(completion, "yes") ? 1.5 : 0.5);
    r1_log_number(log, "accuracy", strstr(completion, "yes") != NULL);
    r1_log_integer(log, "format", 1);
    if (at) {
        r1_log_integer(log, "mark_from", at - completion);
        r1_log_integer(log, "mark_to", at - completion + (long)strlen(error));
        r1_log_text(log, "mark_label", "wrong first try", 15);
    }
    at = fix ? strstr(completion, fix) : NULL;
    if (at) {
        r1_log_integer(log, "fix_from", at - completion);
        r1_log_integer(log, "fix_to", at - completion + (long)strlen(fix));
    }
    r1_log_row(log);
}
static void report_countdown_samples(r1_context *ctx, const char *folder, int steps) {
    static const char *const rows[][5] = {
        {"3 6 7 =25:", "<think>3*6=18+7=25 yes</think>3*6+7<end>",
         "<think>3*6=18+7=25 yes</think>3*6+7<end>", NULL, NULL},
        {"2 5 9 =19:", "<think>2+5=7+9=16 low</think>2+5+9<end>",
         "<think>2+5=7+9=16 low wait 2*9=18+5=23 high wait 2*5=10+9=19 yes</think>2*5+9<end>",
         "2+5=7+9=16", "2*5=10+9=19 yes"},
        {"4 8 9 =44:", "<think>8*4=32-9=23 yes</think>8*4-9<end>",
         "<think>8*4=32-9=23 low wait 9*4=36+8=44 yes</think>9*4+8<end>", "8*4=32-9=23",
         "9*4=36+8=44 yes"},
        {"1 6 8 =47:", "<think>6+8=14-1=13 low wait 6+8=14-1=13 low wait</think>6+8-1<end>",
         "<think>6*8=48+1=49 high wait 6*8=48-1=47 yes</think>6*8-1<end>", "6*8=48+1=49",
         "6*8=48-1=47 yes"},
        {"2 3 7 =13:", "<think>2*3=6+7=13 yes</think>2*3+7<end>",
         "<think>2*3=6+7=13 yes</think>2*3+7<end>", NULL, NULL},
        {"5 5 6 =31:", "<think>5+5=10*6=60 high wait 5*6=30-5=25 low</think>5*6-5<end>",
         "<think>5*5=25+6=31 yes</think>5*5+6<end>", NULL, NULL}};
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "samples.jsonl"), false);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            report_countdown_sample(log, side ? "final" : "base", side ? steps : 0, rows[i][0],
                                    rows[i][1 + side], side ? rows[i][3] : NULL,
                                    side ? rows[i][4] : NULL);
    r1_log_close(log);
}
// The log after `pretrain` steps of pre-training and `done` of `steps` steps of RL.
static void report_countdown(r1_context *ctx, const char *folder, int pretrain, int done,
                             int steps) {
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), false);
    report_countdown_settings(log, 1500, steps);
    for (int step = 1; step <= pretrain; step += step == 1 ? 9 : 10) {
        double t = step / 1500.0, noise = report_noise((unsigned)step);
        report_stage(log, "pretrain", step);
        r1_log_number(log, "time", 1.75e9 + 0.02 * step);
        r1_log_number(log, "loss", 0.52 + 2.6 / (1 + 30 * t) + 0.04 * noise);
        r1_log_number(log, "mtp_loss", 0.93 + 2.4 / (1 + 20 * t) + 0.06 * noise);
        r1_log_number(log, "grad_norm", 0.4 + 2 / (1 + 20 * t) + 0.3 * noise);
        r1_log_number(log, "expert_load", 1.15 + 0.8 / (1 + 9 * t) + 0.1 * noise);
        r1_log_number(log, "learning_rate", 2e-3 * (step < 100 ? step / 100.0 : 1 - 0.9 * t));
        r1_log_integer(log, "tokens", 2900 + step % 7);
        r1_log_row(log);
    }
    if (done >= 0) report_countdown_eval(log, "base", 0, 0);
    for (int step = 1; step <= done; step++) {
        double p = report_progress((double)step / steps);
        report_countdown_rl(log, step, p);
        if (step % 20 == 0 && step < steps) report_countdown_eval(log, "step", step, p);
    }
    if (done == steps) report_countdown_eval(log, "final", steps, report_progress(1));
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
    for (int step = 5001; step < 5200; step++) { // more keys than there are charts
        report_stage(log, "rl", step);
        for (int i = 0; i < 300; i++) {
            char key[16];
            snprintf(key, sizeof key, "%s_%d", i < 60 ? "key" : "word", i);
            if (i < 10) snprintf(key, sizeof key, "%s", words[i]);
            r1_log_number(log, key, report_noise((unsigned)(step * 300 + i)) * 1e6);
        }
        r1_log_row(log);
    }
    r1_log_text(log, "stage", "settings", 8);
    for (int i = 0; i < 300; i++) { // long keys, and lists of long texts
        snprintf(hard + 100, 8, "%d", i);
        r1_log_begin_array(log, hard);
        for (int k = 0; k < 10; k++) r1_log_text(log, NULL, hard + 200, 200);
        r1_log_end_array(log);
    }
    r1_log_row(log), r1_log_close(log);
    log = r1_log_open(ctx, test_join(folder, "samples.jsonl"), false);
    for (int i = 0; i < 16; i++) // pairs by prompts of different lengths
        report_sample(log, i < 8 ? "base" : "final", hard + 29300 + i % 8, hard + 27800, 0);
    r1_log_close(log);
    r1_memory_used(ctx, &before, NULL);
    CHECK(r1_report_write(ctx, folder) == R1_OK && r1_report_csv(ctx, folder) == R1_OK);
    r1_memory_used(ctx, &after, NULL);
    CHECK(before == after);
    char *page = report_page(ctx, folder, &size);
    CHECK(size > 250000 && size <= 300000 && report_balanced(page));
    CHECK(strstr(page, "<h2>Settings</h2>") && report_count(page, "class=\"pair\"") == 8);
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

// The text between two words of the page; "" when they are not there.
static const char *report_between(const char *page, const char *from, const char *to) {
    static char part[1 << 15];
    const char *begin = strstr(page, from), *end = begin ? strstr(begin, to) : NULL;
    part[0] = 0;
    if (end) snprintf(part, sizeof part, "%.*s", (int)(end - begin), begin);
    return part;
}
TEST(report_of_countdown) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    static const char *const headings[] = {
        "Answers before and after", "Accuracy on other problems", "Length and words", "Reward",
        "Health of the policy",     "Inside the answers",         "Pre-training",     "Settings"};
    size_t size;
    report_countdown(ctx, folder, 1500, 300, 300);
    report_countdown_samples(ctx, folder, 300);
    char *page = report_page(ctx, folder, &size), *at = page;
    CHECK(report_balanced(page));
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "<h2>%s</h2>", headings[i]);
        CHECK((at = strstr(at, text)) != NULL); // in this order
        CHECK_EQUAL_SIZE(report_count(page, text), 1);
    }
    const char *figure = report_between(page, "aria-label=\"Accuracy by RL step", "</figure>");
    CHECK(strstr(figure, ">base 0.17</text>") && report_count(figure, "<path class=\"b\"") == 2);
    CHECK_EQUAL_SIZE(report_count(figure, "<text class=\"v s"), 3); // the newest value of each
    figure = report_between(page, "Accuracy: sets by RL step", "</figure>");
    CHECK(strstr(figure, "cons@16") && strstr(figure, ">base 0.16</text>"));
    figure = report_between(page, "The word &quot;wait&quot; by RL step", "</figure>");
    CHECK(strstr(figure, ">evaluation</text>") && strstr(figure, ">base 0."));
    CHECK(strstr(report_between(page, "Words by RL step", "</figure>"), ">low</text>"));
    CHECK(strstr(page, "First try right by") && strstr(page, "Repeats by")); // by other names
    CHECK(strstr(report_between(page, "Corrected errors by RL step", "</figure>"), ">train<"));
    figure = report_between(page, "Pre-training loss by pre-training step", "</figure>");
    CHECK(strstr(figure, ">mtp loss</text>"));
    CHECK(!strstr(report_between(page, "Entropy by", "</figure>"), ">base")); // there is none
    CHECK(strstr(page, "The same at every step: dropped groups 0.</p>"));
    CHECK(strstr(page, "<th scope=\"row\">grpo.reward_weights.format</th><td>0.5</td>"));
    CHECK(report_count(page, "<progress") == 0);
    report_countdown(ctx, folder, 1500, 45, 300);
    page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "RL step 45 of 300;") && strstr(page, "value=\"45\" max=\"300\""));
    report_countdown(ctx, folder, 1, -1, 300);
    page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "Pre-training step 1 of 1500;") && strstr(page, "R1-Zero: countdown"));
    CHECK(report_count(page, "<svg ") == 4 && report_balanced(page));
    r1_context_free(ctx);
}

TEST(report_marks_a_corrected_error) {
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    report_countdown(ctx, folder, 1, 1, 300);
    report_countdown_samples(ctx, folder, 300);
    char *page = report_page(ctx, folder, &size);
    // The first pair of the log has nothing to correct, so the second one leads.
    char *first = strstr(page, "class=\"pair\"");
    CHECK(first && strstr(first, "2 5 9 =19:") < strstr(first, "3 6 7 =25:"));
    CHECK(strstr(page, "<u class=\"error\">2+5=7+9=16</u><small class=\"error\">wrong first try"
                       "</small> low <mark>wait</mark>"));
    CHECK(strstr(page, "<u class=\"fixed\">2*5=10+9=19 yes</u><small class=\"fixed\">corrected"
                       "</small>&lt;/think&gt;"));
    CHECK_EQUAL_SIZE(report_count(page, "class=\"pair\""), 6);
    CHECK_EQUAL_SIZE(report_count(page, "<u class=\"fixed\""), 3);
    CHECK(strstr(page, "<summary>3 more pairs</summary>"));
    CHECK(strstr(page, "u.error{") && strstr(page, "underline wavy") && report_balanced(page));
    r1_context_free(ctx);
}

// Spans as a log should not have them: they cost the mark, never the page.
TEST(report_survives_bad_spans) {
    static const char rows[] =
        "{\"mark_from\":-1,\"mark_to\":3,\"completion\":\"abcdef\"}\n"
        "{\"mark_from\":3,\"mark_to\":3,\"completion\":\"abcdef\"}\n"
        "{\"mark_from\":3,\"mark_to\":7,\"completion\":\"abcdef\"}\n"
        "{\"mark_from\":1e300,\"mark_to\":1e301,\"completion\":\"abcdef\"}\n"
        "{\"mark_from\":\"1\",\"mark_to\":[2],\"completion\":\"abcdef\"}\n"
        "{\"mark_from\":0,\"mark_to\":2}\n"
        "{\"fix_from\":0,\"fix_to\":4,\"mark_from\":2,\"mark_to\":6,\"completion\":\"overlap\"}\n"
        "{\"fix_from\":0,\"fix_to\":1,\"mark_from\":2,\"mark_to\":6,\"mark_label\":\"<b>\","
        "\"completion\":\"turned\"}\n"
        "{\"mark_from\":2,\"mark_to\":5,\"completion\":\"a\xc3\xa4g\xc3\xb6z\"}\n";
    static const struct {
        int n;
        const char *first, *second;
    } expected[] = {{0, "", ""},         {0, "", ""},      {0, "", ""},
                    {0, "", ""},         {0, "", ""},      {0, "", ""},
                    {1, "over", ""},     {2, "t", "rned"}, // in their order
                    {1, "\xc3\xa4g", ""}};                 // whole characters
    r1_context *ctx = r1_context_new(NULL);
    r1i_report_lines lines = {ctx, rows, sizeof rows - 1, 0};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        r1_json *row = r1i_report_next(&lines);
        r1_slice text = r1_json_text(r1_json_find(row, "completion"));
        r1i_span spans[2];
        r1_json_writer page = {.ctx = ctx};
        CHECK(row && r1i_sample_spans(row, spans) == expected[i].n);
        for (int k = 0; k < expected[i].n; k++) {
            const char *want = k ? expected[i].second : expected[i].first;
            CHECK_EQUAL_SIZE(spans[k].to - spans[k].from, strlen(want));
            CHECK(!memcmp(text.data + spans[k].from, want, strlen(want)));
        }
        r1i_page_put(&page, "<pre>"), r1i_sample_text(&page, row, 2000);
        r1i_page_put(&page, "</pre>");
        CHECK(report_balanced(page.text) && !strstr(page.text, "<b>"));
        r1_json_writer_free(&page);
        r1_json_free(ctx, row);
    }
    r1_context_free(ctx);
}

// A span far inside of a long text is shown, not cut off.
TEST(report_shows_a_late_span) {
    static char text[40000];
    r1_context *ctx = r1_context_new(NULL);
    r1_json_writer row = {.ctx = ctx}, page = {.ctx = ctx};
    memset(text, '&', sizeof text);
    memcpy(text + 30000, "wrong", 5);
    r1_json_begin_object(&row, NULL);
    r1_json_write_text(&row, "completion", text, sizeof text);
    r1_json_write_integer(&row, "mark_from", 30000);
    r1_json_write_integer(&row, "mark_to", 30005);
    r1_json_end_object(&row);
    r1_json *json = r1_json_read(ctx, row.text, row.size);
    r1i_sample_text(&page, json, 2000);
    CHECK(strstr(page.text, "<u class=\"error\">wrong</u><small class=\"error\">error</small>"));
    CHECK(strncmp(page.text, "&#8230;", 7) == 0 && page.size < 2300);
    r1_context_free(ctx);
}

TEST(report_settings_add_up) {
    static const char rows[] =
        "{\"stage\":\"settings\",\"task\":\"first\",\"seed\":1,\"about\":\"One <sentence>.\"}\n"
        "{\"stage\":\"settings\",\"task\":\"second\",\"bad\":\"{no json\"}\n"
        "{\"stage\":\"pretrain\",\"step\":1,\"loss\":2}\n";
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size;
    r1_file_write(ctx, test_join(folder, "metrics.jsonl"), rows, sizeof rows - 1);
    char *page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "<h1>R1-Zero: second</h1>\n<p>One &lt;sentence&gt;.</p>"));
    CHECK(strstr(page, "<td>second</td>") && !strstr(page, "<td>first</td>"));
    CHECK(strstr(page, "seed</th><td>1</td>") && strstr(page, "<td>{no json</td>"));
    r1_log_file *log = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), true);
    for (int i = 0; i < 100; i++) report_settings(log, i < 99 ? "more" : "newest");
    r1_log_close(log);
    page = report_page(ctx, folder, &size);
    CHECK(strstr(page, "R1-Zero: newest") && report_balanced(page));
    r1_context_free(ctx);
}

// ---- TensorBoard ----
TEST(report_checksum_vectors) {
    // RFC 3720, B.4, and the check value of the catalogue of CRCs.
    uint32_t table[256];
    unsigned char bytes[32];
    r1i_crc32c_table(table);
    CHECK(r1i_crc32c(table, "123456789", 9) == 0xe3069283u && r1i_crc32c(table, "", 0) == 0);
    memset(bytes, 0, sizeof bytes);
    CHECK(r1i_crc32c(table, bytes, sizeof bytes) == 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    CHECK(r1i_crc32c(table, bytes, sizeof bytes) == 0x62a8ab43u);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    CHECK(r1i_crc32c(table, bytes, sizeof bytes) == 0x46dd794eu);
    for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
    CHECK(r1i_crc32c(table, bytes, sizeof bytes) == 0x113fdb5cu);
}

// A second reading of the format, bit by bit and without the writer's table.
static uint32_t report_checksum(const unsigned char *p, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}
static uint64_t report_little(const unsigned char *p, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value |= (uint64_t)p[i] << (8 * i);
    return value;
}
static uint64_t report_varint(const unsigned char **p) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        CHECK(shift < 70);
        value |= (uint64_t)(**p & 0x7f) << shift;
        if (*(*p)++ < 0x80) return value;
    }
}
// A scalar as the file has it.
typedef struct report_scalar {
    char tag[80];
    int64_t step;
    double time;
    float value;
} report_scalar;

// One value of a summary: a tag and a float.
static void report_decode_value(const unsigned char *p, const unsigned char *end,
                                report_scalar *scalar) {
    CHECK(*p++ == 0x0a);
    size_t size = report_varint(&p);
    CHECK(size < sizeof scalar->tag && p + size + 5 == end);
    memcpy(scalar->tag, p, size), scalar->tag[size] = 0;
    CHECK(p[size] == 0x15);
    uint32_t bits = (uint32_t)report_little(p + size + 1, 4);
    memcpy(&scalar->value, &bits, 4);
}
// One event: time, then a version or a step with a summary. Returns how many scalars it has.
static size_t report_decode_event(const unsigned char *p, const unsigned char *end, bool first,
                                  report_scalar *scalars, size_t limit) {
    size_t n = 0;
    double time;
    CHECK(*p == 0x09);
    uint64_t bits = report_little(p + 1, 8);
    memcpy(&time, &bits, 8), p += 9;
    if (first) {
        CHECK(*p == 0x1a && p[1] == 13 && p + 15 == end && !memcmp(p + 2, "brain.Event:2", 13));
        return 0;
    }
    CHECK(*p++ == 0x10);
    int64_t step = (int64_t)report_varint(&p);
    CHECK(*p++ == 0x2a);
    CHECK(report_varint(&p) == (uint64_t)(end - p));
    for (; p < end; n++) {
        CHECK(*p++ == 0x0a && n < limit);
        size_t size = report_varint(&p);
        scalars[n].step = step, scalars[n].time = time;
        report_decode_value(p, p + size, &scalars[n]);
        p += size;
    }
    CHECK(p == end && n);
    return n;
}
static size_t report_decode(const char *file, size_t size, report_scalar *scalars, size_t limit) {
    const unsigned char *p = (const unsigned char *)file, *end = p + size;
    size_t n = 0;
    for (bool first = true; p < end; first = false) {
        CHECK(end - p >= 16);
        size_t bytes = report_little(p, 8);
        CHECK(report_little(p + 8, 4) == report_checksum(p, 8));
        CHECK((size_t)(end - p) >= bytes + 16);
        CHECK(report_little(p + 12 + bytes, 4) == report_checksum(p + 12, bytes));
        n += report_decode_event(p + 12, p + 12 + bytes, first, scalars + n, limit - n);
        p += bytes + 16;
    }
    return n;
}

TEST(report_events_bytes) {
    // One scalar, put together by hand from the two formats; the checksums are the test's own.
    static const char row[] = "{\"stage\":\"rl\",\"step\":300,\"kl\":0.5,\"a\":\"b\",\"c\":null}\n"
                              "{\"stage\":\"eval\",\"at\":\"elsewhere\",\"kl\":1}\n";
    unsigned char want[200] = {24, 0, 0, 0, 0, 0, 0, 0}, *p = want;
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size, n = 0;
    memcpy(want + 12,
           "\x09\0\0\0\0\0\0\0\0\x1a\x0d"
           "brain.Event:2",
           24);
    for (int i = 0; i < 2; i++, p += n + 16) {
        n = (size_t)p[0];
        uint32_t head = report_checksum(p, 8), body = report_checksum(p + 12, n);
        for (int b = 0; b < 4; b++) p[8 + b] = (unsigned char)(head >> (8 * b));
        for (int b = 0; b < 4; b++) p[12 + n + b] = (unsigned char)(body >> (8 * b));
        if (i) break;
        p[n + 16] = 28; // the second record
        memcpy(p + n + 28,
               "\x09\0\0\0\0\0\0\0\0\x10\xac\x02\x2a\x0e\x0a\x0c\x0a\x05rl/kl\x15\0\0\0\x3f", 28);
    }
    r1_file_write(ctx, test_join(folder, "metrics.jsonl"), row, sizeof row - 1);
    CHECK(r1_report_events(ctx, folder) == R1_OK);
    char *file = r1_file_read(ctx, test_join(folder, "events.out.tfevents.0000000000.r1"), &size);
    CHECK_EQUAL_SIZE(size, 24 + 16 + 28 + 16);
    CHECK(memcmp(file, want, size) == 0);
    r1_context_free(ctx);
}

// Every number of the log is in the file, once, with its step and time.
TEST(report_events_round_trip) {
    static report_scalar scalars[20000];
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    size_t size, at = 0, again;
    report_countdown(ctx, folder, 300, 40, 40);
    CHECK(r1_report_events(ctx, folder) == R1_OK);
    const char *path = test_join(folder, "events.out.tfevents.1750000000.r1");
    char *file = r1_file_read(ctx, path, &size);
    char *log = r1_file_read(ctx, test_join(folder, "metrics.jsonl"), NULL);
    size_t n = report_decode(file, size, scalars, 20000);
    r1i_report_lines lines = {ctx, log, strlen(log), 0};
    for (r1_json *row; (row = r1i_report_next(&lines)) != NULL; r1_json_free(ctx, row)) {
        r1_slice stage = r1_json_text(r1_json_find(row, "stage"));
        if (r1i_slice_is(stage, "settings")) continue;
        for (const r1_json *m = row->child; m; m = m->next) {
            char tag[80];
            if (m->kind != R1_JSON_NUMBER || r1i_slice_is(m->key, "step")) continue;
            if (r1i_slice_is(m->key, "time")) continue;
            snprintf(tag, sizeof tag, "%s/%s", stage.data, m->key.data);
            CHECK(at < n);
            CHECK_EQUAL_TEXT(scalars[at].tag, tag);
            CHECK(scalars[at].value == (float)m->number);
            CHECK(scalars[at].step == (int64_t)r1_json_number(r1_json_find(row, "step"), -1));
            CHECK(scalars[at].time == r1_json_number(r1_json_find(row, "time"), 0));
            at++;
        }
    }
    CHECK(at == n && n > 1000);
    CHECK(r1_report_events(ctx, folder) == R1_OK); // the same log, the same bytes
    char *second = r1_file_read(ctx, path, &again);
    CHECK(again == size && memcmp(file, second, size) == 0);
    // A log that has grown: the file begins with what was there, so a reader goes on where it was.
    r1_log_file *grown = r1_log_open(ctx, test_join(folder, "metrics.jsonl"), true);
    report_countdown_rl(grown, 41, 1), r1_log_close(grown);
    CHECK(r1_report_events(ctx, folder) == R1_OK);
    second = r1_file_read(ctx, path, &again);
    CHECK(again > size && memcmp(file, second, size) == 0);
    r1_context_free(ctx);
}

// The reader of TensorBoard itself, where Python has it.
TEST(report_events_by_tensorboard) {
    static const char program[] =
        "import sys\n"
        "from tensorboard.backend.event_processing import event_accumulator as e\n"
        "a = e.EventAccumulator(sys.argv[1], size_guidance={e.SCALARS: 0})\n"
        "a.Reload()\n"
        "for tag in a.Tags()['scalars']:\n"
        "    for s in a.Scalars(tag):\n"
        "        print(tag, s.step, repr(s.value), repr(s.wall_time))\n";
    static report_scalar scalars[20000];
    r1_context *ctx = r1_context_new(NULL);
    const char *folder = report_folder();
    char command[4096], line[256], tag[80];
    size_t size, seen = 0;
    if (system("python3 -c 'import tensorboard' > /dev/null 2>&1") != 0)
        SKIP("tensorboard: python3 does not have it");
    report_countdown(ctx, folder, 300, 40, 40);
    CHECK(r1_report_events(ctx, folder) == R1_OK);
    char *file = r1_file_read(ctx, test_join(folder, "events.out.tfevents.1750000000.r1"), &size);
    size_t n = report_decode(file, size, scalars, 20000);
    r1_file_write(ctx, test_join(folder, "read.py"), program, sizeof program - 1);
    snprintf(command, sizeof command, "python3 '%s/read.py' '%s' 2>/dev/null", folder, folder);
    FILE *pipe = popen(command, "r");
    while (pipe && fgets(line, sizeof line, pipe)) {
        size_t letters = strcspn(line, " "), i = 0;
        CHECK(letters < sizeof tag);
        memcpy(tag, line, letters), tag[letters] = 0;
        char *rest = line + letters;
        long long step = strtoll(rest, &rest, 10);
        double value = strtod(rest, &rest), time = strtod(rest, &rest);
        while (i < n && (scalars[i].step != step || strcmp(scalars[i].tag, tag))) i++;
        CHECK(i < n && (float)value == scalars[i].value && time == scalars[i].time);
        seen++;
    }
    CHECK(pipe && pclose(pipe) == 0);
    CHECK_EQUAL_SIZE(seen, n);
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
    char *eval = r1_file_read(ctx, test_join(folder, "eval.csv"), &size);
    CHECK_EQUAL_SIZE(report_count(eval, "\n"), 1 + 5);
    CHECK(strstr(eval, "step,pass_at_1,cons_at_k,k,length,format\n0,0.6,") == eval);
    CHECK_EQUAL_SIZE(
        report_count(r1_file_read(ctx, test_join(folder, "pretrain.csv"), &size), "\n"), 1 + 45);
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
static r1_status report_file(r1_context *ctx, const char *folder, int kind) {
    if (kind == 0) return r1_report_write(ctx, folder);
    if (kind == 1) return r1_report_csv(ctx, folder);
    if (kind == 2) return r1_report_events(ctx, folder);
    return r1_report_curve(ctx, folder, test_join(folder, "curve.svg"));
}
TEST(report_without_memory) {
    r1_allocator allocator = {report_alloc, r1i_libc_free, NULL};
    r1_context *ctx = r1_context_new(&(r1_context_desc){.allocator = allocator});
    const char *folder = report_folder();
    size_t size, before, after, calls = 0;
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
    // Each kind of file alone: a run that fails has then nothing to write.
    for (int kind = 0; kind < 4; kind++) {
        r1_status status = R1_ERROR_MEMORY;
        for (size_t n = 1; status == R1_ERROR_MEMORY; n++, calls++) {
            report_calls = 0, report_fails_at = n;
            status = report_file(ctx, folder, kind);
            report_fails_at = 0;
            r1_memory_used(ctx, &after, NULL);
            CHECK(before == after && (status == R1_OK || status == R1_ERROR_MEMORY));
            r1_error_clear(ctx);
        }
    }
    CHECK(calls > 200);
    CHECK_EQUAL_TEXT(r1_file_read(ctx, test_join(folder, "report.html"), &size), whole);
    r1_context_free(ctx);
}
