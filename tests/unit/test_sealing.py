"""Envelope encryption and where its master keys are kept."""

from __future__ import annotations

import base64
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from palimpsest.core.errors import MasterKeyError, SealBrokenError
from palimpsest.storage.sealing import EnvelopeSealer, FileKeys, GivenKeys, KeyringKeys

from ..fakes import sealer

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
TEXT = b"a passphrase that nobody may read"


def test_what_was_sealed_opens_and_shows_nothing_before() -> None:
    sealed = sealer(ONE).seal(TEXT, "mine", "mem_1")
    assert TEXT not in sealed.box + sealed.wrapped_key + sealed.fingerprint
    assert sealer(ONE).open(sealed, "mine", "mem_1") == TEXT
    again = sealer(ONE).seal(TEXT, "mine", "mem_1")
    assert again.box != sealed.box
    assert again.wrapped_key != sealed.wrapped_key


def test_a_fingerprint_knows_the_same_text_only_under_the_same_key_and_namespace() -> None:
    sealed = sealer(ONE).seal(TEXT, "mine", "mem_1")
    assert sealed.fingerprint == sealer(ONE).fingerprint(TEXT, "mine")
    assert sealed.fingerprint not in (sealer(TWO).fingerprint(TEXT, "mine"), sealer(ONE).fingerprint(TEXT, "theirs"))
    assert len(sealed.fingerprint) == 32


def flipped(raw: bytes, place: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def test_every_changed_byte_is_noticed_and_nothing_of_the_text_told() -> None:
    sealed = sealer(ONE).seal(TEXT, "mine", "mem_1")
    damaged = [replace(sealed, box=flipped(sealed.box, place)) for place in range(len(sealed.box))]
    damaged += [replace(sealed, wrapped_key=flipped(sealed.wrapped_key, place)) for place in range(61)]
    damaged += [replace(sealed, box=b""), replace(sealed, box=sealed.box[:20]), replace(sealed, wrapped_key=b"\x01")]
    for one in damaged:
        with pytest.raises(SealBrokenError, match="mem_1 were changed") as caught:
            sealer(ONE).open(one, "mine", "mem_1")
        assert TEXT.decode() not in str(caught.value) + repr(caught.value)


def test_a_row_opens_in_no_other_place() -> None:
    sealed, other = sealer(ONE).seal(TEXT, "mine", "mem_1"), sealer(ONE).seal(b"another", "mine", "mem_2")
    for one, namespace, item_id in (
        (sealed, "mine", "mem_2"),
        (sealed, "theirs", "mem_1"),
        (replace(sealed, box=other.box), "mine", "mem_1"),
        (replace(sealed, wrapped_key=other.wrapped_key), "mine", "mem_1"),
        (sealed, "minem", "em_1"),
    ):
        with pytest.raises(SealBrokenError):
            sealer(ONE).open(one, namespace, item_id)


def test_another_master_key_is_named_by_its_id() -> None:
    sealed = sealer(ONE).seal(TEXT, "mine", "mem_1")
    with pytest.raises(MasterKeyError, match=f"master key {sealed.key_id}, and PALIMPSEST_MASTER_KEY has"):
        sealer(TWO).open(sealed, "mine", "mem_1")


def test_a_rewrapped_text_opens_under_the_new_key_alone() -> None:
    sealed = sealer(ONE).seal(TEXT, "mine", "mem_1")
    moved = sealer(TWO, ONE).rewrap(sealed, "mine", "mem_1")
    assert (moved.box, moved.key_id) == (sealed.box, sealer(TWO).key_id)
    assert sealer(TWO).open(moved, "mine", "mem_1") == TEXT
    assert moved.fingerprint == sealer(TWO).fingerprint(TEXT, "mine")
    with pytest.raises(SealBrokenError):
        sealer(TWO, ONE).rewrap(replace(sealed, box=flipped(sealed.box, 30)), "mine", "mem_1")


@pytest.mark.parametrize("text", ["", "abc", "not base64!", base64.b64encode(bytes(31)).decode(), "# only a comment"])
def test_a_key_that_is_none_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(MasterKeyError, match="PALIMPSEST_MASTER_KEY holds") as caught:
        EnvelopeSealer(GivenKeys(text)).seal(TEXT, "mine", "mem_1")
    assert not text or text not in str(caught.value)


def test_a_given_key_is_not_rotated_here() -> None:
    with pytest.raises(MasterKeyError, match="only be changed there"):
        sealer(ONE).rotate()


def test_a_file_is_made_at_the_first_use_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "master.key"
    keys = FileKeys(path)
    assert not path.exists()
    made = EnvelopeSealer(keys).seal(TEXT, "mine", "mem_1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert EnvelopeSealer(FileKeys(path)).open(made, "mine", "mem_1") == TEXT
    assert EnvelopeSealer(keys).source == f"the file {path}"


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    EnvelopeSealer(FileKeys(path)).seal(TEXT, "mine", "mem_1")
    path.chmod(0o640)
    with pytest.raises(MasterKeyError, match="can be read by others; run chmod 600"):
        EnvelopeSealer(FileKeys(path)).seal(TEXT, "mine", "mem_1")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"junk\n", b""])
def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(MasterKeyError, match=str(path)):
        EnvelopeSealer(FileKeys(path)).seal(TEXT, "mine", "mem_1")
    assert path.read_bytes() == content


def test_a_place_that_cannot_keep_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MasterKeyError, match="cannot"):
        EnvelopeSealer(FileKeys(tmp_path / "file" / "master.key")).seal(TEXT, "mine", "mem_1")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MasterKeyError, match="cannot be read"):
        EnvelopeSealer(FileKeys(tmp_path / "folder")).seal(TEXT, "mine", "mem_1")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("palimpsest.storage.sealing.keys.os.fsync", full)
    with pytest.raises(MasterKeyError, match="cannot be written: No space left"):
        EnvelopeSealer(FileKeys(tmp_path / "master.key")).seal(TEXT, "mine", "mem_1")
    assert [path.name for path in tmp_path.iterdir()] == ["master.key.lock"]


def test_a_rotated_file_keeps_the_former_key_and_a_running_server_learns_the_new_one(tmp_path: Path) -> None:
    running, other = (EnvelopeSealer(FileKeys(tmp_path / "master.key")) for _ in range(2))
    before = running.seal(TEXT, "mine", "mem_1")
    new = other.rotate()
    assert new != before.key_id
    assert other.key_id == new
    after = other.seal(TEXT, "mine", "mem_2")
    assert running.open(after, "mine", "mem_2") == TEXT
    assert other.open(before, "mine", "mem_1") == TEXT
    assert running.key_id == new


def test_those_that_need_the_first_key_at_once_share_one(tmp_path: Path) -> None:
    def first(_: int) -> str:
        return EnvelopeSealer(FileKeys(tmp_path / "master.key")).key_id

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(first, range(8)))
    assert len(ids) == 8
    assert len(set(ids)) == 1


class FakeKeyring(ModuleType):
    """The package keyring with one keyring."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.errors = ModuleType("keyring.errors")
        self.KeyringError = type("KeyringError", (Exception,), {})
        setattr(self.errors, "KeyringError", self.KeyringError)  # noqa: B010 - a module's attribute
        self.held: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, account: str) -> str | None:
        if self.locked:
            raise self.KeyringError("locked")
        return self.held.get((service, account))

    def set_password(self, service: str, account: str, text: str) -> None:
        self.held[service, account] = text


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setitem(sys.modules, "keyring", fake)
    monkeypatch.setitem(sys.modules, "keyring.errors", fake.errors)
    return fake


def test_a_keyring_keeps_and_rotates_keys(keyring: FakeKeyring, tmp_path: Path) -> None:
    def opened() -> EnvelopeSealer:
        return EnvelopeSealer(KeyringKeys("here", tmp_path / "lock"))

    sealed = opened().seal(TEXT, "mine", "mem_1")
    assert list(keyring.held) == [("palimpsest", "here")]
    assert opened().open(sealed, "mine", "mem_1") == TEXT
    assert opened().rotate() == opened().key_id != sealed.key_id
    assert opened().open(sealed, "mine", "mem_1") == TEXT
    keyring.held.clear()
    (tmp_path / "file").write_text("")
    with pytest.raises(MasterKeyError, match="cannot keep the master key"):
        EnvelopeSealer(KeyringKeys("here", tmp_path / "file" / "lock")).seal(TEXT, "mine", "mem_1")
    keyring.locked = True
    with pytest.raises(MasterKeyError, match=r"keyring \(palimpsest, here\) cannot be used \(KeyringError\)"):
        opened().open(sealed, "mine", "mem_1")


def test_a_missing_keyring_package_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MasterKeyError, match=r"pip install 'palimpsest\[keyring\]'"):
        EnvelopeSealer(KeyringKeys("here", tmp_path / "lock")).seal(TEXT, "mine", "mem_1")
