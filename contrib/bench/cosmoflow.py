# SPDX-License-Identifier: BSD-3-Clause
"""Takes turns between engine_bench and PyTorch; see cosmoflow.sh.

Each side is a process that lives as long as the comparison, so that libraries
are loaded and primitives created before anything is timed:
`cosmoflow.py --torch THREADS DTYPE LAYOUT` is the PyTorch side and speaks
engine_bench's protocol (a line "N" in, milliseconds per step out).
"""
import os
import re
import statistics
import subprocess
import sys
import time

SIDE, BATCH = 64, 4
# cpu: the process's own time, for one thread on a machine that does other work
CLOCK = time.process_time if os.environ.get("ENGINE_BENCH_CLOCK") == "cpu" else time.perf_counter


def torch_side(threads, dtype, layout):
    import torch
    import torch.nn as nn

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    blocks, channels = [], 4
    for i in range(5):
        blocks += [nn.Conv3d(channels, 32 << i, 3, padding=1), nn.LeakyReLU(0.3), nn.MaxPool3d(2)]
        channels = 32 << i
    flat = channels * (SIDE // 32) ** 3
    model = nn.Sequential(*blocks, nn.Flatten(),
                          nn.Linear(flat, 128), nn.LeakyReLU(0.3), nn.Dropout(0.5),
                          nn.Linear(128, 64), nn.LeakyReLU(0.3), nn.Dropout(0.5),
                          nn.Linear(64, 4), nn.Tanh())
    x, y = torch.randn(BATCH, 4, SIDE, SIDE, SIDE), torch.rand(BATCH, 4) * 2 - 1
    if layout == "last":
        model = model.to(memory_format=torch.channels_last_3d)
        x = x.contiguous(memory_format=torch.channels_last_3d)
    mse = nn.MSELoss()
    opt = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def step():
        opt.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bf16"):
            loss = mse((model(x) * 1.2).float(), y)
        loss.backward()
        opt.step()

    step()
    step()
    print("ready", flush=True)
    for line in sys.stdin:
        n = int(line)
        start = CLOCK()
        for _ in range(n):
            step()
        print("%.3f" % ((CLOCK() - start) / n * 1e3), flush=True)


class Side:
    """One process that answers "N" with milliseconds per step."""

    def __init__(self, command, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads))
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True, env=env)

    def ready(self):
        if self.p.stdout.readline().strip() != "ready":
            raise SystemExit("cosmoflow.py: PyTorch does not start")
        return self

    def time(self, steps):
        self.p.stdin.write("%d\n" % steps)
        self.p.stdin.flush()
        return float(self.p.stdout.readline())

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def has_torch():
    return subprocess.run([sys.executable, "-c", "import torch"],
                          stderr=subprocess.DEVNULL).returncode == 0


def floor_ms(bench, dtype, threads):
    """The engine's step and its floor, and the peaks, measured in one run."""
    out = subprocess.run([bench, "profile", dtype, str(threads)], stdout=subprocess.PIPE,
                         text=True, check=True,
                         env=dict(os.environ, OMP_NUM_THREADS=str(threads))).stdout
    sys.stderr.write(out)
    peaks = re.search(r"peaks: ([\d.]+) GFLOP/s, ([\d.]+) GB/s", out)
    last = re.search(r"step ([\d.]+) ms, floor ([\d.]+) ms", out)
    return float(peaks[1]), float(peaks[2]), float(last[1]), float(last[2])


def compare(bench, dtype, threads, rounds, steps, with_torch):
    """Medians (engine, PyTorch) in ms and the median ratio; None without torch."""
    me = [sys.executable, os.path.abspath(__file__), "--torch", str(threads)]
    ours = Side([bench, "serve", dtype, str(threads)], threads)
    ours.time(1)
    theirs = [Side(me + [d, layout], threads).ready()
              for d, layout in (("f32", "default"), ("f32", "last"))] if with_torch else []
    a, b = [], []
    for _ in range(rounds):
        a.append(ours.time(steps))
        b.append([t.time(max(1, steps // 2)) for t in theirs])
    for side in [ours] + theirs:
        side.close()
    if not theirs:
        return statistics.median(a), None, None
    # the layout that is best over the rounds
    best = min(range(len(theirs)), key=lambda i: statistics.median(r[i] for r in b))
    return (statistics.median(a), statistics.median(r[best] for r in b),
            statistics.median(r[best] / x for r, x in zip(b, a)))


def main():
    if sys.argv[1] == "--torch":
        return torch_side(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    bench, rounds, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with_torch = has_torch()
    if not with_torch:
        print("cosmoflow.py: no PyTorch here (Debian: python3-torch): only the floor",
              file=sys.stderr)
    print("CosmoFlow 4 x %d^3, batch %d, training step; PyTorch in f32, its best layout"
          % (SIDE, BATCH))
    print("%-5s %7s %10s %12s %7s %10s %10s %10s %9s" %
          ("dtype", "threads", "engine ms", "PyTorch ms", "ratio", "GFLOP/s*", "GB/s*",
           "floor ms", "x floor"))
    for threads in (1,) if CLOCK is time.process_time else (1, 2):
        for dtype in ("f32", "bf16"):
            ours, theirs, ratio = compare(bench, dtype, threads, rounds, steps, with_torch)
            flops, bandwidth, whole, floor = floor_ms(bench, dtype, threads)
            print("%-5s %7d %10.1f %12s %7s %10.1f %10.1f %10.1f %9.2f" %
                  (dtype, threads, ours, "%.1f" % theirs if theirs else "-",
                   "%.2f" % ratio if ratio else "-", flops, bandwidth, floor, whole / floor),
                  flush=True)
    print("* peaks measured in the same run; floor: sum over operators of\n"
          "  max(FLOP / peak, bytes / bandwidth)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
