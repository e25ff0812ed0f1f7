// The settings below a description: number, difference and style of the pictures.
import { $, el, plural } from "./dom.js";
import { differences, labels, withMapper, runOf, splitRun } from "./words.js";

/**
 * Settings are the fields of one form: number of pictures (0 omits the field) of each of some runs, source of their difference,
 * best-of and refinement, the seeds of a story, the frames of an animation.
 */
export class Settings {
  constructor(domain, { count = 0, runs = 1, differ = true, improve = false, sheet = false, ownSeeds = false, frames = false }) {
    const most = domain.limits.pictures;
    const strongest = domain.limits.alpha;
    Object.assign(this, { domain, runs });
    this.element = el("div", { class: "settings" });
    const first = el("div", { class: "row fields" });
    if (count) first.append(number("count", 1, most, Math.min(count, most)));
    if (frames) first.append(number("steps", 2, domain.limits.frames, domain.steps));
    if (runs === 1 && domain.runs.length > 1) first.append(field(labels.run, select("run", domain.runs.map((run) => [run, run]))));
    first.append(
      field(labels.cartoon, select("cartoon", [["", "as drawn"], ...domain.cartoons.map((c) => [c.name, c.name])])),
      el("div", { class: "field seed" },
        el("label", {}, el("span", {}, labels.seed), el("input", { name: "seed", type: "number", min: 0, max: domain.limits.seed, value: 0, required: true })),
        el("button", { type: "button", class: "dice", "aria-label": "Another seed", title: "Another seed", onclick: () => this.roll() }, "⚄"),
        el("label", { class: "check", title: "Draw the same pictures again. Without it each drawing takes other seeds." }, el("input", { type: "checkbox", name: "locked" }), " Keep")));
    const more = el("div", { class: "row fields" }, slider("alpha", 0, 3, 0.05, domain.alpha, [0, strongest]));
    if (differ) more.append(
      field(labels.diversity, select("diversity", domain.diversities.map((d) => [d, differences[d] ?? d]), count > 1 ? "z" : "noise")),
      slider("spread", 0.05, 1, 0.05, domain.spread, [0.01, 1]),
      slider("inject_index", 1, domain.layers, 1, domain.inject_index));
    more.append(slider("truncation_psi", 0, 1.5, 0.05, 1, [-2, 2]));
    if (sheet) more.append(field(labels.alphas, el("input", { name: "alphas", inputmode: "decimal", placeholder: "0.5, 0.9, 1.3", autocomplete: "off", "aria-describedby": "sheet-note" })),
      el("p", { class: "note sheet-note", id: "sheet-note" }));
    if (frames) more.append(slider("fps", 1, 24, 1, domain.fps));
    const better = el("div", { class: "row fields" });
    if (improve && domain.limits.best_of > 1) better.append(slider("best_of", 1, domain.limits.best_of, 1, 1));
    if (improve && domain.limits.refine) better.append(slider("refine", 0, domain.limits.refine, 1, 0),
      el("p", { class: "note unrefined", hidden: true }, "Refining needs variety 1, and pictures that don’t differ in the first layers."));
    this.element.append(first, el("details", {}, el("summary", {}, "More settings"), more, better));
    if (ownSeeds) this.element.append(el("label", { class: "check" }, el("input", { type: "checkbox", name: "same", checked: true }), ` ${labels.own_seeds}: what the text does not name stays the same`));
    this.drawn = false; // whether the seed was drawn with
    this.element.addEventListener("input", (event) => {
      if (event.target.dataset.step) event.target.step = event.target.dataset.step;
      if (event.target.name === "seed") [this.drawn, this.get("locked").checked] = [false, true]; // who writes a seed wants this one
      this.update();
    });
    this.update();
    this.defaults = this.fields();
  }

  get(name) { return $(`[name=${name}]`, this.element); }

  /** roll takes a random seed for the next drawing. */
  roll() {
    this.take(Math.floor(Math.random() * 1e6));
  }

  /** take sets the seed of the next drawing. */
  take(seed) {
    this.get("seed").value = seed;
    this.drawn = false;
    this.changed();
  }

  /** next takes the seeds behind those of the last drawing, unless the seed is to be kept. used is their number. */
  next(used) {
    const seed = this.get("seed");
    if (this.drawn && !this.get("locked").checked) seed.value = (Number(seed.value) + used) % this.domain.limits.seed;
    this.drawn = true;
    this.changed();
  }

  /** seeds is the number of seeds that a drawing takes. */
  seeds() { return Number(this.get("count")?.value ?? 1) * (this.alphas().length ? 1 : Number(this.get("best_of")?.value ?? 1)); }

  /** changed tells the form. */
  changed() {
    this.update();
    this.element.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** update shows the fields that apply, within what the server takes, and all values. */
  update() {
    const value = (name) => this.get(name)?.value;
    const show = (name, shown) => { if (this.get(name)) this.get(name).closest(".field").hidden = !shown; };
    show("spread", value("diversity") === "z");
    show("inject_index", value("diversity") === "style");
    const refines = this.refines();
    show("refine", refines);
    if ($(".unrefined", this.element)) $(".unrefined", this.element).hidden = refines;
    this.checkSheet();
    const best = this.get("best_of");
    if (best) best.closest(".field").hidden = this.alphas().length > 0;
    if (best) best.max = Math.max(1, Math.min(this.domain.limits.best_of, Math.floor(this.domain.limits.waiting / (Math.max(1, value("count")) * this.runs))));
    for (const input of this.element.querySelectorAll("input[type=range]")) {
      $("output", input.closest(".field")).textContent = input.value;
    }
    if (best?.value > 1) $("output", best.closest(".field")).textContent = `${best.value}, ${plural(this.seeds() * this.runs, "picture")} drawn in all`;
  }

  /** alphas are the strengths of a sheet. */
  alphas() { return (this.get("alphas")?.value ?? "").split(/[\s,;]+/).filter(Boolean).map(Number); }

  /** checkSheet says how many pictures a sheet has, and refuses what the server does. */
  checkSheet() {
    const field = this.get("alphas");
    if (!field) return;
    const rows = this.alphas();
    const count = Number(this.get("count").value);
    const strongest = this.domain.limits.alpha;
    const most = Math.floor(this.domain.limits.pictures / Math.max(1, count));
    const wrong = rows.some((a) => !(a >= 0 && a <= strongest)) ? `Give numbers from 0 to ${strongest}.` : new Set(rows).size < rows.length ? "Give each number once."
      : rows.length > most ? `Give at most ${most} numbers: a sheet has at most ${this.domain.limits.pictures} pictures.` : "";
    field.setCustomValidity(wrong);
    $(".sheet-note", this.element).textContent = wrong || (rows.length ? `A sheet of ${rows.length} × ${count} pictures: a row for each strength, a column for each seed.` : "");
    this.get("alpha").closest(".field").hidden = rows.length > 0;
  }

  refines() { return this.get("diversity")?.value !== "style" && Number(this.get("truncation_psi").value) === 1; }

  /** values returns the settings as fields of a request. */
  values() {
    const q = { alpha: Number(this.get("alpha").value), seed: Number(this.get("seed").value), truncation_psi: Number(this.get("truncation_psi").value) };
    if (this.get("run")) q.run = this.get("run").value;
    if (this.get("cartoon").value) q.cartoon = this.get("cartoon").value;
    if (this.get("count")) q.count = Number(this.get("count").value);
    const how = this.get("diversity")?.value;
    if (how) q.diversity = how;
    if (how === "z") q.spread = Number(this.get("spread").value);
    if (how === "style") q.inject_index = Number(this.get("inject_index").value);
    for (const name of ["best_of", "refine", "steps", "fps"]) {
      if (this.get(name) && (name !== "refine" || this.refines())) q[name] = Number(this.get(name).value);
    }
    if (this.alphas().length) {
      q.alphas = this.alphas();
      delete q.alpha;
      delete q.best_of;
    }
    if (this.get("same")) q.own_seeds = !this.get("same").checked;
    return q;
  }

  /** fields returns all fields as texts, for addresses. */
  fields() {
    const all = Object.fromEntries([...this.element.querySelectorAll("[name]")].map((f) => [f.name, f.type === "checkbox" ? String(Number(f.checked)) : f.value]));
    return all.run ? { ...all, run: withMapper(all.run, this.domain.networks_sha256[all.run]) } : all;
  }

  /** runOf returns the run for one that was given, which may be one of withMapper, and what the server lacks of it. */
  runOf(given) {
    const [value, mapper] = this.domain.runs.includes(given) ? [given, ""] : splitRun(given); // which may end in a revision of the hub
    const run = runOf(value, mapper, this.domain);
    if (!run) return [undefined, [{ name: "run", value, instead: this.get("run") ? splitRun(this.defaults.run)[0] : this.domain.runs[0] }]];
    const now = this.domain.networks_sha256[run]?.mapper ?? "";
    return [run, mapper && now && !now.startsWith(mapper) ? [{ name: "run", value, changed: true }] : []];
  }

  /** fill sets the fields that are given, and all others to their defaults. It returns the runs and looks that the server lacks. */
  fill(given) {
    const [run, lacking] = given.run ? this.runOf(given.run) : [undefined, []];
    const usual = this.defaults.run && splitRun(this.defaults.run)[0];
    for (const [name, value] of Object.entries({ ...this.defaults, ...given, run: run ?? usual })) {
      const input = this.get(name);
      if (!input) continue;
      if (input.type === "checkbox") input.checked = value === "1";
      else if (input.type === "range") put(input, Number.isFinite(Number(value)) ? value : this.defaults[name]);
      else input.value = value;
      if (input.tagName === "SELECT" && input.selectedIndex < 0) {
        input.value = this.defaults[name];
        if (name === "cartoon") lacking.push({ name, value, instead: input.selectedOptions[0].textContent });
      }
    }
    this.drawn = false;
    this.update();
    const hidden = Object.keys(given).some((name) => this.get(name)?.closest("details"));
    if (hidden) $("details", this.element).open = true;
    return lacking;
  }
}

function field(name, input) {
  return el("label", { class: "field" }, el("span", {}, name), input);
}

function number(name, min, max, value) {
  return field(`${labels[name]} (${min}\u2060–\u2060${max})`, el("input", { name, type: "number", min, max, value, required: true }));
}

/** slider returns a field of the usual numbers. The server takes all within its limits, and so does put. */
function slider(name, min, max, step, value, [least, most] = [min, max]) {
  const input = el("input", { type: "range", name, min, max, step, "data-least": least, "data-most": most, "data-step": step });
  put(input, value);
  return el("label", { class: "field" }, el("span", {}, `${labels[name]} `, el("output", {})), input);
}

/** put sets a slider to a number that may lie between its steps, or beyond its ends. */
function put(input, value) {
  const { least, most, step } = input.dataset;
  if (Number(value) < Number(input.min)) input.min = least;
  if (Number(value) > Number(input.max)) input.max = most;
  input.step = step;
  input.value = value;
  if (Number(input.value) === Number(value)) return;
  input.step = "any";
  input.value = value;
}

function select(name, options, chosen) {
  return el("select", { name }, ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}
