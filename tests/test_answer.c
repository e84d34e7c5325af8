// Tests of the [answer] room.
static r1_slice answer_slice(const char *text) { return (r1_slice){text, strlen(text)}; }
static r1_equality answer_verdict(r1_answer_work *work, const char *gold, const char *pred) {
    char reason[160];
    r1_equality verdict =
        r1_answer_equal(work, answer_slice(gold), answer_slice(pred), NULL, reason, sizeof reason);
    printf("%s | %s: %s, %s\n", gold, pred, r1_equality_name(verdict), reason);
    return verdict;
}
static r1_answer_work *answer_begin(r1_context **ctx) {
    *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(*ctx);
    static const r1_answer_desc desc;
    CHECK(work != NULL);
    work->desc = &desc;
    work->steps = 100000000;
    work->bits = R1I_ANSWER_BITS;
    return work;
}

// ---- arithmetic ----
static r1i_whole answer_random_whole(r1_answer_work *work, r1_random *random, size_t limbs) {
    r1i_whole whole = r1i_whole_of(work, 0);
    for (size_t i = 0; i < limbs; i++) {
        uint32_t word = r1_random_u32(random);
        if (word % 5 == 0) word = 0xffffffffu; // carries and wrong guesses of a digit
        if (word % 7 == 0) word = 0;
        whole = r1i_whole_add(work, r1i_whole_shift(work, whole, 32), r1i_whole_of(work, word));
    }
    return r1_random_u32(random) & 1 ? r1i_whole_negate(whole) : whole;
}
TEST(answer_whole_numbers_divide) {
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    r1_random random = {1, R1_STREAM_USER, 0, 0, 0};
    for (int i = 0; i < 3000; i++) {
        work->used = 0, work->steps = 1000000;
        r1i_whole a = answer_random_whole(work, &random, r1_random_below(&random, 12));
        r1i_whole b = answer_random_whole(work, &random, 1 + r1_random_below(&random, 6)), rest;
        if (!b.size) continue;
        r1i_whole q = r1i_whole_divide(work, a, b, &rest);
        CHECK(r1i_whole_compare_abs(rest, b) < 0);
        CHECK(!rest.size || rest.negative == a.negative);
        r1i_whole back = r1i_whole_add(work, r1i_whole_mul(work, q, b), rest);
        CHECK(r1i_whole_compare(back, a) == 0);
        r1i_whole gcd = r1i_whole_gcd(work, a, b), left;
        r1i_whole_divide(work, a, gcd, &rest);
        r1i_whole_divide(work, b, gcd, &left);
        CHECK(!rest.size && !left.size);
    }
    CHECK(work->stop == R1I_STOP_NONE);
    r1_context_free(ctx);
}
TEST(answer_whole_numbers_root) {
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    r1_random random = {2, R1_STREAM_USER, 0, 0, 0};
    r1i_whole one = r1i_whole_of(work, 1);
    size_t used = work->used;
    for (int i = 0; i < 300; i++) {
        work->used = used, work->steps = 1000000;
        r1i_whole a = r1i_whole_abs(answer_random_whole(work, &random, 1 + i % 7));
        uint32_t n = 2 + r1_random_below(&random, 5);
        r1i_whole root = r1i_whole_root(work, a, n), more = r1i_whole_add(work, root, one);
        CHECK(r1i_whole_compare(r1i_whole_power(work, root, n), a) <= 0);
        CHECK(r1i_whole_compare(r1i_whole_power(work, more, n), a) > 0);
    }
    r1_context_free(ctx);
}
// The ball must hold the number that the digits begin, and be narrow.
static void answer_holds(r1_answer_work *work, r1i_ball ball, const char *digits) {
    r1i_node node = {0};
    r1i_ratio low = r1i_read_decimal(work, answer_slice(digits), &node);
    r1i_whole ten = r1i_whole_power(work, r1i_whole_of(work, 10), node.places);
    r1i_ratio unit = r1i_ratio_make(work, r1i_whole_of(work, 1), ten);
    r1i_ball from = r1i_ball_sub(work, ball, r1i_ball_from(work, low));
    r1i_ball to = r1i_ball_sub(work, ball, r1i_ball_from(work, r1i_ratio_add(work, low, unit)));
    CHECK(r1i_ball_sign(from) > 0 && r1i_ball_sign(to) < 0 && work->stop == R1I_STOP_NONE);
    CHECK(ball.radius < 1 << 20 && r1i_whole_bits(ball.middle) + 2 >= work->bits);
}
TEST(answer_balls_hold_their_numbers) {
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    for (int again = 0; again < 2; again++) {
        work->bits = again ? R1I_ANSWER_BITS_AGAIN : R1I_ANSWER_BITS;
        work->used = 0;
        r1i_ball two = r1i_ball_of(work, 2), ten = r1i_ball_of(work, 10), sine, cosine;
        answer_holds(work, r1i_ball_root(work, two, 2), "1.41421356237309504880168872420969");
        answer_holds(work, r1i_ball_pi(work), "3.14159265358979323846264338327950288419716");
        answer_holds(work, r1i_ball_exp(work, r1i_ball_of(work, 1)),
                     "2.71828182845904523536028747135266249775724");
        answer_holds(work, r1i_ball_log(work, ten), "2.30258509299404568401799145468436420760110");
        answer_holds(work, r1i_ball_atan(work, two), "1.10714871779409050301706546017853704007004");
        r1i_ball_sin_cos(work, r1i_ball_of(work, 1), &sine, &cosine);
        answer_holds(work, sine, "0.84147098480789650665250232163029899962256");
        answer_holds(work, cosine, "0.54030230586813971740093660744297660373231");
        r1i_ball_sin_cos(work, r1i_ball_of(work, 1000), &sine, &cosine);
        answer_holds(work, sine, "0.82687954053200256025588742910");
        answer_holds(work, cosine, "0.56237907629070299107");
    }
    r1_context_free(ctx);
}
// sin^2 + cos^2 = 1, exp(log x) = x, tan(atan x) = x: the ball of the result must hold the truth.
TEST(answer_balls_keep_identities) {
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    r1_random random = {3, R1_STREAM_USER, 0, 0, 0};
    for (int i = 0; i < 200; i++) {
        work->used = 0, work->steps = 10000000;
        int64_t top = 1 + (int64_t)r1_random_below(&random, 1 << 30), bottom = 1;
        bottom += (int64_t)r1_random_below(&random, 1 << (1 + i % 29));
        r1i_ratio x = r1i_ratio_of(work, top, bottom);
        r1i_ball a = r1i_ball_from(work, x), s, c, gap;
        r1i_ball_sin_cos(work, a, &s, &c);
        if (work->stop) {
            work->stop = R1I_STOP_NONE; // an angle beyond 2^30
            continue;
        }
        gap = r1i_ball_add(work, r1i_ball_mul(work, s, s), r1i_ball_mul(work, c, c));
        gap = r1i_ball_sub(work, gap, r1i_ball_of(work, 1));
        CHECK(r1i_ball_has_zero(gap) && r1i_ball_top(gap) < -100);
        gap = r1i_ball_sub(work, r1i_ball_exp(work, r1i_ball_log(work, a)), a);
        CHECK(r1i_ball_has_zero(gap) && r1i_ball_top(gap) < r1i_ball_top(a) - 100);
        r1i_ball_sin_cos(work, r1i_ball_atan(work, a), &s, &c);
        gap = r1i_ball_sub(work, r1i_ball_mul(work, a, c), s);
        CHECK(r1i_ball_has_zero(gap) && r1i_ball_top(gap) < -100);
    }
    r1_context_free(ctx);
}

// ---- equality ----
typedef struct answer_case {
    const char *gold, *pred;
    r1_equality verdict;
} answer_case;
static void answer_table(const answer_case *cases, size_t count) {
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    for (size_t i = 0; i < count; i++) {
        r1_equality verdict = answer_verdict(work, cases[i].gold, cases[i].pred);
        if (verdict != cases[i].verdict)
            test_stop(TEST_FAILED, "%s | %s is %s", cases[i].gold, cases[i].pred,
                      r1_equality_name(verdict));
    }
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_answer_free(work);
    r1_context_free(ctx);
}
#define ANSWER_TABLE(cases) answer_table(cases, sizeof(cases) / sizeof *(cases))

TEST(answer_numbers) {
    static const answer_case cases[] = {{"7", "7.0", R1_EQUAL},
                                        {"7", "07", R1_EQUAL},
                                        {"7", "-7", R1_DIFFERENT},
                                        {"3/8", "0.375", R1_EQUAL},
                                        {"\\frac38", "\\dfrac{6}{16}", R1_EQUAL},
                                        {"2\\frac{1}{3}", "7/3", R1_EQUAL},
                                        {"2 1/3", "\\frac{7}{3}", R1_EQUAL},
                                        {"12{,}345", "12,345", R1_EQUAL},
                                        {"12 345", "12345", R1_EQUAL},
                                        {"2.5 \\times 10^{4}", "25000", R1_EQUAL},
                                        {"2.5e4", "25,000.00", R1_EQUAL},
                                        {"0.\\overline{27}", "3/11", R1_EQUAL},
                                        {"0.1\\overline{6}", "\\frac16", R1_EQUAL},
                                        {"15\\%", "0.15", R1_EQUAL},
                                        {"15\\%", "15", R1_EQUAL},
                                        {"15\\%", "16\\%", R1_DIFFERENT},
                                        {"2^{-61}", "2^{-62}", R1_DIFFERENT},
                                        {"1/1001!", "1/1003!", R1_DIFFERENT},
                                        {"\\binom{40}{20}", "137846528820", R1_EQUAL},
                                        {"5!", "120", R1_EQUAL},
                                        {"2 - \\frac{1}{e}", "2 + \\frac1e", R1_DIFFERENT},
                                        {"11:00", "1:00", R1_DIFFERENT},
                                        {"2:3", "4:6", R1_EQUAL},
                                        {"\\pm 17", "17", R1_DIFFERENT},
                                        {"\\pm 17", "-17, 17", R1_EQUAL},
                                        {"2 \\pm \\sqrt3", "2 \\mp \\sqrt3", R1_EQUAL},
                                        {"3.14159", "\\pi", R1_EQUAL},
                                        {"3.14160", "\\pi", R1_DIFFERENT},
                                        {"3.1415", "\\pi", R1_EQUAL},
                                        {"3.15", "\\pi", R1_DIFFERENT},
                                        {"2/3", "0.667", R1_EQUAL},
                                        {"2/3", "0.7", R1_UNDECIDED},
                                        {"2/3", "0.68", R1_DIFFERENT},
                                        {"9", "8.99999", R1_DIFFERENT},
                                        {"2.5", "2.54", R1_DIFFERENT},
                                        {"132_7", "132_8", R1_DIFFERENT},
                                        {"132_7", "132", R1_UNDECIDED},
                                        {"\\$4.50", "4.5", R1_EQUAL},
                                        {"1,5", "1.5", R1_EQUAL},
                                        {"98,120,141", "98, 120, 141", R1_EQUAL},
                                        {"\\{98,120,141\\}", "\\{141, 98, 120\\}", R1_EQUAL}};
    ANSWER_TABLE(cases);
}
TEST(answer_exact_values) {
    static const answer_case cases[] = {
        {"\\sqrt{12}", "2\\sqrt{3}", R1_EQUAL},
        {"\\sqrt{2}+\\sqrt{3}", "\\sqrt{5+2\\sqrt6}", R1_EQUAL},
        {"\\sqrt2", "\\sqrt2 + 10^{-60}", R1_DIFFERENT},
        {"\\sqrt2", "\\sqrt2 + 10^{-120}", R1_DIFFERENT},
        {"\\sqrt[3]{-8}", "-2", R1_EQUAL},
        {"8^{2/3}", "4", R1_EQUAL},
        {"e^{i\\pi}", "-1", R1_EQUAL},
        {"i^{7}", "-i", R1_EQUAL},
        {"\\sqrt{-4}", "2i", R1_EQUAL},
        {"\\frac{1}{1+i}", "\\frac{1-i}{2}", R1_EQUAL},
        {"\\log_2 8", "3", R1_EQUAL},
        {"\\ln 6", "\\ln 2+\\ln 3", R1_EQUAL},
        {"\\sin 30^\\circ", "1/2", R1_EQUAL},
        {"\\cos\\frac{\\pi}{5}", "\\frac{1+\\sqrt5}{4}", R1_EQUAL},
        {"\\arctan 1", "\\frac{\\pi}{4}", R1_EQUAL},
        {"45^\\circ", "45", R1_EQUAL},
        {"45^\\circ", "\\pi/4", R1_EQUAL},
        {"|3-5|", "2", R1_EQUAL},
        {"\\lfloor 3.7 \\rfloor", "3", R1_EQUAL},
        {"\\gcd(84, 36)", "12", R1_EQUAL},
        {"17 \\mod 5", "2", R1_EQUAL},
        {"\\log 2", "\\ln 2", R1_UNDECIDED},
        {"\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}", "-2", R1_EQUAL}};
    ANSWER_TABLE(cases);
}
TEST(answer_expressions) {
    static const answer_case cases[] = {{"(x+2)^3", "x^3+6x^2+12x+8", R1_EQUAL},
                                        {"(x+2)^3", "x^3+6x^2+12x+9", R1_DIFFERENT},
                                        {"\\frac{x^2-1}{x-1}", "x+1", R1_EQUAL},
                                        {"\\sin 2y", "2\\sin y\\cos y", R1_EQUAL},
                                        {"\\ln(ab)", "\\ln(ba)", R1_EQUAL},
                                        {"a_1+a_2", "a_2+a_{1}", R1_EQUAL},
                                        {"x", "y", R1_DIFFERENT},
                                        {"\\sqrt{x^2}", "|x|", R1_EQUAL},
                                        {"\\sqrt{x^2}", "x", R1_UNDECIDED},
                                        {"n!", "n\\cdot(n-1)!", R1_EQUAL},
                                        {"(-1)^n", "(-1)^{n+2}", R1_EQUAL},
                                        {"\\binom{n}{2}", "n(n-1)/2", R1_EQUAL},
                                        {"f(x)+1", "1+f(x)", R1_EQUAL},
                                        {"f(x)", "f(2x)", R1_DIFFERENT},
                                        {"1/2x", "\\frac{x}{2}", R1_UNDECIDED},
                                        {"3x^{1/2}", "3\\sqrt{x}", R1_EQUAL},
                                        {"x=4", "4", R1_EQUAL},
                                        {"4", "n = 4", R1_EQUAL},
                                        {"3x-y=2", "y=3x-2", R1_EQUAL},
                                        {"3x-y=2", "y=3x+2", R1_DIFFERENT},
                                        {"x^2+y^2=9", "y^2 = 9-x^2", R1_EQUAL},
                                        {"x^2+y^2=9", "x^2+y^2=3", R1_DIFFERENT},
                                        {"x^2+y^2=9", "9", R1_DIFFERENT},
                                        {"x<4", "4>x", R1_EQUAL},
                                        {"x<4", "x\\le 4", R1_DIFFERENT},
                                        {"2x<8", "x<4", R1_EQUAL},
                                        {"x+y<4", "2x+2y<8", R1_EQUAL},
                                        {"x+y<4", "x+y>4", R1_DIFFERENT}};
    ANSWER_TABLE(cases);
}
TEST(answer_structures) {
    static const answer_case cases[] = {
        {"512", "2**3**2", R1_EQUAL},
        {"64", "(2**3)**2", R1_EQUAL},
        {"0^{4294967296}", "1", R1_DIFFERENT},
        {"(-1)^{4294967296}", "1", R1_EQUAL},
        {"(-1)^{4294967297}", "-1", R1_EQUAL},
        {"(1,2)", "(1, 2.0)", R1_EQUAL},
        {"(1,2)", "(2,1)", R1_DIFFERENT},
        {"[1,2)", "(1,2)", R1_DIFFERENT},
        {"\\{1,2\\}", "\\{2,1\\}", R1_EQUAL},
        {"1, 2", "2 and 1", R1_EQUAL},
        {"1,2", "1", R1_DIFFERENT},
        {"\\{1,2\\}", "\\{1,2,3\\}", R1_DIFFERENT},
        {"[0,1]\\cup[1,2]", "[0,2]", R1_EQUAL},
        {"(-\\infty,3)\\cup(3,\\infty)", "x \\ne 3", R1_EQUAL},
        {"[1,4]\\cap(2,6)", "(2,4]", R1_EQUAL},
        {"\\mathbb{R}\\setminus\\{0\\}", "(-\\infty,0)\\cup(0,\\infty)", R1_EQUAL},
        {"1\\le x<5", "[1,5)", R1_EQUAL},
        {"x<5", "-\\infty<x<5", R1_EQUAL},
        {"-\\infty<x<5", "(-\\infty,5)", R1_EQUAL},
        {"3<x<\\infty", "(3,\\infty)", R1_EQUAL},
        {"-\\infty<x<5", "x<6", R1_DIFFERENT},
        {"\\{x \\mid x>2\\}", "(2,\\infty)", R1_EQUAL},
        {"x\\in(1,2)", "1<x<2", R1_EQUAL},
        {"[0, 1/3]", "[0, 0.333]", R1_EQUAL},
        {"\\emptyset", "\\{\\}", R1_EQUAL},
        {"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}",
         R1_EQUAL},
        {"2\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}2\\\\4\\end{pmatrix}", R1_EQUAL},
        {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)", R1_EQUAL},
        {"\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", R1_DIFFERENT},
        {"12\\text{ cm}", "12", R1_EQUAL},
        {"12\\text{ cm}", "120 mm", R1_EQUAL},
        {"12\\text{ cm}", "12 mm", R1_DIFFERENT},
        {"\\text{Tuesday}", "tuesday", R1_EQUAL},
        {"\\text{Tuesday}", "Monday", R1_DIFFERENT},
        {"C", "(C)", R1_EQUAL},
        {"C", "D", R1_DIFFERENT},
        {"x=1, y=2", "y=2, x=1", R1_EQUAL},
        {"x=1, y=2", "x=2, y=1", R1_DIFFERENT}};
    ANSWER_TABLE(cases);
}
// What is equal for positive variables only is no more than that. Every pair of letters is tried,
// since the points of a name come from its letters.
TEST(answer_equations_mind_the_sign) {
    static const answer_case cases[] = {{"|x| = 3", "x = 3", R1_UNDECIDED},
                                        {"|x| = |y|", "x = y", R1_UNDECIDED},
                                        {"\\sqrt{x^2} = y", "x = y", R1_UNDECIDED},
                                        {"x^2 = k^2", "x = k", R1_DIFFERENT},
                                        {"|x| + y = 3", "x + y = 3", R1_DIFFERENT},
                                        {"x^2 = k^2", "k^2 - x^2 = 0", R1_EQUAL},
                                        {"x = y", "3y = 3x", R1_EQUAL},
                                        {"xy = 1", "y = \\frac{1}{x}", R1_EQUAL},
                                        {"x^2 - 5x + 6 = 0", "(x - 2)(x - 3) = 0", R1_EQUAL},
                                        {"x^2 - 5x + 6 = 0", "(x - 2)(x - 4) = 0", R1_DIFFERENT}};
    ANSWER_TABLE(cases);
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    for (char a = 'a'; a <= 'z'; a++)
        for (char b = 'a'; b <= 'z'; b++) {
            char left[32], right[32];
            if (a == b || strchr("dei", a) || strchr("dei", b)) continue;
            snprintf(left, sizeof left, "|%c| = %c", a, b);
            snprintf(right, sizeof right, "%c = %c", a, b);
            if (answer_verdict(work, left, right) == R1_EQUAL)
                test_stop(TEST_FAILED, "%s equals %s", left, right);
            snprintf(left, sizeof left, "|%c| + %c", a, b);
            snprintf(right, sizeof right, "%c + %c", a, b);
            if (answer_verdict(work, left, right) == R1_EQUAL)
                test_stop(TEST_FAILED, "%s equals %s", left, right);
        }
    r1_context_free(ctx);
}
// With any budget the verdict is the right one, or undecided because the budget was spent.
TEST(answer_says_that_the_budget_was_spent) {
    static const char *const pairs[][2] = {{"4, 9", "9, 4"},      {"\\frac{1}{2x}", "1/2x + 1"},
                                           {"\\log 10 + 1", "3"}, {"(x + 1)^2", "x^2 + 2x + 1"},
                                           {"x = 3", "2x = 6"},   {"1,234", "1234"}};
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        r1_slice a = answer_slice(pairs[i][0]), b = answer_slice(pairs[i][1]);
        r1_equality verdict = r1_answer_equal(work, a, b, NULL, NULL, 0);
        CHECK(verdict != R1_UNDECIDED);
        size_t spent = 0;
        for (size_t steps = 1; steps < 100000; steps += 1 + steps / 16) {
            r1_answer_desc desc = {.steps = steps};
            char reason[128];
            r1_equality now = r1_answer_equal(work, a, b, &desc, reason, sizeof reason);
            if (now == verdict) continue;
            spent++;
            if (now != R1_UNDECIDED || !strstr(reason, " needs too many steps") ||
                strstr(reason, "steps needs"))
                test_stop(TEST_FAILED, "%s | %s with %zu steps: %s", pairs[i][0], pairs[i][1],
                          steps, reason);
        }
        CHECK(spent > 0);
    }
    r1_context_free(ctx);
}
TEST(answer_options_are_obeyed) {
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    r1_slice a = answer_slice("4, 9"), b = answer_slice("9, 4");
    r1_answer_desc ordered = {.ordered = true}, exact = {.digits = R1_OFF},
                   short_work = {.steps = 20};
    CHECK(r1_answer_equal(work, a, b, NULL, NULL, 0) == R1_EQUAL);
    CHECK(r1_answer_equal(work, a, b, &ordered, NULL, 0) == R1_DIFFERENT);
    CHECK(r1_answer_equal(work, a, b, &short_work, NULL, 0) == R1_UNDECIDED);
    a = answer_slice("2/3"), b = answer_slice("0.666667");
    CHECK(r1_answer_equal(work, a, b, NULL, NULL, 0) == R1_EQUAL);
    CHECK(r1_answer_equal(work, a, b, &exact, NULL, 0) == R1_DIFFERENT);
    CHECK(r1_answer_equal(NULL, a, b, NULL, NULL, 0) == R1_UNDECIDED);
    r1_context_free(ctx);
}
TEST(answer_refuses_malformed_input) {
    static const char *const texts[] = {
        "(",         "(1",     "1)",
        "\\frac{1",  "\\frac", "x^",
        "x_",        "3 +",    "* 3",
        "\\sqrt{",   "[",      "{",
        "||",        "()",     "\\frac{d}{dx}",
        "y\\%",      "=",      "",
        "\\int_0^1", "1 2",    "\\begin{pmatrix}1&2\\\\3\\end{pmatrix}"};
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK(answer_verdict(work, texts[i], texts[i]) == R1_UNDECIDED);
    char reason[8];
    CHECK(r1_answer_equal(work, answer_slice("(1"), answer_slice("2"), NULL, reason, 8) == 0);
    CHECK_EQUAL_SIZE(strlen(reason), 7);
    r1_context_free(ctx);
}
// Whatever the text, work is bounded: counted in steps, not in seconds.
TEST(answer_work_is_bounded) {
    static const char *const pieces[] = {"(",  "{",        "\\frac{", "\\sqrt{", "x^{",  "|",   "-",
                                         "1*", "x,",       "9^",      "\\text{", "2!",   "\\{", "[",
                                         "$",  "\\boxed{", "1/",      "x+",      "(-1)^"};
    static const char *const towers[] = {
        "9^{9^{9^{9^9}}}",   "10^{100000000}!",     "((9!)!)!",      "\\sin(10^{400})",
        "e^{e^{e^{e^{9}}}}", "\\binom{10^9}{10^8}", "x^{10^{30}}",   "2^{65535}",
        "0.1^{-99999}",      "1E999999999",         "\\ln\\ln\\ln 2"};
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    static char text[20001];
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (size_t size = 100; size <= 20000; size *= 2) {
            size_t step = strlen(pieces[i]), at = 0;
            for (; at + step < size; at += step) memcpy(text + at, pieces[i], step);
            text[at] = 0;
            r1_answer_equal(work, answer_slice(text), answer_slice("7"), NULL, NULL, 0);
            r1_answer_equal(work, answer_slice("7"), answer_slice(text), NULL, NULL, 0);
            CHECK(work->used <= work->bytes);
        }
    for (size_t i = 0; i < sizeof towers / sizeof *towers; i++) {
        CHECK(answer_verdict(work, towers[i], "7") != R1_EQUAL);
        CHECK(answer_verdict(work, "x", towers[i]) != R1_EQUAL);
    }
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_context_free(ctx);
}
TEST(answer_survives_random_text) {
    static const char *const pieces[] = {"\\frac",
                                         "{",
                                         "}",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "^",
                                         "_",
                                         "\\sqrt",
                                         "|",
                                         "1",
                                         "x",
                                         "+",
                                         "-",
                                         "/",
                                         "*",
                                         ",",
                                         ";",
                                         "=",
                                         "<",
                                         "\\pm",
                                         "\\cup",
                                         "\\{",
                                         "\\}",
                                         "!",
                                         "%",
                                         "\\ln",
                                         "\\sin",
                                         "e",
                                         "i",
                                         "\\pi",
                                         ".",
                                         "$",
                                         "\\begin{pmatrix}",
                                         "&",
                                         "\\\\",
                                         "\\end{pmatrix}",
                                         "\\text{ab}",
                                         "\\boxed{",
                                         "\xc3",
                                         "\xe2\x89\xa4",
                                         "10^{40}"};
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    r1_random random = {4, R1_STREAM_USER, 0, 0, 0};
    char text[2][400];
    for (int i = 0; i < (test_full() ? 200000 : 4000); i++) {
        for (int side = 0; side < 2; side++) {
            size_t at = 0;
            for (uint32_t n = r1_random_below(&random, 25); n--;) {
                const char *piece =
                    pieces[r1_random_below(&random, sizeof pieces / sizeof *pieces)];
                memcpy(text[side] + at, piece, strlen(piece));
                at += strlen(piece);
            }
            text[side][at] = 0;
        }
        r1_slice a = answer_slice(text[0]), b = answer_slice(text[1]);
        r1_answer_check(work, a, b, r1_random_u32(&random) & 255, NULL, NULL, 0);
        r1_equality same = r1_answer_equal(work, a, a, NULL, NULL, 0);
        if (same == R1_DIFFERENT) test_stop(TEST_FAILED, "%s is not itself", text[0]);
        CHECK(work->used <= work->bytes);
    }
    CHECK(r1_status_of(ctx) == R1_OK);
    r1_context_free(ctx);
}
static void *answer_no_memory(void *user, size_t bytes, size_t align) {
    int *left = (int *)user;
    return (*left)-- > 0 ? r1i_libc_alloc(NULL, bytes, align) : NULL;
}
TEST(answer_without_memory) {
    int left = 1;
    r1_context_desc desc = {.allocator = {answer_no_memory, r1i_libc_free, &left}};
    r1_context *ctx = r1_context_new(&desc);
    left = 0;
    CHECK(ctx != NULL && r1_answer_new(ctx) == NULL && r1_status_of(ctx) == R1_ERROR_MEMORY);
    r1_answer_free(NULL);
    CHECK(r1_answer_new(NULL) == NULL);
    r1_context_free(ctx);
}

// ---- extraction ----
static void answer_extracts(const char *text, unsigned modes, const char *wanted) {
    char found[200] = "";
    r1_slice slice = r1_answer_extract(answer_slice(text), modes);
    CHECK(!slice.data || (slice.data >= text && slice.data + slice.size <= text + strlen(text)));
    snprintf(found, sizeof found, "%.*s", (int)slice.size, slice.data ? slice.data : "");
    CHECK_EQUAL_TEXT(found, wanted);
}
TEST(answer_extraction) {
    answer_extracts("So \\boxed{1}, no: \\boxed{\\frac{1}{2}}.", 0, "\\frac{1}{2}");
    answer_extracts("\\boxed{\\text{a}\\{x_{1}\\}} done", 0, "\\text{a}\\{x_{1}\\}");
    answer_extracts("x \\boxed{3} and \\boxed{4}.", 0, "\\boxed{3} and \\boxed{4}");
    answer_extracts("\\boxed{3} is wrong, so \\boxed{4}", 0, "4");
    answer_extracts("cut off \\boxed{12", 0, "12");
    answer_extracts("<think>\\boxed{1}</think> It is \\boxed{2}", 0, "2");
    answer_extracts("<think>\\boxed{1}", R1_EXTRACT_AFTER_THINK, "");
    answer_extracts("a </think> <answer> 17 </answer>", 0, "17");
    answer_extracts("a <answer>The result is \\boxed{17}</answer> 5", 0, "17");
    answer_extracts("The answer is 42. We are done in 3 steps.", 0, "42");
    answer_extracts("Long text here.\nFinal answer: $\\frac{3}{4}$. Really.", 0, "\\frac{3}{4}");
    answer_extracts("We had 3 apples and then 5 more so we got 8 of them", 0, "8");
    answer_extracts("It cost us a total of $1,234.50 in the end", 0, "1,234.50");
    answer_extracts("it fell to -7 degrees on that very cold day", 0, "-7");
    answer_extracts("Hence the set is \\[ x > 3 \\] as we claimed.", 0, "x > 3");
    answer_extracts("#### 18", 0, "18");
    answer_extracts("3x + 1", 0, "3x + 1");
    answer_extracts("I cannot say anything about that question", R1_EXTRACT_NUMBER, "");
    answer_extracts("(B) because A is too small", R1_EXTRACT_LETTER, "B");
    answer_extracts("A look at it shows that the answer is (D).", R1_EXTRACT_LETTER, "D");
    answer_extracts("Thus I choose option C", R1_EXTRACT_LETTER, "C");
    answer_extracts("", 0, "");
    CHECK(r1_answer_extract((r1_slice){NULL, 0}, 0).data == NULL);
}
TEST(answer_check_extracts_both) {
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    r1_slice gold = answer_slice("Some steps. #### 1,250"), letter = answer_slice("B");
    r1_slice right = answer_slice("We add them. The answer is $1250$ dollars."), none = {"", 0};
    CHECK(r1_answer_check(work, gold, right, 0, NULL, NULL, 0) == R1_EQUAL);
    CHECK(r1_answer_check(work, gold, letter, 0, NULL, NULL, 0) == R1_DIFFERENT);
    CHECK(r1_answer_check(work, gold, none, 0, NULL, NULL, 0) == R1_DIFFERENT);
    r1_slice choice = answer_slice("A is too small, so it must be B.");
    CHECK(r1_answer_check(work, letter, choice, 0, NULL, NULL, 0) == R1_EQUAL);
    r1_context_free(ctx);
}

// ---- the table of pairs ----
#include "answer_cases.h"
// Every text of a row that ";;" parts must get this verdict against the gold answer.
static size_t answer_row(r1_answer_work *work, const char *gold, const char *texts, bool whole,
                         r1_equality wanted) {
    size_t count = 0;
    for (const char *end; texts; texts = end ? end + 4 : NULL, count++) {
        char reason[160];
        end = strstr(texts, " ;; ");
        r1_slice a = answer_slice(gold), b = {texts, end ? (size_t)(end - texts) : strlen(texts)};
        r1_equality verdict = whole ? r1_answer_check(work, a, b, 0, NULL, reason, sizeof reason)
                                    : r1_answer_equal(work, a, b, NULL, reason, sizeof reason);
        if (verdict != wanted)
            test_stop(TEST_FAILED, "%s | %.*s is %s: %s", gold, (int)b.size, b.data,
                      r1_equality_name(verdict), reason);
    }
    return count;
}
TEST(answer_pairs_hold) {
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    size_t count = 0;
    for (size_t i = 0; i < sizeof answer_pairs / sizeof *answer_pairs; i++) {
        const char *gold = answer_pairs[i].gold;
        count += answer_row(work, gold, answer_pairs[i].same, false, R1_EQUAL);
        count += answer_row(work, gold, answer_pairs[i].other, false, R1_DIFFERENT);
        count += answer_row(work, gold, answer_pairs[i].unsure, false, R1_UNDECIDED);
    }
    for (size_t i = 0; i < sizeof answer_texts / sizeof *answer_texts; i++) {
        const char *gold = answer_texts[i].gold;
        count += answer_row(work, gold, answer_texts[i].same, true, R1_EQUAL);
        count += answer_row(work, gold, answer_texts[i].other, true, R1_DIFFERENT);
        count += answer_row(work, gold, answer_texts[i].unsure, true, R1_UNDECIDED);
    }
    CHECK(count > 1300);
    r1_context_free(ctx);
}

// ---- the data ----
typedef struct answer_count {
    size_t agree, disagree, undecided, false_accepts;
} answer_count;
typedef void answer_row_fn(r1_answer_work *work, const r1_json *row, answer_count *count);

static answer_count answer_file(const char *name, answer_row_fn *fn) {
    char command[1200];
    const char *path = test_data(name);
    answer_count count = {0, 0, 0, 0};
    size_t size = 0, rows = 0, length = strlen(name);
    bool packed = length > 3 && strcmp(name + length - 3, ".gz") == 0;
    snprintf(command, sizeof command, "%s '%s' 2>/dev/null", packed ? "gzip -dc" : "cat", path);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    r1_context *ctx = r1_context_new(NULL);
    r1_answer_work *work = r1_answer_new(ctx);
    char *line = NULL;
    for (ssize_t got; (got = getline(&line, &size, pipe)) > 0; rows++) {
        r1_json *row = r1_json_read(ctx, line, (size_t)got);
        CHECK(row != NULL);
        fn(work, row, &count);
        r1_json_free(ctx, row);
    }
    free(line);
    pclose(pipe);
    r1_context_free(ctx);
    if (!rows) SKIP("gzip: not installed");
    printf("%s: %zu rows, %zu agree, %zu disagree, %zu undecided, %zu false accepts\n", name, rows,
           count.agree, count.disagree, count.undecided, count.false_accepts);
    return count;
}
static r1_slice answer_field(const r1_json *row, const char *name) {
    return r1_json_text(r1_json_find(row, name));
}
static void answer_tally(answer_count *count, r1_equality verdict, bool expected, r1_slice gold,
                         r1_slice pred) {
    bool equal = verdict == R1_EQUAL;
    if (verdict == R1_UNDECIDED) {
        count->undecided++;
    } else if (equal == expected) {
        count->agree++;
    } else {
        count->disagree++, count->false_accepts += equal;
        printf("expected %d: %.*s | %.*s\n", expected, (int)r1i_min(gold.size, 120), gold.data,
               (int)r1i_min(pred.size, 120), pred.data);
    }
}
static void answer_equiv_row(r1_answer_work *work, const r1_json *row, answer_count *count) {
    r1_slice gold = answer_field(row, "gold"), pred = answer_field(row, "pred");
    bool expected = r1_json_bool(r1_json_find(row, "equal"), false);
    unsigned modes = r1_json_find(row, "after_think_only") ? R1_EXTRACT_AFTER_THINK : 0;
    answer_tally(count, r1_answer_check(work, gold, pred, modes, NULL, NULL, 0), expected, gold,
                 pred);
    if (r1_json_find(row, "symmetric"))
        answer_tally(count, r1_answer_check(work, pred, gold, modes, NULL, NULL, 0), expected, pred,
                     gold);
}
static void answer_output_row(r1_answer_work *work, const r1_json *row, answer_count *count) {
    r1_slice gold = answer_field(row, "gold"), pred = answer_field(row, "output");
    bool expected = r1_json_bool(r1_json_find(row, "is_correct"), false);
    answer_tally(count, r1_answer_check(work, gold, pred, 0, NULL, NULL, 0), expected, gold, pred);
}
// The goals of the checker; what misses them on purpose stands in docs/answer_disagreements.md.
static void answer_figures(answer_count count) {
    size_t decided = count.agree + count.disagree, all = decided + count.undecided;
    CHECK(100 * count.agree >= 97 * decided);
    CHECK(100 * count.undecided <= 3 * all);
    CHECK(1000 * count.false_accepts <= 5 * all);
}
TEST(answer_data_equivalence) {
    answer_figures(answer_file("math_equiv_cases.jsonl", answer_equiv_row));
}
TEST(answer_data_gsm8k) {
    answer_figures(answer_file("gsm8k_model_outputs.jsonl.gz", answer_output_row));
}
TEST(answer_data_math) {
    answer_figures(answer_file("math_model_outputs.jsonl.gz", answer_output_row));
}
// A LaTeX text is itself unless it is malformed or calculus, and never differs from its SymPy form.
static void answer_latex_row(r1_answer_work *work, const r1_json *row, answer_count *count) {
    r1_slice latex = answer_field(row, "latex"), sympy = answer_field(row, "sympy");
    r1_equality same = r1_answer_equal(work, latex, latex, NULL, NULL, 0);
    CHECK(same != R1_DIFFERENT);
    if (!sympy.size) {
        CHECK(same == R1_UNDECIDED);
        return;
    }
    if (same == R1_UNDECIDED) count->undecided++;
    r1_equality verdict = r1_answer_equal(work, latex, sympy, NULL, NULL, 0);
    if (verdict == R1_DIFFERENT)
        test_stop(TEST_FAILED, "%.*s differs from %.*s", (int)latex.size, latex.data,
                  (int)sympy.size, sympy.data);
    count->agree += verdict == R1_EQUAL;
}
TEST(answer_data_latex) {
    answer_count count = answer_file("latex_sympy_pairs.jsonl", answer_latex_row);
    CHECK(count.undecided <= 25 && count.agree >= 120);
}
// Every published answer is itself, and reading it costs what its length costs.
static void answer_self_row(r1_answer_work *work, const r1_json *row, answer_count *count) {
    r1_slice gold = answer_field(row, "answer");
    if (!gold.size) return;
    answer_tally(count, r1_answer_equal(work, gold, gold, NULL, NULL, 0), true, gold, gold);
}
TEST(answer_data_self) {
    answer_count count = answer_file("math500.jsonl.gz", answer_self_row);
    CHECK(count.undecided == 0 && count.disagree == 0);
    count = answer_file("math_train.jsonl.gz", answer_self_row);
    CHECK(count.undecided <= 3 && count.disagree == 0);
    count = answer_file("college_math.jsonl.gz", answer_self_row);
    CHECK(count.undecided <= 45 && count.disagree == 0);
}
TEST(answer_reading_tells_its_own_place) {
    r1_context *ctx;
    r1_answer_work *work = answer_begin(&ctx);
    char reason[160];
    r1_answer_equal(work, answer_slice("1"), answer_slice("1 + 1 + (("), NULL, reason,
                    sizeof reason);
    CHECK(strstr(reason, "at byte 10") != NULL);
    r1_answer_equal(work, answer_slice("1"), answer_slice("2 + \\begin 3"), NULL, reason,
                    sizeof reason);
    CHECK(strstr(reason, "at byte 4") != NULL);
    r1_context_free(ctx);
}
