"""Methods with which a fitted network meets a new subject, session or recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from numpy.typing import ArrayLike

from ._adaptation import adapt_network
from ._finetuning import finetune_network


class NewDomains:
    """What network estimators learn from a new domain, with and without labels."""

    #: Layers of batch normalisation whose statistics a training leaves as they are.
    _fixed_norms: Sequence[Any] = ()

    def adapt(self, X: Any, *, rescale: bool = True) -> Self:
        """Adapt batch normalisation to a new domain by its trials, without labels.

        The mean and the variance of each layer of batch normalisation become those over all of
        these trials [1]_. The weights do not change. The result depends on these trials only, not
        on an earlier call. It is a transductive step if the trials are those to be predicted:
        declare it where you report a score, or use `skeeg.adaptation.AdaptedClassifier`, which
        `skeeg.compare` marks.

        Parameters
        ----------
        X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
            Trials of one domain: one subject, session or recording. Their classes should be as
            frequent as in the training data.
        rescale : bool, default=True
            Whether ``scale_`` becomes that of these trials, so that their unit and gain do not
            matter.

        Returns
        -------
        self : object
            Changed in place, as by `partial_fit`. To keep this estimator, adapt a
            ``copy.deepcopy`` of it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the network has no batch normalisation, or the trials are invalid or too few. The
            estimator is then as it was.

        Notes
        -----
        Layers are estimated one after another in the order of the forward pass, each from inputs
        that the layers before it have normalised with their new statistics, in evaluation mode.
        Sums are in float64, over all trials, whatever the batches. The variance is the unbiased
        one, as in torch's running statistics.

        References
        ----------
        .. [1] Y. Li, N. Wang, J. Shi, J. Liu and X. Hou, "Revisiting batch normalization for
           practical domain adaptation", arXiv:1603.04779, 2016.

        Examples
        --------
        >>> import copy
        >>> import numpy as np
        >>> from skeeg import EEGNetClassifier
        >>> X = np.random.default_rng(0).standard_normal((16, 4, 64))
        >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(X, [0, 1] * 8)
        >>> adapted = copy.deepcopy(clf).adapt(3 * X)
        >>> bool(adapted.scale_ > clf.scale_)
        True
        """
        self._require_fitted()  # type: ignore[attr-defined]
        adapt_network(self, X, rescale=rescale)
        return self

    def finetune(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        freeze: str | Sequence[str] | None = None,
        lr: float | None = None,
        max_epochs: int | None = None,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train further on a few labelled trials of a new domain, with chosen layers frozen.

        Weights, scale and classes are those of `fit`; ``history`` continues. The optimiser is a new
        one.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `partial_fit`. The labels must be among ``classes_``; some may be missing.
        freeze : str, sequence of str or None, default=None
            Layers or weights that do not change, by their names in ``module_``, with wildcards as
            in ``"*norm*"``. A layer stands for all that is in it. The statistics of batch
            normalisation of frozen layers do not change either. ``"all_but_last"`` freezes all
            weights but those of the layer that was registered last, the output of the networks of
            skeeg.
        lr : float, optional
            Learning rate of this training; None is that of the estimator.
        max_epochs : int, optional
            Epochs of this training; None is the number of the estimator.

        Returns
        -------
        self : object
            Changed in place, as by `partial_fit`. To keep this estimator, train a
            ``copy.deepcopy`` of it.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If no layer has a name of `freeze`, nothing is left to train, or as in `partial_fit`.

        Examples
        --------
        >>> import copy
        >>> import numpy as np
        >>> from skeeg import EEGNetClassifier
        >>> X = np.random.default_rng(0).standard_normal((16, 4, 64))
        >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(X, [0, 1] * 8)
        >>> tuned = copy.deepcopy(clf).finetune(X[:6], [0, 1] * 3, freeze="filters", max_epochs=3)
        >>> len(tuned.history)
        5
        """
        self._require_fitted()  # type: ignore[attr-defined]
        fit_options = {"sample_weight": sample_weight, "groups": groups}
        finetune_network(
            self, X, y, freeze=freeze, lr=lr, max_epochs=max_epochs, fit_options=fit_options
        )
        return self
