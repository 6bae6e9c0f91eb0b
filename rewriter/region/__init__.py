"""Floor 3: the region, our own step beyond the paper: hot traces lifted to values, and lowered again.

In-place passes leave on the hot path what only a cold exit needs: stores to frames, saved registers, moves.  Here the
inlined hot trace is executed symbolically, `lift`ed into a tree of straight code in which nothing is left but what
happens in memory, in its order, and values; and `lower`ed again, each value computed where it is first used.

    value, algebra     words as expressions: equal expressions are one object
    flag               flags are values, too: `cmp(a, b)`; conditions on them, decided where they can be
    state              what registers, stack slots and flags hold at one point of a path
    tree               effects in their order, branches, exits
    operand, rules     one machine instruction → values and effects
    stackmemory        which of its accesses are stack slots, and what must lie there in memory
    lift, exits        paths, hottest first; how control leaves them for the code that was there before
    future, machine    what a path still needs; where values are while it is written
    select, flagcode   values → instructions
    place, writer      values brought to where exits and fixed registers want them; effects written in order
    lower, region      trees → blocks; the pass

Nothing joins again.  An exit leads to the code that was lifted, at the instruction where the path stops; it brings
esp, stack slots, registers and flags that matter there to where that code expects them.
"""
