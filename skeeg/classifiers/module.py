"""Any torch module as a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .._validation import MAPS, POINTS, SIGNALS, TrialAxes
from ..layers import make_activation
from ..networks import EEGNet
from ._parameters import accepted_names
from ._selection import ChannelSelectingClassifier


class ModuleClassifier(ChannelSelectingClassifier):
    """Any torch module that maps EEG trials to logits, as a scikit-learn classifier.

    The module's constructor is given ``n_chans``, ``n_times``, ``n_outputs`` and ``sfreq`` as far
    as it names them; these are braindecode's names, so its models work as they are. A module whose
    constructor names ``n_bands``, ``height`` and ``width`` is fitted to topographic maps, as
    `skeeg.CCNNClassifier` is.

    Parameters
    ----------
    module : class, callable or torch.nn.Module, default=EEGNet
        Makes a network that takes a tensor of shape (n_trials, n_chans, n_times) and returns
        logits of shape (n_trials, n_outputs). A module that is already built is copied, and must
        fit the data. Other arguments are ``module__kernel_length`` and the like.
    activation : str, optional
        A name in `skeeg.layers.ACTIVATIONS`, for modules whose constructor names ``activation``;
        None leaves the module its own.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    n_selected_chans : int, optional
        Learn which of the channels to use, this many, while the network learns to use them; see
        `skeeg.layers.GumbelChannelSelection`, whose options are ``selection__unique=True``,
        ``selection__penalty=1.0`` and so on. The last fifth of the epochs,
        ``selection__fine_tuning``, trains the network alone; ``selection__lr`` is the learning
        rate of the choice. None uses all channels.
    max_epochs : int, default=100
        Passes over the training trials, see also `batch_size`.
    batch_size : int or "auto", default="auto"
        Trials in a step of the optimiser. ``"auto"`` keeps an epoch at a dozen steps or more: 64
        trials, or fewer where there are less than 768, but at least 4; below 48 trials an epoch
        goes over them more than once. -1 takes all trials at once.
    lr : float, default=1e-3
        Learning rate.
    weight_decay : float, default=0.0
        L2 penalty, in the form that the optimiser gives it.
    optimizer : str or class, default="adam"
        ``"adam"``, ``"adamw"``, ``"nadam"``, ``"radam"``, ``"rmsprop"``, ``"sgd"`` or a class such
        as ``torch.optim.Adagrad``. Further settings are ``optimizer__momentum`` and the like.
    early_stopping : bool, default=False
        Set trials aside, stop when their loss no longer falls, and restore the best weights.
    validation_fraction : float, default=0.2
        Part of the training trials that ``early_stopping`` sets aside; stratified, and never
        dividing a group where `fit` was given ``groups``.
    n_iter_no_change : int, default=20
        Epochs without improvement after which ``early_stopping`` ends the training.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss, as in scikit-learn.
    device : str, default="auto"
        ``"auto"`` (CUDA where usable, else the CPU), ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
    n_threads : int, default=1
        Threads of each operation on the CPU. Fixed, since sums that are split over another number
        of threads differ in their last bit; to use all cores, run folds in parallel with
        ``n_jobs``.
    random_state : int, RandomState or None, default=None
        Where weights, batches and dropout come from. With an integer, two fits are equal to the
        last bit. The global generators of numpy and torch are neither used nor changed.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the previous one.
    callbacks : list of skorch callbacks, optional
        Run beside those that record ``history``.
    verbose : int, default=0
        1 shows a progress bar, 2 a line an epoch as well.
    **skorch_params
        Parameters of skorch's components: ``optimizer__betas``, ``iterator_train__num_workers``,
        ``criterion__label_smoothing``, ``callbacks__print_log``, ...

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels.
    module_ : torch.nn.Module
        The trained network.
    scale_ : float
        Standard deviation of the training trials, by which all trials are divided.
    n_chans_, n_times_ : int
        Shape of a trial in `fit`.
    n_features_in_ : int
        The second axis of ``X`` in `fit`.
    ch_names_ : tuple of str or None
        Channel names, where ``X`` had any.
    sfreq_ : float or None
        Sampling rate in Hz, where ``X`` had one.
    selected_channels_ : ndarray of int, shape (n_selected_chans,)
        With `n_selected_chans`: the channels chosen, in the order in which the network sees them.
    selection_probabilities_ : ndarray, shape (n_chans, n_selected_chans)
        The probability of each channel in each input of the network.
    selection_entropy_ : ndarray, shape (n_epochs,)
        How undecided the choice was after each epoch, from 1 to 0.
    history : skorch.history.History
        Loss and accuracy of each epoch.
    device_ : str
        Where the network is.

    Examples
    --------
    >>> from torch import nn
    >>> from skeeg import ModuleClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> class Linear(nn.Sequential):
    ...     def __init__(self, n_chans, n_times, n_outputs):
    ...         super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = ModuleClassifier(module=Linear, max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict(data[:3]).shape
    (3,)
    """

    def __init__(
        self,
        *,
        module: Any = EEGNet,
        activation: str | None = None,
        alpha: float | None = None,
        n_selected_chans: int | None = None,
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
        self.module = module
        self.activation = activation
        self.alpha = alpha
        self.n_selected_chans = n_selected_chans
        super().__init__(
            max_epochs=max_epochs,
            batch_size=batch_size,
            lr=lr,
            weight_decay=weight_decay,
            optimizer=optimizer,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            class_weight=class_weight,
            device=device,
            n_threads=n_threads,
            random_state=random_state,
            warm_start=warm_start,
            callbacks=callbacks,
            verbose=verbose,
            **skorch_params,
        )

    @property
    def _trial_axes(self) -> TrialAxes:  # type: ignore[override]
        """Maps or features of channels, if the module's constructor asks for their sizes."""
        names = accepted_names(self._module_constructor()) or set()
        return next((axes for axes in (MAPS, POINTS) if names.issuperset(axes.names)), SIGNALS)

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        params = super()._module_params(explicit)
        activation, alpha = params.pop("activation"), params.pop("alpha")
        if activation is None and alpha is None:
            return params
        names = accepted_names(self.module) or set()
        if activation is None or "activation" not in names:
            raise ValueError(
                f"activation={activation!r} with alpha={alpha!r} cannot be given to this module: "
                + (
                    "alpha needs an activation."
                    if activation is None
                    else "its constructor has no parameter activation. "
                )
                + f"It takes {', '.join(sorted(names))}."
            )
        if "alpha" in names:  # a network of skeeg's kind, which makes the function itself
            return params | {"activation": activation, "alpha": alpha}
        # Other packages take a class of torch and call it without arguments.
        make_activation(activation, alpha)
        return params | {"activation": partial(make_activation, activation, alpha)}
