"""The guard reports what the rows themselves reveal, and where the metadata are silent."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from skeeg import EEGData
from skeeg.model_selection import LeakageError, check_leakage
from skeeg.model_selection._evidence import value_codes


def rows(n, y=None, *, seed=0, **columns):
    X = np.random.default_rng(seed).standard_normal((n, 2, 16))
    return EEGData.from_arrays(X, np.arange(n) % 2 if y is None else y, 16, **columns)


def halves(n):
    return [(np.arange(0, n, 2), np.arange(1, n, 2))]


def test_windows_with_a_trial_each_may_overlap_in_the_recording():
    data = rows(8, trial=np.arange(8), window=np.arange(8) * 0.5)  # each lasts 1 s
    report = check_leakage(halves(8), data)
    assert report.verdict == "cannot tell"
    apart = rows(8, trial=np.arange(8), window=np.arange(8) * 1.0)
    assert check_leakage(halves(8), apart).verdict == "clean"
    trials = rows(8, trial=np.arange(8), window=0.0)  # one window from the start of each
    assert check_leakage(halves(8), trials).verdict == "clean"


def test_rounding_does_not_divide_a_trial():
    jitter = np.tile([0.0, 1e-9], 4)
    data = rows(8, trial=np.repeat(np.arange(4), 2) + jitter)
    with pytest.raises(LeakageError, match="4 trials on both sides"):
        check_leakage(halves(8), data)


def test_equal_rows_on_both_sides_are_refused_constant_ones_are_not():
    data = rows(8)
    data.X[5] = data.X[2]
    with pytest.raises(LeakageError, match=r"1 row with values equal .*\(row 5\)"):
        check_leakage(halves(8), data)
    data.X[[2, 5]] = 0
    assert check_leakage(halves(8), data).verdict == "clean"


@pytest.mark.parametrize("shape", [(40, 2, 16), (40, 3, 200), (40, 16)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_equal_rows_are_those_with_equal_bytes(shape, order):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, shape).astype(np.float32)
    X[rng.integers(0, 40, 12)] = X[rng.integers(0, 40, 12)]
    X[[3, 9]] = 1.0  # constant rows are not compared
    X[30] = X[20]
    X[30].flat[1] += 1  # differs in one value, which may not be among the few compared first
    X = np.asarray(X, order=order)

    class Rows(SimpleNamespace):
        def __len__(self):
            return len(self.X)

    codes = value_codes(Rows(X=X))
    texts = [row.tobytes() if np.ptp(row) else i for i, row in enumerate(X)]
    for i in range(40):
        assert [codes[i] == code for code in codes] == [texts[i] == text for text in texts]


@pytest.mark.parametrize("column", ["run", "block"])
def test_one_stray_label_does_not_hide_recordings_of_one_class(column):
    y = np.repeat([0, 1, 0, 1], 10)
    y[3] = 1
    data = rows(40, y, **{column: np.repeat(np.arange(4), 10)})
    with pytest.raises(LeakageError, match=f"4 {column}s of a single class"):
        check_leakage(KFold(5, shuffle=True, random_state=0), data)


def test_imbalanced_recordings_are_no_recordings_of_one_class():
    y = np.tile([0] * 9 + [1], 8)
    check_leakage(KFold(4, shuffle=True, random_state=0), rows(80, y, run=np.repeat([0, 1], 40)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_the_guard_agrees_with_a_comparison_of_all_pairs(draw):
    n = draw.draw(st.integers(2, 14))
    small = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    columns = {"subject": draw.draw(small), "run": draw.draw(small), "trial": draw.draw(small)}
    start = draw.draw(small)
    train = np.array(draw.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    data = rows(n, np.zeros(n), window=np.array(start) * 0.5, **columns)
    keys = list(zip(*columns.values(), strict=True))
    left, right = np.flatnonzero(train), np.flatnonzero(~train)
    if not len(left) or not len(right):
        return
    trials = {keys[i] for i in left} & {keys[j] for j in right}
    overlapping = [
        j
        for j in right
        if any(keys[i] == keys[j] and abs(start[i] - start[j]) * 0.5 < 1 for i in left)
    ]
    report = check_leakage([(left, right)], data, allow_leakage=True)
    assert report.shared["trials"].item() == len(trials)
    assert report.shared["overlapping"].item() == len(overlapping)
    assert bool(report.leaks) == bool(trials)
