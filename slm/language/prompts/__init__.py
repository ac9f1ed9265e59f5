"""The instructions that language models get; each file's first line is its version."""

from importlib.resources import files


def read(name: str) -> tuple[str, str]:
    """Return an instruction's version and its text."""
    version, _, text = (
        files("palimpsest.slm.language.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8").partition("\n")
    )
    return version.removeprefix("<!--").removesuffix("-->").strip(), text.strip()
