"""Random programs with what is hard for a region in particular, beside all that the passes' own have."""

from __future__ import annotations

from random import Random

from tests.passes.lockstep import DATA, ROOM
from tests.passes.random_frames import ALL, SAVED, SOME
from tests.passes.random_programs import CONDITIONS, USER, Writer

END = DATA + ROOM
SIGNED = ("l", "ge", "b", "ae", "o", "no", "s", "e", "ne")


class RegionWriter(Writer):
    """Comparisons of two words with a borrow, counters in memory, flags that several branches read, selections,
    copies that fault with half of the work done, instructions with registers of their own."""

    def __init__(self, random: Random, name: str, callees: list[str], mixed: bool) -> None:
        super().__init__(random, name, callees, mixed)
        self.registers = [r for r in ALL if r not in SAVED or r in self.saved]

    def other(self) -> str:
        """No register that the caller has left: a callee that reads those ends every region."""
        return self.register()

    def poke(self) -> None:
        if self.random.random() < 0.3:
            super().poke()
        else:
            self.turn()

    def statements(self, count: int, nesting: int) -> None:
        """Twice as many; at the top of a function with words in the registers that nobody knows before."""
        if nesting == 2:
            for register in self.registers:
                if self.random.random() < 0.8:
                    other = f"dword ptr [{{data + {self.random.choice(SOME)}}}]"
                    self.put(f"mov {register}, {self.random.choice((self.argument(), other))}")
        super().statements(2 * count if nesting == 2 else count, nesting)

    def compute(self) -> None:
        if self.random.random() < 0.4:
            super().compute()
        else:
            self.turn()

    def turn(self) -> None:
        self.random.choice((self.wide, self.counter, self.twice, self.chosen, self.copy, self.fixed, self.parts))()

    def unary(self) -> None:
        if self.random.random() < 0.5:
            super().unary()
        else:
            self.turn()

    def wide(self) -> None:
        """if (a < b) on 64 bits, and sums."""
        low, high = self.register(), self.register()
        if self.random.random() < 0.5:
            self.put(f"cmp {low}, {self.place()}", f"sbb {high}, {self.place()}")
            self.skip(self.random.choice(SIGNED))
        else:
            self.put(f"add {low}, {self.place()}", f"adc {high}, {self.place()}")
            if self.random.random() < 0.5:
                self.skip(self.random.choice(SIGNED))

    def skip(self, condition: str) -> None:
        """Do something unless the condition holds."""
        label = self.label()
        self.put(f"j{condition} {label}", f"mov {self.register()}, {self.place()}")
        self.lines.append(f"{label}:")

    def counter(self) -> None:
        """A reference count in memory: its flags are read at once."""
        where = f"dword ptr [{{data + {self.random.choice(SOME)}}}]"
        change = self.random.choice(("inc {}", "dec {}", "add {}, 5", "sub {}, 7", "and {}, 12", "neg {}", "not {}"))
        self.put(change.format(where))
        if not change.startswith("not"):
            self.skip(self.random.choice(("e", "ne", "s", "ns", "l", "g")))

    def twice(self) -> None:
        """Two branches on one comparison."""
        self.put(f"cmp {self.register()}, {self.place()}")
        self.skip(self.random.choice(CONDITIONS))
        other, end = self.label(), self.label()
        self.put(f"cmp {self.register()}, {self.place()}", f"j{self.random.choice(CONDITIONS)} {other}")
        self.put(f"j{self.random.choice(CONDITIONS)} {end}")
        self.lines.append(f"{other}:")
        self.put(f"inc {self.register()}")
        self.lines.append(f"{end}:")

    def chosen(self) -> None:
        """A default, then the least of two words."""
        register, other = self.register(), self.register()
        self.put(f"test {other}, {other}", f"mov {register}, {self.random.choice((0, 1, 7))}")
        self.put(f"cmovne {register}, {other}", f"cmp {register}, {self.random.choice((0, 1, 7))}")
        self.skip(self.random.choice(("e", "ne", "b", "a")))

    def copy(self) -> None:
        """`rep movsb` inside of `data`, or from there to user memory, where it faults and goes on at the fixup."""
        if not {"esi", "edi"} <= set(self.registers):
            return
        source = self.random.choice(SOME)
        if self.random.random() < 0.5:
            self.put(f"mov esi, {{data + {source}}}", f"mov edi, {{data + {SOME[0]}}}", "mov ecx, 3", "rep movsb")
            return
        fixup = self.label()
        where = self.random.choice((USER, END - 3, END - 8))  # where nothing is, or soon nothing
        self.put(f"mov esi, {{data + {source}}}", f"mov edi, {where:#x}", f"mov ecx, {self.random.choice((0, 5, 8))}")
        self.put(f"rep movsb !{fixup}")
        self.lines.append(f"{fixup}:")
        self.put("mov eax, ecx", f"mov dword ptr [{{data + {self.random.choice(SOME)}}}], edi")

    def fixed(self) -> None:
        """Instructions that insist on registers, and stay in order."""
        register = self.register()
        lines = [f"mov ecx, {self.place()}", f"shl {register}, cl", "mul ecx", f"bswap {register}", "cld"]
        if "edx" in self.registers:
            lines += ["imul ecx", f"xchg dword ptr [{{data + {SOME[1]}}}], {register}"]
        lines += [f"lock inc dword ptr [{{data + {SOME[2]}}}]", f"bt {register}, 3"]
        self.put(*self.random.sample(lines, 2))

    def parts(self) -> None:
        """Bytes and halves of registers."""
        first = self.random.choice(("al", "cl", "dl", "ah", "ch"))
        source = self.random.choice(("al", "cl", "dl", "dh", f"byte ptr [{{data + {self.random.choice(SOME)}}}]"))
        name = self.random.choice(("mov", "or", "add", "cmp", "test", "xor", "and", "sub"))
        if name == "test" and "[" in source:
            source = "cl"
        self.put(f"{name} {first}, {source}")
        if name not in ("mov",) and self.random.random() < 0.6:
            self.skip(self.random.choice(("e", "ne", "b", "ae", "s", "l", "g", "be")))
        if self.random.random() < 0.4:
            self.put(f"movsx {self.random.choice(ALL[:3])}, {self.random.choice(('al', 'cx', 'dl'))}")
