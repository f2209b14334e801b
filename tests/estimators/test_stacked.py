"""Networks that are trained together learn what each learns by itself."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from skeeg import EEGNetClassifier
from skeeg.estimators._stackable import NETWORKS, architecture_of, key_of
from skeeg.estimators._stacked import Member, learn, train_together
from skeeg.estimators._stacked_optimizer import StackedOptimizer, limit_norms
from skeeg.layers import apply_max_norm, make_activation, with_max_norm
from skeeg.layers._stacking import StackedActivation, stacking

from .support import CLASSIFIERS, TOPOGRAPHIC, make, maps, oscillations


def trained(nets, X, y, max_stacked=8):
    """Copies of estimators, trained together, and the reasons of those that were not."""
    nets = [clone(net) for net in nets]
    members = [Member(net, learn(net, X, y)) for net in nets]
    left, _ = train_together(members, max_stacked)
    for member in members:
        if member.error is not None:
            raise member.error
    return nets, left


@pytest.mark.parametrize("cls", CLASSIFIERS, ids=lambda cls: cls.__name__)
def test_every_network_is_trained_as_by_itself_or_is_left(cls):
    X, y = maps(13) if cls in TOPOGRAPHIC else oscillations(13)
    changed = {"activation": "relu"} if "activation" in cls().get_params() else {"lr": 2e-3}
    params = {"optimizer": "sgd", "lr": 1e-3, "max_epochs": 2, "batch_size": 5}
    nets = [make(cls, **params), make(cls, **params | {"random_state": 1} | changed)]
    together, left = trained(nets, X, y)
    alone = [clone(net).fit(X, y) for net in nets]
    if type(alone[0].module_) not in NETWORKS:
        assert [reason.endswith("cannot be stacked") for reason in left] == [True]
        return
    assert not left
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=2e-5)
        for name, value in one.module_.state_dict().items():
            torch.testing.assert_close(
                other.module_.state_dict()[name], value, atol=2e-5, rtol=1e-4
            )


@pytest.mark.parametrize("attention", ["se", "cbam", "eca"])
def test_attention(attention):
    X, y = oscillations(12)
    params = {"attention": attention, "optimizer": "sgd", "lr": 0.01, "kernel_length": 16}
    nets = [make(EEGNetClassifier, **params, random_state=seed) for seed in (0, 1)]
    together, left = trained(nets, X, y)
    assert not left
    for net, other in zip(nets, together, strict=True):
        expected = clone(net).fit(X, y).predict_proba(X)
        np.testing.assert_allclose(other.predict_proba(X), expected, atol=2e-5)


def test_a_member_can_be_trained_further_and_saved(tmp_path):
    X, y = oscillations(12)
    ((net, _), _) = trained([make(EEGNetClassifier, lr=lr) for lr in (1e-3, 1e-2)], X, y)
    assert len(net.history) == 3
    net.save_params(f_params=tmp_path / "weights.pt")
    loaded = clone(net).set_params(module__n_chans=3, module__n_times=96, module__n_outputs=2)
    loaded.initialize().load_params(f_params=tmp_path / "weights.pt")
    np.testing.assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert len(net.partial_fit(X, y).history) == 6


def test_what_members_share():
    net = make(EEGNetClassifier)
    for params in ({"alpha": 0.3}, {"lr": 0.1}, {"random_state": 5}, {"dropout": 0.1}):
        assert key_of(clone(net).set_params(**params)) == key_of(net)
    for params in ({"kernel_length": 8}, {"batch_size": 4}, {"class_weight": "balanced"}):
        assert key_of(clone(net).set_params(**params)) != key_of(net)
    one, relu, wide = (
        EEGNetClassifier.module(3, 64, 2, **params)
        for params in ({"dropout": 0.1}, {"activation": "relu"}, {"n_temporal_filters": 4})
    )
    assert architecture_of(one) == architecture_of(relu)
    assert architecture_of(one) != architecture_of(wide)


# ---------------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (torch.optim.Adam, [{"lr": 0.1, "weight_decay": 0.3}, {"lr": 0.01, "betas": (0.5, 0.6)}]),
        (torch.optim.AdamW, [{"lr": 0.1, "weight_decay": 0.3}, {"lr": 0.01, "eps": 0.1}]),
        (torch.optim.SGD, [{"lr": 0.1, "momentum": 0.9, "dampening": 0.4}, {"lr": 0.01}]),
    ],
    ids=["adam", "adamw", "sgd"],
)
def test_steps_are_those_of_torch(kind, options):
    torch.manual_seed(0)
    modules = [nn.Linear(3, 2) for _ in range(3)]
    optimizers = [kind(modules[i].parameters(), **options[min(i, 1)]) for i in range(2)]
    groups = [
        {"params": [modules[2].weight], "lr": 0.2},  # as of a network with its own groups
        {"params": [modules[2].bias], "weight_decay": 0.5},
    ]
    optimizers.append(kind(groups, lr=0.05))
    weights = torch.stack([nn.utils.parameters_to_vector(m.parameters()) for m in modules]).detach()
    stacked = StackedOptimizer(optimizers, modules, "cpu")
    for step in range(6):
        gradient = torch.randn(3, 8)
        present = [0, 1, 2] if step % 2 == 0 else [0, 2]
        rows = None if len(present) == 3 else torch.tensor(present)
        chosen = weights[present]
        stacked.step(chosen, gradient[present], rows)
        weights[present] = chosen
        for i in present:
            vector = gradient[i].split([6, 2])
            for weight, part in zip(modules[i].parameters(), vector, strict=True):
                weight.grad = part.reshape(weight.shape).clone()
            optimizers[i].step()
    expected = torch.stack([nn.utils.parameters_to_vector(m.parameters()) for m in modules])
    torch.testing.assert_close(weights, expected.detach(), atol=1e-6, rtol=1e-5)


def test_norms_of_each_member_are_limited():
    torch.manual_seed(0)
    modules = [with_max_norm(nn.Linear(4, 3), 0.5) for _ in range(2)]
    for module in modules:
        module.weight.data.mul_(torch.tensor([[0.1], [1.0], [5.0]]))
    stacked = torch.stack([module.weight.detach() for module in modules])
    limit_norms(modules[0], {"weight": stacked})
    for module, weight in zip(modules, stacked, strict=True):
        apply_max_norm(module)
        torch.testing.assert_close(weight, module.weight.detach())


def test_each_member_has_its_activation_and_its_gradient():
    layers = [make_activation(*of) for of in (("elu", 0.3), ("elu", 0.3), ("tanh",), ("elu", 2.0))]
    stacked = StackedActivation(layers)
    x = torch.linspace(-2, 2, 20).reshape(4, 5).requires_grad_()
    for present in ([0, 1, 2, 3], [1, 3], [0, 1]):
        stacked.present = present
        with stacking():
            output = torch.vmap(stacked)(x[present])
        expected = torch.stack([layers[i](x[i]) for i in present])
        torch.testing.assert_close(output, expected, rtol=0, atol=0)
        ours, theirs = (torch.autograd.grad(each.sum(), x)[0] for each in (output, expected))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
