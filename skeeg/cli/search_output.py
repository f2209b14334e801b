"""The results of ``skeeg search``: on the screen and in files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer
from rich.console import Console

from .._files import atomic_path, check_regular
from .config import PARAMETERS
from .documents import write_document
from .output import new_table

if TYPE_CHECKING:
    import pandas as pd

    from .._labelled import LabelledRows
    from .estimators import Settings
    from .search_methods import Found, Searching

_FORMAT = "skeeg.Search"
#: The largest file that is read, in bytes.
_LARGEST = 2**30
#: Rows of a table on the screen.
_SHOWN = 10
#: Options of the search that a comparison has too, in its file.
_OF_COMPARE = (
    *("data", "path", "task", "subjects", "events", "tmin", "tmax", "fmin", "fmax", "sfreq"),
    *("picks", "reference", "metadata", "features", "window", "epochs", "early_stopping", "metric"),
    "seed",
)


@dataclass
class Results:
    """The results of all models, which are written after each.

    Parameters
    ----------
    out : pathlib.Path
    rows : EEGData or FeatureTable
    searching : Searching
    options : mapping
        All options of the command.
    settings : Settings
    suffix : str
        Of the file of the best parameters.
    """

    out: Path
    rows: LabelledRows
    searching: Searching
    options: Mapping[str, Any]
    settings: Settings
    suffix: str
    models: dict[str, Found] = field(default_factory=dict)

    def add(self, name: str, found: Found) -> None:
        """Add a model, and write all files."""
        self.models[name] = found
        self._write_table()
        self._write_best()
        self._write_description()

    @property
    def written(self) -> list[str]:
        """Lines that name the files."""
        return [
            f"candidates  {self.out / 'candidates.csv'}",
            f"best        {self._best}, for skeeg compare --config",
            f"search      {self.out / 'search.json'}",
        ]

    @property
    def _best(self) -> Path:
        return self.out / f"best{self.suffix}"

    def _write_table(self) -> None:
        import pandas as pd

        from .._csv import to_csv

        table = pd.concat([candidates(name, found) for name, found in self.models.items()])
        with atomic_path(self.out / "candidates.csv") as partial:
            partial.write_bytes(to_csv(table.reset_index(drop=True)).encode())

    def _write_best(self) -> None:
        options = {
            name: str(value) if isinstance(value, Path) else value
            for name in _OF_COMPARE
            if (value := self.options[name]) is not None
        }
        options["models"] = list(self.models)
        options[PARAMETERS] = {
            name: {**self.settings.parameters.get(name, {}), **_best_params(found)}
            for name, found in self.models.items()
        }
        write_document(self._best, options)

    def _write_description(self) -> None:
        from ..evaluation.environment import environment

        document = {
            "format": _FORMAT,
            "data": _described(self.rows),
            "method": self.searching.method,
            "cv": self.searching.cv,
            "seed": self.searching.seed,
            "models": {name: _summary(found) for name, found in self.models.items()},
            "environment": environment(),
        }
        with atomic_path(self.out / "search.json") as partial:
            partial.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")


def refuse_other_search(rows: LabelledRows, out: Path) -> None:
    """Raise an error if ``out`` has a search of other data, before anything is computed."""
    path = out / "search.json"
    if not path.exists():
        return
    advice = "Choose another folder, or replace it with --overwrite."
    try:
        check_regular(path)
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        before = json.loads(path.read_text(encoding="utf-8"))["data"]["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileExistsError(f"{path} is there, and cannot be read: {error}. {advice}") from error
    if before != _described(rows)["sha256"]:
        raise FileExistsError(f"{out} has a search of other data. {advice}")


def candidates(name: str, found: Found) -> pd.DataFrame:
    """Return a row for each candidate of a model, the best first.

    Parameters
    ----------
    name : str
        Of the model.
    found : Found

    Returns
    -------
    table : DataFrame
        Columns ``model``, ``rank``, the parameters, ``mean_<metric>``, ``std_<metric>``, a column
        for each fold, and times in seconds.
    """
    import pandas as pd

    from ..evaluation.frames import nullable

    results, metric = found.results, found.metric
    table = pd.DataFrame({"model": name, "rank": results["rank_test_score"]})
    for key in _names(found):
        table[key] = nullable(_shown_in_table(params.get(key)) for params in results["params"])
    table[f"mean_{metric}"] = results["mean_test_score"]
    table[f"std_{metric}"] = results["std_test_score"]
    for i in range(found.n_splits):
        table[f"fold {i + 1}"] = results[f"split{i}_test_score"]
    extra = ("state", "n_steps", "iter", "n_resources", "mean_fit_time", "mean_score_time")
    for column in extra:
        if column in results:
            table[column] = results[column]
    first = np.arange(len(table)) != found.best
    order = np.lexsort((np.arange(len(table)), table["rank"], first))
    return table.iloc[order]


def show_best(results: Results, name: str) -> None:
    """Print the best candidates of a model."""
    found = results.models[name]
    table = candidates(name, found).head(_SHOWN)
    names = _names(found)
    shown = new_table("rank")
    for heading in names:
        shown.add_column(heading.rpartition("__")[2].replace("_", "\n"), justify="right")
    shown.add_column("mean ± std", justify="right", no_wrap=True)
    for _, row in table.iterrows():
        mean, std = row[f"mean_{found.metric}"], row[f"std_{found.metric}"]
        score = row.get("state", "-") if math.isnan(mean) else f"{mean:.3f} ± {std:.3f}"
        shown.add_row(str(row["rank"]), *[_text(row[key]) for key in names], score)
    typer.echo(f"{name}: {results.searching.method}, {found.metric}")  # a table breaks its title
    Console().print(shown)
    n_candidates = len(found.results["params"])
    typer.echo(
        f"{min(n_candidates, _SHOWN)} of {n_candidates} candidates; mean ± standard deviation "
        f"over {found.n_splits} folds."
    )
    typer.echo("The best of several scores is too high: report a score of other trials.")


def _names(found: Found) -> list[str]:
    """Return the parameters of the candidates, some of which not all may have."""
    return list(dict.fromkeys(key for params in found.results["params"] for key in params))


def _summary(found: Found) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "best_params": _best_params(found),
        "best_score": _plain(found.results["mean_test_score"][found.best]),
        "n_candidates": len(found.results["params"]),
        "n_splits": found.n_splits,
    }


def _best_params(found: Found) -> dict[str, Any]:
    return {name: _plain(value) for name, value in found.results["params"][found.best].items()}


def _described(rows: LabelledRows) -> dict[str, Any]:
    from ..evaluation.store import data_digest

    return {**rows.describe(), "sha256": data_digest(rows)}


def _plain(value: Any) -> Any:
    """Return a value of JSON and TOML; NaN is None."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value


def _shown_in_table(value: Any) -> Any:
    plain = _plain(value)
    return plain if plain is None or isinstance(plain, (bool, int, float, str)) else str(plain)


def _text(value: Any) -> str:
    import pandas as pd

    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
