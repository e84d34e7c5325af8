// Fuzzes the reader of safetensors files.
#define _POSIX_C_SOURCE 200809L // fileno, ftruncate
#include "fuzz.h"
#include <unistd.h>

// Eight bytes of header length, the header, the data.
fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT("\x40\0\0\0\0\0\0\0"
              "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}        "
              "12345678"),
    FUZZ_TEXT("\xa0\0\0\0\0\0\0\0"
              "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"BF16\",\"shape\":[1,2],"
              "\"data_offsets\":[2,6]},\"b\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":"
              "[0,2]}}          "
              "123456"),
    FUZZ_TEXT("\x08\0\0\0\0\0\0\0{}      "),
    FUZZ_TEXT(
        "\x68\0\0\0\0\0\0\0" // a hash is computed, even if it is another
        "{\"__metadata__\":{\"r1.hash\":\"0123456789abcdef\"},\"a\":{\"dtype\":\"U8\",\"shape\":"
        "[2],\"data_offsets\":[0,2]}}     "
        "12"),
    {NULL, 0},
};

// The reader wants a path: that of an open file without a name, in memory where there is a place.
static FILE *file;
static char path[64];
void fuzz_begin(r1_context *ctx) {
    char name[] = "/dev/shm/fuzz_XXXXXX";
    int handle = mkstemp(name);
    (void)ctx;
    if (handle >= 0) unlink(name);
    file = handle >= 0 ? fdopen(handle, "w+b") : tmpfile();
    promise(file != NULL, "there is a place for files");
    snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
}
volatile uint8_t fuzz_sink; // reads every byte that an entry claims
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    rewind(file);
    promise(!ftruncate(fileno(file), 0) && fwrite(data, 1, size, file) == size && !fflush(file),
            "the file can be written");
    r1_tensors *tensors = r1_tensors_open(ctx, path);
    promise((tensors != NULL) == (r1_status_of(ctx) == R1_OK), "tensors or a reason");
    promise(tensors || strlen(r1_message_of(ctx)) > 16, "a reason in words");
    size_t bytes = 0;
    for (size_t i = 0; i < r1_tensors_count(tensors); i++) {
        const r1_entry *entry = r1_tensors_at(tensors, i);
        promise(r1_tensors_find(tensors, entry->name) == entry, "an entry is found by its name");
        for (size_t b = 0; b < entry->bytes; b++) fuzz_sink ^= ((const uint8_t *)entry->data)[b];
        bytes += entry->bytes;
    }
    promise(bytes <= size, "no more data than the file has");
    r1_tensors_metadata(tensors, "k");
    r1_tensors_close(tensors);
}
