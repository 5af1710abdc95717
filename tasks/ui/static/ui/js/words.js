// What scripts say, in the page's language: the server lists the words at the body, and English needs no list; and
// sizes, as tasks/measures.py writes them.

const listed = JSON.parse(document.body.dataset.words || "{}");
// Of the forms that a language has for numbers, gettext's order.
const FORMS = ["zero", "one", "two", "few", "many", "other"];

export const language = document.documentElement.lang || "en";

// "Remove {name}" with {name: "a.pdf"} is "Remove a.pdf".
export function gettext(text, places = {}) {
  return (listed[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

export function ngettext(one, many, count) {
  const forms = listed[one];
  if (!forms) return count === 1 ? one : many;
  const rules = new Intl.PluralRules(language);
  const known = FORMS.filter((form) => rules.resolvedOptions().pluralCategories.includes(form));
  return forms[Math.min(known.indexOf(rules.select(count)), forms.length - 1)];
}

// "%(count)s files" with {count: 3} is "3 files".
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? values[name] : whole));
}

export function numberText(number) {
  return number.toLocaleString(language);
}

export function sizeText(bytes) {
  if (bytes === 0) return gettext("empty");
  if (bytes < 1000) return `${bytes} B`;
  let size = bytes;
  for (const unit of ["kB", "MB", "GB"]) {
    size /= 1000;
    if (size < 999.5) return `${size < 10 ? size.toFixed(1) : size.toFixed(0)} ${unit}`;
  }
  return `${(size / 1000).toFixed(1)} TB`;
}
