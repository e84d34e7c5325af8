// The declarations as C++11.
#include "../../r1.h"
#include "../../r1.h"

int main() {
    r1_context_desc desc = {};
    desc.seed = 1;
    r1_context *ctx = r1_context_new(&desc);
    int status = static_cast<int>(r1_status_of(ctx));
    r1_context_free(ctx);
    return status;
}
