"""Planted secrets: made at run time by the forms that their issuers document, so that no scanner trips over this file.

Each kind is a value (random, never a real one) with the name that it usually has; each surrounding is a piece of a file
or of a conversation around it. The surroundings of ``TUNED`` were looked at while the rules were written, those of
``HELD_OUT`` only to report.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
B64 = ALNUM + "+/"
URL64 = ALNUM + "-_"
BASE32 = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with one secret in it, at ``text[start:end]``."""

    kind: str
    surrounding: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of secret: its usual name, and how its value is made.

    ``carrier`` wraps a value that never stands alone (a password in an address).
    """

    name: str
    make: Callable[[random.Random], str]
    carrier: str = "{}"


def some(alphabet: str, size: int, head: str = "", tail: str = "") -> Callable[[random.Random], str]:
    """Return a maker of random values."""
    return lambda rng: head + "".join(rng.choices(alphabet, k=size)) + tail


def parts(*makers: Callable[[random.Random], str], glue: str) -> Callable[[random.Random], str]:
    """Return a maker of values in several parts."""
    return lambda rng: glue.join(make(rng) for make in makers)


def uuid(rng: random.Random) -> str:
    """Return a random UUID."""
    digits = "".join(rng.choices(HEX, k=32))
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def jwt(rng: random.Random) -> str:
    """Return a signed token of three parts."""
    head = _url64(json.dumps({"alg": rng.choice(("HS256", "RS256")), "typ": "JWT"}).encode())
    body = _url64(json.dumps({"sub": str(rng.randrange(10**9)), "iat": rng.randrange(10**9)}).encode())
    return f"{head}.{body}.{_url64(rng.randbytes(32))}"


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def pem(label: str) -> Callable[[random.Random], str]:
    """Return a maker of private keys in PEM form."""

    def make(rng: random.Random) -> str:
        raw = base64.b64encode(rng.randbytes(600)).decode()
        lines = [raw[start : start + 64] for start in range(0, len(raw), 64)]
        return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])

    return make


def human(rng: random.Random) -> str:
    """Return a password as people make them up."""
    word = rng.choice(("Sunflower", "Kestrel", "Marmalade", "Thunder", "Bluebird", "Granite", "Walnut", "Cobalt"))
    return f"{word}{rng.choice('!#$%&*?@')}{rng.randrange(10, 9999)}"


def strong(rng: random.Random) -> str:
    """Return a password as managers make them."""
    return "".join(rng.choices(ALNUM + "!#%*+-_.", k=rng.randrange(14, 28))) + str(rng.randrange(10, 99))


def seed_phrase(rng: random.Random) -> str:
    """Return twelve common words."""
    words = ("abandon", "ability", "anchor", "barrel", "cabin", "dagger", "eager", "fabric", "gadget", "habit", "icon")
    more = ("jacket", "kitchen", "ladder", "magnet", "noble", "oak", "paddle", "quarter", "rabbit", "saddle", "wagon")
    return " ".join(rng.choices(words + more, k=12))


def telegram(rng: random.Random) -> str:
    """Return a bot's token."""
    return f"{rng.randrange(10**9, 10**10)}:AA{''.join(rng.choices(URL64, k=32))}{rng.choice(ALNUM)}"


def discord(rng: random.Random) -> str:
    """Return a bot's token, whose first part is its number."""
    number = _url64(str(rng.randrange(10**17, 10**18)).encode())
    return f"{number}.{''.join(rng.choices(URL64, k=6))}.{''.join(rng.choices(ALNUM, k=38))}"


KINDS: Mapping[str, Kind] = {
    "aws access key id": Kind("AWS_ACCESS_KEY_ID", some(BASE32, 16, "AKIA")),
    "aws secret key": Kind("AWS_SECRET_ACCESS_KEY", some(B64, 39, tail="x")),
    "github token": Kind("GITHUB_TOKEN", some(ALNUM, 36, "ghp_")),
    "github fine-grained token": Kind(
        "GH_TOKEN", parts(some(ALNUM, 22, "github_" + "pat_"), some(ALNUM, 59), glue="_")
    ),
    "gitlab token": Kind("GITLAB_TOKEN", some(URL64, 19, "glpat-", "a")),
    "slack bot token": Kind(
        "SLACK_BOT_TOKEN", parts(some(string.digits, 12, "xoxb-"), some(string.digits, 12), some(ALNUM, 24), glue="-")
    ),
    "slack webhook": Kind(
        "SLACK_WEBHOOK_URL",
        parts(some(UPPER, 8, "T"), some(UPPER, 8, "B"), some(ALNUM, 24), glue="/"),
        "https://hooks.slack" + ".com/services/{}",
    ),
    "stripe live key": Kind("STRIPE_SECRET_KEY", some(ALNUM, 24, "sk_" + "live_")),
    "stripe webhook secret": Kind("STRIPE_WEBHOOK_SECRET", some(ALNUM, 32, "whsec_")),
    "openai project key": Kind("OPENAI_API_KEY", some(URL64, 63, "sk-proj-", "A")),
    "openai key, old": Kind("OPENAI_API_KEY", some(ALNUM, 48, "sk-")),
    "anthropic key": Kind("ANTHROPIC_API_KEY", some(URL64, 93, "sk-ant-api03-", "AA")),
    "google api key": Kind("GOOGLE_MAPS_KEY", some(URL64, 34, "AIza", "Q")),
    "google oauth secret": Kind("GOOGLE_CLIENT_SECRET", some(URL64, 27, "GOCSPX-", "Q")),
    "sendgrid key": Kind("SENDGRID_API_KEY", parts(some(URL64, 22, "SG."), some(ALNUM, 43), glue=".")),
    "twilio key": Kind("TWILIO_API_KEY", some(HEX, 32, "SK")),
    "npm token": Kind("NPM_TOKEN", some(ALNUM, 36, "npm_")),
    "pypi token": Kind("PYPI_TOKEN", some(ALNUM, 120, "pypi-AgEIcHlwaS5vcmc")),
    "docker token": Kind("DOCKER_TOKEN", some(URL64, 26, "dckr_pat_", "z")),
    "hugging face token": Kind("HF_TOKEN", some(string.ascii_letters, 34, "hf_")),
    "digitalocean token": Kind("DO_TOKEN", some(HEX, 64, "dop_v1_")),
    "shopify token": Kind("SHOPIFY_TOKEN", some(HEX, 32, "shpat_")),
    "linear key": Kind("LINEAR_KEY", some(ALNUM, 40, "lin_api_")),
    "notion token": Kind("NOTION_TOKEN", some(ALNUM, 46, "ntn_")),
    "airtable token": Kind("AIRTABLE_PAT", parts(some(ALNUM, 14, "pat"), some(HEX, 64), glue=".")),
    "databricks token": Kind("DATABRICKS_TOKEN", some(HEX, 32, "dapi")),
    "vault token": Kind("VAULT_TOKEN", some(ALNUM, 90, "hvs.")),
    "terraform token": Kind("TFE_TOKEN", parts(some(ALNUM, 14), some(ALNUM, 67), glue=".atlasv1.")),
    "planetscale password": Kind("PSCALE", some(ALNUM, 43, "pscale_pw_")),
    "postman key": Kind("POSTMAN", parts(some(HEX, 24, "PMAK-"), some(HEX, 34), glue="-")),
    "new relic key": Kind("NEW_RELIC", some(UPPER, 27, "NRAK-")),
    "grafana token": Kind("GRAFANA", parts(some(ALNUM, 32, "glsa_"), some(HEX, 8), glue="_")),
    "mailgun key": Kind("MAILGUN", some(HEX, 32, "key-")),
    "mailchimp key": Kind("MAILCHIMP", parts(some(HEX, 32), lambda rng: f"us{rng.randrange(1, 22)}", glue="-")),
    "square token": Kind("SQUARE", some(URL64, 59, "EAAA", "Z")),
    "age key": Kind("AGE", some("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, "AGE-SECRET-KEY-1")),
    "rubygems key": Kind("GEM_HOST_API_KEY", some(HEX, 48, "rubygems_")),
    "groq key": Kind("GROQ", some(ALNUM, 52, "gsk_")),
    "replicate token": Kind("REPLICATE", some(ALNUM, 37, "r8_")),
    "figma token": Kind("FIGMA", some(URL64, 39, "figd_", "b")),
    "atlassian token": Kind("JIRA", some(ALNUM, 180, "ATATT3xFfGF0")),
    "telegram bot token": Kind("TELEGRAM", telegram),
    "discord bot token": Kind("DISCORD", discord),
    "json web token": Kind("SESSION", jwt),
    "private key": Kind("TLS_KEY", pem("RSA PRIVATE" + " KEY")),
    "openssh key": Kind("SSH_KEY", pem("OPENSSH PRIVATE" + " KEY")),
    "azure storage key": Kind(
        "AZURE_STORAGE", some(B64, 86, tail="=="), "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={}"
    ),
    "azure client secret": Kind("AZURE", parts(some(ALNUM, 3), some(ALNUM, 33), glue="8Q~")),
    "database address": Kind("DATABASE_URL", some(ALNUM, 14), "postgresql://app:{}@db.internal:5432/shop"),
    "redis address": Kind("REDIS_URL", some(ALNUM, 22), "redis://:{}@cache:6379/0"),
    "amqp address": Kind("BROKER", human, "amqp://worker:{}@queue/"),
    "heroku key": Kind("HEROKU_API_KEY", uuid),
    "datadog key": Kind("DD_API_KEY", some(HEX, 32)),
    "cloudflare token": Kind("CLOUDFLARE_API_TOKEN", some(URL64, 39, tail="p")),
    "seed phrase": Kind("MNEMONIC", seed_phrase),
    # From here on no rule knows the kind: only the name tells.
    "password, made up": Kind("DB_PASSWORD", human),
    "password, generated": Kind("ADMIN_PASSWORD", strong),
    "passphrase": Kind("GPG_PASSPHRASE", some(LOWER, 24)),
    "signing secret": Kind("SECRET_KEY_BASE", some(HEX, 64)),
    "django secret": Kind("DJANGO_SECRET_KEY", some(LOWER + "!@#%^&*-_=+", 50)),
    "api key of a service that nobody knows": Kind("ACME_API_KEY", some(ALNUM, 32)),
    "client secret": Kind("OIDC_CLIENT_SECRET", some(URL64, 39, tail="d")),
    "webhook token": Kind("DEPLOY_TOKEN", some(LOWER, 20)),
    "encryption key": Kind("FIELD_ENCRYPTION_KEY", some(B64, 42, tail="=")),
    "license key": Kind("ACME_LICENSE_KEY", parts(*(some(UPPER, 5) for _ in range(5)), glue="-")),
    "credential of a robot": Kind("ROBOT_CREDENTIAL", some(ALNUM, 26)),
}
"""Kinds of secrets by name."""

NEIGHBOURS = (
    "LOG_LEVEL=info",
    "retries: 5",
    "# see docs/deploy.md",
    "2026-03-01T10:22:01Z INFO worker started pid=3121",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b",
    "image: registry.local/shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "so I restarted it and the tests were green again",
)


def _camel(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(map(str.title, others))


def _spoken(name: str) -> str:
    return name.lower().replace("_", " ")


TUNED: Mapping[str, Callable[[str, str], str]] = {
    ".env": lambda name, value: f"{name}={value}",
    "yaml": lambda name, value: f"  {name.lower()}: {_lines(value)}",
    "python": lambda name, value: f"{name} = {_string(value)}",
    "json": lambda name, value: json.dumps({"env": "prod", name.lower(): value, "port": 8080}),
    "json, camel case": lambda name, value: json.dumps({_camel(name): value}, indent=2),
    "shell": lambda name, value: f"export {name}='{value}'",
    "docker": lambda name, value: f"docker run -d -e {name}={_flat(value)} acme/shop:1.4",
    "curl": lambda name, value: (
        f'curl -sS -H "{name.title().replace("_", "-")}: {_flat(value)}" https://api.acme.dev/v1/orders'
    ),
    "log": lambda name, value: f"2026-03-01 10:22:03,114 DEBUG config loaded {name.lower()}={_flat(value)}",
    "toml": lambda name, value: f"[service]\n{name.lower()} = {_string(value)}",
    "chat": lambda name, value: f"Sure, the {_spoken(name)} is {value}",
    "markdown": lambda name, value: f"| setting | value |\n|---|---|\n- {_spoken(name)}: `{value}`",
    "javascript": lambda name, value: f"const config = {{ {_camel(name)}: {_string(value)} }};",
    "terraform": lambda name, value: f'variable "x" {{}}\nlocals {{\n  {name.lower()}   = {_string(value)}\n}}',
    "ini": lambda name, value: f"[prod]\n{name.lower()} = {_flat(value)}\ntimeout = 30",
    "java properties": lambda name, value: f"server.port=8080\n{name.lower().replace('_', '.')}={_flat(value)}",
    "xml": lambda name, value: f"<config>\n  <{_camel(name)}>{value}</{_camel(name)}>\n</config>",
    "makefile": lambda name, value: f"{name} ?= {_flat(value)}\nall: build test",
    "rust": lambda name, value: f"let {name.lower()}: &str = {_string(value)};",
}
"""Surroundings that the rules were written with."""

HELD_OUT: Mapping[str, Callable[[str, str], str]] = {
    "kubernetes": lambda name, value: f"kind: Secret\nstringData:\n    {name}: {_string(value)}",
    "workflow": lambda name, value: f"    - run: ./deploy.sh\n      env:\n        {name}: {_lines(value)}",
    "go": lambda name, value: f"const {_camel(name)} = {_string(value)}",
    "ruby": lambda name, value: f"config.{name.lower()} = '{value}'",
    "php": lambda name, value: f"define('{name}', '{value}');",
    "c#": lambda name, value: f"var {_camel(name)} = {_string(value)};",
    "dictionary": lambda name, value: f"settings = dict(debug=False, {name.lower()}={_string(value)})",
    "test of a request": lambda name, value: f'client.post("/login", json={{"{name.lower()}": {_string(value)}}})',
    "message": lambda name, value: f"hi, as promised:\n\n{_spoken(name).capitalize()}: {value}\n\nbest, Kim",
    "sql": lambda name, value: f"INSERT INTO settings (name, value) VALUES ('{name.lower()}', '{value}');",
    "powershell": lambda name, value: f"$env:{name} = '{value}'\nWrite-Host done",
    "helm": lambda name, value: f"helm upgrade shop ./chart --set app.{_camel(name)}={_flat(value)} --wait",
    "ansible": lambda name, value: f"- name: facts\n  set_fact:\n    shop_{name.lower()}: {_string(value)}",
    "traceback": lambda name, value: f'  File "app.py", line 3, in f\nValueError: bad {name.lower()}={value!r}',
}
"""Surroundings that are only reported."""


def _string(value: str) -> str:
    return json.dumps(value) if "\n" not in value else f'"""{value}"""'


def _flat(value: str) -> str:
    return value.replace("\n", "\\n")


def _lines(value: str) -> str:
    return value if "\n" not in value else "|\n" + "\n".join("    " + line for line in value.splitlines())


def plant(seed: int, surroundings: Mapping[str, Callable[[str, str], str]], each: int = 2) -> Iterator[Planted]:
    """Yield every kind in every surrounding, ``each`` times."""
    rng = random.Random(seed)
    for kind, about in KINDS.items():
        for name, around in surroundings.items():
            for _ in range(each):
                yield _planted(rng, kind, about, name, around)


def _planted(
    rng: random.Random, kind: str, about: Kind, surrounding: str, around: Callable[[str, str], str]
) -> Planted:
    value = about.make(rng)
    middle = around(about.name, about.carrier.format(value))
    text = "\n".join((rng.choice(NEIGHBOURS), middle, rng.choice(NEIGHBOURS), ""))
    # A key of several lines is written differently by each surrounding: its first line in base64 stands for it.
    body = value.split("\n")[1] if "\n" in value else value
    written = body if body in text else json.dumps(body)[1:-1]
    start = text.index(written)
    return Planted(kind, surrounding, text, start, start + len(written))
