"""Folds of a comparison use one thread of BLAS and OpenMP each, wherever they run."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from skeeg import compare

cloudpickle.register_pickle_by_value(sys.modules[__name__])


def n_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {
        f"{pool['user_api']} {Path(pool['filepath']).name}": pool["num_threads"]
        for pool in threadpool_info()
    }


class CountsThreads(DummyClassifier):
    """Predicts at random, and writes the numbers of threads during ``fit`` into a folder."""

    def __init__(self, folder, strategy="stratified", random_state=None):
        super().__init__(strategy=strategy, random_state=random_state)
        self.folder = folder

    def fit(self, X, y):
        (Path(self.folder) / uuid.uuid4().hex).write_text(json.dumps(n_threads()))
        return super().fit(np.asarray(X), y)


@pytest.mark.parametrize(("backend", "n_jobs"), [("loky", 1), ("loky", 2), ("threading", 3)])
def test_each_fold_uses_one_thread_and_the_setting_is_restored(
    backend, n_jobs, make_data, tmp_path
):
    data = make_data(n_subjects=4)
    with threadpool_limits(3):
        before = n_threads()
        with joblib.parallel_config(backend=backend, inner_max_num_threads=None):
            compare(
                {"a": CountsThreads(tmp_path)},
                data,
                cv="cross-subject",
                n_jobs=n_jobs,
                random_state=0,
                progress=False,
            )
        assert n_threads() == before
    assert 3 in before.values()
    counted = [json.loads(file.read_text()) for file in tmp_path.iterdir()]
    assert len(counted) == 4
    for of_fold in counted:
        assert of_fold
        assert set(of_fold.values()) == {1}
