"""Undoes random changes on PostgreSQL, newest first, and compares what the state's hash is of after each.

    python -m palimpsest.bench.undo [--changes 500] [--seed 1]

Prints how many changes of which kind there were, and how many were undone to an equal state.
"""
