"""The data of a training: checked, scaled and encoded, weighted, divided for validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight

from .._labelled import LabelledRows
from .._validation import amplitudes, check_X, require_targets, scaled, standard_deviation
from ..layers._random import current_generator
from ..model_selection.folds import trial_codes
from ._amplitudes import deviations, typical_amplitude, warn_of_another_unit, warn_of_outliers
from ._batches import TrialDataset, is_gated, read_dataset
from ._names import accepted_names
from ._precomputing import precompute


def trial_groups(X: Any) -> NDArray[Any] | None:
    """Return the recorded trial of each row, where it is known."""
    if not isinstance(X, LabelledRows) or "trial" not in X.metadata:
        return None
    return trial_codes(X)


def with_targets(X: Any, y: Any, name: str) -> tuple[Any, Any]:
    """Take trials and targets out of a data set of torch.

    Parameters
    ----------
    X : torch.utils.data.Dataset, or trials in any other form
    y : array-like or None
        Targets; None if the data set holds them.
    name : str
        Name of the estimator, for messages.

    Returns
    -------
    X, y : array-like
    """
    if isinstance(X, torch.utils.data.Dataset):
        if is_gated(X):
            raise TypeError(f"{name} cannot be fitted to trials that another fit has scaled.")
        X, found = read_dataset(X, name)
        y = found if y is None else y
    require_targets(y, name=name)
    return X, y


def training_data(
    net: Any, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool, classes: Any
) -> TrialDataset:
    """Check the arguments of ``fit``, and return scaled trials with encoded targets.

    Parameters
    ----------
    net : NetworkEstimator
    X, y, sample_weight, groups, classes
        As in ``fit`` and ``partial_fit``.
    reset : bool
        Whether shape, scale and targets are learnt from these trials, or compared with those that
        were learnt before.

    Returns
    -------
    dataset : TrialDataset
    """
    name = type(net).__name__
    if groups is None:
        groups = trial_groups(X)
    X, y = with_targets(X, y, name)
    trials = net._unwrapped(X, reset=reset)
    X = check_X(net, trials, reset=reset, axes=net._trial_axes)
    y = net._check_targets(y)
    check_consistent_length(X, y)
    for_messages = net._for_messages(trials)
    if groups is not None:
        groups = column_or_1d(groups)
        check_consistent_length(X, groups)
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        # A trial of no weight must not enter batch statistics or the scale either.
        kept = sample_weight > 0
        if not kept.any():
            raise ValueError("All trials have sample_weight zero: nothing is left to fit.")
        X, y, sample_weight = X[kept], y[kept], sample_weight[kept]
        groups = None if groups is None else groups[kept]
    if reset:
        net._learn_targets(y, classes)
    encoded = net._encode(y)
    if sample_weight is not None:
        sample_weight = sample_weight / sample_weight.mean()
    net._learn_weights(y, encoded, sample_weight)
    if reset:
        net.scale_ = standard_deviation(X, **for_messages)
    checked = scaled(X, net.scale_, **for_messages)
    found = amplitudes(checked)
    if reset:
        net._typical_amplitude = typical_amplitude(found)
    warn_of_another_unit(typical_amplitude(found), net._typical_amplitude, name)
    warn_of_outliers(deviations(checked), name)
    weights = None if sample_weight is None else sample_weight.astype(np.float32)
    dataset = TrialDataset(checked, encoded, weights, groups)
    if reset and getattr(net, "n_selected_chans", None) is not None:
        dataset.unscaled = X  # for the scale of the selected channels
    return dataset


def split_data(
    net: Any, dataset: TrialDataset, split_params: dict[str, Any]
) -> tuple[Any, torch.utils.data.Dataset[Any] | None]:
    """Divide the training data into a part to learn from and a part to validate on.

    Parameters
    ----------
    net : NetworkEstimator
    dataset : TrialDataset
        As `training_data` returns it.
    split_params : dict
        Further arguments of ``train_split``.

    Returns
    -------
    training, validation : torch.utils.data.Dataset
        The latter None without ``early_stopping`` or ``train_split``.
    """
    # Torch's own loaders give copies, which callbacks and networks may change in place.
    dataset.changeable = True
    y, groups = dataset.y.numpy(), dataset.groups
    if net.train_split:  # its parts refer to the data set
        dataset.precomputed = precompute(net, dataset.trials)
        names = accepted_names(net.train_split)
        takes_groups = groups is not None and (names is None or "groups" in names)
        grouped = {"groups": groups} if takes_groups else {}
        training, validation = net.train_split(dataset, y, **grouped, **split_params)
        return _gated(net, training), _gated(net, validation)
    if not net.early_stopping:
        dataset.precomputed = precompute(net, dataset.trials)
        return dataset, None
    # A continued training keeps the split: the network must not validate on what it learnt from.
    if net._split_seed is None or not len(net.history):
        generator = current_generator("cpu")
        net._split_seed = int(torch.randint(2**31 - 1, (), device="cpu", generator=generator))
    train, valid = net._validation_split(y, groups, net._split_seed)
    part = dataset.take(train)
    part.precomputed = precompute(net, part.trials)
    return part, dataset.take(valid)


def _gated(net: Any, part: Any) -> Any:
    """Pass a part that ``train_split`` brought from elsewhere through the gate."""
    if type(part) is torch.utils.data.Subset:
        # Whole batches are asked for with slices and tensors, which lists do not understand.
        indices: Any = np.asarray(part.indices)
        return torch.utils.data.Subset(_gated(net, part.dataset), indices)
    if part is None or is_gated(part):
        return part
    X, y = with_targets(part, None, type(net).__name__)
    return net.get_dataset(X, y)
