# SPDX-License-Identifier: BSD-3-Clause
# The MPI program. All but main() is a library, so that tests can run it with
# a workload of their own.
EXTRA_DIST += %D%/README.md
include agent/comm/local.mk
include agent/micro/local.mk
include agent/node/local.mk
if BUILD_AGENT
noinst_LTLIBRARIES += %D%/libagent.la
%C%_libagent_la_SOURCES = \
    %D%/agent.h %D%/agent.c \
    %D%/begin.h %D%/begin.c \
    %D%/energy.h %D%/energy.c \
    %D%/guard.h %D%/guard.c \
    %D%/job.h %D%/job.c \
    %D%/memory.h %D%/memory.c \
    %D%/options.h %D%/options.c \
    %D%/output.h %D%/output.c \
    %D%/place.h %D%/place.c %D%/place_copy.c \
    %D%/plan.h %D%/plan.c \
    %D%/progress.h %D%/progress.c \
    %D%/report.h %D%/report.c %D%/report_end.c \
    %D%/resources.h %D%/resources.c %D%/probe.c \
    %D%/run.h \
    %D%/run_delay.h %D%/run_delay.c %D%/say.h %D%/say.c \
    %D%/series.h %D%/series.c \
    %D%/environment.h %D%/environment.c \
    %D%/system.h %D%/system.c %D%/system_node.c \
    %D%/system_parts.h %D%/system_software.c \
    %D%/textfile.h %D%/textfile.c \
    %D%/why.h %D%/why.c \
    %D%/node/validate.h %D%/node/validate_inner.h %D%/node/validate.c %D%/node/validate_nodes.c \
    %D%/node/validate_rows.c
%C%_libagent_la_CPPFLAGS = $(AM_CPPFLAGS) -DHPCAI500_CFLAGS='"$(CFLAGS)"'
%C%_libagent_la_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(HWLOC_CFLAGS)
# Without the workloads: main() or a test adds them.
%C%_libagent_la_LIBADD = reports/core/libmain.la agent/micro/libnetwork.la agent/comm/libcomm.la papi/libcounters.la \
    reports/diagnose/libdiagnose.la reports/validate/libverdict.la workloads/node/libnode.la \
    reports/record/librecord.la reports/core/libcore.la \
    $(MPI_LIBS) $(HWLOC_LIBS)

bin_PROGRAMS += %D%/hpcai500-agent
%C%_hpcai500_agent_SOURCES = %D%/main.c
%C%_hpcai500_agent_LDADD = %D%/libagent.la workloads/component/libcomponent.la
dist_man_MANS += %D%/hpcai500-agent.1
endif
