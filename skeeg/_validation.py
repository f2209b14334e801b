"""The single gate: whatever a user passes becomes a checked float array, scaled to unit deviation.

`unwrap` takes the array, the channel names and the sampling rate out of epochs, tensors and
`EEGData`; `check_X` and `check_X_y` check shape and dtype and remember what `fit` saw;
`standard_deviation` and `scaled` make what learns from the trials independent of their unit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from ._containers import Unwrapped as Unwrapped
from ._containers import unwrap_epochs, unwrap_epochs_list
from ._labelled import LabelledRows


@dataclass(frozen=True)
class TrialAxes:
    """The axes of one trial.

    Parameters
    ----------
    names : tuple of str
        The networks' arguments for their sizes; an estimator keeps those of ``fit`` as attributes
        of these names with an underscore behind.
    units : tuple of str
        What each axis counts, for messages.
    movable : bool, default=False
        Whether trials may have other channels than in ``fit``, where the names of both are known.
    content : str, optional
        What is no recording, for the message that refuses one.
    recipe : str, optional
        The steps of a pipeline that make it of a recording.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    movable: bool = False
    content: str = ""
    recipe: str = ""

    @property
    def X_shape(self) -> str:
        """The shape of ``X``, for messages."""
        return f"(n_trials, {', '.join(self.names)})"


#: Trials as they are recorded.
SIGNALS = TrialAxes(("n_chans", "n_times"), ("channel", "sample"))

#: Topographic maps, one for each frequency band.
MAPS = TrialAxes(
    ("n_bands", "height", "width"),
    ("band", "row", "column"),
    content="topographic maps",
    recipe="DifferentialEntropy(...), TopographicMap(...)",
)

#: Features of each electrode, which the electrodes' names put in place.
POINTS = TrialAxes(
    ("n_chans", "n_features"),
    ("channel", "feature"),
    movable=True,
    content="features of each channel",
    recipe='DifferentialEntropy(...).set_output(transform="pandas")',
)

#: Values per chunk when a whole recording is scanned: 32 MB of float64.
_CHUNK = 2**22


def unwrap(X: Any) -> Unwrapped:
    """Take the trials out of whatever holds them.

    Parameters
    ----------
    X : mne.Epochs, list of mne.Epochs, EEGData, FeatureTable, torch.Tensor, array-like or Unwrapped
        Of epochs the good EEG channels are taken; scikit-learn's splitters cut epochs into a
        list of single ones. What is unwrapped already comes back as it is.

    Returns
    -------
    unwrapped : Unwrapped
        With ``values`` that numpy understands.

    Raises
    ------
    ValueError
        If epochs have no good EEG channel, or differ in their channels.
    """
    if isinstance(X, Unwrapped):
        return X
    if isinstance(X, LabelledRows):
        return X._unwrap()
    # MNE and torch are imported only by users who pass their objects.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(X, torch.Tensor):
        X = X.detach().cpu()
        return Unwrapped((X.float() if X.dtype == torch.bfloat16 else X).numpy())
    mne = sys.modules.get("mne")
    if mne is not None:
        if isinstance(X, mne.BaseEpochs):
            return unwrap_epochs(X)
        if isinstance(X, (list, tuple)) and X and all(isinstance(x, mne.BaseEpochs) for x in X):
            return unwrap_epochs_list(X)
    return Unwrapped(X)


def check_X(
    estimator: BaseEstimator, X: Any, *, reset: bool, axes: TrialAxes = SIGNALS
) -> NDArray[Any]:
    """Check trials and, with ``reset``, remember their shape, names and rate.

    Sets, or compares with, ``n_chans_``, ``n_times_`` (or what else `axes` names),
    ``ch_names_``, ``sfreq_`` and scikit-learn's ``n_features_in_`` (the second axis of ``X``) and
    ``feature_names_in_``.
    Whether all values are finite is found where they are read, in `scaled`.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose ``fit`` or ``predict`` this is.
    X : any container that `unwrap` knows
        Shape (n_trials, n_chans, n_times), or (n_trials, n_times) for one channel. With ``MAPS``
        (n_trials, n_bands, height, width), (n_trials, height, width) for one band, or (n_trials,
        n_features) for one band with a map of one row. With ``POINTS`` (n_trials, n_chans,
        n_features), or (n_trials, n_features) for one channel.
    reset : bool
        Whether this is ``fit``.
    axes : TrialAxes, default=SIGNALS
        What a trial is.

    Returns
    -------
    X : ndarray, shape (n_trials, n_chans, n_times) or (n_trials, n_bands, height, width)
        Of a real dtype; a view of the input where possible.

    Raises
    ------
    ValueError
        If the trials are ragged, empty, complex, text, of another shape than in ``fit`` or have
        other channels; if maps or features are expected and ``X`` is a recording.
    """
    name = type(estimator).__name__
    unwrapped = unwrap(X)
    if axes.content and unwrapped.sfreq is not None:
        raise ValueError(
            f"{name} takes {axes.content}, X of shape {axes.X_shape}, got a recording at "
            f"{unwrapped.sfreq:g} Hz. Make them of it first: make_pipeline({axes.recipe}, "
            f"{name}(...))."
        )
    values = check_numbers(unwrapped.values, name=name, axes=axes)
    n_missing = len(axes.names) + 1 - values.ndim
    if n_missing < 0:
        raise ValueError(
            f"{name} takes X of shape {axes.X_shape}, got {values.ndim} dimensions: {values.shape}."
        )
    if 0 in values.shape:
        raise ValueError(f"X is empty: {name} got trials of shape {values.shape}.")
    trials = np.expand_dims(values, tuple(range(1, 1 + n_missing)))
    if reset:
        estimator.input_ndim_ = values.ndim
        for size_name, size in zip(axes.names, trials.shape[1:], strict=True):
            setattr(estimator, f"{size_name}_", size)
        estimator.ch_names_, estimator.sfreq_ = unwrapped.ch_names, unwrapped.sfreq
    elif max(values.ndim, estimator.input_ndim_) > 2:
        _check_shape_as_in_fit(estimator, trials, unwrapped, axes)
    moved = not reset and _knows_places(estimator, unwrapped, axes)
    if reset or (values.ndim == estimator.input_ndim_ and not moved):
        named = unwrapped.values if hasattr(unwrapped.values, "columns") else values
        validate_data(estimator, named, reset=reset, skip_check_array=True)
    return trials


def check_numbers(values: Any, *, name: str, axes: TrialAxes = SIGNALS) -> NDArray[Any]:
    """Return trials as an array of real numbers, finite or not.

    Parameters
    ----------
    values : array-like
    name : str
        Of the estimator, for messages.
    axes : TrialAxes, default=SIGNALS
        What a trial is, for messages.

    Returns
    -------
    values : ndarray
        A view of the input where possible.

    Raises
    ------
    ValueError
        If the trials are ragged, none, complex or text.
    """
    try:
        return check_array(
            values, allow_nd=True, ensure_all_finite=False, estimator=name, input_name="X"
        )
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"X is ragged: the trials given to {name} differ in shape. Bring all of them to one, "
            f"so that X has shape {axes.X_shape}."
        ) from error


def _knows_places(estimator: BaseEstimator, unwrapped: Unwrapped, axes: TrialAxes) -> bool:
    """Whether trials of other channels than in ``fit`` are welcome."""
    named = unwrapped.ch_names is not None and estimator.ch_names_ is not None
    return axes.movable and named


def _check_shape_as_in_fit(
    estimator: BaseEstimator, trials: NDArray[Any], unwrapped: Unwrapped, axes: TrialAxes
) -> None:
    name = type(estimator).__name__
    fitted = tuple(getattr(estimator, f"{size_name}_") for size_name in axes.names)
    moved = _knows_places(estimator, unwrapped, axes)
    for unit, size, expected in zip(axes.units, trials.shape[1:], fitted, strict=True):
        if size != expected and not (moved and unit == "channel"):
            raise ValueError(
                f"X has {size} {unit}s a trial, but {name} was fitted with {expected}. "
                f"Pass trials of shape (n_trials, {', '.join(map(str, fitted))}), or fit anew."
            )
    sfreq, fitted_sfreq = unwrapped.sfreq, estimator.sfreq_
    if sfreq is not None and fitted_sfreq is not None and not np.isclose(sfreq, fitted_sfreq):
        raise ValueError(
            f"X is sampled at {sfreq:g} Hz, but {name} was fitted at {fitted_sfreq:g} Hz. "
            "Resample the trials to that rate, or fit anew."
        )
    names, fitted_names = unwrapped.ch_names, estimator.ch_names_
    if names is None or fitted_names is None or moved:
        return
    for i, (found, expected) in enumerate(zip(names, fitted_names, strict=True)):
        if found != expected:
            raise ValueError(
                f"Channel {i} of X is {found!r}, but {name} was fitted with {expected!r} there. "
                f"Pick and reorder the channels as in fit: {', '.join(fitted_names)}."
            )


def check_X_y(
    estimator: BaseEstimator, X: Any, y: Any, *, reset: bool, axes: TrialAxes = SIGNALS
) -> tuple[Any, Any]:
    """Check trials and their class labels.

    Parameters
    ----------
    estimator : BaseEstimator
    X : any container that `unwrap` knows
    y : array-like, shape (n_trials,)
        Labels of any type.
    reset : bool
    axes : TrialAxes, default=SIGNALS
        As in `check_X`.

    Returns
    -------
    X : ndarray, as from `check_X`
    y : ndarray, shape (n_trials,)

    Raises
    ------
    ValueError
        As `check_X`; if ``y`` is missing, of another length, not finite, or no class labels.
    """
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None. "
            "The labels of an EEGData are its y."
        )
    X = check_X(estimator, X, reset=reset, axes=axes)
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y", estimator_name=name)
    check_classification_targets(y)
    check_consistent_length(X, y)
    return X, y


def standard_deviation(
    X: NDArray[Any],
    *,
    name: str = "skeeg",
    ch_names: tuple[str, ...] | None = None,
    axes: TrialAxes = SIGNALS,
) -> float:
    """Return the standard deviation of all values, a scalar that stands for their unit.

    Computed in float64 over chunks, so that memory maps are never read whole and a large offset
    does not cancel the variance.

    Parameters
    ----------
    X : ndarray, shape (n_trials, ...)
    name : str
        Of the estimator, for messages.
    ch_names : tuple of str, optional
        For messages.
    axes : TrialAxes, default=SIGNALS
        What a trial is, for messages.

    Returns
    -------
    scale : float
        Positive: where the values do not vary, their magnitude, and 1 where they are all zero.

    Raises
    ------
    ValueError
        As in `scaled`.
    """
    count, mean, squares = 0, 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in _chunks(X):
            values = chunk.astype(np.float64)
            chunk_mean = float(values.mean())
            values -= chunk_mean
            total = count + values.size
            delta = chunk_mean - mean
            squares += float(np.vdot(values, values)) + delta * delta * count * values.size / total
            mean += delta * values.size / total
            count = total
    deviation = np.sqrt(squares / count)
    if not np.isfinite(deviation):
        check_finite(X, name=name, ch_names=ch_names, axes=axes)
        raise ValueError(
            f"Input X contains a value too large: the squares of the trials given to {name} "
            "overflow. Pass them in a larger unit."
        )
    # Of a constant, rounding leaves a deviation of some 1e-16 of its magnitude.
    if deviation > 1e-12 * abs(mean):
        return float(deviation)
    return abs(mean) or 1.0


def scaled(
    X: NDArray[Any],
    scale: float,
    *,
    name: str,
    ch_names: tuple[str, ...] | None = None,
    axes: TrialAxes = SIGNALS,
    dtype: DTypeLike = np.float32,
    rounded: bool = False,
) -> NDArray[Any]:
    """Return ``X / scale`` as a new contiguous array, having checked that all of it is finite.

    The product is made in float64, so that trials in volts and in microvolts give the same
    float32 numbers.

    Parameters
    ----------
    X : ndarray, shape (n_trials, n_chans, n_times) or (n_trials, n_bands, height, width)
    scale : float
        What `standard_deviation` returned for the training data.
    name : str
        Of the estimator, for messages.
    ch_names : tuple of str, optional
        For messages.
    axes : TrialAxes, default=SIGNALS
        What a trial is, for messages.
    dtype : dtype
        Of the result.
    rounded : bool, default=False
        Whether to multiply with ``1 / scale`` as ``dtype`` has it. The product of two float32
        numbers is the same in float32 as in float64 and rounded, but takes numpy a fifth of the
        time. Trials in other units may then differ in their last digit, from which training, but
        not prediction, would go another way.

    Returns
    -------
    scaled : ndarray of ``dtype``, shape of ``X``

    Raises
    ------
    ValueError
        If a value is NaN, infinite, or too large for ``dtype``; it says where.
    """
    out = np.empty(X.shape, dtype=dtype)
    factor, precision = 1 / scale, np.dtype(np.float64)
    limits = np.finfo(out.dtype)
    if rounded and float(limits.tiny) <= factor <= float(limits.max):
        factor = float(out.dtype.type(factor))
        precision = np.result_type(X.dtype, out.dtype)
    start = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in _chunks(X):
            part = out[start : start + len(chunk)]
            np.multiply(chunk, factor, out=part, dtype=precision, casting="same_kind")
            # The sum of squares is the fastest pass that any bad value spoils.
            if not np.isfinite(np.vdot(part, part)) and not np.isfinite(part).all():
                raise ValueError(_describe_not_finite(chunk, start, name, ch_names, axes))
            start += len(chunk)
    return out


def check_finite(
    X: NDArray[Any],
    *,
    name: str,
    ch_names: tuple[str, ...] | None = None,
    axes: TrialAxes = SIGNALS,
) -> None:
    """Raise the error of `scaled` for values that are not finite, without making a copy."""
    start = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in _chunks(X):
            if not np.isfinite(chunk.sum(dtype=np.float64)) and not np.isfinite(chunk).all():
                raise ValueError(_describe_not_finite(chunk, start, name, ch_names, axes))
            start += len(chunk)


def _describe_not_finite(
    chunk: NDArray[Any], start: int, name: str, ch_names: tuple[str, ...] | None, axes: TrialAxes
) -> str:
    """Say what is wrong with the first bad value of ``chunk``, and where it is."""
    nan, infinite = np.isnan(chunk), np.isinf(chunk)
    what = "NaN" if nan.any() else "infinity" if infinite.any() else "a value too large for float32"
    bad = nan if nan.any() else infinite if infinite.any() else np.abs(chunk) >= np.abs(chunk).max()
    trial, *place = np.argwhere(bad)[0]
    where = [f"{unit} {index}" for unit, index in zip(axes.units, place, strict=True)]
    if ch_names:
        where[0] += f" ({ch_names[place[0]]})"
    return (
        f"Input X contains {what}: first in trial {start + trial}, {', '.join(where)}. "
        f"{name} takes finite values only: drop such trials, or interpolate "
        "bad channels, before passing them."
    )


def _chunks(X: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, _CHUNK // max(1, int(np.prod(X.shape[1:]))))
    for start in range(0, len(X), step):
        yield X[start : start + step]
