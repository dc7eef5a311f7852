/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/plan.h"

static const double rewrite_seconds = 0.2;
/* Lines of a count that goes on where none can be rewritten. */
static const double line_seconds = 60;

void progress_init(struct progress *p, bool speaks, bool verbose, int rank)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    memset(p, 0, sizeof *p);
    p->on = speaks;
    p->rank = verbose ? rank : -1;
    p->terminal = !verbose && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    p->color = p->terminal && !(no_color && *no_color);
}

void progress_clear(struct progress *p)
{
    if (p->on && p->terminal && p->standing)
        fputs("\r\033[K", stderr);
    p->standing = false;
}

/* Columns that a line may take without reaching the terminal's edge; asked each
 * time, since its window may have changed. */
static size_t columns(void)
{
    const char *said = getenv("COLUMNS");
    struct winsize size;
    long n = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;

    if (n <= 0)
        n = said ? strtol(said, NULL, 10) : 0;
    if (n <= 0 || n > PROGRESS_LINE)
        n = n <= 0 ? 80 : PROGRESS_LINE;
    return (size_t)n - 1;
}

/* Adds a piece if all of it fits; the first piece is cut. */
static void add(char line[PROGRESS_LINE], size_t most, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void add(char line[PROGRESS_LINE], size_t most, const char *fmt, ...)
{
    char piece[PROGRESS_LINE];
    size_t at = strlen(line);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(piece, sizeof piece, fmt, ap);
    va_end(ap);
    if (at == 0 || at + strlen(piece) <= most)
        snprintf(line + at, most + 1 - at, "%s", piece);
}

static void rewrite(struct progress *p, const char *line)
{
    fprintf(stderr, p->color ? "\r\033[36m%s\033[0m\033[K" : "\r%s\033[K", line);
    p->standing = true;
}

void progress_say(struct progress *p, const char *sentence)
{
    if (!p->on)
        return;
    progress_clear(p);
    if (p->rank >= 0)
        fprintf(stderr, "hpcai500-agent: rank %d: %s\n", p->rank, sentence);
    else
        fprintf(stderr, "hpcai500-agent: %s\n", sentence);
}

void progress_workload(struct progress *p, const char *name)
{
    snprintf(p->workload, sizeof p->workload, "%s", name);
    memset(p->phase_said, 0, sizeof p->phase_said);
    p->now = (struct workload_progress){.loss = NAN, .quality = NAN, .eta_seconds = NAN};
}

void progress_phase(struct progress *p, enum phase phase)
{
    static const char *const words[PHASE_COUNT] = {
        [PHASE_STAGING] = "finding data, preparing the network",
        [PHASE_FIRST_EPOCH] = "first epoch",
        [PHASE_COMPUTE] = "training",
    };
    char text[96];

    p->now.phase = phase;
    if (p->terminal || !words[phase] || p->phase_said[phase])
        return;
    p->phase_said[phase] = true;
    snprintf(text, sizeof text, "%s: %s", p->workload, words[phase]);
    progress_say(p, text);
}

/* "loss 0.1234, 0.31 of target 0.25" as far as there are any. */
static int put_figures(char *text, size_t size, double loss, double quality, double target)
{
    int n = 0;

    if (!isnan(loss))
        n = snprintf(text, size, ", loss %.4g", loss);
    if (!isnan(quality))
        n += snprintf(text + n, size - (size_t)n, ", quality %.4g (target %.4g)", quality, target);
    return n;
}

void progress_update(struct progress *p, const struct workload_progress *now, double clock)
{
    char line[PROGRESS_LINE] = "", eta[32];
    size_t most;

    p->now = *now;
    if (!p->on || !p->terminal || clock - p->last < rewrite_seconds)
        return;
    p->last = clock;
    most = columns();
    /* What matters most first: a narrow terminal shows as much as it can. */
    add(line, most, "%s epoch %d/%d step %ld/%ld", p->workload, now->epoch, now->epochs, now->step,
        now->steps);
    if (!isnan(now->eta_seconds))
        add(line, most, ", %s left", plan_seconds(eta, now->eta_seconds));
    if (!isnan(now->quality))
        add(line, most, ", quality %.4g (target %.4g)", now->quality, now->target);
    if (!isnan(now->loss))
        add(line, most, ", loss %.4g", now->loss);
    add(line, most, ", %.4g samples/s", now->samples_per_second);
    rewrite(p, line);
}

void progress_count(struct progress *p, const char *what, uint64_t done, uint64_t all, double clock)
{
    char line[PROGRESS_LINE] = "";

    if (!p->on || clock - p->last < (p->terminal ? rewrite_seconds : line_seconds))
        return;
    p->last = clock;
    add(line, p->terminal ? columns() : PROGRESS_LINE - 1, "%s: %s, %" PRIu64 " of %" PRIu64,
        p->workload, what, done, all);
    if (p->terminal)
        rewrite(p, line);
    else
        progress_say(p, line);
}

void progress_epoch(struct progress *p, const struct result_epoch *row)
{
    char text[256];

    if (!p->on)
        return;
    int n = snprintf(text, sizeof text, "%s: epoch %d", p->workload, row->epoch);
    n += put_figures(text + n, sizeof text - (size_t)n, row->train_loss, row->quality,
                     p->now.target);
    snprintf(text + n, sizeof text - (size_t)n, ", %.1f s", row->seconds);
    progress_say(p, text);
}
