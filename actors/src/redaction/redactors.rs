//! The redactors of the moment: one for each set of exceptions, all with the same tables.
//!
//! Owns: which exceptions apply to which server. Accepts: options and exceptions as read.
//! Emits: the redactor of a server, by its name.
//! Promises: a server that no exception names gets what is for all servers; what is about no server
//! gets no exceptions at all.

use std::{collections::HashMap, sync::Arc};

use defenter_redact::{Exception, Options, Redactor, RuleError};

/// What redactors are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactionInput {
    /// What is looked for.
    pub options: Options,
    /// What is left alone.
    pub exceptions: Vec<ServerException>,
    /// Whether equal values of a session get equal numbers.
    pub numbered: bool,
}

/// An exception, and where it applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerException {
    /// The servers, as the clients' configs call them; all where none is named.
    pub servers: Vec<String>,
    /// What is left alone there.
    pub exception: Exception,
}

/// See the module.
#[derive(Debug)]
pub struct Redactors {
    /// With no exceptions.
    plain: Arc<Redactor>,
    /// With the exceptions for all servers.
    common: Arc<Redactor>,
    named: HashMap<String, Arc<Redactor>>,
    numbered: bool,
}

impl ServerException {
    /// Whether it applies to the server of that name.
    #[must_use]
    pub fn is_for(&self, server: &str) -> bool {
        self.servers.is_empty() || self.servers.iter().any(|name| name == server)
    }
}

impl Redactors {
    /// Compiles rules and exceptions.
    ///
    /// # Errors
    /// The first rule or exception that cannot be used.
    pub fn compile(input: &RedactionInput) -> Result<Self, RuleError> {
        let plain = Redactor::with_options(&input.options)?;
        let exceptions: Vec<_> =
            input.exceptions.iter().map(|one| redacted(&plain, &one.exception)).collect();
        let all = plain.with_exceptions(&exceptions)?;
        let mut views: HashMap<Vec<bool>, Arc<Redactor>> = HashMap::new();
        let mut view_for = |is_for: &dyn Fn(&ServerException) -> bool| {
            let kept: Vec<bool> = input.exceptions.iter().map(is_for).collect();
            let view = views.entry(kept);
            view.or_insert_with_key(|kept| Arc::new(all.keeping_exceptions(|index| kept[index])))
                .clone()
        };
        let common = view_for(&|one| one.servers.is_empty());
        let mut named = HashMap::new();
        for server in input.exceptions.iter().flat_map(|one| &one.servers) {
            if !named.contains_key(server) {
                named.insert(server.clone(), view_for(&|one| one.is_for(server)));
            }
        }
        Ok(Self { plain: Arc::new(plain), common, named, numbered: input.numbered })
    }

    /// The redactor for what passes to and from a server.
    #[must_use]
    pub fn of(&self, server: &str) -> &Arc<Redactor> {
        self.named.get(server).unwrap_or(&self.common)
    }

    /// The redactor of a server that no exception names.
    #[must_use]
    pub fn common(&self) -> &Arc<Redactor> {
        &self.common
    }

    /// The redactor for what is about no server.
    #[must_use]
    pub fn plain(&self) -> &Arc<Redactor> {
        &self.plain
    }

    /// Whether equal values of a session get equal numbers.
    #[must_use]
    pub fn numbered(&self) -> bool {
        self.numbered
    }
}

/// An exception whose reason may be recorded and shown.
fn redacted(redactor: &Redactor, exception: &Exception) -> Exception {
    let reason = exception.reason.as_bytes();
    let copy = redactor.scan_text(reason).apply(reason).into_owned();
    Exception { reason: String::from_utf8_lossy(&copy).into_owned(), ..exception.clone() }
}

#[cfg(test)]
mod tests {
    use defenter_redact::Kind;

    use super::*;

    fn exception(servers: &[&str], kind: Kind, reason: &str) -> ServerException {
        ServerException {
            servers: servers.iter().map(|&name| name.to_owned()).collect(),
            exception: Exception {
                kinds: [kind].into(),
                reason: reason.to_owned(),
                ..Exception::default()
            },
        }
    }

    fn input() -> RedactionInput {
        let exceptions = vec![
            exception(&[], Kind::Mac, "for all"),
            exception(&["a", "b"], Kind::Email, "ask jane.doe@corp-mail.net"),
            exception(&["b", "c"], Kind::Iban, "for two"),
        ];
        RedactionInput { exceptions, ..RedactionInput::default() }
    }

    #[test]
    fn each_server_has_its_own_exceptions_and_those_for_all() {
        let redactors = Redactors::compile(&input()).unwrap();
        let text =
            b"00:1b:44:11:3a:b7 ann@corp-mail.net DE89370400440532013000 hunter2 password=hunter2-x9";
        let kinds = |redactor: &Redactor| -> Vec<Kind> {
            redactor.scan_text(text).kinds().filter(|kind| !kind.is_secret()).collect()
        };
        let check = |server, expected: &[Kind]| {
            assert_eq!(kinds(redactors.of(server)), expected, "{server}");
        };
        check("a", &[Kind::Iban]);
        check("b", &[]);
        check("c", &[Kind::Email]);
        check("another", &[Kind::Iban, Kind::Email]);
        assert_eq!(kinds(redactors.plain()), [Kind::Iban, Kind::Email, Kind::Mac]);
    }

    #[test]
    fn servers_with_the_same_exceptions_share_a_redactor() {
        let more = exception(&["d", "e", "d"], Kind::Phone, "for two more");
        let mut input = input();
        input.exceptions.push(more);
        let redactors = Redactors::compile(&input).unwrap();
        assert!(Arc::ptr_eq(redactors.of("d"), redactors.of("e")));
        assert!(Arc::ptr_eq(redactors.of("x"), redactors.of("y")));
        assert!(!Arc::ptr_eq(redactors.of("a"), redactors.of("b")));
    }

    #[test]
    fn the_reason_that_is_told_holds_no_secret() {
        let redactors = Redactors::compile(&input()).unwrap();
        let scan = redactors.of("a").scan_text(b"bob@corp-mail.net");
        let told: Vec<&str> = scan.exceptions().map(|reason| &**reason).collect();
        assert_eq!(told, ["ask [REDACTED-EMAIL]"]);
    }
}
