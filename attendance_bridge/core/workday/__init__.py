"""The working day: from punches, a shift, holidays and leave to hours, a status and overtime.

`plan` says what was to be expected of a person on a date, `rules` how it is counted, `day` what came out of
it; `engine` brings the three together. `stretches` and `overtime` are its two sums,
and `tally` is what the days of a person come to.
"""
