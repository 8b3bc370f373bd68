// Moves over a whole slide: the picture of the whole is there from the beginning, sharper parts come as they are looked at.
(() => {
  "use strict";

  const KEPT = 240; // parts that stay in memory, each of 512 x 512 pixels
  const AT_ONCE = 4; // requests
  const CLOSEST = 1 / 4; // pixels of the slide for one of the screen
  const find = (selector, root) => root.querySelector(selector);
  const all = (selector, root) => [...root.querySelectorAll(selector)];

  document.addEventListener("enlivened", ({ target: article }) => {
    if (article.dataset.slide) moveOver(article, JSON.parse(article.dataset.slide));
  });

  function moveOver(article, slide) {
    const [stage, whole, canvas, seen, problem] = [".stage", ".base", "canvas", ".seen", ".frame-problem"].map((name) => find(name, article));
    const context = canvas.getContext("2d");
    const view = { x: slide.width / 2, y: slide.height / 2, scale: 1 }; // centre, and pixels of the slide for one of the page
    const parts = new Map(); // those looked at last are last
    let wanted = [];
    let loading = 0;
    let marked; // a tile
    let drawn = false;

    const dense = () => window.devicePixelRatio || 1;
    const fitting = () => Math.max(slide.width / stage.clientWidth, slide.height / stage.clientHeight);
    const limited = (value, low, high) => Math.min(high, Math.max(low, value));

    function load() {
      while (loading < AT_ONCE && wanted.length) {
        const key = wanted.pop();
        if (parts.has(key)) continue;
        loading += 1;
        const image = new Image();
        const done = (failed) => {
          loading -= 1;
          problem.hidden = !failed;
          if (failed) {
            problem.textContent = "Not all is shown: the exam may be on the server no more, then read it again.";
            wanted = [];
          } else {
            parts.set(key, image);
            if (parts.size > KEPT) parts.delete(parts.keys().next().value);
          }
          redraw();
          load();
        };
        image.onload = () => done(false);
        image.onerror = () => done(true);
        image.src = slide.address + key;
      }
    }

    const left = () => view.x - (stage.clientWidth * view.scale) / 2;
    const top = () => view.y - (stage.clientHeight * view.scale) / 2;
    const place = (image, box) => context.drawImage(
      image, (box[0] - left()) / view.scale, (box[1] - top()) / view.scale, box[2] / view.scale, box[3] / view.scale,
    );

    function drawParts(level) {
      const side = slide.side * 2 ** level;
      const [last, bottom] = [left() + stage.clientWidth * view.scale, top() + stage.clientHeight * view.scale];
      wanted = [];
      for (let row = Math.max(0, Math.floor(top() / side)); row * side < Math.min(bottom, slide.height); row += 1) {
        for (let column = Math.max(0, Math.floor(left() / side)); column * side < Math.min(last, slide.width); column += 1) {
          const key = `${level}/${column}/${row}`;
          const image = parts.get(key);
          if (!image) {
            wanted.push(key);
            continue;
          }
          parts.delete(key);
          parts.set(key, image);
          place(image, [column * side, row * side, image.naturalWidth * 2 ** level, image.naturalHeight * 2 ** level]);
        }
      }
      // What lies in the middle comes first.
      const distance = (key) => {
        const [, column, row] = key.split("/").map(Number);
        return Math.hypot((column + 0.5) * side - view.x, (row + 0.5) * side - view.y);
      };
      wanted.sort((a, b) => distance(b) - distance(a));
      load();
    }

    function draw() {
      drawn = false;
      const [width, height] = [stage.clientWidth, stage.clientHeight];
      if (!width || !whole.complete) return;
      view.scale = limited(view.scale, CLOSEST / dense(), 1.1 * fitting());
      [view.x, view.y] = [limited(view.x, 0, slide.width), limited(view.y, 0, slide.height)];
      [canvas.width, canvas.height] = [Math.round(width * dense()), Math.round(height * dense())];
      context.setTransform(dense(), 0, 0, dense(), 0, 0);
      context.fillStyle = slide.ground;
      context.fillRect(0, 0, width, height);
      stage.classList.toggle("larger", view.scale < 0.99 * fitting());
      const everything = [0, 0, slide.width, slide.height];
      place(whole, everything);
      const level = limited(Math.floor(Math.log2(view.scale / dense()) + 0.01), 0, slide.levels);
      // The picture of the whole is as sharp as that.
      if (view.scale / dense() < 0.9 * (slide.width / whole.naturalWidth)) drawParts(level);
      else wanted = [];
      const heat = find(".heat:not([hidden])", stage);
      if (heat && find(".map-shown", article).checked) {
        context.globalAlpha = find(".opacity", article).value / 100;
        place(heat, everything);
        context.globalAlpha = 1;
      }
      if (marked) {
        context.lineWidth = 2;
        context.strokeStyle = "#000";
        const box = [(marked[0] - left()) / view.scale, (marked[1] - top()) / view.scale, marked[2] / view.scale, marked[3] / view.scale];
        context.strokeRect(...box);
        context.strokeStyle = "#fff";
        context.setLineDash([6, 6]);
        context.strokeRect(...box);
        context.setLineDash([]);
      }
      tell();
    }

    function tell() {
      const large = (pixels) => (slide.microns ? `${((pixels * slide.microns) / 1000).toPrecision(2)} mm` : `${Math.round(pixels)} px`);
      const shown = Math.min(slide.width, stage.clientWidth * view.scale);
      const power = slide.microns ? `, as by ${(10 / (slide.microns * view.scale)).toPrecision(2)}x` : "";
      seen.textContent = `${large(shown)} wide${power}`;
    }

    function redraw() {
      if (drawn) return;
      drawn = true;
      requestAnimationFrame(draw);
    }

    // A place of the page stays where it is in the slide.
    function zoom(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
      const [fromX, fromY] = [x - stage.clientWidth / 2, y - stage.clientHeight / 2];
      const scale = limited(view.scale / factor, CLOSEST / dense(), 1.1 * fitting());
      view.x += fromX * (view.scale - scale);
      view.y += fromY * (view.scale - scale);
      view.scale = scale;
      redraw();
    }

    function showWhole() {
      Object.assign(view, { x: slide.width / 2, y: slide.height / 2, scale: fitting() });
      redraw();
    }

    function move(x, y) {
      view.x += x * view.scale;
      view.y += y * view.scale;
      redraw();
    }

    const at = (event) => {
      const box = stage.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };

    stage.addEventListener("wheel", (event) => {
      if (event.deltaY > 0 && view.scale >= fitting()) return; // and the page scrolls on
      event.preventDefault();
      const delta = limited(event.deltaMode ? 40 * event.deltaY : event.deltaY, -120, 120);
      zoom(Math.exp(-delta / 250), ...at(event));
    }, { passive: false });

    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const step = stage.clientWidth / 6;
      const keys = {
        "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), Home: showWhole, 0: showWhole,
        ArrowLeft: () => move(-step, 0), ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step), ArrowDown: () => move(0, step),
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });

    const fingers = new Map();
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      stage.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, at(event));
    });
    stage.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = at(event);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const apart = (point) => Math.max(10, Math.hypot(point[0] - other[0], point[1] - other[1]));
        zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      } else {
        move(before[0] - now[0], before[1] - now[1]);
      }
      fingers.set(event.pointerId, now);
    });
    ["pointerup", "pointercancel"].forEach((name) => stage.addEventListener(name, (event) => fingers.delete(event.pointerId)));
    stage.addEventListener("dblclick", (event) => zoom(2, ...at(event)));

    all("[data-zoom]", article).forEach((button) => button.addEventListener("click", () => {
      if (Number(button.dataset.zoom)) zoom(Number(button.dataset.zoom));
      else showWhole();
    }));
    all("[data-box]", article).forEach((link) => link.addEventListener("click", (event) => {
      event.preventDefault();
      const box = link.dataset.box.split(",").map(Number);
      marked = box;
      Object.assign(view, { x: box[0] + box[2] / 2, y: box[1] + box[3] / 2, scale: (2 * Math.max(box[2], box[3])) / stage.clientWidth });
      stage.focus({ preventScroll: true });
      stage.scrollIntoView({ block: "nearest" });
      redraw();
    }));
    [".opacity", ".class-choice", ".map-shown"].forEach((name) => find(name, article)?.addEventListener("input", redraw));

    canvas.hidden = false;
    stage.classList.add("moves");
    new ResizeObserver(redraw).observe(stage);
    all("img", stage).forEach((image) => image.addEventListener("load", redraw));
    showWhole();
  }
})();
