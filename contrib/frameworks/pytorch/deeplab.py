# SPDX-License-Identifier: BSD-3-Clause
"""DeepLabv3+ with an Xception of output stride 16, as workloads/component/deeplab.h has it,
of PyTorch's own modules; named as the engine's parameters are."""
import checkpoint
import torch
import torch.nn as nn


class Separable(nn.Module):
    """Depthwise 3 x 3, 1 x 1; behind it a batch norm, or none."""

    def __init__(self, into, out, stride=1, dilation=1, norm=False):
        super().__init__()
        self.dw = nn.Conv2d(into, into, 3, stride, dilation, dilation, groups=into, bias=False)
        self.pw = nn.Conv2d(into, out, 1, bias=False)
        self.bn = nn.BatchNorm2d(out) if norm else nn.Identity()

    def forward(self, x):
        return self.bn(self.pw(self.dw(x)))


class Block(nn.Module):
    """Separables with norms to those widths, ReLU between; tail: one more of that stride
    without a norm, and a 1 x 1 beside."""

    def __init__(self, into, widths, tail=0):
        super().__init__()
        self.n, self.tail = len(widths), tail
        for i, (a, b) in enumerate(zip([into] + widths, widths)):
            self.add_module(str(i), Separable(a, b, norm=True))
        if tail:
            out = widths[-1]
            self.add_module(str(self.n), Separable(out, out, tail))
            self.skip = nn.Conv2d(into, out, 1, tail, bias=False)
            self.skipbn = nn.BatchNorm2d(out)

    def forward(self, x):
        t = x
        for i in range(self.n):
            t = getattr(self, str(i))(torch.relu(t) if i else t)
        if not self.tail:
            return t + x
        return getattr(self, str(self.n))(t) + self.skipbn(self.skip(x))


class DeepLab(nn.Module):
    def __init__(self, divide, middle, channels, classes):
        super().__init__()
        self.middle = middle

        def w(published):
            return published if divide == 1 else 16 * -(-published // (16 * divide))

        self.layer("conv1", nn.Conv2d(channels, w(32), 3, 2, 1, bias=False), w(32))
        self.layer("conv2", nn.Conv2d(w(32), w(64), 3, 1, 1, bias=False), w(64))
        into = w(64)
        for i, out in enumerate((128, 256, 728)):
            self.add_module(f"block{i + 1}", Block(into, [w(out)] * 2, 2))
            into = w(out)
        for i in range(middle):
            self.add_module(f"block{i + 4}", Block(into, [into] * 3))
        self.exit = Block(into, [w(728), w(1024)], 1)
        into = w(1024)
        for i, out in enumerate((1536, 1536, 2048)):
            self.layer(f"conv{i + 3}", Separable(into, w(out), 1, 2), w(out))
            into = w(out)
        out = w(256)
        for i, dilation in enumerate((0, 6, 12, 18)):
            size = (3, 1, dilation, dilation) if dilation else (1,)
            self.layer(f"aspp{i + 1}", nn.Conv2d(into, out, *size, bias=False), out)
        self.pool = nn.Conv2d(into, out, 1, bias=False)
        self.pool_affine = nn.Conv2d(out, out, 1, groups=out)
        self.layer("bottleneck", nn.Conv2d(5 * out, out, 1, bias=False), out)
        self.layer("low", nn.Conv2d(w(128), w(48), 1, bias=False), w(48))
        for i in (1, 2, 3):
            self.layer(f"up{i}", nn.ConvTranspose2d(out, out, 3, 2, 1, 1, bias=False), out)
        self.layer("last1", nn.Conv2d(out + w(48), out, 3, 1, 1, bias=False), out)
        self.layer("last2", nn.Conv2d(out, out, 3, 1, 1, bias=False), out)
        self.last3 = nn.Conv2d(out, out, 1)
        self.up4 = nn.ConvTranspose2d(out, classes, 3, 2, 1, 1, bias=False)

    def layer(self, name, module, out):
        self.add_module(name, module)
        self.add_module(f"{name}_bn", nn.BatchNorm2d(out))

    def run(self, name, x):
        return torch.relu(getattr(self, f"{name}_bn")(getattr(self, name)(x)))

    def forward(self, x):
        x = self.run("conv2", self.run("conv1", x))
        x = low = torch.relu(self.block1(x))
        for i in range(2, 4 + self.middle):
            x = torch.relu(getattr(self, f"block{i}")(x))
        x = self.exit(x)
        for i in (3, 4, 5):
            x = self.run(f"conv{i}", x)
        pooled = torch.relu(self.pool_affine(self.pool(x.mean((2, 3), keepdim=True))))
        x = torch.cat([self.run(f"aspp{i}", x) for i in (1, 2, 3, 4)]
                      + [pooled.expand(-1, -1, *x.shape[2:])], 1)
        x = self.run("up2", self.run("up1", self.run("bottleneck", x)))
        x = torch.cat([x, self.run("low", low)], 1)
        x = self.last3(self.run("last2", self.run("last1", x)))
        return self.up4(self.run("up3", x))

    def load(self, path):
        start = checkpoint.values(path)
        with torch.no_grad():
            for name, p in self.named_parameters():
                p.copy_(torch.from_numpy(start[name].copy()))
