// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Count Days Again: asked for on the form and on the list of Overtime Rule.

frappe.provide("attendance_bridge.count_again");

(() => {
	const API = "attendance_bridge.api.workdays";

	attendance_bridge.count_again.may = () =>
		frappe.session.user === "Administrator" || frappe.user.has_role(["HR Manager", "System Manager"]);

	/** Ask for the dates and a company, say how many Attendances that is, and have them counted again. */
	attendance_bridge.count_again.ask = function (company) {
		let asked = 0;
		const dialog = new frappe.ui.Dialog({
			title: __("Count Days Again"),
			fields: [
				{
					fieldname: "from_date",
					fieldtype: "Date",
					label: __("From Date"),
					default: frappe.datetime.month_start(),
					reqd: 1,
					onchange: tell,
				},
				{ fieldtype: "Column Break" },
				{
					fieldname: "to_date",
					fieldtype: "Date",
					label: __("To Date"),
					default: frappe.datetime.get_today(),
					reqd: 1,
					onchange: tell,
				},
				{ fieldtype: "Section Break" },
				attendance_bridge.workdays.link_filter("company", __("Company"), "Company", {
					default: company,
					description: __("Empty: of every company"),
					onchange: tell,
				}),
				{ fieldname: "told", fieldtype: "HTML" },
			],
			primary_action_label: __("Count Again"),
			async primary_action() {
				dialog.disable_primary_action();
				const marked = await ask("count_again", dialog.get_values(), "POST").catch(() => null);
				if (marked === null) return dialog.enable_primary_action();
				dialog.hide();
				frappe.show_alert(
					{
						message: __("Attendances to be counted again: {0}. It takes a minute or two.", [marked]),
						indicator: "green",
					},
					10
				);
			},
		});

		async function tell() {
			const [of_this, values] = [++asked, dialog.get_values(true)];
			dialog.disable_primary_action();
			say([]);
			if (!values.from_date || !values.to_date) return;
			const affected = await ask("count_again_affects", values, "GET").catch(() => null);
			// Another date may have been chosen meanwhile.
			if (of_this !== asked || affected === null) return;
			say([
				__("Attendances that are counted again: {0}", [affected.toString().bold()]),
				__(
					"Overtime that was approved stays as it was approved. Where a day comes to something else now, its list says so."
				),
			]);
			if (affected) dialog.enable_primary_action();
		}

		function say(sentences) {
			const html = sentences.map((each) => `<p class="text-muted small">${each}</p>`).join("");
			dialog.get_field("told").$wrapper.html(html);
		}

		dialog.show();
		tell();
	};

	async function ask(method, { from_date, to_date, company }, type) {
		const args = { from_date, to_date, company: company || undefined };
		return (await frappe.call({ method: `${API}.${method}`, type, args })).message;
	}
})();
