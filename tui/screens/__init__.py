"""The walkthrough's screens."""
