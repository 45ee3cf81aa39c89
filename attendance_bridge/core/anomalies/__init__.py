"""What punches say that cannot be, or that a person should look at: beyond one person's one day.

`places` finds two punches of a person at sites too far apart for the time between them; `together` finds
people whose punches keep coming at the same moment from the same terminal. Anomalies within one day are of
`core.workday`.
"""
