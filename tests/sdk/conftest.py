"""What tests of the matrix are handed."""

import pytest
from callers import CALLERS

CLIENTS = {}


@pytest.fixture
def caller(dialect):
    """One client for each dialect, as programs have: its connections are used again."""
    if dialect not in CLIENTS:
        CLIENTS[dialect] = CALLERS[dialect]()
    return CLIENTS[dialect]
