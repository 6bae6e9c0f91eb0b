"""What all tests share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

from tests.groups import Groups, turn

# How long an example takes says something about the machine, not about the code.
settings.register_profile("hotpath", deadline=None)
settings.load_profile("hotpath")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    return Groups(config, log)
