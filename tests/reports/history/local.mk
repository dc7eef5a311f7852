# SPDX-License-Identifier: BSD-3-Clause
# The history and the archive.
if BUILD_HISTORY
if BUILD_TESTS
history_tests = %D%/test_history %D%/test_ask %D%/test_database %D%/test_work
history_site = %D%/site.h %D%/site.c tests/reports/record/sample.h tests/reports/record/sample.c
history_test_libs = reports/history/libhistory.la $(record_test_libs) $(SQLITE_LIBS)
check_PROGRAMS += $(history_tests)
TESTS += $(history_tests)
%C%_test_history_SOURCES = %D%/test_history.c $(history_site)
%C%_test_history_CFLAGS = $(record_test_flags) $(SQLITE_CFLAGS)
%C%_test_history_LDADD = $(history_test_libs)
%C%_test_ask_SOURCES = %D%/test_ask.c $(history_site)
%C%_test_ask_CFLAGS = $(record_test_flags) $(SQLITE_CFLAGS)
%C%_test_ask_LDADD = $(history_test_libs)
%C%_test_database_SOURCES = %D%/test_database.c $(history_site)
%C%_test_database_CFLAGS = $(record_test_flags) $(SQLITE_CFLAGS)
%C%_test_database_LDADD = $(history_test_libs)
%C%_test_work_SOURCES = %D%/test_work.c $(history_site)
%C%_test_work_CFLAGS = $(record_test_flags) $(SQLITE_CFLAGS)
%C%_test_work_LDADD = $(history_test_libs)
endif
check_PROGRAMS += %D%/make_history
%C%_make_history_SOURCES = %D%/make_history.c tests/reports/record/sample.h tests/reports/record/sample.c
%C%_make_history_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_make_history_LDADD = reports/history/libhistory.la reports/record/librecord.la reports/core/libcore.la
endif
EXTRA_DIST += %D%/history_v1.sql
