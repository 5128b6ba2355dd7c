//! A plugin of port notify in Rust, by the standard library alone: one POST for each notice. The types are those of
//! fwpermit_plugin.h, written down as far as they are used.
#![allow(dead_code)]

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

const ABI_MAJOR: u32 = 1;
const ABI: u32 = ABI_MAJOR << 16;
const SECRET: u32 = 1;
const OK: c_int = 0;
const REJECTED: c_int = 1;
const TEMPFAIL: c_int = 2;
const PERMFAIL: c_int = 3;
const MISCONFIGURED: c_int = 4;

#[repr(C)]
#[derive(Clone, Copy)]
struct Str {
    p: *const c_char,
    n: usize,
}

#[repr(C)]
struct Kv {
    key: Str,
    value: Str,
    flags: u32,
}

#[repr(C)]
struct Reply {
    size: u32,
    retry_after_ms: u32,
    body: Str,
    reason: *const c_char,
}

#[repr(C)]
struct HttpRequest {
    size: u32,
    method: *const c_char,
    url: *const c_char,
    headers: *const Kv,
    n_headers: usize,
    body: Str,
    max_response: usize,
}

#[repr(C)]
struct HttpResponse {
    size: u32,
    status: c_int,
    body: Str,
    kind: *const c_char,
    error: *const c_char,
}

type Call = c_void;

#[repr(C)]
struct Host {
    size: u32,
    abi: u32,
    alloc: extern "C" fn(*mut Call, usize) -> *mut c_void,
    remaining_ms: extern "C" fn(*const Call) -> c_int,
    idempotency_key: extern "C" fn(*const Call) -> *const c_char,
    log: *const c_void, // variadic, not used here
    http: extern "C" fn(*mut Call, *const HttpRequest, *mut HttpResponse) -> c_int,
    now: extern "C" fn(*const Call) -> i64,
}

type Op = extern "C" fn(*mut Instance, *mut Call, Str, *mut Reply) -> c_int;

#[repr(C)]
struct NotifyOps {
    size: u32,
    send: Option<Op>,
}

#[repr(C)]
pub struct Plugin {
    size: u32,
    abi: u32,
    port: *const c_char,
    name: *const c_char,
    version: *const c_char,
    flags: u32,
    create: extern "C" fn(*const Host, *const Kv, usize, *mut Call, *mut *mut Instance, *mut Reply) -> c_int,
    destroy: extern "C" fn(*mut Instance),
    health: Option<Op>,
    ops: *const NotifyOps,
}

unsafe impl Sync for Plugin {}
unsafe impl Sync for NotifyOps {}

struct Instance {
    host: *const Host,
    url: Vec<u8>, // with a NUL
    token: Vec<u8>,
}

fn text(bytes: &'static [u8]) -> *const c_char {
    bytes.as_ptr() as *const c_char
}

unsafe fn bytes_of<'a>(s: Str) -> &'a [u8] {
    if s.n == 0 { &[] } else { std::slice::from_raw_parts(s.p as *const u8, s.n) }
}

fn of(bytes: &[u8]) -> Str {
    Str { p: bytes.as_ptr() as *const c_char, n: bytes.len() }
}

/// A copy that lives as long as the call, with a NUL behind it.
unsafe fn keep(host: *const Host, call: *mut Call, bytes: &[u8]) -> Str {
    let p = ((*host).alloc)(call, bytes.len() + 1) as *mut u8;
    std::ptr::copy_nonoverlapping(bytes.as_ptr(), p, bytes.len());
    Str { p: p as *const c_char, n: bytes.len() }
}

/// No panic leaves the plugin.
fn guarded(reply: *mut Reply, work: impl FnOnce() -> c_int) -> c_int {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        unsafe { (*reply).reason = text(b"a panic\0") };
        PERMFAIL
    })
}

/// The instance, or the name of the setting that is wrong.
unsafe fn read_settings(host: *const Host, config: &[Kv]) -> Result<Instance, Vec<u8>> {
    let mut made = Instance { host, url: Vec::new(), token: Vec::new() };
    for kv in config {
        let value = bytes_of(kv.value).to_vec();
        match (bytes_of(kv.key), kv.flags & SECRET != 0) {
            (b"url", false) => made.url = value,
            (b"token", true) => made.token = value,
            (other, _) => return Err(other.to_vec()),
        }
    }
    if !made.url.starts_with(b"http") || made.url.iter().any(|b| *b <= b' ') {
        return Err(b"url".to_vec());
    }
    if made.token.is_empty() {
        return Err(b"token".to_vec());
    }
    made.url.push(0);
    Ok(made)
}

extern "C" fn create(host: *const Host, config: *const Kv, n: usize, call: *mut Call, out: *mut *mut Instance,
                     reply: *mut Reply) -> c_int {
    guarded(reply, || unsafe {
        let config = if n == 0 { &[] } else { std::slice::from_raw_parts(config, n) };
        match read_settings(host, config) {
            Ok(made) => {
                *out = Box::into_raw(Box::new(made));
                OK
            }
            Err(name) => {
                (*reply).reason = keep(host, call, &[b"wrong setting: ", &name[..]].concat()).p;
                MISCONFIGURED
            }
        }
    })
}

extern "C" fn destroy(instance: *mut Instance) {
    unsafe { drop(Box::from_raw(instance)) };
}

extern "C" fn send(instance: *mut Instance, call: *mut Call, request: Str, reply: *mut Reply) -> c_int {
    guarded(reply, || unsafe {
        let me = &*instance;
        let host = &*me.host;
        let key = CStr::from_ptr((host.idempotency_key)(call)).to_bytes();
        let bearer = [b"Bearer ", &me.token[..]].concat();
        let headers = [
            Kv { key: of(b"Content-Type"), value: of(b"application/json"), flags: 0 },
            Kv { key: of(b"Authorization"), value: of(&bearer), flags: SECRET },
            Kv { key: of(b"Idempotency-Key"), value: of(key), flags: 0 },
        ];
        let question = HttpRequest {
            size: std::mem::size_of::<HttpRequest>() as u32,
            method: text(b"POST\0"),
            url: me.url.as_ptr() as *const c_char,
            headers: headers.as_ptr(),
            n_headers: headers.len(),
            body: request,
            max_response: 0,
        };
        let mut answer: HttpResponse = std::mem::zeroed();
        answer.size = std::mem::size_of::<HttpResponse>() as u32;
        if (host.http)(call, &question, &mut answer) != 0 {
            (*reply).reason = answer.error;
            return TEMPFAIL;
        }
        if !(200..300).contains(&answer.status) {
            let why = format!("the far side answered {}", answer.status);
            (*reply).reason = keep(me.host, call, why.as_bytes()).p;
            return if answer.status >= 500 { TEMPFAIL } else { REJECTED };
        }
        (*reply).body = keep(me.host, call, &[b"{\"message_id\":\"", key, b"\"}"].concat());
        OK
    })
}

static OPS: NotifyOps = NotifyOps { size: std::mem::size_of::<NotifyOps>() as u32, send: Some(send) };
static PLUGIN: Plugin = Plugin {
    size: std::mem::size_of::<Plugin>() as u32,
    abi: ABI,
    port: b"notify\0".as_ptr() as *const c_char,
    name: b"notify_rust\0".as_ptr() as *const c_char,
    version: b"0.1.0\0".as_ptr() as *const c_char,
    flags: 0,
    create,
    destroy,
    health: None,
    ops: &OPS,
};

#[no_mangle]
pub extern "C" fn fwpermit_plugin(host_abi: u32) -> *const Plugin {
    if host_abi >> 16 == ABI_MAJOR { &PLUGIN } else { null() }
}
