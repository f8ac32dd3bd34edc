"""The explorer of a file in JupyterLab: both sides hear of each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .jupyter import Notebook

pytestmark = pytest.mark.browser

CELL = """
from dicomlab import phantom, teach
dataset = phantom.ct_datasets(phantom.ct_truth(phantom.CT_PET_FRAME, (1, 16, 16), "axial"))[0]
explorer = teach.explore_file(dataset)
explorer
"""


class Explored(Notebook):
    """A notebook with an explorer."""

    root = "document.querySelector('.dl-explorer')"


def test_a_row_chosen_in_the_page_is_chosen_in_python_and_the_other_way(
    open_notebook: Callable[..., Notebook],
) -> None:
    book = open_notebook("file-explorer", CELL, kind=Explored)
    book.wait("root.dataset.ready === 'true'", timeout=30000)
    book.run("explorer.select('Rows')")
    book.wait("root.querySelector('.dl-tagrow[aria-selected=true] .dl-tagname')?.textContent === 'Rows'")
    book.page.locator(".dl-tags").focus()
    book.page.keyboard.press("ArrowDown")
    book.synced("explorer.selected['keyword']", "Columns")
    # Letters typed there are no commands of the notebook, which would delete the cell.
    book.page.keyboard.type("dd")
    assert book.page.locator(".jp-CodeCell").count() == 2
    assert book.errors == []
