// The list of tasks: tick all, say how many are ticked, and keep the ticks when the rows are fetched again.

import { gettext } from "../../ui/js/words.js";

const ticked = new Set();

function boxes() {
  return [...document.querySelectorAll("[data-check]")];
}

function show() {
  const all = document.querySelector("[data-check-all]");
  if (!all) return;
  all.hidden = false;
  const count = boxes().filter((box) => box.checked).length;
  all.checked = count > 0 && count === boxes().length;
  all.indeterminate = count > 0 && !all.checked;
  document.querySelector("[data-check-count]").textContent = count
    ? gettext("{count} selected", { count })
    : gettext("Select all");
  for (const button of document.querySelectorAll("#bulk button")) button.disabled = count === 0;
}

export function startChecks() {
  if (!document.querySelector("[data-check], #tasks-live")) return;
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-check-all]")) {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.matches("[data-check], [data-check-all]")) {
      ticked.clear();
      for (const box of boxes()) if (box.checked) ticked.add(box.value);
      show();
    }
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const box of boxes()) box.checked = ticked.has(box.value);
    show();
  });
  show();
}
