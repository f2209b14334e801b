"""Small files in the exact formats of the data sets."""

import mne
import numpy as np
import pandas as pd
import pytest

EEGMAT_CHANNELS = (
    *("EEG Fp1", "EEG Fp2", "EEG F3", "EEG F4", "EEG F7", "EEG F8", "EEG T3", "EEG T4"),
    *("EEG C3", "EEG C4", "EEG T5", "EEG T6", "EEG P3", "EEG P4", "EEG O1", "EEG O2"),
    *("EEG Fz", "EEG Cz", "EEG Pz", "EEG A2-A1", "ECG ECG"),
)


def make_raw(ch_names, duration, sfreq, seed=0):
    rng = np.random.default_rng(seed)
    data = 20e-6 * rng.standard_normal((len(ch_names), round(duration * sfreq)))
    return mne.io.RawArray(data, mne.create_info(list(ch_names), sfreq, "eeg"), verbose="error")


@pytest.fixture(scope="session")
def write_edf():
    """Write an EDF+ file of noise, with annotations at one per `period` seconds."""
    pytest.importorskip("edfio", reason="writing EDF files needs edfio")

    def write(file, ch_names, duration, sfreq, descriptions=(), period=1.0):
        raw = make_raw(ch_names, duration, sfreq)
        onsets = period * np.arange(len(descriptions))
        raw.set_annotations(mne.Annotations(onsets, period, list(descriptions)))
        file.parent.mkdir(parents=True, exist_ok=True)
        mne.export.export_raw(
            file, raw, physical_range=(-2e-4, 2e-4), overwrite=True, verbose="error"
        )
        return file

    return write


@pytest.fixture(scope="session")
def write_eegbci(write_edf):
    """Write a run of eegmmidb: T0 and T1 or T2 in turn, with the data set's dotted names."""

    def write(file, n_trials=4):
        descriptions = [d for i in range(n_trials) for d in ("T0", ("T1", "T2")[i % 2])]
        return write_edf(
            file, ("Fc5.", "C3..", "Cz..", "C4..", "Fp1.", "Iz.."), 4.0 * len(descriptions) + 2,
            160, descriptions, period=4.0,
        )  # fmt: skip

    return write


@pytest.fixture(scope="session")
def write_eegmat(write_edf):
    """Write both recordings of a subject of eegmat."""

    def write(folder, subject, rest=70.0, arithmetic=62.0, ch_names=EEGMAT_CHANNELS):
        write_edf(folder / f"Subject{subject:02d}_1.edf", ch_names, rest, 100)
        write_edf(folder / f"Subject{subject:02d}_2.edf", ch_names, arithmetic, 100)

    return write


@pytest.fixture(scope="session")
def write_muse():
    """Write a recording as Muse LSL does; a marker each half second, 1 and 2 in turn."""

    def write(file, duration=20.0, marker="Marker", gap=0.0):
        rng = np.random.default_rng(0)
        n_times = round(duration * 256)
        times = 1485533512.8 + np.arange(n_times) / 256
        times[n_times // 2 :] += gap
        table = pd.DataFrame({"timestamps": times.round(3)})
        for name in ("TP9", "AF7", "AF8", "TP10", "Right AUX"):
            table[name] = (20 * rng.standard_normal(n_times)).round(3)
        table[marker] = 0
        onsets = np.arange(100, n_times, 128)
        table.loc[onsets, marker] = np.arange(len(onsets)) % 2 + 1
        file.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(file, index=False)
        return table

    return write
