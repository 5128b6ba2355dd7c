"""Requests byte by byte: what no well-meaning client sends."""
import re
import socket

from platform_under_test import SLOW


def talk(platform, data, half_close=False, then=b""):
    """All that the server answers until it closes, or nothing more comes."""
    with socket.create_connection(("127.0.0.1", platform.port), timeout=20 * SLOW) as s:
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            out = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    return out
                out += piece
                if then and b"\r\n\r\n" in out:
                    s.sendall(then)
                    then = b""
        except (ConnectionResetError, BrokenPipeError):
            return out


def head(method, path, person=None, **headers):
    """The head of a request; the connection ends with its answer."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json", "Connection: close"]
    if person:
        lines.append("Cookie: " + "; ".join(f"{c.name}={c.value}" for c in person.http.cookies))
        lines.append(f"X-CSRF-Token: {person.csrf}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answers(data):
    """The status of each answer in the bytes: one request has one."""
    return [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]


def multipart(*parts, boundary="BoUnDaRy", end=True):
    """Parts are (header lines, content)."""
    out = b""
    for lines, content in parts:
        out += b"--" + boundary.encode() + b"\r\n" + lines + b"\r\n\r\n" + content + b"\r\n"
    return out + (b"--" + boundary.encode() + b"--\r\n" if end else b"")


def file_part(data, name="file", filename="a.pdf"):
    return (f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'.encode(), data)


FORM_DATA = "multipart/form-data; boundary=BoUnDaRy"
