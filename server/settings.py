"""Every setting: its name, type, default and meaning, read from the environment and a TOML file."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from ..core.errors import InvalidInputError, SettingsError
from ..core.validation import check_name

PREFIX = "PALIMPSEST_"
CONFIG = "PALIMPSEST_CONFIG"
PLAIN = {
    "DATABASE_URL": "database_url",
    "OPENAI_API_KEY": "openai_api_key",
    "ANTHROPIC_API_KEY": "anthropic_api_key",
}
"""Names without the prefix that are honoured too; the prefixed name wins."""


def _text(default: str | None, description: str, **bounds: Any) -> Any:
    return Field(default=default, description=description, min_length=1, **bounds)


class Settings(BaseModel):
    """What can be set. ``PALIMPSEST_<NAME>`` in the environment wins over the file, which wins over the default."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("palimpsest"),
        description="Where the bundled PostgreSQL keeps its data; the default is the user's data directory.",
    )
    namespace: str = _text("default", "Whose memory this server serves; nothing crosses from one to another.")
    thread: str = _text("main", "The thread of what is added without one.")
    toolsets: Literal["default", "all"] = Field(default="default", description="Which tools are listed.")

    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql:// address of a PostgreSQL 16+ with pgvector 0.8.4+; without it the bundled one runs.",
    )
    database_owner_url: SecretStr | None = Field(
        default=None, description="Login that migrates, where it is not the one in database_url."
    )
    database_app_role: str = _text("palimpsest_app", "Role that row-level security binds.")
    database_search_role: str = _text("palimpsest_search", "Role that owns the search functions.")
    database_pool_size: int = Field(default=4, ge=1, le=200, description="Connections of one server process.")
    statement_cache: bool = Field(
        default=True, description="Keep prepared statements; false behind a transaction pooler such as PgBouncer."
    )
    idle_seconds: float = Field(
        default=45.0, ge=0, description="How long the bundled PostgreSQL stays after its last user left."
    )
    run_as_user: str | None = _text(None, "User that the bundled PostgreSQL drops to when this is root.")

    embedder: Literal["bundled", "sentence-transformers", "openai"] = Field(
        default="bundled", description="What makes the vectors; openai means any compatible endpoint."
    )
    embedding_model: str | None = _text(None, "Model of an embedder that is not the bundled one.")
    embedding_base_url: str | None = _text(None, "Address of the embeddings endpoint, up to and including /v1.")
    embedding_api_key: SecretStr | None = Field(
        default=None, description="Key of the embeddings endpoint; openai_api_key where it is not given."
    )
    embedding_dimensions: int | None = Field(
        default=None, ge=1, le=4000, description="Length of the endpoint's vectors; needed for embedder openai."
    )
    token_counter: Literal["auto", "estimate", "tiktoken", "anthropic", "openai"] = Field(
        default="auto",
        description="What counts tokens; auto is tiktoken where its vocabulary is here, else an estimate.",
    )
    token_model: str | None = _text(None, "Model whose tokens anthropic or openai counts.")
    openai_api_key: SecretStr | None = Field(
        default=None, description="Key for counting tokens, embedding or summaries."
    )
    anthropic_api_key: SecretStr | None = Field(default=None, description="Key for counting tokens or summaries.")
    window_tokens: int = Field(
        default=128_000, ge=1000, description="Window of a thread whose model is not set or not known."
    )
    model: str | None = _text(None, "Model that reads threads which name none; its window is theirs.")
    models_file: Path | None = Field(
        default=None, description="JSON file with further models, or other figures for known ones."
    )

    include_untrusted: bool = Field(
        default=False, description="Let every search and every block for a question have what is not trusted."
    )
    hygiene_compress_days: float = Field(
        default=7.0, ge=0, description="Days without use after which an item steps down to its summary; 0 for never."
    )
    hygiene_archive_days: float = Field(
        default=30.0, ge=0, description="Days without use after which an item leaves its thread's block; 0 for never."
    )
    hygiene_spared_priority: int = Field(
        default=10, ge=0, le=11, description="Items of this priority and above are spared by hygiene."
    )
    hygiene_every_hours: float = Field(
        default=6.0, ge=0, description="Hours between two runs of hygiene; 0 to run it by `palimpsest hygiene` only."
    )

    consolidate_every_hours: float = Field(
        default=24.0,
        ge=0,
        description="Hours between two consolidations; 0 to run it by `palimpsest consolidate` only.",
    )

    task_lease_minutes: float = Field(
        default=15.0, gt=0, le=10_080, description="How long a claimed task is an agent's own unless it prolongs that."
    )

    slm_base_url: str | None = _text(
        None, "Address of a small language model of one's own, up to and including /v1; nothing is asked without it."
    )
    slm_model: str = _text("microsoft/phi-2", "Name under which that server has the model.")
    slm_api_key: SecretStr | None = Field(default=None, description="Key of that server.")
    slm_window: int = Field(
        default=2048, ge=1024, le=10_000_000, description="Tokens that a prompt and its answer may have together."
    )
    slm_prompt_style: Literal["auto", "chat", "plain", "completions"] = Field(
        default="auto",
        description="How the model is asked; auto asks the server once, completions is for models without a chat form.",
    )
    slm_timeout_seconds: float = Field(default=60.0, gt=0, le=3600, description="Longest wait for one answer.")
    slm_concurrency: int = Field(default=8, ge=1, le=256, description="Calls of the small model at the same time.")

    facts: Literal["off", "rules", "model", "auto"] = Field(
        default="off",
        description="What reads facts off what happened; auto is a language model where one is set, else the rules.",
    )
    learning: Literal["off", "on"] = Field(
        default="off", description="Whether the small model may learn from this namespace; on is everybody's consent."
    )
    learning_python: str | None = _text(None, "Interpreter with the extra `train`; the one that runs without it.")
    learning_base_model: str | None = _text(
        None, "Name or folder of the model that is trained, where it is served under another name than its own."
    )
    learning_adapters_dir: Path | None = Field(
        default=None, description="Where adapters are published; adapters in the data directory without it."
    )
    learning_served_dir: str | None = _text(None, "The same folder as the small model's server sees it.")
    learning_rank: int = Field(default=16, ge=1, le=256, description="Rank of the adapters that are trained.")
    learning_rank_served: int = Field(
        default=16, ge=1, le=256, description="Highest rank that the small model's server takes."
    )
    learning_rate: float = Field(default=2e-4, gt=0, lt=1, description="Size of a training's steps.")
    learning_epochs: float = Field(default=2.0, gt=0, le=100, description="How often a training sees each example.")
    learning_batch: int = Field(default=8, ge=1, le=1024, description="Examples in one step of a training.")
    learning_least_held: int = Field(
        default=50, ge=1, description="Fewest held-out examples of a kind that an adapter may be judged by."
    )

    summarizer: Literal["none", "openai", "anthropic"] = Field(
        default="none",
        description="What writes better summaries in the background; openai is any compatible endpoint.",
    )
    summarizer_model: str | None = _text(None, "Model that writes summaries.")
    summarizer_base_url: str | None = _text(None, "Address of the summaries' endpoint; the provider's own without it.")
    summarizer_api_key: SecretStr | None = Field(
        default=None, description="Key of the summaries' endpoint; the provider's key where it is not given."
    )
    summarizer_timeout_seconds: float = Field(default=60.0, gt=0, le=3600, description="Longest wait for one answer.")
    summarizer_daily_usd: float = Field(
        default=1.0, ge=0, description="Most US dollars spent on summaries a day (UTC); 0 for no limit."
    )
    summarizer_concurrency: int = Field(default=2, ge=1, le=64, description="Calls of the model at the same time.")

    human_for_purge: Literal["always", "dialog", "never"] = Field(
        default="dialog",
        description="When a purge by an agent needs a person's leave; dialog means where the client can ask its user.",
    )
    human_for_bulk_forget: int = Field(
        default=100, ge=0, description="Items that one client may forget within an hour without leave; 0 for no limit."
    )
    human_dialog_seconds: float = Field(
        default=50.0,
        gt=0,
        le=3600,
        description="How long a client of the older protocol is waited for before a question is left in the inbox.",
    )
    human_needs_terminal: bool = Field(
        default=True, description="Take answers by `palimpsest inbox` only from a terminal, where agents seldom are."
    )

    max_item_bytes: int = Field(default=16_000_000, ge=1, description="Largest content of one item, in UTF-8 bytes.")
    max_store_bytes: int = Field(default=0, ge=0, description="Most content bytes of the namespace; 0 for no limit.")

    scan_secrets: Literal["quarantine", "redact", "warn", "store"] = Field(
        default="warn",
        description="What becomes of texts with passwords, keys or tokens; store does not look for them.",
    )
    scan_personal: Literal["quarantine", "redact", "warn", "store"] = Field(
        default="store",
        description="What becomes of texts with cards, accounts, addresses or numbers of people.",
    )
    master_key: SecretStr | None = Field(
        default=None,
        description="Key of the quarantine, 32 bytes in base64; several with commas between, the current one first.",
    )
    master_key_in: Literal["file", "keyring"] = Field(
        default="file", description="Where the quarantine's key is kept when master_key is not given."
    )
    master_key_file: Path | None = Field(
        default=None, description="File of the quarantine's key; master.key in the data directory without it."
    )

    host: str = _text("127.0.0.1", "Address that HTTP listens on; beyond loopback needs a token and named hosts.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that HTTP listens on; 0 takes a free one.")
    bearer_token: SecretStr | None = Field(
        default=None, description="Token that HTTP clients must send, at least 16 characters."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="Host names under which HTTP is reached, separated by commas."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING", description="How much is logged to stderr; never contents, never secrets."
    )
    drain_seconds: float = Field(
        default=1.5, ge=0, le=600, description="How long a stopping server goes on embedding what is pending."
    )

    @field_validator("namespace", "thread")
    @classmethod
    def _is_name(cls, value: str) -> str:
        try:
            return check_name(value, "namespace or thread")
        except InvalidInputError as error:
            raise ValueError(str(error)) from None

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("slm_base_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @field_validator("bearer_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.embedder != "bundled" and not (self.embedding_model and self.embedding_dimensions):
            raise ValueError(f"embedder {self.embedder} needs embedding_model and embedding_dimensions")
        if self.summarizer != "none" and not self.summarizer_model:
            raise ValueError(f"summarizer {self.summarizer} needs summarizer_model")
        return self


def config_path(environment: Mapping[str, str]) -> Path:
    """Return where the TOML file is, whether it exists or not."""
    given = environment.get(CONFIG)
    return Path(given).expanduser() if given else user_config_path("palimpsest") / "config.toml"


def load_settings(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Return the settings; ``given`` (from the command line) wins over the environment, which wins over the file.

    Raises:
        SettingsError: an unknown name, or a value that is not acceptable; secrets are never in the message.
    """
    environment = os.environ if environment is None else environment
    sources: dict[str, str] = {}
    values: dict[str, Any] = {}
    path = config_path(environment)
    for name, value in _read_file(path, required=CONFIG in environment).items():
        values[name], sources[name] = value, f"{name} in {path}"
    for name, value, source in _read_environment(environment):
        values[name], sources[name] = value, source
    for name, value in given.items():
        if value is not None:
            values[name], sources[name] = value, f"--{name.replace('_', '-')}"
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_sentence(error, sources)) from None


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise SettingsError(f"{CONFIG} names {path}, which does not exist.") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML: {error}.") from None
    for name in values:
        if name not in Settings.model_fields:
            raise SettingsError(f"{path} sets {name!r}, which is no setting{_nearest(name, Settings.model_fields)}.")
    return values


def _read_environment(environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found = [(name, environment[plain], plain) for plain, name in PLAIN.items() if environment.get(plain)]
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable == CONFIG:
            continue
        if variable not in known:
            raise SettingsError(f"{variable} is no setting{_nearest(variable, known)}.")
        if value:
            found.append((variable.removeprefix(PREFIX).lower(), value, variable))
    return found


def _nearest(name: str, known: Iterable[str]) -> str:
    by_end = {one.removeprefix(PREFIX): one for one in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), by_end, n=1, cutoff=0.6)
    return f"; the nearest is {by_end[near[0]]}" if near else "; docs/settings.md lists them all"


def _sentence(error: ValidationError, sources: Mapping[str, str]) -> str:
    told: list[str] = []
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        reason = problem["msg"].removeprefix("Value error, ").rstrip(".")
        told.append(f"{sources.get(name, name)}: {reason[:1].lower()}{reason[1:]}.")
    return " ".join(told)
