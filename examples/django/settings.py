"""Settings of the example: the desk as the application, and as its owner for what an application may not do."""
import os

SECRET_KEY = "not a secret: nothing is signed here"
INSTALLED_APPS = ["desk"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Times are aware and the session's zone is Django's: nothing else may set it, see README.md
USE_TZ = True
TIME_ZONE = "UTC"

_server = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["PGDATABASE"],
    # A server-side cursor outlives no transaction of pgbouncer's
    "DISABLE_SERVER_SIDE_CURSORS": True,
    # Made by createdb and CREATE EXTENSION once; each run of the tests gets a copy
    "TEST": {"TEMPLATE": os.environ.get("DESK_TEMPLATE", "desk_template")},
}
DATABASES = {
    "default": {**_server, "USER": os.environ["PGUSER"]},
    # Who migrates, loads fixtures and reads the schema. inspectdb sees the tables that search_path leads to.
    "owner": {
        **_server,
        "USER": os.environ.get("DESK_OWNER", os.environ["PGUSER"]),
        "OPTIONS": {} if os.environ.get("DESK_POOLED") else {"options": "-c search_path=public,support"},
    },
}
