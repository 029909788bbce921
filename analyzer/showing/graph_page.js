"use strict";
// Draws the plan in #plan: bands of cards by layer, ties between them, a panel for one issue. Only what is shown is
// made, so a tracker of thousands opens at once: the first layers, and of each the first cards.
(() => {
  const FIRST_LAYERS = 3, FIRST_CARDS = 20, MORE_CARDS = 300, MOST_FOUND = 200, MOST_MEETINGS = 24, MOST_PARTNERS = 20;
  const page = document.documentElement;
  addEventListener("error", (event) => {
    page.dataset.error = event.message;
    const told = document.createElement("p");
    told.className = "failed";
    told.textContent = "The drawing failed: " + event.message;
    document.querySelector("#graph").prepend(told);
  });

  const plan = JSON.parse(document.querySelector("#plan").textContent);
  const { issues, edges, meets, tracks } = plan;
  const place = new Map(issues.map((issue, index) => [issue.id, index]));
  const before = issues.map(() => []), after = issues.map(() => []), partners = issues.map(() => []);
  for (const [a, b] of edges) { after[a].push(b); before[b].push(a); }
  meets.forEach((meet, index) => { partners[meet.a].push(index); partners[meet.b].push(index); });
  const byLayer = Array.from({ length: plan.layers.length }, () => []);
  issues.forEach((issue, index) => byLayer[issue.layer].push(index));

  const $ = (selector) => document.querySelector(selector);
  const shown = { layers: FIRST_LAYERS, cards: byLayer.map(() => FIRST_CARDS), forced: new Set() };
  let chosen = -1;
  const cards = new Map();

  function make(tag, classes, text) {
    const element = document.createElement(tag);
    if (classes) element.className = classes;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // What comes first in a layer: what can begin, then what is tied, each near those it waits for.
  const rank = new Map();
  byLayer.forEach((layer) => {
    const weight = (i) => {
      const above = before[i].map((b) => rank.get(b) ?? 0);
      const near = above.length ? above.reduce((sum, x) => sum + x, 0) / above.length : 0;
      const loose = !after[i].length && !before[i].length && !partners[i].length;
      return [["now", "ready", "waits", "blocked"].indexOf(issues[i].state) > 1 && !before[i].length ? 2 : issues[i].state === "now" ? 0 : 1, loose ? 1 : 0, near, i];
    };
    const weights = new Map(layer.map((i) => [i, weight(i)]));
    layer.sort((a, b) => {
      const x = weights.get(a), y = weights.get(b);
      for (let k = 0; k < x.length; k++) if (x[k] !== y[k]) return x[k] - y[k];
      return 0;
    });
    layer.forEach((i, position) => rank.set(i, position));
  });

  function wanted() {
    const words = $("#search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const states = new Set([...document.querySelectorAll("[data-state]:checked")].map((box) => box.dataset.state));
    const fits = (i) => states.has(issues[i].state) && words.every((word) => issues[i].text.includes(word));
    return { isSearch: words.length > 0, fits };
  }

  function draw() {
    const { isSearch, fits } = wanted();
    const graph = $("#bands");
    graph.replaceChildren();
    cards.clear();
    let found = 0, deeper = 0, left = 0;
    byLayer.forEach((layer, number) => {
      const all = layer.filter((i) => fits(i) || shown.forced.has(i));
      found += all.length;
      const isOpen = isSearch || number < shown.layers;
      const most = isSearch ? MOST_FOUND : shown.cards[number];
      const those = isOpen ? all.filter((i, position) => position < most || shown.forced.has(i)) : all.filter((i) => shown.forced.has(i));
      if (!isOpen) { deeper += all.length - those.length; left += 1; }
      if (those.length) graph.append(band(number, those, all.length, isOpen));
    });
    if (deeper) {
      const button = make("button", "more deeper", `show the ${left} deeper layers (${deeper} more issues)`);
      button.onclick = () => { shown.layers = byLayer.length; draw(); };
      graph.append(button);
    }
    $("#found").textContent = `${cards.size} of ${isSearch ? found + " found" : issues.length} issues shown`;
    light();
  }

  function band(number, those, all, isOpen) {
    const section = make("section", "layer"), head = make("header"), grid = make("div", "cards");
    head.append(make("b", "", plan.layers[number][0]), make("span", "soft", plan.layers[number][1].replace("{} issues", all === 1 ? "1 issue" : all + " issues")));
    for (const i of those) grid.append(card(i));
    section.append(head, grid);
    if (isOpen && those.length < all) {
      const button = make("button", "more", `show ${Math.min(MORE_CARDS, all - those.length)} more of ${all}`);
      button.onclick = () => { shown.cards[number] += MORE_CARDS; draw(); };
      section.append(button);
    }
    return section;
  }

  function card(i) {
    const issue = issues[i], track = tracks[issue.track];
    const element = make("button", `card ${issue.state}${issue.critical ? " critical" : ""}`);
    element.type = "button";
    element.id = "issue-" + i;
    element.dataset.issue = issue.id;
    element.style.setProperty("--hue", track.hue);
    const top = make("div", "top");
    top.append(make("i"), make("b", "", issue.id), make("span", "", "P" + issue.priority));
    element.append(top, make("div", "title", issue.title), make("div", "foot", `${track.id} · ${track.place}`));
    element.onclick = () => choose(chosen === i ? -1 : i);
    element.onmouseenter = (event) => tell(event, i);
    element.onmousemove = (event) => follow(event);
    element.onmouseleave = () => { $("#tip").hidden = true; };
    cards.set(i, element);
    return element;
  }

  // --- ties

  function ties() {
    const svg = $("#ties"), graph = $("#graph").getBoundingClientRect();
    const spot = new Map([...cards].map(([i, element]) => {
      const box = element.getBoundingClientRect();
      return [i, { left: box.left - graph.left, right: box.right - graph.left, top: box.top - graph.top, bottom: box.bottom - graph.top, x: (box.left + box.right) / 2 - graph.left, y: (box.top + box.bottom) / 2 - graph.top }];
    }));
    const lit = chosen < 0 ? null : chain(chosen);
    const lines = [];
    if ($("#meetings").checked || chosen >= 0) {
      const those = chosen >= 0 ? partners[chosen].map((m) => meets[m]) : meets.filter((m) => !m.hot && issues[m.a].track !== issues[m.b].track);
      for (const meet of those.filter((m) => spot.has(m.a) && spot.has(m.b)).slice(0, chosen >= 0 ? 200 : MOST_MEETINGS)) {
        const path = beside(spot.get(meet.a), spot.get(meet.b));
        const drawn = line(path, `meet${meet.hot ? " hot" : ""}${chosen >= 0 ? " lit" : ""}`, meeting(meet), "");
        if (chosen < 0) drawn.style.opacity = Math.min(1, 0.35 + 0.65 * meet.p);
        lines.push(drawn);
      }
    }
    for (const [a, b] of edges) {
      if (!spot.has(a) || !spot.has(b)) continue;
      const gold = issues[a].critical && issues[b].critical && $("#critical").checked;
      const glow = lit ? (lit.has(a) && lit.has(b) ? " lit" : " dim") : "";
      lines.push(line(below(spot.get(a), spot.get(b)), `arrow${gold ? " critical" : ""}${glow}`, `${issues[b].id} waits for ${issues[a].id}`, gold ? "gold" : "tip"));
    }
    svg.querySelectorAll("path.tie").forEach((old) => old.remove());
    svg.append(...lines);
  }

  const below = (a, b) => {
    if (b.top > a.bottom) {
      const reach = Math.max(22, (b.top - a.bottom) / 2);
      return `M${a.x} ${a.bottom}C${a.x} ${a.bottom + reach} ${b.x} ${b.top - reach - 6} ${b.x} ${b.top - 6}`;
    }
    return beside(a, b);
  };
  const beside = (a, b) => {
    const [l, r] = a.left <= b.left ? [a, b] : [b, a];
    if (Math.abs(l.y - r.y) < 4 && r.left - l.right > 60) {
      // In one row with others between: through the room below the row, not behind those others.
      return `M${l.x} ${l.bottom}C${l.x} ${l.bottom + 22} ${r.x} ${r.bottom + 22} ${r.x} ${r.bottom}`;
    }
    if (r.left > l.right) {
      const middle = (l.right + r.left) / 2;
      return `M${l.right} ${l.y}C${middle} ${l.y} ${middle} ${r.y} ${r.left} ${r.y}`;
    }
    const out = Math.max(l.right, r.right) + 20 + Math.abs(l.y - r.y) / 12;
    return `M${l.right} ${l.y}C${out} ${l.y} ${out} ${r.y} ${r.right} ${r.y}`;
  };

  function line(path, classes, told, tip) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
    element.setAttribute("d", path);
    element.setAttribute("class", "tie " + classes);
    if (tip) element.setAttribute("marker-end", `url(#${tip})`);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = told;
    element.append(title);
    return element;
  }

  const meeting = (meet) => `${issues[meet.a].id} and ${issues[meet.b].id}: ${percent(meet.p)}, ${meet.paths.join(", ")}`;
  const percent = (p) => Math.round(p * 100) + " %";

  // --- one issue

  function chain(i) {
    const found = new Set([i]);
    for (const next of [before, after]) {
      const waiting = [i];
      while (waiting.length) for (const other of next[waiting.pop()]) if (!found.has(other)) { found.add(other); waiting.push(other); }
    }
    return found;
  }

  function choose(i) {
    chosen = i;
    $("#tip").hidden = true;
    history.replaceState(null, "", i < 0 ? location.pathname + location.search : "#" + encodeURIComponent(issues[i].id));
    const near = i < 0 ? [] : partners[i].slice(0, MOST_PARTNERS).map((m) => (meets[m].a === i ? meets[m].b : meets[m].a));
    shown.forced = new Set(i < 0 ? [] : [...chain(i), ...near]);
    const isMissing = [...shown.forced].some((other) => !cards.has(other));
    panel();
    if (isMissing) draw(); else light();
    if (i >= 0) cards.get(i).scrollIntoView({ block: "nearest" });
  }

  function light() {
    const lit = chosen < 0 ? null : chain(chosen);
    const met = new Set(chosen < 0 ? [] : partners[chosen].map((m) => (meets[m].a === chosen ? meets[m].b : meets[m].a)));
    for (const [i, element] of cards) {
      element.classList.toggle("chosen", i === chosen);
      element.classList.toggle("lit", !!lit && i !== chosen && lit.has(i));
      element.classList.toggle("met", met.has(i));
      element.classList.toggle("dim", !!lit && !lit.has(i) && !met.has(i));
      element.classList.toggle("critical", issues[i].critical && $("#critical").checked);
    }
    ties();
  }

  function tell(event, i) {
    const issue = issues[i], tip = $("#tip");
    tip.replaceChildren(make("b", "", `${issue.id} · P${issue.priority} ${issue.kind}`), make("div", "", issue.title));
    tip.append(make("div", "soft", issue.why || tracks[issue.track].why || "ready"));
    for (const [path, p, why] of issue.files.slice(0, 4)) tip.append(make("div", "", `${percent(p)}  ${path}`), make("div", "soft", why));
    tip.hidden = false;
    follow(event);
  }

  function follow(event) {
    const tip = $("#tip");
    tip.style.left = Math.min(event.clientX + 16, innerWidth - tip.offsetWidth - 12) + "px";
    tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 12) + "px";
  }

  function panel() {
    const aside = $("#panel");
    aside.hidden = chosen < 0;
    document.body.classList.toggle("asked", chosen >= 0);
    if (chosen < 0) return;
    const issue = issues[chosen], track = tracks[issue.track];
    const close = make("button", "close", "×");
    close.onclick = () => choose(-1);
    aside.replaceChildren(close, make("p", "soft", `${issue.id} · P${issue.priority} ${issue.kind}`), make("h2", "", issue.title));
    aside.querySelector("h2").style.margin = ".2rem 0 .5rem";
    aside.append(make("p", "", issue.why || "Ready."), make("p", "soft", `${track.id}: ${track.why || track.place}`));
    list("Waits for", before[chosen].map(link));
    list("Sets free", after[chosen].map(link));
    list("Would meet", partners[chosen].slice(0, 60).map((m) => {
      const meet = meets[m], row = link(meet.a === chosen ? meet.b : meet.a);
      row.append(make("div", "soft", `${percent(meet.p)} in ${meet.paths.join(", ")}${meet.hot ? " (hot files alone: allowed)" : ""}`));
      row.title = meet.why;
      return row;
    }));
    list("Likely files", issue.files.map(([path, p, why]) => {
      const row = make("li"), bar = make("span", "bar");
      bar.style.width = 4 + 56 * p + "px";
      row.append(bar, make("code", "", path), make("div", "soft", `${percent(p)} · ${why}`));
      return row;
    }));
    list("New files", issue.fresh.map((path) => make("li", "", path)));
  }

  function list(title, rows) {
    if (!rows.length) return;
    const items = make("ul");
    items.append(...rows);
    $("#panel").append(make("h3", "", title), items);
  }

  function link(i) {
    const row = make("li"), anchor = make("a", "", issues[i].id);
    anchor.href = "#" + encodeURIComponent(issues[i].id);
    row.append(anchor, document.createTextNode("  " + issues[i].title));
    return row;
  }

  // --- begin

  function fromHash() {
    const name = decodeURIComponent(location.hash.slice(1));
    if (place.has(name) && place.get(name) !== chosen) choose(place.get(name));
  }

  for (const box of document.querySelectorAll("[data-state]")) box.onchange = draw;
  $("#search").oninput = draw;
  $("#meetings").onchange = ties;
  $("#critical").onchange = light;
  addEventListener("keydown", (event) => { if (event.key === "Escape") choose(-1); });
  addEventListener("hashchange", fromHash);
  new ResizeObserver(ties).observe($("#bands"));
  draw();
  fromHash();
  page.dataset.drawn = cards.size;
})();
