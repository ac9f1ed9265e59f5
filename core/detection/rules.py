"""Secrets that tell themselves by their form: each with the letters that it cannot be without.

The forms are those that the issuers document, or that gitleaks and detect-secrets, the usual scanners, look for.
"""

import functools
import re
from dataclasses import dataclass

_B64 = r"[A-Za-z0-9+/]"
_URL64 = r"[A-Za-z0-9_\-]"
_END = r"(?![A-Za-z0-9])"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret.

    Where one of ``literals`` stands, ``pattern`` has to begin, or to lie between ``before`` characters ahead of it and
    ``reach`` characters after it where ``before`` is given; its group 1 is the secret, or all of it where it has no
    group. A lower-case literal is found in any case if ``folded``. Of values
    whose characters have less than ``entropy`` bits each (Shannon) it is taken that they are placeholders.
    """

    kind: str
    literals: tuple[str, ...]
    source: str
    before: int = 0
    reach: int = 400
    entropy: float = 2.5
    folded: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """The pattern, compiled at its first need: a text has the letters of few rules."""
        return _compiled(self.source, re.IGNORECASE if self.folded else 0)


@functools.cache
def _compiled(source: str, flags: int) -> re.Pattern[str]:
    return re.compile(source, flags)


def _prefixed(kind: str, *heads: str, body: str, entropy: float = 2.5) -> Rule:
    """Return the rule of a token that begins with one of ``heads``."""
    choice = "|".join(re.escape(head) for head in heads)
    return Rule(kind, heads, rf"(?<![A-Za-z0-9])(?:{choice}){body}{_END}", entropy=entropy)


def _named(kind: str, *names: str, body: str, entropy: float = 3.0) -> Rule:
    """Return the rule of a value without a form of its own, which the name of its issuer stands before."""
    choice = "|".join(names)
    source = (
        rf"(?:{choice})[\w.\- ]{{0,40}}[\"'`\]]{{0,3}}\s{{0,3}}"
        rf"(?::\s?[&\w<>]{{1,20}}\s?)??(?:=>|[:?]?=|:|,|>|\sis\s|\s)\s{{0,3}}"
        rf"[\"'`(\[]{{0,3}}({body}){_END}"
    )
    return Rule(kind, names, source, entropy=entropy, folded=True)


PREFIXED = (
    _prefixed("aws-access-key-id", "AKIA", "ASIA", "ABIA", "ACCA", body=r"[A-Z2-7]{16}"),
    _prefixed("github-token", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", body=r"[A-Za-z0-9]{36,255}"),
    _prefixed("github-token", "github_pat_", body=r"[A-Za-z0-9_]{60,100}"),
    _prefixed("gitlab-token", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", body=rf"{_URL64}{{20,60}}"),
    _prefixed("slack-token", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", body=r"[A-Za-z0-9\-]{20,250}"),
    _prefixed("slack-token", "xapp-", body=r"\d-[A-Z0-9]+-\d+-[a-f0-9]{40,80}"),
    _prefixed("stripe-key", "sk_live_", "rk_live_", "sk_test_", "rk_test_", body=r"[A-Za-z0-9]{20,250}"),
    _prefixed("stripe-webhook-secret", "whsec_", body=rf"{_B64}{{24,80}}={{0,2}}"),
    _prefixed("openai-key", "sk-proj-", "sk-svcacct-", "sk-admin-", body=rf"{_URL64}{{20,250}}"),
    _prefixed("openai-key", "sk-", body=r"[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    _prefixed("openai-key", "sk-", body=r"[A-Za-z0-9]{40,64}", entropy=3.5),
    _prefixed("anthropic-key", "sk-ant-", body=rf"{_URL64}{{40,200}}"),
    _prefixed("google-api-key", "AIza", body=rf"{_URL64}{{35}}"),
    _prefixed("google-oauth-secret", "GOCSPX-", body=rf"{_URL64}{{28}}"),
    _prefixed("google-oauth-token", "ya29.", body=rf"{_URL64}{{30,400}}"),
    _prefixed("sendgrid-key", "SG.", body=rf"{_URL64}{{16,32}}\.{_URL64}{{30,64}}"),
    _prefixed("twilio-key", "SK", "AC", body=r"[0-9a-f]{32}", entropy=3.0),
    _prefixed("npm-token", "npm_", body=r"[A-Za-z0-9]{36}"),
    _prefixed("pypi-token", "pypi-AgE", body=rf"{_URL64}{{50,300}}"),
    _prefixed("docker-token", "dckr_pat_", "dckr_oat_", body=rf"{_URL64}{{20,60}}"),
    _prefixed("huggingface-token", "hf_", "api_org_", body=r"[A-Za-z]{34}", entropy=3.0),
    _prefixed("digitalocean-token", "dop_v1_", "doo_v1_", "dor_v1_", body=r"[a-f0-9]{64}"),
    _prefixed("shopify-token", "shpat_", "shpca_", "shppa_", "shpss_", body=r"[a-fA-F0-9]{32}"),
    _prefixed("linear-key", "lin_api_", "lin_oauth_", body=r"[A-Za-z0-9]{32,64}"),
    _prefixed("notion-token", "ntn_", "secret_", body=r"[A-Za-z0-9]{40,50}", entropy=3.5),
    _prefixed("airtable-token", "pat", body=r"[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    _prefixed("databricks-token", "dapi", body=r"[a-f0-9]{32}(?:-\d)?", entropy=3.0),
    _prefixed("vault-token", "hvs.", "hvb.", "hvr.", body=rf"{_URL64}{{24,300}}"),
    _prefixed("doppler-token", "dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", body=r"(?:[a-z0-9\-]+\.)?[A-Za-z0-9]{40,44}"),
    _prefixed("planetscale-token", "pscale_tkn_", "pscale_pw_", "pscale_oauth_", body=r"[A-Za-z0-9_\-.=]{32,64}"),
    _prefixed("postman-key", "PMAK-", body=r"[a-f0-9]{24}-[a-f0-9]{34}"),
    _prefixed("new-relic-key", "NRAK-", body=r"[A-Z0-9]{27}"),
    _prefixed("new-relic-key", "NRJS-", "NRII-", body=rf"{_URL64}{{19,32}}"),
    _prefixed("grafana-token", "glsa_", body=r"[A-Za-z0-9]{32}_[a-fA-F0-9]{8}"),
    _prefixed("grafana-token", "glc_", body=rf"{_B64}{{32,400}}={{0,2}}"),
    _prefixed("mailgun-key", "key-", body=r"[a-f0-9]{32}", entropy=3.0),
    _prefixed("square-token", "EAAA", body=rf"{_URL64}{{60}}"),
    _prefixed("square-token", "sq0atp-", "sq0csp-", body=rf"{_URL64}{{22,60}}"),
    _prefixed("facebook-token", "EAA", body=r"[A-Za-z0-9]{80,300}", entropy=3.5),
    _prefixed("dropbox-token", "sl.", body=rf"{_URL64}{{100,400}}"),
    _prefixed("alibaba-key-id", "LTAI", body=r"[A-Za-z0-9]{16,20}", entropy=3.0),
    _prefixed("tencent-key-id", "AKID", body=r"[A-Za-z0-9]{32}", entropy=3.0),
    _prefixed("artifactory-key", "AKCp", body=r"[A-Za-z0-9]{69}"),
    _prefixed("age-key", "AGE-SECRET-KEY-1", body=r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _prefixed("pulumi-token", "pul-", body=r"[a-f0-9]{40}"),
    _prefixed("rubygems-key", "rubygems_", body=r"[a-f0-9]{48}"),
    _prefixed("crates-token", "cio", body=r"[A-Za-z0-9]{32}", entropy=3.5),
    _prefixed("perplexity-key", "pplx-", body=r"[A-Za-z0-9]{48}"),
    _prefixed("groq-key", "gsk_", body=r"[A-Za-z0-9]{52}"),
    _prefixed("xai-key", "xai-", body=r"[A-Za-z0-9]{60,100}"),
    _prefixed("replicate-token", "r8_", body=r"[A-Za-z0-9]{37}"),
    _prefixed("langsmith-key", "lsv2_pt_", "lsv2_sk_", body=r"[a-f0-9]{32}_[a-f0-9]{10}"),
    _prefixed("supabase-key", "sbp_", "sb_secret_", body=rf"{_URL64}{{30,60}}"),
    _prefixed("figma-token", "figd_", body=rf"{_URL64}{{40}}"),
    _prefixed("atlassian-token", "ATATT3", "ATCTT3", body=r"[A-Za-z0-9_\-=]{50,250}"),
    _prefixed("sentry-token", "sntrys_", "sntryu_", body=r"[A-Za-z0-9+/=_]{40,300}"),
    _prefixed("fly-token", "fo1_", "fm2_", "FlyV1 fm", body=r"[A-Za-z0-9+/=_,\-]{40,800}"),
    _prefixed("telegram-webhook", "bot", body=r"\d{8,10}:[A-Za-z0-9_\-]{35}"),
    _prefixed("brevo-key", "xkeysib-", body=r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _prefixed("flutterwave-key", "FLWSECK_TEST-", "FLWSECK-", body=r"[a-h0-9]{32}-X"),
    _prefixed(
        "one-password-key", "A3-", body=r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"
    ),
    _prefixed("one-password-token", "ops_eyJ", body=rf"{_B64}{{100,}}={{0,3}}"),
    _prefixed("jwt", "eyJ", body=rf"{_URL64}{{10,}}\.eyJ{_URL64}{{10,}}\.{_URL64}{{16,}}"),
)
"""Tokens with a head of their own."""

EMBEDDED = (
    Rule(
        "private-key",
        ("-----BEGIN",),
        # With its end; or, where that is cut off, as far as lines of base64 go.
        r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[A-Za-z0-9+/=:,.\s\\\"'>|]|-(?!----)){40,20000}+-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:[\s\\nr\"'+>|]{0,20}[A-Za-z0-9+/=]{32,}){1,400})",
    ),
    Rule(
        "url-password",
        ("://",),
        r"://[^\s/:@\"'<>{}$]{0,100}:([^\s/@\"'<>{}$%][^\s/\"'<>{}]{2,200})@[A-Za-z0-9\[]",
        entropy=1.5,
    ),
    Rule("slack-webhook", ("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{30,80}"),
    Rule(
        "discord-webhook",
        ("/api/webhooks/",),
        r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_\-]{60,80}",
        before=20,
    ),
    Rule("teams-webhook", (".webhook.office.com/",), rf"\.webhook\.office\.com/webhookb2/{_UUID}@{_UUID}/\S{{30,120}}"),
    Rule("telegram-token", (":AA",), r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_\-]{33}(?![A-Za-z0-9_\-])", before=11),
    # The first part is a decimal number in base64, which leaves ten beginnings.
    Rule(
        "discord-token",
        ("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"),
        r"(?<![\w.\-])(?:M[Tjz]|N[DTjz]|O[DT])[A-Za-z0-9_\-]{22,26}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}(?![\w\-])",
        entropy=4.0,
    ),
    Rule("mailchimp-key", ("-us",), r"(?<![a-f0-9])[a-f0-9]{32}-us\d{1,2}(?!\d)", before=32, entropy=3.0),
    Rule("azure-client-secret", ("Q~",), r"(?<![\w~.\-])[\w~.]{3}\dQ~[\w~.\-]{31,34}(?![\w~])", before=4, entropy=3.5),
    Rule("azure-storage-key", ("AccountKey=",), rf"AccountKey=({_B64}{{80,90}}={{0,2}})"),
    Rule("azure-bus-key", ("SharedAccessKey=",), rf"SharedAccessKey=({_B64}{{40,90}}={{0,2}})"),
    Rule("azure-sas", ("sig=",), r"[?&]sig=([A-Za-z0-9%+/]{40,100}(?:%3D|=){1,2})", before=1, entropy=3.5),
    Rule("terraform-token", (".atlasv1.",), r"(?<!\w)[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-=]{60,70}", before=14),
    Rule(
        "http-authorization",
        ("bearer ", "basic ", "token "),
        r"authorization[\"']?\]?\s{0,3}[:=,]\s{0,3}[\"'`]{0,2}(?:bearer|basic|token)\s{1,3}"
        r"([A-Za-z0-9+/_\-.=~]{12,2000})",
        before=30,
        reach=2100,
        entropy=3.0,
        folded=True,
    ),
    Rule(
        "curl-password",
        (" -u ", "--user ", "--password ", "--password=", " -p"),
        r"(?:(?:-u|--user)\s{1,3}[\"']?[\w.@+\-]{1,60}:|(?:mysql|mariadb|sshpass)[^\n]{0,80} -p|--password[= ][\"']?)"
        r"([^\s\"'$:{<(%][^\s\"':]{5,100})(?![\w(])",
        before=80,
        reach=120,
        entropy=2.5,
    ),
    Rule("pgpass", (":5432:",), r":5432:[\w*.\-]{1,60}:[\w.\-]{1,60}:([^\s:]{6,100})", entropy=2.5),
    Rule("netrc-password", ("password ",), r"(?:login|machine)\s+\S{1,80}\s+password\s+(\S{6,100})", before=110),
    Rule(
        "seed-phrase",
        ("mnemonic", "seed phrase", "recovery phrase", "seed_phrase", "recovery_phrase"),
        r"(?:mnemonic|(?:seed|recovery)[_ ]phrase)[\w ]{0,30}[\"']?\s{0,3}"
        r"(?::\s?[&\w]{1,20}\s?)??(?:[:?]?=|:|>|,|\sis\s)\s{0,3}[\"'`]?"
        r"((?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8})\b",
        folded=True,
    ),
)
"""Secrets whose tell-tale letters stand before, after or amid them."""

NAMED = (
    _named("aws-secret-key", "aws", "secret_?access_?key", body=rf"{_B64}{{40}}", entropy=4.0),
    _named("heroku-key", "heroku", body=_UUID),
    _named("datadog-key", "datadog", "dd_api", "dd_app", "dd.api", "dd.app", body=r"[a-f0-9]{40}|[a-f0-9]{32}"),
    _named("cloudflare-key", "cloudflare", "cf_api", body=rf"{_URL64}{{40}}|[a-f0-9]{{37}}", entropy=3.2),
    _named("algolia-key", "algolia", body=r"[a-f0-9]{32}"),
    _named("okta-token", "okta", body=rf"00{_URL64}{{40}}"),
    _named("pagerduty-key", "pagerduty", "pd_api", body=rf"[a-z]\+{_URL64}{{18}}|{_URL64}{{20}}", entropy=3.4),
    _named("snyk-token", "snyk", body=_UUID),
    _named("mapbox-token", "mapbox", body=rf"[ps]k\.{_URL64}{{60,}}\.{_URL64}{{20,}}"),
    _named("bitbucket-secret", "bitbucket", body=r"[A-Za-z0-9]{32,64}", entropy=3.3),
    _named("cohere-key", "cohere", "co_api", body=r"[A-Za-z0-9]{40}", entropy=3.8),
    _named("mistral-key", "mistral", body=r"[A-Za-z0-9]{32}", entropy=3.5),
)
"""Values that only their issuer's name gives away."""

RULES = (*PREFIXED, *EMBEDDED, *NAMED)
