"""The High-Gamma data set."""

from __future__ import annotations

from collections.abc import Sequence

from ..data import EEGData
from ._moabb import import_datasets, load_motor_imagery
from ._recording import Cut, PathLike

CLASSES = ("right_hand", "left_hand", "rest", "feet")

#: The 44 sensors over the motor cortex that Schirrmeister et al. use, in their order.
MOTOR_CHANNELS = (
    *("FC5", "FC1", "FC2", "FC6", "C3", "C4", "CP5", "CP1", "CP2", "CP6"),
    *("FC3", "FCz", "FC4", "C5", "C1", "C2", "C6", "CP3", "CPz", "CP4"),
    *("FFC5h", "FFC3h", "FFC4h", "FFC6h", "FCC5h", "FCC3h", "FCC4h", "FCC6h"),
    *("CCP5h", "CCP3h", "CCP4h", "CCP6h", "CPP5h", "CPP3h", "CPP4h", "CPP6h"),
    *("FFC1h", "FFC2h", "FCC1h", "FCC2h", "CCP1h", "CCP2h", "CPP1h", "CPP2h"),
)


def load_high_gamma(
    path: PathLike | None = None,
    *,
    subjects: int | Sequence[int] | None = None,
    classes: Sequence[str] = CLASSES,
    ch_names: Sequence[str] | None = MOTOR_CHANNELS,
    fmin: float | None = 4.0,
    fmax: float | None = None,
    sfreq: float = 250.0,
    tmin: float = -0.5,
    tmax: float = 4.0,
    reject: float | None = 800e-6,
) -> EEGData:
    """Load executed movements of 14 subjects, the High-Gamma data set.

    About 880 training trials and 160 test trials per subject, of four classes; 128 channels at
    500 Hz [1]_. By default prepared as in the deep-learning studies that use it: 44 sensors, 4 Hz
    high-pass, 250 Hz, half a second before the cue to four after it. Read and downloaded by MOABB,
    which must be installed, about 1 GB per subject. Licence: CC-BY 4.0.

    Parameters
    ----------
    path : path-like, optional
        MOABB's data folder, which holds ``MNE-schirrmeister2017-data``. Missing files are
        downloaded into it. By default MNE's data folder.
    subjects : int or sequence of int, optional
        From 1 to 14; by default all. In the test run of subject 14, about half the sensors have
        no signal.
    classes : sequence of str, default=("right_hand", "left_hand", "rest", "feet")
        The classes to load.
    ch_names : sequence of str, optional
        The channels to keep, in this order; by default the 44 over the motor cortex. None keeps
        all.
    fmin, fmax : float or None
        Pass band, in Hz; None means no limit.
    sfreq : float, default=250.0
        The sampling rate to resample to, in Hz.
    tmin, tmax : float
        Start and end of the trials, in seconds from the cue; `tmax` itself is not included.
    reject : float, optional
        Drop trials in which any of the 128 channels, selected or not, reaches this amplitude after
        the cue, in volts. None keeps all trials.

    Returns
    -------
    data : EEGData
        In volts. Labels: the classes. Metadata: ``subject``, ``session`` (always ``"0"``), ``run``
        (``"0train"`` or ``"1test"``) and ``trial``.

    Raises
    ------
    FileNotFoundError
        If `path` is not a folder.
    ImportError
        If MOABB is not installed.
    ValueError
        If a subject, class or channel is unknown.

    Notes
    -----
    The preparation of the authors differs in three points: their high-pass filter is causal, they
    reject outliers before filtering, and they standardise each channel by a running mean and
    variance. Here, standardisation belongs in the pipeline.

    References
    ----------
    .. [1] Schirrmeister, R. T. et al. (2017). Deep learning with convolutional neural networks for
       EEG decoding and visualization. Human Brain Mapping 38(11), 5391-5420.
       https://doi.org/10.1002/hbm.23730
    """
    return load_motor_imagery(
        import_datasets().Schirrmeister2017(),
        path,
        folder_key="SCHIRRMEISTER2017",
        subjects=subjects,
        classes=classes,
        ch_names=ch_names,
        cut=Cut(tmin, tmax, fmin, fmax, sfreq),
        reject=reject,
    )
