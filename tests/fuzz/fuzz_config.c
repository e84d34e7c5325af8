// Fuzzes the reader of config.json, and the making of a model from whatever it lets through.
#include "fuzz.h"

#define MLA                                                                                        \
    "{\"model_type\":\"deepseek_v3\",\"vocab_size\":8,\"hidden_size\":8,\"num_hidden_layers\":2,"  \
    "\"num_attention_heads\":2,\"max_position_embeddings\":16,\"q_lora_rank\":null,"               \
    "\"kv_lora_rank\":4,\"qk_nope_head_dim\":4,\"qk_rope_head_dim\":4,\"v_head_dim\":4,"           \
    "\"first_k_dense_replace\":1,\"intermediate_size\":8,\"n_routed_experts\":4,"                  \
    "\"n_shared_experts\":1,\"num_experts_per_tok\":2,\"moe_intermediate_size\":4,"                \
    "\"n_group\":2,\"topk_group\":1,\"num_nextn_predict_layers\":1"
fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT(MLA "}"),
    FUZZ_TEXT(MLA
              ",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":40,\"beta_fast\":32,\"beta_slow\""
              ":1,\"mscale\":1.0,\"mscale_all_dim\":1.0,"
              "\"original_max_position_embeddings\":4096},\"tie_word_embeddings\":true}"),
    FUZZ_TEXT("{\"model_type\":\"qwen2\",\"vocab_size\":8,\"hidden_size\":8,\"num_hidden_layers\":"
              "1,\"num_attention_heads\":2,\"num_key_value_heads\":1,\"intermediate_size\":8,"
              "\"max_position_embeddings\":16,\"rms_norm_eps\":1e-6,\"rope_theta\":1000000.0}"),
    FUZZ_TEXT("{\"model_type\":\"llama\",\"vocab_size\":8,\"hidden_size\":8,\"num_hidden_layers\":"
              "1,\"num_attention_heads\":2,\"num_key_value_heads\":1,\"intermediate_size\":8,"
              "\"max_position_embeddings\":16,\"head_dim\":4,\"rope_scaling\":{\"rope_type\":"
              "\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
              "\"original_max_position_embeddings\":8}}"),
    FUZZ_TEXT("{\"model_type\":\"qwen3_moe\",\"vocab_size\":8,\"hidden_size\":8,"
              "\"num_hidden_layers\":2,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
              "\"intermediate_size\":8,\"max_position_embeddings\":16,\"head_dim\":4,"
              "\"num_experts\":4,\"num_experts_per_tok\":2,\"moe_intermediate_size\":4,"
              "\"norm_topk_prob\":true,\"decoder_sparse_step\":1,\"mlp_only_layers\":[]}"),
    FUZZ_TEXT("{\"model_type\":\"deepseek_v2\",\"vocab_size\":8,\"hidden_size\":8,"
              "\"num_hidden_layers\":2,\"num_attention_heads\":2,\"max_position_embeddings\":16,"
              "\"kv_lora_rank\":4,\"qk_nope_head_dim\":4,\"qk_rope_head_dim\":4,\"v_head_dim\":4,"
              "\"first_k_dense_replace\":1,\"intermediate_size\":8,\"n_routed_experts\":4,"
              "\"n_shared_experts\":1,\"num_experts_per_tok\":2,\"moe_intermediate_size\":4,"
              "\"topk_method\":\"greedy\",\"scoring_func\":\"softmax\"}"),
    {NULL, 0},
};

// Sizes that a test can afford; larger ones are good configs too, and are only read.
static bool is_small(const r1_model_config *c) {
    const size_t sizes[] = {c->vocab,    c->width,       c->heads,   c->kv_heads,     c->head_dim,
                            c->q_rank,   c->kv_rank,     c->experts, c->expert_width, c->nope_dim,
                            c->rope_dim, c->dense_width, c->shared,  c->value_dim};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] > 64) return false;
    return c->layers + c->mtp_layers <= 8 && c->max_tokens <= 4096;
}
void fuzz_begin(r1_context *ctx) { (void)ctx; }
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    r1_model_config config;
    r1_status status = r1_model_config_read(ctx, (const char *)data, size, &config);
    promise(status == r1_status_of(ctx), "the status is that of the context");
    if (status != R1_OK || !is_small(&config)) return;
    r1_model *model = r1_model_new(ctx, &config);
    promise((model != NULL) == (r1_status_of(ctx) == R1_OK), "a model or a reason");
    r1_model_free(model);
}
