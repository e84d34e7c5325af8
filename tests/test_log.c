// Tests of the [log] room.
static char *log_text(r1_context *ctx, const char *path) { return r1_file_read(ctx, path, NULL); }
static void log_step(r1_log_file *log, int step) {
    r1_log_integer(log, "step", step);
    r1_log_number(log, "loss", 1.5);
    r1_log_row(log);
}

TEST(log_writes_rows) {
    r1_context *ctx = r1_context_new(NULL);
    const char *path = test_path("rows.jsonl");
    r1_log_file *log = r1_log_open(ctx, path, false);
    r1_log_text(log, "text", "a\nb", 3);
    r1_log_bool(log, "good", true);
    r1_log_begin_array(log, "list");
    r1_log_number(log, NULL, 0.5);
    r1_log_begin_object(log, NULL);
    r1_log_end_object(log);
    r1_log_end_array(log);
    r1_log_begin_object(log, "in");
    r1_log_integer(log, "n", -1);
    r1_log_end_object(log);
    CHECK(r1_log_bytes(log) == 0);
    CHECK(r1_log_row(log) == R1_OK && r1_log_row(log) == R1_OK && r1_log_sync(log) == R1_OK);
    char *text = log_text(ctx, path); // while it is open: every row is there at once
    CHECK_EQUAL_TEXT(
        text, "{\"text\":\"a\\nb\",\"good\":true,\"list\":[0.5,{}],\"in\":{\"n\":-1}}\n{}\n");
    CHECK(r1_log_bytes(log) == strlen(text));
    log_step(NULL, 1);
    CHECK(r1_log_row(NULL) == R1_OK && r1_log_bytes(NULL) == 0);
    r1_log_close(NULL);
    r1_context_free(ctx); // closes the log
}

TEST(log_cut_and_append) {
    r1_context *ctx = r1_context_new(NULL);
    const char *path = test_path("cut.jsonl");
    CHECK(r1_log_cut(ctx, path, 0) == R1_OK);
    r1_log_file *log = r1_log_open(ctx, path, false);
    size_t at = 0;
    for (int step = 0; step < 5; step++) {
        if (step == 3) at = r1_log_bytes(log);
        log_step(log, step);
    }
    r1_log_close(log);
    char *whole = log_text(ctx, path);
    CHECK(r1_log_cut(ctx, path, at) == R1_OK);
    log = r1_log_open(ctx, path, true);
    CHECK(r1_log_bytes(log) == at);
    log_step(log, 3), log_step(log, 4);
    r1_log_close(log);
    CHECK_EQUAL_TEXT(log_text(ctx, path), whole); // a resumed run's log is the same file
    CHECK(r1_log_cut(ctx, path, at - 1) == R1_ERROR_FORMAT);
    r1_error_clear(ctx);
    CHECK(r1_log_cut(ctx, path, 10000) == R1_ERROR_FILE);
    r1_error_clear(ctx);
    CHECK_EQUAL_TEXT(log_text(ctx, path), whole);
    CHECK(r1_log_cut(ctx, path, 0) == R1_OK);
    CHECK_EQUAL_TEXT(log_text(ctx, path), "");
    r1_context_free(ctx);
}

TEST(log_drops_a_torn_last_row) {
    r1_context *ctx = r1_context_new(NULL);
    const char *path = test_path("torn.jsonl");
    r1_file_write(ctx, path, "{\"a\":1}\n{\"a\":", 13);
    r1_log_file *log = r1_log_open(ctx, path, true);
    CHECK(r1_log_bytes(log) == 8);
    log_step(log, 1);
    r1_log_close(log);
    CHECK_EQUAL_TEXT(log_text(ctx, path), "{\"a\":1}\n{\"step\":1,\"loss\":1.5}\n");
    r1_context_free(ctx);
}

TEST(log_reports_errors) {
    r1_context *ctx = r1_context_new(NULL);
    CHECK(!r1_log_open(ctx, "/no/such/folder/log", true));
    CHECK(r1_status_of(ctx) == R1_ERROR_FILE && strstr(r1_message_of(ctx), "/no/such/folder/log"));
    r1_error_clear(ctx);
    const char *path = test_path("misuse.jsonl");
    r1_log_file *log = r1_log_open(ctx, path, false);
    r1_log_begin_array(log, "open");
    CHECK(r1_log_row(log) == R1_ERROR_ARGUMENT);
    r1_log_text(log, "end", "stopped", 7); // on a context with an error
    CHECK(r1_log_row(log) == R1_OK);
    r1_error_clear(ctx);
    CHECK_EQUAL_TEXT(log_text(ctx, path), "{\"end\":\"stopped\"}\n");
    r1_context_free(ctx);
}

TEST(log_takes_back_a_row_that_fails) {
#ifdef TEST_FAULTS
    r1_context *ctx = r1_context_new(NULL);
    const char *path = test_path("fails.jsonl");
    r1_log_file *log = r1_log_open(ctx, path, false);
    log_step(log, 0);
    test_fault_call = "write", test_fault_errno = ENOSPC, test_fault_after = 0;
    log_step(log, 1);
    test_fault_call = NULL;
    CHECK(r1_status_of(ctx) == R1_ERROR_FILE);
    r1_error_clear(ctx);
    log_step(log, 2);
    CHECK_EQUAL_TEXT(log_text(ctx, path), "{\"step\":0,\"loss\":1.5}\n{\"step\":2,\"loss\":1.5}\n");
    CHECK(r1_log_bytes(log) == 44);
    r1_context_free(ctx);
#else
    SKIP("built without TEST_FAULTS");
#endif
}
