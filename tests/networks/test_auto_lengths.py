"""Lengths that papers give in seconds follow the sampling rate."""

import numpy as np
import pytest

from skeeg.networks import EEGNet, InceptionResNet, MixNet
from skeeg.networks._base import samples_of


def kernel_length(network):
    return network.filters.temporal.weight.shape[-1]


def branch_kernel_length(network):
    return network.blocks[0].inception.branches[1][1].conv.weight.shape[-1]


HALF_A_SECOND = {250: 125, 128: 64, 1000: 500, None: 64}
AN_EIGHTH = {250: 31, 128: 16, 1000: 125, None: 16}

#: How to measure each length, and what it is at some rates and where the rate is not known.
LENGTHS = {
    (EEGNet, "kernel_length"): (kernel_length, HALF_A_SECOND),
    (MixNet, "kernel_length"): (kernel_length, HALF_A_SECOND),
    (InceptionResNet, "kernel_length"): (kernel_length, HALF_A_SECOND),
    (InceptionResNet, "branch_kernel_length"): (branch_kernel_length, AN_EIGHTH),
}
each_length = pytest.mark.parametrize(("network_class", "name"), LENGTHS)
each_network = pytest.mark.parametrize("network_class", [EEGNet, MixNet, InceptionResNet])


@each_length
@pytest.mark.parametrize("is_given", [False, True])
def test_auto_is_the_default_and_a_number_of_seconds(network_class, name, is_given):
    measure, expected = LENGTHS[network_class, name]
    options = {name: "auto"} if is_given else {}
    for sfreq, length in expected.items():
        assert measure(network_class(2, 256, 2, sfreq=sfreq, **options)) == length


@each_length
def test_a_length_in_samples_is_the_same_at_any_rate(network_class, name):
    measure, expected = LENGTHS[network_class, name]
    for length in (7, expected[None], np.int32(9)):
        for sfreq in (None, 250):
            assert measure(network_class(2, 256, 2, sfreq=sfreq, **{name: length})) == length


@each_length
def test_at_a_very_low_rate_a_kernel_has_one_sample(network_class, name):
    assert LENGTHS[network_class, name][0](network_class(2, 256, 2, sfreq=0.1)) == 1


@each_length
@pytest.mark.parametrize("sfreq", [None, 250])
@pytest.mark.parametrize("value", ["Auto", "aut", "auto "])
def test_a_misspelt_auto_is_answered_with_the_right_one(network_class, name, value, sfreq):
    message = rf"^{name} must be an integer of at least 1; got '{value}'\. Did you mean 'auto'\?$"
    with pytest.raises(ValueError, match=message):
        network_class(2, 256, 2, sfreq=sfreq, **{name: value})


@each_length
@pytest.mark.parametrize("value", ["64", "half a second", ""])
def test_other_strings_are_refused(network_class, name, value):
    message = rf"^{name} must be an integer .* got '{value}'\. The only string .* is 'auto'\.$"
    with pytest.raises(ValueError, match=message):
        network_class(2, 256, 2, **{name: value})


@each_network
@pytest.mark.parametrize("lengths", [{}, {"kernel_length": 8}])
@pytest.mark.parametrize("sfreq", [0, -250, float("nan"), float("inf"), "250", True])
def test_the_sampling_rate_must_be_a_positive_finite_number(network_class, lengths, sfreq):
    with pytest.raises(ValueError, match=f"sfreq must be a finite number above 0; got {sfreq!r}"):
        network_class(2, 256, 2, sfreq=sfreq, **lengths)


@pytest.mark.parametrize(("sfreq", "expected"), [(100, 50), (np.float32(250), 125), (160.0, 80)])
def test_samples_of_a_number_of_seconds(sfreq, expected):
    options = {"seconds": 0.5, "sfreq": sfreq, "otherwise": 64}
    length = samples_of("kernel_length", "auto", **options)
    assert (length, type(length)) == (expected, int)


def test_samples_of_a_length_that_the_paper_gives_in_samples():
    options = {"seconds": None, "sfreq": 250, "otherwise": 51}
    assert samples_of("kernel_length", "auto", **options) == 51
