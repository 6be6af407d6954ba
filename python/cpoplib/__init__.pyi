"""Types of cpoplib."""

import socket as _socket
import ssl
import sys
from typing import (
    Any,
    BinaryIO,
    Callable,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Literal,
    NamedTuple,
    NoReturn,
    Optional,
    Pattern,
    Protocol,
    Tuple,
    Type,
    TypeVar,
    Union,
    overload,
)

__all__ = ["POP3", "error_proto", "POP3_SSL"]
__version__: str

POP3_PORT: int
POP3_SSL_PORT: int
CR: bytes
LF: bytes
CRLF: bytes
HAVE_SSL: bool
_MAXLINE: int

_Long = Tuple[bytes, List[bytes], int]
_Number = Union[int, str]
_Self = TypeVar("_Self", bound="POP3")

class _Writer(Protocol):
    def write(self, data: bytes, /) -> object: ...

class _Window(Iterator[Tuple[int, bytes]]):
    def __next__(self) -> Tuple[int, bytes]: ...
    def close(self) -> None: ...

class error_proto(Exception): ...

class Capabilities(NamedTuple):
    names: FrozenSet[str]
    lines: Tuple[str, ...]
    sasl: Tuple[str, ...]
    expire: Union[int, Literal["NEVER"], None]
    login_delay: Optional[int]
    implementation: Optional[str]

class POP3:
    encoding: str
    host: str
    port: int
    sock: _socket.socket
    file: BinaryIO
    welcome: bytes
    timestamp: Pattern[bytes]
    _debugging: int
    _tls_established: bool
    def __init__(self, host: str, port: int = 110, timeout: Optional[float] = ...) -> None: ...
    def getwelcome(self) -> bytes: ...
    def set_debuglevel(self, level: int) -> None: ...
    def user(self, user: str) -> bytes: ...
    def pass_(self, pswd: str) -> bytes: ...
    def stat(self) -> Tuple[int, int]: ...
    @overload
    def list(self, which: None = None) -> _Long: ...
    @overload
    def list(self, which: Any) -> Union[bytes, _Long]: ...
    def retr(self, which: Any) -> _Long: ...
    def dele(self, which: Any) -> bytes: ...
    def noop(self) -> bytes: ...
    def rset(self) -> bytes: ...
    def quit(self) -> bytes: ...
    def close(self) -> None: ...
    def rpop(self, user: str) -> bytes: ...
    def apop(self, user: str, password: str) -> bytes: ...
    def top(self, which: Any, howmuch: int) -> _Long: ...
    @overload
    def uidl(self, which: None = None) -> _Long: ...
    @overload
    def uidl(self, which: Any) -> Union[bytes, _Long]: ...
    def utf8(self) -> bytes: ...
    def capa(self) -> dict[str, List[str]]: ...
    def stls(self, context: Optional[ssl.SSLContext] = None) -> bytes: ...
    # Beyond poplib:
    @property
    def capabilities(self) -> Capabilities: ...
    def retr_bytes(self, which: _Number) -> bytes: ...
    def retr_into(self, which: _Number, file: _Writer) -> int: ...
    def retr_many(self, numbers: Iterable[_Number], *, window: int = 32) -> _Window: ...
    def auth(
        self,
        mechanism: str,
        authobject: Optional[Callable[..., Union[bytes, str, None]]] = None,
        *,
        initial_response_ok: bool = True,
    ) -> bytes: ...
    def __enter__(self: _Self) -> _Self: ...
    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: object,
    ) -> None: ...
    # What subclasses override:
    def _create_socket(self, timeout: Optional[float]) -> _socket.socket: ...
    def _putline(self, line: bytes) -> None: ...
    def _putcmd(self, line: str) -> None: ...
    def _getline(self) -> Tuple[bytes, int]: ...
    def _getresp(self) -> bytes: ...
    def _getlongresp(self) -> _Long: ...
    def _shortcmd(self, line: str) -> bytes: ...
    def _longcmd(self, line: str) -> _Long: ...

class POP3_SSL(POP3):
    context: ssl.SSLContext
    if sys.version_info >= (3, 12):
        def __init__(
            self,
            host: str,
            port: int = 995,
            *,
            timeout: Optional[float] = ...,
            context: Optional[ssl.SSLContext] = None,
        ) -> None: ...
        def stls(self, context: Any = None) -> NoReturn: ...
    else:
        keyfile: Optional[str]
        certfile: Optional[str]
        def __init__(
            self,
            host: str,
            port: int = 995,
            keyfile: Optional[str] = None,
            certfile: Optional[str] = None,
            timeout: Optional[float] = ...,
            context: Optional[ssl.SSLContext] = None,
        ) -> None: ...
        def stls(self, keyfile: Any = None, certfile: Any = None, context: Any = None) -> NoReturn: ...  # type: ignore[override]

# For cpoplib.aio alone:
class _Engine:
    wants_tls: bool
    wants_input: bool
    pipelines: bool
    timestamp: bytes
    capabilities: Optional[Capabilities]
    def submit(
        self,
        command: str,
        number: int = 0,
        lines: int = 0,
        text: Optional[bytes] = None,
        initial: Optional[bytes] = None,
        /,
    ) -> None: ...
    def output(self) -> bytes: ...
    def feed(self, data: bytes, /) -> List[Tuple[str, bool, bytes, Any]]: ...
    def end_input(self) -> List[Tuple[str, bool, bytes, Any]]: ...
    def check_alive(self) -> None: ...
    def respond(self, base64: Optional[bytes], /) -> None: ...
    def tls_started(self) -> None: ...
