// The console's one script: runs searches and presses buttons by the same HTTP API that programs use.
// Text from documents enters the page as text, never as markup.
"use strict";

const GRADES = ["does not answer", "helps a little", "answers in part", "answers"];
const CHIEF_PARTS = ["bm25", "dense", "adapted", "memory", "evidence"];
const collection = document.body.dataset.collection;
const message = document.getElementById("message");

function say(text, failed = false) {
  message.textContent = text;
  message.classList.toggle("failed", failed);
}

async function ask(path, body, method = "POST") {
  const headers = { "Content-Type": "application/json", "Clickloop-Collection": collection };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail || response.statusText);
  return answer;
}

function make(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// A document's address is linked when a browser can open it and it cannot run anything.
function safeAddress(url) {
  try {
    const { protocol } = new URL(url, location.href);
    return url && (protocol === "http:" || protocol === "https:") ? url : "";
  } catch {
    return "";
  }
}

function showTitle(hit) {
  const title = make("h3", "");
  const name = hit.title || hit.id;
  const address = safeAddress(hit.url);
  title.append(address ? make("a", name, { href: address, rel: "noreferrer" }) : name);
  return title;
}

function showScores(hit) {
  const details = make("details", "");
  const chief = CHIEF_PARTS.filter((part) => part in hit.scores).map((part) => `${part} ${hit.scores[part].toFixed(2)}`);
  details.append(make("summary", [`score ${hit.score.toFixed(2)}`, ...chief].join(" · ")));
  const table = make("table", "");
  const head = table.createTHead().insertRow();
  head.append(make("th", "Part", { scope: "col" }), make("th", "Value", { scope: "col", class: "number" }));
  const rows = table.createTBody();
  for (const [part, value] of Object.entries(hit.scores)) {
    const row = rows.insertRow();
    row.append(make("th", part, { scope: "row" }), make("td", value.toFixed(4), { class: "number" }));
  }
  details.append(table);
  return details;
}

function showHit(hit) {
  const item = make("li", "");
  item.append(showTitle(hit), make("p", hit.snippet), make("p", hit.id, { class: "quiet id" }), showScores(hit));
  return item;
}

async function search(section) {
  section.replaceChildren(make("p", "Searching …", { class: "quiet" }));
  const k = Number(section.dataset.k);
  try {
    const answer = await ask("/console/search", { query: section.dataset.query, k, explain: true, log: false });
    const stages = Object.entries(answer.stages_ms).map(([stage, ms]) => `${stage} ${ms.toFixed(1)} ms`);
    const list = make("ol", "", { class: "hits" });
    list.append(...answer.hits.map(showHit));
    section.replaceChildren(
      make("p", `${answer.hits.length} results, ranked by ${answer.version}: ${stages.join(", ")}`, { class: "quiet" }),
      list,
    );
  } catch (problem) {
    section.replaceChildren();
    say(problem.message, true);
  }
}

function makeChoice(id, grade, meaning) {
  const label = make("label", "");
  label.append(make("input", "", { type: "radio", name: id, value: grade }), ` ${grade} ${meaning}`);
  return label;
}

function showDocument(found) {
  const group = make("fieldset", "");
  const legend = make("legend", "");
  legend.append(showTitle(found));
  group.append(legend, make("p", found.snippet), ...GRADES.map((meaning, grade) => makeChoice(found.id, grade, meaning)));
  return group;
}

function showJudging({ query, documents, searches }) {
  const form = make("form", "", { class: "judging" });
  const asked = searches === undefined ? "" : ` · ${searches} searches in four weeks`;
  form.dataset.query = query;
  form.append(make("h3", `${query}${asked}`), ...documents.map(showDocument), make("button", "Keep"));
  form.addEventListener("submit", keepJudgments);
  return form;
}

async function keepJudgments(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const { query } = form.dataset;
  const chosen = [...form.querySelectorAll("input:checked")];
  if (!chosen.length) {
    say("Choose a grade for at least one document.", true);
    return;
  }
  try {
    const judgments = chosen.map(({ name, value }) => ({ query, document_id: name, grade: Number(value) }));
    const kept = await ask("/v1/gold", judgments, "PUT");
    form.replaceChildren(make("p", `${query}: ${inWords(kept)} kept.`));
  } catch (problem) {
    say(problem.message, true);
  }
}

async function findToJudge(query) {
  if (!query) return (await ask("/v1/gold/sample?count=5", undefined, "GET")).queries;
  const answer = await ask("/console/search", { query, k: 10, log: false });
  return answer.hits.length ? [{ query, documents: answer.hits }] : [];
}

async function judge(section) {
  section.replaceChildren(make("p", "Looking for documents …", { class: "quiet" }));
  const { query } = section.dataset;
  const none = query ? "Nothing is found." : "No query that enough people asked waits for a judgment.";
  try {
    const found = await findToJudge(query);
    section.replaceChildren(...(found.length ? found.map(showJudging) : [make("p", none, { class: "quiet" })]));
  } catch (problem) {
    section.replaceChildren();
    say(problem.message, true);
  }
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  return "list" in field.dataset ? [field.value] : field.value;
}

function bodyOf(form) {
  const fields = [...form.elements].filter((field) => field.name);
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
}

// What the API answers that it did.
function inWords(done) {
  if (done.judgments !== undefined) return done.judgments === 1 ? "1 judgment" : `${done.judgments} judgments`;
  if (done.previous !== undefined) return `the champion is ${done.version}, before it was ${done.previous || "none"}`;
  return done.state ? `${done.name || done.plan?.name || done.id} is ${done.state}` : `it is called ${done.name}`;
}

async function act(event) {
  event.preventDefault();
  const form = event.currentTarget;
  if (form.dataset.ask && !confirm(form.dataset.ask)) return;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const done = await ask(form.dataset.api, bodyOf(form), form.dataset.method);
    sessionStorage.setItem("message", `${button.textContent}: ${inWords(done)}.`);
    location.reload();
  } catch (problem) {
    say(problem.message, true);
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-api]")) {
  form.hidden = false;
  form.addEventListener("submit", act);
}

const answer = document.getElementById("answer");
if (answer?.dataset.query) search(answer);

const judging = document.getElementById("judge");
if (judging) judge(judging);

const before = sessionStorage.getItem("message");
sessionStorage.removeItem("message");
if (before) say(before);
