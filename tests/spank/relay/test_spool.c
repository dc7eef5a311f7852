/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The drop folder of a job: what its owner and a second user can do to it.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spank/relay/spool.h"
#include "tests/spank/relay/relay.h"
#include "tests/unit.h"

/* As that user: what he may not do to somebody's drop folder. Counts what works. */
static int tries(uid_t uid, const char *drop, const char *parent)
{
    char in[512], other[512];
    int worked = 0, fd;

    if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
        return 100;
    snprintf(in, sizeof in, "%s/record.json", drop);
    snprintf(other, sizeof other, "%s/mine", parent);
    worked += (fd = open(in, O_RDONLY)) >= 0;
    worked += open(in, O_WRONLY | O_CREAT, 0600) >= 0;
    worked += open(drop, O_RDONLY | O_DIRECTORY) >= 0;
    worked += link(in, "/var/tmp/hpcai500-stolen") == 0;
    worked += symlink("/etc/passwd", in) == 0;
    worked += rename(drop, other) == 0;
    worked += rmdir(drop) == 0;
    worked += chmod(drop, 0777) == 0;
    worked += mkdir(other, 0700) == 0;
    worked += open(other, O_WRONLY | O_CREAT, 0600) >= 0;
    return worked;
}

static void a_second_user_can_do_nothing_to_a_drop_folder(void **state)
{
    struct spool s = SPOOL_INIT;
    struct err e = ERR_INIT;
    int status;

    (void)state;
    need_root();
    for (int size = 0; size <= 1 << 20; size += 1 << 20) {
        assert_int_equal(spool_open(&s, at("spool"), "n1", NULL, &e), 0);
        assert_int_equal(spool_drop_make(&s, 7, OWNER, (uint64_t)size, &e), 0);
        pid_t pid = fork();
        if (pid == 0) { /* the owner drops his own */
            if (setresuid(OWNER, OWNER, OWNER))
                _exit(1);
            FILE *f = fopen(at("spool/jobs/n1/7/record.json"), "w");
            _exit(!f || fputs("mine", f) < 0 || fclose(f));
        }
        ran(pid);
        pid = fork();
        if (pid == 0)
            _exit(tries(STRANGER, at("spool/jobs/n1/7"), at("spool/jobs/n1")));
        waitpid(pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), 0);
        /* nor can the owner move or replace the folder itself */
        pid = fork();
        if (pid == 0) {
            if (setresuid(OWNER, OWNER, OWNER))
                _exit(1);
            _exit(rename(at("spool/jobs/n1/7"), at("spool/jobs/n1/8")) == 0 ||
                  symlink("/etc", at("spool/jobs/n1/9")) == 0 ||
                  open(at("spool/out"), O_RDONLY) >= 0);
        }
        ran(pid);
        assert_int_equal(spool_drop_remove(&s, 7, &e), 0);
        assert_int_equal(access(at("spool/jobs/n1/7"), F_OK), -1);
        spool_close(&s);
    }
}

static void the_owner_fills_his_own_folder_and_no_more(void **state)
{
    struct spool s = SPOOL_INIT;
    struct err e = ERR_INIT;
    struct stat here, parent;

    (void)state;
    need_root();
    assert_int_equal(spool_open(&s, at("spool"), "n1", NULL, &e), 0);
    assert_int_equal(spool_drop_make(&s, 8, OWNER, 1 << 20, &e), 0);
    assert_int_equal(stat(at("spool/jobs/n1/8"), &here), 0);
    assert_int_equal(stat(at("spool/jobs/n1"), &parent), 0);
    if (here.st_dev == parent.st_dev) {
        spool_drop_remove(&s, 8, NULL);
        spool_close(&s);
        print_message("SKIP: root cannot mount a tmpfs here\n");
        skip();
    }
    pid_t pid = fork();
    if (pid == 0) {
        static char block[1 << 16];
        int n = 0, files = 0;
        if (setresuid(OWNER, OWNER, OWNER))
            _exit(1);
        int fd = open(at("spool/jobs/n1/8/fill"), O_WRONLY | O_CREAT, 0600);
        while (n < 64 && write(fd, block, sizeof block) == (ssize_t)sizeof block)
            n++;
        while (files < 10000 && symlink("x", at("spool/jobs/n1/8/l%d", files)) == 0)
            files++;
        _exit(n > 17 || files >= 10000);
    }
    ran(pid);
    /* Somebody still holds a file open, and the folder as his working one. */
    int open_file = open(at("spool/jobs/n1/8/fill"), O_RDONLY);
    assert_true(open_file >= 0);
    int fd = spool_drop_seal(&s, 8, &e);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &here), 0);
    assert_int_equal(here.st_uid, 0);
    close(fd);
    assert_int_equal(spool_drop_remove(&s, 8, &e), 0);
    assert_int_equal(access(at("spool/jobs/n1/8"), F_OK), -1);
    close(open_file);
    spool_close(&s);
}

static void a_plain_folder_of_any_depth_goes(void **state)
{
    struct spool s = SPOOL_INIT;
    struct err e = ERR_INIT;
    int fd, next;

    (void)state;
    need_root();
    assert_int_equal(spool_open(&s, at("spool"), "n1", NULL, &e), 0);
    assert_int_equal(spool_drop_make(&s, 9, OWNER, 0, &e), 0);
    fd = open(at("spool/jobs/n1/9"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(mkdirat(fd, "deep", 0700), 0);
        next = openat(fd, "deep", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
    }
    close(fd);
    put(at("good"), "stays");
    assert_int_equal(symlink(relay_dir, at("spool/jobs/n1/9/out")),
                     0); /* is removed, not followed */
    assert_int_equal(spool_drop_remove(&s, 9, &e), 0);
    assert_int_equal(access(at("good"), F_OK), 0);
    spool_close(&s);
}

static void a_spool_that_others_can_write_is_refused(void **state)
{
    struct spool s = SPOOL_INIT;
    struct err e = ERR_INIT;

    (void)state;
    need_root();
    mkdir(at("open"), 0777);
    chmod(at("open"), 0777);
    assert_int_equal(spool_open(&s, at("open"), "n1", NULL, &e), -1);
    assert_non_null(strstr(e.text, "can be written by others"));
    mkdir(at("others"), 0755);
    assert_int_equal(chown(at("others"), STRANGER, (gid_t)-1), 0);
    assert_int_equal(spool_open(&s, at("others"), "n1", NULL, &e), -1);
    assert_int_equal(symlink("spool", at("linked")), 0);
    assert_int_equal(spool_open(&s, at("linked"), "n1", NULL, &e), -1);
    assert_int_equal(spool_open(&s, at("spool"), "../n1", NULL, &e), -1);
    assert_string_equal(e.text, "'../n1' is not a node's name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_user_can_do_nothing_to_a_drop_folder),
        cmocka_unit_test(the_owner_fills_his_own_folder_and_no_more),
        cmocka_unit_test(a_plain_folder_of_any_depth_goes),
        cmocka_unit_test(a_spool_that_others_can_write_is_refused),
    };

    return cmocka_run_group_tests(tests, relay_start, relay_end);
}
