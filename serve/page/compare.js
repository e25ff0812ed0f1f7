// Compare: the same text and seeds by each run's mapper, side by side.
import { Ask } from "./ask.js";
import { card, placeholder } from "./cards.js";
import { $, el } from "./dom.js";

export function compareView(view, domain) {
  const sides = $(".sides", view);
  let pictures = [];
  const lists = domain.runs.map((run) => {
    const list = el("ul", { class: "pictures", "aria-label": run });
    const mean = el("p", { class: "note" });
    sides.append(el("section", { class: "side", "aria-label": run }, el("h3", {}, run), mean, list));
    return { run, list, mean };
  });
  return new Ask("compare", view, domain, {
    path: "api/v1/generate",
    choices: domain.examples,
    maxLength: domain.limits.text,
    placeholder: domain.examples[0],
    settings: { count: 4, runs: domain.runs.length, improve: true },
    request: (text, values) => ({ text, score: true, runs: domain.runs, ...values }),
    begin: (a) => {
      pictures = [];
      for (const side of lists) {
        side.mean.textContent = "";
        side.list.replaceChildren(...Array.from({ length: a.pictures / lists.length }, () => placeholder()));
      }
    },
    picture: (p) => {
      pictures[p.index] = p;
      const side = lists.find((l) => l.run === p.run);
      side.list.children[p.index % side.list.children.length].replaceWith(card(p, () => pictures));
      const own = pictures.filter((x) => x?.run === p.run);
      side.mean.textContent = `mean match ${(own.reduce((sum, x) => sum + x.score.clip_similarity, 0) / own.length).toFixed(3)}`;
    },
    end: () => sides.querySelectorAll(".waiting").forEach((place) => place.remove()),
  });
}
