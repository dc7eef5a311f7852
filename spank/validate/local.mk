# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 validate: which nodes are not what they should be?
if BUILD_TOOLS
pkglibexec_PROGRAMS += %D%/hpcai500-validate
%C%_hpcai500_validate_SOURCES = %D%/validate.h %D%/validate_main.c %D%/validate_simulate.c
%C%_hpcai500_validate_LDADD = reports/core/libmain.la reports/draw/libdraw.la reports/judge/libjudge.la \
    reports/core/libcore.la
dist_man_MANS += %D%/hpcai500-validate.1
endif
