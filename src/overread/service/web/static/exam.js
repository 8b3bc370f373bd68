// Scrolls through the frames of an exam: by wheel, keys, finger and strip. Each frame comes when it is looked at, and its
// neighbours before they are.
(() => {
  "use strict";

  const KEPT = 80; // frames of an exam that stay in memory
  const AHEAD = 4; // neighbours that are fetched in the direction of movement
  const NOTCH = 40; // pixels of a wheel that are a frame; a mouse gives 100 at a time, a touchpad a few
  const find = (selector, root) => root.querySelector(selector);
  const all = (selector, root) => [...root.querySelectorAll(selector)];
  const STEPS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

  document.addEventListener("enlivened", ({ target: article, detail }) => {
    if (!article.dataset.frames) return;
    chooseClass(article);
    find(".map-shown", article)?.addEventListener("change", (event) => {
      find(".stage", article).classList.toggle("without-map", !event.target.checked);
    });
    removeOnRequest(article);
    if (Number(article.dataset.frames) > 1 && !article.dataset.slide) scroll(article, detail.window);
  });

  function scroll(article, grey) {
    const count = Number(article.dataset.frames);
    const [stage, slider, told, problem] = [".stage", ".frame", ".where", ".frame-problem"].map((name) => find(name, article));
    const image = find(".base", stage);
    slider.style.setProperty("--frames", count); // the mark is as wide as a bar
    const frames = new Map(); // the last asked for are last
    let current = Number(article.dataset.current);
    let shown = current;
    let direction = 1;
    let busy = false;

    async function fetched(index) {
      const answer = await fetch(article.dataset.address + index, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      return answer.json();
    }

    function frame(index) {
      const found = frames.get(index) || fetched(index);
      frames.delete(index);
      frames.set(index, found);
      found.catch(() => frames.delete(index));
      if (frames.size > KEPT) frames.delete(frames.keys().next().value);
      return found;
    }

    function draw(found, index) {
      shown = index;
      [image.src, image.width, image.height] = [found.picture, found.width, found.height];
      all(".heat", stage).forEach((heat) => {
        if (found.heats[heat.dataset.label]) heat.src = found.heats[heat.dataset.label];
      });
      told.textContent = found.where;
      slider.setAttribute("aria-valuetext", found.where);
      if (grey && found.values) grey(found.values);
    }

    // The frame that is wanted last is the next to be shown; those passed over meanwhile are not asked for.
    async function follow() {
      if (busy) return;
      busy = true;
      try {
        while (shown !== current) {
          const index = current;
          draw(await frame(index), index);
        }
        problem.hidden = true;
        for (let step = 1; step <= AHEAD && shown === current; step += 1) {
          const next = current + step * direction;
          if (next >= 0 && next < count) await frame(next);
        }
      } catch (error) {
        problem.textContent = `Not shown: ${error.message}.`;
        problem.hidden = false;
        shown = current;
      }
      busy = false;
      if (shown !== current) follow();
    }

    function go(index) {
      const next = Math.min(count - 1, Math.max(0, index));
      if (next === current) return false;
      direction = next > current ? 1 : -1;
      current = next;
      slider.value = next + 1;
      slider.setAttribute("aria-valuetext", `Frame ${next + 1} of ${count}`);
      told.textContent = `Frame ${next + 1} of ${count}`;
      follow();
      return true;
    }

    slider.addEventListener("input", () => go(slider.value - 1));
    stage.addEventListener("keydown", (event) => {
      if (!(event.key in STEPS) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      go(current + STEPS[event.key]);
    });
    let turned = 0;
    stage.addEventListener("wheel", (event) => {
      if (event.ctrlKey) return; // which makes the page larger
      const delta = event.deltaMode ? event.deltaY * NOTCH : Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), NOTCH);
      const atEnd = delta > 0 ? current === count - 1 : current === 0;
      if (atEnd || !delta) return; // and the page scrolls on
      event.preventDefault();
      turned += delta;
      if (Math.abs(turned) < NOTCH) return;
      go(current + Math.trunc(turned / NOTCH));
      turned %= NOTCH;
    }, { passive: false });
    swipe(stage, count, () => current, go);
    all("[data-frame]", article).forEach((link) => link.addEventListener("click", (event) => {
      event.preventDefault();
      go(Number(link.dataset.frame));
      stage.focus({ preventScroll: true });
    }));
  }

  // A finger that moves to the side goes through the frames; one that moves up or down scrolls the page.
  function swipe(stage, count, current, go) {
    let from;
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") from = { x: event.clientX, frame: current() };
    });
    stage.addEventListener("pointermove", (event) => {
      if (!from || event.pointerType !== "touch") return;
      const width = Math.max(6, stage.clientWidth / count);
      go(from.frame + Math.trunc((event.clientX - from.x) / width));
    });
    ["pointerup", "pointercancel"].forEach((name) => stage.addEventListener(name, () => { from = undefined; }));
  }

  function chooseClass(article) {
    find(".class-choice", article)?.addEventListener("change", (event) => {
      all("[data-label].bars, [data-label].gave", article).forEach((part) => { part.toggleAttribute("hidden", part.dataset.label !== event.target.value); });
    });
  }

  function removeOnRequest(article) {
    const form = find(".remove", article);
    form?.addEventListener("submit", async (event) => {
      event.preventDefault();
      let said = "Removed. What was shown stays on this page until you leave it.";
      try {
        const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
        if (!answer.ok) said = `Not removed: ${(await answer.json()).detail}.`;
        else find("button", form).disabled = true;
      } catch {
        said = "Not removed: the server was not reached.";
      }
      find(".removed", form).textContent = said;
    });
  }
})();
