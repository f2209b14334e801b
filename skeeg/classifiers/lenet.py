"""LeNet as a classifier."""

from __future__ import annotations

from typing import Any

from .._validation import MAPS
from ..networks import LeNet
from .base import NetworkClassifier


class LeNetClassifier(NetworkClassifier):
    """LeNet-5 [1]_ as a scikit-learn classifier of topographic maps.

    Two convolutions and pools before three dense layers: a small network for maps of band power or
    differential entropy.

    A trial is a map of the scalp for each frequency band, as `skeeg.features.TopographicMap` makes
    them. `X` of shape (n_trials, height, width) has one band, and of shape (n_trials, n_features)
    one band with a map of one row. Recordings, such as epochs or `EEGData`, are refused: in a
    pipeline, put features and `TopographicMap` first.

    Parameters
    ----------
    activation : str, default="scaled_tanh"
        The paper's ``"scaled_tanh"``, 1.7159 tanh(2 x / 3), or a name in
        `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    variant : {"simple", "1998"}, default="simple"
        The form that is taught or the first one, see `skeeg.networks.LeNet`.
    interpolate_to : int, optional
        Height and width to which maps are brought first; 32 is the paper's. None leaves them as
        they are.
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
    module_ : skeeg.networks.LeNet
        The trained network.
    scale_ : float
        Standard deviation of the training maps, by which all maps are divided.
    n_bands_, height_, width_ : int
        Shape of a trial in `fit`.
    n_features_in_ : int
        The second axis of ``X`` in `fit`.
    history : skorch.history.History
        Loss and accuracy of each epoch.
    device_ : str
        Where the network is.

    See Also
    --------
    skeeg.networks.LeNet : The network alone, with its layers, shapes and initialisation.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
       recognition", Proc. IEEE 86:2278-2324, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import LeNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> maps, y = rng.standard_normal((24, 4, 9, 9)), np.arange(24) % 2
    >>> maps[y == 1, 2, :, :4] += 1  # more of the third band, on the left
    >>> clf = LeNetClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(maps, y).predict_proba(maps[:3]).shape
    (3, 2)
    """

    module = LeNet
    _trial_axes = MAPS

    def __init__(
        self,
        *,
        activation: str = "scaled_tanh",
        alpha: float | None = None,
        variant: str = "simple",
        interpolate_to: int | None = None,
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
        self.activation = activation
        self.alpha = alpha
        self.variant = variant
        self.interpolate_to = interpolate_to
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
