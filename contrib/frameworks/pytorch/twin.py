# SPDX-License-Identifier: BSD-3-Clause
"""What the twins of segmenting workloads share: the rate, the steps that tests'
`twin_losses` left, and the command line."""
import argparse
import glob
import math
import os
import sys

import torch

TOLERANCE = 1e-5  # relative: five digits


def files(folder):
    found = sorted(glob.glob(os.path.join(folder, "*.h5")) + glob.glob(os.path.join(folder, "*.hdf5")))
    if not found:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {folder} holds no .h5 or .hdf5 file")
    return found


def rate_at(recipe, epoch):
    """Half an epoch of warm-up, then a cosine to a hundredth."""
    warm = min(1.0, epoch / 0.5)
    return recipe.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2)


def step(rule, rate, loss_of):
    for group in rule.param_groups:
        group["lr"] = rate
    rule.zero_grad()
    loss = loss_of()
    loss.backward()
    rule.step()
    return loss.item()


def train(recipe, rule, samples, loss_of, quality):
    """loss_of(ids) of a batch; quality() of the validation part, as text."""
    steps = -(-samples // recipe.batch)
    for epoch in range(recipe.epochs):
        order, total = torch.randperm(samples).tolist(), 0.0
        for s in range(steps):
            ids = order[s * recipe.batch:(s + 1) * recipe.batch]
            total += step(rule, rate_at(recipe, epoch + s / steps), lambda: loss_of(ids)) / steps
        print(f"epoch {epoch + 1}: loss {total:.4f} {quality()}", flush=True)


def compare(rule, run, loss_of):
    """The steps of RUN; 0 when all losses agree, else 1."""
    worst, steps = 0.0, 0
    with open(os.path.join(run, "steps.txt")) as f:
        for line in f:  # rate, loss, ids
            rate, ours, *ids = line.split()
            loss = step(rule, float(rate), lambda: loss_of([int(i) for i in ids]))
            far = abs(float(ours) - loss) / loss
            worst, steps = max(worst, far), steps + 1
            print(f"PyTorch {loss:.7f} here {float(ours):.7f} off by {far:.1e}")
    return 0 if steps >= 3 and worst < TOLERANCE else 1


def main(words, recipes, train_on, compare_with):
    p = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data")
    p.add_argument("--class", dest="size", default="tiny")
    p.add_argument("--model", help="of the class; its first where not said")
    p.add_argument("--compare", metavar="RUN")
    p.add_argument("--epochs", type=int)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    row = f"{a.size}/{a.model}" if a.model else a.size
    if row not in recipes:
        p.error(f"there is no {row}; there are {', '.join(recipes)}")
    recipe = recipes[row]
    if a.compare:
        return compare_with(recipe, a.data, a.compare)
    recipe.epochs = a.epochs or recipe.epochs
    train_on(recipe, a.data)
    return 0
