// The operators' palette and shortcuts. Without it the button in the header leads to a page that does the same.

import { gettext } from "./words.js";

const TYPING_MS = 120;
const GO = { o: "", t: "tasks/task/", f: "failures/", q: "tasks/queue/", n: "tasks/node/", u: "accounts/user/" };

export function startPalette() {
  const palette = document.querySelector("[data-palette-dialog]");
  const shortcuts = document.querySelector("[data-shortcuts-dialog]");
  const opener = document.querySelector("[data-palette]");
  if (!palette || !opener) return;
  const input = palette.querySelector("input");
  const places = palette.querySelector("#palette-hits");
  let asked = 0;
  let timer = 0;
  let chosen = 0;
  let shownFor = null;

  const links = () => [...places.querySelectorAll("a")];

  function choose(number) {
    const all = links();
    if (!all.length) return input.removeAttribute("aria-activedescendant");
    chosen = (number + all.length) % all.length;
    all.forEach((link, place) => {
      link.id = `palette-hit-${place}`;
      link.setAttribute("role", "option");
      link.setAttribute("aria-selected", String(place === chosen));
      link.tabIndex = -1;
    });
    input.setAttribute("aria-activedescendant", all[chosen].id);
    all[chosen].scrollIntoView({ block: "nearest" });
  }

  async function find() {
    const number = ++asked;
    const text = input.value;
    const address = `${opener.href}?part=1&q=${encodeURIComponent(text)}`;
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" } });
      if (number !== asked) return;
      // Signed out meanwhile: the page says so, and where to sign in.
      if (!answer.ok || answer.redirected) return location.reload();
      const hits = await answer.text();
      if (number !== asked) return;
      // The server has escaped what people wrote; parsed as a document of its own, nothing in it runs.
      places.replaceChildren(...new DOMParser().parseFromString(hits, "text/html").body.childNodes);
      shownFor = text;
      for (const item of places.querySelectorAll("ul, li")) item.setAttribute("role", "presentation");
      choose(0);
    } catch {
      if (number === asked) places.textContent = gettext("The server does not answer.");
    }
  }

  function open() {
    if (palette.open) return;
    input.value = "";
    palette.showModal();
    find();
  }

  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, TYPING_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !event.isComposing) {
      // What was typed last may still be on its way: then the server looks for it.
      const link = links()[chosen];
      if (link && input.value === shownFor) {
        event.preventDefault();
        location.href = link.href;
      }
    }
  });
  for (const dialog of [palette, shortcuts]) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }
  startKeys(open, shortcuts);
}

function startKeys(open, shortcuts) {
  let before = "";
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      open();
    } else if (event.key === "?") {
      shortcuts.showModal();
    } else if (before === "g" && event.key in GO) {
      // Only to what the header links: the rest is not for this account.
      document.querySelector(`.site-nav a[href="/admin/${GO[event.key]}"]`)?.click();
    }
    before = event.key;
  });
}
