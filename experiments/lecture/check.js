// What check.py asks of a page that is open; it puts this there.

window.checks = {
  // The first element that stands out of the page on the right, outside of all that scrolls.
  wide() {
    if (document.documentElement.scrollWidth <= innerWidth) return null;
    const scrolls = (one) =>
      one && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
    const out = [...document.body.querySelectorAll("*")].find((one) =>
      one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one.parentElement));
    return out ? `${out.localName}.${out.className?.baseVal ?? out.className} “${out.textContent.trim().slice(0, 40)}”` : "?";
  },

  // How many frames the slide has: its films', one after another.
  frames: () => [...document.querySelectorAll("figure.film")].filter((film) => film.checkVisibility())
    .reduce((sum, film) => sum + film.querySelectorAll(".frame").length - 1, 1),

  // The code whose lines are longer than their place, as nobody can scroll on a projector.
  cut: () => [...document.querySelectorAll("main pre")].filter((one) =>
    one.checkVisibility() && one.scrollWidth > one.clientWidth).map((one) => one.textContent.slice(0, 40)),

  blank: () => [...document.images].filter((one) => !one.naturalWidth).map((one) => one.src.slice(-100)),

  // What axe-core says against the page.
  async ruled(values) {
    const { violations } = await axe.run({
      runOnly: { type: "tag", values }, resultTypes: ["violations"], preload: false, elementRef: true,
    });
    // A formula is a text, though axe-core sees none in it.
    const empty = (rule, node) => rule.id !== "empty-table-header" || !node.element.querySelector("math");
    return violations.flatMap((rule) => {
      const nodes = rule.nodes.filter((node) => empty(rule, node));
      return nodes.length ? [`${rule.id}: ${nodes.length} × ${rule.help}, as ${nodes[0].html.slice(0, 120)}`] : [];
    });
  },

  // Redraws a second of the picture to play with: while it runs, if it does, and under each slider.
  async redraws(seconds) {
    const play = document.getElementById("play");
    let changed = false;
    new MutationObserver(() => { changed = true; }).observe(
      play, { subtree: true, childList: true, attributes: true, characterData: true });
    for (const name of ["clearRect", "fillRect", "putImageData", "drawImage", "stroke", "fill"]) {
      const drawn = CanvasRenderingContext2D.prototype[name];
      CanvasRenderingContext2D.prototype[name] = function (...all) {
        changed = true;
        return drawn.apply(this, all);
      };
    }
    const frame = () => new Promise(requestAnimationFrame);
    const rate = async (act) => {
      const times = [], end = performance.now() + 1000 * seconds;
      for (let i = 0; performance.now() < end; i += 1) {
        changed = false;
        act(i);
        await frame();
        await Promise.resolve();  // the observer hears of what this frame has changed
        if (changed) times.push(performance.now());
      }
      return times.length < 5 ? 0 : 1000 * (times.length - 1) / (times.at(-1) - times[0]);
    };
    const found = {};
    const starts = /^(▶.*|run|start|go|play|пуск|старт|запуск|запустить)$/i;
    const run = [...play.querySelectorAll("button")].find((one) => starts.test(one.textContent.trim()));
    if (run) {
      const name = run.textContent;
      found[name] = await rate((i) => { if (i === 0) run.click(); });
      if (run.textContent !== name) run.click();
    }
    for (const slider of play.querySelectorAll("input[type=range]")) {
      if (!slider.checkVisibility() || slider.disabled) continue;
      const [low, high] = [Number(slider.min || 0), Number(slider.max || 100)];
      const move = (value) => {
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      };
      const was = slider.value;
      const name = slider.labels[0]?.firstChild.textContent.trim() || slider.getAttribute("aria-label");
      found[name] = await rate((i) => move(low + (high - low) * Math.abs(((i * 0.0237) % 2) - 1)));
      move(was);
    }
    return found;
  },
};
