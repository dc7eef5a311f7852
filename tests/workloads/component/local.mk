# SPDX-License-Identifier: BSD-3-Clause
if BUILD_TESTS
if HAVE_HDF5
tests_component_programs = %D%/test_cosmo_convert %D%/test_cosmoflow %D%/test_deepcam %D%/test_deeplab %D%/test_defect %D%/test_forecast %D%/test_hep \
    %D%/test_hep_net %D%/test_step_profile %D%/test_steps_scale %D%/test_thinning %D%/test_train %D%/test_transport %D%/test_unet %D%/test_wire %D%/test_yardstick
check_PROGRAMS += $(tests_component_programs)
TESTS += $(tests_component_programs)

%C%_test_cosmo_convert_SOURCES = %D%/test_cosmo_convert.c
%C%_test_cosmo_convert_CFLAGS = $(tests_data_cflags)
%C%_test_cosmo_convert_LDADD = workloads/component/libcomponent.la $(tests_data_ldadd)

if BUILD_AGENT
if BUILD_GENERATOR
# A workload that is one file in component/, one in generate/, one table and one
# row in each .def, and nothing else: built, generated, trained, recorded. The
# agent and the generator are those of the tree, with these tables in the place of
# its own.
nothing_cppflags = $(AM_CPPFLAGS) \
    -DRUNSPEC_WORKLOADS='"tests/workloads/component/nothing/workloads.def"' \
    -DSCIENCES='"tests/workloads/component/nothing/sciences.def"'
nothing_tables = reports/core/runspec_table.c workloads/data/science.c %D%/nothing/science_nothing.c
check_PROGRAMS += %D%/agent-nothing %D%/generate-nothing
%C%_agent_nothing_SOURCES = agent/main.c workloads/workload.c $(nothing_tables) %D%/nothing/nothing.c
%C%_agent_nothing_CPPFLAGS = $(nothing_cppflags)
%C%_agent_nothing_LDADD = agent/libagent.la workloads/component/libcomponent.la
%C%_generate_nothing_SOURCES = workloads/generate/gen_main.c workloads/generate/generators.c \
    $(nothing_tables) %D%/nothing/generate_nothing.c
%C%_generate_nothing_CPPFLAGS = $(nothing_cppflags)
%C%_generate_nothing_CFLAGS = $(AM_CFLAGS) $(HDF5_CFLAGS)
%C%_generate_nothing_LDADD = reports/core/libmain.la workloads/generate/libgenerate.la \
    reports/core/libcore.la
TESTS += %D%/nothing.bats %D%/cosmoflow.bats
check_PROGRAMS += %D%/answers
%C%_answers_SOURCES = %D%/answers.c
%C%_answers_LDADD = workloads/component/libcomponent.la
TESTS += %D%/answer.bats
endif
endif
dist_check_SCRIPTS += %D%/answer.bats %D%/nothing.bats %D%/cosmoflow.bats
EXTRA_DIST += %D%/nothing/workloads.def %D%/nothing/sciences.def

%C%_test_step_profile_SOURCES = %D%/test_step_profile.c
%C%_test_step_profile_LDADD = workloads/component/libcomponent.la $(tests_data_ldadd)

%C%_test_yardstick_SOURCES = %D%/test_yardstick.c
%C%_test_yardstick_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_yardstick_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_hep_SOURCES = %D%/test_hep.c
%C%_test_hep_CFLAGS = $(tests_data_cflags)
%C%_test_hep_LDADD = workloads/component/libcomponent.la $(tests_data_ldadd)
%C%_test_hep_net_SOURCES = %D%/test_hep_net.c
%C%_test_hep_net_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_hep_net_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_steps_scale_SOURCES = %D%/test_steps_scale.c
%C%_test_steps_scale_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_steps_scale_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_train_SOURCES = %D%/test_train.c
%C%_test_train_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_train_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_thinning_SOURCES = %D%/test_thinning.c
%C%_test_thinning_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_thinning_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_transport_SOURCES = %D%/test_transport.c
%C%_test_transport_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_transport_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_wire_SOURCES = %D%/test_wire.c
%C%_test_wire_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_wire_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_cosmoflow_SOURCES = %D%/test_cosmoflow.c
%C%_test_cosmoflow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_cosmoflow_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_deepcam_SOURCES = %D%/test_deepcam.c
%C%_test_deepcam_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_deepcam_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_deeplab_SOURCES = %D%/learn.h %D%/test_deeplab.c
%C%_test_deeplab_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_deeplab_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_forecast_SOURCES = %D%/test_forecast.c
%C%_test_forecast_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_forecast_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

%C%_test_defect_SOURCES = %D%/test_defect.c
%C%_test_defect_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_defect_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)

if HAVE_ONEDNN
check_PROGRAMS += %D%/test_plans
TESTS += %D%/test_plans
%C%_test_plans_SOURCES = %D%/test_plans.c
%C%_test_plans_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_plans_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)
endif

check_PROGRAMS += %D%/twin_losses
%C%_twin_losses_SOURCES = %D%/twin_losses.c
%C%_twin_losses_LDADD = workloads/component/libcomponent.la
TESTS += %D%/deepcam_torch.bats %D%/deeplab_torch.bats %D%/defect_torch.bats %D%/forecast_torch.bats %D%/hep_torch.bats
EXTRA_DIST += %D%/twins.bash
dist_check_SCRIPTS += %D%/deepcam_torch.bats %D%/deeplab_torch.bats %D%/defect_torch.bats %D%/forecast_torch.bats %D%/hep_torch.bats

%C%_test_unet_SOURCES = %D%/learn.h %D%/test_unet.c
%C%_test_unet_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
%C%_test_unet_LDADD = workloads/component/libcomponent.la $(CMOCKA_LIBS)
endif
endif
