# SPDX-License-Identifier: BSD-3-Clause
# Micro benchmarks in the agent: those of the network, and all of them in a run.
if BUILD_AGENT
noinst_LTLIBRARIES += %D%/libnetwork.la
%C%_libnetwork_la_SOURCES = \
    %D%/bench.h %D%/bench.c \
    %D%/ceiling.h %D%/ceiling.c \
    %D%/collective.h %D%/collective.c %D%/exchange.c \
    %D%/network.h %D%/pairs.c %D%/wait.c \
    %D%/p2p.h %D%/p2p.c %D%/p2p_rows.c
%C%_libnetwork_la_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(OPENMP_CFLAGS)
%C%_libnetwork_la_LIBADD = workloads/micro/libstorage.la workloads/micro/libmicro.la $(MPI_LIBS)
endif

# Built on demand by contrib/bench/micro.sh, never installed.
if BUILD_AGENT
EXTRA_PROGRAMS += %D%/p2p_bench
%C%_p2p_bench_SOURCES = %D%/p2p_bench.c
%C%_p2p_bench_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
%C%_p2p_bench_LDADD = %D%/libnetwork.la agent/comm/libcomm.la
endif
