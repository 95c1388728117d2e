"""`token_ids.py TOKENIZER_JSON`: reads texts as JSON strings, one a line, and writes their token ids as JSON arrays."""

import json
import sys
from pathlib import Path

from tokens import load_tokenizer


def main() -> None:
    """One line out for each line in."""
    tokenizer = load_tokenizer(Path(sys.argv[1]))
    texts = [json.loads(line) for line in sys.stdin.buffer.read().split(b"\n") if line]
    for encoding in tokenizer.encode_batch(texts):
        print(json.dumps(encoding.ids))


if __name__ == "__main__":
    main()
