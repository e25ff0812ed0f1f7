// The settings below a description: number, difference and style of the pictures.
import { $, el } from "./dom.js";

const names = { noise: "fine detail", style: "first layers", z: "everything" };

/**
 * Settings are the fields of one form: number of pictures (0 omits the field), source of their difference, best-of and refinement, the
 * seeds of a story, the frames of an animation.
 */
export class Settings {
  constructor(domain, { count = 0, differ = true, improve = false, ownSeeds = false, frames = false }) {
    const most = domain.limits.pictures;
    this.element = el("div", { class: "settings" });
    const first = el("div", { class: "row fields" });
    if (count) first.append(field("Pictures", el("input", { name: "count", type: "number", min: 1, max: most, value: Math.min(count, most), required: true })));
    if (frames) first.append(field("Frames", el("input", { name: "steps", type: "number", min: 2, max: domain.limits.frames, value: domain.steps, required: true })));
    first.append(
      field("Look", select("cartoon", [["", "as drawn"], ...domain.cartoons.map((c) => [c.name, c.name])])),
      field("Seed", el("span", { class: "pair" },
        el("input", { name: "seed", type: "number", min: 0, max: domain.limits.seed, value: 0, required: true }),
        el("button", { type: "button", class: "dice", "aria-label": "Another seed", title: "Another seed", onclick: () => this.roll() }, "⚄"))),
    );
    const more = el("div", { class: "row fields" }, slider("Distinctiveness α", "alpha", 0, Math.max(3, domain.alpha), 0.05, domain.alpha));
    if (differ) more.append(
      field("Pictures differ in", select("diversity", domain.diversities.map((d) => [d, names[d] ?? d]), count > 1 ? "z" : "noise")),
      slider("How far", "spread", 0.05, 1, 0.05, domain.spread),
      slider("Random layers", "inject_index", 1, domain.layers, 1, domain.inject_index));
    more.append(slider("Truncation ψ", "truncation_psi", 0, 1.5, 0.05, 1));
    const better = el("div", { class: "row fields" });
    if (improve && domain.limits.best_of > 1) better.append(slider("Candidates per picture", "best_of", 1, domain.limits.best_of, 1, 1));
    if (improve && domain.limits.refine) better.append(slider("Refining steps", "refine", 0, domain.limits.refine, 1, 0));
    if (frames) more.append(slider("Frames a second", "fps", 1, 24, 1, domain.fps));
    this.element.append(first, el("details", {}, el("summary", {}, "More settings"), more, better));
    if (ownSeeds) this.element.append(el("label", { class: "check" }, el("input", { type: "checkbox", name: "same", checked: true }), " Keep the same character from paragraph to paragraph"));
    this.element.addEventListener("input", () => this.update());
    this.update();
  }

  get(name) { return $(`[name=${name}]`, this.element); }

  roll() {
    this.get("seed").value = Math.floor(Math.random() * 1e6);
  }

  /** update shows the sliders of the selected diversity, and all values. */
  update() {
    const how = this.get("diversity")?.value;
    for (const [name, needs] of [["spread", "z"], ["inject_index", "style"]]) {
      const input = this.get(name);
      if (input) input.closest(".field").hidden = how !== needs;
    }
    for (const input of this.element.querySelectorAll("input[type=range]")) {
      $("output", input.closest(".field")).textContent = input.value;
    }
  }

  /** values returns the settings as fields of a request. */
  values() {
    const q = { alpha: Number(this.get("alpha").value), seed: Number(this.get("seed").value), truncation_psi: Number(this.get("truncation_psi").value) };
    if (this.get("cartoon").value) q.cartoon = this.get("cartoon").value;
    if (this.get("count")) q.count = Number(this.get("count").value);
    const how = this.get("diversity")?.value;
    if (how) q.diversity = how;
    if (how === "z") q.spread = Number(this.get("spread").value);
    if (how === "style") q.inject_index = Number(this.get("inject_index").value);
    for (const name of ["best_of", "refine", "steps", "fps"]) {
      if (this.get(name)) q[name] = Number(this.get(name).value);
    }
    if (this.get("same")) q.own_seeds = !this.get("same").checked;
    return q;
  }
}

function field(label, input) {
  return el("label", { class: "field" }, el("span", {}, label), input);
}

function slider(label, name, min, max, step, value) {
  return el("label", { class: "field" }, el("span", {}, `${label} `, el("output", {})), el("input", { type: "range", name, min, max, step, value }));
}

function select(name, options, chosen) {
  return el("select", { name }, ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}
