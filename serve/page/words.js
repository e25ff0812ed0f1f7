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

/** withMapper is a run with the beginning of its mapper's SHA-256, which tells runs of one name apart. */
export const withMapper = (run, networks) => (run && networks?.mapper ? `${run}@${networks.mapper.slice(0, 8)}` : run);

/** splitRun returns the name and the mapper of a run that may be one of withMapper. */
export const splitRun = (run) => run.match(/^(.+)@([0-9a-f]{8})$/)?.slice(1) ?? [run, ""];

/** runOf returns the run of the domain that has a mapper, else the one of a name; undefined where there is neither. */
export function runOf(name, mapper, { runs, networks_sha256: all }) {
  const has = (run) => mapper && all[run]?.mapper?.startsWith(mapper);
  if (runs.includes(name) && has(name)) return name;
  return runs.find(has) ?? runs.find((run) => run === name);
}

const start = {
  run: "Start the server with --run and the folder of that run to draw with it",
  cartoon: "Start the server with --cartoon-style and the file of that look to draw with it",
};

/** lack words what a server lacks of the settings that a form was given, each {name, value, instead}; null for none. */
export function lack(settings) {
  if (!settings.length) return null;
  const message = settings.map(({ name, value, instead, changed }) => changed ? `The run “${value}” has another mapper here than that of the address, and draws other pictures` : `This server does not have the ${labels[name].toLowerCase()} “${value}”, and takes “${instead}”`).join(". ");
  return { message, hint: settings.map(({ name, changed }) => (changed ? "It was trained again, or is another run of that name" : start[name])).join(". ") };
}

/** lackOf says which domain or run of a picture the server lacks, and how to serve it; "" where it has both. */
export function lackOf({ domain: name, run, networks_sha256: drew }, domain) {
  const { name: here, domains } = domain;
  if (!domains.includes(name)) return `It was drawn by the domain “${name}”, which this server does not have. Start the server with --domain and the name or file of that domain to change the picture, or to draw it again.`;
  if (name !== here || !run || runOf(run, drew?.mapper, domain)) return "";
  const how = run === name ? "without --run: then the domain’s own mapper draws" : "with --run and the folder of that run";
  return `It was drawn by the run “${run}”, which this server does not have. Start the server ${how}, to change the picture or to draw it again.`;
}

/** changeOf says that the networks of a picture's run have changed since they drew it; "" where they have not. */
export function changeOf({ run, networks_sha256: drew = {} }, domain) {
  const now = domain.networks_sha256[runOf(run, drew.mapper, domain)] ?? {};
  const differs = (name) => drew[name] && now[name] && drew[name] !== now[name];
  if (differs("generator") || differs("clip")) return "The networks of this domain have changed since it was drawn: the same settings draw another picture now.";
  return differs("mapper") ? `The run “${run}” was trained again since it was drawn, or is another run of that name: the same settings draw another picture now.` : "";
}

export const differences = { noise: "fine detail", style: "first layers", z: "everything" };
