"""The one place that knows how a vector index is made: other engines than pgvector need other words here."""

import hashlib

_LARGEST_INDEXED_HALFVEC = 4000


def vector_index(model_id: str, dimensions: int, vector_schema: str) -> str | None:
    """Return the statement that makes the HNSW index of one model's vectors, or None where they cannot have one.

    ``halfvec`` has the recall of ``vector`` at half the size. The index is partial, so that the vectors of two models
    never meet in it.
    """
    if dimensions > _LARGEST_INDEXED_HALFVEC:
        return None
    name = "chunk_vectors_" + hashlib.blake2b(f"{model_id}|{dimensions}".encode(), digest_size=6).hexdigest()
    literal = "'" + model_id.replace("'", "''") + "'"
    return (
        f'CREATE INDEX IF NOT EXISTS "{name}" ON palimpsest.chunk_vectors USING hnsw '
        f'((embedding::"{vector_schema}".halfvec({dimensions})) "{vector_schema}".halfvec_cosine_ops) '
        f"WITH (m = 16, ef_construction = 128) WHERE model_id = {literal}"
    )


def term_index() -> str:
    """Return the statement that makes the inverted index of word search.

    Without ``fastupdate`` a write pays for its entries at once (0.2 ms); with it, searches pay for a pending list.
    """
    return (
        "CREATE INDEX IF NOT EXISTS chunk_terms_keys ON palimpsest.chunk_terms USING gin (keys) WITH (fastupdate = off)"
    )
