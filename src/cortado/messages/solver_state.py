"""SolverState, what Caffe's solver goes on from: files with the ending .solverstate.

Source of the numbers: `caffe.proto` of BVLC/caffe. What an uninterrupted run needs besides (the states of the random
generators, how far the data has been read) is in one more field, which Caffe skips.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cortado.graph.shape import LARGEST_COUNT
from cortado.messages.blob import encoded_blob, read_blob
from cortado.messages.wire import (
    WireField,
    WireReader,
    WireType,
    content,
    length_field,
    number,
    text,
    varint,
    varint_field,
    wrong_wire_type,
)

# message SolverState
ITERATION, LEARNED_NET, HISTORY, CURRENT_STEP = 1, 2, 3, 4
# Ours, far from any number of Caffe's: a named array of any number type.
ARRAY = 1000
ARRAY_NAME, ARRAY_TYPE, ARRAY_DIM, ARRAY_BYTES = 1, 2, 3, 4

# The number types an array may have, little-endian.
_TYPES = ("|u1", "<i8", "<f4", "<f8")


@dataclass(frozen=True, kw_only=True)
class SolverState:
    """`history` has the update rule's arrays in Caffe's order; `arrays` is empty in a file of Caffe's own."""

    iteration: int
    learned_net: str
    history: tuple[np.ndarray, ...] = field(repr=False)
    current_step: int = 0
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)


def encode_solver_state(state: SolverState) -> bytes:
    """The bytes of a .solverstate file; equal states give equal bytes."""
    parts = [varint_field(ITERATION, state.iteration), length_field(LEARNED_NET, state.learned_net.encode()),
             *(length_field(HISTORY, encoded_blob(blob, keep_double=True)) for blob in state.history),
             varint_field(CURRENT_STEP, state.current_step),
             *(length_field(ARRAY, _encoded_array(name, value)) for name, value in state.arrays.items())]
    return b"".join(parts)


def parse_solver_state(data: bytes, file: str | Path) -> SolverState:
    """The state in the bytes of a .solverstate file; raises `ModelFileError` for anything else."""
    reader = WireReader(data, file, "solverstate")
    iteration, learned_net, current_step = None, "", 0
    history: list[np.ndarray] = []
    arrays: dict[str, np.ndarray] = {}
    for part in reader.whole_file():
        if part.number == ITERATION:
            iteration = number(reader, part, "the iteration")
        elif part.number == LEARNED_NET:
            learned_net = text(reader, part, "the name of the weights file")
        elif part.number == HISTORY:
            history.append(read_blob(reader, part, f"array {len(history)} of the history", keep_double=True))
        elif part.number == CURRENT_STEP:
            current_step = number(reader, part, "the current step")
        elif part.number == ARRAY:
            name, value = _read_array(reader, part)
            arrays[name] = value
    if iteration is None or iteration < 0 or current_step < 0:
        raise reader.error(0, "a solverstate must hold an iteration and a step of at least 0: this is none")
    return SolverState(iteration=iteration, learned_net=learned_net, history=tuple(history),
                       current_step=current_step, arrays=arrays)


def _encoded_array(name: str, value: np.ndarray) -> bytes:
    little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    return b"".join((length_field(ARRAY_NAME, name.encode()), length_field(ARRAY_TYPE, little.dtype.str.encode()),
                     length_field(ARRAY_DIM, b"".join(varint(dim) for dim in value.shape)),
                     length_field(ARRAY_BYTES, little.tobytes())))


def _read_array(reader: WireReader, array: WireField) -> tuple[str, np.ndarray]:
    content(reader, array, "an array")
    name, dtype, dims, data = "", "", [], b""
    for part in reader.inside(array):
        if part.number == ARRAY_NAME:
            name = text(reader, part, "an array's name")
        elif part.number == ARRAY_TYPE:
            dtype = text(reader, part, f"the type of array '{name}'")
        elif part.number == ARRAY_DIM:
            if part.wire_type not in (WireType.VARINT, WireType.LENGTH):
                raise wrong_wire_type(reader, part, f"a dimension of array '{name}'")
            dims += reader.varints(part)
        elif part.number == ARRAY_BYTES:
            data = bytes(content(reader, part, f"the values of array '{name}'"))
    size = math.prod(dims)
    if dtype not in _TYPES or size > LARGEST_COUNT or size * np.dtype(dtype).itemsize != len(data):
        raise reader.error(array.offset, f"array '{name}' must have a known type and as many values as its dimensions "
                                         "say: the file is damaged")
    return name, np.frombuffer(data, dtype).reshape(dims).copy()
