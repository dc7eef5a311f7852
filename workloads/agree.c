/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/comm.h"

#include <string.h>

int comm_agree(struct comm *c, int rc, struct err *e)
{
    double first = rc ? c->rank : c->size;
    struct err said = ERR_INIT;

    if (c->size == 1)
        return rc;
    if (rc && e)
        said = *e;
    if (rc && c->node)
        err_prefix(&said, "rank %d (%s)", c->rank, c->node);
    else if (rc)
        err_prefix(&said, "rank %d", c->rank);
    if (c->reduce(c, &first, 1, COMM_MIN, e) < 0)
        return -1;
    if (first >= c->size)
        return 0;
    if (c->broadcast(c, &said, sizeof said, (int)first, e) < 0)
        return -1;
    said.text[sizeof said.text - 1] = '\0';
    return err_set(e, "%s", said.text);
}
