// Fuzzes the rows of a tool: a line as examples/r1_reward.c gets it, with every component that it
// has, and as the tools read their numbers.
#define main reward_main
#include "../../examples/r1_reward.c"
#undef main
#include "fuzz.h"

fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT("{\"completion\":\"<think>6 * 7 = 42</think><answer>42</answer>\",\"gold\":\"42\"}"),
    FUZZ_TEXT("{\"completion\":\"<think>\\u4f60\\u597d so</think> \\\\boxed{(B)}\",\"gold\":\"B\","
              "\"task\":\"choice\",\"language\":\"zh\",\"length\":30000}"),
    FUZZ_TEXT("{\"completion\":\"<think>x</think><answer>(9*4)+8</answer>\",\"gold\":\"44\","
              "\"task\":\"countdown\",\"numbers\":[4,8,9]}"),
    FUZZ_TEXT("{\"completion\":\"<answer>(1) Ann is a knight (2) Bob is a knave</answer>\","
              "\"gold\":\"(1) Ann is a knight (2) Bob is a knave\",\"task\":\"logic\","
              "\"question\":\"Ann says Bob is a knave.\"}"),
    FUZZ_TEXT(
        "{\"completion\":\"```python\\nprint(1)\\n```\",\"gold\":null,\"numbers\":[1,\"x\"]}"),
    {NULL, 0},
};

static r1_rewarder *rewarder;
void fuzz_begin(r1_context *ctx) {
    given.parts = "accuracy,format,language,repetition,overlong,cosine,tags,steps";
    promise(read_desc() == TOOL_GO, "the options are good");
    promise((rewarder = r1_rewarder_new(ctx, &desc)) != NULL, "there is memory");
}
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    tool_worker worker = {.ctx = ctx, .out = {.ctx = ctx}, .own = rewarder};
    tool_row row = {.worker = &worker, .out = &worker.out};
    r1_json *json = r1_json_try(ctx, (const char *)data, size, row.problem, sizeof row.problem);
    row.json = json && json->kind == R1_JSON_OBJECT ? json : NULL;
    if (json && !row.json) tool_problem(&row, "the line is no JSON object");
    handle_row(NULL, &row);
    promise(r1_status_of(ctx) == R1_OK, "a row is never an error of the context");
    r1_json *said = r1_json_read(ctx, worker.out.text, worker.out.size);
    promise(said != NULL, "what comes out is JSON");
    const r1_json *judged = r1_json_find(said, "judged");
    promise(judged && judged->kind == R1_JSON_BOOL, "every row has a verdict");
    promise(!row.problem[0] || !judged->boolean, "a bad row has none");
    r1_json_free(ctx, said), r1_json_free(ctx, json), r1_json_writer_free(&worker.out);
}
