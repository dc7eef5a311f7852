/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the sinks share that write a document per job: facts of a record's job,
 * each left out when it is not known.
 *
 * Failure: putting returns -1 only when out of memory.
 * Threads: none inside.
 */
#ifndef EXPORT_EXPORT_JOB_H
#define EXPORT_EXPORT_JOB_H

#include <cjson/cJSON.h>

enum { JOB_MAX_HOSTS = 4096 };

/* Of a node, in a record. */
#define JOB_THREADS "system.layers.hardware.hardware_threads"

/* The record's number, text or boolean at the path, when there is one. */
int job_put(cJSON *o, const char *name, const cJSON *doc, const char *path);
/* When it is finite. */
int job_put_number(cJSON *o, const char *name, double v);
/* To the nearest integer; NAN stays. */
double job_whole(double v);
/* The number at the path times the nodes, when the job had them alone; else NAN. */
double job_of_all_nodes(const cJSON *doc, const char *path);
/* "completed", "stopped", "failed" */
const char *job_state(const cJSON *doc);
/* Names of the job's nodes, borrowed from doc; how many. */
int job_hosts(const cJSON *doc, const char *host[JOB_MAX_HOSTS]);

#endif
