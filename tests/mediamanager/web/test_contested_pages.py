"""Every page of a claim says that somebody else says something else about the same, as long as they do."""

from collections.abc import Callable
from html import unescape

import pytest
from signed_in import Signed

Signs = Callable[..., Signed]

ON_THE_WORK = ("Somebody else registered the same and says something else.", "et dit autre chose")
ON_MORE = ("Somebody else registered one of these works, too", "Quelqu'un d'autre a aussi enregistré une de ces œuvres")


@pytest.mark.parametrize("scope", ["work", "collection", "default"])
def test_a_claim_is_shown_as_contested_until_both_say_the_same(signs: Signs, scope: str) -> None:
    ann, bob = signs(), signs()
    work, theirs = ann.work(1), bob.work(1)
    album = ann.album("Blue", work)
    page = {"work": f"/works/{work}", "collection": f"/collections/{album}", "default": "/account/change"}[scope]
    form = page if scope == "default" else f"{page}/change"
    told = ON_THE_WORK if scope == "work" else ON_MORE
    ann.sent(form, preset="no-ai")
    assert told[0] not in ann.look(page)

    bob.sent("/account/change", preset="all-welcome")
    for path in {page, form}:
        assert told[0] in ann.look(path)
        assert told[1] in unescape(ann.look(path, "fr"))
    assert ON_MORE[0] in bob.look("/account/change")
    bob.sent(f"/works/{theirs}/change", preset="no-ai")
    for path in {page, form}:
        assert told[0] not in ann.look(path)
    assert ON_MORE[0] not in bob.look("/account/change")
