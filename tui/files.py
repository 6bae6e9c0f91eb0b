"""Files read and written whole; nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tui.exits import Wrong

LARGEST = 1 << 28  # bytes of a file that is read; a device may have no end


def read(path: Path) -> bytes:
    """All bytes of a file.  Raises Wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}") from None
    if len(content) > LARGEST:
        raise Wrong(f"{path}: larger than {LARGEST >> 20} MiB")
    return content


def write(path: Path, content: bytes, like: Path | None = None) -> None:
    """Write beside the file, then take its place; a device is written in place.  A new file is executable where the
    file `like` is.  Raises Wrong."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(path.resolve(), content, like.stat().st_mode & 0o111 if like else 0)
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}") from None


def write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, by name, into a folder that is made if need be.  Raises Wrong."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Wrong(f"{folder}: {error.strerror}") from None
    for name, content in contents.items():
        write(folder / name, content)


def _replace(path: Path, content: bytes, executable: int) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else (0o666 | executable) & ~_umask()
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, mode)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
