// A sheet: a row for each strength, a column for each seed.
import { insist, postJSON, save } from "./api.js";
import { el, showProblem } from "./dom.js";

/** sheet returns a table with a place for each picture; place(p, card) fills it. */
export function sheet({ alphas, seed, count }, waiting) {
  const cells = alphas.map(() => Array.from({ length: count }, () => el("td", {}, waiting())));
  const table = el("table", { class: "sheet" },
    el("caption", { class: "unseen" }, "A row for each strength, a column for each seed"),
    el("thead", {}, el("tr", {}, el("td", {}), ...Array.from({ length: count }, (_, i) => el("th", { scope: "col" }, `seed ${seed + i}`)))),
    el("tbody", {}, ...alphas.map((alpha, i) => el("tr", {}, el("th", { scope: "row" }, `strength ${alpha}`), ...cells[i]))));
  return { table, place: (p, card) => cells[Math.floor(p.index / count)][p.index % count].replaceChildren(card) };
}

/** download returns a button that saves pictures as one sheet. */
export function download(pictures, alert) {
  return el("button", { type: "button", class: "sheet-file", onclick: async () => {
    try {
      const file = await insist(alert, async () => (await postJSON("api/v1/sheet", { pictures: pictures().map((p) => p.id) })).blob());
      save(URL.createObjectURL(file), "sheet.png");
    } catch (error) {
      showProblem(alert, error);
    }
  } }, "Download the sheet");
}
