"""Texts and documents that name files and addresses, are no text, or are written to be read for ever."""

import gzip
import io
import json
import stat
import tarfile
import zipfile
from functools import cache

import packed_documents

WORDS = "the fox that ran over the hill and did not come back before the evening was dark and cold "


def captions(target: str) -> dict[str, bytes]:
    cue = "00:00.000 --> 00:09.000\n"
    times = "".join(f"{n}\n9999:99:99,999 --> 0:0:0,0\n{WORDS}\n\n" for n in range(500))
    events = [{"tStartMs": 10**400, "dDurationMs": -1, "segs": [{"utf8": WORDS}]}, {"segs": [{"utf8": "\ud800" * 9}]}]
    tt = '<tt xmlns="http://www.w3.org/ns/ttml"><body><p begin="1s">'
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return {
        "style.vtt": f"WEBVTT\n\nSTYLE\n@import url({target});\n::cue {{ src: url(a) }}\n\n{cue}{WORDS}".encode(),
        "region.vtt": f"WEBVTT\n\n{'REGION' * 90_000}\n\n{cue}{WORDS}".encode(),
        "times.srt": times.encode(),
        "image.srt": f'1\n00:00:00,000 --> 00:00:09,000\n<img src="{target}">{WORDS}\n'.encode(),
        "numbers.json3": b'{"wireMagic":"pb3","events":[{"tStartMs":' + b"9" * 900_000 + b"}]}",
        "large.json3": json.dumps({"wireMagic": "pb3", "events": events}).encode(),
        "nan.json3": b'{"wireMagic":"pb3","events":[{"tStartMs":NaN,"dDurationMs":Infinity,"segs":[{"utf8":"fox"}]}]}',
        "twice.json3": b'{"wireMagic":"pb3","events":[],"events":{"a":' + b"[" * 90_000 + b"}}",
        "strings.json3": b'{"wireMagic":"pb3","events":["' + b"\\u0000" * 90_000 + b'"]}',
        "arrow.vtt": b"WEBVTT\n\n" + b"00:00.000 --> " * 90_000,
        "nothing.vtt": b"WEBVTT",
        "entity.ttml": f'<!DOCTYPE tt [<!ENTITY a SYSTEM "{target}">]>{tt}&a; {WORDS * 9}</p></tt>'.encode(),
        "laughs.ttml": f"<!DOCTYPE tt [{laughs}]>{tt}&e9;</p></tt>".encode(),
        "style.ttml": f'<?xml-stylesheet href="{target}"?>{tt}{WORDS * 9}<image src="{target}"/></p></tt>'.encode(),
        "deep.ttml": tt.encode() + b"<span>" * 150_000,
        "attribute.ttml": tt.encode() + b'<span begin="' + b"9" * 900_000 + b'"/></p></tt>',
        "spans.srv3": b'<timedtext format="3"><body>'
        + b'<p t="1" d="1" a="1">a</p>' * 300_000
        + b"</body></timedtext>",
        "lines.vtt": b"WEBVTT\n" + b"\r" * 900_000,
    }


def texts(target: str) -> dict[str, bytes]:
    html = f'<html><head><base href="{target}"><link href="{target}"><meta http-equiv=refresh content="0;{target}">'
    html += f'</head><body><iframe src="{target}"></iframe><object data="{target}"></object>{WORDS * 9}</body></html>'
    entity = f'<!DOCTYPE html [<!ENTITY a SYSTEM "{target}">]><html><body>&a; {WORDS * 9}</body></html>'
    laughs = "<!DOCTYPE html [<!ENTITY a '" + "&b;" * 900 + "'><!ENTITY b '" + "ha" * 900 + "'>]><html>&a;</html>"
    return {
        "frames.html": html.encode(),
        "entity.html": entity.encode(),
        "laughs.html": laughs.encode(),
        "comment.html": b"<html><!--" + b"-" * 900_000,
        "attribute.html": b'<html><a href="' + b"<" * 900_000,
        "image.md": f"![fox]({target}) [fox]: {target}\n{WORDS * 9}".encode(),
        "line.txt": WORDS.encode() * 20_000,
        "marks.txt": ("\u202e\u200b\u2066\ufeff" * 90_000).encode(),
        "only-mark.txt": b"\xef\xbb\xbf",
        "half.txt": b"\xff\xfe\x41",
        "utf32.txt": (WORDS * 9).encode("utf-32"),
        "utf16.txt": (WORDS * 9).encode("utf-16-be"),
        "surrogates.txt": b"\xed\xa0\x80" * 9_000,
        "utf7.txt": (WORDS * 9).encode("utf-7") + b"+2AA-" * 900,
        "escapes.txt": b"\x1b]8;;file:///etc/passwd\x07" * 90,
        "overlong.txt": b"\xc0\xaf" * 9_000,
        "shift.txt": (WORDS * 9).encode() + b"\x1b$B" * 9_000,
        "zero.txt": bytes(90_000),
        "digits.txt": "\u0665\U0001d7d7".encode() * 9_000,
    }


def documents(target: str) -> dict[str, bytes]:
    """What is refused by its beginning, whatever it is named, or by what an archive turns out to be."""
    actions = (
        f"%PDF-1.7\n1 0 obj<</OpenAction<</S/Launch/F({target})>>/AA<</O<</S/URI/URI({target})>>>>>>endobj".encode()
    )
    packed = b"%PDF-1.7\n1 0 obj<</Filter[" + b"/FlateDecode" * 9_000 + b"]/Length 9>>stream\n" + bytes(9)
    linked = io.BytesIO()
    with zipfile.ZipFile(linked, "w") as archive:
        entry = zipfile.ZipInfo("fox.txt")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml", f'<!DOCTYPE a [<!ENTITY b SYSTEM "{target}">]><container>&b;</container>'
        )
    letter = io.BytesIO()
    with zipfile.ZipFile(letter, "w") as archive:
        archive.writestr("word/_rels/settings.xml.rels", f'<Relationship TargetMode="External" Target="{target}"/>')
    folder = io.BytesIO()
    with tarfile.open(fileobj=folder, mode="w") as archive_of_links:
        link = tarfile.TarInfo("fox.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive_of_links.addfile(link)
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg"><script href="{target}"/><use href="{target}#a"/></svg>'.encode()
    )
    return {
        "launch.pdf": actions,
        "packed.pdf": packed,
        "picture.pdf": b"%PDF-1.4\n\xff\xd8\xff",
        "linked.zip": linked.getvalue(),
        "book.epub": book.getvalue(),
        "letter.docx": letter.getvalue(),
        "linked.tar": folder.getvalue(),
        "linked.tgz": gzip.compress(folder.getvalue()),
        "drawing.svg": drawing,
        "drawing.svgz": gzip.compress(drawing),
        "spaced.svg": b"\n\n  <?xml version='1.0'?><!-- a -->" + drawing,
        "drawing.eps": b"%!PS-Adobe-3.0\n(" + target.encode() + b") run",
        "letter.rtf": b"{\\rtf1{\\field{\\*\\fldinst INCLUDEPICTURE " + target.encode() + b"}}}",
        "letter.doc": b"\xd0\xcf\x11\xe0" + bytes(99),
        "flash.swf": b"CWS\x0a" + bytes(99),
        "object.pickle": b"\x80\x04cos\nsystem\n(S'id'\ntR.",
        "picture.heic": b"\0\0\0\x18ftypheic" + bytes(99),
        "picture.psd": b"8BPS\0\1" + bytes(99),
        "picture.jxl": b"\xff\x0a" + bytes(99),
        "notes.mid": b"MThd\0\0\0\6" + bytes(99),
        "program.exe": b"MZ\x90\0" + bytes(99),
        "program.bin": b"\x7fELF" + bytes(99),
        "disk.iso": bytes(20_000) + b"CD001",
    }


_CHAPTER, _PACKAGE, _BODY = "OEBPS/Text/chapter 0.xhtml", "OEBPS/book.opf", "word/document.xml"


def packed(target: str) -> dict[str, bytes]:
    """Books, letters and papers that name what lies elsewhere, unpack without end, or consist of very many parts."""
    book, letter = packed_documents.book(WORDS * 9), packed_documents.letter(packed_documents.paragraph(WORDS * 9))
    entity = f'<!DOCTYPE a [<!ENTITY a SYSTEM "{target}">]>'
    plain = str(book[_PACKAGE]).partition("?>")[2]
    parts = {
        "entity.epub": {**book, _CHAPTER: f"{entity}<html><body>&a; {WORDS * 9}</body></html>"},
        "dtd.epub": {**book, _PACKAGE: f'<!DOCTYPE package SYSTEM "{target}">{plain}'},
        "declared.epub": {**book, _PACKAGE: f"{entity}<package>&a;</package>"},
        "elsewhere.epub": {**book, _PACKAGE: packed_documents.opf([target, "../../../../etc/passwd"])},
        "entity.docx": {**letter, _BODY: f"{entity}<a>&a;{WORDS}</a>"},
        "elsewhere.docx": {**letter, "_rels/.rels": f'<a><b Type="/officeDocument" Target="{target}"/></a>'},
    }
    actions = f"/OpenAction<</S/Launch/F({target})>>/AA<</WC<</S/URI/URI({target})>>>>/AF[<</F({target})>>]".encode()
    paper = packed_documents.pdf_of([packed_documents.page_of([WORDS] * 9)], catalogue=actions)
    made = {name: packed_documents.zipped(members, packed=()) for name, members in parts.items()}
    return {**made, "actions.pdf": paper, **_bombs()}


@cache
def _bombs() -> dict[str, bytes]:
    book = packed_documents.book(WORDS * 9)
    letter = packed_documents.letter(packed_documents.paragraph(WORDS * 9))
    parts = {
        "zeros.epub": {**book, _CHAPTER: bytes(60_000_000)},
        "tags.epub": {**book, _CHAPTER: "<b>" * 900_000},
        "chapters.epub": {
            **book,
            _PACKAGE: packed_documents.opf([f"{n}" for n in range(3_000)]),
            **{f"OEBPS/{n}": " " for n in range(3_000)},
        },
        "many.epub": {**book, **{f"{n}": "" for n in range(20_000)}},
        "zeros.docx": {**letter, _BODY: bytes(60_000_000)},
        "tabs.docx": packed_documents.letter("<w:tab/>" * 900_000),
        "deep.docx": packed_documents.letter("<w:p>" * 900_000),
        "attribute.docx": packed_documents.letter(f'<w:p w:a="{"9" * 9_000_000}"/>'),
    }
    made = {name: packed_documents.zipped(members) for name, members in parts.items()}
    page = packed_documents.page_of([WORDS])
    made |= {
        "zeros.pdf": packed_documents.pdf_of([b" " * 60_000_000], filters=2),
        "letters.pdf": packed_documents.pdf_of([b"BT /F1 9 Tf (" + b"a" * 900_000 + b") Tj ET"]),
        "states.pdf": packed_documents.pdf_of([b"q " * 900_000 + page]),
        "pages.pdf": packed_documents.pdf_of([b""] * 3_000),
        "count.pdf": packed_documents.pdf_of([page]).replace(b"/Count 1", b"/Count 999999"),
        "circle.pdf": packed_documents.pdf_of([page]).replace(b"/Kids[4 0 R]", b"/Kids[2 0 R]"),
        "itself.pdf": packed_documents.pdf_of([page]).replace(b"/F1 3 0 R", b"/F1 4 0 R"),
    }
    lying = made["zeros.epub"].replace((60_000_000).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    return {**made, "lies.epub": lying}


def playlists(target: str) -> dict[str, bytes]:
    """Further lists than `hostile_media.playlists` has; what looks like a text is read as one, and not followed."""
    live = f'#EXTM3U\n#EXT-X-MAP:URI="{target}"\n#EXT-X-MEDIA:TYPE=AUDIO,URI="{target}"\n#EXTINF:9,\n{target}\n'
    dash = f'<MPD><Period xlink:href="{target}" xmlns:xlink="http://www.w3.org/1999/xlink"/></MPD>'
    return {
        "marked.mp3": b"\xef\xbb\xbf" + live.encode(),
        "wide.m3u8": live.encode("utf-16"),
        "wide.mpd": dash.encode("utf-16"),
        "linked.mpd": dash.encode(),
        "list.xspf": f'<?xml version="1.0"?><playlist><track><location>{target}</location></track></playlist>'.encode(),
        "list.asx": f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>'.encode(),
        "list.wpl": f'<?wpl version="1.0"?><smil><media src="{target}"/></smil>'.encode(),
        "list.pls": f"[Playlist]\nNumberOfEntries=1\nFile1={target}\n".encode(),
        "sheet.cue": f'FILE "{target}" WAVE\n  TRACK 01 AUDIO\n'.encode(),
        "list.ram": target.encode(),
        "shortcut.url": f"[InternetShortcut]\r\nURL={target}\r\n".encode(),
        "list.m3u": f"{target}\n".encode() * 90,
        "shortcut.desktop": f"[Desktop Entry]\nType=Link\nURL={target}\nExec=id\n".encode(),
        "list.ffconcat": f"ffconcat version 1.0\nfile {target}\noption protocol_whitelist all\n".encode(),
        "smooth.ism": f'<SmoothStreamingMedia Url="{target}"></SmoothStreamingMedia>'.encode(),
        "script.avs": f'DirectShowSource("{target}")\n'.encode(),
        "call.sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns={target}\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n".encode(),
        "list.rtsp": f"RTSPtext\nrtsp://{target}\n".encode(),
        "redirect.qtl": f'<?xml version="1.0"?><?quicktime type="application/x-qtl"?><embed src="{target}"/>'.encode(),
    }


def words(target: str) -> dict[str, bytes]:
    return {**captions(target), **texts(target), **documents(target), **playlists(target)}
