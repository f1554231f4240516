"""The pages as the definitions make them."""

from __future__ import annotations

import pytest

from dashboards import components
from dashboards.words import Json


@pytest.fixture(scope="session")
def pages() -> dict[str, Json]:
    """Every page, by uid; not to be changed."""
    return components.pages(components.definitions())
