r"""Training and prediction of this version of skeeg, compared with another checkout of it.

    git worktree add ../before COMMIT
    python benchmarks/versions.py ../before

Each version runs in a process of its own, which stays alive: the two take turns, one measurement at
a time, and each round begins with the other one. A measurement is a ``partial_fit`` of a few epochs
of four batches of 64 trials, whose epochs skorch times, and the prediction of as many trials.
Ratios are taken round by round; the table gives their medians and quartiles. All times are wall
times, on one thread unless ``--threads`` is given.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np
from tqdm import tqdm

NETWORKS = ("EEGNet", "ShallowConvNet", "DeepConvNet", "CNNLSTM", "CCNN")
SHAPES = ("2x750", "22x1125", "64x640")

_WORKER = """
import sys, time, warnings
import numpy as np, torch
import skeeg
warnings.simplefilter("ignore")
torch.set_num_threads(int(sys.argv[1]))
estimator = None
for line in sys.stdin:
    command, *arguments = line.split()
    if command == "build":
        name, shape, epochs = arguments[0], arguments[1], int(arguments[2])
        n_channels, n_times = (int(part) for part in shape.split("x"))
        rng = np.random.default_rng(0)
        if name == "CCNN":
            X = rng.standard_normal((256, 4, 9, 9)).astype(np.float32)
        else:
            X = rng.standard_normal((256, n_channels, n_times)).astype(np.float32)
        y = rng.integers(0, 2, 256)
        estimator = getattr(skeeg, name + "Classifier")(
            max_epochs=epochs, batch_size=64, early_stopping=False, random_state=0,
            verbose=0)
        estimator.fit(X, y)
        print("ready", skeeg.__file__, flush=True)
    else:
        start = time.perf_counter()
        estimator.partial_fit(X, y)
        whole = time.perf_counter() - start
        middle = np.median(estimator.history[1 - epochs:, "dur"])
        start = time.perf_counter()
        estimator.predict_proba(X)
        print("times", middle, whole, time.perf_counter() - start, flush=True)
"""


class Version:
    """One checkout, whose worker process trains and predicts when it is asked to."""

    def __init__(self, root: Path, n_threads: int) -> None:
        environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": str(n_threads)}
        self.root = root
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(n_threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=root,
        )

    def build(self, network: str, shape: str, epochs: int) -> None:
        """Make an estimator and its trials, and fit it."""
        imported = Path(self._ask(f"build {network} {shape} {epochs}")[0])
        if not imported.is_relative_to(self.root):
            raise RuntimeError(f"The worker imported {imported} instead of a file in {self.root}.")

    def measure(self) -> np.ndarray:
        """Return the seconds of an epoch, of the whole call and of the prediction."""
        return np.array([float(part) for part in self._ask("measure")])

    def close(self) -> None:
        """End the worker."""
        self._stream("stdin").close()
        self._process.wait(timeout=60)

    def _ask(self, command: str) -> list[str]:
        requests = self._stream("stdin")
        requests.write(command + "\n")
        requests.flush()
        answer = self._stream("stdout").readline().split()
        if not answer:
            raise RuntimeError(f"The worker of {self.root} ended while it ran {command!r}.")
        return answer[1:]

    def _stream(self, name: str) -> IO[Any]:
        stream: IO[Any] | None = getattr(self._process, name)
        assert stream is not None
        return stream


def main() -> None:
    """Print the ratios of times, the other version's over this version's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("other", type=Path, help="root of the other checkout")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--shapes", nargs="+", default=SHAPES)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    here = Path(__file__).resolve().parents[1]
    versions = [Version(here, options.threads), Version(options.other.resolve(), options.threads)]
    print(
        "The other version's time over this version's: median (quartiles). "
        "Above 1, this one is faster."
    )
    print("| network | shape | epoch | whole fit | predict |\n|---|---|---|---|---|")
    for network in options.networks:
        # The topographic maps of CCNN have one shape, whatever the number of electrodes.
        for shape in options.shapes if network != "CCNN" else options.shapes[:1]:
            for version in versions:
                version.build(network, shape, options.epochs)
            ratios = []
            for number in tqdm(range(options.rounds), desc=f"{network} {shape}", leave=False):
                order = versions if number % 2 == 0 else versions[::-1]
                seconds = {version: version.measure() for version in order}
                ratios.append(seconds[versions[1]] / seconds[versions[0]])
            quartiles = np.percentile(ratios, [25, 50, 75], axis=0).T
            cells = (f"{middle:.3f} ({low:.3f} to {high:.3f})" for low, middle, high in quartiles)
            print(
                f"| {network} | {shape if network != 'CCNN' else '4x9x9'} | {' | '.join(cells)} |",
                flush=True,
            )
    for version in versions:
        version.close()


if __name__ == "__main__":
    main()
