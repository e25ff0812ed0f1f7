// Gallery: the domain's pictures, or all, with search and filters; several can be chosen at once.
import { of, read, replace } from "./address.js";
import { call, getJSON, insist, persist, postJSON, save } from "./api.js";
import { card } from "./cards.js";
import { $, el, plural, showProblem, title } from "./dom.js";
import { left, remove } from "./shelf.js";
import { splitRun } from "./words.js";

const any = "any"; // domain

export function galleryView(view, domain) {
  const list = $(".pictures", view);
  const search = $("input[type=search]", view);
  const more = $(".more button", view);
  const status = $(".status", view);
  const alert = $(".alert", view);
  const fields = { domain: $("[name=domain]", view), run: $("[name=run]", view), look: $("[name=look]", view), favourites: $("[name=favourites]", view) };
  const chosen = new Set(); // ids
  let pictures = [];
  let asked = 0;

  const filters = () => ({
    ...(search.value ? { query: search.value } : {}), ...(fields.run.value ? { run: fields.run.value } : {}),
    ...(fields.look.value ? { look: fields.look.value } : {}), ...(fields.favourites.checked ? { favourites: "true" } : {}),
  });

  const shownDomain = () => fields.domain.value || domain.name;

  /** address names the filters that are not the usual ones. */
  const address = () => of("gallery", { ...filters(), ...(shownDomain() === domain.name ? {} : { domain: shownDomain() }) });

  async function load(before) {
    const number = ++asked;
    try {
      const query = new URLSearchParams({ ...filters(), ...(shownDomain() === any ? {} : { domain: shownDomain() }), ...(before ? { before } : {}) });
      const page = await persist(() => getJSON(`api/v1/pictures?${query}`), (problem) => showProblem(alert, problem));
      if (number !== asked) return; // a later search has begun
      showProblem(alert, null);
      pictures = before ? [...pictures, ...page.pictures] : page.pictures;
      show(page, before);
    } catch (error) {
      showProblem(alert, error);
    }
  }

  function show(page, before) {
    const focused = document.activeElement.closest("#view-gallery [data-id]")?.dataset.id;
    const cards = page.pictures.map(pickable);
    if (before) list.append(...cards);
    else list.replaceChildren(...cards);
    if (focused) $(`[data-id="${focused}"] button`, list)?.focus();
    more.hidden = pictures.length >= page.total;
    const domains = [...new Set([domain.name, ...page.domains])];
    offer(fields.domain, [[any, "any domain"], ...domains.map((name) => [name, title({ name })])], shownDomain());
    offer(fields.run, [["", "any run"], ...page.runs.map((run) => [run, nameOf(run, page.runs)])]);
    offer(fields.look, [["", "any look"], ["none", "as drawn"], ...page.looks]);
    fields.domain.hidden = domains.length < 2;
    const filtered = Object.keys(filters()).length;
    status.textContent = page.total ? plural(page.total, "picture") : filtered ? "No picture matches." : "Nothing here yet. What you draw is kept here.";
    count();
  }

  /** nameOf names a run of a filter, of which several may have one name: they stand behind it. */
  function nameOf(run, runs) {
    const [name, mapper] = splitRun(run);
    if (!mapper || !runs.includes(name)) return run;
    return domain.networks_sha256[name]?.mapper?.startsWith(mapper) ? `${name}, as it is now` : `${name}, mapper ${mapper}`;
  }

  /** offer fills a filter with values, and names of some. */
  function offer(select, values, wanted = select.value) {
    select.replaceChildren(...values.map((v) => [v].flat()).map(([value, text = value]) => el("option", { value, selected: value === wanted }, text)));
    select.hidden = values.length < 3 && !select.value;
  }

  /** pickable is a card with a box to choose it. */
  function pickable(picture) {
    const item = card(picture, () => pictures, true);
    const box = el("input", { type: "checkbox", "aria-label": `Choose: ${picture.text}, ${picture.id.slice(-4)}`, checked: chosen.has(picture.id) });
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(picture.id);
      else chosen.delete(picture.id);
      count();
    });
    item.append(el("label", { class: "pick" }, box));
    return item;
  }

  /** count shows the number of chosen pictures, and what can be done with them. */
  function count() {
    const shown = new Set(left(pictures).map((p) => p.id));
    for (const id of chosen) if (!shown.has(id)) chosen.delete(id);
    const bar = $(".chosen-bar", view);
    const held = bar.contains(document.activeElement);
    bar.hidden = chosen.size === 0;
    if (held && bar.hidden) ($("#toast:not([hidden]) .undo") ?? $(".pick input", list) ?? search).focus();
    $(".chosen-count", view).textContent = `${chosen.size} chosen`;
  }

  const picked = () => pictures.filter((p) => chosen.has(p.id));
  const act = (selector, action) => $(selector, view).addEventListener("click", async () => {
    try {
      showProblem(alert, null);
      await action();
    } catch (error) {
      showProblem(alert, error);
    }
  });
  act(".zip", async () => {
    const pictures = picked().slice(0, domain.limits.files).map((p) => p.id);
    const file = await insist(alert, async () => (await postJSON("api/v1/zip", { pictures })).blob());
    save(URL.createObjectURL(file), "pictures.zip");
    status.textContent = `${plural(Math.min(chosen.size, domain.limits.files), "picture")} saved as pictures.zip`;
  });
  act(".mark", async () => {
    for (const { id } of picked()) await insist(alert, () => call(`api/v1/pictures/${id}/favourite`, { method: "PUT" }));
    await load();
  });
  act(".remove", () => remove(picked(), load, alert));
  act(".all", () => {
    for (const p of left(pictures)) chosen.add(p.id);
    for (const box of list.querySelectorAll(".pick input")) box.checked = true;
    count();
  });
  act(".none", () => {
    chosen.clear();
    for (const box of list.querySelectorAll(".pick input")) box.checked = false;
    count();
  });

  function changed() {
    if (read().view === "gallery") replace(address());
    load();
  }

  let timer;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(changed, 150); });
  for (const field of Object.values(fields)) field.addEventListener("change", changed);
  $("form", view).addEventListener("submit", (event) => { event.preventDefault(); changed(); });
  more.addEventListener("click", async () => {
    const before = pictures.length;
    await load(pictures.at(-1).id);
    if (more.hidden) $("button", list.children[before])?.focus();
  });
  return {
    opened: (params) => {
      if ([...params].length) {
        search.value = params.get("query") ?? "";
        fields.favourites.checked = params.has("favourites");
        for (const [name, usual] of [["domain", domain.name], ["run", ""], ["look", ""]]) {
          const value = params.get(name) ?? usual;
          if (value && ![...fields[name].options].some((o) => o.value === value)) fields[name].append(el("option", { value }, value));
          fields[name].value = value;
        }
      }
      if (read().view !== "picture") replace(address()); // a picture before the gallery keeps its address
      load();
    },
    address,
    refresh: () => { if (!view.hidden) load(); },
    pictures: () => pictures,
  };
}
