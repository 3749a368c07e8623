//! Codex' trust in our hooks.
//!
//! Codex runs a hook only where its config has the hook's hash (`[hooks.state.KEY] trusted_hash`);
//! until then the hook silently does not run. The key is the hook's file, event and place in it; the
//! hash is SHA-256 over the hook as compact JSON with sorted keys. Both were compared with what Codex
//! 0.169.0 says of its hooks (`hooks/list` of `codex app-server`), which is where the vectors of the
//! test are from.
//!
//! Owns: the entries of our own hooks in Codex' config.
//! Accepts: the text of the hooks' file before and after, and of the config.
//! Emits: a change of the config.
//! Promises: only hooks that run our program are trusted; what else is in the config stays as it is,
//! to the byte; an entry that somebody else has made for one of them is not overruled.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use toml_edit::{DocumentMut, Key};

use super::HookFile;
use super::file::{parse, target_of, text_of, with_mark};
use super::line::is_our_line;
use super::record::{HookJournal, Record};
use super::systems::HookSystem;
use crate::clients::paths_of;
use crate::doc::{Doc, Edit, Format, Node, Step, Value, apply_edits};
use crate::host::{Host, Os};
use crate::install::{JournalError, content_hash};

/// The time-out of a hook that says none, in seconds.
const DEFAULT_TIMEOUT_S: u64 = 600;
/// Why an entry is not changed.
const UNKNOWN: &str = "its config is written in a way that we do not change";
/// The system's client.
const CODEX: &str = "codex";

/// A hook that is to be trusted, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trusted {
    key: String,
    hash: String,
    /// What the config said of the hook that had its place before.
    old: Option<String>,
}

/// Plans what Codex' config is to say; none for another client, and where nothing is to be changed.
pub(super) fn plan(
    host: &Host,
    system: &HookSystem,
    hooks: &HookFile,
    journal: &HookJournal,
) -> Result<Result<Option<HookFile>, String>, JournalError> {
    if system.client.as_str() != CODEX {
        return Ok(Ok(None));
    }
    let path = hooks.file.with_file_name("config.toml");
    let before = match text_of(&path) {
        Ok(before) => before,
        Err(reason) => return Ok(Err(reason)),
    };
    let named = name_of(host, &hooks.file);
    let old = hooks.before.as_deref().map_or_else(Vec::new, |text| ours(&named, text));
    let new = hooks.after.as_deref().map_or_else(Vec::new, |text| ours(&named, text));
    let record = journal.record(&target_of(&path))?;
    Ok(compute(system, path, before, &old, &new, record.as_ref()))
}

/// Whether Codex runs all of our hooks that are there; none for another client.
pub(super) fn status(host: &Host, system: &HookSystem, hooks: &Path) -> Option<bool> {
    if system.client.as_str() != CODEX {
        return None;
    }
    let text = text_of(hooks).ok().flatten().unwrap_or_default();
    let config = text_of(&hooks.with_file_name("config.toml")).ok().flatten().unwrap_or_default();
    let config = tree(&config).ok()?;
    let wanted = ours(&name_of(host, hooks), &text);
    Some(wanted.iter().all(|one| state(&config, &one.key) == Some(one.hash.as_str())))
}

fn compute(
    system: &HookSystem,
    path: PathBuf,
    before: Option<String>,
    old: &[Trusted],
    new: &[Trusted],
    record: Option<&Record>,
) -> Result<Option<HookFile>, String> {
    let text = before.clone().unwrap_or_default();
    let is_nothing_to_undo = record.is_none() && !old.iter().any(|one| text.contains(&one.hash));
    if new.is_empty() && is_nothing_to_undo {
        return Ok(None);
    }
    let config = tree(&text)?;
    let has = |one: &Trusted| state(&config, &one.key) == Some(one.hash.as_str());
    let recorded: Vec<Trusted> = record.into_iter().flat_map(recorded).collect();
    let is_new =
        |one: &Trusted| new.iter().any(|new| (&new.key, &new.hash) == (&one.key, &one.hash));
    let stale = old.iter().chain(&recorded).any(|one| has(one) && !is_new(one));
    if !stale && new.iter().all(has) {
        return Ok(None);
    }
    let clean = match record.filter(|record| record.written == content_hash(text.as_bytes())) {
        Some(record) => record.clean.clone(),
        None => without(&text, recorded.iter().chain(old), record)?,
    };
    let mut new = new.to_vec();
    let after = if new.is_empty() {
        clean.clone()
    } else {
        Some(with(clean.as_deref().unwrap_or_default(), &mut new)?)
    };
    let created =
        new.into_iter().map(|one| [one.key, one.hash].into_iter().chain(one.old).collect());
    let created = created.collect();
    let file = HookFile {
        client: system.client,
        file: path,
        before,
        after,
        clean,
        created,
        executable: false,
        why: Some("so that it runs them"),
    };
    Ok((file.after != file.before).then_some(file))
}

fn recorded(record: &Record) -> Vec<Trusted> {
    let of = |texts: &Vec<String>| {
        let mut texts = texts.iter().cloned();
        Some(Trusted { key: texts.next()?, hash: texts.next()?, old: texts.next() })
    };
    record.created.iter().filter_map(of).collect()
}

/// How Codex names the hooks' file: its folder as it is, but with links resolved where a variable
/// names it.
fn name_of(host: &Host, hooks: &Path) -> String {
    let named = paths_of(host, "{CODEX_HOME:~/.codex}/hooks.json").pop().unwrap_or_default();
    let named = if host.os == Os::Windows { named.replace('/', "\\") } else { named };
    let folder = hooks.parent().filter(|_| host.root.is_none() && host.var("CODEX_HOME").is_some());
    match folder.and_then(|folder| std::fs::canonicalize(folder).ok()) {
        Some(folder) => {
            let named = folder.join("hooks.json").display().to_string();
            // Windows says so of a path whose links are resolved, and Codex leaves it out.
            named.strip_prefix(r"\\?\").map_or(named.clone(), str::to_owned)
        }
        None => named,
    }
}

/// Our hooks in a file, as Codex tells them apart.
fn ours(named: &str, text: &str) -> Vec<Trusted> {
    let Ok(doc) = parse(text) else { return Vec::new() };
    let mut found = Vec::new();
    for event in doc.root().and_then(|root| root.get("hooks")).map_or(&[][..], Node::members) {
        let label = snake(&event.key);
        for (at, group) in event.node.items().iter().enumerate() {
            let hooks = group.get("hooks").map_or(&[][..], Node::items);
            for (inner, hook) in hooks.iter().enumerate() {
                let key = format!("{named}:{label}:{at}:{inner}");
                let hash = hash(&label, group, hook);
                found.extend(hash.map(|hash| Trusted { key, hash, old: None }));
            }
        }
    }
    found
}

/// The hash of a hook of ours; none for any other, and for one that has more than we write.
fn hash(event: &str, group: &Node, hook: &Node) -> Option<String> {
    let known = ["type", "command", "timeout"];
    if hook.members().iter().any(|member| !known.contains(&member.key.as_str())) {
        return None;
    }
    let command = hook.get("command").and_then(Node::as_str).filter(|line| is_our_line(line))?;
    let timeout = match hook.get("timeout").map(|node| &node.value) {
        None => DEFAULT_TIMEOUT_S,
        Some(Value::Number(text)) => text.parse().ok()?,
        Some(_) => return None,
    };
    // The members are in order, which the hash depends on.
    let hook = format!(
        r#"{{"async":false,"command":{},"timeout":{timeout},"type":"command"}}"#,
        json!(command)
    );
    let matcher = match group.get("matcher").map(Node::as_str) {
        None => String::new(),
        Some(matcher) => format!(r#","matcher":{}"#, json!(matcher?)),
    };
    let whole = format!(r#"{{"event_name":"{event}","hooks":[{hook}]{matcher}}}"#);
    let digest = Sha256::digest(whole.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("sha256:{hex}"))
}

fn snake(event: &str) -> String {
    let mut out = String::with_capacity(event.len() + 4);
    for c in event.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The config as a tree.
fn tree(text: &str) -> Result<Json, String> {
    let doc = Doc::parse(text.as_bytes(), Format::Toml).map_err(|error| error.to_string())?;
    Ok(doc.root().map_or(Json::Null, Node::to_json))
}

fn state<'j>(config: &'j Json, key: &str) -> Option<&'j str> {
    config.get("hooks")?.get("state")?.get(key)?.get("trusted_hash")?.as_str()
}

/// The config with entries at its end, and in the place of those of hooks that were in ours before;
/// what these said is noted.
fn with(text: &str, new: &mut [Trusted]) -> Result<String, String> {
    let mut expected = tree(text)?;
    let mut out = text.to_owned();
    for one in new.iter_mut() {
        let Some(entry) = entry(&expected, &one.key) else { continue };
        let said = entry.get("trusted_hash").and_then(Json::as_str);
        if entry.get("enabled") == Some(&false.into()) {
            return Err("its config switches this hook off".to_owned());
        }
        let said = said.ok_or("its config has an entry of another kind for this hook")?;
        if said != one.hash {
            out = replaced(&out, &one.key, &one.hash).ok_or(UNKNOWN)?;
            one.old = Some(said.to_owned());
            expected["hooks"]["state"][one.key.as_str()]["trusted_hash"] = json!(one.hash);
        }
    }
    let eol = eol(text);
    for one in new.iter() {
        if entry(&expected, &one.key).is_some() {
            continue;
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str(eol);
        }
        out.push_str(&block(one, eol));
        let state = table(table(&mut expected, "hooks")?, "state")?;
        state[one.key.as_str()] = json!({ "trusted_hash": one.hash });
    }
    let is_right = tree(&out).is_ok_and(|found| found == expected);
    is_right.then_some(out).ok_or_else(|| UNKNOWN.to_owned())
}

/// The config with another hash in an entry.
fn replaced(text: &str, key: &str, hash: &str) -> Option<String> {
    let doc = Doc::parse(text.as_bytes(), Format::Toml).ok()?;
    let steps = ["hooks", "state", key, "trusted_hash"].map(|key| Step::Key(key.to_owned()));
    let span = doc.at(&steps)?.span.clone();
    let edit = Edit::replace(span, format!("\"{hash}\""));
    Some(with_mark(&doc, &apply_edits(doc.text(), vec![edit])?))
}

fn entry<'j>(config: &'j Json, key: &str) -> Option<&'j Json> {
    config.get("hooks")?.get("state")?.get(key)
}

fn table<'j>(parent: &'j mut Json, key: &str) -> Result<&'j mut Json, String> {
    let members = parent.as_object_mut().ok_or("its config has something else in their place")?;
    Ok(members.entry(key.to_owned()).or_insert_with(|| json!({})))
}

/// A blank line, and an entry.
fn block(one: &Trusted, eol: &str) -> String {
    let key = Key::new(&one.key);
    format!("{eol}[hooks.state.{}]{eol}trusted_hash = \"{}\"{eol}", key.display_repr(), one.hash)
}

fn eol(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The config without entries; none where there would be no file.
fn without<'t>(
    text: &str,
    gone: impl Iterator<Item = &'t Trusted>,
    record: Option<&Record>,
) -> Result<Option<String>, String> {
    let mut out = text.to_owned();
    for one in gone {
        out = without_one(&out, one)?;
    }
    let clean = record.map(|record| record.clean.as_deref());
    if clean.is_some_and(|clean| clean.is_some_and(|clean| !clean.ends_with('\n'))) && out != text {
        let end = out.trim_end_matches(['\r', '\n']).len();
        out.truncate(end);
    }
    let was_absent = clean.is_some_and(|clean| clean.is_none());
    Ok((!was_absent || !out.trim().is_empty()).then_some(out))
}

fn without_one(text: &str, one: &Trusted) -> Result<String, String> {
    let mut expected = tree(text)?;
    if state(&expected, &one.key) != Some(one.hash.as_str()) {
        return Ok(text.to_owned());
    }
    if let Some(old) = &one.old {
        return replaced(text, &one.key, old).ok_or_else(|| UNKNOWN.to_owned());
    }
    if let Some(state) = expected["hooks"]["state"].as_object_mut() {
        state.remove(&one.key);
    }
    prune(&mut expected);
    let is_right = |out: &String| {
        tree(out).is_ok_and(|mut found| {
            prune(&mut found);
            found == expected
        })
    };
    let block = block(one, eol(text));
    let as_written = text.split_once(&block).map(|(before, after)| format!("{before}{after}"));
    if let Some(out) = as_written.filter(is_right) {
        return Ok(out);
    }
    let out = cut(text, &one.key).filter(is_right).filter(|out| is_less(text, out));
    out.ok_or_else(|| format!("the entry {:?} of its config cannot be taken out", one.key))
}

/// Takes an entry out that is not as we wrote it.
fn cut(text: &str, key: &str) -> Option<String> {
    let mark = text.strip_prefix('\u{feff}');
    let mut config: DocumentMut = mark.unwrap_or(text).parse().ok()?;
    let state = config.get_mut("hooks")?.get_mut("state")?.as_table_like_mut()?;
    state.remove(key)?;
    let out = config.to_string();
    Some(if mark.is_some() { format!("\u{feff}{out}") } else { out })
}

/// Leaves out tables that are empty without our entries.
fn prune(config: &mut Json) {
    let Some(root) = config.as_object_mut() else { return };
    let Some(hooks) = root.get_mut("hooks").and_then(Json::as_object_mut) else { return };
    if hooks.get("state").and_then(Json::as_object).is_some_and(serde_json::Map::is_empty) {
        hooks.remove("state");
    }
    if hooks.is_empty() {
        root.remove("hooks");
    }
}

/// Whether a text is another with some lines left out.
fn is_less(text: &str, out: &str) -> bool {
    let mut lines = text.split_inclusive('\n');
    out.split_inclusive('\n').all(|line| lines.any(|other| other == line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOOKS: &str = r#"{"hooks":{"PreToolUse":[{"matcher":"*","hooks":[
        {"type":"command","command":"LINE","timeout":60}]}],
        "UserPromptSubmit":[{"hooks":[{"type":"command","command":"LINE","timeout":60}]}]}}"#;

    #[test]
    fn a_hook_is_named_and_hashed_as_codex_does() {
        let check = |line: &str, event: usize, label: &str, hash: &str| {
            let found = ours("/h/.codex/hooks.json", &HOOKS.replace("LINE", line));
            assert_eq!(found[event].key, format!("/h/.codex/hooks.json:{label}:0:0"));
            assert_eq!(found[event].hash, format!("sha256:{hash}"));
        };
        // As `hooks/list` of Codex 0.169.0 said of the same file.
        check(
            "'/a b/defenter' hook codex",
            1,
            "user_prompt_submit",
            "fc02f3782190853f64e4a1dbc5313f044c724f2aad259e805cc864015991db64",
        );
        check(
            "/opt/defenter/defenter hook codex",
            0,
            "pre_tool_use",
            "29f59244a081393888548000cabaa3caaace8a43acea2d77e6d174f8849c736a",
        );
        assert_eq!(ours("x", &HOOKS.replace("LINE", "npx hook codex")), []);
    }

    #[test]
    fn the_file_is_named_as_its_system_does() {
        let named = |os, home: &str| {
            let host = Host::new(os, home, std::collections::BTreeMap::new());
            name_of(&host, Path::new("/x/hooks.json"))
        };
        assert_eq!(named(Os::Linux, "/home/dev"), "/home/dev/.codex/hooks.json");
        assert_eq!(named(Os::Windows, "C:\\Users\\dev"), r"C:\Users\dev\.codex\hooks.json");
    }

    fn one(key: &str) -> Trusted {
        Trusted { key: key.to_owned(), hash: "sha256:00".to_owned(), old: None }
    }

    #[test]
    fn an_entry_is_added_and_taken_out_to_the_byte() {
        for text in [
            "model = \"x\"\n",
            "# mine\n\n[mcp_servers.x]\ncommand = \"npx\"\n\n",
            "[hooks.state.\"other\"]\ntrusted_hash = \"sha256:11\"\nenabled = false\n",
            "a = 1\r\n",
            "\u{feff}a = 1\n",
            "",
        ] {
            for key in ["/h/hooks.json:stop:0:0", "C:\\Users\\dev\\.codex\\hooks.json:stop:0:0"] {
                let more = with(text, &mut [one(key), one("second")]).expect(text);
                assert_eq!(state(&tree(&more).expect("TOML"), key), Some("sha256:00"), "{more}");
                let less = without_one(&more, &one("second")).expect("taken out");
                assert_eq!(without_one(&less, &one(key)).expect("taken out"), text);
            }
        }
    }

    #[test]
    fn an_entry_that_was_written_anew_is_taken_out_and_nothing_else() {
        let text = "a = 1 # why\n\n[hooks.state]\n\n[hooks.state.x]\n# mine\nenabled = true\ntrusted_hash = \"sha256:00\"\n\n[b]\nc = 2\n";
        let less = without_one(text, &one("x")).expect("taken out");
        assert_eq!(less, "a = 1 # why\n\n[hooks.state]\n\n[b]\nc = 2\n");
        let other = text.replace(":00", ":11");
        assert_eq!(without_one(&other, &one("x")).expect("left alone"), other);
    }

    #[test]
    fn what_was_said_of_another_hook_in_its_place_comes_back() {
        let text = "[hooks.state]\n'x' = { trusted_hash = 'sha256:11' } # theirs\n";
        let mut ours = [one("x")];
        let more = with(text, &mut ours).expect("replaced");
        assert_eq!(more, text.replace("'sha256:11'", "\"sha256:00\""));
        let less = without_one(&more, &ours[0]).expect("put back");
        assert_eq!(less, text.replace("'sha256:11'", "\"sha256:11\""));
    }

    #[test]
    fn what_somebody_else_decided_is_not_overruled() {
        let with = |text: &str| with(text, &mut [one("x")]);
        assert!(with("[hooks.state.x]\nenabled = false\n").is_err());
        assert!(with("[hooks.state.x]\nodd = 1\n").is_err());
        assert!(with("hooks = 1\n").is_err());
        assert!(with("hooks = { state = {} }\n").is_err());
        let same = "[hooks.state.x]\ntrusted_hash = \"sha256:00\"\n";
        assert_eq!(with(same).as_deref(), Ok(same));
    }
}
