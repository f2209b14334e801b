"""Estimators with ``compile=True``, which torch translates into machine code."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skeeg import EEGNetClassifier, ShallowConvNetClassifier

from .support import make, oscillations


@pytest.mark.slow
@pytest.mark.parametrize("cls", [EEGNetClassifier, ShallowConvNetClassifier])
def test_compiled_network_fits_predicts_and_pickles(cls):
    X, y = oscillations(n_times=160)
    y = np.array(["left", "right"])[y]
    state = torch.get_rng_state()
    estimator = make(cls, compile=True, max_epochs=2).fit(X, y)
    assert torch.equal(torch.get_rng_state(), state)
    assert hasattr(estimator.module_, "_orig_mod")
    proba = estimator.predict_proba(X)
    # Its weights are those of a network that is not compiled, and so are its files.
    file = io.BytesIO()
    estimator.save_params(f_params=file)
    file.seek(0)
    plain = make(cls, max_epochs=1).fit(X, y)
    plain.load_params(f_params=file)
    np.testing.assert_allclose(plain.predict_proba(X), proba, atol=1e-5)
    file.seek(0)
    estimator.load_params(f_params=file)
    np.testing.assert_array_equal(estimator.predict_proba(X), proba)
    # Pickles and copies predict and continue alike, and a clone fits alike.
    loaded, copied = pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)
    for other in (loaded, copied, clone(estimator).fit(X, y)):
        np.testing.assert_array_equal(other.predict_proba(X), proba)
        np.testing.assert_array_equal(other.predict(X), estimator.predict(X))
    expected = estimator.partial_fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(loaded.partial_fit(X, y).predict_proba(X), expected)
