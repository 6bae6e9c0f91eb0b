"""The inserted routine and the Python model of T_f agree entry by entry; the model does what §3.3 says."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewriter.ir import Data
from rewriter.probes.table import FULL, BoundedTable, Shape, note_function
from tests.probes.flat import CODE, Flat, program_of

KEY = "key"


class Routine:
    """One table in guest memory, noted by the inserted code."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        data = [Data("table", None, b"", zero_size=shape.size), Data(KEY, None, b"", zero_size=64)]
        self.flat = Flat(program_of([note_function(shape, "note")], data))

    def note(self, key: tuple[int, ...]) -> None:
        self.flat.write(self.flat.addresses[KEY], *key)
        esp = self.flat.registers["esp"]
        self.flat.registers |= {"ebx": self.flat.addresses["table"], "esi": self.flat.addresses[KEY]}
        self.flat.call("note")
        assert self.flat.registers["esp"] == esp

    def table(self) -> BoundedTable:
        return BoundedTable.read(self.shape, self.flat.read("table", self.shape.size))


def keys(rng: random.Random, shape: Shape, different: int) -> tuple[int, ...]:
    """Few keys are common, many are rare; all words but one are often equal."""
    value = min(rng.randrange(different), rng.randrange(different))
    words = [7] * shape.key_words
    words[value % shape.key_words] = value
    return tuple(words)


@pytest.mark.parametrize(
    ("shape", "different", "entries"),
    [
        (Shape(1, 2, 1), 5, 200),
        (Shape(1, 2, 7), 6, 300),
        (Shape(3, 4, 10), 12, 500),
        (Shape(16, 12, 50), 40, 1200),
        (Shape(2, 12, 1000), 12, 1300),
    ],
)
def test_routine_and_model_agree(shape, different, entries):
    rng = random.Random(entries)
    routine, model = Routine(shape), BoundedTable(shape)
    for _ in range(entries):
        key = keys(rng, shape, different)
        routine.note(key)
        model.note(key)
        found = routine.table()
        assert found == model
        assert found.entries == sum(slot.count for slot in found.occupied) + found.discarded + found.evicted
    assert model.evicted or different <= shape.slots
    assert model.discarded or different <= shape.slots


@given(st.data())
@settings(max_examples=30)
def test_routine_and_model_agree_on_any_sequence(data):
    """Any shape, any order of few or many keys, words at the ends of their range."""
    half, words, interval = (data.draw(st.integers(1, most)) for most in (4, 4, 30))
    shape = Shape(words, 2 * half, interval)
    word = st.sampled_from((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, *range(2, 2 + 3 * half)))
    common = data.draw(st.lists(st.tuples(*[word] * words), min_size=1, max_size=6))
    key = st.one_of(st.sampled_from(common), st.tuples(*[word] * words))
    routine, model = Routine(shape), BoundedTable(shape)
    for each in data.draw(st.lists(key, max_size=60)):
        routine.note(each)
        model.note(each)
        assert routine.table() == model
        assert len({slot.key for slot in model.occupied}) == len(model.occupied) <= shape.slots


def test_routine_stops_at_the_last_number():
    routine = Routine(Shape(1, 2, 10))
    routine.flat.write(routine.flat.addresses["table"], FULL - 1)
    routine.note((1,))
    assert routine.table().entries == FULL
    routine.note((1,))
    assert routine.table().entries == FULL
    assert routine.table().occupied[0].count == 1


def test_routine_touches_nothing_beside_its_table():
    shape = Shape(3, 4, 5)
    routine = Routine(shape)
    base = routine.flat.addresses["table"]
    routine.flat.uc.mem_write(base - 64, b"\xaa" * 64)
    for i in range(40):
        routine.note((i % 7, 0, 0))
    assert routine.flat.uc.mem_read(base - 64, 64) == b"\xaa" * 64
    assert base > CODE


def test_counts_are_exact_before_the_first_cleaning():
    table = BoundedTable(Shape(1))
    for i in range(999):
        table.note((i % 12,))
    assert sorted((slot.key, slot.count) for slot in table.occupied) == [((k,), 84 if k < 3 else 83) for k in range(12)]
    assert (table.discarded, table.evicted) == (0, 0)


def test_cleaning_keeps_the_more_frequent_half():
    table = BoundedTable(Shape(1, 4, 10))
    for key, count in ((1, 1), (2, 4), (3, 2), (4, 2), (5, 1)):
        for _ in range(count):
            table.note((key,))
    assert [(slot.key, slot.count) for slot in table.occupied] == [((2,), 4), ((3,), 2)]
    assert (table.entries, table.discarded, table.evicted) == (10, 1, 3)


def test_the_next_interval_is_longer_by_the_last_kept_count():
    table = BoundedTable(Shape(1, 2, 10))
    for _ in range(10):
        table.note((1,))
    assert table.bonus == 10
    for i in range(19):
        table.note((2 + i,))
    assert (table.age, table.evicted) == (19, 0)
    table.note((2,))
    assert (table.age, table.evicted) == (0, 2)


def test_a_late_value_enters_the_steady_half():
    """The reason for the growing interval (§3.3): a new value that occurs almost exclusively moves in."""
    table = BoundedTable(Shape(1, 2, 100))
    for i in range(100):
        table.note((i % 2,))
    for _ in range(200):
        table.note((9,))
    assert table.occupied[0].key == (9,)


@pytest.mark.parametrize("shape", [(1, 3, 10), (1, 0, 10), (0, 2, 10), (1, 2, 0)])
def test_impossible_tables_are_refused(shape):
    with pytest.raises(ValueError, match="no table"):
        Shape(*shape)
