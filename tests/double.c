// The tests of the library compiled with double in place of float: every formula becomes its own
// oracle, sharp enough for finite differences. A new file tests/double_*.c gets a line below.
#define R1_IMPLEMENTATION
#define R1_STATIC
#define R1_NO_SIMD
#define R1I_REAL double
#include "../r1.h"
#include "test.h"

TEST(double_build_is_double) {
    CHECK_EQUAL_SIZE(sizeof(r1i_real), sizeof(double));
    r1_context *ctx = r1_context_new(NULL);
    CHECK_EQUAL_TEXT(r1_message_of(ctx), "");
    r1_context_free(ctx);
}

#include "double_ops.c"
#include "double_model.c"
