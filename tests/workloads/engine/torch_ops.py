#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""torch_ops.py DIR: does what engine_ops left in DIR with PyTorch, in double
precision, and compares outputs, losses, gradients and running statistics: exit
0 when all agree, 1 when not, 77 when there is no PyTorch."""
import os
import sys

try:
    import torch
    import torch.nn.functional as F
except ImportError as e:
    print(f"no PyTorch ({e}); Debian: python3-torch")
    sys.exit(77)

# Ours are float32, PyTorch's double: sums of a few hundred products, some 10 of
# 6e-8, of the norm of the whole array. Batch norm takes differences of nearly
# equal sums: a few times that.
TOLERANCE = 3e-6

# Masks are random, by our own numbers.
SKIPPED = {"dropout", "dropout_map", "cosmo"}


class Case:
    """Hands out inputs, parameters, states, targets in the order of op_cases.c."""

    def __init__(self, parts, batch, rows, eval_mode):
        self.parts, self.batch, self.rows, self.eval = parts, batch, rows, eval_mode
        self.n = {"input": 0, "param": 0, "state": 0, "target": 0}
        self.leaves, self.states = {}, {}

    def _next(self, kind):
        i = self.n[kind]
        self.n[kind] += 1
        return f"{kind}{i}", self.parts[f"value_{kind}{i}"].double()

    def x(self):
        name, v = self._next("input")
        self.leaves[name] = v[: self.rows].clone().requires_grad_()
        return self.leaves[name]

    def w(self):
        name, v = self._next("param")
        self.leaves[name] = v.requires_grad_()
        return self.leaves[name]

    def t(self):
        return self._next("target")[1][: self.rows]

    def state(self):
        name, v = self._next("state")
        self.states[name] = v
        return v

    def norm(self, x):
        w, b = self.w(), self.w()
        mean, var = self.state(), self.state()
        return F.batch_norm(x, mean, var, w, b, not self.eval, 0.1, 1e-2)

    def conv(self, x, bias, stride=1, pad=(0, 0), **k):
        """pad: (before, after) of all dimensions, or of each, the last one first."""
        w = self.w()
        b = self.w() if bias else None
        dims = x.dim() - 2
        pads = list(pad) if len(pad) == 2 * dims else list(pad) * dims
        return (F.conv3d if dims == 3 else F.conv2d)(F.pad(x, pads), w, b, stride, **k)

    def deconv(self, x, bias, stride=1, cut=(0, 0)):
        w = self.w()
        b = self.w() if bias else None
        dims = x.dim() - 2
        y = (F.conv_transpose3d if dims == 3 else F.conv_transpose2d)(x, w, b, stride)
        cuts = list(cut) if len(cut) == 2 * dims else list(cut) * dims
        return F.pad(y, [-c for c in cuts])

    def depthwise(self, x, bias, stride=1, pad=(0, 0), **k):
        return self.conv(x, bias, stride, pad, groups=x.shape[1], **k)

    def dense(self, x, bias=True):
        w = self.w()
        return F.linear(x, w, self.w() if bias else None)


def norm_residual(c):
    x = c.x()
    # parameters are numbered as op_cases.c makes them: the convolution's first
    y = c.norm(c.conv(x, False, pad=(1, 1)))
    x = F.relu(y + x)
    y = c.norm(c.conv(x, False))
    return torch.tanh(c.norm(x) + y)


def upsample(c, mode):
    def up(x, k):
        if mode == "nearest":
            return F.interpolate(x, scale_factor=k, mode="nearest")
        how = "trilinear" if x.dim() == 5 else "bilinear"
        return F.interpolate(x, scale_factor=k, mode=how, align_corners=False)

    x = c.conv(c.x(), False)
    y = up(c.x(), 3).flatten(1)
    return torch.cat([up(x, 2).flatten(1), y], 1)


def conv2d_atrous(c):
    x = c.conv(c.x(), False)
    far = c.conv(x, False, pad=(6, 6), dilation=6)
    return torch.cat([c.conv(x, True, pad=(2, 2), dilation=2), far], 1) * 0.1


def depthwise_wide(c):
    x = c.depthwise(c.conv(c.x(), True), False, 2, (1, 1))
    x = F.relu(c.conv(x, False) * 0.3)
    x = c.depthwise(c.depthwise(x, False, pad=(2, 2), dilation=2), True)
    return c.conv(x, False)


def deconv2d_twice(c):
    x = c.conv(c.x(), False)
    x = F.conv_transpose2d(x, c.w(), None, 2, 1, 1) * 0.1
    return F.conv_transpose2d(x, c.w(), None, 2, 1, 1)


def upsample_by(c):
    x = c.conv(c.x(), False)
    y = x.mean((2, 3), keepdim=True).expand(-1, -1, 3, 12)
    return torch.cat([y, F.interpolate(x, size=(3, 12), mode="bilinear", align_corners=False)], 1)


def deconv_wide(c):
    x = c.conv(c.x(), True, pad=(1, 1))
    y = torch.tanh(c.deconv(x * 0.1, True, 2))
    y = torch.cat([y, y], 1) * 0.1
    y = torch.sigmoid(c.deconv(y, True, 1, (1, 1)))
    return c.conv(y, True)


def sigmoid(c):
    x = torch.sigmoid(torch.sigmoid(c.conv(c.x(), True)) * 2)
    return c.conv(x, True)


def sigmoid_pool(c):
    x = F.max_pool2d(c.conv(c.x(), True), 2)
    return c.conv(torch.sigmoid(x), False)


def mul(c):
    x = c.x()
    y = c.conv(x, True)
    z = c.x() * y * x
    return (z + y * y) * 0.1


def add(c):
    x = c.x()
    y = c.conv(x, True, pad=(1, 1))
    return y + x + y


def concat_slice(c):
    x, y = c.x(), c.x()
    a = torch.cat([y, x, y], 1)
    return a[:, :3] + a[:, 3:6]


def stop(c):
    x = c.x()
    y = c.dense(x)
    return y + c.dense(x).detach()


def shared(c):
    h, w, b = c.x(), c.w(), c.w()
    for _ in range(3):
        h = torch.tanh(F.linear(h, w, b) * 0.5)
    return h


def cosmo_fused(c):
    x = c.x()
    for _ in range(3):
        x = F.max_pool3d(F.leaky_relu(c.conv(x, True, pad=(1, 1)), 0.3), 2)
    return c.dense(F.leaky_relu(c.dense(x.flatten(1)), 0.3)) * 0.01


def patches(x, p):
    """Rows of a batch: B x N x C p p."""
    return F.unfold(x, p, stride=p).transpose(1, 2)


def unpatch(x, p, h, w):
    return F.fold(x.transpose(1, 2), (h, w), p, stride=p)


def attention(qkv, heads):
    b, n, d = qkv.shape
    q, k, v = qkv.view(b, n, 3, heads, d // 3 // heads).permute(2, 0, 3, 1, 4)
    p = torch.softmax(q @ k.transpose(2, 3) / (q.shape[3] ** 0.5), 3)
    return (p @ v).transpose(1, 2).reshape(b, n, d // 3)


def norm_rows(c, x, eps):
    w, b = c.w(), c.w()
    return F.layer_norm(x, w.shape, w, b, eps)


def patches_wide(c):
    x = patches(c.conv(c.x(), True, pad=(1, 1)), 3)
    return c.conv(unpatch(x * 0.1, 3, 6, 9) * 0.3, True)


def positions(c):
    x, p = patches(c.x(), 2), c.w()
    return unpatch(torch.tanh(x + p) + p, 2, 4, 6)


def layer_norm_long(c):
    x = c.dense(c.x())
    w, b = c.w(), c.w()
    x = F.layer_norm(x, w.shape, w, b, 1e-2)
    return c.dense(F.layer_norm(x + x, w.shape, w, b, 1e-2), False)


def gelu(c):
    x = c.conv(F.gelu(c.conv(c.x(), True) * 2), True)
    return c.dense(F.gelu(x.flatten(1)))


def attention_long(c):
    x = attention(c.dense(patches(c.x(), 1)) * 2, 2)
    return unpatch(c.dense(x, False), 1, 13, 10)


def transformer(c):
    # parameters are numbered as op_cases.c makes them
    x = c.dense(patches(c.x(), 2)) + c.w()
    y = attention(c.dense(norm_rows(c, x, 1e-5)) * 0.3, 2) * 0.5
    x = x + c.dense(y) * 0.3
    y = F.gelu(c.dense(norm_rows(c, x, 1e-5)) * 0.3)
    return unpatch((x + c.dense(y) * 0.3) * 0.3, 2, 4, 8)


def mean(each, weight):
    """Not divided by the sum of the weights."""
    return (each * weight).mean()


def mse_element(c):
    x, t = c.x(), c.t()
    return mean(F.mse_loss(x, t, reduction="none"), c.t())


def bce_row(c):
    x, t = c.x() * 2, c.t()
    return mean(F.binary_cross_entropy_with_logits(x, t, reduction="none"), c.t())


def smooth_l1(c):
    x, t = c.x(), c.t()
    return mean(F.smooth_l1_loss(x, t, reduction="none", beta=0.5), c.t())


def entropy(x, t, of, weight):
    t = t.long()
    t[(t < 0) | (t >= x.shape[1])] = -100
    return mean(F.cross_entropy(x, t, of, reduction="none", ignore_index=-100), weight)


def cross_entropy_map(c):
    x = c.conv(c.x(), True)
    t, w = c.t()[:, 0], c.t()[:, 0]
    return entropy(x, t, torch.tensor([0.5, 2, 1.25]).double(), w)


def cross_entropy_row(c):
    x = c.dense(c.x())
    t, w = c.t()[:, 0], c.t()[:, 0]
    return entropy(x, t, None, w)


def losses_added(c):
    x, t = c.dense(c.x()), c.t()
    return F.mse_loss(x, t) + 0.5 * F.binary_cross_entropy_with_logits(x, t)


CASES = {
    "conv2d": lambda c: c.conv(c.x(), True, pad=(1, 1)),
    "conv2d_stride": lambda c: c.conv(c.x(), True, 2, (1, 1)),
    "conv2d_uneven": lambda c: c.conv(c.x(), False, (1, 2), (1, 2, 0, 1)),
    "conv2d_1x1": lambda c: c.conv(c.x(), True),
    "conv2d_small_map": lambda c: c.conv(
        c.conv(c.conv(c.x(), False), True, pad=(1, 1)) * 0.1, True, 2, (1, 1)) * 0.1,
    "conv2d_dilated": lambda c: c.conv(c.x(), True, (1, 2), (3, 3, 2, 2), dilation=(2, 3)),
    "conv2d_atrous": conv2d_atrous,
    "depthwise2d": lambda c: c.depthwise(c.x(), True, pad=(1, 1)),
    "depthwise_uneven": lambda c: c.depthwise(c.x(), False, (3, 1), (2, 1, 0, 1), dilation=(1, 2)),
    "depthwise3d": lambda c: c.depthwise(c.x(), True, (2, 1, 2), (1, 1, 1, 1, 0, 0)),
    "depthwise_wide": depthwise_wide,
    "conv3d": lambda c: c.conv(c.x(), True, pad=(1, 1)),
    "conv3d_stride": lambda c: c.conv(c.x(), True, 2),
    "conv3d_wide": lambda c: c.conv(c.conv(c.x(), True, pad=(1, 1)), True, pad=(1, 1)),
    "deconv2d": lambda c: c.deconv(c.x(), True, 2),
    "deconv2d_overlap": lambda c: c.deconv(c.x(), False, 2, (1, 1)),
    "deconv2d_twice": deconv2d_twice,
    "deconv2d_uneven": lambda c: c.deconv(c.x(), True, (3, 1), (1, 2, 0, 1)),
    "deconv2d_one": lambda c: torch.tanh(c.deconv(c.conv(c.x(), False), False, 2, (1, 1)) * 0.1),
    "deconv3d": lambda c: c.deconv(c.x(), True, (2, 1, 2), (1, 0, 1, 1, 0, 0)),
    "deconv_wide": deconv_wide,
    "maxpool2d": lambda c: F.max_pool2d(c.x(), 2),
    "maxpool2d_overlap": lambda c: F.max_pool2d(c.x(), 3, 2, 1),
    "maxpool3d": lambda c: F.max_pool3d(c.x(), 2),
    "maxpool3d_odd": lambda c: F.max_pool3d(c.x(), 2),
    "norm_map": lambda c: c.norm(c.x()),
    "norm_rows": lambda c: c.norm(c.x()),
    "norm_wide": lambda c: F.leaky_relu(c.norm(c.conv(c.x(), False)), 0.3),
    "norm_residual": norm_residual,
    "avgpool2d": lambda c: F.avg_pool2d(c.x(), 3, 2, 1, count_include_pad=False),
    "avgpool3d": lambda c: F.avg_pool3d(c.conv(c.x(), False), 2),
    "global_avgpool": lambda c: c.dense(c.conv(c.x(), True, pad=(1, 1)).mean((2, 3))),
    "upsample_nearest": lambda c: upsample(c, "nearest"),
    "upsample_linear": lambda c: upsample(c, "linear"),
    "upsample_by": upsample_by,
    "sigmoid": sigmoid,
    "sigmoid_pool": sigmoid_pool,
    "mul": mul,
    "leaky": lambda c: F.leaky_relu(c.x(), 0.3),
    "relu": lambda c: F.relu(c.x()),
    "tanh_scale": lambda c: torch.tanh(c.x()) * 1.2,
    "dense": lambda c: c.dense(c.x()),
    "dense_plain": lambda c: c.dense(c.x(), False),
    "dense_act": lambda c: F.leaky_relu(c.dense(c.x()), 0.3),
    "flatten": lambda c: c.dense(c.conv(c.x(), True, pad=(1, 1)).flatten(1)),
    "add": add,
    "concat_slice": concat_slice,
    "stop": stop,
    "shared": shared,
    "cosmo_fused": cosmo_fused,
    "patches": lambda c: unpatch(c.dense(patches(c.x(), 2)), 2, 4, 6),
    "patches_wide": patches_wide,
    "positions": positions,
    "layer_norm": lambda c: unpatch(norm_rows(c, patches(c.x(), 2), 1e-2), 2, 4, 6),
    "layer_norm_long": layer_norm_long,
    "gelu": gelu,
    "attention": lambda c: unpatch(attention(c.dense(patches(c.x(), 2)), 2), 2, 4, 6),
    "attention_long": attention_long,
    "transformer": transformer,
    "mse_element": mse_element,
    "bce_row": bce_row,
    "smooth_l1": smooth_l1,
    "cross_entropy_map": cross_entropy_map,
    "cross_entropy_row": cross_entropy_row,
    "losses_added": losses_added,
}


def read(folder):
    """Yields name, batch, rows and {part: tensor}."""
    name, parts = None, {}
    with open(os.path.join(folder, "index.txt")) as f:
        for line in f:
            word, *rest = line.split()
            if word == "case":
                if name:
                    yield name, batch, rows, parts
                name, batch, rows = rest[0], int(rest[1]), int(rest[2])
                parts = {}
                continue
            with open(os.path.join(folder, f"{name}.{word}.f32"), "rb") as data:
                v = torch.frombuffer(bytearray(data.read()), dtype=torch.float32)
            parts[word] = v.view([int(d) for d in rest])
    yield name, batch, rows, parts


def distance(ours, theirs):
    theirs = theirs.detach().view(ours.shape)
    size = max(float(theirs.norm()), 1e-30)
    return float((ours.double() - theirs).norm()) / size


def whole(v, batch):
    """Rows past the real ones have no gradient."""
    full = torch.zeros([batch] + list(v.shape[1:]), dtype=v.dtype)
    full[: len(v)] = v
    return full


def check(name, batch, rows, parts):
    op, how = name.rsplit(".", 1)
    c = Case(parts, batch, rows, how == "eval")
    y = CASES[op](c)
    loss = y if y.dim() == 0 else F.mse_loss(y, c.t())
    wanted = {"loss0": loss.view(1)}
    if y.dim():
        parts["output0"] = parts["output0"][:rows]
        wanted["output0"] = y
    else:
        del parts["output0"]
    wanted.update(c.states)
    if how != "eval":
        loss.backward()
        for leaf, v in c.leaves.items():
            g = torch.zeros_like(v) if v.grad is None else v.grad
            wanted[leaf] = whole(g, batch) if leaf.startswith("input") else g
    have = {p for p in parts if not p.startswith("value_")}
    if have != set(wanted):
        print(f"{name}: {sorted(have)} here, {sorted(wanted)} with PyTorch")
        return False
    far = {p: distance(parts[p], v) for p, v in wanted.items()}
    worst = max(far, key=far.get)
    good = far[worst] <= TOLERANCE
    if not good:
        print(f"{name}: {worst} is off by {far[worst]:.1e}")
    return good


def main(folder):
    torch.set_num_threads(1)
    good, n, seen = True, 0, set()
    for name, batch, rows, parts in read(folder):
        op = name.rsplit(".", 1)[0]
        seen.add(op)
        if op in SKIPPED:
            continue
        if op not in CASES:
            print(f"{op} is not written with PyTorch yet")
            good = False
            continue
        good = check(name, batch, rows, parts) and good
        n += 1
    for op in (set(CASES) | SKIPPED) - seen:
        print(f"{op} did not come")
        good = False
    print(f"{n} runs of {len(seen)} operators compared")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
