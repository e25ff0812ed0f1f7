// Changes of a picture towards a text: previews along a slider, which can be kept. They outlive a reload.
import { read } from "./address.js";
import { limited } from "./advice.js";
import { draw, stopJob } from "./api.js";
import { $, plural } from "./dom.js";
import { recall, remember } from "./memory.js";

const alphas = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

let loaded = false; // whether a picture was shown since the page was loaded

/** Change is the viewer's form. view.display(picture) shows a picture, view.kept(picture, origin) reports one that was kept. */
export class Change {
  constructor(dialog, domain, view) {
    Object.assign(this, { dialog, domain, view, form: $(".change", dialog), slider: $("#viewer-alpha"), status: $(".change .status", dialog) });
    [this.from, this.to] = [$("[name=from]", this.form), $("[name=to]", this.form)];
    for (const field of [this.from, this.to]) limited(field, domain.limits.text, domain);
    this.form.addEventListener("submit", (event) => { event.preventDefault(); view.attempt(() => this.draw()); });
    this.slider.addEventListener("input", () => this.slide());
    $(".keep", this.form).addEventListener("click", () => view.attempt(() => this.keep()));
    $(".original", this.form).addEventListener("click", () => { this.begin(this.origin); view.display(this.origin); this.to.focus(); });
  }

  /** begin makes a picture the origin of the next change. The first one after a reload continues the change before it. */
  begin(picture) {
    const before = loaded ? {} : recall("change");
    loaded = true;
    this.end();
    this.take(picture);
    if (before.root === picture.id) this.view.attempt(() => this.restore(before));
  }

  take(picture) {
    Object.assign(this, { origin: picture, frames: [], shown: null });
    const uploaded = picture.kind === "uploaded";
    this.from.closest(".entry").hidden = !uploaded;
    this.fill(uploaded ? picture.text : "", "");
    this.to.placeholder = this.domain.examples[Math.floor(Math.random() * this.domain.examples.length)];
    $(".slide", this.form).hidden = true;
    this.status.textContent = "";
  }

  fill(from, to) {
    [this.from.value, this.to.value] = [from, to];
    for (const field of [this.from, this.to]) field.dispatchEvent(new Event("count"));
  }

  /** end stops the drawing of previews, and forgets them. */
  end() {
    this.abort?.abort();
    if (this.job) stopJob(this.job);
    this.job = null;
    remember("change", { root: null });
  }

  /** draw draws a picture for each position of the slider, from the picture that is shown towards the text. */
  async draw() {
    this.end();
    if (this.shown) this.origin = this.shown; // a change of a change begins with what is seen
    const from = this.from.value;
    this.wish = { picture: this.origin.id, to: this.to.value, ...(from && this.origin.kind === "uploaded" ? { from } : {}) };
    this.slider.value = 1;
    remember("change", { root: read().id, origin: this.origin, wish: this.wish, at: 1, kept: {}, job: null });
    await this.follow();
    this.slider.focus();
  }

  /** restore continues a change after a reload. The server draws its previews once more where it does not have them. */
  async restore({ root, origin, wish, at, kept, job }) {
    this.take(origin);
    this.wish = wish;
    this.fill(wish.from ?? this.from.value, wish.to);
    this.slider.value = at;
    remember("change", { root });
    try {
      await this.follow(job, kept);
    } catch (error) {
      if (!job || error.status !== 404) throw error;
      await this.follow(null, kept);
    }
  }

  /** follow shows the previews of the wish as they are drawn, or those of its job. kept are the ones that the gallery has. */
  async follow(job, kept = {}) {
    const abort = new AbortController();
    Object.assign(this, { abort, frames: [], job });
    await draw("api/v1/manipulate", { ...this.wish, alphas, preview: true }, {
      job: (id) => remember("change", { job: (this.job = id) }),
      accepted: (a) => { this.status.textContent = a.ahead ? `${plural(a.ahead, "picture")} ahead of yours …` : "Drawing …"; },
      lost: (problem) => { this.status.textContent = `${problem.message}. ${problem.hint}`; },
      picture: (p) => {
        this.frames[p.index] = kept[p.index] ?? { ...p, preview: true };
        $(".slide", this.form).hidden = false;
        this.slide();
      },
      done: () => { this.status.textContent = "Ready: move the slider"; },
    }, { signal: abort.signal, keep: true, job });
    if (this.abort === abort) this.job = null; // its events stay on the server for a while
  }

  /** slide shows the picture at the slider's position. */
  slide() {
    const at = Number(this.slider.value);
    $("output", this.form).textContent = at;
    if (this.frames.length) remember("change", { at });
    const frame = this.frames[alphas.indexOf(at)];
    if (frame && frame !== this.shown) this.view.display((this.shown = frame));
    $(".keep", this.form).disabled = !frame?.preview;
  }

  /** keep draws the picture that is shown again, for the gallery. */
  async keep() {
    const at = alphas.indexOf(Number(this.slider.value));
    let kept;
    await draw("api/v1/manipulate", { ...this.wish, alphas: [alphas[at]] }, {
      lost: (problem) => { this.status.textContent = `${problem.message}. ${problem.hint}`; },
      picture: (p) => { kept = p; },
    });
    this.frames[at] = kept;
    if ($(".keep", this.form).matches(":focus")) this.slider.focus(); // the button cannot be used now
    this.slide();
    this.status.textContent = "It is in the gallery.";
    this.view.kept(kept, this.origin);
    remember("change", { root: kept.id, kept: { ...recall("change").kept, [at]: kept } });
    return kept;
  }
}
