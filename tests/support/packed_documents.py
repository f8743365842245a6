"""Books and letters as people send them, made in memory: EPUB, DOCX, PDF."""

import io
import zipfile
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
    """Make an archive; `packed` are the members that are deflated, all but `mimetype` unless given."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in members.items():
            is_packed = name != "mimetype" if packed is None else name in packed
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED)
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
