app_name = "attendance_bridge"
app_title = "Attendance Bridge"
app_publisher = "Attendance Bridge contributors"
app_description = "Every punch on every terminal becomes exactly one Employee Checkin"
app_email = "maintainers@attendance-bridge.example"
app_license = "gpl-3.0"

required_apps = ["frappe/hrms"]
