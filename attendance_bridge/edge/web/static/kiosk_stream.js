// The events of the agent: connected for ever, and anew whenever it says nothing any more.

const PATH = "/api/v1/kiosk/events";
const STATUS = "/api/v1/kiosk/status";
const SILENT_MS = 40000; // the agent says something every 15 s
const GONE_MS = 3000;
const RETRY_MS = 5000;

// `hear(event)`; `lose()` when the agent seems gone.
export function listen(hear, lose) {
	let silent = 0;
	let gone = 0;

	function watch() {
		const events = new EventSource(PATH);
		events.onmessage = ({ data }) => {
			wait(events);
			const event = JSON.parse(data);
			if (event.type === "hello") {
				clearTimeout(gone);
				gone = 0;
			}
			hear(event);
		};
		events.onerror = () => {
			// Each attempt to connect anew fails too: the first failure counts.
			gone ||= setTimeout(lose, GONE_MS);
			if (events.readyState === EventSource.CLOSED) giveUp(events);
		};
		wait(events);
	}

	// A cable that was pulled ends no connection: a stream that says nothing is given up.
	function wait(events) {
		clearTimeout(silent);
		silent = setTimeout(() => giveUp(events), SILENT_MS);
	}

	function giveUp(events) {
		events.close();
		clearTimeout(silent);
		lose();
		setTimeout(async () => {
			try {
				const answered = await fetch(STATUS);
				// A login that has run out; the page itself knows where to log in.
				if ([401, 403].includes(answered.status)) return location.reload();
			} catch {
				// Not there: the stream will say the same.
			}
			watch();
		}, RETRY_MS);
	}

	watch();
}
