# SPDX-License-Identifier: BSD-3-Clause
# Pages and comparisons: units, then golden records of every state in a browser.
if BUILD_TOOLS
report_test_libs = reports/report/libreport.la reports/diagnose/libdiagnose.la reports/draw/libdraw.la reports/judge/libjudge.la \
    reports/record/librecord.la reports/core/libcore.la
if BUILD_TESTS
report_tests = %D%/test_compare %D%/test_page %D%/test_words
check_PROGRAMS += $(report_tests)
TESTS += $(report_tests)
%C%_test_compare_SOURCES = %D%/test_compare.c
%C%_test_compare_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_compare_LDADD = $(report_test_libs) $(CMOCKA_LIBS)
%C%_test_page_SOURCES = %D%/test_page.c
%C%_test_page_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_page_LDADD = $(report_test_libs) $(CMOCKA_LIBS)
%C%_test_words_SOURCES = %D%/test_words.c
%C%_test_words_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_words_LDADD = $(report_test_libs) $(CMOCKA_LIBS)
endif
check_PROGRAMS += %D%/make_gallery
%C%_make_gallery_SOURCES = %D%/make_gallery.c \
    tests/reports/record/sample.h tests/reports/record/sample.c
%C%_make_gallery_LDADD = reports/record/librecord.la reports/core/libcore.la -lm
TESTS += %D%/report.bats
endif
dist_check_SCRIPTS += %D%/report.bats %D%/look.py %D%/refusals.py
