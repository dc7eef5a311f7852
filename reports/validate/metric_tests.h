/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which tests of hpcai500-node give a metric: for a further round, which measures what stood
 * out and no more.
 *
 * Life:    no state. Failure: none. Threads: pure function.
 */
#ifndef VALIDATE_METRIC_TESTS_H
#define VALIDATE_METRIC_TESTS_H

#include <stdbool.h>

enum { METRIC_TESTS_SIZE = 256 };

/* metrics: bits 1 << NODE_METRIC_x. text: as --only of hpcai500-node takes them, "" none.
 * Whether links are among them. */
bool metric_tests(unsigned metrics, char text[METRIC_TESTS_SIZE]);

#endif
