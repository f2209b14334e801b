"""A skorch net with scikit-learn's idea of parameters, classes and tags."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping
from typing import Any, Self

import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from skorch import NeuralNet, NeuralNetClassifier
from skorch.callbacks import EarlyStopping

from .._validation import SIGNALS, TrialAxes
from ._arithmetic import resolve_device
from ._batches import BatchLoader
from ._parameters import check_number, is_skorch_name, resolve_optimizer, unknown_name_message

#: What skorch makes in a fit, beside the callbacks.
FITTED_COMPONENTS = ("module_", "criterion_", "optimizer_")


class SklearnNet(NeuralNetClassifier):
    """The parameters of every network classifier, as scikit-learn means parameters.

    ``__init__`` keeps what it is given and does nothing else: skorch's is never called.

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
    cuda_dependent_attributes_ = list(FITTED_COMPONENTS)
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
        common = SklearnNet._get_param_names()
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

    def set_params(self, **params: Any) -> Self:
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
