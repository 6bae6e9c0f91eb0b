"""Which pass, on which new call, makes the specialized kernel behave otherwise?

What there is to learn about the kernel is learned once; then it is specialized again and again with some of the steps,
booted, and compared with the original.  All new calls have their place, whatever they are worth: which of them do must
not depend on the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from rewriter.alongside import Map, Pair, first_difference
from rewriter.behavior import CHECKED, differences, keyed
from rewriter.bisection import Culprit, culprit
from rewriter.elf import load as load_image
from rewriter.options import Options, System
from rewriter.passes.steps import Steps
from rewriter.phases import inline, layout, retarget, specialize
from rewriter.pipeline import finished, learn
from rewriter.run import Point, Run

KERNEL = "the kernel"


@dataclass(frozen=True, slots=True)
class Specialized:
    """A kernel, and the programs that were made for it."""

    kernel: bytes
    programs: Mapping[str, bytes]


class Suspects:
    """Everything that was learned, and how kernels are made of it."""

    def __init__(
        self, options: Options, system: System, progress: Callable[[str], None], cancelled: Callable[[], bool]
    ) -> None:
        def poll() -> None:
            if cancelled():
                raise KeyboardInterrupt

        self.options, self.system, self.progress = options, system, progress
        self._cancelled, self._poll = cancelled, poll
        progress("learning what the programs do")
        known = finished(learn(options, system, lambda _: None, cancelled))
        self._loaded, self._observed, self._counted = known.loaded, known.observed, known.counted
        self._inlined, _ = inline.run(options, system, known.loaded, known.observed, known.counted, known.traced, poll)
        self._original = self._run(Specialized(system.kernel, {}))
        self._compared = frozenset(CHECKED)

    def build(self, steps: Steps) -> Specialized:
        """The kernel with these steps."""
        self._inlined.specializer.steps = steps
        calls, _ = specialize.run(self.options, self.system, self._loaded, self._observed, self._inlined)
        left_out = {name for name in ("layout", "unused") if not steps.happens(name, KERNEL)}
        options = replace(self.options, without=self.options.without | left_out)
        kernel, identity = layout.unmeasured(options, self.system, self._loaded, self._counted, calls)
        changed, _ = retarget.run(self._loaded, self._observed, calls.variants, identity, self._poll)
        return Specialized(kernel, changed.programs)

    def differs(self, made: Specialized) -> str | None:
        """What it does otherwise than the original."""
        try:
            run = self._run(made)
        except RuntimeError as died:  # the machine's own error, which has one line
            self._poll()
            return str(died)
        found = [each for each in differences(self._original, run) if each.what in self._compared]
        return f"{found[0].what}: {found[0].detail}" if found else None

    def culprit(self) -> Culprit[Specialized] | None:
        """The step that does it.

        Programs may read how much memory is free, which depends on the kernel's size: where user memory alone differs
        without any step, it is not compared."""
        with suppress(RuntimeError):  # where it dies, it will be told
            plain = self._run(self.build(Steps(0)))
            if {each.what for each in differences(self._original, plain)} == {"memory"}:
                self._compared -= {"memory"}
        return culprit(self.build, self.differs, self.progress)

    def first_difference(self, good: Specialized, bad: Specialized) -> Pair | None:
        """The first instruction that differs, in the first call that does."""
        call = self._first_call(bad)
        traces = []
        for made in (good, bad):
            work = self.system.work(self.options.commands, made.programs)
            call, points = self.system.machine.follow(made.kernel, work, call, cancelled=self._cancelled)
            traces.append([Point(*point) for point in points])
        maps = [Map(load_image(made.kernel, self.system.contract)) for made in (good, bad)]
        return first_difference(maps[0], maps[1], *traces)

    def _first_call(self, bad: Specialized) -> int:
        """The number of the first call that differs from the original's; of the last one, where the kernel dies."""
        try:
            run = self._run(bad)
        except RuntimeError:
            self._poll()
            work = self.system.work(self.options.commands, bad.programs)
            return self.system.machine.follow(bad.kernel, work, None, cancelled=self._cancelled)[0]
        others = keyed(run)
        for n, (key, call) in enumerate(keyed(self._original).items()):
            other = others.get(key)
            if other is None or call.registers != other.registers:
                return n
            if call.memory != other.memory and "memory" in self._compared:
                return n
        return len(self._original.calls) - 1

    def _run(self, made: Specialized) -> Run:
        work = self.system.work(self.options.commands, made.programs)
        return self.system.machine.run(made.kernel, work, check=True, cancelled=self._cancelled)
