// Lesson 2: a language model in a hundred lines.
//
// A language model gives every next character a probability. Training shows it texts, and raises
// the probability of what comes next. The loss is the mean of -log p: at first about log 23 = 3.14,
// since each of 23 characters is as likely as the others. It cannot fall to 0: nobody knows which
// of the 6 sentences begins, and log 6 spread over 31 characters is 0.06. The model is DeepSeek-V3
// in miniature: latent attention, experts, and a router that picks two of four.
//
// Expected output:
//   23 characters, 58752 weights
//   the owl h  -> the owl hhhhhk k k rdeeeeeeeeeeeeeeeeeeeeeeeeeee
//   step   1: loss 3.15
//   step  20: loss 1.52
//   step  40: loss 0.29
//   step  60: loss 0.09
//   step  80: loss 0.07
//   step 100: loss 0.07
//   step 120: loss 0.06
//   the owl h  -> the owl hunts a mouse in the dark.
//   the cat s  -> the cat sleeps on the warm roof.
//   a dog      -> a dogluublf.
#include "r1.h"
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 48, MAX_CHARACTERS = 40, STEPS = 120 };

// The whole corpus. Every sentence ends with a period, which later tells the model to stop.
static const char *const sentences[] = {
    "the cat sleeps on the warm roof.", "the dog sleeps under the table.",
    "the owl sleeps in the old tree.",  "the cat hunts a mouse at night.",
    "the dog hunts a ball all day.",    "the owl hunts a mouse in the dark.",
};
enum { SENTENCES = sizeof sentences / sizeof *sentences };

// A tokenizer turns text into numbers. Here a piece of text is one character; a real one has a
// hundred thousand pieces, such as words and parts of words, and works the same.
static r1_tokenizer *tokenizer_of_characters(r1_context *ctx) {
    static char texts[MAX_CHARACTERS][2];
    const char *pieces[MAX_CHARACTERS];
    size_t n = 0;
    for (int s = 0; s < SENTENCES; s++)
        for (const char *c = sentences[s]; *c; c++) {
            size_t i = 0;
            while (i < n && texts[i][0] != *c) i++;
            if (i == n && n < MAX_CHARACTERS) texts[n][0] = *c, pieces[n] = texts[n], n++;
        }
    return r1_tokenizer_pieces(ctx, pieces, n);
}
static r1_model *model_for(r1_context *ctx, const r1_tokenizer *tokenizer) {
    r1_model_config config = {.vocab = r1_tokenizer_count(tokenizer),
                              .width = 48, // numbers that describe a character in its context
                              .layers = 2,
                              .heads = 3, // each looks for something else in what came before
                              .max_tokens = MAX_TEXT,
                              .kv_rank = 24, // the latent: what a character leaves in the cache
                              .nope_dim = 16,
                              .rope_dim = 8, // the part that knows positions
                              .value_dim = 16,
                              .dense_layers = 1, // layers without experts; the other one has them
                              .dense_width = 96,
                              .experts = 4,
                              .chosen = 2,
                              .shared = 1,
                              .expert_width = 32,
                              .normalise_gates = true};
    return r1_model_new(ctx, &config);
}
// Each step predicts every character of every sentence from those before it, and moves the weights.
// loss_from = 1: the first character has nothing before it.
static void train(r1_model *model, const r1_tokenizer *tokenizer) {
    static int32_t ids[SENTENCES][MAX_TEXT];
    r1_document documents[SENTENCES];
    for (int s = 0; s < SENTENCES; s++) {
        size_t n = r1_encode(tokenizer, sentences[s], strlen(sentences[s]), ids[s], MAX_TEXT);
        documents[s] = (r1_document){.tokens = ids[s], .n = n, .loss_from = 1};
    }
    r1_train_desc desc = {.schedule = {.peak = 3e-3, .warmup = 5}}; // all else has its default
    r1_trainer *trainer = r1_trainer_new(model, &desc);
    for (int step = 1; step <= STEPS; step++) {
        r1_step_metrics m;
        if (r1_sft_step(trainer, documents, SENTENCES, &m) != R1_OK) break;
        if (step == 1 || step % 20 == 0) printf("step %3d: loss %.2f\n", step, m.loss);
    }
    r1_trainer_free(trainer);
}
// Continues a text with the most likely character, again and again, until a period or the limit.
// A beginning from the corpus is continued from memory; one that never occurred gives nonsense: 6
// sentences are enough to remember, and too few to learn a language from.
static void continue_text(r1_model *model, const r1_tokenizer *tokenizer, const char *start) {
    int32_t ids[MAX_TEXT], stop = r1_tokenizer_find(tokenizer, ".");
    size_t n = r1_encode(tokenizer, start, strlen(start), ids, MAX_TEXT);
    r1_prompt prompt = {.tokens = ids, .n = n};
    r1_generate_desc desc = {.sampler = {.greedy = true}, .stops = &stop, .n_stops = 1};
    r1_rollout *rollout = r1_rollout_new(r1_model_context(model));
    if (rollout && r1_generate(model, rollout, &prompt, 1, 1, &desc) == R1_OK) {
        const r1_sample *sample = &rollout->samples[0]; // prompt and completion in one array
        char text[MAX_TEXT + 1];
        r1_decode(tokenizer, sample->tokens, sample->n, text, sizeof text);
        printf("%-10s -> %s\n", start, text);
    }
    r1_rollout_free(rollout);
}
int main(void) {
    r1_context *ctx = r1_context_new(&(r1_context_desc){.seed = 1});
    r1_tokenizer *tokenizer = tokenizer_of_characters(ctx);
    r1_model *model = model_for(ctx, tokenizer);
    if (model) {
        printf("%zu characters, %zu weights\n", r1_tokenizer_count(tokenizer),
               r1_model_size(model));
        continue_text(model, tokenizer, "the owl h");
        train(model, tokenizer);
        continue_text(model, tokenizer, "the owl h");
        continue_text(model, tokenizer, "the cat s");
        continue_text(model, tokenizer, "a dog");
    }
    r1_status status = r1_status_of(ctx);
    if (status) fprintf(stderr, "02_language_model: %s\n", r1_message_of(ctx));
    r1_context_free(ctx);
    return status ? 1 : 0;
}
