"""
`compare.py --run RUN --corpus FILE`: the table of docs/decisions/0050-int8-artifact.md, each line for one graph.

Accuracy and its difference from float on `tune`; the largest change of a probability by what shares the batch;
size; texts a second of CPU time on one thread.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx

from arithmetic import FloatArithmetic, Int8Arithmetic
from artifact import WINDOW_TOKENS
from candidates import (
    Blockwise,
    DynamicPerBatch,
    FullRangeWeights,
    Observed,
    SevenBitWeights,
    Static,
    WeightsOnly,
)
from corpus import HEADS, of_split, read_corpus
from graph import Arithmetic, build
from judged import difference, judge
from run import open_run
from session import Session, batch_variance, texts_per_second
from tokens import encode
from weights import Shape, Weights

CALIBRATION_TEXTS = 512
PERCENTILE = 99.99
INVARIANCE_TEXTS = 256
SPEED_TEXTS = 256
FLOAT = "float32"


def main() -> None:
    """Parses the command line and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    compare(parser.parse_args())


def compare(options: argparse.Namespace) -> None:
    """Builds every candidate from the same weights, judges each and prints a line as it is done, then the speeds."""
    run = open_run(options.run, options.corpus)
    corpus = read_corpus(options.corpus)
    tune = of_split(corpus, "tune")
    ids = encode(run.tokenizer, [row.text for row in tune], WINDOW_TOKENS)
    train = [row.text for row in of_split(corpus, "train")]
    sample = np.random.default_rng(1).choice(len(train), CALIBRATION_TEXTS, replace=False)
    calibration = encode(run.tokenizer, [train[at] for at in sample], WINDOW_TOKENS)
    sessions: dict[str, Session] = {}
    reference = None
    print(f"{len(tune)} texts of {np.mean([len(row) for row in ids]):.1f} tokens")
    for name, arithmetic in candidates(run.weights, run.shape, calibration).items():
        graph = build(run.weights, run.shape, arithmetic)
        sessions[name] = session = Session(graph)
        judged = judge(session, tune, ids)
        reference = reference or judged
        figures = [f"{graph.ByteSize() / 1e6:.1f} MB"]
        for head in HEADS:
            gain, low, high = (100 * part for part in difference(judged, reference, head))
            figures.append(
                f"{head} {judged.accuracy(head):.4f} ({gain:+.2f} [{low:+.2f}, {high:+.2f}])"
            )
        variance = batch_variance(session, ids[:INVARIANCE_TEXTS], WINDOW_TOKENS)
        print(f"{name} | {' | '.join(figures)} | {variance:.1e}", flush=True)
    for name, speed in texts_per_second(sessions, ids[:SPEED_TEXTS]).items():
        print(f"{name} | {speed:.0f} texts/s")


def candidates(
    weights: Weights, shape: Shape, calibration: list[list[int]]
) -> dict[str, Arithmetic]:
    """By name; the first is the reference."""
    ranges = activation_ranges(weights, shape, calibration)
    return {
        FLOAT: FloatArithmetic(np.float32),
        "int8, a scale a token (shipped)": Int8Arithmetic(),
        "the same, weights to 127": FullRangeWeights(),
        "the same, weights to 63": SevenBitWeights(),
        "int8 weights, float products": WeightsOnly(),
        "static int8": Static(ranges),
        "static int8, wide products float": Static(ranges, kept=(".down",)),
        "dynamic int8, a scale a batch": DynamicPerBatch(),
        "MatMulNBits, blocks of 32": Blockwise(32),
        "MatMulNBits, blocks of 128": Blockwise(128),
    }


def activation_ranges(
    weights: Weights, shape: Shape, calibration: list[list[int]]
) -> dict[str, tuple[float, float]]:
    """By product, the range that holds all but 0.01% of what goes into it at either end; padding is never run."""
    observed = Observed()
    graph = build(weights, shape, observed)
    graph.graph.output.extend(
        onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, None)
        for value in observed.inputs.values()
    )
    session = Session(graph)
    seen = [session.outputs(list(observed.inputs.values()), row) for row in calibration]
    found = {}
    for at, name in enumerate(observed.inputs):
        values = np.concatenate([outputs[at].ravel() for outputs in seen])
        low, high = np.percentile(values, [100 - PERCENTILE, PERCENTILE])
        found[name] = (min(float(low), 0.0), max(float(high), 0.0))
    return found


if __name__ == "__main__":
    main()
