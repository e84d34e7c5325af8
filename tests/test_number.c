// Tests of the room [number]: formats against a slow reference, elementary functions against libm.

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
// The k-th of a row of reproducible floats with uniform bits.
static float any_float(uint32_t k) {
    uint32_t counter[4] = {k, 0, 0, 99}, out[4];
    r1_random_block(1, counter, out);
    return float_of(out[0]);
}

TEST(number_dtypes) {
    static const size_t bytes[] = {4, 8, 2, 2, 1, 4, 8, 1};
    for (int d = 0; d < R1_DTYPE_COUNT; d++) {
        CHECK_EQUAL_SIZE(r1_dtype_bytes((r1_dtype)d), bytes[d]);
        CHECK(r1_dtype_name((r1_dtype)d));
    }
    CHECK_EQUAL_TEXT(r1_dtype_name(R1_BF16), "BF16");
    CHECK(r1_dtype_bytes((r1_dtype)-1) == 0 && !r1_dtype_name(R1_DTYPE_COUNT));
}

// A small format as its list of codes: `last` is the largest finite positive code, and a value that
// would round to the code after it overflows.
typedef struct small_format {
    uint32_t last, sign, overflow;
    double after; // the value that the code after `last` would have
    double (*decode)(uint32_t code);
    uint32_t (*encode)(float x);
    float (*library_decode)(uint32_t code);
} small_format;

static double fields_value(uint32_t code, int mantissa, int bias) {
    uint32_t exponent = code >> mantissa, fraction = code & ((1u << mantissa) - 1);
    if (exponent == 0) return ldexp(fraction, 1 - bias - mantissa);
    return ldexp((double)(fraction + (1u << mantissa)), (int)exponent - bias - mantissa);
}
static double bf16_value(uint32_t code) { return fields_value(code, 7, 127); }
static double f16_value(uint32_t code) { return fields_value(code, 10, 15); }
static double f8_value(uint32_t code) { return fields_value(code, 3, 7); }
static uint32_t bf16_encode(float x) { return r1_to_bf16(x); }
static uint32_t f16_encode(float x) { return r1_to_f16(x); }
static uint32_t f8_encode(float x) { return r1_to_f8(x); }
static float bf16_decode(uint32_t code) { return r1_from_bf16((uint16_t)code); }
static float f16_decode(uint32_t code) { return r1_from_f16((uint16_t)code); }
static float f8_decode(uint32_t code) { return r1_from_f8((uint8_t)code); }

static const small_format small_formats[] = {
    {0x7f7f, 0x8000, 0x7f80, 0x1p128, bf16_value, bf16_encode, bf16_decode},
    {0x7bff, 0x8000, 0x7c00, 0x1p16, f16_value, f16_encode, f16_decode},
    {0x7e, 0x80, 0x7e, 480, f8_value, f8_encode, f8_decode},
};

// Nearest code, ties to the even one, by bisection over all codes.
static uint32_t slow_encode(const small_format *format, float x) {
    double wanted = fabs((double)x);
    uint32_t sign = bits_of(x) >> 31 ? format->sign : 0, low = 0, high = format->last + 1;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (format->decode(middle) <= wanted)
            low = middle;
        else
            high = middle;
    }
    double above = high > format->last ? format->after : format->decode(high);
    double down = wanted - format->decode(low), up = above - wanted;
    uint32_t code = down < up || (down == up && low % 2 == 0) ? low : high;
    return sign | (code > format->last ? format->overflow : code);
}

TEST(number_small_formats_round_trip) {
    for (int f = 0; f < 3; f++) {
        const small_format *format = &small_formats[f];
        for (uint32_t code = 0; code <= format->last; code++) {
            CHECK((double)format->library_decode(code) == format->decode(code));
            CHECK((double)format->library_decode(code | format->sign) == -format->decode(code));
            CHECK(format->encode(format->library_decode(code)) == code);
            uint32_t negative = code | format->sign;
            CHECK(format->encode(format->library_decode(negative)) == negative);
        }
    }
    for (uint32_t code = 0x7f81; code < 0x8000; code++) {
        CHECK(isnan(r1_from_bf16((uint16_t)code)));
        CHECK(isnan(r1_from_bf16(r1_to_bf16(r1_from_bf16((uint16_t)code)))));
    }
    for (uint32_t code = 0x7c01; code < 0x8000; code++)
        CHECK(isnan(r1_from_f16(r1_to_f16(r1_from_f16((uint16_t)code)))));
    CHECK(isnan(r1_from_f8(0x7f)) && isnan(r1_from_f8(0xff)) && isnan(r1_from_f8(r1_to_f8(NAN))));
}

static void check_rounding(float x) {
    for (int f = 0; f < 3; f++)
        if (small_formats[f].encode(x) != slow_encode(&small_formats[f], x))
            test_stop(TEST_FAILED, "format %d rounds %a to %x, expected %x", f, (double)x,
                      small_formats[f].encode(x), slow_encode(&small_formats[f], x));
}
TEST(number_small_formats_round_to_nearest_even) {
    for (int f = 0; f < 3; f++) // every value, every middle between two, and their neighbours
        for (uint32_t code = 0; code <= small_formats[f].last; code++) {
            double here = small_formats[f].decode(code);
            double next = code < small_formats[f].last ? small_formats[f].decode(code + 1)
                                                       : small_formats[f].after;
            float middle = (float)(here / 2 + next / 2);
            check_rounding(middle);
            check_rounding(-middle);
            check_rounding(nextafterf(middle, 0));
            check_rounding(nextafterf(middle, INFINITY));
        }
    uint32_t count = test_full() ? 3000000 : 100000;
    for (uint32_t k = 0; k < count; k++) {
        float x = any_float(k);
        if (isnan(x) || isinf(x)) continue;
        check_rounding(x);
        check_rounding(ldexpf(frexpf(x, &(int){0}), (int)(k % 60) - 40)); // where f16 and f8 live
    }
    CHECK(r1_to_bf16(INFINITY) == 0x7f80 && r1_to_bf16(-INFINITY) == 0xff80);
    CHECK(r1_to_f16(INFINITY) == 0x7c00 && r1_to_f16(-INFINITY) == 0xfc00);
    CHECK(r1_to_f8(INFINITY) == 0x7e && r1_to_f8(-INFINITY) == 0xfe);
}

// Distance between a float and the exact value, in units of the float's last place there.
static double ulps_off(float got, double exact) {
    if (isnan(exact)) return isnan(got) ? 0 : INFINITY;
    float rounded = (float)exact;
    if (isinf(rounded) || isinf(got)) { // at the edge of the range one step is allowed
        if (got == rounded) return 0;
        return isinf(got) != isinf(rounded) && fabs(exact) >= 0x1.fffffdp127 ? 1 : INFINITY;
    }
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)got - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}
TEST(number_exp_and_log_within_one_ulp) {
    uint32_t stride = test_full() ? 97 : 9973;
    double worst_exp = 0, worst_log = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride) {
        float x = float_of((uint32_t)bits);
        double off_exp = ulps_off(r1_exp(x), exp((double)x));
        double off_log = ulps_off(r1_log(x), log((double)x));
        if (off_exp > 1 || off_log > 1)
            test_stop(TEST_FAILED, "x = %a: exp is %g ulp off, log %g ulp", (double)x, off_exp,
                      off_log);
        if (off_exp > worst_exp) worst_exp = off_exp;
        if (off_log > worst_log) worst_log = off_log;
    }
    for (int i = -110; i <= 95; i++) CHECK(ulps_off(r1_exp((float)i), exp(i)) <= 1);
    for (int i = -149; i <= 127; i++) CHECK(ulps_off(r1_log(ldexpf(1, i)), log(ldexp(1, i))) <= 1);
    CHECK(worst_exp > 0.4 && worst_log > 0.4); // otherwise nothing was compared
}
TEST(number_exp_and_log_special_values) {
    CHECK(r1_exp(0.0f) == 1 && r1_exp(-0.0f) == 1);
    CHECK(r1_exp(INFINITY) == INFINITY && r1_exp(1000) == INFINITY);
    CHECK(r1_exp(-INFINITY) == 0 && r1_exp(-1000) == 0);
    CHECK(r1_exp(-103.0f) > 0 && r1_exp(-103.0f) < 0x1p-126f);
    CHECK(isnan(r1_exp(NAN)) && isnan(r1_log(NAN)) && isnan(r1_log(-1)));
    CHECK(isnan(r1_log(-INFINITY)));
    CHECK(r1_log(1) == 0 && !signbit(r1_log(1)));
    CHECK(r1_log(0.0f) == -INFINITY && r1_log(-0.0f) == -INFINITY);
    CHECK(r1_log(INFINITY) == INFINITY);
}

TEST(number_double_functions_match_libm) {
    for (int i = -70000; i <= 70000; i++) {
        double x = i / 100.0, expected = exp(x);
        CHECK_NEAR(r1i_exp_double(x), expected, 4e-16 * expected);
    }
    CHECK(r1i_exp_double(1000) == INFINITY && r1i_exp_double(-1000) == 0);
    CHECK(isnan(r1i_exp_double(NAN)));
    for (int i = 1; i <= 100000; i++) {
        double x = i / 777.0, expected = log(x);
        CHECK_NEAR(r1i_log_double(x), expected, 4e-16 * fabs(expected) + 1e-18);
        x = ldexp(x, i % 1000 - 500), expected = log(x);
        CHECK_NEAR(r1i_log_double(x), expected, 4e-16 * fabs(expected) + 1e-18);
    }
    CHECK(r1i_log_double(0) == -INFINITY && isnan(r1i_log_double(-1)));
    CHECK(isnan(r1i_log_double(NAN)));
    double s, c;
    for (int i = -100000; i <= 100000; i++) {
        double x = i * 0.0123, far = i * 9973.1;
        r1i_sin_cos(x, &s, &c);
        CHECK_NEAR(s, sin(x), 3e-16);
        CHECK_NEAR(c, cos(x), 3e-16);
        r1i_sin_cos(far, &s, &c); // up to 10^9
        CHECK_NEAR(s, sin(far), 1e-15);
        CHECK_NEAR(c, cos(far), 1e-15);
    }
}

// a * b + c rounded once: the product is exact in double; the sum is rounded to odd, which makes
// the second rounding harmless.
static float slow_fma(float a, float b, float c) {
    double product = (double)a * b, sum = product + c;
    if (!isfinite(sum)) return (float)sum;
    double back = sum - product, rest = (product - (sum - back)) + (c - back);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if (rest != 0 && bits % 2 == 0) sum = nextafter(sum, rest > 0 ? INFINITY : -INFINITY);
    return (float)sum;
}
TEST(number_fma_rounds_once) {
    uint32_t count = test_full() ? 20000000 : 500000;
    static const float special[] = {0.0f,      -0.0f,    1.0f,    -1.0f,           0x1p-149f,
                                    0x1p-126f, 0x1p-75f, 0x1p64f, 0x1.fffffep127f, INFINITY,
                                    -INFINITY, NAN};
    int n = sizeof special / sizeof *special;
    for (uint32_t k = 0; k < count; k++) {
        uint32_t counter[4] = {k, 1, 0, 98}, out[4];
        r1_random_block(1, counter, out);
        float a = float_of(out[0]), b = float_of(out[1]), c = float_of(out[2]);
        if (k % 2) // exponents near each other, where rounding twice would show
            a = float_of((out[0] & 0x80ffffffu) | 0x3f000000u),
            b = float_of((out[1] & 0x80ffffffu) | 0x3f000000u),
            c = float_of((out[2] & 0x8fffffffu) | 0x30000000u);
        if (k < (uint32_t)(n * n * n))
            a = special[k % n], b = special[k / n % n], c = special[k / n / n];
        float got = r1i_fmaf(a, b, c), expected = slow_fma(a, b, c);
        if (isnan(got) && isnan(expected)) continue;
        if (bits_of(got) != bits_of(expected))
            test_stop(TEST_FAILED, "fma(%a, %a, %a) is %a, expected %a", (double)a, (double)b,
                      (double)c, (double)got, (double)expected);
    }
}
