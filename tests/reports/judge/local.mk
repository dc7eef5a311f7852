# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_change
TESTS += %D%/test_change
%C%_test_change_SOURCES = %D%/test_change.c
%C%_test_change_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_change_LDADD = reports/judge/libjudge.la $(CMOCKA_LIBS)
endif
