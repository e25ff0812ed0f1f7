// The page's names of the API's fields, for labels and errors.

export const labels = {
  text: "Description", story: "Story", character: "Character", count: "Pictures", cartoon: "Look", seed: "Seed", seeds: "Seeds",
  alpha: "Strength (α)", diversity: "Pictures differ in", spread: "How far", inject_index: "Random layers", truncation_psi: "Variety (ψ)",
  best_of: "Candidates per picture", refine: "Refining steps", steps: "Frames", fps: "Frames a second", from: "From", to: "To",
  alphas: "Strengths of a sheet (α)", picture: "Picture", query: "Search", runs: "Run", run: "Run", own_seeds: "One seed for all paragraphs",
};

/** label returns the page's name of a field, such as "alphas[2]". */
export const label = (field) => labels[field] ?? labels[field?.replace(/\[\d+\]$/, "")] ?? field;

/** inWords replaces the API's names of fields in a message of the server. */
export function inWords(message, field) {
  const plain = field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  const named = plain.replace(/\b[a-z]+_[a-z]+\b|\b(?:count|seed|refine|diversity|spread|alpha)\b/g, (word) => (labels[word] ? `“${labels[word]}”` : word));
  return field ? `${label(field)}: ${named}` : named;
}

const start = {
  run: "Start the server with --run and the folder of that run to draw with it",
  cartoon: "Start the server with --cartoon-style and the file of that look to draw with it",
};

/** lack words what a server lacks of the settings that a form was given, each {name, value, instead}; null for none. */
export function lack(settings) {
  if (!settings.length) return null;
  const message = settings.map(({ name, value, instead }) => `This server does not have the ${labels[name].toLowerCase()} “${value}”, and takes “${instead}”`).join(". ");
  return { message, hint: settings.map(({ name }) => start[name]).join(". ") };
}

/** lackOf says which domain or run of a picture the server lacks, and how to serve it; "" where it has both. */
export function lackOf({ domain: name, run }, { name: here, domains, runs }) {
  if (!domains.includes(name)) return `It was drawn by the domain “${name}”, which this server does not have. Start the server with --domain and the name or file of that domain to change the picture, or to draw it again.`;
  if (name !== here || !run || runs.includes(run)) return "";
  const how = run === name ? "without --run: then the domain’s own mapper draws" : "with --run and the folder of that run";
  return `It was drawn by the run “${run}”, which this server does not have. Start the server ${how}, to change the picture or to draw it again.`;
}

/** changeOf says that the networks of a picture's run have changed since they drew it; "" where they have not. */
export function changeOf({ run, networks_sha256: drew = {} }, { networks_sha256: all }) {
  const now = all[run] ?? {};
  const differs = (name) => drew[name] && now[name] && drew[name] !== now[name];
  if (differs("generator") || differs("clip")) return "The networks of this domain have changed since it was drawn: the same settings draw another picture now.";
  return differs("mapper") ? `The run “${run}” was trained again since it was drawn: the same settings draw another picture now.` : "";
}

export const differences = { noise: "fine detail", style: "first layers", z: "everything" };
