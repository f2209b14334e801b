"""The ``skeeg`` command: compare models on EEG, and list what there is.

Whatever is slow to import is imported where it is used, so that ``skeeg --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ._version import __version__
from .models import MODELS, build_model, check_names

if TYPE_CHECKING:
    from .data import EEGData
    from .evaluation import Comparison

PROTOCOLS = ("within-subject", "cross-session", "cross-subject")
DEFAULT_MODELS = "eegnet,deepconvnet,csp-lda,band-power-svm,band-power-mlp"
#: What ``skeeg compare`` simulates, and for how many epochs networks learn it by default: enough
#: to beat chance in a minute or two.
SIMULATION: dict[str, Any] = {
    "n_subjects": 2,
    "n_sessions": 1,
    "n_runs": 3,
    "n_trials": 40,
    "tmax": 4.0,
    "difficulty": 0.3,
}
SIMULATION_EPOCHS = 40

app = typer.Typer(
    name="skeeg",
    help="Decode EEG: compare deep networks and baselines on the same honest folds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
    """Take the options that stand before a subcommand."""


@app.command("models")
def list_models() -> None:
    """List the built-in models."""
    table = _table("name", "model", "needs")
    for name, model in MODELS.items():
        needs = f"the extra {model.requires!r}" if model.requires else ""
        table.add_row(name, model.description, needs)
    Console().print(table)


@app.command("datasets")
def list_datasets() -> None:
    """List the data sets that --data knows by name."""
    from .datasets import LOADERS

    table = _table("name", "data set", "labels", "licence")
    for name, loader in LOADERS.items():
        own = " (--path needed)" if loader.needs_path else ""
        table.add_row(name, loader.description + own, loader.task, loader.licence)
    Console().print(table)


@app.command()
def compare(
    data: Annotated[
        str,
        typer.Option(help="A data set by name, or a file: .npz of EEGData.save, .fif of epochs."),
    ] = "simulated",
    path: Annotated[
        Path | None, typer.Option(help="Folder of the data set; without it, it is downloaded.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Which task of a data set that has several.")
    ] = None,
    subjects: Annotated[
        str | None, typer.Option(help="Which subjects, such as 1,2,5-8; all when left out.")
    ] = None,
    models: Annotated[
        str, typer.Option(help="Names from 'skeeg models', separated by commas.")
    ] = DEFAULT_MODELS,
    protocol: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(PROTOCOLS)}. When left out: within-subject, or cross-subject where "
            "each recording is of one class."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Training epochs of the networks; {SIMULATION_EPOCHS} for simulated data, else "
            "each network's own.",
        ),
    ] = None,
    n_jobs: Annotated[int, typer.Option(help="How many folds run at a time; -1: all cores.")] = -1,
    seed: Annotated[int, typer.Option(min=0, help="Where all randomness comes from.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("skeeg-results"),
    store: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps finished folds, to go on after a stop; OUT/store."),
    ] = None,
) -> None:
    """Compare models on the same folds; write scores, figures and an HTML report.

    With no options it takes a simulation of motor imagery. Run again with the same options, it
    goes on where it was stopped.
    """
    names = _chosen(models, MODELS, "model", "--models")
    if protocol is not None:
        _chosen(protocol, PROTOCOLS, "protocol", "--protocol")
    wanted = None if subjects is None else _subjects(subjects)
    kept = store or out / "store"
    if epochs is None and data == "simulated":
        epochs = SIMULATION_EPOCHS
    os.environ.setdefault("MNE_LOGGING_LEVEL", "warning")  # workers heed it too
    try:
        with _warnings_in_one_line():
            loaded = _load(data, path, task, wanted, seed)
            comparison = _compare(loaded, names, protocol, epochs, n_jobs, seed, kept)
            written = _write(comparison, out)
    except KeyboardInterrupt:
        Console(stderr=True).print(
            f"Stopped. Finished folds are kept in {kept}; the same command goes on from there.",
            highlight=False,
        )
        raise typer.Exit(130) from None
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        _fail(" ".join(str(error).split()))
    _show(comparison)
    for line in written:
        typer.echo(line)


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Print what was warned of in the end, without the lines of code that Python adds."""
    with warnings.catch_warnings(record=True) as caught:
        try:
            yield
        finally:
            for text in dict.fromkeys(str(warning.message) for warning in caught):
                typer.echo(f"skeeg: warning: {' '.join(text.split())}", err=True)


# ---------------------------------------------------------------------- options


def _fail(message: str) -> NoReturn:
    """End with one line that says what is wrong."""
    typer.echo(f"skeeg: {message}", err=True)
    raise typer.Exit(1)


def _chosen(names: str, known: Any, kind: str, option: str) -> list[str]:
    """Return the names between the commas; unknown ones are an error of usage."""
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not chosen:
        raise typer.BadParameter(f"Give at least one {kind}.", param_hint=option)
    try:
        check_names(chosen, known, kind)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return chosen


def _subjects(text: str) -> list[int | str]:
    """Return the subjects that ``1,2,5-8`` or ``S4b,X11b`` stands for."""
    subjects: list[int | str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        numbers = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if numbers is None:
            subjects.append(part)
        else:
            subjects += range(int(numbers[1]), int(numbers[2] or numbers[1]) + 1)
    if not subjects:
        raise typer.BadParameter(f"{text!r} names no subject.", param_hint="--subjects")
    return list(dict.fromkeys(subjects))


# ---------------------------------------------------------------------- data


def _load(
    data: str, path: Path | None, task: str | None, subjects: list[int | str] | None, seed: int
) -> EEGData:
    if Path(data).suffix.lower() in (".npz", ".fif", ".gz"):
        loaded = _load_file(Path(data))
        return loaded if subjects is None else _only(loaded, subjects)
    if data == "simulated":
        return _simulate(path, task, subjects, seed)
    from .datasets import LOADERS

    _chosen(data, LOADERS, "data set", "--data")
    load = LOADERS[data].load
    options = {"path": path, "task": task, "subjects": subjects}
    given = {key: value for key, value in options.items() if value is not None}
    _refuse(data, set(given) - set(inspect.signature(load).parameters))
    with Console(stderr=True).status(f"Loading {data} ..."):
        return load(**given)


def _simulate(
    path: Path | None, task: str | None, subjects: list[int | str] | None, seed: int
) -> EEGData:
    from .datasets import simulate_motor_imagery

    _refuse("simulated", {key for key, value in (("path", path), ("task", task)) if value})
    numbers = [number for number in subjects or [] if isinstance(number, int)]
    if subjects is not None and (len(numbers) < len(subjects) or min(numbers) < 1):
        raise typer.BadParameter("Simulated subjects are numbers from 1.", param_hint="--subjects")
    sizes = SIMULATION | ({"n_subjects": max(numbers)} if numbers else {})
    loaded = simulate_motor_imagery(**sizes, random_state=seed)
    return loaded if subjects is None else _only(loaded, subjects)


def _refuse(data: str, options: set[str]) -> None:
    for option in sorted(options):
        raise typer.BadParameter(f"{data!r} takes no such option.", param_hint=f"--{option}")


def _only(data: EEGData, subjects: list[int | str]) -> EEGData:
    """Return the trials of some subjects, all of which must exist."""
    if "subject" not in data.metadata:
        raise ValueError("The data do not say which subject a trial is of: leave out --subjects.")
    of_trials = data.metadata["subject"].astype(str)
    missing = [str(subject) for subject in subjects if str(subject) not in set(of_trials)]
    if missing:
        raise ValueError(
            f"There is no subject {', '.join(missing)}; there are {', '.join(of_trials.unique())}."
        )
    return data[of_trials.isin([str(subject) for subject in subjects]).to_numpy()]


def _load_file(file: Path) -> EEGData:
    from .data import EEGData

    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist.")
    return EEGData.load(file) if file.suffix.lower() == ".npz" else _read_epochs(file)


def _read_epochs(file: Path) -> EEGData:
    import mne

    from .data import EEGData

    try:
        epochs = mne.read_epochs(file, verbose="error")
    except Exception as error:  # MNE raises whatever its parser stumbles over
        raise ValueError(
            f"{file} cannot be read as MNE epochs ({type(error).__name__}: {error}). Expected a "
            "file that Epochs.save wrote."
        ) from error
    return EEGData.from_epochs(epochs)


# ---------------------------------------------------------------------- comparison and output


def _compare(
    data: EEGData,
    names: list[str],
    protocol: str | None,
    epochs: int | None,
    n_jobs: int,
    seed: int,
    store: Path,
) -> Comparison:
    from .evaluation import compare as compare_estimators
    from .model_selection import choose_protocol

    protocol = protocol or choose_protocol(data)
    typer.echo(f"{data!r}\n{protocol}: {', '.join(names)}", err=True)
    estimators = {name: build_model(name, sfreq=data.sfreq, max_epochs=epochs) for name in names}
    return compare_estimators(
        estimators, data, cv=protocol, n_jobs=n_jobs, random_state=seed, store=store
    )


def _write(comparison: Comparison, out: Path) -> list[str]:
    """Write everything into ``out``; return what is where, a line each."""
    with Console(stderr=True).status("Writing figures and report ..."):
        comparison.save(out)
        figures = out / "figures"
        for metric in comparison.about.metrics:
            if comparison.scores[metric].notna().any():
                _save_figure(comparison.plot_scores(metric), figures / f"scores_{metric}.png")
        for name in comparison.estimators:
            _save_figure(comparison.plot_confusion(name), figures / f"confusion_{name}.png")
        for name in comparison.history["estimator"].unique():
            _save_figure(comparison.plot_history(name), figures / f"history_{name}.png")
        report = comparison.report(out / "report.html")
    return [
        f"report   {report}",
        f"tables   {out / 'scores.csv'}, predictions.csv, history.csv, comparison.json",
        f"figures  {figures}",
    ]


def _save_figure(figure: Any, path: Path) -> None:
    from ._files import atomic_path

    with atomic_path(path) as partial:
        figure.savefig(partial)


def _show(comparison: Comparison) -> None:
    """Print the table of results."""
    about = comparison.about
    main, *others = about.metrics
    best = comparison.summary(main)
    means = {metric: comparison.summary(metric)["mean"] for metric in others}
    table = _table(
        "model", title=f"{about.protocol}, {about.n_folds} folds, seed {about.random_state}"
    )
    for heading in (main, *others, "p", "fit (s)", "parameters"):
        table.add_column(heading.replace("_", "\n"), justify="right", no_wrap=True)
    for name, row in best.iterrows():
        table.add_row(
            str(name),
            f"{_shown(row['mean'], '.3f')} ± {_shown(row['std'], '.3f')}",
            *[_shown(mean[str(name)], ".3f") for mean in means.values()],
            _shown(row["p_holm"], ".3f"),
            f"{row['fit_time']:.2f}",
            _shown(row["n_parameters"], ",d"),
        )
    table.add_section()
    table.add_row("chance", *[f"{about.chance[metric].level:.3f}" for metric in about.metrics])
    console = Console()
    console.print(table)
    unit, reference = best["unit"].iloc[0], best["reference"].iloc[0]
    typer.echo(f"Mean ± standard deviation over {unit}s; fit time of one fold.")
    if best["p_holm"].notna().any():
        typer.echo(f"p: paired permutation test against {reference}, Holm corrected.")
    upper = about.chance[main].upper
    if upper is not None:
        typer.echo(f"Of models that guess, 95 % stay at or below {main} {upper:.3f}.")
    if comparison.leakage:
        console.print(comparison.leakage, style="bold red", markup=False)


def _table(*headings: str, title: str | None = None) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", padding=0)
    for heading in headings:
        table.add_column(heading, no_wrap=heading == headings[0])
    return table


def _shown(value: Any, form: str) -> str:
    """Format a number; what is missing is a dash."""
    import pandas as pd

    return "-" if pd.isna(value) else format(round(value, 3) + 0, form)  # + 0: never -0.000
