// Tests of the room [model] on every architecture that it reads: plans, folders as transformers
// writes them, and one arithmetic in all of them.

// ---- plans ----
// The config.json of DeepSeek-V3, the keys that decide sizes.   Source: paper.md 7.7.
static const char *const arch_v3 =
    "{\"architectures\": [\"DeepseekV3ForCausalLM\"], \"model_type\": \"deepseek_v3\","
    " \"hidden_size\": 7168, \"intermediate_size\": 18432, \"moe_intermediate_size\": 2048,"
    " \"num_hidden_layers\": 61, \"num_attention_heads\": 128, \"num_key_value_heads\": 128,"
    " \"q_lora_rank\": 1536, \"kv_lora_rank\": 512, \"qk_nope_head_dim\": 128,"
    " \"qk_rope_head_dim\": 64, \"v_head_dim\": 128, \"n_routed_experts\": 256,"
    " \"n_shared_experts\": 1, \"num_experts_per_tok\": 8, \"n_group\": 8, \"topk_group\": 4,"
    " \"topk_method\": \"noaux_tc\", \"scoring_func\": \"sigmoid\", \"norm_topk_prob\": true,"
    " \"routed_scaling_factor\": 2.5, \"first_k_dense_replace\": 3, \"moe_layer_freq\": 1,"
    " \"num_nextn_predict_layers\": 1, \"hidden_act\": \"silu\", \"rms_norm_eps\": 1e-6,"
    " \"rope_theta\": 10000, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 40,"
    " \"original_max_position_embeddings\": 4096, \"beta_fast\": 32, \"beta_slow\": 1,"
    " \"mscale\": 1.0, \"mscale_all_dim\": 1.0}, \"max_position_embeddings\": 163840,"
    " \"vocab_size\": 129280, \"tie_word_embeddings\": false, \"attention_bias\": false}";

// The figures of the report and of the shapes in paper.md 7.1 and 7.5: 671.03 B parameters, 37.6 B
// of them active, 11.6 B in the layer of multi-token prediction, 576 cached numbers.
TEST(arch_plan_of_deepseek_v3) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config;
    r1_model_plan plan, main_only;
    size_t before, after;
    CHECK(r1_model_config_read(ctx, arch_v3, strlen(arch_v3), &config) == R1_OK);
    r1_memory_used(ctx, &before, NULL);
    CHECK(r1_model_plan_of(ctx, &config, &plan) == R1_OK);
    r1_memory_used(ctx, &after, NULL);
    CHECK_EQUAL_SIZE(after, before); // nothing stays, and the arenas did not grow
    config.mtp_layers = 0;
    CHECK(r1_model_plan_of(ctx, &config, &main_only) == R1_OK);
    CHECK_EQUAL_SIZE(main_only.parameters, 671026404352); // 671.03 B
    CHECK_EQUAL_SIZE(plan.parameters - plan.mtp, main_only.parameters);
    printf("with MTP %zu, MTP %zu, active %zu\n", plan.parameters, plan.mtp, plan.active);
    CHECK_EQUAL_SIZE(plan.parameters, 682636472320);
    CHECK_EQUAL_SIZE(plan.embedding, (size_t)129280 * 7168);
    CHECK_EQUAL_SIZE(plan.head, plan.embedding);
    CHECK_EQUAL_SIZE(plan.dense, (size_t)3 * 3 * 7168 * 18432);
    CHECK_EQUAL_SIZE(plan.experts, (size_t)58 * 256 * 3 * 7168 * 2048);
    CHECK_EQUAL_SIZE(plan.shared, (size_t)58 * 3 * 7168 * 2048);
    CHECK_EQUAL_SIZE(plan.routers, (size_t)58 * 256 * 7168);
    CHECK_EQUAL_SIZE(plan.router_biases, 59 * 256);
    CHECK_EQUAL_SIZE(plan.norms, (size_t)(2 * 61 + 1) * 7168);
    CHECK_NEAR((double)plan.attention / 61, 187.1e6, 0.05e6);
    CHECK_NEAR((double)plan.active, 37.6e9, 0.05e9);
    CHECK_EQUAL_SIZE(plan.cache_absorbed, 576);
    CHECK_EQUAL_SIZE(plan.cache, 128 * (192 + 128)); // AUTO is expanded at these sizes
    CHECK_EQUAL_SIZE(plan.f32_bytes, 4 * plan.parameters);
    CHECK_EQUAL_SIZE(plan.bf16_bytes, 2 * plan.parameters);
    CHECK(plan.f8_bytes > plan.parameters && plan.f8_bytes < 1.02 * (double)plan.parameters);
    config.mla_form = R1_MLA_ABSORBED;
    CHECK(r1_model_plan_of(ctx, &config, &plan) == R1_OK);
    CHECK_EQUAL_SIZE(plan.cache, 576);
    r1_context_free(ctx);
}
