// === Random numbers: those of ganzoo.sampling.SeededNumbers ===

const MASK = (1n << 64n) - 1n;

/** The upper 32 bits of the product of two unsigned 32-bit integers. */
function upperProduct(a, b) {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const [low, mid, other] = [aLow * bLow, aLow * bHigh, aHigh * bLow];
  const carry = ((low >>> 16) + (mid & 0xffff) + (other & 0xffff)) >>> 16;
  return (aHigh * bHigh + (mid >>> 16) + (other >>> 16) + carry) >>> 0;
}

/** Philox 4x32-10 (Salmon et al., 2011): a counter of four words and a key of two -> four random words. */
function philox([a, b, c, d], [k, l]) {
  for (let round = 0; round < 10; round++) {
    const [first, second] = [upperProduct(0xd2511f53, a), upperProduct(0xcd9e8d57, c)];
    const [firstLow, secondLow] = [Math.imul(0xd2511f53, a) >>> 0, Math.imul(0xcd9e8d57, c) >>> 0];
    [a, b, c, d] = [(second ^ b ^ k) >>> 0, secondLow, (first ^ d ^ l) >>> 0, firstLow];
    [k, l] = [(k + 0x9e3779b9) >>> 0, (l + 0xbb67ae85) >>> 0];
  }
  return [a, b, c, d];
}

const words = (value) => [Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn)];

/** Float32 in [0, 1), of the lower 23 bits of a word. */
const uniformOf = (word) => (word & 0x7fffff) / 2 ** 23;

/**
 * Numbers from N(0, 1), as TensorFlow's stateless_normal with alg="philox" draws them.
 *
 * @param {bigint} seed
 * @param {number} start the first number wanted
 * @param {number} count how many
 */
function normals(seed, start, count) {
  const mix = philox([...words(seed & MASK), 0, 0], [0x3ec8f720, 0x02461e29]);
  const numbers = new Float32Array(count);
  let block = -1, four;
  for (let index = 0; index < count; index++) {
    const at = start + index;
    if (at >> 2 !== block) {
      block = at >> 2;
      const bits = philox([block, 0, mix[2], mix[3]], [mix[0], mix[1]]);
      four = [...boxMuller(bits[0], bits[1]), ...boxMuller(bits[2], bits[3])];
    }
    numbers[index] = four[at & 3];
  }
  return numbers;
}

function boxMuller(first, second) {
  const radius = Math.sqrt(-2 * Math.log(Math.max(uniformOf(first), 1e-7)));
  const angle = 2 * Math.PI * uniformOf(second);
  return [radius * Math.sin(angle), radius * Math.cos(angle)];
}

// === Latents ===

/** The distribution function of N(0, 1). */
function normalCdf(x) {
  return x < 0 ? upperTail(-x) : 1 - upperTail(x);
}

/** 1 - normalCdf(x) for x >= 0, by its continued fraction where that converges fast, else by the series. */
function upperTail(x) {
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (x > 3) {
    let fraction = x;
    for (let k = 40; k > 0; k--) fraction = x + k / fraction;
    return density / fraction;
  }
  let [term, sum] = [x, x];
  for (let k = 1; k < 60; k++) {
    term *= x * x / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}

/** The inverse of normalCdf, by bisection: 60 halvings of [-9, 9]. */
function normalQuantile(p) {
  let [low, high] = [-9, 9];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle; else high = middle;
  }
  return (low + high) / 2;
}

/** Latents from N(0, 1), bent to the normal distribution that is cut off at +-limit; exact, and continuous in both. */
function truncated(latents, limit) {
  const inside = 1 - 2 * upperTail(limit);
  return latents.map((z) => Math.sign(z) * normalQuantile(0.5 + (normalCdf(Math.abs(z)) - 0.5) * inside));
}

/** Between two latents: along the great circle (slerp), which keeps to the lengths that a normal prior has. */
function between(first, second, share, isNormal) {
  const norm = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  const [a, b] = [norm(first), norm(second)];
  const cosine = a && b ? first.reduce((sum, x, i) => sum + x * second[i], 0) / (a * b) : 1;
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (!isNormal || Math.sin(angle) < 1e-3) return first.map((x, i) => (1 - share) * x + share * second[i]);
  const [p, q] = [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
  return first.map((x, i) => p * x + q * second[i]);
}
