#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The workload `forecast` in PyTorch: the same files, network and recipe. Started as
defect.py is (--class tiny, small or standard), with the same two uses and exit statuses."""
import os
import sys

import defect  # first: it says which packages are missing
import h5py
import numpy as np
import torch
import torch.nn as nn
import twin

import checkpoint

NORTHWARD = [2, 12, 17, 19]  # V850, VBOT, V500, V200: what a mirror at the equator turns round
SEEN_SEQUENCES = 128
STEPS = 4
CLIP = 1.0
EDGE = 66.0


class Recipe:
    """workloads/component/forecast.c, recipes."""

    def __init__(self, variables, rows, columns, patch, width, layers, heads, batch, epochs, rate):
        self.variables, self.rows, self.columns = variables, rows, columns
        self.patch, self.width, self.layers, self.heads = patch, width, layers, heads
        self.batch, self.epochs, self.rate = batch, epochs, rate


RECIPES = {
    "tiny": Recipe(6, 32, 64, 4, 128, 4, 4, 8, 20, 2e-3),
    "small": Recipe(20, 64, 128, 4, 256, 6, 8, 8, 20, 1e-3),
    "standard": Recipe(20, 720, 1440, 8, 768, 12, 12, 16, 80, 2.5e-4),
}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def attention(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if hasattr(nn.functional, "scaled_dot_product_attention"):  # from 2.0 on
            y = nn.functional.scaled_dot_product_attention(q, k, v)
        else:
            y = torch.softmax(q @ k.transpose(2, 3) / (d // self.heads) ** 0.5, 3) @ v
        return self.proj(y.transpose(1, 2).reshape(b, n, d))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))


class Forecaster(nn.Module):
    def __init__(self, r):
        super().__init__()
        self.r = r
        row = r.variables * r.patch ** 2
        self.embed = nn.Linear(row, r.width)
        self.positions = nn.Parameter(torch.randn(r.rows * r.columns // r.patch ** 2, r.width) * 0.02)
        for i in range(r.layers):
            self.add_module(f"block{i + 1}", Block(r.width, r.heads))
        self.norm, self.head = nn.LayerNorm(r.width), nn.Linear(r.width, row)
        for name, m in self.named_modules():
            if isinstance(m, nn.Linear):
                if name == "head":
                    nn.init.normal_(m.weight, std=0.02)
                else:
                    nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        b, c, h, w = x.shape
        p = self.r.patch
        x = x.reshape(b, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5).reshape(b, -1, c * p * p)
        x = self.embed(x) + self.positions
        for i in range(self.r.layers):
            x = getattr(self, f"block{i + 1}")(x)
        x = self.head(self.norm(x)).view(b, h // p, w // p, c, p, p)
        return x.permute(0, 3, 1, 4, 2, 5).reshape(b, c, h, w)

    def load(self, path):
        start = checkpoint.values(path)
        with torch.no_grad():
            for name, p in self.named_parameters():
                name += ".weight" if name == "positions" else ""
                p.copy_(torch.from_numpy(start[name].copy()))


class Rule(torch.optim.AdamW):
    """With the gradient's norm held."""

    def step(self, closure=None):
        nn.utils.clip_grad_norm_([p for group in self.param_groups for p in group["params"]], CLIP)
        return super().step(closure)


def optimizer(parameters, rate):
    return Rule(parameters, lr=rate, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.05)


def read(folder):
    """Sequences, moments and variables first: n x 5 x C x H x W."""
    parts = []
    for path in twin.files(folder):
        with h5py.File(path, "r") as f:
            parts.append(f["weather"][()].transpose(0, 1, 4, 2, 3))
    return np.concatenate(parts)


def scale_of(x):
    """Mean, deviation, and that of the changes in deviations, of at most 128 sequences."""
    n = min(len(x), SEEN_SEQUENCES)
    some = x[[i * len(x) // n for i in range(n)]].astype(np.float64)
    mean = some.mean((0, 1, 3, 4))
    deviation = np.sqrt((some ** 2).mean((0, 1, 3, 4)) - mean ** 2)
    change = np.sqrt(((some[:, 1:] - some[:, :-1]) ** 2).mean((0, 1, 3, 4))) / deviation
    climate = (some.mean((0, 1, 4)) - mean[:, None]) / deviation[:, None]
    return [torch.from_numpy(v.astype(np.float32)) for v in (mean, 1 / deviation, change, climate)]


def scaled(x, scale):
    mean, inverse = (s.view(1, 1, -1, 1, 1) for s in scale[:2])
    return (torch.from_numpy(x) - mean) * inverse


def turned(x, scale):
    """A sequence rolled in longitude, mirrored at the equator or not."""
    x = x.roll(int(torch.randint(x.shape[-1], ())), -1)
    if torch.rand(()) < 0.5:
        x = x.flip(-2).clone()
        for c in [c for c in NORTHWARD if c < x.shape[1]]:  # (-v - m) / d of (v - m) / d
            x[:, c] = -x[:, c] - 2 * scale[0][c] * scale[1][c]
    return x


def loss_of(net, now, then, scale):
    return nn.functional.mse_loss(net(now), (then - now) / scale[2].view(-1, 1, 1))


def rmse(forecast, truth):
    """Latitude-weighted, of each sample the mean of the variables; then of the samples."""
    rows = truth.shape[-2]
    middle = -EDGE + 2 * EDGE * (torch.arange(rows) + 0.5) / rows
    weight = torch.cos(torch.deg2rad(middle))
    weight = (weight / weight.mean()).view(-1, 1)
    return float(((forecast - truth) ** 2 * weight).mean((-2, -1)).sqrt().mean())


def quality(net, x, scale, batch):
    state, made = x[:, 0], []
    net.eval()
    with torch.no_grad():
        for i in range(0, len(x), batch):
            s = state[i:i + batch]
            for _ in range(STEPS):
                s = s + scale[2].view(-1, 1, 1) * net(s)
            made.append(s)
    net.train()
    return rmse(torch.cat(made), x[:, STEPS])


def train(recipe, data):
    x, vx = read(os.path.join(data, "train")), read(os.path.join(data, "validation"))
    scale = scale_of(x)
    x, vx = scaled(x, scale), scaled(vx, scale)
    net = Forecaster(recipe)

    def loss(ids):
        pairs = [(turned(x[i], scale), int(torch.randint(STEPS, ()))) for i in ids]
        return loss_of(net, torch.stack([s[t] for s, t in pairs]),
                       torch.stack([s[t + 1] for s, t in pairs]), scale)

    twin.train(recipe, optimizer(net.parameters(), recipe.rate), len(x), loss,
               lambda: f"RMSE a day ahead {quality(net, vx, scale, recipe.batch):.4f}")


def compare(recipe, data, run):
    x = read(os.path.join(data, "train"))
    scale = scale_of(x)
    x = scaled(x, scale)
    net = Forecaster(recipe)
    net.load(os.path.join(run, "start.ckpt"))
    return twin.compare(optimizer(net.parameters(), recipe.rate), run,
                        lambda ids: loss_of(net, x[ids, 0], x[ids, 1], scale))


if __name__ == "__main__":
    sys.exit(twin.main(__doc__, RECIPES, train, compare))
