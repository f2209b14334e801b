"""Channel selection learnt together with a network."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import clone

from .._checks import check_flag
from ..estimators import EEGNetClassifier
from ._base import ChannelSelector


class GumbelChannelSelector(ChannelSelector):
    """Keep the channels that a network selects during its training [1]_.

    Unlike criteria for single channels, the network considers channels jointly, and by the features
    that it learns.

    Parameters
    ----------
    estimator : classifier of skeeg, optional
        The network, such as `skeeg.ShallowConvNetClassifier`, with the parameter
        ``n_selected_chans``. None means `skeeg.EEGNetClassifier`. Set ``random_state`` and
        parameters such as ``selection__penalty`` on the network.
    n_selected_chans : int, default=8
        Number of channels to select; all if there are fewer.
    unique : bool, default=True
        Whether the network must choose different channels. If False, it can choose a channel
        twice, and fewer than `n_selected_chans` are kept.

    Attributes
    ----------
    selected_channels_ : ndarray of int, shape (n_kept,)
        Positions of the channels that are kept, in the order of the recording.
    selected_ch_names_ : tuple of str or None
        Their names, if the training data had names.
    estimator_ : classifier
        The fitted network; its ``selection_probabilities_`` and ``selection_entropy_`` show how
        certain the selection is.
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
    skeeg.layers.GumbelChannelSelection : The layer, with the formulas.
    skeeg.plotting.plot_selection : Draws the positions of the channels.

    References
    ----------
    .. [1] T. Strypsteen, A. Bertrand, "End-to-end learnable EEG channel selection for deep neural
       networks with Gumbel-softmax", J. Neural Eng. 18:0460a9, 2021. arXiv 2102.09050.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skeeg import EEGNetClassifier, GumbelChannelSelector
    >>> from skeeg.baselines import csp_lda
    >>> network = EEGNetClassifier(max_epochs=50, random_state=0)
    >>> model = make_pipeline(GumbelChannelSelector(network, n_selected_chans=4), csp_lda())
    """

    def __init__(
        self, estimator: Any = None, n_selected_chans: int = 8, unique: bool = True
    ) -> None:
        self.estimator = estimator
        self.n_selected_chans = n_selected_chans
        self.unique = unique

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network and keep the channels that it selects.

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
            If the training was too short to select channels.
        """
        network = EEGNetClassifier() if self.estimator is None else clone(self.estimator)
        if not hasattr(network, "n_selected_chans"):
            raise TypeError(
                f"estimator of {type(self).__name__} must be a classifier of raw EEG with "
                f"n_selected_chans, such as EEGNetClassifier(), got {network!r}."
            )
        unique = check_flag("unique", self.unique)
        _, _, n_selected = self._check_training(X, y)
        network.set_params(n_selected_chans=n_selected, selection__unique=unique)
        self.estimator_ = network.fit(X, y, sample_weight=sample_weight, groups=groups)
        self._keep(self.estimator_.selected_channels_)
        return self
