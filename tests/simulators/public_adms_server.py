"""Run as a program: an ADMS server that this project did not write (django-fingerprint-attendance), with two
pages more to look into it.

    python public_adms_server.py FILE PORT

`/approve?SN=…` lets a terminal in, `/command?SN=…&type=…` queues a command (its payload is the body, JSON),
and `/held` tells all punches, commands and users as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

settings.configure(
	SECRET_KEY="simulated",
	ALLOWED_HOSTS=["*"],
	USE_TZ=True,
	TIME_ZONE="UTC",
	INSTALLED_APPS=[
		"django.contrib.contenttypes",
		"django.contrib.auth",
		"rest_framework",
		"fingerprint_attendance",
	],
	DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
	ROOT_URLCONF=__name__,
	DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
	MIDDLEWARE=[],
	FINGERPRINT_ATTENDANCE={"ADMS_RATE_LIMIT": None},
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from fingerprint_attendance.models import Device, DeviceCommand, DeviceEventLog, Punch  # noqa: E402
from fingerprint_attendance.services.commands import queue_command  # noqa: E402
from fingerprint_attendance.services.devices import approve_device  # noqa: E402


def _approve(request: HttpRequest) -> JsonResponse:
	approve_device(Device.objects.get(serial_number=request.GET["SN"]))
	return JsonResponse({})


@csrf_exempt
def _command(request: HttpRequest) -> JsonResponse:
	device = Device.objects.get(serial_number=request.GET["SN"])
	queue_command(device, request.GET["type"], json.loads(request.body))
	return JsonResponse({})


def _held(_request: HttpRequest) -> JsonResponse:
	fields = ("device__serial_number", "raw_pin", "device_local_time", "verify_mode")
	told = DeviceEventLog.objects.filter(event_type="user_info").values_list("data", flat=True)
	return JsonResponse(
		{
			"punches": list(Punch.objects.values_list(*fields)),
			"commands": list(DeviceCommand.objects.values_list("command_type", "status")),
			"users": [pin for data in told for pin in data["pins"]],
		}
	)


urlpatterns = [
	path("approve", _approve),
	path("command", _command),
	path("held", _held),
	path("", include("fingerprint_attendance.adms.urls")),
]


class _Quiet(WSGIRequestHandler):
	def log_message(self, *_args: Any) -> None:
		pass


if __name__ == "__main__":
	call_command("migrate", verbosity=0)
	with make_server("127.0.0.1", int(sys.argv[2]), get_wsgi_application(), handler_class=_Quiet) as server:
		print("ready", flush=True)  # noqa: T201  # the test waits for it
		server.serve_forever()
