# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if HAVE_CJSON
check_PROGRAMS += %D%/test_verdicts
TESTS += %D%/test_verdicts
%C%_test_verdicts_SOURCES = %D%/test_verdicts.c
%C%_test_verdicts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_verdicts_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_lines
TESTS += %D%/test_lines
%C%_test_lines_SOURCES = %D%/test_lines.c
%C%_test_lines_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_lines_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_baseline
TESTS += %D%/test_baseline
%C%_test_baseline_SOURCES = %D%/test_baseline.c %D%/made.h %D%/made.c
%C%_test_baseline_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_baseline_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_spares
TESTS += %D%/test_spares
%C%_test_spares_SOURCES = %D%/test_spares.c %D%/made.h %D%/made.c
%C%_test_spares_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_spares_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_past
TESTS += %D%/test_past
%C%_test_past_SOURCES = %D%/test_past.c
%C%_test_past_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_past_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_assess
TESTS += %D%/test_assess
%C%_test_assess_SOURCES = %D%/test_assess.c %D%/made.h %D%/made.c
%C%_test_assess_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_assess_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_assess_links
TESTS += %D%/test_assess_links
%C%_test_assess_links_SOURCES = %D%/test_assess_links.c %D%/made.h %D%/made.c
%C%_test_assess_links_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_assess_links_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
endif
endif
