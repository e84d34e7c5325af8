// Fuzzes the JSON reader, and the writer with whatever it lets through.
#include "fuzz.h"

fuzz_seed fuzz_seeds[] = {
    FUZZ_TEXT("{\"a\":[1,-2.5e+3,0.1,1e308],\"b\":{\"c\":null,\"d\":[true,false]},\"e\":\"\"}"),
    FUZZ_TEXT(
        " [ \"\\u00e9\\ud83d\\ude00\\n\\t\\\"\\\\\\/\" , \"\xc3\xa9\xe4\xbd\xa0\" , [[[[]]]] ] "),
    FUZZ_TEXT("{\"\":0,\"x\\u0000y\":-0,\"z\":123456789012345678901234567890,\"w\":1e-400}"),
    {NULL, 0},
};

static void write_node(r1_json_writer *w, const char *key, const r1_json *node) {
    bool object = node->kind == R1_JSON_OBJECT;
    if (node->kind == R1_JSON_NULL) r1_json_write_null(w, key);
    if (node->kind == R1_JSON_BOOL) r1_json_write_bool(w, key, node->boolean);
    if (node->kind == R1_JSON_NUMBER) r1_json_write_number(w, key, node->number);
    if (node->kind == R1_JSON_STRING) r1_json_write_text(w, key, node->text.data, node->text.size);
    if (node->kind < R1_JSON_ARRAY) return;
    size_t count = 0;
    object ? r1_json_begin_object(w, key) : r1_json_begin_array(w, key);
    for (const r1_json *child = node->child; child; child = child->next, count++)
        write_node(w, object ? child->key.data : NULL, child);
    object ? r1_json_end_object(w) : r1_json_end_array(w);
    promise(count == node->count, "the count is that of the children");
}
// A key with a zero byte inside is cut there by the writer, so it may come twice after that.
static bool has_zero(const r1_json *node) {
    if (node->key.data && memchr(node->key.data, 0, node->key.size)) return true;
    for (const r1_json *child = node->child; child; child = child->next)
        if (has_zero(child)) return true;
    return false;
}
void fuzz_begin(r1_context *ctx) { (void)ctx; }
void fuzz_target(r1_context *ctx, const uint8_t *data, size_t size) {
    char problem[256] = "";
    r1_json *json = r1_json_try(ctx, (const char *)data, size, problem, sizeof problem);
    promise(r1_status_of(ctx) == R1_OK, "a bad text is no error of the context");
    promise((json == NULL) == (problem[0] != 0), "a document or a reason");
    if (json && !has_zero(json)) {
        r1_json_writer first = {.ctx = ctx}, second = {.ctx = ctx};
        write_node(&first, NULL, json);
        r1_json *again = r1_json_read(ctx, first.text, first.size);
        promise(again != NULL, "what was written can be read");
        write_node(&second, NULL, again);
        promise(first.size == second.size && !memcmp(first.text, second.text, first.size),
                "and is written the same way again");
        r1_json_free(ctx, again), r1_json_writer_free(&first), r1_json_writer_free(&second);
    }
    r1_json_free(ctx, json);
}
