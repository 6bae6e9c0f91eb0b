"""Phase 7, layout (§2, §5): hot code side by side, new calls in the system-call table, the image written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from rewriter.analysis.graph import Index
from rewriter.contract import Contract
from rewriter.edit import cut
from rewriter.elf import emit
from rewriter.elf.place import place
from rewriter.elf.provenance import provenance
from rewriter.elf.sections import main_text
from rewriter.ir import Function, Program, Ref, RefKind, Symbol
from rewriter.options import Options, System
from rewriter.passes.dispatch import Door, dispatch
from rewriter.passes.layout import order_functions, pack
from rewriter.passes.transform import Broken
from rewriter.passes.unused import Dropped, unused
from rewriter.phases.count import Counted
from rewriter.phases.growth import fitting, table
from rewriter.phases.load import Loaded, share
from rewriter.phases.order import GROUPS, left_out
from rewriter.phases.specialize import Call, SpecializedCalls
from rewriter.report import PhaseResult, Table
from rewriter.variants import Variant
from rewriter.verify import verify

WORD = 4


@dataclass(frozen=True, slots=True)
class Laid:
    kernel: bytes  # the specialized image
    identity: int  # the tag that programs made for it carry
    prefixes: tuple[tuple[str, bytes], ...]  # the kernel as it would be behind each group of passes, by its name
    variants: tuple[Variant, ...]  # the new calls that it has


def run(
    options: Options,
    system: System,
    loaded: Loaded,
    counted: Counted,
    specialized: SpecializedCalls,
    poll: Callable[[], None],
) -> tuple[Laid, PhaseResult]:
    """Choose new calls, put them into the table's free slots, order the functions, write the kernel."""
    offered = specialized
    before, way = _sizes(loaded.kernel), _way_length(loaded.kernel, offered)
    specialized = fitting(
        offered,
        way,
        int(before["text_bytes"] * (1 + options.growth)),
        lambda some: _sizes(_whole(options, system, loaded, counted, some))["text_bytes"],
    )
    whole = _whole(options, system, loaded, counted, specialized)
    kernel, dropped = whole.copy(), Dropped()
    if "unused" not in left_out(options):
        dropped = unused(kernel, system.contract)
    image, identity = _tagged(kernel, system.contract)
    after = _sizes(kernel)
    static = {key: [before[key], after[key]] for key in before}
    static["text_bytes_with_unused"] = [before["text_bytes"], _sizes(whole)["text_bytes"]]
    handled, refused = share([kernel])
    prefixes = []
    for prefix in _prefixes(loaded.kernel, system.contract, specialized, identity):
        poll()
        prefixes.append(prefix)
    return Laid(image, identity, tuple(prefixes), specialized.variants), PhaseResult(
        "layout",
        "§2, §5",
        f"{len(specialized.calls)} of {len(offered.calls)} new calls are worth their bytes: so many free slots of the "
        f"system-call table lead to them; the text changes by "
        f"{after['text_bytes'] / before['text_bytes'] - 1:+.1%}. {_told(dropped)}",
        0.0,
        handled,
        refused,
        {
            "static": static,
            "dropped": asdict(dropped),
            "new_calls": [_row(*each) for each in zip(specialized.calls, specialized.variants, strict=True)],
        },
        (_table(static), table(offered, specialized, way)),
        files={"kernel.specialized.elf": image},
        provenance=lambda: (each.row() for each in provenance(kernel)),
    )


def unmeasured(
    options: Options, system: System, loaded: Loaded, counted: Counted, specialized: SpecializedCalls
) -> tuple[bytes, int]:
    """The kernel with all of these new calls, whatever they are worth, and its tag."""
    kernel = _whole(options, system, loaded, counted, specialized)
    if "unused" not in options.without:
        unused(kernel, system.contract)
    return _tagged(kernel, system.contract)


def _tagged(kernel: Program, contract: Contract) -> tuple[bytes, int]:
    identity = tag(emit(kernel))
    return _written(kernel, contract, identity), identity


def _row(call: Call, variant: Variant) -> dict[str, object]:
    """What the new number stands for, for JSON."""
    return {
        "name": call.plan.name,
        "number": variant.number,
        "call": variant.call,
        "implied": {str(n): value for n, value in variant.implied},
        "guarded": {str(n): value for n, value in variant.guarded},
    }


def _whole(
    options: Options, system: System, loaded: Loaded, counted: Counted, specialized: SpecializedCalls
) -> Program:
    """The kernel with these new calls, in its new order, nothing dropped."""
    bodies = [call.slot or call.made.function for call in specialized.calls]
    kernel = _with_calls(loaded.kernel, system.contract, specialized, bodies)
    _with_entries(kernel, specialized)
    if "layout" not in left_out(options):
        _order(kernel, counted, specialized)
    return kernel


def _way_length(kernel: Program, specialized: SpecializedCalls) -> int:
    """Instructions from the gate to a handler and back."""
    way = specialized.way
    labels = {*way.there, *way.back} if way is not None else set()
    return sum(len(block.insns) for f in kernel.functions for block in f.blocks if block.label in labels)


def _order(kernel: Program, counted: Counted, specialized: SpecializedCalls) -> None:
    """Place functions by heat, new calls among them."""
    counts, hot = {**counted.blocks}, set(counted.hot)
    for call in specialized.calls:
        body = call.entered or call.made
        counts |= {b.label: round(body.heat.block(b.label)) for b in body.function.blocks}
        hot.add(body.function.name)
    kernel.functions = order_functions(Index(kernel), counts)
    pack(kernel.functions, hot)


def _with_calls(
    original: Program, contract: Contract, specialized: SpecializedCalls, bodies: Sequence[Function]
) -> Program:
    """The kernel with these bodies as its new system calls."""
    kernel = original.copy()
    kernel.functions += [call.wrapper for call in specialized.calls if call.wrapper is not None]
    cut(kernel, {name: place for call in specialized.calls for name, place in call.places.items()})
    for call, body in zip(specialized.calls, bodies, strict=True):
        kernel.functions.append(body)
        kernel.data += call.made.data if body is not call.slot else ()
        kernel.symbols.append(Symbol(call.plan.name, call.plan.name, kind="func"))
        set_handler(kernel, contract, call.plan.variant.number, call.plan.name)
    return kernel


def _with_entries(kernel: Program, specialized: SpecializedCalls) -> None:
    """Lead the gate to the calls that have an entry of their own."""
    doors, others = {}, {}
    for call in specialized.calls:
        number = call.plan.variant.number
        if call.entered is None and specialized.way is not None and number >= specialized.way.limit:
            others[number] = call.plan.variant.calls
        if call.entered is not None:
            function = call.entered.function
            kernel.functions.append(function)
            kernel.symbols.append(Symbol(function.name, function.name, kind="func"))
            doors[number] = Door(function.name, call.plan.variant.calls)
    if doors and specialized.way is not None:
        dispatch(kernel, specialized.way, doors, others)


def _prefixes(
    original: Program, contract: Contract, specialized: SpecializedCalls, identity: int
) -> Iterator[tuple[str, bytes]]:
    """Kernels for the ledger: what each group of passes bought is the difference between two of them.  A group whose
    functions cannot stand alone (they need jump tables that are gone by now) counts with the one behind it."""
    for group in GROUPS[:-1]:
        kernel = _with_calls(original, contract, specialized, [call.after(group) for call in specialized.calls])
        if not verify(kernel):
            yield group, _written(kernel, contract, identity)


def _written(kernel: Program, contract: Contract, identity: int) -> bytes:
    """The image, which knows itself."""
    faults = verify(kernel)
    if faults:
        raise Broken(f"the specialized kernel: {faults[0]}")
    write_tag(kernel, contract, identity)
    return emit(kernel)


def write_tag(kernel: Program, contract: Contract, identity: int) -> None:
    """Let the kernel know itself.  A contract without a tag has a loader that does not ask."""
    if contract.tag:
        symbol = kernel.symbol(contract.tag)
        data = kernel.datum(symbol.target)
        raw = identity.to_bytes(WORD, "little")
        data.raw = data.raw[: symbol.offset] + raw + data.raw[symbol.offset + WORD :]


def tag(image: bytes) -> int:
    """A number, not 0, by which a kernel knows the programs that were made for it."""
    return int.from_bytes(hashlib.sha256(image).digest()[:4], "little") | 1


def set_handler(kernel: Program, contract: Contract, number: int, handler: str) -> None:
    """Let a number's slot in the system-call table lead there."""
    promise = contract.system_calls
    assert promise is not None
    table = kernel.symbol(promise.table)
    at = table.offset + WORD * number
    kernel.datum(table.target).refs[at] = Ref(at, RefKind.ABS32, handler)


def _sizes(program: Program) -> dict[str, int]:
    """Figure 5's rows."""
    return {
        "functions": len(program.functions),
        "blocks": sum(len(f.blocks) for f in program.functions),
        "instructions": sum(len(b.insns) for f in program.functions for b in f.blocks),
        "text_bytes": main_text(place(program).sections).size,
    }


def _told(dropped: Dropped) -> str:
    if dropped.refused:
        return f"Unreachable code stays: {dropped.refused}."
    functions = f"{len(dropped.functions)} functions and {dropped.blocks} blocks"
    return f"{functions} that nothing reaches are gone, {dropped.bytes:,} bytes." if dropped.blocks else ""


def _table(static: dict[str, list[int]]) -> Table:
    titles = {"text_bytes_with_unused": "text bytes, nothing dropped"}
    rows = tuple(
        (titles.get(key, key.replace("_", " ")), a, b, f"{(b - a) / a:+.2%}") for key, (a, b) in static.items()
    )
    return Table("Static effects (Figure 5)", ("", "original", "specialized", "change"), rows)
