"""The loss of a batch: the output of the network, the criterion, the weights of trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from sklearn.base import ClassifierMixin

from ._hooks import hook, uncompiled


def checked_output(net: Any, output: Any) -> torch.Tensor:
    """Return the output of the network, the first where there are several.

    Parameters
    ----------
    net : NetworkEstimator
    output : torch.Tensor, or a tuple or list that begins with one

    Returns
    -------
    output : torch.Tensor, shape (n_trials, n_outputs)

    Raises
    ------
    TypeError, ValueError
        If it is not a tensor, or has another shape.
    """
    output = output[0] if isinstance(output, (tuple, list)) else output
    expected = net._n_outputs()
    if not isinstance(output, torch.Tensor):
        raise TypeError(
            f"The network of this {type(net).__name__} returned {type(output).__name__}, "
            f"where a tensor of shape (n_trials, {expected}), or a tuple that begins with one, "
            "is needed."
        )
    if output.ndim == 1 and expected == 1:
        output = output[:, None]
    if output.ndim != 2 or expected not in (None, output.shape[1]):
        raise ValueError(
            f"The network of this {type(net).__name__} returned a tensor of shape "
            f"{tuple(output.shape)}, where (n_trials, {expected}) is needed. Build it with "
            f"n_outputs={expected}."
        )
    return output


def set_reduction(net: Any, *, weighted: bool) -> None:
    """Let a loss that the estimator made return one value per trial where trials have weights."""
    made_here = not isinstance(net._criterion_or_default(), torch.nn.Module)
    criterion = uncompiled(getattr(net, "criterion_", None))
    if made_here and hasattr(criterion, "reduction"):
        explicit = vars(net).get("criterion__reduction", "mean")
        criterion.reduction = "none" if weighted else explicit


def weighted_loss(net: Any, y_pred: Any, y_true: torch.Tensor, *, training: bool) -> torch.Tensor:
    """Return the mean of the trials' losses, each times its trial's weight.

    Parameters
    ----------
    net : NetworkEstimator
    y_pred : torch.Tensor, shape (n_trials, n_outputs)
    y_true : torch.Tensor, shape (n_trials,) or (n_trials, n_outputs)
        Class indices, probabilities of the classes, or values.
    training : bool
        Whether to add the penalty of the network.

    Returns
    -------
    loss : torch.Tensor, scalar
    """
    output, y_true = checked_output(net, y_pred), y_true.to(net.device_)
    if isinstance(net, ClassifierMixin) and y_true.is_floating_point() and y_true.ndim == 2:
        loss = _expected_losses(net, output, y_true)
        of_targets = None
    else:
        loss = losses_of_trials(net, output, y_true)
        of_classes = net._class_weights
        of_targets = None if of_classes is None else of_classes.to(net.device_)[y_true]
    for weight in (net._batch_weight, of_targets):
        if weight is None:
            continue
        _check_has_trials(loss)
        if len(weight) != len(loss):
            raise ValueError(
                f"The data loader gives {len(weight)} values of sample_weight with a batch of "
                f"{len(loss)} trials. A loader that changes the number of trials must change "
                "their weights too."
            )
        loss = loss * weight.to(net.device_)
    penalty = hook(net.module_, "penalty") if training else None
    return loss.mean() if penalty is None else loss.mean() + penalty()


def losses_of_trials(net: Any, output: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
    """Return one loss per trial, or a scalar from a criterion that reduces by itself."""
    loss = net.criterion_(net._loss_input(output), y_true)
    return loss.flatten(1).mean(dim=1) if loss.ndim > 1 else loss


def _expected_losses(net: Any, output: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """Return the expectation of each trial's loss over its class, with the weights of classes.

    Each trial is compared with every class, so that any criterion of class indices will do. The
    cross-entropy that reduces by itself, which a user passes, takes probabilities.
    """
    of_classes = net._class_weights
    criterion = uncompiled(net.criterion_)
    reduces = isinstance(criterion, torch.nn.CrossEntropyLoss) and criterion.reduction != "none"
    if reduces and of_classes is None:
        return losses_of_trials(net, output, probabilities)
    n_trials, n_classes = probabilities.shape
    every_class = torch.arange(n_classes, device=output.device).repeat(n_trials)
    losses = losses_of_trials(net, output.repeat_interleave(n_classes, dim=0), every_class)
    _check_has_trials(losses)
    if of_classes is not None:
        probabilities = probabilities * of_classes.to(output.device)
    return (probabilities * losses.view(n_trials, n_classes)).sum(dim=1)


def _check_has_trials(loss: torch.Tensor) -> None:
    if loss.ndim == 0:
        raise ValueError(
            "sample_weight, class_weight and mixup need a criterion that returns one loss per "
            'trial; pass it as a class, or as an instance with reduction="none".'
        )


def pairs_of(net: Any, batches: Iterable[Any], *, needed: bool) -> Iterator[Any]:
    """Yield batches as pairs (X, y); the estimator keeps the weights of each for its loss.

    Data loaders give the weights as a third item, so that a transform of ``X`` gets trials only.
    skorch, and callbacks, expect pairs.

    Parameters
    ----------
    net : NetworkEstimator
    batches : iterable of (X, y) or (X, y, weight)
    needed : bool
        Whether batches without weights are an error.
    """
    for batch in batches:
        net._batch_weight = None
        if isinstance(batch, (tuple, list)) and len(batch) == 3:
            *batch, net._batch_weight = batch
        elif needed:
            raise ValueError(
                "sample_weight needs a data loader that passes the weights on, as the third item "
                f"of a batch (X, y, sample_weight). The batches of {net.iterator_train!r} have "
                "none."
            )
        yield batch
    net._batch_weight = None
