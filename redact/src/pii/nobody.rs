//! Owns which e-mail addresses are not about a person whom a message is about: reserved for
//! documentation, metasyntactic, of machines, mailing lists, and offices that anyone reports to.
//! Accepts the two parts of an address; emits whether it is such; promises to look at each byte a
//! few times at most.

/// Top-level domains that no one can have (RFC 2606, section 2).
const RESERVED_TOPS: &[&[u8]] = &[b"test", b"example", b"invalid", b"localhost"];

/// Domains that stand for any (RFC 2606, section 3, and what manuals write in their place).
const ANY_DOMAINS: &[&[u8]] = &[
    b"example.com",
    b"example.org",
    b"example.net",
    b"domain.com",
    b"domain.tld",
    b"yourdomain.com",
    b"your-domain.com",
    b"mydomain.com",
    b"company.com",
    b"yourcompany.com",
    b"hostname.com",
    b"host.com",
    b"server.com",
    b"email.com",
    b"mail.com",
    b"foo.com",
    b"bar.com",
    b"foo.bar",
    b"foobar.com",
];

/// Names that stand for any.
const ANY_NAMES: &[&[u8]] = &[
    b"foo",
    b"bar",
    b"baz",
    b"qux",
    b"foobar",
    b"name",
    b"username",
    b"password",
    b"user.name",
    b"your",
    b"you",
    b"me",
    b"your.name",
    b"your-name",
    b"yourname",
    b"your.email",
    b"your-email",
    b"youremail",
    b"email",
    b"address",
    b"someone",
    b"somebody",
    b"nobody",
    b"author",
    b"example",
    b"sample",
    b"placeholder",
    b"first.last",
    b"firstname.lastname",
    b"x",
    b"xxx",
];

/// Names of mailboxes that only machines write from or to.
const MACHINES: &[&[u8]] = &[
    b"noreply",
    b"no-reply",
    b"no_reply",
    b"donotreply",
    b"do-not-reply",
    b"mailer-daemon",
    b"postmaster",
    b"hostmaster",
    b"root",
    b"nobody",
];

/// Names of mailboxes of an office that anyone reports to, and none of whose letters are one
/// person's (RFC 2142, sections 4 and 5, and what projects' policies name). `info` and `contact` are
/// not here: they are the only mailbox of many a small firm.
const OFFICES: &[&[u8]] = &[
    b"abuse",
    b"bugs",
    b"coc",
    b"conduct",
    b"noc",
    b"report",
    b"secure",
    b"security",
    b"usenet",
    b"webmaster",
];

/// How the names of mailing lists end.
const LIST_ENDS: &[&[u8]] = &[
    b"-announce",
    b"-announcements",
    b"-bugs",
    b"-commits",
    b"-devel",
    b"-developers",
    b"-dev",
    b"-discuss",
    b"-list",
    b"-maintainers",
    b"-patches",
    b"-request",
    b"-sig",
    b"-subscribe",
    b"-team",
    b"-unsubscribe",
    b"-users",
];

/// First labels of the domains of mailing lists and of the identifiers of messages.
const LIST_HOSTS: &[&[u8]] =
    &[b"lists", b"list", b"googlegroups", b"vger", b"bugs", b"noreply", b"reply"];

/// Least digits of a local part that identifies a message (RFC 5322, section 3.6.4).
const MESSAGE_DIGITS: usize = 12;

/// Whether an address is nobody's: reserved, metasyntactic, a machine's or a mailing list's.
pub(super) fn is_nobodys(local: &[u8], domain: &[u8]) -> bool {
    let (local, domain) = (local.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let top = memchr::memrchr(b'.', &domain).map_or(&domain[..], |dot| &domain[dot + 1..]);
    if RESERVED_TOPS.contains(&top) {
        return true;
    }
    let plain = local.len() - local.iter().rev().take(2).take_while(|b| b.is_ascii_digit()).count();
    if ANY_DOMAINS.contains(&&domain[..]) && ANY_NAMES.contains(&&local[..plain]) {
        return true;
    }
    if MACHINES.contains(&&local[..]) || OFFICES.contains(&&local[..]) {
        return true;
    }
    // `bug-make@gnu.org`; and what Gnus identifies messages by.
    if local.starts_with(b"bug-")
        || local.ends_with(b".fsf")
        || LIST_ENDS.iter().any(|end| local.ends_with(end))
    {
        return true;
    }
    // `ops+robot`, `ci-bot`, `dependabot`.
    let is_bot = |word: &[u8]| matches!(word, b"bot" | b"robot" | b"dependabot" | b"renovate");
    if local.split(|byte| matches!(byte, b'+' | b'-' | b'.' | b'_')).any(is_bot) {
        return true;
    }
    let digits = local.iter().filter(|byte| byte.is_ascii_digit()).count();
    let mut labels = domain.split(|&byte| byte == b'.');
    let first = labels.next().unwrap_or_default();
    digits >= MESSAGE_DIGITS
        || LIST_HOSTS.contains(&first)
        || domain.starts_with(b"users.noreply.")
        // Accounts of programs (Google Cloud, "Service accounts overview").
        || domain.ends_with(b".gserviceaccount.com")
        || domain == b"mail.gmail.com"
        // Names of algorithms (RFC 4251, section 6).
        || domain == b"openssh.com"
        || domain == b"libssh.org"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_addresses_of_nobody() {
        let check = |address: &str, expected: bool| {
            let (local, domain) = address.split_once('@').unwrap();
            assert_eq!(is_nobodys(local.as_bytes(), domain.as_bytes()), expected, "{address}");
        };
        for nobodys in [
            "jane@corp.test",
            "jane@site.example",
            "foo@example.com",
            "your-name@example.org",
            "author2@example.com",
            "noreply@github.com",
            "53935716+jane@users.noreply.github.com",
            "debian-devel@lists.debian.org",
            "tz-announce@iana.org",
            "linux-kernel@vger.kernel.org",
            "20200505095915.11275-7-jane@redhat.com",
            "aes256-gcm@openssh.com",
            "ops+robot@npmjs.com",
            "security@corp.com",
            "bug-make@gnu.org",
            "backup@shop.iam.gserviceaccount.com",
            "7vtzf77wjp.fsf@gitster.dyndns.org",
        ] {
            check(nobodys, true);
        }
        for someones in [
            "jane.doe@example.org",
            "zoe27@example.com",
            "rogercarr@example.com",
            "jane@corp.com",
            "info@presidio.site",
            "name@corp.com",
            "devel@corp.com",
            "jane1990@test.com",
            "ctalbot@corp.com",
        ] {
            check(someones, false);
        }
    }
}
