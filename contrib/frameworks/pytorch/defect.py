#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The workload `defect` in PyTorch: the same files, network and recipe.

    defect.py DATA [--class tiny|small|standard] [--epochs N] [--threads N]
        trains on DATA/train, prints loss and mean IoU of DATA/validation
    defect.py DATA --compare RUN
        makes the steps that tests' `twin_losses` left in RUN (start values, samples and
        loss of each step) and compares: exit 0 when all losses
        agree to 5 digits, 1 when not

Exit 77 when PyTorch or h5py are missing."""
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
import twin

CLASSES = 6


class Recipe:
    """workloads/component/defect.c, class_rows."""

    def __init__(self, width, levels, batch, epochs, rate):
        self.width, self.levels, self.batch = width, levels, batch
        self.epochs, self.rate = epochs, rate


RECIPES = {
    "tiny": Recipe(16, 3, 4, 10, 4e-3),
    "small": Recipe(32, 4, 8, 12, 2e-3),
    "standard": Recipe(64, 4, 16, 20, 1e-3),
}
CLASS_WEIGHTS = [0.8, 6.5, 6.5, 7.0, 3.7, 3.2]


class Level(nn.Module):
    """[transposed conv, concat,] 2 x [conv, batch norm, ReLU]; named as the
    engine's parameters are (workloads/component/unet.h)."""

    def __init__(self, into, out, up=False):
        super().__init__()
        if up:
            self.deconv = nn.ConvTranspose2d(into, out, 2, stride=2)
        self.conv1 = nn.Conv2d(into, out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)

    def forward(self, x, kept=None):
        if kept is not None:
            x = torch.cat([kept, self.deconv(x)], 1)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self, width, levels, channels=1, classes=CLASSES):
        super().__init__()
        self.levels = levels
        for i in range(levels + 1):
            into = channels if i == 0 else width << (i - 1)
            self.add_module(f"down{i}", Level(into, width << i))
        for i in reversed(range(levels)):
            self.add_module(f"up{i}", Level(width << (i + 1), width << i, up=True))
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        kept = []
        for i in range(self.levels):
            x = getattr(self, f"down{i}")(x)
            kept.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = getattr(self, f"down{self.levels}")(x)
        for i in reversed(range(self.levels)):
            x = getattr(self, f"up{i}")(x, kept[i])
        return self.head(x)

    def load(self, path):
        start = checkpoint.values(path)
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.copy_(torch.from_numpy(start[name].copy()))


def read(folder):
    """Pictures of mean 0 and deviation 1 each, and their masks."""
    images, masks = [], []
    for path in twin.files(folder):
        with h5py.File(path, "r") as f:
            images.append(f["images"][()])
            masks.append(f["masks"][()])
    x = np.concatenate(images).astype(np.float64)
    x = x.reshape(len(x), 1, *x.shape[-2:])
    mean, deviation = x.mean((2, 3), keepdims=True), x.std((2, 3), keepdims=True)
    x = (x - mean) / np.maximum(deviation, 1e-6)
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(np.concatenate(masks).astype(np.int64))


def flipped(x, how):
    """how: bit 0 up and down, bit 1 left and right, bit 2 transposed first."""
    x = x.transpose(-1, -2) if how & 4 else x
    x = x.flip(-2) if how & 1 else x
    return x.flip(-1) if how & 2 else x


def loss_of(net, x, y):
    """The mean over pixels of weight x cross-entropy; not divided by the weights."""
    weights = torch.tensor(CLASS_WEIGHTS)
    return nn.functional.cross_entropy(net(x), y, weights, reduction="none").mean()


def batch_of(x, y, ids, hows):
    return (torch.stack([flipped(x[i], h) for i, h in zip(ids, hows)]),
            torch.stack([flipped(y[i], h) for i, h in zip(ids, hows)]))


def mean_iou(net, x, y, batch):
    counts = torch.zeros(CLASSES, CLASSES, dtype=torch.int64)
    net.eval()
    with torch.no_grad():
        for i in range(0, len(x), batch):
            called = net(x[i:i + batch]).argmax(1)
            both = y[i:i + batch].flatten() * CLASSES + called.flatten()
            counts += torch.bincount(both, minlength=CLASSES ** 2).view(CLASSES, CLASSES)
    net.train()
    hit, truth = counts.diag().double(), counts.sum(1).double()
    iou = hit / (truth + counts.sum(0) - hit)
    there = [k for k in range(1, CLASSES) if truth[k] > 0]
    return iou[there].mean().item()


def train(recipe, data):
    x, y = read(os.path.join(data, "train"))
    vx, vy = read(os.path.join(data, "validation"))
    net = UNet(recipe.width, recipe.levels)
    twin.train(recipe, torch.optim.Adam(net.parameters(), lr=recipe.rate), len(x),
               lambda ids: loss_of(net, *batch_of(x, y, ids, torch.randint(8, (len(ids),)).tolist())),
               lambda: f"mean IoU {mean_iou(net, vx, vy, recipe.batch):.4f}")


def compare(recipe, data, run):
    x, y = read(os.path.join(data, "train"))
    net = UNet(recipe.width, recipe.levels)
    net.load(os.path.join(run, "start.ckpt"))
    return twin.compare(torch.optim.Adam(net.parameters(), lr=recipe.rate), run,
                        lambda ids: loss_of(net, x[ids], y[ids]))


if __name__ == "__main__":
    sys.exit(twin.main(__doc__, RECIPES, train, compare))
