/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/spank/relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spank/relay/bundle.h"
#include "tests/unit.h"

/* Not below a node's own /tmp. */
char relay_dir[] = "/var/tmp/hpcai500-witness-XXXXXX";
char relay_munge[128];
static pid_t munged;

const char *at(const char *fmt, ...)
{
    static char ring[8][512];
    static int next;
    char *path = ring[next++ % 8];
    size_t n = (size_t)snprintf(path, sizeof ring[0], "%s/", relay_dir);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path + n, sizeof ring[0] - n, fmt, ap);
    va_end(ap);
    return path;
}

void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

int folder(const char *path)
{
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

void ran(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

void nap(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

void need_root(void)
{
    if (geteuid() == 0)
        return;
    print_message("SKIP: needs root\n");
    skip();
}

void need_munged(void)
{
    if (munged > 0)
        return;
    print_message("SKIP: no munged here\n");
    skip();
}

size_t make_bundle(const char *path)
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

int count(const char *path)
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

void site(struct conf *c, const char *spool)
{
    conf_defaults(c);
    snprintf(c->spool, sizeof c->spool, "%s", spool);
    snprintf(c->munge_socket, sizeof c->munge_socket, "%s", relay_munge);
    c->spool_per_job = 1 << 20;
    c->spool_reserve = 0;
    c->service_user[0] = '\0';
}

int bundles(const char *spool, char last[256])
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

static void start_munged(void)
{
    char key[128], pid[140], log[140], seed[140];
    unsigned char bytes[1024];

    snprintf(key, sizeof key, "--key-file=%s/key", relay_dir);
    snprintf(pid, sizeof pid, "--pid-file=%s/munged.pid", relay_dir);
    snprintf(log, sizeof log, "--log-file=%s/munged.log", relay_dir);
    snprintf(seed, sizeof seed, "--seed-file=%s/seed", relay_dir);
    snprintf(relay_munge, sizeof relay_munge, "%s/munge", relay_dir);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(rand() >> 3);
    int fd = open(at("key"), O_WRONLY | O_CREAT, 0600);
    if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return;
    close(fd);
    munged = fork();
    if (munged == 0) {
        char sock[160];
        snprintf(sock, sizeof sock, "--socket=%s", relay_munge);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execl("/usr/sbin/munged", "munged", "--foreground", "--force", sock, key, pid, log, seed,
              "--num-threads=2", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200; i++) {
        if (access(relay_munge, F_OK) == 0)
            return;
        if (waitpid(munged, NULL, WNOHANG) == munged)
            break;
        nap(50);
    }
    munged = 0;
}

int relay_start(void **state)
{
    (void)state;
    if (!mkdtemp(relay_dir) || chmod(relay_dir, 0755))
        return -1;
    start_munged();
    return 0;
}

int relay_end(void **state)
{
    char command[128];

    (void)state;
    if (munged > 0) {
        kill(munged, SIGTERM);
        waitpid(munged, NULL, 0);
    }
    snprintf(command, sizeof command, "umount %s/*/jobs/n1/* 2>/dev/null; rm -rf %s", relay_dir,
             relay_dir);
    return system(command) == -1;
}
