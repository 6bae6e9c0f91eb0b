"""The power fails: what has reached the disk at every moment of a run."""

from __future__ import annotations

from .pc import Pc
from .run import Store


class Stores:
    """Follows the stores into the disk, and cuts the power before store number `cut` (from 0) if that is not None.

    A store is what the processor writes at once: a word of a `rep movsl`.  Unicorn calls before it writes, so the
    disk is taken in the hook: what the processor does until it has stopped does not count any more."""

    def __init__(self, pc: Pc, cut: int | None) -> None:
        self._pc, self._cut = pc, cut
        self.stores: list[Store] = []
        self.disk: bytes | None = None  # when the power was cut
        pc.on_disk_store(self._store)

    def _store(self, offset: int, size: int, value: int) -> None:
        if self.disk is not None:
            return
        if len(self.stores) == self._cut:
            self.disk = self._pc.disk
            self._pc.cut_power()
            return
        content = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        self.stores.append(Store(offset, content, len(self._pc.devices.console.sent)))
