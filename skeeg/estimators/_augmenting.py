"""Augmentation of training batches, from the random stream of the fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from sklearn.base import is_classifier

from .._validation import SIGNALS
from ..augmentation import Augmentation, Batch, Recording, resolve_augmentations
from ..layers._random import current_generator

#: Prefix of the parameters of augmentations.
_PREFIX = "augment__"


def check_augment(net: Any) -> None:
    """Raise for an augmentation that is unknown, has an invalid parameter, or needs raw EEG.

    Parameters
    ----------
    net : NetworkEstimator

    Raises
    ------
    TypeError, ValueError
        As in `resolve_augmentations` and `Augmentation.check_parameters`.
    """
    for augmentation in resolve_augmentations(net.augment):
        augmentation.check_parameters()
        if augmentation.of_signals and net._trial_axes is not SIGNALS:
            raise ValueError(
                f"{type(augmentation).__name__} changes raw EEG, but {type(net).__name__} takes "
                f"{net._trial_axes.content}. Augmentations of these are 'gaussian_noise' and "
                "'mixup'."
            )


def is_augmented(net: Any) -> bool:
    """Return whether an estimator has augmentations."""
    return bool(resolve_augmentations(net.augment))


def mixes_targets(net: Any) -> bool:
    """Return whether an augmentation makes class labels into probabilities."""
    return is_classifier(net) and any(
        augmentation.mixes_targets for augmentation in resolve_augmentations(net.augment)
    )


def recording_of(net: Any) -> Recording:
    """Return what an estimator in a fit knows of its trials."""
    sfreq = net.sfreq_ if net.sfreq_ is not None else vars(net).get("module__sfreq")
    return Recording(sfreq, net.ch_names_, net.classes_ if is_classifier(net) else None)


def augmented(net: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield training batches in which the augmentations of an estimator have changed trials.

    Tensors that were precomputed for the unchanged trials are left out.

    Parameters
    ----------
    net : NetworkEstimator
        In a fit. The weights of the trials of a batch, where there are any, are changed along.
    batches : iterable of (X, y)

    Raises
    ------
    TypeError
        If the trials of a batch are not a tensor.
    ValueError
        If the trials do not have what an augmentation needs, such as a sampling rate.
    """
    augmentations, recording = resolve_augmentations(net.augment), recording_of(net)
    for X, y in batches:
        trials = X["X"] if isinstance(X, Mapping) and "precomputed" in X else X
        if not isinstance(trials, torch.Tensor):
            raise TypeError(
                "augment needs batches whose trials are a tensor, but the batches of "
                f"{net.iterator_train!r} have {type(trials).__name__}."
            )
        trials = trials.to(net.device_)
        weight = net._batch_weight
        batch = Batch(
            trials if trials.is_floating_point() else trials.float(),
            y.to(net.device_),
            None if weight is None else weight.to(net.device_),
        )
        generator = current_generator(trials.device)
        for augmentation in augmentations:
            batch = augmentation.apply(batch, recording, generator)
        net._batch_weight = batch.weight
        yield [batch.X, batch.y]


def nested_params(augment: Any) -> dict[str, Any]:
    """Return the parameters of augmentations in a list, by names that `set_nested_params` takes.

    Parameters
    ----------
    augment : str, Augmentation, sequence of them, or None

    Returns
    -------
    params : dict of str to object
        Such as ``augment__time_shift__max_shift``. Those of a single augmentation are listed by
        scikit-learn.
    """
    items = augment if isinstance(augment, (list, tuple)) else []
    return {
        f"{_PREFIX}{_name(item)}__{name}": value
        for item in items
        if isinstance(item, Augmentation)
        for name, value in item.get_params(deep=False).items()
    }


def set_nested_params(net: Any, params: Mapping[str, Any]) -> None:
    """Set parameters of augmentations; those given by name become objects.

    Parameters
    ----------
    net : NetworkEstimator
    params : mapping
        Such as ``augment__max_shift`` of a single augmentation, or
        ``augment__time_shift__max_shift`` of one in a list.

    Raises
    ------
    ValueError
        If there is no such augmentation, or it has no such parameter.
    """
    if not params:
        return
    resolved = resolve_augmentations(net.augment)
    is_list = not isinstance(net.augment, (str, Augmentation))
    for full_name, value in params.items():
        name = full_name.removeprefix(_PREFIX)
        found = resolved
        if is_list:
            which, _, name = name.partition("__")
            found = [item for item in resolved if _name(item) == which]
        if len(found) != 1:
            raise ValueError(
                f"{type(net).__name__} has no parameter {full_name!r}: it has "
                f"{len(found)} such augmentations, augment={net.augment!r}."
            )
        found[0].set_params(**{name: value})
    net.augment = resolved if is_list else resolved[0]


def _name(item: Augmentation) -> str:
    return item.name or type(item).__name__
