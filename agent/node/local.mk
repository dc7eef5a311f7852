# SPDX-License-Identifier: BSD-3-Clause
# The tests of one node: a program without MPI.
if HAVE_CJSON
pkglibexec_PROGRAMS += %D%/hpcai500-node
dist_man_MANS += %D%/hpcai500-node.8
node_program = %D%/node_main.c agent/job.h agent/job.c agent/memory.h agent/memory.c \
    agent/textfile.h agent/textfile.c
node_libraries = workloads/node/libnode.la reports/validate/libverdict.la \
    reports/core/libmain.la reports/core/libcore.la
%C%_hpcai500_node_SOURCES = $(node_program)
%C%_hpcai500_node_CFLAGS = $(AM_CFLAGS)
%C%_hpcai500_node_LDADD = $(node_libraries)
endif
