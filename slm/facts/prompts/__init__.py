"""The instructions for reading facts; each file's first line is its version."""
