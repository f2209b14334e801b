"""BCI Competition IV, data set 2a, which MOABB calls BNCI2014_001."""

from __future__ import annotations

from collections.abc import Sequence

from ..data import EEGData
from ._moabb import import_datasets, load_motor_imagery
from ._recording import Cut, PathLike

CLASSES = ("left_hand", "right_hand", "feet", "tongue")


def load_bnci2014_001(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    classes: Sequence[str] = CLASSES,
    fmin: float | None = 4.0,
    fmax: float | None = 38.0,
    sfreq: float = 250.0,
    tmin: float = 0.0,
    tmax: float = 4.0,
) -> EEGData:
    """Load four-class motor imagery of 9 subjects, data set 2a of BCI Competition IV.

    Two sessions on different days of six runs of 48 trials each [1]_. 22 EEG channels at 250 Hz;
    the EOG channels are dropped. Read and downloaded by MOABB, which must be installed. Licence:
    CC-BY-ND 4.0.

    Parameters
    ----------
    path : path-like, optional
        MOABB's data folder, which holds ``MNE-bnci-data``. Missing files are downloaded into it.
        By default MNE's data folder.
    subjects : int or sequence of int, optional
        From 1 to 9; by default all.
    classes : sequence of str, default=("left_hand", "right_hand", "feet", "tongue")
        The classes to load.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, default=250.0
        The sampling rate to resample to, in Hz.
    tmin, tmax : float
        Start and end of the trials, in seconds from the cue; `tmax` itself is not included.

    Returns
    -------
    data : EEGData
        In volts. Labels: the classes. Metadata: ``subject``, ``session`` (``"0train"``,
        ``"1test"``), ``run`` and ``trial``.

    Raises
    ------
    FileNotFoundError
        If `path` is not a folder.
    ImportError
        If MOABB is not installed.
    ValueError
        If a subject or class is unknown.

    References
    ----------
    .. [1] Tangermann, M. et al. (2012). Review of the BCI Competition IV. Frontiers in Neuroscience
       6, 55. https://doi.org/10.3389/fnins.2012.00055
    """
    return load_motor_imagery(
        import_datasets().BNCI2014_001(),
        path,
        folder_key="BNCI",
        subjects=subjects,
        classes=classes,
        ch_names=None,
        cut=Cut(tmin, tmax, fmin, fmax, sfreq),
    )
