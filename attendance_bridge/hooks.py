app_name = "attendance_bridge"
app_title = "Attendance Bridge"
app_publisher = "Attendance Bridge contributors"
app_description = "Every punch on every terminal becomes exactly one Employee Checkin"
app_email = "maintainers@attendance-bridge.example"
app_license = "gpl-3.0"

required_apps = ["frappe/hrms"]

export_python_type_annotations = True

after_install = "attendance_bridge.install.after_install"
before_uninstall = "attendance_bridge.uninstall.before_uninstall"

doctype_js = {
	"Attendance Anomaly": "public/js/anomalies.js",
	"Device Configuration": [
		"public/js/health.js",
		"public/js/fetch_checkins.js",
		"public/js/review.js",
		"public/js/dry_run.js",
		"public/js/push.js",
		"public/js/road.js",
	],
	"Edge Agent": "public/js/health.js",
	"Employee": "public/js/employee_faces.js",
	"Overtime Rule": ["public/js/workday_filters.js", "public/js/count_again.js"],
	"Attendance Bridge Settings": ["public/js/review.js", "public/js/dry_run.js", "public/js/push.js"],
	"Punch Log": "public/js/review.js",
	"Shift Type": "public/js/shift_type.js",
}
doctype_list_js = {
	"Attendance Anomaly": "public/js/anomalies.js",
	"Device Configuration": "public/js/fetch_checkins.js",
	"Overtime Rule": ["public/js/workday_filters.js", "public/js/count_again.js"],
	"Punch Log": "public/js/review.js",
}
page_js = {
	"unmapped-people": "public/js/review.js",
	"live-board": "public/js/board.js",
	"morning-board": ["public/js/board.js", "public/js/workday_filters.js"],
}

# What terminals call by themselves; every other page is passed on unseen.
page_renderer = ["attendance_bridge.bench.iclock.TerminalPage"]

scheduler_events = {
	# One tick; what is due is decided there, a terminal at a time.
	"cron": {
		"* * * * *": ["attendance_bridge.bench.jobs.tick"],
		"*/5 * * * *": ["attendance_bridge.bench.alerts.look"],
		"0 7 * * *": ["attendance_bridge.bench.alerts.send_summary"],
	},
	"daily_long": [
		"attendance_bridge.bench.jobs.reconcile",
		"attendance_bridge.bench.jobs.clean_up",
		"attendance_bridge.bench.erasing.clean_up",
		"attendance_bridge.bench.anomalies.nightly.look",
	],
}

doc_events = {
	"Employee Checkin": {
		"on_update": "attendance_bridge.bench.workdays.due.checkin_changed",
		"on_trash": [
			"attendance_bridge.bench.reviewing.checkin_deleted",
			"attendance_bridge.bench.workdays.due.checkin_changed",
		],
	},
	"Attendance": {
		"before_submit": "attendance_bridge.bench.workdays.due.attendance_made",
		"on_update_after_submit": "attendance_bridge.bench.workdays.due.attendance_changed",
	},
	"Attendance Request": {
		"on_submit": "attendance_bridge.bench.anomalies.correcting.request_submitted",
		"on_cancel": "attendance_bridge.bench.anomalies.correcting.request_cancelled",
	},
	"Leave Application": {
		"on_submit": "attendance_bridge.bench.workdays.changed_days_off.leave_changed",
		"on_cancel": "attendance_bridge.bench.workdays.changed_days_off.leave_changed",
	},
	"Holiday List": {"on_update": "attendance_bridge.bench.workdays.changed_days_off.list_changed"},
	# v16
	"Holiday List Assignment": {
		"on_submit": "attendance_bridge.bench.workdays.changed_days_off.assignment_changed",
		"on_cancel": "attendance_bridge.bench.workdays.changed_days_off.assignment_changed",
	},
	"Company": {"on_update": "attendance_bridge.bench.workdays.changed_days_off.company_changed"},
	"Shift Type": {"on_update": "attendance_bridge.bench.workdays.changed_days_off.shift_type_changed"},
	"Employee": {
		"on_update": [
			"attendance_bridge.bench.unmapped.employee_changed",
			"attendance_bridge.bench.erasing.employee_changed",
			"attendance_bridge.bench.workdays.changed_days_off.employee_changed",
		],
		"on_trash": [
			"attendance_bridge.bench.erasing.employee_deleted",
			"attendance_bridge.bench.anomalies.register.employee_deleted",
		],
		"after_rename": "attendance_bridge.bench.erasing.employee_renamed",
	},
}

permission_query_conditions = {
	"Attendance Anomaly": "attendance_bridge.bench.anomalies.access.conditions",
	"Attendance Anomaly Punch": "attendance_bridge.bench.anomalies.access.punch_conditions",
	"Punch Log": "attendance_bridge.bench.permissions.punch_log_conditions",
	"Face Consent": "attendance_bridge.bench.permissions.face_consent_conditions",
	"Overtime Approval": "attendance_bridge.bench.permissions.overtime_approval_conditions",
	"Overtime Approval Day": "attendance_bridge.bench.permissions.overtime_approval_rows_conditions",
	"Overtime Payment": "attendance_bridge.bench.permissions.overtime_approval_rows_conditions",
}

has_permission = {
	"Attendance Anomaly": "attendance_bridge.bench.anomalies.access.may_see",
	"Punch Log": "attendance_bridge.bench.permissions.may_see_punch",
	"Face Consent": "attendance_bridge.bench.permissions.may_see_consent",
	"Overtime Approval": "attendance_bridge.bench.permissions.may_see_overtime_approval",
}

# Proofs outlive whom they are about: they keep nobody from deleting an Employee.
ignore_links_on_delete = [
	"Face Consent",
	"Face Template",
	"Biometric Erasure",
	# Records of what was: they keep nobody from deleting a terminal.
	"Device Clock Log",
	"Attendance Bridge Alert",
	"Attendance Anomaly",
	"Attendance Anomaly Punch",
]

default_log_clearing_doctypes = {
	"Device Sync Log": 90,
	"Device Clock Log": 365,
	"Attendance Bridge Alert": 180,
}
