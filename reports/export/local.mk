# SPDX-License-Identifier: BSD-3-Clause
# Other programs' formats.
if BUILD_TOOLS
pkglibexec_PROGRAMS += reports/tools/hpcai500-export
reports_tools_hpcai500_export_SOURCES = %D%/export.h %D%/export.c %D%/export_share.c %D%/export_table.c \
    %D%/export_prometheus.c %D%/export_junit.c %D%/export_job.h %D%/export_job.c \
    %D%/export_cockpit.c %D%/export_xdmod.c %D%/export_mllog.c %D%/export_steps.c
reports_tools_hpcai500_export_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
reports_tools_hpcai500_export_LDADD = reports/core/libmain.la reports/tools/libtools.la
if BUILD_HISTORY
reports_tools_hpcai500_export_SOURCES += %D%/export_history.c
reports_tools_hpcai500_export_LDADD += reports/history/libhistory.la
endif
reports_tools_hpcai500_export_LDADD += reports/draw/libdraw.la reports/record/librecord.la reports/core/libcore.la
endif
