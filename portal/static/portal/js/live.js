// Keeps a page fresh: messages of the WebSocket become `portal:changed` events, on which htmx fetches the
// live part of the page again. While the socket is down, the page asks every few seconds instead.

import { announce } from "../../ui/js/page.js";
import { gettext } from "../../ui/js/words.js";
import { wantsNews } from "./told.js";

const GATHER_MS = 350; // several messages in a row cost one request
const POLL_MS = 3000;
const IDLE_POLL_MS = 30000; // a safety net while the socket is up
const LONGEST_PAUSE_MS = 15000;

let socket = null;
let pause = 500;
let gathering = null;
let missed = false;

function watched() {
  return document.querySelector("[data-live]")?.dataset.live;
}

function finished() {
  return document.querySelector("#task-live[data-done], #batch-live[data-done]") !== null;
}

function changed() {
  gathering = null;
  if (document.hidden) {
    missed = true;
    return;
  }
  document.body.dispatchEvent(new CustomEvent("portal:changed"));
}

function gather() {
  gathering ??= setTimeout(changed, GATHER_MS);
}

function pass(message) {
  document.dispatchEvent(new CustomEvent("portal:message", { detail: message }));
}

function receive(message) {
  pass(message);
  const wanted = watched();
  if (message.read_again || wanted === "all" || wanted === message.id) gather();
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/tasks`);
  socket.addEventListener("open", () => {
    pause = 500;
    gather(); // what happened before it was open
    pass({ read_again: true });
  });
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => {
    socket = null;
    if (event.code === 4401) return location.reload(); // signed out elsewhere
    setTimeout(connect, pause + Math.random() * 300);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  });
}

function poll() {
  const isOpen = socket?.readyState === WebSocket.OPEN;
  setTimeout(poll, isOpen ? IDLE_POLL_MS : POLL_MS);
  if (!finished()) gather();
}

export function startLive() {
  // A page that is not live is told of ends, too, where the person wants that.
  document.addEventListener("portal:wants-news", () => {
    if (wantsNews() && !socket) connect();
  });
  if (!watched()) {
    if (wantsNews()) connect();
    return;
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && missed) {
      missed = false;
      changed();
    }
  });
  let status = document.getElementById("task-live")?.dataset.status;
  document.addEventListener("htmx:afterSettle", () => {
    const now = document.getElementById("task-live")?.dataset.status;
    if (now && now !== status) {
      status = now;
      announce(gettext("Status: {status}", { status: document.querySelector("#task-head .badge")?.textContent.trim() ?? now }));
    }
  });
  if (!finished()) {
    connect();
    setTimeout(poll, POLL_MS);
  } else if (wantsNews()) {
    connect();
  }
}
