# SPDX-License-Identifier: BSD-3-Clause
# struct comm over MPI: every call of MPI that a training step makes.
if BUILD_AGENT
noinst_LTLIBRARIES += %D%/libcomm.la
%C%_libcomm_la_SOURCES = \
    %D%/comm_base.h %D%/comm_base.c \
    %D%/comm_clock.h %D%/comm_clock.c \
    %D%/comm_collect.h %D%/comm_collect.c \
    %D%/comm_echo.h %D%/comm_echo.c \
    %D%/comm_mail.h %D%/comm_mail.c \
    %D%/comm_mpi.h %D%/comm_mpi.c \
    %D%/comm_share.h %D%/comm_share.c \
    %D%/comm_sums.h %D%/comm_sums.c \
    %D%/comm_watch.h %D%/comm_watch.c
%C%_libcomm_la_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
%C%_libcomm_la_LIBADD = workloads/engine/libengine.la reports/core/libcore.la $(MPI_LIBS)

# Built on demand by contrib/bench/allreduce.sh, never installed.
EXTRA_PROGRAMS += %D%/allreduce_bench
%C%_allreduce_bench_SOURCES = %D%/allreduce_bench.c
%C%_allreduce_bench_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
%C%_allreduce_bench_LDADD = %D%/libcomm.la
endif
