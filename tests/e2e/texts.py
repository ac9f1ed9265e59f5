"""Texts of every kind that must come back byte for byte."""

import json
import random

EMOJI = "👩‍🚀🏳️‍🌈é́ñ漢字かなไทย\u200d\u2028\ufeff"


def mixed(count: int, seed: int = 5) -> list[str]:
    """Return ``count`` distinct texts: code, prose, JSON, binary-looking text, emoji, CRLF, one long line."""
    source = random.Random(seed)
    makers = (_code, _prose, _json, _binary, _emoji, _crlf, _long_line)
    return [makers[number % len(makers)](source, number) for number in range(count)]


def _words(source: random.Random, count: int) -> str:
    return " ".join(source.choice(("alpha", "beta", "server", "Zürich", "don't", "x", "42")) for _ in range(count))


def _code(source: random.Random, number: int) -> str:
    body = "\n".join(f"\tif x == {source.random()}:\n\t    return {number}  # {_words(source, 3)}" for _ in range(9))
    return f"def function_{number}(x):\n{body}\n\n\nclass C{number}:\n    pass\n"


def _prose(source: random.Random, number: int) -> str:
    return f"# Title {number}\n\n" + "\n\n".join(_words(source, source.randrange(5, 120)) + "." for _ in range(5))


def _json(source: random.Random, number: int) -> str:
    return json.dumps({"id": number, "values": [source.random() for _ in range(20)], "é": EMOJI}, indent=number % 4)


def _binary(source: random.Random, number: int) -> str:
    return f"{number}" + "".join(chr(source.randrange(1, 0x300)) for _ in range(400)) + "\x00\x01\x7f\x80"


def _emoji(source: random.Random, number: int) -> str:
    return f" \t{number}{EMOJI * source.randrange(1, 30)}\n\n "


def _crlf(source: random.Random, number: int) -> str:
    return f"line {number}\r\n" + "\r\n".join(_words(source, 6) for _ in range(20)) + "\r\rlone\n\r"


def _long_line(source: random.Random, number: int) -> str:
    return str(number) + "".join(source.choice("abcdef0123456789") for _ in range(6000))
