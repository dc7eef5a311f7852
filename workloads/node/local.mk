# SPDX-License-Identifier: BSD-3-Clause
# The tests of one node, alone. What a test build makes wrong is compiled twice.
noinst_LTLIBRARIES += %D%/libnode.la
node_sources = \
    %D%/chase.c %D%/core.h %D%/core.c %D%/disk.c %D%/facts.c %D%/network.h %D%/network.c \
    %D%/node.h %D%/node.c %D%/pattern.c %D%/plan.c %D%/speed.h %D%/speed.c \
    %D%/team.h %D%/team.c %D%/tests.def
%C%_libnode_la_SOURCES = $(node_sources)
%C%_libnode_la_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_libnode_la_LIBADD = workloads/micro/libmicro.la
