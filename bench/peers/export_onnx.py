"""Our network as an ONNX file, for onnxruntime to run: `export_onnx.py MODEL OUT`.

Reads a model file by its layout (classifier/model/src/container.rs: magic, length of
the header, JSON header, numbers, checksum) and builds the network that the header
describes (classifier/model/src/network.rs). Normalisations are folded into the weights
before them, as any serving runtime would have them.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MAGIC = b"MRIMODEL"
CHECKSUM_BYTES = 32
CLASSES = 4
EPSILON = 1e-5


def read(path: Path) -> tuple[dict, np.ndarray]:
    """The header and the numbers of a model file."""
    content = path.read_bytes()
    sealed, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if not content.startswith(MAGIC) or hashlib.sha256(sealed).digest() != checksum:
        sys.exit(f"export_onnx.py: {path} is not a whole model file")
    start = len(MAGIC) + 4
    (length,) = struct.unpack("<I", sealed[len(MAGIC) : start])
    header = json.loads(sealed[start : start + length])
    return header, np.frombuffer(sealed[start + length :], dtype="<f4")


class Builder:
    """The graph so far, and how far its numbers have been read."""

    def __init__(self, numbers: np.ndarray, parameters: int) -> None:
        self.parameters = numbers[:parameters]
        self.statistics = numbers[parameters:]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def take(self, count: int) -> np.ndarray:
        taken, self.parameters = self.parameters[:count], self.parameters[count:]
        return taken

    def constant(self, values: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes) -> str:
        name = f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def unit(self, x: str, size: int, stride: int, channels_in: int, channels_out: int) -> str:
        """A convolution with its normalisation folded in."""
        weights = self.take(size * size * channels_in * channels_out).astype(np.float64)
        scales, offsets = self.take(channels_out), self.take(channels_out)
        means, variances, rest = np.split(self.statistics, [channels_out, 2 * channels_out])
        self.statistics = rest
        factors = scales / np.sqrt(variances.astype(np.float64) + EPSILON)
        # Ours are row, column, channel in, channel out.
        weights = weights.reshape(size, size, channels_in, channels_out) * factors
        weights = self.constant(weights.transpose(3, 2, 0, 1))
        offsets = self.constant(offsets - means * factors)
        pads = [size // 2] * 4
        return self.add("Conv", x, weights, offsets, kernel_shape=[size, size], strides=[stride] * 2, pads=pads)

    def block(self, x: str, stride: int, channels_in: int, channels_out: int) -> str:
        middle = self.add("Relu", self.unit(x, 3, stride, channels_in, channels_out))
        shortcut = x
        if stride == 2:
            shortcut = self.add("AveragePool", shortcut, kernel_shape=[2, 2], strides=[2, 2])
        if channels_in != channels_out:
            shortcut = self.unit(shortcut, 1, 1, channels_in, channels_out)
        last = self.unit(middle, 3, 1, channels_out, channels_out)
        return self.add("Relu", self.add("Add", last, shortcut))

    def head(self, x: str, channels: int, temperature: float) -> str:
        weights = self.constant(self.take(channels * CLASSES).reshape(channels, CLASSES) / temperature)
        offsets = self.constant(self.take(CLASSES) / temperature)
        means = self.add("Flatten", self.add("GlobalAveragePool", x))
        return self.add("Softmax", self.add("Gemm", means, weights, offsets), axis=1)


def model_of(header: dict, numbers: np.ndarray) -> onnx.ModelProto:
    """Probabilities from prepared images: `images` N×1×side×side to `probabilities` N×4."""
    shape = header["architecture"]
    side, widths, blocks = shape["side"], shape["widths"], shape["blocks"]
    statistics = sum_of_statistics(widths, blocks)
    builder = Builder(numbers, len(numbers) - statistics)
    channels = widths[0]
    x = builder.add("Relu", builder.unit("images", 5, 2, 1, channels))
    x = builder.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(count):
            x = builder.block(x, 2 if stage > 0 and block == 0 else 1, channels, width)
            channels = width
    builder.head(x, channels, header["temperature"])
    if len(builder.parameters) or len(builder.statistics):
        sys.exit("export_onnx.py: the file holds more numbers than its network has")
    builder.nodes[-1].output[0] = "probabilities"
    graph = helper.make_graph(
        builder.nodes,
        header["version"],
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, side, side])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])],
        builder.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    preprocessing = json.dumps(header["preprocessing"])
    helper.set_model_props(model, {"preprocessing": preprocessing, "labels": json.dumps(header["labels"])})
    onnx.checker.check_model(model, full_check=True)
    return model


def sum_of_statistics(widths: list[int], blocks: list[int]) -> int:
    """How many means and variances the normalisations have together."""
    channels, count = widths[0], widths[0]
    for width, number in zip(widths, blocks, strict=True):
        for _ in range(number):
            count += 2 * width + (width if channels != width else 0)
            channels = width
    return 2 * count


if __name__ == "__main__":
    source, out = map(Path, sys.argv[1:])
    onnx.save(model_of(*read(source)), out)
