# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
core_tests = %D%/test_core %D%/test_runspec %D%/test_config
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
core_test_libs = reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_core_SOURCES = %D%/test_core.c
%C%_test_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_core_LDADD = $(core_test_libs)
%C%_test_runspec_SOURCES = %D%/test_runspec.c
%C%_test_runspec_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_runspec_LDADD = $(core_test_libs)
%C%_test_config_SOURCES = %D%/test_config.c
%C%_test_config_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_config_LDADD = $(core_test_libs)
endif

check_PROGRAMS += %D%/fuzz_runspec %D%/fuzz_config
TESTS += %D%/fuzz_runspec %D%/fuzz_config
%C%_fuzz_runspec_SOURCES = %D%/fuzz_runspec.c tests/fuzz.h tests/replay.c
%C%_fuzz_runspec_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"reports/core/corpus/runspec"'
%C%_fuzz_runspec_LDADD = reports/core/libcore.la
%C%_fuzz_config_SOURCES = %D%/fuzz_config.c tests/fuzz.h tests/replay.c
%C%_fuzz_config_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"reports/core/corpus/config"'
%C%_fuzz_config_LDADD = reports/core/libcore.la
EXTRA_DIST += %D%/corpus %D%/runspec_workloads.def
