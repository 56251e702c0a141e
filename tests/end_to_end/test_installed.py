"""What a user without a checkout gets."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]

# Runs with the unpacked wheel in front of every other path.
WHERE_THINGS_ARE = """
import sys
sys.path.insert(0, sys.argv[1])
from cortado.frontends.model import known_models, load_model
from cortado.resources import models_root, sim_root
print(models_root(), sim_root(), len(load_model("digits").weights), *known_models(), sep="\\n")
"""


@pytest.mark.slow
def test_a_wheel_holds_all_that_is_read_at_run_time(tmp_path):
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", tmp_path, CHECKOUT],
                   check=True, timeout=300)
    (wheel,) = tmp_path.glob("cortado-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(installed)
    for package, folder in (("_sim", "sim"), ("_models", "models")):
        there = {path.relative_to(CHECKOUT / folder).as_posix() for path in (CHECKOUT / folder).rglob("*")
                 if path.is_file() and "__pycache__" not in path.parts}
        assert there
        assert {name.removeprefix(f"cortado/{package}/") for name in names
                if name.startswith(f"cortado/{package}/")} == there

    printed = subprocess.run([sys.executable, "-c", WHERE_THINGS_ARE, installed], check=True, capture_output=True,
                             text=True, cwd=tmp_path, timeout=120).stdout.splitlines()
    # Five layers of digits have weights.
    assert printed[:3] == [str(installed / "cortado" / "_models"), str(installed / "cortado" / "_sim"), "5"]
    assert printed[3:] == sorted(folder.name for folder in (CHECKOUT / "models").iterdir() if folder.is_dir())
