/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of healthy nodes, for tests.
 *
 * Life:    plain values. Failure: the test's. Threads: one.
 */
#ifndef VALIDATE_MADE_H
#define VALIDATE_MADE_H

#include "reports/core/node_result.h"

/* A healthy line: values differ by less than half a percent. */
struct node_result made_node(const char *node, int round, unsigned salt);

/* Run k of nodes n1, n2, ... into a file of values; r is filled with their lines. */
void made_run(const char *path, unsigned k, struct node_result *r, int n);

#endif
