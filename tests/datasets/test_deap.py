import shutil
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.io import savemat

from skeeg import EEGData
from skeeg.datasets import load_deap
from skeeg.datasets.deap import CHANNELS

from .support import python_2_pickle, write_deap_like


@pytest.fixture(scope="module")
def deap(tmp_path_factory):
    """A folder of two subjects, laid out as unpacked, and what their files hold; 200 MB."""
    folder = tmp_path_factory.mktemp("deap")
    yield folder, write_deap_like(folder / "data_preprocessed_python", subjects=(2, 11))
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _no_heap_of_files(tmp_path):
    """Pytest keeps what tests wrote; of a hundred megabytes each, that is too much."""
    yield
    shutil.rmtree(tmp_path)


@pytest.fixture(scope="module")
def sound():
    """Arrays of the right shapes, to be spoilt; few values are not zero."""
    return {"data": np.zeros((40, 40, 8064)), "labels": np.full((40, 4), 5.0)}


def write(folder, arrays, suffix=".dat"):
    file = folder / f"s03{suffix}"
    if suffix == ".dat":
        file.write_bytes(python_2_pickle(arrays))
    else:
        savemat(file, arrays)
    return file


# ---------------------------------------------------------------------- what comes


def test_trials_are_the_minute_after_the_baseline(deap):
    folder, written = deap
    data = load_deap(folder)
    assert data.shape == (80, 32, 7680)
    assert data.X.dtype == np.float32
    assert data.sfreq == 128
    for i, subject in enumerate((2, 11)):
        np.testing.assert_array_equal(
            data.X[40 * i : 40 * (i + 1)],
            written[subject]["data"][:, :32, 384:].astype(np.float32),
        )


def test_baselines_are_the_three_seconds_before_with_the_same_rows(deap):
    folder, written = deap
    trials, baselines = (load_deap(folder, subjects=11, part=p) for p in ("trial", "baseline"))
    assert baselines.shape == (40, 32, 384)
    np.testing.assert_array_equal(baselines.X, written[11]["data"][:, :32, :384].astype("f4"))
    np.testing.assert_array_equal(baselines.y, trials.y)
    pd.testing.assert_frame_equal(baselines.metadata, trials.metadata)


def test_metadata_say_who_saw_which_video_and_how_it_was_rated(deap):
    folder, written = deap
    metadata = load_deap(folder, subjects=[11, 2]).metadata
    assert list(metadata) == [
        *("subject", "trial", "video"),
        *("valence", "arousal", "dominance", "liking"),
    ]
    assert metadata["subject"].tolist() == [11] * 40 + [2] * 40
    assert metadata["trial"].tolist() == list(range(40)) * 2
    assert metadata["video"].tolist() == list(range(1, 41)) * 2
    ratings = metadata[["valence", "arousal", "dominance", "liking"]].to_numpy()
    np.testing.assert_array_equal(ratings, np.vstack([written[s]["labels"] for s in (11, 2)]))


def test_channels_are_the_32_of_the_release():
    """As the release numbers them: down the left, down the middle from Oz, down the right."""
    assert CHANNELS.index("Fp1") == 0
    assert CHANNELS[13:17] == ("O1", "Oz", "Pz", "Fp2")
    assert CHANNELS.index("Cz") == 23
    assert CHANNELS[-1] == "O2"
    assert len(set(CHANNELS)) == 32


@pytest.mark.parametrize(
    ("label", "column"), [("valence", 0), ("arousal", 1), ("dominance", 2), ("liking", 3)]
)
def test_ratings_above_the_threshold_are_high(deap, label, column):
    folder, written = deap
    data = load_deap(folder, subjects=2, label=label, threshold=6.5)
    expected = ["high" if r > 6.5 else "low" for r in written[2]["labels"][:, column]]
    assert data.y.tolist() == expected


def test_a_rating_at_the_threshold_is_low(sound, tmp_path):
    write(tmp_path, sound)
    assert set(load_deap(tmp_path).y) == {"low"}
    assert set(load_deap(tmp_path, threshold=4.99).y) == {"high"}


def test_quadrants_are_of_valence_and_arousal(sound, tmp_path):
    labels = np.full((40, 4), 9.0)
    labels[:4, :2] = [[6, 7], [6, 3], [2, 8], [5, 5]]
    write(tmp_path, sound | {"labels": labels})
    data = load_deap(tmp_path, label="quadrant")
    assert data.y[:5].tolist() == ["HVHA", "HVLA", "LVHA", "LVLA", "HVHA"]


def test_the_matlab_release_gives_the_same(deap, tmp_path):
    folder, _ = deap
    write_deap_like(tmp_path, subjects=(2,), matlab=True)
    expected = load_deap(folder, subjects=2, label="quadrant")
    data = load_deap(tmp_path, label="quadrant")
    np.testing.assert_array_equal(data.X, expected.X)
    np.testing.assert_array_equal(data.y, expected.y)
    pd.testing.assert_frame_equal(data.metadata, expected.metadata)


def test_of_both_releases_that_of_python_is_read(sound, tmp_path):
    write(tmp_path, sound)
    write(tmp_path, sound | {"labels": np.full((40, 4), 1.0)}, ".mat")
    assert load_deap(tmp_path).metadata["liking"].unique() == [5.0]


def test_one_file_is_in_memory_at_a_time(deap):
    folder, _ = deap
    tracemalloc.start()
    try:
        data = load_deap(folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    one_file = 8 * 40 * 40 * 8064
    assert peak < data.X.nbytes + 1.2 * one_file


def test_it_saves_loads_and_joins(deap, tmp_path):
    folder, _ = deap
    parts = [load_deap(folder, subjects=s, part="baseline") for s in (2, 11)]
    joined = EEGData.concatenate(parts)
    again = EEGData.load(joined.save(tmp_path / "deap"))
    pd.testing.assert_frame_equal(
        again.metadata, load_deap(folder, part="baseline").metadata, check_dtype=False
    )
    assert len(np.unique(joined.nested_groups("trial"))) == 80


# ---------------------------------------------------------------------- what is missing


def test_without_files_it_says_how_to_get_them(tmp_path):
    how = r"licence agreement.*https://www\.eecs\.qmul\.ac\.uk/mmv/datasets/deap/.*s01\.dat.*s32"
    with pytest.raises(FileNotFoundError, match=f"load_deap needs the path of your files.*{how}"):
        load_deap()
    with pytest.raises(FileNotFoundError, match=f"holds no file named s01.*{how}"):
        load_deap(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"There is no folder.*{how}"):
        load_deap(tmp_path / "absent")


def test_subjects_without_file_are_named(deap):
    with pytest.raises(ValueError, match="There is no subject 3; there are 2, 11"):
        load_deap(deap[0], subjects=[2, 3])


def test_a_subject_in_two_files_is_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "s03.dat").touch()
    with pytest.raises(ValueError, match=r"Subject 3 is in both .*a/s03\.dat and .*b/s03\.dat"):
        load_deap(tmp_path)


def test_twins_of_the_finder_are_passed_over(sound, tmp_path):
    write(tmp_path, sound)
    (tmp_path / "._s03.dat").touch()
    (tmp_path / "s03.dat.part").touch()
    assert len(load_deap(tmp_path)) == 40


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"label": "joy"},
            "label must be one of 'valence', 'arousal', 'dominance', 'liking', 'quadrant'",
        ),
        ({"part": "rest"}, "part must be one of 'baseline', 'trial'; got 'rest'"),
        ({"threshold": 0}, "threshold must be .* at least 1 and at most 9; got 0"),
        (
            {"threshold": np.nan},
            "threshold must be .* at least 1 and at most 9; got nan",
        ),
        ({"threshold": "5"}, "threshold must be .* at least 1 and at most 9; got '5'"),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        load_deap(**parameters)


# ---------------------------------------------------------------------- what is damaged


def spoilt(arrays, name, index, value):
    array = arrays[name].copy()
    array[index] = value
    return arrays | {name: array}


@pytest.mark.parametrize("suffix", [".dat", ".mat"])
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"data": (40, 40, 8)}, "'data' has shape .40, 40, 8. instead of .40, 40, 8064."),
        ({"data": (40, 32, 8064)}, "'data' has shape .40, 32, 8064. instead of"),
        ({"X": (40, 4)}, "it lacks 'data'; it holds X"),
        ({}, "it lacks 'data'; it holds nothing"),
    ],
)
def test_other_arrays_are_refused_by_file(tmp_path, suffix, shapes, message):
    write(tmp_path, {name: np.zeros(shape) for name, shape in shapes.items()}, suffix)
    with pytest.raises(ValueError, match=rf"s03\{suffix} is damaged.*{message}.*qmul\.ac\.uk"):
        load_deap(tmp_path)


@pytest.mark.parametrize(
    ("suffix", "name", "index", "value", "message"),
    [
        (".dat", "data", (3, 1, 400), np.nan, r"NaN: first in trial 3.*\(AF3\)"),
        (".mat", "data", (3, 1, 400), np.nan, r"NaN: first in trial 3.*\(AF3\)"),
        (".dat", "data", (0, 31, 8000), 1e300, r"infinity: first in trial 0.*\(O2\)"),
        (".dat", "labels", (7, 1), np.nan, "rating of arousal in row 7 is nan"),
        (".mat", "labels", (0, 3), 0.0, "rating of liking in row 0 is 0"),
    ],
)
def test_what_is_no_number_is_refused_by_place(
    sound, tmp_path, suffix, name, index, value, message
):
    write(tmp_path, spoilt(sound, name, index, value), suffix)
    with pytest.raises(ValueError, match=rf"s03\{suffix} is damaged.*{message}.*qmul\.ac\.uk"):
        load_deap(tmp_path)


def test_nan_outside_of_what_is_loaded_does_not_matter(sound, tmp_path):
    write(tmp_path, spoilt(sound, "data", (3, 36, 400), np.nan))  # skin conductance
    assert np.isfinite(load_deap(tmp_path).X).all()


@pytest.mark.parametrize(
    ("suffix", "share"),
    [(".dat", 0.0), (".dat", 1e-6), (".dat", 0.9), (".mat", 0.0), (".mat", 1e-6), (".mat", 0.9)],
)
def test_truncated_files_are_named(sound, tmp_path, suffix, share):
    file = write(tmp_path, sound, suffix)
    contents = file.read_bytes()
    file.write_bytes(contents[: int(share * len(contents))])
    with pytest.raises(ValueError, match=rf"s03\{suffix} is damaged"):
        load_deap(tmp_path)


def test_text_in_place_of_numbers_is_refused(tmp_path):
    savemat(tmp_path / "s03.mat", {"data": np.zeros((40, 40, 8064), bool), "labels": np.ones(1)})
    with pytest.raises(ValueError, match=r"s03\.mat is damaged"):
        load_deap(tmp_path)
    labels = np.full((40, 4), "5")
    savemat(tmp_path / "s03.mat", {"data": np.zeros((40, 40, 8064), "i1"), "labels": labels})
    with pytest.raises(ValueError, match=r"s03\.mat is damaged"):
        load_deap(tmp_path)


def test_a_hostile_pickle_is_named_and_not_run(tmp_path):
    (tmp_path / "s03.dat").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path).encode() + b"/x'")
    with pytest.raises(ValueError, match=r"s03\.dat is damaged.*os\.system.*nothing.*was run"):
        load_deap(tmp_path)
    assert not (tmp_path / "x").exists()
