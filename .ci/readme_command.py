"""Prints the command of README.md that sets up a virtual environment and runs the given word in it.

    python3 .ci/readme_command.py pytest

So the gate runs what a newcomer reads, and a command that stops to work in the README stops to work here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def command(readme: str, word: str) -> str:
    """The first shell block with both `venv` and the word, without prompts and comments."""
    for block in re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL):
        lines = [line.removeprefix("$ ") for line in block.splitlines() if line.strip() and not line.startswith("#")]
        text = "\n".join(lines)
        if "venv" in text and re.search(rf"\b{re.escape(word)}\b", text):
            return text
    raise SystemExit(f"README.md has no ```sh block with venv and {word}; write the command there")


if __name__ == "__main__":
    print(command((Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8"), sys.argv[1]))
