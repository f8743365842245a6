// What a page does better with script: drop files, list them, say what a preset means. Every page works without it.
"use strict";

const size = (bytes, language) =>
  new Intl.NumberFormat(language, { style: "unit", unit: bytes < 1e6 ? "kilobyte" : "megabyte", maximumFractionDigits: 1 })
    .format(bytes / (bytes < 1e6 ? 1e3 : 1e6));

function chooser(box) {
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector(".files");
  const chosen = new DataTransfer();
  const language = document.documentElement.lang;

  const show = () => {
    input.files = chosen.files;
    list.replaceChildren(
      ...[...chosen.files].map((file, at) => {
        const row = document.createElement("li");
        const name = document.createElement("span");
        const remove = document.createElement("button");
        name.textContent = `${file.name} · ${size(file.size, language)}`;
        remove.type = "button";
        remove.className = "quiet";
        remove.textContent = box.dataset.remove.replace("{name}", file.name);
        remove.addEventListener("click", () => {
          chosen.items.remove(at);
          show();
          input.focus();
        });
        row.append(name, remove);
        return row;
      }),
    );
  };
  const add = (files) => {
    for (const file of files) if (input.multiple || chosen.items.length === 0) chosen.items.add(file);
    show();
  };

  input.addEventListener("change", () => {
    const fresh = [...input.files];
    if (!input.multiple) chosen.items.clear();
    add(fresh);
  });
  for (const kind of ["dragenter", "dragover"]) {
    box.addEventListener(kind, (event) => {
      event.preventDefault();
      box.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) box.addEventListener(kind, () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!input.multiple) chosen.items.clear();
    add(event.dataTransfer.files);
  });
}

function presets(group) {
  const sentence = document.getElementById(group.dataset.sentence);
  if (!sentence) return;
  const say = () => {
    const checked = group.querySelector("input:checked");
    if (checked) sentence.textContent = checked.dataset.sentence;
  };
  group.addEventListener("change", say);
  say();
}

// A double click must not send a form twice; the server would notice, the person should not have to wonder.
function once(form) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button.primary");
    if (!button) return;
    setTimeout(() => {
      button.disabled = true;
      button.dataset.idle = button.textContent;
      if (button.dataset.busy) button.textContent = button.dataset.busy;
    });
  });
}

function copy(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
  });
}

document.querySelectorAll(".chooser").forEach(chooser);
document.querySelectorAll("[data-sentence].cards").forEach(presets);
function prepare(part) {
  part.querySelectorAll("form[data-once]").forEach(once);
  part.querySelectorAll("button[data-copy]").forEach(copy);
}

prepare(document);
document.body.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) prepare(event.detail.elt);
});
// What is wrong with a form is shown like any other answer to it, and the form can be sent again.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  const button = event.detail.elt.querySelector("button.primary");
  if (!button || !button.dataset.idle) return;
  button.disabled = false;
  button.textContent = button.dataset.idle;
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-once] button[disabled]").forEach((b) => (b.disabled = false));
});
