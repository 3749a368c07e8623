//! Owns IP and hardware addresses.
//! Accepts the place of a first digit or colon; emits addresses with their kind; promises that
//! loopback, unspecified and broadcast addresses, versions and times are left alone.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::Kind;

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
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return None;
    }
    let after = text.get(at + trimmed);
    if after.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return None;
    }
    let address: Ipv4Addr = std::str::from_utf8(&window[..trimmed]).ok()?.parse().ok()?;
    let kind = v4_kind(address)?;
    Some((at..at + trimmed, kind))
}

fn v4_kind(address: Ipv4Addr) -> Option<Kind> {
    let [a, b, ..] = address.octets();
    let calm = address.is_loopback() || a == 0 || address.is_broadcast() || a >= 240;
    // Netmasks: a run of ones and then of zeros.
    let mask = u32::from(address);
    if calm || a == 255 || mask.leading_ones() + mask.trailing_zeros() >= 32 && a >= 128 {
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
    let outside = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    let before = start.checked_sub(1).map(|at| &text[at]);
    if length > MAX_V6 || !outside(before) || !outside(text.get(start + length)) {
        return (next, None);
    }
    let candidate = &window[..length];
    let found = if is_mac(candidate, b':') {
        Some((start..start + length, Kind::Mac))
    } else {
        v6(candidate).map(|kind| (start..start + length, kind))
    };
    (next, found)
}

fn v6(candidate: &[u8]) -> Option<Kind> {
    // At least two groups, of which one says more than a time or a path separator would.
    let colons = candidate.iter().filter(|&&b| b == b':').count();
    let digits = candidate.iter().filter(|b| b.is_ascii_hexdigit()).count();
    let global = matches!(candidate, [b'2' | b'3' | b'f' | b'F', b, c, d, b':', ..]
        if [b, c, d].iter().all(|byte| byte.is_ascii_hexdigit()));
    if colons < 2 || !(global && digits >= 5 || digits >= 8 && colons >= 3 || colons >= 5) {
        return None;
    }
    let address: Ipv6Addr = std::str::from_utf8(candidate).ok()?.parse().ok()?;
    if let Some(mapped) = address.to_ipv4_mapped() {
        return v4_kind(mapped);
    }
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return None;
    }
    let first = address.segments()[0];
    let private = first & 0xFE00 == 0xFC00 || first & 0xFFC0 == 0xFE80;
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
