"""The progress bar of a fit."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback
from tqdm.auto import tqdm


class EpochProgress(Callback):
    """A bar over epochs with the current losses; drawn when ``verbose`` is 1 or more."""

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
        shown = ("train_loss", "train_acc", "valid_loss", "valid_acc")
        self.bar_.set_postfix({key: f"{epoch[key]:.3f}" for key in shown if key in epoch})
        self.bar_.update()

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Leave the bar as it is; an open one could not be pickled with the estimator."""
        if self.bar_ is not None:
            self.bar_.close()
        self.bar_ = None
