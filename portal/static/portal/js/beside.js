// A document beside its text: the passage under the pointer or the focus is marked on the page's picture, and the
// other way round. The passages of a page are one stop of the Tab key; the arrow keys go through them.

const KEYS = { ArrowDown: 1, ArrowUp: -1 };

function passageOf(box) {
  return document.querySelector(`[data-box="${CSS.escape(box.id)}"]`);
}

function boxOf(passage) {
  return document.getElementById(passage.dataset.box);
}

function mark(passage) {
  const sheet = passage.closest("[data-beside]");
  for (const marked of sheet.querySelectorAll(".marked")) marked.classList.remove("marked");
  passage.classList.add("marked");
  boxOf(passage)?.classList.add("marked");
}

function makeStops() {
  for (const sheet of document.querySelectorAll("[data-beside]:not(.ready)")) {
    sheet.classList.add("ready");
    const passages = sheet.querySelectorAll("[data-box]");
    passages.forEach((passage, place) => (passage.tabIndex = place ? -1 : 0));
  }
}

function step(event) {
  const passage = event.target.closest("[data-box]");
  if (!passage || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = [...passage.closest("[data-beside]").querySelectorAll("[data-box]")];
  const next = all[all.indexOf(passage) + KEYS[event.key]];
  if (!next) return;
  event.preventDefault();
  passage.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

export function startBeside() {
  makeStops();
  document.addEventListener("htmx:afterSettle", makeStops);
  document.addEventListener("keydown", step);
  for (const name of ["mouseover", "focusin"]) {
    document.addEventListener(name, (event) => {
      const passage = event.target.closest("[data-box]") ?? (event.target.matches("rect.box[id]") ? passageOf(event.target) : null);
      if (passage) mark(passage);
    });
  }
  document.addEventListener("click", (event) => {
    if (event.target.matches("rect.box[id]")) passageOf(event.target)?.focus();
  });
}
