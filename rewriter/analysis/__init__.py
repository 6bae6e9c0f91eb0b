"""Floor 2: what holds in a program whatever happens: call graph, values, frames, depths, liveness (§4.2)."""
