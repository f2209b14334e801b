"""Recipes: a network with the training and the alignment that suit a paradigm.

The defaults of the networks are those of their papers. A recipe holds what else a paradigm needs:
how long to train, how much dropout, whether subjects are aligned, and how many networks are
averaged. Importing this module loads neither torch nor MNE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ._checks import check_number, check_positive_ints, did_you_mean

__all__ = ["RECIPES", "Recipe", "make_recipe", "recipe_name"]


@dataclass(frozen=True)
class Recipe:
    """The settings with which EEGNet decodes one paradigm.

    Parameters
    ----------
    description : str
        What the paradigm is, in one line.
    reason : str
        Why these settings were chosen, with their source.
    max_epochs : int
        Passes over the training trials.
    dropout : float
        Dropout of the network.
    batch_size : int or "auto"
        Trials in a step of the optimiser, as in `skeeg.EEGNetClassifier`.
    lr : float, default=1e-3
        Learning rate.
    kernel_seconds : float, default=0.5
        Length of the temporal filters, in seconds.
    n_members : int, default=5
        Number of networks whose probabilities are averaged.
    alignment : str, default=""
        The reference of `skeeg.alignment.EuclideanAlignment`, ``"identity"`` or ``"training"``;
        empty for no alignment.

    See Also
    --------
    make_recipe : Returns the estimator.
    """

    description: str
    reason: str
    max_epochs: int
    dropout: float
    batch_size: int | Literal["auto"] = "auto"
    lr: float = 1e-3
    kernel_seconds: float = 0.5
    n_members: int = 5
    alignment: str = ""

    def __str__(self) -> str:
        """Return the settings in one line, as reports and lists show them."""
        parts = [
            f"{self.n_members} x EEGNet",
            f"{self.max_epochs} epochs",
            f"dropout {self.dropout:g}",
            f"filters of {self.kernel_seconds:g} s",
        ]
        if self.alignment:
            parts.append(f"Euclidean alignment to the {self.alignment} by subject")
        return ", ".join(parts)


#: The recipes by paradigm.
RECIPES: dict[str, Recipe] = {
    "motor_imagery": Recipe(
        description="imagined or executed movement: power of mu and beta rhythms",
        reason="Dropout as by Lawhern et al. (2018) within a subject. 200 epochs, because the "
        "running means of batch normalisation need some hundred steps, and runs are short.",
        max_epochs=200,
        dropout=0.5,
        batch_size=16,
    ),
    "evoked_response": Recipe(
        description="responses locked to a stimulus, such as the P300",
        reason="Dropout as by Lawhern et al. (2018) where trials are many and come from several "
        "recordings.",
        max_epochs=60,
        dropout=0.25,
    ),
    "ssvep": Recipe(
        description="responses to lights that flicker at different frequencies",
        reason="Dropout as by Lawhern et al. (2018) and alignment as by He and Wu (2020) across "
        "subjects.",
        max_epochs=100,
        dropout=0.25,
        alignment="identity",
    ),
    "mental_state": Recipe(
        description="states that last for minutes, such as rest, workload or arithmetic",
        reason="Dropout as by Lawhern et al. (2018) and alignment as by He and Wu (2020) across "
        "subjects.",
        max_epochs=100,
        dropout=0.25,
        alignment="identity",
    ),
}


def make_recipe(
    paradigm: str | Recipe,
    *,
    sfreq: float,
    domain: str = "subject",
    n_members: int | None = None,
    max_epochs: int | None = None,
    random_state: int | None = None,
) -> Any:
    """Return an unfitted classifier with the settings of a paradigm.

    Parameters
    ----------
    paradigm : str or Recipe
        A key of `RECIPES`: ``"motor_imagery"``, ``"evoked_response"``, ``"ssvep"`` or
        ``"mental_state"``; or a recipe of your own.
    sfreq : float
        Sampling rate of the trials, in Hz.
    domain : str, default="subject"
        The column of the metadata whose values are aligned with each other, in recipes with an
        alignment.
    n_members : int, optional
        Number of networks that are averaged, instead of that of the recipe. 1 returns the network
        without an ensemble.
    max_epochs : int, optional
        Passes over the training trials, instead of those of the recipe.
    random_state : int, optional
        Seed of the weights, batches and dropout of all members.

    Returns
    -------
    estimator : EEGNetClassifier, EnsembleClassifier or Pipeline
        A `sklearn.pipeline.Pipeline` with the steps ``"align"`` and ``"classify"`` if the recipe
        has an alignment, otherwise its last step. It is an ordinary estimator: it can be cloned,
        pickled, searched, and changed with ``set_params``.

    Raises
    ------
    ValueError
        If there is no such paradigm, or a number is not positive.

    Notes
    -----
    The alignment of subjects that are not in the training data is transductive: it uses all their
    trials in a call, without labels. `skeeg.compare` and its report say so. For one trial at a
    time, set ``align__new_domains="recursive"``.

    References
    ----------
    Lawhern et al. (2018), "EEGNet: a compact convolutional neural network for EEG-based
    brain-computer interfaces", J. Neural Eng. 15:056013.

    He and Wu (2020), "Transfer learning for brain-computer interfaces: a Euclidean space data
    alignment approach", IEEE Trans. Biomed. Eng. 67:399-410.

    Examples
    --------
    >>> from skeeg.recipes import make_recipe
    >>> make_recipe("motor_imagery", sfreq=160, n_members=1)
    EEGNetClassifier(batch_size=16, dropout=0.5, kernel_length=80, max_epochs=200)
    """
    recipe = paradigm if isinstance(paradigm, Recipe) else _recipe_of(paradigm)
    rate = check_number("sfreq", sfreq, above=0)
    (members,) = check_positive_ints(n_members=recipe.n_members if n_members is None else n_members)
    (epochs,) = check_positive_ints(
        max_epochs=recipe.max_epochs if max_epochs is None else max_epochs
    )
    from .estimators import EEGNetClassifier

    classify: Any = EEGNetClassifier(
        kernel_length=max(1, round(recipe.kernel_seconds * rate)),
        dropout=recipe.dropout,
        max_epochs=epochs,
        batch_size=recipe.batch_size,
        lr=recipe.lr,
        random_state=random_state,
    )
    if members > 1:
        from .ensemble import EnsembleClassifier

        network = classify.set_params(random_state=None)
        classify = EnsembleClassifier(network, n_members=members, random_state=random_state)
    if not recipe.alignment:
        return classify
    from sklearn.pipeline import Pipeline

    from .alignment import EuclideanAlignment

    shrinkage = None if recipe.alignment == "identity" else "ledoit-wolf"
    align = EuclideanAlignment(domain=domain, reference=recipe.alignment, shrinkage=shrinkage)
    return Pipeline([("align", align), ("classify", classify)])


def recipe_name(paradigm: str) -> str:
    """Return the name of a recipe among the built-in models, such as ``"ssvep-recipe"``.

    Parameters
    ----------
    paradigm : str
        A key of `RECIPES`.

    Returns
    -------
    name : str
        A key of `skeeg.models.MODELS`.
    """
    return f"{paradigm.replace('_', '-')}-recipe"


def _recipe_of(paradigm: str) -> Recipe:
    if paradigm not in RECIPES:
        raise ValueError(
            f"Unknown paradigm {paradigm!r}.{did_you_mean(paradigm, RECIPES, cutoff=0.5)} "
            f"There are: {', '.join(RECIPES)}."
        )
    return RECIPES[paradigm]
