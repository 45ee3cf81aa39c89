"""What a person should look at: found by counting days, kept once each, closed when its cause is gone.

`days`, `sites`, `clocks` and `patterns` find; `register` keeps what they found in Attendance Anomaly;
`nightly` looks at what no count comes by. `deciding` and `correcting` are what people do about it,
`rejudging` has HRMS judge a day again, `access` says who sees it.
"""
