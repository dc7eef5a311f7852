# SPDX-License-Identifier: BSD-3-Clause
# The MPI program. All but main() is a library, so that tests can run it with
# a workload of their own.
if BUILD_AGENT
noinst_LTLIBRARIES += agent/libagent.la
agent_libagent_la_SOURCES = \
    %D%/agent.h %D%/agent.c \
    %D%/comm_mpi.h %D%/comm_internal.h %D%/comm_mpi.c \
    %D%/comm_watch.c %D%/comm_share.c %D%/comm_mail.c \
    %D%/guard.h %D%/guard.c \
    %D%/job.h %D%/job.c \
    %D%/options.h %D%/options.c \
    %D%/place.h %D%/place.c \
    %D%/plan.h %D%/plan.c \
    %D%/progress.h %D%/progress.c \
    %D%/report.h %D%/report.c \
    %D%/resources.h %D%/resources.c %D%/probe.c \
    %D%/run.h \
    %D%/system.h %D%/system.c \
    %D%/textfile.h %D%/textfile.c
agent_libagent_la_CPPFLAGS = $(AM_CPPFLAGS) -DHPCAI500_CFLAGS='"$(CFLAGS)"'
agent_libagent_la_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(HWLOC_CFLAGS)
# Without the workloads: main() or a test adds them.
agent_libagent_la_LIBADD = workloads/engine/libengine.la papi/libcounters.la \
    reports/libreports.la reports/libcore.la $(MPI_LIBS) $(HWLOC_LIBS)

bin_PROGRAMS += agent/hpcai500-agent
agent_hpcai500_agent_SOURCES = %D%/main.c
agent_hpcai500_agent_LDADD = agent/libagent.la workloads/component/libcomponent.la
dist_man_MANS += %D%/hpcai500-agent.1
endif

# Built on demand by contrib/bench/allreduce.sh, never installed.
if BUILD_AGENT
EXTRA_PROGRAMS += agent/allreduce_bench
agent_allreduce_bench_SOURCES = %D%/allreduce_bench.c
agent_allreduce_bench_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
agent_allreduce_bench_LDADD = agent/libagent.la
endif
