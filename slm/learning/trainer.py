"""Trains a LoRA adapter in a process of its own: a program that imports nothing of Palimpsest, for torch is heavy.

    python -P trainer.py RUN_FOLDER

The folder holds ``spec.json`` (see ``Spec``), ``train.jsonl`` (rows with ``completion``, and ``prompt`` or
``messages``) and ``eval.jsonl`` (those with ``id``, ``kind``, ``split`` and ``sampled`` besides). Beside them it
writes ``progress.json`` while it works, then ``adapter/`` and ``result.json``. It ends when its standard input does.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ABANDONED = 3
"""The exit code when nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is trained, and how; ``active`` is the folder of the adapter that answers now."""

    base_model: str
    active: str | None = None
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    learning_rate: float = 2e-4
    epochs: float = 2.0
    batch: int = 8
    max_length: int = 2048
    answer_tokens: int = 256
    targets: str | list[str] = "all-linear"
    dtype: str = "auto"
    seed: int = 0
    probes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class Run:
    """A folder with what one training reads and writes."""

    def __init__(self, folder: Path) -> None:
        """Read what is to be done."""
        self.folder = folder
        self.spec = Spec(**json.loads((folder / "spec.json").read_text(encoding="utf-8")))
        self.train = self._rows("train")
        self.eval = self._rows("eval")

    def _rows(self, name: str) -> list[dict[str, Any]]:
        # Not splitlines: a text may hold characters that it takes for ends of lines.
        lines = (self.folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def tell(self, stage: str, done: int = 0, of: int = 0) -> None:
        """Say how far it is."""
        self.write("progress", {"stage": stage, "done": done, "of": of, "at": time.time()})

    def write(self, name: str, value: object) -> None:
        """Write JSON so that a reader sees all of it or nothing."""
        path = self.folder / f"{name}.json"
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(value), encoding="utf-8")
        fresh.replace(path)


class Learner:
    """A model and its tokenizer: what it makes of the rows, before and after training."""

    def __init__(self, run: Run) -> None:
        """Load the base model."""
        self.run = run
        self.torch, self.peft, transformers = (
            importlib.import_module(name) for name in ("torch", "peft", "transformers")
        )
        transformers.set_seed(run.spec.seed)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(run.spec.base_model)
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        cuda = bool(self.torch.cuda.is_available())
        dtype = run.spec.dtype if run.spec.dtype != "auto" else "bfloat16" if cuda else "float32"
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            run.spec.base_model, dtype=getattr(self.torch, dtype)
        )
        self.model.to("cuda" if cuda else "cpu")

    def fits(self, row: dict[str, Any]) -> bool:
        """Say whether a row goes into the window whole: a cut one would teach to stop in the middle."""
        return sum(map(len, self.encoded(row))) <= self.run.spec.max_length

    def encoded(self, row: dict[str, Any]) -> tuple[list[int], list[int]]:
        """Return the tokens of a row's prompt and of its completion with its end."""
        prompt = self.tokenizer(self.asked(row))["input_ids"]
        answer = self.tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        return prompt, [*answer, self.tokenizer.eos_token_id]

    def asked(self, row: dict[str, Any]) -> str:
        """Return what the model is asked: a text as it is, or turns in the model's own chat form."""
        if "prompt" in row:
            return str(row["prompt"])
        return str(self.tokenizer.apply_chat_template(row["messages"], tokenize=False, add_generation_prompt=True))

    def losses(self, model: Any, rows: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
        """Return for each row the sum of the negative log-likelihoods of its completion's tokens, and their number."""
        model.eval()
        found: list[dict[str, Any]] = []
        for place, row in enumerate(rows):
            if place % 8 == 0:
                self.run.tell(stage, place, len(rows))
            prompt, answer = self.encoded(row)
            tokens = self.torch.tensor([prompt + answer], device=model.device)
            with self.torch.no_grad():
                logits = model(input_ids=tokens).logits[0, len(prompt) - 1 : -1].float()
            nll = self.torch.nn.functional.cross_entropy(logits, tokens[0, len(prompt) :], reduction="sum")
            found.append({"id": row["id"], "nll": float(nll), "tokens": len(answer)})
        return found

    def answers(self, model: Any, rows: list[dict[str, Any]], stage: str) -> list[str]:
        """Return what the model says, always taking the likeliest token."""
        model.eval()
        said: list[str] = []
        for place, row in enumerate(rows):
            self.run.tell(stage, place, len(rows))
            given = self.tokenizer(self.asked(row), return_tensors="pt").to(model.device)
            with self.torch.no_grad():
                made = model.generate(
                    **given,
                    max_new_tokens=self.run.spec.answer_tokens,
                    do_sample=False,
                    pad_token_id=self.tokenizer.pad_token_id,
                )
            said.append(self.tokenizer.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True))
        return said

    def measured(self, model: Any, rows: list[dict[str, Any]], who: str) -> dict[str, Any]:
        """Return a model's losses, and its answers to the rows that are sampled and to the probes."""
        sampled = [row for row in rows if row.get("sampled")]
        said = self.answers(model, sampled, f"asking {who}")
        return {
            "losses": self.losses(model, rows, f"measuring {who}"),
            "said": {str(row["id"]): text for row, text in zip(sampled, said, strict=True)},
            "probes": self.answers(model, self.run.spec.probes, f"probing {who}"),
        }

    def trained(self, rows: list[dict[str, Any]]) -> tuple[Any, list[float]]:
        """Return the model with its new adapter, and the loss of each step."""
        trl, datasets = (importlib.import_module(name) for name in ("trl", "datasets"))
        spec, run = self.run.spec, self.run
        callback = importlib.import_module("transformers").TrainerCallback
        losses: list[float] = []

        class Heartbeat(callback):  # type: ignore[misc, valid-type]
            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                run.tell("training", state.global_step, state.max_steps)

            def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
                if logs and "loss" in logs:
                    losses.append(float(logs["loss"]))

        trainer = trl.SFTTrainer(
            model=self.model,
            processing_class=self.tokenizer,
            train_dataset=datasets.Dataset.from_list(
                [{"prompt": self.asked(row), "completion": row["completion"]} for row in rows]
            ),
            peft_config=self.peft.LoraConfig(
                r=spec.rank,
                lora_alpha=spec.alpha,
                lora_dropout=spec.dropout,
                target_modules=spec.targets,
                task_type="CAUSAL_LM",
            ),
            args=trl.SFTConfig(
                output_dir=str(run.folder / "steps"),
                num_train_epochs=spec.epochs,
                per_device_train_batch_size=spec.batch,
                learning_rate=spec.learning_rate,
                max_length=spec.max_length,
                completion_only_loss=True,
                gradient_checkpointing=bool(self.torch.cuda.is_available()),
                bf16=str(self.model.dtype) == "torch.bfloat16",
                use_cpu=not self.torch.cuda.is_available(),
                save_strategy="no",
                logging_steps=1,
                report_to="none",
                disable_tqdm=True,
                seed=spec.seed,
            ),
            callbacks=[Heartbeat()],
        )
        trainer.train()
        return trainer.model, losses


def train(folder: Path) -> None:
    """Measure, train, measure again, and write what came of it."""
    started, run = time.monotonic(), Run(folder)
    run.tell("loading")
    learner = Learner(run)
    rows, held = ([row for row in given if learner.fits(row)] for given in (run.train, run.eval))
    base = learner.measured(learner.model, held, "the base")
    active = None
    if run.spec.active is not None:
        with_active = learner.peft.PeftModel.from_pretrained(learner.model, run.spec.active)
        active = learner.measured(with_active, held, "the active adapter")
        learner.model = with_active.unload()
    run.tell("training")
    model, steps = learner.trained(rows)
    candidate = learner.measured(model, held, "the new adapter")
    run.tell("saving")
    model.save_pretrained(str(folder / "adapter"), safe_serialization=True)
    run.write(
        "result",
        {
            "base": base,
            "active": active,
            "candidate": candidate,
            "rows": len(rows),
            "too_long": len(run.train) - len(rows) + len(run.eval) - len(held),
            "steps": len(steps),
            "losses": steps,
            "seconds": time.monotonic() - started,
            "libraries": {
                name: importlib.import_module(name).__version__ for name in ("torch", "transformers", "peft", "trl")
            },
        },
    )


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock this thread would hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    os._exit(ABANDONED)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    train(Path(sys.argv[1]))
