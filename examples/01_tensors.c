// Lesson 1: tensors, gradients, and errors in words.
//
// A tensor is a shape over plain memory. An op such as r1_matmul runs at once and leaves a record;
// r1_backward walks the records back and fills in gradients: how much the result would change if a
// number changed. All training is this, repeated: compute a loss, ask for its gradient, and move
// every number a little against it. Here a line a x + b is fitted to four points.
//
// Expected output:
//   loss 84.0000
//   gradient             -68.0000  -32.0000
//   finite difference    -68.0000  -32.0000
//   after a second pass -136.0000  -64.0000
//   step  1: loss 84.0000
//   step  5: loss  0.0138
//   step 20: loss  0.0006
//   the line: 2.01 x + 0.98
//   the status: R1_ERROR_SHAPE
//   what happened: matmul: x is [2,3] and w is [5,4]
//   the remedy:    w must be [O,I] with I the last dimension of x, and a bias [O]
//   results: NULL, NULL
#include "r1.h"
#include <stdio.h>
#include <string.h>

enum { POINTS = 4 };

// Inputs have a second column of ones, so that one matrix product gives a x + b. Targets are stored
// negated, because there is an op for a sum and none for a difference.
static const float inputs[POINTS][2] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}};
static const float targets[POINTS] = {1, 3, 5, 7}; // 2 x + 1

// The sum of squared errors, as a tensor with one element. Every function of tensors is built like
// this: each op takes tensors and returns a new one.
static r1_tensor *loss_of(r1_context *ctx, r1_tensor *line) {
    r1_tensor *x = r1_tensor_new(ctx, 2, (size_t[]){POINTS, 2});
    r1_tensor *minus_t = r1_tensor_new(ctx, 2, (size_t[]){POINTS, 1});
    if (!x || !minus_t) return NULL;
    memcpy(x->data, inputs, sizeof inputs);
    for (int i = 0; i < POINTS; i++) minus_t->data[i] = -targets[i];
    r1_tensor *y = r1_matmul(ctx, x, line, NULL); // [4,2] times the transpose of [1,2]: [4,1]
    r1_tensor *error = r1_add(ctx, y, minus_t);
    return r1_sum(ctx, r1_mul(ctx, error, error));
}
// The loss and its gradient, which is ADDED to line->grad. Tensors that are made between begin and
// end die at the end, so a loop does not eat memory; a parameter stays.
static float pass(r1_context *ctx, r1_tensor *line) {
    r1_step_begin(ctx);
    r1_tensor *loss = loss_of(ctx, line);
    r1_backward(ctx, loss); // takes NULL as every op does: no check is needed here
    float value = loss ? loss->data[0] : 0;
    r1_step_end(ctx);
    return value;
}
// The slope by hand: move one number up and down by h, and see how far the loss moves. It needs two
// computations for every number; r1_backward gives all slopes for the price of about two in all.
static float slope_by_hand(r1_context *ctx, r1_tensor *line, int i) {
    const float h = 1.0f / 64, before = line->data[i];
    r1_no_grad_begin(ctx); // leaves no records: there will be no pass back
    line->data[i] = before + h;
    r1_tensor *up = loss_of(ctx, line);
    line->data[i] = before - h;
    r1_tensor *down = loss_of(ctx, line);
    r1_no_grad_end(ctx);
    line->data[i] = before;
    return up && down ? (up->data[0] - down->data[0]) / (2 * h) : 0;
}
// Shapes that do not fit are an error of the context, with the reason in words. The result is NULL,
// and what is made of NULL is NULL: a program may go on and look once, at its end.
static void make_a_mistake(r1_context *ctx) {
    r1_tensor *x = r1_tensor_new(ctx, 2, (size_t[]){2, 3});
    r1_tensor *w = r1_tensor_new(ctx, 2, (size_t[]){5, 4}); // rows of 4 do not meet rows of 3
    r1_tensor *y = r1_matmul(ctx, x, w, NULL);
    r1_tensor *sum = r1_sum(ctx, y);
    printf("the status: %s\n", r1_status_name(r1_status_of(ctx)));
    const char *message = r1_message_of(ctx), *remedy = strchr(message, ';');
    int length = (int)(remedy ? (size_t)(remedy - message) : strlen(message));
    printf("what happened: %.*s\n", length, message);
    printf("the remedy:    %s\n", remedy ? remedy + 2 : "");
    printf("results: %s, %s\n", y ? "a tensor" : "NULL", sum ? "a tensor" : "NULL");
    r1_error_clear(ctx); // the context works again, and older tensors are as they were
}
static void fit_the_line(r1_context *ctx) {
    r1_tensor *line = r1_tensor_parameter(ctx, 2, (size_t[]){1, 2}); // a and b, both 0 at first
    if (!line) return;
    printf("loss %.4f\n", pass(ctx, line));
    printf("gradient            %9.4f %9.4f\n", line->grad[0], line->grad[1]);
    r1_step_begin(ctx);
    printf("finite difference   %9.4f %9.4f\n", slope_by_hand(ctx, line, 0),
           slope_by_hand(ctx, line, 1));
    r1_step_end(ctx);

    // Gradients of parameters add up, so that a large batch can come in parts. Whoever starts a new
    // sum must clear them; the trainers of later lessons do.
    pass(ctx, line);
    printf("after a second pass %9.4f %9.4f\n", line->grad[0], line->grad[1]);

    for (int step = 1; step <= 20; step++) { // gradient descent
        memset(line->grad, 0, 2 * sizeof *line->grad);
        float loss = pass(ctx, line);
        for (int i = 0; i < 2; i++) line->data[i] -= 0.02f * line->grad[i];
        if (step == 1 || step == 5 || step == 20) printf("step %2d: loss %7.4f\n", step, loss);
    }
    printf("the line: %.2f x + %.2f\n", line->data[0], line->data[1]);
}
int main(void) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.seed = 1});
    fit_the_line(ctx);
    if (r1_status_of(ctx) == R1_OK) make_a_mistake(ctx);

    r1_status status = r1_status_of(ctx);
    if (status) fprintf(stderr, "01_tensors: %s\n", r1_message_of(ctx));
    r1_context_free(ctx); // and with it everything that was made from it
    return status ? 1 : 0;
}
