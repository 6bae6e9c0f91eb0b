"""The suite, and the commands `python -m tests.…`: what takes too long for a run of all tests."""

from rewriter.garbage import look_seldom

look_seldom()
