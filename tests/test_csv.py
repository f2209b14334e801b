import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skeeg._csv import escape, to_csv, unescape

DANGEROUS = ("=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "--1")


@given(st.text(alphabet="'=+-@\t\r\n1.e a", max_size=8) | st.text())
def test_texts_come_back_and_none_is_a_formula(text):
    cell = escape(text)
    assert unescape(cell) == text
    try:
        float(text)
    except ValueError:
        assert cell[:1] not in tuple("=+-@\t\r\n") or not cell


@pytest.mark.parametrize("text", DANGEROUS)
def test_formulas_begin_with_an_apostrophe(text):
    assert escape(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+1.5", "-.5e-3", "a=1", "", "'quoted'", "left"])
def test_numbers_and_plain_texts_are_as_they_are(text):
    assert escape(text) == text


def test_a_table_is_read_as_it_was_written():
    table = pd.DataFrame({"=name": [*DANGEROUS, "a\r=1", 'a"\n=2'], "x": -1.5, "n": -2})
    text = to_csv(table)
    read = pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False)
    assert list(read) == ["'=name", "x", "n"]
    assert [unescape(cell) for cell in read["'=name"]] == table["=name"].tolist()
    assert set(read["x"]) == {"-1.5"}
    assert ",-1.5,-2\n" in text
