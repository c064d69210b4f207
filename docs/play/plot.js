// Parts of the figures that can be played with: sliders, choices and plots, as plain HTML and SVG.
"use strict";

/** What the figures share, and what the tests ask: `play.bilinearGame`, `play.parallelLines`. */
const play = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  let count = 0;

  function set(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  const html = (tag, attributes = {}, ...children) => set(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) => set(document.createElementNS(SVG, tag), attributes, children);

  /** A number in at most four digits. */
  function words(value) {
    if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "?";
    const size = Math.abs(value);
    if (size >= 1e4 || (size > 0 && size < 1e-3)) {
      const [digits, power] = value.toExponential(1).split("e");
      return `${digits.replace("-", "−")}·10${[...String(Number(power))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
    }
    return String(Number(value.toPrecision(4))).replace("-", "−");
  }

  // === Controls ===

  /** A slider with its name and value. */
  function slider({ name, low, high, step, value, digits = 2 }, changed) {
    const input = html("input", { type: "range", min: low, max: high, step, value });
    const output = html("output");
    const label = html("label", { class: "play-slider" }, html("span", {}, name), input, output);
    const show = () => {
      output.textContent = Number(input.value).toFixed(digits).replace("-", "−");
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => {
      show();
      changed(Number(input.value));
    });
    show();
    return {
      node: label,
      get value() {
        return Number(input.value);
      },
      set value(number) {
        input.value = number;
        show();
      },
    };
  }

  /** Buttons of which one is pressed, as radio buttons: the arrow keys go from one to the next. */
  function choice({ legend, options, value }, changed) {
    const group = `play-${count++}`;
    const labels = options.map(([key, name]) => {
      const input = html("input", { type: "radio", name: group, value: key, checked: key === value });
      input.addEventListener("change", () => changed(key));
      return html("label", { class: `play-option play-${key}` }, input, html("span", {}, name));
    });
    return html("fieldset", { class: "play-choice" }, html("legend", {}, legend), ...labels);
  }

  function button(name, pressed) {
    const node = html("button", { type: "button" }, name);
    node.addEventListener("click", pressed);
    return node;
  }

  /** Calls `frame(seconds)` until it returns false, or until the button is pressed again. */
  function player(name, frame) {
    let started = null;
    const stop = () => {
      started = null;
      node.textContent = name;
    };
    function next(now) {
      if (started === null) return;
      if (frame((now - started) / 1000) === false) stop();
      else requestAnimationFrame(next);
    }
    const node = button(name, () => {
      if (started !== null) return stop();
      node.textContent = "Stop";
      requestAnimationFrame((now) => {
        started = now;
        next(now);
      });
    });
    return { node, stop };
  }

  // === Plots ===

  function linearTicks(low, high) {
    const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
    return ticks;
  }

  function logTicks(low, high) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high) + 1e-9)];
    const factors = high / low < 100 ? [1, 2, 5] : [1], every = Math.max(1, Math.ceil((last - first) / 4));
    const ticks = [];
    for (let k = last; k >= first; k -= every) ticks.push(...factors.map((factor) => Number(`${factor}e${k}`)));
    return ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  }

  /**
   * A plot with axes, which is drawn anew by `begin`, then `line`, `dot` and others.
   *
   * @param {{title: string, across: string, up: string, width: number, height: number, log: boolean}} settings
   */
  function plot({ title, across, up, width = 380, height = 200, log = false }) {
    const box = { left: 52, right: width - 12, top: 26, bottom: height - 38 };
    const clip = `play-clip-${count++}`;
    const inside = { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top };
    const [axes, marks] = [svg("g"), svg("g", { "clip-path": `url(#${clip})` })];
    const node = svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, class: "play-plot", role: "img", "aria-label": title },
      svg("defs", {}, svg("clipPath", { id: clip }, svg("rect", inside))),
      svg("text", { x: box.left, y: 16, class: "play-title" }, title),
      axes,
      marks,
    );
    let ranges;
    const share = (value, [low, high], isLog) =>
      isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    const x = (value) => box.left + share(value, ranges[0], false) * inside.width;
    const y = (value) => box.bottom - share(value, ranges[1], log) * inside.height;
    const place = (value) => Math.round(Math.min(1e5, Math.max(-1e5, value)) * 100) / 100;

    function text(at, words, attributes) {
      return svg("text", { x: at[0], y: at[1], ...attributes }, words);
    }

    return {
      node,
      /** Removes everything and draws the axes for these ranges. */
      begin(rangeAcross, rangeUp) {
        ranges = [rangeAcross, rangeUp];
        const parts = [svg("rect", { ...inside, class: "play-frame" })];
        for (const tick of linearTicks(...rangeAcross)) {
          parts.push(svg("line", { x1: x(tick), x2: x(tick), y1: box.top, y2: box.bottom, class: "play-grid" }));
          parts.push(text([x(tick), box.bottom + 14], words(tick), { "text-anchor": "middle" }));
        }
        for (const tick of (log ? logTicks : linearTicks)(...rangeUp)) {
          parts.push(svg("line", { x1: box.left, x2: box.right, y1: y(tick), y2: y(tick), class: "play-grid" }));
          parts.push(text([box.left - 5, y(tick) + 4], words(tick), { "text-anchor": "end" }));
        }
        parts.push(text([(box.left + box.right) / 2, height - 6], across, { "text-anchor": "middle" }));
        const middle = (box.top + box.bottom) / 2;
        parts.push(text([12, middle], up, { "text-anchor": "middle", transform: `rotate(-90 12 ${middle})` }));
        axes.replaceChildren(...parts);
        marks.replaceChildren();
      },
      line(points, kind) {
        const path = points.map(([a, b], k) => `${k ? "L" : "M"}${place(x(a))} ${place(y(b))}`).join("");
        marks.append(svg("path", { d: path, class: `play-line ${kind}` }));
      },
      dot([a, b], kind, radius = 5) {
        marks.append(svg("circle", { cx: place(x(a)), cy: place(y(b)), r: radius, class: `play-dot ${kind}` }));
      },
      area([left, right], [low, high], kind) {
        const [from, to] = [x(left), x(right)];
        marks.append(
          svg("rect", { x: from, width: Math.max(0, to - from), y: y(high), height: y(low) - y(high), class: kind }),
        );
      },
      note([a, b], words, kind, attributes = {}) {
        marks.append(text([x(a), y(b)], words, { class: kind, ...attributes }));
      },
      /** The values at a pointer event. */
      at(event) {
        const bounds = node.getBoundingClientRect(), scale = width / bounds.width;
        const [left, top] = [(event.clientX - bounds.left) * scale, (event.clientY - bounds.top) * scale];
        const [across, up] = ranges;
        return [
          across[0] + ((left - box.left) / inside.width) * (across[1] - across[0]),
          up[0] + ((box.bottom - top) / inside.height) * (up[1] - up[0]),
        ];
      },
      /** Calls `moved(values)` while something is dragged in the plot, and `stepped(dx, dy)` for the arrow keys. */
      drag(label, moved, stepped) {
        set(node, { tabindex: 0, role: "application", "aria-label": label, class: "play-plot play-drag" }, []);
        node.addEventListener("pointerdown", (event) => {
          node.setPointerCapture(event.pointerId);
          moved(this.at(event));
        });
        node.addEventListener("pointermove", (event) => event.buttons && moved(this.at(event)));
        node.addEventListener("keydown", (event) => {
          const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
          if (!step) return;
          event.preventDefault();
          stepped(...step);
        });
      },
    };
  }

  /** Builds a figure in each element `<div data-play="name">` of the page. */
  function figure(name, build) {
    const start = () => {
      for (const place of document.querySelectorAll(`[data-play="${name}"]`)) {
        if (place.dataset.ready) continue;
        place.dataset.ready = "true";
        place.replaceChildren(...build());
      }
    };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else start();
  }

  return { html, words, slider, choice, button, player, plot, figure };
})();
