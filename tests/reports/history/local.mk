# SPDX-License-Identifier: BSD-3-Clause
# The history and the archive.
if BUILD_HISTORY
if BUILD_TESTS
check_PROGRAMS += %D%/test_history
TESTS += %D%/test_history
%C%_test_history_SOURCES = %D%/test_history.c tests/reports/record/sample.h tests/reports/record/sample.c
%C%_test_history_CFLAGS = $(record_test_flags) $(SQLITE_CFLAGS)
%C%_test_history_LDADD = reports/history/libhistory.la $(record_test_libs) $(SQLITE_LIBS)
endif
check_PROGRAMS += %D%/make_history
%C%_make_history_SOURCES = %D%/make_history.c tests/reports/record/sample.h tests/reports/record/sample.c
%C%_make_history_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_make_history_LDADD = reports/history/libhistory.la reports/record/librecord.la reports/core/libcore.la
endif
EXTRA_DIST += %D%/history_v1.sql
