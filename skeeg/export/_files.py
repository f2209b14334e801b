"""Writing of exported decoders."""

from __future__ import annotations

import importlib.util
import json
import os
import warnings
from pathlib import Path
from typing import Any

import torch

from .._files import atomic_path
from ._decoder import ExportedDecoder, without_gradients

#: What torch needs to write ONNX files; onnxruntime only runs them.
_NEEDED = ("onnx", "onnxscript")

#: Name of the entry of the metadata, in both formats.
METADATA = "skeeg"


def export_onnx(estimator: Any, path: str | os.PathLike[str]) -> Path:
    """Write a fitted decoder as an ONNX file, which runs without skeeg, torch and Python.

    One graph holds everything between trials as they are recorded and the prediction: division by
    the scale, channel selection, the network, and class probabilities or values in the unit of the
    targets. The number of trials is free.

    Parameters
    ----------
    estimator : NetworkEstimator, EnsembleClassifier or EnsembleRegressor
        Fitted. The graph of an ensemble averages its members.
    path : path-like
        Such as ``"decoder.onnx"``. A file of this name is replaced when the new one is complete.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    ImportError
        If onnx or onnxscript is not installed: ``pip install 'skeeg[onnx]'``.
    TypeError, NotFittedError, ValueError
        As from `skeeg.export.ExportedDecoder`.

    Notes
    -----
    The input ``X`` is float32, shape (n_trials, n_chans, n_times), in the unit of the training
    data. The output of a classifier, ``probabilities``, is float32, shape (n_trials, n_classes),
    that of a regressor, ``values``, is float64. Results agree with ``predict_proba`` or
    ``predict`` up to rounding.

    The metadata entry ``skeeg`` is JSON with ``classes`` in the order of the columns, ``ch_names``
    and ``sfreq`` where known, ``trial_axes`` and ``trial_shape``. The graph does not check
    trials: they must have these channels, in this order, and finite values.

    Examples
    --------
    >>> import skeeg
    >>> skeeg.export_onnx(model, "decoder.onnx")  # doctest: +SKIP
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"export_onnx needs {' and '.join(missing)}, not installed: pip install 'skeeg[onnx]'"
        )
    import onnx

    decoder = ExportedDecoder(estimator)
    with atomic_path(path) as partial:
        model = _onnx_model(decoder)
        entry = model.metadata_props.add()
        entry.key, entry.value = METADATA, json.dumps(decoder.metadata)
        onnx.checker.check_model(model)
        partial.write_bytes(model.SerializeToString())
    return Path(path)


def export_torch(estimator: Any, path: str | os.PathLike[str]) -> Path:
    """Write a fitted decoder as a program of ``torch.export``, which runs without skeeg.

    Parameters
    ----------
    estimator : NetworkEstimator, EnsembleClassifier or EnsembleRegressor
        As in `export_onnx`.
    path : path-like
        Must end in ``.pt2``. A file of this name is replaced when the new one is complete.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    TypeError, NotFittedError, ValueError
        As from `skeeg.export.ExportedDecoder`; if ``path`` has another suffix.

    Notes
    -----
    ``torch.export.load(path).module()`` takes and returns tensors as the graph of `export_onnx`
    does. The metadata are in the file ``skeeg`` of ``torch.export.load(path, extra_files=...)``.

    Examples
    --------
    >>> import skeeg
    >>> skeeg.export_torch(model, "decoder.pt2")  # doctest: +SKIP
    """
    path = Path(path)
    if path.suffix != ".pt2":
        raise ValueError(f"path must end in .pt2, got {path.name!r}.")
    decoder = ExportedDecoder(estimator)
    program = _program(decoder)
    with atomic_path(path) as partial:
        torch.export.save(program, partial, extra_files={METADATA: json.dumps(decoder.metadata)})
    return path


def _program(decoder: ExportedDecoder) -> torch.export.ExportedProgram:
    batch = torch.export.Dim("n_trials", min=1)
    with without_gradients(decoder) as trials:
        return torch.export.export(decoder, (trials,), dynamic_shapes=({0: batch},))


def _onnx_model(decoder: ExportedDecoder) -> Any:
    output = "probabilities" if decoder.metadata["task"] == "classification" else "values"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own deprecations, which no user can act on
        program = torch.onnx.export(
            _program(decoder),
            dynamo=True,
            input_names=["X"],
            output_names=[output],
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no graph.")
    return program.model_proto
