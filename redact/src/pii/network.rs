//! Owns IP and hardware addresses.
//! Accepts the place of a first digit or colon; emits addresses with their kind; promises that
//! versions, numbers of sections, object identifiers and times are left alone, and addresses that
//! are no one's: loopback, unspecified, broadcast, multicast, those for documentation, public
//! resolvers, made up ones, private networks, and private ones in examples of code.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::nearby::{Nearby, is_apart};
use crate::Kind;
use crate::engine::starts_word;

/// Longest IPv6 address in text, in bytes.
const MAX_V6: usize = 45;

/// The IPv4 address that starts at `at`, and its kind.
pub(crate) fn v4(text: &[u8], at: usize) -> Option<(Range<usize>, Kind)> {
    let window = &text[at..text.len().min(at + 16)];
    if window.iter().take(9).filter(|byte| **byte == b'.').count() < 2 {
        return None;
    }
    let length = window.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let trimmed = if length > 0 && window[length - 1] == b'.' { length - 1 } else { length };
    let before = at.checked_sub(1).map(|at| text[at]);
    if !starts_word(text, at) || matches!(before, Some(b'.' | b'_' | b'-')) {
        return None;
    }
    let after = &text[at + trimmed..];
    if after.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') || is_release(after) {
        return None;
    }
    let address: Ipv4Addr = std::str::from_utf8(&window[..trimmed]).ok()?.parse().ok()?;
    let kind = v4_kind(address)?;
    if is_network(address, after) || kind == Kind::PrivateIp && is_example(text, at) {
        return None;
    }
    // A name of the reverse tree, which has the parts the other way round (RFC 1035, section 3.5).
    let [a, b, c, d] = address.octets();
    if after.starts_with(b".in-addr.arpa") && v4_kind(Ipv4Addr::new(d, c, b, a)).is_none() {
        return None;
    }
    if is_version(text, at, address) || is_made_up(&window[..trimmed], address) {
        return None;
    }
    Some((at..at + trimmed, kind))
}

/// Whether what follows four numbers makes them a package's version: `6.9.11.60+dfsg-1`,
/// `1.2.5.1-2`, `2.0.1.3~rc1`; another address may follow a hyphen.
fn is_release(after: &[u8]) -> bool {
    match after {
        [b'+' | b'~', next, ..] => next.is_ascii_alphanumeric(),
        [b'-', rest @ ..] => {
            let part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
            let range = rest.iter().take_while(part).filter(|b| **b == b'.').take(3).count() == 3;
            rest.first().is_some_and(u8::is_ascii_alphanumeric) && !range
        }
        _ => false,
    }
}

/// Whether `address/length` is a whole network, which is no one's address: nothing is set behind
/// the prefix (RFC 4632, section 3.1).
fn is_network(address: Ipv4Addr, after: &[u8]) -> bool {
    let Some(length) = after.strip_prefix(b"/") else { return false };
    let digits = length.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    let bits = length[..digits].iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    (1..=2).contains(&digits) && bits < 32 && u32::from(address).trailing_zeros() >= 32 - bits
}

/// How far before an address the start of its comment may stand, in bytes.
const COMMENT: usize = 120;

/// Whether an address is an example in code or its documentation, as far as one for private use can
/// be: it is called one, stands in a comment, or [`is_literal`].
fn is_example(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(COMMENT)..at];
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let line = &before[start..];
    let begins = start > 0 || at <= COMMENT;
    let indented = line.first().is_some_and(u8::is_ascii_whitespace);
    let comment = match line.trim_ascii_start() {
        [b'/', b'/', b' ' | b'/' | b'!', ..] => true,
        [b'*', b' ', ..] => indented,
        _ => false,
    };
    let near = line[line.len().saturating_sub(16)..].to_ascii_lowercase();
    let called =
        [&b"e.g."[..], b"example"].iter().any(|word| memchr::memmem::find(&near, word).is_some());
    begins && comment || called || is_literal(text, at)
}

/// Whether an address is the first argument of a call (`Address4('192.168.0.1')`), or marked as code
/// (`` `10.0.0.1` ``).
fn is_literal(text: &[u8], at: usize) -> bool {
    match &text[at.saturating_sub(4)..at] {
        [.., b'`'] => true,
        [.., before, b'(', b'"' | b'\''] | [before, b'(', b'\\', b'"'] => {
            before.is_ascii_alphanumeric()
        }
        _ => false,
    }
}

/// Whether an address is made up: its parts, or the digits it is written with, count up evenly
/// (`10.20.30.40`, `123.45.67.89`), or are all the same.
fn is_made_up(written: &[u8], address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets().map(i32::from);
    let even = b >= a && b - a == c - b && c - b == d - c;
    let mut digits = written.iter().filter(|byte| byte.is_ascii_digit());
    let mut last = digits.next();
    let rising = digits.all(|digit| {
        let follows = last.is_some_and(|last| *digit == last + 1);
        last = Some(digit);
        follows
    });
    even || rising
}

/// Words before an address.
const ADDRESS_WORDS: &[&[u8]] = &[
    b"addr",
    b"bind",
    b"broadcast",
    b"client",
    b"connect",
    b"dest",
    b"dns",
    b"dst",
    b"endpoint",
    b"gateway",
    b"host",
    b"http",
    b"inet",
    b"ip",
    b"listen",
    b"login",
    b"nameserver",
    b"network",
    b"node",
    b"origin",
    b"peer",
    b"ping",
    b"proxy",
    b"remote",
    b"route",
    b"server",
    b"source",
    b"src",
    b"ssh",
    b"subnet",
    b"tcp",
    b"udp",
    b"upstream",
    b"user",
    b"x-forwarded-for",
    b"x-real-ip",
];

/// Words before a version, a section's number or an object identifier.
const VERSION_WORDS: &[&[u8]] = &[
    b"build",
    b"chapter",
    b"clause",
    b"oid",
    b"release",
    b"revision",
    b"section",
    b"sections",
    b"spec",
    b"specification",
    b"step",
    b"workflow",
    b"update",
    b"updated",
    b"upgrade",
    b"upgraded",
    b"downgrade",
    b"downgraded",
    b"ver",
    b"version",
    b"v8",
];

/// Largest part of four that read like a version or a section's number; `10.…` does not.
const SMALL: u8 = 31;

/// Whether four numbers are rather a version, a section's number or an object identifier: a word
/// says so, or they are all small and different and no word speaks of an address.
fn is_version(text: &[u8], at: usize, address: Ipv4Addr) -> bool {
    let parts = address.octets();
    // Arcs of X.520 (attribute types, matching rules), X.509 (certificate extensions) and RFC 8410
    // (curves).
    if matches!(parts, [2, 5, 4 | 13 | 29, _] | [1, 3, 101, _]) {
        return true;
    }
    // The epoch of a Debian version.
    if at >= 2 && text[at - 1] == b':' && text[at - 2].is_ascii_digit() {
        return true;
    }
    let small = parts.iter().all(|part| *part <= SMALL)
        && parts.iter().any(|part| *part != parts[0])
        && parts[0] != 10;
    // A section, and a requirement (PEP 440).
    if matches!(&text[..at], [.., 0xC2, 0xA7] | [.., 0xC2, 0xA7, b' ']) {
        return true;
    }
    let before = Nearby::before(text, at);
    let version = before.nearest_whole(VERSION_WORDS);
    // `from 4.5.103.30` may be either.
    let from = || version.is_none().then(|| before.nearest_whole(&[b"from"])).flatten();
    let address = before.nearest(ADDRESS_WORDS).or_else(from);
    if address.is_none() && matches!(&text[..at], [.., b'=' | b'>' | b'<' | b'~', b'=']) {
        return true;
    }
    match (address, version) {
        (None, None) => small,
        (Some(address), Some(version)) => small || version < address,
        (None, Some(_)) => true,
        (Some(_), None) => false,
    }
}

fn v4_kind(address: Ipv4Addr) -> Option<Kind> {
    let [a, b, ..] = address.octets();
    let calm = address.is_loopback() || a == 0 || address.is_broadcast() || a >= 224;
    // RFC 5737; the protocols' own and benchmarks (RFC 6890, RFC 2544); metadata of clouds, whose
    // addresses are the same for everyone.
    let nobodys = address.is_documentation()
        || matches!(address.octets(), [192, 31, 196, _] | [192, 52, 193, _] | [192, 88, 99, _])
        || matches!(
            address.octets(),
            [192, 175, 48, _]
                | [192, 0, 0, _]
                | [198, 18 | 19, ..]
                | [169, 254, 169, 254]
                | [169, 254, 170, 2 | 23]
        );
    // Public resolvers, the same for everyone who uses them (Google, Cloudflare, Quad9, OpenDNS).
    let resolver = matches!(
        address.octets(),
        [8, 8, 8, 8]
            | [8, 8, 4, 4]
            | [1, 1, 1, 1]
            | [1, 0, 0, 1]
            | [9, 9, 9, 9]
            | [149, 112, 112, 112]
            | [208, 67, 222, 222]
            | [208, 67, 220, 220]
    );
    // Netmasks: a run of ones and then of zeros.
    let mask = u32::from(address);
    let is_mask = mask.leading_ones() + mask.trailing_zeros() >= 32 && a >= 128;
    if calm || nobodys || resolver || is_mask || address.octets() == [1, 2, 3, 4] {
        return None;
    }
    let private = address.is_private() || address.is_link_local() || a == 100 && b & 0xC0 == 64;
    Some(if private { Kind::PrivateIp } else { Kind::Ip })
}

/// The IPv6 or hardware address around the first colon of a group, which is at `colon`; the place
/// after the run in any case, so that its other colons are not looked at again.
pub(crate) fn colon(text: &[u8], colon: usize) -> (usize, Option<(Range<usize>, Kind)>) {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut start = colon;
    while start > 0 && colon - start < 5 && text[start - 1].is_ascii_hexdigit() {
        start -= 1;
    }
    let window = &text[start..text.len().min(start + MAX_V6 + 1)];
    let mut length = window.iter().take_while(|byte| is_part(**byte)).count();
    // A fingerprint goes on for longer than any address.
    let run = text[colon..].iter().take(256).take_while(|byte| is_part(**byte)).count();
    let next = (colon + run).max(colon + 1);
    while length > 0
        && (window[length - 1] == b'.'
            || window[length - 1] == b':' && !window[..length].ends_with(b"::"))
    {
        length -= 1;
    }
    // A time of day: shorter than a hardware address, and no group left out.
    if length < 15 && !window[..length].windows(2).any(|pair| pair == b"::") {
        return (next, None);
    }
    let before = start.checked_sub(1).map(|at| text[at]);
    let starts = is_apart(text, start) && before != Some(b'_');
    let goes_on = text.get(start + length).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if length > MAX_V6 || !starts || goes_on {
        return (next, None);
    }
    let candidate = &window[..length];
    let found = if is_mac(candidate, b':') {
        Some((start..start + length, Kind::Mac))
    } else {
        v6(candidate)
            .filter(|kind| *kind != Kind::PrivateIp || !is_example(text, start))
            .map(|kind| (start..start + length, kind))
    };
    (next, found)
}

fn v6(candidate: &[u8]) -> Option<Kind> {
    // At least two groups, of which one says more than a time or a path separator would.
    let colons = candidate.iter().filter(|&&b| b == b':').count();
    let digits = candidate.iter().filter(|b| b.is_ascii_hexdigit()).count();
    let global = matches!(candidate, [b'2' | b'3' | b'f' | b'F', b, c, d, b':', ..]
        if [b, c, d].iter().all(|byte| byte.is_ascii_hexdigit()));
    let dotted = candidate.contains(&b'.');
    if colons < 2 || !(dotted || global && digits >= 5 || digits >= 8 && colons >= 3 || colons >= 5)
    {
        return None;
    }
    let address: Ipv6Addr = std::str::from_utf8(candidate).ok()?.parse().ok()?;
    let parts = address.segments();
    // An IPv4 address inside: mapped, or written with dots.
    let translated = parts[..2] == [0x64, 0xFF9B];
    if address.to_ipv4_mapped().is_some() || translated || dotted {
        let [.., high, low] = parts;
        return v4_kind(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    }
    // An IPv4 address in the second and third part (RFC 3056, section 2).
    if parts[0] == 0x2002 {
        return v4_kind(Ipv4Addr::from(u32::from(parts[1]) << 16 | u32::from(parts[2])));
    }
    // A certificate's serial number or a fingerprint: eight pairs.
    let pairs = candidate.len() == 23 && candidate.iter().skip(2).step_by(3).all(|b| *b == b':');
    // Well-known multicast (RFC 4291, section 2.7.1).
    let multicast = address.is_multicast() && parts[1] == 0;
    if pairs || multicast || address.is_loopback() || address.is_unspecified() {
        return None;
    }
    // For documentation (RFC 3849, RFC 9637), for protocols (RFC 6890), reserved (RFC 4291, section
    // 2.4), or made up.
    let documentation = parts[..2] == [0x2001, 0xDB8] || parts[0] == 0x3FFF && parts[1] < 0x1000;
    let rising = parts.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(1));
    let made_up = rising || parts.iter().all(|part| *part < 0x10);
    // Public resolvers again.
    let resolver = matches!(parts, [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888 | 0x8844])
        || matches!(parts, [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111 | 0x1001])
        || matches!(parts, [0x2620, 0xFE, 0, 0, 0, 0, 0, 9 | 0xFE]);
    // A netmask: ones and then zeros.
    let mask = u128::from(address);
    let is_mask = mask.leading_ones() >= 16 && mask.leading_ones() + mask.trailing_zeros() >= 128;
    let protocols = parts[0] == 0x2001 && (1..0x200).contains(&parts[1]);
    if is_mask || documentation || resolver || protocols || made_up || parts[..2] == [0, 0] {
        return None;
    }
    let private = parts[0] & 0xFE00 == 0xFC00 || parts[0] & 0xFFC0 == 0xFE80;
    Some(if private { Kind::PrivateIp } else { Kind::Ip })
}

/// Whether six pairs of hex digits with that separator are one device's address.
pub(crate) fn is_mac(candidate: &[u8], separator: u8) -> bool {
    let pairs = candidate.len() == 17
        && candidate.iter().enumerate().all(|(index, byte)| match index % 3 {
            2 => *byte == separator,
            _ => byte.is_ascii_hexdigit(),
        });
    let hex = || candidate.iter().filter(|byte| byte.is_ascii_hexdigit());
    pairs && hex().any(|byte| *byte != candidate[0]) && !is_sequence(candidate)
}

/// Whether an address is made of one repeated pair.
fn is_sequence(candidate: &[u8]) -> bool {
    candidate.chunks(3).all(|pair| pair[..2] == candidate[..2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, Kind)>) {
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
        let found = v4(text.as_bytes(), start).map(|(span, kind)| (&text[span], kind));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn tells_public_from_private() {
        check("92.21.51.233", Some(("92.21.51.233", Kind::Ip)));
        check("from 92.21.51.233.", Some(("92.21.51.233", Kind::Ip)));
        check("88.8.9.8", Some(("88.8.9.8", Kind::Ip)));
        check("10.0.0.17", Some(("10.0.0.17", Kind::PrivateIp)));
        check("172.31.255.1", Some(("172.31.255.1", Kind::PrivateIp)));
        check("172.32.255.1", Some(("172.32.255.1", Kind::Ip)));
        check("100.127.0.1", Some(("100.127.0.1", Kind::PrivateIp)));
        check("192.168.1.5/24", Some(("192.168.1.5", Kind::PrivateIp)));
        check("92.21.51.2-92.21.51.9", Some(("92.21.51.2", Kind::Ip)));
    }

    /// The ranges of RFC 5737, RFC 6890, RFC 1122 and RFC 5771 are no one's.
    #[test]
    fn leaves_what_is_nobodys() {
        for calm in [
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.0",
            "192.0.2.33",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "224.0.0.251",
            "239.255.255.250",
            "169.254.169.254",
            "169.254.170.2",
            "8.8.8.8",
            "1.1.1.1",
            "10.0.0.0/8",
            "192.168.0.0/16",
            "192.168.7.0/24",
            "`10.3.0.1`",
            "new Address(\"10.3.0.1\")",
            "ip('10.3.0.1')",
            "10.20.30.40",
            "22.22.22.22",
            "92.21.0.0/16",
            "42.2.0.192.in-addr.arpa",
            "  // see 10.3.0.1",
            "for example, 10.3.0.1",
            "123.45.67.89",
        ] {
            check(calm, None);
        }
    }

    #[test]
    fn leaves_versions() {
        for version in [
            "version 10.7.193.22",
            "upgrade V8 to 4.2.77.18",
            "Section 4.1.2.2",
            "4.1.2.2",
            "6.9.11.60+dfsg-1.6",
            "1.2.5.1-2 <none>",
            "(1.3.239.0-1) ...",
            "8:6.9.11.60",
            "ObjectIdentifier(\"2.5.29.33\")",
            "1.3.101.112",
            "userPassword:2.5.13.18:=x",
            "\u{a7}2.5.5.2 of an address",
            "types-setuptools ==67.2.0.1",
            "Networking Descriptor, from CDC spec 5.2.3.16",
            "upgrade to a patched release from 4.5.103.30",
        ] {
            check(version, None);
        }
        check("ip.addr==12.5.9.30", Some(("12.5.9.30", Kind::Ip)));
        check("from 12.5.9.30", Some(("12.5.9.30", Kind::Ip)));
        check("7.3.21.92.in-addr.arpa", Some(("7.3.21.92", Kind::Ip)));
        check("//192.168.7.9/share", Some(("192.168.7.9", Kind::PrivateIp)));
        check("connect(10.3.0.1)", Some(("10.3.0.1", Kind::PrivateIp)));
        check("192.168.7.0/33", Some(("192.168.7.0", Kind::PrivateIp)));
        check("client_ip=12.5.9.30", Some(("12.5.9.30", Kind::Ip)));
    }

    #[test]
    fn reads_version_six() {
        let check = |text: &str, expected: Option<Kind>| {
            let at = text.find(':').unwrap();
            let found = colon(text.as_bytes(), at).1.map(|(span, kind)| {
                assert_eq!(&text[span], text);
                kind
            });
            assert_eq!(found, expected, "{text}");
        };
        check("2a00:1450:4001:82a::200e", Some(Kind::Ip));
        check("b3c8:b94d:c6fc:7fc6:55da:66d3:ef46:91ce", Some(Kind::Ip));
        check("fe80::a00:27ff:fe4e:66a1", Some(Kind::PrivateIp));
        check("fd12:3456:789a::1", Some(Kind::PrivateIp));
        check("::ffff:10.0.0.1", Some(Kind::PrivateIp));
        check("::10.0.0.1", Some(Kind::PrivateIp));
        check("2002:5c15:33e9::", Some(Kind::Ip));
        check("28:2a:6e:83:50:6d", Some(Kind::Mac));
        for calm in [
            "2001:db8::8a2e:370:7334",
            "3fff:0:1::9",
            "::ffff:127.0.0.1",
            "ff02::1:ff00:42",
            "1:2:3:4:5:6:7:8",
            "1001:1002:1003:1004:1005:1006:1007:1008",
            "2002:c000:204::",
            "2001:4860:4860::8888",
            "::7777:dead:beef",
            "AF:A2:8B:B9:33:AD:DA:AD",
            "00:00:00:00:00:00",
        ] {
            check(calm, None);
        }
    }
}
