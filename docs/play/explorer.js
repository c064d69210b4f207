// The gallery: a click on its link opens a model below it. Without JavaScript the link leads to the model's page.
"use strict";

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.explorer");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const isOpen = link.getAttribute("aria-expanded") === "true";
  link.setAttribute("aria-expanded", !isOpen);
  if (isOpen) {
    link.textContent = link.dataset.words;
    document.getElementById(link.getAttribute("aria-controls")).remove(); // The model leaves the memory.
    return;
  }
  link.dataset.words = link.textContent;
  link.textContent = "Close the model";
  const frame = document.createElement("iframe"), alone = document.createElement("a"), place = document.createElement("div");
  const name = link.href.split("/").at(-1).replace(".html", "");
  const scheme = document.body.dataset.mdColorScheme === "slate" ? "dark" : "light"; // As the switch of the site says.
  Object.assign(frame, { src: `${link.href}#${scheme}`, title: `The model ${name}, in a page of its own` });
  Object.assign(alone, { href: link.href, target: "_blank", rel: "noopener", textContent: "Open it in a tab of its own" });
  place.id = `explorer-${name}`;
  place.className = "explorer-place";
  place.append(frame, alone);
  link.setAttribute("aria-controls", place.id);
  link.closest("p").after(place);
});
