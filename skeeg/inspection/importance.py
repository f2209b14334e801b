"""Permutation importance of channels, for any fitted estimator."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.parallel import Parallel, delayed

from .._checks import check_positive_ints
from .._validation import Unwrapped, unwrap
from ..data import EEGData

if TYPE_CHECKING:
    import mne


def channel_importance(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    n_repeats: int = 10,
    scoring: Any = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> Bunch:
    """Return the decrease of a score when one channel is permuted between trials [1]_.

    Parameters
    ----------
    estimator : object
        Any fitted estimator or pipeline of scikit-learn that takes trials.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials that were not in ``fit``. On the training trials, a channel can seem important
        because the estimator has overfitted to it.
    y : array-like, shape (n_trials,)
        Labels of the trials.
    n_repeats : int, default=10
        How often each channel is permuted.
    scoring : str, callable or None, default=None
        As in scikit-learn. None is the estimator's ``score``, the accuracy for classifiers.
    groups : array-like, shape (n_trials,), optional
        Channels are permuted within groups only, for instance within subjects. By default they are
        permuted between all trials.
    n_jobs : int, optional
        Number of channels that are processed in parallel, as in scikit-learn.
    random_state : int, RandomState or None, default=None
        Seed of the permutations; pass an int for reproducible results.

    Returns
    -------
    importance : sklearn.utils.Bunch
        As that of `sklearn.inspection.permutation_importance`, for channels:

        importances_mean, importances_std : ndarray, shape (n_chans,)
            Mean and standard deviation over repeats.
        importances : ndarray, shape (n_chans, n_repeats)
            Score on the original trials minus the score with the channel permuted.
        score : float
            Score on the original trials.
        ch_names : tuple of str or None
            Names of the channels, None if `X` has no names.

    Raises
    ------
    ValueError
        If `X` does not have three axes or has fewer than two trials, or if lengths differ.

    See Also
    --------
    gradient_times_input : Contribution of each sample within a trial, for networks.

    Notes
    -----
    This is Breiman's permutation importance with channels as variables. A permuted channel is
    exchanged with the whole time course of the same channel in another trial, so its signals remain
    realistic and only their relation to the trial is removed. The same permutations are used for
    all channels.

    Electrodes are correlated. If neighbouring electrodes carry the same information, permuting one
    of them reduces the score little, so a whole area can be important while none of its electrodes
    is. An electrode that serves only to cancel noise is important although it records no source.
    Importance shows what the estimator uses, not where a source is.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45:5-32, 2001.

    Examples
    --------
    >>> from skeeg.baselines import csp_lda
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import channel_importance
    >>> data = simulate_motor_imagery(n_subjects=1, difficulty=0.2, random_state=0)
    >>> clf = csp_lda().fit(data[:40], data.y[:40])
    >>> importance = channel_importance(clf, data[40:], data.y[40:], random_state=0)
    >>> importance.importances_mean.shape
    (22,)
    """
    trials = unwrap(X)
    values = np.asarray(trials.values)
    labels = column_or_1d(y)
    _check(values, labels)
    check_positive_ints(n_repeats=n_repeats)
    scorer = check_scoring(estimator, scoring=scoring)
    score = scorer(estimator, X, labels)
    orders = _permutations(len(values), n_repeats, groups, random_state)
    scores = Parallel(n_jobs=n_jobs)(
        delayed(_permuted_scores)(estimator, scorer, X, values, labels, channel, orders)
        for channel in range(values.shape[1])
    )
    importances = score - np.array(scores)
    return Bunch(
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        importances=importances,
        score=float(score),
        ch_names=trials.ch_names,
    )


def _check(values: NDArray[Any], labels: NDArray[Any]) -> None:
    if values.ndim != 3:
        raise ValueError(
            f"channel_importance takes X of shape (n_trials, n_chans, n_times), got "
            f"{values.shape}. For one channel, pass X[:, None]. For features, use "
            "sklearn.inspection.permutation_importance. For maps, pass the pipeline that computes "
            "them."
        )
    check_consistent_length(values, labels)
    if len(values) < 2:
        raise ValueError(
            "channel_importance permutes channels between trials: it needs at least two trials, "
            f"got {len(values)}."
        )


def _permutations(
    n_trials: int, n_repeats: int, groups: ArrayLike | None, random_state: Any
) -> list[NDArray[np.intp]]:
    """Return random orders of the trials, permuted within groups."""
    random = check_random_state(random_state)
    codes = np.zeros(n_trials, dtype=np.intp)
    if groups is not None:
        columns = column_or_1d(groups)
        check_consistent_length(codes, columns)
        codes = np.unique(columns, return_inverse=True)[1]
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    orders = []
    for _ in range(n_repeats):
        order = np.empty(n_trials, dtype=np.intp)
        for own in members:
            order[own] = random.permutation(own)
        orders.append(order)
    return orders


def _permuted_scores(
    estimator: Any,
    scorer: Any,
    X: Any,
    values: NDArray[Any],
    labels: NDArray[Any],
    channel: int,
    orders: list[NDArray[np.intp]],
) -> list[float]:
    """Return the score with one channel permuted by each of the orders."""
    permuted = values.copy()
    scores = []
    for order in orders:
        permuted[:, channel] = values[order, channel]
        scores.append(scorer(estimator, _refilled(X, permuted), labels))
    return scores


def _refilled(X: Any, values: NDArray[Any]) -> Any:
    """Return `X` with other values, in the same container and with the same channel names."""
    if isinstance(X, EEGData):
        return dataclasses.replace(X, X=values)
    if isinstance(X, Unwrapped):
        return dataclasses.replace(X, values=values)
    if hasattr(X, "get_data") and hasattr(X, "info"):
        return _epochs(X, values)
    return values


def _epochs(epochs: mne.BaseEpochs, values: NDArray[Any]) -> mne.EpochsArray:
    """Return epochs with replaced values in their good EEG channels."""
    import mne

    picks = mne.pick_types(epochs.info, eeg=True, exclude="bads")
    data = epochs.get_data(copy=True)
    data[:, picks] = values
    return mne.EpochsArray(
        data,
        epochs.info,
        events=epochs.events,
        event_id=epochs.event_id,
        tmin=epochs.tmin,
        metadata=epochs.metadata,
        proj=False,
        verbose="error",
    )
