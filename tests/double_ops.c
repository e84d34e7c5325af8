// Gradients of every op in double, against central differences. The cases are those of op_cases.h.
#include "op_cases.h"

// A weighted sum of the output, with other weights for every element.
static r1_tensor *double_op_loss(r1_context *ctx, void *arg) {
    op_run *run = (op_run *)arg;
    run->kept_n = 0;
    r1_tensor *y = run->what->build(ctx, run, run->what->n);
    if (!y) return NULL;
    r1_tensor *weights = r1_tensor_new(ctx, y->rank, y->shape);
    if (!weights) return NULL;
    op_fill(weights, 2000);
    return r1_sum(ctx, r1_mul(ctx, y, weights));
}
static void double_ops_check(r1_op first, r1_op last) {
    for (size_t i = 0; i < OP_CASES; i++) {
        if (op_cases[i].op < first || op_cases[i].op > last) continue;
        r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
        op_run run = {.what = &op_cases[i]};
        r1_step_begin(ctx);
        r1_no_grad_begin(ctx);
        double_op_loss(ctx, &run); // makes the parameters
        r1_no_grad_end(ctx);
        r1_step_end(ctx);
        double worst = r1_grad_check(ctx, double_op_loss, &run, run.p, run.n, 1e-5);
        double most = 0; // a gradient that is zero everywhere would prove nothing
        for (size_t p = 0; p < run.n; p++)
            for (size_t j = 0; j < r1_tensor_count(run.p[p]); j++)
                most = fmax(most, fabs(run.p[p]->grad[j]));
        // one expert with a normalised gate, one id, one key: the gradient is 0 by rights
        bool flat = r1_tensor_count(run.p[0]) <= 3 || run.what->n[0] == ALONE_1;
        printf("%-40s %.2g\n", op_case_text(run.what), worst);
        if (!(worst <= 1e-6) || (!flat && !(most > 1e-3)))
            test_stop(TEST_FAILED, "%s: off by %g, largest gradient %g, %s", op_case_text(run.what),
                      worst, most, r1_message_of(ctx));
        free(run.ids);
        r1_context_free(ctx);
    }
}
TEST(double_gradients_of_products) { double_ops_check(R1_OP_EMBED, R1_OP_EXPERT_MATMUL); }
TEST(double_gradients_of_simple_ops) { double_ops_check(R1_OP_ADD, R1_OP_SWIGLU); }
TEST(double_gradients_of_attention) { double_ops_check(R1_OP_ATTENTION, R1_OP_ATTENTION); }
TEST(double_gradients_of_experts) { double_ops_check(R1_OP_ROUTE, R1_OP_BALANCE); }
TEST(double_gradients_of_logprob) { double_ops_check(R1_OP_LOGPROB, R1_OP_COUNT - 1); }

// A shared tensor's gradient is the sum over its uses, and a second pass adds to a parameter's.
TEST(double_gradients_add_up) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.threads = 1});
    r1_tensor *x = r1_tensor_parameter(ctx, 1, (size_t[]){3});
    op_fill(x, 1);
    for (int pass = 1; pass <= 2; pass++) {
        r1_step_begin(ctx);
        r1_tensor *square = r1_mul(ctx, x, x);
        r1_backward(ctx, r1_sum(ctx, r1_add(ctx, r1_mul(ctx, square, x), r1_add(ctx, x, square))));
        r1_step_end(ctx);
        for (int i = 0; i < 3; i++) {
            double at = x->data[i];
            CHECK_NEAR(x->grad[i], pass * (3 * at * at + 2 * at + 1), 1e-12);
        }
    }
    r1_context_free(ctx);
}
