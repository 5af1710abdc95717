// What is wrong with a file that can be told before it is sent: size, kind, name, room in the plan.

import { fill, gettext, numberText, sizeText } from "../../ui/js/words.js";

const MOST_NAME_BYTES = 255; // as tasks/files.py
const BESIDE_FOLDERS = new Set(["thumbs.db", "desktop.ini"]);

// What systems put into folders for themselves.
export function isHidden(file) {
  return file.name.startsWith(".") || BESIDE_FOLDERS.has(file.name.toLowerCase());
}

export function fits(type, accept) {
  // A file whose kind the browser does not know is sent: the portal looks into it.
  if (!accept.length || !type) return true;
  return accept.some((wanted) => (wanted.endsWith("/*") ? type.startsWith(wanted.slice(0, -1)) : wanted === type));
}

export function wrongKind(type, accept) {
  return fill(gettext("It is %(kind)s; this takes %(accepted)s."), { kind: type, accepted: accept.join(", ") });
}

// `before`: how many files, and bytes, come before it.
export function whyNot(file, { accept, room, before }) {
  if (file.size === 0) return gettext("There is nothing in it.");
  if (file.size > room.fileBytes) {
    return fill(gettext("It has %(size)s; a file may have %(most)s at most."), { size: sizeText(file.size), most: sizeText(room.fileBytes) });
  }
  if (new TextEncoder().encode(file.name).length > MOST_NAME_BYTES) {
    return fill(gettext("Its name is too long: at most %(most)s bytes."), { most: MOST_NAME_BYTES });
  }
  if (!fits(file.type, accept)) return wrongKind(file.type, accept);
  if (before.count >= room.mostFiles) return fill(gettext("At most %(most)s files are taken at once."), { most: numberText(room.mostFiles) });
  if (before.count >= room.tasksLeft) return fill(gettext("Your plan takes %(left)s more tasks for now."), { left: numberText(room.tasksLeft) });
  if (before.bytes + file.size > room.bytesLeft) return fill(gettext("Your plan has room for %(left)s of files."), { left: sizeText(room.bytesLeft) });
  return "";
}
