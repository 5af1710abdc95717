// Passkeys: their buttons are there where the browser has them, and what goes wrong is said. The rest is allauth's.

import { gettext } from "../../ui/js/words.js";

const elsewhere = () => gettext("Passkeys work at a name over HTTPS, not at this address.");

function wordsFor(exception) {
  if (exception.name === "InvalidStateError") return gettext("This device has a passkey for this account already.");
  if (exception.name === "SecurityError") return elsewhere();
  // Browsers do not tell whether somebody said no, waited too long or has none for this page.
  if (exception.name === "NotAllowedError") return gettext("No passkey was used: it was cancelled, took too long, or there is none for this portal.");
  return gettext("The portal does not answer just now.");
}

export function startPasskeys() {
  const button = document.querySelector("[data-passkey]");
  if (!button) return;
  const said = document.querySelector("[data-passkey-error]");
  const say = (words) => {
    said.textContent = words;
    said.hidden = false;
  };
  // Over plain HTTP browsers have none. Who signs in has a password; who came for a passkey is told.
  if (!window.PublicKeyCredential && !button.hidden) say(elsewhere());
  button.hidden = !window.PublicKeyCredential;
  button.addEventListener("click", () => (said.hidden = true));
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    say(wordsFor(event.detail.exception));
  });
}
