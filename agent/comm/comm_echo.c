/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_echo.h"

#include <limits.h>

#include "agent/comm/comm_sums.h"
#include "reports/core/clock.h"

enum { TAG = 30001 };

static int post(struct mpi_comm *m, bool send, float *p, int n, int peer, MPI_Request *q,
                struct err *e)
{
    const int rc = send ? MPI_Isend(p, n, MPI_FLOAT, peer, TAG, m->world, q)
                        : MPI_Irecv(p, n, MPI_FLOAT, peer, TAG, m->world, q);

    return comm_check(m, rc, send ? "MPI_Isend" : "MPI_Irecv", e);
}

/* Both messages are posted at once by who begins: the answer finds its place. */
int echo_send(struct comm *c, int peer, bool begins, float *buf, size_t n, double *seconds,
              struct err *e)
{
    struct mpi_comm *m = mpi_of(c);
    MPI_Request there, back;

    if (comm_usable(m, e) < 0)
        return -1;
    if (n > INT_MAX)
        return err_set(e, "an echo of %zu floats is more than one message can carry", n);
    m->ops++;
    const double since = clock_now();
    if (begins && (post(m, false, &m->echo_mail, 1, peer, &back, e) < 0 ||
                   post(m, true, buf, (int)n, peer, &there, e) < 0 ||
                   sums_wait_mpi(m, &there, "a message to be sent", e) < 0))
        return -1;
    if (!begins && (post(m, false, buf, (int)n, peer, &there, e) < 0 ||
                    sums_wait_mpi(m, &there, "another rank's message", e) < 0 ||
                    post(m, true, &m->echo_mail, 1, peer, &back, e) < 0))
        return -1;
    if (sums_wait_mpi(m, &back, begins ? "the answer to a message" : "an answer to be sent", e) < 0)
        return -1;
    *seconds = clock_now() - since;
    m->ops--; /* see comm_base.h: others have no part in it */
    return 0;
}
