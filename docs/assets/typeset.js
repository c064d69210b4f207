// Typesets the formulas. The pages hold them as TeX: \[...\] in a block, \(...\) in a line.
const SMALLEST = 0.6;
const formulas = [...document.querySelectorAll(".arithmatex")];
for (const element of formulas) {
  const tex = element.textContent.trim();
  katex.render(tex.slice(2, -2), element, { displayMode: tex.startsWith("\\["), throwOnError: false });
}

// A formula that is too wide for its box is made smaller. If that would make it too small to read, the box scrolls.
function fit() {
  for (const element of formulas.filter((formula) => formula.tagName === "DIV")) {
    element.style.fontSize = "";
    const room = (0.98 * element.clientWidth) / element.scrollWidth;
    if (element.scrollWidth > element.clientWidth) element.style.fontSize = `${100 * Math.max(room, SMALLEST)}%`;
  }
}
fit();
document.fonts.ready.then(fit);
addEventListener("resize", fit);
