"""How many planted secrets are found, and how many lines of ordinary code are taken for one.

    python -m palimpsest.bench.detection [--seed N]

Recall is printed for the surroundings that the rules were written with and, apart, for those held out; false alarms for
lines of the half of the standard library that was not looked at, and for hashes, UUIDs, lock files and icons. Where the
package detect-secrets is installed, it is measured beside it.
"""

import argparse
import base64
import hashlib
import importlib
import random
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from palimpsest.core.detection import PatternDetector

from .planted import HELD_OUT, HEX, KINDS, TUNED, Planted, plant, uuid

Found = Callable[[str], Sequence[tuple[int, int]]]
"""The spans of a text that hold a secret."""
LINES = 5000
CRAFTED = 700
_TEXT_SIZE = 200_000


def recall(planted: Sequence[Planted], found: Found) -> tuple[Counter[str], Counter[str]]:
    """Return by kind how many were planted, and how many were missed: not covered to the last character."""
    total: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for one in planted:
        total[one.kind] += 1
        missed[one.kind] += not any(start <= one.start and one.end <= end for start, end in found(one.text))
    return total, missed


def library(*, held_out: bool) -> Iterator[str]:
    """Yield files of the standard library: the half that the rules were tried on, or the other one."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for file in sorted(root.rglob("*.py")):
        name = str(file.relative_to(root))
        if "site-packages" in name or hashlib.sha256(name.encode()).digest()[0] % 2 != held_out:
            continue
        try:
            yield file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def crafted(rng: random.Random, count: int) -> Iterator[str]:
    """Yield lines that look random and hide nothing: lock files, hashes, UUIDs, icons, test data."""
    forms: tuple[Callable[[], str], ...] = (
        lambda: f'      "integrity": "sha512-{base64.b64encode(rng.randbytes(64)).decode()}",',
        lambda: f"    --hash=sha256:{''.join(rng.choices(HEX, k=64))} \\",
        lambda: f"index {''.join(rng.choices(HEX, k=10))}..{''.join(rng.choices(HEX, k=10))} 100644",
        lambda: f'  "id": "{uuid(rng)}",',
        lambda: f'<img src="data:image/png;base64,{base64.b64encode(rng.randbytes(90)).decode()}">',
        lambda: f'ETag: "{"".join(rng.choices(HEX, k=32))}"',
        lambda: (
            f'acme-core = {{ version = "1.{rng.randrange(40)}.0", checksum = "{"".join(rng.choices(HEX, k=64))}" }}'
        ),
        lambda: f"self.assertEqual(digest(b'abc'), '{''.join(rng.choices(HEX, k=40))}')",
        lambda: f"commit {''.join(rng.choices(HEX, k=40))}",
        lambda: "token = self.tokens[self.position]  # the next one",
        lambda: 'password = getpass.getpass("Password: ")',
        lambda: "API_KEY=${API_KEY:?set it in .env}",
        lambda: 'secret_key = os.environ["SECRET_KEY"]',
        lambda: f"tokens_used={rng.randrange(10**6)} max_tokens={rng.randrange(10**5)}",
    )
    for place in range(count):
        yield forms[place % len(forms)]()


def benign(seed: int) -> list[str]:
    """Return the lines in which everything found is a false alarm."""
    rng = random.Random(seed)
    lines = [line for text in library(held_out=True) for line in text.splitlines() if line.strip()]
    return [*rng.sample(lines, LINES - CRAFTED), *crafted(rng, CRAFTED)]


def alarms(lines: Sequence[str], found: Found) -> list[str]:
    """Return the lines in which something is found, scanned as one text, as a file is."""
    text = "\n".join(lines)
    hit: list[str] = []
    for start, end in found(text):
        hit += text[text.rfind("\n", 0, start) + 1 : (text + "\n").index("\n", end)].split("\n")
    return list(dict.fromkeys(hit))


def ours() -> Found:
    """Return the built-in detector."""
    detector = PatternDetector()
    return lambda text: [(one.start, one.end) for one in detector.secrets(text)]


def theirs() -> Found | None:
    """Return detect-secrets as it comes, None where it is not installed."""
    try:
        scan: Any = importlib.import_module("detect_secrets.core.scan")
        settings: Any = importlib.import_module("detect_secrets.settings")
    except ImportError:
        return None

    def found(text: str) -> list[tuple[int, int]]:
        lines = text.split("\n")
        starts = [0, *accumulate(len(line) + 1 for line in lines)]
        spans: list[tuple[int, int]] = []
        with TemporaryDirectory() as folder, settings.default_settings():
            file = Path(folder, "text.txt")
            file.write_text(text, encoding="utf-8")
            for secret in scan.scan_file(str(file)):
                number, value = int(secret.line_number) - 1, str(secret.secret_value)
                place = lines[number].find(value)
                if place >= 0:
                    spans.append((starts[number] + place, starts[number] + place + len(value)))
        return spans

    return found


def report(name: str, found: Found, seed: int) -> None:
    """Print one detector's figures."""
    print(f"\n{name}")
    for surroundings, told in ((TUNED, "looked at"), (HELD_OUT, "held out")):
        planted = list(plant(seed, surroundings))
        total, missed = recall(planted, found)
        hits = 1 - missed.total() / total.total()
        print(f"  recall, surroundings {told}: {hits:.2%} of {total.total()} ({len(KINDS)} kinds)")
        for kind, count in missed.items():
            if count:
                print(f"    missed {count} of {total[kind]}: {kind}")
    lines = benign(seed)
    hit = alarms(lines, found)
    print(f"  false alarms: {len(hit)} of {len(lines)} benign lines ({len(hit) / len(lines):.2%})")
    for line in hit[:20]:
        print(f"    {line.strip()[:110]}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--all", action="store_true", help="scan the whole half of the library that was held out")
    given = parser.parse_args()
    detectors = {"palimpsest": ours(), "detect-secrets": theirs()}
    for name, found in detectors.items():
        if found is not None:
            report(name, found, given.seed)
    text = "\n".join(library(held_out=True))
    find = ours()
    piece = text[:_TEXT_SIZE]
    times: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        find(piece)
        times.append(time.perf_counter() - start)
    print(f"\nscan of {_TEXT_SIZE:,} characters of code: {min(times) * 1000:.1f} ms")
    if given.all:
        count = text.count("\n")
        print(f"the whole held-out half: {len(find(text))} alarms in {count:,} lines")


if __name__ == "__main__":
    main()
