# SPDX-License-Identifier: BSD-3-Clause
# One file a verb of `hpcai500`; export's files are in their own folder.
if BUILD_TOOLS
# What several verbs share; with a history, that is asked too.
noinst_LTLIBRARIES += %D%/libtools.la
%C%_libtools_la_SOURCES = %D%/ceilings.h %D%/ceilings.c %D%/find.h %D%/find.c %D%/repeats.h %D%/repeats.c
%C%_libtools_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_libtools_la_LIBADD = reports/diagnose/libdiagnose.la
if BUILD_HISTORY
%C%_libtools_la_LIBADD += reports/history/libhistory.la
endif
%C%_libtools_la_LIBADD += reports/record/librecord.la reports/core/libcore.la
tools_libs = reports/core/libmain.la reports/draw/libdraw.la reports/record/librecord.la reports/core/libcore.la
bin_PROGRAMS += %D%/hpcai500
%C%_hpcai500_SOURCES = %D%/hpcai500.c
nodist_%C%_hpcai500_SOURCES = build_id.h
%C%_hpcai500_LDADD = reports/core/libmain.la reports/core/libcore.la

pkglibexec_PROGRAMS += %D%/hpcai500-baseline %D%/hpcai500-compare %D%/hpcai500-config %D%/hpcai500-recover %D%/hpcai500-report %D%/hpcai500-show
%C%_hpcai500_baseline_SOURCES = %D%/baseline.c
%C%_hpcai500_baseline_LDADD = reports/validate/libverdict.la $(tools_libs)
%C%_hpcai500_compare_SOURCES = %D%/compare.c %D%/library.h %D%/library.c
%C%_hpcai500_compare_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_compare_LDADD = %D%/libtools.la reports/report/libreport.la $(tools_libs)
%C%_hpcai500_config_SOURCES = %D%/config.c
%C%_hpcai500_config_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_config_LDADD = $(tools_libs)
%C%_hpcai500_recover_SOURCES = %D%/recover.c
%C%_hpcai500_recover_LDADD = $(tools_libs)
%C%_hpcai500_report_SOURCES = %D%/report.c %D%/earlier.h %D%/earlier.c %D%/library.h %D%/library.c %D%/pdf.h %D%/pdf.c
%C%_hpcai500_report_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_report_LDADD = %D%/libtools.la reports/report/libreport.la $(tools_libs)
%C%_hpcai500_show_SOURCES = %D%/show.c %D%/show_screen.h %D%/show_screen.c \
    %D%/show_phases.h %D%/show_phases.c \
    %D%/buy.h %D%/buy.c %D%/show_buy.h %D%/show_buy.c \
    %D%/show_profile.h %D%/show_profile.c %D%/show_roofline.c \
    %D%/show_text.h %D%/show_text.c %D%/show_verdict.h %D%/show_verdict.c \
    %D%/show_why.h %D%/show_why.c
%C%_hpcai500_show_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_show_LDADD = %D%/libtools.la reports/report/libreport.la reports/predict/libpredict.la reports/diagnose/libdiagnose.la $(tools_libs)
dist_man_MANS += %D%/hpcai500.1 %D%/hpcai500-baseline.1 %D%/hpcai500-compare.1 %D%/hpcai500-config.1 %D%/hpcai500-export.1 \
    %D%/hpcai500-recover.1 %D%/hpcai500-report.1 %D%/hpcai500-show.1
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = %D%/completion/hpcai500
endif

if BUILD_HISTORY
pkglibexec_PROGRAMS += %D%/hpcai500-history %D%/hpcai500-forget
%C%_hpcai500_history_SOURCES = %D%/history.c %D%/history_rows.h %D%/history_rows.c
%C%_hpcai500_history_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_hpcai500_history_LDADD = %D%/libtools.la reports/history/libhistory.la $(tools_libs)
%C%_hpcai500_forget_SOURCES = %D%/forget.c
%C%_hpcai500_forget_LDADD = reports/history/libhistory.la $(tools_libs)
dist_man_MANS += %D%/hpcai500-history.1 %D%/hpcai500-forget.1
endif
