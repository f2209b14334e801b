"""A trial before and after augmentation."""

import numpy as np
import pytest

from skeeg import EEGData
from skeeg.augmentation import AUGMENTATIONS, FrequencyShift, SignFlip, TimeShift
from skeeg.plotting import plot_augmentations

RATE = 64.0


def trials(n_trials=4):
    times = np.arange(128) / RATE
    X = np.random.default_rng(0).standard_normal((n_trials, 5, 128)) / 4
    X += np.sin(2 * np.pi * 10 * times)
    y = np.array(["left", "right"])[np.arange(n_trials) % 2]
    return EEGData.from_arrays(X, y, sfreq=RATE, ch_names=["Fp1", "C3", "Cz", "C4", "Fp2"])


def test_each_augmentation_has_a_row_with_signals_and_spectra():
    figure = plot_augmentations(trials(), list(AUGMENTATIONS), title="All")
    assert len(figure.axes) == 2 * len(AUGMENTATIONS)
    signals, spectra = figure.axes[:2]
    assert [label.get_text() for label in signals.get_yticklabels()] == ["Fp1", "C3", "Cz"]
    assert signals.get_title(loc="left") == "AmplitudeScale()"
    assert len(signals.lines) == 6
    assert len(spectra.lines) == 2
    assert figure.axes[-2].get_xlabel() == "Time (s)"
    figure.canvas.draw()


def test_the_lines_are_the_trial_and_the_changed_one():
    data = trials()
    figure = plot_augmentations(data, SignFlip(probability=0.1), trial=2, channels=["C4", 0])
    signals = figure.axes[0]
    for line, sign, place in zip(signals.lines, [1, 1, -1, -1], [3, 0, 3, 0], strict=True):
        drawn = line.get_ydata() - np.mean(line.get_ydata())
        signal = sign * np.asarray(data.X)[2, place]
        np.testing.assert_allclose(drawn, signal - signal.mean(), atol=1e-5)
    assert signals.lines[0].get_xdata()[-1] == pytest.approx(127 / RATE)


def test_the_peak_of_the_spectrum_moves_with_the_frequency():
    figure = plot_augmentations(trials(), FrequencyShift(8.0), fmax=25, random_state=0)
    before, after = figure.axes[1].lines
    frequencies = before.get_xdata()
    assert frequencies.max() <= 25
    assert frequencies[before.get_ydata().argmax()] == 10
    assert frequencies[after.get_ydata().argmax()] != 10


def test_arrays_have_samples_and_cycles():
    figure = plot_augmentations(np.asarray(trials().X), TimeShift(sfreq=RATE))
    assert [axes.get_xlabel() for axes in figure.axes] == [
        *("Time (samples)", "Frequency (cycles per trial)")
    ]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"augmentations": []}, "at least one augmentation"),
        ({"trial": 4}, "trial must be an integer of at least 0 and at most 3; got 4"),
        ({"channels": ["C5"]}, "channels has 'C5'; the channels of X are Fp1"),
        ({"channels": [5]}, "channels has 5"),
        ({"channels": []}, r"channels has \[\]"),
        ({"augmentations": "time_shfit"}, "Did you mean 'time_shift'"),
    ],
)
def test_what_does_not_exist_is_named(params, message):
    with pytest.raises(ValueError, match=message):
        plot_augmentations(trials(), **({"augmentations": "sign_flip"} | params))
