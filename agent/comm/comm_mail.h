/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums by messages: comm_mail.c says how. */
#ifndef COMM_COMM_MAIL_H
#define COMM_COMM_MAIL_H

#include "agent/comm/comm_base.h"

int mail_start(struct mpi_comm *m, struct request *r, struct err *e);
int mail_move(struct mpi_comm *m, struct request *r, bool *moved, struct err *e);
void mail_close(struct mpi_comm *m);

#endif
