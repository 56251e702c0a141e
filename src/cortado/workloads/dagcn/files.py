"""Data files: sets of graphs with their folds, as the repository of DGCNN has them; DAGCN's has the same."""

from __future__ import annotations

import csv
from pathlib import Path

from cortado.frontends.data_file import DataFile, data_files, on_github

_REPOSITORY = ("muhanzhang/pytorch_DGCNN", "50f504131ca66382f3f078ae98e59aa3ae35b795")

# By collection: the folder there, and what the graphs are.
GRAPH_SETS = {
    "mutag": ("MUTAG", "188 nitroaromatic compounds, mutagenic or not"),
    "ptc": ("PTC", "344 compounds, carcinogenic to male rats or not"),
    "enzymes": ("ENZYMES", "600 proteins of six enzyme classes"),
    "proteins": ("PROTEINS", "1,113 proteins, enzymes or not"),
    "nci1": ("NCI1", "4,110 compounds, active against non-small cell lung cancer or not"),
    "nci109": ("NCI109", "4,127 compounds, active against ovarian cancer or not"),
}
FOLDS = 10


def graphs_file(name: str) -> str:
    """The data file with the graphs of a set."""
    return f"{name}/{GRAPH_SETS[name][0]}.txt"


def fold_files(name: str, fold: int) -> tuple[str, str]:
    """The data files with the numbers of the graphs that are trained on and held out in a fold, counted from 1."""
    return f"{name}/10fold_idx/train_idx-{fold}.txt", f"{name}/10fold_idx/test_idx-{fold}.txt"


def _register() -> None:
    collections = {folder: (name, purpose) for name, (folder, purpose) in GRAPH_SETS.items()}
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest):
            folder, _, rest = row["path"].partition("/")
            name, purpose = collections[folder]
            file = DataFile(name=f"{name}/{rest}", path=f"graphs/{row['path']}",
                            url=on_github(*_REPOSITORY, f"data/{row['path']}"), sha256=row["sha256"],
                            size_bytes=int(row["size_bytes"]), licence="MIT (repository)", purpose=purpose)
            data_files.register(file.name)(file)


_register()
