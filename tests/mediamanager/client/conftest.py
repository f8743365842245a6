"""A run of the filter over a folder, and what it asks."""

from pathlib import Path

import pytest

from mediamanager.client.filter.choices import Choices
from mediamanager.client.filter.run import Job
from mediamanager.client.offline import Catalogue
from mediamanager.client.questions import Question
from optout.consent.vocabulary import Use


@pytest.fixture
def job(inbox: Path, tmp_path: Path) -> Job:
    return Job(
        source=inbox,
        output=tmp_path / "out",
        question=Question(Use.TRAIN_GENAI),
        choices=Choices(),
        fields={},
    )


@pytest.fixture
def sources(catalogue: Path) -> list[Catalogue]:
    return [Catalogue.open(catalogue)]
