"""The command: every file of the bundled model, the same bytes each time."""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from .forward import embed
from .graph import build_graph, quantise_model
from .packing import move_numbers_out
from .quantise import measure_ranges
from .weights import WINDOW, Weights, find_folder, load_weights

_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent
_SEPARATOR = "\n%%\n"
_DECIMALS = 4


def _export_tokenizer(folder: Path) -> str:
    # The published file pads every text to 128 tokens and cuts it there; both are the caller's business.
    fields = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    fields["padding"] = fields["truncation"] = None
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _embed_texts(weights: Weights, tokenizer: Tokenizer, texts: Sequence[str]) -> list[dict[str, object]]:
    vectors = [embed(weights, tokenizer.encode(text).ids) for text in texts]
    return [
        {"text": text, "vector": [round(float(value), _DECIMALS) + 0.0 for value in vector]}
        for text, vector in zip(texts, vectors, strict=True)
    ]


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def export(folder: Path) -> tuple[dict[str, bytes], bytes]:
    """Return the model's files by name, and the file of reference vectors for the fidelity test."""
    weights = load_weights(folder)
    tokenizer_json = _export_tokenizer(folder)
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(WINDOW)  # pyright: ignore[reportUnknownMemberType]
    passages = (_HERE / "calibration.txt").read_text(encoding="utf-8").split(_SEPARATOR)
    ranges = measure_ranges(weights, [tokenizer.encode(passage).ids for passage in passages])
    numbers = quantise_model(weights, ranges)
    models = build_graph(numbers, exact=False), build_graph(numbers, exact=True)
    blob = move_numbers_out(models, "minilm.weights")
    files = {
        "minilm.weights": blob,
        "minilm.onnx": models[0].SerializeToString(deterministic=True),
        "minilm-exact.onnx": models[1].SerializeToString(deterministic=True),
        "tokenizer.json": tokenizer_json.encode(),
    }
    texts = json.loads((_HERE / "texts.json").read_text(encoding="utf-8"))
    selfcheck = {
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "texts": _embed_texts(weights, tokenizer, texts["selfcheck"]),
    }
    files["selfcheck.json"] = _to_json(selfcheck).encode()
    return files, _to_json(_embed_texts(weights, tokenizer, texts["fidelity"])).encode()


def main() -> int:
    """Write the files and say how large they are."""
    parser = argparse.ArgumentParser(description="Build the bundled embedding model from the official weights.")
    parser.add_argument("--output", type=Path, default=_ROOT / "slm/embeddings/model", help="the model's folder")
    default = _ROOT / "tests/contract/embedder_reference.json"
    parser.add_argument("--reference", type=Path, default=default, help="vectors for the fidelity test")
    arguments = parser.parse_args()
    try:
        files, reference = export(find_folder())
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (arguments.output / name).write_bytes(content)
        print(f"{len(content):>12,} {hashlib.sha256(content).hexdigest()[:16]} {name}")
    arguments.reference.write_bytes(reference)
    return 0
