"""What several test files share."""

from __future__ import annotations

import pytest

from dicomlab import phantom


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory):
    """The phantom's study in its default sizes, written once; treat it as read-only."""
    return phantom.write_study(tmp_path_factory.mktemp("phantom"))
