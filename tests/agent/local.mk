# SPDX-License-Identifier: BSD-3-Clause
# The agent and its ranks, by mpirun on this host.
if BUILD_AGENT
check_PROGRAMS += tests/agent/ranks tests/agent/agent-fake
tests_agent_ranks_SOURCES = %D%/ranks.c workloads/component/transport.c workloads/component/wire.c
tests_agent_ranks_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS)
tests_agent_ranks_LDADD = agent/libagent.la workloads/engine/libengine.la \
    reports/core/libcore.la $(MPI_LIBS)
# The agent with a workload of the tests in the place of cosmoflow.
tests_agent_agent_fake_SOURCES = agent/main.c %D%/fake.c
tests_agent_agent_fake_LDADD = agent/libagent.la
# The same with a suite of three.
check_PROGRAMS += tests/agent/agent-two
tests_agent_agent_two_SOURCES = agent/main.c %D%/fake.c %D%/two.c
tests_agent_agent_two_LDADD = agent/libagent.la
# The agent with a wrong bit in what the library computes.
if HAVE_ONEDNN
check_PROGRAMS += tests/agent/agent-flip
tests_agent_agent_flip_SOURCES = agent/main.c %D%/flip.c
tests_agent_agent_flip_LDADD = agent/libagent.la workloads/component/libcomponent.la
tests_agent_agent_flip_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=dnn_run
endif
TESTS += tests/agent/operators.bats
TESTS += tests/agent/comm.bats tests/agent/agent.bats tests/agent/rcp.bats tests/agent/micro.bats \
    tests/agent/validate.bats
if HAVE_CJSON
# also where only this folder's programs are made (contrib/test.sh mpich)
tests/agent/validate.log: tests/workloads/node/hpcai500-node-test$(EXEEXT)
endif
if BUILD_TESTS
check_PROGRAMS += tests/agent/test_job tests/agent/test_scale
TESTS += tests/agent/test_job tests/agent/test_scale
tests_agent_test_scale_SOURCES = %D%/test_scale.c %D%/fake.c
tests_agent_test_scale_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_scale_LDADD = agent/libagent.la workloads/engine/libengine.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/agent/test_why
TESTS += tests/agent/test_why
tests_agent_test_why_SOURCES = %D%/test_why.c
tests_agent_test_why_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_why_LDADD = agent/libagent.la $(CMOCKA_LIBS)
tests_agent_test_job_SOURCES = %D%/test_job.c
tests_agent_test_job_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_job_LDADD = agent/libagent.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/agent/test_energy
TESTS += tests/agent/test_energy
tests_agent_test_energy_SOURCES = %D%/test_energy.c
tests_agent_test_energy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_energy_LDADD = agent/libagent.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/agent/test_plan
TESTS += tests/agent/test_plan
tests_agent_test_plan_SOURCES = %D%/test_plan.c %D%/fake.c
tests_agent_test_plan_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_plan_LDADD = agent/libagent.la workloads/engine/libengine.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/agent/test_network
TESTS += tests/agent/test_network
tests_agent_test_network_SOURCES = %D%/test_network.c
tests_agent_test_network_CFLAGS = $(AM_CFLAGS) $(MPI_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_network_LDADD = agent/micro/libnetwork.la $(CMOCKA_LIBS)
check_PROGRAMS += tests/agent/test_memory
TESTS += tests/agent/test_memory
tests_agent_test_memory_SOURCES = %D%/test_memory.c
tests_agent_test_memory_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_agent_test_memory_LDADD = agent/libagent.la $(CMOCKA_LIBS)
endif
endif
dist_check_SCRIPTS += %D%/comm.bats %D%/agent.bats %D%/rcp.bats %D%/micro.bats %D%/operators.bats %D%/validate.bats
EXTRA_DIST += %D%/mpi.bash %D%/terminal.py %D%/two_workloads.def
