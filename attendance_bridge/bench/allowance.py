"""How often somebody may call in a minute, over all processes of the site: counted in Redis."""

from __future__ import annotations

import hashlib
import time

import frappe
from redis.exceptions import RedisError

_MINUTE = 60


def take(caller: str, limit: int) -> bool:
	"""Whether this call is within what a caller may do in the present minute.

	Where Redis does not answer everybody may call: it counts, and keeps nobody out by itself.

	:param caller: any text, such as an address.
	"""
	digest = hashlib.sha256(caller.encode("utf-8", "replace")).hexdigest()[:32]
	key = frappe.cache.make_key(f"attendance_bridge:calls:{int(time.time()) // _MINUTE}:{digest}")
	try:
		calls = int(frappe.cache.incrby(key, 1))
		if calls == 1:
			frappe.cache.expire(key, 2 * _MINUTE)
	except RedisError:
		return True
	return calls <= limit
