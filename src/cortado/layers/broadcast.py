"""NumPy's rule for blobs of different shapes. No layer type lives here."""

from __future__ import annotations

from cortado.graph.shape import TensorShape
from cortado.graph.spec import LayerSpec


def broadcast_shape(spec: LayerSpec, bottoms: tuple[TensorShape, ...]) -> TensorShape:
    """The shape all bottoms become; `LayerError` where there is none.

    Axes are counted from the end, a missing one or one of size 1 is repeated. Source: NumPy's "Broadcasting".
    """
    rank = max(bottom.rank for bottom in bottoms)
    padded = [(1,) * (rank - bottom.rank) + bottom.dims for bottom in bottoms]
    dims = []
    for axis, sizes in enumerate(zip(*padded, strict=True)):
        wanted = {size for size in sizes if size != 1}
        if len(wanted) > 1:
            raise spec.error(f"bottoms must be of one size, or 1, along axis {axis}, not "
                             f"{', '.join(str(bottom) for bottom in bottoms)}")
        dims.append(max(sizes))
    return TensorShape(tuple(dims))
