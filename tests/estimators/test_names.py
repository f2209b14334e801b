"""Names that constructors accept, and numbers in intervals."""

import pytest
import torch
from torch import nn

from skeeg.estimators._names import (
    OPTIMIZERS,
    accepted_names,
    is_skorch_name,
    resolve_optimizer,
    unknown_name_message,
)


class Base:
    def __init__(self, *, depth=1):
        pass


class Derived(Base):
    def __init__(self, width=1, **kwargs):
        super().__init__(**kwargs)


class Plain(nn.Module):
    def __init__(self, n_chans, **kwargs):
        super().__init__(**kwargs)


def test_keyword_arguments_of_base_classes_are_accepted_if_a_class_passes_them():
    assert accepted_names(Derived) == {"width", "depth"}
    assert accepted_names(Plain) == {"n_chans"}
    assert accepted_names(nn.CrossEntropyLoss) >= {"weight", "reduction", "label_smoothing"}
    assert accepted_names(lambda a, b=1: None) == {"a", "b"}
    assert accepted_names(lambda **anything: None) is None


def test_names_of_skorch_are_recognised():
    for name in ("criterion", "optimizer__lr", "callbacks__a__b", "iterator_train__shuffle"):
        assert is_skorch_name(name)
    for name in ("lr", "optimizer", "optimizer__", "criterion_", "_metadata_request", "foo__bar"):
        assert not is_skorch_name(name)


def test_message_names_the_nearest_parameter():
    def message(name):
        return unknown_name_message("Net", name, ["alpha", "lr"], {"optimizer": torch.optim.SGD})

    assert message("optimizer__momentum") is None
    assert message("optimizer__param_groups") is None
    assert message("callbacks__anything") is None
    assert "Did you mean 'optimizer__momentum'" in message("optimizer__momentm")
    assert "Did you mean 'alpha'" in message("alhpa")
    assert "Did you mean 'optimizer__momentum'" in message("optimiser__momentum")


def test_optimiser_is_a_name_or_a_class():
    assert resolve_optimizer("sgd") is torch.optim.SGD
    assert resolve_optimizer(torch.optim.Adagrad) is torch.optim.Adagrad
    assert set(OPTIMIZERS) == {"adam", "adamw", "nadam", "radam", "rmsprop", "sgd"}
    with pytest.raises(ValueError, match=r"Did you mean 'rmsprop'"):
        resolve_optimizer("rmspropp")
