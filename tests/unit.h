/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka, and what its header wants to be included before it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
