"""
`npm run export:fp16 -- --out FOLDER` (or `export:fp32`): an artifact of floats for GPUs, from the int8 one that ships; no training run is needed.

Its weights are the shipped bytes times their scales; its activations are not rounded to bytes. With `--corpus FILE` the
command prints how far its probabilities are from the shipped artifact's on the split `tune`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx

from arithmetic import FloatArithmetic
from artifact import WINDOW_TOKENS, Artifact, stored_weights, write
from corpus import HEADS, of_split, read_corpus
from graph import build
from session import Session, probabilities
from tokens import encode, load_tokenizer

CALIBRATION = ("temperatures", "biases")
"""Of a head in the manifest."""

MODELS = Path(__file__).resolve().parents[2] / "models"


def main() -> None:
    """Parses the command line and exports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="minilm")
    parser.add_argument("--precision", choices=("float16", "float32"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--corpus", type=Path)
    export_float(parser.parse_args())


def export_float(options: argparse.Namespace) -> None:
    """Writes the folder, with the calibration of the artifact that it comes from."""
    source = MODELS / options.name
    shipped = onnx.load(source / "model.onnx")
    weights, shape = stored_weights(shipped)
    model = build(weights, shape, FloatArithmetic(np.dtype(options.precision).type))
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    artifact = Artifact(
        name=options.name,
        model=model,
        precision=options.precision,
        command=f"npm run export:fp{options.precision.removeprefix('float')} -- --out FOLDER",
        provenance={key: manifest[key] for key in ("base_model", "licence", "data")},
        calibration={
            head["task"]: {key: head[key] for key in CALIBRATION if key in head}
            for head in manifest["heads"]
        },
        metrics={"from": manifest["version"]},
        calibration_version="".join(manifest["version"].partition("+")[1:]),
    )
    write(options.out, artifact, (source / "tokenizer.json").read_text(encoding="utf-8"))
    if options.corpus is not None:
        print_distance(Session(shipped), Session(model), options, source / "tokenizer.json")


def print_distance(
    shipped: Session, floats: Session, options: argparse.Namespace, tokenizer: Path
) -> None:
    """The largest difference of a probability of each text, by head: quantiles, and texts with another label."""
    texts = [row.text for row in of_split(read_corpus(options.corpus), "tune")]
    ids = encode(load_tokenizer(tokenizer), texts, WINDOW_TOKENS)
    ours, theirs = floats.run_all(ids), shipped.run_all(ids)
    for head in HEADS:
        apart = np.abs(probabilities(ours[head]) - probabilities(theirs[head])).max(axis=1)
        quantiles = {
            name: round(float(np.quantile(apart, at)), 4)
            for name, at in (("median", 0.5), ("90%", 0.9), ("99%", 0.99), ("largest", 1))
        }
        others = int((ours[head].argmax(axis=1) != theirs[head].argmax(axis=1)).sum())
        print(f"{head}: {quantiles}, another label for {others} of {len(ids)} texts")


if __name__ == "__main__":
    main()
