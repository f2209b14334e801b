"""The commands and their options."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console

from .._version import __version__
from ..models import MODELS, build_model
from .data import load, load_baseline
from .options import chosen, chosen_models, fail, subject_list, warnings_in_one_line
from .output import (
    new_table,
    refuse_other_data,
    remove_results,
    reuse_line,
    show,
    show_classes,
    show_side_by_side,
    write,
    write_side_by_side,
)
from .stream import stream
from .windows import (
    FEATURE_MODELS,
    FEATURES,
    RECURRENT_MODELS,
    WINDOW,
    in_windows,
    shuffled_windows,
)

if TYPE_CHECKING:
    from .._labelled import LabelledRows
    from ..evaluation import Comparison
    from ..features import FeatureTable

PROTOCOLS = ("within-subject", "cross-session", "cross-subject")
DEFAULT_MODELS = "eegnet,deepconvnet,csp-lda,band-power-svm,band-power-mlp"
#: The models compared by default where the targets are continuous.
REGRESSION_MODELS = "band-power-ridge,spoc-ridge"
#: Default number of epochs for simulated data: enough for scores above chance in a minute or two.
SIMULATION_EPOCHS = 40
#: The folder of the results with leakage, in the folder of results.
SHUFFLED = "shuffled-windows"

app = typer.Typer(
    name="skeeg",
    help="Decode EEG: compare deep networks and baselines on the same folds without leakage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("stream")(stream)


def main() -> None:
    """Run the command; the entry point of the package."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"skeeg {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Handle the options before a subcommand."""


@app.command("models")
def list_models() -> None:
    """List the built-in models."""
    table = new_table("name", "model", "needs")
    for name, model in MODELS.items():
        needs = f"the extra {model.requires!r}" if model.requires else ""
        table.add_row(name, model.description, needs)
    Console().print(table)
    typer.echo(f"With --features entropy: {', '.join(FEATURE_MODELS)}.")
    typer.echo("With braindecode installed, its networks by name, such as braindecode.ATCNet.")


@app.command("datasets")
def list_datasets() -> None:
    """List the data sets that --data accepts by name."""
    from ..datasets import LOADERS

    table = new_table("name", "data set", "labels", "licence")
    for name, loader in LOADERS.items():
        own = " (--path needed)" if loader.needs_path else ""
        table.add_row(name, loader.description + own, loader.task, loader.licence)
    Console().print(table)


@app.command()
def compare(
    data: Annotated[
        str,
        typer.Option(help="Name of a data set, or a file: .npz of EEGData.save, .fif of epochs."),
    ] = "simulated",
    path: Annotated[
        Path | None, typer.Option(help="Folder of the data set; without it, it is downloaded.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Task of a data set with several. For deap: valence, arousal, "
            "dominance, liking or quadrant."
        ),
    ] = None,
    subjects: Annotated[
        str | None, typer.Option(help="Subjects, such as 1,2,5-8; by default all.")
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(FEATURES)}: differential entropy of windows, for the models "
            f"{', '.join(FEATURE_MODELS)}."
        ),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(
            help="Length of windows in seconds. Also runs the split of shuffled windows, with "
            f"leakage, next to the valid one. By default {WINDOW:g} with --features or --task "
            "quadrant; otherwise trials are not cut."
        ),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            help="Names from 'skeeg models' or networks such as braindecode.ATCNet, separated by "
            f"commas; by default {DEFAULT_MODELS}, "
            f"{REGRESSION_MODELS} for continuous targets, {RECURRENT_MODELS} with --task "
            "quadrant, and all models of --features."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(PROTOCOLS)}. By default within-subject, or cross-subject if each "
            "recording has one class."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Training epochs of the networks; by default {SIMULATION_EPOCHS} for simulated "
            "data, otherwise that of each network.",
        ),
    ] = None,
    scoring: Annotated[
        str | None,
        typer.Option(
            help="Metrics, separated by commas, the main one first: accuracy, balanced_accuracy, "
            "roc_auc, kappa; for continuous targets r2, mean_absolute_error, pearson; or any "
            "scorer of scikit-learn by name."
        ),
    ] = None,
    n_jobs: Annotated[
        int, typer.Option(help="Number of folds that run in parallel; -1: one per core.")
    ] = -1,
    dask: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786, on whose workers the "
            "folds run, instead of --n-jobs."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("skeeg-results"),
    store: Annotated[
        Path | None,
        typer.Option(help="Folder of finished folds, to resume a run; by default OUT/store."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", help="Use the finished folds of the store, or compute all anew."
        ),
    ] = True,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a comparison of other data in OUT."),
    ] = False,
) -> None:
    """Compare models on the same folds; write scores, figures and an HTML report.

    Without options it uses simulated motor imagery. With the same options as an interrupted run,
    it resumes that run.
    """
    if features is not None:
        (features,) = chosen(features, FEATURES, "kind of features", "--features")[:1]
    names = _model_names(models, task, features)
    if protocol is not None:
        chosen(protocol, PROTOCOLS, "protocol", "--protocol")
    wanted = None if subjects is None else subject_list(subjects)
    if epochs is None and data == "simulated":
        epochs = SIMULATION_EPOCHS
    if window is None and (features is not None or task == "quadrant"):
        window = WINDOW
    from .._labelled import is_continuous

    kept = (store or out / "store") if resume else None
    os.environ.setdefault("MNE_LOGGING_LEVEL", "warning")  # for the workers, too
    try:
        with warnings_in_one_line(), _cluster(dask):
            rows: LabelledRows = load(data, path, task, wanted, seed)
            if models is None and features is None and is_continuous(rows.y):
                names = REGRESSION_MODELS.split(",")
            if window is not None:
                baseline = load_baseline(data, path, wanted) if features else None
                rows = in_windows(rows, baseline, features, window)
            if not overwrite:
                refuse_other_data(rows, out)
            run = _Run(rows, names, epochs, _metrics(scoring), n_jobs, seed, kept)
            honest = run(protocol)
            written = write(honest, out)
            remove_results(out / SHUFFLED)
            shuffled = None if window is None else run(shuffled_windows(honest.about.protocol))
            if shuffled is not None:
                written += write(shuffled, out / SHUFFLED)
                written.append(write_side_by_side(honest, shuffled, out))
    except KeyboardInterrupt:
        stored = f"Finished folds are in {kept}; the same command resumes from there."
        Console(stderr=True).print(
            f"Stopped. {stored if kept else 'No folds were kept.'}", highlight=False
        )
        raise typer.Exit(130) from None
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        fail(" ".join(str(error).split()))
    show(honest)
    if shuffled is not None:
        show_classes(honest)
        show(shuffled)
        show_classes(shuffled)
        show_side_by_side(honest, shuffled)
    for line in written:
        typer.echo(line)


def _cluster(address: str | None) -> AbstractContextManager[Any]:
    """Let folds run on a Dask cluster, if its address was passed."""
    from ..model_selection import dask_backend

    return nullcontext() if address is None else dask_backend(address)


def _model_names(models: str | None, task: str | None, features: str | None) -> list[str]:
    """Return the requested models, or the default ones of the input."""
    if features is not None:
        return chosen(models or ",".join(FEATURE_MODELS), FEATURE_MODELS, "model", "--models")
    for name in (models or "").split(","):
        if name.strip() in FEATURE_MODELS:
            raise typer.BadParameter(
                f"{name.strip()} needs features: pass --features entropy.", param_hint="--models"
            )
    suited = RECURRENT_MODELS if task == "quadrant" else DEFAULT_MODELS
    return chosen_models(suited if models is None else models)


def _metrics(scoring: str | None) -> list[str] | None:
    """Return the metrics between the commas; None is what suits the targets."""
    if scoring is None:
        return None
    return [name.strip() for name in scoring.split(",") if name.strip()]


@dataclass(frozen=True)
class _Run:
    """The same models on the same rows, for any split."""

    rows: LabelledRows
    names: list[str]
    epochs: int | None
    scoring: list[str] | None
    n_jobs: int
    seed: int
    store: Path | None

    def __call__(self, cv: Any) -> Comparison:
        """Compare the models; None means the default protocol of the rows."""
        from ..evaluation import compare as compare_estimators
        from ..model_selection import choose_protocol

        cv = cv or choose_protocol(self.rows)
        typer.echo(f"{self.rows!r}\n{cv}: {', '.join(self.names)}", err=True)
        comparison = compare_estimators(
            {name: self._model(name) for name in self.names},
            self.rows,
            cv=cv,
            scoring=self.scoring,
            n_jobs=self.n_jobs,
            random_state=self.seed,
            store=self.store,
        )
        if self.store is not None:
            typer.echo(reuse_line(comparison, self.store), err=True)
        return comparison

    def _model(self, name: str) -> Any:
        from ..data import EEGData

        if isinstance(self.rows, EEGData):
            return build_model(name, sfreq=self.rows.sfreq, max_epochs=self.epochs)
        return FEATURE_MODELS[name](cast("FeatureTable", self.rows), self.epochs)
