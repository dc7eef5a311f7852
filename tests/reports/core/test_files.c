/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and programs: atomic. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <dirent.h>

#include "reports/core/atomic.h"

static char dir[] = "/tmp/hpcai500-files.XXXXXX";

static const char *at(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* The bytes of a file, "" when there is none. */
static const char *bytes_of(const char *name)
{
    static char text[256];
    FILE *f = fopen(at(name), "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    text[n] = '\0';
    if (f)
        fclose(f);
    return text;
}

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(at(name), &st), 0);
    return st.st_mode & 07777;
}

static int entries(void)
{
    DIR *d = opendir(dir);
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* ---- atomic ---- */

static void test_mode_is_set(void **state)
{
    static const struct {
        mode_t mask, mode;
        unsigned flags;
        mode_t wanted;
    } table[] = {
        {077, 0644, 0, 0644},
        {0, 0640, 0, 0640},
        {077, 0666, ATOMIC_UMASK, 0600},
        {022, 0666, ATOMIC_UMASK, 0644},
        {077, 0640, ATOMIC_NEW, 0640},
        {077, 0644, ATOMIC_VOLATILE, 0644},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        mode_t before = umask(table[i].mask);
        unlink(at("mode"));
        assert_int_equal(atomic_write(AT_FDCWD, at("mode"), table[i].mode, table[i].flags, "x", 1),
                         0);
        umask(before);
        assert_int_equal(mode_of("mode"), table[i].wanted);
    }
    unlink(at("mode"));
}

static void test_new_and_again(void **state)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY);
    struct atomic a;

    (void)state;
    assert_int_equal(atomic_write(folder, "a", 0600, ATOMIC_NEW, "one", 3), 0);
    assert_int_equal(atomic_write(folder, "a", 0600, ATOMIC_NEW, "two", 3), -1);
    assert_int_equal(errno, EEXIST);
    assert_string_equal(bytes_of("a"), "one");
    assert_int_equal(atomic_write(folder, "a", 0600, 0, "three", 5), 0);
    assert_string_equal(bytes_of("a"), "three");

    /* a name that is taken, then one that is free */
    assert_int_equal(atomic_open(&a, folder, "a", NULL, 0600, ATOMIC_NEW), 0);
    fprintf(atomic_stream(&a), "four");
    assert_int_equal(atomic_publish(&a, NULL), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(atomic_publish(&a, "b"), 0);
    atomic_discard(&a);
    assert_string_equal(bytes_of("a"), "three");
    assert_string_equal(bytes_of("b"), "four");
    assert_int_equal(entries(), 2);
    unlink(at("a"));
    unlink(at("b"));
    close(folder);
}

/* Nothing under the name before it is whole, nothing at all afterwards. */
static void test_discard(void **state)
{
    struct atomic a;

    (void)state;
    assert_int_equal(atomic_open(&a, AT_FDCWD, at("c"), NULL, 0600, 0), 0);
    assert_true(atomic_is_temporary(a.temporary, "c") == 0); /* it has no tail */
    assert_int_equal(entries(), 1);
    assert_int_equal(access(at("c"), F_OK), -1);
    errno = 4711;
    atomic_discard(&a);
    assert_int_equal(errno, 4711);
    assert_int_equal(entries(), 0);
    atomic_discard(&a);
    assert_int_equal(entries(), 0);
}

/* A fixed temporary name: what a killed writer left goes, but not a folder. */
static void test_fixed_name(void **state)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY);
    struct atomic a;

    (void)state;
    assert_int_equal(atomic_write(folder, ".d.part", 0600, 0, "half", 4), 0);
    assert_int_equal(atomic_open(&a, folder, "d", ".d.part", 0600, 0), 0);
    assert_int_equal(write(a.fd, "whole", 5), 5);
    assert_int_equal(atomic_publish(&a, NULL), 0);
    atomic_discard(&a);
    assert_string_equal(bytes_of("d"), "whole");
    assert_int_equal(entries(), 1);
    assert_int_equal(mkdirat(folder, ".d.part", 0700), 0);
    assert_int_equal(atomic_open(&a, folder, "d", ".d.part", 0600, 0), -1);
    atomic_discard(&a);
    assert_int_equal(entries(), 2); /* another's folder stays */
    unlinkat(folder, ".d.part", AT_REMOVEDIR);
    unlink(at("d"));
    close(folder);
}

/* A full disk: the old file stays, no temporary one does. */
static void test_full_disk(void **state)
{
    static char big[8192];
    struct rlimit before, small;
    struct atomic a;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(atomic_write(AT_FDCWD, at("e"), 0600, 0, "old", 3), 0);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){4096, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int rc = atomic_write(AT_FDCWD, at("e"), 0600, 0, big, sizeof big), why = errno;
    int opened = atomic_open(&a, AT_FDCWD, at("e"), NULL, 0600, 0);
    size_t put = fwrite(big, 1, sizeof big, atomic_stream(&a));
    int streamed = atomic_publish(&a, NULL);
    atomic_discard(&a);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(rc, -1);
    assert_int_equal(why, EFBIG);
    assert_int_equal(opened, 0);
    assert_true(put > 0);
    assert_int_equal(streamed, -1);
    assert_string_equal(bytes_of("e"), "old");
    assert_int_equal(entries(), 1);
    unlink(at("e"));
}

static void test_refused_paths(void **state)
{
    static const struct {
        const char *name;
        int why;
    } table[] = {{"no/such", ENOENT}, {"", EISDIR}};
    char longest[NAME_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(atomic_write(AT_FDCWD, at(table[i].name), 0600, 0, "x", 1), -1);
        assert_int_equal(errno, table[i].why);
    }
    memset(longest, 'n', sizeof longest);
    longest[NAME_MAX] = '\0';
    assert_int_equal(atomic_write(AT_FDCWD, at(longest), 0600, 0, "x", 1), 0);
    unlink(at(longest));
    longest[NAME_MAX] = 'n';
    longest[NAME_MAX + 1] = '\0';
    assert_int_equal(atomic_write(AT_FDCWD, longest, 0600, 0, "x", 1), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(entries(), 0);
}

static void test_temporary_names(void **state)
{
    static const struct {
        const char *entry, *stem;
        bool is;
    } table[] = {
        {".id.json.0123abcd.tmp", "id", true},
        {".id.ranks.json.gz.0123abcd.tmp", "id", true},
        {".id2.json.0123abcd.tmp", "id", false},
        {".id.json.0123abcg.tmp", "id", false},
        {".id.json.0123abcd.tmpx", "id", false},
        {"id.json.0123abcd.tmp", "id", false},
        {".id.json", "id", false},
        {".id", "id", false},
        {"", "id", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(atomic_is_temporary(table[i].entry, table[i].stem), table[i].is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode_is_set),     cmocka_unit_test(test_new_and_again),
        cmocka_unit_test(test_discard),         cmocka_unit_test(test_fixed_name),
        cmocka_unit_test(test_full_disk),       cmocka_unit_test(test_refused_paths),
        cmocka_unit_test(test_temporary_names),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
