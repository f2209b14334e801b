"""Fitted attributes in the files of ``save_params``.

skorch saves the ``state_dict`` of a network with ``torch.save``. The other attributes that a
prediction needs (classes, scale, shape, names) are stored in the metadata of the ``state_dict``, so
that torch, skorch and other tools can still load the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

#: Key of the fitted attributes in the metadata of the outermost module.
KEY = "skeeg"

#: Attributes set in a fit; an estimator has some of them.
FITTED = (
    "scale_",
    "input_ndim_",
    "n_chans_",
    "n_times_",
    "n_bands_",
    "height_",
    "width_",
    "n_features_",
    "n_features_in_",
    "feature_names_in_",
    "ch_names_",
    "sfreq_",
    "kinds_",
    "classes_inferred_",
    "y_mean_",
    "y_scale_",
    "y_ndim_",
    "_typical_amplitude",
)


def write_fitted(estimator: Any) -> dict[str, Any]:
    """Return the fitted attributes as types that torch loads without executing code.

    Parameters
    ----------
    estimator : NetworkEstimator

    Returns
    -------
    found : dict of str to object
    """
    return {name: _plain(value) for name, value in vars(estimator).items() if name in FITTED}


def read_fitted(estimator: Any, found: dict[str, Any]) -> None:
    """Set the attributes that `write_fitted` returned.

    Parameters
    ----------
    estimator : NetworkEstimator
    found : dict of str to object
    """
    for name in FITTED:
        vars(estimator).pop(name, None)
        if name in found:
            setattr(estimator, name, _restored(found[name]))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": value.dtype.str}
    if isinstance(value, tuple):
        return {"tuple": [_plain(item) for item in value]}
    return value.item() if isinstance(value, np.generic) else value


def _restored(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(value["tuple"])
    return np.array(value["array"], dtype=np.dtype(value["dtype"]))


class FittedInStateDict:
    """Context in which fitted attributes are saved and loaded with a module's ``state_dict``.

    Parameters
    ----------
    module : torch.nn.Module
    estimator : NetworkEstimator

    Attributes
    ----------
    found : dict or None
        The fitted attributes in a loaded ``state_dict``.
    """

    def __init__(self, module: nn.Module, estimator: Any) -> None:
        self.found: dict[str, Any] | None = None

        def add(module: nn.Module, state: Any, prefix: str, local_metadata: Any) -> None:
            if prefix == "" and estimator.__sklearn_is_fitted__():
                local_metadata[KEY] = write_fitted(estimator)

        def take(
            module: nn.Module, state: Any, prefix: str, local_metadata: Any, *rest: Any
        ) -> None:
            if prefix == "":
                self.found = local_metadata.get(KEY)

        self._handles: list[Any] = [
            module.register_state_dict_post_hook(add),
            module.register_load_state_dict_pre_hook(take),
        ]

    def __enter__(self) -> FittedInStateDict:
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()
