"""The detector: planted secrets found, ordinary lines let be, personal data by its check digits."""

import random

import pytest

from palimpsest.bench.detection import alarms, benign, ours, recall
from palimpsest.bench.planted import HELD_OUT, KINDS, TUNED, plant
from palimpsest.core.detection import PatternDetector
from palimpsest.core.detection.measures import entropy, passes_luhn, passes_mod97

DETECTOR = PatternDetector()


def secrets_in(text: str) -> list[str]:
    return [text[one.start : one.end] for one in DETECTOR.secrets(text)]


def personal_in(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in DETECTOR.personal(text)]


@pytest.mark.parametrize("surroundings", [TUNED, HELD_OUT], ids=["looked at", "held out"])
def test_of_sixty_kinds_of_planted_secrets_ninety_nine_in_a_hundred_are_found(surroundings: dict[str, object]) -> None:
    planted = list(plant(7, surroundings, each=1))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    total, missed = recall(planted, ours())
    assert len(KINDS) >= 60
    assert set(total) == set(KINDS)
    assert missed.total() <= 0.01 * total.total(), +missed


def test_of_five_thousand_benign_lines_at_most_two_in_a_hundred_are_taken_for_secrets() -> None:
    lines = benign(7)
    assert len(lines) == 5000
    hit = alarms(lines, ours())
    assert len(hit) <= 100, hit[:10]


@pytest.mark.parametrize(
    "line",
    [
        "token = self.tokens[self.position]",
        'password = getpass.getpass("Password: ")',
        "secret_key = os.environ['SECRET_KEY']",
        "DB_PASSWORD=${DB_PASSWORD}",
        "api_key: <your key here>",
        "API_KEY=your_api_key_here1",
        "password: str = Field(default=None)",
        "if token == 'NEWLINE1234':",
        "password_hash = 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'",
        "max_tokens=128000",
        "key_id = 'sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
        "see the token [sealed:github-token:mem_0123456789abc] for that",
        "secret = '/run/secrets/db_password1'",
        "https://user@host/path:1",
        "(password, hunter2x, kim)",
        "if password > threshold2:",
        "token: 12",
        "password: ./conf/passwd2",
        "password = 'password_field'",
        "password = 'token{0}'",
        "",
    ],
)
def test_what_only_looks_like_a_secret_is_let_be(line: str) -> None:
    assert secrets_in(line) == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("DB_PASSWORD=hunter2x", "hunter2x"),
        ("my password is Tr0ub4dor&3, keep it", "Tr0ub4dor&3"),
        ("{'passphrase': 'correcthorsebatterystaple'}", "correcthorsebatterystaple"),
        ("mysql -h db -u root -pS3cretPw99 shop", "S3cretPw99"),
        ("curl -u deploy:s3cr3tpw! https://x.dev", "s3cr3tpw!"),
        ("machine api.x.dev login kim password s3cr3tpw", "s3cr3tpw"),
        ("db:5432:shop:app:pgpassw0rd", "pgpassw0rd"),
        ("postgres://app:p@ss:word1@db/x", "p@ss:word1"),
    ],
)
def test_passwords_are_found_to_their_last_letter(text: str, secret: str) -> None:
    assert secret in secrets_in(text)


def test_places_hold_where_letters_grow_in_lower_case() -> None:
    text = "İstanbul İİİ\nDB_PASSWORD=hunter2x\n"
    assert secrets_in(text) == ["hunter2x"]


def test_overlapping_findings_become_one_that_covers_them() -> None:
    token = "ghp_" + "".join(random.Random(3).choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJK23456789", k=36))
    found = DETECTOR.secrets(f"GITHUB_TOKEN={token}")
    assert [(one.kind, one.start, one.end) for one in found] == [("github-token", 13, 53)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("card 4111 1111 1111 1111.", []),
        ("card 4539 1488 0343 6467.", [("payment-card", "4539 1488 0343 6467")]),
        ("3782-822463-10005x", []),
        ("pay to 371449635398431, thanks", [("payment-card", "371449635398431")]),
        ("number 4539148803436468", []),
        ("time 1700000000000 and 20260101123456", []),
        ("IBAN DE89 3704 0044 0532 0130 00", [("iban", "DE89 3704 0044 0532 0130 00")]),
        ("GB29NWBK60161331926819 is it", [("iban", "GB29NWBK60161331926819")]),
        ("to DE89 3704 0044 0532 0130 00 BIC COBADEFF", [("iban", "DE89 3704 0044 0532 0130 00")]),
        ("DE88 3704 0044 0532 0130 00", []),
        ("ZZ89 3704 0044 0532 0130 00", []),
        ("write to kim.lee+shop@posteo.net today", [("e-mail", "kim.lee+shop@posteo.net")]),
        ("git@github.com:a/b.git user@example.com noreply@x.org @decorator a@b", []),
        ("call +49 30 901820 now", [("phone", "+49 30 901820")]),
        ("phone: (030) 901 8200", [("phone", "(030) 901 8200")]),
        ("1 + 2 and +1 and a+4915112345678b", []),
        ("version 10.0.19041.1 of 2026-01-01", []),
    ],
)
def test_personal_data_are_told_by_their_form_and_check_digits(text: str, found: list[tuple[str, str]]) -> None:
    assert personal_in(text) == found


def test_check_digits_and_entropy() -> None:
    assert passes_luhn("4539148803436467")
    assert not passes_luhn("4539148803436476")
    assert passes_mod97("DE89370400440532013000")
    assert not passes_mod97("DE89370400440532013001")
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


def test_hostile_texts_take_no_longer_than_their_length_allows() -> None:
    # Each would take minutes where a pattern had to try every way to split them.
    for piece in ("password" * 20_000, "-----BEGIN PRIVATE KEY-----" * 5_000, "://" * 50_000, "secret: " * 20_000):
        assert DETECTOR.secrets(piece) == []
    for piece in ("1 " * 100_000, "@" * 100_000, "a@" * 50_000, "+1 " * 60_000, "AA00" * 50_000, "phone" * 40_000):
        assert DETECTOR.personal(piece) == []
