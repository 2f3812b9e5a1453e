(() => {
  const data = JSON.parse(one(".data").textContent), sheet = one("#sheet"), search = one("#search");
  const nodes = all(".node"), arcs = all(".arc");
  const whole = { x: 0, y: 0, w: Number(sheet.dataset.width), h: Number(sheet.dataset.height) };
  let view = { ...whole };

  const look = next => {
    const w = Math.min(whole.w * 2, Math.max(120, next.w));
    view = { x: next.x, y: next.y, w, h: next.h * w / next.w };
    sheet.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  };
  // Keeps the point (x, y) of the graph where it is on the screen.
  const zoom = (factor, x = view.x + view.w / 2, y = view.y + view.h / 2) =>
    look({ x: x - (x - view.x) * factor, y: y - (y - view.y) * factor, w: view.w * factor, h: view.h * factor });
  const move = (dx, dy) => look({ ...view, x: view.x + dx * view.w, y: view.y + dy * view.h });
  const at = event => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(sheet.getScreenCTM().inverse());
    return [point.x, point.y];
  };

  const make = (name, text, parent) => {
    const element = document.createElement(name);
    if (text !== null) element.textContent = text;
    parent.append(element);
    return element;
  };

  const list = (target, found, arrow) => {
    target.replaceChildren();
    if (!found.length) make("li", "no step", target).className = "soft";
    for (const [number, arc] of found) {
      const item = make("li", null, target), chip = make("span", null, item);
      chip.className = `chip m${arc[2] % data.colors}`;
      const button = make("button", `${arc[3].join("; ")} ${arrow} ${number}`, item);
      button.type = "button";
      button.addEventListener("click", () => choose(number, true));
      if (arc[4].length) make("strong", ` violates ${arc[4].join(", ")}`, item).className = "verdict";
    }
  };

  const show = number => {
    const [values, depth, states, inner, violated] = data.nodes[number];
    const merged = states > 1 ? `; ${states} states` + (inner ? `, ${inner} step${inner === 1 ? "" : "s"} between them` : "") : "";
    one("#which").textContent = `State ${number}`;
    one("#facts").textContent = `${depth} step${depth === 1 ? "" : "s"} deep` + merged;
    one("#broken").textContent = violated.length ? `✗ violates ${violated.join(", ")}` : "";
    const body = one("#values tbody");
    body.replaceChildren();
    data.names.forEach((name, i) => {
      const row = make("tr", null, body);
      make("th", name, row).scope = "row";
      make("td", values[i], row);
    });
    list(one("#from"), data.arcs.filter(arc => arc[0] === number).map(arc => [arc[1], arc]), "→");
    list(one("#to"), data.arcs.filter(arc => arc[1] === number).map(arc => [arc[0], arc]), "←");
  };

  const choose = (number, follow = false) => {
    nodes.forEach(node => node.classList.toggle("here", Number(node.dataset.node) === number));
    arcs.forEach(arc => {
      const [source, target] = data.arcs[arc.dataset.arc];
      arc.classList.toggle("now", source === number || target === number);
    });
    sheet.classList.add("chosen");
    show(number);
    if (!follow) return;
    const { e, f } = nodes[number].transform.baseVal[0].matrix;
    if (e < view.x || f < view.y || e > view.x + view.w || f > view.y + view.h) look({ ...view, x: e - view.w / 2, y: f - view.h / 2 });
  };

  const texts = data.nodes.map(node => (data.names.map((name, i) => `${name} = ${node[0][i]}`).join("\n") + "\n" + node[4].map(name => `violates ${name}`).join("\n")).toLowerCase());
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    let hits = 0;
    nodes.forEach((node, i) => {
      const isHit = wanted === "" || texts[i].includes(wanted) || String(i) === wanted;
      hits += isHit;
      node.classList.toggle("miss", !isHit);
    });
    one("#hits").textContent = wanted ? `${hits} of ${nodes.length}` : "";
  });
  all("[data-action]").forEach(box => box.matches("input") && box.addEventListener("change", () =>
    arcs.forEach(arc => { if (arc.dataset.action === box.dataset.action) arc.classList.toggle("off", !box.checked); })));
  nodes.forEach(node => node.addEventListener("click", () => choose(Number(node.dataset.node))));
  one("#in").addEventListener("click", () => zoom(0.7));
  one("#out").addEventListener("click", () => zoom(1 / 0.7));
  one("#fit").addEventListener("click", () => look({ ...whole }));
  sheet.addEventListener("wheel", event => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, ...at(event)); }, { passive: false });
  const held = new Map();
  sheet.addEventListener("pointerdown", event => { held.set(event.pointerId, at(event)); });
  addEventListener("pointerup", event => held.delete(event.pointerId));
  addEventListener("pointercancel", event => held.delete(event.pointerId));
  addEventListener("pointermove", event => {
    if (held.size !== 1 || !held.has(event.pointerId)) return;
    const [x, y] = at(event), [from, down] = held.get(event.pointerId);
    look({ ...view, x: view.x + from - x, y: view.y + down - y });
  });
  const keys = { ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1), "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7), "0": () => look({ ...whole }) };
  sheet.addEventListener("keydown", event => {
    if (keys[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); keys[event.key](); }
  });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && event.target !== search) { event.preventDefault(); search.focus(); }
  });
  choose(Math.max(0, data.nodes.findIndex(node => node[4].length)));
})();
