/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bundles, and the credentials that seal them, by a munged of this test's own.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <munge.h>

#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"
#include "tests/spank/relay/relay.h"
#include "tests/unit.h"

/* ---- bundles ---- */

static void names_of_files(void **state)
{
    static const struct {
        const char *name;
        bool ok;
    } rows[] = {{"lab-1.0.0.json", true},
                {"a.journal/00001", true},
                {"x", true},
                {"a+b_c-1.2", true},
                {"", false},
                {".hidden", false},
                {"a/.b", false},
                {"..", false},
                {"../x", false},
                {"/etc/passwd", false},
                {"a/b/c", false},
                {"a/", false},
                {"a//b", false},
                {"a b", false},
                {"a\nb", false},
                {"a$(x)", false},
                {"\xc3\xa4", false}};
    char longest[BUNDLE_MAX_NAME + 2];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (bundle_name_ok(rows[i].name) != rows[i].ok)
            fail_msg("'%s' should%s be a name", rows[i].name, rows[i].ok ? "" : " not");
    memset(longest, 'a', sizeof longest);
    longest[BUNDLE_MAX_NAME + 1] = '\0';
    assert_false(bundle_name_ok(longest));
    longest[BUNDLE_MAX_NAME] = '\0';
    assert_true(bundle_name_ok(longest));
}

static void a_bundle_is_read_as_it_was_written(void **state)
{
    struct bundle_file f;

    (void)state;
    make_bundle(at("good"));
    struct bundle *b = bundle_open(AT_FDCWD, at("good"), NULL);
    assert_non_null(b);
    assert_string_equal(bundle_credential(b), "MUNGE:abc:");
    assert_int_equal(bundle_next(b, &f, NULL), 1);
    assert_string_equal(f.name, "a.json");
    assert_int_equal(f.size, 3);
    assert_memory_equal(f.bytes, "{}\n", 3);
    assert_string_equal(f.sha256,
                        "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356");
    assert_int_equal(bundle_next(b, &f, NULL), 1);
    assert_memory_equal(f.bytes, "\0\n\xff", 3);
    assert_int_equal(bundle_next(b, &f, NULL), 1);
    assert_int_equal(f.size, 0);
    assert_int_equal(bundle_next(b, &f, NULL), 0);
    bundle_close(b);
}

static void a_bundle_that_is_cut_or_changed_anywhere_is_found_out(void **state)
{
    size_t size = make_bundle(at("whole"));
    char *bytes = malloc(size);
    int whole = 0;

    (void)state;
    int fd = open(at("whole"), O_RDONLY);
    assert_int_equal(read(fd, bytes, size), size);
    close(fd);
    for (size_t n = 0; n < size; n++) { /* only at the end of a frame it is a shorter one */
        FILE *f = fopen(at("cut"), "w");
        fwrite(bytes, 1, n, f);
        fclose(f);
        whole += count(at("cut")) >= 0;
    }
    assert_int_equal(whole, 3); /* after the credential, the first and the second file */
    for (size_t n = 0; n < size; n++) {
        FILE *f = fopen(at("changed"), "w");
        bytes[n] ^= 0x20;
        fwrite(bytes, 1, size, f);
        fclose(f);
        bytes[n] ^= 0x20;
        if (count(at("changed")) >= 0)
            fail_msg("byte %zu can be changed", n);
    }
    free(bytes);
}

static void a_bundle_cannot_ask_for_memory_or_be_something_else(void **state)
{
    struct err e;

    (void)state;
    put(at("huge"), "ffffffff 00000000 x\n");
    assert_null(bundle_open(AT_FDCWD, at("huge"), &e));
    assert_non_null(strstr(e.text, "a frame says that it has 4294967295 bytes"));
    put(at("negative"), "-0000001 00000000 x\n");
    assert_null(bundle_open(AT_FDCWD, at("negative"), &e));
    put(at("nothing"), "");
    assert_null(bundle_open(AT_FDCWD, at("nothing"), &e));
    mkfifo(at("pipe"), 0600);
    assert_null(bundle_open(AT_FDCWD, at("pipe"), &e));
    assert_int_equal(symlink("good", at("link")), 0);
    assert_null(bundle_open(AT_FDCWD, at("link"), &e));
}

/* ---- credentials ---- */

static void credentials_decode_for_ever(void **state)
{
    struct cred c;
    struct err e = ERR_INIT;
    char *text = NULL;

    (void)state;
    need_munged();
    text = cred_encode(relay_munge, "hello", 5, &e);
    assert_non_null(text);
    assert_int_equal(cred_decode(relay_munge, text, &c, &e), 0);
    assert_int_equal(c.state, CRED_FRESH);
    assert_int_equal(c.uid, geteuid());
    assert_string_equal(c.payload, "hello");
    assert_true(llabs((long long)(c.encoded - time(NULL))) < 600);
    cred_fini(&c);
    assert_int_equal(cred_decode(relay_munge, text, &c, &e), 0);
    assert_int_equal(c.state, CRED_REPLAYED);
    assert_string_equal(c.payload, "hello");
    cred_fini(&c);
    size_t n = strlen(text);
    text[n / 2] = text[n / 2] == 'A' ? 'B' : 'A';
    assert_int_equal(cred_decode(relay_munge, text, &c, &e), -1);
    assert_non_null(strstr(e.text, "MUNGE: "));
    free(text);
    munge_ctx_t ctx = munge_ctx_create();
    munge_ctx_set(ctx, MUNGE_OPT_SOCKET, relay_munge);
    munge_ctx_set(ctx, MUNGE_OPT_TTL, 1);
    assert_int_equal(munge_encode(&text, ctx, "old", 3), EMUNGE_SUCCESS);
    munge_ctx_destroy(ctx);
    nap(2500);
    assert_int_equal(cred_decode(relay_munge, text, &c, &e), 0);
    assert_int_equal(c.state, CRED_EXPIRED);
    assert_string_equal(c.payload, "old");
    cred_fini(&c);
    free(text);
    assert_null(cred_encode(at("nowhere"), "x", 1, &e));
    assert_non_null(strstr(e.text, "nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(a_bundle_is_read_as_it_was_written),
        cmocka_unit_test(a_bundle_that_is_cut_or_changed_anywhere_is_found_out),
        cmocka_unit_test(a_bundle_cannot_ask_for_memory_or_be_something_else),
        cmocka_unit_test(credentials_decode_for_ever),
    };

    return cmocka_run_group_tests(tests, relay_start, relay_end);
}
