// Passkeys: their buttons are there where the browser has them, and what goes wrong is said. The rest is allauth's.

import { gettext } from "../../ui/js/words.js";

function wordsFor(exception) {
  if (exception.name === "InvalidStateError") return gettext("This device has a passkey for this account already.");
  if (exception.name === "SecurityError") return gettext("Passkeys work at a name over HTTPS, not at this address.");
  // Browsers do not tell whether somebody said no, waited too long or has none for this page.
  if (exception.name === "NotAllowedError") return gettext("No passkey was used: it was cancelled, took too long, or there is none for this portal.");
  return gettext("The portal does not answer just now.");
}

export function startPasskeys() {
  const button = document.querySelector("[data-passkey]");
  if (!button) return;
  const said = document.querySelector("[data-passkey-error]");
  button.hidden = !window.PublicKeyCredential;
  button.addEventListener("click", () => (said.hidden = true));
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    said.textContent = wordsFor(event.detail.exception);
    said.hidden = false;
  });
}
