# SPDX-License-Identifier: BSD-3-Clause
"""Takes turns between engine_bench and PyTorch; see components.sh.

Each side is a process that lives as long as the comparison, so that libraries
are loaded and primitives created before anything is timed:
`components.py --torch ROW... DTYPE THREADS LAYOUT HOW` is the PyTorch side and speaks
engine_bench's protocol (a line "N" in, milliseconds per step out).
"""
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ENOUGH_MS = 250  # a measurement is at least so long
# eager only, where compiling takes longer than there is time: COMPONENTS_HOW=eager
HOWS = os.environ.get("COMPONENTS_HOW", "eager compiled").split()
VARIANTS = [(layout, how) for how in HOWS for layout in ("first", "last")]


class Row:
    """One line of `engine_bench rows`."""

    def __init__(self, words):
        self.words = words
        self.name, self.workload, self.size = words[:3]
        self.batch, self.side = int(words[3]), int(words[4])


# ---- the PyTorch side --------------------------------------------------------


def cosmoflow(row):
    """workloads/component/cosmoflow.c"""
    import torch
    import torch.nn as nn

    stages, base, dropout = (5, 32, 0.5) if row.size == "standard" else (4, 16, 0)
    layers, channels = [], 4
    for i in range(stages):
        layers += [nn.Conv3d(channels, base << i, 3, padding=1), nn.LeakyReLU(0.3), nn.MaxPool3d(2)]
        channels = base << i
    layers += [nn.Flatten()]
    into = channels * (row.side >> stages) ** 3
    for out in (128, 64):
        layers += [nn.Linear(into, out), nn.LeakyReLU(0.3)] + ([nn.Dropout(dropout)] if dropout else [])
        into = out
    net = nn.Sequential(*layers, nn.Linear(into, 4), nn.Tanh())
    x, y = torch.randn(row.batch, 4, *[row.side] * 3), torch.rand(row.batch, 4) * 2 - 1
    mse = nn.MSELoss()
    return net, x, lambda net, x: mse((net(x) * 1.2).float(), y), \
        lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9)


def hep(row):
    import torch
    import hep as twin

    x, y = torch.randn(row.batch, 3, row.side, row.side), torch.randint(2, (row.batch,))
    w = torch.ones(row.batch)
    return twin.network(twin.RECIPES[row.size], "resnet50"), x, \
        lambda net, x: twin.loss_of(net, x, y, w), lambda p: torch.optim.Adam(p, lr=1e-4)


def defect(row):
    import torch
    import defect as twin

    recipe = twin.RECIPES[row.size]
    x = torch.randn(row.batch, 1, row.side, row.side)
    y = torch.randint(twin.CLASSES, (row.batch, row.side, row.side))
    return twin.UNet(recipe.width, recipe.levels), x, lambda net, x: twin.loss_of(net, x, y), \
        lambda p: torch.optim.Adam(p, lr=1e-4)


def deepcam(row):
    import torch
    import deepcam as twin

    recipe = twin.RECIPES[row.size]
    height = row.side * 2 // 3
    x = torch.randn(row.batch, twin.CHANNELS, height, row.side)
    y = torch.randint(twin.CLASSES, (row.batch, height, row.side))
    return recipe.network(), x, lambda net, x: twin.loss_of(net, x, y, recipe.weights), \
        lambda p: twin.optimizer(p, 1e-4)


def forecast(row):
    import torch
    import forecast as twin

    r = twin.RECIPES[row.size]
    x = torch.randn(row.batch, r.variables, r.rows, r.columns)
    change = torch.randn_like(x)
    return twin.Forecaster(r), x, \
        lambda net, x: torch.nn.functional.mse_loss(net(x).float(), change), \
        lambda p: twin.optimizer(p, 1e-4)


def torch_side(row, dtype, threads, layout, how):
    sys.path.insert(0, os.path.join(HERE, "..", "frameworks", "pytorch"))
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    net, x, loss_of, optimizer = globals()[row.workload](row)
    if layout == "last":
        last = torch.channels_last if x.dim() == 4 else torch.channels_last_3d
        net, x = net.to(memory_format=last), x.contiguous(memory_format=last)
    rule = optimizer(net.parameters())
    if how == "compiled":
        net = torch.compile(net)

    def step():
        rule.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bf16"):
            loss = loss_of(net, x)
        loss.backward()
        rule.step()

    for _ in range(3):
        step()
    print("ready %s" % torch.__version__, flush=True)
    for line in sys.stdin:
        n = int(line)
        start = time.perf_counter()
        for _ in range(n):
            step()
        print("%.3f" % ((time.perf_counter() - start) / n * 1e3), flush=True)


# ---- two sides ---------------------------------------------------------------


class Side:
    """One process that answers "N" with milliseconds per step."""

    def __init__(self, command, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, env=env)

    def ready(self):
        """The version, or None: it does not start."""
        word = self.p.stdout.readline().split()
        return word[1] if word[:1] == ["ready"] else None

    def time(self, steps):
        self.p.stdin.write("%d\n" % steps)
        self.p.stdin.flush()
        return float(self.p.stdout.readline())

    def close(self):
        self.p.stdin.close()
        self.p.stdout.close()
        self.p.wait()


def pythons():
    """Interpreters that have PyTorch."""
    names = ["/usr/bin/python3"] + [n for n in [os.environ.get("COMPONENTS_PYTHON")] if n]
    test = "import torch, h5py"
    return [n for n in names if subprocess.run([n, "-c", test], stderr=subprocess.DEVNULL).returncode == 0]


def torch_start(python, row, dtype, threads, layout, how):
    me = [python, os.path.abspath(__file__), "--torch"] + row.words + [dtype, str(threads), layout, how]
    return Side(me, threads)


class Choice:
    """The file of fastest variants: ROW DTYPE PYTHON LAYOUT HOW."""

    def __init__(self, path):
        self.path = path

    def find(self, row, dtype, python):
        try:
            lines = open(self.path).read().splitlines()
        except OSError:
            lines = []
        for words in reversed([line.split() for line in lines]):
            if words[:3] == [row.name, dtype, python]:
                return words[3], words[4]
        return None

    def make(self, row, dtype, python, threads):
        best = None
        for layout, how in VARIANTS:
            side = torch_start(python, row, dtype, threads, layout, how)
            version = side.ready()
            if version:
                ms = min(side.time(1) for _ in range(3))
                print("%s %s PyTorch %s, channels %s, %s: %.1f ms"
                      % (row.name, dtype, version, layout, how, ms), file=sys.stderr, flush=True)
                best = min(best, (ms, layout, how)) if best else (ms, layout, how)
            side.close()
        if not best:
            return None
        with open(self.path, "a") as f:
            print(row.name, dtype, python, *best[1:], file=f)
        return best[1:]


def floor_of(bench, row, dtype, threads):
    """The engine's step and its floor, and the peaks, measured in one run."""
    out = subprocess.run([bench, "profile", row.name, dtype, str(threads)], stdout=subprocess.PIPE,
                         text=True, check=True,
                         env=dict(os.environ, OMP_NUM_THREADS=str(threads))).stdout
    sys.stderr.write(out)
    peaks = re.search(r"peaks: ([\d.]+) GFLOP/s, ([\d.]+) GB/s", out)
    last = re.search(r"step ([\d.]+) ms, floor ([\d.]+) ms", out)
    return float(peaks[1]), float(peaks[2]), float(last[1]), float(last[2])


def interval(ratios):
    """Median and its 90 % interval by order statistics."""
    r = sorted(ratios)
    n = len(r)
    low = int(n / 2 - 1.645 * n ** 0.5 / 2)
    low, high = (low, n + 1 - low) if low >= 1 else (1, n)
    return statistics.median(r), r[low - 1], r[high - 1]


def pairs_of(ours, theirs, n):
    """Milliseconds (ours, theirs) of n turns."""
    count = [max(1, round(ENOUGH_MS / side.time(1))) for side in (ours, theirs)]
    return [(ours.time(count[0]), theirs.time(count[1])) for _ in range(n)]


def compare(bench, row, dtype, threads, n, choice):
    """Prints a line for each PyTorch."""
    peak, bandwidth, whole, floor = floor_of(bench, row, dtype, threads)
    head = "%-16s %-5s %2d %8.1f %8.1f %6.2f" % (row.name, dtype, threads, whole, floor, whole / floor)
    tail = "%6.0f %5.1f%s" % (peak, bandwidth, " under its floor" if whole < floor else "")
    said = False
    for python in pythons():
        variant = choice.find(row, dtype, python) or choice.make(row, dtype, python, threads)
        side = variant and torch_start(python, row, dtype, threads, *variant)
        version = side and side.ready()
        if not version:
            continue
        ours = Side([bench, "serve", row.name, dtype, str(threads)], threads)
        turns = pairs_of(ours, side, n)
        for s in (ours, side):
            s.close()
        print("%s %8.1f %9.1f %6.2f %5.2f-%-5.2f %-28s %s"
              % ((head, statistics.median(a for a, _ in turns), statistics.median(b for _, b in turns)) +
                 interval([b / a for a, b in turns]) +
                 ("%s %s, channels %s" % ((version.split("+")[0],) + variant[::-1]), tail)), flush=True)
        said = True
    if not said:
        print("%s %8s %9s %6s %11s %-28s %s" % (head, "", "", "", "", "no PyTorch here", tail), flush=True)


def main():
    if sys.argv[1] == "--torch":
        return torch_side(Row(sys.argv[2:7]), sys.argv[7], int(sys.argv[8]), sys.argv[9], sys.argv[10])
    choosing = sys.argv[1] == "--choose"
    bench, name, dtype, threads, n = sys.argv[1 + choosing:6 + choosing]
    rows = subprocess.run([bench, "rows"], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [Row(line.split()) for line in rows.splitlines()]
    choice = Choice(os.path.join(os.path.dirname(bench), "components.best"))
    if name != "all" and name not in [r.name for r in rows]:
        sys.exit("components.py: no row '%s': %s" % (name, " ".join(r.name for r in rows)))
    if not choosing:
        print("%-16s %-5s %2s %8s %8s %6s %8s %9s %6s %11s %-28s %6s %5s" %
              ("step of", "dtype", "th", "best ms", "floor ms", "x", "engine", "PyTorch", "ratio", "90 %", "",
               "GF/s*", "GB/s*"))
    for row in rows:
        for kind in ("f32", "bf16"):
            for many in (2, 1):
                if name not in ("all", row.name) or dtype not in ("all", kind):
                    continue
                if threads != "all" and int(threads) != many or choosing and many == 1:
                    continue
                if choosing:
                    for python in pythons():
                        choice.make(row, kind, python, many)
                else:
                    compare(bench, row, kind, many, int(n), choice)
    if not choosing:
        print("* peaks measured in the same run; floor: sum over operators of\n"
              "  max(FLOP / peak, bytes / bandwidth)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
