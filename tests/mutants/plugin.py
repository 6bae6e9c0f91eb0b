"""A pytest plugin: with HOTPATH_MUTANT set, the rewriter under test is that mutant."""

from __future__ import annotations

import os

from tests.mutants.mutants import MUTANTS

if name := os.environ.get("HOTPATH_MUTANT"):
    MUTANTS[name].breaks()
