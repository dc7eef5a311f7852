# SPDX-License-Identifier: BSD-3-Clause
if BUILD_HISTORY
TESTS += %D%/browser.bats
endif
dist_check_SCRIPTS += %D%/browser.bats %D%/browser.py

if BUILD_TESTS
if HAVE_PNG
check_PROGRAMS += %D%/test_picture
TESTS += %D%/test_picture
%C%_test_picture_SOURCES = %D%/test_picture.c
%C%_test_picture_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PNG_CFLAGS)
%C%_test_picture_LDADD = reports/draw/libpicture.la reports/core/libcore.la $(CMOCKA_LIBS) $(PNG_LIBS)
endif
endif
