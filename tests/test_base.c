// Tests of the rooms [base], [random], [thread] and [group].

// A counting allocator that can be told to fail at its n-th call.
typedef struct counting_allocator {
    size_t calls, fail_at, live;
} counting_allocator;

static void *counting_alloc(void *user, size_t bytes, size_t align) {
    counting_allocator *counter = (counting_allocator *)user;
    if (++counter->calls == counter->fail_at) return NULL;
    counter->live += bytes;
    return r1i_libc_alloc(NULL, bytes, align);
}
static void counting_free(void *user, void *memory, size_t bytes) {
    ((counting_allocator *)user)->live -= bytes;
    r1i_libc_free(NULL, memory, bytes);
}
static r1_context_desc counting_desc(counting_allocator *counter) {
    return (r1_context_desc){.threads = 1, .allocator = {counting_alloc, counting_free, counter}};
}

TEST(base_status_names_and_texts) {
    for (int s = 0; s < R1_STATUS_COUNT; s++) {
        CHECK(strncmp(r1_status_name((r1_status)s), "R1_", 3) == 0);
        CHECK(*r1_status_text((r1_status)s));
    }
    CHECK_EQUAL_TEXT(r1_status_name(R1_ERROR_SHAPE), "R1_ERROR_SHAPE");
    CHECK_EQUAL_TEXT(r1_status_name((r1_status)9999), "R1_STATUS_UNKNOWN");
    CHECK_EQUAL_TEXT(r1_status_name((r1_status)-1), "R1_STATUS_UNKNOWN");
    CHECK(*r1_status_text((r1_status)9999));
}

TEST(base_null_context_is_out_of_memory) {
    CHECK(r1_status_of(NULL) == R1_ERROR_MEMORY);
    CHECK(*r1_message_of(NULL));
    r1_error_clear(NULL);
    r1_context_free(NULL);
    size_t now = 1, peak = 1;
    r1_memory_used(NULL, &now, &peak);
    CHECK(now == 0 && peak == 0);
    r1_memory_used(NULL, NULL, NULL);
}

static void count_error(r1_status status, const char *message, void *user) {
    (void)status, (void)message;
    ++*(int *)user;
}
TEST(base_first_error_wins) {
    int calls = 0;
    r1_context *ctx = r1_context_new(&(r1_context_desc){.on_error = count_error, .user = &calls});
    CHECK(r1_status_of(ctx) == R1_OK);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    CHECK(r1i_fail(ctx, R1_ERROR_SHAPE, "first %d", 1) == R1_ERROR_SHAPE);
    r1i_fail(ctx, R1_ERROR_FILE, "second");
    CHECK(r1_status_of(ctx) == R1_ERROR_SHAPE);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "first 1");
    CHECK(calls == 1);
    CHECK(!r1i_alloc(ctx, 16));
    r1_error_clear(ctx);
    CHECK(r1_status_of(ctx) == R1_OK);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    CHECK(r1i_alloc(ctx, 16));
    r1_context_free(ctx);
}

TEST(base_long_messages_are_cut) {
    r1_context *ctx = r1_context_new(NULL);
    r1i_fail(ctx, R1_ERROR_FILE, "%01000d", 7);
    CHECK_EQUAL_SIZE(strlen(r1_message_of(ctx)), R1I_MESSAGE_BYTES - 1);
    r1_context_free(ctx);
}

TEST(base_sizes_saturate) {
    CHECK_EQUAL_SIZE(r1i_size_mul(6, 7), 42);
    CHECK_EQUAL_SIZE(r1i_size_mul(0, SIZE_MAX), 0);
    CHECK_EQUAL_SIZE(r1i_size_mul(SIZE_MAX / 2 + 1, 2), SIZE_MAX);
    CHECK_EQUAL_SIZE(r1i_size_mul(SIZE_MAX, SIZE_MAX), SIZE_MAX);
    CHECK_EQUAL_SIZE(r1i_size_add(40, 2), 42);
    CHECK_EQUAL_SIZE(r1i_size_add(SIZE_MAX, 1), SIZE_MAX);
    CHECK_EQUAL_SIZE(r1i_round_up(0, 64), 0);
    CHECK_EQUAL_SIZE(r1i_round_up(65, 64), 128);
    CHECK_EQUAL_SIZE(r1i_round_up(SIZE_MAX - 3, 64), SIZE_MAX);
    CHECK_EQUAL_SIZE(r1i_ceil_div(9, 4), 3);
    CHECK_EQUAL_SIZE(r1i_ceil_div(SIZE_MAX, 1), SIZE_MAX);
}

TEST(base_memory_is_counted_and_returned) {
    counting_allocator counter = {0};
    r1_context_desc desc = counting_desc(&counter);
    r1_context *ctx = r1_context_new(&desc);
    size_t start, now, peak;
    r1_memory_used(ctx, &start, NULL);
    unsigned char *a = (unsigned char *)r1i_alloc(ctx, 1000);
    CHECK(a && (uintptr_t)a % R1I_ALIGN == 0);
    for (int i = 0; i < 1000; i++) CHECK(a[i] == 0);
    void *b = r1i_alloc(ctx, 1);
    r1_memory_used(ctx, &now, &peak);
    CHECK(now >= start + 1001 && peak >= now);
    r1i_free(ctx, a);
    r1i_free(ctx, b);
    r1i_free(ctx, NULL);
    r1_memory_used(ctx, &now, &peak);
    CHECK(now == start && peak >= start + 1001);
    r1i_copy_text(ctx, "left to the context", 19);
    r1_context_free(ctx);
    CHECK_EQUAL_SIZE(counter.live, 0);
}

TEST(base_no_memory_is_a_sticky_error) {
    counting_allocator counter = {.fail_at = 1};
    r1_context_desc desc = counting_desc(&counter);
    CHECK(!r1_context_new(&desc));
    counter = (counting_allocator){0};
    r1_context *ctx = r1_context_new(&desc);
    CHECK(r1_status_of(ctx) == R1_OK);
    counter.fail_at = counter.calls + 1;
    CHECK(!r1i_alloc(ctx, 64));
    CHECK(r1_status_of(ctx) == R1_ERROR_MEMORY);
    r1_error_clear(ctx);
    CHECK(!r1i_alloc_array(ctx, SIZE_MAX / 2, 16));
    CHECK(r1_status_of(ctx) == R1_ERROR_MEMORY);
    r1_context_free(ctx);
    CHECK_EQUAL_SIZE(counter.live, 0);
}

TEST(base_grow_keeps_content) {
    r1_context *ctx = r1_context_new(NULL);
    int *array = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        void *memory = array;
        CHECK(r1i_grow(ctx, &memory, &capacity, (size_t)i + 1, sizeof *array));
        array = (int *)memory;
        array[i] = i;
    }
    for (int i = 0; i < 1000; i++) CHECK(array[i] == i);
    r1_context_free(ctx);
}

TEST(base_arena_marks_and_melts) {
    counting_allocator counter = {0};
    r1_context_desc desc = counting_desc(&counter);
    r1_context *ctx = r1_context_new(&desc);
    r1i_arena arena = {0};
    r1i_mark empty = r1i_arena_mark(&arena);
    for (int round = 0; round < 3; round++) {
        size_t calls = counter.calls;
        char *first = (char *)r1i_arena_alloc(ctx, &arena, 10);
        CHECK((uintptr_t)first % R1I_ALIGN == 0);
        r1i_mark mark = r1i_arena_mark(&arena);
        char *second = (char *)r1i_arena_alloc(ctx, &arena, 100);
        CHECK(second >= first + 10);
        r1i_arena_release(ctx, &arena, mark, false);
        CHECK(r1i_arena_alloc(ctx, &arena, 100) == second);
        for (int i = 0; i < 10; i++) memset(r1i_arena_alloc(ctx, &arena, 50000), i, 50000);
        CHECK(r1i_arena_used(&arena) >= 500000);
        r1i_arena_release(ctx, &arena, empty, true);
        CHECK_EQUAL_SIZE(r1i_arena_used(&arena), 0);
        CHECK(arena.chunk && !arena.chunk->next);
        CHECK(round == 0 || counter.calls == calls); // the steady state allocates nothing
    }
    CHECK(arena.peak_bytes >= 500000);
    r1i_arena_free(ctx, &arena);
    r1_context_free(ctx);
    CHECK_EQUAL_SIZE(counter.live, 0);
}

TEST(base_hash_sees_every_byte) {
    unsigned char data[37] = {0};
    uint64_t zero = r1i_hash(0, data, sizeof data);
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = 1;
        CHECK(r1i_hash(0, data, sizeof data) != zero);
        data[i] = 0;
    }
    CHECK(r1i_hash(0, data, 36) != zero);
}

TEST(context_refuses_bad_fields) {
    r1_context_desc bad[] = {{.threads = -1}, {.threads = 100000}, {.cpu_level = (r1_cpu_level)99}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r1_context *ctx = r1_context_new(&bad[i]);
        CHECK(r1_status_of(ctx) == R1_ERROR_ARGUMENT);
        CHECK(*r1_message_of(ctx));
        r1_context_free(ctx);
    }
    r1_context *ctx = r1_context_new(&(r1_context_desc){.seed = 7, .threads = 3});
    CHECK(r1_seed_of(ctx) == 7 && r1_thread_count(ctx) == 3);
    r1_context_free(ctx);
}

// The published known answers of Philox4x32-10.
TEST(random_philox_known_answers) {
    static const struct {
        uint64_t seed;
        uint32_t counter[4], expected[4];
    } cases[] = {
        {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX,
         {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822u,
         {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t out[4];
        r1_random_block(cases[i].seed, cases[i].counter, out);
        for (int k = 0; k < 4; k++) CHECK(out[k] == cases[i].expected[k]);
    }
}

TEST(random_depends_on_every_coordinate) {
    r1_random base = {.seed = 5, .stream = 3, .step = 2, .sample = 1}, other[5];
    for (int i = 0; i < 5; i++) other[i] = base;
    other[0].seed++, other[1].stream++, other[2].step++, other[3].sample++, other[4].token++;
    uint32_t first = r1_random_u32(&(r1_random){5, 3, 2, 1, 0});
    CHECK(r1_random_u32(&base) == first && base.token == 1);
    for (int i = 0; i < 5; i++) CHECK(r1_random_u32(&other[i]) != first);
}

TEST(random_ranges_and_moments) {
    r1_random at = {.seed = 11, .stream = R1_STREAM_USER};
    double sum = 0, square = 0, unit = 0;
    int counts[7] = {0}, n = 70000;
    for (int i = 0; i < n; i++) {
        float u = r1_random_unit(&at);
        CHECK(u > 0 && u < 1);
        unit += u;
        uint32_t k = r1_random_below(&at, 7);
        CHECK(k < 7);
        counts[k]++;
        float x = r1_random_normal(&at);
        CHECK(isfinite(x));
        sum += x, square += (double)x * x;
    }
    CHECK_NEAR(unit / n, 0.5, 0.005);
    CHECK_NEAR(sum / n, 0, 0.02);
    CHECK_NEAR(square / n, 1, 0.03);
    for (int k = 0; k < 7; k++) CHECK_NEAR(counts[k], n / 7.0, 450);
    CHECK(r1_random_below(&at, 0) == 0 && r1_random_below(&at, 1) == 0);
    CHECK(r1i_unit(0) > 0 && r1i_unit(UINT32_MAX) < 1);
}

typedef struct cover_job {
    r1_context *ctx;
    unsigned char *seen;
    size_t n;
} cover_job;
static void cover_inner(void *arg, size_t begin, size_t end, int worker) {
    (void)worker;
    for (size_t i = begin; i < end; i++) ((unsigned char *)arg)[i]++;
}
static void cover_outer(void *arg, size_t begin, size_t end, int worker) {
    cover_job *job = (cover_job *)arg;
    if (worker < 0 || worker >= r1_thread_count(job->ctx) || end > job->n) abort();
    cover_inner(job->seen, begin, end, worker);
}
TEST(thread_every_index_runs_once) {
    static const int threads[] = {1, 2, 3, 8};
    static const size_t sizes[] = {0, 1, 2, 7, 64, 1000}, grains[] = {0, 1, 3, 64, 5000};
    static unsigned char seen[1000];
    for (int t = 0; t < 4; t++) {
        r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = threads[t]});
        CHECK(r1_thread_count(ctx) == threads[t]);
        for (int s = 0; s < 6; s++)
            for (int g = 0; g < 5; g++) {
                cover_job job = {.ctx = ctx, .seen = seen, .n = sizes[s]};
                memset(seen, 0, sizeof seen);
                r1_parallel_for(ctx, sizes[s], grains[g], cover_outer, &job);
                for (size_t i = 0; i < sizeof seen; i++) CHECK(seen[i] == (i < sizes[s]));
            }
        CHECK(r1_status_of(ctx) == R1_OK);
        r1_context_free(ctx);
    }
    memset(seen, 0, sizeof seen);
    r1_parallel_for(NULL, 10, 1, cover_inner, seen);
    for (size_t i = 0; i < 10; i++) CHECK(seen[i] == 1);
}

TEST(thread_many_short_jobs) {
    unsigned char seen[16] = {0};
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 4});
    for (int round = 0; round < 2000; round++) {
        cover_job job = {.ctx = ctx, .seen = seen, .n = sizeof seen};
        r1_parallel_for(ctx, sizeof seen, 1, cover_outer, &job);
    }
    for (size_t i = 0; i < sizeof seen; i++) CHECK(seen[i] == (unsigned char)2000);
    r1_context_free(ctx);
}

enum { RANK_VALUES = 24 }; // divisible by every size below
static r1_status rank_collectives(r1_group *group, void *arg) {
    int n = group->size, rank = group->rank, total = n * (n + 1) / 2;
    float values[RANK_VALUES], part[RANK_VALUES];
    int32_t all[8], out[8], in[8];
    (void)arg;
    for (int i = 0; i < RANK_VALUES; i++) values[i] = (float)((rank + 1) * (i + 1));
    size_t each = RANK_VALUES / (size_t)n;
    if (group->reduce_scatter(group, values, part, each) != R1_OK) return R1_ERROR_NUMBER;
    for (size_t i = 0; i < each; i++)
        if (part[i] != (float)total * (float)((size_t)rank * each + i + 1)) return R1_ERROR_NUMBER;
    if (group->all_reduce(group, values, RANK_VALUES) != R1_OK) return R1_ERROR_NUMBER;
    for (int i = 0; i < RANK_VALUES; i++)
        if (values[i] != (float)(total * (i + 1))) return R1_ERROR_NUMBER;
    int32_t mine = 100 + rank;
    if (group->all_gather(group, &mine, all, sizeof mine) != R1_OK) return R1_ERROR_NUMBER;
    for (int r = 0; r < n; r++)
        if (all[r] != 100 + r) return R1_ERROR_NUMBER;
    for (int r = 0; r < n; r++) out[r] = 10 * rank + r;
    if (group->all_to_all(group, out, in, sizeof *out) != R1_OK) return R1_ERROR_NUMBER;
    for (int r = 0; r < n; r++)
        if (in[r] != 10 * r + rank) return R1_ERROR_NUMBER;
    for (int root = 0; root < n; root++) {
        int32_t word = rank == root ? 7 + root : -1;
        if (group->broadcast(group, &word, sizeof word, root) != R1_OK) return R1_ERROR_NUMBER;
        if (word != 7 + root) return R1_ERROR_NUMBER;
    }
    return group->barrier(group);
}
TEST(group_collectives) {
    static const int sizes[] = {1, 2, 3, 4, 8};
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < 5; i++)
            CHECK(r1_group_threads(sizes[i], rank_collectives, NULL) == R1_OK);
    r1_group self = r1_group_self();
    CHECK(self.rank == 0 && self.size == 1);
    CHECK(rank_collectives(&self, NULL) == R1_OK);
}

// Sums whose result depends on the order must still be the same bits on every rank and in each run.
static r1_status rank_sum_bits(r1_group *group, void *arg) {
    float *results = (float *)arg;
    float value = group->rank % 2 ? 1.0e8f + (float)group->rank : -1.0e8f + 0.3f;
    r1_status status = group->all_reduce(group, &value, 1);
    results[group->rank] = value;
    return status;
}
TEST(group_sums_do_not_depend_on_arrival) {
    float expected = 0;
    for (int round = 0; round < 50; round++) {
        float results[8];
        CHECK(r1_group_threads(8, rank_sum_bits, results) == R1_OK);
        if (round == 0) expected = results[0];
        for (int r = 0; r < 8; r++) CHECK(memcmp(&results[r], &expected, sizeof expected) == 0);
    }
}

static r1_status rank_one_fails(r1_group *group, void *arg) {
    int *failed = (int *)arg;
    float value = 1;
    r1_status status = group->barrier(group); // fails already when the failing rank is quick
    if (group->rank == group->size - 1) return R1_ERROR_FILE;
    if (status == R1_OK) status = group->all_reduce(group, &value, 1);
    failed[group->rank] = status == R1_ERROR_GROUP && group->barrier(group) == R1_ERROR_GROUP;
    return status;
}
static r1_status rank_one_aborts(r1_group *group, void *arg) {
    (void)arg;
    if (group->rank == 1) group->abort(group);
    while (group->barrier(group) == R1_OK) {
    }
    return R1_ERROR_GROUP;
}
TEST(group_failure_releases_all_ranks) {
    for (int size = 2; size <= 8; size++) {
        int failed[8] = {0};
        CHECK(r1_group_threads(size, rank_one_fails, failed) == R1_ERROR_FILE);
        for (int r = 0; r < size - 1; r++) CHECK(failed[r]);
        CHECK(r1_group_threads(size, rank_one_aborts, NULL) == R1_ERROR_GROUP);
    }
    CHECK(r1_group_threads(0, rank_one_fails, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_group_threads(65, rank_one_fails, NULL) == R1_ERROR_ARGUMENT);
    CHECK(r1_group_threads(1, NULL, NULL) == R1_ERROR_ARGUMENT);
}
