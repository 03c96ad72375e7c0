// What a page cannot do by itself: Airflow's light or dark, and links that lead out of Airflow's frame.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");

  // Airflow keeps the choice as a class of its own page, which is of the same origin; alone, the system's choice holds.
  const outside = (() => {
    try {
      return window.parent !== window && window.parent.document;
    } catch {
      return null;
    }
  })();
  if (outside) {
    const follow = () => {
      const shown = outside.documentElement;
      const dark = shown.classList.contains("dark") || shown.dataset.theme === "dark";
      root.dataset.theme = dark ? "dark" : "light";
    };
    follow();
    new MutationObserver(follow).observe(outside.documentElement, { attributes: true });
  }

  // Airflow's frame lets nothing of it open a window or lead elsewhere: the page around it does that for us.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[target]");
    if (!link || !outside || event.defaultPrevented) return;
    event.preventDefault();
    const copy = outside.createElement("a");
    copy.href = link.href;
    copy.rel = "noopener";
    copy.target = link.target === "_blank" ? "_blank" : "_self";
    copy.click();
  });

  // What waits for a human is shown anew while it lies open; nobody who is reading another window needs it.
  window.addEventListener("DOMContentLoaded", () => {
    const again = document.querySelector("[data-refresh]");
    if (!again) return;
    window.setInterval(() => {
      if (!document.hidden) window.location.reload();
    }, 1000 * Number(again.dataset.refresh));
  });

  // A choice in a list is enough to show it. Keys step through a closed list, and no step is a choice yet: Enter is one,
  // and the button beside the list comes back.
  const listOf = (event) => event.target instanceof Element && event.target.closest("[data-submit]");
  let isStepping = false;
  document.addEventListener("keydown", (event) => {
    const list = listOf(event);
    if (!list) return;
    if (event.key === "Enter" && list.form.classList.contains("stepped")) {
      event.preventDefault();
      list.form.requestSubmit();
    }
    // Space and Alt open the list, whose choice is one.
    isStepping = !(event.altKey || event.key === "Enter" || event.key === " ");
  });
  document.addEventListener("pointerdown", () => { isStepping = false; });
  document.addEventListener("change", (event) => {
    const list = listOf(event);
    if (!list) return;
    if (isStepping) list.form.classList.add("stepped");
    else list.form.requestSubmit();
  });

  // A second click sends nothing; the server would not act twice either. What answers with a file leaves the page.
  document.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.hasAttribute("data-file")) return;
    for (const button of event.target.querySelectorAll("button")) {
      if (event.target.method === "post") window.setTimeout(() => { button.disabled = true; });
    }
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
  });
})();
