"""The parts of the walkthrough's screens."""
