/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/act_base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spank/validate/holder.h"

void act_say(struct act *a, const char *format, ...)
{
    const time_t now = time(NULL);
    char clock[16] = "";
    struct tm tm;
    va_list ap;

    if (localtime_r(&now, &tm))
        strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    fprintf(a->out, "%s  ", clock);
    va_start(ap, format);
    vfprintf(a->out, format, ap);
    va_end(ap);
    fputc('\n', a->out);
    fflush(a->out);
}

/* ---- the lease ---- */

int act_renew(struct act *a, struct err *e)
{
    struct lease other = {.holder = ""};
    char who[WORK_HOLDER_SIZE];
    const int rc = lease_take(a->h, ACT_LEASE, a->me, time(NULL), holder_gone, &other, e);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    holder_say(other.holder, who, sizeof who);
    return err_set(e, "%s acts on nodes, its last sign of life is %lld s old", who,
                   (long long)(time(NULL) - other.beat));
}

int act_begin(struct act *a, const struct act_options *o, FILE *out, struct err *e)
{
    *a = (struct act){.o = o, .out = out};
    holder_self(a->me, sizeof a->me);
    if (o->apply) {
        a->h = history_open_writer(o->history, NULL, e);
        if (a->h && act_renew(a, e) == 0)
            return 0;
        history_close(a->h);
        a->h = NULL;
        return -1;
    }
    a->h = history_open_reader(o->history, e);
    if (!a->h && errno == ENOENT && e)
        e->text[0] = '\0'; /* nothing was done yet */
    else if (!a->h)
        return -1;
    return 0;
}

void act_end(struct act *a)
{
    if (a->h && a->o->apply)
        lease_drop(a->h, ACT_LEASE, a->me, NULL);
    history_close(a->h);
    free(a->shown);
    free(a->nodes);
    *a = (struct act){.o = NULL};
}
