"""The gallery of pitfalls in JupyterLab, which has styles of its own for what stands in an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .jupyter import Notebook

pytestmark = pytest.mark.browser

CELL = """
from dicomlab import teach
teach.gallery("missing_slice", live=False, progress=False)
"""


class Cards(Notebook):
    """A notebook with cards."""

    root = "document.querySelector('.dicomlab .pit')"


def test_what_a_card_tells_is_named_in_one_line_beside_it(open_notebook: Callable[..., Notebook]) -> None:
    book = open_notebook("gallery", CELL, kind=Cards)
    book.wait("root !== null", timeout=30000)
    book.screenshot("gallery", whole=True)
    for term in book.page.locator(".pit .term").all():
        name, said = term.bounding_box(), term.locator("xpath=following-sibling::*[1]").bounding_box()
        assert name
        assert said
        assert (
            term.evaluate(
                "one => { const range = document.createRange(); range.selectNodeContents(one);"
                " return new Set([...range.getClientRects()].map(({ top }) => top)).size; }"
            )
            == 1
        )
        assert said["x"] > name["x"] + name["width"]
        assert abs(said["y"] - name["y"]) < 2
