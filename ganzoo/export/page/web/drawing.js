// === The input of a model that translates images ===

const inputShape = settings.inputs.find((input) => input.kind === "image")?.shape;
const undone = [];

function makeDrawing() {
  const canvas = find("input"), [height, width] = inputShape;
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let last = null, erases = false;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  function stroke(from, to) {
    context.strokeStyle = erases ? settings.paper : find("pen").value;
    context.lineWidth = Number(find("width").value) * (erases ? 3 : 1) * Math.max(1, width / 128);
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
    changed();
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    remember();
    last = at(event);
    stroke(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last || !event.buttons) return;
    const next = at(event);
    stroke(last, next);
    last = next;
  });
  canvas.addEventListener("pointerup", () => (last = null));

  find("pen").value = settings.ink;
  find("eraser").addEventListener("click", () => {
    erases = !erases;
    find("eraser").setAttribute("aria-pressed", erases);
  });
  find("clear").addEventListener("click", () => {
    remember();
    blank();
    changed();
  });
  find("undo").addEventListener("click", () => {
    if (undone.length) context.putImageData(undone.pop(), 0, 0);
    changed();
  });
  find("invert").addEventListener("click", () => {
    remember();
    const pixels = read(canvas, inputShape).map((value) => -value);
    draw(canvas, pixels, inputShape);
    changed();
  });
  find("open").addEventListener("change", (event) => open(event.target.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      canvas.classList.add("target");
    });
  }
  document.addEventListener("dragleave", () => canvas.classList.remove("target"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    canvas.classList.remove("target");
    if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
    else page.say("Nothing to open: drop a picture file.");
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) open(event.clipboardData.files[0]);
  });
  blank();
  state.image = read(canvas, inputShape);
  find("drawing").hidden = false;
}

function remember() {
  const canvas = find("input");
  undone.push(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height));
  if (undone.length > 50) undone.shift();
}

function blank() {
  const canvas = find("input"), context = canvas.getContext("2d");
  context.fillStyle = settings.paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
}

function changed() {
  page.say("");
  state.image = read(find("input"), inputShape);
  refresh();
}

/** Reads a picture of any size: it covers the input, and what juts out is cut off on both sides. */
async function open(file) {
  if (!file) return;
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    page.say(`${file.name || "The file"} is no picture that this browser can read. Take a PNG, JPEG or WebP file.`);
    return;
  }
  remember();
  blank();
  const canvas = find("input"), context = canvas.getContext("2d"), { width, height } = canvas;
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  changed();
}

/** Inputs of the training to begin with. */
function showExamples(own) {
  training.forEach((pixels, k) => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    draw(canvas, pixels, own);
    button.setAttribute("aria-label", `Take example ${k}`);
    button.append(canvas);
    button.addEventListener("click", () => {
      remember();
      draw(find("input"), pixels, own);
      changed();
    });
    find("examples").append(button);
  });
  find("examples-panel").hidden = false;
}
