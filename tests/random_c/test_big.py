"""An image as large as a real kernel goes through load and emit, in little memory, and still runs."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.whole import whole
from tests.random_c import native
from tests.random_c.big import big

pytestmark = pytest.mark.skipif(native.missing() is not None, reason=str(native.missing()))
ROOT = Path(__file__).parent.parent.parent
# A process of its own, so that the limit is on what loading and emitting need and nothing else.
REWRITE = """
import sys
from pathlib import Path
from rewriter.elf import emit, load
program = load(Path(sys.argv[1]).read_bytes())
Path(sys.argv[2]).write_bytes(emit(program, move=True))
instructions = sum(len(list(f.insns())) for f in program.functions)
print(len(program.functions), instructions, sum(bool(f.pins) for f in program.functions))
"""


def _two_gigabytes() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


@pytest.mark.slow
def test_a_kernel_sized_image_moves(tmp_path: Path) -> None:
    image = big(350_000)
    (tmp_path / "big").write_bytes(image)
    command = [sys.executable, "-c", REWRITE, str(tmp_path / "big"), str(tmp_path / "moved")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=_two_gigabytes)
    assert done.returncode == 0, done.stderr[-500:]
    functions, instructions, pinned = map(int, done.stdout.split())
    assert functions > 5000
    assert instructions >= 350_000
    assert pinned == 0
    assert native.run((tmp_path / "moved").read_bytes()) == native.run(image)


def test_what_was_specialized_does_the_same() -> None:
    """Its counters say what is hot; copies of that, with regions, stand in its table, and all of it lies elsewhere."""
    image = big(5000)
    done = whole(image)
    assert done.image != image
    assert native.run(done.image) == native.run(image)


def test_the_size_is_what_was_asked_for() -> None:
    small = big(2000)
    assert len(small) < len(big(4000))
    assert native.run(small).status >= 0
