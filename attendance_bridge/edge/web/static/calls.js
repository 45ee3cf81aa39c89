// Calls of the agent by its own pages.

const TOKEN = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export class Refused extends Error {
	constructor(status, { error = "", sentence = "" }) {
		super(error);
		this.status = status;
		this.code = error;
		this.sentence = sentence;
	}
}

// `body`: a Blob is sent as it is, all else as JSON. Throws Refused, or what fetch throws when nobody answers.
export async function call(method, path, body = null, more = {}) {
	const is_picture = body instanceof Blob;
	const headers = { "X-CSRF-Token": TOKEN };
	if (body) headers["Content-Type"] = is_picture ? body.type || "image/jpeg" : "application/json";
	const answer = await fetch(path, {
		method,
		headers,
		body: body && !is_picture ? JSON.stringify(body) : body,
		...more,
	});
	const facts = await answer.json().catch(() => ({}));
	if (!answer.ok) throw new Refused(answer.status, facts);
	return facts;
}
