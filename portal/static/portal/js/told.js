// Tells a person who looks elsewhere that something has ended: a number in the page's title and a notification of the
// browser, for whoever has asked for it in this browser; and keeps the number on the bell right.

import { announce } from "../../ui/js/page.js";

const CHOICE = "portal.notify";
const ENDED = new Set(["succeeded", "failed", "cancelled", "expired"]);
const GATHER_MS = 1500; // a hundred ends in a row are one question and one notification
const MOST_SINGLE = 3;

const shown = new Set();
let since = "";
let gathering = null;
let missed = 0;
let title = document.title;

const bell = () => document.querySelector("[data-news]");
const isKnown = () => "Notification" in window && window.isSecureContext;

export function wantsNews() {
  return isKnown() && Notification.permission === "granted" && localStorage.getItem(CHOICE) === "yes";
}

function showCount(unseen) {
  const count = bell().querySelector("[data-count]");
  count.hidden = unseen === 0;
  count.textContent = unseen >= 99 ? "99+" : String(unseen);
}

function notify({ id, title: words, text, url }) {
  // The same tag from another page of the portal replaces it: nobody is told twice.
  const notification = new Notification(words, { body: text, tag: `portal-${id}` });
  notification.addEventListener("click", () => {
    window.focus();
    location.assign(url);
  });
}

function tell({ items, summary, url }) {
  const fresh = items.filter((item) => !shown.has(item.id + item.text));
  for (const item of fresh) shown.add(item.id + item.text);
  if (!document.hidden || fresh.length === 0 || !wantsNews()) return;
  missed += fresh.length;
  document.title = `(${missed}) ${title}`;
  if (fresh.length <= MOST_SINGLE) fresh.forEach(notify);
  else notify({ id: "many", title: summary, text: fresh.map((item) => item.title).join(", "), url });
}

async function ask() {
  gathering = null;
  try {
    const response = await fetch(`${bell().dataset.news}?since=${encodeURIComponent(since)}`);
    if (!response.ok || response.redirected) return;
    const news = await response.json();
    since = news.now;
    showCount(news.unseen);
    tell(news);
  } catch {
    // The next message asks again.
  }
}

function startSwitch() {
  const show = () => {
    for (const part of document.querySelectorAll("[data-notify]")) {
      const button = part.querySelector("button");
      part.hidden = !isKnown();
      button.setAttribute("aria-pressed", String(wantsNews()));
      button.querySelector("span").textContent = wantsNews() ? button.dataset.on : button.dataset.off;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-notify] button");
    if (!button) return;
    const wanted = !wantsNews();
    if (wanted && (await Notification.requestPermission()) !== "granted") {
      announce(button.dataset.blocked);
      const note = button.parentElement.querySelector("p");
      note.textContent = button.dataset.blocked;
      note.hidden = false;
      return;
    }
    localStorage.setItem(CHOICE, wanted ? "yes" : "no");
    show();
    document.dispatchEvent(new CustomEvent("portal:wants-news"));
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
}

export function startTold() {
  if (!bell()) return;
  since = bell().dataset.since;
  startSwitch();
  document.addEventListener("portal:message", ({ detail }) => {
    if (detail.read_again || ENDED.has(detail.status)) gathering ??= setTimeout(ask, GATHER_MS);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      title = document.title;
      return;
    }
    missed = 0;
    document.title = title;
  });
}
