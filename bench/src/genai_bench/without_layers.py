"""P4's other side: the same application, started the same way, with none of its layers around the routes."""

from genai_app.logs import configure_logging
from genai_app.main import create_app
from genai_app.serving import run, serve
from genai_app.settings import Settings


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings.from_environment()
    configure_logging(settings.lowest_level, mask_personal_data=settings.mask_pii)
    app = create_app(settings)
    app.user_middleware.clear()
    run(serve(app, app.state.metrics, settings, app.state.connections.drain))


if __name__ == "__main__":
    main()
