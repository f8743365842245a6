"""Books and letters as people send them, made in memory: EPUB, DOCX, PDF."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)
PAGE = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN"'
    ' "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>No prose'
    '</title><style>p {{ color: red }}</style></head><body><h1>Part</h1><script src="x.js"/>{}</body></html>'
)
WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def zipped(members: Mapping[str, bytes | str], *, packed: Sequence[str] | None = None) -> bytes:
    """Make an archive, the same one whenever; `packed` are the members deflated, all but `mimetype` unless given."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in members.items():
            is_packed = name != "mimetype" if packed is None else name in packed
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED)
    return written.getvalue()


def page(text: str) -> str:
    """A chapter: a paragraph for each line."""
    return PAGE.format("".join(f"<p>{escape(line)}</p>\n" for line in text.splitlines()))


def opf(files: Sequence[str], spine: Sequence[int] | None = None, media_type: str = "application/xhtml+xml") -> str:
    """A package document that lists files; `spine` are the numbers of those to be read, all unless given."""
    items = "".join(f'<item id="c{n}" href="{name}" media-type="{media_type}"/>' for n, name in enumerate(files))
    order = "".join(f'<itemref idref="c{n}"/>' for n in (range(len(files)) if spine is None else spine))
    return (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>'
        f"<manifest>{items}</manifest><spine>{order}</spine></package>"
    )


def book(*chapters: str) -> dict[str, bytes | str]:
    """The members of an EPUB."""
    names = [f"Text/chapter%20{n}.xhtml" for n in range(len(chapters))]
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": opf(names),
        **{f"OEBPS/Text/chapter {n}.xhtml": page(chapter) for n, chapter in enumerate(chapters)},
    }


def epub(*chapters: str) -> bytes:
    """A book of these chapters."""
    return zipped(book(*chapters))


def paragraph(text: str) -> str:
    """A paragraph in two runs, cut within a word, as editors do it."""
    cut = len(text) // 2
    runs = "".join(
        f'<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{escape(part)}</w:t></w:r>'
        for part in (text[:cut], text[cut:])
    )
    return f"<w:p>{runs}</w:p>"


def letter(body: str, root: str = "document") -> dict[str, bytes | str]:
    """The members of a DOCX with this body."""
    return {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship'
        ' Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
        ' Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<?xml version="1.0"?><w:{root} xmlns:w="{WORDS}"><w:body>{body}</w:body></w:{root}>',
    }


def docx(text: str) -> bytes:
    """A letter with a paragraph for each line."""
    return zipped(letter("".join(map(paragraph, text.splitlines()))))


def pdf(text: str) -> bytes:
    """A paper with forty lines on a page."""
    lines = text.splitlines()
    return pdf_of([page_of(lines[at : at + 40]) for at in range(0, len(lines), 40)] or [b""])


def page_of(lines: Sequence[str]) -> bytes:
    """What draws lines of Western European text."""
    shown = (
        line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") for line in lines
    )
    return b"BT /F1 9 Tf 11 TL 30 800 Td " + b" ".join(b"(%s) Tj T*" % line for line in shown) + b" ET"


def pdf_of(pages: Sequence[bytes], *, filters: int = 1, trailer: bytes = b"", catalogue: bytes = b"") -> bytes:
    """A PDF whose pages are drawn by these content streams, each deflated `filters` times.

    Source: ISO 32000-1, 7.5.
    """
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalogue,
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for n, page_content in enumerate(pages):
        drawn = page_content
        for _ in range(filters):
            drawn = zlib.compress(drawn)
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
            % (5 + 2 * n),
            b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(drawn), b"/FlateDecode" * filters, drawn),
        ]
    written, places = b"%PDF-1.7\n", []
    for number, data in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj%s endobj\n" % (number, data)
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    return written + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, entries, len(objects) + 1, trailer, len(written)
    )  # fmt: skip


def locked_pdf() -> bytes:
    """A paper whose password is not the empty one."""
    lock = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>/ID[(a)(a)]" % (b"a" * 32, b"b" * 32)
    return pdf_of([page_of(["Words."])], trailer=lock)


def comic(*pages: bytes, suffix: str = "jpg") -> bytes:
    """A comic of these pictures, whose names have no zeros before their numbers, and what programs put beside them."""
    named = {f"Fox/p{number}.{suffix}": page for number, page in enumerate(pages, 1)}
    return zipped({"ComicInfo.xml": "<ComicInfo/>", **named, "__MACOSX/Fox/._p1.jpg": b"\0"}, packed=())
