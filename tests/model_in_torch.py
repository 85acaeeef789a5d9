#!/usr/bin/env python3
"""A trained model.safetensors in PyTorch: load_state_dict without any conversion, then the same accuracy and loss.

Makes MNIST-M's test digits with `cldann data mnist-m`, evaluates a model of experiments/mnist-mnistm.conf (preset tf-dann)
with cldann and, loaded into the equivalent torch.nn module, with PyTorch, on the target's test set. The mean loss must be
equal to 1e-5, relative, and no more than two digits in 10,000 may be told apart otherwise.

usage: tests/model_in_torch.py CLDANN MODEL DATA    (DATA holds mnist/ and BSR_bsds500.tgz; needs PyTorch)
"""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

import torch
from torch import nn
from torch.nn import functional

EXPERIMENT = "experiments/mnist-mnistm.conf"


def read_safetensors(path):
    """The whole format: a length, a JSON header, the tensors' bytes."""
    with open(path, "rb") as f:
        data = f.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    tensors, end = {}, 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        floats = torch.frombuffer(bytearray(data[8 + length + first:8 + length + last]), dtype=torch.float32)
        tensors[name] = floats.reshape(entry["shape"])
        end = max(end, last)
    assert length % 8 == 0 and 8 + length + end == len(data), "the tensors do not fill the file"
    return tensors


class Net(nn.Module):
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
    import gzip
    with gzip.open(os.path.join(data, "mnist", "train-images-idx3-ubyte.gz")) as f:
        source = torch.frombuffer(bytearray(f.read()[16:]), dtype=torch.uint8).reshape(60000, 28, 28)[5000:]
    ink = (source > 0).double().mean() * 255
    return ((target.reshape(-1, 3).double().mean(0) + ink) / 2).float()


def main():
    command, model, data = sys.argv[1:4]
    last = subprocess.run([command, "eval", EXPERIMENT, model, "--data", data, "--json", "--quiet"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()[-1]
    ours = json.loads(last)
    net = Net()
    net.load_state_dict(read_safetensors(model))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([command, "data", "mnist-m", "--mnist", os.path.join(data, "mnist"), "--bsds",
                        os.path.join(data, "BSR_bsds500.tgz"), "--out", folder, "--seed", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        mean = channel_mean(folder, data)
        images = read_idx(os.path.join(folder, "mnistm-t10k-images-idx4-ubyte"))
        labels = read_idx(os.path.join(folder, "mnistm-t10k-labels-idx1-ubyte")).long()
    with torch.no_grad():
        logits = torch.cat([net(((x.float() - mean) * 0.00392156862745098).permute(0, 3, 1, 2)) for x in images.split(500)])
    loss = functional.cross_entropy(logits, labels).item()
    hits = (logits.argmax(1) == labels).sum().item()
    print(f"loss: cldann {ours['target_loss']:.7f}, PyTorch {loss:.7f}; "
          f"hits of {len(labels)}: cldann {round(ours['target_accuracy'] * len(labels))}, PyTorch {hits}")
    same = math.isclose(ours["target_loss"], loss, rel_tol=1e-5)
    sys.exit(0 if same and abs(round(ours["target_accuracy"] * len(labels)) - hits) <= 2 else 1)


if __name__ == "__main__":
    main()
