// Sends one file, and says how that ended: stored, refused (never again), or cut off (to be tried again).

import { gettext } from "../../ui/js/words.js";

export class Refused extends Error {}
export class CutOff extends Error {}

// Signing in again changes the token of every form.
export async function renewTokens() {
  const page = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!page.ok || page.redirected) throw new CutOff(gettext("You are signed out. Sign in in another tab, then try again."));
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("[name=csrfmiddlewaretoken]");
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = fresh?.value ?? field.value;
}

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {}; // Not ours: a proxy's page, say.
  }
}

function failureOf(request, answer) {
  const isSignIn = request.responseURL && new URL(request.responseURL).pathname.startsWith("/account/");
  if (isSignIn || request.status === 403) {
    const cut = new CutOff(gettext("You are signed out. Sign in in another tab, then try again."));
    cut.needsToken = true;
    return cut;
  }
  if (request.status === 408 || (request.status >= 500 && request.status !== 507)) {
    return new CutOff(answer.error || gettext("The portal does not answer just now."));
  }
  return new Refused(answer.error || gettext("The upload was refused."));
}

// Returns {sent, cancel}: a promise of what was stored, and what ends it.
export function send(file, { token, onProgress }) {
  const request = new XMLHttpRequest();
  const sent = new Promise((resolve, reject) => {
    request.open("POST", "/files/upload");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      const answer = answerOf(request);
      if (request.status === 201) resolve(answer);
      else reject(failureOf(request, answer));
    });
    request.addEventListener("error", () => reject(new CutOff(gettext("The connection broke."))));
    request.addEventListener("abort", () => reject(new CutOff(gettext("Cancelled."))));
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
  return { sent, cancel: () => request.abort() };
}
