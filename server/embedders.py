"""Embedders of other settings than the present ones: what a memory's vectors were made by before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import SettingsError

if TYPE_CHECKING:
    from ..core.models import Space
    from ..core.ports import Embedder
    from .settings import Settings


def former_embedder(settings: Settings, space: Space) -> Embedder | None:
    """Return the embedder of a space that other settings made, None where these cannot run it; nothing is loaded yet.

    The bundled model always can be. A model of an endpoint can while the endpoint is set, or the model's own settings
    are still there; texts go to no address that is not set. A sentence-transformers model can where that is installed.
    """
    from ..slm.embeddings.minilm import MODEL_ID, UNTURNED_MODEL_ID, MiniLMEmbedder

    if space.model_id == MODEL_ID:
        return MiniLMEmbedder()
    if space.model_id == UNTURNED_MODEL_ID:
        return MiniLMEmbedder(axes=None)
    maker, _, name = space.model_id.partition("/")
    if maker == "openai":
        return _endpoint(settings, name.removesuffix(f"/{space.dimensions}"), space.dimensions)
    if maker == "sentence-transformers":
        from ..slm.embeddings.sentence import SentenceTransformersEmbedder

        try:
            return SentenceTransformersEmbedder(name, dimensions=space.dimensions)
        except SettingsError:
            return None
    return None


def _endpoint(settings: Settings, model: str, dimensions: int) -> Embedder | None:
    key = settings.embedding_api_key or settings.openai_api_key
    still_set = settings.embedding_model == model and (settings.embedding_base_url is not None or key is not None)
    if settings.embedder != "openai" and not still_set:
        return None
    from ..slm.embeddings.openai_endpoint import OpenAICompatibleEmbedder

    return OpenAICompatibleEmbedder(
        base_url=settings.embedding_base_url,
        api_key=key.get_secret_value() if key else "none",
        model=model,
        dimensions=dimensions,
    )
