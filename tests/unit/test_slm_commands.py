"""The commands that serve a small model and see how it does."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from palimpsest.core.errors import SettingsError, TextModelError
from palimpsest.server.cli import build_parser
from palimpsest.server.commands import slm, slm_serve, slm_status
from palimpsest.server.commands.doctor import check_small_model
from palimpsest.server.settings import Settings

from ..contract.vllm_server import Vllm, serve


async def run(settings: Settings, *words: str) -> int:
    return await slm.run(settings, build_parser().parse_args(["slm", *words]))


async def test_without_a_small_model_the_status_says_how_to_set_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(Settings(), "status") == 0
    assert "PALIMPSEST_SLM_BASE_URL" in capsys.readouterr().out
    assert await check_small_model(Settings()) == "none is set"


async def test_the_status_says_that_it_generates_what_is_served_and_how_it_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    vllm = Vllm(adapters={"slm-mine-v0001": "/adapters/slm-mine-v0001"})
    with serve(vllm) as address:
        settings = Settings(slm_base_url=f"{address}/v1", slm_model="slm", slm_api_key=SecretStr("k"))
        assert await run(settings, "status") == 0
        told = capsys.readouterr().out
        assert "generates: yes" in told
        assert "by completions; its own tokenizer counts; window 2,048" in told
        assert "served: slm-mine-v0001, an adapter of slm" in told
        assert "3 running, 4 waiting" in told
        assert "a token in" in await check_small_model(settings)
        vllm.answers = [500]
        assert await run(settings, "status") == 1
        assert "generates: no" in capsys.readouterr().out
        with pytest.raises(TextModelError, match="failing"):
            await check_small_model(settings)
        vllm.answers = ["good"]
        assert await run(settings.model_copy(update={"slm_model": "other"}), "status") == 1
        assert "The server has no model other" in capsys.readouterr().out
    assert await run(settings, "status") == 1
    told = capsys.readouterr().out
    assert "cannot be reached" in told
    assert "does not answer now" in told


async def test_a_server_that_hangs_is_not_waited_for_for_ever(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slm_status, "PATIENCE_SECONDS", 0.1)
    vllm = Vllm(answers=["hang"])
    with serve(vllm) as address:
        settings = Settings(slm_base_url=f"{address}/v1", slm_model="slm", slm_api_key=SecretStr("k"))
        assert await run(settings, "status") == 1
        vllm.released.set()
    assert "did not answer within 0.1 s" in capsys.readouterr().out


async def test_where_vllm_is_missing_serving_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    sys.path_importer_cache.clear()
    with pytest.raises(SettingsError, match=r"pip install 'palimpsest\[vllm\]'"):
        await run(Settings(), "serve")


PROGRAM = """
import json, os, signal, sys, time
kept = {name: os.environ.get(name) for name in ("VLLM_API_KEY", "PALIMPSEST_DATABASE_URL", "DO_NOT_TRACK")}
print(json.dumps({"arguments": sys.argv[1:], "environment": kept}), flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "--stubborn" in sys.argv else lambda *_: sys.exit(0))
open(os.environ["READY"], "w").close()
while "--stay" in sys.argv:
    time.sleep(0.02)
sys.exit(3)
"""


@pytest.fixture
def vllm_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that answers to vLLM's name, and the file that it makes when it runs."""
    package = tmp_path / "vllm" / "entrypoints" / "openai"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    (package / "api_server.py").write_text(PROGRAM)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("READY", str(tmp_path / "ready"))
    monkeypatch.setenv("PALIMPSEST_DATABASE_URL", "postgresql://a-secret")
    return tmp_path / "ready"


async def test_serving_starts_vllm_on_loopback_with_a_key_and_says_what_to_set(
    vllm_here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = await run(Settings(), "serve", "--port", "8111", "--window", "4096", "--quantization", "8-bit")
    assert code == 3, "its own exit code"
    out, err = capfd.readouterr()
    told = json.loads(out)
    arguments, environment = told["arguments"], told["environment"]
    pairs = dict(pairwise(arguments))
    assert (pairs["--model"], pairs["--served-model-name"]) == ("microsoft/phi-2", "microsoft/phi-2")
    assert (pairs["--host"], pairs["--port"], pairs["--max-model-len"]) == ("127.0.0.1", "8111", "4096")
    assert pairs["--quantization"] == "fp8_per_tensor"
    assert json.loads(pairs["--structured-outputs-config"])["disable_any_whitespace"] is True
    assert "--enable-lora" in arguments
    key = environment["VLLM_API_KEY"]
    assert len(key) >= 24
    assert key not in arguments
    assert environment["PALIMPSEST_DATABASE_URL"] is None, "the database's password is none of vLLM's business"
    assert f"PALIMPSEST_SLM_API_KEY={key}" in err
    assert "PALIMPSEST_SLM_BASE_URL=http://127.0.0.1:8111/v1" in err


async def test_a_key_that_is_set_is_used_and_not_shown_and_a_signal_ends_the_server(
    vllm_here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(slm_api_key=SecretStr("a-key-of-my-own"), slm_model="some/model")
    serving = asyncio.create_task(run(settings, "serve", "--", "--stay"))
    async with asyncio.timeout(20):
        while not vllm_here.exists():
            await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await serving == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["environment"]["VLLM_API_KEY"] == "a-key-of-my-own"
    assert "a-key-of-my-own" not in err
    assert "PALIMPSEST_SLM_MODEL=some/model" in err


async def test_a_server_that_does_not_end_is_killed(
    vllm_here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slm_serve, "STOP_SECONDS", 0.1)
    serving = asyncio.create_task(run(Settings(), "serve", "--", "--stay", "--stubborn"))
    async with asyncio.timeout(20):
        while not vllm_here.exists():
            await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await serving == 0


@pytest.mark.parametrize(("quantization", "named"), [("8-bit", "fp8_per_tensor"), ("awq", "awq")])
def test_a_quantization_is_named_as_vllm_names_it(quantization: str, named: str) -> None:
    command = slm_serve.serve_command("m", port=1, window=2048, quantization=quantization, more=["--seed", "1"])
    assert command[command.index("--quantization") + 1] == named
    assert command[-2:] == ["--seed", "1"]
    assert "--quantization" not in slm_serve.serve_command("m", port=1, window=2048, quantization=None, more=[])
