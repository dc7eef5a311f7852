/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/agent.h"

int main(int argc, char **argv)
{
    return agent_main(argc, argv);
}
