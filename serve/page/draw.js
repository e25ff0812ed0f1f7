// Draw: a description becomes pictures.
import { knowledge } from "./advice.js";
import { Ask } from "./ask.js";
import { card, placeholder } from "./cards.js";
import { $, el } from "./dom.js";
import { left } from "./shelf.js";
import * as sheets from "./sheet.js";

export function drawView(view, domain) {
  const list = $(".pictures", view);
  const grid = $(".grid", view);
  let pictures = [];
  let sheet;
  const ask = new Ask("draw", view, domain, {
    path: "api/v1/generate",
    choices: domain.examples,
    maxLength: domain.limits.text,
    placeholder: domain.examples[0],
    settings: { count: 4, improve: true, sheet: true },
    request: (text, { run, ...values }) => ({ text, score: true, ...(run ? { runs: [run] } : {}), ...values }),
    begin: (a, request) => {
      pictures = [];
      sheet = request.alphas && sheets.sheet(request, () => placeholder("div"));
      grid.replaceChildren(...(sheet ? [sheet.table] : []));
      list.replaceChildren(...(sheet ? [] : Array.from({ length: a.pictures }, () => placeholder())));
    },
    picture: (p) => {
      pictures[p.index] = p;
      if (sheet) sheet.place(p, card(p, () => pictures, false, "div"));
      else list.children[p.index].replaceWith(card(p, () => pictures));
    },
    end: () => {
      view.querySelectorAll(".waiting").forEach((place) => place.remove());
      if (sheet && pictures.length) grid.append(el("div", { class: "row tools" }, sheets.download(() => left(pictures), ask.alert)));
    },
  });
  const known = knowledge(domain, (word) => ask.add(word));
  if (known) ask.form.append(known);
  return ask;
}
