"""Device names, thread counts and torch's generator."""

import platform
import subprocess
import sys
import textwrap
import threading

import pytest
import torch

from skeeg.estimators import _arithmetic
from skeeg.estimators._arithmetic import (
    arithmetic,
    fit_randomness,
    resolve_device,
    usable_device,
)


def test_auto_is_cuda_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == "cuda"
    assert resolve_device("cuda:1") == "cuda:1"
    with pytest.raises(ValueError, match="finds 2 usable"):
        resolve_device("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cpu:x", "", "cuda:-1"])
def test_unknown_device_raises_with_its_name(device):
    with pytest.raises(ValueError, match="device"):
        resolve_device(device)


def test_a_device_that_a_loaded_network_misses_becomes_the_cpu_with_a_warning(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(UserWarning, match="loaded on the CPU"):
        assert usable_device("cuda") == "cpu"


def test_threads_and_generator_are_put_back_after_an_error():
    threads, state = torch.get_num_threads(), torch.get_rng_state()

    def fail(compiled):
        with arithmetic("cpu", threads + 2), fit_randomness(0, "cpu", compiled=compiled):
            assert torch.get_num_threads() == threads + 2
            if compiled:
                torch.rand(3)
            raise ArithmeticError

    for compiled in (False, True):
        with pytest.raises(ArithmeticError):
            fail(compiled)
        assert torch.get_num_threads() == threads
        assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", ["foreign", "compiled"])
def test_a_seed_gives_one_stream_of_numbers(kind):
    drawn = []
    for seed in (5, 5, 6):
        with fit_randomness(seed, "cpu", **{kind: True}):
            drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("before", [False, True])
def test_denormals_count_as_zero_inside_only(before):
    def tiny():
        return (torch.tensor(1e-20) * 1e-20).item()

    torch.set_flush_denormal(before)
    try:
        outside = tiny()
        with arithmetic("cpu", 1):
            assert tiny() == 0
        assert tiny() == outside
        assert (outside == 0) == before
    finally:
        torch.set_flush_denormal(False)


def test_fits_of_compiled_networks_take_turns():
    inside, most = [], []

    def work():
        with fit_randomness(0, "cpu", compiled=True):
            inside.append(1)
            most.append(len(inside))
            torch.rand(1000)
            inside.pop()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert max(most) == 1
    assert _arithmetic._GLOBAL_GENERATOR.acquire(blocking=False)
    _arithmetic._GLOBAL_GENERATOR.release()


def test_a_forked_process_can_fit_while_the_lock_was_held():
    script = """
        import multiprocessing, threading
        from skeeg.estimators._arithmetic import fit_randomness

        def fit():
            with fit_randomness(0, "cpu", compiled=True):
                pass

        held, done = threading.Event(), threading.Event()
        def hold():
            with fit_randomness(0, "cpu", compiled=True):
                held.set()
                done.wait()

        threading.Thread(target=hold).start()
        held.wait()
        child = multiprocessing.get_context("fork").Process(target=fit)
        child.start()
        child.join(20)
        print(child.exitcode)
        child.kill()
        done.set()
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "0"


def test_worker_threads_of_torch_keep_denormal_numbers():
    script = """
        import torch
        from skeeg.estimators._arithmetic import arithmetic
        with arithmetic("cpu", 4):
            pass
        torch.set_num_threads(4)
        tiny = torch.full((2**20,), 1e-20) * 1e-20
        print(int((tiny == 0).sum()))
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "0"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how glibc keeps memory")
def test_a_batch_takes_the_memory_of_the_last_one():
    script = """
        import resource
        import numpy as np
        from skorch.callbacks import Callback
        from skeeg import ShallowConvNetClassifier

        class Faults(Callback):
            counts = []
            def on_epoch_end(self, net, **kwargs):
                self.counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

        X = np.random.default_rng(0).standard_normal((128, 2, 750)).astype(np.float32)
        classifier = ShallowConvNetClassifier(max_epochs=10, batch_size=64, callbacks=[Faults()])
        classifier.fit(X, np.arange(128) % 2)
        print(np.median(np.diff(Faults.counts)[4:]))
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert float(printed) < 100  # pages in two batches, each of which has maps of 1,800
