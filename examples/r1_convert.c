// Rewrites the weights of a model folder: FP8 to BF16, other shards, DeepSeek's own names.
//
//     $ build/r1_convert --dtype bf16 DeepSeek-R1/ r1-bf16/
//     r1-bf16/: 91991 tensors, 1342 GB in 269 files, 45000 dequantised
//     $ build/r1_convert --shard-bytes 1000000000 base/ resharded/
//     $ build/r1_convert --layout deepseek --ranks 16 DeepSeek-R1/ inference/
//     $ build/r1_convert inference/ back/
//
// It reads what r1_model_load reads, tensor by tensor and without a copy of the model in memory.
// FP8 numbers are multiplied by the scale of their block in float and rounded once. The layout of
// DeepSeek is that of the published inference code: model0-mp16.safetensors and so on, columns and
// rows of the matrices dealt to the ranks, experts in runs, no layer of multi-token prediction. A
// folder of that layout is known by its files and read back; it needs the model's config.json.
#include "r1.h"
#include "tool.h"

static struct options {
    const char *dtype, *layout;
    bool json;
    long long shard_bytes, ranks;
} given = {.dtype = "same", .layout = "hf", .ranks = 1};
static const tool_option options[] = {
    {"--dtype", "NAME", "same, bf16, f16 or f32; default: same", .word = &given.dtype},
    {"--shard-bytes", "N", "of the tensors in a file; default: 5000000000",
     .whole = &given.shard_bytes, .low = 1, .high = 9e15},
    {"--layout", "NAME", "hf, or deepseek: the inference code's names and splits; default: hf",
     .word = &given.layout},
    {"--ranks", "N", "of --layout deepseek, 1 .. 256; default: 1", .whole = &given.ranks, .low = 1,
     .high = 256},
    {"--json", NULL, "print one JSON object", .flag = &given.json},
};
static tool self = {"r1_convert",
                    "FROM TO",
                    "Rewrites the weights of the folder FROM into the folder TO.",
                    options,
                    sizeof options / sizeof *options,
                    .least_files = 2,
                    .most_files = 2};

// A tensor to write: rows and columns of a stored one, or the shares of all ranks side by side.
typedef struct piece {
    const r1_entry *source;
    size_t first_row, first_column, columns; // of the source seen as [rows, columns]
    const r1_entry **shares;                 // [ranks]; NULL when it is not cut
    int dim;                                 // along which it is cut
    char name[160];
} piece;
typedef struct conversion {
    r1_context *ctx;
    r1_tensors *file;
    piece *pieces;
    r1_entry *entries;
    size_t n, total_tensors, total_bytes, files, dequantised, layers;
    bool same; // dtypes stay
    r1_dtype dtype;
} conversion;

static bool ends(const char *name, const char *tail) {
    size_t n = strlen(name), m = strlen(tail);
    return n >= m && strcmp(name + n - m, tail) == 0;
}
static size_t source_columns(const r1_entry *source) {
    return source->rank > 1 ? source->shape[source->rank - 1] : 1;
}
// Numbers of the source, in a row, in the dtype of the entry.
static bool convert_run(conversion *c, const r1_entry *source, r1_dtype dtype, size_t first,
                        size_t n, char *out) {
    size_t width = r1_dtype_bytes(dtype);
    if (dtype == source->dtype) {
        memcpy(out, (const char *)source->data + first * width, n * width);
        return true;
    }
    float numbers[4096];
    for (size_t i = 0; i < n;) {
        size_t many = n - i < 4096 ? n - i : 4096;
        if (r1_tensors_numbers(c->file, source, first + i, many, numbers) != R1_OK) return false;
        for (size_t k = 0; k < many; k++) {
            uint16_t half = dtype == R1_F16 ? r1_to_f16(numbers[k]) : r1_to_bf16(numbers[k]);
            const void *from = dtype == R1_F32 ? (const void *)&numbers[k] : (const void *)&half;
            memcpy(out + (i + k) * width, from, width);
        }
        i += many;
    }
    return true;
}
// For r1_shards_desc.fill: `data` of an entry is its piece. Whole rows of the source follow each
// other; of cut ones each is a run.
static bool fill(void *user, const r1_entry *entry, size_t offset, void *out, size_t bytes) {
    const piece *p = (const piece *)entry->data;
    size_t width = r1_dtype_bytes(entry->dtype), wide = source_columns(p->source);
    size_t at = offset / width, end = at + bytes / width;
    char *to = (char *)out;
    while (at < end) {
        size_t row = at / p->columns, column = at % p->columns;
        size_t run = p->columns == wide ? end - at : p->columns - column;
        if (run > end - at) run = end - at;
        size_t first = (p->first_row + row) * wide + p->first_column + column;
        if (!convert_run((conversion *)user, p->source, entry->dtype, first, run, to)) return false;
        at += run, to += run * width;
    }
    return true;
}
// The same for a piece whose shares are put together; their dtype stays.
static bool fill_joined(void *user, const r1_entry *entry, size_t offset, void *out, size_t bytes) {
    const piece *p = (const piece *)entry->data;
    size_t width = r1_dtype_bytes(entry->dtype), wide = source_columns(entry);
    size_t at = offset / width, end = at + bytes / width;
    size_t rows = p->source->shape[0], columns = source_columns(p->source);
    char *to = (char *)out;
    (void)user;
    while (at < end) {
        size_t row = at / wide, column = at % wide, rank = 0;
        if (p->shares && p->dim == 0) rank = row / rows, row %= rows;
        if (p->shares && p->dim == 1) rank = column / columns, column %= columns;
        size_t first = row * columns + column, run = columns - column;
        if (columns == wide) run = rows * columns - first;
        if (run > end - at) run = end - at;
        const r1_entry *share = p->shares ? p->shares[rank] : p->source;
        memcpy(to, (const char *)share->data + first * width, run * width);
        at += run, to += run * width;
    }
    return true;
}
// Router biases keep their digits, integers and what has no other dtype stay as they are.
static r1_dtype target(const conversion *c, const r1_entry *source) {
    bool real = source->dtype == R1_F32 || source->dtype == R1_F64 || source->dtype == R1_F16 ||
                source->dtype == R1_BF16 || source->dtype == R1_F8_E4M3;
    bool keep = c->same || !real || ends(source->name, ".e_score_correction_bias");
    return keep ? source->dtype : c->dtype;
}
// Whether a tensor is the scales of one that is dequantised.
static bool spent(const conversion *c, const r1_entry *source) {
    char base[160];
    size_t n = strlen(source->name), tail = strlen("_scale_inv");
    if (c->same || !ends(source->name, "_scale_inv") || n - tail >= sizeof base) return false;
    snprintf(base, sizeof base, "%.*s", (int)(n - tail), source->name);
    const r1_entry *of = r1_tensors_find(c->file, base);
    return of && of->dtype == R1_F8_E4M3;
}
// Adds share `rank` of `ranks` along a dimension of the source, or all of it where that is -1.
static bool add(conversion *c, const r1_entry *source, const char *name, int dim, size_t rank,
                size_t ranks) {
    piece *p = &c->pieces[c->n];
    r1_entry *e = &c->entries[c->n];
    *e = (r1_entry){.name = p->name, .rank = source->rank, .data = p};
    memcpy(e->shape, source->shape, sizeof e->shape);
    *p = (piece){.source = source};
    if (dim >= 0 && (dim >= source->rank || source->shape[dim] % ranks)) {
        tool_fail(&self, TOOL_INPUT, "%s: its %zu %s cannot be dealt to %zu ranks", source->name,
                  dim < source->rank ? source->shape[dim] : 1, dim ? "columns" : "rows", ranks);
        return false;
    }
    if (dim >= 0) e->shape[dim] /= ranks;
    if (dim == 0) p->first_row = rank * e->shape[0];
    if (dim == 1) p->first_column = rank * e->shape[1];
    p->columns = source_columns(e);
    snprintf(p->name, sizeof p->name, "%s", name);
    e->dtype = target(c, source);
    e->bytes = r1_dtype_bytes(e->dtype);
    for (int i = 0; i < e->rank; i++) e->bytes *= e->shape[i];
    if (source->dtype == R1_F8_E4M3 && e->dtype != source->dtype) c->dequantised++;
    c->total_tensors++, c->total_bytes += e->bytes, c->n++;
    return true;
}

// The files that r1_tensors_save_folder cuts the entries into.
static size_t count_files(const conversion *c) {
    size_t most = given.shard_bytes ? (size_t)given.shard_bytes : 5000000000u, held = 0, files = 1;
    for (size_t i = 0; i < c->n; i++) {
        if (i && held + c->entries[i].bytes > most) files++, held = 0;
        held += c->entries[i].bytes;
    }
    return files;
}

// ---- DeepSeek's layout ----
//   Source: V3code convert.py. The dimension is that along which ranks share, -1 = each has all.
static const struct {
    const char *hf, *own;
    int dim;
} keys[] = {
    {"embed_tokens", "embed", 0}, {"input_layernorm", "attn_norm", -1},
    {"q_proj", "wq", 0},          {"post_attention_layernorm", "ffn_norm", -1},
    {"q_a_proj", "wq_a", -1},     {"q_a_layernorm", "q_norm", -1},
    {"q_b_proj", "wq_b", 0},      {"kv_a_proj_with_mqa", "wkv_a", -1},
    {"kv_b_proj", "wkv_b", 0},    {"kv_a_layernorm", "kv_norm", -1},
    {"o_proj", "wo", 1},          {"gate", "gate", -1},
    {"gate_proj", "w1", 0},       {"down_proj", "w2", 1},
    {"up_proj", "w3", 0},         {"norm", "norm", -1},
    {"lm_head", "head", 0},
};
static const char *const words[][2] = {{"self_attn", "attn"},
                                       {"mlp", "ffn"},
                                       {"weight_scale_inv", "scale"},
                                       {"e_score_correction_bias", "bias"}};
// A name in DeepSeek's words, the dimension to cut and the expert's number (or -1). False when a
// word has no place there.
static bool rename_tensor(const char *name, char out[160], int *dim, long *expert) {
    size_t parts = 1, at = 0, used = 0;
    bool known = false, shared = strstr(name, "shared_experts") != NULL;
    *dim = -1, *expert = -1;
    for (const char *dot = name; (dot = strchr(dot, '.')) != NULL; dot++) parts++;
    for (const char *word = name; word; at++) {
        size_t n = strcspn(word, ".");
        char one[64];
        snprintf(one, sizeof one, "%.*s", (int)n, word);
        if (at && !shared && ends(out, ".experts.")) *expert = strtol(one, NULL, 10);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!strcmp(one, words[i][0])) snprintf(one, sizeof one, "%s", words[i][1]);
        for (size_t i = 0; i < sizeof keys / sizeof *keys && at + 2 == parts; i++)
            if (n == strlen(keys[i].hf) && !strncmp(word, keys[i].hf, n)) {
                snprintf(one, sizeof one, "%s", keys[i].own);
                *dim = keys[i].dim, known = true;
            }
        bool drop = at == 0 && !strcmp(one, "model");
        if (!drop)
            used += (size_t)snprintf(out + used, 160 - used, "%s%s", one, word[n] ? "." : "");
        if (used >= 160) return false;
        if (drop) out[0] = 0;
        word = word[n] ? word + n + 1 : NULL;
    }
    return known;
}
// The part of one rank. Experts go in runs to the ranks and are not cut themselves.
static bool collect_rank(conversion *c, size_t rank, size_t ranks, size_t experts) {
    char name[160];
    for (size_t i = 0; i < r1_tensors_count(c->file); i++) {
        const r1_entry *source = r1_tensors_at(c->file, i);
        int dim;
        long expert;
        size_t layer = 0;
        if (!strncmp(source->name, "model.layers.", 13))
            layer = (size_t)strtoul(source->name + 13, NULL, 10);
        if (spent(c, source) || (c->layers && layer >= c->layers)) continue;
        if (!rename_tensor(source->name, name, &dim, &expert)) {
            tool_fail(&self, TOOL_INPUT, "%s has no name in DeepSeek's layout", source->name);
            return false;
        }
        if (expert >= 0 && (size_t)expert / (experts / ranks) != rank) continue;
        if (!add(c, source, name, expert >= 0 ? -1 : dim, rank, ranks)) return false;
    }
    return true;
}
static int convert_deepseek(conversion *c, const char *folder, size_t experts) {
    size_t ranks = (size_t)given.ranks;
    const r1_shards_desc desc = {.fill = fill, .user = c};
    if (experts % ranks)
        return tool_fail(&self, TOOL_INPUT, "%zu experts do not divide among %zu ranks", experts,
                         ranks);
    for (size_t rank = 0; rank < ranks; rank++, c->files++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/model%zu-mp%zu.safetensors", folder, rank, ranks);
        c->n = 0;
        if (!collect_rank(c, rank, ranks, experts ? experts : ranks)) return TOOL_INPUT;
        if (r1_tensors_save_with(c->ctx, path, c->entries, c->n, NULL, 0, &desc) != R1_OK) break;
    }
    return TOOL_DONE;
}

// ---- DeepSeek's layout, read back ----
static bool rank_path(char path[4096], const char *folder, size_t rank, size_t ranks) {
    int n = snprintf(path, 4096, "%s/model%zu-mp%zu.safetensors", folder, rank, ranks);
    return n > 0 && n < 4096 && access(path, R_OK) == 0;
}
// The number of ranks of a folder in DeepSeek's layout; 0 when it is not one.
static size_t count_ranks(const char *folder) {
    char path[4096];
    size_t ranks = 256;
    while (ranks && !rank_path(path, folder, 0, ranks)) ranks--;
    return ranks;
}
// The name of Hugging Face, and the dimension that was cut (-1: none; also for an expert).
static bool rename_back(const char *name, char out[160], int *dim) {
    size_t parts = 1, at = 0, used = 0;
    bool known = false, expert = strstr(name, ".experts.") != NULL;
    *dim = -1;
    for (const char *dot = name; (dot = strchr(dot, '.')) != NULL; dot++) parts++;
    used = (size_t)snprintf(out, 160, "%s", strncmp(name, "head.", 5) != 0 ? "model." : "");
    for (const char *word = name; word; at++) {
        size_t n = strcspn(word, ".");
        char one[64];
        snprintf(one, sizeof one, "%.*s", (int)n, word);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!strcmp(one, words[i][1])) snprintf(one, sizeof one, "%s", words[i][0]);
        for (size_t i = 0; i < sizeof keys / sizeof *keys && at + 2 == parts; i++)
            if (n == strlen(keys[i].own) && !strncmp(word, keys[i].own, n)) {
                snprintf(one, sizeof one, "%s", keys[i].hf);
                *dim = expert ? -1 : keys[i].dim, known = true;
            }
        used += (size_t)snprintf(out + used, 160 - used, "%s%s", one, word[n] ? "." : "");
        if (used >= 160) return false;
        word = word[n] ? word + n + 1 : NULL;
    }
    return known;
}
// Adds a tensor of rank 0, or an expert of any rank, with the shares of the others.
static bool add_joined(conversion *c, r1_tensors **files, size_t ranks, const r1_entry *source,
                       const char *name, int dim) {
    piece *p = &c->pieces[c->n];
    r1_entry *e = &c->entries[c->n];
    *e = *source, *p = (piece){.source = source, .dim = dim};
    e->name = p->name, e->data = p;
    snprintf(p->name, sizeof p->name, "%s", name);
    if (dim >= 0 && ranks > 1) {
        p->shares = (const r1_entry **)calloc(ranks, sizeof *p->shares);
        bool good = p->shares && dim < source->rank;
        for (size_t i = 0; i < ranks && good; i++) {
            const r1_entry *share = p->shares[i] = r1_tensors_find(files[i], source->name);
            good = share && share->dtype == source->dtype && share->rank == source->rank &&
                   !memcmp(share->shape, source->shape, sizeof share->shape);
        }
        if (!good) {
            tool_fail(&self, TOOL_INPUT, "%s: not every rank has its share of it", source->name);
            return false;
        }
        e->shape[dim] *= ranks, e->bytes *= ranks;
    }
    c->total_tensors++, c->total_bytes += e->bytes, c->n++;
    return true;
}
// All tensors of rank 0; of the other ranks only the experts are new.
static bool collect_joined(conversion *c, r1_tensors **files, size_t ranks) {
    char name[160];
    size_t most = 0;
    for (size_t i = 0; i < ranks; i++) most += r1_tensors_count(files[i]);
    c->pieces = (piece *)calloc(most + 1, sizeof *c->pieces);
    c->entries = (r1_entry *)calloc(most + 1, sizeof *c->entries);
    if (!c->pieces || !c->entries) return tool_fail(&self, TOOL_FAILED, "out of memory"), false;
    for (size_t i = 0; i < ranks; i++)
        for (size_t k = 0; k < r1_tensors_count(files[i]); k++) {
            const r1_entry *source = r1_tensors_at(files[i], k);
            int dim = -1;
            if (!rename_back(source->name, name, &dim)) {
                tool_fail(&self, TOOL_INPUT, "%s is no name of DeepSeek's layout", source->name);
                return false;
            }
            bool fresh = i == 0 || !r1_tensors_find(files[0], source->name);
            if (fresh && !add_joined(c, files, ranks, source, name, dim)) return false;
        }
    return true;
}
static int convert_back(conversion *c, const char *from, const char *to, size_t ranks) {
    const r1_pair format = {"format", "pt"};
    const r1_shards_desc desc = {
        .max_bytes = (size_t)given.shard_bytes, .fill = fill_joined, .user = c};
    r1_tensors **files = (r1_tensors **)calloc(ranks, sizeof(r1_tensors *));
    char path[4096];
    int code = files ? TOOL_DONE : tool_fail(&self, TOOL_FAILED, "out of memory");
    for (size_t i = 0; i < ranks && !code && r1_status_of(c->ctx) == R1_OK; i++) {
        rank_path(path, from, i, ranks);
        files[i] = r1_tensors_open(c->ctx, path);
    }
    if (!code && r1_status_of(c->ctx) == R1_OK && !collect_joined(c, files, ranks))
        code = TOOL_INPUT;
    if (!code && r1_status_of(c->ctx) == R1_OK && r1_folder_make(c->ctx, to) == R1_OK)
        r1_tensors_save_folder(c->ctx, to, c->entries, c->n, &format, 1, &desc);
    c->files = count_files(c);
    for (size_t i = 0; i < c->n; i++) free((void *)c->pieces[i].shares);
    free(files);
    return code;
}

// ---- the layout of Hugging Face ----
static int convert_hf(conversion *c, const char *folder) {
    const r1_pair format = {"format", "pt"};
    const r1_shards_desc desc = {.max_bytes = (size_t)given.shard_bytes, .fill = fill, .user = c};
    for (size_t i = 0; i < r1_tensors_count(c->file); i++) {
        const r1_entry *source = r1_tensors_at(c->file, i);
        if (!spent(c, source)) add(c, source, source->name, -1, 0, 1);
    }
    r1_tensors_save_folder(c->ctx, folder, c->entries, c->n, &format, 1, &desc);
    c->files = count_files(c);
    return TOOL_DONE;
}
// config.json again: when dtypes change, without the quantization, and with the new dtype; and
// without multi-token prediction where that has been lost.
static void write_config(const conversion *c, const r1_json *root, const char *folder, bool back) {
    static const char *const dtypes[] = {"float32", "", "float16", "bfloat16"};
    r1_json_writer writer = {.ctx = c->ctx};
    char path[4096];
    snprintf(path, sizeof path, "%s/config.json", folder);
    r1_json_begin_object(&writer, NULL);
    for (const r1_json *node = root->child; node; node = node->next) {
        const char *key = node->key.data;
        bool dtype = !strcmp(key, "torch_dtype") || !strcmp(key, "dtype");
        if (!c->same && !strcmp(key, "quantization_config")) continue;
        if (back && !strcmp(key, "num_nextn_predict_layers"))
            r1_json_write_integer(&writer, key, 0);
        else if (!c->same && dtype)
            r1_json_write_text(&writer, key, dtypes[c->dtype], strlen(dtypes[c->dtype]));
        else
            r1_json_write_value(&writer, key, node);
    }
    r1_json_end_object(&writer);
    r1_file_write(c->ctx, path, writer.text, writer.size);
    r1_json_writer_free(&writer);
}
// What else makes a folder usable; where a file is missing there is nothing to copy.
static void copy_sides(r1_context *ctx, const char *from, const char *to) {
    static const char *const names[] = {"tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.json",
                                        "merges.txt",
                                        "chat_template.jinja",
                                        "generation_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", from, names[i]);
        if (access(path, R_OK) != 0) continue;
        char *text = r1_file_read(ctx, path, &size);
        snprintf(path, sizeof path, "%s/%s", to, names[i]);
        if (text) r1_file_write(ctx, path, text, size);
        r1_file_free(ctx, text);
    }
}
static void print_result(const conversion *c, const char *folder) {
    r1_json_writer writer = {.ctx = c->ctx};
    if (!given.json) {
        printf("%s: %zu tensors, %zu bytes in %zu files, %zu dequantised\n", folder,
               c->total_tensors, c->total_bytes, c->files, c->dequantised);
        return;
    }
    r1_json_begin_object(&writer, NULL);
    r1_json_write_text(&writer, "folder", folder, strlen(folder));
    r1_json_write_integer(&writer, "tensors", (int64_t)c->total_tensors);
    r1_json_write_integer(&writer, "bytes", (int64_t)c->total_bytes);
    r1_json_write_integer(&writer, "files", (int64_t)c->files);
    r1_json_write_integer(&writer, "dequantised", (int64_t)c->dequantised);
    r1_json_end_object(&writer);
    if (writer.text) puts(writer.text);
    r1_json_writer_free(&writer);
}
// config.json of the folder; NULL and the code after an error line.
static r1_json *read_config(conversion *c, const char *folder, bool own, int *code) {
    char path[4096], problem[200];
    size_t size = 0;
    snprintf(path, sizeof path, "%s/config.json", folder);
    if (own && access(path, R_OK) != 0) {
        *code = tool_fail(&self, TOOL_INPUT,
                          "%s is in DeepSeek's layout and has no config.json: put the one of the "
                          "model there",
                          folder);
        return NULL;
    }
    char *text = r1_file_read(c->ctx, path, &size);
    r1_json *root = text ? r1_json_try(c->ctx, text, size, problem, sizeof problem) : NULL;
    if (text && !root && r1_status_of(c->ctx) == R1_OK)
        *code = tool_fail(&self, TOOL_INPUT, "%s: %s", path, problem);
    return root;
}
static int convert(conversion *c, bool deepseek) {
    const char *from = self.files[0], *to = self.files[1];
    int code = TOOL_DONE;
    size_t ranks = count_ranks(from);
    if (ranks && (deepseek || !c->same))
        return tool_fail(&self, TOOL_USAGE,
                         "%s is in DeepSeek's layout: convert it to --layout hf with --dtype same, "
                         "and the result on",
                         from);
    r1_json *root = read_config(c, from, ranks > 0, &code);
    if (ranks && root) {
        code = convert_back(c, from, to, ranks);
        if (!code && r1_status_of(c->ctx) == R1_OK) write_config(c, root, to, true);
        if (!code && r1_status_of(c->ctx) == R1_OK) copy_sides(c->ctx, from, to);
        if (!code && r1_status_of(c->ctx) == R1_OK) print_result(c, to);
        return code;
    }
    c->file = root ? r1_tensors_open_folder(c->ctx, from) : NULL;
    size_t n = r1_tensors_count(c->file), experts = 0;
    c->pieces = (piece *)calloc(n + 1, sizeof *c->pieces);
    c->entries = (r1_entry *)calloc(n + 1, sizeof *c->entries);
    if (!code && (!c->pieces || !c->entries)) code = tool_fail(&self, TOOL_FAILED, "out of memory");
    if (!code && c->file && r1_folder_make(c->ctx, to) == R1_OK) {
        c->layers = (size_t)r1_json_number(r1_json_find(root, "num_hidden_layers"), 0);
        experts = (size_t)r1_json_number(r1_json_find(root, "n_routed_experts"), 0);
        code = deepseek ? convert_deepseek(c, to, experts) : convert_hf(c, to);
    }
    if (!code && r1_status_of(c->ctx) == R1_OK) write_config(c, root, to, false);
    if (!code && r1_status_of(c->ctx) == R1_OK) copy_sides(c->ctx, from, to);
    if (!code && r1_status_of(c->ctx) == R1_OK) print_result(c, to);
    return code;
}
int main(int argc, char **argv) {
    static const char *const names[] = {"f32", "same", "f16", "bf16"}; // as r1_dtype counts
    int code = tool_options(&self, argc, argv), dtype = 0;
    if (code != TOOL_GO) return code;
    while (dtype < 4 && strcmp(given.dtype, names[dtype]) != 0) dtype++;
    if (dtype == 4) return tool_fail(&self, TOOL_USAGE, "unknown dtype: %s", given.dtype);
    bool deepseek = !strcmp(given.layout, "deepseek");
    if (!deepseek && strcmp(given.layout, "hf") != 0)
        return tool_fail(&self, TOOL_USAGE, "unknown layout: %s", given.layout);
    if (!deepseek && given.ranks != 1)
        return tool_fail(&self, TOOL_USAGE, "--ranks is for --layout deepseek");
    if (deepseek && given.shard_bytes)
        return tool_fail(&self, TOOL_USAGE, "--layout deepseek has one file a rank");
    conversion c = {.ctx = r1_context_new(NULL), .same = dtype == 1, .dtype = (r1_dtype)dtype};
    code = convert(&c, deepseek);
    free(c.pieces), free(c.entries);
    if (r1_status_of(c.ctx) == R1_ERROR_FORMAT)
        code = tool_fail(&self, TOOL_INPUT, "%s", r1_message_of(c.ctx));
    else
        code = tool_end(&self, c.ctx, code);
    r1_context_free(c.ctx);
    return code;
}
