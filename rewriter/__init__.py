"""The binary rewriter: any i386 ELF with relocations and symbols becomes functions, blocks and instructions, and an image again."""
