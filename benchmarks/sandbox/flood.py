"""How much memory a registry takes while many people upload and look up large files at once.

    python -m benchmarks.sandbox.flood [--kind pictures|texts|sounds|videos] [--requests 200] [--at-once 20]

It starts an embedded registry of its own, makes the files (pictures of 6 to 48 million pixels in seven forms, texts of
up to 12 MB, recordings of up to an hour, videos of up to 8K, for which ffmpeg is needed), and posts each in turns as a
work and as a lookup. What it prints is one JSON object: the most that all processes of the registry took together, as
PSS (pages that several share are counted once) and as RSS, the most that each of them took, how long it lasted, and
what was answered, by status.
"""

import argparse
import collections
import contextlib
import io
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from PIL import Image

_EVERY_SECONDS = 0.05
_SIZES = ((3000, 2000), (4000, 3000), (6000, 4000), (8000, 6000))
_FORMS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("png", "RGB", {"compress_level": 1}),
    ("png", "RGBA", {"compress_level": 1}),
    ("jpg", "RGB", {"quality": 85}),
    ("jpg", "RGB", {"quality": 85, "progressive": True}),
    ("webp", "RGB", {"quality": 70, "method": 0}),
    ("webp", "RGBA", {"quality": 70, "method": 0}),
    ("tiff", "RGB", {}),
    ("gif", "P", {}),
    ("avif", "RGB", {"speed": 10}),
)
_H264, _VP9 = (
    ("-c:v", "libx264", "-preset", "ultrafast"),
    ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
)
_VIDEOS = (
    ("1280x720", 20, _H264),
    ("1920x1080", 10, _H264),
    ("3840x2160", 4, _H264),
    ("1920x1080", 5, _VP9),
    ("7680x4320", 1, _H264),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=["pictures", "texts", "sounds", "videos"], default="pictures")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    chosen = parser.parse_args()
    makers = {"pictures": _pictures, "texts": _texts, "sounds": _sounds, "videos": _videos}
    with tempfile.TemporaryDirectory(prefix="flood-") as scratch:
        files = list(makers[chosen.kind](Path(scratch)))
        sys.stderr.write(f"{len(files)} files, {sum(len(one) for _, one in files) / 1e6:,.0f} MB\n")
        with _registry(Path(scratch) / "data") as (url, keys, pid), _watched(pid) as peak:
            began = time.perf_counter()
            answers = _flood(url, keys, files, requests=chosen.requests, at_once=chosen.at_once)
            _settle(url, keys["creator"])
            seconds = time.perf_counter() - began
        print(json.dumps({"kind": chosen.kind, "seconds": round(seconds), "answers": answers, **peak}))


# --- the files -------------------------------------------------------------------------------------------------------


def _pictures(_scratch: Path) -> Iterator[tuple[str, bytes]]:
    chance = np.random.default_rng(1)
    for number, (width, height) in enumerate(_SIZES):
        small = chance.integers(0, 256, (height // 50, width // 50, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        for form, mode, options in _FORMS:
            buffer = io.BytesIO()
            picture.convert(mode).save(buffer, format="JPEG" if form == "jpg" else form.upper(), **options)
            yield f"{number}.{form}", buffer.getvalue()


def _texts(_scratch: Path) -> Iterator[tuple[str, bytes]]:
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(4, 11))) for _ in range(60_000)]
    for number, megabytes in enumerate((0.5, 1, 2, 4.5, 4.5, 9, 12)):
        words = chance.choices(vocabulary, k=int(megabytes * 1e6 / 8.5))
        yield f"{number}.txt", " ".join(words).encode()


def _sounds(_scratch: Path) -> Iterator[tuple[str, bytes]]:
    chance = np.random.default_rng(1)
    for number, minutes in enumerate((2, 10, 30, 60)):
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            for _ in range(minutes):
                notes = np.repeat(chance.uniform(200, 2000, 240), 2000)
                sound = np.sin(np.cumsum(notes) * 2 * np.pi / 8000) + chance.normal(0, 0.1, len(notes))
                file.writeframes((sound * 9000).astype("<i2").tobytes())
        yield f"{number}.wav", buffer.getvalue()


def _videos(scratch: Path) -> Iterator[tuple[str, bytes]]:
    for number, (size, seconds, codec) in enumerate(_VIDEOS):
        file = scratch / f"{number}.mkv"
        moving = f"testsrc2=size={size}:rate=25,rotate={number + 1}*t/9"
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", moving, "-t", str(seconds), *codec, str(file)]
        subprocess.run(command, check=True)
        yield file.name, file.read_bytes()


# --- the registry ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _registry(data: Path) -> Iterator[tuple[str, dict[str, str], int]]:
    """A running registry: its address, a key for each role, its process id."""
    data.mkdir()
    ready, command = data / "ready.json", (sys.executable, "-m", "mediamanager")
    running = subprocess.Popen([*command, "serve", "--data", str(data), "--port", "0", "--ready-file", str(ready)])
    try:
        while not ready.exists():
            if running.poll() is not None:
                raise SystemExit("the registry did not start; see above")
            time.sleep(0.1)
        keys = {}
        for role in ("creator", "pipeline"):
            words = ["keys", "create", "--data", str(data), "--role", role, "--name", role, "--json"]
            keys[role] = str(json.loads(subprocess.check_output([*command, *words]))["secret"])
        yield json.loads(ready.read_text())["url"], keys, running.pid
    finally:
        running.terminate()
        running.wait()


def _flood(
    url: str, keys: dict[str, str], files: list[tuple[str, bytes]], *, requests: int, at_once: int
) -> dict[str, dict[str, int]]:
    answers: dict[str, collections.Counter[str]] = {"works": collections.Counter(), "lookups": collections.Counter()}
    lock = threading.Lock()

    def one(number: int) -> None:
        name, content = files[number // 2 % len(files)]
        kind = "lookups" if number % 2 else "works"
        path = "/v1/lookups/media" if number % 2 else "/v1/works"
        headers = {"Authorization": f"Bearer {keys['pipeline' if number % 2 else 'creator']}"}
        # Each upload is a content of its own, or the registry would say that it knows it.
        sent = content + str(number).encode() if name.endswith((".txt", ".jpg", ".wav", ".mkv")) else content
        try:
            form = {"use": "train-genai"} if number % 2 else {}
            answer = client.post(path, files={"file": (name, sent)}, data=form, headers=headers)
            said = str(answer.status_code)
        except httpx2.HTTPError as error:
            said = type(error).__name__
        with lock:
            answers[kind][said] += 1
            sys.stderr.write(f"\r{sum(map(sum, (c.values() for c in answers.values())))} of {requests}")

    limits = httpx2.Limits(max_connections=at_once)
    with httpx2.Client(base_url=url, timeout=900, limits=limits) as client, ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, range(requests)))
    sys.stderr.write("\n")
    return {kind: dict(counted) for kind, counted in answers.items()}


def _settle(url: str, key: str) -> None:
    """Wait until no work is being read any more."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        while True:
            works = client.get("/v1/works?limit=500").json()["works"]
            if not any(work["state"] == "pending" for work in works):
                return
            time.sleep(0.5)


# --- memory ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[dict[str, Any]]:
    stopping = threading.Event()
    peak: dict[str, Any] = {"pss_mib": 0, "rss_mib": 0, "largest_pss_mib": {}}

    def watch() -> None:
        while not stopping.wait(_EVERY_SECONDS):
            sizes = {each: _sizes(each) for each in _family(pid)}
            peak["pss_mib"] = max(peak["pss_mib"], sum(pss for pss, _ in sizes.values()) >> 10)
            peak["rss_mib"] = max(peak["rss_mib"], sum(rss for _, rss in sizes.values()) >> 10)
            for each, (pss, _) in sizes.items():
                name = _name(each, pid)
                peak["largest_pss_mib"][name] = max(peak["largest_pss_mib"].get(name, 0), pss >> 10)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stopping.set()
        thread.join()


def _family(pid: int) -> list[int]:
    family = [pid]
    for each in family:
        for path in Path(f"/proc/{each}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                family += [int(child) for child in path.read_text().split()]
    return family


def _sizes(pid: int) -> tuple[int, int]:
    """PSS and RSS of a process in KiB; nothing if it is gone."""
    with contextlib.suppress(OSError, ValueError):
        facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        return int(facts["Pss"].split()[0]), int(facts["Rss"].split()[0])
    return 0, 0


def _name(pid: int, api: int) -> str:
    if pid == api:
        return "api"
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return "worker" if b"workers.embedded" in command else "other"
    return "other"


if __name__ == "__main__":
    main()
