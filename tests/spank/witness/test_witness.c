/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What root does at a job's begin and end: his line, the scan of a hostile
 * folder, the control groups, and all of it together.
 */
#include <config.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spank/relay/bundle.h"
#include "spank/relay/cred.h"
#include "spank/witness/cgroup.h"
#include "spank/witness/job.h"
#include "spank/witness/scan.h"
#include "tests/spank/relay/relay.h"
#include "tests/unit.h"

/* ---- the witness's line ---- */

static void the_line_has_what_is_known_and_null_for_the_rest(void **state)
{
    struct witness w = WITNESS_INIT;

    (void)state;
    w.job = 7;
    w.uid = 1000;
    strcpy(w.node, "n1");
    strcpy(w.asked, "component,\"x\"\\\n\x1b");
    w.begin = 1.5;
    struct witness_file *f = witness_add(&w, "a.json", NULL);
    memset(f->sha256, '0', 64);
    f->size = 3;
    char *text = witness_format(&w, NULL);
    assert_non_null(strstr(text, "\"job\":7,\"restart\":0,\"array_job\":null,"));
    assert_non_null(strstr(text, "\"asked\":\"component,\\\"x\\\"\\\\??\","));
    assert_non_null(strstr(text, "\"begin\":1.500,\"end\":null,"));
    assert_non_null(strstr(text, "\"files\":[{\"name\":\"a.json\",\"size\":3,\"sha256\":\"0000"));
    free(text);
    witness_fini(&w);
}

/* ---- the scan of a folder ---- */

static void only_regular_files_of_the_user_are_taken(void **state)
{
    int fd = folder(at("drop"));
    struct scan s = {0};

    (void)state;
    put(at("secret"), "SECRET");
    put(at("drop/b.json"), "b");
    put(at("drop/a.json"), "a");
    mkdir(at("drop/j.journal"), 0700);
    put(at("drop/j.journal/00000"), "j");
    mkdir(at("drop/j.journal/deeper"), 0700);
    put(at("drop/j.journal/deeper/x"), "x");
    put(at("drop/.hidden"), "h");
    put(at("drop/odd name"), "o");
    assert_int_equal(symlink(at("secret"), at("drop/link.json")), 0);
    assert_int_equal(symlink("/proc", at("drop/link.journal")), 0);
    assert_int_equal(link(at("secret"), at("drop/hard.json")), 0);
    assert_int_equal(mkfifo(at("drop/fifo.json"), 0600), 0);
    put(at("drop/sparse"), "");
    assert_int_equal(truncate(at("drop/sparse"), 1LL << 40), 0);
    int expected_skips = 8;
    if (geteuid() == 0) {
        put(at("drop/others.json"), "x");
        assert_int_equal(chown(at("drop/others.json"), STRANGER, (gid_t)-1), 0);
        mkdir(at("drop/others.journal"), 0777);
        assert_int_equal(chown(at("drop/others.journal"), STRANGER, (gid_t)-1), 0);
        expected_skips += 2;
    }
    assert_int_equal(scan_folder(&s, fd, geteuid(), 1 << 20, NULL), 0);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.files[0].name, "a.json");
    assert_string_equal(s.files[1].name, "b.json");
    assert_string_equal(s.files[2].name, "j.journal/00000");
    assert_memory_equal(s.files[2].bytes, "j", 1);
    assert_int_equal(s.skipped, expected_skips);
    scan_fini(&s);
    assert_int_equal(scan_folder(&s, fd, geteuid(), 2, NULL), 0);
    assert_int_equal(s.n, 2); /* no more bytes than were allowed */
    scan_fini(&s);
    close(fd);
}

/* Every form that an entry can take, as fast as it can. */
static void attack(const char *drop, const char *secret)
{
    char a[512], b[512];

    snprintf(a, sizeof a, "%s/a.json", drop);
    snprintf(b, sizeof b, "%s/.next", drop);
    for (;;) {
        put(b, "honest");
        rename(b, a);
        if (symlink(secret, b) == 0)
            rename(b, a);
        /* of another user: what is his own he may show, and its second name may
         * be gone between open and fstat */
        if (geteuid() == 0 && link(secret, b) == 0)
            rename(b, a);
        if (mkfifo(b, 0600) == 0)
            rename(b, a);
        unlink(a);
        mkdir(a, 0700);
        rmdir(a);
        if (symlink("/", b) == 0)
            rename(b, a);
    }
}

static void swapped_entries_never_lead_out_of_the_folder(void **state)
{
    int fd = folder(at("arena")), taken = 0, skipped = 0;

    (void)state;
    put(at("secret2"), "SECRET");
    if (geteuid() == 0)
        assert_int_equal(chown(at("secret2"), STRANGER, (gid_t)-1), 0);
    pid_t pid = fork();
    if (pid == 0)
        attack(at("arena"), at("secret2"));
    const time_t end = time(NULL) + 60; /* a busy machine may not let both run at once */
    for (int i = 0; i < 3000 || ((!taken || !skipped) && time(NULL) < end); i++) {
        struct scan s = {0};
        assert_int_equal(scan_folder(&s, fd, geteuid(), 1 << 20, NULL), 0);
        for (int k = 0; k < s.n; k++) {
            assert_true(s.files[k].size <= 6);
            assert_memory_equal(s.files[k].bytes, "honest", s.files[k].size);
        }
        taken += s.n;
        skipped += s.skipped;
        scan_fini(&s);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd);
    assert_true(taken > 0 && skipped > 0); /* it was a fight */
}

/* ---- control groups ---- */

static void tree(const char *path, const char *text)
{
    char full[512];

    snprintf(full, sizeof full, "%s", at("%s", path));
    for (char *c = full + strlen(relay_dir) + 1; (c = strchr(c, '/')); c++) {
        *c = '\0';
        mkdir(full, 0755);
        *c = '/';
    }
    put(full, text);
}

static void both_control_group_versions_are_read(void **state)
{
    struct witness w = WITNESS_INIT;

    (void)state;
    w.job = 7;
    w.uid = 1000;
    cgroup_read(&w, at("none"));
    assert_true(isnan(w.cpu_user_seconds));
    assert_string_equal(w.cgroup_reason, "the job's control group was not there any more");
    w.cgroup_reason[0] = '\0';
    tree("v1/cpuacct/slurm_n1/uid_1000/job_7/cpuacct.stat", "user 250\nsystem 50\n");
    tree("v1/memory/slurm_n1/uid_1000/job_7/memory.max_usage_in_bytes", "1048576\n");
    tree("v1/blkio/slurm/uid_1000/job_7/blkio.throttle.io_service_bytes_recursive",
         "8:0 Read 10\n8:0 Write 20\n8:16 Read 1\n8:16 Write 2\nTotal 33\n");
    cgroup_read(&w, at("v1"));
    assert_true(w.cpu_user_seconds == 2.5 && w.cpu_system_seconds == 0.5);
    assert_true(w.memory_peak_bytes == 1048576 && w.read_bytes == 11 && w.write_bytes == 22);
    assert_string_equal(w.cgroup_reason, "");
    struct witness v = WITNESS_INIT;
    v.job = 7;
    tree("v2/system.slice/slurmstepd.scope/job_7/cpu.stat",
         "usage_usec 9\nuser_usec 2500000\nsystem_usec 500000\n");
    tree("v2/system.slice/slurmstepd.scope/job_7/io.stat",
         "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n");
    cgroup_read(&v, at("v2"));
    assert_true(v.cpu_user_seconds == 2.5 && v.read_bytes == 11 && v.write_bytes == 22);
    assert_true(isnan(v.memory_peak_bytes)); /* before Linux 5.19 */
    assert_string_equal(v.cgroup_reason, "this kernel or this site does not count all of it");
}

/* ---- a job, whole ---- */

static struct witness job(long number, const char *asked)
{
    struct witness w = WITNESS_INIT;

    w.job = number;
    w.uid = OWNER;
    strcpy(w.node, "n1");
    strcpy(w.cluster, "lab");
    strcpy(w.asked, asked);
    return w;
}

static void drop_file(const char *spool, long number, const char *name)
{
    char path[700];

    snprintf(path, sizeof path, "%s/jobs/n1/%ld/%s", spool, number, name);
    put(path, "{}\n");
    assert_int_equal(chown(path, OWNER, (gid_t)-1), 0);
}

static void a_job_is_witnessed_or_waits_until_it_can_be(void **state)
{
    static struct conf c;
    struct witness_done done;
    struct err e = ERR_INIT;
    char name[256] = "", spool[256];
    struct cred cred;

    (void)state;
    need_root();
    need_munged();
    snprintf(spool, sizeof spool, "%s", at("site"));
    site(&c, spool);
    struct witness quiet = job(1, ""), w = job(2, "component"), late = job(3, "");
    /* neither asked nor left a file: no bundle, no trace */
    assert_int_equal(witness_begin(&c, &quiet, &done, &e), 0);
    assert_int_equal(witness_end(&c, &quiet, &done, &e), 0);
    assert_int_equal(bundles(spool, name), 0);
    /* the usual */
    assert_int_equal(witness_begin(&c, &w, &done, &e), 0);
    drop_file(spool, 2, "lab-2.0.0.json");
    w.restart = 1; /* what an epilog hears of a requeued job */
    assert_int_equal(witness_end(&c, &w, &done, &e), 0);
    assert_int_equal(bundles(spool, name), 1);
    assert_true(strncmp(name, "lab-2-n1-", 9) == 0);
    char path[600];
    snprintf(path, sizeof path, "%s/out/%s", spool, name);
    struct bundle *b = bundle_open(AT_FDCWD, path, &e);
    assert_int_equal(cred_decode(relay_munge, bundle_credential(b), &cred, &e), 0);
    assert_int_equal(cred.uid, 0);
    assert_non_null(strstr(cred.payload, "\"job\":2,\"restart\":0,"));
    assert_non_null(strstr(cred.payload, "\"interrupted\":false"));
    struct bundle_file f;
    assert_int_equal(bundle_next(b, &f, &e), 1);
    assert_non_null(strstr(cred.payload, f.sha256));
    cred_fini(&cred);
    bundle_close(b);
    /* no munged at the end: it waits, closed, until the next job */
    assert_int_equal(witness_begin(&c, &late, &done, &e), 0);
    drop_file(spool, 3, "lab-3.0.0.json");
    snprintf(c.munge_socket, sizeof c.munge_socket, "%s", at("nowhere"));
    assert_int_equal(witness_end(&c, &late, &done, &e), -1);
    assert_int_equal(bundles(spool, name), 1);
    snprintf(c.munge_socket, sizeof c.munge_socket, "%s", relay_munge);
    assert_int_equal(witness_begin(&c, &quiet, &done, &e), 0);
    assert_int_equal(done.swept, 1);
    assert_int_equal(bundles(spool, name), 2);
    assert_int_equal(access(at("site/jobs/n1/3"), F_OK), -1);
    /* the node was started again: the job's next start witnesses the last one */
    drop_file(spool, 1, "lab-1.0.0.json");
    struct witness again = job(1, "");
    again.restart = 1;
    assert_int_equal(witness_begin(&c, &again, &done, &e), 0);
    assert_int_equal(bundles(spool, name), 3);
    assert_int_equal(access(at("site/jobs/n1/1/lab-1.0.0.json"), F_OK), -1);
    assert_int_equal(witness_end(&c, &again, &done, &e), 0);
    /* below the reserve there is no folder; the end is still witnessed */
    c.spool_reserve = UINT64_MAX;
    struct witness full = job(4, "component");
    assert_int_equal(witness_begin(&c, &full, &done, &e), -1);
    assert_non_null(strstr(e.text, "are kept free"));
    assert_int_equal(access(at("site/jobs/n1/4"), F_OK), -1);
    c.spool_reserve = 0;
    assert_int_equal(witness_end(&c, &full, &done, &e), 0);
    assert_int_equal(bundles(spool, name), 4);
}

/* What a site's Epilog runs again: the user's file is in one bundle, and the
 * others are of a job that asked and left nothing. */
static void an_epilog_that_runs_three_times_loses_and_doubles_nothing(void **state)
{
    static struct conf c;
    struct witness_done done;
    struct err e = ERR_INIT;
    char name[256] = "", spool[256];
    int files = 0;

    (void)state;
    need_root();
    need_munged();
    snprintf(spool, sizeof spool, "%s", at("thrice"));
    site(&c, spool);
    struct witness w = job(7, "component");
    assert_int_equal(witness_begin(&c, &w, &done, &e), 0);
    drop_file(spool, 7, "lab-7.0.0.json");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(witness_end(&c, &w, &done, &e), 0);
        files += done.files;
        nap(2); /* a bundle's name has milliseconds */
    }
    assert_int_equal(files, 1);
    assert_int_equal(bundles(spool, name), 3);
    assert_int_equal(access(at("thrice/jobs/n1/7"), F_OK), -1);
    assert_int_equal(access(at("thrice/jobs/n1/7.state"), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_has_what_is_known_and_null_for_the_rest),
        cmocka_unit_test(only_regular_files_of_the_user_are_taken),
        cmocka_unit_test(swapped_entries_never_lead_out_of_the_folder),
        cmocka_unit_test(both_control_group_versions_are_read),
        cmocka_unit_test(a_job_is_witnessed_or_waits_until_it_can_be),
        cmocka_unit_test(an_epilog_that_runs_three_times_loses_and_doubles_nothing),
    };

    return cmocka_run_group_tests(tests, relay_start, relay_end);
}
