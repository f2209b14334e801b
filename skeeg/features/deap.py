"""The features of the DEAP data that networks of emotion are trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .._labelled import PROVENANCE
from .._validation import check_finite
from ..data import EEGData
from ._checks import check_eeg_data
from ._window_variance import window_variance
from .bands import Bands, check_bands
from .baseline import subtract_baseline
from .entropy import FILTER_ORDER, entropy_of
from .scaling import sample_zscore
from .segment import window_metadata, window_samples
from .table import FeatureTable


def deap_entropy(
    data: EEGData,
    baseline: EEGData | None = None,
    *,
    bands: Bands = "deap",
    window: float = 1.0,
    zscore: bool = True,
) -> FeatureTable:
    """Compute differential entropy as Yang et al. do for the DEAP data.

    Each trial is filtered as a whole and cut into windows after the filter. The mean entropy of
    the baseline before the trial is subtracted, and each window is standardised.

    Parameters
    ----------
    data : EEGData, shape (n_trials, n_chans, n_times)
        The trials, in any unit, as `skeeg.datasets.load_deap` returns them.
    baseline : EEGData, shape (n_trials, n_chans, n_baseline_times), optional
        The baseline before each trial: ``load_deap(..., part="baseline")``. Its mean entropy is
        subtracted; by default nothing is.
    bands : str, mapping or sequence, default="deap"
        The bands, in any form that `check_bands` accepts.
    window : float, default=1.0
        Length of the windows, in seconds. They follow each other without gap or overlap.
    zscore : bool, default=True
        Whether to standardise each window's features over all bands and channels of that window,
        as `SampleZScore` does.

    Returns
    -------
    table : FeatureTable, shape (n_trials * n_windows, n_bands * n_chans)
        In the order of the trials, then of time, with labels and metadata repeated: the windows
        of a trial share its ``trial``, and ``window`` says where each begins, in seconds.

    Raises
    ------
    TypeError
        If `data` or `baseline` is not an `EEGData`.
    ValueError
        If `baseline` has other trials, channels or another rate than `data`, a value is not
        finite, a trial or baseline is shorter than a window, or a parameter is wrong.

    See Also
    --------
    differential_entropy : The formula, for trials that are windows already.
    TopographicMap : Puts the features on the grid of 9 by 9 cells.

    Notes
    -----
    The recipe of [1]_ and the code published with it, in this order:

    1. a causal Butterworth filter of order 3 for each band is applied to the whole trial and,
       separately, to the whole baseline, each time with an initial state of zero;
    2. in each window the variance s² of the filtered signal, with the divisor n - 1, becomes
       ½ ln(2πe s²); the variance of a flat channel is replaced by 2.2e-16 of the mean variance;
    3. the mean over the windows of the baseline is subtracted;
    4. the features of each window, all bands and channels together, are standardised by their mean
       and standard deviation (divisor n). This precedes the placement on a grid, whose empty
       cells are then exactly 0.

    All windows of a trial share the filter's state and the baseline, a further reason to keep them
    on one side of a split: split by ``nested_groups("trial")`` or by subject.

    Filtered signals are not stored: in addition to the trials, only the features take memory. For
    many subjects, compute one at a time and join them by `FeatureTable.concatenate`.

    References
    ----------
    .. [1] Y. Yang, Q. Wu, Y. Fu, X. Chen, "Continuous convolutional neural network with 3D input
       for EEG-based emotion recognition", Neural Information Processing (ICONIP), 433-443, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.features import deap_entropy
    >>> rng = np.random.default_rng(0)
    >>> data, rest = (
    ...     EEGData.from_arrays(rng.standard_normal((4, 2, n)), [0, 1, 0, 1], sfreq=128, subject=1)
    ...     for n in (1280, 384)
    ... )
    >>> table = deap_entropy(data, rest)
    >>> table.shape
    (40, 8)
    >>> table.groups("trial").tolist()[8:12]
    [0, 0, 1, 1]
    """
    n_window = window_samples("window", window, check_eeg_data(data, "data"))
    edges = check_bands(bands, data.sfreq)
    variance = _variance(data, edges, n_window, "trials")
    limits = np.finfo(np.float64)
    floor = max(limits.eps * float(variance.mean()), limits.tiny)
    features = entropy_of(variance, floor=floor)
    if baseline is not None:
        _check_same_trials(data, check_eeg_data(baseline, "baseline"))
        rest = _variance(baseline, edges, n_window, "baselines")
        features = subtract_baseline(features, entropy_of(rest, floor=floor))
    n_windows = features.shape[1]
    X = features.reshape(len(data) * n_windows, -1)
    return FeatureTable(
        X=sample_zscore(X) if zscore else X,
        y=np.repeat(data.y, n_windows),
        bands=tuple(edges),
        ch_names=data.ch_names,
        metadata=window_metadata(data, np.arange(n_windows) * n_window / data.sfreq),
        window=n_window / data.sfreq,
    )


def _variance(
    data: EEGData, edges: dict[str, tuple[float, float]], n_window: int, what: str
) -> NDArray[np.float64]:
    """Return the variance of each window, shape (n_trials, n_windows, n_bands, n_chans)."""
    if data.shape[2] < n_window:
        raise ValueError(
            f"The {what} last {data.duration:g} s, shorter than a window of "
            f"{n_window / data.sfreq:g} s. Pass a shorter window."
        )
    with np.errstate(invalid="ignore", over="ignore"):
        variance = window_variance(data.X, data.sfreq, edges, n_window, order=FILTER_ORDER)
    if not np.isfinite(variance).all():  # a filter spreads values that are not finite
        check_finite(data.X, name="deap_entropy", ch_names=data.ch_names)
    return variance


def _check_same_trials(data: EEGData, baseline: EEGData) -> None:
    """Raise if the baselines do not belong to the trials, in the same order."""
    for what, expected, got in (
        ("number of trials", len(data), len(baseline)),
        ("sfreq", data.sfreq, baseline.sfreq),
        ("ch_names", data.ch_names, baseline.ch_names),
    ):
        if expected != got:
            raise ValueError(
                f"baseline must belong to the trials in data: its {what} is {got}, and that of "
                f"data is {expected}. Load both with the same arguments."
            )
    for column in PROVENANCE:
        if column in data.metadata and column in baseline.metadata:
            differ = data.metadata[column].to_numpy() != baseline.metadata[column].to_numpy()
            if differ.any():
                row = int(np.argmax(differ))
                raise ValueError(
                    f"baseline must have the trials of data in their order: row {row} is "
                    f"{column} {baseline.metadata[column].iloc[row]} in baseline, and "
                    f"{data.metadata[column].iloc[row]} in data. Select the same trials of both."
                )
