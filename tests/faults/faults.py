#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
faults.py [CASE...] [--every K] [--most N]: breaks a writer at its system calls.

The writer runs once under strace, which counts the system calls from the
first one that touches its folder on. Then, each time from a fresh folder, it

  kill    is killed at the n-th call, for each call (of those that change
          nothing every K-th);
  error   is told ENOSPC, EIO or EDQUOT by the n-th call that writes, syncs,
          makes, renames or removes;
          of the cases of the socket also what a network does (NETWORK);
  torn    is killed in the middle of the n-th write or send (shim.c);
  room    finds the device full after so many bytes (shim.c);
  short   has every write, send and receive cut to 7 bytes (shim.c).

After each: nothing half-written stands under a final name, what was accepted
is there, a failure is one sentence and its exit code; then it runs again,
undisturbed, and all is there once, with no leftover. --most N takes N of
the faults, evenly. One line of counts per case; exit 1 when anything did not hold, 77 when nothing may be traced here.
"""
import argparse
import collections
import concurrent.futures
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zlib

BUILD = os.environ.get("top_builddir", "build")
ONCE = BUILD + "/tests/faults/once"
SHIM = BUILD + "/tests/faults/.libs/shim.so"
LIMIT = 120  # seconds of one run, on a slow machine

ERRORS = ("ENOSPC", "EIO", "EDQUOT")
CAN_FAIL = set("write pwrite64 writev pwritev openat open creat mkdir mkdirat rename renameat "
               "renameat2 link linkat unlink unlinkat rmdir fsync fdatasync ftruncate fallocate "
               "fchown fchmod fchownat fchmodat close sendfile copy_file_range".split())
# What a network does, to calls on sockets.
NETWORK = {"socket": ("EMFILE", "ENOBUFS"), "setsockopt": ("ENOPROTOOPT",), "bind": ("EADDRINUSE",),
           "listen": ("EADDRINUSE",), "connect": ("ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH"),
           "accept4": ("ECONNABORTED", "EMFILE", "EINTR"), "poll": ("EINTR", "ENOMEM"),
           "sendto": ("ECONNRESET", "EPIPE", "EINTR", "ENOBUFS"), "recvfrom": ("ECONNRESET", "EINTR"),
           "shutdown": ("ENOTCONN",), "fcntl": ("ENOLCK",)}
# What leaves the disk as it was: a death there is the death at the next call that does not.
CHANGES = CAN_FAIL - {"close"} | {"mount", "umount2", "sendto", "connect", "socket", "fcntl"}


class Missed(Exception):
    """The call that was to fail did not come."""


class Broken(Exception):
    pass


def must(holds, *what):
    if not holds:
        raise Broken(" ".join(str(w) for w in what))


def run(argv, env=None, shim=None):
    env = dict(os.environ, LC_ALL="C", **(env or {}))
    if shim:
        env.update(shim, LD_PRELOAD=SHIM)
    p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=LIMIT)
    return p.returncode, p.stderr.decode("utf-8", "replace"), p.stdout.decode("utf-8", "replace")


def files(d, pattern="*"):
    return sorted(glob.glob(d + "/" + pattern))


def database(d):
    return [f for f in files(d, "history.sqlite*") if os.path.isfile(f)]


def hidden(d):
    return [os.path.join(a, n) for a, _, names in os.walk(d) for n in names if n.startswith(".")]


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def whole_record(path):
    """A record that can be read, and whose file of ranks is the one it means."""
    with open(path) as f:
        r = json.load(f)
    must(r["schema"] == "hpcai500/record", path, "is not a record")
    ranks = r.get("ranks_file")
    if ranks:
        beside = os.path.join(os.path.dirname(path), ranks["name"])
        must(sha256(beside) == ranks["sha256"], beside, "is not the file that the record means")
        json.loads(gzip.open(beside).read() if beside.endswith(".gz") else open(beside).read())
    return r


# ---- the writers ----

class Case:
    """begun: a death after this call (name, its number) must lose nothing."""
    root = False
    program = "once: "
    fails = (3,)
    lines = 1
    begun = None
    built = None  # the program, when it is copied first
    spared = None  # calls that are not told errors
    network = {}

    def go(self, d, argv, env, shim=None):
        """Runs the writer, or what traces it, to its end."""
        return run(argv, env, shim)

    def gone(self, d):
        """The folder goes: so does what serves it."""

    def setup(self, d):
        pass

    def argv(self, d):
        return [ONCE, self.name, d]

    def again(self, d):
        return run(self.argv(d), self.environment(d))

    def environment(self, d):
        return {}

    def after(self, d, accepted):
        """After a death or a failure."""

    def done(self, d):
        """After a run that was not disturbed."""

    def complete(self, d):
        """After exit code 0, however disturbed."""
        self.done(d)


class Record(Case):
    name = "record"
    id = "lab-4711.0.3"
    ranks_files = (1,)

    def after(self, d, accepted):
        for path in files(d, "*.json"):
            whole_record(path)

    def again(self, d):
        if os.path.exists(d + "/" + self.id + ".json"):  # never replaced
            rc, err, _ = run(self.argv(d))
            must(rc == 3 and "exists already" in err, "a second record:", rc, err)
            return 0, "", ""
        return Case.again(self, d)

    def done(self, d):
        must(len(files(d, "*.json")) == 1, "records:", os.listdir(d))
        whole_record(d + "/" + self.id + ".json")
        must(len(files(d, "*.ranks*")) in self.ranks_files, "files of ranks:", os.listdir(d))
        must(not hidden(d), "leftovers:", hidden(d))


class Run(Record):
    """Rank 0 from its journal to its record: one of them is always there."""
    name = "run"
    lines = 2
    begun = ("fdatasync", 1)
    ranks_files = (0, 1, 2)  # what died may leave one, whole, that no record means

    def after(self, d, accepted):
        Record.after(self, d, accepted)
        journals = files(d, "*.journal/*")
        if accepted:
            must(files(d, "*.json") or any(os.path.getsize(j) > 100 for j in journals),
                 "neither record nor journal")
        if files(d, "*.json") or not any(os.path.getsize(j) > 100 for j in journals):
            return
        with tempfile.TemporaryDirectory() as other:
            rc, err, _ = run([BUILD + "/reports/tools/hpcai500-recover", d + "/" + self.id + ".journal",
                              other])
            must(rc == 0 or not accepted, "recover:", rc, err)
            if rc == 0:
                must(whole_record(files(other, "*.json")[0])["status"] != "complete",
                     "a partial record says complete")

    def again(self, d):
        """The collector's way: what there is, and else the journal."""
        if not files(d, "*.json") and files(d, "*.journal/*"):
            folder = d + "/" + self.id + ".journal"
            rc, err, out = run([BUILD + "/reports/tools/hpcai500-recover", folder])
            if rc == 0:
                shutil.rmtree(folder)
                return rc, err, out
        shutil.rmtree(d + "/" + self.id + ".journal", ignore_errors=True)
        return Record.again(self, d) if files(d, "*.json") else run([ONCE, "record", d])


class Recover(Record):
    name = "recover"
    program = "hpcai500 recover: "

    def setup(self, d):
        run([ONCE, "run", d], shim={"HPCAI500_FAULT": "torn 5"})
        must(files(d, "*.journal/*"), "no journal to recover")

    def argv(self, d):
        return [BUILD + "/reports/tools/hpcai500-recover", d + "/" + self.id + ".journal", d]

    def after(self, d, accepted):
        Record.after(self, d, accepted)
        must(files(d, "*.journal/*"), "the journal is gone")


def archived(d):
    return [f for f in files(d, "archive/2026/11/22/*.json.gz") if ".ranks." not in f and ".steps." not in f]


def archived_version(d):
    """1, 2, or 0 when there is none, and nothing else."""
    if not archived(d):
        return 0
    return len(json.loads(gzip.open(archived(d)[0]).read())["workloads"][0]["epochs"]) - 1


class Archive(Case):
    name = "archive"

    def setup(self, d):
        os.mkdir(d + "/archive")
        rc, err, _ = run([ONCE, "first", d])
        must(rc == 0 and archived_version(d) == 1, "first version:", rc, err)

    def after(self, d, accepted):
        must(archived_version(d) in (1, 2), "neither the old nor the new version")
        witness = open(files(d, "archive/2026/11/22/*.witness")[0]).read()
        must(witness in ("MUNGE:one:\n", "MUNGE:two:\n"), "half a witness")
        must(archived_version(d) == 1 or witness == "MUNGE:two:\n", "the record came first")
        ranks = open(files(d, "archive/2026/11/22/*.ranks.json.gz")[0]).read()
        must(ranks in ("ranks one", "ranks two"), "half a file of what is per rank")
        must(archived_version(d) == 1 or ranks == "ranks two", "the record came before its ranks")
        steps = open(files(d, "archive/2026/11/22/*.steps.gz")[0]).read()
        must(steps in ("steps one", "steps two"), "half a file of steps")
        must(archived_version(d) == 1 or steps == "steps two", "the record came before its steps")

    def done(self, d):
        must(archived_version(d) == 2, "version", archived_version(d))
        must(len(files(d, "archive/*/*/*/*")) == 4 and not hidden(d), "leftovers:", hidden(d))


class ArchiveNew(Archive):
    """Into an archive without a folder."""
    name = "archive-new"

    def argv(self, d):
        return [ONCE, "archive", d]

    def setup(self, d):
        os.mkdir(d + "/archive")

    def after(self, d, accepted):
        must(archived_version(d) in (0, 2), "half a version")


class History(Case):
    name = "history"

    def setup(self, d):
        os.mkdir(d + "/archive")

    def after(self, d, accepted):
        path = d + "/history.sqlite"
        if archived(d):
            archived_version(d)
        if not os.path.exists(path) or os.path.getsize(path) == 0:
            return
        with tempfile.TemporaryDirectory() as other:  # reading would roll the log back
            for f in database(d):
                shutil.copy(f, other)
            runs, outbox = self.rows(other)
        must(runs == outbox and runs <= 1, "runs", runs, "texts that wait", outbox)
        must(runs == 0 or archived_version(d) == 2, "a run without its record")

    @staticmethod
    def rows(d):
        db = sqlite3.connect(d + "/history.sqlite")
        try:
            ok = db.execute("PRAGMA integrity_check").fetchone()[0]
            must(ok == "ok", "integrity:", ok)
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'run'").fetchone():
                return 0, 0
            return tuple(db.execute("SELECT count(*) FROM " + t).fetchone()[0]
                         for t in ("run", "outbox"))
        finally:
            db.close()

    def done(self, d):
        must(self.rows(d) == (1, 1), "runs and texts that wait:", self.rows(d))
        must(archived_version(d) == 2, "version", archived_version(d))
        must(len(files(d, "archive/*/*/*/*")) == 2 and not hidden(d), "leftovers:", hidden(d))


class Munge:
    """A munged of our own."""

    def __init__(self, d):
        self.top = d
        self.lock = threading.Lock()
        self.socket = d + "/munge/s"
        os.mkdir(d + "/munge", 0o755)
        with open(d + "/munge/key", "wb") as f:
            f.write(os.urandom(1024))
        os.chmod(d + "/munge/key", 0o600)
        at = ["--%s=%s/munge/%s" % (k, d, v) for k, v in (
            ("key-file", "key"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed"))]
        self.p = subprocess.Popen(["munged", "--foreground", "--force", "--socket=" + self.socket] + at,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            if os.path.exists(self.socket) or self.p.poll() is not None:
                break
            time.sleep(0.1)
        must(os.path.exists(self.socket), "munged does not start")

    def stop(self):
        self.p.terminate()
        self.p.wait()

    def bundles(self, jobs):
        """A folder of bundles of these kinds and jobs, made once, and for all threads."""
        with self.lock:
            made = self.top + "/bundles-" + "-".join(jobs)
            if not os.path.isdir(made):
                os.mkdir(made + ".new")
                for kind, job in jobs.items():
                    rc, err, _ = run([BUILD + "/tests/spank/collect/make_bundles", made + ".new",
                                      self.socket, kind, str(job)])
                    must(rc == 0, "make_bundles:", rc, err)
                os.rename(made + ".new", made)
        return made


MUNGE = None
_crc = []


def crc32c(data):
    if not _crc:
        for i in range(256):
            for _ in range(8):
                i = i >> 1 ^ (0x82F63B78 if i & 1 else 0)
            _crc.append(i)
    c = 0xFFFFFFFF
    for b in data:
        c = _crc[(c ^ b) & 255] ^ c >> 8
    return c ^ 0xFFFFFFFF


def bundle(path):
    """Files of a bundle, which must be whole."""
    with open(path, "rb") as f:
        data = f.read()
    frames, at = [], 0
    while at < len(data):
        n, crc = int(data[at:at + 8], 16), int(data[at + 9:at + 17], 16)
        payload = data[at + 18:at + 18 + n]
        must(len(payload) == n and data[at + 18 + n:at + 19 + n] == b"\n" and
             crc32c(payload) == crc, path, "is torn")
        frames.append(payload)
        at += 19 + n
    must(frames and frames[0].startswith(b"MUNGE:"), path, "has no credential")
    return dict(f.split(b"\0", 1) for f in frames[1:])


class Witness(Case):
    root = True
    program = "hpcai500-witness: "
    fails = (1,)
    FILES = {b"lab-77.0.0.json": b'{"a":"record"}\n', b"lab-77.0.0.ranks.json.gz": b"x" * 5000}

    def environment(self, d):
        return dict(HPCAI500_CONF=d + "/conf", SLURM_JOB_ID="77", SLURM_JOB_UID="65534",
                    SLURMD_NODENAME="n1", SLURM_CLUSTER_NAME="lab", SLURM_JOB_USER="nobody",
                    SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500="cosmoflow")

    def argv(self, d):
        return [BUILD + "/spank/witness/hpcai500-witness", self.verb]

    def witness(self, d, verb, **more):
        return run([BUILD + "/spank/witness/hpcai500-witness", verb], dict(self.environment(d), **more))

    def drop(self, d):
        return d + "/spool/jobs/n1/77"

    def setup(self, d):
        os.chmod(d, 0o755)
        with open(d + "/conf", "w") as f:
            f.write("spool = %s/spool\nspool_per_job = 0\nspool_reserve = 0\nservice_user = root\n"
                    "munge_socket = %s\n" % (d, MUNGE.socket))

    def bundles(self, d):
        return files(d, "spool/out/*.bundle")

    def leftovers(self, d):
        return [p for p in hidden(d + "/spool") if os.path.basename(p) != ".lock"] + \
            files(d, "spool/jobs/n1/*")


class WitnessBegin(Witness):
    name = "witness-begin"
    verb = "begin"

    def after(self, d, accepted):
        drop = self.drop(d)
        if os.path.exists(drop):
            must(os.stat(drop).st_mode & 0o777 == 0o700, "the drop folder is open to others")
        must(not self.bundles(d), "a bundle of nothing")

    def done(self, d):
        must(os.stat(self.drop(d)).st_uid == 65534, "the drop folder is not the user's")
        must(sorted(os.path.basename(p) for p in self.leftovers(d)) == ["77", "77.state"],
             "leftovers:", self.leftovers(d))
        # a started job that died was asked for, and may be told of once
        must(len(self.bundles(d)) <= 1, "bundles:", self.bundles(d))


class WitnessEnd(Witness):
    name = "witness-end"
    verb = "end"

    def setup(self, d):
        Witness.setup(self, d)
        rc, err, _ = self.witness(d, "begin")
        must(rc == 0, "begin:", rc, err)
        for name, data in self.FILES.items():
            path = os.path.join(self.drop(d).encode(), name)
            with open(path, "wb") as f:
                f.write(data)
            os.chown(path, 65534, 65534)

    def whole(self, path):
        """All files of the job's folder, or root says how many could not be read."""
        have = bundle(path)
        with open(path, "rb") as f:
            text = f.read()[18:].split(b"\n")[0]
        told = subprocess.run(["unmunge", "-S", MUNGE.socket], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.decode()
        skipped = int(re.search(r'"skipped":(\d+)', told).group(1))
        return len(have) + skipped == len(self.FILES) and \
            all(self.FILES[k] == v for k, v in have.items())

    def after(self, d, accepted):
        kept = os.path.isdir(self.drop(d)) and len(os.listdir(self.drop(d))) == len(self.FILES)
        must(kept or any(self.whole(p) for p in self.bundles(d)), "what the user left is nowhere")
        for path in self.bundles(d):
            bundle(path)

    def again(self, d):
        """The next job of the node takes what is left: no second end comes."""
        rc, err, out = self.witness(d, "begin", SLURM_JOB_ID="78")
        must(rc == 0, "the next job:", rc, err)
        return self.witness(d, "end", SLURM_JOB_ID="78")

    def complete(self, d):
        must(any(self.whole(p) for p in self.bundles(d) if "-77-" in p), "no bundle has all files")

    def done(self, d):
        ours = [p for p in self.bundles(d) if "-77-" in p]
        if not ours:  # killed before the end was known: only a restart tells
            must(len(os.listdir(self.drop(d))) == len(self.FILES), "files are lost")
            return
        self.complete(d)
        must(len(ours) <= 2, "bundles:", ours)
        must(not self.leftovers(d), "leftovers:", self.leftovers(d))


class Collect(Case):
    """A record of one node, journals of two, a job that left nothing, a bundle that is torn."""
    name = "collect"
    root = True
    program = "hpcai500 collect: "
    built = BUILD + "/spank/collect/hpcai500-collect"
    lines = 6  # accounting is not told here, the torn one is quarantined, the sums
    jobs = {"record": 100, "journals": 101, "none": 102, "torn": 103}

    def setup(self, d):
        made, program = MUNGE.bundles(self.jobs), MUNGE.top + "/hpcai500-collect"
        # One copy, before others fork: a program that is being written cannot start.
        if not os.path.exists(program):
            shutil.copy(self.built, program)
        os.chmod(d, 0o755)
        os.mkdir(d + "/spool")
        shutil.copytree(made, d + "/spool/out")
        for path in files(d, "spool/out/*"):
            os.chmod(path, 0o600)
        os.chmod(d + "/spool/out", 0o700)
        os.mkdir(d + "/tmp")
        os.mkdir(d + "/lib")
        with open(d + "/conf", "w") as f:
            f.write("spool = %s/spool\nhistory = %s/lib/history.sqlite\narchive = %s/lib/archive\n"
                    "quarantine = %s/lib/quarantine\nservice_user = root\nmunge_socket = %s\n" %
                    (d, d, d, d, MUNGE.socket))
        os.link(program, d + "/hpcai500-collect")  # without a slurmdbd beside it

    def environment(self, d):
        return {"HPCAI500_CONF": d + "/conf", "TMPDIR": d + "/tmp"}

    def argv(self, d):
        return [d + "/hpcai500-collect", "--once"]

    def filed(self, d):
        """Jobs in the history; each has its record in the archive, whole."""
        lib = d + "/lib"
        if not os.path.exists(lib + "/history.sqlite") or not os.path.getsize(lib + "/history.sqlite"):
            return []
        with tempfile.TemporaryDirectory() as other:
            for f in database(lib):
                shutil.copy(f, other)
            if History.rows(other) == (0, 0):
                return []
            db = sqlite3.connect(other + "/history.sqlite")
            rows = db.execute("SELECT job, archive, status FROM run").fetchall()
            outbox = [j for j, in db.execute("SELECT job FROM outbox")]
            db.close()
        must(sorted(outbox) == sorted(j for j, _, _ in rows), "outbox", outbox, "runs", rows)
        for job, place, _ in rows:
            if place:
                r = json.loads(gzip.open(lib + "/archive/" + place).read())
                must(str(job) in r["id"], place, "is", r["id"])
                must(job != 101 or "1 of 3" in json.dumps(r["reasons"]), "journals are missing:",
                     r["reasons"])
            must(place or job in (102, 103), "job", job, "has no record")
        return sorted(j for j, _, _ in rows)

    def waiting(self, d):
        return sorted(int(os.path.basename(p).split("-")[1]) for p in files(d, "spool/out/*.bundle"))

    def after(self, d, accepted):
        filed, waiting = self.filed(d), self.waiting(d)
        must(len(filed) == len(set(filed)), "twice:", filed)
        bad = files(d, "lib/quarantine/*.bundle")
        for job, n in ((100, 1), (101, 2), (102, 1)):
            must(job in filed or waiting.count(job) == n, "job", job, "is lost; filed", filed,
                 "wait", waiting)
        must(bad or 103 in waiting, "the torn bundle is lost")
        must(not any("-103-" not in b for b in bad), "in quarantine:", bad)

    def done(self, d):
        must(self.waiting(d) == [], "bundles wait:", self.waiting(d))
        must(self.filed(d) == [100, 101, 102, 103], "filed:", self.filed(d))
        names = sorted(os.path.basename(p) for p in files(d, "lib/quarantine/*"))
        must([n.split(".", 1)[1] for n in names] == ["bundle", "bundle.reason"], "quarantine:", names)
        left = hidden(d) + files(d, "tmp/*") + files(d, "lib/*.journals")
        must(not left, "leftovers:", left)
        must(len(files(d, "lib/archive/2026/11/22/*.json.gz")) == 2, "archive:",
             files(d, "lib/archive/*/*/*/*"))

    def again(self, d):
        return run(self.argv(d) + ["--grace=0"], self.environment(d))

    def complete(self, d):
        pass  # what could not be filed waits; the next pass is the judge


class Socket(Case):
    """Bundles on their way from a node's spool, d/from, to the collector's, d/to."""
    root = True
    network = NETWORK
    jobs = {"record": 100, "journals": 101}  # three bundles
    ports = iter(range(12000 + os.getpid() % 8000, 30000))
    lock = threading.Lock()

    def __init__(self):
        self.port = {}

    def free_port(self):
        with self.lock:
            for port in self.ports:
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        s.bind(("127.0.0.1", port))
                        return port
                    except OSError:
                        continue
        raise Broken("no free port")

    def setup(self, d):
        self.port[d] = self.free_port()
        os.chmod(d, 0o755)
        for spool in ("from", "to"):
            os.mkdir(d + "/" + spool)
        os.mkdir(d + "/to/out", 0o700)
        shutil.copytree(MUNGE.bundles(self.jobs), d + "/from/out")
        os.chmod(d + "/from/out", 0o700)
        with open(d + "/conf", "w") as f:
            f.write("spool = %s/from\nservice_user = root\nmunge_socket = %s\n"
                    "collector = 127.0.0.1:%d\n" % (d, MUNGE.socket, self.port[d]))

    def receiver(self, d):
        return [BUILD + "/tests/spank/relay/receiver", "127.0.0.1:%d" % self.port[d], d + "/to",
                MUNGE.socket]

    def serve(self, argv, env=None, shim=None):
        """A receiver that listens, or has ended."""
        env = dict(os.environ, LC_ALL="C", **(env or {}))
        if shim:
            env.update(shim, LD_PRELOAD=SHIM)
        p = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        p.stdout.readline()
        return p

    def forward(self, d):
        return run([BUILD + "/spank/witness/hpcai500-witness", "forward"], {"HPCAI500_CONF": d + "/conf"})

    @staticmethod
    def end(p):
        """What it said; the program, when it is strace, is its child."""
        try:
            with open("/proc/%d/task/%d/children" % (p.pid, p.pid)) as f:
                child = f.read().split()
            os.kill(int(child[0]) if child else p.pid, signal.SIGTERM)
        except (ProcessLookupError, FileNotFoundError):
            pass  # it has ended, and is waited for here alone
        out, err = p.communicate(timeout=LIMIT)
        return p.returncode, err.decode("utf-8", "replace"), out.decode("utf-8", "replace")

    def whole(self, d, spool):
        """Names of the bundles there; each has its bytes."""
        made = MUNGE.bundles(self.jobs)
        names = {os.path.basename(p) for p in files(d, spool + "/out/*")}
        must(names <= set(os.listdir(made)), "in", spool, names)
        for name in names:
            must(sha256(d + "/" + spool + "/out/" + name) == sha256(made + "/" + name), name, "in",
                 spool, "is not what it was")
        return names

    def after(self, d, accepted):
        have = self.whole(d, "from") | self.whole(d, "to")
        must(have == set(os.listdir(MUNGE.bundles(self.jobs))), "lost; there are", have)

    def complete(self, d):
        pass  # what was refused waits; the next one is the judge

    def left(self, d):
        return [p for p in hidden(d) if os.path.basename(p) != ".forward"]

    def done(self, d):
        must(not self.whole(d, "from"), "they wait:", self.whole(d, "from"))
        must(len(self.whole(d, "to")) == 3, "came:", self.whole(d, "to"))
        end = time.monotonic() + 10  # a peer's end is seen a moment later
        while self.left(d) and time.monotonic() < end:
            time.sleep(0.01)
        must(not self.left(d), "leftovers:", self.left(d))


class Forward(Socket):
    name = "forward"
    program = "hpcai500-witness: "
    fails = (1,)
    lines = 2

    def __init__(self):
        Socket.__init__(self)
        self.server = {}

    def environment(self, d):
        return {"HPCAI500_CONF": d + "/conf"}

    def argv(self, d):
        return [BUILD + "/spank/witness/hpcai500-witness", "forward"]

    def setup(self, d):
        Socket.setup(self, d)
        self.server[d] = self.serve(self.receiver(d))
        must(self.server[d].poll() is None, "no receiver")

    def gone(self, d):
        rc, err, _ = self.end(self.server.pop(d))
        must(rc == 0, "the receiver ended with", rc, err)


class Receive(Socket):
    name = "receive"
    built = BUILD + "/tests/spank/relay/receiver"
    program = "receiver: "
    fails = (1, 2)
    lines = 8
    spared = "listening"

    def argv(self, d):
        return self.receiver(d)

    def go(self, d, argv, env, shim=None):
        p = self.serve(argv, env, shim)
        if p.poll() is None:
            self.forward(d)
        return self.end(p)

    def again(self, d):
        p = self.serve(self.receiver(d))
        rc, err, out = self.forward(d)
        ended = self.end(p)
        return (rc, err, out) if rc else ended


CASES = {c.name: c for c in (Record, Run, Recover, Archive, ArchiveNew, History, WitnessBegin,
                             WitnessEnd, Collect, Forward, Receive)}


# ---- breaking them ----

def calls_of(case, d):
    """(name, number of this name, line) of each call since the folder was touched; all names."""
    log = d + ".strace"
    rc, err, _ = case.go(d, ["strace", "-f", "-qq", "-s", "4096", "-e", "signal=none", "-o", log] +
                         case.argv(d), case.environment(d))
    must(rc == 0, case.name, "does not work undisturbed:", rc, err)
    counts, found, on = collections.Counter(), [], False
    with open(log, errors="replace") as f:
        for line in f:
            m = re.match(r"(\d+) +(\w+)\(", line)
            if not m:
                continue
            pid, name = m.groups()
            counts[pid, name] += 1
            on = on or (name != "execve" and d in line)
            if on and name not in ("exit_group", "exit", "wait4"):
                found.append((name, counts[pid, name], line.rstrip()))
    os.unlink(log)
    return found


class Breaker:
    def __init__(self, case, top):
        self.case, self.top = case, top
        self.lock = threading.Lock()
        self.number = 0
        self.counts = collections.Counter()
        self.broken, self.missed = [], []

    def folder(self):
        with self.lock:
            self.number += 1
            d = "%s/%s.%d" % (self.top, self.case.name, self.number)
        os.mkdir(d, 0o700)
        self.case.setup(d)
        return d

    def disturb(self, d, fault):
        """(exit code, stderr)"""
        kind, name, n, how = fault
        argv, env = self.case.argv(d), self.case.environment(d)
        if kind in ("kill", "error"):
            what = "signal=SIGKILL" if kind == "kill" else "error=" + how
            # --seccomp-bpf would be faster, but then signals are not injected
            argv = ["strace", "-f", "-q", "-e", "signal=none", "-o", d + ".strace",
                    "-e", "trace=" + name, "-e", "inject=%s:%s:when=%d" % (name, what, n)] + argv
            rc, err, _ = self.case.go(d, argv, env)
            with open(d + ".strace", errors="replace") as f:
                log = f.read()
            os.unlink(d + ".strace")
            if rc == 0 if kind == "kill" else "(INJECTED)" not in log:
                raise Missed
            return rc, err
        return self.case.go(d, argv, env, {"HPCAI500_FAULT": "%s %d" % (kind, n)})[:2]

    def judge(self, rc, err, fault):
        if fault[0] in ("kill", "torn"):  # the last of the writes may go into a pipe
            must(rc in (-9, 137) or (rc == 0 and fault[0] == "torn"), "exit code", rc, err)
            return
        must(rc == 0 or rc in self.case.fails, "exit code", rc, err)
        told = err.splitlines()
        must(len(told) <= self.case.lines and (rc == 0 or told), "not one sentence:", err)
        for line in told:
            must(line.startswith(self.case.program) and line.isprintable() and
                 not line.endswith(": "), "said:", line)

    def one(self, fault, accepted, tries=3):
        d, retry = self.folder(), False
        try:
            rc, err = self.disturb(d, fault)
            self.judge(rc, err, fault)
            if rc == 0:
                self.case.complete(d)
            self.case.after(d, accepted)
            again, why, _ = self.case.again(d)
            must(again == 0, "again:", again, why)
            self.case.done(d)
            with self.lock:
                self.counts[fault[0]] += fault[0] != "torn" or rc != 0
                self.counts["failed" if rc else "went on"] += 1
        except Missed:  # how often a socket is asked is a matter of time
            retry = tries > 1
            with self.lock:
                if not retry:
                    self.counts["missed"] += 1
                    self.missed.append("%s %s %s" % fault[:3])
        except (Broken, OSError, ValueError, KeyError, sqlite3.Error, subprocess.TimeoutExpired,
                zlib.error, EOFError) as e:
            with self.lock:
                self.broken.append("%s, %s %s %s %s: %s: %s" % ((self.case.name,) + fault + (
                    type(e).__name__, e)))
        finally:
            self.clear(d)
        if retry:
            self.one(fault, accepted, tries - 1)

    def clear(self, d):
        try:
            self.case.gone(d)
        except Broken as e:
            with self.lock:
                self.broken.append("%s: %s" % (self.case.name, e))
        shutil.rmtree(d, ignore_errors=True)

    def spare(self, line):
        return self.case.spared and re.search(self.case.spared, line)

    def faults(self, every):
        d = self.folder()
        calls = calls_of(self.case, d)
        self.case.done(d)
        self.clear(d)
        self.total = len(calls)
        self.writes = sum(1 for c in calls if re.match(r"p?write|sendto", c[0]))
        begun, turn, quiet = False, 0, 0
        for name, n, line in calls:
            changes = name in CHANGES and not (name == "openat" and "O_CREAT" not in line)
            quiet += not changes
            if changes or quiet % every == 0:
                yield ("kill", name, n, ""), begun
            errors = ERRORS if name in CAN_FAIL else self.case.network.get(name, ())
            if errors and not self.spare(line):
                for i, error in enumerate(errors):
                    if every == 1 or i == turn % len(errors):
                        yield ("error", name, n, error), begun
                turn += 1
            begun = begun or (name, n) == self.case.begun
        for n in range(1, self.writes + 1):
            yield ("torn", "write", n, ""), False
        for n in sorted(set(list(range(0, 40, 13)) + [k * k * 97 for k in range(1, 12)])):
            yield ("room", "bytes", n, ""), False
        yield ("short", "bytes", 7, ""), False

    def run(self, every, most, workers):
        begin = time.monotonic()
        all_of_them = list(self.faults(every))
        step = max(1, len(all_of_them) / most) if most else 1
        chosen = [all_of_them[int(i * step)] for i in range(int(len(all_of_them) / step))]
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for f in [pool.submit(self.one, *f) for f in chosen]:
                f.result()
        c = self.counts
        # A program need not make each call each time (it asks again after a
        # wait), but a fault that seldom strikes would show nothing.
        if c["missed"] > max(2, len(chosen) // 20):
            self.broken.append("%d of %d faults struck nothing" % (c["missed"], len(chosen)))
        print("%-14s %4d system calls, %3d of them writes: killed %d, errors %d, torn %d, full %d, "
              "short %d; failed %d, went on %d; missed %d, broken %d (%.0f s)" % (
                  self.case.name, self.total, self.writes, c["kill"], c["error"], c["torn"],
                  c["room"], c["short"], c["failed"], c["went on"], c["missed"], len(self.broken),
                  time.monotonic() - begin), flush=True)
        if self.missed:
            print("  did not come: " + ", ".join(sorted(self.missed)), flush=True)
        for b in self.broken[:20]:
            print("  " + b.replace("\n", " | ")[:600], flush=True)
        return not self.broken


def may_trace():
    if not shutil.which("strace"):
        return "there is no strace here (Debian: strace)"
    p = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=getpid", "-e",
                        "inject=getpid:error=EIO", "true"], stderr=subprocess.PIPE)
    return "" if p.returncode == 0 else "strace may not trace here: " + p.stderr.decode().strip()


def missing(case):
    if case.root and os.geteuid() != 0:
        return "only root can witness"
    if case.root and not shutil.which("munged"):
        return "there is no munged here"
    program = case.built or case.argv("")[0]
    if not os.access(program, os.X_OK):
        return program + " was not built"
    if case.name in ("archive", "archive-new", "history") and \
            subprocess.run([ONCE, "first", "/nowhere"], stderr=subprocess.DEVNULL).returncode == 2:
        return "this build has no history"
    return ""


def main():
    global MUNGE
    p = argparse.ArgumentParser()
    p.add_argument("case", nargs="*")
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--most", type=int, default=0)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--list", action="store_true")
    a = p.parse_args()
    if a.list:
        print("\n".join(CASES))
        return 0
    why = may_trace()
    if why:
        print("faults.py: " + why, file=sys.stderr)
        return 77
    good, ran = True, 0
    top = tempfile.mkdtemp(prefix="hpcai500-faults.")
    os.chmod(top, 0o755)
    try:
        for name in a.case or CASES:
            case = CASES[name]()
            why = missing(case)
            if why:
                print("%-14s skipped: %s" % (name, why))
                continue
            if case.root and not MUNGE:
                MUNGE = Munge(top)
            ran += 1
            good = Breaker(case, top).run(a.every, a.most, a.workers) and good
    finally:
        if MUNGE:
            MUNGE.stop()
        shutil.rmtree(top, ignore_errors=True)
    return 77 if not ran else 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
