"""The estimator contract: skorch's training loop behind scikit-learn's conventions."""

from __future__ import annotations

import numbers
import warnings
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from torch.nn.utils.parametrize import is_parametrized

from .._labelled import LabelledRows
from .._validation import check_X_y, scaled, standard_deviation
from ._arithmetic import arithmetic, moved, resolve_device, usable_device
from ._batches import TrialDataset
from ._sklearn_net import FITTED_COMPONENTS
from ._training_loop import TrainingLoop, TrainingStopped, is_gated


class NetworkClassifier(TrainingLoop):
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

    # ------------------------------------------------------------------ training

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
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
    ) -> Self:
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
    ) -> Self:
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
        except TrainingStopped:
            pass
        except KeyboardInterrupt:
            warnings.warn(
                f"Training was interrupted by the user after {len(self.history)} epochs; the "
                "network keeps what it has learnt so far.",
                stacklevel=4,
            )
        self.notify("on_train_end", X=training, y=None)

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

    # ------------------------------------------------------------------ pickles

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the network on the CPU, so that it loads anywhere."""
        state = dict(vars(self))
        components = {name: state[name] for name in FITTED_COMPONENTS if name in state}
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
        components = {name: state[name] for name in FITTED_COMPONENTS if name in state}
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
