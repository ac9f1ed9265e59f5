"""Makes a tiny language model with random weights in a folder: run as a program, for it imports torch.

    python tiny_model.py FOLDER

A Phi of two layers and 0.8 million parameters, with a byte-level tokenizer trained on the standard library's sources.
"""

import importlib
import sys
import sysconfig
from itertools import islice
from pathlib import Path

TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"


def make(folder: Path, template: str | None = TEMPLATE) -> None:
    """Write model and tokenizer, without a chat template where ``template`` is None."""
    torch, transformers = (importlib.import_module(name) for name in ("torch", "transformers"))
    tokenizers = importlib.import_module("tokenizers")
    folder.mkdir(parents=True, exist_ok=True)
    sources = islice(sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")), 60)
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train([str(path) for path in sources], vocab_size=2048, special_tokens=["<|endoftext|>"])
    trained.save(str(folder / "tokenizer.json"))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        model_max_length=2048,
    )
    if template is not None:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.PhiConfig(
        vocab_size=2048,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=2048,
        initializer_range=0.08,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    transformers.PhiForCausalLM(config).save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
