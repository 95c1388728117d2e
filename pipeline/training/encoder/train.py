"""
`npm run train -- --base minilm --corpus FILE --out RUN`: trains an encoder with all its heads.

Made for a few CPU cores: bfloat16 autocast, lengths in steps of eight, batches of texts of similar length.
The run folder gets a checkpoint after each epoch; the same command goes on from it. Every epoch seeds its own
order and dropout, so a run that was cut off and resumed ends in the same weights as one that was not.
"""

import os

# oneDNN reads it when torch is loaded: with the default of 1,024 it compiles primitives again and again.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8192")

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from corpus import (
    COMMENT_FOLDS,
    HEADS,
    Row,
    held_out,
    labelled,
    of_split,
    read_corpus,
    training_rows,
)
from files import sha256, write_json
from model import BASES, MultitaskEncoder
from recipe import Recipe, TrainingState, start
from score import accuracy, logits_of
from tokens import encode, load_tokenizer, padded


def main() -> None:
    """Parses the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", choices=sorted(BASES), required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--hold-out-fold",
        type=int,
        choices=range(COMMENT_FOLDS),
        help="train an out-of-fold comment model",
    )
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    options = parser.parse_args()
    train(options, Recipe(epochs=options.epochs, seed=options.seed))


def train(options: argparse.Namespace, recipe: Recipe) -> None:
    """Trains to the end, from the last checkpoint where there is one, and writes the run folder."""
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(BASES[options.base] / "tokenizer.json")
    corpus = read_corpus(options.corpus)
    rows = training_rows(corpus, options.hold_out_fold)
    ids = encode(tokenizer, [row.text for row in rows], recipe.max_tokens)
    steps = -(-len(rows) // recipe.batch)
    run = {
        "base": options.base,
        "recipe": asdict(recipe),
        "hold_out_fold": options.hold_out_fold,
        "corpus_sha256": sha256(options.corpus),
    }
    state = start(options.base, recipe, steps, run)
    state.resume(options.out)
    print(
        f"{len(rows)} rows, {steps} batches an epoch, {len(state.history)} epochs done", flush=True
    )
    for epoch in range(len(state.history), recipe.epochs):
        began = time.monotonic()
        loss = train_epoch(state, rows, ids, recipe, epoch)
        figures = {"epoch": epoch + 1, "loss": loss, "seconds": time.monotonic() - began}
        figures |= tune_accuracy(state.model, tokenizer, corpus, recipe)
        state.history.append(figures)
        state.save(options.out)
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}), flush=True)
    save_file(state.model.state_dict(), options.out / "model.safetensors")
    write_json(
        options.out / "run.json",
        {
            **run,
            "rows": dict(sorted(Counter(row.source for row in rows).items())),
            "history": state.history,
        },
    )
    if options.hold_out_fold is not None:
        write_held_out(state.model, tokenizer, corpus, recipe, options)


def train_epoch(
    state: TrainingState, rows: Sequence[Row], ids: list[list[int]], recipe: Recipe, epoch: int
) -> float:
    """One pass; the mean loss of its batches."""
    torch.manual_seed(recipe.seed * 1_000 + epoch)
    state.model.train()
    losses = []
    for batch in bucketed_batches([len(row) for row in ids], recipe):
        input_ids, mask = padded([ids[at] for at in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = state.model(input_ids, mask)
        loss = batch_loss(logits, [rows[at] for at in batch])
        state.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip)
        state.optimizer.step()
        state.schedule.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def bucketed_batches(lengths: Sequence[int], recipe: Recipe) -> list[list[int]]:
    """Shuffled batches of indices; within buckets of the shuffle the texts are sorted by length, so that padding is little."""
    order = torch.randperm(len(lengths)).tolist()
    by_length = [
        at
        for begin in range(0, len(order), recipe.bucket)
        for at in sorted(order[begin : begin + recipe.bucket], key=lambda at: lengths[at])
    ]
    batches = [
        by_length[begin : begin + recipe.batch] for begin in range(0, len(by_length), recipe.batch)
    ]
    return [batches[at] for at in torch.randperm(len(batches)).tolist()]


def batch_loss(logits: dict[str, Tensor], rows: Sequence[Row]) -> Tensor:
    """Cross-entropy a label; a row teaches the heads for which it has one."""
    total = torch.zeros(())
    for head in HEADS:
        known = [at for at, row in enumerate(rows) if row.label(head) is not None]
        if known:
            target = torch.tensor([rows[at].label(head) for at in known])
            total = total + nn.functional.cross_entropy(
                logits[head][known], target, reduction="sum"
            )
    return total / len(rows)


def tune_accuracy(
    model: MultitaskEncoder, tokenizer: Tokenizer, corpus: Sequence[Row], recipe: Recipe
) -> dict[str, float]:
    """Accuracy on `tune` by head and kind."""
    found = {}
    for head in HEADS:
        for kind in ("news", "comment"):
            rows = [row for row in labelled(of_split(corpus, "tune"), head) if row.kind == kind]
            if rows:
                ids = encode(tokenizer, [row.text for row in rows], recipe.max_tokens)
                found[f"tune_{head}_{kind}"] = accuracy(logits_of(model, ids)[head], rows, head)
    return found


def write_held_out(
    model: MultitaskEncoder,
    tokenizer: Tokenizer,
    corpus: Sequence[Row],
    recipe: Recipe,
    options: argparse.Namespace,
) -> None:
    """Sentiment logits of the held-out comments, in full precision."""
    rows = held_out(corpus, options.hold_out_fold)
    ids = encode(tokenizer, [row.text for row in rows], recipe.max_tokens)
    logits = logits_of(model, ids)["sentiment"]
    with (options.out / "held-out.ndjson").open("w", encoding="utf-8") as file:
        for row, values in zip(rows, logits.tolist(), strict=True):
            judged = {"id": row.id, "fold": row.fold, "logits": [round(v, 5) for v in values]}
            file.write(json.dumps(judged) + "\n")
    print(
        f"held out: accuracy {accuracy(logits, rows, 'sentiment'):.4f} of {len(rows)}", flush=True
    )


if __name__ == "__main__":
    main()
