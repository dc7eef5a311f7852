# SPDX-License-Identifier: BSD-3-Clause
# Is this number normal? Pure functions.
noinst_LTLIBRARIES += %D%/libjudge.la
%C%_libjudge_la_SOURCES = %D%/change.h %D%/change.c
