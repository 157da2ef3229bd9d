"""k, l and t of tables as pycanon measures them. Run by the interpreter of .venv-oracle, which has pycanon alone:
a JSON list of tables on standard input, a JSON list of measures on standard output."""

import json
import sys

import pandas as pd
from pycanon import anonymity


def measure(table):
    frame = pd.DataFrame(table["rows"], columns=[*table["quasi"], "sensitive"])
    sensitive = ["sensitive"]
    return {
        "k": int(anonymity.k_anonymity(frame, table["quasi"])),
        "distinct": int(anonymity.l_diversity(frame, table["quasi"], sensitive)),
        "entropy": int(anonymity.entropy_l_diversity(frame, table["quasi"], sensitive)),
        "t": float(anonymity.t_closeness(frame, table["quasi"], sensitive)),
    }


json.dump([measure(table) for table in json.load(sys.stdin)], sys.stdout)
