#!/usr/bin/env python3
"""Paired timing: cldann against PyTorch, same network, batch and cores, in turn.

The network is that of experiments/mnist-mnistm.conf (preset tf-dann), on random rows. Each pair runs PyTorch, then
cldann, and gives one ratio of their times; the median of the ratios is the figure to quote, since a machine's speed
drifts. PyTorch gets channels_last, its fastest layout here, and both get THREADS threads.

  training   one step of BATCH rows (64: 32 + 32), data gathering, optimiser and all
  inference  the label head's output for BATCH rows (500), without gradients; cldann also counts loss and hits
  gemm       the product inside a dense layer of 1024 x 1024 on 1024 rows: PyTorch's matmul, cldann's launch

usage: bench/compare.py [training|inference|gemm] [--cldann build/cldann] [--pairs 5] [--batch N] [--threads 2]
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

EXPERIMENT = "experiments/mnist-mnistm.conf"
PRODUCT = "bench/dense1024.conf"


class Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.weight * grad, None


def torch_nets():
    features = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 48, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    ).to(memory_format=torch.channels_last)
    label = nn.Sequential(nn.Linear(2352, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))
    domain = nn.Sequential(nn.Linear(2352, 100), nn.ReLU(), nn.Linear(100, 2))
    return features, label, domain


def torch_training(batch):
    features, label, domain = torch_nets()
    params = [p for part in (features, label, domain) for p in part.parameters()]
    optimiser = torch.optim.SGD(params, lr=0.01, momentum=0.9)
    half = batch // 2
    x = torch.rand(batch, 3, 28, 28).to(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (half,))
    d = torch.cat([torch.zeros(half), torch.ones(half)]).long()

    def step():
        f = features(x)
        loss = F.cross_entropy(label(f[:half]), y) + F.cross_entropy(domain(Reversal.apply(f, 0.5)), d)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def torch_inference(batch):
    features, label, _ = torch_nets()
    x = torch.rand(batch, 3, 28, 28).to(memory_format=torch.channels_last)

    def step():
        with torch.no_grad():
            label(features(x))

    return step


def torch_gemm(batch):
    a, b, c = (torch.rand(1024, 1024) for _ in range(3))
    return lambda: torch.mm(a, b, out=c)


def time_torch(step, seconds=1.0):
    for _ in range(5):
        step()
    times, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 5:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def time_cldann(command, what, batch):
    """The median step of cldann bench; for the product, the median time of its launch."""
    args = [command, "bench", PRODUCT if what == "gemm" else EXPERIMENT, "--batch", str(batch), "--json"]
    if what == "inference":
        args.append("--inference")
    lines = subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()
    rows = [json.loads(line) for line in lines]
    last = rows[-1]
    if what != "gemm":
        return last["step_ms"], last
    product = [r for r in rows if r["type"] == "launch" and r["node"] == "product" and r["phase"] == "forward"]
    return product[0]["us"] / 1e3, last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="training", choices=["training", "inference", "gemm"])
    parser.add_argument("--cldann", default="build/cldann")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    batch = a.batch or {"training": 64, "inference": 500, "gemm": 1024}[a.what]
    torch.set_num_threads(a.threads)
    os.environ["POCL_MAX_PTHREAD_COUNT"] = os.environ["POCL_CPU_MAX_CU_COUNT"] = str(a.threads)
    step = {"training": torch_training, "inference": torch_inference, "gemm": torch_gemm}[a.what](batch)
    ours, theirs, peaks = [], [], []
    for pair in range(a.pairs):
        theirs.append(time_torch(step))
        c, last = time_cldann(a.cldann, a.what, batch)
        ours.append(c)
        flops = 2 * 1024**3 / c / 1e6 if a.what == "gemm" else last["gflops_dense"]
        peaks.append(flops / last["peak_gflops"])
        print(f"pair {pair + 1}: PyTorch {theirs[-1]:7.2f} ms, cldann {c:7.2f} ms, {theirs[-1] / c:.2f} times as fast, "
              f"{100 * peaks[-1]:.0f} % of the peak of {last['peak_gflops']:.0f} GFLOP/s", flush=True)
    ratios = [t / c for t, c in zip(theirs, ours)]
    print(f"PyTorch {torch.__version__}, {a.threads} threads; cldann on {last['device']}")
    print(f"{a.what}, {batch} rows, median of {a.pairs} pairs: PyTorch {statistics.median(theirs):.2f} ms, "
          f"cldann {statistics.median(ours):.2f} ms: {statistics.median(ratios):.2f} times as fast "
          f"(from {min(ratios):.2f} to {max(ratios):.2f}), {100 * statistics.median(peaks):.0f} % of the peak")


if __name__ == "__main__":
    main()
