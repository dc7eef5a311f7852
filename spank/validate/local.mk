# SPDX-License-Identifier: BSD-3-Clause
# Nodes after maintenance: what Slurm knows of them, what follows, and the one program
# that writes it. It links libslurm and stands alone, as hpcai500-slurmdbd does.
noinst_LTLIBRARIES += %D%/libvalidate.la
%C%_libvalidate_la_SOURCES = %D%/node_flags.def %D%/node.h %D%/node.c %D%/slurmctl.h \
    %D%/states.def %D%/state.h %D%/state.c \
    %D%/look.h %D%/look.c %D%/event.h %D%/event.c %D%/holder.h %D%/holder.c
%C%_libvalidate_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
%C%_libvalidate_la_LIBADD = reports/judge/libjudge.la reports/core/libcore.la
if BUILD_SLURMDBD
pkglibexec_PROGRAMS += %D%/hpcai500-slurmctl
dist_man_MANS += %D%/hpcai500-slurmctl.8
%C%_hpcai500_slurmctl_SOURCES = %D%/slurmctl.c %D%/slurmctl_read.h %D%/slurmctl_read.c %D%/slurmctl_look.c
%C%_hpcai500_slurmctl_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
%C%_hpcai500_slurmctl_LDADD = reports/core/libmain.la %D%/libvalidate.la $(LIBSLURM_LIBS)
endif
# What follows from verdicts; it needs the history's log.
if BUILD_HISTORY
noinst_LTLIBRARIES += %D%/libact.la
%C%_libact_la_SOURCES = %D%/plan.h %D%/plan.c %D%/plan_print.c %D%/act_base.h %D%/act_base.c \
    %D%/act_write.h %D%/act_write.c %D%/act.h %D%/act.c
%C%_libact_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_libact_la_LIBADD = %D%/libvalidate.la reports/validate/libverdict.la reports/history/libhistory.la \
    reports/core/libcore.la
endif
# hpcai500 validate: which nodes are not what they should be?
if BUILD_TOOLS
pkglibexec_PROGRAMS += %D%/hpcai500-validate
%C%_hpcai500_validate_SOURCES = %D%/validate.h %D%/validate_main.c %D%/validate_simulate.c \
    %D%/measure.h %D%/measure.c %D%/measure_job.c %D%/measure_main.c %D%/measure_slurm.c
%C%_hpcai500_validate_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_validate_CPPFLAGS = $(AM_CPPFLAGS)
%C%_hpcai500_validate_LDADD = reports/core/libmain.la reports/validate/libverdict.la
dist_man_MANS += %D%/hpcai500-validate.1
if BUILD_HISTORY
%C%_hpcai500_validate_SOURCES += %D%/act_main.c %D%/file_main.c %D%/unvalidated_main.c
%C%_hpcai500_validate_CPPFLAGS += -DVALIDATE_ACTS=1
%C%_hpcai500_validate_LDADD += %D%/libact.la
dist_man_MANS += %D%/hpcai500-validate-act.8
endif
%C%_hpcai500_validate_LDADD += reports/draw/libdraw.la reports/judge/libjudge.la reports/core/libcore.la
endif
# On nodes: RebootProgram's first word, which notes the reboot and becomes the rest; and
# the health check, which writes a file and nothing else.
dist_pkglibexec_SCRIPTS += %D%/reboot %D%/health
