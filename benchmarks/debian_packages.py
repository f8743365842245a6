"""Material for benchmarks out of Debian packages: downloaded and unpacked, never installed, never committed."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path


def fetch(packages: Iterable[str], folder: Path, patterns: Sequence[str]) -> None:
    """Download packages and unpack some of their files below `files/PACKAGE`. What is there already stays.

    Args:
        packages: their names.
        folder: where both the packages and their files go.
        patterns: which files, as tar's wildcards.

    Raises:
        CalledProcessError: a package could not be downloaded.
    """
    debs = folder / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    for package in packages:
        target = folder / "files" / package
        if target.exists():
            continue
        if not list(debs.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", "-qq", package], cwd=debs, check=True, stderr=subprocess.DEVNULL)
        target.mkdir(parents=True)
        for deb in debs.glob(f"{package}_*.deb"):
            _unpack(deb, target, patterns)


def _unpack(deb: Path, target: Path, patterns: Sequence[str]) -> None:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as packed:
        # tar complains of a pattern that nothing fits.
        subprocess.run(
            ["tar", "-x", "-C", str(target), "--wildcards", *patterns],
            stdin=packed.stdout,
            stderr=subprocess.DEVNULL,
            check=False,
        )
