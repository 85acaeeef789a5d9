#!/usr/bin/env python3
"""Models in PyTorch, there and back, without any conversion.

There: model.safetensors goes into the equivalent torch.nn module by load_state_dict(strict=True), and the module's probabilities
are those of `cldann predict` to 1e-5. Back: some steps of SGD in PyTorch, save_file with the metadata that the file had, and
`cldann predict` and `cldann eval` are held against the changed module. A file that was saved without metadata no longer holds
its experiment, and `cldann eval EXPERIMENT MODEL` must say the same of it.

The net has a layer of each kind with weights, trained here on random numbers. With MODEL and DATA also a model of
experiments/mnist-mnistm.conf (preset tf-dann) on MNIST-M's test digits, made with `cldann data mnist-m`: the mean loss must be equal to
1e-5, relative, and no more than two digits in 10,000 may be told apart otherwise.

usage: tests/model_in_torch.py CLDANN [MODEL DATA]    (DATA holds mnist/ and BSR_bsds500.tgz; needs PyTorch and safetensors)
"""
import gzip
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

TOLERANCE = 1e-5
DIGITS = "experiments/mnist-mnistm.conf"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def evaluate(command, *arguments):
    return json.loads(run(command, "eval", *arguments, "--json", "--quiet").splitlines()[-1])


def mean_of(path):
    with safe_open(path, "pt") as f:
        return torch.tensor([float(v) for v in f.metadata()["input_mean"].split()])


# ---- there and back ----

ITEMS, SHAPE, CLASSES, SCALE = 60, (11, 9, 3), 4, 0.00392156862745098
EXPERIMENT = """steps = 30; batch = 20; log_every = 30; eval_batch = 16; lr = {{ lr = 0.05; }};
input = {{ scale = {scale}; subtract_mean = true; }};
net = {{ input = {shape};
  features = ( {{ op = "conv2d"; filters = 6; kernel = [3, 2]; stride = [2, 1]; padding = [1, 1, 0, 0]; name = "conv1"; }},
    {{ op = "batch_norm"; name = "norm1"; }}, {{ op = "leaky_relu"; slope = 0.2; }}, {{ op = "max_pool"; window = 2; }},
    {{ op = "lrn"; size = 3; alpha = 0.5; k = 2.0; }},
    {{ op = "conv2d"; filters = 6; kernel = 2; groups = 2; name = "conv2"; }}, {{ op = "tanh"; }}, {{ op = "flatten"; }},
    {{ op = "batch_norm"; name = "norm2"; }} );
  label_head = ( {{ op = "dense"; units = 7; name = "label1"; }}, {{ op = "sigmoid"; }}, {{ op = "dropout"; rate = 0.2; }},
    {{ op = "dense"; units = 4; name = "label2"; }}, {{ op = "softmax_xent"; }} );
  domain_head = ( {{ op = "reversal"; }}, {{ op = "dense"; units = 1; name = "domain"; }}, {{ op = "logistic_xent"; }} ); }};
data = {{ {sets} }};
"""


class Small(nn.Module):
    """The net of EXPERIMENT, by its names."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 6, (3, 2), (2, 1), (1, 0)), nn.BatchNorm2d(6)
        self.conv2, self.norm2 = nn.Conv2d(6, 6, 2, groups=2), nn.BatchNorm1d(36)
        self.label1, self.label2, self.domain = nn.Linear(36, 7), nn.Linear(7, CLASSES), nn.Linear(36, 1)

    def forward(self, x):
        x = functional.max_pool2d(functional.leaky_relu(self.norm1(self.conv1(x)), 0.2), 2)
        x = functional.local_response_norm(x, 3, 0.5, 0.75, 2.0)
        features = self.norm2(torch.tanh(self.conv2(x)).flatten(1))
        x = functional.dropout(torch.sigmoid(self.label1(features)), 0.2, self.training)
        return self.label2(x), self.domain(features)


def write_experiment(folder, draw):
    sets = ""
    for role in "source", "target", "source_test", "target_test":
        numpy.save(os.path.join(folder, role), draw.integers(0, 256, (ITEMS, *SHAPE), dtype="uint8"))
        numpy.save(os.path.join(folder, role + "-labels"), (numpy.arange(ITEMS) % CLASSES).astype("int32"))
        sets += f'{role} = {{ kind = "file"; path = "{folder}/{role}.npy"; labels = "{role}-labels.npy"; }};\n  '
    experiment = os.path.join(folder, "small.conf")
    with open(experiment, "w") as f:
        f.write(EXPERIMENT.format(scale=SCALE, shape=list(SHAPE), sets=sets))
    return experiment


def images(folder, role, mean):
    x = torch.from_numpy(numpy.load(os.path.join(folder, role + ".npy"))).float()
    return ((x - mean) * SCALE).permute(0, 3, 1, 2), torch.arange(ITEMS) % CLASSES


def differences(command, folder, model, net, mean):
    """Between cldann and the module: of a probability, of the domain's, of a mean loss, of items that are told apart otherwise."""
    net.eval()
    with torch.no_grad():
        label, domain = net(images(folder, "target_test", mean)[0])
        lines = run(command, "predict", model, os.path.join(folder, "target_test.npy"), "--json", "--quiet").splitlines()
        ours = [json.loads(line) for line in lines]
        apart = [(label.softmax(1) - torch.tensor([o["probabilities"] for o in ours])).abs().max().item(),
                 (domain.sigmoid()[:, 0] - torch.tensor([o["target"] for o in ours])).abs().max().item()]
        result = evaluate(command, model)
        for role in "source", "target":
            x, y = images(folder, role + "_test", mean)
            label, _ = net(x)
            apart.append(abs(functional.cross_entropy(label, y).item() - result[role + "_loss"]))
            apart.append(abs((label.argmax(1) == y).float().mean().item() - result[role + "_accuracy"]))
    return max(apart)


def train_on(net, x, y):
    net.train()
    steps = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for _ in range(20):
        steps.zero_grad()
        label, domain = net(x)
        (functional.cross_entropy(label, y) + domain.square().mean()).backward()
        steps.step()


def there_and_back(command, folder):
    experiment = write_experiment(folder, numpy.random.default_rng(5))
    model, back, bare = (os.path.join(folder, n) for n in ("run/model.safetensors", "back.safetensors", "bare.safetensors"))
    run(command, "train", experiment, "--quiet", "--no-report", "--out", os.path.join(folder, "run"))
    mean = mean_of(model)
    net = Small()
    net.load_state_dict(load_file(model), strict=True)
    there = differences(command, folder, model, net, mean)

    torch.manual_seed(1)
    train_on(net, *images(folder, "source", mean))
    with safe_open(model, "pt") as f:
        save_file(net.state_dict(), back, metadata=f.metadata())
    again = differences(command, folder, back, net, mean)
    before, after = evaluate(command, model), evaluate(command, back)
    moved = abs(after["source_loss"] - before["source_loss"])
    print(f"differences: there {there:.2g}, back {again:.2g}, where the loss moved by {moved:.2g}")

    save_file(net.state_dict(), bare)
    alone = subprocess.run([command, "eval", bare, "--quiet"], stderr=subprocess.PIPE, text=True)
    named = evaluate(command, experiment, bare)
    assert alone.returncode != 0 and "name the experiment file too" in alone.stderr, alone.stderr
    assert all(named[key] == after[key] for key in after if key not in ("seconds", "samples_per_second")), (named, after)
    return there <= TOLERANCE and again <= TOLERANCE and moved > 100 * TOLERANCE


# ---- digits ----


class Digits(nn.Module):
    """Features and label head, by the experiment's names."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 48, 5, padding=2)
        self.label1, self.label2, self.label3 = nn.Linear(2352, 100), nn.Linear(100, 100), nn.Linear(100, 10)
        self.domain1, self.domain2 = nn.Linear(2352, 100), nn.Linear(100, 2)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2).flatten(1)
        return self.label3(functional.relu(self.label2(functional.relu(self.label1(x)))))


def read_idx(path):
    with open(path, "rb") as f:
        data = f.read()
    dims = struct.unpack(">" + "I" * data[3], data[4:4 + 4 * data[3]])
    return torch.frombuffer(bytearray(data[4 + 4 * data[3]:]), dtype=torch.uint8).reshape(dims)


def channel_mean(folder, data):
    """The per-channel mean over both training sets, as input.subtract_mean takes it: MNIST binarised, and MNIST-M."""
    target = read_idx(os.path.join(folder, "mnistm-train-images-idx4-ubyte"))[5000:]
    with gzip.open(os.path.join(data, "mnist", "train-images-idx3-ubyte.gz")) as f:
        source = torch.frombuffer(bytearray(f.read()[16:]), dtype=torch.uint8).reshape(60000, 28, 28)[5000:]
    ink = (source > 0).double().mean() * 255
    return ((target.reshape(-1, 3).double().mean(0) + ink) / 2).float()


def digits(command, folder, model, data):
    ours = evaluate(command, DIGITS, model, "--data", data)
    net = Digits()
    net.load_state_dict(load_file(model), strict=True)
    run(command, "data", "mnist-m", "--mnist", os.path.join(data, "mnist"), "--bsds", os.path.join(data, "BSR_bsds500.tgz"), "--out",
        folder, "--seed", "1")
    mean = channel_mean(folder, data)
    images_of = read_idx(os.path.join(folder, "mnistm-t10k-images-idx4-ubyte"))
    labels = read_idx(os.path.join(folder, "mnistm-t10k-labels-idx1-ubyte")).long()
    with torch.no_grad():
        logits = torch.cat([net(((x.float() - mean) * 0.00392156862745098).permute(0, 3, 1, 2)) for x in images_of.split(500)])
    loss = functional.cross_entropy(logits, labels).item()
    hits = (logits.argmax(1) == labels).sum().item()
    print(f"loss: cldann {ours['target_loss']:.7f}, PyTorch {loss:.7f}; "
          f"hits of {len(labels)}: cldann {round(ours['target_accuracy'] * len(labels))}, PyTorch {hits}")
    same = math.isclose(ours["target_loss"], loss, rel_tol=TOLERANCE)
    return same and abs(round(ours["target_accuracy"] * len(labels)) - hits) <= 2


def main():
    with tempfile.TemporaryDirectory() as folder:
        fine = there_and_back(sys.argv[1], folder)
        if len(sys.argv) > 2:
            fine = digits(sys.argv[1], folder, *sys.argv[2:4]) and fine
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
