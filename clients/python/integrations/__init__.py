"""The names that programs written for AnyTrack's integration import."""

from .anytrack import (
    AffiliatePerformance,
    AnytrackAPIError,
    AnytrackConversion,
    AnytrackIntegration,
    ConversionType,
)
from .platforms import HubSpotIntegration

__all__ = [
    "AffiliatePerformance",
    "AnytrackAPIError",
    "AnytrackConversion",
    "AnytrackIntegration",
    "ConversionType",
    "HubSpotIntegration",
]
