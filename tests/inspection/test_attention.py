"""Gates are those that the network multiplies with in predict."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from torch import nn

from skeeg import (
    CNNGRUClassifier,
    EEGData,
    EEGNetClassifier,
    ModuleClassifier,
    ShallowConvNetClassifier,
)
from skeeg.inspection import attention_gates
from skeeg.layers import ATTENTIONS, SqueezeExcitation

N_CHANS, N_TIMES = 4, 120


def trials(n_trials=20, seed=0):
    X = np.random.default_rng(seed).standard_normal((n_trials, N_CHANS, N_TIMES))
    return X, np.arange(n_trials) % 2


def fitted(attention="se", axis="electrodes", cls=EEGNetClassifier, **params):
    X, y = trials()
    clf = cls(attention=attention, attention_axis=axis, max_epochs=1, random_state=0, **params)
    return clf.fit(X, y)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(
    ("axis", "shape"),
    [("maps", (150, 16)), ("electrodes", (150, 4)), ("map-electrode", (150, 8, 4))],
)
def test_gates_have_a_place_for_everything_that_has_one(attention, axis, shape):
    X, _ = trials(150)  # more than one batch
    gates = attention_gates(fitted(attention, axis), X)
    assert gates.shape == shape
    assert gates.dtype == np.float64
    assert ((gates > 0) & (gates < 1)).all()
    assert (gates.std(axis=0) > 0).any()


def test_gates_are_those_of_the_maps_computed_by_hand():
    clf = fitted("eca", "electrodes")
    X, _ = trials(seed=1)
    filters = clf.module_.filters.eval()
    x = torch.tensor(X / clf.scale_, dtype=torch.float32)
    with torch.no_grad():
        maps = filters.norm(filters.temporal(nn.functional.pad(x[:, None], (31, 32))))
    powers = np.log((maps.numpy() ** 2).mean(axis=(1, 3)))
    (taps,) = clf.module_.filters.attention.conv.weight.detach().numpy().ravel()[None]
    before = np.pad(powers, ((0, 0), (len(taps) // 2,) * 2))
    scores = sum(tap * before[:, i : i + N_CHANS] for i, tap in enumerate(taps))
    np.testing.assert_allclose(attention_gates(clf, X), 1 / (1 + np.exp(-scores)), rtol=1e-4)


def test_any_form_of_the_same_trials_gives_the_same_gates():
    clf = fitted()
    X, y = trials()
    expected = attention_gates(clf, X)
    fortran = np.asfortranarray(X)
    fortran.flags.writeable = False
    names = ("C3", "Cz", "C4", "Pz")
    data = EEGData(X.astype(np.float32), y, 128.0, names, pd.DataFrame({"subject": [1] * 20}))
    for same in (fortran, X.astype(np.float32), torch.tensor(X), data):
        np.testing.assert_allclose(attention_gates(clf, same), expected, rtol=1e-5)
    np.testing.assert_allclose(attention_gates(clf, X[:1]), expected[:1], rtol=1e-5)


def test_the_network_is_left_as_it_was():
    clf = fitted("cbam")
    X, _ = trials()
    expected = clf.predict_proba(X)
    attention_gates(clf, X)
    with pytest.raises(ValueError, match="contains NaN"):
        attention_gates(clf, np.full_like(X, np.nan))
    assert not any(layer._forward_hooks for layer in clf.module_.modules())
    assert np.array_equal(clf.predict_proba(X), expected)


@pytest.mark.filterwarnings("ignore:ShallowConvNet")
def test_other_networks_with_attention():
    X, y = trials()
    shallow = fitted("se", "map-electrode", ShallowConvNetClassifier, n_temporal_filters=6)
    assert attention_gates(shallow, X).shape == (20, 6, 4)

    class Own(nn.Module):
        def __init__(self, n_chans, n_times, n_outputs):
            super().__init__()
            self.gates = SqueezeExcitation(n_chans)
            self.dense = nn.Linear(n_chans * n_times, n_outputs)

        def forward(self, x):
            return self.dense(self.gates(x[:, :, None]).flatten(1))

    clf = ModuleClassifier(module=Own, max_epochs=1, random_state=0).fit(X, y)
    assert attention_gates(clf, X).shape == (20, 4)


def test_errors_say_what_to_do():
    X, y = trials()
    with pytest.raises(NotFittedError):
        attention_gates(EEGNetClassifier(attention="se"), X)
    plain = EEGNetClassifier(max_epochs=1).fit(X, y)
    with pytest.raises(
        ValueError, match=r'EEGNetClassifier has none\. Fit one with attention="se"'
    ):
        attention_gates(plain, X)
    with pytest.raises(ValueError, match="CNNGRUClassifier has none"):
        attention_gates(CNNGRUClassifier(max_epochs=1).fit(X, y), X)
    with pytest.raises(TypeError, match="For a pipeline"):
        attention_gates(make_pipeline(fitted()), X)
    with pytest.raises(ValueError, match="channels"):
        attention_gates(fitted(), X[:, :3])
