"""One random function's frame: what it saves, its locals and arguments, how it is entered and left."""

from __future__ import annotations

from random import Random

SAVED = ("ebx", "esi", "edi", "ebp")
ALL = ("eax", "ecx", "edx", *SAVED)
TABLE_WORDS = 4  # the system-call table, at the start of `data`
POINTERS = 4  # then function pointers
GLOBALS = range(4 * (TABLE_WORDS + POINTERS), 4 * (TABLE_WORDS + POINTERS + 8), 4)
SOME = GLOBALS[:-1]
CLEANING = "clean"  # functions of this name pop their three arguments themselves


class Frame:
    """Of a function that is written line by line; `depth` is how far esp lies below the entry esp, in bytes."""

    def __init__(self, random: Random, name: str, callees: list[str], mixed: bool) -> None:
        self.random = random
        self.name = name
        self.callees = callees
        self.mixed = mixed
        self.lines: list[str] = []
        self.labels = 0
        self.depth = 0
        self.tables: list[list[int | str]] = []
        self.framed = random.random() < 0.2
        self.saved = [r for r in SAVED if random.random() < 0.6 and not (r == "ebp" and self.framed)]
        self.locals = random.randrange(5)
        if name == "sys_call":  # nobody may read what the gate happens to leave in registers
            self.framed, self.saved = False, list(SAVED)
        # Some functions keep no convention: they change registers that they did not save.
        sloppy = name != "sys_call" and random.random() < 0.2
        self.registers = [r for r in ALL if r not in SAVED or r in self.saved or (sloppy and r != "ebp")]

    def enter(self) -> None:
        """The prologue."""
        self.lines.append(f"{self.name}:")
        if self.framed:
            self.put("push ebp", "mov ebp, esp")
            self.depth += 4
        for register in self.saved:
            self.put(f"push {register}")
            self.depth += 4
        if self.locals:
            self.put(f"sub esp, {4 * self.locals}")
            self.depth += 4 * self.locals
            for n in range(self.locals):
                self.put(f"mov dword ptr [esp + {4 * n}], {self.random.getrandbits(8)}")

    def put(self, *lines: str) -> None:
        self.lines += [f"    {line}" for line in lines]

    def label(self) -> str:
        self.labels += 1
        return f".b{self.labels}"

    def register(self) -> str:
        return self.random.choice(self.registers)

    def other(self) -> str:
        return self.random.choice(ALL) if self.random.random() < 0.1 else self.register()

    def leave(self) -> None:
        """The epilogue, then `ret` or a tail call."""
        if self.framed and self.random.random() < 0.5 and not self.saved:
            self.put("leave")
        else:
            if self.locals:
                self.put(
                    f"add esp, {4 * self.locals}"
                    if self.random.random() < 0.7
                    else f"lea esp, [esp + {4 * self.locals}]"
                )
            self.put(*(f"pop {register}" for register in reversed(self.saved)))
            if self.framed:
                self.put("pop ebp")
        alike = [name for name in self.callees if name.startswith(CLEANING) == self.name.startswith(CLEANING)]
        if alike and (self.mixed or not alike[0].startswith(CLEANING)) and self.random.random() < 0.05:
            slot = 4 * TABLE_WORDS
            self.put(f"mov dword ptr [{{data + {slot}}}], {{{self.random.choice(alike)}}}")
            self.put(f"jmp dword ptr [{{data + {slot}}}]")
        elif alike and self.random.random() < 0.15:
            if self.name != "sys_call" and self.random.random() < 0.5:
                self.put("mov dword ptr [esp + 4], eax")  # an argument of its own, passed on
            self.put(f"jmp {self.random.choice(alike)}")
        else:
            self.put("ret 12" if self.name.startswith(CLEANING) else "ret")

    def place(self) -> str:
        """A register, a local, an argument, a global or a number."""
        choice = self.random.random()
        if choice < 0.3:
            return self.other()
        if choice < 0.5 and self.locals:
            return self.local()
        if choice < 0.75:
            return self.argument()
        if choice < 0.85:
            return f"dword ptr [{{data + {self.random.choice(SOME)}}}]"
        return str(self.random.choice((0, 1, 2, 3, -1, 31, 0x1000, self.random.getrandbits(31))))

    def local(self) -> str:
        """One of the locals, which lie below the saved registers."""
        return self.local_at(self.random.randrange(self.locals))

    def local_at(self, number: int) -> str:
        bottom = 4 * (len(self.saved) + self.locals) + (4 if self.framed else 0)
        offset = self.depth - bottom + 4 * number
        if self.framed and self.random.random() < 0.3:
            return f"dword ptr [ebp - {self.depth - offset - 4}]"
        return f"dword ptr [esp + {offset}]"

    def argument(self) -> str:
        number = self.random.randrange(3)
        return (
            f"dword ptr [ebp + {8 + 4 * number}]"
            if self.framed and self.random.random() < 0.5
            else (f"dword ptr [esp + {self.depth + 4 + 4 * number}]")
        )
