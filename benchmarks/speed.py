r"""Training, prediction, latency and memory of the networks, compared with braindecode's.

    python benchmarks/speed.py

EEGNet, ShallowConvNet and DeepConvNet are trained in turns in one process by

* **skeeg**, the classifier with its default method;
* **direct**, the same classifier with its first layers computed as written;
* **bare loop**, skeeg's module and optimiser in a plain torch loop over the same batches;
* **braindecode**, its EEGNet, ShallowFBCSPNet or Deep4Net in its EEGClassifier, with the same
  hyper-parameters, batches of the same size and the same optimiser;
* **compiled loop**, with ``--compile``: the bare loop with its module under ``torch.compile``. It
  needs a C++ compiler.

A batch of direct takes up to fifty times as long as one of skeeg, so that direct takes part in the
first round only. MSFBCNN, which braindecode does not have, is compared with direct only, for one
shape, on one thread and in epochs of one batch: a batch of direct takes half a minute and several
GB.

A *round* of one contestant is a ``partial_fit`` of a few epochs of four batches, each timed by
skorch, followed by some predictions. Contestants take turns, and each round begins with another
one. Each network is built and trained for an epoch before the first round. The times of batches
therefore exclude constructors, first batches, compilation, and the sums over each trial that skeeg
computes once in a fit before the first epoch. These sums have a column of their own, and the column
"spread over 1 epoch" adds all of them to each batch. (A fit of one epoch does not compute them
beforehand, but takes about as long.) Ratios are taken round by round. All times are wall times.

Peak memory is measured in a separate process, as the rise of its resident set (``VmHWM`` in
``/proc/self/status`` on Linux) to the maximum over two steps of the bare loop. A step on four
trials precedes them, so that libraries, trials, network, gradients and the optimiser's state are
allocated before.

Without braindecode, which skeeg does not depend on, skeeg is compared with direct only. To install
it with the CPU build of torch:

    pip install --no-deps braindecode
    pip install linear_attention_transformer mne mne-bids h5py skorch docstring_inheritance \
        einops rotary_embedding_torch wfdb torchaudio

It imports torchaudio, whose compiled extension may fail to load with the CPU build of torch. The
extension is not needed: rename the folder ``torchaudio/lib`` in that case.

``benchmarks/results/speed.md`` is written again after each network, shape and number of threads.
Measurements are stored in ``--store`` as long as code, libraries and options are the same, so that
an interrupted run can be resumed.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from floor import Floor, Machine, layered_floor, least_floor, measure_machine
from numpy.typing import NDArray
from speed_report import BARE, COMPILED, DIRECT, PEER, SKEEG, Aims, report
from torch import nn
from tqdm import tqdm

import skeeg
from skeeg import (
    DeepConvNetClassifier,
    EEGNetClassifier,
    MSFBCNNClassifier,
    ShallowConvNetClassifier,
)
from skeeg.layers import apply_max_norm

RESULTS = Path(__file__).parent / "results" / "speed.md"
SHAPES = {"2x750": (2, 750), "22x1125": (22, 1125), "44x1125": (44, 1125), "64x640": (64, 640)}
BATCH, N_CLASSES, LR = 64, 4, 1e-3
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Network:
    """A network of skeeg, and the corresponding one of the peer, if it has one."""

    classifier: Any
    peer: str | None = None
    peer_params: dict[str, Any] = field(default_factory=dict)
    n_batches: int = 4  # of an epoch
    shapes: tuple[str, ...] = tuple(SHAPES)
    most_threads: int | None = None  # None: as many as are asked for


NETWORKS = {
    "EEGNet": Network(
        EEGNetClassifier,
        "EEGNet",
        {
            "F1": 8,
            "D": 2,
            "kernel_length": 64,
            "drop_prob": 0.5,
            # A dense layer with limited norms, as in the paper and here.
            "final_layer_with_constraint": True,
        },
    ),
    "ShallowConvNet": Network(ShallowConvNetClassifier, "ShallowFBCSPNet"),
    "DeepConvNet": Network(DeepConvNetClassifier, "Deep4Net"),
    "MSFBCNN": Network(MSFBCNNClassifier, n_batches=1, shapes=("44x1125",), most_threads=1),
}

AIMS = Aims(
    fit={
        **{("EEGNet", shape): aim for shape, aim in zip(SHAPES, (2, 12, 20, 20), strict=True)},
        **{("ShallowConvNet", shape): 6 for shape in SHAPES},
        **{("DeepConvNet", shape): 3 for shape in SHAPES},
        ("MSFBCNN", "44x1125"): 15,
    },
    predict={("EEGNet", shape): 20 for shape in SHAPES if shape != "2x750"},
    memory={(network, "64x640"): 1 / 4 for network in NETWORKS},
    overhead=0.05,
    latency=3.0,
)


@dataclass(frozen=True)
class Effort:
    """How often each measurement is repeated."""

    rounds: int
    epochs: int  # of a round, after one that is not counted
    calls: int  # of each prediction in a round
    is_compiled: bool  # whether a compiled loop takes part


# ---------------------------------------------------------------------- contestants


class Estimator:
    """A classifier of skeeg or of the peer."""

    def __init__(self, classifier: Any, X: Any, y: Any) -> None:
        self.classifier, self.X, self.y = classifier, X, y
        classifier.set_params(max_epochs=1)
        classifier.partial_fit(X, y)

    def train(self, n_epochs: int) -> NDArray[np.float64]:
        """Return the times of some epochs, after one that is not counted."""
        self.classifier.set_params(max_epochs=1 + n_epochs)
        self.classifier.partial_fit(self.X, self.y)
        # What skorch records. A callback of our own would be code that may draw random numbers,
        # for which an estimator of skeeg takes a few microseconds more in each call of torch.
        return np.array(self.classifier.history[-n_epochs:, "dur"])

    def predict(self, X: Any) -> Any:
        """Return labels."""
        return self.classifier.predict(X)

    def forward(self, x: torch.Tensor) -> Any:
        """Return the output of the module alone."""
        self.classifier.module_.eval()
        with torch.no_grad():
            return self.classifier.module_(x)


class BareLoop:
    """A plain torch loop over the same batches, with the same network and optimiser."""

    def __init__(self, network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
        self.network, self.x, self.y = network.train(), x, y
        self.optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
        self.criterion = nn.CrossEntropyLoss()
        self.known = {}
        if hasattr(network, "precompute_trials"):
            with torch.no_grad():
                self.known = network.precompute_trials(x)

    def step(self, index: torch.Tensor) -> None:
        """Learn from the trials of a batch."""
        known = {name: rows[index] for name, rows in self.known.items()}
        loss = self.criterion(self.network(self.x[index], **known), self.y[index])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        apply_max_norm(self.network)

    def train(self, n_epochs: int) -> NDArray[np.float64]:
        """Return the times of some epochs, after one that is not counted."""
        ends = []
        for _ in range(1 + n_epochs):
            for index in torch.randperm(len(self.x)).split(BATCH):
                self.step(index)
            ends.append(time.perf_counter())
        return np.diff(ends)


def ours(network: Network, n_threads: int, X: Any, y: Any, method: str = "auto") -> Estimator:
    classifier = network.classifier(
        batch_size=BATCH,
        lr=LR,
        optimizer="adam",
        device="cpu",
        n_threads=n_threads,
        random_state=0,
    )
    contestant = Estimator(classifier, X, y)
    classifier.module_.filters.method = method
    return contestant


@cache
def peer_package() -> Any:
    """Return braindecode, or None where it cannot be imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import braindecode
            import braindecode.models
        except (ImportError, OSError) as error:  # the latter from torchaudio's extension
            print(f"Without braindecode, skeeg is compared with its direct method only: {error}")
            return None
    return braindecode


def has_peer(network: Network) -> bool:
    return network.peer is not None and peer_package() is not None


def peer_module(network: Network, shape: tuple[int, int]) -> tuple[Any, dict[str, Any]]:
    n_chans, n_times = shape
    sizes = {"n_chans": n_chans, "n_times": n_times, "n_outputs": N_CLASSES}
    return getattr(peer_package().models, network.peer), sizes | network.peer_params


def theirs(network: Network, X: Any, y: Any) -> Estimator:
    module, params = peer_module(network, X.shape[1:])
    classifier = peer_package().EEGClassifier(
        module,
        **{f"module__{name}": value for name, value in params.items()},
        optimizer=torch.optim.Adam,
        lr=LR,
        batch_size=BATCH,
        train_split=None,  # skeeg has no validation split either
        device="cpu",
        verbose=0,
    )
    return Estimator(classifier, X, y)


# ---------------------------------------------------------------------- measurements


def trials(shape: tuple[int, int], n_batches: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(0)
    n_trials = BATCH * n_batches
    X = rng.standard_normal((n_trials, *shape), dtype=np.float32)
    return X, rng.permutation(np.arange(n_trials) % N_CLASSES)


def median_time(function: Callable[[Any], Any], argument: Any, calls: int) -> float:
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def race(
    network: Network, shape: tuple[int, int], threads: int, effort: Effort
) -> Iterator[dict[str, Any]]:
    """Yield the seconds of each contestant, measure and round."""
    X, y = trials(shape, network.n_batches)
    contestants: dict[str, Any] = {SKEEG: ours(network, threads, X, y)}
    module = contestants[SKEEG].classifier.module_
    contestants[BARE] = BareLoop(deepcopy(module), torch.from_numpy(X), torch.from_numpy(y))
    if effort.is_compiled:
        compiled = torch.compile(deepcopy(module))
        contestants[COMPILED] = BareLoop(compiled, torch.from_numpy(X), torch.from_numpy(y))
    contestants[DIRECT] = ours(network, threads, X, y, "direct")
    if has_peer(network):
        contestants[PEER] = theirs(network, X, y)
    batch, one = X[:BATCH], X[:1]
    for contestant in contestants.values():
        if isinstance(contestant, Estimator):
            contestant.predict(batch), contestant.predict(one)
    order = list(contestants)
    for round_ in range(effort.rounds):
        for name in order[round_ % len(order) :] + order[: round_ % len(order)]:
            if name == DIRECT and round_ and PEER in contestants:
                continue
            contestant = contestants[name]
            # These differ by a few per cent, and take less time than the others.
            n_epochs = effort.epochs * (4 if name in (SKEEG, BARE, COMPILED) else 1)
            seconds = {"fit": np.median(contestant.train(n_epochs)) / network.n_batches}
            if isinstance(contestant, Estimator):
                seconds["predict"] = median_time(contestant.predict, batch, effort.calls)
                seconds["one"] = median_time(contestant.predict, one, 5 * effort.calls)
                x = torch.from_numpy(one)
                seconds["forward"] = median_time(contestant.forward, x, 5 * effort.calls)
            if name == SKEEG:
                seconds["once"] = precomputing_time(module, torch.from_numpy(batch))
            for measure, value in seconds.items():
                yield {"who": name, "measure": measure, "round": round_, "value": value}


@torch.no_grad()
def precomputing_time(module: nn.Module, x: torch.Tensor) -> float:
    """Return the time that a fit takes once for the trials of a batch."""
    if not hasattr(module, "precompute_trials"):
        return 0.0
    return median_time(module.precompute_trials, x, 3)


def memory_of_step(who: str, network: str, shape: tuple[int, int], threads: int) -> float:
    """Return the peak of two steps in MB; must run in a process of its own."""
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")
    X, y = (torch.from_numpy(values) for values in trials(shape, n_batches=2))
    if who == PEER:
        make, params = peer_module(NETWORKS[network], shape)
        module = make(**params)
    else:
        module = NETWORKS[network].classifier.module(*shape, N_CLASSES)
        module.filters.method = "direct" if who == DIRECT else "auto"
    loop = BareLoop(module, X, y)
    loop.step(torch.arange(4))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    before = resident("VmRSS")
    for index in torch.arange(len(X)).split(BATCH):
        loop.step(index)
    return (resident("VmHWM") - before) / 2**10


def resident(name: str) -> int:
    """Return a field of the process's status, in kB."""
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1])


def memory(network: str, shape: tuple[int, int], threads: int) -> Iterator[dict[str, Any]]:
    """Yield the peak memory of each contestant."""
    if not STATUS.exists():
        return
    spawn = multiprocessing.get_context("spawn")
    for who in [SKEEG, DIRECT] + [PEER] * has_peer(NETWORKS[network]):
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            megabytes = pool.submit(memory_of_step, who, network, shape, threads).result()
        yield {"who": who, "measure": "memory", "round": 0, "value": megabytes}


def floors(
    network: Network, shape: tuple[int, int], machine: Machine
) -> dict[tuple[str, str], Floor]:
    """Return the floors of a training and a prediction batch."""
    module, x = network.classifier.module(*shape, N_CLASSES), torch.randn(BATCH, *shape)
    return {
        (measure, kind): floor(module, x, machine, training=measure == "fit")
        for measure in ("fit", "predict")
        for kind, floor in (("layered", layered_floor), ("least", least_floor))
    }


# ---------------------------------------------------------------------- command


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="the page to write")
    parser.add_argument("--store", type=Path, default=Path("skeeg-results/speed"))
    parser.add_argument("--compile", action="store_true", help="time torch.compile as well")
    parser.add_argument(
        "--quick", action="store_true", help="each measurement once, to test the script"
    )
    arguments = parser.parse_args()
    if arguments.compile and not any(map(shutil.which, ("g++", "clang++", "cl"))):
        parser.error("--compile needs a C++ compiler on the path, such as g++.")
    return arguments


def fingerprint() -> str:
    """Return a hash of the code and of the versions of its libraries."""
    package = Path(skeeg.__file__).parent
    here = Path(__file__).parent
    sources = [*sorted(package.rglob("*.py")), here / "speed.py", here / "floor.py"]
    libraries = [version(name) for name in ("torch", "skorch", "scikit-learn", "numpy")]
    known = [*(path.read_bytes() for path in sources), libraries, peer_package() is not None]
    return str(joblib.hash(known))


def measure_case(
    threads: int, name: str, shape: str, effort: Effort, machine: Machine
) -> tuple[list[dict[str, Any]], dict[tuple[str, str], Floor]]:
    """Return the measurements of a network on trials of a shape, and its floors."""
    network, size = NETWORKS[name], SHAPES[shape]
    where = {"threads": threads, "network": name, "shape": shape}
    rows = [where | row for row in race(network, size, threads, effort)]
    rows += [where | row for row in memory(name, size, threads)]
    load = {"who": "machine", "measure": "load", "round": 0, "value": os.getloadavg()[0]}
    rows.append(where | load)
    return rows, floors(network, size, machine)


def main() -> None:
    arguments = parsed_arguments()
    warnings.filterwarnings("ignore", module="braindecode")
    page = arguments.out or RESULTS
    effort = Effort(rounds=arguments.rounds, epochs=2, calls=5, is_compiled=arguments.compile)
    store = joblib.Memory(arguments.store / fingerprint(), verbose=0)
    if arguments.quick:
        effort = replace(effort, rounds=1, epochs=1, calls=1)
        page = arguments.out or Path(tempfile.gettempdir()) / RESULTS.name
        store = joblib.Memory(None)
    machines: dict[int, Machine] = {}
    rows: list[dict[str, Any]] = []
    least: dict[tuple[int, str, str], dict[tuple[str, str], Floor]] = {}
    todo = [
        (threads, name, shape)
        for threads in arguments.threads
        for shape in arguments.shapes
        for name in arguments.networks
        if shape in NETWORKS[name].shapes and threads <= (NETWORKS[name].most_threads or threads)
    ]
    for threads, name, shape in tqdm(todo, unit="network"):
        torch.set_num_threads(threads)
        machines[threads] = store.cache(measure_machine)(threads)
        measured, least[threads, name, shape] = store.cache(measure_case)(
            threads, name, shape, effort, machines[threads]
        )
        rows += measured
        text = report(pd.DataFrame(rows), least, machines, AIMS)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    print(f"{text}\nWritten to {page}.")


if __name__ == "__main__":
    main()
