"""
`npm run export -- --run RUN --corpus FILE --out FOLDER`: the int8 artifact of a run, with its figures on the split `tune`.

The same run gives the same graph, byte for byte.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from arithmetic import FloatArithmetic, Int8Arithmetic
from artifact import WINDOW_TOKENS, Artifact, provenance, serving_tokenizer, write
from corpus import HEADS, Row, labelled, of_split, read_corpus
from graph import build
from judged import Judged, difference, judge
from model import BASES, MultitaskEncoder
from run import open_run
from score import logits_of
from session import Session, batch_variance
from tokens import encode

PARITY = 1e-3
"""Largest difference of a logit between torch and the float graph that is rounding, not a mistake."""


def main() -> None:
    """Parses the command line and exports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    export(parser.parse_args())


def export(options: argparse.Namespace) -> None:
    """Builds the float graph, holds it against torch, builds the int8 graph, holds it against float, and writes the folder."""
    run = open_run(options.run, options.corpus)
    tune = of_split(read_corpus(options.corpus), "tune")
    ids = encode(run.tokenizer, [row.text for row in tune], WINDOW_TOKENS)
    plain = Session(build(run.weights, run.shape, FloatArithmetic(np.float32)))
    check_parity(run.model, plain, ids[:: max(1, len(ids) // 64)])

    graph = build(run.weights, run.shape, Int8Arithmetic())
    small = Session(graph)
    float_judged, int8_judged = judge(plain, tune, ids), judge(small, tune, ids)
    metrics = {
        "tune": {
            "float32": figures(float_judged, tune),
            "int8": figures(int8_judged, tune),
            "difference": {
                head: [round(value, 4) for value in difference(int8_judged, float_judged, head)]
                for head in HEADS
            },
        },
        "batch_variance": batch_variance(small, ids[:256], WINDOW_TOKENS),
    }
    artifact = Artifact(
        name=run.base,
        model=graph,
        precision="int8",
        command=f"npm run export -- --run RUN --corpus FILE --out pipeline/models/{run.base}",
        provenance=provenance(run.base, run.rows),
        # Fitted later, on another split.
        calibration={head: {"temperatures": {"news": 1, "comment": 1}} for head in HEADS},
        metrics=metrics,
    )
    write(options.out, artifact, serving_tokenizer(BASES[run.base] / "tokenizer.json"))
    print(json.dumps(metrics, indent=2))


def check_parity(model: MultitaskEncoder, session: Session, ids: list[list[int]]) -> None:
    """The graph is written by hand: torch is asked whether it is the model."""
    expected, found = logits_of(model, ids), session.run_all(ids)
    worst = max(float(np.abs(expected[head].numpy() - found[head]).max()) for head in HEADS)
    if not worst < PARITY:
        raise SystemExit(f"the graph's logits differ from the model's by {worst:.2g}")


def figures(judged: Judged, rows: list[Row]) -> dict[str, dict[str, float]]:
    """Accuracy and rows by head and kind."""
    found = {}
    for head in HEADS:
        kinds = np.array([row.kind for row in labelled(rows, head)])
        for kind in np.unique(kinds).tolist():
            right = judged.right[head][kinds == kind]
            found[f"{head}, {kind}"] = {
                "rows": len(right),
                "accuracy": round(float(right.mean()), 4),
            }
    return found


if __name__ == "__main__":
    main()
