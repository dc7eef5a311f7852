# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 doctor: looks at everything, with whatever this build has.
if BUILD_TOOLS
pkglibexec_PROGRAMS += %D%/hpcai500-doctor
%C%_hpcai500_doctor_SOURCES = %D%/doctor.h %D%/doctor.c %D%/doctor_checks.c \
    %D%/doctor_main.c %D%/doctor_queues.c \
    %D%/doctor_nodes.c %D%/doctor_run.c %D%/doctor_slurm.c
nodist_%C%_hpcai500_doctor_SOURCES = build_id.h
%C%_hpcai500_doctor_CFLAGS = $(AM_CFLAGS) $(MUNGE_CFLAGS)
%C%_hpcai500_doctor_LDADD = reports/core/libmain.la
if BUILD_HISTORY
%C%_hpcai500_doctor_LDADD += reports/history/libhistory.la
endif
%C%_hpcai500_doctor_LDADD += spank/relay/librelay.la reports/record/librecord.la reports/core/libcore.la
dist_man_MANS += %D%/hpcai500-doctor.1
endif
