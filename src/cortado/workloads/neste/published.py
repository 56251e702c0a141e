"""What the authors' result files say: dimension 200, 500 epochs.

NestE-H on DBHE has no figure for triple prediction: the file that should have it holds a run of one nested relation.
"""

from __future__ import annotations

from cortado.workloads.figure import Published

_SOURCE = "result files of the authors' repository"

# Dataset, model, task; MR, MRR, H@10.
_NESTED = (
    ("FBH", "BiVE-Q", "triple prediction", (6.20, 0.8548, 0.9414)),
    ("FBHE", "BiVE-Q", "triple prediction", (8.36, 0.7113, 0.8663)),
    ("DBHE", "BiVE-Q", "triple prediction", (3.63, 0.6865, 0.9575)),
    ("FBH", "BiVE-QB", "triple prediction", (8.63, 0.8334, 0.9239)),
    ("FBHE", "BiVE-QB", "triple prediction", (9.53, 0.7055, 0.86)),
    ("DBHE", "BiVE-QB", "triple prediction", (4.65, 0.718, 0.9449)),
    ("FBH", "BiVE-H", "triple prediction", (6.70, 0.8379, 0.9337)),
    ("FBHE", "BiVE-H", "triple prediction", (8.16, 0.6869, 0.8496)),
    ("DBHE", "BiVE-H", "triple prediction", (4.27, 0.6484, 0.9352)),
    ("FBH", "BiVE-HB", "triple prediction", (7.65, 0.8032, 0.9189)),
    ("FBHE", "BiVE-HB", "triple prediction", (10.55, 0.6747, 0.8341)),
    ("DBHE", "BiVE-HB", "triple prediction", (6.40, 0.7031, 0.9218)),
    ("FBH", "BiVE-S", "triple prediction", (6.13, 0.8237, 0.9377)),
    ("FBHE", "BiVE-S", "triple prediction", (8.28, 0.6767, 0.8503)),
    ("DBHE", "BiVE-S", "triple prediction", (4.85, 0.6447, 0.9262)),
    ("FBH", "BiVE-SB", "triple prediction", (9.77, 0.7988, 0.9139)),
    ("FBHE", "BiVE-SB", "triple prediction", (9.83, 0.6777, 0.8527)),
    ("DBHE", "BiVE-SB", "triple prediction", (7.58, 0.7119, 0.9136)),
    ("FBH", "NestE-Q", "triple prediction", (6.56, 0.8626, 0.9525)),
    ("FBHE", "NestE-Q", "triple prediction", (5.77, 0.811, 0.9428)),
    ("DBHE", "NestE-Q", "triple prediction", (3.51, 0.8087, 0.9598)),
    ("FBH", "NestE-QB", "triple prediction", (6.04, 0.8984, 0.9575)),
    ("FBHE", "NestE-QB", "triple prediction", (5.55, 0.8454, 0.9472)),
    ("DBHE", "NestE-QB", "triple prediction", (2.54, 0.8467, 0.9732)),
    ("FBH", "NestE-H", "triple prediction", (4.69, 0.8584, 0.9636)),
    ("FBHE", "NestE-H", "triple prediction", (3.99, 0.781, 0.9426)),
    ("FBH", "NestE-HB", "triple prediction", (3.82, 0.8987, 0.9712)),
    ("FBHE", "NestE-HB", "triple prediction", (3.53, 0.8279, 0.9548)),
    ("DBHE", "NestE-HB", "triple prediction", (2.62, 0.842, 0.9724)),
    ("FBH", "NestE-S", "triple prediction", (3.87, 0.8674, 0.9769)),
    ("FBHE", "NestE-S", "triple prediction", (3.60, 0.7953, 0.9472)),
    ("DBHE", "NestE-S", "triple prediction", (2.55, 0.8093, 0.9665)),
    ("FBH", "NestE-SB", "triple prediction", (3.34, 0.9223, 0.9821)),
    ("FBHE", "NestE-SB", "triple prediction", (3.06, 0.8505, 0.9618)),
    ("DBHE", "NestE-SB", "triple prediction", (2.07, 0.8624, 0.9836)),
    ("FBH", "BiVE-Q", "conditional", (3.13, 0.8449, 0.9609)),
    ("FBHE", "BiVE-Q", "conditional", (4.70, 0.7871, 0.9146)),
    ("DBHE", "BiVE-Q", "conditional", (2.28, 0.8574, 0.9791)),
    ("FBH", "BiVE-QB", "conditional", (3.81, 0.8489, 0.9526)),
    ("FBHE", "BiVE-QB", "conditional", (5.22, 0.7906, 0.9046)),
    ("DBHE", "BiVE-QB", "conditional", (2.34, 0.8597, 0.9776)),
    ("FBH", "BiVE-H", "conditional", (3.31, 0.8218, 0.9569)),
    ("FBHE", "BiVE-H", "conditional", (4.48, 0.7655, 0.9139)),
    ("DBHE", "BiVE-H", "conditional", (2.46, 0.8338, 0.9773)),
    ("FBH", "BiVE-HB", "conditional", (3.47, 0.8224, 0.9543)),
    ("FBHE", "BiVE-HB", "conditional", (5.41, 0.7707, 0.9054)),
    ("DBHE", "BiVE-HB", "conditional", (2.71, 0.8467, 0.9717)),
    ("FBH", "BiVE-S", "conditional", (3.13, 0.8316, 0.9609)),
    ("FBHE", "BiVE-S", "conditional", (4.70, 0.765, 0.9101)),
    ("DBHE", "BiVE-S", "conditional", (2.41, 0.8324, 0.9758)),
    ("FBH", "BiVE-SB", "conditional", (4.03, 0.824, 0.9502)),
    ("FBHE", "BiVE-SB", "conditional", (5.24, 0.7705, 0.9086)),
    ("DBHE", "BiVE-SB", "conditional", (2.90, 0.8483, 0.9706)),
    ("FBH", "NestE-Q", "conditional", (1.78, 0.9213, 0.9857)),
    ("FBHE", "NestE-Q", "conditional", (2.62, 0.861, 0.9574)),
    ("DBHE", "NestE-Q", "conditional", (1.52, 0.9249, 0.9914)),
    ("FBH", "NestE-QB", "conditional", (1.73, 0.9226, 0.9865)),
    ("FBHE", "NestE-QB", "conditional", (2.74, 0.8647, 0.958)),
    ("DBHE", "NestE-QB", "conditional", (1.50, 0.9287, 0.9914)),
    ("FBH", "NestE-H", "conditional", (1.63, 0.9051, 0.9889)),
    ("FBHE", "NestE-H", "conditional", (2.53, 0.8442, 0.9564)),
    ("DBHE", "NestE-H", "conditional", (1.60, 0.9108, 0.9896)),
    ("FBH", "NestE-HB", "conditional", (1.59, 0.9121, 0.9903)),
    ("FBHE", "NestE-HB", "conditional", (2.49, 0.8515, 0.9606)),
    ("DBHE", "NestE-HB", "conditional", (1.63, 0.9175, 0.9885)),
    ("FBH", "NestE-S", "conditional", (1.50, 0.919, 0.992)),
    ("FBHE", "NestE-S", "conditional", (2.60, 0.8534, 0.9544)),
    ("DBHE", "NestE-S", "conditional", (1.60, 0.9094, 0.9914)),
    ("FBH", "NestE-SB", "conditional", (1.49, 0.926, 0.9918)),
    ("FBHE", "NestE-SB", "conditional", (2.35, 0.8656, 0.9612)),
    ("DBHE", "NestE-SB", "conditional", (1.52, 0.9153, 0.9929)),
)

# Dataset, model; MRR, H@10, H@1 of link prediction.
_LINKS = (
    ("FBH", "BiVE-Q", (0.3692, 0.6054, 0.2495)),
    ("FBHE", "BiVE-Q", (0.3693, 0.6032, 0.2507)),
    ("DBHE", "BiVE-Q", (0.2705, 0.4274, 0.1889)),
    ("FBH", "BiVE-QB", (0.3701, 0.6062, 0.25)),
    ("FBHE", "BiVE-QB", (0.3705, 0.6072, 0.2506)),
    ("DBHE", "BiVE-QB", (0.2743, 0.4217, 0.1975)),
    ("FBH", "BiVE-H", (0.3497, 0.5905, 0.2269)),
    ("FBHE", "BiVE-H", (0.3513, 0.5901, 0.2298)),
    ("DBHE", "BiVE-H", (0.2585, 0.4137, 0.1818)),
    ("FBH", "BiVE-S", (0.3522, 0.592, 0.229)),
    ("FBHE", "BiVE-S", (0.3505, 0.5922, 0.2269)),
    ("DBHE", "BiVE-S", (0.2595, 0.4099, 0.1832)),
    ("FBH", "NestE-Q", (0.3673, 0.6056, 0.246)),
    ("FBHE", "NestE-Q", (0.3652, 0.6054, 0.2421)),
    ("DBHE", "NestE-Q", (0.284, 0.4456, 0.1999)),
    ("FBH", "NestE-QB", (0.3715, 0.6087, 0.251)),
    ("FBHE", "NestE-QB", (0.3709, 0.6082, 0.2497)),
    ("DBHE", "NestE-QB", (0.2895, 0.4434, 0.2113)),
    ("FBH", "NestE-H", (0.3491, 0.5915, 0.2254)),
    ("FBHE", "NestE-H", (0.3489, 0.5929, 0.2245)),
    ("DBHE", "NestE-H", (0.2659, 0.423, 0.1859)),
    ("FBH", "NestE-HB", (0.3538, 0.5933, 0.2317)),
    ("FBHE", "NestE-HB", (0.3534, 0.5941, 0.2313)),
    ("DBHE", "NestE-HB", (0.2714, 0.4235, 0.1932)),
    ("FBH", "NestE-S", (0.3497, 0.5906, 0.2257)),
    ("FBHE", "NestE-S", (0.3499, 0.5917, 0.2257)),
    ("DBHE", "NestE-S", (0.272, 0.4316, 0.1911)),
    ("FBH", "NestE-SB", (0.3541, 0.5928, 0.2311)),
    ("FBHE", "NestE-SB", (0.3545, 0.5944, 0.2319)),
    ("DBHE", "NestE-SB", (0.2732, 0.4309, 0.1941)),
)

PUBLISHED = tuple(
    Published(dataset=dataset, split=f"{model} {task}", metric=metric, value=value, source=_SOURCE)
    for dataset, model, task, metrics, values in (
        *((dataset, model, task, ("mr", "mrr", "hits@10"), values) for dataset, model, task, values in _NESTED),
        *((dataset, model, "link prediction", ("mrr", "hits@10", "hits@1"), values)
          for dataset, model, values in _LINKS))
    for metric, value in zip(metrics, values, strict=True))
