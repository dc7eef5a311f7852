/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-witness begin|end|forward: what the plugin starts as root in a
 * job's prolog and epilog. Which job it is stands in the environment as slurmd
 * gives it to such scripts. It ends by itself, whatever hangs.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "build_id.h"
#include "reports/core/out.h"
#include "spank/relay/forward.h"
#include "spank/relay/spool.h"
#include "spank/witness/job.h"

enum { SCRIPT_SECONDS = 10, FORWARD_SECONDS = 60, MAX_DESCRIPTOR = 1024 };

static const char usage[] =
    "usage: hpcai500-witness begin|end|forward\n"
    "\n"
    "  begin    in a job's prolog: makes the job's drop folder in the spool\n"
    "  end      in its epilog: witnesses what is in it, into SPOOL/out\n"
    "  forward  sends what waits in SPOOL/out to the collector=\n"
    "\n"
    "begin and end want SLURM_JOB_ID, SLURM_JOB_UID and SLURMD_NODENAME.\n"
    "Exit code: 0 done, 1 not done, 2 usage.\n";

/* Nobody may read stderr of a prolog. */
static void say(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(int priority, const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "hpcai500-witness: %s\n", text);
    syslog(priority, "%s", text);
}

/* Slurm waits for who holds its pipes. */
static void let_go(void)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    for (int fd = 3; fd < MAX_DESCRIPTOR; fd++)
        close(fd);
}

/* A process of its own session, which nobody waits for. */
static void forward_detached(void)
{
    pid_t child = fork();

    if (child != 0)
        return;
    setsid();
    if (fork() != 0)
        _exit(0);
    let_go();
    execl("/proc/self/exe", "hpcai500-witness", "forward", (char *)NULL);
    _exit(1);
}

typedef int (*verb_fn)(const struct conf *c);

static int begin(const struct conf *c)
{
    struct witness w = WITNESS_INIT;
    struct witness_done done = {0};
    struct err e = ERR_INIT;
    int rc = spool_facts(&w, &e) || witness_begin(c, &w, &done, &e);

    if (done.lost)
        say(LOG_ERR, "job %ld starts again; what its last start left is lost: no witness", w.job);
    if (rc == 0)
        return 0;
    say(LOG_WARNING, "job %ld has no drop folder: %s", w.job, e.text);
    return 1;
}

static int end(const struct conf *c)
{
    struct witness w = WITNESS_INIT;
    struct witness_done done = {0};
    struct err e = ERR_INIT;
    int rc = spool_facts(&w, &e) || witness_end(c, &w, &done, &e);

    if (rc)
        say(LOG_WARNING, "job %ld could not be witnessed: %s", w.job, e.text);
    if (done.skipped)
        say(LOG_NOTICE, "job %ld of user %ld: %d entries of its drop folder were not taken", w.job,
            w.uid, done.skipped);
    if (c->collector[0])
        forward_detached();
    return rc ? 1 : 0;
}

static int forward(const struct conf *c)
{
    struct forward_done done;
    struct err e = ERR_INIT;
    int rc = forward_run(c, &done, &e);

    if (done.dropped || done.refused)
        say(LOG_ERR, "%d bundles dropped, %d refused: %s", done.dropped, done.refused,
            done.why.text);
    if (rc)
        say(LOG_WARNING, "%s", e.text);
    return rc ? 1 : 0;
}

static const struct {
    const char *name;
    verb_fn run;
    unsigned seconds;
} verbs[] = {
    {"begin", begin, SCRIPT_SECONDS},
    {"end", end, SCRIPT_SECONDS},
    {"forward", forward, FORWARD_SECONDS},
};

/* plugstack's spool= stands above the configuration's, here as for the agent. */
static int load(struct conf *c, struct err *e)
{
    const char *spool = getenv("HPCAI500_SPOOL");

    if (conf_load(c, NULL, CONF_PRIVILEGED, e))
        return -1;
    if (spool && spool[0] == '/' && strlen(spool) < sizeof c->spool)
        strcpy(c->spool, spool);
    return 0;
}

static int run(const char *name)
{
    static struct conf c; /* 40 KiB */
    struct err e = ERR_INIT;

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(name, verbs[i].name) != 0)
            continue;
        alarm(verbs[i].seconds);
        if (load(&c, &e) == 0)
            return verbs[i].run(&c);
        say(LOG_ERR, "%s", e.text);
        return 1;
    }
    fputs(usage, stderr);
    return 2;
}

int main(int argc, char **argv)
{
    /* What slurmd starts prints nothing, so nothing can be lost of it. */
    if (argc == 2 && argv[1][0] == '-')
        out_guard("hpcai500 witness");
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("hpcai500-witness %s (%s)\n", PACKAGE_VERSION, HPCAI500_BUILD_ID);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, SIG_DFL);
    if (chdir("/"))
        return 1;
    openlog("hpcai500-witness", LOG_PID, LOG_DAEMON);
    if (argc == 2)
        return run(argv[1]);
    fputs(usage, stderr);
    return 2;
}
