// Niceties only: every page works without this script.
"use strict";

// The dashboard's numbers and chart, fresh every two seconds while the page is visible.
(() => {
  const flow = document.querySelector("[data-flow]");
  if (!flow) return;
  const every = 2000;
  const state = document.querySelector("[data-live-state]");

  const put = (selector, text) => {
    for (const place of document.querySelectorAll(selector)) if (place.textContent !== text) place.textContent = text;
  };

  const svg = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const drawChart = (chart) => {
    for (const side of ["in", "out"]) {
      put(`[data-axis="${side}.top"]`, chart[side].top);
      put(`[data-axis="${side}.half"]`, chart[side].half);
      for (const series of chart[side].series) {
        flow.querySelector(`[data-series="${series.name}"]`).setAttribute("d", series.path);
        put(`[data-total="${series.name}"]`, series.total);
      }
    }
    const rows = chart.rows.map(({ label, values }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = label;
      row.append(head, ...values.map(({ count }) => {
        const cell = document.createElement("td");
        cell.className = "number";
        cell.textContent = count;
        return cell;
      }));
      return row;
    });
    if (rows.length) flow.querySelector("[data-flow-rows]").replaceChildren(...rows);
    flow.querySelectorAll("[data-time]").forEach((place, index) => {
      place.textContent = chart.times[index % chart.times.length].label;
    });
  };

  const drawRefusals = (refusals) => {
    const body = document.querySelector("[data-refusals]");
    const rows = refusals.map((refusal) => {
      const row = document.createElement("tr");
      row.insertCell().textContent = refusal.reason;
      const count = row.insertCell();
      count.className = "number";
      count.textContent = refusal.count;
      return row;
    });
    if (rows.length) body.replaceChildren(...rows);
  };

  const drawMix = (protection) => {
    const mix = document.querySelector("[data-mix]");
    if (protection.empty || !mix) return;
    mix.querySelector("p")?.remove();
    const bar = mix.querySelector("svg.bar");
    bar.replaceChildren(
      svg("rect", { class: "rest", width: 100, height: 10 }),
      ...protection.parts.map((part) => svg("rect", { class: `p-${part.name}`, x: part.x, width: part.width, height: 10 })),
    );
    const entries = protection.parts.map((part) => {
      const key = svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" });
      key.append(svg("rect", { class: `p-${part.name}`, width: 10, height: 10, rx: 2 }));
      const count = document.createElement("strong");
      count.textContent = part.count;
      const entry = document.createElement("li");
      entry.append(key, `${part.title} `, count);
      return entry;
    });
    mix.querySelector(".legend").replaceChildren(...entries);
  };

  const draw = (data) => {
    for (const [name, text] of Object.entries(data.shown)) put(`[data-live="${name}"]`, text);
    put('[data-live="updatedAt"]', data.updatedAt);
    for (const place of document.querySelectorAll("[data-plaintext], [data-plaintext-line]")) place.className = data.plaintextTone;
    drawChart(data.chart);
    drawRefusals(data.refusals);
    drawMix(data.protection);
    // A problem that came or went changes the page itself; its words are drawn by the server.
    const shown = document.querySelector("[data-problem-count]").dataset.problemCount;
    if (String(data.problems) !== shown) location.reload();
  };

  let timer = 0;
  const refresh = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(`/live/flow?minutes=${flow.dataset.flow}`, { headers: { Accept: "application/json" } });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      draw(await answer.json());
      state.textContent = "Live, as of";
      flow.classList.remove("stale");
    } catch {
      state.textContent = "Not live: Postern did not answer. Last numbers of";
      flow.classList.add("stale");
    }
    timer = setTimeout(refresh, every);
  };
  document.addEventListener("visibilitychange", refresh);
  refresh();
})();

// Warns two minutes before the session ends for want of activity, and extends it on request.
(() => {
  const box = document.getElementById("idle");
  const seconds = Number(document.body.dataset.idleSeconds);
  if (!box || !seconds) return;
  const warnBefore = 120;
  let endsAt = Date.now() + seconds * 1000;

  const look = () => {
    const left = Math.round((endsAt - Date.now()) / 1000);
    if (left <= 0) return location.reload();
    box.hidden = left > warnBefore;
    if (!box.hidden) box.querySelector("[data-idle-left]").textContent = left > 60 ? "2 minutes" : `${left} seconds`;
    setTimeout(look, left > warnBefore ? (left - warnBefore) * 1000 : 1000);
  };
  box.querySelector("[data-idle-stay]").addEventListener("click", async () => {
    const answer = await fetch("/live/session");
    if (!answer.ok) return location.reload();
    endsAt = Date.now() + (await answer.json()).idleSeconds * 1000;
    box.hidden = true;
  });
  look();
})();

// How many messages a scope matches, counted while its form is filled in; the button does the same without script.
(() => {
  const form = document.querySelector("[data-scope-form]");
  const place = form?.querySelector("[data-count]");
  if (!place) return;
  const token = document.querySelector('input[name="csrf"]').value;
  let timer = 0, asked = 0;
  const count = async () => {
    const fields = new URLSearchParams(new FormData(form));
    fields.set("csrf", token);
    const mine = ++asked;
    try {
      const answer = await fetch("/live/scope-count", { method: "POST", body: fields });
      if (!answer.ok || mine !== asked) return;
      const hits = await answer.json();
      place.textContent = hits.trouble ?? hits.objects + (hits.oldest ? `, oldest ${hits.oldest.day}, newest ${hits.newest.day}` : "");
    } catch { /* the button still counts */ }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(count, 400); });
})();

// The progress of an export that is being made.
(() => {
  const place = document.querySelector("[data-progress]");
  if (!place) return;
  const look = async () => {
    try {
      const answer = await fetch(`/live/exports/${encodeURIComponent(place.dataset.progress)}/progress`);
      if (answer.status === 401) return location.reload();
      const state = await answer.json();
      if (state.finished) return location.reload();
      const bar = place.querySelector("progress");
      bar.max = state.max;
      bar.value = state.value;
      place.querySelector("[data-progress-text]").textContent = `${state.done} of ${state.total} messages`;
    } catch { /* looks again */ }
    setTimeout(look, 1500);
  };
  setTimeout(look, 1500);
})();

// Keeps what is being typed in this tab, so that it can be put back after the session ended and the person came back.
// Passwords, codes, files and hidden fields are never kept; signing out, or another person's sign-in, forgets all.
(() => {
  const account = document.body.dataset.account;
  if (!account) return;
  if (sessionStorage.getItem("postern-account") !== account) {
    sessionStorage.clear();
    sessionStorage.setItem("postern-account", account);
  }
  const key = `postern-draft:${location.pathname}`;
  const fields = () => [...document.querySelectorAll("main form[method=post] :is(input, textarea, select)")].filter(
    (field) => field.id && !["password", "hidden", "file", "submit", "button"].includes(field.type) && field.autocomplete !== "one-time-code");
  const valueOf = (field) => (["checkbox", "radio"].includes(field.type) ? field.checked : field.value);

  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (kept && fields().some((field) => field.id in kept && kept[field.id] !== valueOf(field))) {
    const offer = document.createElement("p");
    offer.className = "notice";
    offer.setAttribute("role", "status");
    const put = document.createElement("button");
    put.type = "button";
    put.textContent = "Put it back";
    put.addEventListener("click", () => {
      for (const field of fields()) {
        if (!(field.id in kept)) continue;
        if (["checkbox", "radio"].includes(field.type)) field.checked = kept[field.id];
        else field.value = kept[field.id];
      }
      offer.remove();
    });
    offer.append("What you typed here before was kept. ", put);
    document.getElementById("main").prepend(offer);
  }

  document.addEventListener("input", ({ target }) => {
    if (!fields().includes(target)) return;
    const draft = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    draft[target.id] = valueOf(target);
    sessionStorage.setItem(key, JSON.stringify(draft));
  });
  document.addEventListener("submit", ({ target }) => {
    if (target.getAttribute("action") === "/sign-out") sessionStorage.clear();
    else sessionStorage.removeItem(key);
  });
})();

// Progress of jobs, drawn by the server again while something runs.
(() => {
  const place = document.querySelector("[data-refresh]");
  if (!place) return;
  const look = async () => {
    if (document.hidden || !place.querySelector("progress, .badge.wait") || place.contains(document.activeElement)) return setTimeout(look, 2000);
    try {
      const answer = await fetch(place.dataset.refresh);
      if (answer.status === 401) return location.reload();
      const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-refresh]");
      if (answer.ok && drawn) place.replaceChildren(...drawn.childNodes);
    } catch { /* looks again */ }
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
})();

// On a phone the navigation scrolls sideways: the current entry is brought into view.
(() => {
  const current = document.querySelector(".side nav [aria-current]");
  const row = current?.closest("ul");
  if (!row) return;
  const show = () => {
    const from = current.getBoundingClientRect().left - row.getBoundingClientRect().left + row.scrollLeft;
    row.scrollLeft = from - (row.clientWidth - current.offsetWidth) / 2;
  };
  addEventListener("resize", show);
  show();
})();
