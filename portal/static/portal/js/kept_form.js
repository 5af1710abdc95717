// What was sent with a form stays in this tab until the next page says that it arrived: whoever had been signed out
// meanwhile, or met a portal that was just starting anew, finds the form as it was.

import { announce } from "../../ui/js/page.js";
import { gettext } from "../../ui/js/words.js";

const KEY = "kept-form";
const NOT_KEPT = new Set(["csrfmiddlewaretoken"]);

function valuesOf(form) {
  const isKept = ([name, value]) => !NOT_KEPT.has(name) && typeof value === "string" && !form.querySelector(`[data-files][data-name="${CSS.escape(name)}"]`);
  return [...new FormData(form)].filter(isKept);
}

function filesOf(form) {
  return [...form.querySelectorAll("[data-files]")].map((root) => [root.dataset.name, root.uploads?.kept() ?? []]);
}

function keep(form) {
  const kept = { path: location.pathname, user: form.dataset.keep, values: valuesOf(form), files: filesOf(form) };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // No room, or not allowed: the form is sent as it always was.
  }
}

function fill(form, { values, files }) {
  for (const field of form.elements) {
    if (!field.name || NOT_KEPT.has(field.name) || field.type === "file" || field.closest("[data-files]")) continue;
    const own = values.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.type === "checkbox" || field.type === "radio") field.checked = own.includes(field.value);
    else if (own.length) field.value = own[0];
  }
  for (const [name, kept] of files) {
    const list = form.querySelector(`[data-files][data-name="${CSS.escape(name)}"]`)?.uploads;
    for (const file of kept) list?.restore(file);
  }
  for (const fold of form.querySelectorAll("details")) fold.open ||= [...fold.querySelectorAll("textarea, input:not([type])")].some((field) => field.value);
}

function takeKept() {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  // Signing in is on the way back to the form; any other page means that it arrived, or is not wanted any more.
  if (kept && kept.path !== location.pathname && !location.pathname.startsWith("/account/")) sessionStorage.removeItem(KEY);
  return kept?.path === location.pathname ? kept : null;
}

export function startKeptForms() {
  let kept = null;
  try {
    kept = takeKept();
  } catch {
    return; // no storage here
  }
  const form = document.querySelector("form[data-keep]");
  if (!form) return;
  if (kept && "fresh" in form.dataset) {
    sessionStorage.removeItem(KEY);
    // Somebody else may have signed in in this tab.
    if (kept.user === form.dataset.keep) {
      fill(form, kept);
      const words = gettext("This form was not submitted. It is as you left it.");
      form.querySelector("[data-kept-words]").textContent = words;
      form.querySelector("[data-kept-words]").hidden = false;
      announce(words);
    }
  }
  form.addEventListener("submit", () => keep(form));
}
