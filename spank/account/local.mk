# SPDX-License-Identifier: BSD-3-Clause
# What tells accounting. The one program with libslurm stands alone: libslurm
# may end it.
noinst_LTLIBRARIES += %D%/libaccount.la
%C%_libaccount_la_SOURCES = \
    %D%/admin_comment.h %D%/admin_comment.c \
    %D%/slurmdbd.h \
    %D%/user.h %D%/user.c
%C%_libaccount_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS)
%C%_libaccount_la_LIBADD = reports/core/libcore.la
if BUILD_SLURMDBD
pkglibexec_PROGRAMS += %D%/hpcai500-slurmdbd
dist_man_MANS += %D%/hpcai500-slurmdbd.8
%C%_hpcai500_slurmdbd_SOURCES = %D%/slurmdbd.c %D%/last_error.h %D%/slurmdbd_row.h %D%/slurmdbd_row.c
%C%_hpcai500_slurmdbd_CPPFLAGS = $(AM_CPPFLAGS) $(SLURM_CFLAGS)
%C%_hpcai500_slurmdbd_LDADD = reports/core/libmain.la %D%/libaccount.la $(LIBSLURM_LIBS)
endif
