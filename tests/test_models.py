"""Built-in models are what their names say, fitted to the sampling rate."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor

from skeeg import EEGData
from skeeg.models import MODELS, build_model


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_a_classifier_or_a_regressor_with_the_seed_given(name):
    pytest.importorskip("pyriemann") if MODELS[name].requires else None
    model = build_model(name, sfreq=128, random_state=3)
    assert is_regressor(model) if name.endswith("-ridge") else is_classifier(model)
    seeds = [v for k, v in model.get_params().items() if k.rpartition("__")[2] == "random_state"]
    assert set(seeds) <= {3}


def fitted_network(name, sfreq):
    """Return the network of a built-in model, fitted to trials of a known rate."""
    X = np.random.default_rng(0).standard_normal((8, 2, int(sfreq)))
    data = EEGData.from_arrays(X, np.arange(8) % 2, sfreq)
    return build_model(name, sfreq=sfreq, max_epochs=1).fit(data, data.y).module_


def test_the_filters_of_eegnet_last_half_a_second():
    assert fitted_network("eegnet", 250).filters.temporal.weight.shape[-1] == 125


def test_the_kernels_of_inception_resnet_last_half_and_an_eighth_of_a_second():
    network = fitted_network("inception-resnet", 256)
    lengths = {
        conv.weight.shape[-1] for conv in network.blocks.modules() if hasattr(conv, "weight")
    }
    assert network.filters.temporal.weight.shape[-1] == 128
    assert 32 in lengths
    assert fitted_network("mixnet", 256).filters.temporal.weight.shape[-1] == 128


def test_only_networks_have_epochs():
    assert build_model("deepconvnet", sfreq=128, max_epochs=7).max_epochs == 7
    build_model("band-power-svm", sfreq=128, max_epochs=7)


def test_spatial_patterns_are_of_the_mu_and_beta_band_where_there_is_one():
    assert "(8.0, 30.0)" in str(build_model("csp-lda", sfreq=128))
    assert "(8.0, 30.0)" not in str(build_model("csp-lda", sfreq=50))


def test_an_unknown_model_offers_the_nearest():
    with pytest.raises(ValueError, match=r"Unknown model 'CSP_LDA'. Did you mean 'csp-lda'\?"):
        build_model("CSP_LDA", sfreq=128)
