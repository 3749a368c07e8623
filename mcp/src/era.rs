//! Which era of the protocol a session speaks.
//!
//! Owns: the rule. Accepts: what the client asks and how the server answers. Emits: an [`Era`].
//! Promises: nothing is decided by the first message alone, since today's clients often open with
//! `server/discover` and fall back to `initialize` in the same process.

use crate::read;

/// The era of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Era {
    /// Nothing has told yet.
    #[default]
    Unknown,
    /// Up to 2025-11-25: a handshake, a session, requests in both directions.
    Legacy,
    /// 2026-07-28: every request stands alone, and questions come inside results.
    Modern,
}

/// The member of `params._meta` that every request of the modern era carries.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The member of `params._meta` that ties a notification to a `subscriptions/listen`.
pub const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

impl Era {
    /// The era once the client has asked this.
    #[must_use]
    pub fn after_request(self, method: &str, params: Option<&[u8]>) -> Self {
        let opening = matches!(method, "initialize" | "server/discover");
        if self != Self::Unknown || opening {
            return self;
        }
        let versioned = params.and_then(|params| read::member_at(params, &["_meta", META_VERSION]));
        if versioned.is_some() { Self::Modern } else { self }
    }

    /// The era once the server has answered this, with a result where `success`.
    ///
    /// A server that answers discovery may still take `initialize` afterwards, which then decides.
    #[must_use]
    pub fn after_answer(self, method: &str, success: bool) -> Self {
        match (method, self) {
            ("initialize", _) if success => Self::Legacy,
            ("server/discover", Self::Unknown) if success => Self::Modern,
            _ => self,
        }
    }

    /// Whether this is [`Era::Modern`].
    #[must_use]
    pub fn is_modern(self) -> bool {
        self == Self::Modern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script: `?method` asks plainly, `#method` asks with the modern member, `+method` is
    /// answered with a result, `-method` with an error.
    fn check(script: &str, expected: Era) {
        let modern = br#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#;
        let end = script.split(' ').fold(Era::default(), |era, step| match step.split_at(1) {
            ("?", method) => era.after_request(method, None),
            ("#", method) => era.after_request(method, Some(modern)),
            ("+", method) => era.after_answer(method, true),
            (_, method) => era.after_answer(method, false),
        });
        assert_eq!(end, expected, "{script}");
    }

    #[test]
    fn the_era_follows_questions_and_answers() {
        check("?initialize", Era::Unknown);
        check("?initialize +initialize", Era::Legacy);
        check("?initialize -initialize", Era::Unknown);
        check("#server/discover", Era::Unknown);
        check("#server/discover -server/discover ?initialize +initialize", Era::Legacy);
        check("#server/discover +server/discover", Era::Modern);
        check("#server/discover +server/discover ?initialize +initialize", Era::Legacy);
        check("#server/discover +server/discover ?initialize -initialize", Era::Modern);
        check("#tools/list", Era::Modern);
        check("?initialize +initialize #tools/list", Era::Legacy);
        check("?tools/list", Era::Unknown);
    }
}
