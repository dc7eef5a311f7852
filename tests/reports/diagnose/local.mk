# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_ablation %D%/test_cause %D%/test_confirm %D%/test_words
TESTS += %D%/test_ablation %D%/test_cause %D%/test_confirm %D%/test_words
%C%_test_confirm_SOURCES = %D%/test_confirm.c
%C%_test_confirm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_confirm_LDADD = reports/diagnose/libdiagnose.la reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_ablation_SOURCES = %D%/test_ablation.c
%C%_test_ablation_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_ablation_LDADD = reports/diagnose/libdiagnose.la reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_cause_SOURCES = %D%/test_cause.c %D%/synth.h %D%/synth.c
%C%_test_cause_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cause_LDADD = reports/diagnose/libdiagnose.la workloads/libworkloads.la \
    reports/core/libcore.la $(CMOCKA_LIBS)
%C%_test_words_SOURCES = %D%/test_words.c
%C%_test_words_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_words_LDADD = reports/diagnose/libdiagnose.la reports/core/libcore.la $(CMOCKA_LIBS)
if HAVE_CJSON
check_PROGRAMS += %D%/test_roofline
TESTS += %D%/test_roofline
%C%_test_roofline_SOURCES = %D%/test_roofline.c
%C%_test_roofline_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_roofline_LDADD = reports/diagnose/libdiagnose.la reports/record/librecord.la \
    reports/core/libcore.la $(CMOCKA_LIBS)
endif
endif
