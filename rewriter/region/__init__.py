"""Floor 3: the region, our own step beyond the paper: hot traces lifted to values, and lowered again.

In-place passes leave on the hot path what only a cold exit needs: stores to frames, saved registers, moves.  Here the
inlined hot trace is executed symbolically, `lift`ed into a tree of straight code in which nothing is left but what
happens in memory, in its order, and values; and `lower`ed again, each value computed where it is first used.

    value, algebra   words as expressions: equal expressions are one object
    flag             flags are values, too: `cmp(a, b)`; conditions on them, decided where they can be
    tree             what a path does: effects in their order, branches, exits, returns
    state            what registers, stack slots and flags hold at one point of a path
    moment           one instruction of a path: operands, stack slots, what memory must have
    rules, fixed     what instructions mean as values; those that stay as they are, calls among them
    home             where in the original program a place in inlined code is
    exits, lift      how control leaves a path; the paths, likeliest first
    loops, joins     loops of the code; where paths come together, after a round of one or from several sides
    passed, weight   what of all that is used; how often each piece runs

    future           what a path will still use, and where a spilled value may lie
    machine          where values are while a path is written: registers given away, spilled, found again
    operands         values as what instructions take: constants, registers, memory
    select, flagcode values and conditions → instructions
    place, writer    values brought to where exits and fixed registers want them; effects → instructions
    turns            values brought to where a join has them
    lower, ways      the tree → blocks, in several ways, of which the best is taken
    cost, region     whether it pays; the pass

Paths join where much is behind, or stay apart, whichever is cheaper; what has left never comes back.  An exit leads to
the original program, at the instruction where the path stops; it brings esp, stack slots, return addresses, registers
and flags that matter there to where that code expects them.
"""
