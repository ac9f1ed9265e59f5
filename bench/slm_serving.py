"""A tiny model, and a real vLLM that serves it, both by an environment of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MAKER = Path(__file__).parents[1] / "tests" / "e2e" / "tiny_model.py"
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "true",
}


def make_tiny(python: str, folder: Path) -> Path:
    """Make a tiny Phi with random weights, and return where it is."""
    model = folder / "tiny-phi"
    environment = {**os.environ, **_QUIET, "PYTHONWARNINGS": "ignore"}
    subprocess.run([python, str(MAKER), str(model)], check=True, env=environment, cwd=folder, capture_output=True)
    return model


@contextmanager
def serving(python: str, model: Path, adapters: Path) -> Generator[str]:
    """Serve the model as ``slm`` with room for adapters, and give the address after a while."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--served-model-name", "slm"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--max-model-len", "2048"]
    command += ["--enforce-eager", "--max-num-seqs", "8", "--enable-lora", "--max-lora-rank", "16", "--max-loras", "2"]
    command += ["--api-key", "key"]
    with (adapters.parent / "vllm.log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **_QUIET}, cwd=model.parent, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, adapters.parent / "vllm.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 1800.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])
