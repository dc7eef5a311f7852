# SPDX-License-Identifier: BSD-3-Clause
# A workload is one file here and one row in reports/core/workloads.def.
if HAVE_HDF5
noinst_LTLIBRARIES += %D%/libcomponent.la
%C%_libcomponent_la_SOURCES = \
    workloads/workload.h workloads/workload.c \
    %D%/ablate.h %D%/ablate.c %D%/answer.h %D%/answer.c \
    %D%/deeplab.h %D%/deeplab.c \
    %D%/harness.h %D%/harness.c %D%/harness_graphs.c %D%/harness_plan.c \
    %D%/harness_say.h %D%/harness_say.c \
    %D%/forecast.c %D%/forecast_net.h %D%/forecast_net.c \
    %D%/hep.c %D%/hep_net.h %D%/hep_net.c \
    %D%/layers.h %D%/layers.c \
    %D%/net.c \
    %D%/phase_clock.h \
    %D%/propagator.h %D%/propagator.c \
    %D%/resume.h %D%/resume.c \
    %D%/step_profile.h %D%/step_profile.c \
    %D%/tally.h %D%/tally.c \
    %D%/train.h %D%/train.c \
    %D%/train_steps.h %D%/train_steps.c \
    %D%/transport.h %D%/transport.c \
    %D%/unet.h %D%/unet.c \
    %D%/wire.h %D%/wire.c \
    %D%/yardstick.h %D%/yardstick.c \
    %D%/cosmo_convert.h %D%/cosmo_convert.c %D%/cosmoflow.c \
    %D%/deepcam.c \
    %D%/defect.c
%C%_libcomponent_la_LIBADD = workloads/micro/libmicro.la workloads/engine/libengine.la workloads/data/libdata.la
endif
