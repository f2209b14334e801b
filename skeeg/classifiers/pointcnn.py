"""PointCNN as a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .._electrodes import sphere_positions
from .._validation import POINTS
from ..networks import PointCNN
from ._batches import TrialDataset
from ._placed_features import PlacedFeatures, in_order_of, read_features
from ._training_loop import is_gated
from .base import NetworkClassifier, trial_groups


class PointCNNClassifier(NetworkClassifier):
    """PointCNN [1]_ as a scikit-learn classifier of features at electrodes: a design of skeeg.

    An electrode is a point on the head with features of its own, such as its differential entropy
    in some frequency bands. Where it lies follows from its name, so that a fitted classifier
    predicts from another montage too.

    A trial has some features of each electrode. `X` may be

    * a `skeeg.features.FeatureTable`, or a data frame with columns such as ``"C3_alpha"``, which
      `skeeg.features.DifferentialEntropy` and the like make of recordings whose channels have
      names, after ``set_output(transform="pandas")``: both name their electrodes;
    * an array of shape (n_trials, n_chans, n_features), with `ch_names`;
    * an array of shape (n_trials, n_features * n_chans), with `ch_names`: all channels in the
      first band, then all channels in the second, and so on, as these transformers return it.

    Without any names, electrodes are spread evenly over the upper half of the head in the order
    they come in, and an array of two axes is one electrode. Recordings, such as epochs or
    `EEGData`, are refused: in a pipeline, put features first.

    Trials to predict may come from other electrodes, more or fewer, than those of `fit`: a table or
    a data frame names them, for an array they are set with ``set_params(ch_names=...)``. Their
    features must be the same.

    Parameters
    ----------
    ch_names : sequence of str, optional
        The electrodes, where ``X`` does not name them; in either case.
    montage : str or mne.channels.DigMontage, optional
        Says where electrodes lie: a montage, or the name of one that MNE has, such as
        ``"GSN-HydroCel-128"``. By default MNE's template of the 10-05 system.
    n_embedded : int, default=16
        Number of features that those of an electrode become before the first X-convolution.
    n_first_filters, n_second_filters : int, default=32, 64
        Number of features after the X-convolutions.
    n_first_points, n_second_points : int, default=32, 12
        Number of electrodes that represent all others after each X-convolution; all of them where
        there are fewer.
    n_neighbours : int, default=8
        Number of neighbours that an X-convolution gathers, the electrode itself among them.
    dilation : int, default=2
        The second X-convolution takes every second neighbour, so as to reach further; or the
        widest step that few electrodes allow.
    point_dropout : float, default=0.25
        In training, up to this share of the electrodes is left out, drawn anew for each batch.
    jitter : float, default=0.1
        In training, standard deviation of the noise on coordinates, drawn anew for each batch; the
        head has a radius of 1, and neighbours in the 10-10 system are 0.3 apart.
    n_hidden : int, default=32
        Number of units before the last layer.
    dropout : float, default=0.5
        Probability with which a value is dropped before the last layer.
    activation : str, default="elu"
        A name in `skeeg.layers.ACTIVATIONS`.
    alpha : float, optional
        The ELU coefficient or the leaky slope; None takes that function's default.
    max_epochs : int, default=100
        Passes over the training trials, see also `batch_size`.
    batch_size : int or "auto", default="auto"
        Trials in a step of the optimiser. ``"auto"`` keeps an epoch at a dozen steps or more: 64
        trials, or fewer where there are less than 768, but at least 4; below 48 trials an epoch
        goes over them more than once. -1 takes all trials at once.
    lr : float, default=3e-3
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
    module_ : skeeg.networks.PointCNN
        The trained network.
    scale_ : float
        Standard deviation of the training features, by which all features are divided.
    n_chans_, n_features_ : int
        Shape of a trial in `fit`.
    n_features_in_ : int
        The second axis of ``X`` in `fit`.
    ch_names_ : tuple of str or None
        The electrodes, where their places are known.
    positions_ : ndarray, shape (n_chans, 3)
        Where they lie: to the right, to the front and upwards, on a head of radius 1.
    kinds_ : tuple of str or None
        What the features of an electrode are, where ``X`` names them.
    history : skorch.history.History
        Loss and accuracy of each epoch.
    device_ : str
        Where the network is.

    See Also
    --------
    skeeg.networks.PointCNN : The network alone, with its layers, shapes and departures from [1]_.
    skeeg.features.DifferentialEntropy : Makes features of recordings.

    Notes
    -----
    No publication of PointCNN on EEG is known; the nearest is PointNet++ on coordinates of
    electrodes [2]_.

    `partial_fit` and ``warm_start`` go on from the weights on the montage that they are given: data
    sets of several montages can train one network, one after the other.

    References
    ----------
    .. [1] Y. Li, R. Bu, M. Sun, W. Wu, X. Di, B. Chen, "PointCNN: convolution on X-transformed
       points", NeurIPS 2018, arXiv:1801.07791.
    .. [2] D. Forenzo, H. Zhu, J. Shanahan, J. Lim, B. He, "Continuous tracking using deep
       learning-based decoding for noninvasive brain-computer interface", PNAS Nexus 3(4), pgae145,
       2024, doi:10.1093/pnasnexus/pgae145.

    Examples
    --------
    Trained on every other electrode of a cap, tested on the others:

    >>> from skeeg import PointCNNClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.features import DifferentialEntropy
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=30, difficulty=0, random_state=0)
    >>> entropy = DifferentialEntropy(sfreq=128, bands={"mu": (8, 13), "beta": (16, 26)})
    >>> table = entropy.set_output(transform="pandas").fit_transform(data)
    >>> some = [column for column in table if column.split("_")[0] in data.ch_names[::2]]
    >>> others = [column for column in table if column not in some]
    >>> clf = PointCNNClassifier(max_epochs=20, random_state=0)
    >>> clf.fit(table[some][:80], data.y[:80]).n_chans_
    11
    >>> clf.score(table[others][80:], data.y[80:]) > 0.7
    True
    """

    module = PointCNN
    _trial_axes = POINTS

    module_: PointCNN
    kinds_: tuple[str, ...] | None

    def __init__(
        self,
        *,
        ch_names: Sequence[str] | None = None,
        montage: Any = None,
        n_embedded: int = 16,
        n_first_filters: int = 32,
        n_second_filters: int = 64,
        n_first_points: int = 32,
        n_second_points: int = 12,
        n_neighbours: int = 8,
        dilation: int = 2,
        point_dropout: float = 0.25,
        jitter: float = 0.1,
        n_hidden: int = 32,
        dropout: float = 0.5,
        activation: str = "elu",
        alpha: float | None = None,
        max_epochs: int = 100,
        batch_size: int | str = "auto",
        lr: float = 3e-3,
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
        self.ch_names = ch_names
        self.montage = montage
        self.n_embedded = n_embedded
        self.n_first_filters = n_first_filters
        self.n_second_filters = n_second_filters
        self.n_first_points = n_first_points
        self.n_second_points = n_second_points
        self.n_neighbours = n_neighbours
        self.dilation = dilation
        self.point_dropout = point_dropout
        self.jitter = jitter
        self.n_hidden = n_hidden
        self.dropout = dropout
        self.activation = activation
        self.alpha = alpha
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

    @classmethod
    def _network_param_names(cls) -> list[str]:
        names = super()._network_param_names()
        return [name for name in names if name not in ("ch_names", "montage")]

    @property
    def positions_(self) -> NDArray[np.float64]:
        """Where the electrodes lie."""
        return self.module_.positions.cpu().numpy()

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        params = super()._module_params(explicit)
        names = getattr(self, "ch_names_", None)
        if names is None:
            return params
        return params | {"positions": sphere_positions(names, self.montage)}

    def _unwrapped(self, X: Any, *, reset: bool) -> PlacedFeatures:
        name = type(self).__name__
        ch_names = self.ch_names
        if ch_names is None and not reset:
            ch_names = self.ch_names_
        features = read_features(X, ch_names, self.montage, reset=reset, name=name)
        if reset:
            self.kinds_ = features.kinds
        elif self.kinds_ is not None and features.kinds is not None:
            return in_order_of(features, self.kinds_, name=name)
        return features

    def _other_positions(self, features: PlacedFeatures) -> NDArray[np.float64] | None:
        """Return the places of electrodes, if they are others than the network stands on."""
        same = features.ch_names == self.ch_names_ or self.ch_names_ is None
        return None if same else features.positions

    def _training_data(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, *, reset: bool, classes: Any
    ) -> TrialDataset:
        features = self._unwrapped(X, reset=reset)
        if groups is None:
            groups = trial_groups(X)
        training = super()._training_data(
            features, y, sample_weight, groups, reset=reset, classes=classes
        )
        positions = self._other_positions(features)
        if positions is not None:
            self.module_.move_to(positions)
            self.ch_names_, self.n_chans_ = features.ch_names, self.module_.n_chans
        return training

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return trials as torch sees them, with the places of electrodes other than in `fit`.

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
        features = self._unwrapped(X, reset=False)
        dataset = super().get_dataset(features)
        positions = self._other_positions(features)
        if positions is not None:
            # A row per trial, as of all that is computed beforehand, but in the memory of one.
            rows = torch.from_numpy(positions).expand(len(dataset), -1, -1)
            dataset.precomputed = {"positions": rows}
        return dataset

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Return the network's output for a batch, all of it from one montage.

        Parameters
        ----------
        x : torch.Tensor or mapping with ``X``
            As the data set gives it.

        Returns
        -------
        output : torch.Tensor, shape (n_trials, n_outputs)
        """
        if isinstance(x, Mapping) and "positions" in x.get("precomputed", {}):
            fit_params["positions"] = x["precomputed"]["positions"][0]
            x = x["X"]
        return super().infer(x, **fit_params)
