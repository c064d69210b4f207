// Four distances between two parallel lines; see docs/theory/parallel_lines.md.
"use strict";

play.parallelLines = (() => {
  // === The distances ===

  const NAMES = { W: "Wasserstein-1", JS: "Jensen-Shannon", TV: "Total variation", KL: "KL, both directions" };
  const GRID = 801, TAIL = 5; // Points across two lines that are blurred, as far as so many standard deviations.

  /**
   * What lies at which place across the lines: along them both are alike, which changes no distance.
   *
   * @param {number} theta where the second line is
   * @param {number} width standard deviation of the noise that blurs both lines; 0 for none
   */
  function masses(theta, width = 0) {
    if (width === 0) return theta === 0 ? { places: [0], p: [1], q: [1] } : { places: [0, theta], p: [1, 0], q: [0, 1] };
    const [low, high] = [Math.min(0, theta) - TAIL * width, Math.max(0, theta) + TAIL * width];
    const places = Array.from({ length: GRID }, (_, k) => low + ((high - low) * k) / (GRID - 1));
    const [p, q] = [0, theta].map((centre) => {
      const values = places.map((x) => Math.exp(-((x - centre) ** 2) / (2 * width ** 2)));
      const sum = values.reduce((total, value) => total + value, 0);
      return values.map((value) => value / sum);
    });
    return { places, p, q };
  }

  /** KL(p || q), infinite where q misses something that p has. */
  function kl(p, q) {
    return p.reduce((sum, mass, k) => (mass === 0 ? sum : sum + (q[k] === 0 ? Infinity : mass * Math.log(mass / q[k]))), 0);
  }

  function jensenShannon(p, q) {
    const mixture = p.map((mass, k) => (mass + q[k]) / 2);
    return (kl(p, mixture) + kl(q, mixture)) / 2;
  }

  const totalVariation = (p, q) => p.reduce((sum, mass, k) => sum + Math.abs(mass - q[k]), 0) / 2;

  /** On a line, the area between the two distribution functions. */
  function wasserstein(places, p, q) {
    let [sum, difference] = [0, 0];
    for (let k = 0; k + 1 < places.length; k++) {
      difference += p[k] - q[k];
      sum += Math.abs(difference * (places[k + 1] - places[k]));
    }
    return sum;
  }

  function distances(theta, width = 0) {
    const { places, p, q } = masses(theta, width);
    return {
      W: wasserstein(places, p, q),
      JS: jensenShannon(p, q),
      TV: totalVariation(p, q),
      KL: Math.max(kl(p, q), kl(q, p)),
    };
  }

  /** The slope of a distance in theta; 0 where it is infinite, since nothing can follow that. */
  function slope(name, theta, width = 0, step = 1e-4) {
    const [ahead, behind] = [step, -step].map((by) => distances(theta + by, width)[name]);
    return Number.isFinite(ahead + behind) ? (ahead - behind) / (2 * step) : 0;
  }

  /** theta before and after each step of gradient descent. */
  function descend(name, theta, width, rate, steps) {
    const path = [theta];
    for (let step = 0; step < steps; step++) path.push(path.at(-1) - rate * slope(name, path.at(-1), width));
    return path;
  }

  // === The figure ===

  const RANGE = 2, TOP = 2.4, RATE = 0.01, STEPS = 220;

  function build() {
    const state = { theta: 1, width: 0, name: "W" };
    const lines = play.plot({ title: "The lines: drag q", across: "x", up: "z", height: 260 });
    const curves = play.plot({ title: "Distances over theta", across: "theta", up: "distance", height: 260 });
    const rows = Object.fromEntries(Object.keys(NAMES).map((name) => [name, [play.html("td"), play.html("td")]]));
    const verdict = play.html("p", { class: "play-verdict", role: "status" });
    let curve = null; // The distances over theta at this width.

    const theta = play.slider({ name: "theta", low: -RANGE, high: RANGE, step: 0.01, value: 1 }, move);
    const width = play.slider({ name: "Noise s", low: 0, high: 0.6, step: 0.1, value: 0, digits: 1 }, (value) => {
      state.width = value;
      curve = null;
      move(state.theta);
    });
    const follow = play.choice({ legend: "Follow the slope of", options: Object.entries(NAMES), value: "W" }, (name) => {
      state.name = name;
      move(state.theta);
    });
    let way = null;
    const player = play.player("Descend", (seconds) => {
      if (seconds === 0 || way === null) way = descend(state.name, state.theta, state.width, RATE, STEPS);
      const at = Math.min(STEPS, Math.floor(seconds * 60));
      show(way[at]);
      if (at < STEPS) return true;
      const moved = Math.abs(way[STEPS] - way[0]) > 1e-6, begun = way[0];
      way = null;
      tell(moved ? `After ${STEPS} steps: theta from ${play.words(begun)} to ${play.words(round(state.theta))}.`
        : `After ${STEPS} steps nothing has moved: ${whyNot()}`);
      return false;
    });
    lines.drag(
      "The lines p at 0 and q at theta. Drag, or use the left and right arrow keys, to move q.",
      ([x]) => move(x),
      (right) => move(state.theta + 0.05 * right),
    );

    const round = (value) => Math.round(100 * value) / 100 + 0;

    function whyNot() {
      if (state.theta === 0) return "the lines are the same.";
      return state.name === "KL" ? "KL is infinite, and has no slope." : "the slope is 0.";
    }

    function move(value) {
      player.stop();
      way = null;
      show(round(Math.min(RANGE, Math.max(-RANGE, value))));
      const steep = Math.abs(slope(state.name, state.theta, state.width));
      tell(steep > 1e-6 ? `${NAMES[state.name]} has the slope ${play.words(steep)} here: a generator can follow it.`
        : `A generator that follows ${NAMES[state.name]} does not move: ${whyNot()}`);
    }

    function tell(words) {
      verdict.textContent = words;
    }

    function show(value) {
      state.theta = value;
      theta.value = value;
      drawLines();
      drawCurves();
      const now = distances(value, state.width);
      for (const [name, [amount, steep]] of Object.entries(rows)) {
        amount.textContent = play.words(Number(now[name].toFixed(4)));
        const here = slope(name, value, state.width);
        steep.textContent = Number.isFinite(now[name]) ? play.words(Number(here.toFixed(4)) + 0) : "none";
      }
    }

    function drawLines() {
      lines.begin([-2.4, 2.4], [-0.1, 1.15]);
      for (const [x, kind] of [[0, "play-data"], [state.theta, "play-W"]]) {
        for (const by of state.width ? [2, 1] : []) lines.area([x - by * state.width, x + by * state.width], [0, 1], `play-blur ${kind}`);
        lines.line([[x, 0], [x, 1]], `${kind} play-thick`);
      }
      lines.note([-0.05, 1.04], "p", "play-name", { "text-anchor": "end" });
      lines.note([state.theta + 0.05, 1.04], "q", "play-name");
    }

    function drawCurves() {
      curve ??= Array.from({ length: 161 }, (_, k) => RANGE * (k / 80 - 1)).map((x) => [x, distances(x, state.width)]);
      curves.begin([-RANGE, RANGE], [-0.1, TOP]);
      curves.line([[state.theta, -0.1], [state.theta, TOP]], "play-here");
      const now = distances(state.theta, state.width);
      for (const name of ["KL", "TV", "JS", "W"]) {
        const kind = `play-${name}`;
        if (name === "KL" && state.width === 0) {
          curves.note([-0.98 * RANGE, TOP - 0.17], "↑ KL is infinite", `play-note ${kind}`);
        } else if (state.width === 0 && name !== "W") {
          for (const side of [-1, 1]) curves.line(curve.filter(([x]) => x * side > 0).map(([x, d]) => [x, d[name]]), kind);
        } else {
          curves.line(curve.map(([x, d]) => [x, Math.min(d[name], 99)]), kind);
        }
        curves.dot([state.theta, Math.min(now[name], TOP)], kind);
      }
    }

    const table = play.html("table", { class: "play-table" },
      play.html("thead", {}, play.html("tr", {}, ...["Distance", "Value", "Slope"].map((name) => play.html("th", { scope: "col" }, name)))),
      play.html("tbody", {}, ...Object.entries(rows).map(([name, cells]) =>
        play.html("tr", {}, play.html("th", { scope: "row", class: `play-key play-${name}` }, NAMES[name]), ...cells))),
    );
    const again = play.button("Back to 1", () => move(1));
    move(1);
    return [
      play.html("div", { class: "play-controls" }, follow, play.html(
        "div", {}, theta.node, width.node, play.html("div", { class: "play-row" }, player.node, again),
      )),
      verdict,
      play.html("div", { class: "play-plots" }, lines.node, curves.node),
      table,
    ];
  }

  play.figure("parallel_lines", build);
  return { NAMES, masses, kl, jensenShannon, totalVariation, wasserstein, distances, slope, descend };
})();
