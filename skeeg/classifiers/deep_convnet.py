"""DeepConvNet as a classifier."""

from __future__ import annotations

from typing import Any

from ..networks import DeepConvNet
from ._selection import ChannelSelectingClassifier


class DeepConvNetClassifier(ChannelSelectingClassifier):
    """DeepConvNet [1]_ as a scikit-learn classifier of EEG trials.

    A temporal and a spatial convolution, then three blocks of convolution and pooling with twice
    the maps each: a general network that wants more trials than EEGNet does.

    Parameters
    ----------
    n_filters : int, default=25
        Maps of the first block; each further block has twice as many.
    kernel_length : int, optional
        Length of all kernels, in samples; None takes the variant's own value.
    pool_length : int, optional
        Length of all pools, in samples; None takes the variant's own value.
    dropout : float, default=0.5
        Probability with which a value is dropped.
    activation : str, default="elu"
        A name in `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    variant : {"schirrmeister", "lawhern", "lab"}, default="schirrmeister"
        The published form, see `skeeg.networks.DeepConvNet`.
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
        temporal map. The latter two take many times longer, see `skeeg.networks.DeepConvNet`;
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
    module_ : skeeg.networks.DeepConvNet
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
    skeeg.networks.DeepConvNet : The network alone, with its layers, shapes and initialisation.

    References
    ----------
    .. [1] R. T. Schirrmeister et al., "Deep learning with convolutional neural networks for EEG
       decoding and visualization", Hum. Brain Mapp. 38:5391-5420, 2017.

    Examples
    --------
    >>> from skeeg import DeepConvNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = DeepConvNetClassifier(variant="lawhern", max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict(data[:3]).shape
    (3,)
    """

    module = DeepConvNet

    def __init__(
        self,
        *,
        n_filters: int = 25,
        kernel_length: int | None = None,
        pool_length: int | None = None,
        dropout: float = 0.5,
        activation: str = "elu",
        alpha: float | None = None,
        variant: str = "schirrmeister",
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
        self.n_filters = n_filters
        self.kernel_length = kernel_length
        self.pool_length = pool_length
        self.dropout = dropout
        self.activation = activation
        self.alpha = alpha
        self.variant = variant
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
