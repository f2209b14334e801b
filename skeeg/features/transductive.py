"""Standardisation by the trials of each subject, those of the test set included."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, cast

import numpy as np

from .._labelled import LabelledRows, subject_codes
from .._validation import check_finite
from ..data import EEGData

T = TypeVar("T", bound=LabelledRows)


def standardise_subjects_transductively(data: T) -> T:
    r"""Standardise every subject to mean 0 and standard deviation 1, over all of its trials.

    This step is transductive: the mean and the deviation of a test subject are computed from its
    own test trials, without their labels. Many published cross-subject results use it, because
    it removes much of the difference between subjects. It does not leak labels, but it needs all
    trials of a subject before the first can be decoded. Such a score does not apply to a decoder
    for new subjects or for online use. State it wherever you report the score; `skeeg.compare`
    cannot detect it.

    Parameters
    ----------
    data : EEGData or FeatureTable
        With the column ``subject`` in its metadata; without, all rows are one subject.

    Returns
    -------
    standardised : EEGData or FeatureTable
        Like `data`. Each channel is standardised over all trials and samples of a subject; of a
        `FeatureTable`, each feature over all rows of a subject. Constant values become 0.

    Raises
    ------
    TypeError
        If `data` is an array or another container without subjects.
    ValueError
        If a trial has no subject, or a value is not finite.

    See Also
    --------
    UnitScaler : Uses training trials only.
    sklearn.preprocessing.StandardScaler : Uses training rows only, in a pipeline.

    Notes
    -----
    With :math:`x_{ic}` the N values of channel or feature c of one subject,

    .. math:: z_{ic} = \frac{x_{ic} - \bar{x}_c}{\sqrt{\frac{1}{N} \sum_i (x_{ic} - \bar{x}_c)^2}}.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.features import standardise_subjects_transductively
    >>> X = np.random.default_rng(0).standard_normal((8, 2, 50))
    >>> X[4:] *= 9
    >>> data = EEGData.from_arrays(X, [0, 1] * 4, sfreq=50, subject=np.repeat(["A", "B"], 4))
    >>> standardised = standardise_subjects_transductively(data)
    >>> [float(standardised[data.groups("subject") == who].X.std().round(3)) for who in "AB"]
    [1.0, 1.0]
    """
    if not isinstance(data, LabelledRows):
        raise TypeError(
            f"data must be EEGData or FeatureTable, got {type(data).__name__}: the subjects "
            "must be known. Use EEGData.from_arrays(X, y, sfreq=..., subject=...)."
        )
    if isinstance(data, EEGData):
        check_finite(data.X, name="This function", ch_names=data.ch_names)
    X = np.empty_like(data.X, order="C")
    of_rows = subject_codes(data)
    axes = (0, 2) if data.ndim == 3 else 0
    for subject in np.unique(of_rows):
        own = of_rows == subject
        values = data.X[own].astype(np.float64)
        values -= values.mean(axis=axes, keepdims=True)
        deviation = values.std(axis=axes, keepdims=True)
        values /= np.where(deviation > 0, deviation, 1.0)
        X[own] = values
    return cast(T, dataclasses.replace(cast(Any, data), X=X))
