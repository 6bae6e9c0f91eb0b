"""What an instruction reads, certainly overwrites, and may write (§5.6); never less than the truth.

State is one integer mask: four bits a register, one for each of its bytes, then flags, then lumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rewriter.ir import Insn
from rewriter.x86.decode import Decoded, DecodeError, Imm, Mem, Operand, Reg, decode
from rewriter.x86.flow import Flow, flow

_ORDER = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
_FLAG_NAMES = ("CF", "PF", "AF", "ZF", "SF", "OF")
_LUMPS = ("DF", "IF", "SYSTEM", "FPU", "SSE", "SEG", "SYS")
_BIT = {name: 1 << 32 + i for i, name in enumerate((*_FLAG_NAMES, *_LUMPS))}
FLAGS = sum(_BIT[name] for name in _FLAG_NAMES)
ALL = (1 << 32 + len(_BIT)) - 1
CF, PF, AF, ZF, SF, OF = (_BIT[name] for name in _FLAG_NAMES)
DF, IF = _BIT["DF"], _BIT["IF"]
_LOW = {"al": "eax", "cl": "ecx", "dl": "edx", "bl": "ebx"}
_HIGH = {"ah": "eax", "ch": "ecx", "dh": "edx", "bh": "ebx"}


@dataclass(frozen=True, slots=True)
class Effects:
    """Masks; memory as (operand, size in bytes or None where unbounded).  Addresses are relative to the registers
    before the instruction.  `fixed` says why it must never be deleted, duplicated or moved."""

    reads: int
    writes: int
    may_write: int
    loads: tuple[tuple[Mem, int | None], ...] = ()
    stores: tuple[tuple[Mem, int | None], ...] = ()
    esp_change: int | None = 0
    fixed: str | None = None
    faults: bool = False


def register_mask(name: str) -> int:
    """The bytes of a register: `eax` four, `ax` two, `ah` one.  KeyError for other registers."""
    if name in _LOW:
        return 1 << 4 * _ORDER.index(_LOW[name])
    if name in _HIGH:
        return 2 << 4 * _ORDER.index(_HIGH[name])
    if "e" + name in _ORDER:
        return 3 << 4 * _ORDER.index("e" + name)
    if name in _ORDER:
        return 15 << 4 * _ORDER.index(name)
    raise KeyError(name)


def names(mask: int) -> tuple[str, ...]:
    """The registers and flags that a mask touches, in order."""
    found = [r for r in _ORDER if mask & register_mask(r)]
    return (*found, *(n for n, bit in _BIT.items() if mask & bit))


ESP, EAX, ECX, EDX = (register_mask(r) for r in ("esp", "eax", "ecx", "edx"))
ESI, EDI, EBP = (register_mask(r) for r in ("esi", "edi", "ebp"))
_CONDITIONS = {
    **dict.fromkeys(("o", "no"), OF),
    **dict.fromkeys(("b", "ae", "c", "nc", "nae", "nb"), CF),
    **dict.fromkeys(("e", "ne", "z", "nz"), ZF),
    **dict.fromkeys(("be", "a", "na", "nbe"), CF | ZF),
    **dict.fromkeys(("s", "ns"), SF),
    **dict.fromkeys(("p", "np", "pe", "po"), PF),
    **dict.fromkeys(("l", "ge", "nge", "nl"), SF | OF),
    **dict.fromkeys(("le", "g", "ng", "nle"), SF | OF | ZF),
}


@lru_cache(maxsize=65536)
def _effects(raw: bytes) -> Effects:
    try:
        return _Rules(decode(raw)).effects()
    except (DecodeError, KeyError, NotImplementedError, IndexError):
        return Effects(ALL, 0, ALL, ((Mem(), None),), ((Mem(), None),), None, "unknown instruction", True)


def effects(insn: Insn) -> Effects:
    """The effects of one instruction."""
    return _effects(insn.raw)


def _base(mem: Mem) -> int:
    mask = 0
    for name in (mem.base, mem.index):
        mask |= register_mask(name) if name else 0
    return mask | (_BIT["SEG"] if mem.segment else 0)


class _Rules:
    """Collects the effects of one decoded instruction."""

    def __init__(self, decoded: Decoded) -> None:
        self.decoded = decoded
        self.reads = self.writes = self.may = 0
        self.loads: list[tuple[Mem, int | None]] = []
        self.stores: list[tuple[Mem, int | None]] = []
        self.esp: int | None = 0
        self.fixed: str | None = None
        self.faults = False

    def effects(self) -> Effects:
        self._apply(self.decoded.mnemonic, self.decoded.operands)
        if "lock" in self.decoded.prefixes:
            self.fixed = "locked"
        may = self.may | self.writes
        return Effects(
            self.reads, self.writes, may, tuple(self.loads), tuple(self.stores), self.esp, self.fixed, self.faults
        )

    def read(self, *operands: Operand) -> None:
        for o in operands:
            if isinstance(o, Reg):
                self.reads |= self._register(o)
            elif isinstance(o, Mem):
                self.reads |= _base(o)
                self.loads.append((o, o.size))

    def write(self, o: Operand) -> None:
        if isinstance(o, Reg):
            self.writes |= self._register(o)
        elif isinstance(o, Mem):
            self.reads |= _base(o)
            self.stores.append((o, o.size))

    def _register(self, o: Reg) -> int:
        if o.name in ("ds", "es", "ss", "cs", "fs", "gs"):
            self.fixed = "segment register"
            return _BIT["SEG"]
        return register_mask(o.name)

    def push(self, size: int) -> None:
        self.reads |= ESP
        self.writes |= ESP
        self.stores.append((Mem("esp", disp=-size, size=size), size))
        self.esp = -size

    def pop(self, size: int) -> None:
        self.reads |= ESP
        self.writes |= ESP
        self.loads.append((Mem("esp", size=size), size))
        self.esp = size

    def _apply(self, m: str, ops: tuple[Operand, ...]) -> None:
        kind = flow(self.decoded.raw)
        if kind is not Flow.NEXT:
            self._control(kind, m, ops)
        elif m.startswith("cmov"):
            self.read(ops[1], ops[0])
            self.reads |= _CONDITIONS[m[4:]]
            self.may |= register_mask(ops[0].name) if isinstance(ops[0], Reg) else 0
            self.writes |= register_mask(ops[0].name) if isinstance(ops[0], Reg) else 0
        elif m.startswith("set"):
            self.reads |= _CONDITIONS[m[3:]]
            self.write(ops[0])
        elif m in _STRING:
            self._string(m)
        else:
            getattr(self, "_" + _RULES[m])(m, ops)
        if any(isinstance(o, Reg) and o.name == "esp" for o in ops[:1]) and self.writes & ESP and self.esp == 0:
            self.esp = self._esp_change(m, ops)

    def _esp_change(self, m: str, ops: tuple[Operand, ...]) -> int | None:
        if m in ("add", "sub") and isinstance(ops[1], Imm):
            return ops[1].signed if m == "add" else -ops[1].signed
        if m == "lea" and isinstance(ops[1], Mem) and ops[1].base == "esp" and ops[1].index is None:
            return ops[1].disp
        return None

    def _control(self, kind: Flow, m: str, ops: tuple[Operand, ...]) -> None:
        self.fixed = "control flow"
        if kind is Flow.BRANCH:
            if m.startswith("j") and m not in ("jecxz", "jcxz"):
                self.reads |= _CONDITIONS[m[1:]]
            else:
                self.reads |= ECX | FLAGS
                self.may |= ECX
        elif kind in (Flow.CALL, Flow.CALL_INDIRECT):
            if not self.decoded.raw[0] == 0xE8 and len(ops) > 1:
                raise KeyError(m)
            self.read(*(o for o in ops if not isinstance(o, Imm)))
            self.push(4)
        elif kind is Flow.JUMP_INDIRECT:
            self.read(*ops)
        elif kind is Flow.RETURN:
            self.pop(4)
            self.esp = 4 + (ops[0].value if ops and isinstance(ops[0], Imm) else 0)
        elif kind is Flow.IRET:
            raise KeyError(m)

    # Families

    def _mov(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(ops[1])
        self.write(ops[0])

    def _lea(self, m: str, ops: tuple[Operand, ...]) -> None:
        assert isinstance(ops[1], Mem)
        self.reads |= _base(ops[1]) & ~_BIT["SEG"]
        self.write(ops[0])

    def _xchg(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(*ops)
        for o in ops:
            self.write(o)
        if any(isinstance(o, Mem) for o in ops):
            self.fixed = "locked"

    def _alu(self, m: str, ops: tuple[Operand, ...]) -> None:
        same = len(ops) == 2 and ops[0] == ops[1] and isinstance(ops[0], Reg) and m in ("xor", "sub")
        if not same:
            self.read(*ops)
        self.write(ops[0])
        self.writes |= FLAGS
        self.reads |= CF if m in ("adc", "sbb") else 0

    def _compare(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(*ops)
        self.writes |= FLAGS

    def _count(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(ops[0])
        self.write(ops[0])
        self.writes |= FLAGS & ~CF

    def _invert(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(ops[0])
        self.write(ops[0])
        self.writes |= FLAGS if m == "neg" else 0

    def _shift(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(*ops)
        count = ops[-1] if len(ops) > 1 else Imm(1, 1)
        self.write(ops[0])
        known = count.value & 31 if isinstance(count, Imm) else None
        rotate = m in ("rol", "ror", "rcl", "rcr")
        flags = CF | OF if rotate else FLAGS
        if m in ("rcl", "rcr"):
            self.reads |= CF
        if known == 0:
            return
        if known is None:
            self.may |= flags
        else:
            self.writes |= flags

    def _imul(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.writes |= FLAGS
        if len(ops) == 1:
            self.read(ops[0])
            wide = ops[0].size > 1
            size = ops[0].size
            self.reads |= register_mask({1: "al", 2: "ax", 4: "eax"}[size])
            for name in {1: ("ax",), 2: ("ax", "dx"), 4: ("eax", "edx")}[size]:
                self.writes |= register_mask(name)
            assert wide or size == 1
            return
        self.read(*ops[1:])
        if len(ops) == 2:
            self.read(ops[0])
        self.write(ops[0])

    def _div(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(ops[0])
        self.faults = True
        for name in {1: ("ax",), 2: ("ax", "dx"), 4: ("eax", "edx")}[ops[0].size]:
            self.reads |= register_mask(name)
            self.writes |= register_mask(name)
        self.writes |= FLAGS

    def _sign(self, m: str, ops: tuple[Operand, ...]) -> None:
        source, target = {"cdq": ("eax", "edx"), "cwde": ("ax", "eax"), "cwd": ("ax", "dx"), "cbw": ("al", "ax")}[m]
        self.reads |= register_mask(source)
        self.writes |= register_mask(target)

    def _bits(self, m: str, ops: tuple[Operand, ...]) -> None:
        if isinstance(ops[0], Mem) and isinstance(ops[1], Reg):
            self.read(ops[1])
            self.reads |= _base(ops[0])
            self.loads.append((Mem(), None))
            if m != "bt":
                self.stores.append((Mem(), None))
        else:
            self.read(*ops)
            if m != "bt":
                self.write(ops[0])
        self.writes |= CF
        self.may |= FLAGS & ~ZF

    def _scan(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(ops[1], ops[0])
        self.may |= register_mask(ops[0].name) if isinstance(ops[0], Reg) else 0
        self.writes |= FLAGS

    def _bswap(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(ops[0])
        self.write(ops[0])

    def _xadd(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(*ops)
        self.write(ops[0])
        self.write(ops[1])
        self.writes |= FLAGS

    def _cmpxchg(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.read(*ops)
        accumulator = register_mask({1: "al", 2: "ax", 4: "eax"}[ops[0].size])
        self.reads |= accumulator
        self.may |= accumulator
        if isinstance(ops[0], Reg):
            self.may |= register_mask(ops[0].name)
        else:
            self.write(ops[0])
        self.writes |= FLAGS

    def _push(self, m: str, ops: tuple[Operand, ...]) -> None:
        size = 2 if isinstance(ops[0], (Reg, Mem)) and ops[0].size == 2 and not self._segment(ops[0]) else 4
        self.read(ops[0])
        self.push(size)

    def _segment(self, o: Operand) -> bool:
        return isinstance(o, Reg) and o.name in ("ds", "es", "ss", "cs", "fs", "gs")

    def _pop(self, m: str, ops: tuple[Operand, ...]) -> None:
        size = 2 if ops[0].size == 2 and not self._segment(ops[0]) else 4
        self.pop(size)
        if isinstance(ops[0], Reg):
            self.writes |= self._register(ops[0])
            if ops[0].name == "esp":
                self.esp = None
        elif isinstance(ops[0], Mem) and "esp" in (ops[0].base, ops[0].index):
            raise KeyError("pop to memory by the new esp")
        else:
            self.write(ops[0])

    def _leave(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.reads |= EBP
        self.writes |= EBP | ESP
        self.loads.append((Mem("ebp", size=4), 4))
        self.esp = None

    def _nothing(self, m: str, ops: tuple[Operand, ...]) -> None:
        pass

    def _direction(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.writes |= DF
        self.fixed = "direction flag"

    def _carry(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.reads |= CF if m == "cmc" else 0
        self.writes |= CF

    def _interrupts(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.writes |= IF
        self.fixed = "privileged"

    def _pushf(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.reads |= FLAGS | DF | IF | _BIT["SYSTEM"]
        self.push(4)

    def _popf(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.pop(4)
        self.writes |= FLAGS | DF
        self.may |= IF | _BIT["SYSTEM"]
        self.fixed = "privileged"

    def _lahf(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.reads |= FLAGS & ~OF
        self.writes |= register_mask("ah")

    def _sahf(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.reads |= register_mask("ah")
        self.writes |= FLAGS & ~OF

    def _rdtsc(self, m: str, ops: tuple[Operand, ...]) -> None:
        self.writes |= EAX | EDX
        self.fixed = "time"

    def _system(self, m: str, ops: tuple[Operand, ...]) -> None:
        """Ports, hlt, control registers, int: kept in place; of general registers only the operands."""
        self.fixed = "privileged or port"
        for o in ops:
            if isinstance(o, Mem):
                self.reads |= _base(o)
                self.loads.append((o, None))
                self.stores.append((o, None))
            elif isinstance(o, Reg):
                try:
                    mask = register_mask(o.name)
                except KeyError:
                    continue
                self.reads |= mask
                self.may |= mask
        self.reads |= _BIT["SYS"] | _BIT["SEG"] | IF
        self.may |= _BIT["SYS"] | _BIT["SEG"]

    def _string(self, m: str) -> None:
        size: int | None = {"b": 1, "w": 2, "d": 4}[m[-1]]
        repeated = bool(set(self.decoded.prefixes) & {"rep", "repne"})
        family = m[:-1]
        self.reads |= DF
        pointers = {"movs": ESI | EDI, "stos": EDI, "lods": ESI, "scas": EDI, "cmps": ESI | EDI}[family]
        accumulator = register_mask({1: "al", 2: "ax", 4: "eax"}[size or 4])
        self.reads |= pointers
        self.may |= pointers
        if repeated:
            self.reads |= ECX
            self.may |= ECX
            size = None
        else:
            self.writes |= pointers
        if family in ("stos", "scas"):
            self.reads |= accumulator
        if family == "lods":
            self.may |= accumulator
            self.writes |= 0 if repeated else accumulator
        for register, wanted, into in (
            ("esi", family in ("movs", "lods", "cmps"), self.loads),
            ("edi", family in ("scas", "cmps"), self.loads),
            ("edi", family in ("movs", "stos"), self.stores),
        ):
            if wanted:
                into.append((Mem(register, size=size or 0), size))
        if family in ("scas", "cmps"):
            self.may |= FLAGS
            self.writes |= 0 if repeated else FLAGS


_STRING = {f + s for f in ("movs", "stos", "lods", "scas", "cmps") for s in "bwd"}
_RULES = {
    **dict.fromkeys(("mov", "movzx", "movsx", "movabs"), "mov"),
    "lea": "lea",
    "xchg": "xchg",
    **dict.fromkeys(("add", "sub", "adc", "sbb", "and", "or", "xor"), "alu"),
    **dict.fromkeys(("cmp", "test"), "compare"),
    **dict.fromkeys(("inc", "dec"), "count"),
    **dict.fromkeys(("not", "neg"), "invert"),
    **dict.fromkeys(("shl", "sal", "shr", "sar", "rol", "ror", "rcl", "rcr", "shld", "shrd"), "shift"),
    **dict.fromkeys(("mul", "imul"), "imul"),
    **dict.fromkeys(("div", "idiv"), "div"),
    **dict.fromkeys(("cdq", "cwde", "cwd", "cbw"), "sign"),
    **dict.fromkeys(("bt", "bts", "btr", "btc"), "bits"),
    **dict.fromkeys(("bsf", "bsr"), "scan"),
    "bswap": "bswap",
    "xadd": "xadd",
    "cmpxchg": "cmpxchg",
    "push": "push",
    "pop": "pop",
    "leave": "leave",
    **dict.fromkeys(("nop", "endbr32", "pause"), "nothing"),
    **dict.fromkeys(("cld", "std"), "direction"),
    **dict.fromkeys(("clc", "stc", "cmc"), "carry"),
    **dict.fromkeys(("cli", "sti"), "interrupts"),
    **dict.fromkeys(("pushfd", "pushf"), "pushf"),
    **dict.fromkeys(("popfd", "popf"), "popf"),
    "lahf": "lahf",
    "sahf": "sahf",
    "rdtsc": "rdtsc",
    **dict.fromkeys(
        ("in", "out", "hlt", "int", "int3", "lgdt", "lidt", "ltr", "invlpg", "lldt", "sgdt", "sidt"), "system"
    ),
}
