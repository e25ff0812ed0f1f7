// What the domain can draw, and advice while one types: what of a text is too long, or unknown to the domain.
import { getJSON } from "./api.js";
import { characters, el, quote, title } from "./dom.js";

/**
 * limited shows below a field how many of at most a number of characters it has, and refuses more. about, if given, is the
 * domain on which a text is advised. A change by a program is reported to the field as the event "count".
 */
export function limited(field, limit, about) {
  const note = el("p", { class: "note limit", id: `${field.id}-limit` });
  const advice = el("p", { class: "note advice", role: "status" });
  field.after(note, advice);
  if (about) advise(field, advice, about);
  field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), note.id].filter(Boolean).join(" "));
  const count = () => {
    const n = characters(field.value);
    note.textContent = `${n.toLocaleString("en")} of ${limit.toLocaleString("en")} characters`;
    note.classList.toggle("over", n > limit);
    note.hidden = field.hidden;
    field.setCustomValidity(n > limit ? `Write at most ${limit} characters: it has ${n}.` : "");
  };
  field.addEventListener("input", count);
  field.addEventListener("count", count);
  count();
}

/** advise shows advice on the text of a field in a note. */
function advise(field, note, domain) {
  let asked = 0;
  let timer;
  const check = async () => {
    const number = ++asked;
    const text = field.value.trim();
    const advice = text && field.validity.valid && !field.hidden ? await getJSON(`api/v1/text?${new URLSearchParams({ text })}`).catch(() => null) : null;
    if (number !== asked) return; // the text has changed
    note.textContent = advice ? adviceOn(advice, domain) : "";
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, 400);
  };
  field.addEventListener("input", soon);
  field.addEventListener("count", soon);
}

/** adviceOn words what the server says of a text. */
function adviceOn({ far, share, unknown_words: words, cut }, domain) {
  const parts = [];
  if (far) parts.push(farText({ share, unknown_words: words }, domain));
  if (cut) parts.push(`The end of the text does not fit and is not drawn: ${quote(cut)}.`);
  return parts.join(" ");
}

/** farText says that a text lies far from what the domain knows. */
export function farText({ share, unknown_words: words }, domain) {
  const unknown = words.length ? `: ${words.map(quote).join(", ")}` : "";
  return `${Math.round(100 * share)} % of this text is unknown to ${title(domain)}${unknown}. The picture may show something else.`;
}

/** knowledge shows what the domain can draw; add(word) writes a word. It is null where the domain does not say. */
export function knowledge(domain, add) {
  const { knows } = domain;
  const { attributes, words, descriptions, false_alarms: alarms } = knows;
  if (!attributes.length && !words.length) return null;
  const chips = (all, word) => all.map((value) => el("button", { type: "button", class: "chip", onclick: () => add(word(value)) }, value));
  const rows = attributes.map((a) => {
    const plain = a.name.replaceAll("_", " ");
    const thing = plain.replace(/ colou?r$/, ""); // what has the color
    const whole = (value) => (value === "none" ? `no ${plain}` : value.includes(plain.split(" ")[0]) ? value : `${value} ${thing}`);
    return el("div", { class: "known" }, el("h3", {}, plain), el("div", { class: "row" }, ...chips(a.values, whole)));
  });
  if (words.length) rows.push(el("div", { class: "known" }, el("h3", {}, "words of its descriptions"), el("div", { class: "row" }, ...chips(words, (w) => w))));
  const rate = descriptions ? el("p", { class: "note" }, `A text is reported as unknown if half of what it says is in none of ${descriptions} descriptions. Of these, each compared with the others, ${alarms} would be reported.`) : null;
  return el("details", { class: "knows" }, el("summary", {}, `What ${title(domain)} can draw`), ...rows, rate);
}
