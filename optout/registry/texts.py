"""Checking the short texts that people type: names and titles."""

from optout.errors import InvalidInputError

MAX_EMAIL = 254
"""As RFC 5321 has it (erratum 1690)."""


def line(text: str, *, field: str, max_length: int) -> str:
    """The text without white space around it.

    Raises:
        InvalidInputError: nothing is left, too much is, or it has a character that no database takes.
    """
    stripped = text.strip()
    if not stripped or len(stripped) > max_length:
        raise InvalidInputError(f"the {field} must have 1 to {max_length} characters", field=field)
    if "\0" in stripped:
        raise InvalidInputError(f"the {field} has a character (NUL) that is not allowed", field=field)
    return stripped


def email(text: str, *, field: str) -> str:
    """An e-mail address without white space around it. Whether anybody reads it only a message can tell.

    Raises:
        InvalidInputError: it does not have the form of one.
    """
    address = line(text, field=field, max_length=MAX_EMAIL)
    name, _, host = address.rpartition("@")
    odd = not address.isprintable() or any(character.isspace() for character in address)
    if not name or "." not in host.strip(".") or odd:
        raise InvalidInputError(f"the {field} must be an e-mail address, like ada@example.org", field=field)
    return address


def optional_line(text: str | None, *, field: str, max_length: int) -> str | None:
    """As `line`; nothing but white space is None."""
    if text is None or not text.strip():
        return None
    return line(text, field=field, max_length=max_length)


def told(text: str | None, *, max_length: int) -> str | None:
    """A text as a source outside says it, in one line that can be stored; None where nothing is left of it."""
    line_of_it = "".join(character if character.isprintable() else " " for character in text or "")
    return " ".join(line_of_it.split())[:max_length].strip() or None
