"""Exception tables in every format: what is written reads as what was meant, wherever the table lies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewriter.elf.exceptions import FORMATS, Fixup

WORDS = st.integers(0, 0xFFFFFFFF)
FIXUPS = st.lists(st.builds(Fixup, WORDS, WORDS, WORDS), unique_by=lambda fixup: fixup.insn)


@pytest.mark.parametrize("name", FORMATS)
@given(fixups=FIXUPS, address=WORDS)
def test_what_is_written_reads_again_sorted(name: str, fixups: list[Fixup], address: int) -> None:
    form = FORMATS[name]
    raw = form.write(fixups, address)
    assert len(raw) == form.size * len(fixups)
    expected = sorted(fixups, key=lambda fixup: fixup.insn)
    assert list(form.read(raw, address)) == [each if form.third else replace(each, word=0) for each in expected]


def test_a_relative_entry_counts_from_its_own_words() -> None:
    """insn − ., fixup − ., handler − . as in Linux: the second entry's words lie 12 bytes behind the first's."""
    fixups = [Fixup(0x1000, 0x2000, 0x3000), Fixup(0x1100, 0x2000, 0x3000)]
    words = (0x1000 - 0x5000, 0x2000 - 0x5004, 0x3000 - 0x5008, 0x1100 - 0x500C, 0x2000 - 0x5010, 0x3000 - 0x5014)
    expected = b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words)
    assert FORMATS["relative-handlers"].write(fixups, 0x5000) == expected
