/* SPDX-License-Identifier: BSD-3-Clause */
/* The manifest: read back as written, and nothing else is taken for one. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/sha256.h"
#include "workloads/data/manifest.h"

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD                                                                                       \
    "hpcai500-data 2\nscience cosmo\nclass tiny\nlayout cut\ngenerator 3\nbuild b\nseed 1\n"
#define COUNTS "train 2\nvalidation 1\ntrain_samples 8\nvalidation_samples 4\n"
#define NAMED                                                                                      \
    "note cells 4 Mpc/h\nnote redshifts 3 1.5 0.5 0\nbaseline constant_mae 0.5\n"                  \
    "baseline ridge_mae -0.25\n"
#define FILES                                                                                      \
    "file " HASH " 1 train/a.hdf5\nfile " HASH " 2 train/b.hdf5\n"                                 \
    "file " HASH " 3 validation/a.hdf5\n"

static int parse(struct manifest *m, const char *text, struct err *e)
{
    return manifest_parse(m, text, strlen(text), "M", e);
}

static void text_is_read_and_written(void **state)
{
    const char *text = HEAD COUNTS NAMED FILES "end 3\n";
    char again[2000] = "";
    struct manifest m;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(parse(&m, text, &e), 0);
    assert_string_equal(m.class_name, "tiny");
    assert_string_equal(m.layout, "cut");
    assert_string_equal(m.science, "cosmo");
    assert_int_equal(m.train_samples, 8);
    assert_int_equal(m.validation_samples, 4);
    assert_int_equal(m.n_notes, 2);
    assert_string_equal(m.note[1].name, "redshifts");
    assert_string_equal(m.note[1].text, "3 1.5 0.5 0");
    assert_int_equal(m.n_baselines, 2);
    assert_string_equal(m.baseline[0].name, "constant_mae");
    assert_int_equal(m.n_files, 3);
    assert_int_equal(m.files[2].bytes, 3);
    assert_string_equal(m.files[2].path, "validation/a.hdf5");
    assert_true(m.baseline[1].value == -0.25);
    FILE *f = fmemopen(again, sizeof again, "w");
    assert_int_equal(manifest_write(&m, f), 0);
    fclose(f);
    assert_string_equal(again, text);
    manifest_fini(&m);
    /* any shorter text is refused, and leaves nothing behind */
    for (size_t n = 0; n < strlen(text); n++) {
        assert_int_equal(manifest_parse(&m, text, n, "M", &e), -1);
        assert_null(m.files);
    }
}

static void bad_texts_are_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"", "M, line 1: ends before its last line"},
        {"tea 1\n", "M, line 1: not a manifest of hpcai500"},
        {"hpcai500-data 1\n", "M, line 1: of an older hpcai500 (format 1): make the data again"},
        {"hpcai500-data 3\n", "M, line 1: format 3 is not known, expected 2"},
        {"hpcai500-data\n", "M, line 1: 'hpcai500-data' has no value"},
        {"hpcai500-data 2\nclass tiny\n", "M, line 2: 'class' where 'science' was expected"},
        {"hpcai500-data 2\nscience a\tb\n", "M, line 2: byte 10 is not printable"},
        {"hpcai500-data 2\nscience 12345678901234567890123456789012\n",
         "M, line 2: '12345678901234567890123456789012' is not a value of 'science'"},
        {"hpcai500-data 2\nscience c\nclass tiny\nlayout 1234567890123456\n",
         "M, line 4: '1234567890123456' is not a value of 'layout'"},
        {"hpcai500-data 2\nscience c\nclass tiny\nlayout cut\ngenerator -1\n",
         "M, line 5: '-1' is not a value of 'generator'"},
        {HEAD "train 99999999999999999999\n",
         "M, line 8: '99999999999999999999' is not a value of 'train'"},
        {HEAD COUNTS "baseline a nan\n", "M, line 12: bad or misplaced baseline 'a'"},
        {HEAD COUNTS "baseline a 1e999\n", "M, line 12: bad or misplaced baseline 'a'"},
        {HEAD COUNTS "baseline a 1x\n", "M, line 12: bad or misplaced baseline 'a'"},
        {HEAD COUNTS "baseline a\n", "M, line 12: bad or misplaced baseline 'a'"},
        {HEAD COUNTS "baseline a 1\nbaseline a 1\n", "M, line 13: bad or misplaced baseline 'a'"},
        {HEAD COUNTS "baseline a 1\nnote b c\n", "M, line 13: bad or misplaced note 'b'"},
        {HEAD COUNTS "note b c\nnote b d\n", "M, line 13: bad or misplaced note 'b'"},
        {HEAD COUNTS "note b \n", "M, line 12: bad or misplaced note 'b'"},
        {HEAD COUNTS "note  c\n", "M, line 12: bad or misplaced note ''"},
        {HEAD COUNTS "note ../b c\n", "M, line 12: bad or misplaced note '../b'"},
        {HEAD COUNTS "note B c\n", "M, line 12: bad or misplaced note 'B'"},
        {HEAD COUNTS "note a2345678901234567890123456789012 c\n",
         "M, line 12: bad or misplaced note 'a2345678901234567890123456789012'"},
        {HEAD COUNTS "note a1 b\nnote a2 b\nnote a3 b\nnote a4 b\nnote a5 b\nnote a6 b\nnote a7 b\n"
                     "note a8 b\nnote a9 b\n",
         "M, line 20: bad or misplaced note 'a9'"},
        {HEAD COUNTS "file " HASH " 1 train/a\nnote b c\n",
         "M, line 13: bad or misplaced note 'b'"},
        {HEAD COUNTS "file " HASH " 1 train/a\nbaseline b 1\n",
         "M, line 13: bad or misplaced baseline 'b'"},
        {HEAD COUNTS "fille x\n",
         "M, line 12: 'fille' where 'note', 'baseline', 'file' or 'end' was expected"},
        {HEAD COUNTS "file " HASH " 1 train/../x\n", NULL},
        {HEAD COUNTS "file " HASH " 1 /etc/passwd\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/.x\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/a/b\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/a b\n", NULL},
        {HEAD COUNTS "file " HASH "a 1 train/a\n", NULL},
        {HEAD COUNTS "file " HASH " -1 train/a\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/b\nfile " HASH " 1 train/a\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/a\nfile " HASH " 1 train/a\n", NULL},
        {HEAD COUNTS FILES "end 4\n", "M, line 15: 3 files listed, 4 promised"},
        {HEAD "train 1\nvalidation 2\ntrain_samples 0\nvalidation_samples 0\n" FILES "end 3\n",
         "M, line 15: the files are not the 1 + 2 promised"},
        {HEAD
         "train 18446744073709551615\nvalidation 4\ntrain_samples 0\nvalidation_samples 0\n" FILES
         "end 3\n",
         "M, line 15: 3 files listed, 3 promised"},
        {HEAD COUNTS FILES "end 3\n\n", "M, line 15: text after the end"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct manifest m;
        struct err e = ERR_INIT;
        if (parse(&m, rows[i].text, &e) != -1)
            fail_msg("row %zu was accepted", i);
        if (rows[i].sentence)
            assert_string_equal(e.text, rows[i].sentence);
        else
            assert_non_null(strstr(e.text, "bad or misplaced file"));
        assert_null(m.files);
    }
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[400];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* What does not fit is refused, and leaves the manifest as it was. */
static void notes_and_baselines_are_bounded(void **state)
{
    struct manifest m = {0};
    char longest[256], name[32];

    (void)state;
    memset(longest, 'x', 255);
    longest[255] = '\0';
    assert_true(manifest_note(&m, "a_1", "%s", longest));
    assert_string_equal(m.note[0].text, longest);
    assert_false(manifest_note(&m, "b", "%s!", longest));
    assert_false(manifest_note(&m, "a b", "text"));
    assert_false(manifest_note(&m, "", "text"));
    assert_false(manifest_note(&m, "b", "%s", ""));
    for (int i = 1; i < MANIFEST_NOTES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_true(manifest_note(&m, name, "text"));
    }
    assert_false(manifest_note(&m, "full", "text"));
    assert_int_equal(m.n_notes, MANIFEST_NOTES);
    assert_false(manifest_baseline(&m, "a", NAN));
    assert_false(manifest_baseline(&m, "A", 1));
    for (int i = 0; i < SCIENCE_BASELINES; i++) {
        snprintf(name, sizeof name, "b%d", i);
        assert_true(manifest_baseline(&m, name, i));
    }
    assert_false(manifest_baseline(&m, "full", 1));
    assert_int_equal(m.n_baselines, SCIENCE_BASELINES);
}

/* Sizes are always compared; of the hashes as many as asked for. */
static void folders_are_compared(void **state)
{
    enum { COUNT = 10 };
    char folder[] = "manifest-XXXXXX", name[64], want[200], sha256[65];
    struct manifest m = {.n_files = COUNT, .train = COUNT};
    struct err e = ERR_INIT;
    int wrong = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/train", folder);
    mkdir(name, 0777);
    assert_int_equal(manifest_read(&m, folder, NULL, &e), 1);
    m = (struct manifest){.n_files = COUNT, .train = COUNT};
    m.files = calloc(COUNT, sizeof *m.files);
    for (int i = 0; i < COUNT; i++) {
        struct sha256 s;
        snprintf(m.files[i].path, sizeof m.files[i].path, "train/f%d", i);
        put(folder, m.files[i].path, "cube");
        m.files[i].bytes = 4;
        sha256_init(&s);
        sha256_add(&s, "cube", 4);
        sha256_hex(&s, m.files[i].sha256);
    }
    assert_int_equal(manifest_verify(&m, folder, COUNT, &e), 0);
    for (int i = 0; i < COUNT; i++) { /* which of ten do three hashes look at? */
        put(folder, m.files[i].path, "cubf");
        assert_int_equal(manifest_verify(&m, folder, 0, &e), 0);
        assert_int_equal(manifest_verify(&m, folder, COUNT, &e), -1);
        snprintf(want, sizeof want, "%s/train/f%d: its SHA-256 is not the manifest's", folder, i);
        assert_string_equal(e.text, want);
        wrong += manifest_verify(&m, folder, 3, &e) < 0;
        put(folder, m.files[i].path, "cube");
    }
    assert_true(wrong >= 3 && wrong <= 4);
    put(folder, "train/f7", "cu");
    assert_int_equal(manifest_verify(&m, folder, 0, &e), -1);
    snprintf(want, sizeof want, "%s/train/f7: 2 bytes, expected 4", folder);
    assert_string_equal(e.text, want);
    manifest_fini(&m);

    put(folder, MANIFEST_NAME, HEAD COUNTS FILES "end 3\n");
    assert_int_equal(manifest_read(&m, folder, sha256, &e), 0);
    assert_int_equal(strlen(sha256), 64);
    manifest_fini(&m);
    put(folder, MANIFEST_NAME, HEAD);
    assert_int_equal(manifest_read(&m, folder, sha256, &e), -1);
    snprintf(want, sizeof want, "%s/MANIFEST, line 8: ends before its last line", folder);
    assert_string_equal(e.text, want);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%s/train/f%d", folder, i);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/MANIFEST", folder);
    unlink(name);
    snprintf(name, sizeof name, "%s/train", folder);
    rmdir(name);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_and_written),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(notes_and_baselines_are_bounded),
        cmocka_unit_test(folders_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
