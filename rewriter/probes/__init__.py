"""What is inserted into a kernel to watch it, and how what it saw is read out again (§3)."""
