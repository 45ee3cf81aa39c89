// What somebody typed into a form is back when their login had ended meanwhile and the same account logs in anew.
//
// A form takes part by data-typed. What stands in its fields when it is sent stays in this tab, and only until the
// next page: that one drops it, unless it says that the login was over (data-typed-over). The first page after the
// login (data-typed-later) gives it back to its form and its account, or drops it too. So does a quarter of an hour.
// Never kept: passwords, files, and hidden fields, the token among them.

const KEY = "attendance-bridge:typed";
const KEEP_MS = 15 * 60 * 1000;
const FIELDS = "input:not([type=hidden], [type=password], [type=file]), select, textarea";
const BACK = "What you had typed is back. It has not been sent yet.";
const account = document.querySelector('meta[name="account"]')?.content ?? "";

const fieldsOf = (form) => [...form.querySelectorAll(FIELDS)].filter((field) => field.name);

// Which of the forms of a page it is: where it goes, and for whom or what.
function identity(form) {
	const hidden = [...form.querySelectorAll("input[type=hidden]")].filter((field) => field.name !== "csrf_token");
	return JSON.stringify([form.getAttribute("action"), ...hidden.map((field) => [field.name, field.value])]);
}

function keep(kept) {
	try {
		sessionStorage.setItem(KEY, JSON.stringify(kept));
	} catch {
		// A browser that keeps nothing: it has to be typed again.
	}
}

function drop() {
	try {
		sessionStorage.removeItem(KEY);
	} catch {
		// It keeps nothing.
	}
}

function find() {
	try {
		const kept = JSON.parse(sessionStorage.getItem(KEY));
		return kept && Math.abs(Date.now() - kept.at) < KEEP_MS ? kept : null;
	} catch {
		return null;
	}
}

function fill(form, fields) {
	for (const [name, value] of fields) {
		const field = fieldsOf(form).find((each) => each.name === name);
		if (!field) continue;
		if (field.type === "checkbox") field.checked = value;
		else if (!field.options || [...field.options].some((option) => option.value === value)) field.value = value;
	}
	const said = document.createElement("p");
	said.className = "wait whole";
	said.setAttribute("role", "status");
	said.textContent = BACK;
	form.prepend(said);
	form.closest("details")?.setAttribute("open", "");
	form.scrollIntoView({ block: "center" });
}

document.addEventListener("submit", ({ target: form }) => {
	if (!account || !form.matches("[data-typed]")) return;
	const fields = fieldsOf(form).map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]);
	keep({ account, fields, form: identity(form), page: location.pathname + location.search, at: Date.now() });
});

const kept = find();
const isMine = kept?.account === account;
const led = document.querySelector("[data-typed-over], [data-typed-later]");
if (kept && led && (isMine || !account) && (kept.isOver || led.matches("[data-typed-over]"))) {
	keep({ ...kept, isOver: true });
	setTimeout(drop, KEEP_MS - (Date.now() - kept.at));
	const back = document.querySelector("a[data-typed-back]");
	if (back) back.href = kept.page;
	if (back) back.hidden = false;
} else {
	drop();
	const form = [...document.querySelectorAll("form[data-typed]")].find((each) => identity(each) === kept?.form);
	if (form && isMine && kept.isOver) fill(form, kept.fields);
}
