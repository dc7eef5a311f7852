#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""torch_losses.py DIR: trains what engine_losses left in DIR with PyTorch
(same start values, samples, order, rule) and compares the losses: exit 0 when
all agree to 5 digits, 1 when not, 77 when there is no PyTorch."""
import os
import sys

try:
    import torch
    import torch.nn as nn
except ImportError as e:
    print(f"no PyTorch ({e}); Debian: python3-torch")
    sys.exit(77)

SIDE = 8
TOLERANCE = 1e-5


def floats(folder, name):
    with open(os.path.join(folder, name + ".f32"), "rb") as f:
        return torch.frombuffer(bytearray(f.read()), dtype=torch.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(4, 16, 3, padding=1)
        self.conv2 = nn.Conv3d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(32 * (SIDE // 4) ** 3, 24)
        self.fc2 = nn.Linear(24, 12)
        self.fc3 = nn.Linear(12, 4)

    def forward(self, x):
        act, pool = nn.functional.leaky_relu, nn.functional.max_pool3d
        x = pool(act(self.conv1(x), 0.3), 2)
        x = pool(act(self.conv2(x), 0.3), 2).flatten(1)
        x = act(self.fc2(act(self.fc1(x), 0.3)), 0.3)
        return torch.tanh(self.fc3(x)) * 1.2


class Lamb(torch.optim.Optimizer):
    """As the paper has it (You et al. 2020, algorithm 2); PyTorch has none."""

    def __init__(self, params, lr, betas, eps, weight_decay):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                s = self.state[p]
                if not s:
                    s.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                s["t"] += 1
                s["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                s["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                m, v = s["m"] / (1 - b1 ** s["t"]), s["v"] / (1 - b2 ** s["t"])
                d = m / (v.sqrt() + group["eps"]) + group["weight_decay"] * p
                far, long = p.norm(), d.norm()
                p.sub_(d, alpha=group["lr"] * float(far / long if far > 0 and long > 0 else 1))


def read_rule(folder, params):
    with open(os.path.join(folder, "rule.txt")) as f:
        name, *words = f.read().split()
    k = {key: float(value) for key, value in (w.split("=") for w in words)}
    adam = dict(lr=k["rate"], betas=(k["beta1"], k["beta2"]), eps=k["eps"], weight_decay=k["decay"])
    sgd = dict(lr=k["rate"], momentum=k["momentum"], weight_decay=k["decay"])
    rules = {
        "sgd": lambda: torch.optim.SGD(params, **sgd),
        "clip": lambda: torch.optim.SGD(params, **sgd),
        "adam": lambda: torch.optim.Adam(params, **adam),
        "adamw": lambda: torch.optim.AdamW(params, **adam),
        "rmsprop": lambda: torch.optim.RMSprop(params, alpha=k["beta2"], eps=k["eps"], **sgd),
        "lamb": lambda: Lamb(params, **adam),
    }
    return rules[name](), k["clip"]


def main(folder):
    torch.set_num_threads(2)
    net = Net()
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(floats(folder, name).view(p.shape))
    cubes = floats(folder, "cubes").view(-1, SIDE, SIDE, SIDE, 4).permute(0, 4, 1, 2, 3).contiguous()
    labels = floats(folder, "labels").view(-1, 4)
    rule, clip = read_rule(folder, net.parameters())
    with open(os.path.join(folder, "steps.txt")) as f:
        steps = [[int(w) for w in line.split()] for line in f]
    with open(os.path.join(folder, "losses.txt")) as f:
        ours = [float(line) for line in f]
    if len(ours) != len(steps) or len(ours) < 5:
        print(f"{len(ours)} losses of {len(steps)} steps")
        return 1
    worst = 0.0
    for ids, our in zip(steps, ours):
        rule.zero_grad()
        loss = nn.functional.mse_loss(net(cubes[ids]), labels[ids])
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        rule.step()
        far = abs(our - loss.item()) / abs(loss.item())
        worst = max(worst, far)
        print(f"{len(ids)} samples: PyTorch {loss.item():.7f} here {our:.7f} off by {far:.1e}")
    return 0 if worst < TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
