"""The card of a model: what it is, what it was trained on, how well it does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from .._validation import unwrap
from ..evaluation.environment import package_versions


@dataclass(frozen=True)
class ModelCard:
    """What a file says of the model in it.

    Attributes
    ----------
    estimator : str
        The estimator and its parameters, as Python prints it.
    task : str
        ``"classification"``, ``"regression"`` or ``"transformation"``.
    classes : list
        Labels, as text; empty for other tasks.
    ch_names : list of str
        Empty if they are not known.
    sfreq : float or None
        Sampling rate in Hz.
    n_parameters : int
        Number of trainable weights of all networks.
    data : dict
        Size, classes and digest of the training data, if they were given to `save`.
    scores : dict
        As they were given to `save`.
    intended_use, notes : str
        As they were given to `save`.
    versions : dict of str to str
        Of the packages at hand when it was saved.
    created : str
        Date and time in UTC.
    """

    estimator: str
    task: str
    classes: list[str] = field(default_factory=list)
    ch_names: list[str] = field(default_factory=list)
    sfreq: float | None = None
    n_parameters: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    intended_use: str = ""
    notes: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the card as JSON can hold it."""
        return asdict(self)

    def to_markdown(self) -> str:
        """Return the card as text.

        Returns
        -------
        text : str
            Markdown, such as for a ``README.md`` beside the file.
        """
        rate = "" if self.sfreq is None else f"{self.sfreq:g} Hz"
        parts = [
            f"# {self.estimator.partition('(')[0]}",
            _listed(
                {
                    "Task": self.task,
                    "Classes": ", ".join(self.classes),
                    "Channels": ", ".join(self.ch_names),
                    "Sampling rate": rate,
                    "Trainable weights": f"{self.n_parameters:,}" if self.n_parameters else "",
                    "Saved": self.created,
                }
            ),
            _section("Intended use", self.intended_use),
            _section("Training data", _listed(self.data)),
            _section("Scores", _listed({k: _score(v) for k, v in self.scores.items()})),
            _section("Notes", self.notes),
            _section("Estimator", f"```python\n{self.estimator}\n```"),
            _section("Versions", _listed(self.versions)),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def __str__(self) -> str:
        return self.to_markdown()


def describe(
    estimator: Any, data: Any, scores: Mapping[str, Any] | None, intended_use: str, notes: str
) -> ModelCard:
    """Return the card of a fitted estimator; see `save` for the arguments."""
    classes = getattr(estimator, "classes_", [])
    kind = getattr(estimator, "_estimator_type", None)
    tasks = {"classifier": "classification", "regressor": "regression"}
    names, sfreq = _channels(estimator)
    return ModelCard(
        estimator=_printed(estimator),
        task=tasks.get(_type(estimator, kind), "transformation"),
        classes=[str(label) for label in np.asarray(classes).ravel().tolist()],
        ch_names=names,
        sfreq=sfreq,
        n_parameters=sum(_n_weights(net) for net in _networks(estimator)),
        data={} if data is None else _data(data),
        scores=_plain(dict(scores or {})),
        intended_use=intended_use,
        notes=notes,
        versions=package_versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _type(estimator: Any, kind: Any) -> Any:
    tags = getattr(estimator, "__sklearn_tags__", None)
    return kind if tags is None else tags().estimator_type


def _printed(estimator: Any) -> str:
    try:
        return estimator.__repr__(N_CHAR_MAX=10_000)
    except TypeError:
        return repr(estimator)


def _networks(value: Any, depth: int = 0) -> list[Any]:
    """Return the fitted networks in an estimator."""
    if hasattr(value, "module_"):
        return [value.module_]
    if depth > 6:
        return []
    if isinstance(value, (list, tuple)):
        inner: Any = value
    elif isinstance(value, dict):
        inner = value.values()
    else:
        state = vars(value) if hasattr(value, "get_params") else {}
        inner = [item for name, item in state.items() if name.endswith("_") or name == "steps"]
    found = [network for item in inner for network in _networks(item, depth + 1)]
    return list({id(network): network for network in found}.values())


def _n_weights(network: Any) -> int:
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def _channels(value: Any, depth: int = 0) -> tuple[list[str], float | None]:
    """Return the first channel names and sampling rate that an estimator or a step of it knows."""
    names, sfreq = getattr(value, "ch_names_", None), getattr(value, "sfreq_", None)
    if names or sfreq or depth > 4:
        return [str(name) for name in names or ()], None if sfreq is None else float(sfreq)
    inner = [step for _, step in getattr(value, "steps", [])]
    inner += [
        getattr(value, name) for name in ("estimator_", "best_estimator_") if hasattr(value, name)
    ]
    inner += list(getattr(value, "estimators_", []))[:1]
    for step in inner:
        found = _channels(step, depth + 1)
        if found != ([], None):
            return found
    return [], None


def _data(data: Any) -> dict[str, Any]:
    trials = unwrap(data)
    X = np.ascontiguousarray(trials.values)
    digest = hashlib.sha256(X.data)
    digest.update(X.dtype.str.encode())
    found: dict[str, Any] = {
        "trials": len(X),
        "shape of a trial": " x ".join(map(str, X.shape[1:])),
        "sha256 of the trials": digest.hexdigest(),
    }
    y = getattr(data, "y", None)
    if y is not None and np.asarray(y).dtype.kind in "UOib":
        labels, counts = np.unique(np.asarray(y).astype(str), return_counts=True)
        found["trials by class"] = ", ".join(
            f"{label}: {count}" for label, count in zip(labels, counts, strict=True)
        )
    metadata = getattr(data, "metadata", None)
    if metadata is not None and "subject" in metadata:
        found["subjects"] = int(metadata["subject"].nunique())
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"scores must be numbers or texts, got {value!r}.") from error
    return int(number) if isinstance(value, (int, np.integer)) else number


def _score(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_score(item)}" for name, item in value.items())
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _listed(items: Mapping[str, Any]) -> str:
    return "\n".join(
        f"- {name}: {value}" for name, value in items.items() if value not in ("", None)
    )


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""
