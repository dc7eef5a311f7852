# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if HAVE_CJSON
check_PROGRAMS += %D%/test_verdicts
TESTS += %D%/test_verdicts
%C%_test_verdicts_SOURCES = %D%/test_verdicts.c
%C%_test_verdicts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_verdicts_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
check_PROGRAMS += %D%/test_assess
TESTS += %D%/test_assess
%C%_test_assess_SOURCES = %D%/test_assess.c
%C%_test_assess_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_assess_LDADD = reports/validate/libverdict.la $(CMOCKA_LIBS)
endif
endif
