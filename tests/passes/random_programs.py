"""Random stack-heavy programs in assembly: a gate, a handler, functions below it.

Everything that the passes must see through is in them: saved registers, locals and their addresses, arguments read at
any depth, calls that are direct, through registers, memory and jumps, loops, flags across blocks, jump tables, user
accesses that fault, functions that keep no convention.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import ClassVar

from tests.passes.random_frames import ALL, CLEANING, GLOBALS, POINTERS, SOME, TABLE_WORDS, Frame

CONDITIONS = ("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "l", "ge", "le", "g")
USER = 0x900000
GATE = """
gate:
    push eax
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    call [eax*4 + {data}]
    mov [esp + 24], eax
    cmp eax, 0
    pop ebx
    pop ecx
    pop edx
    pop esi
    pop edi
    pop ebp
    pop eax
    ret
"""
# They change what they are given the address of, or find one's address in the last global.
POKES = """
poke:
    mov eax, [esp + 4]
    add dword ptr [eax], 5
    mov eax, [eax]
    ret
poke_global:
    mov ecx, [{data + GLOBAL}]
    inc dword ptr [ecx]
    ret
""".replace("GLOBAL", str(GLOBALS[-1]))


def text_and_words(
    random: Random, functions: int = 4, writer: type[Writer] | None = None
) -> tuple[str, list[int | str]]:
    """The program, and the words of `data`: sys_call is number 0; all functions are in the pointers."""
    names = ["sys_call", *(f"f{n}" if random.random() < 0.8 else f"{CLEANING}{n}" for n in range(1, functions))]
    parts = [GATE]
    words: list[int | str] = ["sys_call", *("sys_none" for _ in range(TABLE_WORDS - 1))]
    mixed = random.random() < 0.1  # pointers to functions that pop their arguments, and to others
    pointed = [name for name in names[1:] if mixed or not name.startswith(CLEANING)] or ["sys_none"]
    words += [random.choice(pointed) for _ in range(POINTERS)] + [random.getrandbits(8) for _ in GLOBALS]
    for n, name in enumerate(names):
        written = (writer or Writer)(random, name, names[n + 1 :], mixed)
        parts.append(written.function())
        for table in written.tables:
            parts[-1] = parts[-1].replace(f"<{4 * len(table)}:{table[0]}>", f"{{data + {4 * len(words)}}}", 1)
            words += table
    parts.append(POKES)
    parts.append("sys_none:\n    mov eax, -38\n    ret\n")
    return "\n".join(parts), words


class Writer(Frame):
    """Writes one function.  `read_only`: words that the program finds in read-only data."""

    read_only: ClassVar[tuple[int | str, ...]] = ()

    def function(self) -> str:
        self.enter()
        if self.name == "sys_call":
            self.put("cmp esp, 1", *(f"mov {register}, {self.random.getrandbits(4)}" for register in ALL))
        self.statements(self.random.randrange(3, 9), 2)
        self.leave()
        return "\n".join(self.lines) + "\n"

    def statements(self, count: int, nesting: int) -> None:
        simple = (
            *(self.move, self.move, self.store, self.compute, self.compute),
            *(self.unary, self.address, self.flags, self.odd, self.poke, self.turn),
        )
        nested: tuple[Callable[[int], None], ...] = (self.diamond, self.diamond, self.loop, self.switch)
        for _ in range(count):
            choice = self.random.random()
            if choice < 0.6 or (choice < 0.8 and not self.callees) or (choice >= 0.8 and not nesting):
                self.random.choice(simple)()
            elif choice < 0.8:
                self.call()
            elif choice < 0.84:
                self.user_access()
            elif choice < 0.88:
                self.early_return()
            else:
                self.random.choice(nested)(nesting - 1)

    def move(self) -> None:
        self.put(f"mov {self.register()}, {self.place()}")

    def store(self) -> None:
        if self.locals and self.random.random() < 0.7:
            target = self.local()
            if self.random.random() < 0.15:
                self.put(f"mov {target.replace('dword', 'byte')}, {self.random.choice(('al', 'cl', 'dh'))}")
                return
        else:
            target = f"dword ptr [{{data + {self.random.choice(SOME)}}}]"
        self.put(f"mov {target}, {self.random.choice((self.other(), str(self.random.getrandbits(4))))}")

    def compute(self) -> None:
        name = self.random.choice(("add", "sub", "and", "or", "xor", "adc", "sbb", "cmp", "test", "imul"))
        source = self.place()
        if name in ("test", "imul") and not source.isalpha():
            source = self.other()
        if self.locals and name not in ("imul", "test") and self.random.random() < 0.2 and "[" not in source:
            self.put(f"{name} {self.local()}, {source}")
        else:
            self.put(f"{name} {self.register()}, {source}")

    def unary(self) -> None:
        register = self.register()
        self.put(
            self.random.choice(
                (
                    f"inc {register}",
                    f"dec {register}",
                    f"neg {register}",
                    f"not {register}",
                    f"shl {register}, {self.random.randrange(0, 5)}",
                    f"sar {register}, 31",
                    f"shr {register}, {self.random.randrange(1, 9)}",
                    f"xor {register}, {register}",
                    "cdq" if "edx" in self.registers else f"inc {register}",
                    "movzx eax, cl",
                    "mov al, 7",
                    f"xchg {register}, {self.random.choice([r for r in ALL if r != register and r in self.registers])}",
                )
            )
        )

    def address(self) -> None:
        register = self.register()
        choice = self.random.random()
        if choice < 0.3:
            self.put(f"mov {register}, esp", f"and {register}, -8192")
        elif choice < 0.6:
            self.put(f"lea {register}, [{self.other()} {self.random.choice('+-')} {self.random.randrange(9)}]")
        elif choice < 0.8 and self.locals:
            self.put(f"lea {register}, {self.local().replace('dword ptr ', '')}")
            self.put(f"mov {self.random.choice(('eax', register))}, dword ptr [{register}]")
        else:
            offset = self.random.choice(SOME)
            self.put(f"mov {register}, {{data + {offset - 4}}}", f"add dword ptr [{register} + 4], 3")

    def flags(self) -> None:
        condition = self.random.choice(CONDITIONS)
        choice = self.random.random()
        if self.random.random() < 0.7:
            self.put(f"cmp {self.register()}, {self.place()}")
        if choice < 0.4:
            self.put(f"cmov{condition} {self.register()}, {self.other()}")
        elif choice < 0.7:
            self.put(f"set{condition} {self.random.choice(('al', 'cl', 'dl', 'ah'))}")
        else:
            self.put(f"cmp {self.register()}, {self.place()}")

    def odd(self) -> None:
        """Rare in compiled code: arguments overwritten, addresses of arguments, blocks filled, pops to memory."""
        choice = self.random.random()
        argument = self.argument()
        if choice < 0.4:
            self.put(f"mov {argument}, {self.random.choice((self.other(), '7'))}")
        elif choice < 0.5:
            self.put(f"lea eax, {argument.replace('dword ptr ', '')}", "mov ecx, dword ptr [eax]")
        elif choice < 0.7 and self.locals and "edi" in self.registers:
            self.put(f"lea edi, {self.local_at(0).replace('dword ptr ', '')}", f"mov ecx, {self.locals}", "rep stosd")
        elif choice < 0.85:
            self.put(f"push {self.other()}", f"pop dword ptr [{{data + {self.random.choice(SOME)}}}]")
        else:
            self.put(
                f"push {self.other()}", f"xor dword ptr [esp], {self.random.getrandbits(8)}", f"pop {self.register()}"
            )

    def poke(self) -> None:
        """The address of a local goes to somebody who changes it."""
        if not self.locals:
            return
        target = self.local().replace("dword ptr ", "")
        if self.random.random() < 0.5:
            self.put(f"lea eax, {target}", "push eax", "call poke", "add esp, 4")
        else:
            self.put(f"lea eax, {target}", f"mov [{{data + {GLOBALS[-1]}}}], eax", "call poke_global")
        if self.random.random() < 0.5:
            self.put(f"mov dword ptr [{{data + {GLOBALS[-1]}}}], 0")
        self.put(f"mov {self.register()}, dword ptr {target}")

    def turn(self) -> None:
        """Flags that one instruction sets and another, with some between them, reads."""
        between = (f"inc {self.register()}", f"mov {self.register()}, {self.other()}", f"not {self.register()}", "nop")
        self.put(f"cmp {self.register()}, {self.place()}", self.random.choice(between), self.random.choice(between))
        use = (f"set{self.random.choice(CONDITIONS)} al", f"adc {self.register()}, 1", f"sbb {self.register()}, 0")
        self.put(self.random.choice(use))

    def diamond(self, nesting: int) -> None:
        other, join = self.label(), self.label()
        self.put(
            self.random.choice((f"cmp {self.register()}, {self.place()}", f"test {self.other()}, {self.register()}"))
        )
        self.put(f"j{self.random.choice(CONDITIONS)} {other}")
        self.statements(self.random.randrange(1, 4), nesting)
        if self.random.random() < 0.5:
            self.put(f"jmp {join}")
            self.lines.append(f"{other}:")
            self.statements(self.random.randrange(1, 3), nesting)
            self.lines.append(f"{join}:")
        else:
            self.lines.append(f"{other}:")

    def loop(self, nesting: int) -> None:
        """At most four rounds, counted in a word on the stack, which nothing in the body touches."""
        head = self.label()
        self.put(f"push {self.random.randrange(1, 5)}")
        self.depth += 4
        self.lines.append(f"{head}:")
        self.statements(self.random.randrange(1, 4), 0)
        self.put("dec dword ptr [esp]", f"jne {head}", f"pop {self.register()}")
        self.depth -= 4

    def switch(self, nesting: int) -> None:
        """A jump table."""
        register, end = self.register(), self.label()
        cases = [self.label() for _ in range(2)]
        table: list[int | str] = [f"{self.name}{case}" for case in (cases[0], cases[1], cases[0], end)]
        self.tables.append(table)
        self.put(f"and {register}, 3", f"jmp [{register}*4 + <{4 * len(table)}:{table[0]}>]")
        for case in cases:
            self.lines.append(f"{case}:")
            self.statements(1, nesting)
        self.lines.append(f"{end}:")

    def call(self) -> None:
        depth, callee = self.depth, self.random.choice(self.callees)
        cleans = callee.startswith(CLEANING)
        count = 3 if cleans else self.random.randrange(3, 6)  # a callee reads three
        for _ in range(count):
            if self.locals and self.random.random() < 0.15:
                self.put(f"lea eax, {self.local().replace('dword ptr ', '')}", "push eax")
            else:
                self.put(f"push {self.place()}")
            self.depth += 4
        self.target(callee)
        if not cleans and self.random.random() < 0.8:
            self.put(f"add esp, {4 * count}" if self.random.random() < 0.5 else f"lea esp, [esp + {4 * count}]")
        elif not cleans:
            self.put(*("pop ecx" for _ in range(count)))
        self.depth = depth
        if self.random.random() < 0.5 and self.locals:
            self.put(f"mov {self.local()}, eax")

    def target(self, callee: str) -> None:
        """The call instruction itself.  The pointers may lead to any function but the first ones of the program."""
        choice = self.random.random()
        if choice < 0.6 or (callee.startswith(CLEANING) and not self.mixed):
            self.put(f"call {callee}")
        elif choice < 0.8:
            self.put(f"mov eax, {{{callee}}}", "call eax")
        else:
            slot = 4 * TABLE_WORDS
            self.put(f"mov dword ptr [{{data + {slot}}}], {{{callee}}}", f"call dword ptr [{{data + {slot}}}]")

    def user_access(self) -> None:
        """A load that faults always, with a dead result or a live one; the fixup goes on behind it."""
        fixup = self.label()
        address = self.random.choice((USER, USER + 64))
        register = self.register()
        self.put(f"mov {register}, dword ptr [{address}] !{fixup}", f"mov {register}, 5")
        self.lines.append(f"{fixup}:")

    def early_return(self) -> None:
        """Leave from the middle when a register happens to be small."""
        on, depth = self.label(), self.depth
        if depth != 4 * (len(self.saved) + self.locals) + (4 if self.framed else 0):
            return  # within a loop
        self.put(f"cmp {self.register()}, 3", f"jb {on}")
        self.leave()
        self.lines.append(f"{on}:")
