#!/usr/bin/env python3
"""Paired timing of one training step: cldann against PyTorch, same network, batch and cores, in turn.

The network is that of experiments/mnist-mnistm.conf (preset tf-dann, 32 + 32 images). Each pair runs PyTorch, then
cldann, and gives one ratio of their times per step; the median of the ratios is the figure to quote, since a machine's
speed drifts. PyTorch gets channels_last, its fastest layout here, and both get THREADS threads.

usage: CLDANN_DATA=DIR bench/compare.py [--cldann build/cldann] [--pairs 5] [--steps 200] [--threads 2]
needs: PyTorch (Debian: python3-torch libopenblas0; run it with the python3 that has it)
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F
from torch import nn


class Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.weight * grad, None


def torch_step():
    features = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 48, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    ).to(memory_format=torch.channels_last)
    label = nn.Sequential(nn.Linear(2352, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    domain = nn.Sequential(nn.Linear(2352, 100), nn.ReLU(), nn.Linear(100, 2))
    params = [p for part in (features, label, domain) for p in part.parameters()]
    optimiser = torch.optim.SGD(params, lr=0.01, momentum=0.9)
    x = torch.rand(64, 3, 28, 28).to(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (32,))
    d = torch.cat([torch.zeros(32), torch.ones(32)]).long()

    def step():
        f = features(x)
        loss = F.cross_entropy(label(f[:32]), y) + F.cross_entropy(domain(Reversal.apply(f, 0.5)), d)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def time_torch(step, steps):
    for _ in range(10):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps * 1e3


def time_cldann(command, steps):
    """samples_per_second counts the training steps alone: no loading, no compiling."""
    out = subprocess.run(
        [command, "train", "experiments/mnist-mnistm.conf", "--set", "method=dann", "--set", f"steps={steps}",
         "--json", "--quiet"], check=True, stdout=subprocess.PIPE, text=True).stdout
    last = json.loads(out.strip().splitlines()[-1])
    return 64 / last["samples_per_second"] * 1e3, last["device"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cldann", default="build/cldann")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    os.environ["POCL_MAX_PTHREAD_COUNT"] = os.environ["POCL_CPU_MAX_CU_COUNT"] = str(a.threads)
    step = torch_step()
    ours, theirs, ratios = [], [], []
    for pair in range(a.pairs):
        t = time_torch(step, a.steps)
        c, device = time_cldann(a.cldann, a.steps)
        theirs.append(t)
        ours.append(c)
        ratios.append(c / t)
        print(f"pair {pair + 1}: PyTorch {t:6.2f} ms, cldann {c:6.2f} ms, ratio {c / t:.3f}", flush=True)
    print(f"PyTorch {torch.__version__}, {a.threads} threads; cldann on {device}")
    print(f"median: PyTorch {statistics.median(theirs):.2f} ms, cldann {statistics.median(ours):.2f} ms; "
          f"cldann / PyTorch {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
