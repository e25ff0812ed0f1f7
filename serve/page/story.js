// Story: each paragraph becomes a picture, laid out beside it. A paragraph can be edited and drawn again by itself.
import { draw, getJSON, insist, postJSON, save } from "./api.js";
import { Ask } from "./ask.js";
import { card, placeholder } from "./cards.js";
import { $, el, sample, showProblem } from "./dom.js";
import { recall, remember } from "./memory.js";

export function storyView(view, domain) {
  const scenes = $(".scenes", view);
  const exports = $(".exports", view);
  const stories = Array.from({ length: 12 }, () => sample(domain.examples, 3).join("\n\n"));
  let told; // {title, paragraphs: [{chapter, text, picture}], request}

  const ask = new Ask("story", view, domain, {
    path: "api/v1/story",
    choices: stories,
    label: (story) => `${story.split("\n\n")[0]} …`,
    maxLength: domain.limits.story,
    placeholder: [sample(domain.examples, 2).join("\n\n"), `such as: ${sample(domain.examples, 1)[0] ?? domain.text_prompt}`],
    settings: { differ: false, ownSeeds: true },
    seeds: (story) => story.trim().split(/\n\s*\n/).length,
    request: (story, values) => {
      remember("story", { edits: {} });
      const character = $("#story-character").value.trim();
      return { story, ...(character ? { character } : {}), ...values };
    },
    begin: (a, request) => {
      told = { ...a.story, request };
      exports.hidden = true;
      scenes.replaceChildren(a.story.title ? el("h3", { class: "title", dir: "auto" }, a.story.title) : "", ...a.story.paragraphs.flatMap((p, i) => [
        p.chapter ? el("h4", { dir: "auto" }, p.chapter) : "",
        el("div", { class: i % 2 ? "scene mirrored" : "scene" }, el("ul", { class: "pictures" }, placeholder()), el("div", { class: "told" }, ...paragraph(i))),
      ]));
    },
    picture: (p) => {
      place(p.index, p);
      const edit = recall("story").edits?.[p.index]; // before a reload
      if (edit) getJSON(`api/v1/pictures/${edit.picture}`).then((picture) => { told.paragraphs[p.index].text = edit.text; rewrite(p.index); place(p.index, picture); }, () => {});
    },
    end: () => {
      scenes.querySelectorAll(".waiting").forEach((waiting) => waiting.classList.add("missing"));
      exports.hidden = !told?.paragraphs.every((p) => p.picture);
    },
  });

  const scene = (i) => scenes.querySelectorAll(".scene")[i];
  const shown = () => told.paragraphs.map((p) => p.picture);

  /** place shows the picture of a paragraph. */
  function place(i, picture) {
    told.paragraphs[i].picture = picture;
    $("li", scene(i)).replaceWith(card(picture, shown));
  }

  /** paragraph shows a paragraph, with a button to edit it. */
  function paragraph(i) {
    const { text } = told.paragraphs[i];
    return [el("p", { dir: "auto" }, text), el("button", { type: "button", class: "edit", "aria-label": `Edit paragraph ${i + 1}`, onclick: () => edit(i) }, "Edit")];
  }

  function rewrite(i) { $(".told", scene(i)).replaceChildren(...paragraph(i)); }

  /** edit shows a paragraph as a field. */
  function edit(i) {
    const field = el("textarea", { rows: 4, dir: "auto", "aria-label": `Paragraph ${i + 1}` });
    field.value = told.paragraphs[i].text;
    const status = el("p", { class: "note", role: "status" });
    const place = el("div", { class: "alert", role: "alert" });
    const close = () => {
      rewrite(i);
      $(".edit", scene(i)).focus();
    };
    const go = async () => {
      try {
        status.textContent = "Drawing …";
        await redraw(i, field.value, place);
        close();
      } catch (error) {
        status.textContent = "";
        showProblem(place, error);
      }
    };
    $(".told", scene(i)).replaceChildren(field, el("div", { class: "row tools" },
      el("button", { type: "button", class: "redraw", onclick: go }, "Redraw this picture"), el("button", { type: "button", onclick: close }, "Cancel")), status, place);
    field.focus();
  }

  /** redraw draws one paragraph again: its new text with its seed, or the same text with another seed. */
  async function redraw(i, written, alert) {
    const before = told.paragraphs[i];
    const text = written.trim().replace(/\s+/g, " ");
    const seed = text === before.text ? Math.floor(Math.random() * 1e6) : before.picture?.seed ?? told.request.seed;
    let drawn;
    await draw("api/v1/story", { ...told.request, story: text, seed, own_seeds: false }, {
      lost: (problem) => showProblem(alert, problem),
      accepted: (a) => { if (a.story.paragraphs.length !== 1) throw new Error("write one paragraph"); },
      picture: (p) => { drawn = p; },
    });
    ask.texts[0].value = ask.texts[0].value.replace(before.text, () => text);
    before.text = text;
    place(i, drawn);
    ask.changed();
    remember("story", { edits: { ...recall("story").edits, [i]: { text, picture: drawn.id } } });
    exports.hidden = !told.paragraphs.every((p) => p.picture);
  }

  for (const button of exports.querySelectorAll("[data-format]")) {
    button.addEventListener("click", async () => {
      const { format } = button.dataset;
      try {
        showProblem(ask.alert, null);
        const paragraphs = told.paragraphs.map(({ chapter, text, picture }) => ({ ...(chapter ? { chapter } : {}), text, picture: picture.id }));
        const book = { format, ...(told.title ? { title: told.title } : {}), paragraphs };
        const file = await insist(ask.alert, async () => (await postJSON("api/v1/book", book)).blob());
        save(URL.createObjectURL(file), `story.${format}`);
        ask.status.textContent = `Saved as story.${format}`;
      } catch (error) {
        showProblem(ask.alert, error);
      }
    });
  }
  return ask;
}
