# SPDX-License-Identifier: BSD-3-Clause
# The vocabulary. libcore needs libc only and is all that the plugin links.
noinst_LTLIBRARIES += reports/libcore.la
reports_libcore_la_SOURCES = \
    %D%/err.h %D%/err.c \
    %D%/measure.h \
    %D%/nearest.h %D%/nearest.c \
    %D%/result.h %D%/result.c \
    %D%/sha256.h %D%/sha256.c \
    %D%/nearest.h %D%/nearest.c \
    %D%/runspec.h %D%/runspec.c \
    %D%/workloads.def
EXTRA_DIST += %D%/record.h %D%/journal.h %D%/facts.def
