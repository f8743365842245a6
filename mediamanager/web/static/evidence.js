// Plays and draws what was found, from the file on this device: it is never sent again. Without script, words say it all.
"use strict";

const WAVE_POINTS = 500;
const MAX_DECODED_BYTES = 60e6; // of a larger file the player works, and its waveform is left out
const SVG = "http://www.w3.org/2000/svg";
let ownAddress = null;

function ownFile() {
  const input = document.querySelector("main input[type=file]");
  return input && input.files.length ? input.files[0] : null;
}

// Peaks of the loudest channel, 0 to 1.
async function peaks(file) {
  if (file.size > MAX_DECODED_BYTES) return null;
  const context = new OfflineAudioContext(1, 1, 8000);
  const sound = await context.decodeAudioData(await file.arrayBuffer());
  const samples = sound.getChannelData(0);
  const step = Math.max(1, Math.floor(samples.length / WAVE_POINTS));
  const found = [];
  for (let at = 0; at < samples.length; at += step) {
    let loudest = 0;
    for (const sample of samples.subarray(at, at + step)) loudest = Math.max(loudest, Math.abs(sample));
    found.push(loudest);
  }
  const most = Math.max(...found, 1e-6);
  return { levels: found.map((one) => one / most), seconds: sound.duration };
}

function draw(track, wave) {
  const scale = (1000 * wave.seconds) / Number(track.dataset.length) / wave.levels.length;
  const above = wave.levels.map((level, at) => `${(at * scale).toFixed(1)} ${(50 - 46 * level).toFixed(1)}`);
  const below = wave.levels.map((level, at) => `${(at * scale).toFixed(1)} ${(50 + 46 * level).toFixed(1)}`).reverse();
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", "wave");
  path.setAttribute("d", `M${above.join("L")}L${below.join("L")}Z`);
  track.insertBefore(path, track.querySelector(".found"));
}

function playhead(track, player) {
  const line = document.createElementNS(SVG, "rect");
  for (const [name, value] of [["class", "head"], ["y", 0], ["width", 3], ["height", 100], ["x", -10]]) {
    line.setAttribute(name, value);
  }
  track.append(line);
  player.addEventListener("timeupdate", () => {
    line.setAttribute("x", (1000 * player.currentTime) / Number(track.dataset.length));
  });
}

function play(root, player, begin, end) {
  for (const other of root.querySelectorAll("audio, video")) if (other !== player) other.pause();
  const go = () => {
    player.currentTime = begin;
    player.dataset.stop = end;
    player.play().catch(() => {});
  };
  if (player.readyState > 0) {
    go();
  } else {
    player.addEventListener("loadedmetadata", go, { once: true });
    player.load();
  }
}

function players(root) {
  for (const player of root.querySelectorAll("audio[data-side], video[data-side]")) {
    player.addEventListener("timeupdate", () => {
      if (player.dataset.stop && player.currentTime >= Number(player.dataset.stop)) {
        player.pause();
        delete player.dataset.stop;
      }
    });
    for (const track of root.querySelectorAll(`[data-track="${player.dataset.side}"]`)) {
      playhead(track, player);
      for (const bar of track.querySelectorAll(".found")) {
        bar.addEventListener("click", () => play(root, player, Number(bar.dataset.begin), Infinity));
      }
    }
    for (const button of root.querySelectorAll(`[data-play="${player.dataset.side}"]`)) {
      button.hidden = false;
      button.addEventListener("click", () => play(root, player, Number(button.dataset.begin), Number(button.dataset.end)));
    }
  }
}

function ownPicture(image) {
  const outline = image.parentElement.querySelector("svg");
  image.addEventListener("load", () => {
    image.hidden = false;
    image.parentElement.classList.add("pictured");
    if (!outline || !outline.hasAttribute("data-region")) return;
    const sides = outline.dataset.region.split(" ").map(Number);
    if (sides.length !== 4) return;
    outline.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
    for (const box of outline.querySelectorAll("rect")) {
      box.setAttribute("x", sides[0]);
      box.setAttribute("y", sides[1]);
      box.setAttribute("width", sides[2] - sides[0]);
      box.setAttribute("height", sides[3] - sides[1]);
    }
    outline.removeAttribute("hidden");
  });
  image.src = ownAddress;
}

// Under the work lies the asset itself where this browser can show it, else the small picture that came with the page.
function ownBelow(image) {
  const before = image.getAttribute("href");
  image.addEventListener("error", () => before && image.setAttribute("href", before), { once: true });
  image.setAttribute("href", ownAddress);
}

function show(root) {
  const file = root.querySelector("[data-own], [data-own-picture], [data-own-below]") ? ownFile() : null;
  const own = root.querySelector("[data-own]");
  if (file) {
    if (ownAddress) URL.revokeObjectURL(ownAddress);
    ownAddress = URL.createObjectURL(file);
    root.querySelectorAll("[data-own-picture]").forEach(ownPicture);
    root.querySelectorAll("[data-own-below]").forEach(ownBelow);
  }
  if (own && file) {
    own.querySelector("[data-side]").src = ownAddress;
    own.hidden = false;
    peaks(file).then(
      (wave) => wave && root.querySelectorAll("[data-wave]").forEach((track) => draw(track, wave)),
      () => {}, // a kind of sound that this browser can't read: bars and words remain
    );
  } else if (own) {
    own.remove(); // nothing to play here: the page was reloaded, and browsers do not keep files
  }
  players(root);
}

document.querySelectorAll("[data-evidence]").forEach(show);
document.body.addEventListener("htmx:afterSwap", (event) => {
  for (const root of event.detail.target.querySelectorAll("[data-evidence]")) {
    show(root);
    root.focus();
  }
});
