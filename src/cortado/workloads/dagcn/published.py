"""Accuracies others have published, by dataset."""

from __future__ import annotations

from cortado.workloads.figure import Published

_DGCNN = "Zhang et al. 2018 (DGCNN), table 1"
_LEADERBOARD = "a leaderboard's entry of the paper"
_WL = f"{_DGCNN}: WL"

PUBLISHED = tuple(
    Published(dataset=dataset, split=split, metric="accuracy", value=value, source=source)
    for split, source, values in (
        ("DAGCN over heads, best epoch", _LEADERBOARD, {"enzymes": 0.5817}),
        ("WL kernel", _WL, {"mutag": 0.8411, "ptc": 0.5797, "nci1": 0.8446, "nci109": 0.8512, "proteins": 0.7468,
                            "enzymes": 0.5522}),
        ("DGCNN", _DGCNN, {"mutag": 0.8583, "ptc": 0.5859, "nci1": 0.7444, "proteins": 0.7554, "enzymes": 0.51}),
    ) for dataset, value in values.items())
