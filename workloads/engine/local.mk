# SPDX-License-Identifier: BSD-3-Clause
# Graph, plan, back ends. OpenMP and the back ends' libraries stay in here.
noinst_LTLIBRARIES += %D%/libengine.la
%C%_libengine_la_SOURCES = \
    %D%/again.c \
    %D%/backend.h \
    %D%/base.c \
    %D%/buckets.h %D%/buckets.c \
    %D%/checkpoint.c \
    %D%/compile.c \
    %D%/engine.h \
    %D%/graph.c \
    %D%/inspect.c \
    %D%/internal.h \
    %D%/loss.h %D%/loss.c \
    %D%/model.c \
    %D%/norm.h %D%/norm.c \
    %D%/operators.c %D%/operators_tokens.c %D%/ops.c \
    %D%/optim.c \
    %D%/place.c \
    %D%/plan.h %D%/plan.c \
    %D%/profile.c %D%/read.c \
    %D%/ref.h %D%/ref.c %D%/ref_tokens.c \
    %D%/rewrite.c \
    %D%/run.c \
    %D%/schedule.h %D%/schedule.c
# Nobody asks errno after sqrtf(): loops with it become vectors.
%C%_libengine_la_CFLAGS = $(AM_CFLAGS) $(OPENMP_CFLAGS) -fno-math-errno
%C%_libengine_la_LIBADD = workloads/libworkloads.la reports/core/libcore.la
EXTRA_DIST += %D%/README.md
if HAVE_ONEDNN
%C%_libengine_la_SOURCES += \
    %D%/cpu/cpu.h %D%/cpu/cpu.c %D%/cpu/cpu_conv.c %D%/cpu/cpu_copy.c %D%/cpu/cpu_dense.c \
    %D%/cpu/cpu_depthwise.c \
    %D%/cpu/cpu_format.c %D%/cpu/cpu_norm.c %D%/cpu/cpu_tokens.c %D%/cpu/cpu_value.c \
    %D%/cpu/cpu_threads.h %D%/cpu/cpu_threads.c \
    %D%/cpu/kernel_act.h %D%/cpu/kernel_lanes.h \
    %D%/cpu/kernel_attention.h %D%/cpu/kernel_attention.c \
    %D%/cpu/kernel_tokens.h %D%/cpu/kernel_tokens.c \
    %D%/cpu/kernel_map.h %D%/cpu/kernel_map.c \
    %D%/cpu/kernel_norm.h %D%/cpu/kernel_norm.c \
    %D%/cpu/kernel_pool.h %D%/cpu/kernel_pool.c \
    %D%/cpu/kernel_cell.h %D%/cpu/kernel_cell.c \
    %D%/cpu/kernel_depthwise.h %D%/cpu/kernel_depthwise.c \
    %D%/cpu/kernel_unfold.h %D%/cpu/kernel_unfold.c \
    %D%/cpu/kernel_wgrad.h %D%/cpu/kernel_wgrad.c \
    %D%/cpu/onednn.h %D%/cpu/onednn.c
%C%_libengine_la_CFLAGS += $(ONEDNN_CFLAGS)
%C%_libengine_la_LIBADD += $(ONEDNN_LIBS)
endif
