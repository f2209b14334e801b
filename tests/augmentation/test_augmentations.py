"""Each augmentation against a closed form, on arrays."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skeeg import EEGData
from skeeg.augmentation import (
    AUGMENTATIONS,
    AmplitudeScale,
    Batch,
    ChannelDropout,
    FrequencyShift,
    FTSurrogate,
    GaussianNoise,
    Mirror,
    Mixup,
    Recording,
    SignFlip,
    TimeShift,
    resolve_augmentations,
)
from skeeg.augmentation.frequency_shift import shift_frequencies
from skeeg.augmentation.mixup import beta

SFREQ = 100.0
CH_NAMES = ["Fp1", "C3", "Cz", "C4", "Fp2"]


def signals(n_trials=6, n_chans=5, n_times=200, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal((n_trials, n_chans, n_times)).astype(dtype)


def recorded(X, y=None, ch_names=CH_NAMES):
    y = np.array(["left", "right"] * len(X))[: len(X)] if y is None else y
    return EEGData.from_arrays(X, y, sfreq=SFREQ, ch_names=ch_names[: X.shape[1]])


def ready(name, **params):
    """An augmentation that changes each trial of an array that knows nothing."""
    kind = AUGMENTATIONS[name]
    params = {"probability": 1.0} | params
    if "sfreq" in kind().get_params():
        params.setdefault("sfreq", SFREQ)
    return kind(**params)


every_name = pytest.mark.parametrize("name", AUGMENTATIONS)
on_arrays = pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "mirror"])


# ---------------------------------------------------------------------- closed forms


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_a_time_shift_is_a_roll_or_a_padding_alike_in_all_channels(padding):
    X = signals()
    shifted = TimeShift(0.05, padding=padding, sfreq=SFREQ, probability=1)(X, random_state=0)
    found = set()
    for before, after in zip(X, shifted, strict=True):
        candidates = {}
        for shift in range(-5, 6):
            expected = np.roll(before, shift, axis=-1)
            if padding == "zeros" and shift > 0:
                expected[:, :shift] = 0
            elif padding == "zeros" and shift < 0:
                expected[:, shift:] = 0
            candidates[shift] = expected
        (shift,) = [s for s, expected in candidates.items() if np.array_equal(expected, after)]
        found.add(shift)
    assert len(found) > 1  # each trial has a shift of its own


def test_time_shifts_are_uniform_to_both_sides():
    X = np.zeros((2000, 1, 9), np.float32)
    X[:, :, 4] = 1
    shifted = TimeShift(2, sfreq=1, probability=1)(X, random_state=0)
    counts = np.bincount(shifted[:, 0].argmax(axis=1), minlength=9)
    assert counts[[0, 1, 7, 8]].sum() == 0
    assert np.allclose(counts[2:7], 400, atol=80)  # four standard deviations are 72


def test_a_shift_of_1_hz_makes_10_hz_into_11_hz():
    times = np.arange(200) / SFREQ
    X = np.stack([np.cos(2 * np.pi * 10 * times), np.sin(2 * np.pi * 10 * times)])[None] + 3
    shifted = shift_frequencies(torch.tensor(X), torch.full((1, 1, 1), 1 / SFREQ).double()).numpy()
    expected = np.stack([np.cos(2 * np.pi * 11 * times), np.sin(2 * np.pi * 11 * times)])[None] + 3
    np.testing.assert_allclose(shifted, expected, atol=1e-12)


@pytest.mark.parametrize("n_times", [200, 201])
def test_no_shift_in_frequency_is_the_identity(n_times):
    X = torch.tensor(signals(n_times=n_times, dtype=np.float64))
    torch.testing.assert_close(shift_frequencies(X, torch.zeros(len(X), 1, 1).double()), X)


def test_shifts_in_frequency_stay_within_the_largest():
    times = np.arange(1000) / SFREQ
    X = np.tile(np.sin(2 * np.pi * 20 * times), (200, 1, 1))
    shifted = FrequencyShift(3, sfreq=SFREQ, probability=1)(X, random_state=0)
    peaks = np.abs(np.fft.rfft(shifted[:, 0])).argmax(axis=1) * SFREQ / 1000
    assert 17 <= peaks.min() < 17.5
    assert 22.5 < peaks.max() <= 23


@pytest.mark.parametrize("n_times", [128, 129])
@pytest.mark.parametrize("magnitude", [0.2, 1.0])
def test_surrogates_keep_amplitudes_and_the_phases_between_channels(n_times, magnitude):
    X = signals(n_times=n_times, dtype=np.float64) + 1
    surrogates = FTSurrogate(magnitude, probability=1)(X, random_state=0)
    before, after = np.fft.rfft(X), np.fft.rfft(surrogates)
    np.testing.assert_allclose(np.abs(after), np.abs(before), rtol=1e-9)
    cross_spectra = [s[:, :, None] * s[:, None].conj() for s in (before, after)]
    np.testing.assert_allclose(*cross_spectra, rtol=1e-9, atol=1e-9)
    covariances = [np.einsum("nct,ndt->ncd", x, x) for x in (X, surrogates)]
    np.testing.assert_allclose(*covariances, rtol=1e-9)
    turned = np.angle(after / before)[:, 0, 1 : (n_times - 1) // 2 + 1]
    assert 0.9 * magnitude * np.pi < np.abs(turned).max() <= magnitude * np.pi + 1e-9


def test_a_sign_flip_is_minus_the_trial():
    X = signals()
    np.testing.assert_array_equal(SignFlip(probability=1)(X), -X)


def test_noise_has_the_deviation_relative_to_each_channel_and_trial():
    X = signals(4, 3, 20_000) * np.array([1.0, 10.0, 1e-6])[:, None].astype(np.float32) + 7
    noise = GaussianNoise(0.5, probability=1)(X.astype(np.float64), random_state=0) - X
    np.testing.assert_allclose(noise.std(-1), 0.5 * X.astype(np.float64).std(-1), rtol=0.03)
    correlations = np.corrcoef(noise.reshape(12, -1)) - np.eye(12)
    assert np.abs(correlations).max() < 0.05


def test_factors_of_the_amplitude_are_symmetric_in_the_logarithm():
    X = np.ones((4000, 2, 3))
    factors = AmplitudeScale(4, probability=1)(X, random_state=0)
    assert np.ptp(factors, axis=(1, 2)).max() == 0
    logarithms = np.log(factors[:, 0, 0])
    assert logarithms.min() >= -np.log(4)
    assert logarithms.max() <= np.log(4)
    # Of a uniform variable on (-a, a): mean 0, standard deviation a / sqrt(3).
    assert abs(logarithms.mean()) < 0.05
    assert logarithms.std() == pytest.approx(np.log(4) / np.sqrt(3), rel=0.03)


def test_channels_are_dropped_whole_and_never_all_of_them():
    X = signals(3000, 4, 8)
    dropped = ChannelDropout(0.3, probability=1)(X, random_state=0)
    is_zero = (dropped == 0).all(axis=-1)
    np.testing.assert_array_equal(dropped, np.where(is_zero[..., None], 0, X))
    assert not is_zero.all(axis=1).any()
    # A channel is lost with 0.3, unless all four would be: (4 * 0.3 - 0.3 ** 4) / 4 of them.
    assert is_zero.mean() == pytest.approx((4 * 0.3 - 0.3**4) / 4, abs=0.02)


def test_mixtures_have_the_proportion_of_their_targets():
    X, y = signals(8, 2, 4, dtype=np.float64), np.array(["a", "b", "c", "a"] * 2)
    X[:] = np.array([0.0, 1.0, 10.0])[np.searchsorted(["a", "b", "c"], y)][:, None, None]
    mixed, probabilities = Mixup(1.0)(X, y, random_state=0)
    assert probabilities.shape == (8, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(mixed[:, 0, 0], probabilities @ [0, 1, 10], rtol=1e-5, atol=1e-6)
    values = X[:, 0, 0].copy()
    mixed, mixed_values = Mixup(1.0)(X, values, random_state=0)
    np.testing.assert_allclose(mixed_values, mixed[:, 0, 0])


@pytest.mark.parametrize("alpha", [1e-3, 0.2, 1.0, 5.0])
def test_proportions_of_mixtures_have_a_beta_distribution(alpha):
    draws = beta(alpha, 20_000, torch.Generator().manual_seed(0), torch.device("cpu")).numpy()
    assert np.isfinite(draws).all()
    assert draws.mean() == pytest.approx(0.5, abs=0.015)
    assert draws.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_a_mirror_exchanges_electrodes_and_labels():
    X, y = signals(), np.array(["left_fist", "right_fist", "feet"] * 2)
    mirror = Mirror(probability=1)
    mirrored, labels = mirror(recorded(X, y), y)
    np.testing.assert_array_equal(mirrored, X[:, [4, 3, 2, 1, 0]])
    assert labels.tolist() == ["right_fist", "left_fist", "feet"] * 2
    twice, labels = mirror(recorded(mirrored, labels), labels)
    np.testing.assert_array_equal(twice, X)
    np.testing.assert_array_equal(labels, y)


@pytest.mark.parametrize(
    ("classes", "labels", "expected"),
    [
        (["Left", "Right"], "auto", ["Right", "Left"]),
        (["LEFT HAND", "RIGHT HAND"], "auto", ["RIGHT HAND", "LEFT HAND"]),
        ([769, 770, 771], {769: 770}, [770, 769, 771]),
        ([769, 770], {769: 770, 770: 769}, [770, 769]),
        (["target", "other"], {}, ["target", "other"]),
        ([False, True], {False: True}, [True, False]),
    ],
)
def test_labels_that_exchange_are_found_or_given(classes, labels, expected):
    X, y = signals(len(classes)), np.array(classes)
    _, exchanged = Mirror(labels, probability=1)(recorded(X, y), y)
    assert exchanged.tolist() == expected


def test_probabilities_are_mirrored_too():
    y = torch.tensor([[0.2, 0.7, 0.1]])
    recording = Recording(None, tuple(CH_NAMES), np.array(["left", "rest", "right"]))
    batch = Mirror(probability=1).apply(Batch(torch.ones(1, 5, 2), y), recording, None)
    assert batch.y.tolist() == [pytest.approx([0.1, 0.7, 0.2])]


# ---------------------------------------------------------------------- the family


@every_name
def test_a_trial_is_changed_with_its_probability(name):
    X = signals(1000, n_times=40)
    data = recorded(X)
    changed = ready(name, probability=0.3)(data, random_state=0)
    share = (changed != X).any(axis=(1, 2)).mean()
    # A dropout of no channel, a mixture with itself, and a shift of 0 leave a trial as it is.
    kept = {"channel_dropout": 0.8**5, "time_shift": 1 / 21}.get(name, 0.0)
    assert share == pytest.approx(0.3 * (1 - kept), abs=0.05)
    never = ready(name, probability=0.0)(data, random_state=0)
    np.testing.assert_array_equal(never, X)


@every_name
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_changes_are_reproducible_finite_and_leave_their_input(name, dtype):
    X = signals(dtype=dtype)
    X[0] = 0
    before = X.copy()
    augmentation = ready(name)
    data = X if name != "mirror" else recorded(X)
    once, again, other = (augmentation(data, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(X, before)
    expected = np.asarray(data.X).dtype if name == "mirror" else dtype
    assert once.dtype == expected
    assert once.shape == X.shape
    assert np.isfinite(once).all()
    np.testing.assert_array_equal(once, again)
    if name not in {"mirror", "sign_flip"}:
        assert (once != other).any()


@on_arrays
@pytest.mark.parametrize("shape", [(1, 5, 40), (4, 1, 40), (1, 1, 31)])
def test_one_trial_and_one_channel(name, shape):
    X = signals(*shape)
    changed, y = ready(name)(X, np.zeros(len(X), dtype=int), random_state=0)
    assert changed.shape == shape
    assert np.isfinite(changed).all()
    assert len(y) == len(X)
    if name == "channel_dropout" and shape[1] == 1:
        np.testing.assert_array_equal(changed, X)


@on_arrays
def test_tensors_come_back_as_tensors_and_global_generators_are_left(name):
    X = torch.from_numpy(signals())
    numpys = np.random.mtrand._rand
    states = torch.get_rng_state(), numpys.get_state()[1].copy()
    changed = ready(name)(X, random_state=0)
    assert isinstance(changed, torch.Tensor)
    np.testing.assert_array_equal(changed.numpy(), ready(name)(X.numpy(), random_state=0))
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(numpys.get_state()[1], states[1])


@every_name
def test_augmentations_are_objects_like_those_of_scikit_learn(name):
    augmentation = AUGMENTATIONS[name]()
    assert repr(augmentation) == f"{type(augmentation).__name__}()"
    changed = augmentation.set_params(probability=0.25)
    assert changed is augmentation
    copy = clone(augmentation)
    assert copy is not augmentation
    assert copy.get_params() == augmentation.get_params()
    assert pickle.loads(pickle.dumps(augmentation)).get_params() == augmentation.get_params()
    with pytest.raises(ValueError, match=r"probability of \w+ must be a finite number"):
        AUGMENTATIONS[name](probability=1.5)(recorded(signals()), random_state=0)


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (TimeShift(0), "max_shift of TimeShift must be a positive number of seconds; got 0"),
        (TimeShift(sfreq=SFREQ, padding="edge"), "padding of TimeShift must be one of"),
        (TimeShift(0.004), "at least one sample, 0.01 s, and less than a trial, 2 s; got 0.004"),
        (TimeShift(2.0), "less than a trial"),
        (TimeShift(sfreq=250), "X is sampled at 100 Hz, but TimeShift has sfreq=250"),
        (FrequencyShift(-1), "max_shift of FrequencyShift must be a positive number of Hz"),
        (FrequencyShift(50), "below half the sampling rate, 50 Hz; got 50"),
        (ChannelDropout(1.0), "p_drop of ChannelDropout must be a finite number"),
        (GaussianNoise(0), "std of GaussianNoise must be a finite number above 0"),
        (AmplitudeScale(0.5), "max_factor of AmplitudeScale must be a finite number above 1"),
        (FTSurrogate(1.5), "magnitude of FTSurrogate must be a finite number"),
        (Mixup(0), "alpha of Mixup must be a finite number above 0"),
        (Mirror("left"), "labels of Mirror, where it is not a dict, must be one of 'auto'"),
        (Mirror({"left": "middle"}), "'middle', which is not a class"),
        (Mirror({"left": "right", "right": "right"}), "must exchange pairs"),
    ],
)
def test_invalid_parameters_are_named(augmentation, message):
    data = recorded(signals())
    with pytest.raises(ValueError, match=message):
        augmentation(data, data.y, random_state=0)


@pytest.mark.parametrize("kind", [TimeShift, FrequencyShift])
def test_a_sampling_rate_is_needed(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__} needs the sampling rate"):
        kind(probability=1)(signals())


@pytest.mark.parametrize(
    ("ch_names", "y", "message"),
    [
        (["Fp1", "C3", "Cz", "C4", "EEG 5"], None, "on which side 'EEG 5' is"),
        (["Fp1", "C3", "Cz", "C4", "Pz"], None, "the electrode opposite to 'Fp1'"),
        (["Fz", "FCz", "Cz", "CPz", "Pz"], None, "all channels are on the midline"),
        (CH_NAMES, [1, 2, 1, 2, 1, 2], r"which of the labels \[1, 2\] exchange"),
        (CH_NAMES, ["left", "rest"] * 3, "'left' into 'right', which is not a class"),
        (CH_NAMES, [0.5, 1.5] * 3, "the values of a regression have none"),
    ],
)
def test_a_mirror_says_what_it_misses(ch_names, y, message):
    X = signals()
    data = recorded(X, ch_names=ch_names)
    with pytest.raises(ValueError, match=message):
        Mirror(probability=1)(data, data.y if y is None else y)
    with pytest.raises(ValueError, match="Mirror needs the names of the channels"):
        Mirror(probability=1)(X)


def test_trials_are_checked():
    X = signals()
    with pytest.raises(ValueError, match=r"must have shape \(n_trials, n_chans, n_times\)"):
        SignFlip()(X[0, 0])
    with pytest.raises(ValueError, match="Found input variables with inconsistent numbers"):
        SignFlip()(X, [1, 2])
    X[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="NaN: first in trial 1, channel 2, sample 3"):
        SignFlip()(X)


def test_names_are_resolved_or_corrected():
    shift = TimeShift(0.2)
    assert resolve_augmentations(None) == []
    assert resolve_augmentations([shift, "sign_flip"])[0] is shift
    assert [type(a) for a in resolve_augmentations("mixup")] == [Mixup]
    with pytest.raises(ValueError, match=r"'time_shfit'\. Did you mean 'time_shift'"):
        resolve_augmentations("time_shfit")
    for wrong, hint in [(3, ""), (TimeShift, "Create an instance"), ({"a": 1}, "")]:
        with pytest.raises(TypeError, match=f"augment must be None, a name.*{hint}"):
            resolve_augmentations(wrong)
