"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui import files
from tui.exits import Wrong


def test_written_files_hold_what_was_given(tmp_path: Path) -> None:
    files.write_all(tmp_path / "new" / "folder", {"a": b"1", "b": b"2"})
    assert files.read(tmp_path / "new" / "folder" / "b") == b"2"
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == ["a", "b"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"old")

    def refuse(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(Wrong, match="image: No space left on device"):
        files.write(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["image"]
    assert path.read_bytes() == b"old"


def test_mode_and_links_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    target.chmod(0o640)
    (tmp_path / "link").symlink_to(target)
    files.write(tmp_path / "link", b"new")
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()


def test_a_device_is_written_in_place() -> None:
    files.write(Path(os.devnull), b"gone")
    assert Path(os.devnull).is_char_device()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_a_device_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(Wrong, match="/dev/zero: larger than 256 MiB"):
        files.read(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["missing", "."])
def test_unreadable_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(Wrong) as error:
        files.read(tmp_path / name)
    assert "\n" not in error.value.message


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Wrong, match="file/under: Not a directory"):
        files.write_all(tmp_path / "file" / "under", {"a": b""})
