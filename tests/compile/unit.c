// One of two translation units. With R1_STATIC each has its own library; without it this one has
// only the declarations. UNIT is the name of its function; the unit with MAIN calls the other.
#ifdef R1_STATIC
#define R1_IMPLEMENTATION
#endif
#include "../../r1.h"
int unit_one(void);
int unit_two(void);

int UNIT(void) {
    r1_context *ctx = r1_context_new(0);
    int status = (int)r1_status_of(ctx);
    r1_context_free(ctx);
    return status;
}
#ifdef MAIN
int main(void) { return unit_one() + unit_two(); }
#endif
