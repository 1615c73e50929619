// The page: reads the key from the address, wires tabs, slots and buttons to the API.

import { Slot } from "/page/slot.js";
import { answerCard, problemCard } from "/page/words.js";

const LIVE_EVERY_MS = 250;
const at = (id) => document.getElementById(id);
const slots = {};
let busy = false;

function key() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    sessionStorage.setItem("vultus-key", given);
    history.replaceState(null, "", location.pathname);  // the key leaves the address bar and the history
  }
  return sessionStorage.getItem("vultus-key") ?? "";
}

class Refused extends Error {
  constructor(problem) { super(problem.detail); this.problem = problem; }
}

async function ask(method, path, parts = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    if (value instanceof Blob) body.append(name, value, name + ".jpg");
    else if (value) body.append(name, value);
  }
  const options = { method, headers: { Authorization: "Bearer " + key() } };
  if (method !== "DELETE") options.body = body;
  const response = await fetch("/api/v1/" + path, options);
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer);
  return answer;
}

function show(place, card) { at("result-" + place).replaceChildren(card); }

function complain(place, error) {
  if (error instanceof Refused) {
    if (error.problem.status === 401) at("key-form").hidden = false;
    show(place, problemCard(error.problem.title, error.problem.detail));
  } else {
    show(place, problemCard("The server does not answer", "Is it still running? " + error.message));
  }
}

async function act(place, work) {
  if (busy) return;
  busy = true;
  refresh();
  try { await work(); } catch (error) { complain(place, error); } finally { busy = false; refresh(); }
}

function refresh() {
  const subject = at("subject").value.trim();
  at("verify").disabled = busy || !slots.reference.blob || !slots.probe.blob;
  at("enrol").disabled = busy || !slots.person.blob || !subject;
  at("identify").disabled = busy || !slots.person.blob;
  at("forget").disabled = busy || !subject;
}

const verify = () => act("verify", async () => {
  const parts = { reference: slots.reference.blob, probe: slots.probe.blob, fmr: at("fmr").value };
  const answer = await ask("POST", "verify", parts);
  slots.reference.mark(answer.reference);
  slots.probe.mark(answer.probe);
  show("verify", answerCard(answer));
});

const enrol = () => act("people", async () => {
  const subject = at("subject").value.trim();
  const answer = await ask("PUT", `subjects/${encodeURIComponent(subject)}/references`, { image: slots.person.blob });
  slots.person.mark(answer.face);
  show("people", answerCard(answer, answer.decision === "enrolled" ? `Enrolled as ${subject}` : undefined));
});

const identify = () => act("people", async () => {
  const answer = await ask("POST", "identify", { image: slots.person.blob });
  slots.person.mark(answer.face);
  const names = { match: `This is ${answer.candidates[0]?.subject}`, non_match: "Nobody who is enrolled" };
  show("people", answerCard(answer, names[answer.decision]));
});

const forget = () => act("people", async () => {
  const subject = at("subject").value.trim();
  show("people", answerCard(await ask("DELETE", `subjects/${encodeURIComponent(subject)}`), `${subject} is forgotten`));
});

async function judge(blob) {
  const answer = await ask("POST", "liveness", { image: blob });
  slots.live.mark(answer.face);
  showLive(answer);
}

function showLive(answer) {
  // A card that is rebuilt several times a second must not close what somebody has opened.
  const open = at("result-liveness").querySelector("details")?.open ?? false;
  const card = answerCard(answer);
  card.querySelector("details").open = open;
  show("liveness", card);
}

async function watch() {
  while (slots.live.stream) {
    const began = performance.now();
    try {
      if (slots.live.video.videoWidth) await judge(await slots.live.frame());
    } catch (error) {
      complain("liveness", error);
      if (!(error instanceof Refused) || error.problem.status !== 429) { slots.live.stop(); return; }
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(30, LIVE_EVERY_MS - (performance.now() - began))));
  }
}

function choose(tab, focus = false) {
  for (const other of document.querySelectorAll("[role=tab]")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    at(other.getAttribute("aria-controls")).hidden = !chosen;
  }
  for (const slot of Object.values(slots)) slot.stop();
  if (focus) tab.focus();
}

function wireTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) choose(tabs[(index + step + tabs.length) % tabs.length], true);
    });
  });
}

function wireSlots() {
  const place = { reference: "verify", probe: "verify", live: "liveness", person: "people" };
  for (const root of document.querySelectorAll("[data-slot]")) {
    const name = root.dataset.slot;
    slots[name] = new Slot(root, {
      changed: (blob) => {
        at("result-" + place[name]).replaceChildren();
        if (name === "live") judge(blob).catch((error) => complain("liveness", error));
        refresh();
      },
      failed: (title, detail) => show(place[name], problemCard(title, detail)),
      camera: (on) => {
        // Read aloud one answer, not four a second.
        if (name === "live") at("result-liveness").setAttribute("aria-live", on ? "off" : "polite");
        if (on && name === "live") watch();
      },
    });
  }
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    const panel = document.querySelector("[role=tabpanel]:not([hidden])");
    const free = [...panel.querySelectorAll("[data-slot]")].map((root) => slots[root.dataset.slot]);
    if (file) (free.find((slot) => !slot.blob) ?? free.at(-1)).take(file);
  });
}

async function greet() {
  at("key-form").hidden = Boolean(key());
  try {
    const ready = await (await fetch("/v2/health/ready")).json();
    at("server").textContent = ready.ready ? "server ready, models loaded" : "server starting";
  } catch { at("server").textContent = "server not reachable"; }
}

wireTabs();
wireSlots();
for (const [id, work] of Object.entries({ verify, enrol, identify, forget })) at(id).addEventListener("click", work);
at("subject").addEventListener("input", refresh);
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("vultus-key", at("key").value.trim());
  at("key").value = "";
  greet();
});
window.addEventListener("hashchange", greet);
greet();
