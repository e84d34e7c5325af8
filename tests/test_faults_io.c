// Tests of what the library does when files give way: the n-th system call of a save or a load
// fails, a disk is full at any byte, the process is killed in the middle, a bit of a checkpoint is
// not what it was. Whatever happens, what was on the disk before can still be loaded.
#ifdef TEST_FAULTS
#include <sys/resource.h>

// ---- the n-th system call ----
static size_t io_calls, io_first, io_last, io_hits; // from 1; no call fails when io_first is 0
static int io_errno;
// Whether something is written that is not closed yet, and whether a call failed that nobody may
// pass over. Those that may fail in peace: mmap, whatever reads for a second look, the close after
// reading, the folder that cannot be opened for its sync.
static bool io_dirty, io_grave;
static int io_plan(const char *call) {
    static const char *const grave[] = {"write", "fsync", "rename", "truncate", "mkdir", "seek"};
    bool matters = io_dirty && !strcmp(call, "close");
    for (int i = 0; i < 6; i++) matters = matters || !strcmp(call, grave[i]);
    if (!strcmp(call, "write")) io_dirty = true;
    if (!strcmp(call, "close")) io_dirty = false;
    io_calls++;
    if (!io_first || io_calls < io_first || io_calls > io_last) return 0;
    io_grave = io_grave || matters;
    return io_hits++, io_errno;
}
static void io_arm(size_t first, size_t last, int code) {
    io_dirty = io_grave = false;
    io_calls = io_hits = 0, io_first = first, io_last = last, io_errno = code;
    test_fault_plan = io_plan;
}

// The objects that all cases share. The folder has the files of the present case.
typedef struct io_world {
    r1_context *ctx;
    r1_model *model;
    r1_trainer *trainer;
    r1_grpo *run;
    r1_log_file *log;
    char folder[600];
} io_world;
enum { IO_FILES = 3 };
// A case: how to bring the files into their first state, the call, and which files it may touch. A
// file that is touched is afterwards what it was or what a good call makes of it, and nothing else.
typedef struct io_case {
    const char *name;
    void (*reset)(io_world *w);
    r1_status (*act)(io_world *w);
    const char *files[IO_FILES];
    bool loose; // a good call need not have touched all of them
} io_case;

static const char *io_path(const io_world *w, const char *name) {
    return test_join(w->folder, name);
}
// The hash of a file, 0 when it is not there.
static uint64_t io_hash(const char *path) {
    fault f = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    fclose(file);
    fault_keep_text(&f, "a file"), fault_keep_file(&f, path);
    return f.hash;
}
static void io_hashes(const io_world *w, const io_case *c, uint64_t hashes[IO_FILES]) {
    for (int i = 0; i < IO_FILES && c->files[i]; i++) hashes[i] = io_hash(io_path(w, c->files[i]));
}
// Unfinished files in a folder.
static int io_unfinished(const char *folder) {
    DIR *list = opendir(folder);
    int n = 0;
    for (struct dirent *entry; list && (entry = readdir(list));)
        n += !!strstr(entry->d_name, ".tmp");
    if (list) closedir(list);
    return n;
}
static void io_clear(const char *folder) {
    nftw(folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
    CHECK(mkdir(folder, 0777) == 0);
}

// ---- cases ----
static void io_reset_text(io_world *w) { file_put(io_path(w, "text"), "old", 3); }
static r1_status io_act_write(io_world *w) {
    return r1_file_write(w->ctx, io_path(w, "text"), "new text", 8);
}
static r1_status io_act_read(io_world *w) {
    size_t size = 0;
    char *text = r1_file_read(w->ctx, io_path(w, "text"), &size);
    if (text) CHECK(size == 3 && !memcmp(text, "old", 4));
    r1_file_free(w->ctx, text);
    return text ? R1_OK : r1_status_of(w->ctx);
}
static void io_reset_none(io_world *w) { (void)w; }
static r1_status io_act_folder(io_world *w) { return r1_folder_make(w->ctx, io_path(w, "a/b/c")); }
static const float io_numbers[40] = {1, 2, 3};
static r1_status io_save_tensors(io_world *w, size_t n) {
    const r1_entry entry = {"x", R1_F32, 1, {n}, io_numbers, n * sizeof(float)};
    return r1_tensors_save(w->ctx, io_path(w, "tensors"), &entry, 1, NULL, 0);
}
static void io_reset_tensors(io_world *w) { CHECK(io_save_tensors(w, 3) == R1_OK); }
static r1_status io_act_tensors(io_world *w) { return io_save_tensors(w, 40); }
static r1_status io_act_open(io_world *w) {
    r1_tensors *tensors = r1_tensors_open(w->ctx, io_path(w, "tensors"));
    if (tensors) CHECK(!memcmp(r1_tensors_at(tensors, 0)->data, io_numbers, 12));
    r1_tensors_close(tensors);
    return tensors ? R1_OK : r1_status_of(w->ctx);
}
static void io_reset_model(io_world *w) {
    r1_model_head(w->model)->data[0] = 1;
    CHECK(r1_model_save(w->model, w->folder) == R1_OK);
    r1_model_head(w->model)->data[0] = 2;
}
static r1_status io_act_model(io_world *w) { return r1_model_save(w->model, w->folder); }
static r1_status io_act_shards(io_world *w) {
    static const char *const names[] = {"a", "b"};
    r1_entry entries[2];
    for (size_t i = 0; i < 2; i++)
        entries[i] = (r1_entry){names[i], R1_F32, 1, {20}, io_numbers + 20 * i, 80};
    const r1_shards_desc desc = {.max_bytes = 100};
    return r1_tensors_save_folder(w->ctx, w->folder, entries, 2, NULL, 0, &desc);
}
static void io_reset_shards(io_world *w) { CHECK(io_act_shards(w) == R1_OK); }
static r1_status io_act_one(io_world *w) {
    const r1_entry entry = {"x", R1_F32, 1, {40}, io_numbers, sizeof io_numbers};
    return r1_tensors_save_folder(w->ctx, w->folder, &entry, 1, NULL, 0, NULL);
}
static void io_reset_one(io_world *w) { CHECK(io_act_one(w) == R1_OK); }
static r1_status io_act_open_shards(io_world *w) {
    r1_tensors *tensors = r1_tensors_open_folder(w->ctx, w->folder);
    if (tensors) CHECK(!memcmp(r1_tensors_at(tensors, 1)->data, io_numbers + 20, 80));
    r1_tensors_close(tensors);
    return tensors ? R1_OK : r1_status_of(w->ctx);
}
static r1_status io_act_load(io_world *w) {
    r1_model *model = r1_model_load(w->ctx, w->folder);
    r1_model_free(model);
    return model ? R1_OK : r1_status_of(w->ctx);
}
// Two checkpoints are there; the call writes the third and removes the first.
static void io_reset_trainer(io_world *w) {
    for (w->trainer->step = 1; w->trainer->step < 3; w->trainer->step++)
        CHECK(r1_trainer_save(w->trainer, w->folder, "n") == R1_OK);
}
static r1_status io_act_trainer(io_world *w) {
    w->trainer->step = 3;
    return r1_trainer_save(w->trainer, w->folder, "n");
}
static r1_status io_act_trainer_resume(io_world *w) {
    bool resumed = r1_trainer_resume(w->trainer, w->folder, NULL, 0);
    if (resumed) CHECK(w->trainer->step == 2 || (w->trainer->step == 1 && io_hits));
    return resumed ? R1_OK : r1_status_of(w->ctx);
}
static void io_reset_grpo(io_world *w) {
    for (w->run->step = 1; w->run->step < 3; w->run->step++)
        CHECK(r1_grpo_save(w->run, w->folder, "n") == R1_OK);
}
static r1_status io_act_grpo(io_world *w) {
    w->run->step = 3;
    return r1_grpo_save(w->run, w->folder, "n");
}
static r1_status io_act_grpo_resume(io_world *w) {
    bool resumed = r1_grpo_resume(w->run, w->folder, NULL, 0);
    if (resumed) CHECK(w->run->step == 2 || (w->run->step == 1 && io_hits));
    return resumed ? R1_OK : r1_status_of(w->ctx);
}
static const char io_rows[] =
    "{\"stage\":\"rl\",\"step\":1,\"a\":1}\n{\"stage\":\"rl\",\"step\":2}\n";
static void io_reset_log(io_world *w) {
    file_put(io_path(w, "metrics.jsonl"), io_rows, sizeof io_rows - 1);
}
// With half a row at the end.
static void io_reset_torn(io_world *w) {
    file_put(io_path(w, "metrics.jsonl"), io_rows, sizeof io_rows - 3);
}
static r1_status io_act_append(io_world *w) {
    r1_log_file *log = r1_log_open(w->ctx, io_path(w, "metrics.jsonl"), true);
    if (!log) return r1_status_of(w->ctx);
    r1_log_close(log);
    return R1_OK;
}
static r1_status io_act_cut(io_world *w) {
    return r1_log_cut(w->ctx, io_path(w, "metrics.jsonl"), strcspn(io_rows, "\n") + 1);
}
static void io_reset_open_log(io_world *w) {
    r1_log_close(w->log);
    io_reset_log(w);
    w->log = r1_log_open(w->ctx, io_path(w, "metrics.jsonl"), true);
    CHECK(w->log);
}
static r1_status io_act_row(io_world *w) {
    r1_log_integer(w->log, "step", 3);
    r1_status status = r1_log_row(w->log);
    return status == R1_OK ? r1_log_sync(w->log) : status;
}
static r1_status io_act_page(io_world *w) { return r1_report_write(w->ctx, w->folder); }
static r1_status io_act_csv(io_world *w) { return r1_report_csv(w->ctx, w->folder); }
static r1_status io_act_curve(io_world *w) {
    return r1_report_curve(w->ctx, w->folder, io_path(w, "curve.svg"));
}
#define IO_STEP(n) "checkpoint-0000000" #n ".safetensors"
static const io_case io_cases[] = {
    {"r1_file_write", io_reset_text, io_act_write, {"text"}, false},
    {"r1_file_read", io_reset_text, io_act_read, {"text"}, false},
    {"r1_folder_make", io_reset_none, io_act_folder, {NULL}, false},
    {"r1_tensors_save", io_reset_tensors, io_act_tensors, {"tensors"}, false},
    {"r1_tensors_open", io_reset_tensors, io_act_open, {"tensors"}, false},
    {"r1_model_save", io_reset_model, io_act_model, {"model.safetensors", "config.json"}, false},
    {"r1_model_load", io_reset_model, io_act_load, {"model.safetensors", "config.json"}, false},
    // The names of the shards depend on those that are there, so a second call makes others.
    {"r1_tensors_save_folder, shards in place of one file",
     io_reset_one,
     io_act_shards,
     {"model.safetensors"},
     false},
    // Shards that are out of use may stay behind.
    {"r1_tensors_save_folder, one file in place of shards",
     io_reset_shards,
     io_act_one,
     {"model.safetensors", "model.safetensors.index.json"},
     false},
    {"r1_tensors_open_folder",
     io_reset_shards,
     io_act_open_shards,
     {"model.safetensors.index.json"},
     false},
    {"r1_trainer_save",
     io_reset_trainer,
     io_act_trainer,
     {IO_STEP(1), IO_STEP(2), IO_STEP(3)},
     true},
    {"r1_trainer_resume", io_reset_trainer, io_act_trainer_resume, {IO_STEP(1), IO_STEP(2)}, false},
    {"r1_grpo_save", io_reset_grpo, io_act_grpo, {IO_STEP(1), IO_STEP(2), IO_STEP(3)}, true},
    {"r1_grpo_resume", io_reset_grpo, io_act_grpo_resume, {IO_STEP(1), IO_STEP(2)}, false},
    {"r1_log_open", io_reset_torn, io_act_append, {"metrics.jsonl"}, false},
    {"r1_log_cut", io_reset_log, io_act_cut, {"metrics.jsonl"}, false},
    {"r1_report_write", io_reset_log, io_act_page, {"metrics.jsonl", "report.html"}, false},
    {"r1_report_csv", io_reset_log, io_act_csv, {"metrics.jsonl", "metrics.csv"}, false},
    {"r1_report_curve", io_reset_log, io_act_curve, {"metrics.jsonl", "curve.svg"}, false},
    // The row is in the file when only its sync has failed, and is written again then.
    {"r1_log_row", io_reset_open_log, io_act_row, {NULL}, false},
};

static io_world io_world_make(void) {
    r1_context_desc context = {.seed = 5, .threads = 1};
    r1_model_config config = fault_config(false);
    r1_grpo_desc desc = fault_grpo_desc();
    io_world w = {.ctx = r1_context_new(&context)};
    fault_path(w.folder, "world");
    w.model = r1_model_new(w.ctx, &config);
    w.trainer = r1_trainer_new(w.model, NULL);
    w.run = r1_grpo_new(w.model, &desc);
    CHECK(w.model && w.trainer && w.run);
    CHECK(mkdir(w.folder, 0777) == 0);
    return w;
}
__attribute__((noreturn)) static void io_stop(const io_world *w, const io_case *c,
                                              const char *what) {
    test_stop(TEST_FAILED, "%s: %s (system call %zu to %zu fails: %s; context: %s)", c->name, what,
              io_first, io_last, strerror(io_errno), r1_message_of(w->ctx));
}
// Whatever has happened: each file is the old or the new one; `done`: the new one.
static void io_check(const io_world *w, const io_case *c, const uint64_t old[IO_FILES],
                     const uint64_t new[IO_FILES], bool done) {
    uint64_t now[IO_FILES] = {0};
    io_hashes(w, c, now);
    for (int i = 0; i < IO_FILES && c->files[i]; i++) {
        if (now[i] != old[i] && now[i] != new[i]) io_stop(w, c, "a file is neither old nor new");
        if (done && !c->loose && now[i] != new[i]) io_stop(w, c, "success without the new file");
    }
    if (io_unfinished(w->folder)) io_stop(w, c, "an unfinished file is left");
}
// One failure; false when no call was left to fail.
static bool io_once(io_world *w, const io_case *c, size_t first, size_t last, int code,
                    const uint64_t old[IO_FILES], const uint64_t new[IO_FILES]) {
    io_clear(w->folder);
    c->reset(w);
    io_arm(first, last, code);
    r1_status status = c->act(w);
    test_fault_plan = NULL;
    if (!io_hits && status != R1_OK) io_stop(w, c, "an error without a failure");
    if (io_grave && status == R1_OK) io_stop(w, c, "a failure is not reported");
    if (status != r1_status_of(w->ctx)) io_stop(w, c, "the context has another status");
    if (status != R1_OK) {
        if (status != R1_ERROR_FILE) io_stop(w, c, "not R1_ERROR_FILE");
        if (!strstr(r1_message_of(w->ctx), w->folder)) io_stop(w, c, "no path in the message");
        if (!strstr(r1_message_of(w->ctx), strerror(code))) io_stop(w, c, "no reason");
    }
    io_check(w, c, old, new, status == R1_OK);
    r1_error_clear(w->ctx);
    io_hits = 0;
    if (c->act(w) != R1_OK) io_stop(w, c, "fails again after r1_error_clear");
    io_check(w, c, old, new, true);
    return io_calls >= first;
}
TEST(faults_every_system_call_fails) {
    static const int codes[] = {EIO, ENOSPC, EMFILE};
    io_world w = io_world_make();
    for (size_t i = 0; i < sizeof io_cases / sizeof *io_cases; i++) {
        const io_case *c = &io_cases[i];
        uint64_t old[IO_FILES] = {0}, new[IO_FILES] = {0};
        size_t n = 1;
        io_clear(w.folder);
        c->reset(&w), io_hashes(&w, c, old);
        if (c->act(&w) != R1_OK) io_stop(&w, c, "fails undisturbed");
        io_hashes(&w, c, new);
        for (int code = 0; code < 3; code++)
            for (n = 1; io_once(&w, c, n, n, codes[code], old, new); n++)
                if (code == 0) io_once(&w, c, n, SIZE_MAX, codes[code], old, new);
        if (n < 3) io_stop(&w, c, "the hook sees too few calls");
        printf("%s: %zu calls\n", c->name, n - 1);
    }
    r1_context_free(w.ctx);
}
// The log's rows are whole and in order, however many failures there were between them.
TEST(faults_log_keeps_whole_rows) {
    io_world w = io_world_make();
    io_reset_open_log(&w);
    for (size_t n = 1; n < 40; n++) {
        io_arm(1 + n % 3, 1 + n % 3 + n % 2, n % 5 ? ENOSPC : EIO);
        io_act_row(&w);
        test_fault_plan = NULL;
        r1_error_clear(w.ctx);
    }
    CHECK(io_act_row(&w) == R1_OK);
    char *text = r1_file_read(w.ctx, io_path(&w, "metrics.jsonl"), NULL), *line = text;
    size_t rows = 0;
    for (size_t size; *line; line += size + 1, rows++) {
        size = strcspn(line, "\n");
        CHECK(line[size] == '\n'); // no torn row
        r1_json *row = r1_json_read(w.ctx, line, size);
        CHECK(row && (rows < 2 || r1_json_number(r1_json_find(row, "step"), 0) == 3));
        r1_json_free(w.ctx, row);
    }
    CHECK(rows > 10 && (size_t)(line - text) == r1_log_bytes(w.log));
    r1_context_free(w.ctx);
}
// A disk that is full at any byte of a save: the system writes what fits and then refuses.
TEST(faults_full_disk_at_every_byte) {
    io_world w = io_world_make();
    struct stat info;
    struct rlimit old, small;
    io_reset_trainer(&w);
    CHECK(stat(io_path(&w, IO_STEP(2)), &info) == 0);
    uint64_t hash = io_hash(io_path(&w, IO_STEP(2)));
    size_t size = (size_t)info.st_size, step = test_full() ? 1 : size / 500;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (size_t room = 0; room < size; room += room < 100 || room + step >= size ? 1 : step) {
        small = (struct rlimit){room, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        w.trainer->step = 2;
        r1_status status = r1_trainer_save(w.trainer, w.folder, "other");
        setrlimit(RLIMIT_FSIZE, &old);
        CHECK(status == R1_ERROR_FILE && strstr(r1_message_of(w.ctx), "make room on the disk"));
        r1_error_clear(w.ctx);
        CHECK(io_hash(io_path(&w, IO_STEP(2))) == hash && !io_unfinished(w.folder));
    }
    CHECK(r1_trainer_resume(w.trainer, w.folder, NULL, 0) && w.trainer->step == 2);
    r1_context_free(w.ctx);
}
// The same for a row of a log: the part that was written is taken back.
TEST(faults_full_disk_at_every_byte_of_a_row) {
    io_world w = io_world_make();
    struct rlimit old, small;
    io_reset_open_log(&w);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (size_t room = 0; room < sizeof "{\"step\":3}"; room++) {
        small = (struct rlimit){sizeof io_rows - 1 + room, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        r1_status status = io_act_row(&w);
        setrlimit(RLIMIT_FSIZE, &old);
        CHECK(status == R1_ERROR_FILE && strstr(r1_message_of(w.ctx), "metrics.jsonl"));
        r1_error_clear(w.ctx);
        CHECK(file_holds(w.ctx, io_path(&w, "metrics.jsonl"), io_rows));
    }
    CHECK(io_act_row(&w) == R1_OK && r1_log_bytes(w.log) == sizeof io_rows - 1 + 11);
    r1_context_free(w.ctx);
}
// A pipe gives a byte at a time, and has no size.
TEST(faults_short_reads) {
    io_world w = io_world_make();
    char path[600];
    fault_path(path, "pipe");
    CHECK(mkfifo(path, 0600) == 0);
    io_reset_tensors(&w);
    size_t size = 0, bytes = 0;
    char *whole = r1_file_read(w.ctx, io_path(&w, "tensors"), &size);
    for (int turn = 0; turn < 2; turn++) {
        pid_t child = fork();
        if (child == 0) {
            int file = open(path, O_WRONLY);
            for (size_t i = 0; i < size; i++)
                if (write(file, whole + i, 1) != 1) _exit(1);
            _exit(0);
        }
        if (turn) {
            r1_tensors *tensors = r1_tensors_open(w.ctx, path);
            CHECK(r1_tensors_count(tensors) == 1);
            r1_tensors_close(tensors);
        } else {
            char *text = r1_file_read(w.ctx, path, &bytes);
            CHECK(text && bytes == size && !memcmp(text, whole, size));
            r1_file_free(w.ctx, text);
        }
        waitpid(child, NULL, 0);
    }
    r1_context_free(w.ctx);
}

// ---- kill -9 ----
// A child goes on from the newest checkpoint, as a program that is started again does, and saves
// after every step. Half of the children are killed by themselves in front of a system call, the
// others by the parent at any moment. What a child has said to be saved must never be lost.
typedef struct io_shared {
    volatile uint64_t saved;   // the last step whose save has returned
    volatile uint64_t started; // saves begun by this child
} io_shared;
static size_t io_kill_at;
static int io_kill_plan(const char *call) {
    (void)call;
    if (++io_calls == io_kill_at) kill(getpid(), SIGKILL);
    return 0;
}
enum { IO_STEPS = 4000 };
static uint64_t io_hashes_by_step[IO_STEPS]; // of the weights in an undisturbed run
static uint64_t io_steps_known;
// The hash after this step of an undisturbed run, which goes on in the parent when it is asked for.
static uint64_t io_expected(io_world *w, uint64_t step) {
    CHECK(step < IO_STEPS);
    for (; io_steps_known < step; io_hashes_by_step[++io_steps_known] = r1_model_hash(w->model))
        CHECK(r1_sft_step(w->trainer, fault_documents, 2, NULL) == R1_OK);
    return io_hashes_by_step[step];
}
static void io_child(const char *folder, io_shared *shared) {
    r1_context_desc context = {.seed = 5, .threads = 1};
    r1_model_config config = fault_config(false);
    r1_context *ctx = r1_context_new(&context);
    r1_trainer *trainer = r1_trainer_new(r1_model_new(ctx, &config), NULL);
    if (!r1_trainer_resume(trainer, folder, NULL, 0)) r1_error_clear(ctx); // the first one
    test_fault_plan = io_kill_at ? io_kill_plan : NULL, io_calls = 0;
    for (int i = 0; i < 1000; i++) {
        shared->started++;
        if (r1_sft_step(trainer, fault_documents, 2, NULL) != R1_OK ||
            r1_trainer_save(trainer, folder, "n") != R1_OK)
            _exit(TEST_FAILED);
        shared->saved = r1_trainer_steps(trainer);
    }
    _exit(TEST_FAILED); // nobody killed it
}
// No file with the name of a checkpoint is half of one.
static void io_all_whole(r1_context *ctx, const char *folder) {
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        size_t size = strlen(entry->d_name);
        if (size < 12 || strcmp(entry->d_name + size - 12, ".safetensors") != 0) continue;
        r1_tensors *tensors = r1_tensors_open(ctx, test_join(folder, entry->d_name));
        if (!tensors) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
        r1_tensors_close(tensors);
    }
    if (list) closedir(list);
}
TEST(faults_killed_while_saving) {
    io_world w = io_world_make(), reader = w;
    io_shared *shared = (io_shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    r1_context_desc context = {.seed = 5, .threads = 1};
    r1_model_config config = fault_config(false);
    reader.ctx = r1_context_new(&context);
    reader.model = r1_model_new(reader.ctx, &config);
    reader.trainer = r1_trainer_new(reader.model, NULL);
    r1_random at = {.seed = 1, .stream = R1_STREAM_USER};
    size_t left = 0, kills = test_full() ? 200 : 20;
    for (size_t k = 0; k < kills; k++) {
        int state = 0;
        uint64_t before = shared->saved;
        shared->started = 0;
        io_kill_at = k % 2 ? 0 : 1 + r1_random_below(&at, 40);
        uint32_t spins = r1_random_below(&at, 400000), wanted = 1 + r1_random_below(&at, 3);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) io_child(w.folder, shared);
        if (k % 2) {
            while (shared->started < wanted && waitpid(child, &state, WNOHANG) == 0) usleep(100);
            for (volatile uint32_t i = 0; i < spins; i++) {
            }
            kill(child, SIGKILL);
        }
        if (waitpid(child, &state, 0) == child)
            CHECK(WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL);
        left += (size_t)io_unfinished(w.folder);
        io_all_whole(reader.ctx, w.folder);
        if (!r1_trainer_resume(reader.trainer, w.folder, NULL, 0)) {
            CHECK(shared->saved == 0); // killed before its first save was whole
            r1_error_clear(reader.ctx);
            continue;
        }
        uint64_t step = r1_trainer_steps(reader.trainer);
        CHECK(shared->saved >= before && step >= shared->saved && step <= shared->saved + 1);
        CHECK(r1_model_hash(reader.model) == io_expected(&w, step));
        shared->saved = step;
    }
    CHECK(left > 0); // kills did hit unfinished files
    CHECK(r1_trainer_save(reader.trainer, w.folder, "n") == R1_OK);
    CHECK(io_unfinished(w.folder) == 0 && file_neighbours(io_path(&w, "x")) == 2);
    printf("%zu kills, %llu steps, %zu times an unfinished file\n", kills,
           (unsigned long long)shared->saved, left);
    r1_context_free(w.ctx), r1_context_free(reader.ctx);
}
// An unfinished file belongs to a saver that lives while it is locked, whoever that is.
TEST(faults_living_savers_keep_their_files) {
    io_world w = io_world_make();
    const char *names[] = {"text.99999999-0.tmp", "text.tmp", "text.1-2-3.tmp", "other.1-0.tmp"};
    for (int i = 0; i < 4; i++) file_put(io_path(&w, names[i]), "x", 1);
    int file = open(io_path(&w, "text.7-0.tmp"), O_WRONLY | O_CREAT, 0600);
    CHECK(file >= 0 && flock(file, LOCK_EX) == 0);
    CHECK(io_act_write(&w) == R1_OK);
    for (int i = 0; i < 4; i++) CHECK((access(io_path(&w, names[i]), R_OK) == 0) == (i > 0));
    CHECK(access(io_path(&w, "text.7-0.tmp"), R_OK) == 0);
    close(file);
    CHECK(io_act_write(&w) == R1_OK && access(io_path(&w, "text.7-0.tmp"), R_OK) != 0);
    r1_context_free(w.ctx);
}

// ---- flipped bits ----
// Every byte of the newest checkpoint with one bit flipped, every bit of its first 700 bytes (the
// length, the hash and the settings) and, in a full run, of all: the checkpoint before it is used.
TEST(faults_every_flipped_bit_is_found) {
    io_world w = io_world_make();
    struct stat info;
    char path[600];
    io_reset_trainer(&w);
    snprintf(path, sizeof path, "%s", io_path(&w, IO_STEP(2)));
    CHECK(stat(path, &info) == 0);
    int file = open(path, O_RDWR);
    CHECK(file >= 0);
    for (off_t n = 0; n < info.st_size; n++)
        for (int bit = 0; bit < 8; bit++) {
            if (n >= 700 && bit != n % 8 && !test_full()) continue;
            char byte, flipped;
            CHECK(pread(file, &byte, 1, n) == 1);
            flipped = (char)(byte ^ (1 << bit));
            CHECK(pwrite(file, &flipped, 1, n) == 1);
            w.trainer->step = 9;
            if (!r1_trainer_resume(w.trainer, w.folder, NULL, 0) || w.trainer->step != 1)
                test_stop(TEST_FAILED, "bit %d of byte %lld: step %llu, %s", bit, (long long)n,
                          (unsigned long long)w.trainer->step, r1_message_of(w.ctx));
            CHECK(pwrite(file, &byte, 1, n) == 1);
        }
    CHECK(r1_trainer_resume(w.trainer, w.folder, NULL, 0) && w.trainer->step == 2);
    close(file);
    r1_context_free(w.ctx);
}
// A run that fell back behind a damaged checkpoint saves as ever, and does not count the damaged
// one among the two that are kept.
TEST(faults_saving_behind_a_damaged_checkpoint) {
    io_world w = io_world_make();
    char path[600];
    for (w.trainer->step = 5; w.trainer->step < 7; w.trainer->step++)
        CHECK(r1_trainer_save(w.trainer, w.folder, "n") == R1_OK);
    snprintf(path, sizeof path, "%s", io_path(&w, IO_STEP(9)));
    w.trainer->step = 9;
    CHECK(r1_trainer_save(w.trainer, w.folder, "n") == R1_OK && truncate(path, 1000) == 0);
    CHECK(r1_trainer_resume(w.trainer, w.folder, NULL, 0) && w.trainer->step == 6);
    w.trainer->step = 7;
    CHECK(r1_trainer_save(w.trainer, w.folder, "n") == R1_OK);
    w.trainer->step = 8;
    CHECK(r1_trainer_save(w.trainer, w.folder, "n") == R1_OK);
    const char *kept[] = {IO_STEP(7), IO_STEP(8)};
    for (int i = 0; i < 2; i++) CHECK(access(io_path(&w, kept[i]), R_OK) == 0);
    CHECK(access(io_path(&w, IO_STEP(6)), R_OK) != 0);
    CHECK(r1_trainer_resume(w.trainer, w.folder, NULL, 0) && w.trainer->step == 8);
    r1_context_free(w.ctx);
}
// Out of memory is no damage: the newest checkpoint is not passed over for it.
TEST(faults_no_memory_is_no_damage) {
    fault f = {0};
    r1_context_desc context = {.seed = 5, .threads = 1, .allocator = {fault_alloc, fault_free, &f}};
    io_world w = io_world_make();
    io_reset_trainer(&w);
    r1_model_config config = fault_config(false);
    f.ctx = r1_context_new(&context);
    r1_trainer *trainer = r1_trainer_new(r1_model_new(f.ctx, &config), NULL);
    for (size_t n = 1; n < 100; n++) {
        f.first = f.last = f.calls + n, f.denied = 0;
        bool resumed = r1_trainer_resume(trainer, w.folder, NULL, 0);
        f.first = f.last = 0;
        CHECK(resumed ? r1_trainer_steps(trainer) == 2 : r1_status_of(f.ctx) == R1_ERROR_MEMORY);
        r1_error_clear(f.ctx);
        CHECK(r1_trainer_resume(trainer, w.folder, NULL, 0) && r1_trainer_steps(trainer) == 2);
        if (!f.denied) break;
        CHECK(n < 99);
    }
    r1_context_free(f.ctx), r1_context_free(w.ctx);
}
#endif
