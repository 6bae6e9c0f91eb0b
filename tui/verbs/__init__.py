"""The verbs of `hotpath`, one file each; `tui.command` lists them."""
