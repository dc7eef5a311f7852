# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
# The harness and the cases are shared: a back end's test links them too.
tests_engine_harness_sources = %D%/harness.h %D%/harness.c %D%/op_cases.c
tests_engine_ldadd = workloads/engine/libengine.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/engine/test_ops
TESTS += tests/engine/test_ops

tests_engine_test_ops_SOURCES = %D%/test_ops.c $(tests_engine_harness_sources)
tests_engine_test_ops_LDADD = $(tests_engine_ldadd)
tests_engine_test_ops_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
endif
