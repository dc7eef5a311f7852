/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sentence of the collector to a person, as err_set() cleans it.
 *
 * Life, Failure: none. Threads: those of say.
 */
#ifndef COLLECT_COLLECT_SAY_H
#define COLLECT_COLLECT_SAY_H

typedef void collect_say_fn(const char *sentence);

void collect_say(collect_say_fn *say, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
