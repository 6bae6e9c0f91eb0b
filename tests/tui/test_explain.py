"""`hotpath specialize --explain FUNCTION`."""

from __future__ import annotations

import json

import pytest

from tests.tui.shell import hotpath


def explained(*arguments: str) -> str:
    ran = hotpath("specialize", "--explain", *arguments)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_for_people() -> None:
    lines = explained("__copy_to_user").splitlines()
    assert lines[0] == "__copy_to_user goes 8 bytes below its return address."
    assert "use depth   16 (arguments: 3)     16 (arguments: 3)" in lines
    assert "kill depth  4                     4" in lines
    assert "user memory  read, written         read, written" in lines


def test_for_programs() -> None:
    found = json.loads(explained("sys_mmap2", "--json", "--as-published"))
    assert found["schema"] == "hotpath.explain/1"
    assert (found["image"], found["function"]) == ("kernel", "sys_mmap2")
    assert found["own"]["use_depth"] == 28
    assert found["with_callees"]["kill_depth"] is None
    assert found["chain"][-1] == "switch_to"
    assert found["reason"].startswith("switch_to: esp at a return")


def test_a_function_of_a_program() -> None:
    assert json.loads(explained("cat:main", "--json"))["image"] == "cat"


@pytest.mark.parametrize(
    ("function", "line"),
    [
        ("sys_lsek", "hotpath: no function of the kernel is called 'sys_lsek'; there is sys_lseek\n"),
        ("cat:42", "hotpath: no function of cat is called '42'\n"),
        ("", "hotpath: no function of the kernel is called ''\n"),
    ],
)
def test_there_is_none_of_that_name(function: str, line: str) -> None:
    ran = hotpath("specialize", "--explain", function)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


def test_there_is_no_such_program() -> None:
    ran = hotpath("specialize", "--explain", "dog:main")
    assert ran.returncode == 2
    assert ran.stderr.startswith("hotpath: no program is called 'dog'; there are ")
