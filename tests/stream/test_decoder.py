"""Decisions depend on the signal alone, not on how it arrives, and equal those offline."""

import gc
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt, sosfilt_zi
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skeeg import EEGData, EEGNetClassifier, EEGNetRegressor
from skeeg.alignment import EuclideanAlignment, RiemannianAlignment
from skeeg.baselines import csp_lda
from skeeg.stream import StreamingDecoder, filter_causally

from .support import SFREQ, Means, MeanSign, assert_same, decoder, mean_sign, pushed, signal


def windows(values, length, step):
    starts = range(0, values.shape[1] - length + 1, step)
    return np.stack([values[:, s : s + length] for s in starts]).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 300), max_size=30).map(sorted),
    window=st.integers(1, 60),
    step=st.integers(1, 80),
    smoothing=st.sampled_from([None, 0.3, 4]),
)
def test_decisions_do_not_depend_on_the_chunks(cuts, window, step, smoothing):
    options = {"fmin": 2, "fmax": 30, "smoothing": smoothing, "dead_zone": 0.6}
    values = signal()
    whole = pushed(decoder(None, window / SFREQ, step / SFREQ, **options), values)
    cut = pushed(decoder(None, window / SFREQ, step / SFREQ, **options), values, cuts)
    assert len(whole) == (300 - window) // step + 1
    assert_same(whole, cut)


def test_one_sample_at_a_time_is_the_same_with_time_stamps_and_a_gap():
    values, stamps = signal(), np.arange(300) / SFREQ + 7.0
    stamps[130:] += 0.5
    with pytest.warns(UserWarning, match="reset"):
        whole = pushed(decoder(fmin=3), values, stamps=stamps)
    with pytest.warns(UserWarning, match="reset"):
        single = pushed(decoder(fmin=3), values, range(1, 300), stamps)
    assert_same(whole, single)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = pushed(decoder(fmin=3), values[:, :130], stamps=stamps[:130])
        parts += pushed(decoder(fmin=3), values[:, 130:], stamps=stamps[130:])
    assert_same(whole, parts)


def test_windows_are_float32_and_times_those_of_their_last_samples():
    model = mean_sign()
    times = [d.time for d in decoder(model, window=0.2, step=0.05).push(signal(32))]
    assert times == [0.19, 0.24, 0.29]
    assert model.shapes_ == [((1, 3, 20), np.float32)] * 3
    stamps = 1000 + np.arange(32) / SFREQ
    stamped = decoder(window=0.2, step=0.05).push(signal(32), stamps)
    assert [d.time for d in stamped] == [stamps[19], stamps[24], stamps[29]]


@pytest.mark.parametrize("kind", ["highpass", "lowpass", "bandpass"])
def test_chunks_are_filtered_as_the_whole_signal_by_scipy(kind):
    fmin, fmax = {"highpass": (2, None), "lowpass": (None, 20), "bandpass": (2, 20)}[kind]
    edges = [edge for edge in (fmin, fmax) if edge is not None]
    values = signal() + 50  # an offset, from which the filter begins in steady state
    sos = butter(3, edges if len(edges) == 2 else edges[0], kind, fs=SFREQ, output="sos")
    state = sosfilt_zi(sos)[:, None, :] * values[:, 0][None, :, None]
    expected = sosfilt(sos, values, zi=state)[0]
    np.testing.assert_array_equal(
        filter_causally(values, SFREQ, fmin, fmax, filter_order=3), expected
    )
    means = [
        d.label
        for d in pushed(
            decoder(Means().fit(values), 0.01, 0.01, fmin=fmin, fmax=fmax, filter_order=3),
            values,
            range(1, 300, 7),
        )
    ]
    np.testing.assert_array_equal(means, expected.T.astype(np.float32))


def _trained(name):
    X, y = signal(40 * 64, 4).reshape(4, 40, 64).swapaxes(0, 1), np.arange(40) % 2
    X[y == 1, 0] *= 3
    data = EEGData.from_arrays(X, y, sfreq=SFREQ, ch_names=["C3", "C4", "Cz", "Pz"])
    models = {
        "csp": csp_lda(),
        "network": EEGNetClassifier(max_epochs=2, random_state=0),
    }
    return models[name].fit(data, y), data


@pytest.mark.parametrize("name", ["csp", "network"])
def test_probabilities_are_those_of_windows_offline(name):
    model, _ = _trained(name)
    values = signal(1000, 4, seed=1)
    filtered = filter_causally(values, SFREQ, 4, 30)
    expected = model.predict_proba(windows(filtered, 64, 10))
    streaming = StreamingDecoder(model, 0.64, 0.1, sfreq=SFREQ, fmin=4, fmax=30)
    found = np.stack([d.probabilities for d in pushed(streaming, values, range(7, 1000, 13))])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_regressors_return_values():
    model = EEGNetRegressor(max_epochs=1, random_state=0)
    model.fit(signal(20 * 64, 4).reshape(20, 4, 64), np.arange(20.0))
    values = signal(200, 4)
    found = decoder(model, 0.64, 0.2).push(values)
    assert all(d.probabilities is None and isinstance(d.label, float) for d in found)
    expected = model.predict(windows(values, 64, 20))
    np.testing.assert_allclose([d.label for d in found], expected, rtol=1e-6)


def test_classifiers_without_probabilities_return_labels():
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    model = make_pipeline(flat, LinearSVC()).fit(signal(400, 3).reshape(20, 3, 20), [0, 1] * 10)
    decisions = decoder(model).push(signal())
    assert [d.label for d in decisions] == model.predict(windows(signal(), 20, 10)).tolist()
    assert all(d.probabilities is None for d in decisions)
    for option in ({"smoothing": 3}, {"dead_zone": 0.7}):
        with pytest.raises(ValueError, match="no predict_proba"):
            decoder(model, **option)


def test_smoothing_is_the_average_by_hand():
    plain = np.stack([d.probabilities for d in decoder().push(signal())])
    moving = np.stack([d.probabilities for d in decoder(smoothing=3).push(signal())])
    by_hand = [plain[max(0, i - 2) : i + 1].mean(axis=0) for i in range(len(plain))]
    np.testing.assert_allclose(moving, by_hand, rtol=1e-12)
    decaying = np.stack([d.probabilities for d in decoder(smoothing=0.25).push(signal())])
    mean = plain[0]
    for i, row in enumerate(plain):
        mean = 0.75 * mean + 0.25 * row if i else row
        np.testing.assert_allclose(decaying[i], mean, rtol=1e-12)


def test_label_is_none_within_the_dead_zone_only():
    decisions = decoder(dead_zone=0.55).push(signal())
    assert {d.label for d in decisions} == {None, "up", "down"}
    for d in decisions:
        best = "down" if d.probabilities[0] > d.probabilities[1] else "up"
        assert d.label == (best if d.probabilities.max() > 0.55 else None)


@pytest.mark.parametrize("kind", [EuclideanAlignment, RiemannianAlignment])
@pytest.mark.parametrize("inside", [True, False])
def test_recursive_alignment_is_that_of_transform(kind, inside):
    train = signal(40 * 20).reshape(40, 3, 20)
    alignment = kind(new_domains="recursive").fit(train, domains=["A"] * 20 + ["B"] * 20)
    values = signal(400, seed=2) * 4
    expected = alignment.transform(windows(values, 20, 10), domains=["C"] * 39)
    if inside:
        streaming = decoder(make_pipeline(alignment, Means().fit(train)))
    else:
        streaming = decoder(Means().fit(train), alignment=alignment)
    for _ in range(2):
        found = [d.label for d in streaming.push(values)]
        np.testing.assert_allclose(found, expected.mean(axis=2), rtol=1e-5, atol=1e-6)
        streaming.reset()


def test_other_alignments_are_refused():
    train = signal(40 * 20).reshape(40, 3, 20)
    alignment = EuclideanAlignment().fit(train)
    with pytest.raises(ValueError, match="new_domains='recursive'"):
        decoder(make_pipeline(alignment, Means().fit(train)))
    with pytest.raises(ValueError, match="new_domains='recursive'"):
        decoder(Means().fit(train), alignment=alignment)
    with pytest.raises(ValueError, match="alignment must be"):
        decoder(alignment="euclidean")
    alignment.set_params(new_domains="recursive")
    flat = make_pipeline(alignment, Means().fit(train))
    with pytest.raises(ValueError, match="begins with an alignment already"):
        decoder(flat, alignment=alignment)
    with pytest.raises(ValueError, match="must be its first step"):
        decoder(make_pipeline(EuclideanAlignment().fit(train), *[s for _, s in flat.steps]))
    with pytest.raises(ValueError, match="pipeline within a pipeline"):
        decoder(make_pipeline(make_pipeline(alignment), Means().fit(train)))


def test_a_rate_that_is_wrong_is_found_one_sample_at_a_time():
    streaming = decoder()
    for i in range(5):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            streaming.push(np.zeros((3, 1)), [i / 50])
    with pytest.raises(ValueError, match="sampling rate 50 Hz"):
        streaming.push(np.zeros((3, 1)), [5 / 50])


def test_a_search_is_decoded_by_its_best_estimator():
    X, y = signal(24 * 20).reshape(24, 3, 20), [0, 1] * 12
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    pipeline = make_pipeline(
        EuclideanAlignment(new_domains="recursive"), flat, LogisticRegression()
    )
    search = GridSearchCV(pipeline, {"logisticregression__C": [1.0]}, cv=2).fit(X, y)
    best = search.best_estimator_
    aligned = best[0].transform(windows(signal(), 20, 10), domains=["new"] * 29)
    found = np.stack([d.probabilities for d in decoder(search).push(signal())])
    np.testing.assert_allclose(found, best[1:].predict_proba(aligned), atol=1e-6)


def test_clusterings_are_refused():
    model = KMeans(2).fit(np.arange(4.0)[:, None])
    with pytest.raises(ValueError, match="classifier with classes_, or a regressor; got KMeans"):
        decoder(model)


def test_partial_fit_trains_on_the_last_window():
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    train = signal(400, 3).reshape(20, 3, 20)
    model, twin = (
        make_pipeline(flat, SGDClassifier(loss="log_loss", random_state=0)).fit(train, [0, 1] * 10)
        for _ in range(2)
    )
    streaming = decoder(model)
    with pytest.raises(ValueError, match="none is complete"):
        streaming.partial_fit(1)
    streaming.push(signal(33))
    streaming.partial_fit(1)
    twin[-1].partial_fit(signal(33)[:, 10:30].astype(np.float32).reshape(1, -1).astype(float), [1])
    np.testing.assert_array_equal(model[-1].coef_, twin[-1].coef_)
    with pytest.raises(ValueError, match="one of the classes"):
        streaming.partial_fit("left")


def test_partial_fit_of_a_network_changes_its_probabilities():
    model, _ = _trained("network")
    streaming = StreamingDecoder(model.set_params(max_epochs=1, lr=0.1), 0.64, 0.64)
    values = signal(64, 4)
    (before,) = streaming.push(values)
    streaming.partial_fit(1)
    (after,) = streaming.reset().push(values)
    assert not np.array_equal(before.probabilities, after.probabilities)


def test_partial_fit_needs_an_estimator_that_can():
    streaming = decoder()
    streaming.push(signal())
    with pytest.raises(AttributeError, match="MeanSign has no partial_fit"):
        streaming.partial_fit("up")


def test_channels_are_selected_by_name_in_the_order_of_training():
    model, _ = _trained("csp")
    values = signal(300, 4)
    expected = StreamingDecoder(model, 0.64, 0.1).push(values)
    names = ["Pz", "TRIGGER", "C3", "Cz", "C4"]
    shuffled = np.stack([values[3], values[0] * 1e9, values[0], values[2], values[1]])
    assert_same(expected, StreamingDecoder(model, 0.64, 0.1, ch_names=names).push(shuffled))
    with pytest.raises(ValueError, match="lacks 1 of the 4 channels of the decoder: Pz"):
        StreamingDecoder(model, 0.64, 0.1, ch_names=["C3", "C4", "Cz", "PZ"])


def test_reset_forgets_the_signal():
    streaming = decoder(fmin=2, smoothing=0.5)
    first = streaming.push(signal(137))
    assert_same(first, streaming.reset().push(signal(137)))


BAD_CHUNKS = {
    "channels": (np.zeros((2, 5)), "2 channels .* expects 3"),
    "transposed": (np.zeros((5, 3)), "transposed"),
    "nan": (np.full((3, 5), np.nan), "Sample 0 of the chunk is nan in channel 0"),
    "infinite": (np.full((3, 5), np.inf), "inf"),
    "one axis": (np.zeros(3), r"shape \(n_chans, n_samples\)"),
    "text": (np.full((3, 5), "1"), "real numbers"),
    "complex": (np.zeros((3, 5), complex), "real numbers"),
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_a_bad_chunk_is_refused_and_changes_nothing(name):
    chunk, message = BAD_CHUNKS[name]
    streaming = decoder(fmin=2)
    first = streaming.push(signal()[:, :50])
    with pytest.raises(ValueError, match=message):
        streaming.push(chunk)
    assert_same(first + streaming.push(signal()[:, 50:]), decoder(fmin=2).push(signal()))


BAD_STAMPS = {
    "backwards": ([0.51, 0.50, 0.52], "must increase: sample 1"),
    "before the last": ([0.49, 0.50, 0.51], "must increase: sample 0"),
    "equal": ([0.5, 0.5, 0.51], "must increase"),
    "nan": ([0.5, np.nan, 0.52], "time stamp of sample 1 .* nan"),
    "number": ([0.5, 0.51], "each of the 3 samples"),
    "half rate": ([0.52, 0.54, 0.56, 0.58, 0.60], "sampling rate 50 Hz"),
    "missing": (None, "always or never"),
}


@pytest.mark.parametrize("name", BAD_STAMPS)
def test_bad_time_stamps_are_refused_and_change_nothing(name):
    stamps, message = BAD_STAMPS[name]
    good = np.arange(300) / SFREQ
    streaming = decoder()
    first = streaming.push(signal()[:, :50], good[:50])
    with pytest.raises(ValueError, match=message):
        streaming.push(np.zeros((3, 5 if name == "half rate" else 3)), stamps)
    rest = streaming.push(signal()[:, 50:], good[50:])
    assert_same(first + rest, decoder().push(signal(), good))


def test_a_gap_is_an_error_or_ignored_by_choice():
    stamps = np.arange(300) / SFREQ
    stamps[100:] += 0.05
    with pytest.raises(ValueError, match=r"missing between 0\.990000 s and 1\.050000 s"):
        decoder(on_gap="raise").push(signal(), stamps)
    ignored = decoder(on_gap="ignore").push(signal(), stamps)
    assert len(ignored) == 29
    assert len(decoder(max_gap=0.1, on_gap="raise").push(signal(), stamps)) == 29


BAD_PARAMETERS = {
    "window": ({"window": 0.001}, "window must be at least one sample"),
    "step": ({"step": 0}, "step must be a positive number"),
    "sfreq": ({"sfreq": None}, "sfreq is needed"),
    "order": ({"fmin": 50}, "fmin must be a finite number above 0 and below 50"),
    "band": ({"fmin": 20, "fmax": 10}, "fmin must be below fmax"),
    "unstable": ({"fmin": 1e-15}, "not stable"),
    "smoothing": ({"smoothing": 1.5}, "smoothing must be None, a float"),
    "moving": ({"smoothing": 0}, "smoothing must be an integer of at least 1"),
    "flag": ({"smoothing": True}, "smoothing must be"),
    "dead zone": ({"dead_zone": 1.0}, "dead_zone must be a finite number"),
    "gap": ({"on_gap": "resett"}, "Did you mean 'reset'"),
    "max gap": ({"max_gap": -1}, "max_gap must be a positive number"),
    "names": ({"ch_names": "Cz"}, "ch_names must be a sequence"),
    "twice": ({"ch_names": ["Cz", "Cz", "C3"]}, "different names"),
}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_bad_parameters_are_refused(name):
    params, message = BAD_PARAMETERS[name]
    with pytest.raises(ValueError, match=message):
        decoder(**params)


def test_what_contradicts_the_training_data_is_refused():
    model, _ = _trained("csp")
    with pytest.raises(ValueError, match=r"250 Hz, and the estimator was trained at 100 Hz"):
        StreamingDecoder(model, 0.64, 0.1, sfreq=250)
    with pytest.raises(ValueError, match=r"100 samples .* trials of 64. Set window=0.64"):
        StreamingDecoder(model, 1.0, 0.1)
    with pytest.raises(NotFittedError):
        decoder(MeanSign())


def test_memory_does_not_grow():
    streaming = decoder(fmin=1, smoothing=5, window=1.0, step=1.0)
    streaming.estimator.shapes_ = type("Forget", (), {"append": lambda self, _: None})()
    chunk, sizes = signal(2000), []
    tracemalloc.start()
    for _ in range(12):
        streaming.push(chunk)
        gc.collect()  # also empties the lists of freed tuples that Python keeps
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    # 120 windows of 1200 bytes. One decision that stays has 200 bytes; Python's own lists of freed
    # tuples, which are bounded, hold about 60 for each decision at the beginning.
    assert sizes[-1] - sizes[5] < 120 * 100, sizes
