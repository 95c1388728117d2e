"""Two ways to store and compute an encoder: in floats, and in bytes with a scale a token."""

import numpy as np
from onnx import TensorProto

from graph import Arithmetic, GraphWriter
from weights import Array

BYTE = np.float32(127)


class FloatArithmetic(Arithmetic):
    """Weights and activations of one float type."""

    def __init__(self, dtype: type[np.floating]) -> None:
        self.dtype = np.dtype(dtype)

    def embedding(self, graph: GraphWriter, name: str, table: Array, ids: str) -> str:
        """A plain lookup."""
        return graph.op("Gather", graph.constant(f"{name}.weight", table.astype(self.dtype)), ids)

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """A plain product."""
        matrix = graph.constant(f"{name}.weight", weight.astype(self.dtype))
        return graph.op(
            "Add",
            graph.op("MatMul", value, matrix),
            graph.constant(f"{name}.bias", bias.astype(self.dtype)),
        )


class Int8Arithmetic(Arithmetic):
    """
    Signed bytes: a scale a row of the embeddings, a scale a column of the weights, and a scale a token of the activations,
    found as the text is read. A token's scale depends on that token alone, so what else is in the batch changes nothing;
    no calibration set is needed; and an outlier costs its own token precision, not all of them.
    Standard operators only: a runtime that knows the pattern multiplies bytes, one that does not computes the same in floats.
    """

    dtype = np.dtype(np.float32)

    def embedding(self, graph: GraphWriter, name: str, table: Array, ids: str) -> str:
        """Looks bytes up, and their row's scale."""
        bytes_, scales = to_bytes(table, np.abs(table).max(axis=1, keepdims=True) / BYTE)
        rows = graph.op("Gather", graph.constant(f"{name}.bytes", bytes_), ids)
        scale = graph.op("Gather", graph.constant(f"{name}.scale", scales), ids)
        return graph.op("Mul", graph.op("Cast", rows, to=TensorProto.FLOAT), scale)

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """Rounds the tokens to bytes, multiplies, and scales back."""
        rounded, step = round_tokens(graph, value)
        product = graph.op("MatMul", rounded, self.matrix(graph, name, weight))
        product = graph.op("Mul", product, step)
        return graph.op("Add", product, graph.constant(f"{name}.bias", bias))

    def matrix(self, graph: GraphWriter, name: str, weight: Array) -> str:
        """A matrix stored as signed bytes with a scale a column."""
        bytes_, scales = self.bytes_of(weight)
        return graph.op(
            "DequantizeLinear",
            graph.constant(f"{name}.bytes", bytes_),
            graph.constant(f"{name}.scale", scales.reshape(-1)),
            graph.constant(f"{name}.zeros", np.zeros(scales.size, np.int8)),
            axis=1,
        )

    def bytes_of(self, weight: Array) -> tuple[Array, Array]:
        """
        CPUs without VNNI add the products of two neighbouring rows in 16 bits and cut what does not fit. The scales
        here leave no such pair: |a| + |b| <= 128, and 255 * 128 < 2^15. Rarely are two neighbours large, so it costs
        a fraction of a bit where weights up to 63 would cost a whole one.
        """
        pairs = np.abs(weight).reshape(-1, 2, weight.shape[1]).sum(axis=1)
        return to_bytes(weight, pairs.max(axis=0, keepdims=True) / BYTE)


def round_tokens(graph: GraphWriter, value: str) -> tuple[str, str]:
    """Each token in whole steps of its largest magnitude / 127; and those steps."""
    last = graph.constant("last_axis", np.array([-1], np.int64))
    largest = graph.op("ReduceMax", graph.op("Abs", value), last, keepdims=1)
    largest = graph.op("Max", largest, graph.constant("tiny", np.float32(1e-9)))
    per_unit = graph.op("Div", graph.constant("steps", BYTE), largest)
    in_steps = graph.op("Mul", value, per_unit)
    unit = graph.constant("unit", np.float32(1))
    zero = graph.constant("zero_point", np.int8(0))
    rounded = graph.op("QuantizeLinear", in_steps, unit, zero)
    step = graph.op("Mul", largest, graph.constant("per_step", 1 / BYTE))
    return graph.op("DequantizeLinear", rounded, unit, zero), step


def to_bytes(array: Array, scales: Array) -> tuple[Array, Array]:
    """Signed bytes and the scales by which they are to be multiplied."""
    scales = np.maximum(scales, 1e-10).astype(np.float32)
    return np.round(array / scales).astype(np.int8), scales
