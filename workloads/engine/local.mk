# SPDX-License-Identifier: BSD-3-Clause
# Graph, plan, back ends. OpenMP and the back ends' libraries stay in here.
noinst_LTLIBRARIES += workloads/engine/libengine.la
workloads_engine_libengine_la_SOURCES = \
    %D%/backend.h \
    %D%/comm.h %D%/comm.c %D%/agree.c \
    %D%/checkpoint.c \
    %D%/compile.c \
    %D%/engine.h \
    %D%/graph.h %D%/graph.c \
    %D%/model.c \
    %D%/optim.c \
    %D%/plan.h %D%/plan.c \
    %D%/ref.c \
    %D%/run.c \
    %D%/schedule.h %D%/schedule.c
workloads_engine_libengine_la_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS)
workloads_engine_libengine_la_LIBADD = reports/libcore.la
EXTRA_DIST += %D%/README.md
if HAVE_ONEDNN
workloads_engine_libengine_la_SOURCES += \
    %D%/cpu.h %D%/cpu.c %D%/cpu_conv.c %D%/cpu_dense.c \
    %D%/cpu_format.c %D%/cpu_value.c \
    %D%/cpu_threads.h %D%/cpu_threads.c \
    %D%/kernel_map.h %D%/kernel_map.c \
    %D%/kernel_pool.h %D%/kernel_pool.c \
    %D%/kernel_wgrad.h %D%/kernel_wgrad.c \
    %D%/onednn.h %D%/onednn.c
workloads_engine_libengine_la_CFLAGS += $(ONEDNN_CFLAGS)
workloads_engine_libengine_la_LIBADD += $(ONEDNN_LIBS)
endif
