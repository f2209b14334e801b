"""Precomputed rows are not used for batches that are changed after validation."""

import types
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from skorch.dataset import ValidSplit
from torch import nn
from torch.utils.data import DataLoader, default_collate

from skeeg import EEGNetClassifier, ModuleClassifier, MSFBCNNClassifier
from skeeg.estimators import _precomputing
from skeeg.networks import MSFBCNN, EEGNet

from .support import SMALL, make, oscillations


class ScaleInPlace(Callback):
    """Scales the trials of each batch that is trained on."""

    def __init__(self, factor, always=False):
        self.factor, self.always = factor, always

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training or self.always:
            X = batch[0]["X"] if isinstance(batch[0], dict) else batch[0]
            X.mul_(self.factor)


class Replace(ScaleInPlace):
    """Puts other trials in the place of those of the batch."""

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training:
            batch[0] = self.factor * batch[0]


class AugmentedLoader(DataLoader):
    """Transforms collated batches, as loaders of other packages for EEG do."""

    def __init__(self, dataset, factor=1.0, **options):
        def collate(items):
            X, y = default_collate(items)
            return factor * X, y

        super().__init__(dataset, collate_fn=collate, **options)


class Hooked(EEGNet):
    def __init__(self, *args, factor=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_forward_pre_hook(
            lambda module, args: (factor * args[0],) if module.training else None
        )


class Scaling(EEGNet):
    def __init__(self, *args, factor=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.factor = factor

    def forward(self, x):
        return super().forward(self.factor * x if self.training else x)


class ScalesFirst:
    """Changes trials before the forward of the next class."""

    def forward(self, x):
        return super().forward(self.factor * x if self.training else x)


class Mixed(ScalesFirst, EEGNet):
    def __init__(self, *args, factor=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.factor = factor


class Patched(EEGNet):
    def __init__(self, *args, factor=1.0, **kwargs):
        super().__init__(*args, **kwargs)

        def forward(self, x):
            return EEGNet.forward(self, factor * x if self.training else x)

        self.forward = types.MethodType(forward, self)


class Scaled:
    """A collate function of the user."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, items):
        X, y = default_collate(items)
        return self.factor * X, y


DOORS = {
    "in place": lambda a: {"callbacks": [ScaleInPlace(a)]},
    "replaced": lambda a: {"callbacks": [Replace(a)]},
    "collate_fn": lambda a: {"iterator_train__collate_fn": Scaled(a)},
    "loader": lambda a: {
        "iterator_train": AugmentedLoader,
        "iterator_train__factor": a,
        "iterator_train__drop_last": False,
    },
    "pre-hook": lambda a: {"module": Hooked, "module__factor": a},
    "forward": lambda a: {"module": Scaling, "module__factor": a},
    "mixed in": lambda a: {"module": Mixed, "module__factor": a},
    "patched": lambda a: {"module": Patched, "module__factor": a},
}
every_door = pytest.mark.parametrize("door", DOORS)


def fitted(X, y, params, direct=False, **more):
    """An EEGNet after two epochs of full batches in order, from fixed weights."""

    class Direct(Callback):
        def on_train_begin(self, net, **kwargs):
            net.module_.filters.method = "direct"

    settings = {"batch_size": -1, "iterator_train__shuffle": False, "lr": 1e-30, "max_epochs": 2}
    params = dict(params)
    callbacks = [*params.pop("callbacks", []), *([Direct()] if direct else [])]
    return make(ModuleClassifier, callbacks=callbacks, **settings, **params, **more).fit(X, y)


def statistics(estimator):
    norm = estimator.module_.filters.norm
    return norm.running_mean.numpy(), norm.running_var.numpy()


@every_door
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_batch_statistics_are_those_of_the_changed_trials(door, factor):
    X, y = oscillations()
    X = X + 0.5  # means that are not zero
    params = DOORS[door](factor)
    found = statistics(fitted(X, y, params))
    for part, expected in zip(found, statistics(fitted(X, y, params, direct=True)), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-4, atol=1e-6)
    # With the same weights and momentum m, means are scaled by the factor after two epochs, and
    # variances by its square, apart from the initial value 1.
    mean, variance = statistics(fitted(X, y, {}))
    kept = 0.99**2
    np.testing.assert_allclose(found[0], factor * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[1], kept + factor**2 * (variance - kept), rtol=1e-4)


@every_door
def test_scaling_by_one_gives_the_plain_fit(door):
    X, y = oscillations()
    # Shuffled, torch's loader and ours would draw other orders.
    a = make(ModuleClassifier, iterator_train__shuffle=False, **DOORS[door](1.0)).fit(X, y)
    b = make(ModuleClassifier, iterator_train__shuffle=False).fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-3)


def test_network_that_adds_noise_has_the_statistics_of_the_noisy_trials():
    class Noisy(EEGNet):
        def forward(self, x):
            return super().forward(x + 2 * torch.randn_like(x) if self.training else x)

    X, y = oscillations(n_trials=64)
    noisy, plain = (statistics(fitted(X, y, {"module": module}))[1] for module in (Noisy, EEGNet))
    module = fitted(X, y, {}).module_
    # White noise of variance 4 adds four times the squared norm of each filter.
    norms = module.filters.temporal.weight.detach().flatten(1).square().sum(dim=1).numpy()
    added = (1 - 0.99**2) * 4 * norms
    assert (noisy > plain).all()
    # Less at the edges, where a kernel of 64 reaches beyond the 96 samples.
    ratio = (noisy - plain).mean() / added.mean()
    assert 0.7 < ratio < 1


def test_trials_in_order_are_not_changed_for_the_epochs_after():
    X, y = oscillations()
    split = {"train_split": ValidSplit(4, stratified=True), "iterator_train__shuffle": False}
    callback = ScaleInPlace(3.0, always=True)
    settings = {"batch_size": -1, "lr": 1e-30, "max_epochs": 3}
    estimator = make(EEGNetClassifier, callbacks=[callback], **split, **settings).fit(X, y)
    variance = []
    for epochs in (1, 2, 3):
        estimator.set_params(max_epochs=epochs).fit(X, y)
        variance.append(statistics(estimator)[1])
    # Each epoch moves the running variance by the same part towards that of one scaling by 3.
    target = (variance[0] - 0.99) / 0.01
    for n, found in enumerate(variance, start=1):
        np.testing.assert_allclose(found, 0.99**n + (1 - 0.99**n) * target, rtol=1e-4)
    # So do validation batches: their loss is that of trials scaled once.
    assert len(set(estimator.history[:, "valid_loss"])) == 3
    assert np.ptp(estimator.history[:, "valid_loss"]) < 0.01


@pytest.mark.parametrize("workers", [0, 1])
def test_precomputed_rows_are_used_where_nothing_changes_the_batches(workers):
    used = []
    forward = EEGNet.forward

    class Watching(EEGNet):
        # Defined together with `precompute_trials`, so that rows are used.
        precompute_trials = EEGNet.precompute_trials

        def forward(self, x, lag_sums=None):
            used.append(lag_sums is not None)
            return forward(self, x, lag_sums)

    X, y = oscillations()
    estimator = make(
        ModuleClassifier, module=Watching, max_epochs=2, iterator_train__num_workers=workers
    ).fit(X, y)
    n_steps = 2 * estimator.history[-1]["train_batch_count"]
    assert used[:n_steps] == [True] * n_steps
    by_hand = make(ModuleClassifier, callbacks=[Replace(1.0)], max_epochs=2).fit(X, y)
    np.testing.assert_allclose(estimator.predict_proba(X), by_hand.predict_proba(X), atol=1e-3)


def test_rows_that_would_take_too_much_memory_are_left_out(monkeypatch):
    X, y = oscillations()
    reference = make(EEGNetClassifier, callbacks=[ScaleInPlace(1.0)]).fit(X, y).predict_proba(X)
    monkeypatch.setattr(_precomputing, "_AT_MOST", 10)
    found = make(EEGNetClassifier).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(found, reference)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("class_weight", [None, {0: 1, 1: 3}])
def test_collate_function_gets_a_list_of_pairs_whatever_the_weights(class_weight, weighted):
    X, y = oscillations()
    sample_weight = np.linspace(1, 2, len(X)) if weighted else None
    seen = []

    def collate(items):
        seen.extend(items)
        return default_collate(items)

    a = make(EEGNetClassifier, iterator_train__collate_fn=collate, class_weight=class_weight)
    b = make(EEGNetClassifier, callbacks=[ScaleInPlace(1.0)], class_weight=class_weight)
    proba = a.fit(X, y, sample_weight=sample_weight).predict_proba(X)
    b.fit(X, y, sample_weight=sample_weight)
    np.testing.assert_array_equal(proba, b.predict_proba(X))
    assert {(tuple(trial.shape), target.ndim) for trial, target in seen} == {((3, 96), 0)}


class FlippingLoader(DataLoader):
    """Changes the sign of the trials, as braindecode's ``AugmentedDataLoader`` collates a batch."""

    def __init__(self, dataset, **options):
        def collate(items):
            X, y, *others = default_collate(items)
            return (-X, y, *others)

        super().__init__(dataset, collate_fn=collate, **options)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_transform_of_a_data_loader_gets_trials_whatever_the_weights(class_weight, weighted):
    X, y = oscillations()
    kept = np.flatnonzero((y == 0) | (np.arange(len(y)) % 3 == 0))
    X, y = X[kept], y[kept]
    sample_weight = np.linspace(1, 2, len(X)) if weighted else None
    a, b = (
        make(EEGNetClassifier, class_weight=class_weight, iterator_train=loader, batch_size=8)
        for loader in (FlippingLoader, DataLoader)
    )
    b.set_params(callbacks=[ScaleInPlace(-1.0)])
    a.fit(X, y, sample_weight=sample_weight)
    b.fit(X, y, sample_weight=sample_weight)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


def test_data_loader_that_drops_or_shortens_the_weights_is_refused():
    class Pairs(DataLoader):
        def __iter__(self):
            return (batch[:2] for batch in super().__iter__())

    class Doubled(DataLoader):
        def __iter__(self):
            for X, y, weight in super().__iter__():
                yield torch.cat([X, X]), torch.cat([y, y]), weight

    X, y = oscillations()
    for loader, message in (
        (Pairs, "as the third item of a batch"),
        (Doubled, "must change their"),
    ):
        with pytest.raises(ValueError, match=message):
            make(EEGNetClassifier, iterator_train=loader).fit(X, y, np.ones(len(X)) + y)
    make(EEGNetClassifier, iterator_train=Pairs, class_weight="balanced").fit(X, y)


def test_rows_are_not_used_for_other_networks_that_change_trials():
    class Scaled(MSFBCNN):
        def forward(self, x):
            return super().forward(3 * x if self.training else x)

    X, y = oscillations()
    small = SMALL["MSFBCNN"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a = make(MSFBCNNClassifier, callbacks=[ScaleInPlace(3.0)]).fit(X, y)
        b = make(
            ModuleClassifier, module=Scaled, **{f"module__{k}": v for k, v in small.items()}
        ).fit(X, y)
    for one, other in zip(
        a.module_.state_dict().values(), b.module_.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    assert isinstance(a.module_, nn.Module)
