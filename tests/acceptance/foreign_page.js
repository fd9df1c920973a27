// What a page of another site tries on a service: every way in which a browser sends something unasked, on every
// route given. Resolves when all of it is done; what came of it, the service knows.
async (service, routes) => {
  const LONGEST_MS = 8000;
  const JSON_TYPE = { "Content-Type": "application/json" };

  const quietly = (promise) => promise.then(() => true, () => false);
  const ask = (url, options) => quietly(fetch(url, { credentials: "include", ...options }));
  const loaded = (element) =>
    new Promise((done) => {
      element.onload = element.onerror = () => done();
      setTimeout(done, LONGEST_MS);
    });

  function image(url) {
    const element = new Image();
    const end = loaded(element);
    element.src = url;
    return end;
  }

  function frame(url) {
    const element = document.createElement("iframe");
    const end = loaded(element);
    element.src = url;
    document.body.append(element);
    return end;
  }

  // A form's text is NAME=VALUE: an object's JSON is cut so that the sign falls into a string.
  function form(url, enctype, body) {
    const target = document.createElement("iframe");
    target.name = `target${document.querySelectorAll("iframe").length}`;
    document.body.append(target);
    const end = loaded(target);
    const element = document.createElement("form");
    Object.assign(element, { method: "post", action: url, enctype, target: target.name });
    const field = document.createElement("input");
    const empty = body === "{}" ? "" : ", ";
    [field.name, field.value] = body.endsWith("}") ? [`${body.slice(0, -1)}${empty}"_": "`, '"}'] : [body, ""];
    element.append(field);
    document.body.append(element);
    element.submit();
    return end;
  }

  async function attack([method, path, body]) {
    const url = service + path;
    const plain = { method: "POST", mode: "no-cors" };
    navigator.sendBeacon(url, body);
    await Promise.all([
      ask(url, { method, headers: JSON_TYPE, body }),
      ask(url, { method, body }),
      ask(url, { method, credentials: "omit", body }),
      ask(url, { ...plain, body }),
      ask(url, { ...plain, body: new Blob([body]) }),
      ask(url, { ...plain, body: new URLSearchParams({ body }) }),
      ask(url, { ...plain, referrerPolicy: "no-referrer", body }),
      ask(url, plain),
      image(url),
      frame(url),
      form(url, "text/plain", body),
      form(url, "application/x-www-form-urlencoded", body),
      form(url, "multipart/form-data", body),
    ]);
  }

  await Promise.all(routes.map(attack));
  return document.location.href;
};
