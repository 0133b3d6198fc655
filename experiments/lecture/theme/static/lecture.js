// Slides, films, and the choice of light or dark. Without this file the pages are still whole.

const root = document.documentElement;
const say = (english, russian) => (root.lang === "ru" ? russian : english);

function themes() {
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.theme = root.dataset.theme; } catch { /* a private window keeps nothing */ }
  });
}

// The picture's state, as the address has it; and the links that take it along.
const opened = location.hash;

function state() {
  dispatchEvent(new Event("address"));  // what the picture has yet to write, it writes now
  return location.hash.startsWith("#play:") ? location.hash : "";
}

function links() {
  for (const link of document.querySelectorAll("a.language, a.start"))
    for (const heard of ["pointerdown", "focus", "click"])
      link.addEventListener(heard, () => { link.hash = state(); });
}

// A link to a picture leads to it, and who leaves the slides stays at the section. The address
// hides neither from a reader without scripts: the page is all there.
function arrive() {
  const told = new URLSearchParams(location.search);
  const section = told.get("at");
  if (section !== null) history.replaceState(null, "", location.pathname + location.hash);
  const place = section === null
    ? opened.startsWith("#play:") && document.getElementById("play") : document.getElementById(section);
  if (place && !told.has("slides")) place.scrollIntoView({ behavior: "instant" });
}

// A film shows one frame; a slider chooses it.
function films() {
  for (const film of document.querySelectorAll("figure.film")) {
    const frames = [...film.querySelectorAll(".frame")];
    const label = document.createElement("label");
    label.className = "frames";
    const slider = Object.assign(document.createElement("input"), {
      type: "range", min: 1, max: frames.length, value: 1,
    });
    const place = document.createElement("output");
    label.append(say("Frame", "Кадр"), " ", slider, " ", place);
    const show = () => {
      frames.forEach((frame, i) => frame.classList.toggle("shown", i === slider.value - 1));
      place.textContent = `${slider.value} / ${frames.length}`;
    };
    slider.addEventListener("input", show);
    film.insertBefore(label, film.querySelector("figcaption"));
    film.classList.add("live");
    film.turn = (frame) => { slider.value = frame; show(); };
    film.step = (way) => {
      const was = slider.value;
      film.turn(Number(was) + way);
      return slider.value !== was;
    };
    show();
  }
}

// What is wider than its place scrolls by the keyboard too.
function scrollers() {
  for (const wide of document.querySelectorAll(".formula, .frame, table, pre, blockquote")) {
    if (overflows(wide)) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  }
}

const overflows = (box) => box.scrollWidth > box.clientWidth;

// ?slides: one section a screen, one frame of its film after another; arrow keys, space, a clicker
// or a swipe go on, Escape leaves.
function slides() {
  const asked = new URLSearchParams(location.search).get("slides");
  const whole = document.querySelector("main > section");
  if (asked === null || !whole) return;
  root.classList.add("slides");
  const first = document.createElement("section");
  first.className = "title";
  first.append(...[...whole.children].filter((part) => part.tagName !== "SECTION"));
  whole.prepend(first);
  const all = [...whole.children];
  const counter = document.createElement("p");
  counter.className = "counter";
  counter.setAttribute("aria-live", "polite");
  const keys = document.createElement("nav");
  keys.className = "keys";
  keys.setAttribute("aria-label", say("Slides", "Слайды"));
  const button = (sign, name, move) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: sign });
    made.setAttribute("aria-label", name);
    made.title = name;
    made.addEventListener("click", move);
    return made;
  };
  let now = 0;
  const go = (place) => {
    now = Math.max(0, Math.min(all.length - 1, place));
    all.forEach((slide, i) => { slide.hidden = i !== now; });
    counter.textContent = `${now + 1} / ${all.length}`;
    history.replaceState(null, "", `?slides=${now + 1}${state()}`);
    scrollTo(0, 0);
    dispatchEvent(new Event("resize"));
  };
  // One frame on or back, and where there is none, one slide.
  const step = (way) => {
    if (filmsOf(all[now], way).some((film) => film.step(way))) return;
    const next = all[now + way];
    if (!next) return;
    for (const film of filmsOf(next, way)) film.turn(way > 0 ? 1 : film.querySelectorAll(".frame").length);
    go(now + way);
  };
  const filmsOf = (slide, way) => {
    const found = [...slide.querySelectorAll("figure.film")];
    return way > 0 ? found : found.reverse();
  };
  const leave = () => {
    const [section, kept] = [all[now].id, state()];
    location.href = location.pathname + (kept ? `?at=${section}${kept}` : section && `#${section}`);
  };
  keys.append(
    button("←", say("Back", "Назад"), () => step(-1)), counter,
    button("→", say("Next", "Вперёд"), () => step(1)),
    button("×", say("Leave the slides", "Выйти из слайдов"), leave),
  );
  document.body.append(keys);
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    // The generator's own script takes Escape, to unmark what a search has marked.
    if (event.defaultPrevented && event.key !== "Escape") return;
    // A clicker sends PageDown and PageUp; the other keys may belong to what has the focus.
    const taken = event.target.closest?.("input, select, textarea, [role=slider], [tabindex='0']");
    const film = event.target.closest?.(".frames");
    const pressed = event.key === " " && event.target.closest?.("button, summary, a");
    if (event.key === "Escape") leave();
    else if (event.key === "PageDown") step(1);
    else if (event.key === "PageUp") step(-1);
    else if (pressed || (taken && !(film && event.key.startsWith("Arrow")))) return;
    else if (["ArrowRight", " "].includes(event.key)) step(1);
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(all.length - 1);
    else return;
    event.preventDefault();
  });
  swipes(step);
  addEventListener("resize", () => fit(all[now]));
  addEventListener("load", () => {
    const played = opened.startsWith("#play:") ? all.findIndex((one) => one.querySelector("#play")) : 0;
    go(Number(asked) ? Number(asked) - 1 : Math.max(0, played));
  });
}

// A finger that goes far along and little across, outside of what scrolls or is played with.
function swipes(go) {
  let from = null;
  addEventListener("touchstart", (event) => {
    const [touch] = event.touches;
    const taken = event.target.closest(".play, input, [tabindex='0']") || event.touches.length > 1;
    from = taken ? null : { x: touch.clientX, y: touch.clientY };
  }, { passive: true });
  addEventListener("touchend", (event) => {
    if (!from) return;
    const [touch] = event.changedTouches;
    const [x, y] = [touch.clientX - from.x, touch.clientY - from.y];
    if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) go(x < 0 ? 1 : -1);
    from = null;
  }, { passive: true });
}

// As large as the screen allows, and no smaller than a text that one can read from the last row:
// the letters first, then the figure, under the words or beside them, wherever it gets larger.
function fit(slide) {
  const screen = innerHeight - 56;
  const largest = Math.max(17, Math.min(screen / 25, innerWidth / 20));
  const smallest = Math.max(15, screen / 46);
  const figures = [...slide.querySelectorAll("figure")];
  const wide = innerWidth > 900;
  const movable = wide && figures.length === 1 && slide.children.length > 2 &&
    figures[0].parentElement === slide && !slide.querySelector(".play");
  const pictures = figures.map((one) => one.querySelector(".frame.shown svg, .still svg")).filter(Boolean);
  const set = ({ beside, size, tall }) => {
    slide.classList.toggle("beside", beside);
    slide.classList.remove("wrapped");
    slide.style.fontSize = `${size}px`;
    slide.style.setProperty("--tall", `${tall}px`);
  };
  let best = null;
  for (const beside of movable ? [false, true] : [false]) {
    for (let size = largest; ; size -= 1) {
      set({ beside, size, tall: 0 });
      const words = slide.scrollHeight;
      const room = beside ? screen - figures[0].scrollHeight - size : (screen - words) / figures.length;
      const last = size - 1 < smallest;
      const clipped = wide && [...slide.querySelectorAll(".formula, table, pre")].some(overflows);
      const fits = words <= screen && !clipped && (!figures.length || room >= screen * 0.45);
      if (!fits && !last) continue;
      const found = { beside, size, tall: Math.max(room, screen * 0.3) };
      set(found);
      const large = Math.max(0, ...pictures.map(scale));
      found.score = size * large * (fits ? 1 : 0.5);
      if (!best || found.score > best.score) best = found;
      break;
    }
  }
  set(best);
  // A line of code that is still too long at the smallest letters is broken, not cut.
  slide.classList.toggle("wrapped", [...slide.querySelectorAll("pre")].some(overflows));
  // A picture to play with gives up width, and its parts keep their proportions.
  if (wide && slide.querySelector(".play"))
    for (let share = 94; share >= 50; share -= 2) {
      slide.style.setProperty("--wide", `${share}vw`);
      if (slide.scrollHeight <= screen) break;
    }
}

// Pixels of the screen in a pixel of the figure.
function scale(figure) {
  const [box, own] = [figure.getBoundingClientRect(), figure.viewBox.baseVal];
  return Math.min(box.width / own.width, box.height / own.height);
}

addEventListener("DOMContentLoaded", () => { themes(); links(); films(); slides(); });
addEventListener("load", () => { scrollers(); arrive(); });
addEventListener("resize", scrollers);
