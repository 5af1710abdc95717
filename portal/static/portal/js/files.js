// Choosing files: what is dropped or chosen is uploaded at once, and the form then only names the ids.

import { fill, ngettext, numberText } from "../../ui/js/words.js";
import { startDrop } from "./drop.js";
import { UploadList } from "./upload_list.js";

function startChoice(root, list) {
  startDrop(root.querySelector("[data-drop]"), (files, folder) => list.add(files, folder));
  for (const input of root.querySelectorAll("input[type=file]")) {
    if ("folder" in input.dataset) document.querySelector(`label[for="${input.id}"]`).hidden = !("webkitdirectory" in input);
    input.addEventListener("change", () => {
      const files = [...input.files];
      const folder = files[0]?.webkitRelativePath?.split("/")[0] ?? "";
      input.value = ""; // uploaded here, not again with the form
      if (files.length) list.add(files, folder);
    });
  }
}

// Where one file is wanted, each of several makes a task: the button says how many.
function startField(root) {
  const form = root.closest("form");
  const submit = form.querySelector("[type=submit].primary");
  const usual = submit.querySelector("[data-words]");
  const words = usual?.textContent;
  const isOff = submit.disabled;
  const onChange = (list) => {
    const waits = [...form.querySelectorAll("[data-files]")].some((other) => other.uploads?.pending);
    for (const button of form.querySelectorAll(".form-actions [type=submit]")) button.disabled = isOff || waits;
    if (!("each" in root.dataset) || !usual) return;
    const tasks = list.chosen + list.pending;
    usual.textContent = tasks > 1 ? fill(ngettext("Submit %(count)s task", "Submit %(count)s tasks", tasks), { count: numberText(tasks) }) : words;
    const name = form.elements.batch_name;
    if (name) name.value = list.folder ?? "";
  };
  root.uploads = new UploadList(root, onChange);
  startChoice(root, root.uploads);
  onChange(root.uploads);
}

// A form of nothing but files: once all are here, the page goes on by itself; with one left out, by the button.
function startQuick(form) {
  const goOn = form.querySelector("[data-go-on]");
  form.querySelector("[data-drop-submit]").hidden = true;
  let isOver = false;
  const go = () => {
    isOver = true;
    if (form.dataset.then === "reload") location.reload();
    else {
      form.action = form.dataset.then;
      for (const input of form.querySelectorAll("input[type=file]")) input.disabled = true;
      form.submit();
    }
  };
  const onChange = (list) => {
    const ready = !isOver && !list.pending && list.count("stored") > 0;
    goOn.hidden = !ready;
    goOn.textContent = fill(ngettext("Go on with %(count)s file", "Go on with %(count)s files", list.count("stored")), { count: numberText(list.count("stored")) });
    if (ready && !list.count("refused", "cut")) go();
  };
  goOn.addEventListener("click", go);
  startChoice(form, new UploadList(form, onChange));
}

export function startFileDrops() {
  for (const root of document.querySelectorAll("[data-files]")) startField(root);
  for (const form of document.querySelectorAll("form[data-quick-file]")) startQuick(form);
}
