"""Which samples of which channels speak for the class that a network says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, column_or_1d
from torch import Tensor

from .._checks import check_choice
from ..classifiers import NetworkClassifier
from ._networks import BATCH, check_network, evaluated


def _logit(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes[:, None])[:, 0]


def _log_odds(logits: Tensor, classes: Tensor) -> Tensor:
    others = logits.scatter(1, classes[:, None], -torch.inf)
    return _logit(logits, classes) - others.logsumexp(dim=1)


#: What may be taken apart into what each sample contributes.
_TARGETS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "log_odds": _log_odds,
    "logit": _logit,
}


def gradient_times_input(
    classifier: NetworkClassifier,
    X: Any,
    y: ArrayLike | None = None,
    *,
    target: str = "log_odds",
) -> NDArray[np.float64]:
    """Return how much each sample of a trial speaks for a class, to first order [1]_.

    Parameters
    ----------
    classifier : NetworkClassifier
        Any fitted network, topographic ones and `skeeg.ModuleClassifier` included.
    X : ndarray, mne.Epochs, EEGData or torch.Tensor, shape (n_trials, n_chans, n_times)
        Trials as for ``predict``; of topographic networks, (n_trials, n_bands, height, width).
    y : array-like, shape (n_trials,), optional
        The class that is asked about, for each trial; the predicted one when left out.
    target : {"log_odds", "logit"}, default="log_odds"
        What samples contribute to: the logarithm of p / (1 - p) with p the probability of the
        class, or the network's own output for it. A constant that all outputs share changes no
        probability, but does change each ``"logit"``.

    Returns
    -------
    saliency : ndarray of float64, shape (n_trials, n_chans, n_times)
        Or that of the maps. Positive where a sample speaks for the class, negative against it. It
        does not depend on the unit of `X`.

    Raises
    ------
    TypeError
        If `classifier` is no network of skeeg.
    NotFittedError
        If it is not fitted.
    ValueError
        If the trials do not fit it, a label is none of its classes, or `target` is unknown.

    See Also
    --------
    channel_importance : What a score loses without a channel; of any estimator.

    Notes
    -----
    The saliency of a sample x is x times the derivative of the target by x, the network being in
    evaluation. Of a network that is linear in its input, the saliencies of a trial add up to the
    target without its constant. Of others they are the first term of its Taylor series around the
    trial, and need not add up to anything: where the class rests on power, which is even in the
    signal, look at the sum over time of many trials rather than at single samples. Electrodes that
    carry only noise get saliency too, where the network uses them to cancel noise elsewhere; see
    `spatial_patterns` for where sources are.

    References
    ----------
    .. [1] A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje, "Not just a black box: learning
       important features through propagating activation differences", 2016. arXiv 1605.01713.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.inspection import gradient_times_input
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = EEGNetClassifier(max_epochs=2, random_state=0).fit(data, data.y)
    >>> gradient_times_input(clf, data[:5]).shape
    (5, 22, 320)
    """
    score = _TARGETS[check_choice("target", target, _TARGETS)]
    network = check_network(classifier, "gradient_times_input")
    dataset = network.get_dataset(X)
    classes = None if y is None else _class_indices(network, y, dataset.trials)
    saliency = np.empty(dataset.trials.shape)
    # cuDNN differentiates recurrent layers in training only.
    no_cudnn = torch.backends.cudnn.flags(enabled=False)
    with evaluated(network), no_cudnn, torch.enable_grad():
        for start in range(0, len(dataset), BATCH):
            part = slice(start, start + BATCH)
            batch, _ = dataset[part]
            known = batch if isinstance(batch, Mapping) else {"X": batch}
            x = known["X"].to(network.device_, copy=True).requires_grad_()
            logits = network.infer({**known, "X": x})
            asked = logits.argmax(dim=1) if classes is None else classes[part].to(logits.device)
            (gradient,) = torch.autograd.grad(score(logits, asked).sum(), x)
            saliency[part] = (gradient.double() * x.detach().double()).cpu().numpy()
    return saliency


def _class_indices(classifier: NetworkClassifier, y: ArrayLike, trials: Tensor) -> Tensor:
    labels = column_or_1d(y)
    check_consistent_length(trials, labels)
    return torch.from_numpy(classifier._encode_labels(labels, reset=False, classes=None))
