"""Registering works: files, links and one choice, in one form."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from fingerprinting.errors import FingerprintingError
from mediamanager import multipart
from mediamanager.api import uploads
from mediamanager.dependencies import CallerDep, ReadingDep, Resources, ResourcesDep, unit_of_work
from mediamanager.web import pages, sentences
from mediamanager.web.creator import choice, inheriting
from mediamanager.web.creator.choice import Choice
from mediamanager.web.creator.inheriting import Inheriting
from mediamanager.web.language import language_of
from optout.consent import youtube_links
from optout.errors import InvalidInputError, NotFoundError
from optout.registry import claims, collections, listings, showing, works
from optout.registry.accounts import Principal
from optout.registry.works import Registered
from optout.store import db
from optout.store.models.collections import Collection

router = APIRouter(route_class=pages.PageRoute, include_in_schema=False)

MAX_FILES: Final = 200
MAX_LINKS: Final = 200
_MAX_FIELDS: Final = 40
_MAX_FIELD_BYTES: Final = 500_000
"""Of everything in a form that is no file, which is held in memory; 200 long links fit."""
_FILE_FIELDS: Final = frozenset({"files", "file"})
_REPEATED_FIELDS: Final = frozenset({"files", "work"})

_MAX_NAME: Final = 60
"""Characters of a name that an address of ours carries on."""
_MAX_NAMED: Final = 20
"""Things that could not be taken, of which it says so: a server reads no address of more than 64 KiB."""


async def form_of(request: Request) -> AsyncIterator[FormData]:
    """The form of a request, its files closed afterwards.

    Raises:
        RefusedRequestError: it can't be read, or says twice what can be said once, such as a choice.
    """
    async with request.form(max_files=MAX_FILES, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES) as form:
        multipart.check_names(form, files=_FILE_FIELDS, several=_REPEATED_FIELDS)
        yield form


FormDep = Annotated[FormData, Depends(form_of)]


@dataclass(slots=True)
class _Taken:
    """What came of one form: the works, in order, and what could not be taken, with why."""

    works: list[UUID] = field(default_factory=list)
    listings: list[UUID] = field(default_factory=list)
    refused: list[tuple[str, InvalidInputError | FingerprintingError]] = field(default_factory=list)


@router.get("/works/new")
def new_works(request: Request, session: ReadingDep, creator: CallerDep, collection: UUID | None = None) -> Response:
    """Ask for files or links, and for one choice; for a collection, if one is named."""
    return _form(request, _offer(request, session, creator, collection), None, {})


@router.post("/works/new")
def register_works(request: Request, resources: ResourcesDep, creator: CallerDep, form: FormDep) -> Response:
    """Register what was sent; each work with its claim in one transaction, so that one bad file harms no other."""
    with db.reading(resources.sessions) as session:  # not for as long as files are taken
        offer = _offer(request, session, creator, _collection(form))
    files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    links = [line.strip() for line in str(form.get("links", "")).splitlines() if line.strip()]
    try:
        said = choice.read_or_inherit(form, pages.words(request))
    except choice.UnusableChoiceError as error:
        again = pages.words(request).gettext("Choose your files once more: a browser does not keep them.")
        return _form(request, offer, form, {**error.problems, **({"files": again} if files else {})})
    if not files and not links:
        return _form(request, offer, form, {"files": pages.words(request).gettext("Choose a file or paste a link.")})
    if len(links) > MAX_LINKS:
        problems = {"links": pages.words(request).gettext("Paste at most 200 links at a time.")}
        return _form(request, offer, form, problems)
    sender = _Sender(resources, creator.account_id, said, offer.collection, **_keeping(form))
    taken = _Taken()
    items: list[UploadFile | str] = [*files, *links]
    for item in items:
        name = item if isinstance(item, str) else item.filename or ""
        try:
            if isinstance(item, str) and youtube_links.source_of(item) is not None:
                taken.listings.append(sender.listing(item))
            else:
                taken.works.append(sender.link(item) if isinstance(item, str) else sender.file(item))
        except (InvalidInputError, FingerprintingError) as error:
            taken.refused.append((name, error))
    if len(taken.listings) == 1 and not taken.works and not taken.refused:
        return pages.see_other(f"/listings/{taken.listings[0]}")
    if not taken.works and not taken.listings:
        words = pages.words(request)
        return _form(request, offer, form, {}, [(name, sentences.error(error, words)) for name, error in taken.refused])
    asked = [("work", str(work)) for work in dict.fromkeys(taken.works)]
    asked += [("listing", str(one)) for one in dict.fromkeys(taken.listings)]
    named = taken.refused[:_MAX_NAMED]
    asked += [("refused", f"{sentences.refusal_code(error)} {name[:_MAX_NAME]}") for name, error in named]
    if len(taken.refused) > len(named):
        asked.append(("more", str(len(taken.refused) - len(named))))
    return pages.see_other(f"/works/added?{urlencode(asked)}")


@dataclass(frozen=True, slots=True)
class _Sender:
    """Takes one item of a form: the work, its collection and what is said about it, in one transaction."""

    resources: Resources
    account_id: UUID
    said: Choice | None
    collection: Collection | None
    keep_media: bool
    show_media: bool
    sound: bool

    def file(self, upload: UploadFile) -> UUID:
        """Register an uploaded file; its work's id."""
        resources = self.resources
        with (
            uploads.staged(resources.storage, upload, resources.settings.max_upload_bytes) as staged,
            self._began() as session,
        ):
            registered = works.register_upload(
                session,
                account_id=self.account_id,
                sha256=staged.sha256,
                size_bytes=staged.size_bytes,
                name=uploads.name_of(upload),
                keep_media=self.keep_media,
            )
            if registered.wants_media and registered.work.media_key is not None:
                resources.storage.move(staged.key, registered.work.media_key)
            showing.wish(registered, shown=self.show_media)
            return self._say(session, registered)

    def link(self, url: str) -> UUID:
        """Register what lies at an address; its work's id."""
        with self._began() as session:
            registered = works.register_url(
                session,
                account_id=self.account_id,
                url=url,
                keep_media=self.keep_media,
                wants_sound=self.sound,
            )
            showing.wish(registered, shown=self.show_media)
            return self._say(session, registered)

    def listing(self, url: str) -> UUID:
        """Register a channel or playlist, about whose works is said what the form says; its id."""
        with unit_of_work(self.resources) as session:
            said = None if self.said is None else self.said.preferences
            listing = listings.register(
                session, account_id=self.account_id, url=url, preferences=said, wants_sound=self.sound
            ).listing
            if self.said is not None and self.said.says_how_to_ask and listing.collection_id is not None:
                claims.say(
                    session,
                    collection_id=listing.collection_id,
                    claimant_id=self.account_id,
                    preferences=self.said.preferences,
                    asking=self.said.asking,
                )
            return listing.id

    @contextmanager
    def _began(self) -> Iterator[Session]:
        """A transaction that has the collection: collections are locked before works, everywhere."""
        with unit_of_work(self.resources) as session:
            if self.collection is not None:
                collections.get(session, collection_id=self.collection.id, account_id=self.account_id, lock=True)
            yield session

    def _say(self, session: Session, registered: Registered) -> UUID:
        work = registered.work.id
        if self.collection is not None:
            inside = self.collection.id
            collections.add_works(session, collection_id=inside, account_id=self.account_id, work_ids=[work])
        if self.said is not None:
            claims.say(
                session,
                work_id=work,
                claimant_id=self.account_id,
                preferences=self.said.preferences,
                # A work that was registered before keeps what it says about asking if nothing new is said.
                asking=self.said.asking if self.said.says_how_to_ask else None,
            )
        return work


def _keeping(form: FormData) -> dict[str, bool]:
    """Whether files are kept, and shown: what is shown is kept. And whether the sound of videos is read."""
    shown, sound = form.get("show_media") == "yes", form.get("sound") == "yes"
    return {"keep_media": shown or form.get("keep_media") == "yes", "show_media": shown, "sound": sound}


def _collection(form: FormData) -> UUID | None:
    """The collection that a form names, which came with the page and was not typed.

    Raises:
        NotFoundError: it is none.
    """
    named = str(form.get("collection", ""))
    try:
        return UUID(named) if named else None
    except ValueError:
        raise NotFoundError("there is no such collection of yours") from None


def _offer(request: Request, session: Session, creator: Principal, collection: UUID | None) -> Inheriting:
    return inheriting.offered(
        session,
        account_id=creator.account_id,
        collection_id=collection,
        language=language_of(request),
        words=pages.words(request),
    )


def _form(
    request: Request,
    offer: Inheriting,
    form: FormData | None,
    problems: Mapping[str, str],
    refused: Sequence[tuple[str, str]] = (),
) -> Response:
    presets = sentences.presets(language_of(request), pages.words(request))
    context = {
        "collection": offer.collection,
        "problems": problems,
        "refused": refused,
        "links": "" if form is None else str(form.get("links", "")),
        "keep_media": form is not None and form.get("keep_media") == "yes",
        "show_media": form is not None and form.get("show_media") == "yes",
        "sound": form is not None and form.get("sound") == "yes",
        **choice.shown(request, form, None, None),
        # It comes first only where something would count: whoever has said nothing yet must not end with nothing said.
        "presets": [offer.card, *presets] if offer.is_first else [*presets, offer.card],
        **({"chosen": choice.INHERIT} if form is None and offer.is_first else {}),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems or refused else HTTPStatus.OK
    return pages.render(request, "new_works.html", context, status=status)
