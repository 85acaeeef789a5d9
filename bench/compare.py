#!/usr/bin/env python3
"""Paired timing: cldann against PyTorch, same network, batch and cores, in turn.

The network is that of experiments/mnist-mnistm.conf (preset tf-dann), on random rows. Each pair runs PyTorch, then
cldann, and gives one ratio of their times; the median of the ratios is the figure to quote, since a machine's speed
drifts. PyTorch gets channels_last, its fastest layout here, and both get THREADS threads.

  training   one step of BATCH rows (64: 32 + 32), data gathering, optimiser and all
  inference  the label head's output for BATCH rows (500), without gradients; cldann also counts loss and hits
  gemm       products of SHAPES (rows x columns x depth): PyTorch's matmul, cldann's own launches, and CLBlast's, which
             a tuning file has cldann call for each; bias included in cldann's

usage: bench/compare.py [training|inference|gemm] [--cldann build/cldann] [--pairs 5] [--batch N] [--threads 2]
                        [--shapes 64x100x2352,1024x1024x1024] [--no-clblast]
needs: PyTorch (Debian: python3-torch libopenblas0; run it with the python3 that has it)
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

# Set from outside, these hold OpenBLAS to an older processor's kernels; it reads them when it is loaded.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import torch
import torch.nn.functional as F
from torch import nn

EXPERIMENT = "experiments/mnist-mnistm.conf"
PRODUCT = "bench/dense.conf"
SHAPES = "64x100x2352,250x100x2352,256x256x256,512x512x512,1024x1024x1024,2048x512x1024"


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


def torch_gemm(m, n, k):
    a, b, c = torch.rand(m, k), torch.rand(k, n), torch.empty(m, n)
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


def bench(command, experiment, *args):
    """All objects that cldann bench prints; the last is the summary."""
    out = subprocess.run([command, "bench", experiment, "--json", *args], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in out.stdout.strip().splitlines()]


def time_product(command, m, n, k, tuning):
    """Milliseconds of the launches of a dense layer's product, and the peak."""
    rows = bench(command, PRODUCT, "--batch", str(m), "--inference", "--tuning", tuning, "--set", f"net.input=[1,1,{k}]",
                 "--set", f'net.features=({{op="dense"; units={n}; name="product";}})')
    us = sum(r["us"] for r in rows if r["type"] == "launch" and r["node"] == "product")
    return us / 1e3, rows[-1]


def clblast_tuning(folder, m, n, k):
    """A tuning file that has CLBlast do one product, with its own parameters."""
    path = os.path.join(folder, "clblast.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write('tuning = ( { device = "*"; platform = "*"; driver = "*"; '
                f'choices = ( {{ of = "gemm {m}x{n}x{k}"; use = "clblast"; }} ); }} );\n')
    return path


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def compare_products(a):
    print(f"{'rows x columns x depth':>22} {'PyTorch ms':>11} {'cldann ms':>10} {'% of peak':>9} {'CLBlast ms':>11}  "
          "PyTorch/cldann, CLBlast/cldann (least to most)")
    with tempfile.TemporaryDirectory() as folder:
        for shape in a.shapes.split(","):
            m, n, k = (int(x) for x in shape.split("x"))
            theirs, ours, library, peaks = [], [], [], []
            for _ in range(a.pairs):
                theirs.append(time_torch(torch_gemm(m, n, k)))
                c, last = time_product(a.cldann, m, n, k, "none")
                ours.append(c)
                peaks.append(2 * m * n * k / c / 1e6 / last["peak_gflops"])
                if a.clblast:
                    library.append(time_product(a.cldann, m, n, k, clblast_tuning(folder, m, n, k))[0])
            by_library = spread([l / c for l, c in zip(library, ours)]) if library else "-"
            print(f"{shape:>22} {statistics.median(theirs):11.3f} {statistics.median(ours):10.3f} "
                  f"{100 * statistics.median(peaks):9.0f} {statistics.median(library) if library else float('nan'):11.3f}  "
                  f"{spread([t / c for t, c in zip(theirs, ours)])}, {by_library}", flush=True)
    print(f"PyTorch {torch.__version__}, {a.threads} threads; cldann on {last['device']}; medians of {a.pairs} pairs")


def compare_steps(a, step, batch):
    ours, theirs, peaks = [], [], []
    args = ["--batch", str(batch)] + (["--inference"] if a.what == "inference" else [])
    for pair in range(a.pairs):
        theirs.append(time_torch(step))
        last = bench(a.cldann, EXPERIMENT, *args)[-1]
        c = last["step_ms"]
        ours.append(c)
        peaks.append(last["gflops_dense"] / last["peak_gflops"])
        print(f"pair {pair + 1}: PyTorch {theirs[-1]:7.2f} ms, cldann {c:7.2f} ms, {theirs[-1] / c:.2f} times as fast, "
              f"{100 * peaks[-1]:.0f} % of the peak of {last['peak_gflops']:.0f} GFLOP/s", flush=True)
    ratios = [t / c for t, c in zip(theirs, ours)]
    print(f"PyTorch {torch.__version__}, {a.threads} threads; cldann on {last['device']}")
    print(f"{a.what}, {batch} rows, median of {a.pairs} pairs: PyTorch {statistics.median(theirs):.2f} ms, "
          f"cldann {statistics.median(ours):.2f} ms: {statistics.median(ratios):.2f} times as fast "
          f"(from {min(ratios):.2f} to {max(ratios):.2f}), {100 * statistics.median(peaks):.0f} % of the peak")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="training", choices=["training", "inference", "gemm"])
    parser.add_argument("--cldann", default="build/cldann")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--no-clblast", dest="clblast", action="store_false")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    os.environ["POCL_MAX_PTHREAD_COUNT"] = os.environ["POCL_CPU_MAX_CU_COUNT"] = str(a.threads)
    if a.what == "gemm":
        compare_products(a)
        return
    batch = a.batch or {"training": 64, "inference": 500}[a.what]
    compare_steps(a, {"training": torch_training, "inference": torch_inference}[a.what](batch), batch)


if __name__ == "__main__":
    main()
