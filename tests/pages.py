"""What tests read in pages of Markdown: examples, which run, and links.

An example is a ```python block. It runs by itself, in a namespace of its own, so that a reader can copy any of them. A ```text
block that follows it at once is what it prints, to the letter; one without such a block prints nothing.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Example(NamedTuple):
    """A block of code in a page."""

    page: str
    line: int
    code: str
    output: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def run(self) -> str:
        """Run it; what it printed."""
        printed = io.StringIO()
        padding = "\n" * self.line  # so that a traceback names the line of the page
        code = compile(padding + self.code, self.page, "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, {"__name__": "__main__"})
        return printed.getvalue()


def examples(page: Path) -> list[Example]:
    """The examples of a page, in order."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    blocks = re.finditer(r"^```python\n(.*?)^```\n(?:^```text\n(.*?)^```\n)?", text, re.MULTILINE | re.DOTALL)
    return [Example(name, text.count("\n", 0, block.start()) + 1, block[1], block[2] or "") for block in blocks]


def broken_links(page: Path) -> list[str]:
    """Links to files of the repository that are not there."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", without_blocks(page.read_text(encoding="utf-8")))
    return [link for link in links if "://" not in link and not (page.parent / link).is_file()]


def without_blocks(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
