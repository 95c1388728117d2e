"""The ONNX graph of an encoder with all its heads, written node by node: what runs is what stands here, with no pattern for an optimiser to miss."""

from typing import Protocol

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from weights import Array, Shape, Weights

OPSET = 20
"""The first with Gelu."""
IR_VERSION = 10
FLOAT32 = np.dtype(np.float32)
MASKED = -1e4
"""Added to the attention scores of padding: its weight becomes exactly 0 after the softmax, in float16 too."""


Attribute = int | float | str | list[int]
"""Of a node."""


class GraphWriter:
    """Nodes and constants in the order of their making; every value has a name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: Array | np.generic) -> str:
        """Adds a constant, or finds the one of that name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def op(
        self, operator: str, *inputs: str, output: str | None = None, **attributes: Attribute
    ) -> str:
        """Adds a node with one output; its name."""
        name = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def ops(self, operator: str, outputs: int, *inputs: str, **attributes: Attribute) -> list[str]:
        """Adds a node with several outputs; their names."""
        name = f"{operator}_{len(self._nodes)}"
        names = [f"{name}_{at}" for at in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, name=name, **attributes))
        return names

    def model(self, outputs: dict[str, int], shape: Shape) -> onnx.ModelProto:
        """The finished model: two inputs [texts, tokens], an output [texts, labels] a head."""
        ids = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        logits = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["texts", labels])
            for name, labels in outputs.items()
        ]
        graph = helper.make_graph(
            self._nodes, "encoder", ids, logits, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        )
        helper.set_model_props(
            model,
            {
                "layers": str(shape.layers),
                "attention_heads": str(shape.attention_heads),
                "epsilon": repr(shape.epsilon),
            },
        )
        return model


class Arithmetic(Protocol):
    """How embeddings and matrix products are stored and computed."""

    dtype: np.dtype
    """Of what flows between the products."""

    def embedding(self, graph: GraphWriter, name: str, table: Array, ids: str) -> str:
        """Rows of a table by id."""

    def product(self, graph: GraphWriter, name: str, value: str, weight: Array, bias: Array) -> str:
        """`value` times `weight`, and `bias` added."""


def build(weights: Weights, shape: Shape, arithmetic: Arithmetic) -> onnx.ModelProto:
    """The graph: embeddings, layers, the mean over a text's tokens, heads. Pooling and heads are float32."""
    graph = GraphWriter()
    dtype = arithmetic.dtype
    hidden = _embed(graph, weights, shape, arithmetic)
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    absent = graph.op("Sub", graph.constant("one", np.float32(1)), mask)
    penalty = graph.op("Mul", absent, graph.constant("masked", np.float32(MASKED)))
    axes = graph.constant("head_and_query", np.array([1, 2], np.int64))
    penalty = _cast(graph, graph.op("Unsqueeze", penalty, axes), FLOAT32, dtype)
    for i in range(shape.layers):
        hidden = _layer(graph, weights, shape, arithmetic, f"layers.{i}", hidden, penalty)
    pooled = _mean(graph, _cast(graph, hidden, dtype, FLOAT32), mask)
    heads = [
        name.split(".")[1]
        for name in weights
        if name.startswith("heads.") and name.endswith("weight")
    ]
    for head in heads:
        matrix, bias = _float32(weights, f"heads.{head}")
        graph.op(
            "Gemm",
            pooled,
            graph.constant(f"heads.{head}.weight", matrix),
            graph.constant(f"heads.{head}.bias", bias),
            output=head,
        )
    return graph.model({head: len(weights[f"heads.{head}.bias"]) for head in heads}, shape)


def _embed(graph: GraphWriter, weights: Weights, shape: Shape, arithmetic: Arithmetic) -> str:
    dtype = arithmetic.dtype
    words = arithmetic.embedding(graph, "words", weights["words.weight"], "input_ids")
    table = graph.constant("positions.weight", weights["positions.weight"].astype(dtype))
    start = graph.constant("start", np.array([0], np.int64))
    tokens = graph.op("Shape", "input_ids", start=1, end=2)
    positions = graph.op("Slice", table, start, tokens, start)
    both = graph.op("Add", words, positions)
    return _norm(graph, weights, shape, dtype, "embedding_norm", both)


def _layer(
    graph: GraphWriter,
    weights: Weights,
    shape: Shape,
    arithmetic: Arithmetic,
    name: str,
    hidden: str,
    penalty: str,
) -> str:
    def product(part: str, value: str) -> str:
        matrix, bias = _float32(weights, f"{name}.{part}")
        return arithmetic.product(graph, f"{name}.{part}", value, matrix, bias)

    def residual(part: str, value: str, norm: str, before: str) -> str:
        both = graph.op("Add", product(part, value), before)
        return _norm(graph, weights, shape, arithmetic.dtype, f"{name}.{norm}", both)

    attended = _attention(graph, weights, shape, product("qkv", hidden), penalty)
    hidden = residual("attended", attended, "attention_norm", hidden)
    wide = graph.op("Gelu", product("up", hidden))
    return residual("down", wide, "output_norm", hidden)


def _attention(graph: GraphWriter, weights: Weights, shape: Shape, qkv: str, penalty: str) -> str:
    width = weights["words.weight"].shape[1]
    by_head = np.array([0, 0, shape.attention_heads, width // shape.attention_heads], np.int64)
    queries, keys, values = (
        graph.op(
            "Transpose",
            graph.op("Reshape", part, graph.constant("by_head", by_head)),
            perm=perm,
        )
        for part, perm in zip(
            graph.ops("Split", 3, qkv, axis=-1, num_outputs=3),
            ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]),
            strict=True,
        )
    )
    scores = graph.op("Add", graph.op("MatMul", queries, keys), penalty)
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), values)
    joined = graph.constant("joined", np.array([0, 0, width], np.int64))
    return graph.op("Reshape", graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), joined)


def _mean(graph: GraphWriter, hidden: str, mask: str) -> str:
    present = graph.op("Unsqueeze", mask, graph.constant("last", np.array([2], np.int64)))
    tokens = graph.constant("tokens", np.array([1], np.int64))
    total = graph.op("ReduceSum", graph.op("Mul", hidden, present), tokens, keepdims=0)
    return graph.op("Div", total, graph.op("ReduceSum", present, tokens, keepdims=0))


def _norm(
    graph: GraphWriter, weights: Weights, shape: Shape, dtype: np.dtype, name: str, value: str
) -> str:
    return graph.op(
        "LayerNormalization",
        value,
        graph.constant(f"{name}.weight", weights[f"{name}.weight"].astype(dtype)),
        graph.constant(f"{name}.bias", weights[f"{name}.bias"].astype(dtype)),
        axis=-1,
        epsilon=shape.epsilon,
    )


def _float32(weights: Weights, name: str) -> tuple[Array, Array]:
    return (
        weights[f"{name}.weight"].astype(np.float32),
        weights[f"{name}.bias"].astype(np.float32),
    )


def _cast(graph: GraphWriter, value: str, source: np.dtype, target: np.dtype) -> str:
    if source == target:
        return value
    return graph.op("Cast", value, to=helper.np_dtype_to_tensor_dtype(target))
