// A page that is made to be printed: its button needs a script, so it is hidden without one.
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => window.print());
