"""`merge_held_out.py RUN... OUT.ndjson`: one file of the out-of-fold logits of all comments, from the run of each fold."""

import argparse
import json
from pathlib import Path


def main() -> None:
    """Joins the files, sorted by fold and id; of comments that are the same text after clean-up one stays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    by_id: dict[str, dict[str, object]] = {}
    for run in options.runs:
        for line in (run / "held-out.ndjson").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if by_id.setdefault(row["id"], row)["fold"] != row["fold"]:
                raise SystemExit(f"the comment {row['id']} was held out of more than one fold")
    rows = sorted(by_id.values(), key=lambda row: (row["fold"], row["id"]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} texts")


if __name__ == "__main__":
    main()
