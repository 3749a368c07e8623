//! Paths that a text names.
//!
//! Owns: which paths need care, and whether a path stays inside the workspace.
//! Accepts: one path as a tool would be given it. Emits: [`Seen`].
//! Promises: lexical only, nothing is read from the disk; separators of both families, `.` and
//! `..`, `~`, `$HOME`, percent-encoding, letter case and shell wildcards do not hide a path.

use std::borrow::Cow;
use std::path::{Component, Path};

use crate::facts::ProtectedPath;
use crate::hosts::percent_decode;

/// Longest text with spaces in it that is read as one path (Linux's `PATH_MAX`).
pub(crate) const MAX_PATH: usize = 4096;
/// Most components that are kept; no system takes a path that has more when `..` is resolved.
const MAX_COMPONENTS: usize = 2048;

/// What is known of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whether it lies outside all roots. Never true where no roots are known.
    pub(crate) outside: bool,
    /// Why it needs care.
    pub(crate) protected: Option<ProtectedPath>,
}

/// A path, cut into lower-case components.
struct Parts<'a> {
    /// The components, `.` and `..` resolved.
    components: Vec<Cow<'a, str>>,
    /// Where it starts.
    base: Base,
    /// More `..` than there were components.
    escapes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Absolute,
    Home,
    Relative,
}

/// What surrounds the paths of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    home: Option<Vec<String>>,
    roots: Vec<Vec<String>>,
}

impl Surroundings {
    /// Of the user's home directory and the roots of the workspace.
    pub(crate) fn new(home: Option<&Path>, roots: &[impl AsRef<Path>]) -> Self {
        Self {
            home: home.map(components_of),
            roots: roots.iter().map(|root| components_of(root.as_ref())).collect(),
        }
    }

    fn is_outside(&self, parts: &Parts<'_>) -> bool {
        if self.roots.is_empty() {
            return false;
        }
        let within = |path: &[Cow<'_, str>]| {
            self.roots.iter().any(|root| {
                root.len() <= path.len() && root.iter().zip(path).all(|(root, part)| root == part)
            })
        };
        match (parts.base, &self.home) {
            (Base::Relative, _) => parts.escapes,
            (Base::Absolute, _) => !within(&parts.components),
            (Base::Home, None) => true,
            (Base::Home, Some(home)) => {
                let mut path: Vec<_> = home.iter().map(|part| Cow::Borrowed(&**part)).collect();
                path.extend(parts.components.iter().cloned());
                parts.escapes || !within(&path)
            }
        }
    }
}

fn components_of(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_string_lossy().to_lowercase()),
            Component::Prefix(prefix) => Some(prefix.as_os_str().to_string_lossy().to_lowercase()),
            _ => None,
        })
        .collect()
}

/// Whether a text by itself is written as a path: absolute, from home, or explicitly relative.
pub(crate) fn is_explicit(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'/', b'/', ..] => false,
        [b'/' | b'~', ..] | [b'.', b'/' | b'\\', ..] | [b'.', b'.', ..] | [b'\\', b'\\', ..] => {
            true
        }
        [drive, b':', b'/' | b'\\', ..] => drive.is_ascii_alphabetic(),
        _ => text.starts_with("$HOME") || text.starts_with("${HOME}"),
    }
}

/// Looks at a path.
pub(crate) fn inspect(text: &str, around: &Surroundings) -> Seen {
    let parts = cut(text);
    Seen { outside: around.is_outside(&parts), protected: protected(&parts) }
}

fn cut(text: &str) -> Parts<'_> {
    let text = text.trim();
    let (text, base) = base_of(text);
    let mut parts = Parts { components: Vec::with_capacity(8), base, escapes: false };
    let mut beyond = 0usize;
    for part in text.split(['/', '\\', '\0']) {
        match part {
            "" | "." => {}
            ".." if beyond > 0 => beyond -= 1,
            ".." => parts.escapes |= parts.components.pop().is_none(),
            // Windows ignores dots and spaces at the end of a name.
            _ if parts.components.len() < MAX_COMPONENTS => {
                parts.components.push(lower(part.trim_end_matches(['.', ' '])));
            }
            _ => beyond += 1,
        }
    }
    parts
}

fn base_of(text: &str) -> (&str, Base) {
    for home in ["~", "$HOME", "${HOME}", "%USERPROFILE%", "$env:USERPROFILE", "%HOMEPATH%"] {
        let head = text.get(..home.len());
        if head.is_some_and(|head| head.eq_ignore_ascii_case(home)) {
            return (&text[home.len()..], Base::Home);
        }
    }
    let absolute = text.starts_with(['/', '\\']) || text.as_bytes().get(1) == Some(&b':');
    (text, if absolute { Base::Absolute } else { Base::Relative })
}

fn lower(part: &str) -> Cow<'_, str> {
    if part.bytes().any(|b| b.is_ascii_uppercase()) || !part.is_ascii() {
        Cow::Owned(part.to_lowercase())
    } else {
        Cow::Borrowed(part)
    }
}

/// The readings of a text as a path: as it stands, and with its percent-encoding taken off once
/// and twice.
pub(crate) fn readings(text: &str, visit: &mut impl FnMut(&str)) {
    let text = text.strip_prefix("file:").map_or(text, |rest| {
        let path = rest.trim_start_matches('/');
        let local = path.strip_prefix("localhost/").unwrap_or(path);
        // Keep one slash: a file address is absolute.
        let start = rest.len() - local.len();
        rest.get(start.saturating_sub(1)..).unwrap_or(local)
    });
    visit(text);
    if text.contains('%') {
        let once = percent_decode(text);
        visit(&once);
        let twice = percent_decode(&once);
        if twice != once {
            visit(&twice);
        }
    }
}

fn protected(parts: &Parts<'_>) -> Option<ProtectedPath> {
    let components = &parts.components;
    if parts.base == Base::Home && components.len() == 1 && components[0] == ".npmrc" {
        return Some(ProtectedPath::KeyMaterial);
    }
    (0..components.len()).find_map(|at| {
        let rest = &components[at..];
        let first = rest[0].as_bytes().first().copied()?;
        if !STARTS[usize::from(first)] {
            return None;
        }
        if is_wild(&rest[0]) && !is_telling(&rest[0]) {
            return None;
        }
        PROTECTED
            .iter()
            .filter(|(pattern, _)| pattern.as_bytes().first() == Some(&first))
            .find(|(pattern, _)| matches_pattern(pattern, rest))
            .map(|(_, reason)| *reason)
    })
}

/// The bytes that patterns start with.
const STARTS: [bool; 256] = starts(false);
/// The bytes that patterns of one component start with.
const BARE_STARTS: [bool; 256] = starts(true);

const fn starts(bare: bool) -> [bool; 256] {
    let mut found = [false; 256];
    let mut at = 0;
    while at < PROTECTED.len() {
        let pattern = PROTECTED[at].0.as_bytes();
        let mut length = 0;
        while length < pattern.len() && pattern[length] != b'/' {
            length += 1;
        }
        if !bare || length == pattern.len() {
            found[pattern[0] as usize] = true;
        }
        at += 1;
    }
    found
}

/// Whether a name by itself that starts with this byte can need care.
pub(crate) fn is_bare_start(byte: u8) -> bool {
    BARE_STARTS[usize::from(byte)]
}

/// Whether a wildcard says enough to mean something: `*` and `*.json` mean anything, `.ss?` does
/// not.
fn is_telling(part: &str) -> bool {
    let literal = part.bytes().filter(|b| !matches!(b, b'*' | b'?')).count();
    literal >= if part.starts_with('.') { 2 } else { 3 } && !part.starts_with(['*', '?'])
}

fn matches_pattern(pattern: &str, rest: &[Cow<'_, str>]) -> bool {
    let mut at = 0;
    for wanted in pattern.split('/') {
        if wanted == "**" {
            return true;
        }
        match rest.get(at) {
            Some(part) if matches_part(wanted, part) => at += 1,
            _ => return false,
        }
    }
    at == rest.len()
}

/// Whether a component is, or as a shell wildcard could be, what a pattern names.
fn matches_part(wanted: &str, part: &str) -> bool {
    if wanted == part {
        return true;
    }
    if wanted.contains('*') {
        // `id_*` but not the public half of a key pair.
        if part.ends_with(".pub") {
            return false;
        }
        return glob(wanted.as_bytes(), part.as_bytes())
            || (is_wild(part) && glob(part.as_bytes(), wanted.as_bytes()));
    }
    is_wild(part) && part.len() <= 64 && glob(part.as_bytes(), wanted.as_bytes())
}

fn is_wild(part: &str) -> bool {
    part.bytes().any(|b| matches!(b, b'*' | b'?'))
}

/// Matches `*` and `?`, in time bounded by the product of the lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(&b) if b == b'?' || b == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                p = after;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

/// Paths that need care: components from anywhere in a path to its end, lower case; `**` stands
/// for the directory itself and everything below it.
const PROTECTED: &[(&str, ProtectedPath)] = {
    use ProtectedPath::{
        Autostart, ClientConfig, Defenter, EditorSettings, EnvFile, GitHook, KeyMaterial,
        ShellStartup,
    };
    &[
        // Keys, tokens, passwords.
        (".ssh", KeyMaterial),
        (".ssh/id_*", KeyMaterial),
        (".ssh/*.pem", KeyMaterial),
        (".ssh/*.key", KeyMaterial),
        (".ssh/*_rsa", KeyMaterial),
        (".ssh/*_ed25519", KeyMaterial),
        (".ssh/*_ecdsa", KeyMaterial),
        ("id_rsa", KeyMaterial),
        ("id_dsa", KeyMaterial),
        ("id_ecdsa", KeyMaterial),
        ("id_ed25519", KeyMaterial),
        ("ssh_host_*_key", KeyMaterial),
        (".aws", KeyMaterial),
        (".aws/credentials", KeyMaterial),
        (".aws/sso/**", KeyMaterial),
        (".aws/cli/cache/**", KeyMaterial),
        (".gnupg/**", KeyMaterial),
        (".password-store/**", KeyMaterial),
        (".kube/config", KeyMaterial),
        (".docker/config.json", KeyMaterial),
        (".netrc", KeyMaterial),
        ("_netrc", KeyMaterial),
        (".git-credentials", KeyMaterial),
        (".config/git/credentials", KeyMaterial),
        (".config/gh/hosts.yml", KeyMaterial),
        (".config/gcloud/credentials.db", KeyMaterial),
        (".config/gcloud/access_tokens.db", KeyMaterial),
        (".config/gcloud/application_default_credentials.json", KeyMaterial),
        (".config/gcloud/legacy_credentials/**", KeyMaterial),
        ("gcloud/application_default_credentials.json", KeyMaterial),
        (".azure/accesstokens.json", KeyMaterial),
        (".azure/msal_token_cache.*", KeyMaterial),
        (".azure/service_principal_entries.*", KeyMaterial),
        (".oci/*.pem", KeyMaterial),
        (".pypirc", KeyMaterial),
        (".pgpass", KeyMaterial),
        (".my.cnf", KeyMaterial),
        (".vault-token", KeyMaterial),
        (".terraform.d/credentials.tfrc.json", KeyMaterial),
        (".terraformrc", KeyMaterial),
        (".cargo/credentials", KeyMaterial),
        (".cargo/credentials.toml", KeyMaterial),
        (".gem/credentials", KeyMaterial),
        (".composer/auth.json", KeyMaterial),
        (".config/composer/auth.json", KeyMaterial),
        (".config/rclone/rclone.conf", KeyMaterial),
        (".config/op/**", KeyMaterial),
        (".config/sops/age/keys.txt", KeyMaterial),
        (".claude/.credentials.json", KeyMaterial),
        (".codex/auth.json", KeyMaterial),
        (".gemini/oauth_creds.json", KeyMaterial),
        ("library/keychains/**", KeyMaterial),
        (".local/share/keyrings/**", KeyMaterial),
        (".electrum/wallets/**", KeyMaterial),
        (".bitcoin/wallet.dat", KeyMaterial),
        (".ethereum/keystore/**", KeyMaterial),
        (".mozilla/firefox/*/logins.json", KeyMaterial),
        (".mozilla/firefox/*/key4.db", KeyMaterial),
        ("firefox/profiles/*/logins.json", KeyMaterial),
        ("firefox/profiles/*/key4.db", KeyMaterial),
        ("login data", KeyMaterial),
        ("default/cookies", KeyMaterial),
        ("default/network/cookies", KeyMaterial),
        ("etc/shadow", KeyMaterial),
        ("etc/gshadow", KeyMaterial),
        ("etc/sudoers", Autostart),
        ("etc/sudoers.d/*", Autostart),
        ("proc/*/environ", KeyMaterial),
        ("microsoft/credentials/**", KeyMaterial),
        ("microsoft/protect/**", KeyMaterial),
        // Our own.
        (".defenter/**", Defenter),
        // What tells an AI client which servers to start.
        ("claude_desktop_config.json", ClientConfig),
        (".claude.json", ClientConfig),
        (".mcp.json", ClientConfig),
        (".claude/settings.json", ClientConfig),
        (".claude/settings.local.json", ClientConfig),
        (".claude/hooks/**", ClientConfig),
        (".cursor/mcp.json", ClientConfig),
        (".cursor/hooks.json", ClientConfig),
        (".cursor/hooks/**", ClientConfig),
        (".vscode/mcp.json", ClientConfig),
        ("user/mcp.json", ClientConfig),
        (".codex/config.toml", ClientConfig),
        (".codex/hooks.json", ClientConfig),
        (".gemini/settings.json", ClientConfig),
        (".gemini/config/mcp_config.json", ClientConfig),
        (".gemini/antigravity/mcp_config.json", ClientConfig),
        (".qwen/settings.json", ClientConfig),
        ("mcp_config.json", ClientConfig),
        ("cline_mcp_settings.json", ClientConfig),
        ("mcp_settings.json", ClientConfig),
        ("mcp-config.json", ClientConfig),
        (".roo/mcp.json", ClientConfig),
        (".kiro/settings/mcp.json", ClientConfig),
        (".aws/amazonq/**", ClientConfig),
        (".amazonq/mcp.json", ClientConfig),
        (".junie/mcp/mcp.json", ClientConfig),
        (".lmstudio/mcp.json", ClientConfig),
        (".continue/config.*", ClientConfig),
        (".continue/mcpservers/*", ClientConfig),
        (".config/goose/config.yaml", ClientConfig),
        ("goose/config/config.yaml", ClientConfig),
        (".config/opencode/**", ClientConfig),
        ("opencode.json", ClientConfig),
        ("opencode.jsonc", ClientConfig),
        (".warp/.mcp.json", ClientConfig),
        (".factory/mcp.json", ClientConfig),
        (".augment/settings.json", ClientConfig),
        (".vibe/config.toml", ClientConfig),
        (".kimi/mcp.json", ClientConfig),
        (".grok/config.toml", ClientConfig),
        (".copilot/**", ClientConfig),
        (".github/mcp.json", ClientConfig),
        ("trae/user/mcp.json", ClientConfig),
        (".trae/mcp.json", ClientConfig),
        // What can switch an editor's confirmations off or run commands in it.
        (".vscode/settings.json", EditorSettings),
        (".vscode/tasks.json", EditorSettings),
        (".vscode/launch.json", EditorSettings),
        ("code/user/settings.json", EditorSettings),
        ("code/user/tasks.json", EditorSettings),
        ("cursor/user/settings.json", EditorSettings),
        (".config/zed/settings.json", EditorSettings),
        (".zed/settings.json", EditorSettings),
        (".idea/workspace.xml", EditorSettings),
        // Run by a shell or a login.
        (".bashrc", ShellStartup),
        (".bash_profile", ShellStartup),
        (".bash_login", ShellStartup),
        (".bash_logout", ShellStartup),
        (".bash_aliases", ShellStartup),
        (".profile", ShellStartup),
        (".zshrc", ShellStartup),
        (".zshenv", ShellStartup),
        (".zprofile", ShellStartup),
        (".zlogin", ShellStartup),
        (".zlogout", ShellStartup),
        (".kshrc", ShellStartup),
        (".cshrc", ShellStartup),
        (".tcshrc", ShellStartup),
        (".xinitrc", ShellStartup),
        (".xprofile", ShellStartup),
        (".xsession", ShellStartup),
        (".xsessionrc", ShellStartup),
        (".pam_environment", ShellStartup),
        (".config/fish/config.fish", ShellStartup),
        (".config/fish/conf.d/*", ShellStartup),
        (".config/fish/functions/*", ShellStartup),
        (".config/nushell/*", ShellStartup),
        (".config/powershell/*", ShellStartup),
        ("windowspowershell/*profile.ps1", ShellStartup),
        ("powershell/*profile.ps1", ShellStartup),
        ("etc/profile", ShellStartup),
        ("etc/profile.d/*", ShellStartup),
        ("etc/bash.bashrc", ShellStartup),
        ("etc/zsh/*", ShellStartup),
        ("etc/environment", ShellStartup),
        ("etc/ld.so.preload", ShellStartup),
        // Run at login or by a schedule, or a way in.
        (".ssh/authorized_keys", Autostart),
        (".ssh/rc", Autostart),
        (".ssh/environment", Autostart),
        (".ssh/config", Autostart),
        (".config/autostart/*", Autostart),
        (".config/systemd/user/**", Autostart),
        ("library/launchagents/*", Autostart),
        ("library/launchdaemons/*", Autostart),
        ("etc/systemd/system/**", Autostart),
        ("lib/systemd/system/*", Autostart),
        ("etc/crontab", Autostart),
        ("etc/cron.d/*", Autostart),
        ("etc/cron.daily/*", Autostart),
        ("etc/cron.hourly/*", Autostart),
        ("etc/cron.weekly/*", Autostart),
        ("etc/cron.monthly/*", Autostart),
        ("var/spool/cron/**", Autostart),
        ("etc/init.d/*", Autostart),
        ("etc/rc.local", Autostart),
        ("start menu/programs/startup/*", Autostart),
        // Run by git.
        (".git/hooks/**", GitHook),
        (".git/config", GitHook),
        (".git/modules/*/hooks/**", GitHook),
        (".git/modules/*/config", GitHook),
        (".git/info/attributes", GitHook),
        (".gitconfig", GitHook),
        (".config/git/config", GitHook),
        (".config/git/hooks/**", GitHook),
        // Often holds secrets.
        (".env", EnvFile),
        (".env.*", EnvFile),
        // direnv runs it, but asks the user after every change.
        (".envrc", EnvFile),
    ]
};

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn around() -> Surroundings {
        let roots = [PathBuf::from("/home/ann/project"), PathBuf::from("/srv/Data")];
        Surroundings::new(Some(Path::new("/home/ann")), &roots)
    }

    fn reason(path: &str) -> Option<ProtectedPath> {
        let mut found = None;
        readings(path, &mut |path| {
            found = found.or(inspect(path, &around()).protected);
        });
        found
    }

    #[test]
    fn paths_that_need_care_are_known() {
        use ProtectedPath::{
            Autostart, ClientConfig, Defenter, EditorSettings, EnvFile, GitHook, KeyMaterial,
            ShellStartup,
        };
        for (path, wanted) in [
            ("~/.ssh/id_rsa", KeyMaterial),
            ("/home/ann/.ssh/id_ed25519", KeyMaterial),
            ("/Users/ann/.SSH/ID_RSA", KeyMaterial),
            (r"C:\Users\ann\.ssh\id_rsa", KeyMaterial),
            ("../../.ssh/id_rsa", KeyMaterial),
            ("$HOME/.ssh/id_rsa", KeyMaterial),
            ("/home/ann/x/../.ssh/./id_rsa", KeyMaterial),
            ("/home/ann/.ssh//id_rsa", KeyMaterial),
            ("~/.ssh", KeyMaterial),
            ("~/.ssh/*", KeyMaterial),
            ("~/.ss?/id_*", KeyMaterial),
            ("~/.s*/id_rsa", KeyMaterial),
            ("file:///home/ann/.ssh/id_rsa", KeyMaterial),
            ("file:///home/ann/%2Essh/id%5Frsa", KeyMaterial),
            ("/home/ann/%252essh%252fid_rsa", KeyMaterial),
            ("~/.aws/credentials", KeyMaterial),
            ("~/.gnupg/private-keys-v1.d/x.key", KeyMaterial),
            ("~/.npmrc", KeyMaterial),
            ("/proc/self/environ", KeyMaterial),
            ("/etc/shadow", KeyMaterial),
            ("~/.mozilla/firefox/ab12.default-release/key4.db", KeyMaterial),
            ("~/Library/Application Support/Google/Chrome/Default/Login Data", KeyMaterial),
            ("~/Library/Keychains/login.keychain-db", KeyMaterial),
            ("~/.defenter/config.json", Defenter),
            ("~/.defenter", Defenter),
            ("~/Library/Application Support/Claude/claude_desktop_config.json", ClientConfig),
            ("project/.mcp.json", ClientConfig),
            ("~/.codex/config.toml", ClientConfig),
            (".vscode/settings.json", EditorSettings),
            ("~/.bashrc", ShellStartup),
            (".zshrc", ShellStartup),
            ("~/.bashrc.", ShellStartup),
            ("~/.config/autostart/x.desktop", Autostart),
            ("~/.ssh/authorized_keys", Autostart),
            ("/work/tree/.git/hooks/pre-commit", GitHook),
            (".env", EnvFile),
            (".env.local", EnvFile),
        ] {
            assert_eq!(reason(path), Some(wanted), "{path}");
        }
    }

    #[test]
    fn ordinary_paths_need_no_care() {
        for path in [
            "/home/ann/project/src/main.rs",
            "~/.ssh/known_hosts",
            "~/.ssh/id_rsa.pub",
            "src/ssh/id.rs",
            "docs/profile",
            "project/.npmrc",
            ".github/workflows/ci.yml",
            ".gitignore",
            "package.json",
            "fixtures/logins.json",
            "settings.json",
            "environment.ts",
            "/etc/hosts",
            "*",
            "src/**/*.rs",
            "",
            "/",
            "~",
        ] {
            assert_eq!(reason(path), None, "{path}");
        }
    }

    #[test]
    fn roots_hold_what_is_inside_them() {
        for (path, wanted) in [
            ("/home/ann/project/a.txt", false),
            ("/home/ann/project", false),
            ("/home/ann/projects", true),
            ("/home/ann/project/../other", true),
            ("/srv/data/x", false),
            ("~/project/a", false),
            ("~/other", true),
            ("a/b", false),
            ("a/../../b", true),
            ("/etc/passwd", true),
        ] {
            assert_eq!(inspect(path, &around()).outside, wanted, "{path}");
        }
        let nowhere = Surroundings::new(None, &[] as &[PathBuf]);
        assert!(!inspect("/etc/passwd", &nowhere).outside);
    }

    #[test]
    fn a_long_way_round_does_not_hide_a_path() {
        for path in [
            format!("/home/ann/{}.ssh/id_rsa", "./".repeat(50_000)),
            format!("{}{}/home/ann/.ssh/id_rsa", "/a".repeat(50_000), "/..".repeat(50_000)),
        ] {
            assert_eq!(reason(&path), Some(ProtectedPath::KeyMaterial));
        }
    }

    proptest! {
        #[test]
        fn takes_any_text(text in any::<String>()) {
            readings(&text, &mut |path| { inspect(path, &around()); });
        }

        #[test]
        fn detours_do_not_hide_a_path(
            detours in proptest::collection::vec(prop_oneof![
                Just("./"), Just("/"), Just("x/../"), Just("a/b/../../")
            ], 0..6)
        ) {
            let path = format!("/home/ann/{}.ssh/{}id_rsa", detours.concat(), detours.concat());
            prop_assert_eq!(reason(&path), Some(ProtectedPath::KeyMaterial), "{}", path);
        }
    }
}
