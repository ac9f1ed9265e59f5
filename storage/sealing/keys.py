"""Master keys, and where they are kept: a file of its owner's, the system's keyring, or the environment."""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import importlib
import os
import secrets
import stat
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...core.errors import MasterKeyError

KEY_BYTES = 32
_SERVICE = "palimpsest"
_HEAD = "# Master keys of Palimpsest's quarantine, the current one first. Without them nothing sealed can be read.\n"


def key_id(key: bytes) -> str:
    """Return a key's name: a hash, which tells nothing of 32 random bytes."""
    return hashlib.sha256(b"palimpsest master key" + key).hexdigest()[:16]


class MasterKeys(ABC):
    """Master keys by id, read at the first need and again when an unknown one is asked for."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._keys: dict[str, bytes] = {}

    @property
    @abstractmethod
    def source(self) -> str:
        """Say where they are kept."""

    @abstractmethod
    def _read(self) -> str | None:
        """Return the keys' text, None where there is none yet."""

    @abstractmethod
    def _write(self, text: str) -> None:
        """Keep the keys' text so that it outlives a power cut."""

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        """Keep other processes from making or changing keys."""
        yield

    def current(self) -> tuple[str, bytes]:
        """Return the id and the key that texts are sealed under now, made if there is none.

        Raises:
            MasterKeyError: there is none, and none can be made.
        """
        if not self._keys:
            self._load()
        if not self._keys:
            with self._alone():
                # Another process may have made it since.
                self._load()
                if not self._keys:
                    self._put([secrets.token_bytes(KEY_BYTES)])
        return next(iter(self._keys.items()))

    def find(self, wanted: str) -> bytes:
        """Return a key by id.

        Raises:
            MasterKeyError: it is not here.
        """
        if wanted not in self._keys:
            self._load()
        try:
            return self._keys[wanted]
        except KeyError:
            raise MasterKeyError(
                f"This was sealed under the master key {wanted}, and {self.source} has "
                f"{', '.join(self._keys) or 'none'}; bring the key that was used back, and nothing is lost."
            ) from None

    def rotate(self) -> str:
        """Make a new current key, keep the others, and return its id.

        Raises:
            MasterKeyError: they are given from outside.
        """
        self.current()
        with self._alone():
            self._load()
            self._put([secrets.token_bytes(KEY_BYTES), *self._keys.values()])
        return self.current()[0]

    def _load(self) -> None:
        text = self._read()
        if text is not None:
            self._keys = {key_id(key): key for key in self._parse(text)}

    def _put(self, keys: list[bytes]) -> None:
        self._write(_HEAD + "".join(f"{base64.b64encode(key).decode()}\n" for key in keys))
        self._keys = {key_id(key): key for key in keys}

    def _parse(self, text: str) -> list[bytes]:
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        written = [part.strip() for line in lines for part in line.split(",") if part.strip()]
        keys: list[bytes] = []
        for line in written:
            try:
                key = base64.b64decode(line.replace("-", "+").replace("_", "/"), validate=True)
            except (binascii.Error, ValueError):
                key = b""
            if len(key) != KEY_BYTES:
                raise MasterKeyError(
                    f"{self.source} holds something that is no key; each key is {KEY_BYTES} random bytes in base64 "
                    "(44 characters), the current one first."
                )
            keys.append(key)
        if not keys:
            raise MasterKeyError(f"{self.source} holds no key; put the key that was used back into it.")
        return keys


class GivenKeys(MasterKeys):
    """Keys from the environment."""

    def __init__(self, text: str) -> None:
        """Take one key in base64, or several with commas between, the current one first."""
        super().__init__()
        self._text = text

    @property
    def source(self) -> str:
        """See MasterKeys."""
        return "PALIMPSEST_MASTER_KEY"

    def _read(self) -> str:
        return self._text

    def _write(self, text: str) -> None:
        raise MasterKeyError(
            "The master key comes from PALIMPSEST_MASTER_KEY, so it can only be changed there: put the new key before "
            "the old one, a comma between, and run `palimpsest quarantine rotate` again."
        )


class FileKeys(MasterKeys):
    """Keys in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        super().__init__()
        self._path = path

    @property
    def source(self) -> str:
        """See MasterKeys."""
        return f"the file {self._path}"

    def _read(self) -> str | None:
        try:
            with self._path.open(encoding="ascii") as file:
                found = os.fstat(file.fileno())
                if stat.S_IMODE(found.st_mode) & 0o077:
                    raise MasterKeyError(
                        f"{self.source} with the master key can be read by others; run chmod 600 {self._path}, and "
                        "rotate the key (`palimpsest quarantine rotate`) if others may have read it."
                    )
                return file.read()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise MasterKeyError(f"{self.source} is no key file; put the one that was used back.") from None
        except OSError as error:
            raise MasterKeyError(f"{self.source} with the master key cannot be read: {error.strerror}.") from error

    def _write(self, text: str) -> None:
        part = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
                file.flush()
                # Nothing may be sealed under a key that a power cut could take.
                os.fsync(file.fileno())
            part.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise MasterKeyError(f"{self.source} with the master key cannot be written: {error.strerror}.") from error

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        with _locked(self._path.with_name(f"{self._path.name}.lock")):
            yield


class KeyringKeys(MasterKeys):
    """Keys in the keyring of the system, by the package of that name."""

    def __init__(self, account: str, lock: Path) -> None:
        """``lock`` is a file that processes on this machine hold while they make or change keys."""
        super().__init__()
        self._account = account
        self._lock = lock

    @property
    def source(self) -> str:
        """See MasterKeys."""
        return f"the system's keyring ({_SERVICE}, {self._account})"

    def _read(self) -> str | None:
        found = self._call("get_password", _SERVICE, self._account)
        return found if isinstance(found, str) else None

    def _write(self, text: str) -> None:
        self._call("set_password", _SERVICE, self._account, text)

    def _call(self, function: str, *arguments: str) -> Any:
        try:
            keyring: Any = importlib.import_module("keyring")
            errors: Any = importlib.import_module("keyring.errors")
        except ImportError:
            raise MasterKeyError(
                "The master key is to be kept in the system's keyring, whose package is missing; "
                "run pip install 'palimpsest[keyring]', or set PALIMPSEST_MASTER_KEY_IN=file."
            ) from None
        try:
            return getattr(keyring, function)(*arguments)
        except errors.KeyringError as error:
            raise MasterKeyError(
                f"{self.source} cannot be used ({type(error).__name__}); unlock it, "
                "or set PALIMPSEST_MASTER_KEY_IN=file."
            ) from None

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        with _locked(self._lock):
            yield


@contextmanager
def _locked(path: Path) -> Generator[None, None, None]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise MasterKeyError(f"{path.parent} cannot keep the master key: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
