"""What was decided, as people read it: calls that stay calls, arguments that are not folded, exits of regions.

Tables in short group what is alike, what is most frequent first; those in detail have a row for every decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rewriter.passes.outcome import Remark
from rewriter.profile import Site
from rewriter.reasons import Reason, Why
from rewriter.report import Cell, Table
from rewriter.variants import Variant, dominant

INLINE, ARGUMENTS, REGIONS = "inline", "arguments", ("region", "entry")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument that hardly varies at a site of the value profile: folded by the new call `into`, or not (§4.2)."""

    site: Site
    call: str
    index: int
    value: int
    calls: int
    into: str  # "" where the site has no new call
    why: Why

    @property
    def folded(self) -> bool:
        return self.why.reason in (Reason.IMPLIED, Reason.TESTED)

    def row(self) -> dict[str, object]:
        return {
            "program": self.site.program,
            "site": self.site.address,
            "call": self.call,
            "argument": self.index,
            "value": self.value,
            "calls": self.calls,
            "into": self.into,
            "folded": self.folded,
            "reason": self.why.reason,
            "detail": self.why.detail,
        }


def arguments(
    profile: Mapping[Site, Mapping[tuple[int, ...], int]],
    arity: Mapping[int, int],
    names: Mapping[int, str],
    used: Mapping[tuple[str, int], tuple[str, Callable[[int, int], Why]]],
    refusals: Mapping[Site, Why],
) -> Iterator[Argument]:
    """Every argument with a dominant value.  `used`: the new call of a site, and what it makes of (argument, value);
    `refusals`: why the other sites have none."""
    for site, groups in sorted(profile.items()):
        into, decide = used.get((site.program, site.address), ("", None))
        for index, (value, count) in dominant(groups, arity.get(site.number, 0)).items():
            why = decide(index, value) if decide is not None else refusals.get(site, Why(Reason.NO_PROGRAM))
            yield Argument(site, names.get(site.number, str(site.number)), index, value, count, into, why)


def decided(variant: Variant, refused: Mapping[int, Why]) -> Callable[[int, int], Why]:
    """What a new call makes of an argument; `refused` are those that it was offered in vain."""
    implied, tested = dict(variant.implied), dict(variant.guarded)

    def of(index: int, value: int) -> Why:
        for known, reason in ((implied, Reason.IMPLIED), (tested, Reason.TESTED)):
            if known.get(index) == value:
                return Why(reason)
        return refused.get(index, Why(Reason.ONE_ARGUMENT))

    return of


def argument_tables(found: Sequence[Argument]) -> tuple[Table, Table]:
    """Those that were not folded, in short and in detail."""
    left = sorted((each for each in found if not each.folded), key=lambda each: (-each.calls, each.site, each.index))
    columns = ("call", "argument", "reason", "sites", "calls")
    grouped = defaultdict[tuple[str, str, str], list[Argument]](list)
    for each in left:
        grouped[each.call, str(each.index), each.why.reason].append(each)
    short = [(*key, len(group), sum(each.calls for each in group)) for key, group in grouped.items()]
    every = tuple(
        (
            *(each.site.program, f"{each.site.address:#x}", each.call, str(each.index), f"{each.value:#x}"),
            *(each.calls, each.into, each.why.reason, each.why.detail),
        )
        for each in left
    )
    full = ("program", "site", "call", "argument", "value", "calls", "new call", "reason", "detail")
    return (
        Table("Arguments that hardly vary and were not folded", columns, tuple(sorted(short, key=_by(4)))),
        Table("The same, one by one", full, every, detail=True),
    )


def call_tables(remarks: Iterable[Remark]) -> tuple[Table, Table]:
    """Calls that run and were not inlined, in short and in detail."""
    left = [r for r in remarks if r.pass_name == INLINE and r.kind == "missed"]
    grouped = defaultdict[tuple[str, str], list[Remark]](list)
    for r in left:
        grouped[r.detail, r.reason].append(r)
    short = [
        (callee, reason, len({r.function for r in group}), len(group), _executed(group))
        for (callee, reason), group in grouped.items()
    ]
    columns = ("callee", "reason", "new calls", "places", "executed")
    return (
        Table("Hot calls that were not inlined", columns, tuple(sorted(short, key=_by(4)))),
        _one_by_one(left, "callee"),
    )


def exit_tables(remarks: Iterable[Remark]) -> tuple[Table, Table]:
    """Where control leaves regions for the original program, in short and in detail."""
    left = [r for r in remarks if is_exit(r)]
    grouped = defaultdict[tuple[str, str, str], list[Remark]](list)
    for r in left:
        grouped[r.function, r.pass_name, r.reason].append(r)
    short = []
    for key, group in grouped.items():
        most = max(group, key=lambda r: r.executed or 0.0)
        short.append((*key, len(group), _executed(group), most.label))
    columns = ("function", "pass", "reason", "exits", "executed", "most of them to")
    return (
        Table("Exits of regions, and how often they are taken", columns, tuple(sorted(short, key=_by(4)))),
        _one_by_one(left, "detail"),
    )


def is_exit(remark: Remark) -> bool:
    """Whether it tells of an exit: of a place in the original program, and not of the function as a whole."""
    return remark.pass_name in REGIONS and remark.kind == "missed" and remark.label != remark.function


def _one_by_one(remarks: Sequence[Remark], detail: str) -> Table:
    ordered = sorted(remarks, key=lambda r: (-(r.executed or 0.0), r.function, r.label))
    rows = tuple(
        (r.function, r.pass_name, r.label, hexadecimal(r.address), round(r.executed or 0.0, 1), r.reason, r.detail)
        for r in ordered
    )
    columns = ("function", "pass", "place", "address", "executed", "reason", detail)
    return Table("The same, one by one", columns, rows, detail=True)


def hexadecimal(address: int | None) -> str:
    return "" if address is None else f"{address:#x}"


def _executed(group: Iterable[Remark]) -> float:
    return round(sum(r.executed or 0.0 for r in group), 1)


def _by(column: int) -> Callable[[tuple[Cell, ...]], tuple[object, ...]]:
    """Most frequent first."""
    return lambda row: (-float(row[column]), *map(str, row))
