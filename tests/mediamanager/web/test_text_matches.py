"""What a page says of a text that runs along a work's: characters of the one, seconds of the other, and why."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from signed_in import Signed
from sqlalchemy.orm import Session
from synthetic_media import prose

from fingerprinting.extract import extract
from optout.registry import works

Signs = Callable[..., Signed]


def captions(words: str) -> str:
    """A video in which ten words are said every four seconds."""
    said = words.split()
    cues = [" ".join(said[at : at + 10]) for at in range(0, len(said), 10)]
    return "WEBVTT\n\n" + "\n".join(
        f"{4 * n // 60:02}:{4 * n % 60:02}.000 --> {(4 * n + 4) // 60:02}:{(4 * n + 4) % 60:02}.000\n{cue}\n"
        for n, cue in enumerate(cues)
    )


def registered(owner: Signed, path: Path) -> str:
    def register(session: Session) -> UUID:
        return works.register_fingerprints(session, account_id=owner.account, extraction=extract(path)).work.id

    return str(owner.within(register))


def checked(asker: Signed, text: str) -> str:
    files = {"file": ("page.txt", text.encode(), "text/plain")}
    answer = asker.client.post("/check", data={"use": "train-genai"}, files=files, headers=asker.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_text_that_runs_along_a_video_is_told_with_the_seconds_of_the_video(signs: Signs, tmp_path: Path) -> None:
    ann, bob = signs(), signs()
    video, before, after = prose(1, 600), prose(2, 100), prose(3, 100)
    (tmp_path / "video.vtt").write_text(captions(video))
    registered(ann, tmp_path / "video.vtt")

    page = checked(bob, f"{before} {' '.join(video.split()[150:300])} {after}")

    assert "It shows the same work." in page
    assert "from 1:00 to 2:00" in page or "from 1:01 to 2:00" in page
    assert "Its owner does not show the words." in page


def test_a_quotation_says_that_it_is_one(signs: Signs, tmp_path: Path) -> None:
    ann, bob = signs(), signs()
    video = prose(1, 600)
    (tmp_path / "video.vtt").write_text(captions(video))
    registered(ann, tmp_path / "video.vtt")

    page = checked(bob, f"{prose(2, 100)} {' '.join(video.split()[150:190])} {prose(3, 100)}")

    assert "It may show the same work: a person should look." in page
    assert "takes less than about 20 seconds to say" in page
