"""Training and prediction on a GPU, compared with the layers computed one by one.

    python benchmarks/gpu.py

Each network is measured with ``filters.method="auto"`` and ``"direct"``, in alternating runs: a
training step on a batch of 64 trials (forward, backward, Adam), a prediction of the batch without
gradients, and the peak of the GPU memory that a step allocates. Times include the synchronisation
with the GPU.

Requires a CUDA device. Writes ``benchmarks/results/gpu.md``.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from speed_report import markdown_table, ratio
from torch import Tensor, nn
from tqdm import tqdm

from skeeg.networks import MSFBCNN, DeepConvNet, EEGNet, ShallowConvNet

PAGE = Path(__file__).parent / "results" / "gpu.md"
NETWORKS = (EEGNet, ShallowConvNet, DeepConvNet, MSFBCNN)
SHAPES = ((2, 750), (22, 1125), (44, 1125), (64, 640))
METHODS = ("auto", "direct")
BATCH = 64
HEADER = (
    *("network", "trials", "step, ms", "direct, ms", "times direct"),
    *("prediction, ms", "direct, ms", "times direct", "memory of a step, MB", "direct, MB"),
)


def step_of(network: nn.Module, x: Tensor, y: Tensor) -> Callable[[], None]:
    """Return a function that performs a training step on the batch."""
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    rows = network.precompute_trials(x) if hasattr(network, "precompute_trials") else {}

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(network(x, **rows), y).backward()
        optimizer.step()

    return step


def prediction_of(network: nn.Module, x: Tensor) -> Callable[[], None]:
    @torch.inference_mode()
    def predict() -> None:
        network(x)

    return predict


def seconds(work: Callable[[], None]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def in_turns(tasks: dict[str, Callable[[], None]], rounds: int) -> pd.DataFrame:
    """Return the milliseconds of each task in each round."""
    for task in tasks.values():
        for _ in range(5):  # libraries select and compile kernels in the first calls
            task()
    times = [{name: 1e3 * seconds(task) for name, task in tasks.items()} for _ in range(rounds)]
    return pd.DataFrame(times)


def peak_megabytes(step: Callable[[], None]) -> float:
    step()
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    step()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def measured(network_class: type[nn.Module], shape: tuple[int, int], rounds: int) -> list[str]:
    """Return a row of the table."""
    torch.manual_seed(0)
    x = torch.randn(BATCH, *shape, device="cuda")
    y = torch.randint(0, 2, (BATCH,), device="cuda")
    networks = {method: network_class(*shape, 2).cuda() for method in METHODS}
    for method, network in networks.items():
        network.filters.method = method
    steps = {method: step_of(network, x, y) for method, network in networks.items()}
    memory = {method: peak_megabytes(step) for method, step in steps.items()}
    training = in_turns(steps, rounds)
    predictions = {m: prediction_of(network.eval(), x) for m, network in networks.items()}
    cells = [network_class.__name__, "x".join(map(str, shape))]
    for times in (training, in_turns(predictions, rounds)):
        cells += [f"{times[method].median():.2f}" for method in METHODS]
        cells.append(ratio(times["direct"], times["auto"]))
    cells += [f"{memory[method]:,.0f}" for method in METHODS]
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--out", type=Path, default=PAGE, help="path of the page")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("This script requires a CUDA device, and torch finds none.")
    rows = []
    for network_class, shape in tqdm(list(product(NETWORKS, SHAPES)), unit="network"):
        rows.append(measured(network_class, shape, arguments.rounds))
    lines = [
        "# The front end on a GPU",
        "",
        "Written by `python benchmarks/gpu.py`, whose docstring describes the measurement. Batches "
        f"of {BATCH} trials, medians of {arguments.rounds} rounds; a ratio is the median of the "
        "ratios of the rounds, with quartiles in brackets.",
        "",
        f"{torch.cuda.get_device_name()}, Python {platform.python_version()}, torch "
        f"{torch.__version__}.",
        "",
        *markdown_table(HEADER, rows),
    ]
    arguments.out.write_text("\n".join(lines) + "\n")
    print(f"Wrote {arguments.out}.")


if __name__ == "__main__":
    main()
