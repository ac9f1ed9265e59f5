"""The one place that knows how a vector index is made: other engines than pgvector need other words here."""

import hashlib

_LARGEST_INDEXED_HALFVEC = 4000


def indexed_dimensions(dimensions: int, leading: int | None) -> int | None:
    """Return how many dimensions of a vector its index can know: the leading ones, or all; None where it has none."""
    wanted = dimensions if leading is None else min(leading, dimensions)
    return None if wanted > _LARGEST_INDEXED_HALFVEC else wanted


def vector_index(model_id: str, dimensions: int, indexed: int, vector_schema: str) -> str:
    """Return the statement that makes the HNSW index of one model's vectors over their first ``indexed`` dimensions.

    ``halfvec`` has the recall of ``vector`` at half the size. The index is partial, so that the vectors of two models
    never meet in it.
    """
    named = f"{model_id}|{dimensions}" if indexed == dimensions else f"{model_id}|{dimensions}|{indexed}"
    name = "chunk_vectors_" + hashlib.blake2b(named.encode(), digest_size=6).hexdigest()
    literal = "'" + model_id.replace("'", "''") + "'"
    schema = f'"{vector_schema}"'
    vector = "embedding" if indexed == dimensions else f"{schema}.subvector(embedding, 1, {indexed})"
    return (
        f'CREATE INDEX IF NOT EXISTS "{name}" ON palimpsest.chunk_vectors USING hnsw '
        f"(({vector}::{schema}.halfvec({indexed})) {schema}.halfvec_cosine_ops) "
        f"WITH (m = 12, ef_construction = 320) WHERE model_id = {literal}"
    )
