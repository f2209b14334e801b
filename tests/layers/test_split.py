"""Feature maps in groups, against the examples of the paper on mixed convolutions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeeg.layers._split import split_maps

IMAGE_LENGTHS = (3, 5, 7, 9)


@pytest.mark.parametrize(
    ("n_maps", "n_groups", "equal", "exponential"),
    [
        (32, 4, [8, 8, 8, 8], [16, 8, 4, 4]),  # the examples of the paper
        (33, 4, [9, 8, 8, 8], [17, 8, 4, 4]),
        (35, 4, [11, 8, 8, 8], [18, 9, 4, 4]),
        (16, 4, [4, 4, 4, 4], [8, 4, 2, 2]),
        (7, 3, [3, 2, 2], [4, 2, 1]),
        (5, 4, [2, 1, 1, 1], [2, 1, 1, 1]),
        (4, 4, [1, 1, 1, 1], [1, 1, 1, 1]),
        (9, 1, [9], [9]),
    ],
)
def test_maps_of_each_group(n_maps, n_groups, equal, exponential):
    assert split_maps(n_maps, n_groups, "equal") == equal
    assert split_maps(n_maps, n_groups, "exponential") == exponential


@given(n_groups=st.integers(1, 12), extra=st.integers(0, 90), equal=st.booleans())
def test_every_map_has_a_group_and_every_group_a_map(n_groups, extra, equal):
    sizes = split_maps(n_groups + extra, n_groups, "equal" if equal else "exponential")
    assert len(sizes) == n_groups
    assert sum(sizes) == n_groups + extra
    assert min(sizes) >= 1
    assert sizes == sorted(sizes, reverse=True)


def test_weights_of_square_kernels_in_the_paper():
    def n_weights(split):
        return sum(n * k**2 for n, k in zip(split_maps(32, 4, split), IMAGE_LENGTHS, strict=True))

    assert n_weights("equal") == 1312
    assert n_weights("exponential") == 864
    assert split_maps(32, 1)[0] * 9**2 == 2592
