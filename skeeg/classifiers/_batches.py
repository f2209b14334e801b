"""Trials as torch sees them: a batch is one indexing operation, never a loop over trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import skorch
import torch
from numpy.typing import NDArray
from torch.utils.data import BatchSampler, DataLoader, Sampler, default_convert


class TrialDataset(skorch.dataset.Dataset):
    """Trials that have passed the gate; ``dataset[indices]`` is a whole batch.

    Parameters
    ----------
    X : ndarray of float32, shape (n_trials, n_chans, n_times)
        Checked and scaled.
    y : ndarray of int64, shape (n_trials,), optional
        Class indices; zeros where there are no labels, as in ``predict``.
    sample_weight : ndarray of float32, shape (n_trials,), optional
        Weight of each trial in the loss.
    groups : ndarray, shape (n_trials,), optional
        What a validation split must not divide.

    Attributes
    ----------
    precomputed : dict of str to torch.Tensor
        What the network computes of each trial once rather than every epoch, with a row per trial.
    """

    def __init__(
        self,
        X: NDArray[np.float32],
        y: NDArray[np.int64] | None = None,
        sample_weight: NDArray[np.float32] | None = None,
        groups: NDArray[Any] | None = None,
    ) -> None:
        # skorch's own constructor works out how to index what it does not know; here it is known.
        self.trials = torch.from_numpy(X)
        self.labelled = y is not None
        self.y = torch.zeros(len(X), dtype=torch.int64) if y is None else torch.from_numpy(y)
        self.sample_weight = None if sample_weight is None else torch.from_numpy(sample_weight)
        self.groups = groups
        self.precomputed: dict[str, torch.Tensor] = {}

    @property
    def X(self) -> TrialDataset:
        """The data set itself: callbacks hand this to ``predict``, which must not gate it again."""
        return self

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, index: Any) -> tuple[Any, torch.Tensor]:
        """Return ``(X, y)`` of one trial or of a batch; all else about the trials is with ``X``."""
        if self.sample_weight is None and not self.precomputed:
            return self.trials[index], self.y[index]
        X: dict[str, Any] = {"X": self.trials[index]}
        if self.sample_weight is not None:
            X["sample_weight"] = self.sample_weight[index]
        if self.precomputed:
            X["precomputed"] = {name: rows[index] for name, rows in self.precomputed.items()}
        return X, self.y[index]

    def take(self, index: NDArray[np.intp]) -> TrialDataset:
        """Return the data set of some trials."""
        part = object.__new__(TrialDataset)
        part.trials, part.y, part.labelled = self.trials[index], self.y[index], self.labelled
        part.sample_weight = None if self.sample_weight is None else self.sample_weight[index]
        part.groups = None if self.groups is None else self.groups[index]
        part.precomputed = {}
        return part


class _Batches(Sampler[Any]):
    """Indices of each batch: a slice when in order, a tensor when shuffled.

    A last batch of one trial joins the one before it, since batch normalisation has no variance
    to divide by when a network has pooled a single trial down to one sample.
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
        order = torch.cat(
            [torch.randperm(self.n_trials, generator=self.generator) for _ in range(self.n_passes)]
        )
        return (order[part] for part in slices)


class BatchLoader(DataLoader[Any]):
    """A ``DataLoader`` that asks its data set for whole batches.

    Parameters
    ----------
    dataset : Dataset
        Its ``__getitem__`` takes a slice or a tensor of indices.
    batch_size : int
        Trials in a batch.
    shuffle : bool
        Draw a new order each epoch.
    sampler : iterable of int, optional
        Gives the order instead.
    drop_last : bool
        Leave out a last batch that is not full.
    n_passes : int
        How often an epoch goes over the data, where it is shuffled.
    generator : torch.Generator, optional
        Draws the order; torch's global one when left out.
    **loader_options
        Everything else that ``torch.utils.data.DataLoader`` takes, such as ``num_workers``.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        drop_last: bool = False,
        n_passes: int = 1,
        generator: torch.Generator | None = None,
        **loader_options: Any,
    ) -> None:
        batches: Sampler[Any]
        if sampler is None:
            batches = _Batches(len(dataset), batch_size, shuffle, drop_last, n_passes, generator)
        else:
            batches = BatchSampler(sampler, batch_size, drop_last)
        # With batch_size None the loader hands each batch's indices to the data set as they are.
        super().__init__(
            dataset, batch_size=None, sampler=batches, generator=generator, **loader_options
        )

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        plain = isinstance(self.dataset, TrialDataset) and self.collate_fn is default_convert
        if not plain or self.num_workers or self.pin_memory:
            return super().__iter__()
        # The machinery for workers takes longer than indexing the trials. It would draw a number
        # for them; drawn here as well, the stream goes on as it does with any other loader.
        batches = iter(self.sampler)
        torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        return (self.dataset[index] for index in batches)
