# SPDX-License-Identifier: BSD-3-Clause
# Nodes after maintenance: what Slurm knows of them, what follows, and the one program
# that writes it. It links libslurm and stands alone, as hpcai500-slurmdbd does.
noinst_LTLIBRARIES += %D%/libvalidate.la
%C%_libvalidate_la_SOURCES = %D%/node_flags.def %D%/node.h %D%/node.c %D%/slurmctl.h \
    %D%/states.def %D%/state.h %D%/state.c
%C%_libvalidate_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
%C%_libvalidate_la_LIBADD = reports/judge/libjudge.la reports/core/libcore.la
if BUILD_SLURMDBD
pkglibexec_PROGRAMS += %D%/hpcai500-slurmctl
dist_man_MANS += %D%/hpcai500-slurmctl.8
%C%_hpcai500_slurmctl_SOURCES = %D%/slurmctl.c %D%/slurmctl_read.h %D%/slurmctl_read.c %D%/slurmctl_look.c
%C%_hpcai500_slurmctl_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
%C%_hpcai500_slurmctl_LDADD = reports/core/libmain.la %D%/libvalidate.la $(LIBSLURM_LIBS)
endif
# hpcai500 validate: which nodes are not what they should be?
if BUILD_TOOLS
pkglibexec_PROGRAMS += %D%/hpcai500-validate
%C%_hpcai500_validate_SOURCES = %D%/validate.h %D%/validate_main.c %D%/validate_simulate.c
%C%_hpcai500_validate_LDADD = reports/core/libmain.la reports/draw/libdraw.la reports/judge/libjudge.la \
    reports/core/libcore.la
dist_man_MANS += %D%/hpcai500-validate.1
endif
