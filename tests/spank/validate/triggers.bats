#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What nodes have of a validation: RebootProgram's first word, the health check, NHC's.

setup() {
    cd "$BATS_TEST_TMPDIR"
    there=$top_srcdir/spank/validate
    export HPCAI500_STATE=$PWD/state HPCAI500_ROOT=$PWD/root HPCAI500_RUN=$PWD/run HPCAI500_INVENTORY=$PWD/inventory
    printf '#!/bin/sh\necho "rebooted $*"\n' > site-reboot; chmod 755 site-reboot
}

# a node of four processors, 503 GiB, two NUMA nodes, one link, one GPU
node() {
    mkdir -p root/proc/sys/kernel/random root/sys/devices/system/node/node{0,1} root/sys/bus/pci/devices/{a,b} \
        root/sys/devices/system/cpu/cpu{0,1}/cpufreq root/sys/devices/system/clocksource/clocksource0 \
        root/sys/class/infiniband/mlx5_0/ports/1 root/sys/devices/system/edac/mc/mc0
    for i in 0 1 2 3; do printf 'processor\t: %s\nmicrocode\t: 0xa0011d1\n\n' $i; done > root/proc/cpuinfo
    echo "MemTotal:       527947036 kB" > root/proc/meminfo
    echo 0b8c1c62-9f2b-4d3c-8b61-5d1f5a7f6f1e > root/proc/sys/kernel/random/boot_id
    echo performance | tee root/sys/devices/system/cpu/cpu{0,1}/cpufreq/scaling_governor > /dev/null
    echo tsc > root/sys/devices/system/clocksource/clocksource0/current_clocksource
    echo "200 Gb/sec (4X HDR)" > root/sys/class/infiniband/mlx5_0/ports/1/rate
    echo 0x030200 > root/sys/bus/pci/devices/a/class; echo 0x020700 > root/sys/bus/pci/devices/b/class
    echo 0 | tee root/sys/devices/system/edac/mc/mc0/{u,c}e_count > /dev/null
}

# says VERDICT [REASON]: the health check's line, and its file
says() {
    run "$there/health"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "$(uname -n): $1${2:+: $2}" ]
    [ "$(jq -r '[.node, .verdict, .reason, .boot_id] | join("|")' run/node.json)" = \
        "$(uname -n)|$1|${2-}|$(cat root/proc/sys/kernel/random/boot_id)" ]
}

@test "the reboot hook notes the reboot and becomes the site's own" {
    before=$(date +%s)
    run "$there/reboot" "$PWD/site-reboot" -f now
    echo "$output"; [ "$status" -eq 0 ]; [ "$output" = "rebooted -f now" ]
    read -r time boot < state/reboot-asked
    [ "$time" -ge "$before" ]; [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ]
    # through a link that somebody has put there root writes nothing elsewhere
    echo precious > elsewhere; ln -s "$PWD/elsewhere" state/reboot-asked.new
    run "$there/reboot" "$PWD/site-reboot"
    [ "$(cat elsewhere)" = precious ]; [ ! -L state/reboot-asked ]
    # with node features the first word gets them, and the site's own must too
    HPCAI500_REBOOT=$PWD/site-reboot run "$there/reboot" knl,flat
    [ "$output" = "rebooted knl,flat" ]
    # what cannot be noted does not keep a node from rebooting
    HPCAI500_STATE=/proc/nowhere run "$there/reboot" "$PWD/site-reboot"
    [ "$status" -eq 0 ]; [ "$output" = "rebooted " ]
}

@test "the health check says what is not as it was approved" {
    node
    says INCONCLUSIVE "no inventory is approved"
    "$there/health" --inventory > inventory
    cat inventory
    [ "$(sort inventory | tr '\n' ' ')" = "clock_source=tsc cpus=4 governor=performance gpus=1 \
link_mlx5_0_1=200_Gb_sec_4X_HDR_ memory_gib=503 microcode=0xa0011d1 numa_nodes=2 " ]
    says GOOD
    echo "MemTotal:       520947036 kB" > root/proc/meminfo # another kernel keeps more for itself
    says GOOD
    echo "MemTotal:       494392860 kB" > root/proc/meminfo # a module is gone
    echo powersave > root/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor
    says FAULTY "memory_gib is 471, approved 503; governor is performance+powersave, approved performance"
    node
    echo "100 Gb/sec (2X HDR)" > root/sys/class/infiniband/mlx5_0/ports/1/rate
    says FAULTY "link_mlx5_0_1 is 100_Gb_sec_2X_HDR_, approved 200_Gb_sec_4X_HDR_"
    rm -r root/sys/class/infiniband
    says UNKNOWN "?link_mlx5_0_1 cannot be read"
    node
    echo 3 > root/sys/devices/system/edac/mc/mc0/ce_count
    says SUSPECT "3 corrected memory errors"
    echo 1 > root/sys/devices/system/edac/mc/mc0/ue_count
    says FAULTY "1 uncorrected memory errors"
}

@test "the health check never fails and never waits, on any machine" {
    HPCAI500_RUN=/proc/nowhere HPCAI500_ROOT=$PWD/empty run "$there/health"
    [ "$status" -eq 0 ]; [[ $output == *": INCONCLUSIVE: no inventory is approved" ]]
    unset HPCAI500_ROOT
    "$there/health" --inventory > inventory
    run "$there/health"
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(jq -r .boot_id run/node.json)" = "$(cat /proc/sys/kernel/random/boot_id)" ]
    run "$there/health" --nonsense
    [ "$status" -eq 0 ]
}

@test "NHC's check reads what the health check left" {
    export HPCAI500_NODE_FILE=$PWD/run/node.json
    die() { echo "ERROR: $2"; return "$1"; }
    # shellcheck disable=SC1091
    . "$top_srcdir/contrib/check_hpcai500.nhc"
    run check_hpcai500 -a 30 -b # nothing is installed here
    [ "$status" -eq 0 ]
    mkdir run
    left() { printf '{"hpcai500":"health 1","node":"n1","verdict":"%s","reason":"","boot_id":"%s","time":%s}\n' "$1" \
        "${2:-$(cat /proc/sys/kernel/random/boot_id)}" "${3:-$(date +%s)}" > run/node.json; }
    for verdict in GOOD SUSPECT UNKNOWN INCONCLUSIVE; do left $verdict; check_hpcai500 -a 30 -b; done
    left FAULTY
    run check_hpcai500
    [ "$status" -eq 1 ]; [ "$output" = "ERROR: check_hpcai500: the node is FAULTY: see $PWD/run/node.json" ]
    left GOOD 00000000-0000-0000-0000-000000000000
    check_hpcai500 -a 30
    run check_hpcai500 -b
    [ "$status" -eq 1 ]; [[ $output == *"not looked at since it booted" ]]
    left GOOD "" $(($(date +%s) - 31 * 86400))
    check_hpcai500 -a 32
    run check_hpcai500 -a 30
    [ "$status" -eq 1 ]; [[ $output == *"not looked at for more than 30 days" ]]
    run check_hpcai500 --nonsense
    [ "$status" -eq 1 ]
    # no word that hpcai500 would take for a reason of its own
    left SLOW
    run check_hpcai500
    [[ $output != "hpcai500"* ]]
}
