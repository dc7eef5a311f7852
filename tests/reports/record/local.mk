# SPDX-License-Identifier: BSD-3-Clause
# The record: units, then a gallery of records for the schema and for others.
if BUILD_TOOLS
record_test_libs = reports/record/librecord.la reports/core/libcore.la $(CMOCKA_LIBS)
record_test_flags = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
if BUILD_TESTS
record_tests = %D%/test_record %D%/test_record_file %D%/test_journal %D%/test_redact \
    %D%/test_even %D%/test_steps
check_PROGRAMS += $(record_tests)
TESTS += $(record_tests)
%C%_test_record_SOURCES = %D%/test_record.c %D%/sample.h %D%/sample.c
%C%_test_record_CFLAGS = $(record_test_flags)
%C%_test_record_LDADD = $(record_test_libs)
%C%_test_record_file_SOURCES = %D%/test_record_file.c %D%/sample.h %D%/sample.c
%C%_test_record_file_CFLAGS = $(record_test_flags)
%C%_test_record_file_LDADD = $(record_test_libs)
%C%_test_journal_SOURCES = %D%/test_journal.c %D%/sample.h %D%/sample.c
%C%_test_journal_CFLAGS = $(record_test_flags)
%C%_test_journal_LDADD = $(record_test_libs)
%C%_test_redact_SOURCES = %D%/test_redact.c %D%/sample.h %D%/sample.c
%C%_test_redact_CFLAGS = $(record_test_flags)
%C%_test_redact_LDADD = $(record_test_libs)
%C%_test_even_SOURCES = %D%/test_even.c
%C%_test_even_CFLAGS = $(record_test_flags)
%C%_test_even_LDADD = $(record_test_libs)
%C%_test_steps_SOURCES = %D%/test_steps.c
%C%_test_steps_CFLAGS = $(record_test_flags)
%C%_test_steps_LDADD = $(record_test_libs)
endif
check_PROGRAMS += %D%/make_records
%C%_make_records_SOURCES = %D%/make_records.c %D%/sample.h %D%/sample.c
%C%_make_records_LDADD = reports/record/librecord.la reports/core/libcore.la
TESTS += %D%/schema.bats
endif
dist_check_SCRIPTS += %D%/schema.bats %D%/validate.py
EXTRA_DIST += %D%/refused.txt %D%/corpus %D%/fuzz_record.c %D%/fuzz_journal.c
