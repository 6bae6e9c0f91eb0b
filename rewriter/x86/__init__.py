"""Floor 1: what single i386 instructions look like (`decode`), do (`effects`), and how new ones are made (`encode`)."""
