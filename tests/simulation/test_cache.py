"""The build cache: one build for each key, whole entries only, errors in words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cortado.errors import CacheError
from cortado.simulation.cache import MANIFEST, cache_folder, cached, digest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("CORTADO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Builder:
    """Writes two files and counts how often."""

    def __init__(self) -> None:
        self.builds = 0

    def __call__(self, folder: Path) -> None:
        self.builds += 1
        (folder / "engine.so").write_bytes(b"\x7fELF and so on")
        (folder / "engine.v").write_text("module engine; endmodule")


def names(folder: Path) -> list[str]:
    """Everything below a folder but the locks."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".lock")


def test_folder_is_in_the_home_unless_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CORTADO_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "cortado"


def test_builds_once(folder: Path) -> None:
    build = Builder()
    first = cached("library", "key", build)
    assert cached("library", "key", build) == first == folder / "library" / "key"
    assert build.builds == 1
    assert names(first) == ["engine.so", "engine.v", MANIFEST]


def test_keys_and_kinds_are_apart(folder: Path) -> None:
    build = Builder()
    entries = {cached(kind, key, build) for kind in ("library", "verilog") for key in ("a", "b")}
    assert len(entries) == build.builds == 4


@pytest.mark.parametrize("damage", [
    lambda entry: (entry / "engine.so").write_bytes(b"\x7fELF and so oN"),
    lambda entry: (entry / "engine.so").write_bytes(b""),
    lambda entry: (entry / "engine.v").unlink(),
    lambda entry: (entry / MANIFEST).unlink(),
    lambda entry: (entry / MANIFEST).write_text('{"engine.so": '),
    lambda entry: (entry / MANIFEST).write_text('["engine.so"]'),
], ids=["changed", "truncated", "missing", "no manifest", "half a manifest", "foreign manifest"])
def test_damaged_entry_is_built_again(damage, caplog: pytest.LogCaptureFixture, folder: Path) -> None:
    build = Builder()
    entry = cached("library", "key", build)
    damage(entry)
    assert cached("library", "key", build) == entry
    assert build.builds == 2
    assert (entry / "engine.so").read_bytes() == b"\x7fELF and so on"
    assert caplog.messages == [f"build cache: {entry} is damaged and is built again"]
    assert cached("library", "key", build) == entry
    assert build.builds == 2
    assert names(folder) == ["library", "library/key", *(f"library/key/{name}" for name in names(entry))]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_failed_build_leaves_nothing(error: BaseException, folder: Path) -> None:
    def build(place: Path) -> None:
        (place / "half").write_text("written")
        raise error

    with pytest.raises(type(error)):
        cached("library", "key", build)
    assert names(folder) == ["library"]


def test_remains_of_a_killed_build_are_removed(folder: Path) -> None:
    (folder / "library" / "key.partial-x1y2").mkdir(parents=True)
    (folder / "library" / "key.partial-x1y2" / "half").write_text("written")
    entry = cached("library", "key", Builder())
    assert names(folder / "library") == ["key", *(f"key/{name}" for name in names(entry))]


def test_two_processes_build_once(folder: Path, tmp_path: Path) -> None:
    program = """if True:
        import sys, time
        from pathlib import Path
        from cortado.simulation.cache import cached
        def build(folder):
            with open(sys.argv[1], "a") as log:
                log.write("built\\n")
            time.sleep(0.5)
            (folder / "engine.so").write_text("x")
        print(cached("library", "key", build))
    """
    log = tmp_path / "log"
    processes = [subprocess.Popen([sys.executable, "-c", program, str(log)], stdout=subprocess.PIPE, text=True)
                 for _ in range(3)]
    answers = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert answers == {str(folder / "library" / "key")}
    assert log.read_text() == "built\n"
    assert json.loads((folder / "library" / "key" / MANIFEST).read_text()).keys() == {"engine.so"}


def test_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CORTADO_CACHE", str(tmp_path / "file"))
    message = (f"build cache '{tmp_path / 'file'}': must be a folder that can be written, not refuse with "
               f"'Not a directory'; set CORTADO_CACHE to a folder of yours")
    with pytest.raises(CacheError, match=f"^{re.escape(message)}$"):
        cached("library", "key", Builder())


def test_full_disk(folder: Path) -> None:
    def build(place: Path) -> None:
        raise OSError(28, "No space left on device")

    message = (f"build cache '{folder}': must be a folder that can be written, not refuse with "
               f"'No space left on device'; set CORTADO_CACHE to a folder of yours")
    with pytest.raises(CacheError, match=f"^{re.escape(message)}$"):
        cached("library", "key", build)
    assert names(folder) == ["library"]


def test_digest_sees_content_and_borders(tmp_path: Path) -> None:
    file = tmp_path / "source.py"
    file.write_text("ab")
    assert digest(file) == digest("ab") == digest(b"ab")
    assert len({digest("ab"), digest("a", "b"), digest("ab", ""), digest("abc"), digest()}) == 5
