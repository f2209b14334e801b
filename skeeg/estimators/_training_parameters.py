"""The parameters of the training, which every network estimator has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from numpy.random import RandomState

from .._parameters import Parameters, parameter
from ..augmentation import Augmentation

#: Documentation of the parameters that are not in the signature.
SKORCH_PARAMETERS = """**skorch_params
    Parameters of skorch and its components: ``criterion``, ``train_split``,
    ``optimizer__betas``, ``iterator_train__num_workers``, ``criterion__label_smoothing``,
    ``callbacks__print_log``, ..."""


class TrainingParameters(Parameters):
    """Parameters of the training."""

    max_epochs: int = parameter(
        default=100, doc="Number of passes over the training trials, see also `batch_size`."
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        doc="""Number of trials in a step of the optimiser. ``"auto"`` gives an epoch at least a
        dozen steps: batches have 64 trials, or fewer if there are less than 768 trials, but at
        least 4. With less than 48 trials an epoch passes over them more than once. -1 uses all
        trials in one step.""",
    )
    lr: float = parameter(default=1e-3, doc="Learning rate.")
    weight_decay: float = parameter(default=0.0, doc="Weight decay, as the optimiser defines it.")
    optimizer: str | Callable[..., Any] = parameter(
        default="adam",
        kind="str or class",
        doc="""``"adam"``, ``"adamw"``, ``"nadam"``, ``"radam"``, ``"rmsprop"``, ``"sgd"`` or a
        class such as ``torch.optim.Adagrad``. Set its other options with double underscores, as in
        ``optimizer__momentum=0.9``.""",
    )
    augment: str | Augmentation | Sequence[str | Augmentation] | None = parameter(
        default=None,
        kind="str, Augmentation, list of them, or None",
        doc="""Random changes of the trials of each training batch, applied in their order: names
        such as ``"time_shift"``, or objects such as ``TimeShift(0.2)``, see `skeeg.augmentation`.
        Trials of validation and prediction are never changed. ``history`` has the loss and the
        score of the changed training trials.""",
    )
    early_stopping: bool = parameter(
        default=False,
        doc="""Whether to set trials aside for validation, stop when the validation loss no longer
        falls, and restore the best weights.""",
    )
    validation_fraction: float = parameter(
        default=0.2,
        doc="""Proportion of the training trials that ``early_stopping`` sets aside. Classifiers
        stratify them by class. With ``groups`` in `fit`, a group is never divided.""",
    )
    n_iter_no_change: int = parameter(
        default=20,
        doc="Number of epochs without improvement after which ``early_stopping`` stops.",
    )
    device: str = parameter(
        default="auto",
        doc="""``"auto"`` (CUDA if it is available, else the CPU), ``"cpu"``, ``"cuda"`` or
        ``"cuda:1"``.""",
    )
    n_threads: int = parameter(
        default=1,
        doc="""Number of threads of each operation on the CPU. Results with another number differ in
        the last bits, because sums are split differently. To use all cores, run folds in parallel
        with ``n_jobs``.""",
    )
    random_state: int | RandomState | None = parameter(
        default=None,
        kind="int, RandomState or None",
        doc="""Seed of the weights, batches and dropout. With an integer, two fits are equal to the
        last bit. The global generators of numpy and torch are neither used nor changed.""",
    )
    warm_start: bool = parameter(
        default=False,
        doc="""Whether `fit` continues from the weights, the optimiser and the random numbers of the
        previous fit. Two fits of 10 epochs to the same trials are then equal to one of 20, to the
        last bit, without ``early_stopping``, ``compile`` and callbacks that begin anew.""",
    )
    callbacks: Sequence[Any] | None = parameter(
        default=None,
        kind="list of skorch callbacks",
        doc="Callbacks in addition to those that record ``history``.",
    )
    verbose: int = parameter(
        default=0, doc="1 shows a progress bar, 2 also prints a line per epoch."
    )
