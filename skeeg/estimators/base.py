"""The estimator contract: skorch's training loop under scikit-learn's conventions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted
from skorch import NeuralNet
from skorch.dataset import get_len

from .._parameters import parameter_names
from .._validation import (
    SIGNALS,
    TrialAxes,
    Unwrapped,
    amplitudes,
    check_X,
    scaled,
    unwrap,
)
from .._warnings import user_stacklevel
from ..layers._random import restore_stream, stream_state
from ..layers.constraint import apply_max_norm
from ._amplitudes import some_trials, typical_amplitude, warn_of_another_unit
from ._arithmetic import (
    arithmetic,
    fit_randomness,
    resolve_device,
    runs_foreign_code,
    training_seed,
)
from ._augmenting import augmented, is_augmented, mixes_targets, nested_params, set_nested_params
from ._batches import BatchLoader, Precomputed, TrialDataset, is_gated, read_dataset
from ._building import build_network, build_optimizer, found_arguments, groups_of_network
from ._callbacks import check_callback_parameters, default_callbacks, responds
from ._divergence import check_losses, check_output, check_weights
from ._docstrings import estimator_sections
from ._elimination import rescale, select_for_fit
from ._hooks import hook, uncompiled
from ._loaders import make_loader
from ._loss import checked_output, pairs_of, set_reduction, weighted_loss
from ._names import SKORCH_NAMES, check_fit_params, resolve_optimizer
from ._new_domains import NewDomains
from ._parameter_access import (
    accepting_skorch_parameters,
    check_values,
    signature_names,
    skorch_parameters_set,
    store_skorch_parameters,
)
from ._pickling import portable_state, restore
from ._prediction import joined, prediction_of
from ._saved_state import FittedInStateDict, read_fitted, write_fitted
from ._selection import network_of, selection_options
from ._sharing import share_dataset
from ._task import Task
from ._training_data import split_data, training_data, with_targets
from ._training_parameters import TrainingParameters


class TrainingStopped(KeyboardInterrupt):
    """A callback ended the training, in the way skorch's callbacks do."""


class NetworkEstimator(Task, NewDomains, TrainingParameters, NeuralNet):
    """Base of every network estimator: what does not depend on the network or the task.

    Training is skorch's; parameters, labels, random numbers, devices and pickles follow
    scikit-learn. `NetworkClassifier` and `NetworkRegressor` add what a target means; a class per
    network adds its parameters and declares its ``module``.

    Attributes
    ----------
    scale_ : float
        Standard deviation of the training trials, by which all trials are divided.
    n_features_in_ : int
        The second axis of ``X`` in `fit`.
    ch_names_ : tuple of str or None
        Channel names, where ``X`` had any.
    sfreq_ : float or None
        Sampling rate in Hz, where ``X`` had one.
    history : skorch.history.History
        Loss and score of each epoch.
    device_ : str
        Where the network is.
    """

    #: What a trial is; topographic networks declare ``MAPS``.
    _trial_axes: ClassVar[TrialAxes] = SIGNALS

    # What skorch's constructor, which is never called, would keep on the instance.
    module: ClassVar[Any] = None
    criterion: ClassVar[Any] = None
    iterator_train: ClassVar[Any] = BatchLoader
    iterator_valid: ClassVar[Any] = BatchLoader
    train_split: ClassVar[Any] = None
    predict_nonlinearity: ClassVar[Any] = "auto"
    compile: ClassVar[Any] = False
    use_caching: ClassVar[Any] = "auto"
    torch_load_kwargs: ClassVar[Any] = None
    classes: ClassVar[Any] = None
    history_ = None
    _typical_amplitude = 0.0
    _batch_weight = None
    _changed_since_built = tuple[str, ...]()
    _has_sample_weight = False
    _split_seed = cast("int | None", None)  # of the validation split of ``early_stopping``
    # With ``warm_start``, the seed and the state of the random stream at the end of the training.
    _stream = cast("Any", None)
    initialized_ = False
    virtual_params_: ClassVar[Mapping[str, Any]] = {}
    # skorch adds the components that ``initialize`` builds, also those of a user's subclass.
    prefixes_ = ["iterator_train", "iterator_valid", "callbacks", "compile"]
    cuda_dependent_attributes_ = list[str]()
    _modules = list[str]()
    _criteria = list[str]()
    _optimizers = list[str]()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own_init = "__init__" in vars(cls)
        super().__init_subclass__(**kwargs)
        if not own_init and "__init__" in vars(cls):
            cls.__init__ = accepting_skorch_parameters(cls.__init__)  # type: ignore[method-assign]

    @classmethod
    def _docstring_sections(cls) -> dict[str, str]:
        return estimator_sections(cls)

    # ------------------------------------------------------------------ parameters

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return signature_names(cls)

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
        params |= nested_params(self.augment) if deep else {}
        return params | {name: getattr(self, name) for name in skorch_parameters_set(self)}

    def _parameters_of_network(self) -> dict[str, Any]:
        """Return the parameters of the signature on which the network depends."""
        others = {"module", "activation", "alpha", "n_selected_chans"} & {*self._get_param_names()}
        return self._network_params() | {name: getattr(self, name) for name in others}

    def _network_params(self) -> dict[str, Any]:
        """Return the parameters that the network shares with the estimator."""
        names = set(parameter_names(self.module)) & set(self._get_param_names())
        return {name: getattr(self, name) for name in sorted(names)}

    def _result_params(self) -> dict[str, Any]:
        """Return the parameters on which the result of `fit` depends, for stores of fits."""
        params = self.get_params(deep=False)
        del params["verbose"]
        try:
            device = resolve_device(self.device)
        except ValueError:
            return params
        name = torch.cuda.get_device_name(device) if device.startswith("cuda") else ""
        return params | {"device": f"{device} {name}"}

    def _result_state(self) -> dict[str, Any]:
        """Return what a fitted estimator predicts with, for stores of fits."""
        if not self.initialized_:
            return self._result_params()
        found: dict[str, Any] = {"found": write_fitted(self), "module": uncompiled(self.module_)}
        return self._result_params() | found

    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Parameters
        ----------
        **params
            Names of the signature, those of an augmentation such as ``augment__max_shift`` (in a
            list ``augment__time_shift__max_shift``), or skorch's such as ``optimizer__betas``. On a
            fitted estimator, those of the optimiser also act on a training that ``partial_fit`` or
            ``warm_start`` continues. Those of the network take effect in the next `fit`; one that
            was initialised but not fitted is built again at once.

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
        before = self._parameters_of_network()
        BaseEstimator.set_params(self, **own)
        nested = {name: value for name, value in params.items() if name.startswith("augment__")}
        set_nested_params(self, nested)
        after = self._parameters_of_network()
        changed = [
            name for name in own if name in after and repr(after[name]) != repr(before.get(name))
        ]
        others = {name: params[name] for name in params if name not in {*names, *nested}}
        store_skorch_parameters(self, others, ValueError)
        if self.initialized_ and changed:
            self._changed_since_built = (*self._changed_since_built, *changed)
        if self.initialized_ and not self.__sklearn_is_fitted__():
            # As in skorch, components that depend on a parameter are built again. Data loaders
            # are made when they are needed.
            kept = {*self._modules, *self._criteria, *self._optimizers, "compile"}
            self._params_to_validate: set[str] = set()
            parts = {k: v for k, v in others.items() if k.partition("__")[0] in kept}
            with self._device_for_skorch():
                NeuralNet.set_params(self, **parts)
                if changed:
                    self._initialize_module()
                    self._initialize_criterion()
                    self._initialize_optimizer()
                if any(name.partition("__")[0] == "callbacks" for name in params):
                    self.initialize_callbacks()
                    self._add_callbacks_of_network()
        if self.initialized_:
            live = {name: value for name, value in others.items() if name.startswith("optimizer__")}
            if "weight_decay" in own:
                live["optimizer__weight_decay"] = own["weight_decay"]
            if "lr" in own:
                live["lr"] = own["lr"]
            self._apply_virtual_params(live)
        return self

    def _component_constructors(self) -> dict[str, Any]:
        """Return what each component will be made by, as far as the parameters are valid."""
        try:
            optimizer = resolve_optimizer(self.optimizer)
        except ValueError:
            optimizer = None
        selection = {"selection": selection_options} if hasattr(self, "n_selected_chans") else {}
        return selection | {
            "criterion": self._criterion_or_default(),
            "iterator_train": self.iterator_train,
            "iterator_valid": self.iterator_valid,
            "module": self._module_constructor(),
            "optimizer": optimizer,
        }

    def _criterion_or_default(self) -> Any:
        return self._default_criterion() if self.criterion is None else self.criterion

    def _module_constructor(self) -> Any:
        return type(self.module) if isinstance(self.module, torch.nn.Module) else self.module

    def _check_parameters(self) -> None:
        self.check_training_readiness()
        check_values(self)

    def __setattr__(self, name: str, value: Any) -> None:
        is_component = isinstance(value, (torch.nn.Module, torch.optim.Optimizer))
        if is_component and (name in SKORCH_NAMES or name in self._get_param_names()):
            # A parameter; skorch would take it for a component that ``initialize`` builds.
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        return BaseEstimator.__repr__(self, N_CHAR_MAX)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return self.initialized_ and hasattr(self, "scale_")

    # ------------------------------------------------------------------ training

    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Train the network from new weights, or from the present ones with ``warm_start``.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            The trials, in any unit. Shape (n_trials, n_times) is one channel. Topographic
            networks take arrays of shape (n_trials, n_bands, height, width). A
            ``torch.utils.data.Dataset`` of pairs (trial, target) holds ``y`` as well.
        y : array-like, shape (n_trials,) or (n_trials, n_targets)
            Class labels of any type, or the values of a regression.
        sample_weight : array-like, shape (n_trials,), optional
            Weight of each trial in the loss. Trials of weight zero are left out entirely. Items of
            the training data are then (trial, target, weight), which a data loader of your own
            must pass on.
        groups : array-like, shape (n_trials,), optional
            What the validation split of ``early_stopping`` must not divide: subjects, runs,
            trials that were cut into windows. Those of an `EEGData` or a `FeatureTable` with
            ``trial`` are known.
        **fit_params
            Further arguments of the network's ``forward``, as in skorch.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter, the trials or the targets are invalid; the message says what came and
            what was expected. If the training diverges: loss or weights are no longer finite.
        TypeError
            If ``X`` holds no trials, or a further argument is one that ``forward`` does not take.

        Warns
        -----
        UserWarning
            If single trials have a far larger amplitude than the others.
        """
        self._check_parameters()
        resume = bool(self.warm_start)
        return self._fit(X, y, sample_weight, groups, fit_params, resume=resume)

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Train for ``max_epochs`` further epochs, keeping weights, optimiser and history.

        Parameters
        ----------
        X, y, sample_weight, groups, **fit_params
            As in `fit`.
        classes : array-like, optional
            All class labels that any later call may contain; those of the first ``y`` when left
            out. Not for regressors.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            As in `fit`, and for a label that is not among the classes.
        """
        self._check_parameters()
        fit_params["_routing_method"] = "partial_fit"
        return self._fit(X, y, sample_weight, groups, fit_params, resume=True, classes=classes)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        groups: Any,
        fit_params: dict[str, Any],
        *,
        resume: bool,
        classes: Any = None,
    ) -> Self:
        # An initialised network is kept even where it was not fitted: its weights may be loaded.
        resume = resume and self.initialized_
        reset = not (resume and self.__sklearn_is_fitted__())
        if not resume and self.max_epochs == 0:
            warnings.warn(
                f"max_epochs=0 leaves {type(self).__name__} with random weights: it predicts, but "
                "has learned nothing. Train it with partial_fit, or load weights.",
                stacklevel=user_stacklevel(),
            )
        if resume and self._changed_since_built:
            changed = ", ".join(dict.fromkeys(self._changed_since_built))
            warnings.warn(
                f"{changed} of {type(self).__name__} changed after its network was built. "
                "The training continues with that network as it is; call "
                "fit without warm_start to build another.",
                stacklevel=user_stacklevel(),
            )
        if not resume:
            # A failed refit must not leave the old weights usable.
            self.initialized_ = False
        training = self._training_data(X, y, sample_weight, groups, reset=reset, classes=classes)
        if not resume:
            self.device_ = resolve_device(self.device)
        selection = select_for_fit(self, training, fit_params, resume=resume)
        if selection is not None and reset:
            rescale(self, training, selection)
        with self._device_for_skorch(), self._arithmetic(), self._fit_randomness():
            if not resume:
                self.initialize()
                if selection is not None:
                    uncompiled(self.module_).select(selection)
            elif self.warm_start and self._stream and self._stream[0] == self.random_state:
                restore_stream(self._stream[1])
            try:
                forward = network_of(uncompiled(self.module_)).forward
                check_fit_params(fit_params, forward, type(self).__name__)
                self._train(training, fit_params)
                self._stream = (self.random_state, stream_state()) if self.warm_start else None
            except Exception:
                self.initialized_ = False
                raise
        return self

    def _train(self, training: TrialDataset, fit_params: dict[str, Any]) -> None:
        self.notify("on_train_begin", X=training, y=None)
        self._has_sample_weight = training.sample_weight is not None
        weighted = self._has_sample_weight or self._class_weights is not None
        set_reduction(self, weighted=weighted or mixes_targets(self))
        try:
            self.fit_loop(training, **fit_params)
        except TrainingStopped:
            pass
        except KeyboardInterrupt:
            warnings.warn(
                f"Training was interrupted by the user after {len(self.history)} epochs; the "
                "network keeps what it has learnt so far.",
                stacklevel=user_stacklevel(),
            )
        self.notify("on_train_end", X=training, y=None)
        check_weights(self)
        if not fit_params.keys() - {"_routing_method"}:  # predict has no such arguments
            check_output(self, training.trials)

    def _training_data(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool, classes: Any
    ) -> TrialDataset:
        """Check the arguments of ``fit`` and return scaled trials with encoded targets."""
        arguments = (X, y, sample_weight, groups, classes, reset)
        return share_dataset(
            self,
            arguments,
            lambda: training_data(self, *arguments[:4], reset=reset, classes=classes),
        )

    def _seed(self) -> int:
        """Draw the seed of this training; a continued one differs from the one before."""
        # A continued training differs from the one before it.
        return training_seed(self.random_state, len(self.history) if self.initialized_ else 0)

    def _arithmetic(self) -> Any:
        return arithmetic(self.device_, self.n_threads)

    def _fit_randomness(self) -> Any:
        return fit_randomness(
            self._seed(),
            self.device_,
            foreign=self._runs_foreign_code(),
            compiled=bool(self.compile),
        )

    def _runs_foreign_code(self) -> bool:
        """Whether code that does not know of the fit's random stream takes part in training."""
        parts = [self._module_constructor(), self.iterator_train, self._criterion_or_default()]
        return runs_foreign_code(parts, self.train_split, self.callbacks)

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
        self.initialized_ = False  # otherwise skorch prints that it builds the network again
        with self._device_for_skorch():
            super().initialize()
        self._add_callbacks_of_network()
        return self

    def _add_callbacks_of_network(self) -> None:
        own: list[Any] = (hook(getattr(self, "module_", None), "training_callbacks") or list)()
        for _, callback in own:
            callback.initialize()
        self.callbacks_: list[Any] = [*own, *self.callbacks_]

    def _validate_params(self) -> None:
        """Do nothing: names are checked when they are set, values by ``_check_parameters``."""

    def check_data(self, X: Any, y: Any = None) -> None:
        """Do nothing: the data were checked before they were passed to skorch."""

    def get_default_callbacks(self) -> list[tuple[str, Any]]:
        """Return the callbacks that run in addition to those of the ``callbacks`` parameter.

        Returns
        -------
        callbacks : list of (str, Callback)
        """
        return default_callbacks(self)

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
            If a parameter ``callbacks__name`` does not name a callback.
        """
        super().initialize_callbacks()
        check_callback_parameters(self)
        return self

    def initialize_module(self) -> Self:
        """Build the network; a module given as an instance is copied, never trained itself.

        Returns
        -------
        self : object
        """
        self.module_ = build_network(self)
        self._changed_since_built = ()
        return self

    def initialize_criterion(self) -> Self:
        """Build the loss.

        Returns
        -------
        self : object
        """
        params = self.get_params_for("criterion")
        self.criterion_ = self.initialized_instance(self._criterion_or_default(), params)
        return self

    def initialize_optimizer(self, triggered_directly: Any = None) -> Self:
        """Build the optimiser.

        Returns
        -------
        self : object
        """
        self.optimizer_ = build_optimizer(self)
        return self

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Any
    ) -> tuple[tuple[list[dict[str, Any]]], dict[str, Any]]:
        """Return the groups of weights and the options that the optimiser is made with.

        Parameters
        ----------
        prefix : str
        named_parameters : iterable of (str, Parameter)

        Returns
        -------
        args, kwargs : tuple, dict
            Groups of the network's own, see `TrainingHooks`, hold the weights that
            ``optimizer__param_groups`` does not name.
        """
        patterns = [pattern for pattern, _ in self.get_params_for(prefix).get("param_groups", [])]
        groups, others = groups_of_network(self, named_parameters, patterns)
        args, kwargs = super().get_params_for_optimizer(prefix, others)
        args[0].extend(groups)
        return args, kwargs

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
        return explicit

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        return found_arguments(self, explicit) | self._network_params()

    def _unwrapped(self, X: Any, *, reset: bool) -> Unwrapped:
        """Take the trials out of what a user passed to `fit`, with ``reset``, or to `predict`."""
        return unwrap(self._without_dataset(X))

    def _without_dataset(self, X: Any) -> Any:
        """Return the trials of a data set of torch, and anything else as it is."""
        is_dataset = isinstance(X, torch.utils.data.Dataset)
        return read_dataset(X, type(self).__name__)[0] if is_dataset else X

    def _for_messages(self, trials: Unwrapped) -> dict[str, Any]:
        """Return what the gate must know to say where in the trials something is wrong."""
        return {
            "name": type(self).__name__,
            "ch_names": trials.ch_names or self.ch_names_,
            "axes": self._trial_axes,
        }

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return trials as a data set of torch, after they have been checked and scaled.

        Parameters
        ----------
        X : TrialDataset, torch.utils.data.Dataset or as in ``predict``
        y : array-like, optional
            Targets, which are encoded as in `fit`.

        Returns
        -------
        dataset : torch.utils.data.Dataset
        """
        if is_gated(X):
            return X
        self._require_fitted()
        trials = self._unwrapped(X, reset=False)
        checked = check_X(self, trials, reset=False, axes=self._trial_axes)
        ready = scaled(checked, self.scale_, **self._for_messages(trials), rounded=True)
        amplitude = typical_amplitude(amplitudes(some_trials(ready)))
        warn_of_another_unit(amplitude, self._typical_amplitude, type(self).__name__)
        if y is None:
            return TrialDataset(ready)
        targets = self._check_targets(y)
        check_consistent_length(checked, targets)
        return TrialDataset(ready, self._encode(targets))

    def get_split_datasets(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Any, Any]:
        """Divide the training data into a part to learn from and a part to validate on.

        Parameters
        ----------
        X : TrialDataset
        y : None
        **fit_params
            Of `fit`, for ``train_split``.

        Returns
        -------
        training, validation : torch.utils.data.Dataset
            The latter None without ``early_stopping`` or ``train_split``.
        """
        return split_data(self, X, fit_params)

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
        return make_loader(self, dataset, training=training)

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Return the network's output for a batch.

        Parameters
        ----------
        x : torch.Tensor, or mapping with ``X`` and ``precomputed``
            As the data set gives it.

        Returns
        -------
        output : torch.Tensor, shape (n_trials, n_outputs)
        """
        if isinstance(x, Mapping):
            known, x = x.get("precomputed"), x["X"]
            if isinstance(known, Precomputed) and known.holds_for(x):
                fit_params |= {name: rows.to(self.device_) for name, rows in known.rows.items()}
        x = torch.as_tensor(x, device=self.device_)
        return self.module_(x.float() if x.is_floating_point() else x, **fit_params)

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Any:
        """Return the mean of the trials' losses, each times its trial's weight.

        Weights have mean one over the training set, so the steps are unbiased for any batch.
        In training, the penalty of the network is added, where it has one.

        Parameters
        ----------
        y_pred : torch.Tensor, shape (n_trials, n_outputs)
        y_true : torch.Tensor, shape (n_trials,) or (n_trials, n_outputs)
        X : torch.Tensor
        training : bool

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        return weighted_loss(self, y_pred, y_true, training=training)

    def run_single_epoch(self, iterator: Any, training: bool, *args: Any, **kwargs: Any) -> None:
        """Train or validate on all batches.

        Parameters
        ----------
        iterator : iterable of (X, y) or (X, y, sample_weight), or None
            None if there is no validation.
        training : bool
        *args, **kwargs
            As in ``skorch.NeuralNet.run_single_epoch``.
        """
        if iterator is not None:
            pairs = pairs_of(self, iterator, needed=training and self._has_sample_weight)
            if training and is_augmented(self):
                pairs = augmented(self, pairs)
            super().run_single_epoch(pairs, training, *args, **kwargs)

    def _set_training(self, training: bool = True) -> None:
        # skorch walks through all layers at every step; they need that once an epoch.
        if self.module_.training != training:
            super()._set_training(training)
            for norm in self._fixed_norms:
                norm.eval()

    def _step_optimizer(self, step_fn: Any) -> None:
        super()._step_optimizer(step_fn)
        apply_max_norm(self.module_)

    def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **kw: Any) -> None:
        """Record the score of a batch from the outputs that its loss was computed from."""
        X, y = batch
        output = checked_output(self, kw["y_pred"]).detach()
        total = self._score_sum(output, y.to(self.device_)).item()
        part = "train" if training else "valid"
        self.history.record_batch(f"{part}_{self.recorded_score}", total / get_len(X))

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Refuse to continue from a loss that is not finite."""
        check_losses(self)

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call all callbacks, and distinguish one that ends the training from Ctrl-C.

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
                # Three events a step and a dozen callbacks that ignore them add up.
                if responds(callback, method_name):
                    getattr(callback, method_name)(self, **cb_kwargs)
        except KeyboardInterrupt as stop:
            raise TrainingStopped from stop

    def save_params(self, *args: Any, **kwargs: Any) -> None:
        """Save weights, with what the fit found about targets, scale and channels.

        Parameters
        ----------
        *args, **kwargs
            As in ``skorch.NeuralNet.save_params``. The file holds a plain ``state_dict`` of torch,
            in whose metadata the rest is kept; with ``use_safetensors`` it is left out.
        """
        if not self.initialized_:
            super().save_params(*args, **kwargs)
            return
        with FittedInStateDict(uncompiled(self.module_), self):
            super().save_params(*args, **kwargs)

    def load_params(self, *args: Any, **kwargs: Any) -> None:
        """Load weights that ``save_params`` wrote into a network of the same shape.

        What the fit had found is loaded with them. A file without it, such as one that skorch
        wrote, leaves an estimator that was not fitted unable to predict.

        Parameters
        ----------
        *args, **kwargs
            As in ``skorch.NeuralNet.load_params``.
        """
        if not self.initialized_:
            super().load_params(*args, **kwargs)
            return
        module = uncompiled(self.module_)
        with self._device_for_skorch(), FittedInStateDict(module, self) as saved:
            super().load_params(*args, **kwargs)
        if saved.found is not None:
            read_fitted(self, saved.found)

    def _get_module(self, name: str, msg: str) -> Any:
        # Files of a compiled network are those of the network itself.
        return uncompiled(super()._get_module(name, msg))

    @contextmanager
    def _device_for_skorch(self) -> Iterator[None]:
        """Let skorch, which reads ``device`` itself, find the device that it means here."""
        parameter = self.device
        self.device = getattr(self, "device_", None) or resolve_device(parameter)
        try:
            yield
        finally:
            self.device = parameter

    # ------------------------------------------------------------------ prediction

    def _require_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            self.check_is_fitted()  # skorch's error, where the network was not even initialised
            check_is_fitted(self)

    def _predict(self, X: Any) -> NDArray[np.float32]:
        """Return class probabilities or encoded values."""
        self._require_fitted()
        with self._arithmetic(), torch.no_grad():
            outputs = self.forward_iter(X, training=False)
            return joined(self, [prediction_of(self, output) for output in outputs])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class, or the predicted value, of each trial.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            Channels and samples as in ``fit``, in the same unit.

        Returns
        -------
        y : ndarray, shape (n_trials,) or (n_trials, n_targets)
            Labels as they were given to ``fit``, or values in the unit of its ``y``.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If the trials have another shape or other channels than in ``fit``, or are not finite.

        Warns
        -----
        UserWarning
            If the trials seem to be in another unit than those of ``fit``.
        """
        predicted = self._predict(X)
        # skorch's scoring callbacks compare with the encoded targets of the data set they pass.
        return self._decode_encoded(predicted) if is_gated(X) else self._decode(predicted)

    def score(
        self, X: Any, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy of a classifier, or R squared of a regressor.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            As in `predict`, or a ``torch.utils.data.Dataset`` that holds ``y`` as well.
        y : array-like, shape (n_trials,) or (n_trials, n_targets)
            Labels or values as in `fit`.
        sample_weight : array-like, shape (n_trials,), optional
            Weight of each trial.

        Returns
        -------
        score : float

        Raises
        ------
        NotFittedError, ValueError
            As in `predict`; if there are no targets.
        """
        if not is_gated(X):
            X, y = with_targets(X, y, type(self).__name__)
        return super().score(X, y, sample_weight)

    # ------------------------------------------------------------------ pickles

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the network on the CPU, so that it loads anywhere."""
        return portable_state(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        restore(self, state)
