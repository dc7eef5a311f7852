/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What root does with a user's files: bundles, credentials by a munged of this
 * test's own, the scan of a hostile folder, the drop folder and a second user,
 * the way to the collector.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <munge.h>

#include "reports/core/sha256.h"
#include "spank/relay/bundle.h"
#include "spank/witness/cgroup.h"
#include "spank/relay/cred.h"
#include "spank/relay/forward.h"
#include "spank/relay/receive.h"
#include "spank/witness/scan.h"
#include "spank/relay/spool.h"
#include "spank/witness/job.h"

enum { STRANGER = 65534, OWNER = 65533 };

static char dir[] = "/var/tmp/hpcai500-witness-XXXXXX"; /* not below a node's own /tmp */
static char munge_socket[128];
static pid_t munged;

/* ---- small things ---- */

static const char *at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *at(const char *fmt, ...)
{
    static char ring[8][512];
    static int next;
    char *path = ring[next++ % 8];
    size_t n = (size_t)snprintf(path, sizeof ring[0], "%s/", dir);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path + n, sizeof ring[0] - n, fmt, ap);
    va_end(ap);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static int folder(const char *path)
{
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void ran(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void nap(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void need_root(void)
{
    if (geteuid() == 0)
        return;
    print_message("SKIP: needs root\n");
    skip();
}

static void need_munged(void)
{
    if (munged > 0)
        return;
    print_message("SKIP: no munged here\n");
    skip();
}

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

static size_t make_bundle(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(bundle_write_credential(fd, "MUNGE:abc:", NULL), 0);
    assert_int_equal(bundle_write_file(fd, "a.json", "{}\n", 3, NULL), 0);
    assert_int_equal(bundle_write_file(fd, "a.journal/00000", "\0\n\xff", 3, NULL), 0);
    assert_int_equal(bundle_write_file(fd, "empty", "", 0, NULL), 0);
    assert_int_equal(bundle_write_file(fd, "../x", "", 0, NULL), -1);
    off_t end = lseek(fd, 0, SEEK_END);
    close(fd);
    return (size_t)end;
}

/* Files that can be read, -1 damaged, -2 no bundle at all. */
static int count(const char *path)
{
    struct bundle_file f;
    int n = 0, rc;
    struct bundle *b = bundle_open(AT_FDCWD, path, NULL);

    if (!b)
        return -2;
    while ((rc = bundle_next(b, &f, NULL)) == 1)
        n++;
    assert_int_equal(bundle_next(b, &f, NULL), rc);
    bundle_close(b);
    return rc < 0 ? -1 : n;
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
    for (char *c = full + strlen(dir) + 1; (c = strchr(c, '/')); c++) {
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

/* ---- the drop folder ---- */

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
    assert_int_equal(symlink(dir, at("spool/jobs/n1/9/out")), 0); /* is removed, not followed */
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

/* ---- credentials ---- */

static void start_munged(void)
{
    char key[128], pid[140], log[140], seed[140];
    unsigned char bytes[1024];

    snprintf(key, sizeof key, "--key-file=%s/key", dir);
    snprintf(pid, sizeof pid, "--pid-file=%s/munged.pid", dir);
    snprintf(log, sizeof log, "--log-file=%s/munged.log", dir);
    snprintf(seed, sizeof seed, "--seed-file=%s/seed", dir);
    snprintf(munge_socket, sizeof munge_socket, "%s/munge", dir);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(rand() >> 3);
    int fd = open(at("key"), O_WRONLY | O_CREAT, 0600);
    if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return;
    close(fd);
    munged = fork();
    if (munged == 0) {
        char sock[160];
        snprintf(sock, sizeof sock, "--socket=%s", munge_socket);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execl("/usr/sbin/munged", "munged", "--foreground", "--force", sock, key, pid, log, seed,
              "--num-threads=2", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200; i++) {
        if (access(munge_socket, F_OK) == 0)
            return;
        if (waitpid(munged, NULL, WNOHANG) == munged)
            break;
        nap(50);
    }
    munged = 0;
}

static void credentials_decode_for_ever(void **state)
{
    struct cred c;
    struct err e = ERR_INIT;
    char *text = NULL;

    (void)state;
    need_munged();
    text = cred_encode(munge_socket, "hello", 5, &e);
    assert_non_null(text);
    assert_int_equal(cred_decode(munge_socket, text, &c, &e), 0);
    assert_int_equal(c.state, CRED_FRESH);
    assert_int_equal(c.uid, geteuid());
    assert_string_equal(c.payload, "hello");
    assert_true(llabs((long long)(c.encoded - time(NULL))) < 600);
    cred_fini(&c);
    assert_int_equal(cred_decode(munge_socket, text, &c, &e), 0);
    assert_int_equal(c.state, CRED_REPLAYED);
    assert_string_equal(c.payload, "hello");
    cred_fini(&c);
    size_t n = strlen(text);
    text[n / 2] = text[n / 2] == 'A' ? 'B' : 'A';
    assert_int_equal(cred_decode(munge_socket, text, &c, &e), -1);
    assert_non_null(strstr(e.text, "MUNGE: "));
    free(text);
    munge_ctx_t ctx = munge_ctx_create();
    munge_ctx_set(ctx, MUNGE_OPT_SOCKET, munge_socket);
    munge_ctx_set(ctx, MUNGE_OPT_TTL, 1);
    assert_int_equal(munge_encode(&text, ctx, "old", 3), EMUNGE_SUCCESS);
    munge_ctx_destroy(ctx);
    nap(2500);
    assert_int_equal(cred_decode(munge_socket, text, &c, &e), 0);
    assert_int_equal(c.state, CRED_EXPIRED);
    assert_string_equal(c.payload, "old");
    cred_fini(&c);
    free(text);
    assert_null(cred_encode(at("nowhere"), "x", 1, &e));
    assert_non_null(strstr(e.text, "nowhere"));
}

/* ---- a job, whole ---- */

static void site(struct conf *c, const char *spool)
{
    conf_defaults(c);
    snprintf(c->spool, sizeof c->spool, "%s", spool);
    snprintf(c->munge_socket, sizeof c->munge_socket, "%s", munge_socket);
    c->spool_per_job = 1 << 20;
    c->spool_reserve = 0;
    c->service_user[0] = '\0';
}

static int bundles(const char *spool, char last[256])
{
    char path[600];
    FILE *p;
    int n = 0;

    snprintf(path, sizeof path, "ls '%s/out' | grep bundle$", spool);
    p = popen(path, "r");
    while (fgets(last, 256, p)) {
        last[strcspn(last, "\n")] = '\0';
        n++;
    }
    pclose(p);
    return n;
}

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
    assert_int_equal(cred_decode(munge_socket, bundle_credential(b), &cred, &e), 0);
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
    snprintf(c.munge_socket, sizeof c.munge_socket, "%s", munge_socket);
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

/* ---- to the collector ---- */

static int heard; /* refusals */
static char last_refusal[512];

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    heard++;
    snprintf(last_refusal, sizeof last_refusal, "%s", sentence);
}

/* Serves until the child ends; bundles taken. The child's exit code in *code. */
static int serve(struct receiver *r, pid_t child, int *code)
{
    int taken = 0, status = 0;

    while (waitpid(child, &status, WNOHANG) == 0)
        taken += receive_step(r, 20, NULL);
    for (int i = 0; i < 5; i++)
        taken += receive_step(r, 1, NULL);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return taken;
}

/* Forwards in a process of its own, as that user. Exit code: bundles sent, 99
 * for a failure. */
static pid_t forward(const struct conf *c, uid_t uid)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct forward_done done;
        if (uid && (unlink(at("from/out/.forward")) || chown(at("from/out"), uid, uid) ||
                    chown(at("from/out/c.bundle"), uid, uid) || setresuid(uid, uid, uid)))
            _exit(98);
        _exit(forward_run(c, &done, NULL) ? 99 : done.sent);
    }
    return pid;
}

static int connect_port(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* A receiver on a free port of ours, "127.0.0.1:port" in where. */
static struct receiver *receiver_of(const char *spool, char *where, size_t size)
{
    struct receiver *r = NULL;
    struct err e = ERR_INIT;

    /* port 0 is no address of the configuration: any free one is found by trying */
    for (int port = 21000 + (int)getpid() % 20000; !r && port < 65000; port += 7) {
        snprintf(where, size, "127.0.0.1:%d", port);
        r = receive_open(where, at("%s", spool), munge_socket, say, NULL, &e);
    }
    assert_non_null(r);
    return r;
}

static int entries(const char *of, const char *head)
{
    DIR *d = opendir(at("%s", of));
    struct dirent *row;
    int n = 0;

    assert_non_null(d);
    while ((row = readdir(d)))
        n += strncmp(row->d_name, head, strlen(head)) == 0;
    closedir(d);
    return n;
}

/* A message up to its body, of the bytes "ab", but it announces so many; its
 * length. */
static size_t message_head(char text[2048], const char *name, unsigned long long size)
{
    char payload[512], *credential, hash[SHA256_HEX_SIZE];
    struct err e = ERR_INIT;
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, "ab", 2);
    sha256_hex(&s, hash);
    snprintf(payload, sizeof payload, "%s %llu %s", name, size, hash);
    credential = cred_encode(munge_socket, payload, strlen(payload), &e);
    assert_non_null(credential);
    int n = snprintf(text, 2048, "hpcai500-bundle 1 %zu\n%s", strlen(credential), credential);
    assert_true(n > 0 && n < 2048);
    free(credential);
    return (size_t)n;
}

/* Announces a bundle of two bytes; the caller sends them. */
static int announce(int port, const char *name)
{
    char text[2048];
    size_t n = message_head(text, name, 2);
    int fd = connect_port(port);

    assert_int_equal(write(fd, text, n), (ssize_t)n);
    return fd;
}

/* All of the message that puts good.bundle down; its length. */
static size_t good_message(char text[2048])
{
    size_t n = message_head(text, "good.bundle", 2);

    assert_true(n + 3 < 2048);
    memcpy(text + n, "ab", 3);
    return n + 2;
}

/* Says it, serves until the receiver has closed; the answer, bundles taken. */
static int converse(struct receiver *r, const char *text, size_t n, bool slowly, char answer[600])
{
    int fd = connect_port(receive_port(r)), taken = 0;
    size_t have = 0;
    ssize_t k;

    for (size_t at = 0; at < n; at += slowly ? 1 : n) {
        if (send(fd, text + at, slowly ? 1 : n, MSG_NOSIGNAL) < 0)
            break;
        taken += receive_step(r, slowly ? 1 : 0, NULL);
    }
    shutdown(fd, SHUT_WR);
    do {
        taken += receive_step(r, 20, NULL);
        k = recv(fd, answer + have, 599 - have, MSG_DONTWAIT);
        have += k > 0 ? (size_t)k : 0;
    } while (k > 0 || (k < 0 && errno == EAGAIN));
    answer[have] = '\0';
    close(fd);
    return taken;
}

/* Nothing is in out but good.bundle, if it is, with the bytes "ab". */
static int good_alone(const char *out)
{
    int there = entries(out, "good.bundle");

    assert_int_equal(entries(out, ""), there + 2); /* "." and ".." */
    if (there) {
        char bytes[8] = "";
        int fd = open(at("%s/good.bundle", out), O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, bytes, sizeof bytes), 2);
        close(fd);
        assert_string_equal(bytes, "ab");
    }
    return there;
}

static struct receiver *receiver_alone(const char *spool)
{
    struct spool s = SPOOL_INIT;
    char where[64];

    need_root();
    need_munged();
    assert_int_equal(spool_open(&s, at("%s", spool), "x", NULL, NULL), 0);
    spool_close(&s);
    return receiver_of(spool, where, sizeof where);
}

static void a_message_that_ends_anywhere_leaves_nothing(void **state)
{
    char text[2048], answer[600];
    struct receiver *r = receiver_alone("ends");

    (void)state;
    size_t n = good_message(text);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(converse(r, text, k, false, answer), 0);
        assert_string_equal(answer, "");
        assert_int_equal(good_alone("ends/out"), 0);
    }
    /* byte for byte, however slowly */
    assert_int_equal(converse(r, text, n, true, answer), 1);
    assert_memory_equal(answer, "ok ", 3);
    assert_int_equal(good_alone("ends/out"), 1);
    receive_close(r);
}

static void a_replayed_message_is_answered_and_taken_once(void **state)
{
    char text[2048], first[600], answer[600];
    struct receiver *r = receiver_alone("again");

    (void)state;
    size_t n = good_message(text);
    assert_int_equal(converse(r, text, n, false, first), 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(converse(r, text, n, false, answer), 0);
        assert_string_equal(answer, first);
        assert_int_equal(good_alone("again/out"), 1);
    }
    /* the credential of these bytes carries no others */
    unlink(at("again/out/good.bundle"));
    memcpy(text + n - 2, "xy", 3);
    assert_int_equal(converse(r, text, n, false, answer), 0);
    assert_string_equal(answer, "no good.bundle came with other bytes than announced\n");
    assert_int_equal(good_alone("again/out"), 0);
    receive_close(r);
}

static void garbage_and_too_much_is_refused(void **state)
{
    static const struct {
        const char *name, *behind;
        unsigned long long size;
        const char *answer;
    } rows[] = {
        {"good.bundle", "ab", 2ULL * BUNDLE_MAX_BYTES + 1, "good.bundle would have"},
        {"good.bundle", "ab", UINT64_MAX, "good.bundle would have"},
        {"good.bundle", "abc", 2, "good.bundle: more bytes than announced"},
        {"../good.bundle", "ab", 2, "a credential that announces no bundle"},
        {".good.bundle", "ab", 2, "a credential that announces no bundle"},
        {"a/good.bundle", "ab", 2, "a credential that announces no bundle"},
        {"good.json", "ab", 2, "a credential that announces no bundle"},
        {"good.bundle 2", "ab", 2, "a credential that announces no bundle"},
    };
    char text[4096], answer[600];
    struct receiver *r = receiver_alone("garbage");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = message_head(text, rows[i].name, rows[i].size);
        strcpy(text + n, rows[i].behind);
        assert_int_equal(converse(r, text, strlen(text), false, answer), 0);
        assert_memory_equal(answer, "no ", 3);
        assert_memory_equal(answer + 3, rows[i].answer, strlen(rows[i].answer));
        assert_int_equal(good_alone("garbage/out"), 0);
    }
    static const char *const lines[] = {"\n",
                                        "hpcai500-bundle 2 10\n",
                                        "hpcai500-bundle 1 0\n",
                                        "hpcai500-bundle 1 -1\n",
                                        "hpcai500-bundle 1 4097\n",
                                        "hpcai500-bundle 1 99999999999999999999\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(converse(r, lines[i], strlen(lines[i]), false, answer), 0);
        assert_string_equal(answer, "no a message that is none of ours\n");
    }
    memset(text, 'x', sizeof text); /* a line without an end */
    assert_int_equal(converse(r, text, sizeof text, false, answer), 0);
    assert_string_equal(answer, "no a message that is none of ours\n");
    receive_close(r);
}

/* A bit of each byte: taken is what root announced, or nothing. */
static void a_message_that_is_changed_anywhere_is_not_taken(void **state)
{
    char text[2048], answer[600];
    struct receiver *r = receiver_alone("bits");

    (void)state;
    size_t n = good_message(text);
    for (size_t k = 0; k < n; k++) {
        text[k] ^= 1;
        converse(r, text, n, false, answer);
        text[k] ^= 1;
        good_alone("bits/out");
        unlink(at("bits/out/good.bundle"));
    }
    receive_close(r);
}

/* Who only holds a place makes room for root. */
static void all_places_taken_by_others_keep_root_out_of_none(void **state)
{
    char text[2048], answer[600];
    int idle[2 * RECEIVE_MAX_PEERS];
    struct receiver *r = receiver_alone("crowd");

    (void)state;
    for (int i = 0; i < 2 * RECEIVE_MAX_PEERS; i++) {
        idle[i] = connect_port(receive_port(r));
        receive_step(r, 20, NULL);
    }
    size_t n = good_message(text);
    assert_int_equal(converse(r, text, n, false, answer), 1);
    assert_int_equal(good_alone("crowd/out"), 1);
    for (int i = 0; i < 2 * RECEIVE_MAX_PEERS; i++)
        close(idle[i]);
    receive_close(r);
}

static void what_a_dead_receiver_left_goes_a_living_ones_stays(void **state)
{
    struct spool s = SPOOL_INIT;
    char where[64], other[64];
    int fd;

    (void)state;
    need_root();
    need_munged();
    assert_int_equal(spool_open(&s, at("parts"), "x", NULL, NULL), 0);
    spool_close(&s);
    put(at("parts/out/.received-1-1.part"), "half");
    put(at("parts/out/.received-1-1.partly"), "not ours");
    put(at("parts/out/.lab-1-n1-5.bundle.part"), "the witness's");
    struct receiver *r = receiver_of("parts", where, sizeof where);
    assert_int_equal(entries("parts/out", ".received-1-1.part"), 1);
    assert_int_equal(entries("parts/out", ".lab-1-n1-5.bundle.part"), 1);
    unlink(at("parts/out/.received-1-1.partly"));

    fd = announce(receive_port(r), "z.bundle");
    for (int i = 0; i < 500 && entries("parts/out", ".received-") == 0; i++)
        receive_step(r, 20, NULL);
    assert_int_equal(entries("parts/out", ".received-"), 1);
    struct receiver *second = receiver_of("parts", other, sizeof other);
    assert_int_equal(entries("parts/out", ".received-"), 1);
    receive_close(second);
    assert_int_equal(write(fd, "ab", 2), 2);
    int taken = 0;
    for (int i = 0; i < 500 && taken == 0; i++)
        taken += receive_step(r, 20, NULL);
    assert_int_equal(taken, 1);
    assert_int_equal(entries("parts/out", "z.bundle"), 1);
    assert_int_equal(entries("parts/out", ".received-"), 0);
    close(fd);
    receive_close(r);
}

static void bundles_reach_the_collector_once_and_from_root_alone(void **state)
{
    static struct conf c;
    struct err e = ERR_INIT;
    struct spool s = SPOOL_INIT;
    struct forward_done done;
    char name[256];
    int code, fd;

    (void)state;
    need_root();
    need_munged();
    assert_int_equal(spool_open(&s, at("to"), "x", NULL, &e), 0);
    spool_close(&s);
    assert_int_equal(spool_open(&s, at("from"), "x", NULL, &e), 0);
    spool_close(&s);
    site(&c, at("from"));
    struct receiver *r = receive_open("127.0.0.1:1", at("nowhere"), munge_socket, say, NULL, &e);
    assert_null(r);
    r = receiver_of("to", c.collector, sizeof c.collector);
    int port = receive_port(r);

    /* peers that say nothing, nonsense, or too much, hold nobody up */
    int idle[8];
    for (int i = 0; i < 8; i++)
        idle[i] = connect_port(port);
    fd = connect_port(port);
    assert_true(write(fd, "GET / HTTP/1.0\r\n\r\n", 18) == 18);
    make_bundle(at("from/out/a.bundle"));
    make_bundle(at("from/out/b.bundle"));
    assert_int_equal(serve(r, forward(&c, 0), &code), 2);
    assert_int_equal(code, 2);
    assert_int_equal(bundles(at("to"), name), 2);
    assert_int_equal(bundles(at("from"), name), 0);
    assert_int_equal(count(at("to/out/a.bundle")), 3);
    assert_true(heard >= 1);
    close(fd);

    /* the same again is acknowledged and not taken twice */
    make_bundle(at("from/out/a.bundle"));
    assert_int_equal(serve(r, forward(&c, 0), &code), 0);
    assert_int_equal(code, 1);
    /* other bytes under that name are refused and stay */
    put(at("from/out/a.bundle"), "other");
    assert_int_equal(serve(r, forward(&c, 0), &code), 0);
    assert_int_equal(code, 0);
    assert_non_null(strstr(last_refusal, "there is another a.bundle already"));
    unlink(at("from/out/a.bundle"));

    /* a user's credential, however well made */
    make_bundle(at("from/out/c.bundle"));
    assert_int_equal(serve(r, forward(&c, STRANGER), &code), 0);
    assert_int_equal(bundles(at("to"), name), 2);
    assert_non_null(strstr(last_refusal, "only root's are taken"));
    assert_int_equal(chown(at("from/out"), 0, 0), 0);

    for (int i = 0; i < 8; i++)
        close(idle[i]);
    receive_close(r);

    /* nobody listens: all stays, and the oldest go when too much waits */
    assert_int_equal(forward_run(&c, &done, &e), -1);
    assert_int_equal(bundles(at("from"), name), 1);
    c.spool_queue = 1;
    assert_int_equal(forward_run(&c, &done, &e), 0);
    assert_int_equal(done.dropped, 1);
    assert_non_null(strstr(done.why.text, "c.bundle was dropped"));
}

/* ---- all of it ---- */

static int start(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || chmod(dir, 0755))
        return -1;
    start_munged();
    return 0;
}

static int end(void **state)
{
    char command[128];

    (void)state;
    if (munged > 0) {
        kill(munged, SIGTERM);
        waitpid(munged, NULL, 0);
    }
    snprintf(command, sizeof command, "umount %s/*/jobs/n1/* 2>/dev/null; rm -rf %s", dir, dir);
    return system(command) == -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(a_bundle_is_read_as_it_was_written),
        cmocka_unit_test(a_bundle_that_is_cut_or_changed_anywhere_is_found_out),
        cmocka_unit_test(a_bundle_cannot_ask_for_memory_or_be_something_else),
        cmocka_unit_test(the_line_has_what_is_known_and_null_for_the_rest),
        cmocka_unit_test(only_regular_files_of_the_user_are_taken),
        cmocka_unit_test(swapped_entries_never_lead_out_of_the_folder),
        cmocka_unit_test(both_control_group_versions_are_read),
        cmocka_unit_test(a_second_user_can_do_nothing_to_a_drop_folder),
        cmocka_unit_test(the_owner_fills_his_own_folder_and_no_more),
        cmocka_unit_test(a_plain_folder_of_any_depth_goes),
        cmocka_unit_test(a_spool_that_others_can_write_is_refused),
        cmocka_unit_test(credentials_decode_for_ever),
        cmocka_unit_test(a_job_is_witnessed_or_waits_until_it_can_be),
        cmocka_unit_test(an_epilog_that_runs_three_times_loses_and_doubles_nothing),
        cmocka_unit_test(what_a_dead_receiver_left_goes_a_living_ones_stays),
        cmocka_unit_test(a_message_that_ends_anywhere_leaves_nothing),
        cmocka_unit_test(a_replayed_message_is_answered_and_taken_once),
        cmocka_unit_test(garbage_and_too_much_is_refused),
        cmocka_unit_test(a_message_that_is_changed_anywhere_is_not_taken),
        cmocka_unit_test(all_places_taken_by_others_keep_root_out_of_none),
        cmocka_unit_test(bundles_reach_the_collector_once_and_from_root_alone),
    };

    return cmocka_run_group_tests(tests, start, end);
}
