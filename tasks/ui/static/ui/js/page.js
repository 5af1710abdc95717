// Small conveniences of every page, the operators' too: theme, menus, copy buttons, confirmations, relative times.

import { gettext } from "./words.js";

export function announce(text) {
  const place = document.getElementById("announcer");
  if (place && place.textContent !== text) place.textContent = text;
}

function startTheme() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  button.hidden = false;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  button.addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${next}; path=/; max-age=31536000; SameSite=Lax${secure}`;
    announce(next === "dark" ? gettext("Dark colours") : gettext("Light colours"));
  });
}

function startMenus() {
  const open = () => document.querySelector("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      const search = document.querySelector("[data-slash]");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });
}

function startCopyButtons() {
  const show = () => {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  };
  show();
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText);
      announce(gettext("Copied"));
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
    } catch {
      announce(gettext("Copying is not allowed here: mark the text and copy it by hand."));
    }
  });
}

function startConfirms() {
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
  document.querySelector("[data-focus]")?.focus();
}

function startSubmitOnce() {
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !event.target.matches("[data-submit-once]")) return;
    // After the browser has taken the form's values: a disabled button would be missing among them.
    setTimeout(() => {
      for (const button of event.target.querySelectorAll("[type=submit]")) button.disabled = true;
    });
  });
  // Coming back by the back button, the page must be usable again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const button of document.querySelectorAll("[data-submit-once] [type=submit]")) button.disabled = false;
  });
}

// The words are those of tasks/ui/words.py. Up to which distance, in what unit, for what was and what will be.
const AGO = [
  [60, 1, "{count} s ago", "in {count} s"],
  [3600, 60, "{count} min ago", "in {count} min"],
  [86400, 3600, "{count} h ago", "in {count} h"],
  [172800, 86400, "1 day ago", "in 1 day"],
  [Infinity, 86400, "{count} days ago", "in {count} days"],
];

function ago(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 10) return seconds >= 0 ? gettext("just now") : gettext("now");
  const [, unit, past, future] = AGO.find(([limit]) => distance < limit);
  return gettext(seconds >= 0 ? past : future, { count: Math.floor(distance / unit) });
}

function startTimes() {
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }, 5000);
}

// A fragment that came back as the sign-in page is not shown.
function startFragments() {
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.responseURL && new URL(xhr.responseURL).pathname.startsWith("/account/")) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
}

export function startPage() {
  document.documentElement.classList.add("js");
  startTheme();
  startMenus();
  startCopyButtons();
  startConfirms();
  startSubmitOnce();
  startTimes();
  startFragments();
}
