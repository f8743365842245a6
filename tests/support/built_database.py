"""A database that the migrations have built, copied: quicker than to build it for each test."""

import shutil
from pathlib import Path

from optout.store.settings import Settings


def copy(template: Path, settings: Settings) -> Settings:
    """Put a copy of the SQLite file `template` where settings look for their database; the same settings."""
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, path)
    return settings
