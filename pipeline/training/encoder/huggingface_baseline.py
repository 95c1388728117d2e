"""
Speed of Hugging Face's `pipeline("text-classification")` on the weights of a run: the yardstick of bench/huggingface.ts.

Reads texts from standard input, a JSON string a line; prints texts a second of each batch size as one JSON object.
The sentiment head alone, the only one that this pipeline can have; one thread, float32, the library's own attention and padding.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    BertModel,
    BertPreTrainedModel,
    PreTrainedTokenizerFast,
    TextClassificationPipeline,
)
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging

from corpus import HEADS
from model import BASES

BATCHES = (32, 1)


class MeanPooledClassifier(BertPreTrainedModel):
    """`MultitaskEncoder` with the sentiment head alone, as a model of the library."""

    def __init__(self, config: AutoConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> SequenceClassifierOutput:
        """Logits of the mean of the last hidden states over the text's tokens."""
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        present = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * present).sum(dim=1) / present.sum(dim=1)
        return SequenceClassifierOutput(logits=self.classifier(mean))


def main() -> None:
    """Parses the command line and prints the speeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", choices=sorted(BASES), default="minilm")
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    classify = pipeline_of(options.base, options.run)
    texts = [json.loads(line) for line in sys.stdin]
    print(json.dumps({str(batch): rate(classify, texts, batch) for batch in BATCHES}))


def pipeline_of(base: str, run: Path) -> TextClassificationPipeline:
    """The pipeline with a run's weights."""
    config = AutoConfig.from_pretrained(BASES[base], num_labels=HEADS["sentiment"])
    model = MeanPooledClassifier(config)
    model.load_state_dict(
        {
            name.replace("encoder.", "bert.", 1)
            if name.startswith("encoder.")
            else name.replace("heads.sentiment", "classifier"): weights
            for name, weights in load_file(run / "model.safetensors").items()
            if not name.startswith("heads.topic")
        }
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(BASES[base] / "tokenizer.json"), pad_token="[PAD]", model_max_length=512
    )
    return TextClassificationPipeline(model=model.eval(), tokenizer=tokenizer)


def rate(classify: TextClassificationPipeline, texts: Sequence[str], batch: int) -> float:
    """Texts a second of one pass, after a first one that warms up."""
    list(classify(list(texts[:batch]), batch_size=batch))
    began = time.perf_counter()
    list(classify(list(texts), batch_size=batch))
    return len(texts) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
