// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Dry run: what other rules would have made of past punches. Asked for on Device Configuration and on the
// settings; nothing is written.

frappe.provide("attendance_bridge.dry_run");

(() => {
	const escape = frappe.utils.escape_html;

	/** Ask for days and changed rules, and show what would come of them.
	 *
	 * @param {object[]} fields Docfields of the rules, with their present values as defaults.
	 * @param {?string} device The terminal of which something is changed.
	 */
	attendance_bridge.dry_run.ask = function (fields, device = null) {
		const dialog = new frappe.ui.Dialog({
			title: __("Dry Run"),
			size: "extra-large",
			fields: [
				{
					fieldname: "from_date",
					fieldtype: "Date",
					label: __("Punches From"),
					default: frappe.datetime.add_days(frappe.datetime.get_today(), -7),
					reqd: 1,
				},
				{ fieldtype: "Column Break" },
				{
					fieldname: "to_date",
					fieldtype: "Date",
					label: __("To Date"),
					default: frappe.datetime.get_today(),
					reqd: 1,
				},
				{ fieldtype: "Section Break", label: __("Rules To Try") },
				...in_columns(fields),
				{ fieldtype: "Section Break" },
				{ fieldname: "result", fieldtype: "HTML" },
			],
			primary_action_label: __("Show What Would Change"),
			primary_action: (values) => show(0, values),
		});
		const result = dialog.fields_dict.result.$wrapper.addClass("dry-run-result");
		result.html(
			`<p class="text-muted">${__("Past punches are decided again by these rules. Nothing is written.")}</p>`
		);
		result.on("click", "[data-start]", (event) =>
			show(cint(event.currentTarget.dataset.start), dialog.get_values())
		);
		dialog.show();

		async function show(start, values) {
			if (!values) return;
			const { result: _html, ...args } = values;
			for (const { fieldname, fieldtype } of fields) {
				if (fieldtype === "Data") args[fieldname] ??= "";
			}
			const [answer, known] = await Promise.all([
				frappe.xcall("attendance_bridge.api.punches.dry_run", { ...args, device, start }, "GET", {
					freeze: true,
				}),
				attendance_bridge.review.explanations(),
			]);
			result.html(draw(answer, start, known));
		}
	};

	function in_columns(fields) {
		return fields.flatMap((field, index) =>
			index ? [{ fieldtype: "Column Break" }, field] : [field]
		);
	}

	function draw({ punches, changed, counts, rows, page_length }, start, known) {
		if (!changed) {
			return `<p>${__("{0} punches were looked at: nothing would change.", [punches])}</p>`;
		}
		const kinds = counts
			.map(
				([before, after, count]) =>
					`<span class="indicator-pill gray no-indicator-dot mr-2 mb-1">${count} × ${__(
						before
					)} → ${__(after)}</span>`
			)
			.join("");
		return `<p><b>${__("{0} of {1} punches would be decided otherwise.", [changed, punches])}</b></p>
			<p>${kinds}</p>
			<div class="table-responsive"><table class="table table-sm table-bordered mb-2">
				<thead><tr>
					<th>${__("Time")}</th><th>${__("Employee")}</th><th>${__("Device")}</th>
					<th>${__("Now")}</th><th>${__("Would Be")}</th>
				</tr></thead>
				<tbody>${rows.map((row) => draw_row(row, known)).join("")}</tbody>
			</table></div>
			${draw_pager(start, changed, page_length)}`;
	}

	function draw_row({ name, occurred_at, device, device_user_id, before, after }, known) {
		const who = before.employee_name || after.employee_name || __("ID {0}", [device_user_id]);
		return `<tr>
			<td><a href="${frappe.utils.get_form_link("Punch Log", name)}" target="_blank">${escape(
			frappe.datetime.str_to_user(occurred_at)
		)}</a></td>
			<td>${escape(who)}</td>
			<td>${escape(device || "")}</td>
			<td>${draw_decision(before, known)}</td>
			<td>${draw_decision(after, known)}</td>
		</tr>`;
	}

	function draw_decision({ outcome, reason }, known) {
		const { words } = attendance_bridge.review.explain(known, reason);
		return `<b>${__(outcome)}</b><div class="text-muted small">${words}</div>`;
	}

	function draw_pager(start, total, page_length) {
		if (total <= page_length) return "";
		const last = Math.min(start + page_length, total);
		const button = (label, to, off) =>
			`<button class="btn btn-default btn-xs mr-2" data-start="${to}" ${
				off ? "disabled" : ""
			}>${label}</button>`;
		return `<div class="d-flex align-items-center">
			${button(__("Previous"), Math.max(0, start - page_length), start === 0)}
			${button(__("Next"), start + page_length, last >= total)}
			<span class="text-muted small">${__("{0} to {1} of {2}", [start + 1, last, total])}</span>
		</div>`;
	}
})();
