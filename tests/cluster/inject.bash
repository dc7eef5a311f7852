# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# Faults whose name is known, done to nodes of the private cluster that $S, $lab and
# $HPCAI500_CLUSTER name; what is done here is undone by end_all. Sourced by tests of
# tests/cluster and by contrib/evidence.

# slow_wire NODE RATE: what the node sends is held to that rate; little passes free, so
# that a message of any size meets it
slow_wire() { "$lab" exec "$1" tc qdisc add dev eth0 root tbf rate "$2" burst 64kb latency 50ms; }
end_wire() { "$lab" exec "$1" tc qdisc del dev eth0 root 2> /dev/null || true; }

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

# slow_disk NODE BYTES: a second that it reads from the disk that holds its cache
slow_disk() { hold "$1" blkio blkio.throttle.read_bps_device "$(stat -c %Hd:%Ld "$S/nodes/$1/cache") $2"; }

# little_memory NODE BYTES: that all of its processes and the files that they read may have
little_memory() { hold "$1" memory memory.limit_in_bytes "$2"; }

let_go() {
    local group
    for group in /sys/fs/cgroup/*/"hpcai500-$HPCAI500_CLUSTER-$1"; do
        [ -d "$group" ] || continue
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
    for n in "$@"; do end_wire "$n"; let_go "$n"; done
}
