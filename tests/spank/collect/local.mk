# SPDX-License-Identifier: BSD-3-Clause
if BUILD_COLLECTOR
check_PROGRAMS += %D%/make_bundles
%C%_make_bundles_SOURCES = %D%/make_bundles.c tests/reports/record/sample.h tests/reports/record/sample.c
%C%_make_bundles_LDADD = spank/relay/librelay.la reports/record/librecord.la reports/core/libcore.la
TESTS += %D%/collect.bats %D%/reader.bats
if BUILD_TESTS
check_PROGRAMS += %D%/test_collect %D%/test_references
TESTS += %D%/test_collect %D%/test_references
%C%_test_references_SOURCES = %D%/test_references.c
%C%_test_references_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_references_LDADD = spank/collect/libcollect.la $(CMOCKA_LIBS)
%C%_test_collect_SOURCES = %D%/test_collect.c tests/reports/record/sample.h tests/reports/record/sample.c
%C%_test_collect_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_collect_LDADD = spank/collect/libcollect.la $(CMOCKA_LIBS)
endif
endif
dist_check_SCRIPTS += %D%/collect.bats %D%/reader.bats
EXTRA_DIST += %D%/fuzz_witness.c %D%/corpus %D%/references.def
