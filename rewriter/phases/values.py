"""Phase 2, values (§2 step 1, §4.2): record every system call of the training programs, with its arguments.

What a register held at the gate is one thing, what the program's code proves about it another: an argument that is
proved may be implied by a new system-call number, one that was only observed needs a guard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rewriter.analysis.depths import Depths
from rewriter.analysis.gates import handlers
from rewriter.analysis.graph import Index
from rewriter.analysis.sites import CallSite, call_sites
from rewriter.analysis.value import WORD
from rewriter.contract import Contract
from rewriter.ir import Program
from rewriter.options import Options, System
from rewriter.phases.load import Loaded
from rewriter.probes.values import profile_calls, single
from rewriter.profile import Arguments, Site
from rewriter.report import PhaseResult, Table
from rewriter.variants import Choice, choose


@dataclass(frozen=True, slots=True)
class Values:
    arguments: Mapping[Site, Mapping[Arguments, int]]
    sites: Mapping[str, tuple[CallSite, ...]]  # by program of the training set
    names: Mapping[int, str]  # of the system calls, by number
    choice: Choice  # the new system calls
    depths: Depths  # of the kernel's functions, the contract's facts believed
    arity: Mapping[int, int]  # arguments that each call may read, by number


def run(
    options: Options, system: System, loaded: Loaded, cancelled: Callable[[], bool], poll: Callable[[], None]
) -> tuple[Values, PhaseResult]:
    """Run the training set as it is, under the system-call trace; or take what an earlier profile says."""
    arguments = _observed(options, system, cancelled)
    trained = {command.split()[0] for command in options.commands} | {site.program for site in arguments}
    sites = {name: tuple(call_sites(program, poll)) for name, program in loaded.programs.items() if name in trained}
    names = call_names(loaded.kernel, system.contract)
    depths = Depths(Index(loaded.kernel), system.contract, poll=poll)
    arity = arities(depths)
    choice = choose(
        arguments,
        sites,
        arity,
        free_numbers(loaded.kernel, system.contract),
        single_argument=options.as_published,
    )
    values = Values(arguments, sites, names, choice, depths, arity)
    counts = Counter[int]()
    for site, groups in arguments.items():
        counts[site.number] += sum(groups.values())
    commonest = ", ".join(f"{names.get(n, str(n))} {count}×" for n, count in counts.most_common(3))
    refused = Counter(s.refused for found in sites.values() for s in found if s.refused)
    return values, PhaseResult(
        "values",
        "§2, §4.2",
        f"{counts.total():,} system calls came through the gate: {commonest}.",
        0.0,
        sum(not s.refused for found in sites.values() for s in found),
        dict(sorted(refused.items())),
        {"calls": {names.get(n, str(n)): count for n, count in sorted(counts.items())}},
        (_frequencies(values, counts), _arguments(values), _variants(values)),
    )


def _observed(
    options: Options, system: System, cancelled: Callable[[], bool]
) -> Mapping[Site, Mapping[Arguments, int]]:
    if options.profile is not None:
        options.profile.check_kernel(system.kernel)
        return options.profile.arguments
    run = system.machine.run(system.kernel, system.work(options.commands), cancelled=cancelled)
    return profile_calls(run.calls)


def arities(depths: Depths) -> dict[int, int]:
    """How many arguments each handler may read, by number: what its use depth reaches of them (§4.2)."""
    kernel, contract = depths.index.program, depths.contract
    most = contract.system_calls.arguments if contract.system_calls else 0
    found = {}
    for number, handler in handlers(kernel, contract).items():
        use = depths.of(handler).use_depth
        found[number] = most if use is None else min(most, max(0, use // WORD - 1))
    return found


def free_numbers(kernel: Program, contract: Contract) -> list[int]:
    """Slots of the system-call table that no call uses, those behind the last call first."""
    promise = contract.system_calls
    taken = handlers(kernel, contract)
    last = max(taken, default=0)
    return sorted((n for n in range(promise.slots) if n not in taken), key=lambda n: n < last) if promise else []


def call_names(kernel: Program, contract: Contract) -> dict[int, str]:
    """Names of the system calls by number: of the table's handlers, without their prefix."""
    found = {}
    for number, handler in handlers(kernel, contract).items():
        found[number] = handler.removeprefix(contract.system_calls.prefix) if contract.system_calls else handler
    return found


def _frequencies(values: Values, counts: Counter[int]) -> Table:
    total = sum(counts.values())
    rows = tuple((values.names.get(n, str(n)), str(n), c, c / total) for n, c in counts.most_common())
    return Table("System calls", ("call", "number", "calls", "share"), rows)


def _arguments(values: Values) -> Table:
    """One row a site and argument that nearly always has the same value."""
    rows = []
    known = {(name, s.address): s for name, found in values.sites.items() for s in found}
    for site, groups in values.arguments.items():
        total = sum(groups.values())
        for index in range(3):
            value, count = next(iter(single(groups, index).items()))
            proved = (s := known.get((site.program, site.address))) is not None and s.constants.get(index) == value
            if count == total:
                name = values.names.get(site.number, str(site.number))
                place = (site.program, f"{site.address:#x}", name, index)
                rows.append((*place, f"{value:#x}", total, "yes" if proved else ""))
    columns = ("program", "site", "call", "argument", "value", "calls", "proved")
    return Table("Arguments that never varied", columns, tuple(rows))


def _variants(values: Values) -> Table:
    rows = []
    for v in values.choice.variants:
        implied = ", ".join(f"{i}={value}" for i, value in v.implied)
        guarded = ", ".join(f"{i}={value}" for i, value in v.guarded)
        rows.append((values.names[v.call], str(v.call), str(v.number), implied, guarded, v.calls, len(v.sites)))
    columns = ("call", "number", "new number", "implied", "guarded", "calls", "sites")
    return Table("New system calls", columns, tuple(rows))
