// Files that are dropped, folders with all that is in them.

const MOST_ENTRIES = 20_000; // a home folder dropped by mistake does not stop the page

function children(folder) {
  const reader = folder.createReader();
  const read = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  return (async () => {
    const found = [];
    // A hundred at a time, until there are none.
    for (let part = await read(); part.length; part = await read()) found.push(...part);
    return found.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  })();
}

async function filesIn(entries) {
  const files = [];
  const left = [...entries].reverse();
  while (left.length && files.length < MOST_ENTRIES) {
    const entry = left.pop();
    try {
      if (entry.isDirectory) left.push(...(await children(entry)).reverse());
      else files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    } catch {
      // Not to be read: gone meanwhile, or without permission.
    }
  }
  return files;
}

// Calls onFiles(files, name of the folder or "").
export function startDrop(drop, onFiles) {
  const words = drop.querySelector("[data-drop-words]");
  if (words) words.hidden = false;
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    // Both are empty as soon as the event is over.
    const plain = [...event.dataTransfer.files];
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const folder = entries.length === 1 && entries[0].isDirectory ? entries[0].name : "";
    const files = entries.some((entry) => entry.isDirectory) ? await filesIn(entries) : plain;
    if (files.length) onFiles(files, folder);
  });
}
