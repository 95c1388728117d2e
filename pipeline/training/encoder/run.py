"""A finished training run, opened to export it."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors
from tokenizers import Tokenizer

from corpus import HEADS
from files import sha256
from model import BASES, MultitaskEncoder
from tokens import load_tokenizer
from weights import Shape, Weights, bert_weights


@dataclass(frozen=True)
class Run:
    """The trained model, as torch has it and as plain arrays."""

    base: str
    rows: dict[str, int]
    """Texts that taught it, by source."""
    model: MultitaskEncoder
    weights: Weights
    shape: Shape
    tokenizer: Tokenizer


def open_run(folder: Path, corpus: Path) -> Run:
    """Refuses a corpus that is not the one the run was trained on: its figures would not be on unseen texts."""
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    if sha256(corpus) != said["corpus_sha256"]:
        raise SystemExit(f"{corpus} is not the corpus that {folder} was trained on")
    base = said["base"]
    model = MultitaskEncoder(base)
    model.load_state_dict(load_tensors(folder / "model.safetensors"))
    config = model.encoder.config
    shape = Shape(config.num_hidden_layers, config.num_attention_heads, config.layer_norm_eps)
    weights = bert_weights(load_file(folder / "model.safetensors"), shape, HEADS)
    tokenizer = load_tokenizer(BASES[base] / "tokenizer.json")
    return Run(base, said["rows"], model, weights, shape, tokenizer)
