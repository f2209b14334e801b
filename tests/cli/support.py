"""Calls of the command in this process."""

import re

from typer.testing import CliRunner

from skeeg.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(result):
    """Return the error as one string: rich breaks lines and draws boxes."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())
