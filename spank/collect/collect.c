/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500 collect: files the spool's bundles in the history and the archive,
 * tells accounting. Runs as the service user; as root it becomes that user
 * before it opens anything.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/history/archive.h"
#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/out.h"
#include "reports/history/history.h"
#include "spank/collect/collect_account.h"
#include "spank/collect/collect_pass.h"
#include "spank/relay/receive.h"
#include "spank/relay/spool.h"
#include "spank/account/user.h"

enum { GRACE_SECONDS = 600, INTERVAL_SECONDS = 30, RECEIVE_MS = 500 };

static volatile int stopped;

struct options {
    bool once, verbose;
    long grace, interval;
};

struct service {
    struct options options;
    struct conf config;
    struct redact redact;
    struct archive *archive;
    struct collector files;
    struct account account;
    struct receiver *receiver;
    int watch; /* inotify on the spool's out; -1 */
};

static void say(const char *sentence)
{
    fprintf(stderr, "hpcai500 collect: %s\n", sentence);
}

static void say_received(void *ctx, const char *sentence)
{
    (void)ctx;
    say(sentence);
}

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static int usage(FILE *f)
{
    fprintf(f, "usage: hpcai500 collect [--once] [--grace=SECONDS] [--interval=SECONDS] [-v]\n"
               "Files what jobs left in the spool: history, archive, accounting.\n");
    return f == stdout ? 0 : 2;
}

/* ---- options ---- */

static int parse_seconds(const char *name, const char *text, long least, long *to, struct err *e)
{
    enum { WEEK = 7 * 86400 };
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < least || n > WEEK)
        return err_set(e, "--%s='%s' is not a number of seconds from %ld to %d", name, text, least,
                       WEEK);
    *to = n;
    return 0;
}

static int take(struct options *o, int c, struct err *e)
{
    o->once |= c == 'o';
    o->verbose |= c == 'v';
    if (c == 'g')
        return parse_seconds("grace", optarg, 0, &o->grace, e);
    if (c == 'i')
        return parse_seconds("interval", optarg, 1, &o->interval, e);
    return 0;
}

/* -1: go on; else the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"once", no_argument, NULL, 'o'},           {"grace", required_argument, NULL, 'g'},
        {"interval", required_argument, NULL, 'i'}, {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    struct err e = ERR_INIT;
    int c;

    *o = (struct options){.grace = GRACE_SECONDS, .interval = INTERVAL_SECONDS};
    opterr = 0;
    while ((c = getopt_long(argc, argv, "vh", longs, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout);
        if (take(o, c, &e) < 0 || (c == '?' && option_refuse(argv, longs, &e) < 0)) {
            say(e.text);
            return 2;
        }
    }
    return optind < argc ? usage(stderr) : -1;
}

/* ---- what we open ---- */

/* A folder that may be new, in one that is there. */
static int make_folder(const char *path, struct err *e)
{
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return err_set(e, "cannot make %s: %s", path, strerror(errno));
    return 0;
}

/* The folder of a file, for the service user, in one that is there. */
static int make_home(const char *file, const char *user, struct err *e)
{
    char path[PATH_MAX];
    const struct passwd *pw = getpwnam(user);

    snprintf(path, sizeof path, "%s", file);
    *strrchr(path, '/') = '\0';
    if (!*path || !pw || mkdir(path, 0750) < 0)
        return 0; /* it is there, or who needs it says why it cannot be used */
    if (chown(path, pw->pw_uid, pw->pw_gid) < 0)
        return err_set(e, "cannot give %s to %s: %s", path, user, strerror(errno));
    return 0;
}

/* What the service user cannot make: root does, while we are root. */
static int make_places(const struct conf *c, struct err *e)
{
    if (geteuid() != 0)
        return 0;
    return spool_make_out(c->spool, c->service_user, e) < 0 ||
                   make_home(c->history, c->service_user, e) < 0
               ? -1
               : 0;
}

static int open_out(struct service *s, struct err *e)
{
    const char *spool = s->config.spool;
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/out", s->config.spool);
    s->files.out = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->files.out < 0 && errno == ENOENT)
        return err_set(e,
                       "there is no %s; start the collector once as root, or make it: install -d "
                       "-m 755 %s && install -d -m 700 -o %s %s",
                       path, spool, s->config.service_user, path);
    if (s->files.out < 0)
        return err_set(e, "the spool %s: %s", path, strerror(errno));
    receive_clean(s->files.out);
    s->watch = s->options.once ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (s->watch >= 0)
        inotify_add_watch(s->watch, path, IN_MOVED_TO | IN_CLOSE_WRITE);
    return 0;
}

static int open_all(struct service *s, struct err *e)
{
    if (conf_load(&s->config, NULL, CONF_PRIVILEGED, e) < 0 || make_places(&s->config, e) < 0 ||
        redact_open(&s->redact, &s->config, e) < 0 || /* root alone may read the salt */
        user_become(s->config.service_user, e) < 0)
        return -1;
    umask(027);
    if (make_folder(s->config.archive, e) < 0 || make_folder(s->config.quarantine, e) < 0 ||
        open_out(s, e) < 0 || !(s->archive = archive_open(s->config.archive, e)) ||
        !(s->files.history = history_open_writer(s->config.history, s->archive, e)))
        return -1;
    if (s->config.listen[0] && !s->options.once &&
        !(s->receiver = receive_open(s->config.listen, s->config.spool, s->config.munge_socket,
                                     say_received, NULL, e)))
        return -1;
    s->files.config = s->account.config = &s->config;
    s->files.redact = &s->redact;
    s->files.grace = s->options.grace;
    s->files.stop = &stopped;
    s->files.say = s->account.say = say;
    return 0;
}

static void close_all(struct service *s)
{
    receive_close(s->receiver);
    history_close(s->files.history);
    archive_close(s->archive);
    if (s->files.out >= 0)
        close(s->files.out);
    if (s->watch >= 0)
        close(s->watch);
}

/* ---- the work ---- */

static void report(const struct service *s)
{
    const struct collector *c = &s->files;
    struct err e = ERR_INIT;
    long waiting = 0;
    int64_t since = 0;

    history_outbox_size(s->files.history, &waiting, &since, &e);
    printf("%ld bundles: %ld filed, %ld better than before, %ld known, %ld worse than known, "
           "%ld without a record, %ld refused; %ld wait for their job\n"
           "accounting: %ld told, %ld written, %ld in the outbox\n",
           c->bundles, c->filed, c->replaced, c->same, c->kept, c->none, c->refused, c->waiting,
           s->account.told, s->account.again, waiting);
    fflush(stdout);
}

/* Files what is there, tells accounting what is due. */
static int work(struct service *s)
{
    struct err e = ERR_INIT;
    int rc = collect_pass(&s->files, &e), told = 1;

    if (rc < 0)
        say(e.text);
    while (told > 0 && !stopped) {
        e.text[0] = '\0';
        told = account_due(&s->account, s->files.history, (int64_t)time(NULL), &e);
        if (told < 0)
            say(e.text);
        if (!s->options.once)
            break;
    }
    return rc < 0 || told < 0 ? -1 : 0;
}

static void drain(int fd)
{
    char events[4096];

    while (fd >= 0 && read(fd, events, sizeof events) > 0)
        ;
}

/* Until something came, or the interval is over. */
static void wait_for_work(struct service *s)
{
    time_t end = time(NULL) + s->options.interval;
    struct pollfd watch = {s->watch, POLLIN, 0};
    struct err e = ERR_INIT;

    while (!stopped && time(NULL) < end) {
        int came = 0;
        if (s->receiver && (came = receive_step(s->receiver, RECEIVE_MS, &e)) < 0) {
            say(e.text);
            receive_close(s->receiver);
            s->receiver = NULL;
            stopped = 1; /* systemd starts us again */
        }
        if (came > 0 || poll(&watch, 1, s->receiver ? 0 : 1000) > 0)
            break;
    }
    drain(s->watch);
}

int main(int argc, char **argv)
{
    static struct service s = {.watch = -1, .files.out = -1};
    struct err e = ERR_INIT;
    struct sigaction action = {.sa_handler = on_signal};
    int rc = parse_options(argc, argv, &s.options);

    out_guard("hpcai500 collect");
    if (rc >= 0)
        return rc;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a full quota is a sentence, not a death */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (open_all(&s, &e) < 0) {
        say(e.text);
        close_all(&s);
        return 3;
    }
    rc = work(&s);
    while (!s.options.once && !stopped) {
        if (s.options.verbose)
            report(&s);
        wait_for_work(&s);
        if (!stopped)
            work(&s);
    }
    if (s.options.once || s.options.verbose)
        report(&s);
    close_all(&s);
    return s.options.once && rc < 0 ? 3 : 0;
}
