"""Alignment of domains: closed forms, pyRiemann, containers, and each way to meet a new domain."""

import pickle
import sys

import mne
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import Comparison, EEGData, compare
from skeeg.alignment import EuclideanAlignment, RiemannianAlignment
from skeeg.features import BandPower

pytest.importorskip("pyriemann", reason="pyRiemann comes with the extra 'riemann'")

BOTH = [EuclideanAlignment, RiemannianAlignment]
SFREQ = 64.0


def recorded(n_subjects=3, n_trials=20, seed=0, n_chans=4, n_times=128):
    """Subjects that differ by a mixture of the channels; the class is the power of a source."""
    rng = np.random.default_rng(seed)
    parts = []
    for subject in range(n_subjects):
        y = np.arange(n_trials) % 2
        sources = rng.standard_normal((n_trials, n_chans, n_times))
        sources[:, 0] *= 1 + y[:, None]
        mixing = np.eye(n_chans) + 0.4 * rng.standard_normal((n_chans, n_chans))
        X = np.exp(rng.standard_normal()) * mixing @ sources
        parts.append(
            EEGData.from_arrays(X, y, SFREQ, subject=f"S{subject}", run=np.arange(n_trials) // 10)
        )
    return EEGData.concatenate(parts)


def covariances(X):
    X = np.asarray(X, np.float64)
    X = X - X.mean(axis=2, keepdims=True)
    return X @ X.transpose(0, 2, 1) / X.shape[2]


@parametrize_with_checks([EuclideanAlignment(), RiemannianAlignment()])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- closed forms


def test_each_domain_gets_the_mean_covariance_of_all():
    data = recorded()
    align = EuclideanAlignment(shrinkage=None)
    aligned = align.fit_transform(data)
    C, subjects = covariances(data.X), data.groups("subject")
    expected = np.mean([C[subjects == s].mean(axis=0) for s in np.unique(subjects)], axis=0)
    assert_allclose(align.reference_, expected, rtol=1e-6)
    for subject in np.unique(subjects):
        mean = covariances(aligned.X)[subjects == subject].mean(axis=0)
        assert_allclose(mean, expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_the_identity_is_the_whitening_of_he_and_wu():
    data = recorded(n_subjects=1)
    aligned = EuclideanAlignment(reference="identity", shrinkage=None).fit_transform(data)
    values, vectors = np.linalg.eigh(covariances(data.X).mean(axis=0))
    root = vectors / np.sqrt(values) @ vectors.T
    assert_allclose(aligned.X, root @ data.X, rtol=1e-4, atol=1e-4)


def test_riemannian_centring_is_that_of_pyriemann():
    from pyriemann.transfer import TLCenter, encode_domains

    data = recorded()
    align = RiemannianAlignment(reference="identity", shrinkage=None)
    ours = covariances(align.fit_transform(data).X)
    C, labels = encode_domains(
        covariances(data.X), data.y.astype(str), data.groups("subject").astype(str)
    )
    theirs = TLCenter(target_domain="S0").fit_transform(C, labels)
    assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_domains_that_are_equal_stay_as_they_are():
    part = recorded(n_subjects=1)
    other = EEGData.from_arrays(part.X, part.y, SFREQ, subject="other", run=0)
    data = EEGData.concatenate([part, other])
    for cls in BOTH:
        assert_allclose(cls().fit_transform(data).X, data.X, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cls", BOTH)
def test_little_evidence_means_little_change(cls):
    """Trials that vary more than the runs do: the map approaches the identity."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 16, 256)) * np.exp(0.5 * rng.standard_normal((30, 16, 1)))
    data = EEGData.from_arrays(X, np.arange(30) % 2, SFREQ, run=np.arange(30) // 10)
    changes = []
    for shrinkage in ("ledoit-wolf", None):
        align = cls(domain="run", shrinkage=shrinkage).fit(data)
        changes.append(np.linalg.norm(align.transform(data).X - data.X) / np.linalg.norm(data.X))
    assert align.shrinkages_.max() == 0
    assert changes[0] < changes[1] / 3


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("reference", ["training", "identity"])
def test_the_unit_makes_no_difference(cls, reference):
    data = recorded()
    volts = EEGData.from_arrays(data.X.astype(float) * 1e-6, data.y, SFREQ, metadata=data.metadata)
    align = cls(reference=reference)
    expected, got = align.fit_transform(data).X, clone(align).fit_transform(volts).X
    assert_allclose(got * (1e6 if reference == "training" else 1), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("cls", BOTH)
def test_subjects_in_other_units_become_alike(cls):
    data = recorded()
    X = data.X * np.where(data.groups("subject") == "S1", 1e3, 1)[:, None, None]
    data = EEGData.from_arrays(X, data.y, SFREQ, metadata=data.metadata)
    aligned = cls().fit_transform(data)
    levels = [aligned.X[data.groups("subject") == s].std() for s in ("S0", "S1", "S2")]
    assert max(levels) / min(levels) < 1.5


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("reference", ["training", "identity"])
def test_dependent_flat_and_silent_trials_give_finite_numbers(cls, reference):
    data = recorded()
    X = data.X - data.X.mean(axis=1, keepdims=True)
    X[3] = 0
    X[25, 1] = 7
    data = EEGData.from_arrays(X, data.y, SFREQ, metadata=data.metadata)
    aligned = cls(reference=reference).fit_transform(data).X
    assert np.isfinite(aligned).all()
    assert np.abs(aligned).max() < 100 * np.abs(X).max()


# ---------------------------------------------------------------- domains and containers


def test_subjects_mixed_differently_can_be_decoded_after_alignment():
    data = recorded(n_subjects=6)
    decoder = make_pipeline(BandPower(SFREQ, [(1, 30)]), LogisticRegression())
    groups, cv = data.groups("subject"), LeaveOneGroupOut()
    plain = cross_val_score(decoder, data, data.y, groups=groups, cv=cv).mean()
    for cls in BOTH:
        pipeline = make_pipeline(cls(), decoder)
        score = cross_val_score(pipeline, data, data.y, groups=groups, cv=cv, error_score="raise")
        assert score.mean() > plain + 0.1
        assert score.mean() > 0.85


def test_runs_are_nested_in_their_subject():
    align = EuclideanAlignment(domain="run").fit(recorded(n_subjects=2))
    assert align.domains_ == [("S0", 0), ("S0", 1), ("S1", 0), ("S1", 1)]
    assert EuclideanAlignment(domain=["run", "subject"]).fit(recorded(2)).covariances_.shape[0] == 4


def test_the_next_step_knows_channels_and_rate():
    data = recorded()
    aligned = EuclideanAlignment().fit_transform(data)
    assert (aligned.sfreq, aligned.ch_names) == (data.sfreq, data.ch_names)
    assert_array_equal(aligned.y, data.y)


def test_epochs_and_arrays_give_the_same_as_eegdata():
    data = recorded()
    info = mne.create_info(list(data.ch_names), SFREQ, "eeg")
    epochs = mne.EpochsArray(
        data.X.astype(float), info, metadata=data.metadata, verbose="error", event_id={"a": 1}
    )
    align = EuclideanAlignment()
    expected = align.fit_transform(data)
    assert_allclose(clone(align).fit_transform(epochs).X, expected.X, rtol=1e-6)
    listed = [epochs[i] for i in range(len(epochs))]
    assert_allclose(clone(align).fit_transform(listed).X, expected.X, rtol=1e-6)
    array = clone(align).fit_transform(data.X, domains=data.groups("subject"))
    assert_allclose(array, expected.X, rtol=1e-5, atol=1e-5)


def test_domains_are_routed_through_pipelines():
    data = recorded()
    with sklearn.config_context(enable_metadata_routing=True):
        align = EuclideanAlignment().set_fit_request(domains=True)
        align.set_transform_request(domains=True)
        pipeline = make_pipeline(align, BandPower(SFREQ, [(1, 30)]), LogisticRegression())
        pipeline.fit(data.X, data.y, domains=data.groups("subject"))
        assert len(pipeline[0].domains_) == 3
        assert pipeline.predict(data.X, domains=data.groups("subject")).shape == (60,)


def test_a_search_reaches_the_parameters_and_pickles_align_alike():
    data = recorded()
    pipeline = make_pipeline(
        EuclideanAlignment(), BandPower(SFREQ, [(1, 30)]), LogisticRegression()
    )
    grid = {"euclideanalignment__shrinkage": ["oas", 0.5, None]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(data, data.y)
    align = search.best_estimator_[0]
    again = pickle.loads(pickle.dumps(align))
    assert_array_equal(again.transform(data).X, align.transform(data).X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"domain": "session"}, r"no column 'session'; they have \['subject', 'run'\].*domains="),
        ({"domain": 3}, "domain must be a column of the metadata"),
        ({"reference": "trainign"}, "Did you mean 'training'"),
        ({"shrinkage": "lw"}, "shrinkage must be one of 'ledoit-wolf', 'oas'"),
        ({"shrinkage": 1.5}, "shrinkage must be a finite number at least 0 and at most 1"),
        ({"new_domains": "online"}, "new_domains must be one of"),
        ({"n_calibration": 0}, "n_calibration must be an integer of at least 1"),
    ],
)
def test_wrong_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        EuclideanAlignment(**params).fit(recorded())


def test_unknown_domains_are_located():
    data = recorded()
    metadata = data.metadata.assign(subject=pd.Series([None, *data.groups("subject")[1:]]))
    broken = EEGData.from_arrays(data.X, data.y, SFREQ, metadata=metadata)
    with pytest.raises(ValueError, match="subject of trial 0 is missing"):
        EuclideanAlignment().fit(broken)
    with pytest.raises(ValueError, match=r"does not say of which domain .* domains="):
        EuclideanAlignment().fit(data).transform(data.X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EuclideanAlignment().fit(data.X, domains=[1, 2])


# ---------------------------------------------------------------- new domains


def test_a_known_domain_is_aligned_by_its_training_trials():
    data = recorded()
    align = EuclideanAlignment().fit(data)
    assert_array_equal(align.transform(data[:5]).X, align.transform(data).X[:5])


@pytest.mark.parametrize("cls", BOTH)
def test_transductive_uses_all_trials_of_the_call(cls):
    data = recorded()
    new = data.groups("subject") == "S2"
    align = cls(shrinkage=None).fit(data[~new])
    aligned = align.transform(data[new])
    C = covariances(aligned.X)
    assert_allclose(align._mean(C), align.reference_, rtol=1e-3, atol=1e-3)
    assert align.transductive
    assert not cls(new_domains="recursive").transductive


@pytest.mark.parametrize("cls", BOTH)
def test_calibration_uses_the_first_trials_only(cls):
    data = recorded()
    new = data.groups("subject") == "S2"
    align = cls(new_domains="calibration", n_calibration=6).fit(data[~new])
    aligned = align.transform(data[new]).X
    later = data[new].X.copy()
    later[6:] *= 100
    changed = EEGData.from_arrays(later, data[new].y, SFREQ, metadata=data[new].metadata)
    assert_allclose(align.transform(changed).X[:6], aligned[:6])
    assert_allclose(align.transform(changed).X[6:], 100 * aligned[6:], rtol=1e-4)
    beforehand = clone(align).fit(data[~new]).add_domains(data[new][:6])
    assert_allclose(beforehand.transform(data[new][6:]).X, aligned[6:], rtol=1e-6)
    with pytest.raises(ValueError, match=r"has 3 trials, fewer than n_calibration=6"):
        align.transform(data[new][:3])
    with pytest.raises(ValueError, match="known already"):
        beforehand.add_domains(data[new])


@pytest.mark.parametrize("cls", BOTH)
def test_recursive_alignment_never_looks_ahead(cls):
    data = recorded()
    new = data.groups("subject") == "S2"
    align = cls(new_domains="recursive").fit(data[~new])
    aligned = align.transform(data[new]).X
    for n in (1, 7):
        assert_allclose(align.transform(data[new][:n]).X, aligned[:n], rtol=1e-6)
    assert_allclose(aligned[0], data[new].X[0], rtol=1e-5)  # no evidence, no change
    if cls is EuclideanAlignment:  # the last trial has seen what the transductive way sees
        all_at_once = clone(align).set_params(new_domains="transductive").fit(data[~new])
        assert_allclose(aligned[-1], all_at_once.transform(data[new]).X[-1], rtol=1e-5)


def test_compare_and_its_report_say_what_is_transductive(tmp_path):
    data = recorded()
    decoder = make_pipeline(BandPower(SFREQ, [(1, 30)]), LogisticRegression())
    models = {
        "plain": decoder,
        "aligned": make_pipeline(EuclideanAlignment(), decoder),
        "online": make_pipeline(EuclideanAlignment(new_domains="recursive"), decoder),
    }
    comparison = compare(models, data, cv="cross-subject", random_state=0, progress=False)
    assert comparison.about.transductive == {"aligned": "EuclideanAlignment"}
    said = "transductive, uses the unlabelled test part: aligned (EuclideanAlignment)"
    assert said in repr(comparison)
    again = Comparison.load(comparison.save(tmp_path))
    assert again.transductive == said
    assert said in again.report(tmp_path / "report.html").read_text()


def test_without_pyriemann_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    monkeypatch.delitem(sys.modules, "pyriemann", raising=False)
    with pytest.raises(ImportError, match=r"RiemannianAlignment needs .*'skeeg\[riemann\]'"):
        RiemannianAlignment().fit(recorded())
