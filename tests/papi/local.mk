# SPDX-License-Identifier: BSD-3-Clause
EXTRA_DIST += %D%/fixtures/node.tree %D%/fixtures/container.tree
if BUILD_TESTS
check_PROGRAMS += tests/papi/test_counters
TESTS += tests/papi/test_counters
tests_papi_test_counters_SOURCES = %D%/test_counters.c %D%/answers.c %D%/answers.h
tests_papi_test_counters_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_papi_test_counters_LDADD = papi/libcounters.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/papi/test_machines
TESTS += tests/papi/test_machines
tests_papi_test_machines_SOURCES = %D%/test_machines.c %D%/answers.c %D%/answers.h %D%/tree.c %D%/tree.h
tests_papi_test_machines_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_papi_test_machines_LDADD = papi/libcounters.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/papi/test_live
TESTS += tests/papi/test_live
tests_papi_test_live_SOURCES = %D%/test_live.c %D%/tree.c %D%/tree.h
tests_papi_test_live_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_papi_test_live_LDADD = papi/libcounters.la $(CMOCKA_LIBS)
if HAVE_PAPI
# The back end again, with a PAPI that plays machines.
check_PROGRAMS += tests/papi/test_events
TESTS += tests/papi/test_events
tests_papi_test_events_SOURCES = %D%/test_events.c %D%/fake_papi.c %D%/fake_papi.h \
    $(papi_libcounters_la_SOURCES)
tests_papi_test_events_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PAPI_CFLAGS)
tests_papi_test_events_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=read
tests_papi_test_events_LDADD = reports/core/libcore.la $(CMOCKA_LIBS)
endif
endif
