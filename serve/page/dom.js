// Elements without HTML: users' input stays text.

/** el makes an element: el("p", {class: "note", onclick: f}, "text", other). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

export const $ = (selector, inside = document) => inside.querySelector(selector);

/** plural returns "1 picture" or "2 pictures". */
export const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** title returns a domain's name with a capital. */
export const title = ({ name }) => name.charAt(0).toUpperCase() + name.slice(1);

/** quote returns a text in quotation marks. Its direction does not change that of the words around it. */
export const quote = (text) => `“\u2068${text}\u2069”`;

/** characters counts as the server does. */
export const characters = (text) => [...text].length;

/** showProblem shows an error with its hint in a place for alerts; null clears it. */
export function showProblem(place, problem) {
  place.replaceChildren();
  if (!problem) return;
  place.append(el("div", { class: "problem" }, el("strong", { dir: "auto" }, sentence(problem.message)), ...(problem.hint ? [" ", ...withFlags(sentence(problem.hint))] : [])));
}

/** withFlags returns the parts of a text, flags of the program as code, which is not wrapped. */
export const withFlags = (text) => text.split(/(--[a-z-]+)/).map((part) => (part.startsWith("--") ? el("code", {}, part) : part));

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

/** sample returns n random, different items of a list. */
export function sample(list, n) {
  const rest = [...list];
  const out = [];
  while (out.length < n && rest.length) out.push(...rest.splice(Math.floor(Math.random() * rest.length), 1));
  return out;
}

/** reveal scrolls to an element that lies below the window. */
export function reveal(element) {
  if (element.getBoundingClientRect().top < innerHeight - 120) return;
  element.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
