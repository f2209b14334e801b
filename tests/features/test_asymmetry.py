"""Pairs of electrodes against the published lists, and what is made of them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import EEGData
from skeeg.datasets.deap import CHANNELS
from skeeg.features import Asymmetry, DifferentialEntropy, asymmetry, asymmetry_pairs

#: The channels of SEED, row by row.
SEED = [
    f"{row}{column}"
    for row, columns in {
        "FP": "1Z2", "AF": "34", "F": "7531Z2468", "FT": "78", "FC": "531Z246", "T": "78",
        "C": "531Z246", "TP": "78", "CP": "531Z246", "P": "7531Z2468", "PO": "753Z468", "CB": "12",
        "O": "1Z2",
    }.items()
    for column in columns
]  # fmt: skip


class OfReversed(Asymmetry):
    """Compares each feature with that in the mirrored column, so that any number will do.

    The checks pass odd numbers of features, which are none of a band of two channels.
    """

    def _check(self, X, *, reset):
        features = super()._check(X, reset=reset)
        return np.stack([features, features[:, ::-1]], axis=2).reshape(len(features), -1)


@parametrize_with_checks([OfReversed(kind, ["C3", "C4"]) for kind in ("dasm", "rasm", "asm")])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def pairs_by_name(ch_names, kind):
    return {f"{ch_names[a]}-{ch_names[b]}" for a, b in asymmetry_pairs(ch_names, kind)}


def test_the_channels_of_deap_have_the_published_pairs():
    lateral = (
        "Fp1-Fp2 AF3-AF4 F3-F4 F7-F8 FC5-FC6 FC1-FC2 C3-C4 T7-T8 CP5-CP6 CP1-CP2 P3-P4 P7-P8 "
        "PO3-PO4 O1-O2"
    )
    caudal = "FC5-CP5 FC1-CP1 FC2-CP2 FC6-CP6 F7-P7 F3-P3 Fz-Pz F4-P4 F8-P8 Fp1-O1 Fp2-O2"
    for kind in ("dasm", "rasm", "asm"):
        assert pairs_by_name(CHANNELS, kind) == set(lateral.split())
    assert pairs_by_name(CHANNELS, "dcau") == set(caudal.split())


@pytest.mark.parametrize(("kind", "n_pairs"), [("dasm", 27), ("dcau", 23)])
def test_the_channels_of_seed_have_as_many_pairs_as_published(kind, n_pairs):
    assert len(SEED) == 62
    assert len(asymmetry_pairs(SEED, kind)) == n_pairs


@pytest.mark.parametrize(
    ("kind", "deap", "seed"), [("dasm", 56, 135), ("rasm", 56, 135), ("asm", 112, 270),
                               ("dcau", 44, 115)]
)  # fmt: skip
def test_numbers_of_features_are_the_published_ones(kind, deap, seed):
    for names, n_bands, expected in ((CHANNELS, 4, deap), (SEED, 5, seed)):
        X = np.random.default_rng(0).standard_normal((3, n_bands * len(names)))
        assert Asymmetry(kind, names).fit_transform(X).shape == (3, expected)


def test_old_names_half_steps_and_either_case_are_understood():
    old = ["T3", "T4", "F7", "T5", "FFC5h", "ffc6H", "CPP5h", "cz", "EEG 1", "E1", "E2"]
    assert pairs_by_name(old, "dasm") == {"T3-T4", "FFC5h-ffc6H"}
    assert pairs_by_name(old, "dcau") == {"F7-T5", "FFC5h-CPP5h"}


def test_left_comes_first_and_front_before_back():
    features = np.array([[1.0, 2.0, 4.0, 8.0]])
    names = ["P4", "F3", "F4", "P3"]
    assert_array_equal(asymmetry(features, names), [[2 - 4, 8 - 1]])
    assert_array_equal(asymmetry(features, names, "rasm"), [[2 / 4, 8 / 1]])
    assert_array_equal(asymmetry(features, names, "asm"), [[-2, 7, 0.5, 8]])
    assert_array_equal(asymmetry(features, names, "dcau"), [[2 - 8, 4 - 1]])


def test_ratios_by_nearly_nothing_stay_finite():
    features = np.array([[1.0, 0.0], [1.0, -1e-300], [1.0, 1e-300], [-1.0, 2.0]])
    ratios = asymmetry(features, ["C3", "C4"], "rasm", floor=0.5)
    assert_array_equal(ratios, [[2], [-2], [2], [-0.5]])
    assert np.isfinite(asymmetry(features, ["C3", "C4"], "rasm")).all()
    assert np.isfinite(asymmetry(np.zeros((2, 2)), ["C3", "C4"], "rasm")).all()


def test_the_ratio_of_logarithms_is_that_of_what_they_are_of():
    power = np.random.default_rng(0).uniform(1, 9, (5, 4))
    names = ["C3", "C4", "F3", "F4"]
    of_logs = asymmetry(np.log(power), names, "rasm", log_features=True)
    assert_allclose(of_logs, asymmetry(power, names, "rasm"), rtol=1e-12)


def test_axes_before_the_channels_are_kept():
    features = np.random.default_rng(0).standard_normal((2, 5, 4, 32))
    compared = asymmetry(features, CHANNELS, "dcau")
    assert compared.shape == (2, 5, 4, 11)
    assert_array_equal(compared[1, 2], asymmetry(features[1, 2], CHANNELS, "dcau"))


def test_features_are_laid_out_and_named_band_by_band():
    data = EEGData.from_arrays(
        np.random.default_rng(0).standard_normal((6, 4, 256)), np.arange(6), 128,
        ["F3", "F4", "P3", "P4"],
    )  # fmt: skip
    entropy = DifferentialEntropy(128, {"alpha": (8, 13), "beta": (13, 30)})
    plain = entropy.fit_transform(data)
    pipeline = make_pipeline(entropy, Asymmetry("asm", data.ch_names)).fit(data)
    names = [
        f"{pair}_{band}"
        for band in ("alpha", "beta")
        for pair in ("F3-F4", "P3-P4", "F3/F4", "P3/P4")
    ]
    assert pipeline.get_feature_names_out().tolist() == names
    features = pipeline.transform(data)
    assert_allclose(features[:, 0], plain[:, 0] - plain[:, 1], rtol=1e-12)
    assert_allclose(features[:, 5], plain[:, 6] - plain[:, 7], rtol=1e-12)
    assert_allclose(features[:, 7], plain[:, 6] / plain[:, 7], rtol=1e-9)


def test_bands_without_a_name_are_numbered():
    fitted = Asymmetry("dasm", ["C3", "C4"]).fit(np.zeros((2, 4)))
    assert fitted.get_feature_names_out().tolist() == ["C3-C4_0", "C3-C4_1"]


def test_the_floor_of_ratios_is_learnt_and_scales_with_the_features():
    X = np.random.default_rng(0).standard_normal((50, 8))
    fitted = Asymmetry("rasm", ["C3", "C4"]).fit(X)
    assert fitted.floor_ == pytest.approx(0.01 * np.median(np.abs(X)))
    # Powers in V² and in µV² have the same ratios.
    assert_allclose(Asymmetry("rasm", ["C3", "C4"]).fit_transform(1e-12 * X), fitted.transform(X))


def test_one_sample_clones_and_pickles():
    X = np.random.default_rng(0).standard_normal((5, 128))
    fitted = Asymmetry("asm", CHANNELS).fit(X)
    assert_array_equal(fitted.transform(X[:1]), fitted.transform(X)[:1])
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.transform(X))
    assert_array_equal(clone(fitted).fit_transform(X), fitted.transform(X))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "sasm"}, "kind must be one of 'dasm', 'rasm', 'asm', 'dcau'; got 'sasm'"),
        ({"ch_names": None}, "ch_names of Asymmetry must name the channels"),
        ({"ch_names": "C3"}, "must name the channels"),
        ({"ch_names": ["C3", "C3"]}, r"these come twice: \['C3'\]"),
        ({"ch_names": ["Cz", "Pz"]}, "No two of the ch_names Cz, Pz are electrodes on the left"),
        ({"kind": "dcau"}, "at the front and at the back that correspond, such as F3 and P3"),
        ({"ch_names": ["C3", "Cz", "C4"]}, "X has 4 features, which is not a multiple of the 3"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Asymmetry(**{"ch_names": ["C3", "C4"], **arguments}).fit(np.zeros((2, 4)))


def test_wrong_features_are_named():
    with pytest.raises(ValueError, match="one entry for each of the 2 ch_names along the last"):
        asymmetry(np.zeros((3, 4)), ["C3", "C4"])
    with pytest.raises(ValueError, match="floor must be a positive number"):
        asymmetry(np.zeros((3, 2)), ["C3", "C4"], floor=0)
    with pytest.raises(ValueError, match=r"Asymmetry takes features of shape .*, got trials"):
        Asymmetry("dasm", ["C3", "C4"]).fit(np.zeros((2, 2, 64)))
    with pytest.raises(ValueError, match="NaN"):
        Asymmetry("dasm", ["C3", "C4"]).fit([[1.0, np.nan]])
