# SPDX-License-Identifier: BSD-3-Clause
# What the machine can do at most. Kernels are their own library, so that a test
# can have one in which a bit flips.
micro_kernels = \
    %D%/kernel.h %D%/kernel_chain.c %D%/kernel_fma.c %D%/kernel_memory.c \
    %D%/library.h %D%/library.c
noinst_LTLIBRARIES += %D%/libmicro.la
%C%_libmicro_la_SOURCES = \
    $(micro_kernels) \
    %D%/attention.c \
    %D%/cache.h %D%/cache.c \
    %D%/condition.h %D%/condition.c \
    %D%/fma_team.h %D%/fma_team.c \
    %D%/harness.h %D%/harness.c \
    %D%/machine.c \
    %D%/memory.h %D%/memory.c \
    %D%/micro.h \
    %D%/numbers.c \
    %D%/operator.h %D%/operator.c %D%/operator_inner.h %D%/operator_text.c \
    %D%/operators.c \
    %D%/outlier.h %D%/outlier.c \
    %D%/polish.h %D%/polish.c \
    %D%/product.c \
    %D%/sample.h %D%/sample.c \
    %D%/deepbench.def %D%/shapes.h %D%/shapes.c \
    %D%/tokens.c \
    %D%/value.c
%C%_libmicro_la_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
%C%_libmicro_la_LIBADD = workloads/engine/libengine.la reports/core/libcore.la

if HAVE_HDF5
noinst_LTLIBRARIES += %D%/libstorage.la
%C%_libstorage_la_SOURCES = \
    %D%/files.h %D%/files.c \
    %D%/meta.c \
    %D%/read.c \
    %D%/samples.h %D%/samples.c \
    %D%/write.c
%C%_libstorage_la_LIBADD = workloads/data/libdata.la workloads/data/libimage.la
endif
