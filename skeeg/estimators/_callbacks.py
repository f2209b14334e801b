"""Callbacks of a fit: progress bar and early stopping."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback, EarlyStopping, EpochTimer, PassthroughScoring, PrintLog
from tqdm import tqdm  # that of tqdm.auto warns in notebooks without ipywidgets

from ._hooks import hook


def responds(callback: Any, event: str) -> bool:
    """Return whether a callback has its own method for an event.

    Parameters
    ----------
    callback : skorch.callbacks.Callback, or an object with methods of the same names
    event : str
        Name of the method, such as ``"on_epoch_end"``.

    Returns
    -------
    responds : bool
    """
    if not isinstance(callback, Callback):
        return hasattr(callback, event)
    inherited = getattr(Callback, event, None)
    return event in vars(callback) or getattr(type(callback), event, None) is not inherited


def check_callbacks(callbacks: Any) -> None:
    """Raise a TypeError if ``callbacks`` is not valid for skorch."""
    if callbacks is None or (isinstance(callbacks, str) and callbacks == "disable"):
        return
    if not isinstance(callbacks, list):
        raise TypeError(
            "callbacks must be a list of skorch callbacks or of pairs (name, callback), None or "
            f'"disable", got {callbacks!r}.'
        )
    for item in callbacks:
        named = isinstance(item, (list, tuple)) and len(item) == 2 and isinstance(item[0], str)
        callback = item[1] if named else item
        needed = ("initialize",) if isinstance(callback, type) else ("initialize", "set_params")
        if callback is not None and not all(hasattr(callback, name) for name in needed):
            raise TypeError(
                f"callbacks holds {item!r}, which is not a skorch callback. Derive it from "
                "skorch.callbacks.Callback, or give it the methods initialize and set_params."
            )


def default_callbacks(net: Any) -> list[tuple[str, Callback]]:
    """Return the callbacks that run in addition to those of the parameter ``callbacks``."""
    callbacks: list[tuple[str, Any]] = [("epoch_timer", EpochTimer())]
    for part in ("train", "valid"):
        for name, is_loss in (("loss", True), (net.recorded_score, net._score_is_loss)):
            scoring = PassthroughScoring(
                f"{part}_{name}", lower_is_better=is_loss, on_train=part == "train"
            )
            callbacks.append((f"{part}_{name}", scoring))
    if net.early_stopping:
        stopping = SettledEarlyStopping(
            patience=net.n_iter_no_change, load_best=True, sink=_write_nothing
        )
        callbacks.append(("early_stopping", stopping))
    callbacks.append(("progress", EpochProgress()))
    log = PrintLog() if net.verbose >= 2 else PrintLog(sink=_write_nothing)
    return [*callbacks, ("print_log", log)]


def check_callback_parameters(net: Any) -> None:
    """Raise a ValueError if a parameter ``callbacks__name`` does not name a callback."""
    names = {name for name, _, _ in net._yield_callbacks()}
    for parameter in vars(net):
        name = parameter.removeprefix("callbacks__").partition("__")[0]
        if parameter.startswith("callbacks__") and name not in names | dict(net.callbacks_).keys():
            raise ValueError(
                f"{parameter} names no callback of this {type(net).__name__}; "
                f"it has {', '.join(sorted(names))}."
            )


def _write_nothing(*args: Any, **kwargs: Any) -> None:
    """Replace ``print`` in callbacks that would write to the terminal."""


class EpochProgress(Callback):
    """Progress bar over epochs with the current losses, if ``verbose`` is at least 1."""

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Draw an empty bar."""
        self.bar_ = (
            tqdm(total=net.max_epochs, desc=type(net).__name__, unit="epoch")
            if net.verbose
            else None
        )

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Move the bar by one epoch."""
        if self.bar_ is None:
            return
        epoch = net.history[-1]
        names = ("loss", net.recorded_score)
        shown = [f"{part}_{name}" for part in ("train", "valid") for name in names]
        self.bar_.set_postfix({key: f"{epoch[key]:.3f}" for key in shown if key in epoch})
        self.bar_.update()

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Close the bar, because an open one cannot be pickled with the estimator."""
        if self.bar_ is not None:
            self.bar_.close()
        self.bar_ = None


class SettledEarlyStopping(EarlyStopping):
    """Early stopping that starts when the network's ``is_settled`` is True."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Count the epoch, unless the network is not settled."""
        if hook(net.module_, "is_settled") is not False:
            super().on_epoch_end(net, **kwargs)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Restore the best weights, if there was an epoch."""
        if len(net.history):
            super().on_train_end(net, **kwargs)
