"""Log lines of the server: event and facts, one line each."""

import logging
import warnings

_PLAIN = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class Facts(logging.Formatter):
    """`2026-01-31 12:00:00 INFO models loaded: recognition vultus-recognition/3, seconds 0.4`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback where there is one."""
        facts = {k: v for k, v in vars(record).items() if k not in _PLAIN and not k.startswith("_")}
        shown = ", ".join(f"{name} {value}" for name, value in facts.items())
        line = f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')} {record.levelname} "
        line += f"{record.getMessage()}{': ' if shown else ''}{shown}"
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def log_to_stderr() -> None:
    """Our packages say what they do; the others only warn."""
    handler = logging.StreamHandler()
    handler.setFormatter(Facts())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for package in ("serving", "vultus"):
        logging.getLogger(package).setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(fastapi|kserve)\b")
