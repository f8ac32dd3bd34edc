"""Walks through a notebook of the course as a learner does who tries every exercise, and then looks at its solution."""

from __future__ import annotations

import re

import nbformat

_SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n\n```python\n(?P<code>.*?)\n```\n\n</details>", re.DOTALL
)
_TRIED = """
_names = dict(globals())
exec({code!r}, _names)
print("solution:", repr(_names["dl"].teach.check_exercise({number!r}, _names["answer"])))
"""


def exercises(node: nbformat.NotebookNode) -> dict[str, str]:
    """Return the code of the folded solution of each exercise, by its number."""
    found = {}
    for cell in node.cells:
        if cell.cell_type == "markdown" and cell.id.startswith("solution-"):
            match = _SOLUTION.fullmatch(cell.source)
            assert match, f"{cell.id} is no folded solution"
            found[cell.id.removeprefix("solution-").replace("-", ".")] = match["code"]
    return found


def walked(node: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return the notebook as it is run: behind each exercise a cell that runs the folded solution.

    It runs in a copy of the names that are there, so that no later cell can lean on it. At the end all solutions run once more,
    one after another among the names of the whole chapter: so does somebody who runs all cells first and solves afterwards.
    """
    solutions = exercises(node)
    cells = []
    for cell in node.cells:
        cells.append(cell)
        if cell.cell_type == "code":
            number = cell.id.removeprefix("answer-").replace("-", ".")
            if cell.id.startswith("answer-"):
                tried = _TRIED.format(code=solutions[number], number=number)
                cells.append(nbformat.v4.new_code_cell(tried, id=f"tried-{number.replace('.', '-')}"))
    late = [
        nbformat.v4.new_code_cell(
            f"{code}\nprint('solution:', repr(dl.teach.check_exercise({number!r}, answer)))",
            id=f"late-{number.replace('.', '-')}",
        )
        for number, code in solutions.items()
    ]
    # Chapter 13 closes its archive, and says itself that its exercises need it open.
    end = next((k for k, cell in enumerate(cells) if cell.id == "close"), len(cells))
    node.cells = [*cells[:end], *late, *cells[end:]]
    return node
