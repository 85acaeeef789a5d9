#!/usr/bin/env python3
"""Models that `cldann export` wrote as ONNX: onnx.checker, and onnxruntime's probabilities against those of `cldann predict`.

Trains small nets that together have every op, every padding and every form that an input and a label head can have, on random
numbers, and holds the two against each other on items that no training saw: equal to 1e-5, also for a batch of one.

usage: tests/model_in_onnx.py CLDANN    (needs numpy, onnx, onnxruntime)
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

ITEMS, TOLERANCE = 40, 1e-5
HEAD = '{ op = "dense"; units = 4; }, { op = "softmax_xent"; }'
# name, shape of an item (h, w, c), type of its numbers, features, label head, classes
NETS = [
    ("vector", (1, 1, 5), "float32", '{ op = "dense"; units = 6; }, { op = "tanh"; }, { op = "dropout"; rate = 0.5; }', HEAD, 4),
    ("image", (13, 14, 3), "uint8",
     '{ op = "conv2d"; filters = 5; kernel = [3, 4]; stride = 2; padding = "same"; }, { op = "leaky_relu"; slope = 0.2; },'
     '{ op = "max_pool"; window = 3; stride = 2; padding = "ceil"; }, { op = "batch_norm"; stats = "perdomain"; },'
     '{ op = "conv2d"; filters = 7; kernel = 2; padding = [1, 0, 0, 1]; }, { op = "relu"; },'
     '{ op = "avg_pool"; window = 2; padding = "ceil"; }, { op = "flatten"; }, { op = "batch_norm"; }',
     '{ op = "dense"; units = 9; }, { op = "sigmoid"; },' + HEAD, 4),
    ("one unit", (6, 5, 1), "uint8", '{ op = "conv2d"; filters = 4; kernel = 3; }, { op = "relu"; }, { op = "global_pool"; }',
     '{ op = "dense"; units = 1; }, { op = "logistic_xent"; }', 2),
    ("paddings", (11, 9, 2), "float32",
     '{ op = "max_pool"; window = [3, 2]; stride = 2; padding = "same"; },'
     '{ op = "conv2d"; filters = 3; kernel = 3; stride = [2, 1]; padding = "same"; },'
     '{ op = "avg_pool"; window = 3; stride = 1; padding = [1, 2, 0, 1]; }, { op = "max_pool"; window = 2; stride = 3; }', HEAD, 4),
    # What is flat and yet goes on as an image; batch_norm keeps the order that it finds, a convolution needs its own.
    ("flat image", (3, 4, 2), "float32",
     '{ op = "flatten"; }, { op = "batch_norm"; }, { op = "max_pool"; window = 1; },'
     '{ op = "conv2d"; filters = 12; kernel = 1; }, { op = "tanh"; }', HEAD, 4),
    ("groups", (7, 6, 2), "float32",
     '{ op = "conv2d"; filters = 6; kernel = 3; }, { op = "lrn"; size = 3; alpha = 2.0; beta = 0.6; k = 1.5; },'
     '{ op = "conv2d"; filters = 9; kernel = 2; groups = 3; }, { op = "relu"; }', HEAD, 4),
    ("flat lrn", (3, 4, 2), "float32", '{ op = "flatten"; }, { op = "lrn"; size = 5; alpha = 2.0; beta = 0.6; k = 1.5; }', HEAD, 4),
    ("dense image", (3, 4, 2), "float32", '{ op = "dense"; units = 6; }, { op = "conv2d"; filters = 3; kernel = 1; }', HEAD, 4),
    # A loss that reads pixels, and one that reads flattened ones.
    ("image of classes", (4, 4, 2), "float32", '{ op = "relu"; }', '{ op = "conv2d"; filters = 1; kernel = 3; }, { op = "softmax_xent"; }', 4),
    ("flat classes", (4, 4, 2), "float32", '{ op = "batch_norm"; }',
     '{ op = "conv2d"; filters = 2; kernel = [3, 4]; }, { op = "flatten"; }, { op = "softmax_xent"; }', 4),
    ("no weights", (1, 1, 4), "float32", '{ op = "dropout"; rate = 0.1; }', '{ op = "tanh"; }, { op = "softmax_xent"; }', 4),
]


def items(draw, shape, dtype):
    n = (ITEMS, *shape) if shape[:2] != (1, 1) else (ITEMS, shape[2])
    x = draw.random(n)
    return (x * 256).astype("uint8") if dtype == "uint8" else (x * 3 - 1).astype("float32")


def write_experiment(folder, net, draw):
    _, shape, dtype, features, head, classes = net
    sets = ""
    for role in "source", "target":
        numpy.save(os.path.join(folder, role), items(draw, shape, dtype))
        numpy.save(os.path.join(folder, role + "-labels"), (numpy.arange(ITEMS) % classes).astype("int32"))
        sets += (f'  {role} = {{ kind = "file"; path = "{folder}/{role}.npy"; labels = "{role}-labels.npy"; '
                 f"shape = {list(shape)}; }};\n")
    with open(os.path.join(folder, "x.conf"), "w") as f:
        f.write(f"""name = "in onnx"; steps = 12; batch = 20; log_every = 12; eval_batch = 16; lr = {{ lr = 0.05; }};
input = {{ scale = {0.00392156862745098 if dtype == "uint8" else 0.5}; subtract_mean = true; }};
net = {{ input = {list(shape)}; features = ( {features} ); label_head = ( {head} );
  domain_head = ( {{ op = "reversal"; }}, {{ op = "dense"; units = 1; }}, {{ op = "logistic_xent"; }} ); }};
data = {{ classes = {list(range(classes))};
{sets}}};
""")


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def check(command, net, folder):
    """The greatest difference of a probability."""
    name, shape, dtype = net[:3]
    draw = numpy.random.default_rng(7)
    model, graph, data = (os.path.join(folder, n) for n in ("run/model.safetensors", "x.onnx", "new.npy"))
    write_experiment(folder, net, draw)
    run(command, "train", os.path.join(folder, "x.conf"), "--quiet", "--no-report", "--out", os.path.join(folder, "run"))
    x = items(draw, shape, dtype)
    numpy.save(data, x)
    lines = run(command, "predict", model, data, "--json", "--quiet")
    want = numpy.array([json.loads(line)["probabilities"] for line in lines.splitlines()])
    run(command, "export", model, graph, "--quiet")

    whole = onnx.load(graph)
    onnx.checker.check_model(whole, full_check=True)
    about = {p.key: p.value for p in whole.metadata_props}
    assert about["experiment"] == "in onnx" and about["producer"].startswith("cldann "), about
    assert about["classes"].split("\n") == [str(i) for i in range(net[5])], about
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[0] == "batch"
    x = x.astype("float32")
    if x.ndim == 4:
        x = numpy.ascontiguousarray(x.transpose(0, 3, 1, 2))
    logits, got = session.run(["logits", "probabilities"], {"input": x})
    assert got.shape == want.shape and logits.shape[0] == ITEMS, (got.shape, want.shape)
    alone = session.run(["probabilities"], {"input": x[:1]})[0]
    assert want.std(0).min() > 1e-4, "all items look alike"
    return max(abs(got - want).max(), abs(alone - want[:1]).max()), {n.op_type for n in whole.graph.node}


def main():
    failed, used = 0, set()
    for net in NETS:
        with tempfile.TemporaryDirectory() as folder:
            off, operators = check(sys.argv[1], net, folder)
        used |= operators
        failed += not off <= TOLERANCE
        print(f"{net[0]}: probabilities differ by {off:.2g} at most")
    missing = {"Gemm", "Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Flatten",
               "BatchNormalization", "LRN", "Softmax"} - used
    if missing:
        print("no net has", *sorted(missing))
    sys.exit(1 if failed or missing else 0)


if __name__ == "__main__":
    main()
