// The files of one form: each checked before it is sent, two sent at a time, each with its progress; one that was cut
// off is sent again when the connection is back, or by its button.

import { fill, gettext, ngettext, numberText, sizeText } from "../../ui/js/words.js";
import { fits, isHidden, whyNot, wrongKind } from "./checks_of_files.js";
import { CutOff, renewTokens, send } from "./upload.js";

const AT_ONCE = 2;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(words, name, onClick) {
  const made = element("button", { type: "button", class: "button small ghost", "aria-label": `${words}: ${name}` }, words);
  made.addEventListener("click", onClick);
  return made;
}

class Row {
  constructor(list, file) {
    this.list = list;
    this.file = file;
    this.status = "waiting";
    // Marks that turn the writing around would do it to the words beside them, too.
    this.name = file.name.replace(/\p{C}/gu, "");
    this.note = element("span", { class: "muted small" }, sizeText(file.size));
    this.bar = element("progress", { max: "100", value: "0", "aria-label": fill(gettext("Uploading %(name)s"), { name: this.name }), hidden: "" });
    this.again = button(gettext("Try again"), this.name, () => list.send(this));
    this.again.hidden = true;
    this.away = button(gettext("Remove"), this.name, () => list.remove(this));
    this.fault = element("span", { class: "field-error", hidden: "" });
    const name = element("strong", { class: "truncate", dir: "auto", title: file.webkitRelativePath || this.name }, this.name);
    const words = element("span", { class: "upload-name" }, name, this.note);
    this.item = element("li", { "data-status": this.status }, words, element("span", { class: "row tight" }, this.again, this.away), this.bar, this.fault);
  }

  show(status, fault = "") {
    this.status = status;
    this.item.dataset.status = status;
    this.bar.hidden = status !== "sending";
    this.again.hidden = status !== "cut";
    this.fault.hidden = !fault;
    this.fault.textContent = fault;
  }

  async send() {
    this.bar.value = 0;
    this.show("sending");
    try {
      if (this.needsToken) await renewTokens();
      this.needsToken = false;
      const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
      const { sent, cancel } = send(this.file, { token, onProgress: (part) => (this.bar.value = Math.round(part * 100)) });
      this.cancel = cancel;
      this.keep(await sent);
    } catch (error) {
      this.needsToken = Boolean(error.needsToken);
      this.show(error instanceof CutOff ? "cut" : "refused", error.message);
    }
  }

  keep(stored) {
    // What it is was found in its bytes; its name may have said something else.
    if (!fits(stored.type, this.list.accept)) return this.show("refused", wrongKind(stored.type, this.list.accept));
    this.show("stored");
    this.stored = stored;
    this.item.append(element("input", { type: "hidden", name: this.list.fieldName, value: stored.id }));
  }
}

export class UploadList {
  constructor(root, onChange) {
    const { name, accept, several, each, mostFiles } = root.dataset;
    const { fileBytes, bytesLeft, tasksLeft } = root.closest("form").dataset;
    const most = (text) => (text ? Number(text) : Infinity);
    this.root = root;
    this.place = root.querySelector("[data-chosen]");
    this.summary = root.querySelector("[data-upload-summary]");
    this.fieldName = name;
    this.accept = accept ? accept.split(",") : [];
    this.several = several !== undefined;
    this.room = { fileBytes: most(fileBytes), bytesLeft: most(bytesLeft), tasksLeft: most(each === undefined ? "" : tasksLeft), mostFiles: most(mostFiles) };
    this.rows = [];
    this.hidden = 0;
    this.onChange = onChange;
    addEventListener("online", () => this.sendCutAgain());
    addEventListener("beforeunload", (event) => this.pending && event.preventDefault());
    root.querySelector("[data-send-again]")?.addEventListener("click", () => this.sendCutAgain());
    root.addEventListener("change", ({ target }) => target.type === "checkbox" && this.changed()); // those that were here before
  }

  count(...statuses) {
    return this.rows.filter((row) => statuses.includes(row.status)).length;
  }

  get pending() {
    return this.count("waiting", "sending");
  }

  // Those of earlier are ticked, those of now hold their id.
  get chosen() {
    return this.root.querySelectorAll("input[type=checkbox]:checked, [data-chosen] input[type=hidden]").length;
  }

  add(files, folder = "") {
    if (!this.several) {
      for (const row of [...this.rows]) this.remove(row);
      this.place.replaceChildren();
    }
    const wanted = folder ? files.filter((file) => !isHidden(file)) : files;
    this.hidden += files.length - wanted.length;
    const before = { count: this.chosen, bytes: 0 };
    for (const row of this.rows.filter(({ status }) => ["waiting", "sending", "cut"].includes(status))) {
      before.count += 1;
      before.bytes += row.file.size;
    }
    const rows = (this.several ? wanted : wanted.slice(0, 1)).map((file) => {
      const row = new Row(this, file);
      const fault = whyNot(file, { accept: this.accept, room: this.room, before });
      if (fault) row.show("refused", fault);
      else {
        before.count += 1;
        before.bytes += file.size;
      }
      return row;
    });
    this.rows.push(...rows);
    this.place.append(...rows.map((row) => row.item));
    if (folder) this.folder = folder;
    this.changed();
    this.work();
  }

  // What is here by its id, for a form that is to be filled as it was.
  kept() {
    const earlier = [...this.root.querySelectorAll("input[type=checkbox]:checked")].map((box) => ({
      id: box.value,
      name: (box.closest("li")?.querySelector("strong") ?? box.closest("label").querySelector("bdi")).textContent,
      size: Number(box.dataset.size),
    }));
    const stored = this.rows.filter((row) => row.stored).map((row) => ({ id: row.stored.id, name: row.file.name, size: row.file.size }));
    return [...earlier, ...stored];
  }

  restore({ id, name, size }) {
    const row = new Row(this, { name, size });
    row.keep({ id, type: "" });
    this.rows.push(row);
    this.place.append(row.item);
    this.changed();
  }

  remove(row) {
    row.cancel?.();
    this.rows = this.rows.filter((other) => other !== row);
    const next = row.item.nextElementSibling ?? row.item.previousElementSibling;
    row.item.remove();
    (next?.querySelector("button:not([hidden])") ?? this.root.querySelector("input[type=file]")).focus();
    this.changed();
    this.work();
  }

  send(row) {
    row.show("waiting");
    this.changed();
    this.work();
  }

  sendCutAgain() {
    for (const row of this.rows) if (row.status === "cut") row.show("waiting");
    this.changed();
    this.work();
  }

  async work() {
    while (this.count("sending") < AT_ONCE) {
      const next = this.rows.find((row) => row.status === "waiting");
      if (!next) return;
      next.send().then(() => {
        this.changed();
        this.work();
      });
      this.changed();
    }
  }

  changed() {
    this.summary.textContent = this.words();
    this.root.querySelector("[data-send-again]")?.toggleAttribute("hidden", this.count("cut") < 2);
    this.onChange(this);
  }

  words() {
    if (this.rows.length < 2 && !this.hidden) return "";
    const part = (text, count) => (count ? [fill(text, { count: numberText(count) })] : []);
    return [
      ...part(ngettext("%(count)s file", "%(count)s files", this.rows.length), this.rows.length),
      ...part(ngettext("%(count)s uploaded", "%(count)s uploaded", this.count("stored")), this.count("stored")),
      ...part(ngettext("%(count)s still to be sent", "%(count)s still to be sent", this.pending), this.pending),
      ...part(ngettext("%(count)s refused", "%(count)s refused", this.count("refused")), this.count("refused")),
      ...part(ngettext("%(count)s cut off", "%(count)s cut off", this.count("cut")), this.count("cut")),
      ...part(ngettext("%(count)s hidden file left out", "%(count)s hidden files left out", this.hidden), this.hidden),
    ].join(" · ");
  }
}
