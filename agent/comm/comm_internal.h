/* SPDX-License-Identifier: BSD-3-Clause */
/* What comm_mpi.c, comm_share.c, comm_mail.c and comm_watch.c share. */
#ifndef COMM_COMM_INTERNAL_H
#define COMM_COMM_INTERNAL_H

#include <mpi.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/comm/comm_mpi.h"

enum { COMM_REQUESTS = 64 }; /* sums under way at once */

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
    bool whole;     /* every rank gets every piece and sums all */
    bool returning; /* second half: sums come back */
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
    struct comm base; /* first: struct comm * is struct mpi_comm * */
    struct comm_mpi_options o;
    MPI_Comm world, roll, local;
    struct peer *peers; /* [size] */
    int n_nodes;
    struct share *share; /* NULL: several nodes, or no window */
    struct window *windows;
    struct request requests[COMM_REQUESTS];
    int active; /* requests neither free nor done */
    int64_t ops;
    int mail_number;
    bool crowded; /* more ranks than cores on this node */
    double last_poll;
    bool failed;
    int culprit;
    struct err why;
    bool called;      /* another rank has called the roll */
    int64_t *answers; /* [size] what roll-call messages are sent from */
    float **at;       /* [size] scratch: a chunk in each rank's array */
};

static inline struct mpi_comm *mpi_of(struct comm *c)
{
    return (struct mpi_comm *)c;
}

/* ---- comm_mpi.c ---- */

double comm_now(void);
/* Keeps the first failure; -1. */
int comm_fail(struct mpi_comm *m, int culprit, struct err *e);
/* MPI's return code as 0/-1; what: "MPI_Iallgather". */
int comm_check(struct mpi_comm *m, int code, const char *what, struct err *e);
void comm_blocking(struct mpi_comm *m, const char *what);
/* Moves every sum under way; *moved when anything happened. */
int comm_move(struct mpi_comm *m, bool waiting, bool *moved, struct err *e);

/* ---- comm_watch.c: waiting, and who is missing ---- */

struct wait {
    const char *what; /* "the sum of gradients" */
    double begun, last, polled;
    unsigned idle;
};
void wait_begin(struct wait *w, const char *what);
/* Between two tests that found nothing: pauses; fails on time-out or death. */
int wait_pause(struct mpi_comm *m, struct wait *w, struct err *e);
/* Something moved: the pauses begin anew; the time-out does, too. */
void wait_moved(struct wait *w);
/* Answers the roll calls of others; cheap, called now and then. */
int watch_answer(struct mpi_comm *m, struct err *e);
void watch_open(struct mpi_comm *m);
void watch_close(struct mpi_comm *m);

/* ---- comm_share.c: sums in shared windows of one node ---- */

int share_open(struct mpi_comm *m, struct err *e);
void share_close(struct mpi_comm *m);
/* A window of bytes on every rank; NULL and a sentence on all ranks. */
struct window *window_open(struct mpi_comm *m, size_t bytes, struct err *e);
void window_close(struct mpi_comm *m, struct window *w);
struct window *window_of(const struct mpi_comm *m, const void *p);
void share_start(struct mpi_comm *m, struct request *r);
/* Adds up chunks that are ready: one, or all when waiting. */
bool share_move(struct mpi_comm *m, struct request *r, bool waiting);

/* ---- comm_mail.c: sums by messages ---- */

int mail_start(struct mpi_comm *m, struct request *r, struct err *e);
int mail_move(struct mpi_comm *m, struct request *r, bool *moved, struct err *e);
void mail_close(struct mpi_comm *m);

/* out[i] = in[0][i] + in[1][i] + ... in this order; out may be in[0]. */
void sum_in_order(float *out, float *const *in, int n_in, size_t n);

#endif
