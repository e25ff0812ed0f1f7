// Morph: an animation from one picture to another.
import { getJSON } from "./api.js";
import { Ask } from "./ask.js";
import { card, placeholder, show } from "./cards.js";
import { $, el, sample } from "./dom.js";
import { filmTools } from "./film.js";

export function morphView(view, domain) {
  const list = $(".pictures", view);
  const result = $(".result", view);
  const ends = { from: new End($(".end.from", view)), to: new End($(".end.to", view)) };
  const ask = new Ask("morph", view, domain, {
    path: "api/v1/interpolate",
    choices: domain.examples,
    maxLength: domain.limits.text,
    placeholder: sample(domain.examples, 2),
    settings: { differ: false, frames: true },
    request: (_, values) => ({ from: ends.from.value(), to: ends.to.value(), ...values }),
    begin: (a) => {
      result.replaceChildren();
      list.replaceChildren(...Array.from({ length: a.frames }, () => placeholder()));
    },
    frame: (p) => {
      const img = el("img", { alt: `Frame ${p.index + 1}`, width: p.width, height: p.height });
      show(img, p).catch(() => {});
      list.children[p.index].replaceWith(el("li", { class: "card" }, el("span", { class: "picture" }, img)));
    },
    picture: (p) => {
      const shown = card(p, () => [p]);
      result.replaceChildren(el("ul", { class: "pictures", "aria-label": "Animation" }, shown), el("div", { class: "row tools" }, ...filmTools(p, $("img", shown))));
    },
    end: () => list.querySelectorAll(".waiting").forEach((place) => place.remove()),
    seeds: () => 1,
    extra: () => Object.fromEntries(Object.entries(ends).filter(([, end]) => end.picture).map(([name, end]) => [`${name}_picture`, end.picture.id])),
    refill: (given) => Object.entries(ends).forEach(([name, end]) => end.find(given[`${name}_picture`])),
  });
  /** put sets a picture as the end called name. All frames take the noise of the first picture. */
  ask.put = (name, picture) => {
    ends[name].put(picture);
    if (name === "from") ask.settings.take(picture.seed);
    ask.changed();
  };
  return ask;
}

/** End is one end of the animation: a text or a picture of the gallery. */
class End {
  constructor(element) {
    this.text = $("textarea", element);
    this.chosen = $(".chosen", element);
    $("button", this.chosen).addEventListener("click", () => {
      this.put(null);
      this.text.dispatchEvent(new Event("input", { bubbles: true }));
      this.text.focus();
    });
  }

  put(picture) {
    this.picture = picture;
    this.chosen.hidden = !picture;
    this.text.hidden = this.text.disabled = Boolean(picture);
    this.text.dispatchEvent(new Event("count"));
    if (!picture) return;
    $("img", this.chosen)?.remove();
    const img = el("img", { alt: picture.text, width: 64, height: 64 });
    show(img, picture).catch(() => {});
    this.chosen.prepend(img);
    $(".words", this.chosen).textContent = picture.text;
  }

  /** find puts the picture of an id, if the gallery has it. */
  find(id) {
    if (this.picture?.id === id) return;
    this.put(null);
    if (id) getJSON(`api/v1/pictures/${id}`).then((picture) => {
      this.put(picture);
      this.text.dispatchEvent(new Event("input", { bubbles: true })); // the form keeps it
    }, () => {}); // the picture is gone
  }

  value() {
    return this.picture ? { picture: this.picture.id } : { text: this.text.value };
  }
}
