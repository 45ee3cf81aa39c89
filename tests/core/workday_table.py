"""Worked days and what they come to, counted by hand. Read by `test_workday.py`.

Times are of Dubai (UTC+4, no clock change), of Monday 2 March 2026; a `+` before a time is the next date.
After a time: `i` IN, `o` OUT, `b` with a break key. Spans are hours:minutes.

Shifts: `day` 09:00-17:00, `long` 09:00-18:00, `evening` 14:00-20:00, `night` 22:00-06:00, `late` 18:00-02:00;
10 minutes of grace on both ends, half a day below 4 hours, nothing below 2; the first to the last punch
counts. `pairs`, `strict` and `strict_pairs` are `day` counted in the other three ways; `open` is `day`
without grace rules and thresholds; `keys` takes breaks by key off, `keys_paid` all but 20 minutes of them;
`lunch` takes an hour off days of more than 6 hours; `quarter` counts in quarters of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Day:
	name: str
	shift: str | None
	scans: str
	status: str
	reason: str
	worked: str = "0:00"
	overtime: str = "0:00"
	extra: str = "0:00"
	late: str = "0:00"
	early: str = "0:00"
	breaks: str = "0:00"
	allowances: str = ""
	anomalies: str = ""
	off: str | None = None
	leave: str | None = None
	rules: str = "default"
	as_of: str | None = None
	vouched: str | None = None
	present: bool = False


DAYS = [
	# Punctuality. 09:00 to 17:00 is 8:00.
	Day("on the dot", "day", "09:00 17:00", "on_time", "in_time", "8:00"),
	# 17:05 - 08:55 = 8:10; 17:00 to 17:05 is overtime.
	Day("early and a little over", "day", "08:55 17:05", "on_time", "in_time", "8:10", "0:05"),
	# 17:00 - 09:01 = 7:59
	Day("one minute", "day", "09:01 17:00", "considered", "within_grace", "7:59", late="0:01"),
	# 17:00 - 09:10 = 7:50; ten minutes are within ten minutes.
	Day("the last minute of grace", "day", "09:10 17:00", "considered", "within_grace", "7:50", late="0:10"),
	# 17:00 - 09:11 = 7:49
	Day("a minute too late", "day", "09:11 17:00", "late", "after_grace", "7:49", late="0:11"),
	# 16:50 - 09:00 = 7:50
	Day("leaves within grace", "day", "09:00 16:50", "on_time", "in_time", "7:50", early="0:10"),
	# 16:49 - 09:00 = 7:49
	Day("leaves early", "day", "09:00 16:49", "early_exit", "left_before_end", "7:49", early="0:11"),
	# 16:00 - 10:00 = 6:00; of two faults the first is told.
	Day("late and early", "day", "10:00 16:00", "late", "after_grace", "6:00", late="1:00", early="1:00"),
	# 16:49 - 09:05 = 7:44
	Day(
		"grace and early",
		"day",
		"09:05 16:49",
		"early_exit",
		"left_before_end",
		"7:44",
		late="0:05",
		early="0:11",
	),
	# 17:00 - 10:30 = 6:30, and no rule of lateness.
	Day("nobody is late here", "open", "10:30 17:00", "on_time", "in_time", "6:30", late="1:30"),
	Day("nobody leaves early here", "open", "09:00 15:00", "on_time", "in_time", "6:00", early="2:00"),
	# Thresholds. 4:00 is not below 4:00.
	Day("just enough", "day", "13:00 17:00", "late", "after_grace", "4:00", late="4:00"),
	# 17:00 - 13:01 = 3:59
	Day("half a day", "day", "13:01 17:00", "half_day", "below_half_day", "3:59", late="4:01"),
	# 12:30 - 09:00 = 3:30
	Day(
		"half a day in the morning", "day", "09:00 12:30", "half_day", "below_half_day", "3:30", early="4:30"
	),
	# 2:00 is not below 2:00.
	Day("just not nothing", "day", "09:00 11:00", "half_day", "below_half_day", "2:00", early="6:00"),
	# 10:59 - 09:00 = 1:59
	Day("as good as nothing", "day", "09:00 10:59", "absent", "below_absent", "1:59", early="6:01"),
	Day("no thresholds here", "open", "09:00 09:30", "on_time", "in_time", "0:30", early="7:30"),
	Day("did not come", "day", "", "absent", "no_punch"),
	Day("one punch", "day", "09:00", "absent", "below_absent", anomalies="missing_out"),
	Day("one punch without thresholds", "open", "09:00", "on_time", "in_time", anomalies="missing_out"),
	# Overtime: after 17:00; extra: after 19:00.
	# 18:30 - 09:00 = 9:30; 17:00 to 18:30 = 1:30
	Day("overtime", "day", "09:00 18:30", "on_time", "in_time", "9:30", "1:30"),
	# 19:00 - 09:00 = 10:00; 17:00 to 19:00
	Day("all of overtime", "day", "09:00 19:00", "on_time", "in_time", "10:00", "2:00"),
	# 19:01 - 09:00 = 10:01; a minute after 19:00
	Day("a minute extra", "day", "09:00 19:01", "on_time", "in_time", "10:01", "2:00", "0:01"),
	# 19:59 - 19:00 = 0:59: no snacks yet.
	Day("not yet snacks", "day", "09:00 19:59", "on_time", "in_time", "10:59", "2:00", "0:59"),
	# 20:00 - 19:00 = 1:00
	Day("snacks", "day", "09:00 20:00", "on_time", "in_time", "11:00", "2:00", "1:00", allowances="snacks"),
	# 23:59 - 19:00 = 4:59
	Day(
		"not yet night",
		"day",
		"09:00 23:59",
		"on_time",
		"in_time",
		"14:59",
		"2:00",
		"4:59",
		allowances="snacks",
	),
	# 24:00 - 19:00 = 5:00; 24:00 - 09:00 = 15:00
	Day(
		"night bill",
		"day",
		"09:00 +00:00",
		"on_time",
		"in_time",
		"15:00",
		"2:00",
		"5:00",
		allowances="snacks night_bill",
	),
	# 02:30 next day: 26:30 - 19:00 = 7:30; 26:30 - 09:00 = 17:30
	Day(
		"past midnight",
		"day",
		"09:00 +02:30",
		"on_time",
		"in_time",
		"17:30",
		"2:00",
		"7:30",
		allowances="snacks night_bill",
	),
	# 18:00 - 10:00 = 8:00, overtime 1:00 although late.
	Day("late and over", "day", "10:00 18:00", "late", "after_grace", "8:00", "1:00", late="1:00"),
	# Standard hours of 8:00: 18:00 - 10:00 = 8:00, so nothing is over.
	Day(
		"lateness worked off",
		"day",
		"10:00 18:00",
		"late",
		"after_grace",
		"8:00",
		late="1:00",
		rules="standard",
	),
	# 18:30 - 10:00 = 8:30 = 0:30 over the standard, of 1:30 after 17:00.
	Day(
		"half worked off",
		"day",
		"10:00 18:30",
		"late",
		"after_grace",
		"8:30",
		"0:30",
		late="1:00",
		rules="standard",
	),
	# 20:00 - 11:30 = 8:30 = 0:30 over; after 17:00 were 2:00 + 1:00; the ordinary hours take 2:00 and 0:30.
	Day(
		"extra worked off too",
		"day",
		"11:30 20:00",
		"late",
		"after_grace",
		"8:30",
		"0:00",
		"0:30",
		late="2:30",
		rules="standard",
	),
	# Minimum 0:30: 17:29 is 0:29.
	Day("below the minimum", "day", "09:00 17:29", "on_time", "in_time", "8:29", rules="minimum"),
	Day("at the minimum", "day", "09:00 17:30", "on_time", "in_time", "8:30", "0:30", rules="minimum"),
	# Steps of 30 minutes: 1:29 is 1:00 down, 1:30 nearest (0:29 of 0:30 is over half), 1:30 up.
	Day("rounded down", "day", "09:00 18:29", "on_time", "in_time", "9:29", "1:00", rules="down_30"),
	Day(
		"rounded to the nearest, up",
		"day",
		"09:00 18:29",
		"on_time",
		"in_time",
		"9:29",
		"1:30",
		rules="nearest_30",
	),
	# 1:14 is nearer to 1:00; 1:15 is half a step and counts as one.
	Day(
		"rounded to the nearest, down",
		"day",
		"09:00 18:14",
		"on_time",
		"in_time",
		"9:14",
		"1:00",
		rules="nearest_30",
	),
	Day("half a step", "day", "09:00 18:15", "on_time", "in_time", "9:15", "1:30", rules="nearest_30"),
	Day("rounded up", "day", "09:00 18:01", "on_time", "in_time", "9:01", "1:30", rules="up_30"),
	Day("nothing to round", "day", "09:00 17:00", "on_time", "in_time", "8:00", rules="up_30"),
	# Snacks go by what was worked, not by what rounding made of it: 0:50 rounds up to 1:00.
	Day(
		"no snacks by rounding",
		"day",
		"09:00 19:50",
		"on_time",
		"in_time",
		"10:50",
		"2:00",
		"1:00",
		rules="up_30",
	),
	# Came after 17:00: 20:00 - 17:30 = 2:30; 17:30 to 19:00 and 19:00 to 20:00.
	Day(
		"only the evening",
		"day",
		"17:30 20:00",
		"half_day",
		"below_half_day",
		"2:30",
		"1:30",
		"1:00",
		late="8:30",
		allowances="snacks",
	),
	# A shift that ends at 18:00: 19:30 - 18:00 = 0:30 + 1:00 of which 0:30 after 19:00.
	Day("shift ends at six", "long", "09:00 19:30", "on_time", "in_time", "10:30", "1:00", "0:30"),
	Day("six is no overtime", "long", "09:00 18:00", "on_time", "in_time", "9:00"),
	# The same within the shift allowed: 17:00 to 18:00.
	Day("within the shift", "long", "09:00 18:00", "on_time", "in_time", "9:00", "1:00", rules="within"),
	# evening ends at 20:00, after 19:00: all that follows is extra. 21:00 - 14:00 = 7:00
	Day(
		"ends after extra begins",
		"evening",
		"14:00 21:00",
		"on_time",
		"in_time",
		"7:00",
		"0:00",
		"1:00",
		allowances="snacks",
	),
	# Other borders: 16:00 and 18:00; the shift ends at 17:00. 19:00 - 09:00 = 10:00; 17:00 to 18:00 to 19:00.
	Day(
		"other times of day",
		"day",
		"09:00 19:00",
		"on_time",
		"in_time",
		"10:00",
		"1:00",
		"1:00",
		allowances="snacks",
		rules="four_six",
	),
	# A right to dinner from 0:30 of extra.
	Day(
		"a company's own allowance",
		"day",
		"09:00 19:30",
		"on_time",
		"in_time",
		"10:30",
		"2:00",
		"0:30",
		allowances="dinner",
		rules="dinner",
	),
	# Nights. 22:00 to 06:00 next day is 8:00.
	Day("night", "night", "22:00 +06:00", "on_time", "in_time", "8:00"),
	# 06:15 - 21:50 = 8:25; 0:15 after the end.
	Day("night and a little", "night", "21:50 +06:15", "on_time", "in_time", "8:25", "0:15"),
	# 08:30 - 22:00 = 10:30; two hours overtime to 08:00, then extra.
	Day("night and long", "night", "22:00 +08:30", "on_time", "in_time", "10:30", "2:00", "0:30"),
	# 09:00: extra 1:00
	Day(
		"night with snacks",
		"night",
		"22:00 +09:00",
		"on_time",
		"in_time",
		"11:00",
		"2:00",
		"1:00",
		allowances="snacks",
	),
	# 06:00 - 22:11 = 7:49
	Day("late at night", "night", "22:11 +06:00", "late", "after_grace", "7:49", late="0:11"),
	# 05:00 - 22:00 = 7:00
	Day(
		"leaves the night early",
		"night",
		"22:00 +05:00",
		"early_exit",
		"left_before_end",
		"7:00",
		early="1:00",
	),
	Day("comes after midnight", "night", "+00:30 +06:00", "late", "after_grace", "5:30", late="2:30"),
	Day("a night not worked", "night", "", "absent", "no_punch"),
	# 18:00-02:00 begins after 17:00: overtime from 02:00, extra from 04:00. 05:00 - 18:00 = 11:00
	Day(
		"a shift that begins late",
		"late",
		"18:00 +05:00",
		"on_time",
		"in_time",
		"11:00",
		"2:00",
		"1:00",
		allowances="snacks",
	),
	# Every pair. 12-09 = 3:00, 17-13 = 4:00, break 1:00.
	Day("lunch out", "pairs", "09:00 12:00 13:00 17:00", "on_time", "in_time", "7:00", breaks="1:00"),
	# 10-09, 12-10:15, 17-12:45: 1:00 + 1:45 + 4:15 = 7:00; 0:15 + 0:45
	Day(
		"two breaks",
		"pairs",
		"09:00 10:00 10:15 12:00 12:45 17:00",
		"on_time",
		"in_time",
		"7:00",
		breaks="1:00",
	),
	# 3:00; the third punch has no partner.
	Day(
		"did not come back, it seems",
		"pairs",
		"09:00 12:00 13:00",
		"half_day",
		"below_half_day",
		"3:00",
		anomalies="missing_out",
	),
	# away from 16:00 to 18:00: 7:00 + 18-20 = 2:00 -> 9:00; overtime 18-19, extra 19-20
	Day(
		"back in the evening",
		"pairs",
		"09:00 16:00 18:00 20:00",
		"on_time",
		"in_time",
		"9:00",
		"1:00",
		"1:00",
		breaks="2:00",
		allowances="snacks",
	),
	# gap over 17:00: 16:30-17:30. 7:30 + 1:00 = 8:30; overtime 17:30-18:30 = 1:00
	Day(
		"away at five",
		"pairs",
		"09:00 16:30 17:30 18:30",
		"on_time",
		"in_time",
		"8:30",
		"1:00",
		breaks="1:00",
	),
	# Strict: first IN to last OUT.
	Day("strict", "strict", "09:00i 17:00o", "on_time", "in_time", "8:00"),
	# first IN 09:00, last OUT 17:00 = 8:00
	Day(
		"strict with two ins",
		"strict",
		"09:00i 09:05i 17:00o",
		"on_time",
		"in_time",
		"8:00",
		anomalies="in_after_in",
	),
	Day(
		"strict with two outs",
		"strict",
		"09:00i 16:58o 17:00o",
		"on_time",
		"in_time",
		"8:00",
		anomalies="out_after_out",
	),
	# OUT 08:50 belongs to nobody's IN; 09:00 to 17:00.
	Day(
		"an out before",
		"strict",
		"08:50o 09:00i 17:00o",
		"on_time",
		"in_time",
		"8:00",
		anomalies="missing_in",
	),
	Day("only ins", "strict", "09:00i 17:00i", "absent", "below_absent", anomalies="in_after_in missing_out"),
	Day("only an out", "strict", "17:00o", "absent", "below_absent", anomalies="missing_in"),
	# The last OUT lies before the first IN: no work, not -8:00.
	Day(
		"the wrong way round",
		"strict",
		"09:00o 17:00i",
		"absent",
		"below_absent",
		late="8:00",
		anomalies="missing_in missing_out",
	),
	# 12-09 = 3:00, 17-13 = 4:00
	Day(
		"strict pairs",
		"strict_pairs",
		"09:00i 12:00o 13:00i 17:00o",
		"on_time",
		"in_time",
		"7:00",
		breaks="1:00",
	),
	# The second IN is not heard: 12-09 = 3:00, 17-13 = 4:00
	Day(
		"strict pairs, two ins",
		"strict_pairs",
		"09:00i 09:30i 12:00o 13:00i 17:00o",
		"on_time",
		"in_time",
		"7:00",
		breaks="1:00",
		anomalies="in_after_in",
	),
	# 12-09 = 3:00; the OUT is the last of a pair; the later IN has none.
	Day(
		"strict pairs, no out",
		"strict_pairs",
		"09:00i 12:00o 13:00i",
		"half_day",
		"below_half_day",
		"3:00",
		early="5:00",
		anomalies="missing_out",
	),
	# Breaks by key. First to last 8:00; the break is told, not taken off.
	Day(
		"break keys told", "day", "09:00i 12:00ob 12:30ib 17:00o", "on_time", "in_time", "8:00", breaks="0:30"
	),
	# 8:00 - 0:30
	Day(
		"break keys taken off",
		"keys",
		"09:00i 12:00ob 12:30ib 17:00o",
		"on_time",
		"in_time",
		"7:30",
		breaks="0:30",
	),
	# 0:30 + 0:15 of breaks, 0:20 of them paid: 8:00 - 0:45 + 0:20 = 7:35
	Day(
		"some of it paid",
		"keys_paid",
		"09:00i 10:00ob 10:15ib 12:00ob 12:30ib 17:00o",
		"on_time",
		"in_time",
		"7:35",
		breaks="0:45",
	),
	# 0:15, all paid.
	Day(
		"all of it paid",
		"keys_paid",
		"09:00i 10:00ob 10:15ib 17:00o",
		"on_time",
		"in_time",
		"8:00",
		breaks="0:15",
	),
	# A break that never ended is none: the OUT at 17:00 ends it. 12-09 = 3:00
	Day(
		"break key and gone",
		"keys",
		"09:00i 12:00ob 17:00o",
		"half_day",
		"below_half_day",
		"3:00",
		breaks="5:00",
		anomalies="out_after_out",
	),
	# 18:30-09:00 = 9:30 - 0:30 (17:30-18:00 off the overtime): overtime 0:30 + 0:30 = 1:00
	Day(
		"break in overtime",
		"keys",
		"09:00i 17:30ob 18:00ib 18:30o",
		"on_time",
		"in_time",
		"9:00",
		"1:00",
		breaks="0:30",
	),
	# 8:00 is over 6:00: an hour off.
	Day("lunch by itself", "lunch", "09:00 17:00", "on_time", "in_time", "7:00"),
	# 6:00 is not over 6:00.
	Day(
		"no lunch on a short day",
		"lunch",
		"09:00 15:00",
		"early_exit",
		"left_before_end",
		"6:00",
		early="2:00",
	),
	# 0:40 taken by key (not taken off); 1:00 - 0:40 = 0:20 more: 8:00 - 0:20.
	Day(
		"lunch partly taken",
		"lunch",
		"09:00i 12:00ob 12:40ib 17:00o",
		"on_time",
		"in_time",
		"7:40",
		breaks="0:40",
	),
	# 18:00-09:00 = 9:00 - 1:00 = 8:00; overtime stays 1:00, the hour is taken off the ordinary time.
	Day("lunch and overtime", "lunch", "09:00 18:00", "on_time", "in_time", "8:00", "1:00"),
	# Hours in steps of a quarter, down: 7:49 -> 7:45
	Day("hours rounded", "quarter", "09:11 17:00", "late", "after_grace", "7:45", late="0:11"),
	# Days off: all of it is overtime, up to 19:00. 13:00 - 09:00 = 4:00
	Day("holiday", "day", "", "holiday", "day_off", off="holiday"),
	Day("weekly off", "day", "", "weekly_off", "day_off", off="weekly_off"),
	Day(
		"work on a holiday",
		"day",
		"09:00 13:00",
		"holiday",
		"day_off",
		"4:00",
		"4:00",
		off="holiday",
		anomalies="punch_on_day_off",
	),
	# 09:00 to 19:00 = 10:00 overtime, 19:00 to 20:30 = 1:30 extra.
	Day(
		"long work on a weekly off",
		"day",
		"09:00 20:30",
		"weekly_off",
		"day_off",
		"11:30",
		"10:00",
		"1:30",
		off="weekly_off",
		allowances="snacks",
		anomalies="punch_on_day_off",
	),
	# As on any other day: 17:00 to 18:00.
	Day(
		"a holiday as usual",
		"day",
		"09:00 18:00",
		"holiday",
		"day_off",
		"9:00",
		"1:00",
		off="holiday",
		rules="as_usual",
		anomalies="punch_on_day_off",
	),
	Day(
		"nobody is late on a holiday",
		"day",
		"11:00 12:00",
		"holiday",
		"day_off",
		"1:00",
		"1:00",
		off="holiday",
		anomalies="punch_on_day_off",
	),
	# Leave.
	Day("leave", "day", "", "on_leave", "leave", leave="full"),
	Day(
		"leave and yet here",
		"day",
		"09:00 17:00",
		"on_leave",
		"leave",
		"8:00",
		leave="full",
		anomalies="punch_on_leave",
	),
	# Half a holiday: half of each threshold, 2:00 for half a day and 1:00 for any; neither late nor early.
	# 13:00 - 09:00 = 4:00
	Day("half a holiday", "day", "09:00 13:00", "on_time", "half_off", "4:00", off="half_holiday"),
	# 17:00 - 15:00 = 2:00 is not below 4:00 / 2 = 2:00.
	Day(
		"half a holiday, just enough", "day", "15:00 17:00", "on_time", "half_off", "2:00", off="half_holiday"
	),
	# 10:59 - 09:00 = 1:59 is below 2:00.
	Day(
		"half a holiday, a minute short",
		"day",
		"09:00 10:59",
		"half_day",
		"below_half_day",
		"1:59",
		off="half_holiday",
	),
	# 10:00 - 09:00 = 1:00 is not below 2:00 / 2 = 1:00.
	Day(
		"half a holiday, just not nothing",
		"day",
		"09:00 10:00",
		"half_day",
		"below_half_day",
		"1:00",
		off="half_holiday",
	),
	# 9:59 - 9:00 = 0:59
	Day(
		"half a holiday, as good as nothing",
		"day",
		"09:00 09:59",
		"absent",
		"below_absent",
		"0:59",
		off="half_holiday",
	),
	# HRMS marks nobody absent who does not come.
	Day("half a holiday, not come", "day", "", "holiday", "half_off", off="half_holiday"),
	Day("half a weekly off, not come", "day", "", "weekly_off", "half_off", off="half_weekly_off"),
	Day("half a weekly off", "day", "13:00 17:00", "on_time", "half_off", "4:00", off="half_weekly_off"),
	# 18:30 - 13:00 = 5:30; overtime as on any day: 17:00 to 18:30 = 1:30.
	Day(
		"half a holiday, and longer",
		"day",
		"13:00 18:30",
		"on_time",
		"half_off",
		"5:30",
		"1:30",
		off="half_holiday",
	),
	# Until 18:00 somebody may come for the second half.
	Day("half a holiday, may come", "day", "", "expected", "not_begun", off="half_holiday", as_of="16:00"),
	# It closes at 18:00, and a terminal may still hold a punch: nobody is missing.
	Day(
		"half a holiday, over and not vouched for",
		"day",
		"",
		"holiday",
		"half_off",
		off="half_holiday",
		as_of="20:00",
		vouched="12:00",
	),
	Day("half a holiday, has come", "day", "13:00", "on_time", "half_off", off="half_holiday", as_of="16:00"),
	Day("leave on half a holiday", "day", "", "on_leave", "leave", leave="full", off="half_holiday"),
	Day("half leave, half holiday", "day", "", "half_day", "half_leave", leave="half", off="half_holiday"),
	# 0:30 is below 1:00.
	Day(
		"half leave, half holiday, hardly there",
		"day",
		"09:00 09:30",
		"half_day",
		"half_leave_half_absent",
		"0:30",
		leave="half",
		off="half_holiday",
	),
	Day("half a holiday without a shift", None, "", "holiday", "half_off", off="half_holiday"),
	Day("present on half a holiday", "day", "", "present", "by_hand", present=True, off="half_holiday"),
	Day("leave on a holiday", "day", "", "on_leave", "leave", leave="full", off="holiday"),
	# 17:00 - 13:00 = 4:00; late_by is told, and is no fault.
	Day(
		"half a day of leave",
		"day",
		"13:00 17:00",
		"half_day",
		"half_leave",
		"4:00",
		late="4:00",
		leave="half",
	),
	Day(
		"half a day of leave, the rest missed", "day", "", "half_day", "half_leave_half_absent", leave="half"
	),
	# 1:30 is below 2:00.
	Day(
		"half a day of leave, hardly there",
		"day",
		"13:00 14:30",
		"half_day",
		"half_leave_half_absent",
		"1:30",
		late="4:00",
		early="2:30",
		leave="half",
	),
	# Somebody has said so.
	Day("present without a punch", "day", "", "present", "by_hand", present=True),
	Day("present without a punch on a holiday", "day", "", "present", "by_hand", present=True, off="holiday"),
	Day("present, and late", "day", "09:30 17:00", "late", "after_grace", "7:30", late="0:30", present=True),
	Day("on leave after all", "day", "", "on_leave", "leave", present=True, leave="full"),
	# No shift at all.
	Day("nothing agreed", None, "", "not_scheduled", "no_shift"),
	# 18:00 - 09:00 = 9:00; after 17:00 = 1:00
	Day("no shift but here", None, "09:00 18:00", "on_time", "no_shift", "9:00", "1:00"),
	Day("half leave without a shift", None, "", "half_day", "half_leave", leave="half"),
	Day(
		"no shift on a weekly off",
		None,
		"10:00 12:00",
		"weekly_off",
		"day_off",
		"2:00",
		"2:00",
		off="weekly_off",
		anomalies="punch_on_day_off",
	),
	# Repetitions count once: 8:00.
	Day("a punch twice", "day", "09:00 09:00 17:00 17:00", "on_time", "in_time", "8:00"),
	Day(
		"a punch twice in pairs",
		"pairs",
		"09:00 12:00 12:00 13:00 17:00",
		"on_time",
		"in_time",
		"7:00",
		breaks="1:00",
	),
	Day("a punch twice, strict", "strict", "09:00i 09:00i 17:00o", "on_time", "in_time", "8:00"),
	# While the day runs.
	Day("before the start", "day", "", "expected", "not_begun", as_of="08:30"),
	Day("within grace", "day", "", "expected", "not_begun", as_of="09:10"),
	Day("should be here", "day", "", "missing", "not_come", as_of="09:11"),
	Day("not absent before it is over", "day", "", "missing", "not_come", as_of="17:30"),
	# The terminals were read up to 08:00 only.
	Day("nobody is absent unread", "day", "", "missing", "not_come", as_of="20:00", vouched="08:00"),
	Day("unread before the start", "day", "", "expected", "not_begun", as_of="08:30", vouched="07:00"),
	Day("half leave, unread", "day", "", "missing", "not_come", as_of="18:01", vouched="08:00", leave="half"),
	# The day shift closes at 18:00.
	Day("over", "day", "", "absent", "no_punch", as_of="18:00"),
	Day("in now", "day", "08:59i", "on_time", "in_time", as_of="11:00"),
	Day("in now, late", "day", "09:30i", "late", "after_grace", as_of="11:00", late="0:30"),
	# 12:00 - 09:00 = 3:00: not yet half a day, not yet gone early.
	Day("at lunch", "day", "09:00i 12:00o", "on_time", "in_time", "3:00", early="5:00", as_of="12:30"),
	Day("half leave, may come at noon", "day", "", "expected", "not_begun", as_of="12:00", leave="half"),
	# Without a shift the day is over at midnight.
	Day("no shift, in now", None, "09:00i", "on_time", "no_shift", as_of="23:59"),
	Day(
		"no shift, never left", None, "09:00i", "on_time", "no_shift", anomalies="missing_out", as_of="+00:00"
	),
	Day("on leave all along", "day", "", "on_leave", "leave", as_of="08:00", leave="full"),
]
