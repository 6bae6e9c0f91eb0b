"""The binary rewriter: an i386 ELF becomes functions, blocks and instructions, and an image again."""
