"""Lengths after convolutions and pools, and what is clipped."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeeg.layers._length import clip_length, output_length


def test_a_length_that_fits_is_kept_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clip_length(75, 75, "Net.pool") == 75
        assert clip_length(3, 75, "Net.pool") == 3


@pytest.mark.parametrize(("n_times", "unit"), [(1, "1 sample long"), (50, "50 samples long")])
def test_a_length_that_does_not_fit_is_clipped_with_a_warning_that_says_all(n_times, unit):
    with pytest.warns(UserWarning, match="Net.pool") as record:
        assert clip_length(75, n_times, "Net.pool") == n_times
    message = str(record[0].message)
    assert "length of 75" in message
    assert unit in message
    assert f"clipped to {n_times}" in message


def test_a_clipped_length_can_count_rows():
    with pytest.warns(UserWarning, match="length of 2, but its input is only 1 row long"):
        assert clip_length(2, 1, "Net.pool", unit="row") == 1


@given(length=st.integers(1, 40), extra=st.integers(0, 60), stride=st.integers(1, 50))
def test_output_length_counts_the_positions_of_a_window(length, extra, stride):
    n_times = length + extra
    positions = [t for t in range(0, n_times, stride) if t + length <= n_times]
    assert output_length(n_times, length, stride) == len(positions)
