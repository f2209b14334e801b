"""Division of feature maps into groups."""

from __future__ import annotations

from .._checks import check_choice, check_positive_ints

SPLITS = ("equal", "exponential")


def split_maps(n_maps: int, n_groups: int, split: str = "equal") -> list[int]:
    """Return the number of maps of each group.

    Parameters
    ----------
    n_maps : int
        Number of maps, at least one for each group.
    n_groups : int
        Number of groups.
    split : {"equal", "exponential"}, default="equal"
        ``"equal"`` gives each group the same number of maps, and the first one the remainder.
        ``"exponential"`` gives each group half of the maps that remain, rounded up, but leaves one
        for each group after it; the last group gets the rest.

    Returns
    -------
    list of int
        Of length `n_groups`, with a sum of `n_maps`.

    Raises
    ------
    ValueError
        If there are fewer maps than groups, or an argument has a value that it cannot take.

    Examples
    --------
    >>> split_maps(32, 4), split_maps(33, 4)
    ([8, 8, 8, 8], [9, 8, 8, 8])
    >>> split_maps(32, 4, "exponential"), split_maps(33, 4, "exponential")
    ([16, 8, 4, 4], [17, 8, 4, 4])
    """
    n_maps, n_groups = check_positive_ints(n_maps=n_maps, n_groups=n_groups)
    check_choice("split", split, SPLITS)
    if n_maps < n_groups:
        raise ValueError(
            f"{n_maps} maps cannot be split into {n_groups} groups, one for each kernel length, "
            "since each group needs a map. Use more maps, or fewer kernel lengths."
        )
    if split == "equal":
        size, left_over = divmod(n_maps, n_groups)
        return [size + left_over] + [size] * (n_groups - 1)
    sizes: list[int] = []
    for n_later in range(n_groups - 1, 0, -1):
        remaining = n_maps - sum(sizes)
        sizes.append(min((remaining + 1) // 2, remaining - n_later))
    return [*sizes, n_maps - sum(sizes)]
