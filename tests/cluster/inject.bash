# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# Faults whose name is known, done to nodes of the private cluster that $S, $lab and
# $HPCAI500_CLUSTER name ($top or $top_srcdir is the tree); what is done here is undone by
# end_all. Sourced by tests of tests/cluster and by contrib/evidence.

# slow_wire NODE RATE: what the node sends is held to that rate; little passes free, so
# that a message of any size meets it
slow_wire() { "$lab" exec "$1" tc qdisc add dev eth0 root tbf rate "$2" burst 64kb latency 50ms; }

# late_wire NODE MICROSECONDS: what the node sends is on its way so much longer; the program
# that holds it (late.c) takes bandwidth, too
late_wire() {
    local pid=$S/nodes/$1/late.pid
    [ -x "$S/shared/late" ] ||
        cc -O2 -D_GNU_SOURCE -I"${top_builddir:-$S/build}" -o "$S/shared/late" "${top_srcdir:-$top}/tests/cluster/late.c" || return 1
    rm -f "$pid"
    "$lab" exec "$1" "$S/shared/late" late0 eth0 "$2" "$pid" < /dev/null > /dev/null 2>> "$S/log/late.log" 3>&- 4>&- &
    await 1 test -s "$pid" && "$lab" exec "$1" tc qdisc add dev eth0 clsact &&
        "$lab" exec "$1" tc filter add dev eth0 egress u32 match u32 0 0 action mirred egress redirect dev late0
}

# lossy_wire NODE PERCENT: of what arrives there so much is lost, at random (a classic BPF
# program: random > limit: TC_ACT_SHOT, else TC_ACT_UNSPEC)
lossy_wire() {
    "$lab" exec "$1" tc qdisc add dev eth0 clsact &&
        "$lab" exec "$1" tc filter add dev eth0 ingress bpf da bytecode \
            "4,32 0 0 4294963256,37 0 1 $(((100 - $2) * 42949672)),6 0 0 2,6 0 0 4294967295"
}

end_wire() {
    "$lab" exec "$1" tc qdisc del dev eth0 root 2> /dev/null || true
    "$lab" exec "$1" tc qdisc del dev eth0 clsact 2> /dev/null || true
    [ ! -s "$S/nodes/$1/late.pid" ] || kill "$(cat "$S/nodes/$1/late.pid")" 2> /dev/null || true
    rm -f "$S/nodes/$1/late.pid"
}

# can_hold CONTROLLER: is there a cgroup v1 of it here?
can_hold() { [ -e "/sys/fs/cgroup/$1/cgroup.procs" ]; }

# hold NODE CONTROLLER FILE VALUE...: its slurmd, and so its steps, in a group of their own
# with these values; false when the kernel does not take one
hold() {
    local group=/sys/fs/cgroup/$2/hpcai500-$HPCAI500_CLUSTER-$1 pid; pid=$(cat "$S/nodes/$1/slurmd.pid")
    mkdir -p "$group"
    while [ $# -gt 3 ]; do
        echo "$4" > "$group/$3" || return 1
        set -- "$1" "$2" "${@:5}"
    done
    echo "$pid" > "$group/cgroup.procs"
}

# slow_cpu NODE PERCENT: all of its threads together have so much of one processor. The
# period is short, so that no step and no piece of a benchmark is shorter.
slow_cpu() { hold "$1" cpu cpu.cfs_period_us 10000 cpu.cfs_quota_us $(($2 * 100)); }

# stutter NODE: 5 % of the time nothing of it runs, a millisecond in twenty: what is longer
# than that loses little, what is shorter has a tail
stutter() { hold "$1" cpu cpu.cfs_period_us 20000 cpu.cfs_quota_us $((950 * 20 * $(nproc))); }

# fewer_cores NODE: what is started there has one processor, the first of ours
own_cores() { taskset -cp $$ | sed 's/.*: //'; }
fewer_cores() { taskset -acp "$(own_cores | sed 's/[,-].*//')" "$(cat "$S/nodes/$1/slurmd.pid")" > /dev/null; }
end_cores() { taskset -acp "$(own_cores)" "$(cat "$S/nodes/$1/slurmd.pid" 2> /dev/null)" > /dev/null 2>&1 || true; }

# worn_disk NODE: it writes 20 MB/s, and reads 4 MB/s, which is a thousand pages
worn_disk() {
    local disk; disk=$(stat -c %Hd:%Ld "$S/nodes/$1/tmp")
    hold "$1" blkio blkio.throttle.write_bps_device "$disk 20000000" blkio.throttle.read_bps_device "$disk 4000000"
}

# full_disk NODE: its /tmp is a file system of 32 MiB
full_disk() {
    local image=$S/nodes/$1/full.img
    truncate -s 32M "$image" && mkfs.ext4 -q -F "$image" && "$lab" exec "$1" mount -o loop "$image" /tmp &&
        "$lab" exec "$1" chmod 1777 /tmp
}
end_full() {
    [ ! -e "$S/nodes/$1/full.img" ] || "$lab" exec "$1" umount -l /tmp || true
    rm -f "$S/nodes/$1/full.img"
}

# can_freeze NODE: what it runs can be stopped at once, by freeze NODE
can_freeze() { hold "$1" freezer freezer.state THAWED; }
freeze() { echo FROZEN > "/sys/fs/cgroup/freezer/hpcai500-$HPCAI500_CLUSTER-$1/freezer.state"; }

# slow_disk NODE BYTES: a second that it reads from the disk that holds its cache
slow_disk() { hold "$1" blkio blkio.throttle.read_bps_device "$(stat -c %Hd:%Ld "$S/nodes/$1/cache") $2"; }

# little_memory NODE BYTES: that all of its processes and the files that they read may have
little_memory() { hold "$1" memory memory.limit_in_bytes "$2"; }

let_go() {
    local group
    for group in /sys/fs/cgroup/*/"hpcai500-$HPCAI500_CLUSTER-$1"; do
        [ -d "$group" ] || continue
        [ ! -e "$group/freezer.state" ] || echo THAWED > "$group/freezer.state"
        cat "$S/nodes/$1/slurmd.pid" > "${group%/*}/cgroup.procs"
        await 2 rmdir "$group" # a step's last process may be on its way out
    done
}

# chill FOLDER...: until end_chill what is read there comes from the disk, not from memory;
# chill_once: what will be read next
chill() {
    sync -f "$@"
    forget 0.1 "$@" 3>&- 4>&- &
    chiller=$!
}
chill_once() { sync -f "$@" && (forget 0 "$@"); }
# forget EVERY FOLDER...: every so many seconds; 0: once
forget() {
    exec /usr/bin/python3 -c '
import os, sys, time
every = float(sys.argv[1])
files = [os.open(os.path.join(d, f), os.O_RDONLY)
         for top in sys.argv[2:] for d, _, names in os.walk(top) for f in names if f.endswith(".h5") or f.endswith(".hdf5")]
if not files:
    sys.exit("nothing to read in " + " ".join(sys.argv[2:]))
while True:
    for f in files:
        os.posix_fadvise(f, 0, 0, os.POSIX_FADV_DONTNEED)
    if not every:
        break
    time.sleep(every)' "$@"
}
end_chill() { [ -z "${chiller-}" ] || { kill "$chiller" && wait "$chiller" || true; chiller=; } 2> /dev/null; }

# end_all NODE...: as if nothing had been done
end_all() {
    local n
    end_chill
    for n in "$@"; do end_wire "$n"; let_go "$n"; end_cores "$n"; end_full "$n"; done
}
