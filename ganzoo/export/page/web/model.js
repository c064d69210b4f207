// === What the page holds ===

const settings = JSON.parse(document.getElementById("settings").textContent);

/** Base64 as byte arrays, piece by piece: as a whole it would be in memory several times. */
function* decoded(text, size = 2 ** 20) {
  for (let start = 0; start < text.length; start += size) {
    const letters = atob(text.slice(start, start + size));
    const bytes = new Uint8Array(letters.length);
    for (let index = 0; index < letters.length; index++) bytes[index] = letters.charCodeAt(index);
    yield bytes;
  }
}

/** The bytes of a block of the page, which is emptied. */
async function unpacked(name) {
  const block = document.getElementById(name), pieces = decoded(block.textContent);
  block.textContent = "";
  const source = new ReadableStream({
    pull(controller) {
      const { value, done } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  try {
    return new Uint8Array(await new Response(source.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
  } catch {
    throw new Error(`the block "${name}" is damaged. Get the file again.`);
  }
}

const floatsOf = (bytes) => new Float32Array(bytes.buffer, 0, bytes.byteLength / 4);
const has = (name) => document.getElementById(name) !== null;
const sizeOf = (shape) => shape.reduce((product, size) => product * size, 1);

// === The model ===

/** Runs the generator. */
class Model {
  static async load(progress) {
    const file = document.querySelector("script[src]")?.getAttribute("src");
    if (typeof ort === "undefined") throw new Error(`the file ${file} must lie beside this page. Get both.`);
    progress(1, "Unpacking the runtime…");
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.wasm.wasmBinary = (await unpacked("runtime")).buffer;
    progress(2, "Unpacking the model…");
    const weights = await unpacked("model");
    const table = has("latents") ? floatsOf(await unpacked("latents")) : null;
    progress(3, "Starting the model…");
    const session = await ort.InferenceSession.create(weights, { executionProviders: ["wasm"] });
    return new Model(session, table);
  }

  constructor(session, table) {
    this.session = session;
    this.table = table;
    this.milliseconds = 20;
    this.queue = Promise.resolve();
  }

  /** Latents of sample `index` of a seed: a Float32Array, or null if the model takes none. */
  latents(seed, index = 0) {
    if (!settings.latents) return null;
    const size = sizeOf(settings.latents.shape);
    if (!this.table) return normals(BigInt(seed), index * size, size);
    const { seeds, samples } = settings.latents.table;
    const row = Number(BigInt(seed) % BigInt(seeds)) * samples + (index % samples);
    return this.table.slice(row * size, (row + 1) * size);
  }

  /**
   * Makes samples.
   *
   * @param {{latents: Float32Array?, label: number?, attributes: Float32Array?, image: Float32Array?}[]} wanted
   * @returns {Promise<Float32Array[]>} pixels in [-1, 1], row by row
   */
  run(wanted) {
    const result = this.queue.then(() => this.runNow(wanted));
    this.queue = result.catch(() => {}); // One call at a time: the runtime allows no more.
    return result;
  }

  async runNow(wanted) {
    const feeds = {};
    for (const input of settings.inputs) {
      const parts = wanted.map((one) => (input.kind === "label" ? [one.label] : one[input.kind]));
      feeds[input.name] = tensorOf(input.dtype, [wanted.length, ...input.shape], parts);
    }
    const start = performance.now();
    const { images } = await this.session.run(feeds);
    this.milliseconds = 0.7 * this.milliseconds + (0.3 * (performance.now() - start)) / wanted.length;
    const size = images.data.length / wanted.length;
    return wanted.map((_, index) => images.data.slice(index * size, (index + 1) * size));
  }

  /** How many samples at a time leave the page alive. */
  get batch() {
    return Math.max(1, Math.min(16, Math.floor(80 / this.milliseconds)));
  }
}

function tensorOf(dtype, shape, parts) {
  const numbers = parts.flatMap((part) => Array.from(part));
  if (dtype === "int64") return new ort.Tensor("int64", BigInt64Array.from(numbers, (x) => BigInt(Math.round(x))), shape);
  if (dtype === "int32") return new ort.Tensor("int32", Int32Array.from(numbers), shape);
  return new ort.Tensor("float32", Float32Array.from(numbers), shape);
}

// === Pixels ===

/** Draws pixels in [-1, 1] on a canvas of their size. */
function draw(canvas, pixels, [height, width, channels]) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 4; channel++) {
      const value = channel === 3 && channels < 4 ? 1 : pixels[at * channels + Math.min(channel, channels - 1)];
      image.data[4 * at + channel] = Math.round((value + 1) * 127.5);
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The pixels of a canvas in [-1, 1]. */
function read(canvas, [height, width, channels]) {
  const { data } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
  const pixels = new Float32Array(width * height * channels);
  for (let at = 0; at < width * height; at++) {
    const [red, green, blue, alpha] = data.subarray(4 * at, 4 * at + 4);
    const colour = channels === 1 ? [(299 * red + 587 * green + 114 * blue) / 1000] : [red, green, blue, alpha];
    for (let channel = 0; channel < channels; channel++) {
      pixels[at * channels + channel] = colour[channel] / 127.5 - 1;
    }
  }
  return pixels;
}

/** Hands a file to whoever looks at the page. */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
