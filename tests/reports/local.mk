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

check_PROGRAMS += tests/reports/test_config
tests_reports_test_config_SOURCES = %D%/test_config.c
tests_reports_test_config_LDADD = reports/libcore.la $(CMOCKA_LIBS)
tests_reports_test_config_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
TESTS += tests/reports/test_config
endif

check_PROGRAMS += tests/reports/fuzz_runspec
tests_reports_fuzz_runspec_SOURCES = %D%/fuzz_runspec.c tests/fuzz.h tests/replay.c
tests_reports_fuzz_runspec_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"reports/corpus/runspec"'
tests_reports_fuzz_runspec_LDADD = reports/libcore.la
TESTS += tests/reports/fuzz_runspec
check_PROGRAMS += tests/reports/fuzz_config
tests_reports_fuzz_config_SOURCES = %D%/fuzz_config.c tests/fuzz.h tests/replay.c
tests_reports_fuzz_config_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"reports/corpus/config"'
tests_reports_fuzz_config_LDADD = reports/libcore.la
TESTS += tests/reports/fuzz_config
EXTRA_DIST += %D%/corpus %D%/runspec_workloads.def %D%/fuzz_record.c %D%/fuzz_journal.c %D%/fuzz_witness.c

# The record: units, then a gallery of records for the schema and for show.
if BUILD_TOOLS
if BUILD_TESTS
record_test_flags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
record_test_libs = reports/libreports.la reports/libcore.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/reports/test_record tests/reports/test_journal
tests_reports_test_record_SOURCES = %D%/test_record.c %D%/sample.h %D%/sample.c
tests_reports_test_record_CFLAGS = $(record_test_flags)
tests_reports_test_record_LDADD = $(record_test_libs)
tests_reports_test_journal_SOURCES = %D%/test_journal.c %D%/sample.h %D%/sample.c
tests_reports_test_journal_CFLAGS = $(record_test_flags)
tests_reports_test_journal_LDADD = $(record_test_libs)
TESTS += tests/reports/test_record tests/reports/test_journal
check_PROGRAMS += tests/reports/test_redact
tests_reports_test_redact_SOURCES = %D%/test_redact.c %D%/sample.h %D%/sample.c
tests_reports_test_redact_CFLAGS = $(record_test_flags)
tests_reports_test_redact_LDADD = $(record_test_libs)
TESTS += tests/reports/test_redact
endif
check_PROGRAMS += tests/reports/make_records
tests_reports_make_records_SOURCES = %D%/make_records.c %D%/sample.h %D%/sample.c
tests_reports_make_records_LDADD = reports/libreports.la reports/libcore.la
TESTS += %D%/show.bats %D%/schema.bats %D%/config.bats %D%/export.bats \
    %D%/completion.bats %D%/help.bats
endif
dist_check_SCRIPTS += %D%/show.bats %D%/schema.bats %D%/config.bats %D%/export.bats %D%/completion.bats \
    %D%/help.bats %D%/validate.py %D%/mllog_check.py
EXTRA_DIST += %D%/golden

# The history and the archive.
if BUILD_HISTORY
if BUILD_TESTS
check_PROGRAMS += tests/reports/test_history
tests_reports_test_history_SOURCES = %D%/test_history.c %D%/sample.h %D%/sample.c
tests_reports_test_history_CFLAGS = $(record_test_flags) $(SQLITE_CFLAGS)
tests_reports_test_history_LDADD = reports/libhistory.la $(record_test_libs) $(SQLITE_LIBS)
check_PROGRAMS += tests/reports/test_change
tests_reports_test_change_SOURCES = %D%/test_change.c
tests_reports_test_change_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_reports_test_change_LDADD = reports/libhistory.la $(CMOCKA_LIBS)
TESTS += tests/reports/test_history tests/reports/test_change
endif
check_PROGRAMS += tests/reports/make_history
tests_reports_make_history_SOURCES = %D%/make_history.c %D%/sample.h %D%/sample.c
tests_reports_make_history_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
tests_reports_make_history_LDADD = reports/libhistory.la reports/libreports.la reports/libcore.la
TESTS += %D%/history.bats %D%/browser.bats
endif
dist_check_SCRIPTS += %D%/history.bats %D%/browser.bats %D%/browser.py
EXTRA_DIST += %D%/history_v1.sql
