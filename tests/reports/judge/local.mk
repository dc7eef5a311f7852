# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_change %D%/test_judge %D%/test_simulate
TESTS += %D%/test_simulate %D%/test_change %D%/test_judge
%C%_test_change_SOURCES = %D%/test_change.c
%C%_test_change_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_change_LDADD = reports/judge/libjudge.la $(CMOCKA_LIBS)
%C%_test_judge_SOURCES = %D%/test_judge.c
%C%_test_judge_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_judge_LDADD = reports/judge/libjudge.la $(CMOCKA_LIBS)
%C%_test_simulate_SOURCES = %D%/test_simulate.c
%C%_test_simulate_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_simulate_LDADD = reports/judge/libjudge.la $(CMOCKA_LIBS)
endif
