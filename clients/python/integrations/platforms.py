"""What programs hand over beside a conversion. The server tells the platform with the connection's own keys, so nothing that
is given here is read, kept or sent."""


class HubSpotIntegration:
    """Stands for HubSpot. The access token lies in the server's connection: `halotrack connection add --platform hubspot`."""

    def __init__(self, *_args, **_kwargs):
        pass
