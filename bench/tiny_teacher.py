"""Teaches a tiny Phi a few answers: run as a program in an environment with torch and transformers.

    PYTHONPATH=tests/e2e python bench/tiny_teacher.py FOLDER LESSONS STEPS

``LESSONS`` is a JSON list of pairs, a prompt and what is to be said to it. Nothing of this package is imported, for
that environment need not have it.
"""

import importlib
import json
import sys
from pathlib import Path

MOST_PROMPT_TOKENS = 1500


def teach(folder: Path, lessons: list[tuple[str, str]], steps: int) -> None:
    """Make the model, teach it, and write it to the folder."""
    torch, transformers, tiny = (importlib.import_module(name) for name in ("torch", "transformers", "tiny_model"))
    tiny.make(folder, template=None)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    rows: list[tuple[list[int], list[int]]] = []
    for prompt, answer in lessons:
        asked = tokenizer(prompt)["input_ids"][-MOST_PROMPT_TOKENS:]
        said = [*tokenizer(answer)["input_ids"], tokenizer.eos_token_id]
        rows.append((asked + said, [-100] * len(asked) + said))
    for step in range(steps):
        ids, labels = rows[step % len(rows)]
        loss = model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss
        loss.backward()
        if step % 2:
            optimizer.step()
            optimizer.zero_grad()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step}: {len(ids)} tokens, loss {loss.item():.3f}", flush=True)
    model.save_pretrained(folder)


if __name__ == "__main__":
    teach(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), int(sys.argv[3]))
