# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench import (
	background,
	clock_guard,
	devices,
	driver_options,
	messages,
	push_clock,
	push_settings,
	read_wishes,
)
from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.relay import EDGE_CAMERA

_CONNECTION_FIELDS = ("driver", "device_ip", "port", "device_user", "driver_options", "edge_agent", "enabled")


class DeviceConfiguration(Document):
	"""A terminal: how to reach it, what it stands for, and what was last seen of it.

	The state fields are written by `bench.devices` beside the form, without a new version of the document.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from attendance_bridge.attendance_bridge.doctype.device_shift.device_shift import DeviceShift

		accepted_at: DF.Datetime | None
		branch: DF.Link | None
		capacity: DF.Int
		clock_doubt_from: DF.Datetime | None
		clock_doubt_offset: DF.Float
		clock_doubt_until: DF.Datetime | None
		clock_good_until: DF.Datetime | None
		clock_offset: DF.Float
		clock_read_at: DF.Datetime | None
		company: DF.Link | None
		count_here: DF.Int
		count_there: DF.Int
		count_wish: DF.SmallText | None
		counted_at: DF.Datetime | None
		cursor: DF.SmallText | None
		device_ip: DF.Data | None
		device_name: DF.Data
		device_role: DF.Literal["As the key says", "In", "Out", "Both"]
		device_user: DF.Data | None
		device_user_password: DF.Password | None
		driver: DF.Autocomplete
		driver_options: DF.JSON | None
		edge_agent: DF.Link | None
		enabled: DF.Check
		failures: DF.Int
		firmware: DF.Data | None
		gap: DF.Int
		gap_since: DF.Datetime | None
		last_contact: DF.Datetime | None
		last_error: DF.SmallText | None
		last_error_code: DF.Data | None
		last_pull: DF.Datetime | None
		latitude: DF.Float
		listener_arrival: DF.Datetime | None
		listener_hash: DF.Data | None
		listener_set_at: DF.Datetime | None
		listener_state: DF.Literal["", "Set Up", "Not Kept", "Delivers", "Silent"]
		listener_words: DF.SmallText | None
		live: DF.Check
		longitude: DF.Float
		major: DF.Int
		minor: DF.Int
		model: DF.Data | None
		open_until: DF.Datetime | None
		poll_interval: DF.Int
		port: DF.Int
		posts: DF.Check
		push: DF.Check
		push_clock: DF.SmallText | None
		push_dialect: DF.Data | None
		push_late_at: DF.Datetime | None
		push_networks: DF.SmallText | None
		push_offset_minutes: DF.Int
		push_peer: DF.Data | None
		push_sightings: DF.SmallText | None
		push_since: DF.Datetime | None
		push_stamps: DF.SmallText | None
		push_told_at: DF.Datetime | None
		push_token: DF.Password | None
		push_trouble: DF.Data | None
		push_trouble_at: DF.Datetime | None
		read_wanted_at: DF.Datetime | None
		records_on_device: DF.Int
		road: DF.Literal["Direct", "Relayed", "Push"]
		serial_number: DF.Data | None
		shifts: DF.TableMultiSelect[DeviceShift]
		time_zone: DF.Autocomplete
		user_id_prefix: DF.Data | None
		watermark: DF.Datetime | None
	# end: auto-generated types

	def validate(self) -> None:
		self.check_place()
		self._check_driver()
		self._check_camera()
		self._check_connection()
		push_settings.check_gate(self, "push_networks")

	def before_save(self) -> None:
		self._keep_state()
		self.road = devices.road_of(self.driver, self.edge_agent)
		if self.is_new() or self._connection_changed():
			self._close_breaker()

	def on_update(self) -> None:
		self._follow_time_zone()
		moved = self.has_value_changed("edge_agent") or self.has_value_changed("enabled")
		if moved and self.read_wanted_at:
			self.read_wanted_at = None
			read_wishes.withdraw(self.name)

	def _follow_time_zone(self) -> None:
		"""What is held of this terminal was timed by the former zone, and its clock was judged by it."""
		held = self.get_doc_before_save()
		if held is not None and held.time_zone and held.time_zone != self.time_zone:
			clock_guard.forget(self.name)
			push_clock.forget(self.name)
			background.queue_rezone(self.name, held.time_zone, self.time_zone)

	def check_place(self) -> None:
		"""Check where it hangs and how often it is read.

		:raises frappe.ValidationError: with the label of the field.
		"""
		try:
			devices.parse_place(self)
		except ConfigError as error:
			self._refuse(error)

	def _check_driver(self) -> None:
		if self.driver not in driver_options.names():
			frappe.throw(
				_("There is no driver {0}. Known: {1}.").format(
					frappe.bold(frappe.utils.escape_html(self.driver or "")),
					", ".join(driver_options.names()),
				)
			)

	def _check_camera(self) -> None:
		"""The camera of an agent has no address: it is its agent's, and an agent has one."""
		if self.driver != EDGE_CAMERA:
			return
		if not self.edge_agent:
			frappe.throw(
				_("The camera of an Edge Agent needs that agent: choose it in the field {0}.").format(
					frappe.bold(_(self.meta.get_label("edge_agent")))
				)
			)
		wanted = {"driver": EDGE_CAMERA, "edge_agent": self.edge_agent, "name": ("!=", self.name or "")}
		other = frappe.db.get_value(self.doctype, wanted)
		if other:
			frappe.throw(
				_("{0} is the camera of the Edge Agent {1} already. An agent has one.").format(
					frappe.bold(frappe.utils.escape_html(other)),
					frappe.bold(frappe.utils.escape_html(self.edge_agent)),
				)
			)
		self.device_ip = self.device_user = None
		self.port = 0

	def _check_connection(self) -> None:
		"""Exactly what the driver itself will be given is parsed, so that what is saved can be opened."""
		try:
			self.driver_options = driver_options.normalise(self.driver, self.driver_options)
			config = driver_options.parse(self, devices.password_of(self))
		except ConfigError as error:
			self._refuse(error)
		else:
			self.device_ip = getattr(config, "host", self.device_ip)

	def _refuse(self, error: ConfigError) -> None:
		frappe.throw(messages.config_sentence(error, self.driver), title=_("Invalid Configuration"))

	def _connection_changed(self) -> bool:
		password_typed = bool(self.device_user_password) and not self.is_dummy_password(
			self.device_user_password
		)
		return password_typed or any(self.has_value_changed(field) for field in _CONNECTION_FIELDS)

	def _keep_state(self) -> None:
		"""What a form brings of the state is as old as the form."""
		held = self.get_doc_before_save()
		for field in self.meta.get("fields", {"read_only": 1}) if held else ():
			self.set(field.fieldname, held.get(field.fieldname))

	def _close_breaker(self) -> None:
		"""What was corrected is tried at once, except on a terminal that is locked: it goes by the clock."""
		if self.last_error_code == Code.LOCKED_OUT.value and not self.has_value_changed("device_ip"):
			return
		self.failures = 0
		self.open_until = None
		self.last_error_code = self.last_error = None
