"""Packages and model folders that must already be on this machine."""

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

from anonymization.names.errors import NameModelMissing


def needed(module: str, package: str) -> Any:
    """A module of a package that the user installs. Raises NameModelMissing with the package's name."""
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        raise NameModelMissing(
            f"This finder of names needs the package {package!r}: pip install {package}"
        ) from missing


def existing_folder(path: str | Path) -> Path:
    """The folder of a model. A name to download by is refused with NameModelMissing like any path that is not there."""
    folder = Path(path)
    if not folder.is_dir():
        raise NameModelMissing(f"There is no model folder at {str(path)!r}; models are not downloaded")
    return folder


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(found for found in folder.rglob("*") if found.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(hashlib.sha256(str(path.relative_to(folder)).encode()).digest() + content)
    return digest.hexdigest()
