#!/usr/bin/env python3
"""What `cldann train --tensorboard` wrote, as TensorBoard's own reader has it: the figures of metrics.jsonl, each step once, also
where a training was stopped (SIGTERM) and went on with --resume.

usage: tests/events_in_tensorboard.py CLDANN    (needs tensorboard)
"""
import glob
import json
import math
import os
import signal
import subprocess
import sys
import tempfile

from tensorboard.backend.event_processing import event_accumulator

TAGS = {"loss/label": "label_loss", "loss/domain": "domain_loss", "accuracy/label": "label_accuracy",
        "accuracy/domain": "domain_accuracy", "accuracy/validation": "validation_accuracy", "lambda": "lambda", "lr": "lr"}
EXPERIMENT = "experiments/blobs.conf"


def compare(folder):
    with open(os.path.join(folder, "metrics.jsonl")) as f:
        lines = [json.loads(line) for line in f]
    windows, result = [line for line in lines if line["type"] == "progress"], lines[-1]
    events = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.SCALARS: 0}, purge_orphaned_data=False)
    events.Reload()
    for tag, key in TAGS.items():
        scalars = events.Scalars(tag)
        assert [s.step for s in scalars] == [w["step"] for w in windows], (tag, len(scalars), len(windows))
        assert all(math.isclose(s.value, w[key], rel_tol=1e-6) for s, w in zip(scalars, windows)), tag
    for i, branch in enumerate(("features", "label_head", "domain_head")):
        scalars = events.Scalars("gradient_norm/" + branch)
        assert all(math.isclose(s.value, w["gradient_norm"][i], rel_tol=1e-6) for s, w in zip(scalars, windows)), branch
    for key in "source_accuracy", "target_accuracy", "domain_accuracy":
        [last] = events.Scalars("result/" + key)
        assert last.step == result["steps"] and math.isclose(last.value, result[key], rel_tol=1e-6), key
    return len(windows)


def main():
    with tempfile.TemporaryDirectory() as folder:
        train = [sys.argv[1], "train", EXPERIMENT, "--set", "steps=20000", "--set", "log_every=10", "--set", "validation.share=0.2",
                 "--tensorboard", "--no-report", "--out", folder, "--json"]
        first = subprocess.Popen(train, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(3):
            first.stdout.readline()
        first.send_signal(signal.SIGTERM)
        first.communicate()
        assert first.returncode == 143, first.returncode
        with open(os.path.join(folder, "metrics.jsonl")) as f:
            done = len(f.readlines())
        subprocess.run([*train, "--resume"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        files = glob.glob(os.path.join(folder, "events.out.tfevents.*"))
        assert len(files) == 2, files
        windows = compare(folder)
        assert done < windows
        print(f"{windows} windows in {len(files)} files, {done} of them before the stop")


if __name__ == "__main__":
    main()
