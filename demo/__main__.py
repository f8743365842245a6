"""`./run demo`: register, opt out, filter, prove; it fails if any answer differs from what it should be."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx2
from rich.box import SIMPLE_HEAD
from rich.table import Table

from demo import copies, stage
from demo.copies import Met
from demo.stage import DemoError, Person, console

READ_SECONDS: Final = 60
SIGNS: Final = {
    "disallowed": "[bold red]✗ disallowed[/]",
    "unknown": "[dim]· unknown[/]",
    "allowed": "[green]✓ allowed[/]",
}


def main() -> int:
    """Play the demo; the exit status."""
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the registry running and print its address")
    keep = parser.parse_args().keep
    folder = Path(tempfile.mkdtemp(prefix="mediamanager-demo-"))
    began = time.monotonic()
    try:
        running = play(folder, keep=keep)
    except (DemoError, httpx2.HTTPError) as error:
        stage.verdict(False, f"This went wrong: {error}\nWhat there is to look at lies in {folder}")
        return 1
    seconds = time.monotonic() - began
    stage.verdict(
        True,
        f"Everything was as promised, in {seconds:.0f} s. The three copies were found and left out; the rest was kept.",
    )
    if keep:
        console.print(
            f"The registry is still running: [bold]{running.url}[/]\n  sign in   {running.sign_in}\n"
            f"  stop it   kill {running.process.pid}\n  its data  {folder}",
            soft_wrap=True,
        )
    else:
        shutil.rmtree(folder)
    return 0


def play(folder: Path, *, keep: bool) -> stage.Running:
    """The four parts. Raises DemoError where something differs from what it should be."""
    with stage.registry(folder / "registry", keep=keep) as running:
        console.print(f"A registry of its own is running at [bold]{running.url}[/], its data in {folder / 'registry'}")
        creator, pipeline, auditor = people(folder / "registry", running.url)
        works, claim = register(creator, running.url)
        ask(pipeline, folder, works)
        receipt, key = keep_proof(creator, auditor, folder, running.url, claim)
        if not keep:
            stage.stop(running.process)
            auditor.says("The registry is switched off now. What follows needs no network, and trusts nobody.")
        verify(auditor, folder, receipt, key)
    return running


def people(data: Path, url: str) -> tuple[Person, Person, Person]:
    """Three people with three credentials; the operator makes them."""
    stage.headline("Three people, three keys")
    operator = Person("operator", "white")
    made = []
    for role, colour in (("creator", "magenta"), ("pipeline", "cyan"), ("auditor", "yellow")):
        told = operator.types_for_json(
            "keys",
            "create",
            "--role",
            role,
            "--name",
            f"Demo {role}",
            "--data",
            data,
            shown=f"keys create --role {role} --name 'Demo {role}'",
        )
        made.append(Person(role, colour, {"MEDIAMANAGER_URL": url, "MEDIAMANAGER_KEY": told[0]["secret"]}))
    creator, pipeline, auditor = made
    return creator, pipeline, auditor


def register(creator: Person, url: str) -> tuple[dict[str, Path], str]:
    """A picture by upload, a song by fingerprint, captions over the HTTP API; the works, and the captions' claim."""
    stage.headline("A creator registers three works and says: no AI training")
    creator.says("My picture. I upload it; only its fingerprints are kept.")
    picture = creator.types_for_json(
        "register",
        copies.PICTURE,
        "--prefer",
        "train-ai=disallowed",
        shown=f"register {copies.PICTURE.name} --prefer train-ai=disallowed",
    )[0]
    creator.says("My song. It never leaves my machine: only its fingerprint is sent.")
    song = creator.types_for_json(
        "register",
        "--local",
        copies.SONG,
        "--prefer",
        "train-ai=disallowed",
        shown=f"register --local {copies.SONG.name} --prefer train-ai=disallowed",
    )[0]
    creator.says("My video's captions, straight over the HTTP API.")
    captions, claim = over_http(url, creator.environment["MEDIAMANAGER_KEY"], copies.CAPTIONS)
    works = {picture["work"]: copies.PICTURE, song["work"]: copies.SONG, captions: copies.CAPTIONS}
    for work, path in works.items():
        creator.says(f"{path.name}: work {work[:8]}, nobody may train AI with it")
    return works, claim


def over_http(url: str, key: str, path: Path) -> tuple[str, str]:
    """Register a file and file a claim with plain HTTP; the ids of work and claim."""
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        console.print(f"{'$':>9}  POST /v1/works  (file={path.name})", style="dim")
        work = told(
            client.post(
                "/v1/works",
                files={"file": (path.name, path.read_bytes(), "text/vtt")},
                data={"title": "We choose to go to the Moon"},
            )
        )
        console.print(f"{'$':>9}  POST /v1/works/{work['id']}/claims", style="dim")
        claim = told(client.post(f"/v1/works/{work['id']}/claims", json={"preferences": {"train-ai": "disallowed"}}))
        deadline = time.monotonic() + READ_SECONDS
        while work["state"] == "pending":
            if time.monotonic() > deadline:
                raise DemoError(f"{path.name} was not read within {READ_SECONDS} s")
            time.sleep(0.1)
            work = told(client.get(f"/v1/works/{work['id']}"))
        if work["state"] != "ready":
            raise DemoError(f"{path.name} could not be read: {work['failure']['sentence']}")
        return work["id"], claim["id"]


def told(response: httpx2.Response) -> Any:
    """The body of a good answer."""
    if not response.is_success:
        asked = f"{response.request.method} {response.request.url.path}"
        raise DemoError(f"{asked} answered {response.status_code}: {response.text[:300]}")
    return response.json()


def ask(pipeline: Person, folder: Path, works: dict[str, Path]) -> None:
    """A pipeline checks and filters a folder; every file has to get the verdict that it should."""
    stage.headline("A pipeline filters what it has collected")
    met = copies.lay_out(folder / "collected")
    pipeline.says(f"I have collected {len(met)} files. Are there any that I may not train on?")
    answers = pipeline.types_for_json(
        "check", folder / "collected", "--use", "train-genai", expect=(1,), shown="check collected/ --use train-genai"
    )
    found = {Path(answer["path"]).name: answer for answer in answers}
    console.print(table(met, found, works))
    pipeline.types(
        "filter",
        folder / "collected",
        "--output",
        folder / "filtered",
        "--use",
        "train-genai",
        expect=(1,),
        shown="filter collected/ --output filtered/ --use train-genai",
    )
    kept = {path.name for path in (folder / "filtered" / "kept").rglob("*") if path.is_file()}
    for one in met:
        compare(one, found.get(one.name), works)
        if (one.name in kept) is not (one.shows is None):
            raise DemoError(f"{one.name} was {'kept' if one.name in kept else 'left out'} by the filter")
    pipeline.says(f"Kept: {', '.join(sorted(kept))}. A receipt says what was filtered, how, and against what.")


def table(met: list[Met], found: dict[str, Any], works: dict[str, Path]) -> Table:
    """The files with verdict, matched work, distance or score, and reason."""
    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column, share in (("file", 4), ("verdict", 0), ("matched work", 4), ("why", 4)):
        made.add_column(column, overflow="fold", ratio=share or None, no_wrap=not share)
    for one in met:
        answer = found[one.name]
        best = answer["matches"][0] if answer["matches"] else None
        sentence = next((reason["sentence"] for reason in answer["reasons"]), "")
        for work, path in works.items():
            sentence = sentence.replace(work, path.stem)
        made.add_row(
            f"{one.name}\n[dim]{one.what}[/]",
            SIGNS.get(answer["verdict"], answer["verdict"]),
            f"{works[best['work']].name}\n[dim]{evidence(best)}[/]" if best and best["work"] in works else "",
            sentence,
        )
    return made


def evidence(match: dict[str, Any]) -> str:
    """How sure a match is, in a line."""
    limit = "" if match["threshold"] is None else f" (limit {match['threshold']:g})"
    if match["distance"] is not None:
        return f"{match['algorithm']}: {match['distance']} bits{limit}"
    if match["score"] is not None:
        return f"{match['algorithm']}: {match['score']:.4g}{limit}"
    return f"{match['algorithm']}: {match['strength']}"


def compare(one: Met, answer: dict[str, Any] | None, works: dict[str, Path]) -> None:
    """Hold an answer against what it should be. Raises DemoError."""
    if answer is None:
        raise DemoError(f"there is no answer for {one.name}")
    wanted = "unknown" if one.shows is None else "disallowed"
    if answer["verdict"] != wanted:
        raise DemoError(f"{one.name} should be {wanted}, and is {answer['verdict']}")
    shown = {works.get(match["work"]) for match in answer["matches"]}
    if shown != ({one.shows} if one.shows else set()):
        raise DemoError(f"{one.name} was matched with {shown or 'nothing'}")


def keep_proof(creator: Person, auditor: Person, folder: Path, url: str, claim: str) -> tuple[Path, str]:
    """The creator keeps a receipt, the auditor a copy of the log; the receipt's file and the log's key."""
    stage.headline("An auditor verifies the log, without trusting the registry")
    receipt = folder / "receipt.json"
    creator.types(
        "claims", "receipt", claim, "--output", receipt, shown=f"claims receipt {claim[:8]}… --output receipt.json"
    )
    auditor.types("audit", "log", url, "--output", folder / "log-copy", shown=f"audit log {url} --output log-copy/")
    return receipt, str(json.loads(receipt.read_text(encoding="utf-8"))["log_key"])


def verify(auditor: Person, folder: Path, receipt: Path, key: str) -> None:
    """The copy of the log holds, and a copy with one flipped bit does not."""
    copy = folder / "log-copy"
    said = auditor.types(
        "audit",
        "verify",
        copy,
        "--key",
        key,
        "--receipt",
        receipt,
        shown="audit verify log-copy/ --key … --receipt receipt.json",
    )
    console.print(said.rstrip(), style="green")
    forged = folder / "log-forged"
    shutil.copytree(copy, forged)
    bundle = next(path for path in sorted((forged / "tile" / "entries").rglob("*")) if path.is_file())
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    auditor.says("And if somebody had changed a single bit of it?")
    auditor.types("audit", "verify", forged, "--key", key, expect=(1,), shown="audit verify log-forged/ --key …")
    auditor.says("Found: exit status 1, proven misbehaviour.")


if __name__ == "__main__":
    sys.exit(main())
