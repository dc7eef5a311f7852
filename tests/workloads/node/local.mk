# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_node
TESTS += %D%/test_node
%C%_test_node_SOURCES = %D%/test_node.c
%C%_test_node_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_node_LDADD = workloads/node/libnode.la $(CMOCKA_LIBS)
%C%_test_node_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sched_getaffinity
endif
# The program in which a bit flips, or a test is slow: HPCAI500_NODE_TEST (node.c).
if HAVE_CJSON
check_PROGRAMS += %D%/hpcai500-node-test
%C%_hpcai500_node_test_SOURCES = $(node_program) $(node_sources)
%C%_hpcai500_node_test_CPPFLAGS = $(AM_CPPFLAGS) -DNODE_TEST_HOOK
%C%_hpcai500_node_test_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_hpcai500_node_test_LDADD = workloads/micro/libmicro.la reports/validate/libverdict.la \
    reports/core/libmain.la reports/core/libcore.la
TESTS += %D%/node.bats
endif
dist_check_SCRIPTS += %D%/node.bats
