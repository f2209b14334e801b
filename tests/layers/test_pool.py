"""The mean pool is torch's, in either memory format, forward and backward."""

import pytest
import torch
import torch.nn.functional as F

from skeeg.layers import MeanPool


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("length", "stride"), [(4, None), (1, None), (75, 15), (35, 7), (7, 5), (3, 8), (80, 1)]
)
def test_against_torch(length, stride, dtype, memory_format):
    torch.manual_seed(0)
    x = torch.randn(3, 5, 1, 83, dtype=dtype).contiguous(memory_format=memory_format)
    leaves = [x.clone().requires_grad_() for _ in range(2)]
    found = MeanPool(length, stride)(leaves[0])
    expected = F.avg_pool2d(leaves[1], (1, length), stride=(1, stride or length))
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {}
    torch.testing.assert_close(found, expected, **tolerance)
    weight = torch.linspace(-1, 2, found.numel(), dtype=dtype).reshape(found.shape)
    for out in (found, expected):
        (out * weight).sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad, **tolerance)


def test_settings_are_printed():
    assert repr(MeanPool(75, 15)) == "MeanPool(75, stride=15)"
    assert MeanPool(4).stride == 4
