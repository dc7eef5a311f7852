# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# Up, down and status of the whole. Sourced by cluster.sh.

# ours PID: is that process one of this cluster's? Numbers are reused, so a
# pid file alone proves nothing.
ours() {
    [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null || return 1
    grep -qzxF "HPCAI500_DAEMON_OF=$S" "/proc/$1/environ" 2>/dev/null ||
        tr '\0' ' ' < "/proc/$1/cmdline" 2>/dev/null | grep -qF "$S/"
}

gone() { ! ours "$1"; }
ended() { ! readlink "/proc/$1/exe" >/dev/null 2>&1; }

# end PIDFILE [SIGNAL]: that daemon, and wait until it is gone
end() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && ours "$pid" || return 0
    kill -s "${2:-TERM}" "$pid" 2>/dev/null || return 0
    grace 60 gone "$pid" || { kill -KILL "$pid" 2>/dev/null; grace 20 gone "$pid"; }
}

# members: every process of this cluster: what carries its mark, what lives in
# a node's mount namespace, what a step of it started, and who waits for one.
members() {
    local p pid spaces=' ' n
    for n in "$S"/nodes/*.holder; do
        pid=$(cat "$n" 2>/dev/null) && [ "$n" != "$S/nodes/switch.holder" ] && ours "$pid" &&
            spaces+="$(readlink "/proc/$pid/ns/mnt") "
    done
    spaces=${spaces/"$(readlink /proc/self/ns/mnt)"/}
    for p in /proc/[0-9]*; do
        pid=${p#/proc/}
        [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] && [ "$pid" != "$PPID" ] || continue
        if [[ $spaces == *" $(readlink "$p/ns/mnt" 2>/dev/null) "* ]] || ours_or_task "$pid"; then echo "$pid"; fi
    done
}

ours_or_task() {
    grep -qzxF "HPCAI500_DAEMON_OF=$S" "/proc/$1/environ" 2>/dev/null && return 0
    grep -qzxF "SLURM_CONF=$S/etc/slurm.conf" "/proc/$1/environ" 2>/dev/null || return 1
    grep -qz "^SLURMD_NODENAME=" "/proc/$1/environ" 2>/dev/null ||
        grep -qxE 'srun|salloc|sbatch' "/proc/$1/comm" 2>/dev/null
}

# as SERVICE-USER COMMAND...: drops root for a daemon, or runs it as we are
daemon_as() {
    local user=$1; shift
    if [ "$(id -u)" = 0 ]; then setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"; else "$@"; fi
}

# as_user USER COMMAND...: a job's owner: its own home, this cluster's environment
as_user() {
    local user=$1 home; shift
    [ "$(id -u)" = 0 ] || die "as: only root can become $user"
    home=$S/home/$user
    mkdir -p "$home"; chown "$user:" "$home"
    . "$S/env"; unset HPCAI500_DAEMON_OF
    cd "$home"
    exec setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- \
        env HOME="$home" USER="$user" LOGNAME="$user" "$@"
}

munge_up() {
    local user=munge; [ "$(id -u)" = 0 ] || user=$(id -un)
    mkdir -p "$S/munge"; chmod 755 "$S/munge"
    [ -s "$S/munge/key" ] || (umask 077; head -c 1024 /dev/urandom > "$S/munge/key")
    chown "$user" "$S/munge" "$S/munge/key"
    rm -f "$S/munge/socket"*
    daemon_as "$user" munged --socket="$S/munge/socket" --key-file="$S/munge/key" --pid-file="$S/munge/pid" \
        --log-file="$S/munge/log" --seed-file="$S/munge/seed" 9>&- || die "munged: $(tail -1 "$S/munge/log")"
}

db() { mysql --no-defaults -uroot -S "$S/db/socket" "$@"; }

mariadb_up() {
    local user=mysql auth=socket
    if [ "$(id -u)" != 0 ]; then user=$(id -un); auth=normal; fi
    mkdir -p "$S/db"; chown "$user" "$S/db"
    [ -d "$S/db/data/mysql" ] ||
        mysql_install_db --no-defaults --user="$user" --datadir="$S/db/data" --skip-test-db \
            --auth-root-authentication-method=$auth > "$S/log/mysql-install.log" 2>&1 ||
        die "MariaDB's tables: $(tail -1 "$S/log/mysql-install.log")"
    setsid mariadbd --no-defaults --user="$user" --datadir="$S/db/data" --socket="$S/db/socket" \
        --pid-file="$S/db/pid" --skip-networking --innodb-buffer-pool-size=64M --innodb-log-file-size=16M \
        --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 \
        </dev/null >> "$S/log/mariadb.log" 2>&1 9>&- &
    await 5 db -e 'SELECT 1' || die "MariaDB did not start: $(tail -1 "$S/log/mariadb.log")"
    db -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db;
           CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED BY 'private';
           GRANT ALL ON slurm_acct_db.* TO slurm@localhost"
}

reachable() { (: </dev/tcp/"$control"/"$1") 2>/dev/null; }

# slurmdbd has no option for the database's socket
slurmdbd_start() {
    export SLURM_CONF=$S/etc/slurm.conf
    ! reachable "$port" || return 0
    # nor may it hold files of who started it: bats would wait for it
    MYSQL_UNIX_PORT=$S/db/socket MARIADB_UNIX_PORT=$S/db/socket slurmdbd 3>&- 4>&- 5>&- 9>&-
    await 5 reachable "$port" || die "slurmdbd did not start: $(tail -1 "$S/log/slurmdbd.log")"
}

slurmdbd_stop() {
    local pid; pid=$(cat "$S/ctld/slurmdbd.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || return 0
    await 5 eval "! kill -0 $pid" || die "slurmdbd does not end"
}

slurmctld_start() {
    export SLURM_CONF=$S/etc/slurm.conf
    ! reachable $((port + 1)) || return 0
    slurmctld 3>&- 4>&- 5>&- 9>&- || die "slurmctld: $(tail -1 "$S/log/slurmctld.log")"
    await 5 reachable $((port + 1)) || die "slurmctld did not start: $(tail -1 "$S/log/slurmctld.log")"
}

slurm_up() {
    export SLURM_CONF=$S/etc/slurm.conf
    mkdir -p "$S/ctld"
    if [ "$(id -u)" = 0 ]; then chown -R slurm: "$S/ctld" "$S/log" "$S/etc/slurmdbd.conf"; fi
    slurmdbd_start
    sacctmgr -i add cluster "${name//-/}" >/dev/null 2>&1 || true
    sacctmgr -i add account bench >/dev/null 2>&1 || true
    sacctmgr -i add user "root,nobody,$(id -un)" account=bench >/dev/null 2>&1 || true
    sacctmgr -i modify user "$(id -un)" set adminlevel=admin >/dev/null 2>&1 || true
    slurmctld_start
}

all_idle() { [ "$(SLURM_CONF=$S/etc/slurm.conf sinfo -h -p main -t idle -o %D 2>/dev/null)" = "$nodes" ]; }

needed_programs() {
    local p missing=
    for p in munged mariadbd mysql_install_db mysql slurmdbd slurmctld slurmd sinfo sacctmgr ss setsid setpriv; do
        command -v $p >/dev/null || missing+=" $p"
    done
    [ -z "$missing" ] || die "not found:$missing (contrib/install-deps.sh installs them)"
}

cluster_up() {
    local n
    mode= nodes=4 subnet=none control=127.0.0.1
    while [ $# -gt 0 ]; do
        case $1 in
            -n) nodes=$2; shift 2 ;;
            -m) mode=$2; shift 2 ;;
            *) die "up: unknown word '$1'" ;;
        esac
    done
    [[ $nodes =~ ^[1-9][0-9]{0,2}$ && $nodes -le 250 ]] || die "up: '$nodes' is not a number of nodes from 1 to 250"
    needed_programs
    [ -n "$mode" ] || mode=$(best_mode)
    [[ $mode =~ ^(netns|loop|plain)$ ]] || die "up: mode '$mode' is not netns, loop or plain"
    [[ $S != /tmp/* || $mode == plain ]] || die "the folder must not be under /tmp: each node has a /tmp of its own"
    if [ -f "$S/up" ] && (load; all_up) 2>/dev/null; then say "cluster '$name' is up already"; return 0; fi
    [ ! -e "$S/state.sh" ] || (cluster_down)

    mkdir -p "$S"; [ -O "$S" ] && [ ! -L "$S" ] || die "$S belongs to somebody else"
    mkdir -p "$S"/{etc,log,node/cache,nodes,spool,shared,home,prefix,site}
    chmod 755 "$S" "$S"/{etc,log,node,nodes,home,prefix,spool}; chmod 1777 "$S"/{shared,node/cache}
    [ "$(id -u)" != 0 ] || chown "$(slurm_user):" "$S/site"
    for n in $(node_names); do mkdir -p "$S/nodes/$n"; done
    trap 'trap - EXIT; say "it did not come up; its logs: $S/log"; cluster_down; exit 1' EXIT
    # One at a time looks for free numbers; they are taken when it lets go.
    exec 9< /var/tmp; flock -w 600 9 || die "waited 10 minutes for the lock on /var/tmp"
    pick_ports
    if [ "$mode" = netns ]; then pick_subnet; control=$subnet.254; fi
    save_state; write_slurm_conf; write_reboot; write_env; write_site shared; write_plugstack
    say "starting '$name' in $S: $nodes nodes, mode $mode, ports $port.., network $subnet"
    if [ "$mode" = netns ]; then switch_up; fi
    munge_up; mariadb_up; slurm_up
    nodes_up
    flock -u 9; exec 9>&-
    await 5 all_idle || die "nodes are not idle: $(SLURM_CONF=$S/etc/slurm.conf sinfo -h -N -p main -o '%n=%T' | tr '\n' ' ')"
    trap - EXIT
    touch "$S/up"
    say "cluster '$name' is up"
}

all_up() { grace 5 env SLURM_CONF="$S/etc/slurm.conf" timeout 60 scontrol ping && all_usable; }

# Nodes may be busy; they must answer.
all_usable() {
    [ "$(SLURM_CONF=$S/etc/slurm.conf timeout 60 sinfo -h -N -p main -r -t idle,alloc,mix,comp -o %n | sort -u | wc -l)" = "$nodes" ]
}

cluster_status() {
    local f pid what
    load
    echo "cluster '$name' in $S: mode $mode, control $control:$((port + 1)), network $subnet"
    for f in munge/pid db/pid ctld/slurmdbd.pid ctld/slurmctld.pid $(node_names | sed 's,.*,nodes/&/slurmd.pid,'); do
        pid=$(cat "$S/$f" 2>/dev/null) && [ -n "$pid" ] && ours "$pid" && what="runs, pid $pid" || what="does not run"
        echo "  $f: $what"
    done
    SLURM_CONF=$S/etc/slurm.conf timeout 60 sinfo -p main && all_usable
}

cluster_down() {
    local left f pid try
    [ -d "$S" ] || { say "cluster '$name' is not there"; return 0; }
    mode=plain nodes=0; [ ! -f "$S/state.sh" ] || . "$S/state.sh"
    rm -f "$S/up"
    for f in "$S"/nodes/*/slurmd.pid "$S/ctld/slurmctld.pid" "$S/ctld/slurmdbd.pid" "$S/db/pid" "$S/munge/pid"; do
        end "$f"
    done
    # What is left: steps, their tasks, holders, and parts whose pid file is gone.
    for try in TERM KILL KILL KILL; do
        left=$(members); [ -n "$left" ] || break
        # shellcheck disable=SC2086
        kill -s $try $left 2>/dev/null || true
        for pid in $left; do grace 3 ended "$pid" || true; done
    done
    rm -f "$S"/nodes/*.holder "$S"/nodes/*.ready
    left=$(members); [ -z "$left" ] || die "still running: $left"
    if [ "${1-}" = --wipe ]; then rm -rf "$S"; say "cluster '$name' is stopped and removed"
    else say "cluster '$name' is stopped"; fi
}
