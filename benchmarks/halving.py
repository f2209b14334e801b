"""Successive halving on epochs: going on from the trained weights, or training anew.

`EpochHalvingSearchCV` and scikit-learn's ``HalvingGridSearchCV(resource="max_epochs")`` search the
same learning rates of an EEGNet on the same folds of simulated motor imagery, alternately in one
run. Both have the same seeds, so scores and best candidate must be equal; the script ends with an
error if they are not. It prints the wall time of each search, and the ratio of the medians.

    python benchmarks/halving.py --repeats 3
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

from skeeg import EEGNetClassifier
from skeeg.datasets import simulate_motor_imagery
from skeeg.model_selection import EpochHalvingSearchCV, TrialKFold


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--factor", type=int, default=2)
    parser.add_argument("--trials", type=int, default=30, help="trials of each of four runs")
    options = parser.parse_args()
    data = simulate_motor_imagery(n_subjects=1, n_trials=options.trials, n_runs=2, random_state=0)
    grid = {"lr": np.geomspace(1e-5, 1e-1, options.candidates).tolist()}
    network = EEGNetClassifier(max_epochs=options.epochs, random_state=0)
    cv = list(TrialKFold(3).split(data))
    ours = EpochHalvingSearchCV(network, grid, factor=options.factor, min_epochs=2, cv=cv)
    theirs = HalvingGridSearchCV(
        network,
        grid,
        factor=options.factor,
        resource="max_epochs",
        min_resources=2,
        max_resources=options.epochs,
        cv=cv,
        return_train_score=False,
    )
    print(data)
    times: dict[str, list[float]] = {"continued": [], "anew": []}
    for _ in range(options.repeats):
        for name, search in (("continued", ours), ("anew", theirs)):
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                search.fit(data, data.y)
            times[name].append(time.perf_counter() - start)
    equal = np.array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    if not equal or ours.best_params_ != theirs.best_params_:
        raise SystemExit("The two searches differ.")
    print(f"candidates {ours.n_candidates_}, epochs {ours.n_resources_}, best {ours.best_params_}")
    for name, measured in times.items():
        print(f"{name:10} {', '.join(f'{t:.2f}' for t in measured)} s")
    ratio = statistics.median(times["anew"]) / statistics.median(times["continued"])
    print(f"continued is {ratio:.2f} times as fast, with equal scores")


if __name__ == "__main__":
    main()
