/* clickloop in the browser: search, passages and suggestions, under the names of the API.
 *
 * What is asked and answered is as the API's page says. A refusal is thrown: an Error with the fields of its problem.
 */

export function connect({
  url = new URL(".", import.meta.url).href,
  collection = "", // none named: the key's
  key = "", // one that may only search and send events: pages show it to everybody
  user = "",
  session = "",
} = {}) {
  const base = `${url.replace(/\/$/, "")}/v1/`;
  const sent = { ...(collection && { "Clickloop-Collection": collection }), ...(key && { "X-API-Key": key }) };

  async function ask(path, body) {
    const headers = body ? { ...sent, "Content-Type": "application/json" } : sent;
    const reply = await fetch(base + path, { method: body ? "POST" : "GET", headers, body: JSON.stringify(body) });
    const answer = await reply.json();
    if (reply.ok) return answer;
    throw Object.assign(new Error(answer.detail), answer);
  }

  return {
    search: (query, options) => ask("search", { query, user, session, ...options }),
    context: (question, options) => ask("context", { question, user, session, ...options }),
    suggest: async (q, limit = 8) => (await ask(`suggest?${new URLSearchParams({ q, limit })}`)).suggestions,
  };
}
