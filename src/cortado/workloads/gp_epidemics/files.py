"""Data files: infections in the United Kingdom, as the paper's authors give them."""

from __future__ import annotations

from cortado.frontends.data_file import DataFile, data_files, on_github

_AUTHORS = ("baikeshe/GPR_Epi_Modeling", "d6b0b60e44e6dbee619752efe48148e208fad199")
_LICENCE = "CC BY 4.0 (Our World in Data)"

CASES = "uk-covid/cases"
DIFFERENCES = "uk-covid/differences"

for _file in (
    DataFile(
        name=CASES, path="uk_covid/UK_2022_2023.csv", url=on_github(*_AUTHORS, "UK_2022_2023.csv"),
        sha256="10d50d870e56c2122e764cf86e48aa33dd113eee46cbfb4729e8e7d192548072", size_bytes=6_758,
        licence=_LICENCE, purpose="daily COVID-19 cases per million in the United Kingdom, 2022-03-01 to 2023-03-01"),
    DataFile(
        name=DIFFERENCES, path="uk_covid/I_diff_7days_values_only.csv",
        url=on_github(*_AUTHORS, "I_diff_7days_values_only.csv"),
        sha256="003014307aa6b965516752c5baa8f85ca1a423cfb860f58f309cf347618265e8", size_bytes=6_830,
        licence=_LICENCE, purpose="their log differences as the authors computed them"),
):
    data_files.register(_file.name)(_file)
