//! Everything that is read from files before and while we run: settings, policies, rule files and
//! the clients' configs.
//!
//! Owns: which files those are. Accepts: a [`Host`] and flags of the command line.
//! Emits: what was read, or the first thing that is wrong with it.
//! Promises: reads only; every file is bounded; nothing is taken in part.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use defenter_config::{
    Host, Paths,
    clients::{self, Discovery, Launch, Scope},
    settings::{self, Loaded, Settings, SettingsError},
};
use defenter_policy::{Layer, LayerKind, Preset};
use defenter_redact::{Exception, Kind, Options as RedactOptions, RuleFile};

use crate::{
    entry::Entry,
    notifications::actor::Tuning,
    redaction::{RedactionInput, ServerException},
    restart::RestartPolicy,
    session::Limits,
};

mod key;

pub use key::KeyError;

/// The largest policy or rule file.
const MAX_FILE: u64 = 8 << 20;
/// The most files in a policy folder.
const MAX_FILES: usize = 256;

/// Where everything is.
#[derive(Clone, Debug)]
pub struct House {
    /// The machine and the user.
    pub host: Host,
    /// Our own files.
    pub paths: Paths,
    /// Settings from the command line, stronger than all others.
    pub flags: Vec<(String, String)>,
}

/// Why something cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A file cannot be read.
    #[error("failed to read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is too large.
    #[error("{path} is over the limit of {MAX_FILE} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A folder holds too many files.
    #[error("{path} holds more than {MAX_FILES} policy files")]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// A kind of finding is not known.
    #[error("{key} names `{kind}`, which is not a kind of finding; the kinds are {}", kinds())]
    Kind {
        /// The setting.
        key: String,
        /// What it names.
        kind: String,
    },
    /// A fingerprint is none.
    #[error("{key} does not fit: {source}")]
    Fingerprint {
        /// The setting.
        key: String,
        /// Why.
        source: defenter_redact::NotAFingerprint,
    },
}

/// What the policy actor compiles.
#[derive(Clone, Debug)]
pub struct PolicyInput {
    /// The built-in rules to start from.
    pub preset: Preset,
    /// The files.
    pub layers: Vec<Layer>,
}

/// One reading of everything but the clients' configs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The settings, and where each comes from.
    pub loaded: Loaded,
    /// For the redactors.
    pub redaction: RedactionInput,
    /// Why findings have no fingerprints, where their key cannot be used.
    pub key_trouble: Option<String>,
    /// For the policy.
    pub policy: PolicyInput,
}

impl House {
    /// Reads the settings and the files that they name.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn rules(&self) -> Result<Rules, HouseError> {
        self.rules_of(self.settings()?)
    }

    /// Reads the settings alone.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn settings(&self) -> Result<Loaded, HouseError> {
        let env = self.host.env.clone();
        Ok(settings::Sources::read(&self.paths, env, self.flags.clone())?.load()?)
    }

    /// Reads the files that these settings name.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn rules_of(&self, loaded: Loaded) -> Result<Rules, HouseError> {
        let (fingerprint_key, key_trouble) = match key::read(&self.fingerprint_key()) {
            Ok(key) => (key, None),
            Err(error) => (None, Some(format!("findings have no fingerprints: {error}"))),
        };
        let redaction = self.redaction(&loaded.settings, fingerprint_key)?;
        let policy = self.policy(&loaded.settings)?;
        Ok(Rules { loaded, redaction, policy, key_trouble })
    }

    /// Makes the key of the fingerprints, where there is none yet.
    ///
    /// # Errors
    /// Where it cannot be written; findings then have no fingerprints.
    pub fn make_fingerprint_key(&self) -> Result<(), KeyError> {
        key::make(&self.fingerprint_key())
    }

    fn fingerprint_key(&self) -> PathBuf {
        self.paths.state.join("fingerprint.key")
    }

    fn redaction(
        &self,
        settings: &Settings,
        fingerprint_key: Option<[u8; 32]>,
    ) -> Result<RedactionInput, HouseError> {
        let settings = &settings.redaction;
        let mut rule_files = Vec::new();
        for name in &settings.rules {
            rule_files.push(RuleFile { name: name.clone(), text: read(&self.in_home(name))? });
        }
        let exceptions = settings.exceptions.iter().enumerate();
        Ok(RedactionInput {
            options: RedactOptions {
                disabled_kinds: kinds_of("redaction.disabled_kinds", &settings.disabled_kinds)?,
                enabled_kinds: kinds_of("redaction.enabled_kinds", &settings.enabled_kinds)?,
                disabled_rules: settings.disabled_rules.iter().cloned().collect(),
                rule_files,
                fingerprint_key,
                ..RedactOptions::default()
            },
            exceptions: exceptions.map(exception).collect::<Result<_, _>>()?,
            numbered: settings.numbered,
        })
    }

    fn policy(&self, settings: &Settings) -> Result<PolicyInput, HouseError> {
        let own = settings.policy.directory.as_ref();
        let own = own.map_or_else(|| self.paths.policies.clone(), |path| self.in_home(path));
        let mut layers = Vec::new();
        for (kind, folder) in
            [(LayerKind::Organisation, &self.paths.organisation_policies), (LayerKind::User, &own)]
        {
            for path in policy_files(folder)? {
                layers.push(Layer { kind, text: read(&path)?, path });
            }
        }
        Ok(PolicyInput { preset: preset(settings.policy.preset), layers })
    }

    fn in_home(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.host.home.join(rest),
            None => self.paths.home.join(path),
        }
    }

    /// Reads the configs of all clients.
    #[must_use]
    pub fn discover(&self) -> Discovery {
        clients::discover(&self.host, &clients::Options::default())
    }

    /// The folders in which a change may change what [`House::rules`] or [`House::discover`] say,
    /// with these settings where they could be read.
    #[must_use]
    pub fn watched(&self, settings: Option<&Settings>) -> Vec<PathBuf> {
        let mut folders = clients::watch_paths(&self.host, &clients::Options::default());
        folders.push(self.paths.home.clone());
        folders.push(self.paths.policies.clone());
        folders.push(self.paths.organisation_policies.clone());
        folders.extend(self.paths.organisation_settings.parent().map(Path::to_owned));
        for name in settings.iter().flat_map(|settings| &settings.redaction.rules) {
            folders.extend(self.in_home(name).parent().map(Path::to_owned));
        }
        folders.sort();
        folders.dedup();
        folders
    }
}

fn exception(
    (index, written): (usize, &settings::Exception),
) -> Result<ServerException, HouseError> {
    let key = |name: &str| format!("redaction.exceptions[{index}].{name}");
    let fingerprint = |text: &String| {
        let fail = |source| HouseError::Fingerprint { key: key("fingerprints"), source };
        text.parse().map_err(fail)
    };
    let exception = Exception {
        rules: written.rules.iter().cloned().collect(),
        kinds: kinds_of(&key("kinds"), &written.kinds)?,
        values: written.values.clone(),
        fingerprints: written.fingerprints.iter().map(fingerprint).collect::<Result<_, _>>()?,
        reason: written.reason.clone(),
    };
    Ok(ServerException { servers: written.servers.clone(), exception })
}

fn kinds_of(key: &str, labels: &[String]) -> Result<BTreeSet<Kind>, HouseError> {
    let kind = |label: &String| {
        let fail = || HouseError::Kind { key: key.to_owned(), kind: label.clone() };
        Kind::from_label(label).ok_or_else(fail)
    };
    labels.iter().map(kind).collect()
}

fn kinds() -> String {
    Kind::ALL.iter().map(|kind| kind.label()).collect::<Vec<_>>().join(", ")
}

fn preset(preset: settings::Preset) -> Preset {
    match preset {
        settings::Preset::Balanced => Preset::Balanced,
        settings::Preset::Strict => Preset::Strict,
        settings::Preset::ReadOnly => Preset::ReadOnly,
        settings::Preset::Observe => Preset::Observe,
    }
}

fn policy_files(folder: &Path) -> Result<Vec<PathBuf>, HouseError> {
    let fail = |source| HouseError::Read { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(HouseError::TooMany { path: folder.to_owned() });
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, HouseError> {
    let fail = |source| HouseError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(fail)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > MAX_FILE {
        return Err(HouseError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

/// The limits of sessions, as the settings say.
#[must_use]
pub fn limits(settings: &Settings) -> Limits {
    use std::time::Duration;
    let bytes = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let count = |value: u32| bytes(value.into());
    Limits {
        line: bytes(settings.proxy.max_line_bytes),
        grace: defenter_mcp::process::Grace {
            eof: Duration::from_millis(settings.shutdown.eof_grace_ms),
            term: Duration::from_millis(settings.shutdown.term_grace_ms),
        },
        ask: settings.dialog.enabled,
        parked: count(settings.dialog.max_pending),
        hold: Duration::from_secs(settings.dialog.timeout_s),
        open: Duration::from_secs(settings.dialog.timeout_s + settings.dialog.keep_open_s),
        payload: bytes(settings.audit.max_payload_bytes),
        drain: Duration::from_secs(30),
        unresponsive_after: Duration::from_millis(settings.restart.unresponsive_after_ms),
        kill_unresponsive: settings.restart.unresponsive,
        stderr_lines: count(settings.log.server_stderr_lines),
    }
}

/// How findings are told on the desktop, as the settings say.
pub(crate) fn notifications(settings: &Settings) -> Tuning {
    Tuning {
        enabled: settings.notifications.enabled,
        interval: std::time::Duration::from_secs(settings.notifications.interval_s),
    }
}

/// The settings that differ and are only read when a supervisor starts, by their keys.
#[must_use]
pub fn needs_restart(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let (console, audit, log) = (&old.console, &old.audit, &old.log);
    let differs = [
        ("console.enabled", console.enabled != new.console.enabled),
        ("console.listen", console.listen != new.console.listen),
        ("audit.durability", audit.durability != new.audit.durability),
        ("audit.max_file_bytes", audit.max_file_bytes != new.audit.max_file_bytes),
        ("audit.max_total_bytes", audit.max_total_bytes != new.audit.max_total_bytes),
        ("log.level", log.level != new.log.level),
        ("log.format", log.format != new.log.format),
    ];
    differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}

/// The restart policy, as the settings say.
#[must_use]
pub fn restart_policy(settings: &Settings) -> RestartPolicy {
    use std::time::Duration;
    let settings = &settings.restart;
    RestartPolicy {
        initial: Duration::from_millis(settings.backoff_initial_ms),
        max: Duration::from_millis(settings.backoff_max_ms),
        reset_after: Duration::from_millis(settings.reset_after_ms),
        intensity: settings.intensity,
        window: Duration::from_millis(settings.window_ms),
    }
}

/// The entries that get a `Server` actor: programs that their client may start.
#[must_use]
pub fn entries(discovery: &Discovery) -> Vec<Entry> {
    let is_here = |entry: &&clients::Entry| entry.scope != Scope::Elsewhere;
    let startable = discovery.entries.iter().filter(|entry| !entry.disabled).filter(is_here);
    startable
        .filter_map(|entry| {
            let Launch::Stdio(stdio) = entry.server() else { return None };
            let command = std::iter::once(&stdio.command).chain(&stdio.args).cloned().collect();
            let scope = match &entry.project {
                Some(project) => format!("{} {project}", entry.scope),
                None => entry.scope.to_string(),
            };
            Some(Entry {
                client: entry.client.to_string(),
                scope,
                name: entry.name.clone(),
                command,
                env: stdio.env.iter().cloned().collect::<BTreeMap<_, _>>(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_read_at_the_start_and_has_changed_needs_a_restart() {
        let old = Settings::default();
        let mut new = Settings::default();
        new.dialog.timeout_s += 1;
        new.audit.max_payload_bytes += 1;
        assert!(needs_restart(&old, &new).is_empty());
        new.audit.max_file_bytes += 1;
        new.console.listen = "127.0.0.1:7421".to_owned();
        assert_eq!(needs_restart(&old, &new), ["console.listen", "audit.max_file_bytes"]);
    }
}
