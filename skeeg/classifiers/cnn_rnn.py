"""1DCNN-LSTM and 1DCNN-GRU as classifiers."""

from __future__ import annotations

from typing import Any

from ..networks import CNNGRU, CNNLSTM
from ._selection import ChannelSelectingClassifier


class _CNNRNNClassifier(ChannelSelectingClassifier):
    """What the two classifiers share, all but the network."""

    def __init__(
        self,
        *,
        n_filters: int = 128,
        kernel_length: int = 3,
        pool_length: int = 2,
        n_first_units: int = 256,
        n_second_units: int = 32,
        n_hidden: int = 128,
        head: str = "last",
        dropout: float = 0.2,
        activation: str = "relu",
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
        self.n_filters = n_filters
        self.kernel_length = kernel_length
        self.pool_length = pool_length
        self.n_first_units = n_first_units
        self.n_second_units = n_second_units
        self.n_hidden = n_hidden
        self.head = head
        self.dropout = dropout
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


class CNNLSTMClassifier(_CNNRNNClassifier):
    """1DCNN-LSTM [1]_ as a scikit-learn classifier of EEG trials.

    Two convolutions over time shorten the signal, and two layers of LSTM read it from its first
    sample to its last.

    Parameters
    ----------
    n_filters : int, default=128
        Number of maps after each convolution.
    kernel_length : int, default=3
        Length of the kernels, in samples.
    pool_length : int, default=2
        Length of the pools, in samples.
    n_first_units, n_second_units : int, default=256, 32
        Number of units of the recurrent layers.
    n_hidden : int, default=128
        Number of units before the last layer.
    head : {"last", "flatten"}, default="last"
        Whether the dense layers see the last step of the recurrent ones, or all steps.
    dropout : float, default=0.2
        Probability with which a value is dropped after each pool and recurrent layer.
    activation : str, default="relu"
        A name in `skeeg.layers.ACTIVATIONS`, for convolutions and dense layers.
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
    module_ : skeeg.networks.CNNLSTM
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
    skeeg.networks.CNNLSTM : The network alone, with its layers, shapes and initialisation.

    References
    ----------
    .. [1] F. Zamani, R. Wulansari, "Emotion classification using 1D-CNN and RNN based on DEAP
       dataset", CS & IT 11(23), 2021.

    Examples
    --------
    >>> from skeeg import CNNLSTMClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = CNNLSTMClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = CNNLSTM


class CNNGRUClassifier(_CNNRNNClassifier):
    """1DCNN-GRU [1]_ as a scikit-learn classifier of EEG trials.

    Two convolutions over time shorten the signal, and two layers of GRU read it from its first
    sample to its last.

    Parameters
    ----------
    n_filters : int, default=128
        Number of maps after each convolution.
    kernel_length : int, default=3
        Length of the kernels, in samples.
    pool_length : int, default=2
        Length of the pools, in samples.
    n_first_units, n_second_units : int, default=256, 32
        Number of units of the recurrent layers.
    n_hidden : int, default=128
        Number of units before the last layer.
    head : {"last", "flatten"}, default="last"
        Whether the dense layers see the last step of the recurrent ones, or all steps.
    dropout : float, default=0.2
        Probability with which a value is dropped after each pool and recurrent layer.
    activation : str, default="relu"
        A name in `skeeg.layers.ACTIVATIONS`, for convolutions and dense layers.
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
    module_ : skeeg.networks.CNNGRU
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
    skeeg.networks.CNNGRU : The network alone, with its layers, shapes and initialisation.

    References
    ----------
    .. [1] F. Zamani, R. Wulansari, "Emotion classification using 1D-CNN and RNN based on DEAP
       dataset", CS & IT 11(23), 2021.

    Examples
    --------
    >>> from skeeg import CNNGRUClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = CNNGRUClassifier(max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict_proba(data[:3]).shape
    (3, 2)
    """

    module = CNNGRU
