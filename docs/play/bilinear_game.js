// The game min over a, max over b of a b, played by several rules; see docs/theory/bilinear_game.md.
"use strict";

play.bilinearGame = (() => {
  // === The game ===

  const NAMES = {
    simultaneous: "Simultaneous",
    alternating: "Alternating",
    averaged: "Averaged",
    optimistic: "Optimistic",
    extragradient: "Extragradient",
    penalised: "Penalised (R1)",
    clipped: "Clipped",
  };

  /** The derivative of a b + gamma a² / 2 in a, and that of a b in b. */
  const gradients = (a, b, gamma = 0) => [b + gamma * a, a];

  /**
   * The points of a path, [[a, b], ...], steps + 1 of them.
   *
   * @param {string} name one of NAMES
   * @param {{rate: number, gamma: number, clip: number}} settings
   */
  function path(name, { rate, gamma = 1, clip = 0.5 }, steps, [a, b] = [1, 0]) {
    if (name === "averaged") return averages(path("alternating", { rate }, steps, [a, b]));
    const points = [[a, b]];
    let last = gradients(a, b);
    for (let step = 0; step < steps; step++) {
      const now = gradients(a, b, name === "penalised" ? gamma : 0);
      if (name === "alternating" || name === "clipped") {
        a -= rate * now[0];
        if (name === "clipped") a = Math.min(clip, Math.max(-clip, a));
        b += rate * gradients(a, b)[1];
      } else {
        let used = now;
        if (name === "optimistic") used = now.map((g, k) => 2 * g - last[k]);
        if (name === "extragradient") used = gradients(a - rate * now[0], b + rate * now[1]);
        [a, b] = [a - rate * used[0], b + rate * used[1]];
      }
      last = now;
      points.push([a, b]);
    }
    return points;
  }

  function averages(points) {
    const sum = [0, 0];
    return points.map(([a, b], k) => {
      sum[0] += a;
      sum[1] += b;
      return [sum[0] / (k + 1), sum[1] / (k + 1)];
    });
  }

  /** The largest absolute eigenvalue of a step in closed form; null where a step is no linear map. */
  function factor(name, { rate: h, gamma = 1 }) {
    if (name === "simultaneous") return Math.sqrt(1 + h ** 2);
    if (name === "alternating") return 1;
    if (name === "extragradient") return Math.sqrt(1 - h ** 2 + h ** 4);
    if (name === "penalised") return Math.sqrt(1 - h * gamma + h ** 2);
    if (name !== "optimistic") return null;
    if (h <= 0.5) return Math.sqrt((1 + Math.sqrt(1 - 4 * h ** 2)) / 2);
    return Math.sqrt(1 + (2 * h + Math.sqrt(4 * h ** 2 - 1)) ** 2) / 2;
  }

  const distance = ([a, b]) => Math.hypot(a, b);

  /** The factor per step of a path: a straight line through the logarithms of the second half of its distances. */
  function observed(points) {
    const usable = points.map((point, step) => [step, distance(point)]).filter(([, d]) => d > 1e-250 && d < 1e250);
    const half = usable.slice(Math.floor(usable.length / 2)).map(([step, d]) => [step, Math.log(d)]);
    const mean = (k) => half.reduce((sum, pair) => sum + pair[k], 0) / half.length;
    const [x, y] = [mean(0), mean(1)];
    const [up, over] = half.reduce(([u, o], [s, d]) => [u + (s - x) * (d - y), o + (s - x) ** 2], [0, 0]);
    return Math.exp(up / over);
  }

  /** What the alternating steps keep: the ellipse that the path lies on. */
  const ellipse = ([a, b], { rate }) => a ** 2 + b ** 2 - rate * a * b;

  // === The figure ===

  const FORMULAS = {
    simultaneous: "√(1 + h²)",
    alternating: "1",
    optimistic: "√((1 + √(1 − 4h²)) / 2)",
    extragradient: "√(1 − h² + h⁴)",
    penalised: "√(1 − hγ + h²)",
  };
  const LONG = 2000; // Steps of the path whose factor is measured, as in examples/theory/bilinear_game.py.
  const START = [1, 0];
  const WIDEST = 5; // The plane shows no more.

  function fate(value) {
    if (Math.abs(value - 1) < 1e-9) return "It orbits";
    return value > 1 ? "It spirals out" : "It arrives";
  }

  function build() {
    const state = { name: "simultaneous", rate: 0.2, gamma: 1, clip: 0.5, steps: 60, shown: 60, start: START };
    const plane = play.plot({ title: "The path", across: "a, minimises", up: "b, maximises", height: 380 });
    const distances = play.plot({ title: "Distance from (0, 0)", across: "step", up: "distance", log: true });
    const losses = play.plot({ title: "Loss a b", across: "step", up: "loss" });
    const verdict = play.html("p", { class: "play-verdict", role: "status" });
    const change = (key) => (value) => {
      state[key] = value;
      refresh();
    };
    const sliders = {
      rate: play.slider({ name: "Learning rate h", low: 0.01, high: 1, step: 0.01, value: 0.2 }, change("rate")),
      gamma: play.slider({ name: "Penalty γ", low: 0, high: 2, step: 0.05, value: 1 }, change("gamma")),
      clip: play.slider({ name: "Bound c of a", low: 0.1, high: 1, step: 0.05, value: 0.5 }, change("clip")),
      steps: play.slider({ name: "Steps", low: 1, high: 300, step: 1, value: 60, digits: 0 }, change("steps")),
    };
    const rule = play.choice(
      { legend: "Rule of the steps", options: Object.entries(NAMES), value: state.name },
      change("name"),
    );
    const player = play.player("Play", (seconds) => {
      state.shown = Math.min(state.steps, Math.floor(seconds * Math.max(12, state.steps / 8)));
      draw();
      return state.shown < state.steps;
    });
    plane.drag(
      "The path in the plane of a and b. Drag, or use the arrow keys, to move where it starts.",
      ([a, b]) => begin([a, b]),
      (right, up) => begin([state.start[0] + 0.1 * right, state.start[1] + 0.1 * up]),
    );

    function begin(start) {
      state.start = start.map((value) => Math.round(100 * Math.min(2, Math.max(-2, value))) / 100);
      refresh();
    }

    function refresh() {
      player.stop();
      state.shown = state.steps;
      sliders.gamma.node.hidden = state.name !== "penalised";
      sliders.clip.node.hidden = state.name !== "clipped";
      draw();
      tell();
    }

    function draw() {
      const { name, steps, shown, start } = state, kind = `play-${name}`;
      const whole = path(name, state, steps, start), points = whole.slice(0, shown + 1);
      const size = Math.max(...whole.flat().map(Math.abs), 0);
      const side = Math.min(WIDEST, Math.max(1.5, 1.1 * size));
      plane.begin([-side, side], [-side, side]);
      if (name === "clipped") plane.area([-state.clip, state.clip], [-side, side], "play-bounds");
      plane.line(points, kind);
      if (steps <= 120) points.forEach((point) => plane.dot(point, kind, 2.2));
      plane.line([[-side / 30, 0], [side / 30, 0]], "play-equilibrium");
      plane.line([[0, -side / 30], [0, side / 30]], "play-equilibrium");
      plane.dot(start, "play-start", 7);
      plane.dot(points.at(-1), kind, 5);

      const far = whole.map(distance), value = factor(name, state);
      const dotted = value === null ? [] : whole.map((_, step) => Math.max(1e-300, far[0] * value ** step));
      const positive = [...far, ...dotted].filter((d) => d > 0);
      const low = Math.min(0.5, 0.7 * Math.min(...positive)), high = Math.max(2, 1.4 * Math.max(...positive));
      distances.begin([0, steps], [Math.max(1e-16, low), high]);
      distances.line(dotted.map((d, step) => [step, d]), `${kind} play-dotted`);
      distances.line(points.map((_, step) => [step, Math.max(1e-17, far[step])]), kind);

      const loss = whole.map(([a, b]) => a * b), most = Math.max(0.5, ...loss.map((l) => 1.1 * Math.abs(l)));
      losses.begin([0, steps], [-most, most]);
      losses.line([[0, 0], [steps, 0]], "play-zero");
      losses.line(points.map((_, step) => [step, loss[step]]), kind);
    }

    function tell() {
      const { name, start } = state, value = factor(name, state);
      if (start.every((x) => x === 0)) {
        verdict.textContent = "This is the equilibrium: nobody moves.";
      } else if (name === "averaged") {
        verdict.textContent = "The distance of the average falls as 1 / steps. There is no factor per step.";
      } else if (name === "clipped") {
        const kept = [start, path(name, state, LONG, start).at(-1)].map((point) => play.words(ellipse(point, state)));
        verdict.textContent =
          "Within the bounds the steps are alternating ones, which keep a² + b² − h a b. A clip changes it, until " +
          `the orbit fits: here from ${kept[0]} to ${kept[1]} in ${LONG.toLocaleString("en")} steps. It does not arrive.`;
      } else {
        const formula = name === "optimistic" && state.rate > 0.5 ? "largest |eigenvalue|" : FORMULAS[name];
        const found = observed(path(name, state, LONG, start));
        const equation = formula === "1" ? "1" : `${formula} = ${value.toFixed(4)}`;
        verdict.textContent = `${fate(value)}. Factor per step: ${equation}, observed ${found.toFixed(4)}.`;
      }
    }

    const again = play.button("Start at (1, 0)", () => begin(START));
    refresh();
    return [
      play.html("div", { class: "play-controls" }, rule, play.html(
        "div", {}, ...Object.values(sliders).map((one) => one.node),
        play.html("div", { class: "play-row" }, player.node, again),
      )),
      verdict,
      play.html("div", { class: "play-plots" }, plane.node,
        play.html("div", {}, distances.node, losses.node)),
    ];
  }

  play.figure("bilinear_game", build);
  return { NAMES, path, factor, observed, ellipse };
})();
