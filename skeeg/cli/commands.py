"""The command ``skeeg compare``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import arguments as option
from .config import parameters_of, save_config
from .data import Source, load, load_baseline
from .estimators import (
    DEFAULT_MODELS,
    REGRESSION_MODELS,
    Settings,
    epochs_of,
    model_names,
    with_recipe,
)
from .options import chosen, name_list, names_between_commas, subject_list
from .output import (
    refuse_other_data,
    remove_results,
    reuse_line,
    show,
    show_classes,
    show_side_by_side,
    write,
    write_side_by_side,
)
from .running import cluster, stops_with_a_message
from .windows import FEATURES, RECURRENT_MODELS, WINDOW, in_windows, shuffled_windows

if TYPE_CHECKING:
    from .._labelled import LabelledRows
    from ..evaluation import Comparison

#: The folder of the results with leakage, in the folder of results.
SHUFFLED = "shuffled-windows"


def _spaced(names: str) -> str:
    return names.replace(",", ", ")


def compare(
    ctx: typer.Context,
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
    window: option.Window = None,
    models: Annotated[
        str | None,
        option.in_panel(
            "Models",
            "Names from 'skeeg models' or networks such as braindecode.ATCNet, separated by "
            f"commas; by default {_spaced(DEFAULT_MODELS)}; for continuous targets "
            f"{_spaced(REGRESSION_MODELS)}; with --task quadrant {_spaced(RECURRENT_MODELS)}; all "
            "models of --features.",
        ),
    ] = None,
    recipe: Annotated[
        bool,
        option.in_panel(
            "Models",
            "Without --models, replace eegnet by the recipe of the data set's paradigm, if there "
            "is one.",
            "--recipe/--no-recipe",
        ),
    ] = True,
    epochs: option.Epochs = None,
    early_stopping: option.EarlyStopping = False,
    protocol: option.Protocol = None,
    metric: Annotated[
        str | None,
        option.in_panel(
            "Evaluation",
            "Metrics, separated by commas, the main one first: accuracy, balanced_accuracy, "
            "roc_auc, kappa; for continuous targets r2, mean_absolute_error, pearson; or any "
            "scorer of scikit-learn by name.",
            "--metric",
        ),
    ] = None,
    n_jobs: option.Jobs = -1,
    dask: option.Dask = None,
    seed: option.Seed = 0,
    out: Annotated[Path, option.in_panel("Files", "Folder for the results.")] = Path(
        "skeeg-results"
    ),
    store: Annotated[
        Path | None,
        option.in_panel(
            "Files", "Folder of finished folds, to resume a run; by default OUT/store."
        ),
    ] = None,
    resume: Annotated[
        bool,
        option.in_panel(
            "Files",
            "Use the finished folds of the store, or compute all anew.",
            "--resume/--no-resume",
        ),
    ] = True,
    overwrite: option.Overwrite = False,
    config: option.Config = None,
    save_config_to: option.SaveConfig = None,
) -> None:
    """Compare models on the same folds; write scores, figures and an HTML report.

    Without options it uses simulated motor imagery. With the same options as an interrupted run,
    it resumes that run.
    """
    if features is not None:
        (features,) = chosen(features, FEATURES, "kind of features", "--features")[:1]
    names = model_names(models, task, features)
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
    protocol = option.checked_protocol(protocol)
    if window is None and (features is not None or task == "quadrant"):
        window = WINDOW
    if save_config_to is not None:
        save_config(ctx, save_config_to)
    from .._labelled import is_continuous

    kept = (store or out / "store") if resume else None
    with stops_with_a_message(kept), cluster(dask):
        rows: LabelledRows = load(source, seed)
        if models is None and features is None and is_continuous(rows.y):
            names = names_between_commas(REGRESSION_MODELS)
        elif models is None and recipe:
            names = with_recipe(names, data)
        if window is not None:
            baseline = load_baseline(source) if features else None
            rows = in_windows(rows, baseline, features, window)
        settings = Settings(epochs_of(data, epochs), early_stopping, parameters_of(ctx))
        run = _Run(rows, settings.build(names, rows), name_list(metric, "--metric"), n_jobs, seed,
                   kept)  # fmt: skip
        if not overwrite:
            refuse_other_data(rows, out)
        honest = run(protocol)
        written = write(honest, out)
        remove_results(out / SHUFFLED)
        shuffled = None if window is None else run(shuffled_windows(honest.about.protocol))
        if shuffled is not None:
            written += write(shuffled, out / SHUFFLED)
            written.append(write_side_by_side(honest, shuffled, out))
    show(honest)
    if shuffled is not None:
        show_classes(honest)
        show(shuffled)
        show_classes(shuffled)
        show_side_by_side(honest, shuffled)
    for line in written:
        typer.echo(line)


@dataclass(frozen=True)
class _Run:
    """The same models on the same rows, for any split."""

    rows: LabelledRows
    models: dict[str, Any]
    metrics: list[str] | None
    n_jobs: int
    seed: int
    store: Path | None

    def __call__(self, cv: Any) -> Comparison:
        """Compare the models; None means the default protocol of the rows."""
        from ..evaluation import compare as compare_estimators
        from ..model_selection import choose_protocol

        cv = cv or choose_protocol(self.rows)
        typer.echo(f"{self.rows!r}\n{cv}: {', '.join(self.models)}", err=True)
        comparison = compare_estimators(
            self.models,
            self.rows,
            cv=cv,
            scoring=self.metrics,
            n_jobs=self.n_jobs,
            random_state=self.seed,
            store=self.store,
        )
        if self.store is not None:
            typer.echo(reuse_line(comparison, self.store), err=True)
        return comparison
