# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
validate_tests = %D%/test_node %D%/test_state %D%/test_look
if BUILD_HISTORY
validate_tests += %D%/test_plan
%C%_test_plan_SOURCES = %D%/test_plan.c
%C%_test_plan_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_plan_LDADD = spank/validate/libact.la $(CMOCKA_LIBS)
endif
check_PROGRAMS += $(validate_tests)
TESTS += $(validate_tests)
%C%_test_node_SOURCES = %D%/test_node.c
%C%_test_node_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_node_LDADD = spank/validate/libvalidate.la $(CMOCKA_LIBS)
%C%_test_state_SOURCES = %D%/test_state.c
%C%_test_state_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_state_LDADD = spank/validate/libvalidate.la $(CMOCKA_LIBS)
%C%_test_look_SOURCES = %D%/test_look.c
%C%_test_look_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_look_LDADD = spank/validate/libvalidate.la $(CMOCKA_LIBS)
endif
# Built on demand by contrib/evidence/nodes.sh.
if BUILD_HISTORY
EXTRA_PROGRAMS += %D%/thousand
%C%_thousand_SOURCES = %D%/thousand.h %D%/thousand.c %D%/thousand_plan.c
%C%_thousand_LDADD = spank/validate/libact.la reports/validate/libverdict.la
endif
if BUILD_TOOLS
TESTS += %D%/validate.bats
endif
TESTS += %D%/triggers.bats
dist_check_SCRIPTS += %D%/validate.bats %D%/triggers.bats
