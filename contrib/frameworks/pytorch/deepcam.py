#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The workload `deepcam` in PyTorch: the same files, network and recipe. Started as
defect.py is (--class tiny or small; --model deeplab with small), with the same two
uses and exit statuses."""
import os
import sys

import defect  # first: it says which packages are missing
import h5py
import numpy as np
import torch
import torch.nn as nn
import twin
from deeplab import DeepLab

CLASSES, CHANNELS = 3, 16
NORTHWARD = [11, 12]  # V850, VBOT: what a mirror at the equator turns round
SCALE_SAMPLES = 64


class Recipe:
    """workloads/component/deepcam.c, recipes."""

    def __init__(self, network, batch, epochs, rate, weights):
        self.network, self.batch = network, batch
        self.epochs, self.rate, self.weights = epochs, rate, weights


def unet(levels):
    return lambda: defect.UNet(16, levels, CHANNELS, CLASSES)


def deeplab(divide, middle):
    return lambda: DeepLab(divide, middle, CHANNELS, CLASSES)


RECIPES = {
    "tiny": Recipe(unet(3), 4, 20, 3e-3, [1.0026, 1.9204, 1.6901]),
    "small": Recipe(unet(4), 4, 12, 2e-3, [1.002, 2.768, 1.677]),
    "small/deeplab": Recipe(deeplab(8, 4), 4, 12, 2e-3, [1.002, 2.768, 1.677]),
}


def optimizer(parameters, rate):
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)


def read(folder):
    """Channels first, as stored, and the labels."""
    data, labels = [], []
    for path in twin.files(folder):
        with h5py.File(path, "r") as f:
            data.append(f["climate/data"][()].transpose(2, 0, 1))
            labels.append(f["climate/labels_0"][()])
    return np.stack(data), torch.from_numpy(np.stack(labels).astype(np.int64))


def scale_of(x, data):
    """Mean and deviation of each channel: by stats.h5, else of at most 64 moments."""
    path = os.path.join(data, "stats.h5")
    if os.path.exists(path):
        with h5py.File(path, "r") as f:
            mean, squares = (f[f"climate/{name}"][()].astype(np.float64) for name in ("mean", "sqmean"))
        if (squares - mean ** 2 > 1e-5 * squares).all():
            return mean, np.sqrt(squares - mean ** 2)
    n = min(len(x), SCALE_SAMPLES)
    some = x[[i * len(x) // n for i in range(n)]].astype(np.float64)
    mean = some.mean((0, 2, 3))
    return mean, np.sqrt((some ** 2).mean((0, 2, 3)) - mean ** 2)


def scaled(x, scale):
    mean, deviation = (s.reshape(1, CHANNELS, 1, 1).astype(np.float32) for s in scale)
    return torch.from_numpy((x - mean) * (1 / deviation))


def turned(x, y, roll, mirror, scale):
    """Of scaled channels: rolled in longitude, mirrored at the equator."""
    x, y = x.roll(-roll, -1), y.roll(-roll, -1)
    if mirror:
        x, y = x.flip(-2), y.flip(-2)
        for c in NORTHWARD:  # (-v - m) / d of (v - m) / d
            x[c] = -x[c] - 2 * scale[0][c] / scale[1][c]
    return x, y


def loss_of(net, x, y, weights):
    """The mean over places of weight x cross-entropy; not divided by the weights."""
    return nn.functional.cross_entropy(net(x), y, torch.tensor(weights), reduction="none").mean()


def sample_iou(net, x, y, batch):
    """Mean over samples of the mean IoU over classes; 1 of one neither there nor called."""
    total = 0.0
    net.eval()
    with torch.no_grad():
        for i in range(0, len(x), batch):
            for called, truth in zip(net(x[i:i + batch]).argmax(1), y[i:i + batch]):
                both = torch.bincount((truth * CLASSES + called).flatten(), minlength=CLASSES ** 2)
                both = both.view(CLASSES, CLASSES).double()
                hit = both.diag()
                union = both.sum(0) + both.sum(1) - hit
                total += torch.where(union > 0, hit / union.clamp(min=1), 1.0).mean().item()
    net.train()
    return total / len(x)


def train(recipe, data):
    x, y = read(os.path.join(data, "train"))
    vx, vy = read(os.path.join(data, "validation"))
    scale = scale_of(x, data)
    x, vx = scaled(x, scale), scaled(vx, scale)
    net = recipe.network()

    def loss(ids):
        pairs = [turned(x[i], y[i], int(torch.randint(x.shape[-1], ())), bool(torch.randint(2, ())), scale)
                 for i in ids]
        return loss_of(net, *(torch.stack(part) for part in zip(*pairs)), recipe.weights)

    twin.train(recipe, optimizer(net.parameters(), recipe.rate), len(x), loss,
               lambda: f"mean IoU {sample_iou(net, vx, vy, recipe.batch):.4f}")


def compare(recipe, data, run):
    x, y = read(os.path.join(data, "train"))
    x = scaled(x, scale_of(x, data))
    net = recipe.network()
    net.load(os.path.join(run, "start.ckpt"))
    return twin.compare(optimizer(net.parameters(), recipe.rate), run,
                        lambda ids: loss_of(net, x[ids], y[ids], recipe.weights))


if __name__ == "__main__":
    sys.exit(twin.main(__doc__, RECIPES, train, compare))
