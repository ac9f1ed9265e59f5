"""Who reads facts off what happened, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import SettingsError

if TYPE_CHECKING:
    from ..core.ports import FactExtractor
    from ..slm.language.metered import Metered


def choose_extractors(mode: str, language: Metered | None) -> tuple[FactExtractor, ...]:
    """Return what reads facts, the rules last because they always can; nothing where ``mode`` is off.

    Raises:
        SettingsError: a model is to read them, and none is set.
    """
    if mode == "off":
        return ()
    from ..slm.facts.rules import RuleExtractor

    if mode == "rules" or (mode == "auto" and language is None):
        return (RuleExtractor(),)
    if language is None:
        raise SettingsError(
            "PALIMPSEST_FACTS is model, but no language model is set; set PALIMPSEST_SLM_BASE_URL or "
            "PALIMPSEST_SUMMARIZER, or use PALIMPSEST_FACTS=rules."
        )
    from ..slm.facts.model import ModelExtractor

    return ModelExtractor(language), RuleExtractor()
