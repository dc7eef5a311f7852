/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process by a line that no other process has or will have: machine, boot, namespace
 * of processes, number and start. With it a lease (history_work.h) of a process that was
 * killed is free at once, and that of one on another machine is not taken for dead.
 *
 * Failure: none; where /proc does not tell, a holder is not known to be gone.
 * Threads: any.
 */
#ifndef VALIDATE_HOLDER_H
#define VALIDATE_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* This process: "HOST BOOT NAMESPACE PID START". */
void holder_self(char *text, size_t size);
/* Whether that process was one of this machine, boot and namespace, and has ended. */
bool holder_gone(const char *holder);
/* "process 4711 on head". */
void holder_say(const char *holder, char *text, size_t size);

#endif
