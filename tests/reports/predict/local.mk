# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
check_PROGRAMS += %D%/test_predict
TESTS += %D%/test_predict
%C%_test_predict_SOURCES = %D%/test_predict.c %D%/machine.h %D%/machine.c
%C%_test_predict_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_predict_LDADD = reports/predict/libpredict.la reports/core/libcore.la $(CMOCKA_LIBS)
if HAVE_CJSON
check_PROGRAMS += %D%/test_quality
TESTS += %D%/test_quality
%C%_test_quality_SOURCES = %D%/test_quality.c
%C%_test_quality_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CJSON_CFLAGS)
%C%_test_quality_LDADD = reports/predict/libpredict.la reports/record/librecord.la reports/core/libcore.la $(CMOCKA_LIBS)
endif
endif
EXTRA_DIST += %D%/convergence.def
