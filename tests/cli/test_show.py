"""The command that shows the card of a saved model."""

from typer.testing import CliRunner

import skeeg
from skeeg import cli
from skeeg.baselines import csp_lda
from skeeg.datasets import simulate_motor_imagery
from skeeg.persistence import read_card


def test_the_card_of_a_model_is_shown(tmp_path):
    data = simulate_motor_imagery(1, 1, 1, 12, tmax=1.5, random_state=0)
    path = skeeg.save(csp_lda().fit(data, data.y), tmp_path / "model", scores={"accuracy": 0.9})
    result = CliRunner().invoke(cli.app, ["show", str(path)])
    assert result.exit_code == 0, result.output
    assert result.stdout == read_card(path).to_markdown()
    assert "accuracy: 0.900" in result.stdout


def test_a_file_that_is_not_a_model_is_named(tmp_path):
    for path, words in ((tmp_path / "absent", "does not exist"), (tmp_path, "cannot be read")):
        result = CliRunner().invoke(cli.app, ["show", str(path)])
        assert result.exit_code == 1
        assert words in result.stderr
        assert "Traceback" not in result.output
