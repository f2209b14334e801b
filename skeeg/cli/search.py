"""The command ``skeeg search``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import arguments as option
from .config import parameters_of, save_config
from .data import Source, load, load_baseline
from .estimators import Settings, epochs_of, model_names
from .options import chosen, fail, name_list, subject_list
from .running import cluster, stops_with_a_message
from .search_methods import METHODS, Searching
from .search_output import Results, refuse_other_search, show_best
from .space import check_parameters, has_ranges, read_spaces
from .windows import FEATURES, WINDOW, in_windows

if TYPE_CHECKING:
    from .._labelled import LabelledRows

N_FOLDS = "5"


def search(
    ctx: typer.Context,
    space: Annotated[
        Path,
        option.in_panel(
            "Models",
            "File (.toml, .yaml) with the values or ranges of parameters, in a table for each "
            "model.",
        ),
    ],
    models: Annotated[
        str, option.in_panel("Models", "Names from 'skeeg models', separated by commas.")
    ],
    data: option.Data = "simulated",
    path: option.DataPath = None,
    task: option.TaskName = None,
    subjects: option.Subjects = None,
    events: option.Events = None,
    tmin: option.Tmin = None,
    tmax: option.Tmax = None,
    fmin: option.Fmin = None,
    fmax: option.Fmax = None,
    sfreq: option.Sfreq = None,
    picks: option.Picks = None,
    reference: option.Reference = None,
    metadata: option.Metadata = None,
    features: option.Features = None,
    window: Annotated[
        float | None,
        option.in_panel("Data", "Length of windows in seconds. By default trials are not cut."),
    ] = None,
    epochs: option.Epochs = None,
    early_stopping: option.EarlyStopping = False,
    method: Annotated[
        str,
        option.in_panel(
            "Search",
            "grid: all combinations of the values; halving: the best after a few epochs are "
            "trained further; optuna: candidates that earlier scores suggest.",
        ),
    ] = "grid",
    trials: Annotated[
        int,
        option.in_panel(
            "Search", "Number of candidates, for optuna and for halving of ranges.", min=1
        ),
    ] = 20,
    cv: Annotated[
        str,
        option.in_panel(
            "Search", f"Number of folds of whole trials, or {', '.join(option.PROTOCOLS)}."
        ),
    ] = N_FOLDS,
    metric: Annotated[
        str | None,
        option.in_panel(
            "Search",
            "Metric to maximise, as of 'skeeg compare'; by default accuracy, with unequal classes "
            "roc_auc or balanced_accuracy, for continuous targets r2.",
        ),
    ] = None,
    n_jobs: option.Jobs = -1,
    dask: option.Dask = None,
    seed: option.Seed = 0,
    out: Annotated[Path, option.in_panel("Files", "Folder for the results.")] = Path(
        "skeeg-search"
    ),
    store: Annotated[
        Path | None,
        option.in_panel(
            "Files", "Folder of finished fits, to resume a search; by default OUT/store."
        ),
    ] = None,
    overwrite: option.Overwrite = False,
    config: option.Config = None,
    save_config_to: option.SaveConfig = None,
) -> None:
    """Search for the best parameters of models; write all candidates and the best.

    With the same options as an interrupted search, it resumes that search.
    """
    if features is not None:
        (features,) = chosen(features, FEATURES, "kind of features", "--features")[:1]
    names = model_names(models, task, features)
    (method,) = chosen(method, METHODS, "method", "--method")[:1]
    folds = _folds(cv)
    metrics = name_list(metric, "--metric")
    if metrics is not None and len(metrics) > 1:
        raise typer.BadParameter("A search has a single metric.", param_hint="--metric")
    source = Source(
        data=data,
        path=path,
        task=task,
        subjects=subject_list(subjects),
        events=name_list(events, "--events"),
        tmin=tmin,
        tmax=tmax,
        fmin=fmin,
        fmax=fmax,
        sfreq=sfreq,
        picks=name_list(picks, "--picks"),
        reference=name_list(reference, "--reference"),
        metadata=metadata,
    )
    try:
        spaces = read_spaces(space, names)
    except (ValueError, OSError, ImportError) as error:
        fail(str(error))
    if method == "grid" and any(has_ranges(part) for part in spaces.values()):
        raise typer.BadParameter(
            f"A grid needs lists of values, and {space} has ranges. Use optuna or halving.",
            param_hint="--method",
        )
    if save_config_to is not None:
        save_config(ctx, save_config_to)
    kept = store or out / "store"
    with stops_with_a_message(kept), cluster(dask):
        rows: LabelledRows = load(source, seed)
        if window is not None or features is not None:
            baseline = load_baseline(source) if features else None
            rows = in_windows(rows, baseline, features, window or WINDOW)
        settings = Settings(epochs_of(data, epochs), early_stopping, parameters_of(ctx))
        built = settings.build(names, rows)
        for name, model in built.items():
            check_parameters(spaces[name], model, space)
        if not overwrite:
            refuse_other_search(rows, out)
        searching = Searching(method, rows, folds, None if metrics is None else metrics[0], trials,
                              n_jobs, seed, kept)  # fmt: skip
        results = Results(out, rows, searching, ctx.params, settings, space.suffix)
        for name, model in built.items():
            typer.echo(f"{rows!r}\n{method} search of {name}", err=True)
            results.add(name, searching(model, spaces[name]))
    for name in results.models:
        show_best(results, name)
    for line in results.written:
        typer.echo(line)


def _folds(cv: str) -> int | str:
    if not cv.strip().lstrip("-").isdigit():
        return chosen(cv, option.PROTOCOLS, "protocol", "--cv")[0]
    if int(cv) < 2:
        raise typer.BadParameter("A search needs two folds or more.", param_hint="--cv")
    return int(cv)
