"""The data folder against a server on this machine."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cortado.errors import DataError
from cortado.frontends import data_store
from cortado.frontends.data_file import DataFile, data_files
from cortado.frontends.data_store import FileState, data_folder, fetch, find, path_to, state_of
from cortado.registry import Registry

CONTENT = bytes(index * 7 % 251 for index in range(300_000))


class Handler(BaseHTTPRequestHandler):
    """Serves `server.content` in the way `server.manner` says, and notes what was asked for."""

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.headers.get("Range"))
        content, manner = server.content, server.manner
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(start[1]) if start and manner != "no ranges" else 0
        if manner == "missing":
            self.send_error(404)
            return
        if first and first >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if manner != "no length":
            self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first:first + 100_000] if manner in ("breaks", "no length") else content[first:])

    def log_message(self, *arguments: object) -> None:
        """Nothing: pytest's output is not a server's log."""


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.manner, server.asked = CONTENT, "well", []
        # Short polls, so that closing does not wait.
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(data_store.FOLDER_VARIABLE, str(tmp_path / "data"))
    # No proxy stands between a test and its own server.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "data"


@pytest.fixture
def file(server, folder, monkeypatch) -> DataFile:
    """The one known data file, `numbers`, served on this machine."""
    known = Registry("data file")
    file = DataFile(name="numbers", path="sub/numbers.bin", sha256=hashlib.sha256(CONTENT).hexdigest(),
                    url=f"http://127.0.0.1:{server.server_port}/numbers.bin", size_bytes=len(CONTENT),
                    licence="none", purpose="tests")
    known.register("numbers")(file)
    monkeypatch.setattr(data_store, "data_files", known)
    return file


def refusal(call, *arguments) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments)
    return str(caught.value)


def test_the_folder(folder, monkeypatch):
    assert data_folder() == folder
    monkeypatch.delenv(data_store.FOLDER_VARIABLE)
    assert data_folder() == Path.home() / ".cache" / "cortado" / "data"


def test_a_file_is_fetched_once(file, server, folder):
    assert (state_of(file), find("numbers")) == (FileState.ABSENT, None)
    seen = []
    path = fetch("numbers", lambda there, size: seen.append((there, size)))
    assert path == folder / "sub" / "numbers.bin"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert (state_of(file), find("numbers"), path_to("numbers")) == (FileState.HERE, path, path)
    assert fetch("numbers") == path
    assert server.asked == [None]
    assert list(path.parent.iterdir()) == [path]


def test_path_names_the_command_that_fetches(file, folder):
    assert refusal(path_to, "numbers") == (
        f"data file 'numbers' must be in {folder}, it is not there; cortado data get numbers fetches it")


@pytest.mark.parametrize("call", [find, path_to, fetch])
def test_an_unknown_name(file, call):
    assert refusal(call, "nubmers") == "unknown data file 'nubmers'; did you mean 'numbers'? (known: numbers)"


@pytest.mark.parametrize("manner", ["breaks", "no length"])
def test_a_broken_download_goes_on_where_it_stopped(file, server, folder, manner):
    server.manner = manner
    message = refusal(fetch, "numbers")
    kept = (folder / "sub" / "numbers.bin.part").stat().st_size
    assert 50_000 < kept <= 100_000
    assert message == (
        f"data file 'numbers': {file.url} must be reachable, no connection was made or it broke off; {kept:,} of "
        "300,000 bytes are kept, cortado data get numbers goes on there")
    assert state_of(file) is FileState.PARTLY
    server.manner = "well"
    assert fetch("numbers").read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]


def test_a_server_without_ranges_is_read_from_the_start(file, server):
    server.manner = "breaks"
    refusal(fetch, "numbers")
    server.manner = "no ranges"
    assert fetch("numbers").read_bytes() == CONTENT


def test_a_part_that_is_complete_is_only_checked(file, server, folder):
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "numbers.bin.part").write_bytes(CONTENT)
    assert fetch("numbers").read_bytes() == CONTENT
    assert server.asked == []


WRONG = "; they were thrown away. Something between here and there may have changed them"


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"?", CONTENT + b"more", b"<html>log in first</html>" * 20_000])
def test_a_wrong_checksum(file, server, folder, content):
    server.content = content
    assert refusal(fetch, "numbers") == (
        f"data file 'numbers': {file.url} must serve bytes of sha256 {file.sha256}, it served others{WRONG}")
    assert list((folder / "sub").iterdir()) == []
    server.content = CONTENT
    assert fetch("numbers").read_bytes() == CONTENT


def test_a_damaged_file_is_told_and_fetched_anew(file, folder):
    path = fetch("numbers")
    path.write_bytes(b"damaged")
    assert state_of(file) is FileState.DAMAGED
    expected = (f"data file 'numbers' ({path}): sha256 must be {file.sha256}, not "
                f"{hashlib.sha256(b'damaged').hexdigest()}; cortado data get numbers fetches it anew")
    assert refusal(find, "numbers") == refusal(path_to, "numbers") == expected
    assert fetch("numbers").read_bytes() == CONTENT


def test_a_server_that_has_no_such_file(file, server):
    server.manner = "missing"
    assert refusal(fetch, "numbers") == (
        f"data file 'numbers': {file.url} must serve the file, it answered 404 Not Found")


def test_a_shorter_file_on_the_server(file, server, folder):
    (folder / "sub").mkdir(parents=True)
    part = folder / "sub" / "numbers.bin.part"
    part.write_bytes(CONTENT[:1000])
    server.content = CONTENT[:1000]
    assert refusal(fetch, "numbers").endswith("must serve the file, it answered 416 Requested Range Not Satisfiable")
    assert not part.exists()


def test_no_network(file, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}/numbers.bin"
    object.__setattr__(file, "url", url)
    assert refusal(fetch, "numbers") == (
        f"data file 'numbers': {url} must be reachable, no connection was made or it broke off")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, the disk that is always full")
def test_a_full_disk(file, folder):
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "numbers.bin.part").symlink_to("/dev/full")
    assert refusal(fetch, "numbers") == (
        f"data file 'numbers': {folder}/sub must have room for 300,000 bytes, the disk is full; make room and cortado "
        "data get numbers goes on, or set CORTADO_DATA to a folder of another disk")


def test_a_folder_that_cannot_be_written(file, folder):
    folder.write_text("a file where the folder should be")
    assert refusal(fetch, "numbers") == (
        f"data file 'numbers': {folder}/sub must be a folder that can be read and written, not refuse with 'Not a "
        "directory'; set CORTADO_DATA to a folder of yours")


def test_the_known_files_are_in_the_shared_folder(real_files):
    assert {"squeezenet", "squeezenet-prototxt", "imagenet-labels", "uk-covid/cases"} <= set(data_files)
    for name in data_files:
        path = real_files / data_files[name].path
        assert path.stat().st_size == data_files[name].size_bytes
        assert hashlib.sha256(path.read_bytes()).hexdigest() == data_files[name].sha256


@pytest.mark.parametrize(("change", "message"), [
    ({"sha256": "abc"}, "data file 'x': sha256 must be 64 hex digits, not 'abc'"),
    ({"path": "../x"}, "data file 'x': its path must lie within the data folder, not '../x'"),
    ({"path": "/etc/x"}, "data file 'x': its path must lie within the data folder, not '/etc/x'"),
])
def test_a_wrong_description(change, message):
    fields = {"name": "x", "path": "x", "url": "u", "sha256": "0" * 64, "size_bytes": 1, "licence": "", "purpose": ""}
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        DataFile(**{**fields, **change})
