/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all modules of struct comm over MPI share: the state of one rank,
 * its first failure, nodes by rank, sums in order. It knows none of them.
 *
 * Life:    comm_mpi.c makes and frees struct mpi_comm; all others borrow it.
 * Failure: -1 and the sentence; the first one is kept in the struct.
 * Threads: one (MPI_THREAD_FUNNELED).
 */
#ifndef COMM_COMM_BASE_H
#define COMM_COMM_BASE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reports/core/err.h"
#include "workloads/comm.h"

enum {
    COMM_REQUESTS = 64, /* sums under way at once */
    COMM_NODE_SIZE = 64
};

/* What a rank tells all others about itself. */
struct peer_card {
    char host[COMM_NODE_SIZE];
    int32_t pid;
    int32_t leader;     /* lowest rank of its node */
    uint64_t pid_space; /* inode of its pid namespace: pids are comparable within */
};

struct peer {
    struct peer_card card;
    int node;
    int pidfd;   /* -1: cannot be watched */
    bool gone;   /* ended, stopped, or silent at the roll call */
    bool heard;  /* answered the roll call */
    int64_t ops; /* said then: how many operations it has begun */
};

enum request_state { REQUEST_FREE, REQUEST_SHARED, REQUEST_MAIL, REQUEST_DONE };

struct request {
    enum request_state state;
    float *buf;
    size_t n;
    /* shared window */
    struct window *window;
    size_t offset;   /* of buf in the window [bytes] */
    uint32_t number; /* of the shared sum, from 0 */
    /* mail */
    bool whole;         /* every rank gets every piece and sums all */
    bool returning;     /* second half: sums come back */
    int n_pieces;       /* of the first half's requests: receives, which come first ... */
    double half;        /* ... and when they were all here; 0: not timed */
    double done, since; /* as in struct comm */
    int tag;
    float *scratch; /* grows, stays with the slot */
    size_t scratch_n;
    MPI_Request *mpi; /* [2 size] */
    int n_mpi, n_done;
};

struct window {
    struct window *next;
    MPI_Win win;
    char *base; /* this rank's */
    size_t bytes;
    char **peers; /* [local rank]: the same place of the others */
};

struct share;

struct mpi_comm {
    struct comm base;                              /* first: struct comm * is struct mpi_comm * */
    double timeout_seconds;                        /* longest wait */
    void (*blocking)(void *ctx, const char *what); /* may be NULL */
    bool (*over)(void *ctx);                       /* may be NULL */
    void *options_ctx;
    MPI_Comm world, roll, local;
    bool no_window;
    struct peer *peers; /* [size] */
    int n_nodes;
    struct share *share; /* NULL: several nodes, or no window */
    struct window *windows;
    struct request requests[COMM_REQUESTS];
    int active;       /* requests neither free nor done */
    double looked[2]; /* at them: now, and the time before */
    int64_t ops;      /* begun, of all ranks; one between two ranks only while it lasts */
    int mail_number;
    bool crowded; /* more ranks than cores on this node */
    double last_poll;
    bool failed;
    int culprit;
    struct err why;
    bool called;      /* another rank has called the roll */
    int64_t *answers; /* [size] what roll-call messages are sent from */
    bool one_kernel;  /* all ranks read one clock */
    bool ask_clocks;  /* even so: each rank for itself */
    double clock_mail[2];
    float echo_mail; /* the answer to an echo */
    float **at;      /* [size] scratch: a chunk in each rank's array */
};

static inline struct mpi_comm *mpi_of(struct comm *c)
{
    return (struct mpi_comm *)c;
}

/* Keeps the first failure; -1. culprit: the rank it is about, -1 unknown. */
int comm_fail(struct mpi_comm *m, int culprit, struct err *e);
/* What failed once fails with the same sentence. */
int comm_usable(const struct mpi_comm *m, struct err *e);
/* MPI's return code as 0/-1; what: "MPI_Iallgather". */
int comm_check(struct mpi_comm *m, int code, const char *what, struct err *e);
/* Brackets calls of MPI that cannot be interrupted; NULL at the end. */
void comm_blocking(struct mpi_comm *m, const char *what);
/* Name of a rank's node. */
const char *comm_node(const struct mpi_comm *m, int rank);

/* out[i] = in[0][i] + in[1][i] + ... in this order; out may be in[0]. */
void comm_sum_in_order(float *out, float *const *in, int n_in, size_t n);

#endif
