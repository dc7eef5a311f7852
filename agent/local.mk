# SPDX-License-Identifier: BSD-3-Clause
# The MPI program. All but main() is a library, so that tests can run it with
# a workload of their own.
if BUILD_AGENT
noinst_LTLIBRARIES += agent/libagent.la
agent_libagent_la_SOURCES = \
    %D%/comm_mpi.h %D%/comm_internal.h %D%/comm_mpi.c \
    %D%/comm_watch.c %D%/comm_share.c %D%/comm_mail.c
agent_libagent_la_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(HWLOC_CFLAGS)
endif
