/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/component/tally.h"

#include <stdlib.h>
#include <string.h>

int tally_score(struct tally *t, const struct score *s, struct err *e)
{
    if (t->n_scores == t->room) {
        const size_t room = t->room ? 2 * t->room : 1024;
        struct score *scores = realloc(t->scores, room * sizeof *scores);
        if (!scores)
            return err_set(e, "no memory for the scores of %zu samples", room);
        t->scores = scores;
        t->room = room;
    }
    t->scores[t->n_scores++] = *s;
    return 0;
}

void tally_clear(struct tally *t)
{
    memset(t->sums, 0, sizeof t->sums);
    t->n_scores = 0;
}

int tally_join(struct tally *t, struct comm *comm, struct err *e)
{
    struct score *all = NULL;
    size_t n = 0;

    if (comm->size > 1 && comm->reduce(comm, t->sums, TALLY_SUMS, COMM_SUM, e) < 0)
        return -1;
    if (scores_gather(comm, t->scores, t->n_scores, &all, &n, e) < 0)
        return -1;
    free(t->scores);
    t->scores = all;
    t->n_scores = t->room = n;
    return 0;
}

void tally_fini(struct tally *t)
{
    free(t->scores);
    *t = (struct tally){.scores = NULL};
}
