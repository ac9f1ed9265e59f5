"""Whether what is installed is what lies here: packages, data files, commands, pins."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("core", "server", "slm", "storage", "tools")
BESIDE = {"bench", "docker", "docs", "scripts", "tests"}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def python_folders() -> set[str]:
    """Dotted names of the folders that hold Python modules."""
    folders = {source.parent for name in SHIPPED for source in (ROOT / name).rglob("*.py")}
    return {"palimpsest"} | {".".join(("palimpsest", *folder.relative_to(ROOT).parts)) for folder in folders}


def shipped_files() -> set[str]:
    """Paths, inside the wheel, of every file that the package consists of."""
    found = {path for name in SHIPPED for path in (ROOT / name).rglob("*") if path.is_file()}
    found |= {ROOT / name for name in ("__init__.py", "__main__.py", "py.typed")}
    return {f"palimpsest/{path.relative_to(ROOT)}" for path in found if "__pycache__" not in path.parts}


def pins() -> dict[str, str]:
    """Package names, normalised, and the versions that constraints.txt gives them."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    return {normal(name): version for name, _, version in (line.partition("==") for line in lines)}


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(path: Path) -> set[str]:
    """Top-level names of the third-party modules that a source file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level and node.module}
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)


def requirements() -> Iterator[str]:
    """Every requirement of the project, extras included."""
    yield from PROJECT["project"]["dependencies"]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        yield from extra


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names inside a wheel built from a copy of the tree, so that nothing is left in the tree."""
    work = tmp_path_factory.mktemp("wheel")
    tree = work / "my-clone"
    tree.mkdir()
    for name in (*SHIPPED, *sorted(BESIDE)):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, tree)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*build, "--wheel-dir", str(work), str(tree)], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = work.glob("palimpsest-*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_pyproject_lists_exactly_the_folders_on_disk() -> None:
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(python_folders())


def test_every_package_folder_has_an_init() -> None:
    missing = [name for name in python_folders() if not (ROOT.joinpath(*name.split(".")[1:], "__init__.py")).exists()]
    assert not missing


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]) -> None:
    assert shipped_files() - wheel == set()


def test_the_wheel_holds_nothing_but_the_package(wheel: set[str]) -> None:
    inside = {name for name in wheel if name.startswith("palimpsest/")}
    assert inside - shipped_files() == set()
    assert not [name for name in inside if name.split("/")[1] in BESIDE]
    outside = {name.split("/")[0] for name in wheel - inside}
    assert all(name.endswith(".dist-info") for name in outside)


def test_the_wheel_carries_queries_migrations_model_and_licences(wheel: set[str]) -> None:
    for pattern in (
        r"palimpsest/storage/sql/\w+\.sql",
        r"palimpsest/storage/migrations/0001_\w+\.sql",
        r"palimpsest/storage/functions/candidates\.sql",
        r"palimpsest/slm/embeddings/model/\w+\.onnx",
        r"palimpsest/py\.typed",
        r"palimpsest-[\d.]+\.dist-info/licenses/LICENSE",
        r"palimpsest-[\d.]+\.dist-info/licenses/.*NOTICE",
    ):
        assert any(re.fullmatch(pattern, name) for name in wheel), pattern


def test_the_root_module_imports_nothing_of_ours() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_no_module_at_the_root_is_named_like_one_of_the_standard_library() -> None:
    names = {path.stem for path in ROOT.glob("*.py")} - {"__init__", "__main__"}
    names |= {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert names.isdisjoint(sys.stdlib_module_names)


def test_imports_inside_the_package_are_relative() -> None:
    absolute = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for name in SHIPPED
        for path in (ROOT / name).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "palimpsest"
    ]
    assert not absolute


def test_the_command_is_called_palimpsest() -> None:
    (command,) = entry_points(group="console_scripts", name="palimpsest")
    assert command.value == "palimpsest.server.cli:main"
    assert callable(command.load())


def test_type_checkers_find_the_package_through_the_link() -> None:
    link = ROOT / ".typing" / "palimpsest"
    assert link.is_symlink()
    assert link.resolve() == ROOT


def test_every_requirement_is_pinned() -> None:
    pinned = pins()
    asked = {normal(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements()}
    # A server of its own, in an environment of its own: scripts/install never installs it, and it pins torch otherwise.
    assert asked - set(pinned) == {"vllm"}
    assert all(re.fullmatch(r"[0-9][0-9A-Za-z.!]*", version) for version in pinned.values())


def test_every_module_that_is_imported_is_required() -> None:
    distributions = {"Stemmer": "pystemmer", "sentence_transformers": "sentence-transformers"}
    asked = {normal(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in requirements()}
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for folder in SHIPPED
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if normal(distributions.get(name, name)) not in asked
    }
    assert not missing


def test_torch_is_asked_for_by_the_extras_that_use_it_alone_and_tested_at_one_version() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert [line for line in extras["test"] if line.startswith("torch")] == ["torch==2.13.0"]
    others = [line for name in extras for line in extras[name] if name not in ("test", "train")]
    others += PROJECT["project"]["dependencies"]
    assert not [line for line in others if line.startswith("torch")]
    assert pins()["torch"] == "2.13.0"


@pytest.mark.parametrize("path", sorted(filter(Path.is_file, (ROOT / "scripts").iterdir())), ids=lambda path: path.name)
def test_scripts_can_be_run_and_parse(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert path.stat().st_mode & 0o111, "not executable"
    assert first in ("#!/bin/sh", "#!/usr/bin/env python3")
    if first == "#!/bin/sh":
        subprocess.run(["/bin/sh", "-n", str(path)], check=True, timeout=10)


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")
