"""Choosing the format of an input."""

from collections.abc import Mapping
from pathlib import Path

from mediamanager.client.formats import webdataset
from mediamanager.client.formats.base import Format
from mediamanager.client.formats.folder import FolderFormat
from mediamanager.client.formats.jsonl import SUFFIXES, JsonlFormat
from mediamanager.client.formats.webdataset import WebDatasetFormat
from optout.errors import InvalidInputError


def open_input(source: Path, output: Path, fields: Mapping[str, str]) -> Format:
    """Open a folder, a JSONL file, a WebDataset shard, or a folder of such shards.

    Raises:
        InvalidInputError: there is nothing, or something that can't be filtered.
    """
    if shards := webdataset.shards_of(source, output):
        return WebDatasetFormat(source, shards, fields)
    if source.is_dir():
        if fields:
            raise InvalidInputError(
                "--field names fields of JSONL rows and of the JSON of samples; the input is a folder of files",
                field="field",
            )
        return FolderFormat(source, output)
    if not source.is_file():
        raise InvalidInputError(f"there is no file or folder {source}", field="input")
    if source.suffix.lower() in SUFFIXES:
        return JsonlFormat(source, fields)
    raise InvalidInputError(
        f"{source} can't be filtered: give a folder, or a file that ends in {', '.join(SUFFIXES)} or .tar",
        field="input",
    )
