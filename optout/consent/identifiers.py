"""Exact keys for what has an address: canonical URLs, YouTube ids, and the hash that they are looked up by.

Canonical form, version 1 (`crk1`). A change of any rule is a new version beside this one, never an edit.
URL: `http` counts as `https`; host in lower case, as A-labels, without trailing dot; user, password, fragment and the
ports 80 and 443 dropped; dot segments resolved; an empty path is `/`; percent-encoding in upper case and only where it
is needed; query parameters that only track a visitor dropped, the others kept in their order; any address of a YouTube
video is `https://www.youtube.com/watch?v=ID`.
Key: SHA-256 over `crk1`, one zero byte, the kind in ASCII (`url` or `youtube`), one zero byte, the canonical form in
UTF-8.
"""

import hashlib
import ipaddress
import re
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, parse_qs, quote, unquote_to_bytes, urlsplit

import idna

from fingerprinting.types import Fingerprint
from optout.errors import InvalidInputError

KeyKind: TypeAlias = Literal["url", "youtube"]

KEY_VERSION = 1
MAX_URL_LENGTH = 2048

YOUTUBE_CHANNEL = re.compile(r"UC[0-9A-Za-z_-]{22}")
"""The id of a YouTube channel. Its handle (`@name`) can be given away, and names nobody for good."""
_YOUTUBE_ID = re.compile(r"[0-9A-Za-z_-]{11}")
_YOUTUBE_HOST = re.compile(
    r"(?:(?:www|m|music|gaming|kids|tv)\.)?youtube(?:-nocookie|kids)?\.com|(?:www\.)?youtu\.be|youtube\.googleapis\.com"
)
_YOUTUBE_PATHS = {"shorts", "embed", "live", "v", "e"}
_YOUTUBE_WATCH = {"watch", "watch_popup", "watch.php", "movie"}
_YOUTUBE_NO_ID = {"videoseries", "live_stream"}
"""What stands where an id does and is as long as one: `embed/videoseries?list=…`, `embed/live_stream?channel=…`."""
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_cid|mc_eid|_ga")

# RFC 3986: what may stand unescaped in a path and in a query. `%` is handled before quoting.
_PATH_SAFE = "/:@!$&'()*+,;=-._~"
_QUERY_SAFE = _PATH_SAFE + "?"


def canonical_url(url: str) -> str:
    """Bring a web address to the one form that its key is made from; applying it twice changes nothing.

    Raises:
        InvalidInputError: not an absolute http or https address, longer than 2,048 characters, or with a host that
            is none.
    """
    text = url.strip()
    if len(text) > MAX_URL_LENGTH:
        raise InvalidInputError(f"an address may have at most {MAX_URL_LENGTH} characters", field="url")
    parts = _split(text)
    video = _youtube_of(parts)
    if video is not None:
        return f"https://www.youtube.com/watch?v={video}"
    return f"https://{_authority(parts)}{_path(parts.path)}{_query(parts.query)}"


def youtube_id(url_or_id: str) -> str | None:
    """Find the 11-character id of a YouTube video in any of its addresses, or take a bare id; None if there is none."""
    text = url_or_id.strip()
    if _YOUTUBE_ID.fullmatch(text):
        return text
    if "://" not in text and _YOUTUBE_HOST.fullmatch(text.removeprefix("//").partition("/")[0].lower()):
        text = f"https://{text.removeprefix('//')}"
    try:
        return _youtube_of(_split(text))
    except InvalidInputError:
        return None


def key(kind: KeyKind, canonical: str) -> bytes:
    """Hash a canonical identifier to the 32 bytes that it is looked up by; the layout is in the module's docstring."""
    return hashlib.sha256(b"\0".join((b"crk1", kind.encode("ascii"), canonical.encode("utf-8")))).digest()


def fingerprints_for(
    *, url: str | None = None, youtube: str | None = None, sha256: str | bytes | None = None
) -> tuple[Fingerprint, ...]:
    """Make the exact keys of an asset or work from what is known about it.

    The address of a YouTube video gives both its keys, as does a YouTube id.

    Args:
        url: an absolute http or https address.
        youtube: a video id, or any address of the video.
        sha256: of the file's bytes: 64 hex digits, or 32 bytes.

    Raises:
        InvalidInputError: one of them is not what it should be; `field` names it.
    """
    digests: dict[tuple[str, bytes], None] = {}  # a set that keeps its order
    if sha256 is not None:
        digests["sha256", _digest(sha256)] = None
    video: str | None = None
    if youtube is not None:
        video = youtube_id(youtube)
        if video is None:
            raise InvalidInputError("this is neither a YouTube video id nor an address of one", field="youtube")
        digests["key-youtube", key("youtube", video)] = None
        digests["key-url", key("url", f"https://www.youtube.com/watch?v={video}")] = None
    if url is not None:
        canonical = canonical_url(url)
        found = youtube_id(canonical)
        if found is not None:
            digests["key-youtube", key("youtube", found)] = None
        digests["key-url", key("url", canonical)] = None
    return tuple(Fingerprint(algorithm, KEY_VERSION, value) for algorithm, value in digests)


def _split(text: str) -> SplitResult:
    if _CONTROL.search(text):
        raise InvalidInputError("an address holds no spaces or control characters", field="url")
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise InvalidInputError("this is not a web address", field="url") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InvalidInputError("a web address begins with https:// or http:// and names a host", field="url")
    return parts


def _authority(parts: SplitResult) -> str:
    host = _host((parts.hostname or "").rstrip("."))
    return host if parts.port in {None, 80, 443} else f"{host}:{parts.port}"


def _host(host: str) -> str:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError:
            raise InvalidInputError(f"`{host}` is not a host", field="url") from None
    if re.fullmatch(r"[0-9a-z_-]+(?:\.[0-9a-z_-]+)*", host) and len(host) <= 253:  # noqa: PLR2004 - RFC 1035, 2.3.4
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise InvalidInputError(f"`{host}` is not a host", field="url") from None


def _path(path: str) -> str:
    kept: list[str] = []
    segments = _requote(path, _PATH_SAFE).split("/")[1:] or [""]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _query(query: str) -> str:
    kept = [pair for pair in query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0].lower())]
    return "?" + "&".join(_requote(pair, _QUERY_SAFE) for pair in kept) if kept else ""


def _requote(text: str, safe: str) -> str:
    """Escape what needs it, unescape what does not; an escape of a reserved character stays one, in upper case."""
    pieces = re.split(r"(%[0-9A-Fa-f]{2})", text)
    return "".join(
        _escape(piece) if index % 2 else quote(piece, safe=safe, errors="replace") for index, piece in enumerate(pieces)
    )


def _escape(escape: str) -> str:
    character = unquote_to_bytes(escape).decode("latin-1")
    return character if character.isascii() and (character.isalnum() or character in "-._~") else escape.upper()


def _youtube_of(parts: SplitResult) -> str | None:
    host = (parts.hostname or "").rstrip(".")
    if not _YOUTUBE_HOST.fullmatch(host):
        return None
    found = _youtube_video(host, parts.path, parts.query)
    return found if _YOUTUBE_ID.fullmatch(found) and found not in _YOUTUBE_NO_ID else None


def _youtube_video(host: str, path: str, query: str) -> str:
    steps = [step for step in path.split("/") if step]
    asked = parse_qs(query.replace("&amp;", "&"))  # as it stands in the source of a page
    if host.endswith("youtu.be"):
        return steps[0] if steps else ""
    if steps[:1] == ["attribution_link"]:
        path, _, query = asked.get("u", [""])[0].partition("?")
        return "" if path.startswith("/attribution_link") else _youtube_video(host, path, query)
    if len(steps) < 2:  # noqa: PLR2004 - a word and an id
        return asked.get("v", [""])[0] if not steps or steps[0] in _YOUTUBE_WATCH else ""
    return steps[1] if steps[0] in _YOUTUBE_PATHS | {"watch"} else ""


def _digest(sha256: str | bytes) -> bytes:
    if isinstance(sha256, bytes) and len(sha256) == hashlib.sha256().digest_size:
        return sha256
    if isinstance(sha256, str) and _SHA256.fullmatch(sha256):
        return bytes.fromhex(sha256)
    raise InvalidInputError("a SHA-256 is 64 hexadecimal digits", field="sha256")
