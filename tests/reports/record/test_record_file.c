/* SPDX-License-Identifier: BSD-3-Clause */
/* A record as a file: written whole or not at all, read with suspicion. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cjson/cJSON.h>

#include "reports/record/fields.h"
#include "reports/record/record.h"
#include "tests/reports/record/sample.h"
#include "tests/unit.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/hpcai500-test.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

/* Files in dir, without "." and ".."; removes them when asked. */
static int files(bool remove_them)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    int n = 0;

    while ((entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        n++;
        if (remove_them)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    closedir(d);
    return n;
}

static int drop_dir(void **state)
{
    (void)state;
    files(true);
    return rmdir(dir);
}

/* ---- writing ---- */

static void test_write(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX], want[PATH_MAX];
    (void)state;

    sample_record(&r, 4, 2, 3);
    record_judge(&r);
    assert_int_equal(record_write(&r, dir, path, &e), 0);
    snprintf(want, sizeof want, "%s/lab-4711.0.3.json", dir);
    assert_string_equal(path, want);
    assert_int_equal(files(false), 2);
    cJSON *doc = record_read(path, &e);
    assert_non_null(doc);
    assert_string_equal(json_text(doc, "ranks_file.name", ""), "lab-4711.0.3.ranks.json.gz");
    cJSON_Delete(doc);

    /* Once more: the first one stays, and nothing is added. */
    assert_int_equal(record_write(&r, dir, path, &e), -1);
    snprintf(want, sizeof want, "%s/lab-4711.0.3.json exists already and was not replaced", dir);
    assert_string_equal(e.text, want);
    assert_int_equal(files(true), 2);
    record_fini(&r);
}

/* A workload's name is text in the ranks' file too. */
static void test_write_odd_name(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX], command[PATH_MAX], text[65536];
    (void)state;

    sample_record(&r, 2, 1, 1);
    snprintf(r.workloads[0].result.name, sizeof r.workloads[0].result.name, "a\"b\\c\n");
    assert_int_equal(record_write(&r, dir, path, &e), 0);
    snprintf(command, sizeof command, "gzip -dcf %s/lab-4711.0.3.ranks.json*", dir);
    FILE *f = popen(command, "r");
    size_t size = fread(text, 1, sizeof text, f);
    assert_int_equal(pclose(f), 0);
    cJSON *doc = cJSON_ParseWithLength(text, size);
    assert_non_null(doc);
    assert_int_equal(strncmp(json_text(doc, "workloads[0].name", ""), "a\"b\\c", 5), 0);
    cJSON_Delete(doc);
    files(true);
    record_fini(&r);
}

/* A symbolic link under the record's name is neither followed nor replaced. */
static void test_write_symlink(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX], link[PATH_MAX], target[PATH_MAX];
    (void)state;

    sample_record(&r, 1, 1, 1);
    snprintf(link, sizeof link, "%s/lab-4711.0.3.json", dir);
    snprintf(target, sizeof target, "%s/target", dir);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(record_write(&r, dir, path, &e), -1);
    assert_non_null(strstr(e.text, "exists already"));
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(files(true), 1);
    record_fini(&r);
}

/* What a crash between the two files leaves does not stop the next writer. */
static void test_write_leftover(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX];
    (void)state;

    sample_record(&r, 4, 2, 3);
    snprintf(path, sizeof path, "%s/lab-4711.0.3.ranks.json.gz", dir);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(record_write(&r, dir, path, &e), 0);
    cJSON *doc = record_read(path, &e);
    const char *name = json_text(doc, "ranks_file.name", "");
    assert_int_equal(strlen(name), strlen("lab-4711.0.3.ranks-12345678.json.gz"));
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(files(true), 3);
    cJSON_Delete(doc);
    record_fini(&r);
}

/* A disk that is full after `bytes`, played by RLIMIT_FSIZE. */
static void write_on_full_disk(long bytes, const char *sentence_part)
{
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX];
    struct rlimit was, now;

    sample_record(&r, 64, 2, 3);
    getrlimit(RLIMIT_FSIZE, &was);
    now = (struct rlimit){(rlim_t)bytes, was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &now);
    int rc = record_write(&r, dir, path, &e);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(rc, -1);
    assert_non_null(strstr(e.text, sentence_part));
    assert_int_equal(files(true), 0);
    record_fini(&r);
}

static void test_write_full(void **state)
{
    (void)state;
    write_on_full_disk(0, ".ranks.json.gz: File too large");
    write_on_full_disk(100, ".ranks.json.gz: File too large");
    write_on_full_disk(16000, "lab-4711.0.3.json: File too large");
}

static void test_write_nowhere(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX];
    (void)state;

    sample_record(&r, 1, 1, 1);
    assert_int_equal(record_write(&r, "/nowhere/at/all", path, &e), -1);
    assert_string_equal(e.text,
                        "cannot write a record into /nowhere/at/all: No such file or directory");
    assert_int_equal(record_write(&r, "/dev/null", path, &e), -1);
    assert_string_equal(e.text, "cannot write a record into /dev/null: Not a directory");
    record_fini(&r);
}

/* Many writers of one name: one wins, its files are whole, none else's stay. */
static void test_write_collision(void **state)
{
    enum { WRITERS = 8 };
    struct record r;
    struct err e = ERR_INIT;
    char path[PATH_MAX];
    int won = 0, gate[2];
    pid_t pids[WRITERS];
    (void)state;

    sample_record(&r, 16, 4, 3);
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            char c;
            close(gate[1]);
            r.run.seed = (uint64_t)i;
            r.workloads[0].ranks[0].wall_seconds += i; /* its own ranks' file */
            if (read(gate[0], &c, 1) < 0)
                _exit(2);
            _exit(record_write(&r, dir, path, &e) == 0 ? 0 : 1);
        }
    }
    close(gate[1]); /* all of them start */
    close(gate[0]);
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        won += WEXITSTATUS(status) == 0;
    }
    assert_int_equal(won, 1);
    snprintf(path, sizeof path, "%s/lab-4711.0.3.json", dir);
    cJSON *doc = record_read(path, &e);
    assert_non_null(doc);
    snprintf(path, sizeof path, "%s/%s", dir, json_text(doc, "ranks_file.name", "?"));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(files(true), 2);
    cJSON_Delete(doc);
    record_fini(&r);
}

/* ---- reading ---- */

#define HEAD "{\"schema\":\"hpcai500/record\",\"schema_version\":\"1.0.0\""

static void test_parse(void **state)
{
    static const struct {
        const char *text, *sentence; /* "" : taken */
        size_t size;                 /* 0: strlen */
    } table[] = {
        {HEAD "}", "", 0},
        {HEAD "} \n", "", 0},
        {HEAD ",\"new\":1}", "", 0},
        {"{\"schema\":\"hpcai500/record\",\"schema_version\":\"1.9.2\"}", "", 0},
        {HEAD ",\"a\":\"\xc3\xa9\"}", "", 0},
        {"", "x: not JSON at byte 0", 0},
        {"{", "x: not JSON at byte 0", 0},
        {HEAD "} x", "x: text after the record at byte 54", 0},
        {HEAD "}\0", "x: a control character at byte 53", sizeof HEAD + 1},
        {"{\"schema\":\"other\"}", "x: not a record of hpcai500", 0},
        {"[]", "x: not a record of hpcai500", 0},
        {"{\"schema\":\"hpcai500/record\",\"schema_version\":\"2.0.0\"}",
         "x: schema version '2.0.0', but this release reads 1.x; use one that fits", 0},
        {HEAD ",\"schema\":\"hpcai500/record\"}", "x: the key 'schema' is given twice", 0},
        {HEAD ",\"a\":[{\"b\":1,\"c\":2,\"b\":3}]}", "x: the key 'b' is given twice", 0},
        {HEAD ",\"a\":1e999}", "x: a number that is not finite", 0},
        {HEAD ",\"a\":NaN}", "x: not JSON at byte 57", 0},
        {HEAD ",\"a\":\"\xff\"}", "x: not UTF-8 at byte 58", 0},
        {HEAD ",\"a\":\"\xed\xa0\x80\"}", "x: not UTF-8 at byte 58", 0},
        {HEAD ",\"a\":\"\xc0\xaf\"}", "x: not UTF-8 at byte 58", 0},
        {HEAD ",\"a\":\"\x1b[2J\"}", "x: a control character at byte 58", 0},
        {HEAD ",\"a\\u0000b\":1}", "x: a NUL character at byte 55", 0},
        {HEAD ",\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", "", 0},
        {HEAD ",\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", "", 0},
        {HEAD ",\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
         "x: nested deeper than 32 at byte 88", 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err e = ERR_INIT;
        size_t size = table[i].size ? table[i].size : strlen(table[i].text);
        cJSON *doc = record_parse(table[i].text, size, "x", &e);
        assert_string_equal(e.text, table[i].sentence);
        assert_int_equal(doc != NULL, table[i].sentence[0] == '\0');
        cJSON_Delete(doc);
    }
}

static void expect_unread(const char *path, const char *part)
{
    struct err e = ERR_INIT;

    assert_null(record_read(path, &e));
    assert_non_null(strstr(e.text, part));
}

static void test_read_refusals(void **state)
{
    char path[PATH_MAX], link[PATH_MAX];
    (void)state;

    snprintf(path, sizeof path, "%s/fifo", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    expect_unread(path, "No such file or directory");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_unread(path, "not a regular file");
    assert_int_equal(symlink(path, link), 0);
    expect_unread(link, "a symbolic link");
    expect_unread(dir, "not a regular file");
    expect_unread("/dev/zero", "not a regular file");
    snprintf(path, sizeof path, "%s/sparse", dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    close(fd);
    expect_unread(path, "more than 1048576 bytes, too large for a record");
    files(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_write_odd_name, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_write_symlink, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_write_leftover, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_write_full, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_write_nowhere, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_write_collision, make_dir, drop_dir),
        cmocka_unit_test(test_parse),
        cmocka_unit_test_setup_teardown(test_read_refusals, make_dir, drop_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
