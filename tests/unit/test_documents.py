"""Whether the documents hold together: links, lists, examples, words that do not belong."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from palimpsest import __version__

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docker").glob("*.md")])
CODE = re.compile(r"```.*?```|`[^`\n]*`", flags=re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Spelt apart, so that this file may hold them: hosts of package registries, and paths of one machine.
FORBIDDEN = ["pypi" + ".org", "files.python" + "hosted.org", "registry." + "npmjs", "/ro" + "ot/", "/wo" + "rk/"]


def files() -> list[Path]:
    """Every text file that git keeps, or would keep."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=30)
    if done.returncode != 0:
        pytest.skip("this tree is no git clone")
    paths = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in (".onnx", ".npz", ".png")]


def anchors(path: Path) -> set[str]:
    """The anchors that a host of Markdown makes of a document's headings."""
    headings = re.findall(r"^#{1,6} +(.+)$", CODE.sub("", path.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    broken: list[str] = []
    for target in LINK.findall(CODE.sub("", path.read_text())):
        name, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (path.parent / name).resolve() if name else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_every_page_of_docs_is_listed_in_the_readme() -> None:
    linked = {target.partition("#")[0] for target in LINK.findall((ROOT / "README.md").read_text())}
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")}
    assert pages - linked == set()


def test_every_document_opens_with_a_title_and_a_sentence() -> None:
    for path in DOCUMENTS:
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert lines[0].startswith("# "), path.name
        assert not lines[1].startswith(("#", "|")), f"{path.name}: say first what the page is about"


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    for path in files():
        text = path.read_text(errors="replace")
        assert not [word for word in FORBIDDEN if word in text], path.relative_to(ROOT)


def test_scripts_that_documents_mention_exist() -> None:
    for path in DOCUMENTS:
        for name in re.findall(r"\bscripts/([a-z_]+)\b", path.read_text()):
            assert (ROOT / "scripts" / name).exists(), f"{path.name}: scripts/{name}"


def test_files_that_documents_name_exist() -> None:
    named = re.compile(r"`((?:bench|core|docker|scripts|server|slm|storage|tests|tools)/[\w/.-]*)`")
    missing = [
        f"{path.name}: {name}"
        for path in DOCUMENTS
        for name in named.findall(path.read_text())
        if not (ROOT / name).exists()
    ]
    assert not missing


def test_make_targets_that_documents_mention_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for path in DOCUMENTS:
        assert set(re.findall(r"`make ([a-z]+)`", path.read_text())) <= targets, path.name


def test_json_and_toml_examples_parse() -> None:
    for path in DOCUMENTS:
        for language, block in re.findall(r"```(json|toml)\n(.*?)```", path.read_text(), flags=re.DOTALL):
            json.loads(block) if language == "json" else tomllib.loads(block)


def test_the_changelog_begins_with_the_version_that_is_being_made() -> None:
    first = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert first is not None
    assert first[1] in (__version__, "Unreleased")


def test_the_readme_shows_both_commands_and_where_the_client_goes() -> None:
    first_screen = (ROOT / "README.md").read_text()[:4000]
    for words in ("make demo", "scripts/demo", "make test", "palimpsest config", '"mcpServers"'):
        assert words in first_screen, words
