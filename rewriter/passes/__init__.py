"""Floor 3: the paper's transformations (§4), one a file; `transform.PASSES` gives the order."""
