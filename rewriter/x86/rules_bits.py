"""Effects of operations on single bits, and of those which exchange and compare."""

from __future__ import annotations

from rewriter.x86.draft import ACCUMULATORS, Access, Draft
from rewriter.x86.operands import Mem, Reg
from rewriter.x86.state import CF, EAX, EBX, ECX, EDX, FLAGS, ZF, register_mask


def bit(draft: Draft) -> None:
    """bt, bts, btr, btc: a register's bit number may lead to any byte of memory, far from the operand"""
    target, number = draft.operands
    changes = draft.mnemonic != "bt"
    draft.set(CF)
    draft.touch(FLAGS & ~ZF)
    draft.read(number)
    if isinstance(target, Mem) and isinstance(number, Reg):
        draft.address(target)
        draft.loads.append(Access(target, None))
        if changes:
            draft.stores.append(Access(target, None))
        return
    draft.read(target)
    if changes:
        draft.write(target)


def scan(draft: Draft) -> None:
    """bsf, bsr: of zero the result is undefined (in practice: unchanged).

    tzcnt and lzcnt are the same bytes with a prefix that older processors ignore: only what both do is certain.
    """
    target, source = draft.operands
    draft.read(target, source)
    draft.maybe_write(target)
    draft.touch(FLAGS)
    if draft.mnemonic in ("bsf", "bsr"):
        draft.set(ZF)


def population(draft: Draft) -> None:
    """popcnt"""
    target, source = draft.operands
    draft.read(source)
    draft.write(target)
    draft.set(FLAGS)


def checksum(draft: Draft) -> None:
    """crc32"""
    draft.read(*draft.operands)
    draft.write(draft.operands[0])


def exchange_add(draft: Draft) -> None:
    """xadd"""
    draft.read(*draft.operands)
    for operand in draft.operands:
        draft.write(operand)
    draft.set(FLAGS)


def compare_exchange(draft: Draft) -> None:
    """cmpxchg: writes its target or the accumulator; memory is written in both cases, once with what it held"""
    target, source = draft.operands
    accumulator = register_mask(ACCUMULATORS[target.size])
    draft.read(target, source)
    draft.reads |= accumulator
    draft.touch(accumulator)
    draft.set(FLAGS)
    if isinstance(target, Mem):
        draft.write(target)
    else:
        draft.maybe_write(target)


def compare_exchange_8(draft: Draft) -> None:
    """cmpxchg8b"""
    (target,) = draft.operands
    if not isinstance(target, Mem) or target.size != 8:
        draft.refuse()
    draft.read(target)
    draft.write(target)
    draft.reads |= EAX | EDX | ECX | EBX
    draft.touch(EAX | EDX)
    draft.set(ZF)
