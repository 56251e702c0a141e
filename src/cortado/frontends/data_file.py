"""Files from outside that cortado can use and does not carry: what each is, where it comes from, how it is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cortado.registry import Registry

data_files: Registry[DataFile] = Registry("data file", workload_part="files")


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One file: `path` is its place in the data folder, `url` serves exactly the bytes `sha256` is of.

    Files that are of use together have names that begin alike, up to a `/`.
    """

    name: str
    path: str
    url: str
    sha256: str
    size_bytes: int
    licence: str
    purpose: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError(f"data file '{self.name}': sha256 must be 64 hex digits, not '{self.sha256}'")
        if self.path.startswith("/") or ".." in self.path.split("/"):
            raise ValueError(f"data file '{self.name}': its path must lie within the data folder, not '{self.path}'")


    @property
    def collection(self) -> str:
        """The name of the files it is one of; its own where it is alone."""
        return self.name.partition("/")[0]


def on_github(repository: str, commit: str, path: str) -> str:
    """Where GitHub serves a file of a public repository as it was at one commit."""
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"


_COMPRESSED_SQUEEZENET = ("songhan/SqueezeNet-Deep-Compression", "fb13faa2cf121ced9999f8a9d538ec6c56084733")

for _file in (
    DataFile(
        name="squeezenet", path="squeezenet/compressed_SqueezeNet.net",
        url=on_github(*_COMPRESSED_SQUEEZENET, "compressed_SqueezeNet.net"),
        sha256="e4ab6960ae8cd81505e1c2136921201507e930966c53deaf15862a395b3a3261", size_bytes=675_763,
        licence="BSD-2-Clause", purpose="weights of SqueezeNet v1.0, trained on ImageNet (Deep Compression)"),
    DataFile(
        name="squeezenet-prototxt", path="squeezenet/deploy.prototxt",
        url=on_github(*_COMPRESSED_SQUEEZENET, "SqueezeNet_deploy.prototxt"),
        sha256="3bcb0e792e2b50ddeb955b178ba6742e28d8950956915348eba355652040674c", size_bytes=10_486,
        licence="BSD-2-Clause", purpose="the network those weights are of, as its authors wrote it"),
    DataFile(
        name="imagenet-labels", path="squeezenet/imagenet-simple-labels.json",
        url=on_github("anishathalye/imagenet-simple-labels", "0f6e9efda54a9d35ab6de6b6dda1581aad18b3d6",
                    "imagenet-simple-labels.json"),
        sha256="987705581d9446328498f950454a1cc7d8dfc578a8243d8bfdcd2588a6905aae", size_bytes=14_209,
        licence="public domain", purpose="names of ImageNet's 1,000 classes, in class order"),
):
    data_files.register(_file.name)(_file)
