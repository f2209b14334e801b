"""Which channels a fitted estimator of any kind cannot do without."""

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
    """Return what the score of an estimator loses when one channel comes from another trial.

    Parameters
    ----------
    estimator : object
        Any fitted estimator or pipeline of scikit-learn that takes trials.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials that it was *not* fitted on: on others, a channel may seem important that the
        estimator has merely learnt by heart.
    y : array-like, shape (n_trials,)
        Their labels.
    n_repeats : int, default=10
        How often each channel is permuted.
    scoring : str, callable or None, default=None
        As in scikit-learn; None takes the estimator's own score, the accuracy of classifiers.
    groups : array-like, shape (n_trials,), optional
        Channels are exchanged between trials of one group only, for instance of one subject. Left
        out, between all trials.
    n_jobs : int, optional
        Channels that are worked on at once, as in scikit-learn.
    random_state : int, RandomState or None, default=None
        Draws the permutations; pass an int for results that repeat.

    Returns
    -------
    importance : sklearn.utils.Bunch
        As that of `sklearn.inspection.permutation_importance`, for channels:

        importances_mean, importances_std : ndarray, shape (n_chans,)
            Mean and standard deviation over repeats.
        importances : ndarray, shape (n_chans, n_repeats)
            Score on the trials as they are, less that with the channel permuted.
        score : float
            The score on the trials as they are.
        ch_names : tuple of str or None
            Name of each channel, where `X` has any.

    Raises
    ------
    ValueError
        If `X` has not three axes or less than two trials, or lengths differ.

    See Also
    --------
    gradient_times_input : Within trials and without labels, of networks.

    Notes
    -----
    This is Breiman's permutation importance [1]_ with channels for variables. A channel keeps the
    course that it had in its own trial, so that the estimator sees signals as it knows them; only
    that they belong to this trial is lost. All channels undergo the same permutations.

    Electrodes are correlated. What an estimator can take from a neighbour as well is missed by
    little, so that a whole area may be important and no single electrode of it; and an electrode
    that only serves to cancel noise is important although it shows no source. Importance says what
    the estimator uses, not where the brain does what.

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
    of_channels = Parallel(n_jobs=n_jobs)(
        delayed(_scores_without)(estimator, scorer, X, values, labels, channel, orders)
        for channel in range(values.shape[1])
    )
    importances = score - np.array(of_channels)
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
            f"{values.shape}. Of one channel, pass X[:, None]; the importance of features is "
            "sklearn.inspection.permutation_importance, that of maps is to be asked of the "
            "pipeline that makes them."
        )
    check_consistent_length(values, labels)
    if len(values) < 2:
        raise ValueError(
            "channel_importance exchanges channels between trials: it needs two at least, got "
            f"{len(values)}."
        )


def _permutations(
    n_trials: int, n_repeats: int, groups: ArrayLike | None, random_state: Any
) -> list[NDArray[np.intp]]:
    """Return new orders of the trials, each group's among themselves."""
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


def _scores_without(
    estimator: Any,
    scorer: Any,
    X: Any,
    values: NDArray[Any],
    labels: NDArray[Any],
    channel: int,
    orders: list[NDArray[np.intp]],
) -> list[float]:
    """Return the score with a channel in each of the orders."""
    permuted = values.copy()
    scores = []
    for order in orders:
        permuted[:, channel] = values[order, channel]
        scores.append(scorer(estimator, _refilled(X, permuted), labels))
    return scores


def _refilled(X: Any, values: NDArray[Any]) -> Any:
    """Return `X` with other values, in a container that tells the estimator what `X` told it."""
    if isinstance(X, EEGData):
        return dataclasses.replace(X, X=values)
    if isinstance(X, Unwrapped):
        return dataclasses.replace(X, values=values)
    if hasattr(X, "get_data") and hasattr(X, "info"):
        return _epochs(X, values)
    return values


def _epochs(epochs: mne.BaseEpochs, values: NDArray[Any]) -> mne.EpochsArray:
    """Return epochs with other values in their good EEG channels."""
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
