// Appends what a running task writes: the streamed text and the log, by the events after the last one seen.

import { gettext } from "../../ui/js/words.js";

let last = 0;
let attempt = 0;
let text = "";
let busy = false;
let again = false;

function parts() {
  return { card: document.getElementById("stream-card"), stream: document.getElementById("stream") };
}

function showText(data) {
  const { card, stream } = parts();
  if (!stream) return;
  if (data.attempt > attempt) {
    // A new attempt starts its text anew.
    attempt = data.attempt;
    text = "";
  }
  // Within an attempt, another model server may start it anew.
  if (data.restart && data.attempt === attempt) text = "";
  if (data.output && data.attempt === attempt) text += data.output;
  const atEnd = stream.scrollHeight - stream.scrollTop - stream.clientHeight < 40;
  stream.textContent = text;
  if (atEnd) stream.scrollTop = stream.scrollHeight;
  stream.classList.toggle("writing", !data.done);
  // Once the result is there it holds the text; what a failed task had written stays to be seen.
  card.hidden = !text || data.status === "succeeded";
  card.querySelector("[data-stream-note]").textContent = data.done
    ? gettext("what was written before it ended")
    : gettext("as it is written");
}

function showLog(lines) {
  const list = document.getElementById("log");
  if (!list) return;
  for (const line of lines) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.dateTime = line.at;
    time.textContent = new Date(line.at).toLocaleTimeString([], { hour12: false });
    const words = document.createElement("span");
    words.textContent = line.text;
    item.append(time, words);
    list.append(item);
  }
  if (lines.length) {
    document.getElementById("log-card").hidden = false;
    list.scrollTop = list.scrollHeight;
  }
}

async function read() {
  const { stream } = parts();
  if (!stream) return;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    let more = true;
    while (more) {
      const first = last === 0;
      const response = await fetch(`${stream.dataset.events}?after=${last}`, { headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) return;
      const data = await response.json();
      last = data.last;
      more = data.more;
      showText(data);
      if (first) document.getElementById("log")?.replaceChildren(); // the server's lines come again
      showLog(data.log);
    }
  } catch {
    // Away for a moment: the next change reads on from the same event.
  } finally {
    busy = false;
    if (again) {
      again = false;
      read();
    }
  }
}

export function startStream() {
  if (!document.getElementById("stream")) return;
  document.body.addEventListener("portal:changed", read);
  read();
}
