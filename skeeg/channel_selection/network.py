"""Channel selection by a network."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import clone

from ..estimators import EEGNetClassifier
from ..estimators._elimination import select_channels
from ._base import ChannelSelector


class NetworkChannelSelector(ChannelSelector):
    r"""Keep the channels that a network depends on most.

    A network is trained on all channels. In the last part of the training, channels are removed
    step by step, and the network adapts to those that are left. Unlike criteria for single
    channels, the network considers channels jointly, and by the features that it learns.

    Parameters
    ----------
    estimator : classifier of skeeg, optional
        The network, such as `skeeg.ShallowConvNetClassifier`, with the parameter
        ``n_selected_chans``. None means `skeeg.EEGNetClassifier`. Set ``random_state`` and
        parameters such as ``selection__start`` on the network.
    n_selected_chans : int, default=8
        Number of channels to select; all if there are fewer.

    Attributes
    ----------
    selected_channels_ : ndarray of int, shape (n_kept,)
        Positions of the channels that are kept, in the order of the recording.
    selected_ch_names_ : tuple of str or None
        Their names, if the training data had names.
    selection_ranking_ : ndarray of int, shape (n_chans,)
        1 for selected channels, 2 for the channel that was removed last, and so on. Not with
        ``selection__method="gumbel"``.
    selection_saliency_ : ndarray of float32, shape (n_chans,)
        Share of each channel in the saliency of all channels that were left, when it was last
        computed. Not with ``selection__method="gumbel"``.
    estimator_ : classifier
        With ``selection__method="gumbel"``: the fitted network. Its ``selection_probabilities_``
        and ``selection_entropy_`` show how certain the selection is.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float or None
        Sampling rate of the training data in Hz, if known.
    n_features_in_ : int
        Length of the second axis of the training data.

    See Also
    --------
    skeeg.layers.GumbelChannelSelection : The layer of ``selection__method="gumbel"``.
    skeeg.plotting.plot_selection : Draws the positions of the channels.

    Notes
    -----
    Each channel n has a gate :math:`g_n`, by which it is multiplied before the network. The gate
    is 1, and 0 after the channel was removed. The saliency of a channel is

    .. math:: \sum_i \sum_k \left( \partial f_k(x_i) / \partial g_n \right)^2

    over trials i and outputs k, with the mean of a classifier's outputs subtracted, in evaluation
    mode. To first order it is how much the outputs change when the channel is removed. Pruning
    units of a network by gradients of gates is due to [1]_ and [2]_, whose criteria use the
    gradient of the loss; removing inputs step by step, with a training in between, is recursive
    feature elimination [3]_. Here the outputs take the place of the loss, so that trials which
    the network already classifies with certainty count too, and all steps are part of one
    training.

    References
    ----------
    .. [1] P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, "Pruning convolutional neural
       networks for resource efficient inference", ICLR 2017. arXiv 1611.06440.
    .. [2] L. Theis, I. Korshunova, A. Tejani, F. Huszar, "Faster gaze prediction with dense
       networks and Fisher pruning", 2018. arXiv 1801.05787.
    .. [3] I. Guyon, J. Weston, S. Barnhill, V. Vapnik, "Gene selection for cancer classification
       using support vector machines", Machine Learning 46:389-422, 2002.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skeeg import EEGNetClassifier, NetworkChannelSelector
    >>> from skeeg.baselines import csp_lda
    >>> network = EEGNetClassifier(max_epochs=50, random_state=0)
    >>> model = make_pipeline(NetworkChannelSelector(network, n_selected_chans=4), csp_lda())
    """

    def __init__(self, estimator: Any = None, n_selected_chans: int = 8) -> None:
        self.estimator = estimator
        self.n_selected_chans = n_selected_chans

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network, in the course of which channels are removed, and keep the others.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in any unit; or shape (n_trials, n_times) for one channel.
        y : array-like, shape (n_trials,)
            Class labels of any type.
        sample_weight, groups : array-like, shape (n_trials,), optional
            Passed to ``fit`` of the network.

        Returns
        -------
        self : object
            The fitted selector.

        Raises
        ------
        TypeError
            If `estimator` has no ``n_selected_chans``.
        ValueError
            If `n_selected_chans` is not an integer of at least 1, or the trials or the labels are
            invalid.

        Warns
        -----
        UserWarning
            If `n_selected_chans` is greater than the number of channels: all of them are kept.
        ConvergenceWarning
            With ``selection__method="gumbel"``, if the training was too short.
        """
        network = EEGNetClassifier() if self.estimator is None else clone(self.estimator)
        if not hasattr(network, "n_selected_chans"):
            raise TypeError(
                f"estimator of {type(self).__name__} must be a classifier of raw EEG with "
                f"n_selected_chans, such as EEGNetClassifier(), got {network!r}."
            )
        _, _, n_selected = self._check_training(X, y)
        network.set_params(n_selected_chans=n_selected)
        for name in ("estimator_", "selection_ranking_", "selection_saliency_"):
            self.__dict__.pop(name, None)
        selection = select_channels(network, X, y, sample_weight, groups)
        if selection is None:
            self.estimator_ = network.fit(X, y, sample_weight=sample_weight, groups=groups)
            self._keep(self.estimator_.selected_channels_)
        else:
            self.selection_ranking_ = selection.ranking
            self.selection_saliency_ = selection.saliency
            self._keep(selection.channels)
        return self
