# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if BUILD_VIEW
check_PROGRAMS += %D%/test_view
TESTS += %D%/test_view
%C%_test_view_SOURCES = %D%/test_view.c
%C%_test_view_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_view_LDADD = workloads/view/libview.la reports/core/libcore.la $(CMOCKA_LIBS)
if BUILD_AGENT
if BUILD_GENERATOR
TESTS += %D%/view.bats
endif
endif
endif
endif
dist_check_SCRIPTS += %D%/view.bats
