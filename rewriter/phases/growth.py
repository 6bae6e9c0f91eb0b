"""Which of the new calls get a place in the text, and in which form (§4.1: budgeted by heat and size)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rewriter.passes.budget import Offer, choose, served
from rewriter.phases.specialize import Call, SpecializedCalls
from rewriter.region import region
from rewriter.report import Table
from rewriter.variants import Variant


def within(room: int, made: SpecializedCalls, way: int) -> SpecializedCalls:
    """The calls and forms that save most in so many bytes.  `way`: instructions of the way from the gate to a handler
    and back, which a call with an entry of its own does not execute."""
    forms = [(variant, call.forms()) for call, variant in zip(made.calls, made.variants, strict=True)]
    offers = [
        Offer(variant, call.size, _saved(call, way), form)
        for variant, calls in forms
        for form, call in enumerate(calls)
    ]
    chosen = choose(offers, room)
    users = served(chosen, made.variants)
    picked = {offer.variant.number: offer.form for offer in chosen}
    calls, variants = [], []
    for variant, found in forms:
        mine = [other for other in made.variants if users.get(other.number) == variant.number]
        if variant.number in picked and mine:
            calls.append(found[picked[variant.number]])
            variants.append(_for_all(variant, mine))
    return replace(made, calls=tuple(calls), variants=tuple(variants))


def fitting(made: SpecializedCalls, way: int, limit: int, text: Callable[[SpecializedCalls], int]) -> SpecializedCalls:
    """As many as the text has room for, `limit` bytes; `text` says how large it is with some of them."""
    nothing = replace(made, calls=(), variants=())
    room = limit - text(nothing)
    while True:
        found = within(room, made, way)
        excess = text(found) - limit
        if excess <= 0 or not found.calls:
            return found
        room = min(room, sum(call.size for call in found.calls)) - excess


def _saved(call: Call, way: int) -> float:
    if call.entered is not None:
        return call.made.before + way - call.entered.instructions
    return call.made.before - call.made.instructions


def _for_all(variant: Variant, users: list[Variant]) -> Variant:
    sites = sorted({site for user in users for site in user.sites})
    return replace(variant, calls=sum(user.calls for user in users), sites=tuple(sites))


def table(offered: SpecializedCalls, chosen: SpecializedCalls, way: int) -> Table:
    """What became of each call, and why."""
    made = {call.plan.variant.number: call for call in chosen.calls}
    uses = {site: variant.number for variant in chosen.variants for site in variant.sites}
    rows = []
    for call, variant in zip(offered.calls, offered.variants, strict=True):
        kept = made.get(variant.number)
        other = next((uses[site] for site in variant.sites if site in uses), None)
        saves = max(_saved(form, way) for form in call.forms())
        if kept is not None:
            rows.append((call.plan.name, _form(kept), kept.size, variant.calls, round(_saved(kept, way), 1)))
        else:
            reason = f"uses {other}" if other is not None else "no room" if saves > 0 else "saves nothing"
            rows.append((call.plan.name, reason, 0, variant.calls, round(saves, 1)))
    return Table(
        "What a call is expected to save, and its bytes", ("name", "form", "bytes", "calls", "saves"), tuple(rows)
    )


def _form(call: Call) -> str:
    if call.entered is not None:
        return "from the gate"
    remarks = call.made.outcome.remarks
    return "region" if any(r.pass_name == region.NAME and r.kind == "passed" for r in remarks) else "in place"
