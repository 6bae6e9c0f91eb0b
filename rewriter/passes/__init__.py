"""Floor 3: the paper's transformations (§4), one a file; `specialize.PASSES` gives the order."""
