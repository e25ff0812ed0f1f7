// Changes of a picture towards a text: previews along a slider, which can be kept.
import { draw } from "./api.js";
import { $, plural } from "./dom.js";

const alphas = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** Change is the viewer's form. view.display(picture) shows a picture, view.kept(picture, origin) reports one that was kept. */
export class Change {
  constructor(dialog, domain, view) {
    Object.assign(this, { dialog, domain, view, form: $(".change", dialog), slider: $("#viewer-alpha"), status: $(".change .status", dialog) });
    $("[name=to]", this.form).maxLength = domain.limits.text;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); view.attempt(() => this.draw()); });
    this.slider.addEventListener("input", () => this.slide());
    $(".keep", this.form).addEventListener("click", () => view.attempt(() => this.keep()));
    $(".original", this.form).addEventListener("click", () => { this.begin(this.origin); view.display(this.origin); });
  }

  /** begin makes a picture the origin of the next change. */
  begin(picture) {
    this.end();
    Object.assign(this, { origin: picture, frames: [], shown: null });
    const uploaded = picture.kind === "uploaded";
    $(".from", this.form).hidden = !uploaded;
    $("[name=from]", this.form).value = uploaded ? picture.text : "";
    const target = $("[name=to]", this.form);
    target.value = "";
    target.placeholder = this.domain.examples[Math.floor(Math.random() * this.domain.examples.length)];
    $(".slide", this.form).hidden = true;
    this.status.textContent = "";
  }

  end() { this.abort?.abort(); }

  /** draw draws a picture for each position of the slider, from the picture that is shown towards the text. */
  async draw() {
    this.end();
    this.abort = new AbortController();
    if (this.shown) this.origin = this.shown; // a change of a change begins with what is seen
    const from = $("[name=from]", this.form).value;
    this.wish = { picture: this.origin.id, to: $("[name=to]", this.form).value, ...(from && this.origin.kind === "uploaded" ? { from } : {}) };
    this.frames = [];
    this.slider.value = 1;
    await draw("api/v1/manipulate", { ...this.wish, alphas, preview: true }, {
      accepted: (a) => { this.status.textContent = a.ahead ? `${plural(a.ahead, "picture")} ahead of yours …` : "Drawing …"; },
      lost: (problem) => { this.status.textContent = `${problem.message}. ${problem.hint}`; },
      picture: (p) => {
        this.frames[p.index] = { ...p, preview: true };
        $(".slide", this.form).hidden = false;
        this.slide();
      },
      done: () => { this.status.textContent = "Ready: move the slider"; },
    }, { signal: this.abort.signal });
    this.slider.focus();
  }

  /** slide shows the picture at the slider's position. */
  slide() {
    const at = Number(this.slider.value);
    $("output", this.form).textContent = at;
    const frame = this.frames[alphas.indexOf(at)];
    if (frame && frame !== this.shown) this.view.display((this.shown = frame));
    $(".keep", this.form).disabled = !frame?.preview;
  }

  /** keep draws the picture that is shown again, for the gallery. */
  async keep() {
    const at = alphas.indexOf(Number(this.slider.value));
    let kept;
    await draw("api/v1/manipulate", { ...this.wish, alphas: [alphas[at]] }, { picture: (p) => { kept = p; } });
    this.frames[at] = kept;
    this.slide();
    this.status.textContent = "It is in the gallery.";
    this.view.kept(kept, this.origin);
    return kept;
  }
}
