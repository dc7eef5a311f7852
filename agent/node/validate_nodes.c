/* SPDX-License-Identifier: BSD-3-Clause */
/* The node part: programs are started, ranks meet, lines come. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/node/validate_inner.h"
#include "reports/core/clock.h"
#include "reports/core/spawn.h"
#include "reports/validate/node_line.h"

extern char **environ;

enum { BEAT_MS = 500, WORDS = 8, METRIC_WORD = 300 };

/* The program of this rank's node. */
struct program {
    pid_t pid; /* 0: none runs */
    int from;  /* its output */
    bool told; /* to end */
    char text[NODE_LINE_SIZE];
    int size; /* of the text, when it has just come */
};

/* What begins with it is why there is no line. */
static const char no_line = '!';

/* ---- one program ---- */

static void say_why(struct program *p, const char *what, const char *why)
{
    p->size = snprintf(p->text, sizeof p->text, "%c%s: %s", no_line, what, why) + 1;
}

static void start(const struct validation *v, const char *only, struct program *p)
{
    char words[WORDS][METRIC_WORD];
    const char *argv[WORDS + 1] = {v->h->node_program, "-q", NULL};
    int ends[2], n = 2, why;

    snprintf(words[n], sizeof *words, "--profile=%s", v->h->profile);
    argv[n] = words[n], n++;
    snprintf(words[n], sizeof *words, "--round=%d", v->round);
    argv[n] = words[n], n++;
    if (v->budget >= 1 && !only) {
        snprintf(words[n], sizeof *words, "--budget=%.0f", v->budget);
        argv[n] = words[n], n++;
    }
    if (only) {
        snprintf(words[n], sizeof *words, "--only=%s", only);
        argv[n] = words[n], n++;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        say_why(p, argv[0], strerror(errno));
        return;
    }
    const struct spawn s = {.argv = argv,
                            .env = (const char *const *)environ,
                            .in = SPAWN_NULL,
                            .out = ends[1],
                            .err = SPAWN_SAME,
                            .group = true};
    if ((why = spawn_start(&s, &p->pid)) != 0) {
        p->pid = 0;
        say_why(p, argv[0], strerror(why));
        close(ends[0]);
    } else {
        p->from = ends[0];
        fcntl(p->from, F_SETFL, O_NONBLOCK); /* who inherited the other end holds us not */
    }
    close(ends[1]);
}

/* Its line, or why there is none. */
static void end(struct program *p, int status)
{
    ssize_t n;
    char why[48];

    p->pid = 0;
    p->size = 0;
    while (p->size < NODE_LINE_SIZE - 1 &&
           (n = read(p->from, p->text + p->size, (size_t)(NODE_LINE_SIZE - 1 - p->size))) > 0)
        p->size += (int)n;
    close(p->from);
    p->text[p->size] = '\0';
    snprintf(why, sizeof why, "it ended with %d", spawn_code(status));
    if (p->size == 0 || p->text[p->size - 1] != '\n')
        say_why(p, p->told ? "told to end" : "no line", why);
    else
        p->size++;
}

/* Half a second of its life. */
static void watch(const struct validation *v, struct program *p)
{
    const struct micro_host *h = v->h;
    const struct timespec pause = {0, BEAT_MS * 1000000L};
    int status;

    if (p->pid == 0) {
        nanosleep(&pause, NULL);
        return;
    }
    if (spawn_wait(p->pid, clock_now_ms() + BEAT_MS, &status)) {
        end(p, status);
        return;
    }
    if (h->now() < h->deadline && !(h->stop && h->stop(h->ctx)))
        return;
    kill(-p->pid, p->told ? SIGKILL : SIGTERM);
    p->told = true;
}

/* ---- lines ---- */

static int take_text(struct validation *v, int rank, const char *text, struct err *e)
{
    const struct micro_host *h = v->h;
    const char *name = h->node_name(h->ctx, rank);
    struct node_result r;

    if (*text == no_line || node_line_parse(text, &r) < 0) {
        assess_why(v->a, name, *text == no_line ? text + 1 : "its line is not one");
        return 0;
    }
    snprintf(r.node, sizeof r.node, "%s", name);
    if (h->line && h->spares == 0)
        h->line(h->ctx, text);
    return assess_line(v->a, &r, e);
}

/* All texts that have just come to rank 0. */
static int gather(struct validation *v, struct program *p, struct err *e)
{
    struct comm *c = v->h->comm;
    const size_t n = (size_t)c->size;
    const int32_t own = p->size;
    size_t *counts = c->rank == 0 ? calloc(n, sizeof *counts) : NULL, all = 1;
    int32_t *sizes = c->rank == 0 ? calloc(n, sizeof *sizes) : NULL;
    char *texts = NULL, *at;
    int rc = c->rank == 0 && (!counts || !sizes) ? err_set(e, "out of memory for lines") : 0;

    for (size_t i = 0; i < n && counts; i++)
        counts[i] = sizeof own;
    if ((rc = comm_agree(c, rc, e)) < 0 ||
        (rc = c->gatherv(c, &own, sizeof own, sizes, counts, e)) < 0)
        goto out;
    for (size_t i = 0; i < n && counts; i++) {
        counts[i] = sizes[i] > 0 && sizes[i] <= NODE_LINE_SIZE ? (size_t)sizes[i] : 0;
        all += counts[i];
    }
    if (c->rank == 0 && !(texts = malloc(all)))
        rc = err_set(e, "out of memory for lines");
    if ((rc = comm_agree(c, rc, e)) < 0 ||
        (rc = c->gatherv(c, p->text, (size_t)own, texts, counts, e)) < 0)
        goto out;
    at = texts;
    for (size_t i = 0; i < n && counts && rc == 0; at += counts[i++])
        if (counts[i] > 0) {
            at[counts[i] - 1] = '\0';
            rc = take_text(v, (int)i, at, e);
        }
    rc = comm_agree(c, rc, e);
out:
    free(counts);
    free(sizes);
    free(texts);
    return rc;
}

/* ---- all ---- */

/* Meets the other ranks until no program runs. */
static int until_ended(struct validation *v, struct program *p, struct err *e)
{
    struct comm *c = v->h->comm;

    for (;;) {
        if (p->size == 0)
            watch(v, p);
        double now[2] = {p->pid != 0, p->size > 0};
        if (c->reduce(c, now, 2, COMM_MAX, e) < 0)
            return -1;
        if (now[1] > 0 && gather(v, p, e) < 0)
            return -1;
        p->size = 0;
        if (now[0] == 0)
            return 0;
    }
}

int validate_nodes(struct validation *v, const char *only, const bool *wanted, struct err *e)
{
    const struct micro_host *h = v->h;
    struct program *p = calloc(1, sizeof *p);
    int rc = comm_agree(h->comm, p ? 0 : err_set(e, "out of memory for a line"), e);

    for (int turn = 0; rc == 0 && turn < (h->turns ? h->n_nodes : 1); turn++) {
        if (v->own && wanted[h->node] && (!h->turns || h->node == turn))
            start(v, only, p);
        rc = until_ended(v, p, e);
    }
    if (p && p->pid) { /* the ranks cannot go on together */
        kill(-p->pid, SIGKILL);
        spawn_wait(p->pid, -1, NULL);
        close(p->from);
    }
    free(p);
    return rc;
}
