"""Approved overtime and its way into the payroll.

`counted` reads what was counted on Attendance, `deciding` what was decided about it, `rates` says what an
hour is worth, `paying` hands it to HRMS, and `standing` tells reports how far each day has come.
"""
