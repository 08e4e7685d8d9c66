"""What a YOLOv8-nano detector costs in ONNX Runtime. Speed only: there are no weights, so nothing is found.

The graph has the published layout of YOLOv8n (a backbone of C2f blocks, SPPF, a path down and up, three
decoupled heads) and random weights, batch normalisation folded into the convolutions as an export does. A
strip of 256 x 1600 pixels is a multiple of the largest stride both ways and is taken whole at native scale,
without padding; it has exactly as many pixels as a tile of 640 x 640. Non-maximum suppression is not counted.
"""

import argparse
import json
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import strips
from strips import DataError, Result, Strip

STRIDE = 32  # pixels; sides are multiples of it
BINS = 16  # of the distance to each side of a box
PUBLISHED_PARAMETERS = 3_151_904  # of YOLOv8n with 80 classes, batch normalisation folded


class Graph:
    """Collects the nodes of a network; a tensor is its name and its channels."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0
        self.random = np.random.default_rng(1)

    def add(self, kind: str, inputs: list[str], **attributes: object) -> str:
        """A node with one output, whose name is given back."""
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        """The name of a tensor of constants."""
        name = f"constant{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def plain(self, x: str, inside: int, outside: int, kernel: int, stride: int = 1) -> str:
        """A convolution with a bias and nothing after it."""
        size = (outside, inside, kernel, kernel)
        weight = self.random.normal(0, (2 / (inside * kernel**2)) ** 0.5, size).astype(np.float32)
        self.parameters += weight.size + outside
        return self.add(
            "Conv",
            [x, self.constant(weight), self.constant(np.zeros(outside, np.float32))],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[kernel // 2] * 4,
        )

    def conv(self, x: str, inside: int, outside: int, kernel: int, stride: int = 1) -> str:
        """A convolution and x * sigmoid(x)."""
        y = self.plain(x, inside, outside, kernel, stride)
        return self.add("Mul", [y, self.add("Sigmoid", [y])])

    def c2f(self, x: str, inside: int, outside: int, repeats: int, adds: bool) -> str:
        """Half of the channels pass repeats bottlenecks; everything in between is joined."""
        half = outside // 2
        y = self.conv(x, inside, outside, 1)
        first, last = f"{y}_a", f"{y}_b"
        self.nodes.append(helper.make_node("Split", [y], [first, last], axis=1, num_outputs=2))
        parts = [first, last]
        for _ in range(repeats):
            z = self.conv(self.conv(parts[-1], half, half, 3), half, half, 3)
            parts.append(self.add("Add", [parts[-1], z]) if adds else z)
        return self.conv(self.add("Concat", parts, axis=1), half * len(parts), outside, 1)

    def sppf(self, x: str, channels: int) -> str:
        """Maxima over 5, 9 and 13 pixels beside the values themselves."""
        parts = [self.conv(x, channels, channels // 2, 1)]
        for _ in range(3):
            parts.append(self.add("MaxPool", [parts[-1]], kernel_shape=[5, 5], pads=[2] * 4, strides=[1, 1]))
        return self.conv(self.add("Concat", parts, axis=1), channels * 2, channels, 1)

    def above(self, x: str, beside: str) -> str:
        """x at twice its size, joined with what has that size."""
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.add("Concat", [self.add("Resize", [x, "", scales], mode="nearest"), beside], axis=1)

    def head(self, x: str, inside: int, classes: int) -> str:
        """Box distances, as the mean over BINS, and class scores of every place: [1, 4 + classes, places]."""
        box = self.conv(self.conv(x, inside, 64, 3), 64, 64, 3)
        box = self.plain(box, 64, 4 * BINS, 1)
        wide = max(64, min(classes, 100))
        kind = self.plain(self.conv(self.conv(x, inside, wide, 3), wide, wide, 3), wide, classes, 1)
        shape = self.constant(np.array([1, 4, BINS, -1], np.int64))
        bins = self.add("Softmax", [self.add("Reshape", [box, shape])], axis=2)
        weighed = self.add(
            "Mul", [bins, self.constant(np.arange(BINS, dtype=np.float32).reshape(1, 1, BINS, 1))]
        )
        sides = self.add("ReduceSum", [weighed, self.constant(np.array([2], np.int64))], keepdims=0)
        flat = self.add("Reshape", [kind, self.constant(np.array([1, classes, -1], np.int64))])
        return self.add("Concat", [sides, self.add("Sigmoid", [flat])], axis=1)


def yolov8n(classes: int, height: int, width: int) -> tuple[onnx.ModelProto, int]:
    """The network for pictures of height x width pixels, and how many parameters it has."""
    g = Graph()
    x = g.conv(g.conv("images", 3, 16, 3, 2), 16, 32, 3, 2)
    x = g.c2f(x, 32, 32, 1, True)
    eighth = g.c2f(g.conv(x, 32, 64, 3, 2), 64, 64, 2, True)
    sixteenth = g.c2f(g.conv(eighth, 64, 128, 3, 2), 128, 128, 2, True)
    deepest = g.c2f(g.conv(sixteenth, 128, 256, 3, 2), 256, 256, 1, True)
    deepest = g.sppf(deepest, 256)
    middle = g.c2f(g.above(deepest, sixteenth), 384, 128, 1, False)
    fine = g.c2f(g.above(middle, eighth), 192, 64, 1, False)
    middle = g.c2f(g.add("Concat", [g.conv(fine, 64, 64, 3, 2), middle], axis=1), 192, 128, 1, False)
    deepest = g.c2f(g.add("Concat", [g.conv(middle, 128, 128, 3, 2), deepest], axis=1), 384, 256, 1, False)
    heads = [g.head(x, n, classes) for x, n in ((fine, 64), (middle, 128), (deepest, 256))]
    g.nodes.append(helper.make_node("Concat", heads, ["boxes"], axis=2))
    graph = helper.make_graph(
        g.nodes,
        "yolov8n",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 4 + classes, None])],
        g.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model, g.parameters


def peer(args: argparse.Namespace) -> Result:
    """Times the network over whole strips."""
    counted = yolov8n(80, STRIDE, STRIDE)[1]
    if counted != PUBLISHED_PARAMETERS - BINS:  # counted there: the constants 0 to 15
        sys.exit(
            f"yolo_nano.py: the graph has {counted} parameters, the published one {PUBLISHED_PARAMETERS}"
        )
    every = strips.read_strips(args.data)
    shape = every[0].grey.shape
    if any(s.grey.shape != shape for s in every) or shape[0] % STRIDE or shape[1] % STRIDE:
        raise DataError(
            f"the strips of {args.data} are not all of one size whose sides are multiples of {STRIDE} pixels"
        )
    try:
        classes = len(json.loads((args.bundle / "manifest.json").read_text())["classes"]) - 1
    except OSError as e:
        raise DataError(
            f"the model in {args.bundle} cannot be read ({e.strerror}); name its bundle with --bundle"
        ) from e
    model, parameters = yolov8n(classes, *shape)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    cv2.setNumThreads(1)
    pixels = np.empty((1, 3, *shape), np.float32)

    def work(strip: Strip) -> None:
        np.multiply(strip.grey, np.float32(1 / 255), out=pixels[0])
        session.run(None, {"images": pixels})

    speed = strips.rate(every, work, args.seconds)
    note = (
        f"YOLO nano: {parameters:,} parameters with random weights, {classes} classes, whole strips at "
        "native scale. Its recall is not measured: there are no weights."
    )
    return Result("YOLOv8n layout, ONNX Runtime", None, speed, None, None, note)


if __name__ == "__main__":
    strips.main(
        strips.arguments("Times the layout of YOLOv8n, with random weights, on labelled strips."), peer
    )
