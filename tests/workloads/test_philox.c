/* SPDX-License-Identifier: BSD-3-Clause */
/* Known answers of what everything random and every manifest rests on. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "reports/core/sha256.h"
#include "workloads/philox.h"

/* Random123's kat_vectors for philox4x32, 10 rounds. */
static void philox_known_answers(void **state)
{
    static const struct {
        uint32_t c[4], k[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    uint32_t out[4];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        philox4x32(rows[i].c, rows[i].k, out);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
    philox_at(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, out);
    assert_memory_equal(out, rows[2].out, sizeof out);
}

static void uniforms_stay_below_one(void **state)
{
    (void)state;
    assert_true(philox_float(0) == 0.0f);
    assert_true(philox_float(~0u) < 1.0f);
    assert_true(philox_double(0, 0) == 0.0);
    assert_true(philox_double(~0u, ~0u) < 1.0);
    assert_true(philox_double(1u << 31, 0) == 0.5);
}

/* FIPS 180-4 examples, and every length of one block's borders by pieces. */
static void sha256_known_answers(void **state)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char hex[SHA256_HEX_SIZE], pieces[SHA256_HEX_SIZE];
    char text[130];
    struct sha256 s;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sha256_init(&s);
        sha256_add(&s, rows[i].text, strlen(rows[i].text));
        sha256_hex(&s, hex);
        assert_string_equal(hex, rows[i].hex);
    }
    memset(text, 'a', sizeof text);
    for (size_t n = 0; n <= sizeof text; n++) {
        sha256_init(&s);
        sha256_add(&s, text, n);
        sha256_hex(&s, hex);
        sha256_init(&s);
        for (size_t i = 0; i < n; i++)
            sha256_add(&s, text + i, 1);
        sha256_hex(&s, pieces);
        assert_string_equal(hex, pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(uniforms_stay_below_one),
        cmocka_unit_test(sha256_known_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
