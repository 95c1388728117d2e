"""Accuracy of an exported graph on labelled rows, and the difference of two graphs with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpus import HEADS, Row
from session import Session
from weights import Array

RESAMPLES = 2_000


@dataclass(frozen=True)
class Judged:
    """Whether each labelled row was right, by head."""

    right: dict[str, Array]
    clusters: dict[str, list[str]]

    def accuracy(self, head: str) -> float:
        """Share of the labelled rows."""
        return float(self.right[head].mean())


def judge(session: Session, rows: Sequence[Row], ids: Sequence[Sequence[int]]) -> Judged:
    """Runs all rows once; a row counts for the heads for which it has a label."""
    logits = session.run_all(ids)
    right, clusters = {}, {}
    for head in HEADS:
        known = [at for at, row in enumerate(rows) if row.label(head) is not None]
        labels = np.array([rows[at].label(head) for at in known])
        right[head] = logits[head][known].argmax(axis=1) == labels
        clusters[head] = [rows[at].cluster for at in known]
    return Judged(right, clusters)


def difference(judged: Judged, reference: Judged, head: str) -> tuple[float, float, float]:
    """Accuracy less the reference's, with a 95% interval: paired, by bootstrap over near-duplicate clusters."""
    gain = judged.right[head].astype(np.float64) - reference.right[head]
    _, cluster = np.unique(judged.clusters[head], return_inverse=True)
    gains, sizes = np.bincount(cluster, gain), np.bincount(cluster)
    drawn = np.random.default_rng(1).integers(0, len(sizes), (RESAMPLES, len(sizes)))
    means = gains[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(gain.mean()), float(low), float(high)
