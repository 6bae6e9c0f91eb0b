"""Phase 8, retarget (§2, last step): programs load the new system-call numbers where the arguments allow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rewriter.analysis.sites import CallSite, retargeted
from rewriter.elf import emit
from rewriter.ir import Program
from rewriter.phases.load import Loaded
from rewriter.phases.values import Values
from rewriter.report import Listing, PhaseResult, Table
from rewriter.show import instruction
from rewriter.variants import Variant


@dataclass(frozen=True, slots=True)
class Retargeted:
    programs: Mapping[str, bytes]  # the images that changed


def run(
    loaded: Loaded, values: Values, variants: Sequence[Variant], identity: int, poll: Callable[[], None]
) -> tuple[Retargeted, PhaseResult]:
    """Change the immediates and nothing else: the arguments stay in their registers (§2).

    `identity` names the kernel that has the new calls; the program carries it, and no other kernel loads it.
    """
    wanted = {site: variant for variant in variants for site in variant.sites}
    images, rows, listings, refused = {}, [], [], Counter[str]()
    for name, sites in values.sites.items():
        poll()
        program = loaded.programs[name]
        changes = {s: wanted[name, s.address] for s in sites if s.address is not None and (name, s.address) in wanted}
        refused.update(s.refused or "no new call suits it" for s in sites if s not in changes)
        if not changes:
            continue
        images[name] = emit(_changed(program, changes, identity))
        for site, variant in changes.items():
            rows.append(
                (name, f"{site.address:#x}", values.names[variant.call], str(variant.call), str(variant.number))
            )
        listings += _listings(name, program, changes)
    columns = ("program", "site", "call", "was", "is")
    return Retargeted(images), PhaseResult(
        "retarget",
        "§2",
        f"{len(rows)} places in {len(images)} programs now load a new number; their other bytes are the same.",
        0.0,
        len(rows),
        dict(sorted(refused.items())),
        {"sites": [dict(zip(columns, row, strict=True)) for row in rows]},
        (Table("Retargeted sites", columns, tuple(rows)),),
        tuple(listings),
        files={f"{name}.retargeted.elf": raw for name, raw in images.items()},
    )


def _changed(program: Program, changes: Mapping[CallSite, Variant], identity: int) -> Program:
    changed = program.copy()
    changed.made_for = identity
    blocks = {b.label: b for f in changed.functions for b in f.blocks}
    for site, variant in changes.items():
        assert site.number_at is not None
        label, position = site.number_at
        insns = blocks[label].insns
        insns[position] = retargeted(insns[position], variant.number)
    return changed


def _listings(name: str, program: Program, changes: Mapping[CallSite, Variant]) -> list[Listing]:
    """Around each site: the load of the number, and the gate."""
    blocks = {b.label: b for f in program.functions for b in f.blocks}
    found = []
    for site, variant in changes.items():
        assert site.number_at is not None
        label, position = site.number_at
        last = site.at[1] if site.at[0] == label else len(blocks[label].insns) - 1
        insns = blocks[label].insns[max(0, position - 3) : last + 1]
        load = blocks[label].insns[position]
        before, after = (
            "\n".join([f"{label}:", *(f"    {instruction(new if insn is load else insn)}" for insn in insns)])
            for new in (load, retargeted(load, variant.number))
        )
        found.append(Listing(f"{name}: {site.function}", before, after))
    return found
