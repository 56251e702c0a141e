"""Pictures of what a run has found, drawn with matplotlib and written as PNG and SVG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from cortado.frontends.file import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 8, 4.5, 120

# In place of random ones: equal runs give equal files.
_SVG = {"svg.hashsalt": "cortado"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`draw` is given an empty figure of matplotlib."""

    name: str
    draw: Callable[[Figure], None]

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write NAME.png and NAME.svg, each whole or not at all; raises `ModelFileError`."""
        # Imported here: it takes a second, and only pictures need it. A Figure by itself needs no display.
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), dpi=DOTS_PER_INCH, layout="constrained")
        paths = []
        with rc_context(_SVG):
            self.draw(figure)
            for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
                content = BytesIO()
                figure.savefig(content, format=kind, metadata=metadata)
                paths.append(folder / f"{self.name}.{kind}")
                write_whole(paths[-1], content.getvalue())
        return tuple(paths)
