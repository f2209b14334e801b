"""Fits and predictions in several threads and in forked processes."""

import os
import pickle
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skeeg import (
    CCNNClassifier,
    CNNLSTMClassifier,
    EEGNetClassifier,
    ModuleClassifier,
    ShallowConvNetClassifier,
)

from .support import make, maps, oscillations

LONG = 60  # seconds after which a test that waits has failed


class Dropping(nn.Module):
    """Draws with torch's own dropout, between recurrent layers as well."""

    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__()
        self.recurrent = nn.LSTM(n_chans, 8, num_layers=2, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(8, n_outputs)

    def forward(self, x):
        return self.dense(self.dropout(self.recurrent(x.mT)[0][:, -1]))


ESTIMATORS = {
    "EEGNet": lambda **p: make(EEGNetClassifier, early_stopping=True, **p),
    "ShallowConvNet": lambda **p: make(ShallowConvNetClassifier, **p),
    "CCNN": lambda **p: make(CCNNClassifier, **p),
    "CNN-LSTM": lambda **p: make(CNNLSTMClassifier, **p),
    "dropout of torch": lambda **p: make(ModuleClassifier, module=Dropping, **p),
    "torch's loader": lambda **p: make(
        EEGNetClassifier, iterator_train=torch.utils.data.DataLoader, **p
    ),
    "selection": lambda **p: make(EEGNetClassifier, n_selected_chans=2, **p),
}


def trials(kind):
    return maps() if kind == "CCNN" else oscillations(n_times=160)


@pytest.fixture
def other_thread_draws():
    """A thread that draws from torch's and numpy's global generators all the time."""
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            torch.rand(3)
            torch.randperm(5)
            np.random.rand(3)  # noqa: NPY002

    worker = threading.Thread(target=draw)
    worker.start()
    yield
    stop.set()
    worker.join()


@pytest.mark.filterwarnings("ignore:The channel selection")
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_fits_in_four_threads_equal_those_in_one(kind, other_thread_draws):
    X, y = trials(kind)

    def fit(seed):
        return ESTIMATORS[kind](random_state=seed).fit(X, y).predict_proba(X)

    one_by_one = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(fit, range(4)))
    np.testing.assert_array_equal(at_once, one_by_one)
    assert len({proba.tobytes() for proba in one_by_one}) == 4


@pytest.mark.filterwarnings("ignore:The channel selection")
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_fits_in_threads_do_not_change_the_global_states(kind):
    X, y = trials(kind)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda seed: ESTIMATORS[kind](random_state=seed).fit(X, y), range(2)))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)
    assert torch.is_grad_enabled()
    assert (torch.tensor(1e-20) * 1e-20).item() != 0


class Waiting(Callback):
    """Keeps a fit in its first epoch until it is released."""

    def __init__(self):
        self.began, self.release = threading.Event(), threading.Event()

    def on_epoch_begin(self, net, **kwargs):
        self.began.set()
        assert self.release.wait(LONG)


@pytest.mark.parametrize("task", ["predict", "fit", "pickle"])
def test_no_operation_waits_for_the_fit_of_another_estimator(task):
    X, y = oscillations()
    other, waiting = make(EEGNetClassifier).fit(X, y), Waiting()
    expected = other.predict_proba(X)
    fitting = make(EEGNetClassifier, callbacks=[("waiting", waiting)])
    with ThreadPoolExecutor(2) as pool:
        fit = pool.submit(fitting.fit, X, y)
        try:
            assert waiting.began.wait(LONG)
            if task == "predict":
                found = pool.submit(other.predict_proba, X).result(LONG)
            elif task == "fit":
                found = pool.submit(lambda: other.fit(X, y).predict_proba(X)).result(LONG)
            else:
                found = pickle.loads(pickle.dumps(other)).predict_proba(X)
            assert not fit.done()
        finally:
            waiting.release.set()
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(fit.result(LONG).predict_proba(X), expected)


@pytest.mark.parametrize("work", ["predict with itself", "predict with another", "fit another"])
def test_callback_may_compute_in_a_thread_and_wait_for_it(work):
    X, y = oscillations()
    other = make(EEGNetClassifier).fit(X, y)

    class Computing(Callback):
        def on_epoch_end(self, net, dataset_train=None, **kwargs):
            works = {
                "predict with itself": lambda: net.predict_proba(X),
                "predict with another": lambda: other.predict_proba(X),
                "fit another": lambda: make(EEGNetClassifier).fit(X, y),
            }
            worker = threading.Thread(target=works[work], daemon=True)
            worker.start()
            worker.join(LONG)
            assert not worker.is_alive()

    estimator = make(EEGNetClassifier, callbacks=[Computing()]).fit(X, y)
    np.testing.assert_array_equal(estimator.predict_proba(X), other.predict_proba(X))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_process_fits_and_predicts_while_a_thread_of_its_parent_fits():
    script = """
        import multiprocessing, threading
        import numpy as np
        from skorch.callbacks import Callback
        from skeeg import EEGNetClassifier

        rng = np.random.default_rng(0)
        X, y = rng.standard_normal((24, 3, 96)), np.arange(24) % 2

        def make(**params):
            return EEGNetClassifier(max_epochs=2, batch_size=8, random_state=0, **params)

        def fit_and_predict(queue, fitted):
            queue.put((fitted.predict_proba(X), make().fit(X, y).predict_proba(X)))

        class Waiting(Callback):
            began, release = threading.Event(), threading.Event()
            def on_epoch_begin(self, net, **kwargs):
                self.began.set()
                self.release.wait()

        fitted = make().fit(X, y)
        expected = fitted.predict_proba(X)
        thread = threading.Thread(target=make(callbacks=[Waiting()]).fit, args=(X, y))
        thread.start()
        Waiting.began.wait()
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=fit_and_predict, args=(queue, fitted), daemon=True)
        child.start()
        try:
            for found in queue.get(timeout=60):
                np.testing.assert_array_equal(found, expected)
        finally:
            child.kill()
            Waiting.release.set()
            thread.join()
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)]
    subprocess.run(command, check=True, timeout=3 * LONG)
