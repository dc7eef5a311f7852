# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
core_tests = %D%/test_core %D%/test_files %D%/test_runspec %D%/test_run_page %D%/test_conf \
    %D%/test_vet
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
core_test_libs = reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_core_SOURCES = %D%/test_core.c
%C%_test_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_core_LDADD = $(core_test_libs)
%C%_test_files_SOURCES = %D%/test_files.c
%C%_test_files_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_files_LDADD = $(core_test_libs)
%C%_test_runspec_SOURCES = %D%/test_runspec.c
%C%_test_runspec_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_runspec_LDADD = $(core_test_libs)
%C%_test_run_page_SOURCES = %D%/test_run_page.c
%C%_test_run_page_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_run_page_LDADD = $(core_test_libs)
%C%_test_conf_SOURCES = %D%/test_conf.c
%C%_test_conf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_conf_LDADD = $(core_test_libs)
%C%_test_vet_SOURCES = %D%/test_vet.c
%C%_test_vet_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_vet_LDADD = $(core_test_libs)
endif

check_PROGRAMS += %D%/fuzz_runspec %D%/fuzz_conf
TESTS += %D%/fuzz_runspec %D%/fuzz_conf
%C%_fuzz_runspec_SOURCES = %D%/fuzz_runspec.c tests/fuzz.h tests/replay.c
%C%_fuzz_runspec_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"reports/core/corpus/runspec"'
%C%_fuzz_runspec_LDADD = reports/core/libcore.la
%C%_fuzz_conf_SOURCES = %D%/fuzz_conf.c tests/fuzz.h tests/replay.c
%C%_fuzz_conf_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"reports/core/corpus/conf"'
%C%_fuzz_conf_LDADD = reports/core/libcore.la
EXTRA_DIST += %D%/corpus %D%/runspec_workloads.def
