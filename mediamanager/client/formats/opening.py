"""Choosing the format of an input."""

from collections.abc import Mapping
from pathlib import Path

from mediamanager.client.formats.base import Format
from mediamanager.client.formats.folder import FolderFormat
from mediamanager.client.formats.jsonl import SUFFIXES, JsonlFormat
from optout.errors import InvalidInputError


def open_input(source: Path, output: Path, fields: Mapping[str, str]) -> Format:
    """Open a folder or a JSONL file.

    Raises:
        InvalidInputError: there is nothing, or something that can't be filtered.
    """
    if source.is_dir():
        if fields:
            raise InvalidInputError("--field names fields of JSONL rows; the input is a folder", field="field")
        return FolderFormat(source, output)
    if not source.is_file():
        raise InvalidInputError(f"there is no file or folder {source}", field="input")
    if source.suffix.lower() in SUFFIXES:
        return JsonlFormat(source, fields)
    raise InvalidInputError(
        f"{source} can't be filtered: give a folder, or a file that ends in {' or '.join(SUFFIXES)}", field="input"
    )
