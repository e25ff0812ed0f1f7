// The form of a drawing request: examples, settings, progress, errors, stop. Its text, settings and job outlive a reload.
import { longest, of, read, replace } from "./address.js";
import { farText, limited } from "./advice.js";
import { draw, stopJob } from "./api.js";
import { $, el, plural, quote, reveal, sample, showProblem } from "./dom.js";
import { recall, remember } from "./memory.js";
import { Settings } from "./settings.js";
import { lack } from "./words.js";

/**
 * Ask is the form of the view called name. options: settings for Settings; choices, a list of examples; path of the API;
 * request(text, values) returns the body; begin(accepted), frame(p), picture(p) and end() show the results; seeds(text) is the number
 * of seeds that a drawing takes; extra() returns what else the form holds, and refill(extra) sets it.
 */
export class Ask {
  constructor(name, view, domain, options) {
    Object.assign(this, options, { name, view, form: $("form.ask", view), domain });
    this.texts = [...this.form.querySelectorAll("textarea, input[type=text]")];
    this.status = $(".status", view);
    this.alert = $(".alert", view);
    this.stop = $(".stop", view);
    this.settings = new Settings(domain, options.settings);
    $(".actions", this.form).before(this.settings.element);
    this.texts.forEach((text, i) => this.prepare(text, [options.placeholder].flat()[i]));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.run(); });
    for (const kind of ["input", "change"]) this.form.addEventListener(kind, () => this.changed());
    this.stop.addEventListener("click", () => this.halt());
    this.examples();
    this.restore();
  }

  /** prepare shows a field's limit beside it, and lets Ctrl Enter draw. */
  prepare(text, placeholder) {
    if (placeholder) text.placeholder = placeholder;
    text.dir = "auto";
    const limit = text.name === "text" ? this.maxLength : this.domain.limits.text;
    limited(text, limit, limit === this.domain.limits.text ? this.domain : null);
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
  }

  /** examples shows some of the domain's descriptions. */
  examples() {
    const chips = $(".chips", this.form);
    chips.replaceChildren(
      ...sample(this.choices, 4).map((text) => el("button", { type: "button", class: "chip", title: text, dir: "auto", onclick: () => this.write(text) }, this.label?.(text) ?? text)),
      el("button", { type: "button", class: "chip other", onclick: () => { this.examples(); $(".chip.other", this.form).focus(); } }, "Other examples"));
  }

  /** write writes a text into the first empty field, or replaces the first. */
  write(text) {
    const shown = this.texts.filter((field) => field.matches("textarea") && !field.hidden);
    const field = shown.find((f) => !f.value) ?? shown[0];
    if (!field) return;
    field.value = text;
    this.changed();
    field.focus();
  }

  /** add adds a word to the first text. */
  add(word) {
    const [field] = this.texts;
    field.value = field.value.trim() ? `${field.value.trimEnd()} ${word}` : word;
    this.changed();
  }

  /** changed keeps what the form holds, and names it in the address. */
  changed() {
    for (const text of this.texts) text.dispatchEvent(new Event("count"));
    remember(this.name, { form: this.params(Infinity), drawn: this.settings.drawn });
    if (read().view === this.name) replace(this.address());
  }

  /** params returns the texts, and the settings that are not the usual ones. */
  params(most = longest) {
    const fields = Object.entries(this.settings.fields()).filter(([name, value]) => value !== this.settings.defaults[name]);
    const texts = this.texts.filter((t) => t.value && t.value.length <= most).map((t) => [t.name, t.value]);
    return Object.fromEntries([...texts, ...fields, ...Object.entries(this.extra?.() ?? {})]);
  }

  address() { return of(this.name, this.params()); }

  /** fill sets texts and settings; those that are missing get the usual value. It says which the server lacks. */
  fill(given) {
    for (const text of this.texts) text.value = given[text.name] ?? "";
    showProblem(this.alert, lack(this.settings.fill(given)));
    this.refill?.(given);
    this.changed();
  }

  /** restore sets what the form held before a reload, and continues the job. */
  restore() {
    const { form, drawn, job } = recall(this.name);
    if (form) this.fill(form);
    this.settings.drawn = Boolean(drawn);
    remember(this.name, { drawn });
    if (job) this.follow(job.request, job.id);
  }

  /** opened follows the address: its settings where it has some. */
  opened(params) {
    if ([...params].length && of(this.name, Object.fromEntries(params)) !== this.address()) this.fill(Object.fromEntries(params));
    replace(this.address());
  }

  /** run draws. It stops a running request first. */
  run() {
    this.halt();
    this.settings.next(this.used ?? this.settings.seeds());
    this.used = this.seeds?.(this.texts[0].value) ?? this.settings.seeds();
    this.follow(this.request(this.texts[0].value, this.settings.values()));
  }

  /** halt stops what is being drawn. */
  halt() {
    this.abort?.abort();
    if (this.job) stopJob(this.job);
    this.job = null;
    remember(this.name, { job: null });
  }

  /** follow draws a request, or continues its job. */
  async follow(request, job) {
    const abort = new AbortController();
    this.abort = abort;
    showProblem(this.alert, null);
    this.stop.hidden = false;
    this.view.setAttribute("aria-busy", "true");
    this.progressOf = { ready: 0, all: 0, word: "picture" };
    try {
      await draw(this.path, request, this.events(request, Boolean(job)), { signal: abort.signal, keep: true, job });
    } catch (error) {
      if (this.abort !== abort) return; // another request has begun
      this.failed(error, job);
    }
    if (this.abort !== abort) return;
    this.job = null; // its events stay on the server for a while, and are read again after a reload
    if (this.stop.matches(":focus")) $(".main", this.form).focus();
    this.stop.hidden = true;
    this.view.removeAttribute("aria-busy");
    this.end?.();
  }

  failed(error, job) {
    const { ready, all, word } = this.progressOf;
    remember(this.name, { job: null });
    if (error.name === "AbortError") {
      this.status.textContent = all ? `Stopped: ${ready} of ${plural(all, word)} ready` : "Stopped";
      return;
    }
    this.status.textContent = "";
    if (job && error.status === 404) return; // the server forgot it: the gallery has the pictures
    showProblem(this.alert, error);
    const field = error.field && this.form.querySelector(`[name="${error.field}"]`);
    field?.setAttribute("aria-invalid", "true");
    field?.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
  }

  /** events show what a request's stream says. */
  events(request, resumed) {
    const p = this.progressOf;
    const one = (show) => (picture) => {
      p.ready++;
      this.status.textContent = `${p.ready} of ${plural(p.all, p.word)} ready`;
      show(picture);
    };
    return {
      job: (id) => {
        this.job = id;
        remember(this.name, { job: { id, request } });
      },
      lost: (problem) => showProblem(this.alert, problem),
      accepted: (a) => {
        showProblem(this.alert, null);
        p.ready = 0;
        [p.all, p.word] = a.frames ? [a.frames, "frame"] : [a.pictures, "picture"];
        this.status.textContent = a.ahead ? `${plural(a.ahead, "picture")} ahead of yours …` : `Drawing ${plural(a.candidates ?? p.all, a.candidates ? "candidate" : p.word)} …`;
        this.begin(a, request);
        this.warn(a.far ?? []);
        if (!resumed) reveal(this.status);
        this.explain(p);
      },
      progress: (step) => this.progress(step),
      frame: one((picture) => this.frame(picture)),
      picture: this.frame ? (picture) => this.picture(picture) : one((picture) => this.picture(picture)),
      done: (d) => { this.status.textContent = [`${plural(this.frame ? p.all : d.count, p.word)} in ${d.seconds.toFixed(1)} s`, ...gains(d)].join(". "); },
    };
  }

  /** explain says why nothing is drawn at first: a server that was just started compiles. */
  async explain(progress) {
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    const waits = () => this.progressOf === progress && !progress.ready && !this.stop.hidden;
    if (!waits() || (await fetch("readyz").catch(() => null))?.status !== 503 || !waits()) return;
    this.status.textContent = "The server was just started and prepares itself: the first pictures take longer …";
  }

  /** warn lists the texts that lie far from what the domain knows. */
  warn(far) {
    if (this.texts.length === 1 && this.maxLength === this.domain.limits.text) return; // the field says so
    this.alert.replaceChildren(...far.map((n) => el("p", { class: "advice" }, `${quote(n.text)}: ${farText(n, this.domain)}`)));
  }

  /** progress reports candidates and steps in tenths, because screen readers read it aloud. */
  progress({ stage, done, of: all }) {
    if (Math.floor((10 * done) / all) === Math.floor((10 * (done - 1)) / all)) return;
    this.status.textContent = stage === "refine" ? `Refining: ${done} of ${plural(all, "step")}` : `${done} of ${plural(all, "candidate")} drawn`;
  }
}

/** gains describe the gain and cost of best-of and refinement. */
function gains({ best_of: best, refined }) {
  const change = (g) => `match ${g.before.clip_similarity.toFixed(3)} → ${g.after.clip_similarity.toFixed(3)}`;
  const out = [];
  if (best) out.push(`Best of ${best.of}: ${change(best)}, ${best.pictures_drawn} drawn`);
  if (refined) out.push(`Refined by ${plural(refined.of, "step")}: ${change(refined)}, semantic loss ${refined.before.semantic_loss.toFixed(3)} → ${refined.after.semantic_loss.toFixed(3)}, ${refined.pictures_drawn} drawn in ${refined.seconds.toFixed(1)} s`);
  return out;
}
