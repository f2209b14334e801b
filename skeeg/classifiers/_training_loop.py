"""What skorch calls while it trains and predicts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit
from skorch.callbacks import Callback, EpochTimer, PassthroughScoring, PrintLog
from skorch.dataset import get_len

from .._validation import Unwrapped, check_X, scaled, unwrap
from ..layers.constraint import apply_max_norm
from ._arithmetic import resolve_device
from ._batches import BatchLoader, TrialDataset
from ._callbacks import EpochProgress
from ._parameters import FUSED, accepted_names, resolve_optimizer
from ._sklearn_net import SklearnNet

#: Trials in a batch of ``predict``; more would not be faster and would take more memory.
_PREDICT_BATCH = 128

#: Steps of an epoch with ``batch_size="auto"``, at least. Trials are few in the calibration of one
#: subject: as one batch they would be one step an epoch, and as batches of two or three their
#: batch statistics would be noise. So batches hold at least four, and are drawn more than once if
#: need be.
_FEWEST_STEPS = 12

#: Data of at most this many values are predicted trial by trial. The last bit of exp and log
#: depends on where a value stands in a tensor; alone, a trial has the same output in whatever
#: company it came, which costs nothing where data are this few.
_PREDICT_ALONE = 2**14

#: Bytes that may be kept of what networks compute of each trial once.
_PRECOMPUTED_AT_MOST = 2**30


class TrainingStopped(KeyboardInterrupt):
    """A callback ended the training, in the way skorch's callbacks do."""


class TrainingLoop(SklearnNet):
    """How every network classifier is built, fed with batches, and led through its epochs."""

    def initialize(self) -> Self:
        """Build the network, its loss and its optimiser; ``fit`` does this by itself.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the shape of the trials is not known yet: neither found by ``fit`` nor given as
            ``module__n_chans``, ``module__n_times``, ``module__n_outputs`` and the like.
        """
        self.device_ = resolve_device(self.device)
        self.initialized_ = False  # skorch would announce that it builds the network anew
        with self._skorch_sees_device():
            super().initialize()
        return self

    def _validate_params(self) -> None:
        """Do nothing: names are checked when they are set, values by ``_check_parameters``."""

    def check_data(self, X: Any, y: Any = None) -> None:
        """Do nothing: the gate has checked the data before skorch sees it."""

    def get_default_callbacks(self) -> list[tuple[str, Any]]:
        """Return the callbacks that run beside those of the ``callbacks`` parameter.

        Returns
        -------
        callbacks : list of (str, Callback)
        """
        callbacks: list[tuple[str, Any]] = [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("train_acc", PassthroughScoring("train_acc", lower_is_better=False, on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("valid_acc", PassthroughScoring("valid_acc", lower_is_better=False)),
        ]
        if self.early_stopping:
            stopping = self._early_stopping(
                patience=self.n_iter_no_change, load_best=True, sink=_write_nothing
            )
            callbacks.append(("early_stopping", stopping))
        callbacks.append(("progress", EpochProgress()))
        log = PrintLog() if self.verbose >= 2 else PrintLog(sink=_write_nothing)
        return [*callbacks, ("print_log", log)]

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return self.get_default_callbacks()

    def initialize_callbacks(self) -> Self:
        """Make the callbacks ready.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter ``callbacks__name`` names no callback.
        """
        super().initialize_callbacks()
        names = {name for name, _, _ in self._yield_callbacks()}
        for parameter in vars(self):
            name = parameter.removeprefix("callbacks__").partition("__")[0]
            if (
                parameter.startswith("callbacks__")
                and name not in names | dict(self.callbacks_).keys()
            ):
                raise ValueError(
                    f"{parameter} names no callback of this {type(self).__name__}; "
                    f"it has {', '.join(sorted(names))}."
                )
        return self

    def initialize_module(self) -> Self:
        """Build the network; a module given as an instance is copied, never trained itself.

        Returns
        -------
        self : object
        """
        params = self.get_params_for("module")
        if isinstance(self.module, torch.nn.Module) and not params:
            self.module_ = deepcopy(self.module)
        else:
            self.module_ = self._module_constructor()(**params)
        return self

    def _module_constructor(self) -> Any:
        return type(self.module) if isinstance(self.module, torch.nn.Module) else self.module

    def initialize_optimizer(self, triggered_directly: Any = None) -> Self:
        """Build the optimiser.

        Returns
        -------
        self : object
        """
        args, kwargs = self.get_params_for_optimizer("optimizer", self.get_all_learnable_params())
        kwargs.setdefault("weight_decay", self.weight_decay)
        make = resolve_optimizer(self.optimizer)
        if make in FUSED and not kwargs.keys() & {"foreach", "fused", "differentiable"}:
            kwargs["fused"] = True
        self.optimizer_ = make(*args, **kwargs)
        return self

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Return the arguments that a component of skorch is made with.

        Parameters
        ----------
        prefix : str
            Such as ``"module"``, which gets the network's hyper-parameters and, where its
            constructor names them, ``n_chans``, ``n_times`` (or ``n_bands``, ``height``,
            ``width``), ``n_outputs`` and ``sfreq``.

        Returns
        -------
        params : dict
        """
        explicit = super().get_params_for(prefix)
        if prefix == "module" and not isinstance(self.module, torch.nn.Module):
            return self._module_params(explicit) | explicit
        if prefix == "criterion" and isinstance(self.criterion, type):
            names = accepted_names(self.criterion)
            if names is None or "reduction" in names:
                # Losses are kept apart until each has its trial's weight.
                return {"reduction": "none"} | explicit
        return explicit

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        sizes = self._trial_axes.names
        shape = {*sizes, "n_outputs"}
        accepted = accepted_names(self.module)
        if accepted is None:  # it takes any argument
            accepted = shape
        found = {
            **{size: getattr(self, f"{size}_", None) for size in sizes},
            "n_outputs": len(self.classes_) if hasattr(self, "classes_") else None,
            "sfreq": getattr(self, "sfreq_", None),
        }
        known = {name: value for name, value in found.items() if value is not None}
        missing = sorted(shape & accepted - known.keys() - explicit.keys())
        if missing:
            raise ValueError(
                f"The shape of the trials is not known before fit: {', '.join(missing)}. "
                f"Call fit, or give them as {', '.join(f'module__{name}' for name in missing)}."
            )
        return {name: value for name, value in known.items() if name in accepted} | {
            name: getattr(self, name) for name in self._network_param_names()
        }

    def _unwrapped(self, X: Any, *, reset: bool) -> Unwrapped:
        """Take the trials out of what a user passed to `fit`, with ``reset``, or to `predict`."""
        return unwrap(X)

    def _for_messages(self, trials: Unwrapped) -> dict[str, Any]:
        """Return what the gate must know to say where in the trials something is wrong."""
        return {
            "name": type(self).__name__,
            "ch_names": trials.ch_names or self.ch_names_,
            "axes": self._trial_axes,
        }

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return trials as torch sees them; what is not yet checked passes the gate.

        Parameters
        ----------
        X : TrialDataset, torch.utils.data.Dataset or as in ``predict``
        y : None
            Labels reach the network through ``fit`` only.

        Returns
        -------
        dataset : torch.utils.data.Dataset
        """
        if is_gated(X):
            return X
        trials = self._unwrapped(X, reset=False)
        checked = check_X(self, trials, reset=False, axes=self._trial_axes)
        return TrialDataset(
            scaled(checked, self.scale_, **self._for_messages(trials), rounded=True)
        )

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Divide the training data into a part to learn from and a part to validate on.

        Parameters
        ----------
        X : TrialDataset
        y : None

        Returns
        -------
        training, validation : TrialDataset
            The latter None without ``early_stopping``.
        """
        training, validation = X, None
        if not self.train_split and self.early_stopping:
            train, valid = self._validation_split(X.y.numpy(), X.groups)
            training, validation = X.take(train), X.take(valid)
        training.precomputed = self._precompute(training.trials)
        if self.train_split:  # its parts refer to X
            return self.train_split(X, X.y.numpy())
        return training, validation

    def _validation_split(
        self, y: NDArray[np.int64], groups: NDArray[Any] | None
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Split trials, stratified, and never within a group."""
        # Inside a fit torch's generator is the estimator's own stream.
        seed = int(torch.randint(2**31 - 1, ()))
        if groups is None:
            try:
                split = StratifiedShuffleSplit(
                    1, test_size=self.validation_fraction, random_state=seed
                )
                return next(split.split(y, y))
            except ValueError as error:
                raise ValueError(
                    f"early_stopping needs a validation split of {self.validation_fraction:g} of "
                    f"the {len(y)} trials with every class on both sides: {error} "
                    "Give more trials, another validation_fraction, or early_stopping=False."
                ) from error
        n_groups = len(np.unique(groups))
        n_splits = min(max(2, round(1 / self.validation_fraction)), n_groups)
        if n_groups >= 2:
            folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
            n_classes = len(np.unique(y))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a class rarer than n_splits
                for train, valid in folds.split(y, y, groups):
                    if len(valid) and len(np.unique(y[train])) == n_classes:
                        return train, valid
        raise ValueError(
            f"early_stopping cannot split {n_groups} groups into training and validation without "
            "dividing a group or losing a class from training. Give more groups, or "
            "early_stopping=False."
        )

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Return an iterator over batches.

        Parameters
        ----------
        dataset : TrialDataset
        training : bool
            Whether batches are drawn in a new order each epoch.

        Returns
        -------
        iterator : iterable of (X, y)
        """
        make = self.iterator_train if training else self.iterator_valid
        options = self.get_params_for("iterator_train" if training else "iterator_valid")
        options.setdefault("batch_size", self._batch_size(dataset, training))
        if training and self.batch_size == "auto" and make is BatchLoader:
            options.setdefault(
                "n_passes", -(-_FEWEST_STEPS * options["batch_size"] // len(dataset))
            )
        if training and not options.keys() & {"sampler", "batch_sampler"}:
            options.setdefault("shuffle", True)
        return make(dataset, **options)

    def _batch_size(self, dataset: Any, training: bool) -> int:
        n_trials = len(dataset)
        if not training:
            alone = isinstance(dataset, TrialDataset) and not dataset.labelled
            return 1 if alone and dataset.trials.numel() <= _PREDICT_ALONE else _PREDICT_BATCH
        if self.batch_size == -1:
            return n_trials
        if self.batch_size == "auto":
            return min(n_trials, max(4, min(64, n_trials // _FEWEST_STEPS)))
        if int(self.batch_size) > n_trials:
            warnings.warn(
                f"batch_size {self.batch_size} is larger than the {n_trials} training trials; "
                "each epoch is one step on all of them.",
                stacklevel=2,
            )
            return n_trials
        return int(self.batch_size)

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Return the network's output for a batch.

        Parameters
        ----------
        x : torch.Tensor or mapping with ``X``
            As the data set gives it.

        Returns
        -------
        output : torch.Tensor, shape (n_trials, n_outputs)
        """
        if isinstance(x, Mapping):
            known = x.get("precomputed", {}).items()
            fit_params |= {name: rows.to(self.device_) for name, rows in known}
            x = x["X"]
        return self.module_(torch.as_tensor(x, device=self.device_), **fit_params)

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Any:
        """Return the mean of the trials' losses, each times its trial's weight.

        Weights have mean one over the training set, so the steps are unbiased whatever the batch.

        Parameters
        ----------
        y_pred : torch.Tensor, shape (n_trials, n_outputs)
        y_true : torch.Tensor, shape (n_trials,)
        X : torch.Tensor or mapping with ``sample_weight``
        training : bool

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        loss = super().get_loss(y_pred, y_true.to(self.device_), X=X, training=training)
        if not isinstance(X, Mapping) or "sample_weight" not in X:
            return loss.mean()
        if loss.ndim == 0:
            raise ValueError(
                "sample_weight and class_weight need a criterion that returns one loss per trial; "
                'pass it as a class, or as an instance with reduction="none".'
            )
        return (loss * X["sample_weight"].to(self.device_)).mean()

    def _set_training(self, training: bool = True) -> None:
        # skorch walks through all layers at every step; they need that once an epoch.
        if self.module_.training != training:
            super()._set_training(training)

    def _step_optimizer(self, step_fn: Any) -> None:
        super()._step_optimizer(step_fn)
        apply_max_norm(self.module_)

    def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **kw: Any) -> None:
        """Record the accuracy of a batch from the outputs that its loss was computed from."""
        X, y = batch
        correct = kw["y_pred"].detach().argmax(dim=1) == y.to(self.device_)
        name = "train_acc" if training else "valid_acc"
        self.history.record_batch(name, correct.sum().item() / get_len(X))

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call all callbacks; one that ends the training is told apart from a user's Ctrl-C.

        Parameters
        ----------
        method_name : str
            Such as ``"on_epoch_end"``.
        **cb_kwargs
            What the callbacks get.
        """
        try:
            getattr(self, method_name)(self, **cb_kwargs)
            for _, callback in self.callbacks_:
                # Three events a step and a dozen callbacks that mind none of them add up.
                if getattr(type(callback), method_name) is not getattr(Callback, method_name):
                    getattr(callback, method_name)(self, **cb_kwargs)
        except KeyboardInterrupt as stop:
            raise TrainingStopped from stop

    def load_params(self, *args: Any, **kwargs: Any) -> None:
        """Load weights that ``save_params`` wrote into a network of the same shape.

        Parameters
        ----------
        *args, **kwargs
            As in ``skorch.NeuralNet.load_params``.
        """
        with self._skorch_sees_device():
            super().load_params(*args, **kwargs)

    @contextmanager
    def _skorch_sees_device(self) -> Iterator[None]:
        """Let skorch, which reads ``device`` itself, find the device that it means here."""
        parameter = self.device
        self.device = getattr(self, "device_", None) or resolve_device(parameter)
        try:
            yield
        finally:
            self.device = parameter

    @torch.no_grad()
    def _precompute(self, trials: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return what the network computes of each trial once, if it comes back in epochs.

        Networks offer that as a method ``precompute_trials``, whose results are further arguments
        of their ``forward``.
        """
        precompute = getattr(self.module_, "precompute_trials", None)
        if precompute is None or self.max_epochs == 1:
            return {}
        parts: list[dict[str, torch.Tensor]] = []
        for part in trials.split(_PREDICT_BATCH):
            rows = precompute(part.to(self.device_))
            parts.append({name: values.cpu() for name, values in rows.items()})
            per_trial = sum(values[0].nbytes for values in parts[0].values())
            if per_trial * len(trials) > _PRECOMPUTED_AT_MOST:
                return {}
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def is_gated(X: Any) -> bool:
    """Whether trials have passed the gate, as what skorch hands to its callbacks has."""
    return isinstance(X, torch.utils.data.Dataset)


def _write_nothing(*args: Any, **kwargs: Any) -> None:
    """Take the place of ``print`` in callbacks that would write to the terminal."""
