"""The bundled model's files: checked, loaded and proven on this processor before the first vector leaves."""

import hashlib
import importlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from ...core.errors import EmbedderError, ModelFileError
from .vectors import drop_surrogates

Variant = Literal["fast", "wide", "exact"]
"""``fast`` computes in 8 bits; ``wide`` does too, by slower instructions that cannot overflow; ``exact`` computes with
the same 8-bit weights in single precision."""

MODEL_FOLDER = Path(__file__).parent / "model"
WINDOW_TOKENS = 256
WINDOW_CHARACTERS = 32_768
"""Longer texts are cut before they are split into tokens: 256 of them, at most 100 letters each, end well before."""
LOWEST_COSINE = 0.998
"""Measured on the three texts: 0.9991 where the arithmetic is right, 0.9936 where 16-bit sums overflow (x86 with AVX2
but without VNNI)."""

_FORMS: tuple[tuple[Variant, str, Mapping[str, str]], ...] = (
    ("fast", "minilm.onnx", {}),
    # Not for every processor: it costs 1.7 times the time even where nothing overflows.
    ("wide", "minilm.onnx", {"session.x64quantprecision": "1"}),
    ("exact", "minilm-exact.onnx", {}),
)
_ORDER = tuple(variant for variant, *_ in _FORMS)
_SLOWER = (
    "The embedding model's fastest form computes inexactly on this processor (cosine {:.4f}); a slower one is used, "
    "which takes two to three times as long."
)
_LOG = logging.getLogger(__name__)


class _Encoding(Protocol):
    @property
    def ids(self) -> Sequence[int]: ...


class _Tokenizer(Protocol):
    def encode(self, sequence: str) -> _Encoding: ...


class _Session(Protocol):
    def run(self, output_names: None, input_feed: Mapping[str, Any]) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class MiniLM:
    """The loaded model; ``notes`` say what the user should know about it."""

    tokenizer: _Tokenizer
    session: _Session
    variant: Variant
    notes: tuple[str, ...] = ()

    def embed(self, text: str) -> list[float]:
        """Return the text's unit vector (384 numbers); what lies beyond 256 tokens is cut.

        Raises:
            EmbedderError: the runtime refused.
        """
        numpy = _import("numpy")
        try:
            ids = numpy.array([self.tokenizer.encode(drop_surrogates(text[:WINDOW_CHARACTERS])).ids], dtype=numpy.int64)
            vector: list[float] = self.session.run(None, {"input_ids": ids})[0][0].tolist()
        except Exception as error:  # The runtime's errors have no base of their own.
            raise EmbedderError("The bundled embedding model failed on a text.") from error
        return vector


def load_model(folder: Path = MODEL_FOLDER, *, first: Variant = "fast") -> MiniLM:
    """Load the model and compare what it computes with stored vectors; blocks for 0.1 to 0.2 s.

    The first form, from ``first`` on, that computes rightly on this processor is returned.

    Raises:
        ModelFileError: a file is missing or damaged.
        EmbedderError: no form of the model computes rightly here.
    """
    expected = _read_selfcheck(folder)
    tokenizer = _load_tokenizer(folder)
    notes: tuple[str, ...] = ()
    lowest = 0.0
    for variant, graph, options in _FORMS[_ORDER.index(first) :]:
        model = MiniLM(tokenizer, _open_session(folder / graph, options), variant, notes)
        if (lowest := _lowest_cosine(model, expected)) >= LOWEST_COSINE:
            for note in notes:
                _LOG.warning(note)
            _LOG.debug("The embedding model is loaded in its %s form.", variant)
            return model
        notes = (_SLOWER.format(lowest),)
    raise EmbedderError(
        f"The bundled embedding model computes wrongly on this processor (cosine {lowest:.4f} in its exact form); "
        "choose another with PALIMPSEST_EMBEDDER."
    )


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EmbedderError(f"The embedding model cannot run here: {name} cannot be imported ({error}).") from error


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(f"The bundled embedding model's file {what}; reinstall palimpsest.")


def _read_selfcheck(folder: Path) -> list[tuple[str, list[float]]]:
    """Check every file's SHA-256 (16 ms for all) and return the texts with their vectors."""
    try:
        fields = json.loads((folder / "selfcheck.json").read_text(encoding="utf-8"))
        digests: dict[str, str] = fields["sha256"]
        texts = [(str(entry["text"]), [float(value) for value in entry["vector"]]) for entry in fields["texts"]]
    except OSError as error:
        raise _damaged(f"selfcheck.json cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError) as error:
        raise _damaged("selfcheck.json is damaged") from error
    for name, expected in digests.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _damaged(f"{name} cannot be read ({error.strerror})") from error
        if found != expected:
            raise _damaged(f"{name} is damaged (its SHA-256 differs)")
    return texts


def _load_tokenizer(folder: Path) -> _Tokenizer:
    package = _import("tokenizers")
    try:
        tokenizer = package.Tokenizer.from_file(os.fspath(folder / "tokenizer.json"))
    except Exception as error:  # The library raises nothing narrower.
        raise _damaged("tokenizer.json cannot be understood") from error
    tokenizer.enable_truncation(WINDOW_TOKENS)
    checked: _Tokenizer = tokenizer
    return checked


def _open_session(path: Path, entries: Mapping[str, str]) -> _Session:
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    for key, value in {"session.intra_op.allow_spinning": "0", **entries}.items():
        options.add_session_config_entry(key, value)
    try:
        session: _Session = runtime.InferenceSession(
            os.fspath(path),
            options,
            providers=["CPUExecutionProvider"],
            # The fused operator is slower than its parts: 1.3 instead of 1.0 ms for a query.
            disabled_optimizers=["SkipLayerNormFusion"],
        )
    except Exception as error:  # The runtime's errors have no base of their own.
        raise _damaged(f"{path.name} cannot be loaded") from error
    return session


def _lowest_cosine(model: MiniLM, expected: Sequence[tuple[str, Sequence[float]]]) -> float:
    numpy = _import("numpy")
    cosines: list[float] = []
    for text, vector in expected:
        reference = numpy.asarray(vector)
        cosines.append(float(reference @ numpy.asarray(model.embed(text)) / numpy.linalg.norm(reference)))
    return min(cosines)
