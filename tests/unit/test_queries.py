"""Named SQL and the values that go in and out of it."""

import re
from importlib.resources import files

import pytest

from palimpsest.core.models import SparseTerms
from palimpsest.storage import dialect, failures, queries, rows
from palimpsest.storage.migrate import migrations


def test_every_query_is_loaded_with_its_identifiers_filled_in() -> None:
    loaded = queries.load({"vectors": "public", "app": "a", "search": "s"})
    assert {"add", "get", "read", "candidates", "claim", "put_event"} <= set(loaded)
    assert not [name for name, sql in loaded.items() if re.search(r'(?<!:):"|:"(vectors|app|search)', sql)]
    for name, sql in loaded.items():
        assert not re.search(r"^-- ", sql, re.MULTILINE), name


def test_every_query_is_used_by_the_store() -> None:
    source = "".join(entry.read_text() for entry in files("palimpsest.storage").iterdir() if entry.name.endswith(".py"))
    assert [name for name in queries.load({"vectors": "public"}) if f'"{name}"' not in source] == []


def test_every_query_touches_rows_of_the_given_namespace_only() -> None:
    for name, sql in queries.load({"vectors": "public"}).items():
        assert "$1" in sql, name
        asks_a_function = any(f"palimpsest.{function}($1" in sql for function in ("candidates", "known_terms"))
        assert "namespace_id" in sql or "wanted_namespace" in sql or asks_a_function, name


@pytest.mark.parametrize("name", ["x; drop table y", 'a"b', "", "1abc", "a" * 64])
def test_an_identifier_that_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        queries.fill('SET ROLE :"role"', {"role": name})


def test_migrations_are_numbered_without_gaps() -> None:
    found = migrations()
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    assert all(len(migration.checksum) == 64 for migration in found)


def test_an_impact_is_the_part_of_bm25_that_does_not_depend_on_the_query() -> None:
    terms = SparseTerms(keys=(10, 20), counts=(3, 1), length=50)
    vector = rows.impacts(terms, mean_length=100.0)
    norm = 1.2 * (1 - 0.75 + 0.75 * 50 / 100)
    assert vector.indices() == [9, 19]
    assert vector.values() == pytest.approx([3 * 2.2 / (3 + norm), 1 * 2.2 / (1 + norm)])
    assert vector.dimensions() == 1_000_000_000


def test_vector_indexes_of_two_models_never_meet() -> None:
    one = dialect.vector_index("model-a", 384, 384, "public")
    two = dialect.vector_index("model-b", 384, 384, "public")
    assert "WHERE model_id = 'model-a'" in one
    assert one.split('"')[1] != two.split('"')[1]
    assert "WHERE model_id = 'it''s'" in dialect.vector_index("it's", 8, 8, "public")


@pytest.mark.parametrize(
    ("dimensions", "leading", "indexed"),
    [(384, None, 384), (384, 160, 160), (100, 160, 100), (4000, None, 4000), (5000, None, None), (5000, 512, 512)],
)
def test_an_index_knows_the_leading_dimensions_or_all_it_can(
    dimensions: int, leading: int | None, indexed: int | None
) -> None:
    assert dialect.indexed_dimensions(dimensions, leading) == indexed


def test_an_index_of_leading_dimensions_has_a_name_of_its_own() -> None:
    every, some = (dialect.vector_index("model", 384, known, "public") for known in (384, 160))
    assert every.split('"')[1] != some.split('"')[1]
    assert "subvector(embedding, 1, 160)" in some


def test_errors_that_are_not_the_databases_stay_what_they_are() -> None:
    def fail() -> None:
        with failures.translated():
            raise KeyError("ours")

    with pytest.raises(KeyError):
        fail()
