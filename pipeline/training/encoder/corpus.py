"""The labelled texts that `npm run corpus` wrote: cleaned, split and clustered there, so that nothing of it is defined twice."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HEADS = {"sentiment": 3, "topic": 20}
"""Labels by head, in the order of the product's contract."""

COMMENT_FOLDS = 5
"""As pipeline/fitting/splits.ts deals the comments out."""

TAUGHT_SOURCES = ("tweets", "comments", "topics")
"""Headlines are labelled by entity, in another register: they teach nothing here."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text; a label is an index into its head, or None."""

    id: str
    source: str
    kind: str
    split: str
    fold: int | None
    cluster: str
    text: str
    sentiment: int | None
    topic: int | None

    def label(self, head: str) -> int | None:
        """The row's label for a head."""
        return self.sentiment if head == "sentiment" else self.topic


def read_corpus(file: Path) -> list[Row]:
    """Rows of the sources that teach, in the file's order."""
    with file.open(encoding="utf-8") as lines:
        rows = [Row(**json.loads(line)) for line in lines]
    return [row for row in rows if row.source in TAUGHT_SOURCES]


def of_split(rows: Iterable[Row], split: str) -> list[Row]:
    """Rows of one split."""
    return [row for row in rows if row.split == split]


def labelled(rows: Iterable[Row], head: str) -> list[Row]:
    """Rows that have a label for a head."""
    return [row for row in rows if row.label(head) is not None]


def training_rows(rows: Sequence[Row], hold_out_fold: int | None) -> list[Row]:
    """
    The split `train`. With a fold held out, what a comment model learns from: the rows of `train` with a sentiment and
    the comments of every split, but no comment of the fold and no text of their near-duplicate clusters. Topic rows are
    left out there to make five models affordable: they are three fifths of the corpus.
    """
    if hold_out_fold is None:
        return of_split(rows, "train")
    held = {row.cluster for row in held_out(rows, hold_out_fold)}
    return [
        row
        for row in rows
        if (row.split == "train" or row.source == "comments")
        and row.cluster not in held
        and row.sentiment is not None
    ]


def held_out(rows: Iterable[Row], fold: int) -> list[Row]:
    """The comments of a fold."""
    return [row for row in rows if row.source == "comments" and row.fold == fold]
