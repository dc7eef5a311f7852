# SPDX-License-Identifier: BSD-3-Clause
# libc only: all that the plugin links.
noinst_LTLIBRARIES += %D%/libcore.la
%C%_libcore_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
%C%_libcore_la_SOURCES = \
    %D%/atomic.h %D%/atomic.c \
    %D%/clock.h %D%/clock.c \
    %D%/conf.h %D%/conf.c \
    %D%/counters.def \
    %D%/crc32c.h %D%/crc32c.c \
    %D%/err.h %D%/err.c \
    %D%/fdio.h %D%/fdio.c \
    %D%/keys.h %D%/keys.c \
    %D%/measure.h \
    %D%/metrics.def \
    %D%/micro_row.h \
    %D%/nearest.h %D%/nearest.c \
    %D%/node_metrics.def %D%/node_result.h %D%/node_result.c \
    %D%/option.h %D%/option.c \
    %D%/phases.def %D%/splits.def %D%/convergence.def %D%/references.def \
    %D%/result.h %D%/result.c \
    %D%/runspec.h %D%/runspec.c %D%/runspec_table.h %D%/runspec_table.c \
    %D%/runspec_value.h %D%/runspec_value.c \
    %D%/sha256.h %D%/sha256.c \
    %D%/slurp.h %D%/slurp.c \
    %D%/spawn.h %D%/spawn.c \
    %D%/text.h %D%/text.c \
    %D%/utf8.h %D%/utf8.c \
    %D%/vet.h %D%/vet.c \
    %D%/workloads.def %D%/ablation.def

# What a main() has and the plugin has not: something to do at exit.
noinst_LTLIBRARIES += %D%/libmain.la
%C%_libmain_la_SOURCES = %D%/out.h %D%/out.c

dist_man_MANS += %D%/hpcai500-run.7
if BUILD_TOOLS
dist_man_MANS += %D%/hpcai500.conf.5
dist_doc_DATA += %D%/hpcai500.conf.example
endif
