"""The files of adapters: published all at once or not at all, never changed, and looked at before every load."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ...core.errors import AdapterError
from ...core.models import Adapter

MANIFEST = "manifest.json"
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PUBLISHED = (CONFIG, WEIGHTS)
"""All that a server of the model needs; nothing else of a training is published."""
_UNPLAIN = re.compile(r"[^A-Za-z0-9.-]+")


class FileFacts(BaseModel):
    """What a manifest says of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    sha256: str
    size_bytes: int


class Manifest(BaseModel):
    """What an adapter is, and what its files have to be like."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    version: int
    base_model: str
    parent: str | None
    created_at: str
    examples: tuple[int, ...]
    dataset_sha256: str
    libraries: Mapping[str, str]
    files: Mapping[str, FileFacts]


def stem_of(namespace: str) -> str:
    """Return how the adapters of a namespace are called: plain enough for a folder and for the server of the model.

    Names that would meet once they are plain are kept apart by a part of their hash.
    """
    plain = _UNPLAIN.sub("-", namespace).strip("-.")[:60]
    if plain == namespace and ".." not in plain:
        return f"slm-{plain}"
    return f"slm-{plain.replace('..', '-')}-{hashlib.sha256(namespace.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """The folder with a folder for each adapter.

    ``seen_as`` is the path under which the server of the model sees it; ``most_rank`` is the highest that it takes.
    """

    path: Path
    base_model: str
    seen_as: str | None = None
    most_rank: int = 16
    sync: Callable[[int], None] = os.fsync

    def of(self, name: str) -> Path:
        """Return where the files of a published adapter are."""
        return self.path / name

    def publish(self, made: Path, facts: Mapping[str, Any]) -> str:
        """Make the files in ``made`` an adapter for good, and return the SHA-256 (hex) of its manifest.

        Everything is on the disk before the folder gets its name.

        Raises:
            AdapterError: a file is missing, the name is taken, or the disk is full; nothing of it stays.
        """
        name = str(facts["name"])
        if self.of(name).exists():
            raise AdapterError(
                f"There is a folder {name} already, and adapters are never changed; nothing was published."
            )
        fresh = self.path / f".publishing-{name}"
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True, mode=0o755)
            found = {file: self._copied(made / file, fresh / file) for file in PUBLISHED}
            manifest = Manifest(**facts, files=found).model_dump_json(indent=1).encode()
            self._written(fresh / MANIFEST, manifest)
            self._synced(fresh)
            fresh.rename(self.of(name))
            self._synced(self.path)
        except OSError as error:
            with suppress(OSError):
                shutil.rmtree(fresh)
            raise AdapterError(_failed(name, error)) from error
        return hashlib.sha256(manifest).hexdigest()

    def _copied(self, source: Path, target: Path) -> FileFacts:
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as read, target.open("xb") as written:
            while piece := read.read(1 << 20):
                written.write(piece)
                digest.update(piece)
                size += len(piece)
            written.flush()
            self.sync(written.fileno())
        target.chmod(0o444)
        return FileFacts(sha256=digest.hexdigest(), size_bytes=size)

    def _written(self, target: Path, content: bytes) -> None:
        with target.open("xb") as written:
            written.write(content)
            written.flush()
            self.sync(written.fileno())
        target.chmod(0o444)

    def _synced(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Delete what there is of an adapter, published or half so."""
        for folder in (self.of(name), self.path / f".publishing-{name}", self.path / f".training-{name}"):
            shutil.rmtree(folder, ignore_errors=True)

    async def verified(self, adapter: Adapter) -> str:
        """See AdapterFiles."""
        await asyncio.to_thread(self.verify, adapter)
        return str(self.of(adapter.name)) if self.seen_as is None else f"{self.seen_as.rstrip('/')}/{adapter.name}"

    def verify(self, adapter: Adapter) -> Manifest:
        """Return the manifest of a published adapter whose files are as they were.

        Raises:
            AdapterError: missing, altered, of another base model, or of a rank that is not served.
        """
        folder = self.of(adapter.name)
        try:
            written = (folder / MANIFEST).read_bytes()
        except OSError:
            raise AdapterError(f"The adapter {adapter.name} has no files in {self.path}; train again.") from None
        if hashlib.sha256(written).hexdigest() != adapter.manifest:
            raise AdapterError(_altered(adapter.name, MANIFEST))
        try:
            manifest = Manifest.model_validate_json(written)
        except ValidationError:
            raise AdapterError(_altered(adapter.name, MANIFEST)) from None
        if {entry.name for entry in folder.iterdir()} != {MANIFEST, *manifest.files}:
            raise AdapterError(_altered(adapter.name, "list of files"))
        for file, facts in manifest.files.items():
            if _facts(folder / file) != facts:
                raise AdapterError(_altered(adapter.name, file))
        self._check_fit(adapter, manifest, folder)
        return manifest

    def _check_fit(self, adapter: Adapter, manifest: Manifest, folder: Path) -> None:
        if manifest.name != adapter.name or manifest.base_model != self.base_model:
            raise AdapterError(
                f"The adapter {adapter.name} belongs to {manifest.base_model}, and {self.base_model} is served; "
                "train again for that."
            )
        rank = _rank(folder / CONFIG)
        if rank is None or rank > self.most_rank:
            raise AdapterError(
                f"The adapter {adapter.name} has the rank {rank or 'unknown'}, and at most {self.most_rank} is served; "
                "train again with a lower one."
            )


def _facts(path: Path) -> FileFacts | None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFacts(sha256=digest, size_bytes=path.stat().st_size)
    except OSError:
        return None


def _rank(path: Path) -> int | None:
    try:
        rank = json.loads(path.read_text(encoding="utf-8"))["r"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rank if isinstance(rank, int) and rank > 0 else None


def _altered(name: str, what: str) -> str:
    return f"The adapter {name} is not as it was published: its {what} differs; it is not loaded, train again."


def _failed(name: str, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full, so {name} was not published; make room and train again."
    return f"{name} was not published: {error.strerror or type(error).__name__}; nothing of it stays."
