/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who a program runs as. The collector becomes the service user before it
 * opens anything; what it starts, and what else calls hpcai500-slurmdbd,
 * stays who he is and can become nobody else.
 *
 * Life:    once, at a program's begin; there is no way back.
 * Failure: -1 and a sentence: the caller must end, perhaps half-way changed.
 * Threads: before any is started.
 */
#ifndef ACCOUNT_USER_H
#define ACCOUNT_USER_H

#include "reports/core/err.h"

/* From root, or as that user already: holds that user's id, no group that is
 * not his, and what user_confine() says. Anybody else is refused; so is the
 * user himself with a group of others or a way back to them. */
int user_become(const char *name, struct err *e);

/* One user id and one group id, no set-user-id program or file capability can
 * give more, and a user who is not root has no capability. */
int user_confine(struct err *e);

/* Waits for the lock that this user's processes share; it is given back when the
 * process ends. path: its file; NULL or "": `.hpcai500.lock` in the first of
 * /var/lib/hpcai500, /run/user/UID and the user's home that is a folder of this
 * user or root that nobody else can write: in a folder that anybody can write,
 * anybody could make it first. variable: what a person sets to choose the file. */
int user_lock(const char *path, const char *variable, struct err *e);

#endif
