/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/comm/comm_base.h"

#include <string.h>

enum { BLOCK = 2048 };

int comm_fail(struct mpi_comm *m, int culprit, struct err *e)
{
    if (!m->failed) {
        m->failed = true;
        m->culprit = culprit;
        if (e)
            m->why = *e;
    }
    return -1;
}

int comm_usable(const struct mpi_comm *m, struct err *e)
{
    return m->failed ? err_set(e, "%s", m->why.text) : 0;
}

int comm_check(struct mpi_comm *m, int code, const char *what, struct err *e)
{
    char text[MPI_MAX_ERROR_STRING] = "unknown error";
    int len;

    if (code == MPI_SUCCESS)
        return 0;
    MPI_Error_string(code, text, &len);
    err_set(e, "%s failed on rank %d: %s", what, m->base.rank, text);
    return comm_fail(m, -1, e);
}

void comm_blocking(struct mpi_comm *m, const char *what)
{
    if (m->blocking)
        m->blocking(m->options_ctx, what);
}

const char *comm_node(const struct mpi_comm *m, int rank)
{
    return m->peers[rank].card.host;
}

void comm_sum_in_order(float *out, float *const *in, int n_in, size_t n)
{
    float acc[BLOCK];

    for (size_t from = 0; from < n; from += BLOCK) {
        size_t len = n - from < BLOCK ? n - from : BLOCK;
        memcpy(acc, in[0] + from, len * sizeof *acc);
        for (int k = 1; k < n_in; k++) {
            const float *x = in[k] + from;
            for (size_t i = 0; i < len; i++)
                acc[i] += x[i];
        }
        memcpy(out + from, acc, len * sizeof *acc);
    }
}
