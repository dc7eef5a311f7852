/* SPDX-License-Identifier: BSD-3-Clause */
/* libdeflate (where it is) and zlib: the same bytes, the same refusals. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "workloads/data/inflate.h"

enum { MOST = 1 << 18, GUARD = 64 };

/* What is stored, what it deflates to, and room for what comes out. */
struct text {
    unsigned char plain[MOST], packed[2 * MOST + GUARD], out[MOST + GUARD];
    size_t bytes, stored;
};

/* kind 0: zeros, 1: counts as of a cube, 2: noise that nothing packs */
static void fill(struct text *t, int kind, size_t bytes, int level)
{
    uint32_t r = 12345;
    uLongf n = sizeof t->packed;

    t->bytes = bytes;
    for (size_t i = 0; i < bytes; i++) {
        r = r * 1664525 + 1013904223;
        t->plain[i] = kind == 0   ? 0
                      : kind == 1 ? (unsigned char)(i % 2 ? 0 : (r >> 24) % 7 * (r >> 31))
                                  : (unsigned char)(r >> 24);
    }
    assert_int_equal(compress2(t->packed, &n, t->plain, bytes, level), Z_OK);
    t->stored = n;
}

/* What both say of the same stored bytes; writes past room are found out. */
static long both(struct text *t, size_t stored, size_t room)
{
    long said[2];

    for (int plain = 0; plain < 2; plain++) {
        struct inflate *z = inflate_create(plain);
        assert_non_null(z);
#ifdef HAVE_LIBDEFLATE
        assert_string_equal(inflate_name(z), plain ? "zlib" : "libdeflate");
#else
        assert_string_equal(inflate_name(z), "zlib");
#endif
        unsigned char *packed = malloc(stored ? stored : 1); /* ends where it ends */
        memcpy(packed, t->packed, stored);
        memset(t->out, 0xa5, sizeof t->out);
        said[plain] = inflate_run(z, packed, stored, t->out, room);
        for (size_t i = room; i < sizeof t->out; i++)
            assert_int_equal(t->out[i], 0xa5);
        if (said[plain] >= 0)
            assert_memory_equal(t->out, t->plain, (size_t)said[plain]);
        free(packed);
        inflate_destroy(z);
    }
    assert_int_equal(said[0], said[1]);
    return said[0];
}

static void each(void (*check)(struct text *))
{
    static const size_t sizes[] = {1, 2, 255, 4096, 65537, MOST};
    static const int levels[] = {0, 1, 4, 9};
    struct text *t = malloc(sizeof *t);

    for (int kind = 0; kind < 3; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
                fill(t, kind, sizes[s], levels[l]);
                check(t);
            }
    free(t);
}

static void whole(struct text *t)
{
    assert_int_equal(both(t, t->stored, t->bytes), t->bytes);
    assert_int_equal(both(t, t->stored, t->bytes + GUARD / 2), t->bytes);
    memset(t->packed + t->stored, 0x5a, GUARD); /* what follows is not looked at */
    assert_int_equal(both(t, t->stored + GUARD, t->bytes), t->bytes);
}

static void too_long(struct text *t)
{
    assert_int_equal(both(t, t->stored, t->bytes - 1), -1);
    assert_int_equal(both(t, t->stored, t->bytes / 2), -1);
}

static void cut(struct text *t)
{
    for (size_t part = 0; part < 16; part++)
        assert_int_equal(both(t, t->stored * part / 16, t->bytes), -1);
    for (size_t last = 1; last <= 4 && last < t->stored; last++)
        assert_int_equal(both(t, t->stored - last, t->bytes), -1);
}

static void wrong_checksum(struct text *t)
{
    for (size_t last = 1; last <= 4; last++) {
        t->packed[t->stored - last] ^= 1;
        assert_int_equal(both(t, t->stored, t->bytes), -1);
        t->packed[t->stored - last] ^= 1;
    }
}

static void wrong_header(struct text *t)
{
    static const unsigned char heads[][2] = {{0x78, 0x00}, {0x79, 0x9c}, {0x88, 0x1c},
                                             {0x78, 0xbb}, {0, 0},       {0x1f, 0x8b}};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        memcpy(t->packed, heads[i], 2);
        assert_int_equal(both(t, t->stored, t->bytes), -1);
    }
}

/* A bit anywhere: the checksum sees it, if nothing before it does. */
static void one_bit(struct text *t)
{
    for (size_t i = 2; i < t->stored; i += 1 + t->stored / 61) {
        t->packed[i] ^= (unsigned char)(1u << i % 8);
        long said = both(t, t->stored, t->bytes);
        assert_true(said == -1 || said == (long)t->bytes); /* padding bits mean nothing */
        t->packed[i] ^= (unsigned char)(1u << i % 8);
    }
}

static void the_same_bytes_come_out(void **state)
{
    (void)state;
    each(whole);
}

static void what_needs_more_room_is_refused(void **state)
{
    (void)state;
    each(too_long);
}

static void what_is_cut_short_is_refused(void **state)
{
    (void)state;
    each(cut);
}

static void a_wrong_checksum_is_refused(void **state)
{
    (void)state;
    each(wrong_checksum);
}

static void a_wrong_header_is_refused(void **state)
{
    (void)state;
    each(wrong_header);
}

static void a_bit_that_fell_is_found(void **state)
{
    (void)state;
    each(one_bit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bytes_come_out),
        cmocka_unit_test(what_needs_more_room_is_refused),
        cmocka_unit_test(what_is_cut_short_is_refused),
        cmocka_unit_test(a_wrong_checksum_is_refused),
        cmocka_unit_test(a_wrong_header_is_refused),
        cmocka_unit_test(a_bit_that_fell_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
