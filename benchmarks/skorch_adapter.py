"""The pytest plugin of ``skorch_suite.py``, which gives skorch's tests the estimators of skeeg.

skorch's tests import the class that they test from skorch. The plugin puts a subclass of the
skeeg class for the same task in its place, and writes the outcome of each test to a JSON file.
The subclass translates how skorch's tests call an estimator:

* ``module`` may be positional, and a parameter that is not given has skorch's default;
* the seed is drawn from torch's global generator, from which skorch takes all random numbers;
* ``X`` of shape (n_trials, n_features), one channel in skeeg, reaches the network in that shape;
* most networks of the tests end in a softmax, and skorch takes its logarithm for
  ``torch.nn.NLLLoss``. skeeg's networks return logits or log-probabilities, so it is taken here.

It adds no method, attribute or parameter.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import time
import types
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any

import pytest
import skorch
import skorch.classifier
import skorch.regressor
import torch
from skorch.dataset import ValidSplit

#: The skeeg class for each class of skorch; None where skeeg has no such estimator.
COUNTERPARTS = {
    "NeuralNetClassifier": "ModuleClassifier",
    "NeuralNetRegressor": "ModuleRegressor",
    "NeuralNetBinaryClassifier": None,
}

#: skorch's defaults for parameters that skeeg has as well.
DEFAULTS: dict[str, Any] = {
    "optimizer": torch.optim.SGD,
    "lr": 0.01,
    "max_epochs": 10,
    "batch_size": 128,
    "device": "cpu",
    "verbose": 2,  # prints a line for each epoch, as 1 does in skorch
}
TASK_DEFAULTS: dict[str, dict[str, Any]] = {
    "NeuralNetClassifier": {
        "criterion": torch.nn.NLLLoss,
        "train_split": ValidSplit(5, stratified=True),
    },
    "NeuralNetRegressor": {"criterion": torch.nn.MSELoss, "train_split": ValidSplit(5)},
}


@cache
def adapter(name: str) -> Any:
    """Return what takes the place of a skorch class.

    Parameters
    ----------
    name : str
        A key of `COUNTERPARTS`.

    Returns
    -------
    adapter : type or callable
        A subclass of the skeeg class, or a function that skips the test that calls it.
    """
    estimator = getattr(importlib.import_module("skeeg"), COUNTERPARTS[name] or "", None)
    if estimator is None:
        return _skip_for(name)
    defaults = DEFAULTS | TASK_DEFAULTS[name]

    @wraps(estimator.__init__)  # scikit-learn reads the parameters from the signature
    def __init__(self: Any, module: Any, **params: Any) -> None:
        seed = int(torch.randint(2**31, ()))
        estimator.__init__(self, module=module, **(defaults | {"random_state": seed} | params))

    def infer(self: Any, x: Any, **fit_params: Any) -> Any:
        output = estimator.infer(self, _without_channel_axis(x), **fit_params)
        criterion = getattr(self, "criterion_", None)
        return _logarithm(output) if isinstance(criterion, torch.nn.NLLLoss) else output

    return type(name, (estimator,), {"__init__": __init__, "infer": infer, "__module__": __name__})


def _skip_for(name: str) -> Callable[..., None]:
    def skip(*args: Any, **kwargs: Any) -> None:
        pytest.skip(f"skeeg has no counterpart of {name}.")

    return skip


def _without_channel_axis(x: Any) -> Any:
    """Return a batch of one-channel trials with shape (n_trials, n_features)."""
    if isinstance(x, Mapping) and "X" in x:
        return {**x, "X": _without_channel_axis(x["X"])}
    if torch.is_tensor(x) and x.ndim == 3 and x.shape[1] == 1:
        return x[:, 0]
    return x


def _logarithm(output: Any) -> Any:
    """Return log-probabilities where the first output of a network is probabilities."""
    if isinstance(output, tuple):
        return (_logarithm(output[0]), *output[1:])
    total = output.sum(dim=-1)
    if bool((output < 0).any()) or not torch.allclose(total, torch.ones_like(total)):
        return output
    return torch.log(output + torch.finfo(output.dtype).eps)


def __getattr__(name: str) -> Any:
    """Return an adapter, which a pickle looks up in its module by name."""
    if name in COUNTERPARTS:
        return adapter(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# ---------------------------------------------------------------------- pytest's hooks


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the file of outcomes."""
    parser.addoption("--outcomes", type=Path, required=True, help="JSON file to write")


def pytest_configure(config: pytest.Config) -> None:
    """Put the adapters in the place of skorch's classes."""
    config.pluginmanager.register(Outcomes(config.getoption("outcomes")))
    for name in COUNTERPARTS:
        for home in (skorch, skorch.classifier, skorch.regressor):
            if hasattr(home, name):
                setattr(home, name, adapter(name))
    flaky: Any = types.ModuleType("flaky")
    flaky.flaky = repeated
    sys.modules["flaky"] = flaky


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs safetensors where it is not installed."""
    if importlib.util.find_spec("safetensors") is not None:
        return
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if "safetensors" in item.name or params.get("use_safetensors"):
            item.add_marker(pytest.mark.skip(reason="safetensors is not installed."))


def repeated(max_runs: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a test fail up to ``max_runs - 1`` times.

    In the place of the decorator of the package flaky, which need not be installed. The one test
    that it is for takes its seed from the time in seconds, so that an attempt must wait for one.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            for _ in range(max_runs - 1):
                try:
                    return test(*args, **kwargs)
                except AssertionError:
                    time.sleep(1)
            return test(*args, **kwargs)

        return run

    return decorate


class Outcomes:
    """Collect the outcome of each test.

    Parameters
    ----------
    path : Path
        Where to write them, by the identifiers of the tests.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, tuple[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first phase of a test that did not pass, or that it passed."""
        outcome, _ = self.outcomes.setdefault(report.nodeid, ("passed", ""))
        if outcome != "passed" or report.passed:
            return
        in_fixture = report.failed and report.when != "call"
        self.outcomes[report.nodeid] = (
            "error" if in_fixture else report.outcome,
            _message(report.longrepr),
        )

    def pytest_sessionfinish(self) -> None:
        """Write the outcomes."""
        self.path.write_text(json.dumps(self.outcomes, indent=1))


def _message(longrepr: Any) -> str:
    if isinstance(longrepr, tuple):  # file, line and reason of a skipped test
        return str(longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(longrepr, "reprcrash", None)
    return crash.message if crash else str(longrepr)
