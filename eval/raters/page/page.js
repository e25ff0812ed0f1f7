"use strict";
(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const { questions } = study;
  const pairs = study.ask === "pairs";
  const $ = (selector) => document.querySelector(selector);
  const key = `illustrator-raters-${study.study}-${study.rater}`;

  const words = {
    match: pairs ? "Which picture fits the description better?" : "How well does the picture fit the description?",
    quality: pairs ? "Which picture looks better?" : "How good does the picture look?",
  };
  const partWords = {
    match: "Each question shows a description. Judge only how well a picture shows what it says, not how beautiful it is.",
    quality: "These questions have no description. Judge how well made a picture looks: clear, clean, without faults.",
  };
  const scales = {
    match: ["not at all", "a little", "in part", "mostly", "completely"],
    quality: ["bad", "poor", "fair", "good", "excellent"],
  };

  let state = recall();
  let at = 0; // the question shown
  let since = 0; // when it was shown
  let locked = false;

  function recall() {
    try {
      const kept = JSON.parse(localStorage.getItem(key));
      if (kept && typeof kept.name === "string" && Array.isArray(kept.answers) && kept.answers.length <= questions.length) return kept;
    } catch { /* damaged or forbidden: begin again */ }
    return { name: "", answers: [] };
  }

  function remember() {
    try {
      localStorage.setItem(key, JSON.stringify(state));
      return localStorage.getItem(key) !== null;
    } catch {
      return false;
    }
  }

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const answered = () => state.answers.filter(Boolean).length;
  const source = (name) => study.embedded?.[name] ?? `${study.folder}/${name}`;
  const partBegins = (i) => i === 0 || questions[i].aspect !== questions[i - 1].aspect;
  const parts = questions.filter((_, i) => partBegins(i)).length;

  function show(id, focus) {
    for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
    const n = answered();
    $("header").hidden = id === "start";
    $("progress").max = questions.length;
    $("progress").value = n;
    $("#count").textContent = `${n} of ${questions.length}`;
    if (focus) $(focus).focus();
    scrollTo(0, 0);
  }

  function start() {
    const n = answered();
    $("#name").value = state.name;
    const begun = n > 0;
    $("#start button").textContent = begun ? "Continue" : "Begin";
    $("#start .steps").replaceChildren(
      el("li", {}, begun ? `Welcome back: ${n} of ${questions.length} questions are answered.` : `${questions.length} questions, about ${minutes()}.`),
      el("li", {}, pairs ? "Each shows two pictures: choose one, or “No difference”." : "Each shows a picture: rate it from 1 to 5."),
      el("li", {}, pairs ? "Tap a picture or use the keys 1, 2 and 0, or the arrows." : "Tap a number or use the keys 1 to 5."),
      el("li", {}, "Trust your first impression. You can go back, and stop at any time and continue later on this device."),
    );
    show("start");
  }

  const minutes = () => {
    const n = Math.max(1, Math.round(questions.length * 4 / 60));
    return n === 1 ? "a minute" : `${n} minutes`;
  };

  /** open shows a question, after a page of its own where a part begins. */
  function open(i, introduced = false) {
    at = Math.min(i, questions.length);
    if (at === questions.length) return end();
    if (partBegins(at) && !introduced && parts > 1 && !state.answers[at]) return part();
    ask();
  }

  function part() {
    const { aspect } = questions[at];
    const number = questions.slice(0, at + 1).filter((_, i) => partBegins(i)).length;
    $("#part-number").textContent = `Part ${number} of ${parts}`;
    $("#part-title").textContent = words[aspect];
    $("#part-text").textContent = partWords[aspect];
    show("part", "#part-title");
  }

  function ask() {
    const { aspect, text, pictures } = questions[at];
    const given = state.answers[at];
    $("#question").textContent = words[aspect];
    $("#text").textContent = text ?? "";
    $("#pictures").replaceChildren(...pictures.map((name, i) => {
      const img = el("img", { src: source(name), alt: pairs ? (i ? "Right picture" : "Left picture") : "The picture" });
      if (!pairs) return el("div", {}, img);
      const choice = i ? "right" : "left";
      const button = el("button", { type: "button", "aria-pressed": given?.choice === choice }, img, el("span", {}, el("kbd", {}, String(i + 1)), i ? " Right" : " Left"));
      button.addEventListener("click", () => answer({ choice }));
      return button;
    }));
    $("#answers").className = pairs ? "" : "scale";
    $("#answers").replaceChildren(...(pairs ? [tie(given)] : scales[aspect].map((label, i) => {
      const button = el("button", { type: "button", "aria-pressed": given?.rating === i + 1 }, el("b", {}, String(i + 1)), el("span", {}, label));
      button.addEventListener("click", () => answer({ rating: i + 1 }));
      return button;
    })));
    $("#back").disabled = at === 0;
    $(".keys").replaceChildren(...(pairs ? ["1", "2", "0"] : ["1", "…", "5"]).flatMap((k) => [el("kbd", {}, k), " "]), "to answer, ", el("kbd", {}, "⌫"), " to go back");
    show("ask", "#question");
    $("#announce").textContent = `Question ${at + 1} of ${questions.length}`;
    since = performance.now();
    for (const next of questions.slice(at + 1, at + 3)) for (const name of next.pictures) new Image().src = source(name);
  }

  function tie(given) {
    const button = el("button", { type: "button", "aria-pressed": given?.choice === "tie" }, el("kbd", {}, "0"), "No difference");
    button.addEventListener("click", () => answer({ choice: "tie" }));
    return button;
  }

  /** answer keeps an answer, lets it be seen for a moment, and opens the next question. */
  function answer(given) {
    if (locked) return;
    locked = true;
    const seconds = Math.ceil((performance.now() - since) / 10) / 100; // of a quick key, too, more than 0
    state.answers[at] = { question: at + 1, ...given, seconds };
    remember();
    const all = pairs ? [...document.querySelectorAll("#pictures button, #answers button")] : [...document.querySelectorAll("#answers button")];
    const place = pairs ? ["left", "right", "tie"].indexOf(given.choice) : given.rating - 1;
    all.forEach((button, i) => button.setAttribute("aria-pressed", i === place));
    setTimeout(() => { locked = false; open(at + 1); }, 160);
  }

  const firstOpen = () => {
    const i = questions.findIndex((_, n) => !state.answers[n]);
    return i < 0 ? questions.length : i;
  };

  function result() {
    return JSON.stringify({ study: study.study, rater: study.rater, name: state.name, answers: state.answers.filter(Boolean) }, null, 1) + "\n";
  }

  const fileName = () => `answers-${study.study.slice(0, 6)}-rater-${study.rater}.json`;
  const file = () => new File([result()], fileName(), { type: "application/json" });

  function end() {
    const n = answered();
    const all = n === questions.length;
    $("#end-title").textContent = all ? "Thank you: all questions are answered" : `${n} of ${questions.length} questions are answered`;
    $("#end-text").textContent = "Save your answers as a file, and send it to the person who asked you." + (all ? "" : " You can also continue first: they are kept in this browser.");
    $("#saved").textContent = "";
    $("#copy").value = result();
    $("#resume").textContent = all ? "Look at the last question" : "Continue";
    let share = false;
    try { share = Boolean(navigator.canShare?.({ files: [file()] })); } catch { /* no sharing here */ }
    $("#share").hidden = !share;
    show("end", "#end-title");
  }

  $("#start form").addEventListener("submit", (event) => {
    event.preventDefault();
    state.name = $("#name").value.trim();
    if (!state.name) {
      $("#name").value = "";
      $("#name").reportValidity();
      return;
    }
    if (!remember()) {
      const first = $("#forgetful").hidden;
      $("#forgetful").hidden = false;
      if (first) return; // so that it is read
    }
    open(firstOpen());
  });
  $("#part button").addEventListener("click", () => open(at, true));
  const back = () => { if (at > 0) open(at - 1, true); };
  $("#back").addEventListener("click", back);
  $("#stop").addEventListener("click", end);
  $("#resume").addEventListener("click", () => open(Math.min(firstOpen(), questions.length - 1), true));
  $("#save").addEventListener("click", () => {
    const link = el("a", { href: URL.createObjectURL(file()), download: fileName() });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    $("#saved").textContent = `Saved as ${fileName()}: look among your downloads.`;
  });
  $("#share").addEventListener("click", () => navigator.share({ files: [file()] }).catch(() => {}));

  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
    const pressed = event.key;
    if (!$("#part").hidden && (pressed === "ArrowRight" || pressed === " ")) {
      event.preventDefault();
      open(at, true);
      return;
    }
    if ($("#ask").hidden) return;
    const choices = pairs
      ? { 1: { choice: "left" }, ArrowLeft: { choice: "left" }, 2: { choice: "right" }, ArrowRight: { choice: "right" }, 0: { choice: "tie" }, ArrowDown: { choice: "tie" } }
      : Object.fromEntries([1, 2, 3, 4, 5].map((n) => [n, { rating: n }]));
    if (Object.hasOwn(choices, pressed)) answer(choices[pressed]);
    else if (pressed === "Backspace" || pressed === "ArrowUp") back();
    else return;
    event.preventDefault();
  });

  start();
})();
