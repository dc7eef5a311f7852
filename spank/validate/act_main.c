/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500 validate act: its options, and pass after pass. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/conf.h"
#include "reports/core/option.h"
#include "reports/core/spawn.h"
#include "reports/validate/verdicts.h"
#include "spank/validate/act.h"
#include "spank/validate/validate.h"

extern char **environ;

enum {
    WATCH_LEAST = 5,     /* seconds from poll to poll */
    WATCH_SECONDS = 120, /* unless something else is asked for */
    BLIND_FIRST = 5,     /* after a look that failed, doubled up to ... */
    BLIND_MOST = 60,
    BEAT_SECONDS = 10, /* from sign of life to sign of life while nodes are measured */
    END_SECONDS = 60   /* that a measuring program has to end when it is told to */
};

static volatile sig_atomic_t stop;

static void told_to_end(int sig)
{
    stop = sig;
}

static int usage(FILE *f)
{
    fprintf(
        f, "usage: hpcai500 validate act [--apply] [--measure[=PROGRAM]] [--watch[=SECONDS]]\n"
           "                             [--conf=FILE] RESERVATION\n"
           "       hpcai500 validate act [--apply] [--watch[=SECONDS]] [--conf=FILE] --nodes=LIST\n"
           "What follows from the verdicts on nodes, and with --apply does it.\n");
    return f == stdout ? 0 : VALIDATE_USAGE;
}

/* ---- options ---- */

static int set_watch(struct act_options *o, const char *text, struct err *e)
{
    char *end;
    const long n = text ? strtol(text, &end, 10) : WATCH_SECONDS;

    if (text && (end == text || *end || n < WATCH_LEAST || n > 86400))
        return err_set(e, "--watch='%.32s' is not a number of seconds from %d to 86400", text,
                       WATCH_LEAST);
    o->watch = (int)n;
    return 0;
}

/* hpcai500-validate itself, where no program is named. */
static const char *measure_self(void)
{
    static char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    path[n > 0 ? n : 0] = '\0';
    return path;
}

static int check_words(struct act_options *o, int argc, char **argv, struct err *e)
{
    if (optind < argc)
        o->reservation = argv[optind++];
    if (optind < argc)
        return err_set(e, "'%.64s' is one word too many", argv[optind]);
    if (!o->reservation == !o->nodes)
        return err_set(e, "act needs a reservation, or --nodes=LIST of nodes in service");
    if (o->nodes && o->measure)
        return err_set(e, "--measure needs a reservation: nodes in service have jobs of users");
    if (o->reservation && strcmp(o->reservation, "-") == 0)
        return err_set(e, "'-' is not a reservation");
    return 0;
}

/* 0, 1 help, -1 and a sentence. */
static int parse(struct act_options *o, const char **conf, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"apply", no_argument, NULL, 'a'},
                                          {"measure", optional_argument, NULL, 'm'},
                                          {"watch", optional_argument, NULL, 'w'},
                                          {"nodes", required_argument, NULL, 'n'},
                                          {"conf", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h' || c == '?')
            return c == 'h' ? 1 : option_refuse(argv, longs, e);
        if (c == 'w' && set_watch(o, optarg, e) < 0)
            return -1;
        o->apply |= c == 'a';
        if (c == 'm')
            o->measure = optarg ? optarg : measure_self();
        if (c == 'n')
            o->nodes = optarg;
        if (c == 'c')
            *conf = optarg;
    }
    return check_words(o, argc, argv, e);
}

/* ---- measuring ---- */

/* Waits for it with a sign of life now and then; its code, -1 and a sentence. */
static int wait_measure(struct act *a, pid_t pid, struct err *e)
{
    int64_t killed = 0;
    int status = 0, rc = 0;

    while (!spawn_wait(pid, clock_now_ms() + 1000L * BEAT_SECONDS, &status)) {
        if (rc == 0 && !stop)
            rc = act_renew(a, e);
        if ((rc < 0 || stop) && !killed) {
            killed = clock_now_ms();
            kill(-pid, SIGTERM);
        } else if (killed && clock_now_ms() - killed > 1000L * END_SECONDS) {
            kill(-pid, SIGKILL);
        }
    }
    return rc < 0 ? -1 : spawn_code(status);
}

/* The nodes that have no verdict of this boot; what comes of it is in the file of
 * verdicts. */
static int measure(struct act *a, struct err *e)
{
    char reservation[512], *nodes = NULL;
    pid_t pid;

    snprintf(reservation, sizeof reservation, "--reservation=%s", a->o->reservation);
    if (asprintf(&nodes, "--nodes=%s", a->nodes) < 0)
        return err_set(e, "no memory for names of nodes");
    const char *const argv[] = {a->o->measure, reservation, nodes, NULL};
    const struct spawn s = {.argv = argv,
                            .env = (const char *const *)environ,
                            .in = SPAWN_NULL,
                            .out = SPAWN_SAME,
                            .err = SPAWN_SAME,
                            .group = true,
                            .search = true};
    const int why = spawn_start(&s, &pid);
    free(nodes);
    if (why)
        return err_set(e, "%s: %s", a->o->measure, strerror(why));
    act_say(a, "%s are measured", a->nodes);
    const int code = wait_measure(a, pid, e);
    if (code >= 0)
        act_say(a, "measured, exit status %d", code);
    return code < 0 ? -1 : 0;
}

/* ---- passes ---- */

/* Until then, or a signal. */
static void rest(struct act *a, int seconds)
{
    const int64_t until = clock_now_ms() + 1000L * seconds;
    int64_t beat = clock_now_ms();

    while (!stop && clock_now_ms() < until) {
        usleep(200000);
        if (a->o->apply && clock_now_ms() - beat > 1000L * BEAT_SECONDS) {
            beat = clock_now_ms();
            act_renew(a, NULL); /* the next pass says what is wrong */
        }
    }
}

/* One pass, and what is to be measured. */
static enum act_status once(struct act *a, struct err *e)
{
    enum act_status s = act_pass(a, e);

    if (s == ACT_FAILED || !a->measure || !a->o->measure || !a->o->apply || stop)
        return s;
    return measure(a, e) < 0 ? ACT_FAILED : act_pass(a, e);
}

static enum act_status passes(struct act *a, struct err *e)
{
    int blind = BLIND_FIRST;
    enum act_status s = once(a, e);

    while (a->o->watch && !stop) {
        if (s == ACT_FAILED) {
            act_say(a, "%s; again in %d s", e->text, blind);
            e->text[0] = '\0';
            rest(a, blind);
            blind = 2 * blind > BLIND_MOST ? BLIND_MOST : 2 * blind;
        } else {
            blind = BLIND_FIRST;
            rest(a, a->o->watch);
        }
        if (!stop)
            s = once(a, e);
    }
    return s;
}

static int paths(struct act_options *o, struct conf *c, const char *file, struct err *e)
{
    if (conf_load(c, file, o->apply ? CONF_PRIVILEGED : 0, e) < 0)
        return -1;
    o->history = c->history;
    return verdicts_path(c->history, o->verdicts, sizeof o->verdicts, e);
}

static void catch_signals(void)
{
    const struct sigaction end = {.sa_handler = told_to_end};

    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGHUP, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int validate_act(int argc, char **argv)
{
    static struct conf conf;
    struct act_options o = {.watch = 0};
    struct err e = ERR_INIT;
    const char *file = NULL;
    struct act a;
    int rc = parse(&o, &file, argc, argv, &e);

    if (rc > 0)
        return usage(stdout);
    if (rc < 0) {
        fprintf(stderr, "hpcai500 validate act: %s\n", e.text);
        return VALIDATE_USAGE;
    }
    catch_signals();
    enum act_status s = ACT_FAILED;
    if (file) /* the program that measures must file its verdicts where they are read */
        setenv("HPCAI500_CONF", file, 1);
    if (paths(&o, &conf, file, &e) == 0 && act_begin(&a, &o, stdout, &e) == 0) {
        s = passes(&a, &e);
        act_end(&a);
    }
    if (s == ACT_FAILED)
        fprintf(stderr, "hpcai500 validate act: %s\n", e.text);
    return (int)s;
}
