"""The working day on the site: what the engine of `core.workday` makes of Attendances and check-ins.

`due` says which Attendances are to be counted (again), `sheet` gathers what is known of them, `counting` lets
the engine work and writes its result into our own fields of Attendance. HRMS's fields are never written.
"""
