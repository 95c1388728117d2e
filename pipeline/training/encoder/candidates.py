"""Other ways to store and compute the matrix products, kept to be compared with the one that ships."""

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto

from arithmetic import BYTE, FloatArithmetic, Int8Arithmetic, to_bytes
from graph import GraphWriter
from weights import Array

SEVEN_BITS = np.float32(63)


class FullRangeWeights(Int8Arithmetic):
    """As shipped, but weights up to 127: the finest, and cut short by CPUs without VNNI."""

    def bytes_of(self, weight: Array) -> tuple[Array, Array]:
        """A column's largest weight is 127."""
        return to_bytes(weight, np.abs(weight).max(axis=0, keepdims=True) / BYTE)


class SevenBitWeights(Int8Arithmetic):
    """As shipped, but weights up to 63: the usual way to be safe without VNNI."""

    def bytes_of(self, weight: Array) -> tuple[Array, Array]:
        """A column's largest weight is 63."""
        return to_bytes(weight, np.abs(weight).max(axis=0, keepdims=True) / SEVEN_BITS)


class WeightsOnly(Int8Arithmetic):
    """Bytes on disk, floats in memory."""

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """A product of floats."""
        product = graph.op("MatMul", value, self.matrix(graph, name, weight))
        return graph.op("Add", product, graph.constant(f"{name}.bias", bias))


class DynamicPerBatch(Int8Arithmetic):
    """The usual dynamic int8: one scale for all activations of a batch."""

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """The pattern that onnxruntime.quantization.quantize_dynamic writes."""
        bytes_, scales = self.bytes_of(weight)
        matrix = graph.constant(f"{name}.bytes", bytes_)
        zeros = graph.constant(f"{name}.zeros", np.zeros(scales.size, np.int8))
        rounded, scale, zero = graph.ops("DynamicQuantizeLinear", 3, value)
        whole = graph.op("MatMulInteger", rounded, matrix, zero, zeros)
        scale = graph.op("Mul", scale, graph.constant(f"{name}.scale", scales.reshape(-1)))
        product = graph.op("Mul", graph.op("Cast", whole, to=TensorProto.FLOAT), scale)
        return graph.op("Add", product, graph.constant(f"{name}.bias", bias))


class Static(Int8Arithmetic):
    """Static QDQ: one scale a product, from the ranges seen on a calibration set; `kept` products stay float."""

    def __init__(
        self, ranges: Mapping[str, tuple[float, float]], kept: tuple[str, ...] = ()
    ) -> None:
        self._ranges = ranges
        self._kept = kept

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """Unsigned bytes with a zero point."""
        if name.endswith(self._kept):
            return WeightsOnly().product(graph, name, value, weight, bias)
        low, high = self._ranges[name]
        scale = np.float32((high - low) / 255)
        step = graph.constant(f"{name}.step", scale)
        zero = graph.constant(f"{name}.zero_point", np.uint8(round(-low / scale)))
        rounded = graph.op("QuantizeLinear", value, step, zero)
        rounded = graph.op("DequantizeLinear", rounded, step, zero)
        product = graph.op("MatMul", rounded, self.matrix(graph, name, weight))
        return graph.op("Add", product, graph.constant(f"{name}.bias", bias))


class Blockwise(Int8Arithmetic):
    """ONNX Runtime's MatMulNBits: a scale a block of rows of the weights, and of each token's values."""

    def __init__(self, block: int) -> None:
        self._block = block

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """Computed in bytes (accuracy level 4)."""
        rows, columns = weight.shape
        blocks = weight.reshape(-1, self._block, columns).transpose(2, 0, 1)
        scales = np.abs(blocks).max(axis=2, keepdims=True) / 127
        bytes_ = (np.round(blocks / scales) + 128).astype(np.uint8)
        product = graph.op(
            "MatMulNBits",
            value,
            graph.constant(f"{name}.bytes", bytes_),
            graph.constant(f"{name}.scale", scales[:, :, 0].astype(np.float32)),
            domain="com.microsoft",
            K=rows,
            N=columns,
            bits=8,
            block_size=self._block,
            accuracy_level=4,
        )
        return graph.op("Add", product, graph.constant(f"{name}.bias", bias))


class Observed(FloatArithmetic):
    """Floats; remembers what goes into each product."""

    def __init__(self) -> None:
        super().__init__(np.float32)
        self.inputs: dict[str, str] = {}

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """As any float product."""
        self.inputs[name] = value
        return super().product(graph, name, value, weight, bias)
