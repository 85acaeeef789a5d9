#!/usr/bin/env python3
"""Time from opening the device to the end of the first training step, on an empty and on a warm kernel cache.

Two figures added: the wall time of `cldann devices` (process, platforms, devices), and what `cldann train` says itself,
"kernels ready in X s": plan, programs, kernels and one step. Loading data is in neither. The kernel cache is POCL's, in a
folder of the script's own, emptied before each cold start; the warm start is the next run on the same folder.

usage: bench/startup.py [EXPERIMENT] [--cldann build/cldann] [--times 5] [--set KEY=VALUE ...]
       default: experiments/digits.conf with few data, the network of experiments/mnist-mnistm.conf
"""
import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time

SMALL = ["data.%s.n=64" % s for s in ("source", "target", "source_test", "target_test")]


def start(cldann, experiment, settings):
    begin = time.monotonic()
    subprocess.run([cldann, "devices"], check=True, stdout=subprocess.DEVNULL)
    opening = time.monotonic() - begin
    args = [cldann, "train", experiment, "--set", "steps=1"]
    for s in settings:
        args += ["--set", s]
    run = subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    ready = re.search(r"kernels ready in ([0-9.]+) s", run.stderr)
    if run.returncode or not ready:
        raise SystemExit("startup.py: no first step: " + run.stderr.strip())
    return opening + float(ready.group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?")
    parser.add_argument("--cldann", default="build/cldann")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    a = parser.parse_args()
    settings = a.set if a.experiment else SMALL + a.set
    cold, warm = [], []
    for _ in range(a.times):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["POCL_CACHE_DIR"] = cache
            cold.append(start(a.cldann, a.experiment or "experiments/digits.conf", settings))
            warm.append(start(a.cldann, a.experiment or "experiments/digits.conf", settings))
    for name, t in (("empty cache", cold), ("warm cache", warm)):
        print("first step, %-12s %.2f s (median of %d, %.2f to %.2f)" % (name + ":", statistics.median(t), len(t), min(t), max(t)))


if __name__ == "__main__":
    main()
