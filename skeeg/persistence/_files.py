"""The file of a fitted estimator: weights, parameters and a card, without code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._npz import UNREADABLE
from ._archive import (
    ARRAYS,
    MANIFEST,
    foreign_name,
    read_members,
    unreadable,
    write_members,
)
from ._card import ModelCard, describe
from ._names import UntrustedError
from ._values import Decoder, Encoder

FORMAT = "skeeg model"

#: Version of the files that `save` writes. A higher version needs a step in `_STEPS` that turns the
#: manifest of the version before into the new one, and a file of that version in the tests.
VERSION = 1

#: By version, the function that turns a manifest of it into one of the next version.
_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}

_DAMAGED = (*UNREADABLE, safetensors.SafetensorError)


def save(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    data: Any = None,
    scores: Mapping[str, Any] | None = None,
    intended_use: str = "",
    notes: str = "",
) -> Path:
    """Write a fitted estimator to one file that holds no code.

    The file has the parameters and what was fitted: weights, classes, scale, channel names and
    sampling rate, with the versions of the packages and, if they are given, a digest of the data
    and the scores. Nothing in it is a pickle, so that a file from a stranger cannot run code when
    `load` reads it. It is written to a temporary file first, which then replaces ``path``.

    Parameters
    ----------
    estimator : object
        A fitted classifier, regressor or transformer: those of skeeg, also inside pipelines,
        ensembles, searches and other meta-estimators, and those of scikit-learn, ``mne.decoding``
        and pyRiemann, which skops stores.
    path : path-like
        The suffix ``.skeeg`` is added if there is none.
    data : EEGData, mne.Epochs or ndarray, optional
        The training data, for the card: their size, channels, classes and digest. The trials
        themselves are not stored.
    scores : mapping, optional
        Scores for the card: a number by the name of each metric, or a mapping with, for example,
        ``"mean"``, ``"low"`` and ``"high"``.
    intended_use : str, default=""
        For the card.
    notes : str, default=""
        For the card, such as the protocol of the scores.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it holds something that a file without code cannot hold, such as a function; the message
        names the attribute.

    See Also
    --------
    load : Read the file.
    read_card : Read only its card.

    Examples
    --------
    >>> import numpy as np
    >>> import skeeg
    >>> X = np.random.default_rng(0).standard_normal((20, 4, 128))
    >>> clf = skeeg.EEGNetClassifier(max_epochs=1, random_state=0).fit(X, np.arange(20) % 2)
    >>> path = skeeg.save(clf, "model.skeeg")
    >>> bool((skeeg.load(path).predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    target = Path(path)
    if not target.suffix:
        target = target.with_name(target.name + ".skeeg")
    _require_fitted(estimator)
    encoder = Encoder()
    root = encoder.encode(estimator)
    card = describe(estimator, data, scores, intended_use, notes)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "card": card.as_dict(),
        "estimator": root,
        "objects": encoder.objects,
    }
    write_members(
        target,
        {
            MANIFEST: json.dumps(manifest, indent=1).encode(),
            ARRAYS: safetensors.torch.save(encoder.arrays),
            **{foreign_name(i): content for i, content in enumerate(encoder.foreign)},
        },
    )
    return target


def load(path: str | os.PathLike[str], *, trusted: Collection[str] = ()) -> Any:
    """Return the estimator in a file that `save` wrote.

    No code of the file is run, since it holds none. Classes are looked up by their names: those of
    skeeg, scikit-learn, skorch, torch, ``mne.decoding`` and pyRiemann without asking, any other
    only if it is in ``trusted``.

    Parameters
    ----------
    path : path-like
    trusted : collection of str
        Names of further classes to import, such as ``"my_networks:MyNet"``. Importing a module runs
        its code: name only modules that you trust.

    Returns
    -------
    estimator : object
        On the device that its ``device`` names, or on the CPU, with a warning, if that does not
        exist here. On the machine that saved it, predictions are equal to the last bit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such a file, is damaged, was written by a newer version of skeeg, or names
        classes that are not trusted; the message lists those.
    """
    source = Path(path)
    members = read_members(source)
    try:
        manifest = _manifest(members[MANIFEST])
        arrays = safetensors.torch.load(members[ARRAYS])
        foreign = {i: members[foreign_name(i)] for i in range(len(members) - 2)}
        decoder = Decoder(arrays, foreign, list(manifest["objects"]), frozenset(trusted))
        return decoder.decode(manifest["estimator"])
    except UntrustedError as error:
        raise ValueError(
            f"{source} needs {', '.join(error.names)}, which skeeg does not know. To import them "
            f"runs their code. If you trust them, pass trusted={error.names!r}."
        ) from error
    except _DAMAGED as error:
        raise unreadable(source, error) from error


def read_card(path: str | os.PathLike[str]) -> ModelCard:
    """Return the card of a file that `save` wrote, without loading the model.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    card : ModelCard

    Raises
    ------
    FileNotFoundError, ValueError
        As `load` does.
    """
    source = Path(path)
    members = read_members(source, (MANIFEST,))
    try:
        return ModelCard(**_manifest(members[MANIFEST])["card"])
    except _DAMAGED as error:
        raise unreadable(source, error) from error


def _manifest(content: bytes) -> dict[str, Any]:
    manifest = json.loads(content)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("it has no mark of a model of skeeg")
    version = manifest.get("version")
    if not isinstance(version, int) or version < 1:
        raise ValueError("it has no version")
    if version > VERSION:
        raise ValueError(
            f"it has version {version}, and this skeeg reads up to version {VERSION}: update skeeg"
        )
    for step in range(version, VERSION):
        manifest = _STEPS[step](manifest)
    return manifest


def _require_fitted(estimator: Any) -> None:
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(f"save takes a fitted estimator, got {estimator!r:.100}.")
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise NotFittedError(f"{error} Fit it before it is saved.") from error
