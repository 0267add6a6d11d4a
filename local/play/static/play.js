"use strict";
// Buttons with data-copy copy the text of the element that they name. Without JavaScript they are not shown.
for (const type of ["DOMContentLoaded", "htmx:afterSettle"]) {
  document.addEventListener(type, () => {
    for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = false;
  });
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
});
// While someone types on the page Settings, each message says whether its field is valid.
document.addEventListener("htmx:afterRequest", () => {
  for (const message of document.querySelectorAll("[id^=fault-]")) {
    document.getElementById(message.id.slice("fault-".length)).setAttribute("aria-invalid", String(message.textContent !== ""));
  }
});
