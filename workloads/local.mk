# SPDX-License-Identifier: BSD-3-Clause
# The mathematics: knows no MPI, no Slurm, no counters.
EXTRA_DIST += %D%/README.md
noinst_LTLIBRARIES += %D%/libworkloads.la
%C%_libworkloads_la_SOURCES = \
    %D%/agree.c %D%/clock_offset.h %D%/clock_offset.c %D%/comm.h %D%/comm.c \
    %D%/metric.h %D%/metric.c \
    %D%/philox.h \
    %D%/steps.h %D%/steps.c \
    %D%/throttled.h %D%/throttled.c
%C%_libworkloads_la_LIBADD = reports/core/libcore.la
include workloads/engine/local.mk
include workloads/data/local.mk
include workloads/generate/local.mk
include workloads/component/local.mk
include workloads/micro/local.mk
include workloads/node/local.mk
include workloads/view/local.mk
