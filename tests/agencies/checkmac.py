"""The check value of the gateway (CheckMacValue), written from its published rules alone."""
import hashlib
import hmac

NAME = "CheckMacValue"
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.!*()")


def encode(text):
    """Form encoding as .NET writes it, in lower case."""
    out = []
    for byte in text.encode("utf-8"):
        if byte == 0x20:
            out.append("+")
        elif 0x41 <= byte <= 0x5A:
            out.append(chr(byte + 0x20))
        elif byte in _KEPT:
            out.append(chr(byte))
        else:
            out.append(f"%{byte:02x}")
    return "".join(out)


def check_mac(fields, key, iv, digest="sha256"):
    """The value for `fields` (name to text); a CheckMacValue among them takes no part."""
    names = sorted((n for n in fields if n != NAME), key=lambda n: n.lower().encode("utf-8"))
    middle = "&".join(f"{n}={fields[n]}" for n in names)
    raw = encode(f"HashKey={key}&{middle}&HashIV={iv}")
    return hashlib.new(digest, raw.encode("ascii")).hexdigest().upper()


def is_right(fields, key, iv):
    """Whether the CheckMacValue among `fields` is there and right."""
    theirs = fields.get(NAME, "")
    return hmac.compare_digest(theirs.encode("utf-8"), check_mac(fields, key, iv).encode("ascii"))


def signed(fields, key, iv):
    """A copy of `fields` with its CheckMacValue as the last one."""
    out = {n: v for n, v in fields.items() if n != NAME}
    out[NAME] = check_mac(out, key, iv)
    return out


def spoiled(mac):
    """A value of the same form that is wrong."""
    return mac[:-1] + ("0" if mac[-1] != "0" else "1")
