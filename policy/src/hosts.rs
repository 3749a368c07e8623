//! Hosts that a text names.
//!
//! Owns: finding authorities the way browsers and HTTP libraries read them, and telling metadata
//! services and private addresses from the rest.
//! Accepts: any text. Emits: normalised host names. Promises: linear, never resolves a name.
//!
//! Address spellings follow the WHATWG URL standard's host parser: fewer than four parts, octal
//! and hexadecimal parts, compatibility digits, `\` for `/`. Metadata addresses are those that
//! AWS, Azure, Google Cloud, Alibaba, Oracle and Tencent document for their instances.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use memchr::memchr_iter;

/// Longest host that is looked at; longer than any name that DNS can carry (253 octets).
const MAX_HOST: usize = 256;

/// A host as it would be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// Lower case; addresses in their canonical spelling.
    pub(crate) name: String,
    /// Loopback, private, link-local or shared address space, or a name that means one.
    pub(crate) private: bool,
    /// The metadata service of a cloud.
    pub(crate) metadata: bool,
}

/// Calls `visit` with each host that stands in an address (`scheme://host…`) in the text.
pub(crate) fn urls(text: &str, visit: &mut impl FnMut(Host)) {
    // Where the last authority ended: no other begins inside one, and looking there again would
    // make a text of nothing but schemes cost its square.
    let mut done = 0;
    for colon in memchr_iter(b':', text.as_bytes()) {
        if colon < done {
            continue;
        }
        let scheme = scheme_before(&text[..colon]);
        if scheme.is_empty() {
            continue;
        }
        let rest = &text[colon + 1..];
        let authority = rest.trim_start_matches(['/', '\\']);
        let slashes = rest.len() - authority.len();
        if (is_special(scheme) || slashes >= 2) && !scheme.eq_ignore_ascii_case("file") {
            let authority = &authority[..authority_end(authority)];
            done = text.len() - rest.len() + slashes + authority.len();
            if let Some(host) = authority_host(authority) {
                visit(host);
            }
        }
    }
}

/// The host that a whole value is, where its key says that it is one: with a port or not.
pub(crate) fn bare(text: &str) -> Option<Host> {
    authority_host(text.trim().trim_start_matches(['/', '\\']))
}

/// Whether a word, with a path and a port behind it or not, is the metadata service of a cloud.
pub(crate) fn metadata_word(word: &str) -> Option<Host> {
    let first = word.bytes().next()?;
    let could_be = first.is_ascii_digit()
        || matches!(first, b'[' | b'm' | b'M' | b'i' | b'I' | b'f' | b'F' | b':')
        || !first.is_ascii();
    // Most words are told apart before anything is parsed. A single word such as `metadata` is a
    // host only in an address.
    let has_structure = word.bytes().any(|b| matches!(b, b'.' | b':')) || !word.is_ascii();
    let is_number = word.len() >= 8 && first.is_ascii_digit();
    if !could_be || !(has_structure || is_number) || !starts_like_metadata(word, first) {
        return None;
    }
    let host = ipv6(word).or_else(|| authority_host(word))?;
    host.metadata.then_some(host)
}

fn starts_like_metadata(word: &str, first: u8) -> bool {
    if first.is_ascii_digit() {
        return word.len() >= 7;
    }
    let starts =
        |start: &str| word.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    matches!(first, b'[' | b':')
        || !first.is_ascii()
        || starts("metadata")
        || starts("instance-")
        || starts("fd")
}

fn scheme_before(text: &str) -> &str {
    let start = text
        .bytes()
        .rev()
        .take(24)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        .count();
    text.get(text.len() - start..).unwrap_or_default()
}

/// Schemes after which a host follows with any number of slashes.
fn is_special(scheme: &str) -> bool {
    ["http", "https", "ws", "wss", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

fn authority_end(text: &str) -> usize {
    text.find(|c: char| {
        matches!(c, '/' | '\\' | '?' | '#' | '"' | '\'' | '<' | '>' | '`' | ',' | ';' | '|')
            || c.is_whitespace()
    })
    .unwrap_or(text.len())
}

fn authority_host(text: &str) -> Option<Host> {
    let authority = &text[..authority_end(text)];
    // What stands before the last `@` is a user name and a password.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(inner) = host.strip_prefix('[') {
        return ipv6(inner.split_once(']')?.0);
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let host = host.trim_end_matches([')', ']', '}', '.', '\u{3002}']);
    if host.is_empty() || host.len() > MAX_HOST {
        return None;
    }
    let name = fold(&percent_decode(host));
    let name = name.trim_matches('.');
    if name.is_empty() || !name.chars().any(char::is_alphanumeric) {
        return None;
    }
    Some(match ipv4(name) {
        Some(address) => Host {
            name: address.to_string(),
            private: is_private_v4(address),
            metadata: is_metadata_v4(address),
        },
        None => named(name),
    })
}

fn named(name: &str) -> Host {
    let metadata = matches!(
        name,
        "metadata"
            | "metadata.google.internal"
            | "metadata.goog"
            | "metadata.azure.internal"
            | "metadata.tencentyun.com"
            | "instance-data"
            | "instance-data.ec2.internal"
    );
    let private = metadata
        || name == "localhost"
        || [".localhost", ".local", ".internal", ".lan", ".home.arpa"]
            .iter()
            .any(|suffix| name.ends_with(suffix));
    Host { name: name.to_owned(), private, metadata }
}

fn ipv6(text: &str) -> Option<Host> {
    let text = text.split_once('%').map_or(text, |(address, _zone)| address);
    let text = text.trim_matches(['[', ']']);
    let address: Ipv6Addr = text.parse().ok()?;
    if let Some(inner) = embedded_v4(address) {
        return Some(Host {
            name: inner.to_string(),
            private: is_private_v4(inner),
            metadata: is_metadata_v4(inner),
        });
    }
    let segments = address.segments();
    // fd00:ec2::254 and fd00:ec2::23 (AWS), fd20:ce::254 (Google Cloud).
    let metadata = matches!(
        segments,
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254 | 0x23] | [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254]
    );
    let private = address.is_loopback()
        || address.is_unspecified()
        || segments[0] & 0xfe00 == 0xfc00
        || segments[0] & 0xffc0 == 0xfe80;
    Some(Host { name: address.to_string(), private, metadata })
}

/// The IPv4 address inside a mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056) address.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let at = |from: usize| {
        Ipv4Addr::new(octets[from], octets[from + 1], octets[from + 2], octets[from + 3])
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(at(12)),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => Some(at(12)),
        [0x2002, ..] => Some(at(2)),
        _ => None,
    }
}

fn is_metadata_v4(address: Ipv4Addr) -> bool {
    matches!(
        address.octets(),
        // 169.254.169.x: nearly every cloud; 169.254.170.x: container credentials (AWS);
        // 168.63.129.16: Azure's wire server.
        [169, 254, 169 | 170, _] | [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16]
    )
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || is_metadata_v4(address)
}

/// Reads an IPv4 address in any spelling that URL parsers and `inet_aton` take.
fn ipv4(name: &str) -> Option<Ipv4Addr> {
    let mut parts = [0u64; 4];
    let mut count = 0;
    for part in name.split('.') {
        *parts.get_mut(count)? = number(part)?;
        count += 1;
    }
    let last = *parts.get(count.checked_sub(1)?)?;
    let leading = &parts[..count - 1];
    if leading.iter().any(|&part| part > 255) {
        return None;
    }
    let room = 8 * (5 - count);
    if last >= 1u64 << room {
        return None;
    }
    let high = leading.iter().enumerate().map(|(at, part)| part << (24 - 8 * at)).sum::<u64>();
    u32::try_from(high + last).ok().map(Ipv4Addr::from)
}

fn number(part: &str) -> Option<u64> {
    if part.is_empty() || part.len() > 16 || !part.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    if let Some(hex) = part.strip_prefix("0x") {
        return if hex.is_empty() { Some(0) } else { u64::from_str_radix(hex, 16).ok() };
    }
    if part.len() > 1 && part.starts_with('0') {
        return u64::from_str_radix(part, 8).ok();
    }
    part.parse().ok()
}

/// Lower case, and the compatibility forms that IDNA maps to digits, letters and dots.
fn fold(host: &str) -> String {
    if host.is_ascii() {
        return host.to_ascii_lowercase();
    }
    host.chars().filter_map(fold_char).flat_map(char::to_lowercase).collect()
}

fn fold_char(c: char) -> Option<char> {
    let code = u32::from(c);
    let digit = |from: u32, first: u32| char::from_digit(code - from + first, 10);
    match code {
        // Ignored by IDNA.
        0x00AD | 0x200B..=0x200D | 0x2060 | 0xFE00..=0xFE0F | 0xFEFF => None,
        0xFF01..=0xFF5E => char::from_u32(code - 0xFF01 + 0x21),
        0x3002 | 0xFF61 => Some('.'),
        0x00B9 => Some('1'),
        0x00B2 | 0x00B3 => digit(0x00B2, 2),
        0x2070 => Some('0'),
        0x2074..=0x2079 => digit(0x2074, 4),
        0x2080..=0x2089 => digit(0x2080, 0),
        0x2460..=0x2468 => digit(0x2460, 1),
        0x24EA => Some('0'),
        0x1D7CE..=0x1D7FF => char::from_digit((code - 0x1D7CE) % 10, 10),
        0x24B6..=0x24CF => char::from_u32(code - 0x24B6 + 0x61),
        0x24D0..=0x24E9 => char::from_u32(code - 0x24D0 + 0x61),
        _ => Some(c),
    }
}

/// Decodes `%XX`; broken escapes stay as they are.
pub(crate) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high << 4 | low).unwrap_or(b'?'));
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(text: &str) -> Vec<Host> {
        let mut seen = Vec::new();
        urls(text, &mut |host| seen.push(host));
        seen
    }

    fn names(text: &str) -> Vec<String> {
        hosts(text).into_iter().map(|host| host.name).collect()
    }

    #[test]
    fn hosts_are_found_in_text() {
        for (text, wanted) in [
            ("https://api.example.com/v1?q=a:b", vec!["api.example.com"]),
            ("see (http://Example.COM). Or ftp://x.org:21", vec!["example.com", "x.org"]),
            ("postgres://user:p%40ss@db.lan:5432/app", vec!["db.lan"]),
            (r"https:\/\/escaped.example\/x", vec!["escaped.example"]),
            ("http://[::1]:8080/", vec!["::1"]),
            ("http://good.example@evil.example/", vec!["evil.example"]),
            ("key: value, time 10:30", vec![]),
            ("file:///etc/passwd", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(names(text), wanted, "{text}");
        }
    }

    #[test]
    fn every_spelling_of_a_metadata_service_is_known() {
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xA9FEA9FE/",
            "http://0xa9.0xfe.0xa9.0xfe/",
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fd00:ec2::254]/",
            "http://169。254。169。254/",
            "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
            "http://１６９.254.169.254/",
            "http://169.254.169.254./",
            "http://user@169.254.169.254:80/",
            "http://%31%36%39.254.169.254/",
            r"http:\\169.254.169.254\latest",
            "http:169.254.169.254/latest",
            "HTTP://METADATA.google.internal/computeMetadata/v1/",
            "http://metadata/computeMetadata/v1/",
            "gopher://169.254.170.2:80/v2/credentials",
            "http://100.100.100.200/latest",
        ] {
            let seen = hosts(url);
            assert!(seen.len() == 1 && seen[0].metadata && seen[0].private, "{url}: {seen:?}");
        }
    }

    #[test]
    fn a_bare_word_can_be_a_metadata_service() {
        for word in
            ["169.254.169.254/latest", "2852039166", "fd00:ec2::254", "metadata.google.internal"]
        {
            assert!(metadata_word(word).is_some(), "{word}");
        }
        for word in
            ["metadata", "2024.01.02", "1.2.3", "12345678901", "main.rs", "", "10.0.0.1", "é"]
        {
            assert!(metadata_word(word).is_none(), "{word}");
        }
    }

    #[test]
    fn private_hosts_are_told_from_public_ones() {
        for (host, wanted) in [
            ("localhost:3000", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("100.64.0.1", true),
            ("0.0.0.0", true),
            ("127.1", true),
            ("[fe80::1%eth0]", true),
            ("[fc00::1]", true),
            ("[2606:4700::1111]", false),
            ("printer.local", true),
            ("example.com", false),
            ("1.1.1.1", false),
        ] {
            assert_eq!(bare(host).map(|host| host.private), Some(wanted), "{host}");
        }
    }

    proptest! {
        #[test]
        fn takes_any_text(text in any::<String>()) {
            let _ = hosts(&text);
            let _ = bare(&text);
            let _ = metadata_word(&text);
        }

        #[test]
        fn every_number_spelling_means_the_same(address in any::<u32>()) {
            let wanted = Ipv4Addr::from(address);
            let [a, b, c, d] = wanted.octets();
            for spelling in [
                format!("{address}"),
                format!("0x{address:x}"),
                format!("0{address:o}"),
                format!("{a}.{b}.{c}.{d}"),
                format!("0x{a:x}.0{b:o}.{c}.{d}"),
                format!("{a}.{}", address & 0xff_ffff),
                format!("{a}.{b}.{}", address & 0xffff),
            ] {
                prop_assert_eq!(ipv4(&spelling), Some(wanted), "{}", spelling);
            }
        }
    }
}
