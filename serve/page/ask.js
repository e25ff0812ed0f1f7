// A form that asks for pictures: its examples and settings, its progress, its errors, and how it is stopped.
import { draw } from "./api.js";
import { $, el, plural, sample, showProblem } from "./dom.js";
import { Settings } from "./settings.js";

/**
 * Ask is the form of a view. options: settings for Settings; examples, a list to choose from; path of the API; request(text, values),
 * what is sent; begin(accepted), picture(p) and end(), what is shown.
 */
export class Ask {
  constructor(view, domain, options) {
    Object.assign(this, options, { view, form: $("form.ask", view), domain });
    this.text = $("textarea", view);
    this.status = $(".status", view);
    this.alert = $(".alert", view);
    this.stop = $(".stop", view);
    this.settings = new Settings(domain, options.settings);
    $(".actions", this.form).before(this.settings.element);
    this.text.maxLength = options.maxLength;
    this.text.placeholder = options.placeholder;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.run(); });
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
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

  write(text) {
    this.text.value = text;
    this.text.focus();
  }

  /** run draws; a request that is still going on is stopped first. */
  async run() {
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    showProblem(this.alert, null);
    this.stop.hidden = false;
    this.view.setAttribute("aria-busy", "true");
    let ready = 0;
    let all = 0;
    try {
      await draw(this.path, this.request(this.text.value, this.settings.values()), {
        accepted: (a) => {
          all = a.pictures;
          this.status.textContent = a.ahead ? `${plural(a.ahead, "picture")} ahead of yours …` : `Drawing ${plural(all, "picture")} …`;
          this.begin(a);
        },
        picture: (p) => {
          ready++;
          this.status.textContent = `${ready} of ${plural(all, "picture")} ready`;
          this.picture(p);
        },
        done: (d) => { this.status.textContent = `${plural(d.count, "picture")} in ${d.seconds.toFixed(1)} s`; },
      }, abort.signal);
    } catch (error) {
      if (this.abort !== abort) return; // another request has begun
      if (error.name === "AbortError") this.status.textContent = all ? `Stopped: ${ready} of ${plural(all, "picture")} ready` : "Stopped";
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
}
