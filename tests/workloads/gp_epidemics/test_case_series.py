"""CSV files of cases: what is read, and bad rows by name."""

from __future__ import annotations

import numpy as np
import pytest

from cortado.errors import ModelFileError, WorkloadError
from cortado.workloads.gp_epidemics.case_series import read_cases


@pytest.fixture
def file(tmp_path):
    def write(text: str):
        path = tmp_path / "cases.csv"
        path.write_text(text, encoding="utf-8")
        return path
    return write


def refusal(path, column=None) -> str:
    with pytest.raises(WorkloadError) as caught:
        read_cases(path, column)
    return str(caught.value)


def test_the_column_after_the_dates_is_taken_and_a_mark_at_the_beginning_is_none_of_its_name(file):
    path = file("\ufeffDate,Cases\n3/1/2022,464.5\n3/2/2022,661\n\n3/3/2022, 7e2 \n")
    np.testing.assert_array_equal(read_cases(path), [464.5, 661, 700])
    np.testing.assert_array_equal(read_cases(path, "Cases"), [464.5, 661, 700])


def test_a_column_by_name(file):
    np.testing.assert_array_equal(read_cases(file('day,a,"b, c"\n1,2,3\n2,4,5\n'), "b, c"), [3, 5])


def test_a_file_that_changed_is_read_again(file):
    assert read_cases(file("Cases\n1\n2\n")).tolist() == [1, 2]
    assert read_cases(file("Cases\n1\n2\n3\n")).tolist() == [1, 2, 3]


def test_bad_rows_are_named(file):
    path = file("Date,Cases\nA,1\nB,\nC,0\nD,-2\nE,many\nF,nan\nG,inf\nH\nI,3\n")
    assert refusal(path) == (
        f"'{path}': column 'Cases' must hold a number above 0 in each row, not in line 3 (''), line 4 ('0'), line 5 "
        "('-2'), line 6 ('many'), line 7 ('nan') and 2 more; leave such days out or fill them in")


def test_a_column_that_is_not_there(file):
    path = file("Date,a,b\n1,2,3\n")
    assert refusal(path, "c") == f"'{path}': it must have a column 'c'; it has Date, a, b"
    assert refusal(path) == f"'{path}': its column must be named; it has Date, a, b"
    assert refusal(file(""), "c") == f"'{path}': it must have a column 'c'; it has no header"


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(ModelFileError, match=r"no\.csv: the file cannot be read: No such file or directory$"):
        read_cases(tmp_path / "no.csv")
