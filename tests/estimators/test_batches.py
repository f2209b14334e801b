"""Batches are whole indexing operations, in the promised order and number."""

import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import RandomSampler, SequentialSampler

from skeeg.estimators._batches import BatchLoader, TrialDataset


class Counting(TrialDataset):
    def __getitem__(self, index):
        self.asked = [*getattr(self, "asked", []), index]
        return super().__getitem__(index)


def trials(n=10, weighted=False):
    X = np.arange(n, dtype=np.float32)[:, None, None]
    weight = np.linspace(1, 2, n, dtype=np.float32) if weighted else None
    return Counting(X, np.arange(n), weight)


def sizes(loader):
    return [len(y) for _, y in loader]


def test_trials_in_order_are_slices_which_copy_nothing():
    data = trials()
    X = torch.cat([X for X, _ in BatchLoader(data, 4)])
    assert X.flatten().tolist() == list(range(10))
    assert data.asked == [slice(0, 4), slice(4, 8), slice(8, 10)]
    first, _ = next(iter(BatchLoader(data, 4)))
    assert first.data_ptr() == data.trials.data_ptr()


def test_shuffled_batches_hold_every_trial_once_a_pass_in_a_new_order():
    loader = BatchLoader(trials(), 3, shuffle=True, generator=torch.Generator().manual_seed(0))
    first, second = ([y.tolist() for _, y in loader] for _ in range(2))
    assert first != second
    for order in (first, second):
        assert sorted(itertools.chain.from_iterable(order)) == list(range(10))
    thrice = BatchLoader(trials(), 5, shuffle=True, n_passes=3)
    assert len(thrice) == 6
    assert np.bincount(torch.cat([y for _, y in thrice])).tolist() == [3] * 10


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"batch_size": 3}, [3, 3, 3, 1]),
        ({"batch_size": 3, "shuffle": True}, [3, 3, 4]),
        ({"batch_size": 3, "shuffle": True, "drop_last": True}, [3, 3, 3]),
        ({"batch_size": 4, "drop_last": True}, [4, 4]),
        ({"batch_size": 1, "shuffle": True}, [1] * 8 + [2]),
        ({"batch_size": 50, "shuffle": True}, [10]),
    ],
)
def test_a_last_single_trial_joins_the_batch_before_it_in_training(options, expected):
    loader = BatchLoader(trials(), **options)
    assert sizes(loader) == expected
    assert len(loader) == len(expected)


def test_a_sampler_of_the_user_decides_the_order():
    data = trials()
    assert sizes(BatchLoader(data, 4, sampler=SequentialSampler(data))) == [4, 4, 2]
    drawn = BatchLoader(data, 7, sampler=RandomSampler(data, replacement=True, num_samples=21))
    assert sizes(drawn) == [7, 7, 7]


def test_weights_belong_to_their_trials():
    for X, y, weight in BatchLoader(trials(weighted=True), 4, shuffle=True):
        assert torch.equal(X.flatten(), y.float())
        torch.testing.assert_close(weight, 1 + y / 9)


def test_part_of_a_data_set_keeps_labels_weights_and_groups():
    X = np.arange(6, dtype=np.float32)[:, None, None]
    whole = TrialDataset(X, np.arange(6), np.ones(6, np.float32), np.array(list("aabbcc")))
    part = whole.take(np.array([4, 1]))
    assert part.y.tolist() == [4, 1]
    assert part.groups.tolist() == ["c", "a"]
    assert part.trials.flatten().tolist() == [4, 1]
    assert len(part.sample_weight) == len(part) == 2
    assert part.labelled
    assert not TrialDataset(X).labelled
