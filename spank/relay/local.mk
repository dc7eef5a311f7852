# SPDX-License-Identifier: BSD-3-Clause
# From root on a node to the collector: bundles and credentials, the spool and
# the collector's socket. libc and MUNGE only.
noinst_LTLIBRARIES += %D%/librelay.la
%C%_librelay_la_SOURCES = \
    %D%/bundle.h %D%/bundle.c \
    %D%/witness.h %D%/witness.c
%C%_librelay_la_CFLAGS = $(AM_CFLAGS) $(HARDEN_CFLAGS) $(MUNGE_CFLAGS)
%C%_librelay_la_LIBADD = reports/core/libcore.la
if BUILD_WITNESS
%C%_librelay_la_SOURCES += \
    %D%/cred.h %D%/cred.c \
    %D%/forward.h %D%/forward.c \
    %D%/receive.h %D%/receive.c \
    %D%/spool.h %D%/spool.c
%C%_librelay_la_LIBADD += $(MUNGE_LIBS)
endif
