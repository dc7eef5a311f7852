# SPDX-License-Identifier: BSD-3-Clause
# The agent and its ranks, by mpirun on this host.
if BUILD_AGENT
check_PROGRAMS += tests/agent/ranks
tests_agent_ranks_SOURCES = %D%/ranks.c
tests_agent_ranks_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
tests_agent_ranks_LDADD = agent/libagent.la workloads/engine/libengine.la \
    reports/libcore.la $(MPI_LIBS)
TESTS += tests/agent/comm.bats
endif
dist_check_SCRIPTS += %D%/comm.bats
EXTRA_DIST += %D%/mpi.bash
