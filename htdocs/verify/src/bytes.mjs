// Bytes as texts and back, and SHA-256.
export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

export function unhex(text) {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Error('no hexadecimal digits');
  return Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
}

export function unbase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error('no base64');
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

export function unbase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error('no base64url');
  return unbase64(text.replace(/-/g, '+').replace(/_/g, '/'));
}

// One character for each byte, so that offsets in the text are those of the file.
export function latin1(bytes) {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

export const utf8 = (bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
export const encode = (text) => new TextEncoder().encode(text);
export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

export function join(parts) {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
