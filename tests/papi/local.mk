# SPDX-License-Identifier: BSD-3-Clause
EXTRA_DIST += %D%/fixtures/node.tree %D%/fixtures/container.tree
if BUILD_TESTS
check_PROGRAMS += tests/papi/test_counters
TESTS += tests/papi/test_counters
tests_papi_test_counters_SOURCES = %D%/test_counters.c %D%/tree.c %D%/tree.h
tests_papi_test_counters_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_papi_test_counters_LDADD = papi/libcounters.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/papi/test_live
TESTS += tests/papi/test_live
tests_papi_test_live_SOURCES = %D%/test_live.c %D%/tree.c %D%/tree.h
tests_papi_test_live_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_papi_test_live_LDADD = papi/libcounters.la $(CMOCKA_LIBS)
endif
