# SPDX-License-Identifier: BSD-3-Clause
# What the machine did. Without PAPI the other back ends remain.
EXTRA_DIST += %D%/README.md
noinst_LTLIBRARIES += papi/libcounters.la
papi_libcounters_la_SOURCES = \
    %D%/counters.h %D%/counters.c %D%/values.c \
    %D%/backend.h %D%/state.h %D%/sources.c %D%/files.c \
    %D%/events.c %D%/perf.c %D%/proc.c %D%/net.c \
    %D%/infiniband.c %D%/energy.c %D%/cgroup.c %D%/cpu.c %D%/socket.c
papi_libcounters_la_CFLAGS = $(AM_CFLAGS) $(PAPI_CFLAGS)
papi_libcounters_la_LIBADD = reports/core/libcore.la $(PAPI_LIBS)

# Shows every counter of this machine, and what reading them costs.
noinst_PROGRAMS += papi/counters-probe
papi_counters_probe_SOURCES = %D%/counters-probe.c
papi_counters_probe_LDADD = papi/libcounters.la
EXTRA_DIST += contrib/bench/counters.sh
