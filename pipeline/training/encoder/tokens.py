"""Texts to token ids, and ids to padded batches."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

PAD_MULTIPLE = 8
"""Few distinct shapes keep oneDNN's cache of primitives warm."""


def load_tokenizer(file: Path) -> Tokenizer:
    """The tokenizer of a file, without the truncation and padding that it may ask for."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Ids of each text, special ones included, cut to `max_tokens` with the closing token kept."""
    return [
        ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]]
        for ids in (encoding.ids for encoding in tokenizer.encode_batch(list(texts)))
    ]


def padded(ids: Sequence[Sequence[int]], multiple: int = PAD_MULTIPLE) -> tuple[Tensor, Tensor]:
    """Ids and mask, int64 [texts, tokens], the length rounded up to `multiple`."""
    longest = max(len(row) for row in ids)
    width = -(-longest // multiple) * multiple
    input_ids = torch.zeros(len(ids), width, dtype=torch.int64)
    mask = torch.zeros_like(input_ids)
    for at, row in enumerate(ids):
        input_ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    return input_ids, mask
