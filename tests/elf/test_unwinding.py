"""Unwinding tables that are written say of the code, wherever it lies now, what those that were read said of it."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewriter.elf.image import ElfError, RawSection
from rewriter.elf.unwind import Entry, ExceptTable, Piece, Tables, read_entries, unwinding_tables
from rewriter.elf.unwind.fields import DATAREL, INDIRECT, PCREL, SDATA4, UDATA4, Reader, sleb, uleb
from rewriter.elf.unwind.rows import Plain, instructions, rows_of
from rewriter.ir import CallSite, Data, Frame, FrameKind, Handlers, Ref, RefKind, Row, Unwinding

CODE, FRAMES, TABLE, THROWS = 0x08048000, 0x08100000, 0x08200000, 0x08300000
RULES = bytes((0x0C, 4, 4, 0x88, 1))  # CFA = esp + 4, the return address at CFA - 4
PLAIN = FrameKind("zR", 1, -4, 8, RULES)
CATCHING = FrameKind("zPLR", 1, -4, 8, RULES, Ref(0, RefKind.ABS32, "personality"), 0)
FACTORS = 1, -4


@given(st.integers(0, (1 << 63) - 1), st.integers(-(1 << 40), 1 << 40))
def test_numbers_are_read_as_they_were_written(number: int, signed: int) -> None:
    assert Reader(uleb(number), 0).uleb() == number
    assert Reader(sleb(signed), 0).sleb() == signed


@pytest.mark.parametrize(("encoding", "raw", "value"), [(PCREL | SDATA4, -8, 0x1000 - 8), (UDATA4, 0x1234, 0x1234)])
def test_pointers(encoding: int, raw: int, value: int) -> None:
    field = (raw & 0xFFFFFFFF).to_bytes(4, "little")
    assert Reader(field, 0x1000).pointer(encoding) == value
    assert Reader(field, 0x1000).pointer(INDIRECT | encoding) == value
    assert Reader(bytes(4), 0x1000).pointer(encoding) == 0


@pytest.mark.parametrize("encoding", [DATAREL | SDATA4, 0x0C, 0x20])
def test_pointers_of_other_forms_are_refused(encoding: int) -> None:
    with pytest.raises(ElfError, match="not understood"):
        Reader(b"\1\0\0\0\0\0\0\0", 0).pointer(encoding)


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\x80" * 20])
def test_numbers_without_end_are_refused(raw: bytes) -> None:
    with pytest.raises(ElfError, match="malformed"):
        Reader(raw, 0).uleb()


SAVED = st.dictionaries(st.sampled_from((3, 5, 6, 7)), st.integers(2, 60).map(lambda n: -4 * n))
PLAINS = st.builds(Plain, st.sampled_from((3, 4, 5)), st.integers(0, 3000), SAVED)
ARGS = st.sampled_from((b"", bytes((0x2E, 0)), bytes((0x2E, 16)), bytes((0x2E, 0x80, 2))))


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[int, Row]]:
    """Rows from `CODE` on; distances take each form of an advance."""
    at, found = CODE, []
    for _ in range(draw(st.integers(1, 8))):
        plain = draw(PLAINS)
        plain.saved[8] = -4
        found.append((at, plain.row(-4, draw(ARGS))))
        at += draw(st.one_of(st.integers(1, 70), st.integers(250, 260), st.integers(65530, 65540)))
    return found


def at(found: Sequence[tuple[int, Row]], address: int) -> Row:
    return found[bisect_right(found, address, key=lambda row: row[0]) - 1][1]


def normal(row: Row) -> Row:
    """No arguments are none, whether that is said or not."""
    return row[0], row[1], b"" if row[2] == bytes((0x2E, 0)) else row[2]


@given(rows())
def test_instructions_give_the_rows_again(wanted: list[tuple[int, Row]]) -> None:
    again = rows_of(RULES, instructions(RULES, wanted, CODE, FACTORS), CODE, FACTORS)
    for address in {a + n for a, _ in wanted for n in (0, 1)}:
        assert normal(at(again, address)) == normal(at(wanted, address))


@given(PLAINS)
def test_plain_rows_are_read_as_they_were_written(plain: Plain) -> None:
    assert Plain.of(plain.row(-4), -4) == plain


def test_what_a_plain_row_cannot_say() -> None:
    expression: Row = (bytes((0x0F, 2, 0x75, 0x7C)), (), b"")
    assert Plain.of(expression, -4) is None
    valued: Row = (bytes((0x0C, 4, 4)), ((3, bytes((0x10, 3, 2, 0x75, 0))),), b"")
    assert Plain.of(valued, -4) is None
    with pytest.raises(ElfError, match="cannot say"):
        Plain(4, 8, {3: 4}).row(-4)


def frame(start: int, size: int, kind: FrameKind, said: list[tuple[int, Row]], handlers: Handlers | None) -> Frame:
    shifted = tuple((a - CODE + start, row) for a, row in said if a - CODE < size)
    return Frame(start, start + size, 0, kind, shifted, handlers)


def section(data: Data, address: int, addresses: dict[str, int]) -> RawSection:
    """The data as a file has it at an address."""
    raw = bytearray(data.raw)
    for offset, ref in data.refs.items():
        value = addresses[ref.target] + ref.addend - (address + offset + 4 if ref.kind is RefKind.PC32 else 0)
        raw[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
    place = 1, data.name, "SHT_PROGBITS", address, len(raw), 4
    return RawSection(*place, True, False, False, False, bytes(raw), 0, 0)


ADDRESSES = {"personality": CODE, "type": CODE + 0x100, ".eh_frame": FRAMES, ".gcc_except_table": TABLE}


def read(tables: Tables, labels: dict[str, int]) -> list[Entry]:
    written = section(tables.data[".eh_frame"], FRAMES, ADDRESSES | labels)
    return read_entries(written, tables.data[".eh_frame"].refs)


@given(said=st.lists(rows(), min_size=1, max_size=4), order=st.randoms(use_true_random=False), gap=st.integers(0, 40))
@settings(max_examples=60)
def test_moved_code_has_the_rows_that_it_had(said: list[list[tuple[int, Row]]], order: object, gap: int) -> None:
    """Instructions of 3 bytes, in another order and with gaps."""
    size, step = 30, 3
    frames = tuple(frame(CODE + 0x1000 * n, size, PLAIN, rows, None) for n, rows in enumerate(said))
    blocks = [(f, [f.start + at for at in range(0, size, step)]) for f in frames]
    order.shuffle(blocks)  # type: ignore[attr-defined]
    pieces, labels, where = [], {}, 0x09000000
    for f, origins in blocks:
        label = labels.setdefault(f"b{f.start}", where) and f"b{f.start}"
        for offset, origin in enumerate(origins):
            pieces.append(Piece(where + step * offset, step, origin, label, step * offset))
        where += size + gap
    tables = unwinding_tables(Unwinding(frames, ".eh_frame"), pieces, labels)
    entries = [entry.frame(None, lambda _: ("", 0)) for entry in read(tables, labels)]
    found = Unwinding(tuple(entries), ".eh_frame")
    for piece in pieces:
        assert piece.origin is not None
        before, after = Unwinding(frames, "").row(piece.origin), found.row(piece.address)
        assert before is not None
        assert after is not None
        assert normal(after) == normal(before)
    if gap:
        assert found.at(pieces[-1].address + step) is None


def test_who_tells_how_to_unwind_is_believed() -> None:
    said = Plain(5, 8, {8: -4, 5: -8}).row(-4)
    frames = (frame(CODE, 16, PLAIN, [(CODE, Plain(4, 4, {8: -4}).row(-4))], None),)
    pieces = [Piece(0x9000, 4, None, "b", 0, None, (CODE, said)), Piece(0x9004, 4, CODE + 4, "b", 4)]
    found = Unwinding(
        tuple(
            e.frame(None, lambda _: ("", 0))
            for e in read(unwinding_tables(Unwinding(frames, ".eh_frame"), pieces, {"b": 0x9000}), {"b": 0x9000})
        ),
        "",
    )
    assert found.row(0x9000) == said
    assert found.row(0x9004) == frames[0].rows[0][1]


def handlers(*sites: CallSite) -> Handlers:
    """A type at the end of the tail, in a word that names it."""
    return Handlers(sites, 0, 8, bytes((1, 0, 0, 0)) + bytes(4), (Ref(4, RefKind.ABS32, "type"),), 0)


@pytest.mark.parametrize("pad", [0x9100, 0x8000], ids=["behind", "before"])
def test_handlers_follow_their_calls(pad: int) -> None:
    """A landing pad may lie before the code from which distances count."""
    sites = CallSite(CODE + 4, CODE + 8, ("pad", 0), 1), CallSite(CODE + 8, CODE + 12, None, 0)
    frames = (frame(CODE, 16, CATCHING, [(CODE, Plain(4, 4, {8: -4}).row(-4))], handlers(*sites)),)
    labels = {"b": 0x9000, "pad": pad}
    pieces = [Piece(0x9000 + n, 4, CODE + n, "b", n) for n in range(0, 16, 4)]
    tables = unwinding_tables(Unwinding(frames, ".eh_frame", ".gcc_except_table"), pieces, labels)
    (entry,) = read(tables, labels)
    table = section(tables.data[".gcc_except_table"], TABLE, ADDRESSES | labels)
    found = ExceptTable(table, tables.data[".gcc_except_table"].refs, [entry.handlers])
    again = found.handlers(entry.handlers, entry.start, lambda address: (f"{address:#x}", 0))
    assert [(s.start, s.end, s.pad, s.action) for s in again.sites] == [
        (0x9004, 0x9008, (f"{pad:#x}", 0), 1),
        (0x9008, 0x900C, None, 0),
    ]
    assert again.refs == (Ref(4, RefKind.ABS32, "type"),)
    assert entry.kind.personality is not None
    assert entry.kind.personality.target == "personality"


def test_a_call_leads_to_the_pad_that_it_names() -> None:
    """Whatever the input's call site says; others in its range lead nowhere, since they throw nothing."""
    site = CallSite(CODE, CODE + 12, ("pad", 0), 1)
    frames = (frame(CODE, 16, CATCHING, [(CODE, Plain(4, 4, {8: -4}).row(-4))], handlers(site)),)
    row = frames[0].rows[0][1]
    pieces = [Piece(0x9000 + n, 4, CODE + n, "b", n, "copy" if n == 4 else None, (CODE, row)) for n in range(0, 12, 4)]
    labels = {"b": 0x9000, "copy": 0x9040, "pad": 0x9080}
    tables = unwinding_tables(Unwinding(frames, ".eh_frame", ".gcc_except_table"), pieces, labels)
    (entry,) = read(tables, labels)
    table = section(tables.data[".gcc_except_table"], TABLE, ADDRESSES | labels)
    again = ExceptTable(table, {}, [entry.handlers]).handlers(entry.handlers, entry.start, lambda a: (f"{a:#x}", 0))
    assert [(s.start, s.end, s.pad) for s in again.sites] == [(0x9004, 0x9008, ("0x9040", 0))]


def test_the_index_is_sorted() -> None:
    frames = tuple(frame(CODE + 0x100 * n, 16, PLAIN, [(CODE, Plain(4, 4, {8: -4}).row(-4))], None) for n in range(5))
    pieces = [Piece(0x9000 - 0x100 * n, 16, f.start, f"b{n}", 0) for n, f in enumerate(frames)]
    labels = {piece.label: piece.address for piece in pieces}
    tables = unwinding_tables(
        Unwinding(frames, ".eh_frame", None, ".eh_frame_hdr"), sorted(pieces, key=lambda p: p.address), labels
    )
    size = len(tables.data[".eh_frame_hdr"].raw)
    raw = tables.index(size, THROWS, FRAMES)
    assert raw[:4] == bytes((1, PCREL | SDATA4, UDATA4, DATAREL | SDATA4))
    begin, count = struct.unpack_from("<iI", raw, 4)
    assert (THROWS + 4 + begin, count) == (FRAMES, 5)
    rows = [struct.unpack_from("<ii", raw, 12 + 8 * n) for n in range(count)]
    assert [THROWS + start for start, _ in rows] == sorted(labels.values())
    starts = {e.start for e in read(tables, labels)}
    assert {THROWS + start for start, _ in rows} == starts
