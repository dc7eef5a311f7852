# SPDX-License-Identifier: BSD-3-Clause
# The page, its words in two languages, comparisons.
EXTRA_DIST += %D%/README.md %D%/style.css
dist_doc_DATA += %D%/prices.conf.example
if BUILD_TOOLS
noinst_LTLIBRARIES += %D%/libreport.la
%C%_libreport_la_SOURCES = \
    %D%/advice.h %D%/advice.c %D%/advice_run.h %D%/advice_run.c %D%/advised.h %D%/advised.c %D%/book.h %D%/book.c %D%/compare.h %D%/compare.c %D%/compare_page.c \
    %D%/compare_show.h %D%/compare_show.c %D%/frame.h %D%/frame.c \
    %D%/format.h %D%/format.c %D%/gates.h %D%/gates.c %D%/held.h %D%/held.c %D%/lengths.h %D%/lengths.c %D%/node_verdicts.h %D%/node_verdicts.c %D%/page.h %D%/page.c \
    %D%/past.h %D%/past.c %D%/page_advice.c %D%/page_buys.c %D%/page_facts.c %D%/page_one.c %D%/prices.h %D%/prices.c %D%/refusals.def %D%/refusal.h %D%/refusal.c %D%/rules.h %D%/rules.c %D%/section.h %D%/section.c \
    %D%/section_ceilings.c %D%/section_change.c %D%/section_roofline.c %D%/section_money.c %D%/section_nodes.c %D%/section_rules.c %D%/section_run.c %D%/section_stability.c \
    %D%/section_time.c %D%/section_whatif.c \
    %D%/split.h %D%/split.c %D%/words.def %D%/words_one.def %D%/words_nodes.def %D%/words_whatif.def %D%/words_compare.def %D%/words.h %D%/words.c
nodist_%C%_libreport_la_SOURCES = %D%/style.h
%C%_libreport_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
%C%_libreport_la_LIBADD = reports/validate/libverdict.la reports/predict/libpredict.la reports/diagnose/libdiagnose.la reports/judge/libjudge.la reports/draw/libdraw.la reports/record/librecord.la reports/core/libcore.la $(CJSON_LIBS) -lm
dist_man_MANS += %D%/hpcai500-prices.conf.5

# The style sheet as a text in C.
BUILT_SOURCES += %D%/style.h
CLEANFILES += %D%/style.h
%D%/style.h: %D%/style.css
	@mkdir -p %D%; { echo 'static const char report_style[] ='; \
	sed -e 's/[\\"]/\\&/g' -e 's/^ */"/' -e 's/$$/\\n"/' $(srcdir)/%D%/style.css; echo ';'; } > $@.tmp; mv $@.tmp $@
endif
