//! Everything that is read from files before and while we run: settings, policies, rule files and
//! the clients' configs.
//!
//! Owns: which files those are. Accepts: a [`Host`] and flags of the command line.
//! Emits: what was read, or the first thing that is wrong with it.
//! Promises: reads only; every file is bounded; nothing is taken in part.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use defenter_config::{
    Host, Paths,
    clients::{self, Discovery, Launch},
    settings::{self, Loaded, Settings, SettingsError},
};
use defenter_policy::{Layer, LayerKind, Preset};
use defenter_redact::{Kind, Options as RedactOptions, RuleFile};

use crate::{entry::Entry, notifications::actor::Tuning, restart::RestartPolicy, session::Limits};

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
    #[error("redaction.disabled_kinds names `{0}`, which is not a kind of finding")]
    Kind(String),
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
    /// For the redactor.
    pub redaction: RedactOptions,
    /// For the policy.
    pub policy: PolicyInput,
}

impl House {
    /// Reads the settings and the files that they name.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn rules(&self) -> Result<Rules, HouseError> {
        let env = self.host.env.clone();
        let sources = settings::Sources::read(&self.paths, env, self.flags.clone())?;
        let loaded = sources.load()?;
        let redaction = self.redaction(&loaded.settings)?;
        let policy = self.policy(&loaded.settings)?;
        Ok(Rules { loaded, redaction, policy })
    }

    fn redaction(&self, settings: &Settings) -> Result<RedactOptions, HouseError> {
        let kind =
            |label: &String| Kind::from_label(label).ok_or_else(|| HouseError::Kind(label.clone()));
        let disabled = &settings.redaction.disabled_kinds;
        let mut rule_files = Vec::new();
        for name in &settings.redaction.rules_files {
            let path = self.in_home(name);
            rule_files.push(RuleFile { name: name.clone(), text: read(&path)? });
        }
        Ok(RedactOptions {
            disabled_kinds: disabled.iter().map(kind).collect::<Result<_, _>>()?,
            disabled_rules: settings.redaction.disabled_rules.iter().cloned().collect(),
            rule_files,
            ..RedactOptions::default()
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

    /// The folders in which a change may change what [`House::rules`] or [`House::discover`] say.
    #[must_use]
    pub fn watched(&self) -> Vec<PathBuf> {
        let mut folders = clients::watch_paths(&self.host, &clients::Options::default());
        folders.push(self.paths.home.clone());
        folders.push(self.paths.policies.clone());
        folders.push(self.paths.organisation_policies.clone());
        folders.extend(self.paths.organisation_settings.parent().map(Path::to_owned));
        folders.sort();
        folders.dedup();
        folders
    }
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
    let startable = discovery.entries.iter().filter(|entry| !entry.disabled);
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
