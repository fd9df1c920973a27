/* clickloop in the browser: reports what people saw, opened, came back from and rated.
 *
 * A list carries data-clickloop-query="QUERY_ID", each of its hits data-clickloop-document="ID". A link in
 * a hit counts as a click; data-clickloop-rating="1..5" and data-clickloop-resolved="yes|no" make buttons.
 *
 * Every event has an id of its own and waits in localStorage until the service acknowledges it, so what
 * is sent twice counts once. Without consent, or against Do Not Track or Global Privacy Control, nothing
 * is stored, read or sent.
 */

export function start({
  url = new URL(".", import.meta.url).href,
  collection = "", // none named: the key's
  key = "", // one that may only search and send events: pages show it to everybody
  user,
  consent = true,
} = {}) {
  const MARK = "data-clickloop-";
  const SEEN_MS = 1000; // half in view for so long is seen
  const FLUSH_MS = 3000;
  const LONGEST_PAUSE_MS = 60000;
  const LEAVING_MS = 5000; // a page left later than this after a click was not left for it
  const MAX_WAITING = 500;
  const AT_ONCE = 30; // the longest events stay below the 64 KiB of a beacon

  const { warn } = console;
  const now = Date.now;
  const timestamp = () => new Date().toISOString();
  const endpoint = `${url.replace(/\/$/, "")}/v1/events?`;
  // What waits is kept by collection; a key stands for its own where none is named.
  const prefix = `clickloop ${endpoint}collection=${collection || key || "default"} `;
  const named = collection && `collection=${collection}&`;
  const address = () => `${endpoint + named}key=${key}&sent_at=${timestamp()}`; // corrects a wrong clock
  const on = addEventListener;
  const waiting = new Map(); // events by id, until acknowledged
  const putOff = new WeakMap(); // when events of users who send too many may come again
  const beaconed = new Set(); // ids sent on leaving, which nobody acknowledges
  const seen = new Set();
  const timers = new WeakMap(); // of hits half in view
  let observed = new WeakMap(); // what each element showed when it was last looked at
  let allowed = false;
  let lost = 0;
  let pause = FLUSH_MS;
  let timer, sending;

  // What waits to be acknowledged

  function hold(event) {
    waiting.set(event.id, event);
    if (waiting.size <= MAX_WAITING) return;
    lost++;
    const [oldest] = waiting.keys();
    warn("clickloop lost:", waiting.get(oldest));
    forget(oldest);
  }

  function store({ id }) {
    attempt(() => localStorage.setItem(prefix + id, JSON.stringify(waiting.get(id))));
  }

  function forget(id) {
    waiting.delete(id);
    attempt(() => localStorage.removeItem(prefix + id));
  }

  function recall() {
    const keys = attempt(() => Object.keys(localStorage).sort()) || [];
    for (const key of keys) if (key.startsWith(prefix)) attempt(() => hold(JSON.parse(localStorage[key])));
  }

  function report(type, query_id, document_id, value, name) {
    if (!allowed) return;
    const event = { id: newId(), type, name, query_id, document_id, value, user, at: timestamp() };
    hold(event);
    store(event);
    schedule();
  }

  // Sending

  function schedule() {
    if (waiting.size) timer ??= setTimeout(flush, pause);
  }

  function flush() {
    clearTimeout(timer);
    timer = null;
    sending ??= deliver().finally(() => {
      sending = null;
      schedule();
    });
    return sending;
  }

  function ready() {
    return [...waiting.values()].filter((event) => !(putOff.get(event) > now()));
  }

  async function deliver() {
    const batch = ready().slice(0, AT_ONCE);
    if (!batch.length) return;
    try {
      // Plain text needs no preflight, and kept alive it outlives the page.
      const reply = await fetch(address(), { method: "POST", body: JSON.stringify(batch), keepalive: true });
      const { verdicts, detail } = await reply.json();
      if (!verdicts) throw detail;
      verdicts.forEach((verdict) => settle(batch[verdict.index], verdict));
      pause = FLUSH_MS;
    } catch (problem) {
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2);
      warn("clickloop waits:", problem);
    }
  }

  function settle(event, { status, fields, retry_after_s }) {
    if (retry_after_s) return putOff.set(event, now() + 1000 * retry_after_s);
    if (status == "refused") warn("clickloop refused:", event, fields);
    forget(event.id);
  }

  function beacon() {
    const batch = ready().filter(({ id }) => !beaconed.has(id));
    while (batch.length) {
      const some = batch.splice(0, AT_ONCE);
      if (navigator.sendBeacon(address(), JSON.stringify(some))) some.forEach(({ id }) => beaconed.add(id));
    }
  }

  // What people do

  function click(query, hit) {
    report("click", query, hit);
    opened({ query, hit, page: location.href, at: now() });
  }

  function opened(value) {
    if (allowed) attempt(() => sessionStorage.setItem(prefix, JSON.stringify(value)));
  }

  function lastOpened() {
    const open = allowed && attempt(() => JSON.parse(sessionStorage.getItem(prefix)));
    return open && open.page == location.href ? open : null;
  }

  function returned() {
    const open = !document.hidden && lastOpened();
    if (!open) return;
    opened(null);
    report("dwell", open.query, open.hit, (now() - open.at) / 1000);
  }

  function onClick({ target, button }) {
    const query = valueAt(target, "query");
    if (!query || button > 1) return; // 1 is the middle button, which opens a tab
    const hit = valueAt(target, "document");
    const stars = valueAt(target, "rating");
    const answer = valueAt(target, "resolved");
    if (stars) report("rating", query, hit, +stars);
    else if (answer) report(answer == "no" ? "unresolved" : "resolved", query, hit);
    else if (hit && target.closest("a[href]")) click(query, hit);
  }

  // What people see

  const eye = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio } of entries) {
        clearTimeout(timers.get(target));
        if (intersectionRatio >= 0.5) timers.set(target, setTimeout(see, SEEN_MS, target));
      }
    },
    { threshold: 0.5 },
  );

  function see(element) {
    const query = valueAt(element, "query");
    const hit = valueAt(element, "document");
    if (!allowed || document.hidden || !query || seen.has(query + hit)) return;
    seen.add(query + hit);
    report("seen", query, hit);
  }

  function look() {
    for (const element of document.querySelectorAll(`[${MARK}document]`)) {
      const shown = valueAt(element, "query") + valueAt(element, "document");
      if (observed.get(element) == shown) continue;
      observed.set(element, shown);
      eye.unobserve(element);
      eye.observe(element);
    }
  }

  // The life of the page

  function arrive() {
    returned();
    schedule();
    observed = new WeakMap();
    look();
  }

  function leave() {
    const open = lastOpened();
    if (open) opened(now() - open.at < LEAVING_MS ? { ...open, at: now() } : null);
    beacon();
  }

  function setConsent(given) {
    const was = allowed;
    allowed = given && !objects();
    if (allowed && was) return;
    recall();
    if (allowed) return arrive();
    [...waiting.keys()].forEach(forget);
    attempt(() => sessionStorage.removeItem(prefix));
  }

  const turn = () => (document.hidden ? leave() : arrive());
  on("visibilitychange", turn);
  on("pageshow", turn);
  on("pagehide", leave);
  on("popstate", returned);
  on("click", onClick, true);
  on("auxclick", onClick, true);
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: [MARK + "query", MARK + "document"],
  });
  if (consent || objects()) setConsent(consent);

  // Small things

  function valueAt(element, name) {
    const attribute = MARK + name;
    return element.closest(`[${attribute}]`)?.getAttribute(attribute);
  }

  function objects() {
    return navigator.globalPrivacyControl || navigator.doNotTrack == "1";
  }

  function attempt(action) {
    try {
      return action();
    } catch {
      // storage is full or forbidden: events wait in memory only
    }
  }

  function newId() {
    const time = now().toString(16).padStart(12, "0");
    const bytes = crypto.getRandomValues(new Uint8Array(10));
    bytes[0] = (bytes[0] & 15) | 112; // version 7
    bytes[2] = (bytes[2] & 63) | 128; // RFC 9562
    const hex = time + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  return {
    report,
    click,
    rate: (query, hit, stars) => report("rating", query, hit, stars),
    thumb: (query, hit, up) => report("rating", query, hit, up ? 5 : 1),
    resolve: (query, yes = true, hit) => report(yes ? "resolved" : "unresolved", query, hit),
    returned,
    flush,
    consent: setConsent,
    get waiting() {
      return waiting.size;
    },
    get lost() {
      return lost;
    },
  };
}
