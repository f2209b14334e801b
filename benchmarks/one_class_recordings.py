"""How well do recordings of real data predict the class? The leakage check refuses 80 %.

For each data set in the folder SKEEG_DATA and each kind of recording, the proportion of the errors
of guessing the most frequent class that knowing the recording avoids, and the largest proportion in
1,000 random orders of the labels.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from skeeg.datasets import load_eegbci, load_eegmat, load_muse, load_ssvep_exoskeleton
from skeeg.model_selection._evidence import LEVELS, avoided_errors

DATA = {
    "eegmmidb, fists or feet": lambda path: load_eegbci(path / "eegmmidb", task="fists_feet"),
    "eegmmidb, left or right": lambda path: load_eegbci(path / "eegmmidb", task="left_right"),
    "Muse, left or right": lambda path: load_muse(path / "muse" / "left-right"),
    "Muse, oddball": lambda path: load_muse(path / "muse" / "p300", task="p300"),
    "SSVEP": lambda path: load_ssvep_exoskeleton(path / "ssvep"),
    "eegmat": lambda path: load_eegmat(path / "eegmat"),
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("SKEEG_DATA", "data"), help="the folder")
    path = Path(parser.parse_args().data)
    rng = np.random.default_rng(0)
    print("| data | recording | number | avoided errors | largest of 1,000 random orders |")
    print("|---|---|---|---|---|")
    for name, load in DATA.items():
        data = load(path)
        for level in LEVELS:
            if level not in data.metadata:
                continue
            codes = pd.factorize(data.groups(level))[0]
            if codes.max() == 0:
                continue
            avoided = avoided_errors(codes, data.y)
            random = max(avoided_errors(codes, rng.permutation(data.y)) for _ in range(1000))
            print(f"| {name} | {level} | {codes.max() + 1} | {avoided:.2f} | {random:.2f} |")


if __name__ == "__main__":
    main()
