// Answers of the server in plain words: one card for each.

const VERDICTS = {
  match: ["good", "✓", "Same person"],
  non_match: ["bad", "✕", "Not the same person"],
  bona_fide: ["good", "✓", "A live presentation"],
  attack: ["bad", "✕", "A presentation attack"],
  enrolled: ["good", "✓", "Enrolled"],
  unchanged: ["good", "✓", "Known already, nothing changed"],
  forgotten: ["good", "✓", "Forgotten"],
  refused: ["bad", "✕", "Not enrolled"],
  not_decided: ["open", "?", "Not decided"],
};
const REASONS = {
  no_face: "No face was found. Show one whole face, upright and well lit.",
  several_faces: "There are several faces of about the same size. Let one person alone be in the picture.",
  low_quality: "The picture is too poor: take it again, sharper and with light from the front.",
  attack: "It looks like a print, a screen or a mask.",
  pad_unavailable: "Nobody can say whether this is live: no attack detector fits this picture.",
  unknown_subject: "Nobody is enrolled for these models yet.",
  timeout: "It took too long.",
  locked: "Too many attempts. Wait a while.",
};
const STATUS = {
  pass: "passed its own evaluation",
  fail: "missed a requirement in its own evaluation: do not rely on it",
  not_enough_data: "not proven yet: its evaluation had too little data",
};
const EVIDENCE = { real: "real attacks", simulated: "simulated attacks only" };

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function answerCard(answer, title) {
  const [tone, sign, words] = VERDICTS[answer.decision] ?? ["open", "?", answer.decision];
  const why = REASONS[answer.reason] ?? "";
  const parts = [verdict(tone, sign, title ?? words, why)];
  if (answer.pad?.hint) parts.push(element("p", { class: "hint" }, "Tip: " + answer.pad.hint + "."));
  const liveness = !("fmr" in answer);
  if (!liveness && answer.score !== null) {
    parts.push(gauge("Likeness", answer.score, answer.threshold, -0.2, 1));
  }
  if (answer.candidates?.length) parts.push(candidates(answer.candidates));
  if (answer.pad && answer.pad.score !== null) {
    parts.push(gauge("Live presentation", answer.pad.score, answer.pad.threshold, 0, 1));
  }
  parts.push(facts(answer));
  parts.push(element("details", {}, element("summary", {}, "Whole answer"),
    element("pre", { tabIndex: 0 }, JSON.stringify(answer, null, 2))));
  return element("div", { class: "answer", "data-decision": answer.decision }, ...parts);
}

export function problemCard(title, detail) {
  return element("div", { class: "answer", "data-decision": "problem" }, verdict("open", "!", title, detail));
}

function verdict(tone, sign, words, why) {
  return element("div", { class: "verdict " + tone },
    element("span", { class: "sign", ariaHidden: "true" }, sign),
    element("div", {}, element("b", {}, words), why ? element("span", { class: "why" }, why) : null));
}

function gauge(name, score, threshold, low, high) {
  const place = (value) => Math.min(100, Math.max(0, (100 * (value - low)) / (high - low))) + "%";
  const bar = element("div", { class: "bar " + (score >= threshold ? "tone-good" : "tone-bad") },
    element("i"), element("u"));
  bar.style.setProperty("--at", place(score));
  bar.style.setProperty("--limit", place(threshold));
  const text = `${score.toFixed(3)} · accepted from ${threshold.toFixed(3)}`;
  return element("div", { class: "gauge", role: "img", ariaLabel: `${name}: ${text}` },
    element("div", { class: "names" }, element("b", {}, name), element("span", {}, text)), bar);
}

function candidates(list) {
  return element("ol", { class: "list" }, ...list.map((one) =>
    element("li", {}, element("b", {}, one.subject), element("span", {}, one.score.toFixed(3)))));
}

function facts(answer) {
  const rows = [];
  const { pad, models } = answer;
  if (pad?.member) rows.push(["Attack detector", `${pad.member}, taught with ${EVIDENCE[pad.evidence]}`]);
  if (models?.pad) rows.push(["Its standing", STATUS[pad.status]]);
  const face = answer.probe ?? answer.face;
  if (face) rows.push(["Picture quality", `${Math.round(face.quality.unified)} of 100`]);
  if (answer.fmr) rows.push(["Strictness", `1 wrong match in ${Math.round(1 / answer.fmr).toLocaleString("en")}`]);
  if (answer.gallery_size !== undefined) rows.push(["Enrolled", `${answer.gallery_size} ${answer.gallery_size === 1 ? "person" : "people"}`]);
  if (answer.references !== undefined) rows.push(["References", String(answer.references)]);
  const names = [models?.recognition, models?.pad].filter(Boolean).join(", ");
  if (names) rows.push(["Models", names]);
  if (answer.latency_ms?.total) rows.push(["Time", `${Math.round(answer.latency_ms.total)} ms`]);
  return element("dl", { class: "facts" },
    ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
