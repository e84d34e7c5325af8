/* r1.h - v0.1.0 - the DeepSeek-R1 system in one C header

   Tensors with gradients, a DeepSeek-V3-style mixture-of-experts transformer, generation with a
   cache, GRPO with rule-based rewards, supervised training, checkpoints, logs and a report. C11,
   no dependency but libc, libm and pthreads. Licence: MIT, see LICENSE.

   Do this in exactly one C file, before any other header:

       #define R1_IMPLEMENTATION
       #include "r1.h"

   and include "r1.h" plainly everywhere else. Link with -lm -lpthread.


   TEN LINES
   =========
       r1_context *ctx    = r1_context_new(&(r1_context_desc){.seed = 1});
       r1_model   *policy = r1_model_load(ctx, "base/");    // config.json, model.safetensors
       r1_grpo_desc desc  = r1_grpo_paper(R1_ZERO);         // the paper's hyper-parameters
       desc.steps         = 100;
       desc.next_prompt   = my_prompts;                     // prompt number -> token ids
       desc.reward        = my_reward;                      // sample -> accuracy, format
       desc.parts[0]      = "accuracy", desc.parts[1] = "format";
       r1_grpo *run       = r1_grpo_new(policy, &desc);     // optimizer, reference, rollouts
       while (r1_grpo_step(run)) {}                         // draw, judge, compare, update
       r1_model_save(policy, "out/");
       if (r1_status_of(ctx)) fprintf(stderr, "%s\n", r1_message_of(ctx));

   examples/r1_zero.c is the whole thing on a task that takes a minute, base model included.


   WHAT IT DOES NOT DO
   ===================
   It never prints, exits, downloads or keeps global state. It reads no pickle, and runs no template
   language and no code that a file or an answer contains. It does not serve many users, nor does it
   train 600 billion parameters on your laptop: it is the arithmetic, the algorithm and the data
   path of the paper in a size that one person can read, change and run.


   ROOMS (search for "[name]")
   ===========================
   The file has two floors: declarations, then the implementation under R1_IMPLEMENTATION. Both
   list the same rooms in the same order, and a room calls only rooms above it.

       config      macros, and how the arithmetic is fenced against compiler flags
       base        status codes, the context's memory, checked sizes
       random      Philox: a number is a function of (seed, stream, step, sample, token)
       thread      a pool; work is cut by shape, never by core count
       group       collectives between ranks
       number      bf16, f16, fp8; exp, log, sin and cos of our own
       context     making and freeing a context; the known-answer test of the arithmetic
       kernel      every op in scalar C, forward and backward: the reference
       simd        the same inner loops for AVX2, AVX-512 and NEON: the same bits, faster
       backend     picks the CPU level and runs ops
       tensor      shapes over memory, steps
       tape        ops on tensors, and gradients
       optimizer   AdamW, clipping, schedules
       json        bounded JSON, reading and writing
       file        atomic files, safetensors
       log         JSON lines
       tokenizer   pieces to ids and back
       model       MLA, DeepSeekMoE, grouped-query attention
       generate    block caches, sampling, continuous batching
       answer      extraction of answers; exact, bounded equality of mathematics
       score       pass@1, pass@k, cons@k, intervals, decontamination
       policy      advantages, and one loss with seven switches
       train       supervised and GRPO trainers, checkpoints
       report      a page with curves, drawn from the log


   THE PAPER'S SYMBOLS
   ===================
       pi_theta    policy: the model that learns
       pi_old      the sampler; its log-probs are kept from the rollout, never recomputed
       pi_ref      reference: a read-only copy, none when the KL term is off
       G           group, answers to one question
       A           advantage
       epsilon     clip_low, clip_high
       beta        kl_weight
       gamma       bias_rate, the step of a router's bias
       alpha       balance_weight, of the sequence balance loss
       s, b, g     scores, bias and gates of a router
       c_KV, k_R   latent (kv_rank numbers) and shared RoPE key (rope_dim numbers) of MLA
   Shape letters: B sequences, T tokens, C width, H heads, D head width, E experts, K chosen
   experts, G answers a question, V vocabulary, L layers. A comment "x [T,C]" means T rows of C
   numbers. Source tags in comments: N the Nature paper, R2 its arXiv version 2, V3 and V2 the
   model reports, DSM DeepSeekMath, V3code the published inference code. "Differs:" marks a
   departure.


   DESCS
   =====
   Everything with more than three options takes a desc struct, and zero means the default in every
   field: write only what you want to change. Where none is meant, the field takes R1_OFF (-1). The
   comment beside a field gives its default and, where it is known, the paper's value. In C++ and
   in .cu files, zero the struct with {} and assign fields.


   ERRORS
   ======
   Functions that can fail through misuse, lack of memory or files put an error on the context. The
   first one wins and stays; its message names the op, the shapes or the path, and the remedy.
   Later calls on the context return NULL or the status at once, so code in a straight line checks
   once, at its end. r1_error_clear makes the context usable again, and objects that were made
   before the error are as they were. desc.on_error is called at the first error, at its source: a
   good place for a breakpoint.
   Data are values and not errors: a sample that cannot be judged, a text that does not tokenize, a
   line of JSON that does not parse when you only try it.
   An update is all or nothing. When a gradient is not finite, no weight is touched.
   Asserts are for bugs of this library only; nothing that a caller or a file does trips one.


   MEMORY
   ======
   One allocator hook in the context's desc serves everything. What belongs to a context dies with
   it at the latest; every object also has its own free function.
   Tensors and their gradients come from a step: r1_step_begin, any number of ops, r1_step_end. The
   arena behind it grows during the first steps and is reused afterwards, so a training loop in its
   steady state allocates nothing.
   Parameters, gradients and the two moments are flat buffers, one set per range (decayed,
   undecayed, experts); a parameter is a 64-byte-aligned view. Expert matrices are stacked [E,O,I].
   Cached keys and values are blocks of 64 tokens with counted references, so that the answers of a
   group share their prompt. When the pool is full, the newest sequence is sent back and drawn
   again later: its text is a function of counters and does not change.


   ONE ARITHMETIC
   ==============
   A token has one log-probability. Sampler, scorer and training forward compute the same 32 bits:
   with a cache or without, in any batch, micro-batch and packing order, on any number of threads,
   on every CPU level, optimization level and compiler. On-policy ratios are therefore exactly 1,
   and a run can be replayed and resumed to the same bits on another machine.
   It costs little, because the rule is the textbook loop: acc = fma(a[k], b[k], acc), k ascending,
   with vector lanes over different outputs. Attention makes two passes over the keys of its own
   sequence from position 0. Row sums use 16 lanes and a fixed tree. exp and log are ours. A weight
   gradient is one chain over token rows in a canonical order and continues from the stored value.
   Ties go to the lower index. docs/determinism.md has the whole list and what it costs.
   Do not compile the implementation with -ffast-math and its relatives: the header refuses them,
   and r1_context_new runs a test that catches what no macro shows.
   The two forms of MLA (expanded and absorbed) are two arithmetics that agree to rounding; a run
   uses one of them for everything.


   THREADS AND RANKS
   =================
   One thread at a time per context. Inside, ops use the context's workers (desc.threads, one per
   core by default); the number never shows in a result. Reward functions run on workers, one
   sample a call, and must not touch the context.
   Several contexts in several threads are independent. r1_group_threads runs ranks as threads; a
   trainer with a group shares its chunks among them. Chunks are cut by the batch alone and added
   along a fixed binary tree, so 1, 2, 4 and 8 ranks end with the same bits.


   TRAINING
   ========
   A batch is a list of whole groups (documents in the order given, questions sorted by key), cut
   into S chunks. Each chunk's gradient is one chain, micro-batches continue it, and the tree adds
   the chunks. The loss of a token is weighted before any split (1 / |o| / outputs, 1 / tokens,
   ...), so no later split can change what is minimised.
   The policy loss has seven orthogonal switches: the level of the ratio, the clip, the
   aggregation, the advantage, the KL term, the objective, and what happens to groups without
   signal. Known algorithms are rows of the table in [policy]; anything newer goes through a
   per-token callback. Rewards are components with names and weights, logged apart. "Could not
   judge" is not a zero: such an answer leaves its group. A run that carries no signal for long
   stops and says why. Router biases move after an optimizer step, from the loads of the whole
   batch.


   CHANGING IT
   ===========
   A new op takes five small steps: arguments and the kernel pair in [kernel]; a line in
   R1_OP_LIST; a wrapper and a bind in [tape] with its shape rule; a case in the tests' list; a
   line in docs/paper_map.md. Its gradient is then checked against finite differences in double,
   its levels against the scalar code, and its threads against one.
   A new algorithm is a desc; a new reward is a function; a new task is a prompt function and a
   reward. r1i_ names are private and may change, r1_ names keep their meaning within a version.


   MACROS
   ======
       R1_IMPLEMENTATION   this file also emits the functions
       R1_STATIC           all functions are static: a private copy per file
       R1_DEF              linkage of public functions, if R1_STATIC is not enough
       R1_ASSERT(x)        default: assert
       R1_NO_SIMD          scalar code only
       R1_NO_THREADS       no pthreads: one worker, one rank
       R1_NO_STDIO         leaves out files, logs, checkpoints and reports
       R1_BACKEND_API      shows the ring of declarations that backends need
       R1_SELF             the name of this file, if it is not "r1.h": it includes itself
       R1I_REAL            float; one test compiles the library as double
*/
#ifndef R1I_SIMD_PASS // the [simd] room includes this file again, once per instruction set
#ifndef R1_H
#define R1_H
// ==== [config] ===================================================================================
// What a user may change at compile time: linkage, assertions, features. Everything else is a field
// of a desc. Calls nothing. Few macros, because a macro makes two libraries out of one.
#define R1_VERSION_MAJOR 0
#define R1_VERSION_MINOR 1
#define R1_VERSION_PATCH 0

// With -std=c11 the system headers hide POSIX (posix_memalign, sysconf, ...) unless these two are
// defined before the first of them is read; _FEATURES_H and _CDEFS_H_ tell that one has been.
#if defined R1_IMPLEMENTATION && !defined _GNU_SOURCE && !defined _DARWIN_C_SOURCE
#if defined _FEATURES_H || defined _CDEFS_H_
#error "r1.h: the file with R1_IMPLEMENTATION must include r1.h before any other header"
#endif
#define _GNU_SOURCE      1
#define _DARWIN_C_SOURCE 1
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef R1_DEF // linkage of every public function; R1_STATIC makes a private copy
#ifdef R1_STATIC
#if defined __GNUC__
#define R1_DEF static __attribute__((unused))
#else
#define R1_DEF static
#endif
#else
#define R1_DEF extern
#endif
#endif

// The compiler checks arguments against the format: `text` is the number of the format parameter.
#if defined __GNUC__
#define R1I_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define R1I_PRINTF(text, first)
#endif

// The number type of tensors. It is float; one test compiles the whole library as double, which
// turns every formula into its own oracle for finite differences.
#ifndef R1I_REAL
#define R1I_REAL float
#endif
#ifdef __cplusplus
extern "C" {
#endif
typedef R1I_REAL r1i_real;

// Not an enum: the fields that take it are integers of several widths, and doubles.
#define R1_OFF      (-1) // "none" for a numeric field whose zero means "the default"
#define R1_MAX_RANK 4    // dimensions of a tensor
// ==== [base] =====================================================================================
// Status codes, the context (opaque here), memory hook, string slices. Calls only libc.
// Errors stick to the context and the first one wins, so straight-line code checks once at its end.

// X(code, text). One list makes the enum, the names and the texts.
#define R1_STATUS_LIST(X)                                                                          \
    X(R1_OK, "ok")                                                                                 \
    X(R1_ERROR_ARGUMENT, "an argument or a desc field is not valid")                               \
    X(R1_ERROR_SHAPE, "shapes do not fit together")                                                \
    X(R1_ERROR_MEMORY, "out of memory")                                                            \
    X(R1_ERROR_FILE, "a file or folder cannot be read or written")                                 \
    X(R1_ERROR_FORMAT, "the content of a file is not valid")                                       \
    X(R1_ERROR_NUMBER, "a number is not finite")                                                   \
    X(R1_ERROR_BACKEND, "the backend has no kernel for this op")                                   \
    X(R1_ERROR_ARITHMETIC, "the compiler changed the arithmetic")                                  \
    X(R1_ERROR_GROUP, "another rank failed or left")                                               \
    X(R1_ERROR_SIGNAL, "a training run carries no learning signal")

#define R1I_STATUS_ENUM(code, text) code,
// What went wrong, in general; the list above has the words.
typedef enum r1_status { R1_STATUS_LIST(R1I_STATUS_ENUM) R1_STATUS_COUNT } r1_status;

// Everything that a program owns in r1.h hangs on a context. One thread at a time per context.
typedef struct r1_context r1_context;

// Memory hook: alloc gives `bytes` at a multiple of `align` (a power of two) or NULL; free gets the
// same size back. Zero-filled struct = the C library's allocator.
typedef struct r1_allocator {
    void *(*alloc)(void *user, size_t bytes, size_t align);
    void (*free)(void *user, void *memory, size_t bytes);
    void *user;
} r1_allocator;

// A run of bytes inside somebody else's memory; not zero-terminated.
typedef struct r1_slice {
    const char *data;
    size_t size;
} r1_slice;

// The identifier of a status, e.g. "R1_ERROR_SHAPE"; "R1_STATUS_UNKNOWN" outside the list.
R1_DEF const char *r1_status_name(r1_status status);
// What the status means in general; r1_message_of says what happened.
R1_DEF const char *r1_status_text(r1_status status);
// The first error of the context, R1_OK if none. A NULL context is R1_ERROR_MEMORY.
R1_DEF r1_status r1_status_of(const r1_context *ctx);
// The first error in words: the thing, its sizes and the remedy; "" if none. Lives as the context.
R1_DEF const char *r1_message_of(const r1_context *ctx);
// Forgets the error, so that the context works again. Objects made before the error stay valid.
R1_DEF void r1_error_clear(r1_context *ctx);
// Bytes that the context holds now, and the most it ever held; either may be NULL.
R1_DEF void r1_memory_used(const r1_context *ctx, size_t *now_bytes, size_t *peak_bytes);
// ==== [random] ===================================================================================
// Counter-based random numbers: Philox4x32-10. Calls nothing above [base].
// A number is a pure function of (seed, stream, step, sample, token), so there is no generator
// state to save, and neither threads nor batch sizes nor ranks can change what is drawn.

// A place in the sequence. Copy it freely; every draw advances `token`.
typedef struct r1_random {
    uint64_t seed;
    uint32_t stream, step, sample, token;
} r1_random;

// Streams of the library itself; programs use R1_STREAM_USER and above (up to 255).
enum { R1_STREAM_INIT = 1, R1_STREAM_SAMPLE = 2, R1_STREAM_SHUFFLE = 3, R1_STREAM_USER = 16 };

// The raw block function: four 32-bit words from key `seed` and a 128-bit counter.
//   Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011), Philox4x32-10.
R1_DEF void r1_random_block(uint64_t seed, const uint32_t counter[4], uint32_t out[4]);
// 32 uniform bits.
R1_DEF uint32_t r1_random_u32(r1_random *at);
// Uniform in (0, 1): (k + 1/2) / 2^23, never 0 or 1.
R1_DEF float r1_random_unit(r1_random *at);
// Uniform integer in [0, n), without bias; n = 0 gives 0.
R1_DEF uint32_t r1_random_below(r1_random *at, uint32_t n);
// Standard normal, by the Box-Muller formula on the library's own log, sin and cos.
R1_DEF float r1_random_normal(r1_random *at);
// ==== [thread] ===================================================================================
// A pool of workers that starts at its first use. Calls [base].
// Work is cut by shape, never by core count, and every output element belongs to one task: so the
// number of threads cannot show in the result.

// A task: the half-open range [begin, end) of the work, on worker 0 .. r1_thread_count - 1.
// Tasks of one worker follow each other (nested calls apart), so `worker` may index scratch.
typedef void r1_task_fn(void *arg, size_t begin, size_t end, int worker);

// Runs fn over [0, n) in pieces of `grain` (0 = 1) and returns when all are done. Nested calls,
// calls with one piece and contexts with one thread run on the caller as worker 0, the whole range
// in one piece: fn must not depend on where a piece ends, nor call an op of the same context.
R1_DEF void r1_parallel_for(r1_context *ctx, size_t n, size_t grain, r1_task_fn *fn, void *arg);
// Workers of the context, the caller included; at least 1.
R1_DEF int r1_thread_count(const r1_context *ctx);
// ==== [group] ====================================================================================
// A table of collectives between ranks; engines `self` (one rank) and `threads` (ranks are threads
// of this process, each with its own context). Calls [base] and [thread].
// Sums go along a fixed binary tree over ranks, so a result does not depend on who arrives first.

// In pictures, for 3 ranks that hold a, b, c:
//   all_reduce      a | b | c              ->  a+b+c | a+b+c | a+b+c     in place
//   all_gather      a | b | c              ->  abc | abc | abc           a may be its place in abc
//   reduce_scatter  a0a1a2 | b.. | c..     ->  a0+b0+c0 | a1+.. | a2+..
//   broadcast       a | - | -              ->  a | a | a                 from root 0
//   all_to_all      a0a1a2 | b.. | c..     ->  a0b0c0 | a1b1c1 | a2b2c2  out and in apart
// One rank's view of its group. Fill it to bring an engine of your own.
typedef struct r1_group r1_group;
// The table of collectives.
struct r1_group {
    int rank, size;
    // Each returns R1_OK, or R1_ERROR_GROUP once any rank has failed. Counts are equal on all
    // ranks.
    r1_status (*all_reduce)(r1_group *group, float *values, size_t count);
    r1_status (*all_gather)(r1_group *group, const void *mine, void *all, size_t bytes_each);
    r1_status (*reduce_scatter)(r1_group *group, const float *values, float *mine,
                                size_t count_each);
    r1_status (*broadcast)(r1_group *group, void *values, size_t bytes, int root);
    r1_status (*all_to_all)(r1_group *group, const void *out, void *in, size_t bytes_each);
    r1_status (*barrier)(r1_group *group);
    void (*abort)(r1_group *group); // makes every waiting and later call of every rank fail
    void *state;
};

// What one rank does; its status is R1_OK or the reason why the others should stop.
typedef r1_status r1_rank_fn(r1_group *group, void *arg);

// The group of one rank: collectives are copies. Needs no freeing.
R1_DEF r1_group r1_group_self(void);
// Runs fn on `size` threads, each with its own group, and joins them. A rank that returns an error
// aborts the others. Returns the error of the lowest rank that failed by itself, else
// R1_ERROR_GROUP if any failed. Each rank needs a context of its own. 1 <= size <= 64; without
// threads only 1.
R1_DEF r1_status r1_group_threads(int size, r1_rank_fn *fn, void *arg);
// ==== [number] ===================================================================================
// Number formats and elementary functions. Calls [base].
// exp, log, sin and cos are our own, built from fused multiply-adds only: libm differs between
// systems, and one different last bit would break the promise that a token has one log-prob.

// Number formats that files can hold. Tensors in memory are float.
typedef enum r1_dtype {
    R1_F32 = 0,
    R1_F64,
    R1_F16,
    R1_BF16,
    R1_F8_E4M3,
    R1_I32,
    R1_I64,
    R1_U8,
    R1_DTYPE_COUNT
} r1_dtype;

// Bytes of one element; 0 for an unknown dtype.
R1_DEF size_t r1_dtype_bytes(r1_dtype dtype);
// The name that safetensors uses, e.g. "BF16"; NULL for an unknown dtype.
R1_DEF const char *r1_dtype_name(r1_dtype dtype);
// Round to nearest, ties to even; NaN stays NaN. f8 saturates at +-448 as the V3 kernels do.
//   Source: V3 section 3.3 for e4m3.
R1_DEF uint16_t r1_to_bf16(float x);
R1_DEF uint16_t r1_to_f16(float x);
R1_DEF uint8_t r1_to_f8(float x);
// Exact.
R1_DEF float r1_from_bf16(uint16_t bits);
R1_DEF float r1_from_f16(uint16_t bits);
R1_DEF float r1_from_f8(uint8_t bits);
// e^x and ln x in float: at most 1 ulp off, the same 32 bits on every CPU level and compiler.
R1_DEF float r1_exp(float x);
R1_DEF float r1_log(float x);
// ==== [context] ==================================================================================
// Makes and frees contexts. Calls the rooms above.
// A context is born by proving its arithmetic: a known-answer test of a few microseconds compares
// bits, and fails with the compiler flag to remove.

// CPU levels. Every level gives the same bits; a higher one is faster.
typedef enum r1_cpu_level {
    R1_CPU_AUTO = 0,
    R1_CPU_SCALAR,
    R1_CPU_AVX2,
    R1_CPU_AVX512,
    R1_CPU_NEON,
    R1_CPU_LEVEL_COUNT
} r1_cpu_level;

// Options of a context.
typedef struct r1_context_desc {
    uint64_t seed;          // key of every random number; 0 is a seed like any other
    int threads;            // workers, the caller included;   0 = one per core
    r1_cpu_level cpu_level; // the highest level to use;       0 = the best that this CPU has
    r1_allocator allocator; // zero = the C library's
    void (*on_error)(r1_status status, const char *message,
                     void *user); // called at the first error
    void *user;                   // for on_error
} r1_context_desc;

// A new context, or NULL when not even its own memory could be had. desc may be NULL. Look at
// r1_status_of: R1_ERROR_ARITHMETIC means that compiler flags broke the arithmetic.
R1_DEF r1_context *r1_context_new(const r1_context_desc *desc);
// Frees the context and everything that was made with it. NULL is fine.
R1_DEF void r1_context_free(r1_context *ctx);
// The seed that the context was made with.
R1_DEF uint64_t r1_seed_of(const r1_context *ctx);
// ==== [kernel] ===================================================================================
// The ops and their arguments. This ring of the header is for backends (R1_BACKEND_API) and for the
// implementation; programs use the tensors of [tape]. Calls [base], [number].
// Gradient contract: every backward ADDS to its d... outputs, which the caller has zeroed or
// filled. Shape letters: B sequences, T tokens, C width, H heads, D head width, E experts, K
// chosen experts, V vocabulary. Rows of different sequences are packed: starts[b] .. starts[b+1]
// are those of b.
#if defined R1_BACKEND_API || defined R1_IMPLEMENTATION
#define R1_BACKEND_ABI 1

// X(constant, name, what it computes). One list makes the enum, the names and the kernel table.
#define R1_OP_LIST(X)                                                                              \
    X(EMBED, embed, "rows of a table by id")                                                       \
    X(MATMUL, matmul, "y = x w^T + bias")                                                          \
    X(HEAD_MATMUL, head_matmul, "one matrix per head")                                             \
    X(EXPERT_MATMUL, expert_matmul, "one matrix per run of rows")                                  \
    X(ADD, add, "a + b")                                                                           \
    X(MUL, mul, "a * b")                                                                           \
    X(SUM, sum, "sum of all elements")                                                             \
    X(SLICE, slice, "some columns of every row")                                                   \
    X(JOIN, join, "columns of a, then columns of b")                                               \
    X(RMSNORM, rmsnorm, "rows divided by their root mean square")                                  \
    X(ROPE, rope, "rotary position embedding")                                                     \
    X(SWIGLU, swiglu, "silu(gate) * up")                                                           \
    X(ATTENTION, attention, "causal softmax attention")                                            \
    X(ROUTE, route, "affinities, choice and gates of experts")                                     \
    X(DISPATCH, dispatch, "rows sorted by expert")                                                 \
    X(COMBINE, combine, "gated sum of expert rows")                                                \
    X(BALANCE, balance, "sequence balance loss")                                                   \
    X(LOGPROB, logprob, "log-probability of a target by vocabulary tiles")                         \
    X(SAMPLE, sample, "a token by Gumbel noise")                                                   \
    X(ADAMW, adamw, "one optimizer update")

#define R1I_OP_ENUM(constant, name, text) R1_OP_##constant,
// The ops, numbered as in the list.
typedef enum r1_op { R1_OP_LIST(R1I_OP_ENUM) R1_OP_COUNT } r1_op;

// R1_BACKWARD gives gradients that have a row per token (a task owns rows); R1_BACKWARD_SHARED
// those of what rows share, such as weights (a task owns columns and walks the rows in order).
typedef enum r1_direction {
    R1_FORWARD,
    R1_BACKWARD,
    R1_BACKWARD_SHARED,
    R1_DIRECTION_COUNT
} r1_direction;

// y[t] = table[ids[t]].   table [V,C], y [T,C]
// ids may repeat: dtable[ids[t]] += dy[t], so a frequent id collects many rows.
typedef struct r1_embed_args {
    size_t T, C, V;
    const int32_t *ids;
    const r1i_real *table, *dy;
    r1i_real *y, *dtable;
} r1_embed_args;

// y[t,o] = bias[o] + sum_i x[t,i] w[o,i].   x [T,I], w [O,I], bias [O] or NULL, y [T,O]
//   dx[t,i] += sum_o dy[t,o] w[o,i],   dw[o,i] += sum_t dy[t,o] x[t,i],   dbias[o] += sum_t dy[t,o]
typedef struct r1_matmul_args {
    size_t T, I, O;
    const r1i_real *x, *w, *bias, *dy;
    r1i_real *y, *dx, *dw, *dbias;
} r1_matmul_args;

// One matrix per head, rows `from` .. `from + count` of w [H,P,Q].
//   up:   x [T,H,count] -> y [T,H,Q],     y[t,h,q] = sum_p x[t,h,p] w[h,from+p,q]
//   down: x [T,H,Q]     -> y [T,H,count], y[t,h,p] = sum_q x[t,h,q] w[h,from+p,q]
typedef struct r1_head_matmul_args {
    size_t T, H, P, Q, from, count;
    bool up;
    const r1i_real *x, *w, *dy;
    r1i_real *y, *dx, *dw;
} r1_head_matmul_args;

// y[r] = w[e] x[r] for the rows offsets[e] <= r < offsets[e+1].   x [N,I], w [E,O,I], y [N,O]
// offsets [E+1] rises from 0 to N; equal neighbours are an expert that nobody chose.
typedef struct r1_expert_matmul_args {
    size_t N, I, O, E;
    const size_t *offsets;
    const r1i_real *x, *w, *dy;
    r1i_real *y, *dx, *dw;
} r1_expert_matmul_args;

// Elementwise pairs (add, mul) and the sum (a [n] -> y [1]).
typedef struct r1_pair_args {
    size_t n;
    const r1i_real *a, *b, *dy;
    r1i_real *y, *da, *db;
} r1_pair_args;

// y[r] = x[r][from .. from + count].   x [N,D], y [N,count]
typedef struct r1_slice_args {
    size_t N, D, from, count;
    const r1i_real *x, *dy;
    r1i_real *y, *dx;
} r1_slice_args;

// y[t,h] = a[t,h] followed by b[t,h], or by b[t,0] when b has one head.   y [T,H,A+W]
typedef struct r1_join_args {
    size_t T, H, A, W, b_heads;
    const r1i_real *a, *b, *dy;
    r1i_real *y, *da, *db;
} r1_join_args;

// y[t,c] = x[t,c] scale[t] gain[c], scale[t] = 1 / sqrt(mean_c x[t,c]^2 + eps).
// scale [T] is kept by the forward pass for the backward pass.
typedef struct r1_rmsnorm_args {
    size_t T, C;
    r1i_real eps;
    const r1i_real *x, *gain, *dy;
    r1i_real *y, *scale, *dx, *dgain;
} r1_rmsnorm_args;

// Rotates pairs of columns by position * frequency. Pairs are (2i, 2i+1), or (i, i + D/2) when
// `halves`. cosine, sine [positions, D/2]; x, y [T,H,D].
// A rotation has its transpose as inverse, so dx is dy turned back by the same angle.
typedef struct r1_rope_args {
    size_t T, H, D;
    bool halves;
    const int32_t *positions;
    const r1i_real *cosine, *sine, *x, *dy;
    r1i_real *y, *dx;
} r1_rope_args;

// y = gate * sigmoid(gate) * up, all [n].
typedef struct r1_swiglu_args {
    size_t n;
    const r1i_real *gate, *up, *dy;
    r1i_real *y, *dgate, *dup;
} r1_swiglu_args;

// Rows of keys (or values) of one sequence, in blocks: row j is at
// blocks[j / block_rows] + (j % block_rows) * stride + head * head_stride.
typedef struct r1_rows_view {
    const r1i_real *const *blocks;
    size_t block_rows, stride, head_stride;
} r1_rows_view;

// Causal attention inside each sequence. q [T,H,D], k [T,Hk,D], v [T,Hk,W], y [T,H,W]; head h reads
// key head h / (H / Hk). stats [T,H,2] keeps each row's maximum and sum. With `cached`, keys and
// values of sequence b are keys[b], values[b], its queries stand at positions past[b] and on, and
// there is no backward.
typedef struct r1_attention_args {
    size_t B, H, Hk, D, W;
    const size_t *starts;
    r1i_real scale;
    const r1i_real *q, *k, *v, *y_in, *dy;
    r1i_real *y, *stats, *dq, *dk, *dv;
    bool cached;
    const size_t *past;
    const r1_rows_view *keys, *values;
} r1_attention_args;

// scores = sigmoid(logits) (or softmax); choice = the K best of scores + bias inside the `kept`
// best of `groups` groups, ascending by index; gates = scale * scores, normalised over the choice
// if set. With `replay` the choice is given.   logits, scores [T,E], bias [E], choice, gates [T,K]
typedef struct r1_route_args {
    size_t T, E, K, groups, kept;
    r1i_real scale;
    bool normalise, softmax, replay;
    const r1i_real *logits, *bias, *dgates, *dscores;
    r1i_real *scores, *gates, *dlogits;
    int32_t *choice;
} r1_route_args;

// dispatch: y[r] = x[token[r]], r sorted by expert, then token.   x [T,C], y [T*K,C]
// combine:  y[t] = sum_k gates[t,k] x[row[t,k]].                  x [T*K,C], y [T,C]
typedef struct r1_scatter_args {
    size_t T, K, C;
    const int32_t *token, *row;
    const r1i_real *x, *gates, *dy;
    r1i_real *y, *dx, *dgates;
} r1_scatter_args;

// y[b] = weight[b] sum_e f_e P_e with f_e = E / (K T_b) * (choices of e), P_e = mean_t s_te / sum
// s_t.
// f_e counts choices and has no gradient; dscores comes through P_e alone.   Source: V3 eq. 17 on.
typedef struct r1_balance_args {
    size_t B, E, K;
    const size_t *starts;
    const int32_t *choice;
    const r1i_real *scores, *weight, *dy;
    r1i_real *y, *dscores;
} r1_balance_args;

// For row t with z = inverse_temperature * head hidden[t]: logp = z[target] - log sum exp z, the
// entropy of softmax(z), and the arg-max. The logits of all rows never exist together.
//   hidden [T,C], head [V,C], targets [T]; stats [T,2] keeps maximum and sum
typedef struct r1_logprob_args {
    size_t T, C, V;
    r1i_real inverse_temperature;
    const int32_t *targets;
    const r1i_real *hidden, *head, *dlogp;
    r1i_real *logp, *entropy, *stats, *dhidden, *dhead;
    int32_t *best;
} r1_logprob_args;

// Draws one token per row of logits [B,V]: the arg-max of z + noise with z = inverse_temperature *
// logits and noise = -log(-log u), u from counter (stream, step, sample[b], token[b], id). top_k
// and top_p drop ids first; logp is under the softmax of all ids. greedy leaves the noise out.
typedef struct r1_sample_args {
    size_t B, V, top_k;
    float top_p;
    bool greedy;
    uint64_t seed;
    uint32_t stream, step;
    const uint32_t *sample, *token;
    r1i_real inverse_temperature;
    r1i_real *logits; // scaled in place
    int32_t *chosen;
    r1i_real *logp, *entropy;
} r1_sample_args;

// Decoupled weight decay: m, v are the moments; g is multiplied by clip first; correction1 and 2
// are 1 - beta^step.   Source: Loshchilov and Hutter (2019), algorithm 2.
typedef struct r1_adamw_args {
    size_t n;
    r1i_real *w, *m, *v;
    const r1i_real *g;
    r1i_real lr, beta1, beta2, eps, decay, clip, correction1, correction2;
} r1_adamw_args;
#endif
// ==== [backend] ==================================================================================
// Runs an op on the CPU level of the context. Calls the rooms above.
// A level replaces inner kernels of the scalar table; it never changes a bit.

// The level in use: "scalar", "avx2", "avx512" or "neon"; "none" for NULL, or when it cannot run.
R1_DEF const char *r1_cpu_name(r1_context *ctx);
// The highest level that this machine can run.
R1_DEF r1_cpu_level r1_cpu_best(void);
// ==== [tensor] ===================================================================================
// Shapes over memory. Calls [base]. Tensors are dense and row-major; a step's tensors die together.

// Transparent: read and write data freely. grad is NULL until a backward pass reaches the tensor.
// A reshape makes the gradient earlier, since both names share it. x [T,C] is at data[t * C + c].
typedef struct r1_tensor {
    r1i_real *data;
    r1i_real *grad;
    int rank;
    size_t shape[R1_MAX_RANK];
    bool wants_grad;
} r1_tensor;

// A zeroed tensor that lives until the present step ends. Errors: R1_ERROR_SHAPE for a rank outside
// 1 .. R1_MAX_RANK, R1_ERROR_MEMORY.
R1_DEF r1_tensor *r1_tensor_new(r1_context *ctx, int rank, const size_t *shape);
// A zeroed parameter with a gradient; it lives as long as the context.
R1_DEF r1_tensor *r1_tensor_parameter(r1_context *ctx, int rank, const size_t *shape);
// The same memory under another shape with as many elements; gradients are shared too.
R1_DEF r1_tensor *r1_tensor_reshape(r1_context *ctx, r1_tensor *x, int rank, const size_t *shape);
// The number of elements; 0 for NULL.
R1_DEF size_t r1_tensor_count(const r1_tensor *x);
// Index of the first element that is not finite, or r1_tensor_count when all are.
R1_DEF size_t r1_tensor_check(const r1_tensor *x);

// Opens a step: tensors, tape records and gradients made from here on die at the matching
// r1_step_end. Steps nest; without a step things live until the context dies.
R1_DEF void r1_step_begin(r1_context *ctx);
R1_DEF void r1_step_end(r1_context *ctx);
// ==== [tape] =====================================================================================
// Ops on tensors, and gradients. Calls the rooms above.
// An op runs at once and leaves a record; r1_backward walks the records back. Every op returns NULL
// when an input is NULL or the context has an error, so one check at the end is enough. Shapes that
// do not fit are R1_ERROR_SHAPE, with op, shapes and remedy in the message.

// Rows of table [V,C] by id -> [n,C]. ids must stay valid until the backward pass.
// Errors: R1_ERROR_ARGUMENT for an id outside of the table.
R1_DEF r1_tensor *r1_embed(r1_context *ctx, r1_tensor *table, const int32_t *ids, size_t n);
// x [..,I], w [O,I], bias [O] or NULL -> [..,O]: y = x w^T + bias.
R1_DEF r1_tensor *r1_matmul(r1_context *ctx, r1_tensor *x, r1_tensor *w, r1_tensor *bias);
// Elementwise a + b and a * b; equal shapes.
R1_DEF r1_tensor *r1_add(r1_context *ctx, r1_tensor *a, r1_tensor *b);
R1_DEF r1_tensor *r1_mul(r1_context *ctx, r1_tensor *a, r1_tensor *b);
// The sum of all elements -> [1].
R1_DEF r1_tensor *r1_sum(r1_context *ctx, r1_tensor *x);
// Columns from .. from + count of the last dimension.
R1_DEF r1_tensor *r1_columns(r1_context *ctx, r1_tensor *x, size_t from, size_t count);
// a [T,H,A] and b [T,H,W] or [T,1,W] (shared by the heads) -> [T,H,A+W].
// MLA's queries and keys: the part without position, then the rotated part.
R1_DEF r1_tensor *r1_join(r1_context *ctx, r1_tensor *a, r1_tensor *b);
// x [..,C], gain [C]: x / sqrt(mean(x^2) + eps) * gain.   Source: V3 section 4.2, eps 1e-6.
R1_DEF r1_tensor *r1_rmsnorm(r1_context *ctx, r1_tensor *x, r1_tensor *gain, double eps);
// silu(gate) * up, equal shapes.   Source: V3code MLP.
R1_DEF r1_tensor *r1_swiglu(r1_context *ctx, r1_tensor *gate, r1_tensor *up);

// cos and sin of position * theta^(-2i/D) for positions below n, i < D/2; both [n, D/2].
typedef struct r1_rope_table {
    const r1i_real *cosine, *sine;
    size_t n, D;
} r1_rope_table;
// x [T,H,D] rotated by positions [T]: pairs (2i, 2i+1), or (i, i+D/2) with `halves` (Qwen2, Llama).
//   Source: V3code apply_rotary_emb.
// positions and the table must stay valid until the backward pass. Errors: R1_ERROR_ARGUMENT for a
// position that the table does not have.
R1_DEF r1_tensor *r1_rope(r1_context *ctx, r1_tensor *x, const int32_t *positions,
                          const r1_rope_table *table, bool halves);
// Causal attention inside each packed sequence. q [T,H,D], k [T,Hk,D], v [T,Hk,W] -> [T,H,W]; H is
// a multiple of Hk. starts [B+1], rows of sequence b are starts[b] .. starts[b+1]. `scale`
// multiplies q.
R1_DEF r1_tensor *r1_attention(r1_context *ctx, r1_tensor *q, r1_tensor *k, r1_tensor *v,
                               const size_t *starts, size_t B, double scale);
// Rows from .. from + count of every head's matrix in w [H,P,Q]. up: x [T,H,count] -> [T,H,Q], else
// x [T,H,Q] -> [T,H,count]. The absorbed form of MLA.   Source: V2 section 2.1.2.
R1_DEF r1_tensor *r1_head_matmul(r1_context *ctx, r1_tensor *x, r1_tensor *w, size_t from,
                                 size_t count, bool up);

// How a router chooses.   Source: V3 eq. 12 to 16.
typedef struct r1_route_desc {
    size_t chosen;       // K, experts per token
    size_t groups, kept; // groups of experts, and how many stay eligible;  0 = 1 and all
    double scale;        // routed_scaling_factor;                          0 = 1
    bool normalise;      // divide the gates by their sum
    bool softmax;        // V2: softmax affinities, group score = maximum
} r1_route_desc;
// What a router decided. Arrays live as long as the step; row r of the sorted order belongs to
// token token[r], expert e owns rows offsets[e] .. offsets[e+1].
typedef struct r1_routing {
    r1_tensor *scores, *gates; // [T,E], [T,K]
    size_t T, E, K;
    int32_t *choice, *row, *token; // [T,K], [T,K], [T*K]
    size_t *offsets;               // [E+1]
} r1_routing;
// Affinities, choice and gates from logits [T,E]; bias [E] or NULL only moves the choice. replay
// [T,K] (ascending per token) or NULL gives the choice instead. NULL on error.
R1_DEF r1_routing *r1_route(r1_context *ctx, r1_tensor *logits, const r1i_real *bias,
                            const r1_route_desc *desc, const int32_t *replay);
// x [T,C] -> [T*K,C], rows sorted by expert.
R1_DEF r1_tensor *r1_dispatch(r1_context *ctx, r1_tensor *x, const r1_routing *routing);
// x [T*K,I] sorted by expert, w [E,O,I] -> [T*K,O]. An expert without rows costs nothing.
R1_DEF r1_tensor *r1_expert_matmul(r1_context *ctx, r1_tensor *x, r1_tensor *w,
                                   const r1_routing *routing);
// x [T*K,C] -> [T,C]: the gated sum, experts in index order.
R1_DEF r1_tensor *r1_combine(r1_context *ctx, r1_tensor *x, const r1_routing *routing);
// Sequence balance loss -> [B]: weight[b] * sum_e f_e P_e.   Source: V3 eq. 17 to 20.
// Differs: f counts the experts that were chosen, bias included; V3 counts the K best scores.
R1_DEF r1_tensor *r1_balance(r1_context *ctx, const r1_routing *routing, const size_t *starts,
                             size_t B, const r1i_real *weight);

// Per row: log-probability of the target, entropy, and the most likely id.
typedef struct r1_logprobs {
    r1_tensor *logp;    // [T]; the gradient flows through this one
    r1_tensor *entropy; // [T]
    int32_t *best;      // [T]
} r1_logprobs;
// log softmax(head hidden / temperature)[target] by vocabulary tiles; the [T,V] logits never exist.
//   hidden [T,C], head [V,C], targets [T]. temperature 0 = 1. NULL on error.
// targets must stay valid until the backward pass. entropy has no gradient.
R1_DEF r1_logprobs *r1_logprob(r1_context *ctx, r1_tensor *hidden, r1_tensor *head,
                               const int32_t *targets, double temperature);

// Gradients of the scalar y [1] with respect to everything it was made from; parameters accumulate.
// Nothing happens when y depends on nothing that wants a gradient. Only records of the present step
// are walked.
R1_DEF void r1_backward(r1_context *ctx, r1_tensor *y);
// The same from a given gradient dy of y, with as many elements. One pass per step: gradients of
// intermediate tensors stay until the step ends, so a second pass is R1_ERROR_ARGUMENT.
R1_DEF void r1_backward_from(r1_context *ctx, r1_tensor *y, const r1i_real *dy);
// Adds dy to the gradient of y without a pass: for a step with several outputs, seed all but one.
R1_DEF void r1_seed(r1_context *ctx, r1_tensor *y, const r1i_real *dy);
// Ops between begin and end leave no record. They nest.
R1_DEF void r1_no_grad_begin(r1_context *ctx);
R1_DEF void r1_no_grad_end(r1_context *ctx);

// Builds a scalar from the parameters; used by r1_grad_check, so it must not draw random numbers.
typedef r1_tensor *r1_loss_fn(r1_context *ctx, void *arg);
// Compares gradients with central differences of width h: the largest |difference| / (1 + |slope|)
// over all elements of the n parameters. Meant for builds with R1I_REAL = double.
R1_DEF double r1_grad_check(r1_context *ctx, r1_loss_fn *loss, void *arg, r1_tensor **parameters,
                            size_t n, double h);
// ==== [optimizer] ================================================================================
// AdamW, gradient clipping and schedules, on ranges of flat buffers. Calls [base] and [backend].

// Weights that are updated alike: parameters, gradients and the two moments, n of each.
typedef struct r1_range {
    r1i_real *w, *g, *m, *v;
    size_t n;
    bool decayed; // whether weight decay applies
} r1_range;

// Options of AdamW.
typedef struct r1_adamw_desc {
    double beta1;     // 0 = 0.9
    double beta2;     // 0 = 0.95 (V3 section 4.2)
    double eps;       // 0 = 1e-8
    double decay;     // 0 = 0.1 (V3); R1_OFF = none
    double clip_norm; // largest gradient norm; 0 = 1 (V3); R1_OFF = no clipping
} r1_adamw_desc;

// Euclidean norm of the gradients of n ranges, in double, in an order fixed by the sizes.
R1_DEF double r1_grad_norm(r1_context *ctx, const r1_range *ranges, size_t n);
// One update: clips to clip_norm, moves the weights by lr, leaves the gradients. step counts from
// 1. Returns the norm before clipping. When that is not finite nothing is changed and the context
// gets R1_ERROR_NUMBER: an update is all or nothing.   Source: Loshchilov and Hutter (2019).
R1_DEF double r1_adamw_step(r1_context *ctx, const r1_range *ranges, size_t n,
                            const r1_adamw_desc *desc, double lr, uint64_t step);

// The way down from the plateau of a schedule.
typedef enum r1_schedule_kind { R1_CONSTANT = 0, R1_LINEAR, R1_COSINE } r1_schedule_kind;
//   peak      ________              rises as peak * step / warmup, stays until `hold`, then falls
//            /        \             along a line or half a cosine to peak * floor at `steps` and
//   floor   /          \________    stays there. Give `steps` with R1_LINEAR and R1_COSINE: at 0
//           0 warmup hold  steps    the rate is at its floor right after the plateau.
typedef struct r1_schedule {
    r1_schedule_kind kind;
    double peak;
    double floor;                 // fraction of the peak at the end
    uint64_t warmup, hold, steps; // hold below warmup counts as warmup
} r1_schedule;
// The learning rate at a step.   Source: V3 section 4.2 (linear, constant, cosine).
R1_DEF double r1_schedule_value(const r1_schedule *schedule, uint64_t step);

// ==== [json] =====================================================================================
// Reads and writes JSON (RFC 8259), bounded and strict. Calls [base]. Texts come from others, so
// memory and time grow no faster than n log n, whoever wrote them.
// Refused: more than 64 levels, bad UTF-8, lone surrogates, a key twice in one object, anything
// behind the value, a byte order mark, numbers beyond the range of double (too small becomes 0).

enum { R1_JSON_DEPTH = 64 }; // levels of arrays and objects, reading and writing

// What a node of JSON is.
typedef enum r1_json_kind {
    R1_JSON_NULL,
    R1_JSON_BOOL,
    R1_JSON_NUMBER,
    R1_JSON_STRING,
    R1_JSON_ARRAY,
    R1_JSON_OBJECT
} r1_json_kind;

// A value of a document, owned by the root. `key` is set in members of an object. `text` is the
// content of a string, or a number as it was written (a double holds integers exactly only up to
// 2^53). Both are decoded, may contain zero bytes, and have one more zero byte behind their end.
typedef struct r1_json r1_json;
struct r1_json {
    r1_json_kind kind;
    bool boolean;
    double number;
    r1_slice key, text;
    size_t count;   // elements or members
    r1_json *child; // the first of them, in the order of the text
    r1_json *next;  // the next one of the same parent
};

// Reads one document. NULL and R1_ERROR_FORMAT, which names the byte, the line, the column and what
// was wrong, when it is not JSON. The text may go away afterwards. Free with r1_json_free.
R1_DEF r1_json *r1_json_read(r1_context *ctx, const char *text, size_t size);
// The same for texts that may well be wrong, such as a model's answer: NULL without an error of the
// context, and the reason in `problem` (may be NULL). Only missing memory is an error.
R1_DEF r1_json *r1_json_try(r1_context *ctx, const char *text, size_t size, char *problem,
                            size_t problem_bytes);
// Frees a document by its root. NULL is fine.
R1_DEF void r1_json_free(r1_context *ctx, r1_json *root);
// The member with this key, NULL if there is none or `object` is no object. Linear in the members;
// to see all of them, walk child and next.
R1_DEF const r1_json *r1_json_find(const r1_json *object, const char *key);
// The element with this index, NULL if there is none or `array` is no array. Linear in the index.
R1_DEF const r1_json *r1_json_at(const r1_json *array, size_t index);
// The value of a number, `otherwise` for any other node and for NULL.
R1_DEF double r1_json_number(const r1_json *node, double otherwise);
// The content of a string, the empty slice for any other node and for NULL.
R1_DEF r1_slice r1_json_text(const r1_json *node);
// The value of true and false, `otherwise` for any other node and for NULL.
R1_DEF bool r1_json_bool(const r1_json *node, bool otherwise);

// Writes JSON into memory, commas included. Start with {.ctx = ctx}; `text` is what was written so
// far, `size` bytes and a zero byte. Misuse (a key outside an object, a member without key, an end
// without begin) is R1_ERROR_ARGUMENT; after any error `failed` is set and calls do nothing.
typedef struct r1_json_writer {
    r1_context *ctx;
    char *text;
    size_t size, capacity;
    int depth;        // of open arrays and objects
    uint64_t objects; // bit d: level d is an object
    bool failed;
} r1_json_writer;

// Opens an object or array; `key` is its name in an object and NULL elsewhere, here and below.
R1_DEF void r1_json_begin_object(r1_json_writer *writer, const char *key);
R1_DEF void r1_json_begin_array(r1_json_writer *writer, const char *key);
// Closes the innermost one, which must be of this kind.
R1_DEF void r1_json_end_object(r1_json_writer *writer);
R1_DEF void r1_json_end_array(r1_json_writer *writer);
// 15, 16 or 17 digits, the fewest that read back as this double; NaN and infinity are null.
R1_DEF void r1_json_write_number(r1_json_writer *writer, const char *key, double value);
// All digits of an integer.
R1_DEF void r1_json_write_integer(r1_json_writer *writer, const char *key, int64_t value);
// A string; bytes that are not UTF-8 become U+FFFD, so that the line stays JSON.
R1_DEF void r1_json_write_text(r1_json_writer *writer, const char *key, const char *text,
                               size_t size);
// true or false.
R1_DEF void r1_json_write_bool(r1_json_writer *writer, const char *key, bool value);
// null.
R1_DEF void r1_json_write_null(r1_json_writer *writer, const char *key);
// Forgets the text and the failure, and keeps the memory.
R1_DEF void r1_json_writer_reset(r1_json_writer *writer);
// Frees the text. The writer is then as new.
R1_DEF void r1_json_writer_free(r1_json_writer *writer);

// ==== [file] =====================================================================================
// Whole files, folders, and tensors in the safetensors format. Calls [json] and the rooms above it.
// A file is replaced by a finished one or not touched at all; a damaged file is an error that names
// it. Paths are bytes as the system takes them.

// Reads a whole file, or a pipe to its end. The text is followed by a zero byte that `size` (may be
// NULL) does not count. Free with r1_file_free. Errors: R1_ERROR_FILE.
R1_DEF char *r1_file_read(r1_context *ctx, const char *path, size_t *size);
// Frees what r1_file_read gave. NULL is fine.
R1_DEF void r1_file_free(r1_context *ctx, char *text);
// Writes a whole file: a temporary file beside it, synced to the disk and then renamed, so that a
// crash or a full disk leaves the old file whole. A symbolic link is replaced, not followed.
// Errors: R1_ERROR_FILE with the path, the reason and a remedy; nothing is left behind.
R1_DEF r1_status r1_file_write(r1_context *ctx, const char *path, const void *data, size_t size);
// Makes a folder and the folders above it; it is fine if they exist. Errors: R1_ERROR_FILE.
R1_DEF r1_status r1_folder_make(r1_context *ctx, const char *path);

enum { R1_ENTRY_RANK = 8 }; // dimensions that a stored tensor can have

// One stored tensor: row-major, little-endian. `data` follows the entries before it without a
// gap, so it may be unaligned for its dtype: copy with memcpy unless you know the file.
typedef struct r1_entry {
    const char *name; // UTF-8
    r1_dtype dtype;
    int rank; // 0 is a single number
    size_t shape[R1_ENTRY_RANK];
    const void *data;
    size_t bytes; // the product of shape and the dtype's size
} r1_entry;

// A line of a file's metadata, both zero-terminated UTF-8.
typedef struct r1_pair {
    const char *key, *value;
} r1_pair;

// An open safetensors file. Entries and their data live until it is closed.
typedef struct r1_tensors r1_tensors;

// Opens a file, mapped into memory where the system can; it must not change while it is open.
// Refuses with R1_ERROR_FORMAT and the reason what is not exact: header, names, dtypes, shapes,
// overlaps, holes, bytes left over. Files of r1_tensors_save are read once to check their hash, so
// that any changed bit is found; files of other programs have none and load without that.
//   Differs: the reference reader lets white space precede the header's "{"; this one does not.
R1_DEF r1_tensors *r1_tensors_open(r1_context *ctx, const char *path);
// Number of tensors; 0 for NULL.
R1_DEF size_t r1_tensors_count(const r1_tensors *tensors);
// The tensor at this place, in the order of the data; NULL beyond the end.
R1_DEF const r1_entry *r1_tensors_at(const r1_tensors *tensors, size_t index);
// The tensor of this name, in logarithmic time; NULL if there is none.
R1_DEF const r1_entry *r1_tensors_find(const r1_tensors *tensors, const char *name);
// A value of the file's metadata; the empty slice with NULL data if the key is not there.
R1_DEF r1_slice r1_tensors_metadata(const r1_tensors *tensors, const char *key);
// Closes the file and frees all that came from it. NULL is fine.
R1_DEF void r1_tensors_close(r1_tensors *tensors);
// Writes a safetensors file as r1_file_write does, without copying the data. Refuses what the
// reader would refuse. Metadata keys that begin with "r1." belong to the library ("r1.hash"
// covers every byte of the file). Errors: R1_ERROR_ARGUMENT, R1_ERROR_FILE.
R1_DEF r1_status r1_tensors_save(r1_context *ctx, const char *path, const r1_entry *entries,
                                 size_t n, const r1_pair *metadata, size_t n_metadata);

// ==== [log] ======================================================================================
// Metrics as JSON lines, one object a row: the source of truth of a run. Calls [json] and [file].
// Rows are only ever added, and each is handed to the system whole before the next begins, so a
// crash costs at most the row that was being written. NULL as a log is quiet everywhere.

// A log that is open to write. (The short name r1_log is the logarithm's.)
typedef struct r1_log_file r1_log_file;

// Opens a log to write; `append` keeps its rows (a torn last row, left by a crash, is cut away),
// else it starts empty. Errors: R1_ERROR_FILE. Close with r1_log_close.
R1_DEF r1_log_file *r1_log_open(r1_context *ctx, const char *path, bool append);
// Add a field to the row; the first one begins it. `key` is NULL inside an array. Text, numbers and
// misuse are as with the JSON writer.
R1_DEF void r1_log_number(r1_log_file *log, const char *key, double value);
R1_DEF void r1_log_integer(r1_log_file *log, const char *key, int64_t value);
R1_DEF void r1_log_text(r1_log_file *log, const char *key, const char *text, size_t size);
R1_DEF void r1_log_bool(r1_log_file *log, const char *key, bool value);
// Open and close an array or object inside the row.
R1_DEF void r1_log_begin_array(r1_log_file *log, const char *key);
R1_DEF void r1_log_end_array(r1_log_file *log);
R1_DEF void r1_log_begin_object(r1_log_file *log, const char *key);
R1_DEF void r1_log_end_object(r1_log_file *log);
// Ends the row and hands it to the system. A row that cannot be written whole is taken back and is
// R1_ERROR_FILE; one with an array or object still open is dropped and is R1_ERROR_ARGUMENT. Rows
// up to 64 KiB work on a context that already has an error, so that a log can say why a run ended.
R1_DEF r1_status r1_log_row(r1_log_file *log);
// Waits until all rows are on the disk; call it before a checkpoint notes r1_log_bytes.
R1_DEF r1_status r1_log_sync(r1_log_file *log);
// Bytes of the file now, complete rows only; 0 for NULL.
R1_DEF size_t r1_log_bytes(const r1_log_file *log);
// Closes the file; a row that was not ended is dropped.
R1_DEF void r1_log_close(r1_log_file *log);
// Cuts a log that is not open back to the size it had at a checkpoint, which must be the end of a
// row. Errors: R1_ERROR_FILE if it is shorter than that, R1_ERROR_FORMAT if no row ends there.
R1_DEF r1_status r1_log_cut(r1_context *ctx, const char *path, size_t bytes);
// ==== [tokenizer] ================================================================================
// Text to token ids and back. Calls [base]. The piece tokenizer serves toy tasks: a list of pieces,
// the longest that matches wins.

// A vocabulary and its rules; belongs to its context.
typedef struct r1_tokenizer r1_tokenizer;
// A tokenizer whose id i is pieces[i]; pieces are copied, and must be distinct and not empty.
R1_DEF r1_tokenizer *r1_tokenizer_pieces(r1_context *ctx, const char *const *pieces, size_t n);
R1_DEF void r1_tokenizer_free(r1_tokenizer *tokenizer);
// The number of ids.
R1_DEF size_t r1_tokenizer_count(const r1_tokenizer *tokenizer);
// The id of a piece, or -1.
R1_DEF int32_t r1_tokenizer_find(const r1_tokenizer *tokenizer, const char *piece);
// Greedy: at each place the longest piece that fits is taken and never reconsidered. Writes at most
// `capacity` ids and returns how many the text needs; SIZE_MAX when no piece fits at some place,
// which is a value and not an error of the context (the ids before that place are written).
R1_DEF size_t r1_encode(const r1_tokenizer *tokenizer, const char *text, size_t size, int32_t *ids,
                        size_t capacity);
// Writes the text of n ids, zero-terminated and cut to `capacity` bytes; returns its full length.
// Ids outside the vocabulary give nothing.
R1_DEF size_t r1_decode(const r1_tokenizer *tokenizer, const int32_t *ids, size_t n, char *text,
                        size_t capacity);
// ==== [model] ====================================================================================
// A DeepSeek-V3-style decoder: MLA, DeepSeekMoE, or by the same config a dense GQA decoder (Qwen2).
// Calls [tape], [file], [json]. Parameters carry the names that Hugging Face checkpoints use.

// Latent attention (V2, V3), or keys and values shared by groups of heads (Qwen2).
typedef enum r1_attention_kind { R1_MLA = 0, R1_GQA } r1_attention_kind;
// The two forms of MLA compute the same function in two arithmetics; a run uses one. Absorbed
// caches kv_rank + rope_dim numbers a token, expanded caches the keys and values of every head:
// 576 against 128 * (192 + 128) = 40960 in each layer of V3. AUTO takes the one with fewer
// multiply-adds per cached token, by the config alone.   Source: V3 eq. 1 to 11, V2 section 2.1.2.
typedef enum r1_mla_form { R1_MLA_AUTO = 0, R1_MLA_EXPANDED, R1_MLA_ABSORBED } r1_mla_form;

// Longer contexts than the one a model was first trained on. YaRN leaves fast frequencies alone,
// divides slow ones by `factor`, and blends between those that turn beta_fast and beta_slow times
// within `original` tokens. It scales cos and sin by m(mscale) / m(mscale_all), and the scores of
// MLA by m(mscale_all)^2, where m(a) = 0.1 a ln(factor) + 1.   Source: V3 section 4.3.
typedef enum r1_rope_kind { R1_ROPE_PLAIN = 0, R1_ROPE_YARN } r1_rope_kind;
// See r1_rope_kind; the numbers of V3 in brackets.
typedef struct r1_rope_scaling {
    r1_rope_kind kind;
    double factor;               // [40]
    size_t original;             // tokens of the first training [4096];  0 = max_tokens
    double beta_fast, beta_slow; // 0 = 32 and 1
    double mscale, mscale_all;   // [1, 1]; as in Hugging Face, 0 is not 1 but absent
} r1_rope_scaling;

// Sizes of a model; paper.md's symbols in brackets are those of V3.   Source: V3 section 4.2.
typedef struct r1_model_config {
    size_t vocab, width, layers, heads; // [129280, 7168, 61, 128]
    size_t max_tokens;                  // longest sequence, prompt included
    r1_attention_kind attention;
    r1_mla_form mla_form;
    size_t q_rank;                        // query compression [1536];  0 = none
    size_t kv_rank;                       // latent of keys and values [512]
    size_t nope_dim, rope_dim, value_dim; // per head [128, 64, 128]
    size_t kv_heads, head_dim;            // GQA only;  0 = heads, width / heads
    bool qkv_bias;                        // GQA only; Qwen2 has it
    size_t dense_width;                   // hidden width of dense layers [18432]
    size_t dense_layers;                  // layers without experts, from the first [3]
    size_t experts, chosen, shared; // routed, per token, always on [256, 8, 1];  0 = dense model
    size_t expert_width;            // hidden width of one expert [2048]
    size_t groups, kept_groups;     // node-limited routing [8, 4];  0 = off
    bool normalise_gates, softmax_scores; // V3: true, false
    double routed_scale;                  // [2.5];  0 = 1
    bool tied_head;
    size_t mtp_layers;    // depths of multi-token prediction [1];  0 = none. MLA only
    double rope_theta;    // 0 = 10000
    r1_rope_scaling rope; // how positions beyond the first training are reached
    double norm_eps;      // 0 = 1e-6
    double init_std;      // of every matrix; 0 = by its inputs, see r1_model_new; the paper: 0.006
} r1_model_config;

// Weights, gradients and router biases. One model serves training, scoring and generation.
typedef struct r1_model r1_model;

// A named parameter: a view of the flat buffers. Expert matrices are stacked [E,O,I]; r1_model_find
// gives those of one expert by their own name.
typedef struct r1_parameter {
    char name[96];
    r1_tensor *tensor;
    int range;      // index into r1_model_ranges
    double initial; // how it starts: deviation of normal numbers, 0 = zeros, -1 = ones
} r1_parameter;

// A model with random weights drawn from the seed of the context. NULL and R1_ERROR_ARGUMENT with
// the field that does not fit. Gains are ones, biases zeros, matrices normal with deviation
// init_std. Where that is 0 they have 1 / sqrt(inputs), those that end a residual branch (o_proj,
// down_proj) half of it, the embedding 0.5 and an untied head 0.02.
//   Differs: V3 section 4.2 starts every matrix with 0.006.
R1_DEF r1_model *r1_model_new(r1_context *ctx, const r1_model_config *config);
// Frees the model. NULL is fine.
R1_DEF void r1_model_free(r1_model *model);
// A read-only copy of the weights as they are now, e.g. the reference policy. It has no moments,
// but the memory of gradients like every model.
R1_DEF r1_model *r1_model_clone(r1_model *model);
// Copies all weights and router biases from one model to another of the same config.
R1_DEF r1_status r1_model_copy(r1_model *to, const r1_model *from);
// The context that the model belongs to.
R1_DEF r1_context *r1_model_context(r1_model *model);
// Its config, with every default filled in.
R1_DEF const r1_model_config *r1_model_config_of(const r1_model *model);
// All parameters, in a fixed order.
R1_DEF const r1_parameter *r1_model_parameters(const r1_model *model, size_t *n);
// A parameter by its Hugging Face name, single experts included; NULL if there is none. A single
// expert is a view of its stack that lives until the open step ends.
R1_DEF r1_tensor *r1_model_find(r1_model *model, const char *name);
// The flat buffers: decayed, undecayed, experts. Moments are NULL until r1_model_train_ready.
R1_DEF r1_range *r1_model_ranges(r1_model *model, size_t *n);
// Makes the moments; R1_OK when they exist already.
R1_DEF r1_status r1_model_train_ready(r1_model *model);
// Numbers in all parameters.
R1_DEF size_t r1_model_size(const r1_model *model);
// A hash of all weights and router biases: equal hashes, equal bits.
R1_DEF uint64_t r1_model_hash(const r1_model *model);
// The head [V,C]; the embedding table when tied.
R1_DEF r1_tensor *r1_model_head(r1_model *model);
// The bias of a layer's router [E]; NULL for a dense layer. Depth k of multi-token prediction is
// layer layers + k - 1.
R1_DEF r1i_real *r1_model_router_bias(r1_model *model, size_t layer);

// Packed sequences for a forward pass; zero what is not needed. No row is padding:
//   tokens  a0 a1 a2 | b0 b1 | c0 c1 c2 c3        starts  0 3 5 9        B = 3, T = 9
typedef struct r1_batch {
    const int32_t *tokens; // [starts[B]]
    const size_t *starts;  // [B+1]
    size_t B;
    const int32_t *replay;           // router choices to use, [T, MoE layers, K]; NULL = choose
    int32_t *routes;                 // receives the choices, same shape
    const r1i_real *balance_weight;  // [B]: asks for the balance loss with this weight per sequence
    r1_tensor *balance;              // receives it, [B]; r1_seed its gradient
    uint64_t *loads;                 // adds each expert's tokens, [routers, E]
    const struct r1i_cached *cached; // set by [generate]
} r1_batch;
// Hidden states [T,C] after the last norm, on the tape unless gradients are off. NULL on error.
R1_DEF r1_tensor *r1_model_forward(r1_model *model, r1_batch *batch);
// Layers with experts in the main model: a token makes chosen times as many choices.
R1_DEF size_t r1_model_moe_layers(const r1_model *model);
// The same with the layers of multi-token prediction, which stand behind the others.
R1_DEF size_t r1_model_routers(const r1_model *model);
// Moves each router bias by -rate where the load is above the mean of its layer and +rate where it
// is below. loads [routers, E] of the whole batch.   Source: V3 section 2.1.2 (rate 0.001).
R1_DEF void r1_model_balance_bias(r1_model *model, const uint64_t *loads, double rate);
// Log-probability and entropy of every token given those before it, without gradients; the first
// token of a sequence gets 0. logp, entropy [T], either may be NULL. micro_tokens bounds a pass; 0
// = 4096.
R1_DEF r1_status r1_model_score(r1_model *model, const r1_batch *batch, double temperature,
                                size_t micro_tokens, float *logp, float *entropy);

// Writes folder/model.safetensors, then folder/config.json, under Hugging Face names. Each file is
// replaced by a finished one or not at all; a crash between them leaves the new weights beside the
// old config, so save another model into another folder.
R1_DEF r1_status r1_model_save(r1_model *model, const char *folder);
// Reads such a folder; stored f32, f64, bf16 and f16 become floats. Errors name the file, the
// tensor and both shapes.
R1_DEF r1_model *r1_model_load(r1_context *ctx, const char *folder);
// Fills a config from the text of a config.json (deepseek_v3, qwen2).
R1_DEF r1_status r1_model_config_read(r1_context *ctx, const char *text, size_t size,
                                      r1_model_config *config);
// ==== [generate] =================================================================================
// Draws tokens from a model: cached, many sequences at a time, one prefill per prompt. Calls
// [model]. What is drawn is a function of (seed, stream, step, prompt key, sample, position) and
// the weights: batch size, cache size and threads cannot show in it.

// How a token is drawn from its logits.
typedef struct r1_sampler_desc {
    double temperature; // softmax(logits / temperature);  0 = 1
    size_t top_k;       // keep the k most likely ids;     0 = all
    double top_p;       // keep the most likely ids that hold this probability;  0 = all
    bool greedy;        // the most likely id; temperature then only scales the log-probs
    uint32_t stream;    // of the random numbers;  0 = R1_STREAM_SAMPLE
    uint32_t step;      // counter of the random numbers: another step, another draw
} r1_sampler_desc;

// Options of a call of r1_generate.
typedef struct r1_generate_desc {
    r1_sampler_desc sampler;
    size_t max_new;       // longest completion;                  0 = up to the model's max_tokens
    size_t batch;         // sequences that run at a time;        0 = 256
    size_t cache_tokens;  // room for cached tokens;              0 = enough for the batch
    const int32_t *stops; // ids that end a completion (kept as its last token)
    size_t n_stops;
    bool routes;      // keep each token's router choices
    size_t speculate; // tokens to draft ahead by multi-token prediction, at most mtp_layers. Drafts
                      // are checked with the noise that plain sampling uses: same text, same bits
    void (*progress)(void *user, size_t finished, size_t total, size_t tokens); // may be NULL
    void *user;
} r1_generate_desc;

// A prompt. Equal keys, equal draws: give each prompt of a step its own key, such as its data
// index.
typedef struct r1_prompt {
    const int32_t *tokens;
    size_t n;
    uint32_t key;
} r1_prompt;

// Components that a reward can have.
enum { R1_MAX_PARTS = 8 };

// One answer. Arrays belong to the rollout and cover prompt and completion; logp and entropy are 0
// on the prompt, and are those of the sampler: nothing recomputes them. The lower half is for
// rewards.
typedef struct r1_sample {
    size_t prompt, index; // which prompt of the call, which of its group
    uint32_t key;         // of the prompt
    int32_t *tokens;
    float *logp, *entropy; // under softmax(logits / temperature) of all ids
    int32_t *routes;       // [n - 1, MoE layers, K] if asked for: the rows that were fed
    size_t n_prompt, n;    // tokens of the prompt, and in all
    bool truncated;        // ended by a limit, not by a stop
    bool judged;           // whether the reward below is a verdict
    double reward, parts[R1_MAX_PARTS], advantage;
    size_t capacity, routes_capacity;
} r1_sample;

// The answers of one call, sorted by prompt, then index. Reused from call to call.
typedef struct r1_rollout {
    r1_sample *samples;
    size_t n, prompts, group;
    size_t tokens, prefill_tokens, steps, evicted; // sampled, prefilled, decode passes, sent back
    size_t drafted, accepted;                      // tokens that were guessed, and rightly
    struct r1i_engine *engine;
} r1_rollout;

// An empty rollout; NULL without memory.
R1_DEF r1_rollout *r1_rollout_new(r1_context *ctx);
// Frees it with its samples and caches. NULL is fine.
R1_DEF void r1_rollout_free(r1_rollout *rollout);
// Draws `group` answers to each prompt into the rollout. desc NULL = all defaults. When the cache
// is full the newest sequence goes back to the queue and is drawn again: its text does not change.
// Errors: R1_ERROR_ARGUMENT (no prompts, an empty or too long prompt), R1_ERROR_MEMORY (the cache
// cannot hold two sequences), R1_ERROR_NUMBER (logits that are not finite).
R1_DEF r1_status r1_generate(r1_model *model, r1_rollout *rollout, const r1_prompt *prompts,
                             size_t n, size_t group, const r1_generate_desc *desc);
// ==== [answer] ===================================================================================
// Finds the answer in a model's text and compares it with the expected one, exactly and in bounded
// time. Calls [base] and [random]. A verdict is never a guess: *different* is always proved,
// *equal* is exact in rational numbers and holds to more than 100 digits elsewhere, and what can be
// neither proved nor refuted is *undecided*, which a reward must not take for a 0.
//   Differs: the paper parses answers with SymPy; this is a parser and an arithmetic of our own.

// What a comparison found. Undecided means: neither proved nor refuted, for the reason given.
typedef enum r1_equality { R1_UNDECIDED = 0, R1_EQUAL, R1_DIFFERENT } r1_equality;

// Where r1_answer_extract looks, in this order; flags that can be joined. LETTER is for multiple
// choice and never part of the default. AFTER_THINK: only what follows the last </think> counts,
// and a text that never closes its <think> has no answer.
enum {
    R1_EXTRACT_AFTER_THINK = 1,
    R1_EXTRACT_LETTER = 2,
    R1_EXTRACT_TAG = 4,
    R1_EXTRACT_BOXED = 8,
    R1_EXTRACT_BARE = 16,
    R1_EXTRACT_PHRASE = 32,
    R1_EXTRACT_MATH = 64,
    R1_EXTRACT_NUMBER = 128,
    R1_EXTRACT_DEFAULT = 4 | 8 | 16 | 32 | 64 | 128
};

// How to compare; NULL or zeros are the usual rules.
typedef struct r1_answer_desc {
    bool ordered; // "1, 2" and "2, 1" differ
    int digits;   // significant digits that make a decimal an approximation; 0 = 3, R1_OFF = never
    size_t steps; // work limit of one comparison;                             0 = 3 million
} r1_answer_desc;

// The work area of one thread: about 2 MiB. It is only used during a call, which leaves the context
// alone, so that rewards can run on workers.
typedef struct r1_answer_work r1_answer_work;

// A work area that belongs to the context. NULL and a sticky error when there is no memory.
R1_DEF r1_answer_work *r1_answer_new(r1_context *ctx);
// Frees a work area before its context. NULL is fine.
R1_DEF void r1_answer_free(r1_answer_work *work);
// The answer inside a text: <answer>...</answer>, the last \boxed{...} (neighbours joined by "and"
// or commas count as one), the text itself when it is no sentence, "the answer is ...", the last
// formula, the last number; only the places in `modes` (0 = default). The slice points into the
// text; its data is NULL when there is none. Linear in the size.
R1_DEF r1_slice r1_answer_extract(r1_slice text, unsigned modes);
// Compares two bare answers, LaTeX or plain. `reason` (may be NULL) gets a sentence of at most
// `size` bytes. Malformed input, calculus, and whatever exceeds the limits of work, memory or depth
// are undecided; desc may be NULL. Lists and sets ignore order and repetition; a unit, a percent
// sign or a variable ("x =") that only one side has is ignored.
R1_DEF r1_equality r1_answer_equal(r1_answer_work *work, r1_slice gold, r1_slice pred,
                                   const r1_answer_desc *desc, char *reason, size_t size);
// Extracts from both texts (from `pred` with `modes`, by the letter when the gold answer is the
// letter of an option) and compares. A prediction without an answer is different.
R1_DEF r1_equality r1_answer_check(r1_answer_work *work, r1_slice gold, r1_slice pred,
                                   unsigned modes, const r1_answer_desc *desc, char *reason,
                                   size_t size);
// "equal", "different" or "undecided".
R1_DEF const char *r1_equality_name(r1_equality verdict);
// ==== [score] ====================================================================================
// What a run is worth: pass@1, pass@k, cons@k, intervals, tests, and whether the training set knew
// the questions. Calls [base] and [random].
// The unit of chance is the problem: its samples are averaged first, then problems are resampled.

// One problem of a benchmark. A sample that could not be judged is not in `samples`, so it is
// neither right nor wrong.
typedef struct r1_score_problem {
    size_t samples, correct; // drawn and judged; of these right
    int level;               // of difficulty, or any other group
} r1_score_problem;

// A mean with its confidence interval.
typedef struct r1_score {
    double mean, low, high;
    size_t problems;
    int level;
} r1_score;

// A comparison of two runs on the same problems: mean of b - a, its interval, and the two-sided
// p-value of "no difference".
typedef struct r1_score_test {
    double difference, low, high, p_value;
} r1_score_test;

// pass@1 of a problem: correct / samples, the mean over the samples drawn; 0 without samples.
//   Source: R2 D.1, pass@1 = (1/k) sum p_i.
R1_DEF double r1_score_pass_1(const r1_score_problem *problem);
// Unbiased pass@k: 1 - C(n-c, k) / C(n, k), as the product of 1 - k/i over i = n-c+1 ... n, which
// cannot overflow. k above n counts as n; 0 when nothing was drawn.
//   Source: Chen et al., "Evaluating large language models trained on code" (2021), eq. 1.
R1_DEF double r1_score_pass_k(size_t samples, size_t correct, size_t k);
// G-Pass@k: the chance that at least `threshold` * k (and at least one) of k samples drawn without
// putting back are right. Threshold 0 is pass@k, 1 is "all of k".
R1_DEF double r1_score_g_pass_k(size_t samples, size_t correct, size_t k, double threshold);
// The mean of G-Pass@k over thresholds above one half: 2/k sum of G-Pass@k(i/k), i > k/2 rounded
// up.
R1_DEF double r1_score_mean_g_pass_k(size_t samples, size_t correct, size_t k);
// cons@n: the index of the first sample that gives the most frequent answer; ties go to the answer
// drawn first. Answers are compared byte by byte (make them canonical first); samples whose data is
// NULL do not vote. SIZE_MAX when nobody votes.
R1_DEF size_t r1_score_vote(const r1_slice *answers, size_t count);
// The same for class numbers, such as the first sample that is equal to this one; R1_OFF: no vote.
R1_DEF size_t r1_score_vote_classes(const int *classes, size_t count);
// Mean of one value per problem, with the 95 % percentile interval of the bootstrap over problems
// (resamples = 0: 2000). `random` decides the draws. NaN-free: no problems give zeros. Fails with
// R1_ERROR_MEMORY.
R1_DEF r1_score r1_score_bootstrap(r1_context *ctx, const double *values, size_t count,
                                   size_t resamples, r1_random *random);
// pass@k of problems with its interval, over all (dst[0]) and by level in rising order (dst[1]
// ...). Returns the number of entries written, at most `capacity`; 0 is an error of the context.
R1_DEF size_t r1_score_levels(r1_context *ctx, const r1_score_problem *problems, size_t count,
                              size_t k, size_t resamples, r1_random *random, r1_score *dst,
                              size_t capacity);
// Paired bootstrap over problems: values a[i] and b[i] belong to the same problem.
R1_DEF r1_score_test r1_score_compare(r1_context *ctx, const double *a, const double *b,
                                      size_t count, size_t resamples, r1_random *random);

// The n-grams of evaluation sets, to keep training sets clean of them. Words are runs of letters
// and digits in lower case, and single CJK characters; hashes of 64 bits stand for n-grams, so a
// false alarm is a matter of 1 in 10^9 for a set of 10^9 pairs compared.
//   Source: R2 D.1 (10-grams); Differs: words, since the paper does not say of what.
typedef struct r1_decontaminator r1_decontaminator;
// A new, empty set that belongs to the context; words = 0 means 10. NULL and a sticky error.
R1_DEF r1_decontaminator *r1_decontaminator_new(r1_context *ctx, size_t words);
// Frees the set. NULL is fine.
R1_DEF void r1_decontaminator_free(r1_decontaminator *set);
// Adds a question or solution of an evaluation set. A text of fewer words than an n-gram adds
// nothing. Linear in the size. False and a sticky error when there is no memory.
R1_DEF bool r1_decontaminator_add(r1_decontaminator *set, r1_slice text);
// How many n-grams of a training text are in the set; above 0 the text has to go. Linear.
R1_DEF size_t r1_decontaminator_count(const r1_decontaminator *set, r1_slice text);
// ==== [policy] ===================================================================================
// Advantages and one policy loss with seven orthogonal switches. Calls [base], [number].
//            ratio     clip          aggregation  advantage  KL    objective  groups without signal
//   GRPO     token     low = high    output       std        k3    clipped    keep
//   PPO      token     low = high    token        (yours)    none  clipped    keep
//   Dr.GRPO  token     low = high    constant     mean       none  clipped    keep
//   DAPO     token     low < high    token        std        none  clipped    resample
//   GSPO     sequence  low < high    output       std        none  clipped    keep
//   CISPO    token     high only     token        std        none  CISPO      drop
//   RLOO     token     off           constant 1   leave-out  k1 in the reward, REINFORCE, keep
// Anything newer goes through `token_weight`, not through another flag.

// The probability ratio of each token, or of the whole output (geometric mean, GSPO).
typedef enum r1_ratio_level { R1_RATIO_TOKEN = 0, R1_RATIO_SEQUENCE } r1_ratio_level;
// How token terms become one loss: mean over an output's tokens, then over outputs (DeepSeekMath);
// mean over all tokens; or the sum over tokens divided by outputs * constant_length (Dr.GRPO).
typedef enum r1_aggregation { R1_PER_OUTPUT = 0, R1_PER_TOKEN, R1_PER_CONSTANT } r1_aggregation;
// What is taken from a reward: group mean, then divided by the standard deviation; the mean only;
// or the mean of the other answers.
typedef enum r1_advantage_kind {
    R1_ADVANTAGE_STD = 0,
    R1_ADVANTAGE_MEAN,
    R1_ADVANTAGE_LEAVE_OUT
} r1_advantage_kind;
// Estimators of KL(policy || reference) per token, with d = reference - policy log-probability:
// k1 = -d, k2 = d^2 / 2, k3 = e^d - d - 1.   Source: DSM eq. 4 (k3).
// k1 belongs into the reward: in the loss its slope is 1 for every token, which says nothing.
typedef enum r1_kl_kind { R1_KL_NONE = 0, R1_KL_K1, R1_KL_K2, R1_KL_K3 } r1_kl_kind;
// min(ratio A, clipped ratio A); the clipped ratio as a constant factor on log-prob (CISPO); A on
// log-prob.
typedef enum r1_objective { R1_CLIPPED = 0, R1_CISPO, R1_REINFORCE } r1_objective;
// A group whose rewards are all equal teaches nothing: it counts in the divisor, or does not, or is
// replaced by a fresh prompt.
typedef enum r1_no_signal {
    R1_NO_SIGNAL_KEEP = 0,
    R1_NO_SIGNAL_DROP,
    R1_NO_SIGNAL_RESAMPLE
} r1_no_signal;

// The seven switches and their numbers.
typedef struct r1_policy_desc {
    r1_ratio_level ratio;
    double clip_low;  // the ratio's floor is 1 - clip_low;     0 = 0.2; R1_OFF = no floor
    double clip_high; // its ceiling is 1 + clip_high;          0 = clip_low; R1_OFF = no ceiling
    double clip_dual; // ceiling c of the loss when A < 0, > 1;  0 = none (Ye et al. 2020)
    r1_aggregation aggregation;
    double constant_length; // of R1_PER_CONSTANT; 0 = the longest completion allowed
    r1_advantage_kind advantage;
    double advantage_eps; // added to the deviation; 0 = 1e-4
    r1_kl_kind kl;
    double kl_weight; // beta; 0 = no KL term (the paper: 0.001)
    bool
        kl_in_reward; // subtract beta * sum of KL from the reward, instead of adding it to the loss
    r1_objective objective;
    r1_no_signal no_signal;
    bool mask_truncated; // answers cut at the limit give no loss
    // Extra factor on the loss of token t of a sample; NULL = 1.
    double (*token_weight)(void *user, size_t sample, size_t t);
    void *user;
} r1_policy_desc;

// Advantages of `groups` groups of G answers; judged[i] false takes an answer out of its group,
// and a group with fewer than 2 judged answers gets zeros. advantages may be rewards. Returns the
// number of groups whose rewards differ.   Source: N eq. 3; deviation of the population.
//   Differs: advantage_eps is added to the deviation, which the paper divides by as it is.
R1_DEF size_t r1_advantages(const r1_policy_desc *desc, size_t groups, size_t G,
                            const double *rewards, const bool *judged, double *advantages);

// One output for the loss. All token arrays cover the n completion tokens.
typedef struct r1_policy_sample {
    size_t n;
    const r1i_real *logp;   // under the policy that learns
    const float *sampled;   // under the policy that drew it
    const float *reference; // NULL without KL
    double advantage;
    double weight; // from r1_policy_weights; 0 leaves it out
    size_t number; // handed to token_weight
} r1_policy_sample;

// Sums over tokens, and counts, that add over micro-batches.
typedef struct r1_policy_sums {
    double loss, kl, ratio_error; // weighted loss; KL estimate (k3); largest |ratio - 1|
    size_t tokens, clipped;
} r1_policy_sums;

// Weight of each output's token terms, so that the loss is a plain sum and no later split changes
// it: 1 / (outputs * n), 1 / tokens or 1 / (outputs * constant). n [count] are lengths; included
// [count].
R1_DEF void r1_policy_weights(const r1_policy_desc *desc, const size_t *n, const bool *included,
                              size_t count, double longest, double *weights);
// The loss of one output and its gradient with respect to logp, dlogp [n] (overwritten). Adds to
// sums.
//   Source: DSM eq. 3 and 20; N eq. 1; GSPO, CISPO, Dr.GRPO, DAPO as in the table above.
R1_DEF void r1_policy_loss(const r1_policy_desc *desc, const r1_policy_sample *sample,
                           r1i_real *dlogp, r1_policy_sums *sums);
// ==== [train] ====================================================================================
// Trainers: supervised (pre-training, SFT) and GRPO, with checkpoints that resume to the same bits.
// Calls the rooms above. A batch is cut into chunks of whole groups by a rule that sees only the
// batch; each chunk's gradient is one chain, chunks are added by a fixed tree. Micro-batches,
// threads and ranks only decide who computes a chunk.

// Options of an optimizer run.
typedef struct r1_train_desc {
    r1_adamw_desc adamw;
    r1_schedule schedule;  // peak 0 = 1e-3, constant
    size_t chunks;         // S, a power of two;             0 = 8; 1 = plain accumulation
    size_t micro_tokens;   // tokens of one pass;            0 = 4096
    double balance_weight; // alpha of the balance loss;     0 = 1e-4 (V3); R1_OFF = none
    double bias_rate;      // gamma of the router biases;    0 = 0.001 (V3); R1_OFF = none
    double mtp_weight;     // lambda of multi-token prediction, supervised steps only; 0 = 0.3 (V3's
                           // first 10 T tokens); R1_OFF = none
    r1_group *group;       // ranks that share the work;     NULL = this one alone
} r1_train_desc;

// Gradient chunks, optimizer and step count for one model.
typedef struct r1_trainer r1_trainer;
// A trainer of all weights of a model. The model must outlive it. It makes the model's moments or
// goes on with those that are there: call r1_trainer_reset after another trainer.
R1_DEF r1_trainer *r1_trainer_new(r1_model *model, const r1_train_desc *desc);
// Frees the trainer; model and moments stay. NULL is fine.
R1_DEF void r1_trainer_free(r1_trainer *trainer);
// Optimizer steps so far.
R1_DEF uint64_t r1_trainer_steps(const r1_trainer *trainer);
// Forgets the moments and the step count, as at the start of another stage. desc NULL keeps the
// settings; the number of chunks stays in any case.
R1_DEF void r1_trainer_reset(r1_trainer *trainer, const r1_train_desc *desc);

// A text to learn: tokens loss_from .. n-1 are predicted with loss; the first token never is.
typedef struct r1_document {
    const int32_t *tokens;
    size_t n, loss_from;
} r1_document;

// What one optimizer step did.
typedef struct r1_step_metrics {
    double loss;      // mean negative log-likelihood, or the policy loss
    double mtp_loss;  // of multi-token prediction: the mean over depths, without its weight
    double grad_norm; // before clipping
    double lr;
    double balance;  // balance loss, weighted
    double load_max; // busiest expert over the mean, worst layer; 0 without experts
    size_t tokens;   // that carry loss
} r1_step_metrics;

// One step of next-token prediction on n documents; metrics may be NULL. Refuses a batch without
// loss tokens. Nothing changes when the gradient is not finite.
R1_DEF r1_status r1_sft_step(r1_trainer *trainer, const r1_document *documents, size_t n,
                             r1_step_metrics *metrics);

// A reward function: reads the sample, writes out->parts and out->judged (true on entry). Runs on
// workers, one sample a call; it must not touch the context. With several ranks each one judges all
// answers for itself, so the verdict must be a pure function of the sample.
typedef struct r1_verdict {
    double parts[R1_MAX_PARTS];
    bool judged;
} r1_verdict;
// See r1_verdict.
typedef void r1_reward_fn(void *user, const r1_sample *sample, r1_verdict *out);
// Writes the tokens of prompt number `index` (counted from 0 over the whole run) and returns how
// many they are, at most capacity; 0 = there is none. Must be a pure function of index.
typedef size_t r1_prompt_fn(void *user, uint64_t index, int32_t *tokens, size_t capacity);

// A GRPO run: next_prompt, reward and parts[0] must be set, all else has defaults.
typedef struct r1_grpo_desc {
    size_t questions;    // prompts of one rollout;                     0 = 32 (N Methods)
    size_t group;        // answers each, G >= 2;                       0 = 16
    size_t mini_batches; // optimizer steps per rollout and epoch, whole groups each; 0 = 1
    size_t epochs;       // passes over a rollout;                      0 = 1
    size_t steps;        // rollouts of the whole run
    uint64_t refresh;    // reference := policy every so many rollouts; 0 = never (the paper: 25)
    r1_policy_desc policy;
    r1_train_desc train;
    r1_generate_desc generate; // sampler, limit, stops; top-k and top-p are refused
    bool replay_routes;        // train with the router choices of the rollout
    size_t patience;           // rollouts in a row without any signal before the run stops; 0 = 20
    r1_prompt_fn *next_prompt;
    r1_reward_fn *reward;
    const char *parts[R1_MAX_PARTS]; // names of the reward's components, e.g. "accuracy"
    double weights[R1_MAX_PARTS];    // their factors, 0 = 1; negative ones are penalties
    bool unrewarded[R1_MAX_PARTS];   // parts that are logged only
    void *user;                      // for next_prompt and reward
} r1_grpo_desc;

// The RL stages of the paper: R1-Zero, and the two of R1.
typedef enum r1_stage { R1_ZERO = 0, R1_STAGE1, R1_STAGE2 } r1_stage;
// The hyper-parameters of the paper for a stage (paper.md's table): lr 3e-6, beta 0.001, G 16, 512
// questions a rollout in 16 mini-batches, reference refresh every 25 rollouts, temperature 1
// (stage 2: 0.7), clip 10, 32768 new tokens, 650 rollouts (stage 2: 106; stage 1 is not stated: set
// it).   Source: N Methods. Differs: the clip of R1-Zero is not stated; 10 as in stage 1. Its limit
// of 65536 tokens from update 8200 on is left out.
R1_DEF r1_grpo_desc r1_grpo_paper(r1_stage stage);

// What one rollout and its updates did. Means are over judged answers.
typedef struct r1_grpo_metrics {
    uint64_t step; // from 1
    double reward, parts[R1_MAX_PARTS], length, truncated, entropy, kl, clip_fraction, ratio_error;
    double informative; // share of groups whose rewards differ
    double unjudged;    // share of answers without a verdict
    size_t dropped;     // groups with fewer than 2 verdicts: they are left out
    double grad_norm, loss, lr, load_max;
    double acceptance;                 // share of drafted tokens that were right, if any were
    size_t tokens, updates, resampled; // sampled tokens, optimizer steps, replaced groups
    double rollout_seconds, judge_seconds, reference_seconds, update_seconds;
    uint64_t weight_hash;
} r1_grpo_metrics;

// A run in progress.
typedef struct r1_grpo r1_grpo;
// A run: owns trainer, reference, rollout. NULL and R1_ERROR_ARGUMENT with the field to mend.
R1_DEF r1_grpo *r1_grpo_new(r1_model *policy, const r1_grpo_desc *desc);
// Frees the run; the policy stays. NULL is fine.
R1_DEF void r1_grpo_free(r1_grpo *run);
// One rollout with its updates: the four calls below. False when the run is done, or on an error of
// the context; R1_ERROR_SIGNAL when `patience` rollouts taught nothing, with the reason.
R1_DEF bool r1_grpo_step(r1_grpo *run);
// Draws the answers of one rollout.
R1_DEF r1_status r1_grpo_rollout(r1_grpo *run);
// Rewards, on workers; replaces groups without signal if asked to; reference log-probs.
R1_DEF r1_status r1_grpo_judge(r1_grpo *run);
// Group-relative advantages, and whether there was any signal.
R1_DEF r1_status r1_grpo_advantage(r1_grpo *run);
// The mini-batches of all epochs; counts the step.
R1_DEF r1_status r1_grpo_update(r1_grpo *run);
// Metrics of the last step, and its answers. Both change with the next step.
R1_DEF const r1_grpo_metrics *r1_grpo_metrics_of(const r1_grpo *run);
// The answers of the last rollout.
R1_DEF const r1_rollout *r1_grpo_rollout_of(const r1_grpo *run);
// The desc with every default filled in, as one JSON object: what a log should begin with. The text
// belongs to the run.
R1_DEF const char *r1_grpo_settings(r1_grpo *run);
// Adds the metrics of the last step as fields of the open row of a log.
R1_DEF void r1_grpo_log(const r1_grpo *run, r1_log_file *log);
// Writes folder/checkpoint-N.safetensors (weights, moments, biases, reference, step; f32) and
// keeps the newest two. note is stored with it (a log's size, say; may be NULL).
R1_DEF r1_status r1_grpo_save(r1_grpo *run, const char *folder, const char *note);
// Continues from the newest checkpoint in the folder that is whole: true and *note_size bytes of
// note when there was one. A damaged file is skipped; when none is left the context gets the
// reason.
R1_DEF bool r1_grpo_resume(r1_grpo *run, const char *folder, char *note, size_t note_bytes);
// Draws the answers to prompt number `prompt` again as rollout `step` (from 1) drew them, with the
// weights that the run has now: load the checkpoint before that step first.
R1_DEF r1_status r1_grpo_replay(r1_grpo *run, uint64_t step, uint64_t prompt, r1_rollout *rollout);
// The same files for a supervised trainer.
R1_DEF r1_status r1_trainer_save(r1_trainer *trainer, const char *folder, const char *note);
// See r1_grpo_resume.
R1_DEF bool r1_trainer_resume(r1_trainer *trainer, const char *folder, char *note,
                              size_t note_bytes);

// ==== [report] ===================================================================================
// What a run did: an HTML page with SVG plots, a figure, tables and TensorBoard events, all drawn
// from its log alone.
// Calls [json] and [file]. A page needs no script and nothing from outside, so that it can be
// mailed, printed and kept. A row that is not JSON, such as a torn last one, is passed over.

// What it reads, a row a line; a key that is not known is drawn too, and any key may be missing:
// metrics.jsonl  stage and step in each row; in any row "time" (seconds since 1970, for events).
//   "settings"   task (the title), about (a sentence below it), pretrain_steps, rl_steps (how many
//                are meant to be done), reward_weights; all of them are listed. Rows add up.
//   "pretrain"   loss, mtp_loss, grad_norm, expert_load, learning_rate
//   "eval"       at ("base", "step", "final"), pass_at_1, cons_at_k, k, any key of "rl", and
//                NAME_pass_at_1, NAME_cons_at_k for other problems. Keys of the row at "base" are
//                the dashed line in the chart of that key.
//   "rl"         what r1_grpo_log writes; reward_NAME for more components; word_NAME for how often
//                a word occurs an answer; first_try, corrected, per_try, tries, sums_right,
//                verdict_right, false_yes, repeats for what goes on inside of answers
// samples.jsonl  stage ("base", "rl", "final"), step, prompt, completion, reward, accuracy, format,
//                length, truncated; mark_from, mark_to (bytes of the completion; the second is
//                behind the last) and mark_label point at an error, fix_from, fix_to and fix_label
//                at its correction

// Reads folder/metrics.jsonl, and folder/samples.jsonl if it is there, and writes
// folder/report.html as r1_file_write does, so it can be called at any moment of a run, also before
// its first row, and as often as one likes. Every numeric key of a stage is a curve, thinned to
// bucket means. The page has at most 300 KB. Errors: R1_ERROR_FILE.
R1_DEF r1_status r1_report_write(r1_context *ctx, const char *folder);
// The main figure of that page, accuracy and length by step, as an SVG file of its own (white
// ground, for a README). Errors: R1_ERROR_FILE.
R1_DEF r1_status r1_report_curve(r1_context *ctx, const char *folder, const char *svg_path);
// Writes folder/metrics.csv: a line for each "rl" row, a column for each numeric key that one of
// them has, numbers as the log has them, nothing where a row lacks one. If there are such rows,
// pretrain.csv and eval.csv are the same for them. Errors: R1_ERROR_FILE; R1_ERROR_FORMAT for more
// than 1024 keys.
R1_DEF r1_status r1_report_csv(r1_context *ctx, const char *folder);
// Writes folder/events.out.tfevents.SECONDS.r1 for TensorBoard: numbers as f32 scalars with tags
// such as "rl/reward" and "eval/pass_at_1" at their steps, wall time by "time", 0 without one.
// SECONDS is the first time of the log. The same log gives the same bytes, and a longer one adds to
// them, so it can be called during a run. Errors: R1_ERROR_FILE.
R1_DEF r1_status r1_report_events(r1_context *ctx, const char *folder);

#ifdef __cplusplus
}
#endif
#endif // R1_H
#endif // R1I_SIMD_PASS

// =================================================================================================
// IMPLEMENTATION
// =================================================================================================
#if defined R1_IMPLEMENTATION && !defined R1I_SIMD_PASS && !defined R1I_FLOOR_OPEN
#define R1I_FLOOR_OPEN

// ==== [config] ===================================================================================
// What a user may change at compile time. Calls nothing. The flags of the user's compiler are not
// ours: some are refused here, the rest is fenced by pragmas, barriers and the check in [context].
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__ + 0 > 0)
#error "r1.h: -ffast-math changes results; compile the file with R1_IMPLEMENTATION without it"
#endif
#if defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__
#error "r1.h: remove -fassociative-math and -freciprocal-math for the file with R1_IMPLEMENTATION"
#endif
#if defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "r1.h: floats must be rounded to float (FLT_EVAL_METHOD 0): use SSE2, not -mfpmath=387"
#endif

#include <errno.h>
#ifndef R1_NO_STDIO
#include <dirent.h>
#endif
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
// R1_DEF is in front of a public declaration, R1I_BODY in front of its definition.
#ifdef R1_STATIC
#define R1I_BODY static
#else
#define R1I_BODY
#endif
// Without threads everything runs on the caller, with the same bits: see [thread] and [group].
#if defined __wasm__ || (defined _WIN32 && !defined R1_THREADS)
#define R1_NO_THREADS
#endif
#ifndef R1_NO_THREADS
#include <pthread.h>
#include <stdatomic.h>
#endif
// The x86 levels are compiled function by function for their instruction set, with attributes that
// GCC and Clang share, so one binary carries all levels and picks at run time.
#if !defined R1_NO_SIMD && defined __x86_64__ && defined __GNUC__
#define R1I_X86 1
#include <immintrin.h>
#else
#define R1I_X86 0
#endif
#if !defined R1_NO_SIMD && defined __aarch64__ && defined __GNUC__
#define R1I_NEON 1
#include <arm_neon.h>
#else
#define R1I_NEON 0
#endif
#ifndef R1_ASSERT
#include <assert.h>
#define R1_ASSERT(condition) assert(condition)
#endif

// The pragmas come after the system headers, whose inline functions they must not touch. "O2" also
// makes a user's -O0 build run the kernels at full speed.
// Contraction is the worst of them: a * b + c turned into one fma rounds once where the contract
// says twice, and which expressions it takes changes with the version of the compiler.
#if defined __clang__
#if !defined __aarch64__ // clang does not know the pragma there
#pragma float_control(push)
#pragma float_control(precise, on)
#endif
#pragma clang fp contract(off)
#elif defined __GNUC__
#pragma GCC push_options
#pragma GCC optimize("O2", "no-fast-math", "fp-contract=off")
#endif

// R1I_NOINLINE is for code whose floating point must not be merged into that of its caller.
#if defined __GNUC__
#define R1I_NOINLINE __attribute__((noinline))
#define R1I_INLINE   static inline __attribute__((always_inline))
#define R1I_UNUSED   __attribute__((unused))
#else
#define R1I_NOINLINE
#define R1I_INLINE static inline
#define R1I_UNUSED
#endif

// For plain double arithmetic off the hot paths: clang's -ffp-contract=fast fuses in spite of every
// pragma, but not in functions that it does not optimize.
#if defined __clang__
#define R1I_PLAIN __attribute__((optnone, noinline))
#else
#define R1I_PLAIN
#endif

// Hides a value from the optimizer, so that no flag can fuse, split or reorder what made it.
// On x86 and ARM the constraint names the registers where floats live anyway, so it costs nothing.
// A compiler without such asm is judged by the known-answer test of [context].
#if defined __GNUC__ && defined __SSE2__
#define R1I_KEEP(value) __asm__("" : "+x"(value))
#elif defined __GNUC__ && defined __aarch64__
#define R1I_KEEP(value) __asm__("" : "+w"(value))
#elif defined __GNUC__ && !defined __i386__
#define R1I_KEEP(value) __asm__("" : "+r"(value))
#else
#define R1I_KEEP(value) (void)0
#endif

// The float environment that the arithmetic is defined in: round to nearest, denormals kept. A
// library linked with -Ofast flushes denormals for the whole process, and threads inherit it.
typedef uint64_t r1i_float_state;

// Bits 6 to 15 of MXCSR: denormals are zero, six exception masks, two bits of rounding, flush to
// zero. 0x1f80 is the state of a fresh process; the flags below bit 6 are sticky notes of the
// caller and do not count. FPCR of ARM is 0 in the same state. Writing either register is slow, so
// it is read first, and nearly always it is right.
static r1i_float_state r1i_float_enter(void) {
#if defined __SSE2__
    unsigned state;
    __asm__ volatile("stmxcsr %0" : "=m"(state));
    if ((state & 0xffc0u) != 0x1f80u) {
        unsigned wanted = 0x1f80u;
        __asm__ volatile("ldmxcsr %0" : : "m"(wanted));
    }
    return state;
#elif defined __aarch64__ && defined __GNUC__
    uint64_t state, wanted = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(state));
    if (state != wanted) __asm__ volatile("msr fpcr, %0" : : "r"(wanted));
    return state;
#else
    return 0;
#endif
}
// A program that wants another rounding mode or flushed denormals for itself keeps them.
static void r1i_float_leave(r1i_float_state state) {
#if defined __SSE2__
    unsigned old = (unsigned)state;
    if ((old & 0xffc0u) != 0x1f80u) __asm__ volatile("ldmxcsr %0" : : "m"(old));
#elif defined __aarch64__ && defined __GNUC__
    if (state != 0) __asm__ volatile("msr fpcr, %0" : : "r"(state));
#else
    (void)state;
#endif
}

// ==== [base] =====================================================================================
// Status codes, the context's memory, sizes that are checked. Calls only libc. Every block of a
// context is on one list, so that freeing the context can never leak.
#define R1I_MESSAGE_BYTES 512

// In front of every block that a context owns. The header takes a whole line of 64 bytes, so that
// what the caller sees is as aligned as what the hook gave.
//   | r1i_block, 64 bytes | the caller's bytes, rounded up to 64 |
typedef struct r1i_block {
    struct r1i_block *previous, *next;
    size_t bytes;                // of the whole block, header included
    void (*close)(void *object); // frees an object that holds more than memory
} r1i_block;

// A piece of an arena. Allocation moves `used` up; nothing in a chunk is freed alone.
//   arena -> [chunk: used | free] -> [older chunk: used | rest] -> NULL
typedef struct r1i_chunk {
    struct r1i_chunk *next;
    size_t used, bytes; // of the space behind the header
} r1i_chunk;

// Memory with one lifetime. It grows by chunks; after the first reset it is one chunk that holds
// all, so a loop that repeats itself allocates nothing.
typedef struct r1i_arena {
    r1i_chunk *chunk; // the newest; older ones behind it
    size_t peak_bytes;
} r1i_arena;

// A place in an arena: everything made after it goes when the arena is released to it.
typedef struct r1i_mark {
    r1i_chunk *chunk;
    size_t used;
} r1i_mark;

#define R1I_MAX_THREADS 256

// The fields of rooms below are here as plain pointers, because C needs the whole struct at once:
// the comment beside such a field names its room.
struct r1_context {
    r1_status status;
    char message[R1I_MESSAGE_BYTES];
    uint64_t seed;
    int threads, cpu_level;
    r1_allocator allocator;
    void (*on_error)(r1_status status, const char *message, void *user);
    void *user;
    r1i_block *blocks; // everything that the context owns
    size_t now_bytes, peak_bytes;
    r1i_arena step;                 // tensors and the tape
    void *pool;                     // [thread]
    void *scratch[R1I_MAX_THREADS]; // [backend]: one per worker
    size_t scratch_bytes;
    const struct r1i_rows *rows; // [backend]: the inner kernels of the CPU level
    struct r1i_tape *tape;       // [tape]
};

R1I_BODY const char *r1_status_name(r1_status status) {
#define R1I_STATUS_NAME(code, text) #code,
    static const char *const names[] = {R1_STATUS_LIST(R1I_STATUS_NAME)};
    return (unsigned)status < R1_STATUS_COUNT ? names[status] : "R1_STATUS_UNKNOWN";
}
R1I_BODY const char *r1_status_text(r1_status status) {
#define R1I_STATUS_TEXT(code, text) text,
    static const char *const texts[] = {R1_STATUS_LIST(R1I_STATUS_TEXT)};
    return (unsigned)status < R1_STATUS_COUNT ? texts[status] : "not a status of this library";
}
R1I_BODY r1_status r1_status_of(const r1_context *ctx) {
    return ctx ? ctx->status : R1_ERROR_MEMORY;
}
R1I_BODY const char *r1_message_of(const r1_context *ctx) {
    return ctx ? ctx->message : "no memory for the context itself";
}
// Only the note is erased. What a failed call had made already stays until the context is freed.
R1I_BODY void r1_error_clear(r1_context *ctx) {
    if (!ctx) return;
    ctx->status = R1_OK;
    ctx->message[0] = 0;
}
R1I_BODY void r1_memory_used(const r1_context *ctx, size_t *now_bytes, size_t *peak_bytes) {
    if (now_bytes) *now_bytes = ctx ? ctx->now_bytes : 0;
    if (peak_bytes) *peak_bytes = ctx ? ctx->peak_bytes : 0;
}

// Records the first error. Returns the status, so that a caller can return it on.
static R1I_PRINTF(3, 4) r1_status
    r1i_fail(r1_context *ctx, r1_status status, const char *format, ...) {
    if (!ctx || ctx->status != R1_OK) return status; // the first error is the useful one
    va_list args;
    va_start(args, format);
    vsnprintf(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    ctx->status = status;
    if (ctx->on_error) ctx->on_error(status, ctx->message, ctx->user);
    return status;
}

// a * b and a + b for sizes; SIZE_MAX when they do not fit, which no allocation grants.
static size_t r1i_size_mul(size_t a, size_t b) { return a && b > SIZE_MAX / a ? SIZE_MAX : a * b; }
static size_t r1i_size_add(size_t a, size_t b) { return b > SIZE_MAX - a ? SIZE_MAX : a + b; }
// Sticks at the top like the two above, so that an overflow on the way is still seen at the end.
static size_t r1i_round_up(size_t n, size_t multiple) {
    return n > SIZE_MAX - multiple ? SIZE_MAX : (n + multiple - 1) / multiple * multiple;
}
static size_t r1i_min(size_t a, size_t b) { return a < b ? a : b; }
static size_t r1i_max(size_t a, size_t b) { return a > b ? a : b; }
static size_t r1i_ceil_div(size_t a, size_t b) { return a / b + (a % b != 0); }

// Windows cannot free aligned memory with free, hence a pair of functions.
static void *r1i_libc_alloc(void *user, size_t bytes, size_t align) {
    (void)user;
#ifdef _WIN32
    return _aligned_malloc(bytes, align);
#else
    void *memory = NULL;
    return posix_memalign(&memory, align, bytes) == 0 ? memory : NULL;
#endif
}
static void r1i_libc_free(void *user, void *memory, size_t bytes) {
    (void)user, (void)bytes;
#ifdef _WIN32
    _aligned_free(memory);
#else
    free(memory);
#endif
}

enum { R1I_ALIGN = 64 }; // a cache line, and the widest vector

// A zeroed block that belongs to the context; NULL when there is none. Without an error, for what
// only saves time: the pool of workers, one large chunk in place of several.
// Zeroed, although it costs a pass: what is never written is then the same in every run. 0 bytes
// are allowed and give a pointer that may be freed. For the caller's thread only: workers get
// scratch that was made before they start.
static void *r1i_alloc_quiet(r1_context *ctx, size_t bytes) {
    size_t total = r1i_size_add(r1i_round_up(bytes, R1I_ALIGN), R1I_ALIGN);
    r1i_block *block = NULL;
    if (total < SIZE_MAX / 2)
        block = (r1i_block *)ctx->allocator.alloc(ctx->allocator.user, total, R1I_ALIGN);
    if (!block) return NULL;
    memset(block, 0, total);
    block->bytes = total;
    block->next = ctx->blocks;
    if (ctx->blocks) ctx->blocks->previous = block;
    ctx->blocks = block;
    ctx->now_bytes += total;
    if (ctx->now_bytes > ctx->peak_bytes) ctx->peak_bytes = ctx->now_bytes;
    return (char *)block + R1I_ALIGN;
}
// The same with a sticky error, and nothing on a context that has one.
static void *r1i_alloc(r1_context *ctx, size_t bytes) {
    if (r1_status_of(ctx) != R1_OK) return NULL;
    void *memory = r1i_alloc_quiet(ctx, bytes);
    if (!memory)
        r1i_fail(ctx, R1_ERROR_MEMORY, "no memory for %zu bytes (%zu bytes are in use)", bytes,
                 ctx->now_bytes);
    return memory;
}
// An array of n elements of `size` bytes.
static void *r1i_alloc_array(r1_context *ctx, size_t n, size_t size) {
    return r1i_alloc(ctx, r1i_size_mul(n, size));
}
// An object whose `close` runs when the context dies first.
// `close` must free its object, with r1i_free in the end: r1_context_free counts on it. It must not
// touch other blocks of the object, since younger blocks are gone by then.
R1I_UNUSED static void *r1i_alloc_object(r1_context *ctx, size_t bytes,
                                         void (*close)(void *object)) {
    char *object = (char *)r1i_alloc(ctx, bytes);
    if (object) ((r1i_block *)(void *)(object - R1I_ALIGN))->close = close;
    return object;
}
// Works while the context has an error: freeing never fails, and never hides the first error.
static void r1i_free(r1_context *ctx, void *memory) {
    if (!memory) return;
    r1i_block *block = (r1i_block *)(void *)((char *)memory - R1I_ALIGN);
    if (block->previous)
        block->previous->next = block->next;
    else
        ctx->blocks = block->next;
    if (block->next) block->next->previous = block->previous;
    ctx->now_bytes -= block->bytes;
    ctx->allocator.free(ctx->allocator.user, block, block->bytes);
}
// A zero-terminated copy of `size` bytes.
R1I_UNUSED static char *r1i_copy_text(r1_context *ctx, const char *text, size_t size) {
    char *copy = (char *)r1i_alloc(ctx, r1i_size_add(size, 1));
    if (copy && size) memcpy(copy, text, size);
    return copy;
}

// Grows a block to at least `wanted` elements, by doubling; the content stays. On failure the old
// block stays valid and false is returned.
// Doubling makes n appends cost O(n) copies; new elements are zero, as r1i_alloc leaves them.
static bool r1i_grow(r1_context *ctx, void **array, size_t *capacity, size_t wanted, size_t size) {
    if (wanted <= *capacity) return true;
    size_t n = r1i_max(wanted, r1i_max(*capacity * 2, 16));
    void *bigger = r1i_alloc_array(ctx, n, size);
    if (!bigger) return false;
    if (*array) memcpy(bigger, *array, *capacity * size);
    r1i_free(ctx, *array);
    *array = bigger;
    *capacity = n;
    return true;
}

static char *r1i_chunk_space(r1i_chunk *chunk) { return (char *)chunk + R1I_ALIGN; }
// Puts a new chunk in front, if there is one.
static r1i_chunk *r1i_chunk_add(r1i_arena *arena, r1i_chunk *chunk, size_t bytes) {
    if (!chunk) return NULL;
    chunk->bytes = bytes;
    chunk->next = arena->chunk;
    return arena->chunk = chunk;
}

// Space that is not zeroed: whoever asks for it writes it first.
// 64-byte aligned. A request that does not fit opens a chunk at least as large as the newest, and
// the rest of the old one stays unused until a release comes back to it.
static void *r1i_arena_alloc(r1_context *ctx, r1i_arena *arena, size_t bytes) {
    bytes = r1i_round_up(bytes ? bytes : 1, R1I_ALIGN);
    r1i_chunk *chunk = arena->chunk;
    if (!chunk || chunk->bytes - chunk->used < bytes) {
        size_t least = chunk ? chunk->bytes : (size_t)1 << 16;
        size_t size = r1i_max(bytes, least);
        chunk =
            r1i_chunk_add(arena, (r1i_chunk *)r1i_alloc(ctx, r1i_size_add(size, R1I_ALIGN)), size);
        if (!chunk) return NULL;
    }
    void *space = r1i_chunk_space(chunk) + chunk->used;
    chunk->used += bytes;
    return space;
}
static size_t r1i_arena_used(const r1i_arena *arena) {
    size_t used = 0;
    for (const r1i_chunk *c = arena->chunk; c; c = c->next) used += c->used;
    return used;
}
static r1i_mark r1i_arena_mark(r1i_arena *arena) {
    return (r1i_mark){arena->chunk, arena->chunk ? arena->chunk->used : 0};
}
static void r1i_arena_free(r1_context *ctx, r1i_arena *arena) {
    while (arena->chunk) {
        r1i_chunk *next = arena->chunk->next;
        r1i_free(ctx, arena->chunk);
        arena->chunk = next;
    }
}
// Back to a mark. With `melt` (no other mark is out) the chunks of an empty arena become one, or
// none where that cannot be had.
// The melt is what makes a training loop free of allocations: the first step leaves several chunks,
// they become one of their total size, and the second step fits into it.
//   step 1:  [64K] <- [64K] <- [1M]        release:  [1M + 128K]        step 2 allocates nothing
static void r1i_arena_release(r1_context *ctx, r1i_arena *arena, r1i_mark mark, bool melt) {
    size_t used = r1i_arena_used(arena), chunks = 0, total = 0;
    if (used > arena->peak_bytes) arena->peak_bytes = used;
    if (melt && (!mark.chunk || (!mark.chunk->next && !mark.used))) {
        for (r1i_chunk *c = arena->chunk; c; c = c->next) chunks++, total += c->bytes;
        if (chunks > 1) {
            r1i_arena_free(ctx, arena);
            size_t bytes = r1i_size_add(total, R1I_ALIGN);
            r1i_chunk_add(arena, (r1i_chunk *)r1i_alloc_quiet(ctx, bytes), total);
        } else if (arena->chunk) {
            arena->chunk->used = 0;
        }
        return;
    }
    while (arena->chunk != mark.chunk) { // a step that outgrew the arena in the middle
        r1i_chunk *next = arena->chunk->next;
        r1i_free(ctx, arena->chunk);
        arena->chunk = next;
    }
    if (arena->chunk) arena->chunk->used = mark.used;
}

// In the manner of FNV-1a, by 8-byte words: the hash that names weights in logs and guards
// checkpoints.
// It is chained: pass the last result to go on, 0 to start. Differs from the published FNV in the
// word size and in the shift, which brings high bits down. Words are put together from bytes, so
// equal bytes have equal hashes on every machine. It finds accidents and keeps no enemy out.
static uint64_t r1i_hash(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *p = (const unsigned char *)data;
    if (!hash) hash = 0xcbf29ce484222325u;
    for (; bytes >= 8; bytes -= 8, p += 8) {
        uint64_t word = 0;
        for (int i = 0; i < 8; i++) word |= (uint64_t)p[i] << (8 * i);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; bytes; bytes--, p++) hash = (hash ^ *p) * 0x100000001b3u;
    return hash;
}

// Seconds since 1970 by the wall clock, for logs and rates. No result depends on it.
static double r1i_seconds(void) {
    struct timespec now;
#ifdef CLOCK_MONOTONIC // never jumps back
    clock_gettime(CLOCK_MONOTONIC, &now);
#else
    timespec_get(&now, TIME_UTC);
#endif
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ==== [random] ===================================================================================
// Counter-based random numbers: Philox4x32-10. Calls nothing above [base]. Integer arithmetic only,
// so every machine draws the same.
R1I_BODY void r1_random_block(uint64_t seed, const uint32_t counter[4], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}
R1I_BODY uint32_t r1_random_u32(r1_random *at) {
    uint32_t counter[4] = {at->stream << 24, at->step, at->sample, at->token++}, out[4];
    r1_random_block(at->seed, counter, out);
    return out[0];
}
// The 23 high bits, so that the half-step is exact and the result is never 0 or 1.
static float r1i_unit(uint32_t bits) { return ((float)(bits >> 9) + 0.5f) * 0x1p-23f; }

R1I_BODY float r1_random_unit(r1_random *at) { return r1i_unit(r1_random_u32(at)); }

R1I_BODY uint32_t r1_random_below(r1_random *at, uint32_t n) {
    if (n == 0) return 0;
    uint32_t limit = (uint32_t)(-n) % n; // the first 2^32 mod n values would favour low results
    for (;;) {
        uint64_t product = (uint64_t)r1_random_u32(at) * n;
        if ((uint32_t)product >= limit) return (uint32_t)(product >> 32);
    }
}

// ==== [thread] ===================================================================================
// A pool of workers that starts at its first use. Calls [base]. Waiting blocks after a short spin:
// a machine shared with other work must not pay for idle workers.
R1I_BODY int r1_thread_count(const r1_context *ctx) { return ctx ? ctx->threads : 1; }

// One worker takes the whole range in one call. That is allowed because a task may not depend on
// where its range begins and ends, and what runs alone needs no pieces.
static void r1i_run_inline(size_t n, r1_task_fn *fn, void *arg) {
    r1i_float_state state = r1i_float_enter(); // as a worker does: threads must not show
    if (n) fn(arg, 0, n, 0);
    r1i_float_leave(state);
}

#ifdef R1_NO_THREADS
R1I_BODY void r1_parallel_for(r1_context *ctx, size_t n, size_t grain, r1_task_fn *fn, void *arg) {
    (void)ctx, (void)grain;
    r1i_run_inline(n, fn, arg);
}
static void r1i_pool_free(r1_context *ctx) { (void)ctx; }
#else
typedef struct r1i_worker_start {
    struct r1i_pool *pool;
    int worker;
} r1i_worker_start;

// One job at a time. The mutex guards job, running and quit; n, grain, fn and arg are written
// before `job` is raised under the mutex and read after it was seen, which orders them.
//   caller   publish -> take pieces ----------> wait for running == 0
//   worker   wait ....> take pieces -> running - 1 -> spin, then wait
typedef struct r1i_pool {
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
    pthread_t threads[R1I_MAX_THREADS];
    r1i_worker_start starts[R1I_MAX_THREADS];
    int started; // workers that exist, the caller not counted
    bool quit, busy;
    uint64_t job;                  // counts jobs; a worker waits until it changes
    int running;                   // workers that have not finished the job
    atomic_uint_fast64_t seen_job; // what spinning workers look at
    atomic_size_t next;
    size_t n, grain;
    r1_task_fn *fn;
    void *arg;
} r1i_pool;

// Takes pieces until none is left. Who takes which piece is a race, and may be one: a piece writes
// only what it owns. The float state is set here, because threads inherit that of their maker.
static void r1i_pool_work(r1i_pool *pool, int worker) {
    r1i_float_state state = r1i_float_enter();
    for (;;) {
        size_t begin = atomic_fetch_add(&pool->next, pool->grain);
        if (begin >= pool->n) break;
        pool->fn(pool->arg, begin, r1i_min(begin + pool->grain, pool->n), worker);
    }
    r1i_float_leave(state);
}
// A worker first spins on `seen_job`, a few microseconds, because a model runs ops back to back;
// then it sleeps on `wake`. It answers for every job, even when it finds no piece left: when
// `running` is 0, nobody looks at the job any more.
static void *r1i_pool_main(void *arg) {
    r1i_pool *pool = ((r1i_worker_start *)arg)->pool;
    int worker = ((r1i_worker_start *)arg)->worker;
    uint64_t job = 0;
    for (;;) {
        for (int spin = 0; spin < 2000 && atomic_load(&pool->seen_job) == job; spin++) {
#if defined __x86_64__ && defined __GNUC__
            __builtin_ia32_pause();
#endif
        }
        pthread_mutex_lock(&pool->mutex);
        while (pool->job == job && !pool->quit) pthread_cond_wait(&pool->wake, &pool->mutex);
        job = pool->job;
        bool quit = pool->quit;
        pthread_mutex_unlock(&pool->mutex);
        if (quit) return NULL;
        r1i_pool_work(pool, worker);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->running == 0) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->mutex);
    }
}
// Starts what can be started: fewer workers than asked for only cost time, and so do none.
static r1i_pool *r1i_pool_of(r1_context *ctx) {
    if (ctx->pool) return (r1i_pool *)ctx->pool;
    r1i_pool *pool = (r1i_pool *)r1i_alloc_quiet(ctx, sizeof *pool);
    if (!pool) return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 1; i < ctx->threads; i++) {
        pool->starts[i] = (r1i_worker_start){pool, i};
        pthread_t *thread = &pool->threads[pool->started];
        if (pthread_create(thread, NULL, r1i_pool_main, &pool->starts[i]) != 0) break;
        pool->started++;
    }
    ctx->pool = pool;
    return pool;
}
// Called by r1_context_free when it meets the pool's block: no job runs then.
static void r1i_pool_free(r1_context *ctx) {
    r1i_pool *pool = (r1i_pool *)ctx->pool;
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->started; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->mutex);
    ctx->pool = NULL;
    r1i_free(ctx, pool);
}
// `busy` is read without the mutex: only the caller's thread sets it, and a worker that finds it
// set is inside the very job that set it. Such a nested call runs inline.
R1I_BODY void r1_parallel_for(r1_context *ctx, size_t n, size_t grain, r1_task_fn *fn, void *arg) {
    if (!n) return;
    if (!grain) grain = 1;
    r1i_pool *pool = NULL;
    if (ctx && ctx->threads > 1 && n > grain) pool = r1i_pool_of(ctx);
    if (!pool || pool->busy || !pool->started) {
        r1i_run_inline(n, fn, arg);
        return;
    }
    pool->busy = true;
    pool->n = n, pool->grain = grain, pool->fn = fn, pool->arg = arg;
    atomic_store(&pool->next, 0);
    pthread_mutex_lock(&pool->mutex);
    pool->running = pool->started;
    pool->job++;
    atomic_store(&pool->seen_job, pool->job);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    r1i_pool_work(pool, 0);
    pthread_mutex_lock(&pool->mutex);
    while (pool->running) pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    pool->busy = false;
}
#endif

// ==== [group] ====================================================================================
// Collectives between ranks: engines `self` and `threads`. Calls [base] and [thread]. The threads
// engine is real use on one machine, and what every test of several ranks runs on.
//
// One rank: a sum of one is itself, and what is sent arrives in the only slot there is. Code
// that is written for ranks thus runs alone as it is.
static r1_status r1i_self_reduce(r1_group *group, float *values, size_t count) {
    (void)group, (void)values, (void)count;
    return R1_OK;
}
static r1_status r1i_self_copy(r1_group *group, const void *from, void *to, size_t bytes) {
    (void)group;
    if (bytes) memmove(to, from, bytes);
    return R1_OK;
}
static r1_status r1i_self_scatter(r1_group *group, const float *from, float *to, size_t count) {
    return r1i_self_copy(group, from, to, count * sizeof *to);
}
static r1_status r1i_self_broadcast(r1_group *group, void *values, size_t bytes, int root) {
    (void)group, (void)values, (void)bytes, (void)root;
    return R1_OK;
}
static r1_status r1i_self_barrier(r1_group *group) {
    (void)group;
    return R1_OK;
}
static void r1i_self_abort(r1_group *group) { (void)group; }

R1I_BODY r1_group r1_group_self(void) {
    return (r1_group){.size = 1,
                      .all_reduce = r1i_self_reduce,
                      .all_gather = r1i_self_copy,
                      .reduce_scatter = r1i_self_scatter,
                      .broadcast = r1i_self_broadcast,
                      .all_to_all = r1i_self_copy,
                      .barrier = r1i_self_barrier,
                      .abort = r1i_self_abort};
}

// A bound, so that the tables below are plain arrays.
enum { R1I_MAX_RANKS = 64 };

#ifdef R1_NO_THREADS
R1I_BODY r1_status r1_group_threads(int size, r1_rank_fn *fn, void *arg) {
    if (size != 1) return R1_ERROR_ARGUMENT;
    r1_group group = r1_group_self();
    return fn(&group, arg);
}
#else
// What the ranks share. Every collective has the same three beats: post a pointer to one's own
// buffer, wait; read from the buffers of others, wait; go on. The second wait keeps a rank from
// reusing its buffer while another still reads it.
//   rank 0   post |barrier| read others |barrier| go on
//   rank 1   post |barrier| read others |barrier| go on
typedef struct r1i_ranks {
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    int size, waiting;
    uint64_t round;
    bool failed;
    const void *posted[R1I_MAX_RANKS]; // what each rank offers in the present collective
    r1_rank_fn *fn;
    void *arg;
} r1i_ranks;

// What one thread is started with, and where its verdict is found after the join.
typedef struct r1i_rank_start {
    r1i_ranks *ranks;
    int rank;
    r1_status status;
} r1i_rank_start;

// A barrier that counts rounds: the last to come raises `round`, and a rank waits for the change of
// its own round, so a fast rank may enter the next barrier before a slow one has left this one.
// The mutex also makes what was written before the barrier visible after it.
static r1_status r1i_ranks_barrier(r1_group *group) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    pthread_mutex_lock(&ranks->mutex);
    uint64_t round = ranks->round;
    if (++ranks->waiting == ranks->size) {
        ranks->waiting = 0;
        ranks->round++;
        pthread_cond_broadcast(&ranks->turn);
    }
    while (round == ranks->round && !ranks->failed) pthread_cond_wait(&ranks->turn, &ranks->mutex);
    bool failed = ranks->failed;
    pthread_mutex_unlock(&ranks->mutex);
    return failed ? R1_ERROR_GROUP : R1_OK;
}
// For good: a rank that left cannot be waited for, so every waiting and later call fails instead of
// hanging.
static void r1i_ranks_abort(r1_group *group) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    pthread_mutex_lock(&ranks->mutex);
    ranks->failed = true;
    pthread_cond_broadcast(&ranks->turn);
    pthread_mutex_unlock(&ranks->mutex);
}
// Offers `mine` to the others and waits until all have offered theirs.
static r1_status r1i_ranks_post(r1_group *group, const void *mine) {
    ((r1i_ranks *)group->state)->posted[group->rank] = mine;
    return r1i_ranks_barrier(group);
}
// all [size * bytes]: rank r's bytes at r * bytes, the same on every rank. `mine` may already lie
// at its place in `all`.
static r1_status r1i_ranks_all_gather(r1_group *group, const void *mine, void *all, size_t bytes) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, mine);
    for (int r = 0; r < group->size && status == R1_OK; r++) {
        char *to = (char *)all + (size_t)r * bytes;
        if (bytes && to != ranks->posted[r]) memmove(to, ranks->posted[r], bytes);
    }
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// out, in [size * bytes]: part r of `out` goes to rank r, part r of `in` came from rank r. The two
// must not overlap: others read `out` while this rank writes `in`.
static r1_status r1i_ranks_all_to_all(r1_group *group, const void *out, void *in, size_t bytes) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, out);
    for (int r = 0; r < group->size && status == R1_OK; r++) {
        const char *from = (const char *)ranks->posted[r] + (size_t)group->rank * bytes;
        if (bytes) memcpy((char *)in + (size_t)r * bytes, from, bytes);
    }
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// All ranks get the root's bytes; the others' are overwritten.
static r1_status r1i_ranks_broadcast(r1_group *group, void *values, size_t bytes, int root) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, values);
    if (status == R1_OK && group->rank != root && bytes) memcpy(values, ranks->posted[root], bytes);
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// The sum of one element over ranks lo .. hi-1, along the tree that halves the range.
// The order is one of rank numbers, so arrival cannot show; rounding errors grow with the depth.
//   size 4:  (0 + 1) + (2 + 3)        size 3:  (0 + 1) + 2
// Gradients are not added here: the trainer gathers them and walks the tree of its chunks.
static float r1i_tree_sum(const void *const *posted, size_t index, int lo, int hi) {
    if (hi - lo == 1) return ((const float *)posted[lo])[index];
    int middle = lo + (hi - lo + 1) / 2;
    return r1i_tree_sum(posted, index, lo, middle) + r1i_tree_sum(posted, index, middle, hi);
}
// values [size * count], mine [count]: rank r gets the sum of part r. Each element is summed by one
// rank, along the tree, so no arrival order is in it.
static r1_status r1i_ranks_reduce_scatter(r1_group *group, const float *values, float *mine,
                                          size_t count) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, values);
    size_t first = (size_t)group->rank * count;
    for (size_t i = 0; i < count && status == R1_OK; i++)
        mine[i] = r1i_tree_sum(ranks->posted, first + i, 0, group->size);
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// In place needs two phases: all ranks read, then all ranks write.
// Every rank computes the whole sum for itself, along the same tree, so all get the same bits. The
// sums lie in memory of malloc, since a group belongs to no context.
static r1_status r1i_ranks_all_reduce(r1_group *group, float *values, size_t count) {
    r1i_ranks *ranks = (r1i_ranks *)group->state;
    r1_status status = r1i_ranks_post(group, values);
    float *sum = status == R1_OK ? (float *)malloc(count * sizeof *sum + 1) : NULL;
    if (!sum) {
        r1i_ranks_abort(group);
        return status == R1_OK ? R1_ERROR_MEMORY : status;
    }
    for (size_t i = 0; i < count; i++) sum[i] = r1i_tree_sum(ranks->posted, i, 0, group->size);
    status = r1i_ranks_barrier(group);
    if (status == R1_OK && count) memcpy(values, sum, count * sizeof *sum);
    free(sum);
    return status == R1_OK ? r1i_ranks_barrier(group) : status;
}
// The life of one rank. An error it returns is made known at once, or the others would wait for it.
static void *r1i_rank_main(void *arg) {
    r1i_rank_start *start = (r1i_rank_start *)arg;
    r1_group group = {.rank = start->rank,
                      .size = start->ranks->size,
                      .all_reduce = r1i_ranks_all_reduce,
                      .all_gather = r1i_ranks_all_gather,
                      .reduce_scatter = r1i_ranks_reduce_scatter,
                      .broadcast = r1i_ranks_broadcast,
                      .all_to_all = r1i_ranks_all_to_all,
                      .barrier = r1i_ranks_barrier,
                      .abort = r1i_ranks_abort,
                      .state = start->ranks};
    start->status = start->ranks->fn(&group, start->ranks->arg);
    if (start->status != R1_OK) r1i_ranks_abort(&group);
    return NULL;
}
// A status of R1_ERROR_GROUP is only an echo of somebody else's failure, so a cause outranks it.
R1I_BODY r1_status r1_group_threads(int size, r1_rank_fn *fn, void *arg) {
    if (size < 1 || size > R1I_MAX_RANKS || !fn) return R1_ERROR_ARGUMENT;
    r1i_ranks ranks = {.size = size, .fn = fn, .arg = arg};
    r1i_rank_start starts[R1I_MAX_RANKS];
    pthread_t threads[R1I_MAX_RANKS];
    pthread_mutex_init(&ranks.mutex, NULL);
    pthread_cond_init(&ranks.turn, NULL);
    int started = 0;
    r1_status status = R1_OK;
    for (int r = 0; r < size; r++) starts[r] = (r1i_rank_start){&ranks, r, R1_ERROR_GROUP};
    for (; started < size; started++)
        if (pthread_create(&threads[started], NULL, r1i_rank_main, &starts[started]) != 0) break;
    if (started < size) { // the ranks that run must not wait for those that never will
        r1_group group = {.state = &ranks};
        r1i_ranks_abort(&group);
    }
    for (int r = 0; r < started; r++) pthread_join(threads[r], NULL);
    for (int r = size - 1; r >= 0; r--) // a rank that failed on its own tells more than a survivor
        if (starts[r].status != R1_OK && (status == R1_OK || starts[r].status != R1_ERROR_GROUP))
            status = starts[r].status;
    pthread_cond_destroy(&ranks.turn);
    pthread_mutex_destroy(&ranks.mutex);
    return status;
}
#endif

// ==== [number] ===================================================================================
// Number formats and elementary functions. Calls [base]. Every rounding below is explicit: fma is
// fma, a lone multiply or add is guarded by R1I_KEEP, so all compilers give the same bits.
static const struct {
    const char *name;
    size_t bytes;
} r1i_dtypes[R1_DTYPE_COUNT] = {
    [R1_F32] = {"F32", 4},         [R1_F64] = {"F64", 8}, [R1_F16] = {"F16", 2},
    [R1_BF16] = {"BF16", 2},       [R1_I32] = {"I32", 4}, [R1_I64] = {"I64", 8},
    [R1_F8_E4M3] = {"F8_E4M3", 1}, [R1_U8] = {"U8", 1},
};
R1I_BODY size_t r1_dtype_bytes(r1_dtype dtype) {
    return (unsigned)dtype < R1_DTYPE_COUNT ? r1i_dtypes[dtype].bytes : 0;
}
R1I_BODY const char *r1_dtype_name(r1_dtype dtype) {
    return (unsigned)dtype < R1_DTYPE_COUNT ? r1i_dtypes[dtype].name : NULL;
}

// The bits of a float and back: memcpy is the one way that C blesses, and compiles to a move.
static uint32_t r1i_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static float r1i_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// bf16 is the upper half of a float. Adding 0x7fff plus the last kept bit carries into the upper
// half exactly when nearest, ties to even, rounds up; a carry out of the mantissa raises the
// exponent, as it must, up to infinity.
R1I_BODY uint16_t r1_to_bf16(float x) {
    uint32_t bits = r1i_bits(x);
    if (x != x) return (uint16_t)((bits >> 16) | 0x40u); // rounding could carry NaN to infinity
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
R1I_BODY float r1_from_bf16(uint16_t bits) { return r1i_float((uint32_t)bits << 16); }

// Rounds x to a format with `mantissa` bits whose smallest normal exponent is `least`; the result
// is still a float. Adding and subtracting a power of two rounds at the wanted bit.
//   magic = 1.5 * 2^(e + 23 - mantissa) has its last bit at 2^(e - mantissa), the last bit that the
//   format keeps of an x in [2^e, 2^(e+1)): the hardware rounds x there, ties to even. Below
//   `least` the last bit stays where the denormals of the format have it.
// x must be finite and not negative.
static float r1i_round_to(float x, int mantissa, int least) {
    uint32_t exponent = (r1i_bits(x) >> 23) & 255u;
    int e = exponent ? (int)exponent - 127 : -126;
    if (e < least) e = least;
    float magic = r1i_float((uint32_t)(e + 23 - mantissa + 127) << 23) * 1.5f;
    float up = x + magic;
    R1I_KEEP(up);
    float down = up - magic;
    R1I_KEEP(down);
    return down;
}
// 1 sign, 5 exponent (bias 15), 10 mantissa bits. 65504 is the largest; from 65520 on, half-way to
// the next step, it is infinity. 112 = 127 - 15 moves the exponent from one bias to the other.
R1I_BODY uint16_t r1_to_f16(float x) {
    uint32_t sign = (r1i_bits(x) >> 16) & 0x8000u;
    if (x != x) return (uint16_t)(sign | 0x7e00u);
    float magnitude = r1i_float(r1i_bits(x) & 0x7fffffffu);
    if (magnitude >= 65520.0f) return (uint16_t)(sign | 0x7c00u);
    float rounded = r1i_round_to(magnitude, 10, -14);
    if (rounded < 0x1p-14f) return (uint16_t)(sign | (uint32_t)(rounded * 0x1p24f));
    uint32_t bits = r1i_bits(rounded);
    return (uint16_t)(sign | (((bits >> 23) - 112u) << 10) | ((bits >> 13) & 0x3ffu));
}
R1I_BODY float r1_from_f16(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u;
    uint32_t mantissa = bits & 0x3ffu;
    if (exponent == 31) return r1i_float(sign | 0x7f800000u | (mantissa << 13));
    if (exponent == 0) { // a denormal is mantissa * 2^-24
        float x = (float)mantissa * 0x1p-24f;
        return r1i_float(sign | r1i_bits(x));
    }
    return r1i_float(sign | ((exponent + 112u) << 23) | (mantissa << 13));
}
// e4m3: 1 sign, 4 exponent (bias 7), 3 mantissa bits; 120 = 127 - 7. There is no infinity, and only
// 0x7f and 0xff are NaN, so the largest number is 1.75 * 2^8 = 448. Denormals are k * 2^-9.
R1I_BODY uint8_t r1_to_f8(float x) {
    uint32_t sign = (r1i_bits(x) >> 24) & 0x80u;
    if (x != x) return (uint8_t)(sign | 0x7fu);
    float magnitude = r1i_float(r1i_bits(x) & 0x7fffffffu);
    if (magnitude > 448.0f) magnitude = 448.0f;
    float rounded = r1i_round_to(magnitude, 3, -6);
    if (rounded < 0x1p-6f) return (uint8_t)(sign | (uint32_t)(rounded * 0x1p9f));
    uint32_t bits = r1i_bits(rounded);
    return (uint8_t)(sign | (((bits >> 23) - 120u) << 3) | ((bits >> 20) & 7u));
}
// Exact like r1_from_f16: a float has room for every value of the format.
R1I_BODY float r1_from_f8(uint8_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x80u) << 24, exponent = (bits >> 3) & 15u;
    uint32_t mantissa = bits & 7u;
    if (exponent == 15 && mantissa == 7) return r1i_float(sign | 0x7fc00000u);
    if (exponent == 0) return r1i_float(sign | r1i_bits((float)mantissa * 0x1p-9f));
    return r1i_float(sign | ((exponent + 120u) << 23) | (mantissa << 20));
}

// Fused multiply-add, exact in every build: hardware where the compiler may use it, else libm's,
// which the C standard defines to round once.
R1I_INLINE float r1i_fmaf(float a, float b, float c) { return fmaf(a, b, c); }

// e^x. x = k ln 2 + r with k found by adding 1.5 * 2^23; a polynomial of degree 6 on |r| < 0.35;
// the scaling by 2^k in two factors, so that results below 2^-126 round once and correctly.
//   e^x = 2^k e^r,  e^r = 1 + r + r^2 p(r) with p of degree 4
// 1.5 * 2^23 = 12582912 leaves no bits for a fraction, so the sum is rounded to the nearest
// integer, which is then read from its low bits. Below -104 the result is 0 and above 89 infinity,
// so clamping there loses nothing and keeps n in range.
static float r1i_expf(float x) {
    float floor_x = -104.0f < x ? x : -104.0f; // turns NaN into -104; the next line brings it back
    if (x != x) floor_x = x;
    x = floor_x > 89.0f ? 89.0f : floor_x;
    float shifted = r1i_fmaf(x, 1.44269504f, 12582912.0f);
    R1I_KEEP(shifted);
    float k = shifted - 12582912.0f;
    R1I_KEEP(k);
    float r = r1i_fmaf(k, -0x1.62e4p-1f, x); // ln 2 in two parts; the first ends in 9 zero bits
    r = r1i_fmaf(k, -1.42860677e-6f, r);
    float p = r1i_fmaf(r, 0.0013813143596053123f, 0.008369418792426586f);
    p = r1i_fmaf(p, r, 0.04166845604777336f);
    p = r1i_fmaf(p, r, 0.16666515171527863f);
    p = r1i_fmaf(p, r, 0.4999999403953552f);
    float square = r * r;
    R1I_KEEP(square);
    p = r1i_fmaf(p, square, r);
    p = p + 1.0f;
    R1I_KEEP(p);
    if (p != p) return p;
    int32_t n = (int32_t)(r1i_bits(shifted) - 0x4b400000u), half = n >> 1;
    p = p * r1i_float((uint32_t)(half + 127) << 23);
    R1I_KEEP(p);
    p = p * r1i_float((uint32_t)(n - half + 127) << 23);
    R1I_KEEP(p);
    return p;
}
// ln x. x = 2^e m with m in [sqrt(1/2), sqrt(2)); p is a polynomial of degree 8 in m - 1.
//   ln x = e ln 2 + f + f^2 (-1/2 + f p(f)) with f = m - 1, exact by Sterbenz' lemma
// m around 1 instead of [1, 2) keeps f small and makes e = 0 for x near 1, where nothing cancels.
// 0x3f3504f3 is sqrt(1/2): subtracting it first puts the borrow of the exponent at that point.
static float r1i_logf(float x) {
    if (x != x) return x;
    if (x < 0.0f) return r1i_float(0x7fc00000u);
    if (x == 0.0f) return r1i_float(0xff800000u);
    if (x > 3.40282347e38f) return x;
    bool tiny = x < 0x1p-126f;
    float y = tiny ? x * 0x1p23f : x;
    R1I_KEEP(y);
    uint32_t bits = r1i_bits(y);
    int32_t e = (int32_t)(bits - 0x3f3504f3u) >> 23;
    float m = r1i_float(bits - ((uint32_t)e << 23));
    float exponent = (float)(e - (tiny ? 23 : 0));
    float f = m - 1.0f;
    R1I_KEEP(f);
    float p = r1i_fmaf(f, 0.06746627390384674f, -0.11675648391246796f);
    p = r1i_fmaf(p, f, 0.11888166517019272f);
    p = r1i_fmaf(p, f, -0.1240558996796608f);
    p = r1i_fmaf(p, f, 0.14219552278518677f);
    p = r1i_fmaf(p, f, -0.1666799634695053f);
    p = r1i_fmaf(p, f, 0.2000211924314499f);
    p = r1i_fmaf(p, f, -0.25000008940696716f);
    p = r1i_fmaf(p, f, 0.3333331346511841f);
    float square = f * f;
    R1I_KEEP(square);
    float g = r1i_fmaf(p, f, -0.5f);
    float low = r1i_fmaf(exponent, 1.42860677e-6f, f);
    float sum = r1i_fmaf(g, square, low);
    return r1i_fmaf(exponent, 0x1.62e4p-1f, sum);
}
R1I_BODY float r1_exp(float x) { return r1i_expf(x); }
R1I_BODY float r1_log(float x) { return r1i_logf(x); }

// The same in double, for tables and schedules: series to the last bit or two, no libm that rounds.
// frexp, ldexp and fma are exact by definition and so are allowed. 14 terms: 0.35^15 / 15! < 2e-19.
R1I_PLAIN static double r1i_exp_double(double x) {
    if (x != x) return x;
    if (x > 709.0) return HUGE_VAL;
    if (x < -740.0) return 0;
    double k = (double)(int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = fma(-k, 1.90821492927058770002e-10, fma(-k, 6.93147180369123816490e-01, x));
    double p = 1;
    for (int i = 14; i > 0; i--) p = fma(p, r / i, 1.0);
    return ldexp(p, (int)k);
}
// ln m = 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = (m - 1) / (m + 1), |s| < 0.172.
R1I_PLAIN static double r1i_log_double(double x) {
    if (!(x > 0)) return x == 0 ? -HUGE_VAL : NAN;
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) m *= 2, e--;
    double s = (m - 1) / (m + 1), square = s * s, p = 0;
    for (int i = 39; i > 0; i -= 2) p = fma(p, square, 1.0 / i);
    return fma((double)e, 6.93147180369123816490e-01,
               fma((double)e, 1.90821492927058770002e-10, 2 * s * p));
}
// sin and cos by reduction to [-pi/4, pi/4] with pi/2 in three parts (good up to about 10^9).
// The Taylor series by Horner: sin r = r - r^3 / 3! + ..., cos r = 1 - r^2 / 2! + ...; k mod 4 says
// which quarter of the circle x was in, and so which of the two to take and with what sign.
R1I_PLAIN static void r1i_sin_cos(double x, double *sine, double *cosine) {
    double turns = x * 0.63661977236758134308;
    double k = (double)(int64_t)(turns + (turns < 0 ? -0.5 : 0.5));
    double r = fma(-k, 1.57079632673412561417e+00, x);
    r = fma(-k, 6.07710050630396597660e-11, r);
    r = fma(-k, 2.02226624879595063154e-21, r);
    double square = r * r, s = 0, c = 0;
    for (int i = 8; i > 0; i--) s = fma(s, square, 1.0) * -1.0 / (2.0 * i * (2.0 * i + 1));
    for (int i = 8; i > 0; i--) c = fma(c, square, 1.0) * -1.0 / (2.0 * i * (2.0 * i - 1));
    s = fma(s * square, r, r), c = fma(c, square, 1.0);
    switch ((int)((int64_t)k & 3)) {
    case 0:
        *sine = s, *cosine = c;
        break;
    case 1:
        *sine = c, *cosine = -s;
        break;
    case 2:
        *sine = -s, *cosine = -c;
        break;
    default:
        *sine = -c, *cosine = s;
        break;
    }
}
// sqrt(-2 ln a) cos(2 pi b) with a, b uniform in (0, 1). The second normal that the formula offers,
// with sin, is not kept: a draw would then depend on the one before it.
R1I_PLAIN R1I_BODY float r1_random_normal(r1_random *at) {
    double s, c, a = r1_random_unit(at), b = r1_random_unit(at);
    r1i_sin_cos(6.28318530717958647693 * b, &s, &c);
    return (float)(sqrt(-2.0 * r1i_log_double(a)) * c);
}

// ==== [context] ==================================================================================
// Makes and frees contexts. Calls the rooms above. The known-answer test catches what no macro
// shows, such as clang's -funsafe-math-optimizations or a compiler that does not exist yet.
//
// Reads through volatile, so the value has been rounded to a float in memory.
static uint32_t r1i_volatile_bits(volatile float *x) {
    float copy = *x;
    return r1i_bits(copy);
}
// a * b + c in double as the plain functions write it.
static R1I_PLAIN double r1i_plain_multiply_add(double a, double b, double c) { return a * b + c; }

// The name of the first arithmetic fact that this build gets wrong, or NULL. Inputs are volatile,
// so nothing is computed at compile time.
// Nearly every fact is one that a known flag breaks; the expected bits are those of IEEE 754 with
// rounding to nearest, and of the two polynomials of [number].
static R1I_NOINLINE const char *r1i_arithmetic_fault(void) {
    volatile float a = 1.0f + 0x1p-12f, sum = -1.0f - 0x1p-11f;
    volatile float one = -1.0f, third = 3.0f, tiny = 0x1p-130f;
    volatile float result, quiet = r1i_float(0x7fc00000u), big = 12582912.0f, small = 0.3f;
    float x = a, c = sum, product = x * x;
    R1I_KEEP(product);
    result = product + c; // exactly 0 when the product is rounded first; fused it is 2^-24
    if (r1i_volatile_bits(&result) != 0) return "a * b + c is fused (-ffp-contract=fast)";
    result = r1i_fmaf(x, x, c);
    if (r1i_volatile_bits(&result) != 0x33800000u) return "fma does not round once";
    double wide = 1.0 + 0x1p-27;
    if (r1i_plain_multiply_add(wide, wide, -1.0 - 0x1p-26) != 0)
        return "a * b + c is fused in double (-ffp-contract=fast)";
    float shifted = small + big;
    R1I_KEEP(shifted);
    result = shifted - big;
    if (r1i_volatile_bits(&result) != 0) return "(a + b) - b is folded (-fassociative-math)";
    result = one / third;
    if (r1i_volatile_bits(&result) != 0xbeaaaaabu)
        return "division is not exact (-freciprocal-math)";
    result = 1.0f / sqrtf(third);
    if (r1i_volatile_bits(&result) != 0x3f13cd3au) return "1/sqrt is an estimate (-mrecip)";
    result = tiny * 0.5f;
    if (r1i_volatile_bits(&result) != 0x00040000u) return "denormals are flushed (-ffast-math)";
    float q = quiet;
    if (q == q) return "NaN compares equal to itself (-ffinite-math-only)";
    result = r1i_expf(small);
    if (r1i_volatile_bits(&result) != 0x3facc82cu) return "exp has other bits";
    result = r1i_logf(small);
    if (r1i_volatile_bits(&result) != 0xbf9a1bc8u) return "log has other bits";
    return NULL;
}
// Cores that are online now; it decides how fast, never what.
static int r1i_core_count(void) {
#if defined _SC_NPROCESSORS_ONLN && !defined R1_NO_THREADS
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > R1I_MAX_THREADS ? R1I_MAX_THREADS : (int)n;
#else
    return 1;
#endif
}
// A context with an error is returned all the same: its message says what is wrong, which NULL
// could not. The levels of [simd] are tested later, when the first op needs one.
R1I_BODY r1_context *r1_context_new(const r1_context_desc *given) {
    r1_context_desc desc = {0};
    if (given) desc = *given;
    if (!desc.allocator.alloc || !desc.allocator.free)
        desc.allocator = (r1_allocator){r1i_libc_alloc, r1i_libc_free, NULL};
    r1_context *ctx =
        (r1_context *)desc.allocator.alloc(desc.allocator.user, sizeof *ctx, R1I_ALIGN);
    if (!ctx) return NULL;
    memset(ctx, 0, sizeof *ctx);
    ctx->allocator = desc.allocator;
    ctx->on_error = desc.on_error;
    ctx->user = desc.user;
    ctx->seed = desc.seed;
    ctx->cpu_level = desc.cpu_level;
    ctx->threads = desc.threads ? desc.threads : r1i_core_count();
    if (ctx->threads < 1 || ctx->threads > R1I_MAX_THREADS || desc.cpu_level < 0 ||
        desc.cpu_level >= R1_CPU_LEVEL_COUNT) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "context: threads %d is not in 0..%d, or cpu_level %d in 0..%d", desc.threads,
                 R1I_MAX_THREADS, (int)desc.cpu_level, R1_CPU_LEVEL_COUNT - 1);
        ctx->threads = 1, ctx->cpu_level = R1_CPU_SCALAR;
    }
#ifdef R1_NO_THREADS
    ctx->threads = 1;
#endif
    r1i_float_state state = r1i_float_enter();
    const char *fault = r1i_arithmetic_fault();
    r1i_float_leave(state);
    if (fault)
        r1i_fail(ctx, R1_ERROR_ARITHMETIC,
                 "context: this build breaks the arithmetic: %s; compile the file with "
                 "R1_IMPLEMENTATION without that flag",
                 fault);
    return ctx;
}
// The block list is walked by taking its head again and again, because closing one object may free
// others: see r1i_alloc_object for what a `close` must do so that this ends.
R1I_BODY void r1_context_free(r1_context *ctx) {
    if (!ctx) return;
    while (ctx->blocks) { // newest first: an object is younger than what it stands on
        r1i_block *block = ctx->blocks;
        void *object = (char *)block + R1I_ALIGN;
        void (*close)(void *) = block->close;
        if (object == ctx->pool) {
            r1i_pool_free(ctx);
        } else if (close) {
            block->close = NULL;
            close(object);
        } else {
            r1i_free(ctx, object);
        }
    }
    r1_allocator allocator = ctx->allocator;
    allocator.free(allocator.user, ctx, sizeof *ctx);
}
R1I_BODY uint64_t r1_seed_of(const r1_context *ctx) { return ctx ? ctx->seed : 0; }

// ==== [kernel] ===================================================================================
// Plain-pointer forward and backward of every op in scalar C: the readable reference, and the
// oracle of every backend. Calls [base], [random], [number]. The orders below ARE the arithmetic
// (docs/determinism.md): a matmul is one chain of fused multiply-adds over k; a row sum uses 16
// lanes and a fixed tree; a weight gradient is one chain over token rows that continues from the
// stored value. Tiles, threads and vectors only choose who computes.
//
// The float build uses exp and log of [number], which have the same bits everywhere; the double
// build is an oracle with a tolerance, and libm's are good enough for it.
#define r1i_fma(a, b, c) _Generic((r1i_real)0, float : fmaf, double : fma)(a, b, c)
#define r1i_exp(x)       _Generic((r1i_real)0, float : r1i_expf, double : exp)(x)
#define r1i_log(x)       _Generic((r1i_real)0, float : r1i_logf, double : log)(x)
#define r1i_sqrt(x)      _Generic((r1i_real)0, float : sqrtf, double : sqrt)(x)
#define R1I_INFINITY     ((r1i_real)HUGE_VAL)

// A product or sum that is rounded here and nowhere else.
R1I_INLINE r1i_real r1i_product(r1i_real a, r1i_real b) {
    r1i_real c = a * b;
    R1I_KEEP(c);
    return c;
}
R1I_INLINE r1i_real r1i_total(r1i_real a, r1i_real b) {
    r1i_real c = a + b;
    R1I_KEEP(c);
    return c;
}

enum { R1I_LANES = 16 };

// The fixed tree over 16 lanes: +8, +4, +2, +1.
//   lane     0   1  ...  7 |  8   9  ... 15
//   + 8      0+8 1+9 ... 7+15                   then + 4, + 2, + 1, until lane 0 holds all
// 16 lanes are one AVX-512 register, two of AVX2 and four of NEON, and in each of them a step of
// the tree is a few instructions, so that no level pays for the order.
static r1i_real r1i_lane_tree(r1i_real *lane) {
    for (int width = 8; width; width /= 2)
        for (int l = 0; l < width; l++) lane[l] = r1i_total(lane[l], lane[l + width]);
    return lane[0];
}
// sum_j a[j] b[j]: lane l takes the elements with j mod 16 == l.
// Sums along one row have lanes, products of matrices do not: there the lanes are 16 outputs. Here
// there is one output, nobody cuts its row, and a single chain would leave 15 of 16 lanes idle.
static r1i_real r1i_dot(const r1i_real *a, const r1i_real *b, size_t n) {
    r1i_real lane[R1I_LANES] = {0};
    for (size_t j = 0; j < n; j++) lane[j % R1I_LANES] = r1i_fma(a[j], b[j], lane[j % R1I_LANES]);
    return r1i_lane_tree(lane);
}
// For x below about -88.7 exp(-x) overflows to infinity, and 1 / infinity is the 0 that is wanted.
static r1i_real r1i_sigmoid(r1i_real x) { return 1 / r1i_total(1, r1i_exp(-x)); }

// One matrix product: c[m,n] = start + sum_k a[m,k] b[k,n], k ascending. start is c itself when
// `accumulate`, else bias[n], else +0. a[m,k] is at a[m lda + k], or at a[k lda + m] when
// a_transposed; b[k,n] at b[k ldb + n], or at b[n ldb + k] when b_transposed (rows of weights).
// Three of the four layouts occur, so that no op has to transpose a matrix first:
//   y = x w^T         a [M,K], b [N,K] transposed      a layer forward
//   dx += dy w        a [M,K], b [K,N]                 its input gradient
//   dw += dy^T x      a [K,M] transposed, b [K,N]      its weight gradient: k is the token row
// Invariant: K is never cut between tasks, and a cut of k in time continues the chain from c.
typedef struct r1i_gemm {
    size_t M, N, K, lda, ldb, ldc;
    const r1i_real *a, *b, *bias;
    r1i_real *c;
    bool a_transposed, b_transposed, accumulate;
} r1i_gemm;

// The inner kernels that a CPU level may replace. Each level computes the same bits.
typedef struct r1i_rows {
    const char *name;
    // Rows m0 .. m1 and columns n0 .. n1 of a product; scratch holds R1I_GEMM_SCRATCH numbers.
    void (*gemm)(const r1i_gemm *job, size_t m0, size_t m1, size_t n0, size_t n1,
                 r1i_real *scratch);
    void (*norm_forward)(const r1_rmsnorm_args *args, size_t begin, size_t end);
    void (*norm_backward)(const r1_rmsnorm_args *args, size_t begin, size_t end);
    void (*norm_gain)(const r1_rmsnorm_args *args, size_t begin, size_t end);
    void (*swiglu_forward)(const r1_swiglu_args *args, size_t begin, size_t end);
    void (*swiglu_backward)(const r1_swiglu_args *args, size_t begin, size_t end);
    // p[j] = exp(s[j] - max), in place; max_sum gets the maximum and the 16-lane sum.
    void (*softmax)(r1i_real *s, size_t n, r1i_real *max_sum);
    // s -> p = exp(s - max) / sum; dp -> ds = p (dp - mean)
    void (*softmax_grad)(r1i_real *s, r1i_real *dp, size_t n, const r1i_real *max_sum,
                         r1i_real mean);
    r1i_real (*dot)(const r1i_real *a, const r1i_real *b, size_t n);
    // z *= factor in place; out: maximum, sum exp, sum exp * (z - maximum); returns the arg-max.
    size_t (*logits)(r1i_real *z, size_t n, r1i_real factor, r1i_real *out);
    // z -> dz = (onehot(target - first) - exp(z factor - max) / sum) * coefficient for n ids
    void (*logits_grad)(r1i_real *z, size_t n, size_t target, r1i_real factor,
                        const r1i_real *max_sum, r1i_real coefficient);
    // noise[i] = -log(-log u_i) for i < n; u from `counter` with the id in its first word.
    void (*gumbel)(r1i_real *noise, size_t n, uint64_t seed, const uint32_t counter[4]);
    void (*adamw)(const r1_adamw_args *args, size_t begin, size_t end);
} r1i_rows;

// Sizes of pieces. They decide what stays in a cache and who computes what, and are in no result.
enum {
    R1I_GEMM_KC = 512, // k rows that are packed at a time
    R1I_GEMM_NC = 256, // columns of a task
    R1I_GEMM_MC = 256, // rows of a task
    R1I_GEMM_SCRATCH = R1I_GEMM_KC * (R1I_GEMM_NC + 32) + 4096
};

// The definition of a product. The other levels have other loops and the same chain per element.
static void r1i_gemm_scalar(const r1i_gemm *job, size_t m0, size_t m1, size_t n0, size_t n1,
                            r1i_real *scratch) {
    (void)scratch;
    size_t a_step = job->a_transposed ? job->lda : 1, a_row = job->a_transposed ? 1 : job->lda;
    size_t b_step = job->b_transposed ? 1 : job->ldb, b_row = job->b_transposed ? job->ldb : 1;
    for (size_t m = m0; m < m1; m++)
        for (size_t n = n0; n < n1; n++) {
            const r1i_real *a = job->a + m * a_row, *b = job->b + n * b_row;
            r1i_real *c = job->c + m * job->ldc + n;
            r1i_real sum = job->accumulate ? *c : job->bias ? job->bias[n] : 0;
            for (size_t k = 0; k < job->K; k++) sum = r1i_fma(a[k * a_step], b[k * b_step], sum);
            *c = sum;
        }
}
// y = (x scale) gain with scale = 1 / sqrt((sum x^2) / C + eps), rows begin .. end. Two roundings
// for y, in this order; the sum has 16 lanes.
static void r1i_norm_forward_scalar(const r1_rmsnorm_args *args, size_t begin, size_t end) {
    size_t C = args->C;
    for (size_t t = begin; t < end; t++) {
        const r1i_real *x = args->x + t * C;
        r1i_real *y = args->y + t * C, mean = r1i_dot(x, x, C) / (r1i_real)C;
        R1I_KEEP(mean);
        r1i_real scale = 1 / r1i_sqrt(r1i_total(mean, args->eps));
        for (size_t c = 0; c < C; c++) y[c] = r1i_product(r1i_product(x[c], scale), args->gain[c]);
        args->scale[t] = scale;
    }
}
// With g = dy gain:  dx = scale (g - x scale^2 (sum g x) / C).
// From y_c = g_c x_c s, s = (mean x^2 + eps)^(-1/2), ds/dx_c = -s^3 x_c / C, and g standing for
// dy gain:   dx_c = g_c s - (sum g x) s^3 x_c / C = s (g_c - x_c k),  k = s^2 (sum g x) / C.
static void r1i_norm_backward_scalar(const r1_rmsnorm_args *args, size_t begin, size_t end) {
    size_t C = args->C;
    for (size_t t = begin; t < end; t++) {
        const r1i_real *x = args->x + t * C, *dy = args->dy + t * C;
        r1i_real *dx = args->dx + t * C, scale = args->scale[t], lane[R1I_LANES] = {0};
        for (size_t c = 0; c < C; c++) {
            r1i_real g = r1i_product(dy[c], args->gain[c]);
            lane[c % R1I_LANES] = r1i_fma(g, x[c], lane[c % R1I_LANES]);
        }
        r1i_real dot = r1i_lane_tree(lane);
        r1i_real k = r1i_product(r1i_product(scale, scale), dot) / (r1i_real)C;
        for (size_t c = 0; c < C; c++) {
            r1i_real g = r1i_product(dy[c], args->gain[c]);
            dx[c] = r1i_fma(r1i_fma(-x[c], k, g), scale, dx[c]);
        }
    }
}
// dgain[c] += sum_t dy[t,c] x[t,c] scale[t] for columns begin .. end: one chain over t for each
// column. t is the outer loop, because rows are what lies together in memory.
static void r1i_norm_gain_scalar(const r1_rmsnorm_args *args, size_t begin, size_t end) {
    for (size_t t = 0; t < args->T; t++)
        for (size_t c = begin; c < end; c++) {
            r1i_real unit = r1i_product(args->x[t * args->C + c], args->scale[t]);
            args->dgain[c] = r1i_fma(args->dy[t * args->C + c], unit, args->dgain[c]);
        }
}
// y = silu(gate) up, silu(g) = g sigmoid(g).
static void r1i_swiglu_forward_scalar(const r1_swiglu_args *args, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        r1i_real g = args->gate[i], silu = r1i_product(g, r1i_sigmoid(g));
        args->y[i] = r1i_product(silu, args->up[i]);
    }
}
// With s = sigmoid(g), ds/dg = s (1 - s):  d silu / dg = s + g s (1 - s) = (g (1 - s) + 1) s. The
// sigmoid is computed again instead of keeping [T, hidden] of it for the whole step.
static void r1i_swiglu_backward_scalar(const r1_swiglu_args *args, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        r1i_real g = args->gate[i], s = r1i_sigmoid(g), dy = args->dy[i];
        r1i_real slope = r1i_product(r1i_fma(g, r1i_total(1, -s), 1), s);
        args->dup[i] = r1i_fma(dy, r1i_product(g, s), args->dup[i]);
        args->dgate[i] = r1i_fma(r1i_product(dy, args->up[i]), slope, args->dgate[i]);
    }
}
// The one reduction without an order: a maximum is exact, however it is found. n >= 1.
static r1i_real r1i_max_of(const r1i_real *s, size_t n) {
    r1i_real max = s[0];
    for (size_t j = 1; j < n; j++) max = s[j] > max ? s[j] : max;
    return max;
}
// Leaves p unnormalised. Subtracting the maximum makes every p <= 1 and the sum >= 1, so nothing
// overflows and no division by zero can follow. The caller divides its result instead of all p.
static void r1i_softmax_scalar(r1i_real *s, size_t n, r1i_real *max_sum) {
    r1i_real max = r1i_max_of(s, n), lane[R1I_LANES] = {0};
    for (size_t j = 0; j < n; j++) {
        s[j] = r1i_exp(r1i_total(s[j], -max));
        lane[j % R1I_LANES] = r1i_total(lane[j % R1I_LANES], s[j]);
    }
    max_sum[0] = max, max_sum[1] = r1i_lane_tree(lane);
}
// y = sum_j p_j v_j with p = softmax(s) gives ds_j = p_j (dp_j - sum_i p_i dp_i); `mean` is that
// sum. p is exp of the same difference over the same sum as in the forward pass.
static void r1i_softmax_grad_scalar(r1i_real *s, r1i_real *dp, size_t n, const r1i_real *max_sum,
                                    r1i_real mean) {
    for (size_t j = 0; j < n; j++) {
        s[j] = r1i_exp(r1i_total(s[j], -max_sum[0])) / max_sum[1];
        dp[j] = r1i_product(s[j], r1i_total(dp[j], -mean));
    }
}
// out = m, l, w with m = max z, l = sum e^(z - m), w = sum e^(z - m) (z - m). From these
//   log p_j = z_j - m - ln l,   entropy = -sum p ln p = ln l - w / l
// so a row is read three times and its probabilities are never stored.
static size_t r1i_logits_scalar(r1i_real *z, size_t n, r1i_real factor, r1i_real *out) {
    r1i_real lane[R1I_LANES] = {0}, weighted[R1I_LANES] = {0};
    size_t best = 0;
    for (size_t j = 0; j < n; j++) z[j] = r1i_product(z[j], factor);
    for (size_t j = 1; j < n; j++)
        if (z[j] > z[best]) best = j; // ties go to the lower id
    for (size_t j = 0; j < n; j++) {
        r1i_real below = r1i_total(z[j], -z[best]), e = r1i_exp(below);
        lane[j % R1I_LANES] = r1i_total(lane[j % R1I_LANES], e);
        weighted[j % R1I_LANES] = r1i_fma(e, below, weighted[j % R1I_LANES]);
    }
    out[0] = z[best], out[1] = r1i_lane_tree(lane), out[2] = r1i_lane_tree(weighted);
    return best;
}
// d log p_target / dz_j = [j = target] - p_j. A tile that does not hold the target passes a number
// outside of 0 .. n and gets only the second part.
static void r1i_logits_grad_scalar(r1i_real *z, size_t n, size_t target, r1i_real factor,
                                   const r1i_real *max_sum, r1i_real coefficient) {
    for (size_t j = 0; j < n; j++) {
        r1i_real below = r1i_total(r1i_product(z[j], factor), -max_sum[0]);
        r1i_real p = r1i_exp(below) / max_sum[1];
        z[j] = r1i_product(r1i_total(j == target ? 1 : 0, -p), coefficient);
    }
}
// The arg-max of z_i + noise_i is a draw from softmax(z): no cumulative sum, no search, and the
// noise of an id depends on the id and the counter alone. One Philox block serves four ids.
static void r1i_gumbel_scalar(r1i_real *noise, size_t n, uint64_t seed, const uint32_t counter[4]) {
    uint32_t at[4] = {counter[0], counter[1], counter[2], counter[3]}, word[4] = {0};
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0) {
            at[0] = counter[0] + (uint32_t)(i / 4);
            r1_random_block(seed, at, word);
        }
        noise[i] = -r1i_log(-r1i_log((r1i_real)r1i_unit(word[i % 4])));
    }
}
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,   g already clipped
//   w = w - lr (m / correction1 / (sqrt(v / correction2) + eps) + decay w)
// decay is decoupled: it shrinks w itself and never enters the moments.
static void r1i_adamw_scalar(const r1_adamw_args *a, size_t begin, size_t end) {
    r1i_real keep1 = r1i_total(1, -a->beta1), keep2 = r1i_total(1, -a->beta2);
    for (size_t i = begin; i < end; i++) {
        r1i_real g = r1i_product(a->g[i], a->clip);
        a->m[i] = r1i_fma(a->beta1, a->m[i], r1i_product(keep1, g));
        a->v[i] = r1i_fma(a->beta2, a->v[i], r1i_product(keep2, r1i_product(g, g)));
        r1i_real root = r1i_sqrt(a->v[i] / a->correction2);
        r1i_real update = a->m[i] / a->correction1 / r1i_total(root, a->eps);
        a->w[i] = r1i_fma(-a->lr, r1i_fma(a->decay, a->w[i], update), a->w[i]);
    }
}
// The reference level: always there, and what the others are compared with.
static const r1i_rows r1i_rows_scalar = {
    .name = "scalar",
    .gemm = r1i_gemm_scalar,
    .norm_forward = r1i_norm_forward_scalar,
    .norm_backward = r1i_norm_backward_scalar,
    .norm_gain = r1i_norm_gain_scalar,
    .swiglu_forward = r1i_swiglu_forward_scalar,
    .swiglu_backward = r1i_swiglu_backward_scalar,
    .softmax = r1i_softmax_scalar,
    .softmax_grad = r1i_softmax_grad_scalar,
    .dot = r1i_dot,
    .logits = r1i_logits_scalar,
    .logits_grad = r1i_logits_grad_scalar,
    .gumbel = r1i_gumbel_scalar,
    .adamw = r1i_adamw_scalar,
};

// How an op is cut: `units` of work in pieces of `grain`, and scratch numbers per worker. All of it
// is a function of shapes.
// What a unit is belongs to the op: a row, a column, a tile, a head of a sequence. Invariant: one
// unit owns each number that is written, and computes it whole.
typedef struct r1i_plan {
    size_t units, grain, scratch;
} r1i_plan;

// A piece that is worth waking a worker for, in multiply-adds or so.
enum { R1I_PIECE = 1 << 18 };
// cost_each is that of one unit; it only sets how many units go together.
static r1i_plan r1i_plan_units(size_t units, size_t cost_each, size_t scratch) {
    return (r1i_plan){units, r1i_max(1, R1I_PIECE / r1i_max(1, cost_each)), scratch};
}

// The plan of an op whose gradients all have a row per token.
// Such an op is done after R1_BACKWARD, so R1_BACKWARD_SHARED has nothing to cut.
static r1i_plan r1i_plan_rows(r1_direction direction, size_t units, size_t cost_each,
                              size_t scratch) {
    return r1i_plan_units(direction == R1_BACKWARD_SHARED ? 0 : units, cost_each, scratch);
}

// Says how one direction of an op is cut. It reads shapes, starts, expert offsets and which
// gradients are wanted; never a number of a tensor, never the number of threads.
typedef r1i_plan r1i_plan_fn(const void *args, r1_direction direction);
// Computes units begin .. end of one direction of an op.
typedef void r1i_kernel_fn(const void *args, r1_direction direction, size_t begin, size_t end,
                           r1i_real *scratch, const r1i_rows *rows);

// ---- embed ----
// Forward, a unit is a row. Backward, it is a column of the table: rows with equal ids would write
// the same place, columns do not.
static r1i_plan r1i_embed_plan(const void *args, r1_direction direction) {
    const r1_embed_args *a = (const r1_embed_args *)args;
    if (direction == R1_FORWARD) return r1i_plan_units(a->T, a->C, 0);
    return r1i_plan_units(direction == R1_BACKWARD ? 0 : a->C, a->T, 0);
}
// y[t] = table[ids[t]];  dtable[ids[t]] += dy[t], t ascending. ids were checked by r1_embed.
static void r1i_embed(const void *args, r1_direction direction, size_t begin, size_t end,
                      r1i_real *scratch, const r1i_rows *rows) {
    const r1_embed_args *a = (const r1_embed_args *)args;
    (void)scratch, (void)rows;
    if (direction == R1_FORWARD) {
        for (size_t t = begin; t < end; t++)
            memcpy(a->y + t * a->C, a->table + (size_t)a->ids[t] * a->C, a->C * sizeof *a->y);
    } else if (a->dtable) { // a task owns columns, so equal ids meet in row order
        for (size_t t = 0; t < a->T; t++)
            for (size_t c = begin; c < end; c++) {
                r1i_real *d = a->dtable + (size_t)a->ids[t] * a->C + c;
                *d = r1i_total(*d, a->dy[t * a->C + c]);
            }
    }
}

// ---- products: an op direction is a list of gemm jobs, cut into tiles ----
//         n -> 0   256   512 600          one job, M = 300 and N = 600, is six units; each
//   m   0      +-----+-----+--+           owns its piece of c and runs the whole chain over k.
//       |      |  0  |  1  | 2|           The units of job i + 1 go on counting where those
//       v 256  +-----+-----+--+           of job i end, so experts of any size share one
//         300  |  3  |  4  | 5|           numbering, and a worker may get the end of one
//              +-----+-----+--+           expert and the start of the next.
// A job function fills job `index` and returns how many jobs there are; with SIZE_MAX it only
// counts. 0 jobs mean that nobody wants this gradient.
typedef size_t r1i_job_fn(const void *args, r1_direction direction, size_t index, r1i_gemm *job);

// K = 0 still has tiles: c must get its start, zero or the bias.
static size_t r1i_gemm_tiles(const r1i_gemm *job) {
    if (!job->M || !job->N) return 0;
    return r1i_ceil_div(job->M, R1I_GEMM_MC) * r1i_ceil_div(job->N, R1I_GEMM_NC);
}
// The grain comes from the mean cost of a tile, which is near enough: pieces are taken as workers
// get free.
static r1i_plan r1i_jobs_plan(const void *args, r1_direction direction, r1i_job_fn *job_of) {
    r1i_gemm job = {0};
    size_t units = 0, cost = 0, jobs = job_of(args, direction, SIZE_MAX, NULL);
    for (size_t i = 0; i < jobs; i++) {
        job_of(args, direction, i, &job);
        units += r1i_gemm_tiles(&job);
        cost += job.M * job.N * job.K;
    }
    return r1i_plan_units(units, cost / r1i_max(1, units), R1I_GEMM_SCRATCH);
}
// Runs the tiles with numbers begin .. end. Walking all jobs from the first costs a few
// comparisons each, and no table of them has to be kept.
static void r1i_jobs_run(const void *args, r1_direction direction, size_t begin, size_t end,
                         r1i_real *scratch, const r1i_rows *rows, r1i_job_fn *job_of) {
    size_t first = 0;
    for (size_t i = 0; first < end; i++) {
        r1i_gemm job = {0};
        job_of(args, direction, i, &job);
        size_t tiles = r1i_gemm_tiles(&job), columns = r1i_ceil_div(job.N, R1I_GEMM_NC);
        for (size_t u = r1i_max(begin, first); u < r1i_min(end, first + tiles); u++) {
            size_t m = (u - first) / columns * R1I_GEMM_MC, n = (u - first) % columns * R1I_GEMM_NC;
            rows->gemm(&job, m, r1i_min(job.M, m + R1I_GEMM_MC), n, r1i_min(job.N, n + R1I_GEMM_NC),
                       scratch);
        }
        first += tiles;
    }
}

// A linear map of n rows, y = bias + x w^T, with w [out, in] and gradients:
//   forward   y  [n,out]   = bias + x w^T       a chain over `in` that starts from the bias
//   backward  dx [n,in]   += dy w               over `out`
//   shared    dw [out,in] += dy^T x             over n: token rows, in canonical order
// The last continues from the stored gradient, so a batch in micro-batches is the same chain.
typedef struct r1i_linear {
    size_t n, in, out, x_stride, y_stride;
    const r1i_real *x, *w, *bias, *dy;
    r1i_real *y, *dx, *dw;
} r1i_linear;

static r1i_gemm r1i_linear_job(const r1i_linear *l, r1_direction direction, bool accumulate) {
    r1i_gemm job = {.M = l->n, .N = l->in, .K = l->out, .accumulate = accumulate};
    if (direction == R1_FORWARD) {
        job.N = l->out, job.K = l->in, job.bias = l->bias;
        job.a = l->x, job.lda = l->x_stride, job.c = l->y, job.ldc = l->y_stride;
        job.b = l->w, job.ldb = l->in, job.b_transposed = true;
    } else if (direction == R1_BACKWARD) {
        job.a = l->dy, job.lda = l->y_stride, job.c = l->dx, job.ldc = l->x_stride;
        job.b = l->w, job.ldb = l->in;
    } else { // no rows, no work: a matrix that nothing was sent to costs nothing
        job.M = l->n ? l->out : 0, job.K = l->n;
        job.a = l->dy, job.lda = l->y_stride, job.a_transposed = true;
        job.b = l->x, job.ldb = l->x_stride, job.c = l->dw, job.ldc = l->in;
    }
    return job;
}
// Whether anybody wants what a direction computes.
static bool r1i_linear_wanted(r1_direction direction, const r1i_real *dx, const r1i_real *dw) {
    return direction == R1_FORWARD || (direction == R1_BACKWARD ? dx : dw) != NULL;
}

// ---- matmul ----
static size_t r1i_matmul_job(const void *args, r1_direction direction, size_t index,
                             r1i_gemm *job) {
    const r1_matmul_args *a = (const r1_matmul_args *)args;
    if (index == SIZE_MAX) return r1i_linear_wanted(direction, a->dx, a->dw);
    r1i_linear map = {a->T, a->I, a->O, a->I, a->O, a->x, a->w, a->bias, a->dy, a->y, a->dx, a->dw};
    *job = r1i_linear_job(&map, direction, direction != R1_FORWARD);
    return 1;
}
// dbias [O] is not a product; one extra unit sums it.
static r1i_plan r1i_matmul_plan(const void *args, r1_direction direction) {
    const r1_matmul_args *a = (const r1_matmul_args *)args;
    r1i_plan plan = r1i_jobs_plan(args, direction, r1i_matmul_job);
    if (direction == R1_BACKWARD_SHARED && a->dbias) plan.units++; // the last unit is the bias
    return plan;
}
// A range that reaches the extra unit does the bias, then its tiles.
static void r1i_matmul(const void *args, r1_direction direction, size_t begin, size_t end,
                       r1i_real *scratch, const r1i_rows *rows) {
    const r1_matmul_args *a = (const r1_matmul_args *)args;
    if (direction == R1_BACKWARD_SHARED && a->dbias) {
        size_t last = r1i_jobs_plan(args, direction, r1i_matmul_job).units;
        if (end > last) {
            end = last;
            for (size_t t = 0; t < a->T; t++)
                for (size_t o = 0; o < a->O; o++)
                    a->dbias[o] = r1i_total(a->dbias[o], a->dy[t * a->O + o]);
        }
    }
    r1i_jobs_run(args, direction, begin, end, scratch, rows, r1i_matmul_job);
}

// ---- head_matmul ----
// One job a head. A head's columns of x and y are not copied out: the row stride of the product
// steps over the other heads. `narrow` is a place in the tensor with count numbers a head, `wide`
// in the one with Q.
//   head h of w   +-----------+ row 0         w is kv_b_proj of MLA: a head has its key rows,
//                 |           |               then its value rows, each of kv_rank numbers.
//                 |###########| row from      up    q' = q_nope W_UK      count -> Q
//                 |###########| from+count    down  o  = W_UV context     Q -> count
//                 |           | row P
// `up` is `down` run backwards: its forward is down's backward with the names of x and y exchanged.
static size_t r1i_head_job(const void *args, r1_direction direction, size_t h, r1i_gemm *job) {
    const r1_head_matmul_args *a = (const r1_head_matmul_args *)args;
    if (h == SIZE_MAX) return r1i_linear_wanted(direction, a->dx, a->dw) ? a->H : 0;
    size_t narrow = h * a->count, wide = h * a->Q, matrix = (h * a->P + a->from) * a->Q;
    r1i_linear map = {.n = a->T, .in = a->Q, .out = a->count, .w = a->w + matrix};
    map.x_stride = a->H * a->Q, map.y_stride = a->H * a->count;
    map.dw = a->dw ? a->dw + matrix : NULL;
    r1_direction as = direction;
    if (a->up) {
        if (direction != R1_BACKWARD_SHARED)
            as = direction == R1_FORWARD ? R1_BACKWARD : R1_FORWARD;
        map.dy = a->x + narrow, map.dx = a->y + wide;
        map.x = a->dy ? a->dy + wide : NULL, map.y = a->dx ? a->dx + narrow : NULL;
    } else {
        map.x = a->x + wide, map.y = a->y + narrow;
        map.dy = a->dy ? a->dy + narrow : NULL, map.dx = a->dx ? a->dx + wide : NULL;
    }
    *job = r1i_linear_job(&map, as, direction != R1_FORWARD);
    return a->H;
}
// H jobs of equal size, tiles of T rows each.
static r1i_plan r1i_head_matmul_plan(const void *args, r1_direction direction) {
    return r1i_jobs_plan(args, direction, r1i_head_job);
}
static void r1i_head_matmul(const void *args, r1_direction direction, size_t begin, size_t end,
                            r1i_real *scratch, const r1i_rows *rows) {
    r1i_jobs_run(args, direction, begin, end, scratch, rows, r1i_head_job);
}

// ---- expert_matmul ----
// One job an expert, over the rows that were sent to it:
//   row      0   1   2   3 | 4 | 5   6   7   8   9      offsets = 0 4 4 5 10
//   expert         0       | 2 |         3              expert 1 has no row and no tile
// Rows of one expert are in token order, so dw[e] is one chain over its tokens, whatever the
// others were sent.
static size_t r1i_expert_job(const void *args, r1_direction direction, size_t e, r1i_gemm *job) {
    const r1_expert_matmul_args *a = (const r1_expert_matmul_args *)args;
    if (e == SIZE_MAX) return r1i_linear_wanted(direction, a->dx, a->dw) ? a->E : 0;
    size_t first = a->offsets[e], x = first * a->I, y = first * a->O, matrix = e * a->O * a->I;
    r1i_linear map = {.n = a->offsets[e + 1] - first, .in = a->I, .out = a->O};
    map.x_stride = a->I, map.y_stride = a->O, map.w = a->w + matrix;
    map.x = a->x + x, map.y = a->y + y, map.dy = a->dy ? a->dy + y : NULL;
    map.dx = a->dx ? a->dx + x : NULL, map.dw = a->dw ? a->dw + matrix : NULL;
    *job = r1i_linear_job(&map, direction, direction != R1_FORWARD);
    return a->E;
}
// Uneven experts are cut into tiles like any product, so a popular one does not hold up the rest.
static r1i_plan r1i_expert_matmul_plan(const void *args, r1_direction direction) {
    return r1i_jobs_plan(args, direction, r1i_expert_job);
}
static void r1i_expert_matmul(const void *args, r1_direction direction, size_t begin, size_t end,
                              r1i_real *scratch, const r1i_rows *rows) {
    r1i_jobs_run(args, direction, begin, end, scratch, rows, r1i_expert_job);
}

// ---- add, mul, sum ----
// Units are elements.
static r1i_plan r1i_add_plan(const void *args, r1_direction direction) {
    return r1i_plan_rows(direction, ((const r1_pair_args *)args)->n, 1, 0);
}
// da += dy, then db += dy. a and b may be one tensor: its gradient then gets dy twice.
static void r1i_add(const void *args, r1_direction direction, size_t begin, size_t end,
                    r1i_real *scratch, const r1i_rows *rows) {
    const r1_pair_args *p = (const r1_pair_args *)args;
    (void)scratch, (void)rows;
    if (direction == R1_FORWARD)
        for (size_t i = begin; i < end; i++) p->y[i] = p->a[i] + p->b[i];
    if (direction == R1_BACKWARD && p->da)
        for (size_t i = begin; i < end; i++) p->da[i] = p->da[i] + p->dy[i];
    if (direction == R1_BACKWARD && p->db)
        for (size_t i = begin; i < end; i++) p->db[i] = p->db[i] + p->dy[i];
}
static r1i_plan r1i_mul_plan(const void *args, r1_direction direction) {
    return r1i_add_plan(args, direction);
}
// da += dy b, db += dy a.
static void r1i_mul(const void *args, r1_direction direction, size_t begin, size_t end,
                    r1i_real *scratch, const r1i_rows *rows) {
    const r1_pair_args *p = (const r1_pair_args *)args;
    (void)scratch, (void)rows;
    if (direction == R1_FORWARD)
        for (size_t i = begin; i < end; i++) p->y[i] = r1i_product(p->a[i], p->b[i]);
    if (direction == R1_BACKWARD && p->da)
        for (size_t i = begin; i < end; i++) p->da[i] = r1i_fma(p->dy[i], p->b[i], p->da[i]);
    if (direction == R1_BACKWARD && p->db)
        for (size_t i = begin; i < end; i++) p->db[i] = r1i_fma(p->dy[i], p->a[i], p->db[i]);
}
// A sum is one unit, for a cut would be another order of addition. Its gradient is n elements.
static r1i_plan r1i_sum_plan(const void *args, r1_direction direction) {
    size_t n = ((const r1_pair_args *)args)->n;
    return r1i_plan_rows(direction, direction == R1_FORWARD ? 1 : n,
                         direction == R1_FORWARD ? n : 1, 0);
}
// y[0] = sum a, 16 lanes and the tree;  da[i] += dy[0].
static void r1i_sum(const void *args, r1_direction direction, size_t begin, size_t end,
                    r1i_real *scratch, const r1i_rows *rows) {
    const r1_pair_args *p = (const r1_pair_args *)args;
    (void)scratch, (void)rows;
    if (direction == R1_FORWARD) {
        r1i_real lane[R1I_LANES] = {0};
        for (size_t i = 0; i < p->n; i++)
            lane[i % R1I_LANES] = r1i_total(lane[i % R1I_LANES], p->a[i]);
        p->y[0] = r1i_lane_tree(lane);
    } else if (p->da) {
        for (size_t i = begin; i < end; i++) p->da[i] = p->da[i] + p->dy[0];
    }
}

// ---- slice, join ----
// Units are rows.
static r1i_plan r1i_slice_plan(const void *args, r1_direction direction) {
    const r1_slice_args *a = (const r1_slice_args *)args;
    return r1i_plan_rows(direction, a->N, a->count, 0);
}
// y[r] = x[r][from .. from + count]. Backward adds into these columns alone, so several slices of
// one x fill its gradient together.
static void r1i_slice(const void *args, r1_direction direction, size_t begin, size_t end,
                      r1i_real *scratch, const r1i_rows *rows) {
    const r1_slice_args *a = (const r1_slice_args *)args;
    (void)scratch, (void)rows;
    for (size_t r = begin; r < end; r++) {
        size_t wide = r * a->D + a->from, narrow = r * a->count;
        if (direction == R1_FORWARD)
            memcpy(a->y + narrow, a->x + wide, a->count * sizeof *a->y);
        else
            for (size_t c = 0; c < a->count; c++) a->dx[wide + c] += a->dy[narrow + c];
    }
}
// A unit is a token with all its heads, which share one row of b when b has one head.
static r1i_plan r1i_join_plan(const void *args, r1_direction direction) {
    const r1_join_args *a = (const r1_join_args *)args;
    return r1i_plan_rows(direction, a->T, a->H * (a->A + a->W), 0);
}
//   y[t,h] = | a[t,h], A numbers | b[t,h or 0], W numbers |       queries and keys of MLA: the part
// without position, then the rotated part. da takes the first columns of dy, db the others; with
// one head of b, db[t] = sum_h dy[t,h].   Source: V3 eq. 4, the shared k_R.
static void r1i_join(const void *args, r1_direction direction, size_t begin, size_t end,
                     r1i_real *scratch, const r1i_rows *rows) {
    const r1_join_args *j = (const r1_join_args *)args;
    (void)scratch, (void)rows;
    for (size_t t = begin; t < end; t++)
        for (size_t h = 0; h < j->H; h++) { // h ascending: the shared part sums heads in order
            size_t y = (t * j->H + h) * (j->A + j->W), a = (t * j->H + h) * j->A;
            size_t b = (j->b_heads == 1 ? t : t * j->H + h) * j->W;
            if (direction == R1_FORWARD) {
                memcpy(j->y + y, j->a + a, j->A * sizeof *j->y);
                memcpy(j->y + y + j->A, j->b + b, j->W * sizeof *j->y);
                continue;
            }
            for (size_t c = 0; c < j->A && j->da; c++) j->da[a + c] += j->dy[y + c];
            for (size_t c = 0; c < j->W && j->db; c++) j->db[b + c] += j->dy[y + j->A + c];
        }
}

// ---- rmsnorm, rope, swiglu ----
// Rows forward and for dx, columns for dgain. Whole groups of 16 columns, so that a vector level
// meets a partial vector only at the end of a row.
static r1i_plan r1i_rmsnorm_plan(const void *args, r1_direction direction) {
    const r1_rmsnorm_args *a = (const r1_rmsnorm_args *)args;
    if (direction != R1_BACKWARD_SHARED) return r1i_plan_units(a->T, 2 * a->C, 0);
    r1i_plan plan = r1i_plan_units(a->C, a->T, 0);
    plan.grain = r1i_round_up(plan.grain, R1I_LANES);
    return plan;
}
// The inner kernels belong to the level; this only tells the directions apart.
static void r1i_rmsnorm(const void *args, r1_direction direction, size_t begin, size_t end,
                        r1i_real *scratch, const r1i_rows *rows) {
    const r1_rmsnorm_args *a = (const r1_rmsnorm_args *)args;
    (void)scratch;
    if (direction == R1_FORWARD) rows->norm_forward(a, begin, end);
    if (direction == R1_BACKWARD && a->dx) rows->norm_backward(a, begin, end);
    if (direction == R1_BACKWARD_SHARED && a->dgain) rows->norm_gain(a, begin, end);
}
// A unit is a token with all its heads, since they turn by the same angles.
static r1i_plan r1i_rope_plan(const void *args, r1_direction direction) {
    const r1_rope_args *a = (const r1_rope_args *)args;
    return r1i_plan_rows(direction, a->T, a->H * a->D * 2, 0);
}
//   pairs (2i, 2i+1)    | a0 b0 a1 b1 a2 b2 ...        V3code, adjacent
//   halves              | a0 a1 a2 ... | b0 b1 b2 ...  Qwen2, Llama: pair (i, i + D/2)
//   a' = a cos - b sin,         b' = a sin + b cos
//   da = da' cos + db' sin,     db = db' cos - da' sin       the gradient, turned back
// The dot product of two rotated rows depends on the difference of their positions only.
static void r1i_rope(const void *args, r1_direction direction, size_t begin, size_t end,
                     r1i_real *scratch, const r1i_rows *rows) {
    const r1_rope_args *a = (const r1_rope_args *)args;
    size_t half = a->D / 2, step = a->halves ? 1 : 2, other = a->halves ? half : 1;
    (void)scratch, (void)rows;
    for (size_t t = begin; t < end; t++) {
        const r1i_real *cosine = a->cosine + (size_t)a->positions[t] * half;
        const r1i_real *sine = a->sine + (size_t)a->positions[t] * half;
        for (size_t h = 0; h < a->H; h++)
            for (size_t i = 0; i < half; i++) {
                size_t one = (t * a->H + h) * a->D + i * step, two = one + other;
                r1i_real c = cosine[i], s = sine[i];
                if (direction == R1_FORWARD) {
                    a->y[one] = r1i_fma(a->x[one], c, -r1i_product(a->x[two], s));
                    a->y[two] = r1i_fma(a->x[one], s, r1i_product(a->x[two], c));
                } else {
                    r1i_real d1 = a->dy[one], d2 = a->dy[two];
                    a->dx[one] = r1i_fma(d2, s, r1i_fma(d1, c, a->dx[one]));
                    a->dx[two] = r1i_fma(d2, c, r1i_fma(-d1, s, a->dx[two]));
                }
            }
    }
}
// Units are elements; an exp and a division are counted as 16 multiply-adds.
static r1i_plan r1i_swiglu_plan(const void *args, r1_direction direction) {
    return r1i_plan_rows(direction, ((const r1_swiglu_args *)args)->n, 16, 0);
}
// Both gradients are always written: the bind in [tape] gives a place for one that nobody wants.
static void r1i_swiglu(const void *args, r1_direction direction, size_t begin, size_t end,
                       r1i_real *scratch, const r1i_rows *rows) {
    const r1_swiglu_args *a = (const r1_swiglu_args *)args;
    (void)scratch;
    if (direction == R1_FORWARD) rows->swiglu_forward(a, begin, end);
    if (direction == R1_BACKWARD) rows->swiglu_backward(a, begin, end);
}

// ---- attention ----
// Two passes over the keys of a sequence, from its position 0: scores s_j are chains over d; m
// their maximum; p_j = exp(s_j - m); l the 16-lane sum by j mod 16; y a chain over j of p_j v_j,
// then / l. No block size is in it, so prefill, decode, training and recomputation agree.
//
//   packed rows   0 1 2 3 | 4 5 | 6 7 8       starts = 0 4 6 9, B = 3
//   row 5 sees    . . . . | x x | . . .       its own sequence up to itself; other sequences are
//                                             never read, so what else is in the batch cannot show
// The gradient keeps no [T,T] matrix either: P is computed again from the scores and the two
// numbers of each row in stats.   Source: V3 eq. 10 (softmax over j <= t).
enum { R1I_QUERY_TILE = 16 };

// The queries of one call: M rows, row r sees `limit + r * step` keys (step 0: all the same).
//                 key 0 ........ limit - 1 | limit ...         M = 4, step = 1: four tokens of one
//   row 0             x x x x x x x x x x  | .  .  .           head. The left part is one product
//   row 1             x x x x x x x x x x  | x  .  .           for all rows; the small triangle on
//   row 2             x x x x x x x x x x  | x  x  .           the right goes row by row. In decode
//   row 3             x x x x x x x x x x  | x  x  x           step = 0: M heads of one token.
typedef struct r1i_queries {
    size_t M, limit, step, D, W, q_stride, y_stride, head;
    const r1i_real *q;
    r1i_real *y, scale;
} r1i_queries;

// Row 0 sees `limit` keys, the last row the most.
static size_t r1i_query_keys(const r1i_queries *q, size_t r) { return q->limit + r * q->step; }
// Where row j of a head lies. block_rows = SIZE_MAX is the case without a cache: one endless block.
static const r1i_real *r1i_view_row(const r1_rows_view *view, size_t j, size_t head) {
    return view->blocks[j / view->block_rows] + j % view->block_rows * view->stride +
           head * view->head_stride;
}
// q * scale for all rows, then the scores of all rows against keys 0 .. most, in s [M, lds].
// s[r,j] = sum_d (q[r,d] scale) k[j,d], d ascending. q is scaled and not s, because the product
// then has its final form, and dk needs scale q anyway. Masked scores come out too and are never
// read.
static void r1i_scores(const r1i_queries *q, const r1_rows_view *keys, r1i_real *scaled,
                       r1i_real *s, size_t lds, r1i_real *scratch, const r1i_rows *rows) {
    size_t most = r1i_query_keys(q, q->M - 1);
    for (size_t r = 0; r < q->M; r++)
        for (size_t d = 0; d < q->D; d++)
            scaled[r * q->D + d] = r1i_product(q->q[r * q->q_stride + d], q->scale);
    for (size_t j = 0; j < most; j += keys->block_rows) {
        size_t n = r1i_min(keys->block_rows, most - j);
        r1i_gemm job = {.M = q->M,
                        .N = n,
                        .K = q->D,
                        .a = scaled,
                        .lda = q->D,
                        .b = r1i_view_row(keys, j, q->head),
                        .ldb = keys->stride,
                        .b_transposed = true,
                        .c = s + j,
                        .ldc = lds};
        for (size_t c = 0; c < n; c += R1I_GEMM_NC)
            rows->gemm(&job, 0, q->M, c, r1i_min(n, c + R1I_GEMM_NC), scratch);
        if (keys->block_rows == SIZE_MAX) break;
    }
}
// out[r] = (accumulate? out[r] : 0) + sum over the keys of row r of p[r,j] view[j], j ascending.
// The keys that all rows see go together; a masked key is skipped, never multiplied by zero.
// 0 times a masked infinity would be NaN, and 0 added to -0 is +0: a skipped key leaves no trace.
// j = 0 is always in the common part, so the first product sets `out` and all others add to it.
static void r1i_weigh(const r1i_queries *q, const r1_rows_view *view, size_t width,
                      const r1i_real *p, size_t lds, r1i_real *out, size_t out_stride,
                      r1i_real *scratch, const r1i_rows *rows) {
    size_t most = r1i_query_keys(q, q->M - 1);
    for (size_t j = 0; j < most;) {
        size_t block =
            view->block_rows == SIZE_MAX ? most : (j / view->block_rows + 1) * view->block_rows;
        size_t stop = r1i_min(most, block), common = r1i_min(stop, q->limit);
        r1i_gemm job = {.M = q->M,
                        .N = width,
                        .a = p + j,
                        .lda = lds,
                        .b = r1i_view_row(view, j, q->head),
                        .ldb = view->stride,
                        .c = out,
                        .ldc = out_stride,
                        .accumulate = j > 0};
        if (common > j) {
            job.K = common - j;
            for (size_t c = 0; c < width; c += R1I_GEMM_NC)
                rows->gemm(&job, 0, q->M, c, r1i_min(width, c + R1I_GEMM_NC), scratch);
        }
        for (size_t r = 1; r < q->M && stop > common; r++) {
            size_t from = r1i_max(j, q->limit), to = r1i_min(stop, r1i_query_keys(q, r));
            if (to <= from) continue;
            r1i_gemm tail = {.M = 1,
                             .N = width,
                             .K = to - from,
                             .a = p + r * lds + from,
                             .lda = lds,
                             .b = r1i_view_row(view, from, q->head),
                             .ldb = view->stride,
                             .c = out + r * out_stride,
                             .ldc = out_stride,
                             .accumulate = true};
            for (size_t c = 0; c < width; c += R1I_GEMM_NC)
                rows->gemm(&tail, 0, 1, c, r1i_min(width, c + R1I_GEMM_NC), scratch);
        }
        j = stop;
    }
}
// y[r] = (sum_j p[r,j] v[j]) / l[r], p = e^(s - m), and stats[r] = m, l. Dividing W numbers at the
// end is cheaper than dividing all keys, and is the order that every path shares.
//   scratch:  | product | scaled q [M,D] | s, then p [M,lds] |
static void r1i_attend(const r1i_queries *q, const r1_rows_view *keys, const r1_rows_view *values,
                       r1i_real *stats, size_t stats_stride, r1i_real *scratch,
                       const r1i_rows *rows) {
    size_t lds = r1i_round_up(r1i_query_keys(q, q->M - 1), R1I_LANES);
    r1i_real *scaled = scratch + R1I_GEMM_SCRATCH,
             *s = scaled + r1i_round_up(q->M * q->D, R1I_LANES);
    r1i_scores(q, keys, scaled, s, lds, scratch, rows);
    for (size_t r = 0; r < q->M; r++)
        rows->softmax(s + r * lds, r1i_query_keys(q, r), stats + r * stats_stride);
    r1i_weigh(q, values, q->W, s, lds, q->y, q->y_stride, scratch, rows);
    for (size_t r = 0; r < q->M; r++) {
        r1i_real sum = stats[r * stats_stride + 1];
        for (size_t c = 0; c < q->W; c++) q->y[r * q->y_stride + c] /= sum;
    }
}
// The most keys that a query of this call can see; it sizes the scratch.
static size_t r1i_attention_longest(const r1_attention_args *a) {
    size_t longest = 0;
    for (size_t b = 0; b < a->B; b++) {
        size_t n = a->starts[b + 1] - a->starts[b] + (a->cached ? a->past[b] : 0);
        longest = r1i_max(longest, n);
    }
    return longest;
}
// A unit is one key head of one sequence: it owns its queries, keys and values.
// Even with H > Hk no two units write the same dk or dv, so these need no R1_BACKWARD_SHARED.
//   backward scratch:  | product | scaled q | dq [M,D] | p [M,lds] | ds [M,lds] |
static r1i_plan r1i_attention_plan(const void *args, r1_direction direction) {
    const r1_attention_args *a = (const r1_attention_args *)args;
    size_t longest = r1i_round_up(r1i_attention_longest(a), R1I_LANES);
    size_t M = r1i_max(R1I_QUERY_TILE, a->H / a->Hk), T = a->starts[a->B];
    size_t cost = T / r1i_max(1, a->B) * longest * (a->D + a->W) * (a->H / a->Hk);
    size_t scratch = R1I_GEMM_SCRATCH + M * (longest * 2 + a->D * 2 + 4 * R1I_LANES);
    return r1i_plan_rows(direction, a->B * a->Hk, cost, scratch);
}
// Views of the rows that belong to sequence b, wherever they live.
// Its rows in q are first .. first + n, and row 0 stands at position `past`. key_block and
// value_block are what a view without a cache points to, so the struct must not be copied.
typedef struct r1i_sequence {
    size_t first, n, past;
    r1_rows_view keys, values;
    const r1i_real *key_block, *value_block;
} r1i_sequence;

// Fills s for sequence b: the caller's block views, or one block over rows of k [T,Hk,D] and
// v [T,Hk,W] with a stride of a token.
static void r1i_attention_sequence(const r1_attention_args *a, size_t b, r1i_sequence *s) {
    s->first = a->starts[b], s->n = a->starts[b + 1] - s->first,
    s->past = a->cached ? a->past[b] : 0;
    if (a->cached) {
        s->keys = a->keys[b], s->values = a->values[b];
        return;
    }
    s->key_block = a->k + s->first * a->Hk * a->D;
    s->value_block = a->v + s->first * a->Hk * a->W;
    s->keys = (r1_rows_view){&s->key_block, SIZE_MAX, a->Hk * a->D, a->D};
    s->values = (r1_rows_view){&s->value_block, SIZE_MAX, a->Hk * a->W, a->W};
}
// One unit: the `share` query heads of key head kv, over all tokens of one sequence. Rows of a tile
// are tokens of one head; with a single token they are heads, which fills the product in decode
// too. A row's arithmetic is the same in both.
static void r1i_attention_forward(const r1_attention_args *a, size_t unit, r1i_real *scratch,
                                  const r1i_rows *rows) {
    size_t b = unit / a->Hk, kv = unit % a->Hk, share = a->H / a->Hk;
    r1i_sequence s;
    r1i_attention_sequence(a, b, &s);
    r1i_queries q = {.D = a->D, .W = a->W, .head = kv, .scale = a->scale};
    if (s.n == 1) { // decode: the heads that share keys are the rows of one product
        size_t row = s.first * a->H + kv * share;
        q.M = share, q.limit = s.past + 1, q.step = 0, q.q_stride = a->D, q.y_stride = a->W;
        q.q = a->q + row * a->D, q.y = a->y + row * a->W;
        r1i_attend(&q, &s.keys, &s.values, a->stats + row * 2, 2, scratch, rows);
        return;
    }
    for (size_t h = kv * share; h < (kv + 1) * share; h++)
        for (size_t t = 0; t < s.n; t += R1I_QUERY_TILE) {
            size_t row = (s.first + t) * a->H + h;
            q.M = r1i_min(R1I_QUERY_TILE, s.n - t), q.limit = s.past + t + 1, q.step = 1;
            q.q_stride = a->H * a->D, q.y_stride = a->H * a->W;
            q.q = a->q + row * a->D, q.y = a->y + row * a->W;
            r1i_attend(&q, &s.keys, &s.values, a->stats + row * 2, a->H * 2, scratch, rows);
        }
}
// drow[j] += sum over the rows r that see key j of p[r,j] x[r], r ascending.
// The transpose of r1i_weigh: a product over all rows for the keys that all see, then row after row
// for the triangle. Tiles come in order of t, heads in order of h, so each key's sum is one chain.
static void r1i_weigh_back(const r1i_queries *q, size_t width, const r1i_real *p, size_t lds,
                           const r1i_real *x, size_t x_stride, r1i_real *drow, size_t stride,
                           r1i_real *scratch, const r1i_rows *rows) {
    r1i_gemm job = {.M = q->limit,
                    .N = width,
                    .K = q->M,
                    .a = p,
                    .lda = lds,
                    .a_transposed = true,
                    .b = x,
                    .ldb = x_stride,
                    .c = drow,
                    .ldc = stride,
                    .accumulate = true};
    for (size_t c = 0; c < width; c += R1I_GEMM_NC)
        for (size_t m = 0; m < job.M; m += R1I_GEMM_MC)
            rows->gemm(&job, m, r1i_min(job.M, m + R1I_GEMM_MC), c, r1i_min(width, c + R1I_GEMM_NC),
                       scratch);
    for (size_t r = 1; r < q->M; r++) {
        r1i_gemm tail = {.M = r1i_query_keys(q, r) - q->limit,
                         .N = width,
                         .K = 1,
                         .a = p + r * lds + q->limit,
                         .lda = lds,
                         .a_transposed = true,
                         .b = x + r * x_stride,
                         .ldb = x_stride,
                         .c = drow + q->limit * stride,
                         .ldc = stride,
                         .accumulate = true};
        for (size_t c = 0; c < width; c += R1I_GEMM_NC)
            rows->gemm(&tail, 0, tail.M, c, r1i_min(width, c + R1I_GEMM_NC), scratch);
    }
}
// With P recomputed from the stored maximum and sum: dP = dY V^T, dS = P (dP - dY . Y),
// dQ = scale dS K, dK += dS^T (scale Q), dV += P^T dY.
// dY . Y is sum_j P_j dP_j without the sum over keys: Y = sum_j P_j v_j and dP_j = dY . v_j.
static void r1i_attention_tile_back(const r1_attention_args *a, const r1i_sequence *s, size_t kv,
                                    size_t h, size_t t, r1i_real *scratch, const r1i_rows *rows) {
    size_t row = (s->first + t) * a->H + h, wide = a->H * a->W;
    const r1i_real *y = a->y_in + row * a->W, *dy = a->dy + row * a->W;
    r1i_queries q = {.M = r1i_min(R1I_QUERY_TILE, s->n - t),
                     .limit = t + 1,
                     .step = 1,
                     .D = a->D,
                     .W = a->W,
                     .q_stride = a->H * a->D,
                     .head = kv,
                     .scale = a->scale,
                     .q = a->q + row * a->D};
    size_t most = r1i_query_keys(&q, q.M - 1), lds = r1i_round_up(most, R1I_LANES);
    r1i_real *scaled = scratch + R1I_GEMM_SCRATCH,
             *dq = scaled + r1i_round_up(q.M * q.D, R1I_LANES);
    r1i_real *p = dq + r1i_round_up(q.M * q.D, R1I_LANES), *ds = p + q.M * lds;
    r1i_scores(&q, &s->keys, scaled, p, lds, scratch, rows);
    r1i_gemm job = {.M = q.M,
                    .N = most,
                    .K = a->W,
                    .a = dy,
                    .lda = wide,
                    .b = r1i_view_row(&s->values, 0, kv),
                    .ldb = s->values.stride,
                    .b_transposed = true,
                    .c = ds,
                    .ldc = lds};
    for (size_t c = 0; c < most; c += R1I_GEMM_NC)
        rows->gemm(&job, 0, q.M, c, r1i_min(most, c + R1I_GEMM_NC), scratch);
    for (size_t r = 0; r < q.M; r++)
        rows->softmax_grad(p + r * lds, ds + r * lds, r1i_query_keys(&q, r),
                           a->stats + (row + r * a->H) * 2,
                           rows->dot(dy + r * wide, y + r * wide, a->W));
    if (a->dq) {
        r1i_weigh(&q, &s->keys, q.D, ds, lds, dq, q.D, scratch, rows);
        for (size_t r = 0; r < q.M; r++)
            for (size_t d = 0; d < q.D; d++) {
                r1i_real *out = a->dq + (row + r * a->H) * q.D + d;
                *out = r1i_fma(dq[r * q.D + d], q.scale, *out);
            }
    }
    if (a->dk)
        r1i_weigh_back(&q, q.D, ds, lds, scaled, q.D, a->dk + (s->first * a->Hk + kv) * q.D,
                       a->Hk * q.D, scratch, rows);
    if (a->dv)
        r1i_weigh_back(&q, a->W, p, lds, dy, wide, a->dv + (s->first * a->Hk + kv) * a->W,
                       a->Hk * a->W, scratch, rows);
}
// Backward, heads and then tiles ascend inside a unit: that is the order of dk and dv.
static void r1i_attention(const void *args, r1_direction direction, size_t begin, size_t end,
                          r1i_real *scratch, const r1i_rows *rows) {
    const r1_attention_args *a = (const r1_attention_args *)args;
    size_t share = a->H / a->Hk;
    for (size_t unit = begin; unit < end; unit++) {
        if (direction == R1_FORWARD) {
            r1i_attention_forward(a, unit, scratch, rows);
            continue;
        }
        size_t kv = unit % a->Hk;
        r1i_sequence s;
        r1i_attention_sequence(a, unit / a->Hk, &s);
        for (size_t h = kv * share; h < (kv + 1) * share; h++)
            for (size_t t = 0; t < s.n; t += R1I_QUERY_TILE)
                r1i_attention_tile_back(a, &s, kv, h, t, scratch, rows);
    }
}

// ---- route, dispatch, combine, balance ----
// The index of the largest allowed value, the lower index on ties; n when none is allowed.
// Called once for each of the K choices: K is small, and a rule for ties is plain this way.
static size_t r1i_best_of(const r1i_real *value, const r1i_real *allowed, size_t n) {
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (allowed[i] > 0 && (best == n || value[i] > value[best])) best = i;
    return best;
}
// Marks the experts of the kept groups as allowed; the others count as -inf, never as 0, because a
// biased score may be negative.   Source: V3 section 2.1.2, node-limited routing.
// V3 ranks a group by the sum of its two best biased scores, V2 by the best alone.
//   groups = 4, kept = 2:   | 0 1 2 | 3 4 5 | 6 7 8 | 9 10 11 |
//   score of the group      |  1.4  |  0.9  |  1.6  |   1.1   |  ->  experts 0 .. 2 and 6 .. 8
static void r1i_route_groups(const r1_route_args *a, const r1i_real *biased, r1i_real *allowed,
                             r1i_real *score, r1i_real *open) {
    size_t size = a->E / a->groups;
    for (size_t g = 0; g < a->groups; g++) {
        r1i_real first = -R1I_INFINITY, second = -R1I_INFINITY;
        for (size_t e = g * size; e < (g + 1) * size; e++) {
            if (biased[e] > first)
                second = first, first = biased[e];
            else if (biased[e] > second)
                second = biased[e];
        }
        score[g] = size > 1 && !a->softmax ? first + second : first, open[g] = 1;
    }
    for (size_t e = 0; e < a->E; e++) allowed[e] = 0;
    for (size_t k = 0; k < a->kept; k++) {
        size_t g = r1i_best_of(score, open, a->groups);
        open[g] = 0;
        for (size_t e = g * size; e < (g + 1) * size; e++) allowed[e] = 1;
    }
}
// s_e = sigmoid(logit_e), each expert for itself (V3), or softmax over all experts (V2).
static void r1i_route_scores(const r1_route_args *a, const r1i_real *logits, r1i_real *scores) {
    if (a->softmax) {
        r1i_real max_sum[2];
        memcpy(scores, logits, a->E * sizeof *scores);
        r1i_softmax_scalar(scores, a->E, max_sum);
        for (size_t e = 0; e < a->E; e++) scores[e] /= max_sum[1];
    } else {
        for (size_t e = 0; e < a->E; e++) scores[e] = r1i_sigmoid(logits[e]);
    }
}
// The K best of s + bias among the allowed. The bias steers the load and is no part of a gate, so
// it has no gradient: it moves by its own rule after a step.   Source: V3 section 2.1.2.
//   scratch:  | s + bias [E] | allowed [E] | group scores [groups] | open groups [groups] |
static void r1i_route_choose(const r1_route_args *a, const r1i_real *scores, int32_t *choice,
                             r1i_real *scratch) {
    r1i_real *biased = scratch, *allowed = biased + a->E, *group = allowed + a->E;
    for (size_t e = 0; e < a->E; e++) {
        biased[e] = a->bias ? r1i_total(scores[e], a->bias[e]) : scores[e];
        allowed[e] = 1;
    }
    if (a->groups > 1 && a->kept < a->groups)
        r1i_route_groups(a, biased, allowed, group, group + a->groups);
    for (size_t k = 0; k < a->K; k++) {
        size_t e = r1i_best_of(biased, allowed, a->E), at = k;
        allowed[e] = 0;
        for (; at > 0 && choice[at - 1] > (int32_t)e; at--) choice[at] = choice[at - 1];
        choice[at] = (int32_t)e; // ascending, so that experts are always summed in index order
    }
}
// The sum of the chosen scores, in index order. 1e-20 is Hugging Face's guard against 0 / 0.
static r1i_real r1i_route_sum(const r1_route_args *a, const r1i_real *scores,
                              const int32_t *choice) {
    r1i_real sum = 0;
    for (size_t k = 0; k < a->K; k++) sum = r1i_total(sum, scores[choice[k]]);
    return r1i_total(sum, (r1i_real)1e-20f);
}
// With S = sum of the chosen s (+ 1e-20) and g_k = scale s_k / S:
//   ds_j = scale (dg_j - sum_k dg_k s_k / S) / S for chosen j,  + dscores_j from the balance loss
//   sigmoid:  dlogit = ds s (1 - s);   softmax:  dlogit_e = s_e (ds_e - sum_i ds_i s_i)
// The choice itself is a step function and passes no gradient.
static void r1i_route_back(const r1_route_args *a, size_t t, r1i_real *ds) {
    const r1i_real *scores = a->scores + t * a->E, *dgates = a->dgates + t * a->K;
    const int32_t *choice = a->choice + t * a->K;
    for (size_t e = 0; e < a->E; e++) ds[e] = a->dscores ? a->dscores[t * a->E + e] : 0;
    r1i_real sum = r1i_route_sum(a, scores, choice), mean = 0;
    for (size_t k = 0; k < a->K; k++) mean = r1i_fma(dgates[k], scores[choice[k]], mean);
    mean /= sum;
    for (size_t k = 0; k < a->K; k++) {
        r1i_real d = a->normalise ? r1i_total(dgates[k], -mean) / sum : dgates[k];
        ds[choice[k]] = r1i_fma(d, a->scale, ds[choice[k]]);
    }
    r1i_real *dlogits = a->dlogits + t * a->E, dot = a->softmax ? r1i_dot(ds, scores, a->E) : 0;
    for (size_t e = 0; e < a->E; e++) {
        r1i_real d =
            a->softmax ? r1i_total(ds[e], -dot) : r1i_product(ds[e], r1i_total(1, -scores[e]));
        dlogits[e] = r1i_fma(d, scores[e], dlogits[e]);
    }
}
// A unit is a token: K passes over E, and E exponentials.
static r1i_plan r1i_route_plan(const void *args, r1_direction direction) {
    const r1_route_args *a = (const r1_route_args *)args;
    return r1i_plan_rows(direction, a->T, a->E * (a->K + 16), 2 * a->E + 2 * a->groups + R1I_LANES);
}
// g_k = scale s_k / S, or scale s_k without `normalise`. With replay the choice of an earlier pass
// is used, and only scores and gates are computed anew.   Source: V3 eq. 12 to 16.
static void r1i_route(const void *args, r1_direction direction, size_t begin, size_t end,
                      r1i_real *scratch, const r1i_rows *rows) {
    const r1_route_args *a = (const r1_route_args *)args;
    (void)rows;
    for (size_t t = begin; t < end; t++) {
        if (direction == R1_BACKWARD) {
            if (a->dlogits) r1i_route_back(a, t, scratch);
            continue;
        }
        r1i_real *scores = a->scores + t * a->E, *gates = a->gates + t * a->K;
        int32_t *choice = a->choice + t * a->K;
        r1i_route_scores(a, a->logits + t * a->E, scores);
        if (!a->replay) r1i_route_choose(a, scores, choice, scratch);
        r1i_real sum = a->normalise ? r1i_route_sum(a, scores, choice) : 1;
        for (size_t k = 0; k < a->K; k++) gates[k] = r1i_product(scores[choice[k]] / sum, a->scale);
    }
}
// A unit is a sorted row forward, a token backward: it then gathers from its K rows.
static r1i_plan r1i_dispatch_plan(const void *args, r1_direction direction) {
    const r1_scatter_args *a = (const r1_scatter_args *)args;
    return r1i_plan_rows(direction, direction == R1_FORWARD ? a->T * a->K : a->T, a->C * a->K, 0);
}
//   token      0     1     2          K = 2, choice (0,2) (0,1) (1,2)
//   sorted     0 1 | 1 2 | 0 2        token[] by row; experts 0 | 1 | 2
//   row[t,k]   0 4   1 2   3 5        its inverse
// dx[t] = sum_k dy[row[t,k]]: gathered in order of k, not scattered, so there is nothing to race.
static void r1i_dispatch(const void *args, r1_direction direction, size_t begin, size_t end,
                         r1i_real *scratch, const r1i_rows *rows) {
    const r1_scatter_args *a = (const r1_scatter_args *)args;
    (void)scratch, (void)rows;
    for (size_t i = begin; i < end; i++) {
        if (direction == R1_FORWARD) {
            memcpy(a->y + i * a->C, a->x + (size_t)a->token[i] * a->C, a->C * sizeof *a->y);
            continue;
        }
        for (size_t k = 0; k < a->K; k++) {
            const r1i_real *dy = a->dy + (size_t)a->row[i * a->K + k] * a->C;
            for (size_t c = 0; c < a->C; c++) a->dx[i * a->C + c] += dy[c];
        }
    }
}
// A unit is a token. Its K rows of dx belong to it alone, because a row is one choice of one token.
static r1i_plan r1i_combine_plan(const void *args, r1_direction direction) {
    const r1_scatter_args *a = (const r1_scatter_args *)args;
    return r1i_plan_rows(direction, a->T, 2 * a->C * a->K, 0);
}
// y[t] = sum_k g[t,k] x[row[t,k]], a chain from +0 with experts in index order, so the sum does not
// depend on which of them scored higher.
//   dx[row[t,k]] += g[t,k] dy[t],   dgates[t,k] += dy[t] . x[row[t,k]]
static void r1i_combine(const void *args, r1_direction direction, size_t begin, size_t end,
                        r1i_real *scratch, const r1i_rows *rows) {
    const r1_scatter_args *a = (const r1_scatter_args *)args;
    (void)scratch;
    for (size_t t = begin; t < end; t++) {
        if (direction == R1_FORWARD)
            for (size_t c = 0; c < a->C; c++) a->y[t * a->C + c] = 0;
        for (size_t k = 0; k < a->K; k++) {
            size_t row = (size_t)a->row[t * a->K + k] * a->C;
            r1i_real gate = a->gates[t * a->K + k];
            if (direction == R1_FORWARD) {
                for (size_t c = 0; c < a->C; c++)
                    a->y[t * a->C + c] = r1i_fma(gate, a->x[row + c], a->y[t * a->C + c]);
                continue;
            }
            const r1i_real *dy = a->dy + t * a->C;
            for (size_t c = 0; c < a->C && a->dx; c++)
                a->dx[row + c] = r1i_fma(gate, dy[c], a->dx[row + c]);
            if (a->dgates) a->dgates[t * a->K + k] += rows->dot(dy, a->x + row, a->C);
        }
    }
}
// A unit is a sequence: the loss is defined for each of them alone.
static r1i_plan r1i_balance_plan(const void *args, r1_direction direction) {
    const r1_balance_args *a = (const r1_balance_args *)args;
    size_t cost = a->starts[a->B] / r1i_max(1, a->B) * a->E * 4;
    return r1i_plan_rows(direction, a->B, cost, 2 * a->E + R1I_LANES);
}
// share[e] = f_e of sequence b, the fraction of choices that fell on e, times E.
// Perfect balance makes every f_e 1. Counts are exact in float below 2^24 choices of one expert.
static void r1i_balance_share(const r1_balance_args *a, size_t b, r1i_real *share) {
    size_t first = a->starts[b], n = a->starts[b + 1] - first;
    for (size_t e = 0; e < a->E; e++) share[e] = 0;
    for (size_t i = first * a->K; i < (first + n) * a->K; i++) share[a->choice[i]] += 1;
    r1i_real factor = (r1i_real)a->E / (r1i_real)(a->K * n);
    for (size_t e = 0; e < a->E; e++) share[e] = r1i_product(share[e], factor);
}
// y = weight mean_t (sum_e f_e s_te / sum_e s_te), which is weight sum_e f_e P_e with the sums
// exchanged, so that a token is read once. With q_t the quotient,
//   d q_t / d s_te = (f_e - q_t) / sum_i s_ti:  what lies above its token's mean is pushed down.
// An empty sequence gives 0.   Source: V3 eq. 17 to 20.
static void r1i_balance(const void *args, r1_direction direction, size_t begin, size_t end,
                        r1i_real *scratch, const r1i_rows *rows) {
    const r1_balance_args *a = (const r1_balance_args *)args;
    for (size_t b = begin; b < end; b++) {
        size_t first = a->starts[b], n = a->starts[b + 1] - first;
        r1i_real *share = scratch, total = 0;
        if (direction == R1_FORWARD) a->y[b] = 0;
        if (!n) continue;
        r1i_balance_share(a, b, share);
        for (size_t t = first; t < first + n; t++) {
            const r1i_real *s = a->scores + t * a->E;
            r1i_real sum = 0;
            for (size_t e = 0; e < a->E; e++) sum = r1i_total(sum, s[e]);
            r1i_real mean = rows->dot(share, s, a->E) / sum;
            total = r1i_total(total, mean);
            if (direction == R1_FORWARD) continue;
            r1i_real weight = r1i_product(a->dy[b], a->weight[b]) / (r1i_real)n / sum;
            for (size_t e = 0; e < a->E; e++) {
                r1i_real *d = a->dscores + t * a->E + e;
                *d = r1i_fma(weight, r1i_total(share[e], -mean), *d);
            }
        }
        if (direction == R1_FORWARD) a->y[b] = r1i_product(total / (r1i_real)n, a->weight[b]);
    }
}

// ---- logprob ----
//            V ids ->             forward, dhidden: a unit is a block of rows with all its logits
//   T  +------+------+------+     (for dhidden a chain over V).
//   |  |------ a unit ------|     dhead: a unit is 64 ids with all rows in order (a chain over t
//   v  +------+------+------+     for each id), whose logits are computed again.
// Memory is one block of logits a worker instead of [T,V]: 1 to 2 MiB where V is 100,000 or so.
enum { R1I_ID_TILE = 64 };

// Rows of a block: 2^18 logits, between 4 and 64 rows. A function of V, so no batch can change it.
static size_t r1i_logprob_rows(const r1_logprob_args *a) {
    return r1i_min(64, r1i_max(4, ((size_t)1 << 18) / r1i_max(1, a->V)));
}
// The last direction costs two products, the logits once more and the gradient.
static r1i_plan r1i_logprob_plan(const void *args, r1_direction direction) {
    const r1_logprob_args *a = (const r1_logprob_args *)args;
    size_t block = r1i_logprob_rows(a),
           scratch = R1I_GEMM_SCRATCH + block * r1i_round_up(a->V, R1I_LANES);
    if (direction == R1_BACKWARD_SHARED)
        return r1i_plan_units(r1i_ceil_div(a->V, R1I_ID_TILE), a->T * a->C * R1I_ID_TILE * 2,
                              R1I_GEMM_SCRATCH + block * R1I_ID_TILE);
    return r1i_plan_units(r1i_ceil_div(a->T, block), block * a->V * a->C, scratch);
}
// z[r, 0 .. n) = the logits of rows t .. t + m for ids first .. first + n, before the temperature.
// A logit is one chain over C, so a tile of ids or of rows gives the bits of the whole product.
static void r1i_logits_of(const r1_logprob_args *a, size_t t, size_t m, size_t first, size_t n,
                          r1i_real *z, size_t ldz, r1i_real *scratch, const r1i_rows *rows) {
    r1i_gemm job = {.M = m,
                    .N = n,
                    .K = a->C,
                    .a = a->hidden + t * a->C,
                    .lda = a->C,
                    .b = a->head + first * a->C,
                    .ldb = a->C,
                    .b_transposed = true,
                    .c = z,
                    .ldc = ldz};
    for (size_t c = 0; c < n; c += R1I_GEMM_NC)
        rows->gemm(&job, 0, m, c, r1i_min(n, c + R1I_GEMM_NC), scratch);
}
// logp = z_target - m - ln l, entropy = ln l - w / l: see r1i_logits_scalar. stats keeps m and l,
// all that the backward pass needs to find p again from the logits.
static void r1i_logprob_forward(const r1_logprob_args *a, size_t t, size_t m, r1i_real *scratch,
                                const r1i_rows *rows) {
    size_t ldz = r1i_round_up(a->V, R1I_LANES);
    r1i_real *z = scratch + R1I_GEMM_SCRATCH;
    r1i_logits_of(a, t, m, 0, a->V, z, ldz, scratch, rows);
    for (size_t r = 0; r < m; r++) {
        r1i_real out[3], *row = z + r * ldz;
        size_t best = rows->logits(row, a->V, a->inverse_temperature, out);
        r1i_real log_sum = r1i_log(out[1]);
        a->stats[(t + r) * 2] = out[0], a->stats[(t + r) * 2 + 1] = out[1];
        a->logp[t + r] = r1i_total(r1i_total(row[a->targets[t + r]], -out[0]), -log_sum);
        a->entropy[t + r] = r1i_total(log_sum, -(out[2] / out[1]));
        a->best[t + r] = (int32_t)best;
    }
}
// dz = (onehot - p) * inverse_temperature * dlogp for m rows and the ids first .. first + n.
// p is of softmax(inverse_temperature z), hence that factor in the chain rule.
static void r1i_logprob_dz(const r1_logprob_args *a, size_t t, size_t m, size_t first, size_t n,
                           r1i_real *z, size_t ldz, r1i_real *scratch, const r1i_rows *rows) {
    r1i_logits_of(a, t, m, first, n, z, ldz, scratch, rows);
    for (size_t r = 0; r < m; r++)
        rows->logits_grad(z + r * ldz, n, (size_t)a->targets[t + r] - first, a->inverse_temperature,
                          a->stats + (t + r) * 2,
                          r1i_product(a->dlogp[t + r], a->inverse_temperature));
}
//   dhidden[t] += sum_v dz[t,v] head[v],   dhead[v] += sum_t dz[t,v] hidden[t]
static void r1i_logprob(const void *args, r1_direction direction, size_t begin, size_t end,
                        r1i_real *scratch, const r1i_rows *rows) {
    const r1_logprob_args *a = (const r1_logprob_args *)args;
    size_t block = r1i_logprob_rows(a), ldz = r1i_round_up(a->V, R1I_LANES);
    r1i_real *z = scratch + R1I_GEMM_SCRATCH;
    for (size_t unit = begin; unit < end; unit++) {
        if (direction == R1_BACKWARD_SHARED && a->dhead) { // one tile of ids, all rows in order
            size_t first = unit * R1I_ID_TILE, n = r1i_min(R1I_ID_TILE, a->V - first);
            for (size_t t = 0; t < a->T; t += block) {
                size_t m = r1i_min(block, a->T - t);
                r1i_logprob_dz(a, t, m, first, n, z, R1I_ID_TILE, scratch, rows);
                r1i_gemm job = {.M = n,
                                .N = a->C,
                                .K = m,
                                .a = z,
                                .lda = R1I_ID_TILE,
                                .a_transposed = true,
                                .b = a->hidden + t * a->C,
                                .ldb = a->C,
                                .c = a->dhead + first * a->C,
                                .ldc = a->C,
                                .accumulate = true};
                for (size_t c = 0; c < a->C; c += R1I_GEMM_NC)
                    rows->gemm(&job, 0, n, c, r1i_min(a->C, c + R1I_GEMM_NC), scratch);
            }
            continue;
        }
        size_t t = unit * block, m = r1i_min(block, a->T - t);
        if (direction == R1_FORWARD) r1i_logprob_forward(a, t, m, scratch, rows);
        if (direction != R1_BACKWARD || !a->dhidden) continue;
        r1i_logprob_dz(a, t, m, 0, a->V, z, ldz, scratch, rows);
        r1i_gemm job = {.M = m,
                        .N = a->C,
                        .K = a->V,
                        .a = z,
                        .lda = ldz,
                        .b = a->head,
                        .ldb = a->C,
                        .c = a->dhidden + t * a->C,
                        .ldc = a->C,
                        .accumulate = true};
        for (size_t c = 0; c < a->C; c += R1I_GEMM_NC)
            rows->gemm(&job, 0, m, c, r1i_min(a->C, c + R1I_GEMM_NC), scratch);
    }
}

// ---- sample ----
// Floats in an order of integers, so that a threshold can be found by halving.
// The bits of positive floats rise with the float and those of negative ones fall, so flipping the
// latter and setting the top bit of the former gives unsigned integers in the order of the floats.
static uint32_t r1i_float_rank(r1i_real x) {
    uint32_t bits = r1i_bits((float)x);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
// What top-k and top-p keep: ids above a rank, and of those at the rank the first `ties`.
// Both numbers are needed, since equal logits do occur and "the best 10" must be ten of them.
typedef struct r1i_kept {
    uint32_t rank;
    size_t ties;
} r1i_kept;

// The probability of one id.
static double r1i_sample_mass(r1i_real z, const r1i_real *max_sum) {
    return (double)r1i_exp(r1i_total(z, -max_sum[0])) / (double)max_sum[1];
}
// Finds by halving the highest rank such that the ids at or above it are at least k, or (k = 0)
// hold at least `mass` of the probability. max_sum are those of the softmax of z.
// 32 halvings are 32 passes over V, without a sort and without memory. Probabilities are added in
// double in order of ids, and the last ties are taken in order of ids as well.
static r1i_kept r1i_sample_kept(const r1i_real *z, size_t n, size_t k, double mass,
                                const r1i_real *max_sum) {
    uint32_t low = 0, high = UINT32_MAX;
    while (low < high) {
        uint32_t middle = high - (high - low) / 2;
        size_t count = 0;
        double held = 0;
        for (size_t i = 0; i < n; i++)
            if (r1i_float_rank(z[i]) >= middle) {
                count++;
                if (!k) held += r1i_sample_mass(z[i], max_sum);
            }
        if (k ? count >= k : held >= mass)
            low = middle;
        else
            high = middle - 1;
    }
    r1i_kept kept = {low, 0};
    size_t above = 0;
    double held = 0;
    for (size_t i = 0; i < n; i++)
        if (r1i_float_rank(z[i]) > low) above++, held += r1i_sample_mass(z[i], max_sum);
    for (size_t i = 0; i < n && (k ? above + kept.ties < k : held < mass); i++)
        if (r1i_float_rank(z[i]) == low) kept.ties++, held += r1i_sample_mass(z[i], max_sum);
    return kept;
}
// Drops from z what is not kept, by making it minus infinity.
// Dropping by count and then by mass gives the intersection of both sets.
static void r1i_sample_drop(r1i_real *z, size_t n, r1i_kept kept) {
    for (size_t i = 0; i < n; i++) {
        uint32_t rank = r1i_float_rank(z[i]);
        bool keep = rank > kept.rank || (rank == kept.rank && kept.ties && kept.ties--);
        if (!keep) z[i] = -R1I_INFINITY;
    }
}
// A unit is a row; scratch is its noise.
static r1i_plan r1i_sample_plan(const void *args, r1_direction direction) {
    const r1_sample_args *a = (const r1_sample_args *)args;
    (void)direction;
    return r1i_plan_units(a->B, a->V * 64, r1i_round_up(a->V, R1I_LANES));
}
// logp and entropy are taken before anything is dropped, because they are compared with those of
// training, which knows the whole distribution; both limits look at that one too.
static void r1i_sample(const void *args, r1_direction direction, size_t begin, size_t end,
                       r1i_real *scratch, const r1i_rows *rows) {
    const r1_sample_args *a = (const r1_sample_args *)args;
    (void)direction;
    for (size_t b = begin; b < end; b++) {
        r1i_real *z = a->logits + b * a->V, out[3];
        size_t chosen = rows->logits(z, a->V, a->inverse_temperature, out);
        r1i_real log_sum = r1i_log(out[1]);
        bool by_mass = a->top_p > 0 && a->top_p < 1, by_count = a->top_k && a->top_k < a->V;
        r1i_kept most = {0, 0}, likely = {0, 0};
        if (by_count) most = r1i_sample_kept(z, a->V, a->top_k, 0, out);
        if (by_mass) likely = r1i_sample_kept(z, a->V, 0, (double)a->top_p, out);
        if (by_count) r1i_sample_drop(z, a->V, most);
        if (by_mass) r1i_sample_drop(z, a->V, likely);
        if (!a->greedy) {
            uint32_t counter[4] = {a->stream << 24, a->step, a->sample[b], a->token[b]};
            r1i_real best = -R1I_INFINITY;
            rows->gumbel(scratch, a->V, a->seed, counter);
            for (size_t i = 0; i < a->V; i++) {
                r1i_real noisy = r1i_total(z[i], scratch[i]);
                if (noisy > best) best = noisy, chosen = i;
            }
        }
        a->chosen[b] = (int32_t)chosen;
        a->logp[b] = r1i_total(r1i_total(z[chosen], -out[0]), -log_sum);
        a->entropy[b] = r1i_total(log_sum, -(out[2] / out[1]));
    }
}

// ---- adamw ----
// Units are elements, in whole vectors of 16.
static r1i_plan r1i_adamw_plan(const void *args, r1_direction direction) {
    (void)direction;
    r1i_plan plan = r1i_plan_units(((const r1_adamw_args *)args)->n, 8, 0);
    plan.grain = r1i_round_up(plan.grain, R1I_LANES);
    return plan;
}
// It has no gradient and is never on the tape: [optimizer] runs it as a forward pass.
static void r1i_adamw(const void *args, r1_direction direction, size_t begin, size_t end,
                      r1i_real *scratch, const r1i_rows *rows) {
    (void)direction, (void)scratch;
    rows->adamw((const r1_adamw_args *)args, begin, end);
}

// All that [backend] knows of an op. The table is made from R1_OP_LIST and indexed by r1_op, so the
// name in the list must be that of the pair r1i_name_plan and r1i_name.
typedef struct r1i_op_row {
    const char *name, *text;
    r1i_plan_fn *plan;
    r1i_kernel_fn *run;
} r1i_op_row;

#define R1I_OP_ROW(constant, name, text) {#name, text, r1i_##name##_plan, r1i_##name},
static const r1i_op_row r1i_op_rows[R1_OP_COUNT] = {R1_OP_LIST(R1I_OP_ROW)};

// ==== [simd] =====================================================================================
// The inner kernels of [kernel] in vectors: AVX2, AVX-512 and NEON, chosen when the program runs.
// Calls [base], [random], [number], [kernel].
//
// Each body is written once, over a vector of 16 floats, and compiled once per instruction set: the
// file includes itself with R1I_SIMD_PASS set to the name of the level. Lanes hold different
// numbers (or, in sums, the 16 lanes that the scalar code has), so the bits are those of the scalar
// room.
//
// Rules that keep the bits: a fused multiply-add is written as one; a lone product, sum, quotient,
// minimum or maximum hides its result from the optimizer inside its r1i_v_ function; a lane past
// the end is loaded as zero, and its result is never stored and never enters a sum.
#define R1I_IS_float  1 // so that R1I_IS(float) is 1 and R1I_IS(double) is 0 in an #if
#define R1I_IS_(type) R1I_IS_##type
#define R1I_IS(type)  R1I_IS_(type)
#endif // R1_IMPLEMENTATION, first part

#ifdef R1I_SIMD_PASS
// Compiled once per instruction set: see the end of the room for what a level defines first.
// The level gives R1I_TARGET, the type R1I_VECTOR, the functions r1i_v_... and the lists of tiles.
#define R1I_BODY_INLINE R1I_TARGET R1I_INLINE

// ---- exp and log: the operations of r1i_expf and r1i_logf, in their order ----
// Their constants are explained there; only the special cases look different, because a vector has
// no branches: it computes every case and picks.
R1I_BODY_INLINE R1I_VECTOR r1i_v_exp(R1I_VECTOR x) {
    // Below -104 the result is 0 and above 89 infinity, so clamping loses nothing.
    x = r1i_v_max(r1i_v_set(-104.0f), x); // max and min give their second operand on NaN
    x = r1i_v_min(r1i_v_set(89.0f), x);
    R1I_VECTOR shifted = r1i_v_fma(x, r1i_v_set(1.44269504f), r1i_v_set(12582912.0f));
    R1I_VECTOR k = r1i_v_sub(shifted, r1i_v_set(12582912.0f));
    R1I_VECTOR r = r1i_v_fma(k, r1i_v_set(-0x1.62e4p-1f), x);
    r = r1i_v_fma(k, r1i_v_set(-1.42860677e-6f), r);
    R1I_VECTOR p =
        r1i_v_fma(r, r1i_v_set(0.0013813143596053123f), r1i_v_set(0.008369418792426586f));
    p = r1i_v_fma(p, r, r1i_v_set(0.04166845604777336f));
    p = r1i_v_fma(p, r, r1i_v_set(0.16666515171527863f));
    p = r1i_v_fma(p, r, r1i_v_set(0.4999999403953552f));
    p = r1i_v_fma(p, r1i_v_mul(r, r), r);
    return r1i_v_scale(r1i_v_add(p, r1i_v_set(1.0f)), shifted, k);
}
R1I_BODY_INLINE R1I_VECTOR r1i_v_log(R1I_VECTOR x) {
    // A denormal is scaled up by 2^23, and its exponent down by 23, which is exact in floats.
    R1I_VECTOR least = r1i_v_set(0x1p-126f), zero = r1i_v_set(0.0f), m;
    R1I_VECTOR y = r1i_v_if_less(x, least, r1i_v_mul(x, r1i_v_set(0x1p23f)), x);
    R1I_VECTOR exponent = r1i_v_split(y, &m);
    exponent = r1i_v_if_less(x, least, r1i_v_sub(exponent, r1i_v_set(23.0f)), exponent);
    R1I_VECTOR f = r1i_v_sub(m, r1i_v_set(1.0f));
    R1I_VECTOR p = r1i_v_fma(f, r1i_v_set(0.06746627390384674f), r1i_v_set(-0.11675648391246796f));
    p = r1i_v_fma(p, f, r1i_v_set(0.11888166517019272f));
    p = r1i_v_fma(p, f, r1i_v_set(-0.1240558996796608f));
    p = r1i_v_fma(p, f, r1i_v_set(0.14219552278518677f));
    p = r1i_v_fma(p, f, r1i_v_set(-0.1666799634695053f));
    p = r1i_v_fma(p, f, r1i_v_set(0.2000211924314499f));
    p = r1i_v_fma(p, f, r1i_v_set(-0.25000008940696716f));
    p = r1i_v_fma(p, f, r1i_v_set(0.3333331346511841f));
    R1I_VECTOR g = r1i_v_fma(p, f, r1i_v_set(-0.5f));
    R1I_VECTOR low = r1i_v_fma(exponent, r1i_v_set(1.42860677e-6f), f);
    R1I_VECTOR out = r1i_v_fma(g, r1i_v_mul(f, f), low);
    out = r1i_v_fma(exponent, r1i_v_set(0x1.62e4p-1f), out);
    // Infinity stays, a negative number gives NaN, a zero of any sign minus infinity, and a NaN
    // comes back as it was, payload included.
    out = r1i_v_if_less(r1i_v_set(3.40282347e38f), x, x, out);
    out = r1i_v_if_less(x, zero, r1i_v_set(r1i_float(0x7fc00000u)), out);
    out = r1i_v_if_equal(x, zero, r1i_v_set(r1i_float(0xff800000u)), out);
    return r1i_v_if_equal(x, x, out, x);
}
// r1i_sigmoid: a true division, because a reciprocal estimate has other bits on every machine.
R1I_BODY_INLINE R1I_VECTOR r1i_v_sigmoid(R1I_VECTOR x) {
    R1I_VECTOR one = r1i_v_set(1.0f);
    return r1i_v_div(one, r1i_v_add(one, r1i_v_exp(r1i_v_negate(x))));
}

// ---- gemm ----
// Three things decide the speed, and none of them the bits. Sums stay in registers over a whole k
// block, enough of them to hide the latency of a multiply-add. b is read as vectors of 16 columns:
// weights [N,K] are transposed into panels first, in registers, 16 x 16 at a time; a b that is
// already [K,N] is used where it lies, or copied when many rows share it. a is copied into rows
// that do not collide in the first cache.
//
// A tile is R rows by C vectors of outputs in registers. R and C are constants wherever this is
// inlined, so the conditions vanish and the array becomes registers; a loop would leave that to
// unrolling, which compilers do or do not.
// clang-format off
#define R1I_EACH_SUM(X)                                                                            \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)                      \
    X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27)
#define R1I_EACH_COLUMN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
// clang-format on
// Sum i is row i / C, vector i % C. Before the loop it takes its start,
#define R1I_SUM_LOAD(i)                                                                            \
    if (i < R * C) sum[i] = r1i_v_load(t->start + i / C * t->start_stride + i % C * R1I_LANES);
// in every step all vectors of b are loaded once,
#define R1I_COLUMN_LOAD(v)                                                                         \
    if (v < C) column[v % C] = r1i_v_load(b + v * t->b_next);
// a number of a is spread over a vector once per row and multiplied into each of them,
#define R1I_SUM_STEP(i)                                                                            \
    if (i < R * C) {                                                                               \
        if (i % C == 0) x = r1i_v_set(a[i / C * R1I_A_STRIDE]);                                    \
        sum[i] = r1i_v_fma(x, column[i % C], sum[i]);                                              \
    }
// and at the end the sums are written back.
#define R1I_SUM_STORE(i)                                                                           \
    if (i < R * C) r1i_v_store(t->c + i / C * t->ldc + i % C * R1I_LANES, sum[i]);

// The one loop that all products spend their time in.
//            column[0]   column[1]      C vectors of 16 columns of b, for one k
//   a[0,k]    sum[0]      sum[1]
//   a[1,k]    sum[2]      sum[3]        sum[i] += a[i / C, k] * column[i % C]
//   a[2,k]    sum[4]      sum[5]
// R C multiply-adds for R + C loads. Each sum is one chain over k ascending: the scalar order.
R1I_BODY_INLINE void r1i_v_tile(const size_t R, const size_t C, const r1i_tile *t) {
    R1I_VECTOR sum[28], column[8], x = r1i_v_set(0);
    const float *a = t->a, *b = t->b;
    R1I_EACH_SUM(R1I_SUM_LOAD)
    for (size_t k = 0; k < t->K; k++, a++, b += t->b_step) {
        R1I_EACH_COLUMN(R1I_COLUMN_LOAD)
        R1I_EACH_SUM(R1I_SUM_STEP)
    }
    R1I_EACH_SUM(R1I_SUM_STORE)
}
#define R1I_TILE_FUNCTION(r, c)                                                                    \
    R1I_TARGET static void R1I_LEVEL(tile_##r##x##c)(const r1i_tile *t) { r1i_v_tile(r, c, t); }
#define R1I_TILE_ENTRY(r, c) [r] = R1I_LEVEL(tile_##r##x##c),
// One function per tile: a call is cheap, and constants inside are what makes it fast.
R1I_TILES_1(R1I_TILE_FUNCTION)
R1I_TILES_2(R1I_TILE_FUNCTION)
R1I_TILES_4(R1I_TILE_FUNCTION)
R1I_TILES_8(R1I_TILE_FUNCTION)
// By log2 of the vectors, then by rows; a tile that needs too many registers is NULL.
static r1i_tile_fn *const r1i_v_tiles[4][R1I_TILE_ROWS + 1] = {
    {NULL, R1I_TILES_1(R1I_TILE_ENTRY)},
    {NULL, R1I_TILES_2(R1I_TILE_ENTRY)},
    {NULL, R1I_TILES_4(R1I_TILE_ENTRY)},
    {NULL, R1I_TILES_8(R1I_TILE_ENTRY)},
};

// out[j, i] = in[i, j] for `rows` <= 16 rows of `columns` <= 16 numbers; `out` gets 16 rows of 16,
// what is missing as zeros. A short block goes through a copy, so nothing is read past an edge.
R1I_BODY_INLINE void r1i_v_turn(const float *in, size_t stride, size_t rows, size_t columns,
                                float *out, size_t out_stride) {
    if (rows >= R1I_LANES && columns >= R1I_LANES) {
        r1i_v_transpose(in, stride, out, out_stride);
        return;
    }
    float block[R1I_LANES * R1I_LANES]; // 1 KiB, written and read at once
    for (size_t i = 0; i < R1I_LANES; i++)
        r1i_v_store(block + i * R1I_LANES,
                    i < rows ? r1i_v_load_part(in + i * stride, columns) : r1i_v_set(0.0f));
    r1i_v_transpose(block, R1I_LANES, out, out_stride);
}
// Panels of b: panel[v][k][16] for the columns n + 16 v, with zeros past the last column. Panels
// are `next` apart, a line more than they hold, so that several can be read side by side without
// falling into the same lines of the cache.
//   panel 0   k = 0: columns n .. n + 15 | k = 1: ... | k = K - 1 | one line unused
//   panel 1   k = 0: columns n + 16 .. n + 31 | ...
R1I_TARGET static void r1i_v_pack(const r1i_gemm *job, size_t k0, size_t K, size_t n,
                                  size_t columns, float *panel, size_t next) {
    for (size_t v = 0; v < columns; v += R1I_LANES, panel += next) {
        size_t width = r1i_min(R1I_LANES, columns - v);
        const float *b =
            job->b + (job->b_transposed ? (n + v) * job->ldb + k0 : k0 * job->ldb + n + v);
        if (!job->b_transposed && width == R1I_LANES) {
            for (size_t k = 0; k < K; k++)
                r1i_v_store(panel + k * R1I_LANES, r1i_v_load(b + k * job->ldb));
        } else if (!job->b_transposed) {
            for (size_t k = 0; k < K; k++)
                r1i_v_store(panel + k * R1I_LANES, r1i_v_load_part(b + k * job->ldb, width));
        } else {
            for (size_t k = 0; k < K; k += R1I_LANES) {
                // The last block overlaps the one before it, unless there is none.
                size_t at = K >= R1I_LANES ? r1i_min(k, K - R1I_LANES) : 0;
                r1i_v_turn(b + at, job->ldb, width, r1i_min(R1I_LANES, K), panel + at * R1I_LANES,
                           R1I_LANES);
            }
        }
    }
}
// Rows m .. m + R of a for the steps k0 .. k0 + K, as rows of R1I_A_STRIDE numbers: rows that lie a
// power of two apart would fight for the same lines of the cache.
R1I_TARGET static void r1i_v_copy_a(const r1i_gemm *job, size_t m, size_t R, size_t m1, size_t k0,
                                    size_t K, float *out) {
    if (!job->a_transposed) { // plain copies
        for (size_t r = 0; r < R; r++) {
            const float *a = job->a + (m + r) * job->lda + k0;
            float *row = out + r * R1I_A_STRIDE;
            size_t k = 0;
            for (; k + R1I_LANES <= K; k += R1I_LANES) r1i_v_store(row + k, r1i_v_load(a + k));
            if (k < K) r1i_v_store(row + k, r1i_v_load_part(a + k, K - k));
        }
        return;
    }
    // Up to 16 rows are written, of which R are used: the buffer has room for them.
    for (size_t k = 0; k < K; k += R1I_LANES)
        r1i_v_turn(job->a + (k0 + k) * job->lda + m, job->lda, K - k, m1 - m, out + k,
                   R1I_A_STRIDE);
}
// One tile whose vector is cut after `width` columns: it works on a copy of its part of c.
R1I_TARGET static void r1i_v_narrow(const r1i_tile *tile, size_t R, size_t width) {
    float block[R1I_TILE_ROWS * R1I_LANES];
    r1i_tile t = *tile;
    t.start = t.c = block, t.start_stride = t.ldc = R1I_LANES;
    for (size_t r = 0; r < R; r++)
        r1i_v_store(block + r * R1I_LANES,
                    r1i_v_load_part(tile->start + r * tile->start_stride, width));
    r1i_v_tiles[0][R](&t);
    for (size_t r = 0; r < R; r++)
        r1i_v_store_part(tile->c + r * tile->ldc, r1i_v_load(block + r * R1I_LANES), width);
}
// R rows by `columns`: as many vectors at a time as the registers hold, then half as many, down to
// one. `last` is the packed copy of the cut vector at the end. The start moves along with c, unless
// it is the row of zeros, which is short.
R1I_TARGET static void r1i_v_strip(r1i_tile *t, size_t R, size_t columns, const float *last,
                                   bool moving_start) {
    size_t vectors = columns / R1I_LANES;
    for (int size = 3; size >= 0; size--) {
        r1i_tile_fn *run = r1i_v_tiles[size][R];
        size_t C = (size_t)1 << size;
        for (; run && vectors >= C; vectors -= C) {
            run(t);
            t->b += C * t->b_next, t->c += C * R1I_LANES;
            if (moving_start) t->start += C * R1I_LANES;
        }
    }
    if (columns % R1I_LANES) {
        t->b = last, t->b_step = R1I_LANES;
        r1i_v_narrow(t, R, columns % R1I_LANES);
    }
}
// All rows by `columns` of one k block. Between k blocks a sum rests in c: a float that is stored
// and loaded again is the same float, so the size of a block is not part of the arithmetic.
R1I_TARGET static void r1i_v_part(const r1i_gemm *job, const r1i_gemm_part *at, float *scratch) {
    float *copy = scratch + R1I_GEMM_PANELS;
    size_t rows = at->m1 - at->m0, blocks = r1i_ceil_div(rows, R1I_TILE_ROWS);
    size_t vectors = at->columns / R1I_LANES, next = at->K * R1I_LANES + R1I_LANES;
    const float *last = at->packed ? scratch + vectors * next : scratch;
    // The first block starts from c, the bias or zeros, the others from what the last one left.
    bool first = at->k0 == 0 && !job->accumulate;
    if (at->packed)
        r1i_v_pack(job, at->k0, at->K, at->n, at->columns, scratch, next);
    else if (at->columns % R1I_LANES)
        r1i_v_pack(job, at->k0, at->K, at->n + vectors * R1I_LANES, at->columns % R1I_LANES,
                   scratch, next);
    // In place, only a cut vector at the end of the rows of b was packed: it cannot be loaded
    // whole.
    size_t copied = at->m0;
    for (size_t i = 0; i < blocks; i++) { // balanced: 16 rows are 8 + 8, not 14 + 2
        // The stride of the start is 0 when all rows share it.
        size_t m = at->m0 + rows * i / blocks, R = at->m0 + rows * (i + 1) / blocks - m;
        r1i_tile t = {.K = at->K,
                      .b = scratch,
                      .b_step = R1I_LANES,
                      .b_next = next,
                      .c = job->c + m * job->ldc + at->n,
                      .ldc = job->ldc};
        if (!at->packed)
            t.b = job->b + at->k0 * job->ldb + at->n, t.b_step = job->ldb, t.b_next = R1I_LANES;
        if (first) t.start = job->bias ? job->bias + at->n : r1i_zeros, t.start_stride = 0;
        if (!first) t.start = t.c, t.start_stride = t.ldc;
        // A single row collides with nothing, so it is read where it lies.
        if (R == 1 && !job->a_transposed) {
            t.a = job->a + m * job->lda + at->k0;
        } else {
            // Low tiles share one copy: a line of a transposed a holds 16 rows, and one visit is
            // dearer than the next numbers in it.
            if (i % R1I_COPY_TILES == 0) {
                size_t stop = at->m0 + rows * r1i_min(blocks, i + R1I_COPY_TILES) / blocks;
                r1i_v_copy_a(job, m, stop - m, at->m1, at->k0, at->K, copy);
                copied = m;
            }
            t.a = copy + (m - copied) * R1I_A_STRIDE;
        }
        r1i_v_strip(&t, R, at->columns, last, !first || job->bias);
    }
}
// r1i_gemm_scalar in blocks: columns, then k, then rows of tiles. The choice between packing and
// using b in place looks at the number of rows, which no result can see. scratch is the panels of b
// [R1I_GEMM_PANELS], then the rows of a that one copy holds.
R1I_TARGET static void R1I_LEVEL(gemm)(const r1i_gemm *job, size_t m0, size_t m1, size_t n0,
                                       size_t n1, r1i_real *scratch) {
    size_t rows = m1 - m0;
    bool packed = job->b_transposed || rows >= R1I_GEMM_COPY_ROWS, few = rows < R1I_GEMM_PACK_ROWS;
    // With few rows a panel is used at once, while it is in the first cache, and then forgotten.
    size_t width = packed && few ? R1I_GEMM_FEW_COLUMNS : R1I_GEMM_NC;
    size_t depth = packed && few ? R1I_GEMM_FEW_DEPTH : R1I_GEMM_KC;
    for (size_t n = n0; n < n1; n += width) {
        size_t k = 0;
        do { // at least once: K may be 0
            r1i_gemm_part at = {.m0 = m0,
                                .m1 = m1,
                                .n = n,
                                .columns = r1i_min(width, n1 - n),
                                .k0 = k,
                                .K = r1i_min(depth, job->K - k),
                                .packed = packed};
            r1i_v_part(job, &at, scratch);
            k += at.K;
        } while (k < job->K);
    }
}

// ---- rows ----
// The 16 lanes of a dot product, before the tree. A lane that has no element in the last vector
// keeps its sum: adding a zero product would turn a sum of -0 into +0.
R1I_BODY_INLINE R1I_VECTOR r1i_v_dot_lanes(const float *a, const float *b, size_t n) {
    R1I_VECTOR sum = r1i_v_set(0.0f);
    size_t j = 0;
    for (; j + R1I_LANES <= n; j += R1I_LANES)
        sum = r1i_v_fma(r1i_v_load(a + j), r1i_v_load(b + j), sum);
    if (j < n)
        sum = r1i_v_first(
            n - j, r1i_v_fma(r1i_v_load_part(a + j, n - j), r1i_v_load_part(b + j, n - j), sum),
            sum);
    return sum;
}
// sum_j a[j] b[j] with the lanes and the tree of r1i_dot.
R1I_TARGET static r1i_real R1I_LEVEL(dot)(const r1i_real *a, const r1i_real *b, size_t n) {
    return r1i_v_tree(r1i_v_dot_lanes(a, b, n));
}
// The second half of a row of the norm, from its sum of squares: y = x scale gain in this order of
// products, scale = 1 / sqrt(mean + eps) in scalar code. The scale is kept for the backward pass.
R1I_BODY_INLINE void r1i_v_norm_row(const r1_rmsnorm_args *args, size_t t, float squares) {
    size_t C = args->C, c = 0;
    const float *x = args->x + t * C;
    float *y = args->y + t * C, mean = squares / (float)C;
    R1I_KEEP(mean);
    float scale = 1 / r1i_sqrt(r1i_total(mean, args->eps));
    R1I_VECTOR all = r1i_v_set(scale);
    for (; c + R1I_LANES <= C; c += R1I_LANES)
        r1i_v_store(y + c,
                    r1i_v_mul(r1i_v_mul(r1i_v_load(x + c), all), r1i_v_load(args->gain + c)));
    if (c < C)
        r1i_v_store_part(y + c,
                         r1i_v_mul(r1i_v_mul(r1i_v_load_part(x + c, C - c), all),
                                   r1i_v_load_part(args->gain + c, C - c)),
                         C - c);
    args->scale[t] = scale;
}
// y[t] = x[t] scale[t] gain for rows begin .. end. The last rows, fewer than four, go alone: each
// row has its own lanes, so the bits are the same.
R1I_TARGET static void R1I_LEVEL(norm_forward)(const r1_rmsnorm_args *args, size_t begin,
                                               size_t end) {
    size_t C = args->C, t = begin, whole = C - C % R1I_LANES; // the last C - whole need a mask
    for (; t + 4 <= end; t += 4) { // four rows hide the latency of one chain of sums
        const float *x[4] = {args->x + t * C, args->x + (t + 1) * C, args->x + (t + 2) * C,
                             args->x + (t + 3) * C};
        R1I_VECTOR s0 = r1i_v_set(0.0f), s1 = s0, s2 = s0, s3 = s0;
        for (size_t c = 0; c < whole; c += R1I_LANES) {
            R1I_VECTOR x0 = r1i_v_load(x[0] + c), x1 = r1i_v_load(x[1] + c);
            R1I_VECTOR x2 = r1i_v_load(x[2] + c), x3 = r1i_v_load(x[3] + c);
            s0 = r1i_v_fma(x0, x0, s0), s1 = r1i_v_fma(x1, x1, s1);
            s2 = r1i_v_fma(x2, x2, s2), s3 = r1i_v_fma(x3, x3, s3);
        }
        R1I_VECTOR sum[4] = {s0, s1, s2, s3};
        for (size_t r = 0; r < 4; r++) {
            if (whole < C) {
                R1I_VECTOR tail = r1i_v_load_part(x[r] + whole, C - whole);
                sum[r] = r1i_v_first(C - whole, r1i_v_fma(tail, tail, sum[r]), sum[r]);
            }
            r1i_v_norm_row(args, t + r, r1i_v_tree(sum[r]));
        }
    }
    for (; t < end; t++)
        r1i_v_norm_row(args, t, R1I_LEVEL(dot)(args->x + t * C, args->x + t * C, C));
}
// dx + scale (dy gain - x k) for 16 columns, k = scale^2 (sum dy gain x) / C.
R1I_BODY_INLINE R1I_VECTOR r1i_v_norm_dx(R1I_VECTOR x, R1I_VECTOR dy, R1I_VECTOR gain,
                                         R1I_VECTOR dx, float k, float scale) {
    R1I_VECTOR g = r1i_v_fma(r1i_v_negate(x), r1i_v_set(k), r1i_v_mul(dy, gain));
    return r1i_v_fma(g, r1i_v_set(scale), dx);
}
// First the sum of dy gain x over the row, then the row once more.
R1I_TARGET static void R1I_LEVEL(norm_backward)(const r1_rmsnorm_args *args, size_t begin,
                                                size_t end) {
    size_t C = args->C, whole = C - C % R1I_LANES, part = C - whole;
    const float *gain = args->gain;
    for (size_t t = begin; t < end; t++) {
        const float *x = args->x + t * C, *dy = args->dy + t * C;
        float *dx = args->dx + t * C, scale = args->scale[t];
        R1I_VECTOR sum = r1i_v_set(0.0f);
        for (size_t c = 0; c < whole; c += R1I_LANES)
            sum = r1i_v_fma(r1i_v_mul(r1i_v_load(dy + c), r1i_v_load(gain + c)), r1i_v_load(x + c),
                            sum);
        if (part) {
            R1I_VECTOR g =
                r1i_v_mul(r1i_v_load_part(dy + whole, part), r1i_v_load_part(gain + whole, part));
            sum = r1i_v_first(part, r1i_v_fma(g, r1i_v_load_part(x + whole, part), sum), sum);
        }
        // The scalars of a row are computed as the scalar code computes them.
        float k = r1i_product(r1i_product(scale, scale), r1i_v_tree(sum)) / (float)C;
        for (size_t c = 0; c < whole; c += R1I_LANES)
            r1i_v_store(dx + c, r1i_v_norm_dx(r1i_v_load(x + c), r1i_v_load(dy + c),
                                              r1i_v_load(gain + c), r1i_v_load(dx + c), k, scale));
        if (part)
            r1i_v_store_part(dx + whole,
                             r1i_v_norm_dx(r1i_v_load_part(x + whole, part),
                                           r1i_v_load_part(dy + whole, part),
                                           r1i_v_load_part(gain + whole, part),
                                           r1i_v_load_part(dx + whole, part), k, scale),
                             part);
    }
}
// 16 columns for all rows in order, so that their sums stay in a register. The chain goes on from
// the stored gradient, as everywhere, so that cutting the rows into micro-batches does not show.
R1I_TARGET static void R1I_LEVEL(norm_gain)(const r1_rmsnorm_args *args, size_t begin, size_t end) {
    for (size_t c = begin; c < end; c += R1I_LANES) {
        const float *x = args->x + c, *dy = args->dy + c;
        size_t part = r1i_min(R1I_LANES, end - c), C = args->C;
        R1I_VECTOR sum = r1i_v_load_part(args->dgain + c, part);
        for (size_t t = 0; t < args->T; t++, x += C, dy += C) {
            R1I_VECTOR xs = part < R1I_LANES ? r1i_v_load_part(x, part) : r1i_v_load(x);
            R1I_VECTOR dys = part < R1I_LANES ? r1i_v_load_part(dy, part) : r1i_v_load(dy);
            sum = r1i_v_fma(dys, r1i_v_mul(xs, r1i_v_set(args->scale[t])), sum);
        }
        r1i_v_store_part(args->dgain + c, sum, part);
    }
}

// ---- elementwise: 16 numbers at a time, the last ones by lane masks ----
// A partial load of 16 is a plain load: the test costs nothing beside the arithmetic.
// y = gate sigmoid(gate) up.
R1I_TARGET static void R1I_LEVEL(swiglu_forward)(const r1_swiglu_args *args, size_t begin,
                                                 size_t end) {
    for (size_t i = begin; i < end; i += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, end - i);
        R1I_VECTOR g = r1i_v_load_part(args->gate + i, part);
        R1I_VECTOR silu = r1i_v_mul(g, r1i_v_sigmoid(g));
        r1i_v_store_part(args->y + i, r1i_v_mul(silu, r1i_v_load_part(args->up + i, part)), part);
    }
}
// With s the sigmoid: the slope of gate * s is (gate (1 - s) + 1) s. Then dup += dy gate s and
// dgate += dy up slope; gate and s are computed again, which is cheaper than keeping them.
R1I_TARGET static void R1I_LEVEL(swiglu_backward)(const r1_swiglu_args *args, size_t begin,
                                                  size_t end) {
    R1I_VECTOR one = r1i_v_set(1.0f);
    for (size_t i = begin; i < end; i += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, end - i);
        R1I_VECTOR g = r1i_v_load_part(args->gate + i, part), s = r1i_v_sigmoid(g);
        R1I_VECTOR dy = r1i_v_load_part(args->dy + i, part);
        R1I_VECTOR slope = r1i_v_mul(r1i_v_fma(g, r1i_v_sub(one, s), one), s);
        R1I_VECTOR dup = r1i_v_load_part(args->dup + i, part);
        r1i_v_store_part(args->dup + i, r1i_v_fma(dy, r1i_v_mul(g, s), dup), part);
        R1I_VECTOR dgate = r1i_v_load_part(args->dgate + i, part);
        R1I_VECTOR back = r1i_v_mul(dy, r1i_v_load_part(args->up + i, part));
        r1i_v_store_part(args->dgate + i, r1i_v_fma(back, slope, dgate), part);
    }
}
// The formula is at r1_adamw_step. Multiplied and divided in the order of the scalar code; nothing
// is inverted ahead of the loop, because x / c and x * (1 / c) differ in the last bit.
R1I_TARGET static void R1I_LEVEL(adamw)(const r1_adamw_args *a, size_t begin, size_t end) {
    R1I_VECTOR keep1 = r1i_v_set(r1i_total(1, -a->beta1)), beta1 = r1i_v_set(a->beta1);
    R1I_VECTOR keep2 = r1i_v_set(r1i_total(1, -a->beta2)), beta2 = r1i_v_set(a->beta2);
    R1I_VECTOR clip = r1i_v_set(a->clip), eps = r1i_v_set(a->eps), rate = r1i_v_set(-a->lr);
    R1I_VECTOR decay = r1i_v_set(a->decay), first = r1i_v_set(a->correction1);
    R1I_VECTOR second = r1i_v_set(a->correction2);
    for (size_t i = begin; i < end; i += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, end - i);
        R1I_VECTOR g = r1i_v_mul(r1i_v_load_part(a->g + i, part), clip);
        R1I_VECTOR m = r1i_v_load_part(a->m + i, part), v = r1i_v_load_part(a->v + i, part);
        R1I_VECTOR w = r1i_v_load_part(a->w + i, part);
        m = r1i_v_fma(beta1, m, r1i_v_mul(keep1, g));
        v = r1i_v_fma(beta2, v, r1i_v_mul(keep2, r1i_v_mul(g, g)));
        R1I_VECTOR root = r1i_v_sqrt(r1i_v_div(v, second));
        R1I_VECTOR update = r1i_v_div(r1i_v_div(m, first), r1i_v_add(root, eps));
        w = r1i_v_fma(rate, r1i_v_fma(decay, w, update), w);
        r1i_v_store_part(a->m + i, m, part);
        r1i_v_store_part(a->v + i, v, part);
        r1i_v_store_part(a->w + i, w, part);
    }
}
// noise[i] = -log(-log u_i), the Gumbel distribution. Philox in integers, one block for four
// numbers as in the scalar code; the two logarithms in vectors. A last vector draws all 16 numbers
// and stores those that are wanted.
R1I_TARGET static void R1I_LEVEL(gumbel)(r1i_real *noise, size_t n, uint64_t seed,
                                         const uint32_t counter[4]) {
    uint32_t at[4] = {counter[0], counter[1], counter[2], counter[3]}, word[R1I_LANES];
    for (size_t i = 0; i < n; i += R1I_LANES) {
        float unit[R1I_LANES];
        for (size_t j = 0; j < R1I_LANES; j += 4) {
            at[0] = counter[0] + (uint32_t)((i + j) / 4);
            r1_random_block(seed, at, word + j);
        }
        for (size_t j = 0; j < R1I_LANES; j++) unit[j] = r1i_unit(word[j]);
        R1I_VECTOR inner = r1i_v_negate(r1i_v_log(r1i_v_load(unit)));
        r1i_v_store_part(noise + i, r1i_v_negate(r1i_v_log(inner)), r1i_min(R1I_LANES, n - i));
    }
}

// ---- softmax and logits ----
// The first of the largest numbers, as the scalar loop `s[j] > s[best]` finds it: a NaN never wins,
// except at index 0, where nothing beats it.
R1I_BODY_INLINE size_t r1i_v_best(const float *s, size_t n) {
    if (s[0] != s[0]) return 0;
    // The second operand of the maximum wins over NaN, and it is never NaN from here on.
    R1I_VECTOR most = r1i_v_set(s[0]);
    size_t j = 0;
    for (; j + R1I_LANES <= n; j += R1I_LANES) most = r1i_v_max(r1i_v_load(s + j), most);
    if (j < n) most = r1i_v_max(r1i_v_first(n - j, r1i_v_load_part(s + j, n - j), most), most);
    // Which lane wins does not matter for the value, and the index is looked up by value: equal
    // values include zeros of both signs, and of those the first one counts.
    float lane[R1I_LANES], top = s[0];
    r1i_v_store(lane, most);
    for (size_t l = 0; l < R1I_LANES; l++) top = lane[l] > top ? lane[l] : top;
    most = r1i_v_set(top);
    for (j = 0; j + R1I_LANES <= n; j += R1I_LANES)
        if (r1i_v_any_equal(r1i_v_load(s + j), most)) break;
    while (s[j] != top) j++; // it is there: in this vector, or in the cut one at the end
    return j;
}
// s -> exp(s - max) in place, with the maximum and the 16-lane sum; dividing is the caller's. The
// maximum has the sign that the first of several zeros has, so it is read at its index.
R1I_TARGET static void R1I_LEVEL(softmax)(r1i_real *s, size_t n, r1i_real *max_sum) {
    float top = s[r1i_v_best(s, n)];
    R1I_VECTOR sum = r1i_v_set(0.0f), below = r1i_v_set(-top), e;
    size_t j = 0;
    for (; j + R1I_LANES <= n; j += R1I_LANES) {
        e = r1i_v_exp(r1i_v_add(r1i_v_load(s + j), below));
        r1i_v_store(s + j, e);
        sum = r1i_v_add(sum, e);
    }
    if (j < n) {
        e = r1i_v_exp(r1i_v_add(r1i_v_load_part(s + j, n - j), below));
        r1i_v_store_part(s + j, e, n - j);
        sum = r1i_v_first(n - j, r1i_v_add(sum, e), sum);
    }
    max_sum[0] = top, max_sum[1] = r1i_v_tree(sum);
}
// s -> p = exp(s - max) / sum and dp -> ds = p (dp - mean): each probability is made again from its
// score, then multiplied into its gradient. Attention keeps two numbers a row instead of all p.
R1I_TARGET static void R1I_LEVEL(softmax_grad)(r1i_real *s, r1i_real *dp, size_t n,
                                               const r1i_real *max_sum, r1i_real mean) {
    R1I_VECTOR below = r1i_v_set(-max_sum[0]), sum = r1i_v_set(max_sum[1]);
    R1I_VECTOR less = r1i_v_set(-mean);
    for (size_t j = 0; j < n; j += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, n - j);
        R1I_VECTOR p = r1i_v_exp(r1i_v_add(r1i_v_load_part(s + j, part), below));
        p = r1i_v_div(p, sum);
        r1i_v_store_part(s + j, p, part);
        R1I_VECTOR d = r1i_v_add(r1i_v_load_part(dp + j, part), less);
        r1i_v_store_part(dp + j, r1i_v_mul(p, d), part);
    }
}
// Three walks over the row: scale, find the best, add up. The row of a vocabulary fits the cache,
// and a maximum that is known before the sums keeps their order simple. out[1] and out[2] give the
// log-probability, z - max - log out[1], and the entropy, log out[1] - out[2] / out[1].
R1I_TARGET static size_t R1I_LEVEL(logits)(r1i_real *z, size_t n, r1i_real factor, r1i_real *out) {
    R1I_VECTOR sum = r1i_v_set(0.0f), weighted = sum, times = r1i_v_set(factor);
    for (size_t j = 0; j < n; j += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, n - j);
        r1i_v_store_part(z + j, r1i_v_mul(r1i_v_load_part(z + j, part), times), part);
    }
    size_t best = r1i_v_best(z, n);
    R1I_VECTOR top = r1i_v_set(-z[best]);
    for (size_t j = 0; j < n; j += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, n - j);
        R1I_VECTOR below = r1i_v_add(r1i_v_load_part(z + j, part), top);
        R1I_VECTOR e = r1i_v_exp(below);
        sum = r1i_v_first(part, r1i_v_add(sum, e), sum);
        weighted = r1i_v_first(part, r1i_v_fma(e, below, weighted), weighted);
    }
    out[0] = z[best], out[1] = r1i_v_tree(sum), out[2] = r1i_v_tree(weighted);
    return best;
}
// dz = (onehot(target) - p) coefficient with p = exp(z factor - max) / sum. All ids as if none were
// the target, then the target by the scalar code.
R1I_TARGET static void R1I_LEVEL(logits_grad)(r1i_real *z, size_t n, size_t target, r1i_real factor,
                                              const r1i_real *max_sum, r1i_real coefficient) {
    R1I_VECTOR times = r1i_v_set(factor), top = r1i_v_set(-max_sum[0]), zero = r1i_v_set(0.0f);
    R1I_VECTOR sum = r1i_v_set(max_sum[1]), scale = r1i_v_set(coefficient);
    float of_target = target < n ? z[target] : 0;
    for (size_t j = 0; j < n; j += R1I_LANES) {
        size_t part = r1i_min(R1I_LANES, n - j);
        R1I_VECTOR below = r1i_v_add(r1i_v_mul(r1i_v_load_part(z + j, part), times), top);
        R1I_VECTOR p = r1i_v_div(r1i_v_exp(below), sum);
        r1i_v_store_part(z + j, r1i_v_mul(r1i_v_sub(zero, p), scale), part);
    }
    if (target < n) { // the one id that differs, again and alone
        r1i_logits_grad_scalar(&of_target, 1, 0, factor, max_sum, coefficient);
        z[target] = of_target;
    }
}

// What the level replaces: everything. A kernel that is new to r1i_rows may begin as the scalar one
// in all levels, and get its vectors later.
static const r1i_rows R1I_LEVEL(rows) = {
    .name = R1I_LEVEL_NAME,
    .gemm = R1I_LEVEL(gemm),
    .norm_forward = R1I_LEVEL(norm_forward),
    .norm_backward = R1I_LEVEL(norm_backward),
    .norm_gain = R1I_LEVEL(norm_gain),
    .swiglu_forward = R1I_LEVEL(swiglu_forward),
    .swiglu_backward = R1I_LEVEL(swiglu_backward),
    .softmax = R1I_LEVEL(softmax),
    .softmax_grad = R1I_LEVEL(softmax_grad),
    .dot = R1I_LEVEL(dot),
    .logits = R1I_LEVEL(logits),
    .logits_grad = R1I_LEVEL(logits_grad),
    .gumbel = R1I_LEVEL(gumbel),
    .adamw = R1I_LEVEL(adamw),
};
// The next level defines these again.
#undef R1I_BODY_INLINE
#undef R1I_EACH_SUM
#undef R1I_EACH_COLUMN
#undef R1I_SUM_LOAD
#undef R1I_COLUMN_LOAD
#undef R1I_SUM_STEP
#undef R1I_SUM_STORE
#undef R1I_TILE_FUNCTION
#undef R1I_TILE_ENTRY
#undef R1I_LEVEL_NAME
#undef R1I_TARGET
#undef R1I_TILE_ROWS
#undef R1I_COPY_TILES
#undef R1I_TILES_1
#undef R1I_TILES_2
#undef R1I_TILES_4
#undef R1I_TILES_8
#endif // R1I_SIMD_PASS

#if defined R1_IMPLEMENTATION && !defined R1I_SIMD_PASS && !defined R1I_FLOOR_REST
#define R1I_FLOOR_REST
#ifndef R1_SELF
#define R1_SELF "r1.h" // the name under which this file includes itself
#endif

// The bodies are float code: the build with double has the scalar room only.
#if (R1I_X86 || R1I_NEON) && R1I_IS(R1I_REAL)
// r1i_gemm_avx2 and so on: the macros expand where they are used, with the level of that moment.
#define R1I_LEVEL__(name, level) r1i_##name##_##level
#define R1I_LEVEL_(name, level)  R1I_LEVEL__(name, level)
#define R1I_LEVEL(name)          R1I_LEVEL_(name, R1I_SIMD_PASS)
// The functions that a level gives. Bodies use these short names; each expands to the function of
// the level that is being compiled, r1i_v_add to r1i_v_add_avx2.
#define r1i_v_add        R1I_LEVEL(v_add)
#define r1i_v_any_equal  R1I_LEVEL(v_any_equal)
#define r1i_v_div        R1I_LEVEL(v_div)
#define r1i_v_first      R1I_LEVEL(v_first)
#define r1i_v_fma        R1I_LEVEL(v_fma)
#define r1i_v_if_equal   R1I_LEVEL(v_if_equal)
#define r1i_v_if_less    R1I_LEVEL(v_if_less)
#define r1i_v_load       R1I_LEVEL(v_load)
#define r1i_v_load_part  R1I_LEVEL(v_load_part)
#define r1i_v_max        R1I_LEVEL(v_max)
#define r1i_v_min        R1I_LEVEL(v_min)
#define r1i_v_mul        R1I_LEVEL(v_mul)
#define r1i_v_negate     R1I_LEVEL(v_negate)
#define r1i_v_scale      R1I_LEVEL(v_scale)
#define r1i_v_set        R1I_LEVEL(v_set)
#define r1i_v_split      R1I_LEVEL(v_split)
#define r1i_v_sqrt       R1I_LEVEL(v_sqrt)
#define r1i_v_store      R1I_LEVEL(v_store)
#define r1i_v_store_part R1I_LEVEL(v_store_part)
#define r1i_v_sub        R1I_LEVEL(v_sub)
#define r1i_v_transpose  R1I_LEVEL(v_transpose)
#define r1i_v_tree       R1I_LEVEL(v_tree)
// The functions that the bodies make of them.
#define r1i_v_exp       R1I_LEVEL(v_exp)
#define r1i_v_log       R1I_LEVEL(v_log)
#define r1i_v_sigmoid   R1I_LEVEL(v_sigmoid)
#define r1i_v_turn      R1I_LEVEL(v_turn)
#define r1i_v_pack      R1I_LEVEL(v_pack)
#define r1i_v_copy_a    R1I_LEVEL(v_copy_a)
#define r1i_v_narrow    R1I_LEVEL(v_narrow)
#define r1i_v_strip     R1I_LEVEL(v_strip)
#define r1i_v_part      R1I_LEVEL(v_part)
#define r1i_v_norm_row  R1I_LEVEL(v_norm_row)
#define r1i_v_tile      R1I_LEVEL(v_tile)
#define r1i_v_dot_lanes R1I_LEVEL(v_dot_lanes)
#define r1i_v_norm_dx   R1I_LEVEL(v_norm_dx)
#define r1i_v_best      R1I_LEVEL(v_best)
#define r1i_v_tiles     R1I_LEVEL(v_tiles)
#define R1I_VECTOR      R1I_LEVEL(vector)

// Sizes that were measured; they are free choices.
enum {
    R1I_A_STRIDE = R1I_GEMM_KC + 16, // not a power of two
    R1I_GEMM_COPY_ROWS = 64,         // from here on a b that could be used in place is packed
    R1I_GEMM_PACK_ROWS = 32,         // from here on b is packed for all rows at once
    R1I_GEMM_FEW_COLUMNS = 64,       // the piece of b that is packed for fewer rows
    R1I_GEMM_FEW_DEPTH = 128,
    R1I_GEMM_PANELS = R1I_GEMM_NC * (R1I_GEMM_KC + 1)
};
_Static_assert(R1I_GEMM_PANELS + R1I_LANES * R1I_A_STRIDE <= R1I_GEMM_SCRATCH,
               "the panels of b and the rows of a must fit");
// What a product without bias starts from, in place of a test in the kernel: as wide as the widest
// tile.
static const float r1i_zeros[8 * R1I_LANES];

// One call of a tile, in a structure so that a call passes one pointer: c = start + a b, with rows
// of a R1I_A_STRIDE apart, vectors of b `b_next` apart, and its k steps `b_step` apart.
typedef struct r1i_tile {
    const float *a, *b, *start;
    float *c;
    size_t K, b_step, b_next, start_stride, ldc;
} r1i_tile;
typedef void r1i_tile_fn(const r1i_tile *t);
// A part of a product that is computed with one packing of b: rows m0 .. m1, `columns` columns from
// n on, K steps from k0 on.
typedef struct r1i_gemm_part {
    size_t m0, m1, n, columns, k0, K;
    bool packed;
} r1i_gemm_part;
#endif

#if R1I_X86 && R1I_IS(R1I_REAL)
// ---- AVX2: a vector is two registers ----
// A pair of registers as one value costs nothing: the compiler takes it apart.
// A level is these functions and nothing else; the same names exist for the other levels, where
// only what differs is explained.
#define R1I_AVX2 __attribute__((target("avx2,fma"))) R1I_INLINE
typedef struct r1i_vector_avx2 {
    __m256 low, high;
} r1i_vector_avx2;

// A window of 16 into this table is a mask: -1 in the first n lanes is at r1i_lane_masks + 16 - n.
static const int32_t r1i_lane_masks[2 * R1I_LANES] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                      -1, -1, -1, -1, -1, -1, -1, -1};
R1I_AVX2 __m256i r1i_mask_avx2(size_t n, size_t half) {
    return _mm256_loadu_si256((const __m256i *)(r1i_lane_masks + R1I_LANES - n + half));
}
R1I_AVX2 r1i_vector_avx2 r1i_v_set_avx2(float x) {
    return (r1i_vector_avx2){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
// Nothing is aligned: operands are rows of tensors of any width.
R1I_AVX2 r1i_vector_avx2 r1i_v_load_avx2(const float *p) {
    return (r1i_vector_avx2){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
R1I_AVX2 void r1i_v_store_avx2(float *p, r1i_vector_avx2 a) {
    _mm256_storeu_ps(p, a.low), _mm256_storeu_ps(p + 8, a.high);
}
// The first n of 16 numbers, then zeros; nothing is read past them.
R1I_AVX2 r1i_vector_avx2 r1i_v_load_part_avx2(const float *p, size_t n) {
    if (n >= R1I_LANES) return r1i_v_load_avx2(p);
    return (r1i_vector_avx2){_mm256_maskload_ps(p, r1i_mask_avx2(n, 0)),
                             _mm256_maskload_ps(p + 8, r1i_mask_avx2(n, 8))};
}
// Writes the first n lanes and nothing else.
R1I_AVX2 void r1i_v_store_part_avx2(float *p, r1i_vector_avx2 a, size_t n) {
    if (n >= R1I_LANES) {
        r1i_v_store_avx2(p, a);
        return;
    }
    _mm256_maskstore_ps(p, r1i_mask_avx2(n, 0), a.low);
    _mm256_maskstore_ps(p + 8, r1i_mask_avx2(n, 8), a.high);
}
// The first n lanes of a, the others of b.
R1I_AVX2 r1i_vector_avx2 r1i_v_first_avx2(size_t n, r1i_vector_avx2 a, r1i_vector_avx2 b) {
    __m256 low = _mm256_castsi256_ps(r1i_mask_avx2(n, 0));
    __m256 high = _mm256_castsi256_ps(r1i_mask_avx2(n, 8));
    return (r1i_vector_avx2){_mm256_blendv_ps(b.low, a.low, low),
                             _mm256_blendv_ps(b.high, a.high, high)};
}
// A result that is rounded here and nowhere else: see r1i_product.
#define R1I_AVX2_PAIR(name, operation)                                                             \
    R1I_AVX2 r1i_vector_avx2 name(r1i_vector_avx2 a, r1i_vector_avx2 b) {                          \
        r1i_vector_avx2 c = {operation(a.low, b.low), operation(a.high, b.high)};                  \
        R1I_KEEP(c.low);                                                                           \
        R1I_KEEP(c.high);                                                                          \
        return c;                                                                                  \
    }
R1I_AVX2_PAIR(r1i_v_add_avx2, _mm256_add_ps)
R1I_AVX2_PAIR(r1i_v_sub_avx2, _mm256_sub_ps)
R1I_AVX2_PAIR(r1i_v_mul_avx2, _mm256_mul_ps)
R1I_AVX2_PAIR(r1i_v_div_avx2, _mm256_div_ps)
// On NaN, and for zeros of two signs, these two give the second operand.
R1I_AVX2_PAIR(r1i_v_max_avx2, _mm256_max_ps) // a > b ? a : b
R1I_AVX2_PAIR(r1i_v_min_avx2, _mm256_min_ps) // a < b ? a : b
// Square root and division are exact to the last bit by definition, on every machine.
R1I_AVX2 r1i_vector_avx2 r1i_v_sqrt_avx2(r1i_vector_avx2 a) {
    return (r1i_vector_avx2){_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)};
}
// Flips the sign bit, of zeros and NaN too; 0 - x would not.
R1I_AVX2 r1i_vector_avx2 r1i_v_negate_avx2(r1i_vector_avx2 a) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return (r1i_vector_avx2){_mm256_xor_ps(a.low, sign), _mm256_xor_ps(a.high, sign)};
}
// a b + c, rounded once.
R1I_AVX2 r1i_vector_avx2 r1i_v_fma_avx2(r1i_vector_avx2 a, r1i_vector_avx2 b, r1i_vector_avx2 c) {
    return (r1i_vector_avx2){_mm256_fmadd_ps(a.low, b.low, c.low),
                             _mm256_fmadd_ps(a.high, b.high, c.high)};
}
// a < b ? x : y and a == b ? x : y, with y when an operand is NaN.
#define R1I_AVX2_CHOICE(name, comparison)                                                          \
    R1I_AVX2 r1i_vector_avx2 name(r1i_vector_avx2 a, r1i_vector_avx2 b, r1i_vector_avx2 x,         \
                                  r1i_vector_avx2 y) {                                             \
        __m256 low = _mm256_cmp_ps(a.low, b.low, comparison);                                      \
        __m256 high = _mm256_cmp_ps(a.high, b.high, comparison);                                   \
        return (r1i_vector_avx2){_mm256_blendv_ps(y.low, x.low, low),                              \
                                 _mm256_blendv_ps(y.high, x.high, high)};                          \
    }
R1I_AVX2_CHOICE(r1i_v_if_less_avx2, _CMP_LT_OQ)
R1I_AVX2_CHOICE(r1i_v_if_equal_avx2, _CMP_EQ_OQ)
// True when some lane of a equals the same lane of b.
R1I_AVX2 bool r1i_v_any_equal_avx2(r1i_vector_avx2 a, r1i_vector_avx2 b) {
    return _mm256_movemask_ps(_mm256_or_ps(_mm256_cmp_ps(a.low, b.low, _CMP_EQ_OQ),
                                           _mm256_cmp_ps(a.high, b.high, _CMP_EQ_OQ))) != 0;
}
// p 2^k with k = shifted - 1.5 * 2^23, in two factors as r1i_expf has them. What a NaN leaves in
// the factors has no mantissa, so the product is that NaN.
R1I_AVX2 __m256 r1i_scale_avx2(__m256 p, __m256 shifted) {
    __m256i bias = _mm256_set1_epi32(127);
    __m256i n = _mm256_sub_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(0x4b400000));
    __m256i half = _mm256_srai_epi32(n, 1), rest = _mm256_sub_epi32(n, half);
    half = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    rest = _mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23);
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(half));
    R1I_KEEP(p);
    p = _mm256_mul_ps(p, _mm256_castsi256_ps(rest));
    R1I_KEEP(p);
    return p;
}
R1I_AVX2 r1i_vector_avx2 r1i_v_scale_avx2(r1i_vector_avx2 p, r1i_vector_avx2 shifted,
                                          r1i_vector_avx2 k) {
    (void)k;
    return (r1i_vector_avx2){r1i_scale_avx2(p.low, shifted.low),
                             r1i_scale_avx2(p.high, shifted.high)};
}
// x = 2^e m with m in [sqrt(1/2), sqrt(2)): returns e as a float.
R1I_AVX2 __m256 r1i_split_avx2(__m256 x, __m256 *m) {
    __m256i bits = _mm256_castps_si256(x);
    __m256i e = _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f3504f3)), 23);
    *m = _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(e, 23)));
    return _mm256_cvtepi32_ps(e);
}
R1I_AVX2 r1i_vector_avx2 r1i_v_split_avx2(r1i_vector_avx2 x, r1i_vector_avx2 *m) {
    r1i_vector_avx2 e;
    e.low = r1i_split_avx2(x.low, &m->low);
    e.high = r1i_split_avx2(x.high, &m->high);
    return e;
}
// The fixed tree of r1i_lane_tree from 8 lanes on.
R1I_AVX2 float r1i_tree_avx2(__m256 a) {
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    R1I_KEEP(b);
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    R1I_KEEP(b);
    return r1i_total(_mm_cvtss_f32(b), _mm_cvtss_f32(_mm_shuffle_ps(b, b, 1)));
}
// The whole tree: lanes l and l + 8 are the same lane of the two registers.
R1I_AVX2 float r1i_v_tree_avx2(r1i_vector_avx2 a) {
    __m256 sum = _mm256_add_ps(a.low, a.high);
    R1I_KEEP(sum);
    return r1i_tree_avx2(sum);
}
// Rows 0 .. 3 of 8 columns; out[i] holds the columns i and 4 + i of these rows.
R1I_AVX2 void r1i_fours_avx2(const float *in, size_t stride, __m256 out[4]) {
    __m256 a = _mm256_loadu_ps(in), b = _mm256_loadu_ps(in + stride);
    __m256 c = _mm256_loadu_ps(in + 2 * stride), d = _mm256_loadu_ps(in + 3 * stride);
    __m256d low_ab = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
    __m256d high_ab = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
    __m256d low_cd = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
    __m256d high_cd = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
    out[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(low_ab, low_cd));
    out[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low_ab, low_cd));
    out[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high_ab, high_cd));
    out[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high_ab, high_cd));
}
// The halves of two groups of four rows make whole columns.
R1I_AVX2 void r1i_halves_avx2(__m256 a, __m256 b, float *out, size_t stride) {
    _mm256_storeu_ps(out, _mm256_permute2f128_ps(a, b, 0x20));
    _mm256_storeu_ps(out + 4 * stride, _mm256_permute2f128_ps(a, b, 0x31));
}
// 8 x 8: as much as 16 registers turn without going through memory.
R1I_AVX2 void r1i_eights_avx2(const float *in, size_t stride, float *out, size_t out_stride) {
    __m256 a[4], b[4];
    r1i_fours_avx2(in, stride, a);
    r1i_fours_avx2(in + 4 * stride, stride, b);
    r1i_halves_avx2(a[0], b[0], out, out_stride);
    r1i_halves_avx2(a[1], b[1], out + out_stride, out_stride);
    r1i_halves_avx2(a[2], b[2], out + 2 * out_stride, out_stride);
    r1i_halves_avx2(a[3], b[3], out + 3 * out_stride, out_stride);
}
// 16 x 16. Both halves of a row are read together, while its line is in the first cache.
R1I_AVX2 void r1i_v_transpose_avx2(const float *in, size_t stride, float *out, size_t out_stride) {
    r1i_eights_avx2(in, stride, out, out_stride);
    r1i_eights_avx2(in + 8, stride, out + 8 * out_stride, out_stride);
    r1i_eights_avx2(in + 8 * stride, stride, out + 8, out_stride);
    r1i_eights_avx2(in + 8 * stride + 8, stride, out + 8 * out_stride + 8, out_stride);
}

// ---- AVX-512: a vector is one register ----
#define R1I_AVX512_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")))
#define R1I_AVX512        R1I_AVX512_TARGET R1I_INLINE
// "v" is any of the 32 registers; "x" would forbid half of them.
#define R1I_KEEP_AVX512(value) __asm__("" : "+v"(value))
typedef __m512 r1i_vector_avx512;

// The first n of 16 lanes, n < 32.
R1I_AVX512 __mmask16 r1i_mask_avx512(size_t n) { return (__mmask16)((1u << n) - 1u); }
R1I_AVX512 __m512 r1i_v_set_avx512(float x) { return _mm512_set1_ps(x); }
R1I_AVX512 __m512 r1i_v_load_avx512(const float *p) { return _mm512_loadu_ps(p); }
R1I_AVX512 void r1i_v_store_avx512(float *p, __m512 a) { _mm512_storeu_ps(p, a); }
// A masked lane is neither read nor written, so it may lie on a page that does not exist.
R1I_AVX512 __m512 r1i_v_load_part_avx512(const float *p, size_t n) {
    return n >= R1I_LANES ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(r1i_mask_avx512(n), p);
}
R1I_AVX512 void r1i_v_store_part_avx512(float *p, __m512 a, size_t n) {
    if (n >= R1I_LANES)
        _mm512_storeu_ps(p, a);
    else
        _mm512_mask_storeu_ps(p, r1i_mask_avx512(n), a);
}
R1I_AVX512 __m512 r1i_v_first_avx512(size_t n, __m512 a, __m512 b) {
    return _mm512_mask_blend_ps(r1i_mask_avx512(n), b, a);
}
// As R1I_AVX2_PAIR; maximum and minimum treat NaN in the same way.
#define R1I_AVX512_PAIR(name, operation)                                                           \
    R1I_AVX512 __m512 name(__m512 a, __m512 b) {                                                   \
        __m512 c = operation(a, b);                                                                \
        R1I_KEEP_AVX512(c);                                                                        \
        return c;                                                                                  \
    }
R1I_AVX512_PAIR(r1i_v_add_avx512, _mm512_add_ps)
R1I_AVX512_PAIR(r1i_v_sub_avx512, _mm512_sub_ps)
R1I_AVX512_PAIR(r1i_v_mul_avx512, _mm512_mul_ps)
R1I_AVX512_PAIR(r1i_v_div_avx512, _mm512_div_ps)
R1I_AVX512_PAIR(r1i_v_max_avx512, _mm512_max_ps)
R1I_AVX512_PAIR(r1i_v_min_avx512, _mm512_min_ps)
R1I_AVX512 __m512 r1i_v_sqrt_avx512(__m512 a) { return _mm512_sqrt_ps(a); }
R1I_AVX512 __m512 r1i_v_negate_avx512(__m512 a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
R1I_AVX512 __m512 r1i_v_fma_avx512(__m512 a, __m512 b, __m512 c) {
    return _mm512_fmadd_ps(a, b, c);
}
// Comparisons give a mask register here, which the blend takes directly.
R1I_AVX512 __m512 r1i_v_if_less_avx512(__m512 a, __m512 b, __m512 x, __m512 y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
R1I_AVX512 __m512 r1i_v_if_equal_avx512(__m512 a, __m512 b, __m512 x, __m512 y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), y, x);
}
R1I_AVX512 bool r1i_v_any_equal_avx512(__m512 a, __m512 b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ) != 0;
}
// One instruction with the bits of the two factors: both round once, at the end.
R1I_AVX512 __m512 r1i_v_scale_avx512(__m512 p, __m512 shifted, __m512 k) {
    (void)shifted;
    return _mm512_scalef_ps(p, k);
}
// See r1i_split_avx2.
R1I_AVX512 __m512 r1i_v_split_avx512(__m512 x, __m512 *m) {
    __m512i bits = _mm512_castps_si512(x);
    __m512i e = _mm512_srai_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(0x3f3504f3)), 23);
    *m = _mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(e, 23)));
    return _mm512_cvtepi32_ps(e);
}
// The step of +8, then the tree of AVX2.
R1I_AVX512 float r1i_v_tree_avx512(__m512 a) {
    __m256 sum = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    R1I_KEEP_AVX512(sum);
    return r1i_tree_avx2(sum);
}
// Rows 0 .. 3 of 16 columns; out[i] holds the columns i, 4 + i, 8 + i, 12 + i of these rows.
R1I_AVX512 void r1i_fours_avx512(const float *in, size_t stride, __m512 out[4]) {
    __m512 a = _mm512_loadu_ps(in), b = _mm512_loadu_ps(in + stride);
    __m512 c = _mm512_loadu_ps(in + 2 * stride), d = _mm512_loadu_ps(in + 3 * stride);
    __m512d low_ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
    __m512d high_ab = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
    __m512d low_cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
    __m512d high_cd = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    out[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low_ab, low_cd));
    out[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low_ab, low_cd));
    out[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high_ab, high_cd));
    out[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high_ab, high_cd));
}
// The same quarter of four groups of four rows makes one whole column.
R1I_AVX512 void r1i_quarters_avx512(__m512 a, __m512 b, __m512 c, __m512 d, float *out,
                                    size_t stride) {
    __m512 even_ab = _mm512_shuffle_f32x4(a, b, 0x88), odd_ab = _mm512_shuffle_f32x4(a, b, 0xdd);
    __m512 even_cd = _mm512_shuffle_f32x4(c, d, 0x88), odd_cd = _mm512_shuffle_f32x4(c, d, 0xdd);
    _mm512_storeu_ps(out, _mm512_shuffle_f32x4(even_ab, even_cd, 0x88));
    _mm512_storeu_ps(out + 4 * stride, _mm512_shuffle_f32x4(odd_ab, odd_cd, 0x88));
    _mm512_storeu_ps(out + 8 * stride, _mm512_shuffle_f32x4(even_ab, even_cd, 0xdd));
    _mm512_storeu_ps(out + 12 * stride, _mm512_shuffle_f32x4(odd_ab, odd_cd, 0xdd));
}
// 16 x 16 in 64 steps, from 16 loads to 16 stores without leaving the registers.
R1I_AVX512 void r1i_v_transpose_avx512(const float *in, size_t stride, float *out,
                                       size_t out_stride) {
    __m512 a[4], b[4], c[4], d[4];
    r1i_fours_avx512(in, stride, a);
    r1i_fours_avx512(in + 4 * stride, stride, b);
    r1i_fours_avx512(in + 8 * stride, stride, c);
    r1i_fours_avx512(in + 12 * stride, stride, d);
    r1i_quarters_avx512(a[0], b[0], c[0], d[0], out, out_stride);
    r1i_quarters_avx512(a[1], b[1], c[1], d[1], out + out_stride, out_stride);
    r1i_quarters_avx512(a[2], b[2], c[2], d[2], out + 2 * out_stride, out_stride);
    r1i_quarters_avx512(a[3], b[3], c[3], d[3], out + 3 * out_stride, out_stride);
}

// Six rows by two registers are 12 sums: with b and a broadcast they fill the 16 registers. Fewer
// rows take more columns, so that at least 8 chains run at once.
// clang-format off
#define R1I_SIMD_PASS avx2
#define R1I_LEVEL_NAME "avx2"
#define R1I_TARGET __attribute__((target("avx2,fma")))
#define R1I_TILE_ROWS 6
#define R1I_COPY_TILES 2
#define R1I_TILES_1(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
#define R1I_TILES_2(X) X(1, 2) X(2, 2) X(3, 2)
#define R1I_TILES_4(X) X(1, 4)
#define R1I_TILES_8(X)
// clang-format on
#include R1_SELF
#undef R1I_SIMD_PASS

// Of 32 registers up to 28 are sums.
// clang-format off
#define R1I_SIMD_PASS avx512
#define R1I_LEVEL_NAME "avx512"
#define R1I_TARGET R1I_AVX512_TARGET
#define R1I_TILE_ROWS 14
#define R1I_COPY_TILES 1
#define R1I_TILES_1(X) \
    X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) \
    X(12, 1) X(13, 1) X(14, 1)
#define R1I_TILES_2(X) \
    X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) \
    X(12, 2) X(13, 2) X(14, 2)
#define R1I_TILES_4(X) X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)
#define R1I_TILES_8(X) X(1, 8) X(2, 8) X(3, 8)
// clang-format on
#include R1_SELF
#undef R1I_SIMD_PASS
#endif // R1I_X86

#if R1I_NEON && R1I_IS(R1I_REAL)
// ---- NEON: a vector is four registers ----
// Part of every 64-bit ARM, so there is nothing to ask the machine for.
typedef struct r1i_vector_neon {
    float32x4_t a, b, c, d;
} r1i_vector_neon;

R1I_INLINE r1i_vector_neon r1i_v_set_neon(float x) {
    float32x4_t all = vdupq_n_f32(x);
    return (r1i_vector_neon){all, all, all, all};
}
R1I_INLINE r1i_vector_neon r1i_v_load_neon(const float *p) {
    return (r1i_vector_neon){vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}
R1I_INLINE void r1i_v_store_neon(float *p, r1i_vector_neon x) {
    vst1q_f32(p, x.a), vst1q_f32(p + 4, x.b), vst1q_f32(p + 8, x.c), vst1q_f32(p + 12, x.d);
}
// There are no masked loads: the part goes through a buffer.
R1I_INLINE r1i_vector_neon r1i_v_load_part_neon(const float *p, size_t n) {
    float block[R1I_LANES] = {0};
    if (n >= R1I_LANES) return r1i_v_load_neon(p);
    for (size_t i = 0; i < n; i++) block[i] = p[i];
    return r1i_v_load_neon(block);
}
// As above, and only the wanted numbers are written.
R1I_INLINE void r1i_v_store_part_neon(float *p, r1i_vector_neon x, size_t n) {
    float block[R1I_LANES];
    if (n >= R1I_LANES) {
        r1i_v_store_neon(p, x);
        return;
    }
    r1i_v_store_neon(block, x);
    for (size_t i = 0; i < n; i++) p[i] = block[i];
}
// mask ? x : y, lane by lane; the masks of comparisons are all ones or all zeros.
R1I_INLINE r1i_vector_neon r1i_v_choose_neon(const uint32x4_t mask[4], r1i_vector_neon x,
                                             r1i_vector_neon y) {
    return (r1i_vector_neon){vbslq_f32(mask[0], x.a, y.a), vbslq_f32(mask[1], x.b, y.b),
                             vbslq_f32(mask[2], x.c, y.c), vbslq_f32(mask[3], x.d, y.d)};
}
// The mask is made by comparing the index of every lane with n.
R1I_INLINE r1i_vector_neon r1i_v_first_neon(size_t n, r1i_vector_neon x, r1i_vector_neon y) {
    static const uint32_t index[4] = {0, 1, 2, 3};
    uint32x4_t lane = vld1q_u32(index), four = vdupq_n_u32(4), end = vdupq_n_u32((uint32_t)n);
    uint32x4_t mask[4];
    for (int i = 0; i < 4; i++, lane = vaddq_u32(lane, four)) mask[i] = vcltq_u32(lane, end);
    return r1i_v_choose_neon(mask, x, y);
}
// As R1I_AVX2_PAIR. The barrier matters more here: GCC fuses by default on ARM.
#define R1I_NEON_PAIR(name, operation)                                                             \
    R1I_INLINE r1i_vector_neon name(r1i_vector_neon x, r1i_vector_neon y) {                        \
        r1i_vector_neon z = {operation(x.a, y.a), operation(x.b, y.b), operation(x.c, y.c),        \
                             operation(x.d, y.d)};                                                 \
        R1I_KEEP(z.a);                                                                             \
        R1I_KEEP(z.b);                                                                             \
        R1I_KEEP(z.c);                                                                             \
        R1I_KEEP(z.d);                                                                             \
        return z;                                                                                  \
    }
// The maximum and minimum of x86, which give the second operand on NaN; those of ARM give NaN.
#define R1I_NEON_MAX(x, y) vbslq_f32(vcgtq_f32(x, y), x, y)
#define R1I_NEON_MIN(x, y) vbslq_f32(vcltq_f32(x, y), x, y)
R1I_NEON_PAIR(r1i_v_add_neon, vaddq_f32)
R1I_NEON_PAIR(r1i_v_sub_neon, vsubq_f32)
R1I_NEON_PAIR(r1i_v_mul_neon, vmulq_f32)
R1I_NEON_PAIR(r1i_v_div_neon, vdivq_f32)
R1I_NEON_PAIR(r1i_v_max_neon, R1I_NEON_MAX)
R1I_NEON_PAIR(r1i_v_min_neon, R1I_NEON_MIN)
R1I_INLINE r1i_vector_neon r1i_v_sqrt_neon(r1i_vector_neon x) {
    return (r1i_vector_neon){vsqrtq_f32(x.a), vsqrtq_f32(x.b), vsqrtq_f32(x.c), vsqrtq_f32(x.d)};
}
R1I_INLINE r1i_vector_neon r1i_v_negate_neon(r1i_vector_neon x) {
    return (r1i_vector_neon){vnegq_f32(x.a), vnegq_f32(x.b), vnegq_f32(x.c), vnegq_f32(x.d)};
}
// x y + z; the instruction takes the addend first.
R1I_INLINE r1i_vector_neon r1i_v_fma_neon(r1i_vector_neon x, r1i_vector_neon y, r1i_vector_neon z) {
    return (r1i_vector_neon){vfmaq_f32(z.a, x.a, y.a), vfmaq_f32(z.b, x.b, y.b),
                             vfmaq_f32(z.c, x.c, y.c), vfmaq_f32(z.d, x.d, y.d)};
}
#define R1I_NEON_CHOICE(name, comparison)                                                          \
    R1I_INLINE r1i_vector_neon name(r1i_vector_neon p, r1i_vector_neon q, r1i_vector_neon x,       \
                                    r1i_vector_neon y) {                                           \
        uint32x4_t mask[4] = {comparison(p.a, q.a), comparison(p.b, q.b), comparison(p.c, q.c),    \
                              comparison(p.d, q.d)};                                               \
        return r1i_v_choose_neon(mask, x, y);                                                      \
    }
R1I_NEON_CHOICE(r1i_v_if_less_neon, vcltq_f32)
R1I_NEON_CHOICE(r1i_v_if_equal_neon, vceqq_f32)
// The maximum over the lanes of a mask is 0 only when no lane is set.
R1I_INLINE bool r1i_v_any_equal_neon(r1i_vector_neon x, r1i_vector_neon y) {
    uint32x4_t low = vorrq_u32(vceqq_f32(x.a, y.a), vceqq_f32(x.b, y.b));
    uint32x4_t high = vorrq_u32(vceqq_f32(x.c, y.c), vceqq_f32(x.d, y.d));
    return vmaxvq_u32(vorrq_u32(low, high)) != 0;
}
// See r1i_scale_avx2.
R1I_INLINE float32x4_t r1i_scale_neon(float32x4_t p, float32x4_t shifted) {
    int32x4_t n = vsubq_s32(vreinterpretq_s32_f32(shifted), vdupq_n_s32(0x4b400000));
    int32x4_t half = vshrq_n_s32(n, 1), rest = vsubq_s32(n, half), bias = vdupq_n_s32(127);
    p = vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(half, bias), 23)));
    R1I_KEEP(p);
    p = vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(rest, bias), 23)));
    R1I_KEEP(p);
    return p;
}
R1I_INLINE r1i_vector_neon r1i_v_scale_neon(r1i_vector_neon p, r1i_vector_neon shifted,
                                            r1i_vector_neon k) {
    (void)k;
    return (r1i_vector_neon){r1i_scale_neon(p.a, shifted.a), r1i_scale_neon(p.b, shifted.b),
                             r1i_scale_neon(p.c, shifted.c), r1i_scale_neon(p.d, shifted.d)};
}
// See r1i_split_avx2.
R1I_INLINE float32x4_t r1i_split_neon(float32x4_t x, float32x4_t *m) {
    int32x4_t bits = vreinterpretq_s32_f32(x);
    int32x4_t e = vshrq_n_s32(vsubq_s32(bits, vdupq_n_s32(0x3f3504f3)), 23);
    *m = vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(e, 23)));
    return vcvtq_f32_s32(e);
}
R1I_INLINE r1i_vector_neon r1i_v_split_neon(r1i_vector_neon x, r1i_vector_neon *m) {
    r1i_vector_neon e;
    e.a = r1i_split_neon(x.a, &m->a), e.b = r1i_split_neon(x.b, &m->b);
    e.c = r1i_split_neon(x.c, &m->c), e.d = r1i_split_neon(x.d, &m->d);
    return e;
}
// +8, +4, +2, +1 over the registers a, b, c, d.
R1I_INLINE float r1i_v_tree_neon(r1i_vector_neon x) {
    float32x4_t low = vaddq_f32(x.a, x.c), high = vaddq_f32(x.b, x.d);
    float32x4_t four = vaddq_f32(low, high);
    float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return r1i_total(vget_lane_f32(two, 0), vget_lane_f32(two, 1));
}
// 4 x 4, from registers to memory.
R1I_INLINE void r1i_fours_neon(const float *in, size_t stride, float *out, size_t out_stride) {
    float32x4_t a = vld1q_f32(in), b = vld1q_f32(in + stride);
    float32x4_t c = vld1q_f32(in + 2 * stride), d = vld1q_f32(in + 3 * stride);
    float64x2_t even_ab = vreinterpretq_f64_f32(vtrn1q_f32(a, b));
    float64x2_t odd_ab = vreinterpretq_f64_f32(vtrn2q_f32(a, b));
    float64x2_t even_cd = vreinterpretq_f64_f32(vtrn1q_f32(c, d));
    float64x2_t odd_cd = vreinterpretq_f64_f32(vtrn2q_f32(c, d));
    vst1q_f32(out, vreinterpretq_f32_f64(vtrn1q_f64(even_ab, even_cd)));
    vst1q_f32(out + out_stride, vreinterpretq_f32_f64(vtrn1q_f64(odd_ab, odd_cd)));
    vst1q_f32(out + 2 * out_stride, vreinterpretq_f32_f64(vtrn2q_f64(even_ab, even_cd)));
    vst1q_f32(out + 3 * out_stride, vreinterpretq_f32_f64(vtrn2q_f64(odd_ab, odd_cd)));
}
// 16 x 16 as 16 blocks: a NEON register turns no more than 4 x 4.
R1I_INLINE void r1i_v_transpose_neon(const float *in, size_t stride, float *out,
                                     size_t out_stride) {
    for (size_t i = 0; i < R1I_LANES; i += 4)
        for (size_t j = 0; j < R1I_LANES; j += 4)
            r1i_fours_neon(in + i * stride + j, stride, out + j * out_stride + i, out_stride);
}

// Six rows by four registers are 24 sums of 32 registers.
// clang-format off
#define R1I_SIMD_PASS neon
#define R1I_LEVEL_NAME "neon"
#define R1I_TARGET
#define R1I_TILE_ROWS 6
#define R1I_COPY_TILES 2
#define R1I_TILES_1(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1)
#define R1I_TILES_2(X) X(1, 2) X(2, 2)
#define R1I_TILES_4(X)
#define R1I_TILES_8(X)
// clang-format on
#include R1_SELF
#undef R1I_SIMD_PASS
#endif // R1I_NEON

// The highest level that this machine and this build can run. The question includes the operating
// system, which must save the wide registers; AVX-512 means the four parts that servers have.
static int r1i_cpu_best(void) {
#if R1I_X86 && R1I_IS(R1I_REAL)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return R1_CPU_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return R1_CPU_AVX2;
#endif
#if R1I_NEON && R1I_IS(R1I_REAL)
    return R1_CPU_NEON; // every ARM64 has it
#else
    return R1_CPU_SCALAR;
#endif
}
// The inner kernels of a level, or NULL when this machine cannot run it. AUTO is the best there is.
static const r1i_rows *r1i_rows_of(int level) {
    int best = r1i_cpu_best();
    if (level == R1_CPU_AUTO) level = best;
    if (level < 0 || level > best) return NULL;
#if R1I_X86 && R1I_IS(R1I_REAL)
    if (level == R1_CPU_AVX512) return &r1i_rows_avx512;
    if (level == R1_CPU_AVX2) return &r1i_rows_avx2;
#endif
#if R1I_NEON && R1I_IS(R1I_REAL)
    if (level == R1_CPU_NEON) return &r1i_rows_neon;
#endif
    return level == R1_CPU_SCALAR ? &r1i_rows_scalar : NULL;
}

// ==== [backend] ==================================================================================
// Runs an op on the CPU level of the context. Calls the rooms above. Work is cut by the op's plan,
// which knows shapes only; scratch is sized before any worker starts, so kernels cannot fail.

// One small product and one softmax on the chosen level against the scalar room, bit for bit.
// The sizes are odd on purpose: they leave partial vectors in every loop. b is transposed, so the
// packing is tested too. This catches a compiler that treats intrinsics and scalar code unalike.
static bool r1i_rows_agree(const r1i_rows *rows, r1i_real *scratch) {
    enum { M = 3, N = 33, K = 17 };
    r1i_real a[M * K], b[N * K], c[2][M * N], max_sum[2][2];
    for (int i = 0; i < M * K; i++) a[i] = (r1i_real)(i * 37 % 23 - 11) / 7;
    for (int i = 0; i < N * K; i++) b[i] = (r1i_real)(i * 29 % 31 - 15) / 9;
    for (int i = 0; i < 2; i++) {
        const r1i_rows *level = i ? rows : &r1i_rows_scalar;
        r1i_gemm job = {.M = M,
                        .N = N,
                        .K = K,
                        .a = a,
                        .lda = K,
                        .b = b,
                        .ldb = K,
                        .b_transposed = true,
                        .c = c[i],
                        .ldc = N};
        memset(c[i], 0, sizeof c[i]);
        memset(max_sum[i], 0, sizeof max_sum[i]);
        level->gemm(&job, 0, M, 0, N, scratch);
        level->softmax(c[i], N, max_sum[i]);
    }
    return !memcmp(c[0], c[1], sizeof c[0]) && !memcmp(max_sum[0], max_sum[1], sizeof max_sum[0]);
}
// Makes the scratch of every worker at least `bytes`. It only grows, so a loop that repeats its
// shapes allocates in its first round alone. What was in it is lost.
static bool r1i_scratch_ready(r1_context *ctx, size_t bytes) {
    bytes = r1i_round_up(bytes, R1I_ALIGN);
    if (bytes <= ctx->scratch_bytes) return true;
    bytes = r1i_max(bytes, ctx->scratch_bytes / 2 * 3); // few steps up, as sequences get longer
    bytes = r1i_round_up(bytes, R1I_ALIGN);
    for (int i = 0; i < ctx->threads; i++) {
        r1i_free(ctx, ctx->scratch[i]);
        ctx->scratch[i] = NULL;
    }
    ctx->scratch_bytes = 0;
    for (int i = 0; i < ctx->threads; i++)
        if (!(ctx->scratch[i] = r1i_alloc(ctx, bytes))) return false;
    ctx->scratch_bytes = bytes;
    return true;
}
// The inner kernels of the context, chosen and tested at the first op; NULL and an error when the
// level cannot run here or does not agree.
static const r1i_rows *r1i_rows_ready(r1_context *ctx) {
    if (ctx->rows) return ctx->rows;
    const r1i_rows *rows = r1i_rows_of(ctx->cpu_level);
    if (!rows) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "context: cpu_level %d cannot run on this machine; the best is %d", ctx->cpu_level,
                 r1i_cpu_best());
        return NULL;
    }
    if (!r1i_scratch_ready(ctx, R1I_GEMM_SCRATCH * sizeof(r1i_real))) return NULL;
    r1i_float_state state = r1i_float_enter();
    bool agree = r1i_rows_agree(rows, (r1i_real *)ctx->scratch[0]);
    r1i_float_leave(state);
    if (!agree) {
        r1i_fail(ctx, R1_ERROR_ARITHMETIC,
                 "context: level %s disagrees with the scalar code in this build; compile without "
                 "flags that change floating point, or use cpu_level R1_CPU_SCALAR",
                 rows->name);
        return NULL;
    }
    return ctx->rows = rows;
}
R1I_BODY const char *r1_cpu_name(r1_context *ctx) {
    const r1i_rows *rows = ctx ? r1i_rows_ready(ctx) : NULL;
    return rows ? rows->name : "none";
}
R1I_BODY r1_cpu_level r1_cpu_best(void) { return (r1_cpu_level)r1i_cpu_best(); }

// What the workers need; it lives on the caller's stack until all of them are done.
typedef struct r1i_launch {
    const r1i_op_row *row;
    const void *args;
    r1_direction direction;
    r1_context *ctx;
} r1i_launch;

static void r1i_launch_task(void *arg, size_t begin, size_t end, int worker) {
    const r1i_launch *launch = (const r1i_launch *)arg;
    launch->row->run(launch->args, launch->direction, begin, end,
                     (r1i_real *)launch->ctx->scratch[worker], launch->ctx->rows);
}
// Runs one direction of an op. False leaves a sticky error.
// The three directions have the same path, and so has every op: plan, scratch, workers.
static bool r1i_run(r1_context *ctx, r1_op op, r1_direction direction, const void *args) {
    if (r1_status_of(ctx) != R1_OK || !r1i_rows_ready(ctx)) return false;
    r1i_launch launch = {&r1i_op_rows[op], args, direction, ctx};
    r1i_plan plan = launch.row->plan(args, direction);
    if (!r1i_scratch_ready(ctx, r1i_size_mul(plan.scratch, sizeof(r1i_real)))) return false;
    r1_parallel_for(ctx, plan.units, plan.grain, r1i_launch_task, &launch);
    return true;
}

// ==== [tensor] ===================================================================================
// Shapes over memory. Calls [base]. The struct and its data come from the step arena.
enum { R1I_MAX_STEPS = 16 };

// One op that ran; [tape] says how it is used.
typedef struct r1i_record r1i_record;
struct r1i_record {
    r1_op op;
    void *args;
    r1_tensor *in[3], *out[2];
    bool (*bind)(r1_context *ctx, r1i_record *record);
};
// Records lie in the order in which ops ran, which is a topological order: walking them backwards
// meets every consumer of a tensor before its producer. A step remembers where its part begins.
//   records   | step 0: a b c | step 1: d e |          counts = 0 3, depth = 2
//   arena     | ............. | ........... |          marks, the same two places
typedef struct r1i_tape {
    r1i_record *records;
    size_t count, capacity;
    int no_grad; // depth of r1_no_grad_begin
    int depth;   // open steps
    r1i_mark marks[R1I_MAX_STEPS];
    size_t counts[R1I_MAX_STEPS];
    bool walked[R1I_MAX_STEPS + 1]; // whether a step has had its backward pass
} r1i_tape;

// Made at first use; NULL only when there is an error on the context.
static r1i_tape *r1i_tape_of(r1_context *ctx) {
    if (!ctx->tape) ctx->tape = (r1i_tape *)r1i_alloc(ctx, sizeof *ctx->tape);
    return ctx->tape;
}
// Saturates at SIZE_MAX, for which no memory is granted, so an overflow ends as an error.
R1I_BODY size_t r1_tensor_count(const r1_tensor *x) {
    size_t n = x ? 1 : 0;
    for (int i = 0; x && i < x->rank; i++) n = r1i_size_mul(n, x->shape[i]);
    return n;
}
static size_t r1i_last(const r1_tensor *x) { return x->shape[x->rank - 1]; }
static size_t r1i_rows_count(const r1_tensor *x) { // everything but the last dimension
    size_t last = r1i_last(x);
    return last ? r1_tensor_count(x) / last : 0;
}
// A tensor without memory for its numbers.
static r1_tensor *r1i_tensor_shell(r1_context *ctx, int rank, const size_t *shape) {
    if (ctx->status != R1_OK) return NULL;
    if (rank < 1 || rank > R1_MAX_RANK || !shape) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "tensor: rank %d is not in 1..%d", rank, R1_MAX_RANK);
        return NULL;
    }
    r1_tensor *x = (r1_tensor *)r1i_arena_alloc(ctx, &ctx->step, sizeof *x);
    if (!x) return NULL;
    *x = (r1_tensor){.rank = rank};
    for (int i = 0; i < rank; i++) x->shape[i] = shape[i];
    return x;
}
// n elements that live as long as the present step; not zeroed.
static void *r1i_step_alloc(r1_context *ctx, size_t n, size_t size) {
    return r1i_arena_alloc(ctx, &ctx->step, r1i_size_mul(n, size));
}
// Memory that the caller writes whole.
static r1_tensor *r1i_tensor_raw(r1_context *ctx, int rank, const size_t *shape) {
    r1_tensor *x = r1i_tensor_shell(ctx, rank, shape);
    if (!x) return NULL;
    x->data = (r1i_real *)r1i_step_alloc(ctx, r1_tensor_count(x), sizeof *x->data);
    return x->data ? x : NULL;
}
R1I_BODY r1_tensor *r1_tensor_new(r1_context *ctx, int rank, const size_t *shape) {
    r1_tensor *x = ctx ? r1i_tensor_raw(ctx, rank, shape) : NULL;
    if (x) memset(x->data, 0, r1_tensor_count(x) * sizeof *x->data);
    return x;
}
// From the context and not from the arena: a parameter outlives all steps, and its gradient
// collects those of several.
R1I_BODY r1_tensor *r1_tensor_parameter(r1_context *ctx, int rank, const size_t *shape) {
    if (!ctx || ctx->status != R1_OK) return NULL;
    if (rank < 1 || rank > R1_MAX_RANK || !shape) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "parameter: rank %d is not in 1..%d", rank, R1_MAX_RANK);
        return NULL;
    }
    r1_tensor *x = (r1_tensor *)r1i_alloc(ctx, sizeof *x);
    if (!x) return NULL;
    *x = (r1_tensor){.rank = rank, .wants_grad = true};
    for (int i = 0; i < rank; i++) x->shape[i] = shape[i];
    x->data = (r1i_real *)r1i_alloc_array(ctx, r1_tensor_count(x), sizeof *x->data);
    x->grad = (r1i_real *)r1i_alloc_array(ctx, r1_tensor_count(x), sizeof *x->grad);
    if (x->data && x->grad) return x;
    r1i_free(ctx, x->data), r1i_free(ctx, x->grad), r1i_free(ctx, x);
    return NULL;
}
R1I_BODY size_t r1_tensor_check(const r1_tensor *x) {
    size_t n = r1_tensor_count(x), i = 0;
    while (i < n && x->data[i] - x->data[i] == 0) i++; // infinity - infinity and NaN are not 0
    return i;
}
// Does not ask for the status, so that begin and end stay in pairs on a context with an error.
R1I_BODY void r1_step_begin(r1_context *ctx) {
    r1i_tape *tape = ctx ? r1i_tape_of(ctx) : NULL;
    if (!tape) return;
    if (tape->depth == R1I_MAX_STEPS) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "r1_step_begin: more than %d steps are open; is an "
                 "r1_step_end missing?",
                 R1I_MAX_STEPS);
        return;
    }
    tape->marks[tape->depth] = r1i_arena_mark(&ctx->step);
    tape->counts[tape->depth++] = tape->count;
    tape->walked[tape->depth] = false;
}
// Only the end of the outermost step may melt the arena: no mark into it is left then.
// Whether a pointer lies in what a release to the mark gives back.
static bool r1i_arena_holds(const r1i_arena *arena, r1i_mark mark, const void *pointer) {
    const char *p = (const char *)pointer;
    for (r1i_chunk *c = arena->chunk; c; c = c->next) {
        const char *space = r1i_chunk_space(c), *from = c == mark.chunk ? space + mark.used : space;
        if (p >= from && p < space + c->used) return true;
        if (c == mark.chunk) break;
    }
    return false;
}
// A tensor of an outer step may have got its gradient in this one: it must not point there after.
static void r1i_tape_forget(r1_context *ctx, size_t first, r1i_mark mark) {
    for (size_t i = first; i < ctx->tape->count; i++)
        for (int k = 0; k < 3; k++) {
            r1_tensor *x = ctx->tape->records[i].in[k];
            if (x && x->grad && r1i_arena_holds(&ctx->step, mark, x->grad)) x->grad = NULL;
        }
}

R1I_BODY void r1_step_end(r1_context *ctx) {
    r1i_tape *tape = ctx ? ctx->tape : NULL;
    if (!tape || tape->depth == 0) return;
    tape->depth--;
    r1i_tape_forget(ctx, tape->counts[tape->depth], tape->marks[tape->depth]);
    tape->count = tape->counts[tape->depth];
    r1i_arena_release(ctx, &ctx->step, tape->marks[tape->depth], tape->depth == 0);
}

// ==== [tape] =====================================================================================
// Ops on tensors, and gradients. Calls the rooms above. An op is a wrapper that checks shapes and
// fills the kernel's arguments, and a bind that adds the gradients before the backward pass.
//
//   r1_matmul     check shapes -> args: x, w, y -> forward kernel -> record
//   r1_backward   record -> bind: dy, dx, dw into args -> the two backward kernels
//
// Where the order of two ops decides the order of additions into a shared gradient, each op has a
// statement of its own: C does not say which argument of a call is evaluated first, and compilers
// for ARM and x86 differ.

// A record is one op that ran. `args` are those of its kernel, with the addresses of inputs and
// outputs; the gradients in them are empty until `bind` fills them, just before the backward pass
// uses them. A forward pass thus pays nothing for gradients, and what no gradient reaches never
// gets memory. bind returns false when there is nothing to compute.

// "[3,5]" for messages; four shapes can be in one message.
typedef struct r1i_text {
    char text[96];
} r1i_text;
// By value, so that one call of r1i_fail can show several shapes without a buffer for each.
static r1i_text r1i_shape_text(const r1_tensor *x) {
    r1i_text out = {"["};
    size_t at = 1;
    for (int i = 0; i < x->rank; i++)
        at +=
            (size_t)snprintf(out.text + at, sizeof out.text - at, i ? ",%zu" : "%zu", x->shape[i]);
    snprintf(out.text + at, sizeof out.text - at, "]");
    return out;
}
// The gradient memory of a tensor, made and zeroed when it is first needed; NULL when not wanted.
// Zeroed, because every backward kernel adds: a tensor that is used twice gets the sum. Memory of
// the step that is open now, so a backward pass belongs into the step that made its tensors. Only
// parameters bring their own.
static r1i_real *r1i_grad_of(r1_context *ctx, r1_tensor *x) {
    if (!x || !x->wants_grad) return NULL;
    if (!x->grad) {
        size_t n = r1_tensor_count(x);
        x->grad = (r1i_real *)r1i_step_alloc(ctx, n, sizeof *x->grad);
        if (x->grad) memset(x->grad, 0, n * sizeof *x->grad);
    }
    return x->grad;
}
// A copy that lives as long as the step, for what a record needs later.
static void *r1i_args(r1_context *ctx, const void *args, size_t bytes) {
    void *copy = r1i_arena_alloc(ctx, &ctx->step, bytes);
    return copy ? memcpy(copy, args, bytes) : NULL;
}
static bool r1i_tape_push(r1_context *ctx, r1i_tape *tape, r1i_record record) {
    if (!r1i_grow(ctx, (void **)&tape->records, &tape->capacity, tape->count + 1, sizeof record))
        return false;
    tape->records[tape->count++] = record;
    return true;
}
// Runs the op forward and leaves a record if a gradient may be asked for. False on error.
// The end of every wrapper. An output wants a gradient when an input does, so the wish runs from
// the parameters up to the loss, and r1_no_grad_begin cuts it at the first op. A wrapper need not
// check its allocations: a NULL in args or out[0] is seen here, and its error is on the context
// already.
static bool r1i_apply(r1_context *ctx, r1i_record record) {
    if (!record.args || !record.out[0] || !r1i_run(ctx, record.op, R1_FORWARD, record.args))
        return false;
    r1i_tape *tape = r1i_tape_of(ctx);
    bool wanted = false;
    for (int i = 0; i < 3; i++) wanted = wanted || (record.in[i] && record.in[i]->wants_grad);
    if (!tape || tape->no_grad || !wanted) return tape != NULL;
    for (int i = 0; i < 2; i++)
        if (record.out[i]) record.out[i]->wants_grad = true;
    return r1i_tape_push(ctx, tape, record);
}
// The first line of every op: NULL in, NULL out, and nothing runs after an error.
static bool r1i_usable(r1_context *ctx, const r1_tensor *a, const r1_tensor *b) {
    return ctx && ctx->status == R1_OK && a && b;
}

// No record: a reshape computes nothing, and a shared gradient needs no backward step.
R1I_BODY r1_tensor *r1_tensor_reshape(r1_context *ctx, r1_tensor *x, int rank,
                                      const size_t *shape) {
    if (!r1i_usable(ctx, x, x)) return NULL;
    r1_tensor *y = r1i_tensor_shell(ctx, rank, shape);
    if (!y) return NULL;
    if (r1_tensor_count(y) != r1_tensor_count(x)) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "reshape: %s and %s differ in elements",
                 r1i_shape_text(x).text, r1i_shape_text(y).text);
        return NULL;
    }
    y->data = x->data;
    y->wants_grad = x->wants_grad;
    // Both names must see one gradient, so it has to exist before they part.
    if (ctx->tape && ctx->tape->no_grad) y->wants_grad = false;
    if (y->wants_grad && !(y->grad = r1i_grad_of(ctx, x))) return NULL;
    return y;
}

// Like most binds: dy is the gradient of the output, which is there, or the record would have been
// passed over; r1i_grad_of gives NULL for an input that wants none, and kernels skip those.
static bool r1i_embed_bind(r1_context *ctx, r1i_record *r) {
    r1_embed_args *a = (r1_embed_args *)r->args;
    a->dy = r->out[0]->grad, a->dtable = r1i_grad_of(ctx, r->in[0]);
    return true;
}
// table [V,C] -> [n,C]. Ids are checked here once, so that no kernel has to.
R1I_BODY r1_tensor *r1_embed(r1_context *ctx, r1_tensor *table, const int32_t *ids, size_t n) {
    if (!r1i_usable(ctx, table, table)) return NULL;
    if (table->rank != 2 || (n && !ids)) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "embed: the table is %s, it must be [V,C], and ids not NULL",
                 r1i_shape_text(table).text);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= table->shape[0]) {
            r1i_fail(ctx, R1_ERROR_ARGUMENT, "embed: id %d at place %zu is not in 0..%zu",
                     (int)ids[i], i, table->shape[0] - 1);
            return NULL;
        }
    r1_tensor *y = r1i_tensor_raw(ctx, 2, (size_t[]){n, table->shape[1]});
    r1_embed_args args = {.T = n,
                          .C = table->shape[1],
                          .V = table->shape[0],
                          .ids = ids,
                          .table = table->data,
                          .y = y ? y->data : NULL};
    return r1i_apply(
               ctx,
               (r1i_record){
                   R1_OP_EMBED, r1i_args(ctx, &args, sizeof args), {table}, {y}, r1i_embed_bind})
               ? y
               : NULL;
}

// in[2] is the bias or NULL; r1i_grad_of takes both.
static bool r1i_matmul_bind(r1_context *ctx, r1i_record *r) {
    r1_matmul_args *a = (r1_matmul_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]);
    a->dw = r1i_grad_of(ctx, r->in[1]), a->dbias = r1i_grad_of(ctx, r->in[2]);
    return true;
}
// The shape of x with its last dimension replaced.
static r1_tensor *r1i_tensor_like(r1_context *ctx, const r1_tensor *x, size_t last) {
    size_t shape[R1_MAX_RANK];
    memcpy(shape, x->shape, sizeof shape);
    shape[x->rank - 1] = last;
    return r1i_tensor_raw(ctx, x->rank, shape);
}
// y [..,O] = x [..,I] w^T + bias [O]. All leading dimensions are rows to the kernel: [B,T,I] and
// [B*T,I] are one product. w is [O,I] as in the files of a model, so a row of w is one output.
R1I_BODY r1_tensor *r1_matmul(r1_context *ctx, r1_tensor *x, r1_tensor *w, r1_tensor *bias) {
    if (!r1i_usable(ctx, x, w)) return NULL;
    if (w->rank != 2 || !w->shape[1] || r1i_last(x) != w->shape[1] ||
        (bias && r1_tensor_count(bias) != w->shape[0])) {
        r1i_fail(
            ctx, R1_ERROR_SHAPE,
            "matmul: x is %s and w is %s; w must be [O,I] with I the last dimension of x, and a "
            "bias [O]",
            r1i_shape_text(x).text, r1i_shape_text(w).text);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_like(ctx, x, w->shape[0]);
    r1_matmul_args args = {.T = r1i_rows_count(x),
                           .I = w->shape[1],
                           .O = w->shape[0],
                           .x = x->data,
                           .w = w->data,
                           .bias = bias ? bias->data : NULL,
                           .y = y ? y->data : NULL};
    return r1i_apply(ctx, (r1i_record){R1_OP_MATMUL,
                                       r1i_args(ctx, &args, sizeof args),
                                       {x, w, bias},
                                       {y},
                                       r1i_matmul_bind})
               ? y
               : NULL;
}

// For add, mul and sum, which has no second input.
static bool r1i_pair_bind(r1_context *ctx, r1i_record *r) {
    r1_pair_args *a = (r1_pair_args *)r->args;
    a->dy = r->out[0]->grad, a->da = r1i_grad_of(ctx, r->in[0]), a->db = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// No broadcasting: shapes are equal or it is an error, since a silent repeat hides mistakes.
static r1_tensor *r1i_pair(r1_context *ctx, r1_op op, r1_tensor *a, r1_tensor *b) {
    if (!r1i_usable(ctx, a, b)) return NULL;
    if (a->rank != b->rank || memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape)) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "%s: shapes %s and %s must be equal", r1i_op_rows[op].name,
                 r1i_shape_text(a).text, r1i_shape_text(b).text);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_like(ctx, a, r1i_last(a));
    r1_pair_args args = {
        .n = r1_tensor_count(a), .a = a->data, .b = b->data, .y = y ? y->data : NULL};
    r1i_record record = {op, r1i_args(ctx, &args, sizeof args), {a, b}, {y}, r1i_pair_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
R1I_BODY r1_tensor *r1_add(r1_context *ctx, r1_tensor *a, r1_tensor *b) {
    return r1i_pair(ctx, R1_OP_ADD, a, b);
}
R1I_BODY r1_tensor *r1_mul(r1_context *ctx, r1_tensor *a, r1_tensor *b) {
    return r1i_pair(ctx, R1_OP_MUL, a, b);
}
// A scalar that r1_backward accepts. x may have any shape.
R1I_BODY r1_tensor *r1_sum(r1_context *ctx, r1_tensor *x) {
    if (!r1i_usable(ctx, x, x)) return NULL;
    r1_tensor *y = r1i_tensor_raw(ctx, 1, (size_t[]){1});
    r1_pair_args args = {.n = r1_tensor_count(x), .a = x->data, .y = y ? y->data : NULL};
    r1i_record record = {R1_OP_SUM, r1i_args(ctx, &args, sizeof args), {x}, {y}, r1i_pair_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}

// dx is that of the whole x; the kernel adds to the columns of this slice.
static bool r1i_slice_bind(r1_context *ctx, r1i_record *r) {
    r1_slice_args *a = (r1_slice_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]);
    return true;
}
// x [..,D] -> [..,count], a copy: tensors are dense, so no op has to know a row stride.
R1I_BODY r1_tensor *r1_columns(r1_context *ctx, r1_tensor *x, size_t from, size_t count) {
    if (!r1i_usable(ctx, x, x)) return NULL;
    if (from > r1i_last(x) || count > r1i_last(x) - from) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "columns: x is %s, columns %zu .. %zu are outside",
                 r1i_shape_text(x).text, from, r1i_size_add(from, count));
        return NULL;
    }
    r1_tensor *y = r1i_tensor_like(ctx, x, count);
    r1_slice_args args = {.N = r1i_rows_count(x),
                          .D = r1i_last(x),
                          .from = from,
                          .count = count,
                          .x = x->data,
                          .y = y ? y->data : NULL};
    r1i_record record = {R1_OP_SLICE, r1i_args(ctx, &args, sizeof args), {x}, {y}, r1i_slice_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// db is [T,W] when b is shared by the heads, and collects from all of them.
static bool r1i_join_bind(r1_context *ctx, r1i_record *r) {
    r1_join_args *a = (r1_join_args *)r->args;
    a->dy = r->out[0]->grad, a->da = r1i_grad_of(ctx, r->in[0]), a->db = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// a [T,H,A], b [T,H,W] or [T,1,W] -> [T,H,A+W].
R1I_BODY r1_tensor *r1_join(r1_context *ctx, r1_tensor *a, r1_tensor *b) {
    if (!r1i_usable(ctx, a, b)) return NULL;
    if (a->rank != 3 || b->rank != 3 || a->shape[0] != b->shape[0] ||
        (b->shape[1] != a->shape[1] && b->shape[1] != 1)) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "join: a is %s and b is %s; a must be [T,H,A] and b [T,H,W] or "
                 "[T,1,W]",
                 r1i_shape_text(a).text, r1i_shape_text(b).text);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_like(ctx, a, a->shape[2] + b->shape[2]);
    r1_join_args args = {.T = a->shape[0],
                         .H = a->shape[1],
                         .A = a->shape[2],
                         .W = b->shape[2],
                         .b_heads = b->shape[1],
                         .a = a->data,
                         .b = b->data,
                         .y = y ? y->data : NULL};
    r1i_record record = {R1_OP_JOIN, r1i_args(ctx, &args, sizeof args), {a, b}, {y}, r1i_join_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}

// dx is done by rows, dgain by columns, in the two directions of the backward pass.
static bool r1i_rmsnorm_bind(r1_context *ctx, r1i_record *r) {
    r1_rmsnorm_args *a = (r1_rmsnorm_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]);
    a->dgain = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// y = x / sqrt(mean(x^2) + eps) gain, a row being the last dimension. scale [T] is all that the
// backward pass needs beyond x and gain: one number a row.
R1I_BODY r1_tensor *r1_rmsnorm(r1_context *ctx, r1_tensor *x, r1_tensor *gain, double eps) {
    if (!r1i_usable(ctx, x, gain)) return NULL;
    if (r1_tensor_count(gain) != r1i_last(x)) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "rmsnorm: x is %s and gain is %s; gain must be [C] with C the "
                 "last dimension of x",
                 r1i_shape_text(x).text, r1i_shape_text(gain).text);
        return NULL;
    }
    size_t T = r1i_rows_count(x);
    r1_tensor *y = r1i_tensor_like(ctx, x, r1i_last(x));
    r1_rmsnorm_args args = {.T = T,
                            .C = r1i_last(x),
                            .eps = (r1i_real)eps,
                            .x = x->data,
                            .gain = gain->data,
                            .y = y ? y->data : NULL};
    args.scale = (r1i_real *)r1i_step_alloc(ctx, T, sizeof *args.scale);
    if (!args.scale) return NULL;
    r1i_record record = {
        R1_OP_RMSNORM, r1i_args(ctx, &args, sizeof args), {x, gain}, {y}, r1i_rmsnorm_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// Of the kernels with two inputs the one that needs a place for both gradients: its inner loop then
// has no branch.
static bool r1i_swiglu_bind(r1_context *ctx, r1i_record *r) {
    r1_swiglu_args *a = (r1_swiglu_args *)r->args;
    a->dy = r->out[0]->grad, a->dgate = r1i_grad_of(ctx, r->in[0]);
    a->dup = r1i_grad_of(ctx, r->in[1]);
    // The kernel writes both; a constant's gradient goes where nobody looks.
    r1i_real **unwanted = !a->dgate ? &a->dgate : !a->dup ? &a->dup : NULL;
    if (unwanted) *unwanted = (r1i_real *)r1i_step_alloc(ctx, a->n, sizeof **unwanted);
    if (unwanted && *unwanted) memset(*unwanted, 0, a->n * sizeof **unwanted);
    return a->dgate && a->dup;
}
// gate, up [..,F] -> [..,F], the hidden layer of an expert or a dense MLP. Elementwise, so rows of
// all experts go through one call.
R1I_BODY r1_tensor *r1_swiglu(r1_context *ctx, r1_tensor *gate, r1_tensor *up) {
    if (!r1i_usable(ctx, gate, up)) return NULL;
    if (r1_tensor_count(gate) != r1_tensor_count(up)) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "swiglu: gate is %s and up is %s; shapes must be equal",
                 r1i_shape_text(gate).text, r1i_shape_text(up).text);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_like(ctx, gate, r1i_last(gate));
    r1_swiglu_args args = {
        .n = r1_tensor_count(gate), .gate = gate->data, .up = up->data, .y = y ? y->data : NULL};
    r1i_record record = {
        R1_OP_SWIGLU, r1i_args(ctx, &args, sizeof args), {gate, up}, {y}, r1i_swiglu_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// Angles have no gradient; positions and table are read again through the pointers of the call.
static bool r1i_rope_bind(r1_context *ctx, r1i_record *r) {
    r1_rope_args *a = (r1_rope_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]);
    return true;
}
// x [T,H,D] -> [T,H,D]. Positions are checked against the table here, so that no kernel has to.
// They come from the caller, because packed sequences start again at 0 and cached ones go on.
R1I_BODY r1_tensor *r1_rope(r1_context *ctx, r1_tensor *x, const int32_t *positions,
                            const r1_rope_table *table, bool halves) {
    if (!r1i_usable(ctx, x, x) || !table) return NULL;
    if (x->rank != 3 || x->shape[2] != table->D || table->D % 2 || !positions) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "rope: x is %s; it must be [T,H,D] with an even D of %zu, as the "
                 "table has",
                 r1i_shape_text(x).text, table->D);
        return NULL;
    }
    for (size_t t = 0; t < x->shape[0]; t++)
        if (positions[t] < 0 || (size_t)positions[t] >= table->n) {
            r1i_fail(ctx, R1_ERROR_ARGUMENT,
                     "rope: position %d of row %zu is not in 0..%zu; raise "
                     "max_tokens of the model",
                     (int)positions[t], t, table->n - 1);
            return NULL;
        }
    r1_tensor *y = r1i_tensor_like(ctx, x, x->shape[2]);
    r1_rope_args args = {.T = x->shape[0],
                         .H = x->shape[1],
                         .D = x->shape[2],
                         .halves = halves,
                         .positions = positions,
                         .cosine = table->cosine,
                         .sine = table->sine,
                         .x = x->data,
                         .y = y ? y->data : NULL};
    r1i_record record = {R1_OP_ROPE, r1i_args(ctx, &args, sizeof args), {x}, {y}, r1i_rope_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}

// Whether starts rise from 0 to T over B sequences, one at least.
// The one check that keeps every kernel inside of a packed batch. Empty sequences are allowed.
//   starts = 0 4 4 6, T = 6:  | 0 1 2 3 | (none) | 4 5 |
static bool r1i_starts_rise(const size_t *starts, size_t B, size_t T) {
    if (!starts || !B || starts[0] != 0 || starts[B] != T) return false;
    for (size_t b = 0; b < B; b++)
        if (starts[b] > starts[b + 1]) return false;
    return true;
}
// The output goes in as y_in: its product with dy is the mean that softmax needs, see
// r1i_attention_tile_back.
static bool r1i_attention_bind(r1_context *ctx, r1i_record *r) {
    r1_attention_args *a = (r1_attention_args *)r->args;
    a->dy = r->out[0]->grad, a->y_in = r->out[0]->data, a->dq = r1i_grad_of(ctx, r->in[0]);
    a->dk = r1i_grad_of(ctx, r->in[1]), a->dv = r1i_grad_of(ctx, r->in[2]);
    return true;
}
// starts is copied, because a caller's array may be gone by the backward pass. stats [T,H,2] is
// what is kept of the softmax: memory grows with T, not with T^2.
R1I_BODY r1_tensor *r1_attention(r1_context *ctx, r1_tensor *q, r1_tensor *k, r1_tensor *v,
                                 const size_t *starts, size_t B, double scale) {
    if (!r1i_usable(ctx, q, k) || !v) return NULL;
    bool fits = q->rank == 3 && k->rank == 3 && v->rank == 3 && q->shape[2] == k->shape[2] &&
                q->shape[0] == k->shape[0] && q->shape[0] == v->shape[0] &&
                k->shape[1] == v->shape[1] && k->shape[1] && q->shape[1] % k->shape[1] == 0;
    if (!fits || !r1i_starts_rise(starts, B, q->shape[0])) {
        r1i_fail(
            ctx, R1_ERROR_SHAPE,
            "attention: q is %s, k is %s, v is %s; they must be [T,H,D], [T,Hk,D], [T,Hk,W] with H "
            "a multiple of Hk, and starts must rise from 0 to T",
            r1i_shape_text(q).text, r1i_shape_text(k).text, r1i_shape_text(v).text);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_raw(ctx, 3, (size_t[]){q->shape[0], q->shape[1], v->shape[2]});
    r1_attention_args args = {.B = B,
                              .H = q->shape[1],
                              .Hk = k->shape[1],
                              .D = q->shape[2],
                              .W = v->shape[2],
                              .scale = (r1i_real)scale,
                              .q = q->data,
                              .k = k->data,
                              .v = v->data,
                              .y = y ? y->data : NULL};
    args.starts = (size_t *)r1i_args(ctx, starts, (B + 1) * sizeof *starts);
    args.stats = (r1i_real *)r1i_step_alloc(ctx, q->shape[0] * q->shape[1], 2 * sizeof *args.stats);
    if (!args.stats || !args.starts) return NULL;
    r1i_record record = {
        R1_OP_ATTENTION, r1i_args(ctx, &args, sizeof args), {q, k, v}, {y}, r1i_attention_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}

// dw is the gradient of all of w; the kernel adds to rows from .. from + count of each head.
static bool r1i_head_matmul_bind(r1_context *ctx, r1i_record *r) {
    r1_head_matmul_args *a = (r1_head_matmul_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]), a->dw = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// Two calls on one w make the absorbed form: up with the key rows turns a query into the latent
// space, down with the value rows brings a latent context back, and no key or value of a head is
// ever formed.   w [H,P,Q] with P = nope + value rows, Q = kv_rank.
R1I_BODY r1_tensor *r1_head_matmul(r1_context *ctx, r1_tensor *x, r1_tensor *w, size_t from,
                                   size_t count, bool up) {
    if (!r1i_usable(ctx, x, w)) return NULL;
    bool fits = x->rank == 3 && w->rank == 3 && x->shape[1] == w->shape[0] && from <= w->shape[1] &&
                count <= w->shape[1] - from && x->shape[2] == (up ? count : w->shape[2]);
    if (!fits) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "head_matmul: x is %s, w is %s, rows %zu .. %zu; x must be "
                 "[T,H,%s]",
                 r1i_shape_text(x).text, r1i_shape_text(w).text, from, r1i_size_add(from, count),
                 up ? "count" : "Q");
        return NULL;
    }
    r1_tensor *y = r1i_tensor_like(ctx, x, up ? w->shape[2] : count);
    r1_head_matmul_args args = {.T = x->shape[0],
                                .H = w->shape[0],
                                .P = w->shape[1],
                                .Q = w->shape[2],
                                .from = from,
                                .count = count,
                                .up = up,
                                .x = x->data,
                                .w = w->data,
                                .y = y ? y->data : NULL};
    r1i_record record = {
        R1_OP_HEAD_MATMUL, r1i_args(ctx, &args, sizeof args), {x, w}, {y}, r1i_head_matmul_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}

// Two outputs, and either may be reached alone: the gates by the experts' sum, the scores by the
// balance loss. A missing dgates is made as zeros, a missing dscores is NULL and skipped.
static bool r1i_route_bind(r1_context *ctx, r1i_record *r) {
    r1_route_args *a = (r1_route_args *)r->args;
    a->dgates = r1i_grad_of(ctx, r->out[1]), a->dscores = r->out[0]->grad;
    a->dlogits = r1i_grad_of(ctx, r->in[0]);
    return a->dgates && a->dlogits;
}
// Where each choice goes when rows are sorted by expert, then token.
// A counting sort, stable, so tokens ascend inside an expert; the order is a function of the choice
// alone. choice i = t K + k goes to row[i], and token[row[i]] = t. For choices 2 0 0 2, K = 1:
//   offsets after counting   0 2 2 4     row   2 0 1 3     token   1 2 0 3
static void r1i_routing_sort(r1_routing *routing) {
    size_t n = routing->T * routing->K;
    for (size_t e = 0; e <= routing->E; e++) routing->offsets[e] = 0;
    for (size_t i = 0; i < n; i++) routing->offsets[routing->choice[i] + 1]++;
    for (size_t e = 0; e < routing->E; e++) routing->offsets[e + 1] += routing->offsets[e];
    for (size_t i = 0; i < n; i++) { // offsets[e] runs to the end of e, and is moved back below
        size_t row = routing->offsets[routing->choice[i]]++;
        routing->row[i] = (int32_t)row;
        routing->token[row] = (int32_t)(i / routing->K);
    }
    for (size_t e = routing->E; e > 0; e--) routing->offsets[e] = routing->offsets[e - 1];
    routing->offsets[0] = 0;
}
// All of it dies with the step. int32 is enough for T K, which r1_route checks.
static r1_routing *r1i_routing_new(r1_context *ctx, size_t T, size_t E, size_t K) {
    r1_routing *routing = (r1_routing *)r1i_step_alloc(ctx, 1, sizeof *routing);
    if (!routing) return NULL;
    size_t n = r1i_size_mul(T, K);
    *routing = (r1_routing){.T = T, .E = E, .K = K};
    routing->scores = r1i_tensor_raw(ctx, 2, (size_t[]){T, E});
    routing->gates = r1i_tensor_raw(ctx, 2, (size_t[]){T, K});
    routing->choice = (int32_t *)r1i_step_alloc(ctx, n, sizeof *routing->choice);
    routing->row = (int32_t *)r1i_step_alloc(ctx, n, sizeof *routing->row);
    routing->token = (int32_t *)r1i_step_alloc(ctx, n, sizeof *routing->token);
    routing->offsets = (size_t *)r1i_step_alloc(ctx, E + 1, sizeof *routing->offsets);
    return ctx->status == R1_OK ? routing : NULL;
}
// The sort runs on the caller after the op: it is small, and its order must not be a race. A replay
// is checked, since it may come from a file, and copied into `choice` before the kernel reads it.
R1I_BODY r1_routing *r1_route(r1_context *ctx, r1_tensor *logits, const r1i_real *bias,
                              const r1_route_desc *desc, const int32_t *replay) {
    if (!r1i_usable(ctx, logits, logits) || !desc) return NULL;
    size_t T = logits->shape[0], E = r1i_last(logits), K = desc->chosen;
    size_t groups = desc->groups ? desc->groups : 1, kept = desc->kept ? desc->kept : groups;
    if (logits->rank != 2 || K < 1 || E % groups || kept > groups || K > E / groups * kept ||
        T * K > INT32_MAX) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "route: %zu of %zu experts in %zu groups, %zu kept; the groups must divide the "
                 "experts and the kept ones must hold enough",
                 K, E, groups, kept);
        return NULL;
    }
    r1_routing *routing = r1i_routing_new(ctx, T, E, K);
    if (!routing) return NULL;
    r1_route_args args = {.T = T,
                          .E = E,
                          .K = K,
                          .groups = groups,
                          .kept = kept,
                          .scale = (r1i_real)(desc->scale != 0 ? desc->scale : 1),
                          .normalise = desc->normalise,
                          .softmax = desc->softmax,
                          .replay = replay != NULL,
                          .logits = logits->data,
                          .bias = bias,
                          .scores = routing->scores->data,
                          .gates = routing->gates->data,
                          .choice = routing->choice};
    for (size_t i = 0; replay && i < T * K; i++) {
        routing->choice[i] = replay[i];
        bool rises = i % K == 0 || replay[i] > replay[i - 1];
        if (replay[i] >= 0 && (size_t)replay[i] < E && rises) continue;
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "route: replayed expert %d is not in 0..%zu, or does not rise", (int)replay[i],
                 E - 1);
        return NULL;
    }
    r1i_record record = {R1_OP_ROUTE,
                         r1i_args(ctx, &args, sizeof args),
                         {logits},
                         {routing->scores, routing->gates},
                         r1i_route_bind};
    if (!r1i_apply(ctx, record)) return NULL;
    r1i_routing_sort(routing);
    return routing;
}

// For dispatch, which has no gates, and combine.
static bool r1i_scatter_bind(r1_context *ctx, r1i_record *r) {
    r1_scatter_args *a = (r1_scatter_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]);
    a->dgates = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// x [T,C] -> [T*K,C], a row for each choice; every expert's rows then lie together, so that its
// product is a plain one.
R1I_BODY r1_tensor *r1_dispatch(r1_context *ctx, r1_tensor *x, const r1_routing *routing) {
    if (!r1i_usable(ctx, x, x) || !routing) return NULL;
    if (x->rank != 2 || x->shape[0] != routing->T) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "dispatch: x is %s, the routing has %zu tokens",
                 r1i_shape_text(x).text, routing->T);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_raw(ctx, 2, (size_t[]){routing->T * routing->K, x->shape[1]});
    r1_scatter_args args = {.T = routing->T,
                            .K = routing->K,
                            .C = x->shape[1],
                            .token = routing->token,
                            .row = routing->row,
                            .x = x->data,
                            .y = y ? y->data : NULL};
    r1i_record record = {
        R1_OP_DISPATCH, r1i_args(ctx, &args, sizeof args), {x}, {y}, r1i_scatter_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// The inverse of r1_dispatch, weighted: x [T*K,C], gates [T,K] -> [T,C]. The gates are an input, so
// the router learns through them.
R1I_BODY r1_tensor *r1_combine(r1_context *ctx, r1_tensor *x, const r1_routing *routing) {
    if (!r1i_usable(ctx, x, x) || !routing) return NULL;
    if (x->rank != 2 || x->shape[0] != routing->T * routing->K) {
        r1i_fail(ctx, R1_ERROR_SHAPE, "combine: x is %s, the routing has %zu rows",
                 r1i_shape_text(x).text, routing->T * routing->K);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_raw(ctx, 2, (size_t[]){routing->T, x->shape[1]});
    r1_scatter_args args = {.T = routing->T,
                            .K = routing->K,
                            .C = x->shape[1],
                            .token = routing->token,
                            .row = routing->row,
                            .x = x->data,
                            .gates = routing->gates->data,
                            .y = y ? y->data : NULL};
    r1i_record record = {R1_OP_COMBINE,
                         r1i_args(ctx, &args, sizeof args),
                         {x, routing->gates},
                         {y},
                         r1i_scatter_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// dw [E,O,I]: the matrix of an expert without rows is not touched.
static bool r1i_expert_matmul_bind(r1_context *ctx, r1i_record *r) {
    r1_expert_matmul_args *a = (r1_expert_matmul_args *)r->args;
    a->dy = r->out[0]->grad, a->dx = r1i_grad_of(ctx, r->in[0]), a->dw = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// Row r of x goes through the matrix of the expert that owns r. No capacity and no dropping: an
// expert may own any number of rows.   Source: V3 section 2.1.2.
R1I_BODY r1_tensor *r1_expert_matmul(r1_context *ctx, r1_tensor *x, r1_tensor *w,
                                     const r1_routing *routing) {
    if (!r1i_usable(ctx, x, w) || !routing) return NULL;
    if (x->rank != 2 || w->rank != 3 || x->shape[0] != routing->T * routing->K ||
        w->shape[0] != routing->E || w->shape[2] != x->shape[1]) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "expert_matmul: x is %s and w is %s; they must be [%zu,I] and "
                 "[%zu,O,I]",
                 r1i_shape_text(x).text, r1i_shape_text(w).text, routing->T * routing->K,
                 routing->E);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_raw(ctx, 2, (size_t[]){x->shape[0], w->shape[1]});
    r1_expert_matmul_args args = {.N = x->shape[0],
                                  .I = w->shape[2],
                                  .O = w->shape[1],
                                  .E = w->shape[0],
                                  .offsets = routing->offsets,
                                  .x = x->data,
                                  .w = w->data,
                                  .y = y ? y->data : NULL};
    r1i_record record = {R1_OP_EXPERT_MATMUL,
                         r1i_args(ctx, &args, sizeof args),
                         {x, w},
                         {y},
                         r1i_expert_matmul_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// The choice has no gradient, and the weights are constants.
static bool r1i_balance_bind(r1_context *ctx, r1i_record *r) {
    r1_balance_args *a = (r1_balance_args *)r->args;
    a->dy = r->out[0]->grad, a->dscores = r1i_grad_of(ctx, r->in[0]);
    return a->dscores != NULL;
}
// -> [B], one loss a sequence. The caller adds or seeds them: with r1_seed the balance loss joins a
// policy loss in one backward pass.
R1I_BODY r1_tensor *r1_balance(r1_context *ctx, const r1_routing *routing, const size_t *starts,
                               size_t B, const r1i_real *weight) {
    if (!routing || !r1i_usable(ctx, routing->scores, routing->scores) || !starts || !weight)
        return NULL;
    if (!r1i_starts_rise(starts, B, routing->T)) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "balance: starts must rise from 0 to the %zu tokens of the routing", routing->T);
        return NULL;
    }
    r1_tensor *y = r1i_tensor_raw(ctx, 1, (size_t[]){B});
    r1_balance_args args = {.B = B,
                            .E = routing->E,
                            .K = routing->K,
                            .choice = routing->choice,
                            .scores = routing->scores->data,
                            .y = y ? y->data : NULL};
    args.starts = (size_t *)r1i_args(ctx, starts, (B + 1) * sizeof *starts);
    args.weight = (r1i_real *)r1i_args(ctx, weight, B * sizeof *weight);
    if (!args.starts || !args.weight) return NULL;
    r1i_record record = {
        R1_OP_BALANCE, r1i_args(ctx, &args, sizeof args), {routing->scores}, {y}, r1i_balance_bind};
    return r1i_apply(ctx, record) ? y : NULL;
}
// entropy and best are reports and no outputs of the record: no gradient comes from them.
static bool r1i_logprob_bind(r1_context *ctx, r1i_record *r) {
    r1_logprob_args *a = (r1_logprob_args *)r->args;
    a->dlogp = r->out[0]->grad, a->dhidden = r1i_grad_of(ctx, r->in[0]);
    a->dhead = r1i_grad_of(ctx, r->in[1]);
    return true;
}
// hidden [T,C], head [V,C] -> logp, entropy, best, [T] each. Head and softmax are one op, so that
// the [T,V] logits need not exist: at V = 129,280 a row alone is 505 KiB. stats [T,2] is kept.
R1I_BODY r1_logprobs *r1_logprob(r1_context *ctx, r1_tensor *hidden, r1_tensor *head,
                                 const int32_t *targets, double temperature) {
    if (!r1i_usable(ctx, hidden, head) || !targets) return NULL;
    if (hidden->rank != 2 || head->rank != 2 || hidden->shape[1] != head->shape[1]) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "logprob: hidden is %s and head is %s; they must be [T,C] and "
                 "[V,C]",
                 r1i_shape_text(hidden).text, r1i_shape_text(head).text);
        return NULL;
    }
    size_t T = hidden->shape[0];
    for (size_t t = 0; t < T; t++)
        if (targets[t] < 0 || (size_t)targets[t] >= head->shape[0]) {
            r1i_fail(ctx, R1_ERROR_ARGUMENT, "logprob: target %d at row %zu is not in 0..%zu",
                     (int)targets[t], t, head->shape[0] - 1);
            return NULL;
        }
    r1_logprobs *out = (r1_logprobs *)r1i_step_alloc(ctx, 1, sizeof *out);
    if (!out) return NULL;
    out->logp = r1i_tensor_raw(ctx, 1, &T), out->entropy = r1i_tensor_raw(ctx, 1, &T);
    out->best = (int32_t *)r1i_step_alloc(ctx, T, sizeof *out->best);
    r1_logprob_args args = {.T = T,
                            .C = head->shape[1],
                            .V = head->shape[0],
                            .inverse_temperature =
                                (r1i_real)(temperature != 0 ? 1 / temperature : 1),
                            .targets = targets,
                            .hidden = hidden->data,
                            .head = head->data};
    args.stats = (r1i_real *)r1i_step_alloc(ctx, T, 2 * sizeof *args.stats);
    if (ctx->status != R1_OK) return NULL;
    args.logp = out->logp->data, args.entropy = out->entropy->data, args.best = out->best;
    r1i_record record = {R1_OP_LOGPROB,
                         r1i_args(ctx, &args, sizeof args),
                         {hidden, head},
                         {out->logp},
                         r1i_logprob_bind};
    return r1i_apply(ctx, record) ? out : NULL;
}

// The gradient of a sum of terms is the sum of theirs, so several outputs are seeded one after the
// other and walked once.
R1I_BODY void r1_seed(r1_context *ctx, r1_tensor *y, const r1i_real *dy) {
    if (!r1i_usable(ctx, y, y) || !dy || !y->wants_grad) return;
    r1i_real *grad = r1i_grad_of(ctx, y);
    for (size_t i = 0; grad && i < r1_tensor_count(y); i++) grad[i] += dy[i];
}
// Last record first, R1_BACKWARD before R1_BACKWARD_SHARED: each gradient is a chain in an order
// that the records fix. A record that no gradient has reached is passed over. A second
// pass would add the gradients of inner tensors once more, so it is refused.
R1I_BODY void r1_backward_from(r1_context *ctx, r1_tensor *y, const r1i_real *dy) {
    if (!r1i_usable(ctx, y, y) || !dy || !y->wants_grad || !ctx->tape) return;
    if (ctx->tape->walked[ctx->tape->depth]) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "backward: this step has had its backward pass; open a step for "
                 "each, or r1_seed the other outputs first");
        return;
    }
    ctx->tape->walked[ctx->tape->depth] = true;
    r1_seed(ctx, y, dy);
    size_t first = ctx->tape->depth ? ctx->tape->counts[ctx->tape->depth - 1] : 0;
    for (size_t i = ctx->tape->count; i > first && ctx->status == R1_OK; i--) {
        r1i_record *record = &ctx->tape->records[i - 1];
        bool reached = record->out[0]->grad || (record->out[1] && record->out[1]->grad);
        if (!reached || !record->bind(ctx, record)) continue;
        r1i_run(ctx, record->op, R1_BACKWARD, record->args);
        r1i_run(ctx, record->op, R1_BACKWARD_SHARED, record->args);
    }
}
// d y / d y = 1. The sign is the caller's: y is what shall become small.
R1I_BODY void r1_backward(r1_context *ctx, r1_tensor *y) {
    r1i_real one = 1;
    if (!r1i_usable(ctx, y, y)) return;
    if (r1_tensor_count(y) != 1) {
        r1i_fail(ctx, R1_ERROR_SHAPE,
                 "backward: y is %s; it must have one element, or use "
                 "r1_backward_from",
                 r1i_shape_text(y).text);
        return;
    }
    r1_backward_from(ctx, y, &one);
}
R1I_BODY void r1_no_grad_begin(r1_context *ctx) {
    r1i_tape *tape = ctx ? r1i_tape_of(ctx) : NULL;
    if (tape) tape->no_grad++;
}
R1I_BODY void r1_no_grad_end(r1_context *ctx) {
    if (ctx && ctx->tape && ctx->tape->no_grad > 0) ctx->tape->no_grad--;
}
// One value for the differences: without records, in a step of its own, so that 2 n of them need
// no more memory than one.
static double r1i_loss_value(r1_context *ctx, r1_loss_fn *loss, void *arg) {
    r1_step_begin(ctx);
    r1_no_grad_begin(ctx);
    r1_tensor *y = loss(ctx, arg);
    double value = y ? (double)y->data[0] : NAN;
    r1_no_grad_end(ctx);
    r1_step_end(ctx);
    return value;
}
// slope = (f(w + h) - f(w - h)) / 2 h is off by O(h^2) from the truth and by about eps / h from
// rounding: in double, h near 1e-5 leaves 1e-10. Two forward passes an element: for small models.
R1I_BODY double r1_grad_check(r1_context *ctx, r1_loss_fn *loss, void *arg, r1_tensor **parameters,
                              size_t n, double h) {
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        memset(parameters[i]->grad, 0, r1_tensor_count(parameters[i]) * sizeof(r1i_real));
    r1_step_begin(ctx);
    r1_backward(ctx, loss(ctx, arg));
    r1_step_end(ctx);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < r1_tensor_count(parameters[i]); j++) {
            r1i_real *w = parameters[i]->data + j, old = *w;
            *w = old + (r1i_real)h;
            double up = r1i_loss_value(ctx, loss, arg);
            *w = old - (r1i_real)h;
            double slope = (up - r1i_loss_value(ctx, loss, arg)) / (2 * h);
            *w = old;
            double error = fabs(slope - (double)parameters[i]->grad[j]) / (1 + fabs(slope));
            if (!(error <= worst)) worst = error;
        }
    return r1_status_of(ctx) == R1_OK ? worst : HUGE_VAL;
}

// ==== [optimizer] ================================================================================
// AdamW, gradient clipping and schedules, on ranges of flat buffers. Calls [base] and [backend].
// Numbers in one partial sum of the norm. It fixes the order of the sum: part of the arithmetic.
enum { R1I_NORM_CHUNK = 4096 };

// sqrt(sum g^2): in each chunk 16 lanes by i mod 16 and the fixed tree over them, chunks one after
// the other. The squares of floats neither overflow nor vanish in double, so a float gradient has a
// norm that is not finite exactly when one of its numbers is not.
R1I_BODY double r1_grad_norm(r1_context *ctx, const r1_range *ranges, size_t n) {
    double total = 0;
    (void)ctx;
    r1i_float_state state = r1i_float_enter();
    for (size_t r = 0; r < n; r++)
        for (size_t at = 0; at < ranges[r].n; at += R1I_NORM_CHUNK) {
            double lane[R1I_LANES] = {0};
            size_t end = r1i_min(ranges[r].n, at + R1I_NORM_CHUNK);
            for (size_t i = at; i < end; i++) {
                double g = (double)ranges[r].g[i];
                lane[i % R1I_LANES] = fma(g, g, lane[i % R1I_LANES]);
            }
            for (int width = 8; width; width /= 2)
                for (int l = 0; l < width; l++) lane[l] += lane[l + width];
            total += lane[0];
        }
    r1i_float_leave(state);
    return sqrt(total);
}
// Zero means the default; R1_OFF passes through, and whoever uses the value reads it as "none".
static double r1i_default(double value, double otherwise) { return value == 0 ? otherwise : value; }

// With c = min(1, clip_norm / norm), t = step, and gradients g' = c g:
//   m = beta1 m + (1 - beta1) g'     v = beta2 v + (1 - beta2) g'^2
//   w -= lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + decay w)
// The norm is that of all ranges together and is known before the first weight moves: only so can
// a gradient that is not finite leave everything as it was.
R1I_PLAIN R1I_BODY double r1_adamw_step(r1_context *ctx, const r1_range *ranges, size_t n,
                                        const r1_adamw_desc *desc, double lr, uint64_t step) {
    r1_adamw_desc d = {0};
    if (desc) d = *desc;
    d.beta1 = r1i_default(d.beta1, 0.9), d.beta2 = r1i_default(d.beta2, 0.95);
    d.eps = r1i_default(d.eps, 1e-8), d.decay = r1i_default(d.decay, 0.1);
    d.clip_norm = r1i_default(d.clip_norm, 1);
    bool ready = step > 0;
    for (size_t r = 0; r < n; r++)
        ready =
            ready && (!ranges[r].n || (ranges[r].w && ranges[r].g && ranges[r].m && ranges[r].v));
    if (!ready) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "adamw: step %llu must count from 1, and the moments must exist "
                 "(r1_model_train_ready)",
                 (unsigned long long)step);
        return 0;
    }
    double norm = r1_grad_norm(ctx, ranges, n);
    if (!(norm - norm == 0) || !(lr - lr == 0)) {
        r1i_fail(
            ctx, R1_ERROR_NUMBER,
            "adamw: the gradient norm is %g and the learning rate %g at step %llu; nothing was "
            "changed",
            norm, lr, (unsigned long long)step);
        return norm;
    }
    double clip = d.clip_norm > 0 && norm > d.clip_norm ? d.clip_norm / norm : 1;
    // beta^t by our own exp and log: the pow of two C libraries may differ in the last bit.
    double log1 = r1i_log_double(d.beta1), log2 = r1i_log_double(d.beta2);
    for (size_t r = 0; r < n; r++) {
        const r1_range *range = &ranges[r];
        r1_adamw_args args = {.n = range->n,
                              .w = range->w,
                              .m = range->m,
                              .v = range->v,
                              .g = range->g,
                              .lr = (r1i_real)lr,
                              .beta1 = (r1i_real)d.beta1,
                              .beta2 = (r1i_real)d.beta2,
                              .eps = (r1i_real)d.eps,
                              .decay = (r1i_real)(range->decayed && d.decay > 0 ? d.decay : 0),
                              .clip = (r1i_real)clip,
                              .correction1 = (r1i_real)(1 - r1i_exp_double(log1 * (double)step)),
                              .correction2 = (r1i_real)(1 - r1i_exp_double(log2 * (double)step))};
        r1i_run(ctx, R1_OP_ADAMW, R1_FORWARD, &args);
    }
    return norm;
}
R1I_PLAIN R1I_BODY double r1_schedule_value(const r1_schedule *s, uint64_t step) {
    if (step < s->warmup) return s->peak * (double)step / (double)s->warmup;
    uint64_t hold = s->hold > s->warmup ? s->hold : s->warmup;
    if (s->kind == R1_CONSTANT || !s->steps || step <= hold) return s->peak;
    double left = 0; // 1 at the end of the plateau, 0 at the last step
    if (step < s->steps) left = (double)(s->steps - step) / (double)(s->steps - hold);
    if (s->kind == R1_COSINE) {
        double sine, cosine;
        r1i_sin_cos(3.14159265358979323846 * (1 - left), &sine, &cosine);
        left = 0.5 * (1 + cosine);
    }
    return s->peak * (s->floor + (1 - s->floor) * left);
}

// ==== [json] =====================================================================================
// Reads and writes JSON (RFC 8259), bounded and strict. Calls [base]. Numbers reach the C library
// only as "digits e exponent", and the printed separator is replaced, so no locale can show.

// Sorting by a number, then by `compare`. Merge sort: n log n for whatever keys an attacker chose.
typedef struct r1i_ranked {
    uint64_t rank;
    const void *item;
} r1i_ranked;
typedef int r1i_compare_fn(const void *a, const void *b);

// The order of the sort: the rank decides, and only equal ranks pay for a look at the items.
static int r1i_ranked_compare(r1i_ranked a, r1i_ranked b, r1i_compare_fn *compare) {
    if (a.rank != b.rank) return a.rank < b.rank ? -1 : 1;
    return compare(a.item, b.item);
}
// Stable. `spare` holds n items too.
static void r1i_sort(r1i_ranked *items, r1i_ranked *spare, size_t n, r1i_compare_fn *compare) {
    if (n < 2) return;
    size_t half = n / 2, a = 0, b = half;
    r1i_sort(items, spare, half, compare);
    r1i_sort(items + half, spare, n - half, compare);
    for (size_t i = 0; i < n; i++) {
        bool left = b == n || (a < half && r1i_ranked_compare(items[a], items[b], compare) <= 0);
        spare[i] = left ? items[a++] : items[b++];
    }
    memcpy(items, spare, n * sizeof *items);
}

// Bytes of the UTF-8 character at p, of at most `left`; 0 when it is not one.
static size_t r1i_utf8_size(const unsigned char *p, size_t left) {
    if (!left) return 0;
    if (p[0] < 0x80) return 1;
    size_t size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < size) return 0;
    for (size_t i = 1; i < size; i++)
        if ((p[i] & 0xc0u) != 0x80u) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0; // longer than needed
    if (p[0] == 0xed && p[1] > 0x9f) return 0; // a surrogate
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0; // beyond U+10FFFF
    return size;
}
// Whether all of the text is UTF-8. The empty text is.
R1I_UNUSED static bool r1i_utf8_valid(const char *text, size_t size) {
    for (size_t at = 0, step; at < size; at += step) {
        step = r1i_utf8_size((const unsigned char *)text + at, size - at);
        if (!step) return false;
    }
    return true;
}
// Writes a code point, which is no surrogate, and returns its size.
static size_t r1i_utf8_write(uint32_t code, char dst[4]) {
    static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size; i > 1; i--, code >>= 6) dst[i - 1] = (char)(0x80u | (code & 0x3fu));
    dst[0] = (char)(lead[size] | code);
    return size;
}

// The double nearest to a decimal number of checked form: -12.5e+3. Its digits are rewritten as an
// integer with an exponent, which strtod reads alike in every locale. 800 digits decide any tie;
// what lies behind them only matters for being zero or not.
static double r1i_decimal(const char *text, size_t size) {
    enum { DIGITS = 800 };
    char digits[DIGITS + 32];
    size_t used = 0, at = 0;
    int64_t exponent = 0, written = 0;
    bool point = false, beyond = false, negative = false;
    if (size && text[0] == '-') digits[used++] = '-', at++;
    for (; at < size && text[at] != 'e' && text[at] != 'E'; at++) {
        if (text[at] == '.') {
            point = true;
            continue;
        }
        bool kept = used < DIGITS;
        if (kept && (text[at] != '0' || used > 1 || (used == 1 && digits[0] != '-')))
            digits[used++] = text[at];
        if (!kept && text[at] != '0') beyond = true;
        exponent += (kept ? 0 : 1) - (point ? 1 : 0);
    }
    if (at < size) at++;
    if (at < size && (text[at] == '-' || text[at] == '+')) negative = text[at++] == '-';
    for (; at < size; at++)
        if (written < (int64_t)1 << 50) written = written * 10 + (text[at] - '0');
    exponent += negative ? -written : written;
    if (used == 0 || (used == 1 && digits[0] == '-')) digits[used++] = '0';
    if (beyond) digits[used++] = '1', exponent--;
    if (used <= 15 && exponent == 0) { // most numbers of most files, without the long way
        double integer = 0;
        for (at = digits[0] == '-'; at < used; at++) integer = integer * 10 + (digits[at] - '0');
        return digits[0] == '-' ? -integer : integer;
    }
    snprintf(digits + used, sizeof digits - used, "e%lld", (long long)exponent);
    return strtod(digits, NULL);
}

enum { R1I_DECIMAL_BYTES = 32 };
// The shortest of 15, 16 and 17 digits that is the same double. x is finite.
static void r1i_print_decimal(double x, char dst[R1I_DECIMAL_BYTES]) {
    for (int digits = 15; digits <= 17; digits++) {
        size_t size = (size_t)snprintf(dst, R1I_DECIMAL_BYTES, "%.*g", digits, x), used = 0;
        for (size_t i = 0; i < size; i++) {
            bool plain =
                (dst[i] >= '0' && dst[i] <= '9') || dst[i] == '-' || dst[i] == '+' || dst[i] == 'e';
            if (plain)
                dst[used++] = dst[i];
            else if (used && dst[used - 1] != '.') // a locale's separator, of one or more bytes
                dst[used++] = '.';
        }
        dst[used] = 0;
        if (r1i_decimal(dst, used) == x) return;
    }
}

typedef struct r1i_json_document {
    r1_json root;    // first, so that the root's address frees all
    r1i_arena arena; // nodes; the decoded texts stand behind the document itself
} r1i_json_document;

// The state of one reading. The first problem ends it, so no state after a problem matters.
typedef struct r1i_json_reader {
    r1_context *ctx;
    r1i_json_document *document;
    const unsigned char *text;
    size_t size, at;
    int depth;
    char *decoded; // no decoded text is longer than its source with the separator behind it
    r1_json *nodes;
    size_t left, batch; // nodes that remain of the newest batch, and its size
    const char *problem;
    size_t problem_at;
} r1i_json_reader;

static bool r1i_json_value(r1i_json_reader *reader, r1_json *node);

// Notes what is wrong at this byte. Returns false, so that a caller can return it on.
static bool r1i_json_refuse(r1i_json_reader *reader, size_t at, const char *problem) {
    reader->problem = problem;
    reader->problem_at = at;
    return false;
}
// The next byte, or -1 at the end, which no grammar rule accepts.
static int r1i_json_peek(const r1i_json_reader *reader) {
    return reader->at < reader->size ? reader->text[reader->at] : -1;
}
// Steps over the next byte if it is the wanted one.
static bool r1i_json_take(r1i_json_reader *reader, int wanted) {
    if (r1i_json_peek(reader) != wanted) return false;
    reader->at++;
    return true;
}
// Steps over white space: these four characters and no others, whatever a locale says.
static void r1i_json_skip(r1i_json_reader *reader) {
    for (int c; (c = r1i_json_peek(reader)) == ' ' || c == '\n' || c == '\r' || c == '\t';)
        reader->at++;
}
// A fresh node. Batches grow with the document, so small ones stay small and large ones are few
// allocations.
static r1_json *r1i_json_node(r1i_json_reader *reader) {
    if (!reader->left) {
        reader->batch = r1i_min(r1i_max(reader->batch * 2, 16), 4096);
        reader->nodes = (r1_json *)r1i_arena_alloc(reader->ctx, &reader->document->arena,
                                                   reader->batch * sizeof *reader->nodes);
        if (!reader->nodes) return NULL;
        reader->left = reader->batch;
    }
    reader->left--;
    *reader->nodes = (r1_json){0};
    return reader->nodes++;
}

// Four hex digits of either case.
static bool r1i_json_hex(r1i_json_reader *reader, uint32_t *code) {
    *code = 0;
    for (int i = 0; i < 4; i++, reader->at++) {
        int c = r1i_json_peek(reader);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return r1i_json_refuse(reader, reader->at, "\\u needs four hex digits");
        *code = *code * 16 + (uint32_t)digit;
    }
    return true;
}
// Behind \u: one code point, from one unit or from a pair of surrogates. Lone surrogates have no
// UTF-8, so there is nothing to decode them to.
static bool r1i_json_unicode(r1i_json_reader *reader, size_t start) {
    uint32_t code, low;
    if (!r1i_json_hex(reader, &code)) return false;
    if (code >= 0xd800 && code <= 0xdfff) {
        if (code > 0xdbff || !r1i_json_take(reader, '\\') || !r1i_json_take(reader, 'u'))
            return r1i_json_refuse(reader, start, "a surrogate without its partner");
        if (!r1i_json_hex(reader, &low)) return false;
        if (low < 0xdc00 || low > 0xdfff)
            return r1i_json_refuse(reader, start, "a surrogate without its partner");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    reader->decoded += r1i_utf8_write(code, reader->decoded);
    return true;
}
// A backslash and what it stands for.
static bool r1i_json_escape(r1i_json_reader *reader) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    size_t start = reader->at++;
    int c = r1i_json_peek(reader);
    const char *name = c > 0 ? strchr(names, c) : NULL;
    if (!name && c != 'u') return r1i_json_refuse(reader, start, "an escape that JSON has not");
    reader->at++;
    if (c == 'u') return r1i_json_unicode(reader, start);
    *reader->decoded++ = values[name - names];
    return true;
}
// A string, decoded into the document's text. A zero byte behind it makes it a C string too.
static bool r1i_json_string(r1i_json_reader *reader, r1_slice *dst) {
    if (!r1i_json_take(reader, '"'))
        return r1i_json_refuse(reader, reader->at, "a string was expected");
    dst->data = reader->decoded;
    for (;;) {
        int c = r1i_json_peek(reader);
        if (c < 0) return r1i_json_refuse(reader, reader->at, "a string without its end");
        if (c == '"') break;
        if (c < 0x20) return r1i_json_refuse(reader, reader->at, "a control character in a string");
        if (c == '\\') {
            if (!r1i_json_escape(reader)) return false;
            continue;
        }
        const unsigned char *p = reader->text + reader->at;
        size_t size = r1i_utf8_size(p, reader->size - reader->at);
        if (!size) return r1i_json_refuse(reader, reader->at, "bytes that are not UTF-8");
        memcpy(reader->decoded, p, size);
        reader->decoded += size, reader->at += size;
    }
    reader->at++;
    dst->size = (size_t)(reader->decoded - dst->data);
    *reader->decoded++ = 0;
    return true;
}

// One digit or more.
static bool r1i_json_digits(r1i_json_reader *reader) {
    size_t start = reader->at;
    for (int c; (c = r1i_json_peek(reader)) >= '0' && c <= '9';) reader->at++;
    return reader->at > start || r1i_json_refuse(reader, start, "a digit was expected");
}
// A number. Its form is checked here, so that the conversion sees only digits where it expects
// them; the form also forbids leading zeros, plus signs, hex and NaN.
static bool r1i_json_decimal(r1i_json_reader *reader, r1_json *node) {
    size_t start = reader->at;
    r1i_json_take(reader, '-');
    if (!r1i_json_take(reader, '0') && !r1i_json_digits(reader)) return false;
    if (r1i_json_take(reader, '.') && !r1i_json_digits(reader)) return false;
    if (r1i_json_take(reader, 'e') || r1i_json_take(reader, 'E')) {
        if (!r1i_json_take(reader, '-')) r1i_json_take(reader, '+');
        if (!r1i_json_digits(reader)) return false;
    }
    node->kind = R1_JSON_NUMBER;
    node->text = (r1_slice){reader->decoded, reader->at - start};
    memcpy(reader->decoded, reader->text + start, node->text.size);
    reader->decoded += node->text.size;
    *reader->decoded++ = 0;
    node->number = r1i_decimal(node->text.data, node->text.size);
    return isfinite(node->number) ||
           r1i_json_refuse(reader, start, "a number beyond the range of double");
}

// Shorter slices first: most comparisons then never touch the bytes.
static int r1i_slice_compare(r1_slice a, r1_slice b) {
    if (a.size != b.size) return a.size < b.size ? -1 : 1;
    return a.size ? memcmp(a.data, b.data, a.size) : 0;
}
// For r1i_sort: members by key.
static int r1i_json_compare_keys(const void *a, const void *b) {
    return r1i_slice_compare(((const r1_json *)a)->key, ((const r1_json *)b)->key);
}
// Looks for a key that is there twice. Few keys are compared pairwise, many are sorted by hash.
static bool r1i_json_unique(r1i_json_reader *reader, const r1_json *object, size_t start) {
    size_t n = object->count, i = 0;
    bool twice = false;
    if (n <= 8) {
        for (const r1_json *a = object->child; a; a = a->next)
            for (const r1_json *b = a->next; b; b = b->next)
                twice = twice || r1i_json_compare_keys(a, b) == 0;
    } else {
        r1i_ranked *keys = (r1i_ranked *)r1i_alloc_array(reader->ctx, n, 2 * sizeof *keys);
        if (!keys) return false;
        for (const r1_json *a = object->child; a; a = a->next)
            keys[i++] = (r1i_ranked){r1i_hash(0, a->key.data, a->key.size), a};
        r1i_sort(keys, keys + n, n, r1i_json_compare_keys);
        for (i = 1; i < n && !twice; i++)
            twice = r1i_ranked_compare(keys[i - 1], keys[i], r1i_json_compare_keys) == 0;
        r1i_free(reader->ctx, keys);
    }
    return !twice || r1i_json_refuse(reader, start, "an object that has a key twice");
}
// The key of a member and its colon.
static bool r1i_json_key(r1i_json_reader *reader, r1_json *node) {
    if (!r1i_json_string(reader, &node->key)) return false;
    r1i_json_skip(reader);
    if (!r1i_json_take(reader, ':'))
        return r1i_json_refuse(reader, reader->at, "a colon was expected");
    r1i_json_skip(reader);
    return true;
}
// An array or object from its opening bracket to its closing one. The depth bound keeps the
// recursion within a few kilobytes of stack.
static bool r1i_json_container(r1i_json_reader *reader, r1_json *node, r1_json_kind kind) {
    size_t start = reader->at++;
    int end = kind == R1_JSON_ARRAY ? ']' : '}';
    r1_json **tail = &node->child;
    node->kind = kind;
    if (reader->depth == R1_JSON_DEPTH)
        return r1i_json_refuse(reader, start, "more than 64 levels of arrays and objects");
    reader->depth++;
    r1i_json_skip(reader);
    for (bool more = !r1i_json_take(reader, end); more;) {
        r1_json *child = *tail = r1i_json_node(reader);
        if (!child) return false;
        tail = &child->next;
        node->count++;
        if (kind == R1_JSON_OBJECT && !r1i_json_key(reader, child)) return false;
        if (!r1i_json_value(reader, child)) return false;
        r1i_json_skip(reader);
        more = r1i_json_take(reader, ',');
        if (!more && !r1i_json_take(reader, end))
            return r1i_json_refuse(reader, reader->at,
                                   kind == R1_JSON_ARRAY ? "a comma or ] was expected"
                                                         : "a comma or } was expected");
        r1i_json_skip(reader);
    }
    reader->depth--;
    return kind == R1_JSON_ARRAY || r1i_json_unique(reader, node, start);
}
// null, false or true; anything else that is left is no value.
static bool r1i_json_word(r1i_json_reader *reader, r1_json *node) {
    static const char *const words[] = {"null", "false", "true"};
    for (int i = 0; i < 3; i++) {
        size_t size = strlen(words[i]);
        if (reader->size - reader->at < size) continue;
        if (memcmp(reader->text + reader->at, words[i], size) != 0) continue;
        reader->at += size;
        node->kind = i ? R1_JSON_BOOL : R1_JSON_NULL;
        node->boolean = i == 2;
        return true;
    }
    return r1i_json_refuse(reader, reader->at, "a value was expected");
}
// Any value. The first byte decides, so nothing is ever read twice.
static bool r1i_json_value(r1i_json_reader *reader, r1_json *node) {
    int c = r1i_json_peek(reader);
    if (c == '{') return r1i_json_container(reader, node, R1_JSON_OBJECT);
    if (c == '[') return r1i_json_container(reader, node, R1_JSON_ARRAY);
    if (c == '-' || (c >= '0' && c <= '9')) return r1i_json_decimal(reader, node);
    if (c != '"') return r1i_json_word(reader, node);
    node->kind = R1_JSON_STRING;
    return r1i_json_string(reader, &node->text);
}

// The problem in words. Lines are counted only here, so that good texts do not pay for it.
static void r1i_json_explain(const r1i_json_reader *reader, char *dst, size_t bytes) {
    size_t line = 1, column = 1, at = reader->problem_at;
    for (size_t i = 0; i < at; i++) {
        column++;
        if (reader->text[i] == '\n') line++, column = 1;
    }
    snprintf(dst, bytes, "byte %zu (line %zu, column %zu): %s", at, line, column, reader->problem);
}
R1I_BODY r1_json *r1_json_try(r1_context *ctx, const char *text, size_t size, char *problem,
                              size_t problem_bytes) {
    if (problem && problem_bytes) problem[0] = 0;
    if (r1_status_of(ctx) != R1_OK) return NULL;
    if (!text) size = 0;
    r1i_json_document *document =
        (r1i_json_document *)r1i_alloc(ctx, r1i_size_add(sizeof *document, r1i_size_add(size, 1)));
    if (!document) return NULL;
    r1i_json_reader reader = {.ctx = ctx, .document = document, .size = size};
    reader.text = (const unsigned char *)text;
    reader.decoded = (char *)(document + 1);
    r1i_json_skip(&reader);
    bool good = r1i_json_value(&reader, &document->root);
    if (good) r1i_json_skip(&reader);
    if (good && reader.at < reader.size)
        good = r1i_json_refuse(&reader, reader.at, "text behind the value");
    if (good) return &document->root;
    if (reader.problem && problem) r1i_json_explain(&reader, problem, problem_bytes);
    r1_json_free(ctx, &document->root);
    return NULL;
}
R1I_BODY r1_json *r1_json_read(r1_context *ctx, const char *text, size_t size) {
    char problem[R1I_MESSAGE_BYTES / 2];
    r1_json *root = r1_json_try(ctx, text, size, problem, sizeof problem);
    if (!root && r1_status_of(ctx) == R1_OK) r1i_fail(ctx, R1_ERROR_FORMAT, "json: %s", problem);
    return root;
}
R1I_BODY void r1_json_free(r1_context *ctx, r1_json *root) {
    if (!root) return;
    r1i_json_document *document = (r1i_json_document *)(void *)root;
    r1i_arena_free(ctx, &document->arena);
    r1i_free(ctx, document);
}

// Whether the slice is exactly this C string.
static bool r1i_slice_is(r1_slice slice, const char *text) {
    return slice.size == strlen(text) && (!slice.size || !memcmp(slice.data, text, slice.size));
}
R1I_BODY const r1_json *r1_json_find(const r1_json *object, const char *key) {
    if (!object || object->kind != R1_JSON_OBJECT || !key) return NULL;
    const r1_json *member = object->child;
    while (member && !r1i_slice_is(member->key, key)) member = member->next;
    return member;
}
R1I_BODY const r1_json *r1_json_at(const r1_json *array, size_t index) {
    if (!array || array->kind != R1_JSON_ARRAY || index >= array->count) return NULL;
    const r1_json *element = array->child;
    for (; index; index--) element = element->next;
    return element;
}
R1I_BODY double r1_json_number(const r1_json *node, double otherwise) {
    return node && node->kind == R1_JSON_NUMBER ? node->number : otherwise;
}
R1I_BODY r1_slice r1_json_text(const r1_json *node) {
    return node && node->kind == R1_JSON_STRING ? node->text : (r1_slice){"", 0};
}
R1I_BODY bool r1_json_bool(const r1_json *node, bool otherwise) {
    return node && node->kind == R1_JSON_BOOL ? node->boolean : otherwise;
}

// Adds bytes. The text keeps its zero byte at all times, so it can be printed when half done.
static void r1i_json_put(r1_json_writer *writer, const char *text, size_t size) {
    size_t wanted = r1i_size_add(r1i_size_add(writer->size, size), 1);
    if (writer->failed) return;
    if (!r1i_grow(writer->ctx, (void **)&writer->text, &writer->capacity, wanted, 1)) {
        writer->failed = true;
        return;
    }
    if (size) memcpy(writer->text + writer->size, text, size);
    writer->size += size;
    writer->text[writer->size] = 0;
}
// Adds a string with its quotes. Newlines are escaped as all control characters, so that one
// value never spans two lines of a log.
static void r1i_json_put_quoted(r1_json_writer *writer, const char *text, size_t size) {
    const unsigned char *p = (const unsigned char *)text;
    size_t done = 0, step;
    r1i_json_put(writer, "\"", 1);
    for (size_t at = 0; at < size; at += step) {
        char escape[8];
        step = r1i_utf8_size(p + at, size - at);
        if (step && p[at] >= 0x20 && p[at] != '"' && p[at] != '\\') continue;
        r1i_json_put(writer, text + done, at - done); // the run before goes out in one piece
        if (!step) {
            r1i_json_put(writer, "\xef\xbf\xbd", 3), step = 1;
        } else {
            const char *name = p[at] == '\n' ? "\\n" : p[at] == '"' ? "\\\"" : "\\\\";
            bool named = p[at] >= 0x20 || p[at] == '\n';
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)p[at]);
            r1i_json_put(writer, named ? name : escape, named ? 2 : 6);
        }
        done = at + step;
    }
    if (done < size) r1i_json_put(writer, text + done, size - done);
    r1i_json_put(writer, "\"", 1);
}
// A mistake of the program, not of data: the first one sticks to the context.
static void r1i_json_misuse(r1_json_writer *writer, const char *problem) {
    if (!writer->failed) r1i_fail(writer->ctx, R1_ERROR_ARGUMENT, "json writer: %s", problem);
    writer->failed = true;
}
// What stands before a value: a comma where one is due, and the key.
static void r1i_json_lead(r1_json_writer *writer, const char *key) {
    bool object = writer->depth > 0 && ((writer->objects >> (writer->depth - 1)) & 1u);
    if (object != (key != NULL)) {
        r1i_json_misuse(writer, key ? "a key outside an object" : "a member without a key");
        return;
    }
    char last = writer->size ? writer->text[writer->size - 1] : '[';
    if (last != '[' && last != '{') {
        if (writer->depth == 0) r1i_json_misuse(writer, "a second value behind the first");
        r1i_json_put(writer, ",", 1);
    }
    if (!key) return;
    r1i_json_put_quoted(writer, key, strlen(key));
    r1i_json_put(writer, ":", 1);
}
// Opens a level and remembers its kind, one bit a level.
static void r1i_json_begin(r1_json_writer *writer, const char *key, bool object) {
    if (writer->depth == R1_JSON_DEPTH) r1i_json_misuse(writer, "more than 64 levels");
    r1i_json_lead(writer, key);
    if (writer->failed) return;
    r1i_json_put(writer, object ? "{" : "[", 1);
    uint64_t bit = (uint64_t)1 << writer->depth++;
    writer->objects = object ? writer->objects | bit : writer->objects & ~bit;
}
// Closes a level if the innermost one is of this kind.
static void r1i_json_end(r1_json_writer *writer, bool object) {
    bool inside = writer->depth > 0 && ((writer->objects >> (writer->depth - 1)) & 1u) == object;
    if (!inside) r1i_json_misuse(writer, "an end without its begin");
    if (writer->failed) return;
    writer->depth--;
    r1i_json_put(writer, object ? "}" : "]", 1);
}
// A value that needs no escaping.
static void r1i_json_plain(r1_json_writer *writer, const char *key, const char *text) {
    r1i_json_lead(writer, key);
    r1i_json_put(writer, text, strlen(text));
}
R1I_BODY void r1_json_begin_object(r1_json_writer *writer, const char *key) {
    r1i_json_begin(writer, key, true);
}
R1I_BODY void r1_json_begin_array(r1_json_writer *writer, const char *key) {
    r1i_json_begin(writer, key, false);
}
R1I_BODY void r1_json_end_object(r1_json_writer *writer) { r1i_json_end(writer, true); }
R1I_BODY void r1_json_end_array(r1_json_writer *writer) { r1i_json_end(writer, false); }
R1I_BODY void r1_json_write_number(r1_json_writer *writer, const char *key, double value) {
    char text[R1I_DECIMAL_BYTES] = "null";
    if (isfinite(value)) r1i_print_decimal(value, text);
    r1i_json_plain(writer, key, text);
}
R1I_BODY void r1_json_write_integer(r1_json_writer *writer, const char *key, int64_t value) {
    char text[R1I_DECIMAL_BYTES];
    snprintf(text, sizeof text, "%lld", (long long)value);
    r1i_json_plain(writer, key, text);
}
R1I_BODY void r1_json_write_text(r1_json_writer *writer, const char *key, const char *text,
                                 size_t size) {
    r1i_json_lead(writer, key);
    r1i_json_put_quoted(writer, text, text ? size : 0);
}
R1I_BODY void r1_json_write_bool(r1_json_writer *writer, const char *key, bool value) {
    r1i_json_plain(writer, key, value ? "true" : "false");
}
R1I_BODY void r1_json_write_null(r1_json_writer *writer, const char *key) {
    r1i_json_plain(writer, key, "null");
}
R1I_BODY void r1_json_writer_reset(r1_json_writer *writer) {
    writer->size = 0, writer->depth = 0, writer->failed = false;
    if (writer->text) writer->text[0] = 0;
}
R1I_BODY void r1_json_writer_free(r1_json_writer *writer) {
    if (writer->text) r1i_free(writer->ctx, writer->text);
    *writer = (r1_json_writer){.ctx = writer->ctx};
}

// ==== [file] =====================================================================================
// Whole files, folders, and tensors in the safetensors format. Calls [json] and the rooms above it.
// System calls stand in the r1i_sys functions; a test defines R1I_FAULT(call) to make each fail.
#ifndef R1_NO_STDIO
#ifdef _WIN32
#include <direct.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <sys/stat.h>
#elif !defined __wasm__
#include <sys/mman.h>
#define R1I_MMAP 1
#endif
#ifndef R1I_MMAP
#define R1I_MMAP 0
#endif
#ifndef R1I_FAULT
#define R1I_FAULT(call) 0 // the errno that the call shall fail with; 0: let it work
#endif
#ifndef O_CLOEXEC
#define O_CLOEXEC 0
#endif
#ifndef O_BINARY
#define O_BINARY 0
#endif

// What an open file is. Size is 0 for what has none, such as pipes and /proc.
typedef struct r1i_file_info {
    bool folder, plain;
    size_t bytes;
} r1i_file_info;

// Sets errno when a test wants this call to fail.
static bool r1i_sys_fault(int fault) {
    if (fault) errno = fault;
    return fault != 0;
}
// Opens a file that children of the process do not inherit; -1 and errno on failure.
static int r1i_sys_open(const char *path, int flags) {
    int file;
    do {
        if (r1i_sys_fault(R1I_FAULT("open")))
            file = -1;
        else
            file = open(path, flags | O_CLOEXEC | O_BINARY, 0666);
    } while (file < 0 && errno == EINTR);
    return file;
}
// Closes in any case. Not repeated on EINTR: Linux has closed the file by then, and the number may
// already be another thread's.
static int r1i_sys_close(int file) {
    int result = close(file);
    return r1i_sys_fault(R1I_FAULT("close")) ? -1 : result;
}
// Bytes read, at most `size`; 0 at the end, -1 for an error.
static ptrdiff_t r1i_sys_read(int file, void *data, size_t size) {
    ptrdiff_t got;
    do {
        if (r1i_sys_fault(R1I_FAULT("read")))
            got = -1;
        else
            got = read(file, data, (unsigned)r1i_min(size, (size_t)1 << 30));
    } while (got < 0 && errno == EINTR);
    return got;
}
// Writes all of it, however many calls that takes. A call that writes nothing counts as a full
// disk, else the loop could be endless.
static bool r1i_sys_write(int file, const void *data, size_t size) {
    const char *p = (const char *)data;
    while (size) {
        ptrdiff_t put;
        if (r1i_sys_fault(R1I_FAULT("write")))
            put = -1;
        else
            put = write(file, p, (unsigned)r1i_min(size, (size_t)1 << 30));
        if (put == 0) errno = ENOSPC;
        if (put == 0 || (put < 0 && errno != EINTR)) return false;
        if (put > 0) p += put, size -= (size_t)put;
    }
    return true;
}
// Waits for the disk.
static int r1i_sys_sync(int file) {
    int result;
    do {
        if (r1i_sys_fault(R1I_FAULT("fsync"))) result = -1;
#ifdef _WIN32
        else
            result = _commit(file);
#else
        else
            result = fsync(file);
#endif
    } while (result < 0 && errno == EINTR);
    return result;
}
#ifdef _WIN32
__declspec(dllimport) int __stdcall MoveFileExA(const char *from, const char *to,
                                                unsigned long how);
#endif
// Gives a file another name, in place of a file that has it; all or nothing.
static int r1i_sys_rename(const char *from, const char *to) {
    if (r1i_sys_fault(R1I_FAULT("rename"))) return -1;
#ifdef _WIN32
    errno = EACCES;
    return MoveFileExA(from, to, 1ul) ? 0 : -1; // replaces, as rename does elsewhere
#else
    return rename(from, to);
#endif
}
// Cuts an open file.
static int r1i_sys_truncate(int file, size_t bytes) {
    if (r1i_sys_fault(R1I_FAULT("truncate"))) return -1;
#ifdef _WIN32
    return _chsize_s(file, (long long)bytes) ? -1 : 0;
#else
    return ftruncate(file, (off_t)bytes);
#endif
}
// Makes one folder, with whatever the user's umask allows.
static int r1i_sys_folder(const char *path) {
    if (r1i_sys_fault(R1I_FAULT("mkdir"))) return -1;
#ifdef _WIN32
    return _mkdir(path);
#else
    return mkdir(path, 0777);
#endif
}
// Looks at an open file, not at its name, which may mean another file by now.
static int r1i_sys_info(int file, r1i_file_info *info) {
#ifdef _WIN32
    struct _stati64 found;
    if (r1i_sys_fault(R1I_FAULT("stat")) || _fstati64(file, &found) != 0) return -1;
#else
    struct stat found;
    if (r1i_sys_fault(R1I_FAULT("stat")) || fstat(file, &found) != 0) return -1;
#endif
    *info = (r1i_file_info){(found.st_mode & S_IFMT) == S_IFDIR,
                            (found.st_mode & S_IFMT) == S_IFREG, 0};
    if ((uint64_t)found.st_size >= SIZE_MAX / 2) return errno = EFBIG, -1;
    info->bytes = (size_t)found.st_size;
    return 0;
}
// Read-only memory that shows the file; NULL where it cannot be had.
static void *r1i_sys_map(int file, size_t bytes) {
#if R1I_MMAP
    if (r1i_sys_fault(R1I_FAULT("mmap"))) return NULL;
    void *memory = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
    return memory == MAP_FAILED ? NULL : memory;
#else
    (void)file, (void)bytes;
    return NULL;
#endif
}
// Takes back what r1i_sys_map gave.
static void r1i_sys_unmap(void *memory, size_t bytes) {
#if R1I_MMAP
    munmap(memory, bytes);
#else
    (void)memory, (void)bytes;
#endif
}
// A number that no other running process of this machine has.
static long r1i_sys_process(void) {
#ifdef _WIN32
    return _getpid();
#else
    return (long)getpid();
#endif
}

// The error of a system call in words: what, where, why, and what to do about it.
static r1_status r1i_file_fail(r1_context *ctx, const char *verb, const char *path) {
    int code = errno;
    const char *remedy = code == ENOENT || code == ENOTDIR ? "check the path and make its folder"
                         : code == ENOSPC || code == EFBIG ? "make room on the disk"
                         : code == EACCES || code == EPERM || code == EROFS
                             ? "check who may write there"
                         : code == EISDIR ? "give the path of a file"
                         : code == EMFILE ? "close other files"
                                          : "check the path and the disk";
    return r1i_fail(ctx, R1_ERROR_FILE, "cannot %s \"%s\": %s; %s", verb, path, strerror(code),
                    remedy);
}

// The rest of an open file into memory, with room for a zero byte.
static char *r1i_file_slurp(r1_context *ctx, int file, size_t guess, size_t *size,
                            const char *path) {
    char *text = NULL;
    size_t capacity = 0;
    ptrdiff_t got = 1;
    for (*size = 0; got > 0; *size += (size_t)got) {
        size_t wanted = r1i_max(r1i_size_add(guess, 2), r1i_size_add(*size, 2));
        if (!r1i_grow(ctx, (void **)&text, &capacity, wanted, 1)) break;
        got = r1i_sys_read(file, text + *size, capacity - *size - 1);
        if (got < 0) {
            r1i_file_fail(ctx, "read", path);
            break;
        }
    }
    if (ctx->status == R1_OK) {
        text[*size] = 0;
        return text;
    }
    r1i_free(ctx, text);
    return NULL;
}
R1I_BODY char *r1_file_read(r1_context *ctx, const char *path, size_t *size) {
    size_t bytes = 0;
    r1i_file_info info;
    if (size) *size = 0;
    if (r1_status_of(ctx) != R1_OK) return NULL;
    int file = r1i_sys_open(path, O_RDONLY);
    if (file < 0) {
        r1i_file_fail(ctx, "open", path);
        return NULL;
    }
    char *text = NULL;
    if (r1i_sys_info(file, &info) != 0)
        r1i_file_fail(ctx, "look at", path);
    else
        text = r1i_file_slurp(ctx, file, info.plain ? info.bytes : 0, &bytes, path);
    r1i_sys_close(file);
    if (size && text) *size = bytes;
    return text;
}
R1I_BODY void r1_file_free(r1_context *ctx, char *text) { r1i_free(ctx, text); }

// A file in the making, under another name in the same folder.
typedef struct r1i_saver {
    r1_context *ctx;
    const char *path;
    char *temporary;
    int file;
} r1i_saver;

// Gives up: the unfinished file goes, the old one was never touched.
static r1_status r1i_save_abort(r1i_saver *saver, const char *verb) {
    r1_status status = r1i_file_fail(saver->ctx, verb, saver->path);
    if (saver->file >= 0) r1i_sys_close(saver->file);
    if (saver->temporary) remove(saver->temporary);
    r1i_free(saver->ctx, saver->temporary);
    return status;
}
// Opens the unfinished file. O_EXCL keeps two savers apart, in one process or in many.
static r1_status r1i_save_begin(r1i_saver *saver, r1_context *ctx, const char *path) {
    size_t bytes = r1i_size_add(strlen(path), 48);
    *saver = (r1i_saver){ctx, path, (char *)r1i_alloc(ctx, bytes), -1};
    if (!saver->temporary) return ctx->status;
    for (int i = 0; i < 100 && saver->file < 0; i++) { // a crash may have left one of this name
        snprintf(saver->temporary, bytes, "%s.%ld-%d.tmp", path, r1i_sys_process(), i);
        saver->file = r1i_sys_open(saver->temporary, O_WRONLY | O_CREAT | O_EXCL);
        if (saver->file < 0 && errno != EEXIST) break;
    }
    if (saver->file >= 0) return R1_OK;
    r1_status status = r1i_file_fail(ctx, "create", saver->temporary);
    r1i_free(ctx, saver->temporary);
    return status;
}
// The name in the folder survives a power cut only once the folder is synced. Systems that cannot
// open or sync folders keep names by themselves.
static bool r1i_save_sync_folder(r1i_saver *saver) {
#ifdef _WIN32
    return saver != NULL;
#else
    char *slash = strrchr(saver->temporary, '/');
    if (slash) slash[slash == saver->temporary] = 0;
    int folder = r1i_sys_open(slash ? saver->temporary : ".", O_RDONLY);
    if (folder < 0) return true;
    bool good = r1i_sys_sync(folder) == 0 || errno == EINVAL || errno == ENOTSUP;
    int code = errno;
    r1i_sys_close(folder);
    errno = code;
    return good;
#endif
}
// Content first, name second, folder third: in any other order a power cut can leave an empty
// file under the final name.
static r1_status r1i_save_end(r1i_saver *saver) {
    if (r1i_sys_sync(saver->file) != 0) return r1i_save_abort(saver, "sync");
    int file = saver->file;
    saver->file = -1;
    if (r1i_sys_close(file) != 0) return r1i_save_abort(saver, "close");
    if (r1i_sys_rename(saver->temporary, saver->path) != 0) return r1i_save_abort(saver, "replace");
    r1_status status = R1_OK;
    if (!r1i_save_sync_folder(saver))
        status = r1i_file_fail(saver->ctx, "sync the folder of", saver->path);
    r1i_free(saver->ctx, saver->temporary);
    return status;
}
R1I_BODY r1_status r1_file_write(r1_context *ctx, const char *path, const void *data, size_t size) {
    r1i_saver saver;
    if (r1_status_of(ctx) != R1_OK) return r1_status_of(ctx);
    r1_status status = r1i_save_begin(&saver, ctx, path);
    if (status != R1_OK) return status;
    if (!r1i_sys_write(saver.file, data, size)) return r1i_save_abort(&saver, "write");
    return r1i_save_end(&saver);
}

// Whether there is a folder of this name. Asked again after a failure to make it, because another
// process may have been faster.
static bool r1i_folder_there(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && (found.st_mode & S_IFMT) == S_IFDIR;
}
R1I_BODY r1_status r1_folder_make(r1_context *ctx, const char *path) {
    if (r1_status_of(ctx) != R1_OK) return r1_status_of(ctx);
    size_t size = strlen(path);
    char *part = r1i_copy_text(ctx, path, size);
    if (!part) return ctx->status;
    r1_status status = R1_OK;
    for (size_t i = 1; i <= size && status == R1_OK; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        part[i] = 0;
        if (!r1i_folder_there(part) && r1i_sys_folder(part) != 0 && !r1i_folder_there(part))
            status = r1i_file_fail(ctx, "make the folder", part);
        part[i] = path[i];
    }
    r1i_free(ctx, part);
    return status;
}

// The file begins with these bytes, so the place of its 16 digits of hash is known. The second key
// makes a flipped bit in the first one visible: "r1." without "r1.hash" is damage.
#define R1I_HASH_LEAD "{\"__metadata__\":{\"r1.hash\":\""
#define R1I_HASH_NONE "0000000000000000"
enum { R1I_HASH_AT = sizeof R1I_HASH_LEAD - 1, R1I_HASH_DIGITS = 16 };
enum { R1I_HEADER_BYTES = 100000000, R1I_NAME_BYTES = 65536 };

struct r1_tensors {
    r1_context *ctx;
    r1_status refusal; // R1_ERROR_ARGUMENT while a header is only tried before it is written
    char *path;
    char *file; // the content
    size_t bytes;
    bool mapped; // else `file` is a block
    r1_json *header;
    const r1_json *metadata;
    size_t count;
    r1_entry *entries; // by their place in the file
    r1i_ranked *names; // by hash of the name; rank, entry
};

// Refuses the file; `name` is the tensor at fault, NULL when it is none. Names come from the file,
// so only their beginning is shown.
static r1_status r1i_tensors_refuse(const r1_tensors *tensors, const char *name,
                                    const char *problem) {
    return r1i_fail(tensors->ctx, tensors->refusal, "safetensors file \"%s\": %s%.80s%s%s",
                    tensors->path, name ? "tensor \"" : "", name ? name : "", name ? "\": " : "",
                    problem);
}
// A size as JSON writes it: digits only, at most 2^63 - 1.
static bool r1i_json_size(const r1_json *node, size_t *size) {
    uint64_t value = 0;
    if (!node || node->kind != R1_JSON_NUMBER || node->text.size > 19) return false;
    for (size_t i = 0; i < node->text.size; i++) {
        char c = node->text.data[i];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (uint64_t)(c - '0');
    }
    *size = (size_t)value;
    return value <= INT64_MAX && value <= SIZE_MAX;
}
// The dtype of this name; false for those that the library has no numbers for.
static bool r1i_dtype_find(r1_slice name, r1_dtype *dtype) {
    for (int i = 0; i < R1_DTYPE_COUNT; i++) {
        *dtype = (r1_dtype)i;
        if (r1i_slice_is(name, r1_dtype_name(*dtype))) return true;
    }
    return false;
}
// Bytes of the entry's shape; false when the product does not fit.
static bool r1i_entry_bytes(const r1_entry *entry, size_t *bytes) {
    *bytes = r1_dtype_bytes(entry->dtype);
    bool empty = false;
    for (int i = 0; i < entry->rank; i++) {
        empty = empty || entry->shape[i] == 0;
        *bytes = r1i_size_mul(*bytes, r1i_max(entry->shape[i], 1));
    }
    bool fits = *bytes != SIZE_MAX;
    if (empty) *bytes = 0;
    return fits;
}
// What is wrong with one tensor of the header, or NULL.
static const char *r1i_entry_read(const r1_json *node, size_t data_bytes, r1_entry *entry,
                                  uint64_t *offset) {
    size_t begin = 0, end = 0, bytes;
    const r1_json *shape = r1_json_find(node, "shape");
    const r1_json *offsets = r1_json_find(node, "data_offsets");
    entry->name = node->key.data;
    if (node->key.size > R1I_NAME_BYTES) return "a name of more than 64 KiB";
    if (strlen(entry->name) != node->key.size) return "a name with a zero byte";
    if (node->kind != R1_JSON_OBJECT || node->count != 3 || !shape || !offsets)
        return "dtype, shape and data_offsets were expected, and nothing else";
    if (!r1i_dtype_find(r1_json_text(r1_json_find(node, "dtype")), &entry->dtype))
        return "a dtype that this library does not have";
    if (shape->kind != R1_JSON_ARRAY || shape->count > R1_ENTRY_RANK)
        return "shape is not a list of at most 8 numbers";
    for (const r1_json *size = shape->child; size; size = size->next)
        if (!r1i_json_size(size, &entry->shape[entry->rank++]))
            return "shape holds something that is not a size";
    if (offsets->kind != R1_JSON_ARRAY || offsets->count != 2 ||
        !r1i_json_size(r1_json_at(offsets, 0), &begin) ||
        !r1i_json_size(r1_json_at(offsets, 1), &end))
        return "data_offsets are not two sizes";
    if (begin > end || end > data_bytes) return "data_offsets lie outside the file";
    if (!r1i_entry_bytes(entry, &bytes) || bytes != end - begin)
        return "dtype and shape do not fit data_offsets";
    entry->bytes = bytes;
    *offset = begin;
    return NULL;
}
// What is wrong with the metadata, or NULL.
static const char *r1i_metadata_fault(const r1_json *metadata) {
    if (metadata->kind != R1_JSON_OBJECT) return "__metadata__ is not an object";
    for (const r1_json *line = metadata->child; line; line = line->next)
        if (line->kind != R1_JSON_STRING) return "__metadata__ holds something that is no string";
    return NULL;
}

// For r1i_sort, entries of one offset: the empty ones come first, so they never count as overlap.
static int r1i_entry_compare_ends(const void *a, const void *b) {
    size_t x = ((const r1_entry *)a)->bytes, y = ((const r1_entry *)b)->bytes;
    return x < y ? -1 : x > y;
}
// For r1i_sort and r1_tensors_find, entries whose names have one hash.
static int r1i_entry_compare_names(const void *a, const void *b) {
    return strcmp(((const r1_entry *)a)->name, ((const r1_entry *)b)->name);
}
// Indexes the names, for r1_tensors_find. `spare` holds n ranks.
static void r1i_tensors_index(r1_tensors *tensors, r1i_ranked *spare) {
    for (size_t i = 0; i < tensors->count; i++) {
        const char *name = tensors->entries[i].name;
        tensors->names[i] = (r1i_ranked){r1i_hash(0, name, strlen(name)), &tensors->entries[i]};
    }
    r1i_sort(tensors->names, spare, tensors->count, r1i_entry_compare_names);
}
// Sorts the entries by place; `names` holds their offsets. They must follow each other and fill the
// file: bytes that no tensor covers could hide anything. `spare` holds n ranks, `sorted` n entries.
static r1_status r1i_tensors_cover(r1_tensors *tensors, size_t data_bytes, r1i_ranked *spare,
                                   r1_entry *sorted) {
    size_t n = tensors->count, expected = 0;
    r1i_sort(tensors->names, spare, n, r1i_entry_compare_ends);
    for (size_t i = 0; i < n; i++) {
        uint64_t begin = tensors->names[i].rank;
        sorted[i] = *(const r1_entry *)tensors->names[i].item;
        if (begin != expected)
            return r1i_tensors_refuse(tensors, sorted[i].name,
                                      begin < expected ? "overlaps another tensor"
                                                       : "a hole before its data");
        expected += sorted[i].bytes;
    }
    if (expected != data_bytes)
        return r1i_tensors_refuse(tensors, NULL, "bytes behind the last tensor");
    if (n) memcpy(tensors->entries, sorted, n * sizeof *sorted);
    return R1_OK;
}
// Brings the memory for both and runs them.
static r1_status r1i_tensors_order(r1_tensors *tensors, size_t data_bytes) {
    size_t n = tensors->count;
    r1i_ranked *spare = (r1i_ranked *)r1i_alloc_array(tensors->ctx, n, sizeof *spare);
    r1_entry *sorted = (r1_entry *)r1i_alloc_array(tensors->ctx, n, sizeof *sorted);
    r1_status status = tensors->ctx->status;
    if (sorted) status = r1i_tensors_cover(tensors, data_bytes, spare, sorted);
    if (status == R1_OK) r1i_tensors_index(tensors, spare);
    r1i_free(tensors->ctx, sorted);
    r1i_free(tensors->ctx, spare);
    return status;
}
// A hash as it stands in the file.
static void r1i_print_hash(uint64_t hash, char dst[R1I_HASH_DIGITS + 1]) {
    snprintf(dst, R1I_HASH_DIGITS + 1, "%016llx", (unsigned long long)hash);
}
// The hash of a header, whose own digits count as zeros.
static uint64_t r1i_header_hash(const char *header, size_t bytes) {
    uint64_t hash = r1i_hash(0, header, R1I_HASH_AT);
    hash = r1i_hash(hash, R1I_HASH_NONE, R1I_HASH_DIGITS);
    size_t done = R1I_HASH_AT + R1I_HASH_DIGITS;
    return r1i_hash(hash, header + done, bytes - done);
}
// Compares the hash, if the file has one. Tensors are hashed one by one, as they were written.
static r1_status r1i_tensors_verify(r1_tensors *tensors, const char *header, size_t bytes) {
    char digits[R1I_HASH_DIGITS + 1];
    const r1_json *line = tensors->metadata ? tensors->metadata->child : NULL;
    while (line && (line->key.size < 3 || memcmp(line->key.data, "r1.", 3) != 0)) line = line->next;
    if (!line) return R1_OK; // another program's file
    bool good =
        bytes > R1I_HASH_AT + R1I_HASH_DIGITS && memcmp(header, R1I_HASH_LEAD, R1I_HASH_AT) == 0;
    if (good) {
        uint64_t hash = r1i_header_hash(header, bytes);
        for (size_t i = 0; i < tensors->count; i++)
            hash = r1i_hash(hash, tensors->entries[i].data, tensors->entries[i].bytes);
        r1i_print_hash(hash, digits);
        good = memcmp(header + R1I_HASH_AT, digits, R1I_HASH_DIGITS) == 0;
    }
    if (good) return R1_OK;
    return r1i_tensors_refuse(tensors, NULL,
                              "hash does not match: the file is damaged; take "
                              "another copy (or, if another program rewrote it, "
                              "remove its \"r1.\" metadata)");
}

// Fills the entries from a header. `data` is NULL while a header is only tried before writing.
static r1_status r1i_tensors_parse(r1_tensors *tensors, const char *header, size_t header_bytes,
                                   const char *data, size_t data_bytes) {
    char problem[R1I_MESSAGE_BYTES / 4];
    r1_context *ctx = tensors->ctx;
    if (!header_bytes || header[0] != '{')
        return r1i_tensors_refuse(tensors, NULL, "the header does not begin with {");
    tensors->header = r1_json_try(ctx, header, header_bytes, problem, sizeof problem);
    if (ctx->status != R1_OK) return ctx->status;
    if (!tensors->header)
        return r1i_fail(ctx, tensors->refusal, "safetensors file \"%s\": header: %s", tensors->path,
                        problem);
    size_t n = tensors->header->count;
    tensors->entries = (r1_entry *)r1i_alloc_array(ctx, n, sizeof *tensors->entries);
    tensors->names = (r1i_ranked *)r1i_alloc_array(ctx, n, sizeof *tensors->names);
    if (!tensors->names) return ctx->status;
    for (const r1_json *node = tensors->header->child; node; node = node->next) {
        bool metadata = r1i_slice_is(node->key, "__metadata__");
        r1_entry *entry = &tensors->entries[tensors->count];
        r1i_ranked *place = &tensors->names[tensors->count];
        const char *fault = metadata ? r1i_metadata_fault(node)
                                     : r1i_entry_read(node, data_bytes, entry, &place->rank);
        if (fault) return r1i_tensors_refuse(tensors, node->key.data, fault);
        if (metadata) {
            tensors->metadata = node;
        } else {
            if (data) entry->data = data + place->rank;
            place->item = entry;
            tensors->count++;
        }
    }
    return r1i_tensors_order(tensors, data_bytes);
}
// From the first byte to the last: length of the header, header, data.
static r1_status r1i_tensors_check(r1_tensors *tensors) {
    uint64_t header_bytes = 0;
    if (tensors->bytes < 8) return r1i_tensors_refuse(tensors, NULL, "shorter than 8 bytes");
    for (int i = 7; i >= 0; i--) header_bytes = header_bytes << 8 | (unsigned char)tensors->file[i];
    if (header_bytes > R1I_HEADER_BYTES || header_bytes > tensors->bytes - 8)
        return r1i_tensors_refuse(tensors, NULL, "the header is longer than the file or 100 MB");
    const char *header = tensors->file + 8;
    size_t bytes = (size_t)header_bytes;
    r1_status status =
        r1i_tensors_parse(tensors, header, bytes, header + bytes, tensors->bytes - 8 - bytes);
    return status == R1_OK ? r1i_tensors_verify(tensors, header, bytes) : status;
}
// Brings the content into memory: mapped if possible, since a model may be larger than memory.
static r1_status r1i_tensors_load(r1_tensors *tensors) {
    r1i_file_info info = {0};
    int file = r1i_sys_open(tensors->path, O_RDONLY);
    if (file < 0) return r1i_file_fail(tensors->ctx, "open", tensors->path);
    if (r1i_sys_info(file, &info) != 0) {
        r1i_file_fail(tensors->ctx, "look at", tensors->path);
    } else {
        if (info.plain && info.bytes) tensors->file = (char *)r1i_sys_map(file, info.bytes);
        tensors->mapped = tensors->file != NULL;
        tensors->bytes = info.bytes;
        if (!tensors->mapped)
            tensors->file =
                r1i_file_slurp(tensors->ctx, file, info.bytes, &tensors->bytes, tensors->path);
    }
    r1i_sys_close(file);
    return tensors->ctx->status;
}

// Gives back what is not memory of the context; the blocks have their own place on its list.
static void r1i_tensors_release(void *object) {
    r1_tensors *tensors = (r1_tensors *)object;
    if (tensors->mapped) r1i_sys_unmap(tensors->file, tensors->bytes);
    r1i_free(tensors->ctx, tensors);
}
R1I_BODY r1_tensors *r1_tensors_open(r1_context *ctx, const char *path) {
    if (r1_status_of(ctx) != R1_OK) return NULL;
    r1_tensors *tensors = (r1_tensors *)r1i_alloc_object(ctx, sizeof *tensors, r1i_tensors_release);
    if (!tensors) return NULL;
    tensors->ctx = ctx;
    tensors->refusal = R1_ERROR_FORMAT;
    tensors->path = r1i_copy_text(ctx, path, strlen(path));
    if (tensors->path && r1i_tensors_load(tensors) == R1_OK && r1i_tensors_check(tensors) == R1_OK)
        return tensors;
    r1_tensors_close(tensors);
    return NULL;
}
R1I_BODY void r1_tensors_close(r1_tensors *tensors) {
    if (!tensors) return;
    r1_context *ctx = tensors->ctx;
    r1_json_free(ctx, tensors->header);
    r1i_free(ctx, tensors->entries);
    r1i_free(ctx, tensors->names);
    r1i_free(ctx, tensors->path);
    if (!tensors->mapped) r1i_free(ctx, tensors->file);
    r1i_tensors_release(tensors);
}
R1I_BODY size_t r1_tensors_count(const r1_tensors *tensors) { return tensors ? tensors->count : 0; }
R1I_BODY const r1_entry *r1_tensors_at(const r1_tensors *tensors, size_t index) {
    return index < r1_tensors_count(tensors) ? &tensors->entries[index] : NULL;
}
R1I_BODY const r1_entry *r1_tensors_find(const r1_tensors *tensors, const char *name) {
    r1_entry wanted = {.name = name};
    r1i_ranked key = {name ? r1i_hash(0, name, strlen(name)) : 0, &wanted};
    size_t low = 0, high = name ? r1_tensors_count(tensors) : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = r1i_ranked_compare(tensors->names[middle], key, r1i_entry_compare_names);
        if (order == 0) return (const r1_entry *)tensors->names[middle].item;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
R1I_BODY r1_slice r1_tensors_metadata(const r1_tensors *tensors, const char *key) {
    const r1_json *line = r1_json_find(tensors ? tensors->metadata : NULL, key);
    return line ? line->text : (r1_slice){NULL, 0};
}

// What the reader could not find out about one tensor to write.
static const char *r1i_entry_fault(const r1_entry *entry) {
    size_t bytes;
    if (!entry->name || !r1i_utf8_valid(entry->name, strlen(entry->name)))
        return "a name that is not UTF-8";
    if (strcmp(entry->name, "__metadata__") == 0) return "a name that the format reserves";
    if (!r1_dtype_name(entry->dtype)) return "not a dtype of this library";
    if (entry->rank < 0 || entry->rank > R1_ENTRY_RANK) return "rank is not in 0..8";
    if (!r1i_entry_bytes(entry, &bytes) || bytes != entry->bytes)
        return "bytes is not the product of shape and dtype";
    return entry->bytes && !entry->data ? "data is NULL" : NULL;
}
// What is wrong with a line of metadata to write, or NULL.
static const char *r1i_pair_fault(const r1_pair *pair) {
    if (!pair->key || !pair->value) return "a key or value is NULL";
    if (strncmp(pair->key, "r1.", 3) == 0) return "keys that begin with \"r1.\" are the library's";
    bool text = r1i_utf8_valid(pair->key, strlen(pair->key)) &&
                r1i_utf8_valid(pair->value, strlen(pair->value));
    return text ? NULL : "a key or value is not UTF-8";
}
// One tensor of the header; its data begin at this offset.
static void r1i_header_write_entry(r1_json_writer *writer, const r1_entry *entry, size_t begin) {
    const char *dtype = r1_dtype_name(entry->dtype);
    r1_json_begin_object(writer, entry->name);
    r1_json_write_text(writer, "dtype", dtype, strlen(dtype));
    r1_json_begin_array(writer, "shape");
    for (int i = 0; i < entry->rank; i++)
        r1_json_write_integer(writer, NULL, (int64_t)entry->shape[i]);
    r1_json_end_array(writer);
    r1_json_begin_array(writer, "data_offsets");
    r1_json_write_integer(writer, NULL, (int64_t)begin);
    r1_json_write_integer(writer, NULL, (int64_t)(begin + entry->bytes));
    r1_json_end_array(writer);
    r1_json_end_object(writer);
}
// The header with zeros for its hash; `total` becomes the bytes of all data.
static r1_status r1i_header_write(r1_json_writer *writer, const r1_entry *entries, size_t n,
                                  const r1_pair *metadata, size_t n_metadata, size_t *total) {
    r1_context *ctx = writer->ctx;
    r1_json_begin_object(writer, NULL);
    r1_json_begin_object(writer, "__metadata__");
    r1_json_write_text(writer, "r1.hash", R1I_HASH_NONE, R1I_HASH_DIGITS);
    r1_json_write_text(writer, "r1.format", "1", 1);
    for (size_t i = 0; i < n_metadata; i++) {
        const char *fault = r1i_pair_fault(&metadata[i]);
        if (fault) return r1i_fail(ctx, R1_ERROR_ARGUMENT, "save: metadata %zu: %s", i, fault);
        r1_json_write_text(writer, metadata[i].key, metadata[i].value, strlen(metadata[i].value));
    }
    r1_json_end_object(writer);
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        const char *fault = r1i_entry_fault(&entries[i]);
        if (fault) return r1i_fail(ctx, R1_ERROR_ARGUMENT, "save: tensor %zu: %s", i, fault);
        r1i_header_write_entry(writer, &entries[i], *total);
        *total = r1i_size_add(*total, entries[i].bytes);
    }
    r1_json_end_object(writer);
    while (writer->size % 8 && !writer->failed) r1i_json_put(writer, " ", 1);
    return ctx->status;
}
// Runs the reader over a header to write: a name that is there twice, or too long, is found here.
static r1_status r1i_header_check(r1_json_writer *writer, const char *path, size_t total) {
    r1_context *ctx = writer->ctx;
    r1_tensors *trial = (r1_tensors *)r1i_alloc_object(ctx, sizeof *trial, r1i_tensors_release);
    if (!trial) return ctx->status;
    trial->ctx = ctx;
    trial->refusal = R1_ERROR_ARGUMENT;
    trial->path = r1i_copy_text(ctx, path, strlen(path));
    if (trial->path && writer->size > R1I_HEADER_BYTES)
        r1i_tensors_refuse(trial, NULL, "its header would be longer than 100 MB");
    if (ctx->status == R1_OK) r1i_tensors_parse(trial, writer->text, writer->size, NULL, total);
    r1_tensors_close(trial);
    return ctx->status;
}
// Header and data into the file. The data are read twice, for the hash and to write, because the
// hash stands before them; that is cheaper than going back in a file that is being written.
static r1_status r1i_tensors_stream(r1_json_writer *writer, const char *path,
                                    const r1_entry *entries, size_t n) {
    r1i_saver saver;
    char digits[R1I_HASH_DIGITS + 1];
    unsigned char length[8];
    uint64_t hash = r1i_header_hash(writer->text, writer->size);
    for (size_t i = 0; i < n; i++) hash = r1i_hash(hash, entries[i].data, entries[i].bytes);
    r1i_print_hash(hash, digits);
    memcpy(writer->text + R1I_HASH_AT, digits, R1I_HASH_DIGITS);
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)writer->size >> (8 * i));
    r1_status status = r1i_save_begin(&saver, writer->ctx, path);
    if (status != R1_OK) return status;
    bool good = r1i_sys_write(saver.file, length, 8) &&
                r1i_sys_write(saver.file, writer->text, writer->size);
    for (size_t i = 0; i < n && good; i++)
        good = r1i_sys_write(saver.file, entries[i].data, entries[i].bytes);
    return good ? r1i_save_end(&saver) : r1i_save_abort(&saver, "write");
}
R1I_BODY r1_status r1_tensors_save(r1_context *ctx, const char *path, const r1_entry *entries,
                                   size_t n, const r1_pair *metadata, size_t n_metadata) {
    r1_json_writer writer = {.ctx = ctx};
    size_t total = 0;
    if (r1_status_of(ctx) != R1_OK) return r1_status_of(ctx);
    r1_status status = r1i_header_write(&writer, entries, n, metadata, n_metadata, &total);
    if (status == R1_OK) status = r1i_header_check(&writer, path, total);
    if (status == R1_OK) status = r1i_tensors_stream(&writer, path, entries, n);
    r1_json_writer_free(&writer);
    return status;
}
#endif // R1_NO_STDIO

// ==== [log] ======================================================================================
// Metrics as JSON lines, one object a row. Calls [json] and [file]. A row is built in memory and
// leaves by one write, because half a row is worse than none.
#ifndef R1_NO_STDIO
struct r1_log_file {
    r1_context *ctx;
    char *path;
    int file;
    size_t bytes;          // of complete rows
    bool torn;             // part of a row stands behind them
    r1_json_writer writer; // the row that is open
};

// Gives back what is not memory of the context; see r1i_tensors_release.
static void r1i_log_release(void *object) {
    r1_log_file *log = (r1_log_file *)object;
    if (log->file >= 0) r1i_sys_close(log->file);
    r1i_free(log->ctx, log);
}
// The end of the last complete row within the first `limit` bytes; false when it cannot be read.
static bool r1i_log_end(int file, size_t limit, size_t *end, size_t *size) {
    char part[4096];
    ptrdiff_t got;
    *end = *size = 0;
    while ((got = r1i_sys_read(file, part, r1i_min(sizeof part, limit - *size))) > 0) {
        for (size_t i = 0; i < (size_t)got; i++)
            if (part[i] == '\n') *end = *size + i + 1;
        *size += (size_t)got;
    }
    return got == 0;
}
// Opens the file. O_APPEND: if two processes have the log, neither overwrites the other's rows.
static bool r1i_log_begin_file(r1_log_file *log, bool append) {
    size_t size;
    int flags = O_RDWR | O_CREAT | O_APPEND | (append ? 0 : O_TRUNC);
    log->file = r1i_sys_open(log->path, flags);
    if (log->file < 0) return r1i_file_fail(log->ctx, "open", log->path), false;
    if (!append) return true;
    if (!r1i_log_end(log->file, SIZE_MAX, &log->bytes, &size))
        return r1i_file_fail(log->ctx, "read", log->path), false;
    if (size != log->bytes && r1i_sys_truncate(log->file, log->bytes) != 0)
        return r1i_file_fail(log->ctx, "cut", log->path), false;
    return true;
}
R1I_BODY r1_log_file *r1_log_open(r1_context *ctx, const char *path, bool append) {
    if (r1_status_of(ctx) != R1_OK) return NULL;
    r1_log_file *log = (r1_log_file *)r1i_alloc_object(ctx, sizeof *log, r1i_log_release);
    if (!log) return NULL;
    log->ctx = log->writer.ctx = ctx;
    log->file = -1;
    log->path = r1i_copy_text(ctx, path, strlen(path));
    // The row's memory is taken now: on a context with an error none could be had.
    bool good = log->path && r1i_grow(ctx, (void **)&log->writer.text, &log->writer.capacity,
                                      (size_t)1 << 16, 1);
    if (good && r1i_log_begin_file(log, append)) return log;
    r1_log_close(log);
    return NULL;
}
// The writer of the open row; begins one.
static r1_json_writer *r1i_log_writer(r1_log_file *log) {
    if (!log->writer.size && !log->writer.failed) r1_json_begin_object(&log->writer, NULL);
    return &log->writer;
}
R1I_BODY void r1_log_number(r1_log_file *log, const char *key, double value) {
    if (log) r1_json_write_number(r1i_log_writer(log), key, value);
}
R1I_BODY void r1_log_integer(r1_log_file *log, const char *key, int64_t value) {
    if (log) r1_json_write_integer(r1i_log_writer(log), key, value);
}
R1I_BODY void r1_log_text(r1_log_file *log, const char *key, const char *text, size_t size) {
    if (log) r1_json_write_text(r1i_log_writer(log), key, text, size);
}
R1I_BODY void r1_log_bool(r1_log_file *log, const char *key, bool value) {
    if (log) r1_json_write_bool(r1i_log_writer(log), key, value);
}
R1I_BODY void r1_log_begin_array(r1_log_file *log, const char *key) {
    if (log) r1_json_begin_array(r1i_log_writer(log), key);
}
R1I_BODY void r1_log_end_array(r1_log_file *log) {
    if (log) r1_json_end_array(r1i_log_writer(log));
}
R1I_BODY void r1_log_begin_object(r1_log_file *log, const char *key) {
    if (log) r1_json_begin_object(r1i_log_writer(log), key);
}
R1I_BODY void r1_log_end_object(r1_log_file *log) {
    if (log) r1_json_end_object(r1i_log_writer(log));
}
// The row had an error while it was built.
static r1_status r1i_log_dropped(r1_log_file *log) {
    r1i_fail(log->ctx, R1_ERROR_ARGUMENT, "log \"%s\": a row was not valid and is dropped",
             log->path);
    return log->ctx->status; // most often an earlier and better message than this one
}
// Writes the row, or takes back the part of it that was written; if even that fails it is tried
// again before the next row.
static r1_status r1i_log_put(r1_log_file *log) {
    const r1_json_writer *row = &log->writer;
    if (log->torn) log->torn = r1i_sys_truncate(log->file, log->bytes) != 0;
    if (log->torn || !r1i_sys_write(log->file, row->text, row->size)) {
        r1_status status = r1i_file_fail(log->ctx, "write", log->path);
        log->torn = r1i_sys_truncate(log->file, log->bytes) != 0;
        return status;
    }
    log->bytes += row->size;
    return R1_OK;
}
R1I_BODY r1_status r1_log_row(r1_log_file *log) {
    if (!log) return R1_OK;
    r1_json_writer *writer = r1i_log_writer(log);
    if (writer->depth != 1) r1i_json_misuse(writer, "a log row ends inside an array or object");
    r1_json_end_object(writer);
    r1i_json_put(writer, "\n", 1);
    r1_status status = writer->failed ? r1i_log_dropped(log) : r1i_log_put(log);
    r1_json_writer_reset(writer);
    return status;
}
R1I_BODY r1_status r1_log_sync(r1_log_file *log) {
    if (!log || r1i_sys_sync(log->file) == 0) return R1_OK;
    if (errno == EINVAL || errno == ENOTSUP) return R1_OK; // a pipe or a device has nothing to sync
    return r1i_file_fail(log->ctx, "sync", log->path);
}
R1I_BODY size_t r1_log_bytes(const r1_log_file *log) { return log ? log->bytes : 0; }
R1I_BODY void r1_log_close(r1_log_file *log) {
    if (!log) return;
    r1_json_writer_free(&log->writer);
    r1i_free(log->ctx, log->path);
    r1i_log_release(log);
}
R1I_BODY r1_status r1_log_cut(r1_context *ctx, const char *path, size_t bytes) {
    size_t end, size;
    if (r1_status_of(ctx) != R1_OK) return r1_status_of(ctx);
    int file = r1i_sys_open(path, O_RDWR);
    if (file < 0 && errno == ENOENT && bytes == 0) return R1_OK;
    if (file < 0) return r1i_file_fail(ctx, "open", path);
    if (!r1i_log_end(file, bytes, &end, &size))
        r1i_file_fail(ctx, "read", path);
    else if (size < bytes)
        r1i_fail(ctx, R1_ERROR_FILE,
                 "log \"%s\" has %zu bytes, its checkpoint says %zu; give the log of this run",
                 path, size, bytes);
    else if (end != bytes)
        r1i_fail(ctx, R1_ERROR_FORMAT,
                 "log \"%s\" has no end of a row at byte %zu; give the log of this run", path,
                 bytes);
    else if (r1i_sys_truncate(file, bytes) != 0 || r1i_sys_sync(file) != 0)
        r1i_file_fail(ctx, "cut", path);
    r1i_sys_close(file);
    return ctx->status;
}
#endif // R1_NO_STDIO

// ==== [tokenizer] ================================================================================
// Text to token ids and back. Calls [base].
// One block: this struct, the table of n slices, then the text that they point into.
struct r1_tokenizer {
    r1_context *ctx;
    size_t n;
    r1_slice *pieces;
};

// Twins are looked for while the table fills. Slices that are not filled yet are empty, since
// memory comes zeroed, and an empty slice equals no piece.
R1I_BODY r1_tokenizer *r1_tokenizer_pieces(r1_context *ctx, const char *const *pieces, size_t n) {
    if (!ctx || ctx->status != R1_OK) return NULL;
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes = r1i_size_add(bytes, strlen(pieces[i]));
    size_t table = r1i_size_mul(n, sizeof(r1_slice));
    size_t head = r1i_round_up(sizeof(r1_tokenizer), sizeof(void *));
    r1_tokenizer *tok =
        (r1_tokenizer *)r1i_alloc(ctx, r1i_size_add(head, r1i_size_add(table, bytes)));
    if (!tok) return NULL;
    tok->ctx = ctx, tok->n = n, tok->pieces = (r1_slice *)(void *)((char *)tok + head);
    char *text = (char *)tok + head + table;
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(pieces[i]);
        if (!size || r1_tokenizer_find(tok, pieces[i]) >= 0) {
            r1i_fail(ctx, R1_ERROR_ARGUMENT, "tokenizer: piece %zu \"%s\" is empty or stands twice",
                     i, pieces[i]);
            r1i_free(ctx, tok);
            return NULL;
        }
        memcpy(text, pieces[i], size);
        tok->pieces[i] = (r1_slice){text, size};
        text += size;
    }
    return tok;
}
R1I_BODY void r1_tokenizer_free(r1_tokenizer *tok) {
    if (tok) r1i_free(tok->ctx, tok);
}
R1I_BODY size_t r1_tokenizer_count(const r1_tokenizer *tok) { return tok ? tok->n : 0; }

R1I_BODY int32_t r1_tokenizer_find(const r1_tokenizer *tok, const char *piece) {
    size_t size = strlen(piece);
    for (size_t i = 0; i < r1_tokenizer_count(tok); i++)
        if (tok->pieces[i].size == size && !memcmp(tok->pieces[i].data, piece, size))
            return (int32_t)i;
    return -1;
}
// Text times pieces: meant for toy vocabularies. Pieces are distinct, so at most one of each length
// fits at a place and the choice has no ties.
R1I_BODY size_t r1_encode(const r1_tokenizer *tok, const char *text, size_t size, int32_t *ids,
                          size_t capacity) {
    size_t count = 0;
    for (size_t at = 0; at < size;) {
        size_t longest = 0;
        int32_t id = 0;
        for (size_t i = 0; i < r1_tokenizer_count(tok); i++) {
            r1_slice piece = tok->pieces[i];
            if (piece.size > longest && piece.size <= size - at &&
                !memcmp(piece.data, text + at, piece.size))
                longest = piece.size, id = (int32_t)i;
        }
        if (!longest) return SIZE_MAX;
        if (count < capacity) ids[count] = id;
        count++, at += longest;
    }
    return count;
}
// Counts on past the capacity, as snprintf does, so that a caller can size a second call.
R1I_BODY size_t r1_decode(const r1_tokenizer *tok, const int32_t *ids, size_t n, char *text,
                          size_t capacity) {
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= r1_tokenizer_count(tok)) continue;
        r1_slice piece = tok->pieces[ids[i]];
        for (size_t c = 0; c < piece.size; c++, length++)
            if (length + 1 < capacity) text[length] = piece.data[c];
    }
    if (capacity) text[r1i_min(length, capacity - 1)] = 0;
    return length;
}

// ==== [model] ====================================================================================
// A DeepSeek-V3-style decoder, or a dense GQA decoder by the same config. Calls [tape], [file],
// [json]. One forward serves training, scoring and cached generation: that is why they agree.
// Tokens of a cache block. Keys are walked one by one whatever the size, so it shows in no result;
// it balances the copy of one unfinished block per answer against the length of the tables.
enum { R1I_BLOCK_TOKENS = 64 };

// down(silu(gate x) * up x), with gate and up [W,C] and down [C,W]; for experts [E,W,C], [E,C,W].
typedef struct r1i_mlp {
    r1_tensor *gate, *up, *down;
} r1i_mlp;

typedef struct r1i_layer {
    r1_tensor *norm1, *norm2;
    r1_tensor *q_a, *q_norm, *q, *kv_a, *kv_norm, *kv_b, *out; // MLA; q is q_b with compression
    r1_tensor *kv_heads;                                       // kv_b as [H, nope + value, R]
    r1_tensor *k, *v, *q_bias, *k_bias, *v_bias;               // GQA, which shares q and out
    r1i_mlp dense, shared, experts;                            // dense and shared are plain
    r1_tensor *router;
    r1i_real *bias;                              // [E]
    r1_tensor *embed_norm, *hidden_norm, *merge; // multi-token prediction only; merge is [C, 2C]
    r1_tensor *head_norm, *embed, *head;         // embed and head are aliases of the model's
} r1i_layer;

// Another use of the embedding table or the head, with a gradient of its own over the same numbers.
// Two ops that added to one gradient would take turns pass by pass, and where a batch is cut would
// show. r1i_model_fold adds it to the base: at the end of a backward pass, or of a chunk.
typedef struct r1i_alias {
    r1_tensor *base, *tensor;
    bool used; // since it was folded
} r1i_alias;

struct r1_model {
    r1_context *ctx;
    r1_model_config config;
    r1_range ranges[3]; // decayed, undecayed, experts
    r1_parameter *parameters;
    size_t n, capacity;
    r1i_layer *layers;
    r1_tensor *embed, *norm, *head;
    r1_tensor *embed_in; // the table as the input uses it: an alias when the head is tied to it
    r1i_alias *aliases;
    size_t n_aliases, aliases_capacity;
    bool fold_later; // fold when a chunk ends, not with every backward pass
    r1_rope_table rope;
    r1i_real *router_bias;      // [routers, E]
    size_t moe_layers, routers; // of the main model; with those of multi-token prediction
    bool moments;
};

// The memory of cached keys and values: blocks of 64 tokens, each with a part for every layer. A
// part holds 64 key rows, then 64 value rows; absorbed MLA has no value rows, they are the keys'
// front.
//   block  | part of layer 0 | part of layer 1 | ... | part of layer L-1 |
//   part   | key row 0 | ... | key row 63 | value row 0 | ... | value row 63 |
//   rows     expanded   key  H x (nope | rope)      value  H x value_dim
//            absorbed   key  latent | rope key      value  = the latent in its key row
//            GQA        key  Hk x head_dim          value  Hk x head_dim
// All layers of a block lie together, so a block is copied with one memcpy.
typedef struct r1i_cache {
    r1i_real *data;
    size_t blocks, key_floats, value_floats; // of one token in one layer
    size_t layers;
} r1i_cache;

// What a cached forward pass needs to know of each sequence of its batch.
struct r1i_cached {
    r1i_cache *cache;
    const size_t *past;           // [B] tokens that are cached already
    const int32_t *const *tables; // [B] block numbers
};

// The form of a run. It must not depend on a batch or on whether a cache is there, because sampler
// and trainer have to agree. At the sizes of V3 AUTO is expanded: 2 * 512 > 128 + 128.
static bool r1i_absorbed(const r1_model_config *c) {
    // Per token of decode, absorbed costs 2 R + rope per head and key, expanded nope + rope +
    // value.
    if (c->mla_form != R1_MLA_AUTO) return c->mla_form == R1_MLA_ABSORBED;
    return 2 * c->kv_rank <= c->nope_dim + c->value_dim;
}

// The layers of the main model, then those of multi-token prediction.
static size_t r1i_all_layers(const r1_model_config *c) { return c->layers + c->mtp_layers; }
// Fills in what is zero and names the first field that does not fit. Configs of callers and of
// files both come through here, so the rest of the room relies on every size.
static r1_status r1i_config_resolve(r1_context *ctx, r1_model_config *c) {
    if (c->rope_theta == 0) c->rope_theta = 10000;
    if (c->norm_eps == 0) c->norm_eps = 1e-6;
    if (c->routed_scale == 0) c->routed_scale = 1;
    if (!c->groups) c->groups = 1;
    if (!c->kept_groups) c->kept_groups = c->groups;
    if (!c->kv_heads) c->kv_heads = c->heads;
    if (!c->head_dim && c->heads) c->head_dim = c->width / c->heads;
    if (!c->experts) c->dense_layers = c->layers;
    r1_rope_scaling *rope = &c->rope;
    if (rope->kind == R1_ROPE_YARN) {
        if (!rope->original) rope->original = c->max_tokens;
        if (rope->beta_fast == 0) rope->beta_fast = 32;
        if (rope->beta_slow == 0) rope->beta_slow = 1;
    }
    // No product of two sizes can wrap when each is below 2^31, and longer products are checked.
    const struct {
        const char *name;
        size_t value;
    } sizes[] = {{"vocab", c->vocab},          {"width", c->width},
                 {"layers", c->layers},        {"heads", c->heads},
                 {"q_rank", c->q_rank},        {"kv_rank", c->kv_rank},
                 {"nope_dim", c->nope_dim},    {"rope_dim", c->rope_dim},
                 {"value_dim", c->value_dim},  {"kv_heads", c->kv_heads},
                 {"head_dim", c->head_dim},    {"dense_width", c->dense_width},
                 {"experts", c->experts},      {"expert_width", c->expert_width},
                 {"shared", c->shared},        {"max_tokens", c->max_tokens},
                 {"mtp_layers", c->mtp_layers}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value > INT32_MAX)
            return r1i_fail(ctx, R1_ERROR_ARGUMENT,
                            "model config: %s is %zu; it must be below 2^31", sizes[i].name,
                            sizes[i].value);
    const char *fault = NULL;
    bool mla = c->attention == R1_MLA, moe = c->dense_layers < c->layers;
    if (!c->vocab || !c->width || !c->layers || !c->heads || !c->max_tokens)
        fault = "vocab, width, layers, heads and max_tokens must be at least 1";
    else if (mla && (!c->kv_rank || !c->nope_dim || !c->rope_dim || !c->value_dim))
        fault = "MLA needs kv_rank, nope_dim, rope_dim and value_dim";
    else if ((mla ? c->rope_dim : c->head_dim) % 2)
        fault = "rope_dim (GQA: head_dim) must be even";
    else if (!mla && (moe || c->mtp_layers))
        fault = "experts and mtp_layers need MLA: no known checkpoint format joins them with GQA";
    else if (!mla && (!c->head_dim || c->heads % c->kv_heads))
        fault = "heads must be a multiple of kv_heads, and head_dim at least 2";
    else if (c->dense_layers > c->layers)
        fault = "dense_layers must not exceed layers";
    else if (c->dense_layers && !c->dense_width)
        fault = "dense layers need dense_width";
    else if (moe &&
             (!c->expert_width || !c->chosen || c->experts % c->groups ||
              c->kept_groups > c->groups || c->chosen > c->experts / c->groups * c->kept_groups))
        fault = "experts need expert_width, chosen >= 1, groups that divide them, and kept groups "
                "that hold the chosen ones";
    else if (rope->kind != R1_ROPE_PLAIN &&
             (!(rope->factor >= 1) || !rope->original || !(rope->beta_slow > 0) ||
              !(rope->beta_fast >= rope->beta_slow) || !(c->rope_theta > 1)))
        fault = "scaled RoPE needs factor >= 1, original >= 1, beta_fast >= beta_slow > 0 and "
                "rope_theta above 1";
    else if (!(c->rope_theta > 0) || !(c->norm_eps >= 0) || !(c->init_std >= 0) ||
             !(c->routed_scale - c->routed_scale == 0))
        fault =
            "rope_theta must be above 0, norm_eps and init_std not negative, routed_scale finite";
    return fault ? r1i_fail(ctx, R1_ERROR_ARGUMENT, "model config: %s", fault) : R1_OK;
}

// Adds a parameter; its memory comes when all are known. `initial` is 0 or -1 as in r1_parameter,
// or a factor on 1 / sqrt(last dimension), the deviation that keeps a unit input at unit size. In
// its range it takes whole lines of 16 numbers, so that every parameter begins one.
static r1_tensor *r1i_parameter_add(r1_model *model, int range, double initial, int rank,
                                    const size_t *shape, const char *format, ...) {
    r1_context *ctx = model->ctx;
    if (!r1i_grow(ctx, (void **)&model->parameters, &model->capacity, model->n + 1,
                  sizeof *model->parameters))
        return NULL;
    r1_tensor *x = (r1_tensor *)r1i_alloc(ctx, sizeof *x);
    if (!x) return NULL;
    *x = (r1_tensor){.rank = rank, .wants_grad = true};
    for (int i = 0; i < rank; i++) x->shape[i] = shape[i];
    r1_parameter *p = &model->parameters[model->n++];
    *p = (r1_parameter){.tensor = x, .range = range, .initial = initial};
    if (initial > 0) { // a factor on the usual width, or the one width of the config
        double width = 1 / sqrt((double)shape[rank - 1]);
        p->initial = model->config.init_std > 0 ? model->config.init_std : initial * width;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(p->name, sizeof p->name, format, args);
    va_end(args);
    model->ranges[range].n =
        r1i_size_add(model->ranges[range].n, r1i_round_up(r1_tensor_count(x), R1I_LANES));
    return x;
}
// The ranges. Gains and biases are few and have a natural size, so weight decay leaves them alone;
// experts decay like other matrices but are a range of their own, as they are most of a model.
enum { R1I_DECAYED, R1I_UNDECAYED, R1I_EXPERTS };
#define R1I_GAIN (-1.0) // starts as ones
#define R1I_ZERO 0.0    // starts as zeros

// Matrices are [outputs, inputs], as Hugging Face stores them.
static r1_tensor *r1i_add_matrix(r1_model *model, double initial, size_t rows, size_t columns,
                                 size_t layer, const char *name) {
    return r1i_parameter_add(model, R1I_DECAYED, initial, 2, (size_t[]){rows, columns},
                             "model.layers.%zu.%s.weight", layer, name);
}
static r1_tensor *r1i_add_vector(r1_model *model, double initial, size_t n, size_t layer,
                                 const char *name) {
    return r1i_parameter_add(model, R1I_UNDECAYED, initial, 1, &n, "model.layers.%zu.%s", layer,
                             name);
}
// MLA with R = kv_rank:
//   q_a_proj [q_rank, C], q_b_proj [H (nope + rope), q_rank]     or q_proj [H (nope + rope), C]
//   kv_a_proj_with_mqa [R + rope, C]     rows of the latent, then of the one RoPE key
//   kv_b_proj [H (nope + value), R]      for each head its rows of W_UK, then those of W_UV
//   o_proj [C, H value]
static void r1i_add_mla(r1_model *model, r1i_layer *l, size_t i) {
    const r1_model_config *c = &model->config;
    size_t q_out = c->heads * (c->nope_dim + c->rope_dim), q_in = c->q_rank ? c->q_rank : c->width;
    if (c->q_rank) {
        l->q_a = r1i_add_matrix(model, 1, c->q_rank, c->width, i, "self_attn.q_a_proj");
        l->q_norm = r1i_add_vector(model, R1I_GAIN, c->q_rank, i, "self_attn.q_a_layernorm.weight");
    }
    l->q = r1i_add_matrix(model, 1, q_out, q_in, i,
                          c->q_rank ? "self_attn.q_b_proj" : "self_attn.q_proj");
    l->kv_a = r1i_add_matrix(model, 1, c->kv_rank + c->rope_dim, c->width, i,
                             "self_attn.kv_a_proj_with_mqa");
    l->kv_norm = r1i_add_vector(model, R1I_GAIN, c->kv_rank, i, "self_attn.kv_a_layernorm.weight");
    l->kv_b = r1i_add_matrix(model, 1, c->heads * (c->nope_dim + c->value_dim), c->kv_rank, i,
                             "self_attn.kv_b_proj");
    l->out = r1i_add_matrix(model, 0.5, c->width, c->heads * c->value_dim, i, "self_attn.o_proj");
}
// Query head h reads key head h / (H / Hk). Biases have no ".weight" in their names.
static void r1i_add_gqa(r1_model *model, r1i_layer *l, size_t i) {
    const r1_model_config *c = &model->config;
    size_t wide = c->heads * c->head_dim, narrow = c->kv_heads * c->head_dim;
    l->q = r1i_add_matrix(model, 1, wide, c->width, i, "self_attn.q_proj");
    l->k = r1i_add_matrix(model, 1, narrow, c->width, i, "self_attn.k_proj");
    l->v = r1i_add_matrix(model, 1, narrow, c->width, i, "self_attn.v_proj");
    l->out = r1i_add_matrix(model, 0.5, c->width, wide, i, "self_attn.o_proj");
    if (!c->qkv_bias) return;
    l->q_bias = r1i_add_vector(model, R1I_ZERO, wide, i, "self_attn.q_proj.bias");
    l->k_bias = r1i_add_vector(model, R1I_ZERO, narrow, i, "self_attn.k_proj.bias");
    l->v_bias = r1i_add_vector(model, R1I_ZERO, narrow, i, "self_attn.v_proj.bias");
}
// gate [W,C], up [W,C] and down [C,W] of one network under a common prefix.
static void r1i_add_mlp(r1_model *model, r1i_mlp *mlp, size_t width, size_t i, const char *prefix) {
    static const char *const names[] = {"gate_proj", "up_proj", "down_proj"};
    r1_tensor **slots[] = {&mlp->gate, &mlp->up, &mlp->down};
    for (int k = 0; k < 3; k++) {
        size_t shape[] = {k == 2 ? model->config.width : width,
                          k == 2 ? width : model->config.width};
        *slots[k] = r1i_parameter_add(model, R1I_DECAYED, k == 2 ? 0.5 : 1, 2, shape,
                                      "model.layers.%zu.mlp.%s%s.weight", i, prefix, names[k]);
    }
}
// The router [E,C] and the stacks of experts [E,W,C], [E,C,W]. `shared` experts are one network of
// `shared` times the width: side by side, hidden columns add up to the same function.
static void r1i_add_experts(r1_model *model, r1i_layer *l, size_t i) {
    static const char *const names[] = {"gate_proj", "up_proj", "down_proj"};
    const r1_model_config *c = &model->config;
    r1_tensor **slots[] = {&l->experts.gate, &l->experts.up, &l->experts.down};
    l->router = r1i_add_matrix(model, 1, c->experts, c->width, i, "mlp.gate");
    for (int k = 0; k < 3; k++) {
        size_t wide = c->expert_width, narrow = c->width;
        size_t shape[] = {c->experts, k == 2 ? narrow : wide, k == 2 ? wide : narrow};
        *slots[k] = r1i_parameter_add(model, R1I_EXPERTS, k == 2 ? 0.5 : 1, 3, shape,
                                      "model.layers.%zu.mlp.experts.%s.weight", i, names[k]);
    }
    if (c->shared)
        r1i_add_mlp(model, &l->shared, c->shared * c->expert_width, i, "shared_experts.");
}
// The order of these calls numbers the parameters. It decides where they lie in their range and
// which random numbers they start with, so it is part of what a seed means.
static void r1i_add_block(r1_model *model, size_t i) {
    const r1_model_config *c = &model->config;
    r1i_layer *l = &model->layers[i];
    l->norm1 = r1i_add_vector(model, R1I_GAIN, c->width, i, "input_layernorm.weight");
    if (c->attention == R1_MLA)
        r1i_add_mla(model, l, i);
    else
        r1i_add_gqa(model, l, i);
    l->norm2 = r1i_add_vector(model, R1I_GAIN, c->width, i, "post_attention_layernorm.weight");
    if (i < c->dense_layers || !model->routers) {
        r1i_add_mlp(model, &l->dense, c->dense_width, i, "");
        return;
    }
    r1i_add_experts(model, l, i);
    l->bias = model->router_bias + (i - c->dense_layers) * c->experts;
}
// Depth k of multi-token prediction is a layer behind the others, numbered on as in checkpoints: a
// projection [C, 2C] that merges the embedding of a later token with the hidden state below, and a
// block. It reads the table and the head of the model.   Source: V3 section 2.2.
static void r1i_add_mtp(r1_model *model, size_t i) {
    size_t C = model->config.width;
    r1i_layer *l = &model->layers[i];
    l->embed_norm = r1i_add_vector(model, R1I_GAIN, C, i, "enorm.weight");
    l->hidden_norm = r1i_add_vector(model, R1I_GAIN, C, i, "hnorm.weight");
    l->merge = r1i_add_matrix(model, 1, C, 2 * C, i, "eh_proj");
    r1i_add_block(model, i);
    l->head_norm = r1i_add_vector(model, R1I_GAIN, C, i, "shared_head.norm.weight");
}
// One buffer per range; every parameter starts at a multiple of 64 bytes. All four arrays of a
// range have one layout, so the optimizer, a hash or a rank can treat it as n plain numbers:
//   w  | q_a_proj ....... pad | q_b_proj ......... pad | o_proj .... |
//   g  |     the same offsets; r1_parameter.tensor points into w and g
//   m, v  the same, once r1_model_train_ready has been called
// Padding is zero and stays zero: no gradient reaches it, and decay of zero is zero.
static bool r1i_model_memory(r1_model *model) {
    size_t used[3] = {0};
    for (int r = 0; r < 3; r++) {
        r1_range *range = &model->ranges[r];
        range->decayed = r != R1I_UNDECAYED;
        range->w = (r1i_real *)r1i_alloc_array(model->ctx, range->n, sizeof *range->w);
        range->g = (r1i_real *)r1i_alloc_array(model->ctx, range->n, sizeof *range->g);
        if (!range->w || !range->g) return false;
    }
    for (size_t i = 0; i < model->n; i++) {
        r1_parameter *p = &model->parameters[i];
        p->tensor->data = model->ranges[p->range].w + used[p->range];
        p->tensor->grad = model->ranges[p->range].g + used[p->range];
        used[p->range] += r1i_round_up(r1_tensor_count(p->tensor), R1I_LANES);
    }
    return true;
}
// Parameter i draws from the stream INIT as sample i, one counter per number: its start does not
// depend on the sizes of the parameters before it.
static void r1i_model_draw(r1_model *model) {
    r1i_float_state state = r1i_float_enter();
    for (size_t i = 0; i < model->n; i++) {
        const r1_parameter *p = &model->parameters[i];
        r1_random at = {.seed = model->ctx->seed, .stream = R1_STREAM_INIT, .sample = (uint32_t)i};
        for (size_t j = 0; j < r1_tensor_count(p->tensor); j++) {
            // Two counts a number: the next billion goes on with the next step of the counter.
            if (j && j % ((size_t)1 << 30) == 0) at.step++, at.token = 0;
            p->tensor->data[j] = p->initial < 0   ? 1
                                 : p->initial > 0 ? (r1i_real)p->initial * r1_random_normal(&at)
                                                  : 0;
        }
    }
    r1i_float_leave(state);
}
// m(a) of YaRN; 1 when nothing is stretched.   Source: HF yarn_get_mscale.
R1I_PLAIN static double r1i_yarn_mscale(double factor, double weight) {
    return factor > 1 ? 0.1 * weight * r1i_log_double(factor) + 1 : 1;
}
// What YaRN multiplies cos and sin by.
R1I_PLAIN static double r1i_yarn_amplitude(const r1_rope_scaling *rope) {
    bool both = rope->mscale > 0 && rope->mscale_all > 0;
    if (!both) return r1i_yarn_mscale(rope->factor, 1);
    return r1i_yarn_mscale(rope->factor, rope->mscale) /
           r1i_yarn_mscale(rope->factor, rope->mscale_all);
}
// The pair of a head, as a real number, that turns `turns` times within the original length.
R1I_PLAIN static double r1i_yarn_pair(const r1_model_config *c, size_t D, double turns) {
    double two_pi = 6.283185307179586;
    return (double)D * r1i_log_double((double)c->rope.original / (turns * two_pi)) /
           (2 * r1i_log_double(c->rope_theta));
}
// How much of a pair's frequency YaRN divides by the factor: 0 for fast pairs, 1 for slow ones, and
// a ramp between.
R1I_PLAIN static double r1i_yarn_share(const r1_model_config *c, size_t D, size_t pair) {
    double low = floor(r1i_yarn_pair(c, D, c->rope.beta_fast));
    double high = ceil(r1i_yarn_pair(c, D, c->rope.beta_slow));
    low = low < 0 ? 0 : low, high = high > (double)D - 1 ? (double)D - 1 : high;
    if (low == high) high += 0.001; // as the original does, instead of dividing by zero
    double share = ((double)pair - low) / (high - low);
    return share < 0 ? 0 : share > 1 ? 1 : share;
}
// theta^(-2 i / D), stretched if the config says so.
R1I_PLAIN static double r1i_rope_frequency(const r1_model_config *c, size_t D, size_t pair) {
    double plain = r1i_exp_double(-r1i_log_double(c->rope_theta) * (double)(2 * pair) / (double)D);
    if (c->rope.kind == R1_ROPE_PLAIN) return plain;
    double share = r1i_yarn_share(c, D, pair);
    return plain / c->rope.factor * share + plain * (1 - share);
}
// cos and sin of the angle t * frequency(i), for t < max_tokens and i < D / 2, computed in double
// and rounded once. No libm is in it, so every machine has the same table.
static bool r1i_model_rope(r1_model *model) {
    const r1_model_config *c = &model->config;
    size_t D = c->attention == R1_MLA ? c->rope_dim : c->head_dim, half = D / 2;
    size_t n = r1i_size_mul(c->max_tokens, half);
    r1i_real *cosine = (r1i_real *)r1i_alloc_array(model->ctx, n, sizeof *cosine);
    r1i_real *sine = (r1i_real *)r1i_alloc_array(model->ctx, n, sizeof *sine);
    model->rope = (r1_rope_table){cosine, sine, c->max_tokens, D}; // r1_model_free has it from here
    if (!cosine || !sine) return false;
    double amplitude = c->rope.kind == R1_ROPE_YARN ? r1i_yarn_amplitude(&c->rope) : 1;
    for (size_t i = 0; i < half; i++) {
        double frequency = r1i_rope_frequency(c, D, i);
        for (size_t t = 0; t < c->max_tokens; t++) {
            double s, co;
            r1i_sin_cos((double)t * frequency, &s, &co);
            cosine[t * half + i] = (r1i_real)(co * amplitude);
            sine[t * half + i] = (r1i_real)(s * amplitude);
        }
    }
    return true;
}
// The factor on the scores of MLA: 1 / sqrt(nope + rope), times m^2 with YaRN.
R1I_PLAIN static double r1i_mla_scale(const r1_model_config *c) {
    double scale = 1 / sqrt((double)(c->nope_dim + c->rope_dim));
    if (c->rope.kind != R1_ROPE_YARN || !(c->rope.mscale_all > 0)) return scale;
    double m = r1i_yarn_mscale(c->rope.factor, c->rope.mscale_all);
    return scale * (m * m);
}
// Also takes back what a failed r1i_model_make has left half done: memory comes zeroed.
R1I_BODY void r1_model_free(r1_model *model) {
    if (!model) return;
    r1_context *ctx = model->ctx;
    for (size_t i = 0; i < model->n_aliases; i++) {
        r1i_free(ctx, model->aliases[i].tensor->grad);
        r1i_free(ctx, model->aliases[i].tensor);
    }
    r1i_free(ctx, model->aliases);
    for (size_t i = 0; i < model->n; i++) r1i_free(ctx, model->parameters[i].tensor);
    for (int r = 0; r < 3; r++) {
        r1_range *range = &model->ranges[r];
        r1i_free(ctx, range->w), r1i_free(ctx, range->g);
        r1i_free(ctx, range->m), r1i_free(ctx, range->v);
    }
    for (size_t i = 0; model->layers && i < r1i_all_layers(&model->config); i++)
        r1i_free(ctx, model->layers[i].kv_heads);
    r1i_free(ctx, (void *)(uintptr_t)model->rope.cosine);
    r1i_free(ctx, (void *)(uintptr_t)model->rope.sine);
    r1i_free(ctx, model->parameters), r1i_free(ctx, model->layers);
    r1i_free(ctx, model->router_bias), r1i_free(ctx, model);
}
// Adds what an alias has collected to its base.
static void r1i_alias_fold(r1i_alias *alias) {
    size_t n = r1_tensor_count(alias->base);
    for (size_t j = 0; j < n && alias->used; j++) alias->base->grad[j] += alias->tensor->grad[j];
    memset(alias->tensor->grad, 0, alias->used ? n * sizeof(r1i_real) : 0);
    alias->used = false;
}
// Completes the gradients of all tables that have aliases, in the order in which these were made.
static void r1i_model_fold(const r1_model *model) {
    for (size_t i = 0; i < model->n_aliases; i++) r1i_alias_fold(&model->aliases[i]);
}
// Forgets what a pass that failed has left in them.
static void r1i_model_drop_folds(r1_model *model) {
    for (size_t i = 0; i < model->n_aliases; i++) {
        r1i_alias *alias = &model->aliases[i];
        if (alias->used)
            memset(alias->tensor->grad, 0, r1_tensor_count(alias->base) * sizeof(r1i_real));
        alias->used = false;
    }
}
// The base under another name; NULL without memory.
static r1_tensor *r1i_model_alias(r1_model *model, r1_tensor *base) {
    if (!r1i_grow(model->ctx, (void **)&model->aliases, &model->aliases_capacity,
                  model->n_aliases + 1, sizeof *model->aliases))
        return NULL;
    r1_tensor *alias = (r1_tensor *)r1i_alloc(model->ctx, sizeof *alias);
    if (!alias) return NULL;
    *alias = *base;
    alias->grad = (r1i_real *)r1i_alloc_array(model->ctx, r1_tensor_count(base), sizeof(r1i_real));
    model->aliases[model->n_aliases++] = (r1i_alias){.base = base, .tensor = alias};
    return alias->grad ? alias : NULL;
}
static bool r1i_model_aliases(r1_model *model) {
    const r1_model_config *c = &model->config;
    model->embed_in = c->tied_head ? r1i_model_alias(model, model->embed) : model->embed;
    for (size_t i = c->layers; i < r1i_all_layers(c); i++) {
        model->layers[i].embed = r1i_model_alias(model, model->embed);
        model->layers[i].head = r1i_model_alias(model, model->head);
    }
    return model->ctx->status == R1_OK;
}
// Everything but the numbers: whoever calls it draws, copies or loads them.
static r1_model *r1i_model_make(r1_context *ctx, const r1_model_config *config) {
    r1_model *model = (r1_model *)r1i_alloc(ctx, sizeof *model);
    if (!model) return NULL;
    model->ctx = ctx, model->config = *config;
    const r1_model_config *c = &model->config;
    if (r1i_config_resolve(ctx, &model->config) == R1_OK) {
        size_t layers = r1i_all_layers(c);
        model->moe_layers = c->layers - c->dense_layers;
        model->routers = model->moe_layers ? layers - c->dense_layers : 0;
        size_t biases = r1i_size_mul(model->routers, c->experts);
        model->layers = (r1i_layer *)r1i_alloc_array(ctx, layers, sizeof *model->layers);
        model->router_bias = (r1i_real *)r1i_alloc_array(ctx, biases, sizeof *model->router_bias);
    }
    if (ctx->status == R1_OK) {
        // sqrt(C) cancels the 1 / sqrt(C) of r1i_parameter_add. The small head makes the first
        // distribution over ids nearly flat.
        size_t shape[] = {c->vocab, c->width};
        model->embed = r1i_parameter_add(model, R1I_DECAYED, 0.5 * sqrt((double)c->width), 2, shape,
                                         "model.embed_tokens.weight");
        for (size_t i = 0; i < c->layers; i++) r1i_add_block(model, i);
        model->norm =
            r1i_parameter_add(model, R1I_UNDECAYED, R1I_GAIN, 1, &shape[1], "model.norm.weight");
        model->head = model->embed;
        if (!c->tied_head)
            model->head = r1i_parameter_add(model, R1I_DECAYED, 0.02 * sqrt((double)c->width), 2,
                                            shape, "lm_head.weight");
        for (size_t i = c->layers; i < r1i_all_layers(c); i++) r1i_add_mtp(model, i);
    }
    if (ctx->status != R1_OK || !r1i_model_memory(model) || !r1i_model_aliases(model) ||
        !r1i_model_rope(model)) {
        r1_model_free(model);
        return NULL;
    }
    for (size_t i = 0; i < r1i_all_layers(c) && c->attention == R1_MLA; i++) { // one memory
        r1i_layer *l = &model->layers[i];
        if (!(l->kv_heads = (r1_tensor *)r1i_alloc(ctx, sizeof *l->kv_heads))) break;
        *l->kv_heads = *l->kv_b;
        l->kv_heads->rank = 3, l->kv_heads->shape[0] = c->heads;
        l->kv_heads->shape[1] = c->nope_dim + c->value_dim, l->kv_heads->shape[2] = c->kv_rank;
    }
    if (ctx->status == R1_OK) return model;
    r1_model_free(model);
    return NULL;
}
R1I_BODY r1_model *r1_model_new(r1_context *ctx, const r1_model_config *config) {
    if (!ctx || ctx->status != R1_OK) return NULL;
    if (!config) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "r1_model_new: config is NULL");
        return NULL;
    }
    r1_model *model = r1i_model_make(ctx, config);
    if (model) r1i_model_draw(model);
    return model;
}
// Equal names and shapes in equal order mean equal layouts, so whole ranges are copied.
R1I_BODY r1_status r1_model_copy(r1_model *to, const r1_model *from) {
    if (!to || !from) return R1_ERROR_ARGUMENT;
    bool same = to->n == from->n && to->routers == from->routers &&
                to->config.experts == from->config.experts;
    for (size_t i = 0; same && i < to->n; i++) {
        const r1_tensor *a = to->parameters[i].tensor, *b = from->parameters[i].tensor;
        same = !strcmp(to->parameters[i].name, from->parameters[i].name) && a->rank == b->rank &&
               !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
    }
    if (!same) return r1i_fail(to->ctx, R1_ERROR_SHAPE, "r1_model_copy: the configs differ");
    for (int r = 0; r < 3; r++)
        memcpy(to->ranges[r].w, from->ranges[r].w, from->ranges[r].n * sizeof(r1i_real));
    memcpy(to->router_bias, from->router_bias,
           from->routers * from->config.experts * sizeof(r1i_real));
    return R1_OK;
}
// Made without a random start, which the copy would overwrite at once.
R1I_BODY r1_model *r1_model_clone(r1_model *model) {
    if (!model || model->ctx->status != R1_OK) return NULL;
    r1_model *copy = r1i_model_make(model->ctx, &model->config);
    if (copy) r1_model_copy(copy, model);
    return copy;
}
R1I_BODY r1_context *r1_model_context(r1_model *model) { return model ? model->ctx : NULL; }
R1I_BODY const r1_model_config *r1_model_config_of(const r1_model *model) {
    return model ? &model->config : NULL;
}
R1I_BODY const r1_parameter *r1_model_parameters(const r1_model *model, size_t *n) {
    if (n) *n = model ? model->n : 0;
    return model ? model->parameters : NULL;
}
R1I_BODY r1_range *r1_model_ranges(r1_model *model, size_t *n) {
    if (n) *n = model ? 3 : 0;
    return model ? model->ranges : NULL;
}
// Moments are made late: a reference or a model that only samples never pays for them.
R1I_BODY r1_status r1_model_train_ready(r1_model *model) {
    if (!model) return R1_ERROR_ARGUMENT;
    for (int r = 0; r < 3 && !model->moments; r++) {
        r1_range *range = &model->ranges[r];
        // A call that ran out of memory may have left some of them.
        if (!range->m)
            range->m = (r1i_real *)r1i_alloc_array(model->ctx, range->n, sizeof *range->m);
        if (!range->v)
            range->v = (r1i_real *)r1i_alloc_array(model->ctx, range->n, sizeof *range->v);
        if (!range->m || !range->v) return model->ctx->status;
    }
    model->moments = true;
    return R1_OK;
}
// Counts parameters, without the padding between them and without the router biases.
R1I_BODY size_t r1_model_size(const r1_model *model) {
    size_t size = 0;
    for (size_t i = 0; model && i < model->n; i++)
        size += r1_tensor_count(model->parameters[i].tensor);
    return size;
}
// Chained over the ranges, then the biases. The padding is hashed too; it is zero in every model.
R1I_BODY uint64_t r1_model_hash(const r1_model *model) {
    uint64_t hash = 0;
    if (!model) return hash;
    for (int r = 0; r < 3; r++)
        hash = r1i_hash(hash, model->ranges[r].w, model->ranges[r].n * sizeof(r1i_real));
    return r1i_hash(hash, model->router_bias,
                    model->routers * model->config.experts * sizeof(r1i_real));
}
R1I_BODY r1_tensor *r1_model_head(r1_model *model) { return model ? model->head : NULL; }
R1I_BODY size_t r1_model_moe_layers(const r1_model *model) { return model ? model->moe_layers : 0; }
R1I_BODY size_t r1_model_routers(const r1_model *model) { return model ? model->routers : 0; }
R1I_BODY r1i_real *r1_model_router_bias(r1_model *model, size_t layer) {
    return model && layer < r1i_all_layers(&model->config) ? model->layers[layer].bias : NULL;
}

// "a.experts.12.b" -> the stack "a.experts.b" and 12; false when the name has no expert number.
static bool r1i_expert_name(const char *name, char *stack, size_t size, size_t *expert) {
    const char *at = strstr(name, ".experts.");
    if (!at || at[9] < '0' || at[9] > '9') return false;
    size_t e = 0;
    const char *digit = at + 9;
    for (; *digit >= '0' && *digit <= '9' && e < 1000000; digit++)
        e = e * 10 + (size_t)(*digit - '0');
    if (*digit != '.') return false;
    snprintf(stack, size, "%.*s.experts%s", (int)(at - name), name, digit);
    *expert = e;
    return true;
}
// An expert of a stack is found under the name of the stack, then cut out as a [O,I] view whose
// weights and gradient are the stack's own memory.
R1I_BODY r1_tensor *r1_model_find(r1_model *model, const char *name) {
    char stack[96];
    size_t expert = 0;
    if (!model) return NULL;
    bool one = r1i_expert_name(name, stack, sizeof stack, &expert);
    for (size_t i = 0; i < model->n; i++) {
        r1_tensor *x = model->parameters[i].tensor;
        if (strcmp(model->parameters[i].name, one ? stack : name)) continue;
        if (!one) return x;
        if (expert >= x->shape[0]) return NULL;
        r1_tensor *view = r1i_tensor_shell(model->ctx, 2, x->shape + 1);
        if (!view) return NULL;
        size_t offset = expert * r1_tensor_count(view);
        view->data = x->data + offset, view->grad = x->grad + offset, view->wants_grad = true;
        return view;
    }
    return NULL;
}

// ---- forward ----
// x [T, H D] as [T,H,D]: the same numbers under another shape.
static r1_tensor *r1i_heads(r1_context *ctx, r1_tensor *x, size_t heads) {
    if (!x) return NULL;
    return r1_tensor_reshape(ctx, x, 3, (size_t[]){x->shape[0], heads, r1i_last(x) / heads});
}
// x [T,C] -> [T,C].   Source: V3code MLP.
static r1_tensor *r1i_mlp_forward(r1_context *ctx, const r1i_mlp *mlp, r1_tensor *x) {
    r1_tensor *gate = r1_matmul(ctx, x, mlp->gate, NULL); // one op a statement: see [tape]
    r1_tensor *up = r1_matmul(ctx, x, mlp->up, NULL);
    return r1_matmul(ctx, r1_swiglu(ctx, gate, up), mlp->down, NULL);
}
// Writes the new rows of keys and values into the blocks of their sequences: the token at position
// `at` goes to block tables[b][at / 64], slot at % 64. Blocks that several sequences share are full
// and are never written again: r1i_table_fork copies the unfinished one.
static void r1i_cache_append(const struct r1i_cached *cached, const r1_batch *batch, size_t layer,
                             const r1_tensor *k, const r1_tensor *v) {
    const r1i_cache *cache = cached->cache;
    size_t part = R1I_BLOCK_TOKENS * (cache->key_floats + cache->value_floats);
    for (size_t b = 0; b < batch->B; b++)
        for (size_t t = batch->starts[b]; t < batch->starts[b + 1]; t++) {
            size_t at = cached->past[b] + t - batch->starts[b], slot = at % R1I_BLOCK_TOKENS;
            size_t block = (size_t)cached->tables[b][at / R1I_BLOCK_TOKENS];
            r1i_real *base = cache->data + (block * cache->layers + layer) * part;
            memcpy(base + slot * cache->key_floats, k->data + t * cache->key_floats,
                   cache->key_floats * sizeof *base);
            base += R1I_BLOCK_TOKENS * cache->key_floats + slot * cache->value_floats;
            memcpy(base, v->data + t * cache->value_floats, cache->value_floats * sizeof *base);
        }
}
// Pointers to the blocks of every sequence, in two views: keys and values. They cover what was
// cached before and the rows of this pass: the kernel reads the cache only.
static bool r1i_cache_views(r1_context *ctx, const struct r1i_cached *cached, const r1_batch *batch,
                            size_t layer, const r1_tensor *k, const r1_tensor *v,
                            r1_attention_args *args) {
    const r1i_cache *cache = cached->cache;
    size_t part = R1I_BLOCK_TOKENS * (cache->key_floats + cache->value_floats);
    r1_rows_view *views = (r1_rows_view *)r1i_step_alloc(ctx, 2 * batch->B, sizeof *views);
    if (!views) return false;
    for (size_t b = 0; b < batch->B; b++) {
        size_t n = cached->past[b] + batch->starts[b + 1] - batch->starts[b];
        size_t blocks = r1i_ceil_div(n, R1I_BLOCK_TOKENS);
        const r1i_real **at = (const r1i_real **)r1i_step_alloc(ctx, 2 * blocks, sizeof *at);
        if (!at) return false;
        for (size_t i = 0; i < blocks; i++) {
            at[i] = cache->data + ((size_t)cached->tables[b][i] * cache->layers + layer) * part;
            // without value rows of their own, values are the front of the keys
            at[blocks + i] =
                cache->value_floats ? at[i] + R1I_BLOCK_TOKENS * cache->key_floats : at[i];
        }
        size_t width = cache->value_floats ? cache->value_floats : cache->key_floats;
        views[b] = (r1_rows_view){at, R1I_BLOCK_TOKENS, cache->key_floats, k->shape[2]};
        views[batch->B + b] = (r1_rows_view){at + blocks, R1I_BLOCK_TOKENS, width, v->shape[2]};
    }
    args->keys = views, args->values = views + batch->B;
    return true;
}
// Attention of the new tokens' queries over all cached keys, those of the new tokens included. It
// leaves no record: there is no gradient through a cache.
static r1_tensor *r1i_attention_cached(r1_context *ctx, const r1_batch *batch, size_t layer,
                                       r1_tensor *q, r1_tensor *k, r1_tensor *v, double scale) {
    if (!r1i_usable(ctx, q, k) || !v) return NULL;
    r1i_cache_append(batch->cached, batch, layer, k, v);
    r1_tensor *y = r1i_tensor_raw(ctx, 3, (size_t[]){q->shape[0], q->shape[1], v->shape[2]});
    r1_attention_args args = {.B = batch->B,
                              .H = q->shape[1],
                              .Hk = k->shape[1],
                              .D = q->shape[2],
                              .W = v->shape[2],
                              .starts = batch->starts,
                              .scale = (r1i_real)scale,
                              .q = q->data,
                              .cached = true,
                              .past = batch->cached->past};
    args.stats = (r1i_real *)r1i_step_alloc(ctx, q->shape[0] * q->shape[1], 2 * sizeof *args.stats);
    if (!y || !args.stats || !r1i_cache_views(ctx, batch->cached, batch, layer, k, v, &args))
        return NULL;
    args.y = y->data;
    return r1i_run(ctx, R1_OP_ATTENTION, R1_FORWARD, &args) ? y : NULL;
}
// Keys in one stretch or in blocks are walked in the same order by one kernel, so that a cached
// token and a trained one have the same bits.
static r1_tensor *r1i_attend_batch(r1_model *model, const r1_batch *batch, size_t layer,
                                   r1_tensor *q, r1_tensor *k, r1_tensor *v, double scale) {
    if (batch->cached) return r1i_attention_cached(model->ctx, batch, layer, q, k, v, scale);
    return r1_attention(model->ctx, q, k, v, batch->starts, batch->B, scale);
}
// Multi-head latent attention, x [T,C] -> [T,C].   Source: V3 eq. 1 to 11; absorbed form: V2
// section 2.1.2. For both forms, with R = kv_rank and c_Q = x if there is no q_rank:
//   c_Q = norm(W_DQ x)                 q = W_UQ c_Q = for each head [ q_C (nope) | q_R (rope) ]
//   [c_KV (R) | k_R (rope)] = W_DKV x  then c_KV = norm(c_KV); q_R and k_R are rotated by position
// They differ in what attention sees, and in what a cache must keep:
//   expanded  H key heads  [ W_UK c_KV | k_R ]     values W_UV c_KV     queries [ q_C | q_R ]
//   absorbed  1 key head   [ c_KV | k_R ]         values c_KV          queries [ W_UK^T q_C | q_R ]
//             and W_UV multiplies the result of each head
// The scores are equal since q_C . (W_UK c) = (W_UK^T q_C) . c, the outputs since a weighted sum of
// W_UV c is W_UV of the weighted sum. The scale is 1 / sqrt(nope + rope) in both.
static r1_tensor *r1i_mla_forward(r1_model *model, const r1_batch *batch, size_t layer,
                                  r1_tensor *x, const int32_t *positions) {
    r1_context *ctx = model->ctx;
    const r1_model_config *c = &model->config;
    const r1i_layer *l = &model->layers[layer];
    r1_tensor *q_in = x;
    if (c->q_rank) q_in = r1_rmsnorm(ctx, r1_matmul(ctx, x, l->q_a, NULL), l->q_norm, c->norm_eps);
    r1_tensor *q = r1i_heads(ctx, r1_matmul(ctx, q_in, l->q, NULL), c->heads);
    r1_tensor *kv = r1_matmul(ctx, x, l->kv_a, NULL);
    r1_tensor *latent = r1_columns(ctx, kv, 0, c->kv_rank);
    latent = r1_rmsnorm(ctx, latent, l->kv_norm, c->norm_eps);
    r1_tensor *k_rope = r1i_heads(ctx, r1_columns(ctx, kv, c->kv_rank, c->rope_dim), 1);
    k_rope = r1_rope(ctx, k_rope, positions, &model->rope, false);
    r1_tensor *q_rope = r1_columns(ctx, q, c->nope_dim, c->rope_dim);
    q_rope = r1_rope(ctx, q_rope, positions, &model->rope, false);
    r1_tensor *q_nope = r1_columns(ctx, q, 0, c->nope_dim), *k, *v, *y;
    double scale = r1i_mla_scale(c);
    if (r1i_absorbed(c)) { // keys stay latent: W_UK moves to the query, W_UV behind the sum
        q = r1_join(ctx, r1_head_matmul(ctx, q_nope, l->kv_heads, 0, c->nope_dim, true), q_rope);
        v = r1i_heads(ctx, latent, 1);
        k = r1_join(ctx, v, k_rope);
        y = r1i_attend_batch(model, batch, layer, q, k, v, scale);
        y = r1_head_matmul(ctx, y, l->kv_heads, c->nope_dim, c->value_dim, false);
    } else {
        r1_tensor *both = r1i_heads(ctx, r1_matmul(ctx, latent, l->kv_b, NULL), c->heads);
        q = r1_join(ctx, q_nope, q_rope);
        k = r1_join(ctx, r1_columns(ctx, both, 0, c->nope_dim), k_rope);
        v = r1_columns(ctx, both, c->nope_dim, c->value_dim);
        y = r1i_attend_batch(model, batch, layer, q, k, v, scale);
    }
    if (!y) return NULL;
    y = r1_tensor_reshape(ctx, y, 2, (size_t[]){x->shape[0], c->heads * c->value_dim});
    return r1_matmul(ctx, y, l->out, NULL);
}
// Grouped-query attention as in Qwen2: biases on q, k, v, and halves rotated instead of pairs.
// q [T,H,D], k and v [T,Hk,D]; the cache keeps k after its rotation.
static r1_tensor *r1i_gqa_forward(r1_model *model, const r1_batch *batch, size_t layer,
                                  r1_tensor *x, const int32_t *positions) {
    r1_context *ctx = model->ctx;
    const r1_model_config *c = &model->config;
    const r1i_layer *l = &model->layers[layer];
    r1_tensor *q = r1i_heads(ctx, r1_matmul(ctx, x, l->q, l->q_bias), c->heads);
    r1_tensor *k = r1i_heads(ctx, r1_matmul(ctx, x, l->k, l->k_bias), c->kv_heads);
    r1_tensor *v = r1i_heads(ctx, r1_matmul(ctx, x, l->v, l->v_bias), c->kv_heads);
    q = r1_rope(ctx, q, positions, &model->rope, true);
    k = r1_rope(ctx, k, positions, &model->rope, true);
    r1_tensor *y = r1i_attend_batch(model, batch, layer, q, k, v, 1 / sqrt((double)c->head_dim));
    if (!y) return NULL;
    y = r1_tensor_reshape(ctx, y, 2, (size_t[]){x->shape[0], c->heads * c->head_dim});
    return r1_matmul(ctx, y, l->out, NULL);
}
// DeepSeekMoE: shared experts plus the gated sum of the chosen ones, without the residual.
//   x [T,C] -> logits [T,E] -> choice, gates [T,K] -> rows [T K, C] by expert -> experts -> [T,C]
// Layers stand side by side in the caller's arrays of choices [T, MoE layers, K], so this layer's
// are gathered and scattered. The balance losses of all layers add up to one [B].
//   Source: V3 eq. 12 to 16 (experts and gates), 17 to 20 (balance loss).
static r1_tensor *r1i_moe_forward(r1_model *model, r1_batch *batch, size_t layer, r1_tensor *x) {
    r1_context *ctx = model->ctx;
    const r1_model_config *c = &model->config;
    const r1i_layer *l = &model->layers[layer];
    size_t moe = layer - c->dense_layers, K = c->chosen, stride = model->moe_layers * K;
    r1_tensor *logits = r1_matmul(ctx, x, l->router, NULL);
    r1_route_desc desc = {.chosen = K,
                          .groups = c->groups,
                          .kept = c->kept_groups,
                          .scale = c->routed_scale,
                          .normalise = c->normalise_gates,
                          .softmax = c->softmax_scores};
    int32_t *replay = NULL;
    if (batch->replay && logits) {
        replay = (int32_t *)r1i_step_alloc(ctx, x->shape[0] * K, sizeof *replay);
        for (size_t t = 0; replay && t < x->shape[0]; t++)
            memcpy(replay + t * K, batch->replay + t * stride + moe * K, K * sizeof *replay);
    }
    r1_routing *routing = r1_route(ctx, logits, l->bias, &desc, replay);
    if (!routing) return NULL;
    for (size_t t = 0; t < routing->T && batch->routes; t++)
        memcpy(batch->routes + t * stride + moe * K, routing->choice + t * K, K * sizeof(int32_t));
    for (size_t e = 0; e < c->experts && batch->loads; e++)
        batch->loads[moe * c->experts + e] += routing->offsets[e + 1] - routing->offsets[e];
    if (batch->balance_weight) {
        r1_tensor *loss = r1_balance(ctx, routing, batch->starts, batch->B, batch->balance_weight);
        batch->balance = batch->balance ? r1_add(ctx, batch->balance, loss) : loss;
    }
    r1_tensor *rows = r1_dispatch(ctx, x, routing);
    r1_tensor *gate = r1_expert_matmul(ctx, rows, l->experts.gate, routing);
    r1_tensor *up = r1_expert_matmul(ctx, rows, l->experts.up, routing);
    r1_tensor *h = r1_swiglu(ctx, gate, up);
    r1_tensor *y = r1_combine(ctx, r1_expert_matmul(ctx, h, l->experts.down, routing), routing);
    return c->shared ? r1_add(ctx, r1i_mlp_forward(ctx, &l->shared, x), y) : y;
}
// A record without a kernel, left by the first use of an alias: the backward pass meets it after
// all others of the alias, and finds its gradient complete.
static bool r1i_alias_bind(r1_context *ctx, r1i_record *record) {
    const r1_model *model = (const r1_model *)record->args;
    (void)ctx;
    for (size_t i = 0; i < model->n_aliases && !model->fold_later; i++)
        if (model->aliases[i].tensor == record->out[0]) r1i_alias_fold(&model->aliases[i]);
    return false;
}
// Marks an alias as used in this pass. Another tensor, or no gradients: nothing to do.
static bool r1i_alias_use(r1_model *model, const r1_tensor *tensor) {
    r1i_tape *tape = r1i_tape_of(model->ctx);
    if (!tape || tape->no_grad) return tape != NULL;
    for (size_t i = 0; i < model->n_aliases; i++) {
        r1i_alias *alias = &model->aliases[i];
        if (alias->tensor != tensor) continue;
        alias->used = true;
        return r1i_tape_push(model->ctx, tape,
                             (r1i_record){.args = model,
                                          .in = {alias->base},
                                          .out = {alias->tensor},
                                          .bind = r1i_alias_bind});
    }
    return true;
}
// The position of every row in its own sequence; with a cache it goes on after the past.
static int32_t *r1i_positions(r1_context *ctx, const r1_batch *batch) {
    size_t T = batch->starts[batch->B];
    int32_t *positions = (int32_t *)r1i_step_alloc(ctx, T, sizeof *positions);
    for (size_t b = 0; positions && b < batch->B; b++)
        for (size_t t = batch->starts[b]; t < batch->starts[b + 1]; t++)
            positions[t] =
                (int32_t)(t - batch->starts[b] + (batch->cached ? batch->cached->past[b] : 0));
    return positions;
}
// A pre-norm block: x += attention(norm1(x)), then x += ffn(norm2(x)), where the ffn is DeepSeekMoE
// or dense. An op that gets NULL gives NULL, so a failure anywhere arrives as NULL.
static r1_tensor *r1i_block_forward(r1_model *model, r1_batch *batch, size_t i, r1_tensor *x,
                                    const int32_t *positions) {
    r1_context *ctx = model->ctx;
    const r1_model_config *c = &model->config;
    const r1i_layer *l = &model->layers[i];
    r1_tensor *h = r1_rmsnorm(ctx, x, l->norm1, c->norm_eps);
    if (!h || !positions) return NULL;
    h = c->attention == R1_MLA ? r1i_mla_forward(model, batch, i, h, positions)
                               : r1i_gqa_forward(model, batch, i, h, positions);
    x = r1_add(ctx, x, h);
    h = r1_rmsnorm(ctx, x, l->norm2, c->norm_eps);
    if (!h) return NULL;
    h = l->router ? r1i_moe_forward(model, batch, i, h) : r1i_mlp_forward(ctx, &l->dense, h);
    return r1_add(ctx, x, h);
}
R1I_BODY r1_tensor *r1_model_forward(r1_model *model, r1_batch *batch) {
    if (!model || !batch || model->ctx->status != R1_OK) return NULL;
    r1_context *ctx = model->ctx;
    const r1_model_config *c = &model->config;
    if (!batch->tokens || !batch->starts || !batch->B ||
        !r1i_starts_rise(batch->starts, batch->B, batch->starts[batch->B])) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT,
                 "forward: the batch needs tokens, and starts that rise from 0 for "
                 "at least one sequence");
        return NULL;
    }
    // The first layer with experts puts its loss there, the others add theirs.
    batch->balance = NULL;
    if (!r1i_alias_use(model, model->embed_in)) return NULL;
    int32_t *positions = r1i_positions(ctx, batch);
    r1_tensor *x = r1_embed(ctx, model->embed_in, batch->tokens, batch->starts[batch->B]);
    for (size_t i = 0; i < c->layers && x; i++)
        x = r1i_block_forward(model, batch, i, x, positions);
    return r1_rmsnorm(ctx, x, model->norm, c->norm_eps);
}
// Depth k >= 1 of multi-token prediction -> [T,C], for the next depth and, after r1i_mtp_norm, for
// the head. Row i of a sequence is given the hidden state of row i one depth below (the output of
// the main model for k = 1) and in batch->tokens the token k places on; it predicts the next one.
//   row i of a sequence    0       1       2             x = W [norm(embed(t_i+k)) ; norm(h_i)]
//   depth 1 reads        h0 t1   h1 t2   h2 t3           and predicts t2 t3 t4
//   depth 2 reads        g0 t2   g1 t3                   and predicts t3 t4; g is from depth 1
//   Source: V3 eq. 21 to 23. Differs: embedding first, the order of the columns in checkpoints. The
// next depth gets the output of the block, as the equations say; transformers norms it before.
static r1_tensor *r1i_mtp_forward(r1_model *model, r1_batch *batch, size_t depth,
                                  r1_tensor *below) {
    r1_context *ctx = model->ctx;
    size_t i = model->config.layers + depth - 1, T = batch->starts[batch->B];
    const r1i_layer *l = &model->layers[i];
    double eps = model->config.norm_eps;
    if (!below || !r1i_alias_use(model, l->embed)) return NULL;
    batch->balance = NULL;
    r1_tensor *embedded =
        r1_rmsnorm(ctx, r1_embed(ctx, l->embed, batch->tokens, T), l->embed_norm, eps);
    r1_tensor *hidden = r1_rmsnorm(ctx, below, l->hidden_norm, eps);
    r1_tensor *both = r1_join(ctx, r1i_heads(ctx, embedded, 1), r1i_heads(ctx, hidden, 1));
    if (!both) return NULL;
    both = r1_tensor_reshape(ctx, both, 2, (size_t[]){T, 2 * model->config.width});
    return r1i_block_forward(model, batch, i, r1_matmul(ctx, both, l->merge, NULL),
                             r1i_positions(ctx, batch));
}
// What the head reads at a depth.
static r1_tensor *r1i_mtp_norm(r1_model *model, size_t depth, r1_tensor *x) {
    const r1i_layer *l = &model->layers[model->config.layers + depth - 1];
    return r1_rmsnorm(model->ctx, x, l->head_norm, model->config.norm_eps);
}
// By sign only: how far a load is off the mean plays no part, and an exact mean moves nothing.
R1I_BODY void r1_model_balance_bias(r1_model *model, const uint64_t *loads, double rate) {
    if (!model) return;
    size_t E = model->config.experts;
    for (size_t layer = 0; layer < model->routers; layer++) {
        // Integers: the comparison is exact, and the sum over ranks does not depend on an order.
        uint64_t total = 0;
        for (size_t e = 0; e < E; e++) total += loads[layer * E + e];
        for (size_t e = 0; e < E; e++) { // compared in integers: load * E against the total
            uint64_t load = loads[layer * E + e] * E;
            r1i_real *bias = model->router_bias + layer * E + e;
            *bias = r1i_total(*bias, (r1i_real)(load > total ? -rate : load < total ? rate : 0));
        }
    }
}
// The token that row t predicts; the last row of a sequence predicts nothing and gets itself, an id
// that surely is in the vocabulary. Nobody reads its log-prob.
static int32_t *r1i_targets(r1_context *ctx, const int32_t *tokens, const size_t *starts,
                            size_t B) {
    int32_t *targets = (int32_t *)r1i_step_alloc(ctx, starts[B], sizeof *targets);
    for (size_t b = 0; targets && b < B; b++)
        for (size_t t = starts[b]; t < starts[b + 1]; t++)
            targets[t] = tokens[t + 1 < starts[b + 1] ? t + 1 : t];
    return targets;
}
// Sequences b .. end of a batch that fit into one pass of `most` tokens; at least one.
static size_t r1i_pass_end(const size_t *starts, size_t b, size_t B, size_t most) {
    size_t end = b + 1;
    while (end < B && starts[end + 1] - starts[b] <= most) end++;
    return end;
}
// starts[b .. end] as offsets from starts[b], in the step.
static size_t *r1i_pass_starts(r1_context *ctx, const size_t *starts, size_t b, size_t end) {
    size_t *own = (size_t *)r1i_step_alloc(ctx, end - b + 1, sizeof *own);
    for (size_t i = b; own && i <= end; i++) own[i - b] = starts[i] - starts[b];
    return own;
}
// Passes take whole sequences, and a row sees its own sequence only: where the batch is cut cannot
// show. Row t - 1 predicts token t, hence the shift by one on the way out.
R1I_BODY r1_status r1_model_score(r1_model *model, const r1_batch *batch, double temperature,
                                  size_t micro_tokens, float *logp, float *entropy) {
    if (!model || !batch || !batch->tokens || !batch->starts) return R1_ERROR_ARGUMENT;
    r1_context *ctx = model->ctx;
    size_t most = micro_tokens ? micro_tokens : 4096;
    if (!batch->B || !r1i_starts_rise(batch->starts, batch->B, batch->starts[batch->B]))
        return r1i_fail(ctx, R1_ERROR_ARGUMENT,
                        "score: starts must rise from 0 for at least one sequence");
    for (size_t b = 0; b < batch->B && ctx->status == R1_OK;) {
        size_t end = r1i_pass_end(batch->starts, b, batch->B, most), first = batch->starts[b];
        size_t stride = model->moe_layers * model->config.chosen;
        r1_step_begin(ctx);
        r1_no_grad_begin(ctx);
        r1_batch pass = {.tokens = batch->tokens + first,
                         .B = end - b,
                         .loads = batch->loads,
                         .replay = batch->replay ? batch->replay + first * stride : NULL,
                         .routes = batch->routes ? batch->routes + first * stride : NULL};
        pass.starts = r1i_pass_starts(ctx, batch->starts, b, end);
        r1_logprobs *out = NULL;
        if (pass.starts) {
            int32_t *targets = r1i_targets(ctx, pass.tokens, pass.starts, pass.B);
            out =
                r1_logprob(ctx, r1_model_forward(model, &pass), model->head, targets, temperature);
        }
        for (size_t i = 0; out && i < pass.B; i++)
            for (size_t t = pass.starts[i]; t < pass.starts[i + 1]; t++) {
                bool none = t == pass.starts[i]; // nothing before it predicts the first token
                if (logp) logp[first + t] = none ? 0 : (float)out->logp->data[t - 1];
                if (entropy) entropy[first + t] = none ? 0 : (float)out->entropy->data[t - 1];
            }
        r1_no_grad_end(ctx);
        r1_step_end(ctx);
        b = end;
    }
    return ctx->status;
}

// ---- files ----
static void r1i_write_size(r1_json_writer *w, const char *key, size_t value) {
    r1_json_write_integer(w, key, (int64_t)value);
}
static void r1i_write_word(r1_json_writer *w, const char *key, const char *text) {
    r1_json_write_text(w, key, text, strlen(text));
}
#ifndef R1_NO_STDIO
static void r1i_rope_write(r1_json_writer *w, const r1_rope_scaling *rope) {
    if (rope->kind == R1_ROPE_PLAIN) return;
    r1_json_begin_object(w, "rope_scaling");
    r1i_write_word(w, "type", "yarn");
    r1_json_write_number(w, "factor", rope->factor);
    r1i_write_size(w, "original_max_position_embeddings", rope->original);
    r1_json_write_number(w, "beta_fast", rope->beta_fast);
    r1_json_write_number(w, "beta_slow", rope->beta_slow);
    if (rope->mscale > 0) r1_json_write_number(w, "mscale", rope->mscale);
    if (rope->mscale_all > 0) r1_json_write_number(w, "mscale_all_dim", rope->mscale_all);
    r1_json_end_object(w);
}
// The keys that Hugging Face's classes read, and one of ours: r1_mla_form, because the form decides
// bits. Checkpoints compare this text byte by byte, so the order of keys is part of their format.
static void r1i_config_write(r1_json_writer *w, const r1_model_config *c) {
    bool mla = c->attention == R1_MLA;
    r1_json_begin_object(w, NULL);
    r1_json_begin_array(w, "architectures");
    r1i_write_word(w, NULL, mla ? "DeepseekV3ForCausalLM" : "Qwen2ForCausalLM");
    r1_json_end_array(w);
    r1i_write_word(w, "model_type", mla ? "deepseek_v3" : "qwen2");
    r1i_write_size(w, "vocab_size", c->vocab);
    r1i_write_size(w, "hidden_size", c->width);
    r1i_write_size(w, "intermediate_size", c->dense_width ? c->dense_width : c->width);
    r1i_write_size(w, "num_hidden_layers", c->layers);
    r1i_write_size(w, "num_attention_heads", c->heads);
    r1i_write_size(w, "num_key_value_heads", c->kv_heads);
    r1i_write_size(w, "max_position_embeddings", c->max_tokens);
    r1_json_write_number(w, "rms_norm_eps", c->norm_eps);
    r1_json_write_number(w, "rope_theta", c->rope_theta);
    r1i_rope_write(w, &c->rope);
    r1_json_write_bool(w, "tie_word_embeddings", c->tied_head);
    r1i_write_word(w, "hidden_act", "silu");
    r1i_write_word(w, "torch_dtype", "float32");
    if (mla) {
        if (c->q_rank)
            r1i_write_size(w, "q_lora_rank", c->q_rank);
        else
            r1_json_write_null(w, "q_lora_rank");
        r1i_write_size(w, "kv_lora_rank", c->kv_rank);
        r1i_write_size(w, "qk_nope_head_dim", c->nope_dim);
        r1i_write_size(w, "qk_rope_head_dim", c->rope_dim);
        r1i_write_size(w, "v_head_dim", c->value_dim);
        r1i_write_size(w, "first_k_dense_replace", c->dense_layers);
        r1i_write_size(w, "n_routed_experts", c->experts);
        r1i_write_size(w, "n_shared_experts", c->shared);
        r1i_write_size(w, "num_experts_per_tok", c->chosen);
        r1i_write_size(w, "moe_intermediate_size", c->expert_width);
        r1i_write_size(w, "n_group", c->groups);
        r1i_write_size(w, "topk_group", c->kept_groups);
        r1_json_write_bool(w, "norm_topk_prob", c->normalise_gates);
        r1_json_write_number(w, "routed_scaling_factor", c->routed_scale);
        r1i_write_word(w, "scoring_func", c->softmax_scores ? "softmax" : "sigmoid");
        r1i_write_word(w, "topk_method", "noaux_tc");
        r1i_write_size(w, "num_nextn_predict_layers", c->mtp_layers);
        r1_json_write_bool(w, "attention_bias", false);
        r1i_write_word(w, "r1_mla_form", r1i_absorbed(c) ? "absorbed" : "expanded"); // ours: bits
    } else {
        r1i_write_size(w, "head_dim", c->head_dim);
        r1_json_write_bool(w, "qkv_bias", c->qkv_bias);
    }
    r1_json_end_object(w);
}
#endif
// A size, or 0 when it is missing, negative or beyond 2^53, where doubles begin to skip integers;
// r1i_config_resolve refuses the zeros that matter.
static size_t r1i_config_size(const r1_json *root, const char *key) {
    double value = r1_json_number(r1_json_find(root, key), 0);
    return value >= 0 && value < 9007199254740992.0 ? (size_t)value : 0;
}
static bool r1i_text_is(r1_slice text, const char *word) {
    return text.size == strlen(word) && text.data && !memcmp(text.data, word, text.size);
}
// Where a config tells how RoPE is scaled: under rope_parameters in newer files, which then hold
// the type "default" when there is nothing to tell.
static const r1_json *r1i_rope_json(const r1_json *root) {
    const r1_json *scaling = r1_json_find(root, "rope_scaling");
    bool there = scaling && scaling->kind != R1_JSON_NULL;
    return there ? scaling : r1_json_find(root, "rope_parameters");
}
static r1_slice r1i_rope_type(const r1_json *rope) {
    const r1_json *type = r1_json_find(rope, "rope_type");
    return r1_json_text(type ? type : r1_json_find(rope, "type"));
}
// Keys that would change the numbers and are not understood.
static bool r1i_rope_unknown(const r1_json *rope) {
    r1_slice type = r1i_rope_type(rope);
    bool plain = !type.size || r1i_text_is(type, "default");
    if (r1_json_number(r1_json_find(rope, "partial_rotary_factor"), 1) != 1) return true;
    if (plain) return false;
    const r1_json *factor = r1_json_find(rope, "attention_factor");
    return !r1i_text_is(type, "yarn") || (factor && factor->kind != R1_JSON_NULL) ||
           !r1_json_bool(r1_json_find(rope, "truncate"), true);
}
static r1_rope_scaling r1i_rope_read(const r1_json *rope) {
    if (!r1i_text_is(r1i_rope_type(rope), "yarn")) return (r1_rope_scaling){R1_ROPE_PLAIN};
    return (r1_rope_scaling){.kind = R1_ROPE_YARN,
                             .factor = r1_json_number(r1_json_find(rope, "factor"), 0),
                             .original = r1i_config_size(rope, "original_max_position_embeddings"),
                             .beta_fast = r1_json_number(r1_json_find(rope, "beta_fast"), 0),
                             .beta_slow = r1_json_number(r1_json_find(rope, "beta_slow"), 0),
                             .mscale = r1_json_number(r1_json_find(rope, "mscale"), 0),
                             .mscale_all = r1_json_number(r1_json_find(rope, "mscale_all_dim"), 0)};
}
// What a config.json asks for and this library would silently not do; NULL if there is nothing.
static const char *r1i_config_unknown(const r1_json *root) {
    r1_slice act = r1_json_text(r1_json_find(root, "hidden_act"));
    if (r1i_rope_unknown(r1i_rope_json(root))) return "this kind of rope_scaling";
    if (act.size && !r1i_text_is(act, "silu")) return "hidden_act other than silu";
    if (r1_json_bool(r1_json_find(root, "attention_bias"), false)) return "attention_bias";
    if (!r1_json_bool(r1_json_find(root, "rope_interleave"), true)) return "rope_interleave false";
    if (r1_json_bool(r1_json_find(root, "use_sliding_window"), false)) return "use_sliding_window";
    if (r1_json_number(r1_json_find(root, "moe_layer_freq"), 1) != 1) return "moe_layer_freq";
    return NULL;
}
// Everything is read first and refused last, so that a message can name the type of the model.
// rope_theta stands at the root in older files and under rope_parameters in newer ones.
R1I_BODY r1_status r1_model_config_read(r1_context *ctx, const char *text, size_t size,
                                        r1_model_config *config) {
    r1_json *root = r1_json_read(ctx, text, size);
    if (!root) return r1_status_of(ctx);
    r1_slice type = r1_json_text(r1_json_find(root, "model_type"));
    bool mla = r1i_text_is(type, "deepseek_v3"), qwen = r1i_text_is(type, "qwen2");
    const r1_json *theta = r1_json_find(root, "rope_theta");
    if (!theta) theta = r1_json_find(r1_json_find(root, "rope_parameters"), "rope_theta");
    *config = (r1_model_config){
        .vocab = r1i_config_size(root, "vocab_size"),
        .width = r1i_config_size(root, "hidden_size"),
        .layers = r1i_config_size(root, "num_hidden_layers"),
        .heads = r1i_config_size(root, "num_attention_heads"),
        .kv_heads = r1i_config_size(root, "num_key_value_heads"),
        .head_dim = r1i_config_size(root, "head_dim"),
        .max_tokens = r1i_config_size(root, "max_position_embeddings"),
        .attention = mla ? R1_MLA : R1_GQA,
        .qkv_bias = qwen && r1_json_bool(r1_json_find(root, "qkv_bias"), true),
        .dense_width = r1i_config_size(root, "intermediate_size"),
        .tied_head = r1_json_bool(r1_json_find(root, "tie_word_embeddings"), false),
        .rope_theta = r1_json_number(theta, 10000),
        .rope = r1i_rope_read(r1i_rope_json(root)),
        .norm_eps = r1_json_number(r1_json_find(root, "rms_norm_eps"), 1e-6),
    };
    if (mla) {
        config->head_dim = 0;
        config->mtp_layers = r1i_config_size(root, "num_nextn_predict_layers");
        config->q_rank = r1i_config_size(root, "q_lora_rank");
        config->kv_rank = r1i_config_size(root, "kv_lora_rank");
        config->nope_dim = r1i_config_size(root, "qk_nope_head_dim");
        config->rope_dim = r1i_config_size(root, "qk_rope_head_dim");
        config->value_dim = r1i_config_size(root, "v_head_dim");
        config->dense_layers = r1i_config_size(root, "first_k_dense_replace");
        config->experts = r1i_config_size(root, "n_routed_experts");
        config->shared = r1i_config_size(root, "n_shared_experts");
        config->chosen = r1i_config_size(root, "num_experts_per_tok");
        config->expert_width = r1i_config_size(root, "moe_intermediate_size");
        config->groups = r1i_config_size(root, "n_group");
        config->kept_groups = r1i_config_size(root, "topk_group");
        config->normalise_gates = r1_json_bool(r1_json_find(root, "norm_topk_prob"), true);
        config->routed_scale = r1_json_number(r1_json_find(root, "routed_scaling_factor"), 1);
        r1_slice form = r1_json_text(r1_json_find(root, "r1_mla_form"));
        config->mla_form = r1i_text_is(form, "absorbed")   ? R1_MLA_ABSORBED
                           : r1i_text_is(form, "expanded") ? R1_MLA_EXPANDED
                                                           : R1_MLA_AUTO;
        config->softmax_scores =
            r1i_text_is(r1_json_text(r1_json_find(root, "scoring_func")), "softmax");
    }
    const char *unknown = r1i_config_unknown(root);
    if (unknown)
        r1i_fail(ctx, R1_ERROR_FORMAT, "config.json: %s is not supported", unknown);
    else if (!mla && !qwen)
        r1i_fail(ctx, R1_ERROR_FORMAT,
                 "config.json: model_type \"%.*s\" is not deepseek_v3 or qwen2", (int)type.size,
                 type.data ? type.data : "");
    r1_json_free(ctx, root);
    return r1_status_of(ctx);
}

#ifndef R1_NO_STDIO
static const r1_dtype r1i_real_dtype = sizeof(r1i_real) == 4 ? R1_F32 : R1_F64;

static char *r1i_path(r1_context *ctx, const char *folder, const char *file) {
    size_t size = strlen(folder) + strlen(file) + 2;
    char *path = (char *)r1i_alloc(ctx, size);
    if (path) snprintf(path, size, "%s/%s", folder, file);
    return path;
}
// Calls fn for every tensor as a checkpoint names it: single experts, and the router biases, which
// are no parameters since no gradient moves them. Saving and loading take the same walk.
typedef bool r1i_stored_fn(r1_model *model, const char *name, r1_tensor *tensor, void *arg);
static bool r1i_each_stored(r1_model *model, r1i_stored_fn *fn, void *arg) {
    char name[128];
    for (size_t i = 0; i < model->n; i++) {
        const r1_parameter *p = &model->parameters[i];
        const char *at = p->range == R1I_EXPERTS ? strstr(p->name, ".experts.") : NULL;
        if (!at && !fn(model, p->name, p->tensor, arg)) return false;
        for (size_t e = 0; at && e < p->tensor->shape[0]; e++) {
            snprintf(name, sizeof name, "%.*s.experts.%zu.%s", (int)(at - p->name), p->name, e,
                     at + 9);
            r1_tensor *view = r1_model_find(model, name);
            if (!view || !fn(model, name, view, arg)) return false;
        }
    }
    for (size_t l = 0; l < r1i_all_layers(&model->config); l++) {
        r1_tensor *view = NULL;
        if (!model->layers[l].bias) continue;
        if (!(view = r1i_tensor_shell(model->ctx, 1, &model->config.experts))) return false;
        view->data = model->layers[l].bias;
        snprintf(name, sizeof name, "model.layers.%zu.mlp.gate.e_score_correction_bias", l);
        if (!fn(model, name, view, arg)) return false;
    }
    return true;
}
typedef struct r1i_entries {
    r1_entry *entries;
    size_t n, capacity;
} r1i_entries;

// Adds a tensor to a list for r1_tensors_save. The name is copied into the open step, because the
// callers print it into a buffer of theirs; the data are not copied.
static bool r1i_entry_add(r1_context *ctx, r1i_entries *list, const char *name, r1_dtype dtype,
                          int rank, const size_t *shape, const void *data) {
    if (!r1i_grow(ctx, (void **)&list->entries, &list->capacity, list->n + 1,
                  sizeof *list->entries))
        return false;
    char *copy = (char *)r1i_step_alloc(ctx, strlen(name) + 1, 1);
    if (!copy) return false;
    memcpy(copy, name, strlen(name) + 1);
    r1_entry *entry = &list->entries[list->n++];
    *entry = (r1_entry){
        .name = copy, .dtype = dtype, .rank = rank, .data = data, .bytes = r1_dtype_bytes(dtype)};
    for (int i = 0; i < rank; i++) entry->shape[i] = shape[i], entry->bytes *= shape[i];
    return true;
}
// One tensor for r1_model_save, as it lies in the model: a view of one expert is contiguous.
static bool r1i_stored_collect(r1_model *model, const char *name, r1_tensor *x, void *arg) {
    return r1i_entry_add(model->ctx, (r1i_entries *)arg, name, r1i_real_dtype, x->rank, x->shape,
                         x->data);
}
// Weights first: a folder that was empty has no config.json, which a loader asks for first, until
// its weights are complete.
R1I_BODY r1_status r1_model_save(r1_model *model, const char *folder) {
    if (!model || !folder) return R1_ERROR_ARGUMENT;
    r1_context *ctx = model->ctx;
    r1i_entries list = {0};
    r1_json_writer writer = {.ctx = ctx};
    r1_step_begin(ctx);
    r1_folder_make(ctx, folder);
    char *config = r1i_path(ctx, folder, "config.json");
    char *weights = r1i_path(ctx, folder, "model.safetensors");
    r1i_config_write(&writer, &model->config);
    r1_pair format = {"format", "pt"};
    if (config && weights && r1i_each_stored(model, r1i_stored_collect, &list) &&
        r1_tensors_save(ctx, weights, list.entries, list.n, &format, 1) == R1_OK)
        r1_file_write(ctx, config, writer.text, writer.size);
    r1_json_writer_free(&writer);
    r1i_free(ctx, list.entries), r1i_free(ctx, config), r1i_free(ctx, weights);
    r1_step_end(ctx);
    return r1_status_of(ctx);
}
// Widens n stored numbers to ours. Floats of 16 and 32 bits arrive exactly; only f64 is rounded.
static void r1i_widen(r1i_real *to, r1_dtype dtype, const void *from, size_t n) {
    const unsigned char *p = (const unsigned char *)from;
    for (size_t i = 0; i < n; i++) {
        float f32;
        double f64;
        uint16_t half;
        switch (dtype) {
        case R1_F32:
            memcpy(&f32, p + 4 * i, 4), to[i] = (r1i_real)f32;
            break;
        case R1_F64:
            memcpy(&f64, p + 8 * i, 8), to[i] = (r1i_real)f64;
            break;
        case R1_BF16:
            memcpy(&half, p + 2 * i, 2), to[i] = (r1i_real)r1_from_bf16(half);
            break;
        case R1_F16:
            memcpy(&half, p + 2 * i, 2), to[i] = (r1i_real)r1_from_f16(half);
            break;
        default:
            to[i] = 0;
            break;
        }
    }
}
typedef struct r1i_loading {
    const r1_tensors *file;
    const char *path;
    const char *prefix; // before every name, "" for checkpoints of others
} r1i_loading;

// Whether a stored tensor has exactly this rank and these sizes.
static bool r1i_entry_fits(const r1_entry *entry, const r1_tensor *x) {
    bool same = entry->rank == x->rank;
    for (int i = 0; same && i < x->rank; i++) same = entry->shape[i] == x->shape[i];
    return same;
}
// One tensor from a file into the model. `found` exists for the message alone; a stored rank can be
// higher than a tensor of ours has.
static bool r1i_stored_read(r1_model *model, const char *name, r1_tensor *x, void *arg) {
    const r1i_loading *loading = (const r1i_loading *)arg;
    char full[160];
    snprintf(full, sizeof full, "%s%s", loading->prefix, name);
    const r1_entry *entry = r1_tensors_find(loading->file, full);
    if (!entry) {
        r1i_fail(model->ctx, R1_ERROR_FORMAT, "%s: tensor %s of shape %s is missing", loading->path,
                 full, r1i_shape_text(x).text);
        return false;
    }
    r1_tensor found = {.rank = entry->rank > R1_MAX_RANK ? R1_MAX_RANK : entry->rank};
    for (int i = 0; i < found.rank; i++) found.shape[i] = entry->shape[i];
    bool number = entry->dtype == R1_F32 || entry->dtype == R1_F64 || entry->dtype == R1_BF16 ||
                  entry->dtype == R1_F16;
    if (!r1i_entry_fits(entry, x) || !number) {
        r1i_fail(model->ctx, R1_ERROR_FORMAT,
                 "%s: tensor %s is %s %s, the config asks for floats of %s", loading->path, full,
                 r1_dtype_name(entry->dtype), r1i_shape_text(&found).text, r1i_shape_text(x).text);
        return false;
    }
    r1i_widen(x->data, entry->dtype, entry->data, r1_tensor_count(x));
    return true;
}
// transformers leaves the layers of multi-token prediction out when it saves, and keeps the config.
static bool r1i_has_mtp(const r1_tensors *file, const r1_model_config *c) {
    char name[64];
    snprintf(name, sizeof name, "model.layers.%zu.eh_proj.weight", c->layers);
    return r1_tensors_find(file, name) != NULL;
}
// A whole model or NULL. The walk asks for what the config needs; other tensors in the file are
// left alone.
R1I_BODY r1_model *r1_model_load(r1_context *ctx, const char *folder) {
    if (!ctx || !folder || ctx->status != R1_OK) return NULL;
    char *config_path = r1i_path(ctx, folder, "config.json");
    char *path = r1i_path(ctx, folder, "model.safetensors");
    r1_model_config config;
    r1_model *model = NULL;
    size_t size = 0;
    char *text = config_path && path ? r1_file_read(ctx, config_path, &size) : NULL;
    r1_tensors *file = NULL;
    r1_step_begin(ctx);
    if (text && r1_model_config_read(ctx, text, size, &config) == R1_OK) {
        file = r1_tensors_open(ctx, path);
        if (file && !r1i_has_mtp(file, &config)) config.mtp_layers = 0;
        model = file ? r1i_model_make(ctx, &config) : NULL;
        r1i_loading loading = {file, path, ""};
        if (!model || !r1i_each_stored(model, r1i_stored_read, &loading)) {
            r1_model_free(model);
            model = NULL;
        }
    }
    r1_step_end(ctx);
    r1_tensors_close(file);
    r1_file_free(ctx, text);
    r1i_free(ctx, config_path), r1i_free(ctx, path);
    return model;
}
#endif

// ==== [generate] =================================================================================
// Draws tokens from a model: cached, many sequences at a time, one prefill per prompt. Calls
// [model]. Cache blocks are counted references: a group shares the full blocks of its prompt, and
// each answer copies only the last, unfinished one.
// Two answers to a prompt of 150 tokens: blocks 7 and 3 are full and shared, 9 holds 22 tokens.
//   prompt     [7] [3] [9]
//   answer 0   [7] [3] [4] [8]      4 began as a copy of 9, 8 was added when 4 was full
//   answer 1   [7] [3] [5]          5 began as a copy of 9
//   references  3   3   1 each
//
// Speculation: depth k of multi-token prediction guesses the token k places after the next one. The
// guesses are fed behind the last token, and the main model draws at each of these rows as ever; up
// to the first wrong guess its rows are those of plain sampling. A guess is drawn with the noise of
// its place, which makes it right whenever the two distributions choose alike.
typedef struct r1i_table { // the blocks of one sequence
    int32_t *blocks;
    size_t n, capacity;
} r1i_table;

// A prompt of the call. Its blocks and its last hidden row stay until the last answer of its group
// is done, or until they have to make room; then a later answer has it prefilled again.
typedef struct r1i_prompt_state {
    r1i_table table;
    bool ready;
    size_t finished;  // answers that are done
    r1i_real *hidden; // [C], the last row of the prefill, then what each depth carries on
} r1i_prompt_state;

// WAITING -> RUNNING -> FINISHED; an eviction leads from RUNNING back to WAITING.
typedef enum r1i_sample_state { R1I_WAITING = 0, R1I_RUNNING, R1I_FINISHED } r1i_sample_state;

// The state of one call. Arrays and cache are kept for the next one, grown and never shrunk.
typedef struct r1i_engine {
    r1_context *ctx;
    r1_model *model;
    r1_generate_desc desc;
    const r1_prompt *prompts;
    r1_rollout *rollout;
    r1i_cache cache;
    size_t cache_floats;  // allocated
    int32_t *references;  // [blocks]
    int32_t *free_blocks; // a stack
    size_t n_free, blocks_capacity;
    r1i_prompt_state *states; // [prompts]
    size_t states_capacity;
    r1i_table *tables; // [samples]
    size_t tables_capacity;
    uint8_t *sample_states; // [samples]
    size_t sample_states_capacity;
    size_t *running; // sample numbers, oldest first
    size_t n_running, running_capacity;
    size_t n_finished;
    int32_t *drafts; // [samples, speculate]
    r1i_real *carry; // [samples, speculate - 1, C]: see r1i_grown
} r1i_engine;

// A text that has got new tokens, for the drafting depths. Row i of depth k reads row i of the
// depth below and token i + k, so it is final once that token is drawn; rows behind are computed on
// guesses, and again later. With n tokens, depth k has n - k final rows:
//   tokens     t0 t1 t2 t3 | g4 g5      4 drawn, 2 guessed
//   main       h0 h1 h2                 (h3 comes when t3 is fed)
//   depth 1    t1 t2 t3                 its last row guesses g4
//   depth 2    t2 t3 g4                 its last row, not final, guesses g5
// When tokens come, depth k goes on at row old - k. Its row below was final then too and is not
// computed again, so it is carried over.
typedef struct r1i_grown {
    const int32_t *tokens;
    size_t old, now;       // tokens that were known, and that are
    const int32_t *blocks; // its table
    const r1i_real *below; // rows of the depth below, from row `low`
    size_t low;
    r1i_real *carry;  // [depths - 1, C], updated
    r1i_real *before; // a copy of what it was
    int32_t *drafts;  // [depths]; NULL for a prompt, which has only final rows
    size_t number;    // of the answer
} r1i_grown;

R1I_BODY r1_rollout *r1_rollout_new(r1_context *ctx) {
    if (!ctx || ctx->status != R1_OK) return NULL;
    r1_rollout *rollout = (r1_rollout *)r1i_alloc(ctx, sizeof *rollout);
    if (!rollout) return NULL;
    rollout->engine = (r1i_engine *)r1i_alloc(ctx, sizeof *rollout->engine);
    if (rollout->engine) {
        rollout->engine->ctx = ctx;
        return rollout;
    }
    r1i_free(ctx, rollout);
    return NULL;
}
// tables_capacity counts rollout->samples too: the two arrays grow together.
R1I_BODY void r1_rollout_free(r1_rollout *rollout) {
    if (!rollout) return;
    r1i_engine *e = rollout->engine;
    r1_context *ctx = e->ctx;
    for (size_t i = 0; i < e->tables_capacity; i++) {
        r1_sample *s = &rollout->samples[i];
        r1i_free(ctx, e->tables[i].blocks);
        r1i_free(ctx, s->tokens), r1i_free(ctx, s->logp), r1i_free(ctx, s->entropy);
        r1i_free(ctx, s->routes);
    }
    for (size_t i = 0; i < e->states_capacity; i++) {
        r1i_free(ctx, e->states[i].table.blocks);
        r1i_free(ctx, e->states[i].hidden);
    }
    r1i_free(ctx, e->cache.data), r1i_free(ctx, e->references), r1i_free(ctx, e->free_blocks);
    r1i_free(ctx, e->states), r1i_free(ctx, e->tables), r1i_free(ctx, e->sample_states);
    r1i_free(ctx, e->running), r1i_free(ctx, rollout->samples);
    r1i_free(ctx, e->drafts), r1i_free(ctx, e->carry);
    r1i_free(ctx, e), r1i_free(ctx, rollout);
}

// ---- blocks ----
static size_t r1i_block_floats(const r1i_cache *cache) {
    return R1I_BLOCK_TOKENS * cache->layers * (cache->key_floats + cache->value_floats);
}
// references[block] counts the tables it stands in; the last one to leave frees it.
static void r1i_block_drop(r1i_engine *e, int32_t block) {
    if (--e->references[block] == 0) e->free_blocks[e->n_free++] = block;
}
static void r1i_table_clear(r1i_engine *e, r1i_table *table) {
    while (table->n) r1i_block_drop(e, table->blocks[--table->n]);
}
// Appends a block, which may stand in other tables already.
static bool r1i_table_push(r1i_engine *e, r1i_table *table, int32_t block) {
    if (!r1i_grow(e->ctx, (void **)&table->blocks, &table->capacity, table->n + 1,
                  sizeof *table->blocks))
        return false;
    table->blocks[table->n++] = block;
    e->references[block]++;
    return true;
}
// Makes room for `tokens` in a table; false when the pool has too few blocks, and then the table is
// as it was.
static bool r1i_table_reserve(r1i_engine *e, r1i_table *table, size_t tokens) {
    size_t wanted = r1i_ceil_div(tokens, R1I_BLOCK_TOKENS);
    if (wanted > table->n && wanted - table->n > e->n_free) return false;
    while (table->n < wanted)
        if (!r1i_table_push(e, table, e->free_blocks[--e->n_free])) return false;
    return true;
}
// The most blocks that an answer copies: the unfinished one, and with speculation those in which
// the last rows of the prompt are not final, because they read tokens of the answer.
static size_t r1i_own_blocks(const r1i_engine *e) {
    return 1 + r1i_ceil_div(e->desc.speculate, R1I_BLOCK_TOKENS);
}
// Gives an answer its prompt's blocks: shared as far as they are final, copies of the others.
static bool r1i_table_fork(r1i_engine *e, r1i_table *to, const r1i_table *from, size_t tokens) {
    size_t floats = r1i_block_floats(&e->cache), open = r1i_min(tokens, e->desc.speculate);
    size_t shared = (tokens - open) / R1I_BLOCK_TOKENS;
    size_t all = r1i_ceil_div(tokens, R1I_BLOCK_TOKENS);
    if (all - shared > e->n_free) return false;
    for (size_t i = 0; i < all; i++) {
        int32_t block = i < shared ? from->blocks[i] : e->free_blocks[--e->n_free];
        if (i >= shared)
            memcpy(e->cache.data + (size_t)block * floats,
                   e->cache.data + (size_t)from->blocks[i] * floats,
                   floats * sizeof *e->cache.data);
        if (!r1i_table_push(e, to, block)) return false;
    }
    return true;
}

// ---- start of a call ----
// Numbers of one token in one layer, by the kind of attention: see r1i_cache.
static void r1i_cache_shape(const r1_model_config *c, size_t depths, r1i_cache *cache) {
    bool mla = c->attention == R1_MLA, absorbed = mla && r1i_absorbed(c);
    cache->layers = c->layers + depths;
    cache->key_floats = absorbed ? c->kv_rank + c->rope_dim
                        : mla    ? c->heads * (c->nope_dim + c->rope_dim)
                                 : c->kv_heads * c->head_dim;
    cache->value_floats = absorbed ? 0 : mla ? c->heads * c->value_dim : c->kv_heads * c->head_dim;
}
// The cache pool: the memory of an earlier call is kept when it is large enough. The default holds
// `batch` sequences of the longest possible length, an unfinished prompt block for each, and one
// more sequence. The least is two sequences and a block: a prompt and its answer at full length.
static bool r1i_engine_pool(r1i_engine *e, size_t longest) {
    size_t each = r1i_ceil_div(longest, R1I_BLOCK_TOKENS), own = r1i_own_blocks(e);
    size_t wanted = (e->desc.batch + 1) * each + e->desc.batch * own;
    if (e->desc.cache_tokens) wanted = e->desc.cache_tokens / R1I_BLOCK_TOKENS;
    if (wanted < 2 * each + own) {
        r1i_fail(
            e->ctx, R1_ERROR_MEMORY,
            "generate: a cache of %zu tokens cannot hold a prompt and an answer of %zu tokens; set "
            "cache_tokens to at least %zu, or to 0",
            e->desc.cache_tokens, longest, (2 * each + own) * R1I_BLOCK_TOKENS);
        return false;
    }
    r1i_cache_shape(&e->model->config, e->desc.speculate, &e->cache);
    size_t floats = r1i_size_mul(wanted, r1i_block_floats(&e->cache));
    if (floats > e->cache_floats) {
        r1i_free(e->ctx, e->cache.data);
        e->cache_floats = 0;
        e->cache.data = (r1i_real *)r1i_alloc_array(e->ctx, floats, sizeof *e->cache.data);
        if (!e->cache.data) return false;
        e->cache_floats = floats;
    }
    if (wanted > e->blocks_capacity) {
        r1i_free(e->ctx, e->references), r1i_free(e->ctx, e->free_blocks);
        e->blocks_capacity = 0;
        e->references = (int32_t *)r1i_alloc_array(e->ctx, wanted, sizeof *e->references);
        e->free_blocks = (int32_t *)r1i_alloc_array(e->ctx, wanted, sizeof *e->free_blocks);
        if (!e->references || !e->free_blocks) return false;
        e->blocks_capacity = wanted;
    }
    e->cache.blocks = wanted, e->n_free = 0;
    for (size_t i = wanted; i > 0; i--) e->free_blocks[e->n_free++] = (int32_t)(i - 1);
    memset(e->references, 0, wanted * sizeof *e->references);
    return true;
}
// Arrays for this many prompts and samples, with empty tables. Arrays inside samples stay, so their
// memory serves the next call. The hidden rows are made anew: another model may be wider.
static bool r1i_engine_arrays(r1i_engine *e, size_t prompts, size_t samples) {
    r1_context *ctx = e->ctx;
    size_t capacity = e->tables_capacity; // of rollout->samples too
    size_t depths = e->desc.speculate, C = e->model->config.width;
    if (!r1i_grow(ctx, (void **)&e->rollout->samples, &capacity, samples, sizeof(r1_sample)) ||
        !r1i_grow(ctx, (void **)&e->tables, &e->tables_capacity, samples, sizeof *e->tables) ||
        !r1i_grow(ctx, (void **)&e->states, &e->states_capacity, prompts, sizeof *e->states) ||
        !r1i_grow(ctx, (void **)&e->sample_states, &e->sample_states_capacity, samples, 1) ||
        !r1i_grow(ctx, (void **)&e->running, &e->running_capacity, e->desc.batch, sizeof(size_t)))
        return false;
    for (size_t i = 0; i < e->tables_capacity; i++) e->tables[i].n = 0;
    for (size_t i = 0; i < prompts; i++) {
        r1i_prompt_state *state = &e->states[i];
        state->table.n = 0, state->ready = false, state->finished = 0;
        r1i_free(ctx, state->hidden);
        state->hidden = (r1i_real *)r1i_alloc_array(ctx, r1i_max(depths, 1) * C, sizeof(r1i_real));
        if (!state->hidden) return false;
    }
    r1i_free(ctx, e->drafts), r1i_free(ctx, e->carry);
    e->carry = NULL;
    e->drafts = (int32_t *)r1i_alloc_array(ctx, r1i_size_mul(samples, depths), sizeof *e->drafts);
    e->carry = (r1i_real *)r1i_alloc_array(
        ctx, r1i_size_mul(samples, (depths ? depths - 1 : 0) * C), sizeof *e->carry);
    if (!e->drafts || !e->carry) return false;
    memset(e->sample_states, 0, samples);
    return true;
}
// Room for n tokens in every array of a sample. The three arrays of one capacity start from the
// same value, which only the last of them updates.
static bool r1i_sample_grow(r1i_engine *e, r1_sample *s, size_t n) {
    size_t one = s->capacity, two = s->capacity,
           stride = e->model->moe_layers * e->model->config.chosen;
    return r1i_grow(e->ctx, (void **)&s->logp, &one, n, sizeof *s->logp) &&
           r1i_grow(e->ctx, (void **)&s->entropy, &two, n, sizeof *s->entropy) &&
           r1i_grow(e->ctx, (void **)&s->tokens, &s->capacity, n, sizeof *s->tokens) &&
           (!e->desc.routes || r1i_grow(e->ctx, (void **)&s->routes, &s->routes_capacity,
                                        n * stride, sizeof *s->routes));
}
// Answer number = prompt * group + index: the order of the rollout, and that in which they begin.
static bool r1i_sample_start(r1i_engine *e, size_t number) {
    r1_sample *s = &e->rollout->samples[number];
    const r1_prompt *prompt = &e->prompts[number / e->rollout->group];
    if (!r1i_sample_grow(e, s, prompt->n + 1)) return false;
    s->prompt = number / e->rollout->group, s->index = number % e->rollout->group;
    s->key = prompt->key, s->n_prompt = s->n = prompt->n;
    s->truncated = s->judged = false, s->reward = s->advantage = 0;
    memset(s->parts, 0, sizeof s->parts);
    for (size_t t = 0; t < prompt->n; t++)
        s->tokens[t] = prompt->tokens[t], s->logp[t] = s->entropy[t] = 0;
    return true;
}
// Checks the prompts and sets everything to the beginning. `longest` is the length that any answer
// can reach, and what a place in the pool must hold.
static bool r1i_engine_start(r1i_engine *e, size_t n, size_t group) {
    size_t most = e->model->config.max_tokens, longest = 0;
    r1_context *ctx = e->ctx;
    for (size_t i = 0; i < n; i++) {
        if (!e->prompts[i].n || e->prompts[i].n >= most) {
            r1i_fail(ctx, R1_ERROR_ARGUMENT,
                     "generate: prompt %zu has %zu tokens; it must have 1 to %zu "
                     "(max_tokens - 1 of the model)",
                     i, e->prompts[i].n, most - 1);
            return false;
        }
        size_t limit = e->desc.max_new ? e->prompts[i].n + e->desc.max_new : most;
        longest = r1i_max(longest, r1i_min(most, limit));
    }
    size_t samples = r1i_size_mul(n, group);
    e->rollout->n = e->rollout->prompts = 0, e->rollout->group = group; // until there is memory
    e->rollout->tokens = e->rollout->prefill_tokens = e->rollout->steps = e->rollout->evicted = 0;
    e->rollout->drafted = e->rollout->accepted = 0;
    e->n_running = e->n_finished = 0;
    e->desc.batch = r1i_min(e->desc.batch, samples);
    if (!r1i_engine_arrays(e, n, samples) || !r1i_engine_pool(e, longest)) return false;
    e->rollout->n = samples, e->rollout->prompts = n;
    for (size_t i = 0; i < e->rollout->n; i++)
        if (!r1i_sample_start(e, i)) return false;
    return true;
}

// ---- one pass ----
// Feeds rows of several sequences through the model; hidden states stay in the open step.
static r1_tensor *r1i_engine_forward(r1i_engine *e, const int32_t *tokens, const size_t *starts,
                                     size_t B, const size_t *past, const int32_t *const *tables,
                                     int32_t *routes) {
    struct r1i_cached cached = {&e->cache, past, tables};
    r1_batch batch = {
        .tokens = tokens, .starts = starts, .B = B, .routes = routes, .cached = &cached};
    return r1_model_forward(e->model, &batch);
}
// Router choices of one row; 0 when nobody asked for them or there is no router.
static size_t r1i_route_stride(const r1i_engine *e) {
    return e->desc.routes ? e->model->moe_layers * e->model->config.chosen : 0;
}
// Chooses a token for each of B samples from rows [B,C], `ahead` places after its next one. The
// noise of a token is a function of (seed, stream, step, key * group + index, place in the answer,
// id): no batch and no order of arrival is in it, and an answer that is drawn a second time gets
// the same text. out [2,B] receives log-probs, then entropies.
static bool r1i_engine_choose(r1i_engine *e, r1_tensor *rows, const size_t *numbers, size_t B,
                              size_t ahead, int32_t *chosen, r1i_real *out) {
    r1_context *ctx = e->ctx;
    const r1_sampler_desc *d = &e->desc.sampler;
    r1_tensor *logits = r1_matmul(ctx, rows, e->model->head, NULL);
    uint32_t *counters = (uint32_t *)r1i_step_alloc(ctx, 2 * B, sizeof *counters);
    if (!logits || !counters) return false;
    for (size_t b = 0; b < B; b++) {
        const r1_sample *s = &e->rollout->samples[numbers[b]];
        // Modulo 2^32: keys of one call should differ by less than 2^32 / group.
        counters[b] = s->key * (uint32_t)e->rollout->group + (uint32_t)s->index;
        counters[B + b] = (uint32_t)(s->n - s->n_prompt + ahead);
    }
    r1_sample_args args = {.B = B,
                           .V = r1i_last(logits),
                           .top_k = d->top_k,
                           .top_p = (float)d->top_p,
                           .greedy = d->greedy,
                           .seed = ctx->seed,
                           .stream = d->stream,
                           .step = d->step,
                           .sample = counters,
                           .token = counters + B,
                           .inverse_temperature = (r1i_real)(1 / d->temperature),
                           .logits = logits->data,
                           .chosen = chosen,
                           .logp = out,
                           .entropy = out + B};
    return r1i_run(ctx, R1_OP_SAMPLE, R1_FORWARD, &args);
}
// Rows of one depth of B texts: low .. high of each, which is empty for a short prompt.
typedef struct r1i_draft_rows {
    size_t B, T, *starts, *past; // packed, without the empty ones
    const int32_t **tables;
    int32_t *tokens;
    r1_tensor *below; // [T,C]
} r1i_draft_rows;

// First row of a text at a depth, and the one after its last.
static size_t r1i_draft_low(const r1i_grown *t, size_t depth) {
    return t->old > depth ? t->old - depth : 0;
}
static size_t r1i_draft_high(const r1i_grown *t, size_t depth) {
    size_t last = t->drafts ? 1 : depth; // with drafts, rows on guesses too
    return t->now > last ? t->now - last : 0;
}
static bool r1i_draft_rows_make(r1i_engine *e, const r1i_grown *texts, size_t n, size_t depth,
                                r1i_draft_rows *rows) {
    r1_context *ctx = e->ctx;
    size_t T = 0, C = e->model->config.width;
    for (size_t i = 0; i < n; i++) {
        size_t low = r1i_draft_low(&texts[i], depth), high = r1i_draft_high(&texts[i], depth);
        T += high > low ? high - low : 0;
    }
    *rows = (r1i_draft_rows){.T = T};
    rows->starts = (size_t *)r1i_step_alloc(ctx, n + 1, sizeof *rows->starts);
    rows->past = (size_t *)r1i_step_alloc(ctx, n, sizeof *rows->past);
    rows->tables = (const int32_t **)r1i_step_alloc(ctx, n, sizeof *rows->tables);
    rows->tokens = (int32_t *)r1i_step_alloc(ctx, T, sizeof *rows->tokens);
    rows->below = r1i_tensor_raw(ctx, 2, (size_t[]){T, C});
    if (!rows->starts || !rows->past || !rows->tables || !rows->tokens || !rows->below)
        return false;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const r1i_grown *t = &texts[i];
        size_t low = r1i_draft_low(t, depth), high = r1i_draft_high(t, depth);
        if (high <= low) continue;
        rows->starts[rows->B] = at, rows->past[rows->B] = low;
        rows->tables[rows->B++] = t->blocks;
        for (size_t row = low; row < high; row++, at++) {
            size_t token = row + depth;
            const r1i_real *from =
                row < t->low ? t->before + (depth - 2) * C : t->below + (row - t->low) * C;
            memcpy(rows->below->data + at * C, from, C * sizeof *from);
            rows->tokens[at] = token < t->now ? t->tokens[token] : t->drafts[token - t->now];
        }
    }
    rows->starts[rows->B] = at;
    return true;
}
// One depth: its rows through its block, what it carries over, and the guess of each last row.
static bool r1i_draft_depth(r1i_engine *e, r1i_grown *texts, size_t n, size_t depth) {
    r1_context *ctx = e->ctx;
    size_t C = e->model->config.width, at = 0;
    r1i_draft_rows rows;
    if (!r1i_draft_rows_make(e, texts, n, depth, &rows)) return false;
    if (!rows.T) return true;
    struct r1i_cached cached = {&e->cache, rows.past, rows.tables};
    r1_batch batch = {.tokens = rows.tokens, .starts = rows.starts, .B = rows.B, .cached = &cached};
    r1_tensor *x = r1i_mtp_forward(e->model, &batch, depth, rows.below);
    r1_tensor *last = r1i_tensor_raw(ctx, 2, (size_t[]){n, C});
    size_t *numbers = (size_t *)r1i_step_alloc(ctx, n, sizeof *numbers);
    int32_t *chosen = (int32_t *)r1i_step_alloc(ctx, n, sizeof *chosen);
    r1i_real *out = (r1i_real *)r1i_step_alloc(ctx, 2 * n, sizeof *out);
    if (!x || !last || !numbers || !chosen || !out) return false;
    for (size_t i = 0; i < n; i++) {
        r1i_grown *t = &texts[i];
        size_t low = r1i_draft_low(t, depth), high = r1i_draft_high(t, depth);
        numbers[i] = t->number;
        if (high <= low) continue;
        t->below = x->data + at * C, t->low = low, at += high - low;
        if (depth < e->desc.speculate && t->now > depth) // the last final row
            memcpy(t->carry + (depth - 1) * C, t->below + (t->now - 1 - depth - low) * C,
                   C * sizeof *x->data);
        memcpy(last->data + i * C, t->below + (high - 1 - low) * C, C * sizeof *x->data);
    }
    if (!texts[0].drafts) return true; // prompts: all texts of a call are of one kind
    last = r1i_mtp_norm(e->model, depth, last);
    if (!last || !r1i_engine_choose(e, last, numbers, n, depth - 1, chosen, out)) return false;
    for (size_t i = 0; i < n; i++) texts[i].drafts[depth - 1] = chosen[i];
    return true;
}
// Brings all depths up to the new end of each text, and guesses its next tokens.
static bool r1i_engine_draft(r1i_engine *e, r1i_grown *texts, size_t n) {
    size_t C = e->model->config.width, depths = e->desc.speculate;
    if (!depths || !n) return true;
    for (size_t i = 0; i < n; i++) {
        texts[i].low = texts[i].old - 1;
        texts[i].before =
            (r1i_real *)r1i_args(e->ctx, texts[i].carry, (depths - 1) * C * sizeof(r1i_real));
        if (!texts[i].before) return false;
    }
    for (size_t depth = 1; depth <= depths; depth++)
        if (!r1i_draft_depth(e, texts, n, depth)) return false;
    return true;
}
// An answer as a grown text. below: the main model's rows old - 1 .. n - 2.
static r1i_grown r1i_answer_grown(r1i_engine *e, size_t number, size_t old, const r1i_real *below) {
    const r1_sample *s = &e->rollout->samples[number];
    size_t depths = e->desc.speculate;
    return (r1i_grown){.tokens = s->tokens,
                       .old = old,
                       .now = s->n,
                       .blocks = e->tables[number].blocks,
                       .below = below,
                       .carry = depths ? e->carry + number * (depths - 1) * e->model->config.width
                                       : NULL,
                       .drafts = e->drafts + number * depths,
                       .number = number};
}
// Runs the prompts of `which` through the model in one pass and keeps their last rows [C], from
// which every answer of a group draws its first token. The router's choices on the prompt are
// those of all answers, and each gets its copy.
static bool r1i_engine_prefill(r1i_engine *e, const size_t *which, size_t n) {
    r1_context *ctx = e->ctx;
    size_t stride = r1i_route_stride(e), T = 0, C = e->model->config.width;
    for (size_t i = 0; i < n; i++) T += e->prompts[which[i]].n;
    int32_t *tokens = (int32_t *)r1i_step_alloc(ctx, T, sizeof *tokens);
    int32_t *routes = stride ? (int32_t *)r1i_step_alloc(ctx, T * stride, sizeof *routes) : NULL;
    size_t *starts = (size_t *)r1i_step_alloc(ctx, n + 1, sizeof *starts);
    size_t *past = (size_t *)r1i_step_alloc(ctx, n, sizeof *past);
    const int32_t **tables = (const int32_t **)r1i_step_alloc(ctx, n, sizeof *tables);
    if (!tokens || !starts || !past || !tables || (stride && !routes)) return false;
    starts[0] = 0;
    for (size_t i = 0; i < n; i++) {
        const r1_prompt *prompt = &e->prompts[which[i]];
        memcpy(tokens + starts[i], prompt->tokens, prompt->n * sizeof *tokens);
        starts[i + 1] = starts[i] + prompt->n, past[i] = 0;
        tables[i] = e->states[which[i]].table.blocks;
    }
    r1_tensor *hidden = r1i_engine_forward(e, tokens, starts, n, past, tables, routes);
    r1i_grown *texts = (r1i_grown *)r1i_step_alloc(ctx, n, sizeof *texts);
    if (!hidden || !texts) return false;
    e->rollout->prefill_tokens += T;
    for (size_t i = 0; i < n; i++) {
        r1i_prompt_state *state = &e->states[which[i]];
        texts[i] = (r1i_grown){.tokens = tokens + starts[i],
                               .old = 1,
                               .now = starts[i + 1] - starts[i],
                               .blocks = tables[i],
                               .below = hidden->data + starts[i] * C,
                               .carry = state->hidden + C};
        memcpy(state->hidden, hidden->data + (starts[i + 1] - 1) * C, C * sizeof *state->hidden);
        state->ready = true;
        for (size_t g = 0; g < e->rollout->group && stride; g++)
            memcpy(e->rollout->samples[which[i] * e->rollout->group + g].routes,
                   routes + starts[i] * stride, e->prompts[which[i]].n * stride * sizeof *routes);
    }
    return r1i_engine_draft(e, texts, n);
}
// A stop is kept as the last token: it has a log-prob, and the loss learns to emit it.
static bool r1i_is_stop(const r1_generate_desc *desc, int32_t token) {
    for (size_t i = 0; i < desc->n_stops; i++)
        if (desc->stops[i] == token) return true;
    return false;
}
// An answer is done: its blocks return to the pool, and with the last of a group its prompt's.
static void r1i_engine_finish(r1i_engine *e, size_t number) {
    r1i_prompt_state *state = &e->states[number / e->rollout->group];
    e->sample_states[number] = R1I_FINISHED;
    e->n_finished++;
    r1i_table_clear(e, &e->tables[number]);
    if (++state->finished == e->rollout->group)
        r1i_table_clear(e, &state->table), state->ready = false;
}
// Draws the next token of B samples from hidden rows [B,C]. Finished ones are marked; the caller
// takes them off the running list.
static bool r1i_engine_sample(r1i_engine *e, r1_tensor *hidden, const size_t *numbers, size_t B) {
    r1_context *ctx = e->ctx;
    int32_t *chosen = (int32_t *)r1i_step_alloc(ctx, B, sizeof *chosen);
    r1i_real *out = (r1i_real *)r1i_step_alloc(ctx, 2 * B, sizeof *out);
    if (!chosen || !out || !r1i_engine_choose(e, hidden, numbers, B, 0, chosen, out)) return false;
    for (size_t b = 0; b < B; b++) {
        r1_sample *s = &e->rollout->samples[numbers[b]];
        if (!r1i_sample_grow(e, s, s->n + 1)) return false;
        if (!(out[b] - out[b] == 0)) {
            r1i_fail(ctx, R1_ERROR_NUMBER,
                     "generate: the logits of prompt %zu, answer %zu are not finite "
                     "at token %zu",
                     s->prompt, s->index, s->n);
            return false;
        }
        s->tokens[s->n] = chosen[b], s->logp[s->n] = (float)out[b];
        s->entropy[s->n++] = (float)out[B + b];
        e->rollout->tokens++;
        bool stop = r1i_is_stop(&e->desc, chosen[b]);
        bool full = s->n >= e->model->config.max_tokens ||
                    (e->desc.max_new && s->n - s->n_prompt >= e->desc.max_new);
        s->truncated = full && !stop;
        if (stop || full) r1i_engine_finish(e, numbers[b]);
    }
    return true;
}
// Takes finished samples off the running list and keeps its order, oldest first.
static void r1i_engine_compact(r1i_engine *e) {
    size_t kept = 0;
    for (size_t i = 0; i < e->n_running; i++)
        if (e->sample_states[e->running[i]] == R1I_RUNNING) e->running[kept++] = e->running[i];
    e->n_running = kept;
}
// Frees the prefilled prompts but one; they are prefilled again when their answers' turn comes.
// Blocks that running answers share with them stay until those let go.
static void r1i_engine_drop_prompts(r1i_engine *e, size_t but) {
    for (size_t p = 0; p < e->rollout->prompts; p++)
        if (p != but && e->states[p].ready) {
            r1i_table_clear(e, &e->states[p].table);
            e->states[p].ready = false;
        }
}
// Takes waiting samples in, as long as there are slots and blocks; prefills prompts that need it
// and draws the first token of each. False on error. Samples come in order of their number, and the
// first that does not fit ends the round: none is overtaken, so none starves. Blocks are counted
// before the prefill and taken after it, hence the n that are spoken for in both tests.
static bool r1i_engine_admit(r1i_engine *e) {
    r1_context *ctx = e->ctx;
    size_t room = e->desc.batch - e->n_running, n = 0, n_prompts = 0, C = e->model->config.width;
    size_t own = r1i_own_blocks(e), carried = e->desc.speculate ? e->desc.speculate - 1 : 0;
    size_t *numbers = (size_t *)r1i_step_alloc(ctx, room, sizeof *numbers);
    size_t *prompts = (size_t *)r1i_step_alloc(ctx, room, sizeof *prompts);
    if (!numbers || !prompts) return false;
    for (size_t i = 0; i < e->rollout->n && n < room; i++) {
        size_t p = i / e->rollout->group;
        r1i_prompt_state *state = &e->states[p];
        if (e->sample_states[i] != R1I_WAITING) continue;
        if (!e->n_running && !n) r1i_engine_drop_prompts(e, p); // whoever is alone gets all room
        if (!state->table.n) { // not prefilled, and not chosen for it just now
            size_t blocks = r1i_ceil_div(e->prompts[p].n, R1I_BLOCK_TOKENS);
            if (e->n_free < blocks + (n + 1) * own + 1) break;
            if (!r1i_table_reserve(e, &state->table, e->prompts[p].n)) break;
            prompts[n_prompts++] = p;
        }
        if (e->n_free < (n + 1) * own + 1) break; // what each newcomer copies, and one to grow
        numbers[n++] = i;
    }
    if (!n && !e->n_running) {
        r1i_fail(ctx, R1_ERROR_MEMORY, "generate: the cache is too small; raise cache_tokens");
        return false;
    }
    if (n_prompts && !r1i_engine_prefill(e, prompts, n_prompts)) return false;
    r1_tensor *hidden = n ? r1i_tensor_raw(ctx, 2, (size_t[]){n, C}) : NULL;
    size_t taken = 0;
    for (size_t i = 0; i < n && hidden; i++) {
        r1i_prompt_state *state = &e->states[numbers[i] / e->rollout->group];
        size_t tokens = e->prompts[numbers[i] / e->rollout->group].n;
        if (!r1i_table_fork(e, &e->tables[numbers[i]], &state->table, tokens)) break;
        memcpy(hidden->data + taken * C, state->hidden, C * sizeof *hidden->data);
        if (carried)
            memcpy(e->carry + numbers[i] * carried * C, state->hidden + C,
                   carried * C * sizeof *e->carry);
        e->sample_states[numbers[i]] = R1I_RUNNING;
        e->running[e->n_running++] = numbers[i], numbers[taken++] = numbers[i];
    }
    if (!taken) return ctx->status == R1_OK;
    hidden->shape[0] = taken;
    r1i_grown *texts = (r1i_grown *)r1i_step_alloc(ctx, taken, sizeof *texts);
    if (!texts || !r1i_engine_sample(e, hidden, numbers, taken)) return false;
    n = 0;
    for (size_t i = 0; i < taken; i++)
        if (e->sample_states[numbers[i]] == R1I_RUNNING) {
            size_t old = e->rollout->samples[numbers[i]].n_prompt;
            texts[n++] = r1i_answer_grown(e, numbers[i], old, hidden->data + i * C);
        }
    return r1i_engine_draft(e, texts, n);
}
// How many drafts of an answer are fed: no more than could still be drawn after the next token.
static size_t r1i_engine_drafts(const r1i_engine *e, const r1_sample *s) {
    size_t limit = e->model->config.max_tokens;
    if (e->desc.max_new) limit = r1i_min(limit, s->n_prompt + e->desc.max_new);
    return r1i_min(e->desc.speculate, limit - s->n - 1);
}
// Sends the newest running sample back to the queue; it usually has the least work to lose. Its
// tokens are forgotten, and the counters of the generator give the same ones again.
static void r1i_engine_evict(r1i_engine *e) {
    size_t number = e->running[--e->n_running];
    r1_sample *s = &e->rollout->samples[number];
    r1i_table_clear(e, &e->tables[number]);
    e->rollout->tokens -= s->n - s->n_prompt;
    e->rollout->evicted++;
    s->n = s->n_prompt;
    e->sample_states[number] = R1I_WAITING;
}
// Blocks for the next token of every running sample, oldest first. When the pool is empty the
// newest samples give way; once the one in need is the newest itself, all prefilled prompts do, and
// at last it goes back too. The oldest advances or the call fails, so a call comes to its end.
static bool r1i_engine_reserve(r1i_engine *e) {
    for (size_t i = 0; i < e->n_running; i++) {
        size_t number = e->running[i];
        const r1_sample *s = &e->rollout->samples[number];
        while (!r1i_table_reserve(e, &e->tables[number], s->n + r1i_engine_drafts(e, s))) {
            if (e->ctx->status != R1_OK) return false;
            if (e->n_running > i + 1) {
                r1i_engine_evict(e);
                continue;
            }
            size_t before = e->n_free;
            r1i_engine_drop_prompts(e, SIZE_MAX);
            if (e->n_free == before && e->n_running == 1) {
                r1i_fail(e->ctx, R1_ERROR_MEMORY,
                         "generate: the cache holds one sequence and is full; "
                         "raise cache_tokens");
                return false;
            }
            if (e->n_free == before) {
                r1i_engine_evict(e);
                break;
            }
        }
    }
    return true;
}
// Draws tokens at the rows of a decode pass. Round j draws at row j of each answer; an answer stays
// for the next round while its draft j was what has been drawn now, because then the row behind it
// was fed the right text.
static bool r1i_engine_verify(r1i_engine *e, const r1_tensor *hidden, const size_t *starts,
                              size_t B) {
    r1_context *ctx = e->ctx;
    size_t C = e->model->config.width, n = B;
    size_t *alive = (size_t *)r1i_step_alloc(ctx, B, sizeof *alive);
    size_t *numbers = (size_t *)r1i_step_alloc(ctx, B, sizeof *numbers);
    if (!alive || !numbers) return false;
    for (size_t b = 0; b < B; b++) alive[b] = b;
    for (size_t round = 0; n; round++) {
        r1_tensor *rows = r1i_tensor_raw(ctx, 2, (size_t[]){n, C});
        if (!rows) return false;
        for (size_t i = 0; i < n; i++) {
            numbers[i] = e->running[alive[i]];
            memcpy(rows->data + i * C, hidden->data + (starts[alive[i]] + round) * C,
                   C * sizeof *rows->data);
        }
        if (!r1i_engine_sample(e, rows, numbers, n)) return false;
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            const r1_sample *s = &e->rollout->samples[numbers[i]];
            bool more = starts[alive[i]] + round + 1 < starts[alive[i] + 1];
            bool right =
                more && s->tokens[s->n - 1] == e->drafts[numbers[i] * e->desc.speculate + round];
            e->rollout->accepted += right;
            if (right && e->sample_states[numbers[i]] == R1I_RUNNING) alive[kept++] = alive[i];
        }
        n = kept;
    }
    return true;
}
// Feeds every running answer its last token, which is not cached yet, and the drafts behind it:
//   rows of an answer    t[n-1]  draft 0  draft 1        at positions n-1, n, n+1
//   draw                 t[n]    t[n+1]   t[n+2]         as far as the drafts were right
// What wrong drafts have left in the cache lies behind the end of the text and is overwritten.
static bool r1i_engine_decode(r1i_engine *e) {
    r1_context *ctx = e->ctx;
    size_t B = e->n_running, stride = r1i_route_stride(e), C = e->model->config.width;
    size_t most = B * (e->desc.speculate + 1), grown = 0;
    int32_t *tokens = (int32_t *)r1i_step_alloc(ctx, most, sizeof *tokens);
    int32_t *routes = stride ? (int32_t *)r1i_step_alloc(ctx, most * stride, sizeof *routes) : NULL;
    size_t *starts = (size_t *)r1i_step_alloc(ctx, B + 1, sizeof *starts);
    size_t *old = (size_t *)r1i_step_alloc(ctx, 2 * B, sizeof *old), *past = old ? old + B : NULL;
    const int32_t **tables = (const int32_t **)r1i_step_alloc(ctx, B, sizeof *tables);
    r1i_grown *texts = (r1i_grown *)r1i_step_alloc(ctx, B, sizeof *texts);
    if (!tokens || !starts || !old || !tables || !texts || (stride && !routes)) return false;
    starts[0] = 0;
    for (size_t b = 0; b < B; b++) {
        size_t number = e->running[b], T = starts[b];
        const r1_sample *s = &e->rollout->samples[number];
        size_t drafts = r1i_engine_drafts(e, s);
        tokens[T++] = s->tokens[s->n - 1], old[b] = s->n, past[b] = s->n - 1;
        for (size_t i = 0; i < drafts; i++) tokens[T++] = e->drafts[number * e->desc.speculate + i];
        starts[b + 1] = T, tables[b] = e->tables[number].blocks;
        e->rollout->drafted += drafts;
    }
    r1_tensor *hidden = r1i_engine_forward(e, tokens, starts, B, past, tables, routes);
    if (!hidden || !r1i_engine_verify(e, hidden, starts, B)) return false;
    e->rollout->steps++;
    for (size_t b = 0; b < B; b++) {
        r1_sample *s = &e->rollout->samples[e->running[b]];
        if (stride)
            memcpy(s->routes + (old[b] - 1) * stride, routes + starts[b] * stride,
                   (s->n - old[b]) * stride * sizeof *routes);
        if (e->sample_states[e->running[b]] == R1I_RUNNING)
            texts[grown++] =
                r1i_answer_grown(e, e->running[b], old[b], hidden->data + starts[b] * C);
    }
    return r1i_engine_draft(e, texts, grown);
}
// Admit, make room, decode. Newcomers draw their first token in admit and their second in the same
// decode as everyone else; finished ones are dropped before blocks are handed out.
static bool r1i_engine_step(r1i_engine *e) {
    bool going = true;
    r1_step_begin(e->ctx);
    if (e->n_running < e->desc.batch && e->n_running + e->n_finished < e->rollout->n)
        going = r1i_engine_admit(e);
    r1i_engine_compact(e);
    if (going && e->n_running) going = r1i_engine_reserve(e);
    if (going && e->n_running) going = r1i_engine_decode(e);
    r1i_engine_compact(e);
    r1_step_end(e->ctx);
    return going && e->ctx->status == R1_OK;
}
// Steps until all samples are finished. An error leaves the rollout half drawn, to be used again:
// the next call begins by emptying every table.
R1I_BODY r1_status r1_generate(r1_model *model, r1_rollout *rollout, const r1_prompt *prompts,
                               size_t n, size_t group, const r1_generate_desc *desc) {
    if (!model || !rollout) return R1_ERROR_ARGUMENT;
    r1i_engine *e = rollout->engine;
    r1_context *ctx = e->ctx;
    if (ctx->status != R1_OK) return ctx->status;
    if (!prompts || !n || !group)
        return r1i_fail(ctx, R1_ERROR_ARGUMENT,
                        "generate: there are %zu prompts and %zu answers each; "
                        "both must be at least 1",
                        prompts ? n : 0, group);
    e->desc = (r1_generate_desc){0};
    if (desc) e->desc = *desc;
    if (!e->desc.batch) e->desc.batch = 256;
    if (e->desc.sampler.temperature == 0) e->desc.sampler.temperature = 1;
    if (!e->desc.sampler.stream) e->desc.sampler.stream = R1_STREAM_SAMPLE;
    if (!(e->desc.sampler.temperature > 0) || e->desc.sampler.top_p < 0 ||
        e->desc.sampler.top_p > 1)
        return r1i_fail(ctx, R1_ERROR_ARGUMENT,
                        "generate: temperature %g must be above 0 and top_p %g in "
                        "0..1",
                        e->desc.sampler.temperature, e->desc.sampler.top_p);
    if (e->desc.speculate > model->config.mtp_layers)
        return r1i_fail(ctx, R1_ERROR_ARGUMENT,
                        "generate: speculate is %zu; the model has %zu layers that predict further "
                        "tokens (mtp_layers)",
                        e->desc.speculate, model->config.mtp_layers);
    e->model = model, e->prompts = prompts, e->rollout = rollout;
    r1_no_grad_begin(ctx);
    bool going = r1i_engine_start(e, n, group);
    while (going && e->n_finished < rollout->n) {
        going = r1i_engine_step(e);
        if (e->desc.progress)
            e->desc.progress(e->desc.user, e->n_finished, rollout->n, rollout->tokens);
    }
    r1_no_grad_end(ctx);
    return r1_status_of(ctx);
}

// ==== [answer] ===================================================================================
// Answer extraction and math equality. Calls [base] and [random]. Three layers: whole numbers and
// fractions without limit but the work area's; balls (a middle and a radius, so every digit that is
// used is proved); expressions, which are read once and then evaluated at exact points. A
// difference is always proved; an equality is exact for rational values, else holds to a stated
// bound.
//
//     extract      the sample's text  ->  the slice that holds the answer
//     tokens       bytes              ->  r1i_token[], each with its slice of the text
//     tree         tokens             ->  r1i_node, at most 60 levels
//     value        node at a point    ->  exact fraction, or ball, or none
//     comparison   two trees          ->  equal, different or undecided, with a reason
//
// Three bounds hold for every comparison, whatever the texts say: 2 MiB of memory, a budget of
// steps, and 60 levels of recursion. Passing one of them makes the verdict undecided. No function
// from here to r1_answer_new allocates, and nothing is kept between two comparisons.

// Why the work ended before a verdict. None of them is an error of the context: each makes the
// verdict "undecided" and appears in its reason, so a hostile answer can cost time up to a
// bound but can neither crash a run nor earn a reward.
typedef enum r1i_answer_stop {
    R1I_STOP_NONE,
    R1I_STOP_SYNTAX,
    R1I_STOP_MEMORY,
    R1I_STOP_STEPS,
    R1I_STOP_DEPTH,
    R1I_STOP_SIZE,
    R1I_STOP_CALCULUS,
    R1I_STOP_UNSUPPORTED
} r1i_answer_stop;

// A whole number of any size: the lowest limb first, no leading zero limb, zero has no limb.
//
//     value = (-1)^negative * (limb[0] + limb[1] 2^32 + limb[2] 2^64 + ...)
//
//     limb   [ low ][  ...  ][ top != 0 ]     size = 3
//
// The limbs belong to the work area and are never written again once the number exists, so
// numbers share them freely: a negation copies the struct and not the limbs. Only r1i_whole_keep
// uses a room again.
typedef struct r1i_whole {
    const uint32_t *limb;
    size_t size;
    bool negative;
} r1i_whole;

// A fraction in lowest terms; the bottom is positive.
// Both parts are exact, so no rounding ever happens on this type; numbers that outgrow the
// limit of limbs stop the comparison instead of losing digits.
typedef struct r1i_ratio {
    r1i_whole top, bottom;
} r1i_ratio;

// Every real number in [middle - radius, middle + radius] * 2^exponent.
//
//        (middle - radius) 2^e    middle 2^e    (middle + radius) 2^e
//     -----------[=====================+=====================]-----------> real line
//                          the true number is somewhere in here
//
// The middle holds up to `bits` bits and the radius about 32. A computation moves the middle as
// it likes, as long as the radius grows by at least what that was wrong.
typedef struct r1i_ball {
    r1i_whole middle;
    int64_t exponent;
    uint64_t radius;
} r1i_ball;

enum {
    R1I_ANSWER_DEPTH = 60,      // of nested expressions
    R1I_ANSWER_LIMBS = 2048,    // of the largest whole number: 65536 bits
    R1I_ANSWER_TEXT = 1 << 13,  // bytes of an answer
    R1I_ANSWER_STEPS = 3000000, // limbs written and nodes visited in a comparison
    R1I_ANSWER_BITS = 192,      // of a ball, and of the second look at what seems equal
    R1I_ANSWER_BITS_AGAIN = 704,
    R1I_ANSWER_GUARD = 64 // bits more inside a function
};

// Everything a comparison needs. The struct is followed by its memory in the same allocation:
//
//     [ r1_answer_work ][ used: nodes, tokens, limbs ... | free ]
//                       ^ memory                         ^ memory + used
//
// Space is taken by moving `used` up and given back by moving it down again, in the order of a
// stack; nothing is freed one by one, and a comparison begins with used = 0.
struct r1_answer_work {
    r1_context *ctx;
    char *memory;
    size_t bytes, used;
    size_t steps; // left
    r1i_answer_stop stop;
    size_t stop_at; // byte of the text where reading it stopped
    unsigned bits;  // precision of balls
    int sample;     // number of the point of evaluation
    bool second_sign, whole_points;
    unsigned seen, reading; // ambiguous notations that were met, and how they are read
    int depth;
    const r1_answer_desc *desc;
    const char *reason;       // of the verdict so far
    struct r1i_node *nothing; // stands for every expression that could not be read
    r1_slice fixed_name;      // a name that has this value and not that of the point
    const struct r1i_value *fixed;
};

// The first reason to stop is the one that is told. From then on every function returns at once
// with something harmless, so that no caller has to look after each step.
// Stopping is a state and no jump: loops ask for it in their condition, and whatever was
// computed after it is thrown away by the caller that sees it.
static void r1i_answer_halt(r1_answer_work *work, r1i_answer_stop stop) {
    if (work->stop == R1I_STOP_NONE) work->stop = stop;
}
// Takes steps from the budget of the comparison; false when it is time to stop.
// A step stands for a node visited, or for some limbs or bytes written. Every loop without a
// small bound of its own takes steps, which is what makes each comparison terminate.
static bool r1i_answer_step(r1_answer_work *work, size_t steps) {
    if (work->steps < steps) {
        work->steps = 0;
        r1i_answer_halt(work, R1I_STOP_STEPS);
    } else {
        work->steps -= steps;
    }
    return work->stop == R1I_STOP_NONE;
}
// Zeroed space that lives until the comparison ends; NULL when the work area is full.
// The size is rounded up to 8 bytes, so everything in the area is aligned for limbs, pointers
// and 64-bit integers. Clearing 64 bytes counts as one step.
static void *r1i_answer_space(r1_answer_work *work, size_t bytes) {
    size_t wanted = r1i_round_up(bytes, 8);
    if (!r1i_answer_step(work, 1 + bytes / 64)) return NULL;
    if (wanted > work->bytes - work->used) {
        r1i_answer_halt(work, R1I_STOP_MEMORY);
        return NULL;
    }
    void *space = work->memory + work->used;
    work->used += wanted;
    memset(space, 0, wanted);
    return space;
}

// ---- whole numbers ----
// Space for this many limbs, at least one, all zero. Numbers beyond 2048 limbs are refused
// here, so no operation below has to look at the length of its result.
static uint32_t *r1i_whole_space(r1_answer_work *work, size_t limbs) {
    if (limbs > R1I_ANSWER_LIMBS) {
        r1i_answer_halt(work, R1I_STOP_SIZE);
        return NULL;
    }
    return (uint32_t *)r1i_answer_space(work, r1i_max(limbs, 1) * sizeof(uint32_t));
}
// A number from limbs that may have zeros on top, which the form does not allow.
// Zero gets no limb and no sign, which makes every number have exactly one form: two numbers
// are equal when their sizes, signs and limbs are.
static r1i_whole r1i_whole_trim(const uint32_t *limb, size_t size, bool negative) {
    while (size && limb[size - 1] == 0) size--;
    return (r1i_whole){limb, size, size && negative};
}
// Two limbs hold any 64-bit value. The magnitude is taken in unsigned arithmetic, where the
// smallest int64_t has one too.
static r1i_whole r1i_whole_of(r1_answer_work *work, int64_t value) {
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint32_t *limb = r1i_whole_space(work, 2);
    if (!limb) return (r1i_whole){NULL, 0, false};
    limb[0] = (uint32_t)rest;
    limb[1] = (uint32_t)(rest >> 32);
    return r1i_whole_trim(limb, 2, value < 0);
}
// Zero stays without a sign. The limbs are shared with the operand.
static r1i_whole r1i_whole_negate(r1i_whole a) {
    a.negative = a.size && !a.negative;
    return a;
}
// The magnitude, on the same limbs.
static r1i_whole r1i_whole_abs(r1i_whole a) {
    a.negative = false;
    return a;
}
// Whether a is this small number.
static bool r1i_whole_is(r1i_whole a, uint32_t value) {
    return value ? a.size == 1 && a.limb[0] == value && !a.negative : a.size == 0;
}
// The length of the magnitude in bits; 0 for zero.
// It is floor(log2 |a|) + 1, so 2^(bits-1) <= |a| < 2^bits.
static size_t r1i_whole_bits(r1i_whole a) {
    if (!a.size) return 0;
    size_t bits = (a.size - 1) * 32;
    for (uint32_t top = a.limb[a.size - 1]; top; top >>= 1) bits++;
    return bits;
}
// The low bits as a number; only for values that are known to fit.
// The two lowest limbs without the sign, |a| mod 2^64.
static uint64_t r1i_whole_low(r1i_whole a) {
    uint64_t low = a.size ? a.limb[0] : 0;
    return a.size > 1 ? low | (uint64_t)a.limb[1] << 32 : low;
}
// -1, 0 or 1 as |a| is below, equal to or above |b|. Trimmed numbers of other sizes need no
// look at their limbs; else the highest limb that differs decides.
static int r1i_whole_compare_abs(r1i_whole a, r1i_whole b) {
    if (a.size != b.size) return a.size < b.size ? -1 : 1;
    for (size_t i = a.size; i-- > 0;)
        if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i] ? -1 : 1;
    return 0;
}
// -1, 0 or 1 as a is below, equal to or above b. Zero counts as positive, as trimming leaves
// it.
static int r1i_whole_compare(r1i_whole a, r1i_whole b) {
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    return a.negative ? r1i_whole_compare_abs(b, a) : r1i_whole_compare_abs(a, b);
}
// |a| + |b|, or |a| - |b| where |a| is not the smaller.
// One limb more than the longer operand holds every carry. The carry is a borrow of -1 in a
// difference, whose final one is 0 because |a| is not the smaller. The sign is the caller's.
static r1i_whole r1i_whole_join(r1_answer_work *work, r1i_whole a, r1i_whole b, bool minus,
                                bool negative) {
    size_t size = r1i_max(a.size, b.size) + 1;
    uint32_t *limb = r1i_whole_space(work, size);
    if (!limb) return (r1i_whole){NULL, 0, false};
    int64_t carry = 0;
    for (size_t i = 0; i < size; i++) {
        int64_t x = i < a.size ? a.limb[i] : 0, y = i < b.size ? b.limb[i] : 0;
        int64_t sum = minus ? x - y + carry : x + y + carry;
        limb[i] = (uint32_t)((uint64_t)sum & 0xffffffffu);
        carry = minus ? (sum < 0 ? -1 : 0) : (int64_t)((uint64_t)sum >> 32);
    }
    return r1i_whole_trim(limb, size, negative);
}
// Equal signs add the magnitudes; else the smaller magnitude is taken from the larger one,
// whose sign the sum has.
static r1i_whole r1i_whole_add(r1_answer_work *work, r1i_whole a, r1i_whole b) {
    if (a.negative == b.negative) return r1i_whole_join(work, a, b, false, a.negative);
    if (r1i_whole_compare_abs(a, b) >= 0) return r1i_whole_join(work, a, b, true, a.negative);
    return r1i_whole_join(work, b, a, true, b.negative);
}
static r1i_whole r1i_whole_sub(r1_answer_work *work, r1i_whole a, r1i_whole b) {
    return r1i_whole_add(work, a, r1i_whole_negate(b));
}
// The schoolbook product: answers are short, and the bound on limbs keeps it affordable.
// Row i adds a[i] * b to the limbs from i on. The sum of a product of two limbs, a limb and a
// carry is at most (2^32-1)^2 + 2 (2^32-1) = 2^64 - 1, which fits.
static r1i_whole r1i_whole_mul(r1_answer_work *work, r1i_whole a, r1i_whole b) {
    if (!a.size || !b.size) return (r1i_whole){NULL, 0, false};
    uint32_t *limb = r1i_whole_space(work, a.size + b.size);
    if (!limb || !r1i_answer_step(work, a.size * b.size / 8)) return (r1i_whole){NULL, 0, false};
    for (size_t i = 0; i < a.size; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < b.size; j++) {
            carry += (uint64_t)a.limb[i] * b.limb[j] + limb[i + j];
            limb[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        limb[i + b.size] = (uint32_t)carry;
    }
    return r1i_whole_trim(limb, a.size + b.size, a.negative != b.negative);
}
// a * 2^bits; for negative bits the magnitude is cut off.
// Cutting off goes towards zero, so a negative number is not rounded down; users of this add
// one unit to their error for it. The distance in limbs is held below 2^24, far above the
// limit, so the sum of sizes cannot wrap.
static r1i_whole r1i_whole_shift(r1_answer_work *work, r1i_whole a, int64_t bits) {
    if (!a.size || !bits) return a;
    uint64_t distance = bits < 0 ? 0 - (uint64_t)bits : (uint64_t)bits;
    size_t limbs = (size_t)r1i_min((size_t)(distance / 32), (size_t)1 << 24);
    unsigned rest = (unsigned)(distance % 32);
    if (bits < 0) {
        if (limbs >= a.size) return (r1i_whole){NULL, 0, false};
        size_t size = a.size - limbs;
        uint32_t *limb = r1i_whole_space(work, size);
        if (!limb) return (r1i_whole){NULL, 0, false};
        for (size_t i = 0; i < size; i++) {
            uint64_t high = i + 1 < size ? a.limb[limbs + i + 1] : 0;
            limb[i] = (uint32_t)((high << 32 | a.limb[limbs + i]) >> rest);
        }
        return r1i_whole_trim(limb, size, a.negative);
    }
    size_t size = a.size + limbs + 1;
    uint32_t *limb = r1i_whole_space(work, size);
    if (!limb) return (r1i_whole){NULL, 0, false};
    for (size_t i = 0; i < a.size; i++) {
        uint64_t wide = (uint64_t)a.limb[i] << rest;
        limb[limbs + i] |= (uint32_t)wide;
        limb[limbs + i + 1] = (uint32_t)(wide >> 32);
    }
    return r1i_whole_trim(limb, size, a.negative);
}
// The magnitude divided by one limb.
// The quotient has the sign of a and is cut towards zero; *rest gets |a| mod b. One pass from
// the top limb down: the carry is below b, so the 64-bit quotient is one limb.
static r1i_whole r1i_whole_divide_small(r1_answer_work *work, r1i_whole a, uint32_t b,
                                        uint32_t *rest) {
    uint32_t *limb = r1i_whole_space(work, a.size);
    uint64_t carry = 0;
    for (size_t i = a.size; limb && i-- > 0;) {
        carry = carry << 32 | a.limb[i];
        limb[i] = (uint32_t)(carry / b);
        carry %= b;
    }
    *rest = (uint32_t)carry;
    return limb ? r1i_whole_trim(limb, a.size, a.negative) : (r1i_whole){NULL, 0, false};
}
// One limb of the quotient in Knuth's algorithm D: top[0..n] minus digit * low[0..n-1].
//
//     top    [0] [1] ... [n-2] [n-1] [n]     the running rest, one limb longer than low
//     low    [0] [1] ... [n-2] [n-1]         top bit of low[n-1] is set
//
// The two top limbs give a guess, and the second limb of low corrects it, which leaves it at most
// one too large; then the difference is negative, and low is added back once.
static void r1i_whole_divide_step(uint32_t *top, const uint32_t *low, size_t n, uint32_t *digit) {
    uint64_t wide = (uint64_t)top[n] << 32 | top[n - 1];
    uint64_t guess = wide / low[n - 1], rest = wide % low[n - 1];
    while (guess >> 32 || guess * low[n - 2] > (rest << 32 | top[n - 2])) {
        guess--, rest += low[n - 1];
        if (rest >> 32) break;
    }
    int64_t borrow = 0;
    uint64_t carry = 0;
    for (size_t i = 0; i < n; i++) {
        carry += guess * low[i];
        int64_t left = (int64_t)top[i] - (int64_t)(carry & 0xffffffffu) + borrow;
        top[i] = (uint32_t)((uint64_t)left & 0xffffffffu);
        borrow = left < 0 ? -1 : 0;
        carry >>= 32;
    }
    int64_t left = (int64_t)top[n] - (int64_t)carry + borrow;
    top[n] = (uint32_t)((uint64_t)left & 0xffffffffu);
    if (left < 0) { // the guess was one too large
        guess--, carry = 0;
        for (size_t i = 0; i < n; i++) {
            carry += (uint64_t)top[i] + low[i];
            top[i] = (uint32_t)carry;
            carry >>= 32;
        }
        top[n] += (uint32_t)carry;
    }
    *digit = (uint32_t)guess;
}
// The quotient cut towards zero, and the rest with the sign of a. b is not zero.
// a = quotient * b + rest with |rest| < |b|. Both are shifted left until b's top bit is set, as
// algorithm D needs it, and the rest is shifted back. It costs n * m / 8 steps for n limbs of b
// and m limbs of the quotient.
static r1i_whole r1i_whole_divide(r1_answer_work *work, r1i_whole a, r1i_whole b, r1i_whole *rest) {
    r1i_whole none = {NULL, 0, false}, unused;
    if (!rest) rest = &unused;
    *rest = none;
    if (!b.size || work->stop) return none;
    if (r1i_whole_compare_abs(a, b) < 0) {
        *rest = a;
        return none;
    }
    if (b.size == 1) {
        uint32_t low = 0;
        r1i_whole quotient = r1i_whole_divide_small(work, a, b.limb[0], &low);
        *rest = r1i_whole_of(work, low);
        rest->negative = low && a.negative;
        quotient.negative = quotient.size && a.negative != b.negative;
        return quotient;
    }
    int64_t shift = (int64_t)(b.size * 32 - r1i_whole_bits(b));
    r1i_whole low = r1i_whole_shift(work, r1i_whole_abs(b), shift);
    r1i_whole high = r1i_whole_shift(work, r1i_whole_abs(a), shift);
    size_t n = b.size, m = a.size + 1 - n;
    uint32_t *top = r1i_whole_space(work, a.size + 1), *limb = r1i_whole_space(work, m);
    if (!top || !limb || !low.size || !high.size) return none;
    if (!r1i_answer_step(work, n * m / 8)) return none;
    memcpy(top, high.limb, r1i_min(high.size, a.size + 1) * sizeof *top);
    for (size_t j = m; j-- > 0;) r1i_whole_divide_step(top + j, low.limb, n, &limb[j]);
    *rest = r1i_whole_shift(work, r1i_whole_trim(top, n, a.negative), -shift);
    return r1i_whole_trim(limb, m, a.negative != b.negative);
}
// Copies a number into limbs that were set aside and gives back all space since then, so that a
// long loop does not fill the work area.
// The caller has made the room large enough. Nothing else that was made after `used` may be
// needed any more, since later work overwrites it.
static r1i_whole r1i_whole_keep(r1_answer_work *work, r1i_whole a, uint32_t *limb, size_t used) {
    if (work->stop || !limb) return (r1i_whole){NULL, 0, false};
    if (a.size) memcpy(limb, a.limb, a.size * sizeof *limb);
    work->used = used;
    a.limb = limb;
    return a;
}
// Euclid, in machine words as soon as both numbers fit.
// Never negative; gcd(a, 0) = |a|. The rests go into two rooms in turn, since each step needs
// only the last two numbers. The rest shrinks strictly, so the loop ends; numbers of 64 bits
// leave it for the short one.
static r1i_whole r1i_whole_gcd(r1_answer_work *work, r1i_whole a, r1i_whole b) {
    a.negative = b.negative = false;
    size_t size = r1i_max(a.size, b.size), turn = 0;
    uint32_t *space[2] = {r1i_whole_space(work, size), r1i_whole_space(work, size)};
    size_t used = work->used;
    while (b.size && !work->stop) {
        if (a.size <= 2 && b.size <= 2) {
            uint64_t x = r1i_whole_low(a), y = r1i_whole_low(b);
            while (y) {
                uint64_t t = x % y;
                x = y, y = t;
            }
            uint32_t *limb = r1i_whole_space(work, 2);
            if (!limb) return a;
            limb[0] = (uint32_t)x, limb[1] = (uint32_t)(x >> 32);
            return r1i_whole_trim(limb, 2, false);
        }
        r1i_whole rest;
        r1i_whole_divide(work, a, b, &rest);
        a = b, b = r1i_whole_keep(work, rest, space[turn], used);
        turn = !turn;
    }
    return a;
}
// Powers that would pass the limit are refused before the first product, not found out late.
// a^n by squaring: about 2 log2 n products. |a|^n has more than (bits - 1) n bits, which gives
// the test. Of 1 and -1 only the parity of n matters.
static r1i_whole r1i_whole_power(r1_answer_work *work, r1i_whole a, uint64_t n) {
    r1i_whole power = r1i_whole_of(work, 1);
    if (a.size && (n > UINT32_MAX || (r1i_whole_bits(a) - 1) * n > R1I_ANSWER_LIMBS * 32u)) {
        if (a.size > 1 || a.limb[0] != 1) {
            r1i_answer_halt(work, R1I_STOP_SIZE);
            return power;
        }
        n %= 2;
    }
    for (; n && !work->stop; n >>= 1) {
        if (n & 1) power = r1i_whole_mul(work, power, a);
        if (n > 1) a = r1i_whole_mul(work, a, a);
    }
    return power;
}
// The floor of the n-th root of a positive number, by Newton's method from above.
// x' = ((n-1) x + a / x^(n-1)) / n with every quotient cut. It starts above the root and falls
// strictly until it reaches the floor; the first step that does not fall ends it.
static r1i_whole r1i_whole_root(r1_answer_work *work, r1i_whole a, uint32_t n) {
    if (!a.size || n == 1) return a;
    r1i_whole one = r1i_whole_of(work, 1);
    if (n >= r1i_whole_bits(a)) return one;
    r1i_whole root = r1i_whole_shift(work, one, (int64_t)(r1i_whole_bits(a) / n + 1));
    r1i_whole less = r1i_whole_of(work, n - 1), all = r1i_whole_of(work, n);
    while (!work->stop) {
        r1i_whole power = r1i_whole_power(work, root, n - 1);
        r1i_whole sum = r1i_whole_add(work, r1i_whole_mul(work, less, root),
                                      r1i_whole_divide(work, a, power, NULL));
        r1i_whole next = r1i_whole_divide(work, sum, all, NULL);
        if (r1i_whole_compare_abs(next, root) >= 0) break;
        root = next;
    }
    return root;
}

// ---- fractions ----
// top / bottom in lowest terms with a positive bottom. A bottom of 1 needs no gcd, which is the
// common case by far. The bottom must not be zero; callers look first.
static r1i_ratio r1i_ratio_make(r1_answer_work *work, r1i_whole top, r1i_whole bottom) {
    if (bottom.size == 1 && bottom.limb[0] == 1 && !bottom.negative)
        return (r1i_ratio){top, bottom};
    r1i_whole divisor = r1i_whole_gcd(work, top, bottom);
    if (!r1i_whole_is(divisor, 1)) {
        top = r1i_whole_divide(work, top, divisor, NULL);
        bottom = r1i_whole_divide(work, bottom, divisor, NULL);
    }
    if (bottom.negative) top = r1i_whole_negate(top), bottom.negative = false;
    return (r1i_ratio){top, bottom};
}
// The fraction of two small numbers, reduced.
static r1i_ratio r1i_ratio_of(r1_answer_work *work, int64_t top, int64_t bottom) {
    return r1i_ratio_make(work, r1i_whole_of(work, top), r1i_whole_of(work, bottom));
}
static bool r1i_ratio_is_whole(r1i_ratio a) { return r1i_whole_is(a.bottom, 1); }
static bool r1i_ratio_is_zero(r1i_ratio a) { return a.top.size == 0; }
// Only the top carries the sign of a fraction.
static r1i_ratio r1i_ratio_negate(r1i_ratio a) {
    a.top = r1i_whole_negate(a.top);
    return a;
}
// Zero and whole numbers, the common cases, need no gcd.
// a/b + c/d = (ad + cb) / bd, reduced at once, so that long sums stay as short as their value
// is.
static r1i_ratio r1i_ratio_add(r1_answer_work *work, r1i_ratio a, r1i_ratio b) {
    if (!a.top.size) return b;
    if (!b.top.size) return a;
    if (r1i_ratio_is_whole(a) && r1i_ratio_is_whole(b))
        return (r1i_ratio){r1i_whole_add(work, a.top, b.top), a.bottom};
    r1i_whole top = r1i_whole_add(work, r1i_whole_mul(work, a.top, b.bottom),
                                  r1i_whole_mul(work, b.top, a.bottom));
    return r1i_ratio_make(work, top, r1i_whole_mul(work, a.bottom, b.bottom));
}
static r1i_ratio r1i_ratio_sub(r1_answer_work *work, r1i_ratio a, r1i_ratio b) {
    return r1i_ratio_add(work, a, r1i_ratio_negate(b));
}
// The product of tops over the product of bottoms, reduced. A zero factor gives 0/1.
static r1i_ratio r1i_ratio_mul(r1_answer_work *work, r1i_ratio a, r1i_ratio b) {
    return r1i_ratio_make(work, r1i_whole_mul(work, a.top, b.top),
                          r1i_whole_mul(work, a.bottom, b.bottom));
}
// b is not zero.
// It is a times b turned upside down; a negative bottom is set right by the reduction.
static r1i_ratio r1i_ratio_divide(r1_answer_work *work, r1i_ratio a, r1i_ratio b) {
    return r1i_ratio_make(work, r1i_whole_mul(work, a.top, b.bottom),
                          r1i_whole_mul(work, a.bottom, b.top));
}
// Lowest terms make equality a comparison of limbs.
static bool r1i_ratio_same(r1i_ratio a, r1i_ratio b) {
    return r1i_whole_compare(a.top, b.top) == 0 && r1i_whole_compare(a.bottom, b.bottom) == 0;
}
// The largest whole number that is not above a. Division cuts towards zero, so a negative rest
// means that the quotient is one too large.
static r1i_whole r1i_ratio_floor(r1_answer_work *work, r1i_ratio a) {
    r1i_whole rest, floor = r1i_whole_divide(work, a.top, a.bottom, &rest);
    return rest.negative ? r1i_whole_sub(work, floor, r1i_whole_of(work, 1)) : floor;
}

// ---- balls ----
static const r1i_ball r1i_ball_zero = {{NULL, 0, false}, 0, 0};

// Cuts a middle to the precision and a radius to 32 bits; whatever is cut off widens the radius.
// For c bits cut off, both the middle and the radius lose less than one new unit, hence the 2.
// The radius is at most 2^32 + 1. Exponents beyond 2^40 are refused long before sums of them
// could overflow.
static r1i_ball r1i_ball_make(r1_answer_work *work, r1i_whole middle, int64_t exponent,
                              r1i_whole radius) {
    size_t bits = r1i_whole_bits(middle), wide = r1i_whole_bits(radius);
    size_t cut = bits > work->bits ? bits - work->bits : 0;
    if (wide > 32 && wide - 32 > cut) cut = wide - 32;
    r1i_ball ball = {middle, exponent, 0};
    if (cut) {
        ball.middle = r1i_whole_shift(work, middle, -(int64_t)cut);
        radius = r1i_whole_shift(work, radius, -(int64_t)cut);
        ball.exponent += (int64_t)cut;
    }
    ball.radius = r1i_whole_low(radius) + (cut ? 2 : 0);
    if (ball.exponent > (int64_t)1 << 40 || ball.exponent < -((int64_t)1 << 40))
        r1i_answer_halt(work, R1I_STOP_SIZE);
    return ball;
}
// A whole number without any error: its radius is 0.
static r1i_ball r1i_ball_of(r1_answer_work *work, int64_t value) {
    return (r1i_ball){r1i_whole_of(work, value), 0, 0};
}
// A fraction as a ball that is a little more precise than asked for.
// top 2^shift / bottom has at least bits + 2 significant bits. The quotient is cut by less than
// one unit, which is the radius; whole numbers have none unless they are cut to the precision.
static r1i_ball r1i_ball_from(r1_answer_work *work, r1i_ratio a) {
    if (r1i_ratio_is_whole(a)) return r1i_ball_make(work, a.top, 0, (r1i_whole){NULL, 0, false});
    int64_t shift = (int64_t)work->bits + 2 + (int64_t)r1i_whole_bits(a.bottom) -
                    (int64_t)r1i_whole_bits(a.top);
    r1i_whole top = shift > 0 ? r1i_whole_shift(work, a.top, shift) : a.top;
    if (shift < 0) shift = 0;
    return r1i_ball_make(work, r1i_whole_divide(work, top, a.bottom, NULL), -shift,
                         r1i_whole_of(work, 1));
}
// The mirror image of an interval is as wide.
static r1i_ball r1i_ball_negate(r1i_ball a) {
    a.middle = r1i_whole_negate(a.middle);
    return a;
}
static bool r1i_ball_is_zero(r1i_ball a) { return !a.middle.size && !a.radius; }
// A middle within the radius cannot tell the number from zero.
// |middle| <= radius, which is about 2^32 at most; a middle of three limbs is beyond it.
static bool r1i_ball_has_zero(r1i_ball a) {
    return a.middle.size <= 2 && r1i_whole_low(a.middle) <= a.radius;
}
// The sign when it is sure, else 0.
// A sign that is told is proved, because all of the interval lies on that side of zero.
static int r1i_ball_sign(r1i_ball a) {
    return r1i_ball_has_zero(a) ? 0 : a.middle.negative ? -1 : 1;
}
// The exponent of an upper bound of the magnitude.
// |x| < 2^top for every x in the ball: middle and radius are each below 2^max(bits), their sum
// below the double. Zero has a top so low that it loses every comparison.
static int64_t r1i_ball_top(r1i_ball a) {
    size_t bits = r1i_whole_bits(a.middle), wide = 0;
    if (r1i_ball_is_zero(a)) return INT64_MIN / 4;
    for (uint64_t r = a.radius; r; r >>= 1) wide++;
    return (int64_t)r1i_max(bits, wide) + 1 + a.exponent;
}
// The terms are brought to the lower exponent; far apart, the small one only widens the other.
// The radii add up. When the exponents differ by more than 2 * bits + 64, lining up the middles
// would make numbers of absurd length; then a is lifted towards full precision only, and one
// unit of radius stands for all of b.
static r1i_ball r1i_ball_add(r1_answer_work *work, r1i_ball a, r1i_ball b) {
    if (r1i_ball_is_zero(a)) return b;
    if (r1i_ball_is_zero(b)) return a;
    if (a.exponent < b.exponent) {
        r1i_ball swap = a;
        a = b, b = swap;
    }
    int64_t gap = a.exponent - b.exponent, most = 2 * (int64_t)work->bits + 64;
    if (gap > most) { // b only blurs the end of a
        size_t held = r1i_whole_bits(a.middle);
        int64_t lift = held < work->bits ? (int64_t)(work->bits - held) : 0;
        lift = lift < a.exponent - r1i_ball_top(b) ? lift : a.exponent - r1i_ball_top(b);
        r1i_whole radius = r1i_whole_shift(work, r1i_whole_of(work, (int64_t)a.radius), lift);
        return r1i_ball_make(work, r1i_whole_shift(work, a.middle, lift), a.exponent - lift,
                             r1i_whole_add(work, radius, r1i_whole_of(work, 1)));
    }
    r1i_whole middle = r1i_whole_add(work, r1i_whole_shift(work, a.middle, gap), b.middle);
    r1i_whole radius = r1i_whole_shift(work, r1i_whole_of(work, (int64_t)a.radius), gap);
    radius = r1i_whole_add(work, radius, r1i_whole_of(work, (int64_t)b.radius));
    return r1i_ball_make(work, middle, b.exponent, radius);
}
static r1i_ball r1i_ball_sub(r1_answer_work *work, r1i_ball a, r1i_ball b) {
    return r1i_ball_add(work, a, r1i_ball_negate(b));
}
// (a +- ra)(b +- rb) is off by at most |a| rb + |b| ra + ra rb.
// The exponents add up and the middles multiply exactly; the cut back to the precision happens
// in r1i_ball_make. Two exact factors have an exact product as long as it fits.
static r1i_ball r1i_ball_mul(r1_answer_work *work, r1i_ball a, r1i_ball b) {
    r1i_whole ra = r1i_whole_of(work, (int64_t)a.radius), radius = {NULL, 0, false};
    r1i_whole rb = r1i_whole_of(work, (int64_t)b.radius);
    if (ra.size || rb.size) {
        radius = r1i_whole_mul(work, r1i_whole_abs(a.middle), rb);
        radius = r1i_whole_add(work, radius, r1i_whole_mul(work, r1i_whole_abs(b.middle), ra));
        radius = r1i_whole_add(work, radius, r1i_whole_mul(work, ra, rb));
    }
    return r1i_ball_make(work, r1i_whole_mul(work, a.middle, b.middle), a.exponent + b.exponent,
                         radius);
}
// a * 2^bits without any loss. An exact zero keeps exponent 0.
static r1i_ball r1i_ball_scale(r1i_ball a, int64_t bits) {
    if (a.middle.size || a.radius) a.exponent += bits;
    return a;
}
// b is surely not zero. |a/b - (a +- ra)/(b +- rb)| <= (ra + |a/b| rb) / (|b| - rb).
// The middle of a is shifted so far that the quotient has at least bits + 33 bits. The two
// units more stand for the cuts of the quotient and of the bound itself.
static r1i_ball r1i_ball_divide(r1_answer_work *work, r1i_ball a, r1i_ball b) {
    if (r1i_ball_is_zero(a)) return a;
    int64_t shift = (int64_t)work->bits + 34 + (int64_t)r1i_whole_bits(b.middle) -
                    (int64_t)r1i_whole_bits(a.middle);
    if (shift < 0) shift = 0;
    r1i_whole least =
        r1i_whole_sub(work, r1i_whole_abs(b.middle), r1i_whole_of(work, (int64_t)b.radius));
    r1i_whole top = r1i_whole_shift(work, a.middle, shift);
    r1i_whole middle = r1i_whole_divide(work, top, b.middle, NULL);
    r1i_whole blur = r1i_whole_shift(work, r1i_whole_of(work, (int64_t)a.radius), shift);
    r1i_whole more = r1i_whole_add(work, r1i_whole_abs(middle), r1i_whole_of(work, 1));
    more = r1i_whole_mul(work, more, r1i_whole_of(work, (int64_t)b.radius));
    blur = r1i_whole_divide(work, r1i_whole_add(work, blur, more), least, NULL);
    return r1i_ball_make(work, middle, a.exponent - b.exponent - shift,
                         r1i_whole_add(work, blur, r1i_whole_of(work, 2)));
}

// ---- functions of balls ----
// Inside a function numbers are whole multiples of 2^-point ("fixed"). Every step cuts off less
// than one unit; the bound of what that adds up to stands beside each series.
//
//     [ whole part ] . [ bits of the answer ][ 64 guard ][ 32 more ]
//                    ^ point                                      ^ one unit = 2^-point
//
// The errors of the functions below stay under 2^60 units, inside the 96 bits of guard.
static int64_t r1i_fixed_point(const r1_answer_work *work) {
    return (int64_t)work->bits + R1I_ANSWER_GUARD + 32;
}
// A product, cut to the point.
// Cut towards zero: off by less than one unit, besides what the factors bring with them.
static r1i_whole r1i_fixed_mul(r1_answer_work *work, r1i_whole a, r1i_whole b) {
    return r1i_whole_shift(work, r1i_whole_mul(work, a, b), -r1i_fixed_point(work));
}
// a 2^point / b, cut towards zero; off by less than one unit.
static r1i_whole r1i_fixed_divide(r1_answer_work *work, r1i_whole a, r1i_whole b) {
    return r1i_whole_divide(work, r1i_whole_shift(work, a, r1i_fixed_point(work)), b, NULL);
}
// The number 1: 2^point units.
static r1i_whole r1i_fixed_one(r1_answer_work *work) {
    return r1i_whole_shift(work, r1i_whole_of(work, 1), r1i_fixed_point(work));
}
// sqrt(a) = floor(sqrt(a 2^point)) units, for a >= 0; off by less than one unit.
static r1i_whole r1i_fixed_root(r1_answer_work *work, r1i_whole a) {
    return r1i_whole_root(work, r1i_whole_shift(work, a, r1i_fixed_point(work)), 2);
}
// The middle as fixed, and in *blur what the radius and the cut come to.
// A positive exponent only shifts left and loses nothing; a negative one cuts less than one
// unit off the middle and off the radius, which the two units cover. Huge exponents stop the
// work at the limit of limbs.
static r1i_whole r1i_fixed_from(r1_answer_work *work, r1i_ball a, r1i_whole *blur) {
    int64_t shift = a.exponent + r1i_fixed_point(work);
    r1i_whole radius = r1i_whole_shift(work, r1i_whole_of(work, (int64_t)a.radius), shift);
    *blur = r1i_whole_add(work, radius, r1i_whole_of(work, 2));
    return r1i_whole_shift(work, a.middle, shift);
}
// The ball of a fixed number whose errors add up to blur + error units.
// From here on the bound is kept by the radius and no longer by a comment.
static r1i_ball r1i_fixed_ball(r1_answer_work *work, r1i_whole a, r1i_whole blur, int64_t error) {
    return r1i_ball_make(work, a, -r1i_fixed_point(work),
                         r1i_whole_add(work, blur, r1i_whole_of(work, error)));
}
// sum of z^(2k+1) / (2k+1), k = 0, 1, ...; alternating signs give the arctangent. |z| < 1/2.
// The power loses a factor of at least 4 in each round, so it is zero after at most point / 2
// rounds, which ends the loop. Every round cuts three times, and the cuts fade with the powers,
// so the sum is off by a few units a round.
static r1i_whole r1i_fixed_odd_series(r1_answer_work *work, r1i_whole z, bool alternate) {
    r1i_whole square = r1i_fixed_mul(work, z, z), power = z, sum = z;
    uint32_t rest;
    for (uint32_t k = 3; power.size && !work->stop; k += 2) {
        power = r1i_fixed_mul(work, power, square);
        if (alternate) power = r1i_whole_negate(power);
        sum = r1i_whole_add(work, sum, r1i_whole_divide_small(work, power, k, &rest));
    }
    return sum;
}
// The same series for 1 / inverse, times a factor: the terms of the formulas below.
// Multiplying by the factor multiplies the error of the series too; with factors up to 48 and
// about a hundred rounds it stays below 2^16 units.
static r1i_whole r1i_fixed_odd_small(r1_answer_work *work, uint32_t inverse, int64_t times,
                                     bool alternate) {
    r1i_whole z = r1i_fixed_divide(work, r1i_whole_of(work, 1), r1i_whole_of(work, inverse));
    z = r1i_fixed_odd_series(work, z, alternate);
    return r1i_whole_mul(work, z, r1i_whole_of(work, times));
}
// pi = 48 atan(1/18) + 32 atan(1/57) - 20 atan(1/239), within 2^16 units.
// A formula of Gauss: three quick series of whole reciprocals. It is computed anew each time,
// since the work area keeps nothing between comparisons.
static r1i_whole r1i_fixed_pi(r1_answer_work *work) {
    r1i_whole sum = r1i_fixed_odd_small(work, 18, 48, true);
    sum = r1i_whole_add(work, sum, r1i_fixed_odd_small(work, 57, 32, true));
    return r1i_whole_sub(work, sum, r1i_fixed_odd_small(work, 239, 20, true));
}
// log 2 = 18 atanh(1/26) - 2 atanh(1/4801) + 8 atanh(1/8749), within 2^16 units.
// The three reciprocals are small enough that the first series gains more than nine bits in
// each round.
static r1i_whole r1i_fixed_log2(r1_answer_work *work) {
    r1i_whole sum = r1i_fixed_odd_small(work, 26, 18, false);
    sum = r1i_whole_sub(work, sum, r1i_fixed_odd_small(work, 4801, 2, false));
    return r1i_whole_add(work, sum, r1i_fixed_odd_small(work, 8749, 8, false));
}
// The bound of r1i_fixed_pi as its radius.
static r1i_ball r1i_ball_pi(r1_answer_work *work) {
    return r1i_fixed_ball(work, r1i_fixed_pi(work), r1i_whole_of(work, 0), 1 << 16);
}
// Numbers beyond 2^30 have no digits left behind the point that one could trust.
// Reducing x by multiples of log 2 or pi/2 multiplies their error by about |x|; up to 2^30 the
// guard bits absorb that. Larger ones stop the work, so the verdict is undecided.
static bool r1i_ball_too_large(r1_answer_work *work, r1i_ball a) {
    if (r1i_ball_top(a) > 30) r1i_answer_halt(work, R1I_STOP_SIZE);
    return work->stop != R1I_STOP_NONE;
}
// a = turns * unit + rest with |rest| <= unit / 2; returns the rest.
// Half a unit is added away from zero before the cut, which rounds to the nearest. *turns fits
// because the callers have refused arguments beyond 2^30.
static r1i_whole r1i_fixed_reduce(r1_answer_work *work, r1i_whole a, r1i_whole unit,
                                  int64_t *turns) {
    r1i_whole half = r1i_whole_shift(work, unit, -1), rest;
    r1i_whole up = a.negative ? r1i_whole_sub(work, a, half) : r1i_whole_add(work, a, half);
    r1i_whole count = r1i_whole_divide(work, up, unit, &rest);
    *turns = (int64_t)r1i_whole_low(count) * (count.negative ? -1 : 1);
    return r1i_whole_sub(work, a, r1i_whole_mul(work, count, unit));
}
// exp: x = k log 2 + f, Taylor at f / 2^8, then eight squarings. The error of f is 2^16 |k| units;
// the series loses 2^7, and the squarings multiply by 2^9.
// An error d in x moves e^x by e^x (e^d - 1), below 8 d units of the result before the scaling
// by 2^k when d <= 1; hence the shift by 3. The Taylor terms shrink by 2^-9 and more each, so
// the loop ends when they vanish.
static r1i_ball r1i_ball_exp(r1_answer_work *work, r1i_ball a) {
    if (r1i_ball_is_zero(a)) return r1i_ball_of(work, 1);
    if (a.middle.size && r1i_ball_too_large(work, a)) return a;
    r1i_whole blur, x = r1i_fixed_from(work, a, &blur), one = r1i_fixed_one(work);
    if (r1i_whole_compare_abs(blur, one) > 0) { // e^(x +- 1) has no digits
        r1i_answer_halt(work, R1I_STOP_SIZE);
        return a;
    }
    int64_t k;
    x = r1i_fixed_reduce(work, x, r1i_fixed_log2(work), &k);
    x = r1i_whole_shift(work, x, -8);
    r1i_whole sum = r1i_whole_add(work, one, x), term = x;
    uint32_t rest;
    for (uint32_t n = 2; term.size && !work->stop; n++) {
        term = r1i_whole_divide_small(work, r1i_fixed_mul(work, term, x), n, &rest);
        sum = r1i_whole_add(work, sum, term);
    }
    for (int n = 0; n < 8; n++) sum = r1i_fixed_mul(work, sum, sum);
    int64_t error = ((int64_t)1 << 18) + ((k < 0 ? -k : k) + 1) * ((int64_t)1 << 18);
    return r1i_ball_scale(r1i_fixed_ball(work, sum, r1i_whole_shift(work, blur, 3), error), k);
}
// log of a surely positive number: m = f 2^k with 1 <= f < 2; seven square roots bring f near 1,
// then 2 atanh((f-1)/(f+1)). The roots and the series lose 2^7 units, times 2^8.
// |log(m +- r) - log m| <= r / (m - r), and doubling it covers the cut. f lies in [1, 2), its
// 2^7-th root within 0.6 percent of 1, so the series gains 16 bits and more in each round. k
// log 2 brings 2^16 |k| units with it.
static r1i_ball r1i_ball_log(r1_answer_work *work, r1i_ball a) {
    int64_t point = r1i_fixed_point(work), bits = (int64_t)r1i_whole_bits(a.middle) - 1;
    r1i_whole f = r1i_whole_shift(work, a.middle, point - bits), one = r1i_fixed_one(work);
    r1i_whole blur = r1i_whole_shift(work, r1i_whole_of(work, (int64_t)a.radius), point + 1);
    r1i_whole least = r1i_whole_sub(work, a.middle, r1i_whole_of(work, (int64_t)a.radius));
    blur = r1i_whole_divide(work, blur, least, NULL);
    for (int n = 0; n < 7; n++) f = r1i_fixed_root(work, f);
    f = r1i_fixed_divide(work, r1i_whole_sub(work, f, one), r1i_whole_add(work, f, one));
    f = r1i_whole_shift(work, r1i_fixed_odd_series(work, f, false), 8);
    int64_t k = bits + a.exponent, error = (int64_t)1 << 17;
    if (k) {
        f = r1i_whole_add(work, f,
                          r1i_whole_mul(work, r1i_fixed_log2(work), r1i_whole_of(work, k)));
        blur = r1i_whole_add(
            work, blur,
            r1i_whole_mul(work, r1i_whole_of(work, 1 << 16), r1i_whole_abs(r1i_whole_of(work, k))));
    }
    return r1i_fixed_ball(work, f, blur, error);
}
// sin and cos: x = k pi/2 + f, Taylor at f. The error of f is 2^16 |k| units, the series lose 2^9.
//
//     k mod 4      0        1        2        3
//     sin x      sin f    cos f   -sin f   -cos f
//     cos x      cos f   -sin f   -cos f    sin f
//
// Both functions move by at most what x moves, so the blur of x is the blur of the results.
static void r1i_ball_sin_cos(r1_answer_work *work, r1i_ball a, r1i_ball *sine, r1i_ball *cosine) {
    *sine = a, *cosine = r1i_ball_of(work, 1);
    if (r1i_ball_is_zero(a) || r1i_ball_too_large(work, a)) return;
    r1i_whole blur, x = r1i_fixed_from(work, a, &blur), one = r1i_fixed_one(work);
    int64_t k;
    x = r1i_fixed_reduce(work, x, r1i_whole_shift(work, r1i_fixed_pi(work), -1), &k);
    r1i_whole s = x, c = one, term = x;
    uint32_t rest;
    for (uint32_t n = 2; term.size && !work->stop; n++) {
        term = r1i_whole_divide_small(work, r1i_fixed_mul(work, term, x), n, &rest);
        if (n % 2 == 0) term = r1i_whole_negate(term);
        if (n % 2)
            s = r1i_whole_add(work, s, term);
        else
            c = r1i_whole_add(work, c, term);
    }
    int64_t error = ((k < 0 ? -k : k) + 1) * ((int64_t)1 << 17);
    r1i_ball bs = r1i_fixed_ball(work, s, blur, error), bc = r1i_fixed_ball(work, c, blur, error);
    bool odd = k % 2 != 0, minus_s = (k & 2) != 0, minus_c = ((k + 1) & 2) != 0;
    *sine = odd ? bc : bs, *cosine = odd ? bs : bc;
    if (minus_s) *sine = r1i_ball_negate(*sine);
    if (minus_c) *cosine = r1i_ball_negate(*cosine);
}
// atan: five times x -> x / (1 + sqrt(1 + x^2)), then the series. Loses 2^7 units, times 2^5.
// The map halves the angle, so five of them bring it below pi/64. From 1 on in size atan x =
// +-pi/2 - atan(1/x) keeps the argument small. The slope is at most 1, so the blur of x carries
// over.
static r1i_ball r1i_ball_atan(r1_answer_work *work, r1i_ball a) {
    if (r1i_ball_is_zero(a)) return a;
    bool large = !r1i_ball_has_zero(a) && r1i_ball_top(a) > 1, negative = a.middle.negative;
    r1i_ball inner = large ? r1i_ball_divide(work, r1i_ball_of(work, 1), a) : a;
    r1i_whole blur, x = r1i_fixed_from(work, inner, &blur), one = r1i_fixed_one(work);
    for (int n = 0; n < 5; n++) {
        r1i_whole root = r1i_whole_add(work, one, r1i_fixed_mul(work, x, x));
        x = r1i_fixed_divide(work, x, r1i_whole_add(work, one, r1i_fixed_root(work, root)));
    }
    x = r1i_whole_shift(work, r1i_fixed_odd_series(work, x, true), 5);
    r1i_ball angle = r1i_fixed_ball(work, x, blur, 1 << 14);
    if (!large) return angle;
    r1i_ball quarter = r1i_ball_scale(r1i_ball_pi(work), -1);
    return r1i_ball_sub(work, negative ? r1i_ball_negate(quarter) : quarter, angle);
}
// The n-th root of a number that is not negative.
// The middle is lifted until its root has `bits` bits and the exponent is a multiple of n, so
// that 2^exponent has an exact root. Two units more cover the cut of the root and that of the
// bound.
static r1i_ball r1i_ball_root(r1_answer_work *work, r1i_ball a, uint32_t n) {
    if (r1i_ball_is_zero(a) || n == 1) return a;
    int64_t lift = (int64_t)work->bits * n + 8 - (int64_t)r1i_whole_bits(a.middle);
    if (lift < 0) lift = 0;
    while ((a.exponent - lift) % (int64_t)n) lift++;
    r1i_whole root = r1i_whole_root(work, r1i_whole_shift(work, a.middle, lift), n), blur;
    // The root of m +- r is off by at most the root of m times r / (m - r).
    r1i_whole radius = r1i_whole_of(work, (int64_t)a.radius);
    r1i_whole least = r1i_whole_sub(work, a.middle, radius);
    if (!least.size || least.negative) {
        r1i_answer_halt(work, R1I_STOP_SIZE);
        return a;
    }
    blur = r1i_whole_divide(work, r1i_whole_mul(work, root, radius), least, NULL);
    return r1i_ball_make(work, root, (a.exponent - lift) / (int64_t)n,
                         r1i_whole_add(work, blur, r1i_whole_of(work, 2)));
}

// ---- values: exact Gaussian rationals as long as possible, then pairs of balls ----
//
//     exact:  re + i im     two fractions           equal means equal
//     ball:   x + i y       two balls               unequal is proved, equal is to some digits
//     none:   no value      sqrt of what may be negative, 1/0, a floor that is not sure, ...
//
// Values only move down this list. Once a ball enters a sum the result is a ball, even where the
// irrational parts cancel; then the second look with more bits settles what it can.
typedef enum r1i_value_kind { R1I_VALUE_NONE, R1I_VALUE_EXACT, R1I_VALUE_BALL } r1i_value_kind;
typedef struct r1i_value {
    r1i_value_kind kind; // none: not defined, or nothing sure is known
    r1i_ratio re, im;
    r1i_ball x, y;
} r1i_value;

// Every field is set to zero, so that operations that look at the wrong kind read zeros.
static r1i_value r1i_value_none(void) {
    r1i_value value = {R1I_VALUE_NONE,
                       {{NULL, 0, false}, {NULL, 0, false}},
                       {{NULL, 0, false}, {NULL, 0, false}},
                       r1i_ball_zero,
                       r1i_ball_zero};
    return value;
}
// The fractions are shared and not copied.
static r1i_value r1i_value_exact(r1i_ratio re, r1i_ratio im) {
    r1i_value value = r1i_value_none();
    value.kind = R1I_VALUE_EXACT, value.re = re, value.im = im;
    return value;
}
// A real rational number: the imaginary part is an exact zero.
static r1i_value r1i_value_ratio(r1_answer_work *work, r1i_ratio re) {
    return r1i_value_exact(re, r1i_ratio_of(work, 0, 1));
}
// A small fraction as a value, reduced to lowest terms.
static r1i_value r1i_value_of(r1_answer_work *work, int64_t top, int64_t bottom) {
    return r1i_value_ratio(work, r1i_ratio_of(work, top, bottom));
}
// A real one has the exact zero ball as its y, which the functions of real numbers ask for.
static r1i_value r1i_value_ball(r1i_ball x, r1i_ball y) {
    r1i_value value = r1i_value_none();
    value.kind = R1I_VALUE_BALL, value.x = x, value.y = y;
    return value;
}
// The balls of an exact value; from then on digits are lost.
// Values of other kinds pass through unchanged, so callers need not ask.
static r1i_value r1i_value_blur(r1_answer_work *work, r1i_value a) {
    if (a.kind != R1I_VALUE_EXACT) return a;
    return r1i_value_ball(r1i_ball_from(work, a.re), r1i_ball_from(work, a.im));
}
// Only a part that is exactly zero counts; a ball around zero may hide a small number.
static bool r1i_value_is_real(const r1i_value *a) {
    if (a->kind == R1I_VALUE_EXACT) return r1i_ratio_is_zero(a->im);
    return a->kind == R1I_VALUE_BALL && r1i_ball_is_zero(a->y);
}
static bool r1i_value_is_rational(const r1i_value *a) {
    return a->kind == R1I_VALUE_EXACT && r1i_ratio_is_zero(a->im);
}
static bool r1i_value_is_whole(const r1i_value *a) {
    return r1i_value_is_rational(a) && r1i_ratio_is_whole(a->re);
}
static bool r1i_value_is_zero(const r1i_value *a) {
    return r1i_value_is_rational(a) && r1i_ratio_is_zero(a->re);
}
// Surely not zero.
// For an exact value that is a fact; for balls it is proved by one part that lies off zero.
// False means zero or unknown, and both forbid a division.
static bool r1i_value_not_zero(const r1i_value *a) {
    if (a->kind == R1I_VALUE_EXACT) return !r1i_value_is_zero(a);
    return a->kind == R1I_VALUE_BALL && (!r1i_ball_has_zero(a->x) || !r1i_ball_has_zero(a->y));
}
// The sign of a real value, 0 when it is zero or not sure.
// Only the real part is looked at; callers make sure that the value is real.
static int r1i_value_sign(const r1i_value *a) {
    if (a->kind == R1I_VALUE_EXACT)
        return r1i_ratio_is_zero(a->re) ? 0 : a->re.top.negative ? -1 : 1;
    return a->kind == R1I_VALUE_BALL ? r1i_ball_sign(a->x) : 0;
}
// All parts at once, whatever the kind: negating the zeros of the other kind is harmless.
static r1i_value r1i_value_negate(r1i_value a) {
    a.re = r1i_ratio_negate(a.re), a.im = r1i_ratio_negate(a.im);
    a.x = r1i_ball_negate(a.x), a.y = r1i_ball_negate(a.y);
    return a;
}
// None is contagious. Two exact values have an exact sum; else both become balls.
static r1i_value r1i_value_add(r1_answer_work *work, r1i_value a, r1i_value b) {
    if (!a.kind || !b.kind) return r1i_value_none();
    if (a.kind == R1I_VALUE_EXACT && b.kind == R1I_VALUE_EXACT)
        return r1i_value_exact(r1i_ratio_add(work, a.re, b.re), r1i_ratio_add(work, a.im, b.im));
    a = r1i_value_blur(work, a), b = r1i_value_blur(work, b);
    return r1i_value_ball(r1i_ball_add(work, a.x, b.x), r1i_ball_add(work, a.y, b.y));
}
static r1i_value r1i_value_sub(r1_answer_work *work, r1i_value a, r1i_value b) {
    return r1i_value_add(work, a, r1i_value_negate(b));
}
// Real factors are the common case and save three products.
// (a + ib)(c + id) = (ac - bd) + i (ad + bc), exact or in balls. The imaginary part of the real
// case is a's, which is the exact zero.
static r1i_value r1i_value_mul(r1_answer_work *work, r1i_value a, r1i_value b) {
    if (!a.kind || !b.kind) return r1i_value_none();
    if (a.kind == R1I_VALUE_EXACT && b.kind == R1I_VALUE_EXACT) {
        if (r1i_ratio_is_zero(a.im) && r1i_ratio_is_zero(b.im))
            return r1i_value_exact(r1i_ratio_mul(work, a.re, b.re), a.im);
        r1i_ratio re =
            r1i_ratio_sub(work, r1i_ratio_mul(work, a.re, b.re), r1i_ratio_mul(work, a.im, b.im));
        r1i_ratio im =
            r1i_ratio_add(work, r1i_ratio_mul(work, a.re, b.im), r1i_ratio_mul(work, a.im, b.re));
        return r1i_value_exact(re, im);
    }
    a = r1i_value_blur(work, a), b = r1i_value_blur(work, b);
    if (r1i_ball_is_zero(a.y) && r1i_ball_is_zero(b.y))
        return r1i_value_ball(r1i_ball_mul(work, a.x, b.x), r1i_ball_zero);
    r1i_ball x = r1i_ball_sub(work, r1i_ball_mul(work, a.x, b.x), r1i_ball_mul(work, a.y, b.y));
    r1i_ball y = r1i_ball_add(work, r1i_ball_mul(work, a.x, b.y), r1i_ball_mul(work, a.y, b.x));
    return r1i_value_ball(x, y);
}
// Not defined where the divisor may be zero.
// Complex divisors use a/b = a conj(b) / |b|^2. The norm of two balls may contain zero although
// one part does not at this precision; that has no value then.
static r1i_value r1i_value_divide(r1_answer_work *work, r1i_value a, r1i_value b) {
    if (!a.kind || !r1i_value_not_zero(&b)) return r1i_value_none();
    if (a.kind == R1I_VALUE_EXACT && r1i_value_is_rational(&b))
        return r1i_value_exact(r1i_ratio_divide(work, a.re, b.re),
                               r1i_ratio_divide(work, a.im, b.re));
    if (b.kind == R1I_VALUE_EXACT && a.kind == R1I_VALUE_EXACT) {
        r1i_ratio norm =
            r1i_ratio_add(work, r1i_ratio_mul(work, b.re, b.re), r1i_ratio_mul(work, b.im, b.im));
        r1i_value turned = b, whole = r1i_value_ratio(work, norm);
        turned.im = r1i_ratio_negate(b.im);
        return r1i_value_divide(work, r1i_value_mul(work, a, turned), whole);
    }
    a = r1i_value_blur(work, a), b = r1i_value_blur(work, b);
    if (r1i_ball_is_zero(b.y))
        return r1i_value_ball(r1i_ball_divide(work, a.x, b.x), r1i_ball_divide(work, a.y, b.x));
    r1i_ball norm = r1i_ball_add(work, r1i_ball_mul(work, b.x, b.x), r1i_ball_mul(work, b.y, b.y));
    if (r1i_ball_has_zero(norm)) return r1i_value_none();
    b.y = r1i_ball_negate(b.y);
    r1i_value product = r1i_value_mul(work, a, b);
    return r1i_value_ball(r1i_ball_divide(work, product.x, norm),
                          r1i_ball_divide(work, product.y, norm));
}
static r1i_value r1i_value_pi(r1_answer_work *work) {
    return r1i_value_ball(r1i_ball_pi(work), r1i_ball_zero);
}
// e^(x + iy) = e^x (cos y + i sin y).
// e^0 = 1 alone stays exact: e to any other rational power is irrational.
static r1i_value r1i_value_exp(r1_answer_work *work, r1i_value a) {
    if (!a.kind || r1i_value_is_zero(&a)) return a.kind ? r1i_value_of(work, 1, 1) : a;
    a = r1i_value_blur(work, a);
    r1i_ball size = r1i_ball_exp(work, a.x), sine, cosine;
    if (r1i_ball_is_zero(a.y)) return r1i_value_ball(size, r1i_ball_zero);
    r1i_ball_sin_cos(work, a.y, &sine, &cosine);
    return r1i_value_ball(r1i_ball_mul(work, size, cosine), r1i_ball_mul(work, size, sine));
}
// The principal logarithm; none when the branch is not sure.
// log z = log|z| + i arg z with arg in (-pi, pi]. The angle comes from atan(y/x) right of the
// imaginary axis and from +-pi/2 - atan(x/y) else, which needs the sign of y to be sure. log 1
// = 0 stays exact.
static r1i_value r1i_value_log(r1_answer_work *work, r1i_value a) {
    if (!r1i_value_not_zero(&a)) return r1i_value_none();
    if (r1i_value_is_rational(&a) && r1i_whole_is(a.re.top, 1) && r1i_ratio_is_whole(a.re))
        return r1i_value_of(work, 0, 1);
    a = r1i_value_blur(work, a);
    if (r1i_ball_is_zero(a.y)) {
        if (!a.x.middle.negative) return r1i_value_ball(r1i_ball_log(work, a.x), r1i_ball_zero);
        return r1i_value_ball(r1i_ball_log(work, r1i_ball_negate(a.x)), r1i_ball_pi(work));
    }
    r1i_ball norm = r1i_ball_add(work, r1i_ball_mul(work, a.x, a.x), r1i_ball_mul(work, a.y, a.y));
    if (r1i_ball_has_zero(norm)) return r1i_value_none();
    r1i_ball angle, quarter = r1i_ball_scale(r1i_ball_pi(work), -1);
    if (r1i_ball_sign(a.x) > 0) {
        angle = r1i_ball_atan(work, r1i_ball_divide(work, a.y, a.x));
    } else {
        int sign = r1i_ball_sign(a.y);
        if (!sign) return r1i_value_none();
        angle = r1i_ball_atan(work, r1i_ball_divide(work, a.x, a.y));
        angle = r1i_ball_sub(work, sign < 0 ? r1i_ball_negate(quarter) : quarter, angle);
    }
    return r1i_value_ball(r1i_ball_scale(r1i_ball_log(work, norm), -1), angle);
}
// a^n by squaring. Exact powers that would be too long become balls.
// A negative n inverts first. The power has about n times the bits of its base; beyond 40000 of
// them digits are given up and not the answer. 0^0 = 1, as in polynomials.
static r1i_value r1i_value_power_whole(r1_answer_work *work, r1i_value a, r1i_whole exponent) {
    uint32_t n = exponent.size ? exponent.limb[0] : 0;
    if (exponent.size > 1 || n >> 31) {
        if (!r1i_value_is_rational(&a) || !r1i_ratio_is_whole(a.re) || a.re.top.size > 1 ||
            (a.re.top.size && a.re.top.limb[0] > 1)) {
            r1i_answer_halt(work, R1I_STOP_SIZE);
            return r1i_value_none();
        }
        n = n % 2 ? 1 : 2; // 0, 1 or -1: only the parity counts, and that it is not 0
    }
    if (exponent.negative) {
        if (!r1i_value_not_zero(&a)) return r1i_value_none();
        a = r1i_value_divide(work, r1i_value_of(work, 1, 1), a);
    }
    if (a.kind == R1I_VALUE_EXACT) {
        size_t bits = r1i_max(r1i_whole_bits(a.re.top), r1i_whole_bits(a.re.bottom));
        bits += r1i_max(r1i_whole_bits(a.im.top), r1i_whole_bits(a.im.bottom));
        if (bits > 3 && bits * (uint64_t)n > 40000) a = r1i_value_blur(work, a);
    }
    r1i_value power = r1i_value_of(work, 1, 1);
    for (; n && !work->stop; n >>= 1) {
        if (n & 1) power = r1i_value_mul(work, power, a);
        if (n > 1) a = r1i_value_mul(work, a, a);
    }
    return power;
}
// a^(1/n) of a real number: exact for perfect powers; odd roots of negative numbers are real.
// An exact root is found by taking the floor of the roots of top and bottom and raising them
// again. The square root of a negative number is i times that of its magnitude; other even
// roots of one have no value here.
static r1i_value r1i_value_root(r1_answer_work *work, r1i_value a, uint32_t n) {
    if (!r1i_value_is_real(&a)) return r1i_value_none();
    if (r1i_value_is_zero(&a)) return a;
    int sign = r1i_value_sign(&a);
    if (!sign) return r1i_value_none();
    if (sign < 0) a = r1i_value_negate(a);
    r1i_value root = r1i_value_none();
    if (a.kind == R1I_VALUE_EXACT) {
        r1i_whole top = r1i_whole_root(work, a.re.top, n);
        r1i_whole bottom = r1i_whole_root(work, a.re.bottom, n);
        if (r1i_whole_compare(r1i_whole_power(work, top, n), a.re.top) == 0 &&
            r1i_whole_compare(r1i_whole_power(work, bottom, n), a.re.bottom) == 0)
            root = r1i_value_ratio(work, (r1i_ratio){top, bottom});
    }
    if (!root.kind)
        root = r1i_value_ball(r1i_ball_root(work, r1i_value_blur(work, a).x, n), r1i_ball_zero);
    if (sign > 0) return root;
    if (n % 2) return r1i_value_negate(root);
    if (n != 2) return r1i_value_none();
    r1i_value unit = r1i_value_exact(r1i_ratio_of(work, 0, 1), r1i_ratio_of(work, 1, 1));
    return r1i_value_mul(work, root, unit);
}
// Whole exponents by squaring, small fractions by roots, the rest as exp(b log a).
// The cases are tried from the most exact to the least. 0^b is 0 for positive b and has no
// value else. A base that may be zero has no 0-th power. Denominators up to 24 count as small.
static r1i_value r1i_value_power(r1_answer_work *work, r1i_value a, r1i_value b) {
    if (!a.kind || !b.kind) return r1i_value_none();
    if (r1i_value_is_whole(&b)) {
        if (r1i_value_is_zero(&b) && !r1i_value_not_zero(&a) && !r1i_value_is_zero(&a))
            return r1i_value_none();
        return r1i_value_power_whole(work, a, b.re.top);
    }
    if (r1i_value_is_zero(&a)) return r1i_value_sign(&b) > 0 ? a : r1i_value_none();
    if (r1i_value_is_rational(&b) && b.re.bottom.size == 1 && b.re.bottom.limb[0] <= 24) {
        r1i_value root = r1i_value_root(work, a, b.re.bottom.limb[0]);
        if (root.kind) return r1i_value_power_whole(work, root, b.re.top);
    }
    return r1i_value_exp(work, r1i_value_mul(work, b, r1i_value_log(work, a)));
}
// Whether a and b are equal: 1 surely or to the last digit, -1 surely not, 0 not known. *exact
// tells which equality it is.
// Balls count as equal when their gap may be zero and is below 2^(top - bits/2), where top >= 0
// bounds the size of a; below 1 that is 2^-96 at 192 bits. A wider gap tells nothing, so it is
// 0.
static int r1i_value_same(r1_answer_work *work, r1i_value a, r1i_value b, bool *exact) {
    if (!a.kind || !b.kind || work->stop) return 0;
    *exact = a.kind == R1I_VALUE_EXACT && b.kind == R1I_VALUE_EXACT;
    if (*exact) return r1i_ratio_same(a.re, b.re) && r1i_ratio_same(a.im, b.im) ? 1 : -1;
    a = r1i_value_blur(work, a), b = r1i_value_blur(work, b);
    r1i_value gap = r1i_value_sub(work, a, b);
    if (work->stop) return 0;
    if (r1i_value_not_zero(&gap)) return -1;
    int64_t large = r1i_ball_top(a.x) > r1i_ball_top(a.y) ? r1i_ball_top(a.x) : r1i_ball_top(a.y);
    int64_t left =
        r1i_ball_top(gap.x) > r1i_ball_top(gap.y) ? r1i_ball_top(gap.x) : r1i_ball_top(gap.y);
    if (r1i_value_is_zero(&a) || large < 0) large = 0;
    return left <= large - (int64_t)(work->bits / 2) ? 1 : 0;
}

// ---- reading: text to tokens ----
// Tokens keep the slice of the text they came from; nothing is copied. A number keeps its
// separators, so that it can be read again under another meaning of the comma.
//
//     text     \frac12 + 3{,}000x
//     tokens   FRACTION  NUMBER "12"  '+'  NUMBER "3{,}000"  NAME "x"
// A token is a character of its own or one of these.
enum {
    R1I_TOKEN_END = 0,
    R1I_TOKEN_NUMBER = 128,
    R1I_TOKEN_NAME,
    R1I_TOKEN_TEXT,
    R1I_TOKEN_FUNCTION,
    R1I_TOKEN_CONSTANT,
    R1I_TOKEN_FRACTION,
    R1I_TOKEN_ROOT,
    R1I_TOKEN_BINOMIAL,
    R1I_TOKEN_CHOOSE,
    R1I_TOKEN_BAR,
    R1I_TOKEN_SET_OPEN,
    R1I_TOKEN_SET_CLOSE,
    R1I_TOKEN_LESS_EQUAL,
    R1I_TOKEN_GREATER_EQUAL,
    R1I_TOKEN_NOT_EQUAL,
    R1I_TOKEN_ABOUT,
    R1I_TOKEN_IN,
    R1I_TOKEN_NOT_IN,
    R1I_TOKEN_UNION,
    R1I_TOKEN_INTERSECT,
    R1I_TOKEN_WITHOUT,
    R1I_TOKEN_PLUS_MINUS,
    R1I_TOKEN_MINUS_PLUS,
    R1I_TOKEN_AND,
    R1I_TOKEN_SUCH_THAT,
    R1I_TOKEN_DEGREE,
    R1I_TOKEN_MODULO,
    R1I_TOKEN_FLOOR_OPEN,
    R1I_TOKEN_FLOOR_CLOSE,
    R1I_TOKEN_CEILING_OPEN,
    R1I_TOKEN_CEILING_CLOSE,
    R1I_TOKEN_BEGIN,
    R1I_TOKEN_FINISH,
    R1I_TOKEN_ROW,
    R1I_TOKEN_CALCULUS,
    R1I_TOKEN_SKIP,  // no meaning for the value
    R1I_TOKEN_STYLE, // a command whose group is words or a plain expression
    R1I_TOKEN_BLACKBOARD,
    R1I_TOKEN_MAKER, // a SymPy name that makes an expression: Add(x, 1)
    R1I_TOKEN_OPEN   // left_open=True (id 1), right_open=True (2) inside one
};
// The order matters: the inverse functions follow their functions at a fixed distance, and
// ranges of ids choose the family that evaluates them.
typedef enum r1i_function {
    R1I_CALL_SIN,
    R1I_CALL_COS,
    R1I_CALL_TAN,
    R1I_CALL_COT,
    R1I_CALL_SEC,
    R1I_CALL_CSC,
    R1I_CALL_ASIN,
    R1I_CALL_ACOS,
    R1I_CALL_ATAN,
    R1I_CALL_ACOT,
    R1I_CALL_ASEC,
    R1I_CALL_ACSC,
    R1I_CALL_SINH,
    R1I_CALL_COSH,
    R1I_CALL_TANH,
    R1I_CALL_ASINH,
    R1I_CALL_ACOSH,
    R1I_CALL_ATANH,
    R1I_CALL_EXP,
    R1I_CALL_LN,
    R1I_CALL_LOG,
    R1I_CALL_SQRT,
    R1I_CALL_CBRT,
    R1I_CALL_ABS,
    R1I_CALL_FLOOR,
    R1I_CALL_CEILING,
    R1I_CALL_MAX,
    R1I_CALL_MIN,
    R1I_CALL_GCD,
    R1I_CALL_LCM,
    R1I_CALL_MOD,
    R1I_CALL_BINOMIAL,
    R1I_CALL_FACTORIAL,
    R1I_CALL_REAL_PART,
    R1I_CALL_IMAGINARY_PART
} r1i_function;
// The order matters here too: relations lie together as their table of tokens has them, and the
// set operations follow the order of their tokens.
typedef enum r1i_maker {
    R1I_MAKE_SUM,
    R1I_MAKE_PRODUCT,
    R1I_MAKE_POWER,
    R1I_MAKE_ROOT,
    R1I_MAKE_QUOTIENT,
    R1I_MAKE_RELATION,
    R1I_MAKE_NOT_EQUAL,
    R1I_MAKE_LESS,
    R1I_MAKE_LESS_EQUAL,
    R1I_MAKE_GREATER,
    R1I_MAKE_GREATER_EQUAL,
    R1I_MAKE_SET,
    R1I_MAKE_INTERVAL,
    R1I_MAKE_TUPLE,
    R1I_MAKE_UNION,
    R1I_MAKE_INTERSECTION,
    R1I_MAKE_COMPLEMENT,
    R1I_MAKE_MATRIX
} r1i_maker;
// From infinity on they have no value as a number; from the empty set on they are sets.
typedef enum r1i_constant {
    R1I_SIGN_PI,
    R1I_SIGN_E,
    R1I_SIGN_I,
    R1I_SIGN_INFINITY,
    R1I_SIGN_EMPTY,
    R1I_SIGN_REALS,
    R1I_SIGN_WHOLES,
    R1I_SIGN_NATURALS,
    R1I_SIGN_RATIONALS,
    R1I_SIGN_COMPLEX
} r1i_constant;

// One row of the dictionary. A command stands behind a backslash; a plain word stands in the
// text as it is.
typedef struct r1i_word {
    const char *names; // that mean the same, between spaces
    uint8_t token, id;
    uint8_t where; // 1: commands, 2: plain words, 3: both
} r1i_word;

// Names of SymPy, as model answers sometimes print them.
static const r1i_word r1i_makers[] = {
    // only where a bracket follows
    {"Add MatAdd", R1I_TOKEN_MAKER, R1I_MAKE_SUM, 2},
    {"Mul MatMul", R1I_TOKEN_MAKER, R1I_MAKE_PRODUCT, 2},
    {"Pow", R1I_TOKEN_MAKER, R1I_MAKE_POWER, 2},
    {"root", R1I_TOKEN_MAKER, R1I_MAKE_ROOT, 2},
    {"Rational Integer Float Number Symbol UnevaluatedExpr", R1I_TOKEN_MAKER, R1I_MAKE_QUOTIENT, 2},
    {"Eq Equality", R1I_TOKEN_MAKER, R1I_MAKE_RELATION, 2},
    {"Ne Unequality", R1I_TOKEN_MAKER, R1I_MAKE_NOT_EQUAL, 2},
    {"Lt StrictLessThan", R1I_TOKEN_MAKER, R1I_MAKE_LESS, 2},
    {"Le LessThan", R1I_TOKEN_MAKER, R1I_MAKE_LESS_EQUAL, 2},
    {"Gt StrictGreaterThan", R1I_TOKEN_MAKER, R1I_MAKE_GREATER, 2},
    {"Ge GreaterThan", R1I_TOKEN_MAKER, R1I_MAKE_GREATER_EQUAL, 2},
    {"FiniteSet", R1I_TOKEN_MAKER, R1I_MAKE_SET, 2},
    {"Interval", R1I_TOKEN_MAKER, R1I_MAKE_INTERVAL, 2},
    {"Tuple", R1I_TOKEN_MAKER, R1I_MAKE_TUPLE, 2},
    {"Union", R1I_TOKEN_MAKER, R1I_MAKE_UNION, 2},
    {"Intersection", R1I_TOKEN_MAKER, R1I_MAKE_INTERSECTION, 2},
    {"Complement", R1I_TOKEN_MAKER, R1I_MAKE_COMPLEMENT, 2},
    {"Matrix", R1I_TOKEN_MAKER, R1I_MAKE_MATRIX, 2},
    {"Abs", R1I_TOKEN_FUNCTION, R1I_CALL_ABS, 2},
    {"igcd", R1I_TOKEN_FUNCTION, R1I_CALL_GCD, 2},
    {"ilcm", R1I_TOKEN_FUNCTION, R1I_CALL_LCM, 2},
};
// The dictionary of LaTeX commands and plain words. A word that is not here is a unit, a text,
// or a product of one-letter names; a command that is not here makes the answer unsupported.
static const r1i_word r1i_words[] = {
    {"sin", R1I_TOKEN_FUNCTION, R1I_CALL_SIN, 3},
    {"cos", R1I_TOKEN_FUNCTION, R1I_CALL_COS, 3},
    {"tan tg", R1I_TOKEN_FUNCTION, R1I_CALL_TAN, 3},
    {"cot ctg", R1I_TOKEN_FUNCTION, R1I_CALL_COT, 3},
    {"sec", R1I_TOKEN_FUNCTION, R1I_CALL_SEC, 3},
    {"csc", R1I_TOKEN_FUNCTION, R1I_CALL_CSC, 3},
    {"arcsin asin", R1I_TOKEN_FUNCTION, R1I_CALL_ASIN, 3},
    {"arccos acos", R1I_TOKEN_FUNCTION, R1I_CALL_ACOS, 3},
    {"arctan atan", R1I_TOKEN_FUNCTION, R1I_CALL_ATAN, 3},
    {"arccot acot", R1I_TOKEN_FUNCTION, R1I_CALL_ACOT, 3},
    {"arcsec", R1I_TOKEN_FUNCTION, R1I_CALL_ASEC, 3},
    {"arccsc", R1I_TOKEN_FUNCTION, R1I_CALL_ACSC, 3},
    {"sinh", R1I_TOKEN_FUNCTION, R1I_CALL_SINH, 3},
    {"cosh", R1I_TOKEN_FUNCTION, R1I_CALL_COSH, 3},
    {"tanh", R1I_TOKEN_FUNCTION, R1I_CALL_TANH, 3},
    {"arcsinh arsinh asinh", R1I_TOKEN_FUNCTION, R1I_CALL_ASINH, 3},
    {"arccosh arcosh acosh", R1I_TOKEN_FUNCTION, R1I_CALL_ACOSH, 3},
    {"arctanh artanh atanh", R1I_TOKEN_FUNCTION, R1I_CALL_ATANH, 3},
    {"exp", R1I_TOKEN_FUNCTION, R1I_CALL_EXP, 3},
    {"ln", R1I_TOKEN_FUNCTION, R1I_CALL_LN, 3},
    {"log lg", R1I_TOKEN_FUNCTION, R1I_CALL_LOG, 3},
    {"abs", R1I_TOKEN_FUNCTION, R1I_CALL_ABS, 3},
    {"floor", R1I_TOKEN_FUNCTION, R1I_CALL_FLOOR, 3},
    {"ceil ceiling", R1I_TOKEN_FUNCTION, R1I_CALL_CEILING, 3},
    {"max Max", R1I_TOKEN_FUNCTION, R1I_CALL_MAX, 3},
    {"min Min", R1I_TOKEN_FUNCTION, R1I_CALL_MIN, 3},
    {"gcd", R1I_TOKEN_FUNCTION, R1I_CALL_GCD, 3},
    {"lcm", R1I_TOKEN_FUNCTION, R1I_CALL_LCM, 3},
    {"Mod", R1I_TOKEN_FUNCTION, R1I_CALL_MOD, 3},
    {"binomial", R1I_TOKEN_FUNCTION, R1I_CALL_BINOMIAL, 3},
    {"factorial", R1I_TOKEN_FUNCTION, R1I_CALL_FACTORIAL, 3},
    {"Re", R1I_TOKEN_FUNCTION, R1I_CALL_REAL_PART, 1},
    {"Im", R1I_TOKEN_FUNCTION, R1I_CALL_IMAGINARY_PART, 1},
    {"sqrt", R1I_TOKEN_FUNCTION, R1I_CALL_SQRT, 2},
    {"cbrt", R1I_TOKEN_FUNCTION, R1I_CALL_CBRT, 2},
    {"sqrt surd", R1I_TOKEN_ROOT, 0, 1},
    {"frac dfrac tfrac cfrac", R1I_TOKEN_FRACTION, 0, 1},
    {"binom dbinom tbinom", R1I_TOKEN_BINOMIAL, 0, 1},
    {"choose", R1I_TOKEN_CHOOSE, 0, 1},
    {"overline bar", R1I_TOKEN_BAR, 0, 1},
    {"dot tilde", R1I_TOKEN_BAR, 3, 1},
    {"langle", '(', 0, 1},
    {"rangle", ')', 0, 1},
    {"hat", R1I_TOKEN_BAR, 1, 1},
    {"vec overrightarrow", R1I_TOKEN_BAR, 2, 1},
    {"pi", R1I_TOKEN_CONSTANT, R1I_SIGN_PI, 3},
    {"exponentialE", R1I_TOKEN_CONSTANT, R1I_SIGN_E, 1},
    {"imaginaryI", R1I_TOKEN_CONSTANT, R1I_SIGN_I, 1},
    {"infty infinity", R1I_TOKEN_CONSTANT, R1I_SIGN_INFINITY, 3},
    {"inf oo", R1I_TOKEN_CONSTANT, R1I_SIGN_INFINITY, 2},
    {"emptyset varnothing", R1I_TOKEN_CONSTANT, R1I_SIGN_EMPTY, 1},
    {"cdot times ast star", '*', 0, 1},
    {"div", '/', 0, 1},
    {"pm", R1I_TOKEN_PLUS_MINUS, 0, 1},
    {"mp", R1I_TOKEN_MINUS_PLUS, 0, 1},
    {"le leq leqslant leqq", R1I_TOKEN_LESS_EQUAL, 0, 1},
    {"ge geq geqslant geqq", R1I_TOKEN_GREATER_EQUAL, 0, 1},
    {"ne neq", R1I_TOKEN_NOT_EQUAL, 0, 1},
    {"lt", '<', 0, 1},
    {"gt", '>', 0, 1},
    {"approx sim simeq", R1I_TOKEN_ABOUT, 0, 1},
    {"equiv", '=', 0, 1},
    {"in", R1I_TOKEN_IN, 0, 1},
    {"notin", R1I_TOKEN_NOT_IN, 0, 1},
    {"cup", R1I_TOKEN_UNION, 0, 1},
    {"cap", R1I_TOKEN_INTERSECT, 0, 1},
    {"setminus backslash", R1I_TOKEN_WITHOUT, 0, 1},
    {"land wedge", R1I_TOKEN_AND, 0, 1},
    {"lor vee", R1I_TOKEN_AND, 1, 1},
    {"and", R1I_TOKEN_AND, 0, 2},
    {"or", R1I_TOKEN_AND, 1, 2},
    {"mid", R1I_TOKEN_SUCH_THAT, 0, 1},
    {"colon", ':', 0, 1},
    {"circ", R1I_TOKEN_DEGREE, 0, 1},
    {"degree degrees", R1I_TOKEN_DEGREE, 0, 3},
    {"percent percentage pct", '%', 0, 2},
    {"mod", R1I_TOKEN_MODULO, 0, 3},
    {"bmod", R1I_TOKEN_MODULO, 0, 1},
    {"lfloor", R1I_TOKEN_FLOOR_OPEN, 0, 1},
    {"rfloor", R1I_TOKEN_FLOOR_CLOSE, 0, 1},
    {"lceil", R1I_TOKEN_CEILING_OPEN, 0, 1},
    {"rceil", R1I_TOKEN_CEILING_CLOSE, 0, 1},
    {"begin", R1I_TOKEN_BEGIN, 0, 1},
    {"end", R1I_TOKEN_FINISH, 0, 1},
    {"lbrace", R1I_TOKEN_SET_OPEN, 0, 1},
    {"rbrace", R1I_TOKEN_SET_CLOSE, 0, 1},
    {"lbrack", '[', 0, 1},
    {"rbrack", ']', 0, 1},
    {"vert lvert rvert", '|', 0, 1},
    {"mathbb Bbb", R1I_TOKEN_BLACKBOARD, 0, 1},
    {"int iint oint lim partial nabla", R1I_TOKEN_CALCULUS, 0, 1},
    {"sum", R1I_TOKEN_CALCULUS, 1, 1},
    {"prod", R1I_TOKEN_CALCULUS, 2, 1},
    {"left right big Big bigl bigr Bigl Bigr bigg Bigg quad qquad displaystyle "
     "textstyle limits boxed beginboxed fbox angle triangle bf rm underline",
     R1I_TOKEN_SKIP, 0, 1},
    {"ldots dots cdots", R1I_TOKEN_SKIP, 1, 1},
    {"text mbox hbox textbf textit textrm texttt textsf mathrm mathbf mathit "
     "mathsf mathcal boldsymbol operatorname mathop emph",
     R1I_TOKEN_STYLE, 0, 1},
    {"prime", '\'', 0, 1},
    {"ell vartheta iota upsilon varphi Gamma Delta Theta Lambda Sigma Phi Psi "
     "Omega",
     R1I_TOKEN_NAME, 0, 1},
    {"alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu "
     "nu xi rho sigma tau phi chi psi omega",
     R1I_TOKEN_NAME, 0, 3},
};

// Characters outside ASCII, by their UTF-8 bytes.
static const struct {
    const char *bytes;
    uint8_t token, id;
} r1i_signs[] = {{"\xe2\x88\x92", '-', 0},
                 {"\xe2\x80\x93", '-', 0},
                 {"\xc3\x97", '*', 0},
                 {"\xc2\xb7", '*', 0},
                 {"\xe2\x8b\x85", '*', 0},
                 {"\xc3\xb7", '/', 0},
                 {"\xe2\x89\xa4", R1I_TOKEN_LESS_EQUAL, 0},
                 {"\xe2\x89\xa5", R1I_TOKEN_GREATER_EQUAL, 0},
                 {"\xe2\x89\xa0", R1I_TOKEN_NOT_EQUAL, 0},
                 {"\xe2\x89\x88", R1I_TOKEN_ABOUT, 0},
                 {"\xc2\xb1", R1I_TOKEN_PLUS_MINUS, 0},
                 {"\xe2\x88\x93", R1I_TOKEN_MINUS_PLUS, 0},
                 {"\xe2\x88\x9a", R1I_TOKEN_FUNCTION, R1I_CALL_SQRT},
                 {"\xcf\x80", R1I_TOKEN_CONSTANT, R1I_SIGN_PI},
                 {"\xe2\x88\x9e", R1I_TOKEN_CONSTANT, R1I_SIGN_INFINITY},
                 {"\xe2\x88\x85", R1I_TOKEN_CONSTANT, R1I_SIGN_EMPTY},
                 {"\xe2\x88\xaa", R1I_TOKEN_UNION, 0},
                 {"\xe2\x88\xa9", R1I_TOKEN_INTERSECT, 0},
                 {"\xe2\x88\x96", R1I_TOKEN_WITHOUT, 0},
                 {"\xe2\x88\x88", R1I_TOKEN_IN, 0},
                 {"\xc2\xb0", R1I_TOKEN_DEGREE, 0},
                 {"\xe2\x84\x9d", R1I_TOKEN_CONSTANT, R1I_SIGN_REALS},
                 {"\xc2\xa0", R1I_TOKEN_SKIP, 0},
                 {"\xe2\x82\xac", R1I_TOKEN_SKIP, 0},
                 {"\xc2\xa3", R1I_TOKEN_SKIP, 0},
                 {"\xe2\x80\xaf", R1I_TOKEN_SKIP, 0},
                 {"\xe2\x80\x89", R1I_TOKEN_SKIP, 0},
                 {"\xef\xbc\x8c", ',', 0},
                 {"\xe3\x80\x81", ',', 0},
                 {"\xef\xbc\x88", '(', 0},
                 {"\xef\xbc\x89", ')', 0},
                 {"\xef\xbc\x9d", '=', 0},
                 {"\xef\xbc\x9a", ':', 0}};

// Its text lies in the answer, so `at` and the text of later nodes are places a message can
// name.
typedef struct r1i_token {
    uint8_t kind, id;
    bool spaced; // white space before it
    bool tight;  // of a number: one digit is an argument of its own, as in \frac12
    size_t at;
    r1_slice text;
} r1i_token;

enum {                     // notations that can be read in two ways; a bit each
    R1I_READ_LOG = 1,      // log without a base: ten, or e
    R1I_READ_DIVISION = 2, // 1/2x: 1/(2x), or x/2
    R1I_READ_EULER = 4,    // E: a name, or e
    R1I_READ_COMMA = 8,    // 4,75: two numbers, or a decimal comma
    R1I_READ_LIST = 16     // 4,750: one number, or two
};

// The state of both passes: bytes to tokens, then tokens to a tree.
//
//     token  [0] [1] [2] ... [count-1] | unused up to capacity = bytes + 2
//                 ^ at: the next token that the grammar reads
typedef struct r1i_reader {
    r1_answer_work *work;
    r1_slice text;
    r1i_token *token;
    size_t count, capacity, at;
    int brackets, bars, rows; // open now; rows: inside a matrix
    bool wordy;               // words of three letters or more were met
    bool in_set;              // between \{ and \}, where | means "such that"
} r1i_reader;

static bool r1i_is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool r1i_is_digit(char c) { return c >= '0' && c <= '9'; }
static bool r1i_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static char r1i_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
// The byte at a place; zero behind the end, which no rule below accepts.
static char r1i_answer_char(r1_slice text, size_t at) { return at < text.size ? text.data[at] : 0; }
// The bytes from one place up to another.
// Not copied: it lives as long as the text does. The caller makes sure that from <= to <= size.
static r1_slice r1i_answer_part(r1_slice text, size_t from, size_t to) {
    r1_slice part = {text.data + from, to - from};
    return part;
}
// Whether a text is exactly this word, letter case included.
static bool r1i_answer_is(r1_slice text, const char *word) {
    size_t size = strlen(word);
    return text.size == size && memcmp(text.data, word, size) == 0;
}
// Whether this word stands at this place.
// A word that would pass the end of the text does not stand there.
static bool r1i_answer_at(r1_slice text, size_t at, const char *word) {
    size_t size = strlen(word);
    return at <= text.size && text.size - at >= size && memcmp(text.data + at, word, size) == 0;
}
// The text without white space at both ends; a slice of the same bytes.
static r1_slice r1i_answer_trim(r1_slice text) {
    while (text.size && r1i_is_space(text.data[0])) text.data++, text.size--;
    while (text.size && r1i_is_space(text.data[text.size - 1])) text.size--;
    return text;
}
// Whether a name is one of several between spaces.
// The whole name must match: "sin" is none of "sinh".
static bool r1i_word_among(const char *names, r1_slice name) {
    for (const char *at = names; at; at = strchr(at, ' ')) {
        at += *at == ' ';
        bool same = at[0] == name.data[0] && strncmp(at, name.data, name.size) == 0;
        if (same && (at[name.size] == ' ' || !at[name.size])) return true;
    }
    return false;
}
// A linear search: the table is short, and the first letter settles most entries.
// `where` says whether a command (1), a plain word (2) or either is looked for. Names beyond 20
// letters are in no row, which bounds the work on a long run of letters.
static const r1i_word *r1i_word_find(r1_slice name, unsigned where) {
    if (!name.size || name.size > 20) return NULL;
    for (size_t i = 0; i < sizeof r1i_words / sizeof *r1i_words; i++)
        if ((r1i_words[i].where & where) && r1i_word_among(r1i_words[i].names, name))
            return &r1i_words[i];
    return NULL;
}
// Appends a token; the room is as large as the text, so only a bug could fill it.
// Every token covers at least one byte of its own, which bounds their number by the text. When
// the room is full the last place is handed out, so that callers need no test.
static r1i_token *r1i_reader_put(r1i_reader *reader, int kind, int id, size_t from, size_t to) {
    if (reader->count + 1 >= reader->capacity) {
        r1i_answer_halt(reader->work, R1I_STOP_MEMORY);
        return &reader->token[reader->capacity - 1];
    }
    r1i_token *token = &reader->token[reader->count++];
    token->kind = (uint8_t)kind, token->id = (uint8_t)id;
    token->at = from;
    token->spaced = from > 0 && r1i_is_space(reader->text.data[from - 1]);
    token->text = r1i_answer_part(reader->text, from, to);
    return token;
}
// The place behind the group that opens at `at`, or the end of the text when it never closes.
// Escaped braces do not count. Each byte is looked at once, and a brace that closes too much
// ends the group.
static size_t r1i_answer_group_end(r1_slice text, size_t at) {
    int depth = 0;
    for (; at < text.size; at++) {
        if (text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == '{') {
            depth++;
        } else if (text.data[at] == '}' && --depth <= 0) {
            return at + 1;
        }
    }
    return text.size;
}
// How many digits stand at this place; 0 behind the end.
static size_t r1i_answer_digits(r1_slice text, size_t at) {
    size_t from = at;
    while (at < text.size && r1i_is_digit(text.data[at])) at++;
    return at - from;
}
// Bytes of a thousands separator at `at` when three digits and no fourth follow, else 0.
// A bare comma is a list in brackets, behind another comma, or when the reading says so; that
// it could be one is noted in `seen`, so that the comparison tries the other way too.
static size_t r1i_answer_separator(const r1i_reader *reader, size_t at) {
    static const char *const marks[] = {"{,}", ",\\!", ",\\,", "\\,", "\\ ", "{ }", " ", ","};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!r1i_answer_at(reader->text, at, marks[i])) continue;
        size_t size = strlen(marks[i]);
        while (marks[i][0] == ',' && marks[i][1] && r1i_answer_char(reader->text, at + size) == ' ')
            size++;
        if (marks[i][0] == ',' && !marks[i][1] &&
            (reader->brackets || reader->work->reading & R1I_READ_COMMA ||
             (reader->count && reader->token[reader->count - 1].kind == ',')))
            return 0;
        if (r1i_answer_digits(reader->text, at + size) != 3) return 0;
        if (marks[i][0] == ',' && !marks[i][1]) {
            reader->work->seen |= R1I_READ_LIST;
            if (reader->work->reading & R1I_READ_LIST) return 0;
        }
        return size;
    }
    return 0;
}
// "6.67E-11" and "1e5" are numbers, "2e" is not.
// Its length in bytes, or 0. Up to nine digits, so the value fits an int64_t without a test.
static size_t r1i_answer_exponent(r1_slice text, size_t at) {
    char c = r1i_answer_char(text, at);
    if (c != 'e' && c != 'E') return 0;
    size_t sign = r1i_answer_char(text, at + 1) == '-' || r1i_answer_char(text, at + 1) == '+';
    size_t digits = r1i_answer_digits(text, at + 1 + sign);
    return digits && digits < 10 ? 1 + sign + digits : 0;
}
// A number with its separators, point and exponent, as one token.
// Returns the place behind it. Separators are only looked for behind at most three digits that
// do not begin with zero. 0.1\overline{6} keeps its point here; the bar is read by the grammar.
static size_t r1i_reader_number(r1i_reader *reader, size_t from) {
    r1_slice text = reader->text;
    size_t at = from + r1i_answer_digits(text, from), gap;
    if (at - from <= 3 && text.data[from] != '0')
        while ((gap = r1i_answer_separator(reader, at)) != 0) at += gap + 3;
    char c = r1i_answer_char(text, at);
    bool comma = c == ',' && reader->work->reading & R1I_READ_COMMA;
    if (c == ',' && !reader->brackets && r1i_answer_digits(text, at + 1))
        reader->work->seen |= R1I_READ_COMMA;
    bool bar = c == '.' && at > from && r1i_answer_at(text, at + 1, "\\overline");
    if (bar || ((c == '.' || comma) && r1i_answer_digits(text, at + 1))) {
        at++;
        at += r1i_answer_digits(text, at);
    }
    at += r1i_answer_exponent(text, at);
    r1i_reader_put(reader, R1I_TOKEN_NUMBER, 0, from, at);
    return at;
}
// Words of a type-face command, and not a formula in that type face.
// Digits, commands and operators speak for a formula; at least one letter must be there, ASCII
// or not.
static bool r1i_answer_words_only(r1_slice text) {
    bool letter = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (r1i_is_digit(c) || c == '\\' || c == '$' || c == '=' || c == '^') return false;
        letter = letter || r1i_is_letter(c) || (unsigned char)c >= 0x80;
    }
    return letter;
}
// Letters behind one of these may be a unit.
// They are a number, a closing bracket or brace, a percent or degree sign, and a constant.
static bool r1i_reader_after_value(const r1i_reader *reader) {
    if (!reader->count) return false;
    int last = reader->token[reader->count - 1].kind;
    return last == R1I_TOKEN_NUMBER || last == ')' || last == '}' || last == '%' ||
           last == R1I_TOKEN_CONSTANT || last == R1I_TOKEN_DEGREE;
}
// Names of SymPy: Add(...), Interval(..., left_open=True), with a prefix or not. Returns the place
// behind what was read, 0 when it is something else.
// left_open and right_open become a token without their comma; evaluate=... disappears with it.
// "sympy." is passed over.
static size_t r1i_reader_maker(r1i_reader *reader, size_t from, size_t to) {
    r1_slice text = reader->text, run = r1i_answer_part(text, from, to);
    if (r1i_answer_at(text, from, "sympy.")) return from + 6;
    if (r1i_answer_char(text, to) == '(') {
        for (size_t i = 0; i < sizeof r1i_makers / sizeof *r1i_makers; i++) {
            if (!r1i_word_among(r1i_makers[i].names, run)) continue;
            r1i_reader_put(reader, r1i_makers[i].token, r1i_makers[i].id, from, to);
            return to;
        }
        return 0;
    }
    const r1i_word *mark = r1i_answer_char(text, to) == '{' ? r1i_word_find(run, 1) : NULL;
    if (mark && mark->token == R1I_TOKEN_BAR) { // the text of a SymPy symbol
        r1i_reader_put(reader, R1I_TOKEN_BAR, mark->id, from, to);
        return to;
    }
    bool left = r1i_answer_at(text, from, "left_open="),
         right = r1i_answer_at(text, from, "right_open=");
    if (!left && !right && !r1i_answer_at(text, from, "evaluate=")) return 0;
    size_t value = from + (left ? 10 : right ? 11 : 9);
    bool yes = r1i_answer_at(text, value, "True");
    if (!yes && !r1i_answer_at(text, value, "False")) return 0;
    if (reader->count && reader->token[reader->count - 1].kind == ',') reader->count--;
    if (yes && (left || right)) r1i_reader_put(reader, R1I_TOKEN_OPEN, left ? 1 : 2, from, to);
    return value + (yes ? 4 : 5);
}
// A run of letters: a known word, a unit behind a value, or a product of one-letter names.
// Behind a value, three letters, or two after a space, are a unit; "or" glued to the next word
// is split off. A run in front of a bracket that no rule knows is taken for an unknown
// function, which is unsupported and not guessed. It calls itself only for what follows an
// "or".
static void r1i_reader_letters(r1i_reader *reader, size_t from, size_t to, bool styled) {
    r1_slice run = r1i_answer_part(reader->text, from, to);
    const r1i_word *word = run.size > 1 ? r1i_word_find(run, styled ? 3 : 2) : NULL;
    bool last = to == reader->text.size || reader->text.data[to] == '}';
    if (word && word->token == R1I_TOKEN_FUNCTION && last && r1i_reader_after_value(reader)) {
        r1i_reader_put(reader, R1I_TOKEN_TEXT, 0, from, to); // 5 min, 3 sec
        return;
    }
    if (word && word->token != R1I_TOKEN_SKIP && word->token != R1I_TOKEN_STYLE) {
        r1i_reader_put(reader, word->token, word->id, from, to);
        return;
    }
    if (run.size > 1 && (styled || (r1i_reader_after_value(reader) &&
                                    (run.size > 2 || r1i_is_space(reader->text.data[from - 1]))))) {
        if (run.size > 2 && run.data[0] == 'o' && run.data[1] == 'r' && !styled) {
            r1i_reader_put(reader, R1I_TOKEN_AND, 1, from, from + 2);
            r1i_reader_letters(reader, from + 2, to, true);
            return;
        }
        r1i_reader_put(reader, R1I_TOKEN_TEXT, 0, from, to);
        return;
    }
    if (run.size > 1 && r1i_answer_char(reader->text, to) == '(') { // a function nobody knows
        reader->work->stop_at = from;
        r1i_answer_halt(reader->work, R1I_STOP_UNSUPPORTED);
    }
    if (run.size > 2) reader->wordy = true;
    for (size_t i = from; i < to; i++) r1i_reader_put(reader, R1I_TOKEN_NAME, 0, i, i + 1);
}
// The group of \text and its like: words, or an expression in another type face.
// Returns the place behind the group, or of its opening brace when the content is a formula,
// which the main loop then reads as usual. "and" and "or" become separators, a single letter a
// name.
static size_t r1i_reader_style(r1i_reader *reader, size_t at) {
    while (r1i_is_space(r1i_answer_char(reader->text, at)) ||
           r1i_answer_char(reader->text, at) == '*')
        at++;
    if (r1i_answer_char(reader->text, at) != '{') return at;
    size_t end = r1i_answer_group_end(reader->text, at);
    r1i_answer_step(reader->work, (end - at) / 16);
    bool closed = end > at + 1 && reader->text.data[end - 1] == '}';
    r1_slice inner = r1i_answer_part(reader->text, at + 1, closed ? end - 1 : end);
    if (!r1i_answer_words_only(inner)) return at; // its braces and content come as usual
    r1_slice word = r1i_answer_trim(inner);
    while (word.size && (word.data[0] == ',' || r1i_is_space(word.data[0])))
        word.data++, word.size--;
    size_t from = (size_t)(word.data - reader->text.data);
    bool and_last = word.size >= 4 && r1i_answer_at(word, word.size - 4, " and");
    if (r1i_answer_is(word, "and") || r1i_answer_is(word, "or") || and_last)
        r1i_reader_put(reader, R1I_TOKEN_AND, word.size == 2, from, from + word.size);
    else if (word.size == 1)
        r1i_reader_put(reader, R1I_TOKEN_NAME, 0, from, from + 1);
    else if (r1i_word_find(word, 2))
        r1i_reader_letters(reader, from, from + word.size, true);
    else
        r1i_reader_put(reader, R1I_TOKEN_TEXT, 0, from, from + word.size);
    return end;
}
// \begin{...} and \end{...}; the columns of an array say nothing about its value.
// The token's text is the name between the braces. `rows` counts open environments, because a
// double backslash is a row only inside one. Returns the place behind, or the end of the text when
// the name is not closed.
static size_t r1i_reader_environment(r1i_reader *reader, int kind, size_t from, size_t at) {
    while (r1i_is_space(r1i_answer_char(reader->text, at))) at++;
    size_t end = r1i_answer_group_end(reader->text, at);
    if (r1i_answer_char(reader->text, at) != '{' || reader->text.data[end - 1] != '}') {
        r1i_answer_halt(reader->work, R1I_STOP_SYNTAX);
        return reader->text.size;
    }
    r1i_token *token = r1i_reader_put(reader, kind, 0, from, end);
    token->text = r1i_answer_part(reader->text, at + 1, end - 1);
    if (r1i_answer_is(token->text, "boxed")) reader->count--;
    if (kind == R1I_TOKEN_BEGIN) reader->rows++;
    if (kind == R1I_TOKEN_FINISH && reader->rows) reader->rows--;
    bool columns = r1i_answer_is(token->text, "array") && kind == R1I_TOKEN_BEGIN;
    if (columns && r1i_answer_char(reader->text, end) == '{')
        end = r1i_answer_group_end(reader->text, end);
    return end;
}
// \mathbb{R} and its like name sets.
// The five letters stand in the order of the constants from the reals on. Returns the place
// behind; an unknown letter is unsupported.
static size_t r1i_reader_blackboard(r1i_reader *reader, size_t from, size_t at) {
    static const char letters[] = "RZNQC";
    while (r1i_answer_char(reader->text, at) == ' ' || r1i_answer_char(reader->text, at) == '{')
        at++;
    char c = r1i_answer_char(reader->text, at);
    const char *found = c ? strchr(letters, c) : NULL;
    if (!found) {
        r1i_answer_halt(reader->work, R1I_STOP_UNSUPPORTED);
        return at;
    }
    at++;
    if (r1i_answer_char(reader->text, at) == '}') at++;
    r1i_reader_put(reader, R1I_TOKEN_CONSTANT, R1I_SIGN_REALS + (int)(found - letters), from, at);
    return at;
}
// A command with a name of letters; at is behind its backslash.
// Returns the place behind what it read. Unknown commands stop the reading, since leaving one
// out could change the value without anybody noticing.
static size_t r1i_reader_command(r1i_reader *reader, size_t from, size_t at) {
    size_t end = at;
    while (r1i_is_letter(r1i_answer_char(reader->text, end))) end++;
    r1_slice name = r1i_answer_part(reader->text, at, end);
    const r1i_word *word = r1i_word_find(name, 1);
    if (!word) {
        reader->work->stop_at = from;
        r1i_answer_halt(reader->work, R1I_STOP_UNSUPPORTED);
        return end;
    }
    switch (word->token) {
    case R1I_TOKEN_SKIP:
        return end;
    case R1I_TOKEN_STYLE:
        return r1i_reader_style(reader, end);
    case R1I_TOKEN_BLACKBOARD:
        return r1i_reader_blackboard(reader, from, end);
    case R1I_TOKEN_BEGIN:
    case R1I_TOKEN_FINISH:
        return r1i_reader_environment(reader, word->token, from, end);
    default:
        break;
    }
    r1i_token *token = r1i_reader_put(reader, word->token, word->id, from, end);
    if (word->token == R1I_TOKEN_NAME) token->text = name;
    return end;
}
// A backslash: a command, an escaped sign, a row of a matrix, or space.
// Returns the place behind, never beyond the text. Outside of matrices a double backslash
// before a known command is one that was escaped twice, so one of them is skipped.
static size_t r1i_reader_backslash(r1i_reader *reader, size_t at) {
    char c = r1i_answer_char(reader->text, at + 1);
    if (r1i_is_letter(c)) return r1i_reader_command(reader, at, at + 1);
    if (c == '{') reader->brackets++;
    if (c == '}' && reader->brackets) reader->brackets--;
    if (c == '{' || c == '}')
        r1i_reader_put(reader, c == '{' ? R1I_TOKEN_SET_OPEN : R1I_TOKEN_SET_CLOSE, 0, at, at + 2);
    if (c == '%' || c == '&' || c == '|') r1i_reader_put(reader, c, 0, at, at + 2);
    if (c == '\\') {
        if (reader->rows) {
            r1i_reader_put(reader, R1I_TOKEN_ROW, 0, at, at + 2);
            return at + 2;
        }
        if (r1i_is_letter(r1i_answer_char(reader->text, at + 2))) {
            size_t end = at + 2; // text that was escaped twice
            while (r1i_is_letter(r1i_answer_char(reader->text, end))) end++;
            if (r1i_word_find(r1i_answer_part(reader->text, at + 2, end), 1)) return at + 1;
        }
    }
    return at + 2 < reader->text.size ? at + 2 : reader->text.size;
}
// A character outside ASCII: a known sign, or a word of another script.
// Returns the place behind it. Any other run of bytes from 0x80 on is one text token, so words
// of other scripts reach the comparison of words.
static size_t r1i_reader_sign(r1i_reader *reader, size_t at) {
    for (size_t i = 0; i < sizeof r1i_signs / sizeof *r1i_signs; i++) {
        if (!r1i_answer_at(reader->text, at, r1i_signs[i].bytes)) continue;
        size_t end = at + strlen(r1i_signs[i].bytes);
        if (r1i_signs[i].token != R1I_TOKEN_SKIP)
            r1i_reader_put(reader, r1i_signs[i].token, r1i_signs[i].id, at, end);
        return end;
    }
    size_t end = at; // words of another script
    while (end < reader->text.size && (unsigned char)reader->text.data[end] >= 0x80) end++;
    r1i_reader_put(reader, R1I_TOKEN_TEXT, 0, at, end);
    reader->wordy = true;
    return end;
}
// Any other ASCII character, alone or as part of a pair such as <=.
// Returns the place behind it. Dollar signs, quotes and ticks carry no value and leave no
// token; an arrow becomes '?', which no rule of the grammar accepts.
static size_t r1i_reader_plain(r1i_reader *reader, size_t at) {
    static const char *const pairs[] = {"<=", ">=", "!=", "**", "=<", "=>", "==", "->"};
    static const uint8_t kinds[] = {R1I_TOKEN_LESS_EQUAL,
                                    R1I_TOKEN_GREATER_EQUAL,
                                    R1I_TOKEN_NOT_EQUAL,
                                    '^',
                                    R1I_TOKEN_LESS_EQUAL,
                                    R1I_TOKEN_GREATER_EQUAL,
                                    '=',
                                    '?'};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (r1i_answer_at(reader->text, at, pairs[i])) {
            r1i_reader_put(reader, kinds[i], 0, at, at + 2);
            return at + 2;
        }
    char c = reader->text.data[at];
    if (c == '(' || c == '[') reader->brackets++;
    if ((c == ')' || c == ']') && reader->brackets) reader->brackets--;
    if (c == '$' || c == '~' || c == '`' || c == '"') return at + 1;
    char last = at ? reader->text.data[at - 1] : 0, next = r1i_answer_char(reader->text, at + 1);
    if (c == '\'' && (last == '(' || next == ')')) return at + 1; // quotes of SymPy
    if (c == '_' && (!at || strchr(" (,*+-/", last)) && r1i_is_letter(next)) return at + 1;
    if (c == '.' && r1i_answer_at(reader->text, at, "...")) return at + 3;
    r1i_reader_put(reader, (unsigned char)c, 0, at, at + 1);
    return at + 1;
}
// One pass over the bytes; every branch moves on by at least one.
// So the loop ends after at most as many rounds as the text has bytes. The count of brackets is
// set back, since the grammar keeps its own.
static void r1i_reader_tokens(r1i_reader *reader) {
    size_t at = 0;
    while (at < reader->text.size && r1i_answer_step(reader->work, 1)) {
        char c = reader->text.data[at];
        if (r1i_is_space(c)) {
            at++;
        } else if (r1i_is_digit(c) || (c == '.' && r1i_answer_digits(reader->text, at + 1) > 0)) {
            at = r1i_reader_number(reader, at);
        } else if (r1i_is_letter(c)) {
            size_t end = at;
            while (r1i_is_letter(r1i_answer_char(reader->text, end))) end++;
            size_t behind = end - at > 1 ? r1i_reader_maker(reader, at, end) : 0;
            if (!behind) r1i_reader_letters(reader, at, end, false);
            at = behind ? behind : end;
        } else if (c == '\\') {
            at = r1i_reader_backslash(reader, at);
        } else if ((unsigned char)c >= 0x80) {
            at = r1i_reader_sign(reader, at);
        } else {
            at = r1i_reader_plain(reader, at);
        }
    }
    reader->brackets = 0;
}

// ---- reading: tokens to an expression ----
// A recursive descent, one function a level; each calls the next and returns a node:
//
//     list  ->  relation  ->  set  ->  sum  ->  product  ->  group  ->  power  ->  primary
//     a, b      a < b         A u B    a + b    a * b        a b        a^b        x, 3, ( list )
//
// A tree for 2x + 1:
//
//     sum
//      +-- product
//      |     +-- number 2
//      |     +-- name x
//      +-- number 1
//
// Behind each kind stand the fields it uses besides its items. The kinds from the tuple on are
// no scalars, which comparisons such as kind < R1I_NODE_TUPLE rely on.
typedef enum r1i_node_kind {
    R1I_NODE_NUMBER,   // ratio, places, decimal
    R1I_NODE_NAME,     // text
    R1I_NODE_CONSTANT, // id
    R1I_NODE_TEXT,     // text
    R1I_NODE_SUM,
    R1I_NODE_PRODUCT,
    R1I_NODE_QUOTIENT,
    R1I_NODE_POWER,
    R1I_NODE_NEGATE,
    R1I_NODE_FUNCTION,   // id
    R1I_NODE_CALL,       // text
    R1I_NODE_PLUS_MINUS, // id 1: the signs are swapped
    R1I_NODE_PERCENT,
    R1I_NODE_DEGREE,
    R1I_NODE_UNIT, // text
    R1I_NODE_BASE, // ratio, id
    R1I_NODE_PROPORTION,
    R1I_NODE_FLIP,  // the other sign at every plus-minus inside
    R1I_NODE_TUPLE, // open, close
    R1I_NODE_SET,
    R1I_NODE_LIST,          // id 1: joined by "or"
    R1I_NODE_RELATION,      // links
    R1I_NODE_SET_OPERATION, // id: the token
    R1I_NODE_MATRIX         // rows
} r1i_node_kind;

// Nodes live in the work area until the comparison ends and are not changed after reading; a
// node may have several parents.
typedef struct r1i_node {
    uint8_t kind, id;
    char open, close;
    bool decimal, plain;     // a number with a point; a number as it was written
    uint8_t height;          // of the tree, so that no walk is deep
    uint32_t places, digits; // behind the point; significant ones
    size_t rows, count;
    struct r1i_node **item;
    const uint8_t *links; // the tokens between the sides of a relation
    r1_slice text;
    r1i_ratio ratio;
} r1i_node;

enum { R1I_ANSWER_ITEMS = 256 }; // of a list, a matrix, a sum

// Nodes are only written while nothing stopped the work: the shared node of failure stays blank.
// All fields are zero, with room for this many items. Never NULL: failure gives the shared
// blank node, so callers write only after they looked at work->stop.
static r1i_node *r1i_node_new(r1_answer_work *work, int kind, size_t items) {
    r1i_node *node = (r1i_node *)r1i_answer_space(work, sizeof *node);
    if (!node) return work->nothing;
    node->kind = (uint8_t)kind;
    node->count = items;
    if (items) node->item = (r1i_node **)r1i_answer_space(work, items * sizeof *node->item);
    return node->item || !items ? node : work->nothing;
}
// Trees stay so low that every walk over them may recurse.
// A height of 60 is the limit; it is kept in the node, so measuring looks at the children only.
// Returns the node, or the blank one when the work has stopped.
static r1i_node *r1i_node_measure(r1_answer_work *work, r1i_node *node) {
    unsigned height = 0;
    for (size_t i = 0; i < node->count; i++)
        if (node->item[i]->height > height) height = node->item[i]->height;
    if (height >= R1I_ANSWER_DEPTH) r1i_answer_halt(work, R1I_STOP_DEPTH);
    node->height = (uint8_t)(height + 1);
    return work->stop ? work->nothing : node;
}
// A node of one or two children, measured; b may be NULL.
static r1i_node *r1i_node_of(r1_answer_work *work, int kind, int id, r1i_node *a, r1i_node *b) {
    r1i_node *node = r1i_node_new(work, kind, b ? 2 : 1);
    if (work->stop) return work->nothing;
    node->id = (uint8_t)id;
    node->item[0] = a;
    if (b) node->item[1] = b;
    return r1i_node_measure(work, node);
}
// A number that no text stands behind: it is not plain, so it never joins a mixed number.
static r1i_node *r1i_node_whole(r1_answer_work *work, int64_t value) {
    r1i_node *node = r1i_node_new(work, R1I_NODE_NUMBER, 0);
    if (!work->stop) node->ratio = r1i_ratio_of(work, value, 1);
    return node;
}
// Items that are collected while their number is not known.
typedef struct r1i_items {
    r1i_node **item;
    size_t count, capacity;
} r1i_items;
// Room doubles, so n items cost n steps.
// More than 256 items stop the work. Outgrown arrays stay in the work area, at most as much as
// the last one again.
static void r1i_items_add(r1_answer_work *work, r1i_items *items, r1i_node *node) {
    if (items->count == items->capacity) {
        size_t wanted = items->capacity ? items->capacity * 2 : 4;
        r1i_node **bigger = NULL;
        if (wanted <= R1I_ANSWER_ITEMS)
            bigger = (r1i_node **)r1i_answer_space(work, wanted * sizeof *bigger);
        if (!bigger) {
            r1i_answer_halt(work, R1I_STOP_SIZE);
            return;
        }
        if (items->count) memcpy(bigger, items->item, items->count * sizeof *bigger);
        items->item = bigger, items->capacity = wanted;
    }
    items->item[items->count++] = node;
}
// The node takes over the array of items. Its height is that of the highest item plus one, so a
// long list is not a deep tree.
static r1i_node *r1i_items_node(r1_answer_work *work, const r1i_items *items, int kind) {
    r1i_node *node = r1i_node_new(work, kind, 0);
    if (work->stop) return work->nothing;
    node->item = items->item, node->count = items->count;
    return r1i_node_measure(work, node);
}

static r1i_node *r1i_read_list(r1i_reader *reader, bool flat);
static r1i_node *r1i_read_sum(r1i_reader *reader);
static r1i_node *r1i_read_group(r1i_reader *reader);
static r1i_node *r1i_read_power(r1i_reader *reader);

// The token some places ahead; an end token behind the last.
// The end token has kind 0 and an empty text, so looking far ahead needs no test.
static const r1i_token *r1i_read_token(const r1i_reader *reader, size_t ahead) {
    static const r1i_token end;
    return reader->at + ahead < reader->count ? &reader->token[reader->at + ahead] : &end;
}
static int r1i_read_peek(const r1i_reader *reader) { return r1i_read_token(reader, 0)->kind; }
// Moves on when the next token is the wanted one.
// Else it leaves the place as it is and returns false.
static bool r1i_read_take(r1i_reader *reader, int kind) {
    if (r1i_read_peek(reader) != kind) return false;
    reader->at++;
    return true;
}
// Remembers the first place that made no sense.
// Returns the blank node, so a rule can refuse and return in one line. Only the first refusal
// is kept, which is the one nearest to the mistake.
static r1i_node *r1i_read_refuse(r1i_reader *reader) {
    if (!reader->work->stop) {
        const r1i_token *token = r1i_read_token(reader, 0);
        reader->work->stop_at = token->kind ? token->at : reader->text.size;
    }
    r1i_answer_halt(reader->work, R1I_STOP_SYNTAX);
    return reader->work->nothing;
}
// Every cycle of the grammar passes through a power, which counts the depth.
// Sixty powers inside one another are the limit, which bounds the stack as well as the time.
// False means stop; the caller does not leave in that case, as nothing is read after it.
static bool r1i_read_enter(r1i_reader *reader) {
    if (++reader->work->depth > R1I_ANSWER_DEPTH) r1i_answer_halt(reader->work, R1I_STOP_DEPTH);
    return r1i_answer_step(reader->work, 1);
}
static void r1i_read_leave(r1i_reader *reader) { reader->work->depth--; }

// digits * 10^power as a fraction; separators in the text are passed over.
// Nine digits at a time go into a limb before the long number is touched, which keeps long ones
// cheap. places and digits of the node get the digits behind the point and the significant
// ones. The value is exact: 0.1 is 1/10.
static r1i_ratio r1i_read_decimal(r1_answer_work *work, r1_slice text, r1i_node *node) {
    r1i_whole whole = r1i_whole_of(work, 0);
    uint32_t chunk = 0, scale = 1, places = 0, digits = 0;
    int64_t power = 0;
    bool point = false;
    size_t at = 0;
    for (; at < text.size && !(r1i_lower(text.data[at]) == 'e'); at++) {
        char c = text.data[at];
        bool comma = c == ',' && work->reading & R1I_READ_COMMA;
        if (c == '.' || comma) point = true;
        if (!r1i_is_digit(c)) continue;
        chunk = chunk * 10 + (uint32_t)(c - '0'), scale *= 10;
        places += point;
        if (digits || c != '0') digits++;
        if (scale == 1000000000u || work->stop) {
            whole = r1i_whole_mul(work, whole, r1i_whole_of(work, scale));
            whole = r1i_whole_add(work, whole, r1i_whole_of(work, chunk));
            chunk = 0, scale = 1;
        }
    }
    whole = r1i_whole_mul(work, whole, r1i_whole_of(work, scale));
    whole = r1i_whole_add(work, whole, r1i_whole_of(work, chunk));
    if (at < text.size) {
        bool minus = r1i_answer_char(text, at + 1) == '-';
        for (at += 1; at < text.size; at++)
            if (r1i_is_digit(text.data[at])) power = power * 10 + (text.data[at] - '0');
        if (minus) power = -power;
    }
    node->decimal = point && places, node->places = places, node->digits = digits;
    node->plain = true;
    power -= places;
    uint64_t size = (uint64_t)(power < 0 ? -power : power);
    r1i_whole ten = r1i_whole_power(work, r1i_whole_of(work, 10), size);
    if (power >= 0) return (r1i_ratio){r1i_whole_mul(work, whole, ten), r1i_whole_of(work, 1)};
    return r1i_ratio_make(work, whole, ten);
}
// 0.1\overline{23}: the digits under the bar repeat.
// With p digits under the bar and q between the point and the bar, they are worth period /
// ((10^p - 1) 10^q). The result is exact and no longer a rounded decimal. Anything else under
// the bar is left where it is.
static void r1i_read_repeating(r1i_reader *reader, r1i_node *node) {
    const r1i_token *group = r1i_read_token(reader, 2);
    if (r1i_read_token(reader, 1)->kind != '{' || group->kind != R1I_TOKEN_NUMBER ||
        r1i_read_token(reader, 3)->kind != '}' ||
        r1i_answer_digits(group->text, 0) != group->text.size)
        return;
    r1_answer_work *work = reader->work;
    r1i_node repeated = *work->nothing;
    r1i_ratio period = r1i_read_decimal(work, group->text, &repeated);
    r1i_whole ten = r1i_whole_of(work, 10), one = r1i_whole_of(work, 1);
    r1i_whole nines = r1i_whole_sub(work, r1i_whole_power(work, ten, group->text.size), one);
    r1i_whole shift = r1i_whole_power(work, ten, node->places);
    period = r1i_ratio_make(work, period.top, r1i_whole_mul(work, nines, shift));
    node->ratio = r1i_ratio_add(work, node->ratio, period);
    node->decimal = false;
    reader->at += 4;
}
// A number, with the digits under a bar that repeat.
// The text is kept, since decimals and digits in a base are compared as they were written.
static r1i_node *r1i_read_number(r1i_reader *reader) {
    const r1i_token *token = r1i_read_token(reader, 0);
    r1i_node *node = r1i_node_new(reader->work, R1I_NODE_NUMBER, 0);
    if (reader->work->stop) return node;
    node->text = token->text;
    node->ratio = r1i_read_decimal(reader->work, token->text, node);
    reader->at++;
    bool pointed = memchr(token->text.data, '.', token->text.size) != NULL;
    if (pointed && r1i_read_peek(reader) == R1I_TOKEN_BAR) r1i_read_repeating(reader, node);
    return node;
}
// The names that mean numbers when nothing stands under them.
// They are i, I and e; whether a subscript or prime follows is the caller's matter.
static void r1i_node_constant_name(r1i_node *node) {
    bool i = r1i_answer_is(node->text, "i") || r1i_answer_is(node->text, "I");
    if (!i && !r1i_answer_is(node->text, "e")) return;
    node->kind = R1I_NODE_CONSTANT;
    node->id = i ? R1I_SIGN_I : R1I_SIGN_E;
}
// An argument without braces: one digit, one name, one command.
// \frac12 is 1/2: a digit is taken off the front of the number token, which shrinks for the
// next argument. x in \sqrt xy is one name.
static r1i_node *r1i_read_argument(r1i_reader *reader) {
    r1i_token *token = &reader->token[reader->at];
    if (r1i_read_peek(reader) == R1I_TOKEN_NUMBER && token->text.size > 1 &&
        r1i_is_digit(token->text.data[0])) {
        r1i_node *node = r1i_node_whole(reader->work, token->text.data[0] - '0');
        token->text.data++, token->text.size--;
        return node;
    }
    if (r1i_read_peek(reader) == R1I_TOKEN_NUMBER) return r1i_read_number(reader);
    if (r1i_read_peek(reader) == R1I_TOKEN_NAME) {
        r1i_node *node = r1i_node_new(reader->work, R1I_NODE_NAME, 0);
        reader->at++;
        if (reader->work->stop) return node;
        node->text = token->text;
        r1i_node_constant_name(node);
        return node;
    }
    return r1i_read_power(reader);
}
// { expression }, or one argument.
// Bars inside braces are bars of their own, so the count of open ones starts at zero there and
// is restored behind.
static r1i_node *r1i_read_braced(r1i_reader *reader) {
    if (!r1i_read_take(reader, '{')) return r1i_read_argument(reader);
    int bars = reader->bars;
    reader->bars = 0;
    r1i_node *node = r1i_read_list(reader, true);
    reader->bars = bars;
    if (!r1i_read_take(reader, '}')) return r1i_read_refuse(reader);
    return node;
}
// What stands under a name: digits, names or both, as one word.
// A slice of the text from the first token to the last, which must lie side by side, as tokens
// do. Braces inside are counted; an open end is refused.
static r1_slice r1i_read_subscript(r1i_reader *reader) {
    r1_slice text = r1i_read_token(reader, 0)->text;
    if (r1i_read_take(reader, '{')) {
        text = r1i_read_token(reader, 0)->text;
        int depth = 1;
        while (r1i_read_peek(reader) != R1I_TOKEN_END && depth) {
            const r1i_token *token = r1i_read_token(reader, 0);
            depth += (token->kind == '{') - (token->kind == '}');
            if (depth) text.size = (size_t)(token->text.data + token->text.size - text.data);
            reader->at++;
        }
        if (depth) r1i_read_refuse(reader);
    } else if (r1i_read_peek(reader) == R1I_TOKEN_END) {
        r1i_read_refuse(reader);
    } else {
        reader->at++;
    }
    return text;
}
// A name grows by a mark and a subscript, without spaces and backslashes.
// The new name is a copy in the work area; the text itself is never written. x_{12} and x_12
// get the same name, as do x_{a b} and x_{ab}.
static void r1i_read_suffix(r1i_reader *reader, r1i_node *node, const char *mark, r1_slice more) {
    size_t size = node->text.size + strlen(mark) + more.size;
    char *text = (char *)r1i_answer_space(reader->work, size + 1);
    if (!text) return;
    memcpy(text, node->text.data, node->text.size);
    memcpy(text + node->text.size, mark, strlen(mark));
    size = node->text.size + strlen(mark);
    for (size_t i = 0; i < more.size; i++)
        if (!r1i_is_space(more.data[i]) && more.data[i] != '\\') text[size++] = more.data[i];
    node->text = (r1_slice){text, size};
}
// f^{\prime\prime} is f''.
// True when primes were there; each of them becomes part of the name. The exponent is consumed
// with its braces.
static bool r1i_read_primes(r1i_reader *reader, r1i_node *node) {
    size_t braces = r1i_read_token(reader, 1)->kind == '{', ahead = 1 + braces;
    r1_slice nothing = {"", 0};
    if (r1i_read_peek(reader) != '^' || r1i_read_token(reader, ahead)->kind != '\'') return false;
    while (r1i_read_token(reader, ahead)->kind == '\'') {
        r1i_read_suffix(reader, node, "'", nothing);
        ahead++;
    }
    reader->at += ahead;
    if (braces && !r1i_read_take(reader, '}')) r1i_read_refuse(reader);
    return true;
}
// Letters that stand for functions when a bracket follows: f(x), but a(x+1) is a product.
// A variable that is used like that, P(x+1) = 0 say, is read as a call too; both answers are
// read alike.
static bool r1i_read_is_caller(r1_slice name) {
    return name.size == 1 && memchr("fghFGHPW", name.data[0], 8) != NULL;
}
// A variable with its subscript and primes, a number such as e, or the call of a function.
// "I = ..." defines a name I and is no imaginary unit. A call needs its bracket without a space
// before it; its arguments become the items, and its name stays in the text. E is noted as
// ambiguous unless a subscript follows.
static r1i_node *r1i_read_name(r1i_reader *reader) {
    const r1i_token *token = r1i_read_token(reader, 0);
    r1i_node *node = r1i_node_new(reader->work, R1I_NODE_NAME, 0);
    if (reader->work->stop) return node;
    node->text = token->text;
    reader->at++;
    int next = r1i_read_peek(reader);
    bool subject = next == '=' && r1i_answer_is(node->text, "I");
    if (next != '_' && r1i_answer_is(node->text, "E")) {
        reader->work->seen |= R1I_READ_EULER;
        if (reader->work->reading & R1I_READ_EULER) {
            node->kind = R1I_NODE_CONSTANT, node->id = R1I_SIGN_E;
            return node;
        }
    }
    bool alone = next != '_' && next != '\'' && !subject;
    if (alone) r1i_node_constant_name(node);
    if (node->kind == R1I_NODE_CONSTANT) return node;
    r1_slice nothing = {"", 0};
    if (r1i_read_take(reader, '_')) r1i_read_suffix(reader, node, "_", r1i_read_subscript(reader));
    bool primed = r1i_read_primes(reader, node);
    while (r1i_read_take(reader, '\'')) primed = true, r1i_read_suffix(reader, node, "'", nothing);
    if (r1i_read_peek(reader) == '(' && (primed || r1i_read_is_caller(token->text)) &&
        !r1i_read_token(reader, 0)->spaced) {
        reader->at++;
        r1i_node *args = r1i_read_list(reader, true);
        if (!r1i_read_take(reader, ')')) return r1i_read_refuse(reader);
        bool list = args->kind == R1I_NODE_LIST;
        r1i_node *call = list ? args : r1i_node_of(reader->work, R1I_NODE_CALL, 0, args, NULL);
        if (reader->work->stop) return call;
        call->kind = R1I_NODE_CALL, call->text = node->text;
        return call;
    }
    return node;
}
// \bar x and its like are names of their own: bar{x}.
// The four marks give different names, so that a vector is not its length; a subscript may
// follow as with any name.
static r1i_node *r1i_read_bar(r1i_reader *reader) {
    static const char *const marks[] = {"bar", "hat", "vec", "tilde"};
    const r1i_token *token = r1i_read_token(reader, 0);
    r1i_node *node = r1i_node_new(reader->work, R1I_NODE_NAME, 0);
    reader->at++;
    if (reader->work->stop) return node;
    const char *mark = marks[token->id % 4];
    r1_slice nothing = {"", 0};
    node->text = (r1_slice){mark, strlen(mark)};
    r1i_read_suffix(reader, node, "{", r1i_read_subscript(reader));
    r1i_read_suffix(reader, node, "}", nothing);
    if (r1i_read_take(reader, '_')) r1i_read_suffix(reader, node, "_", r1i_read_subscript(reader));
    return node;
}
// Whether a node is exactly this variable.
static bool r1i_node_is_name(const r1i_node *node, const char *name) {
    return node->kind == R1I_NODE_NAME && r1i_answer_is(node->text, name);
}
// d/dx with nothing to derive is an operator and no number.
// The braces make the quotient definite (id 1), other than 1/2x. A bottom such as dx under d or
// d^n stops the work as calculus.
static r1i_node *r1i_read_fraction(r1i_reader *reader) {
    reader->at++;
    r1i_node *top = r1i_read_braced(reader), *bottom = r1i_read_braced(reader);
    const r1i_node *first = bottom->kind == R1I_NODE_PRODUCT ? bottom->item[0] : bottom;
    const r1i_node *over = top->kind == R1I_NODE_POWER ? top->item[0] : top;
    if (r1i_node_is_name(over, "d") && r1i_node_is_name(first, "d") && bottom != first)
        r1i_answer_halt(reader->work, R1I_STOP_CALCULUS);
    return r1i_node_of(reader->work, R1I_NODE_QUOTIENT, 1, top, bottom);
}
// A root with its index in brackets.
// The n-th root is inner^(1/n), so that its value follows the rules of powers; without an index
// it is the function sqrt.
static r1i_node *r1i_read_root(r1i_reader *reader) {
    reader->at++;
    r1i_node *index = NULL;
    if (r1i_read_take(reader, '[')) {
        index = r1i_read_sum(reader);
        if (!r1i_read_take(reader, ']')) return r1i_read_refuse(reader);
    }
    r1i_node *inner = r1i_read_braced(reader);
    r1_answer_work *work = reader->work;
    if (!index) return r1i_node_of(work, R1I_NODE_FUNCTION, R1I_CALL_SQRT, inner, NULL);
    r1i_node *part = r1i_node_of(work, R1I_NODE_QUOTIENT, 1, r1i_node_whole(work, 1), index);
    return r1i_node_of(work, R1I_NODE_POWER, 0, inner, part);
}
static r1i_node *r1i_read_power_of(r1i_reader *reader, r1i_node *base, r1i_node *exponent) {
    return r1i_node_of(reader->work, R1I_NODE_POWER, 0, base, exponent);
}
// Whether a node is this number as such; no expression that only has its value.
static bool r1i_node_is_whole(const r1i_node *node, uint32_t value) {
    return node->kind == R1I_NODE_NUMBER && r1i_ratio_is_whole(node->ratio) &&
           r1i_whole_is(node->ratio.top, value);
}
// The grammar makes -1 a negation of 1, so a number node is never negative.
static bool r1i_node_is_minus_one(const r1i_node *node) {
    return node->kind == R1I_NODE_NEGATE && r1i_node_is_whole(node->item[0], 1);
}
// sin^{-1} is the inverse function; 255 when there is none.
// Relies on the order of the ids; the exponent -1 at any other function is a power as usual.
static uint8_t r1i_function_inverse(int id) {
    if (id >= R1I_CALL_SIN && id <= R1I_CALL_CSC)
        return (uint8_t)(id + R1I_CALL_ASIN - R1I_CALL_SIN);
    if (id >= R1I_CALL_SINH && id <= R1I_CALL_TANH)
        return (uint8_t)(id + R1I_CALL_ASINH - R1I_CALL_SINH);
    return 255;
}
// The argument of a function: in brackets, or the factors up to the next sign or function.
// sin 2x cos x takes 2x and stops at the cosine. A sign may come first: sin -x. A list in
// brackets gives several arguments.
static r1i_node *r1i_read_function_argument(r1i_reader *reader) {
    int open = r1i_read_peek(reader);
    if (open != '(' && open != '{' && open != '[') {
        if (open == '-') {
            reader->at++;
            return r1i_node_of(reader->work, R1I_NODE_NEGATE, 0, r1i_read_group(reader), NULL);
        }
        return r1i_read_group(reader);
    }
    reader->at++;
    int close = open == '(' ? ')' : open == '{' ? '}' : ']', bars = reader->bars;
    reader->bars = 0;
    r1i_node *node = r1i_read_list(reader, true);
    reader->bars = bars;
    if (!r1i_read_take(reader, close)) return r1i_read_refuse(reader);
    return node;
}
// A function: its exponent or base may come before the argument, in any order.
// log with a base becomes ln a / ln b, which is exact in its meaning. log of one argument
// without a base is noted as ambiguous: ten or e. \sin^2 x is (sin x)^2.
static r1i_node *r1i_read_function(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    int id = r1i_read_token(reader, 0)->id;
    reader->at++;
    r1i_node *exponent = NULL, *base = NULL;
    for (int i = 0; i < 2; i++) {
        if (r1i_read_take(reader, '_')) base = r1i_read_braced(reader);
        if (r1i_read_take(reader, '^')) exponent = r1i_read_braced(reader);
    }
    if (exponent && r1i_node_is_minus_one(exponent) && r1i_function_inverse(id) != 255)
        id = r1i_function_inverse(id), exponent = NULL;
    r1i_node *args = r1i_read_function_argument(reader), *node = args;
    if (work->stop) return args;
    if (args->kind != R1I_NODE_LIST) node = r1i_node_of(work, R1I_NODE_FUNCTION, id, args, NULL);
    if (work->stop) return node;
    node->kind = R1I_NODE_FUNCTION, node->id = (uint8_t)id;
    if (id == R1I_CALL_LOG && base) {
        r1i_node *below = r1i_node_of(work, R1I_NODE_FUNCTION, R1I_CALL_LN, base, NULL);
        node->id = R1I_CALL_LN;
        node = r1i_node_of(work, R1I_NODE_QUOTIENT, 1, node, below);
    } else if (id == R1I_CALL_LOG && node->count == 1) {
        work->seen |= R1I_READ_LOG;
    }
    return exponent ? r1i_read_power_of(reader, node, exponent) : node;
}
// Floors and ceilings.
// The opening token is still unread; what lies inside is one sum.
static r1i_node *r1i_read_between(r1i_reader *reader, int close, int id) {
    reader->at++;
    int bars = reader->bars;
    reader->bars = 0;
    r1i_node *inner = r1i_read_sum(reader);
    reader->bars = bars;
    if (!r1i_read_take(reader, close)) return r1i_read_refuse(reader);
    return r1i_node_of(reader->work, R1I_NODE_FUNCTION, id, inner, NULL);
}
// An absolute value. Inside it a bar closes, unless it stands where a factor must begin.
// `bars` counts the open ones; |a|b|c| is read as |a| b |c|, since a bar that may close does.
static r1i_node *r1i_read_bars(r1i_reader *reader) {
    reader->at++;
    reader->bars++;
    r1i_node *inner = r1i_read_sum(reader);
    reader->bars--;
    if (!r1i_read_take(reader, '|')) return r1i_read_refuse(reader);
    return r1i_node_of(reader->work, R1I_NODE_FUNCTION, R1I_CALL_ABS, inner, NULL);
}
// ( ... ), [ ... ), { ... }: a group, a tuple, an interval or a set.
//
//     (a)  {a}        a itself            (a, b)  [a, b)   tuple, which may be an interval
//     \{a, b\}        set                 \{ x | cond \}   the condition
//     \{\}            empty set           {a, b}           set
//
// The ends of a tuple are kept as written. Bars and set-builder bars start anew inside.
static r1i_node *r1i_read_brackets(r1i_reader *reader) {
    int open = r1i_read_peek(reader), bars = reader->bars;
    reader->at++;
    reader->bars = 0;
    bool set = open == R1I_TOKEN_SET_OPEN;
    if (set && r1i_read_take(reader, R1I_TOKEN_SET_CLOSE)) {
        r1i_node *empty = r1i_node_new(reader->work, R1I_NODE_CONSTANT, 0);
        if (!reader->work->stop) empty->id = R1I_SIGN_EMPTY;
        return empty;
    }
    bool was_set = reader->in_set;
    reader->in_set = set;
    r1i_node *inner = r1i_read_list(reader, true);
    if (set && (r1i_read_take(reader, R1I_TOKEN_SUCH_THAT) || r1i_read_take(reader, '|'))) {
        inner = r1i_read_list(reader, true); // { x | condition }: the condition says it all
        reader->in_set = was_set;
        reader->bars = bars;
        return r1i_read_take(reader, R1I_TOKEN_SET_CLOSE) ? inner : r1i_read_refuse(reader);
    }
    reader->in_set = was_set;
    reader->bars = bars;
    int close = r1i_read_peek(reader);
    bool fits = open == '{' ? close == '}'
                : set       ? close == R1I_TOKEN_SET_CLOSE || close == '}'
                            : close == ')' || close == ']';
    if (!fits || reader->work->stop) return r1i_read_refuse(reader);
    reader->at++;
    bool list = inner->kind == R1I_NODE_LIST;
    if (set || (open == '{' && list)) {
        r1i_node *node = list ? inner : r1i_node_of(reader->work, R1I_NODE_SET, 0, inner, NULL);
        if (!reader->work->stop) node->kind = R1I_NODE_SET;
        return node;
    }
    if (!list) {
        bool same = open == '{' || (open == '(') == (close == ')');
        return same ? inner : r1i_read_refuse(reader);
    }
    inner->kind = R1I_NODE_TUPLE;
    inner->open = (char)open, inner->close = (char)close;
    return inner;
}
// Cells by & and rows by \\; "cases" is a list of its lines.
// Items are stored row by row, and their number must be a multiple of the rows. A name that
// begins with v is a determinant between bars; cases and aligned lines are a list and no
// matrix. Other environments are unsupported.
static r1i_node *r1i_read_matrix(r1i_reader *reader) {
    r1_slice name = r1i_read_token(reader, 0)->text;
    bool known = name.size >= 5 && memcmp(name.data + name.size - 5, "array", 5) == 0;
    known = known || (name.size >= 6 && memcmp(name.data + name.size - 6, "matrix", 6) == 0);
    bool cases = r1i_answer_is(name, "cases") || r1i_answer_is(name, "aligned") ||
                 r1i_answer_is(name, "align*") || r1i_answer_is(name, "align");
    if (!known && !cases) r1i_answer_halt(reader->work, R1I_STOP_UNSUPPORTED);
    reader->at++;
    r1i_items items = {NULL, 0, 0};
    size_t rows = 1;
    while (!reader->work->stop && r1i_read_peek(reader) != R1I_TOKEN_FINISH) {
        if (r1i_read_take(reader, '&')) continue;
        if (r1i_read_take(reader, R1I_TOKEN_ROW)) {
            rows += r1i_read_peek(reader) != R1I_TOKEN_FINISH;
            continue;
        }
        r1i_items_add(reader->work, &items,
                      cases ? r1i_read_list(reader, true) : r1i_read_sum(reader));
    }
    if (!r1i_read_take(reader, R1I_TOKEN_FINISH) || !items.count || items.count % rows)
        return r1i_read_refuse(reader);
    r1i_node *node = r1i_items_node(reader->work, &items, cases ? R1I_NODE_LIST : R1I_NODE_MATRIX);
    if (reader->work->stop) return node;
    node->rows = rows;
    node->open = name.data[0] == 'v' ? '|' : '[';
    return node;
}
// A matrix of SymPy is a list of rows, which are lists or single entries.
// The rows are laid end to end, as r1i_read_matrix has them; rows of other lengths are refused
// when the total does not divide.
static r1i_node *r1i_read_made_matrix(r1i_reader *reader, r1i_node *args) {
    r1i_items items = {NULL, 0, 0};
    size_t rows = args->kind == R1I_NODE_TUPLE ? args->count : 1;
    for (size_t r = 0; r < rows && !reader->work->stop; r++) {
        r1i_node *row = args->kind == R1I_NODE_TUPLE ? args->item[r] : args;
        if (row->kind != R1I_NODE_TUPLE) r1i_items_add(reader->work, &items, row);
        for (size_t i = 0; row->kind == R1I_NODE_TUPLE && i < row->count; i++)
            r1i_items_add(reader->work, &items, row->item[i]);
    }
    if (!items.count || items.count % rows) return r1i_read_refuse(reader);
    r1i_node *node = r1i_items_node(reader->work, &items, R1I_NODE_MATRIX);
    if (!reader->work->stop) node->rows = rows, node->open = '[';
    return node;
}
// Eq(a, b) and its like.
// The link points into the static table and is not copied; it lives as long as the program.
static r1i_node *r1i_read_made_relation(r1i_reader *reader, r1i_node *node, int id) {
    static const uint8_t links[] = {'=', R1I_TOKEN_NOT_EQUAL,    '<', R1I_TOKEN_LESS_EQUAL,
                                    '>', R1I_TOKEN_GREATER_EQUAL};
    if (node->count != 2) return r1i_read_refuse(reader);
    node->kind = R1I_NODE_RELATION, node->links = &links[id - R1I_MAKE_RELATION];
    return node;
}
// SymPy's own notation, as str() and srepr() print it.
// The arguments are read as a list, which is then given the kind that the name asks for: Add a
// sum, Pow a power, Interval a tuple with its ends. Rational(a, b) is a/b, and of one argument,
// as in Integer(3), it is the argument. Unions of many are folded from the left.
static r1i_node *r1i_read_maker(r1i_reader *reader) {
    static const uint8_t kinds[] = {R1I_NODE_SUM, R1I_NODE_PRODUCT, R1I_NODE_POWER};
    r1_answer_work *work = reader->work;
    int id = r1i_read_token(reader, 0)->id, open = 0;
    reader->at += 2; // the name and its bracket
    r1i_node *args = r1i_read_list(reader, true);
    while (r1i_read_peek(reader) == R1I_TOKEN_OPEN)
        open |= r1i_read_token(reader, 0)->id, reader->at++;
    if (!r1i_read_take(reader, ')') || work->stop) return r1i_read_refuse(reader);
    r1i_node *node =
        args->kind == R1I_NODE_LIST ? args : r1i_node_of(work, R1I_NODE_LIST, 0, args, NULL);
    if (work->stop) return node;
    if (id == R1I_MAKE_MATRIX) return r1i_read_made_matrix(reader, args);
    if (id >= R1I_MAKE_RELATION && id <= R1I_MAKE_GREATER_EQUAL)
        return r1i_read_made_relation(reader, node, id);
    if (id == R1I_MAKE_SET || id == R1I_MAKE_TUPLE || id == R1I_MAKE_INTERVAL) {
        node->kind = id == R1I_MAKE_SET ? R1I_NODE_SET : R1I_NODE_TUPLE;
        bool interval = id == R1I_MAKE_INTERVAL;
        node->open = interval && !(open & 1) ? '[' : '(',
        node->close = interval && !(open & 2) ? ']' : ')';
        return node;
    }
    if (id <= R1I_MAKE_PRODUCT || (id == R1I_MAKE_POWER && node->count == 2)) {
        node->kind = kinds[id];
        return node;
    }
    if (node->count == 1) return node->item[0];
    r1i_node *first = node->item[0], *second = node->item[1];
    if (id == R1I_MAKE_QUOTIENT) return r1i_node_of(work, R1I_NODE_QUOTIENT, 1, first, second);
    if (id == R1I_MAKE_ROOT) {
        second = r1i_node_of(work, R1I_NODE_QUOTIENT, 1, r1i_node_whole(work, 1), second);
        return r1i_node_of(work, R1I_NODE_POWER, 0, first, second);
    }
    if (id < R1I_MAKE_UNION) return r1i_read_refuse(reader);
    int operation = R1I_TOKEN_UNION + (id - R1I_MAKE_UNION);
    for (size_t i = 1; i < node->count; i++)
        first = r1i_node_of(work, R1I_NODE_SET_OPERATION, operation, first, node->item[i]);
    return first;
}
// What can stand alone: a number, a name, brackets, a function, a matrix.
// The kind of one token settles the rule, so the grammar never goes back. What begins no
// expression is refused here, with its place.
static r1i_node *r1i_read_primary(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    const r1i_token *token = r1i_read_token(reader, 0);
    r1i_node *node;
    switch (token->kind) {
    case R1I_TOKEN_NUMBER:
        return r1i_read_number(reader);
    case R1I_TOKEN_NAME:
        return r1i_read_name(reader);
    case R1I_TOKEN_BAR:
        return r1i_read_bar(reader);
    case R1I_TOKEN_MAKER:
        return r1i_read_maker(reader);
    case R1I_TOKEN_FUNCTION:
        return r1i_read_function(reader);
    case R1I_TOKEN_FRACTION:
        return r1i_read_fraction(reader);
    case R1I_TOKEN_ROOT:
        return r1i_read_root(reader);
    case R1I_TOKEN_BEGIN:
        return r1i_read_matrix(reader);
    case R1I_TOKEN_FLOOR_OPEN:
        return r1i_read_between(reader, R1I_TOKEN_FLOOR_CLOSE, R1I_CALL_FLOOR);
    case R1I_TOKEN_CEILING_OPEN:
        return r1i_read_between(reader, R1I_TOKEN_CEILING_CLOSE, R1I_CALL_CEILING);
    case '|':
        return r1i_read_bars(reader);
    case '(':
    case '[':
    case '{':
    case R1I_TOKEN_SET_OPEN:
        return r1i_read_brackets(reader);
    case R1I_TOKEN_BINOMIAL:
        reader->at++;
        node = r1i_read_braced(reader);
        return r1i_node_of(work, R1I_NODE_FUNCTION, R1I_CALL_BINOMIAL, node,
                           r1i_read_braced(reader));
    case R1I_TOKEN_TEXT:
    case R1I_TOKEN_CONSTANT:
        node = r1i_node_new(work, token->kind == R1I_TOKEN_TEXT ? R1I_NODE_TEXT : R1I_NODE_CONSTANT,
                            0);
        if (!work->stop) node->text = token->text, node->id = token->id;
        reader->at++;
        return node;
    case R1I_TOKEN_CALCULUS:
        r1i_answer_halt(work, R1I_STOP_CALCULUS);
        break;
    default:
        break;
    }
    return r1i_read_refuse(reader);
}
// Whether any variable or unknown function occurs; without one the expression is a constant.
// Recursion is bounded by the height of the tree.
static bool r1i_node_has_names(const r1i_node *node) {
    if (node->kind == R1I_NODE_NAME || node->kind == R1I_NODE_CALL) return true;
    for (size_t i = 0; i < node->count; i++)
        if (r1i_node_has_names(node->item[i])) return true;
    return false;
}
// ^\circ, ^2, ^T
// 90^\circ is degrees and no power. A number behind ^ is taken whole, as in 2^10, although TeX
// would raise the first digit only, because that is what is meant.
static r1i_node *r1i_read_exponent(r1i_reader *reader, r1i_node *node) {
    size_t braces = r1i_read_token(reader, 1)->kind == '{';
    if (r1i_read_token(reader, 1 + braces)->kind == R1I_TOKEN_DEGREE) {
        reader->at += 2 + braces;
        if (braces && !r1i_read_take(reader, '}')) return r1i_read_refuse(reader);
        return r1i_node_of(reader->work, R1I_NODE_DEGREE, 0, node, NULL);
    }
    reader->at++;
    r1i_node *exponent;
    if (r1i_read_peek(reader) == R1I_TOKEN_NUMBER) {
        exponent = r1i_read_number(reader);
    } else if (r1i_read_take(reader, '-')) {
        r1i_node *inner = r1i_read_power(reader);
        exponent = r1i_node_of(reader->work, R1I_NODE_NEGATE, 0, inner, NULL);
    } else {
        exponent = r1i_read_braced(reader);
    }
    if (r1i_read_peek(reader) == '^' && r1i_read_enter(reader)) { // a^b^c is a^(b^c)
        exponent = r1i_read_exponent(reader, exponent);
        r1i_read_leave(reader);
    }
    return r1i_read_power_of(reader, node, exponent);
}
// Digits with a base under them. Only digits below the base make a number.
// 1011_2 is 11: value = sum digit * base^place, by Horner's rule. Bases from 2 to 36 with the
// digits 0 to 9; anything else under a number is refused. The digits are kept as text for a
// comparison with a number that names no base.
static r1i_node *r1i_read_base(r1i_reader *reader, r1i_node *node) {
    reader->at++;
    r1_slice digits = node->text, base = r1i_read_subscript(reader);
    r1_answer_work *work = reader->work;
    uint32_t b = 0;
    for (size_t i = 0; i < base.size && i < 3; i++)
        b = r1i_is_digit(base.data[i]) ? b * 10 + (uint32_t)(base.data[i] - '0') : 99;
    if (b < 2 || b > 36 || node->kind != R1I_NODE_NUMBER || node->decimal)
        return r1i_read_refuse(reader);
    r1i_whole value = r1i_whole_of(work, 0);
    for (size_t i = 0; i < digits.size; i++) {
        if (!r1i_is_digit(digits.data[i])) continue;
        if ((uint32_t)(digits.data[i] - '0') >= b) return r1i_read_refuse(reader);
        value = r1i_whole_mul(work, value, r1i_whole_of(work, b));
        value = r1i_whole_add(work, value, r1i_whole_of(work, digits.data[i] - '0'));
    }
    r1i_node *result = r1i_node_new(work, R1I_NODE_BASE, 0);
    if (work->stop) return result;
    result->id = (uint8_t)b;
    result->ratio = (r1i_ratio){value, r1i_whole_of(work, 1)};
    result->text = digits;
    return result;
}
// A primary with all that may follow it: exponents, factorials, percent, degrees.
// Exponents that are numbers or names are read from the left: a^b^c is (a^b)^c. A percent sign
// behind a variable is refused, since it may mean a remainder. Each round of the loop consumes
// a token, so it ends.
static r1i_node *r1i_read_power(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    if (!r1i_read_enter(reader)) return reader->work->nothing;
    r1i_node *node = r1i_read_primary(reader);
    for (bool more = true; more && !work->stop;) {
        switch (r1i_read_peek(reader)) {
        case '^':
            node = r1i_read_exponent(reader, node);
            break;
        case '_':
            node = r1i_read_base(reader, node);
            break;
        case '!':
            reader->at++;
            node = r1i_node_of(work, R1I_NODE_FUNCTION, R1I_CALL_FACTORIAL, node, NULL);
            break;
        case '%':
            if (r1i_node_has_names(node)) return r1i_read_refuse(reader);
            reader->at++;
            node = r1i_node_of(work, R1I_NODE_PERCENT, 0, node, NULL);
            break;
        case R1I_TOKEN_DEGREE:
            reader->at++;
            node = r1i_node_of(work, R1I_NODE_DEGREE, 0, node, NULL);
            break;
        case R1I_TOKEN_CHOOSE: {
            reader->at++;
            r1i_node *below = r1i_read_power(reader);
            node = r1i_node_of(work, R1I_NODE_FUNCTION, R1I_CALL_BINOMIAL, node, below);
            break;
        }
        default:
            more = false;
        }
    }
    r1i_read_leave(reader);
    return node;
}
// Whether the next token begins a factor that needs no sign before it.
// A bar begins one only when none is open and no set is being described; a square bracket does
// not begin one behind a number, where it may be the end of an interval.
static bool r1i_read_starts_factor(const r1i_reader *reader) {
    switch (r1i_read_peek(reader)) {
    case R1I_TOKEN_NUMBER:
    case R1I_TOKEN_NAME:
    case R1I_TOKEN_BAR:
    case R1I_TOKEN_MAKER:
    case R1I_TOKEN_FUNCTION:
    case R1I_TOKEN_FRACTION:
    case R1I_TOKEN_ROOT:
    case R1I_TOKEN_BEGIN:
    case R1I_TOKEN_FLOOR_OPEN:
    case R1I_TOKEN_CEILING_OPEN:
    case R1I_TOKEN_BINOMIAL:
    case R1I_TOKEN_CONSTANT:
    case R1I_TOKEN_CALCULUS:
    case '(':
    case '{':
        return true;
    case '[':
        return reader->at > 0 && reader->token[reader->at - 1].kind != R1I_TOKEN_NUMBER;
    case '|':
        return reader->bars == 0 && !reader->in_set;
    default:
        return false;
    }
}
// A whole number as it was written: digits without a point.
static bool r1i_node_is_literal(const r1i_node *node) {
    return node->kind == R1I_NODE_NUMBER && !node->decimal && node->plain;
}
// 1 1/2 and 1\frac12 are sums.
// True: *fraction is what is to be added. A fraction that was read but is no mixed part, as in
// 2\frac{x}{3}, is left in *fraction with false, and is the next factor.
static bool r1i_read_is_mixed(r1i_reader *reader, const r1i_node *before, r1i_node **fraction) {
    if (!r1i_node_is_literal(before)) return false;
    if (r1i_read_peek(reader) == R1I_TOKEN_NUMBER) {
        if (r1i_read_token(reader, 1)->kind != '/' ||
            r1i_read_token(reader, 2)->kind != R1I_TOKEN_NUMBER)
            return false;
        r1i_node *top = r1i_read_number(reader);
        reader->at++;
        *fraction = r1i_node_of(reader->work, R1I_NODE_QUOTIENT, 0, top, r1i_read_number(reader));
        return true;
    }
    if (r1i_read_peek(reader) != R1I_TOKEN_FRACTION) return false;
    *fraction = r1i_read_fraction(reader);
    return !reader->work->stop && r1i_node_is_literal((*fraction)->item[0]) &&
           r1i_node_is_literal((*fraction)->item[1]);
}
// Words behind a value are its unit: 3 \text{ cm}^2, 5 km/h.
// Its text reaches from the first word to the last, with exponents and slashes, and is
// normalized when it is compared. The value is the only item.
static r1i_node *r1i_read_unit(r1i_reader *reader, r1i_node *value) {
    size_t from = r1i_read_token(reader, 0)->at, to = from;
    while (!reader->work->stop) {
        const r1i_token *token = r1i_read_token(reader, 0);
        to = (size_t)(token->text.data + token->text.size - reader->text.data);
        reader->at++;
        if (r1i_read_peek(reader) == '^') {
            reader->at++;
            r1_slice power = r1i_read_subscript(reader);
            to = (size_t)(power.data + power.size - reader->text.data);
        }
        if (r1i_read_peek(reader) == '/' && r1i_read_token(reader, 1)->kind == R1I_TOKEN_TEXT) {
            reader->at++;
            continue;
        }
        if (r1i_read_peek(reader) != R1I_TOKEN_TEXT) break;
    }
    r1i_node *node = r1i_node_of(reader->work, R1I_NODE_UNIT, 0, value, NULL);
    if (!reader->work->stop) node->text = r1i_answer_part(reader->text, from, to);
    return node;
}
// Factors that stand side by side.
// Two whole numbers side by side are refused, as nobody knows what 12 34 means. Inside the
// argument of a function the group ends at the next function. Behind a slash it is noted that
// 1/2x has two readings, and in the second one the group ends after its first factor.
static r1i_node *r1i_read_group(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    bool inside = reader->at > 0 && reader->token[reader->at - 1].kind == R1I_TOKEN_FUNCTION;
    bool divided = reader->at > 0 && reader->token[reader->at - 1].kind == '/';
    r1i_items items = {NULL, 0, 0};
    r1i_node *last = r1i_read_power(reader), *fraction = NULL;
    r1i_items_add(work, &items, last);
    while (!work->stop && r1i_read_starts_factor(reader)) {
        if (inside && r1i_read_peek(reader) == R1I_TOKEN_FUNCTION) break;
        if (divided) {
            work->seen |= R1I_READ_DIVISION;
            if (work->reading & R1I_READ_DIVISION) break;
        }
        if (r1i_read_is_mixed(reader, last, &fraction)) {
            items.item[items.count - 1] = r1i_node_of(work, R1I_NODE_SUM, 0, last, fraction);
            last = fraction;
            continue;
        }
        bool digits = r1i_read_peek(reader) == R1I_TOKEN_NUMBER;
        if (digits && r1i_node_is_literal(last) && !fraction) return r1i_read_refuse(reader);
        last = fraction ? fraction : r1i_read_power(reader);
        fraction = NULL;
        r1i_items_add(work, &items, last);
    }
    if (work->stop) return reader->work->nothing;
    r1i_node *node =
        items.count == 1 ? items.item[0] : r1i_items_node(work, &items, R1I_NODE_PRODUCT);
    if (r1i_read_peek(reader) == R1I_TOKEN_TEXT) node = r1i_read_unit(reader, node);
    return node;
}
// Factors that were multiplied by a sign become one node, so that a long product is not a deep
// tree.
// One factor needs no product around it.
static r1i_node *r1i_read_factors(r1_answer_work *work, r1i_items *factors) {
    if (work->stop || !factors->count) return work->nothing;
    if (factors->count == 1) return factors->item[0];
    return r1i_items_node(work, factors, R1I_NODE_PRODUCT);
}
// Products and quotients from left to right.
// a/b/c is (a/b)/c: what came before a slash becomes its top. A sign directly behind an
// operator belongs to the next group: 2*-3. Modulo binds like a quotient.
static r1i_node *r1i_read_product(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    r1i_items factors = {NULL, 0, 0};
    r1i_items_add(work, &factors, r1i_read_group(reader));
    while (!work->stop) {
        int kind = r1i_read_peek(reader);
        bool loose = work->reading & R1I_READ_DIVISION && r1i_read_starts_factor(reader);
        if (kind != '*' && kind != '/' && kind != R1I_TOKEN_MODULO && !loose) break;
        if (!loose) reader->at++;
        bool minus = !loose && r1i_read_take(reader, '-');
        r1i_node *next = r1i_read_group(reader);
        if (minus) next = r1i_node_of(work, R1I_NODE_NEGATE, 0, next, NULL);
        if (kind == '/' || kind == R1I_TOKEN_MODULO) {
            r1i_node *before = r1i_read_factors(work, &factors);
            next = kind == '/' ? r1i_node_of(work, R1I_NODE_QUOTIENT, 0, before, next)
                               : r1i_node_of(work, R1I_NODE_FUNCTION, R1I_CALL_MOD, before, next);
            factors = (r1i_items){NULL, 0, 0};
        }
        r1i_items_add(work, &factors, next);
    }
    return r1i_read_factors(work, &factors);
}
// A term with its signs; two of them cancel.
// A sign is looser than a product: -x^2 y is -(x^2 y), so -2^2 is -4.
static r1i_node *r1i_read_signed(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    bool minus = false;
    while (r1i_read_peek(reader) == '-' || r1i_read_peek(reader) == '+')
        minus ^= r1i_read_peek(reader) == '-', reader->at++;
    r1i_node *node = r1i_read_product(reader);
    return minus ? r1i_node_of(work, R1I_NODE_NEGATE, 0, node, NULL) : node;
}
// Terms with plus, minus and plus-minus between them.
// A difference is a sum with a negated term, so all sums are one flat node. A plus-minus in
// front or between becomes a node around its term, with id 1 for the minus-plus.
static r1i_node *r1i_read_sum(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    r1i_items items = {NULL, 0, 0};
    int first = r1i_read_peek(reader);
    if (first != R1I_TOKEN_PLUS_MINUS && first != R1I_TOKEN_MINUS_PLUS)
        r1i_items_add(work, &items, r1i_read_signed(reader));
    while (!work->stop) {
        int kind = r1i_read_peek(reader);
        if (kind != '+' && kind != '-' && kind != R1I_TOKEN_PLUS_MINUS &&
            kind != R1I_TOKEN_MINUS_PLUS)
            break;
        reader->at++;
        r1i_node *next = r1i_read_signed(reader);
        if (kind == '-') next = r1i_node_of(work, R1I_NODE_NEGATE, 0, next, NULL);
        if (kind >= R1I_TOKEN_NUMBER)
            next = r1i_node_of(work, R1I_NODE_PLUS_MINUS, kind == R1I_TOKEN_MINUS_PLUS, next, NULL);
        r1i_items_add(work, &items, next);
    }
    if (work->stop) return reader->work->nothing;
    return items.count == 1 ? items.item[0] : r1i_items_node(work, &items, R1I_NODE_SUM);
}
// Unions and their like; between the sums and the relations.
// All of them bind alike, from the left; a colon is a proportion here and takes the same place.
static r1i_node *r1i_read_set(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    r1i_node *node = r1i_read_sum(reader);
    while (!work->stop) {
        int kind = r1i_read_peek(reader);
        if (kind == ':') {
            reader->at++;
            r1i_node *next = r1i_read_sum(reader);
            node = r1i_node_of(work, R1I_NODE_PROPORTION, 0, node, next);
            continue;
        }
        if (kind != R1I_TOKEN_UNION && kind != R1I_TOKEN_INTERSECT && kind != R1I_TOKEN_WITHOUT)
            break;
        reader->at++;
        r1i_node *next = r1i_read_sum(reader);
        node = r1i_node_of(work, R1I_NODE_SET_OPERATION, kind, node, next);
    }
    return node;
}
// Comparison signs, "about", and membership.
static bool r1i_token_is_relation(int kind) {
    return kind == '=' || kind == '<' || kind == '>' || kind == R1I_TOKEN_LESS_EQUAL ||
           kind == R1I_TOKEN_GREATER_EQUAL || kind == R1I_TOKEN_NOT_EQUAL ||
           kind == R1I_TOKEN_ABOUT || kind == R1I_TOKEN_IN || kind == R1I_TOKEN_NOT_IN;
}
// A chain a < b <= c is one relation.
// links[i] is the token between item i and item i+1. Nine sides at most; the links are copied
// from the stack into the work area, where they live as long as the node.
static r1i_node *r1i_read_relation(r1i_reader *reader) {
    r1_answer_work *work = reader->work;
    r1i_node *first = r1i_read_set(reader);
    if (!r1i_token_is_relation(r1i_read_peek(reader))) return first;
    r1i_items items = {NULL, 0, 0};
    uint8_t links[8] = {0};
    r1i_items_add(work, &items, first);
    while (!work->stop && r1i_token_is_relation(r1i_read_peek(reader))) {
        if (items.count > sizeof links) return r1i_read_refuse(reader);
        links[items.count - 1] = (uint8_t)r1i_read_peek(reader);
        reader->at++;
        r1i_items_add(work, &items, r1i_read_set(reader));
    }
    r1i_node *node = r1i_items_node(work, &items, R1I_NODE_RELATION);
    uint8_t *kept = (uint8_t *)r1i_answer_space(work, sizeof links);
    if (work->stop || !kept) return reader->work->nothing;
    memcpy(kept, links, sizeof links);
    node->links = kept;
    return node;
}
// Commas and the words "and" and "or", several in a row as in ", and".
// *either is set when one of them was an "or", and is left alone else.
static bool r1i_read_separator(r1i_reader *reader, bool *either) {
    bool found = false;
    while (r1i_read_peek(reader) == ',' || r1i_read_peek(reader) == R1I_TOKEN_AND) {
        const r1i_token *token = r1i_read_token(reader, 0);
        if (token->kind == R1I_TOKEN_AND && token->id) *either = true;
        reader->at++, found = true;
    }
    return found;
}
// a, b and c; then a, b; c, d, which is a list of tuples unless it is flat.
// Flat is for everything inside brackets, where a semicolon separates like a comma; at the top
// it separates tuples, as in "1, 2; 3, 4". A separator at the very end is passed over. One item
// is itself and no list; id 1 says that "or" joined them.
static r1i_node *r1i_read_list(r1i_reader *reader, bool flat) {
    r1_answer_work *work = reader->work;
    r1i_items outer = {NULL, 0, 0}, inner = {NULL, 0, 0};
    bool either = false, split = false;
    while (!work->stop) {
        r1i_items_add(work, &inner, r1i_read_relation(reader));
        if (work->stop) break;
        bool comma = r1i_read_separator(reader, &either);
        if (r1i_read_peek(reader) == ';') {
            reader->at++, split = true;
            if (!flat) {
                r1i_node *node = inner.item[0];
                if (inner.count > 1) node = r1i_items_node(work, &inner, R1I_NODE_TUPLE);
                if (inner.count > 1 && !work->stop) node->open = '(', node->close = ')';
                r1i_items_add(work, &outer, node);
                inner = (r1i_items){NULL, 0, 0};
            }
            comma = true;
        }
        int next = r1i_read_peek(reader);
        if (!comma || next == R1I_TOKEN_END) break;
    }
    if (work->stop) return reader->work->nothing;
    if (split && !flat && inner.count) {
        r1i_node *node = inner.item[0];
        if (inner.count > 1) node = r1i_items_node(work, &inner, R1I_NODE_TUPLE);
        if (inner.count > 1 && !work->stop) node->open = '(', node->close = ')';
        r1i_items_add(work, &outer, node);
    }
    const r1i_items *all = split && !flat ? &outer : &inner;
    if (all->count == 1) return all->item[0];
    r1i_node *node = r1i_items_node(work, all, R1I_NODE_LIST);
    if (!work->stop) node->id = either;
    return node;
}
// Reads a whole text. The result is nothing when the work stopped.
// A leading = or "about" and trailing punctuation are passed over. All tokens must be used up:
// an answer is read as a whole or not at all, so that no part of it is ignored silently. *wordy
// tells that it may be words.
static r1i_node *r1i_read_answer(r1_answer_work *work, r1_slice text, bool *wordy) {
    r1i_reader reader = {work, text, NULL, 0, text.size + 2, 0, 0, 0, 0, false, false};
    reader.token = (r1i_token *)r1i_answer_space(work, reader.capacity * sizeof(r1i_token));
    if (!reader.token) return work->nothing;
    work->depth = 0;
    r1i_reader_tokens(&reader);
    if (r1i_read_peek(&reader) == R1I_TOKEN_ABOUT || r1i_read_peek(&reader) == '=') reader.at++;
    while (reader.count && (reader.token[reader.count - 1].kind == '.' ||
                            reader.token[reader.count - 1].kind == ',' ||
                            reader.token[reader.count - 1].kind == ';'))
        reader.count--;
    *wordy = reader.wordy;
    for (size_t i = 0; i < reader.count; i++)
        if (reader.token[i].kind == R1I_TOKEN_TEXT) *wordy = true;
    if (work->stop) return work->nothing;
    r1i_node *node = r1i_read_list(&reader, false);
    if (reader.at < reader.count) r1i_read_refuse(&reader);
    return work->stop ? work->nothing : node;
}

// ---- evaluation ----
// FNV-1a over the bytes. It only has to spread names over seeds.
static uint64_t r1i_answer_hash(r1_slice text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
    return hash;
}
// The same bytes; two empty texts are the same wherever they point.
static bool r1i_slice_same(r1_slice a, r1_slice b) {
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}
enum {
    R1I_ANSWER_POINTS = 8
}; // that must be good; of the first, half are positive; odd ones small

// The value of a name at the current point: k / 131071 with 2^20 choices of k, so two different
// polynomials of degree d agree at a point with a chance of at most d / 2^20.
// A sample is a counter and a name is a seed, so both answers see the same value for the same
// name, on every machine, without a table. From sample 4 on a name is negative with a chance of
// one half; odd samples are smaller by 8. Whole points are small and grow with the sample.
static r1i_value r1i_answer_point(r1_answer_work *work, r1_slice name) {
    if (work->fixed && r1i_slice_same(name, work->fixed_name)) return *work->fixed;
    uint32_t counter[4] = {(uint32_t)work->sample, 0, 0, 0}, word[4];
    uint64_t hash = r1i_answer_hash(name);
    if (work->whole_points)
        return r1i_value_of(work, 1 + (int64_t)(hash >> 20) % 5 + 2 * work->sample, 1);
    r1_random_block(hash, counter, word);
    int64_t top = 1 + (int64_t)(word[0] & 0xfffff);
    bool minus = work->sample >= R1I_ANSWER_POINTS / 2 && word[1] & 1;
    return r1i_value_of(work, minus ? -top : top, work->sample % 2 ? 131071 * 8 : 131071);
}
static r1i_value r1i_value_evaluate(r1_answer_work *work, const r1i_node *node);

// As a power, so that perfect squares stay exact and negative numbers give i.
static r1i_value r1i_value_sqrt(r1_answer_work *work, r1i_value a) {
    return r1i_value_power(work, a, r1i_value_of(work, 1, 2));
}
// At zero the values are exact, which keeps rational answers rational.
// Sine and cosine come from one reduction; the others are their quotients and have no value
// where the divisor may be zero. Complex arguments have no value here.
static r1i_value r1i_value_trigonometric(r1_answer_work *work, int id, r1i_value a) {
    if (!r1i_value_is_real(&a)) return r1i_value_none();
    r1i_value one = r1i_value_of(work, 1, 1), zero = r1i_value_of(work, 0, 1), sine, cosine;
    if (r1i_value_is_zero(&a)) {
        sine = zero, cosine = one;
    } else {
        a = r1i_value_blur(work, a);
        sine = cosine = r1i_value_ball(r1i_ball_zero, r1i_ball_zero);
        r1i_ball_sin_cos(work, a.x, &sine.x, &cosine.x);
    }
    switch (id) {
    case R1I_CALL_SIN:
        return sine;
    case R1I_CALL_COS:
        return cosine;
    case R1I_CALL_TAN:
        return r1i_value_divide(work, sine, cosine);
    case R1I_CALL_COT:
        return r1i_value_divide(work, cosine, sine);
    case R1I_CALL_SEC:
        return r1i_value_divide(work, one, cosine);
    default:
        return r1i_value_divide(work, one, sine);
    }
}
// Of real values only, in (-pi/2, pi/2); 0 stays exact.
static r1i_value r1i_value_atan(r1_answer_work *work, r1i_value a) {
    if (!r1i_value_is_real(&a)) return r1i_value_none();
    if (r1i_value_is_zero(&a)) return a;
    return r1i_value_ball(r1i_ball_atan(work, r1i_value_blur(work, a).x), r1i_ball_zero);
}
// asin x = atan(x / sqrt(1 - x^2)), and a quarter turn at the ends.
// The rest 1 - x^2 is either exactly zero or must be surely positive; a ball that cannot tell
// has no value.
static r1i_value r1i_value_asin(r1_answer_work *work, r1i_value a) {
    r1i_value one = r1i_value_of(work, 1, 1);
    r1i_value rest = r1i_value_sub(work, one, r1i_value_mul(work, a, a));
    if (!r1i_value_is_real(&a) || (!r1i_value_is_zero(&rest) && r1i_value_sign(&rest) <= 0))
        return r1i_value_none();
    if (r1i_value_is_zero(&rest)) {
        r1i_value quarter = r1i_value_mul(work, r1i_value_pi(work), r1i_value_of(work, 1, 2));
        return r1i_value_sign(&a) < 0 ? r1i_value_negate(quarter) : quarter;
    }
    rest = r1i_value_sqrt(work, rest);
    return r1i_value_atan(work, r1i_value_divide(work, a, rest));
}
// The others follow from asin and atan.
// acos x = pi/2 - asin x, acot x = pi/2 - atan x in (0, pi), asec x = acos(1/x), acsc x =
// asin(1/x).
static r1i_value r1i_value_inverse_function(r1_answer_work *work, int id, r1i_value a) {
    r1i_value half = r1i_value_of(work, 1, 2), one = r1i_value_of(work, 1, 1);
    if (id == R1I_CALL_ASEC || id == R1I_CALL_ACSC) a = r1i_value_divide(work, one, a);
    if (id == R1I_CALL_ASIN || id == R1I_CALL_ACSC) return r1i_value_asin(work, a);
    if (id == R1I_CALL_ATAN) return r1i_value_atan(work, a);
    r1i_value quarter = r1i_value_mul(work, r1i_value_pi(work), half);
    if (id == R1I_CALL_ACOT) return r1i_value_sub(work, quarter, r1i_value_atan(work, a));
    return r1i_value_sub(work, quarter, r1i_value_asin(work, a));
}
// Through exp and log, by their definitions.
// sinh = (e^x - e^-x) / 2 and so on; asinh x = log(x + sqrt(x^2 + 1)), acosh x = log(x +
// sqrt(x^2 - 1)), atanh x = log((1+x) / (1-x)) / 2. The balls account for what cancels near
// zero.
static r1i_value r1i_value_hyperbolic(r1_answer_work *work, int id, r1i_value a) {
    r1i_value one = r1i_value_of(work, 1, 1), half = r1i_value_of(work, 1, 2);
    if (id == R1I_CALL_ATANH) {
        a = r1i_value_divide(work, r1i_value_add(work, one, a), r1i_value_sub(work, one, a));
        return r1i_value_mul(work, half, r1i_value_log(work, a));
    }
    if (id == R1I_CALL_ASINH || id == R1I_CALL_ACOSH) {
        r1i_value square = r1i_value_mul(work, a, a);
        square = id == R1I_CALL_ASINH ? r1i_value_add(work, square, one)
                                      : r1i_value_sub(work, square, one);
        return r1i_value_log(work, r1i_value_add(work, a, r1i_value_sqrt(work, square)));
    }
    r1i_value up = r1i_value_exp(work, a), down = r1i_value_exp(work, r1i_value_negate(a));
    r1i_value sine = r1i_value_sub(work, up, down), cosine = r1i_value_add(work, up, down);
    if (id == R1I_CALL_TANH) return r1i_value_divide(work, sine, cosine);
    return r1i_value_mul(work, half, id == R1I_CALL_SINH ? sine : cosine);
}
// Of a complex value, the root of its norm.
// |z|^2 = z conj(z), whose imaginary part is zero by algebra and is set so. A real ball around
// zero has no value, because its sign is not known.
static r1i_value r1i_value_abs(r1_answer_work *work, r1i_value a) {
    if (r1i_value_is_real(&a)) {
        if (r1i_value_is_zero(&a)) return a;
        int sign = r1i_value_sign(&a);
        return !sign ? r1i_value_none() : sign < 0 ? r1i_value_negate(a) : a;
    }
    r1i_value turned = a;
    turned.im = r1i_ratio_negate(a.im), turned.y = r1i_ball_negate(a.y);
    r1i_value norm = r1i_value_mul(work, a, turned);
    norm.y = r1i_ball_zero;
    return r1i_value_sqrt(work, norm);
}
// A ball has a floor when both of its ends have the same.
// Exact values have an exact floor. A ball whose unit is 1 or more has no digits behind the
// point to decide by, and one that straddles a whole number stays without a value, so the
// result is always right.
static r1i_value r1i_value_floor(r1_answer_work *work, r1i_value a) {
    if (!r1i_value_is_real(&a)) return r1i_value_none();
    r1i_whole one = r1i_whole_of(work, 1);
    if (a.kind == R1I_VALUE_EXACT)
        return r1i_value_ratio(work, (r1i_ratio){r1i_ratio_floor(work, a.re), one});
    r1i_whole radius = r1i_whole_of(work, (int64_t)a.x.radius), low, high;
    if (a.x.exponent >= 0) return r1i_value_none();
    r1i_whole unit = r1i_whole_shift(work, one, -a.x.exponent);
    if (work->stop) return r1i_value_none();
    low = r1i_ratio_floor(work, (r1i_ratio){r1i_whole_sub(work, a.x.middle, radius), unit});
    high = r1i_ratio_floor(work, (r1i_ratio){r1i_whole_add(work, a.x.middle, radius), unit});
    if (r1i_whole_compare(low, high)) return r1i_value_none();
    return r1i_value_ratio(work, (r1i_ratio){low, one});
}
// Only of whole numbers; there is no gamma function here.
// Up to 4000!, which has some 42000 bits and fits the limit of limbs. The product is kept in
// one room of n * 12 bits, so the loop uses no more space as it goes.
static r1i_value r1i_value_factorial(r1_answer_work *work, r1i_value a) {
    if (!r1i_value_is_whole(&a) || a.re.top.negative) return r1i_value_none();
    if (a.re.top.size > 1 || (a.re.top.size && a.re.top.limb[0] > 4000)) {
        r1i_answer_halt(work, R1I_STOP_SIZE);
        return a;
    }
    uint32_t n = a.re.top.size ? a.re.top.limb[0] : 0;
    uint32_t *limb = r1i_whole_space(work, n * 12 / 32 + 2); // n! < 4096^n
    r1i_whole product = r1i_whole_of(work, 1);
    size_t used = work->used;
    for (uint32_t k = 2; k <= n && !work->stop; k++) {
        product = r1i_whole_mul(work, product, r1i_whole_of(work, k));
        product = r1i_whole_keep(work, product, limb, used);
    }
    return r1i_value_ratio(work, (r1i_ratio){product, r1i_whole_of(work, 1)});
}
// n (n-1) ... (n-k+1) / k! of a whole n: every product is divided before it grows.
// After step j the product is C(n, j+1), so each division leaves no rest. The room holds
// bits(n) * k bits. n may be negative, by the same formula; a product that outgrows its room
// stops the work.
static r1i_value r1i_value_binomial_whole(r1_answer_work *work, r1i_whole n, uint32_t k) {
    size_t limbs = (r1i_whole_bits(n) * (size_t)k + 64) / 32 + 2;
    uint32_t *limb = r1i_whole_space(work, r1i_min(limbs, R1I_ANSWER_LIMBS)), rest;
    r1i_whole product = r1i_whole_of(work, 1);
    size_t used = work->used;
    for (uint32_t j = 0; j < k && !work->stop; j++) {
        r1i_whole factor = r1i_whole_sub(work, n, r1i_whole_of(work, j));
        product = r1i_whole_mul(work, product, factor);
        product = r1i_whole_divide_small(work, product, j + 1, &rest);
        if (product.size > r1i_min(limbs, R1I_ANSWER_LIMBS)) r1i_answer_halt(work, R1I_STOP_SIZE);
        product = r1i_whole_keep(work, product, limb, used);
    }
    return r1i_value_ratio(work, (r1i_ratio){product, r1i_whole_of(work, 1)});
}
// n may be any fraction, then C(n, k) = n (n-1) ... (n-k+1) / k! with the bottom multiplied up;
// k is a whole number up to 3000. A negative k gives 0.
static r1i_value r1i_value_binomial(r1_answer_work *work, r1i_value n, r1i_value k) {
    if (!r1i_value_is_rational(&n) || !r1i_value_is_whole(&k)) return r1i_value_none();
    if (k.re.top.negative) return r1i_value_of(work, 0, 1);
    if (k.re.top.size > 1 || (k.re.top.size && k.re.top.limb[0] > 3000)) {
        r1i_answer_halt(work, R1I_STOP_SIZE);
        return n;
    }
    uint32_t many = k.re.top.size ? k.re.top.limb[0] : 0;
    if (r1i_ratio_is_whole(n.re)) return r1i_value_binomial_whole(work, n.re.top, many);
    r1i_whole top = r1i_whole_of(work, 1), bottom = top, factor = n.re.top;
    for (uint32_t j = 0; j < many && !work->stop; j++) {
        top = r1i_whole_mul(work, top, factor);
        factor = r1i_whole_sub(work, factor, n.re.bottom);
        bottom = r1i_whole_mul(work, bottom, r1i_whole_of(work, (int64_t)j + 1));
        bottom = r1i_whole_mul(work, bottom, n.re.bottom);
    }
    return r1i_value_ratio(work, r1i_ratio_make(work, top, bottom));
}
// Of fractions: gcd(a/b, c/d) = gcd(ad, cb) / bd, as SymPy has it.
// lcm(a, b) = |a b| / gcd(a, b), and 0 when one is 0; gcd(a, 0) = |a|. Only rational values
// have either.
static r1i_value r1i_value_gcd(r1_answer_work *work, r1i_value a, r1i_value b, bool lcm) {
    if (!r1i_value_is_rational(&a) || !r1i_value_is_rational(&b)) return r1i_value_none();
    if (r1i_value_is_zero(&a) || r1i_value_is_zero(&b)) {
        if (lcm) return r1i_value_of(work, 0, 1);
        return r1i_value_abs(work, r1i_value_is_zero(&a) ? b : a);
    }
    r1i_whole x = r1i_whole_mul(work, a.re.top, b.re.bottom);
    r1i_whole y = r1i_whole_mul(work, b.re.top, a.re.bottom);
    r1i_whole common = r1i_whole_mul(work, a.re.bottom, b.re.bottom);
    r1i_value gcd = r1i_value_ratio(work, r1i_ratio_make(work, r1i_whole_gcd(work, x, y), common));
    if (!lcm) return gcd;
    return r1i_value_abs(work, r1i_value_divide(work, r1i_value_mul(work, a, b), gcd));
}
// Functions that take several numbers from left to right.
// max and min need the sign of a difference to be sure or an exact zero. a mod b = a - floor(a
// / b) b, which has the sign of b. Only real values are taken.
static r1i_value r1i_value_fold(r1_answer_work *work, int id, r1i_value a, r1i_value b) {
    if (!r1i_value_is_real(&a) || !r1i_value_is_real(&b)) return r1i_value_none();
    if (id == R1I_CALL_GCD || id == R1I_CALL_LCM)
        return r1i_value_gcd(work, a, b, id == R1I_CALL_LCM);
    if (id == R1I_CALL_MOD) {
        r1i_value turns = r1i_value_floor(work, r1i_value_divide(work, a, b));
        return r1i_value_sub(work, a, r1i_value_mul(work, turns, b));
    }
    r1i_value gap = r1i_value_sub(work, a, b);
    int sign = r1i_value_sign(&gap);
    if (!sign && !r1i_value_is_zero(&gap)) return r1i_value_none();
    return (id == R1I_CALL_MAX) == (sign > 0) ? a : b;
}
// Functions of one value behind those of several.
// log(a, b) is log a / log b. Ranges of ids choose the family. A wrong number of arguments, or
// a function without a rule here, has no value, so the verdict is undecided.
static r1i_value r1i_value_function(r1_answer_work *work, const r1i_node *node) {
    r1i_value a = r1i_value_evaluate(work, node->item[0]);
    int id = node->id;
    if (id >= R1I_CALL_MAX && id <= R1I_CALL_MOD) {
        for (size_t i = 1; i < node->count && !work->stop; i++)
            a = r1i_value_fold(work, id, a, r1i_value_evaluate(work, node->item[i]));
        return a;
    }
    if (id == R1I_CALL_BINOMIAL && node->count == 2)
        return r1i_value_binomial(work, a, r1i_value_evaluate(work, node->item[1]));
    if (id == R1I_CALL_LOG && node->count == 2) {
        r1i_value base = r1i_value_log(work, r1i_value_evaluate(work, node->item[1]));
        return r1i_value_divide(work, r1i_value_log(work, a), base);
    }
    if (node->count != 1 || !a.kind || work->stop) return r1i_value_none();
    if (id <= R1I_CALL_CSC) return r1i_value_trigonometric(work, id, a);
    if (id <= R1I_CALL_ACSC) return r1i_value_inverse_function(work, id, a);
    if (id <= R1I_CALL_ATANH) return r1i_value_hyperbolic(work, id, a);
    switch (id) {
    case R1I_CALL_EXP:
        return r1i_value_exp(work, a);
    case R1I_CALL_LN:
        return r1i_value_log(work, a);
    case R1I_CALL_LOG:
        a = r1i_value_log(work, a);
        if (work->reading & R1I_READ_LOG) return a;
        return r1i_value_divide(work, a, r1i_value_log(work, r1i_value_of(work, 10, 1)));
    case R1I_CALL_SQRT:
        return r1i_value_sqrt(work, a);
    case R1I_CALL_CBRT:
        return r1i_value_power(work, a, r1i_value_of(work, 1, 3));
    case R1I_CALL_ABS:
        return r1i_value_abs(work, a);
    case R1I_CALL_FLOOR:
        return r1i_value_floor(work, a);
    case R1I_CALL_CEILING:
        return r1i_value_negate(r1i_value_floor(work, r1i_value_negate(a)));
    case R1I_CALL_FACTORIAL:
        return r1i_value_factorial(work, a);
    default:
        return r1i_value_none();
    }
}
// f(x) of an unknown f: a number that depends on the name and the arguments and on nothing else.
// Hashing needs exact arguments, because equal balls may have other limbs; with anything else
// the call has no value. So f(x+1) equals f(1+x) and differs from g(x+1) but for a chance of
// about 2^-20.
static r1i_value r1i_value_call(r1_answer_work *work, const r1i_node *node) {
    uint64_t hash = r1i_answer_hash(node->text);
    for (size_t i = 0; i < node->count && !work->stop; i++) {
        r1i_value a = r1i_value_evaluate(work, node->item[i]);
        if (a.kind != R1I_VALUE_EXACT) return r1i_value_none();
        const r1i_whole part[4] = {a.re.top, a.re.bottom, a.im.top, a.im.bottom};
        for (size_t k = 0; k < 4; k++) {
            r1_slice bytes = {(const char *)part[k].limb, part[k].size * sizeof(uint32_t)};
            hash = (hash ^ r1i_answer_hash(bytes)) * 0x9e3779b97f4a7c15u + part[k].negative;
        }
    }
    return r1i_value_of(work, 1 + (int64_t)(hash >> 44), 131071);
}
// Pi and e are computed to the precision of the moment; i is exact. Infinity and sets have no
// value here, and are compared as they are.
static r1i_value r1i_value_constant(r1_answer_work *work, int id) {
    switch (id) {
    case R1I_SIGN_PI:
        return r1i_value_pi(work);
    case R1I_SIGN_E:
        return r1i_value_exp(work, r1i_value_of(work, 1, 1));
    case R1I_SIGN_I:
        return r1i_value_exact(r1i_ratio_of(work, 0, 1), r1i_ratio_of(work, 1, 1));
    default:
        return r1i_value_none();
    }
}
// From left to right, until an item has no value.
static r1i_value r1i_value_many(r1_answer_work *work, const r1i_node *node) {
    r1i_value value = r1i_value_evaluate(work, node->item[0]);
    for (size_t i = 1; i < node->count && value.kind && !work->stop; i++) {
        r1i_value next = r1i_value_evaluate(work, node->item[i]);
        value = node->kind == R1I_NODE_SUM ? r1i_value_add(work, value, next)
                                           : r1i_value_mul(work, value, next);
    }
    return value;
}
// e^x goes straight to exp and does not take the logarithm of e first.
// Whole powers of e still go by squaring, as e is one ball.
static r1i_value r1i_value_power_node(r1_answer_work *work, const r1i_node *node) {
    const r1i_node *base = node->item[0];
    r1i_value exponent = r1i_value_evaluate(work, node->item[1]);
    bool natural = base->kind == R1I_NODE_CONSTANT && base->id == R1I_SIGN_E;
    if (natural && !r1i_value_is_whole(&exponent)) return r1i_value_exp(work, exponent);
    return r1i_value_power(work, r1i_value_evaluate(work, base), exponent);
}
static r1i_value r1i_value_determinant(r1_answer_work *work, const r1i_node *node);

// One node at the current point. Recursion is as deep as the tree, at most 60.
// Sets, lists, relations and infinity have no value. A word counts as a variable of its name. A
// degree is pi / 180. The second sign turns every plus-minus, and a flip turns what it holds
// once more.
static r1i_value r1i_value_evaluate_kind(r1_answer_work *work, const r1i_node *node) {
    r1i_value a;
    switch (node->kind) {
    case R1I_NODE_NUMBER:
    case R1I_NODE_BASE:
        return r1i_value_ratio(work, node->ratio);
    case R1I_NODE_NAME:
    case R1I_NODE_TEXT:
        return r1i_answer_point(work, node->text);
    case R1I_NODE_CONSTANT:
        return r1i_value_constant(work, node->id);
    case R1I_NODE_SUM:
    case R1I_NODE_PRODUCT:
        return r1i_value_many(work, node);
    case R1I_NODE_QUOTIENT:
    case R1I_NODE_PROPORTION:
        a = r1i_value_evaluate(work, node->item[0]);
        return r1i_value_divide(work, a, r1i_value_evaluate(work, node->item[1]));
    case R1I_NODE_POWER:
        return r1i_value_power_node(work, node);
    case R1I_NODE_NEGATE:
        return r1i_value_negate(r1i_value_evaluate(work, node->item[0]));
    case R1I_NODE_FUNCTION:
        return r1i_value_function(work, node);
    case R1I_NODE_CALL:
        return r1i_value_call(work, node);
    case R1I_NODE_PLUS_MINUS:
        a = r1i_value_evaluate(work, node->item[0]);
        return work->second_sign != (node->id != 0) ? r1i_value_negate(a) : a;
    case R1I_NODE_PERCENT:
        a = r1i_value_evaluate(work, node->item[0]);
        return r1i_value_mul(work, a, r1i_value_of(work, 1, 100));
    case R1I_NODE_DEGREE:
        a = r1i_value_mul(work, r1i_value_pi(work), r1i_value_of(work, 1, 180));
        return r1i_value_mul(work, r1i_value_evaluate(work, node->item[0]), a);
    case R1I_NODE_FLIP:
        work->second_sign = !work->second_sign;
        a = r1i_value_evaluate(work, node->item[0]);
        work->second_sign = !work->second_sign;
        return a;
    case R1I_NODE_UNIT:
        return r1i_value_evaluate(work, node->item[0]);
    case R1I_NODE_MATRIX:
        return r1i_value_determinant(work, node);
    default:
        return r1i_value_none();
    }
}
// Moves the numbers of a value down to where the space began that its computation used.
//
//     before   [ ... used | intermediate results | value | free ]
//     after    [ ... used | value | free ]
//
// The limbs are gathered behind everything first, since they may lie in any order in between.
static void r1i_value_settle(r1_answer_work *work, r1i_value *value, size_t used) {
    r1i_whole *part[] = {&value->re.top,    &value->re.bottom, &value->im.top,
                         &value->im.bottom, &value->x.middle,  &value->y.middle};
    size_t limbs = 0, at = 0;
    for (size_t i = 0; i < 6; i++) limbs += part[i]->size;
    uint32_t *copy = (uint32_t *)r1i_answer_space(work, (limbs + 1) * sizeof *copy);
    if (!copy) return;
    for (size_t i = 0; i < 6; i++) {
        if (part[i]->size) memcpy(copy + at, part[i]->limb, part[i]->size * sizeof *copy);
        at += part[i]->size;
    }
    uint32_t *place = (uint32_t *)(void *)(work->memory + used);
    memmove(place, copy, limbs * sizeof *copy);
    at = 0;
    for (size_t i = 0; i < 6; i++) part[i]->limb = place + at, at += part[i]->size;
    work->used = used + r1i_round_up((limbs + 1) * sizeof *copy, 8);
}
// Evaluates and then gives back the space of intermediate results.
// It takes one step for each node, so a tree that is too large ends by the budget. Small
// leftovers are not worth a copy; below 4 KiB they stay.
static r1i_value r1i_value_evaluate(r1_answer_work *work, const r1i_node *node) {
    if (!r1i_answer_step(work, 1)) return r1i_value_none();
    size_t used = work->used;
    r1i_value value = r1i_value_evaluate_kind(work, node);
    if (work->used - used > 4096 && !work->stop) r1i_value_settle(work, &value, used);
    return value;
}
// Of a matrix between bars, by elimination; other matrices have no value.
// Gauss: n^3 / 3 products of values. A pivot must surely not be zero; a column that is exactly
// zero makes the determinant 0, one that may be zero gives no value. A swap of rows turns the
// sign.
static r1i_value r1i_value_determinant(r1_answer_work *work, const r1i_node *node) {
    size_t n = node->rows;
    if (node->open != '|' || node->count != n * n) return r1i_value_none();
    r1i_value *m = (r1i_value *)r1i_answer_space(work, n * n * sizeof *m);
    if (!m) return r1i_value_none();
    for (size_t i = 0; i < n * n; i++) m[i] = r1i_value_evaluate(work, node->item[i]);
    r1i_value product = r1i_value_of(work, 1, 1);
    for (size_t c = 0; c < n && !work->stop; c++) {
        size_t pivot = c;
        while (pivot < n && !r1i_value_not_zero(&m[pivot * n + c])) pivot++;
        if (pivot == n) { // all of the column is zero, or not sure
            for (size_t r = c; r < n; r++)
                if (!r1i_value_is_zero(&m[r * n + c])) return r1i_value_none();
            return r1i_value_of(work, 0, 1);
        }
        for (size_t k = 0; pivot != c && k < n; k++) {
            r1i_value swap = m[pivot * n + k];
            m[pivot * n + k] = m[c * n + k], m[c * n + k] = swap;
        }
        if (pivot != c) product = r1i_value_negate(product);
        product = r1i_value_mul(work, product, m[c * n + c]);
        for (size_t r = c + 1; r < n; r++) {
            r1i_value factor = r1i_value_divide(work, m[r * n + c], m[c * n + c]);
            for (size_t k = c; k < n; k++)
                m[r * n + k] =
                    r1i_value_sub(work, m[r * n + k], r1i_value_mul(work, factor, m[c * n + k]));
        }
    }
    return product;
}

// ---- comparison ----
// The verdict of two trees, by what they are:
//
//     scalars without names    one value each: exact, or balls of 192 and then of 704 bits
//     scalars with names       values at up to eight good points
//     lists, sets, tuples      element by element, in order or not
//     sets of real numbers     membership at all bounds and in all gaps between them
//     relations                what they define, or where they hold
//
// "Different" needs a proof at one place; "undecided" is the answer whenever nothing is sure.
static r1_equality r1i_answer_compare(r1_answer_work *work, const r1i_node *a, const r1i_node *b);

// A verdict with its reason in words.
// The reason is a static text and stays valid as long as the program.
static r1_equality r1i_answer_say(r1_answer_work *work, r1_equality verdict, const char *reason) {
    work->reason = reason;
    return verdict;
}
// Whether a kind of node occurs anywhere.
// Of the node itself or below it, at any depth.
static bool r1i_node_holds(const r1i_node *node, int kind) {
    if (node->kind == kind) return true;
    for (size_t i = 0; i < node->count; i++)
        if (r1i_node_holds(node->item[i], kind)) return true;
    return false;
}
// Whether names stand for whole numbers only: under n!, binomials, remainders, (-1)^n.
// At fractions most such expressions have no value, and their comparison would be undecided.
static bool r1i_node_wants_wholes(const r1i_node *node) {
    if (node->kind == R1I_NODE_FUNCTION && node->id >= R1I_CALL_GCD &&
        node->id <= R1I_CALL_FACTORIAL && r1i_node_has_names(node))
        return true;
    if (node->kind == R1I_NODE_POWER && node->item[0]->kind == R1I_NODE_NEGATE &&
        r1i_node_has_names(node->item[1]))
        return true;
    for (size_t i = 0; i < node->count; i++)
        if (r1i_node_wants_wholes(node->item[i])) return true;
    return false;
}
// No variable, no unknown function and no word in it.
static bool r1i_node_is_constant(const r1i_node *node) {
    return !r1i_node_has_names(node) && !r1i_node_holds(node, R1I_NODE_TEXT);
}
// The decimal number that an expression is, with its places behind the point: 0.25, -1.5 * 10^3.
// places may be negative: 12.5 * 10^3 is exact to hundreds. A percent sign adds two places, a
// unit none. Exponents beyond ten bits are not looked at. *digits counts the significant ones;
// false when no point was written.
static bool r1i_node_decimal(const r1i_node *node, int64_t *places, uint32_t *digits) {
    if (node->kind == R1I_NODE_NUMBER && node->decimal) {
        *places = node->places, *digits = node->digits;
        return true;
    }
    if (node->kind == R1I_NODE_NEGATE || node->kind == R1I_NODE_UNIT ||
        node->kind == R1I_NODE_PERCENT) {
        bool found = r1i_node_decimal(node->item[0], places, digits);
        if (node->kind == R1I_NODE_PERCENT) *places += 2;
        return found;
    }
    if (node->kind != R1I_NODE_PRODUCT || node->count != 2) return false;
    const r1i_node *power = node->item[1];
    if (power->kind != R1I_NODE_POWER || !r1i_node_is_whole(power->item[0], 10)) return false;
    const r1i_node *exponent = power->item[1];
    bool minus = exponent->kind == R1I_NODE_NEGATE;
    if (minus) exponent = exponent->item[0];
    if (exponent->kind != R1I_NODE_NUMBER || !r1i_ratio_is_whole(exponent->ratio) ||
        r1i_whole_bits(exponent->ratio.top) > 10)
        return false;
    if (!r1i_node_decimal(node->item[0], places, digits)) return false;
    int64_t shift = (int64_t)r1i_whole_low(exponent->ratio.top);
    *places += minus ? shift : -shift;
    return true;
}
// |a - b| < 10^-places / half, surely; for half = 2 the bound itself counts.
// With half = 2 this is what rounding to that many places allows; the bound is stretched by a
// millionth so that it includes the half. With half = 1 it is what cutting off allows.
static bool r1i_answer_near(r1_answer_work *work, const r1i_node *a, const r1i_node *b,
                            int64_t places, int64_t half) {
    r1i_value gap = r1i_value_sub(work, r1i_value_evaluate(work, a), r1i_value_evaluate(work, b));
    if (!gap.kind || !r1i_value_is_real(&gap)) return false;
    r1i_value unit = r1i_value_of(work, 10, 1);
    r1i_whole power = r1i_whole_of(work, -places);
    unit = r1i_value_divide(work, r1i_value_power_whole(work, unit, power),
                            r1i_value_of(work, half, 1));
    if (half > 1) { // rounding to the nearest may land on the half itself
        r1i_value more = r1i_value_of(work, 1000001, 1000000);
        unit = r1i_value_mul(work, unit, more);
    }
    gap = r1i_value_sub(work, r1i_value_abs(work, gap), unit);
    return !work->stop && r1i_value_sign(&gap) < 0;
}
// |a| < |b|, surely.
// What was cut off is smaller than what it was cut from; a sign that is not sure counts as no.
static bool r1i_answer_smaller(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    r1i_value size = r1i_value_abs(work, r1i_value_evaluate(work, a));
    size = r1i_value_sub(work, size, r1i_value_abs(work, r1i_value_evaluate(work, b)));
    return r1i_value_sign(&size) < 0;
}
// Two numbers that differ: one may be the other to the digits given.
// 3.14 equals pi when three digits are wanted. The places of the coarser side count, and the
// digits it shows must be as many as asked for (desc->digits, 3 by default, R1_OFF: never).
// With fewer digits it is undecided, except that a longer decimal differs from an expected
// short one.
static r1_equality r1i_answer_decimals(r1_answer_work *work, const r1i_node *gold,
                                       const r1i_node *pred) {
    int64_t gold_places = 0, pred_places = 0;
    uint32_t gold_digits = 0, pred_digits = 0;
    uint32_t wanted = work->desc->digits > 0 ? (uint32_t)work->desc->digits : 3;
    bool gold_decimal = r1i_node_decimal(gold, &gold_places, &gold_digits);
    bool pred_decimal = r1i_node_decimal(pred, &pred_places, &pred_digits);
    bool both = gold_decimal && pred_decimal;
    const char *apart = "the numbers differ";
    if ((!gold_decimal && !pred_decimal) || work->desc->digits == R1_OFF)
        return r1i_answer_say(work, R1_DIFFERENT, apart);
    bool coarse_gold = gold_decimal && (!pred_decimal || gold_places < pred_places);
    int64_t places = coarse_gold ? gold_places : pred_places;
    uint32_t digits = coarse_gold ? gold_digits : pred_digits;
    if (digits > 12) places -= digits - 12; // the last digits of a double are noise
    bool near = r1i_answer_near(work, gold, pred, places, 2);
    if (!near && !both && r1i_answer_near(work, gold, pred, places, 1)) // cut, and not rounded
        near = r1i_answer_smaller(work, coarse_gold ? gold : pred, coarse_gold ? pred : gold);
    if (!near) return r1i_answer_say(work, R1_DIFFERENT, apart);
    if (digits >= wanted)
        return r1i_answer_say(work, R1_EQUAL, "equal to all digits of the shorter decimal");
    if (both && coarse_gold) return r1i_answer_say(work, R1_DIFFERENT, apart);
    return r1i_answer_say(work, R1_UNDECIDED, "equal only to the few digits given");
}
// Evaluates both at one point: 1 equal, -1 different, 0 not known. *exact: in rational numbers.
// The space of both values is given back, so a loop over points needs no more than one.
static int r1i_answer_at_point(r1_answer_work *work, const r1i_node *a, const r1i_node *b,
                               bool *exact) {
    size_t used = work->used;
    int same =
        r1i_value_same(work, r1i_value_evaluate(work, a), r1i_value_evaluate(work, b), exact);
    work->used = used;
    return work->stop ? 0 : same;
}
// A second look with more than three times the digits, for what seems equal but is not exact.
// What agrees at 192 bits by chance comes apart at 704. The precision is set back afterwards.
static int r1i_answer_again(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    bool exact;
    work->bits = R1I_ANSWER_BITS_AGAIN;
    int same = r1i_answer_at_point(work, a, b, &exact);
    work->bits = R1I_ANSWER_BITS;
    return same;
}
// Expressions without names have one value each.
// Different is a proof unless one is a decimal that rounds the other. Equal is exact for
// rational values; else the gap is below 2^-352 of the first number, or of 1 when that is
// larger.
static r1_equality r1i_answer_constants(r1_answer_work *work, const r1i_node *a,
                                        const r1i_node *b) {
    bool exact = false;
    int same = r1i_answer_at_point(work, a, b, &exact);
    if (same < 0) return r1i_answer_decimals(work, a, b);
    if (same && exact) return r1i_answer_say(work, R1_EQUAL, "equal as exact numbers");
    if (!work->stop) same = r1i_answer_again(work, a, b);
    if (same < 0) return r1i_answer_say(work, R1_DIFFERENT, "the numbers differ");
    if (same > 0) return r1i_answer_say(work, R1_EQUAL, "equal to more than 100 digits");
    return r1i_answer_say(work, R1_UNDECIDED, "a number could not be evaluated");
}
// Expressions with names: one point where they surely differ refutes, several where they agree
// accept. Positive points come first, since roots and logs mean positive variables.
// At rational points the chance that two polynomials of degree d agree eight times is (d /
// 2^20)^8. At most 16 points (40 whole ones) are tried, those where a side has no value are
// passed over, and fewer than three good ones are too few. Agreement on the positive points
// alone is undecided.
static r1_equality r1i_answer_functions(r1_answer_work *work, const r1i_node *a,
                                        const r1i_node *b) {
    int good = 0;
    bool all_exact = true, exact = false;
    work->whole_points = r1i_node_wants_wholes(a) || r1i_node_wants_wholes(b);
    int most = work->whole_points ? 5 * R1I_ANSWER_POINTS : 2 * R1I_ANSWER_POINTS;
    for (int s = 0; s < most && good < R1I_ANSWER_POINTS && !work->stop; s++) {
        work->sample = s;
        int same = r1i_answer_at_point(work, a, b, &exact);
        if (same < 0 && s >= R1I_ANSWER_POINTS / 2 && good >= 3 && !work->whole_points)
            return r1i_answer_say(work, R1_UNDECIDED,
                                  "equal where the variables are positive only");
        if (same < 0) return r1i_answer_say(work, R1_DIFFERENT, "different at a tested point");
        good += same > 0;
        if (same > 0) all_exact = all_exact && exact;
        if (same > 0 && !exact && good == 1) {
            int again = r1i_answer_again(work, a, b);
            if (again < 0) return r1i_answer_say(work, R1_DIFFERENT, "different at a tested point");
            good -= again == 0;
        }
    }
    work->sample = 0;
    if (work->stop || good < 3) {
        return r1i_answer_say(work, R1_UNDECIDED, "too few points where both are defined");
    }
    if (all_exact && !work->whole_points)
        return r1i_answer_say(work, R1_EQUAL, "equal at all tested rational points");
    return r1i_answer_say(work, R1_EQUAL,
                          work->whole_points ? "equal at all tested whole numbers"
                                             : "equal at all tested points to 50 digits");
}
// -1, 0, 1: minus infinity, no infinity, infinity.
// The sign is read off the notation: a negation turns it, percent and units do not matter.
static int r1i_node_infinite(const r1i_node *node) {
    if (node->kind == R1I_NODE_NEGATE) return -r1i_node_infinite(node->item[0]);
    if (node->kind == R1I_NODE_PERCENT || node->kind == R1I_NODE_UNIT)
        return r1i_node_infinite(node->item[0]);
    return node->kind == R1I_NODE_CONSTANT && node->id == R1I_SIGN_INFINITY;
}
// Infinity and named sets have no value to compute; all else is evaluated.
// Named sets and infinities are equal when they are the same one; a set is different from any
// number.
static r1_equality r1i_answer_scalars(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    int ia = r1i_node_infinite(a), ib = r1i_node_infinite(b);
    bool sets = (a->kind == R1I_NODE_CONSTANT && a->id >= R1I_SIGN_EMPTY) ||
                (b->kind == R1I_NODE_CONSTANT && b->id >= R1I_SIGN_EMPTY);
    if (sets) {
        bool same = a->kind == b->kind && a->id == b->id;
        return r1i_answer_say(work, same ? R1_EQUAL : R1_DIFFERENT, "named sets");
    }
    if (ia || ib) return r1i_answer_say(work, ia == ib ? R1_EQUAL : R1_DIFFERENT, "infinity");
    if (r1i_node_is_constant(a) && r1i_node_is_constant(b)) return r1i_answer_constants(work, a, b);
    return r1i_answer_functions(work, a, b);
}
// Lists of the same things in another order are equal, unless the order is asked for.
// Every item of a has its equal in b; `turned` says that a is the prediction, because decimals
// treat the sides differently. An item whose only candidates are undecided makes the whole
// undecided. At most |a| |b| comparisons, each of which takes steps.
static r1_equality r1i_answer_covers(r1_answer_work *work, const r1i_node *a, const r1i_node *b,
                                     bool turned) {
    r1_equality all = R1_EQUAL;
    for (size_t i = 0; i < a->count; i++) {
        r1_equality best = R1_DIFFERENT;
        for (size_t j = 0; j < b->count && best != R1_EQUAL; j++) {
            r1_equality one = turned ? r1i_answer_compare(work, b->item[j], a->item[i])
                                     : r1i_answer_compare(work, a->item[i], b->item[j]);
            if (one != R1_DIFFERENT) best = one;
            if (work->stop) return R1_UNDECIDED;
        }
        if (best == R1_DIFFERENT) return R1_DIFFERENT;
        if (best == R1_UNDECIDED) all = R1_UNDECIDED;
    }
    return all;
}
// Element by element; one difference decides.
// The numbers of elements must agree. An undecided element leaves the whole undecided unless a
// later one differs.
static r1_equality r1i_answer_in_order(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    if (a->count != b->count) return r1i_answer_say(work, R1_DIFFERENT, "other number of elements");
    r1_equality all = R1_EQUAL;
    for (size_t i = 0; i < a->count; i++) {
        r1_equality one = r1i_answer_compare(work, a->item[i], b->item[i]);
        if (one == R1_DIFFERENT) return r1i_answer_say(work, one, "an element differs");
        if (one == R1_UNDECIDED) all = R1_UNDECIDED;
    }
    if (all == R1_EQUAL) r1i_answer_say(work, all, "all elements are equal");
    return all;
}
// As sets: each has its equal on the other side, both ways round.
// Repeated elements count once, as in sets. A set is compared so with a list, even when lists
// are ordered.
static r1_equality r1i_answer_unordered(r1_answer_work *work, const r1i_node *a,
                                        const r1i_node *b) {
    bool lists = a->kind == R1I_NODE_LIST && b->kind == R1I_NODE_LIST;
    if (lists && work->desc->ordered) return r1i_answer_in_order(work, a, b);
    r1_equality there = r1i_answer_covers(work, a, b, false), back = there;
    if (there != R1_DIFFERENT) back = r1i_answer_covers(work, b, a, true);
    if (there == R1_DIFFERENT || back == R1_DIFFERENT)
        return r1i_answer_say(work, R1_DIFFERENT, "an element has no equal on the other side");
    if (there == R1_UNDECIDED || back == R1_UNDECIDED) return R1_UNDECIDED;
    return r1i_answer_say(work, R1_EQUAL, "the same elements");
}
// One expression with a plus-minus sign is two.
// Every element must be one of the two values and each value must occur. The scalars are
// evaluated under each sign in turn; the sign is always set back to plus.
static r1_equality r1i_answer_two_signs(r1_answer_work *work, const r1i_node *one,
                                        const r1i_node *list, bool turned) {
    bool hit[2] = {false, false}, unsure = false;
    for (size_t i = 0; i < list->count; i++) {
        bool found = false;
        for (int s = 0; s < 2; s++) {
            work->second_sign = s;
            r1_equality same = turned ? r1i_answer_scalars(work, list->item[i], one)
                                      : r1i_answer_scalars(work, one, list->item[i]);
            if (same == R1_EQUAL) hit[s] = found = true;
            if (same == R1_UNDECIDED) unsure = true;
        }
        work->second_sign = false;
        if (!found && !unsure)
            return r1i_answer_say(work, R1_DIFFERENT, "an element fits neither sign");
    }
    if (hit[0] && hit[1] && !unsure)
        return r1i_answer_say(work, R1_EQUAL, "both signs have their equal");
    return unsure ? R1_UNDECIDED : r1i_answer_say(work, R1_DIFFERENT, "one sign is missing");
}
// Two values against two, or against a list.
// Either the plus of both agree and the minus of both, or the plus of one with the minus of the
// other. Against a single number it is different, since one value is missing.
static r1_equality r1i_answer_plus_minus(r1_answer_work *work, const r1i_node *a,
                                         const r1i_node *b) {
    bool in_a = r1i_node_holds(a, R1I_NODE_PLUS_MINUS);
    bool in_b = r1i_node_holds(b, R1I_NODE_PLUS_MINUS);
    bool list_a = a->kind == R1I_NODE_LIST || a->kind == R1I_NODE_SET;
    bool list_b = b->kind == R1I_NODE_LIST || b->kind == R1I_NODE_SET;
    if (in_a && !in_b && list_b && !list_a) return r1i_answer_two_signs(work, a, b, false);
    if (in_b && !in_a && list_a && !list_b) return r1i_answer_two_signs(work, b, a, true);
    if (!(in_a && in_b)) return r1i_answer_say(work, R1_DIFFERENT, "two values against one");
    r1_equality plus = r1i_answer_scalars(work, a, b);
    work->second_sign = true;
    r1_equality minus = r1i_answer_scalars(work, a, b);
    work->second_sign = false;
    if (plus == R1_EQUAL && minus == R1_EQUAL) return plus;
    // The plus of one may be the minus of the other.
    r1i_node *inner = r1i_node_new(work, 0, 0);
    r1i_node *flip = r1i_node_of(work, R1I_NODE_FLIP, 0, inner, NULL);
    if (work->stop) return R1_UNDECIDED;
    *inner = *b;
    r1_equality crossed = r1i_answer_scalars(work, a, flip);
    work->second_sign = true;
    r1_equality back = r1i_answer_scalars(work, a, flip);
    work->second_sign = false;
    if (crossed == R1_EQUAL && back == R1_EQUAL) return crossed;
    if (plus == R1_UNDECIDED || minus == R1_UNDECIDED) return R1_UNDECIDED;
    return r1i_answer_say(work, R1_DIFFERENT, "the values with plus-minus differ");
}

// ---- sets of real numbers: where between their sorted bounds a number lies decides membership
// ----
//
//     place       0      1      2      3      4          count = 2
//             ---------- b0 ---------- b1 ----------> real line
//
// Odd places are the bounds, even ones the gaps around them. No set changes inside a gap, so
// 2 count + 1 places decide the equality of two sets of real numbers exactly.
enum { R1I_ANSWER_BOUNDS = 48 };
// Sorted and without duplicates. `unsure` says that two of them could not be told apart, that
// one had no real value, or that there were more than 48; then nothing is decided.
typedef struct r1i_bounds {
    r1i_value value[R1I_ANSWER_BOUNDS];
    size_t count;
    r1_slice name; // of the variable in inequalities, if any
    bool unsure;
} r1i_bounds;

// Links whose truth depends on the sign of left minus right only.
static bool r1i_token_is_order(int link) {
    return link == '<' || link == '>' || link == R1I_TOKEN_LESS_EQUAL ||
           link == R1I_TOKEN_GREATER_EQUAL || link == R1I_TOKEN_NOT_EQUAL || link == '=';
}
// Whether there is one variable at most; *name gets it.
// *name may hold one already, which then is the only one allowed. Unknown functions and words
// are not.
static bool r1i_node_only_name(const r1i_node *node, r1_slice *name) {
    if (node->kind == R1I_NODE_NAME) {
        if (name->size && !r1i_slice_same(*name, node->text)) return false;
        *name = node->text;
        return true;
    }
    if (node->kind == R1I_NODE_CALL || node->kind == R1I_NODE_TEXT) return false;
    for (size_t i = 0; i < node->count; i++)
        if (!r1i_node_only_name(node->item[i], name)) return false;
    return true;
}
// A number that may be meant as the set of itself.
// Constants of a scalar kind, but neither infinity nor a named set.
static bool r1i_node_is_single(const r1i_node *node) {
    return node->kind < R1I_NODE_TUPLE && r1i_node_is_constant(node) &&
           (node->kind != R1I_NODE_CONSTANT || node->id < R1I_SIGN_INFINITY);
}
// What has a meaning as a set of real numbers: intervals, finite sets, inequalities in one variable
// and whatever unions and the like make of them.
// *name collects the variable of all inequalities in it, which must be one and the same.
// Membership "x in A" counts by its set. A tuple counts as an interval when it has two constant
// ends.
static bool r1i_node_is_set(const r1i_node *node, r1_slice *name) {
    switch (node->kind) {
    case R1I_NODE_TUPLE:
        return node->count == 2 && r1i_node_is_constant(node) &&
               node->item[0]->kind < R1I_NODE_TUPLE && node->item[1]->kind < R1I_NODE_TUPLE;
    case R1I_NODE_SET:
        return r1i_node_is_constant(node);
    case R1I_NODE_CONSTANT:
        return node->id == R1I_SIGN_EMPTY || node->id == R1I_SIGN_REALS;
    case R1I_NODE_LIST:
    case R1I_NODE_SET_OPERATION:
        for (size_t i = 0; i < node->count; i++) {
            const r1i_node *part = node->item[i]; // {2} reads as a group, and means a set here
            bool single = node->kind == R1I_NODE_SET_OPERATION && r1i_node_is_single(part);
            if (!single && !r1i_node_is_set(part, name)) return false;
        }
        return true;
    case R1I_NODE_RELATION:
        break;
    default:
        return false;
    }
    for (size_t i = 0; i + 1 < node->count; i++) {
        bool in = node->links[i] == R1I_TOKEN_IN || node->links[i] == R1I_TOKEN_NOT_IN;
        if (in && (node->count != 2 || node->item[0]->kind != R1I_NODE_NAME)) return false;
        if (in)
            return r1i_node_is_set(node->item[1], name) && r1i_node_only_name(node->item[0], name);
        if (!r1i_token_is_order(node->links[i])) return false;
    }
    for (size_t i = 0; i < node->count; i++)
        if (node->item[i]->kind >= R1I_NODE_TUPLE) return false;
    return r1i_node_only_name(node, name) && name->size;
}
// Inserts a bound in order and returns its index; equal bounds share one.
// Linear, since 48 is the most. A bound that can be neither told from another nor called equal
// to it makes the set unsure; the index 0 is harmless then.
static size_t r1i_bounds_add(r1_answer_work *work, r1i_bounds *bounds, r1i_value value) {
    bool exact;
    if (!value.kind || !r1i_value_is_real(&value) || bounds->count == R1I_ANSWER_BOUNDS) {
        bounds->unsure = true;
        return 0;
    }
    size_t at = 0;
    for (; at < bounds->count; at++) {
        int same = r1i_value_same(work, bounds->value[at], value, &exact);
        if (same > 0) return at;
        r1i_value gap = r1i_value_sub(work, bounds->value[at], value);
        if (!same || !r1i_value_sign(&gap)) bounds->unsure = true;
        if (r1i_value_sign(&gap) > 0) break;
    }
    memmove(bounds->value + at + 1, bounds->value + at, (bounds->count - at) * sizeof value);
    bounds->value[at] = value;
    bounds->count++;
    return at;
}
// The zero of lhs - rhs, which must be linear; *slope gets the sign of its rise.
// The gap is evaluated at 0, 1 and 2; linear means that both rises are the same. The zero is
// -f(0) / rise. No value when it is flat or bent, which makes the set unsure.
static r1i_value r1i_answer_zero(r1_answer_work *work, const r1i_node *lhs, const r1i_node *rhs,
                                 r1_slice name, int *slope) {
    r1i_value f[3], point;
    work->fixed_name = name, work->fixed = &point;
    for (int i = 0; i < 3; i++) {
        point = r1i_value_of(work, i, 1);
        f[i] = r1i_value_sub(work, r1i_value_evaluate(work, lhs), r1i_value_evaluate(work, rhs));
    }
    work->fixed = NULL;
    r1i_value rise = r1i_value_sub(work, f[1], f[0]), next = r1i_value_sub(work, f[2], f[1]);
    bool exact;
    *slope = r1i_value_sign(&rise);
    if (!*slope || r1i_value_same(work, rise, next, &exact) <= 0) return r1i_value_none();
    return r1i_value_negate(r1i_value_divide(work, f[0], rise));
}
// All bounds that occur in a set.
// Ends of intervals, elements of finite sets and zeros of inequalities. Infinity is no bound.
static void r1i_bounds_collect(r1_answer_work *work, r1i_bounds *bounds, const r1i_node *node) {
    if (node->kind == R1I_NODE_RELATION && node->links[0] != R1I_TOKEN_IN &&
        node->links[0] != R1I_TOKEN_NOT_IN) {
        for (size_t i = 0; i + 1 < node->count; i++) {
            int slope;
            if (r1i_node_infinite(node->item[i]) || r1i_node_infinite(node->item[i + 1])) continue;
            r1i_bounds_add(
                work, bounds,
                r1i_answer_zero(work, node->item[i], node->item[i + 1], bounds->name, &slope));
        }
        return;
    }
    if (node->kind == R1I_NODE_TUPLE || node->kind == R1I_NODE_SET) {
        for (size_t i = 0; i < node->count; i++)
            if (!r1i_node_infinite(node->item[i]))
                r1i_bounds_add(work, bounds, r1i_value_evaluate(work, node->item[i]));
        return;
    }
    if (r1i_node_is_single(node)) {
        r1i_bounds_add(work, bounds, r1i_value_evaluate(work, node));
        return;
    }
    for (size_t i = node->kind == R1I_NODE_RELATION; i < node->count; i++)
        r1i_bounds_collect(work, bounds, node->item[i]);
}
// Twice the index of a bound, plus one; even places are the gaps before, between and behind.
// A bound that was collected is found again, so nothing is added. Minus infinity has the place
// of the first gap, infinity one behind all.
static size_t r1i_bounds_place(r1_answer_work *work, r1i_bounds *bounds, const r1i_node *node) {
    int infinite = r1i_node_infinite(node);
    if (infinite) return infinite < 0 ? 0 : 2 * bounds->count + 2;
    return 2 * r1i_bounds_add(work, bounds, r1i_value_evaluate(work, node)) + 1;
}
// One link of a chain of inequalities at a place: the sign of a linear gap changes at its zero.
// To the right of its zero a rising gap is positive and a falling one negative; at the zero it
// is 0.
static bool r1i_bounds_link(r1_answer_work *work, r1i_bounds *bounds, const r1i_node *node,
                            size_t i, size_t place) {
    int link = node->links[i], slope = 0;
    const r1i_node *lhs = node->item[i], *rhs = node->item[i + 1];
    size_t zero;
    int infinite = r1i_node_infinite(lhs) - r1i_node_infinite(rhs);
    if (infinite) { // no place is at infinity, so the sign of lhs - rhs is the same everywhere
        place = infinite > 0, zero = infinite < 0, slope = 1;
    } else {
        r1i_value root = r1i_answer_zero(work, lhs, rhs, bounds->name, &slope);
        zero = 2 * r1i_bounds_add(work, bounds, root) + 1;
    }
    int side = place == zero ? 0 : (place > zero) == (slope > 0) ? 1 : -1; // sign of lhs - rhs
    switch (link) {
    case '<':
        return side < 0;
    case '>':
        return side > 0;
    case R1I_TOKEN_LESS_EQUAL:
        return side <= 0;
    case R1I_TOKEN_GREATER_EQUAL:
        return side >= 0;
    case R1I_TOKEN_NOT_EQUAL:
        return side != 0;
    default:
        return side == 0;
    }
}
// Whether a place, a bound or a gap between bounds, belongs to a set.
// A list of conditions means all of them, one joined by "or" means any. Intervals compare
// places with the places of their ends. Recursion follows the tree of the set.
static bool r1i_bounds_member(r1_answer_work *work, r1i_bounds *bounds, const r1i_node *node,
                              size_t place) {
    bool inside = false;
    if (node->kind == R1I_NODE_CONSTANT && node->id >= R1I_SIGN_EMPTY)
        return node->id == R1I_SIGN_REALS;
    switch (node->kind) {
    case R1I_NODE_TUPLE: {
        size_t low = r1i_bounds_place(work, bounds, node->item[0]);
        size_t high = r1i_bounds_place(work, bounds, node->item[1]);
        if (low == 0 && place == 0) return high > 0;
        return (node->open == '[' ? place >= low : place > low) &&
               (node->close == ']' ? place <= high : place < high);
    }
    case R1I_NODE_SET:
        for (size_t i = 0; i < node->count; i++)
            inside |= place == r1i_bounds_place(work, bounds, node->item[i]);
        return inside;
    case R1I_NODE_LIST:
        inside = !node->id;
        for (size_t i = 0; i < node->count; i++) {
            bool one = r1i_bounds_member(work, bounds, node->item[i], place);
            inside = node->id ? inside || one : inside && one;
        }
        return inside;
    case R1I_NODE_SET_OPERATION: {
        bool a = r1i_bounds_member(work, bounds, node->item[0], place);
        bool b = r1i_bounds_member(work, bounds, node->item[1], place);
        return node->id == R1I_TOKEN_UNION       ? a || b
               : node->id == R1I_TOKEN_INTERSECT ? a && b
                                                 : a && !b;
    }
    case R1I_NODE_RELATION:
        if (node->links[0] == R1I_TOKEN_IN || node->links[0] == R1I_TOKEN_NOT_IN) {
            inside = r1i_bounds_member(work, bounds, node->item[1], place);
            return inside == (node->links[0] == R1I_TOKEN_IN);
        }
        for (size_t i = 0; i + 1 < node->count; i++)
            if (!r1i_bounds_link(work, bounds, node, i, place)) return false;
        return true;
    default:
        return r1i_node_is_single(node) && place == r1i_bounds_place(work, bounds, node);
    }
}
// Two sets are equal when they agree at every bound of both and in every gap between.
// If membership had to add a bound, the places have moved and the result is void: undecided.
// Both verdicts are exact when all bounds are.
static r1_equality r1i_answer_sets(r1_answer_work *work, const r1i_node *a, const r1i_node *b,
                                   r1_slice name) {
    r1i_bounds *bounds = (r1i_bounds *)r1i_answer_space(work, sizeof *bounds);
    if (!bounds) return R1_UNDECIDED;
    bounds->name = name;
    r1i_bounds_collect(work, bounds, a);
    r1i_bounds_collect(work, bounds, b);
    size_t places = 2 * bounds->count + 1;
    bool same = true;
    for (size_t place = 0; place < places && same && !bounds->unsure && !work->stop; place++) {
        size_t used = work->used;
        same =
            r1i_bounds_member(work, bounds, a, place) == r1i_bounds_member(work, bounds, b, place);
        work->used = used;
    }
    if (bounds->unsure || work->stop || 2 * bounds->count + 1 != places)
        return r1i_answer_say(work, R1_UNDECIDED, "the bounds of the sets could not be sorted");
    return r1i_answer_say(work, same ? R1_EQUAL : R1_DIFFERENT,
                          same ? "the same set of numbers" : "the sets of numbers differ");
}

// ---- relations ----
//
//     x = 3           subject x,    value 3         5 = y         turned: subject y, value 5
//     f(x) = x^2      subject f(x), value x^2       x = 1/3 ~ 0.33    value 1/3
// The thing that a relation such as x = 3 or f(x) = ... defines.
// NULL when it defines nothing. A name, a call, a word, a tuple or a product of names may be
// defined; on the right side only when the left one is a constant. *turned tells which side it
// is.
static const r1i_node *r1i_relation_subject(const r1i_node *node, bool *turned) {
    *turned = false;
    if (node->kind != R1I_NODE_RELATION) return NULL;
    for (size_t i = 0; i + 1 < node->count; i++)
        if (node->links[i] != '=' && node->links[i] != R1I_TOKEN_ABOUT &&
            node->links[i] != R1I_TOKEN_IN)
            return NULL;
    const r1i_node *last = node->item[node->count - 1];
    for (int side = 0; side < 2; side++) {
        const r1i_node *subject = side ? last : node->item[0];
        const r1i_node *value = side ? node->item[0] : last;
        if (side && (node->count > 2 || !r1i_node_is_constant(value))) return NULL;
        bool names = subject->kind == R1I_NODE_NAME || subject->kind == R1I_NODE_CALL ||
                     subject->kind == R1I_NODE_TEXT;
        bool several = subject->kind == R1I_NODE_PRODUCT || subject->kind == R1I_NODE_TUPLE;
        for (size_t i = 0; several && i < subject->count; i++)
            several = subject->item[i]->kind == R1I_NODE_NAME;
        if (several && subject->kind == R1I_NODE_PRODUCT) several = r1i_node_is_constant(value);
        *turned = side;
        if (names || several) return subject;
    }
    return NULL;
}
// The last side, but not one that only rounds the side before it.
// x = 1/3 ~ 0.33 has the value 1/3; a turned relation has it on the left.
static const r1i_node *r1i_relation_value(const r1i_node *node, bool turned) {
    if (turned) return node->item[0];
    size_t last = node->count - 1;
    while (last > 1 && node->links[last - 1] == R1I_TOKEN_ABOUT) last--;
    return node->item[last];
}
// Names must agree letter by letter, in the same order inside tuples; all calls count as the
// same.
static bool r1i_node_same_subject(const r1i_node *a, const r1i_node *b) {
    if (a->kind != b->kind || a->count != b->count) return false;
    if (a->kind == R1I_NODE_CALL) return true; // f(x) = ... and W(n) = ... only name their value
    if (!r1i_slice_same(a->text, b->text)) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!r1i_node_same_subject(a->item[i], b->item[i])) return false;
    return true;
}
// A subject that occurs on its own right side is not defined by it.
static bool r1i_node_mentions(const r1i_node *node, const r1i_node *name) {
    if (node->kind == R1I_NODE_NAME && r1i_slice_same(node->text, name->text)) return true;
    for (size_t i = 0; i < node->count; i++)
        if (r1i_node_mentions(node->item[i], name)) return true;
    return false;
}
// The first eight variables of an expression; more are left alone, as a test in eight
// directions is enough.
typedef struct r1i_names {
    r1_slice name[8];
    size_t count;
} r1i_names;
// Each name once, in the order of the text.
static void r1i_names_collect(const r1i_node *node, r1i_names *names) {
    if (node->kind == R1I_NODE_NAME) {
        for (size_t i = 0; i < names->count; i++)
            if (r1i_slice_same(names->name[i], node->text)) return;
        if (names->count < 8) names->name[names->count++] = node->text;
    }
    for (size_t i = 0; i < node->count; i++) r1i_names_collect(node->item[i], names);
}
// Left side minus right side.
// An equation holds where this is zero; both sides are evaluated at the current point.
static r1i_value r1i_relation_gap(r1_answer_work *work, const r1i_node *node) {
    r1i_value left = r1i_value_evaluate(work, node->item[0]);
    return r1i_value_sub(work, left, r1i_value_evaluate(work, node->item[1]));
}
// 1: both sides' gaps have one ratio at all points; its sign in *sign.
// Ratios are compared crosswise, ga fb = gb fa, which needs no division. True when at least
// four points agree with the first before one does not; points where a gap is zero or has no
// value tell nothing.
static bool r1i_relation_proportional(r1_answer_work *work, const r1i_node *a, const r1i_node *b,
                                      int *sign) {
    r1i_value fa = r1i_value_none(), fb = fa;
    int good = 0;
    for (int s = 0; s < R1I_ANSWER_POINTS && !work->stop; s++) {
        work->sample = s;
        r1i_value ga = r1i_relation_gap(work, a), gb = r1i_relation_gap(work, b);
        bool exact;
        if (!r1i_value_not_zero(&ga) || !r1i_value_not_zero(&gb)) continue;
        if (!fa.kind) {
            fa = ga, fb = gb;
            r1i_value ratio = r1i_value_divide(work, fa, fb);
            *sign = r1i_value_sign(&ratio);
            continue;
        }
        if (r1i_value_same(work, r1i_value_mul(work, ga, fb), r1i_value_mul(work, gb, fa),
                           &exact) <= 0) {
            good = 0; // one point that is no multiple, or may be none, ends it
            break;
        }
        good++;
    }
    work->sample = 0;
    return good >= 4;
}
// A zero of a's gap in one name, the others at the current point, up to degree two.
// The polynomial is found from its values at 0 to 3, where the second differences must be
// exactly equal. Linear ones have one root (second gives none), quadratic ones -b +- sqrt(b^2 -
// 4ac) over 2a, complex or not.
static r1i_value r1i_relation_root(r1_answer_work *work, const r1i_node *a, r1_slice name,
                                   bool second) {
    r1i_value f[4], point, two = r1i_value_of(work, 2, 1);
    work->fixed_name = name, work->fixed = &point;
    for (int i = 0; i < 4; i++) point = r1i_value_of(work, i, 1), f[i] = r1i_relation_gap(work, a);
    work->fixed = NULL;
    r1i_value d0 = r1i_value_sub(work, f[1], f[0]), d1 = r1i_value_sub(work, f[2], f[1]);
    r1i_value d2 = r1i_value_sub(work, f[3], f[2]);
    r1i_value bend = r1i_value_sub(work, d1, d0), more = r1i_value_sub(work, d2, d1);
    bool exact;
    if (r1i_value_same(work, bend, more, &exact) <= 0 || !exact) return r1i_value_none();
    // f = f0 + d0 t + bend t (t-1) / 2
    r1i_value square = r1i_value_divide(work, bend, two);
    r1i_value linear = r1i_value_sub(work, d0, square);
    if (r1i_value_is_zero(&square))
        return second ? r1i_value_none() : r1i_value_negate(r1i_value_divide(work, f[0], linear));
    r1i_value inner = r1i_value_mul(work, r1i_value_mul(work, two, bend), f[0]);
    inner = r1i_value_sqrt(work, r1i_value_sub(work, r1i_value_mul(work, linear, linear), inner));
    r1i_value top = second ? r1i_value_sub(work, inner, linear)
                           : r1i_value_negate(r1i_value_add(work, inner, linear));
    return r1i_value_divide(work, top, bend);
}
// Looks for a point that solves a and surely not b: 1 found, 0 not, -1 nothing could be tested.
// Each variable in turn is solved for at four points of the others, the first and the second
// root by turns. "0 not" needs two tests at least, so that one lucky point does not prove an
// equality. At most 32 roots.
static int r1i_relation_refuted(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    r1i_names names = {{{NULL, 0}}, 0};
    r1i_names_collect(a, &names);
    int tested = 0;
    for (size_t n = 0; n < names.count; n++)
        for (int s = 0; s < 4 && !work->stop; s++) {
            work->sample = s;
            size_t used = work->used;
            r1i_value root = r1i_relation_root(work, a, names.name[n], s % 2), gap;
            if (root.kind) {
                work->fixed_name = names.name[n], work->fixed = &root;
                gap = r1i_relation_gap(work, b);
                work->fixed = NULL;
                tested += gap.kind != R1I_VALUE_NONE;
                bool far = r1i_value_not_zero(&gap);
                work->used = used, work->sample = 0;
                if (far) return 1;
            }
            work->used = used;
        }
    work->sample = 0;
    return tested >= 2 ? 0 : -1;
}
// Equations are equal when their solutions are; multiples are the simple case.
// Multiples are tested first because they need no solving. A root of one that surely misses the
// other refutes; agreement at all roots both ways accepts, else undecided.
static r1_equality r1i_answer_equations(r1_answer_work *work, const r1i_node *a,
                                        const r1i_node *b) {
    int sign = 0;
    if (r1i_relation_proportional(work, a, b, &sign))
        return r1i_answer_say(work, R1_EQUAL, "the equations are multiples of each other");
    int there = r1i_relation_refuted(work, a, b), back = r1i_relation_refuted(work, b, a);
    if (there > 0 || back > 0)
        return r1i_answer_say(work, R1_DIFFERENT, "a point solves only one of the equations");
    if (there == 0 && back == 0)
        return r1i_answer_say(work, R1_EQUAL, "the tested solutions solve both equations");
    return r1i_answer_say(work, R1_UNDECIDED, "the equations could not be compared");
}
// The truth of a chain of inequalities at the current point; -1: not known.
// Every link must be sure, a sign or an exact zero, and real; the first that fails makes the
// chain false.
static int r1i_relation_truth(r1_answer_work *work, const r1i_node *node) {
    for (size_t i = 0; i + 1 < node->count; i++) {
        r1i_value left = r1i_value_evaluate(work, node->item[i]);
        r1i_value gap = r1i_value_sub(work, left, r1i_value_evaluate(work, node->item[i + 1]));
        int sign = r1i_value_sign(&gap), link = node->links[i];
        if (!r1i_value_is_real(&gap) || (!sign && !r1i_value_is_zero(&gap))) return -1;
        bool holds = link == '<'                       ? sign < 0
                     : link == '>'                     ? sign > 0
                     : link == R1I_TOKEN_LESS_EQUAL    ? sign <= 0
                     : link == R1I_TOKEN_GREATER_EQUAL ? sign >= 0
                     : link == R1I_TOKEN_NOT_EQUAL     ? sign != 0
                                                       : sign == 0;
        if (!holds) return 0;
    }
    return 1;
}
// -1 for less, 1 for greater; *strict when equality is excluded.
static int r1i_relation_direction(int link, bool *strict) {
    *strict = link == '<' || link == '>';
    return link == '<' || link == R1I_TOKEN_LESS_EQUAL ? -1 : 1;
}
// One point that fulfils only one of them refutes.
// 32 points are tried. Without a witness only multiples of each other are decided: then the
// factor's sign and the directions must fit, and strictness must agree. No number of agreeing
// points accepts by itself.
static r1_equality r1i_answer_inequalities(r1_answer_work *work, const r1i_node *a,
                                           const r1i_node *b) {
    for (int s = 0; s < 4 * R1I_ANSWER_POINTS && !work->stop; s++) {
        size_t used = work->used;
        work->sample = s;
        int ta = r1i_relation_truth(work, a), tb = r1i_relation_truth(work, b);
        work->used = used;
        if (ta < 0 || tb < 0 || ta == tb) continue;
        work->sample = 0;
        return r1i_answer_say(work, R1_DIFFERENT, "a tested point fulfils only one of them");
    }
    work->sample = 0;
    int sign = 0;
    bool strict_a, strict_b, plain = a->count == 2 && b->count == 2;
    if (plain && r1i_relation_proportional(work, a, b, &sign)) {
        int da = r1i_relation_direction(a->links[0], &strict_a);
        int db = r1i_relation_direction(b->links[0], &strict_b);
        bool same = strict_a == strict_b && da * db * sign > 0;
        return r1i_answer_say(work, same ? R1_EQUAL : R1_DIFFERENT, "multiples of each other");
    }
    return r1i_answer_say(work, R1_UNDECIDED, "the inequalities could not be compared");
}
// The same subject compares values; then equations, sets and inequalities in that order.
// A difference of the values refutes for calls, and for a name that occurs in neither value.
// Anything that is not an order relation and not one of these is undecided.
static r1_equality r1i_answer_relations(r1_answer_work *work, const r1i_node *a,
                                        const r1i_node *b) {
    bool turned_a, turned_b;
    const r1i_node *sa = r1i_relation_subject(a, &turned_a),
                   *sb = r1i_relation_subject(b, &turned_b);
    if (sa && sb && r1i_node_same_subject(sa, sb)) {
        r1_equality same = r1i_answer_compare(work, r1i_relation_value(a, turned_a),
                                              r1i_relation_value(b, turned_b));
        if (same != R1_DIFFERENT || sa->kind == R1I_NODE_CALL) return same;
        if (sa->kind == R1I_NODE_NAME && !r1i_node_mentions(r1i_relation_value(a, turned_a), sa) &&
            !r1i_node_mentions(r1i_relation_value(b, turned_b), sa))
            return same; // both define the same thing
    }
    bool equations = a->count == 2 && b->count == 2 && a->links[0] == '=' && b->links[0] == '=';
    if (equations) return r1i_answer_equations(work, a, b);
    r1_slice name = {NULL, 0};
    if (r1i_node_is_set(a, &name) && r1i_node_is_set(b, &name)) {
        r1_equality same = r1i_answer_sets(work, a, b, name);
        if (same != R1_UNDECIDED) return same;
    }
    for (size_t i = 0; i + 1 < a->count; i++)
        if (!r1i_token_is_order(a->links[i])) return R1_UNDECIDED;
    for (size_t i = 0; i + 1 < b->count; i++)
        if (!r1i_token_is_order(b->links[i])) return R1_UNDECIDED;
    return r1i_answer_inequalities(work, a, b);
}
// A relation against something else.
// "x = 5" against "5" compares the values. `turned` keeps the expected answer on the left of
// every comparison. A set against an inequality is a comparison of sets.
static r1_equality r1i_answer_relation(r1_answer_work *work, const r1i_node *relation,
                                       const r1i_node *other, bool turned) {
    bool back;
    const r1i_node *subject = r1i_relation_subject(relation, &back);
    const r1i_node *value = subject ? r1i_relation_value(relation, back) : NULL;
    if (!value && relation->count == 2 && relation->links[0] == R1I_TOKEN_ABOUT)
        value = relation->item[0];
    if (!value && r1i_node_is_constant(relation) && relation->links[0] == '=')
        value = relation->item[relation->count - 1];
    if (value)
        return turned ? r1i_answer_compare(work, other, value)
                      : r1i_answer_compare(work, value, other);
    r1_slice name = {NULL, 0};
    if (r1i_node_is_set(relation, &name) && r1i_node_is_set(other, &name))
        return r1i_answer_sets(work, relation, other, name);
    return r1i_answer_say(work, R1_DIFFERENT, "one is a relation, the other is not");
}

// ---- units ----
// Each unit is top / bottom of the first unit of its dimension's scale (meter, gram, second,
// dollar, liter), so that a factor between two of them is an exact fraction.
static const struct {
    const char *name;
    uint8_t dimension; // 1 length, 2 mass, 3 time, 4 money, 5 volume
    uint32_t top, bottom;
} r1i_units[] = {{"mm", 1, 1, 1000},         {"cm", 1, 1, 100},        {"m", 1, 1, 1},
                 {"km", 1, 1000, 1},         {"in", 1, 254, 10000},    {"ft", 1, 3048, 10000},
                 {"mile", 1, 1609344, 1000}, {"meter", 1, 1, 1},       {"centimeter", 1, 1, 100},
                 {"kilometer", 1, 1000, 1},  {"inch", 1, 254, 10000},  {"inche", 1, 254, 10000},
                 {"foot", 1, 3048, 10000},   {"feet", 1, 3048, 10000}, {"yard", 1, 9144, 10000},
                 {"gram", 2, 1, 1},          {"g", 2, 1, 1},           {"mg", 2, 1, 1000},
                 {"kg", 2, 1000, 1},         {"kilogram", 2, 1000, 1}, {"", 3, 1, 1},
                 {"sec", 3, 1, 1},           {"second", 3, 1, 1},      {"min", 3, 60, 1},
                 {"minute", 3, 60, 1},       {"hour", 3, 3600, 1},     {"hr", 3, 3600, 1},
                 {"day", 3, 86400, 1},       {"cent", 4, 1, 100},      {"dollar", 4, 1, 1},
                 {"liter", 5, 1, 1},         {"ml", 5, 1, 1000},       {"milliliter", 5, 1, 1000}};

// Lower case, letters, digits and slashes only, no plural s.
// A copy in the work area, at most as long as the text. Commands disappear; bytes of other
// scripts stay.
static r1_slice r1i_unit_name(r1_answer_work *work, r1_slice text) {
    char *name = (char *)r1i_answer_space(work, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; name && i < text.size; i++) {
        char c = r1i_lower(text.data[i]);
        if (text.data[i] == '\\')
            while (i + 1 < text.size && r1i_is_letter(text.data[i + 1])) i++;
        else if ((c >= 'a' && c <= 'z') || r1i_is_digit(c) || c == '/' || (unsigned char)c >= 0x80)
            name[size++] = c;
    }
    if (size > 1 && name[size - 1] == 's') size--;
    return (r1_slice){name, size};
}
// Different units of one kind are converted.
// The factor is (top_a bottom_b) / (bottom_a top_b), and a times it is compared with b. Unknown
// units that are written differently leave equal numbers undecided and other numbers different.
static r1_equality r1i_answer_units(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    r1_slice na = r1i_unit_name(work, a->text), nb = r1i_unit_name(work, b->text);
    r1_equality same = r1i_answer_compare(work, a->item[0], b->item[0]);
    if (r1i_slice_same(na, nb)) return same;
    size_t count = sizeof r1i_units / sizeof *r1i_units, ua = count, ub = count;
    for (size_t i = 0; i < count; i++) {
        if (r1i_answer_is(na, r1i_units[i].name)) ua = i;
        if (r1i_answer_is(nb, r1i_units[i].name)) ub = i;
    }
    if (ua == count || ub == count)
        return same == R1_DIFFERENT ? same : r1i_answer_say(work, R1_UNDECIDED, "the units differ");
    if (r1i_units[ua].dimension != r1i_units[ub].dimension)
        return r1i_answer_say(work, R1_DIFFERENT, "units of other kinds");
    int64_t top = (int64_t)r1i_units[ua].top * r1i_units[ub].bottom;
    int64_t bottom = (int64_t)r1i_units[ua].bottom * r1i_units[ub].top;
    r1i_node *factor = r1i_node_new(work, R1I_NODE_NUMBER, 0);
    if (work->stop) return R1_UNDECIDED;
    factor->ratio = r1i_ratio_of(work, top, bottom);
    factor = r1i_node_of(work, R1I_NODE_PRODUCT, 0, a->item[0], factor);
    return work->stop ? R1_UNDECIDED : r1i_answer_compare(work, factor, b->item[0]);
}

// ---- matrices ----
// Carries out sums, multiples and products of matrices; NULL when the expression is no matrix.
// The result is a tree whose entries are sums and products of the entries, so that they compare
// like any expression. At most eight factors, which bounds its height. Bars make a determinant,
// which is a scalar and not a matrix.
static const r1i_node *r1i_node_matrix(r1_answer_work *work, const r1i_node *node) {
    if (work->stop) return NULL;
    if (node->kind == R1I_NODE_MATRIX) return node->open == '|' ? NULL : node;
    if (node->kind != R1I_NODE_SUM && node->kind != R1I_NODE_PRODUCT &&
        node->kind != R1I_NODE_NEGATE)
        return NULL;
    const r1i_node *total = NULL;
    r1i_node *factor = NULL;
    if (node->kind == R1I_NODE_NEGATE)
        factor = r1i_node_of(work, R1I_NODE_NEGATE, 0, r1i_node_whole(work, 1), NULL);
    for (size_t i = 0; i < node->count && !work->stop; i++) {
        const r1i_node *next = r1i_node_matrix(work, node->item[i]);
        if (!next && node->kind == R1I_NODE_SUM) return NULL;
        if (!next) {
            factor = factor ? r1i_node_of(work, R1I_NODE_PRODUCT, 0, factor, node->item[i])
                            : node->item[i];
            continue;
        }
        if (!total) {
            total = next;
            continue;
        }
        if (i >= 8) return NULL; // the entries of a long product would be deep trees
        size_t columns = next->count / next->rows, inner = total->count / total->rows;
        bool sum = node->kind == R1I_NODE_SUM;
        if (sum ? next->count != total->count || next->rows != total->rows : inner != next->rows)
            return NULL;
        r1i_node *result = r1i_node_new(work, R1I_NODE_MATRIX, total->rows * columns);
        if (work->stop) return NULL;
        result->rows = total->rows, result->open = '[';
        for (size_t k = 0; k < result->count; k++) {
            if (sum) {
                result->item[k] = r1i_node_of(work, R1I_NODE_SUM, 0, total->item[k], next->item[k]);
                continue;
            }
            r1i_node *dot = r1i_node_new(work, R1I_NODE_SUM, inner);
            for (size_t m = 0; m < inner && !work->stop; m++)
                dot->item[m] =
                    r1i_node_of(work, R1I_NODE_PRODUCT, 0, total->item[k / columns * inner + m],
                                next->item[m * columns + k % columns]);
            result->item[k] = dot;
        }
        total = result;
    }
    if (!total || !factor || work->stop) return work->stop ? NULL : total;
    r1i_node *scaled = r1i_node_new(work, R1I_NODE_MATRIX, total->count);
    if (work->stop) return NULL;
    scaled->rows = total->rows, scaled->open = '[';
    for (size_t k = 0; k < total->count; k++)
        scaled->item[k] = r1i_node_of(work, R1I_NODE_PRODUCT, 0, factor, total->item[k]);
    return work->stop ? NULL : scaled;
}
// Shapes must agree, but a tuple may stand for a row or a column.
// Then the entries are compared one by one, row by row.
static r1_equality r1i_answer_matrices(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    bool vector_a = a->kind != R1I_NODE_MATRIX || a->rows == 1 || a->rows == a->count;
    bool vector_b = b->kind != R1I_NODE_MATRIX || b->rows == 1 || b->rows == b->count;
    bool both = a->kind == R1I_NODE_MATRIX && b->kind == R1I_NODE_MATRIX;
    if (a->count != b->count || (both ? a->rows != b->rows : !vector_a || !vector_b))
        return r1i_answer_say(work, R1_DIFFERENT, "other numbers of rows or columns");
    return r1i_answer_in_order(work, a, b);
}

// ---- one against the other ----
// Two elements may be the ends of an interval, so their brackets matter; with more elements any
// bracket is as good as another.
static r1_equality r1i_answer_tuples(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    r1_equality same = r1i_answer_in_order(work, a, b);
    bool brackets = a->count != 2 || (a->open == b->open && a->close == b->close);
    if (same == R1_EQUAL && !brackets)
        return r1i_answer_say(work, R1_DIFFERENT, "the ends of the intervals differ");
    return same;
}
// 1:2 is 2:4, but 12:30 may be a time of the day.
// Side by side first; then as quotients, unless both right sides have two digits and may be
// minutes.
static r1_equality r1i_answer_proportions(r1_answer_work *work, const r1i_node *a,
                                          const r1i_node *b) {
    r1_equality same = r1i_answer_in_order(work, a, b);
    if (same != R1_DIFFERENT) return same;
    const r1_slice ta = a->item[1]->text, tb = b->item[1]->text;
    bool clock =
        ta.size == 2 && tb.size == 2 && r1i_is_digit(ta.data[0]) && r1i_is_digit(tb.data[0]);
    if (clock) return r1i_answer_say(work, R1_DIFFERENT, "times of the day differ");
    return r1i_answer_scalars(work, a, b);
}
// Wrappers that one side may have and the other not: units, percent, degrees.
// False when there is no wrapper. A percent or degree sign on one side only counts first with
// its meaning and then not at all, since "25%" may be asked for as "25". Units convert only
// when both sides have one.
static bool r1i_answer_unwrap(r1_answer_work *work, const r1i_node *a, const r1i_node *b,
                              r1_equality *verdict) {
    static const uint8_t kinds[] = {R1I_NODE_UNIT, R1I_NODE_PERCENT, R1I_NODE_DEGREE};
    for (size_t i = 0; i < sizeof kinds; i++) {
        bool in_a = a->kind == kinds[i], in_b = b->kind == kinds[i];
        if (!in_a && !in_b) continue;
        if (in_a && in_b && kinds[i] == R1I_NODE_UNIT) {
            *verdict = r1i_answer_units(work, a, b);
            return true;
        }
        if (in_a != in_b && kinds[i] != R1I_NODE_UNIT) {
            *verdict = r1i_answer_scalars(work, a, b); // 25% and 0.25, 90 degrees and pi/2
            if (*verdict == R1_EQUAL) return true;
        }
        *verdict = r1i_answer_compare(work, in_a ? a->item[0] : a, in_b ? b->item[0] : b);
        return true;
    }
    return false;
}
// A list or a finite set.
static bool r1i_node_is_many(const r1i_node *node) {
    return node->kind == R1I_NODE_LIST || node->kind == R1I_NODE_SET;
}
// The same digits with and without a base: the question may have asked for that base.
// Two numbers in bases are compared by value, so 11_2 equals 3_10. Against a plain number the
// value counts first; the same digits alone are undecided.
static r1_equality r1i_answer_bases(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    if (a->kind == b->kind) {
        bool same = r1i_ratio_same(a->ratio, b->ratio);
        return r1i_answer_say(work, same ? R1_EQUAL : R1_DIFFERENT, "numbers in a base");
    }
    if (r1i_answer_scalars(work, a, b) == R1_EQUAL) return R1_EQUAL;
    const r1i_node *other = a->kind == R1I_NODE_BASE ? b : a;
    const r1i_node *base = a->kind == R1I_NODE_BASE ? a : b;
    if (other->kind == R1I_NODE_NUMBER && r1i_slice_same(other->text, base->text))
        return r1i_answer_say(work, R1_UNDECIDED, "the same digits, but only one names the base");
    return r1i_answer_say(work, R1_DIFFERENT, "the numbers differ");
}
// Equal as written, whatever it means.
// Kind, id, shape, numbers and names, all the way down; an early and cheap yes that also covers
// what has no value, such as sets without numbers.
static bool r1i_node_identical(const r1i_node *a, const r1i_node *b) {
    if (a->kind != b->kind || a->id != b->id || a->count != b->count || a->open != b->open ||
        a->close != b->close || a->rows != b->rows)
        return false;
    if (a->kind == R1I_NODE_NUMBER || a->kind == R1I_NODE_BASE)
        return r1i_ratio_same(a->ratio, b->ratio);
    if (!a->links != !b->links || (a->links && memcmp(a->links, b->links, a->count - 1)))
        return false;
    bool named = a->kind != R1I_NODE_CONSTANT && a->kind != R1I_NODE_SET_OPERATION;
    if (named && !r1i_slice_same(a->text, b->text)) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!r1i_node_identical(a->item[i], b->item[i])) return false;
    return true;
}
// The order of these rules matters: relations, wrappers, matrices, signs, lists, sets, numbers.
// Each rule takes its pairs away from those below it. What reaches the end is a scalar on both
// sides. Two matrices are multiplied out before they are compared.
static r1_equality r1i_answer_compare_kinds(r1_answer_work *work, const r1i_node *a,
                                            const r1i_node *b) {
    r1_equality verdict = R1_UNDECIDED;
    if (r1i_node_identical(a, b)) return r1i_answer_say(work, R1_EQUAL, "the same expression");
    bool relation_a = a->kind == R1I_NODE_RELATION, relation_b = b->kind == R1I_NODE_RELATION;
    if (relation_a && relation_b) return r1i_answer_relations(work, a, b);
    if (relation_a) return r1i_answer_relation(work, a, b, false);
    if (relation_b) return r1i_answer_relation(work, b, a, true);
    if (r1i_answer_unwrap(work, a, b, &verdict)) return verdict;
    bool single_a = a->kind == R1I_NODE_SET && a->count == 1 && !r1i_node_is_many(b);
    bool single_b = b->kind == R1I_NODE_SET && b->count == 1 && !r1i_node_is_many(a);
    if (single_a && b->kind != R1I_NODE_SET_OPERATION)
        return r1i_answer_compare(work, a->item[0], b);
    if (single_b && a->kind != R1I_NODE_SET_OPERATION)
        return r1i_answer_compare(work, a, b->item[0]);
    if (a->kind == R1I_NODE_BASE || b->kind == R1I_NODE_BASE) return r1i_answer_bases(work, a, b);
    if (a->kind == R1I_NODE_PROPORTION && b->kind == a->kind)
        return r1i_answer_proportions(work, a, b);
    const r1i_node *ma = r1i_node_matrix(work, a);
    const r1i_node *mb = r1i_node_matrix(work, b);
    bool tuple_a = a->kind == R1I_NODE_TUPLE, tuple_b = b->kind == R1I_NODE_TUPLE;
    if ((ma || tuple_a) && (mb || tuple_b) && (ma || mb))
        return r1i_answer_matrices(work, ma ? ma : a, mb ? mb : b);
    if (ma || mb) return r1i_answer_say(work, R1_DIFFERENT, "one is a matrix, the other is not");
    bool signs = r1i_node_holds(a, R1I_NODE_PLUS_MINUS) || r1i_node_holds(b, R1I_NODE_PLUS_MINUS);
    bool many_a = r1i_node_is_many(a), many_b = r1i_node_is_many(b);
    if (signs && !(many_a && many_b)) return r1i_answer_plus_minus(work, a, b);
    if (tuple_a && tuple_b) return r1i_answer_tuples(work, a, b);
    if ((tuple_a && b->kind == R1I_NODE_LIST) || (tuple_b && a->kind == R1I_NODE_LIST))
        return r1i_answer_in_order(work, a, b);
    if (many_a && many_b) return r1i_answer_unordered(work, a, b);
    r1_slice name = {NULL, 0};
    if (r1i_node_is_set(a, &name) && r1i_node_is_set(b, &name))
        return r1i_answer_sets(work, a, b, name);
    if (many_a != many_b && !tuple_a && !tuple_b) { // 5 and 5 is 5
        const r1i_node *many = many_a ? a : b;
        verdict = R1_EQUAL;
        for (size_t i = 0; i < many->count && verdict == R1_EQUAL; i++)
            verdict = many_a ? r1i_answer_compare(work, a->item[i], b)
                             : r1i_answer_compare(work, a, b->item[i]);
        if (verdict != R1_DIFFERENT) return verdict;
    }
    if (many_a || many_b || tuple_a || tuple_b)
        return r1i_answer_say(work, R1_DIFFERENT, "other numbers of elements");
    bool set_a = a->kind == R1I_NODE_SET_OPERATION, set_b = b->kind == R1I_NODE_SET_OPERATION;
    const r1i_node *other = set_a ? b : a;
    if (set_a != set_b && other->kind < R1I_NODE_TUPLE && r1i_node_is_constant(other))
        return r1i_answer_say(work, R1_DIFFERENT, "a set against a number");
    if (set_a || set_b)
        return r1i_answer_say(work, R1_UNDECIDED, "these sets could not be compared");
    return r1i_answer_scalars(work, a, b);
}
// Compares two expressions; the space of the comparison is given back.
// The depth counts comparisons inside comparisons; the limit of 60 and the budget of steps end
// every recursion. Once the work has stopped the verdict is undecided, whatever was found.
static r1_equality r1i_answer_compare(r1_answer_work *work, const r1i_node *a, const r1i_node *b) {
    if (++work->depth > R1I_ANSWER_DEPTH) r1i_answer_halt(work, R1I_STOP_DEPTH);
    size_t used = work->used;
    r1_equality verdict = R1_UNDECIDED;
    work->whole_points = false;
    if (r1i_answer_step(work, 1)) verdict = r1i_answer_compare_kinds(work, a, b);
    work->used = used;
    work->depth--;
    return work->stop ? R1_UNDECIDED : verdict;
}

// ---- words ----
// The text without spaces, dollars, braces and type faces, in lower case.
// Words are the same when these agree. Commands that carry a meaning are kept by name, so that
// \alpha is not lost; punctuation is not.
static r1_slice r1i_answer_normal(r1_answer_work *work, r1_slice text) {
    char *normal = (char *)r1i_answer_space(work, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; normal && i < text.size; i++) {
        char c = text.data[i];
        if (c == '\\') {
            size_t end = i + 1;
            while (r1i_is_letter(r1i_answer_char(text, end))) end++;
            const r1i_word *word = NULL;
            if (end > i + 1) word = r1i_word_find(r1i_answer_part(text, i + 1, end), 1);
            bool shown = word && word->token != R1I_TOKEN_SKIP && word->token != R1I_TOKEN_STYLE;
            for (size_t k = i; shown && k < end; k++) normal[size++] = text.data[k];
            i = end > i + 1 ? end - 1 : i + 1;
        } else if (!r1i_is_space(c) && !strchr("${}.,;:\"'`*!?", c)) {
            normal[size++] = r1i_lower(c);
        }
    }
    return (r1_slice){normal, size};
}
// Runs of bytes between white space.
static size_t r1i_answer_word_count(r1_slice text) {
    size_t words = 0;
    for (size_t i = 0; i < text.size; i++)
        words += !r1i_is_space(text.data[i]) && (!i || r1i_is_space(text.data[i - 1]));
    return words;
}
// The letter of an option: D, (D), D., (D) with the words of the option; else 0.
// Letters A to J. *alone says that nothing follows it: then a plain letter, a closed bracket or
// a point will do. With words behind it a mark and a space must stand between.
static char r1i_answer_option(r1_slice text, bool *alone) {
    size_t at = 0, open = r1i_answer_char(text, 0) == '(';
    at += open;
    char c = r1i_answer_char(text, at);
    if (c < 'A' || c > 'J') return 0;
    at++;
    char next = r1i_answer_char(text, at);
    bool marked = next == ')' || (!open && (next == '.' || next == ':'));
    at += marked;
    *alone = at >= text.size;
    if (*alone) return open && !marked ? 0 : c;
    return marked && r1i_is_space(r1i_answer_char(text, at)) ? c : 0;
}
// Words, or letters that only seem to be a product.
// A product of names in a text that holds words is a word that the reader has taken apart.
static bool r1i_node_is_words(const r1i_node *node, bool wordy) {
    if (node->kind == R1I_NODE_TEXT) return true;
    if (node->kind == R1I_NODE_UNIT) return r1i_node_is_words(node->item[0], wordy);
    if (!wordy || node->kind != R1I_NODE_PRODUCT) return false;
    for (size_t i = 0; i < node->count; i++) {
        int kind = node->item[i]->kind;
        if (kind != R1I_NODE_NAME && kind != R1I_NODE_TEXT && kind != R1I_NODE_CONSTANT)
            return false;
    }
    return true;
}
// The end of a sentence whose beginning says which of the texts it is about.
static const char *r1i_answer_stop_text(r1i_answer_stop stop) {
    switch (stop) {
    case R1I_STOP_SYNTAX:
        return "cannot be read";
    case R1I_STOP_MEMORY:
        return "needs more memory than the work area has";
    case R1I_STOP_STEPS:
        return "needs too many steps";
    case R1I_STOP_DEPTH:
        return "is nested too deeply";
    case R1I_STOP_SIZE:
        return "has a number that is too large";
    case R1I_STOP_CALCULUS:
        return "is calculus, which is not evaluated";
    default:
        return "has a notation that is not known";
    }
}
// One text as it was read, with the reason that stopped the reading, if any.
typedef struct r1i_answer_reading {
    r1i_node *node;
    bool wordy;
    r1i_answer_stop stop;
    size_t stop_at;
} r1i_answer_reading;

// The stop is taken out of the work and kept beside the node, so that the second text is read
// even when the first one cannot be.
static r1i_answer_reading r1i_answer_read(r1_answer_work *work, r1_slice text) {
    r1i_answer_reading reading = {NULL, false, R1I_STOP_NONE, 0};
    reading.node = r1i_read_answer(work, text, &reading.wordy);
    reading.stop = work->stop, reading.stop_at = work->stop_at;
    work->stop = R1I_STOP_NONE;
    return reading;
}
// Short answers in words can be refuted; sentences cannot.
// Up to three words on each side count as short. Sentences may say the same in other words, so
// for them only equality of letters is known, and that was tested before.
static r1_equality r1i_answer_words(r1_answer_work *work, r1_slice gold, r1_slice pred) {
    bool many = r1i_answer_word_count(gold) > 3 || r1i_answer_word_count(pred) > 3;
    if (many)
        return r1i_answer_say(work, R1_UNDECIDED, "sentences are compared letter by letter only");
    return r1i_answer_say(work, R1_DIFFERENT, "other words");
}
// One comparison with the ambiguous notations read in one way.
// The work area is empty at the start; only the steps run on, so all readings together have one
// budget. Texts with words or unknown commands are equal when they are letter by letter,
// whether or not they can be read.
static r1_equality r1i_answer_attempt(r1_answer_work *work, r1_slice gold, r1_slice pred) {
    work->used = 0, work->stop = R1I_STOP_NONE, work->depth = 0, work->sample = 0;
    work->second_sign = work->whole_points = false;
    work->fixed = NULL, work->bits = R1I_ANSWER_BITS;
    work->nothing = (r1i_node *)r1i_answer_space(work, sizeof *work->nothing);
    if (!work->nothing) return r1i_answer_say(work, R1_UNDECIDED, "too many steps");
    r1i_answer_reading a = r1i_answer_read(work, gold), b = r1i_answer_read(work, pred);
    bool known = a.stop != R1I_STOP_UNSUPPORTED && b.stop != R1I_STOP_UNSUPPORTED;
    if (a.wordy || b.wordy || !known) {
        r1_slice na = r1i_answer_normal(work, gold), nb = r1i_answer_normal(work, pred);
        if (na.size && r1i_slice_same(na, nb) && !work->stop)
            return r1i_answer_say(work, R1_EQUAL, "the same words");
    }
    if (a.stop || b.stop) {
        work->stop = a.stop ? a.stop : b.stop;
        work->stop_at = a.stop ? a.stop_at : b.stop_at;
        return r1i_answer_say(work, R1_UNDECIDED, a.stop ? "the expected answer" : "the answer");
    }
    bool words_a = r1i_node_is_words(a.node, a.wordy), words_b = r1i_node_is_words(b.node, b.wordy);
    if (words_a || words_b) return r1i_answer_words(work, gold, pred);
    r1_equality verdict = r1i_answer_compare(work, a.node, b.node);
    if (work->stop) return r1i_answer_say(work, R1_UNDECIDED, "the comparison");
    return verdict;
}
// The reason, with the place in the text when reading stopped there.
// At most size bytes with the final zero; longer reasons are cut. NULL asks for none.
static void r1i_answer_explain(const r1_answer_work *work, char *reason, size_t size) {
    if (!reason || !size) return;
    if (work->stop == R1I_STOP_SYNTAX)
        snprintf(reason, size, "%s %s at byte %zu", work->reason, r1i_answer_stop_text(work->stop),
                 work->stop_at);
    else if (work->stop)
        snprintf(reason, size, "%s %s", work->reason, r1i_answer_stop_text(work->stop));
    else
        snprintf(reason, size, "%s", work->reason ? work->reason : "");
}
// Every way to read log, E and 1/2x must lead to the same verdict; other commas may only help.
// The bits in `seen` tell which notations occurred, so usual answers are read once. At most 2 +
// 7 further attempts. A comma that makes them equal is believed; other notations that lead to
// different verdicts make it undecided.
static r1_equality r1i_answer_readings(r1_answer_work *work, r1_slice gold, r1_slice pred) {
    work->seen = work->reading = 0;
    r1_equality verdict = r1i_answer_attempt(work, gold, pred);
    static const unsigned commas[] = {R1I_READ_COMMA, R1I_READ_LIST};
    for (size_t i = 0; i < 2; i++) {
        if (verdict == R1_EQUAL || !(work->seen & commas[i])) continue;
        const char *reason = work->reason;
        r1i_answer_stop stop = work->stop;
        work->reading = commas[i];
        r1_equality other = r1i_answer_attempt(work, gold, pred);
        if (other == R1_EQUAL) return other;
        work->reading = 0, work->reason = reason, work->stop = stop;
    }
    unsigned ways = work->seen & (R1I_READ_LOG | R1I_READ_DIVISION | R1I_READ_EULER);
    for (unsigned way = 1; way <= ways; way++) {
        if (way & ~ways || verdict == R1_UNDECIDED) continue;
        work->reading = way;
        if (r1i_answer_attempt(work, gold, pred) == verdict) continue;
        work->stop = R1I_STOP_NONE;
        return r1i_answer_say(work, R1_UNDECIDED, "it depends on how log, E or 1/2x is meant");
    }
    return verdict;
}
// Without white space and the stars and ticks of Markdown.
// A slice of the same text. Pairs of marks are taken off together, and a double star also when
// only one end has it.
static r1_slice r1i_answer_clean(r1_slice text) {
    text = r1i_answer_trim(text);
    while (text.size > 1 && strchr("*`", text.data[0]) && text.data[text.size - 1] == text.data[0])
        text.data++, text.size -= 2;
    while (r1i_answer_at(text, 0, "**")) text.data += 2, text.size -= 2;
    while (text.size > 1 && r1i_answer_at(text, text.size - 2, "**")) text.size -= 2;
    return r1i_answer_trim(text);
}
// Nothing of the texts is kept. The whole comparison has one budget of steps (desc->steps, 3
// million by default) whatever the answers hold, which bounds the time of a reward worker. An
// empty prediction is wrong; an empty expected answer is nobody's fault.
R1I_BODY r1_equality r1_answer_equal(r1_answer_work *work, r1_slice gold, r1_slice pred,
                                     const r1_answer_desc *desc, char *reason, size_t size) {
    static const r1_answer_desc usual = {false, 0, 0};
    if (reason && size) reason[0] = 0;
    if (!work) return R1_UNDECIDED;
    work->desc = desc ? desc : &usual;
    work->steps = work->desc->steps ? work->desc->steps : R1I_ANSWER_STEPS;
    work->stop = R1I_STOP_NONE, work->reason = "";
    gold = r1i_answer_clean(gold), pred = r1i_answer_clean(pred);
    bool alone_a = false, alone_b = false;
    char a = r1i_answer_option(gold, &alone_a), b = r1i_answer_option(pred, &alone_b);
    r1_equality verdict;
    if (!gold.size)
        verdict = r1i_answer_say(work, R1_UNDECIDED, "the expected answer is empty");
    else if (!pred.size)
        verdict = r1i_answer_say(work, R1_DIFFERENT, "the answer is empty");
    else if (gold.size > R1I_ANSWER_TEXT || pred.size > R1I_ANSWER_TEXT)
        verdict = r1i_answer_say(work, R1_UNDECIDED, "an answer is longer than 8192 bytes");
    else if (a && b && (alone_a || alone_b))
        verdict = r1i_answer_say(work, a == b ? R1_EQUAL : R1_DIFFERENT, "letters of options");
    else
        verdict = r1i_answer_readings(work, gold, pred);
    r1i_answer_explain(work, reason, size);
    return verdict;
}
R1I_BODY const char *r1_equality_name(r1_equality verdict) {
    return verdict == R1_EQUAL ? "equal" : verdict == R1_DIFFERENT ? "different" : "undecided";
}
enum { R1I_ANSWER_BYTES = 2 << 20 };
// One block for the struct and its 2 MiB, so there is nothing else to free and comparing
// allocates nothing. One thread uses it at a time; workers have one each.
R1I_BODY r1_answer_work *r1_answer_new(r1_context *ctx) {
    if (!ctx) return NULL;
    r1_answer_work *work = (r1_answer_work *)r1i_alloc(ctx, sizeof *work + R1I_ANSWER_BYTES);
    if (!work) return NULL;
    work->ctx = ctx;
    work->memory = (char *)(work + 1);
    work->bytes = R1I_ANSWER_BYTES;
    return work;
}
R1I_BODY void r1_answer_free(r1_answer_work *work) {
    if (work) r1i_free(work->ctx, work);
}

// ---- extraction ----
// Slices of the sample's text, from the surest place to the least sure; nothing is copied:
//
//     text -> behind </think> -> inside <answer> -> letter, box, bare answer, "the answer is ...",
//             last formula, last number
static const r1_slice r1i_answer_none = {NULL, 0};

// The last place of a word, the case of letters ignored; SIZE_MAX when it is not there.
// Words are given in lower case. Searched from the end, so the last answer of a text costs the
// least; at worst the size of the text times that of the word.
static size_t r1i_answer_last(r1_slice text, const char *word) {
    size_t size = strlen(word);
    for (size_t at = text.size >= size ? text.size - size + 1 : 0; at-- > 0;) {
        size_t i = 0;
        while (i < size && r1i_lower(text.data[at + i]) == word[i]) i++;
        if (i == size) return at;
    }
    return SIZE_MAX;
}
static r1_slice r1i_answer_from(r1_slice text, size_t at) {
    return r1i_answer_part(text, at, text.size);
}
// Words of ordinary language; stops counting at `most`.
// *leading is set when a word that leads up to an answer occurs. Runs of two letters count
// behind a space only; words of the dictionary and of \text do not. Six bytes and more of
// another script count as four words.
static size_t r1i_answer_plain_words(r1_slice text, size_t most, bool *leading) {
    static const char *const leads[] = {"answer", "the",       "is",  "so", "thus", "hence",
                                        "result", "therefore", "are", "we", "get"};
    size_t words = 0;
    for (size_t i = 0; i < text.size && words < most;) {
        if (text.data[i] == '\\') {
            size_t from = ++i;
            while (r1i_is_letter(r1i_answer_char(text, i))) i++;
            bool style = i == from + 4 && r1i_answer_at(text, from, "text");
            if (style && r1i_answer_char(text, i) == '{')
                i = r1i_answer_group_end(text, i);
            else if (i == from)
                i++;
        } else if (r1i_is_letter(text.data[i])) {
            size_t from = i;
            while (r1i_is_letter(r1i_answer_char(text, i))) i++;
            r1_slice run = r1i_answer_part(text, from, i);
            bool word =
                run.size > 2 || (run.size == 2 && from && r1i_is_space(text.data[from - 1]));
            words += word && !r1i_word_find(run, 2);
            for (size_t k = 0; k < sizeof leads / sizeof *leads; k++)
                if (run.size == strlen(leads[k]) && r1i_answer_last(run, leads[k]) == 0)
                    *leading = true;
        } else if ((unsigned char)text.data[i] >= 0x80) {
            size_t from = i;
            while (i < text.size && (unsigned char)text.data[i] >= 0x80) i++;
            words += i - from > 5 ? 4 : 0;
        } else {
            i++;
        }
    }
    return words;
}
// Whether a text is an answer by itself and no sentence around one.
// No ordinary words, or up to two (one with math signs around) in a short line that leads up to
// nothing and has no sentence in it. Boxes and marks go through their own rules.
static bool r1i_answer_is_bare(r1_slice text) {
    bool leading = false;
    if (!text.size || text.size > 2000 || r1i_answer_last(text, "boxed") != SIZE_MAX) return false;
    if (r1i_answer_at(text, 0, "####")) return false;
    size_t words = r1i_answer_plain_words(text, 4, &leading);
    bool sentence = r1i_answer_last(text, ". ") != SIZE_MAX;
    return words == 0 ||
           (words <= 3 && !leading && !sentence && !memchr(text.data, '\n', text.size) &&
            (words == 1 || !memchr(text.data, '=', text.size)) && text.size < 80 &&
            words <= (memchr(text.data, '$', text.size) ? 1u : 2u));
}
// Whether only punctuation, math signs and one "and" or "or" stand between two boxes.
// Less than 80 bytes, so that boxes far apart in a solution are not taken for one answer.
static bool r1i_answer_joins(r1_slice gap) {
    size_t words = 0;
    for (size_t i = 0; i < gap.size;) {
        char c = gap.data[i];
        if (c == '\\' && r1i_answer_at(gap, i + 1, "text{")) {
            i = r1i_answer_group_end(gap, i + 5);
        } else if (c == '\\' && r1i_answer_at(gap, i + 1, "quad")) {
            i += 5;
        } else if (c == '\\') {
            i += 2;
        } else if (r1i_is_letter(c)) {
            size_t from = i;
            while (r1i_is_letter(r1i_answer_char(gap, i))) i++;
            r1_slice run = r1i_answer_part(gap, from, i);
            if (++words > 1 || (!r1i_answer_is(run, "and") && !r1i_answer_is(run, "or")))
                return false;
        } else if (r1i_is_space(c) || c == '$' || c == ',' || c == ';') {
            i++;
        } else {
            return false;
        }
    }
    return gap.size < 80;
}
// The box whose word "boxed" ends before `end`: its command and its content.
// \boxed{...}, \fbox{...} and \boxed 5 up to a space or dollar. Searching from the end finds
// the last one; false when there is none. An open brace takes the rest of the text.
static bool r1i_answer_box(r1_slice text, size_t end, r1_slice *whole, r1_slice *content) {
    size_t at = r1i_answer_last(r1i_answer_part(text, 0, end), "boxed");
    size_t frame = r1i_answer_last(r1i_answer_part(text, 0, end), "\\fbox");
    if (frame != SIZE_MAX && (at == SIZE_MAX || frame > at)) at = frame;
    if (at == SIZE_MAX) return false;
    size_t open = at + 5;
    while (r1i_is_space(r1i_answer_char(text, open))) open++;
    size_t close = open;
    if (r1i_answer_char(text, open) == '{') {
        close = r1i_answer_group_end(text, open);
        bool closed = text.data[close - 1] == '}' && close > open + 1;
        *content = r1i_answer_part(text, open + 1, closed ? close - 1 : close);
    } else {
        while (close < text.size && !r1i_is_space(text.data[close]) && text.data[close] != '$')
            close++;
        *content = r1i_answer_part(text, open, close);
    }
    while (at && text.data[at - 1] != '\\' && r1i_is_letter(text.data[at - 1])) at--;
    while (at && text.data[at - 1] == '\\') at--;
    *whole = r1i_answer_part(text, at, close);
    return true;
}
// The last box, with those before it that only commas or "and" separate.
// The boxes are joined from the last one backwards, as long as only separators lie between;
// then the slice holds the commands too, which the reader passes over. One box gives its
// content alone.
static r1_slice r1i_answer_boxed(r1_slice text) {
    r1_slice last, content, whole, inner;
    if (!r1i_answer_box(text, text.size, &last, &content)) return r1i_answer_none;
    r1_slice joined = last;
    bool several = false;
    while (r1i_answer_box(text, (size_t)(joined.data - text.data), &whole, &inner)) {
        size_t from = (size_t)(whole.data - text.data) + whole.size;
        size_t to = (size_t)(joined.data - text.data);
        if (from > to || !r1i_answer_joins(r1i_answer_part(text, from, to))) break;
        joined.size += (size_t)(joined.data - whole.data);
        joined.data = whole.data;
        several = true;
    }
    return r1i_answer_clean(several ? joined : content);
}
// The last formula between math signs, or the first one; *end is the place behind it.
// Signs are $, $$, \( and \[, each with its own end; empty formulas and ones that never close
// do not count. One pass over the text.
static r1_slice r1i_answer_formula(r1_slice text, bool first, size_t *end) {
    r1_slice found = r1i_answer_none;
    for (size_t i = 0; i < text.size;) {
        bool dollar = text.data[i] == '$' && (!i || text.data[i - 1] != '\\');
        bool round = r1i_answer_at(text, i, "\\("), square = r1i_answer_at(text, i, "\\[");
        if (!dollar && !round && !square) {
            i++;
            continue;
        }
        size_t open = dollar ? (r1i_answer_char(text, i + 1) == '$' ? 2 : 1) : 2;
        const char *close = dollar ? (open == 2 ? "$$" : "$") : round ? "\\)" : "\\]";
        size_t from = i + open, to = from;
        while (to < text.size && !r1i_answer_at(text, to, close)) to++;
        r1_slice inner = r1i_answer_trim(r1i_answer_part(text, from, to));
        if (to >= text.size) break;
        i = to + strlen(close);
        if (!inner.size) continue;
        found = inner, *end = i;
        if (first) break;
    }
    return found;
}
// Digits, with separators, a point, a slash or a colon when digits follow.
// 1,000 and 3/4 and 12:30 are one number, but a point or comma at the end of a sentence is not
// part of it. Each round passes a separator and its digits, so the loop ends.
static size_t r1i_answer_number_end(r1_slice text, size_t at) {
    for (;;) {
        at += r1i_answer_digits(text, at);
        char c = r1i_answer_char(text, at);
        size_t more = r1i_answer_digits(text, at + 1);
        if (!more || !((c == ',' && more >= 2) || c == '.' || c == '/' || c == ':')) return at;
        at++;
    }
}
// The last number of a text, or the first one, with its sign.
// A minus counts unless it stands behind a value, where it is a difference. -$5 and 5% keep
// what belongs to them. *start is where it begins; no number leaves it unset.
static r1_slice r1i_answer_number(r1_slice text, bool first, size_t *start) {
    r1_slice found = r1i_answer_none;
    for (size_t i = 0; i < text.size;) {
        bool point = text.data[i] == '.' && r1i_is_digit(r1i_answer_char(text, i + 1)) &&
                     (!i || !r1i_is_digit(text.data[i - 1]));
        if (!r1i_is_digit(text.data[i]) && !point) {
            i++;
            continue;
        }
        size_t from = i, end = r1i_answer_number_end(text, i + point);
        char before = i ? text.data[i - 1] : ' ';
        char more = i > 1 ? text.data[i - 2] : ' ';
        bool sign = before == '-' && !r1i_is_digit(more) && !r1i_is_letter(more) && more != ')';
        bool money = before == '$' && more == '-';
        if (sign) from--;
        if (r1i_answer_char(text, end) == '%') end++;
        if (money) from -= 2;
        found = r1i_answer_part(text, from, end);
        *start = from;
        i = end > i ? end : i + 1;
        if (first) break;
    }
    return found;
}
// What stands behind "the answer is" and its like, up to the end of the sentence.
// A point ends it before white space only, so decimals stay whole.
static r1_slice r1i_answer_sentence(r1_slice text, size_t at) {
    while (at < text.size && (r1i_is_space(text.data[at]) || strchr("*:", text.data[at]))) at++;
    size_t end = at;
    while (end < text.size && text.data[end] != '\n') {
        bool stop = text.data[end] == '.' && r1i_is_space(r1i_answer_char(text, end + 1));
        if (stop && !r1i_answer_at(text, end - 1, "..")) break;
        end++;
    }
    return r1i_answer_part(text, at, end);
}
// The last place that announces an answer, in the languages of the paper's prompts and a few more.
// *behind gets the place after it. Of several marks the one that begins last counts.
static bool r1i_answer_marker(r1_slice text, size_t *behind) {
    static const char *const marks[] = {"answer is",
                                        "answer:",
                                        "answers are",
                                        "answer**:",
                                        "answer =",
                                        "####",
                                        "r\xc3\xa9ponse:",
                                        "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf",
                                        "\xe7\xad\x94\xe6\xa1\x88\xe4\xb8\xba",
                                        "\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"};
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t at = r1i_answer_last(text, marks[i]);
        if (at == SIZE_MAX || (best != SIZE_MAX && at <= best)) continue;
        best = at, *behind = at + strlen(marks[i]);
    }
    for (size_t at = text.size; at-- > 0;) // "A: 42" as a line of its own
        if (r1i_answer_at(text, at, "A:") && (!at || text.data[at - 1] == '\n')) {
            if (best == SIZE_MAX || at > best) best = at, *behind = at + 2;
            break;
        }
    return best != SIZE_MAX;
}
// The last formula, or the last number when it stands behind that: in the same sentence only if
// `near`, else only in a later one.
// Without a formula it is the last number, without a number behind it the formula.
static r1_slice r1i_answer_last_math(r1_slice text, bool near) {
    size_t end = 0, start = 0;
    r1_slice formula = r1i_answer_formula(text, false, &end);
    r1_slice number = r1i_answer_number(text, false, &start);
    if (!formula.size) return number;
    if (!number.size || start < end) return formula;
    r1_slice gap = r1i_answer_part(text, end, start);
    bool apart = memchr(gap.data, '\n', gap.size) || r1i_answer_last(gap, ". ") != SIZE_MAX;
    return apart != near ? number : formula;
}
// The answer that a sentence announces: its formula, its number, or its few words.
// Up to two ordinary words are an answer as they stand; a longer phrase gives its first number,
// or all of itself when it has none.
static r1_slice r1i_answer_phrase(r1_slice text) {
    size_t behind = 0, unused = 0;
    if (!r1i_answer_marker(text, &behind)) return r1i_answer_none;
    r1_slice rest = r1i_answer_clean(r1i_answer_sentence(text, behind));
    while (rest.size && strchr(".,:", rest.data[rest.size - 1])) rest.size--;
    if (!rest.size) return r1i_answer_none;
    bool leading = false;
    if (r1i_answer_formula(rest, false, &unused).size) return r1i_answer_last_math(rest, true);
    if (r1i_answer_plain_words(rest, 4, &leading) < 3) return rest;
    r1_slice number = r1i_answer_number(rest, true, &unused);
    return number.size ? number : rest;
}
// A capital letter that stands alone and is not the article "A".
// A and I in front of a lower-case word are English and no choice.
static bool r1i_answer_letter_at(r1_slice text, size_t at) {
    char c = r1i_answer_char(text, at), next = r1i_answer_char(text, at + 1);
    if (c < 'A' || c > 'J' || r1i_is_letter(next) || r1i_is_digit(next) || next == '\'')
        return false;
    if (at && (r1i_is_letter(text.data[at - 1]) || r1i_is_digit(text.data[at - 1]))) return false;
    bool article = c == 'A' || c == 'I';
    char behind = r1i_answer_char(text, at + 2);
    return !(article && next == ' ' && behind >= 'a' && behind <= 'z');
}
// The choice in a text: boxed, at its beginning, announced, or the last letter that stands alone.
// One byte of the text. Behind an announcement 40 bytes are searched. A text without ordinary
// words is a formula, in which a capital is a variable; then there is none.
static r1_slice r1i_answer_letter(r1_slice text) {
    size_t behind = 0;
    r1_slice trimmed = r1i_answer_clean(text), boxed = r1i_answer_boxed(text);
    if (boxed.size) trimmed = boxed;
    for (size_t i = 0; boxed.size && i < boxed.size; i++)
        if (r1i_answer_letter_at(boxed, i)) return r1i_answer_part(boxed, i, i + 1);
    bool open = r1i_answer_char(trimmed, 0) == '(', alone;
    if (r1i_answer_option(trimmed, &alone)) return r1i_answer_part(trimmed, open, open + 1u);
    bool other = trimmed.size > 1 && (unsigned char)trimmed.data[1] >= 0x80;
    if (other && r1i_answer_letter_at(trimmed, 0)) return r1i_answer_part(trimmed, 0, 1);
    if (r1i_answer_marker(text, &behind)) {
        for (size_t i = behind; i < text.size && i < behind + 40; i++)
            if (r1i_answer_letter_at(text, i)) return r1i_answer_part(text, i, i + 1);
    }
    bool leading = false; // a formula is no choice
    if (!r1i_answer_plain_words(text, 1, &leading)) return r1i_answer_none;
    for (size_t at = text.size; at-- > 0;)
        if (r1i_answer_letter_at(text, at)) return r1i_answer_part(text, at, at + 1);
    return r1i_answer_none;
}
// The text that may hold the answer: behind the thoughts, inside the tags.
// NULL data when the thoughts must be closed and are not, since a sample that was cut off has
// given no answer. Only the last pair of tags counts; without a pair the whole text does.
static r1_slice r1i_answer_scope(r1_slice text, unsigned modes) {
    size_t thought = r1i_answer_last(text, "</think>");
    if (thought != SIZE_MAX) {
        text = r1i_answer_from(text, thought + strlen("</think>"));
    } else if (modes & R1_EXTRACT_AFTER_THINK) {
        return r1i_answer_none;
    }
    size_t close = r1i_answer_last(text, "</answer>");
    if (!(modes & R1_EXTRACT_TAG) || close == SIZE_MAX) return text;
    size_t open = r1i_answer_last(r1i_answer_part(text, 0, close), "<answer>");
    if (open == SIZE_MAX) return text;
    return r1i_answer_part(text, open + strlen("<answer>"), close);
}
// The first way that finds anything wins. What is returned is a part of `text` and lives as
// long; NULL data when nothing was found.
R1I_BODY r1_slice r1_answer_extract(r1_slice text, unsigned modes) {
    if (!(modes & ~(unsigned)R1_EXTRACT_AFTER_THINK)) modes |= R1_EXTRACT_DEFAULT;
    if (!text.data) return r1i_answer_none;
    r1_slice scope = r1i_answer_scope(text, modes), found = r1i_answer_none;
    bool tagged = scope.data != text.data && modes & R1_EXTRACT_TAG &&
                  r1i_answer_at(text, (size_t)(scope.data - text.data) + scope.size, "</answer>");
    if (!scope.data) return found;
    if (modes & R1_EXTRACT_LETTER) found = r1i_answer_letter(scope);
    if (!found.size && modes & R1_EXTRACT_BOXED) found = r1i_answer_boxed(scope);
    r1_slice trimmed = r1i_answer_clean(scope);
    if (!found.size && modes & R1_EXTRACT_BARE && r1i_answer_is_bare(trimmed)) found = trimmed;
    if (!found.size && modes & R1_EXTRACT_PHRASE) found = r1i_answer_phrase(scope);
    bool math = modes & R1_EXTRACT_MATH, number = modes & R1_EXTRACT_NUMBER;
    size_t unused = 0;
    if (!found.size && math && number) found = r1i_answer_last_math(scope, false);
    if (!found.size && math) found = r1i_answer_formula(scope, false, &unused);
    if (!found.size && number) found = r1i_answer_number(scope, false, &unused);
    if (!found.size && (tagged || modes & R1_EXTRACT_BARE)) found = trimmed;
    return found.size ? found : r1i_answer_none;
}
// The expected answer may come with its solution around it. When it is the letter of an option,
// the prediction is searched for a letter first.
R1I_BODY r1_equality r1_answer_check(r1_answer_work *work, r1_slice gold, r1_slice pred,
                                     unsigned modes, const r1_answer_desc *desc, char *reason,
                                     size_t size) {
    bool alone = false;
    r1_slice wanted = r1_answer_extract(gold, R1_EXTRACT_DEFAULT);
    if (!wanted.data) wanted = gold;
    if (r1i_answer_option(r1i_answer_clean(wanted), &alone)) {
        if (!(modes & ~(unsigned)R1_EXTRACT_AFTER_THINK)) modes |= R1_EXTRACT_DEFAULT;
        modes |= R1_EXTRACT_LETTER;
    }
    return r1_answer_equal(work, wanted, r1_answer_extract(pred, modes), desc, reason, size);
}

// ==== [score] ====================================================================================
// Estimators over samples and problems. Calls [base] and [random]. Plain double arithmetic in a
// fixed order: the same verdicts give the same table on every machine.
// The mean of the samples, c / n; 0 for a problem without samples.
R1I_BODY double r1_score_pass_1(const r1_score_problem *problem) {
    return problem->samples ? (double)problem->correct / (double)problem->samples : 0.0;
}
// 1 - C(n-c, k) / C(n, k) as 1 - product of (1 - k/i), i = n-c+1 .. n, which neither overflows
// nor cancels. Fewer wrong samples than k make it certain.
R1I_BODY double r1_score_pass_k(size_t samples, size_t correct, size_t k) {
    if (!samples || !k || !correct) return 0.0;
    if (correct > samples) correct = samples;
    if (k > samples) k = samples;
    if (samples - correct < k) return 1.0;
    double none = 1.0;
    for (size_t i = samples - correct + 1; i <= samples; i++) none *= 1.0 - (double)k / (double)i;
    return 1.0 - none;
}
// C(c, j) C(n-c, k-j) / C(n, k) as one product, whose factors are mixed so that it stays in range.
// The chance of exactly j correct ones among k drawn from n samples, c of them correct, without
// putting back.
static double r1i_score_hypergeometric(size_t n, size_t c, size_t k, size_t j) {
    if (j > c || k - j > n - c) return 0.0;
    double chance = 1.0;
    for (size_t i = 0; i < j; i++) {
        chance *= (double)(c - i) / (double)(n - i);
        chance *= (double)(k - i) / (double)(i + 1);
    }
    for (size_t i = 0; i < k - j; i++) chance *= (double)(n - c - i) / (double)(n - j - i);
    return chance;
}
// The chance that at least ceil(threshold k) of k drawn samples are correct: a tail of the
// distribution above. The 1e-9 keeps the rounding of the product from asking for one more, and
// a threshold of 0 still asks for one.
R1I_BODY double r1_score_g_pass_k(size_t samples, size_t correct, size_t k, double threshold) {
    if (!samples || !k) return 0.0;
    if (correct > samples) correct = samples;
    if (k > samples) k = samples;
    size_t least = 0;
    while (least < k && (double)least < threshold * (double)k - 1e-9) least++;
    if (least == 0) least = 1;
    double sum = 0.0;
    for (size_t j = least; j <= k; j++) sum += r1i_score_hypergeometric(samples, correct, k, j);
    return sum < 1.0 ? sum : 1.0;
}
// 2/k times the sum over thresholds i/k, i = ceil(k/2) + 1 .. k: the area above one half.
R1I_BODY double r1_score_mean_g_pass_k(size_t samples, size_t correct, size_t k) {
    double sum = 0.0;
    for (size_t i = (k + 1) / 2 + 1; i <= k; i++)
        sum += r1_score_g_pass_k(samples, correct, k, (double)i / (double)k);
    return k ? 2.0 * sum / (double)k : 0.0;
}
// Byte by byte; an answer that was not found (NULL) is the same as none.
static bool r1i_score_same_answer(r1_slice a, r1_slice b) {
    return a.data && b.data && a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}
// Ties go to the answer that came first. Quadratic in the number of samples, which is small,
// and needs no memory. SIZE_MAX when no sample has an answer.
R1I_BODY size_t r1_score_vote(const r1_slice *answers, size_t count) {
    size_t best = SIZE_MAX, most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t votes = 0;
        bool first = answers[i].data != NULL; // an answer is counted at its first sample
        for (size_t j = 0; j < i && first; j++)
            first = !r1i_score_same_answer(answers[i], answers[j]);
        for (size_t j = i; j < count && first; j++)
            votes += r1i_score_same_answer(answers[i], answers[j]);
        if (votes > most) most = votes, best = i;
    }
    return best;
}
// The same vote over classes that a checker has formed; R1_OFF marks a sample without an
// answer.
R1I_BODY size_t r1_score_vote_classes(const int *classes, size_t count) {
    size_t best = SIZE_MAX, most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t votes = 0;
        bool first = classes[i] != R1_OFF;
        for (size_t j = 0; j < i && first; j++) first = classes[j] != classes[i];
        for (size_t j = i; j < count && first; j++) votes += classes[j] == classes[i];
        if (votes > most) most = votes, best = i;
    }
    return best;
}

// Heap sort: no memory, and never slower than n log n.
//
//     values as a tree:        0             parent i, children 2i+1 and 2i+2
//                            /   \           every parent is at least its children
//                           1     2
//
// Moves the value at `at` down until that holds again; at most log2 n exchanges.
static void r1i_score_sift(double *values, size_t at, size_t count) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && values[child + 1] > values[child]) child++;
        if (values[at] >= values[child]) return;
        double swap = values[at];
        values[at] = values[child], values[child] = swap;
    }
}
// Ascending. The largest value goes to the end of the heap, which shrinks by one each round.
static void r1i_score_sort(double *values, size_t count) {
    for (size_t i = count / 2; i-- > 0;) r1i_score_sift(values, i, count);
    for (size_t end = count; end-- > 1;) {
        double swap = values[0];
        values[0] = values[end], values[end] = swap;
        r1i_score_sift(values, 0, end);
    }
}
// Summed from left to right, so the result does not depend on threads; 0 of nothing.
static double r1i_score_mean(const double *values, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += values[i];
    return count ? sum / (double)count : 0.0;
}
// Means of resampled problems, not sorted; NULL when there is no memory or nothing to draw from.
// Each mean is over `count` draws with replacement. The caller frees the array through the
// context. The draws come from `random` alone, in a fixed order, so a seed repeats them.
static double *r1i_score_resample(r1_context *ctx, const double *values, size_t count,
                                  size_t resamples, r1_random *random) {
    if (count > UINT32_MAX) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "r1_score: more than 2^32 problems");
        return NULL;
    }
    double *means = (double *)r1i_alloc_array(ctx, resamples, sizeof *means);
    for (size_t r = 0; means && r < resamples; r++) {
        double sum = 0.0;
        for (size_t i = 0; i < count; i++) sum += values[r1_random_below(random, (uint32_t)count)];
        means[r] = sum / (double)count;
    }
    return means;
}
enum { R1I_SCORE_RESAMPLES = 2000 };
// The 2.5 % and 97.5 % percentiles; sorts.
// One value in forty is cut off at either end; the array must not be empty.
static void r1i_score_percentiles(double *means, size_t count, double *low, double *high) {
    r1i_score_sort(means, count);
    size_t cut = count / 40;
    *low = means[cut], *high = means[count - 1 - cut];
}
// Without memory the interval shrinks to the mean, and the context holds the error. 2000
// resamples by default.
R1I_BODY r1_score r1_score_bootstrap(r1_context *ctx, const double *values, size_t count,
                                     size_t resamples, r1_random *random) {
    r1_score score = {0.0, 0.0, 0.0, count, 0};
    if (!ctx || !count) return score;
    if (!resamples) resamples = R1I_SCORE_RESAMPLES;
    score.mean = score.low = score.high = r1i_score_mean(values, count);
    double *means = r1i_score_resample(ctx, values, count, resamples, random);
    if (means) r1i_score_percentiles(means, resamples, &score.low, &score.high);
    r1i_free(ctx, means);
    return score;
}
// The smallest level above `above`; false when there is none.
// Repeated calls visit the levels in ascending order without sorting or memory; `first` lifts
// the bound, so that any int may be a level.
static bool r1i_score_next_level(const r1_score_problem *problems, size_t count, bool first,
                                 int above, int *level) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!first && problems[i].level <= above) continue;
        if (!found || problems[i].level < *level) *level = problems[i].level;
        found = true;
    }
    return found;
}
// dst[0] is over all problems, with level 0; each level follows. Problems without samples are
// left out. The array of values is reused by every row and freed at the end.
R1I_BODY size_t r1_score_levels(r1_context *ctx, const r1_score_problem *problems, size_t count,
                                size_t k, size_t resamples, r1_random *random, r1_score *dst,
                                size_t capacity) {
    if (!ctx || !capacity) return 0;
    double *values = (double *)r1i_alloc_array(ctx, count ? count : 1, sizeof *values);
    if (!values) return 0;
    size_t written = 0;
    int level = 0, last = 0;
    for (bool all = true; written < capacity; all = false) {
        size_t used = 0;
        if (!all && !r1i_score_next_level(problems, count, written == 1, last, &level)) break;
        for (size_t i = 0; i < count; i++)
            if (problems[i].samples && (all || problems[i].level == level))
                values[used++] = r1_score_pass_k(problems[i].samples, problems[i].correct, k);
        dst[written] = r1_score_bootstrap(ctx, values, used, resamples, random);
        dst[written++].level = last = level;
    }
    r1i_free(ctx, values);
    return r1_status_of(ctx) == R1_OK ? written : 0;
}
// A paired test over b - a. The resampled means are centred on no difference; p = (beyond + 1)
// / (resamples + 1) is two-sided and never 0. The interval is that of the difference itself.
R1I_BODY r1_score_test r1_score_compare(r1_context *ctx, const double *a, const double *b,
                                        size_t count, size_t resamples, r1_random *random) {
    r1_score_test test = {0.0, 0.0, 0.0, 1.0};
    if (!ctx || !count) return test;
    if (!resamples) resamples = R1I_SCORE_RESAMPLES;
    double *gaps = (double *)r1i_alloc_array(ctx, count, sizeof *gaps);
    for (size_t i = 0; gaps && i < count; i++) gaps[i] = b[i] - a[i];
    if (!gaps) return test;
    test.difference = test.low = test.high = r1i_score_mean(gaps, count);
    double *means = r1i_score_resample(ctx, gaps, count, resamples, random);
    if (means) {
        double size = test.difference < 0 ? -test.difference : test.difference;
        size_t beyond = 0; // how often chance alone, centred on no difference, goes as far
        for (size_t r = 0; r < resamples; r++) {
            double off = means[r] - test.difference;
            beyond += (off < 0 ? -off : off) >= size - 1e-12;
        }
        test.p_value = (double)(beyond + 1) / (double)(resamples + 1);
        r1i_score_percentiles(means, resamples, &test.low, &test.high);
    }
    r1i_free(ctx, means);
    r1i_free(ctx, gaps);
    return test;
}

// ---- decontamination ----
enum { R1I_GRAM_MAX = 64 };
// An open-addressed set of hashes of n-grams, at most half full, so every search ends:
//
//     gram   [ 0 ][ h ][ h ][ 0 ][ h ] ...     start at (h >> 1) mod capacity, then step by one
struct r1_decontaminator {
    r1_context *ctx;
    size_t words, count, capacity; // the capacity is a power of two
    uint64_t *gram;                // 0 is an empty place
};
// Walks over a text and hashes its words; the last n of them roll through a ring.
typedef struct r1i_gram_walk {
    r1_slice text;
    size_t at, words, seen;
    uint64_t ring[R1I_GRAM_MAX], hash, top; // top: the factor of the oldest word
} r1i_gram_walk;

#define R1I_GRAM_FACTOR 0x9e3779b97f4a7c15u // odd, so that multiplying loses nothing

// top = factor^(words-1), what the oldest word of a full window has been multiplied by.
static r1i_gram_walk r1i_gram_begin(r1_slice text, size_t words) {
    r1i_gram_walk walk = {text, 0, words, 0, {0}, 0, 1};
    for (size_t i = 1; i < words; i++) walk.top *= R1I_GRAM_FACTOR;
    return walk;
}
// Spreads every bit over the low ones, which choose the place in the table.
static uint64_t r1i_gram_mix(uint64_t x) {
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}
// Bytes of a CJK character, kana or hangul at `at`, which is a word of its own; else 0.
static size_t r1i_gram_ideograph(r1_slice text, size_t at) {
    unsigned char c = (unsigned char)text.data[at];
    return c >= 0xe3 && c <= 0xed && text.size - at >= 3 ? 3 : 0;
}
// The hash of the next word, never 0; 0 at the end of the text.
// Letters and digits in lower case and all bytes from 0x80 on make words (FNV-1a); anything
// else separates them.
static uint64_t r1i_gram_word(r1i_gram_walk *walk) {
    const r1_slice text = walk->text;
    uint64_t hash = 0;
    for (; walk->at < text.size; walk->at++) {
        unsigned char c = (unsigned char)text.data[walk->at];
        size_t wide = r1i_gram_ideograph(text, walk->at);
        if (wide && hash) break;
        if (c >= 'A' && c <= 'Z') c = (unsigned char)(c + 32);
        bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (!part && hash) break;
        if (!part) continue;
        if (!hash) hash = 0xcbf29ce484222325u;
        for (size_t i = 0; i < (wide ? wide : 1); i++) {
            unsigned char byte = wide ? (unsigned char)text.data[walk->at + i] : c;
            hash = (hash ^ byte) * 0x100000001b3u;
        }
        if (wide) {
            walk->at += wide;
            break;
        }
    }
    return hash ? r1i_gram_mix(hash) | 1 : 0;
}
// The next n-gram, never 0; 0 at the end.
// hash = sum of word[i] * factor^(age of i), so a step takes out the oldest word, multiplies
// and adds: constant time for any n.
static uint64_t r1i_gram_next(r1i_gram_walk *walk) {
    for (uint64_t word; (word = r1i_gram_word(walk)) != 0;) {
        uint64_t *place = &walk->ring[walk->seen % walk->words];
        walk->hash = (walk->hash - *place * walk->top) * R1I_GRAM_FACTOR + word;
        *place = word;
        if (++walk->seen >= walk->words) return r1i_gram_mix(walk->hash) | 1;
    }
    return 0;
}
// The place of a hash, or the empty one where it belongs. One empty place must exist.
static uint64_t *r1i_gram_place(uint64_t *gram, size_t capacity, uint64_t hash) {
    size_t at = (size_t)(hash >> 1) & (capacity - 1);
    while (gram[at] && gram[at] != hash) at = (at + 1) & (capacity - 1);
    return &gram[at];
}
// The table comes with the first text; 10 words by default, as many as 64.
R1I_BODY r1_decontaminator *r1_decontaminator_new(r1_context *ctx, size_t words) {
    if (!ctx) return NULL;
    if (words > R1I_GRAM_MAX) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "r1_decontaminator_new: %zu words, at most %d", words,
                 R1I_GRAM_MAX);
        return NULL;
    }
    r1_decontaminator *set = (r1_decontaminator *)r1i_alloc(ctx, sizeof *set);
    if (!set) return NULL;
    set->ctx = ctx;
    set->words = words ? words : 10;
    return set;
}
R1I_BODY void r1_decontaminator_free(r1_decontaminator *set) {
    if (!set) return;
    r1i_free(set->ctx, set->gram);
    r1i_free(set->ctx, set);
}
// Doubles before more than half is in use, and moves every hash to its new place. False when
// there is no memory; then the old table is as it was.
static bool r1i_gram_grow(r1_decontaminator *set) {
    if (set->count < set->capacity / 2) return true;
    size_t capacity = set->capacity ? r1i_size_mul(set->capacity, 2) : 1024;
    uint64_t *gram = (uint64_t *)r1i_alloc_array(set->ctx, capacity, sizeof *gram);
    if (!gram) return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->gram[i]) *r1i_gram_place(gram, capacity, set->gram[i]) = set->gram[i];
    r1i_free(set->ctx, set->gram);
    set->gram = gram, set->capacity = capacity;
    return true;
}
// A text shorter than n words adds nothing. After a failure the grams that were added so far
// stay.
R1I_BODY bool r1_decontaminator_add(r1_decontaminator *set, r1_slice text) {
    if (!set) return false;
    r1i_gram_walk walk = r1i_gram_begin(text, set->words);
    for (uint64_t hash; (hash = r1i_gram_next(&walk)) != 0;) {
        if (!r1i_gram_grow(set)) return false;
        uint64_t *place = r1i_gram_place(set->gram, set->capacity, hash);
        set->count += !*place;
        *place = hash;
    }
    return true;
}
// How many n-grams of the text are in the set, repeated ones each time. A false hit has a
// chance of about count / 2^63 a gram.
R1I_BODY size_t r1_decontaminator_count(const r1_decontaminator *set, r1_slice text) {
    size_t hits = 0;
    if (!set || !set->capacity) return 0;
    r1i_gram_walk walk = r1i_gram_begin(text, set->words);
    for (uint64_t hash; (hash = r1i_gram_next(&walk)) != 0;)
        hits += *r1i_gram_place(set->gram, set->capacity, hash) == hash;
    return hits;
}

// ==== [policy] ===================================================================================
// Advantages and one policy loss with seven orthogonal switches. Calls [base], [number]. Only our
// own exp is used, so that losses are as reproducible as the model.
// Whether two judged answers of a group have different rewards. Compared, not subtracted from a
// mean: G equal rewards have a mean that rounding may push off them.
static bool r1i_group_differs(const double *rewards, const bool *judged, size_t G) {
    const double *first = NULL;
    for (size_t i = 0; i < G; i++) {
        if (judged && !judged[i]) continue;
        if (first && rewards[i] != *first) return true;
        if (!first) first = &rewards[i];
    }
    return false;
}
// With mean and deviation over the n judged answers of a group:
//   std        A = (r - mean) / (deviation + eps)
//   mean       A = r - mean
//   leave-out  A = r - mean of the other n - 1  =  (r - mean) n / (n - 1)
R1I_PLAIN R1I_BODY size_t r1_advantages(const r1_policy_desc *desc, size_t groups, size_t G,
                                        const double *rewards, const bool *judged,
                                        double *advantages) {
    double eps = desc->advantage_eps != 0 ? desc->advantage_eps : 1e-4;
    size_t informative = 0;
    for (size_t g = 0; g < groups; g++) {
        const double *r = rewards + g * G;
        const bool *seen = judged ? judged + g * G : NULL;
        double *out = advantages + g * G, sum = 0, square = 0, n = 0;
        bool differs = r1i_group_differs(r, seen, G);
        informative += differs;
        for (size_t i = 0; i < G; i++)
            if (!seen || seen[i]) sum += r[i], n++;
        double mean = n > 0 ? sum / n : 0;
        for (size_t i = 0; i < G; i++)
            if (!seen || seen[i]) square += (r[i] - mean) * (r[i] - mean);
        double deviation = n > 0 ? sqrt(square / n) : 0;
        for (size_t i = 0; i < G; i++) {
            double a = r[i] - mean;
            if (desc->advantage == R1_ADVANTAGE_STD) a /= deviation + eps;
            if (desc->advantage == R1_ADVANTAGE_LEAVE_OUT)
                a *= n / (n - 1); // r - mean of the others
            out[i] = differs && (!seen || seen[i]) ? a : 0;
        }
    }
    return informative;
}
R1I_PLAIN R1I_BODY void r1_policy_weights(const r1_policy_desc *desc, const size_t *n,
                                          const bool *included, size_t count, double longest,
                                          double *weights) {
    double outputs = 0, tokens = 0;
    double constant = desc->constant_length > 0 ? desc->constant_length : longest;
    for (size_t i = 0; i < count; i++)
        if (included[i] && n[i]) outputs++, tokens += (double)n[i];
    for (size_t i = 0; i < count; i++) {
        double divisor = outputs * (double)n[i];
        if (desc->aggregation == R1_PER_TOKEN) divisor = tokens;
        if (desc->aggregation == R1_PER_CONSTANT) divisor = outputs * constant;
        weights[i] = included[i] && n[i] ? 1 / divisor : 0;
    }
}
// The estimate for one token, and below it its derivative; d grows as the policy's log-prob falls,
// which is where the signs of the derivative come from.
R1I_PLAIN static double r1i_kl_value(r1_kl_kind kind, double d) {
    if (kind == R1_KL_K1) return -d;
    if (kind == R1_KL_K2) return 0.5 * d * d;
    return kind == R1_KL_K3 ? r1i_exp_double(d) - d - 1 : 0;
}
R1I_PLAIN static double r1i_kl_slope(r1_kl_kind kind,
                                     double d) { // with respect to the policy's log-prob
    if (kind == R1_KL_K1) return 1;
    if (kind == R1_KL_K2) return -d;
    return kind == R1_KL_K3 ? 1 - r1i_exp_double(d) : 0;
}
// The part of a token's loss that the ratio decides, and its slope with respect to log ratio.
typedef struct r1i_term {
    double loss, slope;
    bool clipped;
} r1i_term;

// clipped    L = -min(rho A, bounded A): no slope where the bound decides. With A < 0 that is only
//            below the floor, and a large rho is not held back: the dual clip is, at c |A|.
// CISPO      L = -bounded A log pi, with the bounded ratio as a constant: clipped tokens keep a
//            slope.   REINFORCE  L = -A log pi.
// d rho / d log pi = rho, so the slope of -rho A is -rho A again.
R1I_PLAIN static r1i_term r1i_policy_term(const r1_policy_desc *desc, double ratio,
                                          double advantage, double logp) {
    double low = desc->clip_low != 0 ? desc->clip_low : 0.2;
    double high = desc->clip_high != 0 ? desc->clip_high : low;
    double floor = low < 0 ? 0 : 1 - low, ceiling = high < 0 ? HUGE_VAL : 1 + high;
    double bounded = ratio < floor ? floor : ratio > ceiling ? ceiling : ratio;
    if (desc->objective == R1_REINFORCE) return (r1i_term){-advantage * logp, -advantage, false};
    if (desc->objective == R1_CISPO) // the bounded ratio is a constant factor
        return (r1i_term){-bounded * advantage * logp, -bounded * advantage, bounded != ratio};
    double gain = ratio * advantage, bounded_gain = bounded * advantage;
    r1i_term term = {-gain, -gain, false};
    if (bounded_gain < gain) term = (r1i_term){-bounded_gain, 0, true};
    if (desc->clip_dual > 0 && advantage < 0 && term.loss > -desc->clip_dual * advantage)
        term = (r1i_term){-desc->clip_dual * advantage, 0, true};
    return term;
}
// sum_t weight (term_t + beta kl_t), and its derivative by each logp[t]. On-policy rho = 1, so with
// k3 the derivative is -weight (A + beta (pi_ref / pi - 1)).   Source: DSM eq. 20.
R1I_PLAIN R1I_BODY void r1_policy_loss(const r1_policy_desc *desc, const r1_policy_sample *s,
                                       r1i_real *dlogp, r1_policy_sums *sums) {
    // The log of GSPO's ratio: the mean of the tokens' log ratios, (pi / pi_old)^(1 / |o|).
    double mean = 0, n = (double)s->n;
    for (size_t t = 0; t < s->n; t++) mean += ((double)s->logp[t] - (double)s->sampled[t]) / n;
    bool in_loss = desc->kl != R1_KL_NONE && desc->kl_weight > 0 && !desc->kl_in_reward;
    for (size_t t = 0; t < s->n; t++) {
        double own = (double)s->logp[t] - (double)s->sampled[t], logp = (double)s->logp[t];
        double ratio = r1i_exp_double(desc->ratio == R1_RATIO_SEQUENCE ? mean : own);
        r1i_term term = r1i_policy_term(desc, ratio, s->advantage, logp);
        double d = s->reference ? (double)s->reference[t] - logp : 0;
        // The slope holds for sequence ratios too: theirs depends on every token by 1/n, and n
        // tokens carry it, so the factors cancel (while token_weight gives all n the same).
        if (in_loss && s->reference) {
            term.loss += desc->kl_weight * r1i_kl_value(desc->kl, d);
            term.slope += desc->kl_weight * r1i_kl_slope(desc->kl, d);
        }
        double weight = s->weight;
        if (desc->token_weight) weight *= desc->token_weight(desc->user, s->number, t);
        dlogp[t] = (r1i_real)(weight * term.slope);
        if (!sums || s->weight == 0) continue;
        double error = ratio > 1 ? ratio - 1 : 1 - ratio;
        sums->loss += weight * term.loss, sums->clipped += term.clipped, sums->tokens++;
        if (s->reference) sums->kl += r1i_kl_value(R1_KL_K3, d);
        if (error > sums->ratio_error) sums->ratio_error = error;
    }
}

// ==== [train] ====================================================================================
// Trainers: supervised and GRPO, with checkpoints. Calls the rooms above.
// Chunks are summed along a tree of this many levels at most: 32768 chunks.
enum { R1I_MAX_CHUNK_LEVELS = 16 };

// The gradient lives in the model, the tree's waiting sums here. loads and balance are collected
// over all passes of a batch, by every rank for its own chunks and then summed.
struct r1_trainer {
    r1_context *ctx;
    r1_model *model;
    r1_train_desc desc;
    uint64_t step;
    r1i_real *levels[R1I_MAX_CHUNK_LEVELS]; // partial sums of the chunk tree
    uint64_t *loads;                        // [MoE layers, E] of the batch
    double balance;                         // of the batch
    double *mtp_losses;                     // [depths] of the batch
};

// ---- gradient of a batch ----
// One sequence of a batch. Items with equal group stand together and are never cut apart.
typedef struct r1i_item {
    const int32_t *tokens;
    size_t n;              // tokens; n - 1 rows are fed
    const int32_t *routes; // [n - 1, MoE layers, K] or NULL
    uint64_t group;
    size_t number;    // the caller's
    size_t loss_from; // multi-token prediction: the first token to predict
} r1i_item;

// Turns the log-probs of one item's rows (row t predicts token t + 1) into their loss gradient,
// dloss / dlogp. All arrays have n - 1 numbers; dlogp is not cleared before the call. Items come in
// the order of the batch, one at a time.
typedef void r1i_item_fn(void *arg, const r1i_item *item, const r1i_real *logp,
                         const r1i_real *entropy, r1i_real *dlogp);

// A batch and what to do with it. The trainers differ in the items and in fn, in nothing else.
typedef struct r1i_batch_work {
    r1_trainer *trainer;
    const r1i_item *items;
    size_t n;
    double temperature;
    r1i_item_fn *fn;
    void *arg;
    double mtp_scale; // 1 / tokens with loss when multi-token prediction is trained, else 0
} r1i_batch_work;

// Gradients of all ranges as one stretch of numbers: decayed, undecayed, experts, padding included.
static size_t r1i_grad_floats(const r1_model *model) {
    return model->ranges[0].n + model->ranges[1].n + model->ranges[2].n;
}
static void r1i_grad_zero(r1_model *model) {
    r1i_model_drop_folds(model);
    for (int r = 0; r < 3; r++)
        memset(model->ranges[r].g, 0, model->ranges[r].n * sizeof(r1i_real));
}
// Out of the ranges into one stretch, in the order that r1i_grad_add_left takes it back.
static void r1i_grad_store(const r1_model *model, r1i_real *to) {
    for (int r = 0; r < 3; to += model->ranges[r++].n)
        memcpy(to, model->ranges[r].g, model->ranges[r].n * sizeof *to);
}
// Adds the gradient of earlier chunks on the left of the sum. When the later ones were empty it
// takes their place, since an empty chunk adds nothing, not even +0. Returns true: there is one
// now.
static bool r1i_grad_join(r1_model *model, const r1i_real *left, bool present) {
    for (int r = 0; r < 3; left += model->ranges[r++].n)
        for (size_t i = 0; i < model->ranges[r].n; i++) {
            r1i_real *g = &model->ranges[r].g[i];
            *g = present ? left[i] + *g : left[i];
        }
    return true;
}
// The rows of a pass that a depth of multi-token prediction has. Row i of an item is row i of the
// depth below without the last: no row looks past the end of its own text.
typedef struct r1i_mtp_rows {
    size_t B, T;
    size_t *starts, *items; // [B+1] packed; [B] numbers of the items that are long enough
    int32_t *below;         // [T] rows of the depth below
    int32_t *tokens, *targets;
} r1i_mtp_rows;

// before: the first row of each item at the depth below; it is moved on to this depth.
static bool r1i_mtp_rows_make(const r1i_batch_work *work, size_t first, size_t end, size_t depth,
                              size_t *before, r1i_mtp_rows *rows) {
    r1_context *ctx = work->trainer->ctx;
    size_t n = end - first, most = 0;
    for (size_t i = first; i < end; i++) most += work->items[i].n;
    *rows = (r1i_mtp_rows){0};
    rows->starts = (size_t *)r1i_step_alloc(ctx, n + 1, sizeof(size_t));
    rows->items = (size_t *)r1i_step_alloc(ctx, n, sizeof(size_t));
    rows->below = (int32_t *)r1i_step_alloc(ctx, 3 * most, sizeof(int32_t));
    if (!rows->starts || !rows->items || !rows->below) return false;
    rows->tokens = rows->below + most, rows->targets = rows->tokens + most;
    for (size_t i = 0; i < n; i++) {
        const r1i_item *item = &work->items[first + i];
        size_t from = before[i], count = item->n > depth + 1 ? item->n - 1 - depth : 0;
        before[i] = rows->T;
        if (!count) continue;
        rows->starts[rows->B] = rows->T, rows->items[rows->B++] = first + i;
        for (size_t t = 0; t < count; t++, rows->T++) {
            rows->below[rows->T] = (int32_t)(from + t);
            rows->tokens[rows->T] = item->tokens[t + depth];
            rows->targets[rows->T] = item->tokens[t + depth + 1];
        }
    }
    rows->starts[rows->B] = rows->T;
    return true;
}
// d loss / d logp of one depth, -lambda / depths / tokens where a token counts, and its loss.
R1I_PLAIN static void r1i_mtp_gradient(const r1i_batch_work *work, const r1i_mtp_rows *rows,
                                       size_t depth, const r1i_real *logp, r1i_real *dlogp) {
    r1_trainer *trainer = work->trainer;
    double depths = (double)trainer->model->config.mtp_layers;
    double slope = -trainer->desc.mtp_weight / depths * work->mtp_scale;
    for (size_t b = 0; b < rows->B; b++) {
        size_t from = work->items[rows->items[b]].loss_from;
        for (size_t t = rows->starts[b]; t < rows->starts[b + 1]; t++) {
            bool counts = t - rows->starts[b] + depth + 1 >= from;
            dlogp[t] = counts ? (r1i_real)slope : 0;
            if (counts) trainer->mtp_losses[depth - 1] -= work->mtp_scale * (double)logp[t];
        }
    }
}
// Runs every depth over the hidden states of a pass and seeds its gradients. Each depth has its own
// sum of losses: in one sum for all, the order of terms would tell where the batch was cut.
static bool r1i_work_mtp(const r1i_batch_work *work, size_t first, size_t end, r1_batch *main,
                         r1_tensor *hidden) {
    r1_trainer *trainer = work->trainer;
    r1_context *ctx = trainer->ctx;
    r1_model *model = trainer->model;
    size_t *before = (size_t *)r1i_args(ctx, main->starts, main->B * sizeof *before);
    if (!before || !hidden) return false;
    for (size_t depth = 1; depth <= model->config.mtp_layers; depth++) {
        r1i_mtp_rows rows;
        if (!r1i_mtp_rows_make(work, first, end, depth, before, &rows)) return false;
        if (!rows.T) break;
        r1i_real *weight = (r1i_real *)r1i_step_alloc(ctx, rows.B, sizeof *weight);
        r1i_real *dlogp = (r1i_real *)r1i_step_alloc(ctx, rows.T, sizeof *dlogp);
        if (!weight || !dlogp) return false;
        for (size_t b = 0; b < rows.B && main->balance_weight; b++)
            weight[b] = main->balance_weight[0]; // all are equal
        r1_batch batch = {.tokens = rows.tokens,
                          .starts = rows.starts,
                          .B = rows.B,
                          .balance_weight = main->balance_weight ? weight : NULL,
                          .loads = main->loads};
        hidden = r1_embed(ctx, hidden, rows.below, rows.T);
        hidden = r1i_mtp_forward(model, &batch, depth, hidden);
        r1_tensor *head = model->layers[model->config.layers + depth - 1].head;
        if (!r1i_alias_use(model, head)) return false;
        r1_logprobs *out =
            r1_logprob(ctx, r1i_mtp_norm(model, depth, hidden), head, rows.targets, 1);
        if (!out) return false;
        r1i_mtp_gradient(work, &rows, depth, out->logp->data, dlogp);
        for (size_t b = 0; b < rows.B; b++) weight[b] = 1; // now the gradient of each balance loss
        r1_seed(ctx, batch.balance, weight);
        r1_seed(ctx, out->logp, dlogp);
    }
    return ctx->status == R1_OK;
}
// One pass over items first .. end: forward, the caller's gradient, backward into the model.
//   item     t0 t1 t2 t3 t4
//   fed      t0 t1 t2 t3          the last token predicts nothing and is not fed
//   targets  t1 t2 t3 t4          logp[i] is that of targets[i]
// There are several outputs, the log-probs, the balance losses and those of the tokens further on,
// and one backward pass: all but the first are seeded. Weights are divided by the items of the
// whole batch, never by those of the pass.
static bool r1i_work_pass(const r1i_batch_work *work, size_t first, size_t end) {
    r1_trainer *trainer = work->trainer;
    r1_context *ctx = trainer->ctx;
    r1_model *model = trainer->model;
    size_t B = end - first, stride = model->moe_layers * model->config.chosen, T = 0;
    size_t *starts = (size_t *)r1i_step_alloc(ctx, B + 1, sizeof *starts);
    if (!starts) return false;
    starts[0] = 0;
    for (size_t b = 0; b < B; b++) starts[b + 1] = starts[b] + work->items[first + b].n - 1;
    T = starts[B];
    int32_t *tokens = (int32_t *)r1i_step_alloc(ctx, T, sizeof *tokens);
    int32_t *targets = (int32_t *)r1i_step_alloc(ctx, T, sizeof *targets);
    // Choices of the rollout: the router's scores are computed as ever, only its choice is given.
    bool replay = work->items[first].routes && stride;
    int32_t *routes = replay ? (int32_t *)r1i_step_alloc(ctx, T * stride, sizeof *routes) : NULL;
    r1i_real *weight = (r1i_real *)r1i_step_alloc(ctx, B, sizeof *weight);
    r1i_real *dlogp = (r1i_real *)r1i_step_alloc(ctx, T, sizeof *dlogp);
    if (!tokens || !targets || !weight || !dlogp || (replay && !routes)) return false;
    for (size_t b = 0; b < B; b++) {
        const r1i_item *item = &work->items[first + b];
        memcpy(tokens + starts[b], item->tokens, (item->n - 1) * sizeof *tokens);
        memcpy(targets + starts[b], item->tokens + 1, (item->n - 1) * sizeof *targets);
        if (replay)
            memcpy(routes + starts[b] * stride, item->routes,
                   (item->n - 1) * stride * sizeof *routes);
        weight[b] = (r1i_real)(trainer->desc.balance_weight / (double)work->n);
    }
    bool balanced = trainer->desc.balance_weight > 0 && model->moe_layers;
    r1_batch batch = {.tokens = tokens,
                      .starts = starts,
                      .B = B,
                      .replay = routes,
                      .balance_weight = balanced ? weight : NULL,
                      .loads = trainer->loads};
    r1_tensor *hidden = r1_model_forward(model, &batch);
    r1_logprobs *out = r1_logprob(ctx, hidden, model->head, targets, work->temperature);
    if (!out || (work->mtp_scale > 0 && !r1i_work_mtp(work, first, end, &batch, hidden)))
        return false;
    for (size_t b = 0; b < B; b++)
        work->fn(work->arg, &work->items[first + b], out->logp->data + starts[b],
                 out->entropy->data + starts[b], dlogp + starts[b]);
    for (size_t b = 0; b < B; b++) weight[b] = 1; // now the gradient of each balance loss
    for (size_t b = 0; b < B && batch.balance; b++)
        trainer->balance += (double)batch.balance->data[b];
    r1_seed(ctx, batch.balance, weight);
    r1_backward_from(ctx, out->logp, dlogp);
    return ctx->status == R1_OK;
}
// The gradient of one chunk: as many whole items per pass as micro_tokens hold, at least one. Each
// pass adds to the gradient that the one before it left, so the sum over token rows is one chain
// however the chunk is cut into passes.
static bool r1i_work_chunk(const r1i_batch_work *work, size_t first, size_t end) {
    size_t most = work->trainer->desc.micro_tokens;
    while (first < end) {
        size_t last = first + 1, rows = work->items[first].n - 1;
        while (last < end && rows + work->items[last].n - 1 <= most)
            rows += work->items[last++].n - 1;
        r1_step_begin(work->trainer->ctx);
        bool done = r1i_work_pass(work, first, last);
        r1_step_end(work->trainer->ctx);
        if (!done) return false;
        first = last;
    }
    return true;
}
// The first item of each chunk: whole groups, cut by their number only. cuts [chunks + 1]. Chunk c
// begins with group groups * c / chunks; with fewer groups than chunks some chunks are empty.
static void r1i_chunk_cuts(const r1i_item *items, size_t n, size_t chunks, size_t *cuts) {
    size_t groups = 0, at = 0, seen = 0;
    for (size_t i = 0; i < n; i++) groups += i == 0 || items[i].group != items[i - 1].group;
    for (size_t c = 0; c <= chunks; c++) {
        size_t wanted = groups * c / chunks; // chunk c begins with this group
        while (at < n && seen < wanted) {
            at++;
            if (at == n || items[at].group != items[at - 1].group) seen++;
        }
        cuts[c] = at;
    }
}
// Sums the ranks' partial gradients along the tree above the chunks that each rank owns. Every rank
// does the whole sum: ranks + 1 gradients of memory, and the same bits everywhere. there[i] tells
// whether rank i had any item; a partial sum that is not there must not enter as zeros.
//   n = 4   0   1   2   3        neighbours add, the left one keeps the sum
//   n = 2   0+1     2+3          and moves to place i / 2
//   n = 1   all
static bool r1i_work_gather(r1_trainer *trainer, bool present) {
    r1_group *group = trainer->desc.group;
    r1_model *model = trainer->model;
    size_t floats = r1i_grad_floats(model), ranks = (size_t)group->size, n = ranks;
    r1i_real *all =
        (r1i_real *)r1i_alloc_array(trainer->ctx, r1i_size_mul(floats, ranks + 1), sizeof *all);
    uint8_t there[R1I_MAX_RANKS], mine = present;
    if (!all) return false;
    r1i_grad_store(model, all + ranks * floats);
    r1_status status = group->all_gather(group, all + ranks * floats, all, floats * sizeof *all);
    if (status == R1_OK) status = group->all_gather(group, &mine, there, 1);
    for (; n > 1 && status == R1_OK; n = (n + 1) / 2)
        for (size_t i = 0; i < n; i += 2) {
            r1i_real *left = all + i * floats, *right = i + 1 < n ? left + floats : NULL;
            bool both = right && there[i] && there[i + 1];
            for (size_t j = 0; both && j < floats; j++) left[j] = left[j] + right[j];
            if (right && !there[i] && there[i + 1])
                memcpy(left, right, floats * sizeof *left), there[i] = 1;
            if (i)
                memcpy(all + i / 2 * floats, left, floats * sizeof *left), there[i / 2] = there[i];
        }
    size_t at = 0;
    for (int r = 0; r < 3 && status == R1_OK; at += model->ranges[r++].n)
        memcpy(model->ranges[r].g, all + at, model->ranges[r].n * sizeof *all);
    r1i_free(trainer->ctx, all);
    if (status != R1_OK) r1i_fail(trainer->ctx, status, "train: another rank failed or left");
    return status == R1_OK;
}
// Adds n counters of 8 bytes over all ranks, uint64_t or double, in the order of ranks.
static bool r1i_sum_ranks(r1_group *group, r1_context *ctx, void *values, size_t n, bool integers) {
    if (!group || group->size == 1) return true;
    uint64_t *all = (uint64_t *)r1i_alloc_array(ctx, n * (size_t)group->size, sizeof *all);
    if (!all) return false;
    r1_status status = group->all_gather(group, values, all, n * sizeof *all);
    for (size_t i = 0; i < n && status == R1_OK; i++) {
        uint64_t whole = 0;
        double sum = 0, part;
        for (int r = 0; r < group->size; r++) {
            whole += all[(size_t)r * n + i];
            memcpy(&part, &all[(size_t)r * n + i], sizeof part);
            sum += part;
        }
        memcpy((char *)values + i * 8, integers ? (void *)&whole : (void *)&sum, 8);
    }
    r1i_free(ctx, all);
    if (status != R1_OK) r1i_fail(ctx, status, "train: another rank failed or left");
    return status == R1_OK;
}
// The gradient of a whole batch into the model's flat buffers. Chunks are added along a binary tree
// that depends on S alone; S = 8:
//   chunks     0   1   2   3   4   5   6   7
//               0+1     2+3     4+5     6+7
//                   0..3            4..7           2 ranks: one such subtree each
//                           0..7
// A rank walks its leaves from left to right. levels[l] keeps a finished subtree of 2^l chunks
// while its right neighbour is computed; like the bits of a counter, a new leaf carries up through
// all levels that are full, so log2 S gradients wait at most, not S. With 1, 2, 4 or 8 ranks the
// borders between ranks are borders of subtrees, and the sum is the same tree.
static bool r1i_work_gradient(const r1i_batch_work *work) {
    r1_trainer *trainer = work->trainer;
    r1_model *model = trainer->model;
    r1_group *group = trainer->desc.group;
    size_t S = trainer->desc.chunks, ranks = group ? (size_t)group->size : 1, local = 0;
    size_t rank = group ? (size_t)group->rank : 0, begin = S * rank / ranks,
           end = S * (rank + 1) / ranks;
    bool held[R1I_MAX_CHUNK_LEVELS] = {false}, present = false;
    size_t *cuts = (size_t *)r1i_alloc_array(trainer->ctx, S + 1, sizeof *cuts);
    if (!cuts) return false;
    r1i_float_state state = r1i_float_enter(); // sums between ops are arithmetic too
    r1i_chunk_cuts(work->items, work->n, S, cuts);
    memset(trainer->loads, 0, model->routers * model->config.experts * sizeof *trainer->loads);
    trainer->balance = 0;
    memset(trainer->mtp_losses, 0, model->config.mtp_layers * sizeof *trainer->mtp_losses);
    bool going = true;
    for (size_t c = begin; c < end && going;
         c++, local++) { // a binary counter of finished subtrees
        r1i_grad_zero(model);
        present = cuts[c + 1] > cuts[c];
        model->fold_later = true;
        going = r1i_work_chunk(work, cuts[c], cuts[c + 1]);
        model->fold_later = false;
        r1i_model_fold(model);
        int level = 0;
        for (size_t carry = local; carry & 1; carry >>= 1, level++) {
            if (held[level]) present = r1i_grad_join(model, trainer->levels[level], present);
            held[level] = false;
        }
        if (c + 1 < end) {
            held[level] = present;
            if (present) r1i_grad_store(model, trainer->levels[level]);
        }
    }
    for (int level = 0; level < R1I_MAX_CHUNK_LEVELS && going;
         level++) // only when ranks cut unevenly
        if (held[level]) present = r1i_grad_join(model, trainer->levels[level], present);
    r1i_free(trainer->ctx, cuts);
    if (going && ranks > 1)
        going = r1i_work_gather(trainer, present) &&
                r1i_sum_ranks(group, trainer->ctx, trainer->loads,
                              model->routers * model->config.experts, true) &&
                r1i_sum_ranks(group, trainer->ctx, &trainer->balance, 1, false) &&
                r1i_sum_ranks(group, trainer->ctx, trainer->mtp_losses, model->config.mtp_layers,
                              false);
    r1i_float_leave(state);
    return going;
}

// ---- trainer ----
// Fills in the defaults. A power of two, so that the tree is full and ranks can own subtrees.
static bool r1i_train_resolve(r1_context *ctx, r1_train_desc *d) {
    if (d->schedule.peak == 0) d->schedule.peak = 1e-3;
    if (!d->chunks) d->chunks = 8;
    if (!d->micro_tokens) d->micro_tokens = 4096;
    d->mtp_weight = r1i_default(d->mtp_weight, 0.3);
    d->balance_weight = r1i_default(d->balance_weight, 1e-4);
    d->bias_rate = r1i_default(d->bias_rate, 1e-3);
    if ((d->chunks & (d->chunks - 1)) || d->chunks > (size_t)1 << (R1I_MAX_CHUNK_LEVELS - 1)) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "train: chunks is %zu; it must be a power of two",
                 d->chunks);
        return false;
    }
    return true;
}
R1I_BODY void r1_trainer_free(r1_trainer *trainer) {
    if (!trainer) return;
    for (int i = 0; i < R1I_MAX_CHUNK_LEVELS; i++) r1i_free(trainer->ctx, trainer->levels[i]);
    r1i_free(trainer->ctx, trainer->loads), r1i_free(trainer->ctx, trainer->mtp_losses);
    r1i_free(trainer->ctx, trainer);
}
// Memory beside the model's: its two moments, and the waiting sums of the chunk tree.
R1I_BODY r1_trainer *r1_trainer_new(r1_model *model, const r1_train_desc *desc) {
    if (!model || model->ctx->status != R1_OK) return NULL;
    r1_context *ctx = model->ctx;
    r1_trainer *trainer = (r1_trainer *)r1i_alloc(ctx, sizeof *trainer);
    if (!trainer) return NULL;
    trainer->ctx = ctx, trainer->model = model;
    if (desc) trainer->desc = *desc;
    size_t loads = model->routers * model->config.experts;
    trainer->loads = (uint64_t *)r1i_alloc_array(ctx, loads, sizeof *trainer->loads);
    trainer->mtp_losses = (double *)r1i_alloc_array(ctx, model->config.mtp_layers, sizeof(double));
    bool fine = trainer->loads && trainer->mtp_losses && r1i_train_resolve(ctx, &trainer->desc) &&
                r1_model_train_ready(model) == R1_OK;
    for (size_t i = 0; fine && (size_t)1 << i < trainer->desc.chunks; i++) {
        trainer->levels[i] =
            (r1i_real *)r1i_alloc_array(ctx, r1i_grad_floats(model), sizeof(r1i_real));
        fine = trainer->levels[i] != NULL;
    }
    if (fine) {
        r1_trainer_reset(trainer, NULL); // moments of an earlier trainer mean nothing here
        return trainer;
    }
    r1_trainer_free(trainer);
    return NULL;
}
R1I_BODY uint64_t r1_trainer_steps(const r1_trainer *trainer) {
    return trainer ? trainer->step : 0;
}
// The moments belong to the model, the step count to the trainer; the bias correction of AdamW is
// right only when both start together.
R1I_BODY void r1_trainer_reset(r1_trainer *trainer, const r1_train_desc *desc) {
    if (!trainer) return;
    size_t chunks = trainer->desc.chunks;
    if (desc) trainer->desc = *desc;
    trainer->desc.chunks = chunks; // the tree's memory is made for it
    if (!r1i_train_resolve(trainer->ctx, &trainer->desc)) return;
    trainer->step = 0;
    for (int r = 0; r < 3; r++) {
        r1_range *range = &trainer->model->ranges[r];
        memset(range->m, 0, range->n * sizeof *range->m);
        memset(range->v, 0, range->n * sizeof *range->v);
    }
}
// max over layers of (busiest expert * E / all choices): 1 is perfect balance, E / K the worst.
R1I_PLAIN static double r1i_load_max(const r1_trainer *trainer) {
    size_t E = trainer->model->config.experts;
    double worst = 0;
    for (size_t layer = 0; layer < trainer->model->routers; layer++) {
        double total = 0, most = 0;
        for (size_t e = 0; e < E; e++) {
            double load = (double)trainer->loads[layer * E + e];
            total += load, most = load > most ? load : most;
        }
        if (total > 0 && most * (double)E / total > worst) worst = most * (double)E / total;
    }
    return worst;
}
// The optimizer step that follows a gradient, and the router biases that follow the step. Steps
// count from 1 here, so that a warmup does not begin with a rate of zero. When the optimizer
// refuses, biases and step count stay as they are too. Every rank does the same to its own model.
static r1_status r1i_trainer_apply(r1_trainer *trainer, r1_step_metrics *metrics) {
    r1_context *ctx = trainer->ctx;
    double lr = r1_schedule_value(&trainer->desc.schedule, trainer->step + 1);
    double norm =
        r1_adamw_step(ctx, trainer->model->ranges, 3, &trainer->desc.adamw, lr, trainer->step + 1);
    if (ctx->status != R1_OK) return ctx->status;
    trainer->step++;
    if (trainer->desc.bias_rate > 0)
        r1_model_balance_bias(trainer->model, trainer->loads, trainer->desc.bias_rate);
    metrics->grad_norm = norm, metrics->lr = lr, metrics->balance = trainer->balance;
    metrics->load_max = r1i_load_max(trainer);
    return R1_OK;
}

// ---- supervised ----
// loss = -(1 / tokens) sum of logp, over the tokens with loss of the whole batch: the weight is
// fixed before any split, so that no split can change what is minimised.
typedef struct r1i_sft {
    const r1_document *documents;
    double weight, loss;
} r1i_sft;

// d loss / d logp = -weight where the token counts: the same number for every token of the batch.
R1I_PLAIN static void r1i_sft_item(void *arg, const r1i_item *item, const r1i_real *logp,
                                   const r1i_real *entropy, r1i_real *dlogp) {
    r1i_sft *sft = (r1i_sft *)arg;
    const r1_document *doc = &sft->documents[item->number];
    (void)entropy;
    for (size_t t = 0; t + 1 < item->n; t++) {
        bool counts = t + 1 >= doc->loss_from;
        dlogp[t] = counts ? (r1i_real)-sft->weight : 0;
        if (counts) sft->loss -= sft->weight * (double)logp[t];
    }
}
// Every document is a group of its own, in the order of the caller. Documents without a token to
// predict are left out before the chunks are cut. Temperature 1: the plain likelihood.
R1I_BODY r1_status r1_sft_step(r1_trainer *trainer, const r1_document *documents, size_t n,
                               r1_step_metrics *metrics) {
    if (!trainer || trainer->ctx->status != R1_OK)
        return trainer ? trainer->ctx->status : R1_ERROR_ARGUMENT;
    r1_context *ctx = trainer->ctx;
    r1_step_metrics own = {0};
    r1i_item *items = (r1i_item *)r1i_alloc_array(ctx, n, sizeof *items);
    size_t used = 0;
    for (size_t i = 0; items && i < n; i++) {
        const r1_document *doc = &documents[i];
        size_t from = r1i_max(doc->loss_from, 1);
        if (doc->n < 2 || from >= doc->n) continue; // nothing to predict
        if (doc->n - 1 > trainer->model->config.max_tokens) {
            r1i_fail(ctx, R1_ERROR_ARGUMENT,
                     "sft: document %zu has %zu tokens, the model takes %zu; cut it", i, doc->n,
                     trainer->model->config.max_tokens + 1);
            break;
        }
        items[used++] = (r1i_item){
            .tokens = doc->tokens, .n = doc->n, .group = i, .number = i, .loss_from = from};
        own.tokens += doc->n - from;
    }
    if (ctx->status == R1_OK && !own.tokens)
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "sft: none of the %zu documents has a token with loss", n);
    if (ctx->status == R1_OK) {
        r1i_sft sft = {.documents = documents, .weight = 1 / (double)own.tokens};
        r1i_batch_work work = {.trainer = trainer,
                               .items = items,
                               .n = used,
                               .temperature = 1,
                               .fn = r1i_sft_item,
                               .arg = &sft,
                               .mtp_scale = trainer->desc.mtp_weight > 0 ? sft.weight : 0};
        if (r1i_work_gradient(&work) &&
            r1i_sum_ranks(trainer->desc.group, ctx, &sft.loss, 1, false))
            r1i_trainer_apply(trainer, &own);
        own.loss = sft.loss;
        for (size_t k = 0; k < trainer->model->config.mtp_layers; k++)
            own.mtp_loss += trainer->mtp_losses[k] / (double)trainer->model->config.mtp_layers;
    }
    r1i_free(ctx, items);
    if (metrics) *metrics = own;
    return ctx->status;
}

// ---- GRPO ----
// A run. Arrays of a number per answer are indexed like rollout->samples: question * G + answer.
// With a group, every rank draws and judges the whole rollout, with the same bits, and only the
// chunks of each gradient are shared out.
struct r1_grpo {
    r1_context *ctx;
    r1_model *policy, *reference;
    r1_grpo_desc desc;
    r1_trainer *trainer;
    r1_rollout *rollout, *extra;
    uint64_t step;        // rollouts that are done
    uint64_t next_prompt; // number of the next prompt to ask for
    size_t silent;        // rollouts in a row without a signal
    int32_t *prompt_tokens;
    r1_prompt *prompts;
    float **reference_logp; // per sample, over its completion; NULL without KL
    float *reference_memory;
    size_t reference_capacity;
    double *rewards, *advantages, *weights; // [questions * group]
    bool *judged, *included;
    size_t *lengths, *order;
    r1i_item *items;
    r1_verdict *verdicts;
    r1_json_writer settings;
    r1_grpo_metrics metrics;
};

// In rollouts of 16 updates: 10400 updates are 650, 1700 are 106, and 400 between two references
// are 25. One rollout is 8192 answers = 512 questions * 16.   Source: N Methods.
R1I_BODY r1_grpo_desc r1_grpo_paper(r1_stage stage) {
    r1_grpo_desc desc = {
        .questions = 512, .group = 16, .mini_batches = 16, .epochs = 1, .refresh = 25};
    desc.policy.clip_low = desc.policy.clip_high = 10;
    desc.policy.kl = R1_KL_K3, desc.policy.kl_weight = 0.001;
    desc.train.schedule.peak = 3e-6;
    desc.generate.sampler.temperature = stage == R1_STAGE2 ? 0.7 : 1;
    desc.generate.max_new = 32768;
    desc.steps = stage == R1_ZERO ? 650 : stage == R1_STAGE2 ? 106 : 0;
    return desc;
}
// Fills in the defaults and names the first field to mend. A weight of exactly -1 is R1_OFF; a
// penalty of that size is a part that counts downwards.
static bool r1i_grpo_resolve(r1_context *ctx, r1_grpo_desc *d, const r1_model *model) {
    const char *fault = NULL;
    if (!d->questions) d->questions = 32;
    if (!d->group) d->group = 16;
    if (!d->mini_batches) d->mini_batches = 1;
    if (!d->epochs) d->epochs = 1;
    if (!d->patience) d->patience = 20;
    if (!d->generate.max_new) d->generate.max_new = model->config.max_tokens;
    if (d->generate.sampler.temperature == 0) d->generate.sampler.temperature = 1;
    d->generate.routes = d->generate.routes || d->replay_routes;
    for (int i = 0; i < R1_MAX_PARTS; i++) {
        if (d->parts[i] && d->weights[i] == 0) d->weights[i] = 1;
        if (!d->parts[i] || d->unrewarded[i]) d->weights[i] = 0;
    }
    if (!d->next_prompt || !d->reward)
        fault = "next_prompt and reward must be set";
    else if (!d->parts[0])
        fault = "parts[0] must name the first component of the reward";
    else if (d->group < 2)
        fault = "group must be at least 2: the advantage compares the answers to one question";
    else if (d->mini_batches > d->questions)
        fault = "mini_batches must not exceed questions, since groups stay whole";
    else if (d->generate.sampler.top_k || d->generate.sampler.top_p > 0 ||
             d->generate.sampler.greedy)
        fault = "top_k, top_p and greedy are for evaluation; the loss needs the softmax of all ids";
    else if (d->policy.kl_weight < 0 || d->generate.sampler.temperature < 0)
        fault = "kl_weight and temperature must not be negative";
    if (fault) r1i_fail(ctx, R1_ERROR_ARGUMENT, "grpo: %s", fault);
    return !fault;
}
// Without a KL term there is no second model and no second forward pass.
static bool r1i_wants_reference(const r1_grpo_desc *d) {
    return d->policy.kl != R1_KL_NONE && d->policy.kl_weight > 0;
}
R1I_BODY void r1_grpo_free(r1_grpo *run) {
    if (!run) return;
    r1_context *ctx = run->ctx;
    r1_trainer_free(run->trainer), r1_model_free(run->reference);
    r1_rollout_free(run->rollout), r1_rollout_free(run->extra);
    r1i_free(ctx, run->prompt_tokens), r1i_free(ctx, run->prompts);
    r1i_free(ctx, run->reference_logp), r1i_free(ctx, run->reference_memory);
    r1i_free(ctx, run->rewards), r1i_free(ctx, run->advantages), r1i_free(ctx, run->weights);
    r1i_free(ctx, run->judged), r1i_free(ctx, run->included), r1i_free(ctx, run->lengths);
    r1i_free(ctx, run->order), r1i_free(ctx, run->items), r1i_free(ctx, run->verdicts);
    r1_json_writer_free(&run->settings);
    r1i_free(ctx, run);
}
// All that a rollout needs, once: n = questions * G answers, Q prompts of up to max_tokens.
static bool r1i_grpo_memory(r1_grpo *run) {
    r1_context *ctx = run->ctx;
    size_t n = r1i_size_mul(run->desc.questions, run->desc.group), Q = run->desc.questions;
    size_t most = run->policy->config.max_tokens;
    run->prompt_tokens = (int32_t *)r1i_alloc_array(ctx, r1i_size_mul(Q, most), sizeof(int32_t));
    run->prompts = (r1_prompt *)r1i_alloc_array(ctx, Q, sizeof *run->prompts);
    run->reference_logp = (float **)r1i_alloc_array(ctx, n, sizeof *run->reference_logp);
    run->rewards = (double *)r1i_alloc_array(ctx, n, sizeof *run->rewards);
    run->advantages = (double *)r1i_alloc_array(ctx, n, sizeof *run->advantages);
    run->weights = (double *)r1i_alloc_array(ctx, n, sizeof *run->weights);
    run->judged = (bool *)r1i_alloc_array(ctx, n, sizeof *run->judged);
    run->included = (bool *)r1i_alloc_array(ctx, n, sizeof *run->included);
    run->lengths = (size_t *)r1i_alloc_array(ctx, n, sizeof *run->lengths);
    run->order = (size_t *)r1i_alloc_array(ctx, Q, sizeof *run->order);
    run->items = (r1i_item *)r1i_alloc_array(ctx, n, sizeof *run->items);
    run->verdicts = (r1_verdict *)r1i_alloc_array(ctx, n, sizeof *run->verdicts);
    return ctx->status == R1_OK;
}
// The run starts with fresh moments, whatever trained the policy before. `extra` is the rollout
// that replaced groups are drawn into; the reference is the policy as it is at this moment.
R1I_BODY r1_grpo *r1_grpo_new(r1_model *policy, const r1_grpo_desc *desc) {
    if (!policy || !desc || policy->ctx->status != R1_OK) return NULL;
    r1_context *ctx = policy->ctx;
    r1_grpo *run = (r1_grpo *)r1i_alloc(ctx, sizeof *run);
    if (!run) return NULL;
    run->ctx = ctx, run->policy = policy, run->desc = *desc;
    run->settings.ctx = ctx;
    if (r1i_grpo_resolve(ctx, &run->desc, policy) && r1i_grpo_memory(run)) {
        run->trainer = r1_trainer_new(policy, &run->desc.train);
        run->rollout = r1_rollout_new(ctx), run->extra = r1_rollout_new(ctx);
        if (run->trainer)
            run->desc.train = run->trainer->desc, r1_trainer_reset(run->trainer, NULL);
        if (r1i_wants_reference(&run->desc)) run->reference = r1_model_clone(policy);
    }
    if (ctx->status == R1_OK) return run;
    r1_grpo_free(run);
    return NULL;
}
// The first line of every call on a run: none without a run, and nothing runs after an error. Half
// a rollout must not come before a reward function.
static r1_status r1i_grpo_status(const r1_grpo *run) {
    return run ? run->ctx->status : R1_ERROR_ARGUMENT;
}
static bool r1i_grpo_usable(const r1_grpo *run) { return r1i_grpo_status(run) == R1_OK; }
// Asks for n prompts into the run's buffers. Numbers count up over the whole run and are the keys
// of the draws; a checkpoint keeps the next one.
static bool r1i_grpo_prompts(r1_grpo *run, size_t n) {
    size_t most = run->policy->config.max_tokens;
    for (size_t i = 0; i < n; i++) {
        int32_t *tokens = run->prompt_tokens + i * most;
        size_t length = run->desc.next_prompt(run->desc.user, run->next_prompt, tokens, most - 1);
        if (!length || length >= most) {
            r1i_fail(run->ctx, R1_ERROR_ARGUMENT,
                     "grpo: next_prompt gave %zu tokens for prompt %llu; it must give 1 to %zu, "
                     "and there "
                     "must be a prompt for every number",
                     length, (unsigned long long)run->next_prompt, most - 1);
            return false;
        }
        run->prompts[i] = (r1_prompt){tokens, length, (uint32_t)run->next_prompt++};
    }
    return true;
}
// Draws G answers to the next n prompts. The rollout's number is the step of the random counters,
// also for replaced groups, whose keys are new: so replay needs a step and a prompt, no more.
static r1_status r1i_grpo_draw(r1_grpo *run, r1_rollout *rollout, size_t n) {
    r1_generate_desc generate = run->desc.generate;
    generate.sampler.step = (uint32_t)(run->step + 1);
    uint64_t next = run->next_prompt;
    if (r1i_grpo_prompts(run, n))
        r1_generate(run->policy, rollout, run->prompts, n, run->desc.group, &generate);
    if (run->ctx->status != R1_OK) run->next_prompt = next; // to be asked for again
    return run->ctx->status;
}
// Verdicts have an array of their own: a reward function sees its sample as constant.
typedef struct r1i_judging {
    const r1_grpo_desc *desc;
    r1_rollout *rollout;
    r1_verdict *verdicts;
} r1i_judging;

// Workers write to their own verdicts only, so the order in which they finish shows nowhere.
static void r1i_judge_task(void *arg, size_t begin, size_t end, int worker) {
    r1i_judging *judging = (r1i_judging *)arg;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        judging->verdicts[i] = (r1_verdict){.judged = true};
        judging->desc->reward(judging->desc->user, &judging->rollout->samples[i],
                              &judging->verdicts[i]);
    }
}
// reward = sum of weight * part, added here, in the order of the parts, on one thread.
R1I_PLAIN static void r1i_grpo_verdicts(r1_grpo *run, r1_rollout *rollout) {
    r1i_judging judging = {&run->desc, rollout, run->verdicts};
    r1_parallel_for(run->ctx, rollout->n, 1, r1i_judge_task, &judging);
    for (size_t i = 0; i < rollout->n; i++) {
        r1_sample *s = &rollout->samples[i];
        s->judged = run->verdicts[i].judged, s->reward = 0;
        for (int p = 0; p < R1_MAX_PARTS && run->desc.parts[p]; p++) {
            s->parts[p] = run->verdicts[i].parts[p];
            s->reward += run->desc.weights[p] * s->parts[p];
        }
    }
}
// Whether the judged answers of a group have different rewards: without that no advantage, no
// gradient. The reward is the plain one, without a KL term in it.
static bool r1i_sample_group_differs(const r1_sample *s, size_t G) {
    const r1_sample *first = NULL;
    for (size_t i = 0; i < G; i++) {
        if (!s[i].judged) continue;
        if (first && s[i].reward != first->reward) return true;
        if (!first) first = &s[i];
    }
    return false;
}
static size_t r1i_group_judged(const r1_sample *s, size_t G) {
    size_t judged = 0;
    for (size_t i = 0; i < G; i++) judged += s[i].judged;
    return judged;
}
// Replaces groups without signal by groups of fresh prompts, a few times at most.   Source: DAPO.
// Each round draws as many groups as are missing and takes those with a signal, in order. What is
// still without one after the last round stays, and weighs as under R1_NO_SIGNAL_KEEP.
static void r1i_grpo_resample(r1_grpo *run) {
    size_t G = run->desc.group;
    for (int round = 0; round < 4 && run->ctx->status == R1_OK; round++) {
        size_t missing = 0, from = 0;
        for (size_t q = 0; q < run->rollout->prompts; q++)
            missing += !r1i_sample_group_differs(&run->rollout->samples[q * G], G);
        if (!missing || r1i_grpo_draw(run, run->extra, missing) != R1_OK) return;
        run->metrics.tokens += run->extra->tokens;
        r1i_grpo_verdicts(run, run->extra);
        for (size_t q = 0; q < run->rollout->prompts; q++) {
            r1_sample *old = &run->rollout->samples[q * G];
            if (r1i_sample_group_differs(old, G)) continue;
            while (from < missing && !r1i_sample_group_differs(&run->extra->samples[from * G], G))
                from++;
            if (from == missing) break;
            for (size_t i = 0; i < G; i++) { // arrays change owners with their sample
                r1_sample swap = old[i];
                old[i] = run->extra->samples[from * G + i],
                run->extra->samples[from * G + i] = swap;
                old[i].prompt = q, run->extra->samples[from * G + i].prompt = from;
            }
            from++, run->metrics.resampled++;
        }
    }
}
// Draws the answers to the next questions; the metrics of the step begin here.
R1I_BODY r1_status r1_grpo_rollout(r1_grpo *run) {
    if (!r1i_grpo_usable(run)) return r1i_grpo_status(run);
    double start = r1i_seconds();
    // A step without updates keeps the numbers that only an update can change.
    run->metrics = (r1_grpo_metrics){
        .step = run->step + 1, .lr = run->metrics.lr, .load_max = run->metrics.load_max};
    r1_status status = r1i_grpo_draw(run, run->rollout, run->desc.questions);
    run->metrics.tokens = run->rollout->tokens;
    size_t drafted = run->rollout->drafted;
    run->metrics.acceptance = drafted ? (double)run->rollout->accepted / (double)drafted : 0;
    run->metrics.rollout_seconds = r1i_seconds() - start;
    return status;
}
// Log-probs of all completions under the reference, once per rollout and at its temperature. Scored
// are prompt and completion of every answer; reference_logp[i] points at the completion's part.
static r1_status r1i_grpo_reference(r1_grpo *run) {
    r1_context *ctx = run->ctx;
    r1_rollout *rollout = run->rollout;
    size_t T = 0;
    for (size_t i = 0; i < rollout->n; i++) T += rollout->samples[i].n;
    if (!r1i_grow(ctx, (void **)&run->reference_memory, &run->reference_capacity, T, sizeof(float)))
        return ctx->status;
    r1_step_begin(ctx);
    int32_t *tokens = (int32_t *)r1i_step_alloc(ctx, T, sizeof *tokens);
    size_t *starts = (size_t *)r1i_step_alloc(ctx, rollout->n + 1, sizeof *starts);
    if (tokens && starts) {
        starts[0] = 0;
        for (size_t i = 0; i < rollout->n; i++) {
            const r1_sample *s = &rollout->samples[i];
            memcpy(tokens + starts[i], s->tokens, s->n * sizeof *tokens);
            run->reference_logp[i] = run->reference_memory + starts[i] + s->n_prompt;
            starts[i + 1] = starts[i] + s->n;
        }
        r1_batch batch = {.tokens = tokens, .starts = starts, .B = rollout->n};
        r1_model_score(run->reference, &batch, run->desc.generate.sampler.temperature,
                       run->desc.train.micro_tokens, run->reference_memory, NULL);
    }
    r1_step_end(ctx);
    return ctx->status;
}
// Groups are replaced before the reference scores them, so no forward pass is spent on the old.
R1I_BODY r1_status r1_grpo_judge(r1_grpo *run) {
    if (!r1i_grpo_usable(run)) return r1i_grpo_status(run);
    double start = r1i_seconds();
    r1i_grpo_verdicts(run, run->rollout);
    if (run->desc.policy.no_signal == R1_NO_SIGNAL_RESAMPLE) r1i_grpo_resample(run);
    double judged = r1i_seconds();
    run->metrics.judge_seconds = judged - start;
    if (run->reference && run->ctx->status == R1_OK) r1i_grpo_reference(run);
    run->metrics.reference_seconds = r1i_seconds() - judged;
    return run->ctx->status;
}
// The panel of a rollout: rewards over judged answers, length and truncation over all answers,
// entropy over all sampled tokens.
R1I_PLAIN static void r1i_grpo_means(r1_grpo *run) {
    r1_grpo_metrics *m = &run->metrics;
    double judged = 0, tokens = 0, n = (double)run->rollout->n;
    m->length = m->truncated = m->entropy = m->reward = 0, m->dropped = 0;
    memset(m->parts, 0, sizeof m->parts);
    for (size_t i = 0; i < run->rollout->n; i++) {
        const r1_sample *s = &run->rollout->samples[i];
        m->length += (double)(s->n - s->n_prompt) / n, m->truncated += s->truncated / n;
        for (size_t t = s->n_prompt; t < s->n; t++) m->entropy += (double)s->entropy[t], tokens++;
        if (!s->judged) continue;
        judged++, m->reward += s->reward;
        for (int p = 0; p < R1_MAX_PARTS; p++) m->parts[p] += s->parts[p];
    }
    if (tokens > 0) m->entropy /= tokens;
    m->unjudged = 1 - judged / n;
    for (size_t i = 0; i < run->rollout->n; i += run->desc.group)
        m->dropped += r1i_group_judged(&run->rollout->samples[i], run->desc.group) < 2;
    for (int p = 0; p < R1_MAX_PARTS && judged > 0; p++) m->parts[p] /= judged;
    if (judged > 0) m->reward /= judged;
}
// Advantages over whole groups, before mini-batches are cut. With kl_in_reward the reward loses
// beta * sum_t kl_t first, with the sampler's own log-probs (DSM eq. 2 for k1); the log shows the
// reward without it.
R1I_PLAIN R1I_BODY r1_status r1_grpo_advantage(r1_grpo *run) {
    if (!r1i_grpo_usable(run)) return r1i_grpo_status(run);
    r1i_float_state state = r1i_float_enter();
    const r1_policy_desc *policy = &run->desc.policy;
    size_t n = run->rollout->n, G = run->desc.group;
    for (size_t i = 0; i < n; i++) {
        const r1_sample *s = &run->rollout->samples[i];
        run->rewards[i] = s->reward, run->judged[i] = s->judged;
        for (size_t t = s->n_prompt; policy->kl_in_reward && run->reference && t < s->n; t++) {
            double d = (double)run->reference_logp[i][t - s->n_prompt] - (double)s->logp[t];
            run->rewards[i] -= policy->kl_weight * r1i_kl_value(policy->kl, d);
        }
    }
    size_t informative = 0; // by the rewards proper: a KL term always differs
    r1_advantages(policy, n / G, G, run->rewards, run->judged, run->advantages);
    for (size_t i = 0; i < n; i += G)
        informative += r1i_sample_group_differs(&run->rollout->samples[i], G);
    for (size_t i = 0; i < n; i++) run->rollout->samples[i].advantage = run->advantages[i];
    r1i_grpo_means(run);
    r1i_float_leave(state);
    run->metrics.informative = (double)informative / (double)(n / G);
    // One group with a signal is enough to go on; a run of rollouts without any stops the run.
    run->silent = informative ? 0 : run->silent + 1;
    if (run->silent < run->desc.patience) return R1_OK;
    return r1i_fail(
        run->ctx, R1_ERROR_SIGNAL,
        "grpo: no group of the last %zu rollouts had answers with different rewards (mean "
        "reward %g, %g of the answers judged), so nothing can be learnt; look at the reward "
        "function, or give problems that the model solves sometimes",
        run->silent, run->metrics.reward, 1 - run->metrics.unjudged);
}
// What the gradient callback of one mini-batch needs.
typedef struct r1i_grpo_pass {
    r1_grpo *run;
    r1_policy_sums sums;
} r1i_grpo_pass;

// The policy loss of one answer. Rows on the prompt get no gradient; row n_prompt - 1 predicts the
// first sampled token. The old log-probs are the sampler's, as stored: nothing recomputes them.
static void r1i_grpo_item(void *arg, const r1i_item *item, const r1i_real *logp,
                          const r1i_real *entropy, r1i_real *dlogp) {
    r1i_grpo_pass *pass = (r1i_grpo_pass *)arg;
    const r1_sample *s = &pass->run->rollout->samples[item->number];
    size_t first = s->n_prompt - 1; // the row that predicts the first sampled token
    (void)entropy;
    memset(dlogp, 0, (item->n - 1) * sizeof *dlogp);
    r1_policy_sample sample = {
        .n = s->n - s->n_prompt,
        .logp = logp + first,
        .sampled = s->logp + s->n_prompt,
        .reference = pass->run->reference ? pass->run->reference_logp[item->number] : NULL,
        .advantage = s->advantage,
        .weight = pass->run->weights[item->number],
        .number = item->number};
    r1_policy_loss(&pass->run->desc.policy, &sample, dlogp + first, &pass->sums);
}
// Adds the sums of all ranks; the largest ratio error is the largest of any.
static bool r1i_grpo_sum_ranks(r1_grpo *run, r1_policy_sums *sums) {
    r1_group *group = run->desc.train.group;
    double errors[R1I_MAX_RANKS], both[2] = {sums->loss, sums->kl};
    uint64_t counts[2] = {sums->tokens, sums->clipped};
    if (!group || group->size == 1) return true;
    if (group->all_gather(group, &sums->ratio_error, errors, sizeof *errors) != R1_OK ||
        !r1i_sum_ranks(group, run->ctx, both, 2, false) ||
        !r1i_sum_ranks(group, run->ctx, counts, 2, true))
        return false;
    for (int r = 0; r < group->size; r++)
        if (errors[r] > sums->ratio_error) sums->ratio_error = errors[r];
    sums->loss = both[0], sums->kl = both[1];
    sums->tokens = (size_t)counts[0], sums->clipped = (size_t)counts[1];
    return true;
}
// Sorts order[first .. end) by the key of each group's prompt.
static void r1i_grpo_sort(r1_grpo *run, size_t first, size_t end) {
    const r1_sample *samples = run->rollout->samples;
    size_t G = run->desc.group;
    for (size_t i = first + 1; i < end; i++) {
        size_t q = run->order[i], j = i;
        for (; j > first && samples[run->order[j - 1] * G].key > samples[q * G].key; j--)
            run->order[j] = run->order[j - 1];
        run->order[j] = q;
    }
}
// The groups of one epoch in random order, each mini-batch sorted by prompt again: the draw decides
// who is in a mini-batch, the key decides the order of the sum. A counter of (rollout, epoch) gives
// the permutation, so that a resumed run draws the same one. One mini-batch needs no draw.
//   Source: N Methods (8192 outputs split at random into 16; whole groups here).
static void r1i_grpo_shuffle(r1_grpo *run, uint32_t epoch) {
    size_t Q = run->rollout->prompts, M = run->desc.mini_batches;
    r1_random at = {.seed = run->ctx->seed,
                    .stream = R1_STREAM_SHUFFLE,
                    .step = (uint32_t)run->step,
                    .sample = epoch};
    for (size_t q = 0; q < Q; q++) run->order[q] = q;
    r1i_grpo_sort(run, 0, Q); // the draw must meet the groups in an order that is theirs alone
    for (size_t q = Q; q > 1 && M > 1; q--) {
        size_t other = r1_random_below(&at, (uint32_t)q), swap = run->order[q - 1];
        run->order[q - 1] = run->order[other], run->order[other] = swap;
    }
    for (size_t m = 0; m < M; m++) r1i_grpo_sort(run, Q * m / M, Q * (m + 1) / M);
}
// One optimizer step on the groups order[first .. end). Outputs that carry no gradient are skipped:
// they count in the divisors if they are included, but cost no forward pass, and are in neither the
// router loads nor the means of clip and KL. A mini-batch of nothing else makes no step.
static r1_status r1i_grpo_mini_batch(r1_grpo *run, size_t first, size_t end) {
    const r1_policy_desc *policy = &run->desc.policy;
    size_t G = run->desc.group, n = 0, count = (end - first) * G;
    bool kl = run->reference && !policy->kl_in_reward;
    for (size_t i = 0; i < count; i++) {
        size_t number = run->order[first + i / G] * G + i % G;
        const r1_sample *s = &run->rollout->samples[number];
        bool signal =
            r1i_sample_group_differs(s - i % G, G) || policy->no_signal != R1_NO_SIGNAL_DROP;
        run->lengths[i] = s->n - s->n_prompt;
        run->included[i] = s->judged && r1i_group_judged(s - i % G, G) >= 2 && signal &&
                           !(s->truncated && policy->mask_truncated);
    }
    // Divisors count included outputs, with or without a gradient, as the formulas do.
    double longest = (double)run->desc.generate.max_new;
    // run->advantages is free by now (each sample has its own) and takes the weights.
    r1_policy_weights(policy, run->lengths, run->included, count, longest, run->advantages);
    for (size_t i = 0; i < count; i++) {
        size_t number = run->order[first + i / G] * G + i % G;
        const r1_sample *s = &run->rollout->samples[number];
        run->weights[number] = run->advantages[i];
        if (!run->included[i] || (s->advantage == 0 && !kl)) continue;
        run->items[n++] = (r1i_item){.tokens = s->tokens,
                                     .n = s->n,
                                     .group = s->key,
                                     .number = number,
                                     .routes = run->desc.replay_routes ? s->routes : NULL};
    }
    if (!n) return R1_OK;
    r1i_grpo_pass pass = {.run = run};
    r1_step_metrics step = {0};
    r1i_batch_work work = {.trainer = run->trainer,
                           .items = run->items,
                           .n = n,
                           .temperature = run->desc.generate.sampler.temperature,
                           .fn = r1i_grpo_item,
                           .arg = &pass};
    if (!r1i_work_gradient(&work) || !r1i_grpo_sum_ranks(run, &pass.sums) ||
        r1i_trainer_apply(run->trainer, &step) != R1_OK)
        return run->ctx->status;
    r1_grpo_metrics *m = &run->metrics;
    double tokens = pass.sums.tokens ? (double)pass.sums.tokens : 1;
    m->updates++, m->grad_norm += step.grad_norm, m->loss += pass.sums.loss, m->lr = step.lr;
    m->clip_fraction += (double)pass.sums.clipped / tokens, m->kl += pass.sums.kl / tokens;
    if (m->updates == 1 || step.load_max > m->load_max) m->load_max = step.load_max;
    if (pass.sums.ratio_error > m->ratio_error) m->ratio_error = pass.sums.ratio_error;
    return R1_OK;
}
// Only the first update is on-policy: later mini-batches and epochs meet weights that have moved
// since the rollout, and that is where the clip acts. Metrics are means over the updates made. The
// reference becomes the policy at the end of a rollout, never between its updates.
R1I_BODY r1_status r1_grpo_update(r1_grpo *run) {
    if (!r1i_grpo_usable(run)) return r1i_grpo_status(run);
    double start = r1i_seconds();
    size_t Q = run->rollout->prompts, M = run->desc.mini_batches;
    for (size_t epoch = 0; epoch < run->desc.epochs; epoch++) {
        r1i_grpo_shuffle(run, (uint32_t)epoch);
        for (size_t m = 0; m < M; m++)
            if (r1i_grpo_mini_batch(run, Q * m / M, Q * (m + 1) / M) != R1_OK)
                return run->ctx->status;
    }
    r1_grpo_metrics *metrics = &run->metrics;
    double updates = metrics->updates ? (double)metrics->updates : 1;
    metrics->grad_norm /= updates, metrics->loss /= updates;
    metrics->clip_fraction /= updates, metrics->kl /= updates;
    run->step++;
    if (run->reference && run->desc.refresh && run->step % run->desc.refresh == 0)
        r1_model_copy(run->reference, run->policy);
    metrics->weight_hash = r1_model_hash(run->policy);
    metrics->update_seconds = r1i_seconds() - start;
    return run->ctx->status;
}
// An error in any of the four leaves step uncounted; updates that were made before it stay. The
// step can be tried again and has the same prompts then, unless the error was that they teach
// nothing.
R1I_BODY bool r1_grpo_step(r1_grpo *run) {
    if (!r1i_grpo_usable(run) || run->step >= run->desc.steps) return false;
    uint64_t next = run->next_prompt;
    size_t silent = run->silent;
    if (r1_grpo_rollout(run) == R1_OK && r1_grpo_judge(run) == R1_OK &&
        r1_grpo_advantage(run) == R1_OK && r1_grpo_update(run) == R1_OK)
        return true;
    if (run->ctx->status != R1_ERROR_SIGNAL) run->next_prompt = next, run->silent = silent;
    return false;
}
// Both belong to the run and are overwritten by its next step.
R1I_BODY const r1_grpo_metrics *r1_grpo_metrics_of(const r1_grpo *run) {
    return run ? &run->metrics : NULL;
}
R1I_BODY const r1_rollout *r1_grpo_rollout_of(const r1_grpo *run) {
    return run ? run->rollout : NULL;
}

// Words instead of numbers for enumerations, so that a log can be read years later.
R1I_BODY const char *r1_grpo_settings(r1_grpo *run) {
    static const char *const ratios[] = {"token", "sequence"};
    static const char *const aggregations[] = {"output", "token", "constant"};
    static const char *const advantages[] = {"std", "mean", "leave-one-out"};
    static const char *const kls[] = {"none", "k1", "k2", "k3"};
    static const char *const objectives[] = {"clipped", "cispo", "reinforce"};
    static const char *const no_signals[] = {"keep", "drop", "resample"};
    if (!run) return "{}";
    const r1_grpo_desc *d = &run->desc;
    const r1_policy_desc *p = &d->policy;
    r1_json_writer *w = &run->settings;
    r1_json_writer_reset(w);
    r1_json_begin_object(w, NULL);
    r1_json_write_integer(w, "seed", (int64_t)run->ctx->seed);
    r1i_write_size(w, "questions", d->questions), r1i_write_size(w, "group", d->group);
    r1i_write_size(w, "mini_batches", d->mini_batches), r1i_write_size(w, "epochs", d->epochs);
    r1i_write_size(w, "steps", d->steps), r1i_write_size(w, "refresh", (size_t)d->refresh);
    r1i_write_word(w, "ratio", ratios[p->ratio]);
    r1_json_write_number(w, "clip_low", r1i_default(p->clip_low, 0.2));
    r1_json_write_number(w, "clip_high", r1i_default(p->clip_high, r1i_default(p->clip_low, 0.2)));
    r1_json_write_number(w, "clip_dual", p->clip_dual);
    r1i_write_word(w, "aggregation", aggregations[p->aggregation]);
    r1i_write_word(w, "advantage", advantages[p->advantage]);
    r1i_write_word(w, "kl", kls[p->kl]);
    r1_json_write_number(w, "kl_weight", p->kl_weight);
    r1_json_write_bool(w, "kl_in_reward", p->kl_in_reward);
    r1i_write_word(w, "objective", objectives[p->objective]);
    r1i_write_word(w, "no_signal", no_signals[p->no_signal]);
    r1_json_write_bool(w, "mask_truncated", p->mask_truncated);
    r1_json_write_number(w, "lr", d->train.schedule.peak);
    r1i_write_size(w, "warmup", (size_t)d->train.schedule.warmup);
    r1i_write_size(w, "chunks", d->train.chunks),
        r1i_write_size(w, "micro_tokens", d->train.micro_tokens);
    r1_json_write_number(w, "balance_weight", d->train.balance_weight);
    r1_json_write_number(w, "bias_rate", d->train.bias_rate);
    r1i_write_size(w, "speculate", d->generate.speculate);
    r1_json_write_number(w, "temperature", d->generate.sampler.temperature);
    r1i_write_size(w, "max_new", d->generate.max_new);
    r1_json_begin_object(w, "reward_weights");
    for (int i = 0; i < R1_MAX_PARTS && d->parts[i]; i++)
        r1_json_write_number(w, d->parts[i], d->weights[i]);
    r1_json_end_object(w);
    r1_json_end_object(w);
    return w->failed ? "{}" : w->text; // never half of it
}
// Hashes are text: a JSON number would lose bits beyond 2^53. Seconds are left out, so that two
// runs from one seed write equal logs.
R1I_BODY void r1_grpo_log(const r1_grpo *run, r1_log_file *log) {
    if (!run) return;
    const r1_grpo_metrics *m = &run->metrics;
    char hash[24];
    r1_log_integer(log, "step", (int64_t)m->step);
    r1_log_number(log, "reward", m->reward);
    for (int i = 0; i < R1_MAX_PARTS && run->desc.parts[i]; i++)
        r1_log_number(log, run->desc.parts[i], m->parts[i]);
    r1_log_number(log, "length", m->length), r1_log_number(log, "truncated", m->truncated);
    r1_log_number(log, "entropy", m->entropy), r1_log_number(log, "kl", m->kl);
    r1_log_number(log, "clip_fraction", m->clip_fraction);
    r1_log_number(log, "ratio_error", m->ratio_error);
    r1_log_number(log, "informative_groups", m->informative);
    r1_log_number(log, "unjudged", m->unjudged);
    r1_log_integer(log, "dropped_groups", (int64_t)m->dropped);
    r1_log_number(log, "grad_norm", m->grad_norm), r1_log_number(log, "loss", m->loss);
    r1_log_number(log, "learning_rate", m->lr), r1_log_number(log, "expert_load", m->load_max);
    r1_log_integer(log, "tokens", (int64_t)m->tokens),
        r1_log_integer(log, "updates", (int64_t)m->updates);
    r1_log_integer(log, "resampled", (int64_t)m->resampled);
    if (run->desc.generate.speculate) r1_log_number(log, "draft_acceptance", m->acceptance);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)m->weight_hash);
    r1_log_text(log, "weight_hash", hash, 16);
}

// ---- checkpoints ----
#ifndef R1_NO_STDIO
// A checkpoint holds flat ranges, not parameters: "policy.0.w" is all decayed weights, ".m", ".v"
// their moments, "policy.bias" the router biases, "reference.0.w" the reference. Exact and quick,
// and readable by the same config only; r1_model_save is for exchange.
static bool r1i_checkpoint_model(r1_context *ctx, r1i_entries *list, r1_model *model,
                                 const char *prefix, bool moments) {
    char name[64];
    for (int r = 0; r < 3; r++) {
        r1_range *range = &model->ranges[r];
        r1i_real *parts[] = {range->w, moments ? range->m : NULL, moments ? range->v : NULL};
        for (int p = 0; p < 3; p++) {
            if (!parts[p]) continue;
            snprintf(name, sizeof name, "%s.%d.%c", prefix, r, "wmv"[p]);
            if (!r1i_entry_add(ctx, list, name, r1i_real_dtype, 1, &range->n, parts[p]))
                return false;
        }
    }
    size_t biases = model->routers * model->config.experts;
    snprintf(name, sizeof name, "%s.bias", prefix);
    return r1i_entry_add(ctx, list, name, r1i_real_dtype, 1, &biases, model->router_bias);
}
// What a checkpoint holds besides numbers of models: rollouts done, optimizer steps done, and the
// next prompt to ask for. Random numbers have no state, so nothing else is needed to go on.
typedef struct r1i_saved {
    uint64_t step, updates, next_prompt, silent, seed;
} r1i_saved;

// Eight digits, so that names sort like numbers; longer ones are read as well.
static void r1i_checkpoint_path(char *path, size_t size, const char *folder, uint64_t step) {
    snprintf(path, size, "%s/checkpoint-%08llu.safetensors", folder, (unsigned long long)step);
}
// One file, replaced as a whole: a crash leaves the old checkpoint or the new one. The config is
// stored to be compared, the note is the caller's.
static r1_status r1i_checkpoint_write(r1_context *ctx, const char *folder, r1_model *model,
                                      r1_model *reference, const r1i_saved *saved,
                                      const char *note) {
    char path[1024], numbers[128];
    r1i_entries list = {0};
    r1_json_writer config = {.ctx = ctx};
    if (strlen(folder) > sizeof path - 64)
        return r1i_fail(ctx, R1_ERROR_ARGUMENT, "checkpoint: the folder name is too long");
    r1_step_begin(ctx);
    r1i_config_write(&config, &model->config);
    r1i_checkpoint_path(path, sizeof path, folder, saved->step);
    snprintf(numbers, sizeof numbers, "%llu %llu %llu %llu %llu", (unsigned long long)saved->step,
             (unsigned long long)saved->updates, (unsigned long long)saved->next_prompt,
             (unsigned long long)saved->silent, (unsigned long long)ctx->seed);
    r1_pair pairs[] = {{"state", numbers}, {"config", config.text}, {"note", note ? note : ""}};
    if (r1_folder_make(ctx, folder) == R1_OK && config.text &&
        r1i_checkpoint_model(ctx, &list, model, "policy", true) &&
        (!reference || r1i_checkpoint_model(ctx, &list, reference, "reference", false)))
        r1_tensors_save(ctx, path, list.entries, list.n, pairs, 3);
    r1_json_writer_free(&config);
    r1i_free(ctx, list.entries);
    r1_step_end(ctx);
    return ctx->status;
}
// Steps of the checkpoints in a folder, newest first; returns how many there are, at most `most`.
static size_t r1i_checkpoint_list(const char *folder, uint64_t *steps, size_t most) {
    size_t n = 0;
    DIR *scan = opendir(folder);
    for (struct dirent *entry; scan && (entry = readdir(scan));) {
        const char *name = entry->d_name;
        uint64_t step = 0;
        const char *digit = name + 11;
        if (strncmp(name, "checkpoint-", 11)) continue;
        for (; *digit >= '0' && *digit <= '9'; digit++) step = step * 10 + (uint64_t)(*digit - '0');
        if (digit == name + 11 || strcmp(digit, ".safetensors")) continue;
        // Insertion into a list sorted downwards; the last place is given up when it is full.
        if (n == most && steps[most - 1] > step) continue;
        size_t at = n < most ? n++ : most - 1;
        for (; at > 0 && steps[at - 1] < step; at--) steps[at] = steps[at - 1];
        steps[at] = step;
    }
    if (scan) closedir(scan);
    return n;
}
// Keeps the newest that can be read back whole, its hash included, and the one before it. Two, so
// that a newest one that is damaged later still leaves one to go on from. Damaged ones that are
// newer do not count: a run that went on behind them comes to their steps again.
static void r1i_checkpoint_prune(r1_context *ctx, const char *folder) {
    uint64_t steps[64];
    char path[1024];
    size_t n = r1i_checkpoint_list(folder, steps, 64), newest = 0;
    if (n < 3 || ctx->status != R1_OK) return;
    for (bool found = false; newest < n && !found; newest += !found) {
        r1i_checkpoint_path(path, sizeof path, folder, steps[newest]);
        r1_tensors *file = r1_tensors_open(ctx, path);
        found = file != NULL;
        r1_tensors_close(file);
        if (ctx->status == R1_ERROR_MEMORY) return;
        r1_error_clear(ctx);
    }
    for (size_t i = newest + 2; i < n; i++) {
        r1i_checkpoint_path(path, sizeof path, folder, steps[i]);
        remove(path);
    }
}
// Copies one stored array to its place. Size and dtype must be exactly ours: anything widened or
// cut would not resume to the same bits.
static bool r1i_checkpoint_take(r1_context *ctx, const r1_tensors *file, const char *path,
                                const char *name, r1i_real *to, size_t n) {
    const r1_entry *entry = r1_tensors_find(file, name);
    if (!entry || entry->dtype != r1i_real_dtype || entry->bytes != n * sizeof *to) {
        r1i_fail(ctx, R1_ERROR_FORMAT,
                 "%s: \"%s\" is missing or has another size than this run; the "
                 "checkpoint belongs to another model or to other settings",
                 path, name);
        return false;
    }
    if (n && to) memcpy(to, entry->data, entry->bytes);
    return true;
}
// With `copy` false it only looks whether everything is there: a checkpoint is taken whole or not.
static bool r1i_checkpoint_read_model(r1_context *ctx, const r1_tensors *file, const char *path,
                                      r1_model *model, const char *prefix, bool moments,
                                      bool copy) {
    char name[64];
    for (int r = 0; r < 3; r++) {
        r1_range *range = &model->ranges[r];
        r1i_real *parts[] = {range->w, range->m, range->v};
        for (int p = 0; p < (moments ? 3 : 1); p++) {
            snprintf(name, sizeof name, "%s.%d.%c", prefix, r, "wmv"[p]);
            if (!r1i_checkpoint_take(ctx, file, path, name, copy ? parts[p] : NULL, range->n))
                return false;
        }
    }
    snprintf(name, sizeof name, "%s.bias", prefix);
    return r1i_checkpoint_take(ctx, file, path, name, copy ? model->router_bias : NULL,
                               model->routers * model->config.experts);
}
// Reads "step updates next_prompt"; false when a number is missing.
static bool r1i_checkpoint_numbers(r1_slice text, r1i_saved *saved) {
    uint64_t *fields[] = {&saved->step, &saved->updates, &saved->next_prompt, &saved->silent,
                          &saved->seed};
    size_t at = 0;
    for (int f = 0; f < 5; f++) {
        *fields[f] = 0;
        size_t first = at;
        for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
            *fields[f] = *fields[f] * 10 + (uint64_t)(text.data[at] - '0');
        if (at == first) return false;
        at++;
    }
    return true;
}
// Opening has checked the hash of every byte, so what is refused from here on is a checkpoint of
// another config or of other settings, such as one without the reference that this run needs.
static bool r1i_checkpoint_read(r1_context *ctx, const char *path, r1_model *model,
                                r1_model *reference, r1i_saved *saved, char *note,
                                size_t note_bytes) {
    r1_tensors *file = r1_tensors_open(ctx, path);
    if (!file) return false;
    r1_json_writer config = {.ctx = ctx};
    r1i_config_write(&config, &model->config);
    r1_slice stored = r1_tensors_metadata(file, "config"), text = r1_tensors_metadata(file, "note");
    bool fine =
        config.text && stored.size == config.size && !memcmp(stored.data, config.text, config.size);
    if (!fine)
        r1i_fail(ctx, R1_ERROR_FORMAT, "%s: the checkpoint is of a model with another config",
                 path);
    if (fine && !r1i_checkpoint_numbers(r1_tensors_metadata(file, "state"), saved)) {
        r1i_fail(ctx, R1_ERROR_FORMAT, "%s: the state of the run is missing", path);
        fine = false;
    }
    if (fine && saved->seed != ctx->seed) {
        r1i_fail(ctx, R1_ERROR_FORMAT, "%s: the run had seed %llu, this context has %llu", path,
                 (unsigned long long)saved->seed, (unsigned long long)ctx->seed);
        fine = false;
    }
    for (int copy = 0; copy < 2 && fine; copy++)
        fine = r1i_checkpoint_read_model(ctx, file, path, model, "policy", true, copy) &&
               (!reference ||
                r1i_checkpoint_read_model(ctx, file, path, reference, "reference", false, copy));
    if (fine && note && note_bytes) {
        size_t n = r1i_min(text.size, note_bytes - 1);
        if (n) memcpy(note, text.data, n);
        note[n] = 0;
    }
    r1_json_writer_free(&config);
    r1_tensors_close(file);
    return fine;
}
// The newest checkpoint that is whole; damaged ones are passed over, and the last reason is kept
// only when none is left.
static bool r1i_checkpoint_newest(r1_context *ctx, const char *folder, r1_model *model,
                                  r1_model *reference, r1i_saved *saved, char *note,
                                  size_t note_bytes) {
    uint64_t steps[64];
    char path[1024];
    size_t n = strlen(folder) > sizeof path - 64 ? 0 : r1i_checkpoint_list(folder, steps, 64);
    if (ctx->status != R1_OK) return false;
    for (size_t i = 0; i < n; i++) {
        r1_error_clear(ctx);
        r1i_checkpoint_path(path, sizeof path, folder, steps[i]);
        if (r1i_checkpoint_read(ctx, path, model, reference, saved, note, note_bytes)) return true;
        // Only damage is passed over: with more memory this one might be whole.
        if (ctx->status == R1_ERROR_MEMORY) return false;
    }
    if (!n) r1i_fail(ctx, R1_ERROR_FILE, "%s: there is no checkpoint to continue from", folder);
    return false;
}
// A supervised run counts optimizer steps only: both numbers of the state are the same.
R1I_BODY r1_status r1_trainer_save(r1_trainer *trainer, const char *folder, const char *note) {
    if (!trainer || trainer->ctx->status != R1_OK)
        return trainer ? trainer->ctx->status : R1_ERROR_ARGUMENT;
    r1i_saved saved = {.step = trainer->step, .updates = trainer->step};
    r1i_checkpoint_write(trainer->ctx, folder, trainer->model, NULL, &saved, note);
    r1i_checkpoint_prune(trainer->ctx, folder);
    return trainer->ctx->status;
}
R1I_BODY bool r1_trainer_resume(r1_trainer *trainer, const char *folder, char *note,
                                size_t note_bytes) {
    r1i_saved saved;
    if (!trainer) return false;
    if (!r1i_checkpoint_newest(trainer->ctx, folder, trainer->model, NULL, &saved, note,
                               note_bytes))
        return false;
    trainer->step = saved.updates;
    return true;
}
// rollout number, optimizer steps, next prompt: the three places from which all counters go on.
R1I_BODY r1_status r1_grpo_save(r1_grpo *run, const char *folder, const char *note) {
    if (!r1i_grpo_usable(run)) return r1i_grpo_status(run);
    r1i_saved saved = {.step = run->step,
                       .updates = run->trainer->step,
                       .next_prompt = run->next_prompt,
                       .silent = run->silent};
    r1i_checkpoint_write(run->ctx, folder, run->policy, run->reference, &saved, note);
    r1i_checkpoint_prune(run->ctx, folder);
    return run->ctx->status;
}
// The run must have been made with the desc of the one that was saved: a checkpoint knows the
// config of the model and nothing of the settings, which are in the log.
R1I_BODY bool r1_grpo_resume(r1_grpo *run, const char *folder, char *note, size_t note_bytes) {
    r1i_saved saved;
    if (!run) return false;
    if (!r1i_checkpoint_newest(run->ctx, folder, run->policy, run->reference, &saved, note,
                               note_bytes))
        return false;
    run->step = saved.step, run->trainer->step = saved.updates,
    run->next_prompt = saved.next_prompt;
    run->silent = (size_t)saved.silent;
    return true;
}
#endif
// Prompt, key and step are those of the original draw, and the counters do the rest; the run's
// place in its prompts is put back.
R1I_BODY r1_status r1_grpo_replay(r1_grpo *run, uint64_t step, uint64_t prompt,
                                  r1_rollout *rollout) {
    if (!r1i_grpo_usable(run)) return r1i_grpo_status(run);
    r1_generate_desc generate = run->desc.generate;
    generate.sampler.step = (uint32_t)step;
    uint64_t next = run->next_prompt;
    run->next_prompt = prompt;
    bool found = r1i_grpo_prompts(run, 1);
    run->next_prompt = next;
    if (!found) return run->ctx->status;
    return r1_generate(run->policy, rollout, run->prompts, 1, run->desc.group, &generate);
}

// ==== [report] ===================================================================================
// What a run did: an HTML page with SVG plots, a figure, tables and TensorBoard events, all drawn
// from its log alone.
// Calls [json] and [file]. Numbers are printed with our own digits, so no locale can show; texts of
// the log pass r1i_page_escape, so none can break the page.
#ifndef R1_NO_STDIO
// Bounds. Together they keep any log, however long or strange, below 300 KB of page. Head and
// samples come first and take at worst 65 KB (16 samples of 3.5 KB); a chart begins below
// R1I_REPORT_CHARTS and takes at worst 18 KB; 120 settings of 530 bytes are the rest. Charts come
// in the order of their weight, so a strange log costs the page its unknown keys only.
enum {
    R1I_REPORT_SERIES = 160,     // curves that are kept; later keys are left out
    R1I_REPORT_KEYS = 1024,      // columns of a CSV
    R1I_REPORT_LINES = 6,        // in one chart: as many as there are colours and dashes
    R1I_REPORT_POINTS = 400,     // of a line in a large chart
    R1I_REPORT_SMALL = 150,      // of a line in a small one
    R1I_REPORT_MARKS = 30,       // of a line; more would hide it
    R1I_REPORT_OTHERS = 12,      // charts of unknown keys
    R1I_REPORT_CHARTS = 215000,  // bytes of the page at which no further chart begins
    R1I_REPORT_SAMPLES = 8,      // pairs on the page
    R1I_REPORT_OPEN = 3,         // of them not folded
    R1I_REPORT_POOL = 32,        // samples of each side to choose pairs from
    R1I_REPORT_WINDOW = 1 << 16, // bytes that are read from each end of the samples
    R1I_REPORT_ROWS = 8,         // of settings that are kept, the newest
    R1I_REPORT_SETTINGS = 120    // rows of the table
};
// Larger numbers are a mistake of the run; without them spans and ticks cannot overflow.
#define R1I_REPORT_LARGEST      1e30
#define R1I_REPORT_LARGEST_STEP 1e12

// Stages that have curves. An evaluation is drawn at its RL step, so it shares that axis.
typedef enum r1i_report_stage {
    R1I_STAGE_PRETRAIN,
    R1I_STAGE_EVAL,
    R1I_STAGE_RL,
    R1I_STAGE_COUNT
} r1i_report_stage;

// A value and the step that it belongs to.
typedef struct r1i_point {
    double x, y;
} r1i_point;

// One key of one stage, over its steps.
typedef struct r1i_series {
    r1i_report_stage stage; // the same key may be in several
    bool drawn;             // in some chart
    bool based;             // the base model has been evaluated
    double base;            // and had this
    char *key;              // as the log has it
    r1i_point *points;      // steps rise
    size_t n, capacity;
} r1i_series;

// The samples of one side: all of one stage, or of one step of RL.
typedef struct r1i_samples {
    r1_json *rows[R1I_REPORT_POOL];
    size_t n;
    bool settled; // by rows of the stage that was looked for; steps of RL are only a stand-in
    double step;  // of the rows, when they are of RL
} r1i_samples;

// All that one page is made of.
typedef struct r1i_report {
    r1_context *ctx;
    r1_json_writer page; // only its growing text is used
    r1i_series series[R1I_REPORT_SERIES];
    size_t n_series, hint; // rows repeat their keys in one order: the next key is most often here
    double last[R1I_STAGE_COUNT];   // step of the newest row of each stage, 0 without one
    bool finished;                  // the newest row is the final evaluation
    char vote[24], weight_hash[40]; // vote: the name of cons@k with its k
    r1_json *settings[R1I_REPORT_ROWS], *opened[4 * R1I_REPORT_ROWS]; // rows; JSON inside of them
    size_t n_settings, n_opened;
    const char *group; // the heading under which charts stand now
    r1i_samples before, after;
} r1i_report;

// Goes over the lines of a text.
typedef struct r1i_report_lines {
    r1_context *ctx;
    const char *text;
    size_t size, at;
} r1i_report_lines;

// ---- text of a page ----
// Adds text that is HTML already. What is not a constant goes through a function below.
static void r1i_page_put(r1_json_writer *page, const char *text) {
    r1i_json_put(page, text, strlen(text));
}
// Short texts of the house and integers; never a text of the log, never a double.
static R1I_PRINTF(2, 3) void r1i_page_print(r1_json_writer *page, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r1i_page_put(page, text);
}
// What stands for a character that must not reach the page as it is; NULL when it may. Controls
// would be refused by a parser, and characters that turn the direction of writing would let a
// sample rearrange what stands around it.
static const char *r1i_page_entity(const unsigned char *p, size_t size) {
    static const char unknown[] = "&#65533;";
    if (size == 0) return unknown;
    if (size == 2) return p[0] == 0xc2 && p[1] < 0xa0 ? unknown : NULL;
    if (size == 3) {
        bool turns = p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
                                      (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
        bool nothing = p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe;
        return turns || nothing ? unknown : NULL;
    }
    static const char names[] = "&<>\"'";
    static const char *const values[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    const char *name = p[0] ? strchr(names, p[0]) : NULL;
    if (name) return values[name - names];
    return (p[0] < 0x20 && p[0] != '\n' && p[0] != '\t') || p[0] == 0x7f ? unknown : NULL;
}
// Text of the log, in at most about `limit` bytes of the page, and dots where it was cut.
static void r1i_page_escape(r1_json_writer *page, r1_slice text, size_t limit) {
    const unsigned char *p = (const unsigned char *)text.data;
    size_t end = r1i_size_add(page->size, limit);
    for (size_t at = 0, step; at < text.size && !page->failed; at += step) {
        if (page->size >= end) {
            r1i_page_put(page, "&#8230;");
            return;
        }
        size_t size = r1i_utf8_size(p + at, text.size - at);
        const char *entity = r1i_page_entity(p + at, size);
        step = size ? size : 1;
        if (entity)
            r1i_page_put(page, entity);
        else
            r1i_json_put(page, text.data + at, step);
    }
}
// A C string as a slice.
static r1_slice r1i_page_slice(const char *text) { return (r1_slice){text, strlen(text)}; }
// A key as words: clip_fraction is "clip fraction".
static void r1i_page_key(r1_json_writer *page, const char *key) {
    size_t start = page->size;
    r1i_page_escape(page, r1i_page_slice(key), 80);
    // In place: an entity has no underscore, so escaping first loses nothing.
    for (size_t i = start; i < page->size; i++)
        if (page->text[i] == '_') page->text[i] = ' ';
}
static void r1i_page_fixed(r1_json_writer *page, double value, int digits);
// A number with an exponent, for what would be too long without.
static void r1i_page_scientific(r1_json_writer *page, double value) {
    double size = fabs(value);
    int exponent = 0;
    for (; size >= 9.95 && exponent < 400; exponent++) size /= 10;
    for (; size < 0.995 && exponent > -400; exponent--) size *= 10;
    r1i_page_fixed(page, value < 0 ? -size : size, 1);
    r1i_page_print(page, "e%d", exponent);
}
// A number with this many digits behind the point.
static void r1i_page_fixed(r1_json_writer *page, double value, int digits) {
    int64_t scale = 1;
    if (!(fabs(value) < 1e12)) {
        r1i_page_scientific(page, value);
        return;
    }
    for (int i = 0; i < digits; i++) scale *= 10;
    int64_t scaled = (int64_t)(fabs(value) * (double)scale + 0.5);
    r1i_page_print(page, "%s%lld", value < 0 && scaled ? "-" : "", (long long)(scaled / scale));
    if (digits) r1i_page_print(page, ".%0*lld", digits, (long long)(scaled % scale));
}
// A number to be read by people: about three digits that matter.
static void r1i_page_value(r1_json_writer *page, double value) {
    double size = fabs(value);
    int digits = size == 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
    if (size == 0 || (size >= 1e-3 && size < 1e9))
        r1i_page_fixed(page, value, digits);
    else
        r1i_page_scientific(page, value);
}
// A coordinate, in tenths. By hand, since a page has some ten thousand of them.
static void r1i_page_coordinate(r1_json_writer *page, double value, char behind) {
    char text[16];
    size_t at = sizeof text;
    unsigned tenths = value > 0 ? (unsigned)(value * 10 + 0.5) : 0u;
    // From the last character to the first.
    text[--at] = behind;
    if (tenths % 10) {
        text[--at] = (char)('0' + tenths % 10);
        text[--at] = '.';
    }
    tenths /= 10;
    do text[--at] = (char)('0' + tenths % 10);
    while ((tenths /= 10) != 0);
    r1i_json_put(page, text + at, sizeof text - at);
}

// ---- the log into series ----
// The next line that is a JSON object, to be freed; NULL at the end. Lines that are none are
// passed over: a run that was killed may leave half a row.
static r1_json *r1i_report_next(r1i_report_lines *lines) {
    while (lines->at < lines->size) {
        const char *line = lines->text + lines->at;
        const char *end = (const char *)memchr(line, '\n', lines->size - lines->at);
        size_t size = end ? (size_t)(end - line) : lines->size - lines->at;
        lines->at += size + 1;
        r1_json *row = size ? r1_json_try(lines->ctx, line, size, NULL, 0) : NULL;
        if (row && row->kind == R1_JSON_OBJECT) return row;
        r1_json_free(lines->ctx, row);
    }
    return NULL;
}
// The path of a file in the folder of a run, to be freed.
static char *r1i_report_path(r1_context *ctx, const char *folder, const char *name) {
    size_t bytes = r1i_size_add(strlen(folder), strlen(name) + 2);
    char *path = (char *)r1i_alloc(ctx, bytes);
    if (path) snprintf(path, bytes, "%s/%s", folder, name);
    return path;
}
// Reads a file of a run; NULL and an error of the context when it is not there.
static char *r1i_report_read(r1_context *ctx, const char *folder, const char *name, size_t *size) {
    if (r1_status_of(ctx) != R1_OK) return NULL;
    if (!folder) {
        r1i_fail(ctx, R1_ERROR_ARGUMENT, "report: the folder is NULL; give the folder of a run");
        return NULL;
    }
    char *path = r1i_report_path(ctx, folder, name);
    char *text = path ? r1_file_read(ctx, path, size) : NULL;
    r1i_free(ctx, path);
    return text;
}
// Writes a finished text, if it was finished. The file of the step before stays until then, so that
// a browser never sees half a page.
static r1_status r1i_report_save(r1_context *ctx, const char *folder, const char *name,
                                 const r1_json_writer *page) {
    char *path = r1i_report_path(ctx, folder, name);
    if (path && !page->failed) r1_file_write(ctx, path, page->text ? page->text : "", page->size);
    r1i_free(ctx, path);
    return r1_status_of(ctx);
}
// The series of a key, NULL when the stage has not had that key yet.
static r1i_series *r1i_series_find(r1i_report *report, r1i_report_stage stage, r1_slice key) {
    size_t n = report->n_series;
    for (size_t i = 0; i < n; i++) {
        size_t at = (report->hint + i) % n;
        r1i_series *series = &report->series[at];
        if (series->stage != stage || !r1i_slice_is(key, series->key)) continue;
        report->hint = at + 1;
        return series;
    }
    return NULL;
}
// The same for a key of the house, by any of its names, and only with something to draw.
static r1i_series *r1i_series_of(r1i_report *report, r1i_report_stage stage, const char *key) {
    static const char *const also[][2] = {{"informative_groups", "informative"},
                                          {"expert_load", "load_max"},
                                          {"wait", "word_wait"},
                                          {"first_try", "first_try_right"},
                                          {"verdict_right", "verdicts_right"},
                                          {"repeats", "repeated_tries"}};
    r1i_series *series = r1i_series_find(report, stage, r1i_page_slice(key));
    for (size_t i = 0; !series && i < sizeof also / sizeof also[0]; i++)
        if (!strcmp(key, also[i][0]))
            series = r1i_series_find(report, stage, r1i_page_slice(also[i][1]));
    return series && series->n ? series : NULL;
}
// An empty series; NULL beyond the bound, which costs a curve and never the page.
static r1i_series *r1i_series_new(r1i_report *report, r1i_report_stage stage, r1_slice key) {
    if (report->n_series == R1I_REPORT_SERIES) return NULL;
    char *copy = r1i_copy_text(report->ctx, key.data, key.size);
    if (!copy) return NULL;
    r1i_series *series = &report->series[report->n_series++];
    *series = (r1i_series){.stage = stage, .key = copy};
    return series;
}
// Adds a number of a row to its series. Texts, null and booleans have no curve.
static void r1i_series_add(r1i_report *report, r1i_report_stage stage, const r1_json *member,
                           double x, bool base) {
    if (member->kind != R1_JSON_NUMBER || r1i_slice_is(member->key, "step")) return;
    // A run that diverges may log such a number; it would flatten all others.
    if (fabs(member->number) > R1I_REPORT_LARGEST) return;
    r1i_series *series = r1i_series_find(report, stage, member->key);
    if (!series) series = r1i_series_new(report, stage, member->key);
    if (!series) return;
    // A run that was resumed comes to some steps again: the later row holds.
    while (series->n && series->points[series->n - 1].x >= x) series->n--;
    if (base) series->based = true, series->base = member->number;
    if (r1i_grow(report->ctx, (void **)&series->points, &series->capacity, series->n + 1,
                 sizeof *series->points))
        series->points[series->n++] = (r1i_point){x, member->number};
}
// Keeps the k of cons@k and the newest hash of the weights.
static void r1i_report_notes(r1i_report *report, const r1_json *row) {
    // The k as it was written: 16 is then not 16.0.
    const r1_json *answers = r1_json_find(row, "k");
    r1_slice hash = r1_json_text(r1_json_find(row, "weight_hash"));
    if (answers && answers->kind == R1_JSON_NUMBER && answers->text.size < 16)
        snprintf(report->vote, sizeof report->vote, "cons@%s", answers->text.data);
    if (hash.size && hash.size < sizeof report->weight_hash)
        memcpy(report->weight_hash, hash.data, hash.size), report->weight_hash[hash.size] = 0;
}
// Keeps a row of settings. A text that is JSON itself, such as that of r1_grpo_settings, is opened:
// its fields are then fields of the row.
static void r1i_settings_take(r1i_report *report, r1_json *row) {
    r1_context *ctx = report->ctx;
    if (report->n_settings == R1I_REPORT_ROWS) {
        r1_json_free(ctx, report->settings[0]);
        memmove(report->settings, report->settings + 1, --report->n_settings * sizeof row);
    }
    report->settings[report->n_settings++] = row;
    for (r1_json *m = row->child; m; m = m->next) {
        bool object = m->kind == R1_JSON_STRING && m->text.size && m->text.data[0] == '{';
        if (!object || report->n_opened == 4 * R1I_REPORT_ROWS) continue;
        r1_json *inside = r1_json_try(ctx, m->text.data, m->text.size, NULL, 0);
        if (!inside) continue;
        report->opened[report->n_opened++] = inside; // it owns the nodes that are lent to the row
        m->kind = R1_JSON_OBJECT, m->child = inside->child, m->count = inside->count;
    }
}
// A setting by the newest row that has it, also one level down, since the settings of an algorithm
// are an object. NULL if there is none.
static const r1_json *r1i_setting(const r1i_report *report, const char *key) {
    for (size_t i = report->n_settings; i-- > 0;) {
        const r1_json *found = r1_json_find(report->settings[i], key);
        const r1_json *m = report->settings[i]->child;
        for (; !found && m; m = m->next) found = r1_json_find(m, key);
        if (found) return found;
    }
    return NULL;
}
// The stage and the step of a row, which moves `last` on; R1I_STAGE_COUNT for a row of other
// readers, and for an evaluation of something else, which has no point on these curves.
static int r1i_row_place(const r1_json *row, double last[R1I_STAGE_COUNT], double *x) {
    static const char *const names[R1I_STAGE_COUNT] = {"pretrain", "eval", "rl"};
    r1_slice name = r1_json_text(r1_json_find(row, "stage"));
    int stage = 0;
    while (stage < R1I_STAGE_COUNT && !r1i_slice_is(name, names[stage])) stage++;
    if (stage == R1I_STAGE_COUNT) return stage;
    *x = last[stage] + 1;
    if (stage == R1I_STAGE_EVAL) {
        const r1_json *at = r1_json_find(row, "at");
        r1_slice when = r1_json_text(at);
        bool base = r1i_slice_is(when, "base");
        if (at && !base && !r1i_slice_is(when, "final") && !r1i_slice_is(when, "step"))
            return R1I_STAGE_COUNT;
        *x = base ? 0 : last[R1I_STAGE_RL];
    }
    *x = r1_json_number(r1_json_find(row, "step"), *x);
    if (!(fabs(*x) <= R1I_REPORT_LARGEST_STEP)) return R1I_STAGE_COUNT;
    last[stage] = *x;
    return stage;
}
// Takes a row in; true when the report keeps it.
static bool r1i_report_row(r1i_report *report, r1_json *row) {
    double x;
    if (r1i_slice_is(r1_json_text(r1_json_find(row, "stage")), "settings")) {
        r1i_settings_take(report, row);
        return true;
    }
    int stage = r1i_row_place(row, report->last, &x);
    if (stage == R1I_STAGE_COUNT) return false;
    r1_slice when = r1_json_text(r1_json_find(row, "at"));
    bool base = stage == R1I_STAGE_EVAL && r1i_slice_is(when, "base");
    report->finished = stage == R1I_STAGE_EVAL && r1i_slice_is(when, "final");
    for (const r1_json *m = row->child; m; m = m->next)
        r1i_series_add(report, (r1i_report_stage)stage, m, x, base);
    r1i_report_notes(report, row);
    return false;
}
// Reads the log of a run. NULL and an error of the context when it cannot be read; to be freed.
static r1i_report *r1i_report_new(r1_context *ctx, const char *folder) {
    size_t size = 0;
    r1_json *row;
    char *text = r1i_report_read(ctx, folder, "metrics.jsonl", &size);
    r1i_report *report = text ? (r1i_report *)r1i_alloc(ctx, sizeof *report) : NULL;
    if (report) {
        r1i_report_lines lines = {ctx, text, size, 0};
        report->ctx = report->page.ctx = ctx;
        snprintf(report->vote, sizeof report->vote, "cons@k");
        while ((row = r1i_report_next(&lines)) != NULL)
            if (!r1i_report_row(report, row)) r1_json_free(ctx, row);
    }
    r1_file_free(ctx, text);
    return report;
}
// Frees the rows of one side.
static void r1i_samples_clear(r1_context *ctx, r1i_samples *samples) {
    for (size_t i = 0; i < samples->n; i++) r1_json_free(ctx, samples->rows[i]);
    samples->n = 0;
}
// Frees a report and all that it holds. NULL is fine.
static void r1i_report_free(r1i_report *report) {
    if (!report) return;
    r1_context *ctx = report->ctx;
    for (size_t i = 0; i < report->n_series; i++) {
        r1i_free(ctx, report->series[i].key);
        r1i_free(ctx, report->series[i].points);
    }
    r1i_samples_clear(ctx, &report->before);
    r1i_samples_clear(ctx, &report->after);
    for (size_t i = 0; i < report->n_settings; i++) r1_json_free(ctx, report->settings[i]);
    for (size_t i = 0; i < report->n_opened; i++) r1_json_free(ctx, report->opened[i]);
    r1_json_writer_free(&report->page);
    r1i_free(ctx, report);
}

// ---- charts ----
enum {
    R1I_CHART_UNIT = 1,  // the axis is 0 to 1
    R1I_CHART_FLOAT = 2, // it need not begin at zero when all values are far from it
    R1I_CHART_NAMED = 4  // the title does not say which key a single line shows
};

// Ticks stand at first to last times digit * 10^exponent, where digit is 1, 2 or 5.
typedef struct r1i_axis {
    double low, high; // of the drawing
    int64_t first, last;
    int digit, exponent;
} r1i_axis;

// A series as a line of a chart.
typedef struct r1i_line {
    r1i_series *series; // NULL is no line
    const char *label;  // NULL is the key
    bool marked;        // few points that were measured, each with a mark
    int look;           // colour, dash and mark; most often its place in the chart
} r1i_line;

// A chart in the making. One object serves all charts of a page, one after the other, since its
// thinned points are large.
typedef struct r1i_chart {
    const char *title, *unit, *steps; // steps: the title of the x axis
    int flags, width, height;         // R1I_CHART_...; units of the viewBox
    r1i_line lines[R1I_REPORT_LINES];
    int n;
    bool based; // a dashed line shows what the base model had: `base`
    double base;
    // the rest is filled in when it is drawn
    r1i_point points[R1I_REPORT_LINES][R1I_REPORT_POINTS];
    size_t counts[R1I_REPORT_LINES];
    r1i_axis x, y;
    double left, top, right, bottom; // of the plot, inside the labels
} r1i_chart;

// Adds a line, unless the chart is full or has that series already (the weights of the reward may
// name what the plan names too).
static void r1i_chart_add(r1i_chart *chart, r1i_series *series, const char *label, bool marked) {
    if (!series || chart->n == R1I_REPORT_LINES) return;
    for (int i = 0; i < chart->n; i++)
        if (chart->lines[i].series == series) return;
    series->drawn = true;
    if (series->based && !chart->based) chart->based = true, chart->base = series->base;
    chart->lines[chart->n] = (r1i_line){series, label, marked, chart->n};
    chart->n++;
}
// The name of a line: its label, or the words of its key.
static void r1i_line_label(r1_json_writer *page, const r1i_line *line) {
    if (line->label)
        r1i_page_escape(page, r1i_page_slice(line->label), 80);
    else
        r1i_page_key(page, line->series->key);
}
// At most `limit` points: the mean of each bucket of neighbours.
static size_t r1i_series_thin(const r1i_series *series, size_t limit, r1i_point *dst) {
    size_t count = r1i_min(series->n, limit);
    for (size_t b = 0; b < count; b++) {
        // Whole buckets of nearly equal size: no point is dropped, none counts twice.
        size_t from = b * series->n / count, to = (b + 1) * series->n / count;
        double x = 0, y = 0;
        for (size_t i = from; i < to; i++) x += series->points[i].x, y += series->points[i].y;
        dst[b] = (r1i_point){x / (double)(to - from), y / (double)(to - from)};
    }
    return count;
}
// The value of tick k, by the decimal that its label shows: 3 times 0.1 is 0.3.
static double r1i_axis_tick(const r1i_axis *axis, int64_t k) {
    char text[48];
    int size = snprintf(text, sizeof text, "%llde%d", (long long)(k * axis->digit), axis->exponent);
    return r1i_decimal(text, (size_t)size);
}
// Chooses round ticks, about `wanted` of them, that enclose low and high.
static void r1i_axis_fit(r1i_axis *axis, double low, double high, int wanted, bool whole) {
    double span = high - low, power = 1;
    int exponent = 0;
    if (!(span > fabs(high) * 1e-9)) span = high != 0 ? fabs(high) : 1, high = low + span;
    double step = span / wanted;
    for (; power * 10 <= step && exponent < 40; exponent++) power *= 10;
    for (; power > step && exponent > -40; exponent--) power /= 10;
    double digit = step / power;
    // The power of ten below the step that `wanted` ticks would have.
    // 1, 2 or 5, whichever is nearest in ratio, gives four to seven ticks.
    *axis = (r1i_axis){.low = low, .high = high, .digit = 1, .exponent = exponent};
    if (digit > 7)
        axis->exponent++, power *= 10;
    else if (digit > 1.4)
        axis->digit = digit > 3 ? 5 : 2;
    // There is no half step.
    if (whole && axis->exponent < 0) axis->digit = 1, axis->exponent = 0, power = 1;
    step = power * axis->digit;
    axis->first = (int64_t)floor(low / step + 1e-9);
    axis->last = (int64_t)ceil(high / step - 1e-9);
}
// Thins the lines and sets the axes around them. The steps are not thinned: means would hide the
// first and the last.
static void r1i_chart_fit(r1i_chart *chart, size_t limit) {
    double low[2] = {0, 0}, high[2] = {0, 0};
    bool any = false;
    for (int i = 0; i < chart->n; i++) {
        const r1i_series *series = chart->lines[i].series;
        chart->counts[i] = r1i_series_thin(series, limit, chart->points[i]);
        for (size_t p = 0; p < chart->counts[i]; p++, any = true) {
            bool last = p + 1 == chart->counts[i];
            double step = series->points[last ? series->n - 1 : 0].x;
            double at[2] = {step, chart->points[i][p].y};
            for (int d = 0; d < 2; d++) {
                if (!any || at[d] < low[d]) low[d] = at[d];
                if (!any || at[d] > high[d]) high[d] = at[d];
            }
        }
    }
    // A curve that only shows its wiggles lies; an axis leaves zero out only where it was asked to.
    bool near_zero = !(chart->flags & R1I_CHART_FLOAT) || low[1] < 0.6 * high[1];
    if (low[0] > 0 && low[0] < 0.3 * high[0]) low[0] = 0;
    if (low[0] == high[0]) low[0] = 0;
    if (low[1] > 0 && (near_zero || low[1] == high[1])) low[1] = 0;
    if (high[1] < 0) high[1] = 0;
    if ((chart->flags & R1I_CHART_UNIT) && low[1] >= 0 && high[1] <= 1) low[1] = 0, high[1] = 1;
    r1i_axis_fit(&chart->x, low[0], high[0], 6, true);
    r1i_axis_fit(&chart->y, low[1], high[1], 4, false);
    chart->y.low = r1i_axis_tick(&chart->y, chart->y.first);
    chart->y.high = r1i_axis_tick(&chart->y, chart->y.last);
}
// From a step to a place. The axis has a length, r1i_axis_fit sees to that.
static double r1i_chart_x(const r1i_chart *chart, double x) {
    const r1i_axis *a = &chart->x;
    return chart->left + (x - a->low) / (a->high - a->low) * (chart->right - chart->left);
}
// From a value to a place; SVG counts downwards.
static double r1i_chart_y(const r1i_chart *chart, double y) {
    const r1i_axis *a = &chart->y;
    return chart->bottom - (y - a->low) / (a->high - a->low) * (chart->bottom - chart->top);
}
// The label of a tick; thousands are short, since phones are narrow.
static void r1i_axis_label(const r1i_axis *axis, int64_t k, char dst[R1I_DECIMAL_BYTES]) {
    r1i_axis thousands = *axis;
    // Between 1e3 and 1e6 steps; beyond that the exponent of the number is shorter.
    bool large = axis->exponent >= 3 && axis->exponent < 6;
    if (large) thousands.exponent -= 3;
    r1i_print_decimal(r1i_axis_tick(&thousands, k), dst);
    size_t size = strlen(dst);
    if (large && k && size + 2 < R1I_DECIMAL_BYTES) memcpy(dst + size, "k", 2);
    char *zero = strstr(dst, "e-0"); // 2e-05 is 2e-5
    if (zero) memmove(zero + 2, zero + 3, strlen(zero + 2));
}
// A mark at a point, as a part of a path. Shapes differ, so that they are told apart without
// colour.
static void r1i_chart_mark(r1_json_writer *page, int shape, double x, double y) {
    static const char *const shapes[4] = {"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
                                          "m-3.7-3.7h7.4v7.4h-7.4z", "m0-5l4.6 8.4h-9.2z",
                                          "m0-5.2l5 5.2-5 5.2-5-5.2z"};
    r1i_page_put(page, "M");
    r1i_page_coordinate(page, x, ' ');
    r1i_page_coordinate(page, y, ' ');
    r1i_page_put(page, shapes[shape % 4]);
}
// What a line does, in words: "train: 0.60 to 0.99".
static void r1i_line_describe(r1_json_writer *page, const r1i_line *line) {
    const r1i_series *series = line->series;
    r1i_line_label(page, line);
    r1i_page_put(page, ": ");
    r1i_page_value(page, series->points[0].y);
    if (series->n < 2) return;
    r1i_page_put(page, " to ");
    r1i_page_value(page, series->points[series->n - 1].y);
}
// A line with its name as a tooltip, and marks where single points matter: in evaluations, and for
// a line that has one point only and would not be seen without.
static void r1i_chart_line(r1_json_writer *page, const r1i_chart *chart, int i) {
    const r1i_point *points = chart->points[i];
    size_t count = chart->counts[i];
    int look = chart->lines[i].look;
    r1i_page_print(page, "<g class=\"s%d\"><title>", look);
    r1i_line_describe(page, &chart->lines[i]);
    r1i_page_put(page, "</title>");
    if (count > 1) {
        r1i_page_put(page, chart->lines[i].marked ? "<polyline class=\"l k\" points=\""
                                                  : "<polyline class=\"l\" points=\"");
        for (size_t p = 0; p < count; p++) {
            r1i_page_coordinate(page, r1i_chart_x(chart, points[p].x), ',');
            r1i_page_coordinate(page, r1i_chart_y(chart, points[p].y), ' ');
        }
        r1i_page_put(page, "\"/>");
    }
    bool marks = count == 1 || (chart->lines[i].marked && count <= R1I_REPORT_MARKS);
    if (marks) r1i_page_put(page, "<path class=\"m\" d=\"");
    for (size_t p = 0; marks && p < count; p++)
        r1i_chart_mark(page, look, r1i_chart_x(chart, points[p].x),
                       r1i_chart_y(chart, points[p].y));
    r1i_page_put(page, marks ? "\"/></g>" : "</g>");
}
// Title and unit, and a legend where the title does not name the line. Sets the chart's top.
static void r1i_chart_head(r1_json_writer *page, r1i_chart *chart) {
    double x = 8, y = 44;
    r1i_page_put(page, "<text class=\"h\" x=\"8\" y=\"20\">");
    r1i_page_key(page, chart->title);
    r1i_page_put(page, "<tspan class=\"u\" dx=\"8\">");
    r1i_page_escape(page, r1i_page_slice(chart->unit), 80);
    r1i_page_put(page, "</tspan></text>");
    chart->top = 36;
    if (chart->n == 1 && !chart->lines[0].label && !(chart->flags & R1I_CHART_NAMED)) return;
    for (int i = 0; i < chart->n; i++) {
        const r1i_line *line = &chart->lines[i];
        size_t letters = strlen(line->label ? line->label : line->series->key);
        double width = 30 + 7.2 * (double)r1i_min(letters, 40) + 14; // of common letters at 12 px
        // Wrapped by an estimate, for a text has no width before a browser sets it.
        if (i && x + width > chart->width) x = 8, y += 18;
        r1i_page_print(page, "<g class=\"s%d\"><path class=\"l\" d=\"M%d %dh24\"/>", line->look,
                       (int)x, (int)y - 4);
        if (line->marked) {
            r1i_page_put(page, "<path class=\"m\" d=\"");
            r1i_chart_mark(page, line->look, x + 12, y - 4);
            r1i_page_put(page, "\"/>");
        }
        r1i_page_print(page, "</g><text x=\"%d\" y=\"%d\">", (int)x + 30, (int)y);
        r1i_line_label(page, line);
        r1i_page_put(page, "</text>");
        x += width;
    }
    chart->top = y + 18;
}
// The newest value of a line.
static double r1i_line_last(const r1i_line *line) {
    return line->series->points[line->series->n - 1].y;
}
// How many letters the longest label behind the ends of the lines has.
static size_t r1i_chart_end_letters(r1_json_writer *page, const r1i_chart *chart) {
    size_t widest = 1, start = page->size;
    for (int i = 0; i < chart->n; i++) {
        r1i_page_value(page, r1i_line_last(&chart->lines[i]));
        widest = r1i_max(widest, page->size - start);
        page->size = start; // only to be measured
    }
    return widest;
}
// The newest value behind the end of each line, moved apart where lines end together.
static void r1i_chart_ends(r1_json_writer *page, const r1i_chart *chart) {
    double at[R1I_REPORT_LINES];
    int order[R1I_REPORT_LINES], n = chart->n;
    const double gap = 13, lowest = chart->bottom + 4;
    for (int i = 0; i < n; i++) {
        int k = i;
        at[i] = r1i_chart_y(chart, chart->points[i][chart->counts[i] - 1].y) + 4;
        for (; k > 0 && at[order[k - 1]] > at[i]; k--) order[k] = order[k - 1];
        order[k] = i;
    }
    for (int k = 1; k < n; k++)
        if (at[order[k]] < at[order[k - 1]] + gap) at[order[k]] = at[order[k - 1]] + gap;
    // What was pushed below the axis goes back up, and pushes in turn.
    for (int k = n - 1; k >= 0; k--) {
        double limit = k == n - 1 ? lowest : at[order[k + 1]] - gap;
        if (at[order[k]] > limit) at[order[k]] = limit;
        r1i_page_print(page, "<text class=\"v s%d\" x=\"%d\" y=\"", chart->lines[order[k]].look,
                       (int)chart->right + 6);
        r1i_page_coordinate(page, at[order[k]], '"');
        r1i_page_put(page, ">");
        r1i_page_value(page, r1i_line_last(&chart->lines[order[k]]));
        r1i_page_put(page, "</text>");
    }
}
// A dashed line at what the base model had. Its name stands on the side that the curve left.
static void r1i_chart_base(r1_json_writer *page, const r1i_chart *chart) {
    double y = r1i_chart_y(chart, chart->base);
    bool rose = r1i_line_last(&chart->lines[chart->n - 1]) >= chart->base;
    bool below = rose ? y + 16 < chart->bottom : y - 16 < chart->top;
    r1i_page_print(page, "<path class=\"b\" d=\"M%d ", (int)chart->left);
    r1i_page_coordinate(page, y, 'H');
    r1i_page_print(page, "%d\"/><text class=\"n e\" x=\"%d\" y=\"", (int)chart->right,
                   (int)chart->right - 4);
    r1i_page_coordinate(page, below ? y + 13 : y - 5, '"');
    r1i_page_put(page, ">base ");
    r1i_page_value(page, chart->base);
    r1i_page_put(page, "</text>");
}
// Grid, ticks and labels.
static void r1i_chart_axes(r1_json_writer *page, r1i_chart *chart) {
    char label[R1I_DECIMAL_BYTES];
    size_t widest = 1;
    for (int64_t k = chart->y.first; k <= chart->y.last; k++) {
        r1i_axis_label(&chart->y, k, label);
        widest = r1i_max(widest, strlen(label));
    }
    // Wide enough for the longest label, so that no digit is cut off at the edge.
    chart->left = 18 + 7 * (double)r1i_min(widest, 12);
    chart->right = chart->width - 14 - 7.5 * (double)r1i_chart_end_letters(page, chart);
    chart->bottom = chart->height - 42;
    for (int64_t k = chart->y.first; k <= chart->y.last; k++) {
        double y = r1i_chart_y(chart, r1i_axis_tick(&chart->y, k));
        r1i_axis_label(&chart->y, k, label);
        r1i_page_print(page, "<path class=\"%s\" d=\"M%d ", k == chart->y.first ? "a" : "g",
                       (int)chart->left);
        r1i_page_coordinate(page, y, 'H');
        r1i_page_print(page, "%d\"/><text class=\"e\" x=\"%d\" y=\"", (int)chart->right,
                       (int)chart->left - 7);
        r1i_page_coordinate(page, y + 4, '"');
        r1i_page_print(page, ">%s</text>", label);
    }
    for (int64_t k = chart->x.first; k <= chart->x.last; k++) {
        double value = r1i_axis_tick(&chart->x, k);
        // The x axis ends at the data and not at a tick, so the outer ticks may lie outside.
        if (value < chart->x.low || value > chart->x.high) continue;
        r1i_axis_label(&chart->x, k, label);
        r1i_page_put(page, "<path class=\"a\" d=\"M");
        r1i_page_coordinate(page, r1i_chart_x(chart, value), ' ');
        r1i_page_print(page, "%dv4\"/><text class=\"c\" x=\"", (int)chart->bottom);
        r1i_page_coordinate(page, r1i_chart_x(chart, value), '"');
        r1i_page_print(page, " y=\"%d\">%s</text>", (int)chart->bottom + 17, label);
    }
    r1i_page_print(page, "<text class=\"c u\" x=\"%d\" y=\"%d\">%s</text>",
                   (int)(chart->left + chart->right) / 2, chart->height - 8, chart->steps);
}
// The inside of an SVG.
static void r1i_chart_body(r1_json_writer *page, r1i_chart *chart) {
    r1i_chart_fit(chart, chart->width >= 400 ? R1I_REPORT_POINTS : R1I_REPORT_SMALL);
    r1i_chart_head(page, chart);
    r1i_chart_axes(page, chart);
    if (chart->based) r1i_chart_base(page, chart);
    for (int i = 0; i < chart->n; i++)
        r1i_chart_line(page, chart, i); // dashes lie on the full line
    r1i_chart_ends(page, chart);
}
// What is seen, for those who do not see it.
static void r1i_chart_label(r1_json_writer *page, const r1i_chart *chart) {
    r1i_page_key(page, chart->title);
    r1i_page_print(page, " by %s", chart->steps);
    for (int i = 0; i < chart->n; i++) {
        r1i_page_put(page, i ? "; " : ". ");
        r1i_line_describe(page, &chart->lines[i]);
    }
}
// A chart as a figure of the page; nothing for a chart without lines, or on a page that is full.
static void r1i_chart_draw(r1_json_writer *page, r1i_chart *chart) {
    if (!chart->n || page->size > R1I_REPORT_CHARTS) return;
    r1i_page_print(page, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                   chart->width, chart->height);
    r1i_chart_label(page, chart);
    r1i_page_put(page, "\">");
    r1i_chart_body(page, chart);
    r1i_page_put(page, "</svg></figure>\n");
}

// ---- which charts there are ----
// A small chart: keys of one stage that are read together. A single key of RL is shown with its
// evaluations, if it has some.
typedef struct r1i_chart_plan {
    const char *group, *title, *unit; // the heading that it stands under; unit: of the y axis
    r1i_report_stage stage;
    int flags;
    const char *keys[R1I_REPORT_LINES]; // those that the log lacks are left out
} r1i_chart_plan;

#define R1I_GROUP_WORDS  "Length and words"
#define R1I_GROUP_POLICY "Health of the policy"
#define R1I_GROUP_INSIDE "Inside the answers"

// In the order in which one looks at a run that went wrong: reward, behaviour, policy, optimizer,
// machinery, and last where it came from.
static const r1i_chart_plan r1i_chart_plans[] = {
    {R1I_GROUP_WORDS, "The word \"wait\"", "times an answer", R1I_STAGE_RL, 0, {"wait"}},
    // The components apart: a reward that rises by its format alone teaches no answers.
    {"Reward",
     "Reward by component",
     "mean of the answers",
     R1I_STAGE_RL,
     R1I_CHART_NAMED,
     {"reward", "accuracy", "format", "language"}},
    {"Reward", "Format", "share of answers in form", R1I_STAGE_RL, R1I_CHART_UNIT, {"format"}},
    // Truncated answers look like wrong ones, and unjudged ones are missing from their group.
    {"Reward",
     "Cut or not judged",
     "share of answers",
     R1I_STAGE_RL,
     R1I_CHART_NAMED,
     {"truncated", "unjudged"}},
    // A fall to zero ends exploration, a rise says that the policy dissolves.
    {R1I_GROUP_POLICY, "Entropy", "nats a token", R1I_STAGE_RL, 0, {"entropy"}},
    // How far the policy went from the reference; zero where KL is off.
    {R1I_GROUP_POLICY, "KL", "to the reference, nats a token", R1I_STAGE_RL, 0, {"kl"}},
    // Many clipped tokens: the steps are too large for their batch.
    {R1I_GROUP_POLICY, "Clip fraction", "share of tokens", R1I_STAGE_RL, 0, {"clip_fraction"}},
    // Groups whose answers differ in reward. Near zero there is nothing left to learn from.
    {R1I_GROUP_POLICY,
     "Informative groups",
     "share of groups",
     R1I_STAGE_RL,
     R1I_CHART_UNIT,
     {"informative_groups"}},
    // 1 is perfect balance; the number of experts is a collapse to one of them.
    {R1I_GROUP_POLICY,
     "Expert load",
     "busiest expert / mean",
     R1I_STAGE_RL,
     R1I_CHART_FLOAT,
     {"expert_load"}},
    // A spike here comes before a collapse elsewhere.
    {R1I_GROUP_POLICY, "Gradient norm", "before clipping", R1I_STAGE_RL, 0, {"grad_norm"}},
    // Not a measure of progress: on-policy it is about zero whatever happens.
    {R1I_GROUP_POLICY, "Policy loss", "near 0 by design", R1I_STAGE_RL, R1I_CHART_FLOAT, {"loss"}},
    // The one arithmetic: sampler and trainer agree to the bit, or this is not zero.
    {R1I_GROUP_POLICY, "Ratio error", "0 when on-policy", R1I_STAGE_RL, 0, {"ratio_error"}},
    // The schedule as it was, and not as it was meant.
    {R1I_GROUP_POLICY, "Learning rate", "", R1I_STAGE_RL, 0, {"learning_rate"}},
    // What an answer is made of, where the task can tell its steps apart.
    {R1I_GROUP_INSIDE, "First try right", "share of answers", R1I_STAGE_RL, 0, {"first_try"}},
    {R1I_GROUP_INSIDE,
     "Corrected errors",
     "right after a wrong first try",
     R1I_STAGE_RL,
     0,
     {"corrected"}},
    {R1I_GROUP_INSIDE, "Right tries", "share of tries", R1I_STAGE_RL, 0, {"per_try"}},
    {R1I_GROUP_INSIDE, "Tries", "an answer", R1I_STAGE_RL, 0, {"tries"}},
    {R1I_GROUP_INSIDE, "Sums right", "share of sums", R1I_STAGE_RL, 0, {"sums_right"}},
    {R1I_GROUP_INSIDE, "Late sums right", "share of sums", R1I_STAGE_RL, 0, {"late_sums_right"}},
    {R1I_GROUP_INSIDE, "Verdicts right", "share of verdicts", R1I_STAGE_RL, 0, {"verdict_right"}},
    {R1I_GROUP_INSIDE, "False yes", "share of answers", R1I_STAGE_RL, 0, {"false_yes"}},
    {R1I_GROUP_INSIDE, "Repeats", "share of tries made before", R1I_STAGE_RL, 0, {"repeats"}},
    // Flat long before the end: fewer steps would do. Still falling: RL begins too early.
    {"Pre-training",
     "Pre-training loss",
     "nats a token",
     R1I_STAGE_PRETRAIN,
     0,
     {"loss", "mtp_loss"}},
    {"Pre-training",
     "Pre-training expert load",
     "busiest / mean",
     R1I_STAGE_PRETRAIN,
     R1I_CHART_FLOAT,
     {"expert_load"}},
    {"Pre-training", "Pre-training gradient norm", "", R1I_STAGE_PRETRAIN, 0, {"grad_norm"}},
    {"Pre-training", "Pre-training learning rate", "", R1I_STAGE_PRETRAIN, 0, {"learning_rate"}},
};
// The words that the paper counts in its Figure 9. A log counts any of them, or others under keys
// that begin with "word_".
static const char *const r1i_reflective_words[] = {
    "wait", "mistake", "however", "but", "retry", "error", "verify", "wrong", "evaluate", "check"};
enum { R1I_REFLECTIVE_WORDS = sizeof r1i_reflective_words / sizeof r1i_reflective_words[0] };
// The title of the x axis.
static const char *const r1i_stage_steps[R1I_STAGE_COUNT] = {"pre-training step", "RL step",
                                                             "RL step"};

// An empty chart. Large ones are narrow in their own units, so that their text is still readable
// when a phone scales them down.
static void r1i_chart_start(r1i_chart *chart, const char *title, const char *unit,
                            r1i_report_stage stage, int flags, bool large) {
    chart->title = title, chart->unit = unit, chart->steps = r1i_stage_steps[stage];
    chart->flags = flags, chart->n = 0, chart->based = false;
    chart->width = large ? 400 : 340, chart->height = large ? 270 : 220;
}
// Whether a stage has any curve.
static bool r1i_report_has(const r1i_report *report, r1i_report_stage stage) {
    for (size_t i = 0; i < report->n_series; i++)
        if (report->series[i].stage == stage && report->series[i].n) return true;
    return false;
}
// One of the two panels of the main figure. Before there is anything of RL to show, they show how
// the base model comes about.
static void r1i_report_panel(r1i_report *report, r1i_chart *chart, int panel) {
    if (!r1i_report_has(report, R1I_STAGE_RL) && !r1i_report_has(report, R1I_STAGE_EVAL)) {
        const r1i_report_stage stage = R1I_STAGE_PRETRAIN;
        r1i_chart_start(chart, panel ? "Expert load" : "Pre-training loss",
                        panel ? "busiest / mean" : "nats a token", stage,
                        panel ? R1I_CHART_FLOAT : 0, true);
        r1i_chart_add(chart, r1i_series_of(report, stage, panel ? "expert_load" : "loss"), NULL,
                      false);
        if (!panel) r1i_chart_add(chart, r1i_series_of(report, stage, "mtp_loss"), NULL, false);
    } else if (panel == 0) {
        r1i_chart_start(chart, "Accuracy", "share of right answers", R1I_STAGE_RL, R1I_CHART_UNIT,
                        true);
        r1i_chart_add(chart, r1i_series_of(report, R1I_STAGE_RL, "accuracy"), "train", false);
        r1i_chart_add(chart, r1i_series_of(report, R1I_STAGE_EVAL, "pass_at_1"), "pass@1", true);
        r1i_chart_add(chart, r1i_series_of(report, R1I_STAGE_EVAL, "cons_at_k"), report->vote,
                      true);
    } else {
        r1i_chart_start(chart, "Response length", "tokens an answer", R1I_STAGE_RL, 0, true);
        r1i_chart_add(chart, r1i_series_of(report, R1I_STAGE_RL, "length"), "train", false);
        r1i_chart_add(chart, r1i_series_of(report, R1I_STAGE_EVAL, "length"), "evaluation", true);
    }
}
// Opens the grid that stands under a heading, if it is not open.
static void r1i_group_open(r1i_report *report, const char *group) {
    r1_json_writer *page = &report->page;
    if (report->group && !strcmp(report->group, group)) return;
    if (report->group) r1i_page_put(page, "</div>\n");
    r1i_page_print(page, "<h2>%s</h2>\n<div class=\"small\">\n", group);
    report->group = group;
}
// A chart in its group, if it has a line.
static void r1i_group_draw(r1i_report *report, r1i_chart *chart, const char *group) {
    if (!chart->n || report->page.size > R1I_REPORT_CHARTS) return;
    r1i_group_open(report, group);
    r1i_chart_draw(&report->page, chart);
}
// Puts a key of RL into a chart together with its evaluations.
static void r1i_chart_add_both(r1i_report *report, r1i_chart *chart, const char *key) {
    r1i_series *series = r1i_series_of(report, R1I_STAGE_RL, key);
    r1i_series *evaluation = r1i_series_of(report, R1I_STAGE_EVAL, key);
    r1i_chart_add(chart, series, evaluation ? "train" : NULL, false);
    r1i_chart_add(chart, evaluation, "evaluation", true);
}
// Evaluations on other problems: "sets_pass_at_1" is the pass@1 of a chart "Accuracy: sets".
static void r1i_report_accuracies(r1i_report *report, r1i_chart *chart) {
    static const char pass[] = "_pass_at_1", cons[] = "_cons_at_k";
    for (size_t i = 0; i < report->n_series; i++) {
        r1i_series *series = &report->series[i];
        size_t size = strlen(series->key), head = size - r1i_min(size, sizeof pass - 1);
        char title[80], vote[80];
        if (series->stage != R1I_STAGE_EVAL || !series->n || head == 0 || head > 40) continue;
        if (strcmp(series->key + head, pass)) continue;
        snprintf(title, sizeof title, "Accuracy: %.*s", (int)head, series->key);
        snprintf(vote, sizeof vote, "%.*s%s", (int)head, series->key, cons);
        r1i_chart_start(chart, title, "share of right answers", R1I_STAGE_RL, R1I_CHART_UNIT,
                        false);
        r1i_chart_add(chart, series, "pass@1", true);
        r1i_chart_add(chart, r1i_series_of(report, R1I_STAGE_EVAL, vote), report->vote, true);
        // As in the main figure, where the first look is that of training.
        for (int k = 0; k < chart->n; k++) chart->lines[k].look = k + 1;
        r1i_group_draw(report, chart, "Accuracy on other problems");
    }
}
// The word that a key counts; NULL when it counts none.
static const char *r1i_word_of(const char *key) {
    if (!strncmp(key, "word_", 5) && key[5]) return key + 5;
    for (int i = 0; i < R1I_REFLECTIVE_WORDS; i++)
        if (!strcmp(key, r1i_reflective_words[i])) return key;
    return NULL;
}
// All words but "wait", which has a chart of its own, as many in a chart as it takes.
static void r1i_report_words(r1i_report *report, r1i_chart *chart) {
    chart->n = 0;
    for (size_t i = 0; i < report->n_series; i++) {
        r1i_series *series = &report->series[i];
        const char *word = series->stage == R1I_STAGE_RL ? r1i_word_of(series->key) : NULL;
        if (!word || series->drawn || !series->n) continue;
        if (!chart->n)
            r1i_chart_start(chart, "Words", "times an answer", R1I_STAGE_RL, R1I_CHART_NAMED,
                            false);
        r1i_chart_add(chart, series, word, false);
        if (chart->n < R1I_REPORT_LINES) continue;
        r1i_group_draw(report, chart, R1I_GROUP_WORDS);
        chart->n = 0;
    }
    if (chart->n) r1i_group_draw(report, chart, R1I_GROUP_WORDS);
}
// The components of the reward by its weights among the settings, and by keys "reward_...".
static void r1i_report_components(r1i_report *report, r1i_chart *chart) {
    const r1_json *weights = r1i_setting(report, "reward_weights");
    for (const r1_json *m = weights ? weights->child : NULL; m; m = m->next) {
        r1i_series *series = r1i_series_find(report, R1I_STAGE_RL, m->key);
        if (series && series->n) r1i_chart_add(chart, series, NULL, false);
    }
    for (size_t i = 0; i < report->n_series; i++) {
        r1i_series *series = &report->series[i];
        if (series->stage != R1I_STAGE_RL || strncmp(series->key, "reward_", 7)) continue;
        if (series->n) r1i_chart_add(chart, series, series->key + 7, false);
    }
}
// The small charts, leaving out those that only repeat another.
static void r1i_report_small(r1i_report *report, r1i_chart *chart) {
    size_t n = sizeof r1i_chart_plans / sizeof r1i_chart_plans[0];
    for (size_t i = 0; i < n; i++) {
        const r1i_chart_plan *plan = &r1i_chart_plans[i];
        bool fresh = false;
        r1i_chart_start(chart, plan->title, plan->unit, plan->stage, plan->flags, false);
        for (int k = 0; k < R1I_REPORT_LINES && plan->keys[k]; k++) {
            r1i_series *series = r1i_series_of(report, plan->stage, plan->keys[k]), *other = NULL;
            if (plan->stage == R1I_STAGE_RL && !plan->keys[1])
                other = r1i_series_of(report, R1I_STAGE_EVAL, plan->keys[k]);
            fresh = fresh || (series && !series->drawn) || (other && !other->drawn);
            if (other)
                r1i_chart_add_both(report, chart, plan->keys[k]);
            else
                r1i_chart_add(chart, series, NULL, false);
        }
        if (chart->n && !strcmp(plan->keys[0], "reward")) r1i_report_components(report, chart);
        if (fresh) r1i_group_draw(report, chart, plan->group);
        if (!strcmp(plan->keys[0], "wait")) r1i_report_words(report, chart);
    }
}
// Whether a series has no chart yet, and deserves one.
static bool r1i_series_left(r1i_report *report, const r1i_series *series) {
    static const char *const dull[] = {"tokens", "updates", "time", "k"}; // "seconds" in any form
    if (series->drawn || !series->n || strstr(series->key, "seconds")) return false;
    for (size_t d = 0; d < sizeof dull / sizeof dull[0]; d++)
        if (strcmp(series->key, dull[d]) == 0) return false;
    // An evaluation of what has a chart of its training, such as a word, says little more.
    const r1i_series *train = r1i_series_find(report, R1I_STAGE_RL, r1i_page_slice(series->key));
    return series->stage != R1I_STAGE_EVAL || !train || !train->drawn;
}
// Whether all values are the same; then a word says as much as a chart.
static bool r1i_series_flat(const r1i_series *series) {
    for (size_t i = 1; i < series->n; i++)
        if (series->points[i].y != series->points[0].y) return false;
    return series->n > 1;
}
// Keys that no plan knows, each in a chart of its own: their scales may be worlds apart.
static void r1i_report_others(r1i_report *report, r1i_chart *chart) {
    static const char group[] = "Other numbers of the log";
    r1_json_writer *page = &report->page;
    int charts = 0;
    for (size_t i = 0; i < report->n_series && charts < R1I_REPORT_OTHERS; i++) {
        r1i_series *series = &report->series[i];
        if (!r1i_series_left(report, series) || r1i_series_flat(series)) continue;
        r1i_chart_start(chart, "", "", series->stage, R1I_CHART_FLOAT, false);
        chart->title = series->key;
        if (series->stage == R1I_STAGE_PRETRAIN)
            r1i_chart_add(chart, series, NULL, false);
        else
            r1i_chart_add_both(report, chart, series->key);
        r1i_group_draw(report, chart, group);
        charts++;
    }
    if (report->group) r1i_page_put(page, "</div>\n");
    charts = 0;
    for (size_t i = 0; i < report->n_series && charts < R1I_REPORT_OTHERS; i++) {
        const r1i_series *series = &report->series[i];
        if (!r1i_series_left(report, series) || !r1i_series_flat(series)) continue;
        r1i_page_put(page, charts++ ? "; " : "<p class=\"soft flat\">The same at every step: ");
        r1i_page_key(page, series->key);
        r1i_page_put(page, " ");
        r1i_page_value(page, series->points[0].y);
    }
    if (charts) r1i_page_put(page, ".</p>\n");
}

// ---- colours and layout ----
// Lines of 3:1 and texts of 4.5:1 at least against their ground, light or dark; each line also has
// a dash of its own.
static void r1i_page_colours(r1_json_writer *page, bool dark) {
    static const char *const lines[2][R1I_REPORT_LINES] = {
        {"#0b5fa5", "#b84300", "#00704a", "#7b3fa0", "#a8215d", "#5b6470"},
        {"#6cb6ff", "#ff9e57", "#4fc78a", "#c89bff", "#ff8ab8", "#b5bcc4"}};
    for (int i = 0; i < R1I_REPORT_LINES; i++)
        r1i_page_print(page, ".s%d{stroke:%s;fill:%s}", i, lines[dark][i], lines[dark][i]);
    r1i_page_print(page, "text{fill:%s}.u,.n{fill:%s}.g{stroke:%s}.a{stroke:%s}.b{stroke:%s}\n",
                   dark ? "#e6eaf0" : "#1c2128", dark ? "#a5afbb" : "#57606a",
                   dark ? "#2d343d" : "#e3e7ec", dark ? "#6b7582" : "#8a94a0",
                   dark ? "#a5afbb" : "#57606a");
    // Around a text that may lie on a curve.
    r1i_page_print(page, "text.n{stroke:%s}\n", dark ? "#14181d" : "#fff");
}
// What the page and a figure of its own have in common. No CSS variables here: the programs that
// turn an SVG file into pixels often lack them.
static void r1i_page_chart_style(r1_json_writer *page) {
    static const char *const dashes[R1I_REPORT_LINES] = {"none",     "7 4",  "2 3",
                                                         "10 3 2 3", "14 5", "4 2 1 2"};
    r1i_page_put(
        page,
        "text{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}"
        "text.h{font-size:14px;font-weight:600}"
        "tspan.u{font-size:12px;font-weight:400}"
        ".e{text-anchor:end}.c{text-anchor:middle}"
        ".l{fill:none;stroke-width:2;stroke-linejoin:round}.k{stroke-width:1.2}.m{stroke:none}"
        ".a,.g,.b{fill:none}.b{stroke-dasharray:3 4}text.v{stroke:none;font-weight:600}"
        "text.n{paint-order:stroke;stroke-width:3px;stroke-linejoin:round;font-size:11px}\n");
    for (int i = 1; i < R1I_REPORT_LINES; i++)
        r1i_page_print(page, ".s%d .l{stroke-dasharray:%s}", i, dashes[i]);
    r1i_page_colours(page, false);
}
// The style of the page. Grids with auto-fit need no break points: a phone gets one column, paper
// and screens get what fits. Dark is for screens only, since paper is white.
static void r1i_page_style(r1_json_writer *page) {
    r1i_page_put(page, "<style>\n");
    r1i_page_chart_style(page);
    // Light colours, text, cards and figures.
    r1i_page_put(
        page,
        ":root{--ground:#fff;--ink:#1c2128;--soft:#57606a;--line:#d5dae1;--panel:#f6f8fa;"
        "--good:#00643f;--bad:#a83200;--error:#ffe4d4;--fixed:#d3f3e1;--word:#ffe58a}\n"
        "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\n"
        "body{margin:0 auto;max-width:1180px;padding:28px 20px 40px;background:var(--ground);"
        "color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"
        "h1{font-size:28px;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}"
        "h2{font-size:19px;margin:36px 0 12px}p{margin:0 0 8px}.soft{color:var(--soft)}\n"
        ".cards,.main,.small,.pair{display:grid;gap:14px}.cards{margin:20px 0 14px;"
        "grid-template-columns:repeat(auto-fit,minmax(min(100%,165px),1fr))}\n"
        ".card,figure,.pair>div{background:var(--ground);border:1px solid var(--line);"
        "border-radius:10px}.card{padding:12px 16px}.card h3{margin:0;font-size:14px;"
        "font-weight:600}.card .big{margin:0;font-size:23px;line-height:1.4;"
        "font-variant-numeric:tabular-nums;white-space:nowrap}"
        ".card .soft{margin:0;font-size:13px}.card:only-child{max-width:360px}.big "
        "b{font-weight:700}\n"
        "figure{margin:0;padding:6px;min-width:0;break-inside:avoid}"
        "svg{display:block;width:100%;height:auto}\n"
        ".main{grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}"
        ".small{grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr))}"
        "progress{display:block;width:100%;max-width:420px;height:10px;margin-top:6px;accent-color:"
        "#0b5fa5}"
        ".flat{margin:12px 0 0;font-size:14px}\n");
    // Samples and settings.
    r1i_page_put(
        page,
        ".pair{grid-template-columns:minmax(0,1fr) minmax(0,1fr);margin:0 0 14px}"
        ".pair>div{padding:10px 14px;background:var(--panel);break-inside:avoid}"
        ".pair h3{margin:0 0 6px;font-size:13px;font-weight:600}"
        ".pair h3 span{font-weight:400;color:var(--soft)}"
        ".pair h3 .good,.fixed{color:var(--good);font-weight:600}"
        ".pair h3 .bad,.error{color:var(--bad);font-weight:600}\n"
        "pre{margin:0;font:14px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
        "white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}"
        "pre i{font-style:normal;color:var(--soft)}\n"
        "mark{background:var(--word);color:#1c2128;border-radius:3px;padding:0 2px}"
        "u{border-radius:3px;padding:1px 3px;text-underline-offset:3px;box-decoration-break:clone;"
        "-webkit-box-decoration-break:clone}"
        "u.error{background:var(--error);text-decoration:underline wavy var(--bad)}"
        "u.fixed{background:var(--fixed);text-decoration:underline double var(--good)}"
        "small{font:600 11px/1 system-ui,sans-serif;padding:0 4px;white-space:nowrap}\n"
        "details{border:1px solid var(--line);border-radius:10px;padding:10px 16px;"
        "margin:0 0 14px}details .pair:first-of-type{margin-top:12px}"
        "summary{cursor:pointer;font-weight:600}table{border-collapse:collapse;width:100%;"
        "margin:8px 0;font-size:14px}th,td{text-align:left;padding:3px 16px 3px 0;"
        "border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}"
        "th{font-weight:400;color:var(--soft);width:40%}footer{margin-top:28px;font-size:13px}\n");
    // Screens: large charts are drawn larger, so their text is not; phones; paper; the dark.
    r1i_page_put(
        page,
        "@media(min-width:900px){.main text{font-size:10px}.main text.h{font-size:11.5px}"
        ".main tspan.u,.main text.n{font-size:9.5px}}\n"
        "@media(max-width:680px){body{padding:18px 12px 30px}.pair{grid-template-columns:"
        "minmax(0,1fr);gap:4px}th{width:58%}h1{font-size:24px}.cards{grid-template-columns:1fr "
        "1fr;gap:10px}"
        ".card{padding:10px 12px}.card .big{font-size:20px}"
        ".card:last-child:nth-child(odd){grid-column:1/-1}"
        ".main text{font-size:13px}.main text.h{font-size:15px}"
        ".main tspan.u,.main text.n{font-size:12.5px}}\n"
        "@media print{@page{size:A4;margin:14mm}body{padding:0;max-width:none;font-size:14px}"
        "h2{break-after:avoid}.cards{grid-template-columns:repeat(auto-fit,minmax(130px,1fr))}"
        ".main{grid-template-columns:1fr 1fr}.small{grid-template-columns:repeat(3,1fr)}"
        ".card .big{font-size:19px}}\n"
        "@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;--ground:#14181d;"
        "--ink:#e6eaf0;--soft:#a5afbb;--line:#343c46;--panel:#1b2027;--good:#4fc78a;"
        "--bad:#ff9e57;--error:#4a2712;--fixed:#123c2a}progress{accent-color:#6cb6ff}\n");
    r1i_page_colours(page, true);
    r1i_page_put(page, "}\n</style>\n");
}

// ---- head of the page ----
// A headline number: before and after.
typedef struct r1i_card {
    r1i_report_stage stage;
    const char *key, *title, *note; // title NULL: the vote, whose k is in the log
    int digits;                     // behind the point
    bool times;                     // also say how many times more
} r1i_card;

// A card, if its series has a point; with a single one there is no before yet.
static bool r1i_page_card(r1i_report *report, const r1i_card *card) {
    r1_json_writer *page = &report->page;
    const r1i_series *series = r1i_series_of(report, card->stage, card->key);
    if (!series) return false;
    // By order and not by "at": a run that was stopped has its newest evaluation as "after".
    double first = series->points[0].y, last = series->points[series->n - 1].y;
    r1i_page_put(page, "<div class=\"card\"><h3>");
    r1i_page_escape(page, r1i_page_slice(card->title ? card->title : report->vote), 80);
    r1i_page_put(page, "</h3><p class=\"big\">");
    if (series->n > 1) {
        r1i_page_fixed(page, first, card->digits);
        r1i_page_put(page, " &#8594; ");
    }
    r1i_page_put(page, "<b>");
    r1i_page_fixed(page, last, card->digits);
    r1i_page_print(page, "</b></p><p class=\"soft\">%s", card->note);
    if (card->times && series->n > 1 && first > 0 && last / first < 1e6) {
        r1i_page_put(page, ", &#215;&#160;");
        r1i_page_fixed(page, last / first, 1);
    }
    r1i_page_put(page, "</p></div>\n");
    return true;
}
// The evaluations if there are some, else what training says, else the pre-training.
static void r1i_page_cards(r1i_report *report) {
    static const r1i_card cards[] = {
        {R1I_STAGE_EVAL, "pass_at_1", "pass@1", "right answers among samples", 2, false},
        {R1I_STAGE_EVAL, "cons_at_k", NULL, "right by majority vote", 2, false},
        {R1I_STAGE_EVAL, "sets_pass_at_1", "pass@1, sets", "on held-out sets", 2, false},
        {R1I_STAGE_EVAL, "length", "length", "tokens an answer", 1, true},
        {R1I_STAGE_EVAL, "wait", "\"wait\"", "times an answer", 2, true},
        {R1I_STAGE_EVAL, "per_try", "right tries", "share of single tries", 2, false},
        {R1I_STAGE_RL, "accuracy", "training accuracy", "right answers of a batch", 2, false},
        {R1I_STAGE_RL, "length", "length", "tokens an answer", 1, true},
        {R1I_STAGE_PRETRAIN, "loss", "pre-training loss", "nats a token", 2, false}};
    bool any = false;
    r1i_page_put(&report->page, "<div class=\"cards\">\n");
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++) {
        // The stages are in the order of the table: the first that has a card has all.
        if (any && cards[i].stage != cards[i - 1].stage) break;
        any = r1i_page_card(report, &cards[i]) || any;
    }
    r1i_page_put(&report->page, "</div>\n");
}
// A bar of how far a stage is.
static void r1i_page_progress(r1_json_writer *page, double step, double steps) {
    r1i_page_put(page, " <progress aria-label=\"steps done\" value=\"");
    r1i_page_fixed(page, step, 0);
    r1i_page_put(page, "\" max=\"");
    r1i_page_fixed(page, steps, 0);
    r1i_page_put(page, "\"></progress>");
}
// How far the run is, by its log: a page cannot know whether the process still lives.
static void r1i_page_status(r1i_report *report) {
    static const char *const names[R1I_STAGE_COUNT] = {"Pre-training", "", "RL"};
    r1_json_writer *page = &report->page;
    double step = report->last[R1I_STAGE_RL];
    int stage = step > 0 ? R1I_STAGE_RL : R1I_STAGE_PRETRAIN;
    if (!step) step = report->last[R1I_STAGE_PRETRAIN];
    const char *key = stage == R1I_STAGE_RL ? "rl_steps" : "pretrain_steps";
    double steps = r1_json_number(r1i_setting(report, key), 0); // as it was meant to be
    bool known = steps >= step && steps < R1I_REPORT_LARGEST_STEP;
    r1i_page_put(page, "<p class=\"soft\">");
    if (!step) {
        r1i_page_put(page, r1i_report_has(report, R1I_STAGE_EVAL)
                               ? "The base model is evaluated; no step is logged yet."
                               : "Nothing is logged yet: the first step is under way.");
    } else if (report->finished) {
        r1i_page_put(page, "Finished after ");
        r1i_page_fixed(page, step, 0);
        r1i_page_print(page, " %s%s.", r1i_stage_steps[stage], step == 1 ? "" : "s");
    } else {
        r1i_page_print(page, "%s step ", names[stage]);
        r1i_page_fixed(page, step, 0);
        if (known) r1i_page_put(page, " of ");
        if (known) r1i_page_fixed(page, steps, 0);
        r1i_page_put(page, "; the run goes on, or was stopped here. Load the page again to see.");
        if (known) r1i_page_progress(page, step, steps);
    }
    r1i_page_put(page, "</p>\n");
}
// All above the main figure.
static void r1i_page_head(r1i_report *report) {
    r1_json_writer *page = &report->page;
    r1_slice task = r1_json_text(r1i_setting(report, "task"));
    r1_slice about = r1_json_text(r1i_setting(report, "about"));
    // In the first moment of a run there are no settings yet.
    if (!task.size) task = r1i_page_slice("a run");
    if (!about.size)
        about = r1i_page_slice("A small language model, pre-trained on text that a program wrote, "
                               "then trained by reinforcement learning on a rule-based reward "
                               "alone.");
    r1i_page_put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>R1-Zero: ");
    r1i_page_escape(page, task, 200);
    r1i_page_put(page, "</title>\n");
    r1i_page_style(page);
    r1i_page_put(page, "</head>\n<body>\n<h1>R1-Zero: ");
    r1i_page_escape(page, task, 200);
    r1i_page_put(page, "</h1>\n<p>");
    r1i_page_escape(page, about, 600);
    r1i_page_put(page, "</p>\n");
    r1i_page_status(report);
    r1i_page_cards(report);
}

// ---- settings ----
// A value in at most about `limit` bytes of the page, or eight elements in a quarter of that each.
static void r1i_settings_value(r1_json_writer *page, const r1_json *node, size_t limit) {
    static const char *const words[] = {"false", "true"};
    const r1_json *element = node->child;
    switch (node->kind) {
    case R1_JSON_NULL:
        r1i_page_put(page, "none");
        break;
    case R1_JSON_BOOL:
        r1i_page_put(page, words[node->boolean]);
        break;
    case R1_JSON_NUMBER:
    case R1_JSON_STRING:
        r1i_page_escape(page, node->text, limit);
        break;
    case R1_JSON_OBJECT:
        r1i_page_print(page, "%zu fields", node->count);
        break;
    case R1_JSON_ARRAY:
        for (int i = 0; element && i < 8; element = element->next, i++) {
            if (i) r1i_page_put(page, ", ");
            if (element->kind == R1_JSON_ARRAY)
                r1i_page_put(page, "&#8230;");
            else
                r1i_settings_value(page, element, limit / 4);
        }
        if (element || !node->count) r1i_page_put(page, element ? ", &#8230;" : "none");
    }
}
// A row for each value; the key of what lies in an object has the object's key before it.
static void r1i_settings_row(r1_json_writer *page, const r1_json *member, const char *prefix,
                             int *left) {
    char key[128];
    snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", member->key.data);
    if (member->kind == R1_JSON_OBJECT && member->count) {
        for (const r1_json *m = member->child; m && *left > 0; m = m->next)
            r1i_settings_row(page, m, key, left);
        return;
    }
    --*left;
    r1i_page_put(page, "<tr><th scope=\"row\">");
    r1i_page_escape(page, r1i_page_slice(key), 100);
    r1i_page_put(page, "</th><td>");
    r1i_settings_value(page, member, 140);
    r1i_page_put(page, "</td></tr>\n");
}
// Whether a later row of settings has the key too: a resumed run writes them again.
static bool r1i_setting_replaced(const r1i_report *report, size_t row, const char *key) {
    while (++row < report->n_settings)
        if (r1_json_find(report->settings[row], key)) return true;
    return false;
}
// The table of settings, folded, because it is long and seldom what one came for.
static void r1i_page_settings(r1i_report *report) {
    int left = R1I_REPORT_SETTINGS;
    r1_json_writer *page = &report->page;
    if (!report->n_settings) return;
    r1i_page_put(page, "<h2>Settings</h2>\n<details><summary>Every setting of this run</summary>\n"
                       "<table><tbody>\n");
    for (size_t i = 0; i < report->n_settings; i++)
        for (const r1_json *m = report->settings[i]->child; m && left > 0; m = m->next) {
            // The name of the row is no setting.
            if (r1i_slice_is(m->key, "stage")) continue;
            if (!r1i_setting_replaced(report, i, m->key.data)) r1i_settings_row(page, m, "", &left);
        }
    r1i_page_put(page, "</tbody></table></details>\n");
}

// ---- samples ----
// Takes a row in if it belongs to the side: rows of `stage`, or until one comes, those of the first
// step of RL (`sign` -1) or of its newest (1). True when it is kept.
static bool r1i_samples_add(r1_context *ctx, r1i_samples *side, r1_json *row, const char *stage,
                            int sign) {
    r1_slice name = r1_json_text(r1_json_find(row, "stage"));
    double step = r1_json_number(r1_json_find(row, "step"), 0);
    // A base or final row beats any row of RL, whenever it comes.
    bool wanted = r1i_slice_is(name, stage);
    if (!wanted && (side->settled || !r1i_slice_is(name, "rl"))) return false;
    bool better = wanted ? !side->settled : sign * (step - side->step) > 0;
    if (side->n && better) r1i_samples_clear(ctx, side);
    if (side->n && !wanted && step != side->step) return false;
    if (side->n == R1I_REPORT_POOL) return false;
    side->settled = wanted;
    side->step = step;
    side->rows[side->n++] = row;
    return true;
}
// Offers the rows within a window of the file to one side.
static void r1i_samples_window(r1_context *ctx, r1i_samples *side, int file, size_t at,
                               const char *stage, int sign) {
    char *text = (char *)r1i_alloc(ctx, R1I_REPORT_WINDOW);
    ptrdiff_t got = 1;
    size_t size = 0;
    r1_json *row;
    if (text && lseek(file, (off_t)at, SEEK_SET) < 0) got = 0;
    for (; text && got > 0 && size<R1I_REPORT_WINDOW; size += got> 0 ? (size_t)got : 0)
        got = r1i_sys_read(file, text + size, R1I_REPORT_WINDOW - size);
    // The window may begin and end within a row; half a row is no JSON, and is passed over.
    r1i_report_lines lines = {ctx, text, text ? size : 0, 0};
    while ((row = r1i_report_next(&lines)) != NULL)
        if (!r1i_samples_add(ctx, side, row, stage, sign)) r1_json_free(ctx, row);
    r1i_free(ctx, text);
}
// Only the ends of the file are read: a run's samples are many times its metrics, and the page is
// drawn every few steps.
static void r1i_report_samples(r1i_report *report, const char *folder) {
    r1_context *ctx = report->ctx;
    char *path = r1i_report_path(ctx, folder, "samples.jsonl");
    int file = path ? r1i_sys_open(path, O_RDONLY) : -1;
    r1i_file_info info;
    if (file < 0 && path && errno != ENOENT) r1i_file_fail(ctx, "open", path);
    if (file >= 0 && r1i_sys_info(file, &info) == 0 && info.plain) {
        size_t tail = info.bytes > R1I_REPORT_WINDOW ? info.bytes - R1I_REPORT_WINDOW : 0;
        r1i_samples_window(ctx, &report->before, file, 0, "base", -1);
        r1i_samples_window(ctx, &report->after, file, tail, "final", 1);
    }
    if (file >= 0) r1i_sys_close(file);
    r1i_free(ctx, path);
    // A log of one step has no before and after.
    if (!report->before.settled && !report->after.settled &&
        report->before.step == report->after.step)
        r1i_samples_clear(ctx, &report->before);
}
// The letters of a word that the paper counts as reflection, and that stands alone; 0 if none.
static size_t r1i_reflective(r1_slice text, size_t at) {
    for (int i = 0; i < R1I_REFLECTIVE_WORDS; i++) {
        const char *word = r1i_reflective_words[i];
        size_t n = strlen(word), same = 0;
        if (text.size - at < n) continue;
        // All words are lower case letters, so this bit is all that capitals differ in.
        while (same < n && (text.data[at + same] | 32) == word[same]) same++;
        if (same < n) continue;
        char before = at ? (char)(text.data[at - 1] | 32) : ' ';
        char behind = at + n < text.size ? (char)(text.data[at + n] | 32) : ' ';
        if (!(before >= 'a' && before <= 'z') && !(behind >= 'a' && behind <= 'z')) return n;
    }
    return 0;
}
// Text of a completion, with the words of reflection marked, up to this size of the page.
static void r1i_sample_words(r1_json_writer *page, r1_slice text, size_t end) {
    size_t done = 0;
    for (size_t at = 0; at < text.size && page->size < end; at++) {
        size_t letters = r1i_reflective(text, at);
        if (!letters) continue;
        r1i_page_escape(page, (r1_slice){text.data + done, at - done}, end - page->size);
        if (page->size >= end) break;
        r1i_page_put(page, "<mark>");
        r1i_page_escape(page, (r1_slice){text.data + at, letters}, 80);
        r1i_page_put(page, "</mark>");
        done = at + letters, at = done - 1;
    }
    // The rest behind the last mark.
    if (page->size < end)
        r1i_page_escape(page, (r1_slice){text.data + done, text.size - done}, end - page->size);
}
// A part of a completion that the log points at.
typedef struct r1i_span {
    const char *kind; // "error" or its "fixed", which are classes of the style
    size_t from, to;  // bytes
    r1_slice label;
} r1i_span;

// The first byte of the character that holds the byte `at`.
static size_t r1i_span_edge(r1_slice text, size_t at) {
    while (at > 0 && at < text.size && ((unsigned char)text.data[at] & 0xc0u) == 0x80u) at--;
    return at;
}
// Reads the span of a row under these keys; false when it has none within its completion.
static bool r1i_span_read(const r1_json *row, const char *const keys[3], r1i_span *span) {
    r1_slice text = r1_json_text(r1_json_find(row, "completion"));
    double from = r1_json_number(r1_json_find(row, keys[0]), -1);
    double to = r1_json_number(r1_json_find(row, keys[1]), -1);
    if (!(from >= 0 && to > from && to <= (double)text.size)) return false;
    span->from = r1i_span_edge(text, (size_t)from);
    span->to = r1i_span_edge(text, (size_t)to);
    r1_slice label = r1_json_text(r1_json_find(row, keys[2]));
    if (label.size) span->label = label;
    return span->to > span->from;
}
// The spans of a row in their order, at most two; those that overlap lose the later one.
static int r1i_sample_spans(const r1_json *row, r1i_span spans[2]) {
    static const char *const keys[2][3] = {{"mark_from", "mark_to", "mark_label"},
                                           {"fix_from", "fix_to", "fix_label"}};
    r1i_span span = {"error", 0, 0, r1i_page_slice("error")};
    int n = 0;
    if (r1i_span_read(row, keys[0], &span)) spans[n++] = span;
    span = (r1i_span){"fixed", 0, 0, r1i_page_slice("corrected")};
    if (r1i_span_read(row, keys[1], &span)) spans[n++] = span;
    if (n == 2 && spans[1].from < spans[0].from) {
        span = spans[0], spans[0] = spans[1], spans[1] = span;
    }
    return n == 2 && spans[1].from < spans[0].to ? 1 : n;
}
// A completion with its spans: coloured, underlined and named, since not all see colours.
static void r1i_sample_text(r1_json_writer *page, const r1_json *row, size_t limit) {
    r1_slice text = r1_json_text(r1_json_find(row, "completion"));
    r1i_span spans[2];
    int n = r1i_sample_spans(row, spans);
    size_t at = 0, start = page->size, end = r1i_size_add(start, limit);
    if (n && spans[0].from > limit / 16) { // what is pointed at must not be cut off
        r1i_sample_words(page, (r1_slice){text.data, spans[0].from}, start + limit / 2);
        bool late = page->size >= start + limit / 2;
        page->size = start; // only to be measured
        if (late) at = r1i_span_edge(text, spans[0].from - limit / 16);
        if (late) r1i_page_put(page, "&#8230;");
    }
    for (int i = 0; i < n && page->size < end; i++) {
        const r1i_span *span = &spans[i];
        r1i_sample_words(page, (r1_slice){text.data + at, span->from - at}, end);
        if (page->size >= end) return;
        r1i_page_print(page, "<u class=\"%s\">", span->kind);
        r1i_page_escape(page, (r1_slice){text.data + span->from, span->to - span->from},
                        end - page->size);
        r1i_page_print(page, "</u><small class=\"%s\">", span->kind);
        r1i_page_escape(page, span->label, 60);
        r1i_page_put(page, "</small>");
        at = span->to;
    }
    if (page->size < end) r1i_sample_words(page, (r1_slice){text.data + at, text.size - at}, end);
}
// One side of a pair: what it is, how it was judged, and the text as it was drawn.
static void r1i_sample_cell(r1_json_writer *page, const r1_json *row, const char *side) {
    r1_slice stage = r1_json_text(r1_json_find(row, "stage"));
    const r1_json *accuracy = r1_json_find(row, "accuracy"), *member;
    // An answer that could not be judged has null here: it is neither right nor wrong.
    bool known = accuracy && accuracy->kind == R1_JSON_NUMBER,
         right = known && accuracy->number > 0;
    r1i_page_print(page, "<div><h3>%s", side);
    if (row && r1i_slice_is(stage, "rl")) {
        r1i_page_put(page, " (RL step ");
        r1i_page_fixed(page, r1_json_number(r1_json_find(row, "step"), 0), 0);
        r1i_page_put(page, ")");
    }
    if (known)
        r1i_page_put(page, right ? " &#183; <span class=\"good\">&#10003; right</span>"
                                 : " &#183; <span class=\"bad\">&#10007; wrong</span>");
    static const char *const numbers[] = {"reward", "format", "length"};
    for (size_t i = 0; i < 3; i++) {
        member = r1_json_find(row, numbers[i]);
        if (!member || member->kind != R1_JSON_NUMBER) continue;
        r1i_page_print(page, " <span>&#183; %s ", numbers[i]);
        r1i_page_escape(page, member->text, 32);
        r1i_page_put(page, "</span>");
    }
    if (r1_json_bool(r1_json_find(row, "truncated"), false))
        r1i_page_put(page, " <span>&#183; cut at the limit</span>");
    r1i_page_put(page, "</h3><pre>");
    if (row) {
        r1i_page_put(page, "<i>");
        r1i_page_escape(page, r1_json_text(r1_json_find(row, "prompt")), 600);
        r1i_page_put(page, "</i>");
        r1i_sample_text(page, row, 2000);
    }
    r1i_page_put(page, row ? "</pre></div>\n" : "none yet</pre></div>\n");
}
// Whether two rows answer the same question.
static bool r1i_same_prompt(const r1_json *a, const r1_json *b) {
    return r1i_slice_compare(r1_json_text(r1_json_find(a, "prompt")),
                             r1_json_text(r1_json_find(b, "prompt"))) == 0;
}
// Two samples side by side; NULL is a side that the run has not come to.
typedef struct r1i_sample_pair {
    const r1_json *before, *after;
} r1i_sample_pair;

static void r1i_page_pair(r1_json_writer *page, const r1i_sample_pair *pair) {
    r1i_page_put(page, "<div class=\"pair\">\n");
    r1i_sample_cell(page, pair->before, "Before");
    r1i_sample_cell(page, pair->after, "After");
    r1i_page_put(page, "</div>\n");
}
// Whether the log points at a correction in a sample.
static bool r1i_sample_corrects(const r1_json *row) {
    r1i_span spans[2];
    int n = r1i_sample_spans(row, spans);
    return n && !strcmp(spans[n - 1].kind, "fixed");
}
// Pairs with the same prompt where there are some, else side by side as they come; at most `limit`
// of them. The first with a correction comes first, the others in the order of the log. Nothing
// looks at the rewards: the samples are not chosen to please.
static size_t r1i_sample_pairs(const r1i_report *report, r1i_sample_pair *pairs, size_t limit) {
    const r1i_samples *before = &report->before, *after = &report->after;
    size_t n = 0;
    bool lead = false;
    for (size_t a = 0; a < after->n; a++) {
        size_t b = 0, earlier = 0;
        while (earlier < a && !r1i_same_prompt(after->rows[earlier], after->rows[a])) earlier++;
        while (b < before->n && !r1i_same_prompt(before->rows[b], after->rows[a])) b++;
        // Each prompt once: a group has many answers to one question.
        if (earlier < a || b == before->n) continue;
        r1i_sample_pair pair = {before->rows[b], after->rows[a]};
        bool first = !lead && r1i_sample_corrects(pair.after);
        if (n == limit && !first) continue;
        if (n < limit) n++;
        lead = lead || first;
        if (first) memmove(pairs + 1, pairs, (n - 1) * sizeof *pairs);
        pairs[first ? 0 : n - 1] = pair;
    }
    if (n) return n;
    // No prompt in common: training draws new ones, and the run is still in it.
    for (; n < r1i_min(limit, r1i_max(before->n, after->n)); n++)
        pairs[n] = (r1i_sample_pair){n < before->n ? before->rows[n] : NULL,
                                     n < after->n ? after->rows[n] : NULL};
    return n;
}
static void r1i_page_samples(r1i_report *report) {
    r1_json_writer *page = &report->page;
    r1i_sample_pair pairs[R1I_REPORT_SAMPLES];
    size_t n = r1i_sample_pairs(report, pairs, R1I_REPORT_SAMPLES);
    if (!n) return;
    r1i_page_put(page, "<h2>Answers before and after</h2>\n<p class=\"soft\">");
    if (r1i_sample_corrects(pairs[0].after))
        r1i_page_put(page,
                     "The first pair is the first of the log in which the later answer corrects "
                     "itself: the <span class=\"error\">error</span> has a wavy underline, its "
                     "<span class=\"fixed\">correction</span> a double one. The others stand as ");
    else
        r1i_page_put(page, "As ");
    r1i_page_put(page, "in the log, not chosen by their reward. The prompt is grey; words of "
                       "reflection are marked.</p>\n");
    for (size_t i = 0; i < n; i++) {
        if (i == R1I_REPORT_OPEN)
            r1i_page_print(page, "<details><summary>%zu more pairs</summary>\n", n - i);
        r1i_page_pair(page, &pairs[i]);
    }
    if (n > R1I_REPORT_OPEN) r1i_page_put(page, "</details>\n");
}

// ---- the files ----
static void r1i_page_foot(r1i_report *report) {
    r1_json_writer *page = &report->page;
    r1i_page_put(page, "<footer class=\"soft\">Drawn by r1.h from metrics.jsonl.");
    if (report->weight_hash[0]) {
        r1i_page_put(page, " Hash of the weights after the last step: <code>");
        r1i_page_escape(page, r1i_page_slice(report->weight_hash), 80);
        r1i_page_put(page, "</code>.");
    }
    r1i_page_put(page, "</footer>\n</body>\n</html>\n");
}
// The order of the page is the order of interest: result, curves, answers, signals, settings.
R1I_BODY r1_status r1_report_write(r1_context *ctx, const char *folder) {
    r1i_report *report = r1i_report_new(ctx, folder);
    r1i_chart *chart = report ? (r1i_chart *)r1i_alloc(ctx, sizeof *chart) : NULL;
    if (chart) {
        r1_json_writer *page = &report->page;
        // Samples are read first: if they cannot be, nothing has been drawn for nothing.
        r1i_report_samples(report, folder);
        r1i_page_head(report);
        r1i_page_put(page, "<div class=\"main\">\n");
        for (int panel = 0; panel < 2; panel++) {
            r1i_report_panel(report, chart, panel);
            r1i_chart_draw(page, chart);
        }
        r1i_page_put(page, "</div>\n");
        r1i_page_samples(report);
        r1i_report_accuracies(report, chart);
        r1i_report_small(report, chart);
        r1i_report_others(report, chart);
        r1i_page_settings(report);
        r1i_page_foot(report);
        r1i_report_save(ctx, folder, "report.html", page);
    }
    r1i_free(ctx, chart);
    r1i_report_free(report);
    return r1_status_of(ctx);
}
// The panels are those of the page, so that the two can never show different numbers.
R1I_BODY r1_status r1_report_curve(r1_context *ctx, const char *folder, const char *svg_path) {
    if (r1_status_of(ctx) == R1_OK && !svg_path)
        return r1i_fail(ctx, R1_ERROR_ARGUMENT, "report: svg_path is NULL; give a path to write");
    r1i_report *report = r1i_report_new(ctx, folder);
    r1i_chart *chart = report ? (r1i_chart *)r1i_alloc(ctx, sizeof *chart) : NULL;
    if (chart) {
        r1_json_writer *page = &report->page;
        r1i_page_put(page, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 820 280\" "
                           "width=\"820\" height=\"280\" role=\"img\" "
                           "aria-label=\"Accuracy and response length by step\">\n<style>");
        r1i_page_chart_style(page);
        r1i_page_put(page, "</style>\n<rect width=\"820\" height=\"280\" fill=\"#fff\"/>\n");
        for (int panel = 0; panel < 2; panel++) {
            r1i_report_panel(report, chart, panel);
            r1i_page_print(page, "<g transform=\"translate(%d,4)\">", panel ? 415 : 5);
            if (chart->n) r1i_chart_body(page, chart);
            r1i_page_put(page, "</g>\n");
        }
        r1i_page_put(page, "</svg>\n");
        if (!page->failed) r1_file_write(ctx, svg_path, page->text, page->size);
    }
    r1i_free(ctx, chart);
    r1i_report_free(report);
    return r1_status_of(ctx);
}

// ---- CSV ----
// Keys in the order in which they were first seen.
typedef struct r1i_columns {
    char *keys[R1I_REPORT_KEYS];
    r1_slice values[R1I_REPORT_KEYS]; // of the row at hand
    size_t n, hint;                   // as in r1i_report
} r1i_columns;

// The place of a key, a new one when it is new; R1I_REPORT_KEYS after an error.
static size_t r1i_columns_place(r1_context *ctx, r1i_columns *columns, r1_slice key) {
    for (size_t i = 0; i < columns->n; i++) {
        size_t at = (columns->hint + i) % columns->n;
        if (!r1i_slice_is(key, columns->keys[at])) continue;
        columns->hint = at + 1;
        return at;
    }
    // An error and not a bound: a table that lacks columns would go unnoticed.
    if (columns->n == R1I_REPORT_KEYS) {
        r1i_fail(ctx, R1_ERROR_FORMAT, "metrics.jsonl has more than %d numeric keys; log fewer",
                 (int)R1I_REPORT_KEYS);
        return R1I_REPORT_KEYS;
    }
    char *copy = r1i_copy_text(ctx, key.data, key.size);
    if (!copy) return R1I_REPORT_KEYS;
    columns->keys[columns->n] = copy;
    return columns->n++;
}
// Puts the numbers of a row in their places; false if the row is not of this stage.
static bool r1i_columns_fill(r1_context *ctx, r1i_columns *columns, const r1_json *row,
                             r1i_report_stage stage) {
    double last[R1I_STAGE_COUNT] = {0}, x;
    if (r1i_row_place(row, last, &x) != (int)stage) return false;
    // A slice of no bytes is what stands in the file for a key that this row lacks.
    memset(columns->values, 0, sizeof columns->values);
    for (const r1_json *m = row->child; m; m = m->next) {
        if (m->kind != R1_JSON_NUMBER) continue;
        size_t place = r1i_columns_place(ctx, columns, m->key);
        if (place == R1I_REPORT_KEYS) return false;
        columns->values[place] = m->text;
    }
    return true;
}
// A key, in quotes where RFC 4180 asks for them.
static void r1i_csv_key(r1_json_writer *out, const char *key) {
    bool quotes = strpbrk(key, ",\"\r\n") != NULL;
    if (quotes) r1i_json_put(out, "\"", 1);
    for (; *key; key++) {
        // A quote within is written twice.
        if (*key == '"') r1i_json_put(out, "\"", 1);
        r1i_json_put(out, key, 1);
    }
    if (quotes) r1i_json_put(out, "\"", 1);
}
// Twice over the log: the first time for the keys, the second for the numbers.
static void r1i_csv_write(r1_json_writer *out, r1i_columns *columns, const char *text, size_t size,
                          r1i_report_stage stage) {
    r1_context *ctx = out->ctx;
    r1_json *row;
    for (int pass = 0; pass < 2; pass++) {
        r1i_report_lines lines = {ctx, text, size, 0};
        for (size_t i = 0; pass && i < columns->n; i++) {
            if (i) r1i_json_put(out, ",", 1);
            r1i_csv_key(out, columns->keys[i]);
        }
        if (pass && columns->n) r1i_json_put(out, "\n", 1);
        for (; (row = r1i_report_next(&lines)) != NULL; r1_json_free(ctx, row)) {
            if (!r1i_columns_fill(ctx, columns, row, stage) || !pass) continue;
            for (size_t i = 0; i < columns->n; i++) {
                if (i) r1i_json_put(out, ",", 1);
                r1i_json_put(out, columns->values[i].data, columns->values[i].size);
            }
            r1i_json_put(out, "\n", 1);
        }
    }
}
// The table of one stage. The file of RL is there for every run, the others where they have a row.
static void r1i_csv_stage(r1_context *ctx, const char *folder, const char *text, size_t size,
                          r1i_report_stage stage) {
    static const char *const names[R1I_STAGE_COUNT] = {"pretrain.csv", "eval.csv", "metrics.csv"};
    r1i_columns *columns = (r1i_columns *)r1i_alloc(ctx, sizeof *columns);
    r1_json_writer out = {.ctx = ctx};
    if (columns) {
        r1i_csv_write(&out, columns, text, size, stage);
        if (r1_status_of(ctx) == R1_OK && (columns->n || stage == R1I_STAGE_RL))
            r1i_report_save(ctx, folder, names[stage], &out);
        for (size_t i = 0; i < columns->n; i++) r1i_free(ctx, columns->keys[i]);
    }
    r1_json_writer_free(&out);
    r1i_free(ctx, columns);
}
// Numbers are copied as text, so that what a reader gets is the double that the log has.
R1I_BODY r1_status r1_report_csv(r1_context *ctx, const char *folder) {
    size_t size = 0;
    char *text = r1i_report_read(ctx, folder, "metrics.jsonl", &size);
    for (int stage = 0; text && stage < R1I_STAGE_COUNT; stage++)
        r1i_csv_stage(ctx, folder, text, size, (r1i_report_stage)stage);
    r1_file_free(ctx, text);
    return r1_status_of(ctx);
}

// ---- TensorBoard ----
// An events file is a sequence of records, each with its length and two checksums around a message
// of protocol buffers. Only four kinds of fields occur, so they are written by hand:
//   Event         1 wall_time (double), 2 step (varint), 3 file_version (text), 5 summary (Summary)
//   Summary       1 value (Value, repeated)
//   Summary.Value 1 tag (text), 2 simple_value (float)
typedef struct r1i_events {
    r1_json_writer file, event, summary; // only their growing texts are used
    uint32_t table[256];                 // of the checksum
} r1i_events;

enum { R1I_WIRE_VARINT = 0, R1I_WIRE_FIXED64 = 1, R1I_WIRE_BYTES = 2, R1I_WIRE_FIXED32 = 5 };

// CRC-32C (Castagnoli), low bit first, for each value of a byte.
static void r1i_crc32c_table(uint32_t table[256]) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0u);
        table[byte] = crc;
    }
}
static uint32_t r1i_crc32c(const uint32_t table[256], const void *data, size_t size) {
    const unsigned char *p = (const unsigned char *)data;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) crc = (crc >> 8) ^ table[(crc ^ p[i]) & 0xffu];
    return ~crc;
}
// Checksums are stored turned and shifted, since a checksum of data that holds its own is weak.
static uint32_t r1i_crc32c_masked(const uint32_t table[256], const void *data, size_t size) {
    uint32_t crc = r1i_crc32c(table, data, size);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}
// An integer of so many bytes, the low one first, on any machine.
static void r1i_events_fixed(r1_json_writer *out, uint64_t value, size_t bytes) {
    char text[8];
    for (size_t i = 0; i < bytes; i++) text[i] = (char)(unsigned char)(value >> (8 * i) & 0xffu);
    r1i_json_put(out, text, bytes);
}
// Seven bits a byte, the low ones first; the top bit says that more follow.
static void r1i_events_varint(r1_json_writer *out, uint64_t value) {
    for (; value > 0x7f; value >>= 7) r1i_events_fixed(out, (value & 0x7f) | 0x80, 1);
    r1i_events_fixed(out, value, 1);
}
static void r1i_events_key(r1_json_writer *out, unsigned field, unsigned wire) {
    r1i_events_varint(out, field << 3 | wire);
}
static void r1i_events_double(r1_json_writer *out, unsigned field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    r1i_events_key(out, field, R1I_WIRE_FIXED64);
    r1i_events_fixed(out, bits, 8);
}
static void r1i_events_bytes(r1_json_writer *out, unsigned field, const char *data, size_t size) {
    r1i_events_key(out, field, R1I_WIRE_BYTES);
    r1i_events_varint(out, size);
    r1i_json_put(out, data, size);
}
// Adds a scalar "stage/key" to the summary of a row.
static void r1i_events_scalar(r1_json_writer *summary, const char *stage, const r1_json *member) {
    float value = (float)member->number;
    uint32_t bits;
    size_t slash = strlen(stage), tag = r1i_size_add(slash + 1, member->key.size), head = 1;
    memcpy(&bits, &value, sizeof bits);
    for (size_t rest = tag; rest > 0x7f; rest >>= 7) head++; // bytes of the tag's length
    r1i_events_key(summary, 1, R1I_WIRE_BYTES);
    r1i_events_varint(summary, r1i_size_add(1 + head + 5, tag));
    r1i_events_key(summary, 1, R1I_WIRE_BYTES);
    r1i_events_varint(summary, tag);
    r1i_json_put(summary, stage, slash);
    r1i_json_put(summary, "/", 1);
    r1i_json_put(summary, member->key.data, member->key.size);
    r1i_events_key(summary, 2, R1I_WIRE_FIXED32);
    r1i_events_fixed(summary, bits, 4);
}
// Ends the event and puts it into the file as a record.
static void r1i_events_record(r1i_events *events) {
    r1_json_writer *file = &events->file, *event = &events->event;
    size_t start = file->size;
    r1i_events_fixed(file, event->size, 8);
    if (file->failed || event->failed) return;
    r1i_events_fixed(file, r1i_crc32c_masked(events->table, file->text + start, 8), 4);
    r1i_json_put(file, event->text, event->size);
    r1i_events_fixed(file, r1i_crc32c_masked(events->table, event->text, event->size), 4);
    r1_json_writer_reset(event);
}
// A row as one event with all its numbers, if it has some.
static void r1i_events_row(r1i_events *events, const r1_json *row, double last[R1I_STAGE_COUNT]) {
    static const char *const names[R1I_STAGE_COUNT] = {"pretrain", "eval", "rl"};
    double x;
    int stage = r1i_row_place(row, last, &x);
    if (stage == R1I_STAGE_COUNT) return;
    for (const r1_json *m = row->child; m; m = m->next)
        if (m->kind == R1_JSON_NUMBER && !r1i_slice_is(m->key, "step") &&
            !r1i_slice_is(m->key, "time"))
            r1i_events_scalar(&events->summary, names[stage], m);
    if (events->summary.size) {
        r1i_events_double(&events->event, 1, r1_json_number(r1_json_find(row, "time"), 0));
        r1i_events_key(&events->event, 2, R1I_WIRE_VARINT);
        r1i_events_varint(&events->event, (uint64_t)(int64_t)x);
        r1i_events_bytes(&events->event, 5, events->summary.text, events->summary.size);
        r1i_events_record(events);
    }
    r1_json_writer_reset(&events->summary);
}
// Writes all events of a log into memory. Returns its first time, which names the file: each call
// then finds the file of the call before, and a reader sees one run.
static double r1i_events_write(r1i_events *events, const char *text, size_t size) {
    r1_context *ctx = events->file.ctx;
    double last[R1I_STAGE_COUNT] = {0}, start = 0;
    r1_json *row;
    for (int pass = 0; pass < 2; pass++) {
        r1i_report_lines lines = {ctx, text, size, 0};
        if (pass) { // what the file is, at the time at which it begins
            r1i_events_double(&events->event, 1, start);
            r1i_events_bytes(&events->event, 3, "brain.Event:2", 13);
            r1i_events_record(events);
        }
        while ((row = r1i_report_next(&lines)) != NULL) {
            double time = r1_json_number(r1_json_find(row, "time"), 0);
            if (pass) r1i_events_row(events, row, last);
            r1_json_free(ctx, row);
            if (!pass && time >= 1 && time < 1e10) {
                start = time;
                break;
            }
        }
    }
    return start;
}
R1I_BODY r1_status r1_report_events(r1_context *ctx, const char *folder) {
    size_t size = 0;
    char name[64], *text = r1i_report_read(ctx, folder, "metrics.jsonl", &size);
    r1i_events *events = text ? (r1i_events *)r1i_alloc(ctx, sizeof *events) : NULL;
    if (events) {
        events->file.ctx = events->event.ctx = events->summary.ctx = ctx;
        r1i_crc32c_table(events->table);
        double start = r1i_events_write(events, text, size);
        // Ten digits, as readers that sort by name expect.
        snprintf(name, sizeof name, "events.out.tfevents.%010lld.r1", (long long)start);
        if (r1_status_of(ctx) == R1_OK) r1i_report_save(ctx, folder, name, &events->file);
        r1_json_writer_free(&events->file), r1_json_writer_free(&events->event);
        r1_json_writer_free(&events->summary);
    }
    r1i_free(ctx, events);
    r1_file_free(ctx, text);
    return r1_status_of(ctx);
}
#endif // R1_NO_STDIO

#if defined __clang__
#if !defined __aarch64__
#pragma float_control(pop)
#endif
#elif defined __GNUC__
#pragma GCC pop_options
#endif
#endif // R1_IMPLEMENTATION
