"""The plain words of the pages for our exact ones: presets, notes, errors, jobs."""

from collections.abc import Mapping, Sequence
from typing import Final

from babel.support import NullTranslations

from fingerprinting.errors import FingerprintingError
from mediamanager.web.video_sentences import LIST_STATES, VIDEO_STATES
from optout.consent import explain
from optout.consent.explain import Language
from optout.consent.preferences import PRESETS, Preset
from optout.errors import InvalidInputError, OptoutError


def _(text: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is said."""
    return text


_ERRORS: Final[Mapping[str, str]] = {
    "not-permitted": _("Your key does not include what this page needs. Ask the operator for a key for creators."),
    "not-found": _("There is nothing here: it may have been removed, or belong to another account."),
    "unsupported-media": _(
        "We can't read this kind of file. Pictures, sound, videos, captions, text, documents (EPUB, PDF, DOCX) and "
        "comics (CBZ) work; nothing was kept."
    ),
    "limit-exceeded": _("This file is too large for us. Nothing was kept: choose a smaller version and try again."),
    "unreadable-media": _("We couldn't read this file: it is empty, damaged or incomplete. Nothing was kept."),
    "locked-document": _(
        "This document needs a password or is protected against copying, so we can't read it. Nothing was kept: choose "
        "an edition without protection, or its text as a .txt file."
    ),
    "wordless-document": _(
        "There is no text in this document that we can read, and nothing on its pages that could be recognised. "
        "Nothing was kept: choose a version with text, or its pages as JPEG or PNG."
    ),
    "fetch-refused": _(
        "We can't fetch what lies at this address. Give one that opens in a browser without signing in, "
        "or choose the file instead."
    ),
    "fetch-failed": _("We could not reach this address. Check that it opens in your browser, then register it again."),
    "fetch-too-large": _("What lies at this address is too large for us. Choose a smaller version and try again."),
    "reading-abandoned": _(
        "We tried several times and could not read this work. The operator of this registry sees why and can try "
        "again; you can also register it once more yourself."
    ),
    "storage-unavailable": _("The registry can't save at the moment. Nothing was registered: try again in a minute."),
    "conflict": _("This was changed in the meantime. Look at how it stands now, then decide again."),
    **VIDEO_STATES,
    **LIST_STATES,
}

_DELAYS: Final[Mapping[str, str]] = {
    "fetch-failed": _("We could not reach this address yet. Check that it opens in your browser."),
    "reading-delayed": _("Something on our side kept us from reading this work."),
    **VIDEO_STATES,
}

_DONE: Final[Mapping[str, str]] = {
    "saved": _("Saved. It counts from now on."),
    "withdrawn": _("Withdrawn. What you said no longer counts."),
    "made": _("Made. Now say what may be done with its works."),
    "added": _("Added. What you say about the collection counts for these works from now on."),
    "removed": _("Taken out. What you say about the collection no longer counts for this work."),
}

_OURS: Final[Mapping[str, str]] = {
    "storage-unavailable": _ERRORS["storage-unavailable"],
    "sandbox-unavailable": _("We can't read files at the moment. Nothing was kept: try again in a minute."),
    "decoders-busy": _("Many files are being read at the moment. Nothing was kept: try again in a minute."),
}

_REQUESTS: Final[Mapping[str, str]] = {
    "broken-off": _(
        "What you sent ended before its end. Nothing of it was taken: send it again, on a better connection if you can."
    ),
    "too-many-files": _(
        "At most %(max_files)d files are taken at a time. Nothing was taken: go back, choose fewer, and send the "
        "others afterwards."
    ),
    "too-many-fields": _(
        "This form has more fields than its page has. Nothing was taken: open the page again and fill it in there."
    ),
    "too-long": _("What you wrote is too long. Nothing was taken: go back and shorten it, or send it in parts."),
    "unreadable": _(
        "This form can't be read. Nothing was taken: give your files short names, open the page again and fill it in "
        "there."
    ),
    "doubled": _("“%(field)s” stands twice in this form. Nothing was taken: open the page again and fill it in there."),
    "file-in-field": _(
        "“%(field)s” holds a file where words belong. Nothing was taken: open the page again and fill it in there."
    ),
    "form-too-large": _(
        "Your files are together larger than %(max_mb)d MB, the most that is taken at a time. Nothing was taken: go "
        "back and choose fewer or smaller ones."
    ),
    "content-too-large": _("What you sent is too large. Nothing was taken: go back and send less at once."),
}

_STATUSES: Final[Mapping[int, str]] = {
    400: _("Your browser sent something that can't be read. Nothing was changed: open the page again and try there."),
    405: _("This address belongs to a button of a page and is no page itself. Go back and press the button again."),
    408: _("What you sent came too slowly. Nothing was taken: send it again on a better connection."),
}

_UNUSABLE: Final = _("This can't be used: %(fields)s. Nothing was changed: go back, correct it and try again.")
_NUMBER: Final = _("Something went wrong on our side. Try again; if it stays, tell the operator this: %(number)s")
_OTHER_SITE: Final = _("This was sent from a page of another site. Open the registry's own page and try again there.")
NO_ADDRESS: Final = "no-address"
OTHER_SITE: Final = "other-site"
_REFUSED: Final = _("This could not be taken. Nothing of it was kept.")
_NOT_YET: Final = _("This counts only once you have shown who you are.")
_NO_ADDRESS: Final = _("This is not a web address. Copy it from your browser: it begins with https:// or http://.")

_JOB_REASONS: Final[Mapping[str, str]] = {
    "worker-lost": _(
        "The worker stopped in the middle of each attempt: the machine may have too little memory for this work."
    ),
    "internal-error": _("Something went wrong that nobody foresaw. The log of the worker says more."),
    "storage-unavailable": _("The storage or the database did not answer."),
    "sandbox-unavailable": _("The program that reads media could not be started."),
    "decoders-busy": _("The programs that read media were busy with other files for too long."),
    "fetch-failed": _("The address did not deliver the file."),
    "log-integrity": _(
        "What is stored contradicts what was signed. Run mediamanager doctor first; trying again changes nothing."
    ),
}


def job_reason(code: str | None, words: NullTranslations) -> str | None:
    """Why a job failed, in plain words; None where only the worker's own sentence can say it."""
    sentence = _JOB_REASONS.get(code or "")
    return None if sentence is None else str(words.gettext(sentence))


def capital(text: str) -> str:
    """The same with a capital letter, where a word of the wordings begins a line."""
    return text[:1].upper() + text[1:]


def presets(language: Language, words: NullTranslations) -> list[tuple[Preset, str, str]]:
    """The presets in order: value, name, and the sentence that says back what it means."""
    more = {Preset.ALL_WELCOME: f" {words.gettext(_NOT_YET)}"}
    return [
        (preset, explain.preset_name(preset, language), explain.choice(said, language) + more.get(preset, ""))
        for preset, said in PRESETS.items()
    ]


def failure(code: str, sentence: str, words: NullTranslations) -> str:
    """Why a work could not be read; the worker's own English sentence is the most exact, so English readers get it."""
    if code in _ERRORS and words.gettext(_ERRORS[code]) != _ERRORS[code]:
        return words.gettext(_ERRORS[code])
    return capital(sentence) if sentence.endswith((".", "!", "?")) else f"{capital(sentence)}."


def delay(code: str, sentence: str, words: NullTranslations) -> str:
    """Why a work is not read yet; English readers get the worker's own sentence, as of `failure`."""
    plain = _DELAYS.get(code)
    if plain is not None and words.gettext(plain) != plain:
        return str(words.gettext(plain))
    return sentence


def done(code: str | None, words: NullTranslations) -> str | None:
    """What a form did, by the code that an address of ours carries on; None for any other code."""
    said = _DONE.get(code or "")
    return None if said is None else str(words.gettext(said))


def refusal(code: str, words: NullTranslations) -> str:
    """Why something sent could not be taken, by the code that an address of ours carries; other codes say little."""
    if code == NO_ADDRESS:
        return words.gettext(_NO_ADDRESS)
    return words.gettext(_ERRORS.get(code, _REFUSED))


def refusal_code(problem: OptoutError | FingerprintingError) -> str:
    """The code for `refusal`."""
    return NO_ADDRESS if _is_no_address(problem) else problem.code


def error(problem: OptoutError | FingerprintingError, words: NullTranslations) -> str:
    """An error in the reader's language; where only the English sentence exists, that one: exact beats vague."""
    if _is_no_address(problem):
        return words.gettext(_NO_ADDRESS)
    if problem.parameters.get("reason") == OTHER_SITE:
        return words.gettext(_OTHER_SITE)
    return failure(problem.code, str(problem), words)


def ours(code: str, number: str | None, words: NullTranslations) -> str:
    """What went wrong on our side: little, and the number under which the operator's log has the rest."""
    if code in _OURS:
        return words.gettext(_OURS[code])
    return words.gettext(_NUMBER) % {"number": number or "-"}


def refused_request(
    reason: str, field: str | None, parameters: Mapping[str, str | int | float], words: NullTranslations
) -> str:
    """Why a request could not be read, by the reason of a `RefusedRequestError`."""
    blanks = {**parameters, "field": field, "max_mb": float(parameters.get("max_bytes", 0)) / 1e6}
    return words.gettext(_REQUESTS.get(reason, _REQUESTS["unreadable"])) % blanks


def of_status(status: int, words: NullTranslations) -> str | None:
    """What a status means for who looks at a page; None where its heading says it all."""
    return words.gettext(_STATUSES[status]) if status in _STATUSES else None


def unusable(fields: Sequence[str], words: NullTranslations) -> str:
    """Which fields of an address or a form hold what can't be used."""
    return words.gettext(_UNUSABLE) % {"fields": ", ".join(dict.fromkeys(fields))}


def _is_no_address(problem: OptoutError | FingerprintingError) -> bool:
    return type(problem) is InvalidInputError and problem.parameters.get("field") == "url"
