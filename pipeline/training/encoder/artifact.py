"""The folder that serving reads: graph, tokenizer and manifest (its schema: pipeline/experts/encoder-artifact.ts)."""

import json
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import numpy_helper
from tokenizers import Tokenizer

from corpus import HEADS
from files import sha256, write_json
from session import Session
from tokens import encode, load_tokenizer
from weights import Shape, Weights

WINDOW_TOKENS = 128
OVERLAP_TOKENS = 32

BASE_MODELS = {"minilm": ("sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0")}
"""Name and licence of a base."""

ORIGINS = {
    "tweets": ("zeroshot/twitter-financial-news-sentiment, train split", "MIT"),
    "topics": ("zeroshot/twitter-financial-news-topic, train split", "MIT"),
    "comments": (
        "Taborda et al., Stock Market Tweets Data (2021), labelled part, doi 10.21227/g8vy-5w61",
        "CC BY 4.0",
    ),
}
"""Name and licence of each source that teaches."""

PROBE = (
    "Apple beats estimates and raises its full-year outlook.",
    "$TSLA shares plunge 9% after deliveries miss.",
    "The Fed leaves interest rates unchanged, as expected.",
    "@user buy the dip 🚀🚀🚀",
    "ok",
    "Société Générale names a new finance chief; 株価 flat",
    "I am out of $AMZN: weak guide, insiders selling & nobody cares",
    "Shares of the retailer jump 12% in early trading after it reports quarterly profit of $1.45 a share on sales of $9.8 billion, "
    "well above the $1.21 and $9.3 billion that analysts had expected. It raises its outlook for the year, adds $2 billion to its "
    "buyback and says that traffic in its stores grew for the fifth quarter in a row, while margins widen as freight costs fall. "
    "Same-store sales rise 6.1%, online sales 14%.",
)
"""Texts after clean-up, each within one window; the last nearly fills it. Other CPUs give their logits within 0.01."""


@dataclass(frozen=True)
class Artifact:
    """What goes into the folder beside the tokenizer."""

    name: str
    model: onnx.ModelProto
    precision: str
    command: str
    provenance: dict[str, object]
    """`base_model`, `licence` and `data`."""
    calibration: dict[str, dict[str, object]]
    """By head: `temperatures` by kind, and `biases` where there are some."""
    metrics: dict[str, object]
    calibration_version: str = ""
    """Of a calibration that was fitted: what `npm run fit` puts behind the graph's version."""


def provenance(base: str, rows: dict[str, int]) -> dict[str, object]:
    """Base, licence and data of a run that saw so many rows of each source."""
    base_model, licence = BASE_MODELS[base]
    return {
        "base_model": base_model,
        "licence": licence,
        "data": [
            {"name": ORIGINS[source][0], "licence": ORIGINS[source][1], "rows": count}
            for source, count in rows.items()
        ],
    }


def write(folder: Path, artifact: Artifact, tokenizer_json: str) -> None:
    """Writes the three files; the version is the graph's digest and the calibration's, so that neither is ever taken for another."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    (folder / "model.onnx").write_bytes(artifact.model.SerializeToString(deterministic=True))
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    digest = sha256(folder / "model.onnx")
    manifest = {
        "name": artifact.name,
        "version": f"1-{digest[:8]}{artifact.calibration_version}",
        **artifact.provenance,
        "command": artifact.command,
        "model": {"file": "model.onnx", "sha256": digest},
        "tokenizer": {"file": "tokenizer.json", "sha256": sha256(folder / "tokenizer.json")},
        "precision": artifact.precision,
        "windowTokens": WINDOW_TOKENS,
        "overlapTokens": OVERLAP_TOKENS,
        "heads": [
            {
                "task": head,
                "output": head,
                "labels": labels,
                **artifact.calibration[head],
            }
            for head, labels in HEADS.items()
        ],
        "probe": {"texts": PROBE, "logits": probe_logits(artifact.model, tokenizer)},
        "metrics": artifact.metrics,
    }
    write_json(folder / "manifest.json", manifest)


def probe_logits(model: onnx.ModelProto, tokenizer: Tokenizer) -> dict[str, list[list[float]]]:
    """By output, a row a text."""
    ids = encode(tokenizer, PROBE, WINDOW_TOKENS)
    logits = Session(model).run(ids)
    return {
        head: [[round(float(value), 5) for value in row] for row in rows]
        for head, rows in logits.items()
    }


def serving_tokenizer(file: Path) -> str:
    """A tokenizer.json without the truncation and padding that it may ask for: long texts are read in windows."""
    parts = json.loads(file.read_text(encoding="utf-8"))
    return json.dumps({**parts, "truncation": None, "padding": None}, ensure_ascii=False)


def stored_weights(model: onnx.ModelProto) -> tuple[Weights, Shape]:
    """The weights that a graph holds, bytes scaled back to floats."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = {name: array for name, array in arrays.items() if name.endswith((".weight", ".bias"))}
    for name, array in arrays.items():
        if name.endswith(".bytes"):
            whole = name.removesuffix(".bytes")
            weights[f"{whole}.weight"] = array * arrays[f"{whole}.scale"]
    said = {entry.key: entry.value for entry in model.metadata_props}
    shape = Shape(int(said["layers"]), int(said["attention_heads"]), float(said["epsilon"]))
    return weights, shape
