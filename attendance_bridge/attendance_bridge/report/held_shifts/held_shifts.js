// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.query_reports["Held Shifts"] = {
	filters: [],

	get_datatable_options(options) {
		return { ...options, noDataMessage: __("No shift is held: attendance is judged on time.") };
	},
};
