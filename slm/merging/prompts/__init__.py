"""The instruction that language models get to merge statements; its first line is its version."""
