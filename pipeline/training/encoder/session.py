"""An exported graph at work on one thread: its logits, what the batch does to them, and its speed."""

import time
from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime

from corpus import HEADS
from weights import Array

BATCH = 32
WINDOW = 512
"""Texts that are sorted by length together for the speed."""
ROUNDS = 15


class Session:
    """One thread on the CPU."""

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, ids: Sequence[Sequence[int]], width: int = 0) -> dict[str, Array]:
        """Logits by head of one batch, padded to its longest text or to `width`."""
        width = max(width, *(len(row) for row in ids))
        input_ids = np.zeros((len(ids), width), np.int64)
        for at, row in enumerate(ids):
            input_ids[at, : len(row)] = row
        lengths = np.array([len(row) for row in ids])[:, None]
        mask = (np.arange(width) < lengths).astype(np.int64)
        logits = self._session.run(list(HEADS), {"input_ids": input_ids, "attention_mask": mask})
        return dict(zip(HEADS, logits, strict=True))

    def outputs(self, names: Sequence[str], ids: Sequence[int]) -> list[Array]:
        """Any values of the graph that are among its outputs, for one text."""
        row = np.array([ids], np.int64)
        feeds = {"input_ids": row, "attention_mask": np.ones_like(row)}
        return self._session.run(list(names), feeds)

    def run_all(self, ids: Sequence[Sequence[int]]) -> dict[str, Array]:
        """Logits by head of any number of texts, in their order."""
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        parts = [
            self.run([ids[at] for at in order[begin : begin + BATCH]])
            for begin in range(0, len(order), BATCH)
        ]
        back = np.argsort(order)
        return {head: np.concatenate([part[head] for part in parts])[back] for head in HEADS}


def probabilities(logits: Array) -> Array:
    """Softmax over the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def batch_variance(session: Session, ids: Sequence[Sequence[int]], width: int) -> float:
    """The largest difference of a probability between a text alone and the text among others, padded little and to `width`."""
    alone = [session.run([row]) for row in ids]
    shuffled = np.random.default_rng(1).permutation(len(ids)).tolist()
    worst = 0.0
    for least in (0, width):
        for begin in range(0, len(shuffled), BATCH):
            batch = shuffled[begin : begin + BATCH]
            together = session.run([ids[at] for at in batch], least)
            for head in HEADS:
                apart = np.concatenate([alone[at][head] for at in batch])
                difference = probabilities(together[head]) - probabilities(apart)
                worst = max(worst, float(np.abs(difference).max()))
    return worst


def texts_per_second(
    sessions: dict[str, Session], ids: Sequence[Sequence[int]]
) -> dict[str, float]:
    """
    Of CPU time on one thread: each batch counts with the shortest of its rounds, in which the sessions take turns, so that
    what else the machine does at the time is left out as well as can be.
    """
    batches = [
        window[begin : begin + BATCH]
        for start in range(0, len(ids), WINDOW)
        for window in [sorted(ids[start : start + WINDOW], key=len)]
        for begin in range(0, len(window), BATCH)
    ]
    shortest = {name: [float("inf")] * len(batches) for name in sessions}
    for _ in range(ROUNDS):
        for at, batch in enumerate(batches):
            for name, session in sessions.items():
                began = time.thread_time()
                session.run(batch)
                shortest[name][at] = min(shortest[name][at], time.thread_time() - began)
    return {name: len(ids) / sum(times) for name, times in shortest.items()}
