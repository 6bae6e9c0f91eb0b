"""Proofs of the rewriter's rules with z3, and of what they rest on: a small semantics that Unicorn agrees with."""
