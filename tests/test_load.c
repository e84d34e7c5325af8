// Tests of folders of weights: shards and their index, FP8 with block scales, what a save leaves
// when it is killed, tensors too many, files that come along. Uses test_file.c and test_model.c.

static r1_model_config load_mtp(void) {
    r1_model_config config = model_mla();
    config.mtp_layers = 1;
    return config;
}
// For tests that load thousands of times.
static r1_model_config load_tiny(void) {
    r1_model_config config = model_gqa();
    config.layers = 1, config.width = 4, config.heads = config.kv_heads = 1, config.vocab = 5;
    config.dense_width = 3, config.max_tokens = 8;
    return config;
}
// A path inside a folder of the test, in memory of its own.
static const char *load_path(const char *folder, const char *file) {
    static char paths[8][700];
    static unsigned turn;
    return snprintf(paths[turn++ % 8], sizeof paths[0], "%s/%s", test_path(folder), file),
           paths[(turn - 1) % 8];
}
// Whether two folders hold the same files, byte by byte.
static bool load_same_folders(r1_context *ctx, const char *a, const char *b) {
    const char *folders[] = {a, b};
    int n[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        DIR *list = opendir(test_path(folders[i]));
        for (struct dirent *entry; list && (entry = readdir(list)); n[i]++)
            if (entry->d_name[0] != '.' &&
                !model_same_file(ctx, load_path(a, entry->d_name), load_path(b, entry->d_name)))
                return false;
        if (list) closedir(list);
    }
    return n[0] == n[1] && n[0] > 2;
}
static void load_fails(r1_context *ctx, const char *folder, r1_status status, const char *one,
                       const char *two) {
    if (r1_model_load(ctx, test_path(folder)) || r1_status_of(ctx) != status ||
        !strstr(r1_message_of(ctx), one) || !strstr(r1_message_of(ctx), two))
        test_stop(TEST_FAILED, "want %s, %s, %s; have %s: %s", r1_status_name(status), one, two,
                  r1_status_name(r1_status_of(ctx)), r1_message_of(ctx));
    r1_error_clear(ctx);
}

TEST(load_save_load_is_identical) {
    static const size_t shards[] = {0, 3000, 1};
    for (int k = 0; k < 9; k++)
        for (int s = 0; s < 3; s++) {
            r1_context *ctx = model_context(R1_CPU_AUTO, 1);
            r1_model_config config = k < 8 ? model_kind(k) : load_mtp();
            r1_save_desc desc = {.max_shard_bytes = shards[s]};
            r1_model *model = model_make(ctx, &config);
            CHECK(r1_model_save_with(model, test_path("one"), &desc) == R1_OK);
            r1_model *loaded = r1_model_load(ctx, test_path("one"));
            if (!loaded) test_stop(TEST_FAILED, "kind %d: %s", k, r1_message_of(ctx));
            CHECK(r1_model_hash(loaded) == r1_model_hash(model));
            CHECK(r1_model_save_with(loaded, test_path("two"), &desc) == R1_OK);
            CHECK(load_same_folders(ctx, "one", "two"));
            CHECK(r1i_file_there(load_path("one", R1I_INDEX_FILE)) == (s > 0));
            CHECK(r1i_file_there(load_path("one", R1I_ONE_FILE)) == (s == 0));
            r1_context_free(ctx);
            nftw(test_path("one"), test_remove, 16, FTW_DEPTH | FTW_PHYS);
            nftw(test_path("two"), test_remove, 16, FTW_DEPTH | FTW_PHYS);
        }
}
// Each shard holds what fits, in the order of the model, and the index counts all bytes.
TEST(load_shards_are_cut_by_size) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    r1_save_desc desc = {.max_shard_bytes = 2000};
    CHECK(r1_model_save_with(model, test_path("m"), &desc) == R1_OK);
    r1_tensors *all = r1_tensors_open_folder(ctx, test_path("m"));
    size_t bytes = 0, size, n = 0;
    for (size_t i = 0; i < r1_tensors_count(all); i++) {
        const r1_entry *entry = r1_tensors_at(all, i);
        CHECK(r1_tensors_find(all, entry->name) == entry);
        bytes += entry->bytes;
    }
    CHECK(all->n_shards > 5 && !r1_tensors_find(all, "nothing"));
    for (size_t i = 0; i < all->n_shards; i++) {
        const r1_tensors *shard = all->shards[i];
        size_t held = 0;
        for (size_t k = 0; k < shard->count; k++) held += shard->entries[k].bytes;
        CHECK(held <= 2000 || shard->count == 1);
        n += shard->count;
        // The next tensor would not have fitted.
        if (n < all->count) CHECK(held + all->entries[n].bytes > 2000);
    }
    char *text = r1_file_read(ctx, all->path, &size);
    r1_json *index = r1_json_read(ctx, text, size);
    const r1_json *map = r1_json_find(index, "weight_map");
    const r1_json *total = r1_json_find(r1_json_find(index, "metadata"), "total_size");
    CHECK(map && map->count == all->count && r1_json_number(total, 0) == (double)bytes);
    CHECK_EQUAL_TEXT(r1_tensors_metadata(all->shards[0], "format").data, "pt");
    r1_json_free(ctx, index), r1_file_free(ctx, text), r1_tensors_close(all);
    r1_model_free(model);
    size_t now;
    r1_memory_used(ctx, &now, NULL);
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_context_free(ctx);
}

// ---- saves over saves ----
enum { LOAD_LAYOUTS = 3 };
static const size_t load_layouts[LOAD_LAYOUTS] = {0, 3000, 5000};
// Files of a folder that belong to weights.
static int load_weight_files(const char *folder) {
    DIR *list = opendir(folder);
    int n = 0;
    for (struct dirent *entry; list && (entry = readdir(list));)
        n += strstr(entry->d_name, ".safetensors") != NULL;
    if (list) closedir(list);
    return n;
}
TEST(load_saves_replace_each_other) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    r1_model *model = model_make(ctx, &config);
    for (int i = 0; i < 30; i++) {
        r1_save_desc desc = {.max_shard_bytes = load_layouts[i * 7 % 10 % LOAD_LAYOUTS]};
        r1_model_head(model)->data[0] = (r1i_real)i;
        CHECK(r1_model_save_with(model, test_path("m"), &desc) == R1_OK);
        r1_model *loaded = r1_model_load(ctx, test_path("m"));
        CHECK(loaded && r1_model_hash(loaded) == r1_model_hash(model));
        r1_model_free(loaded);
        r1_tensors *all = r1_tensors_open_folder(ctx, test_path("m"));
        // Nothing is left of the saves before.
        int shards = (int)all->n_shards;
        CHECK(load_weight_files(test_path("m")) == (shards ? shards + 1 : 1));
        r1_tensors_close(all);
    }
    r1_context_free(ctx);
}
#ifdef TEST_FAULTS
static size_t load_calls, load_kill_at;
static int load_kill_plan(const char *call) {
    (void)call;
    if (++load_calls == load_kill_at) _exit(9); // as when it is killed: nothing is tidied up
    return 0;
}
// Saves in a child that dies in front of system call n; false when it was done before.
static bool load_killed_save(r1_model *model, const r1_save_desc *desc, size_t n) {
    int state = 0;
    pid_t child = fork();
    if (child == 0) {
        load_kill_at = n, test_fault_plan = load_kill_plan;
        _exit(r1_model_save_with(model, test_path("m"), desc) == R1_OK ? 0 : 1);
    }
    CHECK(waitpid(child, &state, 0) == child && WIFEXITED(state));
    CHECK(WEXITSTATUS(state) == 9 || WEXITSTATUS(state) == 0);
    return WEXITSTATUS(state) == 9;
}
TEST(load_killed_save_leaves_a_whole_model) {
    static const size_t layouts[LOAD_LAYOUTS] = {0, 250, 400};
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = load_tiny();
    r1_model *model = model_make(ctx, &config);
    size_t seen[2] = {0, 0};
    for (int from = 0; from < LOAD_LAYOUTS; from++)
        for (int to = 0; to < LOAD_LAYOUTS; to++) {
            if (!test_full() && from != 1 && to != (from + 1) % LOAD_LAYOUTS) continue;
            r1_save_desc old = {.max_shard_bytes = layouts[from]};
            r1_save_desc new = {.max_shard_bytes = layouts[to]};
            bool killed = true;
            for (size_t n = 1; killed; n++) {
                r1_model_head(model)->data[0] = 1;
                uint64_t before = r1_model_hash(model);
                CHECK(r1_model_save_with(model, test_path("m"), &old) == R1_OK);
                r1_model_head(model)->data[0] = 2;
                uint64_t after = r1_model_hash(model);
                killed = load_killed_save(model, &new, n);
                r1_model *loaded = r1_model_load(ctx, test_path("m"));
                if (!loaded)
                    test_stop(TEST_FAILED, "%d to %d, call %zu: %s", from, to, n,
                              r1_message_of(ctx));
                uint64_t hash = r1_model_hash(loaded);
                CHECK(hash == after || (killed && hash == before));
                seen[hash == after]++;
                r1_model_free(loaded);
            }
        }
    printf("%zu old, %zu new\n", seen[0], seen[1]);
    CHECK(seen[0] > 100 && seen[1] > 40);
    // The next save takes away what the killed ones have left.
    CHECK(r1_model_save(model, test_path("m")) == R1_OK);
    CHECK(load_weight_files(test_path("m")) == 1);
    r1_context_free(ctx);
}
#endif

// ---- dtypes ----
TEST(load_of_rounded_saves) {
    static const r1_dtype dtypes[] = {R1_BF16, R1_F16};
    for (int d = 0; d < 2; d++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 1);
        r1_model_config config = load_mtp();
        r1_model *model = model_make(ctx, &config);
        r1_save_desc desc = {.dtype = dtypes[d], .max_shard_bytes = 4000};
        CHECK(r1_model_save_with(model, test_path("h"), &desc) == R1_OK);
        r1_model *loaded = r1_model_load(ctx, test_path("h"));
        CHECK(loaded && r1_model_save_with(loaded, test_path("i"), &desc) == R1_OK);
        CHECK(load_same_folders(ctx, "h", "i")); // rounding twice is rounding once
        size_t n, m;
        const r1_parameter *a = r1_model_parameters(model, &n), *b;
        b = r1_model_parameters(loaded, &m);
        CHECK(n == m);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < r1_tensor_count(a[i].tensor); j++) {
                float x = a[i].tensor->data[j];
                float y = d ? r1_from_f16(r1_to_f16(x)) : r1_from_bf16(r1_to_bf16(x));
                CHECK(memcmp(&b[i].tensor->data[j], &y, 4) == 0);
            }
        for (size_t l = 1; l < 4; l++) // the biases of the routers are not rounded
            CHECK(!memcmp(r1_model_router_bias(model, l), r1_model_router_bias(loaded, l), 32));
        size_t size;
        char *text = r1_file_read(ctx, load_path("h", "config.json"), &size);
        CHECK(strstr(text, d ? "\"torch_dtype\":\"float16\"" : "\"torch_dtype\":\"bfloat16\""));
        r1_context_free(ctx);
    }
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_gqa();
    r1_save_desc desc = {.dtype = R1_F8_E4M3};
    r1_model *model = model_make(ctx, &config);
    CHECK(r1_model_save_with(model, test_path("f8"), &desc) == R1_ERROR_ARGUMENT);
    CHECK(!r1i_folder_there(test_path("f8")));
    r1_context_free(ctx);
}

// Numbers that are made while they are written: the file is that of the numbers in memory.
static bool load_make(void *user, const r1_entry *entry, size_t offset, void *out, size_t bytes) {
    CHECK(offset % 64 == 0 && offset + bytes <= entry->bytes && *(int *)user == 7);
    for (size_t i = 0; i < bytes; i++) ((uint8_t *)out)[i] = (uint8_t)((offset + i) % 251);
    return entry->shape[0] != 77;
}
TEST(load_save_makes_tensors_piece_by_piece) {
    r1_context *ctx = r1_context_new(NULL);
    size_t n = 5 << 20; // several pieces
    uint8_t *all = (uint8_t *)malloc(n);
    for (size_t i = 0; i < n; i++) all[i] = (uint8_t)(i % 251);
    r1_entry plain[] = {{"a", R1_U8, 1, {n}, all, n}, {"b", R1_U8, 1, {3}, all, 3}}, made[2];
    memcpy(made, plain, sizeof made);
    made[0].data = made[1].data = NULL;
    int seven = 7;
    r1_shards_desc desc = {.fill = load_make, .user = &seven};
    CHECK(r1_tensors_save(ctx, test_path("plain"), plain, 2, NULL, 0) == R1_OK);
    CHECK(r1_tensors_save_with(ctx, test_path("made"), made, 2, NULL, 0, &desc) == R1_OK);
    CHECK(model_same_file(ctx, test_path("plain"), test_path("made")));
    made[1].shape[0] = made[1].bytes = 77; // fill gives up: the old file stays
    CHECK(r1_tensors_save_with(ctx, test_path("made"), made, 2, NULL, 0, &desc) != R1_OK);
    r1_error_clear(ctx);
    CHECK(model_same_file(ctx, test_path("plain"), test_path("made")));
    r1_context_free(ctx);
    free(all);
}

// DeepSeek's formula: every number of a block of 128 x 128, ragged at the edges, by its scale.
static float load_f8_by_formula(const uint8_t *w, const float *scales, size_t columns, size_t i,
                                size_t j) {
    size_t wide = (columns + 127) / 128;
    volatile float product = r1_from_f8(w[i * columns + j]) * scales[i / 128 * wide + j / 128];
    return product;
}
TEST(load_f8_is_the_formula_of_deepseek) {
    static const size_t shapes[][2] = {{128, 128}, {1, 1},   {129, 127}, {300, 260},
                                       {127, 385}, {256, 1}, {1, 300},   {576, 96}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, s % 2 ? 3 : 1);
        size_t R = shapes[s][0], C = shapes[s][1], n = R * C;
        size_t BR = (R + 127) / 128, BC = (C + 127) / 128;
        uint8_t *w = (uint8_t *)malloc(n);
        float *scales = (float *)malloc(BR * BC * sizeof *scales);
        float *out = (float *)malloc(n * sizeof *out);
        r1_random at = {.seed = s, .stream = R1_STREAM_USER};
        for (size_t i = 0; i < n; i++) w[i] = (uint8_t)r1_random_u32(&at);
        for (size_t i = 0; i < BR * BC; i++) scales[i] = r1_random_unit(&at) * 1e-3f + 1e-5f;
        const r1_entry entries[] = {
            {"a.weight", R1_F8_E4M3, 2, {R, C}, w, n},
            {"a.weight_scale_inv", R1_F32, 2, {BR, BC}, scales, BR * BC * sizeof *scales}};
        const char *path = test_path("f8.safetensors");
        CHECK(r1_tensors_save(ctx, path, entries, 2, NULL, 0) == R1_OK);
        r1_tensors *file = r1_tensors_open(ctx, path);
        const r1_entry *entry = r1_tensors_find(file, "a.weight");
        CHECK(r1_tensors_numbers(file, entry, 0, n, out) == R1_OK);
        for (size_t i = 0; i < n; i++) {
            float wanted = load_f8_by_formula(w, scales, C, i / C, i % C);
            CHECK(memcmp(&out[i], &wanted, 4) == 0 || (out[i] != out[i] && wanted != wanted));
        }
        for (size_t first = 0; first < n; first += 1 + first / 2) { // any window of it
            size_t count = r1_random_below(&at, (uint32_t)(n - first)) + 1;
            float *part = (float *)malloc(count * sizeof *part);
            CHECK(r1_tensors_numbers(file, entry, first, count, part) == R1_OK);
            CHECK(memcmp(part, out + first, count * sizeof *part) == 0);
            free(part);
        }
        CHECK(r1_tensors_numbers(file, entry, n, 0, out) == R1_OK);
        CHECK(r1_tensors_numbers(file, entry, n, 1, out) == R1_ERROR_ARGUMENT);
        r1_error_clear(ctx);
        CHECK(r1_tensors_numbers(file, entry, 1, SIZE_MAX, out) == R1_ERROR_ARGUMENT);
        r1_error_clear(ctx);
        CHECK(r1_tensors_numbers(NULL, entry, 0, 0, out) == R1_ERROR_ARGUMENT);
        r1_context_free(ctx);
        free(w), free(scales), free(out);
    }
}
// A whole model whose matrices are FP8, as DeepSeek publishes: equal to the model of the products.
TEST(load_f8_model) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = load_mtp();
    config.width = 160, config.dense_width = 140; // more than one block, and no multiple of it
    r1_model *model = model_make(ctx, &config);
    CHECK(r1_model_save(model, test_path("m")) == R1_OK);
    r1_tensors *file = r1_tensors_open_folder(ctx, test_path("m"));
    size_t n = r1_tensors_count(file), kept = 0;
    r1_entry *entries = (r1_entry *)r1i_alloc(ctx, (2 * n + 1) * sizeof *entries);
    char(*names)[160] = (char(*)[160])r1i_alloc(ctx, n * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        const r1_entry *e = r1_tensors_at(file, i);
        entries[kept++] = *e;
        if (e->rank != 2 || !strstr(e->name, "_proj") || strstr(e->name, "eh_proj")) continue;
        size_t R = e->shape[0], C = e->shape[1], BR = (R + 127) / 128, BC = (C + 127) / 128;
        uint8_t *w = (uint8_t *)r1i_alloc(ctx, R * C);
        float *scales = (float *)r1i_alloc(ctx, BR * BC * 4);
        for (size_t k = 0; k < BR * BC; k++) scales[k] = 0.001f * (float)(k + i % 7 + 1);
        for (size_t k = 0; k < R * C; k++) {
            float x;
            memcpy(&x, (const char *)e->data + 4 * k, 4);
            w[k] = r1_to_f8(x / scales[k / C / 128 * BC + k % C / 128]);
        }
        r1_tensor *tensor = r1_model_find(model, e->name);
        for (size_t k = 0; k < R * C; k++)
            tensor->data[k] = load_f8_by_formula(w, scales, C, k / C, k % C);
        entries[kept - 1].dtype = R1_F8_E4M3, entries[kept - 1].data = w;
        entries[kept - 1].bytes = R * C;
        snprintf(names[i], sizeof names[i], "%s_scale_inv", e->name);
        entries[kept++] = (r1_entry){names[i], R1_F32, 2, {BR, BC}, scales, BR * BC * 4};
    }
    CHECK(kept > n + 20);
    r1_shards_desc shards = {.max_bytes = 20000};
    CHECK(r1_tensors_save_folder(ctx, test_path("m"), entries, kept, NULL, 0, &shards) == R1_OK);
    r1_model *loaded = r1_model_load(ctx, test_path("m"));
    if (!loaded) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
    CHECK(r1_model_hash(loaded) == r1_model_hash(model));
    // Scales that are not there, do not fit, or belong to nothing.
    for (size_t i = 0; i < kept; i++) {
        if (!strstr(entries[i].name, "layers.2.self_attn.o_proj.weight_scale_inv")) continue;
        r1_entry scale = entries[i];
        entries[i] = entries[kept - 1];
        CHECK(r1_tensors_save_folder(ctx, test_path("m"), entries, kept - 1, NULL, 0, NULL) ==
              R1_OK);
        load_fails(ctx, "m", R1_ERROR_FORMAT, "o_proj.weight", "_scale_inv");
        entries[i] = scale;
        entries[i].shape[0] += 1, entries[i].bytes += 4 * scale.shape[1];
        entries[i].data = r1i_alloc(ctx, entries[i].bytes);
        CHECK(r1_tensors_save_folder(ctx, test_path("m"), entries, kept, NULL, 0, NULL) == R1_OK);
        load_fails(ctx, "m", R1_ERROR_FORMAT, "o_proj.weight_scale_inv", "128 x 128");
        entries[i] = scale;
        entries[i].name = "model.norm.weight_scale_inv";
        entries[kept] = scale;
        CHECK(r1_tensors_save_folder(ctx, test_path("m"), entries, kept + 1, NULL, 0, NULL) ==
              R1_OK);
        load_fails(ctx, "m", R1_ERROR_FORMAT, "model.norm.weight_scale_inv", "no place");
        break;
    }
    r1_context_free(ctx);
}

// ---- tensors that are missing, too many, or copies ----
static r1_status load_change(r1_context *ctx, const char *folder, const char *drop,
                             const r1_entry *add) {
    r1_tensors *file = r1_tensors_open_folder(ctx, test_path(folder));
    size_t n = r1_tensors_count(file), kept = 0;
    r1_entry *entries = (r1_entry *)calloc(n + 1, sizeof *entries);
    for (size_t i = 0; i < n; i++)
        if (!drop || strcmp(r1_tensors_at(file, i)->name, drop) != 0)
            entries[kept++] = *r1_tensors_at(file, i);
    if (add) entries[kept++] = *add;
    r1_status status =
        r1_tensors_save(ctx, load_path(folder, R1I_ONE_FILE), entries, kept, NULL, 0);
    r1_tensors_close(file);
    free(entries);
    return status;
}
TEST(load_names_tensors_that_have_no_place) {
    static const float numbers[6] = {0};
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_gqa(); // its head is tied
    r1_model *model = model_make(ctx, &config);
    CHECK(r1_model_save(model, test_path("m")) == R1_OK);
    r1_entry extra = {"model.layers.2.mlp.up_proj.weight", R1_F32, 2, {2, 3}, numbers, 24};
    CHECK(load_change(ctx, "m", NULL, &extra) == R1_OK);
    load_fails(ctx, "m", R1_ERROR_FORMAT, extra.name, "F32 [2,3]");
    r1_entry head = {"lm_head.weight", R1_F32, 2, {2, 3}, numbers, 24};
    CHECK(load_change(ctx, "m", extra.name, &head) == R1_OK);
    r1_entry table = {"model.layers.0.self_attn.rotary_emb.inv_freq", R1_F32, 1, {2}, numbers, 8};
    CHECK(load_change(ctx, "m", NULL, &table) == R1_OK);
    r1_model *loaded = r1_model_load(ctx, test_path("m"));
    CHECK(loaded && r1_model_hash(loaded) == r1_model_hash(model));
    r1_entry whole = {"model.norm.weight", R1_I64, 1, {24}, r1_model_head(model)->data, 192};
    CHECK(load_change(ctx, "m", whole.name, &whole) == R1_OK);
    load_fails(ctx, "m", R1_ERROR_FORMAT, whole.name, "I64 [24]");
    whole.dtype = R1_F32, whole.rank = 3, whole.shape[1] = whole.shape[2] = 1, whole.bytes = 96;
    CHECK(load_change(ctx, "m", whole.name, &whole) == R1_OK);
    load_fails(ctx, "m", R1_ERROR_FORMAT, "F32 [24,1,1]", "floats of [24]");
    r1_context_free(ctx);
}
TEST(load_multi_token_prediction_as_published) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = load_mtp();
    r1_model *model = model_make(ctx, &config);
    CHECK(r1_model_save(model, test_path("m")) == R1_OK);
    r1_tensors *file = r1_tensors_open_folder(ctx, test_path("m"));
    static const char *const names[] = {"enorm.weight",
                                        "hnorm.weight",
                                        "eh_proj.weight",
                                        "embed_tokens.weight",
                                        "shared_head.norm.weight",
                                        "shared_head.head.weight",
                                        "input_layernorm.weight",
                                        "mlp.gate.e_score_correction_bias",
                                        "mlp.experts.7.up_proj.weight",
                                        "self_attn.kv_a_proj_with_mqa.weight"};
    char name[128];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "model.layers.3.%s", names[i]);
        if (!r1_tensors_find(file, name)) test_stop(TEST_FAILED, "%s is not there", name);
    }
    const char *copy = "model.layers.3.shared_head.head.weight";
    r1_entry other = *r1_tensors_find(file, copy);
    CHECK(!memcmp(other.data, r1_model_head(model)->data, other.bytes));
    CHECK(load_change(ctx, "m", copy, NULL) == R1_OK); // both copies may be missing
    CHECK(load_change(ctx, "m", "model.layers.3.embed_tokens.weight", NULL) == R1_OK);
    r1_model *loaded = r1_model_load(ctx, test_path("m"));
    CHECK(loaded && r1_model_hash(loaded) == r1_model_hash(model));
    float *data = (float *)malloc(other.bytes); // but one that differs is another model
    memcpy(data, other.data, other.bytes);
    data[17] += 1, other.data = data;
    CHECK(load_change(ctx, "m", NULL, &other) == R1_OK);
    load_fails(ctx, "m", R1_ERROR_FORMAT, copy, "lm_head.weight");
    r1_context_free(ctx);
    free(data);
}

// ---- an index that lies ----
// The shards of a good folder under an index with this text; what the error says, NULL if it loads.
static const char *load_index_says(r1_context *ctx, const char *text, size_t size) {
    static char said[R1I_MESSAGE_BYTES];
    file_put(load_path("x", R1I_INDEX_FILE), text, size);
    r1_tensors *all = r1_tensors_open_folder(ctx, test_path("x"));
    if (all) return r1_tensors_close(all), NULL;
    CHECK(r1_status_of(ctx) == R1_ERROR_FORMAT || r1_status_of(ctx) == R1_ERROR_FILE);
    snprintf(said, sizeof said, "%s", r1_message_of(ctx));
    r1_error_clear(ctx);
    return said;
}
#define LOAD_MAP(map) "{\"metadata\":{\"total_size\":9},\"weight_map\":{" map "}}"
TEST(load_index_refuses_the_list) {
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\""), NULL},
        {LOAD_MAP("\"b\":\"2.safetensors\",\"a\":\"1.safetensors\""), NULL},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"../x/2.safetensors\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"/2.safetensors\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"x/2.safetensors\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"x\\\\2.safetensors\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"c:2.safetensors\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"..\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"\""), "a file of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\\u0000\""), "of this folder"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"3.safetensors\""), "3.safetensors"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"link.safetensors\""), "symbolic link"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":\"1.safetensors\""), "\"b\" is not in it"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\\u0000\":\"2.safetensors\""), "is not in it"},
        {LOAD_MAP("\"a\":\"1.safetensors\""), NULL}, // no other shard is named, so none is opened
        {LOAD_MAP("\"a\":\"12.safetensors\""), "names 1 tensors, but its shards hold 2"},
        {LOAD_MAP("\"a\":\"12.safetensors\",\"b\":\"2.safetensors\""), "two shards have it"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"b\":2"), "\"b\": its shard is no string"},
        {LOAD_MAP("\"a\":\"1.safetensors\",\"a\":\"1.safetensors\""), "key"},
        {"{\"weight_map\":[]}", "weight_map"},
        {"{\"weight_map\":{}}", NULL},
        {"{}", "weight_map"},
        {"[]", "weight_map"},
        {"{\"weight_map\":", "byte 14"},
        {"", "byte 0"},
        {"{\"weight_map\":{\"\xff\":\"1.safetensors\"}}", "UTF-8"},
    };
    r1_context *ctx = r1_context_new(NULL);
    const r1_entry a = {"a", R1_U8, 1, {3}, file_b, 3}, b = {"b", R1_U8, 1, {3}, file_b, 3};
    const r1_entry both[] = {a, b};
    CHECK(r1_folder_make(ctx, test_path("x")) == R1_OK);
    CHECK(r1_tensors_save(ctx, load_path("x", "1.safetensors"), &a, 1, NULL, 0) == R1_OK);
    CHECK(r1_tensors_save(ctx, load_path("x", "2.safetensors"), &b, 1, NULL, 0) == R1_OK);
    CHECK(r1_tensors_save(ctx, load_path("x", "12.safetensors"), both, 2, NULL, 0) == R1_OK);
    CHECK(symlink("2.safetensors", load_path("x", "link.safetensors")) == 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *said = load_index_says(ctx, cases[i].text, strlen(cases[i].text));
        if (cases[i].problem ? !said || !strstr(said, cases[i].problem) : said != NULL)
            test_stop(TEST_FAILED, "%s: %s", cases[i].text, said ? said : "loads");
    }
    // In the cache of a hub every file is a link, the index too.
    file_put(load_path("x", "index"), cases[11].text, strlen(cases[11].text));
    CHECK(remove(load_path("x", R1I_INDEX_FILE)) == 0);
    CHECK(symlink("index", load_path("x", R1I_INDEX_FILE)) == 0);
    r1_tensors *all = r1_tensors_open_folder(ctx, test_path("x"));
    CHECK(all && r1_tensors_count(all) == 2 && r1_tensors_find(all, "b"));
    r1_tensors_close(all);
    size_t now;
    r1_memory_used(ctx, &now, NULL);
    CHECK(now == 0);
    // One file goes before an index; without both, the error names the file.
    CHECK(r1_tensors_save(ctx, load_path("x", R1I_ONE_FILE), &a, 1, NULL, 0) == R1_OK);
    all = r1_tensors_open_folder(ctx, test_path("x"));
    CHECK(r1_tensors_count(all) == 1);
    CHECK(!r1_tensors_open_folder(ctx, test_path("none")));
    CHECK(r1_status_of(ctx) == R1_ERROR_FILE && strstr(r1_message_of(ctx), R1I_ONE_FILE));
    r1_context_free(ctx);
}
// Neither a cut nor a flipped bit of an index, a config or a header does more than an error.
static void load_damage(r1_context *ctx, const char *file, size_t bits) {
    size_t size, loaded = 0;
    char *text = r1_file_read(ctx, load_path("m", file), &size);
    bits = bits && bits < 8 * size ? bits : 8 * size;
    for (size_t cut = 0; cut < size + bits; cut++) {
        size_t bit = cut - size;
        if (cut >= size) text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        file_put(load_path("m", file), text, cut < size ? cut : size);
        r1_model *model = r1_model_load(ctx, test_path("m"));
        CHECK((model != NULL) == (r1_status_of(ctx) == R1_OK));
        loaded += model != NULL;
        r1_model_free(model);
        r1_error_clear(ctx);
        if (cut >= size) text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    printf("%s: %zu of %zu load\n", file, loaded, size + bits);
    file_put(load_path("m", file), text, size);
    r1_file_free(ctx, text);
}
TEST(load_survives_every_cut_and_flip) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = load_tiny();
    r1_model *model = r1_model_new(ctx, &config);
    r1_save_desc desc = {.max_shard_bytes = 400};
    CHECK(model && r1_model_save_with(model, test_path("m"), &desc) == R1_OK);
    load_damage(ctx, R1I_INDEX_FILE, 0);
    load_damage(ctx, "config.json", 0);
    // As another program writes it, without a hash: then the values are all that nobody checks.
    r1_tensors *all = r1_tensors_open_folder(ctx, test_path("m"));
    char header[4000], *file = (char *)calloc(1, 1 << 16);
    size_t at = 0, n = 0;
    for (size_t i = 0; i < r1_tensors_count(all); i++) {
        const r1_entry *e = r1_tensors_at(all, i);
        int rank = e->rank;
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu%s%.0zu],"
                              "\"data_offsets\":[%zu,%zu]}",
                              i ? "," : "{", e->name, e->shape[0], rank > 1 ? "," : "",
                              rank > 1 ? e->shape[1] : 0, at, at + e->bytes);
        at += e->bytes;
    }
    n += (size_t)snprintf(header + n, sizeof header - n, "}");
    CHECK(n < sizeof header);
    for (int i = 0; i < 8; i++) file[i] = (char)(n >> (8 * i));
    memcpy(file + 8, header, n);
    r1_tensors_close(all);
    file_put(load_path("m", R1I_ONE_FILE), file, 8 + n + at);
    r1_model *loaded = r1_model_load(ctx, test_path("m"));
    if (!loaded) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
    load_damage(ctx, R1I_ONE_FILE, 8 * (8 + n + 4));
    r1_context_free(ctx);
    free(file);
}
// A checkpoint has a hash of every byte: whatever is cut or flipped, it is refused, and the run
// that wanted to go on from it has lost nothing.
TEST(load_refuses_every_cut_and_flip_of_a_checkpoint) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = load_tiny();
    config.width = config.vocab = 2, config.dense_width = 1;
    r1_model *model = r1_model_new(ctx, &config);
    r1_trainer *trainer = r1_trainer_new(model, NULL);
    CHECK(trainer && r1_trainer_save(trainer, test_path("run"), "a note") == R1_OK);
    const char *path = load_path("run", "checkpoint-00000000.safetensors");
    size_t size, taken = 0, before, after;
    char *data = r1_file_read(ctx, path, &size), note[8];
    uint64_t hash = r1_model_hash(model);
    r1_memory_used(ctx, &before, NULL);
    for (size_t cut = 0; cut < 9 * size; cut++) {
        size_t bit = cut - size;
        if (cut >= size) data[bit / 8] = (char)(data[bit / 8] ^ (1 << bit % 8));
        file_put(path, data, cut < size ? cut : size);
        taken += r1_trainer_resume(trainer, test_path("run"), note, sizeof note);
        taken += r1_status_of(ctx) != R1_ERROR_FORMAT || !strstr(r1_message_of(ctx), "checkpoint-");
        r1_error_clear(ctx);
        if (cut >= size) data[bit / 8] = (char)(data[bit / 8] ^ (1 << bit % 8));
    }
    r1_memory_used(ctx, &after, NULL);
    CHECK(taken == 0 && after == before && r1_model_hash(model) == hash);
    file_put(path, data, size);
    CHECK(r1_trainer_resume(trainer, test_path("run"), note, sizeof note));
    CHECK_EQUAL_TEXT(note, "a note");
    r1_context_free(ctx);
}

// A whole file, but of other numbers: one array is missing, shorter, longer or of another dtype, or
// the state says less. Nothing of it is taken.
TEST(load_refuses_a_checkpoint_of_other_arrays) {
    static const float numbers[512] = {0};
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = load_tiny();
    config.width = config.vocab = 2, config.dense_width = 1;
    r1_model *model = r1_model_new(ctx, &config);
    r1_trainer *trainer = r1_trainer_new(model, NULL);
    CHECK(trainer && r1_trainer_save(trainer, test_path("run"), NULL) == R1_OK);
    const char *good = load_path("run", "checkpoint-00000000.safetensors");
    const char *bad = load_path("bad", "checkpoint-00000000.safetensors");
    CHECK(r1_folder_make(ctx, test_path("bad")) == R1_OK);
    r1_tensors *file = r1_tensors_open(ctx, good);
    r1_entry entries[16];
    size_t n = r1_tensors_count(file), refused = 0;
    CHECK(n > 6 && n <= 16);
    for (size_t i = 0; i < 4 * n + 3; i++) {
        r1_pair pairs[] = {{"config", r1_tensors_metadata(file, "config").data},
                           {"state", i < 4 * n ? r1_tensors_metadata(file, "state").data : "1 2 3"},
                           {"note", "x"}};
        for (size_t k = 0; k < n; k++) entries[k] = *r1_tensors_at(file, k);
        r1_entry *e = &entries[i % n];
        size_t kind = i / n;
        if (kind == 1 && e->bytes) e->shape[0]--, e->bytes -= 4;
        if (kind == 2) e->shape[0]++, e->bytes += 4, e->data = numbers;
        if (kind == 3) e->dtype = R1_I32;
        if (kind == 0) *e = entries[n - 1];
        CHECK(e->bytes <= sizeof numbers);
        CHECK(r1_tensors_save(ctx, bad, entries, n - (kind == 0), pairs, 3) == R1_OK);
        r1_model_head(model)->data[0] += 1; // so that a taken one would show
        uint64_t hash = r1_model_hash(model);
        bool empty = kind == 1 && r1_tensors_at(file, i % n)->bytes == 0;
        bool taken = r1_trainer_resume(trainer, test_path("bad"), NULL, 0);
        CHECK(taken == empty && (taken || r1_model_hash(model) == hash));
        refused += r1_status_of(ctx) == R1_ERROR_FORMAT;
        r1_error_clear(ctx);
    }
    CHECK(refused > 3 * n && r1_trainer_resume(trainer, test_path("run"), NULL, 0));
    r1_context_free(ctx);
}

// ---- files that come along ----
TEST(load_carries_the_files_of_the_tokenizer) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_gqa();
    r1_model *model = model_make(ctx, &config);
    CHECK(r1_model_save(model, test_path("base")) == R1_OK);
    CHECK(!r1i_file_there(load_path("base", "tokenizer.json")));
    file_put(load_path("base", "tokenizer.json"), "{\"a\":1}\n", 8);
    file_put(load_path("base", "generation_config.json"), "", 0);
    file_put(load_path("base", "notes.txt"), "mine", 4);
    r1_model *loaded = r1_model_load(ctx, test_path("base")), *clone = r1_model_clone(loaded);
    CHECK(r1_model_save(loaded, test_path("out")) == R1_OK);
    CHECK(r1_model_save(clone, test_path("clone")) == R1_OK);
    CHECK(r1_model_save(loaded, test_path("base")) == R1_OK); // over itself
    CHECK(file_holds(ctx, load_path("base", "tokenizer.json"), "{\"a\":1}\n"));
    CHECK(file_holds(ctx, load_path("out", "tokenizer.json"), "{\"a\":1}\n"));
    CHECK(file_holds(ctx, load_path("clone", "tokenizer.json"), "{\"a\":1}\n"));
    CHECK(file_holds(ctx, load_path("out", "generation_config.json"), ""));
    CHECK(!r1i_file_there(load_path("out", "notes.txt")));
    CHECK(!r1i_file_there(load_path("out", "tokenizer_config.json")));
    // A file that has gone meanwhile is an error, but the weights are saved.
    CHECK(remove(load_path("base", "tokenizer.json")) == 0);
    CHECK(r1_model_save(loaded, test_path("late")) == R1_ERROR_FILE);
    CHECK(strstr(r1_message_of(ctx), "tokenizer.json"));
    r1_error_clear(ctx);
    r1_model *late = r1_model_load(ctx, test_path("late"));
    CHECK(late && r1_model_hash(late) == r1_model_hash(model));
    r1_context_free(ctx);
}
static size_t load_steps, load_bytes;
static void load_progress(void *user, const char *name, size_t done, size_t total) {
    CHECK(*(int *)user == 7 && name && done > load_bytes && done <= total);
    load_bytes = done, load_steps++;
}
// Loading holds the weights once: what it needs beyond the model is small.
TEST(load_reports_and_holds_weights_once) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_gqa();
    config.vocab = 4000, config.width = 240, config.head_dim = 40;
    r1_model *model = model_make(ctx, &config);
    int seven = 7;
    r1_save_desc save = {.max_shard_bytes = 1 << 20, .dtype = R1_BF16};
    save.progress = load_progress, save.user = &seven;
    CHECK(r1_model_save_with(model, test_path("m"), &save) == R1_OK && load_steps > 10);
    CHECK(load_bytes == 2 * r1_model_size(model));
    size_t now, peak, alone;
    r1_memory_used(ctx, &now, NULL);
    r1_model_free(model);
    r1_memory_used(ctx, &alone, NULL);
    size_t of_model = now - alone;
    r1_context_free(ctx);
    ctx = model_context(R1_CPU_AUTO, 1);
    r1_load_desc load = {.progress = load_progress, .user = &seven};
    load_steps = load_bytes = 0;
    CHECK(r1_model_load_with(ctx, test_path("m"), &load) && load_steps > 10);
    r1_memory_used(ctx, NULL, &peak);
    printf("model %zu, peak of loading %zu\n", of_model, peak);
    CHECK(peak < of_model + of_model / 10);
    r1_context_free(ctx);
}

// ---- weights that stay in bf16 ----
// A tensor of bf16 values, in f32 or in bf16.
static r1_tensor *bf16_tensor(r1_context *ctx, int rank, const size_t *shape, bool half,
                              uint32_t sample) {
    r1_tensor *x = r1_tensor_new(ctx, rank, shape);
    r1_random at = {.seed = 8, .stream = R1_STREAM_USER, .sample = sample};
    size_t n = r1_tensor_count(x);
    uint16_t *bits = (uint16_t *)r1i_step_alloc(ctx, n, sizeof *bits);
    CHECK(x && bits);
    for (size_t i = 0; i < n; i++) {
        bits[i] = r1_to_bf16(r1_random_normal(&at));
        if (!half) x->data[i] = r1_from_bf16(bits[i]);
    }
    if (half) x->data = NULL, x->bf16 = bits;
    return x;
}
// y and dx of every op that takes a weight, over this weight; hashes into `hash`.
static uint64_t bf16_ops(r1_cpu_level level, int threads, size_t T, size_t I, size_t O, bool half) {
    r1_context *ctx = model_context(level, threads);
    uint64_t hash = 0;
    size_t H = 3, N = T * H * I, E = 4;
    int32_t *ids = (int32_t *)malloc(T * sizeof *ids);
    for (size_t t = 0; t < T; t++) ids[t] = (int32_t)(t * 7 % O);
    for (int op = 0; op < 6; op++) {
        r1_step_begin(ctx);
        r1_tensor *x = bf16_tensor(ctx, 3, (size_t[]){T, H, I}, false, 1), *y = NULL;
        for (size_t i = 0; i < N; i++) x->data[i] *= 1.00390625f; // no bf16 numbers
        x->wants_grad = true;
        r1_tensor *w = bf16_tensor(ctx, 2, (size_t[]){O, I}, half, 2);
        r1_tensor *flat = r1_tensor_reshape(ctx, x, 2, (size_t[]){T * H, I});
        if (op == 0) y = r1_embed(ctx, w, ids, T);
        if (op == 1) y = r1_matmul(ctx, x, w, NULL);
        if (op == 2 || op == 3) {
            bool up = op == 3;
            size_t shape[] = {H, up ? I + 2 : O + 2, up ? O : I};
            w = bf16_tensor(ctx, 3, shape, half, 3);
            y = r1_head_matmul(ctx, x, w, 1, up ? I : O, up);
        }
        if (op == 4) {
            r1_route_desc desc = {.chosen = 1};
            r1_tensor *logits = bf16_tensor(ctx, 2, (size_t[]){T * H, E}, false, 4);
            r1_routing *routing = r1_route(ctx, logits, NULL, &desc, NULL);
            w = bf16_tensor(ctx, 3, (size_t[]){E, O, I}, half, 5);
            y = r1_expert_matmul(ctx, r1_dispatch(ctx, flat, routing), w, routing);
        }
        if (op == 5) {
            r1_tensor *rows =
                r1_tensor_reshape(ctx, r1_columns(ctx, x, 0, I), 2, (size_t[]){T * H, I});
            int32_t *targets = (int32_t *)r1i_step_alloc(ctx, T * H, sizeof *targets);
            for (size_t t = 0; t < T * H; t++) targets[t] = ids[t % T];
            r1_logprobs *out = r1_logprob(ctx, rows, w, targets, 0.7);
            y = out ? out->logp : NULL;
            if (out) hash = r1i_hash(hash, out->entropy->data, T * H * sizeof(float));
        }
        if (!y) test_stop(TEST_FAILED, "op %d: %s", op, r1_message_of(ctx));
        CHECK(!w->data == half && r1_tensor_check(w) == r1_tensor_count(w));
        hash = r1i_hash(hash, y->data, r1_tensor_count(y) * sizeof(float));
        if (op) r1_backward(ctx, r1_sum(ctx, y));
        if (op) hash = r1i_hash(hash, x->grad, N * sizeof(float));
        CHECK(op == 0 || (x->grad && !w->grad));
        r1_step_end(ctx);
    }
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_context_free(ctx);
    free(ids);
    return hash;
}
TEST(load_bf16_weights_give_the_bits_of_floats) {
    static const size_t sizes[][3] = {{1, 1, 1},     {1, 16, 16},   {1, 33, 65},
                                      {2, 15, 31},   {5, 64, 48},   {11, 7, 3},
                                      {23, 129, 70}, {33, 260, 17}, {9, 20, 300}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t T = sizes[s][0], I = sizes[s][1], O = sizes[s][2];
        uint64_t wanted = bf16_ops(R1_CPU_SCALAR, 1, T, I, O, false);
        for (int level = R1_CPU_AUTO; level < R1_CPU_LEVEL_COUNT; level++) {
            if (!r1i_rows_of(level)) continue;
            CHECK(bf16_ops((r1_cpu_level)level, 1 + level % 3, T, I, O, true) == wanted);
        }
    }
}
TEST(load_bf16_refuses_ops_without_a_kernel) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_tensor *w = bf16_tensor(ctx, 2, (size_t[]){4, 4}, true, 0);
    r1_tensor *x = bf16_tensor(ctx, 2, (size_t[]){4, 4}, false, 0);
    for (int i = 0; i < 5; i++) {
        r1_tensor *y = i == 0   ? r1_add(ctx, x, w)
                       : i == 1 ? r1_matmul(ctx, w, x, NULL)
                       : i == 2 ? r1_swiglu(ctx, w, x)
                       : i == 3 ? r1_sum(ctx, r1_tensor_reshape(ctx, w, 1, (size_t[]){16}))
                                : r1_columns(ctx, w, 0, 2);
        CHECK(!y && r1_status_of(ctx) == R1_ERROR_BACKEND);
        CHECK(strstr(r1_message_of(ctx), "is stored in bf16"));
        r1_error_clear(ctx);
    }
    w->bf16[9] = 0x7f80;
    CHECK_EQUAL_SIZE(r1_tensor_check(w), 9);
    r1_context_free(ctx);
}

// The kinds of models, with their matrices in bf16 on the disk.
static r1_model_config bf16_kind(int k) {
    r1_model_config config = model_kind(k < 14 ? k : 3);
    if (k == 14) config.mtp_layers = 2;
    return config;
}
static void bf16_draw(r1_model *model, r1_rollout *rollout, size_t batch, size_t speculate) {
    const r1_prompt prompts[] = {{model_tokens(), 3, 4}, {model_tokens() + 5, 6, 9}};
    r1_generate_desc desc = {.max_new = 9, .batch = batch, .speculate = speculate};
    if (r1_generate(model, rollout, prompts, 2, 3, &desc) != R1_OK)
        test_stop(TEST_FAILED, "%s", r1_message_of(r1_model_context(model)));
}
// Sampler, scorer and training forward agree on bf16 weights bit for bit, and with f32 weights of
// the same values.
TEST(load_bf16_models_have_one_arithmetic) {
    for (int k = 0; k < 15; k++) {
        r1_context *ctx = model_context(R1_CPU_AUTO, 2);
        r1_model_config config = bf16_kind(k);
        r1_save_desc save = {.dtype = R1_BF16, .max_shard_bytes = 3000};
        r1_load_desc keep = {.keep_bf16 = true};
        CHECK(r1_model_save_with(model_make(ctx, &config), test_path("m"), &save) == R1_OK);
        r1_model *wide = r1_model_load(ctx, test_path("m"));
        r1_model *half = r1_model_load_with(ctx, test_path("m"), &keep);
        if (!half) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
        CHECK(half->n_bf16 && !wide->n_bf16 && r1_model_size(wide) == r1_model_size(half));
        r1_model_plan plan;
        size_t kept = half->n_bf16 * sizeof *half->bf16;
        for (int r = 0; r < 3; r++) kept += half->ranges[r].n * sizeof(r1i_real);
        CHECK(r1_model_plan_of(ctx, &config, &plan) == R1_OK && plan.kept_weight_bytes == kept);
        r1_rollout *a = r1_rollout_new(ctx), *b = r1_rollout_new(ctx);
        bf16_draw(wide, a, 0, 0), bf16_draw(half, b, 2, 0);
        for (int turn = 0; turn < (k == 14 ? 3 : 1); turn++) {
            if (turn) bf16_draw(half, b, 0, (size_t)turn);
            CHECK(a->n == 6 && b->n == 6);
            for (size_t i = 0; i < a->n; i++) {
                const r1_sample *x = &a->samples[i], *y = &b->samples[i];
                float score[64];
                r1_batch batch = {.tokens = y->tokens, .starts = (size_t[]){0, y->n}, .B = 1};
                CHECK(x->n == y->n && !memcmp(x->tokens, y->tokens, x->n * sizeof *x->tokens));
                CHECK(!memcmp(x->logp, y->logp, x->n * sizeof *x->logp));
                CHECK(!memcmp(x->entropy, y->entropy, x->n * sizeof *x->entropy));
                CHECK(r1_model_score(half, &batch, 1, 0, score, NULL) == R1_OK);
                size_t at = y->n_prompt, n = (y->n - at) * sizeof *score;
                CHECK(n && !memcmp(score + at, y->logp + at, n));
                // The forward of a training step leaves records, for gains want gradients.
                r1_step_begin(ctx);
                int32_t targets[64];
                for (size_t t = 0; t < y->n; t++) targets[t] = y->tokens[t + 1 < y->n ? t + 1 : t];
                r1_logprobs *out = r1_logprob(ctx, r1_model_forward(half, &batch),
                                              r1_model_head(half), targets, 1);
                CHECK(out && out->logp->wants_grad);
                CHECK(!memcmp(out->logp->data + at - 1, y->logp + at, n));
                r1_step_end(ctx);
            }
        }
        CHECK(r1_model_train_ready(half) == R1_ERROR_ARGUMENT);
        CHECK(strstr(r1_message_of(ctx), "keep_bf16"));
        r1_error_clear(ctx);
        CHECK(r1_model_copy(half, wide) == R1_ERROR_SHAPE);
        r1_error_clear(ctx);
        r1_model *clone = r1_model_clone(half);
        CHECK(r1_model_hash(clone) == r1_model_hash(half));
        CHECK(r1_model_copy(clone, half) == R1_OK);
        CHECK(r1_model_save_with(clone, test_path("n"), &save) == R1_OK);
        CHECK(load_same_folders(ctx, "m", "n"));
        r1_context_free(ctx);
    }
}
TEST(load_bf16_takes_half_of_the_memory) {
    r1_context *ctx = model_context(R1_CPU_AUTO, 1);
    r1_model_config config = model_mla();
    config.expert_width = 300, config.width = 64;
    r1_save_desc save = {.dtype = R1_BF16};
    r1_load_desc keep = {.keep_bf16 = true};
    r1_model *model = model_make(ctx, &config);
    CHECK(r1_model_save_with(model, test_path("m"), &save) == R1_OK);
    size_t start, one, two;
    r1_memory_used(ctx, &start, NULL);
    r1_model_load(ctx, test_path("m"));
    r1_memory_used(ctx, &one, NULL);
    r1_model *half = r1_model_load_with(ctx, test_path("m"), &keep);
    r1_memory_used(ctx, &two, NULL);
    printf("f32 %zu, bf16 %zu bytes\n", one - start, two - one);
    CHECK((two - one) * 10 < (one - start) * 6);
    // As in memory: the gains are floats there, and are so in the file.
    CHECK(r1_model_save(half, test_path("n")) == R1_OK);
    r1_tensors *file = r1_tensors_open_folder(ctx, test_path("n"));
    CHECK(r1_tensors_find(file, "lm_head.weight")->dtype == R1_BF16);
    CHECK(r1_tensors_find(file, "model.norm.weight")->dtype == R1_F32);
    r1_model *again = r1_model_load_with(ctx, test_path("n"), &keep);
    CHECK(r1_model_hash(again) == r1_model_hash(half));
    r1_tensor *expert = r1_model_find(half, "model.layers.1.mlp.experts.3.up_proj.weight");
    r1_tensor *stack = r1_model_find(half, "model.layers.1.mlp.experts.up_proj.weight");
    CHECK(!expert->data && expert->bf16 == stack->bf16 + 3 * 300 * 64 && !expert->wants_grad);
    r1_context_free(ctx);
}

// A model that transformers wrote in bf16, kept in bf16 and widened: one arithmetic, and greedy ids
// that stay as they are.
TEST(load_tiny_llama) {
    static const char *const files[][2] = {{"tiny_llama_bf16.config.json", "config.json"},
                                           {"tiny_llama_bf16.safetensors", R1I_ONE_FILE}};
    static const int32_t prompt[] = {1, 4, 5, 6, 7},
                         wanted[] = {9, 8, 8, 8,  8,  8,  8,  8,  8,  8,  8,  8,
                                     8, 8, 6, 15, 15, 15, 15, 15, 15, 15, 15, 15};
    // As transformers 5.23 computes them in float from the same file.
    static const float log_probs[] = {-2.469889f, -2.476051f, -2.477207f, -2.466583f, -2.463603f,
                                      -2.466060f, -2.471837f, -2.479384f, -2.488050f, -2.497593f,
                                      -2.507632f, -2.517586f, -2.527017f, -2.535964f, -2.537973f,
                                      -2.538269f, -2.371973f, -2.374889f, -2.378165f, -2.381585f,
                                      -2.385263f, -2.389139f, -2.392946f, -2.396540f};
    r1_context *ctx = model_context(R1_CPU_AUTO, 2);
    CHECK(r1_folder_make(ctx, test_path("llama")) == R1_OK);
    for (int i = 0; i < 2; i++) {
        size_t size;
        char *text = r1_file_read(ctx, test_data(files[i][0]), &size);
        CHECK(text);
        file_put(load_path("llama", files[i][1]), text, size);
        r1_file_free(ctx, text);
    }
    r1_load_desc keep = {.keep_bf16 = true};
    r1_model *wide = r1_model_load(ctx, test_path("llama"));
    r1_model *half = r1_model_load_with(ctx, test_path("llama"), &keep);
    if (!half) test_stop(TEST_FAILED, "%s", r1_message_of(ctx));
    const r1_prompt prompts[] = {{prompt, 5, 0}};
    r1_generate_desc desc = {.sampler = {.greedy = true}, .max_new = 24};
    float logp[2][64];
    for (int i = 0; i < 2; i++) {
        r1_model *model = i ? half : wide;
        r1_rollout *rollout = r1_rollout_new(ctx);
        CHECK(r1_generate(model, rollout, prompts, 1, 1, &desc) == R1_OK);
        const r1_sample *s = &rollout->samples[0];
        r1_batch batch = {.tokens = s->tokens, .starts = (size_t[]){0, s->n}, .B = 1};
        for (size_t t = 5; t < s->n; t++) printf("%d, ", (int)s->tokens[t]);
        CHECK_EQUAL_SIZE(s->n, 5 + sizeof wanted / sizeof *wanted);
        CHECK(!memcmp(s->tokens + 5, wanted, sizeof wanted));
        CHECK(r1_model_score(model, &batch, 1, 0, logp[i], NULL) == R1_OK);
        CHECK(!memcmp(logp[i] + 5, s->logp + 5, (s->n - 5) * sizeof(float)));
        for (size_t t = 5; t < s->n; t++) CHECK_NEAR(logp[i][t], log_probs[t - 5], 1e-4);
    }
    CHECK(!memcmp(logp[0] + 5, logp[1] + 5, 24 * sizeof(float)));
    r1_context_free(ctx);
}
