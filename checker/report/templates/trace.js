(() => {
  const runs = all(".run").map(element => ({
    element,
    data: JSON.parse(one(".data", element).textContent),
    rows: all(".step", element),
    cells: all("td.cell", element),
    last: Number(element.dataset.steps),
    now: Number(element.dataset.steps),
  }));
  if (!runs.length) return;
  let run = runs[0];
  const slider = one("#slider"), search = one("#search"), pick = one("#pick");

  // The texts of all cells in state n, and in the one before it.
  const texts = n => {
    const now = [...run.data.start];
    let before = now;
    for (let k = 0; k < n; k++) {
      before = k === n - 1 ? [...now] : before;
      for (const [cell, text] of run.data.steps[k]) now[cell] = text;
    }
    return [n ? before : now, now];
  };

  const drawState = () => {
    const [before, now] = texts(run.now);
    run.cells.forEach((cell, i) => {
      const isNew = before[i] !== now[i];
      cell.textContent = now[i];
      cell.classList.toggle("changed", isNew);
      cell.title = isNew ? `before: ${before[i]}` : "";
    });
    one(".at", run.element).textContent = run.now;
    one(".happened", run.element).textContent = one(".event", run.rows[run.now]).textContent;
  };

  const drawWays = () => {
    const here = new Set(all("[data-way]", run.rows[run.now]).filter(way => way.hasAttribute("marker-end")).map(way => way.dataset.way));
    all("[data-way]", run.element).forEach(way => way.classList.toggle("now", here.has(way.dataset.way)));
  };

  const select = (n, { scroll = true, speak = true } = {}) => {
    run.now = Math.min(run.last, Math.max(0, n));
    run.rows.forEach((row, k) => {
      row.classList.toggle("here", k === run.now);
      row.classList.toggle("future", k > run.now);
      const button = one(".number", row);
      if (k === run.now) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
    });
    slider.max = run.last;
    slider.value = run.now;
    slider.setAttribute("aria-valuetext", `step ${run.now} of ${run.last}`);
    one("#count").textContent = `${run.now} / ${run.last}`;
    one("#first").disabled = one("#back").disabled = run.now === 0;
    one("#end").disabled = one("#next").disabled = run.now === run.last;
    drawState();
    drawWays();
    if (scroll) run.rows[run.now].scrollIntoView({ block: "nearest" });
    if (speak) one("#spoken").textContent = `Step ${run.now}: ${one(".words", run.rows[run.now]).innerText}`;
  };

  // A message's way is drawn in parts, one for each row that it crosses, and bends where rows differ in height. Once the
  // heights are known, the parts are put on one straight line.
  const straighten = () => {
    const ways = new Map();
    const tops = run.rows.map(row => row.offsetTop);
    run.rows.forEach((row, k) => all("[data-way]", row).forEach(line => {
      const height = row.offsetHeight, y = name => line.getAttribute(name) === "100%" ? height : Number(line.getAttribute(name));
      const part = { line, from: tops[k] + y("y1"), to: tops[k] + y("y2") };
      ways.set(line.dataset.way, [...(ways.get(line.dataset.way) || []), part]);
    }));
    for (const parts of ways.values()) {
      const first = parts[0], last = parts[parts.length - 1];
      const start = parseFloat(first.line.getAttribute("x1")), end = parseFloat(last.line.getAttribute("x2"));
      if (start === end) continue; // to its own sender: it swings out
      const x = y => `${start + (end - start) * (y - first.from) / (last.to - first.from)}%`;
      for (const { line, from, to } of parts) { line.setAttribute("x1", x(from)); line.setAttribute("x2", x(to)); }
    }
  };

  const choose = (key, options) => {
    run = runs.find(each => each.element.id === key) || run;
    runs.forEach(each => { each.element.hidden = each !== run; });
    if (pick) pick.value = run.element.id;
    one("#tostate").href = `#${run.element.id}-state`;
    find();
    select(run.now, options);
  };

  // What is typed narrows the tables to variables of that name, and the story to the steps that speak of it.
  const find = () => {
    const wanted = search.value.trim().toLowerCase();
    const shown = new Map(all("[data-shows]", run.element).map(box => [box.dataset.shows, box]));
    const named = [...shown].filter(([, box]) => wanted && box.parentElement.textContent.toLowerCase().includes(wanted)).map(([i]) => i);
    const isOff = i => shown.has(i) && (named.length ? !named.includes(i) : !shown.get(i).checked);
    all("[data-var]", run.element).forEach(part => {
      const inStory = part.matches(".change, .facts li");
      part.classList.toggle("off", inStory ? shown.has(part.dataset.var) && !shown.get(part.dataset.var).checked : isOff(part.dataset.var));
    });
    all("table.state", run.element).forEach(table => table.classList.toggle("off", !one("td:not(.off)", table)));
    let hits = 0;
    run.rows.forEach(row => {
      const told = one(".words", row).textContent.toLowerCase();
      const isHit = wanted !== "" && told.includes(wanted);
      hits += isHit;
      row.classList.toggle("hit", isHit);
      row.classList.toggle("miss", wanted !== "" && !isHit);
    });
    one("#hits").textContent = wanted ? `${hits} step${hits === 1 ? "" : "s"}` : "";
    straighten(); // rows may have become lower
  };

  const isTyping = target => target.matches("input:not([type=range]):not([type=checkbox]), select, textarea");
  const keys = { ArrowRight: () => run.now + 1, ArrowLeft: () => run.now - 1, ArrowDown: () => run.now + 1, ArrowUp: () => run.now - 1, Home: () => 0, End: () => run.last };
  document.addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && event.target === search) { search.value = ""; find(); search.blur(); return; }
    if (isTyping(event.target)) return;
    if (event.key === "/") { event.preventDefault(); search.focus(); return; }
    if (event.target !== slider && keys[event.key] && !event.shiftKey) { event.preventDefault(); select(keys[event.key]()); }
  });
  slider.addEventListener("input", () => select(Number(slider.value)));
  one("#first").addEventListener("click", () => select(0));
  one("#back").addEventListener("click", () => select(run.now - 1));
  one("#next").addEventListener("click", () => select(run.now + 1));
  one("#end").addEventListener("click", () => select(run.last));
  search.addEventListener("input", find);
  if (pick) pick.addEventListener("change", () => { choose(pick.value); scrollTo(0, 0); });
  runs.forEach(each => {
    each.rows.forEach((row, k) => row.addEventListener("click", () => { if (!String(getSelection())) select(k, { scroll: false }); }));
    all("[data-shows]", each.element).forEach(box => box.addEventListener("change", find));
  });

  // #r2-5 is step 5 of the second run.
  const follow = () => {
    const match = /^#(r\d+)-(\d+)$/.exec(location.hash);
    if (match) { choose(match[1], { scroll: false, speak: false }); select(Number(match[2])); }
  };
  addEventListener("hashchange", follow);
  addEventListener("resize", straighten);
  one(".bar").hidden = false;
  document.documentElement.classList.add("alive");
  choose(run.element.id, { scroll: false, speak: false });
  follow();
})();
