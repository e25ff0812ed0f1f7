// Story: each paragraph becomes a picture, laid out beside it.
import { Ask } from "./ask.js";
import { card, placeholder } from "./cards.js";
import { $, el, sample } from "./dom.js";

export function storyView(view, domain) {
  const scenes = $(".scenes", view);
  const stories = Array.from({ length: 12 }, () => sample(domain.examples, 3).join("\n\n"));
  let pictures = [];
  return new Ask(view, domain, {
    path: "/api/v1/story",
    choices: stories,
    label: (story) => `${story.split("\n\n")[0]} …`,
    maxLength: domain.limits.story,
    placeholder: sample(domain.examples, 2).join("\n\n"),
    settings: { differ: false, ownSeeds: true },
    request: (story, values) => ({ story, ...values }),
    begin: (a) => {
      pictures = [];
      scenes.replaceChildren(a.story.title ? el("h3", { class: "title" }, a.story.title) : "", ...a.story.paragraphs.flatMap(({ chapter, text }, i) => [
        chapter ? el("h4", {}, chapter) : "",
        el("div", { class: i % 2 ? "scene mirrored" : "scene" }, el("ul", { class: "pictures" }, placeholder()), el("p", {}, text)),
      ]));
    },
    picture: (p) => {
      pictures[p.index] = p;
      scenes.querySelectorAll(".scene")[p.index].querySelector("li").replaceWith(card(p, () => pictures.filter(Boolean)));
    },
    end: () => scenes.querySelectorAll(".waiting").forEach((place) => place.classList.add("missing")),
  });
}
