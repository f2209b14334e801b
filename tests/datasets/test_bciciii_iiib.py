import numpy as np
import pytest

from skeeg.datasets import load_bciciii_iiib

N_TRIALS = {"train": 6, "test": 4}


def write_set(folder, subject, session, **changes):
    rng = np.random.default_rng([len(subject), len(session)])
    n_trials = N_TRIALS[session]
    signal = rng.standard_normal((n_trials, 750, 2)) + (3.0 if session == "train" else 7.0)
    signal[0, 10:20, 1] = np.nan
    arrays = {"signal": signal, "label": np.arange(n_trials) % 2 + 1} | changes
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{subject}_{session}.npz", **arrays)
    return arrays


@pytest.fixture
def folder(tmp_path):
    for subject in ("S4b", "X11b"):
        for session in N_TRIALS:
            write_set(tmp_path, subject, session)
    return tmp_path


def test_trials_labels_and_the_given_division(folder):
    data = load_bciciii_iiib(folder)
    assert data.shape == (20, 2, 750)
    assert data.sfreq == 125
    assert data.ch_names == ("C3", "C4")
    assert set(data.y) == {"left_hand", "right_hand"}
    assert data.y[:2].tolist() == ["left_hand", "right_hand"]
    division = data.metadata.groupby(["subject", "session"]).size().to_dict()
    assert division == {(s, t): n for s in ("S4b", "X11b") for t, n in N_TRIALS.items()}
    with np.load(folder / "X11b_test.npz") as archive:
        expected = archive["signal"][1].T
    own = (data.groups("subject") == "X11b") & (data.metadata["session"] == "test").to_numpy()
    np.testing.assert_allclose(data[own].X[1], expected, rtol=1e-6)


def test_missing_samples_become_the_mean_of_the_training_samples(folder):
    data = load_bciciii_iiib(folder)
    signals = []
    for subject in ("S4b", "X11b"):
        with np.load(folder / f"{subject}_train.npz") as archive:
            signals.append(archive["signal"])
    mean = np.nanmean(signals)
    for session in N_TRIALS:
        filled = data[(data.metadata["session"] == session).to_numpy()].X[0, 1, 10:20]
        np.testing.assert_allclose(filled, mean, rtol=1e-6)
    assert np.isfinite(data.X).all()


def test_course_filled_the_test_set_with_its_own_mean(folder):
    data = load_bciciii_iiib(folder, fill="own")
    test = data[(data.metadata["session"] == "test").to_numpy()]
    assert test.X[0, 1, 10] == pytest.approx(7.0, abs=0.1)
    train = data[(data.metadata["session"] == "train").to_numpy()]
    assert train.X[0, 1, 10] == pytest.approx(3.0, abs=0.1)


def test_subject_window_band_and_rate(folder):
    data = load_bciciii_iiib(folder, subjects="S4b", tmin=1, tmax=5, fmin=4, fmax=38, sfreq=100)
    assert data.shape == (10, 2, 400)
    assert data.sfreq == 100
    assert set(data.groups("subject")) == {"S4b"}
    assert abs(data.X.mean()) < 0.1


def test_files_in_folders_for_training_and_testing_are_found(tmp_path):
    for subject in ("S4b", "X11b"):
        for session in N_TRIALS:
            write_set(tmp_path / session, subject, session)
    assert len(load_bciciii_iiib(tmp_path)) == 20


def test_without_path_it_says_which_files_with_which_arrays_are_expected():
    with pytest.raises(
        FileNotFoundError,
        match=r"S4b_train\.npz.*'signal'.*\(n_trials, 750, 2\).*'label'.*bbci\.de",
    ):
        load_bciciii_iiib()


def test_missing_file_is_named(folder):
    (folder / "X11b_test.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file named X11b_test\.npz.*bbci\.de"):
        load_bciciii_iiib(folder)
    assert len(load_bciciii_iiib(folder, subjects="S4b")) == 10


class Explosive:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signal": np.zeros((6, 2, 750))}, r"'signal' has shape \(6, 2, 750\)"),
        ({"signal": np.full((6, 750, 2), "a")}, "'signal' has shape .* and type <U1"),
        ({"label": np.array([0, 1, 0, 1, 0, 1])}, r"'label' holds 6 values \[0 1\]"),
        ({"label": np.array([1, 2])}, "'label' holds 2 values .* for 6 trials"),
        ({"signal": np.array([Explosive()])}, "Object arrays cannot be loaded"),
        ({"label": np.array([Explosive()])}, "Object arrays cannot be loaded"),
    ],
)
def test_wrong_arrays_are_refused_and_no_pickle_is_executed(folder, changes, message):
    write_set(folder, "S4b", "train", **changes)
    with pytest.raises(ValueError, match=rf"S4b_train\.npz is damaged.*{message}.*bbci\.de"):
        load_bciciii_iiib(folder)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_file_is_named(folder, share):
    file = folder / "X11b_train.npz"
    contents = file.read_bytes()
    file.write_bytes(contents[: int(share * len(contents))])
    with pytest.raises(ValueError, match=r"X11b_train\.npz is damaged"):
        load_bciciii_iiib(folder)


def test_other_arrays_and_other_formats_are_refused(folder):
    np.savez(folder / "S4b_train.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match=r"S4b_train\.npz is damaged.*signal"):
        load_bciciii_iiib(folder)
    np.save(folder / "array.npy", np.zeros(3))
    (folder / "array.npy").replace(folder / "S4b_train.npz")
    with pytest.raises(ValueError, match=r"S4b_train\.npz is damaged"):
        load_bciciii_iiib(folder)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"subjects": "O3VR"}, "There is no subject O3VR; there are S4b, X11b"),
        ({"fill": "zero"}, "fill must be one of 'train', 'own'; got 'zero'"),
        ({"tmax": 7}, "must lie within the 6 s of a trial"),
        ({"tmin": -1}, "must lie within the 6 s of a trial"),
        ({"fmin": 30, "fmax": 8}, "fmin must lie below fmax"),
    ],
)
def test_impossible_parameters_are_refused(folder, parameters, message):
    with pytest.raises(ValueError, match=message):
        load_bciciii_iiib(folder, **parameters)
