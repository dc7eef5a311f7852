#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The workload `hep` in PyTorch: the same files, networks and recipe.

    hep.py DATA [--class tiny|small|standard] [--model resnet50|hepcnn]
           [--epochs N] [--threads N]
        trains on DATA/train, prints loss and weighted AUC of DATA/validation
    hep.py DATA --compare RUN [--still]
        makes the steps that the tests' `twin_losses` left in RUN (start values,
        samples and loss of each step) and compares: exit 0 when all losses agree
        to 5 digits, 1 when not. --still: the losses of an evaluation

Exit 77 when PyTorch or h5py are missing."""
import argparse
import glob
import math
import os
import sys

try:
    import h5py
    import numpy as np
    import torch
    import torch.nn as nn
except ImportError as e:
    print(f"{e}; Debian: python3-torch python3-h5py")
    sys.exit(77)

import checkpoint

SCALE_SAMPLES = 2048
TOLERANCE = 1e-5  # relative: five digits


class Recipe:
    """workloads/component/hep.c, recipes."""

    def __init__(self, width, blocks, cnn_width, cnn_stages, dropout, batch, epochs, rate):
        self.width, self.blocks = width, blocks
        self.cnn_width, self.cnn_stages, self.dropout = cnn_width, cnn_stages, dropout
        self.batch, self.epochs, self.rate = batch, epochs, rate


RECIPES = {
    "tiny": Recipe(16, (1, 1, 1), 16, 3, 0.1, 64, 20, 2e-3),
    "small": Recipe(32, (2, 2, 2, 2), 64, 4, 0.5, 64, 12, 1e-3),
    "standard": Recipe(64, (3, 4, 6, 3), 128, 4, 0.5, 256, 20, 1e-3),
}


class Bottleneck(nn.Module):
    """ResNet v1.5: the stride is in the 3 x 3."""

    def __init__(self, into, inner, stride, first):
        super().__init__()
        self.conv1 = nn.Conv2d(into, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, 4 * inner, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * inner)
        self.downsample = None
        if first:
            self.downsample = nn.Sequential(
                nn.Conv2d(into, 4 * inner, 1, stride, bias=False), nn.BatchNorm2d(4 * inner))

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, width, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layers, into = len(blocks), width
        for i, n in enumerate(blocks):
            inner, stage = width << i, []
            for k in range(n):
                stage.append(Bottleneck(into, inner, 2 if i and k == 0 else 1, k == 0))
                into = 4 * inner
            self.add_module(f"layer{i + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(into, 2)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = nn.functional.max_pool2d(x, 3, 2, 1)
        for i in range(self.layers):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(x.mean((2, 3)))


class HepCnn(nn.Module):
    def __init__(self, width, stages, dropout):
        super().__init__()
        self.stages, self.dropout = stages, dropout
        for i in range(stages + 1):
            self.add_module(f"conv{i + 1}", nn.Conv2d(width if i else 3, width, 3, padding=1))
        self.fc = nn.Linear(width, 2)

    def forward(self, x):
        for i in range(self.stages):
            x = nn.functional.max_pool2d(torch.relu(getattr(self, f"conv{i + 1}")(x)), 2)
            x = nn.functional.dropout(x, self.dropout, self.training)
        return self.fc(getattr(self, f"conv{self.stages + 1}")(x).mean((2, 3)))


def network(recipe, model):
    """He initialisation, as the engine's: variance 2 / fan_in, biases 0."""
    if model == "hepcnn":
        net = HepCnn(recipe.cnn_width, recipe.cnn_stages, recipe.dropout)
    else:
        net = ResNet(recipe.width, recipe.blocks)
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
    return net


def load(net, path):
    start = checkpoint.values(path)
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(torch.from_numpy(start[name].copy()))


def read(folder):
    """Images, labels and weights of all files; the published layout `flat`."""
    parts = []
    for path in sorted(glob.glob(os.path.join(folder, "*.h5")) + glob.glob(os.path.join(folder, "*.hdf5"))):
        with h5py.File(path, "r") as f:
            parts.append([f[name][()] for name in ("data", "label", "normweight")])
    if not parts:
        sys.exit(f"hep.py: {folder} holds no .h5 or .hdf5 file")
    x, y, w = (np.concatenate(column) for column in zip(*parts))
    return x.astype(np.float32), torch.from_numpy(y.astype(np.int64)), torch.from_numpy(w.astype(np.float32))


def scale_of(x):
    """1 / the root of each channel's mean square in the first samples."""
    squares = (x[:SCALE_SAMPLES].astype(np.float64) ** 2).mean((0, 2, 3))
    return np.where(squares > 0, 1 / np.sqrt(np.where(squares > 0, squares, 1)), 1).astype(np.float32)


def scaled(x, scale):
    return torch.from_numpy(x * scale[:, None, None])


def loss_of(net, x, y, w):
    return (nn.functional.cross_entropy(net(x), y, reduction="none") * w).mean()


def turned(x):
    """Each event rolled around the beam, and mirrored along it or not."""
    out = []
    for image in x:
        image = image.roll(int(torch.randint(x.shape[-1], (1,))), -1)
        out.append(image.flip(-2) if torch.rand(1) < 0.5 else image)
    return torch.stack(out)


def weighted_auc(score, y, w):
    """Ties as half."""
    order = np.argsort(score, kind="stable")
    score, signal, background = score[order], (w * y)[order], (w * (1 - y))[order]
    start = np.unique(score, return_index=True)[1]
    signal, background = np.add.reduceat(signal, start), np.add.reduceat(background, start)
    below = np.cumsum(background) - background
    return float((signal * (below + background / 2)).sum() / (signal.sum() * background.sum()))


def quality(net, x, y, w, batch):
    net.eval()
    with torch.no_grad():
        logits = torch.cat([net(x[i:i + batch]) for i in range(0, len(x), batch)])
    net.train()
    score = (logits[:, 1] - logits[:, 0]).numpy()
    return weighted_auc(score, y.numpy().astype(np.float64), w.numpy().astype(np.float64))


def rate_at(recipe, epoch):
    warm = min(1.0, epoch / 0.5)
    return recipe.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2)


def make_step(net, rule, rate, x, y, w):
    for group in rule.param_groups:
        group["lr"] = rate
    rule.zero_grad()
    loss = loss_of(net, x, y, w)
    loss.backward()
    rule.step()
    return loss.item()


def train(recipe, model, data):
    x, y, w = read(os.path.join(data, "train"))
    vx, vy, vw = read(os.path.join(data, "validation"))
    scale = scale_of(x)
    x, vx = scaled(x, scale), scaled(vx, scale)
    net = network(recipe, model)
    rule = torch.optim.Adam(net.parameters(), lr=recipe.rate)
    steps = -(-len(x) // recipe.batch)
    for epoch in range(recipe.epochs):
        order, total = torch.randperm(len(x)), 0.0
        for step in range(steps):
            ids = order[step * recipe.batch:(step + 1) * recipe.batch]
            rate = rate_at(recipe, epoch + step / steps)
            total += make_step(net, rule, rate, turned(x[ids]), y[ids], w[ids]) / steps
        print(f"epoch {epoch + 1}: loss {total:.4f} AUC {quality(net, vx, vy, vw, recipe.batch):.4f}",
              flush=True)


def compare(recipe, model, data, run, still):
    x, y, w = read(os.path.join(data, "train"))
    x = scaled(x, scale_of(x))
    net = network(recipe, model)
    load(net, os.path.join(run, "start.ckpt"))
    net.train(not still)
    rule = torch.optim.Adam(net.parameters(), lr=recipe.rate)
    worst, steps = 0.0, 0
    with open(os.path.join(run, "steps.txt")) as f:
        for line in f:  # rate, loss, ids
            rate, ours, *ids = line.split()
            ids = [int(i) for i in ids]
            if still:
                loss = loss_of(net, x[ids], y[ids], w[ids]).item()
            else:
                loss = make_step(net, rule, float(rate), x[ids], y[ids], w[ids])
            far = abs(float(ours) - loss) / loss
            worst, steps = max(worst, far), steps + 1
            print(f"PyTorch {loss:.7f} here {float(ours):.7f} off by {far:.1e}")
    return 0 if steps >= 3 and worst < TOLERANCE else 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("--class", dest="size", choices=RECIPES, default="tiny")
    p.add_argument("--model", choices=("resnet50", "hepcnn"), default="resnet50")
    p.add_argument("--compare", metavar="RUN")
    p.add_argument("--still", action="store_true")
    p.add_argument("--epochs", type=int)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    recipe = RECIPES[a.size]
    if a.compare:
        return compare(recipe, a.model, a.data, a.compare, a.still)
    recipe.epochs = a.epochs or recipe.epochs
    train(recipe, a.model, a.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
