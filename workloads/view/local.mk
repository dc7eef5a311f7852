# SPDX-License-Identifier: BSD-3-Clause
# Samples, and what networks say of them, as pictures: `hpcai500 data view`.
if BUILD_VIEW
noinst_LTLIBRARIES += %D%/libview.la
%C%_libview_la_SOURCES = \
    %D%/array.h %D%/array.c \
    %D%/view.h %D%/view.c %D%/view_answer.c
%C%_libview_la_LIBADD = reports/draw/libpicture.la workloads/component/libcomponent.la

pkglibexec_PROGRAMS += %D%/data-view
%C%_data_view_SOURCES = %D%/view_main.c
%C%_data_view_LDADD = reports/core/libmain.la %D%/libview.la reports/core/libcore.la
endif
