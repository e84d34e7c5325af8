// golden.h - reads the files of tests/golden, which lie beside the sources: tests run from the root
// of the repository. Needs r1.h with its implementation and test.h.
#ifndef R1_GOLDEN_H
#define R1_GOLDEN_H

// Memory that lives as long as the test's process. The list keeps it reachable, for leak checkers.
static void *golden_memory(size_t bytes) {
    static void **list;
    void **memory = (void **)calloc(1, sizeof *memory + bytes);
    CHECK(memory);
    *memory = list;
    list = memory;
    return memory + 1;
}
static r1_tensors *golden_open(r1_context *ctx, const char *name) {
    char path[200];
    snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
    r1_tensors *file = r1_tensors_open(ctx, path);
    if (!file) test_stop(TEST_FAILED, "%s: %s", path, r1_message_of(ctx));
    return file;
}
static const r1_entry *golden_entry(const r1_tensors *file, const char *name, size_t *n) {
    const r1_entry *entry = r1_tensors_find(file, name);
    if (!entry) test_stop(TEST_FAILED, "golden file: no tensor %s", name);
    *n = entry->bytes / r1_dtype_bytes(entry->dtype);
    return entry;
}
// A copy, because stored numbers may be unaligned.
static float *golden_floats(const r1_tensors *file, const char *name, size_t *n) {
    size_t count;
    const r1_entry *entry = golden_entry(file, name, &count);
    float *copy = (float *)golden_memory(entry->bytes);
    CHECK(entry->dtype == R1_F32);
    memcpy(copy, entry->data, entry->bytes);
    if (n) *n = count;
    return copy;
}
static int32_t *golden_ints(const r1_tensors *file, const char *name, size_t *n) {
    size_t count;
    const r1_entry *entry = golden_entry(file, name, &count);
    int32_t *copy = (int32_t *)golden_memory(entry->bytes);
    CHECK(entry->dtype == R1_I32);
    memcpy(copy, entry->data, entry->bytes);
    if (n) *n = count;
    return copy;
}
static size_t *golden_starts(const r1_tensors *file, const char *name, size_t *B) {
    size_t n;
    int32_t *ints = golden_ints(file, name, &n);
    size_t *starts = (size_t *)golden_memory(n * sizeof *starts);
    for (size_t i = 0; i < n; i++) starts[i] = (size_t)ints[i];
    *B = n - 1;
    return starts;
}
// A parameter with the shape and the numbers of a stored tensor.
static r1_tensor *golden_parameter(r1_context *ctx, const r1_tensors *file, const char *name) {
    size_t n;
    const r1_entry *entry = golden_entry(file, name, &n);
    r1_tensor *x = r1_tensor_parameter(ctx, entry->rank, entry->shape);
    CHECK(x && entry->dtype == R1_F32 && r1_tensor_count(x) == n);
    memcpy(x->data, entry->data, entry->bytes);
    return x;
}
// max |a - b| / max |b| within `limit`; where b is all zero, so must a be.
static void golden_close(const char *what, const float *a, const float *b, size_t n, double limit) {
    double most = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        most = fmax(most, fabs((double)b[i]));
        if (!(d <= off)) off = d; // NaN is taken, too
    }
    printf("%-60s %.2g\n", what, most > 0 ? off / most : off);
    if (!(off <= limit * most))
        test_stop(TEST_FAILED, "%s: off by %g of %g, limit %g", what, off, most, limit);
}
#endif // R1_GOLDEN_H
