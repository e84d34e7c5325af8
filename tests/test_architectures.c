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
// Seven released configs; their parameters were counted by transformers.
TEST(arch_plans_of_released_models) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    size_t size, n = 0;
    char *text = r1_file_read(ctx, "tests/golden/plans.jsonl", &size);
    for (char *line = text, *end; line && (end = strchr(line, '\n')); line = end + 1, n++) {
        r1_model_config config;
        r1_model_plan plan;
        r1_json *root = r1_json_read(ctx, line, (size_t)(end - line));
        CHECK(r1_model_config_read(ctx, line, (size_t)(end - line), &config) == R1_OK);
        CHECK(r1_model_plan_of(ctx, &config, &plan) == R1_OK);
        r1_slice type = r1_json_text(r1_json_find(root, "model_type"));
        printf("%.*s: %zu parameters, %zu active\n", (int)type.size, type.data, plan.parameters,
               plan.active);
        CHECK_EQUAL_SIZE(plan.parameters,
                         (size_t)r1_json_number(r1_json_find(root, "parameters"), 0));
        r1_json_free(ctx, root);
    }
    CHECK_EQUAL_SIZE(n, 7);
    r1_file_free(ctx, text);
    r1_context_free(ctx);
}

// ---- config.json ----
static r1_model_config arch_read(r1_context *ctx, const char *text) {
    r1_model_config config;
    if (r1_model_config_read(ctx, text, strlen(text), &config) != R1_OK)
        test_stop(TEST_FAILED, "%s: %s", text, r1_message_of(ctx));
    return config;
}
// What a key's absence means is part of a format: a wrong default would load, and be wrong.
TEST(arch_defaults_of_absent_keys) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config v3 = arch_read(ctx, "{\"model_type\": \"deepseek_v3\", \"n_group\": 8}");
    r1_model_config v2 = arch_read(ctx, "{\"model_type\": \"deepseek_v2\", \"n_group\": 8}");
    r1_model_config moe = arch_read(ctx, "{\"model_type\": \"qwen3_moe\"}");
    r1_model_config llama = arch_read(ctx, "{\"model_type\": \"llama\"}");
    r1_model_config qwen2 = arch_read(ctx, "{\"model_type\": \"qwen2\"}");
    r1_model_config qwen3 = arch_read(ctx, "{\"model_type\": \"qwen3\"}");
    CHECK(v3.normalise_gates && !v3.softmax_scores && !v3.greedy_choice && v3.groups == 8);
    CHECK(!v2.normalise_gates && v2.softmax_scores && v2.greedy_choice && v2.groups == 1);
    CHECK(!moe.normalise_gates && moe.softmax_scores && moe.greedy_choice && moe.qk_norm);
    CHECK(!llama.qkv_bias && !llama.out_bias && !llama.qk_norm);
    CHECK(qwen2.qkv_bias && !qwen2.out_bias && !qwen2.qk_norm);
    CHECK(!qwen3.qkv_bias && !qwen3.out_bias && qwen3.qk_norm);
    CHECK(!llama.tied_head && llama.rope_theta == 10000 && llama.norm_eps == 1e-6);
    moe = arch_read(ctx, "{\"model_type\": \"qwen3_moe\", \"num_local_experts\": 7, "
                         "\"layer_types\": [\"full_attention\"]}");
    CHECK(moe.experts == 7);
    llama = arch_read(ctx, "{\"model_type\": \"llama\", \"attention_bias\": true}");
    CHECK(llama.qkv_bias && llama.out_bias);
    llama = arch_read(ctx, "{\"model_type\": \"llama\", \"rope_parameters\": {\"rope_theta\": 5e5, "
                           "\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1.5, "
                           "\"high_freq_factor\": 5, \"original_max_position_embeddings\": 64}}");
    CHECK(llama.rope_theta == 5e5 && llama.rope.kind == R1_ROPE_LLAMA3 && llama.rope.factor == 8);
    CHECK(llama.rope.beta_slow == 1.5 && llama.rope.beta_fast == 5 && llama.rope.original == 64);
    // V2 either scales its gates or divides them by their sum
    v2 = arch_read(ctx, "{\"model_type\": \"deepseek_v2\", \"norm_topk_prob\": true, "
                        "\"routed_scaling_factor\": 16}");
    CHECK(v2.normalise_gates && v2.routed_scale == 1);
    r1_context_free(ctx);
}
// decoder_sparse_step and mlp_only_layers of Qwen3-MoE, and what they cannot be.
TEST(arch_layers_without_experts) {
    static const struct {
        const char *keys;
        uint64_t dense; // of six layers; ~0: refused
    } rows[] = {
        {"\"decoder_sparse_step\": 1", 0},
        {"\"decoder_sparse_step\": 2", 1 | 4 | 16},
        {"\"decoder_sparse_step\": 3, \"mlp_only_layers\": [5]", 1 | 2 | 8 | 16 | 32},
        {"\"mlp_only_layers\": [0, 3]", 1 | 8},
        {"\"mlp_only_layers\": []", 0},
        {"\"mlp_only_layers\": null", 0},
        {"\"decoder_sparse_step\": 0", ~(uint64_t)0},
        {"\"mlp_only_layers\": [-1]", ~(uint64_t)0},
        {"\"mlp_only_layers\": [256]", ~(uint64_t)0},
        {"\"mlp_only_layers\": [\"1\"]", ~(uint64_t)0},
    };
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        r1_model_config config;
        int n = snprintf(text, sizeof text,
                         "{\"model_type\": \"qwen3_moe\", \"num_hidden_layers\": 6, "
                         "\"num_experts\": 4, %s}",
                         rows[i].keys);
        r1_status status = r1_model_config_read(ctx, text, (size_t)n, &config);
        printf("%s\n", rows[i].keys);
        CHECK((status == R1_OK) == (rows[i].dense != ~(uint64_t)0));
        for (size_t l = 0; l < 6 && status == R1_OK; l++)
            CHECK(r1i_dense_layer(&config, l) == (rows[i].dense >> l & 1));
        CHECK(status == R1_OK || strstr(r1_message_of(ctx), "mlp_only_layers"));
        r1_error_clear(ctx);
    }
    r1_context_free(ctx);
}

// Routers without a bias have none to move, wherever a caller takes their loads from.
TEST(arch_router_without_bias) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_kind(11);
    r1_model *model = model_make(ctx, &config);
    uint64_t loads[2 * 5] = {9, 1, 0, 0, 0, 1, 2, 3, 4, 5}, hash = r1_model_hash(model);
    CHECK_EQUAL_SIZE(r1_model_routers(model), 2);
    for (size_t l = 0; l < 4; l++) CHECK(!r1_model_router_bias(model, l));
    r1_model_balance_bias(model, loads, 0.1);
    CHECK(r1_model_hash(model) == hash);
    uint64_t counted[4 * 5] = {0}; // layers 1 and 3 have experts; their places are 0 and 1
    r1_batch batch = model_batch();
    batch.loads = counted;
    r1_step_begin(ctx);
    CHECK(r1_model_forward(model, &batch));
    r1_step_end(ctx);
    for (size_t i = 0; i < 4; i++) {
        uint64_t sum = 0;
        for (size_t e = 0; e < 5; e++) sum += counted[5 * i + e];
        CHECK_EQUAL_SIZE((size_t)sum, i < 2 ? MODEL_T * 2 : 0);
    }
    r1_context_free(ctx);
}

// The keys that released folders carry, those that decide nothing included; the sizes are ours.
static const char *const arch_common =
    "\"attention_dropout\": 0.0, \"bos_token_id\": 0, \"eos_token_id\": [1, 2], \"hidden_act\": "
    "\"silu\", \"initializer_range\": 0.02, \"pretraining_tp\": 1, \"rms_norm_eps\": 1e-06, "
    "\"use_cache\": true, \"vocab_size\": 13, \"hidden_size\": 16, \"intermediate_size\": 20, "
    "\"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"max_position_embeddings\": 128, ";
static const char *const arch_deepseek =
    "\"attention_bias\": false, \"auto_map\": {\"AutoConfig\": \"configuration_deepseek.X\"}, "
    "\"aux_loss_alpha\": 0.001, \"ep_size\": 1, \"first_k_dense_replace\": 1, \"kv_lora_rank\": 8, "
    "\"moe_intermediate_size\": 6, \"moe_layer_freq\": 1, \"n_routed_experts\": 8, "
    "\"num_experts_per_tok\": 2, \"num_key_value_heads\": 4, \"qk_nope_head_dim\": 4, "
    "\"qk_rope_head_dim\": 4, \"v_head_dim\": 4, \"seq_aux\": true, \"tie_word_embeddings\": "
    "false, "
    "\"rope_theta\": 10000, \"torch_dtype\": \"bfloat16\", ";
TEST(arch_released_configs_load) {
    static const struct {
        const char *name, *keys;
        bool deepseek, tied, qk_norm;
        r1_rope_kind rope;
    } rows[] = {
        {"DeepSeek-R1",
         "\"model_type\": \"deepseek_v3\", \"architectures\": [\"DeepseekV3ForCausalLM\"], "
         "\"n_group\": 4, \"n_shared_experts\": 1, \"norm_topk_prob\": true, \"q_lora_rank\": 6, "
         "\"num_nextn_predict_layers\": 1, \"quantization_config\": {\"activation_scheme\": "
         "\"dynamic\", \"fmt\": \"e4m3\", \"quant_method\": \"fp8\", \"weight_block_size\": [128, "
         "128]}, \"rope_scaling\": {\"beta_fast\": 32, \"beta_slow\": 1, \"factor\": 40, "
         "\"mscale\": "
         "1.0, \"mscale_all_dim\": 1.0, \"original_max_position_embeddings\": 16, \"type\": "
         "\"yarn\"}, \"routed_scaling_factor\": 2.5, \"scoring_func\": \"sigmoid\", "
         "\"topk_group\": "
         "2, \"topk_method\": \"noaux_tc\"",
         true, false, false, R1_ROPE_YARN},
        {"DeepSeek-V2-Lite",
         "\"model_type\": \"deepseek_v2\", \"n_group\": 1, \"n_shared_experts\": 2, "
         "\"norm_topk_prob\": false, \"q_lora_rank\": null, \"rope_scaling\": {\"beta_fast\": 32, "
         "\"beta_slow\": 1, \"factor\": 40, \"mscale\": 0.707, \"mscale_all_dim\": 0.707, "
         "\"original_max_position_embeddings\": 16, \"type\": \"yarn\"}, "
         "\"routed_scaling_factor\": 1.0, \"scoring_func\": \"softmax\", \"topk_group\": 1, "
         "\"topk_method\": \"greedy\"",
         true, false, false, R1_ROPE_YARN},
        {"Qwen2.5, R1-Distill-Qwen",
         "\"model_type\": \"qwen2\", \"max_window_layers\": 21, \"num_key_value_heads\": 2, "
         "\"rope_theta\": 1000000.0, \"sliding_window\": 32768, \"tie_word_embeddings\": true, "
         "\"torch_dtype\": \"bfloat16\", \"use_mrope\": false, \"use_sliding_window\": false",
         false, true, false, R1_ROPE_PLAIN},
        {"Qwen3",
         "\"model_type\": \"qwen3\", \"attention_bias\": false, \"head_dim\": 8, "
         "\"num_key_value_heads\": 2, \"rope_scaling\": null, \"rope_theta\": 1000000, "
         "\"sliding_window\": null, \"tie_word_embeddings\": true, \"use_sliding_window\": false",
         false, true, true, R1_ROPE_PLAIN},
        {"Qwen3-30B-A3B of transformers 5",
         "\"model_type\": \"qwen3_moe\", \"attention_bias\": false, \"decoder_sparse_step\": 1, "
         "\"dtype\": \"bfloat16\", \"head_dim\": 8, \"mlp_only_layers\": [], "
         "\"moe_intermediate_size\": 6, \"norm_topk_prob\": true, \"num_experts\": 8, "
         "\"num_experts_per_tok\": 2, \"num_key_value_heads\": 2, \"output_router_logits\": false, "
         "\"rope_parameters\": {\"rope_theta\": 1000000.0, \"rope_type\": \"default\"}, "
         "\"router_aux_loss_coef\": 0.001, \"sliding_window\": null, \"tie_word_embeddings\": "
         "false",
         false, false, true, R1_ROPE_PLAIN},
        {"Llama-3.2, R1-Distill-Llama",
         "\"model_type\": \"llama\", \"attention_bias\": false, \"head_dim\": 4, \"mlp_bias\": "
         "false, "
         "\"num_key_value_heads\": 2, \"rope_scaling\": {\"factor\": 32.0, \"high_freq_factor\": "
         "4.0, "
         "\"low_freq_factor\": 1.0, \"original_max_position_embeddings\": 16, \"rope_type\": "
         "\"llama3\"}, \"rope_theta\": 500000.0, \"tie_word_embeddings\": true",
         false, true, false, R1_ROPE_LLAMA3},
        {"Llama of transformers 5",
         "\"model_type\": \"llama\", \"head_dim\": null, \"mlp_bias\": false, \"dtype\": "
         "\"float32\", "
         "\"rope_parameters\": {\"factor\": 8.0, \"high_freq_factor\": 4.0, \"low_freq_factor\": "
         "1.0, "
         "\"original_max_position_embeddings\": 16, \"rope_theta\": 500000.0, \"rope_type\": "
         "\"llama3\"}",
         false, false, false, R1_ROPE_LLAMA3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 1);
        char text[4096];
        int n = snprintf(text, sizeof text, "{%s%s%s}", arch_common,
                         rows[i].deepseek ? arch_deepseek : "", rows[i].keys);
        CHECK(n > 0 && n < (int)sizeof text);
        r1_model_config c = arch_read(ctx, text);
        CHECK(c.tied_head == rows[i].tied && c.qk_norm == rows[i].qk_norm);
        CHECK(c.rope.kind == rows[i].rope &&
              c.rope_theta == (rows[i].deepseek                 ? 10000
                               : rows[i].rope == R1_ROPE_LLAMA3 ? 500000
                                                                : 1000000));
        r1_model *model = model_make(ctx, &c);
        CHECK(r1_model_save_with(model, test_path("m"), &(r1_save_desc){.max_shard_bytes = 3000}) ==
              R1_OK);
        CHECK(r1_file_write(ctx, model_path("m", "config.json"), text, (size_t)n) == R1_OK);
        r1_model *loaded = r1_model_load(ctx, test_path("m"));
        if (!loaded) test_stop(TEST_FAILED, "%s: %s", rows[i].name, r1_message_of(ctx));
        CHECK(r1_model_hash(loaded) == r1_model_hash(model));
        // What only the config says of marks goes on into the next folder, and into the one behind.
        CHECK(r1_model_save(loaded, test_path("n")) == R1_OK);
        loaded = r1_model_load(ctx, test_path("n"));
        CHECK(loaded && r1_model_save(loaded, test_path("n")) == R1_OK);
        char *saved = r1_file_read(ctx, model_path("n", "config.json"), NULL);
        CHECK(saved && strstr(saved, "\"bos_token_id\":0,\"eos_token_id\":[1,2]}"));
        r1_context_free(ctx);
        nftw(test_path("m"), test_remove, 16, FTW_DEPTH | FTW_PHYS);
        nftw(test_path("n"), test_remove, 16, FTW_DEPTH | FTW_PHYS);
    }
}
// A stranger reads the path, what is wrong there, and the words of the file rather than ours.
TEST(arch_messages_name_the_file) {
    static const struct {
        const char *text, *part, *other;
    } rows[] = {
        {"<html>404</html>", "m/config.json: byte 0", "a value"},
        {"{\"model_type\": \"gemma3\"}", "m/config.json: model_type \"gemma3\"", "qwen3_moe"},
        {"{\"model_type\": \"llama\", \"vocab_size\": 7}", "m/config.json: hidden_size", "missing"},
        {"{\"model_type\": \"qwen3\", \"use_sliding_window\": true}", "use_sliding_window",
         "m/config.json"},
        {"{\"model_type\": \"qwen3\", \"rope_scaling\": {\"rope_type\": \"dynamic\"}}",
         "rope_scaling other than yarn and llama3", "m/config.json"},
        {"{\"model_type\": \"llama\", \"vocab_size\": 7, \"hidden_size\": 4, "
         "\"num_hidden_layers\": 1, "
         "\"num_attention_heads\": 1, \"intermediate_size\": 4, \"max_position_embeddings\": 9}",
         "no weights", "model.safetensors.index.json"},
    };
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    CHECK(r1_folder_make(ctx, test_path("m")) == R1_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(r1_file_write(ctx, model_path("m", "config.json"), rows[i].text,
                            strlen(rows[i].text)) == R1_OK);
        CHECK(!r1_model_load(ctx, test_path("m")));
        if (!strstr(r1_message_of(ctx), rows[i].part) || !strstr(r1_message_of(ctx), rows[i].other))
            test_stop(TEST_FAILED, "%s: %s", rows[i].part, r1_message_of(ctx));
        r1_error_clear(ctx);
    }
    r1_context_free(ctx);
}

// ---- folders ----
static void arch_write(r1_context *ctx, const char *file, const void *data, size_t size) {
    CHECK(r1_file_write(ctx, model_path("theirs", file), data, size) == R1_OK);
}
// The weights of a golden file as a checkpoint folder with transformers' names and config.
static r1_tensors *arch_folder(r1_context *ctx, const char *name) {
    r1_tensors *golden = golden_open(ctx, name);
    r1_slice config = r1_tensors_metadata(golden, "config");
    r1_entry entries[128];
    size_t n = 0;
    for (size_t i = 0; i < r1_tensors_count(golden); i++) {
        r1_entry entry = *r1_tensors_at(golden, i);
        if (strncmp(entry.name, "w/", 2)) continue;
        CHECK(n < sizeof entries / sizeof *entries);
        entry.name += 2, entries[n++] = entry;
    }
    CHECK(r1_folder_make(ctx, test_path("theirs")) == R1_OK);
    arch_write(ctx, "config.json", config.data, config.size);
    const char *path = model_path("theirs", "model.safetensors");
    CHECK(r1_tensors_save(ctx, path, entries, n, NULL, 0) == R1_OK);
    return golden;
}
static void arch_same_tensors(r1_context *ctx) {
    char theirs[600];
    snprintf(theirs, sizeof theirs, "%s", model_path("theirs", "model.safetensors"));
    r1_tensors *a = r1_tensors_open(ctx, theirs);
    r1_tensors *b = r1_tensors_open(ctx, model_path("ours", "model.safetensors"));
    CHECK(a && b && r1_tensors_count(a) == r1_tensors_count(b));
    for (size_t i = 0; i < r1_tensors_count(a); i++) {
        const r1_entry *x = r1_tensors_at(a, i), *y = r1_tensors_find(b, x->name);
        bool same = y && x->dtype == y->dtype && x->rank == y->rank && x->bytes == y->bytes &&
                    !memcmp(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape) &&
                    !memcmp(x->data, y->data, x->bytes);
        if (!same) test_stop(TEST_FAILED, "tensor %s is missing or differs", x->name);
    }
    r1_tensors_close(a), r1_tensors_close(b);
}
// The stored logits [T,V] of the rows of a golden file.
static void arch_logits(r1_model *model, const r1_tensors *golden) {
    r1_context *ctx = r1_model_context(model);
    r1_batch batch = {.tokens = golden_ints(golden, "tokens", NULL)};
    size_t n;
    batch.starts = golden_starts(golden, "starts", &batch.B);
    float *want = golden_floats(golden, "logits", &n);
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx);
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_tensor *logits = r1_matmul(ctx, hidden, r1_model_head(model), NULL);
    CHECK(logits && r1_tensor_count(logits) == n);
    golden_close("logits", logits->data, want, n, 1e-5);
    r1_no_grad_end(ctx);
    r1_step_end(ctx);
}
static const struct {
    const char *name, *type;
} arch_cases[] = {
    {"dsv3_expanded", "deepseek_v3"}, {"dsv3_noq", "deepseek_v3"},  {"dsv3_yarn", "deepseek_v3"},
    {"dsv2", "deepseek_v2"},          {"dsv2_lite", "deepseek_v2"}, {"qwen2", "qwen2"},
    {"qwen2_untied", "qwen2"},        {"qwen2_yarn", "qwen2"},      {"qwen3", "qwen3"},
    {"qwen3_moe", "qwen3_moe"},       {"llama", "llama"},           {"llama3", "llama"}};
enum { ARCH_CASES = sizeof arch_cases / sizeof *arch_cases };
// Load, logits of transformers in float64, save, load again: the same type, tensors and hash.
TEST(arch_folders_come_back) {
    for (size_t i = 0; i < ARCH_CASES; i++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 1);
        r1_tensors *golden = arch_folder(ctx, arch_cases[i].name);
        printf("%s: ", arch_cases[i].name);
        r1_model *model = r1_model_load(ctx, test_path("theirs"));
        if (!model) test_stop(TEST_FAILED, "load: %s", r1_message_of(ctx));
        arch_logits(model, golden);
        CHECK(r1_model_save(model, test_path("ours")) == R1_OK);
        arch_same_tensors(ctx);
        size_t size;
        char *text = r1_file_read(ctx, model_path("ours", "config.json"), &size);
        r1_json *root = r1_json_read(ctx, text, size);
        r1_slice type = r1_json_text(r1_json_find(root, "model_type"));
        CHECK(r1i_text_is(type, arch_cases[i].type));
        r1_model *again = r1_model_load(ctx, test_path("ours"));
        CHECK(again && r1_model_hash(again) == r1_model_hash(model));
        r1_json_free(ctx, root);
        r1_file_free(ctx, text);
        r1_tensors_close(golden);
        r1_context_free(ctx);
    }
}

// ---- one arithmetic ----
enum { ARCH_TEXTS = 6, ARCH_ROOM = 24 };
typedef struct arch_drawn {
    int32_t tokens[ARCH_TEXTS][ARCH_ROOM];
    float logp[ARCH_TEXTS][ARCH_ROOM];
    size_t n[ARCH_TEXTS];
} arch_drawn;
// Draws from a folder. The scorer, which has no cache, and the forward of a training step get all
// texts in one batch and must give the sampler's bits.
static void arch_draw(const char *folder, const int32_t *tokens, bool half, r1_cpu_level level,
                      int threads, size_t batch, arch_drawn *out) {
    r1_context *ctx = model_context(level, threads);
    r1_load_desc keep = {.keep_bf16 = half};
    r1_model *model = r1_model_load_with(ctx, folder, &keep);
    if (!model) test_stop(TEST_FAILED, "load: %s", r1_message_of(ctx));
    CHECK((model->n_bf16 > 0) == half);
    r1_prompt prompts[] = {{tokens, 3, 4}, {tokens + 2, 5, 9}};
    r1_generate_desc desc = {.max_new = 12, .batch = batch};
    r1_rollout *rollout = r1_rollout_new(ctx);
    CHECK(r1_generate(model, rollout, prompts, 2, ARCH_TEXTS / 2, &desc) == R1_OK);
    int32_t all[ARCH_TEXTS * ARCH_ROOM], targets[ARCH_TEXTS * ARCH_ROOM];
    float score[ARCH_TEXTS * ARCH_ROOM];
    size_t starts[ARCH_TEXTS + 1] = {0}, T = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < ARCH_TEXTS; T = starts[++i]) {
        const r1_sample *s = &rollout->samples[i];
        size_t drawn = s->n - s->n_prompt;
        CHECK(s->n <= ARCH_ROOM && drawn > 0);
        memcpy(all + T, s->tokens, s->n * sizeof *all);
        memcpy(out->tokens[i], s->tokens, s->n * sizeof *all);
        memcpy(out->logp[i], s->logp + s->n_prompt, drawn * sizeof *score);
        starts[i + 1] = T + s->n, out->n[i] = s->n;
    }
    for (size_t t = 0; t < T; t++) targets[t] = all[t + 1 < T ? t + 1 : t];
    r1_batch packed = {.tokens = all, .starts = starts, .B = ARCH_TEXTS};
    CHECK(r1_model_score(model, &packed, 1, 0, score, NULL) == R1_OK);
    r1_step_begin(ctx);
    r1_logprobs *step =
        r1_logprob(ctx, r1_model_forward(model, &packed), r1_model_head(model), targets, 1);
    CHECK(step && step->logp->wants_grad);
    for (size_t i = 0; i < ARCH_TEXTS; i++) {
        size_t from = rollout->samples[i].n_prompt, at = starts[i] + from;
        size_t bytes = (out->n[i] - from) * sizeof *score;
        CHECK(!memcmp(score + at, out->logp[i], bytes));
        CHECK(!memcmp(step->logp->data + at - 1, out->logp[i], bytes));
    }
    r1_step_end(ctx);
    r1_context_free(ctx);
}
// On a folder of every architecture, its weights in f32 and kept in bf16: whatever the batch, the
// threads and the CPU level.
TEST(arch_one_arithmetic_on_all) {
    for (size_t i = 0; i < ARCH_CASES; i++)
        for (int half = 0; half < 2; half++) {
            r1_context *ctx = model_context(R1_CPU_AUTO, 1);
            r1_tensors *golden = arch_folder(ctx, arch_cases[i].name);
            int32_t *tokens = golden_ints(golden, "tokens", NULL);
            r1_save_desc save = {.dtype = half ? R1_BF16 : R1_F32};
            r1_model *model = r1_model_load(ctx, test_path("theirs"));
            CHECK(model && r1_model_save_with(model, test_path("ours"), &save) == R1_OK);
            printf("%s %s\n", arch_cases[i].name, half ? "bf16" : "f32");
            arch_drawn one, two;
            arch_draw(test_path("ours"), tokens, half, R1_CPU_SCALAR, 1, 1, &one);
            for (int threads = 1; threads < 4; threads++) {
                size_t batch = threads == 1 ? 0 : threads == 2 ? 4 : 1;
                arch_draw(test_path("ours"), tokens, half, R1_CPU_AUTO, threads, batch, &two);
                CHECK(!memcmp(&one, &two, sizeof one));
            }
            r1_tensors_close(golden);
            r1_context_free(ctx);
        }
}

// ---- weights that others have written ----
// tiny_llama_bf16 is a file of transformers with random weights, stored as bf16.
TEST(arch_data_tiny_llama) {
    const char *folder = getenv("R1_TEST_DATA");
    if (!folder) SKIP("data: R1_TEST_DATA is not set");
    static const char *const files[][2] = {{"tiny_llama_bf16.config.json", "config.json"},
                                           {"tiny_llama_bf16.safetensors", "model.safetensors"}};
    for (int level = R1_CPU_SCALAR; level <= (int)r1_cpu_best(); level++) {
        r1_context *ctx = model_context((r1_cpu_level)level, 1 + level % 3);
        CHECK(r1_folder_make(ctx, test_path("theirs")) == R1_OK);
        for (int i = 0; i < 2; i++) {
            char path[600];
            size_t size;
            snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
            char *data = r1_file_read(ctx, path, &size);
            CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
            arch_write(ctx, files[i][1], data, size);
            r1_file_free(ctx, data);
        }
        r1_tensors *golden = golden_open(ctx, "tiny_llama");
        r1_model *model = r1_model_load(ctx, test_path("theirs"));
        if (!model) test_stop(TEST_FAILED, "load: %s", r1_message_of(ctx));
        arch_logits(model, golden);
        size_t n;
        int32_t *want = golden_ints(golden, "greedy", &n);
        r1_prompt prompts[] = {{want, 8, 0}, {want, 20, 1}};
        r1_generate_desc desc = {
            .sampler = {.greedy = true}, .max_new = n - 8, .batch = (size_t)level};
        r1_rollout *rollout = r1_rollout_new(ctx);
        CHECK(r1_generate(model, rollout, prompts, 2, 1, &desc) == R1_OK);
        for (size_t i = 0; i < 2; i++) { // the answer from a later point on is the same one
            const r1_sample *s = &rollout->samples[i];
            CHECK(s->n >= n && memcmp(s->tokens, want, n * sizeof *want) == 0);
        }
        r1_rollout_free(rollout);
        r1_tensors_close(golden);
        r1_context_free(ctx);
    }
}
