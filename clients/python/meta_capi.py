"""What programs hand over for Meta's Conversions API."""


class MetaCAPIClient:
    """Stands for Meta. The token lies in the server's connection: `halotrack connection add --platform meta`."""

    def __init__(self, *_args, **_kwargs):
        pass
