// The form of a drawing request: examples, settings, progress, errors, stop.
import { draw } from "./api.js";
import { $, el, plural, sample, showProblem } from "./dom.js";
import { Settings } from "./settings.js";

/**
 * Ask is the form of a view. options: settings for Settings; choices, a list of examples; path of the API; request(text, values)
 * returns the body; begin(accepted), frame(p), picture(p) and end() show the results.
 */
export class Ask {
  constructor(view, domain, options) {
    Object.assign(this, options, { view, form: $("form.ask", view), domain });
    this.texts = [...view.querySelectorAll("textarea")];
    this.status = $(".status", view);
    this.alert = $(".alert", view);
    this.stop = $(".stop", view);
    this.settings = new Settings(domain, options.settings);
    $(".actions", this.form).before(this.settings.element);
    this.texts.forEach((text, i) => {
      text.maxLength = options.maxLength;
      text.placeholder = [options.placeholder].flat()[i];
      text.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
      });
    });
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.run(); });
    this.stop.addEventListener("click", () => this.abort?.abort());
    this.examples();
  }

  /** examples shows some of the domain's descriptions. */
  examples() {
    const chips = $(".chips", this.form);
    chips.replaceChildren(
      ...sample(this.choices, 4).map((text) => el("button", { type: "button", class: "chip", title: text, onclick: () => this.write(text) }, this.label?.(text) ?? text)),
      el("button", { type: "button", class: "chip other", onclick: () => this.examples() }, "Other examples"));
  }

  /** write writes a text into the first empty field, or replaces the first. */
  write(text) {
    const shown = this.texts.filter((field) => !field.hidden);
    const field = shown.find((f) => !f.value) ?? shown[0];
    if (!field) return;
    field.value = text;
    field.focus();
  }

  /** run draws. It stops a running request first. */
  async run() {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    showProblem(this.alert, null);
    this.stop.hidden = false;
    this.view.setAttribute("aria-busy", "true");
    let ready = 0;
    let all = 0;
    let word = "picture";
    const one = (show) => (p) => {
      ready++;
      this.status.textContent = `${ready} of ${plural(all, word)} ready`;
      show(p);
    };
    try {
      await draw(this.path, this.request(this.texts[0].value, this.settings.values()), {
        accepted: (a) => {
          [all, word] = a.frames ? [a.frames, "frame"] : [a.pictures, "picture"];
          this.status.textContent = a.ahead ? `${plural(a.ahead, "picture")} ahead of yours …` : `Drawing ${plural(a.candidates ?? all, a.candidates ? "candidate" : word)} …`;
          this.begin(a);
        },
        progress: (p) => this.progress(p),
        frame: one((p) => this.frame(p)),
        picture: this.frame ? (p) => this.picture(p) : one((p) => this.picture(p)),
        done: (d) => { this.status.textContent = [`${plural(this.frame ? all : d.count, word)} in ${d.seconds.toFixed(1)} s`, ...gains(d)].join(". "); },
      }, abort.signal);
    } catch (error) {
      if (this.abort !== abort) return; // another request has begun
      if (error.name === "AbortError") this.status.textContent = all ? `Stopped: ${ready} of ${plural(all, word)} ready` : "Stopped";
      else {
        this.status.textContent = "";
        showProblem(this.alert, error);
      }
    }
    if (this.abort !== abort) return;
    this.stop.hidden = true;
    this.view.removeAttribute("aria-busy");
    this.end?.();
  }

  /** progress reports candidates and steps in tenths, because screen readers read it aloud. */
  progress({ stage, done, of }) {
    if (Math.floor((10 * done) / of) === Math.floor((10 * (done - 1)) / of)) return;
    this.status.textContent = stage === "refine" ? `Refining: ${done} of ${plural(of, "step")}` : `${done} of ${plural(of, "candidate")} drawn`;
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
