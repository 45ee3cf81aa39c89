"""What site and agent tell each other about terminals, on the wire; see docs/protocols/agent-api.md."""

from __future__ import annotations

from attendance_bridge import __version__
from attendance_bridge.core.relay import (
	MOST_COUNTED_SPANS,
	Assignment,
	CountReport,
	CountWish,
	DeviceReport,
	Heartbeat,
	Orders,
	PostsReport,
	RelayedDevice,
	RelayRules,
	Scan,
	ScanReport,
)
from attendance_bridge.upstreams.frappe_bridge.fields import (
	Json,
	flag_of,
	number_of,
	read_list,
	read_moment,
	read_object,
	spell_moment,
	text_of,
)

DEVICES = "/api/method/attendance_bridge.api.edge.devices"
HEARTBEAT = "/api/method/attendance_bridge.api.edge.heartbeat"
UNREADABLE = "/api/method/attendance_bridge.api.ingest.unreadable"
MAX_DEVICES = 2_000
MAX_NETWORKS = 16


def read_assignment(message: object) -> Assignment:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	answer = read_object(message)
	rules = read_object(answer.get("rules", {}))
	rows = read_list(answer.get("devices"), MAX_DEVICES)
	return Assignment(
		revision=text_of(answer, "revision"),
		devices=tuple(_read_device(read_object(row)) for row in rows),
		rules=RelayRules(
			clock_tolerance_seconds=number_of(rules, "clock_tolerance_seconds", 120),
			correct_clocks=flag_of(rules, "correct_clocks"),
			largest_correction_seconds=_bound(rules),
		),
	)


def _bound(rules: Json) -> float | None:
	seconds = number_of(rules, "largest_correction_seconds", -1.0)
	return None if seconds < 0 else seconds


def _read_device(row: Json) -> RelayedDevice:
	return RelayedDevice(
		name=text_of(row, "name", needed=True),
		driver=text_of(row, "driver"),
		enabled=flag_of(row, "enabled"),
		serial=text_of(row, "serial"),
		time_zone=text_of(row, "time_zone"),
		role=text_of(row, "role"),
		user_id_prefix=text_of(row, "user_id_prefix"),
		poll_seconds=number_of(row, "poll_seconds", 60),
		options=read_object(row.get("options", {})),
		live=flag_of(row, "live"),
		posts=flag_of(row, "posts"),
	)


def spell_heartbeat(beat: Heartbeat) -> Json:
	return {
		"version": __version__,
		"waiting": beat.waiting,
		"oldest_waiting": spell_moment(beat.oldest_waiting),
		"revision": beat.revision,
		"devices": [_spell_report(report) for report in beat.devices],
		"found": _spell_found(beat.found) if beat.found else None,
		"disk_free_bytes": beat.disk_free_bytes,
	}


def _spell_found(found: ScanReport) -> Json:
	return {
		"token": found.token,
		"addresses": found.addresses,
		"terminals": [
			{
				"serial": each.serial,
				"host": each.host,
				"port": each.port,
				"driver": each.driver,
				"model": each.model,
				"firmware": each.firmware,
				"wants_key": each.wants_key,
			}
			for each in found.terminals
		],
		"error": found.error,
	}


def _spell_report(report: DeviceReport) -> Json:
	trouble = report.trouble
	return {
		"name": report.name,
		"serial": report.serial,
		"model": report.model,
		"firmware": report.firmware,
		"last_contact": spell_moment(report.last_contact),
		"last_pull": spell_moment(report.last_pull),
		"watermark": spell_moment(report.watermark),
		"clock_offset_seconds": report.clock_offset_seconds,
		"clock_good_until": spell_moment(report.clock_good_until),
		"punches_held": report.punches_held,
		"punch_capacity": report.punch_capacity,
		"live": report.live
		and {
			"standing": report.live.standing,
			"since": spell_moment(report.live.since),
			"event_at": spell_moment(report.live.event_at),
			"gaps": report.live.gaps,
		},
		"counted": report.counted and _spell_counted(report.counted),
		"posts": report.posts and _spell_posts(report.posts),
		"error": trouble
		and {
			"code": trouble.code,
			"at": spell_moment(trouble.at),
			"failures": trouble.failures,
			"open_until": spell_moment(trouble.open_until),
		},
	}


def _spell_counted(counted: CountReport) -> Json:
	return {
		"token": counted.token,
		"total": counted.total,
		"spans": [{"there": there} for there in counted.spans],
		"read_again": counted.read_again,
	}


def _spell_posts(posts: PostsReport) -> Json:
	return {
		"delivery": posts.delivery,
		"told_at": spell_moment(posts.told_at),
		"arrived_at": spell_moment(posts.arrived_at),
		"not_kept": list(posts.not_kept),
		"reaches_us": posts.reaches_us,
		"code": posts.code,
	}


def read_orders(message: object) -> Orders:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	answer = read_object(message)
	wanted = read_list(answer.get("read_now", []), MAX_DEVICES)
	return Orders(
		now=read_moment(answer.get("now")),
		revision=text_of(answer, "revision"),
		read_now=tuple(str(name) for name in wanted),
		scan=_read_scan(answer.get("scan")),
		counts=tuple(_read_count(each) for each in read_list(answer.get("counts", []), MAX_DEVICES)),
	)


def _read_count(value: object) -> CountWish:
	wanted = read_object(value)
	spans = [read_object(each) for each in read_list(wanted.get("spans"), MOST_COUNTED_SPANS)]
	return CountWish(
		token=text_of(wanted, "token", needed=True),
		name=text_of(wanted, "name", needed=True),
		spans=tuple((read_moment(each.get("start")), read_moment(each.get("end"))) for each in spans),
		again=flag_of(wanted, "again"),
	)


def _read_scan(value: object) -> Scan | None:
	if value is None:
		return None
	wanted = read_object(value)
	networks = read_list(wanted.get("networks"), MAX_NETWORKS)
	return Scan(
		token=text_of(wanted, "token", needed=True),
		networks=tuple(str(network)[:64] for network in networks),
	)
