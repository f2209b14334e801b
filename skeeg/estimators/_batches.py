"""Data sets and loaders of trials, in which a batch is a single indexing operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import skorch
import torch
from numpy.typing import NDArray
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    Sampler,
    Subset,
    default_convert,
)

from .._validation import unwrap

#: Trials in a batch of ``predict``; larger batches would use more memory without being faster.
PREDICT_BATCH = 128


class Precomputed:
    """Tensors that a network computes once per trial, for the trials of a batch.

    Parameters
    ----------
    rows : dict of str to torch.Tensor
        Tensors with a row per trial.
    trials : torch.Tensor
        The trials from which the rows were computed.
    """

    def __init__(self, rows: dict[str, torch.Tensor], trials: torch.Tensor) -> None:
        self.rows = rows
        self._trials = trials
        self._version = trials._version  # counts the changes of a tensor

    def __len__(self) -> int:
        return len(self._trials)

    def holds_for(self, X: torch.Tensor) -> bool:
        """Return whether a batch is unchanged since the rows were computed."""
        return X is self._trials and X._version == self._version

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_version": self._trials._version - self._version}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The version of a tensor from another process starts at zero.
        changes = state["_version"]
        vars(self).update(state, _version=state["_trials"]._version - changes)


class TrialDataset(skorch.dataset.Dataset):
    """Checked and scaled trials; ``dataset[indices]`` is a whole batch.

    Parameters
    ----------
    X : ndarray of float32, shape (n_trials, n_chans, n_times)
        Checked and scaled.
    y : ndarray, shape (n_trials,) or (n_trials, n_outputs), optional
        Encoded targets: class indices as int64, or standardised values as float32. Without
        targets, as in ``predict``, they are zeros.
    sample_weight : ndarray of float32, shape (n_trials,), optional
        Weight of each trial in the loss.
    groups : ndarray, shape (n_trials,), optional
        Groups that a validation split must not divide.

    Attributes
    ----------
    precomputed : dict of str to torch.Tensor
        Tensors that the network computes once per trial rather than in every epoch, with a row per
        trial.
    changeable : bool
        Whether callbacks or networks may change batches in place, so that they must be copies.
    unscaled : ndarray or None
        The checked trials before they were scaled, while channels are selected.
    """

    unscaled: NDArray[Any] | None = None

    def __init__(
        self,
        X: NDArray[np.float32],
        y: NDArray[Any] | None = None,
        sample_weight: NDArray[np.float32] | None = None,
        groups: NDArray[Any] | None = None,
    ) -> None:
        # skorch's constructor, which is not called, finds out how to index unknown types of data.
        self.trials = torch.from_numpy(X)
        self.labelled = y is not None
        self.y = (
            torch.zeros(len(X), dtype=torch.int64, device="cpu")
            if y is None
            else torch.from_numpy(y)
        )
        self.sample_weight = None if sample_weight is None else torch.from_numpy(sample_weight)
        self.groups = groups
        self.changeable = False
        self.precomputed: dict[str, torch.Tensor] = {}

    @property
    def X(self) -> TrialDataset:
        """The data set itself, so that ``predict`` in a callback does not check it again."""
        return self

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, index: Any) -> list[Any]:
        """Return ``[X, y]`` of a trial or a batch, and a third item if trials have weights.

        ``X`` is a dict only if there are precomputed rows.
        """
        trials, is_single = self.trials[index], isinstance(index, (int, np.integer))
        if self.changeable and (is_single or isinstance(index, slice)):
            trials = trials.clone()
        X: Any = trials
        if self.precomputed:
            rows = {name: values[index] for name, values in self.precomputed.items()}
            # Of single trials, which torch's loaders ask for, plain tensors can be collated.
            X = {"X": trials, "precomputed": rows if is_single else Precomputed(rows, trials)}
        if self.sample_weight is None:
            return [X, self.y[index]]
        return [X, self.y[index], self.sample_weight[index]]

    def shallow(self) -> TrialDataset:
        """Return a data set of the same trials, for another training."""
        same = object.__new__(TrialDataset)
        same.__dict__.update(vars(self), precomputed={})
        return same

    def take(self, index: NDArray[np.intp]) -> TrialDataset:
        """Return a data set of the selected trials."""
        part = object.__new__(TrialDataset)
        part.trials, part.y, part.labelled = self.trials[index], self.y[index], self.labelled
        part.sample_weight = None if self.sample_weight is None else self.sample_weight[index]
        part.groups = None if self.groups is None else self.groups[index]
        part.changeable, part.precomputed = self.changeable, {}
        return part


def is_gated(X: Any) -> bool:
    """Return whether trials were checked before, as those that skorch passes to callbacks."""
    while isinstance(X, Subset):
        X = X.dataset
    return isinstance(X, TrialDataset)


def read_dataset(dataset: Dataset[Any], name: str) -> tuple[Any, Any]:
    """Return the trials and targets of a data set of torch or skorch.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Data set of trials, or of pairs (trial, target).
    name : str
        Name of the estimator, for messages.

    Returns
    -------
    X : ndarray, or the ``X`` of a ``skorch.dataset.Dataset``
    y : ndarray, the ``y`` of a ``skorch.dataset.Dataset``, or None
        None if the data set has no targets.

    Raises
    ------
    TypeError
        If the data set has no length, or its items are neither trials nor pairs.
    ValueError
        If the data set is empty, or its items differ in shape.
    """
    if isinstance(dataset, skorch.dataset.Dataset) and hasattr(dataset, "X"):
        return dataset.X, dataset.y
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
        raise TypeError(
            f"{name} needs all trials at once, got a {type(dataset).__name__} without a length. "
            "Pass an array, or a data set with __len__ and __getitem__."
        )
    items = [dataset[i] for i in range(len(dataset))]
    if not items:
        raise ValueError(f"The {type(dataset).__name__} passed to {name} is empty.")
    items = [item if isinstance(item, (tuple, list)) else (item,) for item in items]
    lengths = {len(item) for item in items}
    if lengths not in ({1}, {2}) or any(isinstance(item[0], Mapping) for item in items):
        kinds = {type(part).__name__ for item in items for part in item}
        raise TypeError(
            f"{name} takes data sets of trials or of pairs (trial, target), got items of "
            f"{' or '.join(map(str, sorted(lengths)))} parts ({', '.join(sorted(kinds))}) from "
            f"{type(dataset).__name__}."
        )
    parts = list(zip(*items, strict=True))
    X = _stacked(parts[0], "trials", name)
    return X, _stacked(parts[1], "targets", name) if len(parts) == 2 else None


def _stacked(items: Sequence[Any], what: str, name: str) -> NDArray[Any]:
    arrays = [np.asarray(unwrap(item).values) for item in items]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise ValueError(
            f"The {what} of the data set passed to {name} are ragged: the first shapes are "
            f"{shapes[0]} and {shapes[1]}. Give all of them the same shape."
        )
    return np.stack(arrays)


class _Batches(Sampler[Any]):
    """Indices of each batch: slices in order, or tensors if shuffled.

    A last batch of a single trial is merged with the previous one, because batch normalisation is
    not defined for a single value, which a network can reduce a trial to.
    """

    def __init__(
        self,
        n_trials: int,
        batch_size: int,
        shuffle: bool,
        drop_last: bool,
        n_passes: int,
        generator: torch.Generator | None,
    ) -> None:
        self.n_trials = n_trials
        self.shuffle = shuffle
        self.n_passes = n_passes if shuffle else 1
        self.generator = generator
        n_drawn = n_trials * self.n_passes
        self.edges = [*range(0, n_drawn, batch_size), n_drawn]
        if drop_last and n_drawn % batch_size:
            self.edges.pop()
        elif shuffle and len(self.edges) > 2 and self.edges[-1] - self.edges[-2] == 1:
            del self.edges[-2]

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __iter__(self) -> Iterator[Any]:
        slices = (slice(*edge) for edge in zip(self.edges, self.edges[1:], strict=False))
        if not self.shuffle:
            return slices
        passes = range(self.n_passes)
        draw = partial(torch.randperm, self.n_trials, generator=self.generator, device="cpu")
        order = torch.cat([draw() for _ in passes])
        return (order[part] for part in slices)


class _CollateTrials:
    """Call a user's ``collate_fn`` with a list of pairs (trial, target), as ``DataLoader`` does.

    Weights and precomputed rows of the batch are passed by it.
    """

    def __init__(self, collate: Callable[[list[Any]], Any]) -> None:
        self.collate = collate

    def __call__(self, batch: Any) -> Any:
        X, y, *weight = batch
        trials = X["X"] if isinstance(X, Mapping) else X
        collated = self.collate(list(zip(trials, y, strict=True)))
        if not weight and trials is X:
            return collated
        changed, targets, *others = collated
        return [{**X, "X": changed} if trials is not X else changed, targets, *(others or weight)]


class BatchLoader(DataLoader[Any]):
    """A ``DataLoader`` that indexes its data set once per batch.

    Parameters
    ----------
    dataset : Dataset
        Data set whose ``__getitem__`` takes a slice or a tensor of indices.
    batch_size : int
        Number of trials in a batch.
    shuffle : bool
        Whether to draw a new order in each epoch.
    sampler : iterable of int, optional
        Order of the trials, instead of ``shuffle``.
    batch_sampler : iterable of sequence of int, optional
        Trials of each batch, instead of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
    drop_last : bool
        Whether to leave out a last batch that is not full.
    n_passes : int
        Number of passes over the data in an epoch, if ``shuffle`` is True.
    generator : torch.Generator, optional
        Generator of the order; by default torch's global generator.
    collate_fn : callable, optional
        Function that makes a batch from a list of pairs (trial, target).
    **loader_options
        Further arguments of ``torch.utils.data.DataLoader``, such as ``num_workers``.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        drop_last: bool = False,
        n_passes: int = 1,
        generator: torch.Generator | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        **loader_options: Any,
    ) -> None:
        collate = None if collate_fn is None else _CollateTrials(collate_fn)
        batches: Any
        if batch_sampler is not None:
            batches = batch_sampler
        elif sampler is None:
            batches = _Batches(len(dataset), batch_size, shuffle, drop_last, n_passes, generator)
        else:
            batches = BatchSampler(sampler, batch_size, drop_last)
        # With batch_size=None the loader passes the indices of a whole batch to the data set.
        super().__init__(
            dataset,
            batch_size=None,
            sampler=batches,
            generator=generator,
            collate_fn=collate,
            **loader_options,
        )

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        plain = isinstance(self.dataset, TrialDataset) and self.collate_fn is default_convert
        if not plain or self.num_workers or self.pin_memory:
            return super().__iter__()
        # DataLoader's own iterator takes longer than indexing the trials. It would draw a seed for
        # workers, which is drawn here as well, so that both give the same batches.
        batches = iter(self.sampler)
        if self.generator is not None:
            torch.empty((), dtype=torch.int64, device="cpu").random_(generator=self.generator)
        return (self.dataset[index] for index in batches)
