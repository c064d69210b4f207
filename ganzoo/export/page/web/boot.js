// Says what is wrong if the page cannot run. It stands before everything else, so that it works in half of a page.
window.page = {
  failed: false,
  say(words) {
    if (!this.failed) document.getElementById("status").textContent = words;
  },
  fail(words) {
    this.say(words);
    this.failed = true;
    document.documentElement.dataset.state = "failed";
    document.getElementById("status").className = "error";
    document.getElementById("progress").hidden = true;
  },
};

(function () {
  const scheme = window.location.hash.slice(1);
  if (scheme === "dark" || scheme === "light") document.documentElement.dataset.scheme = scheme;

  const wanted = "Try a current version of Firefox, Chrome, Edge or Safari (16.4 or later).";
  // A module with one SIMD instruction.
  const simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98,
    11];
  if (typeof WebAssembly !== "object") page.fail(`This browser has no WebAssembly, or has it switched off. ${wanted}`);
  else if (!WebAssembly.validate(new Uint8Array(simd))) page.fail(`This browser lacks WebAssembly SIMD. ${wanted}`);
  else if (typeof DecompressionStream !== "function") page.fail(`This browser cannot unpack gzip. ${wanted}`);
  else page.say("Loading the model…");

  const damaged = "This page is damaged or incomplete, as after an interrupted download. Get the file again.";
  document.addEventListener("DOMContentLoaded", () => document.getElementById("end") || page.fail(damaged));
  document.addEventListener("securitypolicyviolation", (event) => {
    if (/script|style/.test(event.violatedDirective)) page.fail(damaged);
  });
  window.addEventListener("error", (event) => page.fail(`The page stopped: ${event.message}`));
  window.addEventListener("unhandledrejection", (event) => page.fail(`The page stopped: ${event.reason?.message}`));
})();
