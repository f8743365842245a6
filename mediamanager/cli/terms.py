"""What a claim says beside its preferences, as options of a command: from when, until when, and whom to ask."""

from typing import Annotated, TypeAlias

import typer

from mediamanager.client.questions import moment

FromOption: TypeAlias = Annotated[
    str | None, typer.Option("--valid-from", metavar="TIME", help="When it begins; now, if left out.")
]
UntilOption: TypeAlias = Annotated[
    str | None, typer.Option("--valid-until", metavar="TIME", help="When it ends; never, if left out.")
]
TermsUrlOption: TypeAlias = Annotated[
    str | None, typer.Option("--terms-url", metavar="URL", help="Where licence terms can be read.")
]
ContactOption: TypeAlias = Annotated[
    str | None, typer.Option("--contact", metavar="ADDRESS", help="Whom to ask: e-mail or web address.")
]
LanguageOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--language", metavar="TAG", help="In which to ask, preferred first: fr, en.")
]


def terms(
    valid_from: str | None,
    valid_until: str | None,
    terms_url: str | None = None,
    contact: str | None = None,
    languages: list[str] | None = None,
) -> dict[str, object]:
    """Put the fields of a request together; what was not said is left out.

    Raises:
        InvalidInputError: a moment without a time zone.
    """
    moments = {"valid_from": moment(valid_from, "valid_from"), "valid_until": moment(valid_until, "valid_until")}
    said: dict[str, object] = {name: value.isoformat() for name, value in moments.items() if value is not None}
    further = {"terms_url": terms_url, "contact": contact, "languages": languages}
    return said | {name: value for name, value in further.items() if value}
