// File drops: a dropped or chosen file is uploaded at once, with progress; the form then only names its id.

const MEGA = 1000 * 1000;

function sizeOf(bytes) {
  return bytes < MEGA ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / MEGA).toFixed(1)} MB`;
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function upload(file, token, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/files/upload");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // Not ours: a proxy's page, say.
      }
      if (request.status === 201) resolve(answer);
      else reject(new Error(answer.error || `The upload was refused (${request.status}).`));
    });
    request.addEventListener("error", () => reject(new Error("The connection broke. Try again.")));
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

async function take(field, file, token) {
  const list = field.querySelector("[data-chosen]");
  if (!("many" in field.dataset)) list.replaceChildren();
  const bar = element("progress", { max: "100", value: "0", "aria-label": `Uploading ${file.name}` });
  const note = element("span", { class: "muted small" }, sizeOf(file.size));
  const name = element("strong", { class: "truncate" }, file.name);
  const remove = element("button", { type: "button", class: "button small ghost", "aria-label": `Remove ${file.name}` }, "Remove");
  const item = element("li", {}, element("span", {}), element("span", {}, name, note), remove, bar);
  remove.addEventListener("click", () => {
    item.remove();
    field.querySelector("input[type=file]").focus();
  });
  list.append(item);
  try {
    const stored = await upload(file, token, (part) => {
      bar.value = Math.round(part * 100);
    });
    bar.remove();
    item.append(element("input", { type: "hidden", name: field.dataset.name, value: stored.id }));
  } catch (error) {
    bar.remove();
    item.append(element("span", { class: "field-error", role: "alert" }, error.message));
  }
}

function startDrop(drop, onFiles) {
  const words = drop.querySelector("[data-drop-words]");
  if (words) words.hidden = false;
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  });
}

export function startFileDrops() {
  for (const field of document.querySelectorAll("[data-files]")) {
    const input = field.querySelector("input[type=file]");
    const form = field.closest("form");
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    let pending = 0;
    const onFiles = async (files) => {
      pending += 1;
      const button = form.querySelector("[type=submit].primary");
      button.disabled = true;
      for (const file of "many" in field.dataset ? files : files.slice(0, 1)) await take(field, file, token);
      pending -= 1;
      if (!pending) button.disabled = false;
    };
    startDrop(field.querySelector("[data-drop]"), onFiles);
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = ""; // uploaded here, not again with the form
      if (files.length) onFiles(files);
    });
  }
  for (const form of document.querySelectorAll("form[data-quick-file]")) {
    const input = form.querySelector("input[type=file]");
    form.querySelector("[data-drop-submit]").hidden = true;
    const send = () => form.requestSubmit();
    startDrop(form.querySelector("[data-drop]"), (files) => {
      const transfer = new DataTransfer();
      transfer.items.add(files[0]);
      input.files = transfer.files;
      send();
    });
    input.addEventListener("change", () => input.files.length && send());
  }
}
