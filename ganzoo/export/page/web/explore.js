// === State ===

const find = (id) => document.getElementById(id);
const shape = settings.image_shape;
const size = settings.latents ? sizeOf(settings.latents.shape) : 0;
const isNormal = settings.latents?.prior === "normal";
const isVector = settings.latents?.dtype === "float32" && settings.latents.shape.length === 1;
const translates = settings.inputs.some((input) => input.kind === "image");
const explores = isVector && !translates; // Of a translator the latents are noise.
const classes = settings.classes?.names;
const NONE = 4; // A truncation that cuts nothing worth mentioning off.
const SAMPLES = 16, LATENTS = 8;

const state = {
  seed: "0",
  index: 0,
  base: null, // Latents in the place of the seed's.
  own: new Map(), // Single latents that were set by hand.
  amounts: (settings.directions ?? []).map(() => 0),
  label: classes ? 0 : null,
  inTurn: Boolean(classes), // The grid shows each class in turn.
  attributes: Float32Array.from(settings.attributes ?? [], () => 0),
  truncation: NONE,
  image: null,
};
let model, directions = [], kept = [null, null], shown = null;

const truncate = (latents) => (isNormal && state.truncation < NONE ? truncated(latents, state.truncation) : latents);

/** The latents of a sample of the grid: those of the seed, truncated and moved. */
function latentsOf(index) {
  const latents = model.latents(state.seed, index);
  return explores ? moved(truncate(latents)) : latents;
}

function moved(latents) {
  const result = Float32Array.from(latents);
  state.amounts.forEach((amount, k) => {
    if (amount) for (let i = 0; i < size; i++) result[i] += amount * directions[k][i];
  });
  return result;
}

/** The latents of the big sample. */
function currentLatents() {
  if (!settings.latents) return null;
  const latents = state.base ? moved(state.base) : latentsOf(state.index);
  for (const [index, value] of state.own) latents[index] = value;
  return latents;
}

const wish = (latents, label) => ({ latents, label, attributes: state.attributes, image: state.image });
const labelOf = (index) => (state.inTurn ? index % classes.length : state.label);

/** Goes back to what the seed says. */
function forget() {
  state.base = null;
  state.own.clear();
  state.amounts.fill(0);
}

// === Refreshing: the newest wish wins ===

/** A function that runs `work` as often as needed, never twice at once, the last time after the last call. */
function latest(work) {
  let running = null, again = false;
  async function run() {
    try {
      while (again) {
        again = false;
        await work(() => again);
      }
    } finally {
      running = null;
    }
  }
  return () => {
    again = true;
    running ??= run();
    return running;
  };
}

const refreshSample = latest(async () => {
  const latents = currentLatents(), label = labelOf(state.index);
  const [pixels] = await model.run([wish(latents, label)]);
  shown = { latents, label, pixels };
  draw(find("sample"), pixels, shape);
  describe();
  showNearest(pixels);
});

const refreshGrid = latest(async (isStale) => {
  const tiles = [...find("grid").children];
  for (let start = 0, step; start < tiles.length && !isStale(); start += step) {
    step = model.batch; // It changes as the page learns how fast the model is.
    const part = tiles.slice(start, start + step);
    const wishes = part.map((_, k) => wish(latentsOf(start + k), labelOf(start + k)));
    const samples = await model.run(wishes);
    samples.forEach((pixels, k) => {
      draw(part[k].firstChild, pixels, shape);
      const label = classes ? `, ${classes[wishes[k].label]}` : "";
      part[k].setAttribute("aria-label", `Sample ${start + k} of seed ${state.seed}${label}`);
    });
  }
});

function refresh({ grid = true } = {}) {
  syncControls();
  const work = [refreshSample()];
  clearTimeout(plane.timer);
  plane.timer = setTimeout(refreshMap, size === 2 ? 0 : 300);
  if (grid && !find("grid-panel").hidden) work.push(refreshGrid());
  return Promise.all(work);
}

function describe() {
  const parts = [];
  if (translates && settings.latents) parts.push(`noise of seed ${state.seed}`);
  if (!translates) parts.push(state.base ? "between samples" : `sample ${state.index} of seed ${state.seed}`);
  if (state.own.size || state.amounts.some(Boolean)) parts.push("moved");
  if (isNormal && !translates && state.truncation < NONE) parts.push(`truncated at ${state.truncation.toFixed(1)}`);
  if (classes) parts.push(classes[shown.label]);
  const words = parts.join(", ");
  find("caption").textContent = words && words[0].toUpperCase() + words.slice(1);
  find("sample").setAttribute("aria-label", `${settings.title}: ${words || "translated image"}`);
}

// === Sliders ===

const sliders = [];

/** A slider with its name and value; `get` and `set` are of the state. */
function slider(parent, name, [least, most, step], get, set, text = (value) => value.toFixed(2)) {
  const label = document.createElement("label");
  label.className = "slider";
  const [title, input, output] = ["span", "input", "output"].map((tag) => document.createElement(tag));
  title.textContent = name;
  Object.assign(input, { type: "range", min: least, max: most, step });
  input.addEventListener("input", () => set(Number(input.value)));
  label.append(title, input, output);
  parent.append(label);
  const one = {
    label,
    sync() {
      input.value = get();
      output.textContent = text(get());
    },
  };
  sliders.push(one);
  one.sync();
  return one;
}

const latentAxis = (index) => ({
  name: `Latent ${index + 1}`,
  limit: settings.latents.limits?.[index] ?? 3,
  get: () => currentLatents()[index],
  set: (value) => state.own.set(index, value),
});

const directionAxis = (index) => ({
  name: settings.directions[index],
  limit: size > 8 ? 6 : 3,
  get: () => state.amounts[index],
  set(value) {
    state.amounts[index] = value;
    state.own.clear(); // Latents that are held would not follow.
  },
});

function axisSlider(parent, axis) {
  return slider(parent, axis.name, [-axis.limit, axis.limit, 0.01], axis.get, (value) => {
    axis.set(value);
    refresh({ grid: true });
  });
}

function syncControls() {
  sliders.forEach((one) => one.sync());
  for (const [k, button] of [...find("classes").querySelectorAll("button")].entries()) {
    const isChosen = state.inTurn ? k === 0 : k === state.label + 1;
    button.setAttribute("aria-pressed", isChosen);
  }
  [...find("grid").children].forEach((tile, k) =>
    tile.setAttribute("aria-pressed", !state.base && k === state.index),
  );
  drawPlane();
}

function makeLatentPanel() {
  const panel = find("latents-panel"), parent = panel.querySelector(".sliders");
  let first = 0, current = [];
  function turn(by) {
    first = Math.min(Math.max(0, first + by), Math.floor((size - 1) / LATENTS) * LATENTS);
    for (const one of current) {
      sliders.splice(sliders.indexOf(one), 1);
      one.label.remove();
    }
    const last = Math.min(size, first + LATENTS);
    current = Array.from({ length: last - first }, (_, k) => axisSlider(parent, latentAxis(first + k)));
    find("pager").querySelector("span").textContent = `${first + 1} to ${last} of ${size}`;
    find("previous").disabled = first === 0;
    find("next").disabled = last === size;
  }
  find("previous").addEventListener("click", () => turn(-LATENTS));
  find("next").addEventListener("click", () => turn(LATENTS));
  find("pager").hidden = size <= LATENTS;
  panel.hidden = false;
  turn(0);
}

/** One value of a label, whose one-hot columns lie among the attributes: colours as buttons, words as a list. */
function attributeChoice(parent, label, columns) {
  const values = columns.map((column) => settings.attributes[column].slice(label.length + 1));
  const choose = (at) => columns.forEach((column, k) => (state.attributes[column] = k === at ? 1 : 0));
  const row = document.createElement("div"), title = document.createElement("span");
  row.className = "row choice";
  title.textContent = label;
  row.append(title);
  choose(0);
  if (values.every((value) => /^#[0-9a-f]{6}$/i.test(value))) {
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", label);
    const buttons = values.map((value, at) => {
      const button = document.createElement("button");
      Object.assign(button, { className: "colour", title: value });
      button.setAttribute("aria-label", `${label} ${value}`);
      button.style.background = value;
      button.addEventListener("click", () => {
        choose(at);
        refresh();
      });
      return button;
    });
    row.append(...buttons);
    sliders.push({ sync: () => buttons.forEach((button, k) => button.setAttribute("aria-pressed", state.attributes[columns[k]] === 1)) });
  } else {
    const list = document.createElement("select");
    list.setAttribute("aria-label", label);
    values.forEach((value, at) => list.append(new Option(value, at)));
    list.addEventListener("change", () => {
      choose(Number(list.value));
      refresh();
    });
    row.append(list);
  }
  parent.insertBefore(row, parent.querySelector(".sliders"));
}

function makeControls() {
  if (classes) {
    const row = find("classes").querySelector(".row");
    const choose = (label, name) => {
      const button = document.createElement("button");
      button.textContent = name;
      button.addEventListener("click", () => {
        state.inTurn = label === null;
        state.label = label ?? 0;
        refresh();
      });
      row.append(button);
    };
    choose(null, "Each in turn");
    classes.forEach((name, label) => choose(label, name));
    find("classes").hidden = false;
  }
  for (const [label, columns] of Object.entries(settings.attribute_labels ?? {})) {
    attributeChoice(find("attributes"), label, columns);
    find("attributes").hidden = false;
  }
  const chosen = new Set(Object.values(settings.attribute_labels ?? {}).flat());
  (settings.attributes ?? []).forEach((name, index) => {
    if (chosen.has(index)) return;
    slider(find("attributes").querySelector(".sliders"), name, [0, 1, 0.01], () => state.attributes[index], (value) => {
      state.attributes[index] = value;
      refresh();
    });
    find("attributes").hidden = false;
  });
  if (!explores) return;
  if (isNormal) {
    const words = (value) => (value < NONE ? value.toFixed(1) : "none");
    const set = (value) => {
      state.truncation = value;
      refresh();
    };
    slider(find("truncation").querySelector(".sliders"), "At", [0.1, NONE, 0.1], () => state.truncation, set, words);
    find("truncation").hidden = false;
  }
  directions.forEach((_, index) => axisSlider(find("directions").querySelector(".sliders"), directionAxis(index)));
  find("directions").hidden = !directions.length;
  makeLatentPanel();
  find("reset-row").hidden = false;
  find("reset").addEventListener("click", () => {
    forget();
    state.truncation = NONE;
    refresh();
  });
}

// === The plane ===

const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"];
const colourOf = (label) => COLOURS[label] ?? `hsl(${(label * 137.5) % 360} 65% 55%)`;
const plane = { axes: [], across: null, up: null, map: null, key: null };

function makePlane() {
  if (!explores || size < 2) return;
  const canvas = find("plane");
  plane.axes = [...directions.keys()].map(directionAxis);
  for (let index = 0; index < Math.min(size, 64); index++) plane.axes.push(latentAxis(index));
  const isMap = size === 2;
  for (const [id, chosen] of [["across", 0], ["up", 1]]) {
    const choice = isMap ? directions.length + chosen : chosen;
    plane[id] = plane.axes[choice];
    plane.axes.forEach((axis, k) => find(id).append(new Option(axis.name, k, false, k === choice)));
    find(id).addEventListener("change", () => {
      plane[id] = plane.axes[Number(find(id).value)];
      drawPlane();
      refreshMap();
    });
  }
  find("plane-axes").hidden = isMap;
  find("plane-panel").hidden = false;
  [canvas.width, canvas.height] = [480, 480];

  function move(event) {
    const box = canvas.getBoundingClientRect();
    const inside = (x) => Math.min(1, Math.max(-1, 2 * x - 1));
    plane.across.set(inside((event.clientX - box.left) / box.width) * plane.across.limit);
    plane.up.set(-inside((event.clientY - box.top) / box.height) * plane.up.limit);
    refresh({ grid: !isMap });
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    move(event);
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && move(event));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: ["across", -1], ArrowRight: ["across", 1], ArrowDown: ["up", -1], ArrowUp: ["up", 1] };
    const [id, sign] = step[event.key] ?? [];
    if (!id) return;
    event.preventDefault();
    const axis = plane[id];
    axis.set(Math.min(axis.limit, Math.max(-axis.limit, axis.get() + (sign * axis.limit) / 30)));
    refresh({ grid: !isMap });
  });
}

/** The latents of the big sample, if the plane's axes had other values. */
function latentsAt(across, up) {
  const [own, amounts] = [new Map(state.own), [...state.amounts]];
  plane.across.set(across);
  plane.up.set(up);
  const latents = currentLatents();
  [state.own, state.amounts] = [own, amounts];
  return latents;
}

/** Fills the plane with samples: of two latents the whole manifold. It does not depend on where the sample is now. */
const refreshMap = latest(async (isStale) => {
  if (!plane.across || plane.across === plane.up) return;
  const steps = size === 2 ? 15 : 7, [height, width] = shape;
  const at = (k, axis) => ((2 * k + 1) / steps - 1) * axis.limit;
  const label = labelOf(state.index), attributes = [...state.attributes];
  const key = JSON.stringify([[...latentsAt(0, 0)], plane.across.name, plane.up.name, label, attributes]);
  if (key === plane.key || (size > 2 && model.milliseconds * steps ** 2 > 3000)) return;
  const [map, tile] = [document.createElement("canvas"), document.createElement("canvas")];
  [map.width, map.height] = [steps * width, steps * height];
  for (let row = 0; row < steps; row++) {
    const wishes = Array.from({ length: steps }, (_, k) => wish(latentsAt(at(k, plane.across), -at(row, plane.up)), label));
    const samples = await model.run(wishes);
    if (isStale()) return;
    samples.forEach((pixels, column) => {
      draw(tile, pixels, shape);
      map.getContext("2d").drawImage(tile, column * width, row * height);
    });
  }
  [plane.map, plane.key] = [map, key];
  drawPlane();
});

function drawPlane() {
  if (find("plane-panel").hidden) return;
  const canvas = find("plane"), context = canvas.getContext("2d"), side = canvas.width;
  const x = (value) => ((value / plane.across.limit + 1) / 2) * side;
  const y = (value) => ((1 - value / plane.up.limit) / 2) * side;
  context.clearRect(0, 0, side, side);
  context.imageSmoothingEnabled = false;
  if (plane.map) context.drawImage(plane.map, 0, 0, side, side);
  context.lineWidth = 1;
  context.strokeStyle = "#8888";
  context.beginPath();
  for (const [from, to] of [[[0, side / 2], [side, side / 2]], [[side / 2, 0], [side / 2, side]]]) {
    context.moveTo(...from);
    context.lineTo(...to);
  }
  context.stroke();
  plane.points?.forEach(([across, up], k) => {
    context.fillStyle = plane.labels ? colourOf(plane.labels[k]) : "#56b4e9";
    context.beginPath();
    context.arc(x(across), y(up), 4, 0, 7);
    context.fill();
    context.strokeStyle = "#0008";
    context.stroke();
  });
  context.lineWidth = 3;
  for (const [colour, radius] of [["#000", 11], ["#fff", 8]]) {
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(x(plane.across.get()), y(plane.up.get()), radius, 0, 7);
    context.stroke();
  }
}

// === Between two samples ===

const buttonsOfKept = () => [find("keep-first"), find("keep-second")];

function keep(slot) {
  if (!shown?.latents) return;
  kept[slot] = { latents: shown.latents, label: shown.label };
  const canvas = buttonsOfKept()[slot].querySelector("canvas");
  draw(canvas, shown.pixels, shape);
  canvas.setAttribute("aria-label", `Kept as ${"AB"[slot]}: ${find("caption").textContent}`);
  find("share").disabled = find("play").disabled = kept.includes(null);
}

async function goBetween(share) {
  const [first, second] = kept;
  forget();
  state.base = between(first.latents, second.latents, share, isNormal);
  if (classes) {
    state.inTurn = false;
    state.label = share < 0.5 ? first.label : second.label;
  }
  find("share").value = share;
  await refresh({ grid: false });
}

async function play() {
  const button = find("play"), start = performance.now();
  const isPlaying = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", !isPlaying);
  button.textContent = isPlaying ? "Play" : "Stop";
  if (isPlaying) return;
  while (button.getAttribute("aria-pressed") === "true") {
    const seconds = (performance.now() - start) / 1000;
    await goBetween((1 - Math.cos((Math.PI * seconds) / 2)) / 2); // There and back in four seconds.
    await new Promise(requestAnimationFrame);
  }
}

// === Training images ===

let training = null;
const nameOf = (label) => settings.training.names?.[label] ?? `class ${label}`;

async function loadTraining() {
  if (!settings.training) return;
  const { shape: own, count } = settings.training, length = sizeOf(own);
  const bytes = await unpacked("training");
  training = Array.from({ length: count }, (_, k) =>
    Float32Array.from(bytes.subarray(k * length, (k + 1) * length), (byte) => byte / 127.5 - 1),
  );
  plane.points = settings.training.points;
  plane.labels = settings.training.labels;
  if (plane.points && plane.labels) {
    for (const label of [...new Set(plane.labels)].sort((a, b) => a - b)) {
      const pair = document.createElement("span"), swatch = document.createElement("span");
      pair.className = "pair";
      swatch.className = "swatch";
      swatch.style.background = colourOf(label);
      pair.append(swatch, nameOf(label));
      find("legend").append(pair);
    }
  }
  if (translates) showExamples(own);
  else find("nearest").hidden = false;
}

/** A sample at the size of the training images of the page: means of its pixels. */
function shrunk(pixels) {
  const [height, width, channels] = settings.training.shape, by = settings.training.by;
  if (by === 1) return pixels;
  const result = new Float32Array(height * width * channels);
  for (let y = 0; y < height * by; y++) {
    for (let x = 0; x < width * by; x++) {
      for (let c = 0; c < channels; c++) {
        result[(Math.floor(y / by) * width + Math.floor(x / by)) * channels + c] +=
          pixels[(y * shape[1] + x) * channels + c] / by ** 2;
      }
    }
  }
  return result;
}

function showNearest(pixels) {
  if (!training || translates) return;
  const sample = shrunk(pixels);
  const distances = training.map((image) => {
    let sum = 0;
    for (let i = 0; i < image.length; i++) sum += (image[i] - sample[i]) ** 2;
    return Math.sqrt(sum / image.length);
  });
  const order = [...distances.keys()].sort((a, b) => distances[a] - distances[b]).slice(0, 6);
  const tiles = order.map((k) => {
    const [figure, canvas, caption] = ["figure", "canvas", "figcaption"].map((tag) => document.createElement(tag));
    draw(canvas, training[k], settings.training.shape);
    const label = settings.training.labels?.[k];
    const name = label === undefined ? "" : `, ${nameOf(label)}`;
    caption.textContent = `${distances[k].toFixed(3)}${name}`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Training image ${k}${name}, at a distance of ${distances[k].toFixed(3)}`);
    figure.append(canvas, caption);
    return figure;
  });
  find("nearest").querySelector(".tiles").replaceChildren(...tiles);
}

// === Saving ===

const fileName = (what, ending) => `${settings.file}_${what}.${ending}`;
const nameOfSample = () => (translates ? "translated" : state.base ? "between" : `seed_${state.seed}_${state.index}`);

function savePicture() {
  find("sample").toBlob((blob) => download(blob, fileName(nameOfSample(), "png")));
}

function saveGrid() {
  const tiles = [...find("grid").querySelectorAll("canvas")], columns = 4, [height, width] = shape;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns * width, Math.ceil(tiles.length / columns) * height];
  tiles.forEach((tile, k) =>
    canvas.getContext("2d").drawImage(tile, (k % columns) * width, Math.floor(k / columns) * height),
  );
  canvas.toBlob((blob) => download(blob, fileName(`seed_${state.seed}`, "png")));
}

function saveLatents() {
  const content = {
    model: settings.title,
    seed: state.base ? null : state.seed,
    sample: state.base ? null : state.index,
    latents: nested([...shown.latents], settings.latents.shape),
    label: shown.label ?? undefined,
  };
  const text = JSON.stringify(content, null, 1);
  download(new Blob([text], { type: "application/json" }), fileName(nameOfSample(), "json"));
}

const nested = (flat, [, ...rest]) =>
  rest.length
    ? Array.from({ length: flat.length / sizeOf(rest) }, (_, k) =>
        nested(flat.slice(k * sizeOf(rest), (k + 1) * sizeOf(rest)), rest))
    : flat;

// === Seeds, keys, the start ===

function chooseSeed(text) {
  const input = find("seed"), isSeed = /^\d+$/.test(text) && BigInt(text) < 2n ** 63n;
  input.setCustomValidity(isSeed ? "" : "A whole number from 0 to 9223372036854775807");
  if (!isSeed) return input.reportValidity();
  state.seed = String(BigInt(text));
  state.index = 0;
  forget();
  input.value = state.seed;
  return refresh();
}

function newSeed() {
  const seeds = settings.latents.table?.seeds ?? 1000000, now = Number(BigInt(state.seed) % BigInt(seeds));
  const others = Math.floor(Math.random() * (seeds - 1)); // Any seed but the one that is shown.
  return chooseSeed(String(others < now ? others : Math.min(seeds - 1, others + 1)));
}

function makeGrid() {
  if (!settings.latents || translates) return;
  for (let index = 0; index < SAMPLES; index++) {
    const tile = document.createElement("button");
    tile.append(document.createElement("canvas"));
    tile.addEventListener("click", () => {
      state.index = index;
      state.base = null;
      state.own.clear();
      refresh({ grid: false });
    });
    find("grid").append(tile);
  }
  find("grid-panel").hidden = false;
}

const KEYS = {
  n: () => settings.latents && newSeed(),
  p: () => find("play").disabled || play(),
  a: () => find("between").hidden || keep(0),
  b: () => find("between").hidden || keep(1),
  s: savePicture,
};

function listen() {
  find("new-seed").addEventListener("click", newSeed);
  find("seed").addEventListener("change", (event) => chooseSeed(event.target.value.trim()));
  find("save-picture").addEventListener("click", savePicture);
  find("save-latents").addEventListener("click", saveLatents);
  find("save-grid").addEventListener("click", saveGrid);
  find("play").addEventListener("click", play);
  find("share").addEventListener("input", (event) => goBetween(Number(event.target.value)));
  buttonsOfKept().forEach((button, slot) => button.addEventListener("click", () => keep(slot)));
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range";
    if (!isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) KEYS[event.key.toLowerCase()]?.();
  });
}

/** For the console of the browser: `await ganzoo.samples("7", 4)`. */
function forTheConsole() {
  window.ganzoo = {
    settings,
    state,
    truncated,
    current: currentLatents,
    latents: (seed, index = 0) => model.latents(seed, index),
    samples: (seed, count, label = state.label, image = state.image) =>
      model.run(Array.from({ length: count }, (_, k) => ({
        latents: model.latents(seed, k), label, image, attributes: state.attributes,
      }))),
    settled: () => refresh(),
  };
}

async function start() {
  const progress = (value, words) => {
    find("progress").value = value;
    page.say(words);
    return new Promise((resolve) => setTimeout(resolve)); // Lets the browser paint.
  };
  model = await Model.load(progress);
  if (has("directions-data")) {
    const numbers = floatsOf(await unpacked("directions-data"));
    directions = settings.directions.map((_, k) => numbers.subarray(k * size, (k + 1) * size));
  }
  find("seeds").hidden = !settings.latents;
  find("save-latents").hidden = !explores;
  find("between").hidden = !(settings.latents?.dtype === "float32") || translates;
  find("keys").hidden = translates;
  find("stage-title").textContent = translates ? "Output" : "Sample";
  makeControls();
  makeGrid();
  if (translates) makeDrawing();
  await loadTraining();
  listen();
  makePlane();
  forTheConsole();
  find("app").hidden = false;
  await refresh();
  find("progress").hidden = true;
  page.say("");
  document.documentElement.dataset.state = "ready";
}
