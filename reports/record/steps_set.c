/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/record/steps_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of the file: for the line in front of the blocks, beside so much a block. */
enum { HEAD_BYTES = 16384, HEAD_BYTES_BLOCK = 16 };

struct steps_set *steps_set_create(void)
{
    return calloc(1, sizeof(struct steps_set));
}

void steps_set_destroy(struct steps_set *s)
{
    const int errno_before = errno;

    for (int i = 0; s && i < s->n_blocks; i++)
        free(s->blocks[i].bytes);
    if (s) {
        free(s->blocks);
        free(s->workloads);
    }
    free(s);
    errno = errno_before;
}

int steps_set_workload(struct steps_set *s, const struct steps_workload *w)
{
    struct steps_workload *all =
        realloc(s->workloads, ((size_t)s->n_workloads + 1) * sizeof *s->workloads);

    if (!all)
        return -1;
    s->workloads = all;
    all[s->n_workloads] = *w;
    return s->n_workloads++;
}

int steps_set_block(struct steps_set *s, const struct steps_block *b, const void *bytes)
{
    if (s->n_blocks == STEPS_MAX_BLOCKS ||
        s->bytes + b->bytes + HEAD_BYTES_BLOCK + HEAD_BYTES > STEPS_MAX_BYTES)
        return -1;
    if (s->n_blocks == s->room) {
        const int room = s->room ? 2 * s->room : 64;
        struct steps_stored *more = realloc(s->blocks, (size_t)room * sizeof *more);
        if (!more)
            return -1;
        s->blocks = more;
        s->room = room;
    }
    struct steps_stored *to = &s->blocks[s->n_blocks];
    *to = (struct steps_stored){*b, malloc(b->bytes + 1)};
    if (!to->bytes)
        return -1;
    memcpy(to->bytes, bytes, b->bytes);
    s->bytes += b->bytes + HEAD_BYTES_BLOCK;
    s->n_blocks++;
    return 0;
}

int steps_set_blocks(const struct steps_set *s)
{
    return s ? s->n_blocks : 0;
}
