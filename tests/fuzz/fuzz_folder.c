// Fuzzes the files of a folder that have a reader of their own. The first byte of an input picks
// the file that the rest is: the index of shards, a checkpoint, generation_config.json and
// tokenizer_config.json as the tools read them, or the log and the samples of a run, which are
// added to, cut, and drawn.
#define _GNU_SOURCE // nftw
#include "fuzz.h"

// What the tools say about a bad file goes nowhere.
static FILE *nowhere;
#undef stderr
#define stderr nowhere
#include "tool_model.h"
#include <ftw.h>
#include <sys/stat.h>

enum { INDEX, CHECKPOINT, SETTINGS, LOG, PAGE, CHAT, KINDS };
enum { SEED_BYTES = 4096 };
#define ROW                                                                                        \
    "{\"stage\":\"rl\",\"step\":1,\"reward\":0.5,\"x\":[1,null],\"prompt\":\"a\",\"completion\":"  \
    "\"<b> wait\",\"mark_from\":1,\"mark_to\":3,\"mark_label\":\"?\"}\n"
fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT("\x00{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}}"),
    FUZZ_TEXT("\x02{\"eos_token_id\":[1,2],\"temperature\":0.6,\"top_p\":0.9,\"top_k\":5e00}"),
    FUZZ_TEXT("\x05{\"add_bos_token\":true,\"chat_template\":\"<|im_start|>enable_thinking\"}"),
    FUZZ_TEXT("\x03{\"stage\":\"eval\",\"at\":\"base\",\"pass_at_1\":0.1}\n" ROW
              "{\"stage\":\"pretrain\",\"loss\":1e3}\n{\"st"),
    FUZZ_TEXT("\x04{\"stage\":\"settings\",\"s\":\"{\\\"k\\\":1}\"}\n" ROW
              "{\"stage\":\"final\"}\n"),
    {NULL, 0}, // a checkpoint, see make_checkpoint
    {NULL, 0},
};

static char folder[64];
static const char *path_of(const char *name) {
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}
// Anew each time: some file systems wait for the disk when a file is cut and written again.
static void put(const char *path, const void *data, size_t size) {
    remove(path);
    FILE *file = fopen(path, "wb");
    promise(file && fwrite(data, 1, size, file) == size && !fclose(file), "a file can be written");
}
static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}
static void remove_all(void) { nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static r1_model *model;
static r1_trainer *trainer;
static r1_tokenizer *tokenizer;
static const char checkpoint[] = "checkpoint-00000000.safetensors";
// A good one under another name of its hash, so that damage gets past the front door.
static void make_checkpoint(r1_context *ctx) {
    static char seed[SEED_BYTES] = {CHECKPOINT};
    const r1_model_config config = {.vocab = 3,
                                    .width = 2,
                                    .layers = 1,
                                    .heads = 1,
                                    .max_tokens = 4,
                                    .attention = R1_GQA,
                                    .dense_width = 1,
                                    .tied_head = true};
    model = r1_model_new(ctx, &config);
    trainer = r1_trainer_new(model, NULL);
    promise(r1_trainer_save(trainer, folder, "note") == R1_OK, "a checkpoint can be saved");
    size_t size = 0;
    char *text = r1_file_read(ctx, path_of(checkpoint), &size), *key;
    promise(text && size < sizeof seed, "a checkpoint is a small file");
    while ((key = strstr(text + 8, "\"r1.")) != NULL) key[1] = 'x';
    put(path_of(checkpoint), text, size);
    promise(r1_trainer_resume(trainer, folder, NULL, 0), "a hash is not asked for");
    memcpy(seed + 1, text, size);
    fuzz_seeds[sizeof fuzz_seeds / sizeof *fuzz_seeds - 2] = (fuzz_seed){seed, size + 1};
    r1_file_free(ctx, text);
}
void fuzz_begin(r1_context *ctx) {
    static const char *const pieces[] = {"a", "b", "<end>"};
    const r1_entry a = {"a", R1_U8, 1, {3}, "123", 3}, b = {"b", R1_U8, 1, {2}, "45", 2};
    snprintf(folder, sizeof folder, "%s/fuzz_XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    promise(mkdtemp(folder) != NULL, "there is a place for files");
    promise((nowhere = fopen("/dev/null", "w")) != NULL, "what is said can go nowhere");
    atexit(remove_all);
    r1_tensors_save(ctx, path_of("1.safetensors"), &a, 1, NULL, 0);
    r1_tensors_save(ctx, path_of("2.safetensors"), &b, 1, NULL, 0);
    tokenizer = r1_tokenizer_pieces(ctx, pieces, 3);
    make_checkpoint(ctx);
    promise(r1_status_of(ctx) == R1_OK, "the good files can be made");
}

static void read_index(r1_context *ctx) {
    r1_tensors *all = r1_tensors_open_folder(ctx, folder);
    promise((all != NULL) == (r1_status_of(ctx) == R1_OK), "tensors or a reason");
    for (size_t i = 0; i < r1_tensors_count(all); i++) {
        const r1_entry *entry = r1_tensors_at(all, i);
        promise(r1_tensors_find(all, entry->name) == entry, "an entry is found by its name");
        promise(entry->bytes == (entry->name[0] == 'a' ? 3 : 2), "and is that of its shard");
    }
    r1_tensors_close(all);
}
static void read_checkpoint(r1_context *ctx) {
    char note[8];
    uint64_t hash = r1_model_hash(model);
    bool taken = r1_trainer_resume(trainer, folder, note, sizeof note);
    promise(taken == (r1_status_of(ctx) == R1_OK), "a checkpoint or a reason");
    promise(taken || r1_model_hash(model) == hash, "nothing is lost");
    promise(!taken || strlen(note) < sizeof note, "the note has an end");
}
static void read_settings(r1_context *ctx, bool chat) {
    static const tool self = {.name = "fuzz"};
    static const tool_drawing drawing = TOOL_DRAWING;
    tool_folder f = {.ctx = ctx, .self = &self, .tokenizer = tokenizer};
    if (chat) tool_find_chat(&f, folder, NULL), tool_find_begin(&f, folder);
    if (!chat) tool_find_stops(&f, folder), tool_find_sampler(&f, folder, &drawing);
    promise(r1_status_of(ctx) == R1_OK, "a bad file of settings is a line of the tool");
    promise(f.n_stops <= TOOL_STOPS, "as many ids as there is room for");
    if (chat || f.bad) return;
    promise(f.sampler.temperature > 0 && f.sampler.top_p >= 0 && f.sampler.top_p < 1 &&
                f.sampler.top_k < 1 << 24,
            "a sampler that can draw");
}
static void read_log(r1_context *ctx, size_t size) {
    const char *path = path_of("metrics.jsonl");
    r1_log_file *log = r1_log_open(ctx, path, true);
    size_t rows = r1_log_bytes(log);
    promise(log && rows <= size, "rows are never more than was there");
    r1_log_number(log, "loss", 1);
    promise(r1_log_row(log) == R1_OK && r1_log_bytes(log) == rows + 11, "a row is added");
    r1_log_close(log);
    r1_report_csv(ctx, folder);
    promise(r1_status_of(ctx) == R1_OK || r1_status_of(ctx) == R1_ERROR_FORMAT, "or a reason");
    r1_error_clear(ctx);
    promise(r1_report_events(ctx, folder) == R1_OK, "any log has events");
    promise(r1_log_cut(ctx, path, rows) == R1_OK, "rows end where they ended");
}
static void read_page(r1_context *ctx) {
    size_t size;
    promise(r1_report_write(ctx, folder) == R1_OK, "any log has a page");
    char *page = r1_file_read(ctx, path_of("report.html"), &size);
    promise(size < 300000 && strlen(page) == size, "a page has a size, and no zero byte");
    r1_file_free(ctx, page);
}
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    static const char *const names[KINDS] = {"model.safetensors.index.json",
                                             checkpoint,
                                             "generation_config.json",
                                             "metrics.jsonl",
                                             "metrics.jsonl",
                                             "tokenizer_config.json"};
    if (!size) return;
    int kind = data[0] % KINDS;
    data++, size--;
    put(path_of(names[kind]), data, size);
    if (kind == PAGE) put(path_of("samples.jsonl"), data, size);
    if (kind == INDEX) read_index(ctx);
    if (kind == CHECKPOINT) read_checkpoint(ctx);
    if (kind == SETTINGS || kind == CHAT) read_settings(ctx, kind == CHAT);
    if (kind == LOG) read_log(ctx, size);
    if (kind == PAGE) read_page(ctx);
}
