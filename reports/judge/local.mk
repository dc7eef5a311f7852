# SPDX-License-Identifier: BSD-3-Clause
# Is this number normal? Pure functions.
noinst_LTLIBRARIES += %D%/libjudge.la
%C%_libjudge_la_SOURCES = %D%/change.h %D%/change.c %D%/judge.h %D%/judge.c %D%/link.h %D%/link.c \
    %D%/random.h %D%/random.c %D%/simulate.h %D%/simulate.c %D%/simulate_link.c %D%/stat.h %D%/stat.c \
    %D%/variance.h %D%/variance.c %D%/verdict.h %D%/verdict.c
%C%_libjudge_la_LIBADD = -lm
