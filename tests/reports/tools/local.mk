# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TOOLS
if BUILD_TESTS
check_PROGRAMS += %D%/test_show
TESTS += %D%/test_show
%C%_test_show_SOURCES = %D%/test_show.c reports/tools/show_text.c reports/tools/show_verdict.c
%C%_test_show_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_show_LDADD = reports/record/librecord.la reports/core/libcore.la $(CMOCKA_LIBS)
endif
check_PROGRAMS += %D%/make_buy
%C%_make_buy_SOURCES = %D%/make_buy.c \
    tests/reports/predict/machine.h tests/reports/predict/machine.c \
    tests/reports/record/sample.h tests/reports/record/sample.c
%C%_make_buy_LDADD = reports/predict/libpredict.la reports/record/librecord.la \
    reports/core/libcore.la -lm
TESTS += %D%/baseline.bats %D%/buy.bats %D%/roofline.bats %D%/show.bats %D%/stdout.bats %D%/config.bats %D%/completion.bats %D%/help.bats
endif
if BUILD_HISTORY
TESTS += %D%/history.bats %D%/recipes.bats
endif
dist_check_SCRIPTS += %D%/baseline.bats %D%/buy.bats %D%/roofline.bats %D%/picture_check.py %D%/show.bats %D%/stdout.bats %D%/config.bats %D%/completion.bats %D%/help.bats %D%/history.bats %D%/recipes.bats
EXTRA_DIST += %D%/golden
