"""Which files of a folder are its shards, and whether one is still what it was."""

from pathlib import Path


def shards_of(source: Path, output: Path | None, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    """Find the shards: the file itself, or those that a folder consists of; none: it is something else.

    Beside its shards a folder may hold what programs write about each (`00000_stats.json`, `00000.parquet` beside
    `00000.tar`), and the run's own folder, `output`.
    """
    if source.name.lower().endswith(suffixes) and source.is_file():
        return (source,)
    if not source.is_dir():
        return ()
    inside = None if output is None else output.resolve()
    entries = [one for one in source.iterdir() if not one.name.startswith(".") and one.resolve() != inside]
    shards = sorted(one for one in entries if one.name.lower().endswith(suffixes) and one.is_file())
    stems = tuple(one.stem for one in shards)
    about_them = all(one in shards or (one.name.startswith(stems) and one.is_file()) for one in entries)
    return tuple(shards) if about_them else ()


def beside(source: Path, shards: tuple[Path, ...]) -> tuple[str, ...]:
    """Say how many files lie beside the shards of a folder."""
    others = 0 if source.is_file() else sum(1 for one in source.iterdir() if one.is_file()) - len(shards)
    return (f"{others} {'file' if others == 1 else 'files'} beside the shards: not copied",) if others else ()


def stamp(shard: Path) -> str:
    """Give what changes when a shard is written."""
    status = shard.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"
