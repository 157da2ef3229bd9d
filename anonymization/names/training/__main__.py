"""``python -m anonymization.names.training --data <folder> [--seed N] [--out file] [--texts N]``: train the model."""

import argparse
import sys
import time
from pathlib import Path

from anonymization.names.crf import SHIPPED
from anonymization.names.model import encode_model
from anonymization.names.training.build import build_model
from anonymization.names.training.corpora import read_training


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m anonymization.names.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with btc, wnut17 and wikigold")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=12_000, help="generated texts")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    began = time.monotonic()
    model = build_model(read_training(options.data), texts=options.texts, seed=options.seed)
    encoded = encode_model(model)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(encoded)
    sys.stdout.write(
        f"{options.out}: {len(encoded):,} bytes, {len(model.features):,} features, {time.monotonic() - began:.0f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
