# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += tests/reports/test_core
TESTS += tests/reports/test_core
tests_reports_test_core_SOURCES = %D%/test_core.c
tests_reports_test_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_reports_test_core_LDADD = reports/libcore.la $(CMOCKA_LIBS)

check_PROGRAMS += tests/reports/test_runspec
tests_reports_test_runspec_SOURCES = %D%/test_runspec.c
tests_reports_test_runspec_LDADD = reports/libcore.la $(CMOCKA_LIBS)
tests_reports_test_runspec_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
TESTS += tests/reports/test_runspec
endif

check_PROGRAMS += tests/reports/fuzz_runspec
tests_reports_fuzz_runspec_SOURCES = %D%/fuzz_runspec.c
tests_reports_fuzz_runspec_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY
tests_reports_fuzz_runspec_LDADD = reports/libcore.la
TESTS += tests/reports/fuzz_runspec
dist_check_SCRIPTS += %D%/fuzz.bats %D%/fuzz.sh
TESTS += %D%/fuzz.bats
EXTRA_DIST += %D%/corpus %D%/runspec_workloads.def
