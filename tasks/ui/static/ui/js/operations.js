// Keeps an operator's page fresh: the server says over one WebSocket when what it shows has changed, and the live part
// is fetched and merged in place, so that nothing flickers and the focus stays. While the page is hidden it asks for
// nothing; once the connection is gone it says since when it is stale.

const LONGEST_PAUSE_MS = 15000;
const MISSED = 3; // so many steps without a word: stale
const SIGNED_OUT = 4401;
const FOR_GOOD = [4403, 4429]; // not allowed, too many

let live = null;
let state = null;
let socket = null;
let pause = 500;
let version = null;
let heardAt = 0;
let every = 4;
let isFetching = false;

function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function show(kind) {
  if (state.dataset.liveState === kind) return;
  state.dataset.liveState = kind;
  state.hidden = false;
  state.textContent = state.dataset[kind].replace("{time}", clock(heardAt));
}

function merge(html) {
  window.Idiomorph.morph(live, html, {
    ignoreActiveValue: true,
    // What somebody has unfolded stays so.
    callbacks: { beforeAttributeUpdated: (name) => name !== "open" },
  });
  live = document.getElementById("live");
  document.dispatchEvent(new CustomEvent("portal:merged"));
}

async function refresh(wanted) {
  if (isFetching) return;
  isFetching = true;
  try {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (answer.redirected || answer.status === 403) return location.reload();
    if (!answer.ok) return;
    merge(await answer.text());
    version = wanted;
    show("fresh");
  } catch {
    // The next word of the server brings another try; until then the page says that it is stale.
  } finally {
    isFetching = false;
  }
}

function receive(message) {
  heardAt = Date.now();
  every = message.every;
  if (message.version !== version) refresh(message.version);
  else show("fresh");
}

function connect() {
  if (socket || document.hidden) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const page = encodeURIComponent(live.dataset.livePage);
  const opened = new WebSocket(`${scheme}://${location.host}/ws/operations?page=${page}`);
  socket = opened;
  opened.addEventListener("open", () => (pause = 500));
  opened.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  opened.addEventListener("close", (event) => {
    if (socket === opened) socket = null;
    if (event.code === SIGNED_OUT) return location.reload();
    if (document.hidden) return;
    show("stale");
    if (FOR_GOOD.includes(event.code)) return;
    setTimeout(connect, pause + Math.random() * 300);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  });
}

export function startOperations() {
  live = document.querySelector("[data-live-page]");
  state = document.querySelector("[data-live-state]");
  if (!live || !state || !window.Idiomorph) return;
  heardAt = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      socket?.close();
      socket = null;
    } else connect();
  });
  setInterval(() => {
    if (!document.hidden && Date.now() - heardAt > MISSED * every * 1000) show("stale");
  }, 1000);
  connect();
}
