"""Dropout drops as often as it says, keeps the mean, and does nothing in evaluation."""

import math
import shutil

import pytest
import torch
from torch import nn

from skeeg.layers import Dropout, Square


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_share_and_scale(p, dtype):
    torch.manual_seed(0)
    n = 200_000
    out = Dropout(p)(torch.full((n,), 3.0, dtype=dtype))
    dropped = (out == 0).double().mean().item()
    assert abs(dropped - p) < 5 * math.sqrt(p * (1 - p) / n)  # five standard errors
    torch.testing.assert_close(out[out != 0], torch.full_like(out[out != 0], 3 / (1 - p)))


def test_the_gradient_is_what_was_kept():
    torch.manual_seed(0)
    x = torch.randn(1000, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(out == 0, 0.0, 2.0))


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_ends_of_the_scale(p):
    x = torch.ones(10)
    assert torch.equal(Dropout(p)(x), x * (1 - p))


def test_evaluation_changes_nothing():
    x = torch.randn(10)
    assert Dropout(0.5).eval()(x) is x


def test_the_seed_decides():
    x = torch.ones(100)
    outs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outs.append(Dropout(0.5)(x))
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])


def test_memory_format_and_kind_are_kept():
    x = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    assert Dropout(0.5)(x).is_contiguous(memory_format=torch.channels_last)
    assert isinstance(Dropout(0.5), nn.Dropout)


def test_half_precision_and_in_place_are_torchs():
    x = torch.ones(1000, dtype=torch.bfloat16)
    torch.manual_seed(0)
    found = Dropout(0.5)(x)
    torch.manual_seed(0)
    assert torch.equal(found, nn.Dropout(0.5)(x))
    y = torch.ones(1000)
    assert Dropout(0.5, inplace=True)(y) is y


INDUCTOR = pytest.param(
    "inductor",
    marks=[
        pytest.mark.slow,
        pytest.mark.skipif(
            not any(map(shutil.which, ("g++", "clang++", "cl"))), reason="needs a C++ compiler"
        ),
    ],
)


@pytest.mark.filterwarnings("ignore")  # of torch, about its own compiler
@pytest.mark.parametrize("backend", ["aot_eager", INDUCTOR])
@pytest.mark.parametrize("p", [0.25, 0.9])
@pytest.mark.parametrize("inplace", [False, True])
def test_share_scale_and_gradient_of_compiled_dropout(p, backend, inplace):
    torch.manual_seed(0)
    torch._dynamo.reset()
    compiled = torch.compile(nn.Sequential(Square(), Dropout(p, inplace=inplace)), backend=backend)
    x = torch.full((200, 1000), 3.0, requires_grad=True)
    out = compiled(x)
    out.sum().backward()
    dropped = (out == 0).double().mean().item()
    assert abs(dropped - p) < 5 * math.sqrt(p * (1 - p) / x.numel())  # five standard errors
    torch.testing.assert_close(out, torch.where(out == 0, 0.0, 9 / (1 - p)))
    torch.testing.assert_close(x.grad, torch.where(out == 0, 0.0, 6 / (1 - p)))
    assert not torch.equal(compiled(x), out)
