// Makes and checks folders for the test of r1_convert, with the library's reader and a formula of
// its own. Rows and columns of the FP8 matrices are no multiples of 128.
//
//     convert make FOLDER              a DeepSeek-like folder in FP8, in several shards
//     convert same FROM TO             the same tensors, bit by bit
//     convert bf16 FROM TO             each FP8 matrix times its scales, rounded to BF16
//     convert ranks FROM TO RANKS      DeepSeek's layout
//     convert back FROM TO             all but multi-token prediction, bit by bit
#include "../r1.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(int good, const char *what) {
    if (good) return;
    printf("convert: %s\n", what);
    exit(1);
}
static const struct {
    const char *name;
    size_t rows, columns; // 0 columns: a vector
    r1_dtype dtype;
} tensors[] = {
    {"model.embed_tokens.weight", 8, 260, R1_BF16},
    {"model.layers.0.input_layernorm.weight", 260, 0, R1_BF16},
    {"model.layers.0.self_attn.q_a_proj.weight", 130, 260, R1_F8_E4M3},
    {"model.layers.0.self_attn.q_a_layernorm.weight", 130, 0, R1_BF16},
    {"model.layers.0.self_attn.q_b_proj.weight", 512, 130, R1_F8_E4M3},
    {"model.layers.0.self_attn.o_proj.weight", 260, 512, R1_F8_E4M3},
    {"model.layers.0.mlp.gate.weight", 4, 260, R1_BF16},
    {"model.layers.0.mlp.gate.e_score_correction_bias", 4, 0, R1_F32},
    {"model.layers.0.mlp.experts.0.down_proj.weight", 260, 64, R1_F8_E4M3},
    {"model.layers.0.mlp.experts.1.down_proj.weight", 260, 64, R1_F8_E4M3},
    {"model.layers.0.mlp.experts.2.down_proj.weight", 260, 64, R1_F8_E4M3},
    {"model.layers.0.mlp.experts.3.down_proj.weight", 260, 64, R1_F8_E4M3},
    {"model.layers.0.mlp.shared_experts.up_proj.weight", 512, 260, R1_F8_E4M3},
    {"model.norm.weight", 260, 0, R1_BF16},
    {"lm_head.weight", 8, 260, R1_BF16},
    {"model.layers.1.eh_proj.weight", 260, 520, R1_BF16}, // multi-token prediction
};
enum { TENSORS = sizeof tensors / sizeof *tensors };

static void make(r1_context *ctx, const char *folder) {
    r1_entry entries[2 * TENSORS] = {{0}};
    static char scales[TENSORS][160];
    size_t n = 0;
    for (size_t i = 0; i < TENSORS; i++) {
        size_t rows = tensors[i].rows, columns = tensors[i].columns, rank = columns ? 2 : 1;
        size_t bytes = rows * (columns ? columns : 1) * r1_dtype_bytes(tensors[i].dtype);
        size_t blocks[2] = {(rows + 127) / 128, (columns + 127) / 128};
        uint8_t *data = (uint8_t *)malloc(bytes);
        for (size_t k = 0; k < bytes; k++) data[k] = (uint8_t)((k * 7 + i * 31) % 119);
        entries[n++] =
            (r1_entry){tensors[i].name, tensors[i].dtype, (int)rank, {rows, columns}, data, bytes};
        if (tensors[i].dtype != R1_F8_E4M3) continue;
        float *scale = (float *)malloc(blocks[0] * blocks[1] * sizeof *scale);
        for (size_t k = 0; k < blocks[0] * blocks[1]; k++) scale[k] = 0.0013f * (float)(k + i + 1);
        snprintf(scales[i], sizeof scales[i], "%s_scale_inv", tensors[i].name);
        entries[n++] = (r1_entry){scales[i], R1_F32,
                                  2,         {blocks[0], blocks[1]},
                                  scale,     blocks[0] * blocks[1] * sizeof *scale};
    }
    char path[1024];
    const char *config = "{\"model_type\":\"deepseek_v3\",\"num_hidden_layers\":1,"
                         "\"n_routed_experts\":4,\"rms_norm_eps\":1e-06,\"torch_dtype\":\"x\","
                         "\"quantization_config\":{\"quant_method\":\"fp8\",\"a\":[1,2.5,null]}}";
    r1_shards_desc desc = {.max_bytes = 100000};
    r1_folder_make(ctx, folder);
    r1_tensors_save_folder(ctx, folder, entries, n, NULL, 0, &desc);
    snprintf(path, sizeof path, "%s/config.json", folder);
    r1_file_write(ctx, path, config, strlen(config));
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    r1_file_write(ctx, path, "{}", 2);
}
static int equal(const r1_entry *a, const r1_entry *b) {
    return a && b && a->dtype == b->dtype && a->rank == b->rank && a->bytes == b->bytes &&
           !memcmp(a->shape, b->shape, sizeof a->shape) && !memcmp(a->data, b->data, a->bytes);
}
static void same(const r1_tensors *from, const r1_tensors *to, size_t lost) {
    need(r1_tensors_count(from) == r1_tensors_count(to) + lost, "another number of tensors");
    for (size_t i = 0; i < r1_tensors_count(from); i++) {
        const r1_entry *a = r1_tensors_at(from, i);
        if (lost && strstr(a->name, "eh_proj")) continue;
        need(equal(a, r1_tensors_find(to, a->name)), a->name);
    }
}
static void bf16(const r1_tensors *from, const r1_tensors *to) {
    need(r1_tensors_count(to) == TENSORS, "another number of tensors");
    for (size_t i = 0; i < TENSORS; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s_scale_inv", tensors[i].name);
        const r1_entry *a = r1_tensors_find(from, tensors[i].name);
        const r1_entry *b = r1_tensors_find(to, tensors[i].name), *s = r1_tensors_find(from, name);
        if (tensors[i].dtype != R1_F8_E4M3) {
            need(equal(a, b), tensors[i].name);
            continue;
        }
        need(b && b->dtype == R1_BF16 && b->rank == 2, tensors[i].name);
        for (size_t k = 0; k < a->bytes; k++) {
            size_t row = k / a->shape[1], column = k % a->shape[1];
            float scale;
            uint16_t found;
            memcpy(&scale, (const char *)s->data + 4 * (row / 128 * s->shape[1] + column / 128), 4);
            memcpy(&found, (const char *)b->data + 2 * k, 2);
            volatile float product = r1_from_f8(((const uint8_t *)a->data)[k]) * scale;
            need(found == r1_to_bf16(product), tensors[i].name);
        }
    }
}
// What every rank must hold: name, source, and where its share begins.
static void ranks(r1_context *ctx, const r1_tensors *from, const char *folder, size_t n) {
    static const struct {
        const char *own, *hf;
        int dim;
    } names[] = {
        {"embed.weight", "model.embed_tokens.weight", 0},
        {"head.weight", "lm_head.weight", 0},
        {"norm.weight", "model.norm.weight", -1},
        {"layers.0.attn_norm.weight", "model.layers.0.input_layernorm.weight", -1},
        {"layers.0.attn.wq_a.weight", "model.layers.0.self_attn.q_a_proj.weight", -1},
        {"layers.0.attn.wq_b.weight", "model.layers.0.self_attn.q_b_proj.weight", 0},
        {"layers.0.attn.wq_b.scale", "model.layers.0.self_attn.q_b_proj.weight_scale_inv", 0},
        {"layers.0.attn.wo.weight", "model.layers.0.self_attn.o_proj.weight", 1},
        {"layers.0.attn.wo.scale", "model.layers.0.self_attn.o_proj.weight_scale_inv", 1},
        {"layers.0.attn.q_norm.weight", "model.layers.0.self_attn.q_a_layernorm.weight", -1},
        {"layers.0.ffn.gate.weight", "model.layers.0.mlp.gate.weight", -1},
        {"layers.0.ffn.gate.bias", "model.layers.0.mlp.gate.e_score_correction_bias", -1},
        {"layers.0.ffn.shared_experts.w3.weight",
         "model.layers.0.mlp.shared_experts.up_proj.weight", 0}};
    for (size_t rank = 0; rank < n; rank++) {
        char path[1024], name[160], hf[160];
        snprintf(path, sizeof path, "%s/model%zu-mp%zu.safetensors", folder, rank, n);
        r1_tensors *file = r1_tensors_open(ctx, path);
        need(file != NULL, path);
        size_t count = 0;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++, count++) {
            const r1_entry *b = r1_tensors_find(file, names[i].own);
            const r1_entry *a = r1_tensors_find(from, names[i].hf);
            need(a && b && a->dtype == b->dtype && a->rank == b->rank, names[i].own);
            size_t width = r1_dtype_bytes(a->dtype), wide = a->rank > 1 ? a->shape[1] : 1;
            size_t columns = b->rank > 1 ? b->shape[1] : 1, row0 = 0, column0 = 0;
            for (int d = 0; d < a->rank; d++)
                need(b->shape[d] * (d == names[i].dim ? n : 1) == a->shape[d], names[i].own);
            if (names[i].dim == 0) row0 = rank * b->shape[0];
            if (names[i].dim == 1) column0 = rank * columns;
            for (size_t r = 0; r < b->shape[0]; r++)
                need(!memcmp((const char *)b->data + r * columns * width,
                             (const char *)a->data + ((row0 + r) * wide + column0) * width,
                             columns * width),
                     names[i].own);
        }
        for (size_t e = 0; e < 4; e++) {
            snprintf(name, sizeof name, "layers.0.ffn.experts.%zu.w2.weight", e);
            snprintf(hf, sizeof hf, "model.layers.0.mlp.experts.%zu.down_proj.weight", e);
            const r1_entry *b = r1_tensors_find(file, name);
            need(!b == (e / (4 / n) != rank), name);
            if (b) need(equal(b, r1_tensors_find(from, hf)), name);
            count += b ? 2 : 0; // with its scales
        }
        // Those that have no line above: the scales of wq_a and of the shared experts.
        need(r1_tensors_count(file) == count + 2, "another number of tensors");
        r1_tensors_close(file);
    }
}
int main(int argc, char **argv) {
    need(argc > 2, "usage: convert make|same|back|bf16|ranks FOLDER [FOLDER [RANKS]]");
    r1_context *ctx = r1_context_new(NULL);
    if (!strcmp(argv[1], "make")) {
        make(ctx, argv[2]);
    } else {
        r1_tensors *from = r1_tensors_open_folder(ctx, argv[2]);
        if (!strcmp(argv[1], "ranks")) {
            ranks(ctx, from, argv[3], (size_t)strtoul(argv[4], NULL, 10));
        } else {
            r1_tensors *to = r1_tensors_open_folder(ctx, argv[3]);
            if (from && to && !strcmp(argv[1], "same")) same(from, to, 0);
            if (from && to && !strcmp(argv[1], "back")) same(from, to, 1);
            if (from && to && !strcmp(argv[1], "bf16")) bf16(from, to);
        }
    }
    need(r1_status_of(ctx) == R1_OK, r1_message_of(ctx));
    r1_context_free(ctx);
    return 0;
}
