// Deleting pictures, with undo: the server keeps them for a while.
import { call, getJSON, insist } from "./api.js";
import { $, el, plural } from "./dom.js";

const gone = new Set();

/** left returns the pictures of a list that are not deleted. */
export const left = (pictures) => pictures.filter((p) => p && !gone.has(p.id));

/** undoTime is a little less than the server's. */
const undoTime = 25_000;

let timer;

/**
 * remove deletes pictures from the server and from all lists, and offers to undo that. changed reports it, alert is the place
 * that says while the server is silent.
 */
export async function remove(pictures, changed, alert) {
  const places = [];
  for (const { id } of pictures) {
    await insist(alert, () => call(`api/v1/pictures/${id}`, { method: "DELETE" })).catch((error) => {
      if (error.status !== 404) throw error; // it is gone: deleted before the server fell silent, or elsewhere
    });
    gone.add(id);
    for (const card of document.querySelectorAll(`[data-id="${id}"]`)) {
      places.push({ card, parent: card.parentNode, next: card.nextSibling });
      card.remove();
    }
  }
  changed();
  offer(`${plural(pictures.length, "picture")} deleted.`, pictures[0], async () => {
    for (const { id } of pictures) {
      const path = `api/v1/pictures/${id}`;
      await insist(alert, () => call(`${path}/restore`, { method: "POST" })).catch((error) => {
        if (error.status !== 404) throw error;
        return getJSON(path); // it may be back, before the server fell silent
      });
      gone.delete(id);
    }
    for (const { card, parent, next } of places.reverse()) parent.insertBefore(card, next?.parentNode === parent ? next : null);
    changed();
  });
}

/**
 * offer shows a message with a button for some seconds. It stands in the open dialog, which makes all else inert. The focus goes
 * from it to the picture, if that is shown.
 */
function offer(message, picture, undo) {
  const toast = $("#toast");
  const refocus = () => {
    const card = $(`main > section:not([hidden]) [data-id="${picture.id}"] button`);
    ($("dialog[open] .close") ?? card ?? $("#main")).focus({ preventScroll: true });
  };
  const hide = () => {
    clearTimeout(timer);
    if (toast.contains(document.activeElement)) refocus();
    toast.hidden = true;
    document.body.append(toast);
  };
  const say = (text, ...buttons) => $(".message", toast).replaceChildren(el("span", {}, text), ...buttons);
  say(message, el("button", { type: "button", class: "undo", onclick: async () => {
    try {
      await undo();
      const held = toast.contains(document.activeElement);
      say("It is back.");
      if (held) refocus();
      clearTimeout(timer);
      timer = setTimeout(hide, 5_000);
    } catch (error) {
      say(`That could not be undone: ${error.message}`);
    }
  } }, "Undo"), el("button", { type: "button", "aria-label": "Dismiss", onclick: hide }, "×"));
  place(toast);
  toast.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hide, undoTime);
}

function place(toast) {
  (document.querySelector("dialog[open]") ?? document.body).append(toast);
}

/** settle moves the message to where it can be used, when a dialog opens or closes. */
export const settle = () => { if (!$("#toast").hidden) place($("#toast")); };
