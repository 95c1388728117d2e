"""How an encoder is trained, apart from the loop: the numbers, the optimiser, and what a checkpoint keeps."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from model import MultitaskEncoder


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training; why these: docs/decisions/0051-first-encoder.md."""

    epochs: int = 4
    batch: int = 32
    max_tokens: int = 64
    encoder_rate: float = 1.5e-4
    head_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    clip: float = 1.0
    warm_up: float = 0.08
    bucket: int = 32 * 32
    """Texts that are sorted by length together, after the shuffle."""
    seed: int = 1


@dataclass
class TrainingState:
    """A model on its way."""

    model: MultitaskEncoder
    optimizer: torch.optim.AdamW
    schedule: torch.optim.lr_scheduler.LambdaLR
    run: dict[str, object]
    """What makes this run another than others: recipe, corpus, held-out fold."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Figures of each epoch done."""

    def save(self, folder: Path) -> None:
        """Replaces the last checkpoint as a whole: a kill in the middle leaves the old one."""
        parts = {
            "run": self.run,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": self.history,
        }
        partial = folder / "checkpoint.partial"
        torch.save(parts, partial)
        partial.replace(folder / "checkpoint.pt")

    def resume(self, folder: Path) -> None:
        """
        Takes up the checkpoint of a folder, if it has one. Refuses that of another run: a model that goes on with one fold
        held out after it has learned from that fold's comments would pass for one that never saw them.
        """
        file = folder / "checkpoint.pt"
        if not file.exists():
            return
        parts = torch.load(file, weights_only=True)
        if parts.get("run") != self.run:
            raise SystemExit(f"{file} is of another run: {parts.get('run')}, not {self.run}")
        self.model.load_state_dict(parts["model"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.schedule.load_state_dict(parts["schedule"])
        self.history.extend(parts["history"])


def start(base: str, recipe: Recipe, steps: int, run: dict[str, object]) -> TrainingState:
    """A fresh model and optimiser for so many steps an epoch: linear warm-up, then linear decay to 0."""
    torch.manual_seed(recipe.seed)
    model = MultitaskEncoder(base)
    optimizer = torch.optim.AdamW(
        [
            {"params": model.encoder.parameters(), "lr": recipe.encoder_rate},
            {"params": model.heads.parameters(), "lr": recipe.head_rate},
        ],
        betas=recipe.betas,
        weight_decay=recipe.weight_decay,
    )
    total = steps * recipe.epochs
    warm_up = max(1, round(total * recipe.warm_up))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm_up, (total - step) / max(1, total - warm_up)),
    )
    return TrainingState(model, optimizer, schedule, run)
