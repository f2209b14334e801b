"""The estimator contract: skorch's training loop behind scikit-learn's conventions."""

from __future__ import annotations

import inspect
import numbers
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, EpochTimer, PassthroughScoring, PrintLog
from skorch.dataset import get_len
from torch.nn.utils.parametrize import is_parametrized

from .._labelled import LabelledRows
from .._validation import (
    SIGNALS,
    TrialAxes,
    Unwrapped,
    check_X,
    check_X_y,
    scaled,
    standard_deviation,
    unwrap,
)
from ..layers.constraint import apply_max_norm
from ._arithmetic import arithmetic, moved, resolve_device, usable_device
from ._batches import BatchLoader, TrialDataset
from ._callbacks import EpochProgress
from ._parameters import (
    FUSED,
    accepted_names,
    check_number,
    is_skorch_name,
    resolve_optimizer,
    unknown_name_message,
)

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

_FITTED_COMPONENTS = ("module_", "criterion_", "optimizer_")


class _TrainingStopped(KeyboardInterrupt):
    """A callback ended the training, in the way skorch's callbacks do."""


class NetworkClassifier(NeuralNetClassifier):
    """Base of every network classifier: a ``skorch.NeuralNetClassifier`` that obeys scikit-learn.

    A subclass declares its ``module`` and, in the signature of ``__init__``, the hyper-parameters
    of that module beside those of this class. The parameters are described in
    `skeeg.EEGNetClassifier`.

    Parameters
    ----------
    max_epochs, batch_size, lr, weight_decay, optimizer, early_stopping, validation_fraction, \
n_iter_no_change, class_weight, device, n_threads, random_state, warm_start, callbacks, verbose
        As in `skeeg.EEGNetClassifier`.
    **skorch_params
        Parameters of skorch, such as ``optimizer__betas`` or ``iterator_train__num_workers``.
    """

    #: What a trial is; topographic networks declare ``MAPS``.
    _trial_axes: TrialAxes = SIGNALS

    #: What ends a training, with ``early_stopping``.
    _early_stopping: type[EarlyStopping] = EarlyStopping

    # What skorch's constructor, which is never called, would keep on the instance.
    module: Any = None
    criterion: Any = torch.nn.CrossEntropyLoss
    iterator_train: Any = BatchLoader
    iterator_valid: Any = BatchLoader
    train_split: Any = None
    predict_nonlinearity: Any = "auto"
    compile: Any = False
    use_caching: Any = "auto"
    torch_load_kwargs: Any = None
    classes: Any = None
    history_: Any = None
    initialized_ = False
    virtual_params_: Mapping[str, Any] = {}
    prefixes_ = [
        "iterator_train",
        "iterator_valid",
        "callbacks",
        "compile",
        "module",
        "criterion",
        "optimizer",
    ]
    cuda_dependent_attributes_ = list(_FITTED_COMPONENTS)
    _modules = ["module"]
    _criteria = ["criterion"]
    _optimizers = ["optimizer"]

    def __init__(
        self,
        *,
        max_epochs: int = 100,
        batch_size: int | str = "auto",
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        optimizer: Any = "adam",
        early_stopping: bool = False,
        validation_fraction: float = 0.2,
        n_iter_no_change: int = 20,
        class_weight: Any = None,
        device: str = "auto",
        n_threads: int = 1,
        random_state: Any = None,
        warm_start: bool = False,
        callbacks: Any = None,
        verbose: int = 0,
        **skorch_params: Any,
    ) -> None:
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.verbose = verbose
        self._store_skorch_params(skorch_params, TypeError)

    # ------------------------------------------------------------------ parameters

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What is read off a class are its parameters; the name **skorch_params is none.
        signature = inspect.signature(cls.__init__)
        parameters = [
            parameter
            for parameter in list(signature.parameters.values())[1:]
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        cls.__signature__ = signature.replace(parameters=parameters, return_annotation=cls)

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Return the parameters of the signature, as scikit-learn means it."""
        return super(NeuralNet, cls)._get_param_names()

    @classmethod
    def _network_param_names(cls) -> list[str]:
        """Return the parameters that a subclass adds for its network."""
        common = NetworkClassifier._get_param_names()
        return [name for name in cls._get_param_names() if name not in common and name != "module"]

    def get_params(self, deep: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters: those of the signature and skorch's that were set.

        Parameters
        ----------
        deep : bool
            Also return parameters of nested estimators.

        Returns
        -------
        params : dict
        """
        params = BaseEstimator.get_params(self, deep=deep)
        params.update({name: value for name, value in vars(self).items() if is_skorch_name(name)})
        return params

    def set_params(self, **params: Any) -> NetworkClassifier:
        """Set parameters.

        Parameters
        ----------
        **params
            Names of the signature, or skorch's such as ``optimizer__betas``. On a fitted
            estimator, those of the optimiser also act on a training that ``partial_fit`` or
            ``warm_start`` continues.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a name is unknown; the message gives the nearest valid one.
        """
        names = self._get_param_names()
        own = {name: value for name, value in params.items() if name in names}
        BaseEstimator.set_params(self, **own)
        others = {name: value for name, value in params.items() if name not in names}
        self._store_skorch_params(others, ValueError)
        if self.initialized_:
            if "weight_decay" in own:
                others["optimizer__weight_decay"] = own["weight_decay"]
            live = {"lr": own["lr"]} if "lr" in own else {}
            self._apply_virtual_params(others | live)
        return self

    def _store_skorch_params(self, params: Mapping[str, Any], error: type[Exception]) -> None:
        if not params:
            return
        for name in params:
            message = unknown_name_message(
                type(self).__name__, name, self._get_param_names(), self._component_constructors()
            )
            if message is not None:
                raise error(message)
        for name, value in params.items():
            setattr(self, name, value)

    def _component_constructors(self) -> dict[str, Any]:
        """Return what each component will be made by, as far as the parameters are sound."""
        try:
            optimizer = resolve_optimizer(self.optimizer)
        except ValueError:
            optimizer = None
        return {
            "criterion": self.criterion,
            "iterator_train": self.iterator_train,
            "iterator_valid": self.iterator_valid,
            "module": type(self.module)
            if isinstance(self.module, torch.nn.Module)
            else self.module,
            "optimizer": optimizer,
        }

    def _check_parameters(self) -> None:
        integer, real = numbers.Integral, numbers.Real
        check_number("max_epochs", self.max_epochs, integer, low=1)
        if self.batch_size != "auto" and self.batch_size != -1:
            check_number('batch_size, where it is not "auto",', self.batch_size, integer, low=1)
        check_number("lr", self.lr, real, low=0, open_low=True)
        check_number("weight_decay", self.weight_decay, real, low=0)
        check_number(
            "validation_fraction",
            self.validation_fraction,
            real,
            low=0,
            high=1,
            open_low=True,
            open_high=True,
        )
        check_number("n_iter_no_change", self.n_iter_no_change, integer, low=1)
        check_number("n_threads", self.n_threads, integer, low=1)
        resolve_optimizer(self.optimizer)
        resolve_device(self.device)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        return BaseEstimator.__repr__(self, N_CHAR_MAX)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        # The checks' blobs are points, not signals: nothing in them is there to be filtered.
        tags.classifier_tags.poor_score = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return self.initialized_ and hasattr(self, "classes_inferred_")

    def get_metadata_routing(self) -> Any:
        """Return which of ``sample_weight`` and ``groups`` were requested.

        Returns
        -------
        routing : MetadataRequest
        """
        return BaseEstimator.get_metadata_routing(self)

    @property
    def classes_(self) -> NDArray[Any]:
        """The class labels, in the order of the columns of ``predict_proba``."""
        try:
            return self.classes_inferred_
        except AttributeError:
            raise AttributeError(
                f"{type(self).__name__} has no classes_ before it is fitted."
            ) from None

    # ------------------------------------------------------------------ training

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> NetworkClassifier:
        """Train the network from new weights, or go on from the old ones with ``warm_start``.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            The trials, in any unit. Shape (n_trials, n_times) is one channel. Topographic
            networks take arrays of shape (n_trials, n_bands, height, width).
        y : array-like, shape (n_trials,)
            Class labels of any type.
        sample_weight : array-like, shape (n_trials,), optional
            Weight of each trial in the loss. Trials of weight zero are left out entirely.
        groups : array-like, shape (n_trials,), optional
            What the validation split of ``early_stopping`` must not divide: subjects, runs,
            trials that were cut into windows. Those of an `EEGData` or a `FeatureTable` with
            ``trial`` are known.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter, the trials or the labels are unsound; the message says what came and
            what was expected.
        """
        self._check_parameters()
        go_on = self.warm_start and self.__sklearn_is_fitted__()
        return self._fit(X, y, sample_weight, groups, go_on=go_on, classes=None)

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> NetworkClassifier:
        """Train for ``max_epochs`` further epochs, keeping weights, optimiser and history.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.
        classes : array-like, optional
            All labels that will ever come; those of the first ``y`` when left out.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            As in `fit`, and for a label that is not among the classes.
        """
        self._check_parameters()
        go_on = self.__sklearn_is_fitted__()
        return self._fit(X, y, sample_weight, groups, go_on=go_on, classes=classes)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        *,
        go_on: bool,
        classes: Any,
    ) -> NetworkClassifier:
        if not go_on:
            # Should this fit fail, no half-replaced estimator may go on predicting.
            self.initialized_ = False
        training = self._training_data(
            X, y, sample_weight, groups, reset=not go_on, classes=classes
        )
        if not go_on:
            self.device_ = resolve_device(self.device)
        with self._skorch_sees_device(), arithmetic(self.device_, self.n_threads, self._seed()):
            if not go_on:
                self.initialize()
            self._train(training)
        return self

    def _train(self, training: TrialDataset) -> None:
        self.notify("on_train_begin", X=training, y=None)
        try:
            self.fit_loop(training)
        except _TrainingStopped:
            pass
        except KeyboardInterrupt:
            warnings.warn(
                f"Training was interrupted by the user after {len(self.history)} epochs; the "
                "network keeps what it has learnt so far.",
                stacklevel=4,
            )
        self.notify("on_train_end", X=training, y=None)

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

    def _training_data(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool, classes: Any
    ) -> TrialDataset:
        """Pass everything a user gave to ``fit`` through the gate."""
        if groups is None:
            groups = trial_groups(X)
        trials = self._unwrapped(X, reset=reset)
        X, y = check_X_y(self, trials, y, reset=reset, axes=self._trial_axes)
        for_messages = self._for_messages(trials)
        if groups is not None:
            groups = column_or_1d(groups)
            check_consistent_length(X, groups)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            # A trial of no weight must not enter batch statistics or the scale either.
            kept = sample_weight > 0
            if not kept.any():
                raise ValueError("All trials have sample_weight zero: nothing is left to fit.")
            X, y, sample_weight = X[kept], y[kept], sample_weight[kept]
            groups = None if groups is None else groups[kept]
        indices = self._encode_labels(y, reset=reset, classes=classes)
        if reset:
            self.scale_ = standard_deviation(X, **for_messages)
        return TrialDataset(
            scaled(X, self.scale_, **for_messages),
            indices,
            self._trial_weights(y, sample_weight),
            groups,
        )

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

    def _encode_labels(self, y: NDArray[Any], *, reset: bool, classes: Any) -> NDArray[np.int64]:
        """Return class indices and, with ``reset``, learn the classes."""
        name = type(self).__name__
        if reset:
            known = np.unique(y if classes is None else column_or_1d(classes))
            if len(known) < 2:
                raise ValueError(
                    f"{name} needs at least two classes in y, got one class: {known.tolist()[0]!r}."
                )
            self.classes_inferred_ = known
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(
                f"y has labels {unseen.tolist()} that are not among the classes of this {name}: "
                f"{self.classes_.tolist()}. Give all classes to the first partial_fit, or fit anew."
            )
        return np.searchsorted(self.classes_, y).astype(np.int64)

    def _trial_weights(
        self, y: NDArray[Any], sample_weight: NDArray[np.float64] | None
    ) -> NDArray[np.float32] | None:
        """Return the weight of each trial in the loss, of mean one, or None where all are equal."""
        if sample_weight is None and self.class_weight is None:
            return None
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        if self.class_weight is not None:
            weight = weight * compute_sample_weight(self.class_weight, y)
        if not weight.sum() > 0:
            raise ValueError(f"class_weight {self.class_weight!r} leaves no trial any weight.")
        return (weight / weight.mean()).astype(np.float32)

    def _seed(self) -> int:
        """Draw the seed of this training; one that goes on differs from the one before."""
        if self.random_state is None:
            return int(np.random.SeedSequence().generate_state(1)[0])
        if isinstance(self.random_state, numbers.Integral):
            trained = len(self.history_) if self.initialized_ else 0
            check_random_state(self.random_state)  # refuses what scikit-learn refuses
            entropy = [int(self.random_state), trained]
            return int(np.random.SeedSequence(entropy).generate_state(1)[0])
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    # ------------------------------------------------------------------ prediction

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            Channels and samples as in ``fit``, in the same unit.

        Returns
        -------
        proba : ndarray of float32, shape (n_trials, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the trials have another shape or other channels than in ``fit``, or are not finite.
        """
        check_is_fitted(self)
        with arithmetic(self.device_, self.n_threads):
            return super().predict_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each trial.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            As in `predict_proba`.

        Returns
        -------
        y : ndarray, shape (n_trials,)
            Labels as they were given to ``fit``.

        Raises
        ------
        NotFittedError, ValueError
            As in `predict_proba`.
        """
        indices = self.predict_proba(X).argmax(axis=1)
        # skorch's scoring callbacks compare with the class indices of the data set they pass.
        return indices if is_gated(X) else self.classes_[indices]

    # ------------------------------------------------------------------ what skorch calls

    def initialize(self) -> NetworkClassifier:
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

    def initialize_callbacks(self) -> NetworkClassifier:
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

    def initialize_module(self) -> NetworkClassifier:
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

    def initialize_optimizer(self, triggered_directly: Any = None) -> NetworkClassifier:
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
        return TrialDataset(scaled(checked, self.scale_, **self._for_messages(trials)))

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
            raise _TrainingStopped from stop

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

    # ------------------------------------------------------------------ pickles

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the network on the CPU, so that it loads anywhere."""
        state = dict(vars(self))
        components = {name: state[name] for name in _FITTED_COMPONENTS if name in state}
        if "module_" in components and _is_parametrized(components["module_"]):
            # torch refuses to pickle such a network, but not its weights; it is built anew.
            module, optimizer = state.pop("module_"), state.pop("optimizer_")
            state["_weights"] = {
                "module": {name: value.cpu() for name, value in module.state_dict().items()},
                "optimizer": optimizer.state_dict(),
                "training": module.training,
            }
        elif components and torch.device(state["device_"]).type != "cpu":
            state |= moved(components, "cpu")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        weights = state.pop("_weights", None)
        self.__dict__.update(state)
        components = {name: state[name] for name in _FITTED_COMPONENTS if name in state}
        if components:
            self.device_ = usable_device(self.device)
        if weights is not None:
            with arithmetic(self.device_, self.n_threads):
                self.initialize_module()
            self.module_.to(self.device_).train(weights["training"])
            self.module_.load_state_dict(weights["module"])
            self.initialize_optimizer()
            self.optimizer_.load_state_dict(weights["optimizer"])
        elif components and torch.device(self.device_).type != "cpu":
            self.__dict__.update(moved(components, self.device_))


def _is_parametrized(module: torch.nn.Module) -> bool:
    return any(is_parametrized(part) for part in module.modules())


def trial_groups(X: Any) -> NDArray[Any] | None:
    """Return which recorded trial each row comes from, where that is known."""
    return X.groups("trial") if isinstance(X, LabelledRows) and "trial" in X.metadata else None


def is_gated(X: Any) -> bool:
    """Whether trials have passed the gate, as what skorch hands to its callbacks has."""
    return isinstance(X, torch.utils.data.Dataset)


def _write_nothing(*args: Any, **kwargs: Any) -> None:
    """Take the place of ``print`` in callbacks that would write to the terminal."""
