"""What holds no trials is refused by every transformer of trials, with what to do."""

import mne
import numpy as np
import pandas as pd
import pytest

from skeeg import EEGData, all_estimators
from skeeg.channel_selection import channel_information
from skeeg.features import (
    band_power,
    differential_entropy,
    filter_bank,
    hjorth_parameters,
    segment,
)

NEEDED = {"sfreq": 128, "ch_names": ["C3", "C4"]}


def _made(cls):
    """Return a transformer that has what it needs besides the trials."""
    known = cls().get_params()
    return cls(**{name: value for name, value in NEEDED.items() if name in known})


TRANSFORMERS = [_made(cls) for _, cls in all_estimators("transformer")]
each_transformer = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
each_function = pytest.mark.parametrize(
    "compute",
    [
        lambda X: band_power(X, 128),
        lambda X: differential_entropy(X, 128),
        lambda X: filter_bank(X, 128),
        lambda X: channel_information(X, [0, 1]),
        hjorth_parameters,
    ],
)


@pytest.fixture
def data():
    return EEGData.from_arrays(np.zeros((2, 2, 256)), [0, 1], sfreq=128, ch_names=["C3", "C4"])


@pytest.fixture
def raw():
    info = mne.create_info(["C3", "C4"], 128.0, "eeg")
    return mne.io.RawArray(np.zeros((2, 500)), info, verbose="error")


@each_transformer
def test_transformers_refuse_recordings_and_lists_of_data(transformer, data, raw):
    with pytest.raises(TypeError, match=r"X is an mne RawArray, which has no trials.*mne\.Epochs"):
        transformer.fit(raw, [0, 1])
    with pytest.raises(TypeError, match=r"X is a list of 2 .*EEGData\.concatenate\(parts\)"):
        transformer.fit([data, data], [0, 1])


@each_transformer
@pytest.mark.parametrize("dtype", ["M8[ns]", "m8[s]"])
def test_transformers_refuse_times(transformer, dtype):
    X = np.zeros((2, 4), dtype=dtype)
    for times in (X, list(X), pd.DataFrame(X)):
        with pytest.raises(ValueError, match="X must hold real numbers, got dates, times or"):
            transformer.fit(times, [0, 1])


@each_function
def test_functions_refuse_what_holds_no_trials(compute, data, raw):
    with pytest.raises(TypeError, match="X is an mne RawArray"):
        compute(raw)
    with pytest.raises(TypeError, match="X is a list of 2"):
        compute([data, data])
    with pytest.raises(ValueError, match="X must hold real numbers, got dates"):
        compute(np.zeros((2, 2, 256), dtype="M8[ns]"))
    with pytest.raises(ValueError, match="X must hold real numbers; got ndarray with dtype compl"):
        compute(np.zeros((2, 2, 256), dtype=complex))


def test_windows_of_other_containers_are_refused_with_what_makes_data(data, raw):
    for other in (raw, [data, data], data.X):
        with pytest.raises(TypeError, match=r"data must be EEGData, got .*EEGData\.from_arrays"):
            segment(other, 1.0)
