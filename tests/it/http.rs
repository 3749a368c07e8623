//! The few bytes of HTTP that the tests need.
//!
//! Owns: nothing. Accepts: an address and a path, or a whole request. Emits: the status line and
//! the body. Promises: bounded waits; a connection that is refused or cut is an empty answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::patience::PATIENCE;

/// Fetches a page; gives the status line and the body, both empty when nobody answers.
pub(crate) fn get(address: SocketAddr, path: &str) -> (String, String) {
    get_as(address, path, &address.to_string())
}

/// Fetches a page under another host name.
pub(crate) fn get_as(address: SocketAddr, path: &str, host: &str) -> (String, String) {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, *PATIENCE) else {
        return Default::default();
    };
    stream.set_read_timeout(Some(*PATIENCE)).expect("a time-out that is not zero");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let told = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
    let answer = String::from_utf8(answer).expect("the console speaks UTF-8");
    let (Ok(_), Some((head, body))) = (told, answer.split_once("\r\n\r\n")) else {
        return Default::default();
    };
    let status = head.lines().next().unwrap_or_default().to_owned();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { unchunk(body) } else { body.to_owned() })
}

fn unchunk(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        text.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").unwrap_or_default();
    }
    text
}
