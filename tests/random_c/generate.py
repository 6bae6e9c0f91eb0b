"""Random C programs, one a seed: well defined, always ending, and full of what hurts a rewriter.

The program is grown from a grammar.  Every `<value>` has type u32 and no side effect; a call is a statement of its
own, so that no order of evaluation is left to the compiler.  Programs run without a library (`prelude.c`), print
checksums and exit with one.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from tests.random_c.grammar import GRAMMAR

PRELUDE = Path(__file__).with_name("prelude.c").read_text(encoding="utf-8")

WORDS = ("hot", "path", "kernel", "trace", "block", "")


class Author:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.distances = seed % 4 == 1  # computed gotos by label differences too, which leave no relocation
        self.number = 0  # of the last `#`
        self.names: list[str] = []  # what a `<value>` may read here
        self.locals: list[str] = []  # what may be assigned
        self.arity = [self.random.choice((1, 2, 2, 3, 4, 6, 9)) for _ in range(self.random.randint(5, 12))] + [2, 2]

    def grow(self, template: str, depth: int) -> str:
        self.number += 1
        template = template.replace("#", str(self.number))
        declared = re.findall(r"u32 (k\d+)", template)
        self.names += declared
        grown = re.sub(r"<(\w+)>", lambda match: self.expand(match[1], depth), template)
        del self.names[len(self.names) - len(declared) :]
        return grown

    def expand(self, name: str, depth: int) -> str:
        if name in GRAMMAR:
            # From time to time a long expression or a deep nest, mostly short ones.
            leaf = depth <= 0 or self.random.random() < 0.3
            return self.grow(GRAMMAR[name][0] if leaf else self.random.choice(GRAMMAR[name]), depth - 1)
        grown: str = getattr(self, "a_" + name)(depth)
        return grown

    def a_name(self, depth: int) -> str:
        return self.random.choice(self.names)

    def a_local(self, depth: int) -> str:
        return self.random.choice(self.locals)

    def a_digit(self, depth: int) -> str:
        return str(self.random.randint(1, 4))

    def a_constant(self, depth: int) -> str:
        return f"{self.random.choice((0, 1, 2, 7, 0x80, 0xFFFF, 0x80000000, self.random.getrandbits(32))):#x}u"

    def a_word(self, depth: int) -> str:
        return self.random.choice(WORDS)

    def a_table(self, depth: int) -> str:
        return self.random.choice(("fixed_table", "changing"))

    def a_function(self, depth: int) -> str:
        """One of type `pair`, whose address is taken; the others may keep arguments in registers."""
        pairs = [number for number, arity in enumerate(self.arity) if arity == 2]
        return f"f{self.random.choice(pairs[1:])}"

    def a_call(self, depth: int) -> str:
        callee = self.random.randrange(len(self.arity))
        return self.grow(f"f{callee}({', '.join(['<value>'] * self.arity[callee])})", min(depth, 1))

    def a_block(self, depth: int) -> str:
        return "\n".join(self.expand("statement", depth) for _ in range(self.random.randint(1, 3)))

    def a_switch(self, depth: int) -> str:
        """Dense: a jump table, or a table of values where every arm is a constant."""
        arms, first = self.random.randint(4, 14), self.random.choice((0, 1, 5, 100))
        body = self.random.choice(("<block>", "<block>", "<local> = <constant>;", "return <value>;"))
        cases = "".join(
            f"case {first + arm}: {body} {self.random.choice(('break;', 'break;', ''))}\n"
            for arm in range(arms)
            if self.random.random() < 0.9
        )
        return self.grow(f"switch (<value> % {arms + 1} + {first}) {{ {cases} default: <block> }}", depth - 1)

    def a_goto(self, depth: int) -> str:
        """Computed, by addresses or by distances."""
        arms = self.random.randint(3, 6)
        table, jump, distance = "const void *const", "way#[<value> % {}]", ""
        if self.distances and self.random.random() < 0.5:
            table, jump, distance = "const int", "(&&l#_0 + way#[<value> % {}])", " - &&l#_0"
        ways = ", ".join(f"&&l#_{arm}{distance}" for arm in range(arms))
        body = " ".join(f"l#_{arm}:; <block> {self.random.choice(('', 'goto l#_end;'))}" for arm in range(arms))
        return self.grow(
            f"{{ static {table} way#[] = {{{ways}}}; goto *{jump.format(arms)}; {body} l#_end:; }}", depth - 1
        )

    def signature(self, number: int) -> str:
        return f"u32 f{number}({', '.join(f'u32 p{i}' for i in range(self.arity[number]))})"

    def function(self, number: int) -> str:
        parameters = [f"p{i}" for i in range(self.arity[number])]
        self.locals = [*parameters, "x", "y", "z"]
        self.names = [*self.locals, "shared.x"]
        body = "\n".join(self.expand("statement", 4) for _ in range(self.random.randint(2, 7)))
        tail = self.grow("return <call>;" if self.random.random() < 0.5 else "return <value>;", 2)
        start = f"if (fuel == 0) return p0 ^ {number}u;\nfuel--;\nu32 x = p0 * {number}u, y = words[{number}], z = 7;"
        return f"{self.linkage[number]}{self.signature(number)}\n{{\n{start}\n{body}\n{tail}\n}}\n"

    def numbers(self, bits: int, count: int = 16) -> str:
        return ", ".join(f"{self.random.getrandbits(bits):#x}" for _ in range(count))

    def data(self) -> str:
        functions = [", ".join(self.a_function(0) for _ in range(8)) for _ in range(2)]
        middles = ", ".join(f"&{self.random.choice(('words', 'zeros'))}[{self.random.randrange(15)}]" for _ in range(8))
        texts = ", ".join(f'"{self.random.choice(WORDS)}{self.random.choice(WORDS)}block"' for _ in range(4))
        nodes = "".join(
            f"static {self.random.choice(('', 'const '))}struct node node{i} = "
            f"{{{f'&node{i + 1}' if i < 6 else '0'}, {self.a_function(0)}, words + {self.random.randrange(17)}, "
            f'"{self.random.choice(WORDS)}", {self.random.getrandbits(32):#x}u}};\n'
            for i in reversed(range(1, 7))
        )
        return f"""typedef u32 pair(u32, u32);
struct node {{ const struct node *next; pair *action; u32 *at; const char *name; u32 value; }};
u32 words[16] = {{{self.numbers(32)}}};
static u8 bytes[16] = {{{self.numbers(8)}}};
static const s16 halves[16] = {{{self.numbers(15)}}};
static const u32 fixed[16] = {{{self.numbers(32)}}};
static u32 zeros[16];
static struct box shared = {{1, {{2, 3, 4}}, 5, -6}};
static u32 *const where[8] = {{{middles}}};
static const char *text[4] = {{{texts}}};
static pair *const fixed_table[8] = {{{functions[0]}}};
static pair *changing[8] = {{{functions[1]}}};
{nodes}
NOINLINE static struct box reshape(struct box b, u32 by)
{{
    b.wide[by % 3] += b.x;
    b.small ^= by;
    return b;
}}
"""

    def program(self) -> str:
        linkage = ("", "static ", "static NOINLINE ", "NOINLINE ", "static NOINLINE __attribute__((cold)) ")
        self.linkage = [self.random.choice(linkage) for _ in self.arity]
        prototypes = "".join(f"{link}{self.signature(n)};\n" for n, link in enumerate(self.linkage))
        bodies = "\n".join(self.function(n) for n in range(len(self.arity)))
        # gcc would place some of a function's labels in another section, and cannot subtract them then.
        pragma = '#pragma GCC optimize("no-reorder-blocks-and-partition")\n' if self.distances else ""
        return "\n".join((pragma, PRELUDE, prototypes, self.data(), bodies, self.run()))

    def run(self) -> str:
        """What `_start` calls: every function once, printing the checksum so far."""
        self.names = ["checksum"]
        calls = "".join(
            self.grow(f"fuel = 60; mix(f{n}({', '.join(['<constant>'] * arity)})); print(checksum);\n", 0)
            for n, arity in enumerate(self.arity)
        )
        sums = "mix(sum(words, words + 16)); mix(sum(zeros, zeros + 16)); print(checksum);"
        return f"u32 run(void)\n{{\n{calls}{sums}\nreturn checksum & 127;\n}}\n"


def generate(seed: int) -> str:
    """The C program of this seed, the same on every machine."""
    return Author(seed).program()
