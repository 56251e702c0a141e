"""Train the digits network and write digits.caffemodel and its checksum into model.json.

    python models/digits/train.py [OUTPUT_FOLDER]

Every draw is seeded, everything runs on one thread, and the arithmetic is held at what every x86-64 processor has, so
the same releases of torch and NumPy write the same bytes. Half a minute of one core.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

# Before torch computes anything: otherwise sums are ordered by the vector width of the processor it runs on.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["MKL_CBWR"] = "COMPATIBLE"

import numpy as np
import torch
from torch.nn import functional

from cortado.frontends.caffemodel import write_caffemodel
from cortado.frontends.digits import held_out_digits, training_digits
from cortado.frontends.prototxt import read_prototxt
from cortado.net.net import Net

HERE = Path(__file__).parent
SEED = 2016  # the year of the paper cortado follows
EPOCHS = 120
BATCH = 64
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-3
PIXEL = 2 / 8  # a picture spans -1 to 1


def train() -> Net:
    """The trained network, phase TRAIN."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Both choose their algorithm by the processor.
    torch.backends.mkldnn.enabled = False
    torch.backends.nnpack.set_flags(False)
    torch.manual_seed(SEED)
    rng = np.random.Generator(np.random.PCG64(SEED))
    pictures, labels = training_digits()
    net = Net(read_prototxt(HERE / "digits.prototxt", phase="TRAIN"), seed=SEED)
    optimizer = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(labels))
        total = 0.0
        for start in range(0, len(order), BATCH):
            chosen = order[start:start + BATCH]
            batch = _warped(torch.from_numpy(pictures[chosen]), rng)
            loss = net.loss(net({"data": batch, "label": torch.from_numpy(labels[chosen])}))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch + 1}/{EPOCHS}: loss {total / len(order):.4f}")
    return net


def _warped(batch: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Each picture turned, slanted, scaled and moved a little, zeros moving in."""
    count = len(batch)
    # Rows of an affine matrix each: near the identity, off-diagonals turn and slant. No sine or cosine, whose last
    # bits differ between processors.
    turn = rng.uniform(-0.15, 0.15, (count, 2))
    scale = rng.uniform(0.9, 1.1, (count, 2))
    move = rng.uniform(-0.7, 0.7, (count, 2)) * PIXEL
    rows = ((scale[:, 0], turn[:, 0], move[:, 0]), (turn[:, 1], scale[:, 1], move[:, 1]))
    matrices = np.stack([np.stack(row, axis=1) for row in rows], axis=1)
    grid = functional.affine_grid(torch.from_numpy(matrices.astype(np.float32)), list(batch.shape), align_corners=False)
    return functional.grid_sample(batch, grid, align_corners=False)


def accuracy(net: Net) -> float:
    """The share of held-out digits it gets right."""
    pictures, labels = held_out_digits()
    tested = Net(read_prototxt(HERE / "digits.prototxt", phase="TEST"), net.weights())
    with torch.no_grad():
        answers = tested({"data": torch.from_numpy(pictures)})["prob"].argmax(1).numpy()
    return float((answers == labels).mean())


def main(folder: Path) -> None:
    net = train()
    path = folder / "digits.caffemodel"
    write_caffemodel(path, net.spec.name, {name: (net.spec.layer(name).type, blobs)
                                           for name, blobs in net.weights().items()})
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    metadata = (HERE / "model.json").read_text()
    metadata = re.sub(r'("weights_sha256": )"[0-9a-f]*"', rf'\1"{checksum}"', metadata)
    (folder / "model.json").write_text(metadata)
    print(f"held-out accuracy {accuracy(net):.2%}, wrote {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
