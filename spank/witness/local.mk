# SPDX-License-Identifier: BSD-3-Clause
# Root's prolog and epilog.
if BUILD_WITNESS
noinst_LTLIBRARIES += %D%/libwitness.la
%C%_libwitness_la_SOURCES = \
    %D%/cgroup.h %D%/cgroup.c \
    %D%/job.h %D%/job.c \
    %D%/machine.h %D%/machine.c \
    %D%/scan.h %D%/scan.c
%C%_libwitness_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS) $(MUNGE_CFLAGS)
%C%_libwitness_la_LIBADD = spank/relay/librelay.la

pkglibexec_PROGRAMS += %D%/hpcai500-witness
%C%_hpcai500_witness_SOURCES = %D%/witness_main.c
nodist_%C%_hpcai500_witness_SOURCES = build_id.h
%C%_hpcai500_witness_LDADD = reports/core/libmain.la %D%/libwitness.la
dist_man_MANS += %D%/hpcai500-witness.8
endif
