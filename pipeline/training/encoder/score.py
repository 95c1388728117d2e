"""Judging rows with a torch model, in full precision."""

from collections.abc import Sequence

import torch
from torch import Tensor

from corpus import Row
from model import MultitaskEncoder
from tokens import padded

BATCH = 64


def logits_of(model: MultitaskEncoder, ids: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """Logits of every head for each text, in the order given."""
    model.eval()
    order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
    found: dict[str, list[Tensor]] = {}
    with torch.inference_mode():
        for begin in range(0, len(order), BATCH):
            batch = [ids[at] for at in order[begin : begin + BATCH]]
            for head, logits in model(*padded(batch)).items():
                found.setdefault(head, []).append(logits)
    back = torch.argsort(torch.tensor(order))
    return {head: torch.cat(parts)[back] for head, parts in found.items()}


def accuracy(logits: Tensor, rows: Sequence[Row], head: str) -> float:
    """Share of the rows whose largest logit is their label."""
    labels = torch.tensor([row.label(head) for row in rows])
    return (logits.argmax(dim=1) == labels).double().mean().item()
