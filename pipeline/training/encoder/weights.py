"""The arrays of an encoder under names of our own, free of any framework's layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Weights = dict[str, Array]
"""
Matrices are [in, out]. `words.weight`, `positions.weight`, `embedding_norm.*`; for each layer i
`layers.i.{qkv,attended,up,down}.{weight,bias}` and `layers.i.{attention_norm,output_norm}.{weight,bias}`;
for each head `heads.NAME.{weight,bias}`.
"""


@dataclass(frozen=True)
class Shape:
    """What the arrays do not say of themselves."""

    layers: int
    attention_heads: int
    epsilon: float
    """Of the layer norms."""


def bert_weights(state: Mapping[str, Array], shape: Shape, heads: Iterable[str]) -> Weights:
    """
    From the state dictionary of `MultitaskEncoder`. Token types are all 0, so their row is part of the positions;
    the attention's factor is part of the queries.
    """
    embeddings = "encoder.embeddings"
    positions = state[f"{embeddings}.position_embeddings.weight"]
    weights: Weights = {
        "words.weight": state[f"{embeddings}.word_embeddings.weight"],
        "positions.weight": positions + state[f"{embeddings}.token_type_embeddings.weight"][0],
        **_as_they_are(state, f"{embeddings}.LayerNorm", "embedding_norm"),
    }
    for i in range(shape.layers):
        theirs, ours = f"encoder.encoder.layer.{i}", f"layers.{i}"
        weights |= _fused_attention(state, f"{theirs}.attention.self", f"{ours}.qkv", shape)
        weights |= _transposed(state, f"{theirs}.attention.output.dense", f"{ours}.attended")
        weights |= _as_they_are(
            state, f"{theirs}.attention.output.LayerNorm", f"{ours}.attention_norm"
        )
        weights |= _transposed(state, f"{theirs}.intermediate.dense", f"{ours}.up")
        weights |= _transposed(state, f"{theirs}.output.dense", f"{ours}.down")
        weights |= _as_they_are(state, f"{theirs}.output.LayerNorm", f"{ours}.output_norm")
    for head in heads:
        weights |= _transposed(state, f"heads.{head}", f"heads.{head}")
    return weights


def _fused_attention(state: Mapping[str, Array], theirs: str, ours: str, shape: Shape) -> Weights:
    parts = [_transposed(state, f"{theirs}.{name}", name) for name in ("query", "key", "value")]
    width = state[f"{theirs}.query.weight"].shape[0] // shape.attention_heads
    scale = np.float32(1 / np.sqrt(width))
    query = {name: array * scale for name, array in parts[0].items()}
    return {
        f"{ours}.weight": np.concatenate(
            [query["query.weight"], parts[1]["key.weight"], parts[2]["value.weight"]], axis=1
        ),
        f"{ours}.bias": np.concatenate(
            [query["query.bias"], parts[1]["key.bias"], parts[2]["value.bias"]]
        ),
    }


def _transposed(state: Mapping[str, Array], theirs: str, ours: str) -> Weights:
    return {
        f"{ours}.weight": state[f"{theirs}.weight"].T,
        f"{ours}.bias": state[f"{theirs}.bias"],
    }


def _as_they_are(state: Mapping[str, Array], theirs: str, ours: str) -> Weights:
    return {f"{ours}.{part}": state[f"{theirs}.{part}"] for part in ("weight", "bias")}
