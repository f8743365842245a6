"""How long tests wait for what has to come: it ends a test that hangs, and measures nothing."""

from typing import Final

SECONDS: Final = 120.0
MILLISECONDS: Final = SECONDS * 1000
