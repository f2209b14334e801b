"""The models of a command, with the parameters of its options and its file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import typer

from .._labelled import LabelledRows
from ..models import MODELS, build_model, check_names, spelt_as_known
from .options import chosen, chosen_models, names_between_commas
from .windows import FEATURE_MODELS, RECURRENT_MODELS

if TYPE_CHECKING:
    from ..features import FeatureTable

DEFAULT_MODELS = "eegnet,deepconvnet,csp-lda,band-power-svm,band-power-mlp"
#: The models compared by default where the targets are continuous.
REGRESSION_MODELS = "band-power-ridge,spoc-ridge"
#: Default number of epochs for simulated data: enough for scores above chance in a minute or two.
SIMULATION_EPOCHS = 40


@dataclass(frozen=True)
class Settings:
    """What the options and the file say of the models.

    Parameters
    ----------
    epochs : int, optional
    early_stopping : bool
        Of the networks.
    parameters : mapping of str to dict
        Parameters of models by their names.
    """

    epochs: int | None = None
    early_stopping: bool = False
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def build(self, names: Sequence[str], rows: LabelledRows) -> dict[str, Any]:
        """Return the unfitted models by name, without those whose package is not installed.

        Parameters
        ----------
        names : sequence of str
        rows : EEGData or FeatureTable

        Returns
        -------
        models : dict of str to estimator

        Raises
        ------
        ImportError
            If no model is left.
        ValueError
            If a parameter is unknown, or of a model that is not used.
        """
        parameters = self._by_model(names)
        models, reasons = {}, []
        for name in names:
            try:
                models[name] = self._built(name, rows, parameters.get(name, {}))
            except ImportError as error:
                reasons.append(str(error))
                warnings.warn(f"{name} is left out: {error}", UserWarning, stacklevel=2)
        if not models:
            raise ImportError(" ".join(reasons))
        return models

    def _by_model(self, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        parameters = {spelt_as_known(name, names): own for name, own in self.parameters.items()}
        check_names(
            [name for name in parameters if name not in MODELS and name not in FEATURE_MODELS],
            names,
            "model in the parameters",
        )
        return parameters

    def _built(self, name: str, rows: LabelledRows, parameters: Mapping[str, Any]) -> Any:
        from ..data import EEGData
        from ..model_selection._continued import network_of

        try:
            if isinstance(rows, EEGData):
                model = build_model(name, sfreq=rows.sfreq, max_epochs=self.epochs)
            else:
                model = FEATURE_MODELS[name](cast("FeatureTable", rows), self.epochs)
        except ValueError as error:
            raise ValueError(f"{name} does not fit these data: {error}") from error
        found = network_of(model) if self.early_stopping else None
        if found is not None:
            model.set_params(**{f"{found[0]}early_stopping": True})
        try:
            return model.set_params(**parameters)
        except (ValueError, TypeError) as error:
            raise ValueError(f"The parameters of {name} are invalid: {error}") from error


def epochs_of(data: str, epochs: int | None) -> int | None:
    """Return the epochs of the networks; None is the default of each."""
    return SIMULATION_EPOCHS if epochs is None and data == "simulated" else epochs


def model_names(models: str | None, task: str | None, features: str | None) -> list[str]:
    """Return the models asked for, or the default ones of the input."""
    if features is not None:
        return chosen(models or ",".join(FEATURE_MODELS), FEATURE_MODELS, "model", "--models")
    for name in names_between_commas(models or ""):
        if name in FEATURE_MODELS:
            raise typer.BadParameter(
                f"{name} needs features: pass --features entropy.", param_hint="--models"
            )
    suited = RECURRENT_MODELS if task == "quadrant" else DEFAULT_MODELS
    return chosen_models(suited if models is None else models)


def with_recipe(names: list[str], data: str) -> list[str]:
    """Replace eegnet by the recipe of the paradigm of a data set, if it has one, and say so."""
    from ..datasets import LOADERS
    from ..recipes import RECIPES, recipe_name

    paradigm = LOADERS[data].paradigm if data in LOADERS else ""
    if not paradigm or "eegnet" not in names:
        return names
    own = recipe_name(paradigm)
    typer.echo(
        f"{own} instead of eegnet: {RECIPES[paradigm]}; --no-recipe switches it off.", err=True
    )
    return [own if name == "eegnet" else name for name in names]
