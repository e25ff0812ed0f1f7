// Draw: a description becomes pictures.
import { Ask } from "./ask.js";
import { card, placeholder } from "./cards.js";
import { $ } from "./dom.js";

export function drawView(view, domain) {
  const list = $(".pictures", view);
  let pictures = [];
  const ask = new Ask(view, domain, {
    path: "/api/v1/generate",
    choices: domain.examples,
    maxLength: domain.limits.text,
    placeholder: domain.examples[0],
    settings: { count: 4, improve: true },
    request: (text, values) => ({ text, score: true, ...values }),
    begin: (a) => {
      pictures = [];
      list.replaceChildren(...Array.from({ length: a.pictures }, placeholder));
    },
    picture: (p) => {
      pictures[p.index] = p;
      list.children[p.index].replaceWith(card(p, () => pictures.filter(Boolean)));
      if (p.cut) ask.alert.replaceChildren(`The end of the text does not fit and is not drawn: “${p.cut}”`);
    },
    end: () => list.querySelectorAll(".waiting").forEach((place) => place.remove()),
  });
  return ask;
}
