// Makes the page nicer: reads files one by one with progress, moves windows and maps, sorts, filters and notes reviews.
// Everything shown comes from the server as the HTML that it sends without this script too.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  const SIDE_BY_SIDE = 3; // requests: the server reads images of several at once, and each is one step of progress
  const PATIENCE = 20; // times that a full queue is asked again
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

  const upload = find("#upload");
  if (!upload) return;
  const input = find("#files");
  const results = find("#results");
  const rows = find("#batch tbody");
  const articles = find("#images");
  let batch = 0; // the one under way; answers to an earlier one are dropped

  // Upload

  const say = (text) => { find("#status").textContent = text; };

  const complain = (text) => {
    const place = find("#problem");
    place.replaceChildren();
    if (!text) return;
    const paragraph = document.createElement("p");
    paragraph.className = "problem";
    paragraph.textContent = text;
    place.append(paragraph);
  };

  const showProgress = (done, total) => {
    const place = find("#progress");
    place.hidden = done === total;
    find("progress", place).max = total;
    find("progress", place).value = done;
    find("p", place).textContent = `${done} of ${total} read`;
    say(done === total ? `${total} of ${total} read. ${find("#summary").textContent.trim()}` : `Reading: ${done} of ${total}`);
  };

  // What goes in one request: an image; or the files that may be of one exam, with the folders that they lie in.
  const pathOf = (file) => file.within || file.webkitRelativePath || file.name;
  const folderOf = (file) => pathOf(file).split("/").slice(0, -1).join("/");

  function parcels(files) {
    const by = upload.dataset.exams;
    const isAlone = (file) => !by || by === "file" || file.name.toLowerCase().endsWith(".zip");
    const together = new Map();
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    const own = files.filter((one) => !one.name.startsWith(".")).sort((a, b) => compare(pathOf(a), pathOf(b)));
    for (const file of by ? own : files) {
      // What headers or names put together may lie in several folders.
      const key = isAlone(file) ? file : ["series", "study", "pattern"].includes(by) ? "all" : folderOf(file);
      together.set(key, [...(together.get(key) || []), file]);
    }
    return [...together.values()].map((some) => ({ files: some, name: some.length > 1 ? folderOf(some[0]) || some[0].name : pathOf(some[0]) }));
  }

  async function send({ files }) {
    const isZip = upload.dataset.exams || files[0].name.toLowerCase().endsWith(".zip");
    const most = isZip ? upload.dataset.zipMb : upload.dataset.fileMb;
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size > most * 2 ** 20) throw new Error(`has more than ${most} MB: reduce it first`);
    try {
      await files[0].slice(0, 1).arrayBuffer();
    } catch {
      throw new Error("is a folder, or cannot be opened: drop the files that are in it");
    }
    for (let attempt = 0; ; attempt += 1) {
      const form = new FormData();
      if (upload.dataset.exams) files.forEach((file) => form.append("files", file, pathOf(file)));
      else form.append("files", files[0]);
      let answer;
      try {
        answer = await fetch(upload.action, { method: "POST", body: form, headers: { Accept: "text/html" } });
      } catch {
        throw new Error("did not reach the server: see whether it runs, and try again");
      }
      if (answer.status === 503 && answer.headers.has("Retry-After") && attempt < PATIENCE) {
        say("The server is busy: waiting for a place");
        await wait(Math.min(5, Number(answer.headers.get("Retry-After")) || 1));
        continue;
      }
      if (answer.status === 401) throw new Error("was not read, for the session has ended: reload the page and log in");
      if ((answer.headers.get("Content-Type") || "").includes("json")) throw new Error((await answer.json()).detail);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const problem = find("#problem .problem, .message .lead", page);
      if (problem) throw new Error(problem.textContent);
      if (!find("#batch", page)) throw new Error("was answered by another page: log in again and retry");
      return page;
    }
  }

  function failure({ name }, error, order) {
    const copy = find("#failure").content.cloneNode(true);
    const row = find("tr", copy);
    const article = find("article", copy);
    const columns = JSON.parse(find("#batch thead tr").dataset.csv).length;
    article.id = row.dataset.for = `failure-${batch}-${order}`;
    find("a", row).href = `#${article.id}`;
    find("a", row).textContent = row.dataset.name = find(".name", article).textContent = name;
    find(".error", row).textContent = find(".error", article).textContent = error.message;
    row.dataset.csv = JSON.stringify([name, ...Array(columns - 2).fill(""), error.message]);
    return { rows: [row], articles: [article] };
  }

  function insert(found, order) {
    for (const [place, nodes] of [[rows, found.rows], [articles, found.articles]]) {
      const next = [...place.children].find((child) => Number(child.dataset.order) > order);
      for (const node of nodes) {
        node.dataset.order = order;
        place.insertBefore(node, next || null);
      }
    }
    found.articles.forEach(enliven);
  }

  function summarise() {
    const list = [...rows.children];
    const failed = list.filter((row) => row.dataset.refer === "failure").length;
    const unlike = list.filter((row) => "unread" in row.dataset).length;
    const parts = [`${list.length - failed - unlike} read`];
    if (find("#only-positive")) parts.push(`${list.filter((row) => "positive" in row.dataset).length} positive`);
    parts.push(`${list.filter((row) => row.dataset.refer === "refer").length} referred to a human`);
    parts.push(`${unlike} unlike the training images`, `${failed} not readable`);
    find("#summary").textContent = parts.join(", ");
    find(".batch").classList.toggle("single", list.length === 1);
    results.hidden = list.length === 0;
    find(".intake").classList.toggle("has-results", list.length > 0);
  }

  async function readAll(chosen) {
    const files = parcels(chosen);
    if (!files.length) return;
    const mine = (batch += 1);
    const waiting = files.map((file, order) => ({ file, order }));
    let done = 0;
    complain("");
    rows.replaceChildren();
    articles.replaceChildren();
    all("#batch th").forEach((head) => head.removeAttribute("aria-sort"));
    summarise();
    showProgress(0, files.length);
    const worker = async () => {
      while (waiting.length && mine === batch) {
        const { file, order } = waiting.shift();
        let found;
        try {
          const page = await send(file);
          found = { rows: all("#batch tbody tr", page), articles: all("#images > article", page) };
        } catch (error) {
          found = failure(file, error, order);
        }
        if (mine !== batch) return;
        insert(found, order);
        done += 1;
        summarise();
        filter();
        showProgress(done, files.length);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    if (mine !== batch) return;
    input.value = "";
    if (document.activeElement === input || document.activeElement === document.body) find("#results-heading").focus({ preventScroll: false });
  }

  upload.addEventListener("submit", (event) => { event.preventDefault(); readAll([...input.files]); });
  input.addEventListener("change", () => readAll([...input.files]));

  const drop = find(".drop");
  const carriesFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    const entries = upload.dataset.exams ? [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()) : [];
    const files = [...event.dataTransfer.files];
    readAll(entries.some((entry) => entry?.isDirectory) ? (await Promise.all(entries.map(filesWithin))).flat() : files);
  });
  find("#folder")?.addEventListener("change", (event) => readAll([...event.target.files]));

  // The files of a folder that was dropped, and of those in it.
  async function filesWithin(entry) {
    if (!entry) return [];
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      file.within = entry.fullPath.replace(/^\//, "");
      return [file];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) { // it gives a hundred at a time
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return found;
      found.push(...(await Promise.all(some.map(filesWithin))).flat());
    }
  }

  // Table

  function filter() {
    const text = find("#filter").value.trim().toLowerCase();
    const referred = find("#only-referred").checked;
    const positive = find("#only-positive")?.checked;
    let shown = 0;
    for (const row of rows.children) {
      const fits = (!text || row.textContent.toLowerCase().includes(text))
        && (!referred || row.dataset.refer === "refer") && (!positive || "positive" in row.dataset);
      row.hidden = !fits;
      const article = document.getElementById(row.dataset.for);
      if (article) article.hidden = !fits;
      shown += fits;
    }
    find("#shown").textContent = shown === rows.children.length ? "" : `${shown} of ${rows.children.length} shown`;
  }

  const value = (row, key, isNumber) => {
    const text = row.dataset[key] || "";
    if (!isNumber) return text.toLowerCase();
    const number = Number(text || -1);
    return Number.isNaN(number) ? Infinity : number; // "inf" and "nan" of the server
  };

  function sort(head) {
    const key = head.dataset.key;
    const isNumber = head.classList.contains("number");
    const first = isNumber || key === "refer" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const direction = head.getAttribute("aria-sort") === first ? other : first;
    all("#batch th[aria-sort]").forEach((cell) => cell.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    const ordered = [...rows.children].sort((a, b) => {
      const [x, y] = [value(a, key, isNumber), value(b, key, isNumber)];
      return sign * (typeof x === "number" ? x - y : compare(x, y));
    });
    ordered.forEach((row) => {
      rows.append(row);
      const article = document.getElementById(row.dataset.for);
      if (article) articles.append(article);
    });
    say(`Sorted by ${head.textContent.trim()}, ${direction}`);
  }

  all("#batch th .sort").forEach((button) => button.addEventListener("click", () => sort(button.closest("th"))));
  ["#filter", "#only-referred", "#only-positive"].forEach((id) => find(id)?.addEventListener("input", filter));

  find("#csv").addEventListener("click", () => {
    // As machine/cells.py: no spreadsheet may take a cell for a formula.
    const formula = /((?:^|[,;|"\t\r\n\x85\u2028\u2029])[^\S\t\r\n\x85\u2028\u2029]*)('*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;
    const number = /^([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan))$/;
    const guarded = (cell) => (number.test(cell) ? cell : cell.replace(formula, "$1'$2"));
    const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const written = (row) => JSON.parse(row.dataset.csv).map((cell) => quoted(guarded(cell))).join(",");
    const lines = [find("#batch thead tr"), ...rows.children].map(written);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }));
    link.download = "readings.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  // One image

  function enliven(article) {
    if (!find(".stage", article)) return;
    const heats = all(".heat", article);
    const opacity = find(".opacity", article);
    // An image that was not read has no map.
    opacity?.addEventListener("input", () => {
      heats.forEach((heat) => { heat.style.opacity = opacity.value / 100; });
      opacity.nextElementSibling.textContent = `${opacity.value} %`;
    });
    find(".class-choice", article)?.addEventListener("change", (event) => {
      heats.forEach((heat) => { heat.hidden = heat.dataset.label !== event.target.value; });
      find(".shown-class", article).textContent = event.target.value;
    });
    const show = find(".window", article) ? moveWindow(article) : undefined;
    article.dispatchEvent(new CustomEvent("enlivened", { bubbles: true, detail: { window: show } }));
    const form = find(".review", article);
    if (form) form.addEventListener("submit", (event) => { event.preventDefault(); review(article, form, event.submitter); });
  }

  // What is ticked and picked, in words, one task after the other.
  const chosen = (form) => all(".asked", form).map((asked) => {
    const ticked = all("input:checked", asked).map((input) => input.dataset.label).join(", ") || "No finding";
    const said = find("select", asked)?.selectedOptions[0].text || ticked;
    return all(".asked", form).length > 1 ? `${find("legend", asked).textContent}: ${said}` : said;
  }).join("; ");

  async function review(article, form, button) {
    const said = find(".reviewed", form);
    const agrees = "agrees" in button.dataset;
    const asked = "asked" in button.dataset;
    const words = asked ? chosen(form) : button.dataset.words;
    const given = agrees ? { agrees: true } : asked ? { shows: new FormData(form).getAll("shows") } : { true_label: button.value };
    const address = form.getAttribute("action").replace("/readings/", "/v1/readings/");
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(given),
      });
      if (!answer.ok) throw new Error((await answer.json()).detail);
    } catch (error) {
      said.textContent = `Not noted: ${error.message}.`;
      return;
    }
    all("button", form).forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    const row = [...rows.children].find((candidate) => candidate.dataset.for === article.id);
    const [noted, kept] = agrees ? ["agree with", "Agreed"]
      : "unread" in row.dataset ? ["read it as", `Read as ${words}`]
      : ["correct it to", `Corrected to ${words}`];
    said.textContent = `Noted: you ${noted} ${words}.`;
    row.dataset.review = kept;
    find(".review-cell", row).textContent = row.dataset.review;
    find(".review-cell", row).classList.remove("quiet");
  }

  function moveWindow(article) {
    const tools = find(".window", article);
    const [stage, image, canvas] = [".stage", ".base", "canvas"].map((name) => find(name, article));
    const [preset, width, level] = [".preset", ".width", ".level"].map((name) => find(name, tools));
    let facts = JSON.parse(tools.dataset.facts);
    let values = tools.dataset.values;
    const start = JSON.parse(preset.value);
    let codes; // 8 or 16 bits for each pixel
    let drawing;

    async function load() {
      const picture = new Image();
      const isDeep = Boolean(values);
      picture.src = values || image.src;
      await picture.decode();
      [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      codes = new Uint16Array(data.length / 4);
      for (let i = 0; i < codes.length; i += 1) codes[i] = isDeep ? 256 * data[4 * i] + data[4 * i + 1] : data[4 * i];
      return context.createImageData(canvas.width, canvas.height);
    }

    async function draw() {
      const [low, high] = [Number(level.value) - width.value / 2, Number(level.value) + width.value / 2];
      const mine = (drawing ||= load());
      const output = await mine;
      if (mine !== drawing) return;
      const levels = new Uint8ClampedArray(65536);
      for (let code = 0; code < levels.length; code += 1) {
        const shade = (255 * (facts.start + facts.step * code - low)) / (high - low);
        levels[code] = facts.inverted ? 255 - shade : shade;
      }
      const pixels = new Uint32Array(output.data.buffer);
      for (let i = 0; i < codes.length; i += 1) pixels[i] = 0xff000000 | (0x010101 * levels[codes[i]]);
      canvas.getContext("2d").putImageData(output, 0, 0);
      canvas.hidden = false;
    }

    const tell = () => [width, level].forEach((slider) => {
      const number = Number(slider.value);
      slider.nextElementSibling.textContent = Math.abs(number) >= 20 ? number.toFixed(0) : number.toPrecision(3);
    });

    function set([low, high]) {
      width.value = Math.max(high - low, Number(width.min));
      level.value = (low + high) / 2;
      tell();
    }

    const byHand = () => { preset.value = ""; tell(); draw(); };
    set(start);
    stage.classList.add("movable");
    preset.addEventListener("change", () => {
      set(JSON.parse(preset.value));
      // The picture itself is what the file asks for, tables and curves included.
      if (preset.selectedIndex === 0) canvas.hidden = true;
      else draw();
    });
    width.addEventListener("input", byHand);
    level.addEventListener("input", byHand);

    let from;
    stage.addEventListener("pointerdown", (event) => {
      // A finger scrolls the page; it has the sliders.
      if (event.pointerType === "touch" || event.button !== 0) return;
      event.preventDefault();
      stage.setPointerCapture(event.pointerId);
      from = { x: event.clientX, y: event.clientY, width: Number(width.value), level: Number(level.value) };
    });
    stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      const step = (Number(level.max) - Number(level.min)) / stage.clientWidth / 2;
      width.value = from.width + (event.clientX - from.x) * step;
      level.value = from.level + (event.clientY - from.y) * step;
      byHand();
    });
    ["pointerup", "pointercancel"].forEach((name) => stage.addEventListener(name, () => { from = undefined; }));

    // Show another picture through the same window.
    return (next) => {
      [facts, values, drawing] = [next.facts, next.uri, undefined];
      if (!canvas.hidden) draw();
    };
  }

  all("article", articles).forEach((article, order) => { article.dataset.order = order; enliven(article); });
  [...rows.children].forEach((row, order) => { row.dataset.order = order; });
})();
