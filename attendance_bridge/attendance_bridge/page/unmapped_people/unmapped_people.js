// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

// Ids on terminals that are nobody's, and the employees whose they may be. What terminals send is escaped
// wherever it is shown.

const UNMAPPED_API = "attendance_bridge.api.punches";
const UNMAPPED_PAGE_LENGTH = 20;

frappe.pages["unmapped-people"].on_page_load = function (wrapper) {
	wrapper.unmapped_people = new UnmappedPeople(wrapper);
};

frappe.pages["unmapped-people"].on_page_show = function (wrapper) {
	wrapper.unmapped_people?.load();
};

class UnmappedPeople {
	constructor(wrapper) {
		this.page = frappe.ui.make_app_page({
			parent: wrapper,
			title: __("Unmapped People"),
			single_column: true,
		});
		this.page.set_secondary_action(__("Refresh"), () => this.load(), { icon: "refresh" });
		this.page.add_menu_item(__("Unmapped Punches"), () => this.show_punches({}));
		this.page.add_menu_item(__("Ignored Punches"), () => this.show_punches({ status: "Ignored" }));
		this.body = $(`<div class="unmapped-people p-3"></div>`).appendTo(this.page.main);
		this.body.on("click", "[data-act]", (event) => this.act(event.currentTarget));
		this.length = UNMAPPED_PAGE_LENGTH;
	}

	/** Ask anew, from the first id to the last that is shown. */
	async load() {
		this.ids = [];
		do {
			await this.load_page();
		} while (this.ids.length < Math.min(this.length, this.total));
		this.page.set_indicator(
			this.total ? __("{0} unmapped", [this.total]) : __("All mapped"),
			this.total ? "orange" : "green"
		);
		this.body.html(this.total ? this.draw(this) : this.draw_nothing());
	}

	async load_page() {
		const { ids, total, may_map } = await frappe.xcall(`${UNMAPPED_API}.unmapped_ids`, {
			start: this.ids.length,
			page_length: UNMAPPED_PAGE_LENGTH,
		});
		this.ids.push(...ids);
		// Somebody may have mapped some meanwhile: an empty page is the last.
		this.total = ids.length ? total : this.ids.length;
		this.may_map = may_map;
	}

	draw({ ids, total, may_map }) {
		const lead = may_map
			? __(
					"People punch with these IDs, and no employee has them. Give each to whom it belongs: past punches become check-ins at once."
			  )
			: __("People punch with these IDs, and no employee has them. HR gives them to employees.");
		const more =
			ids.length < total
				? `<button class="btn btn-default btn-sm mt-3" data-act="more">${__("Show More")}</button>`
				: "";
		return `<p class="text-muted">${lead}</p>${ids
			.map((id, index) => this.draw_id(id, index))
			.join("")}${more}`;
	}

	draw_nothing() {
		return `<div class="text-center text-muted py-5">
			<div class="mb-2">${frappe.utils.icon("tick", "lg")}</div>
			<p>${__("Every ID that people punch with belongs to an employee.")}</p>
		</div>`;
	}

	draw_id(id, index) {
		const escape = frappe.utils.escape_html;
		const named = __("On the terminal: {0}", [escape(id.name_on_terminal).bold()]);
		const name = id.name_on_terminal ? `<div>${named}</div>` : "";
		const when = __("{0} punches, from {1} to {2}", [
			id.punches,
			day_of(id.first),
			day_of(id.last),
		]);
		return `<div class="frappe-card p-3 mb-3" data-index="${index}">
			<div class="row">
				<div class="col-12 col-md-5 mb-2">
					<div class="h5 mb-1 text-break">${__("ID {0}", [escape(id.device_user_id)])}</div>
					${name}
					<div class="text-muted small">${when}</div>
					<div class="text-muted small text-break">${escape(id.devices.join(", "))}</div>
				</div>
				<div class="col-12 col-md-7">
					${this.may_map ? this.draw_choices(id) : ""}
					<div class="mt-2">
						${this.may_map ? this.button("choose", __("Choose Employee")) : ""}
						${this.button("punches", __("Show Punches"))}
						${this.may_map ? this.button("ignore", __("Ignore This ID")) : ""}
					</div>
				</div>
			</div>
		</div>`;
	}

	draw_choices(id) {
		if (!id.suggestions.length) {
			return `<div class="text-muted small">${__("Nobody in Employee looks like this ID.")}</div>`;
		}
		return id.suggestions
			.map(
				(each, number) => `<div class="d-flex align-items-center justify-content-between py-1">
					<div class="mr-3" style="min-width: 0">
						<div class="text-break">${frappe.utils.escape_html(each.employee_name)}
							<span class="text-muted small">${frappe.utils.escape_html(each.employee)}</span></div>
						<div class="text-muted small text-break">${spell_likeness(each)}</div>
					</div>
					<button class="btn btn-xs ${number ? "btn-default" : "btn-primary"}" data-act="map"
						data-suggestion="${number}">${map_label()}</button>
				</div>`
			)
			.join("");
	}

	button(act, label) {
		return `<button class="btn btn-default btn-xs mr-1 mb-1" data-act="${act}">${label}</button>`;
	}

	act(button) {
		const { act, suggestion } = button.dataset;
		const id = this.ids[$(button).closest("[data-index]").data("index")];
		switch (act) {
			case "map":
				return this.map(id, id.suggestions[suggestion], button);
			case "choose":
				return this.choose(id);
			case "ignore":
				return this.ignore(id);
			case "punches":
				return this.show_punches({ device_user_id: ["in", id.ids_on_devices] });
			case "more":
				this.length += UNMAPPED_PAGE_LENGTH;
				return this.load();
		}
	}

	/** Give the id to an employee; ask first if that takes another id from them. */
	map(id, { employee, employee_name, attendance_device_id }, button) {
		const give = async (replace) => {
			button?.setAttribute("disabled", "");
			try {
				const answer = await frappe.xcall(
					`${UNMAPPED_API}.map_employee`,
					{ device_user_id: id.device_user_id, employee, replace },
					"POST"
				);
				frappe.show_alert({
					message: __("{0} has the ID {1} now. {2} punches are becoming check-ins.", [
						frappe.utils.escape_html(answer.employee_name),
						frappe.utils.escape_html(id.device_user_id),
						answer.punches,
					]),
					indicator: "green",
				});
				await this.load();
			} finally {
				button?.removeAttribute("disabled");
			}
		};
		if (!attendance_device_id || attendance_device_id === id.device_user_id) return give(false);
		frappe.confirm(
			__("{0} has the ID {1}. Replace it with {2}? Past check-ins stay.", [
				frappe.utils.escape_html(employee_name || employee).bold(),
				frappe.utils.escape_html(attendance_device_id).bold(),
				frappe.utils.escape_html(id.device_user_id).bold(),
			]),
			() => give(true)
		);
	}

	choose(id) {
		const dialog = new frappe.ui.Dialog({
			title: __("Whose ID Is This?"),
			fields: [
				{
					fieldname: "employee",
					fieldtype: "Link",
					label: __("Employee"),
					options: "Employee",
					reqd: 1,
					get_query: () => ({ filters: { status: ["!=", "Left"] } }),
				},
			],
			primary_action_label: map_label(),
			primary_action: async ({ employee }) => {
				dialog.hide();
				const { message } = await frappe.db.get_value("Employee", employee, [
					"employee_name",
					"attendance_device_id",
				]);
				this.map(id, { employee, ...message });
			},
		});
		dialog.show();
	}

	ignore(id) {
		attendance_bridge.review.ask_reason(
			__("Ignore {0} Punches", [id.punches]),
			async (reason) => {
				const { punches } = await frappe.xcall(
					`${UNMAPPED_API}.ignore_id`,
					{ device_user_id: id.device_user_id, reason },
					"POST"
				);
				frappe.show_alert({ message: __("{0} punches ignored", [punches]), indicator: "blue" });
				this.load();
			}
		);
	}

	show_punches(filters) {
		frappe.set_route("List", "Punch Log", { status: "Unmapped", ...filters });
	}
}

/** Elsewhere a map is something with roads on it. */
function map_label() {
	return __("Map", null, "Give an ID to an employee");
}

function day_of(moment) {
	return frappe.datetime.str_to_user(moment.split(" ")[0]);
}

function spell_likeness({ likeness, attendance_device_id }) {
	const held = frappe.utils.escape_html(attendance_device_id);
	switch (likeness) {
		case "name_on_terminal":
			return __("has the name that stands on the terminal");
		case "leading_zeros":
			return __("has the ID {0}: the same but for zeros before it", [held]);
		case "employee_number":
			return __("has the same digits in the Employee Number");
		case "employee_id":
			return __("has the same digits at the end of the Employee ID");
		case "same_digits":
			return __("has the ID {0}: the same digits, written otherwise", [held]);
		default:
			return "";
	}
}
