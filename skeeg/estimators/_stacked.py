"""Training of the networks of several estimators together, as one stacked network.

Each member has weights, an optimiser state and a random stream of its own, and learns from its own
trials in its own order. What it learns does not depend on the other members, except for rounding.
"""

from __future__ import annotations

import gc
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from .._warnings import user_stacklevel
from ..layers._random import inside_stream, make_stream
from ._arithmetic import resolve_device
from ._batches import TrialDataset
from ._divergence import check_output, check_weights
from ._loss import set_reduction
from ._precomputing import precompute
from ._stackable import architecture_of, obstacle_of_network
from ._stacked_network import StackedNetwork


class _Order(TrialDataset):
    """A data set whose batches are the indices of their trials."""

    def __init__(self, n_trials: int) -> None:
        self.n_trials = n_trials

    def __len__(self) -> int:
        return self.n_trials

    def __getitem__(self, index: Any) -> Any:
        return index


class Member:
    """An estimator that is trained together with others.

    Parameters
    ----------
    net : NetworkEstimator
        Not fitted, except for what `learn` found.
    training : TrialDataset
        The training trials, which members may share.

    Attributes
    ----------
    error : Exception or None
        The reason why `net` is not fitted after the training.
    seconds : float
        Share of this member in the time of the training.
    """

    def __init__(self, net: Any, training: TrialDataset) -> None:
        self.net, self.training = net, training
        self.error: Exception | None = None
        self.seconds = 0.0
        net.device_ = resolve_device(net.device)
        self._seed = net._seed()

    def begin(self) -> None:
        """Build the network as `fit` does, with the same random numbers."""
        net = self.net
        verbose, net.verbose = net.verbose, 0  # no progress bar for each member
        self.stream = make_stream(self._seed, net.device_)
        try:
            with net._device_for_skorch(), net._arithmetic(), inside_stream(self.stream):
                net.initialize()
                net.notify("on_train_begin", X=self.training, y=None)
                set_reduction(net, weighted=net._class_weights is not None)
                if not self.training.precomputed:  # the members that share the trials share this
                    self.training.precomputed = precompute(net, self.training.trials)
                self._loader = net.get_iterator(_Order(len(self.training)), training=True)
        finally:
            net.verbose = verbose
        self.batches = self._indices_of_batches()
        #: The loss of each step, the outputs and the targets.
        self.recorded: list[tuple[float, Tensor, Tensor]] = []

    @property
    def n_steps(self) -> int:
        """Number of steps of the optimiser."""
        return len(self._loader) * int(self.net.max_epochs)

    def _indices_of_batches(self) -> Iterator[Tensor]:
        for _ in range(self.net.max_epochs):
            with inside_stream(self.stream):
                batches = iter(self._loader)
            yield from batches

    def finish(self) -> None:
        """Complete the estimator as after `fit`, from the weights that its network now has.

        Raises
        ------
        ValueError
            If the training diverged, as in `fit`.
        """
        net = self.net
        with net._device_for_skorch(), net._arithmetic():
            self._record_history()
            net.notify("on_train_end", X=self.training, y=None)
            check_weights(net)
            check_output(net, self.training.trials)
        net._stream = None

    def _record_history(self) -> None:
        net, steps = self.net, iter(self.recorded)
        on_epoch = {"dataset_train": self.training, "dataset_valid": None}
        n_batches = len(self._loader)
        for _ in range(net.max_epochs):
            net.notify("on_epoch_begin", **on_epoch)
            for _ in range(n_batches):
                loss, output, target = next(steps)
                score = net._score_sum(output, target).item() / len(target)
                net.history.new_batch()
                net.history.record_batch("train_loss", loss)
                net.history.record_batch(f"train_{net.recorded_score}", score)
                net.history.record_batch("train_batch_size", len(target))
            net.history.record("train_batch_count", n_batches)
            net.notify("on_epoch_end", **on_epoch)
            net.history.record("dur", self.seconds / net.max_epochs)


def learn(net: Any, X: Any, y: Any) -> TrialDataset:
    """Return checked and scaled training trials, as `fit` makes them before it builds the network.

    Parameters
    ----------
    net : NetworkEstimator
        Its attributes that `fit` learns of the trials are set.
    X, y : array-like
        As in ``fit``.

    Returns
    -------
    training : TrialDataset
    """
    net.initialized_ = False
    return net._training_data(X, y, None, None, reset=True, classes=None)


def train_together(
    members: Sequence[Member], max_stacked: int, *, verbose: bool = False
) -> tuple[dict[str, list[Member]], int]:
    """Train members whose estimators differ only in what may differ in a stacked network.

    Parameters
    ----------
    members : sequence of Member
    max_stacked : int
        Largest number of networks that are trained at once. If a CUDA device has too little memory,
        half as many are trained at once, with a warning.
    verbose : bool
        Whether to show a progress bar.

    Returns
    -------
    left : dict of str to list of Member
        The members that were not trained, by the reason. The others are fitted, or have an `error`.
    max_stacked : int
        The number for which the device has enough memory, as far as is known.
    """
    left: dict[str, list[Member]] = defaultdict(list)
    groups: dict[Any, list[Member]] = defaultdict(list)
    for member in members:
        try:
            member.begin()
        except Exception as error:  # as it is raised by a fit
            member.error = error
            continue
        reason = obstacle_of_network(member.net)
        if reason is None:
            groups[architecture_of(member.net.module_)].append(member)
        else:
            left[reason].append(member)
    for group in groups.values():
        waiting = list(group)
        while waiting:
            chunk = waiting[:max_stacked]
            if _train(chunk, verbose):
                del waiting[: len(chunk)]
            elif len(chunk) == 1:
                left["the device has too little memory for it"].append(waiting.pop(0))
            else:
                max_stacked = -(-len(chunk) // 2)
                _free_memory(chunk, max_stacked)
    return left, max_stacked


def _train(members: Sequence[Member], verbose: bool) -> bool:
    """Train members together; return False if the device has too little memory for them."""
    start = time.perf_counter()
    try:
        n_steps = max(member.n_steps for member in members)
        name = f"{len(members)} networks at once"
        with (
            members[0].net._arithmetic(),
            tqdm(total=n_steps, desc=name, unit="step", disable=not verbose) as bar,
        ):
            StackedNetwork(members).train(bar.update)
    except torch.OutOfMemoryError:
        return False
    seconds = (time.perf_counter() - start) / len(members)
    for member in members:
        member.seconds += seconds
        try:
            member.finish()
        except Exception as error:
            member.net.initialized_ = False
            member.error = error
        member.recorded.clear()
    return True


def _free_memory(members: Sequence[Member], max_stacked: int) -> None:
    warnings.warn(
        f"The CUDA device has too little memory for {len(members)} networks at once: "
        f"{max_stacked} are trained at once from here on. Set max_stacked={max_stacked} to begin "
        "with that number.",
        stacklevel=user_stacklevel(),
    )
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    for member in members:
        member.begin()
