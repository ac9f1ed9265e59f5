"""What language models can hold and what they cost: a JSON file, the user's additions, and look-ups by any name."""

from .budgets import catalogue_budgets
from .card import ModelCard
from .lookup import Choice, ModelCatalogue
from .source import load_catalogue

__all__ = ["Choice", "ModelCard", "ModelCatalogue", "catalogue_budgets", "load_catalogue"]
