"""Validation of input: trials become checked float arrays, scaled to unit standard deviation.

`unwrap` extracts the array, the channel names and the sampling rate from epochs, tensors and
`EEGData`. `check_X` and `check_X_y` check shape and dtype and compare them with those in `fit`.
`standard_deviation` and `scaled` make estimators independent of the unit of the trials.
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
from ._labelled import LabelledRows, refuse_what_holds_no_trials


@dataclass(frozen=True)
class TrialAxes:
    """The axes of one trial.

    Parameters
    ----------
    names : tuple of str
        Names of the networks' arguments for the sizes of the axes. Fitted estimators have
        attributes of these names with a trailing underscore.
    units : tuple of str
        Name of an element along each axis, for messages.
    movable : bool, default=False
        Whether trials may have other channels than in ``fit`` if the names of both are known.
    content : str, optional
        Name of features that are not recordings, for the error raised for a recording.
    recipe : str, optional
        Steps of a pipeline that compute these features from a recording.
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


#: Recorded trials.
SIGNALS = TrialAxes(("n_chans", "n_times"), ("channel", "sample"))

#: Topographic maps, one per frequency band.
MAPS = TrialAxes(
    ("n_bands", "height", "width"),
    ("band", "row", "column"),
    content="topographic maps",
    recipe="DifferentialEntropy(...), TopographicMap(...)",
)

#: Features of each electrode, whose position is known from its name.
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
    """Return the trials in any supported container as an array, with names and sampling rate.

    Parameters
    ----------
    X : mne.Epochs, list of mne.Epochs, EEGData, FeatureTable, torch.Tensor, array-like or Unwrapped
        From epochs the good EEG channels are taken. A list of epochs is what scikit-learn's
        splitters make of epochs. An `Unwrapped` is returned as it is.

    Returns
    -------
    unwrapped : Unwrapped
        With ``values`` that numpy can convert.

    Raises
    ------
    ValueError
        If epochs have no good EEG channel or differ in their channels, or ``X`` holds times.
    TypeError
        If ``X`` is a recording or an average of MNE, or a list of `EEGData`.
    """
    if isinstance(X, Unwrapped):
        return X
    if isinstance(X, LabelledRows):
        return X._unwrap()
    # Objects of MNE and torch exist only if these packages are imported already.
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
    refuse_what_holds_no_trials(X)
    return Unwrapped(X)


def check_X(
    estimator: BaseEstimator, X: Any, *, reset: bool, axes: TrialAxes = SIGNALS
) -> NDArray[Any]:
    """Check trials and, with ``reset``, store their shape, names and sampling rate.

    Sets ``n_chans_``, ``n_times_`` (or the sizes of other `axes`), ``ch_names_``, ``sfreq_`` and
    scikit-learn's ``n_features_in_`` (the second axis of ``X``) and ``feature_names_in_``, or
    compares the trials with them. Whether all values are finite is checked in `scaled`, which reads
    them.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator that is fitted or that predicts.
    X : any container that `unwrap` supports
        Shape (n_trials, n_chans, n_times), or (n_trials, n_times) for one channel. With ``MAPS``
        (n_trials, n_bands, height, width), (n_trials, height, width) for one band, or (n_trials,
        n_features) for one band with a map of one row. With ``POINTS`` (n_trials, n_chans,
        n_features), or (n_trials, n_features) for one channel.
    reset : bool
        Whether `check_X` is called in ``fit``.
    axes : TrialAxes, default=SIGNALS
        The axes of a trial.

    Returns
    -------
    X : ndarray, shape (n_trials, n_chans, n_times) or (n_trials, n_bands, height, width)
        Of a real dtype; a view of the input where possible.

    Raises
    ------
    ValueError
        If the trials are ragged, empty, complex or text, if their shape or channels differ from
        those in ``fit``, or if ``X`` is a recording and maps or features are expected.
    """
    name = type(estimator).__name__
    unwrapped = unwrap(X)
    if axes.content and unwrapped.sfreq is not None:
        raise ValueError(
            f"{name} takes {axes.content}, X of shape {axes.X_shape}, got a recording at "
            f"{unwrapped.sfreq:g} Hz. Compute them first, in a pipeline: "
            f"make_pipeline({axes.recipe}, {name}(...))."
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
    moved = not reset and _accepts_other_channels(estimator, unwrapped, axes)
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
        If the trials are ragged, missing, complex or text.
    """
    try:
        return check_array(
            values, allow_nd=True, ensure_all_finite=False, estimator=name, input_name="X"
        )
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"X is ragged: the trials passed to {name} differ in shape. Give all of them the same "
            f"shape, so that X has shape {axes.X_shape}."
        ) from error


def _accepts_other_channels(
    estimator: BaseEstimator, unwrapped: Unwrapped, axes: TrialAxes
) -> bool:
    """Whether trials with other channels than in ``fit`` are accepted."""
    named = unwrapped.ch_names is not None and estimator.ch_names_ is not None
    return axes.movable and named


def _check_shape_as_in_fit(
    estimator: BaseEstimator, trials: NDArray[Any], unwrapped: Unwrapped, axes: TrialAxes
) -> None:
    name = type(estimator).__name__
    fitted = tuple(getattr(estimator, f"{size_name}_") for size_name in axes.names)
    moved = _accepts_other_channels(estimator, unwrapped, axes)
    for unit, size, expected in zip(axes.units, trials.shape[1:], fitted, strict=True):
        if size != expected and not (moved and unit == "channel"):
            raise ValueError(
                f"X has {size} {unit}s a trial, but {name} was fitted with {expected}. "
                f"Pass trials of shape (n_trials, {', '.join(map(str, fitted))}), or fit again."
            )
    sfreq, fitted_sfreq = unwrapped.sfreq, estimator.sfreq_
    if sfreq is not None and fitted_sfreq is not None and not np.isclose(sfreq, fitted_sfreq):
        raise ValueError(
            f"X is sampled at {sfreq:g} Hz, but {name} was fitted at {fitted_sfreq:g} Hz. "
            "Resample the trials to that rate, or fit again."
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


def require_targets(y: Any, *, name: str) -> None:
    """Raise a ValueError if there are no targets.

    Parameters
    ----------
    y : object
        The targets passed to ``fit``.
    name : str
        Of the estimator, for messages.
    """
    if y is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None. "
            "The labels of an EEGData are its y."
        )


def check_labels(y: Any, *, name: str) -> NDArray[Any]:
    """Check class labels.

    Parameters
    ----------
    y : array-like, shape (n_trials,)
        Labels of any type.
    name : str
        Of the estimator, for messages.

    Returns
    -------
    y : ndarray, shape (n_trials,)

    Raises
    ------
    ValueError
        If ``y`` has another shape, is not finite, or is continuous.
    """
    y = column_or_1d(y, warn=True)
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y", estimator_name=name)
    check_classification_targets(y)
    return y


def check_X_y(
    estimator: BaseEstimator, X: Any, y: Any, *, reset: bool, axes: TrialAxes = SIGNALS
) -> tuple[Any, Any]:
    """Check trials and their class labels.

    Parameters
    ----------
    estimator : BaseEstimator
    X : any container that `unwrap` supports
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
        As in `check_X` and `check_labels`, and if ``y`` is missing or of another length.
    """
    name = type(estimator).__name__
    require_targets(y, name=name)
    X = check_X(estimator, X, reset=reset, axes=axes)
    y = check_labels(y, name=name)
    check_consistent_length(X, y)
    return X, y


def amplitudes(X: NDArray[Any]) -> NDArray[np.float64]:
    """Return the root mean square of each trial.

    Parameters
    ----------
    X : ndarray, shape (n_trials, ...)

    Returns
    -------
    amplitudes : ndarray of float64, shape (n_trials,)
    """
    flat = X.reshape(len(X), -1)
    return np.sqrt(np.array([np.vdot(row, row) for row in flat], np.float64) / flat.shape[1])


def standard_deviation(
    X: NDArray[Any],
    *,
    name: str = "skeeg",
    ch_names: tuple[str, ...] | None = None,
    axes: TrialAxes = SIGNALS,
) -> float:
    """Return the standard deviation of all values, the scale of the trials.

    It is computed in float64 over chunks, so that memory maps are not loaded at once and a large
    offset does not cancel the variance.

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
        Positive. The magnitude of the values if they are constant, and 1 if they are all zero.

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
            f"Input X contains a value too large: the squares of the trials passed to {name} "
            "overflow. Pass them in a larger unit."
        )
    # For a constant, rounding gives a deviation of about 1e-16 of its magnitude.
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
    """Return ``X / scale`` as a new contiguous array, after checking that all values are finite.

    The product is computed in float64, so that trials in volts and in microvolts give the same
    float32 values.

    Parameters
    ----------
    X : ndarray, shape (n_trials, n_chans, n_times) or (n_trials, n_bands, height, width)
    scale : float
        Result of `standard_deviation` for the training data.
    name : str
        Of the estimator, for messages.
    ch_names : tuple of str, optional
        For messages.
    axes : TrialAxes, default=SIGNALS
        What a trial is, for messages.
    dtype : dtype
        Data type of the result.
    rounded : bool, default=False
        Whether to multiply by ``1 / scale`` rounded to ``dtype``. The product of two float32
        numbers is the same in float32 as in float64 with rounding, but takes numpy a fifth of the
        time. Trials in other units can then differ in the last digit, which would change a
        training, but not a prediction.

    Returns
    -------
    scaled : ndarray of ``dtype``, shape of ``X``

    Raises
    ------
    ValueError
        If a value is NaN, infinite, or too large for ``dtype``. The message has its position.
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
            # The sum of squares is the fastest operation that shows any non-finite value.
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
    """Raise the error of `scaled` for non-finite values, without copying the trials."""
    start = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for chunk in _chunks(X):
            if not np.isfinite(chunk.sum(dtype=np.float64)) and not np.isfinite(chunk).all():
                raise ValueError(_describe_not_finite(chunk, start, name, ch_names, axes))
            start += len(chunk)


def _describe_not_finite(
    chunk: NDArray[Any], start: int, name: str, ch_names: tuple[str, ...] | None, axes: TrialAxes
) -> str:
    """Return a message with the kind and the position of the first invalid value."""
    nan, infinite = np.isnan(chunk), np.isinf(chunk)
    what = "NaN" if nan.any() else "infinity" if infinite.any() else "a value too large for float32"
    bad = nan if nan.any() else infinite if infinite.any() else np.abs(chunk) >= np.abs(chunk).max()
    trial, *place = np.argwhere(bad)[0]
    where = [f"{unit} {index}" for unit, index in zip(axes.units, place, strict=True)]
    if ch_names:
        where[0] += f" ({ch_names[place[0]]})"
    return (
        f"Input X contains {what}: first in trial {start + trial}, {', '.join(where)}. "
        f"{name} takes only finite values: drop such trials, or interpolate bad channels."
    )


def _chunks(X: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, _CHUNK // max(1, int(np.prod(X.shape[1:]))))
    for start in range(0, len(X), step):
        yield X[start : start + step]
