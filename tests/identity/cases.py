"""Values in versions that a key must tell apart, printed as keys by a process of its own."""

# ruff: noqa: E501

from __future__ import annotations

import functools
import json
import sys
import types

import numpy as np
import pandas as pd
import scipy.stats
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skeeg import EEGData, EEGNetClassifier, ModuleClassifier
from skeeg._identity import Cloned, identify
from skeeg.augmentation import TimeShift

X = np.arange(24.0).reshape(12, 2)
Y = np.arange(12) % 2
TRIALS = np.arange(96, dtype=np.float32).reshape(4, 3, 8)


def made(source, name="value", **namespace):
    """Run source text that no file has, as a notebook does, and return what it defines."""
    space = {"np": np, "torch": torch, "nn": torch.nn, "functools": functools, **namespace}
    space |= {"BaseEstimator": BaseEstimator, "ClassifierMixin": ClassifierMixin}
    space["__name__"] = "__main__"
    exec(source, space)
    return space[name]


def step(function):
    return Cloned(FunctionTransformer(function))


def of_source(source, **namespace):
    return step(made(source, **namespace))


def adder(amount):
    def add(X):
        return X + amount

    return add


def decorated(factor):
    def decorate(function):
        @functools.wraps(function)
        def scaled(X):
            return factor * function(X)

        return scaled

    return decorate


def plain(X):
    return X


class Holder:
    def __init__(self, amount):
        self.amount = amount

    def add(self, X):
        return X + self.amount


def network(slope, width=4):
    class Net(torch.nn.Sequential):
        def __init__(self, n_chans, n_times, n_outputs):
            super().__init__(
                torch.nn.Flatten(),
                torch.nn.Linear(n_chans * n_times, width),
                torch.nn.LeakyReLU(slope),
                torch.nn.Linear(width, n_outputs),
            )

    return Net


def instance(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 2))


FORWARD = """
class Block(nn.Module):
    def forward(self, x):
        return {block}
class value(nn.Module):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__()
        self.block, self.linear = Block(), nn.Linear(n_chans * n_times, n_outputs)
    def forward(self, x):
        return self.linear(self.block(x).flatten(1)){end}
"""

ESTIMATOR = """
RATE = {rate}
def helper(X):
    return X * {factor}
class Base:
    gain = {gain}
    def scale(self, X):
        return X * {scale}
class value(ClassifierMixin, Base, BaseEstimator):
    def fit(self, X, y):
        self.mean_ = helper(self.scale(X)).mean() * RATE
        return self
"""


def own(**changes):
    values = {"rate": 1, "factor": 1, "gain": 1, "scale": 1} | changes
    return Cloned(made(ESTIMATOR.format(**values))())


def module(body, use):
    """Return a function that uses a module of the user that is not installed."""
    lab = types.ModuleType("a_lab_module")
    lab.__file__ = "/nowhere/a_lab_module.py"
    exec(body, vars(lab))
    sys.modules["a_lab_module"] = lab
    return made(use, lab=lab)


def generator(draws):
    made = torch.Generator().manual_seed(3)
    for _ in range(draws):
        torch.rand(1, generator=made)
    return made


def random_state(draws):
    made = np.random.RandomState(0)
    made.rand(draws)
    return made


def data(**changes):
    values = {"X": TRIALS, "y": [0, 1, 0, 1], "sfreq": 8, "ch_names": ["A", "B", "C"]} | changes
    return EEGData.from_arrays(**values, **({"subject": 1} if "subject" not in changes else {}))


def with_function_state(value):
    function = adder(1)
    function.level = value
    return function


def with_set_output(kind):
    return StandardScaler().set_output(transform=kind)


def frame(**changes):
    columns = {"a": [1, 2], "b": ["x", "y"]} | changes
    return pd.DataFrame(columns)


def fitted(C, y=Y):
    return LogisticRegression(C=C).fit(X, y)


def fitted_network(seed):
    net = EEGNetClassifier(max_epochs=1, kernel_length=2, random_state=seed, device="cpu")
    return net.fit(TRIALS, [0, 1, 0, 1])


LAMBDAS = [lambda X: X + 1, lambda X: X + 2]
LAB = "def f(X):\n    return X * {n}\ndef g(X):\n    return X"

#: For each name, functions that return versions whose keys all differ.
CHANGES = {
    # fitted state
    "frozen": [lambda: Cloned(FrozenEstimator(fitted(1))), lambda: Cloned(FrozenEstimator(fitted(9)))],
    "frozen labels": [lambda: Cloned(FrozenEstimator(fitted(1))), lambda: Cloned(FrozenEstimator(fitted(1, 1 - Y)))],
    "frozen in a pipeline": [lambda: Cloned(make_pipeline(FrozenEstimator(StandardScaler().fit(X)), SVC())), lambda: Cloned(make_pipeline(FrozenEstimator(StandardScaler().fit(2 * X)), SVC()))],
    "frozen network": [lambda: Cloned(FrozenEstimator(fitted_network(0))), lambda: Cloned(FrozenEstimator(fitted_network(1)))],
    "method of a fitted estimator": [lambda: step(StandardScaler().fit(X).transform), lambda: step(StandardScaler().fit(X + 1).transform)],
    "swapped pair": [lambda: [fitted(1), fitted(9)], lambda: [fitted(9), fitted(1)]],
    # functions
    "closure": [lambda: step(adder(1)), lambda: step(adder(2))],
    "closure of an array": [lambda: step(adder(np.ones(2))), lambda: step(adder(np.zeros(2)))],
    "closure of a function": [lambda: step(adder(LAMBDAS[0])), lambda: step(adder(LAMBDAS[1]))],
    "defaults": [lambda: of_source("def value(X, a=1):\n    return X + a"), lambda: of_source("def value(X, a=2):\n    return X + a")],
    "keyword defaults": [lambda: of_source("def value(X, *, a=1):\n    return X + a"), lambda: of_source("def value(X, *, a=2):\n    return X + a")],
    "mutable default": [lambda: of_source("def value(X, a=[1]):\n    return X + a[0]"), lambda: of_source("def value(X, a=[2]):\n    return X + a[0]")],
    "partial": [lambda: step(functools.partial(np.multiply, 2)), lambda: step(functools.partial(np.multiply, 3))],
    "partial keyword": [lambda: step(functools.partial(plain, X=2)), lambda: step(functools.partial(plain, X=3))],
    "partial function": [lambda: step(functools.partial(np.multiply, 2)), lambda: step(functools.partial(np.add, 2))],
    "lambdas of a line": [lambda: step(LAMBDAS[0]), lambda: step(LAMBDAS[1])],
    "lambda names": [lambda: of_source("value = lambda X: np.sin(X)"), lambda: of_source("value = lambda X: np.cos(X)")],
    "bound method": [lambda: step(Holder(1).add), lambda: step(Holder(2).add)],
    "decorator": [lambda: step(decorated(2)(plain)), lambda: step(decorated(3)(plain))],
    "decorated function": [lambda: step(decorated(2)(plain)), lambda: step(decorated(2)(adder(0)))],
    "decorated at all": [lambda: step(plain), lambda: step(decorated(1)(plain))],
    "cached function": [lambda: step(functools.cache(adder(1))), lambda: step(functools.cache(adder(2)))],
    "attribute of a function": [lambda: step(with_function_state(1)), lambda: step(with_function_state(2))],
    "nested function": [lambda: of_source("def value(X):\n    def f(a):\n        return a + 1\n    return f(X)"), lambda: of_source("def value(X):\n    def f(a):\n        return a + 2\n    return f(X)")],
    "constant in a tuple": [lambda: of_source("def value(X):\n    return X in (1, (2, 3))"), lambda: of_source("def value(X):\n    return X in (1, (2, 4))")],
    "constant in a set": [lambda: of_source("def value(X):\n    return X in {1, 2}"), lambda: of_source("def value(X):\n    return X in {1, 3}")],
    "type of a constant": [lambda: of_source("def value(X):\n    return X + 1"), lambda: of_source("def value(X):\n    return X + 1.0"), lambda: of_source("def value(X):\n    return X + True")],
    "sign of zero": [lambda: of_source("def value(X):\n    return X * 0.0"), lambda: of_source("def value(X):\n    return X * -0.0")],
    "exception handler": [lambda: of_source("def value(X):\n    try:\n        return X.a\n    except KeyError:\n        return 0"), lambda: of_source("def value(X):\n    try:\n        return X.a\n    except ValueError:\n        return 0")],
    "global constant": [lambda: of_source("A = 1\ndef value(X):\n    return X + A"), lambda: of_source("A = 2\ndef value(X):\n    return X + A")],
    "global array": [lambda: of_source("A = np.ones(3)\ndef value(X):\n    return X + A"), lambda: of_source("A = np.zeros(3)\ndef value(X):\n    return X + A")],
    "global of a helper": [lambda: of_source("A = 1\ndef h():\n    return A\ndef value(X):\n    return X + h()"), lambda: of_source("A = 2\ndef h():\n    return A\ndef value(X):\n    return X + h()")],
    "mutual recursion": [lambda: of_source("def f(X):\n    return value(X) + 1\ndef value(X):\n    return f(X)"), lambda: of_source("def f(X):\n    return value(X) + 2\ndef value(X):\n    return f(X)")],
    "module of the user": [lambda: step(module(LAB.format(n=2), "def value(X):\n    return lab.f(X)")), lambda: step(module(LAB.format(n=3), "def value(X):\n    return lab.f(X)"))],
    "module by getattr": [lambda: step(module(LAB.format(n=2), "def value(X):\n    return getattr(lab, 'f')(X)")), lambda: step(module(LAB.format(n=3), "def value(X):\n    return getattr(lab, 'f')(X)"))],
    "import in a function": [lambda: step(module(LAB.format(n=2), "def value(X):\n    from a_lab_module import f\n    return f(X)")), lambda: step(module(LAB.format(n=3), "def value(X):\n    from a_lab_module import f\n    return f(X)"))],
    # classes, all without source text
    "method": [lambda: own(), lambda: of_estimator_with_another_fit()],
    "helper of a class": [lambda: own(), lambda: own(factor=2)],
    "base of a class": [lambda: own(), lambda: own(scale=2)],
    "attribute of a base": [lambda: own(), lambda: own(gain=2)],
    "module constant": [lambda: own(), lambda: own(rate=2)],
    "forward": [lambda: Cloned(ModuleClassifier(module=made(FORWARD.format(block="x", end="")))), lambda: Cloned(ModuleClassifier(module=made(FORWARD.format(block="x", end=" * 2"))))],
    "building block": [lambda: Cloned(ModuleClassifier(module=made(FORWARD.format(block="x", end="")))), lambda: Cloned(ModuleClassifier(module=made(FORWARD.format(block="x.relu()", end=""))))],
    "closure of a class": [lambda: Cloned(ModuleClassifier(module=network(0.1))), lambda: Cloned(ModuleClassifier(module=network(0.2)))],
    "weights": [lambda: Cloned(ModuleClassifier(module=instance(0))), lambda: Cloned(ModuleClassifier(module=instance(1)))],
    "layer": [lambda: torch.nn.LeakyReLU(0.1), lambda: torch.nn.LeakyReLU(0.2), lambda: torch.nn.ELU(0.1)],
    "buffer": [lambda: torch.nn.BatchNorm1d(2), lambda: torch.nn.BatchNorm1d(2, momentum=0.2)],
    "property": [lambda: made("class value:\n    @property\n    def a(self):\n        return 1"), lambda: made("class value:\n    @property\n    def a(self):\n        return 2")],
    "class method": [lambda: made("class value:\n    @classmethod\n    def a(cls):\n        return 1"), lambda: made("class value:\n    @classmethod\n    def a(cls):\n        return 2"), lambda: made("class value:\n    @staticmethod\n    def a(cls):\n        return 2")],
    "metaclass": [lambda: made("class M(type):\n    a = 1\nclass value(metaclass=M):\n    pass"), lambda: made("class M(type):\n    a = 2\nclass value(metaclass=M):\n    pass")],
    "order of bases": [lambda: made("class A:\n    pass\nclass B:\n    pass\nclass value(A, B):\n    pass"), lambda: made("class A:\n    pass\nclass B:\n    pass\nclass value(B, A):\n    pass")],
    # parameters
    "parameter": [lambda: Cloned(SVC()), lambda: Cloned(SVC(C=2)), lambda: Cloned(SVC(C=2.0)), lambda: Cloned(SVC(C=np.float32(2)))],
    "class of an estimator": [lambda: Cloned(StandardScaler()), lambda: Cloned(LogisticRegression())],
    "output container": [lambda: Cloned(with_set_output("pandas")), lambda: Cloned(with_set_output("default"))],
    "metadata request": [lambda: Cloned(SVC()), lambda: Cloned(SVC())],
    "splitter": [lambda: Cloned(GridSearchCV(SVC(), {}, cv=KFold(3))), lambda: Cloned(GridSearchCV(SVC(), {}, cv=KFold(4)))],
    "activation": [lambda: Cloned(EEGNetClassifier(activation="elu")), lambda: Cloned(EEGNetClassifier(activation="relu"))],
    "augmentation": [lambda: Cloned(EEGNetClassifier(augment=["mixup", TimeShift(0.1)])), lambda: Cloned(EEGNetClassifier(augment=["mixup", TimeShift(0.2)])), lambda: Cloned(EEGNetClassifier(augment=[TimeShift(0.2), "mixup"])), lambda: Cloned(EEGNetClassifier())],
    "seed": [lambda: Cloned(EEGNetClassifier(random_state=0)), lambda: Cloned(EEGNetClassifier(random_state=1))],
    "state of RandomState": [lambda: Cloned(SVC(random_state=random_state(0))), lambda: Cloned(SVC(random_state=random_state(3)))],
    "state of torch.Generator": [lambda: generator(0), lambda: generator(1)],
    "state of Generator": [lambda: np.random.default_rng(0), lambda: np.random.default_rng(1)],
    "distribution": [lambda: scipy.stats.uniform(0, 1), lambda: scipy.stats.uniform(0, 2), lambda: scipy.stats.norm(0, 2)],
    # data
    "values": [lambda: X, lambda: X + 1],
    "dtype": [lambda: X.astype("<i8"), lambda: X.astype("<i8").view("<f8"), lambda: X.astype("<u8")],
    "byte order": [lambda: X, lambda: X.astype(">f8"), lambda: X.view(">f8")],
    "shape": [lambda: X, lambda: X.reshape(2, 12)],
    "order in memory": [lambda: X, lambda: np.asfortranarray(X)],
    "objects": [lambda: np.array([1, "a"], object), lambda: np.array([1, "b"], object)],
    "trials": [lambda: data(), lambda: data(X=TRIALS + 1)],
    "labels": [lambda: data(), lambda: data(y=[1, 0, 0, 1]), lambda: data(y=["0", "1", "0", "1"])],
    "sampling rate": [lambda: data(), lambda: data(sfreq=16)],
    "names of channels": [lambda: data(), lambda: data(ch_names=["A", "C", "B"])],
    "metadata": [lambda: data(), lambda: data(subject=2), lambda: data(run=1)],
    "tensor": [lambda: torch.ones(2), lambda: torch.zeros(2), lambda: torch.ones(2).double(), lambda: torch.ones(2, 1)],
    "table": [lambda: frame(), lambda: frame(a=[1, 3]), lambda: frame(a=[1.0, 2.0]), lambda: frame(b=["x", None])],
    "categories": [lambda: frame(b=pd.Categorical(["x", "y"])), lambda: frame(b=pd.Categorical(["x", "y"], ["y", "x"])), lambda: frame(b=pd.Categorical(["x", "y"], ordered=True))],
}  # fmt: skip


def of_estimator_with_another_fit():
    source = ESTIMATOR.format(rate=1, factor=1, gain=1, scale=1)
    return Cloned(made(source.replace(".mean()", ".sum()"))())


CHANGES["metadata request"][1] = lambda: Cloned(requesting(SVC()))


def requesting(estimator):
    from sklearn import config_context

    with config_context(enable_metadata_routing=True):
        return estimator.set_fit_request(sample_weight=True)


def search(**options):
    return GridSearchCV(SVC(), {"C": [1, 2]}, **options)


#: Values with one key, in this process and in any other.
SAME = {
    "verbose": [lambda: Cloned(EEGNetClassifier()), lambda: Cloned(EEGNetClassifier(verbose=2))],
    "device": [lambda: Cloned(EEGNetClassifier(device="cpu")), lambda: Cloned(EEGNetClassifier(device="auto" if not torch.cuda.is_available() else "cpu"))],
    "n_jobs": [lambda: Cloned(RandomForestClassifier()), lambda: Cloned(RandomForestClassifier(n_jobs=2, verbose=1))],
    "search": [lambda: Cloned(search()), lambda: Cloned(search(n_jobs=2, verbose=3))],
    "memory": [lambda: Cloned(make_pipeline(SVC())), lambda: Cloned(make_pipeline(SVC(), memory="folder", verbose=True))],
    "fitted or not": [lambda: Cloned(LogisticRegression()), lambda: Cloned(LogisticRegression().fit(X, Y))],
    "network fitted twice": [lambda: Cloned(FrozenEstimator(fitted_network(0)))] * 2,
    "module instance": [lambda: Cloned(ModuleClassifier(module=instance(0)))] * 2,
    "place in the source": [lambda: of_source("def value(X):\n    return X"), lambda: of_source("\n\n# comment\ndef value(X):\n\n    return X  # more")],
    "copy of an array": [lambda: X, lambda: X[::1].copy(), lambda: np.repeat(X, 2, axis=0)[::2]],
    "helper defined elsewhere": [lambda: own(), lambda: own()],
    "sets": [lambda: {"a", "b", "c", "d", "e", "f"}, lambda: {"f", "e", "d", "c", "b", "a"}],
}  # fmt: skip


def keys():
    for table in (CHANGES, SAME):
        yield {name: [identify(make()) for make in versions] for name, versions in table.items()}


if __name__ == "__main__":
    json.dump(list(keys()), sys.stdout)
