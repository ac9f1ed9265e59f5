"""Settings: where they come from, what is refused, and that all of them are documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from palimpsest.core.errors import SettingsError
from palimpsest.server.settings import CONFIG, PLAIN, PREFIX, Settings, config_path, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def toml(folder: Path, text: str) -> dict[str, str]:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return {CONFIG: str(file)}


def test_defaults_need_nothing() -> None:
    settings = load_settings({})
    assert settings.namespace == "default"
    assert settings.thread == "main"
    assert settings.host == "127.0.0.1"
    assert settings.database_url is None
    assert settings.embedder == "bundled"


def test_the_command_line_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    environment = toml(tmp_path, 'port = 1\nhost = "::1"\nnamespace = "of-file"\nallowed_hosts = ["a", "b"]\n')
    environment |= {"PALIMPSEST_PORT": "2", "PALIMPSEST_HOST": "localhost"}
    settings = load_settings(environment, port=3, host=None)
    assert (settings.port, settings.host, settings.namespace) == (3, "localhost", "of-file")
    assert settings.allowed_hosts == ("a", "b")


def test_values_are_read_as_their_types() -> None:
    settings = load_settings(
        {
            "PALIMPSEST_STATEMENT_CACHE": "false",
            "PALIMPSEST_IDLE_SECONDS": "0.5",
            "PALIMPSEST_ALLOWED_HOSTS": "a.example, b.example:8443 ,",
            "PALIMPSEST_LOG_LEVEL": "info",
            "PALIMPSEST_DATA_DIR": "/somewhere",
            "PALIMPSEST_MAX_STORE_BYTES": "1000000",
        }
    )
    assert settings.statement_cache is False
    assert settings.idle_seconds == 0.5
    assert settings.allowed_hosts == ("a.example", "b.example:8443")
    assert settings.log_level == "INFO"
    assert settings.data_dir == Path("/somewhere")
    assert settings.max_store_bytes == 1_000_000


def test_an_empty_value_is_none_at_all() -> None:
    assert load_settings({"PALIMPSEST_NAMESPACE": "", "DATABASE_URL": ""}).database_url is None


@pytest.mark.parametrize(("plain", "name"), PLAIN.items())
def test_plain_names_are_honoured_and_prefixed_ones_win(plain: str, name: str) -> None:
    value = "postgresql://u:p@h/d"
    settings = load_settings({plain: value})
    assert getattr(settings, name).get_secret_value() == value
    settings = load_settings({plain: "postgresql://other", PREFIX + name.upper(): value})
    assert getattr(settings, name).get_secret_value() == value


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PALIMPSEST_DATADIR": "x"}, "PALIMPSEST_DATADIR is no setting; the nearest is PALIMPSEST_DATA_DIR."),
        ({"PALIMPSEST_ZZZ": "x"}, "PALIMPSEST_ZZZ is no setting; docs/settings.md lists them all."),
        ({"PALIMPSEST_PORT": "high"}, "PALIMPSEST_PORT: input should be a valid integer"),
        ({"PALIMPSEST_TOOLSETS": "most"}, "PALIMPSEST_TOOLSETS: input should be 'default' or 'all'"),
        ({"PALIMPSEST_NAMESPACE": "no spaces"}, "PALIMPSEST_NAMESPACE: 'no spaces' is no name"),
        ({"PALIMPSEST_BEARER_TOKEN": "short"}, "PALIMPSEST_BEARER_TOKEN: must have at least 16 characters"),
        ({"DATABASE_URL": "mysql://u:secret@h"}, "DATABASE_URL: must begin with postgresql://"),
        ({"PALIMPSEST_EMBEDDER": "openai"}, "embedder openai needs embedding_model and embedding_dimensions"),
        ({CONFIG: "/nonexistent/palimpsest.toml"}, "which does not exist"),
    ],
)
def test_what_is_wrong_is_named_in_a_sentence(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("datadir = 1", "sets 'datadir', which is no setting; the nearest is data_dir."),
        ("port = ", "is no TOML"),
        ('port = "x"', "port in "),
    ],
)
def test_a_wrong_file_is_named(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(toml(tmp_path, text))
    assert sentence in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_is_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings({CONFIG: str(tmp_path)})


def test_the_file_is_in_the_users_configuration_unless_named() -> None:
    assert config_path({}).name == "config.toml"
    assert config_path({CONFIG: "/x/y.toml"}) == Path("/x/y.toml")


def test_secrets_are_never_shown() -> None:
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://u:hidden@h/d",
            "PALIMPSEST_BEARER_TOKEN": "hidden" * 4,
            "OPENAI_API_KEY": "hidden",
        }
    )
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings)


def test_every_setting_has_a_meaning_and_stands_in_the_docs_with_its_default() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(PALIMPSEST_\w+)` \| (.*) \|$", page, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        assert field.description
        variable = PREFIX + name.upper()
        assert variable in rows, f"docs/settings.md lacks {variable}"
        assert field.description in rows[variable], variable
    assert set(rows) == {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG}
    for plain in PLAIN:
        assert f"`{plain}`" in page
