"""Somebody who is signed in and uses the pages, for tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import factories
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from mediamanager.dependencies import Resources
from optout.store import db
from optout.store.models import Account


@dataclass(frozen=True)
class Signed:
    """Somebody signed in, as a test uses the pages in their name."""

    client: TestClient
    resources: Resources
    account: UUID
    headers: dict[str, str]

    def look(self, path: str, language: str = "en", status: int = 200) -> str:
        answer = self.client.get(path, headers={**self.headers, "Accept-Language": language})
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, path: str, **form: Any) -> Any:
        return self.client.post(path, data=form, headers=self.headers)

    def sent(self, path: str, **form: Any) -> str:
        """Send a form that is taken; where the browser goes on to."""
        answer = self.send(path, **form)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def within(self, do: Callable[[Session], Any]) -> Any:
        """Do something beside the pages, in a transaction of its own."""
        with db.transaction(self.resources.sessions) as session:
            return do(session)

    def work(self, seed: int) -> str:
        return str(self.within(lambda s: factories.make_work(s, s.get_one(Account, self.account), seed=seed).id))

    def album(self, name: str, *works: str) -> str:
        """Make an album by the form; its id."""
        made = self.sent("/collections", kind="album", name=name).partition("?")[0].rpartition("/")[2]
        if works:
            self.sent(f"/collections/{made}/works", work=list(works))
        return made
