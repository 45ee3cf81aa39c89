// Copyright (c) 2026, Attendance Bridge contributors
// For license information, please see license.txt

frappe.query_reports["Sync Statistics"] = {
	filters: [
		{
			fieldname: "from_date",
			label: __("From"),
			fieldtype: "Date",
			default: frappe.datetime.month_start(),
			reqd: 1,
		},
		{
			fieldname: "to_date",
			label: __("To"),
			fieldtype: "Date",
			default: frappe.datetime.get_today(),
			reqd: 1,
		},
		{ fieldname: "device", label: __("Device"), fieldtype: "Link", options: "Device Configuration" },
	],
};
