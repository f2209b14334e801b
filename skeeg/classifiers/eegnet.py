"""EEGNet as a classifier."""

from __future__ import annotations

from typing import Any

from ..networks import EEGNet
from ._selection import ChannelSelectingClassifier


class EEGNetClassifier(ChannelSelectingClassifier):
    """EEGNet [1]_ as a scikit-learn classifier of EEG trials.

    Temporal filters, spatial filters for each of them, then a separable convolution: a compact
    network that serves motor imagery, evoked responses and oscillations alike.

    Parameters
    ----------
    n_temporal_filters : int, default=8
        Number of temporal filters, F1.
    depth_multiplier : int, default=2
        Spatial filters for each temporal filter, D.
    n_pointwise_filters : int, optional
        Maps after the separable convolution, F2; None takes F1 * D.
    kernel_length : int, default=64
        Length of the temporal filters, in samples; the paper takes half the sampling rate.
    dropout : float, default=0.5
        Probability with which a value is dropped after each pool.
    activation : str, default="elu"
        A name in `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    variant : {"lawhern", "lab"}, default="lawhern"
        The published form, see `skeeg.networks.EEGNet`.
    separable : bool, optional
        Whether the second convolution is a separable one; None takes the variant's own value, as
        for the parameters below.
    separable_kernel_length : int, optional
        Length of the second convolution's kernels, in samples.
    first_pool_length, second_pool_length : int, optional
        Lengths of the pools, in samples.
    n_selected_chans : int, optional
        Learn which of the channels to use, this many, while the network learns to use them; see
        `skeeg.layers.GumbelChannelSelection`, whose options are ``selection__unique=True``,
        ``selection__penalty=1.0`` and so on. The last fifth of the epochs,
        ``selection__fine_tuning``, trains the network alone; ``selection__lr`` is the learning
        rate of the choice. None uses all channels.
    attention : {"se", "cbam", "eca"}, optional
        Gates between 0 and 1 that the network computes of each trial: squeeze and excitation,
        convolutional block attention or efficient channel attention, see `skeeg.layers.Attention`.
    attention_axis : {"maps", "electrodes", "map-electrode"}, default="maps"
        What has a gate: the maps of the spatial filters, the electrodes, or each electrode in each
        temporal map. The latter two take many times longer, see `skeeg.networks.EEGNet`;
        `skeeg.plotting.plot_attention` shows them on the scalp.
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
    module_ : skeeg.networks.EEGNet
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

    See Also
    --------
    skeeg.networks.EEGNet : The network alone, with its layers, shapes and initialisation.

    References
    ----------
    .. [1] V. J. Lawhern et al., "EEGNet: a compact convolutional neural network for EEG-based
       brain-computer interfaces", J. Neural Eng. 15:056013, 2018. arXiv 1611.08024.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(activation="elu", alpha=0.2, max_epochs=5, random_state=0)
    >>> cross_val_score(clf, data, data.y, cv=3).shape
    (3,)
    """

    module = EEGNet

    def __init__(
        self,
        *,
        n_temporal_filters: int = 8,
        depth_multiplier: int = 2,
        n_pointwise_filters: int | None = None,
        kernel_length: int = 64,
        dropout: float = 0.5,
        activation: str = "elu",
        alpha: float | None = None,
        variant: str = "lawhern",
        separable: bool | None = None,
        separable_kernel_length: int | None = None,
        first_pool_length: int | None = None,
        second_pool_length: int | None = None,
        n_selected_chans: int | None = None,
        attention: str | None = None,
        attention_axis: str = "maps",
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
        self.n_temporal_filters = n_temporal_filters
        self.depth_multiplier = depth_multiplier
        self.n_pointwise_filters = n_pointwise_filters
        self.kernel_length = kernel_length
        self.dropout = dropout
        self.activation = activation
        self.alpha = alpha
        self.variant = variant
        self.separable = separable
        self.separable_kernel_length = separable_kernel_length
        self.first_pool_length = first_pool_length
        self.second_pool_length = second_pool_length
        self.attention = attention
        self.attention_axis = attention_axis
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
