"""What a text is, from what is said of it and from its shape."""

from pathlib import PurePath

from ..models import Kind
from .shapes import shape_of

_WORDS: dict[Kind, str] = {
    "prose": "markdown md x-markdown rst x-rst asciidoc latex tex prose article documentation docs document note "
    "notes paper report email book essay readme rtf",
    "code": "code source frontend backend script python x-python javascript x-javascript ecmascript typescript "
    "x-typescript jsx tsx java x-java c x-c cpp x-c++ csharp x-csharp go x-go golang rust x-rust ruby x-ruby php "
    "x-php kotlin swift scala perl lua r sql x-sql shell sh x-sh bash zsh powershell css scss less html xml svg "
    "xhtml+xml vue svelte yaml x-yaml yml toml ini dockerfile makefile terraform proto graphql diff x-diff patch "
    "config configuration snippet",
    "conversation": "conversation chat dialogue dialog transcript meeting messages thread interview",
    "json": "json jsonl ndjson x-ndjson json5 geojson ld+json vnd.api+json",
    "table": "csv tsv tab-separated-values table spreadsheet x-csv",
    "log": "log logs x-log trace traceback stacktrace",
}
_ENDINGS: dict[Kind, str] = {
    "prose": "md markdown mdx rst adoc tex org textile",
    "code": "py pyi pyw js mjs cjs jsx ts mts cts tsx java kt kts scala groovy c h cc cpp cxx hh hpp hxx m mm cs go "
    "rs rb php pl pm lua r jl swift dart ex exs erl hs ml mli clj cljs lisp el vim sh bash zsh fish ps1 bat cmd sql "
    "css scss sass less html htm xml xsd xsl svg vue svelte yaml yml toml ini cfg conf properties gradle cmake mk "
    "tf proto graphql gql diff patch asm s v vhd sol nim zig",
    "conversation": "chat transcript vtt srt",
    "json": "json jsonl ndjson json5 geojson ipynb webmanifest",
    "table": "csv tsv",
    "log": "log",
}
_BY_WORD: dict[str, Kind] = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_BY_ENDING: dict[str, Kind] = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_CODE_NAMES = frozenset({"dockerfile", "makefile", "rakefile", "gemfile", "jenkinsfile", "cmakelists.txt"})


def tell_kind(text: str, content_type: str, title: str | None) -> Kind:
    """Return the kind that the content type names, else the title's ending, else the text's shape."""
    return _by_type(content_type) or _by_title(title) or shape_of(text)


def _by_type(content_type: str) -> Kind | None:
    words = content_type.split(";", 1)[0].casefold().strip()
    for word in (words, words.rpartition("/")[2], words.rpartition("+")[2], *words.replace("-", " ").split()):
        if word in _BY_WORD:
            return _BY_WORD[word]
    return None


def _by_title(title: str | None) -> Kind | None:
    if not title:
        return None
    path = PurePath(title.strip())
    if path.name.casefold() in _CODE_NAMES:
        return "code"
    return _BY_ENDING.get(path.suffix.casefold())
