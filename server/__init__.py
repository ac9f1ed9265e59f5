"""Composition: the only folder that reads the environment and wires the others together."""
