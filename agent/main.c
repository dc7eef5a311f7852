/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/out.h"
#include "agent/agent.h"

int main(int argc, char **argv)
{
    out_guard("hpcai500-agent");
    return agent_main(argc, argv);
}
