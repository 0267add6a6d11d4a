// Functions to find things as a user does: by what is shown.
var spaces = (text) => text.replace(/\s+/g, " ").trim();
var shown = () => spaces(document.body.innerText);
var visible = (e) => e.getClientRects().length > 0;
var named = (e, name) => [e.getAttribute("aria-label"), e.innerText].some((text) => text && spaces(text) === name);
var control = (name) =>
  [...document.querySelectorAll("main :is(a, button, summary), header a")].find((e) => visible(e) && named(e, name)) ?? null;
var middle = (e) => {
  e.scrollIntoView({block: "center", behavior: "instant"});
  const box = e.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
};
// leads reports whether a click leads to another page: not so for downloads, and where htmx takes the submit. With hx-trigger it takes
// another event.
var leads = (e) => e.matches("a[href]:not([download], [href^='#'], [hx-get])") ||
  e.matches("button:not([type=button])") && Boolean(e.form) && !e.closest("[hx-post]:not([hx-trigger]), [hx-get]:not([hx-trigger])");
var field = (label) => {
  for (const e of document.querySelectorAll("label")) {
    const own = e.querySelector("input, select, textarea");
    const text = spaces([...e.childNodes].filter((n) => !n.contains(own) || n === e).map((n) => n.textContent).join(" "));
    const target = e.control ?? own;
    if (text === label && target && visible(e)) return target;
  }
  return null;
};
var fill = (e, value) => {
  if (e.type === "checkbox" || e.type === "radio") {
    if (e.checked !== (value !== "")) e.click();
    return "";
  }
  if (e instanceof HTMLSelectElement) {
    const option = [...e.options].find((o) => spaces(o.text) === value || o.value === value);
    if (!option) return "no option " + value + " among " + [...e.options].map((o) => o.text).join(", ");
    value = option.value;
  }
  e.focus();
  e.value = value;
  for (const type of ["input", "keyup", "change"]) e.dispatchEvent(new Event(type, {bubbles: true}));
  return "";
};
var widest = () => [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth && !e.closest(".scroll, pre"))
  .map((e) => e.outerHTML.slice(0, 120)).slice(0, 3).join("\n");
var violations = async () => {
  const result = await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]});
  return result.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + v.help + "\n  " + n.html.slice(0, 200) + "\n  " + n.failureSummary));
};
