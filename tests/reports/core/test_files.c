/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and programs: atomic, slurp, spawn. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dirent.h>

#include "reports/core/atomic.h"
#include "reports/core/slurp.h"
#include "reports/core/spawn.h"
#include "tests/unit.h"

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

/* ---- slurp ---- */

static void test_slurp(void **state)
{
    static char big[100000];
    static const struct {
        size_t bytes, most;
        int why;
    } table[] = {{0, 0, 0},
                 {1, 0, EFBIG},
                 {1, 1, 0},
                 {4095, 4095, 0},
                 {4096, 9000, 0},
                 {4097, 5000, 0},
                 {4097, 4096, EFBIG},
                 {100000, 100000, 0},
                 {100000, 1 << 20, 0},
                 {100000, 99999, EFBIG}};
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_int_equal(atomic_write(AT_FDCWD, at("s"), 0600, 0, big, table[i].bytes), 0);
        char *text = slurp(AT_FDCWD, at("s"), 0, table[i].most, &size);
        if (table[i].why) {
            assert_null(text);
            assert_int_equal(errno, table[i].why);
            continue;
        }
        assert_non_null(text);
        assert_int_equal(size, table[i].bytes);
        assert_memory_equal(text, big, size);
        assert_int_equal(text[size], '\0');
        free(text);
    }
    unlink(at("s"));
}

/* A FIFO does not hold us; what is not a file is refused. */
static void test_slurp_refuses(void **state)
{
    size_t size;

    (void)state;
    assert_null(slurp(AT_FDCWD, at("none"), 0, 10, &size));
    assert_int_equal(errno, ENOENT);
    assert_null(slurp(AT_FDCWD, dir, 0, 10, &size));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_null(slurp(AT_FDCWD, at("fifo"), 0, 10, &size));
    assert_int_equal(errno, EINVAL);
    unlink(at("fifo"));
    assert_int_equal(symlink("/etc/passwd", at("link")), 0);
    assert_null(slurp(AT_FDCWD, at("link"), O_NOFOLLOW, 1 << 20, &size));
    assert_int_equal(errno, ELOOP);
    char *text = slurp(AT_FDCWD, at("link"), 0, 1 << 20, &size);
    assert_non_null(text);
    free(text);
    unlink(at("link"));
}

static void test_slurp_text(void **state)
{
    char text[8];

    (void)state;
    assert_int_equal(atomic_write(AT_FDCWD, at("t"), 0600, 0, "1234567", 7), 0);
    assert_int_equal(slurp_text(at("t"), text, sizeof text), 7);
    assert_string_equal(text, "1234567");
    assert_int_equal(slurp_text(at("t"), text, 7), -1);
    assert_int_equal(errno, EFBIG);
    assert_string_equal(text, "123456");
    unlink(at("t"));
    assert_int_equal(slurp_text(at("t"), text, sizeof text), -1);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(text, "");
}

/* ---- spawn ---- */

static void test_a_program_beside_this_one(void **state)
{
    char path[PATH_MAX], self[PATH_MAX] = "";

    (void)state;
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    assert_int_equal(spawn_beside(strrchr(self, '/') + 1, path), 0);
    assert_string_equal(path, self);
    assert_int_equal(spawn_beside("nobody-has-this-name", path), -1);
}

static void test_spawn_run(void **state)
{
    static const struct {
        const char *argv[4];
        int seconds, code;
        const char *text;
    } table[] = {
        {{"/bin/sh", "-c", "echo out; echo err >&2; exit 7"}, 60, 7, "out\nerr\n"},
        {{"/usr/bin/env"}, 60, 0, "PATH=/usr/bin:/bin\nLC_ALL=C\n"},
        {{"/bin/sh", "-c", "kill -TERM $$; echo deaf"}, 60, 143, ""},
        {{"/bin/sh", "-c", "cat"}, 60, 0, ""},
        {{"/no/such/program"}, 60, 127, ""},
        {{"/bin/sh", "-c", "echo begun; sleep 600 & wait"}, 1, 124, "begun\n"},
    };
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigset_t all, mask;
    char *text;

    (void)state;
    sigaction(SIGTERM, &ignore, &before);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct spawn s = {.argv = table[i].argv, .in = SPAWN_NULL};
        assert_int_equal(spawn_run(&s, table[i].seconds, 1 << 16, &text), table[i].code);
        assert_string_equal(text, table[i].text);
        free(text);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGTERM, &before, NULL);
}

static void on_alarm(int sig)
{
    (void)sig;
}

/* A signal that came while we waited says nothing of the wait that is over later. */
static void test_spawn_run_after_a_signal(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "exec sleep 20", NULL};
    const struct spawn s = {.argv = argv, .in = SPAWN_NULL};
    const struct sigaction mine = {.sa_handler = on_alarm};
    struct sigaction before;
    char *text;

    (void)state;
    sigaction(SIGALRM, &mine, &before);
    alarm(1);
    assert_int_equal(spawn_run(&s, 2, 1 << 16, &text), 124);
    sigaction(SIGALRM, &before, NULL);
    free(text);
}

static void test_spawn_says_too_much(void **state)
{
    static const char *const argv[] = {"yes", NULL};
    const struct spawn s = {.argv = argv, .in = SPAWN_NULL, .search = true};
    char *text;

    (void)state;
    assert_int_equal(spawn_run(&s, 600, 1 << 20, &text), 124);
    assert_true(strlen(text) > 1 << 19 && strlen(text) < 1 << 21);
    free(text);
}

/* Our own pipe, /dev/null and what we have; waited for with and without end. */
static void test_spawn_start(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "read line; echo got $line; kill -9 $$",
                                       NULL};
    static const char *const sleeper[] = {"/bin/sleep", "600", NULL};
    int in[2], out[2], status;
    char text[32] = "";
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    struct spawn s = {.argv = argv, .in = in[0], .out = out[1], .err = SPAWN_SAME};
    assert_int_equal(spawn_start(&s, &pid), 0);
    close(in[0]);
    close(out[1]);
    assert_int_equal(write(in[1], "a word\n", 7), 7);
    assert_true(spawn_wait(pid, -1, &status));
    assert_int_equal(spawn_code(status), 128 + SIGKILL);
    assert_int_equal(read(out[0], text, sizeof text - 1), 11);
    assert_string_equal(text, "got a word\n");
    assert_int_equal(read(out[0], text, sizeof text), 0); /* nobody else has the other end */
    close(in[1]);
    close(out[0]);

    s = (struct spawn){
        .argv = sleeper, .in = SPAWN_NULL, .out = SPAWN_NULL, .err = SPAWN_NULL, .group = true};
    assert_int_equal(spawn_start(&s, &pid), 0);
    assert_int_equal(getpgid(pid), pid);
    assert_false(spawn_wait(pid, 0, NULL));
    kill(-pid, SIGTERM);
    assert_true(spawn_wait(pid, -1, &status));
    assert_int_equal(spawn_code(status), 128 + SIGTERM);
    assert_true(spawn_wait(pid, 0, NULL)); /* not ours any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_beside_this_one),
        cmocka_unit_test(test_mode_is_set),
        cmocka_unit_test(test_new_and_again),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_fixed_name),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_refused_paths),
        cmocka_unit_test(test_temporary_names),
        cmocka_unit_test(test_slurp),
        cmocka_unit_test(test_slurp_refuses),
        cmocka_unit_test(test_slurp_text),
        cmocka_unit_test(test_spawn_run),
        cmocka_unit_test(test_spawn_run_after_a_signal),
        cmocka_unit_test(test_spawn_says_too_much),
        cmocka_unit_test(test_spawn_start),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
